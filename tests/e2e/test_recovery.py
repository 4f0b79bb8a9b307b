# SPDX-License-Identifier: Apache-2.0
"""Serial recovery: each way in, uploads that are aborted, cut or refused, and the ways out."""
import json
import signal
import subprocess

import pytest

import lab
from lab import ferry, ferry_json


def board(tmp_path, bench, strategy="swap-move", image="v1", options=None, **fields):
    """A device, not started. options: of ferry-device; fields: of the layout."""
    return lab.Device(tmp_path / "device", bench, image=image,
                      layout=lab.layout(strategy, **fields), **(options or {}))


@pytest.fixture(scope="module")
def foreign(bench, tmp_path_factory):
    """A file of version 2.0.0 signed by somebody else."""
    key = tmp_path_factory.mktemp("foreign") / "other.pem"
    ferry("keygen", "-t", "ecdsa-p256", "-o", key, check=0)
    return bench.sign("foreign", "2.0.0", "app-v2", key)


def enter(device):
    ferry("reset", "--recovery", device=device.uri, check=0)
    device.wait_for(r"recovery \(boot-mode\)")


def listed(device, uri=None):
    return ferry_json("image", "list", device=uri or device.uri)


def is_recovery(device, way):
    answer = listed(device)
    assert answer["bootloader"] == "ferry" and answer["recovery"] == way
    assert not any(image["active"] for image in answer["images"])
    shown = ferry("image", "list", device=device.uri, check=0)
    assert f"BOOTLOADER: Ferry's recovery (entered by: {way})" in shown.stderr
    assert "next:" in shown.stderr
    info = ferry("info", device=device.uri, check=0)
    assert f"recovery by {way}" in info.stdout and "BOOTLOADER" in info.stderr
    assert ferry_json("info", device=device.uri)["recovery"] == way


def updates(device, bench, name="v2", version="2.0.0", uri=None):
    done = ferry("update", bench.images[name], device=uri or device.uri, check=0)
    assert "BOOTLOADER" in done.stderr
    state = device.running()
    assert state["version"] == version and state["confirmed"]
    assert state["hash"] == bench.hash_of(name)


def test_what_only_an_application_knows_names_the_bootloader(bench, tmp_path):
    """"build its firmware with this group" was said to who was in the recovery."""
    with board(tmp_path, bench) as device:
        device.running()
        enter(device)
        for command in (["datetime"], ["fs", "types"], ["shell", "exec", "help"],
                        ["image", "test", bench.hash_of("v1")]):
            done = ferry(*command, device=device.uri)
            assert done.returncode == 5, (command, done.stderr)
            assert "the bootloader's recovery answers, no application runs" in done.stderr
            assert "ferry reset leaves it" in done.stderr


# ---- Each way in -----------------------------------------------------------------------------

@pytest.mark.parametrize("wire", ["serial", "udp"])
def test_by_boot_mode(device, bench, wire):
    enter(device)
    is_recovery(device, "boot-mode")
    updates(device, bench, uri=device.uri if wire == "serial" else device.udp_uri)
    assert "recovery" not in listed(device)


def test_by_button(tmp_path, bench):
    with board(tmp_path, bench, options={"button": True}) as device:
        device.wait_for(r"recovery \(button\)")
        is_recovery(device, "button")
        device.process.send_signal(signal.SIGUSR2)  # let go, or the reset leads here again
        updates(device, bench)


def test_in_a_window(tmp_path, bench):
    with board(tmp_path, bench, recovery={"wait_ms": 5000, "idle_ms": 5000}) as device:
        device.wait_for("if an SMP command comes within 5000 ms")
        ferry("echo", "x", device=device.uri, check=0)
        device.wait_for(r"recovery \(window\)")
        is_recovery(device, "window")
        updates(device, bench)
        # the reset was one by software: no window
        assert device.log().count("if an SMP command comes") == 1


def test_a_window_passes(tmp_path, bench):
    with board(tmp_path, bench, recovery={"wait_ms": 200}) as device:
        device.wait_for("app 1.0.0 started")
        assert "recovery left" not in device.log()


@pytest.mark.parametrize("strategy", ["swap-move", "single-slot", "direct-xip"])
def test_when_nothing_can_run(tmp_path, bench, strategy, foreign):
    with board(tmp_path, bench, strategy, image="foreign", recovery={"idle_ms": 200}) as device:
        device.wait_for(r"recovery \(no-image\)")
        is_recovery(device, "no-image")
        assert not listed(device)["images"][0]["bootable"]
        assert "NOT BOOTABLE" in ferry("image", "list", device=device.uri, check=0).stdout
        assert "nothing may run" in ferry("why", device=device.uri, check=0).stdout
        updates(device, bench)


# ---- Ways out ----------------------------------------------------------------------------------

def test_it_is_left_when_idle(tmp_path, bench):
    with board(tmp_path, bench, recovery={"idle_ms": 300}) as device:
        device.wait_for("app 1.0.0 started")
        enter(device)
        device.wait_for(r"recovery \(boot-mode\).*app 1\.0\.0 started".replace(".*", r"[\s\S]*"))
        assert device.running()["version"] == "1.0.0"


def test_a_reset_leaves_it(device):
    enter(device)
    ferry("reset", device=device.uri, check=0)
    assert device.running()["version"] == "1.0.0"


