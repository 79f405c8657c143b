/* SPDX-License-Identifier: Apache-2.0
 *
 * A vrouter's interfaces, see interface.h.
 */
#include "route/interface.h"
#include "core/vmarray.h"
#include "route/path.h"

#define WATCHES_MAX 8

struct interface *interfaces;
static interface_watch_fn watches[WATCHES_MAX];
static unsigned int watch_count;

uint32_t vrouter_by_id(uint32_t id)
{
    return 0;
}

void vrouter_ref(uint32_t vrouter)
{
}

void vrouter_unref(uint32_t vrouter)
{
}

uint32_t interface_by_id(uint32_t id)
{
    return 0;
}

bool address_is_local(uint32_t vrouter, const struct vgw_ip *ip)
{
    return false;
}

void interface_watch(interface_watch_fn fn)
{
    assert(watch_count < WATCHES_MAX);
    watches[watch_count++] = fn;
}

int route_init(void)
{
    interfaces = vmarray_reserve("interfaces", INTERFACES_MAX, sizeof(*interfaces));
    adjacencies = vmarray_reserve("adjacencies", ADJACENCIES_MAX, sizeof(*adjacencies));
    paths = vmarray_reserve("paths", PATHS_MAX, sizeof(*paths));
    return 0;
}
