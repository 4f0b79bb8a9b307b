# SPDX-License-Identifier: Apache-2.0
"""Trailers at rest against the real imgtool: what `ferry sign` pads is imgtool's output, and what
Ferry's bootloader and firmware leave in flash, imgtool dumpinfo reads."""
import json

import pytest
import yaml

import lab
from conftest import peer
from lab import ferry, ferry_json

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
    """A device of some strategy and write size; its slots as imgtool reads them."""

    def __init__(self, folder, bench, strategy, align):
        layout = json.loads(lab.layout(strategy))
        layout["flash"][0]["write_size"] = align
        layout["max_align"] = max(align, 8)
        self.areas = {a["name"]: a for a in layout["areas"]}
        # Uploads of swap-offset begin at sector 1 of the secondary.
        self.uploads = 4096 if strategy == "swap-offset" else 0
        self.upload = self.uploads
        self.folder = folder
        self.device = lab.Device(folder / "device", bench, layout=json.dumps(layout))

    def bytes_of(self, slot):
        flash = (self.folder / "device/flash.bin").read_bytes()
        area = self.areas[slot]
        offset = int(area["offset"], 0)
        return flash[offset:offset + int(area["size"].rstrip("K")) * 1024]

    def trailer(self, slot):
        """{field: number} as `imgtool dumpinfo` prints them; None without a good magic."""
        image = self.folder / f"{slot}.bin"
        image.write_bytes(self.bytes_of(slot)[self.upload if slot == "secondary" else 0:])
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


def tlv_total(image, folder):
    """Of the unprotected area, as imgtool says."""
    out = folder / "image.yaml"
    peer("imgtool", "dumpinfo", "-o", out, image)
    return yaml.safe_load(out.read_text())["tlv_area"]["tlv_hdr"]["tlv_tot"]


def fields(image_ok, copy_done, swap_info, swap_size=0xffffffff):
    return {"image_ok": image_ok, "copy_done": copy_done, "swap_info": swap_info,
            "swap_size": swap_size}


CASES = [("swap-move", align) for align in (1, 2, 4, 8, 16, 32)]
CASES += [(strategy, align) for strategy in ("swap-scratch", "swap-offset") for align in (8, 32)]


@pytest.mark.parametrize("strategy, align", CASES)
def test_dumpinfo_reads_every_rest(bench, tmp_path, strategy, align):
    """An update over a real client, with imgtool looking on between the steps."""
    slots = Slots(tmp_path / "d", bench, strategy, align)
    size, back = [max(bench.images[v].stat().st_size for v in ("v1", "v2"))] * 2
    if strategy == "swap-offset":
        # imgtool does not know of its extra field, tlv_sizes, which stands where it looks for
        # swap_size: secondary and primary, as they were before the swap.
        old, new = (tlv_total(bench.images[v], tmp_path) for v in ("v1", "v2"))
        size, back = new << 16 | old, old << 16 | new
    digest = bench.hash_of("v2")
    with slots.device as device:
        device.wait_for(r"app 1\.0\.0")
        assert slots.trailer("primary") is None

        ferry("image", "upload", bench.images["v2"], device=device.uri, check=0)
        assert slots.trailer("secondary") is None
        ferry("image", "test", digest, device=device.uri, check=0)
        assert slots.trailer("secondary") == fields(UNSET, UNSET, TEST)

        slots.reset("2.0.0")
        slots.upload = 0  # where the old image is kept
        assert slots.trailer("primary") == fields(UNSET, SET, TEST, size)
        assert slots.trailer("secondary") is None

        slots.reset("1.0.0", most=8)  # never confirmed
        assert slots.trailer("primary") == fields(SET, SET, REVERT, back)

        ferry("image", "test", digest, device=device.uri, check=0)
        slots.reset("2.0.0")
        ferry("image", "confirm", device=device.uri, check=0)
        assert slots.trailer("primary") == fields(SET, SET, TEST, size)

        if slots.uploads:  # the old image is kept in a place it cannot be asked for
            slots.upload = slots.uploads
            ferry("image", "upload", bench.images["v1"], device=device.uri, check=0)
        ferry("image", "confirm", bench.hash_of("v1"), device=device.uri, check=0)
        assert slots.trailer("secondary") == fields(SET, UNSET, PERM)
        slots.reset("1.0.0")
        assert slots.trailer("primary") == fields(SET, SET, PERM, back)
        assert ferry_json("image", "list", device=device.uri)["images"][0]["confirmed"]
