#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`ferry station`: 64 virtual devices of which three cannot, and 1000 devices behind UDP.

What the station says is held against the devices themselves; it fails when a count is wrong. Printed
are time, memory and processor time of `ferry` alone."""
import concurrent.futures
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "e2e"))
import lab  # noqa: E402

DEVICES = 64
FLEET = 1000


def expect(what, found, wanted):
    if found != wanted:
        sys.exit(f"station: {what}: {found}, not {wanted}")


def run(folder, *words):
    """Run the station. Returns its exit code, records, summary and what it took."""
    out = folder / "records.jsonl"
    begin = time.monotonic()
    with open(out, "w") as file:
        process = subprocess.Popen([lab.FERRY, "--json", "station", *map(str, words)], stdout=file,
                                   stdin=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - begin
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    summary = lines.pop()["summary"]
    return process.returncode, {line["device"]: line for line in lines}, summary, (seconds, used)


def print_cost(count, took):
    seconds, used = took
    cpu = used.ru_utime + used.ru_stime
    print(f"  {seconds:.1f} s, {count / seconds:.0f} devices/s; ferry took {used.ru_maxrss / 1024:.1f} MiB "
          f"and {cpu:.2f} s of processor time: {1000 * cpu / count:.2f} ms a device")


# ---- Devices of a process each ------------------------------------------------------------------


def small_layout():
    layout = json.loads(lab.layout("swap-move"))
    for area in layout["areas"]:
        if area["name"] in ("primary", "secondary"):
            area["size"] = "160K"
    return json.dumps(layout)


def larger_than_small(folder, bench):
    """A second version that does not fit the small device."""
    elf, image = folder / "large.elf", folder / "large.bin"
    program = (lab.FIRMWARE / "app-v2.elf").read_bytes()
    elf.write_bytes(program + bytes(max(0, 170 * 1024 - len(program))))
    lab.sign(bench.key, "2.0.0", elf, image)
    return image


def make_device(folder, i, bench, stranger):
    wires = {"raw": False} if i % 2 else {"raw": False, "serial": False}
    return lab.Device(folder / f"device{i:02}", stranger if i == 1 else bench,
                      layout=small_layout() if i == 2 else None, **wires)


def start_devices(folder, bench, stranger, devices):
    """devices: what was started is in it, also when the rest fails."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        made = pool.map(lambda i: make_device(folder, i, bench, stranger), range(DEVICES))
        for device in made:
            devices.append(device)
            device.start()


def runs_on(uri):
    images = lab.ferry_json("image", "list", device=uri)["images"]
    return next(image for image in images if image["active"])


def stop_devices(devices):
    for device in devices:
        if device.process is not None:
            device.process.send_signal(signal.SIGCONT)
        device.stop()


def bench_devices(folder):
    """Number 0 hangs, number 1 has another key, number 2 is too small."""
    bench, stranger = lab.Bench(folder / "bench"), lab.Bench(folder / "stranger")
    image = larger_than_small(folder, bench)
    wanted = lab.ferry_json("verify", "-k", bench.key, image)["hash"]
    devices = []
    try:
        start_devices(folder, bench, stranger, devices)
        devices[0].process.send_signal(signal.SIGSTOP)
        uris = [d.uri if i % 2 else d.udp_uri for i, d in enumerate(devices)]
        code, records, summary, took = run(folder, "-k", bench.key, "-d", ",".join(uris), "--retries",
                                           "0", image)
        expect("exit code", code, 8)
        expect("updated and failed", (summary["updated"], summary["failed"]), (DEVICES - 3, 3))
        expect("exit codes of 0, 1, 2", [records[uri]["exit"] for uri in uris[:3]], [4, 6, 6])
        for uri in uris[3:]:
            expect(f"hash of {uri}", records[uri]["hash"], wanted)
            runs = runs_on(uri)
            expect(f"what runs on {uri}", (runs["hash"], runs["confirmed"]), (wanted, True))
    finally:
        stop_devices(devices)
    size = image.stat().st_size
    print(f"{DEVICES} virtual devices at once, half on serial lines, half on UDP, {size} bytes each:")
    last = max(record["seconds"] for record in records.values() if record["ok"])
    print(f"  {summary['updated']} updated, the last after {last:.1f} s; their hashes read back and "
          "asked for again")
    for uri in uris[:3]:
        record = records[uri]
        print(f"  named: {record['what']}{': ' if record['why'] else ''}{record['why']}")
    print_cost(DEVICES, took)


# ---- A thousand in one process ------------------------------------------------------------------


def bench_fleet(folder, jobs):
    with lab.Fleet(folder, FLEET) as fleet:
        image = fleet.images["v2"]
        code, records, summary, took = run(folder, "-k", fleet.key, "-d", fleet.uris, "--jobs", jobs,
                                           image)
        runs, swaps = fleet.end()
    expect("exit code and updated", (code, summary["updated"]), (0, FLEET))
    expect("hashes", len({record["hash"] for record in records.values()}), 1)
    expect("what the bootloaders run at last", (runs, swaps), ({"2.0.0": FLEET}, FLEET))
    print(f"{FLEET} devices behind UDP, {jobs} at once, {image.stat().st_size} bytes each, real swaps "
          "and signatures:")
    print(f"  {summary['updated']} updated; after one more boot {runs} run")
    print_cost(FLEET, took)
    print(f"  {took[1].ru_maxrss * 1024 / FLEET:.0f} bytes of memory a device, program and image included")


def main():
    with tempfile.TemporaryDirectory(prefix="ferry-bench-") as name:
        folder = pathlib.Path(name)
        for part in ("bench", "stranger"):
            (folder / part).mkdir()
        bench_devices(folder)
        bench_fleet(folder / "fleet", 256)
        bench_fleet(folder / "wide", FLEET)


if __name__ == "__main__":
    main()
