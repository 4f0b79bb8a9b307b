#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Files to a device and back over a paced line, beside what the line itself needs. The devices run
side by side; nothing here fails, since times depend on the machine.

The ideal: every chunk's packet, framed for the console, at ten bits a byte. With two or more
buffers the line never idles; with one each chunk waits for the request, the answer and the device's
latency."""
import concurrent.futures
import math
import os
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "e2e"))
import lab  # noqa: E402

BAUD = 115200
SIZE = 100 * 1024
NAME = "/lfs1/f.bin"
ROWS = [(512, 4), (2048, 4), (512, 1), (2048, 1)]


def wire(packet):
    """Seconds of a packet on a console line: length word and CRC, base64 in lines of 127."""
    base64 = 4 * math.ceil((packet + 4) / 3)
    return (base64 + 3 * math.ceil(base64 / 124)) * 10 / BAUD


def number(value):
    return 1 if value < 24 else 2 if value < 256 else 3 if value < 65536 else 5


def request(off):
    """Bytes of a chunk's packet without its data: header, map, off, name and the data's head."""
    return 8 + 1 + 4 + number(off) + 5 + 1 + len(NAME) + 5 + 3


def ideal(way, buf_size, buf_count, latency):
    seconds, off = 0.0, 0
    while off < SIZE:
        other = wire(8 + 1 + 4 + number(off) + 1) if way == "upload" else wire(request(off) - 8)
        head = request(off) if way == "upload" else 8 + 1 + 4 + number(off) + 5 + 3 + 1
        data = min(buf_size - 4 - head, SIZE - off)
        seconds += wire(head + data)
        if buf_count == 1 or off == 0:
            seconds += other + latency / 1000
        off += data
    return seconds


def measure(bench, folder, buf_size, buf_count, latency):
    source, back = folder / "source", folder / "back"
    folder.mkdir()
    source.write_bytes(os.urandom(SIZE))
    with lab.Device(folder / "device", bench, layout=lab.layout("swap-move", server={"files": True}), baud=BAUD,
                    latency=latency, buf_size=buf_size, buf_count=buf_count) as device:
        device.wait_for(r"app 1\.0\.0")
        for way, args in (("upload", (source, NAME)), ("download", (NAME, back))):
            told = lab.ferry_json("fs", way, *args, device=device.uri, timeout=600)
            yield way, told["seconds"]
    assert back.read_bytes() == source.read_bytes()


def row(bench, folder, buf_size, buf_count, latency):
    return [(buf_size, buf_count, latency, way, seconds, ideal(way, buf_size, buf_count, latency))
            for way, seconds in measure(bench, folder, buf_size, buf_count, latency)]


def main():
    with tempfile.TemporaryDirectory(prefix="ferry-bench-") as name:
        bench = lab.Bench(name)
        with concurrent.futures.ThreadPoolExecutor(len(ROWS) * 2) as pool:
            rows = [pool.submit(row, bench, pathlib.Path(name) / f"{size}x{count}-{latency}", size, count, latency)
                    for latency in (5, 20) for size, count in ROWS]
        print(f"a file of {SIZE} bytes, {BAUD} baud, console framing")
        print(f"{'buffers':>10} {'latency':>8} {'way':>9} {'measured':>9} {'ideal':>8} {'ratio':>6}")
        for done in rows:
            for size, count, latency, way, seconds, best in done.result():
                print(f"{size:>6} x {count} {latency:>5} ms {way:>9} {seconds:>7.2f} s {best:>6.2f} s "
                      f"{seconds / best:>6.3f}")


if __name__ == "__main__":
    main()
