# SPDX-License-Identifier: Apache-2.0
"""The real pipeline, driven from memory: frames in, frames out, no root, no devices.

A test asks for the fixture `gateway` (conftest.py), declares objects as control would, and sends:

    from scapy.all import Ether, Dot1Q, IP, UDP

    def test_vlan_10_here_is_vlan_20_there(gateway):
        gateway.port(1)
        gateway.port(2)
        gateway.network(7)
        gateway.attachment(1, network=7, port=1, vlan=10)
        gateway.attachment(2, network=7, port=2, vlan=20)
        frame = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / Dot1Q(vlan=10) / IP() / UDP()
        out = gateway.send(1, frame)                     # {port: [bytes, ...]}
        assert Ether(out[2][0])[Dot1Q].vlan == 20
        assert gateway.drops() == {}                     # {"reason": packets}, those not zero

Declaring again with other values changes an object; gateway.delete("network", 7) removes it. A refusal
raises ApiError (.errno, .text). Underlay and tunnels:

    gateway.vrouter(1)
    gateway.interface(1, vrouter=1, port=1, vlan=100, addresses=["192.0.2.1/24"])
    gateway.route(1, vrouter=1, prefix="0.0.0.0/0", next_hops=["192.0.2.254"])
    gateway.neighbour(1, interface=1, ip="192.0.2.254", mac="02:00:00:00:ff:fe")
    gateway.vtep(1, vrouter=1, local="192.0.2.1", remotes=["198.51.100.1"])
    gateway.vni(1, vtep=1, vni=5000, network=7)

State: gateway.query("mac", filter=7) -> list of dicts with the fields of struct vgw_mac_state;
gateway.counters("attachment", 1). Time: gateway.advance(300) moves the clock by seconds, in steps of one, and
runs what is due. Actions: gateway.action("clear_macs", network=7). Events: gateway.subscribe("mac_learned"),
gateway.events(). Names are those of api/*.h in small letters; structures are read from ctypes classes below.
"""
import ctypes
import ipaddress
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess

SOURCE = pathlib.Path(__file__).resolve().parents[2]
API = SOURCE / "api"
BUILD = pathlib.Path(os.environ.get("VGW_BUILD", SOURCE / "build"))

u8, u16, u32, u64, i32 = ctypes.c_uint8, ctypes.c_uint16, ctypes.c_uint32, ctypes.c_uint64, ctypes.c_int32


def names_of(header, macro):
    """The "name" of each X(IDENTIFIER, "name"...) of a list macro."""
    text = (API / header).read_text().replace("\\\n", " ")
    body = text[text.index(f"#define {macro}(X)"):]
    body = body[:body.index("\n")]
    return re.findall(r'X\(\w+,\s*"([^"]+)"', body)


def enum_of(header, name, prefix):
    """An enum of api/*.h as {"name": value}, names in small letters without their prefix."""
    text = re.sub(r"/\*.*?\*/", "", (API / header).read_text(), flags=re.S)
    body = re.search(rf"enum {name}\s*{{(.*?)}}", text, re.S).group(1)
    values, value = {}, -1
    for item in body.split(","):
        parts = [p.strip() for p in item.split("=")]
        if not parts[0]:
            continue
        value = int(parts[1], 0) if len(parts) > 1 else value + 1
        values[parts[0].removeprefix(prefix).lower()] = value
    return values


OBJECTS = enum_of("vgw_api.h", "vgw_object", "VGW_OBJECT_")
MESSAGES = enum_of("vgw_api.h", "vgw_message_type", "VGW_MESSAGE_")
QUERIES = enum_of("vgw_api.h", "vgw_query_kind", "VGW_QUERY_")
ACTIONS = enum_of("vgw_api.h", "vgw_action", "VGW_ACTION_")
EVENTS = enum_of("vgw_api.h", "vgw_event", "VGW_EVENT_")
ROUTE_PROTOCOLS = enum_of("vgw_vrouter.h", "vgw_route_protocol", "VGW_ROUTE_")
DROPS = names_of("vgw_drop.h", "VGW_DROPS")
POINTS = names_of("vgw_observe.h", "VGW_POINTS")

# --- structures of api/*.h; ctypes lays them out as the C compiler does ---


class Structure(ctypes.Structure):
    def to_dict(self):
        return {name: to_python(getattr(self, name)) for name, *_ in self._fields_ if not name.startswith("_pad")}


class Ip(Structure):
    _fields_ = [("family", u8), ("_pad", u8 * 3), ("bytes", u8 * 16)]


class Mac(Structure):
    _fields_ = [("bytes", u8 * 6)]


class Prefix(Structure):
    _fields_ = [("ip", Ip), ("length", u8), ("_pad", u8 * 3)]


class Counters(Structure):
    _fields_ = [("rx_packets", u64), ("rx_bytes", u64), ("tx_packets", u64), ("tx_bytes", u64)]


class Encap(Structure):
    _fields_ = [("kind", u8), ("_pad", u8), ("outer_tpid", u16), ("vlan", u16), ("inner_vlan", u16)]


def to_python(value):
    if isinstance(value, Ip):
        if value.family == 0:
            return None
        return str(ipaddress.ip_address(bytes(value.bytes)[:4 if value.family == 4 else 16]))
    if isinstance(value, Mac):
        return ":".join(f"{b:02x}" for b in value.bytes)
    if isinstance(value, Prefix):
        return f"{to_python(value.ip)}/{value.length}"
    if isinstance(value, Structure):
        return value.to_dict()
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, ctypes.Array):
        return [to_python(v) for v in value]
    return value


