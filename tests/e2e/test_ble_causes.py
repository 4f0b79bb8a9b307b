# SPDX-License-Identifier: Apache-2.0
"""What `ble:` says when something is missing or in the way, and the commands around it: scan, doctor, station,
the passkey on the terminal. The air is that of test_ble.py."""
import json
import os
import pty
import re
import select
import signal
import subprocess
import time

import pytest

import air
import lab
from lab import ferry

QUICK = {"interval_us": 1000, "slot_us": 100, "packets": 10, "adv_ms": 20, "connect_ms": 5, "queue": 24}


@pytest.fixture
def radio(tmp_path, request):
    with air.Air(tmp_path / "air", **{**QUICK, **getattr(request, "param", {})}) as started:
        yield started


@pytest.fixture
def on_air(tmp_path, bench, radio):
    """Start a device of this name with v1 in it; it is heard when this returns."""
    started = []

    def start(name="ferry", **options):
        device = lab.Device(tmp_path / f"device{len(started)}", bench, env=radio.env, ble=name,
                            **{"ble_permission": "open", **options}).start()
        started.append(device)
        radio.wait_for(rf"^advertises: {name} ", sum(one.name == name for one in started[:-1]) + 1)
        return device

    def remember(name="ferry", **options):
        device = start(name, **options)
        device.name = name
        return device

    yield remember
    for device in started:
        device.stop()


def told(radio, *args, device="ble:ferry", check=3, **env):
    done = ferry(*(args or ("echo", "hi")), device=device, env={**radio.env, **env}, check=check)
    assert check == 0 or "  next: " in done.stderr
    return done.stderr


# ---- What is in the way ------------------------------------------------------------------------------


def test_bluez_does_not_run(radio):
    air.end(radio.process)
    assert "BlueZ, the system's Bluetooth, does not run" in told(radio)
    assert "systemctl start bluetooth" in told(radio, "scan")


def test_no_such_adapter(radio):
    assert "there is no adapter hci7" in told(radio, device="ble:ferry?adapter=hci7")
    assert "there is no adapter hci7" in told(radio, "scan", "--adapter", "hci7")


def test_no_such_device(radio, on_air):
    """It is told how many others were heard."""
    on_air()
    said = told(radio, device="ble:nobody")
    assert "no such device" in said and "of others 1 were, 1 of them with SMP" in said and "ferry scan" in said


def test_two_devices_of_one_name(radio, on_air):
    on_air("twin"), on_air("twin")
    said = told(radio, device="ble:twin")
    assert "several devices are called twin: " in said and "give the address: ble:" in said


def test_a_device_called_as_anothers_address(radio, on_air):
    """Who gives an address gets that device, whatever others call themselves."""
    def scan():
        return json.loads(ferry("--json", "scan", "-t", "0.5", env=radio.env, check=0).stdout)["devices"]

    on_air()
    first = scan()[0]
    on_air(first["address"])
    assert {first["address"]} == {one["name"] for one in scan()} - {"ferry"}
    told(radio, device=first["uri"], check=0)


def test_another_program_has_the_device(radio, on_air, bench):
    on_air()
    radio.set(interval_us=50000, packets=1)
    command = [lab.FERRY, "-d", "ble:ferry", "image", "upload", bench.images["v2"]]
    with subprocess.Popen(command, env={**os.environ, **radio.env}, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as other:
        try:
            assert "%" in other.stderr.readline()  # its upload has begun
            assert "another program talks to this device already" in told(radio)
        finally:
            other.kill()


# ---- The passkey ---------------------------------------------------------------------------------------


def on_terminal(command, answer, env, timeout=60, end=b"\n"):
    """Run it at a terminal of its own, and answer its questions. Exit code and what was shown."""
    child, terminal = pty.fork()
    if child == 0:
        try:
            os.execve(command[0], [str(word) for word in command], {**os.environ, **env})
        finally:
            os._exit(127)
    shown, deadline, answered = b"", time.monotonic() + timeout, 0
    try:
        while time.monotonic() < deadline:
            if not select.select([terminal], [], [], 1)[0]:
                continue
            try:
                data = os.read(terminal, 4096)
            except OSError:
                return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), shown.decode()
            shown += data
            if shown.count(b"device shows: ") > answered:  # a wrong one is asked for again
                answered += 1
                os.write(terminal, answer + end)
        os.kill(child, 9)
        os.waitpid(child, 0)
        raise AssertionError(shown.decode())
    finally:
        os.close(terminal)


@pytest.mark.parametrize("radio", [{"passkey": 4711}], indirect=True, ids=["passkey"])
@pytest.mark.parametrize("answer, code", [(b"004711", 0), (b" 4711 ", 0), (b"123", 3), (b"no", 3), (b"12ab", 3), (b"1000000", 3)])
def test_the_passkey_is_asked_for_on_the_terminal(radio, on_air, answer, code):
    on_air(ble_permission="authenticated")
    got, shown = on_terminal([lab.FERRY, "-d", "ble:ferry", "echo", "hello"], answer, radio.env)
    assert got == code, shown
    assert "Passkey that the device shows:" in shown and ("not paired" in shown) == (code != 0)
    assert shown.count("a passkey has six digits") == (3 if answer in (b"no", b"12ab", b"1000000") else 0)


