# SPDX-License-Identifier: Apache-2.0
"""The immutable first stage on the virtual device, and the update of the bootloader itself over SMP:
from S0 to S1 and back, with power cuts at every stage of the way. After each the device comes up."""
import os
import subprocess

import pytest

import lab

S0, S1 = 0x20200, 0x50200  # of device/layout-first.json
LAYOUT = lab.ROOT / "device" / "layout-first.json"
EVERY = int(os.environ.get("FERRY_E2E_CUTS", "3"))  # of so many flash operations one is cut


class Stages:
    """Signed bootloaders for both slots, and provision data."""

    def __init__(self, folder, bench):
        self.folder, self.bench = folder, bench
        self.key = folder / "b0.pem"
        self.other = folder / "other.pem"
        for key in (self.key, self.other):
            lab.ferry("keygen", "-t", "ecdsa-p256", "-o", key, check=0)
        self.provision = folder / "provision.bin"
        lab.ferry("b0", "provision", "-k", self.key, "--s0-addr", hex(S0), "--s1-addr", hex(S1),
                  "--counter-slots", "60", self.provision, check=0)
        self.made = {}

    def make(self, slot, version, key=None, image_key=None, change=None, pad=False):
        name = (slot, version, key, image_key, change is not None, pad)
        if name in self.made:
            return self.made[name]
        base = self.folder / f"stage-{len(self.made)}"
        signed, image = base.with_suffix(".b0"), base.with_suffix(".img")
        lab.ferry("b0", "sign", "-k", key or self.key, "-v", version, "-a", hex((S0, S1)[slot]),
                  *(["--pad"] if pad else []), lab.FIRMWARE / "bootloader.elf", signed, check=0)
        if change is not None:
            signed.write_bytes(change(signed.read_bytes()))
        lab.ferry("sign", "-k", image_key or self.bench.key, "-v", f"{version}.0.0", "-H", "512",
                  "--pad-header", "-S", "0x30000", *lab.AS_IT_IS, signed, image, check=0)
        self.made[name] = image
        return image


@pytest.fixture(scope="module")
def stages(tmp_path_factory, bench):
    return Stages(tmp_path_factory.mktemp("stages"), bench)


class FirstDevice(lab.Device):
    """A device with a first stage and version 1 in S0."""

    def __init__(self, folder, bench, stages, **options):
        self.stages = stages
        super().__init__(folder, bench, **options)

    def program(self, bench, image, layout=None, flash=(), secret=None):
        subprocess.run([lab.FERRY_DEVICE, "--dir", self.folder, "--layout", LAYOUT,
                        "--flash", f"b0={lab.FIRMWARE / 'b0.elf'}",
                        "--flash", f"s0={self.stages.make(0, 1)}",
                        "--flash", f"provision={self.stages.provision}",
                        "--flash", f"primary={bench.images[image]}", "--flash-key", bench.key,
                        "--program-only"], check=True, timeout=30, stdin=subprocess.DEVNULL,
                       capture_output=True)

    def bootloader(self):
        """Version of the bootloader that runs, once the device answers."""
        self.running()
        images = lab.ferry_json("image", "list", device=self.uri)["images"]
        return next(i["version"] for i in images if i["image"] == 1 and i["active"])

    def ask_for(self, image):
        """Stage a bootloader and ask for it; the next reset installs it."""
        self.running()
        lab.ferry("image", "upload", "--image", 1, image, device=self.uri, check=0)
        hash_ = lab.ferry_json("verify", image)["hash"]
        lab.ferry("image", "test", hash_, device=self.uri, check=0)


@pytest.fixture
def first(tmp_path, bench, stages):
    with FirstDevice(tmp_path / "first", bench, stages) as device:
        yield device


def update(device, *files, check=None):
    return lab.ferry("update", "--image", 1, *files, device=device.uri, check=check)


