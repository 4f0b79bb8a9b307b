#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Uploads over Bluetooth LE, through the virtual air (tests/air): a connection interval of 30 ms, six
packets each way in it, ATT_MTU 247. In one direction 6 * 244 bytes of packets per interval are all
that there is; what a window of 1, 2 and 4 and the one that ferry chooses itself make of it is printed
as ratios to that. SMP's own bytes, 8 of header and 26 of the map in each packet, are part of the
packets; the last column has the ratio of the image alone.

It fails when the window that ferry chooses itself stays below 0.90."""
import concurrent.futures
import json
import os
import pathlib
import re
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "e2e"))
import air  # noqa: E402
import lab  # noqa: E402

INTERVAL_MS, PACKETS, MTU = 30, 6, 247
HEADER = 3  # of a value, in its ATT PDU
IDEAL = PACKETS * (MTU - HEADER) / (INTERVAL_MS / 1000)  # bytes of packets a second
SIZE = 160 * 1024
TARGET = 0.90
# RAM the device gives to requests, and the window that is asked of ferry: None, its own.
ROWS = [(2048, 8, window) for window in (1, 2, 4)] + [(2048, 4, None), (512, 4, None)]
CHOSEN = (2048, 4, None)


def make_image(bench):
    """An image of SIZE, header and signature not counted."""
    program = (lab.FIRMWARE / "app-v2.elf").read_bytes()
    source, image = bench.folder / "padded.elf", bench.folder / "padded.bin"
    source.write_bytes(program + os.urandom(SIZE - len(program)))
    lab.sign(bench.key, "2.0.0", source, image)
    return image


class Run:
    """One upload, with a device and an air of its own."""

    def __init__(self, folder, bench, image, row):
        self.row, self.image = row, image
        buf_size, buf_count, window = row
        asked = ["--window", str(window)] if window else []
        with air.Air(folder / "air", interval_us=INTERVAL_MS * 1000, packets=PACKETS, mtu=MTU) as radio:
            with lab.Device(folder / "device", bench, env=radio.env, ble="bench", ble_permission="open",
                            buf_size=buf_size, buf_count=buf_count) as device:
                device.wait_for(r"app 1\.0\.0 started")
                done = lab.ferry("--json", "image", "upload", *asked, image, device="ble:bench",
                                 env=radio.env, check=0)
                self.speed = json.loads(done.stdout)["speed"]
            packets = re.findall(r"to the device (\d+) bytes in (\d+) packets", radio.log())
            self.bytes = sum(int(size) - HEADER * int(count) for size, count in packets)

    @property
    def seconds(self):
        return self.speed["ms"] / 1000

    @property
    def ratio(self):
        return self.bytes / self.seconds / IDEAL

    def print(self):
        buf_size, buf_count, window = self.row
        print(f"{buf_size:5} x {buf_count}  {window or 'its own':>7}  {self.seconds:8.2f}  {self.ratio:6.3f}  "
              f"{self.image.stat().st_size / self.seconds / IDEAL:6.3f}  {self.speed['resent']:7}", flush=True)


def main():
    with tempfile.TemporaryDirectory(prefix="ferry-bench-") as name:
        folder = pathlib.Path(name)
        bench = lab.Bench(folder, key_type="ed25519")
        image = make_image(bench)
        print(f"{image.stat().st_size} bytes, {INTERVAL_MS} ms, {PACKETS} packets of {MTU}: ideal "
              f"{IDEAL / 1024:.1f} KiB/s of packets\n"
              "    buffers   window   seconds   ratio   image   resent")
        with concurrent.futures.ThreadPoolExecutor(len(ROWS)) as pool:
            runs = list(pool.map(lambda row: Run(folder / str(ROWS.index(row)), bench, image, row), ROWS))
        [chosen] = [run for run in runs if run.row == CHOSEN]
        if chosen.ratio < TARGET:  # something else had the processor: once more, alone
            runs[runs.index(chosen)] = chosen = Run(folder / "again", bench, image, CHOSEN)
        for run in runs:
            run.print()
    if chosen.ratio < TARGET:
        sys.exit(f"missed: {chosen.ratio:.3f} of the ideal with the window that ferry chooses, below {TARGET}")


if __name__ == "__main__":
    main()
