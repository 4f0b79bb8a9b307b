# SPDX-License-Identifier: Apache-2.0
"""The table client × command of test_client_matrix.py, from what pytest reports of its cells."""
import re

from clients import CLIENTS, COMMANDS, why_missing

results = {}  # (command, client, wire): "ok", "FAIL" or "skip"


def note(report):
    """Take what pytest reports of one phase of one test."""
    cell = re.search(r"test_client\[(\w+)-(.+)-(serial|raw|udp)\]$", report.nodeid)
    if cell is None:
        return
    if report.failed:
        results[cell.groups()] = "FAIL"
    elif report.skipped:
        results[cell.groups()] = "skip"
    elif report.when == "call":
        results[cell.groups()] = "ok"


def shown(command, name, wire, notes):
    client = CLIENTS[name]
    if not hasattr(client, command):
        return "–"
    if not client.there:
        return notes.number(why_missing(name))
    result = results.get((command, name, wire), "")
    why = getattr(getattr(client, command), "defect", None)
    return result if why is None or result != "ok" else notes.number(f"{name}: {why}")


class Notes:
    """Footnotes, each once."""

    def __init__(self):
        self.texts = []

    def number(self, text):
        if text not in self.texts:
            self.texts.append(text)
        return f"[{self.texts.index(text) + 1}]"


def lines():
    """The table as lines of text; none when no cell was run."""
    if not results:
        return
    columns = [(name, wire) for name, client in CLIENTS.items() for wire in client.wires]
    widths = [max(len(name), len(wire)) for name, wire in columns]
    notes = Notes()
    first = max(map(len, COMMANDS.values()))

    def line(head, cells):
        return f"{head:{first}}  " + "  ".join(f"{c:{w}}" for c, w in zip(cells, widths))

    yield ""
    yield line("client", [name for name, _ in columns])
    yield line("wire", [wire for _, wire in columns])
    for command, label in COMMANDS.items():
        yield line(label, [shown(command, *column, notes) for column in columns])
    yield ""
    yield "ok: its output is what the device holds; –: the client has no such command"
    for number, text in enumerate(notes.texts, 1):
        yield f"[{number}] {text}"
    counts = {word: list(results.values()).count(word) for word in ("ok", "FAIL", "skip")}
    yield "cells: {ok} ok, {FAIL} failed, {skip} skipped".format(**counts)
