# SPDX-License-Identifier: Apache-2.0
"""What a text of ours says to type, and somebody who types it."""
import re
import signal

from topology import BUILD, SOURCE, wait_for


def blocks(text):
    """The code blocks of a text: fenced ones, and indented ones."""
    fenced = re.findall(r"^```\n(.*?)^```$", text, re.S | re.M)
    text = re.sub(r"^```\n.*?^```$", "", text, flags=re.S | re.M)
    return fenced + [re.sub("^    ", "", b, flags=re.M) for b in re.findall(r"(?:^    .*\n)+", text, re.M)]


def lines_of(text, program):
    """The lines of a text's blocks that begin with a program's name, without their comments."""
    lines = [line for block in blocks(text) for line in block.splitlines()]
    return [re.split(r"\s+#", line)[0] for line in lines if line.startswith(program + " ")]


class Typist:
    """Somebody who types at the gateway."""

    def __init__(self, topology, leaf, gateway):
        self.topology, self.leaf = topology, leaf
        self.shell = ["env", f"VGW_SOCKET={gateway.control_socket}", f"VGW_YANG_DIR={SOURCE}/yang", "bash", "-c"]
        self.path = f'PATH="{BUILD}/cli:$PATH"; '

    def types(self, line):
        done = self.leaf.run(*self.shell, self.path + line, check=False)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout

    def types_until(self, line, condition):
        """For what goes on until Ctrl-C, or until its limit."""
        log = self.topology.directory / "typed.log"
        log.unlink(missing_ok=True)
        process = self.leaf.start(*self.shell, self.path + "exec " + line, log=log)
        wait_for(lambda: condition(log.read_text()) or process.poll() is not None, f"what {line} prints")
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0, f"{line}\n{log.read_text()}"
        return log.read_text()
