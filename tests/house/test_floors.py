# SPDX-License-Identifier: Apache-2.0
"""Includes point down only: every #include of the tree is held against the floors of docs/DESIGN.md."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Folder -> floor. A file may include what lies on its own folder or on a lower floor.
FLOORS = {
    "core/base": 0, "core/cbor": 0.5, "core/flash": 0.5,  # one floor; base is its ground
    "core/smp": 1, "core/store": 1, "core/image": 1.5,  # one floor; the store is image's ground
    "core/server": 2, "core/client": 2,
    "core/first": 2, "core/boot": 2.5,  # one floor; the first stage is the ground of boot
    "core/recovery": 3,
    "port": 4, "layout": 4.5, "client": 4.5,
    "cli": 5, "device": 5, "firmware": 5,
}

# Public header -> the folder that implements it.
HEADERS = {
    "error": "core/base", "bytes": "core/base", "crc": "core/base", "base64": "core/base",
    "cbor": "core/cbor", "flash": "core/flash", "store": "core/store",
    "smp": "core/smp", "console": "core/smp", "raw": "core/smp", "ble": "core/smp", "shell_line": "core/smp",
    "image": "core/image", "trailer": "core/image", "slots": "core/image", "crypto": "core/image",
    "trial": "core/image", "why": "core/image", "policy": "core/image", "keys": "core/image",
    "set": "core/image", "shared_data": "core/image",
    "cipher": "core/image", "encrypted": "core/image",
    "first": "core/first", "boot": "core/boot", "measure": "core/boot",
    "server": "core/server", "group_os": "core/server", "group_image": "core/server",
    "group_shell": "core/server", "group_settings": "core/server", "settings_store": "core/server",
    "group_log": "core/server", "log_ring": "core/server", "group_fs": "core/server",
    "group_stat": "core/server", "group_enum": "core/server", "group_basic": "core/server",
    "group_trust": "core/server", "commands_trust": "core/client",
    "client": "core/client", "hello": "core/client", "commands": "core/client", "upload": "core/client",
    "window": "core/client", "probe": "core/client",
    "update": "core/client", "files": "core/client",
    "answer": "core/client", "commands_os": "core/client",
    "commands_stat": "core/client", "commands_settings": "core/client", "commands_log": "core/client",
    "commands_shell": "core/client", "commands_enum": "core/client", "commands_mynewt": "core/client",
    "commands_transport": "core/client",
    "recovery": "core/recovery", "connection": "client", "device": "client",
    "slots_small": "core/image", "group_image_small": "core/server", "group_os_small": "core/server",
    "recovery_small": "core/recovery",
    "vchip": "port", "conformance": "port", "pairing": "port", "access": "core/smp", "gate": "core/server", "gatt": "core/server", "peers": "core/server", "group_access": "core/server", "commands_access": "core/client",
}

# What freestanding C11 gives, and <string.h>, of which only mem* may be used (test_freestanding.py).
FREESTANDING = {"float.h", "iso646.h", "limits.h", "stdalign.h", "stdarg.h", "stdbool.h",
                "stddef.h", "stdint.h", "stdnoreturn.h", "string.h"}

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)


def folder_of(path):
    """The folder of the floor table that a file belongs to."""
    rel = path.relative_to(ROOT).as_posix()
    if rel.startswith("include/ferry/"):
        return HEADERS[path.stem]
    return max((f for f in FLOORS if rel.startswith(f + "/")), key=len)


def included_folder(path, name):
    """The folder a quoted include leads to."""
    if name.startswith("ferry/"):
        return HEADERS[pathlib.PurePath(name).stem]
    for base in (path.parent, ROOT):
        if (base / name).exists():
            return folder_of((base / name).resolve())
    return None  # third-party


def violations_of(path, text):
    here = folder_of(path)
    for kind, name in INCLUDE.findall(text):
        if here.startswith("core/") and kind == "<" and name not in FREESTANDING:
            yield f"{path.relative_to(ROOT)}: <{name}> is not freestanding"
        if kind == "<":
            continue
        there = included_folder(path, name)
        if there is None:
            if here.startswith("core/"):
                yield f"{path.relative_to(ROOT)}: \"{name}\" is not ours"
            continue
        if there == here or FLOORS[there] < FLOORS[here]:
            continue
        yield f"{path.relative_to(ROOT)} ({here}) includes {name} ({there}): not downward"


def sources():
    for top in ("core", "include/ferry", "port", "layout", "client", "cli", "device", "firmware"):
        yield from sorted((ROOT / top).rglob("*.[ch]"))


def test_includes_point_down():
    found = [v for path in sources() for v in violations_of(path, path.read_text())]
    assert not found, "\n".join(found)
    assert len(list(sources())) > 40


def test_an_include_that_points_up_is_found():
    path = ROOT / "core" / "smp" / "header.c"
    assert list(violations_of(path, '#include "ferry/server.h"\n'))
    assert list(violations_of(path, '#include <stdio.h>\n'))
    assert list(violations_of(ROOT / "core/server/server.c", '#include "ferry/client.h"\n'))
    assert not list(violations_of(path, '#include "ferry/cbor.h"\n#include <string.h>\n'))


def test_every_public_header_has_a_floor():
    names = {p.stem for p in (ROOT / "include/ferry").glob("*.h")}
    assert names <= set(HEADERS), names - set(HEADERS)
