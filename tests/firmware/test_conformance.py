# SPDX-License-Identifier: Apache-2.0
"""The chips' ports keep what docs/PORTING.md asks of them: the conformance test, on the chip."""
import re
import socket
import threading
import types

import machine
import tools

RULES = 2 * 11 + 3 + 4  # flash of both slots, clock, reset
LINE = 5


def judge(chip, rules, record_property):
    chip.power_on()
    told = chip.wait_for(r"conformance: (\d+) passed, (\d+) failed", timeout=300)
    text = chip.console.text()
    assert told[1:] == [str(rules), "0"], "\n".join(re.findall("FAIL .*", text))
    assert len(re.findall("^pass  ", text, re.M)) == rules
    record_property("counted", f"conformance of port/{chip.name}: {told[1]} passed, {told[2]} failed")


def test_nrf51(machines, record_property):
    chip = machines(machine.Microbit, "nrf51", flash_size=tools.Layout("nrf51").flash_size)
    chip.program(0, tools.firmware("nrf51", "conformance.bin"))
    judge(chip, RULES, record_property)


def send_back(listener):
    stream, _ = listener.accept()
    with stream:
        while data := stream.recv(4096):
            stream.sendall(data)


def test_ast1030(machines, record_property):
    """What it sends on the link comes back."""
    end = types.SimpleNamespace()
    chip = machines(machine.Ast1030, "ast1030", program=tools.firmware("ast1030", "conformance/conformance.elf"),
                    peer=end)
    end.serial = chip.sockets / "link"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(end.serial))
        listener.listen()
        threading.Thread(target=send_back, args=(listener,), daemon=True).start()
        judge(chip, RULES + LINE, record_property)
