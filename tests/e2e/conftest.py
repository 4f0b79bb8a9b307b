# SPDX-License-Identifier: Apache-2.0
import pytest

import lab


@pytest.fixture(scope="session")
def bench(tmp_path_factory):
    return lab.Bench(tmp_path_factory.mktemp("bench"))


@pytest.fixture(scope="session")
def benches(tmp_path_factory):
    """Signed images for slots and for RAM, made when first asked for."""
    made = {}

    def bench_for(strategy):
        ram = strategy.startswith("ram-load")
        if ram not in made:
            bench = lab.Bench(tmp_path_factory.mktemp("bench"),
                              sign_with=("--load-addr", hex(lab.RAM_ADDRESS)) if ram else ())
            other = bench.folder / "other.pem"
            lab.ferry("keygen", "-t", "ecdsa-p256", "-o", other, check=0)
            bench.sign("foreign", "9.0.0", "app-v2", key=other)
            bench.sign("v4", "4.0.0", "app-v2")
            made[ram] = bench
        return made[ram]
    return bench_for


@pytest.fixture
def device(tmp_path, bench):
    """A started device with v1 in it."""
    with lab.Device(tmp_path / "device", bench) as d:
        yield d
