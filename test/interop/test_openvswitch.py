# SPDX-License-Identifier: Apache-2.0
"""Against Open vSwitch with its userspace datapath.

        host 10.0.0.1 --- leaf: vgw (under) === (under) br-under, peer: Open vSwitch, br-int (far0) --- far 10.0.0.2
"""
import pytest
from topology import Topology, exchange_all, run, wait_for


class OpenVSwitch:
    """ovsdb-server and ovs-vswitchd of our own, in a namespace."""

    def __init__(self, t, namespace):
        self.namespace = namespace
        self.directory = t.directory / "ovs"
        self.directory.mkdir()
        self.environment = {"OVS_RUNDIR": str(self.directory), "OVS_LOGDIR": str(self.directory),
                            "OVS_DBDIR": str(self.directory), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        database, socket = self.directory / "conf.db", self.directory / "db.sock"
        run("ovsdb-tool", "create", database, "/usr/share/openvswitch/vswitch.ovsschema")
        namespace.start("ovsdb-server", database, f"--remote=punix:{socket}", f"--unixctl={self.directory}/db.ctl",
                        env=self.environment, log=self.directory / "ovsdb.log")
        wait_for(socket.exists, "ovsdb-server")
        self.vsctl("--no-wait", "init")
        namespace.start("ovs-vswitchd", f"unix:{socket}", f"--unixctl={self.directory}/vs.ctl",
                        env=self.environment, log=self.directory / "vswitchd.log")

    def vsctl(self, *words):
        return self.namespace.run("ovs-vsctl", f"--db=unix:{self.directory}/db.sock", "--timeout=20", *words,
                                  env=self.environment).stdout

    def appctl(self, *words):
        return self.namespace.run("ovs-appctl", f"--target={self.directory}/vs.ctl", *words, env=self.environment).stdout


@pytest.mark.parametrize("ours, theirs, length, overhead",
                         [("192.0.2.1", "192.0.2.2", 24, 50), ("2001:db8::1", "2001:db8::2", 64, 70)],
                         ids=["ipv4", "ipv6"])
def test_everything_crosses(ours, theirs, length, overhead):
    with Topology("ovs") as t:
        host, leaf, peer, far = (t.namespace(n) for n in ("host", "leaf", "peer", "far"))
        t.wire(host, "eth0", leaf, "host0")
        t.wire(leaf, "under", peer, "under")
        t.wire(peer, "far0", far, "eth0")
        mtu = 1500 - overhead
        for h, n in ((host, 1), (far, 2)):
            h.ip("link", "set", "eth0", "mtu", str(mtu))
            h.address("eth0", f"10.0.0.{n}/24")
        ovs = OpenVSwitch(t, peer)
        ovs.vsctl("add-br", "br-under", "--", "set", "bridge", "br-under", "datapath_type=netdev",
                  "--", "add-port", "br-under", "under",
                  "--", "add-br", "br-int", "--", "set", "bridge", "br-int", "datapath_type=netdev",
                  "--", "add-port", "br-int", "far0",
                  "--", "add-port", "br-int", "vx", "--", "set", "interface", "vx", "type=vxlan",
                  f"options:remote_ip={ours}", f"options:local_ip={theirs}", "options:key=100")
        peer.address("br-under", f"{theirs}/{length}")
        peer.up("br-int")
        gw = t.gateway(leaf, "vgw")
        gw.configure(f"""
            set port host0 device netdev:host0
            set port under device netdev:under
            set vfabric v id 1
            set vfabric v network n id 1 attachment host port host0
            set vfabric v vrouter r interface under port under address {ours}/{length}
            set vfabric v vrouter r vtep e local-address {ours} remote {theirs}
            set vfabric v vrouter r vtep e vni 100 network n
        """)
        exchange_all(t, host, "10.0.0.1", far, "10.0.0.2", mtu)
        assert all(v == 0 for k, v in gw.drops().items() if k.startswith(("vxlan", "udp", "ip-", "ecn")))