def to_ip(text):
    """An address, or None."""
    if text is None:
        return Ip()
    a = ipaddress.ip_address(text)
    return Ip(a.version, (0, 0, 0), (u8 * 16)(*a.packed))


def to_prefix(text):
    i = ipaddress.ip_interface(text)
    return Prefix(to_ip(str(i.ip)), i.network.prefixlen)


def to_mac(text):
    return Mac((u8 * 6)(*(int(b, 16) for b in text.split(":")))) if text else Mac()


RPF_NONE, RPF_STRICT, RPF_LOOSE = range(3)
ENCAP_UNTAGGED, ENCAP_DOT1Q, ENCAP_QINQ, ENCAP_OUTER, ENCAP_PORT = range(5)


def encap(kind=None, vlan=0, inner=0, tpid=None):
    """From what is given: no VLAN: untagged; vlan: 802.1Q; vlan and inner: QinQ, outer 0x88a8 unless told otherwise."""
    if kind is None:
        kind = ENCAP_QINQ if inner else ENCAP_DOT1Q if vlan else ENCAP_UNTAGGED
    if tpid is None:
        tpid = {ENCAP_DOT1Q: 0x8100, ENCAP_QINQ: 0x88A8, ENCAP_OUTER: 0x8100}.get(kind, 0)
    return Encap(kind, 0, tpid, vlan, inner)


class Port(Structure):
    _fields_ = [("id", u32), ("enabled", u8), ("client", u8), ("driver", u8), ("has_mac", u8), ("mac", Mac),
                ("mtu", u16), ("rx_queues", u8), ("zero_copy", u8), ("_pad", u8 * 2), ("rx_descriptors", u16), ("tx_descriptors", u16),
                ("device", ctypes.c_char * 108), ("netns", ctypes.c_char * 64)]


class Network(Structure):
    _fields_ = [("id", u32), ("network_id", u32), ("vfabric_id", u16), ("age_s", u16), ("flags", u32),
                ("mac_limit", u32), ("binding_limit", u32), ("binding_age_s", u16), ("_pad", u8 * 6)]


LEARNING, FLOOD_UNKNOWN, FLOOD_BROADCAST, FLOOD_MULTICAST, LINK_LOCAL_CONTROL, SUPPRESSION = 1, 2, 4, 8, 16, 32
UNLIMITED = 0xFFFFFFFF


class Attachment(Structure):
    _fields_ = [("id", u32), ("network", u32), ("port", u32), ("encap", Encap), ("enabled", u8), ("guarded", u8),
                ("guard_dhcp", u8), ("_pad", u8), ("mac_limit", u32), ("storm_pps", u32 * 3), ("binding_limit", u32),
                ("allowed_count", u32)]


class Allowed(Structure):
    _fields_ = [("ip", Ip), ("mac", Mac), ("_pad", u8 * 2)]


class Binding(Structure):
    _fields_ = [("id", u32), ("network", u32), ("ip", Ip), ("mac", Mac), ("is_router", u8), ("_pad", u8)]


class DhcpRelay(Structure):
    _fields_ = [("id", u32), ("interface", u32), ("source_interface", u32), ("enterprise", u32), ("min_secs", u16),
                ("max_hops", u8), ("agent_information", u8), ("server_id_override", u8), ("local_clients_only", u8),
                ("_pad", u8 * 2), ("remote_id", ctypes.c_char * 64), ("server_count", u32)]


AGENT_DROP, AGENT_KEEP, AGENT_REPLACE = range(3)


class StaticMac(Structure):
    _fields_ = [("id", u32), ("network", u32), ("attachment", u32), ("vtep", u32), ("remote", Ip), ("mac", Mac),
                ("_pad", u8 * 6)]


class Vrouter(Structure):
    _fields_ = [("id", u32), ("vfabric_id", u16), ("has_namespace", u8), ("_pad", u8), ("vfabric", ctypes.c_char * 64),
                ("name", ctypes.c_char * 64)]


class RouterAdvertisement(Structure):
    _fields_ = [("enabled", u8), ("managed", u8), ("other_config", u8), ("hop_limit", u8), ("on_link", u8),
                ("autonomous", u8), ("advertise_mtu", u8), ("rdnss_count", u8), ("min_interval_s", u16),
                ("max_interval_s", u16), ("lifetime_s", u16), ("_pad", u8 * 2), ("valid_lifetime_s", u32),
                ("preferred_lifetime_s", u32), ("rdnss_lifetime_s", u32), ("rdnss", Ip * 8)]


def to_router_advertisement(settings):
    """None: none. Else what differs from the model's defaults; rdnss: addresses."""
    if settings is None:
        return RouterAdvertisement()
    values = {"hop_limit": 64, "on_link": 1, "autonomous": 1, "min_interval_s": 198, "max_interval_s": 600,
              "lifetime_s": 1800, "valid_lifetime_s": 2592000, "preferred_lifetime_s": 604800,
              "rdnss_lifetime_s": 1800, **settings}
    servers = values.pop("rdnss", ())
    return RouterAdvertisement(enabled=1, rdnss_count=len(servers), rdnss=(Ip * 8)(*map(to_ip, servers)), **values)


