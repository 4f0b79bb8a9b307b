# SPDX-License-Identifier: Apache-2.0
"""Bundles (dfu_application.zip): what `ferry bundle create` writes Python reads; what is written in
the shapes of Nordic's build, and in worse ones, `ferry bundle` reads or refuses."""
import io
import json
import struct
import subprocess
import zipfile

import pytest

import lab
from lab import ferry, ferry_json

SLOT = "0x40000"


class Images:
    """Signed images by name: two versions of an application, of a network core, and a pair."""

    def __init__(self, folder):
        self.folder = folder
        self.key, self.other = folder / "key.pem", folder / "other.pem"
        for key in (self.key, self.other):
            ferry("keygen", "-t", "ed25519", "-o", key, check=0)
        self.make("app", "1.2.3+4", size=5000)
        self.make("net", "2.0.0", size=3000)
        self.make("needy", "3.0.0", "-d", "(1,2.0.0)")
        self.make("needs_more", "3.0.0", "-d", "(1,2.1.0)")
        self.make("slot0", "4.0.0", "-F", "0x10000")
        self.make("slot1", "4.0.0", "-F", "0x50000")
        self.make("foreign", "1.0.0", key=self.other)

    def make(self, name, version, *options, size=400, key=None):
        raw = self.folder / "raw"
        raw.write_bytes(bytes(i * 31 + len(name) & 0xff for i in range(size)))
        ferry("sign", "-k", key or self.key, "-v", version, "-H", "512", "--pad-header", "-S", SLOT,
              *options, raw, self[name], check=0)

    def __getitem__(self, name):
        return self.folder / f"{name}.bin"

    def read(self, name):
        return self[name].read_bytes()


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return Images(tmp_path_factory.mktemp("images"))


def entry(name, data, **fields):
    """A file's entry as Nordic's build writes it: numbers are texts but for these."""
    return {"type": "application", "board": "nrf5340dk/nrf5340/cpuapp", "soc": "nrf5340",
            "load_address": 0xc200, "image_index": "0", "slot_index_primary": "1",
            "slot_index_secondary": "2", "version_MCUBOOT": "1.2.3+4", "size": len(data),
            "file": name, "modtime": 1700000000, **fields}


def write(path, files, entries, method=zipfile.ZIP_STORED, manifest=None, **fields):
    """A bundle with files, and a manifest of entries, or any bytes as the manifest."""
    text = manifest
    if text is None:
        text = json.dumps({"format-version": 1, "time": 1700000000, "files": entries, **fields},
                          indent=4).encode()
    with zipfile.ZipFile(path, "w", method) as z:
        for name, data in files:
            z.writestr(name, data)
        z.writestr("manifest.json", text)
    return path


# ---- create ---------------------------------------------------------------------------------------


def test_python_reads_what_is_created(images, tmp_path):
    out = tmp_path / "out.zip"
    done = ferry("bundle", "create", "-k", images.key, "-n", "An update", "--board", "dk/cpuapp",
                 "--board", "1=dk/cpunet", "--soc", "nrf5340", out, f"1={images['net']}",
                 images["needy"], check=0)
    assert "2 files in install order, An update" in done.stdout and "note" not in done.stderr
    with zipfile.ZipFile(out) as z:
        assert z.testzip() is None
        assert z.namelist() == ["manifest.json", "net.bin", "needy.bin"]
        assert all(i.compress_type == zipfile.ZIP_DEFLATED and i.date_time == (1980, 1, 1, 0, 0, 0)
                   and i.flag_bits & 9 == 0 for i in z.infolist())
        for name in ("net", "needy"):
            assert z.read(f"{name}.bin") == images.read(name)
        manifest = json.loads(z.read("manifest.json"))
    first, second = manifest.pop("files")
    assert manifest == {"format-version": 1, "time": 315532800, "name": "An update"}
    assert first == {"type": "application", "board": "dk/cpunet", "soc": "nrf5340",
                     "image_index": "1", "slot_index_primary": "3", "slot_index_secondary": "4",
                     "version_MCUBOOT": "2.0.0+0", "size": len(images.read("net")),
                     "file": "net.bin", "modtime": 315532800}
    assert (second["board"], second["image_index"], second["slot_index_secondary"]) == \
        ("dk/cpuapp", "0", "2")
    # And Ferry reads it.
    result = ferry_json("bundle", "verify", "-k", images.key, out)
    assert result["verified"] and result["problems"] == [] and result["notes"] == []
    assert [(f["order"], f["image"], f["file"]) for f in result["files"]] == \
        [(1, 1, "net.bin"), (2, 0, "needy.bin")]


