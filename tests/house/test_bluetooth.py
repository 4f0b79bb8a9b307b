# SPDX-License-Identifier: Apache-2.0
"""What PORTING.md shows for Bluetooth stacks: it compiles against their declarations, for a computer and for a
Cortex-M0, and the document quotes it. tests/unit/test_ble_*.c run it."""
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
STACKS = ROOT / "tests/house/stacks"
NAMES = sorted(p.name for p in STACKS.iterdir() if p.is_dir())
COMPILERS = {"host": ["gcc"], "cortex-m0": ["arm-none-eabi-gcc", "-mcpu=cortex-m0", "-mthumb"]}
FLAGS = ["-std=c11", "-Os", "-Wall", "-Wextra", "-Wconversion", "-Wmissing-prototypes", "-Werror",
         f"-I{ROOT}/include", f"-I{ROOT}/examples"]
SECTION = (ROOT / "docs/PORTING.md").read_text().split("\n## Bluetooth LE\n")[1].split("\n## ")[0]


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("name", NAMES)
def test_the_example_of_a_stack_compiles(tmp_path, name, compiler):
    for source in ("ble_server", f"ble_{name}"):
        done = subprocess.run([*COMPILERS[compiler], *FLAGS, f"-I{STACKS / name}", "-c", ROOT / f"examples/{source}.c",
                               "-o", tmp_path / "out.o"], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr


def test_there_is_an_example_for_each_stack():
    assert NAMES == ["nimble", "softdevice", "zephyr"]
    assert {p.stem for p in (ROOT / "examples").glob("ble_*.c")} == {"ble_server", *(f"ble_{n}" for n in NAMES)}


def test_what_the_document_shows_is_what_is_compiled():
    """But the main loop, which is the product's."""
    sources = "".join(p.read_text() for p in (ROOT / "examples").glob("ble_*.c"))
    blocks = re.findall(r"```c\n(.*?)```", SECTION, re.S)
    shown = [b for b in blocks if b in sources]
    assert len(shown) == 9 and [b for b in blocks if b not in shown] == [next(b for b in blocks if "nrf_sdh_evts_poll" in b)]


def test_every_function_of_the_contract_is_in_the_table():
    header = (ROOT / "include/ferry/gatt.h").read_text()
    stack = header[header.index("---- From the stack"):header.index("---- To the client")]
    names = re.findall(r"ferry_gatt(_\w+)\(struct ferry_gatt \*gatt", stack)
    assert len(names) == 7
    for name in names:
        assert f"`{name}()`" in SECTION, name


def test_names_of_the_stacks_are_those_that_are_compiled():
    """What the table calls by name stands in an example or in the declarations."""
    text = "".join(p.read_text() for p in [*STACKS.rglob("*.h"), *(ROOT / "examples").glob("ble_*.c")])
    table = "".join(re.findall(r"^\|.*\n", SECTION, re.M))
    told = {n for n in re.findall(r"`(?:struct )?([A-Za-z]\w+)(?:\(\))?`", table) if n.startswith(("BLE_", "BT_", "NRF_", "sd_", "bt_", "ble_g"))}
    older = {"ble_gattc_notify_custom"}
    assert len(told) > 20
    for name in told - older:
        assert re.search(rf"\b{name}\b", text), name
