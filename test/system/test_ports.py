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
