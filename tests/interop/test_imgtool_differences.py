# SPDX-License-Identifier: Apache-2.0
"""Where `ferry sign` is not imgtool's: each difference with its reason, and both sides of it shown
with one command line. docs/INTEROP.md lists them."""
import base64
import pathlib
import struct

import pytest

import imgtool_cases
import lab
from imgtool_cases import Image
from test_imgtool_options import Files, batch, run_all

# 5660 bytes: header 512, payload 5008, TLV info 4, digest 36, ENC TLV of AES-256 100.
ENCRYPTED_SIZE = 5660
STATUS = 128 * 3  # of 128 sectors at --align 1


class Inputs(Files):
    """More files for command lines."""

    def app(self):
        return self.firmware(5000, 0)

    def text(self, name, data):
        path = self.folder / name
        path.write_bytes(data)
        return path

    def zeros(self):
        return self.text("zeros.sig", base64.b64encode(bytes(64)))

    def pure_signature(self):
        vector = self.folder / "pure.vector"
        lab.ferry("sign", *BASE, *SLOT, "--pure", "--fix-sig-pubkey", self.public("ed25519"),
                  "--vector-to-sign", "payload", self.app(), vector, check=0)
        signature = imgtool_cases.sign_outside(self.key("ed25519").read_bytes(), vector.read_bytes(), True)
        return self.text("pure.sig", base64.b64encode(signature))

    def image(self):
        path = self.folder / "image.bin"
        lab.ferry("sign", *BASE, *SLOT, self.app(), path, check=0)
        return path


BASE = ["-v", "1.2.3", "-H", "0x200", "--pad-header"]
SLOT = ["-S", "0x10000"]


class Made:
    """What one program did."""

    def __init__(self, code, text, path):
        self.code, self.text = code, text
        self.data = path.read_bytes() if path.exists() else None

    @property
    def refused(self):
        """With an exit code, and no file."""
        return self.code != 0 and self.data is None

    @property
    def image(self):
        assert self.code == 0, self.text
        return Image(self.data, False)

    @property
    def flags(self):
        return struct.unpack_from("<I", self.image.head, 16)[0]

    def has(self, kind):
        return any(kind == found for found, _ in self.image.tlvs)


