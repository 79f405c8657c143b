/* SPDX-License-Identifier: Apache-2.0
 *
 * Things named in one word, the way from the top by slashes: network acme/web, vrouter acme/core,
 * attachment acme/web/host1, vtep acme/core/v1, port uplink. While there is one vfabric only, its
 * name may be left out.
 */
#ifndef CLI_OBJECT_H
#define CLI_OBJECT_H

#include "cli.h"

#define OBJECT_PARTS 3

/* Lists from the top to the kind of thing: "vfabric", "network", "attachment". Returns how many, 0
 * for a kind that there is not. */
int object_lists(const char *kind, const char *lists[OBJECT_PARTS]);

/* Parts of `word`, in the order of object_lists(). Returns an exit code, and tells the user what is
 * wrong. The caller frees the parts. */
int object_parse(struct cli *cli, const char *kind, const char *word, char *part[OBJECT_PARTS]);
void object_free(char *part[OBJECT_PARTS]);

#endif
