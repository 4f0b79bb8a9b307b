# SPDX-License-Identifier: Apache-2.0
"""`ferry unlock`, `lock`, `access`, and what the other commands say to a locked device."""
import json
import subprocess

import pytest
from lab import FERRY_DEVICE, Device, ferry, ferry_json, layout

import unlock


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    return [unlock.make_key(folder / name) for name in ("owner.pem", "stranger.pem")]


@pytest.fixture
def locked(tmp_path, bench, keys):
    with Device(tmp_path / "device", bench, layout=unlock.layout(keys[0], shell=True)) as device:
        device.wait_for(r"app 1\.0\.0")
        yield device


@pytest.fixture(params=["serial", "raw", "udp"])
def uri(request, locked):
    if request.param == "raw":
        locked.stop()
        locked.start(raw=locked.raw_link).wait_for(r"app 1\.0\.0")
        return locked.raw_uri
    return locked.uri if request.param == "serial" else locked.udp_uri


def says(done, code, *words):
    assert done.returncode == code, done.stdout + done.stderr
    for word in words:
        assert word in done.stderr, done.stderr


def test_an_update_of_a_locked_device(locked, uri, bench, keys):
    """It advised to unlock by hand; the reset locked again, and the image could not be confirmed."""
    advice = "next: ferry update --unlock KEY"
    update = ("update", "-k", bench.key, bench.images["v2"])
    says(ferry(*update, device=uri), 5, "cannot upload: the device is locked",
         "rc 11, EACCESSDENIED", advice)
    ferry("unlock", "-k", keys[0], "--level", "update", device=uri, check=0)
    says(ferry(*update, device=uri), 5, "could not be confirmed; nothing was changed",
         "locks the device again", advice, "--no-confirm")
    assert len(ferry_json("image", "list", device=uri)["images"]) == 1
    assert locked.running()["version"] == "1.0.0"
    ferry(*update, "--no-confirm", device=uri, check=0)
    assert ferry_json("access", device=uri)["level"] == "locked"
    says(ferry(*update, device=uri), 5,
         "cannot confirm the image, which runs on trial until the next reset: the device is locked", advice)
    running = locked.running()
    assert (running["version"], running["confirmed"]) == ("2.0.0", False)
    ferry(*update, "--unlock", keys[0], device=uri, check=0)
    assert locked.running()["confirmed"]


def test_an_update_tries_its_key_though_the_device_is_unlocked(locked, bench, keys):
    """A wrong key was found after the reset."""
    ferry("unlock", "-k", keys[0], device=locked.uri, check=0)
    done = ferry("update", "--unlock", keys[1], bench.images["v2"], device=locked.uri)
    says(done, 5, "NO_KEY")
    assert "upload" not in done.stderr
    assert len(ferry_json("image", "list", device=locked.uri)["images"]) == 1


def test_an_update_that_unlocks(locked, uri, bench, keys):
    ferry("update", "--unlock", keys[0], "-k", bench.key, bench.images["v2"], device=uri, check=0)
    running = locked.running()
    assert (running["version"], running["confirmed"]) == ("2.0.0", True)
    assert ferry_json("access", device=uri)["level"] == "update"  # no more than it needs
    ferry("update", "--unlock", keys[1], bench.images["v2"], device=uri, check=0)  # nothing to do


def test_an_update_with_a_wrong_key(locked, bench, keys):
    says(ferry("update", "--unlock", keys[1], bench.images["v2"], device=locked.uri), 5, "NO_KEY")
    says(ferry("update", "--unlock", bench.key, bench.images["v2"], device=locked.uri), 2,
         "devices are unlocked by ed25519")
    assert locked.running()["version"] == "1.0.0"


def test_any_command_unlocks_first(locked, uri, bench, keys):
    says(ferry("image", "erase", "--unlock", keys[1], device=uri), 5, "NO_KEY")
    says(ferry("image", "erase", "--unlock", bench.key, device=uri), 2, "devices are unlocked by ed25519")
    assert ferry_json("access", device=uri)["level"] == "locked"
    ferry("--unlock", keys[0], "image", "erase", device=uri, check=0)
    assert ferry_json("access", device=uri)["level"] == "service"  # of this wire, not of the command
    ferry("image", "erase", "--unlock", keys[1], device=uri, check=0)  # nothing to do
    ferry("--unlock", keys[0], "update", bench.images["v2"], device=uri, check=0)
    assert locked.running()["confirmed"]


def test_a_device_without_a_gate_is_asked_for_nothing(device, keys):
    ferry("image", "erase", "--unlock", keys[0], device=device.uri, check=0)


def test_station_says_that_it_unlocks_nothing(bench, keys):
    done = ferry("station", "--unlock", keys[0], "-d", "udp:127.0.0.1:9", bench.images["v2"])
    says(done, 2, "station unlocks no device", "usage: ferry station")


