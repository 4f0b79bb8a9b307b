#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Flash, RAM and the deepest stack of the programs of real chips, beside their budgets.

    bench/size_firmware.py [-v] CHIP...    of build/chips/CHIP; -v: the deepest chain of each program

Fails when a budget of firmware/chips/CHIP/budgets.json is exceeded, or a program has none.
"""
import fnmatch
import json
import pathlib
import re
import sys

import size
import stack

ROOT = stack.ROOT

# What a processor puts on the stack for an interrupt: 8 words, and one that aligns them.
INTERRUPT = 36

NOTES = """\
flash: code, constants and first values. RAM: data and bss. stack: the deepest chain of frames from the
entry on, of the linked program (GCC's call graph after -flto; functions without one, which are libgcc's
and mem*(), by their pushes), calls through const tables and parameters followed by name, third-party
code included; the deepest interrupt comes on top."""


class Outside:
    """Bytes of stack that functions take of which there is no call graph: those of a disassembly."""

    def __init__(self, elf, graph):
        self.graph, self.code, self.done = graph, {}, {}
        text = size.run("arm-none-eabi-objdump", "-d", "--no-show-raw-insn", elf)
        for name, body in re.findall(r"^[0-9a-f]+ <([^>]+)>:\n(.*?)(?:\n\n|\Z)", text, re.M | re.S):
            self.code[name] = body

    def targets(self, name):
        """What a function calls, or leads to at its end."""
        found = re.findall(r"\tb(?:l|\.n|\.w)?\t[0-9a-f]+ <([^>+]+)>", self.code.get(name, ""))
        return {f for f in found if f != name and f not in self.graph.functions and f in self.code}

    def frame(self, name):
        lists = re.findall(r"\t(?:push|stmdb\tsp!,|vpush)[.\w]*\s*\{([^}]*)\}", self.code[name])
        room = re.findall(r"\tsub\w*(?:\.w)?\tsp, (?:sp, )?#(\d+)", self.code[name])
        return 4 * sum(len(registers.split(",")) for registers in lists) + sum(map(int, room))

    def depth(self, name):
        if name not in self.done:
            self.done[name] = self.frame(name) + self.beside(name)
        return self.done[name]

    def beside(self, title):
        """Of the functions that one inside the graph calls, the deepest."""
        return max((self.depth(target) for target in self.targets(title.rsplit(":", 1)[-1])), default=0)


def entry_of(elf):
    header = size.run("arm-none-eabi-readelf", "-h", elf)
    address = int(re.search(r"Entry point address:\s+(0x[0-9a-f]+)", header).group(1), 16) & ~1
    for line in size.run("arm-none-eabi-nm", elf).splitlines():
        value, kind, name = line.split() if len(line.split()) == 3 else ("0", "", "")
        if kind in ("t", "T") and int(value, 16) & ~1 == address:
            return name
    sys.exit(f"size_firmware.py: {elf}: nothing stands at its entry")


def interrupts(chip, entry):
    """What the vector table in the port names, beside the entry."""
    text = (ROOT / "port" / chip / "start.c").read_text()
    return set(re.findall(r"\] = (\w+)", text)) - {entry}


def graph_of(chip, elf):
    """Of the linked program; the chip's flash is in its port, or in a part that several take."""
    port = {stack.short(p) for folder in (chip, "chip", "nrf5") for p in (ROOT / "port" / folder).glob("*.c")}
    commands = json.loads((elf.parent / "compile_commands.json").read_text())
    return stack.Graph([elf.with_suffix(".ltrans0.ltrans.ci").read_text()], [c["file"] for c in commands], port)


class Program:
    def __init__(self, chip, elf):
        graph = graph_of(chip, elf)
        beside = Outside(elf, graph).beside
        entry = entry_of(elf)
        text, data, bss = size.sections(elf)
        deep = stack.deepest(graph, None, entry, beside=beside)
        handler = max((stack.deepest(graph, None, name, beside=beside) for name in interrupts(chip, entry)),
                      key=lambda found: found[0])
        self.name, self.flash, self.ram = elf.stem, text + data, data + bss
        self.stack = deep[0] + INTERRUPT + handler[0]
        self.chain = [*deep[1], ("an interrupt", INTERRUPT), *handler[1]]
        self.open_calls = sorted(graph.open_calls)

    def print_chain(self):
        for where, frame in self.chain:
            print(f"  {frame:6} {where}")
        print(f"  no table of it names: {', '.join(self.open_calls)}")

    def exceeds(self, budget, where):
        """What is wrong, in words."""
        for what, takes in (("flash", self.flash), ("ram", self.ram + self.stack)):
            if takes > budget[what]:
                yield (f"{self.name} takes {takes} bytes of {what}, {takes - budget[what]} more than its budget: "
                       f"make it smaller, or change {where}")


def of_chip(chip, verbose):
    """Prints a chip's table. Returns what is wrong."""
    wrong = []
    file = pathlib.Path("firmware/chips", chip, "budgets.json")
    budgets = json.loads((ROOT / file).read_text())
    print(f"{chip:24} {'flash':>7} {'budget':>7} {'aim':>7} | {'RAM':>7} {'stack':>6} {'both':>7} {'budget':>7}")
    for elf in sorted((ROOT / "build/chips" / chip).glob("*.elf")):
        budget = next((b for pattern, b in budgets.items() if fnmatch.fnmatch(elf.stem, pattern)), None)
        if budget is None:
            wrong.append(f"{chip}: {elf.stem} has no budget: add it to {file}")
            continue
        program = Program(chip, elf)
        print(f"{program.name:24} {program.flash:7} {budget['flash']:7} {budget.get('aim', ''):>7} | {program.ram:7} "
              f"{program.stack:6} {program.ram + program.stack:7} {budget['ram']:7}")
        if verbose:
            program.print_chain()
        wrong += (f"{chip}: {words}" for words in program.exceeds(budget, file))
    return wrong


def main():
    verbose = "-v" in sys.argv
    chips = [argument for argument in sys.argv[1:] if argument != "-v"]
    print(NOTES + "\n")
    wrong = [line for chip in chips for line in of_chip(chip, verbose)]
    sys.exit("\n".join(wrong) or None)


if __name__ == "__main__":
    main()
