#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whole processes of `ferry` and smpmgr in pairs, one of each in turn: what a script waits for that asks
a device something. Fails when ferry is not 20 times as fast."""
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import lab  # noqa: E402

SMPMGR = ROOT / "build/interop/venv/bin/smpmgr"
PAIRS = 12
AIM = 20


def seconds(command):
    began = time.perf_counter()
    subprocess.run([str(word) for word in command], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, timeout=60)
    return time.perf_counter() - began


def pairs(ferry, smpmgr):
    """The median of the ratios of pairs, and of ferry's times."""
    seconds(ferry), seconds(smpmgr)  # into the caches
    times = [(seconds(ferry), seconds(smpmgr)) for _ in range(PAIRS)]
    return statistics.median(s / f for f, s in times), statistics.median(f for f, _ in times)


def main():
    short = False
    with tempfile.TemporaryDirectory() as folder:
        bench = lab.Bench(folder)
        with lab.Device(pathlib.Path(folder) / "device", bench) as device:
            device.wait_for(r"app 1\.0\.0 started")
            rows = [("--version", [lab.FERRY, "--version"], [SMPMGR, "--version"]),
                    ("image list, serial", [lab.FERRY, "-d", device.uri, "image", "list"],
                     [SMPMGR, "--port", device.link, "image", "state-read"])]
            print(f"{'whole process':24} {'ferry ms':>9} {'times smpmgr':>13}   (median of {PAIRS} pairs; aim {AIM})")
            for name, ferry, smpmgr in rows:
                ratio, own = pairs(ferry, smpmgr)
                short = short or ratio < AIM
                print(f"{name:24} {own * 1000:9.1f} {ratio:13.1f}")
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
