# SPDX-License-Identifier: Apache-2.0
"""pci: ports with the drivers of real network cards, in a machine that QEMU emulates (see virtual_machine.py). The wires
of its cards end here, so frames are sent and compared one by one.

    wires here --- e1000, e1000e, vmxnet3, virtio: vgw-dataplane in the machine
    tap of a namespace --- a card of four queues: the same
"""
import os
import pathlib
import shutil
import signal
import subprocess
import time

import pytest
from topology import SOURCE, Failure, Topology, wait_for
from virtual_machine import Nic, VirtualMachine

NAMES = {"e1000": "net_e1000_em", "e1000e": "net_e1000_em", "vmxnet3": "net_vmxnet3", "virtio": "net_virtio"}
INTERRUPT, NAP = 0, 2  # enum vgw_wake
LARGEST = {"e1000": 9216, "e1000e": 9216, "vmxnet3": 9000, "virtio": 9216}
QUEUES = 5  # the port of the card that has four

pytestmark = pytest.mark.skipif("ASAN_OPTIONS" in os.environ,
                                reason="sanitized code is too slow where each instruction is translated")


def frame(size, number=0):
    """Of a protocol that no card looks into, from a host of that number."""
    head = bytes.fromhex("0200000000fe") + b"\x02\0\0\1" + number.to_bytes(2, "big") + b"\x88\xb5"
    return (head + bytes((number + i) & 255 for i in range(size)))[:size]


class Site:
    def __init__(self, t, host, vm):
        self.t, self.host, self.vm = t, host, vm
        self.hosts = 0
        self.dp = vm.new("dataplane_api", "Dataplane", cores="0,1", memory=128)
        self.cards = [vm.nics[name] for name in NAMES]
        self.number = {name: i for i, name in enumerate(NAMES, 1)}
        self.dp.network(7)
        for card in vm.nics.values():
            vm.bind(card.address, "vfio-pci")
        for card in self.cards:
            self.port(card.name)
            self.dp.attachment(self.number[card.name], network=7, port=self.number[card.name])
        for card in self.cards:
            self.wait(card.name, link_up=1)

    def port(self, name, **settings):
        self.dp.port(self.number[name], f"pci:{self.vm.nics[name].address}", **settings)

    def state(self, name):
        return self.dp.state("port", self.number[name])

    def wait(self, name, **fields):
        return self.dp.wait_port(self.number[name], **fields)

    def carries(self, name, *sizes, to=None):
        """Frames of these sizes, sent to the card, come out of the others (or of `to`) in order, unchanged."""
        self.hosts += 1  # another each time, so that nothing is mistaken for what came late
        sent = [frame(size, self.hosts) for size in sizes]
        got = {card.name: [] for card in self.cards}
        wanted = [n for n in to or NAMES if n != name]

        def arrived():
            for card in self.cards:
                got[card.name] += [f for f in card.receive() if f[6:12] == sent[0][6:12]]
            return all(len(got[n]) >= len(sent) for n in wanted)

        self.vm.nics[name].send(*sent)
        try:
            wait_for(arrived, f"frames from {name}", timeout=30)
        except Failure:
            pass  # what has come is told below
        for n in wanted:
            assert [len(f) for f in got[n]] == [len(f) for f in sent], f"from {name} to {n}"
            assert got[n] == sent, f"from {name} to {n}"
        assert got[name] == []
        return True


BOOT = """
import sys
from virtual_machine import VirtualMachine

class Machine(VirtualMachine):
    def connect(self, name):
        socket = super().connect(name)
        print(self.directory, self.process.pid, flush=True)
        return socket

Machine(netns=sys.argv[1])
"""


def test_a_killed_test_leaves_no_machine_behind():
    with Topology("pci-killed") as t:
        tester = subprocess.Popen(["/usr/bin/python3", "-c", BOOT, t.namespace("host").netns], stdout=subprocess.PIPE,
                                  text=True, env={**os.environ, "PYTHONPATH": f"{SOURCE}/test/lib"})
        directory, pid = tester.stdout.readline().split()
        qemu = pathlib.Path("/proc") / pid
        try:
            assert (qemu / "comm").read_text().startswith("qemu-system")
            tester.kill()
            tester.wait(30)
            wait_for(lambda: not qemu.exists() or ") Z " in (qemu / "stat").read_text(), "QEMU to end")
        finally:
            shutil.rmtree(directory)
            if qemu.exists():
                os.kill(int(pid), signal.SIGKILL)


