# SPDX-License-Identifier: Apache-2.0
"""The clients in Rust: mcumgrctl of mcumgr-toolkit, and mcumgr-client by its Python binding."""
import hashlib
import json
import zlib

from client import BLOB, MCUMGRCTL, MOMENT, PEERS, PYTHON, READ, TEXT, WRITE, Client, fresh, run


class Mcumgrctl(Client):
    wires = ("serial", "raw", "udp")
    there = MCUMGRCTL.exists()
    tool = "rust"

    def __call__(self, *args, **options):
        where = {"serial": ["--serial", self.device.link],
                 "raw": ["--raw", "--serial", getattr(self.device, "raw_link", "")],
                 "udp": ["--udp", f"127.0.0.1:{self.device.udp_port}"]}[self.wire]
        return run(MCUMGRCTL, "-q", "--json", *where, "--timeout", "10000", *args, **options).stdout

    def json(self, *args):
        return json.loads(self(*args))

    def os_echo(self):
        assert self("os", "echo", TEXT).strip("\n") == TEXT

    @fresh()
    def os_reset(self):
        self("os", "system-reset")
        self.proves_restart()

    @fresh()
    def os_reset_recovery(self):
        self("os", "system-reset", "--bootmode", "1")
        self.proves_recovery()

    def os_params(self):
        assert self.json("os", "mcumgr-parameters") == {"buf_size": 2048, "buf_count": 3}

    def os_info(self):
        assert self("os", "application-info", "-a").strip() == \
            self.tell(READ, 0, 7, {"format": "a"})["output"].strip()

    def os_bootloader(self):
        assert self.json("os", "bootloader-info")["Name"] == "MCUboot"

    def os_bootloader_mode(self):
        assert self.json("os", "bootloader-info")["Mode"] == 3

    def image_list(self):
        assert self.json("image", "get-state") == [
            {"image": 0, "slot": 0, "version": "1.0.0", "hash": self.bench.hash_of("v1"),
             "bootable": True, "pending": False, "confirmed": True, "active": True,
             "permanent": False}]

    @fresh(second=True)
    def image_test(self):
        self("image", "set-state", "--hash", self.bench.hash_of("v2"))
        self.proves_test()

    @fresh(second=True)
    def image_install(self):
        self("image", "set-state", "--hash", self.bench.hash_of("v2"), "--confirm")
        self.proves_install()

    @fresh(trial=True)
    def image_confirm(self):
        self("image", "set-state", "--confirm")
        self.proves_confirm()

    @fresh()
    def image_upload(self):
        self("image", "upload", self.bench.images["v2"])
        self.proves_upload()

    @fresh(second=True)
    def image_erase(self):
        self("image", "erase", "1")
        self.proves_erase()

    def image_slots(self):
        assert self.json("image", "slot-info") == self.tell(READ, 1, 6)["images"]

    @fresh()
    def update(self):
        self("firmware", "update", self.bench.images["v2"])
        self.proves_update()

    def raw_request(self):
        # It shows bytes as a list of numbers.
        shown = self.json("raw", "read", "102", "0", '{"n": 0}')
        assert bytes(shown["hash"]) == self.tell(READ, 102, 0, {"n": 0})["hash"]

    def os_taskstat(self):
        shown, told = self.json("os", "task-statistics"), self.tell(READ, 0, 2)["tasks"]
        assert list(shown) == list(told)
        for name, task in told.items():  # the words of stacks are shown as bytes
            assert (shown[name]["prio"], shown[name]["stksiz"], shown[name]["stkuse"]) == \
                (task["prio"], 4 * task["stksiz"], 4 * task["stkuse"])

    def os_mpstat(self):
        shown, told = self.json("os", "memory-pool-statistics"), self.tell(READ, 0, 3)
        assert list(shown) == list(told) and shown["0"]["nblks"] == told["0"]["nblks"] == 3

    def os_datetime(self):
        self.tell(WRITE, 0, 4, {"datetime": MOMENT})
        assert self("os", "get-datetime").startswith(MOMENT[:-2])

    @fresh()
    def os_datetime_set(self):
        self("os", "set-datetime", "--utc", MOMENT + "Z")
        self.proves_date()

    def stat_list(self):
        assert self.json("stats", "list-groups") == sorted(self.sets())

    def stat_read(self):
        for name in self.sets():
            with self.counters(name) as shown:
                shown.update(self.json("stats", "get", name)[name])

    def settings_read(self):
        assert self.json("settings", "read", "id/serial") == list(bytes.fromhex("78563412"))

    @fresh()
    def settings_write(self):
        self("settings", "write", "id/name", b"pump".hex())
        assert self.setting() == b"pump"

    @fresh()
    def settings_delete(self):
        self.set(b"pump", save=True)
        self("settings", "delete", "id/name")
        assert self.setting() == b"ferry-device"

    @fresh()
    def settings_commit(self):
        with self.committed():
            self("settings", "commit")

    @fresh()
    def settings_load(self):
        self.set(b"pump")
        self("settings", "load")
        assert self.setting() == b"ferry-device"

    @fresh()
    def settings_save(self):
        self.set(b"pump")
        self("settings", "save")
        self.proves_save()

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

    @fresh()
    def fs_status(self):
        assert str(len(BLOB)) in self("fs", "status", self.blob())

    @fresh()
    def fs_hash(self):
        assert f"{zlib.crc32(BLOB):08x}" in self("fs", "checksum", self.blob())
        assert hashlib.sha256(BLOB).hexdigest() in self("fs", "checksum", self.blob(), "sha256")
        assert f"{zlib.crc32(BLOB[5:95]):08x}" in self("fs", "checksum", "--offset", 5, "--length", 90,
                                                     self.blob(), "crc32")

    def fs_types(self):
        shown = self("fs", "supported-checksums")
        assert "crc32" in shown and "sha256" in shown

    @fresh()
    def fs_close(self):
        with self.closed():
            self("fs", "close")

    def shell(self):
        assert self("shell", "echo", "one", "two").startswith("one two\n")

    def enum_list(self):
        assert self.json("enum", "list-groups") == self.tell(READ, 10, 1)["groups"]

    def enum_single(self):
        assert self.json("enum", "list-groups", "--iter") == self.tell(READ, 10, 1)["groups"]

    def enum_details(self):
        assert self.json("enum", "show-group-details") == self.tell(READ, 10, 3)["groups"]

    @fresh()
    def erase_storage(self):
        self.set(b"pump", save=True)
        self("zephyr", "erase-storage")
        assert self.setting() == b"ferry-device"


