# SPDX-License-Identifier: Apache-2.0
"""`ferry` and `ferry-device`, each through the real bluetoothd: the device on hci0, the client on hci1."""
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
