# SPDX-License-Identifier: Apache-2.0
"""A real client over a real Bluetooth stack: smpclient with its Bumble transport, Bumble's virtual controllers and
link, and ferry-device's GATT service behind ble_bridge.py."""
import asyncio
import contextlib

import pytest

import lab
from ble_bridge import Bridge, Bus
from smpclient import SMPClient
from smpclient.exceptions import SMPClientException
from smpclient.generics import success
from smpclient.requests.image_management import ImageStatesRead, ImageStatesWrite
from smpclient.requests.os_management import EchoWrite, ResetWrite
from smpclient.transport import SMPTransportDisconnected
from smpclient.transport.bumble import SMPBumbleTransport
from smpclient.transport.bumble.keystore import Custom
from smpclient.transport.bumble.pairing import KeyboardOnly

NAME = "pump"
MTUS = [23, 65, 247, 498]


class Set:
    """A bus, the bridge and a device on it."""

    def __init__(self, folder, bench, **options):
        self.folder, self.options = folder, {"ble": NAME, "ble_permission": "open", **options}
        self.make = lambda: lab.Device(folder / "d", bench, **self.options).start()

    async def __aenter__(self):
        async with contextlib.AsyncExitStack() as stack:
            self.bridge = await stack.enter_async_context(Bridge(await stack.enter_async_context(Bus())))
            self.device = await asyncio.to_thread(self.make)
            stack.push_async_callback(asyncio.to_thread, self.device.stop)
            self.stack = stack.pop_all()
        return self

    async def __aexit__(self, *error):
        return await self.stack.__aexit__(*error)

    async def transport(self, mtu, **options):
        """To a central of its own, once the device is found."""
        await asyncio.wait_for(self.bridge.found.wait(), 30)
        return SMPBumbleTransport(hci=await self.bridge.central(self.folder), preferred_mtu=mtu, settle_s=0,
                                  keystore=Custom(self.folder / "bonds"), **options)

    @contextlib.asynccontextmanager
    async def client(self, mtu, **options):
        transport = await self.transport(mtu, **options)
        client = SMPClient(transport, NAME, timeout_s=20)
        await client.connect()
        try:
            assert transport.mtu == mtu - 3
            yield client
        finally:
            await (end(transport) if transport._disconnected_event.is_set() else client.disconnect())

    async def stat(self, name):
        """A counter of the firmware, asked over the serial line."""
        answer = await asyncio.to_thread(lab.ferry_json, "stat", "ble", device=self.device.uri)
        return answer["fields"][name]


async def end(transport):
    """What is left of a link that the device has ended; see test_a_link_lost_in_an_upload."""
    await transport._state.device.power_off()
    await transport._state.transport.close()


async def images(client):
    answer = await client.request(ImageStatesRead())
    assert success(answer), answer
    return answer.images


async def upload(client, image):
    async for _ in client.upload(image, first_timeout_s=20):
        pass


async def update(place, bench, mtu, **options):
    """List, upload, test, reset, and confirm on another link."""
    async with place.client(mtu, **options) as client:
        assert [image.version for image in await images(client)] == ["1.0.0"]
        await upload(client, bench.images["v2"].read_bytes())
        new = (await images(client))[1]
        assert new.version == "2.0.0" and new.hash.hex() == bench.hash_of("v2")
        assert success(await client.request(ImageStatesWrite(hash=new.hash)))
        assert success(await client.request(ResetWrite()))
        with pytest.raises(SMPTransportDisconnected):  # the link ends with the chip
            await client._transport.receive()
    async with place.client(mtu, **options) as client:
        running = (await images(client))[0]
        assert running.version == "2.0.0" and running.active and not running.confirmed
        assert success(await client.request(ImageStatesWrite(confirm=True)))
        assert (await images(client))[0].confirmed


