# SPDX-License-Identifier: Apache-2.0
"""What QEMU is run with: the preload that makes a file the flash, and the plugin that cuts the
power; built from qemu/*.c into build/firmware-tools. And where the firmware is."""
import json
import os
import pathlib
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = pathlib.Path(__file__).resolve().parent / "qemu"
BUILT = ROOT / "build" / "firmware-tools"
CHIPS = ROOT / "build" / "chips"
FLAGS = ["-std=gnu11", "-O2", "-shared", "-fPIC", "-Wall", "-Wextra", "-Wconversion", "-Wsign-conversion",
         "-Wshadow", "-Wcast-qual", "-Wmissing-prototypes", "-Wstrict-prototypes", "-Wundef", "-Wvla",
         "-Wformat=2", "-Werror"]


def build():
    """Compile what is older than its source. Tests in parallel may do so at once: each writes a file
    of its own, and the name changes hands whole."""
    BUILT.mkdir(parents=True, exist_ok=True)
    for source in SOURCES.glob("*.c"):
        library = BUILT / f"{source.stem}.so"
        if library.exists() and library.stat().st_mtime > source.stat().st_mtime:
            continue
        with tempfile.TemporaryDirectory(dir=BUILT) as folder:
            made = pathlib.Path(folder) / library.name
            subprocess.run(["gcc", *FLAGS, "-o", made, source], check=True, timeout=120)
            os.replace(made, library)


def preload():
    return BUILT / "nvshim.so"


def plugin():
    return BUILT / "powercut.so"


def firmware(chip, name):
    """A file of build/chips/CHIP."""
    path = CHIPS / chip / name
    if not path.exists():
        raise FileNotFoundError(f"{path.relative_to(ROOT)} is not there\n  next: make firmware")
    return path


def size(text):
    """Bytes, of a number or a text of a layout file."""
    text = str(text)
    factor = {"K": 1024, "M": 1024 * 1024}.get(text[-1], 1)
    return int(text.rstrip("KM"), 0) * factor


class Layout:
    """The map of a chip's flash, firmware/chips/CHIP/layout.json: `areas` has offset and size by name."""

    def __init__(self, chip, file="layout.json"):
        self.path = ROOT / "firmware" / "chips" / chip / file
        text = json.loads(self.path.read_text())
        self.areas = {area["name"]: (size(area["offset"]), size(area["size"])) for area in text["areas"]}
        self.flash_size = sum(run["count"] * size(run["size"]) for run in text["flash"][0]["sectors"])

    def offset(self, area):
        return self.areas[area][0]
