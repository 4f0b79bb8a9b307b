# SPDX-License-Identifier: Apache-2.0
"""`ferry update`: what is looked at before the first byte, the user's own check between test and
confirm, and updates that are interrupted: by the user, by the line, by the device."""
import json
import os
import re
import signal
import subprocess

import pytest

import lab
from lab import ferry, ferry_json

SLOW = 460800  # an image takes some seconds


def images(device):
    return ferry_json("image", "list", device=device.uri)["images"]


def begin(device, *args, until, env=None):
    """`ferry update` in a process of its own, up to where its standard error has a text. Returns the
    process and what it said."""
    process = subprocess.Popen([lab.FERRY, "-d", device.uri, "update", *map(str, args)],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, env={**os.environ, **(env or {})})
    said = ""
    for line in process.stderr:
        said += line
        if until in line:
            return process, said
    process.wait(timeout=60)
    raise AssertionError(f"no {until!r} in:\n{said}{process.stdout.read()}")


def finish(process, said, timeout=120):
    out, err = process.communicate(timeout=timeout)
    return process.returncode, out, said + err


# ---- Before the first byte ----------------------------------------------------------------------------

def test_a_dry_run_says_what_would_be_done(device, bench):
    done = ferry("update", "--dry-run", bench.images["v2"], device=device.uri, check=0)
    size = bench.images["v2"].stat().st_size
    assert re.search(rf"would: upload {size} bytes \(\d+ fit\), test, reset, compare, confirm",
                     done.stdout)
    assert "1.0.0 runs, 2.0.0 is newer" in done.stderr
    told = ferry_json("update", "--plan", "--confirm", "always", bench.images["v2"], device=device.uri)
    assert told["plan"] == ["upload", "install", "reset", "compare"]
    assert told["previous"] == "1.0.0" and 0 < told["size"] <= told["limit"] <= lab.SLOT_SIZE
    # It said that all was done already, of no version and no hash.
    assert (told["already"], told["version"], told["hash"]) == (False, "2.0.0", bench.hash_of("v2"))
    assert [i["version"] for i in images(device)] == ["1.0.0"]  # nothing was changed
    ferry("update", bench.images["v2"], device=device.uri, check=0)
    told = ferry_json("update", "--dry-run", bench.images["v2"], device=device.uri)
    assert told["plan"] == [] and told["already"] and told["confirmed"]
    done = ferry("update", "--dry-run", bench.images["v1"], device=device.uri, check=0)
    assert "1.0.0 is OLDER: a downgrade" in done.stderr


def test_the_result_for_machines(device, bench):
    told = ferry_json("update", bench.images["v2"], device=device.uri)
    size = bench.images["v2"].stat().st_size
    assert told.pop("seconds") > 0 and told.pop("retransmissions") >= 0
    assert told.pop("speed")["bytes"] == size
    assert told == {"version": "2.0.0", "hash": bench.hash_of("v2"), "already": False, "active": True,
                    "confirmed": True, "pending": False, "recovery": False, "previous": "1.0.0",
                    "size": size, "sent": size, "resumed_at": 0}
    again = ferry_json("update", bench.images["v2"], device=device.uri)
    assert (again["already"], again["sent"], again["previous"]) == (True, 0, "2.0.0")


def test_options_that_exclude_each_other():
    for options in (["--confirm", "perhaps"], ["--check", "true", "--confirm", "never"],
                    ["--check", "true", "--test-only"], ["--confirm", "always", "--no-confirm"],
                    ["--check-timeout", "0"], ["--window", "0"]):
        done = ferry("update", *options, "x.bin", device="serial:/nowhere", check=2)
        assert "usage:" in done.stderr, options


def test_help_names_the_file_formats():
    shown = ferry("update", "--help", check=0).stdout
    assert "Intel HEX" in shown and "bundle" in shown and "--check" in shown


def test_what_was_stored_with_a_wrong_signature_is_sent_again(device, bench):
    """The signature is not in the hash, so the upload was skipped, and the bootloader refused it."""
    good = bench.images["v2"].read_bytes()
    bad = device.folder / "bad.bin"
    bad.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    ferry("image", "upload", "--force", bad, device=device.uri, check=0)
    done = ferry("update", bench.images["v2"], device=device.uri, check=0)
    assert "sent again" in done.stderr
    assert device.running()["version"] == "2.0.0"


# ---- Confirm ------------------------------------------------------------------------------------------

def test_confirm_always_is_for_good_at_once(device, bench):
    done = ferry("update", "--confirm", "always", bench.images["v2"], device=device.uri, check=0)
    assert "runs and is confirmed" in done.stdout and "\nconfirm " not in done.stderr
    assert images(device)[0]["confirmed"]


