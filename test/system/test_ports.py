# SPDX-License-Identifier: Apache-2.0
"""Ports of every kind that can be had without hardware, against what uses them in practice: virtual machines and
containers by vhost-user and memif (dpdk-testpmd is the guest), kernel devices, TAPs.

        host --- (host0) leaf: vgw (socket) === guest: dpdk-testpmd --- (far0) far
"""
import os
import pathlib
import signal
import subprocess

import pytest
from dataplane_api import Dataplane
from topology import Topology, wait_for


class Guest:
    """testpmd, which passes frames between a device of its own at a socket and an interface of its namespace."""

    def __init__(self, namespace, device, interface):
        self.log = open(namespace.topology.directory / f"guest-{namespace.name}.log", "w", encoding="utf-8")
        cpus = sorted(os.sched_getaffinity(0))
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", namespace.netns, "dpdk-testpmd", f"--lcores=0@{cpus[0]},1@{cpus[-1]}", "--no-huge",
             "-m", "192", "--no-shconf", "--no-pci", "--no-telemetry", f"--file-prefix={namespace.netns}",
             f"--vdev={device}", f"--vdev=net_af_packet0,iface={interface}", "--", "--forward-mode=io", "--auto-start",
             "--total-num-mbufs=8192"],
            stdin=subprocess.PIPE, stdout=self.log, stderr=self.log)

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)  # of ip, which has become testpmd
            self.process.wait(30)
        self.log.close()


class Site:
    def __init__(self, t, dp, leaf, host, guest, far):
        self.t, self.dp, self.leaf, self.host, self.guest, self.far = t, dp, leaf, host, guest, far
        self.socket = t.directory / "port.sock"


@pytest.fixture(name="site")
def site_fixture():
    with Topology("ports") as t:
        host, leaf, guest, far = (t.namespace(n) for n in ("host", "leaf", "guest", "far"))
        t.wire(host, "eth0", leaf, "host0")
        t.wire(guest, "far0", far, "eth0")
        for h, n in ((host, 1), (far, 2)):
            h.address("eth0", f"10.0.0.{n}/24")
            h.offloads_off("eth0")
        guest.up("far0")
        with Dataplane(netns=leaf.netns) as dp:
            dp.port(1, "netdev:host0")
            dp.network(7)
            dp.attachment(1, network=7, port=1)
            dp.wait_port(1, link_up=1)
            yield Site(t, dp, leaf, host, guest, far)


# What the guest's device is called when vgw is the server, and when it is the client.
SOCKETS = {
    "vhost-user": ("net_virtio_user0,path={},queue_size=1024", "net_virtio_user0,path={},queue_size=1024,server=1"),
    "memif": ("net_memif0,role=client,socket={},socket-abstract=no", "net_memif0,role=server,socket={},socket-abstract=no"),
}


@pytest.mark.parametrize("client", [False, True], ids=["server", "client"])
@pytest.mark.parametrize("kind", SOCKETS)
def test_a_guest_is_served_and_served_again_when_it_returns(site, kind, client):
    """Frames of all sizes both ways; the guest ends: the port is down and says why; another guest: up again."""
    device = SOCKETS[kind][client].format(site.socket)
    site.dp.port(2, f"{kind}:{site.socket}", client=client)
    site.dp.attachment(2, network=7, port=2)
    state = site.dp.wait_port(2, link_up=0)
    for _ in range(2):
        guest = Guest(site.guest, device, "far0")
        try:
            state = site.dp.wait_port(2, link_up=1)
            assert state["reason"] == "" and state["present"]
            site.host.wait_ping("10.0.0.2")
            assert site.host.ping("10.0.0.2", count=20, size=1472)
            assert site.far.ping("10.0.0.1", count=20, size=0)
        finally:
            guest.end()
        state = site.dp.wait_port(2, link_up=0)
        assert str(site.socket) in state["reason"]
    counters = site.dp.state("port", 2)["counters"]
    assert counters["rx_packets"] >= 80 and counters["tx_packets"] >= 80
    site.dp.delete("attachment", 2)
    site.dp.delete("port", 2)
    if not client:
        assert not pathlib.Path(site.socket).exists()


