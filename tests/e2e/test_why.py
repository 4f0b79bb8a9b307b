# SPDX-License-Identifier: Apache-2.0
"""`ferry why` against servers of every kind: Ferry's, and those that do not know the question."""
import json
import socket
import struct
import threading

import pytest

from lab import Bench, Device, ferry
from test_old_client import cbor

REFUSED = {"action": "refused", "reason": -22, "version": "2.0.0", "running": "1.0.0",
           "resumed": False, "upgrades": 3, "reverts": 1, "refusals": 2, "resumes": 0, "stops": 0}


class Server:
    """Answers os/6 and, to os/8, what it was given; asked keeps the requests to os/8."""

    def __init__(self, answer):
        self.answer = answer
        self.asked = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.1)
        self.uri = f"udp:127.0.0.1:{self.socket.getsockname()[1]}"
        self.ended = False
        self.thread = threading.Thread(target=self.serve)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended = True
        self.thread.join()
        self.socket.close()

    def serve(self):
        while not self.ended:
            try:
                packet, peer = self.socket.recvfrom(2048)
            except TimeoutError:
                continue
            first, _, _, group, seq, command = struct.unpack(">BBHHBB", packet[:8])
            body = {"buf_size": 512, "buf_count": 2} if command == 6 else self.answer
            if command == 8:
                self.asked.append(packet[8:])
            payload = cbor(body)
            self.socket.sendto(struct.pack(">BBHHBB", first + 1, 0, len(payload), group, seq,
                                           command) + payload, peer)


def ask(answer, *args, check=0):
    with Server(answer) as server:
        return ferry("--timeout", "2", *args, "why", device=server.uri, check=check)


def test_a_refusal_is_explained():
    text = ask(REFUSED).stdout
    assert text.splitlines() == [
        "version 2.0.0 was refused by the bootloader",
        "  why:  the signature does not verify",
        "  next: sign again with the right key",
        "  then ran: version 1.0.0",
        "  so far: 3 installed, 1 taken back, 2 refused, 0 finished after a power cut, "
        "0 with nothing to run"]


def test_json_has_the_words_and_the_numbers():
    done = json.loads(ask(REFUSED, "--json").stdout)
    assert done == {**REFUSED, "image": 0, "reason_name": "FERRY_E_SIGNATURE",
                    "what": "version 2.0.0 was refused by the bootloader",
                    "why": "the signature does not verify",
                    "next": "sign again with the right key"}
    assert json.loads(ask({"action": "none"}, "--json").stdout)["action"] == "none"


@pytest.mark.parametrize("answer, words", [
    ({"action": "none"}, ["nothing to tell"]),
    ({"action": "testing", "version": "2.0.0", "running": "2.0.0"},
     ["version 2.0.0 was installed for a test", "next: see if it is confirmed"]),
    ({"action": "upgraded", "version": "2.0.0"}, ["version 2.0.0 was installed for good"]),
    ({"action": "upgraded", "version": "2.0.0", "reason": -19, "resumed": True},
     ["installed for good", "the image before it may not run: the digest does not match",
      "a power cut had interrupted it"]),
    ({"action": "reverted", "version": "1.0.0"},
     ["the device went back to version 1.0.0", "did not confirm itself in time"]),
    ({"action": "refused", "reason": -14}, ["an image without a header was refused"]),
    ({"action": "refused", "reason": -41, "version": "2.0.0", "counter": 4, "demanded": 5},
     ["version 2.0.0 was refused", "the security counter is below the device's: the image has 4, "
      "the device demands 5 or more", "next: sign with a higher counter"]),
    ({"action": "refused", "reason": -28, "version": "1.0.0", "running": "2.0.0"},
     ["the version is not newer: it is 1.0.0, and 2.0.0 runs"]),
    ({"action": "stopped", "reason": -11, "version": "2.0.0", "area": "secondary", "sector": 7},
     ["nothing may run", "sector 7 of the secondary could not be erased or written"]),
])
def test_everything_has_words(answer, words):
    text = ask(answer).stdout
    for part in words:
        assert part in text


@pytest.mark.parametrize("answer", [
    {"err": {"group": 0, "rc": 3}},  # Zephyr, and Ferry's server without a store
    {"rc": 8},                       # os/8 is not built in: MCUboot's serial recovery
    {"rc": 5},                       # the same as the first, of version 1
    {"bootloader": "MCUboot"},       # answers, but another question
])
def test_other_bootloaders_have_no_report(answer):
    done = ask(answer, check=5)
    assert "the device keeps no report" in done.stderr
    assert "only Ferry's" in done.stderr and "next:" in done.stderr
    error = json.loads(ask(answer, "--json", check=5).stdout)["error"]
    assert error["exit"] == 5 and "Ferry" in error["why"]


def test_other_failures_are_told_as_they_are():
    assert "QUERY" in ask({"err": {"group": 0, "rc": 6}}, check=5).stderr
    assert "EACCESSDENIED" in ask({"rc": 11}, check=5).stderr
    ask({"action": "something newer"}, check=4)


def test_the_image_is_asked_for():
    with Server({"action": "none"}) as server:
        ferry("why", "-n", "3", device=server.uri, check=0)
        assert server.asked == [cbor({"query": "why", "image": 3})]
    ferry("why", "-n", "x", device="udp:127.0.0.1:1", check=2)
    ferry("why", "now", device="udp:127.0.0.1:1", check=2)


def test_a_trial_that_was_confirmed_since_is_no_trial_any_more(tmp_path):
    """The report is of the boot: right after a confirm it said "installed for a test" still."""
    (tmp_path / "bench").mkdir()
    bench = Bench(tmp_path / "bench")
    with Device(tmp_path / "device", bench) as device:
        ferry("update", "--no-confirm", bench.images["v2"], device=device.uri, check=0)
        said = ferry("why", device=device.uri, check=0).stdout
        assert said.startswith("version 2.0.0 was installed for a test, and runs on trial")
        assert "next: keep it: ferry image confirm" in said
        ferry("image", "confirm", device=device.uri, check=0)
        said = ferry("why", device=device.uri, check=0).stdout
        assert said.startswith("version 2.0.0 was installed for a test, and is confirmed by now: it stays")
        assert "next:" not in said
