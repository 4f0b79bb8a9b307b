# SPDX-License-Identifier: Apache-2.0
"""The ends of a chip's wires on this computer: what it says, a person at its console, and a terminal
for programs that can open nothing else."""
import os
import pathlib
import re
import select
import socket
import threading
import time
import tty


class Log:
    """What a wire has carried from the chip; QEMU writes the file, also when nobody is connected."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.path.touch()
        self.begin()

    def begin(self):
        """The power comes on: what is there already is of an earlier life."""
        self.start = self.read_to = self.path.stat().st_size

    def text(self):
        """What was said since the power came on."""
        with open(self.path, "rb") as file:
            file.seek(self.start)
            return file.read().decode("latin-1").replace("\r", "")

    def words(self):
        """That without frames of SMP, each a line that begins with one of two pairs of bytes."""
        return "".join(line for line in self.text().splitlines(True) if not line.startswith(("\x06\t", "\x04\x14")))

    def find(self, pattern):
        """The regular expression in whole lines that no find() has passed yet; it goes on behind the
        match. Returns the match and its groups, or None."""
        with open(self.path, "rb") as file:
            file.seek(self.read_to)
            data = file.read()
        match = re.search(stammering(pattern).encode("latin-1"), data[:data.rfind(b"\n") + 1])
        if match is None:
            return None
        self.read_to += match.end()
        return [group and group.decode("latin-1") for group in (match[0], *match.groups())]


def stammering(pattern):
    """The regular expression, where any letter or sign may stand twice: QEMU 7.2 writes a byte into its log
    again when the socket did not take it at once, as when a client leaves ("boot: Feerry, reset"). Digits
    count as they are."""
    return re.sub(r"\\[().]|\\.|[A-Za-z:, -]",
                  lambda sign: sign[0] + ("" if re.match(r"\\[a-zA-Z]", sign[0]) else "{1,2}"), pattern)


class Line:
    """A connection to a UART, as a person at a terminal has. One at a time: whoever comes second waits."""

    def __init__(self, path, timeout=60):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())

    def receive(self, size=4096):
        return self.socket.recv(size)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


class Pty:
    """A terminal (`path`) that leads to a UART's socket. While no program has it open, what the chip
    says goes nowhere, as with a serial port. It ends with the socket, or with close()."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.master, slave = os.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        os.close(slave)  # its settings stay as long as the master's end is open
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.pump, daemon=True)
        self.thread.start()

    def opened(self):
        poll = select.poll()
        poll.register(self.master, 0)
        return not any(event & select.POLLHUP for _, event in poll.poll(0))

    def pump(self):
        while not self.ended.is_set():
            opened = self.opened()
            ends = [self.socket, self.master] if opened else [self.socket]
            readable = select.select(ends, [], [], 0.005)[0]
            try:
                if self.master in readable:
                    self.socket.sendall(os.read(self.master, 4096))
                if self.socket in readable and not self.to_terminal(self.socket.recv(4096)):
                    return
            except OSError:  # the program closed the terminal, or the chip went off
                time.sleep(0.001)

    def to_terminal(self, data):
        """False when the socket has ended."""
        rest = data
        while rest and self.opened() and not self.ended.is_set():
            if select.select([], [self.master], [], 0.005)[1]:
                rest = rest[os.write(self.master, rest):]
        return bool(data)

    def close(self):
        self.ended.set()
        self.thread.join(timeout=10)
        os.close(self.master)
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def connect(path, alive, timeout=60):
    """A stream to a socket that somebody is about to open; alive() tells why not, when it cannot come."""
    end = time.monotonic() + timeout
    while True:
        stream = socket.socket(socket.AF_UNIX)
        stream.settimeout(timeout)
        try:
            stream.connect(str(path))
            return stream
        except (FileNotFoundError, ConnectionRefusedError):
            stream.close()
            alive()
            assert time.monotonic() < end, f"nobody listens at {path}"
            time.sleep(0.002)
