# SPDX-License-Identifier: Apache-2.0
"""Group shell (9) on the wire. [smp.md §3.7, §8]"""
import re

import pytest

import lab
import smp
from smp import READ, WRITE, err, rc

SHELL = 9
EXEC = 0


@pytest.fixture
def talk(tmp_path, bench):
    layout = lab.layout("swap-move", server={"shell": True})
    with lab.Device(tmp_path / "device", bench, layout=layout) as device:
        device.wait_for(r"app 1\.0\.0")
        with smp.Talk(device.udp_port) as talk:
            yield talk


def said(text, ret=0):
    """An answer with this output, a regular expression, and this result."""
    return lambda got: set(got) == {"o", "ret"} and got["ret"] == ret and \
        re.fullmatch(text, got["o"]) is not None


def line(*argv):
    return {"argv": list(argv)}


def test_commands(talk):
    talk.converse(SHELL, [
        (WRITE, EXEC, line("version"), {"o": "app 1.0.0\n", "ret": 0}, {"o": "app 1.0.0\n", "ret": 0}),
        (WRITE, EXEC, line("echo", "one", "two"), {"o": "one two\n", "ret": 0}),
        (WRITE, EXEC, line("echo one", "", "two"), {"o": "one  two\n", "ret": 0}),
        (WRITE, EXEC, line("", " echo"), {"o": "\n", "ret": 0}),
        (WRITE, EXEC, line("uptime"), said(r"\d+ ms\n")),
        (WRITE, EXEC, line("images"), {"o": "image 0 slot 0: 1.0.0, runs\nimage 0 slot 1: none\n", "ret": 0}),
        (WRITE, EXEC, line("help"), said(r"help: .*\nversion: .*(\n.+: .+)*\n")),
        (WRITE, EXEC, line("reboot", "now"),
         {"o": "reboot: command not found; help lists them\n", "ret": -8},
         {"o": "reboot: command not found; help lists them\n", "ret": -8}),
    ])


def test_errors(talk):
    long = "echo " + 250 * "x"  # 255 characters: the longest
    talk.converse(SHELL, [
        (READ, EXEC, line("help"), rc(8), rc(8)),
        (WRITE, 1, line("help"), rc(8), rc(8)),
        (WRITE, EXEC, b"", rc(3), rc(3)),
        (WRITE, EXEC, {}, rc(3), rc(3)),
        (WRITE, EXEC, {"argv": "help"}, rc(3), rc(3)),
        (WRITE, EXEC, {"argv": ["help", 1]}, rc(3), rc(3)),
        (WRITE, EXEC, {"argv": [b"help"]}, rc(3), rc(3)),
        (WRITE, EXEC, line(long), {"o": long[5:] + "\n", "ret": 0}),
        (WRITE, EXEC, line(long, ""), err(SHELL, 2), rc(3)),
        (WRITE, EXEC, line(), err(SHELL, 3), rc(3)),
        (WRITE, EXEC, line(""), err(SHELL, 3), rc(3)),
        (WRITE, EXEC, line("", "  "), err(SHELL, 3), rc(3)),
    ])


def test_order_of_checks(talk):
    """Types before length, length before emptiness."""
    talk.converse(SHELL, [
        (WRITE, EXEC, {"argv": [300 * "x", 1]}, rc(3), rc(3)),
        (WRITE, EXEC, line(300 * " "), err(SHELL, 2), rc(3)),
    ])


def test_only_where_the_device_is_to_have_it(device):
    device.wait_for(r"app 1\.0\.0")
    with smp.Talk(device.udp_port) as talk:
        talk.converse(SHELL, [(WRITE, EXEC, line("help"), rc(8), rc(8))])
