# SPDX-License-Identifier: Apache-2.0
"""`ferry inspect --layout`: the whole flash of a device that is off. What it says of the next boot is
compared with what the device then does, at every rest of an update and after power cuts."""
import json
import random
import re

import pytest

import lab
from lab import ferry, ferry_json
import test_encrypted as encrypted
import test_sets as sets
from test_first_stage import FirstDevice, Stages

SWAPS = ["swap-scratch", "swap-move", "swap-offset", "swap-shift"]
REVERTING = SWAPS + ["direct-xip-revert", "ram-load-revert"]
ALL = REVERTING + ["overwrite", "direct-xip", "ram-load"]
# What the bootloader's log says when it is done.
LOGGED = {"ran": r"\d\S*( of the \w+ slot)? runs", "upgraded": "upgraded to",
          "testing": "upgraded for a test to", "reverted": "reverted to", "refused": ".*refused"}


def files(device):
    """The dump of each flash device, NAME=FILE."""
    layout = json.loads((device.folder / "layout.json").read_text())
    names = [flash["name"] for flash in layout["flash"]]
    return [f"{name}={device.folder / ('flash.bin' if i == 0 else f'flash-{name}.bin')}"
            for i, name in enumerate(names)]


def inspect(device, *options, check=0):
    before = device.flash()
    done = ferry("--json", "inspect", "--layout", device.folder / "layout.json", *options,
                 *files(device), check=check)
    assert device.flash() == before  # a dump is never changed
    return json.loads(done.stdout)


def boots_as_foretold(device):
    """What the dump says of the next boot, which the device then does; it is off again."""
    told = inspect(device)["images"][0]
    said = told["next_boot"]
    device.start()
    try:
        state = device.running()
    finally:
        device.stop()
    log = device.log()
    finished = "an interrupted swap was finished; " if said["resumed"] else ""
    assert re.search(f"image 0: {finished}{LOGGED[said['action']]}", log), f"{said}\n{log}"
    assert state["version"] == said["running"] and said["running"] in said["words"], f"{said}\n{log}"
    assert state["slot"] == said["slot"], f"{said}\n{log}"
    assert (not state["confirmed"]) == said["on_trial"], f"{said}\n{state}\n{log}"
    return told


def make(tmp_path, benches, strategy, external=False, **fields):
    bench = benches(strategy)
    return lab.Device(tmp_path / "device", bench, layout=lab.layout(strategy, external, **fields)), bench


def on(device, *commands):
    """Run commands on the device, then switch it off."""
    device.start()
    try:
        device.running()
        for command in commands:
            ferry(*command, device=device.uri, check=0)
    finally:
        device.stop()


def ask_for(device, bench, name, how="test"):
    """Upload an image and ask for it, if the strategy knows such a thing; the device is then off."""
    on(device, ("image", "upload", bench.images[name]))
    device.start()
    try:
        device.running()
        digest = next(tlv["data"] for tlv in ferry_json("inspect", bench.images[name])["tlvs"]
                      if tlv["name"] == "SHA256")
        ferry("image", how, digest, device=device.uri)
    finally:
        device.stop()


@pytest.mark.parametrize("strategy,external", [(s, False) for s in ALL] + [("swap-scratch", True),
                                                                          ("overwrite", True)])
def test_every_rest_of_an_update(tmp_path, benches, strategy, external):
    device, bench = make(tmp_path, benches, strategy, external)
    assert boots_as_foretold(device)["next_boot"]["action"] in ("ran", "upgraded")  # fresh
    on(device, ("image", "upload", bench.images["v2"]))
    if strategy in REVERTING:
        assert boots_as_foretold(device)["next_boot"]["running"] == "1.0.0"  # uploaded only
    ask_for(device, bench, "v2")
    asked = inspect(device)["images"][0]
    if strategy in SWAPS:
        assert asked["next_boot"]["words"] == "installs slot 1 for a test (1.0.0 → 2.0.0)"
        assert asked["next_boot"]["asked"] == "test"
    boots_as_foretold(device)
    if strategy not in REVERTING:
        assert boots_as_foretold(device)["next_boot"]["running"] == "2.0.0"
        return
    back = boots_as_foretold(device)["next_boot"]  # it was not confirmed
    assert (back["action"], back["running"]) == ("reverted", "1.0.0")
    assert "2.0.0 was not confirmed" in back["words"]
    assert boots_as_foretold(device)["next_boot"]["action"] == "ran"
    ask_for(device, bench, "v4", "confirm")
    assert boots_as_foretold(device)["next_boot"]["running"] == "4.0.0"
    assert boots_as_foretold(device)["next_boot"]["action"] == "ran"


