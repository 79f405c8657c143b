# SPDX-License-Identifier: Apache-2.0
"""Throughput and latency of vgw beside bare I/O and its peers: docs/performance.md says how to read it.

Per case all gateways are made ready and paused; then they take turns, a window each, so that what the machine does
beside changes all of them alike. The figure of a gateway is the median of its windows.
"""
import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import shutil
import statistics
import sys
import tempfile
import time

from . import chart
from .cases import CASES, OUTER_MAC, RIGHT_MAC, addresses
from .gateways import BUILD, GATEWAYS, Failure as GatewayFailure
from .machine import Failure, Generator, PerfCounters, come_first, huge_pages, tsc_hz

WARM_SECONDS = 0.05
OTHER_MAX = 50  # frames of a window that a gateway says of its own: ARP, ND


class Contestant:
    """A gateway with its generator, ready for a case; paused."""

    def __init__(self, name, case, directory):
        self.name, self.case = name, case
        self.directory = f"{directory}/{name}"
        os.makedirs(self.directory, exist_ok=True)
        self.gateway = GATEWAYS[name](case, self.directory)
        ours, theirs, _ = addresses(case)
        self.windows, self.counters = [], {}
        try:
            self.gateway.prepare()
        except BaseException:
            self.gateway.stop()
            raise
        # The ceiling gets frames that are as long and as many, but nothing that depends on tags or tunnels.
        shown = dataclasses.replace(case, direction="wires", new_macs=0, remotes=0) if name == "ceiling" else case
        self.generator = Generator(BUILD / "bench/vgw-generator", self.directory, self.gateway.left,
                                   self.gateway.right, shown, (RIGHT_MAC, ours), (OUTER_MAC, theirs),
                                   self.gateway.tx_queues, self.gateway.enter)
        try:
            self.wait_for_sockets()
            self.gateway.start()
            self.generator.answer(90)
            if name != "ceiling":
                self.generator.teach()
        except BaseException:
            self.stop()
            raise
        self.pause()

    def wait_for_sockets(self):
        if self.gateway.left.startswith("netdev:"):
            return
        for _ in range(6000):
            if os.path.exists(self.gateway.left) and os.path.exists(self.gateway.right):
                return
            if self.generator.process.poll() is not None:
                raise Failure("the generator ended: " + pathlib.Path(self.generator.log.name).read_text())
            time.sleep(0.01)
        raise Failure("the generator does not listen")

    def pause(self):
        self.generator.pause()
        self.gateway.pause()

    @contextlib.contextmanager
    def turn(self):
        self.gateway.go_on()
        self.generator.go_on()
        try:
            yield
        finally:
            self.pause()

    def window(self, seconds, counting):
        with self.turn():
            self.generator.window(WARM_SECONDS)
            counters = PerfCounters(seconds) if counting else None
            w = self.generator.window(seconds)
            found = counters.result() if counters else {}
        if w["wrong"] or w["other"] > OTHER_MAX:
            raise Failure(f"{self.name}, {self.case.name}: {w['wrong']} frames are wrong: {w['why']}; {w['other']} are none of "
                          "this case")
        if w["received"]:
            self.counters = {k: v / w["received"] for k, v in found.items()} or self.counters
        self.windows.append(w)

    def at_rate(self, seconds, pps):
        with self.turn():
            self.generator.window(WARM_SECONDS, pps)
            return self.generator.window(seconds, pps)

    def result(self):
        pps = [w["pps"] for w in self.windows]
        sent = sum(w["sent"] for w in self.windows) * max(self.case.remotes if self.name != "ceiling" else 1, 1)
        return {"pps": statistics.median(pps), "max": max(pps), "windows": pps,
                "cycles": tsc_hz() / statistics.median(pps) if statistics.median(pps) else None,
                "unordered": sum(w["unordered"] for w in self.windows),
                "lost": sent - sum(w["received"] for w in self.windows), "sent": sent, **self.counters}

    def stop(self):
        self.generator.go_on()
        with contextlib.suppress(Exception):
            self.gateway.go_on()
        self.generator.stop()
        with contextlib.suppress(AttributeError, AssertionError):  # it may not have come that far
            self.gateway.stop()


def measure(case, names, o):
    """{gateway: its result}, and what could not be measured, with the reason."""
    directory = tempfile.mkdtemp(prefix="vgwb-")
    contestants, failed, result = [], {}, {}
    try:
        for name in names:
            try:
                contestants.append(Contestant(name, case, directory))
            except (Failure, GatewayFailure, AssertionError, OSError) as e:
                failed[name] = str(e)
        for n in range(o.windows):
            for c in contestants:
                c.window(o.seconds, n == 0)
        for c in contestants:
            result[c.name] = c.result()
        for c in contestants:
            if c.name == "vgw":
                own = result["vgw"]["pps"] / max(case.remotes, 1)
                result["vgw"]["latency"] = c.at_rate(o.seconds, 0.80 * own)["us"]
                w = c.at_rate(o.loss_seconds, 0.95 * own)
                result["vgw"]["at 95 %"] = {"sent": w["sent"] * max(case.remotes, 1), "received": w["received"]}
                with c.turn():
                    result["vgw"].update(c.gateway.measured())
    finally:
        for c in contestants:
            c.stop()
        if not o.keep:
            shutil.rmtree(directory)
    return result, failed