class McumgrClient(Client):
    wires = ("serial",)
    there = any((PEERS / "venv").glob("lib/python3*/site-packages/mcumgr_client"))
    tool = "wheel"

    def __call__(self, expression):
        """An expression on its session, in a process of its own; its value."""
        program = ("import json, mcumgr_client\n"
                   f"s = mcumgr_client.SerialSession(device={self.link!r}, subsequent_timeout_ms=10000)\n"
                   f"print(json.dumps({expression}))")
        return json.loads(run(PYTHON, "-c", program).stdout.splitlines()[-1])

    def hash_of(self, name):
        return list(bytes.fromhex(self.bench.hash_of(name)))

    @fresh()
    def os_reset(self):
        self("s.reset()")
        self.proves_restart()

    def image_list(self):
        [image] = self("s.list()")
        assert image == {"image": 0, "slot": 0, "version": "1.0.0", "hash": self.hash_of("v1"),
                         "bootable": True, "pending": False, "confirmed": True, "active": True,
                         "permanent": False}

    @fresh(second=True)
    def image_test(self):
        self(f"s.test({self.hash_of('v2')})")
        self.proves_test()

    @fresh(second=True)
    def image_install(self):
        self(f"s.test({self.hash_of('v2')}, True)")
        self.proves_install()

    @fresh()
    def image_upload(self):
        self(f"s.upload({str(self.bench.images['v2'])!r})")
        self.proves_upload()

    @fresh(second=True)
    def image_erase(self):
        self("s.erase(1)")
        self.proves_erase()
