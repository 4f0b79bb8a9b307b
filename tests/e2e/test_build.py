# SPDX-License-Identifier: Apache-2.0
"""Signing as a part of a build: what is installed, and the Python file that stands where a build wants
imgtool's."""
import os
import shutil
import subprocess
import sys

import pytest

from lab import BUILD, FERRY, ROOT

SHIM = ROOT / "scripts" / "imgtool.py"


def run(*command, env=None, check=0, cwd=None):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          timeout=120, stdin=subprocess.DEVNULL, cwd=cwd,
                          env={**os.environ, **(env or {})})
    if check is not None:
        assert done.returncode == check, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    """Ferry, installed."""
    folder = tmp_path_factory.mktemp("installed")
    run("cmake", "--install", BUILD, "--prefix", folder)
    return folder


def test_what_is_installed(prefix):
    there = {str(path.relative_to(prefix)) for path in prefix.rglob("*") if path.is_file()}
    assert there >= {"bin/ferry", "bin/ferry-device", "share/ferry/imgtool.py",
                     "share/doc/ferry/README.md", "share/doc/ferry/LICENSE",
                     "share/doc/ferry/docs/SIGNING.md"}


def test_the_python_file_runs_ferry(prefix, tmp_path):
    for call in ([SHIM], [sys.executable, SHIM], [prefix / "share/ferry/imgtool.py"]):
        assert run(*call, "--version").stdout.startswith("ferry ")
    link = tmp_path / "imgtool"
    link.symlink_to(SHIM)
    assert run(link, "--version").stdout.startswith("ferry ")
    assert run(SHIM, "sign", check=2).stderr.startswith("ferry: ")


def test_which_ferry_it_runs(tmp_path):
    """The one that is named; where none is built or installed beside it, that of PATH."""
    alone = tmp_path / "imgtool.py"
    shutil.copy(SHIM, alone)
    told = run(sys.executable, alone, "--version", env={"PATH": str(tmp_path)}, check=1).stderr
    assert "cannot run ferry" in told and "  next: " in told
    assert run(sys.executable, alone, "--version",
               env={"PATH": str(FERRY.parent)}).stdout.startswith("ferry ")
    told = run(SHIM, "--version", env={"FERRY_PROGRAM": "/nowhere/ferry"}, check=1).stderr
    assert "cannot run /nowhere/ferry" in told


def test_ferry_by_the_name_of_imgtool(tmp_path):
    link = tmp_path / "imgtool"
    link.symlink_to(FERRY)
    assert run(link, "sign", check=2).stderr.startswith("ferry: ")
