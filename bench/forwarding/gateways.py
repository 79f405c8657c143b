# SPDX-License-Identifier: Apache-2.0
"""The gateways side by side: bare I/O (the ceiling), vgw, Open vSwitch with DPDK, the Linux kernel.

Each has a directory of its own with its sockets left and right. It is started when the generator listens, configured
for a case, and paused while others are measured.
"""
import os
import pathlib
import signal
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(SOURCE / "test/lib"), str(SOURCE / "test/system")]
import dataplane_api  # noqa: E402
import harness  # noqa: E402
from topology import Failure, wait_for  # noqa: E402

from .cases import OUTER_MAC, RIGHT_MAC, addresses  # noqa: E402
from .machine import GATEWAY_CPU, GENERATOR_CPU, Process  # noqa: E402

BUILD = dataplane_api.BUILD
VLANS = 4000  # as the generator counts
RING = 2048
KEEP_MEMORY = {"LD_PRELOAD": str(BUILD / "bench/libvgw-keep-memory.so")}
OVS = "/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk"  # the default one may be another


def run(*command, **settings):
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, **settings)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: {done.stdout}")
    return done.stdout


class Gateway:
    memory = 0  # MiB of huge pages
    left = right = ""
    tx_queues = 1
    enter = ()  # the command that runs another in the gateway's network namespace

    def __init__(self, case, directory):
        self.case, self.directory = case, directory
        self.left, self.right = f"{directory}/left", f"{directory}/right"

    def prepare(self):
        """Before the generator starts."""

    def measured(self):
        """Something to keep beside a window's result."""
        return {}


class Ceiling(Gateway):
    name, memory = "ceiling", 384

    def start(self):
        memif = [f"--vdev=net_memif{i},id=0,role=client,zero-copy=yes,socket-abstract=no,socket={s},rsize=11"
                 for i, s in enumerate((self.left, self.right))]
        self.process = Process(f"{self.directory}/log", "dpdk-testpmd", f"--lcores=0@{GENERATOR_CPU},1@{GATEWAY_CPU}",
                               "--main-lcore=0", "--in-memory", "--single-file-segments", "--no-pci", "--no-telemetry",
                               "-m256", *memif, "--", "--forward-mode=io", "--auto-start", "--burst=64",
                               f"--rxd={RING}", f"--txd={RING}", "--no-lsc-interrupt", "--total-num-mbufs=16384",
                               env=os.environ | KEEP_MEMORY)

    def pause(self):
        self.process.pause()

    def go_on(self):
        self.process.go_on()

    def stop(self):
        self.process.stop()


