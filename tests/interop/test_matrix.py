# SPDX-License-Identifier: Apache-2.0
"""Every signature scheme x form of key x digest x encryption, with the real imgtool: what it signs
is verified by both crypto ports, and bits of it that are changed are refused; what ferry signs alike
passes `imgtool verify`; and each scheme updates a whole device."""
import base64
import json
import pathlib
import subprocess
import types
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, Optional

import pytest

import lab
from conftest import PEERS, ROOT, peer
from lab import ferry, ferry_json

VERIFY = [ROOT / "build/host/tests/matrix_verify", ROOT / "build/host/tests/matrix_verify_chip"]


class Scheme(NamedTuple):
    key: str
    options: tuple = ()
    digest: int = 32

    def __str__(self):
        return "".join((self.key, *self.options)).replace("--", "-")


class Encryption(NamedTuple):
    """every: how many bits apart those are that are flipped. test_encrypted_kinds flips them all;
    here it is to be seen that imgtool's images are no others."""
    key: str = ""
    bits: str = "128"
    options: tuple = ()
    every: int = 61

    def __str__(self):
        return "".join((self.key or "plain", self.bits if self.key else "", *self.options))


SCHEMES = [Scheme("rsa-2048"), Scheme("rsa-3072"), Scheme("ecdsa-p256"),
           Scheme("ecdsa-p384", (), 48), Scheme("ed25519"),
           Scheme("ed25519", ("--sha", "512"), 64), Scheme("ed25519", ("--pure",), 64)]
FORMS = ["hash", "full"]
PLAIN = Encryption(every=1)
ENCRYPTIONS = [PLAIN] + [
    Encryption(key, bits, options, 499 if key == "rsa-2048" else 61) for bits in ("128", "256")
    for key, options in (("rsa-2048", ()), ("ecdsa-p256", ()), ("x25519", ()),
                         ("x25519", ("--hmac-sha", "512")))]


def imgtool_makes(scheme, encryption):
    """It encrypts for the type of key it signs with, but for Ed25519, which goes with all."""
    kind = scheme.key[:3]
    return kind == "ed2" or not encryption.key or (kind == encryption.key[:3] and
                                                   scheme.key != "ecdsa-p384")


class Image(NamedTuple):
    theirs: Optional[pathlib.Path]  # None where imgtool makes no such image
    ours: pathlib.Path
    verified: str  # what imgtool says of ours


