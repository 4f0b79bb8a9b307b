# SPDX-License-Identifier: Apache-2.0
"""Group image (1), every command on the wire. [smp.md §3.1, §8]

Not here, since no request makes a sound device answer them: errors 2 … 7, 11 … 19, 26, 29 and 34.
tests/unit/test_group_image_errors.c has all of them in version 1."""
import contextlib
import hashlib
import json
import re
import struct
import subprocess
import time

import pytest

import lab
import smp
from smp import READ, WRITE, err, rc

STATE, UPLOAD, FILE, CORE_LIST, CORE_LOAD, ERASE, SLOT_INFO = range(7)
MAGIC = 0x96f3b83d
COMPRESSED, ROM_FIXED = 0x400, 0x100
MAX_SWAP_MOVE = 253952  # bytes of the largest image in the slots of the default layout


@pytest.fixture
def talk(device):
    device.wait_for(r"app 1\.0\.0")
    with smp.Talk(device.udp_port) as talk:
        yield talk


@contextlib.contextmanager
def talking(tmp_path, bench, strategy="swap-move", two=False, **fields):
    """A device of another layout and a talk with it. two: a second image, in areas data0, data1."""
    text = json.loads(lab.layout(strategy, **fields))
    if two:
        text["areas"] += [{"name": f"data{i}", "device": "internal",
                           "offset": hex(0xb0000 + i * 0x20000), "size": "128K"} for i in (0, 1)]
        text["images"].append({"primary": "data0", "secondary": "data1", "strategy": strategy})
    flash = [f"data0={data_image(bench, '1.0.0')}"] if two else []
    with lab.Device(tmp_path / "other", bench, layout=json.dumps(text), flash=flash) as device:
        device.wait_for(r"app 1\.0\.0")
        with smp.Talk(device.udp_port) as talk:
            talk.device = device
            yield talk


def data_image(bench, version):
    """A signed image of image 1."""
    raw, image = bench.folder / "data.raw", bench.folder / f"data-{version}.bin"
    raw.write_bytes(version.encode() * 3000)
    lab.ferry("sign", "-k", bench.key, "-v", version, "-H", "512", "--pad-header", "-S", "0x20000",
              "--align", "8", raw, image, check=0)
    return image


def header(version=(2, 0, 0, 0), size=1000, flags=0, address=0, magic=MAGIC):
    """The 32 bytes of an image header, and some of what follows."""
    return struct.pack("<IIHHIIBBHII", magic, address, 32, 0, size, flags, *version, 0) + bytes(32)


def first(data=None, **more):
    """A first chunk. A key that is None is left out."""
    data = header() if data is None else data
    request = {"off": 0, "len": 2000, "data": data, **more}
    return {key: value for key, value in request.items() if value is not None}


def send(talk, file, start=0, end=None, **more):
    """Send [start, end) of a file. Returns the last answer's map."""
    end = len(file) if end is None else end
    room = talk.ask(READ, 0, 6).map["buf_size"] - 120
    answer, off = None, start
    while off < end:
        chunk = {"off": off, "data": file[off:min(off + room, end)]}
        if off == 0:
            chunk |= {"len": len(file), "sha": hashlib.sha256(file).digest(), **more}
        answer = talk.ask(WRITE, 1, UPLOAD, chunk).map
        assert answer["off"] == off + len(chunk["data"]), answer
        off = answer["off"]
    return answer


def flags(talk):
    """Slots and what is true of them, "b" for bootable left out: {"0": "active confirmed"}."""
    images = talk.ask(READ, 1, STATE).map["images"]
    return {f"{2 * i.get('image', 0) + i['slot']}": " ".join(
        key for key in ("active", "confirmed", "pending", "permanent") if i[key]) for i in images}


def shows(**expected):
    """A check of a list: the flags of each slot, s0="active confirmed"."""
    def check(answer):
        found = {f"s{2 * i.get('image', 0) + i['slot']}": " ".join(
            key for key in ("active", "confirmed", "pending", "permanent") if i[key])
            for i in answer.get("images", [])}
        return found == expected
    return check


OLD_RUNS = {"0": "active confirmed"}

# ---- Commands ------------------------------------------------------------------------------


def test_operations(talk):
    talk.converse(1, [(READ, UPLOAD, {}, rc(8), rc(8)), (READ, ERASE, {}, rc(8), rc(8)),
                      (WRITE, SLOT_INFO, {}, rc(8), rc(8))])
    for command in (FILE, CORE_LIST, CORE_LOAD, 7, 255):
        talk.converse(1, [(op, command, {}, rc(8), rc(8)) for op in (READ, WRITE)])


