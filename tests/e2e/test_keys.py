# SPDX-License-Identifier: Apache-2.0
"""The life of keys on the virtual device: published ones, provision, rotate, revoke."""
import hashlib
import json
import re
import signal
import subprocess

import pytest

import lab
from lab import ferry, ferry_json

ROOT = lab.ROOT
TEST_KEYS = (ROOT / "tests/support/test_keys.c").read_text()


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A key of Ferry's own tests: its private half is in the repository."""
    text = re.search(r"-----BEGIN PRIVATE KEY-----.*?-----END PRIVATE KEY-----", TEST_KEYS, re.S)
    pem = re.sub(r'\\n"\s*"', "\n", text.group(0)).replace('"', "").replace("\\n", "\n")
    path = tmp_path_factory.mktemp("published") / "test.pem"
    path.write_text("\n".join(line.strip() for line in pem.splitlines()) + "\n")
    return path


@pytest.fixture(scope="module")
def next_key(tmp_path_factory):
    path = tmp_path_factory.mktemp("next") / "next.pem"
    ferry("keygen", "-t", "ed25519", "-o", path, check=0)
    return path


def keys(device):
    return ferry_json("key", "list", device=device.uri)["keys"]


def hash_of(key):
    """SHA-256 of the DER public key, by other programs than Ferry's."""
    der = subprocess.run(["openssl", "pkey", "-in", str(key), "-pubout", "-outform", "DER"],
                         capture_output=True, check=True).stdout
    return hashlib.sha256(der).hexdigest()


def press(device):
    """Hold the button down, or let go."""
    device.process.send_signal(signal.SIGUSR2)


def test_a_published_key_is_warned_of_and_refused(published, tmp_path):
    firmware = lab.FIRMWARE / "app-v1.elf"
    done = lab.sign(published, "1.0.0", firmware, tmp_path / "a.bin")
    assert "known development key" in done.stderr
    done = lab.sign(published, "1.0.0", firmware, tmp_path / "b.bin", "--production", check=6)
    assert "everybody can sign with it" in done.stderr and "keygen" in done.stderr
    assert not (tmp_path / "b.bin").exists()


def test_a_product_key_signs_for_production(bench, tmp_path):
    done = lab.sign(bench.key, "1.0.0", lab.FIRMWARE / "app-v1.elf", tmp_path / "a.bin",
                    "--production")
    assert "warning" not in done.stderr


def test_a_device_in_production_refuses_a_published_key(bench, published, tmp_path):
    """One of the update, and one that a factory put into its key area by mistake."""
    image = tmp_path / "bad.bin"
    lab.sign(published, "2.0.0", lab.FIRMWARE / "app-v2.elf", image)
    layout = lab.layout("swap-move", policy={"production": True})
    with lab.Device(tmp_path / "device", bench, layout=layout) as device:
        early = ferry("update", image, device=device.uri, check=6)
        assert "none of those that the device lists" in early.stderr
        ferry("update", "--no-checks", image, device=device.uri, timeout=180)
        assert device.running()["version"] == "1.0.0"
        why = ferry_json("why", device=device.uri)
        assert (why["action"], why["reason_name"]) == ("refused", "FERRY_E_DEVELOPMENT_KEY")
        assert "known development key" in ferry("why", device=device.uri, check=0).stdout

    class Careless:
        key = published
        images = {"v1": image}

    device = lab.Device(tmp_path / "careless", Careless, layout=layout)
    device.start()
    try:
        device.wait_for("a key in flash is a development key")
        device.wait_for("nothing may run: signed with a known development key")
    finally:
        device.stop()
    other = lab.Device(tmp_path / "open", Careless)
    other.start()
    try:
        assert other.running()["version"] == "2.0.0"
    finally:
        other.stop()


def test_a_key_is_rotated(bench, next_key, tmp_path):
    old, new = hash_of(bench.key), hash_of(next_key)
    bench.sign("next", "2.0.0", "app-v2", key=next_key)
    with lab.Device(tmp_path / "device", bench) as device:
        assert keys(device) == [{"hash": old, "source": "product", "revoked": False,
                                 "development": False, "named": True}]
        # Nobody is at the device: nothing changes.
        done = ferry("key", "add", next_key, device=device.uri, check=5)
        assert "button" in done.stderr
        ferry("key", "revoke", old, device=device.uri, check=5)
        press(device)
        done = ferry("key", "revoke", old, device=device.uri, check=5)
        assert "needs it" in done.stderr
        ferry("key", "add", next_key, device=device.uri, check=0)
        ferry("key", "add", next_key, device=device.uri, check=0)
        assert [(k["hash"], k["source"]) for k in keys(device)] == [(old, "product"),
                                                                    (new, "provisioned")]
        press(device)  # held at a start it would lead to recovery
        ferry("update", bench.images["next"], device=device.uri, timeout=180, check=0)
        assert device.running()["version"] == "2.0.0"
        press(device)
        ferry("key", "revoke", bench.key, device=device.uri, check=0)
        done = ferry("key", "revoke", "00000000", device=device.uri, check=2)
        assert "no key with hash 00000000" in done.stderr
        ferry("key", "revoke", old[:9], device=device.uri, check=0)  # a unique beginning is enough
        assert [(k["hash"], k["revoked"], k["named"]) for k in keys(device)] == [
            (old, True, False), (new, False, True)]
        assert "revoked" in ferry("key", "list", device=device.uri, check=0).stdout
        # The old key signs nothing any more, and does not come back.
        done = ferry("key", "add", bench.key, device=device.uri, check=5)
        assert "revoked" in done.stderr
        press(device)
        bench.sign("late", "3.0.0", "app-v1")
        early = ferry("update", bench.images["late"], device=device.uri, check=6)
        assert "is revoked on this device" in early.stderr
        ferry("update", "--no-checks", bench.images["late"], device=device.uri, timeout=180)
        assert device.running()["version"] == "2.0.0"
        why = ferry_json("why", device=device.uri)
        assert (why["action"], why["reason_name"]) == ("refused", "FERRY_E_REVOKED")
        # It lasts: the power goes.
        device.kill()
        device.start()
        assert device.running()["version"] == "2.0.0"
        assert [k["revoked"] for k in keys(device)] == [True, False]


def test_a_server_without_the_group_is_told_apart(tmp_path, bench):
    layout = json.loads(lab.layout("swap-move"))
    layout["areas"] = [area for area in layout["areas"] if area["name"] != "store"]
    with lab.Device(tmp_path / "device", bench, layout=json.dumps(layout)) as device:
        done = ferry("key", "list", device=device.uri, check=5)
        assert "no group for keys" in done.stderr
