#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bluetooth without a radio: a bus of its own with a stand-in for org.bluez on it (tests/air).

    python3 tests/e2e/air.py [NAME=VALUE ...]

by hand: prints what to set in the environment of ferry and ferry-device, takes the commands of
tests/air/air.c on standard input, and ends with it. docs/DEVICE.md has an example."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import lab

AIR = lab.BUILD / "tests" / "air"

BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_type="*" send_destination="*" eavesdrop="true"/>
    <allow receive_type="*" eavesdrop="true"/>
  </policy>
</busconfig>
"""


def end(process):
    """By its id, and at once when it does not by itself."""
    if process is None or process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(timeout=5)


class Air:
    """A bus and the air on it. options: those of tests/air/air.c, with _ for -."""

    def __init__(self, folder, **options):
        # A path of a socket has 107 characters at most: not in pytest's folders.
        self.sockets = tempfile.TemporaryDirectory(prefix="ferry-air-")
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.options = options
        self.bus = self.process = None

    def start(self):
        config = self.folder / "bus.conf"
        socket = pathlib.Path(self.sockets.name) / "bus"
        config.write_text(BUS.format(socket=socket))
        self.bus = subprocess.Popen(
            ["dbus-daemon", f"--config-file={config}", "--nofork", "--nopidfile", "--print-address"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=open(self.folder / "bus.log", "wb"),
            text=True)
        self.env = {"DBUS_SYSTEM_BUS_ADDRESS": self.bus.stdout.readline().strip()}
        assert self.env["DBUS_SYSTEM_BUS_ADDRESS"], (self.folder / "bus.log").read_text()
        words = [f"{name.replace('_', '-')}={value}" for name, value in self.options.items()]
        self.log_path = self.folder / "air.log"
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen([AIR, *words], stdin=subprocess.PIPE, stdout=log, stderr=log,
                                            env={**os.environ, **self.env})
        self.wait_for(r"^ready$")
        return self

    def log(self):
        return self.log_path.read_text(errors="replace")

    def wait_for(self, pattern, count=1, timeout=30):
        """Wait until its log has the pattern so many times; the last match."""
        deadline = time.monotonic() + timeout
        while True:
            found = list(re.finditer(pattern, self.log(), re.M))
            if len(found) >= count:
                return found[-1]
            assert self.process.poll() is None, f"air ended:\n{self.log()}"
            assert time.monotonic() < deadline, f"no {pattern!r} in {timeout} s in:\n{self.log()}"
            time.sleep(0.01)

    def command(self, text):
        """What tests/air/air.c takes on its standard input, done when this returns."""
        before = len(re.findall(r"^ok$", self.log(), re.M))
        self.process.stdin.write(text.encode() + b"\n")
        self.process.stdin.flush()
        self.wait_for(r"^ok$", before + 1)

    def set(self, **options):
        for name, value in options.items():
            self.command(f"set {name.replace('_', '-')} {value}")

    def stop(self):
        if self.process is not None:
            self.process.stdin.close()
        end(self.process)
        end(self.bus)
        if self.bus is not None:
            self.bus.stdout.close()
        self.sockets.cleanup()

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()


def main():
    options = dict(word.replace("-", "_").split("=", 1) for word in sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="ferry-air-") as folder, Air(folder, **options) as air:
        for name, value in air.env.items():
            print(f"export {name}={value}", flush=True)
        shown = subprocess.Popen(["tail", "-f", "-n", "+1", air.log_path], stdin=subprocess.DEVNULL)
        try:
            for line in sys.stdin:
                air.process.stdin.write(line.encode())
                air.process.stdin.flush()
        except KeyboardInterrupt:
            pass
        finally:
            end(shown)


if __name__ == "__main__":
    main()