def test_list(talk, bench):
    entry = {"slot": 0, "version": "1.0.0", "hash": bytes.fromhex(bench.hash_of("v1")),
             "bootable": True, "pending": False, "confirmed": True, "active": True,
             "permanent": False}
    whole = {"images": [entry], "splitStatus": 0}
    talk.converse(1, [(READ, STATE, {}, whole, whole), (READ, STATE, b"", whole, whole)])
    answer = talk.ask(READ, 1, STATE)
    assert list(answer.map) == ["images", "splitStatus"]
    assert list(answer.map["images"][0]) == list(entry)


def test_slot_info(talk):
    info = {"images": [{"image": 0, "max_image_size": MAX_SWAP_MOVE, "slots": [
        {"slot": 0, "size": 0x40000}, {"slot": 1, "size": 0x40000, "upload_image_id": 0}]}]}
    talk.converse(1, [(READ, SLOT_INFO, {}, info, info), (READ, SLOT_INFO, b"", info, info)])


def test_erase(talk, bench):
    talk.converse(1, [
        (WRITE, ERASE, b"", rc(3), rc(3)), (WRITE, ERASE, {"slot": "1"}, rc(3), rc(3)),
        (WRITE, ERASE, {"slot": -1}, rc(3), rc(3)),
        (WRITE, ERASE, {"slot": 0}, err(1, 9), rc(6)),
        (WRITE, ERASE, {"slot": 2}, err(1, 10), rc(1)), (WRITE, ERASE, {"slot": 7}, err(1, 10), rc(1)),
        (WRITE, ERASE, {"slot": 1}, {}, {}), (WRITE, ERASE, {}, {}, {}),
    ])
    send(talk, bench.images["v2"].read_bytes())
    assert "1" in flags(talk)
    talk.converse(1, [(WRITE, ERASE, {}, {})])
    assert flags(talk) == OLD_RUNS


# ---- State write ----------------------------------------------------------------------------


def test_state_write_refusals(talk):
    active = talk.ask(READ, 1, STATE).map["images"][0]["hash"]
    talk.converse(1, [
        (WRITE, STATE, b"", rc(3), rc(3)), (WRITE, STATE, {"hash": "text"}, rc(3), rc(3)),
        (WRITE, STATE, {"confirm": 1}, rc(3), rc(3)),
        (WRITE, STATE, {}, err(1, 24), rc(3)), (WRITE, STATE, {"hash": b""}, err(1, 24), rc(3)),
        (WRITE, STATE, {"hash": bytes(31)}, err(1, 24), rc(3)),
        (WRITE, STATE, {"hash": bytes(33), "confirm": True}, err(1, 24), rc(3)),
        (WRITE, STATE, {"hash": bytes(32)}, err(1, 8), rc(1)),
        (WRITE, STATE, {"hash": bytes(64)}, err(1, 8), rc(1)),
        (WRITE, STATE, {"hash": active}, err(1, 33), rc(1)),
        (WRITE, STATE, {"confirm": True}, shows(s0="active confirmed"), shows(s0="active confirmed")),
    ])


def test_a_test_is_asked_for(talk, bench):
    send(talk, bench.images["v2"].read_bytes())
    new = bytes.fromhex(bench.hash_of("v2"))
    pending = shows(s0="active confirmed", s1="pending")
    talk.converse(1, [
        (WRITE, STATE, {"hash": new}, pending, pending),  # again: nothing done
        (WRITE, STATE, {"hash": new, "confirm": True}, err(1, 28), rc(6)),
        (WRITE, STATE, {"confirm": True}, err(1, 28), rc(6)),
        (READ, STATE, {}, pending, pending),
        (WRITE, ERASE, {}, {}), (READ, STATE, {}, shows(s0="active confirmed")),
    ])


def test_an_install_for_good_is_asked_for(talk, bench):
    send(talk, bench.images["v2"].read_bytes())
    new = bytes.fromhex(bench.hash_of("v2"))
    permanent = shows(s0="active confirmed", s1="pending permanent")
    talk.converse(1, [
        (WRITE, STATE, {"hash": new, "confirm": True}, permanent, permanent),
        (WRITE, STATE, {"hash": new}, err(1, 28), rc(6)),
        (WRITE, STATE, {"confirm": True}, err(1, 28), rc(6)),
        (READ, STATE, {}, permanent),
    ])
    # The pending slot takes an upload: the request goes with the image.
    talk.converse(1, [(WRITE, UPLOAD, first(), {"off": 64}),
                      (READ, STATE, {}, shows(s0="active confirmed"))])


