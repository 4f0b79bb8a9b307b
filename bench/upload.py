#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Uploads of 256 KiB over paced lines, beside what the line itself needs and beside other people's
clients, each with a virtual device of its own, side by side. A time is that of the whole process; of
smpclient, which is a library, that of the upload alone. Every upload is read back by its hash.

It fails when Ferry needs more than 1.02 of the line's ideal (1.04 with one buffer, 1.05 at 1 Mbaud), or when a device that
loses bytes while it writes is served more than 2 % slower than one packet at a time.

    upload.py            all of it
    upload.py ferry      without the others"""
import concurrent.futures
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import lab  # noqa: E402

SIZE = 256 * 1024
PEERS = ROOT / "build" / "interop"
LIMIT, LIMIT_ALONE = 1.02, 1.04
LIMIT_FAST = 1.05  # at 1 Mbaud a packet takes 6 ms: what else this machine does counts
ANSWER = 35  # bytes on the wire
TIMEOUT = 600

SMPCLIENT = """
import asyncio, sys, time
from smpclient import SMPClient
from smpclient.transport.serial import SMPSerialTransport
from smpclient.transport.udp import SMPUDPTransport
address, port, file = sys.argv[1:]
class Udp(SMPUDPTransport):
    async def connect(self, address, timeout_s):
        await super().connect(address, timeout_s, int(port))
async def main():
    async with SMPClient(Udp() if port != "0" else SMPSerialTransport(), address, timeout_s=10) as client:
        begin = time.monotonic()
        async for _ in client.upload(open(file, "rb").read()):
            pass
        print(time.monotonic() - begin)
