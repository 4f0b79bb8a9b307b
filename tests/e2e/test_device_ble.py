# SPDX-License-Identifier: Apache-2.0
"""ferry-device --ble: when its radio is heard, and what it says without one."""
import os
import signal
import subprocess

import air
import lab
import pytest


def refused(folder, env, *options):
    """ferry-device on a device that is not there: it says why at once. Exit code and stderr."""
    done = subprocess.run([lab.FERRY_DEVICE, "--dir", folder, "--ble", "pump", *options], capture_output=True,
                          text=True, timeout=60, stdin=subprocess.DEVNULL, env={**os.environ, **env})
    return done.returncode, done.stderr


@pytest.fixture
def ether(tmp_path, monkeypatch):
    with air.Air(tmp_path / "air") as started:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", started.env["DBUS_SYSTEM_BUS_ADDRESS"])
        yield started


def test_without_a_bus_it_says_what_to_start(tmp_path):
    code, why = refused(tmp_path / "d", {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={tmp_path}/none"})
    assert code == 1 and "start dbus and bluetoothd" in why and "DBUS_SYSTEM_BUS_ADDRESS" in why


def test_without_bluez_it_says_what_to_start(tmp_path, ether):
    air.end(ether.process)
    code, why = refused(tmp_path / "d", {})
    assert code == 1 and "BlueZ is not on the bus" in why and "start bluetoothd" in why


@pytest.mark.parametrize("options, why", [
    (["--ble-permission", "some"], "give open, encrypted or authenticated"),
    (["--ble-io", "fast"], "give acquire or plain"),
    (["--ble", ""], "give a name of 1 to 29 bytes"),
    (["--ble", "x" * 30], "give a name of 1 to 29 bytes"),
])
def test_a_wrong_word_is_named(tmp_path, options, why):
    code, said = refused(tmp_path / "d", {}, *options)
    assert code == 2 and why in said


@pytest.mark.parametrize("options", [["--ble-permission", "authenticated"], ["--ble-io", "acquire"], ["--ble-whole"]],
                         ids=lambda words: words[0])
def test_how_without_a_radio_is_refused(tmp_path, options):
    done = subprocess.run([lab.FERRY_DEVICE, "--dir", tmp_path, *options], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL)
    assert done.returncode == 2 and "without --ble: give --ble NAME as well" in done.stderr


def test_it_is_found_while_the_firmware_serves(tmp_path, bench, ether):
    with lab.Device(tmp_path / "d", bench, ble="pump") as device:
        ether.wait_for("^advertises: pump ")
        device.process.send_signal(signal.SIGUSR1)
        ether.wait_for("^advertises: pump ", count=2)
    assert "switched off" in device.log()


def test_in_recovery_the_radio_is_silent(tmp_path, bench, ether):
    with lab.Device(tmp_path / "d", bench, ble="pump", button=True) as device:
        device.wait_for("serving SMP")
        assert lab.ferry("image", "list", device=device.uri).returncode == 0
    assert "advertises" not in ether.log()


def test_when_bluez_goes_the_device_ends_and_says_so(tmp_path, bench, ether):
    with lab.Device(tmp_path / "d", bench, ble="pump") as device:
        ether.wait_for("^advertises: pump ")
        air.end(ether.process)
        assert device.process.wait(timeout=30) == 1
    assert "BlueZ has gone" in device.log() and "start bluetoothd" in device.log()
