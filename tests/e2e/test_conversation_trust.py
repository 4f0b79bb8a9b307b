# SPDX-License-Identifier: Apache-2.0
"""Group trust (102) on the wire: Ferry's own, which keys count. [docs/SERVER.md, "Keys"]"""
import hashlib
import signal
import subprocess

import pytest

import lab
import smp
from smp import READ, WRITE, err, rc

TRUST = 102
KEY, REVOKE, ADD = range(3)


def der(key):
    """The public half of a key file."""
    return subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-outform", "DER"],
                          capture_output=True, check=True).stdout


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    """Public keys that the device does not know and would take."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("one", "two"):
        lab.ferry("keygen", "-t", "ecdsa-p256", "-o", folder / name, check=0)
    return [der(folder / name) for name in ("one", "two")]


@pytest.fixture
def talk(device):
    device.wait_for(r"app 1\.0\.0")
    with smp.Talk(device.udp_port) as talk:
        yield talk


@pytest.fixture
def person(device, talk):
    """Somebody holds the button down."""
    device.process.send_signal(signal.SIGUSR2)


def state(key, source, **more):
    return {"hash": hashlib.sha256(key).digest(), "source": source, "revoked": False,
            "development": False, "named": False, **more}


def test_the_list(talk, bench):
    own = state(der(bench.key), "product", named=True)
    talk.converse(TRUST, [
        (READ, KEY, {"n": 0}, own, own),
        (READ, KEY, {}, own, own),
        (READ, KEY, {"n": 1}, err(TRUST, 7), rc(1)),
        (READ, KEY, {"n": 2**40}, err(TRUST, 7), rc(1)),
        (READ, KEY, {"n": "0"}, rc(3), rc(3)),
        (WRITE, KEY, {}, rc(8), rc(8)),
        (READ, REVOKE, {}, rc(8), rc(8)),
        (READ, ADD, {}, rc(8), rc(8)),
        (READ, 3, {}, rc(8), rc(8)),
    ])


def test_nobody_may_change_keys(talk, bench, others):
    own = hashlib.sha256(der(bench.key)).digest()
    talk.converse(TRUST, [
        (WRITE, REVOKE, {"hash": own}, rc(11), rc(11)),
        (WRITE, ADD, {"key": others[0]}, rc(11), rc(11)),
        (WRITE, REVOKE, {}, rc(3), rc(3)),
        (WRITE, REVOKE, {"hash": own[:31]}, rc(3), rc(3)),
        (WRITE, REVOKE, {"hash": "text"}, rc(3), rc(3)),
        (WRITE, ADD, {}, rc(3), rc(3)),
        (WRITE, ADD, {"key": "text"}, rc(3), rc(3)),
    ])


def test_a_person_changes_keys(talk, person, bench, others):
    own = hashlib.sha256(der(bench.key)).digest()
    one, two = (hashlib.sha256(key).digest() for key in others)
    talk.converse(TRUST, [
        (WRITE, REVOKE, {"hash": own}, err(TRUST, 49), rc(1)),  # the image needs it
        (WRITE, ADD, {"key": b"no key"}, err(TRUST, 23), rc(1)),
        (WRITE, ADD, {"key": others[0]}, {}, {}),  # again: it is trusted already
        (READ, KEY, {"n": 1}, state(others[0], "provisioned")),
        (WRITE, REVOKE, {"hash": one}, {}, {}),
        (READ, KEY, {"n": 1}, state(others[0], "unknown", revoked=True)),
        (WRITE, ADD, {"key": others[0]}, err(TRUST, 45), rc(1)),
        (WRITE, REVOKE, {"hash": two}, {}),  # one that is not known here
        (WRITE, ADD, {"key": others[1]}, err(TRUST, 45), rc(1)),
    ])
