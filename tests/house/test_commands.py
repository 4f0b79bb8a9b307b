# SPDX-License-Identifier: Apache-2.0
"""Every command of SMP has words in `ferry`, and the words of other clients do, too: the table
"Every command" of docs/CLI.md is held against the protocol's tables and against the program."""
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
FERRY = ROOT / "build/host/ferry"


def table():
    """(group, id, op): [ferry's words, mcumgr's, smpmgr's, mcumgrctl's], of each row."""
    text = (ROOT / "docs/CLI.md").read_text().split("\n## Every command\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (\d+) \| (\d+) \| (read|write) \|(.*)\|$", text, re.M)
    return [(int(group), int(id), op, [word.strip(" `") for word in words.split("|")])
            for group, id, op, words in rows]


def protocol():
    """(group, id, op) of the tables in docs/spec/smp.md §3; op None where any will do."""
    text = (ROOT / "docs/spec/smp.md").read_text()
    text = text[text.index("\n### 3.0 "):text.index("\n## 4. ")]
    for section in re.split(r"\n### ", text)[1:]:
        group = re.search(r"Group (\d+)", section.splitlines()[0])
        listing = section[section.find("\n| Id "):].split("\n\n")[0] if group else section
        for first, ops in re.findall(r"^\| (\d[^|]*) \| ([RW][RW, /or]*) \|", listing, re.M):
            named = re.match(r"(\d+) \w+ / (\d+)", first)
            for number in [named[2]] if named else re.match(r"\d+(?:, \d+)*", first)[0].split(", "):
                for op in (None,) if "or" in ops or "/" in ops else re.findall("[RW]", ops):
                    yield (int(named[1] if named else group[1]), int(number),
                           {"R": "read", "W": "write", None: None}[op])


def test_every_command_of_the_protocol_has_words():
    wanted = set(protocol())
    rows = {(group, id, op) for group, id, op, _ in table()}
    assert len(wanted) > 35 and {group for group, *_ in wanted} == \
        {0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 63}
    ids = {row[:2] for row in rows}
    missing = [row for row in wanted if (row not in rows if row[2] else row[:2] not in ids)]
    assert not missing, missing


def test_all_words_are_ferrys():
    """Those of other clients are commands or aliases."""
    for *_, words in table():
        assert words[0] and len(words) == 4, words
        for word in filter(None, words):
            done = subprocess.run([FERRY, *word.split(), "--help"], capture_output=True, text=True)
            assert done.returncode == 0 and f"usage: ferry {word} " in done.stdout.replace("\n", " "), word


def test_another_clients_word_is_of_the_same_command():
    """Or of one whose help names both."""
    same = {"config": {"settings read", "settings write"},
            "image state-write": {"image test", "image confirm"}}
    same["image set-state"] = same["image state-write"]
    for *_, words in table():
        for word in filter(None, words[1:]):
            text = subprocess.run([FERRY, *word.split(), "--help"], capture_output=True, text=True).stdout
            own = subprocess.run([FERRY, *words[0].split(), "--help"], capture_output=True, text=True).stdout
            assert text.splitlines()[1:] == own.splitlines()[1:] or words[0] in same.get(word, ()), word
