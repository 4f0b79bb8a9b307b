# SPDX-License-Identifier: Apache-2.0
"""`ferry layout`: what a layout has room for and what updates cost, against devices that do it."""
import json
import os
import re

import pytest
from lab import FIRMWARE, RAM_ADDRESS, Bench, Device, ferry, ferry_json, layout

STRATEGIES = ("swap-scratch", "swap-move", "swap-offset", "swap-shift", "overwrite", "direct-xip",
              "direct-xip-revert", "ram-load", "ram-load-revert", "single-slot")
IN_PLACE = STRATEGIES[5:9]
EXTERNAL = ("swap-scratch", "overwrite", "direct-xip", "direct-xip-revert", "ram-load-revert")
CASES = [(name, False) for name in STRATEGIES] + [(name, True) for name in EXTERNAL]


def write(tmp_path, text):
    path = tmp_path / "layout.json"
    path.write_text(text)
    return path


def tell(tmp_path, text, *args):
    return ferry_json("layout", write(tmp_path, text), *args)


def counted(device):
    """What the device's flash did since it was powered up, by area: erases and bytes written."""
    device.stop()
    found = re.findall(r"chip: flash: (\S+): (\d+) sectors erased, (\d+) bytes written",
                       device.log())
    return {area: (int(erases), int(written)) for area, erases, written in found}


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """Signatures of one length: sizes are exact."""
    return Bench(tmp_path_factory.mktemp("bench"), key_type="ed25519")


def release(bench, tmp_path, version, size, header, strategy):
    """A signed image of size bytes. Between headers of different sizes no sectors are alike."""
    program = (FIRMWARE / "app-v1.elf").read_bytes()
    source = tmp_path / f"{version}.bin"
    image = tmp_path / f"{version}.signed.bin"
    around = 300
    for _ in range(2):
        source.write_bytes(program + os.urandom(size - around - len(program)))
        ferry("sign", "-k", bench.key, "-v", version, "-H", header, "--pad-header", "-S", "0x40000",
              *(["--load-addr", RAM_ADDRESS] if strategy.startswith("ram-load") else []), source,
              image, check=0)
        around += image.stat().st_size - size
    assert image.stat().st_size == size
    return image


@pytest.fixture(params=CASES, ids=lambda case: case[0] + ("-external" if case[1] else ""))
def case(request):
    return request.param


def test_device_says_the_same_number(case, bench, tmp_path):
    text = layout(*case)
    image = tell(tmp_path, text)["images"][0]
    bench.images["room"] = release(bench, tmp_path, "1.0.0", 0x30000, 512, case[0])
    with Device(tmp_path / "dev", bench, image="room", layout=text) as device:
        device.running()
        slots = ferry_json("image", "slots", device=device.uri)["slots"]
        measured = ferry_json("measured", device=device.uri)
    assert image["strategy"] == case[0]
    assert {image["max_image_size"]} == {slot["max_image_size"] for slot in slots}
    assert image["max_image_size"] == measured["max_image"]
    assert [slot["size"] for slot in image["slots"]] == [slot["size"] for slot in slots]


def predicted(image):
    """Upload and install together, by area: erases and bytes written."""
    phases = [image["update"][name]["areas"] for name in ("upload", "install")]
    return {area: tuple(sum(phase[area][what] for phase in phases) for what in ("erases", "written"))
            for area in phases[0]}


def live(device, image):
    """What an update costs the device, from its start to its end."""
    with device:
        device.running()
        ferry("update", image, device=device.uri, check=0)
    return counted(device)


def test_an_update_costs_what_was_told(case, bench, tmp_path):
    """On a device with updates behind it, as in the field: both slots had one. Not looked at is
    the store, whose sectors are erased once in many updates."""
    size = 0x2f123
    text = layout(*case)
    told = predicted(tell(tmp_path, text, "--size", size)["images"][0])
    releases = [release(bench, tmp_path, f"{n}.0.0", size, 512 * (1 + n % 2), case[0])
                for n in range(1, 6)]
    bench.images["cost"] = releases[0]
    device = Device(tmp_path / "dev", bench, image="cost", layout=text)
    costs = [live(device, image) for image in releases[1:]][2:]
    for cost in costs:
        cost.update({area: cost.get(area, (0, 0)) for area in told}, store=told.get("store"))
    # In place the slots take turns, and the one that takes longer was told.
    assert told in costs
    assert case[0] in IN_PLACE or costs[0] == costs[1]
