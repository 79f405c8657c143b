# SPDX-License-Identifier: Apache-2.0
"""The units as installed: both programs start in their sandboxes with the default configuration, do what needs
privilege in one and none in the other, and come back when they are killed."""
import os
import re
import shlex
import subprocess

import pytest
from machine import CannotBoot, Machine
from topology import BUILD, SOURCE

SCRIPT = r"""
synced() { vgw show system --json 2>/dev/null | grep -q '"dataplane-synced": true'; }
wait_for() { for _ in $(seq 300); do "$@" && return; sleep 0.1; done; echo "FAILED: $*"; }
up() { [ "$(vgw show ports link-up true | wc -l)" -gt "$1" ]; }
part() { echo "=== $1"; }
part start
wait_for synced
systemctl is-active vgw-dataplane vgw-control
vgw show system; vgw show ports; vgw show config
grep HugePages_Total /proc/meminfo
part sandbox
for unit in vgw-dataplane vgw-control; do
    pid=$(systemctl show -P MainPID $unit)
    echo "$unit $(stat -c '%U %G' /proc/$pid) $(grep -E 'CapEff|NoNewPrivs' /proc/$pid/status | tr -s '\t\n' '  ')"
done
stat -c '%n %A %U %G' /run/vgw/*.sock
part ports
ip link add eth0 type veth peer name far
ip link set far up; ip link set eth0 up
ip netns add box
vgw apply - <<'END'
set port wire device netdev:eth0
set port tap device tap:t0 namespace box
set port vm device vhost-user:/run/vgw/vm.sock
set port container device memif:/run/vgw/container.sock
set vfabric v id 1
set vfabric v vrouter r interface wire port wire address 198.51.100.1/24
END
vgw commit
wait_for up 2
vgw show ports
ip -n box link show t0
wait_for ip netns exec vgw-v-r ip link show dev wire
ip -n vgw-v-r address show dev wire
part killed
systemctl kill --signal=KILL vgw-dataplane
wait_for synced
wait_for up 2
for _ in 1 2 3 4 5 6; do
    pid=$(systemctl show -P MainPID vgw-control)
    systemctl kill --signal=KILL vgw-control
    wait_for eval '[ "$(systemctl show -P MainPID vgw-control)" != "$pid" ] && synced'
done
wait_for synced
vgw show ports
part log
journalctl --no-pager -o cat -u 'vgw*'
"""


@pytest.fixture(name="parts", scope="module")
def parts_fixture():
    if "san" in str(BUILD.name):
        pytest.skip("sanitizers need what the sandbox forbids")
    postinst = (SOURCE / "debian/vgw.postinst").read_text()
    user = shlex.split(re.search(r"adduser .*", postinst)[0])
    with Machine() as m:
        for program, place in (("cli/vgw", "bin"), ("control/vgw-control", "sbin"), ("dataplane/vgw-dataplane", "sbin")):
            m.put(BUILD / program, f"/usr/{place}/{program.split('/')[1]}")
        m.put(SOURCE / "yang", "/usr/share/vgw/yang")
        m.put(SOURCE / "systemd/vgw.conf", "/etc/vgw/vgw.conf")
        for unit in "vgw-dataplane.service", "vgw-control.service":
            m.put(SOURCE / "systemd" / unit, f"/usr/lib/systemd/system/{unit}")
        m.path("/usr/lib/systemd/system/user.service").write_text(
            f"[Unit]\nBefore=vgw-dataplane.service\n[Service]\nType=oneshot\nExecStart={' '.join(map(shlex.quote, user))}\n")
        m.enable("user.service", "vgw-dataplane.service", "vgw-control.service")
        try:
            text = m.boot(SCRIPT)
        except CannotBoot as e:
            pytest.skip(f"no machine to boot here: {e}")
    assert "FAILED" not in text, text
    return dict(re.findall(r"=== (\w+)\n(.*?)(?==== |\Z)", text, re.S))


def test_starts_with_no_port_and_no_huge_page(parts):
    text = parts["start"]
    assert text.startswith("active\nactive\n") and "No ports." in text and "Nothing is configured." in text, text
    assert re.search(r"Huge pages +no", text) or not re.search(r"HugePages_Total: +0", text), text


def test_control_has_no_privilege(parts):
    control = re.search(r"vgw-control vgw vgw CapEff: (\w+) NoNewPrivs: 1", parts["sandbox"])
    assert control and int(control[1], 16) == 0, parts["sandbox"]
    assert "vgw-dataplane root vgw" in parts["sandbox"]
    assert "/run/vgw/control.sock srw-rw---- vgw vgw" in parts["sandbox"]
    assert "/run/vgw/dataplane.sock srw-rw---- root vgw" in parts["sandbox"]


def test_ports_work_in_the_sandbox(parts):
    rows = {line.split()[0]: line for line in parts["ports"].splitlines() if line}
    assert re.search(r"netdev:eth0 +af_(xdp|packet) +up +up", rows["wire"]), parts["ports"]
    assert re.search(r"tap:t0 +\w+ +up +up", rows["tap"]) and "t0:" in parts["ports"], parts["ports"]
    for port in "vm", "container":
        assert "nobody at the other end" in rows[port], parts["ports"]


def test_vrouters_namespace_is_seen_outside(parts):
    """The unit has a mount namespace of its own; the vrouter's namespace is the machine's all the same."""
    assert "inet 198.51.100.1/24" in parts["ports"], parts["ports"]


def test_comes_back_when_killed(parts):
    assert re.search(r"wire +netdev:eth0 +\w+ +up +up", parts["killed"]), parts["killed"]
    assert parts["log"].count("serving /run/vgw/control.sock") >= 7


def test_sandboxes_are_as_tight_as_they_can_be():
    if not os.access("/usr/bin/systemd-analyze", os.X_OK):
        pytest.skip("systemd is not installed")
    for unit, most in (("vgw-control", 1.5), ("vgw-dataplane", 6.5)):
        done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager",
                               SOURCE / f"systemd/{unit}.service"], capture_output=True, text=True, check=False)
        level = re.search(r"Overall exposure level for .*: ([\d.]+)", done.stdout)
        assert level and float(level[1]) <= most, done.stdout[-300:]
