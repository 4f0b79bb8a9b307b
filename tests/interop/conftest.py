# SPDX-License-Identifier: Apache-2.0
"""Ferry against other people's programs: the real imgtool, smpclient, smpmgr and mcumgrctl,
installed from their registries by tests/interop/setup-peers."""
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests" / "e2e"))  # last: smpclient has a package smp, as that folder has
import lab  # noqa: E402
import clients  # noqa: E402
import table  # noqa: E402
import zephyr_table  # noqa: E402

PEERS = ROOT / "build" / "interop"


def peer(program, *args, timeout=120, check=True):
    folder = PEERS / "bin" if program in ("mcumgrctl", "mcumgr") else PEERS / "venv" / "bin"
    done = subprocess.run([folder / program, *map(str, args)], capture_output=True, text=True,
                          timeout=timeout, stdin=subprocess.DEVNULL)
    if check:
        assert done.returncode == 0, f"{program} {args}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="session", params=["ecdsa-p256", "ed25519"])
def key_bench(request, tmp_path_factory):
    return lab.Bench(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture(scope="session")
def bench(tmp_path_factory):
    return lab.Bench(tmp_path_factory.mktemp("bench"))


@pytest.fixture
def device(tmp_path, bench):
    with lab.Device(tmp_path / "device", bench) as d:
        d.wait_for(r"app 1\.0\.0")
        yield d


def pytest_configure(config):
    config.addinivalue_line("markers", "needs(client): one of clients.CLIENTS; it may not be installed")


@pytest.hookimpl(tryfirst=True)  # before a device is made
def pytest_runtest_setup(item):
    for mark in item.iter_markers("needs"):
        clients.need(*mark.args)


# ---- The tables client × command and command × server, at the end ----------------------------------------------------

def pytest_runtest_logreport(report):
    table.note(report)
    zephyr_table.note(report)


def pytest_terminal_summary(terminalreporter):
    for line in [*table.lines(), *zephyr_table.lines()]:
        terminalreporter.write_line(line)
