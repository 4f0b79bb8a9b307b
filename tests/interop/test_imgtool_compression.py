# SPDX-License-Identifier: Apache-2.0
"""Compressed images, with the real imgtool: the same bytes where nothing in them is random, each
verified by the other where something is, and the image inside taken out by Python's lzma. Two
liblzma of different versions may pack differently: then only what comes out is compared, and said."""
import hashlib
import json
import lzma
import pathlib
import struct
import subprocess

import pytest

import lab
from conftest import PEERS, peer
from lab import ferry, ferry_json

THUMB = {"lzma2": False, "lzma2armthumb": True}
PACKED = [{"id": lzma.FILTER_LZMA2, "preset": 9, "dict_size": 1 << 17, "lp": 1, "lc": 3}]

# Whole programs: more than a dictionary of x86 code, and of Thumb code what the ARM Thumb filter is for.
BRANCHES = b"".join(struct.pack("<HHHH", i * 7 & 0xffff, 0x4770, 0xf000 | i >> 3 & 0x7ff, 0xf800 | i & 0x7ff)
                    for i in range(9001)) + b"the end, odd"
PAYLOADS = {"program": lab.FERRY.read_bytes()[4096:304097], "branches": BRANCHES, "zeros": bytes(40000), "small": b"abcd" * 99,
            "gap": BRANCHES[:5000]}  # behind the place of the header

# name: (key, options)
CASES = {
    "plain": ("ed25519", ()),
    "unsigned": (None, ()),
    "pure": ("ed25519", ("--pure",)),
    "sha512": ("ed25519", ("--sha", "512")),
    "full key": ("ed25519", ("--public-key-format", "full")),
    "claims": ("ed25519", ("-s", "auto", "-d", "(1, 2.3.4+5)", "--boot-record", "SPE", "--custom-tlv", "0xa1", "0x0102",
                           "--vid", "example.com", "--cid", "pump")),
    "link address": ("ed25519", ("-F", "0x8000")),
    "padded": ("ed25519", ("--pad",)),
    "confirmed": ("ed25519", ("--confirm", "--max-align", "16")),
    "overwrite": ("ed25519", ("--overwrite-only", "--pad", "--erased-val", "0")),
    "small header": ("ed25519", ("-H", "0x20")),
    "large header": ("ed25519", ("-H", "0x1000", "--erased-val", "0")),
}


def batch(commands):
    """Run commands of imgtool; all must succeed."""
    done = subprocess.run([PEERS / "venv/bin/python", pathlib.Path(__file__).parent / "batch.py"],
                          input=json.dumps([["imgtool", *map(str, c)] for c in commands]), capture_output=True,
                          text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    for command, (code, text) in zip(commands, json.loads(done.stdout)):
        assert code == 0, f"{command}\n{text}"
    return [text for _, text in json.loads(done.stdout)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("compression")
    for name, payload in PAYLOADS.items():
        (made / f"{name}.bin").write_bytes(bytes(0x200) * (name == "gap") + payload)
    for kind in ("ed25519", "ecdsa-p256", "ecdsa-p384", "rsa-2048", "x25519"):
        ferry("keygen", "-t", kind, "-o", made / f"{kind}.pem", check=0)
    ferry("pubkey", "-k", made / "x25519.pem", "-o", made / "x25519.pub", check=0)
    return made


def arguments(folder, compression, key, options, source, out):
    sizes = [] if "-H" in options else ["-H", "0x200"]
    sizes += [] if source.stem == "gap" else ["--pad-header"]
    return ["sign", *(["-k", folder / f"{key}.pem"] if key else []), "-v", "1.2.3+4", *sizes, "-S", "0x80000",
            "--align", 4, "--compression", compression, *options, source, out]


def payload_of(image):
    """The stored payload."""
    header, = struct.unpack_from("<H", image, 8)
    size, = struct.unpack_from("<I", image, 12)
    return image[header:header + size]


def unpack(payload, thumb):
    """What a payload unpacks to, and how many bytes behind the stream are left."""
    filters = [{"id": lzma.FILTER_ARMTHUMB}] * thumb + [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 17}]
    packer = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)
    out = packer.decompress(payload[2:])
    assert packer.eof
    return out, len(packer.unused_data)


@pytest.fixture(scope="module")
def packs_alike(folder):
    """Whether this Python's liblzma packs as ferry's; a note where it does not."""
    def check(stored, payload, thumb):
        theirs = lzma.compress(payload, lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_ARMTHUMB}] * thumb + PACKED)
        if stored[2:] != theirs:
            pytest.skip("ferry's liblzma packs otherwise than Python's: only what comes out was compared")
    return check


