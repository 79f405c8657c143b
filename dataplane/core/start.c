/* SPDX-License-Identifier: Apache-2.0
 *
 * Start and stop, see start.h.
 */
#include "core/start.h"
#include "binding/binding.h"
#include "bridge/attachment.h"
#include "bridge/fdb.h"
#include "bridge/network.h"
#include "core/main_loop.h"
#include "core/observe.h"
#include "core/packet_pool.h"
#include "core/rcu.h"
#include "core/registry.h"
#include "core/state.h"
#include "core/worker.h"
#include "dhcp/dhcp_relay.h"
#include "kernel/kernel.h"
#include "log.h"
#include "port/port.h"
#include "punt/punt.h"
#include "route/interface.h"
#include "vxlan/tunnel.h"

#include <string.h>

#define FDB_ENTRIES_MAX (1u << 25)

static int features_start(const struct conf *conf)
{
    int rc;

    if ((rc = punt_init()) < 0 || (rc = observe_init()) < 0 ||
        (rc = state_init(eal_has_huge_pages())) < 0 || (rc = port_init()) < 0 ||
        (rc = fdb_init(conf->fdb_size_initial, FDB_ENTRIES_MAX)) < 0 || (rc = network_init()) < 0 ||
        (rc = binding_init()) < 0 || (rc = attachment_init()) < 0 ||
        (rc = route_init(conf->leaf_name)) < 0 || (rc = vxlan_init()) < 0 ||
        (rc = dhcp_relay_init()) < 0 || (rc = kernel_init(conf)) < 0)
        return rc;
    object_limit(VGW_OBJECT_NETWORK, conf->networks_max);
    return 0;
}

int dataplane_start(const struct conf *conf, uint32_t packets)
{
    const char *what = "event loop";
    int rc = loop_init();

    if (rc < 0)
        goto fail;
    what = "packet memory";
    rc = packet_pool_create(conf->memory_mib, packets);
    if (rc < 0)
        goto fail;
    what = "workers (at most 32 cores can be named)";
    rc = workers_create(conf->core_count);
    if (rc < 0)
        goto fail;
    what = "tables";
    rc = features_start(conf);
    if (rc < 0)
        goto fail;
    return 0;
fail:
    log_error("%s: %s", what, strerror(-rc));
    return rc;
}

void dataplane_stop(void)
{
    kernel_leave();
    object_clear();
    port_stop();
    rcu_stop(); /* what waits for workers still needs the features' tables */
    fdb_fini();
    snoop_fini();
    port_fini();
    workers_destroy();
    packet_pool_destroy();
    loop_fini();
}
