# SPDX-License-Identifier: Apache-2.0
"""smpclient, the library, and smpmgr, the command on it."""
import ast
import asyncio
import contextlib
import hashlib
import re
import zlib

from client import BLOB, MOMENT, READ, SMPMGR, TEXT, WRITE, Client, defect, fresh, run


class Smpclient(Client):
    wires = ("serial", "raw", "udp")

    @contextlib.asynccontextmanager
    async def connected(self):
        from smpclient import SMPClient
        from smpclient.transport.serial import SMPSerialRawTransport, SMPSerialTransport
        from smpclient.transport.udp import SMPUDPTransport

        port = self.device.udp_port

        class Udp(SMPUDPTransport):
            async def connect(self, address, timeout_s):
                await super().connect(address, timeout_s, port)

        transport = {"serial": SMPSerialTransport, "raw": SMPSerialRawTransport, "udp": Udp}[self.wire]
        address = "127.0.0.1" if self.wire == "udp" else self.link
        async with SMPClient(transport(), address, timeout_s=10) as client:
            yield client

    def ask(self, module, request, **fields):
        """One request, of smpclient.requests; its answer."""
        import importlib

        from smpclient.generics import success
        kind = getattr(importlib.import_module(f"smpclient.requests.{module}_management"), request)

        async def talk():
            async with self.connected() as client:
                return await client.request(kind(**fields))
        answer = asyncio.run(talk())
        assert success(answer), answer
        return answer

    def fails_to_read(self, module, request, **fields):
        """Whether it refuses an answer that the protocol has so."""
        from smpclient.exceptions import SMPValidationException
        try:
            self.ask(module, request, **fields)
        except SMPValidationException:
            return True
        return False

    def os_echo(self):
        assert self.ask("os", "EchoWrite", d=TEXT).r == TEXT

    @fresh()
    def os_reset(self):
        self.ask("os", "ResetWrite")
        self.proves_restart()

    @fresh()
    def os_reset_recovery(self):
        self.ask("os", "ResetWrite", boot_mode=1)
        self.proves_recovery()

    def os_params(self):
        answer = self.ask("os", "MCUMgrParametersRead")
        assert (answer.buf_size, answer.buf_count) == (2048, 3)

    def os_info(self):
        output = self.ask("os", "OSApplicationInfoRead", format="a").output
        assert output == self.tell(READ, 0, 7, {"format": "a"})["output"] and " 1.0.0 " in output

    def os_bootloader(self):
        assert self.ask("os", "BootloaderInformationRead").bootloader == "MCUboot"

    @defect("the model of the answer demands `bootloader`, which no server sends with `mode`")
    def os_bootloader_mode(self):
        assert self.tell(READ, 0, 8, {"query": "mode"}) == {"mode": 3}
        assert self.fails_to_read("os", "BootloaderInformationRead", query="mode")

    def image_list(self):
        [image] = self.ask("image", "ImageStatesRead").images
        assert (image.slot, image.version, image.active, image.confirmed) == (0, "1.0.0", True, True)
        assert bytes(image.hash).hex() == self.bench.hash_of("v1")

    @fresh(second=True)
    def image_test(self):
        self.ask("image", "ImageStatesWrite", hash=bytes.fromhex(self.bench.hash_of("v2")))
        self.proves_test()

    @fresh(second=True)
    def image_install(self):
        self.ask("image", "ImageStatesWrite", hash=bytes.fromhex(self.bench.hash_of("v2")), confirm=True)
        self.proves_install()

    @fresh(trial=True)
    def image_confirm(self):
        self.ask("image", "ImageStatesWrite", confirm=True)
        self.proves_confirm()

    @fresh()
    def image_upload(self):
        async def talk():
            async with self.connected() as client:
                async for _ in client.upload(self.bench.images["v2"].read_bytes()):
                    pass
        asyncio.run(talk())
        self.proves_upload()

    @fresh(second=True)
    def image_erase(self):
        self.ask("image", "ImageErase", slot=1)
        self.proves_erase()

    def raw_request(self):
        """A group of the user's range: trust, whose number 0 is the key of the bench."""
        from smp import message
        from smpclient import SMPClient  # noqa: F401

        class KeyAnswer(message.ReadResponse):
            _GROUP_ID, _COMMAND_ID = 102, 0
            hash: bytes
            source: str
            revoked: bool
            development: bool
            named: bool

        class Key(message.ReadRequest):
            _GROUP_ID, _COMMAND_ID = 102, 0
            _Response = KeyAnswer
            from smpclient.requests.os_management import _OSGroupBase
            _ErrorV1, _ErrorV2 = _OSGroupBase._ErrorV1, _OSGroupBase._ErrorV2
            n: int

        async def talk():
            async with self.connected() as client:
                return await client.request(Key(n=0))
        assert asyncio.run(talk()).hash == self.tell(READ, 102, 0, {"n": 0})["hash"]

    def os_taskstat(self):
        shown = self.ask("os", "TaskStatisticsRead").tasks
        told = self.tell(READ, 0, 2)["tasks"]
        assert list(shown) == list(told)
        for name, task in told.items():
            assert (shown[name].prio, shown[name].state, shown[name].stksiz, shown[name].stkuse) == \
                (task["prio"], task["state"], task["stksiz"], task["stkuse"])

    def os_mpstat(self):
        shown = self.ask("os", "MemoryPoolStatisticsRead").model_extra
        told = self.tell(READ, 0, 3)
        assert list(shown) == list(told) and shown["0"]["nblks"] == told["0"]["nblks"] == 3

    def os_datetime(self):
        self.tell(WRITE, 0, 4, {"datetime": MOMENT})
        assert self.ask("os", "DateTimeRead").datetime.startswith(MOMENT[:-2])

    @fresh()
    def os_datetime_set(self):
        self.ask("os", "DateTimeWrite", datetime=MOMENT)
        self.proves_date()

    def stat_list(self):
        assert list(self.ask("statistics", "ListOfGroups").stat_list) == self.sets()

    def stat_read(self):
        for name in self.sets():
            with self.counters(name) as shown:
                shown.update(self.ask("statistics", "GroupData", name=name).fields)

    def settings_read(self):
        assert self.ask("settings", "ReadSetting", name="id/serial").val == bytes.fromhex("78563412")

    @fresh()
    def settings_write(self):
        self.ask("settings", "WriteSetting", name="id/name", val=b"pump")
        assert self.setting() == b"pump"

    @fresh()
    def settings_delete(self):
        self.set(b"pump", save=True)
        self.ask("settings", "DeleteSetting", name="id/name")
        assert self.setting() == b"ferry-device"

    @fresh()
    def settings_commit(self):
        with self.committed():
            self.ask("settings", "CommitSettings")

    @fresh()
    def settings_load(self):
        self.set(b"pump")
        self.ask("settings", "LoadSettings")
        assert self.setting() == b"ferry-device"

    @fresh()
    def settings_save(self):
        self.set(b"pump")
        self.ask("settings", "SaveSettings")
        self.proves_save()

    @fresh()
    def fs_upload(self):
        async def talk():
            async with self.connected() as client:
                async for _ in client.upload_file(BLOB, "up.bin"):
                    pass
        asyncio.run(talk())
        assert (self.files / "up.bin").read_bytes() == BLOB

    @fresh()
    def fs_download(self):
        async def talk():
            async with self.connected() as client:
                return await client.download_file(self.blob())
        assert asyncio.run(talk()) == BLOB

    @fresh()
    def fs_status(self):
        assert self.ask("file", "FileStatus", name=self.blob()).len == len(BLOB)

    @fresh()
    def fs_hash(self):
        for options, output in (({}, zlib.crc32(BLOB)), ({"type": "sha256"}, hashlib.sha256(BLOB).digest()),
                                ({"type": "crc32", "off": 5, "len": 90}, zlib.crc32(BLOB[5:95]))):
            answer = self.ask("file", "FileHashChecksum", name=self.blob(), **options)
            assert answer.output == output and answer.len == options.get("len", len(BLOB))

    def fs_types(self):
        shown = self.ask("file", "SupportedFileHashChecksumTypes").types
        assert {name: (int(t.format), t.size) for name, t in shown.items()} == \
            {"crc32": (0, 4), "sha256": (1, 32)}

    @fresh()
    def fs_close(self):
        with self.closed():
            self.ask("file", "FileClose")

    def shell(self):
        answer = self.ask("shell", "Execute", argv=["echo", "one", "two"])
        assert (answer.o, answer.ret) == ("one two\n", 0)

    def enum_count(self):
        assert self.ask("enumeration", "CountSupportedGroups").count == len(self.tell(READ, 10, 1)["groups"])

    def enum_list(self):
        assert list(self.ask("enumeration", "ListSupportedGroups").groups) == self.tell(READ, 10, 1)["groups"]

    def enum_single(self):
        groups = self.tell(READ, 10, 1)["groups"]
        for index, group in enumerate(groups):
            answer = self.ask("enumeration", "GroupId", index=index)
            assert answer.group == group and bool(answer.end) == (index == len(groups) - 1)

    def enum_details(self):
        shown = self.ask("enumeration", "GroupDetails").groups
        assert [(g.group, g.name, g.handlers) for g in shown] == \
            [(g["group"], g["name"], g["handlers"]) for g in self.tell(READ, 10, 3)["groups"]]

    @fresh()
    def erase_storage(self):
        self.set(b"pump", save=True)
        self.ask("zephyr", "EraseStorage")
        assert self.setting() == b"ferry-device"


