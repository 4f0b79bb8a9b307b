# SPDX-License-Identifier: Apache-2.0
"""The small groups and the small recovery, over a whole life: `ferry` talks to both."""
import os
import pty
import random
import subprocess
import time
import tty

import pytest

import lab
from lab import ferry, ferry_json

SLOT_SIZE = 0x80000  # of tests/small/small_device.c


@pytest.fixture
def start():
    """Starts a device, with an image or without: the name of the terminal at its other end."""
    server, line = pty.openpty()
    tty.setraw(line)
    programs = []

    def run(*image):
        programs.append(subprocess.Popen([lab.BUILD / "tests/small_device", *image],
                                         stdin=server, stdout=server))
        return os.ttyname(line)

    yield run
    for program in programs:
        program.kill()
        program.wait()
    os.close(server)
    os.close(line)


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Images 1.0.0, 2.0.0 and 3.0.0, and the last one with a byte of its payload changed."""
    folder = tmp_path_factory.mktemp("small")
    ferry("keygen", "-t", "ecdsa-p256", "-o", folder / "key.pem", check=0)
    for number in (1, 2, 3):
        (folder / "app.bin").write_bytes(random.Random(number).randbytes(9001))
        ferry("sign", "-k", folder / "key.pem", "-v", f"{number}.0.0", "-H", "512", "--pad-header", "-S",
              hex(SLOT_SIZE), "--align", "8", folder / "app.bin", folder / f"{number}.bin", check=0)
    damaged = bytearray((folder / "3.bin").read_bytes())
    damaged[5000] ^= 1
    (folder / "damaged.bin").write_bytes(damaged)
    return folder


def listed(device):
    return [(i["slot"], i["version"], i["active"], i["confirmed"])
            for i in ferry_json("image", "list", device=device)["images"]]


def reset(device, running):
    """Reset, and wait until the image with this version runs."""
    ferry("reset", device=device, check=0)
    end = time.monotonic() + 30
    while (0, running) not in [(slot, version) for slot, version, active, _ in listed(device) if active]:
        assert time.monotonic() < end
        time.sleep(0.1)


def test_an_empty_chip_is_brought_up_updated_and_confirmed(start, images):
    device = start()
    assert ferry("echo", "hello", device=device, check=0).stdout.strip() == "hello"
    assert listed(device) == []
    ferry("image", "upload", images / "1.bin", device=device, check=0)
    assert listed(device) == [(0, "1.0.0", False, False)]
    reset(device, "1.0.0")
    ferry("update", images / "2.bin", device=device, check=0)
    assert listed(device) == [(0, "2.0.0", True, True), (1, "1.0.0", False, False)]


def test_an_update_of_an_empty_chip(start, images):
    device = start()
    ferry("update", images / "1.bin", device=device, check=0)
    assert listed(device) == [(0, "1.0.0", True, True)]


def test_an_image_that_is_not_confirmed_is_taken_back(start, images):
    device = start(images / "1.bin")
    ferry("update", "--no-confirm", images / "2.bin", device=device, check=0)
    assert listed(device) == [(0, "2.0.0", True, False), (1, "1.0.0", False, True)]
    reset(device, "1.0.0")
    assert listed(device) == [(0, "1.0.0", True, True), (1, "2.0.0", False, False)]
    one, = (i for i in ferry_json("image", "list", device=device)["images"] if i["slot"] == 1)
    ferry("image", "confirm", one["hash"], device=device, check=0)
    reset(device, "2.0.0")
    assert listed(device) == [(0, "2.0.0", True, True), (1, "1.0.0", False, False)]
    ferry("image", "erase", device=device, check=0)
    assert listed(device) == [(0, "2.0.0", True, True)]


def test_the_way_through_recovery(start, images):
    device = start(images / "1.bin")
    ferry("update", "--recovery", images / "2.bin", device=device, check=0)
    assert listed(device) == [(0, "2.0.0", True, True), (1, "1.0.0", False, False)]


def test_recovery_refuses_what_does_not_verify(start, images):
    device = start(images / "1.bin")
    ferry("reset", "--boot-mode", "1", device=device, check=0)
    end = time.monotonic() + 30
    while any(active for _, _, active, _ in listed(device)):
        assert time.monotonic() < end
        time.sleep(0.1)
    done = ferry("image", "upload", "--force", images / "damaged.bin", device=device)
    assert done.returncode == 5 and "INVALID_HASH" in done.stderr, done.stderr
    assert listed(device) == [(0, "1.0.0", False, False)]
    ferry("image", "upload", images / "3.bin", device=device, check=0)
    reset(device, "3.0.0")
    assert listed(device)[0] == (0, "3.0.0", True, True)
