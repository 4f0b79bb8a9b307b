# SPDX-License-Identifier: Apache-2.0
"""Load: eight clients at once on all wires of one device, 10 000 requests, frames lost and changed,
and an upload in the middle of it.

On --raw whole packets are lost, and no byte is changed: nothing would notice it there. That is why
a client may ask again there, too, before the device's timeout for half a packet is over."""
import os
import pathlib
import random
import re
import socket
import threading
import time

import lab
import smp
from smp import READ, WRITE

CLIENTS = 8
REQUESTS = 10000
WARM_UP = 3200  # by then every ring has gone round once
SLACK = 64      # KiB: the allocator's, and the deepest stack; one lost packet in a hundred is more
TIMEOUT = 0.3  # of one try
TRIES = 30     # of one request; every one is lost with the same small chance

HOSTS = ["127.0.0.1", "::1"] if socket.has_ipv6 and os.path.exists("/proc/net/if_inet6") else \
    ["127.0.0.1"] * 2


class Client(threading.Thread):
    """Asks one question after the other, each different from the last, and checks each answer."""

    def __init__(self, number, wire, runs, count):
        super().__init__()
        self.random = random.Random(number)
        self.number, self.wire, self.runs, self.count = number, wire, runs, count
        self.sent = self.answered = self.expired = self.late = 0
        self.failure = None

    def question(self, turn):
        """A request, and what its answer must be."""
        kind = self.random.randrange(10)
        if kind == 0:
            return READ, 0, 6, {}, {"buf_size": 2048, "buf_count": 8}
        if kind == 1:
            return READ, 1, 0, {}, lambda got: got["images"][0] == self.runs
        if kind == 2:
            return READ, 77, turn & 0xff, {}, {"rc": 8}
        text = f"{self.number} {turn} " + "abcdefg " * self.random.randrange(60)
        return WRITE, 0, 0, {"d": text}, {"r": text}

    def await_answer(self, expected_header):
        """The map of the answer, or None after the timeout. Late answers to tries before, or to the
        same try twice, are passed over: their number says so."""
        until = time.monotonic() + TIMEOUT
        while (left := until - time.monotonic()) > 0:
            try:
                answer = self.wire.receive_within(left)
            except TimeoutError:
                return None
            if (answer.op, answer.group, answer.id, answer.seq) == expected_header:
                return answer.map
            self.late += 1
        return None

    def ask(self, turn):
        op, group, id, payload, expected = self.question(turn)
        for _ in range(TRIES):
            # A new number for each try: 256 of them last far longer than anything is on its way.
            seq = self.sent & 0xff
            self.sent += 1
            self.wire.send(smp.packet(op, group, id, payload, seq=seq))
            got = self.await_answer((op + 1, group, id, seq))
            if got is not None:
                good = expected(got) if callable(expected) else got == expected
                assert good, f"client {self.number}: {payload!r} got {got!r}"
                self.answered += 1
                return
            self.expired += 1
        raise AssertionError(f"client {self.number}: no answer in {TRIES} tries")

    def run(self):
        try:
            for turn in range(self.count):
                self.ask(turn)
        except Exception as failure:  # told by the test
            self.failure = failure
        self.wire.close()


class Udp(smp.Talk):
    def receive_within(self, seconds):
        self.socket.settimeout(seconds)
        return self.receive()


class Serial:
    """What both serial wires need to be asked with a timeout of a try."""

    def receive_within(self, seconds):
        self.timeout = seconds
        return self.receive()


class Console(Serial, smp.ConsoleTalk):
    pass


class Raw(Serial, smp.RawTalk):
    pass


def memory(pid):
    """KiB of a process's own memory: what is not in a file."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"RssAnon:\s+(\d+) kB", status).group(1))


def children(pid):
    return [int(word) for word in
            pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def run_clients(device, runs, count):
    wires = [Udp(device.udp_port, HOSTS[n % 2]) for n in range(CLIENTS - 2)]
    wires += [Console(device.link), Raw(device.raw_link)]
    clients = [Client(number, wire, runs, count) for number, wire in enumerate(wires)]
    for client in clients:
        client.start()
    return clients


def finish(clients):
    for client in clients:
        client.join()
    failures = [client.failure for client in clients if client.failure]
    assert not failures, failures
    for client in clients:
        assert client.sent == client.answered + client.expired
    return [sum(getattr(client, name) for client in clients)
            for name in ("sent", "answered", "expired", "late")]


def ask_until_answered(device, request):
    """One answer of a device that loses frames."""
    with smp.Talk(device.udp_port, timeout=TIMEOUT) as talk:
        for _ in range(TRIES):
            talk.send(request)
            try:
                return talk.receive().map
            except TimeoutError:
                continue
    raise AssertionError("no answer")


def check_wire(device, name):
    """By the firmware's own count: what it received whole it answered, or had no buffer for."""
    counted = ask_until_answered(device, smp.packet(READ, 2, 0, {"name": name}))["fields"]
    open_still = name == "udp"  # the question itself
    assert counted["received"] - counted["dropped"] - counted["answered"] == open_still, counted
    assert counted["damaged"] == 0 if name != "serial" else counted["damaged"] > 0


def load(device, runs, count, image):
    """Eight clients, and an upload by `ferry` while they ask. Returns what they counted."""
    clients = run_clients(device, runs, count)
    try:
        lab.ferry("image", "upload", image, device=device.udp_uri, check=0, timeout=300)
    finally:
        counts = finish(clients)
    return counts


def test_load(tmp_path, bench):
    device = lab.Device(tmp_path / "device", bench)
    device.start(loss=1, corrupt=1, buf_count=8)
    try:
        device.wait_for(r"app 1\.0\.0 started")
        runs = ask_until_answered(device, smp.packet(READ, 1, 0))["images"][0]
        chip = device.process.pid
        firmware, = children(chip)

        # What memory is used for the first time, and once, is no growth.
        load(device, runs, WARM_UP // CLIENTS, bench.images["v3"])
        before = memory(chip), memory(firmware)
        sent, answered, expired, late = load(device, runs, REQUESTS // CLIENTS, bench.images["v2"])
        after = memory(chip), memory(firmware)

        print(f"{answered} requests answered, {sent} tries, {expired} without an answer in time, "
              f"{late} answers late; chip {before[0]} KiB, then {after[0]}; firmware {before[1]}, then {after[1]}")
        assert answered == REQUESTS and expired > 0
        assert after[0] - before[0] <= SLACK and after[1] - before[1] <= SLACK
        assert children(chip) == [firmware]  # it was never reset
        for name in ("serial", "raw", "udp"):
            check_wire(device, name)
        lab.ferry("image", "test", bench.hash_of("v2"), device=device.udp_uri, check=0)
        while lab.ferry("reset", device=device.udp_uri).returncode != 0:  # lost on this wire: sent again, as it says
            assert device.process.poll() is None
        device.wait_for(r"app 2\.0\.0 started")
    finally:
        device.stop()
