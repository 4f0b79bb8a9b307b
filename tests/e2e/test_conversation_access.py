# SPDX-License-Identifier: Apache-2.0
"""Group access on the wire, and what a gate says to the commands of other groups.
[docs/SERVER.md, "The gate: levels and unlocking"]

Errors that no request can provoke here, 1 and 8, are in tests/unit/test_gate_unlock.c."""
import re

import pytest

import lab
import smp
import unlock
from smp import READ, V1, V2, WRITE, err, rc
from unlock import LOCKED, SERVICE, UPDATE

ACCESS = 103
STATUS, CHALLENGE, UNLOCK, LOCK, AUDIT = range(5)
UDP = 1  # the device's number for it


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    return [unlock.make_key(folder / name) for name in ("owner.pem", "stranger.pem")]


@pytest.fixture
def talk(tmp_path, bench, keys):
    with lab.Device(tmp_path / "device", bench, layout=unlock.layout(keys[0], shell=True, udp_limits=False)) as device:
        device.wait_for(r"app 1\.0\.0")
        with smp.Talk(device.udp_port) as talk:
            yield talk


def challenge(talk, key):
    found = talk.ask(WRITE, ACCESS, CHALLENGE, {"key": unlock.public(key)}).map
    assert set(found) == {"nonce", "id", "transport", "max_level", "max_seconds", "left"}, found
    assert len(found["nonce"]) == 32 and len(found["id"]) == 8 and found["transport"] == UDP
    assert (found["max_level"], found["max_seconds"]) == (SERVICE, 3600) and 0 < found["left"] <= 30
    return found


def open_up(talk, key, level=SERVICE, seconds=600):
    request = unlock.request(key, challenge(talk, key), level, seconds)
    assert talk.ask(WRITE, ACCESS, UNLOCK, request).map == {"level": level, "left": seconds}
    return request


def test_status(talk, keys):
    closed = {"level": LOCKED, "lowest": LOCKED, "highest": SERVICE, "left": 0}
    known = {**closed, "max_level": SERVICE, "max_seconds": 3600}
    talk.converse(ACCESS, [
        (READ, STATUS, {}, closed, closed),
        (READ, STATUS, {"unknown": [1, {"x": 2}]}, closed, closed),
        (READ, STATUS, {"key": unlock.public(keys[0])}, known, known),
        (READ, STATUS, {"key": unlock.public(keys[1])}, err(ACCESS, 2), rc(5)),
        (READ, STATUS, {"key": b"short"}, rc(3), rc(3)),
        (READ, STATUS, {"key": "text"}, rc(3), rc(3)),
        (READ, STATUS, b"", rc(3), rc(3)),
        (WRITE, STATUS, {}, rc(8), rc(8)),
        (READ, 5, {}, rc(8), rc(8)),
    ])
    open_up(talk, keys[0], UPDATE, 60)
    left = talk.ask(READ, ACCESS, STATUS).map
    assert left["level"] == UPDATE and left["lowest"] == LOCKED and 0 < left["left"] <= 60


def test_challenge(talk, keys):
    talk.converse(ACCESS, [
        (WRITE, CHALLENGE, {}, rc(3), rc(3)),
        (WRITE, CHALLENGE, {"key": bytes(31)}, rc(3), rc(3)),
        (WRITE, CHALLENGE, {"key": bytes(32)}, err(ACCESS, 2), rc(5)),
        (WRITE, CHALLENGE, {"key": unlock.public(keys[1])}, err(ACCESS, 2), rc(5)),
        (READ, CHALLENGE, {"key": unlock.public(keys[0])}, rc(8), rc(8)),
    ])
    first = challenge(talk, keys[0])
    assert challenge(talk, keys[0])["nonce"] == first["nonce"]  # it waits for its owner
    open_up(talk, keys[0])
    assert challenge(talk, keys[0])["nonce"] != first["nonce"]


