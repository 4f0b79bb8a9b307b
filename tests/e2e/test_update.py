# SPDX-License-Identifier: Apache-2.0
"""`ferry` against the virtual device: the main job, and how it goes wrong."""
import os
import pty
import socket
import subprocess
import sys
import threading
import time

import pytest

import lab
from lab import ferry, ferry_json


def images(device_uri):
    return ferry_json("image", "list", device=device_uri)["images"]


def running(device_uri, timeout=30):
    """The active image, once the device answers."""
    end = time.monotonic() + timeout
    while True:
        done = ferry("image", "list", device=device_uri)
        if done.returncode == 0 or time.monotonic() > end:
            break
    return next(i for i in images(device_uri) if i["active"])


@pytest.mark.parametrize("wire", ["serial", "udp"])
def test_update_proves_itself(device, bench, wire):
    uri = device.uri if wire == "serial" else device.udp_uri
    ferry("update", bench.images["v2"], device=uri, check=0)
    now = images(uri)
    assert now[0]["version"] == "2.0.0" and now[0]["confirmed"] and now[0]["active"]
    assert now[0]["hash"] == bench.hash_of("v2")
    assert now[1]["version"] == "1.0.0"
    # again: nothing to do, and it says so
    again = ferry("update", bench.images["v2"], device=uri, check=0)
    assert "already" in (again.stdout + again.stderr)
    ferry("reset", device=uri, check=0)
    time.sleep(0.5)
    assert running(uri)["version"] == "2.0.0"


@pytest.mark.parametrize("name", ["v3", "v3-hang"])
def test_faulty_firmware_is_taken_back(device, bench, name):
    done = ferry("update", bench.images[name], device=device.uri, check=7)
    assert "REVERTED: the device went back to version 1.0.0" in done.stderr
    assert "did not confirm itself" in done.stderr and "next:" in done.stderr
    report = ferry_json("why", device=device.uri)
    assert report["action"] == "reverted" and report["reverts"] == 1
    assert report["running"] == "1.0.0"
    state = running(device.uri)
    assert state["version"] == "1.0.0" and state["confirmed"]


def test_step_by_step_with_a_hash_prefix(device, bench):
    uri = device.uri
    ferry("image", "upload", bench.images["v2"], device=uri, check=0)
    v2 = bench.hash_of("v2")
    ferry("image", "test", v2[:8], device=uri, check=0)
    assert images(uri)[1]["pending"]
    refused = ferry("image", "erase", device=uri)
    assert refused.returncode in (0, 5)
    if refused.returncode == 0:  # Zephyr's default allows it: begin again
        ferry("image", "upload", bench.images["v2"], device=uri, check=0)
        ferry("image", "test", v2[:8], device=uri, check=0)
    ferry("reset", device=uri, check=0)
    time.sleep(0.5)
    state = running(uri)
    assert state["version"] == "2.0.0" and not state["confirmed"]
    assert "UNCONFIRMED" in ferry("image", "list", device=uri, check=0).stdout
    ferry("image", "confirm", device=uri, check=0)
    assert running(uri)["confirmed"]


def test_unconfirmed_test_reverts_at_the_next_reset(device, bench):
    uri = device.uri
    ferry("image", "upload", bench.images["v2"], device=uri, check=0)
    ferry("image", "test", bench.hash_of("v2"), device=uri, check=0)
    ferry("reset", device=uri, check=0)
    time.sleep(0.5)
    assert running(uri)["version"] == "2.0.0"
    ferry("reset", device=uri, check=0)
    time.sleep(0.5)
    state = running(uri)
    assert state["version"] == "1.0.0" and state["confirmed"]


def test_os_commands(device):
    uri = device.uri
    assert ferry_json("echo", "hello", "world", device=uri)["r"] == "hello world"
    assert ferry_json("params", device=uri)["buf_size"] >= 256
    assert ferry_json("info", device=uri)["output"]
    assert ferry_json("image", "slots", device=uri)["slots"][0]["size"] == lab.SLOT_SIZE
    assert ferry("echo", "x", "-d", uri, "--json", check=0).stdout  # global options behind
    assert ferry("echo", "x", env={"FERRY_DEVICE": uri}, check=0).stdout == "x\n"


def test_wrong_hash_and_no_such_image(device):
    for text in ("00000000", "nothex", ""):
        done = ferry("image", "test", text, device=device.uri, check=2)
        assert "next:" in done.stderr


def test_running_image_cannot_be_tested(device, bench):
    done = ferry("image", "test", bench.hash_of("v1"), device=device.uri, check=5)
    assert "image 33" in done.stderr and "next:" in done.stderr


