# SPDX-License-Identifier: Apache-2.0
"""Group fs on the wire: every command, its errors in both versions, the order of its checks, what
it can reach and what not. [smp.md §1.7, §3.6, §8]"""
import hashlib
import os
import pathlib
import random
import socket
import time
import zlib

import pytest

import lab
import smp
from smp import READ, WRITE, err, rc

FS = 8
FILE, STATUS, HASH, TYPES, CLOSE = range(5)


@pytest.fixture
def device(bench, tmp_path):
    with lab.Device(tmp_path / "device", bench,
                    layout=lab.layout("swap-move", server={"files": True})) as device:
        device.wait_for(r"app 1\.0\.0 started")
        yield device


@pytest.fixture
def files(device):
    """The folder of the device's file system."""
    return device.folder / "files"


@pytest.fixture
def talk(device):
    with smp.Talk(device.udp_port) as talk:
        yield talk


def upload(talk, name, data, chunk=300, start=0):
    """Returns the offset of the last answer."""
    at = start
    while True:
        part = data[at:at + chunk]
        request = {"off": at, "name": name, "data": part}
        if at == start:
            request["len"] = len(data)
        answer = talk.ask(WRITE, FS, FILE, request).map
        assert answer == {"off": at + len(part)}
        at += len(part)
        if at >= len(data):
            return at


def download(talk, name):
    data, size = b"", None
    while size is None or len(data) < size:
        answer = talk.ask(READ, FS, FILE, {"off": len(data), "name": name}).map
        assert answer["off"] == len(data)
        assert ("len" in answer) == (answer["off"] == 0)
        size = answer.get("len", size)
        assert answer["data"] or size == 0
        data += answer["data"]
    return data


def test_every_command(talk, files):
    name = "/lfs1/a.txt"
    talk.converse(FS, [
        (WRITE, FILE, {"off": 0, "data": b"0123456789", "len": 14, "name": name}, {"off": 10}),
        (READ, STATUS, {"name": name}, {"len": 10}, {"len": 10}),
        (WRITE, FILE, {"off": 10, "data": b"abcd", "name": name}, {"off": 14}),
        (READ, FILE, {"off": 0, "name": name},
         {"off": 0, "data": b"0123456789abcd", "len": 14}, {"off": 0, "data": b"0123456789abcd", "len": 14}),
        (READ, FILE, {"off": 12, "name": name}, {"off": 12, "data": b"cd"}),
        (READ, FILE, {"off": 14, "name": name}, {"off": 14, "data": b""}),
        (READ, FILE, {"off": 2**40, "name": name}, {"off": 2**40, "data": b""}),
        (READ, HASH, {"name": name},
         {"type": "crc32", "len": 14, "output": zlib.crc32(b"0123456789abcd")}),
        (READ, HASH, {"name": name, "type": "sha256", "off": 2, "len": 5},
         {"type": "sha256", "off": 2, "len": 5, "output": hashlib.sha256(b"23456").digest()}),
        (READ, TYPES, {}, {"types": {"crc32": {"format": 0, "size": 4},
                                     "sha256": {"format": 1, "size": 32}}}),
        (READ, TYPES, b"", lambda got: set(got) == {"types"}),
        (WRITE, CLOSE, {}, {}, {}),
        (WRITE, CLOSE, b"", {}),
    ])
    assert (files / "lfs1/a.txt").read_bytes() == b"0123456789abcd"
