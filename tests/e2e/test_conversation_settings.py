# SPDX-License-Identifier: Apache-2.0
"""Group settings (3) on the wire: the example firmware's, which are in the device's store.
[smp.md §3.3, §8]"""
import json

import pytest

import lab
import smp
from smp import READ, WRITE, err, rc

SETTINGS = 3
VALUE, DELETE, COMMIT, STORAGE = range(4)
SERIAL = bytes.fromhex("78563412")


@pytest.fixture
def talk(device):
    device.wait_for(r"app 1\.0\.0")
    with smp.Talk(device.udp_port) as talk:
        yield talk


def name(text, **more):
    return {"name": text, **more}


def test_a_value_from_write_to_delete(talk):
    talk.converse(SETTINGS, [
        (READ, VALUE, name("id/name"), {"val": b"ferry-device"}, {"val": b"ferry-device"}),
        (WRITE, VALUE, name("id/name", val=b"pump 7"), {}, {}),
        (READ, VALUE, name("id/name"), {"val": b"pump 7"}),
        (READ, STORAGE, {}, {}, {}),  # load: it was not saved
        (READ, VALUE, name("id/name"), {"val": b"ferry-device"}),
        (WRITE, VALUE, name("id/name", val=b"pump 7"), {}),
        (WRITE, STORAGE, {}, {}, {}),
        (WRITE, VALUE, name("id/name", val=b"pump 8"), {}),
        (READ, STORAGE, b"", {}),
        (READ, VALUE, name("id/name"), {"val": b"pump 7"}),
        (WRITE, DELETE, name("id/name"), {}, {}),
        (READ, VALUE, name("id/name"), {"val": b"ferry-device"}),
        (READ, STORAGE, {}, {}),
        (READ, VALUE, name("id/name"), {"val": b"ferry-device"}),
    ])


def test_part_of_the_tree(talk):
    talk.converse(SETTINGS, [
        (WRITE, VALUE, name("id/name", val=b"a"), {}),
        (WRITE, VALUE, name("log/level", val=b"\2"), {}),
        (WRITE, STORAGE, name("id"), {}, {}),
        (READ, STORAGE, {}, {}),
        (READ, VALUE, name("id/name"), {"val": b"a"}),
        (READ, VALUE, name("log/level"), {"val": b"\0"}),
        (WRITE, STORAGE, name("log/level"), {}),
        (WRITE, STORAGE, name("log/lev"), err(SETTINGS, 3), rc(5)),
        (WRITE, STORAGE, name("net"), err(SETTINGS, 5), rc(1)),
    ])


def test_sizes(talk):
    long = 31 * b"x"
    talk.converse(SETTINGS, [
        (READ, VALUE, name("id/serial", max_size=32), {"val": SERIAL}),
        (READ, VALUE, name("id/serial", max_size=33), {"val": SERIAL, "max_size": 32}),
        (READ, VALUE, name("id/serial", max_size=2), {"val": SERIAL[:2]}),
        (WRITE, VALUE, name("id/name", val=long), {}),
        (READ, VALUE, name("id/name"), {"val": long}),
        (WRITE, VALUE, name("id/name", val=long + b"x"), rc(3), rc(3)),
        (WRITE, VALUE, name("id/name"), {}),  # no "val": no bytes
        (READ, VALUE, name("id/name"), {"val": b""}),
        (WRITE, STORAGE, {}, {}),
        (READ, STORAGE, {}, {}),
        (READ, VALUE, name("id/name"), {"val": b""}),
        (WRITE, VALUE, name("log/level", val=b"\4"), {}),
        (WRITE, VALUE, name("log/level", val=b"\5"), rc(3), rc(3)),
        (WRITE, VALUE, name("log/level", val=b"\1\0"), rc(3), rc(3)),
        (READ, VALUE, name("log/level"), {"val": b"\4"}),
    ])


def test_every_error(talk):
    """But for 1, which takes a store that fails, and 8: see the device without a store."""
    talk.converse(SETTINGS, [
        (READ, VALUE, name(32 * "x"), err(SETTINGS, 2), rc(3)),
        (WRITE, VALUE, name(40 * "x", val=b""), err(SETTINGS, 2), rc(3)),
        (WRITE, DELETE, name(40 * "x"), err(SETTINGS, 2), rc(3)),
        (WRITE, STORAGE, name(40 * "x"), err(SETTINGS, 2), rc(3)),
        (READ, VALUE, name(31 * "x"), err(SETTINGS, 5), rc(1)),
        (READ, VALUE, name("id/none"), err(SETTINGS, 3), rc(5)),
        (READ, VALUE, name("id"), err(SETTINGS, 3), rc(5)),
        (WRITE, VALUE, name("id/none", val=b""), err(SETTINGS, 3), rc(5)),
        (WRITE, DELETE, name("id/none"), err(SETTINGS, 3), rc(5)),
        (READ, VALUE, name("id/pin"), err(SETTINGS, 4), rc(5)),
        (READ, VALUE, name("net/port"), err(SETTINGS, 5), rc(1)),
        (WRITE, VALUE, name("net/port", val=b""), err(SETTINGS, 5), rc(1)),
        (WRITE, DELETE, name("net/port"), err(SETTINGS, 3), rc(5)),
        (WRITE, VALUE, name("id/serial", val=SERIAL), err(SETTINGS, 6), rc(1)),
        (WRITE, DELETE, name("id/serial"), err(SETTINGS, 7), rc(1)),
        (WRITE, STORAGE, name("id/serial"), err(SETTINGS, 8), rc(1)),
    ])