def ratio(result, a, b):
    return result[a]["pps"] / result[b]["pps"] if a in result and b in result and result[b]["pps"] else None


def judge(case, result, before):
    """Of what the target speaks, and how much of it was reached."""
    if not case.target or "vgw" not in result:
        return None
    if case.like:
        other = before.get(case.like, {})
        return result["vgw"]["pps"] / other["vgw"]["pps"] if "vgw" in other else None
    return ratio(result, "vgw", "ceiling")


HEAD = (f"{'case':<40}{'ceiling':>9}{'vgw':>8}{'max':>8}{'ovs':>8}{'linux':>8}   {'/ceiling':>8}{'/ovs':>7}{'/linux':>8}"
        f"{'cycles':>8}{'99 % us':>9}{'lost 95 %':>11}  target")


def line(case, result, reached):
    def mpps(name, field="pps"):
        return f"{result[name][field] / 1e6:.2f}" if name in result else "-"

    def times(a, b):
        r = ratio(result, a, b)
        return f"{r:.2f}" if r is not None else "-"

    vgw = result.get("vgw", {})
    at95 = vgw.get("at 95 %")
    lost = f"{(at95['sent'] - at95['received']) / at95['sent']:.1e}" if at95 and at95["sent"] > at95["received"] else "0"
    verdict = ""
    if reached is not None:
        verdict = f"{'met' if reached >= case.target else 'MISSED'}: {reached:.2f} of {case.target:.2f}"
    return (f"{case.name:<40}{mpps('ceiling'):>9}{mpps('vgw'):>8}{mpps('vgw', 'max'):>8}{mpps('ovs'):>8}{mpps('linux'):>8}   "
            f"{times('vgw', 'ceiling'):>8}{times('vgw', 'ovs'):>7}{times('vgw', 'linux'):>8}"
            f"{vgw.get('cycles') or 0:>8.0f}{vgw.get('latency', {}).get('99', 0):>9.1f}{lost:>11}  {verdict}")


def options():
    p = argparse.ArgumentParser(prog="bench/forwarding", description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--case", action="append", default=[], help="only cases whose name has this in it; more than once")
    p.add_argument("--gateway", action="append", default=[], choices=list(GATEWAYS), help="only these")
    p.add_argument("--quick", action="store_true", help="the cases with targets, short windows")
    p.add_argument("--windows", type=int)
    p.add_argument("--seconds", type=float, help="of a window")
    p.add_argument("--loss-seconds", type=float, help="at 95 %% of the own maximum")
    p.add_argument("--keep", action="store_true", help="the logs")
    p.add_argument("--output", default=str(BUILD / "bench"), help="directory of forwarding.json and forwarding.svg")
    o = p.parse_args()
    o.windows = o.windows or 5
    o.seconds = o.seconds or (0.2 if o.quick else 1.0)
    o.loss_seconds = o.loss_seconds or (1.0 if o.quick else 60.0)
    return o


def main():
    o = options()
    come_first()
    cases = [c for c in CASES if (not o.quick or c.quick or o.case) and
             (not o.case or any(text in c.name for text in o.case))]
    results, verdicts = {}, []
    print(f"Mpps; one CPU each for generator and gateway; {o.windows} windows of {o.seconds} s, medians\n\n{HEAD}", flush=True)
    for case in cases:
        names = [n for n in GATEWAYS if (n in ("ceiling", "vgw") or n in case.peers) and (not o.gateway or n in o.gateway)]
        pages = sum(GATEWAYS[n].memory + 256 + 2 * case.flows * (case.size or 1500) // (1 << 20) +
                    2 * case.flows * 512 // (1 << 20) for n in names)
        with huge_pages(pages):
            result, failed = measure(case, names, o)
        reached = judge(case, result, {n: r["result"] for n, r in results.items()})
        results[case.name] = {"case": dataclasses.asdict(case), "result": result, "failed": failed, "reached": reached}
        print(line(case, result, reached), flush=True)
        for name, why in failed.items():
            print(f"    {name}: {why.strip()[-300:]}", flush=True)
        if result.get("vgw", {}).get("unordered"):
            print(f"    vgw: {result['vgw']['unordered']} frames out of order", flush=True)
        verdicts.append(reached is None or reached >= case.target)
    os.makedirs(o.output, exist_ok=True)
    pathlib.Path(f"{o.output}/forwarding.json").write_text(json.dumps(results, indent=1) + "\n")
    pathlib.Path(f"{o.output}/forwarding.svg").write_text(chart.draw(results))
    print(f"\n{sum(verdicts)} of {len(verdicts)} cases as promised; {o.output}/forwarding.json, forwarding.svg")


if __name__ == "__main__":
    sys.exit(main())