def test_a_trial(device, talk, bench):
    send(talk, bench.images["v2"].read_bytes())
    old, new = (bytes.fromhex(bench.hash_of(name)) for name in ("v1", "v2"))
    assert "err" not in talk.ask(WRITE, 1, STATE, {"hash": new}).map
    talk.ask(WRITE, 0, 5)
    device.wait_for(r"app 2\.0\.0 started")
    trial = shows(s0="active", s1="confirmed")
    done = shows(s0="active confirmed", s1="")
    talk.converse(1, [
        (READ, STATE, {}, trial, trial),
        (WRITE, STATE, {"hash": old}, err(1, 28), rc(6)),  # the other one: only confirm or reset
        (WRITE, STATE, {"hash": new}, err(1, 33), rc(1)),
        (WRITE, STATE, {"hash": old, "confirm": True}, trial, trial),  # next already: nothing done
        (WRITE, UPLOAD, first(), err(1, 9), rc(6)),  # the way back is nobody's
        (WRITE, ERASE, {"slot": 1}, err(1, 9), rc(6)),
        (WRITE, STATE, {"confirm": True}, done, done),
        (WRITE, ERASE, {"slot": 1}, {}),
    ])


def test_confirms_that_are_denied(tmp_path, bench):
    with talking(tmp_path, bench, "overwrite") as talk:
        send(talk, bench.images["v2"].read_bytes())
        new = bytes.fromhex(bench.hash_of("v2"))
        talk.converse(1, [(WRITE, STATE, {"hash": new, "confirm": True}, err(1, 32), rc(1)),  # b
                          (READ, STATE, {}, shows(s0="active confirmed", s1="")),
                          # A test is all there is; it stays, whoever runs.
                          (WRITE, STATE, {"hash": new}, shows(s0="active confirmed", s1="pending"))])


# ---- Upload: the checks, and which comes first --------------------------------------------------


def test_first_chunks_that_are_refused(talk):
    good = header()
    talk.converse(1, [
        (WRITE, UPLOAD, b"", rc(3), rc(3)),  # 1
        (WRITE, UPLOAD, {"off": -1}, rc(3), rc(3)), (WRITE, UPLOAD, {"off": "0"}, rc(3), rc(3)),
        (WRITE, UPLOAD, first("text"), rc(3), rc(3)),
        (WRITE, UPLOAD, first(upgrade=1), rc(3), rc(3)),
        (WRITE, UPLOAD, first(image="0"), rc(3), rc(3)),
        (WRITE, UPLOAD, first(sha="text"), rc(3), rc(3)),
        (WRITE, UPLOAD, bytes.fromhex("a2 636f666600 636f666600"), rc(3), rc(3)),
        (WRITE, UPLOAD, {}, err(1, 20), rc(3)),  # 2
        (WRITE, UPLOAD, first(good[:31], off=None), err(1, 20), rc(3)),  # 2 before 3
        (WRITE, UPLOAD, first(good[:31], len=None), err(1, 22), rc(3)),  # 3 before 4
        (WRITE, UPLOAD, {"off": 0}, err(1, 22), rc(3)),
        (WRITE, UPLOAD, first(bytes(64), len=None), err(1, 21), rc(3)),  # 4 before 5
        (WRITE, UPLOAD, first(bytes(64), sha=bytes(33)), err(1, 23), rc(1)),  # 5 before 6
        (WRITE, UPLOAD, first(sha=bytes(33), image=7), err(1, 24), rc(3)),  # 6 before 8
        (WRITE, UPLOAD, first(image=7, len=1 << 28), err(1, 9), rc(6)),  # 8 before 9
        (WRITE, UPLOAD, first(header((1, 0, 0, 0)), len=1 << 28, upgrade=True), err(1, 30), rc(1)),
        (WRITE, UPLOAD, first(len=1 << 40), err(1, 30), rc(1)),  # 9 before 11
        (WRITE, UPLOAD, first(len=MAX_SWAP_MOVE + 1), err(1, 30), rc(1)),
        (WRITE, UPLOAD, first(header((1, 0, 0, 9)), len=63, upgrade=True), err(1, 27), rc(6)),
        (WRITE, UPLOAD, first(header((0, 9, 9, 0)), upgrade=True), err(1, 27), rc(6)),
        (WRITE, UPLOAD, first(header(flags=COMPRESSED), len=63), err(1, 31), rc(1)),  # 13 before 14
        (WRITE, UPLOAD, first(header(flags=COMPRESSED)), err(1, 22, off=0), rc(3)),  # 14
        (READ, STATE, {}, shows(s0="active confirmed")),
    ])
    # Texts, for people: in version 1, where it is an rc.
    for request, text in ((first(bytes(64)), "magic mismatch"),
                          (first(header((1, 0, 0, 0)), upgrade=True), "downgrade"),
                          (first(image=7), "no slot"), (first(len=1 << 28), "img too large"),
                          (first(len=63), "data overrun"),
                          (first(good[:31]), "header malformed")):
        assert talk.ask(WRITE, 1, UPLOAD, request, smp.V1).reason == text
    talk.converse(1, [(WRITE, UPLOAD, first(header((2, 0, 0, 0)), upgrade=True), {"off": 64})])