class Interface(Structure):
    _fields_ = [("id", u32), ("vrouter", u32), ("port", u32), ("network", u32), ("kind", u8), ("enabled", u8),
                ("has_mac", u8), ("has_anycast_mac", u8), ("encap", Encap), ("mac", Mac), ("anycast_mac", Mac),
                ("mtu", u16), ("anycast_count", u16), ("name", ctypes.c_char * 64),
                ("rpf", u8), ("_pad", u8 * 3), ("router_advertisement", RouterAdvertisement),
                ("address_count", u32)]


class NextHop(Structure):
    _fields_ = [("ip", Ip), ("interface", u32), ("vni", u32), ("mac", Mac), ("weight", u8), ("_pad", u8)]


class Route(Structure):
    _fields_ = [("id", u32), ("vrouter", u32), ("prefix", Prefix), ("blackhole", u8), ("reject", u8), ("_pad", u8 * 2),
                ("next_hop_count", u32)]


class ImportRule(Structure):
    _fields_ = [("prefix", Prefix), ("length_min", u8), ("length_max", u8), ("protocols", u8), ("permit", u8)]


class Import(Structure):
    _fields_ = [("id", u32), ("vrouter", u32), ("source", u32), ("metric", u32), ("rule_count", u32)]


class Neighbour(Structure):
    _fields_ = [("id", u32), ("interface", u32), ("ip", Ip), ("mac", Mac), ("_pad", u8 * 6)]


class Vtep(Structure):
    _fields_ = [("id", u32), ("vrouter", u32), ("local", Ip), ("udp_port", u16), ("ttl", u8), ("dscp", u8),
                ("source_port_min", u16), ("source_port_max", u16), ("udp_checksum", u8), ("dont_fragment", u8),
                ("split_horizon_group", u8), ("has_router_mac", u8), ("router_mac", Mac), ("_pad", u8 * 2),
                ("multicast_interface", u32), ("remote_count", u32)]


class Vni(Structure):
    _fields_ = [("id", u32), ("vtep", u32), ("vni", u32), ("network", u32), ("vrouter", u32), ("group", Ip),
                ("learning", u8),
                ("known_only", u8), ("keep_tag", u8), ("_pad", u8), ("remote_count", u32)]


class PortState(Structure):
    _fields_ = [("id", u32), ("admin_up", u8), ("link_up", u8), ("present", u8), ("wake", u8), ("mac", Mac),
                ("mtu", u16), ("speed_mbps", u32), ("rx_queues", u8), ("tx_queues", u8), ("_pad", u8 * 2),
                ("driver", ctypes.c_char * 32), ("reason", ctypes.c_char * 128), ("counters", Counters),
                ("rx_missed", u64), ("rx_errors", u64), ("tx_dropped", u64)]


class PortQueueState(Structure):
    _fields_ = [("port", u32), ("tx", u8), ("queue", u8), ("worker", u8), ("_pad", u8), ("packets", u64),
                ("bytes", u64)]


class NetworkState(Structure):
    _fields_ = [("id", u32), ("attachments", u32), ("vnis", u32), ("macs", u32), ("mac_moves", u64),
                ("mac_limit_exceeded", u64), ("flooded", u64), ("counters", Counters), ("bindings", u32),
                ("_pad", u32), ("binding_moves", u64), ("binding_limit_exceeded", u64), ("suppressed", u64),
                ("unsuppressed", u64)]


class AttachmentState(Structure):
    _fields_ = [("id", u32), ("macs", u32), ("up", u8), ("_pad", u8 * 7), ("storm_drops", u64), ("counters", Counters),
                ("bindings", u32), ("_pad2", u32), ("guard_drops", u64)]


class BindingState(Structure):
    _fields_ = [("network", u32), ("attachment", u32), ("vtep", u32), ("interface", u32), ("remote", Ip), ("ip", Ip),
                ("mac", Mac), ("origin", u8), ("is_router", u8), ("age_s", u32), ("left_s", u32)]


class MacState(Structure):
    _fields_ = [("network", u32), ("attachment", u32), ("vtep", u32), ("vni", u32), ("interface", u32),
                ("remote", Ip), ("mac", Mac), ("is_static", u8), ("_pad", u8), ("age_s", u32)]


class InterfaceState(Structure):
    _fields_ = [("id", u32), ("up", u8), ("duplicates", u8), ("mac", Mac), ("mtu", u16), ("_pad2", u8 * 2),
                ("counters", Counters)]


class NeighbourState(Structure):
    _fields_ = [("interface", u32), ("ip", Ip), ("mac", Mac), ("status", u8), ("_pad", u8), ("age_s", u32)]


class RouteState(Structure):
    _fields_ = [("vrouter", u32), ("prefix", Prefix), ("protocol", u8), ("blackhole", u8), ("active", u8),
                ("weight", u8), ("interface", u32), ("next_hop", Ip), ("vtep", u32), ("vni", u32), ("mac", Mac),
                ("origin", u8),
                ("_pad", u8), ("metric", u32), ("source", u32)]


class VtepState(Structure):
    _fields_ = [("id", u32), ("vnis", u32), ("tunnels", u32), ("router_mac", Mac), ("up", u8), ("_pad", u8 * 5)]


class TunnelState(Structure):
    _fields_ = [("vtep", u32), ("remote", Ip), ("origin", u8), ("up", u8), ("inner_mtu", u16), ("macs", u32),
                ("counters", Counters)]