def test_what_is_no_request(talk):
    for op, command in ((READ, VALUE), (WRITE, VALUE), (WRITE, DELETE)):
        talk.converse(SETTINGS, [
            (op, command, b"", rc(3), rc(3)),
            (op, command, {}, rc(3), rc(3)),
            (op, command, name(""), rc(3), rc(3)),
            (op, command, name(b"id/name"), rc(3), rc(3)),
        ])
    talk.converse(SETTINGS, [
        (READ, VALUE, name("id/name", max_size=-1), rc(3), rc(3)),
        (WRITE, VALUE, name("id/name", val=1), rc(3), rc(3)),
        (WRITE, STORAGE, name(1), rc(3), rc(3)),
        (WRITE, STORAGE, b"\x01", rc(3), rc(3)),
        (READ, DELETE, name("id/name"), rc(8), rc(8)),
        (READ, COMMIT, {}, rc(8), rc(8)),
        (READ, 4, {}, rc(8), rc(8)),
    ])


def test_as_mynewt_does(talk):
    """Texts for values, "save" with the value or for everything."""
    talk.converse(SETTINGS, [
        (WRITE, VALUE, name("id/name", val="pump", save=True), {}, {}),
        (WRITE, VALUE, name("log/level", val="\3"), {}),
        (WRITE, VALUE, name("", val="", save=True), {}, {}),
        (READ, STORAGE, {}, {}),
        (READ, VALUE, name("id/name"), {"val": b"pump"}),
        (READ, VALUE, name("log/level"), {"val": b"\3"}),
    ])


def test_a_commit_takes_effect(talk):
    """The level below which the log keeps nothing."""
    def entries():
        answer = talk.ask(READ, 4, 0, {"log_name": "device"}).map
        return len(answer["logs"][0]["entries"])

    erase = lambda: talk.ask(WRITE, 1, 5, {"slot": 1})
    erase()
    before = entries()
    talk.converse(SETTINGS, [(WRITE, VALUE, name("log/level", val=b"\3"), {})])
    erase()
    assert entries() == before + 1
    talk.converse(SETTINGS, [(WRITE, COMMIT, {}, {}, {})])
    erase()
    assert entries() == before + 1


def test_saved_values_outlive_power(device):
    device.wait_for(r"app 1\.0\.0")
    with smp.Talk(device.udp_port) as talk:
        talk.converse(SETTINGS, [
            (WRITE, VALUE, name("id/name", val=b"saved"), {}),
            (WRITE, VALUE, name("id/pin", val=b"1234"), {}),
            (WRITE, STORAGE, {}, {}),
            (WRITE, VALUE, name("id/name", val=b"not saved"), {}),
        ])
    device.kill()
    device.start()
    device.wait_for(r"app 1\.0\.0")
    with smp.Talk(device.udp_port) as talk:
        talk.converse(SETTINGS, [(READ, VALUE, name("id/name"), {"val": b"saved"})])


def test_without_a_store_nothing_is_saved(tmp_path, bench):
    layout = json.loads(lab.layout("swap-move"))
    layout["areas"] = [area for area in layout["areas"] if area["name"] != "store"]
    with lab.Device(tmp_path / "device", bench, layout=json.dumps(layout)) as device:
        device.wait_for(r"app 1\.0\.0")
        with smp.Talk(device.udp_port) as talk:
            talk.converse(SETTINGS, [
                (WRITE, VALUE, name("id/name", val=b"x"), {}),
                (READ, VALUE, name("id/name"), {"val": b"x"}),
                (WRITE, STORAGE, {}, err(SETTINGS, 8), rc(1)),
                (WRITE, STORAGE, name("id/name"), err(SETTINGS, 8), rc(1)),
                (WRITE, DELETE, name("id/name"), {}),
                (READ, VALUE, name("id/name"), {"val": b"ferry-device"}),
                (READ, STORAGE, {}, {}),
            ])
