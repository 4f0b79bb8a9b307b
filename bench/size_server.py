#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Code size, RAM and stack of the SMP server on a Cortex-M0+, beside MCUboot's serial recovery.

    bench/size_server.py [FILE]      print the tables; FILE gets a copy
"""
import pathlib
import re
import sys
import tempfile

import size
import stack

ROOT = size.ROOT
FOLDERS = ["base", "cbor", "flash", "smp", "image", "store", "server"]
EXAMPLE = ROOT / "examples/uart_server.c"
SMALL = ROOT / "examples/uart_small.c"
PACKETS = ("request", "answer")  # its packet buffers

# What the chip brings, and every target has: one byte of nothing each.
STUBS = ["memcpy", "memmove", "memset", "memcmp", "port_primary", "port_secondary", "port_uart_get",
         "port_uart_put", "port_reset"]

# MCUboot 2d4bacc3, boot/boot_serial alone (its zcbor and base64 in it), arm-none-eabi-gcc 12.2, -Os.
# Measured once.
MCUBOOT = "MCUboot's boot_serial alone: 4959 text minimal, 6902 with everything, 1.3 kB bss"

# The aims, which are not reached by leaving things out.
AIMS = {"minimal text": 6144, "minimal RAM": 256, "full text": 14 * 1024, "stack": 512}

NOTES = """\
Linked with --gc-sections from main() of examples/uart_server.c, and of examples/uart_small.c (small): the
whole program, main loop included.
Not in it: crypto, the chip's flash and UART, startup, mem*(). text has the compiler's own arithmetic in
it (libgcc) and all constants. RAM is data, bss and every state; the two packet buffers come on top.
stack: the deepest chain of frames from main() on, tables of functions followed; the chip's functions
and the product's hooks come on top."""


def crypto_stubs():
    text = "".join((ROOT / f"include/ferry/{n}.h").read_text() for n in ("crypto", "cipher"))
    return sorted(set(re.findall(r"\b(ferry_crypto_\w+)\(", text)))


def declared(pattern):
    """Names of the const tables of the server's headers that match."""
    headers = [(ROOT / "include/ferry/server.h"), *sorted((ROOT / "include/ferry").glob("group_*.h"))]
    return [n for h in headers for n in re.findall(pattern, h.read_text(), re.M)]


def tables():
    """Of every group whole: a minimal table is part of one, a small one stands for one."""
    found = declared(r"^extern const struct ferry_group (ferry_\w+_table);")
    return [n for n in found if "minimal" not in n and "small" not in n]


def options():
    """Const tables that a group's configuration names, to have more of it."""
    found = declared(r"^extern const struct (?!ferry_group )\w+ (ferry_\w+);")
    return [n for n in found if not n.endswith("_default")]


def sizes_of(structs, headers, out):
    """[(struct, bytes)]"""
    source = out / "states.c"
    source.write_text("".join(f'#include "ferry/{h}.h"\n' for h in headers) + "".join(
        f"const unsigned char {name}[sizeof(struct {name})] = {{1}};\n" for name in structs))
    size.run(size.CC, *size.FLAGS, "-c", source, "-o", out / "states.o")
    rows = [line.split() for line in size.run("arm-none-eabi-nm", "-S", out / "states.o").splitlines()]
    return sorted((r[3], int(r[1], 16)) for r in rows)


def state_sizes(out):
    """Of every group's state."""
    headers = [h.stem for h in sorted((ROOT / "include/ferry").glob("group_*.h"))]
    return sizes_of(declared(r"^struct (ferry_\w+_group) \{"), headers, out)


def gatt():
    """The functions of ferry/gatt.h: what a Bluetooth stack and a main loop call."""
    return re.findall(r"^\w.*?\b(ferry_gatt_\w+)\(", (ROOT / "include/ferry/gatt.h").read_text(), re.M)


def source_of(program):
    example = SMALL if program.name.startswith(SMALL.stem) else EXAMPLE
    return f"examples/{example.name}"


class Server:
    """One linked server."""

    def __init__(self, name, program, extra, objects, graph, out):
        self.elf, self.pieces = size.link(extra, [program, *objects], out, "main",
                                          STUBS + crypto_stubs())
        self.name, self.program = name, program
        self.text, data, bss = size.sections(self.elf)
        rows = [r.split() for r in size.run("arm-none-eabi-nm", "-S", self.elf).splitlines()]
        self.states = sorted((r[3], int(r[1], 16)) for r in rows if len(r) == 4 and r[2] in "bBdD")
        self.packets = sum(n for name, n in self.states if name in PACKETS)
        self.ram = data + bss - self.packets
        objects = {**objects, program: source_of(program)}
        self.linked = {(objects[pathlib.Path(place)], stack.plain(section.removeprefix(".text.").removeprefix("startup.")))
                       for place, section, _ in self.pieces
                       if section.startswith(".text.") and pathlib.Path(place) in objects}
        self.deepest = stack.deepest(graph, self.linked, "main")
        self.handlers = stack.handlers(graph, self.linked)

    def libgcc(self, objects):
        return sum(n for place, _, n in self.pieces
                   if pathlib.Path(place) not in objects and pathlib.Path(place) != self.program)


