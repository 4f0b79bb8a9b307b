# SPDX-License-Identifier: Apache-2.0
"""The real `ferry` against other people's servers (zephyr.py): every command that a server has built
in, on the wire it has; what it has not is refused, and named. The table is printed at the end."""
import hashlib
import json
import random
import zlib

import pytest

import lab
import zephyr

HEADER = 512
M0 = "qemu_cortex_m0.serial"
RECOVERY = ["mps2_an385.serial_recovery", "mps2_an385.serial_recovery_raw"]


def cells():
    for row, command in ROWS.items():
        for name, server in zephyr.COLUMNS.items():
            if command.wanted(server):
                yield pytest.param(row, name, id=f"{row}-{name}")


class Row:
    """A command as it is tried: groups it needs, and whether the server is changed by it."""

    def __init__(self, label, test, groups, fresh, only):
        self.label, self.test, self.groups, self.fresh, self.only = label, test, groups, fresh, only

    def wanted(self, server):
        return set(self.groups) <= set(server.groups) and (self.only is None or server.name in self.only)


ROWS = {}


def row(label, *groups, fresh=False, only=None):
    def add(test):
        ROWS[test.__name__] = Row(label, test, groups, fresh, only)
        return test
    return add


# ---- os ------------------------------------------------------------------------------------------

@row("os echo", "os")
def os_echo(server):
    assert server.json("echo", "hello") == {"r": "hello"}
    most = 256 if server.column.name.endswith("noparams") else server.column.buf_size
    for length in (40, 120, 180, 300):  # one to four lines of the console
        text = "ü" + "x" * min(length, most - 60)
        assert server.json("echo", text) == {"r": text}


@row("os params", "os")
def os_params(server):
    if server.column.name.endswith("noparams"):
        refused = server.ferry("params", check=5)
        assert "rc 8 ENOTSUP" in refused.stderr
        return
    told = server.json("params")
    assert (told["buf_size"], told["buf_count"]) == (server.column.buf_size, server.column.buf_count)


@row("os info", "os")
def os_info(server):
    if server.column.buf_size < 128:
        assert "rc 7 EMSGSIZE" in server.ferry("info", "a", check=5).stderr
        assert server.json("info", "s")["output"] == "Zephyr"
        return
    told = server.json("info", "a")["output"]
    assert told.startswith("Zephyr ") and told.endswith(" Zephyr") and " 4.4." in told


@row("os reset", "os", fresh=True)
def os_reset(server):
    server.ferry("reset", check=0)
    server.restarted()


@row("os task statistics", "os")
def os_taskstat(server):
    if server.column.buf_size < 256:
        assert "rc 7 EMSGSIZE" in server.ferry("taskstat", check=5).stderr
        return
    tasks = server.json("taskstat")["tasks"]
    assert {t["prio"] for t in tasks.values()} >= {-1, 0, 15}


@row("any command: os date, by raw", "os")
def raw_date(server):
    """Not built into all of them: what is not there is rc 8."""
    done = server.ferry("--json", "raw", "0", "4")
    assert (done.returncode == 5 and "rc 8 ENOTSUP" in done.stderr
            or done.returncode == 0 and "datetime" in json.loads(done.stdout))
    asked = server.json("raw", "0", "6") if not server.column.name.endswith("noparams") else {}
    assert asked.get("buf_size", server.column.buf_size) == server.column.buf_size


# ---- stat, settings, shell, enum, zephyr -----------------------------------------------------------

@row("stat list, read", "stat")
def stat(server):
    assert "smp_svr_stats" in server.json("stat", "list")["stat_list"]
    told = server.json("stat", "smp_svr_stats")
    assert told["name"] == "smp_svr_stats" and told["fields"]["ticks"] >= 0
    assert "stat 3 " in server.ferry("stat", "nobody", check=5).stderr


@row("settings read, write, delete, commit, load", "settings")
def settings(server):
    """The firmware has no setting that a client may have: each refusal is named."""
    for words, code in ((("read", "a/b"), 5), (("write", "a/b", "x"), 5), (("delete", "a/b"), 3)):
        assert f"settings {code} " in server.ferry("settings", *words, check=5).stderr
    server.ferry("settings", "commit", check=0)
    server.ferry("settings", "load", check=0)


