# SPDX-License-Identifier: Apache-2.0
"""Other people's clients are not missed silently: tests/interop/setup-peers and the tests, in a tree
where nothing can be installed."""
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
VENV = "build/interop/venv"


@pytest.fixture
def tree(tmp_path):
    """The tests and a build/interop with the Python tools; cargo and go fail, each with a reason."""
    for name in ("interop", "e2e"):
        shutil.copytree(ROOT / "tests" / name, tmp_path / "tests" / name)
    (tmp_path / VENV / "bin").mkdir(parents=True)
    (tmp_path / VENV / "bin" / "python").symlink_to(shutil.which("true"))
    (tmp_path / VENV / "mcumgr_client_wrapper-0.3.0.dist-info").mkdir()
    wanted = hashlib.sha256((ROOT / "tests/interop/requirements.txt").read_bytes()).hexdigest()
    (tmp_path / "build/interop/python.stamp").write_text(wanted + "\n")
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "setup").symlink_to(shutil.which("true"))
    (tmp_path / "build/interop/servers").mkdir()
    (tmp_path / "build/interop/servers/manifest.json").write_text("[]")
    (tmp_path / "build/interop/servers.stamp").write_text("7.3.0\n")
    (tmp_path / "bin").mkdir()
    for name in ("cargo", "go"):
        program = tmp_path / "bin" / name
        program.write_text(f"#!/bin/sh\necho first\necho no {name} today\nexit 1\n")
        program.chmod(0o755)
    return tmp_path


def run(tree, *command, needed):
    env = {key: value for key, value in os.environ.items() if key != "FERRY_NEED_PEERS"}
    env["PATH"] = f"{tree / 'bin'}:{env['PATH']}"
    return subprocess.run(command, cwd=tree, env={**env, **({"FERRY_NEED_PEERS": "1"} if needed else {})},
                          capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)


def have(tree, program, stamp, version):
    (tree / "build/interop/bin").mkdir(exist_ok=True)
    (tree / "build/interop/bin" / program).symlink_to(shutil.which("true"))
    (tree / f"build/interop/{stamp}.stamp").write_text(version + "\n")


def test_setup_fails_where_needed_without_a_client_other_than_go(tree):
    done = run(tree, "tests/interop/setup-peers", needed=False)
    assert done.returncode == 0 and "mcumgrctl (not installed)" in done.stdout, done.stderr
    done = run(tree, "tests/interop/setup-peers", needed=True)
    assert done.returncode == 1 and "must be had: rust\n" in done.stderr, done.stderr
    for tool, why in (("rust", "no cargo today"), ("go", "no go today")):
        assert (tree / f"build/interop/{tool}.missing").read_text() == why + "\n"
    have(tree, "mcumgrctl", "rust", "0.20.0")
    done = run(tree, "tests/interop/setup-peers", needed=True)
    assert done.returncode == 0 and "no go today" in done.stderr, done.stderr
    assert not (tree / "build/interop/rust.missing").exists()


@pytest.mark.parametrize("needed", [False, True])
def test_a_missing_client_fails_where_needed_and_the_table_says_why(tree, needed):
    (tree / "build/interop/rust.missing").write_text("no cargo today\n")
    (tree / "build/interop/go.missing").write_text("no go today\n")
    done = run(tree, sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider",
               "tests/interop/test_client_matrix.py", "-k",
               "os_params-mcumgrctl-udp or os_echo-mcumgr-udp or image_list-mcumgr-client-serial", needed=needed)
    assert ("1 skipped" if needed else "3 skipped") in done.stdout, done.stdout + done.stderr
    assert done.returncode == needed, done.stdout
    for text in ("mcumgrctl is not installed: no cargo today",
                 "mcumgr is not installed: no go today; docs/INTEROP.md says what was tried",
                 "mcumgr-client is not installed: tests/interop/setup-peers wheel tells why"):
        assert f"] {text}\n" in done.stdout, done.stdout
    assert f"cells: 0 ok, {2 * needed} failed, {3 - 2 * needed} skipped" in done.stdout