COMMANDS = [("image", "erase"), ("image", "slots"), ("reset",), ("info",), ("why",), ("measured",),
            ("key", "list"), ("image", "confirm")]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_says_what_to_do(locked, command):
    says(ferry(*command, device=locked.uri), 5, "the device is locked",
         "why:  this connection has level locked", "next: ferry unlock -k KEY")
    error = json.loads(ferry("--json", *command, device=locked.uri).stdout)["error"]
    assert error["exit"] == 5 and "locked" in error["what"] and "unlock" in error["next"]


def test_what_needs_no_unlock(locked, uri):
    assert ferry("echo", "hello", device=uri, check=0).stdout == "hello\n"
    ferry("params", device=uri, check=0)
    ferry("image", "list", device=uri, check=0)


def test_levels_and_times(locked, uri, keys):
    closed = {"level": "locked", "lowest": "locked", "highest": "service", "left": 0}
    assert ferry_json("access", device=uri) == closed
    assert ferry_json("access", "-k", keys[0], device=uri) == {
        **closed, "max_level": "service", "max_seconds": 3600}
    done = ferry_json("unlock", "-k", keys[0], "--level", "update", "--for", "1h", device=uri)
    assert (done["level"], done["left"]) == ("update", 3600)
    shown = ferry_json("access", device=uri)
    assert shown["level"] == "update" and 3500 < shown["left"] <= 3600
    assert shown["audit"]["unlocks"] == 1 and shown["audit"]["last_command"] == 4
    assert "update" in ferry("access", device=uri, check=0).stdout
    done = ferry_json("unlock", "-k", keys[0], device=uri)
    assert (done["level"], done["left"]) == ("service", 600)
    assert ferry_json("lock", device=uri) == {"level": "locked"}
    assert ferry_json("access", device=uri) == closed
    says(ferry("unlock", "-k", keys[0], "--for", "61m", device=uri), 5, "3600 seconds, not 3660")


def test_a_bad_wire(tmp_path, bench, keys):
    """An answer that was lost is no failure: what was unlocked is found unlocked. A wire may be too
    bad for any command (exit code 4); never is one refused for that."""
    with Device(tmp_path / "device", bench, layout=unlock.layout(keys[0])) as device:
        device.wait_for(r"app 1\.0\.0")
        device.stop()
        device.start(loss=20, seed=7).wait_for(r"app 1\.0\.0")

        def insist(*command):
            for _ in range(20):
                done = ferry("--json", "--timeout", "0.5", *command, device=device.uri)
                if done.returncode != 4:
                    break
            assert done.returncode == 0, done.stderr
            return json.loads(done.stdout)["level"]

        for _ in range(6):
            assert insist("unlock", "-k", keys[0]) == "service"
            assert insist("lock") == "locked"


def test_one_wire_is_not_another(locked, keys):
    ferry("unlock", "-k", keys[0], device=locked.uri, check=0)
    assert ferry_json("access", device=locked.uri)["level"] == "service"
    assert ferry_json("access", device=locked.udp_uri)["level"] == "locked"
    locked.stop()
    locked.start().wait_for(r"app 1\.0\.0")  # nor is one start another
    assert ferry_json("access", device=locked.uri)["level"] == "locked"


def test_only_the_device_that_is_meant(locked, keys):
    identity = ferry_json("unlock", "-k", keys[0], "--for", "1s", device=locked.uri)["id"]
    assert len(identity) == 16
    ferry("unlock", "-k", keys[0], "--id", identity, device=locked.uri, check=0)
    ferry("lock", device=locked.uri, check=0)
    says(ferry("unlock", "-k", keys[0], "--id", "0123456789abcdef", device=locked.uri), 5,
         "another device answers", identity)
    assert ferry_json("access", device=locked.uri)["level"] == "locked"
    locked.stop()
    locked.start().wait_for(r"app 1\.0\.0")
    assert ferry_json("unlock", "-k", keys[0], device=locked.uri)["id"] == identity  # it stays


def test_keys(locked, keys, bench, tmp_path):
    says(ferry("unlock", "-k", keys[1], device=locked.uri), 5, "access 2 NO_KEY", "next:")
    says(ferry("access", "-k", keys[1], device=locked.uri), 5, "access 2 NO_KEY")
    says(ferry("unlock", "-k", bench.key, device=locked.uri), 2, "ecdsa-p256", "ferry keygen -t ed25519")
    public = tmp_path / "public.pem"
    public.write_text(ferry("pubkey", "-k", keys[0], check=0).stdout)
    says(ferry("unlock", "-k", public, device=locked.uri), 2, "is a public key")
    assert ferry_json("access", "-k", public, device=locked.uri)["max_level"] == "service"
    der = tmp_path / "key.der"
    subprocess.run(["openssl", "pkey", "-in", keys[0], "-outform", "DER", "-out", der], check=True)
    ferry("unlock", "-k", der, device=locked.uri, check=0)