def test_the_same_input_gives_the_same_bytes(images, tmp_path):
    for name in ("a", "b"):
        ferry("bundle", "create", tmp_path / name, images["app"], check=0)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    env = {"SOURCE_DATE_EPOCH": "1700000001", "TZ": "Asia/Tokyo"}
    for name in ("c", "d"):
        ferry("bundle", "create", tmp_path / name, images["app"], check=0, env=env)
    assert (tmp_path / "c").read_bytes() == (tmp_path / "d").read_bytes()
    with zipfile.ZipFile(tmp_path / "c") as z:
        assert z.infolist()[0].date_time == (2023, 11, 14, 22, 13, 20)
        assert json.loads(z.read("manifest.json"))["time"] == 1700000001
    done = ferry("bundle", "create", tmp_path / "e", images["app"], check=2,
                 env={"SOURCE_DATE_EPOCH": "soon"})
    assert "SOURCE_DATE_EPOCH" in done.stderr and not (tmp_path / "e").exists()


def test_a_pair_for_the_slots_of_direct_xip(images, tmp_path):
    out = tmp_path / "out.zip"
    ferry("bundle", "create", out, f"0:0={images['slot0']}", f"0:1={images['slot1']}", check=0)
    with zipfile.ZipFile(out) as z:
        files = json.loads(z.read("manifest.json"))["files"]
    assert [(f["slot"], f["load_address"], f["version_MCUBOOT+XIP"]) for f in files] == \
        [("0", 0x10000, "4.0.0+0"), ("1", 0x50000, "4.0.0+0")]
    assert all("slot_index_primary" not in f and "version_MCUBOOT" not in f for f in files)
    listed = ferry_json("bundle", "list", out)["files"]
    assert [(f["image"], f["slot"], f["load_address"]) for f in listed] == \
        [(0, 0, 0x10000), (0, 1, 0x50000)]
    ferry("bundle", "verify", "-k", images.key, out, check=0)


def test_two_builds_of_a_bootloader(images, tmp_path):
    """For S0 and S1: their fw_info says for which address each is."""
    raw, key = tmp_path / "raw", tmp_path / "b0.pem"
    raw.write_bytes(bytes(2000))
    ferry("keygen", "-t", "ecdsa-p256", "-o", key, check=0)
    for name, address in (("s0", "0x8000"), ("s1", "0x14000")):
        ferry("b0", "sign", "-k", key, "-v", "2", "-a", address, "--pad", raw,
              tmp_path / "signed", check=0)
        ferry("sign", "-k", images.key, "-v", "0.0.2", "-H", "512", "--pad-header", "-S", SLOT,
              tmp_path / "signed", tmp_path / name, check=0)
    out = tmp_path / "out.zip"
    ferry("bundle", "create", out, tmp_path / "s0", tmp_path / "s1", check=0)
    files = ferry_json("bundle", "verify", out)["files"]
    assert [(f["type"], f["load_address"], f["file"]) for f in files] == \
        [("mcuboot", 0x8000, "s0.bin"), ("mcuboot", 0x14000, "s1.bin")]


