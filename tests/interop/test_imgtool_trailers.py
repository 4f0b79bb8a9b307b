# SPDX-License-Identifier: Apache-2.0
"""Trailers at rest against the real imgtool: what `ferry sign` pads is imgtool's output, and what
Ferry's bootloader and firmware leave in flash, imgtool dumpinfo reads."""
import json
import subprocess

import pytest
import yaml

import lab
from conftest import peer
from lab import ferry, ferry_json

SLOTS = {"primary": 0x30000, "secondary": 0x70000}  # of the default layout
UNSET, SET = 0xff, 0x01
TEST, PERM, REVERT = 2, 3, 4


@pytest.fixture
def raw(tmp_path):
    path = tmp_path / "app.bin"
    path.write_bytes(bytes(i * 31 & 0xff for i in range(20000)))
    return path


@pytest.mark.parametrize("align", [1, 2, 4, 8, 16, 32])
@pytest.mark.parametrize("option", [["--pad"], ["--pad", "--confirm"], ["--pad", "--test"]])
def test_padded_slots_equal_imgtools(bench, raw, tmp_path, align, option):
    """All of the slot behind the image; the magic of alignments to 8 is another than above."""
    ours, theirs = tmp_path / "ours.bin", tmp_path / "theirs.bin"
    common = ["-k", bench.key, "-v", "1.2.3", "-H", "512", "--pad-header", "-S",
              hex(lab.SLOT_SIZE), "--align", align]
    if align > 8:
        common += ["--max-align", align]
    mine = [o for o in option if o != "--test"]  # padded is a test: ferry needs no word for it
    ferry("sign", *common, *mine, raw, ours, check=0)
    peer("imgtool", "sign", *common, *option, raw, theirs)
    a, b = ours.read_bytes(), theirs.read_bytes()
    assert len(a) == len(b) == lab.SLOT_SIZE
    assert a[24000:] == b[24000:] and len(set(a[-32:])) > 2


class Slots:
    """A device whose flash has another write size; its slots as imgtool reads them."""

    def __init__(self, folder, bench, align):
        layout = json.loads((lab.ROOT / "device/layout.json").read_text())
        layout["flash"][0]["write_size"] = align
        layout["max_align"] = max(align, 8)
        folder.mkdir()
        path = folder / "layout.json"
        path.write_text(json.dumps(layout))

        class Device(lab.Device):
            def program(self, bench, image):
                subprocess.run([lab.FERRY_DEVICE, "--dir", self.folder, "--layout", path, "--flash",
                                f"bootloader={lab.FIRMWARE / 'bootloader.elf'}", "--flash",
                                f"primary={bench.images[image]}", "--flash-key", bench.key,
                                "--program-only"], check=True, timeout=30, capture_output=True,
                               stdin=subprocess.DEVNULL)

        self.folder = folder
        self.device = Device(folder / "device", bench)

    def trailer(self, slot):
        """{field: number} as `imgtool dumpinfo` prints them; None without a good magic."""
        flash = (self.folder / "device/flash.bin").read_bytes()
        image = self.folder / f"{slot}.bin"
        image.write_bytes(flash[SLOTS[slot]:SLOTS[slot] + lab.SLOT_SIZE])
        out = self.folder / f"{slot}.yaml"
        text = peer("imgtool", "dumpinfo", "-o", out, image).stdout
        if "magic value is invalid" in text:
            return None
        trailer = yaml.safe_load(out.read_text())["trailer"]
        return {k: int(str(trailer[k]), 0) for k in ("image_ok", "copy_done", "swap_info",
                                                     "swap_size")}

    def reset(self, version, most=1):
        """Until that version runs; an image on trial may have more than one."""
        for _ in range(most):
            self.device.stop()
            self.device.start()
            if self.device.wait_for(r"app (\d+\.\d+\.\d+)").group(1) == version:
                return
        raise AssertionError(f"app {version} does not run after {most} resets")


def fields(image_ok, copy_done, swap_info, swap_size=0xffffffff):
    return {"image_ok": image_ok, "copy_done": copy_done, "swap_info": swap_info,
            "swap_size": swap_size}


@pytest.mark.parametrize("align", [1, 2, 4, 8, 16, 32])
def test_dumpinfo_reads_every_rest(bench, tmp_path, align):
    """An update over a real client, with imgtool looking on between the steps."""
    slots = Slots(tmp_path / "d", bench, align)
    size = max(bench.images[v].stat().st_size for v in ("v1", "v2"))
    digest = bench.hash_of("v2")
    with slots.device as device:
        device.wait_for(r"app 1\.0\.0")
        assert slots.trailer("primary") is None and device.uri

        ferry("image", "upload", bench.images["v2"], device=device.uri, check=0)
        assert slots.trailer("secondary") is None
        ferry("image", "test", digest, device=device.uri, check=0)
        assert slots.trailer("secondary") == fields(UNSET, UNSET, TEST)

        slots.reset("2.0.0")
        assert slots.trailer("primary") == fields(UNSET, SET, TEST, size)
        assert slots.trailer("secondary") is None

        slots.reset("1.0.0", most=8)  # never confirmed
        assert slots.trailer("primary") == fields(SET, SET, REVERT, size)

        ferry("image", "test", digest, device=device.uri, check=0)
        slots.reset("2.0.0")
        ferry("image", "confirm", device=device.uri, check=0)
        assert slots.trailer("primary") == fields(SET, SET, TEST, size)

        old = bench.hash_of("v1")
        ferry("image", "confirm", old, device=device.uri, check=0)
        assert slots.trailer("secondary") == fields(SET, UNSET, PERM)
        slots.reset("1.0.0")
        assert slots.trailer("primary") == fields(SET, SET, PERM, size)
        assert ferry_json("image", "list", device=device.uri)["images"][0]["confirmed"]
