# SPDX-License-Identifier: Apache-2.0
"""The management API with a data plane behind it, whose part a fake plays: what is declared to it, and state,
operations and streams that come from it, however large and however slow the client.
"""
import io
import json
import os
import struct
import tempfile

import pytest
from fake_dataplane import (ACTION_CLEAR_MACS, ACTION_OBSERVE_START, ACTION_OBSERVE_STOP, ACTION_PING, EVENT_MAC_LEARNED,
                            EVENT_OBSERVED, OBJECT_ATTACHMENT, OBJECT_NETWORK, OBJECT_PORT, POINTS, QUERY_MAC, SIZES, FakeDataplane,
                            ip, mac_state, observed)
from restconf import RUNNING, Connection, Control
from scapy.utils import PcapNgReader
from topology import wait_for

STATE = "/restconf/data/vgw:state"
CONFIG = {
    "vgw:port": [{"name": "p1", "device": "tap:p1"}, {"name": "p2", "device": "tap:p2"}],
    "vgw:vfabric": [{"name": "acme", "id": 1,
                     "network": [{"name": "web", "id": 1, "attachment": [{"name": "a", "port": "p1"}]},
                                 {"name": "db", "id": 2}],
                     "vrouter": [{"name": "r"}]}]}


@pytest.fixture(name="control")
def control_fixture():
    with tempfile.TemporaryDirectory(prefix="vgw-restconf-") as directory:
        control = Control(directory)
        control.import_(CONFIG)
        control.commit()
        yield control
        assert control.process.poll() is None, (control.directory / "control.log").read_text()
        assert control.stop() == 0
        log = (control.directory / "control.log").read_text()
        assert "Sanitizer" not in log and "runtime error" not in log, log


@pytest.fixture(name="fake")
def fake_fixture(control):
    fake = FakeDataplane(control.directory / "dataplane.sock")
    assert fake.synced.wait(20)
    yield fake
    fake.close()


def ids(fake, kind):
    return sorted(number for k, number in fake.objects if k == kind)


# --- declarations -------------------------------------------------------------------------------

def test_everything_is_declared_and_changes_follow(control, fake):
    assert len(ids(fake, OBJECT_PORT)) == 2 and len(ids(fake, OBJECT_NETWORK)) == 2
    control.put("/restconf/data/vgw:vfabric=acme/network=new", {"vgw:network": [{"name": "new", "id": 3}]})
    wait_for(lambda: len(ids(fake, OBJECT_NETWORK)) == 3, "the new network to be declared")
    control.delete("/restconf/data/vgw:vfabric=acme/network=web/attachment=a")
    wait_for(lambda: not ids(fake, OBJECT_ATTACHMENT), "the attachment to be deleted")
    assert len(fake.generations) == 1


def test_same_ids_after_restarts(control, fake):
    """An object keeps its id: over restarts of control and of the data plane."""
    before = set(fake.objects)
    fake.disconnect()
    wait_for(lambda: len(fake.generations) == 2 and fake.synced.is_set(), "a second declaration")
    assert set(fake.objects) == before
    control.stop()
    control.start()
    wait_for(lambda: len(fake.generations) == 3 and fake.synced.is_set(), "a third declaration")
    assert set(fake.objects) == before


def test_large_resync_stays_responsive(control, fake):
    control.import_({"vgw:vfabric": [{"name": "acme", "id": 1, "network": [
        {"name": f"n{i}", "id": i} for i in range(20000)]}]})
    control.commit()
    assert control.get("/restconf").status == 200
    wait_for(lambda: len(ids(fake, OBJECT_NETWORK)) == 20000, "20,000 networks to be declared")
    fake.disconnect()
    wait_for(lambda: len(fake.generations) == 2 and fake.synced.is_set(), "everything to be declared again")
    assert len(ids(fake, OBJECT_NETWORK)) == 20000


# --- state --------------------------------------------------------------------------------------

def mac_table(fake, count):
    network, attachment = ids(fake, OBJECT_NETWORK)[0], ids(fake, OBJECT_ATTACHMENT)[0]
    # The attachment's network is "web", whichever id that has.
    network = struct.unpack_from("=II", fake.objects[OBJECT_ATTACHMENT, attachment])[1]
    fake.tables[QUERY_MAC] = (SIZES[QUERY_MAC], count, lambda i: mac_state(network, attachment, i))


