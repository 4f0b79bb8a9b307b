# SPDX-License-Identifier: Apache-2.0
"""Compressed images: made, verified down to the image inside, and refused by name by a device that
cannot unpack them."""
import hashlib
import lzma
import struct
import subprocess
import zipfile

import pytest

import lab
from lab import ferry, ferry_json, sign

WORDS = {"lzma2": "LZMA2", "lzma2armthumb": "LZMA2 (ARM Thumb filter)"}
# Words that repeat, and branches of Thumb code for the filter.
PAYLOAD = b"".join(struct.pack("<HHHH", i & 0xff, i * 3 & 0xfff, 0xf000, 0xf800 | i & 0xff) for i in range(1500))
DEVICE_REFUSES = "the image is compressed, and this bootloader has no decompressor"

SHA256, DECOMP_SIZE, DECOMP_SHA, DECOMP_SIGNATURE, COMP_DEC_SIZE = 0x10, 0x70, 0x71, 0x72, 0x73


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("compression")
    (made / "app.bin").write_bytes(PAYLOAD)
    for name, kind in (("sign", "ed25519"), ("other", "ed25519"), ("p256", "ecdsa-p256"), ("device", "x25519")):
        ferry("keygen", "-t", kind, "-o", made / f"{name}.pem", check=0)
    ferry("pubkey", "-k", made / "device.pem", "-o", made / "device.pub", check=0)
    return made


class Image:
    """An image taken to pieces, to be put together differently. Without a signature."""

    def __init__(self, data):
        self.header = bytearray(data[:0x200])
        self.flags, = struct.unpack_from("<I", data, 16)
        protected, size = struct.unpack_from("<HI", data, 10)
        self.payload = data[0x200:0x200 + size]
        area = data[0x200 + size + 4:0x200 + size + protected]
        self.tlvs = []
        while area:
            kind, length = struct.unpack_from("<HH", area)
            self.tlvs.append((kind, area[4:4 + length]))
            area = area[4 + length:]

    def set(self, kind, value):
        """Another value for a TLV; None leaves it out."""
        self.tlvs = [(k, value if k == kind else v) for k, v in self.tlvs if k != kind or value is not None]

    def build(self):
        area = b"".join(struct.pack("<HH", k, len(v)) + v for k, v in self.tlvs)
        area = struct.pack("<HH", 0x6908, len(area) + 4) + area if area else b""
        struct.pack_into("<HII", self.header, 10, len(area), len(self.payload), self.flags)
        body = bytes(self.header) + self.payload + area
        return body + struct.pack("<HHHH", 0x6907, 40, SHA256, 32) + hashlib.sha256(body).digest()


def unsigned(folder, tmp_path, *extra, compression="lzma2"):
    out = tmp_path / "unsigned.bin"
    ferry("sign", "-v", "1.2.3", "-H", "512", "--pad-header", "-S", "0x40000", "--compression", compression,
          *extra, folder / "app.bin", out, check=0)
    return Image(out.read_bytes())


def unpack(payload, thumb=False):
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 17}]
    return lzma.decompress(payload[2:], lzma.FORMAT_RAW, None, [{"id": lzma.FILTER_ARMTHUMB}] * thumb + filters)


@pytest.mark.parametrize("options", [(), ("--pure",), ("--sha", "512"), ("-s", "7", "--vid", "example.com"),
                                     ("--public-key-format", "full", "--non-bootable"), ("--pad", "--confirm")])
