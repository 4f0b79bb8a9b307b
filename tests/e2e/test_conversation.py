# SPDX-License-Identifier: Apache-2.0
"""What every group has in common: the dispatcher's answers, on the wire. [smp.md §1.5, §8]

Each group has a conversation of its own: test_conversation_GROUP.py."""
import pytest

import smp
from smp import READ, WRITE, rc


@pytest.fixture
def talk(device):
    device.wait_for(r"app 1\.0\.0")
    with smp.Talk(device.udp_port) as talk:
        yield talk


def test_unknown(talk):
    talk.converse(77, [(READ, 0, {}, rc(8), rc(8)), (WRITE, 9, {}, rc(8), rc(8))])
    talk.converse(0, [(READ, 200, {}, rc(8), rc(8)), (READ, 5, {}, rc(8), rc(8))])


def test_versions_and_operations(talk):
    talk.send(smp.packet(READ, 0, 6, version=3))
    answer = talk.receive()
    assert (answer.version, answer.map) == (1, rc(13))
    for op in (1, 5):
        talk.send(smp.packet(op, 0, 6))
        answer = talk.receive()
        assert (answer.op, answer.map) == (3, rc(8))


def test_several_requests_in_one_packet(talk):
    talk.send(smp.packet(READ, 0, 6, seq=1) + smp.packet(READ, 0, 0, {"d": "x"}, seq=2))
    assert talk.receive().seq == 1
    assert talk.receive().map == {"r": "x"}
    talk.send(smp.packet(READ, 77, 0, seq=1) + smp.packet(READ, 0, 6, seq=2))
    assert talk.receive().map == rc(8)
    assert talk.is_silent()


def test_damage(talk):
    talk.send(smp.packet(READ, 0, 6, length=100))
    assert talk.receive().map == rc(9)
    talk.send(b"1234567")
    assert talk.is_silent()
    talk.converse(0, [(READ, 0, b"", rc(3), rc(3)), (READ, 0, {"d": b"bytes"}, rc(3), rc(3))])


def test_both_forms_of_cbor(talk):
    """Definite and indefinite lengths, unknown keys, any width of a number."""
    talk.converse(0, [(WRITE, 0, bytes.fromhex("bf 61 78 9f 01 ff 61 64 62 68 69 ff"), {"r": "hi"}),
                      (WRITE, 0, bytes.fromhex("a1 78 01 64 79 00 02 68 69"), {"r": "hi"})])
