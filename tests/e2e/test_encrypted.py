# SPDX-License-Identifier: Apache-2.0
"""Encrypted images on the device: uploaded, swapped, taken back and put away, never in the clear
outside of the primary."""
import json
import pathlib

import pytest

import lab
from lab import ferry

SWAPS = ["swap-scratch", "swap-move", "swap-offset", "swap-shift"]
REVERTING = SWAPS + ["ram-load-revert"]
FINAL = ["overwrite", "ram-load"]
SECRET = "no key here decrypts the image"
UNSUPPORTED = "not supported in this build"


class Bench(lab.Bench):
    """v1 is plain; all else is encrypted for the device's key."""

    def __init__(self, folder, key_type, ram):
        folder = pathlib.Path(folder)
        self.secret, self.stranger = folder / "secret.pem", folder / "stranger.pem"
        for path in (self.secret, self.stranger):
            ferry("keygen", "-t", key_type, "-o", path, check=0)
        self.ram = ("--load-addr", hex(lab.RAM_ADDRESS)) if ram else ()
        super().__init__(folder)
        self.sign("v4", "4.0.0", "app-v2")
        self.sign("foreign", "9.0.0", "app-v2", secret=self.stranger)

    def sign(self, name, version, program, key=None, secret=None):
        self.sign_with = self.ram
        if name != "v1":
            self.sign_with += ("-E", secret or self.secret)
        return super().sign(name, version, program, key)

    def hash_of(self, name):
        return lab.ferry_json("verify", "-k", self.key, "-E", self.secret,
                              self.images[name])["hash"]


@pytest.fixture(scope="module")
def benches(tmp_path_factory):
    made = {}

    def bench_for(strategy, key_type):
        kind = key_type, strategy.startswith("ram-load")
        if kind not in made:
            made[kind] = Bench(tmp_path_factory.mktemp("bench"), *kind)
        return made[kind]
    return bench_for


def layout(strategy, key_type, external):
    text = json.loads(lab.layout(strategy, external))
    text["areas"].append({"name": "secrets", "device": "internal", "offset": "0x2d000",
                          "size": "4K"})
    text["enc_tlv"] = {"ecdsa-p256": 113, "x25519": 80}[key_type]
    return json.dumps(text)


@pytest.fixture
def board(request, tmp_path, benches):
    strategy, key_type, external = request.param
    bench = benches(strategy, key_type)
    with lab.Device(tmp_path / "device", bench, layout=layout(strategy, key_type, external),
                    secret=bench.secret) as device:
        device.bench, device.strategy = bench, strategy
        yield device


def cases(strategies, key_type="ecdsa-p256", external=False):
    return [pytest.param((s, key_type, external), id=f"{s}-{key_type}"
                         + ("-external" if external else "")) for s in strategies]


def update(device, name, code=0):
    done = ferry("update", device.bench.images[name], device=device.uri, timeout=60)
    assert done.returncode == code, f"{done.stdout}\n{done.stderr}\n{device.log()}"
    return done


def expect(device, version):
    state = device.running()
    assert state["version"] == version and state["confirmed"], device.log()


def in_the_clear(device):
    """Where in flash, outside of the primary, a piece of the program stands in the clear: of what it
    has and the bootloader has not."""
    program = (lab.FIRMWARE / "app-v2.elf").read_bytes()
    bootloader = (lab.FIRMWARE / "bootloader.elf").read_bytes()
    pieces = [program[at:at + 32] for at in range(4096, len(program) - 32, 512)]
    pieces = [piece for piece in pieces if len(set(piece)) > 16 and piece not in bootloader]
    assert len(pieces) > 10
    text = json.loads((device.folder / "layout.json").read_text())
    primary = next(a for a in text["areas"] if a["name"] == "primary")
    begin = int(primary["offset"], 0)
    found = []
    for path, data in device.flash().items():
        if path.name == "flash.bin" and not device.strategy.startswith("ram-load"):
            data = data[:begin] + bytes(0x40000) + data[begin + 0x40000:]
        found += [(path.name, hex(data.find(piece))) for piece in pieces if piece in data]
    return found