def test_the_bootloader_is_updated_there_and_back(first, stages):
    """Both builds are given, in either order: ferry sends the one that fits, and says so."""
    first.wait_for("b0: starting S0, version 1")
    first.running()
    assert lab.ferry("b0", "slot", device=first.uri, check=0).stdout.startswith("S0:")
    done = update(first, stages.make(0, 2), stages.make(1, 2), check=0)
    assert "runs from S0: sending" in done.stderr and "built for S1" in done.stderr
    assert first.bootloader() == "2.0.0"
    first.wait_for("b0: starting S1, version 2")
    done = update(first, stages.make(1, 3), stages.make(0, 3), check=0)
    assert "runs from S1: sending" in done.stderr and "built for S0" in done.stderr
    assert lab.ferry_json("b0", "slot", device=first.uri) == {"active": 0}
    assert first.bootloader() == "3.0.0"
    first.wait_for("b0: starting S0, version 3")
    why = lab.ferry_json("why", "--image", 1, device=first.uri)
    assert why["action"] == "upgraded" and why["upgrades"] == 2 and why["refusals"] == 0
    first.kill()  # and it is there after a power cut
    first.start()
    assert first.bootloader() == "3.0.0"


def test_both_builds_in_a_bundle(first, stages, tmp_path):
    """As Nordic's dfu_mcuboot.zip: the bundle says that it is image 1, the device which one fits."""
    first.running()
    for version, builds in ((2, (1, 0)), (3, (0, 1))):
        files = [f"1={stages.make(slot, version)}" for slot in builds]
        path = tmp_path / "dfu_mcuboot.zip"
        lab.ferry("bundle", "create", path, *files, check=0)
        done = lab.ferry("update", path, device=first.uri, check=0)
        assert f"is for slot {version % 2 ^ 1}" in done.stderr
        assert first.bootloader() == f"{version}.0.0"


def test_a_bootloader_may_lie_behind_its_fw_info(first, stages):
    """--pad: for a firmware that has none linked in."""
    first.running()
    update(first, stages.make(1, 2, pad=True), check=0)
    assert first.bootloader() == "2.0.0"
    update(first, stages.make(0, 3), check=0)
    assert first.bootloader() == "3.0.0"


def test_the_new_bootloader_installs_what_else_is_asked_for(first, stages, bench):
    """A reset for the bootloader is no boot of an application that is to be tested."""
    first.running()
    lab.ferry("image", "upload", bench.images["v2"], device=first.uri, check=0)
    lab.ferry("image", "test", bench.hash_of("v2"), device=first.uri, check=0)
    first.ask_for(stages.make(1, 2))
    lab.ferry("reset", device=first.uri, check=0)
    first.wait_for("b0: starting S1")
    first.wait_for("app 2.0.0 started")
    assert first.bootloader() == "2.0.0"
    assert first.running()["version"] == "2.0.0"
    log = first.log()
    assert log.index("starting S1") < log.index("image 0: upgraded for a test to 2.0.0")


def test_the_bootloader_in_recovery_is_updated_as_well(first, stages):
    """Its own slot is left alone; the update goes where it always goes."""
    first.running()
    lab.ferry("reset", "--recovery", device=first.uri, check=0)
    first.wait_for(r"recovery \(boot-mode\)")
    assert lab.ferry_json("b0", "slot", device=first.uri) == {"active": 0}
    done = update(first, stages.make(0, 2), stages.make(1, 2), check=0)
    assert "runs from S0: sending" in done.stderr
    first.wait_for("b0: starting S1, version 2")
    assert first.bootloader() == "2.0.0"


def spoil(data):
    return data[:5000] + bytes([data[5000] ^ 1]) + data[5001:]


@pytest.mark.parametrize("what, reason", [
    ("the other slot's build", "FERRY_E_ADDRESS"),
    ("another key of the first stage", "FERRY_E_NO_KEY"),
    ("another key of the image", "FERRY_E_NO_KEY"),
    ("changed behind its signature", "FERRY_E_DIGEST"),
    ("a lower version", "FERRY_E_OLD_STAGE"),
])
def test_a_bad_bootloader_is_refused_with_its_reason(first, stages, what, reason):
    first.running()
    if what == "a lower version":
        update(first, stages.make(1, 2), check=0)
    image = {
        "the other slot's build": lambda: stages.make(0, 4),
        "another key of the first stage": lambda: stages.make(1, 4, key=stages.other),
        "another key of the image": lambda: stages.make(1, 4, image_key=stages.other),
        "changed behind its signature": lambda: stages.make(1, 4, change=spoil),
        "a lower version": lambda: stages.make(0, 1),
    }[what]()
    before = first.bootloader()
    done = update(first, image, check=6)
    assert "refused" in done.stderr, done.stderr
    why = lab.ferry_json("why", "--image", 1, device=first.uri)
    assert why["action"] == "refused" and why["reason_name"] == reason
    assert first.bootloader() == before


