# SPDX-License-Identifier: Apache-2.0
"""The demo as a newcomer runs it: the page, what is left behind (nothing), and what a failure says."""
import os
import signal
import subprocess
import sys

import pytest
from topology import SOURCE, run, wait_for

sys.path.insert(0, str(SOURCE / "demo"))
import demo  # noqa: E402

DEMO = ["/usr/bin/python3", SOURCE / "demo/demo.py"]


def namespaces(pid):
    return [line for line in run("ip", "netns", "list").stdout.splitlines() if line.startswith(f"vgwdemo{pid % 100000}-")]


def test_shows_the_page_and_cleans_up():
    process = subprocess.Popen(DEMO, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    text, _ = process.communicate(timeout=240)
    assert process.returncode == 0, text
    for word in ("site A", "4 rows from the database at 192.168.10.2", "Osaka           31", "next hop 10.1.1.1:",
                 "next hop 10.1.2.1:", "vgw show tunnels", "vgw show macs", "10.255.0.2 (to-linux, VNI 5010)"):
        assert word in text, text
    assert not namespaces(process.pid)


def test_keep_leaves_it_running_until_ctrl_c():
    process = subprocess.Popen([*DEMO, "--keep"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    text = ""
    while "It runs until Ctrl-C" not in text:
        line = process.stdout.readline()
        assert line, text
        text += line
    command = next(line for line in iter(process.stdout.readline, "") if "curl" in line)
    assert namespaces(process.pid)
    wait_for(lambda: "Osaka" in run(*command.split()).stdout, "what it says to try to work")
    process.send_signal(signal.SIGINT)
    text, _ = process.communicate(timeout=60)
    assert process.returncode == 0, text
    assert not namespaces(process.pid)


def test_a_failure_names_its_step_and_shows_what_to_look_at(monkeypatch, capfd):
    def broken(_):
        raise demo.Failure("the page came without rows")

    monkeypatch.setattr(demo, "fetch", broken)
    monkeypatch.setattr(demo, "wait_for", lambda condition, what, timeout=0: condition() if what == "the web page"
                        else wait_for(condition, what))
    monkeypatch.setattr(sys, "argv", ["demo.py"])
    handlers = {s: signal.getsignal(s) for s in (signal.SIGTERM, signal.SIGHUP)}
    try:
        assert demo.main() == 1
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    error = capfd.readouterr().err
    assert 'failed at the step "the page, as the desk' in error and "the page came without rows" in error
    assert "vgw-a: vgw show drops" in error and "the end of postgresql.log" in error
    assert not namespaces(os.getpid())


@pytest.mark.skipif(os.geteuid() != 0, reason="drops root's rights")
def test_without_root():
    done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *map(str, DEMO)], text=True,
                          capture_output=True, check=False, timeout=60, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    assert done.returncode != 0 and "sudo make demo" in done.stderr
