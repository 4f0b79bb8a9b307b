# SPDX-License-Identifier: Apache-2.0
"""One chip updates another: client and stored image on the chip, no computer between them. What the
other chip came to is asked of it afterwards, by the real `ferry` and of its flash."""
import json
import re
import select
import socket
import struct
import subprocess
import threading
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
def old_peer(peer):
    """It runs 1.0.0."""
    peer.program(LAYOUT.offset("primary"), image("app-v1"))
    peer.power_on()
    peer.wait_for(r"app: 1\.0\.0\s")
    return peer


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


def test_an_updater_updates_its_peer(old_peer, updater):
    updater.start()
    updater.press()
    result = updater.end()
    assert result["state"] == "done", result
    assert result["hash"] == hash_of(image("app-v2")) and result["acked"] == image("app-v2").stat().st_size
    assert updater.lit()
    disconnect(updater)
    proven(old_peer, image("app-v2"))


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


def test_a_peer_whose_power_fails_in_the_upload(old_peer, updater):
    updater.start()
    updater.press()
    until(lambda: updater.result()["acked"] > 3000, every=0)
    old_peer.power_off()
    assert updater.result()["state"] == "busy"
    old_peer.power_on()
    assert updater.end()["state"] == "done", updater.result()
    disconnect(updater)
    proven(old_peer, image("app-v2"))


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


def test_a_peer_that_refuses_the_image(old_peer, updater, tmp_path):
    """Another's signature: only its bootloader can tell, and the old image goes on."""
    key, signed = tmp_path / "key.pem", tmp_path / "signed.bin"
    lab.ferry("keygen", "-t", "ecdsa-p256", "-o", key, check=0)
    lab.ferry("sign", "-k", key, "--layout", LAYOUT.path, "--version", "9.0.0", "--header-size", 0x20, "--pad-header",
              tools.firmware("nrf51", "app-v2.bin"), signed, check=0)
    updater.carry(signed)
    updater.start()
    updater.press()
    result = updater.end()
    assert result["state"] == "failed" and "bootloader refused" in result["text"], result
    disconnect(updater)
    proven(old_peer, image("app-v1"))


# ---- The carrier -----------------------------------------------------------------------------------


class Carrier:
    """An AST1030 between this computer and the peer."""

    def __init__(self, chip):
        self.chip = chip

    def ferry(self, *words, check=0, **options):
        return lab.ferry(*words, device=self.chip.uri, check=check, **options)

    def start(self):
        """Through its recovery, as it comes from the factory."""
        self.chip.power_on()
        self.chip.wait_for("serving SMP")
        self.ferry("image", "upload", tools.firmware("ast1030", "carrier.signed.bin"))
        self.ferry("reset")
        self.chip.wait_for(r"app: carrier 1\.0\.0\s")
        return self

    def store(self, file):
        self.ferry("image", "upload", "--image", "1", file)

    def shell(self, *words):
        """What a line says, and what it returns."""
        done = lab.ferry("--json", "shell", "exec", *words, device=self.chip.uri)
        answer = json.loads(done.stdout)
        return answer["o"], answer["ret"]

    def until(self, pattern):
        """Ask for the status until it says so."""
        return until(lambda: re.search(pattern, self.shell("carry", "status")[0]), 5 * machine.LIMIT, every=0)


@pytest.fixture
def carrier(machines, peer):
    return Carrier(machines(machine.Ast1030, "carrier", program=tools.firmware("ast1030", "bootloader.elf"), peer=peer))


def expect_done(carrier, peer, file):
    """The carrier says it, with the hash; so does the peer, asked without the carrier."""
    carrier.until("^done: the other chip runs [0-9.]+, confirmed")
    said, result = carrier.shell("carry", "status")
    assert said.split("\n")[1] == f"hash: {hash_of(file)}" and result == 0, said
    carrier.chip.power_off()
    proven(peer, file)


def test_a_carrier_updates_its_peer_and_serves_meanwhile(carrier, old_peer):
    """Though the peer's power fails on the way."""
    carrier.start()
    assert carrier.shell("carry", "status") == ("idle: nothing was carried since the start\n"
                                                "next: upload an image with number 1, then `carry`\n", 0)
    carrier.store(image("app-v2"))
    stored = [one for one in lab.ferry_json("image", "list", device=carrier.chip.uri)["images"] if one["image"] == 1]
    assert [(one["hash"], one["active"], one["pending"]) for one in stored] == [(hash_of(image("app-v2")), False, False)]
    said, result = carrier.shell("carry")
    assert said.startswith("busy: 2.0.0, step hello, 0 %") and result == 0
    carrier.until(r"^busy: 2\.0\.0, step upload, [1-9]\d? % \(\d+ of \d+ bytes\)\nuploading")
    old_peer.power_off()  # so that it lasts
    assert carrier.shell("carry") == ("it carries already\nnext: `carry status`, or `carry stop`\n", -16)
    assert "hello" in carrier.ferry("os", "echo", "hello").stdout
    for command in (["image", "erase", "--slot", 3], ["reset"]):
        refused = carrier.ferry(*command, check=5).stderr
        assert "it carries the image to the other chip" in refused, refused
    carrier.until("silent|waiting")
    old_peer.power_on()
    expect_done(carrier, old_peer, image("app-v2"))


