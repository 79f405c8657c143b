# SPDX-License-Identifier: Apache-2.0
"""vgw's data plane as a gateway of the bench, spoken to as vgw-control does."""
import signal
import struct

import dataplane_api
import harness

from .cases import (IRB_MAC, LEFT_NETWORK, OUTER_MAC, RIGHT_MAC, RIGHT_NETWORK, addresses, left_hosts, next_hop,
                    right_hosts)
from .gateway import RING, Gateway, full_table, remotes_of
from .machine import gateway_cpus, helper_cpu

VLANS = 4000  # as the generator counts
AGE_S = 3600  # longer than a case: flows go one way, and nothing refreshes the other end's MACs
MESSAGE_ITEMS = 200
FLAGS = harness.LEARNING | harness.FLOOD_UNKNOWN | harness.FLOOD_BROADCAST | harness.FLOOD_MULTICAST
UNDERLAY, TENANT = 1, 2           # vrouters
WIRE, LEFT_LEG, RIGHT_LEG = 1, 2, 3  # interfaces

# The fixed parts of struct vgw_neighbour and vgw_route with one next hop: a million are made of them.
NEIGHBOUR = struct.Struct("=IIB3x4s12x6s6x")
ROUTE = struct.Struct("=II24sxx2xI" "B3x4s12xII6sBx")
assert NEIGHBOUR.size == harness.ctypes.sizeof(harness.Neighbour)
assert ROUTE.size == harness.ctypes.sizeof(harness.Route) + harness.ctypes.sizeof(harness.NextHop)


class Vgw(Gateway):
    name, memory = "vgw", 700

    def start(self):
        case = self.case
        self.dp = dataplane_api.Dataplane(
            cores=",".join(map(str, gateway_cpus(case))), memory=512, huge_pages="on",
            settings=f"main-core = {helper_cpu(case)}\nfdb-size-initial = {max(65536, 4 * case.flows)}\n")
        for i, s in enumerate((self.left, self.right), 1):
            self.dp.port(i, f"memif:{s}", client=True, zero_copy=True, descriptors=RING, mtu=9000,
                         rx_queues=case.workers, mac=RIGHT_MAC if i == 2 else None)
        for i in (1, 2):
            self.dp.wait_port(i, link_up=True)
        if not case.local:
            self.declare_vtep()
        if case.routed:
            self.declare_routing()
        elif case.vnis > 1:
            self.declare_many()
        else:
            self.declare_network(1, ports=(1, 2) if case.local else (1,))

    def declare_vtep(self):
        dp, case = self.dp, self.case
        ours, _, length = addresses(case)
        dp.vrouter(UNDERLAY)
        dp.interface(WIRE, vrouter=UNDERLAY, port=2, addresses=[f"{ours}/{length}"], mac=RIGHT_MAC)
        for i, r in enumerate(remotes_of(case), 1):
            dp.neighbour(i, interface=WIRE, ip=r, mac=OUTER_MAC)
        dp.vtep(1, vrouter=UNDERLAY, local=ours, remotes=remotes_of(case))

    def declare_network(self, id, ports):
        """The network of these ports; unless bridging is local, the one of the right side is VNI 1."""
        self.dp.network(id, age_s=AGE_S)
        for p in ports:
            self.dp.attachment(p, network=id, port=p)
        if not self.case.local and (id == 2 or not self.case.routed):
            self.dp.vni(1, vtep=1, vni=1, network=id)

    def declare(self, items):
        """Many objects, some of them a message."""
        batch = []
        for i in items:
            batch.append(i)
            if len(batch) == MESSAGE_ITEMS:
                self.dp.client.declare(*batch)
                batch = []
        if batch:
            self.dp.client.declare(*batch)

    def declare_many(self):
        """A network, an attachment and a VNI each."""
        self.declare(i for n in range(self.case.vnis) for i in self.network_items(n))

    def network_items(self, n):
        encap = harness.encap(None, 1 + n) if self.case.vnis <= VLANS else \
            harness.encap(None, 1 + n // VLANS, 1 + n % VLANS)
        yield harness.item("network", harness.Network(n + 1, n + 1, 0, AGE_S, FLAGS, 0))
        yield harness.item("attachment", harness.Attachment(
            n + 1, n + 1, 1, encap, True, False, True, 0, 0, (harness.u32 * 3)(*[harness.UNLIMITED] * 3), 0, 0))
        yield harness.item("vni", harness.Vni(n + 1, 1, n + 1, n + 1, 0, harness.to_ip(None), True, False, False, 0, 0))

    def declare_routing(self):
        dp, case = self.dp, self.case
        dp.vrouter(TENANT)
        self.declare_network(1, ports=(1,))
        self.declare_network(2, ports=(2,) if case.local else ())
        dp.interface(LEFT_LEG, vrouter=TENANT, network=1, addresses=[LEFT_NETWORK], mac=IRB_MAC)
        dp.interface(RIGHT_LEG, vrouter=TENANT, network=2, addresses=[RIGHT_NETWORK], mac=IRB_MAC)
        hosts = [(LEFT_LEG, *h) for h in left_hosts(case)] + [(RIGHT_LEG, *h) for h in right_hosts(case)]
        self.declare(harness.item("neighbour", NEIGHBOUR.pack(1000 + i, leg, 4, address, mac))
                     for i, (leg, address, mac) in enumerate(hosts))
        if case.full_table:
            self.declare(harness.item("route", ROUTE.pack(i, TENANT, p, 1, 4, next_hop(p[4]), RIGHT_LEG, 0, bytes(6), 1))
                         for i, p in enumerate(full_table(case), 1))

    def measured(self):
        return {"stages": {s["name"]: s["cycles_per_packet"] for s in self.dp.query("stage") if s["packets"]},
                "drops": self.dp.drops()}

    def pid(self):
        return self.dp.pid

    def pause(self):
        self.dp.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.dp.process.send_signal(signal.SIGCONT)

    def stop(self):
        self.go_on()
        self.dp.stop()