@row("fs: a file there and back", "fs")
def files(server):
    data = bytes(range(256)) * 11 + b"end"
    (server.folder / "sent").write_bytes(data)
    server.ferry("fs", "upload", server.folder / "sent", "/lfs1/blob", check=0)
    server.ferry("fs", "download", "/lfs1/blob", server.folder / "got", check=0)
    assert (server.folder / "got").read_bytes() == data
    assert server.json("fs", "stat", "/lfs1/blob")["len"] == len(data)
    types = server.json("fs", "types")["types"]
    told = {name: server.json("fs", "hash", "/lfs1/blob", name)["output"] for name in types}
    assert types.keys() <= {"crc32", "sha256"} and "crc32" in types
    assert told["crc32"] in (zlib.crc32(data), f"{zlib.crc32(data):08x}")
    assert told.get("sha256") in (None, hashlib.sha256(data).hexdigest())
    server.ferry("fs", "close", check=0)
    assert "fs 3 " in server.ferry("fs", "stat", "/lfs1/none", check=5).stderr


@row("shell", "shell")
def shell(server):
    assert "Uptime: " in server.ferry("shell", "exec", "kernel", "uptime", check=0).stdout
    refused = server.ferry("--json", "shell", "exec", "nosuch", check=5)
    assert json.loads(refused.stdout)["ret"] == -8


@row("enum count, list, group, details", "enum")
def enum(server):
    numbers = {"os": 0, "image": 1, "stat": 2, "settings": 3, "fs": 8, "shell": 9, "enum": 10, "zbasic": 63}
    groups = server.json("enum", "list")["groups"]
    assert set(groups) == {numbers[name] for name in server.column.groups}
    assert server.json("enum", "count")["count"] == len(groups)
    assert server.json("enum", "group", "1")["group"] == groups[1]
    if server.column.buf_size >= 384:
        assert [g["group"] for g in server.json("enum", "details")["groups"]] == groups
    assert "enum 4 " in server.ferry("enum", "group", "99", check=5).stderr


@row("zephyr erase storage", "zbasic")
def erase_storage(server):
    server.ferry("storage", "erase", check=0)


# ---- image: Zephyr with MCUboot --------------------------------------------------------------------

def another(tmp_path, server, version="1.2.3"):
    """The server's own program as another image. Its bootloader wants no signature."""
    [signed] = zephyr.SERVERS.glob(server.entry["artifact"].split(".merged")[0].split(".hex")[0] + ".signed.bin")
    whole = signed.read_bytes()
    size = int.from_bytes(whole[12:16], "little")
    (tmp_path / "program").write_bytes(whole[HEADER:HEADER + size])
    slot = server.json("image", "slots")["slots"][0]["size"]
    load = int.from_bytes(whole[4:8], "little")
    lab.ferry("sign", "-v", version, "-H", HEADER, "--pad-header", "-S", hex(slot), "--align", 4,
              *(["-L", hex(load)] if load else []), *lab.AS_IT_IS, tmp_path / "program", tmp_path / "image.bin", check=0)
    return tmp_path / "image.bin", lab.ferry_json("verify", tmp_path / "image.bin")["hash"]


def images(server):
    return {i["slot"]: i for i in server.json("image", "list")["images"]}


@row("image list", "image")
def image_list(server):
    running = images(server)[0]
    assert running["active"] and running["confirmed"] and running["bootable"]
    assert running["version"] == "0.0.0" and len(running["hash"]) == 64


@row("image slots", "image")
def image_slots(server):
    slots = server.json("image", "slots")["slots"]
    assert [s["slot"] for s in slots] == [0, 1] and slots[0]["size"] == slots[1]["size"]


@row("image upload, test, erase", "image", fresh=True, only=[M0])
def image_upload(server):
    file, hash = another(server.folder, server)
    server.json("image", "upload", file)
    assert images(server)[1]["hash"] == hash
    server.ferry("image", "test", hash, check=0)
    assert images(server)[1]["pending"]
    server.ferry("image", "erase", check=0)  # Zephyr erases what is pending, too
    assert 1 not in images(server)


@row("image test of what runs", "image", fresh=True, only=[M0])
def image_test_running(server):
    """Refused by the server with an error of its own, which is named."""
    refused = server.ferry("image", "test", images(server)[0]["hash"], check=5)
    assert "IMAGE_SETTING_TEST_TO_ACTIVE_DENIED" in refused.stderr


@row("a whole update, with proof", "image", fresh=True, only=[M0])
def update(server):
    file, hash = another(server.folder, server)
    server.ferry("update", file, check=0, timeout=120)
    running = images(server)[0]
    assert running["hash"] == hash and running["active"] and running["confirmed"]
    again = server.ferry("update", file, check=0)
    assert "runs" in again.stdout


