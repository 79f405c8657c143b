# SPDX-License-Identifier: Apache-2.0
"""`vgw traceroute` from a vrouter with two equal ways to a host, each by a router.

        leaf: vgw === r1, r2 (routers) === peer (the host)
"""
import json
import re

import pytest
from topology import Topology, wait_for
from two_routers import CONFIGURATION, two_routers

HOST = {4: "10.255.0.2", 6: "2001:db8:ff::2"}
ROUTERS = {4: ["10.1.1.1", "10.1.2.1"], 6: ["2001:db8:11::1", "2001:db8:12::1"]}


@pytest.fixture(name="gw", scope="module")
def gw_fixture():
    with Topology("trace") as t:
        _, leaf, peer, _, routers = two_routers(t)
        for i, r in enumerate(routers, 1):
            r.sysctl("net.ipv6.conf.all.forwarding", 1)
            r.sysctl("net.ipv4.icmp_ratelimit", 0)
            r.sysctl("net.ipv6.icmp.ratelimit", 0)
            r.address("to-leaf", f"2001:db8:1{i}::1/64")
            r.address("to-peer", f"2001:db8:2{i}::1/64")
            peer.address(f"core{i}", f"2001:db8:2{i}::2/64")
            r.ip("route", "add", "10.255.0.1", "via", f"10.1.{i}.0")
            r.ip("route", "add", HOST[4], "via", f"10.2.{i}.0")
            r.ip("-6", "route", "add", HOST[6], "via", f"2001:db8:2{i}::2")
            for kind, number in (("prohibit", 1), ("unreachable", 2), ("blackhole", 3)):
                r.ip("route", "add", kind, f"203.0.113.{number}")
                r.ip("-6", "route", "add", kind, f"2001:db8:113::{number}")
        peer.address("lo", HOST[6] + "/128")
        for i, to in ((1, "10.1.1.0/31"), (2, "10.1.2.0/31"), (2, "10.255.0.1")):
            peer.ip("route", "add", to, "via", f"10.2.{i}.1")
        for i in (1, 2):
            peer.ip("-6", "route", "add", f"2001:db8:1{i}::/64", "via", f"2001:db8:2{i}::1")
        gw = t.gateway(leaf, "vgw")
        ways = "".join(f"""
            set vfabric v vrouter r interface core{i} address 2001:db8:1{i}::2/64
            set vfabric v vrouter r static-route 0.0.0.0/0 next-hop 10.1.{i}.1
            set vfabric v vrouter r static-route ::/0 next-hop 2001:db8:1{i}::1
        """ for i in (1, 2))
        gw.configure(CONFIGURATION + ways)
        for family in HOST:
            for hop in ROUTERS[family]:
                wait_for(lambda h=hop: gw.vgw("ping", "v/r", h, "count", "1"), f"{hop} to answer")
        yield gw


def trace(gw, *words):
    done = gw.vgw("traceroute", "v/r", *words, "--json", check=False)
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize("family", HOST)
def test_the_routers_on_the_way(gw, family):
    code, hops = trace(gw, HOST[family])
    assert code == 0 and [h["ttl"] for h in hops] == [1, 2]
    assert [a["result"] for h in hops for a in h["answer"]] == ["expired"] * 3 + ["reply"] * 3
    assert all(a["from"] == HOST[family] and a["time"] > 0 for a in hops[1]["answer"])
    text = gw.vgw("traceroute", "v/r", HOST[family], "count", "2").stdout.splitlines()
    assert len(text) == 2
    assert re.fullmatch(rf" 1  ({'|'.join(ROUTERS[family])})(  \d+\.\d{{3}} ms){{2}}", text[0]), text
    assert re.fullmatch(rf" 2  {HOST[family]}(  \d+\.\d{{3}} ms){{2}}", text[1]), text


@pytest.mark.parametrize("family", HOST)
def test_a_flow_takes_one_of_equal_paths(gw, family):
    used = set()
    for flow in range(1, 17):
        _, hops = trace(gw, HOST[family], "flow", str(flow), "max-hops", "1")
        routers = {a["from"] for a in hops[0]["answer"]}
        assert len(routers) == 1
        used |= routers
    assert used == set(ROUTERS[family])


@pytest.mark.parametrize("address, mark", [("203.0.113.1", "!X"), ("2001:db8:113::1", "!X"),  # as Linux says it
                                           ("203.0.113.2", "!H"), ("2001:db8:113::2", "!N")])
def test_why_the_way_ends(gw, address, mark):
    done = gw.vgw("traceroute", "v/r", address, "max-hops", "9", check=False)
    assert done.returncode == 1
    last = done.stdout.splitlines()[-1]  # Linux limits these errors to one a second: it may not be the first
    assert any(router in last for routers in ROUTERS.values() for router in routers)
    assert set(re.findall(r"!\w+", last)) == {mark}, done.stdout


@pytest.mark.parametrize("prefix", ["203.0.113.", "2001:db8:113::"])
def test_who_does_not_answer_is_a_star(gw, prefix):
    done = gw.vgw("traceroute", "v/r", f"{prefix}3", "max-hops", "2", "timeout", "200", check=False)
    assert done.returncode == 1 and done.stdout == " 1  *  *  *\n 2  *  *  *\n"


def test_from_an_address_of_the_vrouters(gw):
    code, hops = trace(gw, HOST[4], "source", "10.255.0.1")
    assert code == 0 and {a["result"] for a in hops[-1]["answer"]} == {"reply"}
    refused = gw.vgw("traceroute", "v/r", HOST[4], "source", "192.0.2.77", check=False)
    assert refused.returncode == 1 and "not an address of the vrouter" in refused.stderr


def test_its_own_address(gw):
    code, hops = trace(gw, "10.255.0.1")
    assert code == 0 and len(hops) == 1


def test_wrong_words(gw):
    refused = gw.vgw("traceroute", "v/r", HOST[4], "max-hops", "300", check=False)
    assert refused.returncode == 2 and "max-hops is 255 at most" in refused.stderr
    refused = gw.vgw("traceroute", "v/nope", HOST[4], check=False)
    assert refused.returncode == 1 and "no vrouter 'nope'" in refused.stderr