def test_names_are_those_that_the_phone_apps_can_find(images, tmp_path):
    def names(*files):
        result = json.loads(ferry("--json", "bundle", "create", tmp_path / "out.zip", *files,
                                  check=0).stdout)
        return [f["file"] for f in result["files"]]
    for path in ("a/zephyr.signed.bin", "b/zephyr.signed.bin", "my app (1)", "network.bin",
                 ".hidden", "x" * 200):
        at = tmp_path / path
        at.parent.mkdir(exist_ok=True)
        at.write_bytes(images.read("app"))
    assert names(tmp_path / "my app (1)") == ["my_app__1_.bin"]
    assert names(tmp_path / ".hidden") == ["_hidden.bin"]
    assert names(tmp_path / ("x" * 200)) == ["x" * 90 + ".bin"]
    assert names(f"1={tmp_path}/a/zephyr.signed.bin", f"0={tmp_path}/b/zephyr.signed.bin") == \
        ["image-1-zephyr.signed.bin", "image-0-zephyr.signed.bin"]
    # A name inside another: an app that searches for the first would find the second.
    (tmp_path / "work.bin").write_bytes(images.read("net"))
    assert names(f"0={tmp_path}/work.bin", f"1={tmp_path}/network.bin") == \
        ["image-0-work.bin", "image-1-network.bin"]


def test_pipes(images, tmp_path):
    done = subprocess.run([lab.FERRY, "bundle", "create", "-", "-"], input=images.read("app"),
                          capture_output=True, timeout=60)
    assert done.returncode == 0 and b"1 file in install order" in done.stderr
    with zipfile.ZipFile(io.BytesIO(done.stdout)) as z:
        assert z.read("image.bin") == images.read("app")
    back = subprocess.run([lab.FERRY, "bundle", "verify", "-k", images.key, "-"],
                          input=done.stdout, capture_output=True, timeout=60)
    assert back.returncode == 0 and b"signatures good" in back.stdout


@pytest.mark.parametrize("arguments,code,said", [
    ([], 2, "needs OUT"),
    (["0={app}", "0={net}"], 2, "both for image 0"),
    (["{app}", "{net}"], 2, "both for image 0"),
    (["{slot0}", "{slot1}"], 2, "0:0=FILE 0:1=FILE"),
    (["0:0={slot0}", "0={slot1}"], 2, "both for image 0"),
    (["0:1={slot0}", "0:1={slot1}"], 2, "both for image 0"),
    (["{folder}/nothing"], 1, "cannot read"),
    (["{key}"], 6, "no usable image"),
    (["-k", "{key}", "{foreign}"], 6, "does not verify"),
    (["-k", "{app}", "{app}"], 1, ""),
    (["0={needs_more}", "1={net}"], 6, "needs image 1 in version 2.1.0"),
    (["{app}"] * 17, 2, "1 to 16"),
    (["256={app}"], 2, "0 to 255"),
    (["0:2={app}"], 2, "0 or 1"),
    (["0:={app}"], 2, "0 or 1"),
    (["0:1"], 2, "0 or 1"),
    (["0="], 1, "cannot read"),
], ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else None)
def test_what_is_no_set_of_images_makes_no_bundle(images, tmp_path, arguments, code, said):
    words = {name: images[name] for name in ("app", "net", "slot0", "slot1", "foreign", "needs_more")}
    filled = [a.format(key=images.key, folder=images.folder, **words) for a in arguments]
    out = tmp_path / "out.zip"
    out.write_bytes(b"the old one")
    done = ferry("bundle", "create", out, *filled, check=code)
    assert said in done.stderr and "next:" in done.stderr
    assert out.read_bytes() == b"the old one" and list(tmp_path.iterdir()) == [out]


def test_a_damaged_image_makes_no_bundle(images, tmp_path):
    bad = tmp_path / "bad.bin"
    bad.write_bytes(images.read("app").replace(bytes([7, 38]), bytes([7, 39]), 1))
    assert bad.read_bytes() != images.read("app")
    done = ferry("bundle", "create", tmp_path / "out.zip", bad, check=6)
    assert "digest" in done.stderr and not (tmp_path / "out.zip").exists()


def test_what_a_device_must_have_already_is_said(images, tmp_path):
    done = ferry("bundle", "create", tmp_path / "out.zip", images["needy"], check=0)
    assert "needs image 1 in version 2.0.0: the device must have it" in done.stderr


def test_a_full_disk(images):
    done = ferry("bundle", "create", "/dev/full", images["app"], check=1)
    assert "cannot write" in done.stderr and "next:" in done.stderr