def batch(commands):
    """Run commands of the peers' programs; all must succeed. What each printed."""
    words = json.dumps([[str(w) for w in c] for c in commands])
    done = subprocess.run([PEERS / "venv/bin/python", pathlib.Path(__file__).parent / "batch.py"],
                          input=words, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    for command, (code, text) in zip(commands, results):
        assert code == 0, f"{command}\n{text}"
    return [text for _, text in results]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Keys of imgtool's making: to sign NAME.pem and NAME.der, its public half; to encrypt for
    enc-NAME.pem, enc-NAME.pub, and enc-NAME.der, all of it."""
    folder = tmp_path_factory.mktemp("matrix")
    (folder / "app.bin").write_bytes(bytes(i * 31 & 0xff for i in range(40)))
    pairs = {(s.key, s.key) for s in SCHEMES}
    pairs |= {(f"enc-{e.key}", e.key) for e in ENCRYPTIONS if e.key}
    batch([["imgtool", "keygen", "-k", folder / f"{name}.pem", "-t", kind] for name, kind in pairs])
    batch([["imgtool", "getpub", "-k", folder / f"{name}.pem", "-e", form, "-o",
            folder / f"{name}.{end}"]
           for name, _ in pairs
           for form, end in ([("pem", "pub")] if name.startswith("enc-") else [("raw", "der")])])
    for key in folder.glob("enc-*.pem"):
        lines = key.read_text().split("\n")
        key.with_suffix(".der").write_bytes(base64.b64decode("".join(lines[1:-2])))
    return folder


def arguments(folder, scheme, form, encryption):
    """Protected TLVs are in it as well: their bits must count."""
    extra = ["-E", folder / f"enc-{encryption.key}.pub", "--encrypt-keylen", encryption.bits,
             *encryption.options] if encryption.key else []
    return ["sign", "-k", folder / f"{scheme.key}.pem", "-v", "1.2.3+4", "-H", "36", "--pad-header",
            "-S", "0x10000", "--align", "8", "--public-key-format", form, *scheme.options, "-s", "7",
            "--custom-tlv", "0xa0", "0x0123", *extra, folder / "app.bin"]


@pytest.fixture(scope="module")
def images(folder):
    """{(scheme, encryption, form): Image}, all of the matrix."""
    cells = [(s, e, f) for s in SCHEMES for e in ENCRYPTIONS for f in FORMS]

    def path(cell, end):
        return folder / ("-".join(map(str, cell)) + end)
    batch([["imgtool", *arguments(folder, s, f, e), path((s, e, f), ".theirs")] for s, e, f in cells
           if imgtool_makes(s, e)])
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda c: ferry(*arguments(folder, c[0], c[2], c[1]), path(c, ".ours"), check=0),
                      cells))
    batch([["decrypt", folder / f"enc-{e.key}.pem", path((s, e, f), ".ours"),
            path((s, e, f), ".plain")] for s, e, f in cells if e.key])
    texts = batch([["imgtool", "verify", "-k", folder / f"{s.key}.pem",
                    path((s, e, f), ".plain" if e.key else ".ours")] for s, e, f in cells])
    return {c: Image(path(c, ".theirs") if imgtool_makes(*c[:2]) else None, path(c, ".ours"), t)
            for c, t in zip(cells, texts)}


def matrix(test):
    test = pytest.mark.parametrize("scheme", SCHEMES, ids=str)(test)
    return pytest.mark.parametrize("encryption", ENCRYPTIONS, ids=str)(test)


@matrix
def test_what_imgtool_signs_verifies_and_every_bit_counts(folder, images, scheme, encryption):
    """Where imgtool makes no such image, Ferry's own takes its place."""
    secret = folder / f"enc-{encryption.key}.der" if encryption.key else "-"
    cells = [images[scheme, encryption, form] for form in FORMS]
    signed = [image.theirs or image.ours for image in cells]

    def flip(work):
        program, image = work
        return subprocess.run([program, folder / f"{scheme.key}.der", secret, str(encryption.every),
                               image], text=True, capture_output=True, timeout=300,
                              stdin=subprocess.DEVNULL)
    with ThreadPoolExecutor() as pool:
        for done in pool.map(flip, [(p, i) for p in VERIFY for i in signed]):
            assert done.returncode == 0 and "bits refused" in done.stdout, done.stdout + done.stderr
    opened = ["-E", folder / f"enc-{encryption.key}.pem"] if encryption.key else []
    for image in signed:
        result = ferry_json("verify", "-k", folder / f"{scheme.key}.pem", *opened, image)
        assert result["version"] == "1.2.3.4" and len(result["hash"]) == 2 * scheme.digest


@matrix
def test_what_ferry_signs_passes_imgtool_verify(images, scheme, encryption):
    for form in FORMS:
        image = images[scheme, encryption, form]
        assert "correctly validated" in image.verified and "1.2.3+4" in image.verified
        if encryption == PLAIN:  # nothing random but the signature
            a, b = image.ours.read_bytes(), image.theirs.read_bytes()
            fixed = 36 + 40 + int.from_bytes(b[10:12], "little")
            assert a[:fixed + 2] == b[:fixed + 2]
            assert a[fixed + 4:fixed + 8 + scheme.digest] == b[fixed + 4:fixed + 8 + scheme.digest]
            assert scheme.key != "ed25519" or a == b


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
def test_each_scheme_updates_a_device(tmp_path, folder, scheme):
    """Signed by imgtool: programmed at the factory, then an update over SMP, whose hashes are as
    long as the digest."""
    made = {}
    for version in ("1.0.0", "2.0.0"):
        made[version] = tmp_path / f"{version}.bin"
        peer("imgtool", "sign", "-k", folder / f"{scheme.key}.pem", "-v", version, "-H", "0x200",
             "--pad-header", "-S", hex(lab.SLOT_SIZE), "--align", "8", *scheme.options,
             lab.FIRMWARE / f"app-v{version[0]}.elf", made[version])
    bench = types.SimpleNamespace(key=folder / f"{scheme.key}.pem", images={"v1": made["1.0.0"]})
    with lab.Device(tmp_path / "device", bench) as device:
        device.wait_for(r"app 1\.0\.0")
        ferry("update", made["2.0.0"], "-k", bench.key, device=device.uri, check=0)
        listed = ferry_json("image", "list", device=device.uri)["images"][0]
        assert listed["version"] == "2.0.0" and len(listed["hash"]) == 2 * scheme.digest
