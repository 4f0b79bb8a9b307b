# SPDX-License-Identifier: Apache-2.0
"""Every strategy on a device of its own, through the real client: an update that stays, a faulty
one that is taken back, a refused one, power cuts."""
import json

import pytest

import lab
from lab import ferry, ferry_json

SWAPS = ["swap-scratch", "swap-move", "swap-offset", "swap-shift"]
REVERTING = SWAPS + ["direct-xip-revert", "ram-load-revert"]
FINAL = ["overwrite", "direct-xip", "ram-load"]  # the new image stays, whatever it does
IN_PLACE = ["direct-xip", "direct-xip-revert", "ram-load", "ram-load-revert"]
FOREIGN = "no key here matches"


def case(strategy, external=False, **fields):
    return pytest.param((strategy, external, fields),
                        id=strategy + ("-external" if external else ""))


EXTERNAL = [case("swap-scratch", True), case("overwrite", True)]


@pytest.fixture
def board(request, tmp_path, benches):
    """A started device with v1 in it, and its bench."""
    strategy, external, fields = request.param
    bench = benches(strategy)
    text = lab.layout(strategy, external, **fields)
    with lab.Device(tmp_path / "device", bench, layout=text) as device:
        device.bench = bench
        yield device


def update(device, name, code=0):
    done = ferry("update", device.bench.images[name], device=device.uri, timeout=60)
    assert done.returncode == code, f"{done.stdout}\n{done.stderr}\n{device.log()}"
    return done


def expect(device, version, confirmed=True):
    state = device.running()
    assert state["version"] == version and state["confirmed"] == confirmed, device.log()
    return state


def refuse_foreign(device, version):
    """An image of somebody else's key is refused, and the good one runs on."""
    done = ferry("update", "--no-checks", device.bench.images["foreign"], device=device.uri, timeout=60)
    assert done.returncode in (6, 7), f"{done.stdout}\n{done.stderr}\n{device.log()}"
    assert "next:" in done.stderr
    assert FOREIGN in device.log()
    expect(device, version)


@pytest.mark.parametrize("board", [case(s) for s in REVERTING] + [case("swap-scratch", True)],
                         indirect=True)
def test_it_stays_or_is_taken_back(board):
    expect(board, "1.0.0")
    update(board, "v2")
    expect(board, "2.0.0")
    assert "upgraded for a test to 2.0.0" in board.log()
    done = update(board, "v3", code=7)
    assert "next:" in done.stderr
    expect(board, "2.0.0")
    assert "reverted to 2.0.0" in board.log() and "crashed" in board.log()
    refuse_foreign(board, "2.0.0")
    update(board, "v4")
    expect(board, "4.0.0")


@pytest.mark.parametrize("board", [case(s) for s in FINAL] + [case("overwrite", True)],
                         indirect=True)
def test_it_is_installed_or_refused(board):
    expect(board, "1.0.0")
    update(board, "v2")
    expect(board, "2.0.0")
    refuse_foreign(board, "2.0.0")
    update(board, "v4")
    expect(board, "4.0.0")


@pytest.mark.parametrize("board", [case(s) for s in IN_PLACE], indirect=True)
def test_both_slots_take_their_turn(board):
    """Nothing is moved: the active slot alternates, and uploads go to the other one."""
    for slot, (name, version) in enumerate((("v1", "1.0.0"), ("v2", "2.0.0"), ("v4", "4.0.0"))):
        if name != "v1":
            update(board, name)
        assert expect(board, version)["slot"] == slot % 2
    ferry("reset", device=board.uri, check=0)
    board.wait_for(r"reset by software[^$]*starting 4.0.0.*\n(.*\n)*app 2.0.0 started")
    assert expect(board, "4.0.0")["slot"] == 0


@pytest.mark.parametrize("board", [case("direct-xip")], indirect=True)
def test_an_image_linked_to_an_address_runs_there_only(board, tmp_path):
    """v1 runs in the primary at 0x30000, so the next upload is for the secondary at 0x70000."""
    image = tmp_path / "linked.bin"
    for address in (0x30000, 0x70000):
        lab.sign(board.bench.key, "2.0.0", lab.FIRMWARE / "app-v2.elf", image, "--rom-fixed",
                 hex(address))
        done = ferry("update", image, device=board.uri)
        if address == 0x30000:
            assert done.returncode == 5 and "address" in done.stderr, done.stderr
            expect(board, "1.0.0")
    assert done.returncode == 0, done.stderr
    assert expect(board, "2.0.0")["slot"] == 1


