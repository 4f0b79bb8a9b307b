# SPDX-License-Identifier: Apache-2.0
"""Group log (4) on the wire: Mynewt's, which Zephyr has not. [smp.md §3.4]"""
import pytest

import lab
import smp
import unlock
from smp import READ, WRITE, rc

LOG = 4
SHOW, CLEAR, APPEND, MODULES, LEVELS, LOGS = range(6)
DEVICE = {"log_name": "device"}


@pytest.fixture
def talk(device):
    device.wait_for(r"app 1\.0\.0")
    with smp.Talk(device.udp_port) as talk:
        yield talk


def entries(talk, **request):
    """What one answer shows of the device's log, checked."""
    got = talk.ask(READ, LOG, SHOW, request).map
    assert got["rc"] == 0 and set(got) == {"rc", "next_index", "logs"}
    [log] = got["logs"]
    assert (log["name"], log["type"], set(log)) == ("device", 1, {"name", "type", "entries"})
    for entry in log["entries"]:
        assert set(entry) == {"type", "ts", "level", "index", "module", "msg"}
        assert entry["type"] == "str" and entry["ts"] > 0 and entry["module"] in (64, 65)
        assert entry["index"] < got["next_index"]
    return log["entries"]


def messages(talk, **request):
    return [entry["msg"].decode() for entry in entries(talk, **request)]


def erase(talk):
    assert talk.ask(WRITE, 1, 5, {"slot": 1}).map == {}


def test_lists(talk):
    modules = {"rc": 0, "module_map": {"app": 64, "server": 65}}
    levels = {"rc": 0, "level_map": {"DEBUG": 0, "INFO": 1, "WARN": 2, "ERROR": 3, "CRITICAL": 4}}
    logs = {"rc": 0, "log_list": ["device"]}
    talk.converse(LOG, [
        (READ, MODULES, {}, modules, modules),
        (READ, LEVELS, b"", levels, levels),
        (READ, LOGS, {}, logs, logs),
        (READ, APPEND, {}, rc(8), rc(8)),
        (WRITE, APPEND, DEVICE, rc(8), rc(8)),
    ])


def test_show(talk):
    assert messages(talk) == ["app 1.0.0 started: power on"]
    erase(talk)
    erase(talk)
    assert messages(talk) == ["app 1.0.0 started: power on", *2 * ["slot erased, image 0, slot 1"]]
    first, second, third = entries(talk, log_name="device", ts=0, index=0)
    assert [first["index"], second["index"], third["index"]] == [0, 1, 2]
    assert entries(talk, index=1) == [second, third]
    assert entries(talk, index=3) == []
    assert entries(talk, ts=second["ts"]) == [e for e in (first, second, third) if e["ts"] > second["ts"]]
    assert entries(talk, ts=-1) == [third]
    assert (first["level"], second["level"]) == (1, 2)


def test_clear(talk):
    erase(talk)
    talk.converse(LOG, [(WRITE, CLEAR, {}, rc(0), rc(0))])
    assert entries(talk) == []
    erase(talk)
    assert [entry["index"] for entry in entries(talk)] == [2]
    talk.converse(LOG, [(WRITE, CLEAR, DEVICE, rc(0), rc(0)), (WRITE, CLEAR, b"", rc(0), rc(0))])
    assert entries(talk, **DEVICE) == []


def test_errors(talk):
    """The group has none of its own: all are rc, in both versions."""
    talk.converse(LOG, [
        (READ, SHOW, b"", rc(3), rc(3)),
        (READ, SHOW, {"log_name": 1}, rc(3), rc(3)),
        (READ, SHOW, {"ts": "now"}, rc(3), rc(3)),
        (READ, SHOW, {"index": -1}, rc(3), rc(3)),
        (READ, SHOW, {"log_name": "none"}, rc(5), rc(5)),
        (WRITE, SHOW, {}, rc(8), rc(8)),
        (WRITE, CLEAR, {"log_name": b"device"}, rc(3), rc(3)),
        (WRITE, CLEAR, {"log_name": "none"}, rc(5), rc(5)),
        (READ, CLEAR, {}, rc(8), rc(8)),
        (READ, 6, {}, rc(8), rc(8)),
    ])


def test_a_long_log_comes_in_parts(tmp_path, bench):
    """As much as an answer takes; a client goes on behind the last index."""
    with lab.Device(tmp_path / "device", bench, buf_size=256) as device:
        device.wait_for(r"app 1\.0\.0")
        with smp.Talk(device.udp_port) as talk:
            for _ in range(9):
                erase(talk)
            found, answers = [], 0
            while part := entries(talk, index=found[-1] + 1 if found else 0):
                found += [entry["index"] for entry in part]
                answers += 1
            assert found == list(range(10)) and answers > 2


def test_what_the_device_logs(device, bench):
    device.wait_for(r"app 1\.0\.0")
    lab.ferry("image", "upload", bench.images["v2"], device=device.udp_uri, check=0)
    lab.ferry("image", "test", bench.hash_of("v2"), device=device.udp_uri, check=0)
    size = bench.images["v2"].stat().st_size
    with smp.Talk(device.udp_port) as talk:
        assert messages(talk)[1:] == [f"upload started, image 0, bytes {size}",
                                      f"upload finished, image 0, bytes {size}",
                                      "image pending, image 0, permanent 0"]
    lab.ferry("reset", device=device.udp_uri, check=0)
    device.wait_for(r"app 2\.0\.0 started")
    with smp.Talk(device.udp_port) as talk:
        assert messages(talk) == ["app 2.0.0 started: reset by software"]


def test_refused_requests_do_not_flood_the_log(tmp_path, bench):
    """Who may do nothing is noted once a wire, and what was there stays."""
    key = unlock.make_key(tmp_path / "owner.pem")
    with lab.Device(tmp_path / "device", bench, layout=unlock.layout(key, udp_limits=False)) as device:
        device.wait_for(r"app 1\.0\.0")
        with smp.Talk(device.udp_port) as talk:
            def flood():
                for _ in range(300):
                    assert talk.ask(WRITE, 1, 5).map == rc(11)
                    talk.ask(WRITE, 103, 3)
                    assert talk.ask(WRITE, 103, 1, {"key": bytes(32)}).map["err"]["rc"] == 2

            def open_up():
                challenge = talk.ask(WRITE, 103, 1, {"key": unlock.public(key)}).map
                assert talk.ask(WRITE, 103, 2, unlock.request(key, challenge, unlock.SERVICE, 600)
                                ).map["level"] == unlock.SERVICE

            flood()
            lab.ferry("image", "erase", device=device.uri)  # refused on another wire
            open_up()
            once = ["request refused, rc 11", "locked, level 0"]
            before = ["app 1.0.0 started: power on", *once, once[0], "unlocked, level 2"]
            assert messages(talk) == before
            talk.ask(WRITE, 103, 3)
            flood()  # the level is another: noted again
            open_up()
            assert messages(talk) == [*before, "locked, level 0", once[0], "unlocked, level 2"]
