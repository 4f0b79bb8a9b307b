# SPDX-License-Identifier: Apache-2.0
"""An nRF51 from an empty chip on: recovery, updates and their way back, by `ferry` and by other
people's clients, with the power cut in between."""
import json
import pathlib
import random
import subprocess
import sys
import time

import pytest

import lab
import machine
import tools

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "interop"))  # last: smpclient's smp is another
import client  # noqa: E402
import clients  # noqa: E402

LAYOUT = tools.Layout("nrf51")
KEY = tools.CHIPS / "key.pem"
V1, V2 = "app-v1.signed.bin", "app-v2.signed.bin"


def image(name):
    return tools.firmware("nrf51", name)


def sign(folder, version, program, key=KEY, further=b""):
    """The example firmware by another key, under another version, or with data of its own behind it."""
    source, target = folder / f"{version}.bin", folder / f"{version}.signed.bin"
    source.write_bytes(image(program).read_bytes() + further)
    lab.ferry("sign", "-k", key, "-v", version, "--layout", LAYOUT.path, "-H", header_size(), "--pad-header",
              "--input-format", "bin", source, target, check=0)
    return target


def header_size():
    return lab.ferry_json("inspect", image(V1))["header_size"]


def images(chip):
    """What the chip lists, by slot: version and the flags that are set."""
    listed = lab.ferry_json("image", "list", device=chip.uri)["images"]
    flags = ("active", "confirmed", "pending")
    return {one["slot"]: " ".join([one["version"], *(flag for flag in flags if one.get(flag))]) for one in listed}


def upload(chip, file):
    return lab.ferry("image", "upload", file, device=chip.uri, check=0)


def reset(chip, *options):
    lab.ferry("reset", *options, device=chip.uri, check=0)
    chip.wait_for("boot: Ferry, reset")


def runs(chip, version):
    chip.wait_for(rf"app: {version}\s")


@pytest.fixture
def running(nrf51):
    """Version 1.0.0 runs on it."""
    nrf51.program(LAYOUT.offset("primary"), image(V1))
    nrf51.power_on()
    runs(nrf51, "1.0.0")
    return nrf51


def test_from_an_empty_chip_to_a_revert(nrf51):
    nrf51.power_on()
    nrf51.wait_for(r"boot: Ferry, powered on\n")
    nrf51.wait_for(r"boot: recovery \(no-image\)")
    told = upload(nrf51, image(V1)).stderr
    # A computer that stands still loses packets; the silence while the chip verifies is no loss.
    before, last = told.split("upload: 90 %")
    assert "lost" in before or "lost" not in last, told
    reset(nrf51)
    runs(nrf51, "1.0.0")
    assert images(nrf51) == {0: "1.0.0 active confirmed"}

    lab.ferry("update", image(V2), device=nrf51.uri, check=0)
    runs(nrf51, "2.0.0")
    assert images(nrf51)[0] == "2.0.0 active confirmed"

    told = lab.ferry("update", image("app-v3-crash.signed.bin"), device=nrf51.uri, check=7).stderr
    assert "REVERTED" in told
    runs(nrf51, "3.0.0")
    runs(nrf51, "2.0.0")
    assert images(nrf51)[0] == "2.0.0 active confirmed"

    nrf51.power_off()
    dump = lab.ferry("inspect", "--layout", LAYOUT.path, nrf51.flash, check=0).stdout
    assert "next boot         starts 2.0.0; nothing changes" in dump, dump
    assert "slot 1, secondary version 3.0.0" in dump
    nrf51.power_on()
    runs(nrf51, "2.0.0")


class Smpmgr:
    def __init__(self, link):
        self.link = link

    def __call__(self, *words):
        done = client.run(client.SMPMGR, "--port", self.link, "--timeout", "10", *words)
        assert "Error" not in done.stdout, done.stdout  # it exits with 0 when the device refused
        return done.stdout

    def upload(self, file):
        self("image", "upload", file)

    def reset(self):
        self("os", "reset")

    def test(self, digest):
        self("image", "state-write", digest)

    def confirm(self):
        self("image", "state-write", "--confirm")

    def shows(self):
        return "version='2.0.0'" in self("image", "state-read")


class Mcumgrctl(Smpmgr):
    def __call__(self, *words):
        return client.run(client.MCUMGRCTL, "-q", "--json", "--serial", self.link, "--timeout", "10000", *words).stdout

    def reset(self):
        self("os", "system-reset")

    def test(self, digest):
        self("image", "set-state", "--hash", digest)

    def confirm(self):
        self("image", "set-state", "--confirm")

    def shows(self):
        return "2.0.0" in json.dumps(json.loads(self("image", "get-state")))


@pytest.mark.parametrize("name, kind", [("smpmgr", Smpmgr), ("mcumgrctl", Mcumgrctl)])
def test_other_peoples_clients(nrf51, name, kind):
    clients.need(name)
    nrf51.power_on()
    nrf51.wait_for(r"boot: recovery \(no-image\)")
    with nrf51.pty() as pty:
        other = kind(pty.path)
        other.upload(image(V1))
        other.reset()
        runs(nrf51, "1.0.0")
        other.upload(image(V2))
        other.test(lab.ferry_json("verify", "-k", KEY, image(V2))["hash"])
        other.reset()
        runs(nrf51, "2.0.0")
        other.confirm()
        assert other.shows()
    assert images(nrf51) == {0: "2.0.0 active confirmed", 1: "1.0.0"}


