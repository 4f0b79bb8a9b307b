# SPDX-License-Identifier: Apache-2.0
"""kill -9 of the whole device at random moments of upload and swap: the next start runs a
complete image, and the upload then completes. The seed is printed and can be given."""
import os
import random
import subprocess
import time

import pytest

import lab
from lab import ferry, ferry_json

CUTS = 20
STRATEGIES = ["swap-move", "swap-scratch", "swap-offset", "swap-shift"]


def running(device, timeout=30):
    end = time.monotonic() + timeout
    while True:
        done = ferry("--json", "image", "list", device=device.uri)
        if done.returncode == 0 or time.monotonic() > end:
            break
    assert done.returncode == 0, done.stderr + device.log()
    return next(i for i in ferry_json("image", "list", device=device.uri)["images"] if i["active"])


def update_and_cut(device, image, delay):
    """Begin an update and pull the plug after delay. Returns whether the update was still on."""
    process = subprocess.Popen([lab.FERRY, "-d", device.uri, "update", image],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        time.sleep(delay)
        cut_in_time = process.poll() is None
        device.kill()
    finally:
        process.terminate()
        process.wait(timeout=10)
    return cut_in_time


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_kill_9_at_random_moments(tmp_path, bench, strategy):
    seed = int(os.environ.get("FERRY_SEED", "20261123")) + STRATEGIES.index(strategy)
    rng = random.Random(seed)
    print(f"seed {seed}")
    device = lab.Device(tmp_path / "d", bench, layout=lab.layout(strategy), erase_ms=2,
                        program_us=20)
    names = {"1.0.0": "v1", "2.0.0": "v2"}
    cuts = 0
    try:
        device.start()
        begin = time.monotonic()
        ferry("update", bench.images["v2"], device=device.uri, check=0)
        whole = time.monotonic() - begin
        for _ in range(CUTS // len(STRATEGIES)):
            version = running(device)["version"]
            target = "v1" if names[version] == "v2" else "v2"
            cuts += update_and_cut(device, bench.images[target], rng.uniform(0.02, 0.8 * whole))
            device.start()
            assert running(device)["version"] in names
            ferry("update", bench.images[target], device=device.uri, check=0)
            state = running(device)
            assert names[state["version"]] == target and state["confirmed"]
    finally:
        device.stop()
    print(f"{cuts} of {CUTS // len(STRATEGIES)} cuts fell into an update; 0 bricks")
    assert cuts >= 1