class TunnelHopState(Structure):
    _fields_ = [("vtep", u32), ("remote", Ip), ("interface", u32), ("next_hop", Ip), ("mac", Mac), ("active", u8),
                ("_pad", u8), ("tx_packets", u64)]


class DropState(Structure):
    _fields_ = [("reason", u32), ("_pad", u32), ("packets", u64)]


class SystemState(Structure):
    _fields_ = [("uptime_s", u32), ("generation", u32), ("workers", u32), ("huge_pages", u8), ("_pad", u8 * 3),
                ("version", ctypes.c_char * 32)]


class WorkerState(Structure):
    _fields_ = [("id", u32), ("cpu", u32), ("busy_percent", u32), ("cycles_per_packet", u32), ("packets", u64),
                ("sleeps", u64)]


class StageState(Structure):
    _fields_ = [("worker", u32), ("cycles_per_packet", u32), ("packets", u64), ("vectors", u64),
                ("name", ctypes.c_char * 24)]


class MemoryState(Structure):
    _fields_ = [("objects", u64), ("bytes", u64), ("name", ctypes.c_char * 48)]


STATES = {"system": SystemState, "port": PortState, "port_queue": PortQueueState, "network": NetworkState,
          "attachment": AttachmentState, "mac": MacState, "interface": InterfaceState, "neighbour": NeighbourState,
          "route": RouteState, "vtep": VtepState, "tunnel": TunnelState, "tunnel_hop": TunnelHopState,
          "drop": DropState, "worker": WorkerState, "stage": StageState, "memory": MemoryState, "binding": BindingState}


class VrouterState(Structure):
    _fields_ = [("id", u32), ("interfaces", u32), ("routes", u32), ("_pad", u32)]


class RouterAdvertisementState(Structure):
    _fields_ = [("interface", u32), ("active", u8), ("_pad", u8 * 3), ("source", Ip), ("next_s", u32), ("sent", u64),
                ("answers", u64), ("solicitations", u64), ("invalid_solicitations", u64)]


STATES["vrouter"] = VrouterState


class DhcpRelayCounters(Structure):
    _fields_ = [("requests", u64), ("replies", u64), ("drops", u64)]


class DhcpRelayState(Structure):
    _fields_ = [("id", u32), ("interface", u32), ("ipv4", DhcpRelayCounters), ("ipv6", DhcpRelayCounters),
                ("unmarked", u64)]


STATES |= {"dhcp_relay": DhcpRelayState, "router_advertisement": RouterAdvertisementState}


class ClearMacs(Structure):
    _fields_ = [("network", u32), ("attachment", u32), ("vtep", u32), ("remote", Ip), ("mac", Mac), ("has_mac", u8),
                ("_pad", u8)]


class ClearBindings(Structure):
    _fields_ = [("network", u32), ("attachment", u32), ("ip", Ip), ("_pad", u32)]


class ClearNeighbours(Structure):
    _fields_ = [("vrouter", u32), ("_pad", u32)]


class ClearCounters(Structure):
    _fields_ = []


class Ping(Structure):
    _fields_ = [("vrouter", u32), ("ip", Ip), ("source", Ip), ("size", u16), ("timeout_ms", u16),
                ("dont_fragment", u8), ("ttl", u8), ("_pad", u8 * 2), ("flow", u32)]


class FibLookup(Structure):
    _fields_ = [("vrouter", u32), ("ip", Ip)]


class FibHop(Structure):
    _fields_ = [("ip", Ip), ("interface", u32), ("vtep", u32), ("vni", u32), ("mac", Mac), ("usable", u8), ("_pad", u8)]


class FibResult(Structure):
    _fields_ = [("kind", u8), ("_pad", u8 * 3), ("hop_count", u32), ("hops", FibHop * 64)]


class PingResult(Structure):
    _fields_ = [("status", u8), ("ttl", u8), ("icmp_type", u8), ("icmp_code", u8), ("time_us", u32), ("from_", Ip),
                ("_pad", u32)]


class Observe(Structure):
    _fields_ = [("points", u32), ("snap", u32), ("limit", u32), ("port", u32), ("network", u32), ("vni", u32),
                ("has_vni", u8), ("has_mac", u8), ("mac", Mac), ("ip", Ip), ("ethertype", u16), ("ip_protocol", u8),
                ("drop_only", u8), ("drop_reason", u16), ("_pad", u16)]


class ObserveStop(Structure):
    _fields_ = [("observation", u32), ("_pad", u32)]


class Observed(Structure):
    _fields_ = [("observation", u32), ("packet", u32), ("lost", u32), ("point", u8), ("worker", u8),
                ("drop_reason", u16), ("port", u32), ("network", u32), ("attachment", u32), ("vtep", u32),
                ("remote", Ip), ("vni", u32), ("length", u32), ("captured", u32), ("time_ns", u64)]


class MacEvent(Structure):
    _fields_ = [("network", u32), ("attachment", u32), ("vtep", u32), ("remote", Ip), ("mac", Mac), ("_pad", u8 * 2)]


class PortEvent(Structure):
    _fields_ = [("id", u32), ("link_up", u8), ("present", u8), ("_pad", u8 * 2)]


class NeighbourEvent(Structure):
    _fields_ = [("interface", u32), ("ip", Ip), ("mac", Mac), ("up", u8), ("_pad", u8)]


ARGUMENTS = {"clear_macs": ClearMacs, "clear_bindings": ClearBindings, "clear_neighbours": ClearNeighbours,
             "clear_counters": ClearCounters, "ping": Ping, "observe_start": Observe, "observe_stop": ObserveStop,
             "fib_lookup": FibLookup}
