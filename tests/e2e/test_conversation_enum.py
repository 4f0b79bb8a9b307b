# SPDX-License-Identifier: Apache-2.0
"""Group enum (10), every command on the wire. [smp.md §3.8, §8]"""
import pytest

import lab
import smp
from smp import READ, WRITE, err, rc

COUNT, LIST, SINGLE, DETAILS = range(4)


@pytest.fixture
def talk(device):
    device.wait_for(r"app 1\.0\.0")
    with smp.Talk(device.udp_port) as talk:
        yield talk


def test_operations(talk):
    talk.converse(10, [(WRITE, id, {}, rc(8), rc(8)) for id in range(4)])
    talk.converse(10, [(READ, 4, {}, rc(8), rc(8))])


def test_every_group(talk):
    """All four commands say the same, and what they say is true."""
    groups = talk.ask(READ, 10, LIST).map["groups"]
    assert groups[:2] == [0, 1] and {2, 10, 63} < set(groups)  # in the order of registration
    count = {"count": len(groups)}
    talk.converse(10, [(READ, COUNT, {}, count, count), (READ, COUNT, b"", count),
                       (READ, LIST, b"", {"groups": groups}, {"groups": groups})])
    for index, group in enumerate(groups):
        single = {"group": group, **({"end": True} if index + 1 == len(groups) else {})}
        talk.converse(10, [(READ, SINGLE, {"index": index}, single, single)])
    details = talk.ask(READ, 10, DETAILS).map["groups"]
    assert [list(entry) for entry in details] == [["group", "name", "handlers"]] * len(groups)
    assert [entry["group"] for entry in details] == groups
    for entry in details:
        for op in (READ, WRITE):
            assert talk.ask(op, entry["group"], entry["handlers"]).map == rc(8)
    names = {entry["group"]: entry["name"] for entry in details}
    assert {0: "os mgmt", 1: "img mgmt", 2: "stat mgmt", 10: "enum mgmt",
            63: "zephyr basic mgmt"}.items() <= names.items()
    assert {entry["group"]: entry["handlers"] for entry in details}[0] == 9


def test_single(talk):
    count = talk.ask(READ, 10, COUNT).map["count"]
    first = {"group": 0}
    talk.converse(10, [(READ, SINGLE, {}, first, first),
                       (READ, SINGLE, {"index": count}, err(10, 4), rc(1)),
                       (READ, SINGLE, {"index": 65535}, err(10, 4), rc(1)),
                       (READ, SINGLE, {"index": 65536}, rc(3), rc(3)),
                       (READ, SINGLE, {"index": 1 << 32}, rc(3), rc(3)),
                       (READ, SINGLE, {"index": -1}, rc(3), rc(3)),
                       (READ, SINGLE, {"index": "0"}, rc(3), rc(3)),
                       (READ, SINGLE, [], rc(3), rc(3)),
                       (READ, SINGLE, b"", rc(3), rc(3))])


def test_details(talk):
    os = {"group": 0, "name": "os mgmt", "handlers": 9}
    enum = {"group": 10, "name": "enum mgmt", "handlers": 4}
    everything = talk.ask(READ, 10, DETAILS).map
    talk.converse(10, [(READ, DETAILS, {"groups": asked}, {"groups": told}, {"groups": told})
                       for asked, told in (([0], [os]), ([10, 0], [os, enum]), ([10, 10], [enum]),
                                           ([0, 77, 65536, 1 << 32], [os]), ([77], []),
                                           ([], everything["groups"]))])
    talk.converse(10, [(READ, DETAILS, bytes.fromhex("bf 6667726f757073 9f 00 180a ff ff"),
                        {"groups": [os, enum]}),
                       (READ, DETAILS, {"groups": [0, -1]}, rc(3), rc(3)),
                       (READ, DETAILS, {"groups": ["0"]}, rc(3), rc(3)),
                       (READ, DETAILS, {"groups": 0}, rc(3), rc(3)),
                       (READ, DETAILS, [], rc(3), rc(3)),
                       (READ, DETAILS, b"", rc(3), rc(3))])


def test_details_that_do_not_fit(tmp_path, bench):
    """Then one asks for some of them, or for one at a time."""
    with lab.Device(tmp_path / "device", bench, buf_size=128) as device:
        device.wait_for(r"app 1\.0\.0")
        with smp.Talk(device.udp_port) as talk:
            one = {"groups": [{"group": 63, "name": "zephyr basic mgmt", "handlers": 1}]}
            talk.converse(10, [(READ, DETAILS, {}, rc(7), rc(7)),
                               (READ, DETAILS, {"groups": [63]}, one, one)])
