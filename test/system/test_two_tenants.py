# SPDX-License-Identifier: Apache-2.0
"""docs/two-tenants.md, typed: its configuration, its commands at the Linux boxes, its FRR, what it looks at.

        red, blue --- (VLAN 10, 20) eth0 --- leaf: vgw --- eth1 --- core --- red-site, blue-site: Linux
                                               |  |
                             eth2 red-isp -----+  +----- eth3 blue-isp: FRR
"""
import os
import pathlib
import re
import shutil
import signal

import pytest
from frr import DAEMONS, Frr
from topology import SOURCE, Topology, run, wait_for
from typist import Typist, blocks, lines_of

pytestmark = pytest.mark.skipif(not os.path.exists(f"{DAEMONS}/zebra"), reason="FRR is not installed")

TEXT = (SOURCE / "docs/two-tenants.md").read_text()
TENANTS = {"red": {"vlan": 10, "site": "192.0.2.2", "as": 64701, "uplink": "eth2"},
           "blue": {"vlan": 20, "site": "192.0.2.3", "as": 64702, "uplink": "eth3"}}
OUTSIDE, SERVER = "198.18.0.1", "10.0.1.1"
WHOSE = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(sys.argv[1].encode())
http.server.HTTPServer(("0.0.0.0", 80), Handler).serve_forever()
"""


def block(*words):
    """The one block of the text with all of these in it."""
    found, = [b for b in blocks(TEXT) if all(w in b for w in words)]
    return found


class Daemons:
    """FRR at the leaf, started as the text says: its directories and processes."""

    def __init__(self):
        self.names = []

    def start(self, user, tenant, netns):
        """As the text has it for red, and for blue with what it says differs; the namespace is called otherwise here."""
        typed = block("tenant=", "bgpd -d")
        if tenant != "red":
            assert f"`tenant=vgw-main-{tenant}`\nand `remote-as {TENANTS[tenant]['as']}`" in TEXT
            typed = typed.replace("tenant=vgw-main-red", f"tenant=vgw-main-{tenant}").replace("64701", "64702")
        assert f"tenant=vgw-main-{tenant}" in typed
        self.names.append(netns)
        user.types(typed.replace(f"tenant=vgw-main-{tenant}", f"tenant={netns}"))

    def end(self):
        for name in self.names:
            for file in pathlib.Path(f"/run/frr/{name}").glob("*.pid"):
                pid = int(file.read_text())
                os.kill(pid, signal.SIGTERM)
                wait_for(lambda p=pid: not os.path.exists(f"/proc/{p}"), f"{file} to end")
            for directory in ("/etc/frr", "/run/frr"):
                shutil.rmtree(f"{directory}/{name}", ignore_errors=True)


def serve(namespace, name):
    namespace.start("/usr/bin/python3", "-c", WHOSE, name)


def build(t):
    """All that the text takes for granted. -> leaf, {tenant: {"host", "site", "isp"}}"""
    leaf, rack, core = t.namespace("leaf"), t.namespace("rack"), t.namespace("core")
    t.wire(leaf, "eth0", rack, "eth0")
    t.wire(leaf, "eth1", core, "leaf")
    core.sysctl("net.ipv4.ip_forward", 1)
    core.address("leaf", "198.51.100.1/24")
    core.ip("route", "add", "192.0.2.1", "via", "198.51.100.2")
    around = {}
    for tenant, its in TENANTS.items():
        host, site, isp = (t.namespace(f"{tenant}-{n}") for n in ("host", "site", "isp"))
        around[tenant] = {"host": host, "site": site, "isp": isp}
        # The rack's switch: each host on its VLAN.
        rack.trunk("eth0", its["vlan"], tenant)
        rack.ip("link", "add", f"br-{tenant}", "type", "bridge")
        t.wire(host, "eth0", rack, f"to-{tenant}")
        for device in (tenant, f"to-{tenant}"):
            rack.ip("link", "set", device, "master", f"br-{tenant}")
        rack.up(f"br-{tenant}")
        host.address("eth0", "10.0.0.10/24")
        host.ip("route", "add", "default", "via", "10.0.0.1")
        host.ip("link", "set", "eth0", "mtu", "1450")
        t.wire(site, "eth0", core, tenant)
        site.address("lo", its["site"] + "/32")
        site.ip("route", "add", "default", "dev", "eth0", "src", its["site"])
        core.ip("route", "add", its["site"], "dev", tenant)
        core.sysctl(f"net.ipv4.conf.{tenant}.proxy_arp", 1)
        t.wire(leaf, its["uplink"], isp, "eth0")
        isp.address("eth0", "203.0.113.1/30")
        isp.address("lo", OUTSIDE + "/32")
        serve(isp, f"{tenant}'s provider")
    return leaf, around


@pytest.fixture(name="site", scope="module")
def site_fixture():
    daemons = Daemons()
    with Topology("tenants") as t:
        leaf, around = build(t)
        gw = t.gateway(leaf, "vgw")
        try:
            yield t, leaf, around, gw, daemons
        finally:
            daemons.end()


def provider(t, isp, tenant):
    text = block("default-originate")
    if tenant != "red":
        text = text.replace("64701", str(TENANTS[tenant]["as"]))
    return Frr(t, isp, zebra="", bgpd=text)


def fetch(host, address):
    return host.run("curl", "-s", "--max-time", "5", f"http://{address}/").stdout


def test_it_is_built_as_the_text_says(site):
    t, leaf, around, gw, daemons = site
    user = Typist(t, leaf, gw)
    file = t.directory / "FILE"
    file.write_text(block("set vfabric main vrouter red"))
    assert "`vgw apply FILE` and `vgw commit`" in TEXT
    user.types(f"vgw apply {file} && vgw commit")
    for tenant, its in around.items():
        its["site"].run("bash", "-ec", block("10.0.1.1/24", TENANTS[tenant]["site"]))
        serve(its["site"], f"{tenant}'s server")
        provider(t, its["isp"], tenant)
        netns = f"{t.prefix}-vgw-main-{tenant}"
        wait_for(lambda n=netns: "203.0.113.2" in run("ip", "-n", n, "address", "show", "uplink").stdout, "the TAP")
        daemons.start(user, tenant, netns)
    for tenant in TENANTS:
        default, = wait_for(lambda n=tenant: gw.show("routes", "vrouter", n, "protocol", "bgp"),
                            f"{tenant}'s default route", timeout=120)
        assert default["prefix"] == "0.0.0.0/0" and default["next-hop"][0]["address"] == "203.0.113.1"


def test_each_tenant_reaches_its_own(site):
    _, _, around, _, _ = site
    for tenant, its in around.items():
        host = its["host"]
        host.wait_ping("10.0.0.1")
        assert "00:00:5e:00:01:01" in host.ip("neigh", "show", "to", "10.0.0.1")
        for address, whose in ((SERVER, f"{tenant}'s server"), (OUTSIDE, f"{tenant}'s provider")):
            wait_for(lambda h=host, a=address: fetch(h, a), f"{tenant}'s {address} to answer")
            assert fetch(host, address) == whose
        for told in ("10.0.0.0/24", "10.0.1.0/24"):
            assert "via 203.0.113.2" in its["isp"].ip("route", "show", told)


def test_what_it_says_to_look_at(site):
    t, leaf, _, gw, _ = site
    user = Typist(t, leaf, gw)
    seen = {line: user.types(line) for line in lines_of(TEXT, "vgw")}
    assert len(seen) == 7 and all(text.strip() for text in seen.values())
    routes = seen["vgw show routes vrouter red"]
    assert re.search(r"0\.0\.0\.0/0 +bgp", routes) and re.search(r"10\.0\.1\.0/24 +static.*VNI 5001", routes)
    both = seen["vgw show routes protocol bgp"]
    assert re.search(r"red +0\.0\.0\.0/0", both) and re.search(r"blue +0\.0\.0\.0/0", both)
    assert "VNI 5001" in seen["vgw show fib-lookup main/red 10.0.1.1"]
    assert re.search(r"default .*via 203\.0\.113\.1", seen["vgw ip main/red route"])
    assert "02:04:c0:00:02:01" in user.types("vgw show vteps --wide") + user.types("vgw show vteps --json")


def test_readme_leads_here():
    assert "(docs/two-tenants.md)" in (SOURCE / "README.md").read_text()