@pytest.mark.parametrize("radio", [{"passkey": 4711}], indirect=True, ids=["passkey"])
@pytest.mark.parametrize("key, code", [(b"\x03", -signal.SIGINT), (b"\x04", 3)], ids=["interrupt", "end"])
def test_a_question_that_is_left_ends_its_line(radio, on_air, key, code):
    on_air(ble_permission="authenticated")
    got, shown = on_terminal([lab.FERRY, "-d", "ble:ferry", "echo", "hello"], key, radio.env, end=b"")
    assert got == code and re.search(r"shows: (\^[CD]\x08*)?\r\n", shown), repr(shown)


@pytest.mark.parametrize("radio", [{"passkey": 4711}], indirect=True, ids=["passkey"])
def test_the_passkey_of_a_profile(radio, on_air, tmp_path):
    on_air(ble_permission="authenticated")
    env = {**radio.env, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    key = tmp_path / "passkey"
    key.touch(0o600)
    for text, check in (("nothing\n", 3), ("004711\n", 0)):
        key.write_text(text)
        ferry("profile", "add", "one", "ble:ferry", "--passkey-file", key, env=env, check=0)
        said = ferry("-c", "one", "echo", "hi", env=env, check=check).stderr
        assert ("there is no passkey in it" in said) == (check != 0)
    listed = json.loads(ferry("--json", "profile", "list", env=env, check=0).stdout)["profiles"]
    assert listed[0]["passkey-file"] == str(key)
    said = ferry("profile", "add", "two", "udp:h", "--passkey-file", key, env=env, check=2).stderr
    assert "a passkey is for devices of Bluetooth LE" in said


@pytest.mark.parametrize("radio", [{"passkey": 4711}], indirect=True, ids=["passkey"])
@pytest.mark.parametrize("mode", [0o604, 0o640, 0o602])
def test_a_passkey_that_others_may_read(radio, on_air, tmp_path, mode):
    on_air(ble_permission="authenticated")
    env = {**radio.env, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    key = tmp_path / "passkey"
    key.write_text("004711\n")
    ferry("profile", "add", "one", "ble:ferry", "--passkey-file", key, env=env, check=0)
    key.chmod(mode)
    assert f"{key}: can be read or written by others" in ferry("-c", "one", "echo", "hi", env=env, check=3).stderr
    key.chmod(0o600)
    ferry("-c", "one", "echo", "hi", env=env, check=0)


def test_a_passkey_that_is_none(radio):
    assert "FERRY_BLE_PASSKEY is no passkey" in told(radio, FERRY_BLE_PASSKEY="12345x")


# ---- Commands around it ----------------------------------------------------------------------------------


def test_scan(radio, on_air):
    """Devices without SMP are not shown, unless all are asked for; nobody is no failure."""
    assert "no device was heard" in ferry("scan", "-t", "0.2", env=radio.env, check=0).stderr
    on_air("pump")
    radio.set(no_service=1)
    listed = json.loads(ferry("--json", "scan", "-t", "0.5", env=radio.env, check=0).stdout)["devices"]
    assert len(listed) == 1 and listed[0]["name"] == "pump" and listed[0]["smp"] and not listed[0]["connected"]
    assert listed[0]["uri"] == f"ble:{listed[0]['address']}" and -100 < listed[0]["rssi"] < 0
    every = json.loads(ferry("--json", "scan", "--all", "-t", "0.5", env=radio.env, check=0).stdout)["devices"]
    assert {one["name"] for one in every} >= {"pump"}
    assert ferry("scan", "pump", env=radio.env, check=2).stderr.startswith("ferry: scan takes no arguments")


def test_doctor(radio, on_air):
    device = on_air()
    seen = json.loads(ferry("--json", "doctor", device="ble:ferry", env=radio.env, check=0).stdout)
    stages = {one["stage"]: one for one in seen["stages"]}
    assert stages["connect"]["ok"] and "over Bluetooth LE" in stages["answer"]["fact"]
    assert "packets of up to 2048 bytes" in stages["buffers"]["fact"] and stages["lines"]["ok"]
    assert "port" not in stages and "baud" not in stages
    device.stop()
    radio.command("power off")
    seen = json.loads(ferry("--json", "doctor", device="ble:ferry?adapter=hci0", env=radio.env, check=3).stdout)
    assert seen["failed"] == "connect" and "is not powered" in seen["error"]["what"]
    assert seen["error"]["next"] == "bluetoothctl power on"


def test_params_tell_of_fragments(radio, on_air):
    on_air()
    done = ferry("params", "--explain", device="ble:ferry", env=radio.env, check=0)
    assert "Bluetooth LE, in fragments of 244 bytes that the device puts together" in done.stdout
    assert done.stderr == ""  # the echo that finds it out was told as a second try


def test_the_link_is_lost_before_the_answer(radio, on_air):
    """It was told to plug the device in."""
    on_air()
    radio.set(interval_us=500000, packets=20)
    with subprocess.Popen([lab.FERRY, "-v", "-v", "-d", "ble:ferry", "echo", "x"], env={**os.environ, **radio.env},
                          stdin=subprocess.DEVNULL, text=True, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE) as echo:
        assert echo.stderr.readline().startswith("-> ")
        radio.command("drop")
        said = echo.stderr.read()
        assert echo.wait(timeout=60) == 4 and "the radio link to ble:ferry was lost" in said and "come nearer" in said


def test_a_station_of_two(radio, on_air, bench):
    """In one loop of events, each with a reset in between."""
    devices = [on_air("left"), on_air("right")]
    ferry("station", "-d", "ble:left", "-d", "ble:right", bench.images["v2"], env=radio.env, check=0)
    for device in devices:
        running = lab.ferry_json("image", "list", device=device.uri)["images"][0]
        assert running["hash"] == bench.hash_of("v2") and running["confirmed"]
