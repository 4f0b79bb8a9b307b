# SPDX-License-Identifier: Apache-2.0
"""scripts/run-chip: what a newcomer types, here and in another terminal."""
import re
import subprocess
import threading
import types

import pytest

import lab
import machine
import tools


def test_a_newcomers_five_minutes():
    process = subprocess.Popen([tools.ROOT / "scripts" / "run-chip", "nrf51", "--new"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    limit = threading.Timer(5 * machine.LIMIT, process.kill)  # a chip that says nothing ends, too
    limit.start()

    def heard(pattern):
        for line in process.stdout:
            if found := re.search(pattern, line):
                return found
        raise AssertionError(f"it ended without {pattern!r}")

    try:
        uri = heard(r"FERRY_DEVICE=(\S+)")[1]
        heard(r"boot: recovery \(no-image\)")
        lab.ferry("image", "upload", tools.firmware("nrf51", "app-v1.signed.bin"), device=uri, check=0)
        lab.ferry("reset", device=uri, check=0)
        heard(r"app: 1\.0\.0")
        process.stdin.write("button\n")
        process.stdin.flush()
        heard(r"boot: recovery \(button\)")
        process.stdin.write("power\n")
        process.stdin.flush()
        heard("boot: Ferry, powered on")
        heard(r"app: 1\.0\.0")
        process.stdin.write("quit\n")
        process.stdin.close()
        assert process.wait(machine.LIMIT) == 0
    finally:
        limit.cancel()
        process.kill()
        process.wait()


@pytest.mark.parametrize("words, why", [
    (["z80"], "invalid choice: 'z80'"),
    ([], "required: chip"),
    (["nrf51", "--link", "unix:/tmp/x"], "only the ast1030 has a second UART"),
])
def test_wrong_arguments(words, why):
    done = subprocess.run([tools.ROOT / "scripts" / "run-chip", *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "usage: scripts/run-chip" in done.stderr and why in done.stderr


@pytest.fixture
def run_chip(tmp_path):
    """The script as a module, with the test's own folder for its flash."""
    script = tools.ROOT / "scripts" / "run-chip"
    module = types.ModuleType("run_chip")
    module.__file__ = str(script)
    exec(compile(script.read_text(), script, "exec"), module.__dict__)
    module.ROOT = tmp_path
    return module


def test_the_button_is_held_until_the_bootloader_has_looked_at_it(run_chip):
    """It was let go at once: a bootloader that was slow to look, once in thirty times, booted instead."""
    hand = []
    said = ["app: 1.0.0\nboot: Ferry, reset\nboot: ran\n"] * 2  # of the boot before, and still while it is reset
    said += [said[0] + "boot: Ferry, reset\n", said[0] + "boot: Ferry, reset\nboot: recovery (button): serving SMP\n"]

    def words():
        hand.append("look")
        return said.pop(0)

    chip = types.SimpleNamespace(console=types.SimpleNamespace(words=words), running=lambda: True,
                                 button=hand.append, reset=lambda: hand.append("reset"))
    run_chip.reset_with_button(chip)
    assert hand == ["look", True, "reset", "look", "look", "look", False]


def test_firmware_not_built_leaves_no_empty_flash(run_chip, tmp_path, monkeypatch):
    monkeypatch.setattr(tools, "CHIPS", tmp_path / "chips")
    monkeypatch.setattr(tools, "ROOT", tmp_path)
    with pytest.raises(FileNotFoundError, match="next: make firmware"):
        run_chip.make("nrf51", tmp_path / "run", new=True)
    assert not (tmp_path / "run").exists()


def test_a_flash_of_another_size(run_chip, tmp_path):
    run_chip.make("nrf51", tmp_path, new=True).close()
    (tmp_path / "flash.bin").write_bytes(bytes(1000))
    with pytest.raises(run_chip.Trouble, match=r"flash\.bin has 1000 bytes, .* 262144\n  next: .*--new"):
        run_chip.make("nrf51", tmp_path, new=False)


def test_started_twice(run_chip, tmp_path):
    with run_chip.alone(tmp_path / "nrf51" / "run"):
        with pytest.raises(run_chip.Trouble, match="nrf51 runs already.*\n  next: "):
            with run_chip.alone(tmp_path / "nrf51" / "run"):
                pass
    with run_chip.alone(tmp_path / "nrf51" / "run"):
        pass


def test_an_emulator_that_ends_by_itself(run_chip, tmp_path, monkeypatch):
    def killed(chip, _):
        chip.process.kill()
        chip.process.wait(machine.LIMIT)
    monkeypatch.setattr(run_chip, "show", killed)
    with run_chip.make("nrf51", tmp_path, new=True) as chip, run_chip.Wire(chip, False) as wire:
        with pytest.raises(run_chip.Trouble, match="QEMU ended with -9 .*the flash is kept"):
            run_chip.run(chip, wire)


def test_a_processor_that_locks_up_starts_again(run_chip, tmp_path, capsys):
    """As with an image of another chip, signed with the same key."""
    with run_chip.make("nrf51", tmp_path, new=True) as chip, run_chip.Wire(chip, False) as wire:
        chip.program(tools.Layout("nrf51").offset("primary"), tools.firmware("ast1030", "app-v1.signed.bin"))
        wire.power_on()
        chip.process.wait(machine.LIMIT)
        run_chip.restart(chip, wire)
        chip.wait_for("boot: Ferry, powered on")
    assert "locked up (an image for another chip?)" in capsys.readouterr().out


def test_a_terminal_in_place_of_the_socket(run_chip, tmp_path):
    """Its name is the same after the power was off."""
    with run_chip.make("nrf51", tmp_path, new=True) as chip, run_chip.Wire(chip, True) as wire:
        assert wire.device == str(tmp_path / "tty")
        wire.power_on()
        lab.ferry("update", tools.firmware("nrf51", "app-v1.signed.bin"), device=wire.device, check=0)
        run_chip.act(chip, wire, "power")
        chip.wait_for(r"app: 1\.0\.0")
        assert "1.0.0" in lab.ferry("image", "list", device=wire.device, check=0).stdout
    assert not (tmp_path / "tty").is_symlink()


def test_no_emulator(run_chip, monkeypatch):
    run_chip.ROOT = tools.ROOT
    monkeypatch.setattr(run_chip.shutil, "which", lambda _: None)
    with pytest.raises(run_chip.Trouble, match="no qemu-system-arm\n  next: install it"):
        run_chip.prepare()


def test_one_chip_updates_another_by_hand(run_chip, tmp_path):
    with run_chip.make("nrf51", tmp_path / "nrf51", new=True) as peer:
        peer.power_on()
        with run_chip.make("ast1030", tmp_path / "ast1030", new=True, link=peer.uri) as chip:
            chip.power_on()
            lab.ferry("update", tools.firmware("ast1030", "carrier.signed.bin"), device=chip.uri, check=0)
            lab.ferry("image", "upload", "--image", "1", tools.firmware("nrf51", "app-v1.signed.bin"),
                      device=chip.uri, check=0)
            lab.ferry("shell", "exec", "carry", device=chip.uri, check=0)
            peer.wait_for(r"app: 1\.0\.0")
