#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Upload times over a paced line beside what the line itself needs.

The line's ideal for console framing: every packet of n data bytes costs msg(n) = n + 26 bytes of
SMP (offset in 5 bytes), wire = 4*ceil((msg+4)/3) + 3*ceil(base64/124), at ten bits a byte; with
two or more requests in flight the line never idles."""
import math
import pathlib
import re
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "e2e"))
import lab  # noqa: E402

BAUD = 115200


def wire_bytes(data):
    base64 = 4 * math.ceil((data + 26 + 4) / 3)
    return base64 + 3 * math.ceil(base64 / 124)


def chunks(size, buf_size):
    """Data bytes of each packet: full ones, aligned to 8, and the rest."""
    full = (buf_size - 4 - 26) // 8 * 8
    return [full] * (size // full) + ([size % full] if size % full else [])


def ideal_seconds(size, buf_size):
    return sum(wire_bytes(n) for n in chunks(size, buf_size)) * 10 / BAUD


def stop_and_wait_seconds(size, buf_size, latency_ms):
    """The same, when each answer (35 bytes) is waited for."""
    waits = len(chunks(size, buf_size)) * (35 * 10 / BAUD + latency_ms / 1000)
    return ideal_seconds(size, buf_size) + waits


def measure(bench, folder, buf_size, buf_count, latency_ms):
    image = bench.images["v2"]
    size = image.stat().st_size
    with lab.Device(folder, bench, baud=BAUD, latency=latency_ms, buf_size=buf_size,
                    buf_count=buf_count) as device:
        device.wait_for(r"app 1\.0\.0")
        done = lab.ferry("image", "upload", image, device=device.uri, timeout=600, check=0)
    seconds = float(re.search(r"bytes in ([0-9.]+) s", done.stderr).group(1))
    return size, seconds


def main():
    with tempfile.TemporaryDirectory(prefix="ferry-bench-") as name:
        folder = pathlib.Path(name)
        bench = lab.Bench(folder)
        print(f"upload of a real image, {BAUD} baud, console framing, 5 ms latency")
        print(f"{'buffers':>10} {'bytes':>8} {'measured':>9} {'ideal':>8} {'ratio':>6} "
              f"{'one at a time':>14}")
        for buf_size, buf_count in ((512, 4), (512, 1), (2048, 4)):
            size, seconds = measure(bench, folder / f"{buf_size}x{buf_count}", buf_size, buf_count, 5)
            ideal = ideal_seconds(size, buf_size)
            waiting = stop_and_wait_seconds(size, buf_size, 5)
            print(f"{buf_size:>6} x {buf_count} {size:>8} {seconds:>7.1f} s {ideal:>6.1f} s "
                  f"{seconds / ideal:>6.3f} {waiting:>12.1f} s")


if __name__ == "__main__":
    main()