def test_no_downgrade(device, bench, tmp_path):
    old = tmp_path / "old.bin"
    lab.sign(bench.key, "0.9.0", lab.FIRMWARE / "app-v2.elf", old)
    for command in (["image", "upload", "--no-downgrade", old], ["update", "--no-downgrade", old]):
        done = ferry(*command, device=device.uri)
        assert done.returncode in (5, 6), done.stderr
        assert "newer" in done.stderr and "next:" in done.stderr
    assert running(device.uri)["version"] == "1.0.0"


def test_no_downgrade_holds_for_an_image_that_is_stored_already(device, bench, tmp_path):
    """The comparison was left to the upload, and there was none."""
    old = tmp_path / "old.bin"
    lab.sign(bench.key, "0.9.0", lab.FIRMWARE / "app-v2.elf", old)
    ferry("image", "upload", old, device=device.uri, check=0)
    done = ferry("update", "--no-downgrade", old, device=device.uri, check=6)
    assert "not newer" in done.stderr and "next:" in done.stderr
    assert running(device.uri)["version"] == "1.0.0"


def test_an_image_asked_for_for_good_is_not_passed_off_as_a_test(device, bench):
    ferry("image", "upload", bench.images["v2"], device=device.uri, check=0)
    ferry("image", "confirm", bench.hash_of("v2"), device=device.uri, check=0)
    assert images(device.uri)[1]["permanent"]
    for extra in ([], ["--test-only"], ["--no-confirm"]):
        done = ferry("update", *extra, bench.images["v2"], device=device.uri, check=5)
        assert "for good already" in done.stderr and "next:" in done.stderr


def test_image_too_large_for_the_slot(device, bench, tmp_path):
    raw, large = tmp_path / "raw", tmp_path / "large.bin"
    raw.write_bytes(os.urandom(lab.SLOT_SIZE - 8000))
    ferry("sign", "-k", bench.key, "-v", "9.0.0", "-H", "512", "--pad-header", "-S", "0x80000",
          raw, large, check=0)
    done = ferry("update", large, device=device.uri, check=6)
    assert "large" in done.stderr and "next:" in done.stderr
    done = ferry("image", "upload", large, device=device.uri, check=5)
    assert "image 30" in done.stderr


def test_image_of_a_foreign_key_is_refused_by_the_bootloader(device, tmp_path, bench):
    """And by `update -k KEY` before the first byte."""
    key, image = tmp_path / "other.pem", tmp_path / "other.bin"
    ferry("keygen", "-t", "ecdsa-p256", "-o", key, check=0)
    lab.sign(key, "2.5.0", lab.FIRMWARE / "app-v2.elf", image)
    done = ferry("update", "-k", bench.key, image, device=device.uri, check=6)
    assert "next:" in done.stderr
    done = ferry("update", image, device=device.uri, check=6)
    assert "none of those that the device lists" in done.stderr
    assert [i["version"] for i in images(device.uri)] == ["1.0.0"]
    done = ferry("update", "--no-checks", image, device=device.uri, check=6)
    assert "version 2.5.0 was refused by the bootloader" in done.stderr
    assert "no key here matches" in done.stderr
    state = running(device.uri)
    assert state["version"] == "1.0.0" and state["confirmed"]
    assert "no key here matches" in device.log()


def test_unsigned_image_never_runs(device, tmp_path):
    image = tmp_path / "unsigned.bin"
    ferry("sign", "-v", "2.6.0", "-H", "512", "--pad-header", "-S", "0x40000", *lab.AS_IT_IS,
          lab.FIRMWARE / "app-v2.elf", image, check=0)
    done = ferry("update", image, device=device.uri, check=6)
    assert "not signed" in done.stderr and "boot: image 0: 2.6.0" not in device.log()
    done = ferry("update", "--no-checks", image, device=device.uri, check=6)
    assert "not signed" in done.stderr
    assert running(device.uri)["version"] == "1.0.0"
    assert "not signed" in device.log()


def test_no_such_port(tmp_path):
    done = ferry("image", "list", device=tmp_path / "nothing", check=3)
    assert "No such file" in done.stderr and "next:" in done.stderr


def test_not_a_port(tmp_path):
    (tmp_path / "file").write_text("x")
    ferry("image", "list", device=tmp_path / "file", check=3)


def test_port_in_use_names_the_holder():
    master, slave = pty.openpty()
    name = os.ttyname(slave)
    hold = "import fcntl,sys,time; f=open(sys.argv[1]); fcntl.flock(f, 2); print(1, flush=True); time.sleep(30)"
    holder = subprocess.Popen([sys.executable, "-c", hold, name], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE)
    try:
        holder.stdout.readline()
        os.close(slave)
        done = ferry("image", "list", device=name, check=3)
        assert f"PID {holder.pid}" in done.stderr and "next:" in done.stderr
    finally:
        holder.terminate()
        holder.wait(timeout=5)
        os.close(master)


