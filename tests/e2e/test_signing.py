# SPDX-License-Identifier: Apache-2.0
"""`ferry sign`: digests, forms of keys, several signatures, and what an image says of itself."""
import hashlib
import struct
import uuid

import pytest

from lab import ferry, ferry_json, sign

TYPES = ["rsa-2048", "rsa-3072", "ecdsa-p256", "ecdsa-p384", "ed25519"]


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    folder = tmp_path_factory.mktemp("signing")
    for kind in TYPES:
        ferry("keygen", "-t", kind, "-o", folder / f"{kind}.pem", check=0)
    ferry("keygen", "-t", "ed25519", "-o", folder / "other.pem", check=0)
    (folder / "app.bin").write_bytes(bytes(i * 7 & 0xff for i in range(5000)))
    return folder


def make(bench, *options, key="ed25519", version="1.2.3+4", check=0):
    out = bench / "out.bin"
    return out, sign(bench / f"{key}.pem", version, bench / "app.bin", out, *options, check=check)


def tlvs(image, area):
    return {t["name"]: t["data"] for t in ferry_json("inspect", image)["tlvs"] if t["area"] == area}


@pytest.mark.parametrize("key,sha,good", [
    *((k, "256", k != "ecdsa-p384") for k in TYPES),
    *((k, "384", k == "ecdsa-p384") for k in TYPES),
    *((k, "512", k == "ed25519") for k in TYPES),
])
def test_digests_go_with_keys(bench, key, sha, good):
    out, done = make(bench, "--sha", sha, key=key, check=0 if good else 2)
    if good:
        result = ferry_json("verify", "-k", bench / f"{key}.pem", out)
        end = 512 + 5000
        assert result["hash"] == hashlib.new(f"sha{sha}", out.read_bytes()[:end]).hexdigest()
    else:
        assert f"does not sign images with sha{sha}" in done.stderr and "next:" in done.stderr


def test_pure_signatures(bench):
    out, _ = make(bench, "--pure")
    found = tlvs(out, "unprotected")
    assert list(found) == ["SHA512", "SIG_PURE", "KEYHASH", "ED25519"] and found["SIG_PURE"] == "01"
    ferry("verify", "-k", bench / "ed25519.pem", out, check=0)
    data = bytearray(out.read_bytes())
    data[-1] ^= 1
    out.write_bytes(data)
    assert "signature" in ferry("verify", "-k", bench / "ed25519.pem", out, check=6).stderr
    ferry("verify", "-k", bench / "other.pem", out, check=6)
    assert "cannot sign an image itself" in make(bench, "--pure", key="rsa-2048", check=2)[1].stderr
    assert "leave out --sha" in make(bench, "--pure", "--sha", "512", check=2)[1].stderr


@pytest.mark.parametrize("key", TYPES)
def test_the_whole_key(bench, key):
    out, _ = make(bench, "--public-key-format", "full", key=key)
    sizes = {"rsa-2048": 270, "rsa-3072": 398, "ecdsa-p256": 91, "ecdsa-p384": 120, "ed25519": 44}
    lengths = {t["name"]: t["len"] for t in ferry_json("inspect", out)["tlvs"]}
    assert lengths["PUBKEY"] == sizes[key] and "KEYHASH" not in lengths
    ferry("verify", "-k", bench / f"{key}.pem", out, check=0)


def test_several_keys(bench):
    keys = ["rsa-3072", "ecdsa-p256", "rsa-2048"]
    options = [o for k in keys for o in ("-k", bench / f"{k}.pem")]
    out, done = make(bench, *options)
    assert "signature ed25519, rsa-3072, ecdsa-p256, rsa-2048" in done.stdout
    for key in ["ed25519"] + keys:
        ferry("verify", "-k", bench / f"{key}.pem", out, check=0)
    ferry("verify", "-k", bench / "other.pem", out, check=6)
    _, done = make(bench, "-k", bench / "ecdsa-p384.pem", check=2)
    assert "ecdsa-p384 does not sign images with sha256" in done.stderr
    _, done = make(bench, *["-k", bench / "ed25519.pem"] * 8, check=2)
    assert "8 signatures" in done.stderr


