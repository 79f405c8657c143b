# SPDX-License-Identifier: Apache-2.0
"""The data plane's API: what is believed of a message, and what declarations do. api/vgw_api.h."""
import errno
import struct

import pytest
from harness import ACTIONS, MESSAGES, POINTS, ApiError, Client, Network, Observe, Port, declare_message, item, message


def is_refused_and_closed(client, raw, error=errno.EBADMSG):
    messages, closed = client.raw(raw)
    assert closed
    assert len(messages) == 1
    ack = Client.ack_of(messages[0][16:])
    assert ack["error"] == -error
    assert ack["text"] != ""


def network(id, **fields):
    return item("network", Network(id=id, network_id=id, **fields))


# --- malformed messages: an ACK that says so, that client closed, nothing else ---

MALFORMED = {
    "shorter than a header": b"\1\2\3",
    "header alone": message(MESSAGES["query"]),
    "length too small": message(MESSAGES["subscribe"], bytes(8), length=16),
    "length too large": message(MESSAGES["subscribe"], bytes(8), length=25),
    "unknown type": message(99),
    "type 0": message(0),
    "a type that only the data plane sends": message(MESSAGES["ack"], bytes(208)),
    "more than its type has": message(MESSAGES["subscribe"], bytes(16)),
    "count without items": message(MESSAGES["declare"], struct.pack("=II", 1, 1)),
    "item longer than the message": message(MESSAGES["declare"], struct.pack("=IIHBBI", 1, 1, 2, 1, 0, 8)),
    "item of unaligned length": message(MESSAGES["declare"], struct.pack("=IIHBBI", 1, 1, 2, 1, 0, 12) + bytes(12)),
    "item whose length wraps": message(MESSAGES["declare"], struct.pack("=IIHBBI", 1, 1, 2, 1, 0, 0xFFFFFFF8) + bytes(8)),
    "bytes behind the last item": message(MESSAGES["declare"], struct.pack("=II", 1, 0) + bytes(8)),
    "more items than there are": message(MESSAGES["declare"], struct.pack("=II", 1, 0xFFFFFFFF) + network(1)),
    "action without its arguments": message(MESSAGES["action"], struct.pack("=II", ACTIONS["clear_macs"], 0)),
    "hello whose name does not end": message(MESSAGES["hello"], b"x" * 64),
}