@pytest.mark.parametrize("mtu, how", [*((mtu, "acquire") for mtu in MTUS), (247, "plain")])
def test_an_update_with_reassembly(tmp_path, bench, mtu, how):
    """smpclient fills the device's buffer of 2048 bytes, whatever the MTU: in values of MTU - 3."""
    async def run():
        async with Set(tmp_path, bench, ble_io=how) as place:
            await update(place, bench, mtu)
            assert place.bridge.largest <= mtu - 3 and (mtu > 65 or place.bridge.largest == mtu - 3)
            assert await place.stat("damaged") == 0
    asyncio.run(run())


@pytest.mark.parametrize("mtu", [247, 498])
def test_an_update_without_reassembly(tmp_path, bench, mtu):
    """… where the device says that its buffer is no larger than a value."""
    async def run():
        async with Set(tmp_path, bench, ble_whole=True, buf_size=mtu - 3) as place:
            await update(place, bench, mtu)
            assert await place.stat("damaged") == 0
    asyncio.run(run())


@pytest.mark.parametrize("mtu", MTUS)
def test_without_reassembly_smpclient_goes_by_the_buffer(tmp_path, bench, mtu):
    """What fits a value is answered; of a chunk that fills the buffer nothing is: smpclient knows no server without
    reassembly. Such a device with an MTU below 67 has no buffer small enough (64 bytes at least)."""
    async def run():
        async with Set(tmp_path, bench, ble_whole=True) as place:
            async with place.client(mtu) as client:
                assert [image.version for image in await images(client)] == ["1.0.0"]
                with pytest.raises(TimeoutError):
                    async for _ in client.upload(bench.images["v2"].read_bytes(), first_timeout_s=1):
                        pass
                assert success(await client.request(EchoWrite(d="hi")))
            assert await place.stat("damaged") > 1  # each value by itself
    asyncio.run(run())


def test_a_link_lost_in_an_upload(tmp_path, bench):
    """smpclient notices at once; but its disconnect() then unsubscribes, and waits for an answer."""
    async def run():
        image = bench.images["v2"].read_bytes()
        async with Set(tmp_path, bench) as place:
            async with place.client(247) as client:
                with pytest.raises(SMPTransportDisconnected):
                    async for offset in client.upload(image, first_timeout_s=20):
                        if offset > len(image) // 2 and place.bridge.link is not None:
                            await place.bridge.link.connection.disconnect()
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(client.disconnect(), 1)
            async with place.client(247) as client:
                await upload(client, image)
                assert (await images(client))[1].version == "2.0.0"
    asyncio.run(run())


def test_a_link_that_is_not_paired_is_refused(tmp_path, bench):
    async def run():
        async with Set(tmp_path, bench, ble_permission="authenticated") as place:
            transport = await place.transport(247)
            await transport.connect(NAME, 20)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(transport.send_and_receive(bytes(EchoWrite(d="hi"))), 1)
            await transport.disconnect()
            assert await place.stat("bytes_in") == 0  # the stack let nothing through
    asyncio.run(run())


def test_a_paired_link_is_served_and_its_bond_later(tmp_path, bench):
    async def run():
        typed = []

        async with Set(tmp_path, bench, ble_permission="authenticated") as place:
            async def passkey():
                typed.append(await place.bridge.shown.get())
                return typed[-1]

            for _ in range(2):
                async with place.client(247, pair_on_connect=KeyboardOnly(passkey)) as client:
                    assert [image.version for image in await images(client)] == ["1.0.0"]
                assert len(typed) == 1
    asyncio.run(run())


def test_a_wrong_passkey_is_refused(tmp_path, bench):
    async def wrong(bridge):
        return (await bridge.shown.get() + 1) % 1000000

    async def run():
        async with Set(tmp_path, bench, ble_permission="authenticated") as place:
            transport = await place.transport(247, pair_on_connect=KeyboardOnly(lambda: wrong(place.bridge)))
            with pytest.raises(SMPClientException, match="pair_on_connect failed"):
                await transport.connect(NAME, 20)
            assert await place.stat("bytes_in") == 0
    asyncio.run(run())
