# SPDX-License-Identifier: Apache-2.0
"""Devices behind sockets: a serial line that TCP leads to, as ser2net's, and one at a Unix socket."""
import base64
import contextlib
import os
import select
import socket
import subprocess
import threading
import time
import tty

import pytest

import lab


class Bridge:
    """Bytes between a listening socket and a serial port, one connection at a time."""

    def __init__(self, listener, port):
        self.listener, self.port = listener, port
        self.over, self.cut_after, self.passed, self.accepted = threading.Event(), None, 0, 0
        self.last = b""  # what the client sent last
        self.away, self.away_until = 0, 0  # seconds after the cut in which whoever connects is sent away
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        with open(os.open(self.port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK), "rb+", buffering=0) as line:
            tty.setraw(line)
            while not self.over.is_set():
                if select.select([self.listener], [], [], 0.05)[0]:
                    peer, _ = self.listener.accept()
                    self.accepted += 1
                    with peer:
                        if time.monotonic() >= self.away_until:
                            self.serve(peer, line)

    def serve(self, peer, line):
        while not self.over.is_set():
            ready = select.select([peer, line], [], [], 0.05)[0]
            if peer in ready:
                data = peer.recv(4096)
                if not data:
                    return
                os.write(line.fileno(), data)
                self.passed, self.last = self.passed + len(data), data
                if self.cut_after is not None and self.passed >= self.cut_after:
                    self.cut_after = None
                    self.away_until = time.monotonic() + self.away
                    return
            if line in ready:
                peer.sendall(os.read(line.fileno(), 4096))

    def close(self):
        self.over.set()
        self.thread.join(timeout=10)
        self.listener.close()


@contextlib.contextmanager
def tcp(port):
    listener = socket.create_server(("127.0.0.1", 0))
    bridge = Bridge(listener, port)
    yield f"tcp:127.0.0.1:{listener.getsockname()[1]}", bridge
    bridge.close()


@contextlib.contextmanager
def unix(port):
    listener = socket.socket(socket.AF_UNIX)
    path = port.parent / "line.socket"
    listener.bind(str(path))
    listener.listen()
    bridge = Bridge(listener, port)
    yield f"unix:{path}", bridge
    bridge.close()


@pytest.fixture
def device(device):
    device.wait_for(r"app 1\.0\.0 started")
    return device


@pytest.mark.parametrize("medium", [tcp, unix])
@pytest.mark.parametrize("framing", ["console", "raw"])
def test_questions(device, medium, framing):
    with medium(device.link if framing == "console" else device.raw_link) as (uri, _):
        uri += f"?framing={framing}"
        assert lab.ferry("echo", "hello", device=uri, check=0).stdout.strip() == "hello"
        assert lab.ferry_json("params", device=uri)["buf_size"] == 2048


@pytest.mark.parametrize("medium", [tcp, unix])
def test_update(device, bench, medium):
    with medium(device.link) as (uri, _):
        lab.ferry("update", bench.images["v2"], device=uri, check=0)
    assert device.running()["version"] == "2.0.0"


@pytest.mark.parametrize("program", ["update", "station", "library"])
def test_a_wire_that_opens_and_breaks_at_once_is_left_in_peace(device, bench, program):
    """ser2net takes a connection while its device is away, and closes it at once."""
    with tcp(device.link) as (uri, bridge):
        bridge.cut_after, bridge.away = 30_000, 4
        command = {"update": [lab.FERRY, "-d", uri, "update"], "station": [lab.FERRY, "station", "-d", uri],
                   "library": [lab.BUILD / "examples/example_update_device", uri]}[program]
        done = subprocess.run([*command, bench.images["v2"]], capture_output=True, text=True, timeout=60,
                              stdin=subprocess.DEVNULL)
        assert done.returncode == 0, done.stdout + done.stderr
        assert bridge.cut_after is None and 3 <= bridge.accepted <= 12
    assert device.running()["confirmed"] and device.running()["version"] == "2.0.0"


def test_the_library_says_hello_to_the_new_firmware(device, bench):
    """What is known of a connection after an update, its window say, is to be of what runs then."""
    with tcp(device.link) as (uri, bridge):
        subprocess.run([lab.BUILD / "examples/example_update_device", uri, bench.images["v2"]], check=True, timeout=60,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        asked = base64.b64decode(bridge.last.strip().removeprefix(b"\x06\x09"))
    assert asked[6:8] == b"\0\0" and asked[9] == 6  # os/6


def test_nobody_listens(device):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    done = lab.ferry("echo", "x", device=f"tcp:127.0.0.1:{port}", check=3)
    assert "refused" in done.stderr and "next:" in done.stderr
    done = lab.ferry("echo", "x", device=f"unix:{device.folder}/none", check=3)
    assert "No such file" in done.stderr


@pytest.mark.parametrize("uri, word", [
    ("tcp:localhost", "tcp:HOST:PORT"), ("tcp::1", "tcp:HOST:PORT"), ("tcp:h:70000", "tcp:HOST:PORT"),
    ("unix:", "unix:PATH"), ("unix:" + "x" * 108, "unix:PATH"), ("tcp:h:1?speed=9", "framing=raw"),
    ("serial:/dev/ttyS0?framing=slip", "framing=raw"), ("udp:h:1?baud=9", "udp:HOST"), ("smp:h", "tcp:HOST:PORT")])
def test_a_wrong_uri_is_told(uri, word):
    done = lab.ferry("echo", "x", device=uri, check=2)
    assert word in done.stderr


def test_the_line_behind_may_be_bare_with_serial_too(device):
    uri = f"serial:{device.raw_link}?framing=raw&baud=115200"
    assert lab.ferry("echo", "hello", device=uri, check=0).stdout.strip() == "hello"


@pytest.mark.parametrize("uri,why,next", [
    ("tcp:127.0.0.1:9", "Connection refused", "ser2net or the emulator listens"),
    ("unix:/nowhere/socket", "No such file or directory", "makes this socket"),
    ("udp:host.invalid", "", "check the host name"),
    ("/dev/ttyNOPE", "No such file or directory", "lists the serial ports"),
])
def test_the_remedy_fits_the_wire(uri, why, next):
    """Serial ports were named for all, and the path twice."""
    done = lab.ferry("echo", "x", device=uri, check=3)
    assert done.stderr.startswith(f"ferry: cannot open {uri}: {why}") and next in done.stderr
    assert ("serial ports" in done.stderr) == uri.startswith("/dev")


@pytest.mark.parametrize("uri, word", [
    ("ble:", "ble:NAME"), ("ble:?adapter=hci1", "ble:NAME"), ("ble:pump?adapter=", "adapter=NAME"),
    ("ble:pump?baud=9", "adapter=NAME"), ("ble:pump?security=", "security=any"),
    ("ble:pump?adapter=hci1&security=much", "security=any"), ("ble:pump?security=any&", "security=any"), ("dtls:", "dtls:HOST"), ("dtls:h:70000", "dtls:HOST")])
def test_a_wrong_uri_of_packets_is_told(uri, word):
    assert word in lab.ferry("echo", "x", device=uri, check=2).stderr
