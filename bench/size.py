#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Code size and stack frames of every strategy's bootloader on a Cortex-M0+, beside MCUboot's.

    bench/size.py [FILE]      print the tables; FILE gets a copy
"""
import pathlib
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parents[1]
CC = "arm-none-eabi-gcc"
FLAGS = ["-mcpu=cortex-m0plus", "-mthumb", "-Os", "-std=c11", "-ffreestanding", "-DNDEBUG",
         "-ffunction-sections", "-fdata-sections", "-fstack-usage",
         "-fcallgraph-info=su", f"-I{ROOT}/include",
         f"-I{ROOT}", "-isystem", f"{ROOT}/port/freestanding"]
FOLDERS = ["base", "flash", "image", "store", "first", "boot"]

# What every target has or the product brings: one byte of nothing each.
STUBS = ["memcpy", "memmove", "memset", "memcmp", "ferry_crypto_sha256_init",
         "ferry_crypto_sha256_update", "ferry_crypto_sha256_final", "ferry_crypto_p256_verify_raw"]

# What a device with a store names as its memory, and MCUboot has nothing of.
STORE = "ferry_boot_in_store"

# MCUboot 2d4bacc3, arm-none-eabi-gcc 12.2, -Os -ffunction-sections, gc-sections, entry boot_go, NDEBUG,
# no logging, N = 64: text linked without crypto, port and startup; bss of its objects, with the
# 1 KiB copy buffer where it copies. Measured once.
MCUBOOT = {"swap-scratch": (6987, 2936), "swap-move": (5755, 2412), "swap-offset": (6717, 2424),
           "overwrite": (3687, 2412), "direct-xip": (2653, 368), "direct-xip-revert": (3085, None)}
BUFFER = 1024

NOTES = f"""\
{' '.join(f for f in FLAGS if not f.startswith(('-I', '-isystem')) and str(ROOT) not in f)}
Linked with --gc-sections from ferry_boot_run() and one strategy's table. In it: core/boot,
core/image, core/flash, core/base as far as they are reached. Not in it, as in MCUboot's figure:
crypto (verifiers and digests, which the product lists), port, startup, mem*().
libgcc: the compiler's own arithmetic, part of text. +store: what comes on top of text with trials,
the report and the confirm that are kept in a store, of which MCUboot has none.
RAM: Ferry has no data and no bss; its caller gives the copy buffer (here {BUFFER} bytes, as
MCUboot's) and the report; the rest is stack. MCUboot's RAM is its bss, copy buffer included."""


def run(*args):
    done = subprocess.run([str(a) for a in args], capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        sys.exit(f"size.py: {args[0]} failed\n{done.stderr}")
    return done.stdout


def compile_all(out, folders):
    """{object: source name}, and {function: largest frame}."""
    sources = [s for f in folders for s in sorted((ROOT / "core" / f).glob("*.c"))]
    objects = {out / f"{s.parent.name}_{s.stem}.o": f"{s.parent.name}/{s.name}" for s in sources}
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda p: run(CC, *FLAGS, "-c", p[0], "-o", p[1]), zip(sources, objects)))
    frames = {}
    for obj, name in objects.items():
        for line in obj.with_suffix(".su").read_text().splitlines():
            where, size, _ = line.split("\t")
            frames[name, where.rsplit(":", 1)[1]] = int(size)
    return objects, frames


def strategies(objects):
    """{name: symbol} of the tables that are defined, in the order of the header."""
    header = (ROOT / "include/ferry/boot.h").read_text()
    names = re.findall(r"^extern const struct ferry_boot_strategy (ferry_boot_(\w+));", header, re.M)
    defined = set(run("arm-none-eabi-nm", "--defined-only", "-j", *objects).split())
    return {short.replace("_", "-"): symbol for symbol, short in names if symbol in defined}


def link(symbols, objects, out, entry="ferry_boot_run", stubs=STUBS):
    """The linked file, and [(place, section, size)] of what went into it."""
    elf, listing = out / "linked.elf", out / "linked.map"
    run(CC, *FLAGS[:2], "-nostdlib", "-Wl,--gc-sections", f"-Wl,-e,{entry}",
        *(f"-Wl,-u,{s}" for s in symbols), f"-Wl,-Map={listing}", *(f"-Wl,--defsym,{s}=0" for s in stubs),
        *objects, "-lgcc", "-o", elf)
    memory = listing.read_text().split("Linker script and memory map")[1].split("/DISCARD/")[0]
    pieces = re.findall(r"^ (\.\w\S*)\s+0x[0-9a-f]+\s+0x([0-9a-f]+) (\S+)$", memory, re.M)
    return elf, [(place, section, int(size, 16)) for section, size, place in pieces
                 if re.match(r"\.(text|rodata|data|bss)", section) and int(size, 16) > 0]


def sections(elf):
    text, data, bss = run("arm-none-eabi-size", elf).splitlines()[1].split()[:3]
    return int(text), int(data), int(bss)


def report_size(out):
    source = out / "report.c"
    source.write_text('#include "ferry/boot.h"\n'
                      "const unsigned char report[sizeof(struct ferry_boot_report)] = {1};\n")
    run(CC, *FLAGS, "-c", source, "-o", out / "report.o")
    return int(run("arm-none-eabi-nm", "-S", out / "report.o").split()[1], 16)


def linked_frames(pieces, objects, frames):
    """Frames of the functions that were linked, largest first."""
    found = []
    for place, section, _ in pieces:
        name = objects.get(pathlib.Path(place))
        function = section.removeprefix(".text.")
        if (name, function) in frames:
            found.append((frames[name, function], function))
    return sorted(found, reverse=True)


def by_object(linked, objects):
    names = list(linked)
    rows = {}
    for strategy, pieces in linked.items():
        for place, section, size in pieces:
            if section.startswith((".data", ".bss")):
                continue
            row = rows.setdefault(objects.get(pathlib.Path(place), "libgcc"), {})
            row[strategy] = row.get(strategy, 0) + size
    yield "bytes by object: text and constants".ljust(30) + "".join(f" {n:>17}" for n in names)
    for name in sorted(rows):
        yield name.ljust(30) + "".join(f" {rows[name].get(n, 0) or '-':>17}" for n in names)


def by_function(linked, objects, count=12):
    for strategy, pieces in linked.items():
        yield f"largest of {strategy}:"
        code = [p for p in pieces if not p[1].startswith((".data", ".bss"))]
        for place, section, size in sorted(code, key=lambda p: -p[2])[:count]:
            yield f"  {size:6} {section:42} {objects.get(pathlib.Path(place), 'libgcc')}"


def main():
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder)
        objects, frames = compile_all(out, FOLDERS)
        report = report_size(out)
        lines = [run(CC, "--version").splitlines()[0], NOTES, "",
                 f"{'strategy':18} {'text':>6} {'libgcc':>7} {'+store':>6} {'data':>5} {'bss':>4} | {'MCUboot':>7} "
                 f"{'Ferry less':>10} | {'RAM':>5} {'MCUboot':>7} | largest frames"]
        linked = {}
        for name, symbol in strategies(list(objects)).items():
            elf, _ = link([symbol, STORE], list(objects), out)
            with_store = sections(elf)[0]
            elf, pieces = link([symbol], list(objects), out)
            linked[name] = pieces
            text, data, bss = sections(elf)
            libgcc = sum(size for place, _, size in pieces if pathlib.Path(place) not in objects)
            theirs, ram = MCUBOOT.get(name, (None, None))
            tops = ", ".join(f"{size} {f}" for size, f in linked_frames(pieces, objects, frames)[:3])
            lines.append(f"{name:18} {text:6} {libgcc:7} {with_store - text:6} {data:5} {bss:4} | {theirs or '-':>7} "
                         f"{theirs - text if theirs else '-':>10} | {BUFFER + report:5} {ram or '-':>7} | {tops}")
        elf, pieces = link(["ferry_first_nrf52"], list(objects), out, "ferry_first_select")
        tops = ", ".join(f"{size} {f}" for size, f in linked_frames(pieces, objects, frames)[:3])
        lines += ["", f"immutable first stage, from ferry_first_select(): {sections(elf)[0]} text | {tops}"]
        lines += ["", f"RAM: {BUFFER} bytes of buffer and {report} of report; frames are on the stack.", "",
                  *by_object(linked, objects), "", *by_function(linked, objects)]
        text = "\n".join(lines) + "\n"
        print(text, end="")
        if len(sys.argv) > 1:
            (ROOT / sys.argv[1]).write_text(text)


if __name__ == "__main__":
    main()
