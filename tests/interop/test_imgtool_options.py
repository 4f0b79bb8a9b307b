# SPDX-License-Identifier: Apache-2.0
"""`ferry sign` in the place of imgtool's: seeded random command lines go unchanged to both. What has
nothing random in it is the same bytes; signatures and encrypted images differ in nothing else, and
each program takes the other's. What one refuses the other refuses. Where imgtool is wrong, Ferry
differs: those are listed, and each is shown on both sides."""
import base64
import concurrent.futures
import json
import pathlib
import random
import struct
import subprocess

import pytest
from intelhex import IntelHex

import imgtool_cases
import lab
from conftest import PEERS, peer
from imgtool_cases import DIGESTS, ENCRYPT_TYPES, SIGN_TYPES, Image

SEED = 20250117
COUNT = 400


def batch(commands):
    """Run them in few processes of the peers' Python: [(exit code, text)]."""
    words = json.dumps([[str(word) for word in command] for command in commands])
    done = subprocess.run([PEERS / "venv/bin/python", pathlib.Path(__file__).parent / "batch.py"],
                          input=words, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def run_all(commands):
    """Run `ferry` for each: [CompletedProcess]."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda words: lab.ferry(*words), commands))


class Files:
    """What command lines name, made when first asked for."""

    OUT = "SIGNATURE-OUT"  # a place for each program's own file

    def __init__(self, folder):
        self.folder = folder
        self.pems = {}
        for kind in SIGN_TYPES:
            self._make(kind, f"sign-{kind}")
        for kind in ENCRYPT_TYPES:
            self._make(kind, f"encrypt-{kind}")

    def _make(self, kind, name):
        pem = self.folder / f"{name}.pem"
        lab.ferry("keygen", "-t", kind, "-o", pem, check=0)
        public = imgtool_cases.public_pem(pem.read_bytes())
        (self.folder / f"{name}.pub").write_bytes(public)

    def key(self, kind):
        return self.folder / f"sign-{kind}.pem"

    def public(self, kind):
        return self.folder / f"sign-{kind}.pub"

    def encrypt_key(self, kind):
        return self.folder / f"encrypt-{kind}.pem"

    def encrypt_public(self, kind):
        return self.folder / f"encrypt-{kind}.pub"

    def signature(self, number):
        return self.folder / f"{number}.signature"

    def firmware(self, size, gap, repeats=False, address=None):
        """A firmware behind a gap; repeats: that gets smaller; address: as Intel HEX at it."""
        form = "bin" if address is None else f"{address:x}.hex"
        path = self.folder / f"firmware-{size}-{gap}-{int(repeats)}.{form}"
        if not path.exists():
            rng = random.Random(size)
            data = bytes(gap) + (bytes(rng.choices(b"\x00\x48\xf0\xf8\x12", [9, 2, 2, 2, 1], k=size))
                                 if repeats else rng.randbytes(size))
            if address is None:
                path.write_bytes(data)
            else:
                hexes = IntelHex()
                hexes.frombytes(data, address)
                hexes.write_hex_file(path)
        return path

    def blob(self, size):
        path = self.folder / f"blob-{size}"
        path.write_bytes(random.Random(size).randbytes(size))
        return path

    def out(self, case, whose):
        return self.folder / (f"{case.number}.{whose}" + (".hex" if case.hex_out else ""))

    def command(self, case, whose):
        words = [word if word != self.OUT else self.folder / f"{case.number}.{whose}.b64"
                 for word in case.words()]
        return ["sign", *words, case.source, self.out(case, whose)]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return Files(tmp_path_factory.mktemp("options"))


def sign_outside(files, cases):
    """Ferry writes what is to be signed, and an HSM, as it were, signs it."""
    commands = []
    for case in cases:
        options = [part for part in case.options if part[0] not in ("--fix-sig", "--sig-out")]
        options.append(["--vector-to-sign", "payload" if case.pure else "digest"])
        commands.append(["sign", *(word for part in options for word in part), case.source,
                         files.out(case, "vector")])
    for case, done in zip(cases, run_all(commands)):
        assert done.returncode == 0, done.stderr
        signature = imgtool_cases.sign_outside(files.key(case.key).read_bytes(),
                                               files.out(case, "vector").read_bytes(), case.pure)
        encode = base64.b64encode if case.number % 2 else base64.encodebytes
        files.signature(case.number).write_bytes(encode(signature))


class Failures:
    """All of them in one message, each with its two command lines."""

    def __init__(self, files):
        self.files = files
        self.texts = []

    def check(self, good, case, why):
        if not good:
            lines = [" ".join(map(str, [program, *self.files.command(case, whose)]))
                     for program, whose in (("imgtool", "theirs"), ("ferry", "ours"))]
            self.texts.append("\n".join([why, *lines]))
        return good


@pytest.fixture(scope="module")
def ran(files):
    """Every case, run by both: (case, imgtool's [code, text], ferry's process)."""
    cases = imgtool_cases.cases(SEED, COUNT, files)
    sign_outside(files, [case for case in cases if case.outside])
    theirs = batch([["imgtool", *files.command(case, "theirs")] for case in cases])
    ours = run_all([files.command(case, "ours") for case in cases])
    return list(zip(cases, theirs, ours))


@pytest.fixture
def failures(files):
    found = Failures(files)
    yield found
    assert not found.texts, f"{len(found.texts)} failed\n" + "\n\n".join(found.texts[:8])


def images(files, case):
    return [Image(files.out(case, whose).read_bytes(), case.big) for whose in ("theirs", "ours")]


def firmware_bytes(path):
    return IntelHex(str(path)).tobinstr() if path.suffix == ".hex" else path.read_bytes()


def same_but_random(case, theirs, ours):
    """What is not random, and the slot behind it, as far as both have it."""
    payload = case.encrypt is None or case.clear
    fixed = case.pad_sig and case.key == "ecdsa-p256"
    digest = not case.compressed or case.key in (None, "ed25519")
    tail = min(len(theirs.tail), len(ours.tail))
    return (theirs.fixed(fixed, payload, digest) == ours.fixed(fixed, payload, digest)
            and (theirs.whole == ours.whole if theirs.tail or ours.tail else True)
            and theirs.tail[len(theirs.tail) - tail:] == ours.tail[len(ours.tail) - tail:])


def test_both_give_one_verdict(ran, failures):
    refused = 0
    for case, (code, text), done in ran:
        expected = case.wrong is not None
        failures.check((code != 0) == expected, case, f"imgtool: exit {code}\n{text}")
        failures.check((done.returncode != 0) == expected, case,
                       f"ferry: exit {done.returncode}\n{done.stderr}")
        if expected:
            refused += 1
            failures.check("next:" in done.stderr or "usage:" in done.stderr, case, done.stderr)
            failures.check(not failures.files.out(case, "ours").exists(), case, "OUT is there")
    print(f"{len(ran)} command lines, of which both refuse {refused}")


def test_bytes_are_the_same(ran, files, failures):
    identical = different = hexes = compressed = 0
    for case, (code, _), done in ran:
        if code != 0 or done.returncode != 0 or not case.deterministic:
            continue
        theirs, ours = (files.out(case, w).read_bytes() for w in ("theirs", "ours"))
        if case.vector is not None:  # imgtool fills a slot with it, which nobody can sign
            theirs = theirs[:len(ours)]
        identical += failures.check(theirs == ours, case, "the bytes differ")
        different += theirs != ours
        hexes += case.hex_out
        compressed += case.compressed
    print(f"{identical} byte for byte ({hexes} Intel HEX, {compressed} to be compressed), "
          f"{different} not")
    assert hexes > 10 and compressed > 10
    assert identical + different > 100


def test_random_parts_alone_differ(ran, files, failures):
    compared = 0
    for case, (code, _), done in ran:
        if code != 0 or done.returncode != 0 or case.deterministic:
            continue
        compared += 1
        failures.check(same_but_random(case, *images(files, case)), case, "more than signatures differs")
    print(f"{compared} with a random part, equal in the rest")
    assert len(ran) >= 300 and compared > 100


def test_signatures_in_files(ran, files, failures):
    seen = 0
    for case, _, done in ran:
        if not case.signature_out or case.hex_out or case.wrong is not None or done.returncode != 0:
            continue
        seen += 1
        for whose, image in zip(("theirs", "ours"), images(files, case)):
            text = (files.folder / f"{case.number}.{whose}.b64").read_bytes()
            values = [v for kind, v in image.tlvs if kind in (0x20, 0x22, 0x23, 0x24)]
            failures.check([base64.b64decode(text, validate=True)] == values, case, whose)
    assert seen > 20


def test_each_takes_the_others(ran, files, failures):
    """What is not encrypted. imgtool reads no big-endian image; Ferry takes no padded signature."""
    good = [case for case, (code, _), done in ran
            if code == 0 == done.returncode and case.vector is None and not case.big and
            (case.encrypt is None or case.clear)]
    keys = [["-k", files.key(case.key)] if case.key else [] for case in good]
    theirs = batch([["imgtool", "verify", *key, files.out(case, "ours")]
                    for case, key in zip(good, keys)])
    ours = run_all([["verify", *key, files.out(case, "theirs")] for case, key in zip(good, keys)])
    for case, (code, text), done in zip(good, theirs, ours):
        failures.check(code == 0, case, f"imgtool verify: {text}")
        failures.check(done.returncode == 0 or case.pad_sig, case, f"ferry verify: {done.stderr}")
    print(f"{len(good)} verified by the other")


def test_each_decrypts_the_others(ran, files, failures):
    good = [case for case, (code, _), done in ran
            if code == 0 == done.returncode and case.vector is None and not case.big and
            case.encrypt is not None and not case.clear]
    theirs = batch([["decrypt", files.encrypt_key(case.encrypt), files.out(case, "ours"),
                     files.out(case, "plain")] for case in good])
    ours = run_all([["verify", *(["-k", files.key(case.key)] if case.key else []), "-E",
                     files.encrypt_key(case.encrypt), files.out(case, "theirs")] for case in good])
    for case, (code, text), done in zip(good, theirs, ours):
        if failures.check(code == 0, case, f"decrypt_image.py: {text}") and not case.compressed:
            image = Image(files.out(case, "plain").read_bytes(), False)
            gap = 0 if ["--pad-header"] in case.options else len(image.head)
            plain = firmware_bytes(case.source)[gap:]
            failures.check(image.payload[:len(plain)] == plain and
                           not any(image.payload[len(plain):]), case, "the payload is not IN's")
        failures.check(done.returncode == 0 or case.pad_sig, case, f"ferry verify: {done.stderr}")
    print(f"{len(good)} decrypted by the other")
    assert len(good) > 20
