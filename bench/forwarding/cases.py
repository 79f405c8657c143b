# SPDX-License-Identifier: Apache-2.0
"""The cases: what is sent, what the tables hold, and what is promised."""
import dataclasses


@dataclasses.dataclass
class Case:
    name: str
    direction: str = "encap"     # encap, decap, both
    flows: int = 1               # pairs of MACs
    vnis: int = 1                # more than one: attachments by VLAN, more than 4,000: by QinQ
    size: int = 64               # of the inner frame without FCS; 0: IMIX
    ipv6: bool = False           # the underlay
    local: bool = False          # bridging between two ports, no tunnel
    remotes: int = 0             # broadcasts, replicated to so many
    new_macs: int = 0            # a second
    target: float = 0.0          # of the ceiling
    peers: tuple = ("ovs", "linux")
    like: str = ""               # IPv6: the case over IPv4 that it is compared with (target: of that one)
    quick: bool = False          # part of QUICK=1


def _pairs(name, **settings):
    for direction in ("encap", "decap"):
        yield Case(f"{direction} {name}", direction=direction, **settings)


CASES = [
    *_pairs("1 MAC, 1 VNI", target=0.70, quick=True),
    *_pairs("1,000 MACs, 1 VNI", flows=1000, target=0.65, quick=True),
    *_pairs("100,000 MACs, 1,000 VNIs", flows=100000, vnis=1000, target=0.45, quick=True),
    *_pairs("1,000,000 MACs, 1,000,000 VNIs", flows=1000000, vnis=1000000, target=0.30, peers=()),
    *_pairs("1,000 MACs, 512 bytes", flows=1000, size=512),
    *_pairs("1,000 MACs, 1500 bytes", flows=1000, size=1500),
    *_pairs("1,000 MACs, IMIX", flows=1008, size=0),
    *(dataclasses.replace(c, like=c.name.replace(", IPv6", "")) for c in
      (*_pairs("1 MAC, 1 VNI, IPv6", ipv6=True, target=0.9, peers=("ovs",)),
       *_pairs("1,000 MACs, 1 VNI, IPv6", flows=1000, ipv6=True, target=0.9, peers=("ovs",)))),
    Case("bridging 1,000 MACs", flows=1000, local=True),
    Case("replication to 2", remotes=2),
    Case("replication to 16", remotes=16, target=0.5, quick=True),
    Case("replication to 128", remotes=128),
    Case("learning 100,000 MACs/s", flows=1000, new_macs=100000, peers=("ovs",)),
    Case("mix: both ways, IMIX, 1,000 MACs", direction="both", flows=1008, size=0),
]

RIGHT_MAC, OUTER_MAC = "02:00:00:00:00:02", "02:00:00:00:00:ee"


def addresses(case):
    """The gateway's underlay address, the remote VTEP's (the first of them), and the prefix length of their wire."""
    return ("2001:db8::1", "2001:db8::1:0", 64) if case.ipv6 else ("198.18.0.1", "198.18.0.20", 16)