def test_what_is_spoilt_in_s1_falls_back(tmp_path, bench, stages):
    """Somebody programs a bad S1: the first stage gives it up and starts S0."""
    device = FirstDevice(tmp_path / "device", bench, stages)
    bad = tmp_path / "bad.img"
    bad.write_bytes(spoil(stages.make(1, 9).read_bytes()))
    device.reflash("s1", bad)
    with device:
        device.wait_for("b0: S1 may not run: the digest does not match")
        assert device.bootloader() == "1.0.0"


def test_two_files_for_one_slot_and_a_device_without_a_first_stage(first, device, stages):
    first.running()
    done = update(first, stages.make(1, 2), stages.make(1, 3), check=6)
    assert "both files are built for address 0x50200" in done.stderr
    device.running()
    done = update(device, stages.make(0, 2), stages.make(1, 2), check=5)
    assert "does not say from which slot" in done.stderr
    done = lab.ferry("b0", "slot", device=device.uri, check=5)
    assert "does not say from which slot" in done.stderr


def test_a_device_without_provision_data_says_what_to_do(tmp_path, bench, stages):
    device = FirstDevice(tmp_path / "device", bench, stages)
    empty = tmp_path / "empty.bin"
    empty.write_bytes(b"\xff" * 64)
    device.reflash("provision", empty)
    with device:
        device.wait_for(r"b0: stopped: .*--reflash")


def test_power_cuts_during_the_whole_update(tmp_path, bench, stages, capsys):
    """One cut at every EVERYth flash operation of the installation and of what the first stage
    writes. Each time the device comes up with one of the two bootloaders, and then with the new."""
    device = FirstDevice(tmp_path / "device", bench, stages)
    with device:
        device.ask_for(stages.make(1, 2))
    asked = device.flash()
    cuts = 0
    operation, how = 1, ("before", "inside", "after")
    while device.runs_to_cut(operation, how[cuts % 3]):
        cuts += 1
        with device:
            device.wait_for(r"app .* started")
            assert device.bootloader() == "2.0.0", f"cut at {operation}:\n{device.log()}"
        device.restore(asked)
        operation += EVERY
    with capsys.disabled():
        print(f"\n{cuts} power cuts during the update of the bootloader")
    assert cuts > 5


def test_kill_at_any_moment(tmp_path, bench, stages):
    """kill -9 while it installs, at what the log says; the device comes up."""
    device = FirstDevice(tmp_path / "device", bench, stages, erase_ms=2, program_us=50)
    with device:
        device.ask_for(stages.make(1, 2))
    asked = device.flash()
    for pattern in ("boot: Ferry bootloader", "another bootloader is installed",
                    "b0: starting S1", "image 1: upgraded"):
        device.restore(asked)
        device.start()
        device.wait_for(pattern)
        device.kill()
        with device:
            assert device.bootloader() == "2.0.0", pattern


def test_an_update_costs_what_was_told(first, stages):
    """What `ferry layout` says, on a device with an update behind it, area by area."""
    first.running()
    update(first, stages.make(1, 2), check=0)
    first.stop()
    image = stages.make(0, 3)
    told = lab.ferry_json("layout", LAYOUT, "--image", 1, "--size", image)["images"][0]["update"]
    with first:
        update(first, image, check=0)
        assert first.bootloader() == "3.0.0"
    tally = first.tally()
    slots = {area: tally.get(area, (0, 0)) for area in ("staging", "s0", "s1")}
    expected = {area: tuple(told["upload"]["areas"][area][what] + told["install"]["areas"][area][what]
                            for what in ("erases", "written")) for area in slots}
    assert slots == expected
