# SPDX-License-Identifier: Apache-2.0
"""No program uses more stack than bench/size_firmware.py calculates for its budget: RAM is zero when
the chip is switched on, so what was written lowest shows how deep it went."""
import pathlib
import subprocess
import sys

import lab
import tools

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import size_firmware  # noqa: E402

RAM, RAM_SIZE = 0x20000000, 0x4000
VECTORS = 4 * 48


def symbol(elf, name):
    listing = subprocess.run(["arm-none-eabi-nm", elf], check=True, capture_output=True, text=True).stdout
    return next(int(line.split()[0], 16) for line in listing.splitlines() if line.endswith(f" {name}"))


def used(chip, elf):
    """Bytes of stack written to since the power came."""
    file = chip.folder / "ram.bin"
    chip.qmp("memsave", val=RAM, size=RAM_SIZE, filename=str(file))
    behind = symbol(elf, "ram_bss_end") - RAM
    stack = file.read_bytes()[behind:symbol(elf, "ram_stack_top") - RAM]
    return len(stack.lstrip(b"\0"))


def check(chip, name, record_property):
    elf = tools.firmware("nrf51", f"{name}.elf")
    seen, most = used(chip, elf), size_firmware.Program("nrf51", elf).stack
    record_property("counted", f"stack of the nRF51's {name}: {seen} bytes used, {most} calculated")
    assert most / 3 < seen <= most


def ferry(chip, *words):
    lab.ferry(*words, device=chip.uri, check=0)


def test_bootloader(nrf51, record_property):
    """Recovery by the button, whose first upload has the boot run: an image is verified below a server."""
    image = tools.firmware("nrf51", "app-v1.signed.bin")
    nrf51.power_on()
    nrf51.wait_for("serving SMP")
    ferry(nrf51, "image", "upload", image)
    ferry(nrf51, "image", "list")
    nrf51.power_off()
    nrf51.power_on()
    nrf51.button(True)
    nrf51.reset()
    nrf51.wait_for(r"recovery \(button\)")
    ferry(nrf51, "image", "upload", image)
    ferry(nrf51, "image", "list")
    check(nrf51, "bootloader", record_property)


def test_firmware(microbit, record_property):
    """Alone, since a bootloader before it would have used the same RAM: its vectors are at 0, too."""
    microbit.program(0, tools.firmware("nrf51", "app-v1.bin").read_bytes()[:VECTORS])
    microbit.program(tools.Layout("nrf51").offset("primary"), tools.firmware("nrf51", "app-v1.signed.bin"))
    image = tools.firmware("nrf51", "app-v2.signed.bin")
    microbit.power_on()
    microbit.wait_for(r"app: 1\.0\.0\s")
    ferry(microbit, "image", "upload", image)
    ferry(microbit, "image", "erase")
    ferry(microbit, "image", "upload", image)
    ferry(microbit, "image", "test", lab.ferry_json("verify", image)["hash"])
    ferry(microbit, "image", "list")
    check(microbit, "app-v1", record_property)
