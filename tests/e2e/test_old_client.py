# SPDX-License-Identifier: Apache-2.0
"""A client of the first generation, as the Go mcumgr speaks: version 1 headers, `image` in every
chunk, small chunks, no sha when it does not fit, one request at a time, `rc` read from answers.
The frames are made here by hand, so that nothing of Ferry's own client is in between."""
import base64
import binascii
import os
import struct
import time
import tty

from lab import ferry_json


def head(major, n):
    if n < 24:
        return bytes([major << 5 | n])
    if n < 256:
        return bytes([major << 5 | 24, n])
    if n < 65536:
        return bytes([major << 5 | 25]) + struct.pack(">H", n)
    return bytes([major << 5 | 26]) + struct.pack(">I", n)


def cbor(value):
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value)) + value.encode()
    return head(5, len(value)) + b"".join(cbor(k) + cbor(v) for k, v in value.items())


class OldClient:
    def __init__(self, path):
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.fd)
        self.seq = 0
        self.rest = b""

    def close(self):
        os.close(self.fd)

    def request(self, op, group, command, body):
        """Send, and give back the answer's header and payload."""
        self.seq = (self.seq + 1) & 0xff
        payload = cbor(body)
        packet = struct.pack(">BBHHBB", op, 0, len(payload), group, self.seq, command) + payload
        frame = struct.pack(">H", len(packet) + 2) + packet
        frame += struct.pack(">H", binascii.crc_hqx(packet, 0))
        text = base64.b64encode(frame)
        marker = b"\x06\x09"
        while text:
            os.write(self.fd, marker + text[:124] + b"\n")
            text, marker = text[124:], b"\x04\x14"
        answer = self.receive()
        assert answer[0] == op + 1 and answer[6] == self.seq, answer.hex()
        return answer[:8], answer[8:]

    def upload(self, image):
        off = 0
        while off < len(image):
            body = {"image": 0, "off": off, "data": image[off:off + 51]}
            if off == 0:
                body["len"] = len(image)
            _, payload = self.request(2, 1, 1, body)
            off += len(body["data"])
            assert payload[-1 - len(head(0, off)):-1] == head(0, off), payload.hex()

    def receive(self, timeout=10):
        body, end = b"", time.monotonic() + timeout
        while time.monotonic() < end:
            self.rest += os.read(self.fd, 4096)
            while b"\n" in self.rest:
                line, self.rest = self.rest.split(b"\n", 1)
                if line[:2] == b"\x06\x09":
                    body = b""
                elif line[:2] != b"\x04\x14":
                    continue
                body += base64.b64decode(line[2:])
                if len(body) >= struct.unpack(">H", body[:2])[0] + 2:
                    assert binascii.crc_hqx(body[2:], 0) == 0
                    return body[2:-2]
        raise AssertionError("no answer")


def test_a_client_of_the_first_generation_updates(device, bench):
    device.wait_for(r"app 1\.0\.0")
    image = bench.images["v2"].read_bytes()
    old = OldClient(os.path.realpath(device.link))
    try:
        header, payload = old.request(2, 0, 0, {"d": "hello"})
        assert header[0] == 3 and b"hello" in payload  # version 1 is answered in version 1
        _, payload = old.request(0, 1, 0, {})
        assert b"1.0.0" in payload
        old.upload(image)
        digest = bytes.fromhex(bench.hash_of("v2"))
        _, payload = old.request(2, 1, 0, {"hash": digest, "confirm": False})
        assert b"pending\xf5" in payload
        # a second test is refused: version 1 gets the translated rc 6
        _, payload = old.request(2, 1, 0, {"hash": bytes.fromhex(bench.hash_of("v1")),
                                           "confirm": False})
        assert payload in (b"\xbf\x62rc\x06\xff", b"\xbf\x62rc\x01\xff"), payload.hex()
        old.request(2, 0, 5, {})
        device.wait_for(r"app 2\.0\.0")
        time.sleep(0.2)
        _, payload = old.request(2, 1, 0, {"confirm": True})
        assert b"confirmed\xf5" in payload
    finally:
        old.close()
    assert ferry_json("image", "list", device=device.uri)["images"][0]["version"] == "2.0.0"


def test_a_client_of_the_first_generation_recovers(device, bench):
    """In the bootloader's recovery: upload and reset is all it knows of it."""
    device.wait_for(r"app 1\.0\.0")
    old = OldClient(os.path.realpath(device.link))
    try:
        old.request(2, 0, 5, {"boot_mode": 1})
        device.wait_for(r"recovery \(boot-mode\)")
        header, payload = old.request(2, 0, 1, {"echo": 0})  # the console's echo off, as its first
        assert header[0] == 3 and b"rc\x00" in payload
        _, payload = old.request(0, 1, 0, {})
        assert b"1.0.0" in payload and b"active\xf4" in payload
        old.upload(bench.images["v2"].read_bytes())
        old.request(2, 0, 5, {})
        device.wait_for(r"app 2\.0\.0")
    finally:
        old.close()
    state = device.running()
    assert state["version"] == "2.0.0" and state["confirmed"]
