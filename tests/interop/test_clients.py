# SPDX-License-Identifier: Apache-2.0
"""Real SMP clients drive the virtual device through a whole update, over serial and UDP."""
import asyncio
import os
import re
import time

import pytest

import lab
from conftest import peer


def wait_for_version(device, version):
    device.wait_for(rf"app {re.escape(version)}", timeout=60)
    time.sleep(0.3)


# ---- smpclient ---------------------------------------------------------------------------

async def drive_smpclient(transport, address, device, image):
    from smpclient import SMPClient
    from smpclient.generics import success
    from smpclient.requests.image_management import ImageStatesRead, ImageStatesWrite
    from smpclient.requests.os_management import EchoWrite, ResetWrite

    async def states(client):
        answer = await client.request(ImageStatesRead())
        assert success(answer), answer
        return answer.images

    async with SMPClient(transport(), address, timeout_s=5) as client:
        answer = await client.request(EchoWrite(d="hi"))
        assert success(answer) and answer.r == "hi"
        assert [i.version for i in await states(client)][0] == "1.0.0"
        async for _ in client.upload(image, first_timeout_s=20):
            pass
        new = (await states(client))[1]
        assert new.version == "2.0.0"
        assert success(await client.request(ImageStatesWrite(hash=new.hash)))
        assert (await states(client))[1].pending
        assert success(await client.request(ResetWrite()))
    wait_for_version(device, "2.0.0")
    async with SMPClient(transport(), address, timeout_s=5) as client:
        assert (await states(client))[0].version == "2.0.0"
        assert success(await client.request(ImageStatesWrite(confirm=True)))
        running = (await states(client))[0]
        assert running.confirmed and running.active


@pytest.mark.parametrize("wire", ["serial", "udp"])
def test_smpclient(device, bench, wire):
    from smpclient.transport.serial import SMPSerialTransport
    from smpclient.transport.udp import SMPUDPTransport

    class Udp(SMPUDPTransport):
        async def connect(self, address, timeout_s):
            await super().connect(address, timeout_s, device.udp_port)

    image = bench.images["v2"].read_bytes()
    if wire == "serial":
        asyncio.run(drive_smpclient(SMPSerialTransport, os.path.realpath(device.link), device,
                                    image))
    else:
        asyncio.run(drive_smpclient(Udp, "127.0.0.1", device, image))


# ---- smpmgr -------------------------------------------------------------------------------

@pytest.mark.parametrize("wire", ["serial", "udp"])
def test_smpmgr(tmp_path, bench, wire):
    """smpmgr's UDP knows only port 1337."""
    with lab.Device(tmp_path / "d", bench, udp=1337 if wire == "udp" else 0) as device:
        device.wait_for(r"app 1\.0\.0")
        where = (["--port", str(device.link)] if wire == "serial" else ["--ip", "127.0.0.1"])
        where += ["--timeout", "10"]
        assert "hello" in peer("smpmgr", *where, "os", "echo", "hello").stdout
        assert "1.0.0" in peer("smpmgr", *where, "image", "state-read").stdout
        peer("smpmgr", *where, "image", "upload", bench.images["v2"])
        peer("smpmgr", *where, "image", "state-write", bench.hash_of("v2"))
        peer("smpmgr", *where, "os", "reset")
        wait_for_version(device, "2.0.0")
        peer("smpmgr", *where, "image", "state-write", "--confirm")
        images = lab.ferry_json("image", "list", device=device.uri)["images"]
        assert images[0]["version"] == "2.0.0" and images[0]["confirmed"]


# ---- mcumgrctl (Rust) -----------------------------------------------------------------------

@pytest.mark.needs("mcumgrctl")
@pytest.mark.parametrize("wire", ["serial", "udp"])
def test_mcumgrctl(device, bench, wire):
    where = ["-q"] + (["--serial", str(device.link)] if wire == "serial"
                      else ["--udp", f"127.0.0.1:{device.udp_port}"])
    assert "hi" in peer("mcumgrctl", *where, "os", "echo", "hi").stdout
    assert "1.0.0" in peer("mcumgrctl", *where, "image", "get-state").stdout
    peer("mcumgrctl", *where, "image", "upload", bench.images["v2"])
    peer("mcumgrctl", *where, "image", "set-state", "--hash", bench.hash_of("v2"))
    peer("mcumgrctl", *where, "os", "system-reset")
    wait_for_version(device, "2.0.0")
    peer("mcumgrctl", *where, "image", "set-state", "--confirm")
    images = lab.ferry_json("image", "list", device=device.uri)["images"]
    assert images[0]["version"] == "2.0.0" and images[0]["confirmed"]


# ---- mcumgr (Go) ------------------------------------------------------------------------------

@pytest.mark.needs("mcumgr")
def test_go_mcumgr(device, bench):
    where = ["--conntype", "serial", "--connstring",
             f"dev={os.path.realpath(device.link)},baud=115200,mtu=512"]
    assert "1.0.0" in peer("mcumgr", *where, "image", "list").stdout
    peer("mcumgr", *where, "image", "upload", bench.images["v2"])
    peer("mcumgr", *where, "image", "test", bench.hash_of("v2"))
    peer("mcumgr", *where, "reset")
    wait_for_version(device, "2.0.0")
    peer("mcumgr", *where, "image", "confirm")
    images = lab.ferry_json("image", "list", device=device.uri)["images"]
    assert images[0]["version"] == "2.0.0" and images[0]["confirmed"]