def with_strategy(strategy, out, example=EXAMPLE, kind=""):
    """An example, whose strategy is another one."""
    obj = out / f"{example.stem}_{strategy}.o"
    size.run(size.CC, *size.FLAGS, f"-Dferry_traits_swap_move{kind}=ferry_traits_{strategy}{kind}", "-c", example,
             "-o", obj)
    return obj


def with_lto(out, example):
    """text of an example by swap-move, optimised as one program."""
    sources = [s for f in FOLDERS for s in sorted((ROOT / "core" / f).glob("*.c"))]
    elf = out / "lto.elf"
    size.run(size.CC, *(f for f in size.FLAGS if "stack" not in f and "callgraph" not in f), "-flto",
             "-flto-partition=one", "-nostdlib", "-Wl,--gc-sections", "-Wl,-e,main",
             *(f"-Wl,--defsym,{s}=0" for s in STUBS + crypto_stubs()), *sources, example, "-lgcc", "-o", elf)
    return size.sections(elf)[0]


def report(out):
    objects = size.compile_all(out, FOLDERS)[0]
    minimal = {s: with_strategy(s, out) for s in ("swap_move", "overwrite")}
    small = {s: with_strategy(s, out, SMALL, "_small") for s in ("swap_move", "overwrite")}
    programs = [*minimal.values(), *small.values()]
    servers = []
    for kind, built in (("small", small), ("minimal", minimal)): # each has a main()
        graph = stack.Graph([o.with_suffix(".ci").read_text() for o in (*objects, *built.values())])
        servers += [Server(f"{kind}, " + s.replace("_", "-"), program, [], objects, graph, out)
                    for s, program in built.items()]
    program = minimal["swap_move"]
    servers.append(Server("full", program, tables(), objects, graph, out))
    servers.append(Server("full and options", program, tables() + options(), objects, graph, out))

    yield f"{'server':22} {'text':>6} {'aim':>6} {'libgcc':>6} | {'RAM':>5} {'packets':>7} | {'stack':>5}"
    for server in servers:
        aim = AIMS["full text" if server.name.startswith("full") else "minimal text"]
        yield (f"{server.name:22} {server.text:6} {aim:6} {server.libgcc(objects):6} | {server.ram:5} "
               f"{server.packets:7} | {server.deepest[0]:5}")
    yield f"with -flto: minimal, swap-move {with_lto(out, EXAMPLE)} text, small, swap-move {with_lto(out, SMALL)} text"
    without = next(s.text for s in servers if s.program == program)
    ble = Server("Bluetooth LE", program, gatt(), objects, graph, out)
    service, link = (n for _, n in sizes_of(["ferry_gatt", "ferry_gatt_link"], ["gatt"], out))
    yield (f"Bluetooth LE on top of a server (ferry/gatt.h and ferry/ble.h, the stack not): {ble.text - without} text, "
           f"RAM {service} and {link} a link, and a packet")
    yield f"aims: RAM {AIMS['minimal RAM']} beside the packet buffers, stack {AIMS['stack']}. {MCUBOOT}"
    yield ""
    yield "full: every group's table, for one image by swap-move: " + " ".join(tables())
    yield "options: " + " ".join(options())
    yield ""
    for server in servers[:len(programs):2]:
        yield f"RAM of {server.name}: " + ", ".join(f"{n} {b}" for n, b in server.states if n not in PACKETS)
    yield "state of each group: " + ", ".join(f"{n} {b}" for n, b in state_sizes(out))
    names = {**objects, **{p: source_of(p) for p in programs}}
    linked = {s.name: s.pieces for s in servers}
    yield ""
    yield from size.by_object(linked, names)
    yield ""
    yield from size.by_function(linked, names, 16)
    for server in servers:
        yield ""
        yield f"deepest stack of {server.name}: {server.deepest[0]}"
        yield from (f"  {frame:6} {where}" for where, frame in server.deepest[1])
        yield "  of it, from a command on: " + ", ".join(f"{name} {size}" for size, name in server.handlers)
    yield ""
    yield "called through a pointer and not counted, because the product gives them: " + \
        ", ".join(graph.open_calls)


def main():
    with tempfile.TemporaryDirectory() as folder:
        text = "\n".join([size.run(size.CC, "--version").splitlines()[0], NOTES, "",
                          *report(pathlib.Path(folder))]) + "\n"
    print(text, end="")
    if len(sys.argv) > 1:
        (ROOT / sys.argv[1]).write_text(text)


if __name__ == "__main__":
    main()