def test_offsets(talk):
    sha = hashlib.sha256(b"some file").digest()
    talk.converse(1, [
        # Nothing is open: the offset to begin with, whatever else is wrong. 12 before 13
        (WRITE, UPLOAD, {"off": 64, "data": bytes(400)}, {"off": 0}, {"off": 0}),
        (WRITE, UPLOAD, {"off": 1 << 40, "data": b""}, {"off": 0}, {"off": 0}),
        (WRITE, UPLOAD, first(sha=sha), {"off": 64}, {"off": 64}),  # 7: the data are not looked at
        (WRITE, UPLOAD, first(sha=sha, image=0, len=1 << 28), {"off": 64}),  # 7 before 9
        (WRITE, UPLOAD, first(header() + bytes(200), sha=sha), {"off": 64}),
        (WRITE, UPLOAD, {"off": 64, "data": bytes(100)}, {"off": 164}),
        (WRITE, UPLOAD, {"off": 64, "data": bytes(100)}, {"off": 164}, {"off": 164}),  # again
        (WRITE, UPLOAD, {"off": 165, "data": bytes(1)}, {"off": 164}, {"off": 164}),
        (WRITE, UPLOAD, {"off": 164}, {"off": 164}, {"off": 164}),
        (WRITE, UPLOAD, {"off": 164, "data": b"", "len": 7}, {"off": 164}, {"off": 164}),
        (WRITE, UPLOAD, first(sha=sha), {"off": 164}),
        # What cannot be read keeps the upload, an error of the group ends it.
        (WRITE, UPLOAD, {"off": "164"}, rc(3), rc(3)),
        (WRITE, UPLOAD, {"off": 164, "data": bytes(3)}, {"off": 167}),
        (WRITE, UPLOAD, first(bytes(64), sha=sha), err(1, 23), rc(1)),
        (WRITE, UPLOAD, {"off": 167, "data": bytes(3)}, {"off": 0}, {"off": 0}),
        # Another digest, or none, begins anew.
        (WRITE, UPLOAD, first(sha=sha), {"off": 64}),
        (WRITE, UPLOAD, {"off": 64, "data": bytes(100)}, {"off": 164}),
        (WRITE, UPLOAD, first(sha=sha[:31]), {"off": 64}, {"off": 64}),
        (WRITE, UPLOAD, first(), {"off": 64}, {"off": 64}),
        (WRITE, UPLOAD, first(len=100), {"off": 64}),
        (WRITE, UPLOAD, {"off": 64, "data": bytes(37)}, err(1, 31)),  # 13
        (WRITE, UPLOAD, {"off": 64, "data": bytes(36)}, {"off": 0}),
        (WRITE, UPLOAD, first(len=100), {"off": 64}),
        (WRITE, UPLOAD, {"off": 64, "data": bytes(37)}, err(1, 31), {"off": 0}),
        (WRITE, UPLOAD, first(len=100), {"off": 64}),
        (WRITE, ERASE, {}, {}),  # ends it, too
        (WRITE, UPLOAD, {"off": 64, "data": bytes(36)}, {"off": 0}),
    ])