@pytest.mark.parametrize("board", [case("single-slot")], indirect=True)
def test_single_slot(board):
    """The application takes nothing into its own slot: the bootloader does."""
    expect(board, "1.0.0")
    refused = ferry("image", "upload", board.bench.images["v2"], device=board.uri, check=5)
    assert "NO_FREE_SLOT" in refused.stderr
    update(board, "v2")
    expect(board, "2.0.0")
    board.stop()
    board.reflash("primary", board.bench.images["foreign"])
    board.start()
    board.wait_for(r"recovery \(no-image\)")
    log = board.log()
    assert "nothing may run" in log and FOREIGN in log, log
    update(board, "v1")
    expect(board, "1.0.0")


@pytest.mark.parametrize("board", [case("single-slot", recovery=False)], indirect=True)
def test_without_recovery_a_debugger_is_needed(board):
    expect(board, "1.0.0")
    done = ferry("update", board.bench.images["v2"], device=board.uri, check=5)
    assert "did not stay in its bootloader" in done.stderr and "next:" in done.stderr
    assert "the layout switches recovery off" in board.log()
    board.stop()
    board.reflash("primary", board.bench.images["foreign"])
    board.start()
    board.wait_for("--reflash primary=FILE")
    assert ferry("--timeout", "0.3", "echo", "x", device=board.uri).returncode == 4
    board.stop()
    board.reflash("primary", board.bench.images["v1"])
    board.start()
    expect(board, "1.0.0")


# ---- Several images ---------------------------------------------------------------------------

def test_each_image_has_a_strategy_of_its_own(tmp_path, benches):
    """The program by swap-shift, its data by overwrite, in one device."""
    bench = benches("swap-shift")
    text = json.loads(lab.layout("swap-shift"))
    text["areas"] += [{"name": f"data{i}", "device": "internal", "offset": hex(0xb0000 + i * 0x20000),
                       "size": "128K"} for i in (0, 1)]
    text["images"].append({"primary": "data0", "secondary": "data1", "strategy": "overwrite"})
    data = []
    for version in ("1.0.0", "2.0.0"):
        raw, image = tmp_path / "raw", tmp_path / f"data-{version}.bin"
        raw.write_bytes(version.encode() * 4000)
        ferry("sign", "-k", bench.key, "-v", version, "-H", "512", "--pad-header", "-S", "0x20000",
              raw, image, check=0)
        data.append(image)
    with lab.Device(tmp_path / "device", bench, layout=json.dumps(text),
                    flash=[f"data0={data[0]}"]) as device:
        device.bench = bench
        expect(device, "1.0.0")
        update(device, "v2")
        ferry("image", "upload", "-n", "1", data[1], device=device.uri, check=0)
        listed = ferry_json("image", "list", device=device.uri)["images"]
        new = next(i for i in listed if i["image"] == 1 and i["version"] == "2.0.0")
        ferry("image", "test", new["hash"], device=device.uri, check=0)
        ferry("reset", device=device.uri, check=0)
        device.wait_for("image 1: .*upgraded to 2.0.0, for good")
        expect(device, "2.0.0")
        update(device, "v3", code=7)
        listed = ferry_json("image", "list", device=device.uri)["images"]
        assert {i["image"]: i["version"] for i in listed if i["slot"] == 0} == {0: "2.0.0",
                                                                                 1: "2.0.0"}


# ---- Power ------------------------------------------------------------------------------------

def ask_for(device, name, *, code=0):
    """Upload and request a test; the device is switched off then."""
    ferry("image", "upload", device.bench.images[name], device=device.uri, check=0)
    ferry("image", "test", device.bench.hash_of(name)[:12], device=device.uri, check=code)
    device.stop()


def cut_points():
    """Operations from the first on, ever farther apart; every third cut of another kind."""
    operation = 1
    for number in range(1, 1000):
        yield operation, ("before", "inside", "after")[number % 3]
        operation += number