def test_unlock_and_lock(talk, keys):
    owner, stranger = keys
    good = unlock.request(owner, challenge(talk, owner), SERVICE, 600)
    lacking = [{k: v for k, v in good.items() if k != name} for name in good]
    talk.converse(ACCESS, [
        *((WRITE, UNLOCK, request, rc(3), rc(3)) for request in lacking),
        (WRITE, UNLOCK, {**good, "sig": good["sig"][:-1]}, rc(3), rc(3)),
        (WRITE, UNLOCK, {**good, "level": -1}, rc(3), rc(3)),
        (WRITE, UNLOCK, {**good, "level": "service"}, rc(3), rc(3)),
        (WRITE, UNLOCK, {**good, "key": unlock.public(stranger)}, err(ACCESS, 2), rc(5)),
        (WRITE, UNLOCK, {**good, "level": LOCKED}, err(ACCESS, 3), rc(11)),
        (WRITE, UNLOCK, {**good, "level": SERVICE + 1}, err(ACCESS, 3), rc(11)),
        (WRITE, UNLOCK, {**good, "seconds": 0}, err(ACCESS, 4), rc(3)),
        (WRITE, UNLOCK, {**good, "seconds": 3601}, err(ACCESS, 4), rc(3)),
        (WRITE, UNLOCK, {**good, "seconds": 599}, err(ACCESS, 6), rc(11)),
        (WRITE, UNLOCK, {**good, "level": UPDATE}, err(ACCESS, 6), rc(11)),
        (WRITE, UNLOCK, good, {"level": SERVICE, "left": 600}),
        (WRITE, UNLOCK, good, err(ACCESS, 5), rc(6)),  # once
        (WRITE, LOCK, {}, {"level": LOCKED, "left": 0}, {"level": LOCKED, "left": 0}),
        (WRITE, UNLOCK, good, err(ACCESS, 5), rc(6)),
        (READ, LOCK, {}, rc(8), rc(8)),
        (READ, UNLOCK, {}, rc(8), rc(8)),
    ])
    challenge(talk, owner)  # another one waits
    talk.converse(ACCESS, [(WRITE, UNLOCK, good, err(ACCESS, 6), rc(11))])


def made_to_wait(talk, wrong, request, version=V2):
    """Fail until the device looks at no more signatures for a while, which may be over by the time
    that the next request gets there; then ask."""
    for _ in range(50):
        talk.ask(WRITE, ACCESS, UNLOCK, wrong)
        answer = talk.ask(WRITE, ACCESS, UNLOCK, request, version).map
        if answer == rc(10) or answer.get("err") == {"group": ACCESS, "rc": 7}:
            return answer
    return None


def test_order_of_checks(talk, keys):
    """Everything is wrong, and is mended one by one."""
    request = {"key": unlock.public(keys[1]), "level": 9, "seconds": 0, "sig": bytes(64)}

    def expect(answer, answer_v1, **change):
        request.update(change)
        talk.converse(ACCESS, [(WRITE, UNLOCK, request, answer, answer_v1)])

    expect(err(ACCESS, 2), rc(5))
    expect(err(ACCESS, 3), rc(11), key=unlock.public(keys[0]))
    expect(err(ACCESS, 4), rc(3), level=SERVICE)
    expect(err(ACCESS, 5), rc(6), seconds=1)
    challenge(talk, keys[0])
    expect(err(ACCESS, 6), rc(11))
    waits = made_to_wait(talk, request, {**request, "level": 9, "seconds": 0})
    assert 0 < waits["wait"] <= 1000
    talk.converse(ACCESS, [(WRITE, UNLOCK, {**request, "key": unlock.public(keys[1])},
                            err(ACCESS, 2), rc(5))])


def test_too_many_failures_version_1(talk, keys):
    request = {**unlock.request(keys[0], challenge(talk, keys[0]), SERVICE, 1), "sig": bytes(64)}
    assert talk.ask(WRITE, ACCESS, UNLOCK, request, V1).map == rc(11)
    assert made_to_wait(talk, request, request, V1) == rc(10)


def test_audit(talk, keys):
    talk.converse(ACCESS, [(READ, AUDIT, {}, rc(11), rc(11))])
    talk.ask(WRITE, 1, 5)
    open_up(talk, keys[0], UPDATE)
    counted = {"transport": UDP, "refused": 3, "unlocks": 1, "failed": 0, "last_group": 1,
               "last_command": 5, "last_op": WRITE}
    none = {"transport": 0, "refused": 0, "unlocks": 0, "failed": 0}
    talk.converse(ACCESS, [
        (READ, AUDIT, {}, counted, counted),
        (READ, AUDIT, {"transport": UDP}, counted, counted),
        (READ, AUDIT, {"transport": 0}, none, none),
        (READ, AUDIT, {"transport": 200}, err(ACCESS, 9), rc(5)),
        (READ, AUDIT, {"transport": 256 + UDP}, err(ACCESS, 9), rc(5)),
        (READ, AUDIT, {"transport": b"x"}, rc(3), rc(3)),
        (READ, AUDIT, b"", rc(3), rc(3)),
        (WRITE, AUDIT, {}, rc(8), rc(8)),
    ])


def test_an_unlock_is_its_peers_alone(talk, keys):
    """Another address neither enjoys it nor ends it, nor does a copy of the unlock open it."""
    port = talk.socket.getpeername()[1]
    with smp.Talk(port, source="127.0.0.2") as other, smp.Talk(port, host="::1") as third, \
            smp.Talk(port) as another_port:
        request = open_up(talk, keys[0])
        for stranger in (other, third):
            assert stranger.ask(WRITE, 1, 5).map == rc(11)
            assert stranger.ask(WRITE, ACCESS, UNLOCK, request).map == err(ACCESS, 5)
            assert challenge(stranger, keys[0])["nonce"]
            assert stranger.ask(WRITE, ACCESS, UNLOCK, request).map == err(ACCESS, 6)
            assert stranger.ask(WRITE, ACCESS, LOCK).map == {"level": LOCKED, "left": 0}
        assert talk.ask(READ, ACCESS, STATUS).map["level"] == SERVICE
        assert another_port.ask(READ, ACCESS, STATUS).map["level"] == SERVICE
        open_up(other, keys[0], UPDATE)
        assert talk.ask(WRITE, ACCESS, LOCK).map["level"] == LOCKED
        assert other.ask(READ, ACCESS, STATUS).map["level"] == UPDATE


