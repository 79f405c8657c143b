# SPDX-License-Identifier: Apache-2.0
"""What the tests of tunnels begin with: two attachments, a network, a VTEP with one remote VTEP, over IPv4 or IPv6.

                 port 1 ---- attachment 1 \\
                 port 2 ---- attachment 2  > network 7 ---- VNI 5000, VTEP 1 ==== port 9 ==== the peer
"""
from scapy.all import IP, UDP, VXLAN, Ether, IPv6, Raw

A, B, C = "02:00:00:00:00:0a", "02:00:00:00:00:0b", "02:00:00:00:00:0c"
ALL = "ff:ff:ff:ff:ff:ff"
OURS_MAC, PEER_MAC = "02:00:00:00:09:01", "02:00:00:00:09:fe"
VNI = 5000


def address(family, n):
    """The underlay's; 1: ours, 9: the peer's, others: anybody's."""
    return f"192.0.2.{n}" if family == 4 else f"2001:db8::{n}"


class Site:
    def __init__(self, gateway, family=4, vlan=0, **vtep):
        self.gateway, self.family, self.vlan = gateway, family, vlan
        self.ours, self.peer = address(family, 1), address(family, 9)
        self.length = 24 if family == 4 else 64
        for port in (1, 2, 9):
            gateway.port(port, mtu=9216)
        gateway.network(7)
        for port in (1, 2):
            gateway.attachment(port, network=7, port=port)
        gateway.vrouter(1)
        gateway.interface(9, vrouter=1, port=9, vlan=vlan, mac=OURS_MAC, addresses=[f"{self.ours}/{self.length}"])
        gateway.neighbour(9, interface=9, ip=self.peer, mac=PEER_MAC)
        self.vtep(**vtep)
        self.vni()
        gateway.advance(4)
        gateway.take()  # announcements

    def vtep(self, **settings):
        self.gateway.vtep(1, **{"vrouter": 1, "local": self.ours, "remotes": [self.peer], **settings})

    def vni(self, **settings):
        self.gateway.vni(1, **{"vtep": 1, "vni": VNI, "network": 7, **settings})

    @property
    def overhead(self):
        """Bytes that a tunnel adds, link layer included."""
        return 14 + (20 if self.family == 4 else 40) + 8 + 8

    def ip(self, src=None, dst=None, **fields):
        if self.family == 4:
            return IP(src=src or self.peer, dst=dst or self.ours, **fields)
        return IPv6(src=src or self.peer, dst=dst or self.ours, **fields)

    def outer(self, inner, vni=VNI, flags=8, src=None, dst=None, udp=None, **ip):
        """A VXLAN packet as the peer sends it. udp: fields of the UDP header."""
        udp = {"sport": 50000, "dport": 4789, "chksum": 0, **(udp or {})}
        return (Ether(src=PEER_MAC, dst=OURS_MAC) / self.ip(src, dst, **ip) / UDP(**udp) /
                VXLAN(vni=vni, flags=flags) / Raw(bytes(inner)))

    def decap(self, inner, **fields):
        """What came out of port 1 and 2 for a packet from the peer."""
        return self.gateway.send(9, self.outer(inner, **fields))

    def encap(self, inner, port=1):
        """The one packet that a frame from an attachment became, outer headers and all."""
        (out,) = self.gateway.send(port, inner)[9]
        return Ether(out)

    def drops(self):
        return {k: v for k, v in self.gateway.drops().items() if k != "consumed"}


def frame(src=A, dst=B, payload=b"x" * 46):
    """A frame that is not IP."""
    return bytes(Ether(src=src, dst=dst, type=0x88B5) / Raw(payload))


def flow(n, src=A, dst=B):
    """A frame of UDP flow n."""
    return Ether(src=src, dst=dst) / IP(src="10.0.0.1", dst="10.0.0.2") / UDP(sport=1000 + n, dport=2000) / Raw(b"x" * 20)


def inner_of(packet):
    return bytes(packet[VXLAN].payload)
