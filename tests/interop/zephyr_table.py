# SPDX-License-Identifier: Apache-2.0
"""The table command × server of test_zephyr.py, from what pytest reports of its cells."""
import re

import zephyr

results = {}  # (row, server): "ok", "FAIL" or "skip"


def note(report):
    """Take what pytest reports of one phase of one test."""
    cell = re.search(r"test_server\[(\w+)-(.+)\]$", report.nodeid)
    if cell is None:
        return
    if report.failed:
        results[cell.groups()] = "FAIL"
    elif report.skipped:
        results[cell.groups()] = "skip"
    elif report.when == "call":
        results[cell.groups()] = "ok"


def lines():
    """The table as lines of text; none when no cell was run."""
    if not results:
        return
    from test_zephyr import ROWS  # it is loaded when there are results
    first = max(len(row.label) for row in ROWS.values())
    short = [name.split(".")[1].replace("serial_", "") for name in zephyr.COLUMNS]
    kinds = [name.split("_")[0] for name in zephyr.COLUMNS]
    widths = [max(len(kind), len(name)) for kind, name in zip(kinds, short)]

    def line(head, cells):
        return f"{head:{first}}  " + "  ".join(f"{c:{w}}" for c, w in zip(cells, widths))

    yield ""
    yield line("ferry against", kinds)
    yield line("server", short)
    for key, row in ROWS.items():
        yield line(row.label, [results.get((key, name), "–") for name in zephyr.COLUMNS])
    yield ""
    yield "native: Zephyr 4.4.0 on this machine; qemu: Zephyr 4.4.0 with MCUboot, Cortex-M0; mps2: Zephyr 4.4.99 with"
    yield "MCUboot and its serial recovery, Cortex-M3. –: not built in, or not tried there"
    counts = {word: list(results.values()).count(word) for word in ("ok", "FAIL", "skip")}
    yield "cells: {ok} ok, {FAIL} failed, {skip} skipped".format(**counts)
