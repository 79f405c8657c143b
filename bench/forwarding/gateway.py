# SPDX-License-Identifier: Apache-2.0
"""What the gateways have in common.

Each has a directory of its own with its sockets left and right. It is started when the generator listens, configured
for a case, and paused while others are measured.
"""
import ipaddress
import os
import pathlib
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(SOURCE / "test/lib"), str(SOURCE / "test/system")]
from dataplane_api import BUILD  # noqa: E402
from topology import Failure, wait_for  # noqa: E402

from .cases import addresses  # noqa: E402

RING = 2048
KEEP_MEMORY = {"LD_PRELOAD": str(BUILD / "bench/libvgw-keep-memory.so")}


def run(*command, **settings):
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, **settings)
    if done.returncode != 0:
        raise Failure(f"{' '.join(map(str, command))}: {done.stdout}")
    return done.stdout


class Gateway:
    memory = 0  # MiB of huge pages
    left = right = ""
    tx_queues = 1
    enter = ()  # the command that runs another in the gateway's network namespace
    teach_pps = 500000

    def __init__(self, case, directory):
        self.case, self.directory = case, directory
        self.left, self.right = f"{directory}/left", f"{directory}/right"
        self.tx_queues = max(self.tx_queues, case.workers)

    def prepare(self):
        """Before the generator starts."""

    def measured(self):
        """Something to keep beside a window's result."""
        return {}

    def pid(self):
        """Of the process whose thread forwards; None: the kernel does."""
        return self.process.process.pid

    def pause(self):
        self.process.pause()

    def go_on(self):
        self.process.go_on()

    def stop(self):
        self.process.stop()


def remotes_of(case):
    address = ipaddress.ip_address(addresses(case)[1])
    return [str(address + i) for i in range(case.copies)]


def busiest_thread(pid, cpu):
    """The schedstat of the process's thread that is pinned to the CPU."""
    found = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        if f"Cpus_allowed_list:\t{cpu}\n" in (task / "status").read_text():
            found[int((task / "schedstat").read_text().split()[0])] = str(task / "schedstat")
    return found[max(found)] if found else ""


def full_table(case):
    """The prefixes of a full table, 24 bytes each (struct vgw_prefix)."""
    table = subprocess.run([BUILD / "bench/vgw-prefixes", str(case.flows)], stdout=subprocess.PIPE, check=True).stdout
    return (table[i:i + 24] for i in range(0, len(table), 24))


__all__ = ["BUILD", "Failure", "Gateway", "KEEP_MEMORY", "RING", "SOURCE", "busiest_thread", "full_table", "os", "remotes_of",
           "run", "wait_for"]
