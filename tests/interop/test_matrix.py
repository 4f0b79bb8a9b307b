# SPDX-License-Identifier: Apache-2.0
"""Every signature scheme x form of key x digest x encryption, with the real imgtool: what it signs
is verified by both crypto ports, every single bit of it counts, and what ferry signs alike passes
`imgtool verify`; and each scheme updates a whole device."""
import functools
import pathlib
import subprocess
import types
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, Optional

import pytest

import lab
from conftest import ROOT, peer
from lab import ferry, ferry_json

VERIFY = [ROOT / "build/host/tests/matrix_verify", ROOT / "build/host/tests/matrix_verify_chip"]


class Scheme(NamedTuple):
    key: str
    options: tuple = ()
    digest: int = 32


SCHEMES = [Scheme("rsa-2048"), Scheme("rsa-3072"), Scheme("ecdsa-p256"),
           Scheme("ecdsa-p384", (), 48), Scheme("ed25519"),
           Scheme("ed25519", ("--sha", "512"), 64), Scheme("ed25519", ("--pure",), 64)]
FORMS = ["hash", "full"]


class Encryption(NamedTuple):
    """How an image is encrypted: options of sign, for both programs."""
    name: str
    options: tuple = ()


# A further dimension of the matrix: whoever can decrypt adds the ways to encrypt.
ENCRYPTIONS: list[Optional[Encryption]] = [None]


def name(scheme):
    return "".join((scheme.key, *scheme.options)).replace("--", "-")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Keys of imgtool's making, their public halves as DER, and a payload that is soon verified."""
    folder = tmp_path_factory.mktemp("matrix")
    (folder / "app.bin").write_bytes(bytes(i * 31 & 0xff for i in range(40)))

    def make(kind):
        peer("imgtool", "keygen", "-k", folder / f"{kind}.pem", "-t", kind)
        peer("imgtool", "getpub", "-k", folder / f"{kind}.pem", "-e", "raw", "-o",
             folder / f"{kind}.der")
    with ThreadPoolExecutor() as pool:
        list(pool.map(make, {s.key for s in SCHEMES}))
    return folder


def arguments(folder, scheme, form, encryption):
    """Protected TLVs are in it as well: their bits must count."""
    extra = encryption.options if encryption else ()
    return ["-k", folder / f"{scheme.key}.pem", "-v", "1.2.3+4", "-H", "36", "--pad-header", "-S",
            "0x10000", "--align", "8", "--public-key-format", form, *scheme.options, "-s", "7",
            "--custom-tlv", "0xa0", "0x0123", *extra, folder / "app.bin"]


@functools.lru_cache
def signed(folder, scheme, encryption):
    """{form: (by imgtool, by ferry)}; made once."""
    images = {}
    for form in FORMS:
        base = folder / f"{name(scheme)}-{form}-{encryption.name if encryption else 'plain'}"
        images[form] = (pathlib.Path(f"{base}.imgtool"), pathlib.Path(f"{base}.ferry"))
        peer("imgtool", "sign", *arguments(folder, scheme, form, encryption), images[form][0])
        ferry("sign", *arguments(folder, scheme, form, encryption), images[form][1], check=0)
    return images


cells = [pytest.mark.parametrize("scheme", SCHEMES, ids=name),
         pytest.mark.parametrize("encryption", ENCRYPTIONS,
                                 ids=lambda e: e.name if e else "plain")]


def matrix(test):
    for cell in cells:
        test = cell(test)
    return test


@matrix
def test_what_imgtool_signs_verifies_and_every_bit_of_it_counts(folder, scheme, encryption):
    images = [pair[0] for pair in signed(folder, scheme, encryption).values()]
    def flip(work):
        program, image = work
        return subprocess.run([program, folder / f"{scheme.key}.der", image], text=True,
                              capture_output=True, timeout=300, stdin=subprocess.DEVNULL)
    with ThreadPoolExecutor() as pool:
        for done in pool.map(flip, [(p, i) for p in VERIFY for i in images]):
            assert done.returncode == 0 and "bits refused" in done.stdout, done.stdout + done.stderr
    for image in images:
        result = ferry_json("verify", "-k", folder / f"{scheme.key}.pem", image)
        assert result["version"] == "1.2.3.4" and len(result["hash"]) == 2 * scheme.digest


@matrix
def test_what_ferry_signs_passes_imgtool_verify(folder, scheme, encryption):
    for theirs, ours in signed(folder, scheme, encryption).values():
        text = peer("imgtool", "verify", "-k", folder / f"{scheme.key}.pem", ours).stdout
        assert "correctly validated" in text and "1.2.3+4" in text
        if encryption is None:  # nothing random but the signature
            fixed = 36 + 40 + len(protected(theirs))
            a, b = ours.read_bytes(), theirs.read_bytes()
            assert a[:fixed + 2] == b[:fixed + 2]
            assert a[fixed + 4:fixed + 8 + scheme.digest] == b[fixed + 4:fixed + 8 + scheme.digest]
            if scheme.key == "ed25519":
                assert a == b


def protected(image):
    data = image.read_bytes()
    return data[76:76 + int.from_bytes(data[10:12], "little")]


@pytest.mark.parametrize("scheme", SCHEMES, ids=name)
def test_each_scheme_updates_a_device(tmp_path, folder, scheme):
    """Signed by imgtool: programmed at the factory, then an update over SMP, whose hashes are as
    long as the digest."""
    images = {}
    for version in ("1.0.0", "2.0.0"):
        images[version] = tmp_path / f"{version}.bin"
        peer("imgtool", "sign", "-k", folder / f"{scheme.key}.pem", "-v", version, "-H", "0x200",
             "--pad-header", "-S", hex(lab.SLOT_SIZE), "--align", "8", *scheme.options,
             lab.FIRMWARE / f"app-v{version[0]}.elf", images[version])
    bench = types.SimpleNamespace(key=folder / f"{scheme.key}.pem", images={"v1": images["1.0.0"]})
    with lab.Device(tmp_path / "device", bench) as device:
        device.wait_for(r"app 1\.0\.0")
        ferry("update", images["2.0.0"], "-k", bench.key, device=device.uri, check=0)
        listed = ferry_json("image", "list", device=device.uri)["images"][0]
        assert listed["version"] == "2.0.0" and len(listed["hash"]) == 2 * scheme.digest
