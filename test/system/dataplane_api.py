# SPDX-License-Identifier: Apache-2.0
"""A vgw-dataplane of one's own, spoken to as vgw-control does, with the vocabulary of the packet tests.

    with Dataplane() as dp:                        # in the namespace that the test runs in; or netns="leaf"
        dp.port(1, "netdev:host0")
        dp.network(7)
        dp.attachment(1, network=7, port=1)
        dp.wait_port(1, link_up=True)
"""
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(SOURCE / "test/packet"), str(SOURCE / "test/lib")]
import harness  # noqa: E402
from topology import Failure, wait_for  # noqa: E402

BUILD = pathlib.Path(os.environ.get("VGW_BUILD", SOURCE / "build"))
PROGRAM = os.environ.get("VGW_DATAPLANE", str(BUILD / "dataplane/vgw-dataplane"))
DRIVERS = {"auto": 0, "af-xdp": 1, "af-packet": 2}


class SocketClient(harness.Client):
    """The packet tests' client, over the real socket."""

    def __init__(self, path, name="test"):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(60)
        self.socket.connect(path)
        self.number = 0
        self.pending = []
        self.generation = 1
        self.request(harness.message(harness.MESSAGES["hello"], name.encode().ljust(64, b"\0")))

    def close(self):
        self.socket.close()

    def raw(self, data):
        self.socket.sendall(data)
        messages = []
        while True:
            m = self.socket.recv(65536)
            if not m:
                return messages, True
            messages.append(m)
            if harness.HEADER.unpack_from(m)[1] != harness.MESSAGES["event"]:
                return messages, False

    def collect(self, timeout=0.0):
        """Moves events that have come, or come within the time, to self.pending."""
        while select.select([self.socket], [], [], timeout)[0]:
            m = self.socket.recv(65536)
            if not m:
                raise Failure("the data plane closed the connection")
            self.pending.append(m)
            timeout = 0.0

    def split(self, raw):
        return [], False

    def events(self, timeout=0.0):
        self.collect(timeout)
        self.harness = self
        return super().events()

    def command(self, data):
        return b""


class Dataplane(harness.Gateway):
    def __init__(self, netns=None, cores=None, memory=256, arguments=(), huge_pages="off", settings=""):
        self.directory = tempfile.mkdtemp(prefix="vgw-dp-")
        self.path = f"{self.directory}/dp.sock"
        self.netns = netns
        cpus = sorted(os.sched_getaffinity(0))
        with open(f"{self.directory}/vgw.conf", "w", encoding="ascii") as f:
            f.write(f"cores = {cores or cpus[-1]}\nmemory = {memory}\nhuge-pages = {huge_pages}\n{settings}"
                    f"dataplane-socket = {self.path}\n")
        self.log = open(f"{self.directory}/log", "w+", encoding="utf-8")
        enter = ["ip", "netns", "exec", netns] if netns else []
        self.process = subprocess.Popen([*enter, *arguments, PROGRAM, "-c", f"{self.directory}/vgw.conf"],
                                        stdout=self.log, stderr=self.log)
        self.client = wait_for(self.connect, "vgw-dataplane to listen")
        self.client.begin(1)

    def connect(self):
        if self.process.poll() is not None:
            raise AssertionError(f"vgw-dataplane ended with status {self.process.returncode}:\n{self.text()}")
        return SocketClient(self.path)

    def text(self):
        self.log.flush()
        return pathlib.Path(self.log.name).read_text(encoding="utf-8")

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.stop()
        status = self.process.returncode
        if kind is not None or status != 0:
            sys.stderr.write(self.text())
        shutil.rmtree(self.directory)
        assert kind is not None or status == 0, f"vgw-dataplane ended with status {status}"

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)
        self.client.close()

    @property
    def pid(self):
        return self.process.pid

    def threads(self):
        """CPU seconds of each thread: {name: seconds}."""
        found = {}
        for task in pathlib.Path(f"/proc/{self.pid}/task").iterdir():
            text = (task / "stat").read_text()
            fields = text.rsplit(")", 1)[1].split()
            name = f"{text[text.index('(') + 1:text.rindex(')')]}-{task.name}"
            found[name] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return found

    # objects

    def port(self, id, device, enabled=True, mtu=1500, mac=None, rx_queues=1, descriptors=1024, driver="auto",
             client=False, netns="", zero_copy=False):
        self.declare("port", harness.Port(id=id, enabled=enabled, client=client, driver=DRIVERS[driver],
                                          has_mac=mac is not None, mac=harness.to_mac(mac), mtu=mtu,
                                          zero_copy=zero_copy, rx_queues=rx_queues, rx_descriptors=descriptors,
                                          tx_descriptors=descriptors, device=device.encode(), netns=netns.encode()))

    def event_list(self):
        """Events that have come."""
        return self.client.events()

    def wait_port(self, id, timeout=60.0, **fields):
        """Until the port's state has these values; returns the state."""
        def there():
            state = self.state("port", id)
            return state if all(state[k] == v for k, v in fields.items()) else None
        try:
            return wait_for(there, f"port {id} to have {fields}", timeout)
        except Failure as e:
            raise Failure(f"{e}; it is {self.state('port', id)}") from None