def test_confirm_never_leaves_it_on_trial(device, bench):
    ferry("update", "--confirm", "never", bench.images["v2"], device=device.uri, check=0)
    assert not images(device)[0]["confirmed"]
    ferry("reset", device=device.uri, check=0)
    device.wait_for("app 2.0.0 started(.|\n)*app 1.0.0 started")
    assert device.running()["version"] == "1.0.0"


# ---- The user's own check -----------------------------------------------------------------------------

def test_a_check_that_passes(device, bench):
    """It is told what to check, and may use the port."""
    note = device.folder / "note"
    check = (f'echo "$FERRY_VERSION $FERRY_HASH $FERRY_DEVICE" >{note} && '
             f'{lab.FERRY} image list >>{note} && echo noise')
    told = ferry_json("update", "--check", check, bench.images["v2"], device=device.uri)
    assert told["check"] == 0 and told["confirmed"]
    said = note.read_text()
    assert said.startswith(f"2.0.0 {bench.hash_of('v2')} {device.uri}\n")
    assert "UNCONFIRMED" in said
    # Nothing is checked where nothing is changed.
    assert "check" not in ferry_json("update", "--check", "false", bench.images["v2"],
                                     device=device.uri)


@pytest.mark.parametrize("check,words", [("exit 3", "exit code 3"), ("sleep 60", "not done after 1 s"),
                                         ("no-such-command-here", "exit code 127")])
def test_a_check_that_fails_takes_the_old_image_back(device, bench, check, words):
    done = ferry("update", "--check", check, "--check-timeout", "1", bench.images["v2"],
                 device=device.uri, check=7)
    assert "REVERTED" in done.stderr and words in done.stderr and "next:" in done.stderr
    assert "went back to version 1.0.0" in done.stderr
    state = device.running()
    assert state["version"] == "1.0.0" and state["confirmed"]


def test_ctrl_c_during_the_check_leaves_it_on_trial(device, bench):
    process, said = begin(device, "--check", "echo now; sleep 60", bench.images["v2"], until="now")
    process.send_signal(signal.SIGINT)
    code, _, said = finish(process, said)
    assert code == -signal.SIGINT and "may run, and is not confirmed" in said
    state = device.running()
    assert state["version"] == "2.0.0" and not state["confirmed"]
    ferry("update", "--check", "true", bench.images["v2"], device=device.uri, check=0)
    assert device.running()["confirmed"]


def test_a_check_where_there_is_no_way_back(tmp_path, bench):
    with lab.Device(tmp_path / "d", bench, layout=lab.layout("overwrite")) as device:
        done = ferry("update", "--check", "exit 1", bench.images["v2"], device=device.uri, check=1)
        assert "no way back" in done.stderr
        assert device.running()["version"] == "2.0.0"


# ---- Interrupted --------------------------------------------------------------------------------------

def test_a_client_that_is_killed_continues(tmp_path, bench):
    with lab.Device(tmp_path / "d", bench, baud=SLOW) as device:
        process, _ = begin(device, bench.images["v2"], until="upload: 40 %")
        process.kill()
        process.wait(timeout=10)
        done = ferry("update", bench.images["v2"], device=device.uri, check=0)
        assert "continuing at 4" in done.stderr
        assert device.running()["version"] == "2.0.0"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_says_where_it_stopped(tmp_path, bench, number):
    with lab.Device(tmp_path / "d", bench, baud=SLOW) as device:
        process, said = begin(device, bench.images["v2"], until="upload: 40 %")
        process.send_signal(number)
        code, _, said = finish(process, said)
        assert code == -number and "% of the upload" in said and "run the same again" in said
        told = ferry_json("update", bench.images["v2"], device=device.uri)
        assert told["resumed_at"] > 0 and told["confirmed"]
        assert told["sent"] + told["resumed_at"] == told["size"]


def test_the_port_goes_and_comes_back_elsewhere(tmp_path, bench):
    """The power fails in the middle of the upload, and the port has another name afterwards; the link
    that the client was given leads there."""
    with lab.Device(tmp_path / "d", bench, baud=SLOW) as device:
        process, said = begin(device, bench.images["v2"], until="upload: 40 %")
        before = os.readlink(device.link)
        holder, taken = os.openpty()  # the old name may be given away
        device.kill()
        device.start()
        code, out, said = finish(process, said)
        os.close(holder)
        os.close(taken)
        assert code == 0, f"{before} {os.readlink(device.link)}\n{out}\n{said}"
        assert "waiting up to 30 s" in said and "runs and is confirmed" in out
        assert device.running()["version"] == "2.0.0"


def test_an_update_outlives_a_power_cut_where_the_device_remembers(tmp_path, bench):
    layout = lab.layout("swap-move", server={"resume": True})
    with lab.Device(tmp_path / "d", bench, layout=layout, baud=SLOW) as device:
        process, said = begin(device, bench.images["v2"], until="upload: 50 %")
        device.kill()
        device.start()
        code, out, said = finish(process, said)
        assert code == 0, f"{out}\n{said}"
        assert "continuing at 4" in said or "continuing at 5" in said, said
        assert device.running()["version"] == "2.0.0"