def test_counters_are_a_statistic(talk, keys):
    """The same numbers for who collects statistics."""
    assert talk.ask(READ, 2, 1).map == rc(11)
    open_up(talk, keys[0], SERVICE)
    listed = talk.ask(READ, 2, 1).map["stat_list"]
    assert {name for name in listed if name.startswith("access_")} == {
        "access_serial", "access_raw", "access_udp", "access_ble", "access_dtls"}
    talk.converse(2, [
        (READ, 0, {"name": "access_udp"},
         {"name": "access_udp", "fields": {"refused": 1, "unlocks": 1, "failed": 0}}),
        (READ, 0, {"name": "access_serial"},
         {"name": "access_serial", "fields": {"refused": 0, "unlocks": 0, "failed": 0}})])


REFUSED = [(WRITE, 0, 5), (READ, 0, 7), (READ, 0, 8), (WRITE, 1, 0), (WRITE, 1, 1), (WRITE, 1, 5),
           (READ, 1, 6), (READ, 102, 0), (WRITE, 102, 1), (WRITE, 102, 2)]


def test_a_locked_device(talk):
    for op, group, id in REFUSED:
        for version in (V1, V2):
            answer = talk.ask(op, group, id, {}, version)
            assert answer.map == rc(11) and answer.reason == "locked: unlock it first", answer
    talk.converse(0, [(READ, 0, {"d": "x"}, {"r": "x"}), (WRITE, 1, {"echo": 1}, {"rc": 0}),
                      (READ, 6, {}, lambda found: "buf_size" in found)])
    talk.converse(1, [(READ, 0, {}, lambda found: len(found["images"]) == 1)])


def test_update_level(talk, keys):
    open_up(talk, keys[0], UPDATE)
    for op, group, id in REFUSED:
        if group == 102:
            assert talk.ask(op, group, id).map == rc(11)
        elif (op, group, id) != (WRITE, 0, 5):
            assert talk.ask(op, group, id).map != rc(11)


def documented():
    """The table of levels: (group, command or None, op) -> level."""
    text = (lab.ROOT / "docs/SERVER.md").read_text().split("### Levels\n")[1].split("\n### ")[0]
    rows = re.findall(r"^\| (\d+) \| (\d+|any) \|[^|]*\| (\w+) \| (\w+) \|$", text, re.M)
    assert len(rows) > 10
    level = ("locked", "update", "service").index
    return {(int(group), None if command == "any" else int(command), op): level(word)
            for group, command, *words in rows for op, word in zip((READ, WRITE), words)}


def test_every_command_of_the_device(talk, keys):
    """All that there is, at each level: refused or not as the document says. [docs/SERVER.md, "Levels"]"""
    table = documented()
    unlocked = {LOCKED: [], UPDATE: [], SERVICE: []}
    for level in unlocked:
        if level > LOCKED:
            open_up(talk, keys[0], level, 3600)
        for group in (*range(12), 63, 64, 65, 100, 101, 102, 103, 104):
            for id in range(16):
                for op in (READ, WRITE):
                    if (group, id, op) in ((0, 5, WRITE), (103, 3, WRITE)):
                        continue  # a reset, a lock: what was unlocked would end
                    answer = talk.ask(op, group, id, {})
                    if answer.map == rc(8):
                        continue
                    needed = min(table.get((group, id, op), SERVICE),
                                 table.get((group, None, op), SERVICE))
                    refused = answer.map == rc(11)
                    never = group == 9  # the row of UDP
                    assert refused == (needed > level or never), (level, group, id, op, answer)
                    unlocked[level] += [] if refused else [(group, id, op)]
    assert set(unlocked[LOCKED]) < set(unlocked[UPDATE]) < set(unlocked[SERVICE])
    assert len(unlocked[LOCKED]) > 6


def test_a_limit_of_the_transport(talk, keys):
    """The example has no shell over UDP once something is locked, whatever is unlocked."""
    for level in (LOCKED, UPDATE, SERVICE):
        if level > LOCKED:
            open_up(talk, keys[0], level)
        answer = talk.ask(WRITE, 9, 0, {"argv": ["help"]})
        assert answer.map == rc(11) and answer.reason == "never on this wire", answer
    assert talk.ask(READ, 102, 0).map != rc(11)
