# SPDX-License-Identifier: Apache-2.0
"""`ferry inspect` of files, whole and damaged: all that can be read is shown, then what is wrong."""
import json
import random
import struct

import pytest

from lab import ROOT, ferry, ferry_json

PROTECTED = 28  # SEC_CNT and DEPENDENCY
PAYLOAD = 3000


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """key.pem, other.pem and image.bin with protected TLVs, signed by key.pem."""
    folder = tmp_path_factory.mktemp("inspect")
    for name in ("key", "other"):
        ferry("keygen", "-t", "ecdsa-p256", "-o", folder / f"{name}.pem", check=0)
    (folder / "app.bin").write_bytes(random.Random(1).randbytes(PAYLOAD))
    sign(folder, folder / "image.bin")
    return folder


def sign(folder, out, *extra, key="key.pem", check=0):
    return ferry("sign", "-k", folder / key, "-v", "1.2.3+4", "-H", "512", "--pad-header", "-S",
                 "0x8000", "-s", "5", "-d", "(1, 1.0.0+0)", *extra, folder / "app.bin", out, check=check)


def inspect(path, *options):
    """The one JSON document that inspect prints, and its exit code."""
    done = ferry("--json", "inspect", *options, path)
    result = json.loads(done.stdout)
    assert ("error" in result) == (done.returncode != 0) == ("ferry: " in done.stderr)
    if done.returncode:
        assert done.returncode == 6 and result["error"]["exit"] == 6 and result["error"]["next"]
    return result, done.returncode


def written(folder, data):
    path = folder / "damaged.bin"
    path.write_bytes(data)
    return path


def test_a_whole_image(made):
    result, code = inspect(made / "image.bin")
    assert code == 0 and result["magic"] == "0x96f3b83d"
    assert result["digest"] == "good" and result["signature"] == "not checked"
    hashed = next(t["data"] for t in result["tlvs"] if t["name"] == "KEYHASH")
    assert result["signatures"] == [{"scheme": "ecdsa-p256", "key_hash": hashed,
                                     "development_key": False}]
    assert [t.get("means") for t in result["tlvs"][:2]] == ["security counter 5",
                                                            "image 1 must be 1.0.0 or later"]


def test_who_signed_it(made):
    assert inspect(made / "image.bin", "-k", made / "key.pem")[0]["signature"] == "good"
    result, code = inspect(made / "image.bin", "-k", made / "other.pem")
    assert code == 6 and result["signature"] == "not by this key" and result["digest"] == "good"
    data = bytearray((made / "image.bin").read_bytes())
    data[-3] ^= 1
    result, code = inspect(written(made, data), "-k", made / "key.pem")
    assert code == 6 and result["signature"] == "wrong" and result["digest"] == "good"
    assert inspect(written(made, data))[0]["signature"] == "not checked"


def test_an_unsigned_image(made):
    out = made / "unsigned.bin"
    ferry("sign", "-v", "1.0.0", "-H", "512", "--pad-header", "-S", "0x8000", made / "app.bin", out,
          check=0)
    result, code = inspect(out)
    assert (code, result["signature"], result["signatures"]) == (0, "none", [])
    result, code = inspect(out, "-k", made / "key.pem")
    assert code == 6 and result["signature"] == "none"


def test_several_signatures(made):
    out = made / "two.bin"
    sign(made, out, "-k", made / "other.pem")
    assert len(inspect(out)[0]["signatures"]) == 2
    for key in ("key.pem", "other.pem"):
        assert inspect(out, "-k", made / key)[0]["signature"] == "good"


@pytest.mark.parametrize("name", ["imgtool-p256", "imgtool-p256-full-key", "imgtool-ed25519"])
def test_a_development_key_is_named(name):
    image = ROOT / "tests" / "data" / f"{name}.img"
    assert inspect(image)[0]["signatures"][0]["development_key"] is True
    assert "which everybody has" in ferry("inspect", image, check=0).stdout


def test_every_truncation_shows_what_is_there(made):
    data = (made / "image.bin").read_bytes()
    signed = 512 + PAYLOAD + PROTECTED
    seen = set()
    for size in [*range(0, 40, 5), 511, 512, 1000, *range(signed - 5, len(data), 7), len(data) - 1]:
        result, code = inspect(written(made, data[:size]))
        assert code == 6
        seen.add(len(result.get("tlvs", [])))
        if size == 0:
            assert "empty" in result["problem"]
            continue
        assert "truncated" in result["problem"] and str(size) in result["problem"]
        assert "copy it again" in result["error"]["next"]
        if size >= 32:
            assert result["version"] == "1.2.3.4" and result["image_size"] == PAYLOAD
            assert result["digest"] == "not checked"
        if size >= signed + 4:
            assert str(len(data)) in result["problem"]
    assert seen == {0, 1, 2, 3, 4}