def test_an_upload_waits_for_the_end_of_the_carry(carrier, old_peer):
    """What is carried is not changed under way."""
    carrier.start()
    carrier.store(image("app-v2"))
    carrier.shell("carry")
    carrier.store(image("app-v1"))
    assert hash_of(image("app-v1")) in carrier.ferry("image", "list").stdout
    expect_done(carrier, old_peer, image("app-v2"))


def test_an_empty_peer_is_installed_by_the_carrier(carrier, peer):
    peer.power_on()
    peer.wait_for("serving SMP")
    carrier.start()
    carrier.store(image("app-v2"))
    carrier.shell("carry")
    expect_done(carrier, peer, image("app-v2"))


def test_a_carrier_without_an_image_or_a_peer(carrier, peer):
    """Each time what, why, and what to do next; and done, it can be begun again."""
    carrier.start()
    said, result = carrier.shell("carry")
    assert said.startswith("failed: ") and "(FERRY_E_MAGIC)\nnext: store a whole image" in said and result == -5
    carrier.store(image("app-v2"))
    carrier.shell("carry")
    carrier.until("^failed at step hello: the other chip does not answer")
    said, result = carrier.shell("carry", "status")
    assert "(FERRY_E_TIMEOUT)\nnext: check its power, the wires" in said and result == -5
    said, result = carrier.shell("carry", "on")
    assert said == "no such command\nnext: `carry`, `carry status` or `carry stop`\n" and result == -8
    peer.program(LAYOUT.offset("primary"), image("app-v1"))
    peer.power_on()
    peer.wait_for(r"app: 1\.0\.0\s")
    carrier.shell("carry")
    expect_done(carrier, peer, image("app-v2"))


def test_a_carrier_whose_power_fails_begins_anew_where_it_was(carrier, old_peer):
    carrier.start()
    carrier.store(image("app-v2"))
    carrier.shell("carry")
    carrier.until("step upload, [2-9]")
    carrier.chip.power_off()
    carrier.chip.power_on()
    carrier.chip.wait_for(r"app: carrier 1\.0\.0\s")
    assert carrier.shell("carry", "status")[0].startswith("idle")
    carrier.shell("carry")
    expect_done(carrier, old_peer, image("app-v2"))


def test_it_is_stopped_and_begun_again(carrier, old_peer):
    carrier.start()
    carrier.store(image("app-v2"))
    carrier.shell("carry")
    carrier.until("step upload, [2-9]")
    said, result = carrier.shell("carry", "stop")
    assert said.startswith("failed at step upload: cancelled (FERRY_E_CANCELLED)\nnext: ") and result == 0
    carrier.shell("carry")
    expect_done(carrier, old_peer, image("app-v2"))


class BadWire:
    """Between two chips: one byte in `every` is another one, in both directions."""

    def __init__(self, folder, peer, every):
        self.serial, self.peer, self.every, self.damaged = folder / "wire", peer, every, 0
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.serial))
        self.listener.listen()
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        """For one connection, until one of its ends is gone."""
        near, _ = self.listener.accept()
        with near, socket.socket(socket.AF_UNIX) as far:
            far.connect(str(self.peer.serial))
            carried = {near: 0, far: 0}
            while True:
                for end in select.select([near, far], [], [])[0]:
                    data = bytearray(end.recv(4096))
                    if not data:
                        return
                    for at in range(self.every - 1 - carried[end] % self.every, len(data), self.every):
                        data[at] ^= 0x10
                        self.damaged += 1
                    carried[end] += len(data)
                    (far if end is near else near).sendall(data)


def test_noise_between_the_chips(machines, old_peer):
    chip = machines(machine.Ast1030, "carrier", program=tools.firmware("ast1030", "bootloader.elf"))
    chip.peer = wire = BadWire(chip.sockets, old_peer, every=5003)
    carrier = Carrier(chip).start()
    carrier.store(image("app-v2"))
    carrier.shell("carry")
    expect_done(carrier, old_peer, image("app-v2"))
    assert wire.damaged >= 3


def test_the_document_counts_the_flashes():
    told = (tools.ROOT / "docs" / "CHIPS.md").read_text().split("The steps: ")[1].split(".")[0]
    assert told == ", ".join(f"{n} {name.lower()}" for n, name in enumerate(STEPS[:-1], 1))
