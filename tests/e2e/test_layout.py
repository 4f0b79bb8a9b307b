# SPDX-License-Identifier: Apache-2.0
"""`ferry layout`: what a layout has room for and what updates cost, against devices that do it."""
import json
import os

import pytest
from lab import AS_IT_IS, FIRMWARE, RAM_ADDRESS, ROOT, Bench, Device, ferry, ferry_json, layout

STRATEGIES = ("swap-scratch", "swap-move", "swap-offset", "swap-shift", "overwrite", "direct-xip",
              "direct-xip-revert", "ram-load", "ram-load-revert", "single-slot")
REVERTING = [name for name in STRATEGIES if name.startswith("swap") or name.endswith("revert")]
IN_PLACE = STRATEGIES[5:9]
EXTERNAL = ("swap-scratch", "overwrite", "direct-xip", "direct-xip-revert", "ram-load-revert")
CASES = [(name, False) for name in STRATEGIES] + [(name, True) for name in EXTERNAL]


def write(tmp_path, text):
    path = tmp_path / "layout.json"
    path.write_text(text)
    return path


def tell(tmp_path, text, *args):
    return ferry_json("layout", write(tmp_path, text), *args)


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """Signatures of one length: sizes are exact."""
    return Bench(tmp_path_factory.mktemp("bench"), key_type="ed25519")


def release(bench, tmp_path, version, size, header, strategy):
    """A signed image of size bytes. Between headers of different sizes no sectors are alike."""
    program = (FIRMWARE / "app-v1.elf").read_bytes()
    source = tmp_path / f"{version}.bin"
    image = tmp_path / f"{version}.signed.bin"
    around = 300
    for _ in range(2):
        source.write_bytes(program + os.urandom(size - around - len(program)))
        ferry("sign", "-k", bench.key, "-v", version, "-H", header, "--pad-header", "-S", "0x40000",
              *AS_IT_IS, *(["--load-addr", RAM_ADDRESS] if strategy.startswith("ram-load")
                           else []), source, image, check=0)
        around += image.stat().st_size - size
    assert image.stat().st_size == size
    return image


@pytest.fixture(params=CASES, ids=lambda case: case[0] + ("-external" if case[1] else ""))
def case(request):
    return request.param


def test_device_says_the_same_number(case, bench, tmp_path):
    text = layout(*case)
    image = tell(tmp_path, text)["images"][0]
    bench.images["room"] = release(bench, tmp_path, "1.0.0", 0x30000, 512, case[0])
    with Device(tmp_path / "dev", bench, image="room", layout=text) as device:
        device.running()
        slots = ferry_json("image", "slots", device=device.uri)["slots"]
        measured = ferry_json("measured", device=device.uri)
    assert image["strategy"] == case[0]
    assert {image["max_image_size"]} == {slot["max_image_size"] for slot in slots}
    assert image["max_image_size"] == measured["max_image"]
    assert [slot["size"] for slot in image["slots"]] == [slot["size"] for slot in slots]


def predicted(image):
    """Upload and install together, by area: erases and bytes written."""
    phases = [image["update"][name]["areas"] for name in ("upload", "install")]
    return {area: tuple(sum(phase[area][what] for phase in phases) for what in ("erases", "written"))
            for area in phases[0]}


def live(device, image):
    """What an update costs the device, from its start to its end."""
    with device:
        device.running()
        ferry("update", image, device=device.uri, check=0)
    return device.tally()


def test_an_update_costs_what_was_told(case, bench, tmp_path):
    """On a device with updates behind it, as in the field: both slots had one. Not looked at is
    the store, whose sectors are erased once in many updates."""
    size = 0x2f123
    text = layout(*case)
    told = predicted(tell(tmp_path, text, "--size", size)["images"][0])
    releases = [release(bench, tmp_path, f"{n}.0.0", size, 512 * (1 + n % 2), case[0])
                for n in range(1, 6)]
    bench.images["cost"] = releases[0]
    device = Device(tmp_path / "dev", bench, image="cost", layout=text)
    costs = [live(device, image) for image in releases[1:]][2:]
    for cost in costs:
        cost.update({area: cost.get(area, (0, 0)) for area in told}, store=told.get("store"))
    # In place the slots take turns, and the one that takes longer was told.
    assert told in costs
    assert case[0] in IN_PLACE or costs[0] == costs[1]


@pytest.mark.parametrize("strategy", REVERTING)
def test_a_revert_costs_what_was_told(strategy, bench, tmp_path):
    size = 0x2f123
    text = layout(strategy)
    told = tell(tmp_path, text, "--size", size)["images"][0]["update"]["revert"]["areas"]
    releases = [release(bench, tmp_path, f"{n}.0.0", size, 512 * (1 + n % 2), strategy)
                for n in range(1, 5)]
    bench.images["cost"] = releases[0]
    device = Device(tmp_path / "dev", bench, image="cost", layout=text)
    live(device, releases[1])
    live(device, releases[2])
    with device:
        device.running()
        ferry("update", "--no-confirm", releases[3], device=device.uri, check=0)
        assert device.running()["version"] == "4.0.0"
    with device:
        assert device.running()["version"] == "3.0.0"
    cost = device.tally()
    found = [cost.get(area, (0, 0)) for area in ("primary", "secondary")]
    expected = [(told[area]["erases"], told[area]["written"]) for area in ("primary", "secondary")]
    assert found == expected or (strategy in IN_PLACE and found == expected[::-1])


