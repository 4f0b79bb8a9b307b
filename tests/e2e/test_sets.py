# SPDX-License-Identifier: Apache-2.0
"""Images that change as one, on a device, through the real client: the program and its data are
updated together, taken back together, and never mixed."""
import json

import pytest

import lab
import unlock
from lab import ferry, ferry_json

DATA_SIZE = 0x20000


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """Programs of image 0 and data of image 1, in versions that belong together."""
    made = lab.Bench(tmp_path_factory.mktemp("bench"))
    other = made.folder / "other.pem"
    ferry("keygen", "-t", "ecdsa-p256", "-o", other, check=0)
    for name, version, key in (("data1", "1.0.0", made.key), ("data2", "2.0.0", made.key),
                               ("data3", "3.0.0", made.key), ("foreign", "9.0.0", other)):
        raw, image = made.folder / "raw", made.folder / f"{name}.bin"
        raw.write_bytes(name.encode() * 4000)
        ferry("sign", "-k", key, "-v", version, "-H", "512", "--pad-header", "-S", hex(DATA_SIZE),
              "--align", "8", raw, image, check=0)
        made.images[name] = image
    return made


def layout(strategies, **fields):
    text = json.loads(lab.layout(strategies[0]))
    text["areas"] += [{"name": f"data{i}", "device": "internal",
                       "offset": hex(0xb0000 + i * DATA_SIZE), "size": DATA_SIZE} for i in (0, 1)]
    text["images"].append({"primary": "data0", "secondary": "data1", "strategy": strategies[1]})
    text.update({"set": True, **fields})
    return json.dumps(text)


@pytest.fixture
def board(request, tmp_path, bench):
    with lab.Device(tmp_path / "device", bench, layout=layout(request.param),
                    flash=[f"data0={bench.images['data1']}"]) as device:
        device.bench = bench
        yield device


def files(device, *names):
    return [f"{i}={device.bench.images[name]}" for i, name in enumerate(names)]


def update(device, *names, code=0, options=()):
    done = ferry("update", *options, *files(device, *names), device=device.uri, timeout=120)
    assert done.returncode == code, f"{done.stdout}\n{done.stderr}\n{device.log()}"
    return done


def running(device):
    """The versions that run and whether they are confirmed, by image."""
    device.running()
    listed = ferry_json("image", "list", device=device.uri)["images"]
    return {i["image"]: (i["version"], i["confirmed"]) for i in listed if i["active"]}


def expect(device, version):
    assert running(device) == {0: (version, True), 1: (version, True)}, device.log()


SWAPS = [("swap-shift", "swap-shift"), ("swap-move", "swap-offset")]


@pytest.mark.parametrize("board", SWAPS, indirect=True, ids="+".join)
def test_updated_together_and_taken_back_together(board):
    expect(board, "1.0.0")
    done = update(board, "v2", "data2")
    assert "image 0: done: version 2.0.0 runs and is confirmed" in done.stdout
    assert "image 1: done: version 2.0.0 runs and is confirmed" in done.stdout
    assert board.log().count("starting 2.0.0") == 1, board.log()  # one reset for both
    expect(board, "2.0.0")
    # A program that crashes takes the data back with it, though nothing is wrong with those.
    update(board, "v3", "data3", code=7)
    expect(board, "2.0.0")
    assert "image 0: reverted to 2.0.0" in board.log() and "image 1: reverted to 2.0.0" in board.log()
    why = ferry_json("why", "-n", "1", device=board.uri)
    assert why["action"] == "reverted" and why["running"] == "2.0.0"
    # And again the same is nothing to do.
    done = update(board, "v2", "data2")
    assert done.stdout.count("already done, nothing sent") == 2


@pytest.mark.parametrize("board", SWAPS[:1], indirect=True, ids="+".join)
def test_one_bad_image_refuses_both(board):
    for names in (["v2", "foreign"], ["foreign", "data2"]):  # before anything is sent of either
        done = update(board, *names, code=6)
        assert "none of those that the device lists" in done.stderr and "next:" in done.stderr
        assert len(ferry_json("image", "list", device=board.uri)["images"]) == 2
    done = update(board, "v2", "foreign", code=6, options=["--no-checks"])
    assert "next:" in done.stderr
    expect(board, "1.0.0")
    why = ferry_json("why", "-n", "1", device=board.uri)
    assert why["action"] == "refused" and why["reason_name"] == "FERRY_E_NO_KEY"
    why = ferry_json("why", device=board.uri)
    assert why["action"] == "refused" and why["reason_name"] == "FERRY_E_SET"
    # Nothing was wrong with the other one: it is there still.
    update(board, "v2", "data2")
    expect(board, "2.0.0")


@pytest.mark.parametrize("board", SWAPS[:1], indirect=True, ids="+".join)
def test_a_check_that_fails_takes_all_of_them_back(board):
    done = update(board, "v2", "data2", code=7, options=["--check", "exit 4"])
    assert "exit code 4" in done.stderr and "went back to version 1.0.0" in done.stderr
    expect(board, "1.0.0")
    told = ferry_json("update", "--check", "true", *files(board, "v2", "data2"), device=board.uri)
    assert told["check"] == 0 and [i["previous"] for i in told["images"]] == ["1.0.0", "1.0.0"]
    expect(board, "2.0.0")


