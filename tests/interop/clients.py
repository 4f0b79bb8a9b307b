# SPDX-License-Identifier: Apache-2.0
"""Other people's SMP clients, one class each: a method for each command that the client has. It runs
the real thing against a device, and compares what it shows with what the device holds. What that is
tells `truth`, a conversation built by nobody else's program (tests/e2e/smp.py), or the bench that made
the images.

A client lacks the methods of commands that it does not have."""
import hashlib
import os
import zlib

import pytest

import lab
from client import MCUMGR, MOMENT, BLOB, PEERS, READ, TEXT, WRITE, Client, fresh, run
from client_rust import Mcumgrctl, McumgrClient
from client_smpclient import Smpclient, Smpmgr


class GoWords(Client):
    """The words of mcumgr, which ferry takes as well."""

    @fresh()
    def os_reset(self):
        self("reset")
        self.proves_restart()

    @fresh(second=True)
    def image_test(self):
        self("image", "test", self.bench.hash_of("v2"))
        self.proves_test()

    @fresh(second=True)
    def image_install(self):
        self("image", "confirm", self.bench.hash_of("v2"))
        self.proves_install()

    @fresh(trial=True)
    def image_confirm(self):
        self("image", "confirm")
        self.proves_confirm()

    @fresh()
    def image_upload(self):
        self("image", "upload", self.bench.images["v2"])
        self.proves_upload()

    @fresh(second=True)
    def image_erase(self):
        self("image", "erase")
        self.proves_erase()

    @fresh()
    def fs_upload(self):
        source = self.device.folder / "source"
        source.write_bytes(BLOB)
        self("fs", "upload", source, "up.bin")
        assert (self.files / "up.bin").read_bytes() == BLOB

    @fresh()
    def fs_download(self):
        target = self.device.folder / "target"
        self("fs", "download", self.blob(), target)
        assert target.read_bytes() == BLOB


# ---- mcumgr (Go): as its commands are called ------------------------------------------------------

class Mcumgr(GoWords):
    there = MCUMGR.exists()
    tool = "go"
    may_be_missing = True

    def __call__(self, *args):
        where = (["--conntype", "udp", "--connstring", f"127.0.0.1:{self.device.udp_port}"]
                 if self.wire == "udp" else
                 ["--conntype", "serial", "--connstring", f"dev={self.link},baud=115200,mtu=512"])
        return run(MCUMGR, *where, *args).stdout

    def os_echo(self):
        assert self("echo", "hello").strip() == "hello"

    def image_list(self):
        shown = self("image", "list")
        assert "version: 1.0.0" in shown and self.bench.hash_of("v1") in shown
        assert "flags: active confirmed" in shown

    def os_taskstat(self):
        assert all(name in self("taskstat") for name in self.tell(READ, 0, 2)["tasks"])

    def os_mpstat(self):
        assert all(name in self("mpstat") for name in self.tell(READ, 0, 3))

    def os_datetime(self):
        self.tell(WRITE, 0, 4, {"datetime": MOMENT})
        assert MOMENT[:-2] in self("datetime")

    @fresh()
    def os_datetime_set(self):
        self("datetime", MOMENT)
        self.proves_date()

    def stat_list(self):
        assert all(name in self("stat", "list") for name in self.sets())

    def stat_read(self):
        assert all(field in self("stat", "smp") for field in self.tell(READ, 2, 0, {"name": "smp"})["fields"])

    def settings_read(self):
        assert "ferry-device" in self("config", "id/name")

    @fresh()
    def settings_save(self):
        self.set(b"pump")
        self("config", "save")
        self.proves_save()

    @fresh()
    def settings_write(self):
        self("config", "id/name", "pump")
        assert self.setting() == b"pump"

    def log_show(self):
        assert "app 1.0.0 started" in self("log", "show", "device")

    @fresh()
    def log_clear(self):
        self("log", "clear", "device")
        assert self.tell(READ, 4, 0, {"log_name": "device"})["logs"][0]["entries"] == []

    def log_logs(self):
        assert "device" in self("log", "list")

    def log_modules(self):
        assert all(name in self("log", "module_list") for name in self.tell(READ, 4, 3)["module_map"])

    def log_levels(self):
        assert all(name in self("log", "level_list") for name in self.tell(READ, 4, 4)["level_map"])

    def shell(self):
        assert "one two" in self("shell", "exec", "echo", "one", "two")


