# SPDX-License-Identifier: Apache-2.0
"""The gateways that vgw is measured beside: bare I/O (the ceiling), Open vSwitch with DPDK, the Linux kernel."""
from .cases import (IRB_MAC, LEFT_NETWORK, OUTER_MAC, RIGHT_MAC, RIGHT_NETWORK, addresses, left_hosts, next_hop,
                    right_hosts)
from .gateway import KEEP_MEMORY, RING, Gateway, full_table, os, remotes_of, run, wait_for
from .machine import Process, gateway_cpus, helper_cpu

OVS = "/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk"  # the default one may be another
MANY = 8192  # flows that neither OVS's exact-match cache nor its handlers' queues hold


def dotted(address):
    return ".".join(map(str, address))


def colons(mac):
    return ":".join(f"{b:02x}" for b in mac)


class Ceiling(Gateway):
    name, memory = "ceiling", 384

    def start(self):
        workers = gateway_cpus(self.case)
        memif = [f"--vdev=net_memif{i},id=0,role=client,zero-copy=yes,socket-abstract=no,socket={s},rsize=11"
                 for i, s in enumerate((self.left, self.right))]
        lcores = ",".join(f"{i}@{cpu}" for i, cpu in enumerate(workers, 1))
        self.process = Process(f"{self.directory}/log", "dpdk-testpmd", f"--lcores=0@{helper_cpu(self.case)},{lcores}",
                               "--main-lcore=0", "--in-memory", "--single-file-segments", "--no-pci", "--no-telemetry",
                               "-m256", *memif, "--", "--forward-mode=io", "--auto-start", "--burst=64",
                               f"--rxq={len(workers)}", f"--txq={len(workers)}", f"--nb-cores={len(workers)}",
                               f"--rxd={RING}", f"--txd={RING}", "--no-lsc-interrupt", "--total-num-mbufs=16384",
                               env=os.environ | KEEP_MEMORY)


