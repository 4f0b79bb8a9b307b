# SPDX-License-Identifier: Apache-2.0
"""`ferry verify` beside imgtool's: both accept and both refuse, over keys of every type, private and
public, and images of every shape, whole and damaged. Ferry's exit code of a refusal is 6, imgtool's 1."""
import json
import random

import pytest

from lab import ferry
from test_imgtool_dumpinfo import KEYS, peers

SHAPES = {"plain": [], "padded": ["--pad"], "protected": ["-s", "7", "-d", "(1,1.2.3+4)"],
          "full-key": ["--public-key-format", "full"]}
DAMAGE = {"none": None, "payload": 700, "header": 24, "signature": -3, "magic": 0}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("verify")
    (folder / "app.raw").write_bytes(random.Random(6).randbytes(2999))
    for kind in KEYS:
        for name in (kind, f"other-{kind}"):
            ferry("keygen", "-t", kind, "-o", folder / f"{name}.pem", check=0)
            ferry("pubkey", "-k", folder / f"{name}.pem", "-o", folder / f"{name}.pub", check=0)
    return folder


def sign(folder, name, *options, keys=()):
    out = folder / f"{name}.bin"
    words = [word for key in keys for word in ("-k", folder / f"{key}.pem")]
    ferry("sign", *words, "-v", "1.2.3+4", "-H", "512", "--pad-header", "-S", "0x8000", *options,
          folder / "app.raw", out, check=0)
    return out


def compare(cases):
    """cases: (key or None, image). Both say yes, or both no."""
    answers = peers([["verify", *(["-k", key] if key else []), image] for key, image in cases])
    good = 0
    for (key, image), (code, said) in zip(cases, answers):
        done = ferry("verify", *(["-k", key] if key else []), image)
        assert done.returncode in (0, 6), done.stderr
        assert (done.returncode == 0) == (code == 0), f"{key} {image}\n{said}\n{done.stdout}{done.stderr}"
        good += code == 0
    return good


@pytest.mark.parametrize("kind", KEYS)
def test_both_say_the_same(folder, kind):
    cases = []
    for shape, options in SHAPES.items():
        whole = sign(folder, f"{kind}-{shape}", *options, keys=[kind])
        end = int.from_bytes(whole.read_bytes()[12:16], "little")
        assert end == 2999
        for damage, at in DAMAGE.items():
            image = folder / f"{kind}-{shape}-{damage}.bin"
            data = bytearray(whole.read_bytes())
            if at is not None:
                data[at if at >= 0 else find_end(data) + at] ^= 0x10
            image.write_bytes(data)
            keys = [None, folder / f"{kind}.pem", folder / f"{kind}.pub", folder / f"other-{kind}.pub"]
            cases += [(key, image) for key in keys]
    good = compare(cases)
    # Whole: without a key and with both halves of it; a damaged signature is seen with a key only.
    assert good == len(SHAPES) * (3 + 1)


def find_end(data):
    """Where the TLVs of an image end."""
    at = 512 + 2999
    if data[at:at + 2] == b"\x08\x69":
        at += int.from_bytes(data[at + 2:at + 4], "little")
    return at + int.from_bytes(data[at + 2:at + 4], "little")


def test_keys_of_another_type(folder):
    images = [folder / f"{kind}.one.bin" for kind in KEYS]
    for kind, image in zip(KEYS, images):
        sign(folder, f"{kind}.one", keys=[kind])
    good = compare([(folder / f"{kind}.pub", image) for kind in KEYS for image in images])
    assert good == len(KEYS)


def test_several_signatures_pure_ones_and_none(folder):
    two = sign(folder, "two", keys=["ecdsa-p256", "rsa-2048"])
    pure = sign(folder, "pure", "--pure", keys=["ed25519"])
    bare = sign(folder, "bare")
    cases = [(folder / f"{key}.pub", image) for image in (two, pure, bare)
             for key in ("ecdsa-p256", "rsa-2048", "other-rsa-2048", "ed25519", "other-ed25519")]
    cases += [(None, two), (None, bare)]
    assert compare(cases) == 3 + 2


def test_der_keys_and_hex_files(folder):
    """What imgtool cannot do, or does by the file's name."""
    image = sign(folder, "der", keys=["ecdsa-p256"])
    der = folder / "key.der"
    ferry("pubkey", "-k", folder / "ecdsa-p256.pem", "-e", "raw", "-o", der, check=0)
    ferry("verify", "-k", der, image, check=0)
    hexed = folder / "hexed.hex"
    ferry("sign", "-k", folder / "ecdsa-p256.pem", "-v", "1.2.3+4", "-H", "512", "--pad-header", "-S",
          "0x8000", "-x", "0x10000", folder / "app.raw", hexed, check=0)
    assert compare([(folder / "ecdsa-p256.pub", hexed), (folder / "other-ecdsa-p256.pub", hexed)]) == 1


def test_several_files(folder):
    one, two = (sign(folder, f"several-{i}", keys=["ed25519"]) for i in "ab")
    done = ferry("verify", "-k", folder / "ed25519.pub", one, two, check=0)
    assert done.stdout.count("signature good") == 2
    (folder / "bad.bin").write_bytes(one.read_bytes()[:1000])
    done = ferry("verify", "-k", folder / "ed25519.pub", one, folder / "bad.bin", two, check=6)
    assert done.stdout.count("signature good") == 2 and "bad.bin" in done.stderr
    done = ferry("--json", "verify", "-k", folder / "ed25519.pub", one, folder / "bad.bin", check=6)
    good, bad = json.loads(done.stdout)["images"]
    assert good["signature"] == "ed25519" and "exit" not in good
    assert bad == {"file": str(folder / "bad.bin"), "exit": 6} and "next:" in done.stderr