def test_a_bad_link(tmp_path, bench):
    """One packet in twenty is lost, one in fifty changed, text in between, and the device is reset in
    the middle of the upload."""
    with lab.Device(tmp_path / "d", bench, baud=SLOW, loss=5, corrupt=2,
                    foreign="text-before,text-between,text-inside=100") as device:
        process, said = begin(device, bench.images["v2"], until="upload: 40 %")
        device.process.send_signal(signal.SIGUSR1)  # its reset pin; the boot log comes on this line
        code, out, said = finish(process, said, timeout=300)
        assert code == 0, f"{out}\n{said}\n{device.log()}"
        assert device.log().count("app 1.0.0 started") >= 2
        state = device.running()
        assert state["version"] == "2.0.0" and state["confirmed"]
        assert state["hash"] == bench.hash_of("v2")


# ---- Through MCUboot's recovery ------------------------------------------------------------------------

@pytest.mark.parametrize("strategy", ["swap-move", "single-slot"])
def test_from_the_application_through_mcuboots_recovery(tmp_path, bench, strategy):
    """Version 1 bodies, no states, one buffer, whole erases at off 0; --check sees the new image."""
    with lab.Device(tmp_path / "d", bench, layout=lab.layout(strategy),
                    foreign="mcuboot,in-recovery") as device:
        device.wait_for("app 1.0.0 started")
        told = ferry_json("update", "--recovery", "--check", "test $FERRY_VERSION = 2.0.0",
                          bench.images["v2"], device=device.uri)
        assert told["active"] and told["confirmed"] and told["check"] == 0
        assert told["previous"] == "1.0.0"
        assert "recovery (boot-mode)" in device.log()
        assert ferry_json("update", "--recovery", bench.images["v2"], device=device.uri)["already"]


def test_a_check_where_recovery_installs_for_good(tmp_path, bench):
    with lab.Device(tmp_path / "d", bench, layout=lab.layout("single-slot")) as device:
        device.wait_for("app 1.0.0 started")
        done = ferry("update", "--check", "false", bench.images["v2"], device=device.uri, check=1)
        assert "no way back" in done.stderr and "exit code 1" in done.stderr


def test_an_image_upload_says_where_it_continues(tmp_path, bench):
    with lab.Device(tmp_path / "d", bench, baud=SLOW) as device:
        process, _ = begin(device, bench.images["v2"], until="upload: 60 %")
        process.kill()
        process.wait(timeout=10)
        done = ferry("image", "upload", bench.images["v2"], device=device.uri, check=0)
        assert "continuing at 6" in done.stderr


# ---- Things that go wrong ------------------------------------------------------------------------------

def test_a_device_that_goes_for_good_is_told_of(tmp_path, bench):
    """The power fails in the middle of the upload and does not come back."""
    with lab.Device(tmp_path / "d", bench, baud=SLOW) as device:
        process, said = begin(device, bench.images["v2"], until="upload: 40 %")
        device.kill()
        code, out, said = finish(process, said)
        assert code == 4 and "broke" in said and "next:" in said, f"{out}\n{said}"
        device.start()
        ferry("update", bench.images["v2"], device=device.uri, check=0)


def test_failures_for_machines(device, bench):
    """One object with what, why, next and the exit code."""
    done = ferry("--json", "update", "--check", "exit 9", bench.images["v2"], device=device.uri, check=7)
    error = json.loads(done.stdout)["error"]
    assert error["exit"] == 7 and "exit code 9" in error["what"] and error["next"]


@pytest.mark.parametrize("command", ["update", "image upload"])
def test_a_silence_in_an_upload_is_told(tmp_path, bench, command):
    """Nothing was said for half a minute."""
    with lab.Device(tmp_path / "device", bench, baud=SLOW) as device:
        device.wait_for(r"app 1\.0\.0")
        client = subprocess.Popen([lab.FERRY, "-d", device.uri, *command.split(), str(bench.images["v2"])],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, text=True)
        try:
            said = []
            for line in client.stderr:
                said.append(line)
                if "upload: 20 %" in line:
                    device.process.send_signal(signal.SIGSTOP)
                elif "no answer for 5 s; sending again" in line:
                    device.process.send_signal(signal.SIGCONT)
            assert client.wait(timeout=60) == 0, said
        finally:
            device.process.send_signal(signal.SIGCONT)
            if client.poll() is None:
                client.kill()
    told = "".join(said)
    assert told.count("no answer for 5 s; sending again") == 1, told
    assert told.count("the device answers again") == 1, told
    assert "0 losses" not in told, told
