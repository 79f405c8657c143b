# SPDX-License-Identifier: Apache-2.0
"""Hosts of Linux that know nothing: addresses and default routes come from router advertisements alone.

    a (VLAN 30) --- routed interface \\
    b --- network n7, irb              > vrouter t of one leaf
    c --- network n8, anycast irb     /

Success: each makes itself an address of its network's prefix (RFC 4862), each reaches the others through its default
router, and the default route is gone as soon as advertising ceases (RFC 4861 6.2.5).
"""
import ipaddress
import json

import pytest
from topology import Failure, Topology, exchange_all, wait_for

ANYCAST = "00:00:5e:00:01:01"


def host(t, name, leaf, vlan=None):
    h = t.namespace(name)
    t.wire(h, "eth0", leaf, f"{name}0")
    device = "eth0"
    if vlan:
        device = "eth0.v"
        h.trunk("eth0", vlan, device)
    for key, value in ("accept_ra", 1), ("autoconf", 1), ("use_tempaddr", 0):
        h.sysctl(f"net/ipv6/conf/{device}/{key}", value)
    h.device = device
    h.up("eth0", device)
    return h


def made_address(h, number):
    """One of fd00:0:0:NUMBER::/64 that the kernel made; None: there is none."""
    prefix = ipaddress.ip_network(f"fd00:0:0:{number}::/64")
    found = json.loads(h.ip("-j", "-6", "address", "show", "dev", h.device, "scope", "global", "dynamic"))
    return next((a["local"] for i in found for a in i.get("addr_info", ())
                 if "local" in a and ipaddress.ip_address(a["local"]) in prefix), None)


def default_route(h):
    found = json.loads(h.ip("-j", "-6", "route", "show", "default"))
    return found[0] if found else None


LINES = """
    set vfabric v id 1
    set port a0 device netdev:a0
    set port b0 device netdev:b0
    set port c0 device netdev:c0
    set vfabric v network n7 id 7 attachment b port b0
    set vfabric v network n8 id 8 attachment c port c0
    set vfabric v vrouter t interface a port a0 encapsulation dot1q vlan 30 address fd00:0:0:6::1/64
    set vfabric v vrouter t interface b type irb network n7 address fd00:0:0:7::1/64
    set vfabric v vrouter t interface b mtu 1400
    set vfabric v vrouter t interface b router-advertisement advertise-mtu true
    set vfabric v vrouter t interface c type irb network n8 anycast-address fd00:0:0:8::1/64
"""
ADVERTISE = "".join(f"""
    set vfabric v vrouter t interface {name} router-advertisement enabled true
    set vfabric v vrouter t interface {name} router-advertisement max-interval 4
    set vfabric v vrouter t interface {name} router-advertisement min-interval 3
    set vfabric v vrouter t interface {name} router-advertisement lifetime 1800
""" for name in "abc")


def test_hosts_configure_themselves_from_advertisements():
    with Topology("radv") as t:
        leaf = t.namespace("leaf")
        hosts = {"6": host(t, "a", leaf, vlan=30), "7": host(t, "b", leaf), "8": host(t, "c", leaf)}
        gw = t.gateway(leaf, "vgw")
        gw.configure(LINES + ADVERTISE)
        address = {n: wait_for(lambda n=n, h=h: made_address(h, n), f"an address of network {n}")
                   for n, h in hosts.items()}
        routes = {n: wait_for(lambda h=h: default_route(h), f"a default route in network {n}")
                  for n, h in hosts.items()}
        assert all(r["protocol"] == "ra" and r["gateway"].startswith("fe80::") for r in routes.values()), routes
        exchange_all(t, hosts["6"], address["6"], hosts["7"], address["7"], 1400)
        exchange_all(t, hosts["7"], address["7"], hosts["8"], address["8"], 1400)
        assert hosts["7"].run("cat", "/proc/sys/net/ipv6/conf/eth0/mtu").stdout.strip() == "1400"
        # The anycast gateway is one router, whichever leaf is near.
        assert routes["8"]["gateway"] == "fe80::200:5eff:fe00:101"
        (n,) = json.loads(hosts["8"].ip("-j", "neigh", "show", "to", routes["8"]["gateway"]))
        assert n["lladdr"] == ANYCAST and "router" in n, n
        gw.configure("delete vfabric v vrouter t interface b router-advertisement enabled")
        wait_for(lambda: default_route(hosts["7"]) is None, "the default route to be gone")
        assert default_route(hosts["6"]) and made_address(hosts["7"], 7)
        # By the model's defaults: 450 s of 600 at most.
        with pytest.raises(Failure, match="three quarters"):
            gw.configure("""
                delete vfabric v vrouter t interface a router-advertisement max-interval
                set vfabric v vrouter t interface a router-advertisement min-interval 451
            """)