@pytest.mark.parametrize("board", cases(REVERTING) + cases(["swap-move"], "x25519")
                         + cases(["swap-scratch"], external=True), indirect=True)
def test_it_stays_or_is_taken_back(board):
    expect(board, "1.0.0")
    update(board, "v2")
    expect(board, "2.0.0")
    assert "upgraded for a test to 2.0.0" in board.log()
    done = update(board, "v3", code=7)
    assert "next:" in done.stderr
    expect(board, "2.0.0")
    update(board, "v4")
    expect(board, "4.0.0")
    board.stop()
    # Neither the one that runs nor the one that was put away, which is as it was uploaded.
    assert not in_the_clear(board)
    assert any(board.bench.images["v2"].read_bytes() in data for data in board.flash().values())


@pytest.mark.parametrize("board", cases(FINAL) + cases(["overwrite"], external=True),
                         indirect=True)
def test_it_is_installed(board):
    update(board, "v2")
    expect(board, "2.0.0")
    update(board, "v4")
    expect(board, "4.0.0")
    board.stop()
    assert not in_the_clear(board)


@pytest.mark.parametrize("board", cases(["swap-move", "overwrite", "ram-load-revert"]),
                         indirect=True)
def test_an_image_for_another_device_is_refused(board):
    done = ferry("update", board.bench.images["foreign"], device=board.uri, timeout=60)
    assert done.returncode in (6, 7), f"{done.stdout}\n{done.stderr}\n{board.log()}"
    assert SECRET in board.log()
    expect(board, "1.0.0")


@pytest.mark.parametrize("board", cases(["direct-xip-revert"]), indirect=True)
def test_where_it_runs_from_its_slot_it_is_refused(board):
    done = ferry("update", board.bench.images["v2"], device=board.uri, timeout=60)
    assert done.returncode in (6, 7), f"{done.stdout}\n{done.stderr}\n{board.log()}"
    assert UNSUPPORTED in board.log()
    expect(board, "1.0.0")


def test_a_device_without_secrets_refuses_it(tmp_path, benches):
    bench = benches("swap-move", "ecdsa-p256")
    with lab.Device(tmp_path / "device", bench) as device:
        device.bench = bench
        done = ferry("update", bench.images["v2"], device=device.uri, timeout=60)
        assert done.returncode in (6, 7), f"{done.stdout}\n{done.stderr}\n{device.log()}"
        assert UNSUPPORTED in device.log()
        expect(device, "1.0.0")


@pytest.mark.parametrize("board", cases(SWAPS + ["overwrite"]), indirect=True)
def test_power_cuts_while_images_are_in_pieces(board):
    update(board, "v2")
    expect(board, "2.0.0")
    # What the plain first image left there: an upload erases no more than it needs.
    ferry("image", "erase", device=board.uri, check=0)
    ferry("image", "upload", board.bench.images["v4"], device=board.uri, check=0)
    ferry("image", "test", board.bench.hash_of("v4")[:12], device=board.uri, check=0)
    board.stop()
    before = board.flash()
    cuts = 0
    # overwrite leaves alike what is alike: both programs are the same.
    for operation in range(3, 400, 2 if board.strategy == "overwrite" else 23):
        board.restore(before)
        if not board.runs_to_cut(operation, ("before", "inside", "after")[cuts % 3]):
            break
        cuts += 1
        assert not in_the_clear(board)
        board.start()
        assert board.running()["version"] == "4.0.0", f"{operation}\n{board.log()}"
        board.stop()
    assert cuts >= 2


@pytest.mark.parametrize("board", cases(["swap-move", "overwrite"]), indirect=True)
def test_through_recovery(board):
    """The bootloader's recovery judges the plaintext, and takes none that is for another device."""
    ferry("reset", "--recovery", device=board.uri, check=0)
    board.wait_for(r"recovery \(boot-mode\)")
    refused = ferry("update", board.bench.images["foreign"], device=board.uri, timeout=60)
    assert refused.returncode in (5, 6) and SECRET in refused.stderr, refused.stderr
    update(board, "v2")
    expect(board, "2.0.0")
    update(board, "v4")  # the plain first image is gone now
    assert not in_the_clear(board)