def test_the_button_leads_to_recovery(running):
    running.button(True)
    running.reset()
    running.wait_for(r"boot: recovery \(button\)")
    running.button(False)
    lab.ferry("reset", device=running.uri, check=0)
    told = lab.ferry("update", image(V2), device=running.uri, check=0).stderr
    assert "forgotten" not in told, told  # the recovery that is left answers nothing more
    assert images(running)[0] == "2.0.0 active confirmed"


def test_a_wrong_key_is_refused_and_nothing_is_lost(running, tmp_path):
    lab.ferry("keygen", "-t", "ecdsa-p256", "-o", tmp_path / "other.pem", check=0)
    reset(running, "--recovery")
    running.wait_for(r"boot: recovery \(boot-mode\)")
    done = lab.ferry("image", "upload", sign(tmp_path, "2.0.0", "app-v2.bin", tmp_path / "other.pem"), device=running.uri)
    assert done.returncode == 5 and "does not verify" in done.stderr and "key" in done.stderr, done.stderr
    reset(running)
    runs(running, "1.0.0")
    assert images(running)[0] == "1.0.0 active confirmed"


def test_an_image_of_imgtool_boots(nrf51, tmp_path):
    if not (client.PEERS / "venv" / "bin" / "imgtool").exists():
        pytest.skip("imgtool is not installed: tests/interop/setup-peers python")
    client.run(client.PEERS / "venv" / "bin" / "imgtool", "sign", "-k", KEY, "-v", "1.5.0", "-H", header_size(),
               "--pad-header", "--align", 8, "-S", LAYOUT.areas["primary"][1], image("app-v1.bin"), tmp_path / "it.bin")
    nrf51.power_on()
    nrf51.wait_for(r"boot: recovery \(no-image\)")
    upload(nrf51, tmp_path / "it.bin")
    reset(nrf51)
    runs(nrf51, "1.0.0")  # as it was compiled
    assert images(nrf51) == {0: "1.5.0 active confirmed"}


def test_zeros_are_not_erased_flash(microbit):
    """As the emulator makes it."""
    microbit.program(0, bytes(LAYOUT.flash_size))
    microbit.program(0, image("bootloader.bin"))
    microbit.power_on()
    microbit.wait_for(r"boot: recovery \(no-image\)")
    upload(microbit, image(V1))
    reset(microbit)
    runs(microbit, "1.0.0")
    lab.ferry("update", image(V2), device=microbit.uri, check=0)
    assert images(microbit)[0] == "2.0.0 active confirmed"


def test_swap_move_does_the_same(microbit):
    microbit.program(0, image("bootloader-move.bin"))
    microbit.program(LAYOUT.offset("primary"), image(V1))
    microbit.power_on()
    runs(microbit, "1.0.0")
    lab.ferry("update", image(V2), device=microbit.uri, check=0)
    lab.ferry("update", image("app-v3-crash.signed.bin"), device=microbit.uri, check=7)
    assert images(microbit)[0] == "2.0.0 active confirmed"


@pytest.mark.parametrize("area", ["primary", "secondary"])
def test_the_power_fails_during_an_upload(nrf51, tmp_path, area):
    """The same command goes on when the power is back; so does a new one."""
    large = sign(tmp_path, "2.0.0", "app-v2.bin", further=random.Random(1).randbytes(48 * 1024))
    if area == "secondary":
        nrf51.program(LAYOUT.offset("primary"), image(V1))
    nrf51.power_on()
    nrf51.wait_for(r"app: 1\.0\.0\s" if area == "secondary" else r"boot: recovery \(no-image\)")
    process = subprocess.Popen([lab.FERRY, "-d", nrf51.uri, "image", "upload", large], stderr=subprocess.PIPE, text=True)
    try:
        cut_in_the_middle(nrf51, area)
        assert process.poll() is None
        nrf51.power_on()
        nrf51.wait_for(r"app: 1\.0\.0\s" if area == "secondary" else r"boot: recovery \(no-image\)")
        told = process.communicate(timeout=machine.LIMIT)[1]
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, told
    upload(nrf51, large)
    if area == "secondary":
        assert images(nrf51) == {0: "1.0.0 active confirmed", 1: "2.0.0"}
    else:
        reset(nrf51)
        runs(nrf51, "2.0.0")


def cut_in_the_middle(chip, area):
    """Pull the plug once 16 KiB are there and the rest is not."""
    offset, end = LAYOUT.offset(area) + 16 * 1024, time.monotonic() + machine.LIMIT
    while chip.read(offset, 16) == b"\xff" * 16:
        assert time.monotonic() < end
        time.sleep(0.001)
    chip.power_off()
    assert chip.read(offset + 16 * 1024, 16) == b"\xff" * 16


def test_noise_over_a_start_leaves_the_line_open(running):
    """What comes in while the bootloader works fills its ring and the UART's FIFO; the firmware hears again."""
    with running.line() as line:
        running.reset()
        line.send(b"noise\n" * 200)
        runs(running, "1.0.0")
    assert images(running) == {0: "1.0.0 active confirmed"}
