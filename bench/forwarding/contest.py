# SPDX-License-Identifier: Apache-2.0
"""A case measured: all gateways made ready and paused; then they take turns, a window each, so that what the machine does
beside changes all of them alike. The figure of a gateway is the median of its windows.

Of a window the undisturbed slices count (bench/generator/slices.h), where at least a fifth of them is.
"""
import contextlib
import dataclasses
import os
import pathlib
import shutil
import statistics
import tempfile
import time

from .cases import OUTER_MAC, RIGHT_MAC, addresses
from .gateway import BUILD, Failure as GatewayFailure, busiest_thread
from .machine import GATEWAY_CPU, Failure, Generator, PerfCounters, tsc_hz
from .peers import Ceiling, Linux, Ovs
from .vgw import Vgw

GATEWAYS = {g.name: g for g in (Ceiling, Vgw, Ovs, Linux)}
WARM_SECONDS = 0.05
OTHER_MAX = 50  # frames of a window that a gateway says of its own: ARP, ND
UNDISTURBED_MIN = 0.2
CAUSES = ("gaps", "waits", "steals")  # of disturbances, as slices.h has them
LATENCY_LOAD, LOSS_LOAD = 0.80, 0.95  # of the own maximum


def figure(window):
    """Packets a second."""
    calm = window["slices"] - window["disturbed"]
    return window["undisturbed"]["pps"] if calm >= UNDISTURBED_MIN * max(window["slices"], 1) else window["pps"]


class Contestant:
    """A gateway with its generator, ready for a case; paused."""

    def __init__(self, name, case, directory):
        self.name, self.case = name, case
        self.directory = f"{directory}/{name}"
        os.makedirs(self.directory, exist_ok=True)
        self.gateway = GATEWAYS[name](case, self.directory)
        self.windows, self.counters = [], {}
        # The ceiling gets frames that are as long and as many, but nothing that depends on tags or tunnels.
        self.shown = dataclasses.replace(case, direction="wires", new_macs=0, remotes=0) if name == "ceiling" else case
        try:
            self.gateway.prepare()
            self.start()
        except BaseException:
            self.stop()
            raise
        self.pause()

    def start(self):
        ours, theirs, _ = addresses(self.case)
        self.generator = Generator(BUILD / "bench/vgw-generator", self.directory, self.gateway.left,
                                   self.gateway.right, self.shown, (RIGHT_MAC, ours), (OUTER_MAC, theirs),
                                   self.gateway.tx_queues, self.gateway.enter)
        self.wait_for_sockets()
        self.gateway.start()
        self.generator.answer(90)
        if self.name != "ceiling":
            self.generator.teach(self.gateway.teach_pps)
        pid = self.gateway.pid()
        self.generator.watch(busiest_thread(pid, GATEWAY_CPU) if pid else "")

    def wait_for_sockets(self):
        if self.gateway.left.startswith("netdev:"):
            return
        for _ in range(6000):
            if os.path.exists(self.gateway.left) and os.path.exists(self.gateway.right):
                return
            if self.generator.process.poll() is not None:
                raise Failure("the generator ended: " + pathlib.Path(self.generator.log.name).read_text())
            time.sleep(0.01)
        raise Failure("the generator does not listen")

    def pause(self):
        self.generator.pause()
        self.gateway.pause()

    @contextlib.contextmanager
    def turn(self):
        self.gateway.go_on()
        self.generator.go_on()
        try:
            yield
        finally:
            self.pause()

    def window(self, seconds, counting):
        with self.turn():
            self.generator.window(WARM_SECONDS)
            counters = PerfCounters(seconds) if counting else None
            w = self.generator.window(seconds)
            found = counters.result() if counters else {}
        if w["wrong"] or w["other"] > OTHER_MAX:
            raise Failure(f"{self.name}, {self.case.name}: {w['wrong']} frames are wrong: {w['why']}; {w['other']} are none of "
                          "this case")
        if w["received"]:
            self.counters = {k: v / w["received"] for k, v in found.items()} or self.counters
        self.windows.append(w)

    def rate(self, share):
        """Frames a second to send, for that share of the own maximum."""
        return share * statistics.median(map(figure, self.windows)) / self.shown.copies

    def at_rate(self, seconds, pps):
        with self.turn():
            self.generator.window(WARM_SECONDS, pps)
            return self.generator.window(seconds, pps)

    def latency(self, seconds, pps):
        w = self.at_rate(seconds, pps)
        return {"us": w["us"], "us_all": w["us_all"], "slices": w["slices"], "disturbed": w["disturbed"],
                **{k: w[k] for k in CAUSES}}

    def loss(self, seconds):
        """Undisturbed, and in all; sent counts the copies that are due."""
        w = self.at_rate(seconds, self.rate(LOSS_LOAD))
        return {"seconds": w["seconds"], "slices": w["slices"], "disturbed": w["disturbed"],
                **{k: w[k] for k in CAUSES}, "sent": w["undisturbed"]["sent"], "received": w["undisturbed"]["received"],
                "sent_all": w["sent"] * self.shown.copies, "received_all": w["received"]}

    def result(self):
        pps = [figure(w) for w in self.windows]
        median = statistics.median(pps)
        sent = sum(w["sent"] for w in self.windows) * self.shown.copies
        return {"pps": median, "max": max(pps), "windows": pps, "whole_windows": [w["pps"] for w in self.windows],
                "disturbed": sum(w["disturbed"] for w in self.windows) / max(sum(w["slices"] for w in self.windows), 1),
                **{k: sum(w[k] for w in self.windows) for k in CAUSES},
                "cycles": tsc_hz() * self.case.workers / median if median else None,
                "unordered": sum(w["unordered"] for w in self.windows),
                "lost": sent - sum(w["received"] for w in self.windows), "sent": sent, **self.counters}

    def stop(self):
        if hasattr(self, "generator"):
            self.generator.go_on()
            with contextlib.suppress(Exception):
                self.gateway.go_on()
            self.generator.stop()
        with contextlib.suppress(AttributeError, AssertionError, GatewayFailure):  # it may not have come that far
            self.gateway.stop()


def measure(case, names, o):
    """{gateway: its result}, and what could not be measured, with the reason."""
    directory = tempfile.mkdtemp(prefix="vgwb-")
    contestants, failed, result = [], {}, {}
    try:
        for name in names:
            try:
                contestants.append(Contestant(name, case, directory))
            except (Failure, GatewayFailure, AssertionError, OSError) as e:
                failed[name] = str(e)
        for n in range(o.windows):
            for c in list(contestants):
                try:
                    c.window(o.seconds, n == 0)
                except Failure as e:
                    failed[c.name] = str(e)
                    c.stop()
                    contestants.remove(c)
        rate = next((c.rate(LATENCY_LOAD) for c in contestants if c.name == "vgw"), None)
        for c in contestants:
            result[c.name] = c.result()
            if rate and c.name in ("vgw", "ceiling"):
                result[c.name]["latency"] = c.latency(o.latency_seconds, rate)
            if c.name == "vgw":
                result["vgw"]["at 95 %"] = c.loss(o.loss_seconds if case.target else min(o.loss_seconds, 5.0))
            with c.turn():
                result[c.name].update(c.gateway.measured())
    finally:
        for c in contestants:
            c.stop()
        if not o.keep:
            shutil.rmtree(directory)
    return result, failed
