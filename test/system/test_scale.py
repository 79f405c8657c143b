# SPDX-License-Identifier: Apache-2.0
"""Very many networks, each with its VNI: what `make bench-scale` measures with a million, here with 20,000, so that
what makes it possible does not rot. Nothing here is asserted on time. The drawing is in test/lib/many.py.
"""
import pytest
from many import TARGETS, Many, Probe, wires
from topology import Topology, wait_for

COUNT = 20000


@pytest.fixture(name="leaf", scope="module")
def leaf_fixture():
    with Topology("many") as t:
        left, leaf, core = (t.namespace(n) for n in ("left", "leaf", "core"))
        wires(t, left, leaf, core)
        many = Many(t.gateway(leaf, "vgw"))
        many.grow(COUNT)
        many.probe = Probe(t, left, core, pps=1000, flows=TARGETS)
        wait_for(lambda: many.probe.report()["lost"] == 0, "frames to cross")
        yield many


def objects(many):
    """How many of each kind the data plane has."""
    return {e["type"]: int(e["objects"]) for e in many.gateway.show("memory") if e["type"] in ("network", "vni")}


def test_all_are_in_the_data_plane(leaf):
    assert objects(leaf) == {"network": COUNT, "vni": COUNT}


def test_one_more_and_one_less(leaf):
    leaf.one_more()
    wait_for(lambda: objects(leaf)["network"] == COUNT + 1, "one network more")
    leaf.remove()
    wait_for(lambda: objects(leaf)["network"] == COUNT, "one network less")


def test_control_restarts_and_nothing_is_lost(leaf):
    """SIGKILL, and a new control declares all of it: not one frame lost, and the same objects."""
    leaf.probe.report()
    leaf.restart_control()
    report = leaf.probe.report()
    assert report["sent"] > 0
    assert report["lost"] == 0
    assert objects(leaf) == {"network": COUNT, "vni": COUNT}


def test_a_next_hop_of_all_is_lost(leaf):
    """The wire to one of two next hops goes down: all flows go by the other."""
    leaf.gateway.topology.namespaces[-1].ip("link", "set", "hop-a", "down")
    wait_for(lambda: leaf.probe.report()["a"] == 0, "the flows to leave the next hop that is gone")
    report = leaf.probe.report()
    assert report["lost"] == 0
    assert report["b"] == report["sent"]
