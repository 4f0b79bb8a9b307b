# SPDX-License-Identifier: Apache-2.0
"""One boot for all tests of this folder; `make test-bluetooth` fetches what it boots."""
import pathlib
import tempfile

import bluez
import machine
import pytest


@pytest.fixture(scope="session")
def guest():
    if not (machine.FETCHED / "initrd").exists():
        pytest.fail("nothing to boot in build/bluetooth: run make test-bluetooth", pytrace=False)
    with tempfile.TemporaryDirectory(prefix="ferry-vm-") as folder:
        made = bluez.boot(pathlib.Path(folder))
        yield made
        made.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Under a failed test stands what the daemon said last."""
    report = (yield).get_result()
    if report.failed and "guest" in getattr(item, "funcargs", {}):
        report.sections.append(("bluetoothd", item.funcargs["guest"].log("bluetoothd")[-3000:]))
