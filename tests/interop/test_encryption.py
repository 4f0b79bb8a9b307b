# SPDX-License-Identifier: Apache-2.0
"""Encrypted images, both ways: imgtool encrypts and ferry decrypts; ferry encrypts, and
pyca/cryptography decrypts and imgtool verifies."""
import pathlib
import secrets
import subprocess

import pytest

import lab
from conftest import PEERS, peer
from lab import ferry, ferry_json

PAYLOAD = bytes(i * 31 & 0xff for i in range(20001))  # no whole AES block at the end

# scheme: (type of key, further options, ENC TLV, its length without the content key)
SCHEMES = {
    "rsa-2048-oaep": ("rsa-2048", [], "ENC_RSA2048", None),
    "ecies-p256": ("ecdsa-p256", [], "ENC_EC256", 97),
    "ecies-x25519": ("x25519", [], "ENC_X25519", 64),
    "ecies-x25519-sha512": ("x25519", ["--hmac-sha", "512"], "ENC_X25519_SHA512", 96),
    "aes-kw": ("kw", [], "ENC_KW", 8),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """One key to sign, and for each kind one to encrypt for, made by imgtool; and a firmware."""
    folder = tmp_path_factory.mktemp("encryption")
    (folder / "app.bin").write_bytes(PAYLOAD)
    ferry("keygen", "-t", "ed25519", "-o", folder / "sign.pem", check=0)
    for kind in ("rsa-2048", "ecdsa-p256", "x25519"):
        peer("imgtool", "keygen", "-k", folder / f"{kind}.key", "-t", kind)
        peer("imgtool", "getpub", "-k", folder / f"{kind}.key", "-e", "pem", "-o", folder / f"{kind}.pub")
    for name in ("kw.key", "kw.pub"):
        (folder / name).write_bytes(bytes(range(7, 39)))
    return folder


def decrypt(key, source, out):
    subprocess.run([PEERS / "venv" / "bin" / "python", pathlib.Path(__file__).parent / "decrypt_image.py",
                    key, source, out], check=True, timeout=60, stdin=subprocess.DEVNULL)
    return out.read_bytes()


def sign_arguments(files, scheme, bits, out):
    kind, options, _, _ = SCHEMES[scheme]
    return ["sign", "-k", files / "sign.pem", "-v", "1.2.3+4", "-H", "0x200", "--pad-header", "-S",
            hex(lab.SLOT_SIZE), "--align", 8, "-E", files / f"{kind}.pub", "--encrypt-keylen", bits,
            *options, files / "app.bin", out]


@pytest.mark.parametrize("bits", [128, 256])
@pytest.mark.parametrize("scheme", [s for s in SCHEMES if s != "aes-kw"])  # imgtool has no AES-KW
def test_imgtool_encrypts_ferry_decrypts(files, tmp_path, scheme, bits):
    out = tmp_path / "imgtool.bin"
    kind = SCHEMES[scheme][0]
    peer("imgtool", *sign_arguments(files, scheme, bits, out))
    assert PAYLOAD[:256] not in out.read_bytes()
    sealed = ferry("verify", "-k", files / "sign.pem", out, check=6)
    assert f"AES-{bits}, {scheme}" in sealed.stderr and "-E KEY" in sealed.stderr
    result = ferry_json("verify", "-k", files / "sign.pem", "-E", files / f"{kind}.key", out)
    assert result["payload"] == "decrypted" and result["version"] == "1.2.3.4"


@pytest.mark.parametrize("bits", [128, 256])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_ferry_encrypts_others_decrypt(files, tmp_path, scheme, bits):
    out = tmp_path / "ferry.bin"
    kind, _, tlv, fixed = SCHEMES[scheme]
    ferry(*sign_arguments(files, scheme, bits, out), check=0)
    assert PAYLOAD[:256] not in out.read_bytes()
    plain = decrypt(files / f"{kind}.key", out, tmp_path / "plain.bin")
    assert plain[0x200:0x200 + len(PAYLOAD)] == PAYLOAD
    text = peer("imgtool", "verify", "-k", files / "sign.pem", tmp_path / "plain.bin").stdout
    assert "1.2.3+4" in text and "correctly validated" in text
    row = [t for t in ferry_json("inspect", out)["tlvs"] if t["name"] == tlv]
    assert [t["len"] for t in row] == [256 if fixed is None else fixed + bits // 8]
    dump = peer("imgtool", "dumpinfo", out).stdout
    assert tlv.replace("ENC_", "ENC") in dump


@pytest.mark.parametrize("bits", [128, 256])
@pytest.mark.parametrize("scheme", [s for s in SCHEMES if s != "aes-kw"])
def test_both_make_the_same_but_for_what_is_random(files, tmp_path, scheme, bits):
    """Header, plaintext, digest, key hash and signature are equal, and the order of all TLVs."""
    ours, theirs = tmp_path / "ours.bin", tmp_path / "theirs.bin"
    kind = SCHEMES[scheme][0]
    ferry(*sign_arguments(files, scheme, bits, ours), check=0)
    peer("imgtool", *sign_arguments(files, scheme, bits, theirs))
    a = decrypt(files / f"{kind}.key", ours, tmp_path / "a.bin")
    b = decrypt(files / f"{kind}.key", theirs, tmp_path / "b.bin")
    wrapped = ferry_json("inspect", ours)["tlvs"][-1]["len"]
    assert len(a) == len(b) and a[:-wrapped] == b[:-wrapped]


def test_in_the_clear_both_ways(files, tmp_path):
    """--clear: flag and wrapped key, plaintext; for the primary slot."""
    ours, theirs = tmp_path / "ours.bin", tmp_path / "theirs.bin"
    ferry(*sign_arguments(files, "ecies-x25519", 128, ours), "--clear", check=0)
    peer("imgtool", *sign_arguments(files, "ecies-x25519", 128, theirs), "--clear")
    assert ours.read_bytes()[:-80] == theirs.read_bytes()[:-80]
    peer("imgtool", "verify", "-k", files / "sign.pem", ours)
    for image in (ours, theirs):
        for extra in ([], ["-E", files / "x25519.key"]):
            assert ferry_json("verify", "-k", files / "sign.pem", *extra, image)["payload"] == "clear"


@pytest.mark.parametrize("align", [8, 16, 32])
@pytest.mark.parametrize("options", [[], ["--save-enctlv"]])
@pytest.mark.parametrize("scheme", ["ecies-p256", "rsa-2048-oaep"])
def test_room_for_keys_in_the_trailer_is_imgtools(files, tmp_path, scheme, options, align):
    """The largest image that fits is the same; where ENC TLVs are kept, less by what Ferry's
    bootloader says of them beside: 20 bytes for each of both images, in whole units."""
    kind = SCHEMES[scheme][0]
    source, out = tmp_path / "app.bin", tmp_path / "out.bin"
    arguments = ["-k", files / "sign.pem", "-v", "1.0.0", "--pad-header", "-H", "32", "-S", "0x10000", "-E",
                 files / f"{kind}.pub", "--align", align, *options, source, out]
    source.write_bytes(bytes(16))
    room = ferry_json("sign", *arguments)["slot_room"]
    overhead = ferry_json("inspect", out)["size"] - 16
    more = 2 * ((20 + align - 1) // align * align) if options else 0
    most = (room - overhead) // 16 * 16
    for payload, good in ((most, True), (most + 1, False)):
        source.write_bytes(bytes(payload))
        ferry("sign", *arguments, check=0 if good else 6)
    most = (room + more - overhead) // 16 * 16
    for payload, good in ((most, True), (most + 1, False)):
        source.write_bytes(bytes(payload))
        done = peer("imgtool", "sign", "--max-align", align, *arguments, check=False)
        assert (done.returncode == 0) == good, done.stderr


@pytest.mark.parametrize("kind", ["ecdsa-p256", "x25519"])
def test_keys_of_ferry_are_taken_by_imgtool(files, tmp_path, kind):
    key, out = tmp_path / "key.pem", tmp_path / "out.bin"
    ferry("keygen", "-t", kind, "-o", key, check=0)
    peer("imgtool", "sign", "-v", "1.0.0", "-H", "32", "--pad-header", "-S", "0x8000", "-E", key,
         files / "app.bin", out)
    assert ferry_json("verify", "-E", key, out)["payload"] == "decrypted"


def test_an_aes_key_in_base64(files, tmp_path):
    """MCUboot keeps its sample key encryption keys as lines of base64."""
    import base64
    raw, text, out = tmp_path / "raw", tmp_path / "text.b64", tmp_path / "out.bin"
    key = secrets.token_bytes(16)
    raw.write_bytes(key)
    text.write_bytes(base64.b64encode(key) + b"\n")
    ferry("sign", "-v", "1.0.0", "--pad-header", "-S", "0x8000", "-E", text, files / "app.bin", out, check=0)
    assert decrypt(raw, out, tmp_path / "plain.bin")[32:32 + len(PAYLOAD)] == PAYLOAD
    assert ferry_json("verify", "-E", raw, out)["payload"] == "decrypted"
