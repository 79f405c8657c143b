# SPDX-License-Identifier: Apache-2.0
"""The results of a run in docs/performance.md and its chart: what stands between the markers is written anew.

    PYTHONPATH=bench python3 -m forwarding.report [build/bench/forwarding.json]
"""
import json
import os
import pathlib
import sys

from . import chart
from .verdict import promises, reached

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("VGW_BUILD", SOURCE / "build"))
BEGIN, END = "<!-- results -->\n", "<!-- end of results -->\n"

HEAD = ("| case | ceiling | vgw | best | OVS | Linux | of ceiling | of OVS | 99 % us (bare I/O) | lost at 95 % | promised |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|\n")


def mpps(result, name, field="pps"):
    return f"{result[name][field] / 1e6:.2f}" if name in result else "-"


def p99(result):
    """Beside that of bare I/O at the same rate."""
    us = [f"{result[g]['latency']['us']['99']:.0f}" if "latency" in result.get(g, {}) else "-" for g in ("vgw", "ceiling")]
    return us[0] + (f" ({us[1]})" if us[1] != "-" else "")


def row(name, results):
    result = results[name]["result"]
    kept = {what: (promised, value) for what, promised, value, _ in promises(name, results)}
    vgw = result.get("vgw", {})
    of = reached(name, results) if not results[name]["case"]["like"] else \
        vgw.get("pps", 0) / result["ceiling"]["pps"] if "ceiling" in result else None
    target = next((f"{p}, {'met' if k else 'missed'}" + (f" ({v} {w})" if "IPv4" in w else "")
                   for w, p, v, k in promises(name, results) if v and ("ceiling" in w or "IPv4" in w)), "")
    times = vgw["pps"] / result["ovs"]["pps"] if "ovs" in result and "vgw" in result and result["ovs"]["pps"] else None
    at95 = kept.get("lost at 95 %", (0, None))[1]
    cells = [name, mpps(result, "ceiling"), mpps(result, "vgw"), mpps(result, "vgw", "max"), mpps(result, "ovs"),
             mpps(result, "linux"), f"{of:.2f}" if of else "-", f"{times:.1f}" if times else "-",
             p99(result), at95 or "-", target]
    return "| " + " | ".join(cells) + " |\n"


def summary(results):
    """Every promise of every case, counted by kind."""
    counts = {}
    for name in results:
        for what, _, _, kept in promises(name, results):
            c = counts.setdefault(what, [0, 0, 0])
            c[0 if kept is None else 1 if kept else 2] += 1
    return ["| promise | met | missed | not measured |", "|---|---|---|---|",
            *(f"| {what} | {met} | {missed} | {none} |" for what, (none, met, missed) in counts.items())]


def text(run):
    results, m = run["cases"], run["machine"]
    windows = {(r["windows"], r["seconds"]) for r in results.values()}
    calm = [r["result"]["vgw"]["disturbed"] for r in results.values() if "vgw" in r["result"]]
    lines = [f"Mpps, {run['date']}, commit {run['commit']}: {m['processor']}, {m['cpus']} CPUs, {m['tsc_ghz']} GHz time-stamp "
             f"counter, Linux {m['kernel']};",
             " and ".join(f"{n} windows of {s:g} s" for n, s in sorted(windows)) + ". Others took the CPUs in "
             f"{100 * sum(calm) / max(len(calm), 1):.0f} % of the time, which does not count.", ""]
    table = HEAD + "".join(row(name, results) for name in results)
    return "\n".join(lines) + "\n" + table + "\n" + "\n".join(summary(results)) + "\n"


def fill(page, new):
    before, rest = page.split(BEGIN)
    return before + BEGIN + new + END + rest.split(END)[1]


def main():
    path = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else BUILD / "bench/forwarding.json")
    run = json.loads(path.read_text())
    page = SOURCE / "docs/performance.md"
    page.write_text(fill(page.read_text(), text(run)))
    (SOURCE / "docs/performance.svg").write_text(chart.draw(run["cases"]))
    print(f"{page}: {len(run['cases'])} cases")


if __name__ == "__main__":
    main()
