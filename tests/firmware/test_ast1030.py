# SPDX-License-Identifier: Apache-2.0
"""Ferry on an AST1030: images in SPI flash that are loaded to RAM and run there, and a watchdog."""
import subprocess

import pytest

import lab
import tools


def image(name):
    return tools.firmware("ast1030", f"{name}.signed.bin")


def ferry(chip, *words, check=0):
    return lab.ferry(*words, device=chip.uri, check=check)


def listed(chip):
    """What `ferry image list` says: {version: flags}."""
    answer = lab.ferry_json("image", "list", device=chip.uri)
    return {one["version"]: {flag for flag in ("active", "confirmed", "pending") if one.get(flag)}
            for one in answer["images"]}


def runs(chip, version):
    chip.wait_for(rf"boot: starting {version}\s")
    chip.wait_for(rf"app: {version}\s")


@pytest.fixture
def running(ast1030):
    """1.0.0, confirmed, runs from the primary."""
    ast1030.power_on()
    ast1030.wait_for("serving SMP")
    ferry(ast1030, "image", "upload", image("app-v1"))
    ferry(ast1030, "reset")
    runs(ast1030, "1.0.0")
    return ast1030


def test_from_an_empty_chip_to_an_update(ast1030):
    ast1030.power_on()
    ast1030.wait_for(r"boot: Ferry, powered on\s")
    ast1030.wait_for(r"boot: recovery \(no-image\): serving SMP")
    ferry(ast1030, "image", "upload", image("app-v1"))
    ferry(ast1030, "reset")
    ast1030.wait_for(r"boot: Ferry, reset\s")
    runs(ast1030, "1.0.0")
    assert listed(ast1030) == {"1.0.0": {"active", "confirmed"}}
    ferry(ast1030, "update", image("app-v2"))
    ast1030.wait_for(r"boot: testing\s")
    runs(ast1030, "2.0.0")
    kept = {"1.0.0": set(), "2.0.0": {"active", "confirmed"}}
    assert listed(ast1030) == kept
    flash = ast1030.read()
    ast1030.power_off()
    ast1030.power_on()
    ast1030.wait_for(r"boot: Ferry, powered on\s")
    runs(ast1030, "2.0.0")
    assert listed(ast1030) == kept and ast1030.read() == flash


def fails(chip, name):
    """An update to a firmware that does not work: 1.0.0 comes back without anybody's help, and the
    power stays on."""
    failed = lab.ferry("update", image(name), device=chip.uri)
    assert failed.returncode == 6 and "it ran and did not confirm itself" in failed.stderr, failed.stderr
    for told in (r"boot: testing\s", r"app: 3\.0\.0\s", r"boot: Ferry, reset\s", r"boot: reverted\s"):
        chip.wait_for(told)
    runs(chip, "1.0.0")
    assert "powered on" not in chip.console.text().split("app: 3.0.0")[1]
    assert listed(chip) == {"1.0.0": {"active", "confirmed"}}
    chip.qmp("query-status")


def test_the_watchdog_ends_a_firmware_that_hangs(running):
    """It bites once, and not while firmware and bootloader feed it."""
    fails(running, "app-v3-hang")
    assert running.events.count("WATCHDOG") == 1


def test_a_firmware_that_crashes_is_taken_back(running):
    fails(running, "app-v3-crash")
    assert "WATCHDOG" not in running.events


def test_the_power_fails_during_an_update(running):
    with subprocess.Popen([lab.FERRY, "-d", running.uri, "image", "upload", image("app-v2")],
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as upload:
        for line in upload.stderr:
            if b"upload: 50 %" in line:
                break
        running.power_off()
        upload.kill()  # it would wait for the device to come back
    assert running.read(*tools.Layout("ast1030").areas["secondary"]).startswith(image("app-v2").read_bytes()[:4096])
    running.power_on()
    runs(running, "1.0.0")
    ferry(running, "update", image("app-v2"))
    assert listed(running) == {"1.0.0": set(), "2.0.0": {"active", "confirmed"}}


def in_recovery(chip, way):
    chip.wait_for(rf"boot: recovery \({way}\): serving SMP")
    assert "Ferry's recovery" in ferry(chip, "image", "list").stderr


def test_the_button_leads_to_recovery(running):
    running.button(True)
    running.reset()
    in_recovery(running, "button")
    running.button(False)
    ferry(running, "reset")
    runs(running, "1.0.0")


def test_a_request_leads_to_recovery_once(running):
    ferry(running, "reset", "--recovery")
    in_recovery(running, "boot-mode")
    running.power_off()
    running.power_on()
    runs(running, "1.0.0")