def test_a_tap_in_a_namespace(site):
    """It is made there, works, and is made again when somebody takes it away."""
    site.dp.port(2, "tap:vm0", netns=site.far.netns, mac="02:00:00:00:00:77")
    site.dp.attachment(2, network=7, port=2)
    for _ in range(2):
        wait_for(lambda: "vm0" in site.far.ip("link"), "the TAP")
        site.far.ip("address", "flush", "dev", "eth0")
        site.far.address("vm0", "10.0.0.2/24")
        site.dp.wait_port(2, link_up=1, present=1)
        site.host.ip("neighbour", "flush", "all")  # it has another MAC now
        site.host.wait_ping("10.0.0.2")
        site.dp.subscribe("port")
        site.far.ip("link", "del", "vm0")
        wait_for(lambda: any(e["event"] == "port" and e["id"] == 2 for e in site.dp.client.events(0.1)), "the loss to be told")
    site.dp.delete("attachment", 2)
    site.dp.delete("port", 2)
    wait_for(lambda: "vm0" not in site.far.ip("link"), "the TAP to go")


@pytest.mark.parametrize("driver", ["auto", "af-packet"])
def test_frames_up_to_the_largest_mtu(driver):
    """9216 bytes of payload, neither more nor less, between two kernel interfaces. AF_XDP has no room for as much: the
    choice falls on AF_PACKET, and the port says why."""
    with Topology("jumbo") as t:
        leaf, a, b = (t.namespace(n) for n in ("leaf", "a", "b"))
        for h, n in ((a, 1), (b, 2)):
            t.wire(h, "eth0", leaf, f"p{n}", mtu=9216)
            h.address("eth0", f"10.0.0.{n}/24")
        with Dataplane(netns=leaf.netns) as dp:
            dp.network(7)
            for n in (1, 2):
                dp.port(n, f"netdev:p{n}", mtu=9216, driver=driver)
                dp.attachment(n, network=7, port=n)
                state = dp.wait_port(n, link_up=1)
                assert state["driver"] == "af_packet"
                assert ("MTU" in state["reason"]) == (driver == "auto"), state
            a.wait_ping("10.0.0.2")
            for size in (9188, 9187, 4000, 2020, 2019, 1473):
                assert a.ping("10.0.0.2", count=5, size=size, flags=["-M", "do"]), size
            assert "mtu-exceeded" not in dp.drops()


def test_the_driver_and_what_is_wrong_are_told(site):
    """AF_XDP where it works; AF_PACKET as asked for; no device: why, until it comes."""
    assert site.dp.state("port", 1)["driver"] == "af_xdp"
    site.leaf.ip("link", "add", "one", "type", "veth", "peer", "name", "other")
    site.leaf.up("one", "other")
    site.dp.port(2, "netdev:one", driver="af-packet")
    assert site.dp.wait_port(2, link_up=1)["driver"] == "af_packet"
    site.dp.port(3, "netdev:nowhere")
    assert "nowhere" in site.dp.wait_port(3, present=0)["reason"]
    site.leaf.ip("link", "add", "nowhere", "type", "veth", "peer", "name", "somewhere")
    site.leaf.up("nowhere", "somewhere")
    site.dp.wait_port(3, link_up=1)


def test_receive_queues_are_spread_over_workers():
    """Four queues, two workers: two each; and frames arrive by them all the same."""
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        pytest.skip("one CPU")
    with Topology("queues") as t:
        leaf, a, b = (t.namespace(n) for n in ("leaf", "a", "b"))
        for h, n in ((a, 1), (b, 2)):
            leaf.ip("link", "add", f"p{n}", "numrxqueues", "4", "numtxqueues", "4", "type", "veth", "peer", "name", "eth0",
                    "netns", h.netns, "numrxqueues", "4", "numtxqueues", "4")
            leaf.up(f"p{n}")
            h.address("eth0", f"10.0.0.{n}/24")
            h.offloads_off("eth0")
        with Dataplane(netns=leaf.netns, cores=f"{cpus[0]},{cpus[1]}") as dp:
            dp.network(7)
            for n in (1, 2):
                dp.port(n, f"netdev:p{n}", rx_queues=4)
                dp.attachment(n, network=7, port=n)
                assert dp.wait_port(n, link_up=1)["rx_queues"] == 4
            workers = [q["worker"] for q in dp.query("port_queue") if q["port"] == 1 and not q["tx"]]
            assert sorted(workers) == [0, 0, 1, 1]
            a.wait_ping("10.0.0.2")
            for cpu in cpus[:2]:
                assert a.run("taskset", "-c", cpu, "ping", "-n", "-q", "-c", 20, "-i", "0.05", "10.0.0.2")
            received = [q["packets"] for q in dp.query("port_queue") if q["port"] == 1 and not q["tx"]]
            assert sum(received) >= 40
