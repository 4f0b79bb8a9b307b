# SPDX-License-Identifier: Apache-2.0
"""What is said of a chip's memory in several places is the same: map.h, layout.json, docs/CHIPS.md."""
import json
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHIPS = [path.parent.name for path in sorted((ROOT / "firmware/chips").glob("*/layout.json"))]


def size(text):
    factor = {"K": 1024, "M": 1024 * 1024}.get(text[-1], 1)
    return int(text.rstrip("KM"), 0) * factor


def areas(chip):
    layout = json.loads((ROOT / f"firmware/chips/{chip}/layout.json").read_text())
    return {area["name"]: (size(area["offset"]), size(area["size"])) for area in layout["areas"]}


def numbers(chip):
    """The numbers of map.h by name."""
    text = (ROOT / f"port/{chip}/map.h").read_text()
    return {name: int(value, 0) for name, value in re.findall(r"^#define MAP_(\w+) +(\w+)", text, re.M)}


OTHER_NAMES = {"OTHER_CHIP": "STORE"}  # the port does not know whose store it is


def test_maps_of_c_and_of_the_layout():
    assert "ast1030" in CHIPS and "nrf51" in CHIPS
    for chip in CHIPS:
        of_c, layout = numbers(chip), json.loads((ROOT / f"firmware/chips/{chip}/layout.json").read_text())
        slots = {name for image in layout["images"] for name in image.values()}
        for area, told in areas(chip).items():
            name = area.upper().replace("-", "_")
            name = OTHER_NAMES.get(name, name)
            assert told == (of_c[name], of_c["SLOT_SIZE" if area in slots else f"{name}_SIZE"]), (chip, area)
        assert of_c.get("SECTOR", of_c.get("PAGE")) == size(layout["flash"][0]["sectors"][0]["size"]), chip
        if "ram" in layout:
            assert (of_c["LOAD"], of_c["LOAD_SIZE"]) == (int(layout["ram"]["address"], 0), size(layout["ram"]["size"]))


def test_headers_have_the_size_they_are_signed_with():
    for chip in CHIPS:
        text = (ROOT / f"port/{chip}/chip.cmake").read_text()
        assert int(re.search(r"CHIP_HEADER_SIZE (\w+)", text)[1], 0) == numbers(chip)["HEADER_SIZE"], chip


def test_the_document_has_every_area():
    text = (ROOT / "docs/CHIPS.md").read_text()
    for chip in CHIPS:
        for area in json.loads((ROOT / f"firmware/chips/{chip}/layout.json").read_text())["areas"]:
            assert area["offset"] in text, f"docs/CHIPS.md lacks {chip}: {area}"


def test_the_picture_of_the_ast1030():
    picture = (ROOT / "docs/CHIPS.md").read_text().split("## AST1030")[1].split("\n## ")[0]
    names = re.findall(r"^ +│ (\S+) +│ +(\d+\w)?", picture, re.M)
    offsets = [int(offset, 0) for offset in re.findall(r"^ +(0x\w+) [┌├└]", picture, re.M)]
    drawn = {name: (offset, size(told)) for (name, told), offset in zip(names, offsets) if told}
    assert drawn == areas("ast1030")
    of_c = numbers("ast1030")
    ram = [int(offset, 0) for offset in re.findall(r"(0x\w+) [┌├└]─+[┐┤┘]$", picture, re.M)]
    assert ram == [of_c["BOOTLOADER"], of_c["LOAD"], of_c["RAM"], of_c["RAM"] + of_c["RAM_KEPT"],
                   of_c["RAM"] + of_c["RAM_SIZE"]]
