# SPDX-License-Identifier: Apache-2.0
"""What was promised, and whether it was kept: from the results as they stand in forwarding.json."""

LATENCY_US = 50


def ratio(result, a, b):
    return result[a]["pps"] / result[b]["pps"] if a in result and b in result and result[b]["pps"] else None


def reached(name, results):
    """Of what the case's target speaks: the ceiling, or the like case over IPv4; of that the share of its own ceiling, so
    that what the machine did between the two does not count."""
    own, like = ratio(results[name]["result"], "vgw", "ceiling"), results[name]["case"]["like"]
    if not like:
        return own
    other = ratio(results[like]["result"], "vgw", "ceiling") if like in results else None
    return own / other if own and other else None


def lost(at95):
    """The share lost, of what was sent in undisturbed slices; None when there were none."""
    return 1 - at95["received"] / at95["sent"] if at95["sent"] else None


def promises(name, results):
    """[(what, promised, reached, kept)]; reached and kept are None where it could not be measured."""
    case, result = results[name]["case"], results[name]["result"]
    vgw = result.get("vgw", {})
    found = []
    if case["target"]:
        of = "of the same over IPv4" if case["like"] else "of the ceiling"
        r = reached(name, results)
        found.append((of, f">= {case['target']:.2f}", r and f"{r:.2f}", r and r >= case["target"]))
        p99 = vgw.get("latency", {}).get("us", {}).get("99")
        found.append(("99 % latency at 80 %", f"< {LATENCY_US} us", p99 and f"{p99:.1f} us", p99 and p99 < LATENCY_US))
        share = lost(vgw["at 95 %"]) if "at 95 %" in vgw else None
        found.append(("lost at 95 %", "0", share if share is None else f"{share:.1e}" if share else "0",
                      share if share is None else share == 0))
    if "ovs" in case["peers"]:
        r = ratio(result, "vgw", "ovs")
        found.append(("of Open vSwitch", f">= {case['times_ovs']:.1f}", r and f"{r:.2f}", r and r >= case["times_ovs"]))
    return found