RESULTS = {"ping": PingResult, "fib_lookup": FibResult}
EVENT_BODIES = {"mac_learned": MacEvent, "mac_moved": MacEvent, "mac_aged": MacEvent, "port": PortEvent,
                "neighbour": NeighbourEvent, "observed": Observed}


# --- messages ---

HEADER = struct.Struct("=IHHII")  # struct vgw_header
ACK = struct.Struct("=iIII192s")
REFUSAL = struct.Struct("=Ii192s")
ACTION_REPLY = struct.Struct("=iI192s")
QUERY_REPLY = struct.Struct("=IIIIQ")
EVENT = struct.Struct("=IIQ")


class ApiError(Exception):
    def __init__(self, error, text, /, **more):
        super().__init__(f"{os.strerror(-error)}: {text}")
        self.errno, self.text, self.more = -error, text, more


class ClientClosed(Exception):
    """The data plane closed the client; .ack is what it said before."""

    def __init__(self, ack):
        super().__init__(ack)
        self.ack = ack


def text_of(raw):
    return raw.split(b"\0")[0].decode()


def message(kind, body=b"", request=1, version=1, length=None):
    size = HEADER.size + len(body)
    return HEADER.pack(size if length is None else length, kind, version, request, 0) + body


def item(name, body, op=1):
    """One item of a DECLARE."""
    body = bytes(body)
    body += bytes(-len(body) % 8)
    return struct.pack("=HBBI", OBJECTS[name] if isinstance(name, str) else name, op, 0, len(body)) + body


def declare_message(generation, *items):
    return message(MESSAGES["declare"], struct.pack("=II", generation, len(items)) + b"".join(items))


class Client:
    """One connection to the API. The gateway's own is gateway.client."""

    def __init__(self, harness, name="test", hello=True):
        self.harness = harness
        self.number = struct.unpack("=I", harness.command(b"C"))[0]
        self.pending = []  # events that came among answers
        self.generation = 1
        if hello:
            self.request(message(MESSAGES["hello"], name.encode().ljust(64, b"\0")))

    def close(self):
        self.harness.command(b"X" + struct.pack("=I", self.number))

    def split(self, raw):
        """-> messages, and whether the client is closed."""
        found, closed = [], False
        while raw:
            (size,) = struct.unpack_from("=I", raw)
            raw = raw[4:]
            if size == 0xFFFFFFFF:
                closed = True
            else:
                found.append(raw[:size])
                raw = raw[size:]
        return found, closed

    def raw(self, data):
        """Sends bytes as one message. -> (messages that came, whether the client was closed)."""
        return self.split(self.harness.command(b"A" + struct.pack("=I", self.number) + data))

    def request(self, data):
        """Sends a message; -> (type, body) of its answer. Events wait in self.pending."""
        messages, closed = self.raw(data)
        answer = None
        for m in messages:
            length, kind, version, request, _ = HEADER.unpack_from(m)
            assert length == len(m) and version == 1
            if kind == MESSAGES["event"]:
                self.pending.append(m)
            else:
                assert answer is None, "two answers to one request"
                answer = (kind, m[HEADER.size:])
        if closed:
            raise ClientClosed(self.ack_of(answer[1]) if answer and answer[0] == MESSAGES["ack"] else None)
        assert answer is not None, "no answer"
        return answer

    @staticmethod
    def ack_of(body):
        error, applied, failed_item, swept, text = ACK.unpack_from(body)
        more = [(item, e, text_of(t)) for item, e, t in REFUSAL.iter_unpack(body[ACK.size:])]
        return {"error": error, "applied": applied, "failed_item": failed_item, "swept": swept, "text": text_of(text),
                "refusals": more}

    def ack(self, data):
        """Sends a message that is answered by an ACK; raises ApiError when that says so."""
        kind, body = self.request(data)
        assert kind == MESSAGES["ack"], kind
        ack = self.ack_of(body)
        if ack["error"] < 0:
            raise ApiError(ack.pop("error"), ack.pop("text"), **ack)
        return ack

    def begin(self, generation):
        ack = self.ack(message(MESSAGES["generation_begin"], struct.pack("=II", generation, 0)))
        self.generation = generation
        return ack

    def end(self):
        """-> how many objects were swept."""
        return self.ack(message(MESSAGES["generation_end"], struct.pack("=II", self.generation, 0)))["swept"]

    def declare(self, *items):
        return self.ack(declare_message(self.generation, *items))

    def query(self, name, filter=0, max=0):
        """All records, over as many answers as it takes. -> list of dicts."""
        kind, records, cursor = QUERIES[name], [], 0
        structure = STATES[name]
        while True:
            reply, body = self.request(message(MESSAGES["query"], struct.pack("=IIQII", kind, filter, cursor, max, 0)))
            if reply == MESSAGES["ack"]:
                ack = self.ack_of(body)
                raise ApiError(ack["error"], ack["text"])
            _, size, count, _, cursor = QUERY_REPLY.unpack_from(body)
            assert size == ctypes.sizeof(structure), f"struct of {name}: {size} bytes in C"
            body = body[QUERY_REPLY.size:]
            assert len(body) == size * count
            records += [structure.from_buffer_copy(body, i * size).to_dict() for i in range(count)]
            if cursor == 0:
                return records

    def action(self, name, arguments=None):
        """-> {"value": ..., "result": dict or None}, or None while it is pending (see answer())."""
        body = bytes(arguments if arguments is not None else ARGUMENTS[name]())
        messages, closed = self.raw(message(MESSAGES["action"], struct.pack("=II", ACTIONS[name], 0) + body))
        assert not closed
        return self.action_answer(name, messages)

    def action_answer(self, name, messages):
        answer = None
        for m in messages:
            kind = HEADER.unpack_from(m)[1]
            if kind == MESSAGES["event"]:
                self.pending.append(m)
            elif kind == MESSAGES["ack"]:
                ack = self.ack_of(m[HEADER.size:])
                raise ApiError(ack["error"], ack["text"])
            else:
                assert kind == MESSAGES["action_reply"]
                answer = m[HEADER.size:]
        if answer is None:
            return None
        error, value, text = ACTION_REPLY.unpack_from(answer)
        if error < 0:
            raise ApiError(error, text_of(text))
        rest = answer[ACTION_REPLY.size:]
        result = RESULTS[name].from_buffer_copy(rest).to_dict() if name in RESULTS and rest else None
        return {"value": value, "result": result}

    def answer(self, name):
        """The answer of a pending action, if it has come meanwhile."""
        messages, closed = self.split(self.harness.command(b"E" + struct.pack("=I", self.number)))
        assert not closed
        return self.action_answer(name, messages)

    def subscribe(self, *names):
        mask = sum(1 << EVENTS[n] for n in names)
        self.ack(message(MESSAGES["subscribe"], struct.pack("=Q", mask)))

    def events(self):
        """Events since the last call: [{"event": name, fields of its structure..., "bytes": what follows}]."""
        messages, closed = self.split(self.harness.command(b"E" + struct.pack("=I", self.number)))
        assert not closed
        found, names = [], {v: k for k, v in EVENTS.items()}
        for m in self.pending + messages:
            assert HEADER.unpack_from(m)[1] == MESSAGES["event"]
            event, _, time_ns = EVENT.unpack_from(m, HEADER.size)
            body = m[HEADER.size + EVENT.size:]
            e = {"event": names[event], "time_ns": time_ns}
            structure = EVENT_BODIES.get(names[event])
            if structure:
                e.update({k: v for k, v in structure.from_buffer_copy(body).to_dict().items() if k != "time_ns"})
                e["bytes"] = body[ctypes.sizeof(structure):]
            if names[event] == "observed":
                e["point"] = POINTS[e["point"]]
                e["drop_reason"] = DROPS[e["drop_reason"]] if e["point"] == "drop" else None
            found.append(e)
        self.pending = []
        return found


