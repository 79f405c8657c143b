#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What one leaf holds, and how fast: a row for each promise, with what was measured.

                              +--------------- leaf: vgw-dataplane --------------+
    left: eth0 --- left0 ---- | network 1 ... VTEP 192.0.2.1 on vrouter underlay | --- a0 --- hop-a :core
    (scale_probe sends)       +--------------------------------------------------+ --- b0 --- hop-b :core
                                                                        (scale_probe listens)

The data plane is the real one. What declares millions of objects to it is scale_client: control's own dpsync over a
configuration made up as it is walked. The rows about the store are vgw-control's own, SQLite, RESTCONF and all.

    scale.py [--small] [--times N] [networks|macs|tunnels|store|vrouters|namespaces|kernel|full ...]

--small: a hundredth of everything, to see that it works. --times 10 namespaces: ten thousand. Without names: all but
full.
"""
import argparse
import os
import pathlib
import signal
import sqlite3
import statistics
import struct
import sys
import time

TEST = pathlib.Path(__file__).resolve().parents[2] / "test"
sys.path[:0] = [str(TEST / name) for name in ("lib", "system")]
from dataplane_api import SocketClient, harness  # noqa: E402
from many import TARGETS, Helper, Many, Probe, wires  # noqa: E402
from topology import BUILD, Topology, run, wait_for  # noqa: E402

GIB = 1 << 30


def cpu_seconds(pid):
    """What a program's first thread has had of a CPU (proc(5), schedstat)."""
    return int(pathlib.Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0]) / 1e9


class Table:
    """promise | measured | met"""

    def __init__(self):
        self.missed = 0

    def head(self, text):
        print(f"\n{text}\n{'promise':58} {'measured':>24}  met", flush=True)

    def row(self, promise, measured, met):
        self.missed += met is False
        print(f"{promise:58} {measured:>24}  {'' if met is None else 'yes' if met else 'NO'}", flush=True)


