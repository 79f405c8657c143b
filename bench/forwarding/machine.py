# SPDX-License-Identifier: Apache-2.0
"""What a bench takes from the machine: two CPUs, huge pages, processes that are put to sleep between their windows."""
import contextlib
import json
import os
import pathlib
import platform
import select
import signal
import subprocess

HUGE = pathlib.Path("/proc/sys/vm/nr_hugepages")
CPUS = sorted(os.sched_getaffinity(0))
GENERATOR_CPU, GATEWAY_CPU = CPUS[0], CPUS[1 % len(CPUS)]


def gateway_cpus(case):
    """Of its workers."""
    return [CPUS[i % len(CPUS)] for i in range(1, 1 + case.workers)]


def helper_cpu(case):
    """Where a gateway's other threads are: beside the generator where no CPU is left."""
    return CPUS[-1] if len(CPUS) > 1 + case.workers else GENERATOR_CPU


class Failure(Exception):
    pass


@contextlib.contextmanager
def huge_pages(mib):
    """At least so many MiB of 2 MiB pages, until the block ends."""
    before = int(HUGE.read_text())
    HUGE.write_text(str(max(before, mib // 2)))
    try:
        if int(HUGE.read_text()) < mib // 2:
            raise Failure(f"{mib} MiB of huge pages are wanted, the kernel gives {int(HUGE.read_text()) * 2}")
        yield
    finally:
        HUGE.write_text(str(before))


def described():
    """What a figure depends on beside the program."""
    model = next((line.split(":")[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), "unknown")
    return {"processor": model, "cpus": len(CPUS), "tsc_ghz": round(tsc_hz() / 1e9, 2), "kernel": platform.release()}


def tsc_hz():
    """Of this machine's time-stamp counter, near enough: what the kernel says that a CPU's speed is."""
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("bogomips"):
            return float(line.split(":")[1]) * 1e6 / 2
    raise Failure("/proc/cpuinfo knows no speed")


def come_first():
    """A bench on a machine that others use has its CPUs to itself for the time of its windows: a session of its own, and,
    where the kernel shares CPUs between sessions (autogroup), the most of them. Pinned threads of windows alone run."""
    with contextlib.suppress(PermissionError):  # a group leader already: it has its session
        os.setsid()
    with contextlib.suppress(OSError):
        pathlib.Path("/proc/self/autogroup").write_text("-20")
    os.setpriority(os.PRIO_PROCESS, 0, -20)


class Process:
    def __init__(self, log, *command, enter=(), **settings):
        self.log = open(log, "wb")
        self.process = subprocess.Popen([*enter, *map(str, command)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.log, **settings)

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        self.go_on()
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(20)
        self.process.stdin.close()
        self.process.stdout.close()
        self.log.close()


def generator_memory(case):
    """MiB: its frames, both ways."""
    return 128 + 2 * case.flows * ((case.size or 1500) + 96 + 128 + 320) // (1 << 20)


class Generator(Process):
    def __init__(self, program, directory, left, right, case, gateway, outer, rx_queues=1, enter=()):
        memory = generator_memory(case)
        options = ["--direction", case.direction, "--flows", case.flows, "--vnis", case.vnis,
                   "--size", case.size, "--remotes", case.remotes, "--new-macs", case.new_macs, "--rx-queues", rx_queues,
                   "--gateway-mac", gateway[0], "--outer-mac", outer[0]]
        options += ["--ipv6"] if case.ipv6 else []
        options += ["--local"] if case.local else []
        options += ["--routed"] if case.routed else []
        options += ["--full-table"] if case.full_table else []
        options += ["--tx-queues", case.workers]
        super().__init__(f"{directory}/generator.log", program, f"--lcores=0@{GENERATOR_CPU}", "--in-memory", "--no-pci",
                         "--no-telemetry", f"-m{memory}", "--log-level=*:error", "--",
                         "--left", left, "--right", right, *options,
                         "--gateway-ip", gateway[1], "--outer-ip", outer[1], enter=enter)

    def answer(self, seconds):
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            raise Failure("the generator does not answer")
        line = self.process.stdout.readline()
        if not line:
            raise Failure(f"the generator ended: {pathlib.Path(self.log.name).read_text()}")
        return json.loads(line)

    def command(self, text, seconds):
        self.process.stdin.write(text.encode() + b"\n")
        self.process.stdin.flush()
        return self.answer(seconds)

    def watch(self, schedstat):
        self.command(f"watch {GENERATOR_CPU} {GATEWAY_CPU} {schedstat}", 10)

    def teach(self, pps):
        answer = self.command(f"teach {pps}", 600)
        if not answer["taught"]:
            raise Failure(f"the gateway does not forward every flow: {answer}")

    def window(self, seconds, rate=0):
        return self.command(f"window {seconds} {rate:.0f}", seconds + 60)


class PerfCounters:
    """Cycles, instructions, cache misses of the gateway's CPU in a window; {} where the machine has no counters."""
    EVENTS = ("cycles", "instructions", "cache-misses")
    available = None

    def __init__(self, seconds):
        self.process = None
        if PerfCounters.available is not False:
            self.process = subprocess.Popen(
                ["perf", "stat", "-x,", "-C", str(GATEWAY_CPU), "-e", ",".join(self.EVENTS), "sleep", str(seconds)],
                stderr=subprocess.PIPE, text=True)

    def result(self):
        if self.process is None:
            return {}
        found = {}
        for line in self.process.communicate()[1].splitlines():
            fields = line.split(",")
            if len(fields) > 2 and fields[0].isdigit():
                found[fields[2]] = int(fields[0])
        PerfCounters.available = bool(found)
        return found