@pytest.mark.parametrize("raw", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_message_closes_its_client_alone(gateway, raw):
    other = Client(gateway.harness)
    is_refused_and_closed(other, raw)
    gateway.network(1)
    assert len(gateway.query("network")) == 1


def test_oversized_message_closes_its_client_alone(gateway):
    other = Client(gateway.harness)
    is_refused_and_closed(other, message(MESSAGES["declare"], bytes(65536)), errno.EMSGSIZE)
    assert gateway.query("network") == []


def test_largest_message_is_taken(gateway):
    items = [network(i) for i in range(1, 1 + (65536 - 24) // 40)]
    extra = (65536 - 24) % 40
    assert extra < 40
    ack = gateway.client.ack(declare_message(1, *items))
    assert ack["applied"] == len(items)


def test_message_before_hello_is_refused(gateway):
    other = Client(gateway.harness, hello=False)
    is_refused_and_closed(other, message(MESSAGES["subscribe"], bytes(8)))


def test_other_version_is_refused(gateway):
    other = Client(gateway.harness, hello=False)
    is_refused_and_closed(other, message(MESSAGES["hello"], bytes(64), version=2), errno.EPROTONOSUPPORT)


def test_answer_carries_the_request(gateway):
    messages, _ = gateway.client.raw(message(MESSAGES["subscribe"], bytes(8), request=4711))
    assert struct.unpack_from("=IHHI", messages[0])[3] == 4711


# --- what is well-formed but wrong: an error, and the client goes on ---

def test_unknown_object_is_refused_and_the_others_are_declared(gateway):
    with pytest.raises(ApiError) as e:
        gateway.client.declare(network(1), item(77, bytes(8)), network(2))
    assert e.value.errno == errno.EINVAL
    assert e.value.more["applied"] == 2
    assert e.value.more["failed_item"] == 1
    assert [n["id"] for n in gateway.query("network")] == [1, 2]


def test_each_refused_item_is_named(gateway):
    with pytest.raises(ApiError) as e:
        gateway.client.declare(item(77, bytes(8)), network(1), item(78, bytes(8)), network(1 << 26))
    assert e.value.more["failed_item"] == 0
    assert [(i, error) for i, error, _ in e.value.more["refusals"]] == [(2, -errno.EINVAL), (3, -errno.EINVAL)]
    assert "78" in e.value.more["refusals"][0][2]


def test_more_refusals_than_an_answer_takes(gateway):
    with pytest.raises(ApiError) as e:
        gateway.client.declare(*(item(77, bytes(8)) for _ in range(1000)), network(1))
    assert e.value.more["applied"] == 1
    assert [i for i, *_ in e.value.more["refusals"]] == list(range(1, 321))


@pytest.mark.parametrize("address", ["0000:3B:00.0", "0000:3b:00", "0000:3b:00.0x", "3b:00.0", "0000:3b:0g.0"])
def test_a_pci_address_is_as_sysfs_has_it(gateway, address):
    """With another one the port would wait for a card that can never come."""
    with pytest.raises(ApiError) as e:
        gateway.declare("port", Port(id=1, enabled=True, mtu=1500, rx_queues=1, rx_descriptors=1024, tx_descriptors=1024,
                                     device=f"pci:{address}".encode()))
    assert e.value.errno == errno.EINVAL and "reads like pci:0000:3b:00.0" in str(e.value)


def test_unknown_operation_is_refused(gateway):
    with pytest.raises(ApiError) as e:
        gateway.client.declare(item("network", bytes(8), op=3))
    assert e.value.errno == errno.EINVAL


@pytest.mark.parametrize("size", [8, 16, 40, 4096])
def test_body_of_the_wrong_size_is_refused(gateway, size):
    with pytest.raises(ApiError) as e:
        gateway.client.declare(item("network", struct.pack("=I", 1) + bytes(size - 4)))
    assert e.value.errno == errno.EMSGSIZE


@pytest.mark.parametrize("count", [1, 65, 0xFFFFFFFF])
def test_array_that_is_not_there_is_refused(gateway, count):
    gateway.vrouter(1)
    body = bytearray(48)
    struct.pack_into("=II", body, 0, 1, 1)
    struct.pack_into("=I", body, 32, count)
    with pytest.raises(ApiError):
        gateway.client.declare(item("interface", bytes(body)))
    assert gateway.query("interface") == []


@pytest.mark.parametrize("id", [0, 1 << 26, 0xFFFFFFFF])
def test_id_out_of_range_is_refused(gateway, id):
    with pytest.raises(ApiError) as e:
        gateway.network(id, network_id=1)
    assert e.value.errno == errno.EINVAL


def test_unknown_query_and_action_are_refused(gateway):
    for raw in (message(MESSAGES["query"], struct.pack("=IIQII", 99, 0, 0, 0, 0)),
                message(MESSAGES["action"], struct.pack("=II", 99, 0))):
        with pytest.raises(ApiError) as e:
            gateway.client.ack(raw)
        assert e.value.errno == errno.EINVAL


def test_reference_to_nothing_is_refused(gateway):
    with pytest.raises(ApiError):
        gateway.attachment(1, network=1, port=1)
    gateway.network(1)
    with pytest.raises(ApiError):
        gateway.attachment(1, network=1, port=1)
    gateway.port(1)
    gateway.attachment(1, network=1, port=1)


def test_object_that_others_name_is_not_deleted(gateway):
    gateway.port(1)
    gateway.network(1)
    gateway.attachment(1, network=1, port=1)
    with pytest.raises(ApiError) as e:
        gateway.delete("network", 1)
    assert e.value.errno == errno.EBUSY
    gateway.delete("attachment", 1)
    gateway.delete("network", 1)


def test_delete_of_nothing_is_refused(gateway):
    with pytest.raises(ApiError) as e:
        gateway.delete("network", 1)
    assert e.value.errno == errno.ENOENT


# --- generations ---

def test_restarted_control_changes_nothing_that_it_declares_again(gateway):
    gateway.port(1)
    gateway.network(1)
    gateway.attachment(1, network=1, port=1)
    gateway.client.begin(2)
    gateway.network(1)
    gateway.attachment(1, network=1, port=1)
    assert gateway.client.end() == 0
    assert [a["id"] for a in gateway.query("attachment")] == [1]
    assert gateway.query("system")[0]["generation"] == 2


def test_what_a_generation_does_not_mention_is_removed_dependents_first(gateway):
    gateway.port(1)
    for i in (1, 2):
        gateway.network(i)
        gateway.attachment(i, network=i, port=1, vlan=i)
    gateway.client.begin(2)
    gateway.network(2)
    assert gateway.client.end() == 3
    assert [n["id"] for n in gateway.query("network")] == [2]
    assert gateway.query("attachment") == []


def test_one_client_declares_at_a_time(gateway):
    other = Client(gateway.harness)
    with pytest.raises(ApiError) as e:
        other.begin(5)
    assert e.value.errno == errno.EBUSY
    with pytest.raises(ApiError) as e:
        other.declare(network(1))
    assert e.value.errno == errno.EPERM
    gateway.client.close()
    other.begin(5)
    other.declare(network(1))
    gateway.client = other


def test_objects_outlive_the_client_that_declared_them(gateway):
    gateway.network(1)
    gateway.client.close()
    gateway.client = Client(gateway.harness)
    assert len(gateway.query("network")) == 1
    gateway.client.begin(2)
    assert gateway.client.end() == 1


def test_other_generation_than_begun_is_refused(gateway):
    with pytest.raises(ApiError) as e:
        gateway.client.ack(declare_message(9, network(1)))
    assert e.value.errno == errno.EINVAL
    with pytest.raises(ApiError):
        gateway.client.begin(0)


# --- queries ---

def test_long_dump_comes_in_parts(gateway):
    gateway.client.declare(*(network(i) for i in range(1, 1501)))
    assert [n["id"] for n in gateway.query("network", max=100)] == list(range(1, 1501))
    assert len(gateway.query("network")) == 1500


def test_workers_stages_memory_and_drops_are_shown(gateway):
    gateway.network(1)
    assert [w["id"] for w in gateway.query("worker")] == [0]
    assert [s["name"] for s in gateway.query("stage")][:2] == ["classify", "underlay"]
    memory = {m["name"]: m for m in gateway.query("memory")}
    assert memory["network"]["objects"] == 1
    assert memory["networks"]["bytes"] > 0
    assert all(d["packets"] == 0 for d in gateway.query("drop"))


def test_clear_counters_begins_at_zero(gateway):
    gateway.port(1)
    gateway.send(1, b"\xff" * 6 + b"\x02" + bytes(60))
    assert gateway.drops() == {"no-attachment": 1}
    assert gateway.query("worker")[0]["packets"] == 1
    gateway.action("clear_counters")
    assert gateway.drops() == {}
    assert gateway.query("worker")[0]["packets"] == 0
    assert gateway.counters("port", 1)["rx_packets"] == 0
    gateway.send(1, b"\xff" * 6 + b"\x02" + bytes(60))
    assert gateway.drops() == {"no-attachment": 1}
    assert gateway.counters("port", 1)["rx_packets"] == 1


# --- slow clients ---

def test_client_that_does_not_read_loses_events_and_is_told(gateway):
    """... and gets them again once it reads; nobody else waits for it."""
    gateway.port(1)
    gateway.network(1)
    gateway.attachment(1, network=1, port=1)
    slow = Client(gateway.harness)
    gateway.client.subscribe()
    slow.action("observe_start", Observe(points=(1 << len(POINTS)) - 1, snap=9000))
    frame = b"\xff" * 6 + b"\x02\0\0\0\0\1" + bytes(1400)
    for _ in range(40):
        gateway.send(1, *[frame] * 60)
    events = slow.events()
    assert any(e["event"] == "lost" for e in events)
    assert len([e for e in events if e["event"] == "observed"]) > 100
    gateway.send(1, frame)
    again = [e for e in slow.events() if e["event"] == "observed"]
    assert again and again[0]["lost"] > 0
