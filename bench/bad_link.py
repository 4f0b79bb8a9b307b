#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a bad link costs: whole updates over a paced console, each on a device of its own and all side
by side. The last one loses 5 % of its packets, has 2 % of them changed, has log text between and
inside frames, and the device is reset in the middle of the upload. Each must end with the new image
running and confirmed, and its bytes in the flash; it fails otherwise. Times fail nothing."""
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "e2e"))
import lab  # noqa: E402

BAUD = 115200
TEXT = "text-before,text-between,text-inside=200"
LINKS = {
    "a clean line": {},
    "5 % lost": {"loss": 5},
    "5 % lost, 2 % changed": {"loss": 5, "corrupt": 2},
    "log text in the stream": {"foreign": TEXT},
    "all of it, and a reset": {"loss": 5, "corrupt": 2, "foreign": TEXT},
}


class Run(threading.Thread):
    def __init__(self, name, folder, bench):
        super().__init__()
        self.link, self.bench, self.result = name, bench, None
        self.device = lab.Device(folder, bench, baud=BAUD, latency=5, **LINKS[name])

    def update(self, device):
        """The result of `ferry --json update`; the reset pin is pressed at half of the upload."""
        begin = time.monotonic()
        process = subprocess.Popen(
            [lab.FERRY, "-d", device.uri, "update", self.bench.images["v2"]], text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        said = ""
        for line in process.stderr:
            said += line
            if "upload: 50 %" in line and self.link.endswith("a reset"):
                device.process.send_signal(signal.SIGUSR1)
        out = process.stdout.read()
        assert process.wait(timeout=600) == 0, f"{self.link}:\n{out}\n{said}\n{device.log()}"
        return time.monotonic() - begin

    def run(self):
        with self.device as device:
            device.wait_for(r"app 1\.0\.0 started")
            seconds = self.update(device)
            running = device.running()
            assert running["confirmed"] and running["hash"] == self.bench.hash_of("v2")
            resets = device.log().count("app 1.0.0 started") - 1
            device.stop()
            image = self.bench.images["v2"].read_bytes()
            assert any(image in flash for flash in device.flash().values())
        self.result = seconds, resets


def main():
    with tempfile.TemporaryDirectory(prefix="ferry-bench-") as name:
        folder = pathlib.Path(name)
        bench = lab.Bench(folder)
        size = bench.images["v2"].stat().st_size
        runs = [Run(link, folder / str(i), bench) for i, link in enumerate(LINKS)]
        for run in runs:
            run.start()
        for run in runs:
            run.join()
        print(f"update of a real image, {size} bytes, {BAUD} baud, console framing, 5 ms latency, "
              "with test, reset, swap and confirm")
        clean = runs[0].result[0] if runs[0].result else 0
        for run in runs:
            if run.result is None:
                sys.exit(f"{run.link}: not updated")
            seconds, resets = run.result
            print(f"{run.link:<24} {seconds:>6.1f} s  {seconds / clean:>5.2f} times the clean line"
                  + (f", {resets} reset in mid upload" if resets else ""))


if __name__ == "__main__":
    main()
