# SPDX-License-Identifier: Apache-2.0
"""The real imgtool, both ways, both key types; trailers byte for byte."""
import subprocess

import pytest

import lab
from conftest import peer
from lab import ferry, ferry_json

PAYLOAD = bytes(i * 31 & 0xff for i in range(20000))


@pytest.fixture
def raw(tmp_path):
    path = tmp_path / "app.bin"
    path.write_bytes(PAYLOAD)
    return path


def imgtool_sign(key, source, out, *extra, align=8, version="1.2.3+4"):
    peer("imgtool", "sign", "-k", key, "-v", version, "-H", "0x200", "--pad-header", "-S",
         hex(lab.SLOT_SIZE), "--align", align, *extra, source, out)


def test_ferry_signs_imgtool_verifies(key_bench, raw, tmp_path):
    out = tmp_path / "ferry.bin"
    lab.sign(key_bench.key, "1.2.3+4", raw, out)
    text = peer("imgtool", "verify", "-k", key_bench.key, out).stdout
    assert "1.2.3+4" in text and "correctly validated" in text
    digest = ferry_json("verify", "-k", key_bench.key, out)["hash"]
    assert digest in text.replace(" ", "")


def test_imgtool_signs_ferry_verifies(key_bench, raw, tmp_path):
    out = tmp_path / "imgtool.bin"
    imgtool_sign(key_bench.key, raw, out)
    result = ferry_json("verify", "-k", key_bench.key, out)
    assert result["version"] == "1.2.3.4"


def test_keys_of_imgtool_are_taken(tmp_path, raw):
    for kind in ("ecdsa-p256", "ed25519"):
        key = tmp_path / f"{kind}.pem"
        peer("imgtool", "keygen", "-k", key, "-t", kind)
        out = tmp_path / f"{kind}.bin"
        lab.sign(key, "1.0.0", raw, out)
        peer("imgtool", "verify", "-k", key, out)


def test_both_make_the_same_bytes_up_to_the_signature(key_bench, raw, tmp_path):
    ours, theirs = tmp_path / "ours.bin", tmp_path / "theirs.bin"
    lab.sign(key_bench.key, "1.2.3+4", raw, ours)
    imgtool_sign(key_bench.key, raw, theirs)
    fixed = 0x200 + len(PAYLOAD)
    a, b = ours.read_bytes(), theirs.read_bytes()
    assert a[:fixed] == b[:fixed]
    # TLV info's length holds the signature's, which differs from signing to signing (ECDSA).
    assert a[fixed:fixed + 2] == b[fixed:fixed + 2]
    assert a[fixed + 4:fixed + 4 + 36 + 36 + 2] == b[fixed + 4:fixed + 4 + 36 + 36 + 2]
    if "ed25519" in str(key_bench.folder):
        assert a == b


@pytest.mark.parametrize("align", [1, 2, 4, 8, 16, 32])
@pytest.mark.parametrize("option", ["--pad", "--confirm"])
def test_trailers_equal_imgtools(bench, raw, tmp_path, align, option):
    ours, theirs = tmp_path / "ours.bin", tmp_path / "theirs.bin"
    lab.ferry("sign", "-k", bench.key, "-v", "1.2.3", "-H", "512", "--pad-header", "-S",
              hex(lab.SLOT_SIZE), "--align", align, option, raw, ours, check=0)
    imgtool_sign(bench.key, raw, theirs, option, align=align, version="1.2.3")
    a, b = ours.read_bytes(), theirs.read_bytes()
    assert len(a) == len(b) == lab.SLOT_SIZE
    assert a[-2048:] == b[-2048:]
    text = peer("imgtool", "dumpinfo", ours).stdout
    assert "magic" in text.lower()


def test_an_image_of_imgtool_boots(key_bench, tmp_path):
    """Signed by the real imgtool, programmed at the factory, and as an update."""
    first, second = tmp_path / "first.bin", tmp_path / "second.bin"
    imgtool_sign(key_bench.key, lab.FIRMWARE / "app-v1.elf", first, version="1.0.0")
    imgtool_sign(key_bench.key, lab.FIRMWARE / "app-v2.elf", second, version="2.0.0")
    key_bench.images["imgtool"] = first
    with lab.Device(tmp_path / "d", key_bench, image="imgtool") as device:
        device.wait_for(r"app 1\.0\.0")
        ferry("update", second, device=device.uri, check=0)
        assert ferry_json("image", "list", device=device.uri)["images"][0]["version"] == "2.0.0"


def test_damage_is_seen_by_both(bench, raw, tmp_path):
    out = tmp_path / "bad.bin"
    lab.sign(bench.key, "1.2.3", raw, out)
    data = bytearray(out.read_bytes())
    data[0x300] ^= 1
    out.write_bytes(data)
    ferry("verify", "-k", bench.key, out, check=6)
    assert peer("imgtool", "verify", "-k", bench.key, out, check=False).returncode != 0