@pytest.fixture(name="machine", scope="module")
def machine_fixture():
    with Topology("pci") as t:
        host = t.namespace("host")
        cards = [Nic(name, "virtio-net-pci" if name == "virtio" else name) for name in NAMES]
        tap = Nic("many", "virtio-net-pci", netdev="tap,id=many,ifname=many,script=no,downscript=no,vhost=off,queues=4",
                  mq=True, vectors=10)
        with VirtualMachine([*cards, tap], netns=host.netns) as vm:
            yield Site(t, host, vm)


@pytest.fixture(name="site")
def site_fixture(machine):
    """Everything as it was at first, whatever a test has changed."""
    yield machine
    for card in machine.cards:
        machine.port(card.name)
    for card in machine.cards:
        machine.wait(card.name, link_up=1)
        card.receive()


@pytest.mark.parametrize("name", NAMES)
def test_frames_of_all_sizes_are_carried(site, name):
    """In order and unchanged, flooded to the other cards; each has its counters and its address."""
    before = {n: site.state(n)["counters"] for n in NAMES}
    state = site.state(name)
    assert state["driver"] == NAMES[name] and state["present"] and state["reason"] == ""
    assert state["mac"] == site.vm.nics[name].mac
    sizes = [*range(60, 1514, 97), 1513, 1514] * 4
    assert site.carries(name, *sizes)
    after = {n: site.state(n)["counters"] for n in NAMES}
    change = {n: {k: after[n][k] - before[n][k] for k in after[n]} for n in NAMES}
    for n in NAMES:
        way = "rx" if n == name else "tx"
        assert change[n][f"{way}_packets"] == len(sizes) and change[n][f"{way}_bytes"] == sum(sizes), n


@pytest.mark.parametrize("name", NAMES)
def test_the_link_is_followed(site, name):
    site.vm.qmp("set_link", name=name, up=False)
    site.wait(name, link_up=0, present=1)
    site.vm.qmp("set_link", name=name, up=True)
    site.wait(name, link_up=1)
    assert site.carries(name, 100)


@pytest.mark.parametrize("name", NAMES)
def test_the_largest_frames(site, name):
    """9216 bytes of payload; where the card takes less, the port says how much."""
    other = "e1000" if name == "e1000e" else "e1000e"
    site.port(other, mtu=9216)
    site.port(name, mtu=9216)
    if LARGEST[name] < 9216:
        assert str(LARGEST[name]) in site.wait(name, present=0)["reason"]
        site.port(name, mtu=LARGEST[name])
    site.wait(name, link_up=1)
    site.wait(other, link_up=1)
    sizes = [14 + LARGEST[name], 9000, 4000, 2000, 60]
    assert site.carries(other, *sizes, to=[name])
    if name != "vmxnet3":  # QEMU's puts no frame into several buffers
        assert site.carries(name, *sizes, to=[other])
    dropped = site.dp.drops().get("mtu-exceeded", 0)
    site.port(name, mtu=1500)
    site.wait(name, link_up=1)
    site.vm.nics[other].send(frame(1515), frame(1514))
    got = []
    wait_for(lambda: got.extend(site.vm.nics[name].receive()) or frame(1514) in got, "the frame that fits")
    assert frame(1515) not in got
    assert site.dp.drops()["mtu-exceeded"] > dropped


@pytest.mark.parametrize("name", NAMES)
def test_descriptors_and_address(site, name):
    """As few and as many as can be configured: each card takes as near to it as it can. Its address is ours."""
    other = "e1000" if name != "e1000" else "virtio"
    for descriptors in (64, 16384):
        site.port(name, descriptors=descriptors, mac="02:00:00:00:00:77")
        site.wait(name, link_up=1, mac="02:00:00:00:00:77")
        for _ in range(4):  # more than a ring holds, but never at once: a card drops what finds no descriptor
            assert site.carries(name, *[100] * 50, to=[other])
    assert site.carries(other, 60, 1514, to=[name])
    if name == "virtio":
        assert site.vm.qmp("query-rx-filter", name="virtio-card")[0]["main-mac"] == "02:00:00:00:00:77"


@pytest.mark.parametrize("name", NAMES)
def test_a_disabled_port_is_silent(site, name):
    site.port(name, enabled=False)
    assert site.state(name)["admin_up"] == 0
    other = "e1000" if name != "e1000" else "virtio"
    assert site.carries(other, 100, to=[n for n in NAMES if n not in (name, other)])
    assert site.vm.nics[name].receive() == []
    site.port(name)
    site.wait(name, link_up=1)
    assert site.carries(name, 100)


