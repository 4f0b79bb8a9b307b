# SPDX-License-Identifier: Apache-2.0
"""Foreign servers, played by `ferry-device --foreign`: whatever the quirk, the update completes and
the file is right, or the failure has a name. C1 to C41: docs/INTEROP.md."""
import time

import pytest

import lab

FAST = ["--timeout", "1"]


@pytest.fixture(scope="session")
def bench(tmp_path_factory):
    return lab.Bench(tmp_path_factory.mktemp("bench"))


@pytest.fixture
def foreign(tmp_path, bench):
    """Makes a device with quirks."""
    made = []

    def make(quirks, **options):
        device = lab.Device(tmp_path / f"device{len(made)}", bench, foreign=quirks,
                            **options).start()
        device.wait_for(r"app \d\.0\.0 started|recovery \(")
        made.append(device)
        return device
    yield make
    for device in made:
        device.stop()


def uri(device, wire):
    return {"serial": device.uri, "raw": device.raw_uri, "udp": device.udp_uri}[wire]


def check_updated(device, bench):
    """The new image runs, confirmed, and its bytes in the flash are those of the file."""
    device.stop()
    image = bench.images["v2"].read_bytes()
    assert any(image in flash for flash in device.flash().values())
    device.options.pop("foreign")
    device.start()
    running = device.running()
    assert running["hash"] == bench.hash_of("v2") and running["confirmed"]


# ---- Quirks that an update does not mind --------------------------------------------------------

ON_ANY_WIRE = {  # quirks: options of the device
    "no-params": {}, "v1-body": {}, "always-rc": {}, "no-rc-ok": {},
    "v1-body,always-rc,definite": {}, "one-buffer": {}, "off-wrong": {}, "off-back": {},
    "off-restart": {}, "chop": {}, "chop=64": {}, "restart-at-0": {}, "busy": {},
    "slow-last=1500": {}, "lose-last": {}, "definite": {}, "unknown-keys": {}, "no-match": {},
    "lose-answer=5": {}, "dup-answer": {}, "reorder=3": {}, "stale": {}, "reset-unanswered": {},
    "too-new": {}, "ignore-first": {}, "slow-erase=1500": {},
}


@pytest.mark.parametrize("quirks", ON_ANY_WIRE)
def test_update_over_udp(quirks, foreign, bench):
    device = foreign(quirks, **ON_ANY_WIRE[quirks])
    lab.ferry(*FAST, "update", bench.images["v2"], device=device.udp_uri, check=0)
    assert "erased again" not in device.log() and "without len" not in device.log()
    check_updated(device, bench)


ON_THE_CONSOLE = ["mute-params", "v1-only", "echo", "crlf", "len-without-crc", "text-before", "text-between",
                  "text-inside=40", "echo,crlf,text-before,text-between"]


@pytest.mark.parametrize("quirks", ON_THE_CONSOLE)
def test_update_over_a_console(quirks, foreign, bench):
    device = foreign(quirks)
    lab.ferry(*FAST, "update", bench.images["v2"], device=device.uri, check=0)
    check_updated(device, bench)
