# SPDX-License-Identifier: Apache-2.0
"""The real bluetoothd is what the stored descriptions say, and what the code was written for."""
import os
import pathlib

import bluez
import pytest

DATA = pathlib.Path(__file__).resolve().parents[1] / "data/bluez-5.66"
SERVICE = "8d53dc1d-1db7-4cd3-868b-8a527460aa84"
NOT_OURS = ("HealthManager1", "Media1", "ProfileManager1")  # which hang on the same objects
CHARACTERISTIC = "da2e7828-fbce-4e01-ae9e-261174997c48"


@pytest.fixture(scope="session")
def described(guest):
    """File name -> text, of everything that a client, a server and their agents meet. bluetoothctl plays a
    device on hci1 and connects to it from hci0; what bluetoothd calls of an application is described by it."""
    device = bluez.Control(guest, "device", 1)
    device("menu gatt")
    device(f"register-service {SERVICE}", "Primary (yes/no)")
    device("yes")
    device(f"register-characteristic {CHARACTERISTIC} write-without-response,notify", "Enter value:")
    device("0", "chrc0")
    device("register-application", "Application registered")
    device("back")
    device("advertise on", "Advertising object registered")
    client = bluez.Control(guest, "client", 0)
    client("scan le", f"Device {device.address}")
    client("scan off", "Discovery stopped")
    client(f"connect {device.address}", "Connection successful")
    descriptor = bluez.path_of(guest, r"/hci0/.*/desc")
    found = {}
    for path in ("/org/bluez", "/org/bluez/hci0", *parents(descriptor)):
        found |= {f"{name}.xml": bluez.text_of(one) for name, one in bluez.interfaces(guest, path).items()}
    for path in ("agent", "app/service0", "app/service0/chrc0", "advertising"):
        of_an_application = bluez.interfaces(guest, f"/org/bluez/{path}", device.owner)
        found |= {f"application/{name}.xml": bluez.text_of(one) for name, one in of_an_application.items()}
    client(f"disconnect {device.address}", "Successful disconnected")
    for control, other in ((client, device), (device, client)):  # what was learned of the other is forgotten
        control(f"remove {other.address}", "Device has been removed")
        control.close()
    return {name: text for name, text in found.items() if not any(word in name for word in NOT_OURS)}


def parents(path):
    """A descriptor, its characteristic, its service, its device."""
    parts = path.split("/")
    return ["/".join(parts[:end]) for end in range(len(parts), len(parts) - 4, -1)]


def test_the_stored_descriptions_are_what_the_daemon_says(described):
    """FERRY_STORE=1 stores them anew: review the difference."""
    if os.environ.get("FERRY_STORE"):
        for name, text in described.items():
            (DATA / name).parent.mkdir(parents=True, exist_ok=True)
            (DATA / name).write_text(text)
    stored = {path.relative_to(DATA).as_posix(): path.read_text() for path in DATA.rglob("*.xml")}
    assert stored == described