def test_a_set_costs_what_was_told(bench, tmp_path):
    """Two images that change as one, both in one update."""
    size = 0x2c123
    fields = json.loads(layout("swap-move", set=True))
    fields["flash"][0]["sectors"] = [{"count": 512, "size": "4K"}]
    fields["areas"] += [{"name": "p1", "device": "internal", "offset": "0x100000", "size": "256K"},
                        {"name": "s1", "device": "internal", "offset": "0x140000", "size": "256K"}]
    fields["images"].append({"primary": "p1", "secondary": "s1", "strategy": "swap-offset"})
    text = json.dumps(fields)
    told = predicted(tell(tmp_path, text, "--size", size)["set"])
    releases = []
    for n in range(1, 4):
        (tmp_path / f"other-{n}").mkdir()
        releases.append([release(bench, folder, f"{n}.0.0", size, 512 * (1 + n % 2), "swap-move")
                         for folder in (tmp_path, tmp_path / f"other-{n}")])
    bench.images["cost"] = releases[0][0]
    device = Device(tmp_path / "dev", bench, image="cost", layout=text,
                    flash=[f"p1={releases[0][1]}"])
    for pair in releases[1:]:
        with device:
            device.running()
            ferry("update", f"0={pair[0]}", f"1={pair[1]}", device=device.uri, check=0)
        cost = device.tally()
    assert {**cost, "store": None} == {**told, "store": None}


# ---- What is told --------------------------------------------------------------------------------


def test_several_images_each_for_itself_and_as_a_set(tmp_path):
    fields = json.loads(layout("swap-move"))
    fields["flash"][0]["sectors"] = [{"count": 512, "size": "4K"}]
    fields["areas"] += [{"name": "p1", "device": "internal", "offset": "0xc0000", "size": "64K"},
                        {"name": "s1", "device": "internal", "offset": "0xe0000", "size": "64K"}]
    fields["images"].append({"primary": "p1", "secondary": "s1", "strategy": "swap-offset"})
    each = tell(tmp_path, json.dumps(fields))
    assert [image["strategy"] for image in each["images"]] == ["swap-move", "swap-offset"]
    assert "set" not in each
    together = tell(tmp_path, json.dumps({**fields, "set": True}))
    assert together["images"] == each["images"]
    erases = [image["update"]["install"]["erases"] for image in each["images"]]
    assert together["set"]["update"]["install"]["erases"] == sum(erases)
    one = tell(tmp_path, json.dumps({**fields, "set": True}), "--image", "1")
    assert one["images"] == each["images"][1:] and "set" not in one


def test_a_first_stage_is_told_of(tmp_path):
    text = (ROOT / "device/layout-first.json").read_text()
    image = tell(tmp_path, text)["images"][1]
    areas = image["update"]["install"]["areas"]
    assert image["strategy"] == "first-stage"
    # S0 and S1 take turns: one is erased whole, the other one is not touched.
    assert sorted([areas["s0"]["erases"], areas["s1"]["erases"]]) == [0, 48]
    assert image["wear"]["areas"]["s0"]["erases_per_update"] == 0.5


def test_without_a_store(tmp_path):
    fields = json.loads(layout("swap-move"))
    assert tell(tmp_path, json.dumps(fields))["store"] is True
    fields["areas"] = [area for area in fields["areas"] if area["name"] != "store"]
    told = tell(tmp_path, json.dumps(fields))
    assert told["store"] is False and len(told["lacks"]) >= 5
    words = ferry("layout", write(tmp_path, json.dumps(fields)), check=0).stdout
    assert "has not:" in words and "ferry why" in words


def test_times_and_endurance(tmp_path):
    fields = json.loads(layout("overwrite"))
    plain = tell(tmp_path, json.dumps(fields))["images"][0]
    assert plain["wear"]["updates"] == 10000
    fields["flash"][0].update(erase_ms=10, program_us=1, endurance=500)
    told = tell(tmp_path, json.dumps(fields))
    install = told["images"][0]["update"]["install"]
    assert told["flash"] == [{"name": "internal", "erase_ms": 10, "program_us": 1,
                              "endurance": 500}]
    assert told["images"][0]["wear"]["updates"] == 500
    assert install["seconds"] == pytest.approx(install["erases"] * 0.01 + install["written"] / 8e6)
    told = tell(tmp_path, json.dumps(fields), "--endurance", "100", "--erase-ms", "20",
                "--program-us", "2", "--read-kib-s", "1024")
    install = told["images"][0]["update"]["install"]
    assert told["images"][0]["wear"]["updates"] == 100
    assert install["seconds"] == pytest.approx(
        install["erases"] * 0.02 + install["written"] / 4e6 + install["read"] / 1024 ** 2)