class Ovs(Gateway):
    """Open vSwitch 3.1 with DPDK, as its manual and its mailing list tune it: one PMD thread on each of the gateway's
    CPUs, a flow cache and MAC table that hold the case, revalidators paused while it runs; many flows are taught slowly,
    so that each has its entry in the datapath before it is measured. Routing is by explicit flows."""
    name, memory = "ovs", 1400
    tx_queues = 2  # the PMD thread's, and the main thread's

    def __init__(self, case, directory):
        super().__init__(case, directory)
        self.tx_queues = case.workers + 1
        if case.flows > MANY:
            self.teach_pps = 40000

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
        mask = sum(1 << cpu for cpu in gateway_cpus(self.case))
        many = self.case.flows > MANY
        self.vsctl("--no-wait", "set", "Open_vSwitch", ".", "other_config:dpdk-init=true",
                   f"other_config:pmd-cpu-mask={mask:#x}", f"other_config:dpdk-lcore-mask={1 << helper_cpu(self.case):#x}",
                   "other_config:dpdk-socket-mem=1024", "other_config:flow-limit=2000000",
                   "other_config:max-idle=3600000", "other_config:max-revalidator=3600000",
                   "other_config:n-revalidator-threads=1", "other_config:n-handler-threads=1",
                   f"other_config:smc-enable={'true' if many else 'false'}",
                   f"other_config:emc-insert-inv-prob={0 if many else 1}",
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
                f"options:n_txq_desc={RING}", f"options:n_rxq={self.case.workers}", "mtu_request=9000",
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
        if case.routed:
            self.flows()
        if case.new_macs == 0:
            self.calm()

    def calm(self):
        """Nothing changes any more once flows are taught: the datapath may keep all it gets, and nobody looks through it.
        Its own limit would begin at 10,000 flows and rise by 1,000 a look."""
        self.appctl("upcall/set-flow-limit", "2000000")
        self.appctl("revalidator/pause")

    def tunnels(self):
        case = self.case
        ours, _, length = addresses(case)
        run(*self.enter, "ip", "address", "add", f"{ours}/{length}", "dev", "wire", *(["nodad"] if case.ipv6 else []))
        run(*self.enter, "ip", "link", "set", "wire", "up")
        commands = []
        for n in range(max(case.vnis, case.copies)):
            remote = remotes_of(case)[n if case.vnis == 1 else 0]
            commands += ["--", "add-port", "br", f"vx{n}", *([f"tag={n + 1}"] if case.vnis > 1 else []),
                         "--", "set", "interface", f"vx{n}", "type=vxlan", f"options:remote_ip={remote}",
                         f"options:local_ip={ours}", f"options:key={n % case.vnis + 1}"]
        self.vsctl(*commands[1:])
        for r in remotes_of(case):
            wait_for(lambda: "OK" in self.appctl("tnl/neigh/set", "wire", r, OUTER_MAC), "a neighbour of OVS")

    def flows(self):
        """Each host's next hop: what an OpenFlow controller of a router would say."""
        right = "memif2" if self.case.local else "vx0"
        lines = [f"table=0,priority=10,in_port={i},ip,dl_dst={IRB_MAC},nw_dst={dotted(address)},"
                 f"actions=mod_dl_src:{IRB_MAC},mod_dl_dst:{colons(mac)},dec_ttl,output:{o}"
                 for i, o, hosts in (("memif1", right, right_hosts), (right, "memif1", left_hosts))
                 for address, mac in hosts(self.case)]
        run("ovs-ofctl", "--bundle", "add-flows", f"unix:{self.directory}/br.mgmt", "-", env=self.environment,
            input="\n".join(["table=0,priority=0,actions=drop", *lines]) + "\n")

    def measured(self):
        """How many flows its datapath has, and how it found them."""
        return {"datapath": self.appctl("upcall/show") + self.appctl("dpif-netdev/pmd-stats-show")}

    def stop(self):
        for process in ("process", "server"):
            if hasattr(self, process):
                getattr(self, process).stop()
        run("ip", "netns", "delete", self.netns)


class Linux(Gateway):
    """The kernel's bridge and VXLAN in a namespace of its own, on veth pairs whose receive work is steered to the
    gateway's CPU."""
    name = "linux"
    teach_pps = 100000

    def __init__(self, case, directory):
        super().__init__(case, directory)
        self.left, self.right = "netdev:vgwb-left", "netdev:vgwb-right"

    def ip(self, *arguments):
        return run("ip", "-n", self.netns, *arguments)

    def start(self):
        """Before the generator: its ports are the other ends."""

    def pid(self):
        return None

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
                f"echo {1 << gateway_cpus(self.case)[0]:x} > /sys/class/net/{side}/queues/rx-0/rps_cpus")
        self.configure()

    def configure(self):
        case = self.case
        ours, _, length = addresses(case)
        lines = []
        if not case.local:
            self.ip("link", "set", "right", "address", RIGHT_MAC)
            self.ip("address", "add", f"{ours}/{length}", "dev", "right")
            for r in remotes_of(case):
                self.ip("neigh", "replace", r, "lladdr", OUTER_MAC, "dev", "right", "nud", "permanent")
            for n in range(1, case.vnis + 1):
                lines += [f"link add vx{n} type vxlan id {n} dstport 4789 local {ours}", f"link set vx{n} up"]
        if case.routed:
            lines += self.bridge("br1", "left") + self.bridge("br2", "right" if case.local else "vx1")
        elif case.vnis == 1:
            lines += self.bridge("br1", "left", "right" if case.local else "vx1")
        else:
            for n in range(1, case.vnis + 1):
                lines += [f"link add link left name left.{n} type vlan id {n}", f"link set left.{n} up",
                          *self.bridge(f"br{n}", f"left.{n}", f"vx{n}")]
        self.batch(lines)
        if not case.local:
            run("bridge", "-n", self.netns, "-batch", "-", input="".join(
                f"fdb append 00:00:00:00:00:00 dev vx{n} dst {r} self\n"
                for n in range(1, case.vnis + 1) for r in remotes_of(case)))
        if case.routed:
            self.route()

    def route(self):
        run(*("ip", "netns", "exec", self.netns, "sysctl", "-qw", "net.ipv4.ip_forward=1"))
        lines = [f"link set br{i} address {IRB_MAC}" for i in (1, 2)]
        lines += [f"address add {LEFT_NETWORK} dev br1", f"address add {RIGHT_NETWORK} dev br2"]
        lines += [f"neigh replace {dotted(address)} lladdr {colons(mac)} dev br{i} nud permanent"
                  for i, hosts in ((1, left_hosts), (2, right_hosts)) for address, mac in hosts(self.case)]
        if self.case.full_table:
            lines += [f"route replace {dotted(p[4:8])}/{p[20]} via {dotted(next_hop(p[4]))} dev br2"
                      for p in full_table(self.case)]
        self.batch(lines)

    def batch(self, lines):
        run("ip", "-n", self.netns, "-batch", "-", input="\n".join(lines) + "\n")

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