def test_extract(images, tmp_path):
    path, folder = tmp_path / "b.zip", tmp_path / "folder"
    ferry("bundle", "create", path, f"1={images['net']}", images["app"], check=0)
    done = ferry("bundle", "extract", path, folder, check=1)
    assert "no folder" in done.stderr
    folder.mkdir()
    ferry("bundle", "extract", path, folder, check=0)
    assert sorted(p.name for p in folder.iterdir()) == ["app.bin", "manifest.json", "net.bin"]
    assert (folder / "app.bin").read_bytes() == images.read("app")
    # Nothing is written over, not even what a link leads to, and nothing is left behind.
    for name in ("app.bin", "manifest.json"):
        (folder / name).unlink()
    (folder / "net.bin").unlink()
    (folder / "net.bin").symlink_to(tmp_path / "elsewhere")
    done = ferry("bundle", "extract", path, folder, check=1)
    assert "exists already" in done.stderr and [p.name for p in folder.iterdir()] == ["net.bin"]
    assert not (tmp_path / "elsewhere").exists()
    (folder / "net.bin").unlink()
    whole = path.read_bytes()
    at = whole.index(b"app.bin") + 200
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
    assert "damaged" in ferry("bundle", "extract", path, folder, check=6).stderr
    assert not list(folder.iterdir())


# ---- What Nordic's build writes -------------------------------------------------------------------


def test_a_single_image_of_an_old_build(images, tmp_path):
    data = images.read("app")
    fields = entry("app_update.bin", data)
    for key in ("image_index", "slot_index_primary", "slot_index_secondary"):
        del fields[key]
    path = write(tmp_path / "b.zip", [("app_update.bin", data)], [fields],
                 **{"format-version": 0, "firmware": {"zephyr": {"revision": "abc"}}})
    result = ferry_json("bundle", "verify", "-k", images.key, path)
    assert result["files"][0]["image"] == 0 and result["files"][0]["version"] == "1.2.3.4"
    assert result["format_version"] == 0 and result["notes"] == []


def test_two_images_of_an_nrf5340(images, tmp_path):
    app, net = images.read("app"), images.read("net")
    net_entry = entry("ipc_radio.bin", net, image_index="1", slot_index_primary="3",
                      slot_index_secondary="4", board="nrf5340dk/nrf5340/cpunet", version="1")
    del net_entry["version_MCUBOOT"]
    path = write(tmp_path / "b.zip", [("app.signed.bin", app), ("ipc_radio.bin", net)],
                 [entry("app.signed.bin", app), net_entry], name="peripheral")
    done = ferry("bundle", "verify", "-k", images.key, path, check=0)
    assert "2 files in install order, peripheral, made 2023-11-14 22:13 UTC" in done.stdout
    listed = ferry_json("bundle", "list", path)["files"]
    assert [(f["image"], f["board"][-6:], f["version"]) for f in listed] == \
        [(0, "cpuapp", "1.2.3.4"), (1, "cpunet", "2.0.0")]


@pytest.mark.parametrize("slots", [("0", "1"), (0, 1), ("2", "3")], ids=str)
def test_a_pair_of_direct_xip(images, tmp_path, slots):
    """Of image 1 the slots are numbered 0 and 1, or 2 and 3."""
    names = ("app.signed.bin", "mcuboot_secondary_app.signed.bin")
    data = [images.read("slot0"), images.read("slot1")]
    entries = []
    for name, image, slot in zip(names, data, slots):
        fields = entry(name, image, image_index="1", slot=slot, **{"version_MCUBOOT+XIP": "4.0.0+0"})
        for key in ("version_MCUBOOT", "slot_index_primary", "slot_index_secondary"):
            del fields[key]
        entries.append(fields)
    path = write(tmp_path / "b.zip", zip(names, data), entries)
    files = ferry_json("bundle", "verify", "-k", images.key, path)["files"]
    assert [f["slot"] for f in files] == [0, 1]


