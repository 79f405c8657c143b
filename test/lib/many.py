# SPDX-License-Identifier: Apache-2.0
"""A leaf with very many networks, each with its VNI: configured as an operator would, in imports of some size.

    left: eth0 --- left0 --- leaf: network n0, VTEP 192.0.2.1 --- a0 --- hop-a :core
                                                              +-- b0 --- hop-b :core
"""
import json
import subprocess

from restconf import JSON, RUNNING, Answer, Connection
from topology import BUILD, Failure, wait_for

TARGETS = 16   # static MACs of network n0, 02:0a:00:00:00:00 ..., behind 10.128.0.1
CHUNK = 25000  # networks of one commit

BASE = """
    set port left0 device netdev:left0
    set port a0 device netdev:a0
    set port b0 device netdev:b0
    set vfabric many id 1
    set vfabric many network n0 id 0 attachment left port left0
    set vfabric many vrouter underlay interface lo type loopback address 192.0.2.1/32
    set vfabric many vrouter underlay interface a0 port a0 address 10.1.0.1/24
    set vfabric many vrouter underlay interface b0 port b0 address 10.2.0.1/24
    set vfabric many vrouter underlay static-route 10.128.0.0/9 next-hop 10.1.0.2
    set vfabric many vrouter underlay static-route 10.128.0.0/9 next-hop 10.2.0.2
    set vfabric many vrouter underlay static-neighbour a0 10.1.0.2 mac 02:00:00:00:ff:01
    set vfabric many vrouter underlay static-neighbour b0 10.2.0.2 mac 02:00:00:00:ff:02
    set vfabric many vrouter underlay vtep out local-address 192.0.2.1 remote 10.128.0.1
    set vfabric many vrouter underlay vtep out vni 0 network n0
"""


def wires(t, left, leaf, core):
    t.wire(left, "eth0", leaf, "left0")
    for device in "ab":
        t.wire(core, f"hop-{device}", leaf, f"{device}0")


def targets():
    return "".join(f"set vfabric many network n0 static-mac 02:0a:00:00:00:{i:02x} vrouter underlay vtep out "
                   f"remote 10.128.0.1\n" for i in range(TARGETS))


def networks(first, last):
    """Networks first .. last - 1 as RFC 7951 JSON, to be merged."""
    numbers = range(first, last)
    return json.dumps({"vgw:vfabric": [{
        "name": "many",
        "network": [{"name": f"n{i}", "id": i} for i in numbers],
        "vrouter": [{"name": "underlay", "vtep": [{
            "name": "out", "vni": [{"vni": i, "network": f"n{i}"} for i in numbers]}]}],
    }]})


class Many:
    """A gateway (topology.Gateway) with `count` networks."""

    def __init__(self, gateway):
        self.gateway = gateway
        gateway.configure(BASE + targets())
        self.count = 1

    def request(self, method, target, body=None):
        connection = Connection(self.gateway.control_socket)
        connection.timeout = 120
        connection.connect()
        connection.sock.settimeout(120)
        connection.request(method, target, body, {"Content-Type": JSON})
        answer = Answer(connection.getresponse())
        connection.close()
        if answer.status >= 300:
            raise Failure(f"{method} {target}: {answer.status} {answer.text}")
        return answer

    def call(self, operation, text="{}"):
        return self.request("POST", f"/restconf/operations/vgw:{operation}", text)

    def grow(self, count):
        while self.count < count:
            last = min(count, self.count + CHUNK)
            self.call("import", f'{{"vgw:input":{{"mode":"merge","config":{networks(self.count, last)}}}}}')
            self.call("commit")
            self.count = last
        self.wait_declared()

    def one_more(self):
        """One more network, committed in one request; remove() takes it away again."""
        self.request("POST", f"{RUNNING}/vgw:vfabric=many",
                     json.dumps({"vgw:network": [{"name": "one-more", "id": 16777215}]}))

    def remove(self):
        self.request("DELETE", f"{RUNNING}/vgw:vfabric=many/network=one-more")

    def wait_declared(self, timeout=120):
        wait_for(lambda: self.gateway.show("system")[0]["dataplane-synced"],
                 "control to have declared everything", timeout=timeout)

    def restart_control(self):
        """Kills control and starts it anew; returns when it has declared everything."""
        self.gateway.kill("control")
        self.gateway.start_control()
        self.wait_declared()


class Helper:
    """A program of the bench: a line in, a line out."""

    def __init__(self, topology, program, *arguments):
        self.process = subprocess.Popen([str(BUILD / "bench" / program), *map(str, arguments)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        topology.processes.append(self.process)

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise Failure(f"{self.process.args[0]} ended with {self.process.wait()}")
        return line.split()

    def ask(self, line=""):
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return self.read()

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)


class Probe(Helper):
    """Frames to the targets, at a rate; report() tells what became of them since the last (bench/scale/probe.c)."""

    def __init__(self, topology, left, core, pps=1000, flows=TARGETS, step=1):
        super().__init__(topology, "scale_probe", pps, flows, step, f"{left.netns}:eth0", f"{core.netns}:hop-a",
                         f"{core.netns}:hop-b")

    def report(self):
        names = ("sent", "received", "lost", "gap", "median", "p999", "worst", "outage", "a", "b")
        return dict(zip(names, map(float, self.ask())))