class Mould:
    """A data plane that has just started, of which tests get copies (mould.c). One for each number of workers."""

    moulds = {}

    def __init__(self, workers):
        path = os.environ.get("VGW_HARNESS", str(BUILD / "test/packet/harness"))
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(60)
        self.process = subprocess.Popen([path, str(workers)], stdin=theirs, stdout=subprocess.DEVNULL)
        theirs.close()

    @classmethod
    def of(cls, workers):
        if workers not in cls.moulds:
            cls.moulds[workers] = cls(workers)
        return cls.moulds[workers]

    def ask(self, kind, pid=0, fds=()):
        socket.send_fds(self.socket, [struct.pack("=ic3x", pid, kind)], fds)
        answer = self.socket.recv(4)
        assert answer, f"the harness ended with status {self.process.wait()}"
        return struct.unpack("=i", answer)[0]


class Harness:
    """A data plane's process; one command at a time."""

    def __init__(self, workers=1):
        self.mould = Mould.of(workers)
        theirs_in, ours_in = os.pipe()
        ours_out, theirs_out = os.pipe()
        self.pid = self.mould.ask(b"F", fds=[theirs_in, theirs_out])
        os.close(theirs_in)
        os.close(theirs_out)
        self.stdin, self.stdout = os.fdopen(ours_in, "wb"), os.fdopen(ours_out, "rb")
        self.status = None

    def command(self, data):
        try:
            self.stdin.write(struct.pack("=I", len(data)) + data)
            self.stdin.flush()
            head = self.stdout.read(4)
            (size,) = struct.unpack("=I", head)
        except (BrokenPipeError, struct.error):
            raise AssertionError(f"the harness ended with status {self.wait()}") from None
        body = self.stdout.read(size)
        assert len(body) == size, f"the harness ended with status {self.wait()}"
        return body

    def wait(self):
        """Its exit status; above 256: the signal that ended it."""
        if self.status is None:
            self.status = self.mould.ask(b"W", self.pid)
        return self.status

    def kill(self):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
        self.close()

    def close(self):
        """Its exit status, once it has ended."""
        try:
            self.stdin.close()
        except BrokenPipeError:
            pass
        status = self.wait()
        self.stdout.close()
        return status


