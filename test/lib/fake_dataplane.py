# SPDX-License-Identifier: Apache-2.0
"""A data plane for tests of vgw-control: the server side of api/vgw_api.h, in a thread.

It acknowledges what is declared and remembers it, answers queries from `tables` (a kind's number -> function
of index, count and record size), and actions by `actions` (a number -> function of the argument).
"""
import os
import pathlib
import re
import socket
import struct
import subprocess
import tempfile
import threading

API = pathlib.Path(__file__).resolve().parents[2] / "api"

VERSION = 1
HELLO, HELLO_REPLY, BEGIN, END, DECLARE, QUERY, QUERY_REPLY, ACTION, ACTION_REPLY, SUBSCRIBE, EVENT, ACK = range(1, 13)
HEADER = struct.Struct("=IHHII")
MESSAGE_MAX = 65536

OBJECT_PORT, OBJECT_NETWORK, OBJECT_ATTACHMENT = 1, 2, 3
QUERY_SYSTEM, QUERY_PORT, QUERY_MAC = 1, 2, 6
ACTION_CLEAR_MACS, ACTION_PING, ACTION_OBSERVE_START, ACTION_OBSERVE_STOP = 1, 4, 5, 6
EVENT_MAC_LEARNED, EVENT_PORT, EVENT_OBSERVED, EVENT_LOST = 1, 4, 6, 7


def record_sizes():
    """Kind of query -> size of its records, as the compiler has them: api/vgw_api.h names their structures."""
    kinds = re.findall(r"(VGW_QUERY_\w+)(?: = 1)?, +/\* struct (\w+)", (API / "vgw_api.h").read_text())
    headers = "".join(f'#include "{h.name}"\n' for h in sorted(API.glob("*.h")))
    lines = "".join(f'printf("%d %zu\\n", {kind}, sizeof(struct {name}));\n' for kind, name in kinds)
    with tempfile.TemporaryDirectory() as directory:
        program = pathlib.Path(directory) / "sizes"
        subprocess.run(["cc", "-x", "c", "-", "-I", API, "-o", program], text=True, check=True,
                       input=f"#include <stdio.h>\n{headers}int main(void) {{ {lines} return 0; }}\n")
        return dict(map(int, line.split()) for line in subprocess.check_output([program], text=True).splitlines())


SIZES = record_sizes()
POINTS = re.findall(r'X\([A-Z]+, "(\w+)"\)', (API / "vgw_observe.h").read_text())  # in their order


def ip(text):
    """struct vgw_ip"""
    if text is None:
        return bytes(20)
    family = 6 if ":" in text else 4
    packed = socket.inet_pton(socket.AF_INET6 if family == 6 else socket.AF_INET, text)
    return struct.pack("=B3x16s", family, packed)


def mac_state(network, attachment, number):
    """struct vgw_mac_state"""
    return struct.pack("=IIIII20s6sBxI", network, attachment, 0, 0, 0, ip(None), b"\x02\x00" + number.to_bytes(4, "big"), 0, 7)


def observed(observation, packet, point, port, data=b"", drop=0, length=None, network=0):
    """struct vgw_observed and its bytes"""
    return struct.pack("=IIIBBHIIII20sIIIQ", observation, packet, 0, point, 0, drop, port, network, 0, 0, ip(None), 0,
                       len(data) if length is None else length, len(data), 1_000_000_000) + data


class FakeDataplane:
    def __init__(self, path):
        self.path = path
        self.objects = {}   # (object, id) -> body
        self.generations = []
        self.synced = threading.Event()
        self.mask = 0
        self.tables = {}    # kind -> (record size, count, function of index)
        self.actions = {}   # action -> function of argument, returns (error, value, text, result)
        self.called = []    # (action, argument)
        self.connection = None
        self.lock = threading.Lock()
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(str(path))
        self.listener.listen(1)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.disconnect()
        self.thread.join(20)
        os.unlink(self.path)

    def disconnect(self):
        try:
            if self.connection is not None:
                self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:  # it went by itself
            pass

    def serve(self):
        while True:
            try:
                self.connection, _ = self.listener.accept()
            except OSError:
                return
            with self.connection:
                try:
                    while message := self.connection.recv(MESSAGE_MAX):
                        self.take(message)
                except OSError:
                    pass
            self.connection = None
            self.synced.clear()

    def send(self, kind, request, body):
        with self.lock:
            self.connection.send(HEADER.pack(HEADER.size + len(body), kind, VERSION, request, 0) + body)

    def ack(self, request, applied=0, error=0, failed=0xffffffff, text=b""):
        self.send(ACK, request, struct.pack("=iIII192s", error, applied, failed, 0, text))

    def event(self, event, body):
        self.send(EVENT, 0, struct.pack("=IIQ", event, 0, 1_000_000_000) + body)

    def take(self, message):
        _, kind, _, request, _ = HEADER.unpack_from(message)
        body = message[HEADER.size:]
        if kind == HELLO:
            self.send(HELLO_REPLY, request, struct.pack("=32sII", b"fake", 0, 5))
        elif kind == BEGIN:
            self.generations.append(struct.unpack_from("=I", body)[0])
            self.objects.clear()
            self.ack(request)
        elif kind == END:
            self.ack(request)
            self.synced.set()
        elif kind == DECLARE:
            self.declare(request, body)
        elif kind == QUERY:
            self.query(request, *struct.unpack_from("=IIQI", body))
        elif kind == ACTION:
            self.action(request, struct.unpack_from("=I", body)[0], body[8:])
        elif kind == SUBSCRIBE:
            self.mask = struct.unpack_from("=Q", body)[0]
            self.ack(request)

    def declare(self, request, body):
        _, count = struct.unpack_from("=II", body)
        at = 8
        for _ in range(count):
            kind, op, _, length = struct.unpack_from("=HBBI", body, at)
            item = body[at + 8:at + 8 + length]
            number = struct.unpack_from("=I", item)[0]
            if op == 1:
                self.objects[kind, number] = item
            else:
                self.objects.pop((kind, number), None)
            at += 8 + length
        self.ack(request, applied=count)

    def query(self, request, kind, _filter, cursor, most):
        size, total, record = self.tables.get(kind, (0, 0, None))
        if size == 0:
            self.send(QUERY_REPLY, request, struct.pack("=IIIIQ", kind, SIZES.get(kind, 0), 0, 0, 0))
            return
        count = min(total - cursor, (MESSAGE_MAX - 64) // size, most or total)
        records = b"".join(record(i) for i in range(cursor, cursor + count))
        after = cursor + count
        self.send(QUERY_REPLY, request, struct.pack("=IIIIQ", kind, size, count, 0, after if after < total else 0) + records)

    def action(self, request, action, argument):
        self.called.append((action, argument))
        error, value, text, result = self.actions.get(action, lambda _: (0, 0, b"", b""))(argument)
        self.send(ACTION_REPLY, request, struct.pack("=iI192s", error, value, text) + result)
        after = self.actions.get((action, "after"))
        if after:
            after()
