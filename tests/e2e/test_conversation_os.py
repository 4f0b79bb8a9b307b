# SPDX-License-Identifier: Apache-2.0
"""Group os (0), every command on the wire. [smp.md §3.0, §8]"""
import datetime

import pytest

import lab
import smp
from smp import READ, WRITE, err, rc

ECHO, CONSOLE_ECHO, TASKS, POOLS, DATETIME, RESET, PARAMS, INFO, BOOTLOADER = range(9)


@pytest.fixture
def talk(device):
    device.wait_for(r"app 1\.0\.0")
    with smp.Talk(device.udp_port) as talk:
        yield talk


def test_operations(talk):
    """Which command can be read, which written."""
    talk.converse(0, [(READ, CONSOLE_ECHO, {}, rc(8), rc(8)), (WRITE, TASKS, {}, rc(8), rc(8)),
                      (WRITE, POOLS, {}, rc(8), rc(8)), (READ, RESET, {}, rc(8), rc(8)),
                      (WRITE, PARAMS, {}, rc(8), rc(8)), (WRITE, INFO, {}, rc(8), rc(8)),
                      (WRITE, BOOTLOADER, {}, rc(8), rc(8)), (READ, 9, {}, rc(8), rc(8))])


def test_echo(talk):
    for op in (READ, WRITE):
        talk.converse(0, [(op, ECHO, {"d": "hello"}, {"r": "hello"}, {"r": "hello"}),
                          (op, ECHO, {}, {"r": ""}, {"r": ""}),
                          (op, ECHO, b"", rc(3), rc(3)),
                          (op, ECHO, {"d": b"x"}, rc(3), rc(3)),
                          (op, ECHO, bytes.fromhex("a2 6164 6178 6164 6179"), rc(3), rc(3)),
                          (op, ECHO, {"x": {"d": [1, {}]}, "d": "y"}, {"r": "y"}, {"r": "y"}),
                          (op, ECHO, [], rc(3), rc(3))])
    buf_size = talk.ask(READ, 0, PARAMS).map["buf_size"]
    fits = "x" * (buf_size - 8 - 7)  # header; map, "r" and the head of 3 bytes, break
    talk.converse(0, [(WRITE, ECHO, {"d": fits}, {"r": fits}, {"r": fits})])
    # One byte more fits the request, whose map has its length in front, but not the answer.
    talk.converse(0, [(WRITE, ECHO, {"d": fits + "x"}, rc(7), rc(7))])


def test_console_echo(talk):
    talk.converse(0, [(WRITE, CONSOLE_ECHO, {"echo": 0}, rc(0), rc(0)),
                      (WRITE, CONSOLE_ECHO, b"", rc(0), rc(0))])


def test_tasks(talk):
    def are_good(answer):
        main = answer["tasks"].pop("main")
        assert list(main) == ["prio", "tid", "state", "stksiz", "stkuse", "runtime", "cswcnt"]
        assert main["prio"] == 0 and main["tid"] == 0 and main["state"] == 128
        assert 0 < main["stkuse"] < main["stksiz"] == 65536 // 4
        assert main["runtime"] > 0 and main["cswcnt"] > 0
        return answer == {"tasks": {}}
    talk.converse(0, [(READ, TASKS, {}, are_good, are_good), (READ, TASKS, b"", are_good)])
    before = talk.ask(READ, 0, TASKS).map["tasks"]["main"]
    after = talk.ask(READ, 0, TASKS).map["tasks"]["main"]
    assert after["runtime"] > before["runtime"] and after["cswcnt"] > before["cswcnt"]


def test_pools(talk):
    params = talk.ask(READ, 0, PARAMS).map
    count = params["buf_count"]
    # The packet that asks is in the queue.
    now = {"0": {"blksiz": params["buf_size"], "nblks": count, "nfree": count - 1, "min": count - 1}}
    talk.converse(0, [(READ, POOLS, {}, now, now), (READ, POOLS, b"", now)])
    for seq in range(count):
        talk.send(smp.packet(READ, 0, POOLS, seq=seq))
    least = [talk.receive().map["0"]["min"] for _ in range(count)]
    assert 0 <= least[-1] <= count - 1 and least == sorted(least, reverse=True)


def when(answer):
    return datetime.datetime.strptime(answer["datetime"], "%Y-%m-%dT%H:%M:%S.%f")


def test_datetime(talk):
    minute = datetime.timedelta(minutes=1)
    host = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    for version in (smp.V1, smp.V2):
        assert abs(when(talk.ask(READ, 0, DATETIME, version=version).map) - host) < minute
    talk.converse(0, [(READ, DATETIME, b"", lambda answer: len(answer["datetime"]) == 23)])
    for text, expected in (("2031-12-31T23:59:58", datetime.datetime(2031, 12, 31, 23, 59, 58)),
                           ("1900-01-01 00:00:00.5Z", datetime.datetime(1900, 1, 1, 0, 0, 0, 500000)),
                           ("2024/02/29-12.30.00+02:00", datetime.datetime(2024, 2, 29, 12, 30))):
        talk.converse(0, [(WRITE, DATETIME, {"datetime": text}, {}, {})])
        assert expected <= when(talk.ask(READ, 0, DATETIME).map) < expected + minute
    far = talk.ask(WRITE, 0, DATETIME, {"datetime": "11899-12-31T00:00:00"}).map
    assert far == {} and talk.ask(READ, 0, DATETIME).map["datetime"].startswith("11899-12-31T00:0")