def memory_kib(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def test_a_large_table_is_never_in_memory(control, fake):
    """300,000 MACs, about 40 MB of JSON, read as a whole by a client."""
    mac_table(fake, 300000)
    before = memory_kib(control.process)
    connection = Connection(control.socket)
    connection.request("GET", f"{STATE}/mac")
    response = connection.getresponse()
    read, largest = 0, before
    tail = b""
    while chunk := response.read(1 << 20):
        read += len(chunk)
        tail = chunk[-100:]
        largest = max(largest, memory_kib(control.process))
    assert read > 30e6 and tail.endswith(b"]}\n")
    if "asan" not in os.environ.get("VGW_BUILD", ""):
        assert largest - before < 8192, f"{before} KiB grew to {largest}"


def test_pages_of_a_large_table(control, fake):
    mac_table(fake, 5000)
    target, got = f"{STATE}/mac?limit=999", []
    while target:
        answer = control.get(target)
        got += [m["address"] for m in answer.json["vgw:mac"]]
        link = answer.headers.get("Link")
        target = link[1:link.index(">")] if link else None
    assert len(got) == len(set(got)) == 5000
    one = control.get(f"{STATE}/mac=acme,web,02%3A00%3A00%3A00%3A12%3A34").json["vgw:mac"]
    assert len(one) == 1 and one[0]["attachment"] == "a" and one[0]["age"] == 7
    assert control.get(f"{STATE}/mac=acme,web,02:00:00:ff:ff:ff").status == 404
    assert control.get(f"{STATE}/mac?where=vfabric=acme&where=network=db").json == {"vgw:mac": []}


def test_readers_that_leave(control, fake):
    """Clients that close, or read nothing, do not disturb the others."""
    mac_table(fake, 100000)
    connections = []
    for _ in range(20):
        connection = Connection(control.socket)
        connection.request("GET", f"{STATE}/mac")
        connections.append(connection)
    for connection in connections[:10]:
        connection.getresponse().read(1000)
        connection.close()
    assert len(control.get(f"{STATE}/mac?limit=10").json["vgw:mac"]) == 10
    for connection in connections[10:]:
        connection.close()
    assert control.get("/restconf").status == 200


def test_dataplane_dies_during_a_read(control, fake):
    mac_table(fake, 100000)
    connection = Connection(control.socket)
    connection.request("GET", f"{STATE}/mac")
    response = connection.getresponse()
    response.read(1000)
    fake.tables.clear()
    fake.disconnect()
    response.read()
    assert control.get(f"{STATE}/system").status == 200


# --- operations ---------------------------------------------------------------------------------

def test_ping(control, fake):
    result = struct.pack("=BBBBI20sI", 0, 63, 0, 0, 1234, ip("192.0.2.9"), 0)
    fake.actions[ACTION_PING] = lambda _: (0, 0, b"", result)
    answer = control.call("ping", vfabric="acme", vrouter="r", address="192.0.2.9", source="192.0.2.1")
    assert answer.json["vgw:output"] == {"result": "reply", "time": 1234, "ttl": 63, "from": "192.0.2.9"}
    action, argument = fake.called[-1]
    assert action == ACTION_PING and argument[4:24] == ip("192.0.2.9") and argument[24:44] == ip("192.0.2.1")
    assert struct.unpack_from("=HHB", argument, 44) == (56, 1000, 1)  # the model's defaults
    unreachable = struct.pack("=BBBBI20sI", 2, 0, 255, 0, 0, ip(None), 0)
    fake.actions[ACTION_PING] = lambda _: (0, 0, b"", unreachable)
    answer = control.call("ping", vfabric="acme", vrouter="r", address="2001:db8::1", size=100, timeout=50)
    assert answer.json["vgw:output"]["result"] == "unreachable" and "no route" in answer.json["vgw:output"]["reason"]


def test_clear(control, fake):
    fake.actions[ACTION_CLEAR_MACS] = lambda _: (0, 17, b"", b"")
    answer = control.call("clear-macs", vfabric="acme", network="web", address="02:00:00:00:00:01")
    assert answer.json["vgw:output"] == {"macs": 17}
    network = struct.unpack_from("=I", fake.called[-1][1])[0]
    assert (OBJECT_NETWORK, network) in fake.objects
    assert fake.called[-1][1][32:39] == b"\x02\0\0\0\0\x01\x01"
    fake.actions[ACTION_CLEAR_MACS] = lambda _: (-22, 0, b"not now", b"")
    answer = control.call("clear-macs")
    assert answer.status == 500 and answer.error["error-message"] == "not now"
    assert control.call("clear-counters").status == 204
    assert control.call("clear-neighbours", vfabric="acme", vrouter="r").status == 204


# --- streams ------------------------------------------------------------------------------------

def start_observing(fake, count, **record):
    """Answers OBSERVE_START with observation 5, then sends so many records."""
    port = ids(fake, OBJECT_PORT)[0]
    fake.actions[ACTION_OBSERVE_START] = lambda _: (0, 5, b"", b"")

    def send():
        for i in range(count):
            fake.event(EVENT_OBSERVED, observed(5, i, POINTS.index(("rx", "tx")[i % 2]), port, **record))
    fake.actions[ACTION_OBSERVE_START, "after"] = send
    return port


def test_trace(control, fake):
    start_observing(fake, 3, length=100)
    answer = control.get("/restconf/streams/trace?port=p1&limit=3&ip=10.0.0.1&protocol=6&vni=5&mac=02:00:00:00:00:01")
    records = [json.loads(line) for line in answer.text.splitlines()]
    assert [r["packet"] for r in records] == [0, 1, 2] and [r["point"] for r in records] == ["rx", "tx", "rx"]
    assert records[0]["port"] in ("p1", "p2") and records[0]["length"] == 100
    assert records[0]["time"] == "1970-01-01T00:00:01.000000000Z"
    wait_for(lambda: fake.called[-1][0] == ACTION_OBSERVE_STOP, "the observation to be stopped")
    points, snap, limit, _, _, vni, has_vni, has_mac = struct.unpack_from("=IIIIIIBB", fake.called[-2][1])
    assert (points, snap, limit, vni, has_vni, has_mac) == ((1 << len(POINTS)) - 1, 0, 3, 5, 1, 1)
    wait_for(lambda: fake.mask == 0, "events to be wanted no more")


def test_capture(control, fake):
    frame = bytes(range(60))
    start_observing(fake, 4, data=frame, length=1500)
    connection = Connection(control.socket)
    connection.request("GET", "/restconf/streams/capture?limit=4&points=rx,tx&snap=60")
    response = connection.getresponse()
    assert response.getheader("Content-Type") == "application/vnd.tcpdump.pcap"
    data = response.read()
    packets = list(PcapNgReader(io.BytesIO(data)))
    assert [bytes(p) for p in packets] == [frame] * 4 and packets[0].wirelen == 1500
    comment = struct.Struct("=HH4s")  # opt_comment; scapy takes those alone that end their line
    assert data.count(comment.pack(1, 2, b"rx")) == 2 and data.count(comment.pack(1, 2, b"tx")) == 2


def test_observer_that_leaves(control, fake):
    """The observation ends when its client closes, traffic or no traffic."""
    start_observing(fake, 0)
    connection = Connection(control.socket)
    connection.request("GET", "/restconf/streams/trace")
    response = connection.getresponse()
    assert response.status == 200
    response.close()
    connection.close()
    wait_for(lambda: fake.called[-1] == (ACTION_OBSERVE_STOP, struct.pack("=II", 5, 0)), "the observation to be stopped")


def test_slow_observer_is_told_what_it_lost(control, fake):
    start_observing(fake, 30000, length=64)
    connection = Connection(control.socket)
    connection.request("GET", "/restconf/streams/trace?limit=30000")
    response = connection.getresponse()
    wait_for(lambda: control.get("/restconf").status == 200 and fake.called, "control to go on")
    records = [json.loads(line) for line in response.read().decode().splitlines()]
    assert 0 < len(records) <= 30000
    assert len(records) + sum(r.get("lost", 0) for r in records) <= 30000


def test_events(control, fake):
    connection = Connection(control.socket)
    connection.request("GET", "/restconf/streams/events?limit=1")
    wait_for(lambda: fake.mask, "control to subscribe")
    attachment = ids(fake, OBJECT_ATTACHMENT)[0]
    network = struct.unpack_from("=II", fake.objects[OBJECT_ATTACHMENT, attachment])[1]
    fake.event(EVENT_MAC_LEARNED, struct.pack("=III20s6s2x", network, attachment, 0, ip(None), b"\2\0\0\0\0\1"))
    event = json.loads(connection.getresponse().read())
    assert event == {"time": "1970-01-01T00:00:01.000000000Z", "event": "mac-learned", "vfabric": "acme", "network": "web",
                     "address": "02:00:00:00:00:01", "attachment": "a"}


def test_wrong_filters(control, fake):
    for query in ("port=none", "network=web", "vfabric=acme", "vni=16777216", "mac=x", "ip=1.2.3", "ethertype=5", "protocol=0",
                  "drop=none", "points=x", "snap=9", "limit=0", "seconds=x", "nothing=1"):
        answer = control.get(f"/restconf/streams/trace?{query}")
        assert answer.status == 400 and "must be" in answer.error["error-message"], query
    assert control.get(RUNNING).status == 200
