#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""TCP between two hosts across VXLAN: two vgw leaves beside two Linux bridges with VXLAN, in turn, same hosts.

Offloads are off at every veth, so both carry the same frames of at most the MTU.
"""
import argparse
import json
import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "test/lib"))
from topology import Topology, wait_for  # noqa: E402


def site(t):
    spaces = [t.namespace(n) for n in ("a", "left", "right", "b")]
    a, left, right, b = spaces
    t.wire(a, "eth0", left, "host")
    t.wire(left, "under", right, "under")
    t.wire(b, "eth0", right, "host")
    for i, h in enumerate((a, b), 1):
        h.ip("link", "set", "eth0", "mtu", "1450")
        h.address("eth0", f"10.0.0.{i}/24")
    return spaces


def linux(t):
    a, left, right, b = site(t)
    for leaf, i, j in ((left, 1, 2), (right, 2, 1)):
        leaf.address("under", f"192.0.2.{i}/24")
        leaf.ip("link", "add", "vx", "type", "vxlan", "id", "1", "local", f"192.0.2.{i}", "remote", f"192.0.2.{j}",
                "dstport", "4789")
        leaf.ip("link", "add", "br0", "type", "bridge")
        for d in ("vx", "host"):
            leaf.ip("link", "set", d, "master", "br0")
        leaf.up("vx", "br0")
    return a, b


def vgw(t, driver):
    a, left, right, b = site(t)
    for leaf, i, j in ((left, 1, 2), (right, 2, 1)):
        t.gateway(leaf, f"vgw{i}").configure(f"""
            set port host device netdev:host driver {driver}
            set port under device netdev:under driver {driver}
            set vfabric v id 1
            set vfabric v network n id 1 attachment h port host
            set vfabric v vrouter r interface under port under address 192.0.2.{i}/24
            set vfabric v vrouter r vtep e local-address 192.0.2.{i} remote 192.0.2.{j}
            set vfabric v vrouter r vtep e vni 1 network n
        """)
    return a, b


def rate(t, a, b, seconds):
    """Mbit/s."""
    a.wait_ping("10.0.0.2")
    b.start("iperf3", "-s", "-1", "-B", "10.0.0.2", log=t.directory / "iperf3.log")
    wait_for(lambda: "10.0.0.2:5201" in b.run("ss", "-ltn").stdout, "iperf3 to listen")
    out = a.run("iperf3", "-c", "10.0.0.2", "-t", seconds, "-J", timeout=seconds + 30).stdout
    return json.loads(out)["end"]["sum_received"]["bits_per_second"] / 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    o = parser.parse_args()
    cases = {"linux": linux, "vgw af-xdp": lambda t: vgw(t, "af-xdp"), "vgw af-packet": lambda t: vgw(t, "af-packet")}
    rates = {name: [] for name in cases}
    for _ in range(o.rounds):
        for name, build in cases.items():
            with Topology("tcp") as t:
                rates[name].append(rate(t, *build(t), o.seconds))
    base = statistics.median(rates["linux"])
    print(f"{'forwarder':<16}{'median':>14}{'max':>14}{'of linux':>10}")
    for name, values in rates.items():
        m = statistics.median(values)
        print(f"{name:<16}{m:>7.0f} Mbit/s{max(values):>7.0f} Mbit/s{m / base:>10.2f}")


if __name__ == "__main__":
    main()
