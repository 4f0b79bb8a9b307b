# SPDX-License-Identifier: Apache-2.0
"""`ferry update BUNDLE.zip` against virtual devices: one image, a set of two, one for each slot of
direct-xip; and what is wrong with a bundle is said before a device is asked."""
import json
import zipfile

import pytest

import lab
from lab import ferry, ferry_json

DATA_SIZE = 0x20000
PRIMARY, SECONDARY = "0x30000", "0x70000"  # of the default layout


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """Programs of image 0, data of image 1, and programs linked to a slot."""
    made = lab.Bench(tmp_path_factory.mktemp("bench"))
    raw = made.folder / "raw"
    for name, version in (("data1", "1.0.0"), ("data2", "2.0.0")):
        raw.write_bytes(name.encode() * 4000)
        made.images[name] = made.folder / f"{name}.bin"
        ferry("sign", "-k", made.key, "-v", version, "-H", "512", "--pad-header", "-S",
              hex(DATA_SIZE), "--align", "8", raw, made.images[name], check=0)
    for version in ("2.0.0", "3.0.0"):
        for slot, address in (("slot0", PRIMARY), ("slot1", SECONDARY)):
            made.images[slot + version] = out = made.folder / f"{slot}-{version}.bin"
            lab.sign(made.key, version, lab.FIRMWARE / "app-v2.elf", out, "--rom-fixed", address)
    return made


def bundle(bench, name, *files):
    out = bench.folder / name
    ferry("bundle", "create", "-k", bench.key, out, *files, check=0)
    return out


def update(device, *arguments, code=0):
    done = ferry("update", *arguments, device=device.uri, timeout=120)
    assert done.returncode == code, f"{done.stdout}\n{done.stderr}\n{device.log()}"
    return done


def test_one_image(bench, tmp_path):
    path = bundle(bench, "one.zip", bench.images["v2"])
    with lab.Device(tmp_path / "device", bench) as device:
        done = update(device, "-k", bench.key, path)
        assert "v2.signed.bin: version 2.0.0" in done.stdout and "signature good" in done.stdout
        assert device.running()["version"] == "2.0.0"
        assert "nothing sent" in update(device, path).stdout


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["application-first", "application-last"])
def test_a_set_of_two(bench, tmp_path, order):
    """Both are started by one reset, and the application is asked for last, whatever the order in
    the bundle: a network core's update may be skipped else."""
    layout = json.loads(lab.layout("swap-shift"))
    layout["areas"] += [{"name": f"data{i}", "device": "internal",
                         "offset": hex(0xb0000 + i * DATA_SIZE), "size": DATA_SIZE} for i in (0, 1)]
    layout["images"].append({"primary": "data0", "secondary": "data1", "strategy": "swap-shift"})
    layout["set"] = True
    files = [f"0={bench.images['v2']}", f"1={bench.images['data2']}"]
    path = bundle(bench, "two.zip", *[files[i] for i in order])
    with lab.Device(tmp_path / "device", bench, layout=json.dumps(layout),
                    flash=[f"data0={bench.images['data1']}"]) as device:
        done = update(device, path)
        assert done.stderr.index("image 1\n") < done.stderr.index("image 0\n")
        for image in (0, 1):
            assert f"image {image}: done: version 2.0.0 runs and is confirmed" in done.stdout
        assert device.log().count("starting 2.0.0") == 1, device.log()
        listed = ferry_json("image", "list", device=device.uri)["images"]
        assert {(i["image"], i["version"], i["confirmed"]) for i in listed if i["active"]} == \
            {(0, "2.0.0", True), (1, "2.0.0", True)}


def test_the_file_for_the_slot_that_is_free(bench, tmp_path):
    paths = [bundle(bench, f"xip-{v}.zip", f"0:0={bench.images[f'slot0{v}']}",
                    f"0:1={bench.images[f'slot1{v}']}") for v in ("2.0.0", "3.0.0")]
    half = bundle(bench, "half.zip", f"0:1={bench.images['slot13.0.0']}")
    with lab.Device(tmp_path / "device", bench, layout=lab.layout("direct-xip")) as device:
        done = update(device, paths[0])
        assert "slot1-2.0.0.bin is for slot 1" in done.stderr
        running = device.running()
        assert (running["version"], running["slot"]) == ("2.0.0", 1)
        # What runs is a file of the bundle: there is nothing to do, not even for the other slot.
        assert "nothing sent" in update(device, paths[0]).stdout
        assert "no file for slot 0 of image 0" in update(device, half, code=6).stderr
        done = update(device, paths[1])
        assert "slot0-3.0.0.bin is for slot 0" in done.stderr
        running = device.running()
        assert (running["version"], running["slot"]) == ("3.0.0", 0)


def test_what_is_wrong_is_said_before_a_device_is_asked(bench, tmp_path):
    """The device is one that does not exist: exit code 3 is what comes after the checks."""
    def run(*arguments, code):
        done = ferry("update", *arguments, device=tmp_path / "no-device")
        assert done.returncode == code and "next:" in done.stderr, done.stderr
        return done.stderr
    good = bundle(bench, "good.zip", bench.images["v2"])
    run(good, code=3)
    run("-k", bench.key, good, code=3)
    other = tmp_path / "other.pem"
    ferry("keygen", "-t", "ecdsa-p256", "-o", other, check=0)
    assert "v2.signed.bin does not verify: no key" in run("-k", other, good, code=6)
    assert "leave -n out" in run("-n", "1", good, code=2)
    assert "give it alone" in run(f"0={good}", code=2)
    whole = good.read_bytes()
    bad = tmp_path / "bad.zip"
    bad.write_bytes(whole[:-40])
    assert "cut" in run(bad, code=6)
    data = bench.images["v2"].read_bytes()
    with zipfile.ZipFile(bad, "w") as z:
        z.writestr("a.bin", data)
        z.writestr("b.bin", data)
        z.writestr("manifest.json", json.dumps({"files": [
            {"file": "a.bin", "version_MCUBOOT": "9.0.0", "load_address": 1},
            {"file": "b.bin", "load_address": 2}]}))
    assert "is version 2.0.0, and the manifest says 9.0.0" in run(bad, code=6)
    bundle(bench, "five.zip", *[f"{i}={bench.images['v2']}" for i in range(5)])
    assert "more than 4 images" in run(bench.folder / "five.zip", code=6)
    with zipfile.ZipFile(bad, "w") as z:
        z.writestr("a.bin", data)
        z.writestr("b.bin", data)
        z.writestr("manifest.json", json.dumps({"files": [
            {"file": "a.bin", "load_address": 1}, {"file": "b.bin", "load_address": 2}]}))
    assert "no bootloader's builds" in run(bad, code=6)


def test_encrypted_images_are_the_devices_to_judge(bench, tmp_path):
    secret = tmp_path / "secret.pem"
    ferry("keygen", "-t", "x25519", "-o", secret, check=0)
    sealed = tmp_path / "sealed.bin"
    lab.sign(bench.key, "2.0.0", lab.FIRMWARE / "app-v2.elf", sealed, "-E", secret)
    path = bundle(bench, "sealed.zip", sealed)
    done = ferry("update", "-k", bench.key, path, device=tmp_path / "no-device")
    assert done.returncode == 3, done.stderr
