# SPDX-License-Identifier: Apache-2.0
"""The peripheral's side of org.bluez, over Bumble: what `ferry-device --ble` registers on a private bus is served
by Bumble's GATT server on a virtual controller, and centrals get virtual controllers on the same link.

Bumble is the Bluetooth stack, on both ends; this only carries values between it and D-Bus, as bluetoothd does: the
first write of a link asks for a descriptor, so does a subscription; a link that ends is Device1.Connected = false."""
import asyncio
import os
import pathlib
import socket
import subprocess
import tempfile

from bumble.controller import Controller
from bumble.core import UUID, AdvertisingData
from bumble.device import Connection, Device
from bumble.gatt import Characteristic, CharacteristicValue, Service
from bumble.hci import Address
from bumble.host import Host
from bumble.keys import MemoryKeyStore
from bumble.link import LocalLink
from bumble.pairing import PairingConfig, PairingDelegate
from bumble.transport import open_transport
from bumble.transport.common import AsyncPipeSink
from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

import air

ADAPTER = "/org/bluez/hci0"
CHARACTERISTIC, SERVICE, DEVICE = ("org.bluez.GattCharacteristic1", "org.bluez.GattService1", "org.bluez.Device1")
PROPERTIES, MANAGER = "org.freedesktop.DBus.Properties", "org.freedesktop.DBus.ObjectManager"
PERMISSION = Characteristic.Permissions
FLAGS = {"write-without-response": (Characteristic.Properties.WRITE_WITHOUT_RESPONSE, PERMISSION.WRITEABLE),
         "notify": (Characteristic.Properties.NOTIFY, PERMISSION(0)),
         "encrypt-write": (Characteristic.Properties.WRITE, PERMISSION.WRITE_REQUIRES_ENCRYPTION),
         "encrypt-authenticated-write": (Characteristic.Properties.WRITE, PERMISSION.WRITE_REQUIRES_AUTHENTICATION)}


