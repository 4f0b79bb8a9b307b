# SPDX-License-Identifier: Apache-2.0
"""Group stat (2), every command on the wire, and whether the numbers are true. [smp.md §3.2, §8]"""
import pytest

import lab
import smp
from smp import READ, WRITE, err, rc

SHOW, LIST = range(2)
SETS = ["smp", "upload", "serial", "raw", "udp", "ble", "dtls", "device"]
WIRE = ["bytes_in", "bytes_out", "received", "dropped", "damaged", "answered"]


@pytest.fixture
def talk(device):
    device.wait_for(r"app 1\.0\.0")
    with smp.Talk(device.udp_port) as talk:
        yield talk


def show(talk, name):
    answer = talk.ask(READ, 2, SHOW, {"name": name}).map
    assert list(answer) == ["name", "fields"] and answer["name"] == name
    return answer["fields"]


def test_operations(talk):
    talk.converse(2, [(WRITE, SHOW, {"name": "smp"}, rc(8), rc(8)), (WRITE, LIST, {}, rc(8), rc(8)),
                      (READ, 2, {}, rc(8), rc(8))])


def test_list(talk):
    sets = {"stat_list": SETS}
    talk.converse(2, [(READ, LIST, {}, sets, sets), (READ, LIST, b"", sets, sets)])


def test_names(talk):
    talk.converse(2, [(READ, SHOW, {"name": "smp2"}, err(2, 3), rc(5)),
                      (READ, SHOW, {"name": "sm"}, err(2, 3), rc(5)),
                      (READ, SHOW, {"name": "x" * 31}, err(2, 3), rc(5)),
                      (READ, SHOW, {"name": "x" * 32}, rc(3), rc(3)),
                      (READ, SHOW, {"name": ""}, rc(3), rc(3)),
                      (READ, SHOW, {"name": 1}, rc(3), rc(3)),
                      (READ, SHOW, {"name": b"smp"}, rc(3), rc(3)),
                      (READ, SHOW, {}, rc(3), rc(3)), (READ, SHOW, [], rc(3), rc(3)),
                      (READ, SHOW, b"", rc(3), rc(3))])
    assert set(show(talk, "device")) == {"uptime_ms", "rounds", "stack_used", "queue_most"}
    v1 = talk.ask(READ, 2, SHOW, {"name": "smp"}, smp.V1).map
    assert list(v1) == ["name", "fields"]


def test_requests_are_counted(talk):
    before = show(talk, "smp")
    assert list(before) == ["requests", "answers", "errors", "refused"]
    talk.ask(READ, 0, 6)
    talk.ask(READ, 77, 0)
    talk.ask(READ, 0, 8, {"query": "?"})
    talk.ask(WRITE, 0, 1)  # its rc is 0
    talk.send(b"short")  # no answer
    assert show(talk, "smp") == {"requests": before["requests"] + 6, "answers": before["answers"] + 5,
                                 "errors": before["errors"] + 2, "refused": 0}


def test_bytes_are_counted(device, talk):
    before = {wire: show(talk, wire) for wire in ("serial", "raw", "udp")}
    assert all(list(fields) == WIRE for fields in before.values())
    request = smp.packet(READ, 0, 0, {"d": "x" * 100})
    talk.send(request)
    answer = talk.receive()
    after = show(talk, "udp")
    question = smp.packet(READ, 2, SHOW, {"name": "udp"})
    assert after["bytes_in"] - before["udp"]["bytes_in"] == len(request) + len(question)
    # And the answer to the first question, which is counted only once it is sent.
    assert after["bytes_out"] - before["udp"]["bytes_out"] >= len(answer.raw)
    assert after["received"] == before["udp"]["received"] + 2
    assert after["answered"] == before["udp"]["answered"] + 2
    assert show(talk, "serial") == before["serial"] and show(talk, "raw") == before["raw"]
    lab.ferry("echo", "x", device=device.uri, check=0)
    serial = show(talk, "serial")
    assert serial["received"] == serial["answered"] > before["serial"]["received"]
    assert serial["bytes_in"] > 0 and serial["bytes_out"] > 0


def test_uploads_are_counted(device, talk, bench):
    assert show(talk, "upload") == {"started": 0, "finished": 0, "stopped": 0}
    lab.ferry("image", "upload", bench.images["v2"], device=device.udp_uri, check=0)
    assert show(talk, "upload") == {"started": 1, "finished": 1, "stopped": 0}


def test_the_device_counts(talk):
    first = show(talk, "device")
    second = show(talk, "device")
    assert second["uptime_ms"] >= first["uptime_ms"] and second["rounds"] > first["rounds"]
    assert 0 < second["stack_used"] < 65536 and 1 <= second["queue_most"] <= 4
    count = talk.ask(READ, 0, 6).map["buf_count"]
    for seq in range(count):
        talk.send(smp.packet(READ, 0, 6, seq=seq))
    for _ in range(count):
        talk.receive()
    assert show(talk, "device")["queue_most"] >= second["queue_most"]


def test_dropped_packets_are_counted(talk):
    """What is larger than buf_size goes away without an answer."""
    size = talk.ask(READ, 0, 6).map["buf_size"]
    talk.send(smp.packet(WRITE, 0, 0, {"d": "x" * size}))
    assert show(talk, "udp")["dropped"] == 1
