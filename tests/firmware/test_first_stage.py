# SPDX-License-Identifier: Apache-2.0
"""An immutable first stage on an nRF51 with 512 KiB of flash, and the update of the bootloader itself
over SMP: from S0 to S1 and back, with power cuts on the way. After each the chip comes up."""
import pytest

import lab
import machine
import tools

LAYOUT = tools.Layout("nrf51", "layout-first.json")
HEADER = 0x200  # in front of a bootloader
CUTS = 6  # of an installation, evenly


class Stages:
    """Signed bootloaders for both slots, provision data and the application."""

    def __init__(self, folder):
        self.folder, self.made = folder, {}
        self.key, self.other = folder / "b0.pem", folder / "other.pem"
        for key in (self.key, self.other):
            lab.ferry("keygen", "-t", "ecdsa-p256", "-o", key, check=0)
        self.provision = folder / "provision.bin"
        lab.ferry("b0", "provision", "-k", self.key, "--s0-addr", hex(self.address(0)), "--s1-addr",
                  hex(self.address(1)), "--counter-slots", 60, self.provision, check=0)

    @staticmethod
    def address(slot):
        return LAYOUT.offset(f"s{slot}") + HEADER

    def sign(self, source, version, out, *options):
        lab.ferry("sign", "-k", tools.CHIPS / "key.pem", "-v", version, "--pad-header", "--layout", LAYOUT.path,
                  "--input-format", "bin", *options, source, out, check=0)
        return out

    def bootloader(self, slot, version, key=None):
        """Built for a slot, signed for the first stage and for the bootloader that will install it."""
        if (slot, version, key) not in self.made:
            base = self.folder / f"stage-{len(self.made)}"
            lab.ferry("b0", "sign", "-k", key or self.key, "-v", version, "-a", hex(self.address(slot)),
                      tools.firmware("nrf51", f"first-s{slot}.bin"), base.with_suffix(".b0"), check=0)
            self.made[slot, version, key] = self.sign(base.with_suffix(".b0"), f"{version}.0.0",
                                                      base.with_suffix(".img"), "-H", HEADER, "--image", 1)
        return self.made[slot, version, key]

    def app(self, version):
        return self.sign(tools.firmware("nrf51", "first-app.bin"), version, self.folder / f"app-{version}.img")


@pytest.fixture(scope="module")
def stages(tmp_path_factory):
    return Stages(tmp_path_factory.mktemp("stages"))


@pytest.fixture
def chip(machines, stages):
    """As it leaves the factory: B0, provision data, version 1 in S0, an application. Switched off."""
    made = machines(machine.Microbit, flash_size=LAYOUT.flash_size)
    made.program(0, tools.firmware("nrf51", "first.bin"))
    made.program(LAYOUT.offset("provision"), stages.provision)
    made.program(LAYOUT.offset("s0"), stages.bootloader(0, 1))
    made.program(LAYOUT.offset("primary"), stages.app("1.0.0"))
    return made


def starts(chip, slot, version):
    chip.wait_for(rf"b0: starting S{slot}, version {version}\s")
    chip.wait_for(r"app: 1\.0\.0\s")


def ferry(chip, *words, check=0):
    return lab.ferry(*words, device=chip.uri, check=check)


def ask_for(chip, image):
    """Stage a bootloader; the next start installs it."""
    ferry(chip, "image", "upload", "--image", 1, image)
    ferry(chip, "image", "test", lab.ferry_json("verify", image)["hash"])


def test_the_bootloader_is_updated_there_and_back(chip, stages):
    """Both builds are given: ferry asks which runs, and sends the other one."""
    chip.power_on()
    starts(chip, 0, 1)
    done = ferry(chip, "update", "--image", 1, stages.bootloader(0, 2), stages.bootloader(1, 2))
    assert "runs from S0: sending" in done.stderr
    chip.wait_for(r"boot: another bootloader is installed\s")
    starts(chip, 1, 2)
    ferry(chip, "update", "--image", 1, stages.bootloader(0, 3), stages.bootloader(1, 3))
    starts(chip, 0, 3)
    assert lab.ferry_json("b0", "slot", device=chip.uri) == {"active": 0}
    images = lab.ferry_json("image", "list", device=chip.uri)["images"]
    assert [one["version"] for one in images if one["active"]] == ["1.0.0", "3.0.0"]
    chip.power_off()
    chip.power_on()
    starts(chip, 0, 3)


def test_the_application_is_updated_by_either_bootloader(chip, stages):
    chip.power_on()
    starts(chip, 0, 1)
    ferry(chip, "update", stages.app("2.0.0"))
    ferry(chip, "update", "--image", 1, stages.bootloader(0, 2), stages.bootloader(1, 2))
    starts(chip, 1, 2)
    ferry(chip, "update", stages.app("3.0.0"))
    images = lab.ferry_json("image", "list", device=chip.uri)["images"]
    assert [one["version"] for one in images if one["active"]] == ["3.0.0", "2.0.0"]


def test_a_broken_bootloader_does_not_run(chip, stages):
    """Its version is the higher one, one byte of its code is not what was signed."""
    broken = bytearray(stages.bootloader(1, 2).read_bytes())
    broken[len(broken) // 2] ^= 4
    chip.program(LAYOUT.offset("s1"), bytes(broken))
    chip.power_on()
    chip.wait_for(r"b0: S1 may not run: ")
    starts(chip, 0, 1)
    ferry(chip, "update", "--image", 1, stages.bootloader(1, 3))  # and it is written over
    starts(chip, 1, 3)


def test_what_the_first_stage_would_not_run_is_not_installed(chip, stages):
    """Signed by another key, and an older version: told, and taken away."""
    chip.power_on()
    starts(chip, 0, 1)
    ferry(chip, "update", "--image", 1, stages.bootloader(1, 5))
    starts(chip, 1, 5)
    before = chip.read(*LAYOUT.areas["s0"])
    for image in (stages.bootloader(0, 6, stages.other), stages.bootloader(0, 4)):
        ask_for(chip, image)
        ferry(chip, "reset")
        chip.wait_for(r"b0: starting S1, version 5\s")
        chip.wait_for(r"boot: the other bootloader is refused: ")
        chip.wait_for(r"app: 1\.0\.0\s")
        assert chip.read(*LAYOUT.areas["s0"]) == before


def test_no_bootloader_runs(chip):
    chip.program(LAYOUT.offset("s0"), b"\xff" * 1024)
    chip.power_on()
    chip.wait_for(r"b0: stopped: .*docs/FIRST\.md")


def test_the_power_fails_while_a_bootloader_is_installed(chip, stages, record_property):
    chip.power_on()
    starts(chip, 0, 1)
    ask_for(chip, stages.bootloader(1, 2))
    chip.power_off()
    asked = chip.read()
    chip.power_on(cut=0)
    starts(chip, 1, 2)
    chip.shut_down()
    operations = chip.operations()[0]
    for n in range(CUTS):
        chip.program(0, asked)
        chip.power_on(cut=1 + n * (operations - 1) // (CUTS - 1))
        chip.wait_for_cut()
        chip.power_on()
        starts(chip, 1, 2)
        chip.power_off()
    record_property("counted", f"bootloader installed: {CUTS} cuts of {operations} flash operations, 0 bricks")
