/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the route directory: a vrouter. Main thread.
 */
#ifndef VROUTER_H
#define VROUTER_H

#include "route/rib.h"
#include "route/route.h"

struct vrouter {
    uint32_t id; /* API id; 0: none */
    uint32_t refs;
    uint32_t interfaces; /* how many it has; L3 VNIs not counted */
    uint32_t route_count;
    uint16_t vfabric_id;
    bool has_namespace;
    char vfabric[VGW_NAME_MAX];
    char name[VGW_NAME_MAX];
    struct rib routes;      /* value: struct route, the first of its prefix; route.h */
    struct rib next_hops;   /* value: struct next_hop that is found by its address; next_hop.h */
    struct rib resolutions; /* value: struct resolution, the first to this address */
    struct route_list static_routes;
    struct route_list kernel_routes, doubted_routes; /* route_kernel.h */
    uint32_t kernel_route_count;                     /* of refs, those that go by themselves */
    LIST_HEAD(, import) exports;                     /* other vrouters' imports of its routes */
};

extern struct vrouter *vrouters; /* vmarray of VROUTERS_MAX; index 0 unused */

int vrouter_init(void);

#endif
