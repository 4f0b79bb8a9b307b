# SPDX-License-Identifier: Apache-2.0
"""A bench of virtual devices for tests, benchmarks and the demo: the built programs, each ended
by its process id and never left running."""
import json
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import termios
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / os.environ.get("FERRY_PRESET", "host")
FERRY = BUILD / "ferry"
FERRY_DEVICE = BUILD / "ferry-device"
FIRMWARE = ROOT / "build" / "firmware"

SLOT_SIZE = 0x40000  # of the default layout (device/layout.json)
RAM_ADDRESS = 0x20000000  # of layouts made here


def layout(strategy, external=False, **fields):
    """The text of a layout as device/layout.json, with another strategy.

    external: the secondary is in a second flash device of 64 KiB sectors that erases to 0."""
    base = json.loads((ROOT / "device" / "layout.json").read_text())
    areas = {area["name"]: area for area in base["areas"]}
    image = {"primary": "primary", "secondary": "secondary", "strategy": strategy}
    if strategy == "single-slot":
        del image["secondary"]
        base["areas"].remove(areas["secondary"])
    if strategy == "swap-scratch":
        image["scratch"] = "scratch"
        base["areas"].append({"name": "scratch", "device": "internal", "offset": "0xc0000",
                              "size": "64K" if external else "16K"})
    if strategy.startswith("ram-load"):
        base["ram"] = {"address": RAM_ADDRESS, "size": "256K"}
    if external:
        base["flash"].append({"name": "external", "sectors": [{"count": 8, "size": "64K"}],
                              "write_size": 1, "erased_value": 0})
        areas["secondary"].update(device="external", offset="64K")
    base["images"] = [image]
    base.update(fields)
    return json.dumps(base, indent=2)


def ferry(*args, device=None, timeout=120, check=None, env=None):
    """Run `ferry`; with check, the exit code must be that one. Output is text."""
    command = [str(FERRY), *map(str, args)]
    if device is not None:
        command[1:1] = ["-d", str(device)]
    clean = {k: v for k, v in os.environ.items() if k != "FERRY_DEVICE"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout,
                          stdin=subprocess.DEVNULL, env={**clean, **(env or {})})
    if check is not None:
        assert done.returncode == check, f"{command}\nexit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def ferry_json(*args, device=None, timeout=120):
    return json.loads(ferry("--json", *args, device=device, timeout=timeout, check=0).stdout)


def typed(command, *lines, timeout=60, env=None):
    """Run a program at a terminal of its own and type a password at each prompt (": "), once it does
    not show on the terminal. Returns the exit code and what the terminal showed."""
    child, terminal = pty.fork()
    if child == 0:
        try:
            os.execve(command[0], list(map(str, command)), {**os.environ, **(env or {})})
        finally:
            os._exit(127)
    shown, answered, deadline = b"", 0, time.monotonic() + timeout
    lines = list(lines)
    try:
        while time.monotonic() < deadline:
            if not select.select([terminal], [], [], 1)[0]:
                continue
            try:
                data = os.read(terminal, 4096)
            except OSError:  # the program is gone
                data = b""
            if not data:
                return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), shown.decode()
            shown += data
            if lines and shown[answered:].endswith(b": "):
                answered = len(shown)
                while termios.tcgetattr(terminal)[3] & termios.ECHO:  # it asks for a password
                    assert time.monotonic() < deadline, "the terminal shows what is typed"
                    time.sleep(0.01)
                os.write(terminal, lines.pop(0).encode() + b"\n")
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise AssertionError(f"{command} did not end; the terminal shows:\n{shown.decode()}")
    finally:
        os.close(terminal)


# The virtual device starts ELF files: they are its firmware as they are.
AS_IT_IS = ("--input-format", "bin")


def sign(key, version, source, out, *extra, check=0):
    return ferry("sign", "-k", key, "-v", version, "-H", "512", "--pad-header", "-S",
                 hex(SLOT_SIZE), "--align", "8", *AS_IT_IS, *extra, source, out, check=check)


