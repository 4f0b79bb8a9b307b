# SPDX-License-Identifier: Apache-2.0
"""What is said of a chip's memory in several places is the same: map.h, layout.json, docs/CHIPS.md."""
import json
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Chip, its map for C, its layout, and the part of a document that draws it.
MAPS = [("nrf51", "map.h", "layout.json", "CHIPS.md", "## nRF51: "),
        ("nrf51", "map_first.h", "layout-first.json", "FIRST.md", "## On an nRF51 "),
        ("nrf52", "map.h", "layout.json", "CHIPS.md", "## nRF52840"),
        ("ast1030", "map.h", "layout.json", "CHIPS.md", "## AST1030: ")]
CHIPS = sorted({chip for chip, *_ in MAPS})

# What the port calls otherwise: it does not know whose store it is, and B0 is any first stage.
OTHER_NAMES = {"OTHER_CHIP": "STORE", "B0": "FIRST"}
# Areas of one size have it under one name.
SIZES = {"S0": "STAGE_SIZE", "S1": "STAGE_SIZE", "STAGING": "STAGE_SIZE", "PROVISION": "PAGE",
         "PRIMARY": "SLOT_SIZE", "SECONDARY": "SLOT_SIZE"}


def size(text):
    factor = {"K": 1024, "M": 1024 * 1024}.get(text[-1], 1)
    return int(text.rstrip("KM"), 0) * factor


def layout_of(chip, name="layout.json"):
    return json.loads((ROOT / f"firmware/chips/{chip}/{name}").read_text())


def areas(chip, name="layout.json"):
    return {area["name"]: (size(area["offset"]), size(area["size"])) for area in layout_of(chip, name)["areas"]}


def numbers(chip, name="map.h"):
    """The numbers of a map by name; what map_first.h has not is map.h's."""
    text = "".join((ROOT / f"port/{chip}/{file}").read_text() for file in dict.fromkeys(["map.h", name]))
    return {name: int(value, 0) for name, value in re.findall(r"^#define MAP_(\w+) +(\w+)", text, re.M)}


def test_every_layout_is_held_against_a_map():
    there = {(path.parent.name, path.name) for path in (ROOT / "firmware/chips").glob("*/layout*.json")}
    assert there == {(chip, layout) for chip, _, layout, *_ in MAPS}


@pytest.mark.parametrize("chip, map_file, layout_file, document, title", MAPS)
def test_maps_of_c_and_of_the_layout(chip, map_file, layout_file, document, title):
    of_c, layout = numbers(chip, map_file), layout_of(chip, layout_file)
    for area, told in areas(chip, layout_file).items():
        name = area.upper().replace("-", "_")
        name = OTHER_NAMES.get(name, name)
        sizes = SIZES.get(name, f"{name}_SIZE")
        assert told == (of_c[name], of_c[sizes]), area
    assert of_c.get("SECTOR", of_c.get("PAGE")) == size(layout["flash"][0]["sectors"][0]["size"])
    if "ram" in layout:
        assert (of_c["LOAD"], of_c["LOAD_SIZE"]) == (int(layout["ram"]["address"], 0), size(layout["ram"]["size"]))


def test_headers_have_the_size_they_are_signed_with():
    for chip in CHIPS:
        text = (ROOT / f"port/{chip}/chip.cmake").read_text()
        assert int(re.search(r"CHIP_HEADER_SIZE (\w+)", text)[1], 0) == numbers(chip)["HEADER_SIZE"], chip


@pytest.mark.parametrize("chip, map_file, layout_file, document, title", MAPS)
def test_the_document_has_every_area(chip, map_file, layout_file, document, title):
    part = (ROOT / "docs" / document).read_text().split(title)[1].split("\n## ")[0]
    for area in layout_of(chip, layout_file)["areas"]:
        assert re.search(rf"^ *{area['offset']} [┌├]", part, re.M), f"{document} lacks {area}"


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