class Bus:
    """A bus for one test: its address is in the environment of what is started meanwhile."""

    async def __aenter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="ferry-bus-")
        folder = pathlib.Path(self.folder.name)
        (folder / "bus.conf").write_text(air.BUS.format(socket=folder / "bus"))
        self.process = await asyncio.create_subprocess_exec(
            "dbus-daemon", f"--config-file={folder}/bus.conf", "--nofork", "--nopidfile", "--print-address",
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.address = (await asyncio.wait_for(self.process.stdout.readline(), 10)).decode().strip()
        self.before = os.environ.get("DBUS_SYSTEM_BUS_ADDRESS")
        os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = self.address
        return self

    async def __aexit__(self, *_):
        if self.before is None:
            del os.environ["DBUS_SYSTEM_BUS_ADDRESS"]
        else:
            os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = self.before
        self.process.terminate()
        await asyncio.wait_for(self.process.wait(), 10)
        self.folder.cleanup()


class Shows(PairingDelegate):
    """A peripheral with a display: the passkey is what stands on it."""

    def __init__(self, bridge):
        super().__init__(io_capability=PairingDelegate.DISPLAY_OUTPUT_ONLY)
        self.bridge = bridge

    async def display_number(self, number, digits):
        self.bridge.shown.put_nowait(number)


class Application:
    """What a program registered: its characteristic, and the descriptors it gave."""

    def __init__(self, bridge, sender, objects):
        self.bridge, self.sender = bridge, sender
        self.path, self.offers = next((path, faces[CHARACTERISTIC]) for path, faces in objects.items()
                                      if CHARACTERISTIC in faces)
        self.uuid = self.offers["UUID"].value
        self.service_uuid = objects[self.offers["Service"].value][SERVICE]["UUID"].value
        self.flags = self.offers["Flags"].value
        self.write_end = self.notify_end = None

    async def call(self, member, signature="", body=()):
        return await self.bridge.call(self.sender, self.path, CHARACTERISTIC, member, signature, list(body))

    async def descriptor(self, member, options):
        answer = await self.call(member, "a{sv}", [options])
        end = socket.socket(fileno=answer.unix_fds[answer.body[0]])
        end.setblocking(False)
        return end

    async def write(self, link, value):
        if "WriteAcquired" not in self.offers:
            await self.call("WriteValue", "aya{sv}", [value, {**link.options(), "type": Variant("s", "command")}])
            return
        if self.write_end is None:
            self.write_end = await self.descriptor("AcquireWrite", link.options())
        try:
            await asyncio.get_running_loop().sock_sendall(self.write_end, value)
        except OSError:  # the program has closed its end: the next value asks again
            self.write_end.close()
            self.write_end = None

    async def subscribe(self, link, on):
        if "NotifyAcquired" not in self.offers:
            await self.call("StartNotify" if on else "StopNotify")
        elif on:
            self.notify_end = await self.descriptor("AcquireNotify", link.options())
            self.reader = asyncio.create_task(self.notify(link, self.notify_end))
        else:
            self.end_notify()

    async def notify(self, link, end):
        while value := await asyncio.get_running_loop().sock_recv(end, 512):
            await link.notify(value)

    def end_notify(self):
        if self.notify_end is not None:
            self.reader.cancel()
            self.notify_end.close()
        self.notify_end = None

    def lost(self):
        self.end_notify()
        if self.write_end is not None:
            self.write_end.close()
        self.write_end = None


class Link:
    """A central's link. What happens on it is handed on in its order, each when the one before is done."""

    def __init__(self, bridge, connection):
        self.bridge, self.connection = bridge, connection
        address = str(connection.peer_address).split("/")[0]
        self.path = f"{ADAPTER}/dev_{address.replace(':', '_')}"
        self.happened = asyncio.Queue()
        self.worker = bridge.work(self.hand_on())
        connection.on(Connection.EVENT_DISCONNECTION, self.lost)

    def options(self):
        return {"device": Variant("o", self.path), "link": Variant("s", "LE"),
                "mtu": Variant("q", self.connection.att_mtu)}

    async def hand_on(self):
        while True:
            what, value = await self.happened.get()
            app = self.bridge.app
            if app is not None:
                await (app.write if what == "write" else app.subscribe)(self, value)

    def may_subscribe(self):
        """Bumble has no permissions of descriptors, nor has it any for write commands but its own check."""
        flags = self.bridge.app.flags if self.bridge.app is not None else []
        return ("encrypt-authenticated-notify" not in flags or self.connection.authenticated) and \
               ("encrypt-notify" not in flags or self.connection.encryption)

    async def notify(self, value):
        self.bridge.largest = max(self.bridge.largest, len(value))
        await self.bridge.device.gatt_server.notify_subscriber(self.connection, self.bridge.characteristic, value)

    def lost(self, _reason):
        self.worker.cancel()
        self.bridge.lost(self)


class Bridge:
    """org.bluez on the bus, one adapter, and the virtual air. What went wrong in it is raised at its end."""

    def __init__(self, bus, mtu=517):
        self.address, self.mtu = bus.address, mtu
        self.shown = asyncio.Queue()  # passkeys
        self.app, self.link, self.advertised, self.characteristic = None, None, None, None
        self.found = asyncio.Event()  # set while it advertises
        self.largest = 0  # bytes of a notification
        self.opened, self.faults = [], []

    def work(self, coroutine):
        task = asyncio.create_task(coroutine)
        task.add_done_callback(lambda done: done.cancelled() or done.exception() is None
                               or self.faults.append(done.exception()))
        return task

    async def __aenter__(self):
        self.air = LocalLink()
        controller = Controller("peripheral", link=self.air)
        self.device = Device(name="bridge", address=Address("C4:11:22:33:44:55"),
                             host=Host(controller, AsyncPipeSink(controller)))
        self.device.keystore = MemoryKeyStore()
        self.device.pairing_config_factory = lambda _connection: PairingConfig(delegate=Shows(self))
        self.device.gatt_server.max_mtu = self.mtu
        self.device.on(Device.EVENT_CONNECTION, self.connected)
        await self.device.power_on()
        self.bus = await MessageBus(bus_address=self.address, negotiate_unix_fd=True).connect()
        self.calls = asyncio.Queue()
        self.caller = self.work(self.answer_calls())
        self.bus.add_message_handler(self.heard)
        await self.bus.request_name("org.bluez")
        await self.call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "AddMatch", "s",
                        [f"type='signal',member='PropertiesChanged',arg0='{CHARACTERISTIC}'"])
        return self

    async def __aexit__(self, *_):
        if self.link is not None:
            self.link.worker.cancel()
        if self.app is not None:
            self.app.lost()
        self.caller.cancel()
        self.bus.disconnect()
        for transport in self.opened:
            transport.server.close()
            await transport.close()
        if self.faults:
            raise self.faults[0]

    async def central(self, folder):
        """A virtual controller for one more central: its HCI transport, as Bumble spells it."""
        path = f"{folder}/hci{len(self.opened)}"
        transport = await open_transport(f"unix-server:{path}")
        Controller(f"central{len(self.opened)}", host_source=transport.source, host_sink=transport.sink, link=self.air)
        self.opened.append(transport)
        return f"unix:{path}"

    # ---- D-Bus

    async def call(self, to, path, interface, member, signature="", body=()):
        answer = await asyncio.wait_for(self.bus.call(Message(
            destination=to, path=path, interface=interface, member=member, signature=signature, body=list(body))), 10)
        assert answer.message_type == MessageType.METHOD_RETURN, (member, answer.error_name, answer.body)
        return answer

    def heard(self, message):
        if message.message_type == MessageType.SIGNAL and message.member == "PropertiesChanged":
            value = message.body[1].get("Value")
            if value is not None and self.link is not None and message.sender == self.app.sender:
                self.work(self.link.notify(bytes(value.value)))
            return None
        method = getattr(self, f"on_{message.member}", None) if message.message_type == MessageType.METHOD_CALL else None
        if method is None:
            return None
        self.calls.put_nowait((method, message))
        return True

    async def answer_calls(self):
        """One after the other."""
        while True:
            method, message = await self.calls.get()
            signature, body = await method(message) or ("", [])
            await self.bus.send(Message.new_method_return(message, signature, body))

    def changed(self, path, connected):
        self.bus.send(Message.new_signal(path, PROPERTIES, "PropertiesChanged", "sa{sv}as",
                                         [DEVICE, {"Connected": Variant("b", connected)}, []]))

    async def on_GetManagedObjects(self, _message):
        faces = {"org.bluez.Adapter1": {"Powered": Variant("b", True)}, "org.bluez.GattManager1": {},
                 "org.bluez.LEAdvertisingManager1": {}}
        return "a{oa{sa{sv}}}", [{ADAPTER: faces}]

    async def on_RegisterApplication(self, message):
        objects = (await self.call(message.sender, message.body[0], MANAGER, "GetManagedObjects")).body[0]
        app = Application(self, message.sender, objects)
        if self.characteristic is None:
            known = [FLAGS[flag] for flag in app.flags if flag in FLAGS]
            properties, permissions = known[0]
            for more, needs in known[1:]:
                properties, permissions = properties | more, permissions | needs
            self.characteristic = Characteristic(app.uuid, properties, permissions, CharacteristicValue(write=self.written))
            self.characteristic.on(Characteristic.EVENT_SUBSCRIPTION, self.subscribed)
            self.device.add_service(Service(app.service_uuid, [self.characteristic]))
        self.app = app

    async def on_UnregisterApplication(self, _message):
        self.app.lost()
        self.app = None

    async def on_RegisterAdvertisement(self, message):
        told = (await self.call(message.sender, message.body[0], PROPERTIES, "GetAll", "s",
                                ["org.bluez.LEAdvertisement1"])).body[0]
        self.advertised = told["LocalName"].value
        self.found.set()
        await self.advertise([UUID(uuid) for uuid in told["ServiceUUIDs"].value])

    async def advertise(self, uuids):
        """All in the advertisement: Bumble's virtual controller answers no scan requests."""
        complete = AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS
        data = bytes(AdvertisingData([(AdvertisingData.FLAGS, bytes([6])),
                                      (complete, b"".join(bytes(uuid) for uuid in uuids)),
                                      (AdvertisingData.COMPLETE_LOCAL_NAME, self.advertised.encode())]))
        assert len(data) <= 31, "the name is too long"
        await self.device.start_advertising(auto_restart=True, advertising_data=data, advertising_interval_min=20,
                                            advertising_interval_max=20)

    async def on_UnregisterAdvertisement(self, _message):
        self.found.clear()
        await self.device.stop_advertising()

    async def on_Disconnect(self, message):
        if self.link is not None and message.path == self.link.path:
            await self.link.connection.disconnect()

    # ---- Bumble

    def connected(self, connection):
        self.link = Link(self, connection)
        self.changed(self.link.path, True)

    def lost(self, link):
        self.link = None
        if self.app is not None:
            self.app.lost()
        self.changed(link.path, False)

    def written(self, _connection, value):
        self.link.happened.put_nowait(("write", bytes(value)))

    def subscribed(self, _connection, notify, _indicate):
        if self.link is not None and (not notify or self.link.may_subscribe()):
            self.link.happened.put_nowait(("subscribe", notify))
