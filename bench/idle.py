#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What an idle gateway costs, and how fast it wakes.

Two hosts on one leaf, by each kind of kernel-facing port. Idle: CPU time of the data plane's threads over some seconds
without traffic, in percent of a core. Wake: round trip of single pings 200 ms apart (each finds the worker asleep, twice),
beside the same hosts on a Linux bridge in the same run; half of the difference of the medians is what one crossing adds.
"""
import argparse
import os
import pathlib
import re
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "test/lib"))
from topology import Topology  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")


def thread_seconds(pid):
    """CPU seconds of each thread, by name."""
    result = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        fields = (task / "stat").read_text().rsplit(")", 1)
        name = fields[0].split("(", 1)[1]
        values = fields[1].split()
        result[f"{name}/{task.name}"] = (int(values[11]) + int(values[12])) / TICKS
    return result


def round_trips(host, to, count):
    out = host.run("ping", "-n", "-c", count, "-i", "0.2", to, timeout=count).stdout
    return [float(x) * 1000 for x in re.findall(r"time=([\d.]+)", out)]


def bridge(t, pings):
    leaf, a, b = (t.namespace(n) for n in ("br0", "a", "b"))
    leaf.ip("link", "add", "br0", "type", "bridge")
    for i, h in enumerate((a, b), 1):
        t.wire(h, "eth0", leaf, f"p{i}")
        leaf.ip("link", "set", f"p{i}", "master", "br0")
        h.address("eth0", f"10.0.0.{i}/24")
    leaf.up("br0")
    a.wait_ping("10.0.0.2")
    return statistics.median(round_trips(a, "10.0.0.2", pings))


def gateway(t, kind, seconds, pings):
    leaf, a, b = (t.namespace(n) for n in ("leaf", "a", "b"))
    lines = ["set vfabric v id 1"]
    for i, h in enumerate((a, b), 1):
        if kind == "tap":
            lines.append(f"set port p{i} device tap:h{i} namespace {h.netns}")
        else:
            t.wire(h, f"h{i}", leaf, f"p{i}")
            lines.append(f"set port p{i} device netdev:p{i} driver {kind}")
        lines.append(f"set vfabric v network n id 1 attachment h{i} port p{i}")
    gw = t.gateway(leaf, "vgw")
    gw.configure("\n".join(lines))
    for i, h in enumerate((a, b), 1):
        h.address(f"h{i}", f"10.0.0.{i}/24")
    a.wait_ping("10.0.0.2")
    pid = gw.process_id("dataplane")
    before, begin = thread_seconds(pid), time.monotonic()
    time.sleep(seconds)
    after, length = thread_seconds(pid), time.monotonic() - begin
    shares = sorted((100 * (after[n] - before.get(n, 0)) / length for n in after), reverse=True)
    return shares[0], sum(shares), statistics.median(round_trips(a, "10.0.0.2", pings))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--pings", type=int, default=25)
    o = parser.parse_args()
    with Topology("idleb") as t:
        base = bridge(t, o.pings)
    print(f"{'port':<12}{'busiest thread':>16}{'whole process':>16}{'round trip':>14}{'added, one way':>16}")
    print(f"{'(bridge)':<12}{'':>16}{'':>16}{base:>11.0f} us")
    for kind in ("af-xdp", "af-packet", "tap"):
        with Topology("idle") as t:
            busiest, whole, trip = gateway(t, kind, o.seconds, o.pings)
        print(f"{kind:<12}{busiest:>14.1f} %{whole:>14.1f} %{trip:>11.0f} us{(trip - base) / 2:>13.0f} us", flush=True)


if __name__ == "__main__":
    main()