asyncio.run(main())
"""


# ---- The ideal ------------------------------------------------------------------------------

def wire_bytes(data):
    """Console framing of a chunk: 26 bytes of SMP around it, base64, lines of 127."""
    base64 = 4 * math.ceil((data + 26 + 4) / 3)
    return base64 + 3 * math.ceil(base64 / 124)


def ideal(row):
    """Seconds. With two or more packets on the way the line never idles; else each is waited for."""
    full = row["buf_size"] - 4 - 26
    chunks = [full] * (SIZE // full) + ([SIZE % full] if SIZE % full else [])
    line = sum(map(wire_bytes, chunks)) * 10 / row["baud"]
    if row["buf_count"] > 1:
        return line
    return line + len(chunks) * (ANSWER * 10 / row["baud"] + row["latency"] / 1000)


# ---- The devices ----------------------------------------------------------------------------

def layout():
    """Slots of 320 KiB, so that 256 KiB and the trailer fit."""
    base = json.loads((ROOT / "device" / "layout.json").read_text())
    for area in base["areas"]:
        if area["name"] in ("primary", "secondary"):
            area["size"] = "320K"
            area["offset"] = "0x30000" if area["name"] == "primary" else "0x80000"
    return json.dumps(base)


def make_image(bench):
    """An image of 256 KiB, header and signature included."""
    program = (lab.FIRMWARE / "app-v2.elf").read_bytes()
    source, image = bench.folder / "padded.elf", bench.folder / "256k.bin"
    pad = SIZE - 4096 - len(program)
    for _ in range(2):
        source.write_bytes(program + os.urandom(pad))
        lab.ferry("sign", "-k", bench.key, "-v", "2.0.0", "-H", "512", "--pad-header", "-S", "0x50000",
                  "--align", "8", *lab.AS_IT_IS, source, image, check=0)
        pad += SIZE - image.stat().st_size
    assert image.stat().st_size == SIZE
    return image


class Run:
    """One client with one device: the seconds it took, and what Ferry says of it."""

    def __init__(self, row, client):
        self.row, self.client = row, client
        self.seconds, self.error, self.speed = None, None, None

    def command(self, device, image):
        udp, baud = "udp" in self.row, self.row.get("baud")
        link = os.path.realpath(device.link)
        if self.client.startswith("ferry"):
            uri = device.udp_uri if udp else f"serial:{link}?baud={baud}"
            window = ["--window", "1"] if self.client == "ferry, one at a time" else []
            return [lab.FERRY, "--json", "-d", uri, "image", "upload", *window, image]
        if self.client == "smpclient":
            where = ["127.0.0.1", device.udp_port] if udp else [link, 0]
            return [PEERS / "venv/bin/python", "-c", SMPCLIENT, *where, image]
        if self.client == "mcumgrctl":
            where = (["--udp", f"127.0.0.1:{device.udp_port}"] if udp else
                     ["--serial", link, "--baud", baud])
            return [PEERS / "bin/mcumgrctl", "-q", *where, "--timeout", "10000", "image", "upload", image]
        if self.client == "mcumgr":
            where = (["--conntype", "udp", "--connstring", f"127.0.0.1:{device.udp_port}"] if udp else
                     ["--conntype", "serial", "--connstring", f"dev={link},baud={baud},mtu=512"])
            return [PEERS / "bin/mcumgr", *where, "image", "upload", image]
        return [PEERS / "venv/bin/smpmgr", "--port", link, "--timeout", "10", "image", "upload", image]

    def measure(self, device, image):
        begin = time.monotonic()
        try:
            done = subprocess.run(list(map(str, self.command(device, image))), capture_output=True,
                                  text=True, timeout=TIMEOUT, stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            self.error = f"not done after {TIMEOUT} s"
            return
        self.seconds = time.monotonic() - begin
        if self.client == "smpclient" and done.returncode == 0:
            self.seconds = float(done.stdout.split()[-1])
        if self.client.startswith("ferry") and done.returncode == 0:
            self.speed = json.loads(done.stdout)["speed"]
        if done.returncode != 0 or "Error" in done.stdout:
            self.error = ((done.stderr + done.stdout).strip().splitlines() or ["failed"])[-1][:60]

    def run(self, folder, bench, image, hash_hex):
        options = {key: value for key, value in self.row.items() if key not in ("name", "udp", "limit")}
        with lab.Device(folder, bench, layout=layout(), **options) as device:
            device.wait_for(r"app 1\.0\.0")
            self.measure(device, image)
            if self.error is None:
                listed = lab.ferry_json("image", "list", device=device.uri)["images"]
                if hash_hex not in [entry.get("hash") for entry in listed]:
                    self.error = "the image is not on the device"
        return self


# ---- What is measured -------------------------------------------------------------------------

def serial(buf_size, buf_count, latency, baud=115200, **more):
    return {"buf_size": buf_size, "buf_count": buf_count, "latency": latency, "baud": baud, **more}


LINES = [serial(*buffers, latency) for buffers in ((512, 4), (2048, 4), (512, 1)) for latency in (5, 20)]
FAST = serial(512, 4, 5, baud=1000000)
DEAF = serial(512, 4, 5, erase_ms=85, program_us=41, rx_fifo=6)
UDP = {"udp": True, "buf_size": 2048, "buf_count": 4}
UDP_FAR = {**UDP, "latency": 10, "loss": 1}
SEEDS = 10


def name_of(row):
    if "udp" in row:
        return "UDP, loopback" if "latency" not in row else "UDP, 10 ms, 1 % loss"
    name = f"{row['buf_size']} x {row['buf_count']}, {row['latency']} ms, {row['baud']} baud"
    return name + (", deaf while it writes" if "rx_fifo" in row else "")


def others():
    """The clients that are here; of each that is not, why."""
    found = []
    for name, path in (("smpclient", "venv/bin/python"), ("smpmgr", "venv/bin/smpmgr"),
                       ("mcumgrctl", "bin/mcumgrctl"), ("mcumgr", "bin/mcumgr")):
        if (PEERS / path).exists():
            found.append(name)
        else:
            print(f"{name}: build/interop/{path} is not here; `tests/interop/setup-peers` tells why")
    return found


def run_all(runs, folder, bench, image, hash_hex):
    """Side by side: all of them wait for clocks most of the time."""
    with concurrent.futures.ThreadPoolExecutor(len(runs)) as pool:
        jobs = [pool.submit(run.run, folder / f"{id(run)}", bench, image, hash_hex) for run in runs]
        return [job.result() for job in jobs]


def has_ideal(row):
    """The line's: a network has none, and a device that stands still is not the line's fault."""
    return "udp" not in row and "rx_fifo" not in row


def limit_of(run):
    row = run.row
    if run.client != "ferry" or not has_ideal(row):
        return None
    if row["baud"] > 115200:
        return LIMIT_FAST
    return LIMIT if row["buf_count"] > 1 else LIMIT_ALONE


def ratio_of(run):
    return run.seconds / ideal(run.row) if has_ideal(run.row) and run.seconds else None


def print_run(run):
    best = f"{ideal(run.row):7.1f}" if has_ideal(run.row) else ""
    ratio = ratio_of(run)
    said = run.error or ""
    if run.speed:
        said = f"limited by: {run.speed['limit']}; {run.speed['resent']} packets sent again"
    print(f"{name_of(run.row):48} {run.client:20} "
          f"{'' if run.seconds is None or run.error else format(run.seconds, '8.2f'):>8} {best:>7} "
          f"{'' if ratio is None or run.error else format(ratio, '6.3f'):>6}  "
          f"{'' if run.seconds is None or run.error else format(SIZE / run.seconds / 1024, '8.2f'):>8}  {said}",
          flush=True)


def check(runs):
    """What is missed of the targets."""
    missed = [f"{name_of(run.row)}: {run.client}: {run.error}" for run in runs
              if run.error and run.client.startswith("ferry")]
    for run in runs:
        limit = limit_of(run)
        if limit and run.seconds and ratio_of(run) > limit:
            missed.append(f"{name_of(run.row)}: {ratio_of(run):.3f} of the ideal, above {limit}")
    return missed


def check_deaf(runs):
    alone, freely = (next(run for run in runs if "rx_fifo" in run.row and run.client == client)
                     for client in ("ferry, one at a time", "ferry"))
    if alone.error or freely.error:
        return []
    ratio = freely.seconds / alone.seconds
    print(f"\ndeaf while it writes: {ratio:.4f} of the time of one packet at a time; "
          f"{freely.speed['resent']} packets sent again (one at a time: {alone.speed['resent']})")
    return [f"deaf while it writes: {ratio:.3f} of the time of one at a time, above 1.02"] \
        if ratio > 1.02 else []


def mean(runs):
    """Losses fall as the seed says: several runs in one."""
    whole = Run(runs[0].row, f"ferry, mean of {len(runs)}")
    whole.error = next((run.error for run in runs if run.error), None)
    if whole.error is None:
        whole.seconds = sum(run.seconds for run in runs) / len(runs)
        resent = sum(run.speed["resent"] for run in runs) / len(runs)
        whole.speed = {"limit": "loss", "resent": resent}
    return whole


def print_udp(runs, far):
    [near] = [run for run in runs if run.row == UDP]
    if not near.error:
        print(f"UDP, loopback: {SIZE / near.seconds / 1e6:.1f} MB/s, the start of the process included; "
              f"the upload alone {SIZE / max(near.speed['ms'], 1) / 1e3:.1f} MB/s")
    if not any(run.error for run in far):
        print(f"UDP, 10 ms, 1 % loss: at most {max(run.seconds for run in far):.2f} s; three packets on "
              f"the way and no loss need {math.ceil(SIZE / 1448) * 0.010 / 3:.2f} s")


def main():
    clients = [] if sys.argv[1:] == ["ferry"] else others()
    with tempfile.TemporaryDirectory(prefix="ferry-bench-") as name:
        folder = pathlib.Path(name)
        bench = lab.Bench(folder, key_type="ed25519")
        image = make_image(bench)
        hash_hex = lab.ferry_json("verify", "-k", bench.key, image)["hash"]
        job = (folder, bench, image, hash_hex)
        print(f"{SIZE} bytes{'':36} {'client':20} {'seconds':>8} {'ideal':>7} {'ratio':>6}  {'KiB/s':>8}")
        runs = run_all([Run(row, "ferry") for row in [*LINES, DEAF]] +
                       [Run(DEAF, "ferry, one at a time")], *job)
        runs += run_all([Run(FAST, "ferry")], *job)
        again = [run for run in runs if limit_of(run) and run.seconds and ratio_of(run) > limit_of(run)]
        for old in again:  # something else had the processor: once more, alone
            [new] = run_all([Run(old.row, old.client)], *job)
            runs[runs.index(old)] = new
        runs += run_all([Run(UDP, "ferry")], *job)
        for run in runs:
            print_run(run)
        far = run_all([Run({**UDP_FAR, "seed": seed}, "ferry") for seed in range(1, SEEDS + 1)], *job)
        print_run(mean(far))
        theirs = [Run(row, client) for row in [*LINES, FAST] for client in clients]
        theirs += [Run(row, client) for row in (UDP, {**UDP_FAR, "seed": 1}) for client in clients
                   if client != "smpmgr"]  # knows one UDP port only
        for run in run_all(theirs, *job) if theirs else []:
            print_run(run)
        missed = check(runs + far) + check_deaf(runs)
        print_udp(runs, far)
    for text in missed:
        print(f"missed: {text}", file=sys.stderr)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