@pytest.fixture(scope="module")
def made(folder):
    """Both tools' images of every case, compression and payload."""
    cells, commands = {}, []
    for case, (key, options) in CASES.items():
        for compression in THUMB:
            for source in PAYLOADS if case == "plain" else ["branches"]:
                stem = f"{case}-{compression}-{source}".replace(" ", "_")
                theirs, ours = folder / f"{stem}.theirs", folder / f"{stem}.ours"
                commands.append(arguments(folder, compression, key, options, folder / f"{source}.bin", theirs))
                ferry(*arguments(folder, compression, key, options, folder / f"{source}.bin", ours), check=0)
                cells[case, compression, source] = theirs, ours
    batch(commands)
    return cells


@pytest.mark.parametrize("compression", THUMB)
@pytest.mark.parametrize("case,source", [("plain", s) for s in PAYLOADS] + [(c, "branches") for c in CASES if c != "plain"])
def test_the_same_image(folder, made, packs_alike, case, source, compression):
    theirs, ours = made[case, compression, source]
    key = ["-k", folder / f"{CASES[case][0]}.pem"] if CASES[case][0] else []
    for image in (theirs, ours):
        stored = payload_of(image.read_bytes())
        assert unpack(stored, THUMB[compression]) == (PAYLOADS[source], 0)
        said = ferry("verify", *key, image, check=0).stdout
        assert f"{len(PAYLOADS[source])} → {len(stored)} bytes; the uncompressed image is good" in said
    packs_alike(payload_of(ours.read_bytes()), PAYLOADS[source], THUMB[compression])
    assert ours.read_bytes() == theirs.read_bytes()


def test_imgtool_verifies_them(folder, made):
    signed = [(folder / f"{CASES[case][0]}.pem", ours) for (case, _, _), (_, ours) in made.items() if CASES[case][0]]
    for text in batch([["verify", "-k", key, image] for key, image in signed]):
        assert "correctly validated" in text


@pytest.mark.parametrize("key", ["ecdsa-p256", "ecdsa-p384", "rsa-2048"])
def test_random_signatures_verify_both_ways(folder, tmp_path, key):
    theirs, ours = tmp_path / "theirs.bin", tmp_path / "ours.bin"
    batch([arguments(folder, "lzma2armthumb", key, (), folder / "branches.bin", theirs)])
    ferry(*arguments(folder, "lzma2armthumb", key, (), folder / "branches.bin", ours), check=0)
    hashes = set()
    for image in (theirs, ours):
        ferry("verify", "-k", folder / f"{key}.pem", image, check=0)
        hashes.add({t["name"]: t["data"] for t in ferry_json("inspect", image)["tlvs"]}["DECOMP_SHA"])
    assert len(hashes) == 1
    assert "correctly validated" in batch([["verify", "-k", folder / f"{key}.pem", ours]])[0]


@pytest.mark.parametrize("bits", ["128", "256"])
@pytest.mark.parametrize("compression", THUMB)
def test_compressed_then_encrypted(folder, tmp_path, compression, bits):
    """The content key is random: decrypted with pyca/cryptography both have the same stream and TLVs."""
    options = ("-E", folder / "x25519.pub", "--encrypt-keylen", bits)
    plain = []
    for maker in ("imgtool", "ferry"):
        image, out = tmp_path / f"{maker}.bin", tmp_path / f"{maker}.plain"
        command = arguments(folder, compression, "ed25519", options, folder / "branches.bin", image)
        ferry(*command, check=0) if maker == "ferry" else batch([command])
        subprocess.run([PEERS / "venv/bin/python", pathlib.Path(__file__).parent / "decrypt_image.py",
                        folder / "x25519.pem", image, out], check=True, timeout=60, stdin=subprocess.DEVNULL)
        stored = payload_of(out.read_bytes())
        found, filled = unpack(stored, THUMB[compression])
        assert found == BRANCHES and len(stored) % 16 == 0 and filled < 16
        said = ferry("verify", "-k", folder / "ed25519.pem", "-E", folder / "x25519.pem", image, check=0).stdout
        assert f"{len(BRANCHES)} → {len(stored) - filled} bytes; the uncompressed image is good" in said
        plain.append(out.read_bytes())
    batch([["verify", "-k", folder / "ed25519.pem", tmp_path / "ferry.plain"]])
    wrapped = 4 + 64 + int(bits) // 8  # the ENC TLV is the last
    assert plain[0][:-wrapped] == plain[1][:-wrapped] or payload_of(plain[0]) != payload_of(plain[1])


def noise(path):
    path.write_bytes(b"".join(hashlib.sha256(bytes([i])).digest() for i in range(100)))
    return path


@pytest.mark.parametrize("compression", THUMB)
def test_what_does_not_get_smaller_is_the_plain_image_for_both(folder, tmp_path, compression):
    theirs, ours, source = tmp_path / "theirs.bin", tmp_path / "ours.bin", noise(tmp_path / "noise.bin")
    batch([arguments(folder, compression, "ed25519", (), source, theirs)])
    ferry(*arguments(folder, compression, "ed25519", (), source, ours), check=0)
    assert ours.read_bytes() == theirs.read_bytes()
    assert payload_of(ours.read_bytes()) == source.read_bytes()


