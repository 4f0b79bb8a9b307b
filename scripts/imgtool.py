#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs `ferry` with the same arguments: for builds that want imgtool as a Python file, as Zephyr's
does (-DIMGTOOL=/path/to/imgtool.py). docs/SIGNING.md has the lines.

Which `ferry`: the environment's FERRY_PROGRAM, else the one installed or built with this file, else
the one in PATH."""
import os
import sys


def program():
    told = os.environ.get("FERRY_PROGRAM")
    if told:
        return told
    here = os.path.dirname(os.path.realpath(__file__))
    for known in ("../../bin/ferry", "../build/host/ferry"):
        path = os.path.normpath(os.path.join(here, known))
        if os.path.isfile(path):
            return path
    return "ferry"


def main():
    ferry = program()
    try:
        os.execvp(ferry, ["ferry", *sys.argv[1:]])
    except OSError as error:
        sys.stderr.write(f"ferry: cannot run {ferry}: {error.strerror}\n"
                         "  next: build or install it, or let FERRY_PROGRAM name it\n")
        sys.exit(1)


main()