def test_tolerance(images, tmp_path):
    """Keys nobody knows, numbers and texts exchanged, none of what is optional, a byte order mark,
    bare hexadecimal, deflated, data descriptors, another file beside."""
    data = images.read("app")
    text = ('\ufeff{ "files" : [ { "file":"a \\"b\\" 0x12.bin", "load_address":0x0000C200, '
            '"image_index":1, "image": 5, "size": "%d", "version_MCUBOOT":"1.2.3.4", "new":'
            '{"deep":[1,2,{}]}, "soc": null, "board": 7, "version": 2 } ], "time": "soon" }\n'
            % len(data)).encode()
    stream = io.BytesIO()
    pipe = type("Pipe", (), {"write": lambda self, b: stream.write(b), "flush": lambda self: None})
    with zipfile.ZipFile(pipe(), "w", zipfile.ZIP_DEFLATED) as z:  # cannot seek: data descriptors
        z.writestr("README.txt", "hello")
        z.writestr("manifest.json", text)
        z.writestr('a "b" 0x12.bin', data)
        assert all(i.flag_bits & 8 for i in z.infolist())
    path = tmp_path / "b.zip"
    path.write_bytes(stream.getvalue())
    result = ferry_json("bundle", "verify", "-k", images.key, path)
    assert result["files"] == [{"order": 1, "image": 1, "file": 'a "b" 0x12.bin', "state": "image",
                                "size": len(data), "version": "1.2.3.4",
                                "hash": result["files"][0]["hash"], "type": "", "board": "7",
                                "soc": "", "load_address": 0xc200}]
    assert result["notes"] == ["README.txt is there and not named by the manifest"]
    assert "format_version" not in result and "time" not in result


# ---- What does not verify -------------------------------------------------------------------------


def problems(path, *options):
    done = ferry("bundle", "verify", *options, path, check=6)
    assert "does not verify" in done.stderr and "next:" in done.stderr
    told = json.loads(ferry("--json", "bundle", "verify", *options, path, check=6).stdout)
    assert told["verified"] is False and told["error"]["exit"] == 6
    assert told["error"]["why"] == told["problems"][0]
    for problem in told["problems"]:
        assert f"why:  {problem}" in done.stderr
    return told["problems"]


@pytest.mark.parametrize("fields,said", [
    ({"size": 9}, "has 5644 bytes, and the manifest says 9"),
    ({"version_MCUBOOT": "1.2.3+5"}, "is version 1.2.3.4, and the manifest says 1.2.3+5"),
    ({"version_MCUBOOT": "1.2.3"}, "is version 1.2.3.4, and the manifest says 1.2.3"),
    ({"version_MCUBOOT": "new"}, "the manifest's version 'new' is none"),
    ({"file": "other.bin"}, "other.bin is named by the manifest and not there"),
], ids=lambda value: None)
def test_a_manifest_that_is_not_of_its_files(images, tmp_path, fields, said):
    data = images.read("app")
    said = said.replace("5644", str(len(data)))
    path = write(tmp_path / "b.zip", [("app.bin", data)], [entry("app.bin", data, **fields)])
    found = problems(path)
    assert len(found) == 1 and said in found[0]
    ferry("bundle", "list", path, check=0)


def test_all_that_is_wrong_is_said(images, tmp_path):
    app, net, foreign = (images.read(name) for name in ("app", "net", "foreign"))
    bad = bytearray(net)
    bad[600] ^= 1
    entries = [entry("app.bin", app), entry("again.bin", app), entry("app.bin", app),
               entry("bad.bin", bad, image_index=1, version_MCUBOOT="2.0.0"),
               entry("foreign.bin", foreign, image_index=2, version_MCUBOOT="1.0.0"),
               entry("text.bin", b"hello", image_index=3),
               entry("needy.bin", images.read("needs_more"), image_index=4,
                     version_MCUBOOT="3.0.0")]
    path = write(tmp_path / "b.zip", [("app.bin", app), ("again.bin", app), ("bad.bin", bad),
                                      ("foreign.bin", foreign), ("text.bin", b"hello"),
                                      ("needy.bin", images.read("needs_more"))], entries)
    found = problems(path, "-k", images.key)
    expected = ["app.bin and again.bin are both for image 0", "app.bin is named twice",
                "bad.bin does not verify: the digest", "foreign.bin does not verify: no key",
                "text.bin is no image", "needy.bin needs image 1 in version 2.1.0, and bad.bin is"]
    assert len(found) == len(expected), found
    assert all(any(e in f for f in found) for e in expected), found
    states = [f["state"] for f in ferry_json("bundle", "list", path)["files"]]
    assert states == ["image", "image", "no image", "image", "image", "no image", "image"]


