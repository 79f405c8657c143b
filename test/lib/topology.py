# SPDX-License-Identifier: Apache-2.0
"""Hosts, wires and gateways for the demo and the system tests.

Everything lives in network namespaces with a prefix of its own, so that several topologies can stand
on one machine; everything is undone by Topology.close(), whatever has failed before.

    with Topology("mytest") as t:
        host, leaf = t.namespace("host"), t.namespace("leaf")
        t.wire(host, "eth0", leaf, "host0")
        host.address("eth0", "10.0.0.1/24")
        gw = t.gateway(leaf)
        gw.configure('''
            set port host0 device netdev:host0
            set vfabric v id 1
            set vfabric v network n id 1 attachment h port host0
        ''')
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("VGW_BUILD", SOURCE / "build"))


class Failure(Exception):
    """A step failed; the text says which, and what to look at."""


def wait_for(condition, what, timeout=60.0, interval=0.02):
    """Waits until condition() is true; returns its value. Errors of commands count as false."""
    deadline = time.monotonic() + timeout
    last = None
    while time.monotonic() < deadline:
        try:
            value = condition()
            if value:
                return value
        except (subprocess.CalledProcessError, Failure, OSError, ValueError, KeyError) as e:
            last = e
        time.sleep(interval)
    detail = ""
    if isinstance(last, subprocess.CalledProcessError):
        detail = f"\n{(last.stderr or '').strip()}{(last.stdout or '').strip()}"
    elif last is not None:
        detail = f"\n{last}"
    raise Failure(f"waited {timeout:.0f} s for {what}, in vain{detail}")


def run(*command, check=True, timeout=60, **options):
    """Runs a command; its output as text. Raises CalledProcessError with both outputs."""
    return subprocess.run([str(c) for c in command], check=check, timeout=timeout, text=True,
                          capture_output=True, **options)


class Namespace:
    """A host: a network namespace."""

    def __init__(self, topology, name):
        self.topology = topology
        self.name = name
        self.netns = f"{topology.prefix}-{name}"
        run("ip", "netns", "add", self.netns)
        self.ip("link", "set", "lo", "up")
        # Only what the test sends shall be on the wires.
        self.sysctl("net.ipv6.conf.all.router_solicitations", 0, check=False)
        self.sysctl("net.ipv6.conf.default.router_solicitations", 0, check=False)
        self.sysctl("net.ipv6.conf.default.accept_dad", 0, check=False)

    def run(self, *command, **options):
        return run("ip", "netns", "exec", self.netns, *command, **options)

    def start(self, *command, log=None, **options):
        """A process that goes on; ended by close()."""
        return self.topology.start("ip", "netns", "exec", self.netns, *command, log=log, **options)

    def ip(self, *arguments, check=True):
        return run("ip", "-n", self.netns, *arguments, check=check).stdout

    def sysctl(self, name, value, check=True):
        self.run("sysctl", "-qw", f"{name}={value}", check=check)

    def address(self, device, *addresses):
        for a in addresses:
            self.ip("address", "add", a, "dev", device, *(["nodad"] if ":" in a else []))
        self.ip("link", "set", device, "up")

    def up(self, *devices):
        for d in devices:
            self.ip("link", "set", d, "up")

    def offloads_off(self, device):
        """veth hands on partial checksums and super-frames; no wire does."""
        self.run("ethtool", "-K", device, "tx", "off", "rx", "off", "tso", "off", "gso", "off", "gro", "off",
                 check=False)

    def mac(self, device):
        return json.loads(self.ip("-j", "link", "show", device))[0]["address"]

    def ping(self, to, count=1, size=56, timeout=1, interval=0.05, flags=()):
        """True when all of count came back."""
        r = self.run("ping", "-n", "-q", "-c", count, "-s", size, "-W", timeout, "-i", interval, *flags, to,
                     check=False)
        return r.returncode == 0 and f"{count} received" in r.stdout

    def wait_ping(self, to, what=None, timeout=60, **options):
        wait_for(lambda: self.ping(to, **options), what or f"ping from {self.name} to {to}", timeout)

    def trunk(self, device, vlan, name):
        """An 802.1Q device on `device`: the kernel's where it has them, else by our own tagger."""
        r = run("ip", "-n", self.netns, "link", "add", "link", device, "name", name, "type", "vlan", "id",
                vlan, check=False)
        if r.returncode != 0:
            ready = self.topology.directory / f"tagger-{self.netns}-{name}"
            self.start(sys.executable, SOURCE / "test/lib/tagger.py", device, vlan, name, ready)
            wait_for(ready.exists, f"the tagger of {name}")
        self.up(device, name)


