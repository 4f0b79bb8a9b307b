# SPDX-License-Identifier: Apache-2.0
"""Ferry's firmware on emulated chips, driven by the real `ferry`. `make firmware` builds what runs here."""
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests" / "e2e"))
import machine  # noqa: E402
import tools  # noqa: E402

MACHINES = pytest.StashKey()


@pytest.fixture(scope="session", autouse=True)
def built_tools():
    tools.build()


@pytest.fixture
def machines(request, tmp_path):
    """Makes machines that end with the test: machines(machine.Microbit, "name", further arguments)."""
    made = request.node.stash.setdefault(MACHINES, [])

    def make(kind, name="chip", **arguments):
        made.append(kind(tmp_path / name, name=name, **arguments))
        return made[-1]
    yield make
    for one in made:
        one.close()


@pytest.fixture
def microbit(machines):
    """An nRF51 with nothing in its flash, switched off."""
    return machines(machine.Microbit, flash_size=tools.Layout("nrf51").flash_size)


@pytest.fixture
def nrf51(microbit):
    """The same with the bootloader in it."""
    microbit.program(0, tools.firmware("nrf51", "bootloader.bin"))
    return microbit


@pytest.fixture
def ast1030(machines):
    """An AST1030 with the bootloader where its boot ROM finds it, nothing in its slots, switched off."""
    return machines(machine.Ast1030, program=tools.firmware("ast1030", "bootloader.elf"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Under a failed test stands what its chips said."""
    report = (yield).get_result()
    if report.failed:
        report.sections += [(f"chip {one.name}", one.told()) for one in item.stash.get(MACHINES, [])]


def pytest_terminal_summary(terminalreporter):
    """What tests count is printed also when they pass: record_property("counted", line)."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, line in report.user_properties if report.when == "call" else ():
            if name == "counted":
                terminalreporter.write_line(line)