def test_bytes_that_changed_in_the_archive(images, tmp_path):
    data = images.read("app")
    path = write(tmp_path / "b.zip", [("app.bin", data)], [entry("app.bin", data)])
    whole = path.read_bytes()
    at = whole.index(data) + 700
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
    assert problems(path) == ["app.bin is damaged: its checksum is wrong"]
    assert ferry_json("bundle", "list", path)["files"][0]["state"] == "damaged"
    at = whole.index(b'"time": 17') + 9
    path.write_bytes(whole[:at] + b"8" + whole[at + 1:])
    done = ferry("bundle", "verify", path, check=6)
    assert "the manifest of" in done.stderr and "damaged" in done.stderr


def test_encrypted_images(images, tmp_path):
    secret, other = tmp_path / "secret.pem", tmp_path / "wrong.pem"
    for key in (secret, other):
        ferry("keygen", "-t", "x25519", "-o", key, check=0)
    images.make("sealed", "1.0.0", "-E", secret)
    out = tmp_path / "out.zip"
    done = ferry("bundle", "create", "-k", images.key, out, images["sealed"], check=0)
    assert "is encrypted: its digest is left to the device" in done.stderr
    done = ferry("bundle", "create", "-k", images.other, tmp_path / "no.zip", images["sealed"],
                 check=6)
    assert "signature" in done.stderr
    ferry("bundle", "verify", "-k", images.key, "-E", secret, out, check=0)
    assert "no key is given that decrypts it" in problems(out, "-k", images.key)[0]
    assert "is not decrypted by" in problems(out, "-k", images.key, "-E", other)[0]
    ferry("bundle", "verify", "-E", tmp_path / "nothing", out, check=1)


# ---- Hostile input --------------------------------------------------------------------------------


def refused(path, said):
    for command in ("list", "verify"):
        done = ferry("bundle", command, path, check=6)
        assert said in done.stderr and "next:" in done.stderr, done.stderr
        error = json.loads(ferry("--json", "bundle", command, path, check=6).stdout)["error"]
        assert error["exit"] == 6


@pytest.mark.parametrize("manifest,said", [
    (b"", "no JSON"),
    (b"{", "no JSON from byte 1"),
    (b"[]", "no JSON object"),
    (b"{} {}", "no JSON"),
    (b'{"files": {}}', 'no list of "files"'),
    (b'{"files": []}', 'no list of "files"'),
    (b'{"files": [1]}', "is no object"),
    (b'{"files": [{"size": 1}]}', 'no "file"'),
    (b'{"files": [{"file": 0.5, "size": -1}]}', "is no number"),
    (b'{"files": [{"file": "a", "image_index": "x"}]}', "is no number"),
    (b'{"files": [{"file": "a", "image_index": 256}]}', "is no number"),
    (b'{"files": [{"file": "a", "image_index": 1e300}]}', "is no number"),
    (b'{"files": [{"file": "a", "load_address": "0x1ffffffff"}]}', "is no number"),
    (b'{"files": [{"file": "a"}], "x": "\xff"}', "no UTF-8"),
    (b'{"files": [{"file": "\xed\xa0\x80"}]}', "no UTF-8"),
    (b'{"files": [{"file": "a"}]}\0', "no UTF-8"),
    (b"[" * 100000, "no JSON"),
    (b'{"files": [' + b",".join([b'{"file": "a"}'] * 17) + b"]}", "more than 16"),
    (b'{"files": [{"file": "a"}]}' + b" " * (256 << 10), "more than 256 KiB"),
], ids=lambda value: "bytes" if isinstance(value, bytes) else "why")
def test_manifests_that_are_none(tmp_path, manifest, said):
    refused(write(tmp_path / "b.zip", [("a", b"x")], [], manifest=manifest), said)


