/* SPDX-License-Identifier: Apache-2.0
 *
 * Imports: routes that a vrouter has from another one of its vfabric (route leaking). Of each
 * prefix the route that the other vrouter uses itself is imported, if the import's rules permit
 * it; own addresses of loopbacks count as connected. An imported route is sent by as that one is:
 * it has the same path, or leads to the link of the same interface. What is itself imported is not
 * imported on. Main thread.
 */
#ifndef ROUTE_IMPORT_H
#define ROUTE_IMPORT_H

#include "route/route.h"

/* A route came, went, or has changed: those who import its prefix look again, soon. */
void route_import_due(const struct route *r);
/* They do so now: before what a path is tied to is let go. Not from within a change of paths. */
void route_import_now(uint32_t vrouter, const struct vgw_prefix *prefix);
/* All that are due do. */
void route_import_settle(void);

#endif
