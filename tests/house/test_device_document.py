# SPDX-License-Identifier: Apache-2.0
"""docs/DEVICE.md says what ferry-device, its layout reader and its program interface do."""
import json
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs/DEVICE.md").read_text()


def test_every_option_is_documented():
    listing = subprocess.run([ROOT / "build/host/ferry-device", "--help"], capture_output=True,
                             text=True, check=True).stdout
    options = set(re.findall(r"^  (--[a-z-]+)", listing, re.M))
    rows = "\n".join(re.findall(r"^\| (`--.*?) \|", TEXT, re.M))
    assert len(options) > 20
    assert options == set(re.findall(r"--[a-z-]+", rows))


def test_every_message_is_documented_with_its_number():
    header = (ROOT / "include/ferry/vchip.h").read_text()
    body = re.search(r"enum ferry_vchip_kind \{(.*?)\};", header, re.S).group(1)
    code, number = {}, 0
    for name, value in re.findall(r"^\s*FERRY_VCHIP_(\w+)(?: = (\w+))?,?\s*(?:/\*|$)", body, re.M):
        number = int(value, 0) if value else number + 1
        code[name] = number
    table = {n: int(v) for n, v in re.findall(r"^\| ([A-Z]+) \| (\d+) \|", TEXT, re.M)}
    assert len(code) == 12 and code == table


def test_every_layout_field_is_documented():
    def fields(value):
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                for name, inner in item.items():
                    yield name
                    yield from fields(inner)
    names = set(fields(json.loads((ROOT / "device/layout.json").read_text())))
    assert len(names) > 12
    for name in names:
        assert re.search(rf"[`\".\]]{name}[`\"]", TEXT), name
