# SPDX-License-Identifier: Apache-2.0
"""The chart: a group of bars a case, a bar a gateway, Mpps. Plain SVG that reads on light and dark pages."""
from xml.sax.saxutils import escape

COLOURS = {"ceiling": "#9aa5b1", "vgw": "#0b84a5", "ovs": "#e08e0b", "linux": "#7a5195"}
NAMES = {"ceiling": "bare I/O (the ceiling)", "vgw": "vgw", "ovs": "Open vSwitch with DPDK", "linux": "Linux kernel"}
WIDTH, LABEL, BAR, GAP = 860, 270, 12, 10


def draw(results):
    rows, y = [], 46
    top = max((g["pps"] for r in results.values() for g in r["result"].values()), default=1) or 1
    scale = (WIDTH - LABEL - 70) / top
    for i, (name, colour) in enumerate(COLOURS.items()):
        x = 10 + i * 200
        rows.append(f'<rect x="{x}" y="12" width="12" height="12" fill="{colour}"/>'
                    f'<text x="{x + 18}" y="22">{NAMES[name]}</text>')
    for name, r in results.items():
        bars = [(g, r["result"][g]["pps"]) for g in COLOURS if g in r["result"]]
        rows.append(f'<text x="{LABEL - 8}" y="{y + len(bars) * BAR / 2 + 4}" text-anchor="end">{escape(name)}</text>')
        for g, pps in bars:
            rows.append(f'<rect x="{LABEL}" y="{y}" width="{max(pps * scale, 1):.1f}" height="{BAR - 2}" '
                        f'fill="{COLOURS[g]}"/><text x="{LABEL + pps * scale + 4:.1f}" y="{y + 9}" font-size="10">'
                        f'{pps / 1e6:.1f}</text>')
            y += BAR
        y += GAP
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y + 24}" font-family="sans-serif" '
            f'font-size="12" fill="#1f2933"><rect width="100%" height="100%" fill="#ffffff"/>' + "\n".join(rows) +
            f'<text x="{LABEL}" y="{y + 12}">million packets a second, one core, each frame checked</text></svg>\n')