# name in docs/INTEROP.md: (reason, options, input or None, imgtool's side, Ferry's side)
DIFFERENCES = {
    "AES-256 keys in the trailer": (
        "imgtool has room for two keys of 16 bytes, whatever the key's length; a swap overwrites the end",
        lambda f: ["-E", f.encrypt_public("x25519"), "--encrypt-keylen", "256", "-S",
                   ENCRYPTED_SIZE + STATUS + 2 * 16 + 32 + 16], None,
        lambda m: m.image.size == ENCRYPTED_SIZE,
        lambda m: m.refused and m.code == 6 and "too large" in m.text),
    "`--overwrite-only`": (
        "imgtool leaves no room for swap_info, which the request for a test writes",
        lambda f: ["--overwrite-only", "-S", 512 + 5000 + 40 + 32], None,
        lambda m: m.image.size == 5552, lambda m: m.refused and m.code == 6),
    "`-F 0`": (
        "the address 0 is taken for none: the image is not bound to its slot",
        lambda f: SLOT + ["-F", "0"], None, lambda m: m.flags == 0, lambda m: m.flags == 0x100),
    "`-L 0`": (
        "the address 0 is taken for none: the image is not loaded",
        lambda f: SLOT + ["-L", "0"], None, lambda m: m.flags == 0, lambda m: m.flags == 0x20),
    "`--sha` that the key does not take": (
        "both refuse it; imgtool's text has the name of a variable",
        lambda f: SLOT + ["-k", f.key("ecdsa-p256"), "--sha", "512"], None,
        lambda m: m.refused and "{allowed}" in m.text,
        lambda m: m.refused and "does not sign images with sha512" in m.text),
    "`--fix-sig` of something else": (
        "imgtool does not verify it: the device finds out",
        lambda f: SLOT + ["--fix-sig", f.zeros(), "--fix-sig-pubkey", f.public("ed25519")], None,
        lambda m: m.has(0x24), lambda m: m.refused and m.code == 6),
    "`--fix-sig` with `--pure`": (
        "imgtool wants the private key as --fix-sig-pubkey, which the HSM keeps",
        lambda f: SLOT + ["--pure", "--fix-sig", f.pure_signature(), "--fix-sig-pubkey",
                          f.public("ed25519")], None,
        lambda m: m.refused and "allowed hash" in m.text, lambda m: m.has(0x25) and m.has(0x24)),
    "`--fix-sig` of a P-256 key with `--sha 512`": (
        "imgtool takes SHA-512 for a public P-256 key only; the bootloader does not",
        lambda f: SLOT + ["--sha", "512", "--fix-sig", f.zeros(), "--fix-sig-pubkey",
                          f.public("ecdsa-p256")], None,
        lambda m: m.has(0x12) and m.has(0x22),
        lambda m: m.refused and "does not sign images with sha512" in m.text),
    "`--fix-sig-pubkey` alone": (
        "imgtool ignores it: the image is not signed",
        lambda f: SLOT + ["--fix-sig-pubkey", f.public("ed25519")], None,
        lambda m: not m.has(0x24), lambda m: m.refused and "--fix-sig FILE" in m.text),
    "`--vector-to-sign` with `--pad`": (
        "imgtool fills the slot with it, trailer and all: nobody can sign that",
        lambda f: SLOT + ["--vector-to-sign", "digest", "--pad"], None,
        lambda m: len(m.data) == 0x10000, lambda m: m.code == 0 and len(m.data) == 32),
    "`--vector-to-sign digest` with `--pure`": (
        "it is not the digest that is signed then",
        lambda f: SLOT + ["--vector-to-sign", "digest", "--pure"], None,
        lambda m: len(m.data) == 32, lambda m: m.refused and "payload" in m.text),
    "`--pure`, and 64 bytes or less": (
        "its signature might be one of a digest: Ferry's bootloader refuses it",
        lambda f: SLOT + ["-H", "32", "--pure", "-k", f.key("ed25519")], lambda f: f.firmware(32, 0),
        lambda m: m.has(0x25), lambda m: m.refused and "too short" in m.text),
    "`--pure` and no key": (
        "imgtool writes SIG_PURE, and no signature",
        lambda f: SLOT + ["--pure"], None, lambda m: m.has(0x25) and not m.has(0x24),
        lambda m: m.refused and "nothing signs" in m.text),
    "`--sig-out` and no signature": (
        "imgtool writes the image, then fails",
        lambda f: SLOT + ["--sig-out", f.folder / "none.sig"], None,
        lambda m: m.code != 0 and m.data is not None, lambda m: m.refused and m.code == 2),
    "`--sig-out` that cannot be written": (
        "imgtool leaves the image without the signature; Ferry writes both or none",
        lambda f: SLOT + ["-k", f.key("ed25519"), "--sig-out", "/dev/full"], None,
        lambda m: m.code != 0 and m.data is not None, lambda m: m.refused and m.code == 1),
    "`--max-align` below `--align`": (
        "no bootloader can be built so",
        lambda f: SLOT + ["--align", "32", "--max-align", "8"], None,
        lambda m: m.code == 0, lambda m: m.refused and "raise --max-align" in m.text),
    "encrypting for another type of key": (
        "imgtool wants the types of signing and encryption to be one; the bootloader does not",
        lambda f: SLOT + ["-k", f.key("ecdsa-p256"), "-E", f.encrypt_public("x25519")], None,
        lambda m: m.refused and "same" in m.text, lambda m: m.has(0x22) and m.has(0x33)),
    "encrypting for Ed25519 or P-384": (
        "imgtool encrypts, and throws the key away: nobody can read the image",
        lambda f: SLOT + ["-E", f.public("ed25519")], None,
        lambda m: m.flags == 4 and len(m.image.tlvs) == 1 and m.image.payload[:5000] !=
        imgtool_firmware(5000), lambda m: m.refused),
    "encrypted, and not smaller": (
        "an image that compression does not make smaller is flagged as encrypted, and is not",
        lambda f: SLOT + ["-E", f.encrypt_public("x25519"), "--compression", "lzma2"], None,
        lambda m: m.flags == 4 and not m.has(0x33) and m.image.payload == imgtool_firmware(5000),
        lambda m: m.flags == 4 and m.has(0x33) and m.image.payload[:5000] != imgtool_firmware(5000)),
    "`--non-bootable`, compressed": (
        "imgtool loses the flag",
        lambda f: SLOT + ["--non-bootable", "--compression", "lzma2"],
        lambda f: f.firmware(5000, 0, True),
        lambda m: m.flags == 0x400, lambda m: m.flags == 0x410),
    "a signature made outside, compressed": (
        "such an image has two signatures; imgtool takes one for both, which no bootloader accepts",
        lambda f: SLOT + ["--vector-to-sign", "digest", "--compression", "lzma2"],
        lambda f: f.firmware(5000, 0, True),
        lambda m: len(m.data) == 32, lambda m: m.refused and "two signatures" in m.text),
    "an input that is an image": (
        "it would be wrapped twice",
        lambda f: SLOT, lambda f: f.image(),
        lambda m: m.code == 0, lambda m: m.refused and "already" in m.text),
    "an empty input": (
        "nothing was built",
        lambda f: SLOT, lambda f: f.text("empty.bin", b""),
        lambda m: m.code == 0, lambda m: m.refused and "empty" in m.text),
    "`-S 0` with `--pad`": (
        "imgtool puts the trailer right behind the image, where no bootloader looks",
        lambda f: ["-S", "0", "--pad"], None,
        lambda m: len(m.data) == 5552 + STATUS + 32 + 16, lambda m: m.refused and "-S" in m.text),
    "`-M 0`": (
        "a trailer without sectors", lambda f: SLOT + ["-M", "0"], None,
        lambda m: m.code == 0, lambda m: m.refused and "from 1" in m.text),
    "more behind `-d`": (
        "imgtool takes what it understands, and no notice of the rest",
        lambda f: SLOT + ["-d", "(1,1.0.0) and more"], None,
        lambda m: m.code == 0 and len(m.image.protected) == 20,
        lambda m: m.refused and "--dependencies" in m.text),
    "more than 16 dependencies": (
        "a device has no more images",
        lambda f: SLOT + ["-d", ",".join(f"({n},1.0)" for n in range(17))], None,
        lambda m: len(m.image.protected) == 4 + 17 * 16, lambda m: m.refused),
    "`-v 1+4`": (
        "a build number without a revision is clear",
        lambda f: SLOT + ["-v", "1+4"], None,
        lambda m: m.refused, lambda m: m.image.head[20:28] == bytes([1, 0, 0, 0, 4, 0, 0, 0])),
    "several `-k`": (
        "imgtool signs with the last; with Ferry each key signs",
        lambda f: SLOT + ["-k", f.key("ed25519"), "-k", f.key("rsa-2048")], None,
        lambda m: m.has(0x20) and not m.has(0x24), lambda m: m.has(0x20) and m.has(0x24)),
}


