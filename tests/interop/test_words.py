# SPDX-License-Identifier: Apache-2.0
"""The words that docs/CLI.md, "Every command", says other clients have are words of the real ones."""
import pathlib
import re

import pytest

from conftest import peer

ROOT = pathlib.Path(__file__).resolve().parents[2]


def words(column):
    text = (ROOT / "docs/CLI.md").read_text().split("\n## Every command\n")[1].split("\n## ")[0]
    rows = [row.split("|") for row in re.findall(r"^\| \d+ .*\|$", text, re.M)]
    return sorted({row[column].strip(" `") for row in rows} - {""})


@pytest.mark.parametrize("program,column", [
    pytest.param("smpmgr", 6, marks=pytest.mark.needs("smpmgr")),
    pytest.param("mcumgrctl", 7, marks=pytest.mark.needs("mcumgrctl"))])
def test_words_of_the_document(program, column):
    assert len(words(column)) > 10
    for word in words(column):
        peer(program, *word.split(), "--help")
