# SPDX-License-Identifier: Apache-2.0
"""Intel HEX beside the real imgtool: the same files in give the same files out, byte for byte; what
differs is listed with its reason. Python's intelhex reads ours, and we read binutils'."""
import json
import pathlib
import random
import subprocess

import pytest
from intelhex import IntelHex

from conftest import PEERS, peer
from lab import ferry, ferry_json

SEED = 20
CASES = 90


def batch(commands):
    """Run commands of imgtool. [exit code, what it printed] of each."""
    words = json.dumps([["imgtool", *map(str, c)] for c in commands])
    done = subprocess.run([PEERS / "venv/bin/python", pathlib.Path(__file__).parent / "batch.py"],
                          input=words, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hex")
    ferry("keygen", "-t", "ed25519", "-o", folder / "key.pem", check=0)
    return folder


def write_hex(path, pieces):
    """A HEX file of {address: bytes}, as builds make them."""
    made = IntelHex()
    for address, data in pieces.items():
        made.frombytes(data, offset=address)
    made.tofile(str(path), "hex")


def make_case(folder, number, rng):
    """Input and options of one case: any address and size, a gap, a trailer."""
    header = rng.choice([32, 512, 0x200, 1000])
    base = rng.choice([0, 0x8000, 0xfff3, 0x10000, 0x1fe00, 0x08000000, 0xffef0000,
                       rng.randrange(header, 1 << 31)])
    base = base if base == 0 or base >= header else base + header
    size = rng.choice([1, 15, 16, 17, 5000, rng.randrange(1, 70000)])
    data = rng.randbytes(size)
    options = ["-v", "1.2.3+4", "-H", header, "--pad-header", "-S", hex(0x20000), "--align",
               rng.choice([1, 2, 4, 8, 16, 32])]
    options += rng.choice([[], ["--pad"], ["--confirm"], ["--pad", "--overwrite-only"]])
    options += rng.choice([[], [], ["--max-align", 32]])
    if rng.random() < 0.4:
        source = folder / f"{number}.bin"
        source.write_bytes(data)
        options += ["-x", hex(base)]
    else:
        source = folder / f"{number}.hex"
        gap = rng.choice([0, 1, 3, 300, 20000])
        half = rng.randrange(size + 1)
        write_hex(source, {base: data[:half], base + half + gap: data[half:]})
        options += rng.choice([[], [], ["--hex-addr", hex(rng.randrange(1 << 31))]])
    return [*options, source]


def test_the_same_hex_of_the_same_input(folder):
    rng = random.Random(SEED)
    cases = [make_case(folder, number, rng) for number in range(CASES)]
    common = ["sign", "-k", folder / "key.pem"]
    theirs = batch([[*common, *case, folder / f"{n}.theirs.hex"] for n, case in enumerate(cases)])
    refused = 0
    for number, (case, (code, text)) in enumerate(zip(cases, theirs)):
        ours = folder / f"{number}.ours.hex"
        done = ferry(*common, *case, ours)
        assert (done.returncode == 0) == (code == 0), f"{case}\n{text}\n{done.stderr}"
        refused += code != 0
        if code == 0:
            assert ours.read_bytes() == (folder / f"{number}.theirs.hex").read_bytes(), case
            IntelHex(str(ours))
    assert refused < CASES / 4


@pytest.mark.parametrize("tail", [[], ["--pad"], ["--confirm"]])
def test_each_reads_what_the_other_signed(folder, tail):
    raw, ours, theirs = folder / "raw.bin", folder / "o.hex", folder / "t.hex"
    raw.write_bytes(random.Random(1).randbytes(9000))
    words = ["sign", "-k", folder / "key.pem", "-v", "1.0.0", "-H", 512, "--pad-header", "-S", 0x8000,
             "--align", 8, "-x", 0x0800fe00, *tail, raw]
    ferry(*words, ours, check=0)
    peer("imgtool", *words, theirs)
    assert "correctly validated" in peer("imgtool", "verify", "-k", folder / "key.pem", ours).stdout
    ferry("verify", "-k", folder / "key.pem", theirs, check=0)
    shown = ferry_json("inspect", theirs)
    assert ("trailer" in shown) == bool(tail)
    if tail:
        assert shown["trailer"]["image_ok"] == ("set" if tail == ["--confirm"] else "unset")
    # As the raw file has it, the gap before the trailer filled.
    ferry(*words, folder / "o.bin", check=0)
    assert IntelHex(str(ours)).tobinstr() == (folder / "o.bin").read_bytes()


@pytest.mark.parametrize("address", [0, 0x8000, 0xfffd, 0x1000ff00, 0x90000])
def test_binutils_hex_is_read(folder, address):
    """Their records of 16 bytes, of segments below 1 MiB and linear above, with a start address."""
    raw, text = folder / "b.bin", folder / "b.hex"
    raw.write_bytes(random.Random(2).randbytes(70001))
    subprocess.run(["objcopy", "-I", "binary", "-O", "ihex", "--change-addresses", hex(address),
                    "--set-start", hex(address + 1), raw, text], check=True)
    kinds = {line[7:9] for line in text.read_text().split("\n") if line}
    assert kinds & {"02", "04"} and kinds & {"03", "05"}, kinds
    words = ["sign", "-k", folder / "key.pem", "-v", "1.0.0", "--pad-header", "-S", 0x20000]
    ferry(*words, raw, folder / "b1.img", check=0)
    ferry(*words, text, folder / "b2.img", check=0)
    assert (folder / "b1.img").read_bytes() == (folder / "b2.img").read_bytes()


# ---- Where we do not do as imgtool does --------------------------------------------------------


def test_gaps_have_the_erased_value(folder):
    """imgtool fills gaps with 0xff also where flash erases to 0."""
    source = folder / "gap.hex"
    write_hex(source, {0x8000: b"\x11" * 64, 0x8080: b"\x22" * 64})
    words = ["sign", "-k", folder / "key.pem", "-v", "1.0.0", "-H", 32, "--pad-header", "-S", 0x8000,
             "-R", "0", source]
    ferry(*words, folder / "ours.img", check=0)
    peer("imgtool", *words, folder / "theirs.img")
    assert (folder / "ours.img").read_bytes()[96:160] == bytes(64)
    assert (folder / "theirs.img").read_bytes()[96:160] == b"\xff" * 64


def test_the_header_needs_room_below(folder):
    """imgtool counts below 0, and the header is at the end of the first 64 KiB."""
    source = folder / "low.hex"
    write_hex(source, {0x100: b"\x11" * 64})
    words = ["sign", "-k", folder / "key.pem", "-v", "1.0.0", "-H", 512, "--pad-header", "-S", 0x8000,
             source]
    done = ferry(*words, folder / "ours.hex", check=2)
    assert "no room for a header of 512 bytes below 0x100" in done.stderr
    peer("imgtool", *words, folder / "theirs.hex")
    assert IntelHex(str(folder / "theirs.hex")).segments()[1] == (0xff00, 0x10000)


def test_a_file_is_what_its_content_is(folder):
    """imgtool goes by the name: of HEX called .bin it signs the text."""
    source, text = folder / "named.hex", folder / "named.bin"
    write_hex(source, {0x8000: b"\x11" * 64})
    text.write_bytes(source.read_bytes())
    words = ["sign", "-k", folder / "key.pem", "-v", "1.0.0", "-H", 32, "--pad-header", "-S", 0x8000,
             "--align", 8]
    ferry(*words, text, folder / "ours.img", check=0)
    peer("imgtool", *words, text, folder / "theirs.img")
    assert (folder / "ours.img").read_bytes()[32:96] == b"\x11" * 64
    assert (folder / "theirs.img").read_bytes()[32:64] == text.read_bytes()[:32]
    ferry(*words, "--input-format", "bin", text, folder / "ours.img", check=0)
    assert (folder / "ours.img").read_bytes() == (folder / "theirs.img").read_bytes()


def test_a_cut_hex_is_refused(folder):
    """imgtool signs what is left of it."""
    source = folder / "cut.hex"
    write_hex(source, {0x8000: bytes(range(256))})
    source.write_text("".join(source.read_text().splitlines(True)[:9]))
    words = ["sign", "-k", folder / "key.pem", "-v", "1.0.0", "-H", 32, "--pad-header", "-S", 0x8000,
             source]
    assert "without an end record" in ferry(*words, folder / "cut.img", check=6).stderr
    assert not (folder / "cut.img").exists()
    peer("imgtool", *words, folder / "cut.img")
