# SPDX-License-Identifier: Apache-2.0
"""Whose value it is: ferry-device --ble with more centrals than one, and with callers that are not BlueZ. BlueZ has one
pair of descriptors for all centrals; played by ble_bridge.py, whose calls are made here by hand."""
import asyncio
import contextlib

import lab
from ble_bridge import ADAPTER, CHARACTERISTIC, Bridge, Bus
from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

ONE, OTHER = f"{ADAPTER}/dev_C0_00_00_00_00_01", f"{ADAPTER}/dev_C0_00_00_00_00_02"
ECHO = bytes.fromhex("0a 00 0006 0000 07 00 a1 6164 62 6869".replace(" ", ""))  # {"d": "hi"}
ANSWER = bytes.fromhex("0b 00 0007 0000 07 00 bf 6172 62 6869 ff".replace(" ", ""))  # {"r": "hi"}


def options(device):
    return {"device": Variant("o", device), "mtu": Variant("q", 247), "link": Variant("s", "LE")}


async def ask(place, member, signature, *body, bus=None):
    """A call of the characteristic: its answer, or the error's name."""
    app = place.bridge.app
    answer = await (bus or place.bridge.bus).call(Message(
        destination=app.sender, path=app.path, interface=CHARACTERISTIC, member=member, signature=signature,
        body=list(body)))
    return answer if answer.message_type == MessageType.METHOD_RETURN else answer.error_name


async def write(place, device, value):
    return await ask(place, "WriteValue", "aya{sv}", value, options(device))


async def acquire_write(place, device):
    return await ask(place, "AcquireWrite", "a{sv}", options(device))


async def heard(end):
    return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(end, 512), 20)


@contextlib.asynccontextmanager
async def served(folder, bench):
    class Place:
        pass

    place = Place()
    async with Bus() as bus, Bridge(bus) as place.bridge:
        place.device = await asyncio.to_thread(lambda: lab.Device(folder / "d", bench, ble="pump").start())
        try:
            await asyncio.wait_for(place.bridge.found.wait(), 30)
            yield place
        finally:
            await asyncio.to_thread(place.device.stop)


async def stat(place, name):
    answer = await asyncio.to_thread(lab.ferry_json, "stat", "ble", device=place.device.uri)
    return answer["fields"][name]


def test_a_second_central_is_told_apart(tmp_path, bench):
    async def run():
        async with served(tmp_path, bench) as place:
            bridge, app = place.bridge, place.bridge.app
            notify = await app.descriptor("AcquireNotify", options(ONE))
            values = await app.descriptor("AcquireWrite", options(ONE))
            bridge.changed(ONE, True)  # late news of itself end nothing
            values.send(ECHO)
            assert await heard(notify) == ANSWER

            bridge.changed(OTHER, True)  # its values would come by the same descriptor: that ends
            assert await heard(values) == b""
            assert await acquire_write(place, ONE) == await acquire_write(place, OTHER) == "org.ferry.Error.Shared"
            await write(place, OTHER, ECHO)  # it did not subscribe
            await write(place, ONE, ECHO)
            assert await heard(notify) == ANSWER
            assert (await stat(place, "received"), await stat(place, "damaged")) == (2, 1)

            bridge.changed(OTHER, False)
            again = await app.descriptor("AcquireWrite", options(ONE))
            again.send(ECHO)
            assert await heard(notify) == ANSWER
            bridge.changed(ONE, False)
            assert await heard(again) == b"" and await heard(notify) == b""
    asyncio.run(run())


def test_half_a_request_is_not_another_centrals(tmp_path, bench):
    """Half of one's packet, then all of the other's, after it."""
    async def run():
        async with served(tmp_path, bench) as place:
            bridge, app = place.bridge, place.bridge.app
            bridge.changed(ONE, True)
            await app.descriptor("AcquireNotify", options(ONE))
            await write(place, ONE, ECHO[:10])
            bridge.changed(ONE, False)
            bridge.changed(OTHER, True)
            notify = await app.descriptor("AcquireNotify", options(OTHER))
            await write(place, OTHER, ECHO)
            assert await heard(notify) == ANSWER
    asyncio.run(run())


def test_nobody_but_bluez_is_listened_to(tmp_path, bench):
    async def run():
        async with served(tmp_path, bench) as place:
            stranger = await MessageBus(bus_address=place.bridge.address, negotiate_unix_fd=True).connect()
            refused = "org.bluez.Error.NotAuthorized"
            assert await ask(place, "WriteValue", "aya{sv}", ECHO, options(ONE), bus=stranger) == refused
            assert await ask(place, "AcquireNotify", "a{sv}", options(ONE), bus=stranger) == refused
            assert await ask(place, "StartNotify", "", bus=stranger) == refused
            assert await write(place, ONE, ECHO) != refused
            assert await ask(place, "WriteValue", "aya{sv}", ECHO, {}) == "org.bluez.Error.Failed"  # of no device
            stranger.disconnect()
            assert await stat(place, "bytes_in") == len(ECHO)
    asyncio.run(run())
