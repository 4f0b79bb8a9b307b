# SPDX-License-Identifier: Apache-2.0
"""One chip updates another: client and stored image on the chip, no computer between them. What the
other chip came to is asked of it afterwards, by the real `ferry` and of its flash."""
import re
import struct
import subprocess
import time

import pytest

import lab
import machine
import tools

LAYOUT = tools.Layout("nrf51")
STEPS = re.findall(r"FERRY_UPDATE_([A-Z]+)[,\n/ ]", (tools.ROOT / "include/ferry/update.h").read_text()
                   .split("enum ferry_update_step {")[1].split("}")[0])
STATES = ["idle", "busy", "done", "failed"]


def image(name):
    return tools.firmware("nrf51", f"{name}.signed.bin")


def hash_of(file):
    return next(tlv["data"] for tlv in lab.ferry_json("inspect", file)["tlvs"] if tlv["name"] == "SHA256")


def until(what, timeout=machine.LIMIT, every=0.05):
    """Wait until what() gives something that counts as true, and return that."""
    end = time.monotonic() + timeout
    while True:
        found = what()
        if found:
            return found
        assert time.monotonic() < end, f"not in {timeout} s: {what.__doc__ or what}"
        time.sleep(every)


# ---- The updater -----------------------------------------------------------------------------------


class Updater:
    """An nRF51 whose only wire leads to another one. It says nothing: its result is read out of its
    RAM as a debugger does, by the name of the variable; its light is a pin."""

    PIN_LIGHT = 13

    def __init__(self, chip, carried):
        self.chip = chip
        self.chip.program(0, tools.firmware("nrf51", "bootloader.bin"))
        self.chip.program(LAYOUT.offset("primary"), image("updater"))
        self.carry(carried)
        names = subprocess.run(["arm-none-eabi-nm", tools.firmware("nrf51", "updater.elf")], text=True,
                               capture_output=True, check=True, timeout=60).stdout
        self.address = int(re.search(r"(\w+) \w updater_result\n", names)[1], 16)

    def carry(self, file):
        self.chip.program(LAYOUT.offset("secondary"), file)

    def memory(self, address, size):
        file = self.chip.folder / "memory"
        self.chip.qmp("memsave", val=address, size=size, filename=str(file))
        return file.read_bytes()

    def text(self, address):
        return self.memory(address, 200).split(b"\0")[0].decode() if address else ""

    def result(self):
        begun, state, step, acked, total, error, text, remedy = struct.unpack("<5IiII", self.memory(self.address, 32))
        return {"begun": begun, "state": STATES[state], "step": STEPS[step].lower(), "acked": acked, "total": total,
                "error": error, "text": self.text(text), "remedy": self.text(remedy),
                "hash": self.memory(self.address + 32, 32).hex()}

    def lit(self):
        outputs = self.memory(0x50000504, 4)  # GPIO.OUT
        return bool(struct.unpack("<I", outputs)[0] & 1 << self.PIN_LIGHT)

    def press(self):
        """The button, held until it has begun."""
        begun = self.result()["begun"]
        self.chip.button(True)
        until(lambda: self.result()["begun"] > begun)
        self.chip.button(False)

    def start(self):
        self.chip.power_on()
        until(self.running)
        assert self.result()["state"] == "idle"
        assert not self.lit()

    def running(self):
        """The bootloader has started it: the light's pin is an output."""
        return struct.unpack("<I", self.memory(0x50000514, 4))[0] & 1 << self.PIN_LIGHT

    def end(self):
        """Its own patience is 13 s of silence; on a busy computer its clock loses ticks."""
        return until(lambda: self.result()["state"] in ("done", "failed") and self.result(), 5 * machine.LIMIT)


@pytest.fixture
def peer(machines):
    chip = machines(machine.Microbit, "peer", flash_size=LAYOUT.flash_size)
    chip.program(0, tools.firmware("nrf51", "bootloader.bin"))
    return chip


@pytest.fixture
def updater(machines, peer):
    return Updater(machines(machine.Microbit, "updater", flash_size=LAYOUT.flash_size, peer=peer), image("app-v2"))