def imgtool_firmware(size):
    return imgtool_firmware.files.firmware(size, 0).read_bytes()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Every difference, run by both: name -> (imgtool's, Ferry's)."""
    files = Inputs(tmp_path_factory.mktemp("differences"))
    imgtool_firmware.files = files
    lines = []
    for options, source in ((row[1], row[2]) for row in DIFFERENCES.values()):
        words = ["sign", *BASE, *options(files), source(files) if source else files.app()]
        lines.append(words)
    theirs = [files.folder / f"{n}.theirs" for n in range(len(lines))]
    ours = [files.folder / f"{n}.ours" for n in range(len(lines))]
    codes = batch([["imgtool", *words, out] for words, out in zip(lines, theirs)])
    done = run_all([[*words, out] for words, out in zip(lines, ours)])
    return {name: (Made(*codes[n], theirs[n]),
                   Made(done[n].returncode, done[n].stdout + done[n].stderr, ours[n]))
            for n, name in enumerate(DIFFERENCES)}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_difference(made, name):
    reason, _, _, theirs, ours = DIFFERENCES[name]
    for whose, shown, what in (("imgtool", theirs, made[name][0]), ("ferry", ours, made[name][1])):
        assert shown(what), f"{whose}, {name} ({reason}): exit {what.code}\n{what.text}"


def test_the_document_lists_them():
    text = (pathlib.Path(__file__).resolve().parents[2] / "docs/INTEROP.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    for name in DIFFERENCES:
        assert any(row.startswith(f"| {name} |") for row in rows), name


def test_padded_signatures(made, tmp_path):
    """`--pad-sig` is for MCUboot before 1.5. Ferry's bootloader takes one encoding of a signature."""
    files = imgtool_firmware.files
    for number in range(8):
        out = tmp_path / f"{number}"
        lab.ferry("sign", *BASE, *SLOT, "-s", number, "-k", files.key("ecdsa-p256"), "--pad-sig",
                  files.app(), out, check=0)
        value = Image(out.read_bytes(), False).tlvs[-1][1]
        whole = value[1] + 2 == len(value)
        lab.ferry("verify", "-k", files.key("ecdsa-p256"), out, check=0 if whole else 6)
    assert [code for code, _ in batch([["imgtool", "verify", "-k", files.key("ecdsa-p256"),
                                        tmp_path / f"{n}"] for n in range(8)])] == [0] * 8