class Leaf:
    """The drawing above. Without control: a data plane, and scale_client in its place."""

    def __init__(self, t, control=False):
        self.t = t
        self.left, self.leaf, self.core = (t.namespace(n) for n in ("left", "leaf", "core"))
        wires(t, self.left, self.leaf, self.core)
        self.gw = t.gateway(self.leaf, "vgw", control=control)
        self.client = None
        self.cpu_used = 0

    def cpu(self):
        return cpu_seconds(self.gw.process_id("dataplane")), cpu_seconds(self.client.process.pid)

    def declare(self, networks, macs=16, tunnels=1, *tenants):
        """Seconds and objects. In self.cpu_used: CPU seconds of the busier of the two programs, which is what it takes
        where each has a core for itself.
        """
        numbers = (networks, macs, tunnels, *tenants)  # as scale_client has them
        before = self.cpu() if self.client else (0, 0)
        if self.client is None:
            self.client = Helper(self.t, "scale_client", self.gw.dataplane_socket, *numbers)
            answer = self.client.read()
        else:
            answer = self.client.ask(" ".join(map(str, numbers)))
        now = self.cpu()
        self.cpu_used = max(now[i] - before[i] for i in range(len(now)))
        if answer[3] != "0":
            raise RuntimeError(f"{answer[3]} objects were refused: see {self.gw.directory}/dataplane.log")
        return float(answer[1]), int(answer[2])

    def probe(self, pps=2000, **options):
        return Probe(self.t, self.left, self.core, pps, **options)

    def memory(self, of="dataplane"):
        """Bytes of memory that a program of the gateway has."""
        for line in pathlib.Path(f"/proc/{self.gw.process_id(of)}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise RuntimeError("no VmRSS")

    def wait_forwarding(self, probe):
        wait_for(lambda: probe.report()["lost"] == 0, "frames to cross", timeout=30, interval=0.2)


def gib(size):
    return f"{size / GIB:.2f} GiB"


def networks(table, scale):
    """All VNIs of a VTEP, each with a network of its own."""
    count = int((1 << 24) * scale)
    table.head(f"{count:,} networks, each with its VNI")
    with Topology("scale") as t:
        leaf = Leaf(t)
        leaf.declare(16)
        probe = leaf.probe()
        leaf.wait_forwarding(probe)
        before = leaf.memory()
        probe.report()
        time.sleep(5)
        quiet = probe.report()
        seconds, objects = leaf.declare(count)
        busy = probe.report()
        memory = leaf.memory()
        table.row("memory of the data plane <= 4 GiB", gib(memory), memory <= 4 * GIB)
        table.row("... of which a network and its VNI", f"{(memory - before) / count:.0f} bytes", None)
        table.row("declared over control's path in <= 90 s", f"{seconds:.1f} s (CPU {leaf.cpu_used:.1f})",
                  seconds <= 90)
        table.row("... objects a second", f"{objects / seconds:,.0f}", None)
        table.row("frames lost meanwhile: none", f"{busy['lost']:.0f} of {busy['sent']:,.0f}", busy["lost"] == 0)
        table.row("... 99.9 % of them crossed within", f"{busy['p999']:.2f} ms (quiet: {quiet['p999']:.2f})", None)
        seconds, objects = leaf.declare(count)
        table.row("all declared once more (restart of control)", f"{seconds:.1f} s", None)
        seconds, objects = leaf.declare(16)
        busy = probe.report()
        table.row("all but 16 removed again", f"{seconds:.1f} s", None)
        table.row("frames lost meanwhile: none", f"{busy['lost']:.0f} of {busy['sent']:,.0f}", busy["lost"] == 0)
        probe.close()


def outage(leaf, probe, device):
    """Takes a wire down for a second: what the probe says, and, on its return, the same again."""
    def spread():
        r = probe.report()
        return r["lost"] == 0 and r["a"] > 0 and r["b"] > 0

    reports = []
    for state in ("down", "up"):
        wait_for(spread if state == "down" else lambda: True, "flows by both next hops", timeout=30, interval=0.3)
        leaf.core.ip("link", "set", f"hop-{device}", state)
        time.sleep(1)
        reports.append(probe.report())
    return reports


def tunnels(table, scale):
    """An underlay next hop that all tunnels use, and a tunnel that a million MACs are behind."""
    count, macs = int(65536 * scale) or 1, int(1000000 * scale)
    with Topology("scale") as t:
        leaf = Leaf(t)
        for title, numbers, step in ((f"{count:,} tunnels", (16, count, count), 16),
                                     (f"{macs:,} MACs behind one tunnel", (16, macs, 1), 16)):
            table.head(title)
            seconds, _ = leaf.declare(*numbers)
            table.row("declared", f"{seconds:.2f} s", None)
            flows = min(256, numbers[1] // step)
            probe = leaf.probe(pps=10000, flows=flows, step=numbers[1] // flows // 16 * 16)
            leaf.wait_forwarding(probe)
            for device in "ab":
                down, up = outage(leaf, probe, device)
                table.row(f"loss of next hop {device} moves in < 50 ms", f"{down['outage']:.2f} ms",
                          down["outage"] < 50)
                table.row("... frames lost when it came back", f"{up['lost']:.0f} of {up['sent']:,.0f}", None)
            probe.close()


def static_macs(table, scale):
    """Insertions from control."""
    count = int(8000000 * scale)
    table.head(f"{count:,} static MACs from control, in 1,000 networks")
    with Topology("scale") as t:
        leaf = Leaf(t)
        leaf.declare(1000)
        before = leaf.memory()
        seconds, objects = leaf.declare(1000, count, 16)
        rate = count / leaf.cpu_used
        table.row("insertions a second of CPU time >= 2,000,000", f"{rate:,.0f}", rate >= 2000000)
        table.row("... by the clock, beside what else runs here", f"{count / seconds:,.0f}", None)
        table.row("memory of each, as an object of control", f"{(leaf.memory() - before) / count:.0f} bytes", None)


def learned_macs(table, scale):
    """scale_macs: the whole data plane in one process, with DPDK's null device for ports."""
    count = int(32000000 * scale)
    table.head(f"{count:,} MACs learned from packets, aged, flushed (scale_macs)")
    out = run(BUILD / "bench/scale_macs", "--macs", count, timeout=600).stdout
    value = {}
    for line in out.splitlines():
        name, number, _ = line.split("\t")
        value[name] = float(number)
    table.row("memory of the FDB <= 1.5 GiB", f"{value['FDB: memory']:.2f} GiB", value["FDB: memory"] <= 1.5)
    table.row("learned a second >= 500,000", f"{value['learning: MACs a second']:,.0f}",
              value["learning: MACs a second"] >= 500000)
    table.row("... a second of main's CPU time", f"{value['learning: MACs a second of CPU']:,.0f}", None)
    table.row("... all of them after", f"{value['learning: all after']:.1f} s", None)
    for what in ("learning", "ageing", "flushing"):
        pauses, quiet = (value[f"{w}: pauses over 1 ms"] for w in (what, "nothing"))
        table.row(f"{what}: pauses of a worker over 1 ms, a second", f"{pauses:.2f} (quiet: {quiet:.2f})",
                  pauses <= quiet)
        longest, quiet = (value[f"{w}: longest pause"] for w in (what, "nothing"))
        table.row("... the longest", f"{longest:.2f} ms (quiet: {quiet:.2f})", None)
    table.row("... half of them aged in", f"{value['ageing: seconds']:.1f} s", None)
    table.row("... the rest flushed in", f"{value['flushing: seconds']:.1f} s", None)


def macs(table, scale):
    static_macs(table, scale)
    learned_macs(table, scale)


def store(table, scale):
    """A configuration of a million networks, as vgw-control keeps and declares it."""
    count, commits = int(1000000 * scale), 31
    table.head(f"{count:,} networks, each with its VNI, in control's store")
    with Topology("scale") as t:
        leaf = Leaf(t, control=True)
        many = Many(leaf.gw)
        start = time.monotonic()
        many.grow(count)
        seconds = time.monotonic() - start
        table.row("imported, committed, declared, a second", f"{2 * count / seconds:,.0f} objects", None)
        probe = leaf.probe(pps=1000, flows=TARGETS)
        leaf.wait_forwarding(probe)
        times = []
        for _ in range(commits):
            start = time.monotonic()
            many.one_more()
            times.append((time.monotonic() - start) * 1e3)
            many.remove()
        median = statistics.median(times)
        table.row("one more network commits in <= 20 ms", f"{median:.1f} ms (worst {max(times):.1f})", median <= 20)
        many.wait_declared()
        probe.report()
        start = time.monotonic()
        many.restart_control()
        seconds = time.monotonic() - start
        time.sleep(0.5)
        r = probe.report()
        table.row("control restarts and declares all in <= 30 s", f"{seconds:.1f} s", seconds <= 30)
        table.row("frames lost meanwhile: none", f"{r['lost']:.0f} of {r['sent']:,.0f}", r["lost"] == 0)
        table.row("memory of control", gib(leaf.memory("control")), None)


def page_ms(client, kind, filter=0):
    """How long the data plane takes for the first page of a table."""
    start = time.monotonic()
    client.request(harness.message(harness.MESSAGES["query"],
                                   struct.pack("=IIQII", harness.QUERIES[kind], filter, 0, 0, 0)))
    return (time.monotonic() - start) * 1e3


def vrouters(table, scale):
    """Tenants that all have the same addresses: empty, with an interface each, with prefixes, with hosts."""
    count, prefixes, hosts = int(10000 * scale), int(1000000 * scale), int(4000000 * scale)
    networks = count + 16
    table.head(f"{count:,} vrouters, {prefixes:,} prefixes, {hosts:,} hosts")
    with Topology("scale") as t:
        leaf = Leaf(t)
        leaf.declare(networks)
        probe = leaf.probe()
        leaf.wait_forwarding(probe)
        first = memory = leaf.memory()
        for what, tenants, number, most in (
                ("vrouter, empty", (0, 0, 0, count), count, 4096),
                ("vrouter, with an interface on a network", (count, 0, 0), count, 16384),
                ("prefix", (count, prefixes, 0), prefixes, 1024),
                ("host", (count, prefixes, hosts), hosts, 1024)):
            probe.report()
            seconds, _ = leaf.declare(networks, 16, 1, *tenants)
            busy = probe.report()
            each, memory = (leaf.memory() - memory) / number, leaf.memory()
            table.row(f"memory of a {what} <= {most // 1024} KiB", f"{each:,.0f} bytes", each <= most)
            table.row("... declared, a second of CPU time", f"{number / leaf.cpu_used:,.0f}", None)
            table.row("... by the clock, with all that was there before", f"{seconds:.1f} s", None)
            table.row("frames lost meanwhile: none", f"{busy['lost']:.0f} of {busy['sent']:,.0f}", busy["lost"] == 0)
        table.row("memory of all vrouters, prefixes and hosts <= 4 GiB", gib(memory - first), memory - first <= 4 * GIB)
        client = SocketClient(str(leaf.gw.dataplane_socket))
        for kind in ("route", "neighbour"):
            last = client.query("vrouter")[-1]["id"]
            times = [max(page_ms(client, kind, of) for _ in range(5)) for of in (0, last)]
            table.row(f"a page of the {kind} table within 20 ms", f"{times[0]:.1f} ms", times[0] <= 20)
            table.row("... of one vrouter, whose are the last", f"{times[1]:.1f} ms", times[1] <= 20)
        client.close()
        probe.report()
        seconds, _ = leaf.declare(16)
        busy = probe.report()
        table.row("all removed again", f"{seconds:.1f} s", None)
        table.row("frames lost meanwhile: none", f"{busy['lost']:.0f} of {busy['sent']:,.0f}", busy["lost"] == 0)
        probe.close()


def kernel_memory():
    """What the kernel has for itself: slabs, stacks, page tables, per-CPU areas."""
    lines = dict(line.split(":") for line in pathlib.Path("/proc/meminfo").read_text().splitlines())
    return sum(int(lines[k].split()[0]) for k in ("Slab", "KernelStack", "PageTables", "Percpu")) * 1024


def namespaces(table, scale):
    """Vrouters with network namespaces, a TAP in each."""
    count = max(int(1000 * scale), 10)
    table.head(f"{count:,} vrouters with network namespaces, a TAP in each")
    with Topology("scale") as t:
        leaf = Leaf(t)
        leaf.declare(count + 16)
        probe = leaf.probe()
        leaf.wait_forwarding(probe)
        kernel, own = kernel_memory(), leaf.memory()
        probe.report()
        start = time.monotonic()
        leaf.declare(count + 16, 16, 1, count, 0, 0, 0, 1)

        def made():
            names = [n for n in os.listdir("/run/netns") if n.startswith(f"{t.prefix}-vgw-")]
            return len(names) == count
        wait_for(made, "all namespaces", timeout=1800, interval=0.2)
        seconds = time.monotonic() - start
        busy = probe.report()
        table.row("made, each", f"{seconds / count * 1e3:.1f} ms", None)
        table.row("... of the kernel's memory, each", f"{(kernel_memory() - kernel) / count / 1024:,.0f} KiB", None)
        table.row("... of the data plane's, each", f"{(leaf.memory() - own) / count / 1024:,.1f} KiB", None)
        table.row("frames lost meanwhile: none", f"{busy['lost']:.0f} of {busy['sent']:,.0f}", busy["lost"] == 0)
        start = time.monotonic()
        leaf.declare(16)
        table.row("removed again, each", f"{(time.monotonic() - start) / count * 1e3:.1f} ms", None)
        probe.close()


def batch(file, count):
    """Routes as ip(8) reads them."""
    file.write_text("".join(f"route add {20 + (i >> 16)}.{i >> 8 & 255}.{i & 255}.0/24 via 10.1.0.2 proto 186\n"
                            for i in range(count)))


def kernel(table, scale):
    """Routes of a daemon, by netlink, and how the management API shows so many."""
    count = int(1000000 * scale)
    table.head(f"{count:,} routes put into a vrouter's network namespace")
    with Topology("scale") as t:
        leaf = Leaf(t, control=True)
        many = Many(leaf.gw)
        many.wait_declared()
        netns = f"{t.prefix}-vgw-many-underlay"
        wait_for(lambda: "10.1.0.1" in run("ip", "-n", netns, "address", "show", "a0").stdout, "the TAP")
        batch(t.directory / "batch", count)
        probe = leaf.probe()
        leaf.wait_forwarding(probe)
        memory, before = leaf.memory(), cpu_seconds(leaf.gw.process_id("dataplane"))
        probe.report()
        start = time.monotonic()
        run("ip", "-n", netns, "-batch", t.directory / "batch", timeout=600)
        written = time.monotonic() - start

        def routes():
            return next(v["routes"] for v in leaf.gw.show("vrouters") if v["name"] == "underlay")
        wait_for(lambda: routes() > count, "all routes", timeout=600, interval=0.2)
        seconds = time.monotonic() - start
        cpu = cpu_seconds(leaf.gw.process_id("dataplane")) - before
        busy = probe.report()
        table.row("routes a second by netlink, while forwarding", f"{count / seconds:,.0f}", None)
        table.row("... ip(8) wrote them into the kernel at", f"{count / written:,.0f}", None)
        table.row("... a second of the data plane's CPU time", f"{count / cpu:,.0f}", None)
        table.row("memory of each", f"{(leaf.memory() - memory) / count:.0f} bytes", None)
        table.row("frames lost meanwhile: none", f"{busy['lost']:.0f} of {busy['sent']:,.0f}", busy["lost"] == 0)
        show(table, leaf, count)
        probe.close()


def show(table, leaf, count):
    memory = leaf.memory("control")
    for words, what, most in ((("limit", "20"), "the first 20", 1), (("prefix", "20.0.0.0/24"), "one, by its prefix", 60),
                              ((), "all", 60)):
        start = time.monotonic()
        lines = leaf.gw.vgw("show", "routes", *words, timeout=600).stdout.count("\n")
        seconds = time.monotonic() - start
        table.row(f"vgw show routes: {what}, in <= {most} s", f"{seconds:.2f} s, {lines:,} lines", seconds <= most)
    grown = leaf.memory("control") - memory
    table.row("control's memory grew by <= 32 MiB", f"{grown / (1 << 20):.1f} MiB", grown <= 32 << 20)


def fill(file, count):
    """Rows of networks and VNIs 2 .. count - 1 straight into a store that has the first two: importing so many takes an
    hour. What refers to what is left out: declaring does not ask for it.
    """
    db = sqlite3.connect(file, isolation_level=None)
    db.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-1000000")
    db.execute("BEGIN")
    for list_, parent, path, data in (
            ("/vfabric/network", "/vgw:vfabric=many", "/network=n%08d", '{"name":"n%08d","id":%d}'),
            ("/vfabric/vrouter/vtep/vni", "/vgw:vfabric=many/vrouter=underlay/vtep=out", "/vni=%d",
             '{"vni":%d,"network":"n%08d"}')):
        db.execute(
            "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) "
            "INSERT INTO entry(parent, revision, path, kind, data) "
            "SELECT (SELECT id FROM entry WHERE path = ?2), 2, printf(?2 || ?3, i), ?4, printf(?5, i, i) FROM n",
            (count - 1, parent, path, list_, data))
    db.execute("COMMIT")
    db.close()


def full(table, scale):
    """All VNIs of a VTEP in a store of vgw-control's own: 9 GiB of disk, some minutes to fill."""
    count = int((1 << 24) * scale) - 1
    table.head(f"{count:,} networks, each with its VNI, in control's store")
    with Topology("scale") as t:
        leaf = Leaf(t, control=True)
        many = Many(leaf.gw)
        many.grow(2)
        leaf.gw.kill("control", signal.SIGTERM)
        fill(leaf.gw.directory / "config.db", count)
        probe = leaf.probe()
        leaf.wait_forwarding(probe)
        start = time.monotonic()
        leaf.gw.start_control()
        many.wait_declared(timeout=900)
        seconds = time.monotonic() - start
        cpu = cpu_seconds(leaf.gw.process_id("control"))
        r = probe.report()
        table.row("control declares all in <= 90 s of CPU time", f"{cpu:.1f} s", cpu <= 90)
        table.row("... by the clock, beside what else runs here", f"{seconds:.1f} s", None)
        table.row("frames lost meanwhile: none", f"{r['lost']:.0f} of {r['sent']:,.0f}", r["lost"] == 0)
        table.row("memory of the data plane <= 4 GiB", gib(leaf.memory()), leaf.memory() <= 4 * GIB)
        table.row("memory of control", gib(leaf.memory("control")), None)


PARTS = {"networks": networks, "macs": macs, "tunnels": tunnels, "store": store, "vrouters": vrouters,
         "namespaces": namespaces, "kernel": kernel}
ON_DEMAND = {"full": full}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--times", type=float, default=1, metavar="N")
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS, *ON_DEMAND])
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("scale.py needs root, for network namespaces")
    table = Table()
    for name, part in (PARTS | ON_DEMAND).items():
        if name in (arguments.parts or PARTS):
            part(table, arguments.times * (0.01 if arguments.small else 1))
    print(f"\n{table.missed} promises were missed" if table.missed else "\nevery promise was kept")
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