class Bench:
    """Keys and signed images of the example firmware, made once."""

    def __init__(self, folder, key_type="ecdsa-p256", sign_with=()):
        self.folder = pathlib.Path(folder)
        self.sign_with = sign_with
        self.key = self.folder / "key.pem"
        ferry("keygen", "-t", key_type, "-o", self.key, check=0)
        self.images = {}
        for name, version, program in (("v1", "1.0.0", "app-v1"), ("v2", "2.0.0", "app-v2"),
                                       ("v3", "3.0.0", "app-v3-crash"),
                                       ("v3-hang", "3.0.0", "app-v3-hang")):
            self.sign(name, version, program)

    def sign(self, name, version, program, key=None):
        """Make images[name] of a program in build/firmware."""
        image = self.folder / f"{name}.signed.bin"
        sign(key or self.key, version, FIRMWARE / f"{program}.elf", image, *self.sign_with)
        self.images[name] = image
        return image

    def hash_of(self, name):
        return ferry_json("verify", "-k", self.key, self.images[name])["hash"]


class Device:
    """One virtual device in a folder of its own; programmed with bootloader, key and an image."""

    def __init__(self, folder, bench, image="v1", layout=None, flash=(), secret=None, env=None, **options):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.link = self.folder / "tty"
        self.log_path = self.folder / "device.log"
        self.options = options
        self.env = {**os.environ, **(env or {})}
        self.process = None
        self.udp_port = None
        self.program(bench, image, layout, flash, secret)

    def program(self, bench, image, layout=None, flash=(), secret=None):
        """What a factory's programmer does; flash: further AREA=FILE; secret: what images are
        decrypted with."""
        extra = [word for pair in flash for word in ("--flash", pair)]
        if secret is not None:
            extra += ["--flash-secret", secret]
        if layout is not None:
            (self.folder / "made-of.json").write_text(layout)
            extra += ["--layout", self.folder / "made-of.json"]
        subprocess.run([FERRY_DEVICE, "--dir", self.folder, *extra, "--flash",
                        f"bootloader={FIRMWARE / 'bootloader.elf'}", "--flash",
                        f"primary={bench.images[image]}", "--flash-key", bench.key,
                        "--program-only"], check=True, timeout=30, stdin=subprocess.DEVNULL,
                       capture_output=True)

    @property
    def uri(self):
        return f"serial:{self.link}"

    @property
    def raw_link(self):
        """The port for bare packets."""
        return self.folder / "raw"

    @property
    def raw_uri(self):
        return f"raw:{self.raw_link}"

    @property
    def udp_uri(self):
        return f"udp:127.0.0.1:{self.udp_port}"

    @property
    def udp6_uri(self):
        return f"udp:[::1]:{self.udp_port}"

    @property
    def dtls_uri(self):
        return f"dtls:127.0.0.1:{self.udp_port}"

    def start(self, **options):
        merged = {"serial": self.link, "raw": self.raw_link, "udp": 0, **self.options, **options}
        if "dtls" in merged:
            merged["udp"] = False
        args = [str(FERRY_DEVICE), "--dir", str(self.folder)]
        for name, value in merged.items():
            if value is False:  # without it
                continue
            args += ["--" + name.replace("_", "-")] + ([] if value is True else [str(value)])
        self.link.unlink(missing_ok=True)
        log = open(self.log_path, "ab")
        self.start_offset = log.tell()
        self.process = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.env)
        log.close()
        match = self.wait_for(r"(?:udp|dtls): 127\.0\.0\.1:(\d+)", timeout=10)
        self.udp_port = int(match.group(1))
        return self

    def running(self, timeout=30):
        """The image that runs, once the device answers."""
        end = time.monotonic() + timeout
        while True:
            done = ferry("--json", "image", "list", device=self.uri)
            listed = json.loads(done.stdout)["images"] if done.returncode == 0 else []
            active = [image for image in listed if image["active"]]
            if active:
                return active[0]
            assert time.monotonic() < end, done.stdout + done.stderr + self.log()

    def log(self):
        return self.log_path.read_bytes()[self.start_offset:].decode(errors="replace")

    def wait_for(self, pattern, timeout=30):
        """Wait until the device's own log, from its start, has the pattern."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            match = re.search(pattern, self.log())
            if match:
                return match
            assert self.process.poll() is None, f"ferry-device ended:\n{self.log()}"
            time.sleep(0.02)
        raise AssertionError(f"no {pattern!r} in {timeout} s in:\n{self.log()}")

    def runs_to_cut(self, operation, how="inside", timeout=30):
        """Start with the power failing at a flash operation. Whether it came to that before the
        device answered."""
        self.start(cut=operation, cut_how=how)
        end = time.monotonic() + timeout
        while self.process.poll() is None and time.monotonic() < end:
            if " started" in self.log() and ferry("echo", "x", device=self.uri).returncode == 0:
                self.stop()
                return False
            time.sleep(0.005)
        assert self.process.poll() == 3, f"exit code {self.process.poll()}:\n{self.log()}"
        self.process = None
        return True

    def tally(self):
        """Switch it off. What its flash did since it was powered up, by area: sectors erased and
        bytes written."""
        self.stop()
        found = re.findall(r"chip: flash: (\S+): (\d+) sectors erased, (\d+) bytes written",
                           self.log())
        return {area: (int(erases), int(written)) for area, erases, written in found}

    def flash(self):
        """What is in the flash of the device, which is off, for restore()."""
        return {path: path.read_bytes() for path in self.folder.glob("flash*.bin")}

    @staticmethod
    def restore(flash):
        for path, data in flash.items():
            path.write_bytes(data)

    def reflash(self, area, file):
        """What a person with a debugger does; the device is off."""
        subprocess.run([FERRY_DEVICE, "--dir", self.folder, "--reflash", f"{area}={file}",
                        "--program-only"], check=True, timeout=30, stdin=subprocess.DEVNULL,
                       capture_output=True)

    def kill(self):
        """Pull the plug. Its port goes first: the name of the terminal behind it may be another
        device's a moment later."""
        self.link.unlink(missing_ok=True)
        self.raw_link.unlink(missing_ok=True)
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=10)

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self.kill()
        self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


