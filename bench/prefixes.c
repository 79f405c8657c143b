/* SPDX-License-Identifier: Apache-2.0
 *
 * vgw-prefixes COUNT: a made-up IPv4 table (fib_prefixes.h) to stdout, struct vgw_prefix after
 * struct vgw_prefix: what the forwarding bench declares, and its generator knows.
 */
#include "fib_prefixes.h"
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    uint32_t count = argc == 2 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
    struct vgw_prefix *prefixes;

    if (count == 0) {
        fprintf(stderr, "usage: vgw-prefixes COUNT\n");
        return 1;
    }
    prefixes = prefixes_create(4, count);
    if (fwrite(prefixes, sizeof(*prefixes), count, stdout) != count)
        return 1;
    free(prefixes);
    return 0;
}