@pytest.mark.parametrize("compression", WORDS)
def test_compressed_image_and_the_one_inside(folder, tmp_path, compression, options):
    out = tmp_path / "image.bin"
    said = sign(folder / "sign.pem", "1.2.3", folder / "app.bin", out, "--compression", compression, *options)
    image = Image(out.read_bytes())
    packed = len(image.payload)
    assert packed < len(PAYLOAD) // 2 and unpack(image.payload, compression != "lzma2") == PAYLOAD
    sizes = f"compressed with {WORDS[compression]}: {len(PAYLOAD)} → {packed} bytes"
    assert sizes in said.stdout
    good = ferry("verify", "-k", folder / "sign.pem", out, check=0).stdout
    assert sizes + "; the uncompressed image is good" in good
    found = ferry_json("inspect", out)
    assert found["compression"] == WORDS[compression] and found["uncompressed"] == "good"
    assert (found["compressed_size"], found["uncompressed_size"]) == (packed, len(PAYLOAD))
    assert {"COMPRESSED_LZMA2"} | ({"COMPRESSED_ARM_THUMB"} if compression != "lzma2" else set()) <= set(found["flags"])
    # The image inside is the one that is made without compression.
    plain = tmp_path / "plain.bin"
    sign(folder / "sign.pem", "1.2.3", folder / "app.bin", plain, *options)
    digest = {t["name"]: t["data"] for t in found["tlvs"]}["DECOMP_SHA"]
    assert digest == ferry_json("verify", plain)["hash"]
    ferry("verify", "-k", folder / "other.pem", out, check=6)


def test_other_keys_and_a_random_signature(folder, tmp_path):
    out = tmp_path / "image.bin"
    sign(folder / "p256.pem", "1.2.3", folder / "app.bin", out, "--compression", "lzma2")
    ferry("verify", "-k", folder / "p256.pem", out, check=0)
    twice = ferry("sign", "-k", folder / "p256.pem", "-k", folder / "p256.pem", "-v", "1", "-H", "512",
                  "--pad-header", "-S", "0x40000", "--compression", "lzma2", folder / "app.bin", out, check=2)
    assert "one signature" in twice.stderr
    ferry("verify", "-k", folder / "p256.pem", out, check=0)  # what was there is still there


@pytest.mark.parametrize("options", [(), ("--encrypt-keylen", "256"), ("--clear",)])
def test_compressed_then_encrypted(folder, tmp_path, options):
    out = tmp_path / "image.bin"
    sign(folder / "sign.pem", "1.2.3", folder / "app.bin", out, "--compression", "lzma2armthumb", "-E",
         folder / "device.pub", *options)
    image = Image(out.read_bytes())
    assert len(image.payload) % 16 == 0 and COMP_DEC_SIZE in dict(image.tlvs)
    if "--clear" not in options:
        assert "-E KEY" in ferry("verify", out, check=6).stderr
        assert "uncompressed" not in ferry_json("inspect", out)
    good = ferry("verify", "-k", folder / "sign.pem", "-E", folder / "device.pem", out, check=0).stdout
    packed = struct.unpack("<I", dict(image.tlvs)[COMP_DEC_SIZE])[0]
    assert f"{len(PAYLOAD)} → {packed} bytes; the uncompressed image is good" in good


@pytest.mark.parametrize("encrypt", [False, True])
def test_what_does_not_get_smaller_stays_as_it_is(folder, tmp_path, encrypt):
    noise, out, plain = tmp_path / "noise.bin", tmp_path / "image.bin", tmp_path / "plain.bin"
    noise.write_bytes(b"".join(hashlib.sha256(bytes([i])).digest() for i in range(64)))
    extra = ["-E", folder / "device.pub"] if encrypt else []
    said = sign(folder / "sign.pem", "1.2.3", noise, out, "--compression", "lzma2", *extra)
    assert "not compressed" in said.stderr
    sign(folder / "sign.pem", "1.2.3", noise, plain, *extra)
    if encrypt:
        assert noise.read_bytes()[:64] not in out.read_bytes()
        assert len(out.read_bytes()) == len(plain.read_bytes())
        ferry("verify", "-k", folder / "sign.pem", "-E", folder / "device.pem", out, check=0)
    else:
        assert out.read_bytes() == plain.read_bytes()


def test_the_uncompressed_image_must_fit_too(folder, tmp_path):
    out = tmp_path / "image.bin"
    done = ferry("sign", "-k", folder / "sign.pem", "-v", "1.2.3", "-H", "512", "--pad-header", "-S", 13000,
                 "--compression", "lzma2", folder / "app.bin", out, check=6)
    assert "the uncompressed image is too large" in done.stderr and "next:" in done.stderr
    assert not out.exists()


def flip(data, at):
    return data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1:]


def u32(number):
    return struct.pack("<I", number)


