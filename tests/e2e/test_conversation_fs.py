# SPDX-License-Identifier: Apache-2.0
"""Group fs on the wire: every command, its errors in both versions, the order of its checks, what
it can reach and what not. [smp.md §1.7, §3.6, §8]"""
import hashlib
import os
import pathlib
import random
import re
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
    with lab.Device(tmp_path / "device", bench, raw=tmp_path / "device" / "raw",
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


def upload(talk, name, data, chunk=300, until=None):
    """Send a file, or its chunks until an offset is reached. Returns that."""
    at = 0
    while at == 0 or at < (len(data) if until is None else until):
        part = data[at:at + chunk]
        request = {"off": at, "name": name, "data": part}
        if at == 0:
            request["len"] = len(data)
        assert talk.ask(WRITE, FS, FILE, request).map == {"off": at + len(part)}
        at += len(part)
        if at == len(data):
            break
    return at


def download(talk, name):
    """Returns the file, and how many bytes its first answer had."""
    data, size, first = b"", None, None
    while size is None or len(data) < size:
        answer = talk.ask(READ, FS, FILE, {"off": len(data), "name": name}).map
        assert answer["off"] == len(data)
        assert ("len" in answer) == (answer["off"] == 0)
        size = answer.get("len", size)
        first = len(answer["data"]) if first is None else first
        assert answer["data"] or size == 0
        data += answer["data"]
    return data, first


def test_every_command(talk, files):
    name = "/lfs1/a.txt"
    whole = b"0123456789abcd"
    talk.converse(FS, [
        (WRITE, FILE, {"off": 0, "data": whole[:10], "len": 14, "name": name}, {"off": 10}),
        (READ, STATUS, {"name": name}, {"len": 10}, {"len": 10}),
        (WRITE, FILE, {"off": 10, "data": whole[10:], "name": name}, {"off": 14}),
        (READ, FILE, {"off": 0, "name": name}, *[{"off": 0, "data": whole, "len": 14}] * 2),
        (READ, FILE, {"off": 12, "name": name}, {"off": 12, "data": b"cd"}),
        (READ, FILE, {"off": 14, "name": name}, {"off": 14, "data": b""}),
        (READ, FILE, {"off": 2**40, "name": name}, {"off": 2**40, "data": b""}),
        (READ, HASH, {"name": name}, *[{"type": "crc32", "len": 14, "output": zlib.crc32(whole)}] * 2),
        (READ, HASH, {"name": name, "type": "sha256", "off": 2, "len": 5},
         {"type": "sha256", "off": 2, "len": 5, "output": hashlib.sha256(whole[2:7]).digest()}),
        (READ, TYPES, {}, *[{"types": {"crc32": {"format": 0, "size": 4},
                                       "sha256": {"format": 1, "size": 32}}}] * 2),
        (READ, TYPES, b"", lambda got: set(got) == {"types"}),
        (WRITE, CLOSE, {}, {}, {}),
        (WRITE, CLOSE, b"", {}),
        # unknown keys, and lengths in any form
        (READ, STATUS, {"x": [{"y": 1}], "name": name}, {"len": 14}),
        (READ, STATUS, b"\xbf\x64name\x78\x0b/lfs1/a.txt\xff", {"len": 14}),
    ])
    assert (files / "lfs1/a.txt").read_bytes() == whole


def test_off_until_the_layout_lists_it(bench, tmp_path):
    with lab.Device(tmp_path / "device", bench) as device:
        device.wait_for(r"app 1\.0\.0 started")
        [firmware] = programs(device)
        assert largest_file(firmware) == 0
        with smp.Talk(device.udp_port) as talk:
            for op, command in ((READ, FILE), (WRITE, FILE), (READ, STATUS), (READ, HASH),
                                (READ, TYPES), (WRITE, CLOSE)):
                assert talk.ask(op, FS, command, {"name": "/lfs1/a", "off": 0, "len": 0}).map == rc(8)
        assert not (device.folder / "files").exists()


def test_order_of_checks(talk, files):
    """Each request is wrong in this and in everything that is looked at later."""
    (files / "folder").mkdir()
    long, wrong = "x" * 65, {"off": 0, "type": "md5"}
    for op, command in ((READ, FILE), (WRITE, FILE), (READ, STATUS), (READ, HASH)):
        talk.converse(FS, [
            (op, command, b"", rc(3), rc(3)),
            (op, command, wrong, rc(3), rc(3)),
            (op, command, {**wrong, "len": 1, "name": ""}, rc(3), rc(3)),
            (op, command, {**wrong, "len": 1, "name": long}, rc(3), rc(3)),
            (op, command, {**wrong, "len": 1, "name": b"bytes"}, rc(3), rc(3)),
            (op, command, {**wrong, "len": 1, "name": "a\0b"}, err(FS, 2), rc(3)),
        ])
    name = {"name": "none/none"}
    talk.converse(FS, [
        (READ, FILE, name, rc(3), rc(3)),
        (WRITE, FILE, {**name, "len": 1}, rc(3), rc(3)),
        (WRITE, FILE, {**name, "off": 0}, rc(3), rc(3)),
        (WRITE, FILE, {**name, "off": 0, "len": 1, "data": b"12"}, rc(3), rc(3)),
        (READ, HASH, {**name, "len": 0, "type": "md5"}, rc(3), rc(3)),
        (READ, HASH, {**name, "type": "ninechars"}, rc(3), rc(3)),
        (READ, HASH, {**name, "type": "md5"}, err(FS, 13), rc(3)),
        (READ, HASH, name, err(FS, 3), rc(5)),
        (READ, HASH, {"name": "folder", "off": 5}, err(FS, 4), rc(1)),
        (WRITE, FILE, {"name": "folder", "off": 5}, err(FS, 4), rc(1)),
    ])


def test_errors(talk, files):
    """Those that a request can provoke here; tests/unit/test_group_fs.c provokes the others."""
    (files / "folder").mkdir()
    (files / "empty").touch()
    (files / "file").write_bytes(b"abc")
    for op, command, beside in ((READ, FILE, {"off": 0}), (READ, STATUS, {}), (READ, HASH, {})):
        talk.converse(FS, [
            (op, command, {"name": "/lfs1/..", **beside}, err(FS, 2), rc(3)),
            (op, command, {"name": "none", **beside}, err(FS, 3), rc(5)),
            (op, command, {"name": "none/none", **beside}, err(FS, 3), rc(5)),
            (op, command, {"name": "file/none", **beside}, err(FS, 3), rc(5)),
            (op, command, {"name": "folder", **beside}, err(FS, 4), rc(1)),
            (op, command, {"name": "/", **beside}, err(FS, 4), rc(1)),
        ])
    first = {"off": 0, "len": 1, "data": b"1"}
    talk.converse(FS, [
        (WRITE, FILE, {"name": "..", **first}, err(FS, 2), rc(3)),
        (WRITE, FILE, {"name": "folder", **first}, err(FS, 4), rc(1)),
        (WRITE, FILE, {"name": "folder/", **first}, err(FS, 4), rc(1)),
        (WRITE, FILE, {"name": "none/a", **first}, err(FS, 14), rc(5)),
        (WRITE, FILE, {"name": "file/a", **first}, err(FS, 14), rc(5)),
        (WRITE, FILE, {"name": "none/a", "off": 3}, err(FS, 11, len=0), rc(1)),
        (WRITE, FILE, {"name": "file", "off": 4}, err(FS, 11, len=3), rc(1)),
        (WRITE, FILE, {"name": "file", "off": 2**40}, err(FS, 11, len=3), rc(1)),
        (READ, HASH, {"name": "file", "off": 3}, err(FS, 12), rc(1)),
        (READ, HASH, {"name": "file", "type": "sha512"}, err(FS, 13), rc(3)),
        (READ, HASH, {"name": "empty"}, err(FS, 16), rc(1)),
        (READ, CLOSE, {}, rc(8), rc(8)),
        (WRITE, STATUS, {"name": "file"}, rc(8), rc(8)),
        (READ, 5, {}, rc(8), rc(8)),
    ])
    assert sorted(path.name for path in files.iterdir()) == ["empty", "file", "folder", "lfs1"]
    assert (files / "file").read_bytes() == b"abc"


def test_the_largest_file(talk, files):
    """16 MiB is the end, and neither kernel nor watchdog has to say so."""
    with open(files / "large", "wb") as file:
        file.truncate(16 * 2**20 - 1)
    talk.converse(FS, [
        (WRITE, FILE, {"name": "large", "off": 16 * 2**20 - 1, "data": b"1"}, {"off": 16 * 2**20}),
        (WRITE, FILE, {"name": "large", "off": 16 * 2**20, "data": b"1"}, err(FS, 10), rc(1)),
        (READ, HASH, {"name": "large"},
         {"type": "crc32", "len": 16 * 2**20, "output": zlib.crc32(bytes(16 * 2**20 - 1) + b"1")}),
    ])


@pytest.mark.parametrize("wire", ["udp", "raw"])
def test_every_size_goes_both_ways(device, files, wire):
    """0, 1, a chunk of a download and one more or less, 100 KiB."""
    (files / "probe").write_bytes(bytes(5000))
    with smp.Talk(device.udp_port) if wire == "udp" else smp.RawTalk(device.raw_link) as talk:
        _, chunk = download(talk, "probe")
        assert chunk > 300
        for size in (0, 1, chunk - 1, chunk, chunk + 1, 100 * 1024):
            data = random.Random(size).randbytes(size)
            upload(talk, "/lfs1/both.bin", data, chunk=chunk - 40)  # the name goes along
            assert (files / "lfs1/both.bin").read_bytes() == data
            assert download(talk, "/lfs1/both.bin")[0] == data
            if size > 0:
                for kind, expected in (("crc32", zlib.crc32(data)),
                                       ("sha256", hashlib.sha256(data).digest())):
                    assert talk.ask(READ, FS, HASH, {"name": "/lfs1/both.bin", "type": kind}).map == \
                        {"type": kind, "len": size, "output": expected}


def test_an_upload_begins_anew(talk, files):
    (files / "a").write_bytes(b"old")
    talk.converse(FS, [
        (WRITE, FILE, {"name": "a", "off": 0, "len": 8}, {"off": 0}),
        (READ, FILE, {"name": "a", "off": 0}, {"off": 0, "data": b"old", "len": 3}),
        (WRITE, FILE, {"name": "a", "off": 0, "len": 8, "data": b"1234"}, {"off": 4}, {"off": 4}),
        (WRITE, FILE, {"name": "a", "off": 4, "data": b"5"}, {"off": 5}),
        (WRITE, FILE, {"name": "a", "off": 4, "data": b"5"}, {"off": 5}, {"off": 5}),  # again
        (WRITE, FILE, {"name": "a", "off": 4, "data": b"x"}, err(FS, 11, len=5), rc(1)),
        (WRITE, FILE, {"name": "a", "off": 5, "data": b"6789"}, rc(3), rc(3)),
        (WRITE, FILE, {"name": "a", "off": 5, "data": b"678"}, {"off": 8}),
        (WRITE, FILE, {"name": "b", "off": 0, "len": 0}, {"off": 0}),
    ])
    assert (files / "a").read_bytes() == b"12345678"
    assert (files / "b").read_bytes() == b""


def test_a_question_leaves_the_file_as_it_is(talk, files):
    """No data at offset 0: what is there can be asked for, and gone on with."""
    (files / "a").write_bytes(b"0123456789")
    talk.converse(FS, [
        (WRITE, FILE, {"name": "a", "off": 0, "len": 20, "data": b""}, {"off": 0}, {"off": 0}),
        (READ, STATUS, {"name": "a"}, {"len": 10}, {"len": 10}),
        (READ, HASH, {"name": "a"}, {"type": "crc32", "len": 10, "output": zlib.crc32(b"0123456789")}),
        (WRITE, FILE, {"name": "a", "off": 9, "data": b"x"}, err(FS, 11, len=10), rc(1)),
        (WRITE, FILE, {"name": "a", "off": 10, "data": b"abcde"}, {"off": 15}),
        (WRITE, FILE, {"name": "a", "off": 0, "len": 20, "data": b""}, {"off": 0}),
        (READ, STATUS, {"name": "a"}, {"len": 15}),
        (WRITE, FILE, {"name": "a", "off": 15, "data": b"fghij"}, {"off": 20}),
    ])
    assert (files / "a").read_bytes() == b"0123456789abcdefghij"


def test_a_file_that_grew(talk, files):
    (files / "log").write_bytes(b"one")
    assert download(talk, "log")[0] == b"one"
    with open(files / "log", "ab") as log:
        log.write(b" two")
        log.flush()
        assert talk.ask(READ, FS, FILE, {"name": "log", "off": 3}).map == {"off": 3, "data": b" two"}
        assert download(talk, "log")[0] == b"one two"


@pytest.mark.parametrize("end", ["power", "power in a chunk", "reset"])
def test_an_upload_goes_on_after_a_cut(device, files, end):
    data = random.Random(end).randbytes(20000)
    with smp.Talk(device.udp_port) as talk:
        assert upload(talk, "/lfs1/cut", data, until=9000) < len(data)
        if end == "reset":
            talk.ask(WRITE, 0, 5)
        if end == "power in a chunk":
            talk.send(smp.packet(WRITE, FS, FILE,
                                 {"off": 9000, "name": "/lfs1/cut", "data": data[9000:9300]}))
    if end != "reset":
        device.kill()
        device.start()
    device.wait_for(r"app 1\.0\.0 started(?s:.*)app 1\.0\.0 started" if end == "reset" else
                    r"app 1\.0\.0 started")
    with smp.Talk(device.udp_port) as talk:
        at = talk.ask(READ, FS, STATUS, {"name": "/lfs1/cut"}).map["len"]
        assert at == 9000 or (end == "power in a chunk" and 9000 <= at <= 9300)
        assert (files / "lfs1/cut").read_bytes() == data[:at]
        while at < len(data):
            part = data[at:at + 700]
            answer = talk.ask(WRITE, FS, FILE,
                              {"off": at, "name": "/lfs1/cut", "data": part, "len": len(data)}).map
            at += len(part)
            assert answer == {"off": at}
        assert talk.ask(READ, FS, HASH, {"name": "/lfs1/cut", "type": "sha256"}).map["output"] == \
            hashlib.sha256(data).digest()
    assert not open_files(device)


def insist(talk, op, command, payload):
    """Ask until there is an answer, as clients do."""
    while True:
        talk.seq = talk.seq + 1 & 0xff
        talk.send(smp.packet(op, FS, command, payload, seq=talk.seq))
        try:
            while (answer := talk.receive()).seq != talk.seq:
                pass
            return answer.map
        except TimeoutError:
            pass


def test_lost_packets_cost_no_file(bench, tmp_path):
    """A request that is lost and one whose answer is lost look the same: both are sent again."""
    data = random.Random(1).randbytes(40000)
    with lab.Device(tmp_path / "device", bench, loss=15, seed=3,
                    layout=lab.layout("swap-move", server={"files": True})) as device:
        device.wait_for(r"app 1\.0\.0 started")
        with smp.Talk(device.udp_port, timeout=0.2) as talk:
            for at in range(0, len(data), 300):
                part = data[at:at + 300]
                assert insist(talk, WRITE, FILE, {"off": at, "name": "a", "data": part,
                                                  "len": len(data)}) == {"off": at + len(part)}
            back = b""
            while len(back) < len(data):
                back += insist(talk, READ, FILE, {"off": len(back), "name": "a"})["data"]
        assert back == data == (device.folder / "files" / "a").read_bytes()


# ---- The open file --------------------------------------------------------------------------

def programs(device):
    """Process ids of what runs on the device."""
    return [int(pid) for pid in pathlib.Path(
        f"/proc/{device.process.pid}/task/{device.process.pid}/children").read_text().split()]


def open_files(device):
    """What its firmware has open in the folder of files."""
    folder = os.path.realpath(device.folder / "files")
    found = []
    for pid in programs(device):
        for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
            target = os.readlink(link)
            if target.startswith(folder + "/"):
                found.append(target[len(folder) + 1:])
    return found


def test_one_file_is_open_and_closed_when_idle(device, talk, files):
    (files / "a").write_bytes(bytes(50000))
    (files / "b").write_bytes(bytes(50000))
    talk.ask(READ, FS, FILE, {"name": "a", "off": 0})
    assert open_files(device) == ["a"]
    talk.ask(READ, FS, FILE, {"name": "b", "off": 0})
    assert open_files(device) == ["b"]
    talk.ask(WRITE, FS, FILE, {"name": "c", "off": 0, "len": 5, "data": b"1"})
    assert open_files(device) == ["c"]
    talk.ask(READ, FS, HASH, {"name": "a"})
    assert open_files(device) == []
    talk.ask(WRITE, FS, FILE, {"name": "c", "off": 1, "data": b"2"})
    assert open_files(device) == ["c"]
    talk.ask(WRITE, FS, CLOSE)
    assert open_files(device) == []
    talk.ask(READ, FS, FILE, {"name": "a", "off": 0})
    end = time.monotonic() + 60
    while open_files(device):
        assert time.monotonic() < end, "an idle file stays open"
        time.sleep(0.1)
    assert talk.ask(READ, FS, FILE, {"name": "a", "off": 49999}).map == {"off": 49999, "data": b"\0"}


def test_a_transfer_belongs_to_its_wire(device, talk, files):
    """The other wire's chunk closes the file, and goes on where it ends."""
    talk.ask(WRITE, FS, FILE, {"name": "a", "off": 0, "len": 5, "data": b"12"})
    with smp.RawTalk(device.raw_link) as other:
        other.converse(FS, [(WRITE, FILE, {"name": "a", "off": 2, "data": b"3"}, {"off": 3})])
    talk.converse(FS, [(WRITE, FILE, {"name": "a", "off": 3, "len": 5, "data": b"45"}, {"off": 5})])
    assert (files / "a").read_bytes() == b"12345"
    assert not open_files(device)


# ---- Nothing outside of the folder ------------------------------------------------------------

OUTSIDE = ["..", "../flash.bin", "/../flash.bin", "//..//flash.bin", "lfs1/../../flash.bin",
           "/lfs1/../../../secret", "./file", "lfs1/./../file", "/etc/../file"]


def test_names_that_would_lead_out(device, talk, files):
    (files / "file").write_bytes(b"in")
    flash = (device.folder / "flash.bin").read_bytes()
    for name in OUTSIDE:
        for op, command in ((READ, FILE), (WRITE, FILE), (READ, STATUS), (READ, HASH)):
            answer = talk.ask(op, FS, command, {"name": name, "off": 0, "len": 2, "data": b"xx"}).map
            assert answer in (err(FS, 2), err(FS, 3), err(FS, 14)), (name, answer)
    # Absolute names are names from the folder: there is no /etc in it.
    talk.converse(FS, [(READ, STATUS, {"name": "/etc/passwd"}, err(FS, 3), rc(5)),
                       (READ, STATUS, {"name": os.path.realpath(files / "file")[-64:]}, err(FS, 3)),
                       (READ, STATUS, {"name": "///file"}, {"len": 2})])
    assert (device.folder / "flash.bin").read_bytes() == flash
    assert (files / "file").read_bytes() == b"in"


def test_what_is_no_plain_file_is_not_opened(device, talk, files, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_bytes(b"secret")
    (files / "in").write_bytes(b"in")
    os.symlink(tmp_path / "outside", files / "link-to-folder")
    os.symlink(tmp_path / "outside" / "secret", files / "link-to-file")
    os.symlink(tmp_path / "outside" / "new", files / "link-to-nothing")
    os.symlink("in", files / "link-inside")
    os.mkfifo(files / "fifo")
    unix = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(files)  # the path of a socket is short
    unix.bind("socket")
    os.chdir(here)
    special = ["link-to-file", "link-to-nothing", "link-inside", "fifo", "socket"]
    try:
        os.mknod(files / "device", 0o020644, os.makedev(1, 5))  # zero
        special.append("device")
    except PermissionError:
        pass
    for name in special:
        talk.converse(FS, [
            (READ, FILE, {"name": name, "off": 0}, err(FS, 5), rc(1)),
            (READ, STATUS, {"name": name}, err(FS, 5), rc(1)),
            (READ, HASH, {"name": name}, err(FS, 5), rc(1)),
            (WRITE, FILE, {"name": name, "off": 0, "len": 1, "data": b"x"}, err(FS, 5), rc(1)),
            (WRITE, FILE, {"name": name, "off": 1, "data": b"x"}, err(FS, 5), rc(1)),
        ])
    talk.converse(FS, [
        (READ, FILE, {"name": "link-to-folder/secret", "off": 0}, err(FS, 3), rc(5)),
        (READ, STATUS, {"name": "link-to-folder/secret"}, err(FS, 3), rc(5)),
        (WRITE, FILE, {"name": "link-to-folder/secret", "off": 0, "len": 1, "data": b"x"},
         err(FS, 14), rc(5)),
        (WRITE, FILE, {"name": "link-to-folder/new", "off": 0, "len": 1, "data": b"x"}, err(FS, 14), rc(5)),
    ])
    assert [path.name for path in (tmp_path / "outside").iterdir()] == ["secret"]
    assert (tmp_path / "outside" / "secret").read_bytes() == b"secret"
    unix.close()


def largest_file(pid):
    """Bytes of the largest file that the kernel lets a process write."""
    limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
    return int(re.search(r"Max file size +(\d+)", limits).group(1))


def test_the_bootloader_is_given_no_files(bench, tmp_path):
    """In recovery nothing serves them; the program has no descriptor of the folder, and may write no
    file at all."""
    with lab.Device(tmp_path / "device", bench,
                    layout=lab.layout("swap-move", server={"files": True})) as device:
        device.wait_for(r"app 1\.0\.0 started")
        folder = os.path.realpath(device.folder / "files")
        [firmware] = programs(device)
        assert os.readlink(f"/proc/{firmware}/fd/10") == folder
        assert largest_file(firmware) == 16 * 2**20
        lab.ferry("reset", "--recovery", device=device.udp_uri, check=0)
        device.wait_for("boot: recovery")
        [bootloader] = programs(device)
        assert largest_file(bootloader) == 0
        assert folder not in [os.readlink(link) for link in
                              pathlib.Path(f"/proc/{bootloader}/fd").iterdir()]
        with smp.Talk(device.udp_port) as talk:
            assert talk.ask(READ, FS, STATUS, {"name": "a"}).map == rc(8)
