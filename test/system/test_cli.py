# SPDX-License-Identifier: Apache-2.0
"""The command line as people and scripts use it, against vgw-control without a data plane."""
import json
import os
import pty
import re
import select
import signal
import subprocess
import time

import pytest
from topology import BUILD, SOURCE, wait_for

VGW = BUILD / "cli/vgw"
CONFIGURATION = """
set port hosts device netdev:cli-eth0
set port uplink device netdev:cli-eth1 description "to the core"
set vfabric acme id 1
set vfabric acme network web id 10 attachment rack port hosts encapsulation dot1q vlan 10
set vfabric acme vrouter core interface up port uplink address 198.51.100.2/24 address 2001:db8::2/64
set vfabric acme vrouter core interface lo type loopback address 192.0.2.1/32
set vfabric acme vrouter core static-route 0.0.0.0/0 next-hop 198.51.100.1 next-hop 198.51.100.3
set vfabric acme vrouter core static-route 203.0.113.0/24 blackhole
set vfabric acme vrouter core vtep site local-address 192.0.2.1 remote 192.0.2.2
set vfabric acme vrouter core vtep site vni 5010 network web
"""


class Control:
    def __init__(self, directory):
        self.directory = directory
        self.socket = directory / "control.sock"
        conf = directory / "vgw.conf"
        conf.write_text(f"leaf-name = leaf1\ndataplane-socket = {directory}/dataplane.sock\n"
                        f"control-socket = {self.socket}\nstore = sqlite:{directory}/config.db\n"
                        f"yang-dir = {SOURCE}/yang\ngroup = {os.getgid()}\n")
        conf.write_text(conf.read_text().replace(f"group = {os.getgid()}", "group = root"))
        self.env = {**os.environ, "VGW_SOCKET": str(self.socket), "VGW_YANG_DIR": str(SOURCE / "yang"),
                    "HOME": str(directory), "TERM": "xterm", "TZ": "UTC",
                    "PATH": f"{BUILD}/cli:{os.environ['PATH']}"}
        self.env.pop("XDG_STATE_HOME", None)
        with open(directory / "control.log", "wb") as log:
            self.process = subprocess.Popen([BUILD / "control/vgw-control", "-c", conf], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        wait_for(lambda: self.run("show", "system").returncode == 0, "vgw-control to answer")

    def run(self, *words, stdin=""):
        return subprocess.run([VGW, *words], input=stdin, text=True, capture_output=True, env=self.env, timeout=60,
                              check=False)

    def vgw(self, *words, stdin=""):
        """Standard output of a command that has to succeed."""
        done = self.run(*words, stdin=stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refused(self, code, *words, stdin=""):
        """Standard error of a command that has to fail with that code."""
        done = self.run(*words, stdin=stdin)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stderr

    def close(self):
        self.process.terminate()
        self.process.wait(60)


@pytest.fixture(name="empty")
def empty_fixture(tmp_path):
    control = Control(tmp_path)
    yield control
    control.close()


@pytest.fixture(name="control")
def control_fixture(empty):
    empty.vgw("apply", "-", stdin=CONFIGURATION)
    empty.vgw("commit", "comment", "first")
    return empty


# --- configuration ------------------------------------------------------------------------------------


def test_configuration_makes_the_round_trip_as_commands(control):
    commands = control.vgw("show", "config", "--set")
    control.vgw("import", "-", stdin="{}")
    control.vgw("set", "-", stdin=commands)
    assert control.vgw("compare") == ""
    assert control.vgw("show", "config", "candidate", "--set") == commands


def test_configuration_makes_the_round_trip_as_json(control):
    control.vgw("export", str(control.directory / "all.json"))
    exported = json.loads((control.directory / "all.json").read_text())
    assert {p["name"] for p in exported["vgw:port"]} == {"hosts", "uplink"}
    control.vgw("import", "-", stdin="{}")
    assert "- port hosts" in control.vgw("compare")
    control.vgw("import", str(control.directory / "all.json"))
    assert control.vgw("compare") == ""


def test_show_config_of_a_part(control):
    assert control.vgw("show", "config", "vfabric", "acme", "network", "web") == (
        "id 10\nattachment rack\n    port hosts\n    encapsulation dot1q\n    vlan 10\n")
    assert control.vgw("show", "config", "port", "uplink", "--set") == (
        'set port uplink description "to the core" device netdev:cli-eth1\n')
    assert control.vgw("show", "config", "vfabric", "acme", "vrouter", "core", "interface", "up", "address") == (
        "address 198.51.100.2/24\naddress 2001:db8::2/64\n")
    part = json.loads(control.vgw("show", "config", "--json", "port", "uplink"))
    assert part["vgw:port"][0]["description"] == "to the core"


def test_compare_shows_what_commit_would_change(control):
    control.vgw("set", "port", "uplink", "mtu", "9000", "description", "wide")
    control.vgw("delete", "vfabric", "acme", "vrouter", "core", "static-route", "203.0.113.0/24")
    control.vgw("set", "port", "third", "device", "tap:cli-t0")
    assert control.vgw("compare").splitlines() == [
        "+ port third", "+     device tap:cli-t0",
        "  port uplink", '-     description "to the core"', "+     description wide", "+     mtu 9000",
        "- vfabric acme vrouter core static-route 203.0.113.0/24", "-     blackhole"]
    assert len(json.loads(control.vgw("compare", "--json"))) == 3
    control.vgw("discard")
    assert control.vgw("compare") == ""


def test_delete_takes_values_and_leaves(control):
    address = ("vfabric", "acme", "vrouter", "core", "interface", "up", "address")
    control.vgw("delete", *address, "2001:db8::2/64")
    assert control.vgw("show", "config", "candidate", *address) == "address 198.51.100.2/24\n"
    control.vgw("discard")
    control.vgw("delete", *address)
    assert control.vgw("show", "config", "candidate", *address) == ""
    control.vgw("delete", "port", "uplink", "description")
    assert "description" not in control.vgw("show", "config", "candidate", "port", "uplink")
    assert "there is no port nope" in control.refused(1, "delete", "port", "nope")
    assert "which port?" in control.refused(2, "delete", "port")


def test_apply_checks_all_lines_before_the_first(control):
    error = control.refused(2, "apply", "-", stdin="set port a device tap:a\n\n# comment\nset port a mtu 7\n")
    assert error.startswith("vgw: stdin:4: \"7\" is no value of mtu; it takes 68..9216\n")
    assert control.vgw("compare") == ""
    assert "begins with set or delete" in control.refused(2, "apply", "-", stdin="show ports\n")
    assert "cannot read /etc: Is a directory" in control.refused(1, "apply", "/etc")
    assert "cannot read /nothing" in control.refused(1, "apply", "/nothing")
    assert "not closed" in control.refused(2, "apply", "-", stdin='set port a description "x\n')


def test_commit_is_refused_whole_with_path_and_reason(control):
    control.vgw("set", "vfabric", "acme", "network", "web", "attachment", "b", "port", "nope")
    control.vgw("set", "port", "uplink", "mtu", "9000")
    for command in ("validate", "commit"):
        error = control.refused(1, command)
        assert "nope" in error and "at: vfabric acme network web attachment b" in error
    assert "mtu" not in control.vgw("show", "config", "port", "uplink")


def test_commits_roll_back(control):
    control.vgw("set", "port", "uplink", "mtu", "9000")
    assert control.vgw("commit", "comment", "wider") == "Revision 2: 1 change.\n"
    assert "Nothing to commit" in control.vgw("commit")
    commits = json.loads(control.vgw("show", "commits", "--json"))
    assert [(c["revision"], c.get("comment")) for c in commits] == [("2", "wider"), ("1", "first")]
    assert control.vgw("compare", "1", "2") == "  port uplink\n+     mtu 9000\n"
    control.vgw("rollback", "1")
    assert control.vgw("compare") == "  port uplink\n-     mtu 9000\n"
    control.vgw("rollback", "revision", "2")
    assert control.vgw("compare") == ""
    assert "cannot go back 99 commits: there were 2" in control.refused(1, "rollback", "99")
    assert "no revision 99; revisions are 0 to 2" in control.refused(1, "rollback", "revision", "99")
    control.refused(2, "rollback")


def test_a_commit_waits_to_be_confirmed(control):
    control.vgw("set", "port", "uplink", "mtu", "9000")
    assert "It undoes itself in 5 minutes" in control.vgw("commit", "confirm", "5")
    assert json.loads(control.vgw("show", "system", "--json"))[0]["confirm-deadline"]
    control.vgw("confirm")
    assert "confirm-deadline" not in json.loads(control.vgw("show", "system", "--json"))[0]
    assert "no commit waits" in control.refused(1, "confirm")


def test_import_says_what_is_wrong(control):
    assert "not JSON" in control.refused(1, "import", "-", stdin="set port a")
    assert "devic" in control.refused(1, "import", "-", "merge", stdin='{"vgw:port":[{"name":"p","devic":"x"}]}')
    assert control.vgw("compare") == ""


def test_man_page_has_all_commands_and_shows(empty):
    page = (SOURCE / "man/vgw.1.scd").read_text()
    commands = re.findall(r"^  (\S+(?: \S+)?)  +\S", empty.vgw("help"), re.M)
    shows = re.search(r"there is (config.*)", empty.refused(2, "show", "nothing"))[1].split(", ")
    assert {"commit", "clear macs"} <= set(commands) and "tunnels" in shows
    missing = [c for c in commands if f"*{c}" not in page and c not in ("help", "exit")]
    missing += [w for w in shows if f"*{w}*" not in page and w != "config"]
    assert not missing


# --- errors and exit codes ----------------------------------------------------------------------------


def test_wrong_words_are_marked(control):
    assert control.refused(2, "set", "vfabric", "acme", "netwrk", "web") == (
        'vgw: vfabric has no "netwrk"; it has id, description, network, vrouter\n'
        "  set vfabric acme netwrk web\n"
        "                   ^~~~~~\n")


def test_wrong_values_are_refused_by_set(control):
    """Each against its type, by itself: nothing of the line is in the candidate."""
    before = control.vgw("show", "config", "candidate", "--json")
    for line, word in (("vrouter core interface lo address 10.0.0.1/32 address 300.1.1.1/24", "300.1.1.1/24"),
                       ("vrouter core interface lo address 2001:db8::g/64", "2001:db8::g/64"),
                       ("vrouter core vtep site remote 192.0.2.300", "192.0.2.300"),
                       ("vrouter core static-route 10.0.0.0/33 blackhole", "10.0.0.0/33"),
                       ("vrouter core vtep site vni 16777216 network web", "16777216"),
                       ("network web id 16777216", "16777216")):
        words = ["set", "vfabric", "acme", *line.split()]
        told = control.refused(2, *words).splitlines()
        assert re.fullmatch(f'vgw: "{word}" is no value of [a-z-]+; it takes .+', told[0]), told
        assert told[1].split() == words and told[2].index("^") == told[1].index(word)
    assert control.vgw("show", "config", "candidate", "--json") == before


def test_usage_errors(empty):
    assert "there is no command" in empty.refused(2, "frobnicate")
    assert "compare, commit, confirm" in empty.refused(2, "co")
    assert "usage: commit" in empty.refused(2, "commit", "loudly")
    assert "is not a number" in empty.refused(2, "commit", "confirm", "soon")
    assert "filtered" in empty.refused(2, "show", "ports", "colour", "red")
    assert "nothing to show" in empty.refused(2, "show", "nothing")
    empty.refused(2, "--frobnicate")


def test_control_away(tmp_path):
    done = subprocess.run([VGW, "--socket", tmp_path / "none", "--yang-dir", SOURCE / "yang", "show", "ports"],
                          capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 3
    assert "cannot reach vgw-control" in done.stderr and "systemctl status vgw-control" in done.stderr


def test_models_away(empty, tmp_path):
    assert "no such directory" in empty.refused(1, "--yang-dir", str(tmp_path / "none"), "show", "ports")


def test_data_plane_away(control):
    assert "data plane is not connected" in control.run("show", "macs").stderr
    assert json.loads(control.vgw("show", "macs", "--json")) == []
    for command in (("trace",), ("ping", "acme/core", "192.0.2.2"), ("clear", "counters")):
        assert "data plane" in control.refused(1, *command)
    file = control.directory / "x.pcapng"
    assert "data plane" in control.refused(1, "capture", str(file))
    assert not file.exists()


def test_script_stops_at_the_first_error(empty):
    done = empty.run(stdin="set port a device tap:cli-a\n# comment\nset port b colour red\nset port c device tap:c\n")
    assert done.returncode == 2 and "stdin:3: port has no" in done.stderr
    assert empty.vgw("show", "config", "candidate", "--set") == "set port a device tap:cli-a\n"


def test_commands_may_be_shortened(control):
    assert control.vgw("sh", "conf", "port", "uplink") == control.vgw("show", "config", "port", "uplink")
    assert control.vgw("val") == "The candidate is valid.\n"


def test_long_lists_come_in_pages(empty):
    """More rows than the CLI asks for at once, which is 1000."""
    empty.vgw(stdin="".join(f"set port a device tap:cli-a mtu {1400 + n % 2}\ncommit\n" for n in range(1, 1101)))
    table = empty.vgw("show", "commits").splitlines()
    assert len(table) == 1101
    assert [int(row.split()[0]) for row in table[1:]] == list(range(1100, 0, -1))
    assert len(json.loads(empty.vgw("show", "commits", "--json"))) == 1100
    assert len(empty.vgw("show", "commits", "limit", "1050").splitlines()) == 1051


def test_watch_looks_again(control):
    text = control.vgw("watch", "commits", "count", "2", "interval", "1")
    assert text.count("REVISION") == 2


def test_watch_ends_with_ctrl_c(control):
    process = subprocess.Popen([VGW, "watch", "system"], stdout=subprocess.PIPE, env=control.env)
    assert process.stdout.readline()
    process.send_signal(signal.SIGINT)
    process.stdout.read()
    assert process.wait(60) == 0


# --- the shell ----------------------------------------------------------------------------------------


class Shell:
    """vgw on a terminal."""

    def __init__(self, control):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execve(VGW, ["vgw"], control.env)
        self.text = ""

    def expect(self, pattern, timeout=60):
        """What was written up to the pattern; it is taken."""
        deadline = time.monotonic() + timeout
        while not (match := re.search(pattern, self.text)):
            left = deadline - time.monotonic()
            assert left > 0, f"no {pattern!r} in {self.text!r}"
            if select.select([self.terminal], [], [], left)[0]:
                try:
                    data = os.read(self.terminal, 65536).decode()
                except OSError:
                    data = ""
                assert data, f"the shell ended; no {pattern!r} in {self.text!r}"
                # without cursor movements: TAB's insertions are part of the line
                self.text += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", data)
        before, self.text = self.text[:match.end()], self.text[match.end():]
        return before

    def type(self, text):
        os.write(self.terminal, text.encode())

    def interrupt(self):
        """Ctrl-C at the prompt. What is typed before the next prompt is lost, as it is meant to be."""
        self.type("\x03")
        self.expect(r"\^C")
        self.expect("> ")

    def close(self):
        self.interrupt()
        self.type("exit\r")
        _, status = os.waitpid(self.pid, 0)
        os.close(self.terminal)
        return os.waitstatus_to_exitcode(status)


def test_shell_prompt_tells_of_changes(control):
    shell = Shell(control)
    shell.expect(r"leaf1> ")
    shell.type("set port uplink mtu 9000\r")
    shell.expect(r"leaf1\*> ")
    shell.type("commit\r")
    shell.expect(r"Revision 2: 1 change\.")
    shell.expect(r"leaf1> ")
    assert shell.close() == 0


def test_shell_completes_names_values_and_live_objects(control):
    shell = Shell(control)
    shell.expect("leaf1> ")
    shell.type("set vf\t")
    shell.expect("abric ")
    shell.type("\t")
    shell.expect("acme ")
    shell.type("net\t")
    shell.expect("work ")
    shell.type("w\t")
    shell.expect("eb ")
    shell.type("lea\t")
    shell.expect("rning ")
    shell.type("f\t")
    shell.expect("alse ")
    shell.type("\r")
    shell.expect(r"leaf1\*> ")
    assert "learning false" in control.vgw("show", "config", "candidate", "vfabric", "acme", "network", "web")
    shell.type("set vfabric acme network web attachment rack port \t")
    shell.expect(r"hosts\s+uplink +to the core")
    shell.close()


def test_shell_explains_at_a_question_mark(control):
    shell = Shell(control)
    shell.expect("leaf1> ")
    shell.type("set port uplink ?")
    shell.expect(r"mtu +Largest payload of an Ethernet frame")
    shell.expect("leaf1> set port uplink ")
    shell.type("mtu ?")
    shell.expect(r"mtu: 68\.\.9216")
    shell.interrupt()
    shell.type('set port uplink description "why?"\r')
    shell.expect(r"leaf1\*> ")
    assert 'description why?' in control.vgw("show", "config", "candidate", "port", "uplink")
    shell.close()


def test_shell_goes_on_after_errors_and_ctrl_c(control):
    shell = Shell(control)
    shell.expect("leaf1> ")
    shell.type("set port uplink mtu 1\r")
    shell.expect(r"68\.\.9216")
    shell.expect("leaf1> ")
    shell.type("half a command")
    shell.expect("half a command")
    shell.interrupt()
    shell.type("watch system\r")
    shell.expect("Revision")
    shell.type("\x03")
    shell.expect("leaf1> ")
    shell.close()


def test_shell_remembers(control):
    shell = Shell(control)
    shell.expect("leaf1> ")
    shell.type("show config port uplink\r")
    shell.expect("netdev:cli-eth1")
    shell.expect("leaf1> ")
    shell.close()
    history = control.directory / ".local/state/vgw/history"
    assert "show" in history.read_text() and history.stat().st_mode & 0o077 == 0
    shell = Shell(control)
    shell.expect("leaf1> ")
    shell.type("\x10\x10\r")  # behind "exit"
    shell.expect("netdev:cli-eth1")
    shell.close()


# --- bash ---------------------------------------------------------------------------------------------


def bash_completes(control, line):
    """What bash would offer at the end of the line."""
    script = f"""
        . /usr/share/bash-completion/bash_completion
        . {SOURCE}/cli/vgw.bash
        compopt() {{ :; }}
        COMP_LINE={line!r} COMP_POINT={len(line)}
        COMP_WORDS=({line}{' ""' if line.endswith(' ') else ''})
        COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        _vgw
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "--norc", "-c", script], env=control.env, capture_output=True, text=True,
                          timeout=60, check=True)
    return done.stdout.split()


def test_bash_completion(control):
    assert bash_completes(control, "vgw comm") == ["commit"]
    assert bash_completes(control, "vgw set port ") == ["hosts", "uplink"]
    assert bash_completes(control, "vgw delete vfabric acme vrouter core static-route ") == ["0.0.0.0/0", "203.0.113.0/24"]
    assert bash_completes(control, "vgw show ma") == ["macs"]
    assert bash_completes(control, "vgw ping ") == ["acme/"]
    assert bash_completes(control, "vgw ping acme/") == ["acme/core"]
    assert bash_completes(control, "vgw --ver") == ["--version"]
    assert bash_completes(control, f"vgw --socket {control.socket} val") == ["validate"]
