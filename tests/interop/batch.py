# SPDX-License-Identifier: Apache-2.0
"""Runs many commands of imgtool and decrypt_image.py in a few processes of the peers' Python: to
start it for each of hundreds takes minutes. Standard input: a JSON list of commands, each a list of
words; standard output: for each of them [exit code, what it printed]."""
import contextlib
import io
import json
import sys
from concurrent.futures import ProcessPoolExecutor

import decrypt_image
from imgtool.main import imgtool


def run(command):
    printed = io.StringIO()
    code = 0
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            if command[0] == "imgtool":
                imgtool.main(command[1:], prog_name="imgtool")
            else:
                decrypt_image.main(*command[1:])
        except SystemExit as end:
            code = end.code or 0
        except Exception as error:  # as an interpreter of its own would end
            code, _ = 1, print(repr(error))
    return [code if isinstance(code, int) else 1, printed.getvalue()]


if __name__ == "__main__":
    with ProcessPoolExecutor() as pool:
        json.dump(list(pool.map(run, json.load(sys.stdin), chunksize=4)), sys.stdout)
