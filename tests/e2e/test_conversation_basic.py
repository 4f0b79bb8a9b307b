# SPDX-License-Identifier: Apache-2.0
"""Zephyr's basic group (63) on the wire. [smp.md §3.10]"""
import json

import pytest

import lab
import smp
from smp import READ, WRITE, err, rc

ERASE_STORAGE = 0
SETTINGS = 3


@pytest.fixture
def talk(device):
    device.wait_for(r"app 1\.0\.0")
    with smp.Talk(device.udp_port) as talk:
        yield talk


def test_operations(talk):
    talk.converse(63, [(READ, ERASE_STORAGE, {}, rc(8), rc(8)), (WRITE, 1, {}, rc(8), rc(8)),
                       (READ, 1, {}, rc(8), rc(8))])


def test_erase(device, talk):
    """The settings are gone, also after a reset; what the bootloader keeps in the same store is not."""
    default = talk.ask(READ, SETTINGS, 0, {"name": "id/name"}).map
    report = talk.ask(READ, 0, 8, {"query": "why"}).map
    for version in (smp.V2, smp.V1):
        assert talk.ask(WRITE, SETTINGS, 0, {"name": "id/name", "val": b"changed"}).map == {}
        assert talk.ask(WRITE, SETTINGS, 3).map == {}
        assert talk.ask(READ, SETTINGS, 0, {"name": "id/name"}).map == {"val": b"changed"}
        assert talk.ask(WRITE, 63, ERASE_STORAGE, version=version).map == {}
        assert talk.ask(READ, SETTINGS, 0, {"name": "id/name"}).map == default
        assert talk.ask(READ, SETTINGS, 3).map == {}
        assert talk.ask(READ, SETTINGS, 0, {"name": "id/name"}).map == default
    assert talk.ask(WRITE, 63, ERASE_STORAGE, b"").map == {}  # no payload is needed
    talk.ask(WRITE, 0, 5)
    device.wait_for(r"(?s)(app 1\.0\.0 started.*){2}")
    assert talk.ask(READ, SETTINGS, 0, {"name": "id/name"}).map == default
    assert talk.ask(READ, 0, 8, {"query": "why"}).map == report


def test_no_storage(tmp_path, bench):
    layout = json.loads(lab.layout("swap-move"))
    layout["areas"] = [area for area in layout["areas"] if area["name"] != "store"]
    with lab.Device(tmp_path / "device", bench, layout=json.dumps(layout)) as device:
        device.wait_for(r"app 1\.0\.0")
        with smp.Talk(device.udp_port) as talk:
            talk.converse(63, [(WRITE, ERASE_STORAGE, {}, err(63, 2), rc(5)),
                               (WRITE, ERASE_STORAGE, b"", err(63, 2), rc(5))])
