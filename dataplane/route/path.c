/* SPDX-License-Identifier: Apache-2.0
 *
 * Paths, see path.h.
 */
#include "route/path.h"
#include <stdlib.h>

struct adjacency *adjacencies;
struct path *paths;

struct resolution {
    uint32_t vrouter;
};

struct resolution *resolution_create(uint32_t vrouter, const struct vgw_ip *to,
                                     resolution_fn changed, void *user)
{
    struct resolution *r = calloc(1, sizeof(*r));

    if (r != NULL)
        changed(user, 0, 0);
    return r;
}

struct resolution *resolution_create_group(uint32_t interface, const struct vgw_ip *group,
                                           resolution_fn changed, void *user)
{
    return resolution_create(0, group, changed, user);
}

void resolution_destroy(struct resolution *r)
{
    free(r);
}