def test_ram_may_be_the_limit(tmp_path):
    fields = json.loads(layout("ram-load"))
    fields["ram"]["size"] = "128K"
    image = tell(tmp_path, json.dumps(fields))["images"][0]
    assert image["limit"] == 128 * 1024 < image["max_image_size"]
    assert image["limited_by"] == "ram" and image["size"] == image["limit"]


def test_sizes_of_images(bench, tmp_path):
    path = write(tmp_path, layout("swap-move"))
    size = bench.images["v1"].stat().st_size
    image = ferry_json("layout", path, "--size", bench.images["v1"])["images"][0]
    assert image["size"] == size
    assert image["update"]["upload"]["written"] < image["max_image_size"]
    done = ferry("layout", path, "--size", image["max_image_size"] + 1, check=6)
    assert f"takes {image['max_image_size']}" in done.stderr and "trailer" in done.stderr
    ferry("layout", path, "--size", "5", check=2)
    ferry("layout", path, "--size", tmp_path / "missing", check=1)


@pytest.mark.parametrize("change, words", [
    (lambda f: f["areas"][4].update(size="252K"), "as many of them"),
    (lambda f: f.update(max_sectors=32), "max_sectors"),
    (lambda f: f["images"][0].update(strategy="swap-up"), "use one of"),
    (lambda f: f["images"][0].pop("secondary"), "needs one"),
    (lambda f: f.update(extra=1), "extra"),
])
def test_layouts_that_cannot_be(tmp_path, change, words):
    fields = json.loads(layout("swap-offset"))
    change(fields)
    done = ferry("layout", write(tmp_path, json.dumps(fields)), check=2)
    assert words in done.stderr and done.stdout == ""


def test_wrong_command_lines(tmp_path):
    path = write(tmp_path, layout("swap-move"))
    ferry("layout", check=2)
    ferry("layout", path, path, check=2)
    ferry("layout", path, "--check", check=2)
    assert "has 1" in ferry("layout", path, "--image", "1", check=2).stderr
    for option in ("--endurance", "--erase-ms", "--program-us", "--read-kib-s", "-H"):
        ferry("layout", path, option, "0", check=2)
        ferry("layout", path, option, "x", check=2)
    ferry("layout", tmp_path / "missing.json", check=1)
    (tmp_path / "bad.json").write_text("{")
    assert "no JSON" in ferry("layout", tmp_path / "bad.json", check=2).stderr


# ---- --check -------------------------------------------------------------------------------------


def checked(bench, tmp_path, text, code, *options, size=None):
    source = tmp_path / "firmware.bin"
    image = tmp_path / "firmware.signed.bin"
    source.write_bytes(os.urandom(size or 1000))
    ferry("sign", "-k", bench.key, "-v", "1.0.0", "--pad-header", "-S", "0x80000", *options, source,
          image, check=0)
    return ferry("layout", write(tmp_path, text), "--check", image, check=code)


def test_images_are_checked(bench, tmp_path):
    text = layout("swap-move")
    limit = tell(tmp_path, text)["images"][0]["limit"]
    assert "fits image 0" in checked(bench, tmp_path, text, 0, size=limit - 200).stdout
    done = checked(bench, tmp_path, text, 6, size=limit)
    assert f"takes {limit}" in done.stderr and "sectors are 4096" in done.stderr
    many = ferry_json("layout", write(tmp_path, text), "--check", bench.images["v1"],
                      bench.images["v2"])
    assert many == {"image": 0, "fit": 2}
    (tmp_path / "bad.bin").write_bytes(b"no image")
    ferry("layout", write(tmp_path, text), "--check", bench.images["v1"], tmp_path / "bad.bin",
          check=6)


def test_addresses_are_checked(bench, tmp_path):
    xip = layout("direct-xip")
    checked(bench, tmp_path, xip, 0, "--rom-fixed", "0x30000")
    checked(bench, tmp_path, xip, 0, "--rom-fixed", "0x70000")
    assert "runs at 0x30000" in checked(bench, tmp_path, xip, 6, "--rom-fixed", "0x40000").stderr
    checked(bench, tmp_path, layout("swap-move"), 6, "--rom-fixed", "0x70000")
    ram = layout("ram-load")
    checked(bench, tmp_path, ram, 0, "--load-addr", hex(RAM_ADDRESS))
    checked(bench, tmp_path, ram, 6)
    checked(bench, tmp_path, ram, 6, "--load-addr", hex(RAM_ADDRESS - 4096))
    checked(bench, tmp_path, ram, 6, "--load-addr", hex(RAM_ADDRESS + 0x40000 - 1000))
