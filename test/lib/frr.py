# SPDX-License-Identifier: Apache-2.0
"""FRR's daemons, unmodified, by hand: in a network namespace, with a run directory of their own.

    frr = Frr(topology, namespace, zebra="", ospfd="router ospf\\n network 10.0.0.0/8 area 0\\n")
    wait_for(lambda: frr.show("ip ospf neighbor"), ...)
"""
import json
import shutil

from topology import run, wait_for

DAEMONS = "/usr/lib/frr"


class Frr:
    def __init__(self, topology, namespace, **configurations):
        """configurations: of each daemon that shall run; zebra's first."""
        self.topology = topology
        self.netns = namespace.netns
        self.directory = topology.directory / f"frr-{namespace.netns}"
        self.directory.mkdir()
        # They give up root for the package's user, who must be able to write here.
        topology.directory.chmod(0o755)
        shutil.chown(self.directory, "frr", "frr")
        self.processes = {}
        for daemon, text in configurations.items():
            (self.directory / f"{daemon}.conf").write_text(f"hostname {namespace.name}\n{text}\n")
            self.start(daemon)

    def start(self, daemon):
        d = self.directory
        options = ["--bfdctl", d / "bfdd.sock"] if daemon == "bfdd" else []
        self.processes[daemon] = self.topology.start(
            "ip", "netns", "exec", self.netns, f"{DAEMONS}/{daemon}", "-f", d / f"{daemon}.conf",
            "-i", d / f"{daemon}.pid", "-z", d / "zserv.api", "--vty_socket", d, "-P", 0, "--log", "stdout", *options,
            log=d / f"{daemon}.log")
        wait_for((d / f"{daemon}.vty").exists, f"{daemon} in {self.netns}")

    def vtysh(self, *commands):
        words = [w for c in commands for w in ("-c", c)]
        return run("ip", "netns", "exec", self.netns, "vtysh", "--vty_socket", self.directory, *words).stdout

    def show(self, what):
        return json.loads(self.vtysh(f"show {what} json"))