def test_what_a_manifest_says_does_no_harm_to_a_terminal(images, tmp_path):
    data = images.read("app")
    path = write(tmp_path / "b.zip", [("app.bin", data)],
                 [entry("app.bin", data, board="\x1b[2J\x07", type="a\nb")], name="\x1b]0;x\x07")
    done = ferry("bundle", "list", path, check=0)
    assert "\x1b" not in done.stdout and "\x07" not in done.stdout and ".[2J." in done.stdout
    assert len(done.stdout.splitlines()) == 4


@pytest.mark.parametrize("name", ["../app.bin", "/app.bin", "a/app.bin", "..\\app.bin", "c:app.bin",
                                  ".app.bin", "app\x1b.bin", "äpp.bin", "x" * 128, "folder/"])
def test_names_that_go_elsewhere(tmp_path, name):
    path = write(tmp_path / "b.zip", [(name, b"x")], [entry(name, b"x")])
    refused(path, "a name in it")
    assert [p.name for p in tmp_path.iterdir()] == ["b.zip"]


def test_archives_that_are_none(images, tmp_path):
    data = images.read("app")
    path = write(tmp_path / "b.zip", [("app.bin", data)], [entry("app.bin", data)])
    whole = path.read_bytes()
    for bytes_, said in ((b"", "no zip archive"), (data, "no zip archive"),
                         (whole[:-30], "cut"), (whole[:200], "cut"), (b"PK\3\4", "cut"),
                         (b"PK\5\6" + bytes(18), "empty")):
        path.write_bytes(bytes_)
        refused(path, said)
    ferry("bundle", "list", tmp_path / "nothing", check=1)
    ferry("bundle", "list", tmp_path, check=1)
    ferry("bundle", "list", check=2)
    ferry("bundle", "verify", path, path, check=2)


def test_every_cut_of_a_bundle_is_refused(images, tmp_path):
    data = images.read("net")
    path = write(tmp_path / "b.zip", [("net.bin", data)], [entry("net.bin", data)])
    whole = path.read_bytes()
    for end in range(0, len(whole) - 1, 97):
        path.write_bytes(whole[:end])
        ferry("bundle", "verify", path, check=6)


def test_the_same_name_twice(images, tmp_path):
    data = images.read("app")
    path = tmp_path / "b.zip"
    with pytest.warns(UserWarning):
        write(path, [("app.bin", data), ("app.bin", b"other")], [entry("app.bin", data)])
    refused(path, "two files in it are called app.bin")


def patch(path, offset_in_local, offset_in_central, form, value):
    """Overwrite a field of the first file in both of its headers."""
    whole = bytearray(path.read_bytes())
    struct.pack_into(form, whole, offset_in_local, value)
    struct.pack_into(form, whole, whole.index(b"PK\1\2") + offset_in_central, value)
    path.write_bytes(whole)


def test_passwords_and_other_methods(images, tmp_path):
    data = images.read("app")
    for field, value, said in (((6, 8), 1, "encrypted with a password"),
                               ((8, 10), 12, "compressed by method 12")):
        path = write(tmp_path / "b.zip", [("app.bin", data)], [entry("app.bin", data)])
        patch(path, *field, "<H", value)
        refused(path, said)


def test_bombs(images, tmp_path):
    """What would unpack to more than a bundle may have is not unpacked."""
    path = tmp_path / "b.zip"
    zeros = bytes(65 << 20)
    write(path, [("app.bin", zeros)], [entry("app.bin", zeros)], zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 100_000
    refused(path, "app.bin in it has 68157440 bytes")
    zeros = zeros[:50 << 20]
    write(path, [(f"{i}.bin", zeros) for i in range(3)], [entry("0.bin", zeros)],
          zipfile.ZIP_DEFLATED)
    refused(path, "2.bin in it has 52428800 bytes; a file may have 64 MiB, and all 128 MiB")
    # One that says it is small unpacks to what it says, and is damaged.
    write(path, [("app.bin", zeros)], [entry("app.bin", bytes(1000))], zipfile.ZIP_DEFLATED)
    patch(path, 22, 24, "<I", 1000)
    assert problems(path) == ["app.bin is damaged: its checksum is wrong"]
    write(path, [(f"{i}", b"") for i in range(70)], [entry("0", b"")])
    refused(path, "more than 64 files")