# name: (what is done to the image, what is said of it)
WRONG = {
    "damaged stream": (lambda i: setattr(i, "payload", flip(i.payload, 2)), "damaged"),
    "damaged data": (lambda i: setattr(i, "payload", flip(i.payload, len(i.payload) // 2)), ""),
    "cut stream": (lambda i: setattr(i, "payload", i.payload[:-20]), "damaged, or ends early"),
    "no end": (lambda i: setattr(i, "payload", i.payload[:-1]), "damaged, or ends early"),
    "two bytes": (lambda i: setattr(i, "payload", i.payload[:2]), "damaged, or ends early"),
    "one byte": (lambda i: setattr(i, "payload", i.payload[:1]), "no properties"),
    "no dictionary": (lambda i: setattr(i, "payload", b"\x29" + i.payload[1:]), "no properties"),
    "no lc, lp, pb": (lambda i: setattr(i, "payload", i.payload[:1] + b"\xe1" + i.payload[2:]), "no properties"),
    "bytes behind": (lambda i: setattr(i, "payload", i.payload + b"\0"), "more bytes"),
    "too much": (lambda i: i.set(DECOMP_SIZE, u32(len(PAYLOAD) - 1)), "more than DECOMP_SIZE"),
    "too little": (lambda i: i.set(DECOMP_SIZE, u32(len(PAYLOAD) + 1)), "less than DECOMP_SIZE"),
    "nothing": (lambda i: i.set(DECOMP_SIZE, u32(0)), "more than DECOMP_SIZE"),
    "above 64 MiB": (lambda i: i.set(DECOMP_SIZE, u32(0xffffffff)), "above 64 MiB"),
    "no size": (lambda i: i.set(DECOMP_SIZE, None), "DECOMP_SIZE is missing"),
    "no digest": (lambda i: i.set(DECOMP_SHA, None), "DECOMP_SHA is missing"),
    "other digest": (lambda i: i.set(DECOMP_SHA, bytes(32)), "not DECOMP_SHA"),
    "two sizes": (lambda i: i.tlvs.append((DECOMP_SIZE, u32(1))), "twice"),
    "wrong COMP_DEC_SIZE": (lambda i: i.tlvs.append((COMP_DEC_SIZE, u32(12))), "COMP_DEC_SIZE is not"),
    "COMP_DEC_SIZE beyond": (lambda i: i.tlvs.append((COMP_DEC_SIZE, u32(0xfffffff0))), "COMP_DEC_SIZE is not"),
    "LZMA1": (lambda i: setattr(i, "flags", 0x200), "only LZMA2"),
    "filter alone": (lambda i: setattr(i, "flags", 0x800), "only LZMA2"),
    "other filter": (lambda i: setattr(i, "flags", i.flags ^ 0x800), "not DECOMP_SHA"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_inside_is_named(folder, tmp_path, name):
    change, words = WRONG[name]
    image, bad = unsigned(folder, tmp_path), tmp_path / "bad.bin"
    bad.write_bytes(image.build())
    ferry("verify", bad, check=0)
    change(image)
    bad.write_bytes(image.build())
    for command in ("verify", "inspect"):
        done = ferry(command, bad, check=6)
        assert words in done.stderr and "next:" in done.stderr, done.stderr
    found = ferry("--json", "inspect", bad, check=6).stdout
    assert '"digest":\t"good"' in found  # as it is stored
    # It is not sent either: there is no device.
    done = ferry("update", bad, device="serial:/nowhere/at/all", check=6)
    assert words in done.stderr


def test_in_a_bundle_both_images_count(folder, tmp_path):
    image, file, bundle = unsigned(folder, tmp_path), tmp_path / "app.bin", tmp_path / "app.zip"
    file.write_bytes(image.build())
    ferry("bundle", "create", bundle, file, check=0)
    ferry("bundle", "verify", bundle, check=0)
    image.set(DECOMP_SHA, bytes(32))
    file.write_bytes(image.build())
    with zipfile.ZipFile(bundle) as made:
        files = {i.filename: made.read(i) for i in made.infolist()}
    with zipfile.ZipFile(bundle, "w") as bad:
        for name, data in files.items():
            bad.writestr(name, image.build() if name != "manifest.json" else data)
    ferry("bundle", "verify", bundle, check=6)
    ferry("bundle", "create", tmp_path / "bad.zip", file, check=6)
    assert not (tmp_path / "bad.zip").exists()


def test_a_bomb_takes_no_more_than_it_says(folder, tmp_path):
    """Some KiB that unpack to 1 GiB."""
    image, bad = unsigned(folder, tmp_path), tmp_path / "bad.bin"
    packer = lzma.LZMACompressor(lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 17}])
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(1 << 10)) + packer.flush()
    image.payload = b"\x28" + image.payload[1:2] + bomb  # and a dictionary of 4 GiB
    image.set(DECOMP_SIZE, u32(64 << 20))
    bad.write_bytes(image.build())
    assert len(bad.read_bytes()) < 1 << 20
    assert "more than DECOMP_SIZE" in ferry("verify", bad, check=6).stderr


def test_signature_of_the_image_inside(folder, tmp_path):
    """What is stored is signed by the key; what is inside by nobody, or by somebody else."""
    out, bad = tmp_path / "image.bin", tmp_path / "bad.bin"
    sign(folder / "sign.pem", "1.2.3", folder / "app.bin", out, "--compression", "lzma2")
    signed = out.read_bytes()
    for value, words in ((bytes(64), "DECOMP_SIGNATURE is no signature"), (None, "DECOMP_SIGNATURE is missing")):
        image = Image(signed)
        image.set(DECOMP_SIGNATURE, value)
        body = image.build()[:-8 - 32]
        digest = hashlib.sha256(body).digest()
        (tmp_path / "digest").write_bytes(digest)
        subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", folder / "sign.pem", "-in",
                        tmp_path / "digest", "-out", tmp_path / "signature"], check=True, timeout=30,
                       stdin=subprocess.DEVNULL)
        old = signed[-(4 + 36 + 36 + 68):]  # its unprotected area: digest, key hash, signature
        bad.write_bytes(body + old[:8] + digest + old[40:80] + (tmp_path / "signature").read_bytes())
        ferry("verify", bad, check=0)  # without a key nothing is said of signatures
        for command in ("verify", "inspect"):
            assert words in ferry(command, "-k", folder / "sign.pem", bad, check=6).stderr


