# SPDX-License-Identifier: Apache-2.0
"""DHCP relay with a real server (dnsmasq) behind routers and real clients (ISC dhclient), over an anycast gateway that
two leaves share.

        a --- leaf1 === leaf2 --- b          a, b: network 7, whose gateway is both leaves
                 \\      /
                  core --- server

Success: both clients get addresses of their subnet, each through its own leaf; the gateway is their DHCP server; and
the source guard lets in what was leased, and nothing else.
"""
import pytest
from dhcp import ask_dhcp, serve_dhcp
from topology import Topology


def leaf_configuration(number, other, host):
    return f"""
        set vfabric v id 1
        set port under device netdev:under
        set port up device netdev:north
        set port {host} device netdev:{host}0
        set vfabric v network n7 id 7 attachment {host} port {host} source-guard enabled true
        set vfabric v vrouter u interface under port under address 192.0.2.{number}/24
        set vfabric v vrouter u vtep e local-address 192.0.2.{number} remote 192.0.2.{other}
        set vfabric v vrouter u vtep e vni 5007 network n7
        set vfabric v vrouter t interface irb7 type irb network n7
        set vfabric v vrouter t interface irb7 anycast-address 10.0.7.1/24 anycast-address fd00:0:0:7::1/64
        set vfabric v vrouter t interface lo type loopback address 10.255.0.{number}/32 address fd00:255::{number}/128
        set vfabric v vrouter t interface up port up address 10.1.{number}.2/24 address fd00:1:{number}::2/64
        set vfabric v vrouter t static-route 10.9.0.0/24 next-hop 10.1.{number}.1
        set vfabric v vrouter t static-route fd00:9::/64 next-hop fd00:1:{number}::1
        set vfabric v vrouter t dhcp-relay irb7 server 10.9.0.2 server fd00:9::2 source-interface lo
        set vfabric v vrouter t dhcp-relay irb7 local-clients-only true remote-id rack-{number}
    """


def site(t):
    leaves, hosts = [t.namespace(n) for n in ("leaf1", "leaf2")], [t.namespace(n) for n in "ab"]
    core, server = t.namespace("core"), t.namespace("server")
    core.sysctl("net.ipv4.ip_forward", 1)
    core.sysctl("net.ipv6.conf.all.forwarding", 1)
    t.wire(leaves[0], "under", leaves[1], "under")
    t.wire(core, "to-server", server, "eth0")
    core.address("to-server", "10.9.0.1/24", "fd00:9::1/64")
    server.address("eth0", "10.9.0.2/24", "fd00:9::2/64")
    server.ip("route", "add", "default", "via", "10.9.0.1")
    server.ip("-6", "route", "add", "default", "via", "fd00:9::1")
    gateways = []
    for n, (leaf, host) in enumerate(zip(leaves, hosts), 1):
        t.wire(core, f"to-leaf{n}", leaf, "north")
        t.wire(host, "eth0", leaf, f"{host.name}0")
        host.ip("link", "set", "eth0", "mtu", "1450")
        core.address(f"to-leaf{n}", f"10.1.{n}.1/24", f"fd00:1:{n}::1/64")
        core.ip("route", "add", f"10.255.0.{n}", "via", f"10.1.{n}.2")
        core.ip("-6", "route", "add", f"fd00:255::{n}", "via", f"fd00:1:{n}::2")
        gw = t.gateway(leaf, f"vgw{n}")
        gw.configure(leaf_configuration(n, 3 - n, host.name))
        gateways.append(gw)
    for n in (1, 2):
        server.wait_ping(f"10.255.0.{n}")
        server.wait_ping(f"fd00:255::{n}")
    return gateways, hosts, server


def relay_of(gw):
    (relay,) = gw.show("dhcp-relays")
    return relay


@pytest.mark.parametrize("family", (4, 6))
def test_clients_of_an_anycast_gateway_get_their_leases_each_by_its_leaf(family):
    with Topology(f"dhcprelay{family}") as t:
        gateways, hosts, server = site(t)
        log = serve_dhcp(t, server, "eth0", "10.0.7.100,10.0.7.150,255.255.255.0,1h",
                         "fd00:0:0:7::100,fd00:0:0:7::1ff,64,1h")
        for gw, host in zip(gateways, hosts):
            host.up("eth0")
            other = gateways[1] if gw is gateways[0] else gateways[0]
            before = int(relay_of(other)[f"ipv{family}-requests"])
            address = ask_dhcp(t, host, "eth0", family)
            assert address.startswith("10.0.7.1" if family == 4 else "fd00:0:0:7::1"), log.read_text()
            counted = relay_of(gw)
            assert int(counted[f"ipv{family}-requests"]) >= 2 and int(counted[f"ipv{family}-replies"]) >= 2
            assert int(relay_of(other)[f"ipv{family}-requests"]) == before
            (binding,) = [b for b in gw.show("bindings", "network", "v/n7") if b["address"] == address]
            assert (binding["origin"], binding["mac"], binding["attachment"]) == ("dhcp", host.mac("eth0"), host.name)
            # The guard knows the lease, and nothing else.
            host.wait_ping("10.0.7.1" if family == 4 else "fd00:0:0:7::1")
            stolen = "10.0.7.200" if family == 4 else "fd00:0:0:7::200"
            host.address("eth0", stolen + ("/24" if family == 4 else "/64"))
            assert not host.ping("10.0.7.1" if family == 4 else "fd00:0:0:7::1", flags=("-I", stolen))
            host.ip("address", "del", stolen + ("/24" if family == 4 else "/64"), "dev", "eth0")
        if family == 4:  # RFC 5107: who the client will ask for more time
            leases = (t.directory / f"dhclient4-{hosts[0].name}.leases").read_text()
            assert "option dhcp-server-identifier 10.0.7.1;" in leases
        table = gateways[0].vgw("show", "dhcp-relays").stdout
        assert "irb7" in table and "10.9.0.2, fd00:9::2" in table
