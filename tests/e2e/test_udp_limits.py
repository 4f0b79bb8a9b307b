# SPDX-License-Identifier: Apache-2.0
"""Limits on UDP: what a device answers to who may be anybody, and who may keep it busy.
[docs/SERVER.md, "Limits on datagrams"]"""
import contextlib
import random
import socket
import threading

import pytest

import lab
import smp
import unlock
from smp import READ, WRITE, rc

HEADERS = 28  # of IPv4 and UDP, which an observer on the wire counts as well
MTU = 1500


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    return unlock.make_key(tmp_path_factory.mktemp("keys") / "owner.pem")


@pytest.fixture
def device(tmp_path, bench, key):
    with lab.Device(tmp_path / "device", bench, layout=unlock.layout(key)) as device:
        device.wait_for(r"app 1\.0\.0")
        yield device


def open_up(talk, key, level=unlock.SERVICE):
    challenge = talk.ask(WRITE, 103, 1, {"key": unlock.public(key)}).map
    answer = talk.ask(WRITE, 103, 2, unlock.request(key, challenge, level, 600)).map
    assert answer["level"] == level


def until_echoed(talk, text):
    """What is answered before an echo of this text, which is asked for until it comes: of many
    requests in a short time some are not taken."""
    talk.socket.settimeout(0.05)
    for _ in range(200):
        talk.send(smp.packet(WRITE, 0, 0, {"d": text}, smp.V2, 200))
        with contextlib.suppress(TimeoutError):
            while True:
                answer = talk.socket.recv(65536)
                if answer[6] != 200:
                    yield answer
                elif smp.read_answer(answer).map == {"r": text}:
                    return
    raise AssertionError("no answer")


def test_more_than_three_times_is_never_answered(device):
    """Whatever is sent, whole packets and rubbish: counted on the wire, all answers to a datagram
    together are at most three times as large."""
    dice = random.Random(1)
    most = 0
    with smp.Talk(device.udp_port) as talk:
        for number in range(600):
            parts = [smp.packet(dice.choice((READ, WRITE)), dice.choice((0, 0, 1, 1, 2, 3, 8, 10, 64, 103)),
                                dice.randrange(10), dice.choice(({}, {"d": "x" * dice.randrange(400)},
                                                                 {"key": bytes(32)}, b"")),
                                dice.choice((smp.V1, smp.V2)), 7) for _ in range(dice.choice((1, 1, 1, 2, 9)))]
            sent = b"".join(part for part in parts if part[0] & 7 != WRITE or (part[4:6], part[7]) != (b"\0\0", 5))
            if dice.random() < 0.2:
                sent = dice.randbytes(dice.randrange(1, 60))
            talk.send(sent)
            answered = 0
            for answer in until_echoed(talk, str(number)):
                assert len(answer) + HEADERS <= MTU
                answered += len(answer) + HEADERS
            most = max(most, answered / (len(sent) + HEADERS))
    print(f"at most {most:.2f} times as much was answered as asked")
    assert 1.5 < most <= 3


def test_what_does_not_fit_says_so_and_larger_requests_get_it(device, key):
    with smp.Talk(device.udp_port) as talk:
        short = talk.ask(READ, 1, 0)
        assert short.map == rc(7) and short.reason == "larger requests get larger answers"
        params = talk.ask(READ, 0, 6).map
        assert params["pad"] == (MTU + 2) // 3 - HEADERS
        whole = talk.ask(READ, 1, 0, {"pad": bytes(params["pad"])}).map
        assert whole["images"]
        open_up(talk, key, unlock.UPDATE)
        assert talk.ask(READ, 1, 0).map == whole
        assert talk.ask(READ, 0, 6).map == params  # a reset locks: it is told to all
        with smp.Talk(device.udp_port, source="127.0.0.2") as other:
            assert other.ask(READ, 1, 0).map == rc(7)


def test_an_open_device_answers_everybody_everything(tmp_path, bench):
    with lab.Device(tmp_path / "device", bench) as device, smp.Talk(device.udp_port) as talk:
        device.wait_for(r"app 1\.0\.0")
        assert set(talk.ask(READ, 0, 6).map) == {"buf_size", "buf_count"}
        assert talk.ask(READ, 1, 0).map["images"]


@contextlib.contextmanager
def flood(port, sources, packet):
    """Send one packet over and over from each of the addresses in turn, as fast as that goes."""
    ended = threading.Event()
    sent = [0]

    def run():
        with contextlib.ExitStack() as stack:
            every = [stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in sources]
            for one, source in zip(every, sources):
                one.bind((source, 0))
                one.setblocking(False)
            while not ended.is_set():
                with contextlib.suppress(BlockingIOError):
                    every[sent[0] % len(every)].sendto(packet, ("127.0.0.1", port))
                sent[0] += 1
    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield sent
    finally:
        ended.set()
        thread.join()


@pytest.mark.parametrize("lock", ["update", "locked"])
def test_a_flood_from_one_address_does_not_stop_an_update(tmp_path, bench, key, lock):
    """Nor of requests that cost something: a challenge each."""
    noise = smp.packet(WRITE, 103, 1, {"key": unlock.public(key)}, smp.V2, 1)
    arguments = ("--unlock", key) if lock == "locked" else ()
    with lab.Device(tmp_path / "device", bench, layout=unlock.layout(key, lock=lock)) as device:
        device.wait_for(r"app 1\.0\.0")
        with flood(device.udp_port, ["127.0.0.9"], noise) as sent:
            lab.ferry("update", *arguments, "-k", bench.key, bench.images["v2"], device=device.udp_uri,
                      check=0)
        assert sent[0] > 1000
        running = device.running()
        assert (running["version"], running["confirmed"]) == ("2.0.0", True)


def test_a_flood_from_many_addresses_forgets_nobody_who_is_proven(device, key):
    """More of them than there are places: neither the proof nor the unlock gives way."""
    noise = smp.packet(WRITE, 103, 1, {"key": unlock.public(key)}, smp.V2, 1)
    with smp.Talk(device.udp_port) as talk:
        open_up(talk, key)
        with flood(device.udp_port, [f"127.0.1.{n}" for n in range(1, 101)], noise) as sent:
            for number in range(50):
                assert list(until_echoed(talk, str(number))) == []
            end = sent[0] + 1000
            while sent[0] < end:
                list(until_echoed(talk, "more"))
    with smp.Talk(device.udp_port) as talk:  # from the same host, with no late answers
        assert talk.ask(READ, 1, 0).map["images"]  # more than three times as much
        assert talk.ask(READ, 103, 0).map["level"] == unlock.SERVICE
