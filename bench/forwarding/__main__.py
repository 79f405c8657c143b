# SPDX-License-Identifier: Apache-2.0
"""Throughput and latency of vgw beside bare I/O and its peers: docs/performance.md says how to read it.

Each case is written to forwarding.json and forwarding.svg when it is done; --resume goes on with an interrupted run.
"""
import argparse
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import time

from . import chart
from .cases import CASES
from .contest import GATEWAYS, measure
from .gateway import BUILD, SOURCE
from .machine import CPUS, come_first, described, generator_memory, huge_pages
from .verdict import lost, promises, ratio, reached

SPARE = 384  # MiB of huge pages a gateway: not every driver says what it takes
HEAD = (f"{'case':<44}{'ceiling':>9}{'vgw':>8}{'max':>8}{'ovs':>8}{'linux':>8}   {'/ceiling':>8}{'/ovs':>7}{'/linux':>8}"
        f"{'cycles':>8}{'99 % us':>9}{'lost 95 %':>11}{'disturbed':>11}  target")


def line(name, results):
    result, case = results[name]["result"], results[name]["case"]
    vgw = result.get("vgw", {})

    def mpps(gateway, field="pps"):
        return f"{result[gateway][field] / 1e6:.2f}" if gateway in result else "-"

    def times(other):
        r = ratio(result, "vgw", other)
        return f"{r:.2f}" if r is not None else "-"

    share = lost(vgw["at 95 %"]) if "at 95 %" in vgw else None
    of, verdict = reached(name, results), ""
    if case["target"] and of is not None:
        verdict = f"{'met' if of >= case['target'] else 'MISSED'}: {of:.2f} of {case['target']:.2f}"
    return (f"{name:<44}{mpps('ceiling'):>9}{mpps('vgw'):>8}{mpps('vgw', 'max'):>8}{mpps('ovs'):>8}{mpps('linux'):>8}   "
            f"{times('ceiling'):>8}{times('ovs'):>7}{times('linux'):>8}{vgw.get('cycles') or 0:>8.0f}"
            f"{vgw.get('latency', {}).get('us', {}).get('99', 0):>9.1f}"
            f"{'-' if share is None else f'{share:.1e}' if share else '0':>11}"
            f"{100 * vgw.get('disturbed', 0):>9.0f} %  {verdict}")


def notes(r):
    """What a reader has to know beside the figures of a case."""
    for name, why in r["failed"].items():
        yield f"{name}: {why.strip()[-300:]}"
    vgw = r["result"].get("vgw", {})
    if vgw.get("unordered"):
        yield f"vgw: {vgw['unordered']} frames out of order"
    at95 = vgw.get("at 95 %")
    if at95 and at95["disturbed"]:
        yield (f"vgw at 95 %: {at95['sent_all'] - at95['received_all']} of {at95['sent_all']} frames lost in all, "
               f"{at95['sent'] - at95['received']} of {at95['sent']} in the {at95['slices'] - at95['disturbed']} of "
               f"{at95['slices']} slices in which nobody else had a CPU")


def options():
    p = argparse.ArgumentParser(prog="bench/forwarding", description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--case", action="append", default=[], help="only cases whose name has this in it; more than once")
    p.add_argument("--gateway", action="append", default=[], choices=list(GATEWAYS), help="only these")
    p.add_argument("--quick", action="store_true", help="the cases with targets, short windows")
    p.add_argument("--resume", action="store_true", help="keep the cases that the output has, measure the others")
    p.add_argument("--list", action="store_true", help="the cases' names")
    p.add_argument("--windows", type=int, default=5)
    p.add_argument("--seconds", type=float, help="of a window")
    p.add_argument("--latency-seconds", type=float, help="at 80 %% of the own maximum")
    p.add_argument("--loss-seconds", type=float, help="at 95 %% of the own maximum; without a target at most five")
    p.add_argument("--keep", action="store_true", help="the logs")
    p.add_argument("--output", default=str(BUILD / "bench"), help="directory of forwarding.json and forwarding.svg")
    o = p.parse_args()
    o.seconds = o.seconds or (0.2 if o.quick else 1.0)
    o.latency_seconds = o.latency_seconds or (1.0 if o.quick else 3.0)
    o.loss_seconds = o.loss_seconds or (2.0 if o.quick else 60.0)
    return o


def chosen(o):
    """The cases to run; says which the machine is too small for."""
    for case in CASES:
        if o.case and not any(text in case.name for text in o.case) or o.quick and not (case.quick or o.case):
            continue
        if len(CPUS) < 1 + case.workers:
            print(f"{case.name}: left out, it needs {1 + case.workers} CPUs and this machine has {len(CPUS)}")
            continue
        yield case


def commit():
    done = subprocess.run(["git", "-C", SOURCE, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


class Results:
    """forwarding.json: written after each case, whole."""

    def __init__(self, o):
        self.directory = pathlib.Path(o.output)
        self.path = self.directory / "forwarding.json"
        os.makedirs(self.directory, exist_ok=True)
        self.run = {"date": time.strftime("%Y-%m-%d"), "commit": commit(), "machine": described(), "cases": {}}
        # A case measured anew takes its place among the others.
        if (o.resume or o.case) and self.path.exists():
            self.run["cases"] = json.loads(self.path.read_text()).get("cases", {})
        self.cases = self.run["cases"]

    def add(self, name, result):
        self.cases[name] = result
        order = {c.name: i for i, c in enumerate(CASES)}
        self.run["cases"] = self.cases = dict(sorted(self.cases.items(), key=lambda kv: order.get(kv[0], len(order))))
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(self.run, indent=1) + "\n")
        new.rename(self.path)
        (self.directory / "forwarding.svg").write_text(chart.draw(self.cases))


def run_case(case, o):
    names = [n for n in GATEWAYS if (n in ("ceiling", "vgw") or n in case.peers) and (not o.gateway or n in o.gateway)]
    with huge_pages(sum(GATEWAYS[n].memory + generator_memory(case) + SPARE for n in names)):
        result, failed = measure(case, names, o)
    return {"case": dataclasses.asdict(case), "windows": o.windows, "seconds": o.seconds, "result": result, "failed": failed}


def main():
    o = options()
    if o.list:
        print("\n".join(c.name for c in CASES))
        return
    come_first()
    results, done = Results(o), []
    cases = list(chosen(o))
    print(f"Mpps; one CPU each for generator and gateway; {o.windows} windows of {o.seconds} s, medians\n\n{HEAD}", flush=True)
    for case in cases:
        if not (o.resume and case.name in results.cases):
            results.add(case.name, run_case(case, o))
        done.append(case.name)
        print(line(case.name, results.cases), flush=True)
        for note in notes(results.cases[case.name]):
            print(f"    {note}", flush=True)
    print("\npromises")
    kept = [(name, *p) for name in done for p in promises(name, results.cases)]
    for name, what, promised, value, met in kept:
        print(f"{'not measured' if met is None else 'met' if met else 'MISSED':<14}{name:<44}{what:<24}{promised:>10}"
              f"{value or '-':>12}")
    print(f"\n{sum(bool(k[4]) for k in kept)} of {len(kept)} promises met; {results.path}, forwarding.svg")


if __name__ == "__main__":
    sys.exit(main())