class Vgw(Gateway):
    name, memory = "vgw", 700

    def start(self):
        self.dp = dataplane_api.Dataplane(
            cores=GATEWAY_CPU, memory=512, huge_pages="on",
            settings=f"main-core = {GENERATOR_CPU}\nfdb-size-initial = {max(65536, 4 * self.case.flows)}\n")
        for i, s in enumerate((self.left, self.right), 1):
            self.dp.port(i, f"memif:{s}", client=True, zero_copy=True, descriptors=RING, mtu=9000,
                         mac=RIGHT_MAC if i == 2 else None)
        for i in (1, 2):
            self.dp.wait_port(i, link_up=True)
        self.configure()

    def configure(self):
        dp, case = self.dp, self.case
        if case.local:
            dp.network(1)
            dp.attachment(1, network=1, port=1)
            dp.attachment(2, network=1, port=2)
            return
        ours, theirs, length = addresses(case)
        dp.vrouter(1)
        dp.interface(1, vrouter=1, port=2, addresses=[f"{ours}/{length}"], mac=RIGHT_MAC)
        remotes = remotes_of(case)
        for i, r in enumerate(remotes, 1):
            dp.neighbour(i, interface=1, ip=r, mac=OUTER_MAC)
        dp.vtep(1, vrouter=1, local=ours, remotes=remotes)
        if case.vnis == 1:
            dp.network(1)
            dp.attachment(1, network=1, port=1)
            dp.vni(1, vtep=1, vni=1, network=1)
        else:
            self.declare_many()

    def declare_many(self):
        """Networks, attachments and VNIs, 200 of each a message."""
        flags = harness.LEARNING | harness.FLOOD_UNKNOWN | harness.FLOOD_BROADCAST | harness.FLOOD_MULTICAST
        for begin in range(0, self.case.vnis, 200):
            items = []
            for n in range(begin, min(begin + 200, self.case.vnis)):
                encap = harness.encap(None, 1 + n) if self.case.vnis <= VLANS else \
                    harness.encap(None, 1 + n // VLANS, 1 + n % VLANS)
                items.append(harness.item("network", harness.Network(n + 1, n + 1, 0, 0, flags, 0)))
                items.append(harness.item("attachment", harness.Attachment(
                    n + 1, n + 1, 1, encap, True, (0, 0, 0), 0, (harness.u32 * 3)(*[harness.UNLIMITED] * 3))))
                items.append(harness.item("vni", harness.Vni(n + 1, 1, n + 1, n + 1, harness.to_ip(None), True, False,
                                                             False, 0, 0)))
            self.dp.client.declare(*items)

    def measured(self):
        return {"stages": {s["name"]: s["cycles_per_packet"] for s in self.dp.query("stage") if s["packets"]},
                "drops": self.dp.drops()}

    def pause(self):
        self.dp.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.dp.process.send_signal(signal.SIGCONT)

    def stop(self):
        self.go_on()
        self.dp.stop()


def remotes_of(case):
    theirs = addresses(case)[1]
    address = harness.ipaddress.ip_address(theirs)
    return [str(address + i) for i in range(max(case.remotes, 1))]


class Ovs(Gateway):
    """Open vSwitch 3.1 with DPDK, as its manual and its mailing list tune it: one PMD thread on the gateway's CPU, a
    flow cache and MAC table that hold the case, revalidators that neither expire nor trim while it runs."""
    name, memory = "ovs", 1400
    tx_queues = 2  # the PMD thread's, and the main thread's

    def prepare(self):
        self.netns = f"vgwbench-ovs-{os.getpid()}"
        run("ip", "netns", "add", self.netns)
        self.enter = ("ip", "netns", "exec", self.netns)

    def start(self):
        self.environment = os.environ | {f"OVS_{v}": self.directory for v in ("RUNDIR", "LOGDIR", "DBDIR")}
        run(*self.enter, "ip", "link", "set", "lo", "up")
        db, self.socket = f"{self.directory}/conf.db", f"unix:{self.directory}/db.sock"
        run("ovsdb-tool", "create", db, "/usr/share/openvswitch/vswitch.ovsschema")
        self.server = Process(f"{self.directory}/ovsdb.log", "ovsdb-server", db, f"--remote=p{self.socket}",
                              f"--unixctl={self.directory}/ovsdb.ctl", enter=self.enter, env=self.environment)
        wait_for(lambda: os.path.exists(f"{self.directory}/db.sock"), "ovsdb-server")
        self.vsctl("--no-wait", "init")
        self.vsctl("--no-wait", "set", "Open_vSwitch", ".", "other_config:dpdk-init=true",
                   f"other_config:pmd-cpu-mask={1 << GATEWAY_CPU:#x}", f"other_config:dpdk-lcore-mask={1 << GENERATOR_CPU:#x}",
                   "other_config:dpdk-socket-mem=1024", "other_config:flow-limit=1000000",
                   "other_config:max-idle=3600000", "other_config:max-revalidator=3600000",
                   "other_config:n-revalidator-threads=1", "other_config:n-handler-threads=1",
                   "other_config:smc-enable=true" if self.case.flows > 8192 else "other_config:smc-enable=false",
                   "other_config:dpdk-extra=--in-memory --single-file-segments --no-pci --no-telemetry")
        self.process = Process(f"{self.directory}/log", OVS, self.socket,
                               f"--unixctl={self.directory}/ovs.ctl", enter=self.enter, env=self.environment | KEEP_MEMORY)
        wait_for(lambda: os.path.exists(f"{self.directory}/ovs.ctl"), "ovs-vswitchd", 60)
        self.configure()

    def vsctl(self, *arguments):
        return run("ovs-vsctl", f"--db={self.socket}", "--timeout=120", *arguments, env=self.environment)

    def appctl(self, *arguments):
        return run("ovs-appctl", "-t", f"{self.directory}/ovs.ctl", *arguments, env=self.environment)

    def memif(self, number, socket):
        return ["--", "set", "interface", f"memif{number}", "type=dpdk", f"options:n_rxq_desc={RING}",
                f"options:n_txq_desc={RING}", "mtu_request=9000",
                f"options:dpdk-devargs=net_memif{number},id=0,role=client,zero-copy=yes,socket-abstract=no,"
                f"socket={socket},rsize=11"]

    def configure(self):
        case = self.case
        macs = f"other_config:mac-table-size={max(4 * case.flows, 65536) if case.new_macs == 0 else 1000000}"
        self.vsctl("add-br", "br", "--", "set", "bridge", "br", "datapath_type=netdev", macs,
                   "other_config:mac-aging-time=3600",
                   *(("--", "add-br", "wire", "--", "set", "bridge", "wire", "datapath_type=netdev",
                      f'other_config:hwaddr="{RIGHT_MAC}"') if not case.local else ()))
        self.vsctl("add-port", "br", "memif1", *self.memif(1, self.left),
                   "--", "add-port", "br" if case.local else "wire", "memif2", *self.memif(2, self.right))
        if not case.local:
            self.tunnels()

    def tunnels(self):
        case = self.case
        ours, _, length = addresses(case)
        run(*self.enter, "ip", "address", "add", f"{ours}/{length}", "dev", "wire", *(["nodad"] if case.ipv6 else []))
        run(*self.enter, "ip", "link", "set", "wire", "up")
        commands = []
        if case.vnis == 1:
            for i, r in enumerate(remotes_of(case)):
                commands += ["--", "add-port", "br", f"vx{i}", "--", "set", "interface", f"vx{i}", "type=vxlan",
                             f"options:remote_ip={r}", f"options:local_ip={ours}", "options:key=1"]
        else:
            for n in range(case.vnis):
                commands += ["--", "add-port", "br", f"vx{n}", f"tag={n + 1}", "--", "set", "interface", f"vx{n}",
                             "type=vxlan", f"options:remote_ip={remotes_of(case)[0]}", f"options:local_ip={ours}",
                             f"options:key={n + 1}"]
        self.vsctl(*commands[1:])
        for r in remotes_of(case):
            wait_for(lambda: "OK" in self.appctl("tnl/neigh/set", "wire", r, OUTER_MAC), "a neighbour of OVS")

    def pause(self):
        self.process.pause()

    def go_on(self):
        self.process.go_on()

    def stop(self):
        for process in ("process", "server"):
            if hasattr(self, process):
                getattr(self, process).stop()
        run("ip", "netns", "delete", self.netns)


class Linux(Gateway):
    """The kernel's bridge and VXLAN in a namespace of its own, on veth pairs whose receive work is steered to the
    gateway's CPU."""
    name = "linux"

    def __init__(self, case, directory):
        super().__init__(case, directory)
        self.left, self.right = "netdev:vgwb-left", "netdev:vgwb-right"

    def ip(self, *arguments):
        return run("ip", "-n", self.netns, *arguments)

    def start(self):
        """Before the generator: its ports are the other ends."""

    def prepare(self):
        self.netns = f"vgwbench-linux-{os.getpid()}"
        run("ip", "netns", "add", self.netns)
        for side in ("left", "right"):
            run("ip", "link", "add", f"vgwb-{side}", "mtu", 2100, "type", "veth", "peer", "name", side, "mtu", 2100,
                "netns", self.netns)
            run("sysctl", "-qw", f"net.ipv6.conf.vgwb-{side}.disable_ipv6=1")
            self.ip("link", "set", side, "up")
            run("ip", "link", "set", f"vgwb-{side}", "up")
            run("ip", "netns", "exec", self.netns, "sh", "-c",
                f"echo {1 << GATEWAY_CPU:x} > /sys/class/net/{side}/queues/rx-0/rps_cpus")
        self.configure()

    def configure(self):
        case = self.case
        ours, _, length = addresses(case)
        lines = []
        if case.local:
            lines = self.bridge("br0", "left", "right")
        else:
            self.ip("link", "set", "right", "address", RIGHT_MAC)
            self.ip("address", "add", f"{ours}/{length}", "dev", "right")
            for r in remotes_of(case):
                self.ip("neigh", "replace", r, "lladdr", OUTER_MAC, "dev", "right", "nud", "permanent")
            for n in range(1, case.vnis + 1):
                inside = "left" if case.vnis == 1 else f"left.{n}"
                if case.vnis > 1:
                    lines += [f"link add link left name {inside} type vlan id {n}", f"link set {inside} up"]
                lines += [f"link add vx{n} type vxlan id {n} dstport 4789 local {ours}", f"link set vx{n} up",
                          *self.bridge(f"br{n}", inside, f"vx{n}")]
        run("ip", "-n", self.netns, "-batch", "-", input="\n".join(lines) + "\n")
        if not case.local:
            run("bridge", "-n", self.netns, "-batch", "-", input="".join(
                f"fdb append 00:00:00:00:00:00 dev vx{n} dst {r} self\n"
                for n in range(1, case.vnis + 1) for r in remotes_of(case)))

    @staticmethod
    def bridge(name, *members):
        """A bridge and VXLAN device a network: no bridge of the kernel's knows more than 4,094 of them."""
        return [f"link add name {name} type bridge ageing_time 360000 mcast_snooping 0", f"link set {name} up",
                *(f"link set {m} master {name}" for m in members)]

    def pause(self):
        pass

    go_on = pause

    def stop(self):
        run("ip", "netns", "delete", self.netns)


__all__ = ["BUILD", "GATEWAYS", "Failure"]
GATEWAYS = {g.name: g for g in (Ceiling, Vgw, Ovs, Linux)}

