# SPDX-License-Identifier: Apache-2.0
"""Real SMP clients over a chip with little flash: its small recovery, then its small groups."""
import os
import pty
import subprocess
import time
import tty

import pytest

import lab
from conftest import peer


@pytest.fixture
def chip():
    """A chip with nothing to run, in recovery: the name of the terminal at its other end."""
    server, line = pty.openpty()
    tty.setraw(line)
    program = subprocess.Popen([lab.BUILD / "tests/small_device"], stdin=server, stdout=server)
    yield os.ttyname(line)
    program.kill()
    program.wait()
    os.close(server)
    os.close(line)


def runs(chip, version, confirmed):
    """Wait until the image with a version runs; what ferry says of it."""
    end = time.monotonic() + 30
    while True:
        images = lab.ferry_json("image", "list", device=chip)["images"]
        if any(i["active"] and i["version"] == version and i["confirmed"] == confirmed for i in images):
            return
        assert time.monotonic() < end, images
        time.sleep(0.1)


def test_smpmgr(chip, bench):
    where = ["--port", chip, "--timeout", "10"]
    assert "hello" in peer("smpmgr", *where, "os", "echo", "hello").stdout
    peer("smpmgr", *where, "image", "upload", bench.images["v1"])
    assert "1.0.0" in peer("smpmgr", *where, "image", "state-read").stdout
    peer("smpmgr", *where, "os", "reset")
    runs(chip, "1.0.0", True)
    peer("smpmgr", *where, "image", "upload", bench.images["v2"])
    peer("smpmgr", *where, "image", "state-write", bench.hash_of("v2"))
    peer("smpmgr", *where, "os", "reset")
    runs(chip, "2.0.0", False)
    peer("smpmgr", *where, "image", "state-write", bench.hash_of("v2"), "--confirm")
    runs(chip, "2.0.0", True)


@pytest.mark.needs("mcumgrctl")
def test_mcumgrctl(chip, bench):
    where = ["--serial", chip]
    peer("mcumgrctl", *where, "image", "upload", bench.images["v1"])
    peer("mcumgrctl", *where, "os", "system-reset")
    runs(chip, "1.0.0", True)
    peer("mcumgrctl", *where, "firmware", "update", bench.images["v2"])
    runs(chip, "2.0.0", False)
