# SPDX-License-Identifier: Apache-2.0
"""docs/INTEROP.md names a test for each corner case, and docs/DEVICE.md each quirk of ferry-device."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def rows():
    text = (ROOT / "docs/INTEROP.md").read_text()
    table = text[text.index("## Corner cases"):]
    return re.findall(r"^\| (\d+) \| .* \| (`.*`) \|$", table[:table.index("\n## ", 5)], re.M)


def test_every_corner_case_has_a_row():
    text = (ROOT / "docs/INTEROP.md").read_text()
    elsewhere = {int(n) for n in re.findall(r"\d+", re.search(r"^37 is", text, re.M).group())}
    assert {int(number) for number, _ in rows()} | elsewhere == set(range(1, 42))


def collected():
    """The names of the tests of tests/e2e that rows are about."""
    done = subprocess.run([sys.executable, "-m", "pytest", "--collect-only", "-q", "tests/e2e/test_foreign.py"],
                          cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    return set(done.stdout.splitlines())


def test_every_row_names_a_test_that_exists():
    there = collected()
    for number, shown in rows():
        for file, test in re.findall(r"`([\w/.]+)::([^`]+)`", shown):
            name = test.split("[")[0]
            assert re.search(rf"\b{re.escape(name)}\b", (ROOT / file).read_text()), (number, shown)
            if file == "tests/e2e/test_foreign.py":
                assert f"{file}::{test}" in there, (number, shown)


def test_every_quirk_is_documented():
    listing = subprocess.run([ROOT / "build/host/ferry-device", "--help"], capture_output=True, text=True,
                             check=True).stdout
    quirks = set(re.findall(r"^  ([a-z0-9][a-z0-9-]*(?:=N)?) ", listing[listing.index("Quirks of"):], re.M))
    text = (ROOT / "docs/DEVICE.md").read_text()
    assert len(quirks) > 40
    assert quirks == set(re.findall(r"^\| `([a-z0-9][a-z0-9-]*(?:=N)?)` \|", text[text.index("## Foreign servers"):
                                                                       text.index("## The programs")], re.M))


def test_every_quirk_is_played_by_a_test():
    listing = subprocess.run([ROOT / "build/host/ferry-device", "--help"], capture_output=True, text=True,
                             check=True).stdout
    quirks = re.findall(r"^  ([a-z0-9][a-z0-9-]*)(?:=N)? ", listing[listing.index("Quirks of"):], re.M)
    played = set(re.findall(r"[a-z0-9][a-z0-9-]*", (ROOT / "tests/e2e/test_foreign.py").read_text()))
    made_of = re.search(r"^\| `mcuboot` \|.*: (.*) \|$", (ROOT / "docs/DEVICE.md").read_text(), re.M).group(1)
    assert "mcuboot" in played
    for quirk in set(quirks) - set(made_of.split(", ")):
        assert quirk in played, quirk
