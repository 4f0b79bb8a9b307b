# SPDX-License-Identifier: Apache-2.0
"""Other people's SMP clients, one class each: a method for each command that the client has. It runs
the real thing against a device, and compares what it shows with what the device holds. What that is
tells `truth`, a conversation built by nobody else's program (tests/e2e/smp.py), or the bench that made
the images.

A client lacks the methods of commands that it does not have."""
import asyncio
import contextlib
import json
import os
import subprocess

import lab

READ, WRITE = 0, 2
PEERS = lab.ROOT / "build" / "interop"
SMPMGR, PYTHON = PEERS / "venv" / "bin" / "smpmgr", PEERS / "venv" / "bin" / "python"
MCUMGRCTL, MCUMGR = PEERS / "bin" / "mcumgrctl", PEERS / "bin" / "mcumgr"
RAW = ("raw",) if hasattr(lab.Device, "raw_link") else ()
TEXT = "grüße " + "0123456789" * 10  # two lines of the console


def fresh(**options):
    """The command changes the device: it gets one of its own, made with these options."""
    def mark(method):
        method.fresh = options
        return method
    return mark


def defect(why):
    """The client is wrong here, and the method shows how; its cell has a footnote."""
    def mark(method):
        method.defect = why
        return method
    return mark


def run(program, *args, check=True, timeout=120):
    done = subprocess.run([program, *map(str, args)], capture_output=True, text=True, timeout=timeout,
                          stdin=subprocess.DEVNULL, env={**os.environ, "COLUMNS": "1000"})
    if check:
        assert done.returncode == 0, f"{program} {args}\n{done.stdout}\n{done.stderr}"
    return done


class Client:
    """One client at one wire of one device. What a device is made for stands in `fresh`:
    trial: the second image runs, on trial; second: it is in the secondary."""
    wires = ("serial", "udp")
    there = True  # it is installed

    def __init__(self, device, wire, bench, truth):
        self.device, self.wire, self.bench, self.truth = device, wire, bench, truth

    @property
    def link(self):
        return os.path.realpath(self.device.raw_link if self.wire == "raw" else self.device.link)

    def tell(self, op, group, id, payload={}):
        """What the device says to somebody who can be trusted."""
        return self.truth.ask(op, group, id, payload).map

    def images(self):
        return self.tell(READ, 1, 0)["images"]

    def second(self):
        [image] = [i for i in self.images() if i["slot"] == 1]
        return image

    def restarted(self):
        self.device.wait_for(r"(?s)app 1\.0\.0.*app 1\.0\.0", timeout=30)

    # What was asked of the device, and whether it did it: for every client alike.
    def proves_test(self):
        assert (self.second()["pending"], self.second()["permanent"]) == (True, False)

    def proves_install(self):
        assert (self.second()["pending"], self.second()["permanent"]) == (True, True)

    def proves_confirm(self):
        [running] = [i for i in self.images() if i["active"]]
        assert running["version"] == "2.0.0" and running["confirmed"]

    def proves_upload(self):
        assert self.second()["hash"].hex() == self.bench.hash_of("v2")

    def proves_erase(self):
        assert [i["slot"] for i in self.images()] == [0]

    def proves_update(self):
        self.device.wait_for(r"app 2\.0\.0", timeout=60)


# ---- smpclient, the library ---------------------------------------------------------------------


class Smpclient(Client):
    wires = ("serial", *RAW, "udp")

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
        self.restarted()

    @fresh()
    def os_reset_recovery(self):
        self.ask("os", "ResetWrite", boot_mode=1)
        self.device.wait_for(r"recovery \(boot-mode\)")

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


# ---- smpmgr ---------------------------------------------------------------------------------------


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
        self.restarted()

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


# ---- mcumgrctl, of mcumgr-toolkit ----------------------------------------------------------------


class Mcumgrctl(Client):
    wires = ("serial", *RAW, "udp")
    there = MCUMGRCTL.exists()

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
        self.restarted()

    @fresh()
    def os_reset_recovery(self):
        self("os", "system-reset", "--bootmode", "1")
        self.device.wait_for(r"recovery \(boot-mode\)")

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


# ---- mcumgr-client (Rust), by its Python binding ----------------------------------------------------


class McumgrClient(Client):
    wires = ("serial",)
    there = any((PEERS / "venv").glob("lib/python3*/site-packages/mcumgr_client"))

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
        self.restarted()

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


# ---- mcumgr (Go) ------------------------------------------------------------------------------------


class Mcumgr(Client):
    there = MCUMGR.exists()

    def __call__(self, *args):
        where = (["--conntype", "udp", "--connstring", f"127.0.0.1:{self.device.udp_port}"]
                 if self.wire == "udp" else
                 ["--conntype", "serial", "--connstring", f"dev={self.link},baud=115200,mtu=512"])
        return run(MCUMGR, *where, *args).stdout

    def os_echo(self):
        assert self("echo", "hello").strip() == "hello"

    @fresh()
    def os_reset(self):
        self("reset")
        self.restarted()

    def image_list(self):
        shown = self("image", "list")
        assert "version: 1.0.0" in shown and self.bench.hash_of("v1") in shown
        assert "flags: active confirmed" in shown

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


# ---- ferry, for orientation ---------------------------------------------------------------------------


class Ferry(Client):
    def __call__(self, *args):
        return lab.ferry_json(*args, device=self.device.udp_uri if self.wire == "udp" else self.device.uri)

    def os_echo(self):
        assert self("echo", TEXT)["r"] == TEXT

    @fresh()
    def os_reset(self):
        self("reset")
        self.restarted()

    @fresh()
    def os_reset_recovery(self):
        self("reset", "--recovery")
        self.device.wait_for(r"recovery \(boot-mode\)")

    def os_params(self):
        answer = self("params")
        assert (answer["buf_size"], answer["buf_count"]) == (2048, 3)

    def os_info(self):
        assert self("info")["output"] == self.tell(READ, 0, 7, {"format": "a"})["output"]

    def image_list(self):
        [image] = self("image", "list")["images"]
        assert image["hash"] == self.bench.hash_of("v1") and image["version"] == "1.0.0"

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

    def image_slots(self):
        [told] = self.tell(READ, 1, 6)["images"]
        assert [(s["slot"], s["size"], s["max_image_size"]) for s in self("image", "slots")["slots"]] == \
            [(s["slot"], s["size"], told["max_image_size"]) for s in told["slots"]]

    @fresh()
    def update(self):
        self("update", self.bench.images["v2"])
        self.proves_update()


CLIENTS = {"mcumgr": Mcumgr, "smpmgr": Smpmgr, "smpclient": Smpclient, "mcumgrctl": Mcumgrctl,
           "mcumgr-client": McumgrClient, "ferry": Ferry}

# The rows of the table: the methods of the classes above.
COMMANDS = {
    "os_echo": "os echo", "os_reset": "os reset", "os_reset_recovery": "os reset, boot mode",
    "os_params": "os params", "os_info": "os info", "os_bootloader": "os bootloader info",
    "os_bootloader_mode": "os bootloader info, mode",
    "image_list": "image list", "image_test": "image test", "image_install": "image confirm HASH",
    "image_confirm": "image confirm", "image_upload": "image upload", "image_erase": "image erase",
    "image_slots": "image slot info", "update": "a whole update, one command",
    "raw_request": "any request",
}
