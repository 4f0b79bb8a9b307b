# SPDX-License-Identifier: Apache-2.0
"""`ferry dumpinfo` beside the real imgtool's, over images of every shape: JSON and YAML are equal byte
for byte, and the text has the same facts."""
import json
import random
import re
import subprocess
import sys

import pytest

import lab
from conftest import PEERS
from lab import ferry

UUID = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
KEYS = ["rsa-2048", "rsa-3072", "ecdsa-p256", "ecdsa-p384", "ed25519"]
# Options of `ferry sign`; the name is the file's, and some of them need quotes in YAML.
SHAPES = {
    "plain.bin": [],
    "protected.bin": ["-s", "7", "-d", "(1,1.2.3+4)(2,0.0.1)", "--boot-record", "SW", "--vid", UUID,
                      "--cid", UUID, "--custom-tlv", "0xa0", "0x1122", "--custom-tlv", "0x00bb", "text"],
    "padded.bin": ["--pad"],
    "confirmed.bin": ["--confirm"],
    "align16.bin": ["--pad", "--align", "16", "--max-align", "16"],
    "align32.bin": ["--confirm", "--align", "32", "--max-align", "32"],
    "overwrite.bin": ["--pad", "--overwrite-only"],
    "load.bin": ["--load-addr", "0x20001000"],
    "fixed.bin": ["--rom-fixed", "0x8000"],
    "full-key.bin": ["--public-key-format", "full"],
    "zero.bin": ["--pad", "-R", "0x00"],
    "12": [],
    "true": [],
    "a file: #1 'quoted'.bin": ["--confirm"],
    "-dash.bin": [],
}
ENCRYPTED = {"x25519": ["x25519.pem"], "x25519-256": ["x25519.pem", "--encrypt-keylen", "256", "--confirm"],
             "rsa": ["rsa-2048.pem", "--pad"], "p256": ["ecdsa-p256.pem", "--pad", "--max-align", "16"]}


def peers(commands):
    """What imgtool prints for each of many commands, in one process of its Python."""
    done = subprocess.run([PEERS / "venv" / "bin" / "python", lab.ROOT / "tests" / "interop" / "batch.py"],
                          input=json.dumps([["imgtool", *map(str, c)] for c in commands]),
                          capture_output=True, text=True, timeout=600, check=True)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    chance = random.Random(5)
    (folder / "app.raw").write_bytes(chance.randbytes(3001))
    for kind in [*KEYS, "x25519"]:
        ferry("keygen", "-t", kind, "-o", folder / f"{kind}.pem", check=0)
    made = []

    def sign(name, key, *options):
        version = ".".join(str(chance.choice([0, 1, 200])) for _ in range(3)) + f"+{chance.randrange(2**32)}"
        out = folder / key / name
        out.parent.mkdir(exist_ok=True)
        ferry("sign", "-k", folder / f"{key}.pem", "-v", version, "-H", "512", "--pad-header", "-S",
              "0x10000", *options, folder / "app.raw", out, check=0)
        made.append(out)

    for key in KEYS:
        for name, options in SHAPES.items():
            if key == "ecdsa-p256" or name in ("plain.bin", "protected.bin"):
                sign(name, key, *options)
    sign("pure.bin", "ed25519", "--pure")
    for name, (secret, *options) in ENCRYPTED.items():
        sign(f"{name}.bin", "ecdsa-p256", "-E", folder / secret, *options)
    return made


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_equal_to_imgtools_byte_for_byte(images, form, tmp_path):
    out = [tmp_path / f"{i}.{form}" for i in range(len(images))]
    answers = peers([["dumpinfo", "-f", form, "-o", o, "--", image] for o, image in zip(out, images)])
    ours = tmp_path / "ours"
    exact = 0
    for image, theirs, (code, said) in zip(images, out, answers):
        assert code == 0, said
        ferry("dumpinfo", "-f", form, "-o", ours, "--", image, check=0)
        printed = ferry("dumpinfo", "-f", form, "--", image, check=0).stdout
        assert printed == ours.read_text() + ("\n" if form == "json" else "")
        if re.fullmatch(r"[a-z][a-z0-9-]*\.bin", image.name):
            assert ours.read_bytes() == theirs.read_bytes(), image
            exact += 1
        assert loaded(form, ours) == loaded(form, theirs), image
    assert exact >= 20


def loaded(form, path):
    if form == "json":
        return json.loads(path.read_text())
    done = subprocess.run([PEERS / "venv" / "bin" / "python", "-c",
                           "import sys, yaml; print(repr(yaml.safe_load(open(sys.argv[1]))))", path],
                          capture_output=True, text=True, check=True, timeout=60)
    return done.stdout


def test_the_text_has_the_same_facts(images):
    chosen = [i for i in images if i.name in ("protected.bin", "align32.bin", "rsa.bin")]
    for image, (code, theirs) in zip(chosen, peers([["dumpinfo", i] for i in chosen])):
        ours = ferry("dumpinfo", image, check=0).stdout
        assert code == 0
        for label in ("load_addr", "hdr_size", "protected_tlv_size", "img_size"):
            value = re.search(rf"{label}: +(0x[0-9a-f]+)", theirs).group(1)
            assert re.search(rf"{label} +{value}\n", ours), ours
        for name, number in re.findall(r"type: (\w+) \((0x[0-9a-f]+)\)", theirs):
            assert re.search(rf"{name} +type {number},", ours), ours
        for name in re.findall(r"^(?:flags:)? +([A-Z0-9_]+) \(0x", theirs, re.M):
            assert name in ours
        for field, word in re.findall(r"(image_ok|copy_done): +(SET|UNSET|BAD|ANY) ", theirs):
            assert re.search(rf"{field} +0x\d+ {word}\n", ours), ours


def test_formats_follow_imgtools_rules(images, tmp_path):
    image = next(i for i in images if i.name == "confirmed.bin")
    out = tmp_path / "out"
    ferry("dumpinfo", "-s", "-o", out, image, check=0)
    assert out.read_text().startswith("filename: confirmed.bin\nheader:\n  magic: 2532554813\n")
    assert json.loads(ferry("--json", "dumpinfo", image, check=0).stdout)["trailer"]["image_ok"] == 1
    assert ferry("dumpinfo", image, check=0).stdout.startswith("confirmed.bin\nheader\n")
    ferry("dumpinfo", "-f", "xml", image, check=2)
    ferry("dumpinfo", check=2)
    ferry("dumpinfo", "-o", "/dev/full", image, check=1)
    ferry("dumpinfo", "-o", tmp_path / "none" / "x", image, check=1)


def test_damaged_images_are_refused_by_name(images, tmp_path):
    """imgtool ends in a Python traceback here."""
    whole = next(i for i in images if i.name == "protected.bin").read_bytes()
    for size in (0, 20, 100, 3600, len(whole) - 1):
        (tmp_path / "cut.bin").write_bytes(whole[:size])
        done = ferry("dumpinfo", tmp_path / "cut.bin", check=6)
        assert "no whole image" in done.stderr and done.stdout == ""
    (tmp_path / "tail.bin").write_bytes(whole + bytes(100))
    done = ferry("dumpinfo", "-f", "json", tmp_path / "tail.bin", check=0)
    assert "not end in a trailer" in done.stderr
    assert json.loads(done.stdout)["trailer"] == {"magic": "00" * 16}
