# SPDX-License-Identifier: Apache-2.0
"""The conformance test on the virtual chip, with this program for the other end of its line."""
import os
import re
import subprocess
import threading
import time
import tty

import pytest

import lab


class Board:
    """A device with conformance.elf in place of its bootloader, and what it says."""

    def __init__(self, folder, layout, change=bytes):
        self.folder, self.change = folder, change
        (folder / "made-of.json").write_text(layout)
        subprocess.run([lab.FERRY_DEVICE, "--dir", folder, "--layout", folder / "made-of.json", "--flash",
                        f"bootloader={lab.FIRMWARE / 'conformance.elf'}", "--program-only"],
                       check=True, timeout=30, stdin=subprocess.DEVNULL, capture_output=True)
        self.link = folder / "line"
        self.log = open(folder / "device.log", "wb")
        self.process = subprocess.Popen(
            [lab.FERRY_DEVICE, "--dir", folder, "--serial", folder / "tty", "--raw", self.link],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        threading.Thread(target=self.send_back, daemon=True).start()

    def send_back(self):
        while not self.link.exists():
            time.sleep(0.01)
        line = os.open(self.link, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(line)
        while True:
            try:
                data = os.read(line, 4096)
            except OSError:
                return
            os.write(line, self.change(data))

    def said(self, timeout=60):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            text = (self.folder / "device.log").read_text(errors="replace")
            if re.search(r"\d+ passed, \d+ failed", text):
                return text
            assert self.process.poll() is None, text
            time.sleep(0.05)
        raise AssertionError(f"no end in {timeout} s:\n{text}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.log.close()


@pytest.mark.parametrize("external", [False, True], ids=["internal", "external"])
def test_the_virtual_chip_passes(tmp_path, external):
    """Every rule, after one reset of its own; the area is in flash of another kind, too."""
    with Board(tmp_path, lab.layout("overwrite", external)) as board:
        said = board.said()
    assert "FAIL" not in said and "23 passed, 0 failed" in said, said
    for subject in ("reset", "flash", "line", "clock"):
        assert f"pass  {subject}: " in said


def test_a_line_of_seven_bits_is_found(tmp_path):
    with Board(tmp_path, lab.layout("overwrite"), lambda data: bytes(b & 0x7f for b in data)) as board:
        said = board.said()
    assert "FAIL  line: every byte comes back as it was" in said and "22 passed, 1 failed" in said, said
