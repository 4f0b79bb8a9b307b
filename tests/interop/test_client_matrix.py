# SPDX-License-Identifier: Apache-2.0
"""Every command that a client has, on every wire it has, against the virtual device. The table is
printed at the end (conftest.py); docs/INTEROP.md says what it showed."""
import importlib.util

import pytest

import lab
from clients import CLIENTS, COMMANDS

# By its path: smpclient has another module of this name.
_spec = importlib.util.spec_from_file_location("conversation", lab.ROOT / "tests" / "e2e" / "smp.py")
conversation = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(conversation)

OPTIONS = {"buf_count": 3}


def cells():
    for command in COMMANDS:
        for name, client in CLIENTS.items():
            if hasattr(client, command):
                for wire in client.wires:
                    yield pytest.param(command, name, wire, id=f"{command}-{name}-{wire}",
                                       marks=pytest.mark.needs(name))


def make(folder, bench, client, second=False, trial=False):
    """A device: with second the other image is in its secondary; with trial it runs on trial."""
    flash = [f"secondary={bench.images['v2']}"] if second or trial else []
    layout = lab.layout("swap-move", server={"shell": True, "files": True})
    device = lab.Device(folder, bench, layout=layout, flash=flash, udp=getattr(client, "udp_port", 0),
                        **OPTIONS)
    device.start(raw=device.raw_link)
    device.wait_for(r"app 1\.0\.0")
    if trial:
        lab.ferry("image", "test", bench.hash_of("v2"), device=device.uri, check=0)
        lab.ferry("reset", device=device.uri, check=0)
        device.wait_for(r"app 2\.0\.0")
    return device


@pytest.fixture(scope="module")
def shelf():
    """Devices that nobody changes, by client: one runs at a time."""
    kept = {}
    yield kept
    for device in kept.values():
        device.stop()


@pytest.fixture
def at(request, shelf, bench, tmp_path_factory):
    """The client of a cell, at its wire."""
    command, name, wire = (request.getfixturevalue(n) for n in ("command", "name", "wire"))
    client = CLIENTS[name]
    wanted = getattr(getattr(client, command), "fresh", None)
    port = getattr(client, "udp_port", 0)
    if wanted is None:
        device = shelf.get(port) or shelf.setdefault(port, make(tmp_path_factory.mktemp("kept"),
                                                                bench, client))
    else:
        if port in shelf and port != 0:  # they would want the same port
            shelf.pop(port).stop()
        device = make(tmp_path_factory.mktemp("own"), bench, client, **wanted)
    with conversation.Talk(device.udp_port) as truth:
        yield client(device, wire, bench, truth)
    if wanted is not None:
        device.stop()


@pytest.mark.parametrize("command,name,wire", list(cells()))
def test_client(at, command, name, wire):
    getattr(at, command)()
