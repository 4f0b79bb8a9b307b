# SPDX-License-Identifier: Apache-2.0
"""The emulated chips themselves: what is wrong with them is said, and what they say is not lost."""
import json
import os
import socket
import subprocess
import threading

import pytest

import lab
import machine
import tools
import wires


@pytest.mark.parametrize("words, why", [
    ("cut=many", "cut=many: this is no number"),
    ("op=40", "op=40: this is no range of addresses"),
    ("op=40-40", "op=40-40: this is no range of addresses"),
    (",".join(["op=0-4"] * 9), "op=0-4: there are 8 windows already"),
    ("out=/nowhere/file", "out=/nowhere/file: No such file or directory"),
    ("cut", "there is no such argument|it has no value|this is no number"),
    ("kill=3", "kill=3: there is no such argument"),
])
def test_the_plugin_refuses(microbit, monkeypatch, words, why):
    monkeypatch.setattr(microbit, "plugin", lambda *_: f"{tools.plugin()},{words}")
    with pytest.raises(AssertionError, match=why):
        microbit.power_on(cut=0)


def test_a_flash_of_another_size_is_refused(microbit):
    microbit.flash.write_bytes(bytes(1000))
    with pytest.raises(AssertionError, match="not the size of the flash"):
        microbit.power_on()
    assert microbit.process.returncode == 97


def test_flash_outlives_the_power_and_ram_does_not(nrf51):
    nrf51.program(tools.Layout("nrf51").offset("primary"), tools.firmware("nrf51", "app-v1.signed.bin"))
    for _ in range(2):
        nrf51.power_on()
        nrf51.wait_for(r"app: 1\.0\.0\s")
        before = nrf51.read()
        nrf51.reset()
        nrf51.wait_for(r"app: 1\.0\.0\s")
        nrf51.power_off()
        assert nrf51.read() == before


def test_operations_are_counted_and_the_power_fails_at_one(nrf51, tmp_path):
    """An upload writes many words; the same boot without one writes none."""
    layout = tools.Layout("nrf51")
    image = tools.firmware("nrf51", "app-v1.signed.bin")
    nrf51.program(layout.offset("primary"), image)
    nrf51.power_on(cut=0)
    nrf51.wait_for(r"app: 1\.0\.0\s")
    nrf51.shut_down()
    operations, instructions = nrf51.operations()
    assert operations == 0 and instructions > 100000
    nrf51.power_on(cut=300, trace=tmp_path / "trace")
    nrf51.wait_for(r"app: 1\.0\.0\s")
    with subprocess.Popen([lab.FERRY, "-d", nrf51.uri, "image", "upload", image], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as upload:
        nrf51.wait_for_cut()
        upload.kill()  # it would wait for the device to come back
    traced = [line.split() for line in (tmp_path / "trace").read_text().splitlines()]
    assert nrf51.operations()[0] == len(traced) == 300
    words = [int(address, 16) for window, address in traced if window == "0"]
    offset, size = layout.areas["secondary"]
    assert words and all(offset <= word < offset + size for word in words)
    left, sent = nrf51.read(offset, size), image.read_bytes()
    behind = words[-1] + 4 - offset  # an upload goes up: up to here it is there, and not a word more
    assert left[:behind] == sent[:behind] and not left[behind:].strip(b"\xff")


def test_whole_lines_are_found_once(tmp_path):
    log = wires.Log(tmp_path / "log")
    log.path.write_bytes(b"one 1\r\none 2\r\none 3")
    assert log.find(r"one (\d)") == ["one 1", "1"]
    assert log.find(r"one (\d)") == ["one 2", "2"]
    assert log.find(r"one (\d)") is None
    assert log.text() == "one 1\none 2\none 3"
    log.begin()
    assert log.text() == "" and log.find("one") is None


def echo(listener):
    stream, _ = listener.accept()
    with stream:
        stream.sendall(b"said before anybody listens" * 1000)
        while data := stream.recv(1000):
            stream.sendall(data)


def test_a_terminal_carries_every_byte(microbit):
    """Both ways, for one program after the other."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(microbit.serial))
        listener.listen()
        threading.Thread(target=echo, args=(listener,), daemon=True).start()
        with microbit.pty() as pty:
            for _ in range(2):
                terminal = os.open(pty.path, os.O_RDWR | os.O_NOCTTY)
                sent, received = bytes(range(256)) * 40, b""
                sender = threading.Thread(target=os.write, args=(terminal, sent), daemon=True)
                sender.start()
                while sent not in received:
                    received += os.read(terminal, 4096)
                sender.join(machine.LIMIT)
                os.close(terminal)


def test_a_byte_that_qemu_logs_twice(tmp_path):
    """Seen on a busy machine: the letter had gone out once, and stood in the log twice."""
    log = wires.Log(tmp_path / "log")
    log.begin()
    log.path.write_bytes(b"boot: Feerry, reset\nboot: recovery (no--image)\napp:: 1.0.0\n")
    assert log.find("boot: Ferry, reset") and log.find(r"boot: recovery \(no-image\)")
    assert log.find(r"app: 11\.0\.0") is None and log.find(r"app: (\S+)")[1] == "1.0.0"


class Monitor:
    """QEMU's, in which the chip has just reset itself, and the hand's reset takes a while."""

    def __init__(self):
        self.lines, self.asked = [], []

    def write(self, line):
        command = json.loads(line)["execute"]
        self.asked.append(command)
        if command == "stop" or self.asked.count("query-status") == 2:
            self.lines.append({"event": "RESET"})
        self.lines.append({"return": {}})

    def readline(self):
        return json.dumps(self.lines.pop(0)).encode()


def test_a_reset_of_the_chips_own_is_not_the_hands(microbit, monkeypatch):
    """QEMU lets go of the button at a reset. It was held again behind one that the chip had made itself, and
    the one asked for came after it: the bootloader never saw the button, once in thirty times."""
    microbit.monitor = monitor = Monitor()
    microbit.pressed = True
    monkeypatch.setattr(microbit, "button", lambda held: monitor.asked.append(f"button {held}"))
    try:
        microbit.reset()
    finally:
        microbit.monitor = None
    assert monitor.asked == ["stop", "system_reset", "query-status", "query-status", "button True", "cont"]
