# SPDX-License-Identifier: Apache-2.0
"""The cases: what is sent, what the tables hold, and what is promised."""
import dataclasses


@dataclasses.dataclass
class Case:
    name: str
    direction: str = "encap"     # encap (from left to right), decap, both
    flows: int = 1               # pairs of MACs; routed: hosts on the right, or prefixes
    vnis: int = 1                # more than one: attachments by VLAN, more than 4,000: by QinQ
    size: int = 64               # of the inner frame without FCS; 0: IMIX
    ipv6: bool = False           # the underlay
    local: bool = False          # between two ports, no tunnel
    routed: bool = False         # between two networks that a vrouter has interfaces on
    full_table: bool = False     # routed: by as many prefixes, of the lengths that BGP's tables have
    remotes: int = 0             # broadcasts, replicated to so many
    new_macs: int = 0            # a second
    workers: int = 1
    target: float = 0.0          # of the ceiling
    times_ovs: float = 2.0       # as fast as Open vSwitch, at least
    peers: tuple = ("ovs", "linux")
    like: str = ""               # IPv6: the case over IPv4 that it is compared with (target: of that one)
    quick: bool = False          # part of QUICK=1: whatever target there is, but for what takes minutes twice

    @property
    def copies(self):
        """Frames that come out for one that goes in."""
        return max(self.remotes, 1)


def _pairs(name, in_quick=True, **settings):
    for direction in ("encap", "decap"):
        yield Case(f"{direction} {name}", direction=direction, quick=in_quick and "target" in settings, **settings)


def _routed(name, **settings):
    """Between two ports, and from a port into a VNI."""
    yield Case(f"routing {name}, local", routed=True, local=True, quick="target" in settings, **settings)
    yield Case(f"routing {name}, into a VNI", routed=True, quick="target" in settings, **settings)


CASES = [
    *_pairs("1 MAC, 1 VNI", target=0.70),
    *_pairs("1,000 MACs, 1 VNI", flows=1000, target=0.65),
    *_pairs("100,000 MACs, 1,000 VNIs", flows=100000, vnis=1000, target=0.45, times_ovs=5.0),
    *_pairs("1,000,000 MACs, 1,000,000 VNIs", flows=1000000, vnis=1000000, target=0.30, peers=()),
    *(dataclasses.replace(c, like=c.name.replace(", IPv6", "")) for c in
      (*_pairs("1 MAC, 1 VNI, IPv6", ipv6=True, target=0.9, peers=("ovs",)),
       *_pairs("1,000 MACs, 1 VNI, IPv6", flows=1000, ipv6=True, target=0.9, peers=("ovs",)),
       *_pairs("100,000 MACs, 1,000 VNIs, IPv6", flows=100000, vnis=1000, ipv6=True, target=0.9, peers=()),
       *_pairs("1,000,000 MACs, 1,000,000 VNIs, IPv6", flows=1000000, vnis=1000000, ipv6=True, target=0.9, peers=(), in_quick=False))),
    *_pairs("1,000 MACs, 512 bytes", flows=1000, size=512),
    *_pairs("1,000 MACs, 1500 bytes", flows=1000, size=1500),
    *_pairs("1,000 MACs, IMIX", flows=1008, size=0),
    Case("bridging 1,000 MACs", flows=1000, local=True),
    *_routed("1 host"),
    *_routed("1,000 hosts", flows=1000, target=0.60),
    *_routed("1,000,000 hosts", flows=1000000, peers=()),
    *_routed("a full IPv4 table", flows=1000000, full_table=True, peers=("linux",)),
    Case("routing 1,000 hosts, from a VNI", flows=1000, routed=True, direction="decap"),
    Case("replication to 2", remotes=2),
    Case("replication to 16", remotes=16, target=0.5, quick=True),
    Case("replication to 128", remotes=128),
    Case("replication to 16, IPv6", remotes=16, ipv6=True, like="replication to 16", target=0.9, peers=("ovs",), quick=True),
    Case("routing 1,000 hosts, into a VNI, IPv6", flows=1000, routed=True, ipv6=True, target=0.9, peers=(),
         like="routing 1,000 hosts, into a VNI", quick=True),
    Case("learning 100,000 MACs/s", flows=1000, new_macs=100000, peers=("ovs",)),
    Case("mix: both ways, IMIX, 1,000 MACs", direction="both", flows=1008, size=0),
    Case("two workers: encap 1,000 MACs, 1 VNI", flows=1000, workers=2, peers=("ovs",)),
    Case("two workers: decap 1,000 MACs, 1 VNI", flows=1000, workers=2, direction="decap", peers=("ovs",)),
]

RIGHT_MAC, OUTER_MAC = "02:00:00:00:00:02", "02:00:00:00:00:ee"

# Of routed cases, as the generator has it (bench/generator/frames.c).
IRB_MAC = "02:00:00:00:00:f1"
LEFT_NETWORK, RIGHT_NETWORK = "10.127.255.254/9", "10.255.255.254/9"  # the gateway's addresses in them
LEFT_HOSTS, ROUTERS = 1000, 16


def left_hosts(case):
    """(address, MAC) as numbers of bytes, of each."""
    for i in range(min(case.flows, LEFT_HOSTS)):
        yield (0x0a000001 + i).to_bytes(4, "big"), bytes((2, 0xaa)) + i.to_bytes(4, "big")


def right_hosts(case):
    """The same; with a full table: of each next hop."""
    for i in range(ROUTERS if case.full_table else case.flows):
        yield (0x0a800001 + i).to_bytes(4, "big"), bytes((2, 0xbb)) + i.to_bytes(4, "big")


def next_hop(first_byte):
    """The address of the router that a full table's prefix leads to."""
    return (0x0a800001 + first_byte % ROUTERS).to_bytes(4, "big")


def addresses(case):
    """The gateway's underlay address, the remote VTEP's (the first of them), and the prefix length of their wire."""
    return ("2001:db8::1", "2001:db8::1:0", 64) if case.ipv6 else ("198.18.0.1", "198.18.0.20", 16)