class Gateway:
    """What a test works with."""

    def __init__(self, workers=1):
        self.harness = Harness(workers)
        self.client = Client(self.harness)
        self.client.begin(1)

    # objects

    def port(self, id, **settings):
        """A port of rings, as if a device of that API id were there: up, MTU 1500. settings: see port_set()."""
        (rc,) = struct.unpack("=i", self.harness.command(b"P" + struct.pack("=I", id)))
        assert rc == 0, os.strerror(-rc)
        if settings:
            self.port_set(id, **settings)

    def port_set(self, id, mtu=1500, enabled=True, mac=None):
        """Declares the port: its configuration changes, its device stays the rings."""
        self.declare("port", Port(id=id, enabled=enabled, has_mac=mac is not None, mac=to_mac(mac), mtu=mtu,
                                  rx_queues=1, rx_descriptors=1024, tx_descriptors=1024, device=b"test:rings"))

    def link(self, port, up):
        (rc,) = struct.unpack("=i", self.harness.command(b"U" + struct.pack("=IB", port, up)))
        assert rc == 0, os.strerror(-rc)
        self.advance(1)

    def declare(self, name, body):
        return self.client.declare(item(name, body))

    def delete(self, name, number):
        return self.client.declare(item(name, struct.pack("=II", number, 0), op=2))

    def network(self, id, network_id=None, vfabric_id=0, age_s=300, learning=True, flood_unknown=True,
                flood_broadcast=True, flood_multicast=True, link_local_control=False, mac_limit=0, suppression=False,
                binding_limit=0, binding_age_s=1200):
        flags = (learning * LEARNING | flood_unknown * FLOOD_UNKNOWN | flood_broadcast * FLOOD_BROADCAST |
                 flood_multicast * FLOOD_MULTICAST | link_local_control * LINK_LOCAL_CONTROL | suppression * SUPPRESSION)
        self.declare("network", Network(id, id if network_id is None else network_id, vfabric_id, age_s, flags,
                                        mac_limit, binding_limit, binding_age_s))

    def attachment(self, id, network, port, kind=None, vlan=0, inner=0, tpid=None, enabled=True, mac_limit=0,
                   storm=(UNLIMITED, UNLIMITED, UNLIMITED), binding_limit=0, guard=None, guard_dhcp=True):
        """storm: packets/s of broadcast, multicast, unknown unicast. guard: the pairs (MAC, address or None) that
        frames may have as their source; None: any."""
        body = Attachment(id, network, port, encap(kind, vlan, inner, tpid), enabled, guard is not None, guard_dhcp, 0,
                          mac_limit, (u32 * 3)(*storm), binding_limit, len(guard or ()))
        self.declare("attachment", bytes(body) + b"".join(bytes(Allowed(to_ip(a), to_mac(m))) for m, a in guard or ()))

    def binding(self, id, network, ip, mac, router=False):
        self.declare("binding", Binding(id, network, to_ip(ip), to_mac(mac), router))

    def bindings(self, network=0):
        """{address: record}"""
        return {r["ip"]: r for r in self.query("binding", filter=network)}

    def dhcp_relay(self, id, interface, servers, source_interface=0, max_hops=4, min_secs=0,
                   agent_information=AGENT_DROP, server_id_override=True, local_clients_only=False, remote_id="",
                   enterprise=0):
        body = DhcpRelay(id, interface, source_interface, enterprise, min_secs, max_hops, agent_information,
                         server_id_override, local_clients_only, (0, 0), remote_id.encode(), len(servers))
        self.declare("dhcp_relay", bytes(body) + b"".join(bytes(to_ip(s)) for s in servers))

    def static_mac(self, id, network, mac, attachment=0, vtep=0, remote=None):
        self.declare("static_mac", StaticMac(id, network, attachment, vtep, to_ip(remote), to_mac(mac)))

    def vrouter(self, id, name="", vfabric_id=0, vfabric=""):
        """A network namespace of its own, with TAPs, it has when a vfabric is named."""
        self.declare("vrouter", Vrouter(id, vfabric_id, bool(vfabric), 0, vfabric.encode(),
                                        (name or f"vrouter{id}").encode()))

    def interface(self, id, vrouter, port=0, addresses=(), vlan=0, inner=0, tpid=None, mac=None, mtu=0,
                  enabled=True, network=0, anycast=(), anycast_mac=None, name="", rpf=0,
                  router_advertisement=None):
        """With a port: routed; with a network: IRB; else a loopback. addresses: "192.0.2.1/24"; anycast: those that
        other leaves have too. rpf: RPF_STRICT, RPF_LOOSE. router_advertisement: a dict, None: none."""
        kind = 0 if port else 2 if network else 1
        body = Interface(id, vrouter, port, network, kind, enabled, mac is not None, anycast_mac is not None,
                         encap(None, vlan, inner, tpid), to_mac(mac), to_mac(anycast_mac), mtu, len(anycast),
                         name.encode(), rpf, (0, 0, 0), to_router_advertisement(router_advertisement),
                         len(addresses) + len(anycast))
        self.declare("interface", bytes(body) + b"".join(bytes(to_prefix(a)) for a in (*addresses, *anycast)))

    def route(self, id, vrouter, prefix, next_hops=(), blackhole=False, reject=False):
        """next_hops: addresses, (address, interface id, weight), or remote VTEPs: (address, VNI object, router MAC)."""
        hops = [NextHop(ip=to_ip(h), weight=1) if isinstance(h, str) else
                NextHop(ip=to_ip(h[0]), vni=h[1], mac=to_mac(h[2]), weight=1) if isinstance(h[2], str) else
                NextHop(ip=to_ip(h[0]), interface=h[1], weight=h[2]) for h in next_hops]
        body = Route(id, vrouter, to_prefix(prefix), blackhole, reject, (0, 0), len(hops))
        self.declare("route", bytes(body) + b"".join(map(bytes, hops)))

    def import_routes(self, id, vrouter, source, rules, metric=0):
        """rules: a prefix, or a dict of prefix (None: any), ge, le, protocols (names), permit."""
        def to_rule(rule):
            rule = {"prefix": rule} if isinstance(rule, str) else rule
            prefix = to_prefix(rule["prefix"]) if rule.get("prefix") else Prefix()
            least = rule.get("ge", prefix.length)
            most = rule.get("le", (32 if prefix.ip.family == 4 else 128) if "ge" in rule else least)
            names = sum(1 << ROUTE_PROTOCOLS[name] for name in rule.get("protocols", ()))
            return ImportRule(prefix, least, most, names, rule.get("permit", True))
        body = Import(id, vrouter, source, metric, len(rules))
        self.declare("import", bytes(body) + b"".join(bytes(to_rule(r)) for r in rules))

    def neighbour(self, id, interface, ip, mac):
        self.declare("neighbour", Neighbour(id, interface, to_ip(ip), to_mac(mac)))

    def vtep(self, id, vrouter, local, remotes=(), udp_port=4789, ttl=64, dscp=0, source_ports=(49152, 65535),
             udp_checksum=0, dont_fragment=True, group=1, multicast_interface=0, router_mac=None):
        """group: split-horizon group; dscp 255: inherited."""
        body = Vtep(id, vrouter, to_ip(local), udp_port, ttl, dscp, *source_ports, udp_checksum, dont_fragment, group,
                    router_mac is not None, to_mac(router_mac), (0, 0), multicast_interface, len(remotes))
        self.declare("vtep", bytes(body) + b"".join(bytes(to_ip(r)) for r in remotes))

    def vni(self, id, vtep, vni, network=0, remotes=(), group=None, learning=True, known_only=False, keep_tag=False,
            vrouter=0):
        """network: an L2 VNI; vrouter: an L3 VNI."""
        body = Vni(id, vtep, vni, network, vrouter, to_ip(group), learning, known_only, keep_tag, 0, len(remotes))
        self.declare("vni", bytes(body) + b"".join(bytes(to_ip(r)) for r in remotes))

    # packets and time

    def inject(self, port, *frames, segment=0):
        """Puts frames (scapy's, or bytes) into a port's receive ring. segment: bytes an mbuf, 0: as many as fit."""
        data = b"".join(struct.pack("=H", len(f)) + f for f in map(bytes, frames))
        self.harness.command(b"I" + struct.pack("=IH", port, segment) + data)

    def run(self):
        return struct.unpack("=I", self.harness.command(b"R"))[0]

    def take(self):
        """What ports have sent: {port: [bytes, ...]}, only ports that sent something."""
        raw, out = self.harness.command(b"T"), {}
        while raw:
            port, length = struct.unpack_from("=IH", raw)
            out.setdefault(port, []).append(raw[6:6 + length])
            raw = raw[6 + length:]
        return out

    def send(self, port, *frames, segment=0):
        """inject, run, take."""
        self.inject(port, *frames, segment=segment)
        self.run()
        return self.take()

    def advance(self, seconds, step=1.0):
        """Moves the clock, step by step; what is due runs after each."""
        while seconds > 0:
            now = min(seconds, step)
            self.harness.command(b"K" + struct.pack("=Q", int(now * 1e9)))
            seconds -= now

    # state

    def query(self, name, filter=0, max=0):
        return self.client.query(name, filter, max)

    def state(self, name, id):
        """The one record of that id."""
        (record,) = [r for r in self.query(name) if r["id"] == id]
        return record

    def counters(self, name, id):
        """rx_packets, rx_bytes, tx_packets, tx_bytes of a port, attachment, network, interface."""
        return self.state(name, id)["counters"]

    def drops(self):
        """{reason: packets}, those that are not zero. "consumed" is what the main thread took in as it should."""
        return {DROPS[r["reason"]]: r["packets"] for r in self.query("drop") if r["packets"]}

    def macs(self, network=0):
        """{mac: record}"""
        return {r["mac"]: r for r in self.query("mac", filter=network)}

    def action(self, name, **arguments):
        """Arguments are the structure's fields; addresses and MACs as text. -> see Client.action()."""
        structure = ARGUMENTS[name]()
        for key, value in arguments.items():
            kind = dict((f[0], f[1]) for f in structure._fields_)[key]
            setattr(structure, key, to_ip(value) if kind is Ip else to_mac(value) if kind is Mac else value)
        return self.client.action(name, structure)

    def observe(self, *points, **arguments):
        """Starts an observation at the points named (none: all); -> its id. Records: gateway.events()."""
        mask = sum(1 << POINTS.index(p) for p in points or POINTS)
        if "mac" in arguments:
            arguments["has_mac"] = 1
        if "vni" in arguments:
            arguments["has_vni"] = 1
        if isinstance(arguments.get("drop_reason"), str):
            arguments["drop_reason"] = DROPS.index(arguments["drop_reason"]) + 1
        return self.action("observe_start", points=mask, **arguments)["value"]

    def subscribe(self, *names):
        self.client.subscribe(*names)

    def events(self):
        return self.client.events()

    def mbufs_in_use(self):
        return struct.unpack("=I", self.harness.command(b"M"))[0]

    def stop(self):
        """Ends the process; checks that no packet was lost from sight on the way."""
        self.run()
        self.take()
        in_use = self.mbufs_in_use()
        status = self.harness.close()
        assert status == 0, f"the harness ended with status {status}"
        assert in_use == 0, f"{in_use} mbufs leaked"
