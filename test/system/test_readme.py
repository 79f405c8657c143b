# SPDX-License-Identifier: Apache-2.0
"""What README says to type, typed: its commands are read out of README itself.

                                    gateway
        web --- (VLAN 10) eth0 --- [vgw] --- eth1 --- peer: the next router, 198.51.100.1, and behind it the
                                                      other site's VTEP, 192.0.2.2, on a Linux bridge
"""
import re
import subprocess

import pytest
from scapy.utils import PcapNgReader
from topology import SOURCE, Topology
from typist import Typist, blocks, lines_of

README = (SOURCE / "README.md").read_text()
FIRST, SEEING, OTHERS = "A first gateway: a server with two NICs", "Seeing what it does", "Two commands"


def section(heading):
    return re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", README, re.S | re.M)[1]


def commands(heading, program):
    return lines_of(section(heading), program)


@pytest.fixture(name="site", scope="module")
def site_fixture():
    with Topology("readme") as t:
        web, leaf, peer = (t.namespace(n) for n in ("web", "leaf", "peer"))
        t.wire(web, "eth0", leaf, "eth0")
        t.wire(peer, "eth0", leaf, "eth1")
        for vlan in (10, 20):
            web.trunk("eth0", vlan, f"vlan{vlan}")
            web.address(f"vlan{vlan}", f"10.0.{vlan}.1/24")
        peer.address("lo", "192.0.2.2/32")
        peer.address("eth0", "198.51.100.1/24")
        peer.ip("route", "add", "192.0.2.1", "via", "198.51.100.2")
        peer.ip("link", "add", "br0", "type", "bridge")
        peer.address("br0", "10.0.10.2/24")
        yield t, web, leaf, peer, t.gateway(leaf, "vgw")


def test_first_gateway(site):
    """Its configuration file and its commands give what it says: both networks reach the other side."""
    t, web, leaf, peer, gw = site
    user = Typist(t, leaf, gw)
    file = t.directory / "FILE"
    file.write_text(next(b for b in blocks(section(FIRST)) if b.startswith("set ")))
    assert "vgw apply FILE" in section(FIRST)
    user.types(f"vgw apply {file}")
    for line in commands(FIRST, "ip"):
        peer.run("bash", "-c", line)
    typed = commands(FIRST, "vgw")
    assert typed[:3] == ["vgw compare", "vgw commit confirm 5", "vgw confirm"]
    answers = {}
    for line in typed:
        if line == "vgw show macs":
            web.wait_ping("10.0.10.2")
        if line.startswith("vgw ping"):
            assert "192.0.2.2" in line
        answers[line] = user.types(line)
    assert "+ port uplink" in answers["vgw compare"]
    assert "192.0.2.2" in answers["vgw show tunnels"]
    assert peer.mac("br0") in answers["vgw show macs"] and web.mac("vlan10") in answers["vgw show macs"]
    assert "confirm-deadline" not in gw.show("system")[0]


def test_seeing(site):
    """Each command of the section shows something of a ping that goes on meanwhile."""
    t, web, leaf, _, gw = site
    user = Typist(t, leaf, gw)
    web.wait_ping("10.0.10.2")
    for line in commands(SEEING, "vgw"):
        if line.startswith("vgw capture"):
            file = line.split()[2]
            user.types_until(line, lambda text: "Ctrl-C" in text and web.ping("10.0.10.2"))
            with PcapNgReader(file) as packets:
                assert next(iter(packets))
            subprocess.run(["rm", file], check=True)
        elif line.startswith("vgw trace "):
            text = user.types_until(line, lambda _: web.ping("10.0.10.2", count=2) and False)
            assert len(text.splitlines()) >= 20 and "encap" in text
        elif line.startswith("vgw watch"):
            assert "uplink" in user.types_until(line, lambda text: text.count("uplink") > 1)
        else:
            assert user.types(line).strip()


def test_every_configuration_is_valid(site):
    """Also those of sections that other tests build: by themselves, whatever was committed before."""
    t, _, leaf, _, gw = site
    user = Typist(t, leaf, gw)
    for number, block in enumerate(b for b in blocks(README) if b.startswith("set ")):
        file = t.directory / f"block-{number}"
        file.write_text(block)
        user.types(f"echo '{{}}' | vgw import - && vgw apply {file} && vgw validate && vgw discard")


def test_targets_of_make():
    """Every `make X` that README names is a target, and help lists it."""
    known = subprocess.run(["make", "-C", SOURCE, "help"], capture_output=True, text=True, check=True).stdout
    targets = {line.split()[0] for line in known.splitlines() if line and not line.startswith("make")}
    named = set(re.findall(r"(?:`|sudo )make ([a-z][a-z-]*)", README))
    assert named and named <= targets, named - targets


def test_links():
    """What README points at is there."""
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (SOURCE / target).exists(), target


def test_examples_of_values(site):
    """Devices and other inline examples are values that the models take."""
    t, _, leaf, _, gw = site
    user = Typist(t, leaf, gw)
    assert "`device pci:0000:03:00.0`" in README
    user.types("vgw set port x device pci:0000:03:00.0 && vgw validate && vgw discard")
    user.types("vgw set port x device tap:NAME namespace NAME && vgw validate && vgw discard")
