# SPDX-License-Identifier: Apache-2.0
"""The real bluetoothd with two controllers in the virtual machine, and descriptions of D-Bus interfaces.

hci0 is the client's, hci1 the device's. One bluetoothd has both, as it would on one computer."""
import re
import time
import xml.etree.ElementTree as ElementTree

import machine

ADDRESSES = ["00:AA:01:00:00:00", "00:AA:01:01:00:01"]  # of hci0 and hci1, as btvirt numbers them
PROGRAMS = machine.FETCHED / "root/usr"


def boot(folder):
    """The machine with bus, controllers and daemon."""
    guest = machine.Bluetooth(folder)
    try:
        guest.run("mkdir", "-p", "/run/dbus")
        guest.start("bus", "dbus-daemon", "--nofork", f"--config-file={machine.HERE / 'bus.conf'}")
        guest.wait_for("/run/dbus/system_bus_socket")
        guest.start("btvirt", PROGRAMS / "bin/btvirt", "-L", "-l2")
        guest.wait_for("/sys/class/bluetooth/hci1")
        guest.start("bluetoothd", PROGRAMS / "libexec/bluetooth/bluetoothd", "-n", "-d", "-f",
                    machine.HERE / "main.conf")
        for number in range(2):  # it has told a controller its name when that controller is on the bus
            guest.wait("bluetoothd", f"LTKs loaded for hci{number}")
    except BaseException:
        guest.close()
        raise
    return guest


def power(guest, controllers=(0, 1), on=True):
    for number in controllers:
        done = guest.run("dbus-send", "--system", "--print-reply", "--dest=org.bluez", f"/org/bluez/hci{number}",
                         "org.freedesktop.DBus.Properties.Set", "string:org.bluez.Adapter1", "string:Powered",
                         f"variant:boolean:{str(on).lower()}")
        assert done["code"] == 0, done


def plain(text):
    """Without colours and what else a terminal gets."""
    return re.sub(r"\x1b\[[0-9;]*[A-Za-z]|[\x01\x02]", "", text)


class Control:
    """bluetoothctl, by its prompt: the BlueZ project's own client, and its own application."""

    def __init__(self, guest, name, controller):
        self.guest, self.name, self.address = guest, name, ADDRESSES[controller]
        guest.start(name, PROGRAMS / "bin/bluetoothctl")
        self.expect("Agent registered")
        self.owner = re.findall(r"agent (:[0-9.]+)", guest.log("bluetoothd"))[-1]  # its name on the bus
        self(f"select {self.address}")
        self("power on", "Changing power on succeeded")

    def __call__(self, line, answer=None, count=1):
        self.guest.tell(self.name, line + "\n")
        if answer:
            self.expect(answer, count)

    def expect(self, text, count=1):
        self.guest.wait(self.name, text, count=count)

    def close(self):
        self("quit")
        self.guest.stop(self.name)


def objects(guest):
    """The paths of everything the daemon has on the bus."""
    done = guest.run("dbus-send", "--system", "--print-reply", "--dest=org.bluez", "/",
                     "org.freedesktop.DBus.ObjectManager.GetManagedObjects")
    assert done["code"] == 0, done
    return re.findall(r'^ {9}object path "(.*)"$', done["out"], re.M)


def path_of(guest, pattern, seconds=20):
    """The first object whose path has the pattern; waits for it."""
    end = time.monotonic() + seconds
    while True:
        found = [path for path in objects(guest) if re.search(pattern, path)]
        if found:
            return found[0]
        assert time.monotonic() < end, f"no object {pattern} among {objects(guest)}"


def interfaces(guest, path, owner="org.bluez"):
    """Name -> element of each org.bluez interface, as the object describes itself."""
    done = guest.run("dbus-send", "--system", "--print-reply=literal", f"--dest={owner}", path,
                     "org.freedesktop.DBus.Introspectable.Introspect")
    assert done["code"] == 0, done
    node = ElementTree.fromstring(done["out"].strip())
    return {found.get("name"): found for found in node.iter("interface")
            if found.get("name").startswith("org.bluez.")}


def text_of(interface):
    """One interface as the files of tests/data/bluez-5.66 have it."""
    node = ElementTree.Element("node")
    node.append(interface)
    for element in node.iter():
        element.text = element.tail = None
    ElementTree.indent(node, " ")
    return ElementTree.tostring(node, encoding="unicode") + "\n"
