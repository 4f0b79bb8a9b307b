#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Instructions that the nRF51's bootloader and example firmware execute, counted in QEMU, where each
takes 1 ns of the chip's time. Everything is counted twice, and it fails when the counts differ.

boot: from reset to the first instruction of a firmware that was verified, with nothing to install. How
much ECDSA takes of it depends on the signature, which is another one each time: sha256 and p256 are
its parts that are always the same.
upload: from the first byte of the first request to the last answer, erasing included. Requests are
taken from flash instead of the UART, whose interrupt is therefore not in it."""
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import smp  # noqa: E402

BUILT = ROOT / "build/chips/nrf51"
LAYOUT = ROOT / "firmware/chips/nrf51/layout.json"
FLASH_SIZE = 0x80000  # of the family's largest: the feed is behind the slots
FEED = 0x50000  # firmware/chips/bench/wire.c
HEADER = 0x20
PACKET = 1020  # what a request may have, with length and CRC in the firmware's 1024
IMAGE = 64 * 1024  # uploaded
BOOTED = 96 * 1024
HASHED = 64  # KiB: firmware/chips/bench/start/main.c
SIGNATURES = 4
NS_PER_TICK = 62.5
LIMIT = 120  # seconds for what takes one


def offset(area):
    return next(int(a["offset"], 0) for a in json.loads(LAYOUT.read_text())["areas"] if a["name"] == area)


def sign(program, size, out):
    """A program made up to a size, signed, as it is in flash."""
    text = (BUILT / f"{program}.bin").read_bytes()
    payload, image = out / "payload.bin", out / "image.bin"
    payload.write_bytes((text + bytes(n * 7 & 0xff for n in range(max(0, size - len(text))))))
    subprocess.run([ROOT / "build/host/ferry", "sign", "-k", ROOT / "build/chips/key.pem", "-v", "1.0.0",
                    "-H", str(HEADER), "--pad-header", "--layout", LAYOUT, "--input-format", "bin", payload, image],
                   check=True, timeout=LIMIT, capture_output=True)
    return image.read_bytes()


def count(flash, out):
    """Run what is in flash until it ends: ({what: instructions}, the last frame it sent)."""
    content = bytearray(b"\xff" * FLASH_SIZE)
    for at, data in flash.items():
        content[at:at + len(data)] = data
    (out / "flash.bin").write_bytes(content)
    qemu = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", "prlimit", f"--cpu={LIMIT}", "qemu-system-arm", "-M", "microbit", "-display", "none",
         "-nodefaults", "-serial", "stdio", "-icount", "shift=0",
         "-global", f"nrf51-soc.flash-size={FLASH_SIZE}",
         "-device", f"loader,file={out / 'flash.bin'},addr=0,force-raw=on"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    counts = {}
    limit = threading.Timer(5 * LIMIT, qemu.kill)  # one that sleeps takes no processor time
    limit.start()
    try:
        for line in qemu.stdout:
            words = line.decode(errors="replace").split()
            if words[:2] == ["bench:", "end"]:
                return counts, bytes.fromhex("".join(words[2:]))
            if words[:1] == ["bench:"]:
                counts[words[1]] = round(int(words[2]) * NS_PER_TICK)
    finally:
        limit.cancel()
        qemu.kill()
        qemu.wait()
    sys.exit("firmware.py: QEMU ended before the program did: make firmware, and run it again")


def twice(flash, out):
    first, second = count(flash, out), count(flash, out)
    if first != second:
        sys.exit(f"firmware.py: two runs differ: {first[0]} and {second[0]} instructions")
    return first


def requests(image):
    """The uploads of an image, framed; each as long as the firmware takes it."""
    frames, at = [], 0
    while at < len(image):
        fields = {"off": at, "data": b""} | ({"len": len(image)} if at == 0 else {})
        room = PACKET - len(smp.packet(smp.WRITE, 1, 1, fields)) - 2  # the length of data takes 3 bytes, not 1
        fields["data"] = image[at:at + room]
        frames.append(smp.ConsoleTalk.framed(smp.packet(smp.WRITE, 1, 1, fields, seq=len(frames) & 0xff)))
        at += len(fields["data"])
    return b"".join(frames)


def answered(frame):
    talk = smp.ConsoleTalk.__new__(smp.ConsoleTalk)
    talk.waiting, talk.text, talk.body = frame, b"", b""
    return smp.read_answer(talk.take()).map


def boot(out):
    flash = {0: (BUILT / "bench-boot.bin").read_bytes()}
    runs = []
    for _ in range(SIGNATURES):
        flash[offset("primary")] = sign("bench-start", BOOTED, out)
        runs.append(twice(flash, out)[0])
    if runs[0]["p256"] == 0:
        sys.exit("firmware.py: RFC 6979's signature does not verify")
    counts = [run["boot"] for run in runs]
    print(f"boot, verifying {BOOTED // 1024} KiB: {sum(counts) // SIGNATURES} instructions "
          f"({min(counts)} to {max(counts)} with {SIGNATURES} signatures)")
    print(f"  sha256: {runs[0]['sha256'] // HASHED} for each KiB; p256, for the signature of RFC 6979 A.2.5: {runs[0]['p256']}")


def upload(out):
    image = sign("bench-start", IMAGE, out)
    feed = requests(image)
    counts, frame = twice({0: (BUILT / "bootloader.bin").read_bytes(), FEED: struct.pack("<I", len(feed)) + feed,
                           offset("primary"): sign("bench-upload", 0, out)}, out)
    answer = answered(frame)
    if answer.get("off") != len(image):
        sys.exit(f"firmware.py: the last upload was answered by {answer}")
    print(f"upload of {len(image)} bytes: {counts['upload']} instructions, "
          f"{counts['upload'] * 1024 // len(image)} for each KiB")


def main():
    print(__doc__.split("\n\n")[0] + "\n")
    with tempfile.TemporaryDirectory() as folder:
        boot(pathlib.Path(folder))
        upload(pathlib.Path(folder))


if __name__ == "__main__":
    main()
