# SPDX-License-Identifier: Apache-2.0
"""Who may open the data plane's socket, and what becomes of a client that does not keep to the contract."""
import grp
import os
import stat
import subprocess
import sys

import pytest
from dataplane_api import Dataplane, SocketClient

CONNECT = """
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect(sys.argv[1])
"""


def may_open(path, gid):
    """Can a stranger who is in that group connect?"""
    r = subprocess.run([sys.executable, "-c", CONNECT, path], user=65534, group=gid, extra_groups=[], timeout=30,
                       capture_output=True, text=True, check=False)
    assert r.returncode == 0 or "PermissionError" in r.stderr, r.stderr
    return r.returncode == 0


@pytest.fixture(name="dp")
def dp_fixture():
    with Dataplane(settings="group = games\n") as dp:
        os.chmod(dp.directory, 0o755)  # the directory is not what keeps strangers out here
        yield dp


def test_only_its_group_may_open_it(dp):
    status = os.stat(dp.path)
    games = grp.getgrnam("games").gr_gid
    assert stat.S_IMODE(status.st_mode) == 0o660 and status.st_gid == games
    assert may_open(dp.path, games)
    assert not may_open(dp.path, 65534)


def test_a_client_that_sends_nonsense_is_closed_alone(dp):
    other = SocketClient(dp.path, "other")
    messages, closed = other.raw(b"nonsense")
    assert closed or other.socket.recv(65536) == b""
    dp.network(7)
    assert [n["id"] for n in dp.query("network")] == [7]