def test_datetime_refused(talk):
    bad = ["", "2026-01-31", "2026-01-31T23:59:5", "2026-01-31T23:59:58.123456789+12",
           "yyyy-MM-ddTHH:MM:SS", "2026--1-31T23:59:58", " 2026-01-31T23:59:58",
           "1899-12-31T23:59:59", "11900-01-01T00:00:00", "4294969322-01-31T23:59:58",
           "2026-00-31T23:59:58", "2026-13-31T23:59:58", "2026-01-00T23:59:58",
           "2026-01-32T23:59:58", "2026-02-29T23:59:58", "2026-01-31T24:00:00",
           "2026-01-31T23:60:00", "2026-01-31T23:59:60", "2026-01-31T23:59      "]
    talk.converse(0, [(WRITE, DATETIME, {"datetime": text}, rc(3), rc(3)) for text in bad])
    talk.converse(0, [(WRITE, DATETIME, payload, rc(3), rc(3))
                      for payload in ({}, b"", [], {"datetime": 1}, {"datetime": b"2026-01-31T23:59:58"})])
    host = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    assert abs(when(talk.ask(READ, 0, DATETIME).map) - host) < datetime.timedelta(minutes=1)


def test_reset(device, talk):
    """Whatever the payload is: what cannot be understood keeps its default."""
    starts = 1
    for payload, version in (({}, smp.V2), ({}, smp.V1), (b"", smp.V2), ([1], smp.V2),
                             (b"\xa1", smp.V2), ({"force": True}, smp.V2),
                             ({"force": 1, "boot_mode": 0}, smp.V2), ({"boot_mode": -1}, smp.V2)):
        assert talk.ask(WRITE, 0, RESET, payload, version).map == {}
        starts += 1
        device.wait_for(rf"(?s)(app 1\.0\.0 started.*){{{starts}}}")
    assert talk.ask(READ, 0, INFO, {"format": "c"}).map == {"output": "software"}


def test_reset_refused(talk):
    talk.converse(0, [(WRITE, RESET, {"boot_mode": 256}, rc(3), rc(3)),
                      (WRITE, RESET, {"force": True, "boot_mode": 300}, rc(3), rc(3)),
                      (WRITE, RESET, {"boot_mode": 1 << 32}, rc(3), rc(3)),
                      (READ, PARAMS, {}, lambda answer: True)])


def test_params(talk):
    params = {"buf_size": 2048, "buf_count": 4}
    talk.converse(0, [(READ, PARAMS, {}, params, params), (READ, PARAMS, b"", params, params)])


def test_info(talk):
    everything = "Ferry ferry-device 1.0.0 1.0.0 virtual virtual ferry-device Ferry power-on"
    talk.converse(0, [(READ, INFO, {"format": letters}, {"output": text}, {"output": text})
                      for letters, text in (("s", "Ferry"), ("n", "ferry-device"), ("r", "1.0.0"),
                                            ("v", "1.0.0"), ("b", ""), ("m", "virtual"),
                                            ("p", "virtual"), ("i", "ferry-device"), ("o", "Ferry"),
                                            ("c", "power-on"), ("sv", "Ferry 1.0.0"),
                                            ("vs", "Ferry 1.0.0"), ("ssss", "Ferry"), ("", ""),
                                            ("a", everything), ("cas", everything))])
    talk.converse(0, [(READ, INFO, {}, {"output": "Ferry"}, {"output": "Ferry"}),
                      (READ, INFO, {"format": "z"}, err(0, 2), rc(3)),
                      (READ, INFO, {"format": "sz"}, err(0, 2), rc(3)),
                      (READ, INFO, {"format": "az"}, err(0, 2), rc(3)),
                      (READ, INFO, {"format": "\0"}, err(0, 2), rc(3)),
                      (READ, INFO, {"format": 1}, rc(3), rc(3)),
                      (READ, INFO, b"", rc(3), rc(3))])


def test_bootloader(talk):
    name = {"bootloader": "MCUboot"}
    talk.converse(0, [(READ, BOOTLOADER, {}, name, name),
                      (READ, BOOTLOADER, {"query": "mode"}, {"mode": 3}, {"mode": 3}),
                      (READ, BOOTLOADER, {"query": "moder"}, err(0, 3), rc(5)),
                      (READ, BOOTLOADER, {"query": ""}, err(0, 3), rc(5)),
                      (READ, BOOTLOADER, {"query": "active_b0_slot"}, err(0, 3), rc(5)),
                      (READ, BOOTLOADER, {"query": "why"}, {"action": "none"}, {"action": "none"}),
                      (READ, BOOTLOADER, {"query": "why", "image": "0"}, rc(3), rc(3)),
                      (READ, BOOTLOADER, {"query": 1}, rc(3), rc(3)),
                      (READ, BOOTLOADER, b"", rc(3), rc(3)),
                      (READ, BOOTLOADER, {"query": "measured"}, lambda answer: answer["mode"] == 3)])


def test_bootloader_that_refuses_downgrades(tmp_path, bench):
    text = lab.layout("swap-move", policy={"no_downgrade": True})
    with lab.Device(tmp_path / "device", bench, layout=text) as device:
        device.wait_for(r"app 1\.0\.0")
        with smp.Talk(device.udp_port) as talk:
            mode = {"mode": 3, "no-downgrade": True}
            talk.converse(0, [(READ, BOOTLOADER, {"query": "mode"}, mode, mode)])