@pytest.mark.parametrize("board", SWAPS[:1], indirect=True, ids="+".join)
def test_what_a_dependency_needs_is_said(board):
    """The program needs newer data: alone it is refused, and both together are installed."""
    needy = board.bench.folder / "needy.bin"
    lab.sign(board.bench.key, "2.0.0", lab.FIRMWARE / "app-v2.elf", needy, "-d", "(1,2.0.0+0)")
    early = ferry("update", needy, device=board.uri, check=6)
    assert "image 1 in version 2.0.0 or newer, which is 1.0.0" in early.stderr
    done = ferry("update", "--no-checks", needy, device=board.uri, timeout=60)
    assert done.returncode == 6, f"{done.stdout}\n{done.stderr}\n{board.log()}"
    assert "image 1 in version 2.0.0 or newer" in done.stderr
    assert "image 1 in version 2.0.0 or newer" in board.log()
    expect(board, "1.0.0")
    why = ferry_json("why", device=board.uri)
    assert why["reason_name"] == "FERRY_E_DEPENDENCY"
    assert (why["needs"], why["least"]) == (1, "2.0.0")
    done = ferry("update", f"0={needy}", f"1={board.bench.images['data2']}", device=board.uri,
                 timeout=60)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{board.log()}"
    expect(board, "2.0.0")


@pytest.mark.parametrize("board", SWAPS[:1], indirect=True, ids="+".join)
def test_any_image_of_the_set_confirms_all(board):
    """As other clients do it: image by image, one reset, one confirm by the hash of image 1."""
    done = ferry_json("update", "--no-confirm", *files(board, "v2", "data2"), device=board.uri,
                      timeout=120)
    assert [i["confirmed"] for i in done["images"]] == [False, False]
    assert running(board) == {0: ("2.0.0", False), 1: ("2.0.0", False)}
    ferry("image", "confirm", done["images"][1]["hash"], device=board.uri, check=0)
    expect(board, "2.0.0")
    ferry("reset", device=board.uri, check=0)
    board.wait_for(r"reset by software(.*\n)*.*app 2.0.0 started")
    expect(board, "2.0.0")


@pytest.mark.parametrize("board", [("overwrite", "overwrite")], indirect=True, ids="+".join)
def test_without_a_way_back_all_are_judged_first(board):
    update(board, "v2", "foreign", code=6)
    expect(board, "1.0.0")
    update(board, "v2", "data2")
    expect(board, "2.0.0")


@pytest.mark.parametrize("board", SWAPS[:1], indirect=True, ids="+".join)
def test_power_cuts_leave_all_new_or_all_old(board):
    """Cuts ever farther apart, from the request to the end: whatever runs is of one version."""
    update(board, "v2", "data2", options=["--test-only"])
    board.stop()
    before = board.flash()
    operation, number = 1, 1
    while board.runs_to_cut(operation, ("before", "inside", "after")[number % 3]):
        board.start()
        seen = running(board)
        assert {version for version, _ in seen.values()} == {"2.0.0"}, board.log()
        board.stop()
        board.restore(before)
        operation, number = operation + 4 * number, number + 1
    assert number > 5


def test_what_is_no_set(tmp_path, bench):
    for fields, words in (({}, "all can, or all cannot"),
                          ({"areas": None}, "add one")):
        text = json.loads(layout(("swap-move", "overwrite" if not fields else "swap-move")))
        if fields:
            text["areas"] = [a for a in text["areas"] if a["name"] != "store"]
        file = tmp_path / "layout.json"
        file.write_text(json.dumps(text))
        done = lab.subprocess.run([lab.FERRY_DEVICE, "--dir", tmp_path / "device", "--layout", file,
                                   "--program-only"], capture_output=True, text=True, timeout=30)
        assert done.returncode == 1 and "set" in done.stderr and words in done.stderr, done.stderr


def test_a_command_line_that_cannot_be(bench):
    for words in (["1=a", "1=b"], ["0=a", "b"], [f"{i}=a" for i in range(5)], []):
        done = ferry("update", *words, device="serial:/nowhere")
        assert done.returncode == 2, done.stderr


def test_a_locked_set(tmp_path, bench):
    """One reset, and several flows behind it: each unlocks where it must."""
    key = unlock.make_key(tmp_path / "unlock.pem")
    server = {"lock": "locked", "unlock_key": str(key)}
    with lab.Device(tmp_path / "locked", bench, layout=layout(("swap-move", "swap-move"), server=server),
                    flash=[f"data0={bench.images['data1']}"]) as device:
        device.bench = bench
        device.running()
        done = ferry("update", *files(device, "v2", "data2"), device=device.uri)
        assert done.returncode == 5 and "the device is locked" in done.stderr
        update(device, "v2", "data2", options=("--unlock", key))
        assert running(device) == {0: ("2.0.0", True), 1: ("2.0.0", True)}
