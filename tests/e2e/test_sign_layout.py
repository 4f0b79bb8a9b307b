# SPDX-License-Identifier: Apache-2.0
"""`ferry sign --layout`: what the layout says need not be given, what contradicts it is an error,
and what its device could not install is refused."""
import json
import os

import pytest
from lab import RAM_ADDRESS, Device, ferry, ferry_json, layout

STRATEGIES = ("swap-scratch", "swap-move", "swap-offset", "swap-shift", "overwrite", "direct-xip",
              "direct-xip-revert", "ram-load", "ram-load-revert", "single-slot")


class Signer:
    def __init__(self, key, folder):
        self.key, self.folder = key, folder
        self.out = folder / "out.bin"

    def layout(self, text, change=None):
        fields = json.loads(text)
        if change is not None:
            change(fields)
        path = self.folder / "layout.json"
        path.write_text(json.dumps(fields))
        return path

    def sign(self, path, *options, size=1000, check=0, json_output=False):
        source = self.folder / "in.bin"
        source.write_bytes(os.urandom(size))
        self.out.unlink(missing_ok=True)
        done = ferry(*(["--json"] if json_output else []), "sign", "-k", self.key, "-v", "1.0.0",
                     "--pad-header", *(["--layout", path] if path else []), *options, source,
                     self.out, check=check)
        assert self.out.exists() == (check == 0)
        return done


@pytest.fixture
def signer(bench, tmp_path):
    return Signer(bench.key, tmp_path)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_signer_says_the_same_number(strategy, signer):
    """As `ferry layout`, which a device of each strategy says too (test_layout.py)."""
    path = signer.layout(layout(strategy))
    limit = ferry_json("layout", path)["images"][0]["limit"]
    signed = json.loads(signer.sign(path, json_output=True).stdout)
    assert signed["slot_room"] == limit
    around = signed["size"] - 1000
    signer.sign(path, size=limit - around - 2)
    done = signer.sign(path, size=limit - around + 3, check=6)
    assert f"{strategy} takes {limit}" in done.stderr and "of its slot" in done.stderr


def test_the_largest_image_is_installed(signer, tmp_path, bench):
    """What was signed at the limit is not refused anywhere on its way."""
    path = signer.layout(layout("swap-move"))
    limit = ferry_json("layout", path)["images"][0]["limit"]
    signer.sign(path, size=limit - 200)
    with Device(tmp_path / "dev", bench, layout=path.read_text()) as device:
        device.running()
        ferry("image", "upload", signer.out, device=device.uri, check=0)


def test_what_the_layout_says_need_not_be_given(signer):
    def change(fields):
        fields["flash"][0].update(write_size=16, erased_value=0)
        fields.update(max_align=16, max_sectors=64)

    path = signer.layout(layout("swap-move"), change)
    signer.sign(path, "--pad")
    by_layout = signer.out.read_bytes()
    assert len(by_layout) == 0x40000 and by_layout[0x30000:0x30010] == bytes(16)
    signer.sign(None, "--pad", "-S", "0x40000", "--align", "16", "--max-align", "16", "-M", "64",
                "-R", "0")
    assert signer.out.read_bytes()[0x30000:] == by_layout[0x30000:]


def test_images_of_ram_are_linked_to_it(signer):
    signer.sign(signer.layout(layout("ram-load")))
    assert ferry_json("inspect", signer.out)["load_addr"] == RAM_ADDRESS
    path = signer.layout(layout("ram-load"))
    signer.sign(path, "--load-addr", hex(RAM_ADDRESS + 0x3ff00), check=6)
    signer.sign(path, "--rom-fixed", "0x30000", check=6)


def test_each_image_of_a_layout_has_slots_of_its_own(signer):
    def change(fields):
        fields["flash"][0]["sectors"] = [{"count": 512, "size": "4K"}]
        fields["areas"] += [{"name": n, "device": "internal", "offset": o, "size": "64K"}
                            for n, o in (("p1", "0xc0000"), ("s1", "0xe0000"))]
        fields["images"].append({"primary": "p1", "secondary": "s1", "strategy": "swap-offset"})

    path = signer.layout(layout("swap-move"), change)
    signer.sign(path, size=100000)
    done = signer.sign(path, "--image", "1", size=100000, check=6)
    assert "swap-offset takes 57344" in done.stderr
    assert "has 2" in signer.sign(path, "--image", "2", check=2).stderr
    assert "--layout" in signer.sign(None, "-S", "64000", "--image", "1", check=2).stderr


@pytest.mark.parametrize("options", [
    ("-S", "0x50000"), ("-S", "0x20000"), ("-S", "0"), ("--align", "4"), ("--align", "16"),
    ("--max-align", "16"), ("-M", "64"), ("-R", "0"), ("--overwrite-only",), ("-e", "big"),
])
def test_what_contradicts_the_layout_is_an_error(signer, options):
    path = signer.layout(layout("swap-move"))
    done = signer.sign(path, *options, check=2)
    assert "layout" in done.stderr


def test_what_agrees_with_the_layout_is_not(signer):
    path = signer.layout(layout("swap-move"))
    signer.sign(path, "-S", "0x40000", "--align", "8", "--max-align", "8", "-M", "128", "-R", "0xff")
    signer.sign(signer.layout(layout("overwrite")), "--overwrite-only")
    signer.sign(signer.layout(layout("direct-xip")), "--rom-fixed", "0x70000")
    signer.sign(signer.layout(layout("direct-xip")), "--rom-fixed", "0x50000", check=6)


def test_a_slot_that_is_filled_must_be_known(signer):
    path = signer.layout(layout("overwrite", external=True),
                         lambda f: f["areas"][4].update(size="320K"))
    signer.sign(path)
    assert "-S" in signer.sign(path, "--pad", check=2).stderr
    assert "-R" in signer.sign(path, "--pad", "-S", "0x50000", check=2).stderr
    signer.sign(path, "--pad", "-S", "0x50000", "-R", "0")
    assert signer.out.stat().st_size == 0x50000


def test_encrypted_images_need_a_device_that_decrypts(signer, tmp_path):
    key = tmp_path / "enc.pem"
    ferry("keygen", "-t", "x25519", "-o", key, check=0)
    plain = signer.layout(layout("swap-move"))
    assert "does not decrypt" in signer.sign(plain, "-E", key, check=6).stderr

    def change(fields):
        fields["areas"].append({"name": "secrets", "device": "internal", "offset": "0x2d000",
                                "size": "4K"})
        fields["enc_tlv"] = 80

    path = signer.layout(layout("swap-move"), change)
    signer.sign(path, "-E", key)
    done = signer.sign(path, "-E", key, "--encrypt-keylen", "256", check=6)
    assert "96 bytes, and the trailers keep 80" in done.stderr
    signer.sign(signer.layout(layout("direct-xip"), change), "-E", key, check=6)
    signer.sign(signer.layout(layout("overwrite"), change), "-E", key, "--encrypt-keylen", "256")


def test_compressed_images_are_refused(signer):
    path = signer.layout(layout("swap-move"))
    source = signer.folder / "zeroes.bin"
    source.write_bytes(bytes(50000))
    done = ferry("sign", "-k", signer.key, "-v", "1.0.0", "--pad-header", "--layout", path,
                 "--compression", "lzma2", source, signer.out, check=6)
    assert "unpacks nothing" in done.stderr and not signer.out.exists()


def test_layouts_that_cannot_be_read(signer, tmp_path):
    signer.sign(tmp_path / "missing.json", check=1)
    bad = tmp_path / "bad.json"
    bad.write_text('{"flash": []}')
    assert "no usable layout" in signer.sign(bad, check=2).stderr