@pytest.mark.parametrize("arguments", [
    (), ("-k", "KEY", "more"), ("-k", "KEY", "--level", "locked"), ("-k", "KEY", "--level", "root"),
    ("-k", "KEY", "--for", "0"), ("-k", "KEY", "--for", "1d"), ("-k", "KEY", "--for", "-1s"),
    ("-k", "KEY", "--for", "99999999999"), ("-k", "KEY", "--for", "2000000h")])
def test_wrong_command_lines(keys, arguments):
    done = ferry("unlock", *(keys[0] if word == "KEY" else word for word in arguments),
                 device="udp:127.0.0.1:1")
    assert done.returncode == 2 and "usage: ferry unlock" in done.stderr, done.stderr


def test_a_device_without_a_gate(device, keys):
    device.wait_for(r"app 1\.0\.0")
    for command in (("access",), ("lock",), ("unlock", "-k", keys[0])):
        says(ferry(*command, device=device.uri), 5, "the device has nothing to unlock")


def test_update_is_free_where_the_layout_says_so(tmp_path, bench, keys):
    """Nobody has a key here: nothing but updates, for good."""
    text = layout("swap-move", server={"lock": "update"})
    with Device(tmp_path / "device", bench, layout=text) as device:
        device.wait_for(r"app 1\.0\.0")
        ferry("update", "-k", bench.key, bench.images["v2"], device=device.uri, check=0)
        says(ferry("key", "list", device=device.uri), 5, "this connection has level update")
        says(ferry("unlock", "-k", keys[0], device=device.uri), 5, "NO_KEY")


def test_the_way_into_recovery_needs_service(tmp_path, bench, keys):
    """Recovery has no gate: over a wire that may only update, no reset leads there."""
    text = unlock.layout(keys[0], lock="update")
    with Device(tmp_path / "device", bench, layout=text) as device:
        device.wait_for(r"app 1\.0\.0")
        for uri in (device.uri, device.udp_uri):
            for arguments in (("--recovery",), ("--boot-mode", "7"), ("--recovery", "--force")):
                says(ferry("reset", *arguments, device=uri), 5, "cannot reset: the device is locked",
                     "this connection has level update", "boot modes need level service",
                     "next: ferry unlock -k KEY")
        says(ferry("update", "--recovery", bench.images["v2"], device=device.udp_uri), 5,
             "cannot enter recovery, which needs level service", "next: ferry update --unlock KEY")
        assert device.running()["version"] == "1.0.0"
        ferry("unlock", "-k", keys[0], device=device.udp_uri, check=0)
        ferry("reset", "--recovery", device=device.udp_uri, check=0)
        device.wait_for(r"recovery \(boot-mode\)")
        assert ferry_json("info", device=device.udp_uri)["recovery"] == "boot-mode"


def test_an_update_of_the_only_slot_needs_service(tmp_path, bench, keys):
    text = layout("single-slot", server={"lock": "update", "unlock_key": str(keys[0])})
    with Device(tmp_path / "device", bench, layout=text) as device:
        device.wait_for(r"app 1\.0\.0")
        says(ferry("update", bench.images["v2"], device=device.udp_uri), 5,
             "cannot enter recovery, which needs level service", "next: ferry update --unlock KEY")
        assert device.running()["version"] == "1.0.0"
        ferry("update", "--unlock", keys[0], bench.images["v2"], device=device.udp_uri, check=0)
        assert device.running()["version"] == "2.0.0"


@pytest.mark.parametrize("content, words", [
    (None, "cannot read the file"), ("nonsense", "this is no key"),
    ("ecdsa", "keys of this kind do not unlock")])
def test_a_layout_with_a_wrong_key(tmp_path, bench, content, words):
    key = tmp_path / "unlock.pem"
    if content == "ecdsa":
        key.write_bytes(bench.key.read_bytes())
    elif content is not None:
        key.write_text(content)
    (tmp_path / "layout.json").write_text(unlock.layout("unlock.pem"))  # relative to the layout
    done = subprocess.run([FERRY_DEVICE, "--dir", tmp_path / "device", "--layout",
                           tmp_path / "layout.json", "--program-only"], capture_output=True,
                          text=True, timeout=30)
    assert done.returncode == 1, done.stderr
    assert words in done.stderr and str(key) in done.stderr and "give an Ed25519 key" in done.stderr
    assert not (tmp_path / "device/flash.bin").exists()


def test_the_doctor_names_a_locked_device(locked):
    """It was "an application with Zephyr's server", and all was well."""
    result = json.loads(ferry("--json", "doctor", device=locked.uri, check=0).stdout)
    stage = {row["stage"]: row for row in result["stages"]}["server"]
    assert (result["server"], result["access"], stage["status"]) == ("ferry", "locked", "warning")
    assert "Ferry's server" in stage["fact"] and "--unlock KEY" in stage["next"]