@pytest.mark.parametrize("at,value,said", [
    (8, b"\x10\x00", "needs 32"),
    (10, b"\x00\x00", "no TLV area at offset 3512"),
    (10, b"\x1d\x00", "protected TLV area says 28 bytes, the header says 29"),
    (12, b"\xff\xff\xff\xff", "more than there can be"),
    (12, b"\xff\xff\x00\x00", "truncated"),
    (16, b"\x0c\x00\x00\x00", "flags that exclude each other: 0x0000000c"),
    (3512, b"\x09", "the magic is 0x6909, not 0x6908"),
    (3516, b"\x51", "UNKNOWN, type 0x51 with 4 bytes"),
    (3516, b"\x10", "wrong area: SHA256, type 0x10 with 4 bytes"),
    (3518, b"\x05", "SEC_CNT, type 0x50 with 5 bytes"),
    (3540, b"\xff", "no TLV area at offset 3540"),
    (3546, b"\x1f", "SHA256, type 0x10 with 31 bytes"),
])
def test_damage_is_named_with_its_place(made, at, value, said):
    data = bytearray((made / "image.bin").read_bytes())
    data[at:at + len(value)] = value
    result, code = inspect(written(made, data))
    assert code == 6 and said in result["problem"], result["problem"]
    assert result["version"] == "1.2.3.4" and result["magic"] == "0x96f3b83d"
    assert "problem" in ferry("inspect", made / "damaged.bin", check=6).stdout


@pytest.mark.parametrize("length", [0, 1, 3, 5])
def test_a_value_of_another_length_means_nothing(made, length):
    data = bytearray((made / "image.bin").read_bytes())
    data[3518] = length
    result, _ = inspect(written(made, data))
    assert result["tlvs"][0]["name"] == "SEC_CNT" and "means" not in result["tlvs"][0]


def test_a_damaged_payload(made):
    data = bytearray((made / "image.bin").read_bytes())
    data[1000] ^= 1
    result, code = inspect(written(made, data), "-k", made / "key.pem")
    assert code == 6 and "does not match" in result["digest"] and len(result["tlvs"]) == 5
    assert result["signature"] == "good for the digest it states"


@pytest.mark.parametrize("data,said", [
    (b"\xff" * 4096, "erased: all 4096 bytes are 0xff"),
    (b"\x00" * 512, "erased: all 512 bytes are 0x00"),
    (b"\xff" * 600 + b"x", "600 bytes of 0xff at its beginning"),
    (b"PK\3\4" + bytes(100), "bundle list"),
    (struct.pack("<I", 0x96f3b83c) + bytes(100), "legacy format (magic 0x96f3b83c)"),
    (b"not an image, but long enough to be one", "the magic is 0x20746f6e"),
], ids=["erased", "zero", "partly", "zip", "legacy", "text"])
def test_what_is_no_image_is_named(made, data, said):
    result, code = inspect(written(made, data))
    assert code == 6 and said in result["problem"] and "version" not in result


def test_an_erased_slot_may_have_a_trailer(made):
    magic = bytes.fromhex("77c295f360d2ef7f3552500f2cb67980")
    result, code = inspect(written(made, b"\xff" * 4080 + magic))
    assert code == 6 and result["trailer"]["magic"] == "good" and "version" not in result


def test_any_damage_is_reported_and_never_more(made):
    """Random bytes changed, with a fixed seed: a document and a true exit code each time."""
    whole = (made / "image.bin").read_bytes()
    chance = random.Random(4)
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(chance.randrange(1, 4)):
            at = chance.choice([chance.randrange(32), chance.randrange(3512, len(data))])
            data[at] = chance.randrange(256)
        inspect(written(made, data), "-k", made / "key.pem")


def test_version_says_what_the_option_says():
    assert ferry("version", check=0).stdout == ferry("--version", check=0).stdout
    assert ferry_json("version")["version"] in ferry("version", check=0).stdout
    ferry("version", "file", check=2)