@pytest.fixture
def compressed(bench, tmp_path):
    """An update of the example firmware, compressed."""
    def make(*extra):
        out = tmp_path / "v2.bin"
        sign(bench.key, "2.0.0", lab.FIRMWARE / "app-v2.elf", out, "--compression", "lzma2armthumb", *extra)
        return out
    return make


def test_a_device_refuses_it_at_the_first_chunk(device, compressed):
    image = compressed()
    for command in (["update"], ["image", "upload"]):
        done = ferry(*command, image, device=device.uri, check=5)
        assert "warning" in done.stderr and "decompressor" in done.stderr
        assert "INVALID_IMAGE_HEADER" in done.stderr and "is it compressed?" in done.stderr
    listed = ferry_json("image", "list", device=device.uri)["images"]
    assert [i["version"] for i in listed] == ["1.0.0"]


def test_its_recovery_refuses_it_and_says_why(device, compressed):
    ferry("reset", "--recovery", device=device.uri, check=0)
    device.wait_for(r"recovery \(boot-mode\)")
    done = ferry("update", compressed(), device=device.uri)
    assert done.returncode in (5, 6) and DEVICE_REFUSES in done.stderr, done.stderr
    ferry("reset", device=device.uri, check=0)
    assert device.running()["version"] == "1.0.0"


def test_its_bootloader_refuses_it_and_says_why(device, compressed):
    """It came by other means: a debugger, or a server that knows nothing of it."""
    image = compressed("--pad")
    device.stop()
    device.reflash("secondary", image)
    dump = ferry("inspect", "--layout", device.folder / "layout.json", device.folder / "flash.bin", check=0).stdout
    assert "2.0.0, digest good" in dump and f"would be refused: {DEVICE_REFUSES}" in dump
    device.start()
    assert device.running()["version"] == "1.0.0"
    assert DEVICE_REFUSES in device.log()
    why = ferry("why", device=device.uri, check=0).stdout
    assert DEVICE_REFUSES in why and "2.0.0" in why and "sign it without --compression" in why
