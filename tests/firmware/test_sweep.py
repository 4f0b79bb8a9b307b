# SPDX-License-Identifier: Apache-2.0
"""The power fails after every flash operation of an upgrade and of a revert (sweep.py says which), and
the chip always comes up and finishes. And the sweep can fail."""
import dataclasses
import os

import pytest

import sweep

STRIDE = int(os.environ.get("FERRY_SWEEP_STRIDE", 32))
JOBS = os.cpu_count()


@pytest.fixture(scope="module")
def flows_of(tmp_path_factory):
    """The flows of a bootloader by name, prepared once."""
    made = {}

    def flows(bootloader):
        if bootloader not in made:
            made[bootloader] = {flow.name: flow for flow
                                in sweep.prepare(tmp_path_factory.mktemp("sweep"), bootloader)}
        return made[bootloader]
    return flows


@pytest.fixture
def flows(flows_of):
    return flows_of("bootloader")


@pytest.mark.parametrize("name", ["upgrade", "revert"])
@pytest.mark.parametrize("bootloader, stride", [("bootloader", STRIDE), ("bootloader-move", 4 * STRIDE)])
def test_power_cuts(flows_of, tmp_path, record_property, bootloader, stride, name):
    result = sweep.Sweep(flows_of(bootloader)[name], tmp_path, stride, JOBS).run()
    record_property("counted", str(result))
    assert result.good(), "\n".join([str(result), *result.bricks, *result.unfinished])


def without_images(flash):
    """Both slots are blank."""
    layout = sweep.tools.Layout("nrf51")
    for area in ("primary", "secondary"):
        offset, size = layout.areas[area]
        flash = flash[:offset] + b"\xff" * size + flash[offset + size:]
    return flash


def test_a_chip_without_a_whole_image_is_a_brick(flows, tmp_path):
    result = sweep.Sweep(flows["upgrade"], tmp_path, damage=without_images).run(only=100)
    assert result.cuts == 1 and len(result.bricks) == 1 and not result.good()
    assert "no image runs after the start: boot: recovery" in result.bricks[0]
    assert "--bootloader bootloader --flow upgrade --cut 100" in result.bricks[0]


def test_a_chip_that_forgets_its_upgrade_is_not_finished(flows, tmp_path):
    """It starts as a device does that has v1 and no request: what a revert ends with."""
    chip = sweep.chip(tmp_path, "reverted")
    with chip:
        sweep.operations_of(chip, flows["revert"])
        reverted = chip.read()
    result = sweep.Sweep(flows["upgrade"], tmp_path, damage=lambda flash: reverted).run(only=100)
    assert not result.bricks and "1.0.0 runs after the start" in result.unfinished[0] and not result.good()


def test_no_cuts_are_no_proof(flows, tmp_path):
    chip = sweep.chip(tmp_path, "upgraded")
    with chip:
        sweep.operations_of(chip, flows["upgrade"])
        done = dataclasses.replace(flows["upgrade"], flash=chip.read())
    result = sweep.Sweep(done, tmp_path).run()
    assert (result.operations, result.cuts) == (0, 0) and not result.bricks and not result.good()
