# SPDX-License-Identifier: Apache-2.0
import pytest

import lab


@pytest.fixture(scope="session")
def bench(tmp_path_factory):
    return lab.Bench(tmp_path_factory.mktemp("bench"))


@pytest.fixture
def device(tmp_path, bench):
    """A started device with v1 in it."""
    with lab.Device(tmp_path / "device", bench) as d:
        yield d
