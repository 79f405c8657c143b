#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An 802.1Q interface in user space, for kernels without the 8021q module.

    tagger.py DEVICE VLAN NAME [READY-FILE]

Makes the TAP interface NAME; its frames leave by DEVICE with the tag VLAN, and DEVICE's frames with that
tag arrive at NAME without it. The ready file is made when it works.
"""
import fcntl
import os
import select
import socket
import struct
import sys

ETH_P_ALL = 3
TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI = 2, 0x1000
SOL_PACKET, PACKET_AUXDATA = 263, 8
TP_STATUS_VLAN_VALID, TP_STATUS_VLAN_TPID_VALID = 0x10, 0x40
PACKET_OUTGOING = 4


def received(wire):
    """A frame of the wire with the tag that the kernel took out of it put back; None when it was ours."""
    frame, ancillary, _, address = wire.recvmsg(65536, 256)
    if address[2] == PACKET_OUTGOING:
        return None
    for level, kind, data in ancillary:
        if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
            status, _, _, _, _, tci, tpid = struct.unpack("IIIHHHH", data[:20])
            if status & TP_STATUS_VLAN_VALID:
                tpid = tpid if status & TP_STATUS_VLAN_TPID_VALID else 0x8100
                frame = frame[:12] + struct.pack("!HH", tpid, tci) + frame[12:]
    return frame


def main():
    device, vlan, name = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    wire.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    wire.bind((device, ETH_P_ALL))
    tap = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    tag = struct.pack("!HH", 0x8100, vlan)
    if len(sys.argv) > 4:
        open(sys.argv[4], "w", encoding="ascii").close()
    while True:
        for ready in select.select([wire, tap], [], [])[0]:
            try:
                if ready is wire:
                    frame = received(wire)
                    if frame and frame[12:14] == b"\x81\x00" and \
                            struct.unpack("!H", frame[14:16])[0] & 0xFFF == vlan:
                        os.write(tap, frame[:12] + frame[16:])
                else:
                    frame = os.read(tap, 65536)
                    wire.send(frame[:12] + tag + frame[12:])
            except OSError as e:
                if not os.path.exists(f"/sys/class/net/{name}"):
                    raise SystemExit(0) from e


if __name__ == "__main__":
    main()