class Smpmgr(Client):
    """Its UDP knows only port 1337."""
    udp_port = 1337

    def __call__(self, *args, **options):
        where = ["--ip", "127.0.0.1"] if self.wire == "udp" else ["--port", self.link]
        done = run(SMPMGR, *where, "--timeout", "10", *args, **options)
        assert "Error" not in done.stdout, done.stdout  # it exits with 0 when the device refused
        return done.stdout

    def os_echo(self):
        assert f"r='{TEXT}'" in self("os", "echo", TEXT)

    @fresh()
    def os_reset(self):
        self("os", "reset")
        self.proves_restart()

    def image_list(self):
        shown = self("image", "state-read")
        assert shown.count("ImageState(") == 1 and "version='1.0.0'" in shown
        assert f"HashBytes('{self.bench.hash_of('v1').upper()}')" in shown
        assert "active=True" in shown and "confirmed=True" in shown and "pending=False" in shown

    @fresh(second=True)
    def image_test(self):
        self("image", "state-write", self.bench.hash_of("v2"))
        self.proves_test()

    @fresh(second=True)
    def image_install(self):
        self("image", "state-write", self.bench.hash_of("v2"), "--confirm")
        self.proves_install()

    @fresh(trial=True)
    def image_confirm(self):
        self("image", "state-write", "--confirm")
        self.proves_confirm()

    @fresh()
    def image_upload(self):
        self("image", "upload", self.bench.images["v2"])
        self.proves_upload()

    @fresh(second=True)
    def image_erase(self):
        self("image", "erase", 1)
        self.proves_erase()

    @fresh()
    def update(self):
        # Without --confirm it writes no state: it is made for MCUboot's recovery.
        self("upgrade", "--confirm", self.bench.images["v2"])
        self.proves_update()

    def stat_list(self):
        shown = self("statistics", "list")
        assert all(name in shown for name in self.sets())

    def stat_read(self):
        with self.counters("smp") as shown:
            fields = re.search(r"fields=(\{.*?\})", self("statistics", "get", "smp"), re.S)
            shown.update(ast.literal_eval(fields.group(1)))

    @fresh()
    def fs_upload(self):
        source = self.device.folder / "source"
        source.write_bytes(BLOB)
        self("file", "upload", source, "up.bin")
        assert (self.files / "up.bin").read_bytes() == BLOB

    @fresh()
    def fs_download(self):
        target = self.device.folder / "target"
        self("file", "download", self.blob(), target)
        assert target.read_bytes() == BLOB

    @fresh()
    def fs_status(self):
        assert re.search(rf"^{len(BLOB)}$", self("file", "read-size", self.blob()), re.M)

    @fresh()
    def fs_hash(self):
        assert f"output={zlib.crc32(BLOB)}" in self("file", "get-hash", self.blob())

    def fs_types(self):
        shown = self("file", "get-supported-hash-types")
        assert "'crc32'" in shown and "'sha256'" in shown and "size=32" in shown

    def shell(self):
        assert "\none two\n" in self("shell", "echo one two")

    def enum_list(self):
        [groups] = re.findall(r" groups=\((.*)\)\)", self("enum", "get-supported-groups"))
        shown = [int(n) for n in re.findall(r"(\d+)>?(?:,|$)", groups)]
        assert shown == self.tell(READ, 10, 1)["groups"]

    def enum_details(self):
        told = self.tell(READ, 10, 3)["groups"]
        shown = self("enum", "get-group-details", *[g["group"] for g in told])
        for group in told:
            assert re.search(rf"GroupDetails\(group=[^)]*?{group['group']}>?, name='{group['name']}', "
                             rf"handlers={group['handlers']}\)", shown), (group, shown)