@pytest.mark.parametrize("strategy", REVERTING)
def test_confirmed(tmp_path, benches, strategy):
    device, bench = make(tmp_path, benches, strategy)
    ask_for(device, bench, "v2")
    on(device, ("image", "confirm"))
    told = boots_as_foretold(device)
    assert told["next_boot"]["running"] == "2.0.0" and not told["next_boot"]["on_trial"]
    report = told.get("report")
    if strategy in SWAPS:
        assert report["action"] == "testing" and report["version"] == "2.0.0"


@pytest.mark.parametrize("strategy", SWAPS + ["overwrite"])
def test_a_bad_image_is_refused_beforehand(tmp_path, benches, strategy):
    device, bench = make(tmp_path, benches, strategy)
    ask_for(device, bench, "foreign")
    told = inspect(device)["images"][0]
    said = told["next_boot"]
    assert said["action"] == "refused" and said["refused"] == "9.0.0"
    assert said["reason_name"] == "FERRY_E_NO_KEY" and "would be refused" in said["words"]
    assert told["slots"][1]["digest"] == "good" and "no key" in told["slots"][1]["signature"]
    # A digest that does not match: one bit of the payload is flipped in the dump of the device.
    path = device.folder / "flash.bin"
    data = bytearray(path.read_bytes())
    at = next(i for i in range(0x70000 + 0x2000, len(data)) if data[i])  # a 0 has no bit to lose
    data[at] &= data[at] - 1
    path.write_bytes(data)
    assert inspect(device)["images"][0]["next_boot"]["reason_name"] == "FERRY_E_DIGEST"
    assert boots_as_foretold(device)["next_boot"]["running"] == "1.0.0"
    assert boots_as_foretold(device)["next_boot"]["action"] == "ran"


@pytest.mark.parametrize("strategy", SWAPS + ["overwrite"])
def test_an_interrupted_swap(tmp_path, benches, strategy):
    device, bench = make(tmp_path, benches, strategy)
    ask_for(device, bench, "v2")
    asked = device.flash()
    resumed = cuts = 0
    for cut in (1, 2, 3, 5, 9, 20, 60):
        device.restore(asked)
        if not device.runs_to_cut(cut):
            break  # all of it was done before
        cuts += 1
        said = boots_as_foretold(device)["next_boot"]
        assert said["running"] == "2.0.0" and said["action"] in ("testing", "upgraded")
        resumed += said["resumed"]
        if said["resumed"] and "steps" in said:
            assert 0 <= said["steps_done"] < said["steps"]
    assert cuts >= 5 and (resumed >= 3 or strategy == "overwrite")


def test_a_trial_that_counts(tmp_path, benches):
    """With trials an unconfirmed image starts again until they are used up."""
    device, bench = make(tmp_path, benches, "swap-move", trials=3)
    ask_for(device, bench, "v2")
    actions = [boots_as_foretold(device)["next_boot"]["action"] for _ in range(6)]
    assert actions[0] == "testing" and "reverted" in actions[2:]


def test_nothing_to_run(tmp_path, benches):
    device, _ = make(tmp_path, benches, "swap-move")
    path = device.folder / "flash.bin"
    data = bytearray(path.read_bytes())
    data[0x30000:0x40000] = b"\xff" * 0x10000
    path.write_bytes(data)
    result = inspect(device, check=6)
    assert result["starts"] is False and result["error"]["exit"] == 6
    assert result["images"][0]["next_boot"]["action"] == "stopped"
    assert "problem" in result["images"][0]["slots"][0]
    assert "starts nothing" in ferry("inspect", "--layout", device.folder / "layout.json", path,
                                     check=6).stderr


def test_keys_and_areas(tmp_path, benches):
    device, bench = make(tmp_path, benches, "swap-move")
    result = inspect(device)
    assert [key["origin"] for key in result["keys"]] == ["keys"]
    assert result["keys"][0]["type"] == "ecdsa-p256" and not result["keys"][0]["development_key"]
    named = next(t["data"] for t in result["images"][0]["slots"][0]["tlvs"] if t["name"] == "KEYHASH")
    assert result["keys"][0]["hash"] == named
    areas = {area["name"]: area for area in result["areas"]}
    assert areas["primary"]["use"] == "slot 0 of image 0" and areas["bootloader"]["used"] > 10000
    assert result["images"][0]["slots"][1]["problem"].startswith("erased")
    # Another key counts in place of those in the flash.
    other = inspect(device, "-k", bench.folder / "other.pem", check=6)
    assert other["keys"][0]["origin"] == "given"
    assert "no key" in other["images"][0]["slots"][0]["signature"]


