# SPDX-License-Identifier: Apache-2.0
"""A console that is a shell and takes SMP frames: somebody types while clients work."""
import os
import random
import select
import threading
import time
import tty

import pytest

import lab
import smp
from smp import READ, WRITE

PROMPT = b"ferry> "


class Terminal(smp.ConsoleTalk):
    """A person at the console, and a client beside him on the same line."""

    def type(self, keys):
        os.write(self.fd, keys.encode())

    def shows(self, end=PROMPT, seconds=10):
        """What the terminal shows until this end."""
        shown, until = b"", time.monotonic() + seconds
        while not shown.endswith(end):
            assert select.select([self.fd], [], [], until - time.monotonic())[0], shown
            shown += os.read(self.fd, 4096)
        return shown.decode()

    def waits_for_text(self, text, count=1, seconds=10):
        """Until lines of text came so often; no answer comes any more."""
        until = time.monotonic() + seconds
        assert self.take() is None
        while self.text.count(text) < count:
            assert self.read(until - time.monotonic()), self.text
            assert self.take() is None


@pytest.fixture
def device(tmp_path, bench):
    with lab.Device(tmp_path / "device", bench,
                    layout=lab.layout("swap-move", server={"serial_shell": True})) as d:
        d.wait_for(r"app 1\.0\.0 started")
        yield d


@pytest.fixture
def terminal(device):
    with Terminal(device.link) as terminal:
        terminal.type("version\r")
        terminal.shows(b"app 1.0.0\r\nferry> ")  # not the prompt of the start
        yield terminal


def test_lines_are_run(terminal):
    terminal.type("version\r")
    assert terminal.shows() == "version\r\napp 1.0.0\r\nferry> "
    terminal.type("echo one  two\n")
    assert terminal.shows() == "echo one  two\r\none  two\r\nferry> "
    terminal.type("nothing\r\n")
    assert terminal.shows() == "nothing\r\nnothing: command not found; help lists them\r\nferry> "
    terminal.type("versiom\x7fn\r")
    assert terminal.shows() == "versiom\b \bn\r\napp 1.0.0\r\nferry> "


def test_a_frame_in_the_middle_of_a_line(terminal):
    """Its answer begins a line; what was typed goes on, and comes back with the next key."""
    terminal.type("vers")
    assert terminal.shows(b"vers") == "vers"
    assert terminal.ask(WRITE, 0, 0, {"d": "hello"}).map == {"r": "hello"}
    assert terminal.text == b"\r\n"
    terminal.type("ion\r")
    # The prompt comes back with the key: one that is read alone is not the end.
    assert terminal.shows(b"1.0.0\r\nferry> ") == "ferry> version\r\napp 1.0.0\r\nferry> "


def test_keys_right_in_front_of_a_frame(terminal):
    """Enter is not swallowed by the marker behind it."""
    terminal.type("version")
    terminal.shows(b"version")
    os.write(terminal.fd, b"\r" + terminal.framed(smp.packet(READ, 0, 6, seq=1)))
    assert terminal.receive().map["buf_size"] == 2048
    terminal.waits_for_text(b"app 1.0.0\r\n")


def test_an_answer_of_many_lines_is_not_broken_by_text(terminal):
    """Keys come while the answer is made: what they show stands before or behind it."""
    for n in range(20):
        terminal.send(smp.packet(WRITE, 0, 0, {"d": "x" * 1900}, seq=n))
        terminal.type("version\r")
        assert terminal.receive().map == {"r": "x" * 1900}
    terminal.waits_for_text(b"app 1.0.0\r\n", 20)


def test_a_marker_that_was_typed(terminal):
    """Ctrl-F, Tab: all is a frame's until Enter, or until nothing came for three seconds."""
    terminal.type("\x06\tversion\n")
    terminal.type("version\r")
    assert terminal.shows() == "version\r\napp 1.0.0\r\nferry> "
    terminal.type("\x06\tversion")
    time.sleep(3.2)
    terminal.type("version\r")
    assert terminal.shows() == "version\r\napp 1.0.0\r\nferry> "


def test_an_overlong_line(terminal):
    terminal.type("e" * 300 + "\r")
    assert "this line is too long and was not run" in terminal.shows()


def test_update_while_somebody_types(device, bench):
    """Keys that fall into a frame spoil it, and the client sends it again."""
    done = threading.Event()
    keys = os.open(device.link, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(keys)

    def type_on():
        choose = random.Random(1)
        while not done.wait(choose.uniform(0, 0.02)):
            os.write(keys, choose.choice([b"version\r", b"v", b"\x15", b"help\r", b"\x1b[A"]))

    typist = threading.Thread(target=type_on)
    typist.start()
    try:
        lab.ferry("update", bench.images["v2"], device=device.uri, check=0, timeout=300)
    finally:
        done.set()
        typist.join()
        os.close(keys)
    assert "\napp 1.0.0\n" in device.log() and "\nhelp: this list\n" in device.log()
    assert device.running()["version"] == "2.0.0"