class Fleet:
    """Many small devices in one process, behind UDP ports of one address; a key and three versions."""

    PORT = 20000

    def __init__(self, folder, count, silent=()):
        self.folder, self.count, self.silent = pathlib.Path(folder), count, silent
        self.folder.mkdir(parents=True, exist_ok=True)
        self.host = f"127.77.{os.getpid() >> 8 & 255}.{os.getpid() & 255}"  # nobody else's
        self.key = self.folder / "fleet.pem"
        self.images = {}
        ferry("keygen", "-t", "ecdsa-p256", "-o", self.key, check=0)
        ferry("pubkey", "-k", self.key, "-e", "der", "-o", self.folder / "fleet.der", check=0)
        for name, version in (("v1", "1.0.0"), ("v2", "2.0.0"), ("v3", "3.0.0")):
            self.images[name] = self.folder / f"{name}.bin"
            (self.folder / "payload").write_bytes(os.urandom(16 * 1024))
            ferry("sign", "-k", self.key, "-v", version, "-H", "32", "--pad-header", "-S", "0x8000",
                  "--align", "8", *AS_IT_IS, self.folder / "payload", self.images[name], check=0)

    @property
    def uris(self):
        """All of them in one word."""
        return f"udp:{self.host}:{self.PORT}-{self.PORT + self.count - 1}"

    def uri(self, number):
        return f"udp:{self.host}:{self.PORT + number}"

    def __enter__(self):
        self.process = subprocess.Popen(
            [BUILD / "tests" / "fleet", self.host, str(self.PORT), str(self.count),
             self.folder / "fleet.der", self.images["v1"], *map(str, self.silent)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"
        return self

    def end(self):
        """Switch them off. What each bootloader would run: {version: how many}, and the swaps."""
        self.process.send_signal(signal.SIGTERM)
        left = json.loads(self.process.communicate(timeout=60)[0])
        return left["running"], left["swaps"]

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()