def test_device_that_never_answers():
    master, slave = pty.openpty()
    try:
        done = ferry("--timeout", "0.3", "image", "list", device=os.ttyname(slave), check=4)
        assert "nothing at all" in done.stderr and "next:" in done.stderr
    finally:
        os.close(master)
        os.close(slave)


def test_garbage_on_the_line():
    """Text and damaged frames only: said so."""
    master, slave = pty.openpty()
    stop = threading.Event()

    def babble():
        while not stop.is_set():
            os.write(master, b"\x06\x09AAAA!!notbase64\nI am a console\n")
            time.sleep(0.05)
    thread = threading.Thread(target=babble)
    thread.start()
    try:
        done = ferry("--timeout", "0.3", "echo", "x", device=os.ttyname(slave), check=4)
        assert "damaged frames" in done.stderr
    finally:
        stop.set()
        thread.join()
        os.close(master)
        os.close(slave)


def test_nobody_listens_on_udp():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ferry("--timeout", "0.3", "echo", "x", device=f"udp:127.0.0.1:{port}", check=4)


def test_bad_uris():
    for uri in ("udp:", "udp:host:99999", "serial:", "serial:/dev/x?speed=3", "quic:host"):
        done = ferry("echo", "x", device=uri, check=2)
        assert "next:" in done.stderr
    ferry("echo", "x", check=2)


def test_garbage_to_the_device_does_no_harm(device):
    """Noise, half frames and frames longer than the buffers; then it still answers."""
    fd = os.open(device.link, os.O_RDWR | os.O_NOCTTY)
    try:
        import tty
        tty.setraw(fd)
        os.write(fd, os.urandom(2000) + b"\n\x06\x09" + b"A" * 3000 + b"\n\x04\x14AAAA\n")
        long_frame = b"\x06\x09/////" + b"A" * 115 + b"\n" + (b"\x04\x14" + b"B" * 124 + b"\n") * 200
        os.write(fd, long_frame)
    finally:
        os.close(fd)
    time.sleep(0.3)
    assert ferry("echo", "alive", device=device.uri, check=0).stdout == "alive\n"


def test_lossy_line(tmp_path, bench):
    with lab.Device(tmp_path / "d", bench, loss=3, corrupt=2, latency=2) as device:
        ferry("update", bench.images["v2"], device=device.uri, check=0, timeout=300)
        assert running(device.uri)["version"] == "2.0.0"


def test_lossy_network(tmp_path, bench):
    with lab.Device(tmp_path / "d", bench, loss=5, corrupt=2, latency=2) as device:
        ferry("update", bench.images["v2"], device=device.udp_uri, check=0, timeout=300)
        assert running(device.udp_uri)["version"] == "2.0.0"


def test_an_image_that_the_device_does_not_have(device, bench):
    """It was uploaded into the only slot there is, or refused with other words."""
    uri, v2 = device.uri, bench.images["v2"]
    for command in (["update", "-n", "3", v2], ["update", f"0={v2}", f"3={bench.images['v1']}"],
                    ["image", "upload", "-n", "3", v2]):
        done = ferry(*command, device=uri, check=5)
        assert "the device has no image 3; it has 0" in done.stderr, done.stderr
        assert "uploading" not in done.stderr
    assert len(images(uri)) == 1


def test_erasing_what_runs_says_that_it_runs(device):
    """It said: confirm the running image."""
    done = ferry("image", "erase", "0", device=device.uri, check=5)
    assert "does not erase slot 0" in done.stderr and "what runs" in done.stderr
    assert "confirm" not in done.stderr
    assert ferry_json("image", "erase", device=device.uri) == {"erased": True}


def test_no_downgrade_names_both_versions(device, bench, tmp_path):
    """It said: list: the version is not newer than the one that runs."""
    old = tmp_path / "old.bin"
    lab.sign(bench.key, "0.9.0", lab.FIRMWARE / "app-v2.elf", old)
    done = ferry("update", "--no-downgrade", old, device=device.uri, check=6)
    assert "ferry: version 0.9.0 is not newer than 1.0.0, which runs" in done.stderr


def test_a_bundle_among_files_and_an_empty_file(bench, tmp_path):
    """Of both it said that the header's magic is wrong."""
    bundle, empty = tmp_path / "b.zip", tmp_path / "empty"
    ferry("bundle", "create", bundle, bench.images["v2"], check=0)
    empty.touch()
    for files in ([bundle, bundle], [f"0={bundle}", f"1={bundle}"], [bench.images["v1"], bundle]):
        done = ferry("update", *files, device="serial:/nowhere", check=2)
        assert "is a bundle" in done.stderr and "alone" in done.stderr
    for command in (["update"], ["image", "upload"]):
        done = ferry(*command, empty, device="serial:/nowhere", check=6)
        assert "the file is empty" in done.stderr and "magic" not in done.stderr
