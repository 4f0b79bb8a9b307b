# SPDX-License-Identifier: Apache-2.0
"""Real SMP clients drive serial recovery, from each way in: look, upload, reset, and it runs."""
import os
import re
import signal

import pytest

import lab
from conftest import peer

WAYS = ["button", "boot-mode", "window", "no-image"]


@pytest.fixture(scope="session")
def foreign(bench, tmp_path_factory):
    """An image that the bootloader does not let run."""
    key = tmp_path_factory.mktemp("foreign") / "other.pem"
    lab.ferry("keygen", "-t", "ecdsa-p256", "-o", key, check=0)
    return bench.sign("foreign", "9.0.0", "app-v2", key)


@pytest.fixture(params=WAYS)
def waiting(request, tmp_path, bench, foreign):
    """A device that waits in recovery."""
    way = request.param
    text = lab.layout("swap-move", recovery={"wait_ms": 60000 if way == "window" else 0,
                                             "idle_ms": 60000})
    device = lab.Device(tmp_path / "device", bench, layout=text,
                        image="foreign" if way == "no-image" else "v1",
                        **({"button": True} if way == "button" else {}))
    with device:
        if way == "boot-mode":
            device.wait_for(r"app 1\.0\.0")
            lab.ferry("reset", "--recovery", device=device.uri, check=0)
        device.wait_for("recovery if an SMP" if way == "window" else rf"recovery \({way}\)")
        if way == "button":
            device.process.send_signal(signal.SIGUSR2)
        yield device


def proves(device, bench):
    """The new image runs for good, and its report is the bootloader's."""
    device.wait_for(r"app 2\.0\.0", timeout=60)
    state = device.running()
    assert state["version"] == "2.0.0" and state["confirmed"]
    assert state["hash"] == bench.hash_of("v2")


# ---- smpmgr -------------------------------------------------------------------------------------

def test_smpmgr(waiting, bench):
    where = ["--port", str(waiting.link), "--timeout", "10"]
    assert "hello" in peer("smpmgr", *where, "os", "echo", "hello").stdout
    shown = peer("smpmgr", *where, "image", "state-read").stdout
    assert "1.0.0" in shown or "9.0.0" in shown
    peer("smpmgr", *where, "image", "upload", bench.images["v2"])
    assert "2.0.0" in peer("smpmgr", *where, "image", "state-read").stdout
    peer("smpmgr", *where, "os", "reset")
    proves(waiting, bench)


def test_smpmgr_upgrade(waiting, bench):
    """Its one command for all of it: upload and reset, with no state write, as for MCUboot."""
    peer("smpmgr", "--port", str(waiting.link), "--timeout", "10", "upgrade", bench.images["v2"])
    proves(waiting, bench)


def test_smpmgr_sees_a_refusal(waiting, bench, foreign):
    done = peer("smpmgr", "--port", str(waiting.link), "--timeout", "10", "image", "upload", foreign,
                check=False)
    said = done.stdout + done.stderr
    assert done.returncode != 0 and ("24" in said or "INVALID_HASH" in said), said


# ---- mcumgrctl (Rust) ------------------------------------------------------------------------------

@pytest.mark.needs("mcumgrctl")
@pytest.mark.parametrize("one_command", [False, True], ids=["steps", "firmware-update"])
def test_mcumgrctl(waiting, bench, one_command):
    where = ["-q", "--serial", str(waiting.link)]
    if one_command:
        peer("mcumgrctl", *where, "firmware", "update", bench.images["v2"])
    else:
        assert "hi" in peer("mcumgrctl", *where, "os", "echo", "hi").stdout
        peer("mcumgrctl", *where, "image", "get-state")
        peer("mcumgrctl", *where, "image", "slot-info")
        peer("mcumgrctl", *where, "image", "upload", bench.images["v2"])
        peer("mcumgrctl", *where, "os", "system-reset")
    proves(waiting, bench)


# ---- mcumgr (Go) -------------------------------------------------------------------------------------

@pytest.mark.needs("mcumgr")
def test_go_mcumgr(waiting, bench):
    where = ["--conntype", "serial", "--connstring",
             f"dev={os.path.realpath(waiting.link)},baud=115200,mtu=512"]
    assert re.search(r"[19]\.0\.0", peer("mcumgr", *where, "image", "list").stdout)
    peer("mcumgr", *where, "image", "upload", bench.images["v2"])
    peer("mcumgr", *where, "reset")
    proves(waiting, bench)