def test_the_button_may_be_of_no_use(tmp_path, bench):
    with board(tmp_path, bench, options={"button": True}, recovery={"button": False}) as device:
        device.wait_for("app 1.0.0 started")


# ---- Uploads that end early -----------------------------------------------------------------------

def aborted(device, bench, number):
    """An upload whose client is killed in the middle. Ended by the byte, not by the clock."""
    client = subprocess.Popen([lab.FERRY, "-d", f"{device.uri}?baud=115200", "image", "upload", "-n",
                               str(number), bench.images["v2"]], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    shown = next((line for line in client.stderr if "30 %" in line), None)
    client.kill()
    client.communicate(timeout=10)
    assert shown


@pytest.mark.parametrize("number,survivor", [(0, "1.0.0"), (1, None)])
def test_an_aborted_upload_strands_nobody(tmp_path, bench, number, survivor):
    """By default the good image stays; over it nothing can run, and recovery waits."""
    with board(tmp_path, bench, options={"baud": 115200}, recovery={"idle_ms": 1500}) as device:
        device.wait_for("app 1.0.0 started")
        enter(device)
        aborted(device, bench, number)
        if survivor:
            device.wait_for(r"recovery left[\s\S]*app 1\.0\.0 started")
            ferry("update", bench.images["v2"], device=device.uri, check=0)
        else:
            device.wait_for(r"recovery left[\s\S]*recovery \(no-image\)")
            updates(device, bench)


@pytest.mark.parametrize("how", ["before", "inside", "after"])
@pytest.mark.parametrize("operation", [3, 20, 40])
def test_a_power_cut_during_a_single_slot_upload(tmp_path, bench, operation, how):
    device = board(tmp_path, bench, "single-slot")
    with device:  # what the first boot notes is no part of the upload
        device.wait_for("app 1.0.0 started")
    device.start(cut=operation, cut_how=how)
    device.wait_for("app 1.0.0 started")
    done = ferry("update", bench.images["v2"], device=device.uri)
    assert done.returncode in (4, 5), done.stderr
    assert device.process.wait(timeout=10) == 3
    with device:
        device.wait_for(r"recovery \(no-image\)|app 1\.0\.0 started")
        ferry("update", bench.images["v2"], device=device.uri, check=0)
        assert device.running()["version"] == "2.0.0"


# ---- What is refused ---------------------------------------------------------------------------------

@pytest.mark.parametrize("strategy", ["swap-move", "single-slot"])
def test_a_wrong_key_is_refused_before_the_boot(tmp_path, bench, strategy, foreign):
    with board(tmp_path, bench, strategy) as device:
        device.wait_for("app 1.0.0 started")
        done = ferry("update", "--no-checks", "--recovery", foreign, device=device.uri, check=6)
        assert "version 2.0.0 was refused" in done.stderr and "no key" in done.stderr
        assert "next:" in done.stderr
        why = ferry_json("why", device=device.uri)
        assert why["action"] == "refused" and why["reason_name"] == "FERRY_E_NO_KEY"
        plain = ferry("image", "upload", foreign, device=device.uri, check=5)
        assert "INVALID_HASH" in plain.stderr and "does not verify" in plain.stderr
        if strategy == "swap-move":
            ferry("reset", device=device.uri, check=0)
            assert device.running()["version"] == "1.0.0"
        else:
            updates(device, bench)


def test_a_downgrade_is_refused(tmp_path, bench):
    with board(tmp_path, bench, image="v2", no_downgrade=True) as device:
        device.wait_for("app 2.0.0 started")
        done = ferry("update", "--no-checks", "--recovery", bench.images["v1"], device=device.uri,
                     check=6)
        assert "version 1.0.0 was refused" in done.stderr and "not newer" in done.stderr
        ferry("reset", device=device.uri, check=0)
        assert device.running()["version"] == "2.0.0"


# ---- Single slot ---------------------------------------------------------------------------------------

def test_a_single_slot_device_updates_by_itself(tmp_path, bench):
    with board(tmp_path, bench, "single-slot") as device:
        device.wait_for("app 1.0.0 started")
        updates(device, bench)
        again = ferry("update", bench.images["v2"], device=device.uri, check=0)
        assert "already" in again.stdout and "BOOTLOADER" not in again.stderr
        shown = ferry("--json", "update", bench.images["v1"], device=device.uri, check=0)
        assert json.loads(shown.stdout)["recovery"] is True
        assert device.running()["version"] == "1.0.0"


def test_slots_by_number(device, bench):
    enter(device)
    slots = ferry_json("image", "slots", device=device.uri)["slots"]
    assert [slot["upload_image_id"] for slot in slots] == [1, 2]
    ferry("image", "upload", "-n", "2", bench.images["v2"], device=device.uri, check=0)
    first, second = listed(device)["images"]
    assert not second["pending"] and first["version"] == "1.0.0"
    ferry("image", "erase", "--slot", "1", device=device.uri, check=0)
    ferry("image", "upload", "-n", "1", bench.images["v2"], device=device.uri, check=0)
    assert [image["version"] for image in listed(device)["images"]] == ["2.0.0"]
    ferry("reset", device=device.uri, check=0)
    assert device.running()["version"] == "2.0.0"
