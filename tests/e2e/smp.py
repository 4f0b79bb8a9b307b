# SPDX-License-Identifier: Apache-2.0
"""Scripted conversations with a server: SMP packets over UDP or a serial line, built and read here
and by nobody else's program, and checked to the byte where the protocol says so."""
import binascii
import os
import select
import socket
import struct
import time
import tty
from dataclasses import dataclass, field

import cbor2

READ, WRITE = 0, 2
V1, V2 = 0, 1


def rc(number):
    """The answer to a request that an SMP-level error ends."""
    return {"rc": number}


def err(group, number, **beside):
    """The answer with a group's own error, version 2."""
    return {"err": {"group": group, "rc": number}, **beside}


@dataclass
class Answer:
    """One packet of a server. map: what is in it, without "rsn", the text for people."""
    op: int
    version: int
    group: int
    seq: int
    id: int
    map: dict
    raw: bytes = field(repr=False)
    reason: str | None = None


def packet(op, group, id, payload=b"\xa0", version=V2, seq=0, length=None):
    """One request. payload: a map, or bytes as they are."""
    body = payload if isinstance(payload, bytes) else cbor2.dumps(payload)
    length = len(body) if length is None else length
    return struct.pack(">BBHHBB", op | version << 3, 0, length, group, seq, id) + body


def read_answer(data):
    first, flags, length, group, seq, id = struct.unpack(">BBHHBB", data[:8])
    assert flags == 0 and length == len(data) - 8, data.hex()
    assert data[8] == 0xbf and data[-1] == 0xff, f"no map of indefinite length: {data.hex()}"
    content = cbor2.loads(data[8:])
    reason = content.pop("rsn", None)
    return Answer(first & 7, first >> 3, group, seq, id, content, data, reason)


class Talk:
    """A client at a UDP port."""

    def __init__(self, port, host="127.0.0.1", timeout=20, source=None):
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET,
                                    socket.SOCK_DGRAM)
        if source is not None:
            self.socket.bind((source, 0))
        self.socket.connect((host, port))
        self.socket.settimeout(timeout)
        self.seq = 0

    def send(self, data):
        self.socket.send(data)

    def receive(self):
        return read_answer(self.socket.recv(65536))

    def is_silent(self, seconds=0.3):
        """Whether nothing comes for so long."""
        before = self.socket.gettimeout()
        self.socket.settimeout(seconds)
        try:
            self.socket.recv(65536)
            return False
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(before)

    def ask(self, op, group, id, payload=b"\xa0", version=V2):
        """Send one request, take its answer; all of its header is checked."""
        self.seq = self.seq + 1 & 0xff
        self.send(packet(op, group, id, payload, version, self.seq))
        answer = self.receive()
        assert (answer.op, answer.version, answer.group, answer.seq, answer.id) == \
            (op + 1, version, group, self.seq, id), answer
        return answer

    def converse(self, group, steps):
        """Say each step and expect its answer. A step is (op, command, request, answer), asked in
        version 2, or (op, command, request, answer, answer_v1), asked in version 2 and then in
        version 1. An answer may be a function of the map that says whether it is right."""
        for number, (op, id, request, *answers) in enumerate(steps):
            for version, expected in zip((V2, V1), answers):
                got = self.ask(op, group, id, request, version).map
                good = expected(got) if callable(expected) else got == expected
                assert good, (f"step {number}, version {version + 1}: {'read' if op == READ else 'write'} "
                              f"{group}/{id} {request!r}\n  got      {got!r}\n  expected {expected!r}")

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class RawTalk(Talk):
    """A client at a serial line of bare packets."""

    def __init__(self, path, timeout=20):
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.fd)
        self.timeout = timeout
        self.seq = 0
        self.waiting = b""

    def send(self, data):
        while data:
            data = data[os.write(self.fd, data):]

    def read(self, seconds):
        """Take what comes, for so long at most. Whether anything came."""
        ready = select.select([self.fd], [], [], max(seconds, 0))[0]
        if ready:
            self.waiting += os.read(self.fd, 65536)
        return bool(ready)

    def take(self):
        """A whole packet off what came, or None."""
        if len(self.waiting) < 8:
            return None
        end = 8 + struct.unpack(">H", self.waiting[2:4])[0]
        if len(self.waiting) < end:
            return None
        data, self.waiting = self.waiting[:end], self.waiting[end:]
        return data

    def receive(self):
        end = time.monotonic() + self.timeout
        while (data := self.take()) is None:
            if not self.read(end - time.monotonic()):
                raise TimeoutError
        return read_answer(data)

    def is_silent(self, seconds=0.3):
        return not self.waiting and not self.read(seconds)

    def drain(self, seconds):
        """Forget what came, and all that comes before nothing came for so long."""
        while self.read(seconds):
            pass
        self.waiting = b""

    def close(self):
        os.close(self.fd)


class ConsoleTalk(RawTalk):
    """A client at a serial console: frames between text, which is kept."""

    def __init__(self, path, timeout=20):
        super().__init__(path, timeout)
        self.text = b""
        self.body = b""  # of the packet whose lines are coming

    @staticmethod
    def framed(data):
        body = struct.pack(">H", len(data) + 2) + data + struct.pack(">H", binascii.crc_hqx(data, 0))
        text = binascii.b2a_base64(body, newline=False)
        parts = [text[at:at + 124] for at in range(0, len(text), 124)]
        return b"".join((b"\x04\x14" if n else b"\x06\x09") + part + b"\n"
                        for n, part in enumerate(parts))

    def send(self, data):
        super().send(self.framed(data))

    def take(self):
        """The next packet of what came. Text before a frame, and lines of it, go to self.text."""
        while (end := self.waiting.find(b"\n")) >= 0:
            line, self.waiting = self.waiting[:end + 1], self.waiting[end + 1:]
            at = max(line.find(b"\x06\x09"), line.find(b"\x04\x14"))
            if at < 0:
                self.text += line
                continue
            self.text += line[:at]
            try:
                part = binascii.a2b_base64(line[at + 2:-1], strict_mode=True)
            except binascii.Error:
                part = b""
            self.body = part if line[at] == 6 else self.body + part
            if len(self.body) > 4 and len(self.body) == 2 + struct.unpack(">H", self.body[:2])[0]:
                data, crc = self.body[2:-2], self.body[-2:]
                self.body = b""
                if struct.pack(">H", binascii.crc_hqx(data, 0)) == crc:
                    return data
        return None
