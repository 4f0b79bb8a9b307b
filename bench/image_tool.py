#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`ferry sign` and `ferry verify` beside the real imgtool, as whole processes, on a program of
512 KiB: pairs, one run of each in turn, so that both meet the same machine. What counts is the ratio
of the medians; the times are those of this run and this machine. The ratio of processor time beside it
depends less on what else the machine does. Compressed images have no target:
liblzma does the work in both, and Ferry's verify unpacks the image, which imgtool's does not.

    bench/image_tool.py [PAIRS]      21 unless told"""
import os
import pathlib
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
FERRY = ROOT / "build/host/ferry"
IMGTOOL = ROOT / "build/interop/venv/bin/imgtool"
TARGET = 20
SIZE = 512 * 1024
OPTIONS = ["-v", "1.2.3", "-H", "0x200", "--pad-header", "-S", "0x100000", "--align", "8"]

COMPRESSION = ["--compression", "lzma2armthumb"]

# (name, key to sign with, further options of sign, form of the files)
CASES = [("ecdsa-p256", "ecdsa-p256", [], "bin"),
         ("ed25519", "ed25519", [], "bin"),
         ("rsa-2048", "rsa-2048", [], "bin"),
         ("ed25519, encrypted for x25519", "ed25519", ["--encrypt", "x25519.pem"], "bin"),
         ("ecdsa-p256, Intel HEX", "ecdsa-p256", [], "hex"),
         ("ecdsa-p256, lzma2armthumb", "ecdsa-p256", COMPRESSION, "bin")]


def program():
    """Bytes that compress as a program does: a few thousand different words, again and again."""
    words = [(i * 2654435761 & 0xffffffff).to_bytes(4, "little") for i in range(3000)]
    state, out = 1, bytearray()
    while len(out) < SIZE:
        state = state * 1103515245 + 12345 & 0x7fffffff
        out += words[(state >> 8) % (100 if state & 0x80 else len(words))]
    return bytes(out[:SIZE])


def hex_file(data):
    """Intel HEX, 16 bytes a line, from address 0."""
    def record(kind, offset, body):
        line = bytes([len(body)]) + offset.to_bytes(2, "big") + bytes([kind]) + body
        return f":{(line + bytes([-sum(line) & 0xff])).hex().upper()}\n"

    text = []
    for at in range(0, len(data), 16):
        if at & 0xffff == 0:
            text.append(record(4, 0, (at >> 16).to_bytes(2, "big")))
        text.append(record(0, at & 0xffff, data[at:at + 16]))
    return "".join(text) + record(1, 0, b"")


def run(command, out=None):
    """Seconds from start to end, and of the processor; a command that fails ends the benchmark. out is
    not there before, as in a clean build."""
    words = [str(word) for word in command]
    if out is not None:
        pathlib.Path(out).unlink(missing_ok=True)
    null = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
    begin = time.perf_counter()
    pid = os.posix_spawn(words[0], words, os.environ, file_actions=null)
    _, status, used = os.wait4(pid, 0)
    seconds = time.perf_counter() - begin
    if status != 0:
        sys.exit(f"image_tool.py: failed: {' '.join(words)}\n  next: run it by hand in {os.getcwd()}")
    return seconds, used.ru_utime + used.ru_stime


def pairs(calls, outs, count):
    """Medians of both, Ferry's and imgtool's, after one run of each that does not count; and how much
    more processor time imgtool takes."""
    runs = ([], [])
    for i in range(-1, count):
        for which in ((0, 1), (1, 0))[i % 2]:
            measured = run(calls[which], outs[which])
            if i >= 0:
                runs[which].append(measured)
    (ours, our_cpu), (theirs, their_cpu) = ([statistics.median(m) for m in zip(*r)] for r in runs)
    return ours, theirs, their_cpu / our_cpu


def measure(case, count):
    """Rows (command, name, ferry's median, imgtool's, ratio of processor time)."""
    name, key, more, form = case
    outs = [f"ferry.{form}", f"imgtool.{form}"]
    calls = [[tool, "sign", "-k", f"{key}.pem", *OPTIONS, *more, f"app.{form}", out]
             for tool, out in zip((FERRY, IMGTOOL), outs)]
    yield "sign", name, *pairs(calls, outs, count)
    if "--encrypt" not in more:  # imgtool decrypts nothing
        calls = [[tool, "verify", "-k", f"{key}.pem", outs[0]] for tool in (FERRY, IMGTOOL)]
        yield "verify", name, *pairs(calls, (None, None), count)


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 21
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        pathlib.Path("app.bin").write_bytes(program())
        pathlib.Path("app.hex").write_text(hex_file(program()))
        for key in ("ecdsa-p256", "ed25519", "rsa-2048", "x25519"):
            run([FERRY, "keygen", "-t", key, "-o", f"{key}.pem"])
        print(f"an image of {SIZE // 1024} KiB, {count} pairs of whole processes, medians\n"
              f"{'':38} {'ferry':>9} {'imgtool':>9} {'ratio':>7} {'cpu':>7}  target >= {TARGET}x")
        for case in CASES:
            for command, name, ours, theirs, cpu in measure(case, count):
                verdict = ("none" if case[2] is COMPRESSION else
                           "met" if theirs / ours >= TARGET else "MISSED")
                print(f"{command:7}{name:31} {ours * 1e3:6.1f} ms {theirs * 1e3:6.1f} ms "
                      f"{theirs / ours:6.1f}x {cpu:6.1f}x  {verdict}", flush=True)
        os.chdir("/")


if __name__ == "__main__":
    main()