class Gateway:
    """A leaf: vgw-dataplane and vgw-control in a namespace, driven by the CLI."""

    def __init__(self, topology, namespace, name, dataplane=True, control=True, conf=""):
        self.topology = topology
        self.namespace = namespace
        self.name = name
        self.directory = topology.directory / name
        self.directory.mkdir()
        self.conf = self.directory / "vgw.conf"
        self.control_socket = self.directory / "control.sock"
        self.dataplane_socket = self.directory / "dataplane.sock"
        self.conf.write_text(
            f"leaf-name = {name}\n"
            f"dataplane-socket = {self.dataplane_socket}\n"
            f"control-socket = {self.control_socket}\n"
            f"store = sqlite:{self.directory}/config.db\n"
            f"yang-dir = {SOURCE}/yang\n"
            "group = root\n"
            f"netns-prefix = {topology.prefix}-{name}\n"
            "memory = 64\n" + conf)
        self.dataplane = self.control = None
        if dataplane:
            self.start_dataplane()
        if control:
            self.start_control()

    def start_dataplane(self):
        self.dataplane = self.namespace.start(BUILD / "dataplane/vgw-dataplane", "-c", self.conf,
                                              log=self.directory / "dataplane.log")
        wait_for(lambda: self.alive(self.dataplane) and self.dataplane_socket.exists(),
                 f"{self.name}: the data plane's socket")

    def start_control(self, wait=True):
        self.control = self.namespace.start(BUILD / "control/vgw-control", "-c", self.conf,
                                            log=self.directory / "control.log")
        if not wait:
            return
        wait_for(lambda: self.alive(self.control) and
                 self.vgw("show", "system", check=False).returncode == 0,
                 f"{self.name}: control to answer")
        if self.dataplane is not None:
            self.wait_synced()

    def wait_synced(self):
        wait_for(lambda: self.show("system")[0].get("dataplane-connected")
                 and self.show("system")[0].get("generation"), f"{self.name}: control to declare everything")

    def process_id(self, which):
        """Of the program itself (ip netns exec replaces itself by it)."""
        return getattr(self, which).pid

    def alive(self, process):
        if process.poll() is not None:
            raise Failure(f"{self.name}: {process.args[4]} ended with {process.returncode}:\n{self.logs()}")
        return True

    def kill(self, which, how=signal.SIGKILL):
        """Ends "dataplane" or "control" and waits until it is gone."""
        process = getattr(self, which)
        process.send_signal(how)
        process.wait(60)
        if how == signal.SIGKILL and which == "dataplane":
            self.dataplane_socket.unlink(missing_ok=True)
        return process.returncode

    def vgw(self, *words, check=True, stdin=None, timeout=60):
        return self.namespace.run(BUILD / "cli/vgw", "--socket", self.control_socket, "--yang-dir",
                                  SOURCE / "yang", *words, check=check, input=stdin, timeout=timeout)

    def show(self, *words):
        """The entries of `vgw show WORDS --json`."""
        return json.loads(self.vgw("show", *words, "--json").stdout)

    def configure(self, lines, comment=None):
        """Applies set and delete lines and commits them."""
        text = "".join(l.strip() + "\n" for l in lines.splitlines() if l.strip())
        try:
            self.vgw("apply", "-", stdin=text)
            self.vgw("commit", *(["comment", comment] if comment else []))
        except subprocess.CalledProcessError as e:
            raise Failure(f"{self.name}: configuration refused:\n{e.stdout}{e.stderr}") from e

    def drops(self):
        return {d["reason"]: int(d["packets"]) for d in self.show("drops")}

    def logs(self):
        text = ""
        for log in sorted(self.directory.glob("*.log")):
            text += f"--- {self.name} {log.name}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-40:])
        return text