# ---- ferry, for orientation -----------------------------------------------------------------------


class Ferry(GoWords):
    def __call__(self, *args):
        return lab.ferry_json(*args, device=self.device.udp_uri if self.wire == "udp" else self.device.uri)

    def os_echo(self):
        assert self("echo", TEXT)["r"] == TEXT

    @fresh()
    def os_reset_recovery(self):
        self("reset", "--recovery")
        self.proves_recovery()

    def os_params(self):
        answer = self("params")
        assert (answer["buf_size"], answer["buf_count"]) == (2048, 3)

    def os_info(self):
        assert self("info")["output"] == self.tell(READ, 0, 7, {"format": "a"})["output"]

    def image_list(self):
        [image] = self("image", "list")["images"]
        assert image["hash"] == self.bench.hash_of("v1") and image["version"] == "1.0.0"

    def image_slots(self):
        [told] = self.tell(READ, 1, 6)["images"]
        assert [(s["slot"], s["size"], s["max_image_size"]) for s in self("image", "slots")["slots"]] == \
            [(s["slot"], s["size"], told["max_image_size"]) for s in told["slots"]]

    @fresh()
    def fs_status(self):
        assert self("fs", "stat", self.blob())["len"] == len(BLOB)

    @fresh()
    def fs_hash(self):
        assert self("fs", "hash", self.blob())["output"] == zlib.crc32(BLOB)
        part = self("fs", "hash", self.blob(), "sha256", "--offset", 5, "--length", 90)
        assert part["output"] == hashlib.sha256(BLOB[5:95]).hexdigest()

    def fs_types(self):
        assert self("fs", "types") == self.tell(READ, 8, 3)

    @fresh()
    def fs_close(self):
        with self.closed():
            self("fs", "close")

    @fresh()
    def update(self):
        self("update", self.bench.images["v2"])
        self.proves_update()


CLIENTS = {"mcumgr": Mcumgr, "smpmgr": Smpmgr, "smpclient": Smpclient, "mcumgrctl": Mcumgrctl,
           "mcumgr-client": McumgrClient, "ferry": Ferry}


def why_missing(name):
    """Why a client is not there, as setup-peers noted it."""
    tool = CLIENTS[name].tool
    noted = PEERS / f"{tool}.missing"
    why = noted.read_text().strip() if noted.exists() else f"tests/interop/setup-peers {tool} tells why"
    tried = "; docs/INTEROP.md says what was tried" if CLIENTS[name].may_be_missing else ""
    return f"{name} is not installed: {why}{tried}"


def need(name):
    """Skip the test when a client is not there; fail it with FERRY_NEED_PEERS, when it must be."""
    client = CLIENTS[name]
    if not client.there and os.environ.get("FERRY_NEED_PEERS") and not client.may_be_missing:
        pytest.fail(why_missing(name), pytrace=False)
    if not client.there:
        pytest.skip(why_missing(name))


# The rows of the table: the methods of the classes above.
COMMANDS = {
    "os_echo": "os echo", "os_taskstat": "os task statistics", "os_mpstat": "os memory pools",
    "os_datetime": "os date, read", "os_datetime_set": "os date, write",
    "os_reset": "os reset", "os_reset_recovery": "os reset, boot mode",
    "os_params": "os params", "os_info": "os info", "os_bootloader": "os bootloader info",
    "os_bootloader_mode": "os bootloader info, mode",
    "image_list": "image list", "image_test": "image test", "image_install": "image confirm HASH",
    "image_confirm": "image confirm", "image_upload": "image upload", "image_erase": "image erase",
    "image_slots": "image slot info", "update": "a whole update, one command",
    "stat_list": "stat list", "stat_read": "stat read",
    "settings_read": "settings read", "settings_write": "settings write",
    "settings_delete": "settings delete", "settings_commit": "settings commit",
    "settings_load": "settings load", "settings_save": "settings save",
    "log_show": "log show", "log_clear": "log clear", "log_logs": "log list",
    "log_modules": "log modules", "log_levels": "log levels",
    "fs_upload": "fs upload", "fs_download": "fs download", "fs_status": "fs status",
    "fs_hash": "fs hash", "fs_types": "fs hash types", "fs_close": "fs close",
    "shell": "shell", "enum_count": "enum count", "enum_list": "enum list",
    "enum_single": "enum single", "enum_details": "enum details",
    "erase_storage": "zephyr erase storage", "raw_request": "any request",
}
