# SPDX-License-Identifier: Apache-2.0
"""`ferry` and `ferry-device`, each through the real bluetoothd: the device on hci0, the client on hci1."""
import re
import sys

import bluez
import machine
import pytest

sys.path.append(str(machine.ROOT / "tests/e2e"))
import lab  # noqa: E402


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return lab.Bench(tmp_path_factory.mktemp("bench"))


class Device:
    """A chip with version 1 in it, advertising; what it writes stays in the virtual machine."""

    def __init__(self, guest, folder, bench, name, **options):
        self.guest, self.name = guest, name
        lab.Device(folder, bench)
        words = [word for key, value in options.items() for word in (f"--{key.replace('_', '-')}", value)]
        guest.start(name, lab.FERRY_DEVICE, "--dir", folder, "--ble", name, *words)
        guest.wait(name, "app 1.0.0 started")

    def ferry(self, *words, check=0, **options):
        done = self.guest.run(lab.FERRY, "-d", f"ble:{self.name}?adapter=hci1", *words, **options)
        assert done["code"] == check, f"{words}: exit {done['code']}\n{done['out']}{done['err']}\n{self.log()}"
        return done

    def log(self):
        return self.guest.log(self.name)


@pytest.fixture
def device(guest, bench, tmp_path, request):
    """Started with what the test is parametrized with."""
    bluez.power(guest)
    made = Device(guest, tmp_path, bench, request.node.name.split("[")[0][-29:], **request.param)
    yield made
    guest.stop(made.name)


OPEN = {"ble_permission": "open"}


@pytest.mark.parametrize("device", [OPEN], indirect=True, ids=["open"])
def test_a_whole_update(guest, device, bench):
    """Found, uploaded, reset, found again, confirmed. No value went another way than through a descriptor."""
    found = guest.run(lab.FERRY, "-t", 2, "scan", "--adapter", "hci1")
    assert found["code"] == 0 and f"{bluez.ADDRESSES[0]} " in found["out"] and device.name in found["out"], found
    assert "version: 1.0.0" in device.ferry("image", "list")["out"]
    said = device.ferry("update", bench.images["v2"], timeout=100)
    assert "done: version 2.0.0 runs and is confirmed" in said["out"] and "sending again" not in said["err"]
    assert "app 2.0.0 started" in device.log()
    assert "Failed to acquire" not in guest.log("bluetoothd")


@pytest.mark.parametrize("device", [{**OPEN, "ble_io": "plain"}], indirect=True, ids=["calls"])
def test_a_device_without_descriptors(device, bench):
    said = device.ferry("image", "upload", bench.images["v2"], timeout=100)
    assert "sending again" not in said["err"]
    assert "version: 2.0.0" in device.ferry("image", "list")["out"]


@pytest.mark.parametrize("device", [{"ble_permission": "authenticated"}], indirect=True, ids=["authenticated"])
def test_an_unpaired_client_writes_into_nothing(guest, device):
    """A write command has no answer; what comes after it has. The device is not asked for a way to take it."""
    guest.run(lab.FERRY, "-t", 2, "scan", "--adapter", "hci1")
    stranger = bluez.Control(guest, "stranger", 1)
    stranger(f"connect {bluez.ADDRESSES[0]}", "Connection successful")
    stranger.expect("da2e7828-fbce-4e01-ae9e-261174997c48")
    before = guest.log("bluetoothd")
    stranger("menu gatt")
    stranger("select-attribute da2e7828-fbce-4e01-ae9e-261174997c48")
    stranger('write "0x08 0x00 0x00 0x01 0x00 0x00 0x01 0x06 0xa0" 0 command', "Attempting to write")
    guest.wait("bluetoothd", "Write Cmd - handle", count=before.count("Write Cmd - handle") + 1)
    stranger("select-attribute 00002b2a-0000-1000-8000-00805f9b34fb")
    stranger("read", "Attempting to read")
    guest.wait("bluetoothd", "Database Hash read", count=before.count("Database Hash read") + 1)
    assert guest.log("bluetoothd").count("acquire_write_reply") == before.count("acquire_write_reply")
    stranger("back")
    stranger(f"disconnect {bluez.ADDRESSES[0]}", "Successful disconnected")
    stranger.close()


class Pairing:
    """`ferry` at a terminal, as a user that D-Bus does not let be the default agent (bus.conf): that one is
    bluetoothctl on the device's side, which shows passkeys and has no keys. So bluetoothd's own try to pair, when
    the first subscription is refused, must fail, and ferry has to ask for it by Pair()."""

    def __init__(self, guest, device):
        self.guest, self.device, self.runs = guest, device, 0
        self.screen = bluez.Control(guest, f"screen-{device.name}", 0)
        self.screen("agent off", "Agent unregistered")
        self.screen("agent DisplayOnly", "Agent registered", count=2)
        self.screen("default-agent", "Default agent request successful")

    def list(self, typed):
        """`ferry image list`; types what typed makes of the passkey that is shown. What ferry said."""
        self.runs += 1
        name = f"ferry-{self.device.name}-{self.runs}"
        command = f"chroot --userspec=nobody / {lab.FERRY} -d 'ble:{self.device.name}?adapter=hci1' image list"
        self.guest.start(name, "script", "-qec", f"{command}; echo exit $?", "/dev/null")
        self.guest.wait(name, "Passkey that the device shows: ")
        self.guest.wait(self.screen.name, "Passkey: ", count=self.runs)
        passkey = int(re.findall(r"Passkey: \D*(\d{6})", bluez.plain(self.guest.log(self.screen.name)))[-1])
        self.guest.tell(name, f"{typed(passkey):06}\n")
        self.guest.wait(name, "exit ")
        return self.guest.log(name)


@pytest.mark.parametrize("device", [{"ble_permission": "authenticated"}], indirect=True, ids=["passkey"])
def test_pairing_by_passkey(guest, device):
    """A wrong one is refused and spoils nothing; after the right one the two know each other."""
    pairing = Pairing(guest, device)
    said = pairing.list(lambda passkey: (passkey + 1) % 1000000)
    assert "exit 3" in said and "pairing failed" in said and "passkey" in said
    assert "version: 1.0.0" in pairing.list(lambda passkey: passkey)
    assert "version: 1.0.0" in device.ferry("image", "list")["out"]
    pairing.screen.close()


def test_an_adapter_that_is_off_is_named(guest):
    bluez.power(guest, [1], on=False)
    done = guest.run(lab.FERRY, "-d", "ble:anything?adapter=hci1", "image", "list")
    assert done["code"] == 3 and "the adapter hci1 is not powered" in done["err"] and "power on" in done["err"]