@pytest.mark.parametrize("board", [case(s, trials=2) for s in REVERTING] +
                         [case(s, True, trials=2) for s in ("swap-scratch", "overwrite")],
                         indirect=True)
def test_power_cuts_from_the_first_operation_to_the_last(board):
    """Until there is no operation left to cut; after every cut the new image is installed. The
    last operation is the firmware's mark: with it one of the trials is used up."""
    expect(board, "1.0.0")
    ask_for(board, "v2")
    before = board.flash()
    cuts = 0
    for operation, how in cut_points():
        board.restore(before)
        if not board.runs_to_cut(operation, how):
            break
        cuts += 1
        board.start()
        assert board.running()["version"] == "2.0.0", f"{operation} {how}\n{board.log()}"
        board.stop()
    print(f"{cuts} cuts, the last near operation {operation}")
    assert cuts >= 3


@pytest.mark.parametrize("board", [case(s) for s in SWAPS] + EXTERNAL, indirect=True)
def test_power_cuts_in_a_row(board):
    expect(board, "1.0.0")
    ask_for(board, "v2")
    for operation, how in ((1, "inside"), (5, "before"), (5, "inside")):
        assert board.runs_to_cut(operation, how)
    board.start()
    state = board.running()
    assert state["version"] == "2.0.0", board.log()
    if not state["confirmed"]:
        ferry("image", "confirm", device=board.uri, check=0)
    board.stop()
    board.start()
    expect(board, "2.0.0")


# ---- Trials -------------------------------------------------------------------------------------

def start_and_fail(device, version="3.0.0"):
    """The power fails before the firmware, which hangs, has marked its start."""
    device.start()
    device.wait_for(rf"app {version} started")
    device.kill()
    return device.log()


@pytest.mark.parametrize("board", [case("swap-move")], indirect=True)
def test_power_failures_do_not_count_but_three_in_a_row_do(board):
    ask_for(board, "v3-hang")
    assert "trial 1 of 1" in start_and_fail(board)
    for _ in range(3):
        log = start_and_fail(board)
        assert "trial 1 of 1" in log and "not counted" in log, log
    board.start()
    expect(board, "1.0.0")
    assert "reverted to 1.0.0" in board.log()


@pytest.mark.parametrize("board", [case("swap-move", trials=0)], indirect=True)
def test_without_trials_one_boot_is_all(board):
    ask_for(board, "v3-hang")
    assert "the next reset reverts it" in start_and_fail(board)
    board.start()
    expect(board, "1.0.0")


@pytest.mark.parametrize("board", [case("swap-move", trials=3)], indirect=True)
def test_a_crash_counts(board):
    ask_for(board, "v3")
    board.start()
    expect(board, "1.0.0")
    log = board.log()
    for number in (1, 2, 3):
        assert f"trial {number} of 3" in log, log
    assert log.count("app 3.0.0 started") == 3


@pytest.mark.parametrize("board", [case("swap-move", trials=2)], indirect=True)
def test_a_firmware_that_came_up_has_its_trials_too(board):
    ask_for(board, "v2")
    for number in (1, 2):
        board.start()
        expect(board, "2.0.0", confirmed=False)
        assert f"trial {number} of 2" in board.log()
        board.stop()
    board.start()
    expect(board, "1.0.0")


@pytest.mark.parametrize("board", [case("swap-move")], indirect=True)
def test_a_trial_is_over_when_it_is_confirmed(board):
    ask_for(board, "v2")
    board.start()
    expect(board, "2.0.0", confirmed=False)
    ferry("image", "confirm", device=board.uri, check=0)
    for _ in range(3):
        board.stop()
        board.start()
        expect(board, "2.0.0")
    assert "unconfirmed" not in board.log()


# ---- Without a store ------------------------------------------------------------------------------

def without_store():
    text = json.loads(lab.layout("swap-move"))
    text["areas"] = [area for area in text["areas"] if area["name"] != "store"]
    return text["areas"]


@pytest.mark.parametrize("board", [case("swap-move", areas=without_store())], indirect=True)
def test_without_a_store_the_rule_is_mcuboots(board):
    ask_for(board, "v3-hang")
    assert "the next reset reverts it" in start_and_fail(board)
    board.start()
    expect(board, "1.0.0")
    update(board, "v2")
    expect(board, "2.0.0")
