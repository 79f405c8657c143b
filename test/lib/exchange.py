#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Bytes from one host to another and back, checked.

    exchange.py serve ADDRESS READY-FILE        echoes TCP and UDP on port 7777
    exchange.py udp ADDRESS SIZE...             datagrams of these sizes must come back
    exchange.py tcp ADDRESS BYTES...            streams of these lengths must come back
    exchange.py count ADDRESS SECONDS RATE      numbered datagrams; prints "SENT RETURNED"
"""
import os
import random
import selectors
import socket
import sys
import threading
import time

PORT = 7777


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def serve(address, ready):
    udp = socket.socket(family(address), socket.SOCK_DGRAM)
    udp.bind((address, PORT))
    tcp = socket.socket(family(address), socket.SOCK_STREAM)
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    tcp.bind((address, PORT))
    tcp.listen(16)

    def echo_tcp(connection):
        with connection:
            while data := connection.recv(65536):
                connection.sendall(data)

    def accept():
        while True:
            threading.Thread(target=echo_tcp, args=(tcp.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    open(ready, "w", encoding="ascii").close()
    while True:
        data, peer = udp.recvfrom(65536)
        udp.sendto(data, peer)


def udp(address, *sizes):
    s = socket.socket(family(address), socket.SOCK_DGRAM)
    s.connect((address, PORT))
    s.settimeout(1)
    for size in map(int, sizes):
        data = random.randbytes(size)
        for attempt in range(5):
            s.send(data)
            try:
                if s.recv(65536) == data:
                    break
            except TimeoutError:
                continue
        else:
            sys.exit(f"a datagram of {size} bytes did not come back")


def tcp(address, *lengths):
    for length in map(int, lengths):
        data = random.randbytes(length)
        with socket.create_connection((address, PORT), timeout=10) as s:
            sender = threading.Thread(target=lambda: (s.sendall(data), s.shutdown(socket.SHUT_WR)))
            sender.start()
            back = bytearray()
            while part := s.recv(65536):
                back += part
            sender.join()
        if back != data:
            sys.exit(f"of {length} bytes by TCP, {len(back)} came back")


def count(address, seconds, rate):
    """Sends at a steady rate and waits for the last, as long as a busy machine may take."""
    s = socket.socket(family(address), socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    s.connect((address, PORT))
    s.setblocking(False)
    selector = selectors.DefaultSelector()
    selector.register(s, selectors.EVENT_READ)
    total, sent, seen = int(float(seconds) * int(rate)), 0, set()
    begin = time.monotonic()
    last = begin
    while sent < total or (time.monotonic() - last < 10 and len(seen) < total):
        now = time.monotonic()
        while sent < total and sent < (now - begin) * int(rate):
            s.send(sent.to_bytes(8, "big"))
            sent += 1
            last = now
        for _ in selector.select(0.001):
            try:
                while True:
                    seen.add(int.from_bytes(s.recv(64), "big"))
            except BlockingIOError:
                pass
    print(sent, len(seen), flush=True)
    os._exit(0)


if __name__ == "__main__":
    {"serve": serve, "udp": udp, "tcp": tcp, "count": count}[sys.argv[1]](*sys.argv[2:])