def test_keys_that_are_compiled_in(tmp_path, benches):
    """A layout without an area of keys, as of a device with MCUboot: digests only, or -k KEY."""
    device, bench = make(tmp_path, benches, "swap-move")
    layout = json.loads((device.folder / "layout.json").read_text())
    layout["areas"] = [a for a in layout["areas"] if a["name"] not in ("keys", "store")]
    path = tmp_path / "bare.json"
    path.write_text(json.dumps(layout))
    said = ferry_json("inspect", "--layout", path, device.folder / "flash.bin")
    assert said["images"][0]["slots"][0]["signature"] == "not checked" and said["store"] == "none"
    assert "-k KEY" in said["keys_problem"] and said["starts"] is True
    said = ferry_json("inspect", "--layout", path, "-k", bench.key, device.folder / "flash.bin")
    assert said["images"][0]["slots"][0]["signature"] == "good"


def intel_hex(data, base=0):
    """What a debugger writes: the erased lines are left out."""
    lines = []

    def line(address, kind, payload):
        record = bytes([len(payload), address >> 8, address & 0xff, kind]) + payload
        lines.append(":" + (record + bytes([-sum(record) & 0xff])).hex().upper())

    for at in range(0, len(data), 32):
        if at % 0x10000 == 0:
            line(0, 4, ((base + at) >> 16).to_bytes(2, "big"))
        if data[at:at + 32] != b"\xff" * 32:
            line(at & 0xffff, 0, data[at:at + 32])
    line(0, 1, b"")
    return "\n".join(lines) + "\n"


def test_a_dump_as_intel_hex(tmp_path, benches):
    device, bench = make(tmp_path, benches, "swap-move")
    ask_for(device, bench, "v2")
    layout = device.folder / "layout.json"
    hexed = tmp_path / "flash.hex"
    hexed.write_text(intel_hex((device.folder / "flash.bin").read_bytes()))
    said = ferry_json("inspect", "--layout", layout, hexed)
    assert said["images"] == inspect(device)["images"]
    hexed.write_text(intel_hex((device.folder / "flash.bin").read_bytes(), base=0x8000000))
    done = ferry("inspect", "--layout", layout, hexed, check=6)
    assert "the flash device \"internal\" has 1048576" in done.stderr


def test_files_that_are_not_of_this_layout(tmp_path, benches):
    device, bench = make(tmp_path, benches, "swap-scratch", True)
    layout = device.folder / "layout.json"
    flash = device.folder / "flash.bin"
    short = ferry("inspect", "--layout", layout, bench.images["v1"], flash, check=6)
    assert "has 1048576" in short.stderr
    missing = ferry("inspect", "--layout", layout, flash, check=2)
    assert "internal=FILE external=FILE" in missing.stderr
    twice = ferry("inspect", "--layout", layout, f"internal={flash}", f"internal={flash}", check=2)
    assert "one file too many" in twice.stderr
    ferry("inspect", "--layout", layout, flash, tmp_path / "absent.bin", check=1)
    ferry("inspect", "--layout", bench.key, flash, check=2)
    ferry("inspect", "--layout", layout, check=2)
    for options in (("-E", bench.key), ("--strategy", "overwrite"), ("--sector", "4096")):
        assert "leave out" in ferry("inspect", "--layout", layout, *options, flash, check=2).stderr
    ordered = ferry("inspect", "--layout", layout, flash, device.folder / "flash-external.bin", check=0)
    assert "flash external" in ordered.stdout


def test_a_first_stage(tmp_path, benches):
    bench = benches("swap-move")
    stages = Stages(tmp_path, bench)
    device = FirstDevice(tmp_path / "first", bench, stages)
    result = inspect(device)
    assert [s["valid"] for s in result["first_stage"]["slots"]] == [True, False]
    assert result["first_stage"]["starts"] == "S0" and result["first_stage"]["life_cycle"] == "assembly"
    device.start()
    device.ask_for(stages.make(1, 2))
    device.stop()
    result = inspect(device)
    assert "installs another bootloader into S1" in result["images"][1]["next_boot"]["words"]
    assert result["first_stage"]["starts"] == "S1"
    device.start()
    assert device.bootloader() == "2.0.0"
    device.stop()
    result = inspect(device)
    assert [s["valid"] for s in result["first_stage"]["slots"]] == [False, True]  # 1 is too old now
    assert result["first_stage"]["lowest_version"] == 2
    assert result["first_stage"]["starts"] == "S1" and result["images"][1]["slots"][0]["area"] == "s1"


