# SPDX-License-Identifier: Apache-2.0
"""Images that imgtool signs and no device can exchange: it knows the trailer's size, not the
strategy's sectors. `ferry sign --layout` refuses them, and so does a device, by every way in."""
import os

import pytest

import lab
from conftest import peer
from lab import ferry, ferry_json

BY_SECTORS = ["swap-move", "swap-offset", "swap-shift"]


@pytest.fixture
def layout(tmp_path):
    def write(strategy):
        path = tmp_path / f"{strategy}.json"
        path.write_text(lab.layout(strategy))
        return path

    return write


def imgtool_sign(bench, version, source, out):
    peer("imgtool", "sign", "-k", bench.key, "-v", version, "-H", "512", "--pad-header", "-S",
         hex(lab.SLOT_SIZE), "--align", "8", source, out)


@pytest.mark.parametrize("strategy", BY_SECTORS)
def test_imgtool_signs_what_cannot_be_exchanged(strategy, bench, layout, tmp_path):
    limit = ferry_json("layout", layout(strategy))["images"][0]["max_image_size"]
    source, theirs, ours = (tmp_path / name for name in ("in.bin", "theirs.bin", "ours.bin"))
    source.write_bytes(os.urandom(limit - 512 + 1000))
    imgtool_sign(bench, "2.0.0", source, theirs)
    size = theirs.stat().st_size
    assert limit < size <= lab.SLOT_SIZE
    assert peer("imgtool", "verify", "-k", bench.key, theirs).returncode == 0

    done = ferry("sign", "--layout", layout(strategy), "-k", bench.key, "-v", "2.0.0", "-H", "512",
                 "--pad-header", source, ours, check=6)
    assert f"takes {limit}" in done.stderr and not ours.exists()
    ferry("layout", layout(strategy), "--check", theirs, check=6)

    device = lab.Device(tmp_path / "device", bench, layout=lab.layout(strategy))
    with device:
        device.running()
        refused = ferry("image", "upload", theirs, device=device.uri, check=5)
        assert "IMAGE_TOO_LARGE" in refused.stderr
        assert str(limit) in ferry("update", theirs, device=device.uri, check=6).stderr
    # Put there behind everybody's back it is not installed either.
    device.reflash("secondary", padded(theirs, tmp_path, strategy))
    with device:
        assert device.running()["version"] == "1.0.0"
        assert "too large" in device.log()


def padded(image, tmp_path, strategy):
    """All of a slot: the image where uploads begin, and a request for it, as imgtool's --pad has
    it."""
    begin = 4096 if strategy == "swap-offset" else 0
    magic = bytes.fromhex("77c295f360d2ef7f3552500f2cb67980")
    data = bytes([0xff] * begin) + image.read_bytes()
    path = tmp_path / "slot.bin"
    path.write_bytes(data + bytes([0xff] * (lab.SLOT_SIZE - len(data) - len(magic))) + magic)
    return path


def test_at_the_limit_both_sign_the_same(bench, layout, tmp_path):
    """With the values of the layout, for its largest image."""
    path = layout("swap-move")
    limit = ferry_json("layout", path)["images"][0]["max_image_size"]
    source, theirs, ours = (tmp_path / name for name in ("in.bin", "theirs.bin", "ours.bin"))
    source.write_bytes(bytes(limit - 512 - 160))
    imgtool_sign(bench, "2.0.0", source, theirs)
    ferry("sign", "--layout", path, "-k", bench.key, "-v", "2.0.0", "-H", "512", "--pad-header",
          source, ours, check=0)
    # The signature, which is random, is what the image ends with.
    assert ours.read_bytes()[:limit - 160] == theirs.read_bytes()[:limit - 160]
    assert ours.stat().st_size <= limit
