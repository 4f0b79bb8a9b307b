# SPDX-License-Identifier: Apache-2.0
"""bench/stack.py finds the deepest chain of frames of a program that was optimised as a whole."""
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
import stack  # noqa: E402

PROGRAM = """\
struct ops { void (*go)(char *data); int other; };
void outside(char *data);

static void deep(char *data) { char room[200]; outside(room); outside(data); }
static void flat(char *data) { outside(data); }

static const struct ops tables[2] = {{.go = flat}, {
    .go = deep,
    .other = 1}};
const struct ops *volatile chosen = &tables[0];

%s
int main(void) { chosen->go(""); return 0; }
"""
CALL_BACK = "void outside(char *data) { chosen->go(data); }"
QUIET = "void outside(char *data) { __asm__ volatile(\"\" : : \"r\"(data) : \"memory\"); }"


def graph(tmp_path, outside):
    source = tmp_path / "program.c"
    source.write_text(PROGRAM % outside)
    subprocess.run(["arm-none-eabi-gcc", "-mcpu=cortex-m0", "-mthumb", "-Os", "-ffreestanding", "-flto",
                    "-flto-partition=one", "-fno-inline", "-nostdlib", "-Wl,-e,main", "-fcallgraph-info=su",
                    "-dumpdir", f"{tmp_path}/program.", source, "-o", tmp_path / "program.elf"],
                   check=True, timeout=60)
    return stack.Graph([(tmp_path / "program.ltrans0.ltrans.ci").read_text()], [source])


def test_a_call_through_a_table_is_followed(tmp_path):
    size, chain = stack.deepest(graph(tmp_path, QUIET), None, "main")
    assert [where.split()[0] for where, _ in chain][:2] == ["main", "deep"]
    assert 200 <= chain[1][1] < size < 260


def test_recursion_has_no_depth(tmp_path):
    with pytest.raises(SystemExit, match="recursion"):
        stack.deepest(graph(tmp_path, CALL_BACK), None, "main")