@pytest.mark.parametrize("options", [("--endian", "big", "-s", "7"), ("--endian", "big", "--pure")])
def test_big_endian_images_are_the_same(folder, tmp_path, packs_alike, options):
    theirs, ours = tmp_path / "theirs.bin", tmp_path / "ours.bin"
    batch([arguments(folder, "lzma2", "ed25519", options, folder / "branches.bin", theirs)])
    ferry(*arguments(folder, "lzma2", "ed25519", options, folder / "branches.bin", ours), check=0)
    size, = struct.unpack_from(">I", ours.read_bytes(), 12)
    packs_alike(ours.read_bytes()[0x200:0x200 + size], BRANCHES, False)
    assert ours.read_bytes() == theirs.read_bytes()


def hex_of(address, data):
    """Intel HEX of 16 bytes a record, below 64 KiB."""
    def record(kind, at, body):
        head = struct.pack(">BHB", len(body), at, kind) + body
        return ":" + (head + bytes([-sum(head) & 0xff])).hex().upper()
    rows = [record(0, address + at, data[at:at + 16]) for at in range(0, len(data), 16)]
    return "\n".join([*rows, record(1, 0, b""), ""])


@pytest.mark.parametrize("options", [(), ("--pad",), ("--confirm",), ("-x", "0x20000", "--pad"), ("--test",)])
def test_intel_hex(folder, tmp_path, packs_alike, options):
    theirs, ours, source = tmp_path / "theirs.hex", tmp_path / "ours.hex", tmp_path / "source.hex"
    source.write_text(hex_of(0x4000, BRANCHES[:20000]))
    batch([arguments(folder, "lzma2", "ed25519", options, source, theirs)])
    ferry(*arguments(folder, "lzma2", "ed25519", options, source, ours), check=0)
    for image in (theirs, ours):
        assert "20000 → " in ferry("verify", "-k", folder / "ed25519.pem", image, check=0).stdout
    ferry(*arguments(folder, "lzma2", "ed25519", (), source, tmp_path / "image.bin"), check=0)
    packs_alike(payload_of((tmp_path / "image.bin").read_bytes()), BRANCHES[:20000], False)
    # imgtool 2.5.0 forgets --test in a compressed image: the flag, which is erased, is not in its file.
    assert (ours.read_text() == theirs.read_text()) == (options != ("--test",))


def test_both_refuse_what_does_not_fit_uncompressed(folder, tmp_path):
    command = arguments(folder, "lzma2", "ed25519", (), folder / "branches.bin", tmp_path / "out.bin")
    command[command.index("0x80000")] = "0x10000"
    assert "uncompressed image is too large" in ferry(*command, check=6).stderr
    assert peer("imgtool", *command, check=False).returncode != 0
    assert not (tmp_path / "out.bin").exists()


# ---- Where imgtool is wrong ------------------------------------------------------------------------------------------


def test_fault_of_imgtool_the_image_that_does_not_get_smaller_is_not_encrypted(folder, tmp_path):
    """imgtool 2.5.0 flags it as encrypted, leaves the payload in the clear and wraps no key. Ferry encrypts it."""
    theirs, ours, source = tmp_path / "theirs.bin", tmp_path / "ours.bin", noise(tmp_path / "noise.bin")
    options = ("-E", folder / "x25519.pub")
    batch([arguments(folder, "lzma2", "ed25519", options, source, theirs)])
    ferry(*arguments(folder, "lzma2", "ed25519", options, source, ours), check=0)
    assert source.read_bytes() in theirs.read_bytes()
    found = ferry_json("inspect", theirs)
    assert found["payload"] == "clear" and "ENC_X25519" not in [t["name"] for t in found["tlvs"]]
    assert source.read_bytes()[:64] not in ours.read_bytes()
    ferry("verify", "-k", folder / "ed25519.pem", "-E", folder / "x25519.pem", ours, check=0)


def test_fault_of_imgtool_non_bootable_is_dropped(folder, tmp_path):
    """imgtool 2.5.0 flags the uncompressed image alone: what a device unpacks has another digest than DECOMP_SHA.
    Ferry flags both."""
    theirs, ours = tmp_path / "theirs.bin", tmp_path / "ours.bin"
    batch([arguments(folder, "lzma2", "ed25519", ("--non-bootable",), folder / "branches.bin", theirs)])
    ferry(*arguments(folder, "lzma2", "ed25519", ("--non-bootable",), folder / "branches.bin", ours), check=0)
    assert "NON_BOOTABLE" in ferry_json("inspect", ours)["flags"]
    ferry("verify", "-k", folder / "ed25519.pem", ours, check=0)
    digests = [{t["name"]: t["data"] for t in json.loads(ferry("--json", "inspect", i).stdout)["tlvs"]}["DECOMP_SHA"]
               for i in (theirs, ours)]
    assert digests[0] == digests[1]
    refused = ferry("verify", "-k", folder / "ed25519.pem", theirs, check=6).stderr
    assert "the digest of the uncompressed image is not DECOMP_SHA" in refused
