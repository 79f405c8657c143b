# SPDX-License-Identifier: Apache-2.0
"""Queries of long tables of which the filter wants little: nothing is missed, over as many answers as it takes."""
from harness import NextHop, Neighbour, Route, item, to_ip, to_mac, to_prefix

MANY = 20000  # more than one answer looks at
BATCH = 200


def declare(gateway, name, bodies):
    for first in range(0, len(bodies), BATCH):
        gateway.client.declare(*(item(name, b) for b in bodies[first:first + BATCH]))


def site(gateway):
    gateway.port(1)
    gateway.port(2)
    for number in (1, 2):
        gateway.vrouter(number)
        gateway.interface(number, vrouter=number, port=number, addresses=["10.0.0.1/8"])


def test_neighbours_of_one_vrouter_behind_many_of_another(gateway):
    site(gateway)
    bodies = [bytes(Neighbour(1 + i, 1, to_ip(f"10.1.{i >> 8}.{i & 255}"), to_mac("02:00:00:00:00:01")))
              for i in range(MANY)]
    declare(gateway, "neighbour", bodies)
    gateway.neighbour(MANY + 1, interface=2, ip="10.0.0.2", mac="02:00:00:00:00:02")
    assert [n["ip"] for n in gateway.query("neighbour", filter=2)] == ["10.0.0.2"]
    assert len({n["ip"] for n in gateway.query("neighbour", filter=1)}) == MANY
    assert len(gateway.query("neighbour")) == MANY + 1


def test_routes_of_one_vrouter_behind_many_of_another(gateway):
    site(gateway)
    hops = b"".join(bytes(NextHop(ip=to_ip(f"10.0.0.{n}"), weight=1)) for n in (8, 9))
    bodies = [bytes(Route(1 + i, 1, to_prefix(f"20.{i >> 8}.{i & 255}.0/24"), 0, 0, (0, 0), 2)) + hops
              for i in range(MANY)]
    declare(gateway, "route", bodies)
    gateway.route(MANY + 1, vrouter=2, prefix="0.0.0.0/0", next_hops=["10.0.0.7"])
    mine = [r["prefix"] for r in gateway.query("route", filter=2) if r["prefix"].startswith("0.0.0.0")]
    assert mine == ["0.0.0.0/0"]
    seen = [(r["prefix"], r["next_hop"]) for r in gateway.query("route", filter=1) if r["prefix"].startswith("20.")]
    assert len(seen) == len(set(seen)) == 2 * MANY