def test_match(talk, bench):
    file = bench.images["v2"].read_bytes()
    assert send(talk, file) == {"off": len(file), "match": True}
    sha = hashlib.sha256(file).digest()
    begin = first(file[:64], len=len(file), sha=sha)
    there = {"off": len(file), "match": True}
    talk.converse(1, [(WRITE, UPLOAD, begin, there, there),  # 15: it is there
                      (WRITE, UPLOAD, begin | {"len": len(file) + 1}, {"off": 64})])  # not this one
    assert send(talk, file, sha=bytes(32)) == {"off": len(file), "match": False}
    assert send(talk, file, sha=sha[:31]) == {"off": len(file)}
    assert flags(talk) == {**OLD_RUNS, "1": ""}


def test_wrong_addresses(tmp_path, bench):
    with talking(tmp_path, bench, "direct-xip") as talk:
        fixed = {"flags": ROM_FIXED, "address": 0x12340000}
        talk.converse(1, [
            (WRITE, UPLOAD, first(header(**fixed)), err(1, 25), rc(3)),
            (WRITE, UPLOAD, first(header((1, 0, 0, 0), **fixed), upgrade=True), err(1, 25), rc(3)),
            (WRITE, UPLOAD, first(header(**fixed), len=1 << 28), err(1, 30), rc(1)),
            (WRITE, UPLOAD, first(header(flags=ROM_FIXED, address=0x70000)), {"off": 64}),
            # The higher version is next: there is nothing to write, whatever the request says.
            (WRITE, STATE, {}, rc(8), rc(8)), (WRITE, STATE, b"", rc(8), rc(8)),
            (WRITE, STATE, {"confirm": True}, rc(8), rc(8)),
            (READ, STATE, {}, shows(s0="active confirmed")),
        ])


# ---- Several images ----------------------------------------------------------------------------


def test_two_images(tmp_path, bench):
    with talking(tmp_path, bench, two=True) as talk:
        new = data_image(bench, "2.0.0").read_bytes()
        images = talk.ask(READ, 1, STATE).map["images"]
        assert [(i["image"], i["slot"]) for i in images] == [(0, 0), (1, 0)]
        assert list(images[1])[:3] == ["image", "slot", "version"]
        assert flags(talk) == {"0": "active confirmed", "2": "active confirmed"}
        info = talk.ask(READ, 1, SLOT_INFO).map["images"]
        assert [[s.get("upload_image_id") for s in i["slots"]] for i in info] == [[None, 0], [None, 1]]
        assert send(talk, new, image=1)["match"]
        data = talk.ask(READ, 1, STATE).map["images"][-1]["hash"]
        running = images[1]["hash"]
        pending = shows(s0="active confirmed", s2="active confirmed", s3="pending permanent")
        talk.converse(1, [
            (WRITE, UPLOAD, first(image=2), err(1, 9), rc(6)),
            (WRITE, STATE, {"hash": running, "confirm": True}, err(1, 32), rc(1)),  # a
            (WRITE, STATE, {"hash": running}, err(1, 33), rc(1)),
            (WRITE, STATE, {"hash": data, "confirm": True}, pending, pending),
            (WRITE, STATE, {"hash": running, "confirm": True}, err(1, 32), rc(1)),  # a before f
            (WRITE, ERASE, {"slot": 2}, err(1, 9), rc(6)), (WRITE, ERASE, {"slot": 4}, err(1, 10), rc(1)),
            (WRITE, ERASE, {}, {}),  # slot 1: image 0 runs this program
            (READ, STATE, {}, pending),
            (WRITE, ERASE, {"slot": 3}, {}, {}),
            (READ, STATE, {}, shows(s0="active confirmed", s2="active confirmed")),
        ])


# ---- Options ------------------------------------------------------------------------------------


def test_direct_upload(tmp_path, bench):
    with talking(tmp_path, bench, two=True, server={"direct_upload": True}) as talk:
        info = talk.ask(READ, 1, SLOT_INFO).map["images"]
        assert [[s.get("upload_image_id") for s in i["slots"]] for i in info] == [[None, 2], [None, 4]]
        talk.converse(1, [
            (WRITE, UPLOAD, first(image=1), err(1, 9), rc(6)),  # it runs
            (WRITE, UPLOAD, first(image=3), err(1, 9), rc(6)),
            (WRITE, UPLOAD, first(image=5), err(1, 9), rc(6)),  # there is none
            (WRITE, UPLOAD, first(image=0), {"off": 64}), (WRITE, UPLOAD, first(image=2), {"off": 64}),
        ])
        assert send(talk, data_image(bench, "2.0.0").read_bytes(), image=4)["match"]
        assert send(talk, bench.images["v2"].read_bytes(), image=2)["match"]
        assert set(flags(talk)) == {"0", "1", "2", "3"}