class Topology:
    def __init__(self, prefix):
        self.prefix = f"{prefix}{os.getpid() % 100000}"
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix=f"{prefix}-"))
        self.namespaces = []
        self.processes = []
        self.gateways = []

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        # In a fixture no failure is seen here; pytest shows what was printed when there was one.
        if value is not None or "PYTEST_CURRENT_TEST" in os.environ:
            for g in self.gateways:
                print(g.logs(), file=sys.stderr)
        self.close()

    def namespace(self, name):
        n = Namespace(self, name)
        self.namespaces.append(n)
        return n

    def gateway(self, namespace, name=None, **options):
        g = Gateway(self, namespace, name or namespace.name, **options)
        self.gateways.append(g)
        return g

    def wire(self, a, a_device, b, b_device, mtu=None):
        """A veth pair between two namespaces, up, as a wire would carry frames."""
        run("ip", "link", "add", a_device, "netns", a.netns, "type", "veth", "peer", "name", b_device,
            "netns", b.netns)
        for n, d in ((a, a_device), (b, b_device)):
            n.offloads_off(d)
            n.ip("link", "set", d, *(["mtu", str(mtu)] if mtu else []), "up")

    def start(self, *command, log=None, input=None, **options):
        """A process that goes on; ended by close()."""
        out = open(log, "ab") if log else subprocess.DEVNULL
        stdin = subprocess.DEVNULL
        if input is not None:
            stdin = tempfile.TemporaryFile()
            stdin.write(input.encode())
            stdin.seek(0)
        process = subprocess.Popen([str(c) for c in command], stdin=stdin, stdout=out,
                                   stderr=subprocess.STDOUT, start_new_session=True, **options)
        self.processes.append(process)
        return process

    def is_vrouters(self, netns):
        """A gateway's own, which outlives it."""
        return any(netns.startswith(f"{self.prefix}-{g.name}-") for g in self.gateways)

    def close(self):
        for how in (signal.SIGTERM, signal.SIGKILL):
            for p in reversed(self.processes):
                if p.poll() is None:
                    p.send_signal(how)
            deadline = time.monotonic() + 5
            for p in self.processes:
                try:
                    p.wait(max(0.1, deadline - time.monotonic()))
                except subprocess.TimeoutExpired:
                    pass
        left = [line.split()[0] for line in run("ip", "netns", "list").stdout.splitlines()]
        for netns in [n.netns for n in self.namespaces] + [n for n in left if self.is_vrouters(n)]:
            run("ip", "netns", "delete", netns, check=False)
        shutil.rmtree(self.directory, ignore_errors=True)


EXCHANGE = SOURCE / "test/lib/exchange.py"


def serve(topology, host, address):
    """Starts the echo server of exchange.py on a host, and waits until it listens."""
    ready = topology.directory / f"serve-{host.name}-{address.replace(':', '_')}"
    host.start("/usr/bin/python3", EXCHANGE, "serve", address, ready, log=topology.directory / "serve.log")
    wait_for(ready.exists, f"the echo server of {host.name}")


def exchange_all(topology, a, a_address, b, b_address, mtu):
    """Ping, UDP and TCP from 1 byte to the MTU, both ways: what "connected" means to a user."""
    ip = 40 if ":" in a_address else 20
    a.wait_ping(b_address)
    b.wait_ping(a_address)
    for host, address in ((a, a_address), (b, b_address)):
        serve(topology, host, address)
    for host, to in ((a, b_address), (b, a_address)):
        for size in (1, 56, 512, mtu - ip - 8):
            wait_for(lambda: host.ping(to, size=size, flags=("-M", "do")),
                     f"a ping of {size} bytes from {host.name} to {to}", timeout=30)
        host.run("/usr/bin/python3", EXCHANGE, "udp", to, 1, 2, 17, 63, 64, 65, 512, 1000, mtu - ip - 8)
        host.run("/usr/bin/python3", EXCHANGE, "tcp", to, 1, 1000, 100000, 2000000)