def proven(peer, file, slot=0):
    """What the other chip says itself, and what is in its flash."""
    states = lab.ferry_json("image", "list", device=peer.uri)["images"]
    assert {(state["slot"], state["hash"]) for state in states} >= {(slot, hash_of(file))}
    running = next(state for state in states if state["active"])
    assert running["hash"] == hash_of(file) and running["confirmed"], states
    assert peer.read(LAYOUT.offset("primary"), file.stat().st_size) == file.read_bytes()


def disconnect(updater):
    """The wire is free for a computer."""
    updater.chip.power_off()


def test_an_updater_updates_its_peer(peer, updater):
    peer.program(LAYOUT.offset("primary"), image("app-v1"))
    peer.power_on()
    peer.wait_for(r"app: 1\.0\.0\s")
    updater.start()
    updater.press()
    result = updater.end()
    assert result["state"] == "done", result
    assert result["hash"] == hash_of(image("app-v2")) and result["acked"] == image("app-v2").stat().st_size
    assert updater.lit()
    disconnect(updater)
    proven(peer, image("app-v2"))


def test_an_empty_peer_is_installed_through_its_recovery(peer, updater):
    peer.power_on()
    peer.wait_for("serving SMP")
    updater.start()
    updater.press()
    result = updater.end()
    assert result["state"] == "done", result
    peer.wait_for(r"app: 2\.0\.0\s")
    disconnect(updater)
    proven(peer, image("app-v2"))


def test_a_press_with_nothing_to_do_ends_at_once(peer, updater):
    peer.program(LAYOUT.offset("primary"), image("app-v2"))
    peer.power_on()
    peer.wait_for(r"app: 2\.0\.0\s")
    updater.start()
    updater.press()
    assert updater.end()["state"] == "done"
    assert len(re.findall("boot: Ferry", peer.console.text())) == 1


def test_a_peer_whose_power_fails_in_the_upload(peer, updater):
    peer.program(LAYOUT.offset("primary"), image("app-v1"))
    peer.power_on()
    peer.wait_for(r"app: 1\.0\.0\s")
    updater.start()
    updater.press()
    until(lambda: updater.result()["acked"] > 3000, every=0)
    peer.power_off()
    assert updater.result()["state"] == "busy"
    peer.power_on()
    assert updater.end()["state"] == "done", updater.result()
    disconnect(updater)
    proven(peer, image("app-v2"))


def test_a_peer_that_is_not_there(peer, updater):
    """The step is told by the light, the cause by the result; a second press ends well."""
    updater.start()
    updater.press()
    result = updater.end()
    assert (result["state"], result["step"]) == ("failed", "hello")
    assert "does not answer" in result["text"] and "TX to RX" in result["remedy"], result
    until(updater.lit)
    until(lambda: not updater.lit())
    peer.program(LAYOUT.offset("primary"), image("app-v1"))
    peer.power_on()
    peer.wait_for(r"app: 1\.0\.0\s")
    updater.press()
    assert updater.end()["state"] == "done", updater.result()
    disconnect(updater)
    proven(peer, image("app-v2"))


def test_a_peer_that_refuses_the_image(peer, updater, tmp_path):
    """Another's signature: only its bootloader can tell, and the old image goes on."""
    key, signed = tmp_path / "key.pem", tmp_path / "signed.bin"
    lab.ferry("keygen", "-t", "ecdsa-p256", "-o", key, check=0)
    lab.ferry("sign", "-k", key, "--layout", LAYOUT.path, "--version", "9.0.0", "--header-size", 0x20, "--pad-header",
              tools.firmware("nrf51", "app-v2.bin"), signed, check=0)
    updater.carry(signed)
    peer.program(LAYOUT.offset("primary"), image("app-v1"))
    peer.power_on()
    peer.wait_for(r"app: 1\.0\.0\s")
    updater.start()
    updater.press()
    result = updater.end()
    assert result["state"] == "failed" and "bootloader refused" in result["text"], result
    disconnect(updater)
    proven(peer, image("app-v1"))
