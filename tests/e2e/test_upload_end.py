# SPDX-License-Identifier: Apache-2.0
"""What an upload says at its end: its speed, its share of the line, and what limited it. What is true
of it is measured by `make bench-upload`; here no time counts."""
import json
import re

import pytest

import lab

LIMITS = {"", "line", "buffers", "turnaround", "flash", "loss", "deaf"}
WAYS = [{}, {"buf_size": 512, "buf_count": 1}, {"foreign": "no-params", "buf_size": 1024}]


@pytest.mark.parametrize("options", WAYS, ids=["as it is", "one buffer", "no os/6"])
def test_the_end_is_one_line(tmp_path, bench, options):
    with lab.Device(tmp_path / "device", bench, baud=1000000, **options) as device:
        device.wait_for(r"app 1\.0\.0")
        done = lab.ferry("image", "upload", bench.images["v2"], device=f"{device.uri}?baud=1000000", check=0)
    [end] = [line for line in done.stderr.splitlines() if line.startswith("done: ")]
    size = bench.images["v2"].stat().st_size
    assert re.fullmatch(rf"done: {size} bytes in [0-9.]+ s( \(.*\))?, [0-9.]+ KiB/s( = \d+ % of what 1000000 "
                        r"baud carry \(framing included: \d+ %\))?; limited by .+", end), end
    if options.get("buf_count") == 1:
        assert "limited by the device's one buffer of 512 bytes" in end or "limited by the device:" in end \
            or "lost packets" in end  # on a busy machine
    if "foreign" in options:
        assert "as the device does not tell its buffers" in end or "limited by the device:" in end \
            or "lost packets" in end


def test_the_end_as_numbers(tmp_path, bench):
    with lab.Device(tmp_path / "device", bench, buf_size=512, buf_count=4) as device:
        device.wait_for(r"app 1\.0\.0")
        speed = lab.ferry_json("image", "upload", bench.images["v2"], device=device.udp_uri)["speed"]
        assert speed["bytes"] == bench.images["v2"].stat().st_size
        assert speed["window_max"] == 3 and speed["packet"] in range(480, 513) and speed["limit"] in LIMITS
        assert "line_share" not in speed  # a network has none
        one = lab.ferry_json("image", "upload", "--window", "1", bench.images["v2"], device=device.udp_uri)
        assert one["speed"]["window_max"] == 1


def test_an_upload_of_nothing_has_no_speed(tmp_path, bench):
    """All of it is there already."""
    with lab.Device(tmp_path / "device", bench) as device:
        device.wait_for(r"app 1\.0\.0")
        lab.ferry("image", "upload", bench.images["v2"], device=device.uri, check=0)
        again = lab.ferry("image", "upload", bench.images["v2"], device=device.uri, check=0)
        assert "done:" not in again.stderr


def test_erasing_ahead_loses_no_packet_of_a_short_fifo(tmp_path, bench):
    """The firmware erased the next sector while the next chunk came, and each sector cost one."""
    layout = json.loads(lab.layout("swap-move", server={"erase_ahead": True}))
    used = tmp_path / "used.bin"
    used.write_bytes(b"\x5a" * (lab.SLOT_SIZE - 8192))
    with lab.Device(tmp_path / "device", bench, layout=json.dumps(layout), flash=[f"secondary={used}"],
                    baud=1000000, buf_size=512, erase_ms=30, rx_fifo=6) as device:
        device.wait_for(r"app 1\.0\.0")
        speed = lab.ferry_json("image", "upload", "--window", "1", bench.images["v2"],
                               device=f"{device.uri}?baud=1000000")["speed"]
    assert speed["losses"] < 10  # of 35 sectors; a busy machine may seem to lose one


@pytest.mark.parametrize("window", ["0", "9", "x", "-1"])
def test_a_window_that_is_none(bench, window):
    done = lab.ferry("image", "upload", "--window", window, bench.images["v2"], device="udp:127.0.0.1:9")
    assert done.returncode == 2 and "from 1 to 8" in done.stderr


def test_a_damaged_image_is_not_sent(tmp_path, bench):
    """It was sent, and called a success; the bootloader then refused it."""
    good = bench.images["v2"].read_bytes()
    damaged, other = tmp_path / "damaged.bin", tmp_path / "other"
    damaged.write_bytes(good[:700] + bytes([good[700] ^ 1]) + good[701:])
    other.write_bytes(b"another format" * 100)
    with lab.Device(tmp_path / "device", bench) as device:
        device.wait_for(r"app 1\.0\.0")
        for file in (damaged, other):
            done = lab.ferry("image", "upload", file, device=device.uri, check=6)
            assert "done:" not in done.stderr and "next:" in done.stderr
        done = lab.ferry("image", "upload", damaged, device=device.uri, check=6)
        assert "nothing was sent" in done.stderr and "--force" in done.stderr
        assert len(lab.ferry_json("image", "list", device=device.uri)["images"]) == 1
        told = lab.ferry_json("image", "upload", "--force", damaged, device=device.uri)
        assert told["len"] == len(good)