@pytest.mark.parametrize("strategy", ["swap-move", "swap-scratch", "overwrite"])
def test_an_encrypted_update(tmp_path, strategy):
    bench = encrypted.Bench(tmp_path, "x25519", False)
    device = lab.Device(tmp_path / "device", bench, secret=bench.secret,
                        layout=encrypted.layout(strategy, "x25519", False))
    ask_for(device, bench, "v2")
    slot = inspect(device)["images"][0]["slots"][1]
    assert (slot["payload"], slot["digest"], slot["signature"]) == ("decrypted", "good", "good")
    asked = device.flash()
    assert boots_as_foretold(device)["next_boot"]["running"] == "2.0.0"
    for cut in (2, 4):
        device.restore(asked)
        assert device.runs_to_cut(cut)
        assert boots_as_foretold(device)["next_boot"]["running"] == "2.0.0"
    device.restore(asked)
    path = device.folder / "flash.bin"
    data = bytearray(path.read_bytes())
    data[0x2d000:0x2e000] = bytes([0xff]) * 0x1000  # the secrets
    path.write_bytes(data)
    told = inspect(device)["images"][0]
    assert told["slots"][1]["payload"] == "encrypted" and "decrypts" in told["slots"][1]["digest"]
    assert told["next_boot"]["reason_name"] == "FERRY_E_SECRET"
    assert "secrets" not in json.dumps(told)


def test_images_that_change_as_one(tmp_path, benches):
    bench = benches("swap-move")
    data = {}
    for name, version, key in (("data1", "1.0.0", bench.key), ("data2", "2.0.0", bench.key),
                               ("foreign", "9.0.0", bench.folder / "other.pem")):
        (tmp_path / "raw").write_bytes(name.encode() * 4000)
        data[name] = tmp_path / f"{name}.bin"
        ferry("sign", "-k", key, "-v", version, "-H", "512", "--pad-header", "-S",
              hex(sets.DATA_SIZE), "--align", "8", tmp_path / "raw", data[name], check=0)
    device = lab.Device(tmp_path / "device", bench, layout=sets.layout(["swap-move"] * 2),
                        flash=[f"data0={data['data1']}"])

    def asked(image):
        on(device, ("update", "--test-only", "--no-checks", f"0={bench.images['v2']}", f"1={image}"))
        return [image["next_boot"] for image in inspect(device)["images"]]

    said = asked(data["foreign"])
    assert [n["action"] for n in said] == ["refused", "refused"]
    assert [n["reason_name"] for n in said] == ["FERRY_E_SET", "FERRY_E_NO_KEY"]
    boots_as_foretold(device)
    said = asked(data["data2"])
    assert [n["action"] for n in said] == ["testing", "testing"]
    boots_as_foretold(device)
    said = [image["next_boot"] for image in inspect(device)["images"]]
    assert [(n["action"], n["running"]) for n in said] == [("reverted", "1.0.0")] * 2
    boots_as_foretold(device)


@pytest.mark.parametrize("strategy", ["swap-move", "swap-scratch", "direct-xip-revert", "overwrite"])
def test_any_damage_is_told_and_never_more(tmp_path, benches, strategy):
    """Random bytes of keys, store, headers and trailers changed, with a fixed seed."""
    device, bench = make(tmp_path, benches, strategy)
    ask_for(device, bench, "v2")
    path = device.folder / "flash.bin"
    whole = path.read_bytes()
    chance = random.Random(7)
    places = [(0x2c000, 0x60), (0x2e000, 0x200), (0x30000, 0x40), (0x70000, 0x40),
              (0x6fe00, 0x200), (0xafe00, 0x200)]
    for _ in range(25):
        data = bytearray(whole)
        for _ in range(chance.randrange(1, 5)):
            at, size = chance.choice(places)
            data[at + chance.randrange(size)] = chance.randrange(256)
        path.write_bytes(data)
        done = ferry("--json", "inspect", "--layout", device.folder / "layout.json", path)
        result = json.loads(done.stdout)
        assert done.returncode == (0 if result["starts"] else 6)
        assert result["images"][0]["next_boot"]["words"]
