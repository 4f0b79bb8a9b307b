#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Seeds of fuzz_server: what the packets of tests/data/smp-vectors.json and the conversations of
tests/e2e say, in the form of server_input.h. `fuzz_server -merge=1` takes of them what is new.

    server_seeds.py OUT [CONVERSATION.py ...]     each test of a conversation is one seed"""
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
CHOICES = [bytes(4), bytes([0, 2, 9, 0x80]), bytes([6, 6, 7, 1]), bytes([1, 5, 4, 3])]
LIMIT = 2000  # bytes of the packets of a seed


def step(packet, transport=0):
    return bytes([transport]) + len(packet).to_bytes(2, "little") + packet


def requests_of_the_vectors():
    for vector in json.loads((ROOT / "tests/data/smp-vectors.json").read_text()):
        if vector["op"] in (0, 2):
            yield vector["name"], bytes.fromhex(vector["header_hex"] + vector["payload_hex"])


class Recorder:
    """Takes what tests send; a plug-in of pytest."""

    def __init__(self):
        self.sent = {}
        self.test = None

    def pytest_runtest_setup(self, item):
        self.test = item.name
        import smp
        if not hasattr(smp.Talk, "unheard"):
            smp.Talk.unheard = smp.Talk.send

            def send(talk, data):
                self.sent.setdefault(self.test, []).append(bytes(data))
                smp.Talk.unheard(talk, data)
            smp.Talk.send = send


def main(out, *conversations):
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    number = 0
    packets = list(requests_of_the_vectors())
    for name, packet in packets:
        number += 1
        (out / f"vector-{name}").write_bytes(CHOICES[number % len(CHOICES)] + step(packet, number % 4))
    if conversations:
        import pytest
        recorder = Recorder()
        pytest.main(["-q", "-p", "no:cacheprovider", *conversations], plugins=[recorder])
        for test, sent in recorder.sent.items():
            seed, part = b"", 0
            for packet in [*sent, b""]:
                if packet and len(packet) > LIMIT:
                    continue
                if seed and (not packet or len(seed) + len(packet) > LIMIT):
                    (out / f"said-{test}-{part}".replace("/", "_")).write_bytes(
                        CHOICES[part % len(CHOICES)] + seed)
                    seed, part = b"", part + 1
                seed += step(packet) if packet else b""


if __name__ == "__main__":
    main(*sys.argv[1:])