def test_erase_ahead(tmp_path, bench):
    with talking(tmp_path, bench, server={"erase_ahead": True}) as talk:
        for name in ("v2", "v1", "v2"):
            assert send(talk, bench.images[name].read_bytes())["match"]
        file = bench.images["v1"].read_bytes()
        send(talk, file, end=len(file) // 2)
        assert flags(talk) == OLD_RUNS  # half an image over a whole one is in no list
        send(talk, file, start=len(file) // 2)
        assert set(flags(talk)) == {"0", "1"}


def sector(offset):
    return offset // 0x1000 * 0x1000


@pytest.mark.parametrize("ahead", [False, True])
def test_an_upload_goes_on_after_the_power_was_cut(tmp_path, bench, ahead):
    file = bench.images["v2"].read_bytes()
    begin = first(file[:64], len=len(file), sha=hashlib.sha256(file).digest())
    with talking(tmp_path, bench, server={"resume": True, "erase_ahead": ahead}) as talk:
        off = 0
        for end in (30000, 60000, 61000):
            send(talk, file, start=off, end=end)
            talk.device.kill()
            talk.device.start().wait_for(r"app 1\.0\.0")
            talk = keep_talking(talk)
            off = talk.ask(WRITE, 1, UPLOAD, begin).map["off"]
            assert off == sector(end) or off == sector(end - 500), (off, end)
        assert send(talk, file, start=off) == {"off": len(file), "match": True}
        talk.converse(1, [(WRITE, STATE, {"hash": bytes.fromhex(bench.hash_of("v2"))},
                           shows(s0="active confirmed", s1="pending"))])
        talk.ask(WRITE, 0, 5)
        talk.device.wait_for(r"app 2\.0\.0 started")


def keep_talking(talk):
    """The same talk with the same device, which was started anew."""
    talk.close()
    anew = smp.Talk(talk.device.udp_port)
    anew.device = talk.device
    return anew


def test_an_upload_is_forgotten(tmp_path, bench):
    file = bench.images["v2"].read_bytes()
    begin = first(file[:64], len=len(file), sha=hashlib.sha256(file).digest())
    with talking(tmp_path, bench, server={"resume": True}) as talk:
        send(talk, file, end=30000)
        talk.converse(1, [(WRITE, ERASE, {}, {})])
        talk.device.kill()
        talk.device.start().wait_for(r"app 1\.0\.0")
        talk = keep_talking(talk)
        talk.converse(1, [(WRITE, UPLOAD, begin, {"off": 64})])
    with talking(tmp_path / "without", bench) as talk:  # and without the option a reset ends it
        send(talk, file, end=30000)
        talk.device.kill()
        talk.device.start().wait_for(r"app 1\.0\.0")
        talk = keep_talking(talk)
        talk.converse(1, [(WRITE, UPLOAD, {"off": 30000, "data": b""}, {"off": 0}),
                          (WRITE, UPLOAD, begin, {"off": 64})])


def is_written(device, offset):
    """Whether a piece of the flash device is no longer erased."""
    time.sleep(0.02)
    with open(next(device.folder.glob("flash*.bin")), "rb") as flash:
        flash.seek(offset)
        return flash.read(64) != b"\xff" * 64


def test_the_real_client_goes_on(tmp_path, bench):
    """kill -9 of the device in the middle of `ferry image upload`; then again, and it continues."""
    with talking(tmp_path, bench, server={"resume": True, "erase_ahead": True}) as talk:
        device = talk.device
        device.stop()
        device.start(baud=230400).wait_for(r"app 1\.0\.0")
        process = subprocess.Popen([lab.FERRY, "-d", device.uri, "image", "upload",
                                    bench.images["v2"]], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not is_written(device, 0x70000 + 40000):
            assert process.poll() is None
        device.kill()
        process.terminate()
        process.wait(timeout=10)
        device.start().wait_for(r"app 1\.0\.0")
        done = lab.ferry("image", "upload", bench.images["v2"], device=device.uri, check=0).stdout
        resumed = re.search(r"^resumed: at (\d+) of (\d+) bytes$", done, re.M)
        assert int(resumed[1]) >= 36000, done
        assert device.running()["version"] == "1.0.0"
        assert bytes.fromhex(bench.hash_of("v2")) in [
            i["hash"] for i in keep_talking(talk).ask(READ, 1, STATE).map["images"]]
