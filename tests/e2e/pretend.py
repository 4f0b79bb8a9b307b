# SPDX-License-Identifier: Apache-2.0
"""A foreign server on a pseudo terminal: as much of one as a client's first questions need."""
import binascii
import os
import pty
import select
import struct
import threading
import tty

import cbor2
import smp


class Pretender:
    """answers(op, group, id, request, version): a map to answer, or None for silence.

    raw: bare packets in place of the console's frames; chatter: bytes it sends, over and over; only:
    the SMP version whose requests it takes at all; buffer: longer packets are dropped in silence;
    echo: every byte goes back, and nothing else does."""

    def __init__(self, answers=None, raw=False, chatter=b"", only=None, buffer=None,
                 echo=False):
        self.answers, self.raw, self.chatter = answers, raw, chatter
        self.only, self.buffer, self.echo = only, buffer, echo
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        os.close(slave)
        self.waiting, self.body = b"", b""
        self.seen = []  # (op, group, id) of what was asked
        self.end = threading.Event()
        self.thread = threading.Thread(target=self.serve, daemon=True)

    @property
    def uri(self):
        return f"{'raw' if self.raw else 'serial'}:{self.path}"

    def packets(self):
        """The packets that are whole, off what waits."""
        while self.raw and len(self.waiting) >= 8:
            end = 8 + struct.unpack(">H", self.waiting[2:4])[0]
            if self.waiting[0] & 7 not in (0, 2) or end > 2048:
                self.waiting = b""  # noise
                return
            if len(self.waiting) < end:
                return
            data, self.waiting = self.waiting[:end], self.waiting[end:]
            yield data
        while not self.raw and b"\n" in self.waiting:
            line, self.waiting = self.waiting.split(b"\n", 1)
            if line[:2] not in (b"\x06\x09", b"\x04\x14"):
                continue
            part = binascii.a2b_base64(line[2:])
            self.body = part if line[0] == 6 else self.body + part
            if len(self.body) > 4 and len(self.body) == 2 + struct.unpack(">H", self.body[:2])[0]:
                data, self.body = self.body[2:-2], b""
                yield data

    def take(self, data):
        first, _, _, group, seq, id = struct.unpack(">BBHHBB", data[:8])
        op, version = first & 7, first >> 3 & 3
        self.seen.append((op, group, id))
        if self.answers is None or (self.only is not None and version != self.only) or \
                (self.buffer is not None and len(data) > self.buffer):
            return
        answer = self.answers(op, group, id, cbor2.loads(data[8:]), version)
        if answer is not None:
            out = smp.packet(op + 1, group, id, cbor2.dumps(answer), version, seq)
            os.write(self.master, out if self.raw else smp.ConsoleTalk.framed(out))

    def serve(self):
        while not self.end.is_set():
            try:
                ready = select.select([self.master], [], [], 0.05)[0]
                if ready:
                    came = os.read(self.master, 4096)
                    if self.echo:
                        os.write(self.master, came)
                    else:
                        self.waiting += came
            except OSError:  # nobody has the port open
                self.end.wait(0.02)
                continue
            for data in self.packets():
                self.take(data)
            if self.chatter and not ready:
                os.write(self.master, self.chatter)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.end.set()
        self.thread.join(timeout=5)
        os.close(self.master)


NOT_SUPPORTED = {"rc": 8}


def mcuboot(op, group, id, request, version):
    """MCUboot's serial recovery: no echo, no flags in its list, "rc" everywhere."""
    if (group, id) == (1, 0) and op == smp.READ:
        return {"images": [{"slot": 0, "version": "1.0.0"}]}
    return NOT_SUPPORTED


def mynewt(op, group, id, request, version):
    """A server of newtmgr's time."""
    if (group, id) == (0, 0):
        return {"r": request["d"], "rc": 0}
    if (group, id) == (1, 0) and op == smp.READ:
        return {"images": [{"slot": 0, "version": "1.0.0", "hash": b"\1" * 32, "bootable": True,
                            "pending": False, "confirmed": True, "active": True,
                            "permanent": False}], "splitStatus": 0, "rc": 0}
    return NOT_SUPPORTED


def old(op, group, id, request, version):
    """Zephyr before it knew os/6 to os/8."""
    answer = mynewt(op, group, id, request, version)
    return {key: value for key, value in answer.items() if key not in ("rc", "splitStatus")} or answer
