# SPDX-License-Identifier: Apache-2.0
"""scripts/run-chip: what a newcomer types, here and in another terminal."""
import re
import subprocess

import lab
import machine
import tools


def test_a_newcomers_five_minutes():
    process = subprocess.Popen([tools.ROOT / "scripts" / "run-chip", "nrf51", "--new"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)

    def heard(pattern):
        for line in process.stdout:
            if found := re.search(pattern, line):
                return found
        raise AssertionError(f"it ended without {pattern!r}")

    try:
        uri = heard(r"FERRY_DEVICE=(\S+)")[1]
        heard(r"boot: recovery \(no-image\)")
        lab.ferry("image", "upload", tools.firmware("nrf51", "app-v1.signed.bin"), device=uri, check=0)
        lab.ferry("reset", device=uri, check=0)
        heard(r"app: 1\.0\.0")
        process.stdin.write("button\n")
        process.stdin.flush()
        heard(r"boot: recovery \(button\)")
        process.stdin.write("power\n")
        process.stdin.flush()
        heard("boot: Ferry, powered on")
        heard(r"app: 1\.0\.0")
        process.stdin.write("quit\n")
        process.stdin.close()
        assert process.wait(machine.LIMIT) == 0
    finally:
        process.kill()
        process.wait()


def test_a_chip_that_is_none():
    done = subprocess.run([tools.ROOT / "scripts" / "run-chip", "z80"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "usage: scripts/run-chip nrf51|ast1030 [--new]" in done.stderr