def test_idle_workers_sleep_until_a_card_interrupts(site):
    """The e1000's drivers cannot: naps. With the others alone workers sleep for good, and are woken."""
    for name in NAMES:
        assert site.state(name)["wake"] == (NAP if name in ("e1000", "e1000e") else INTERRUPT), name
    for name in ("e1000", "e1000e"):
        site.port(name, enabled=False)

    def sleeps():
        return sum(w["sleeps"] for w in site.dp.query("worker"))

    def interrupts():
        lines = site.vm.run("cat", "/proc/interrupts").stdout.splitlines()
        return sum(int(n) for line in lines if "vfio-msix[1]" in line for n in line.split()[1:3])

    time.sleep(0.2)  # for what was on its way
    begin = sleeps()
    time.sleep(1)
    assert sleeps() - begin < 100  # naps are thousands
    for name, other in (("vmxnet3", "virtio"), ("virtio", "vmxnet3")):
        before = interrupts()
        assert site.carries(name, 100, to=[other])
        assert interrupts() > before


@pytest.mark.parametrize("name", NAMES)
def test_a_card_that_is_pulled_out_works_again_when_it_is_back(site, name):
    card = site.vm.nics[name]
    site.dp.subscribe("port")
    site.vm.qmp("device_del", id=f"{name}-card")
    state = site.wait(name, present=0, link_up=0, reason=f"there is no PCI device {card.address}")
    assert state["admin_up"]
    wait_for(lambda: [e for e in site.dp.event_list() if e["event"] == "port" and e["id"] == site.number[name]],
             "the loss to be told")
    wait_for(lambda: site.vm.run("test", "-e", f"/sys/bus/pci/devices/{card.address}", check=False).returncode,
             "the card to be gone")
    others = [n for n in NAMES if n != name]
    assert site.carries(others[0], 100, to=others)
    wait_for(lambda: site.vm.qmp("device_add", **card.device()) == {}, "the slot to be free")
    site.vm.bind(card.address, "vfio-pci")
    site.wait(name, link_up=1, mac=card.mac, reason="")
    assert site.carries(name, 60, 1514)
    assert site.carries(others[0], 60, 1514)


def test_a_card_is_given_back_to_the_kernel(site):
    """Who binds it to another driver gets it; the port says which one has it."""
    card = site.vm.nics["virtio"]
    site.vm.bind(card.address, "virtio-pci")
    assert "bound to virtio-pci" in site.wait("virtio", present=0, reason=f"{card.address} is bound to virtio-pci: "
                                                                          "bind it to vfio-pci")["reason"]
    wait_for(lambda: card.mac in site.vm.run("ip", "link").stdout, "the kernel's interface")
    site.vm.bind(card.address, "vfio-pci")
    site.wait("virtio", link_up=1, reason="")
    assert site.carries("virtio", 100)


FLOWS = """
import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("many", 0))
for port in range(200):
    s.send(bytes.fromhex("0200000000fe020000000105" "0800"
                         "4500003200000000401166b70a0000010a000002") + (1000 + port).to_bytes(2, "big")
           + bytes.fromhex("1388001e0000") + bytes(22))
"""


def test_receive_queues_are_spread_over_workers(site):
    card = site.vm.nics["many"]
    site.host.sysctl("net.ipv6.conf.many.disable_ipv6", 1)
    site.host.up("many")
    site.dp.network(8)
    site.dp.port(QUEUES, f"pci:{card.address}", rx_queues=4)
    site.dp.attachment(QUEUES, network=8, port=QUEUES)
    site.dp.attachment(QUEUES + 1, network=8, port=site.number["e1000e"], vlan=8)
    try:
        assert site.dp.wait_port(QUEUES, link_up=1)["rx_queues"] == 4
        site.host.run("/usr/bin/python3", "-c", FLOWS)
        got = []
        wait_for(lambda: got.extend(site.vm.nics["e1000e"].receive()) or len(got) >= 200, "the frames")
        assert len(got) == len(set(got)) == 200
        assert all(f[12:16] == b"\x81\0\0\x08" and f[16:18] == b"\x08\0" for f in got)
        queues = [q for q in site.dp.query("port_queue") if q["port"] == QUEUES and not q["tx"]]
        assert sorted(q["worker"] for q in queues) == [0, 0, 1, 1]
        assert sum(q["packets"] for q in queues) == 200
        assert len([q for q in queues if q["packets"] > 0]) > 1
    finally:
        site.dp.delete("attachment", QUEUES)
        site.dp.delete("attachment", QUEUES + 1)
        site.dp.delete("port", QUEUES)