def test_what_an_image_says_of_itself(bench):
    out, _ = make(bench, "-d", "(1,1.2.3+4), (2,0.9)", "--boot-record", "App", "-s", "auto",
                  "--custom-tlv", "0xbeef", "text", "--cid", "board", "--vid", "example.org",
                  "--custom-tlv", "0xa0", "0x00ff", "--non-bootable")
    vendor = uuid.uuid5(uuid.NAMESPACE_DNS, "example.org")
    shown = [(t["type"], t["data"]) for t in ferry_json("inspect", out)["tlvs"]
             if t["area"] == "protected"]
    assert [t for t, _ in shown] == [0x50, 0x60, 0x40, 0x40, 0x74, 0x75, 0xbeef, 0xa0]
    data = [bytes.fromhex(d) for _, d in shown]
    assert data[0] == struct.pack("<I", 1 << 24 | 2 << 16 | 3)
    assert data[1].endswith(bytes(32)) and b"\x63App\x04\x651.2.3" in data[1]
    assert data[2] == struct.pack("<B3xBBHI", 1, 1, 2, 3, 4)
    assert data[3] == struct.pack("<B3xBBHI", 2, 0, 9, 0, 0)
    assert data[4] == vendor.bytes and data[5] == uuid.uuid5(vendor, "board").bytes
    assert data[6] == b"text" and data[7] == bytes([0, 0xff])
    assert ferry_json("inspect", out)["flags"] == ["NON_BOOTABLE"]
    words = ferry("inspect", out, check=0).stdout
    for said in ("security counter 16908291", "measured as App 1.2.3", "image 1 must be 1.2.3.4 or later",
                 "image 2 must be 0.9.0 or later", str(vendor), '"text"', "00ff"):
        assert said in words, words
    ferry("verify", "-k", bench / "ed25519.pem", out, check=0)


def test_uuids_as_they_are(bench):
    raw = uuid.UUID("01234567-89ab-cdef-0123-456789abcdef")
    for text in (str(raw), raw.hex, str(raw).upper()):
        out, _ = make(bench, "--vid", text, "--cid", raw.hex)
        assert tlvs(out, "protected") == {"UUID_VID": raw.hex, "UUID_CID": raw.hex}


def test_a_tlv_of_a_file(bench):
    (bench / "value").write_bytes(bytes(range(100)))
    out, _ = make(bench, "--custom-tlv-file", "0x1234", bench / "value")
    assert list(tlvs(out, "protected").values()) == [bytes(range(100)).hex()]
    (bench / "value").write_bytes(bytes(66000))
    _, done = make(bench, "--custom-tlv-file", "0x1234", bench / "value", check=2)
    assert "65535" in done.stderr


@pytest.mark.parametrize("options", [
    ["--sha", "1"], ["--public-key-format", "pem"], ["-s", "none"], ["-s", "-1"],
    ["-d", "1,1.0"], ["-d", "(1)"], ["-d", "(256,1.0)"], ["-d", "(1,1.0)x"], ["-d", ""],
    ["--boot-record", "much-too-long-a-name"],
    ["--custom-tlv", "0x9f", "x"], ["--custom-tlv", "0xffff", "x"],
    ["--custom-tlv", "0xa0", "0x123"], ["--custom-tlv", "0xa0", "0xzz"],
    ["--custom-tlv", "0xa0", "x", "--custom-tlv", "0xa0", "y"],
    ["--cid", "board"], ["--vid", ""],
])
def test_wrong_values_say_what_to_do(bench, options):
    _, done = make(bench, *options, check=2)
    assert done.stderr.startswith("ferry: ") and "next:" in done.stderr