@row("MCUboot's recovery: list, upload", "image", fresh=True, only=RECOVERY)
def recovery(server):
    file, hash = another(server.folder, server)
    server.ferry("reset", "--recovery", check=0)
    server.wait_for_recovery()
    told = server.json("params")
    assert (told["buf_size"], told["buf_count"]) == (1024, 1)
    server.json("image", "upload", file, timeout=120)
    listed = server.ferry("image", "list", check=0)
    assert hash in listed.stdout and "MCUboot" in listed.stderr
    erased = server.ferry("image", "erase", check=5)
    assert "rc 8 ENOTSUP" in erased.stderr


# ---- files: littlefs, in some 12 KiB -------------------------------------------------------------

LFS = ["native_sim.serial_fs"]


def blob(server, size, seed=1):
    path = server.folder / f"blob-{size}"
    path.write_bytes(random.Random(seed).randbytes(size))
    return path


@row("fs upload, download", "fs", fresh=True, only=LFS)
def fs_both_ways(server):
    for size in (4000, 1, 700):
        sent, back = blob(server, size), server.folder / "back"
        up = server.json("fs", "upload", sent, "/lfs1/a")
        assert up["verified"] and up["output"] == hashlib.sha256(sent.read_bytes()).hexdigest()
        server.json("fs", "download", "/lfs1/a", back)
        assert back.read_bytes() == sent.read_bytes()


@row("fs upload that goes on", "fs", fresh=True, only=LFS)
def fs_resume(server):
    whole, part = blob(server, 4000), server.folder / "part"
    part.write_bytes(whole.read_bytes()[:2440])
    server.json("fs", "upload", part, "/lfs1/a")
    assert server.json("fs", "upload", whole, "/lfs1/a")["resumed_at"] == 2440
    assert server.json("fs", "upload", whole, "/lfs1/a")["already_there"]


@row("fs upload that was left open", "fs", fresh=True, only=LFS)
def fs_left_open(server):
    """Zephyr counts on when the first chunk comes again."""
    raw = {"off": 0, "name": "/lfs1/a", "len": 4000, "data": "h'" + "00" * 200 + "'"}
    server.ferry("raw", "fs", "0", json.dumps(raw), "--write", check=0)
    done = server.ferry("fs", "upload", "--restart", blob(server, 4000), "/lfs1/a", check=0)
    assert "still open" in done.stderr


@row("fs stat, hash, types, close", "fs", fresh=True, only=LFS)
def fs_questions(server):
    data = blob(server, 900).read_bytes()
    server.json("fs", "upload", blob(server, 900), "/lfs1/a")
    assert server.json("fs", "stat", "/lfs1/a")["len"] == 900
    assert server.json("fs", "hash", "/lfs1/a")["output"] == zlib.crc32(data)
    part = server.json("fs", "hash", "/lfs1/a", "sha256", "--offset", 10, "--length", 90)
    assert (part["output"], part["off"]) == (hashlib.sha256(data[10:100]).hexdigest(), 10)
    assert set(server.json("fs", "types")["types"]) == {"crc32", "sha256"}
    assert server.json("fs", "close") == {"closed": True}


@row("fs: what fails is named", "fs", fresh=True, only=LFS)
def fs_refusals(server):
    sent = blob(server, 40000)
    assert "FILE_NOT_FOUND" in server.ferry("fs", "download", "/lfs1/none", "-", check=5).stderr
    assert "MOUNT_POINT_NOT_FOUND" in server.ferry("fs", "upload", sent, "/none/a", check=5).stderr
    assert "FILE_WRITE_FAILED" in server.ferry("fs", "upload", sent, "/lfs1/full", check=5).stderr
    (server.folder / "empty").write_bytes(b"")
    server.json("fs", "upload", blob(server, 5), "/lfs1/b")
    assert "does not empty files" in server.ferry("fs", "upload", server.folder / "empty", "/lfs1/b", check=6).stderr


# ---- What is not built in -----------------------------------------------------------------------

@row("a group that is not there is named", "os")
def refused(server):
    if "image" in server.column.groups:
        return
    done = server.ferry("--json", "image", "list", check=5)
    assert "rc 8 ENOTSUP" in json.loads(done.stdout)["error"]["what"]


# ---- The cells -------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """Servers that nobody changes, by name."""
    kept = {}

    def get(name, fresh):
        if fresh:
            return zephyr.Server(name, tmp_path_factory.mktemp(name)).start()
        if name not in kept:
            kept[name] = zephyr.Server(name, tmp_path_factory.mktemp(name)).start()
        return kept[name]
    yield get
    for server in kept.values():
        server.stop()


@pytest.mark.parametrize("row,name", list(cells()))
def test_server(row, name, shelf):
    zephyr.need(name)
    server = shelf(name, ROWS[row].fresh)
    try:
        ROWS[row].test(server)
    finally:
        if ROWS[row].fresh:
            server.stop()
