# SPDX-License-Identifier: Apache-2.0
"""A virtual machine with Bluetooth, under QEMU without KVM: it sees the host's files, and runs what it is told.

The kernel comes from fetch-bluetoothd. Nothing that it writes reaches the host's files."""
import base64
import json
import pathlib
import socket
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FETCHED = ROOT / "build/bluetooth"
LIMIT = 240  # seconds: it is ended then, whatever it does


class Bluetooth:
    """The machine, switched on; made where `folder` is, whose path must be short enough for a socket."""

    def __init__(self, folder):
        self.console = folder / "console.log"
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(folder / "guest.sock"))
        listener.listen(1)
        listener.settimeout(30)
        self.qemu = subprocess.Popen(
            ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "qemu64,+ssse3,+sse4.1,+sse4.2", "-m", "512",
             "-kernel", FETCHED / "kernel", "-initrd", FETCHED / "initrd", "-append",
             f'console=ttyS0 quiet loglevel=4 panic=-1 python="{sys.executable}" guest="{HERE / "guest.py"}"',
             "-display", "none", "-nodefaults", "-no-user-config", "-no-reboot", "-serial", f"file:{self.console}",
             "-virtfs", "local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap",
             "-device", "virtio-rng-pci", "-device", "virtio-serial-pci",
             "-chardev", f"socket,id=guest,path={folder / 'guest.sock'}", "-device", "virtserialport,chardev=guest"],
            stdin=subprocess.DEVNULL, stdout=open(folder / "qemu.log", "wb"), stderr=subprocess.STDOUT)
        self.limit = threading.Timer(LIMIT, self.qemu.kill)
        self.limit.start()
        try:
            self.port = listener.accept()[0]
            self.lines = self.port.makefile("rb")
            self.port.settimeout(90)
            assert self.answer() == {"ready": True}
        except BaseException:
            self.close()
            raise
        finally:
            listener.close()

    def answer(self):
        line = self.lines.readline()
        assert line, f"the virtual machine has ended: {self.console.read_text(errors='replace')[-2000:]}"
        return json.loads(line)

    def ask(self, do, **arguments):
        self.port.settimeout(arguments.get("timeout", 0) + 30)
        self.port.sendall(json.dumps({"do": do, **arguments}).encode() + b"\n")
        answer = self.answer()
        assert "error" not in answer, f"{do} {arguments}: {answer['error']}"
        return answer

    def run(self, *argv, timeout=60, env=None, text=""):
        """A command to its end: {"code", "out", "err"}."""
        return self.ask("run", argv=[str(word) for word in argv], timeout=timeout, env=env, text=text)

    def start(self, name, *argv, env=None):
        """A process that goes on; log(name) has what it said, tell(name, text) is its input."""
        self.ask("start", name=name, argv=[str(word) for word in argv], env=env)

    def wait(self, name, text, timeout=30, count=1):
        """Until the process has said the text so many times."""
        assert self.ask("wait", name=name, text=text, count=count, timeout=timeout)["there"], \
            f"{name} did not say {text!r}, but: {self.log(name)[-3000:]}"

    def wait_for(self, path, timeout=30):
        assert self.ask("wait", path=path, timeout=timeout)["there"], f"no {path}"

    def tell(self, name, text):
        self.ask("tell", name=name, text=text)

    def log(self, name):
        return self.ask("log", name=name)["text"]

    def stop(self, name):
        return self.ask("stop", name=name)["code"]

    def write(self, path, data, mode=0o644):
        self.ask("write", path=str(path), data=base64.b64encode(data).decode(), mode=mode)

    def close(self):
        try:
            self.port.sendall(b'{"do": "end"}\n')
            self.qemu.wait(10)
        except (AttributeError, OSError, subprocess.TimeoutExpired):
            self.qemu.kill()
            self.qemu.wait()
        self.limit.cancel()
