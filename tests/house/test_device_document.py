# SPDX-License-Identifier: Apache-2.0
"""docs/DEVICE.md says what ferry-device, its layout reader and its program interface do."""
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
    assert len(code) == 15 and code == table


def test_no_two_flags_of_a_start_are_one_bit():
    header = (ROOT / "include/ferry/vchip.h").read_text()
    part = header[header.index("/* Flags: what the bootloader"):header.index("enum ferry_vchip_lock")]
    flags = {name: int(bit, 16) for name, bit in re.findall(r"^#define (FERRY_VCHIP_\w+) +(0x\w+)U", part, re.M)}
    assert len(flags) >= 18 and all(bit.bit_count() == 1 for bit in flags.values())
    assert len(set(flags.values())) == len(flags), flags


def test_every_layout_field_is_documented():
    code = "".join(path.read_text() for path in sorted((ROOT / "layout").glob("layout*.c")))
    found = re.findall(r'json_only\(\w+, \w+,((?:\s*"[a-z_ ]+")+)\)', code)
    lists = ["".join(re.findall(r'"([a-z_ ]+)"', words)) for words in found]
    names = {name for words in lists for name in words.split()}
    assert len(lists) >= 6 and {"flash", "trials", "scratch", "erased_value"} <= names
    for name in names:
        assert re.search(rf"[`\".\]]{name}[`\"]", TEXT), name


def test_every_strategy_is_documented():
    listing = "".join(path.read_text() for path in (ROOT / "core/image").glob("traits_*.c"))
    names = set(re.findall(r'\.name = "([a-z-]+)"', listing))
    table = TEXT[TEXT.index("### The strategies"):TEXT.index("## The programs")]
    assert len(names) >= 2
    for name in names:
        assert f"`{name}`" in table, name


def test_every_option_of_the_virtual_air_is_documented():
    code = (ROOT / "tests/air/air.c").read_text()
    options = set(re.findall(r'^    \{"([a-z-]+)", &air\.options', code, re.M))
    table = TEXT[TEXT.index("## Bluetooth without a radio"):TEXT.index("## Foreign servers")]
    assert len(options) > 10
    assert options == set(re.findall(r"`([a-z-]+)`", "".join(re.findall(r"^\| (`.*?) \|", table, re.M))))
