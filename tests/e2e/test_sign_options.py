# SPDX-License-Identifier: Apache-2.0
"""`ferry sign`: signatures made outside and written to files, byte order, and what is refused: then
with a message that says what to do, and nothing half written."""
import base64
import os
import stat
import struct
import subprocess

import pytest

from lab import FERRY, ferry, ferry_json

SLOT = "0x10000"
FIRMWARE = bytes(i * 13 & 0xff for i in range(3001))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("options")
    for kind in ("ed25519", "ecdsa-p256", "ecdsa-p384", "rsa-2048", "x25519"):
        key = made / f"{kind}.pem"
        ferry("keygen", "-t", kind, "-o", key, check=0)
        subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", made / f"{kind}.pub"],
                       check=True, timeout=60)
    (made / "app.bin").write_bytes(FIRMWARE)
    return made


def make(folder, out, *options, check=0, version="1.2.3", source="app.bin"):
    return ferry("sign", "-v", version, "-H", "0x200", "--pad-header", "-S", SLOT, *options,
                 folder / source, out, check=check)


def hsm(folder, kind, message, tmp_path):
    """A signature as someone makes it who has the key and nothing else of ours."""
    (tmp_path / "message").write_bytes(message)
    words = ["openssl", "pkeyutl", "-sign", "-inkey", folder / f"{kind}.pem", "-in",
             tmp_path / "message", "-out", tmp_path / "raw"]
    if kind == "ed25519":
        words.append("-rawin")
    if kind.startswith("rsa"):
        for option in ("digest:sha256", "rsa_padding_mode:pss", "rsa_pss_saltlen:32"):
            words += ["-pkeyopt", option]
    subprocess.run(words, check=True, timeout=60)
    (tmp_path / "signature").write_bytes(base64.encodebytes((tmp_path / "raw").read_bytes()))
    return tmp_path / "signature"


# ---- Signatures made outside -------------------------------------------------------------


@pytest.mark.parametrize("kind,options", [
    ("ed25519", ["--pure"]), ("ed25519", []), ("ed25519", ["--sha", "512"]), ("ecdsa-p256", []),
    ("ecdsa-p384", ["--boot-record", "SPE"]), ("rsa-2048", ["--public-key-format", "full"]),
])
def test_a_signature_made_outside(folder, tmp_path, kind, options):
    out, key = tmp_path / "out.bin", ["--fix-sig-pubkey", folder / f"{kind}.pub"]
    what = "payload" if "--pure" in options else "digest"
    done = make(folder, out, *options, *key, "--vector-to-sign", what)
    assert "to sign" in done.stdout and not done.stderr
    signature = hsm(folder, kind, out.read_bytes(), tmp_path)
    make(folder, out, *options, *key, "--fix-sig", signature, "--pad")
    assert out.stat().st_size == int(SLOT, 0)
    ferry("verify", "-k", folder / f"{kind}.pub", out, check=0)
    assert kind in ferry("sign", "-v", "1.2.3", "-H", "0x200", "--pad-header", "-S", SLOT, *options,
                         *key, "--fix-sig", signature, folder / "app.bin", out, check=0).stdout


def test_a_signature_made_outside_of_an_encrypted_image(folder, tmp_path):
    """The content key is new each time; what is signed is the plaintext."""
    out, key = tmp_path / "out.bin", ["--fix-sig-pubkey", folder / "ed25519.pub"]
    encrypt = ["-E", folder / "x25519.pub", "--encrypt-keylen", "256"]
    make(folder, out, *encrypt, *key, "--vector-to-sign", "payload")
    payload = out.read_bytes()
    assert FIRMWARE in payload
    make(folder, out, *encrypt, *key, "--vector-to-sign", "digest")
    signature = hsm(folder, "ed25519", out.read_bytes(), tmp_path)
    make(folder, out, *encrypt, *key, "--fix-sig", signature)
    assert FIRMWARE[:64] not in out.read_bytes()
    ferry("verify", "-k", folder / "ed25519.pub", "-E", folder / "x25519.pem", out, check=0)


@pytest.mark.parametrize("other", [["-s", "4"], ["-v", "1.2.4"], ["-L", "0x1000"], ["--sha", "512"]])
def test_a_signature_of_something_else_is_refused(folder, tmp_path, other):
    """imgtool writes such an image, and the device refuses it."""
    out, key = tmp_path / "out.bin", ["--fix-sig-pubkey", folder / "ed25519.pub"]
    make(folder, tmp_path / "vector", *key, "--vector-to-sign", "digest")
    signature = hsm(folder, "ed25519", (tmp_path / "vector").read_bytes(), tmp_path)
    out.write_bytes(b"before")
    done = make(folder, out, *key, "--fix-sig", signature, *other, check=6)
    assert "not the key's over this image" in done.stderr and "why:" in done.stderr
    assert out.read_bytes() == b"before"
    make(folder, out, "--fix-sig-pubkey", folder / "ecdsa-p256.pub", "--fix-sig", signature, check=6)
    assert out.read_bytes() == b"before"
    make(folder, out, *key, "--fix-sig", signature)


@pytest.mark.parametrize("text", [b"", b"\n", b"AA", b"A===", b"<xml>", b"AAAA" * 200, bytes(64)])
def test_what_is_no_signature_is_refused(folder, tmp_path, text):
    (tmp_path / "signature").write_bytes(text)
    done = make(folder, tmp_path / "out.bin", "--fix-sig-pubkey", folder / "ed25519.pub", "--fix-sig",
                tmp_path / "signature", check=6)
    assert "base64" in done.stderr and not (tmp_path / "out.bin").exists()


@pytest.mark.parametrize("words,said", [
    (["--fix-sig", "app.bin"], "--fix-sig-pubkey KEY"),
    (["--fix-sig-pubkey", "ed25519.pub"], "--fix-sig FILE"),
    (["--fix-sig", "app.bin", "--fix-sig-pubkey", "ed25519.pub", "-k", "ed25519.pem"], "excludes -k"),
    (["--fix-sig", "app.bin", "--fix-sig-pubkey", "ed25519.pub", "--vector-to-sign", "digest"],
     "excludes --vector-to-sign"),
    (["-k", "ed25519.pem", "--fix-sig-pubkey", "ed25519.pub", "--vector-to-sign", "digest"], "both"),
    (["--vector-to-sign", "digest", "--pure"], "--vector-to-sign payload"),
    (["--vector-to-sign", "image"], "payload or digest"),
    (["--pure"], "nothing signs"),
    (["--compression", "lzma2", "--vector-to-sign", "digest"], "two signatures"),
    (["--sig-out", "SIG"], "one signature"),
    (["--sig-out", "SIG", "-k", "ed25519.pem", "-k", "ecdsa-p256.pem"], "one signature"),
    (["--sig-out", "SIG", "-k", "ed25519.pem", "--vector-to-sign", "digest"], "one signature"),
])
def test_who_signs_is_clear(folder, tmp_path, words, said):
    words = [folder / w if "." in w else tmp_path / w if w == "SIG" else w for w in words]
    done = make(folder, tmp_path / "out.bin", *words, check=2)
    assert said in done.stderr and "next:" in done.stderr
    assert os.listdir(tmp_path) == []


def test_a_published_key_is_warned_of_outside_too(folder, tmp_path):
    keys = os.path.join(os.path.dirname(__file__), "..", "data")
    published = [os.path.join(at, name) for at, _, names in os.walk(keys) for name in names
                 if name.endswith(".pem")]
    for key in published[:1]:
        done = make(folder, tmp_path / "v", "--fix-sig-pubkey", key, "--vector-to-sign", "digest")
        assert "development key" in done.stderr
        make(folder, tmp_path / "v", "--production", "--fix-sig-pubkey", key, "--vector-to-sign",
             "digest", check=6)


def test_an_image_that_might_be_a_digest_is_not_signed_itself(folder, tmp_path):
    """Ferry's bootloader refuses such a signature, lest one of a digest passes for it."""
    (tmp_path / "app.bin").write_bytes(bytes(32))
    words = ["sign", "-v", "1", "-S", SLOT, "--pad-header", "-k", folder / "ed25519.pem",
             tmp_path / "app.bin", tmp_path / "out.bin"]
    ferry(*words, check=0)
    (tmp_path / "out.bin").unlink()
    assert "too short" in ferry(*words, "--pure", check=6).stderr
    assert not (tmp_path / "out.bin").exists()
    (tmp_path / "app.bin").write_bytes(bytes(33))
    ferry(*words, "--pure", check=0)
    ferry("verify", "-k", folder / "ed25519.pem", tmp_path / "out.bin", check=0)


# ---- Signatures in files -----------------------------------------------------------------


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa-p256", "rsa-2048"])
def test_the_signature_goes_to_a_file_too(folder, tmp_path, kind):
    out, signature = tmp_path / "out.bin", tmp_path / "sig"
    make(folder, out, "-k", folder / f"{kind}.pem", "--sig-out", signature)
    raw = base64.b64decode(signature.read_bytes(), validate=True)
    assert raw == bytes.fromhex(ferry_json("inspect", out)["tlvs"][-1]["data"])
    make(folder, tmp_path / "again.bin", "--fix-sig", signature, "--fix-sig-pubkey",
         folder / f"{kind}.pub")
    assert (tmp_path / "again.bin").read_bytes() == out.read_bytes()


@pytest.mark.parametrize("before", [None, b"old"])
def test_both_files_or_none(folder, tmp_path, before):
    signature = tmp_path / "sig"
    if before is not None:
        signature.write_bytes(before)
    for out in ("/dev/full", tmp_path / "no" / "folder"):
        done = make(folder, out, "-k", folder / "ed25519.pem", "--sig-out", signature, check=1)
        assert "cannot write" in done.stderr and "next:" in done.stderr
        assert (signature.read_bytes() if signature.exists() else None) == before
    for bad in ("/dev/full", tmp_path / "no" / "folder"):
        make(folder, tmp_path / "out.bin", "-k", folder / "ed25519.pem", "--sig-out", bad, check=1)
    assert os.listdir(tmp_path) == ([] if before is None else ["sig"])
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


def test_a_signature_on_standard_output_stands_alone(folder, tmp_path):
    done = make(folder, tmp_path / "out.bin", "-k", folder / "ed25519.pem", "--sig-out", "-")
    assert len(base64.b64decode(done.stdout, validate=True)) == 64 and "version 1.2.3" in done.stderr
    for same in ("-", tmp_path / "same"):
        done = make(folder, same, "-k", folder / "ed25519.pem", "--sig-out", same, check=2)
        assert "another file" in done.stderr and not done.stdout
    assert os.listdir(tmp_path) == ["out.bin"]


def test_padded_signatures_are_of_one_size(folder, tmp_path):
    """DER of 70 to 72 bytes becomes 72, with zeros that its length does not count."""
    for kind, size in (("ecdsa-p256", 72), ("ecdsa-p384", 103)):
        for number in range(6):
            make(folder, tmp_path / "o", "-k", folder / f"{kind}.pem", "--pad-sig",
                 version=f"1.{number}")
            value = bytes.fromhex(ferry_json("inspect", tmp_path / "o")["tlvs"][-1]["data"])
            assert len(value) == max(size, value[1] + 2) and not any(value[value[1] + 2:])
    make(folder, tmp_path / "a", "-k", folder / "ed25519.pem", "--pad-sig")
    make(folder, tmp_path / "b", "-k", folder / "ed25519.pem")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


# ---- Byte order, numbers, trailers -------------------------------------------------------


def test_big_endian(folder, tmp_path):
    out = tmp_path / "out.bin"
    make(folder, out, "-k", folder / "ed25519.pem", "-e", "big", "-s", "7", "--align", "16", "--pad")
    data = out.read_bytes()
    assert struct.unpack_from(">IIHHIIBBH", data) == (0x96f3b83d, 0, 0x200, 12, len(FIRMWARE), 0, 1,
                                                      2, 3)
    assert struct.unpack_from(">HHBBHI", data, 0x200 + len(FIRMWARE)) == (0x6908, 12, 0x50, 0, 4, 7)
    assert data[-16:-14] == b"\x00\x10"
    done = ferry("verify", out, check=6)
    assert "big-endian" in done.stderr and "next:" in done.stderr


@pytest.mark.parametrize("text", ["512", "0x200", "0X200", "0o1000", "0b1000000000", "5_12",
                                  "0x_200", " 512 ", "+512"])
def test_numbers_are_pythons(folder, tmp_path, text):
    make(folder, tmp_path / "out", "-L", text)
    assert struct.unpack_from("<I", (tmp_path / "out").read_bytes(), 4) == (512,)


@pytest.mark.parametrize("text", ["0512", "5__12", "_512", "512_", "0x", "0b2", "0o8", "-1", "", "5 2",
                                  "1e3", "0x100000000", "512L", "0_x12", "0x0x12", "0b0b1"])
def test_what_is_no_number(folder, tmp_path, text):
    done = make(folder, tmp_path / "out", "-L", text, check=2)
    assert "give a number" in done.stderr and not (tmp_path / "out").exists()


@pytest.mark.parametrize("version", ["", "1.", ".1", "01.2.3", "1.2.3.4", "1.2.3+", "256.0.0",
                                     "1.256.0", "1.2.65536", "1.2.3+4294967296", "1.2.3+1+2", "v1",
                                     "1.2.3 ", "-1", "99999999999999999999"])
def test_versions_out_of_range(folder, tmp_path, version):
    done = make(folder, tmp_path / "out", version=version, check=2)
    assert "1.2.3+4" in done.stderr and not (tmp_path / "out").exists()


def test_test_is_pad(folder, tmp_path):
    for option in ("--pad", "--test"):
        make(folder, tmp_path / option, "-k", folder / "ed25519.pem", option)
    assert (tmp_path / "--pad").read_bytes() == (tmp_path / "--test").read_bytes()


def test_an_overwriting_bootloader_is_asked_with_the_magic_alone(folder, tmp_path):
    for option in ("--pad", "--confirm"):
        make(folder, tmp_path / option, "-k", folder / "ed25519.pem", "--overwrite-only", option)
    assert (tmp_path / "--pad").read_bytes() == (tmp_path / "--confirm").read_bytes()


def test_a_slot_of_no_size_is_not_checked(folder, tmp_path):
    words = ["sign", "-v", "1", "-k", folder / "ed25519.pem", "--pad-header", "-S", "0"]
    ferry(*words, folder / "app.bin", tmp_path / "out", check=0)
    ferry("verify", "-k", folder / "ed25519.pem", tmp_path / "out", check=0)
    done = ferry(*words, "--pad", folder / "app.bin", tmp_path / "padded", check=2)
    assert "-S" in done.stderr and not (tmp_path / "padded").exists()


def test_create_is_sign(folder, tmp_path):
    words = ["-v", "1", "-H", "32", "--pad-header", "-S", SLOT, folder / "app.bin"]
    ferry("create", *words, tmp_path / "a", check=0)
    ferry("sign", *words, tmp_path / "b", check=0)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


# ---- Refused, with nothing left behind ---------------------------------------------------


@pytest.mark.parametrize("code,words,said", [
    (2, ["--custom-tlv", "0x9f", "x"], "0xa0"),
    (2, ["--custom-tlv", "0x50", "x"], "0xa0"),
    (1, ["-k", "ed25519.pub"], "give the private key"),
    (1, ["-k", "x25519.pem"], "x25519"),
    (1, ["-k", "app.bin"], "app.bin"),
    (1, ["-k", "missing.pem"], "cannot read"),
    (1, ["-E", "missing.pem"], "cannot read"),
    (1, ["--custom-tlv-file", "0xa0", "missing.bin"], "cannot read"),
    (1, ["--fix-sig-pubkey", "x25519.pub", "--vector-to-sign", "digest"], "x25519"),
    (1, ["--fix-sig-pubkey", "ed25519.pub", "--fix-sig", "missing.sig"], "cannot read"),
    (2, ["-k", "ecdsa-p256.pem", "--sha", "512"], "sha512"),
    (2, ["-e", "middle"], "little or big"),
    (2, ["--align", "64"], "--align"),
    (2, ["--align", "32", "--max-align", "8"], "raise --max-align"),
    (2, ["-R", "1"], "0 or 0xff"),
    (2, ["-H", "31"], "from 32"),
    (6, ["-S", "3000"], "too large"),
])
def test_refused(folder, tmp_path, code, words, said):
    words = [folder / w if w[-4:] in (".pem", ".pub", ".bin", ".sig") else w for w in words]
    done = make(folder, tmp_path / "out.bin", *words, check=code)
    assert said in done.stderr and done.stderr.count("ferry: ") >= 1
    assert os.listdir(tmp_path) == []


def test_a_full_disk(folder):
    done = make(folder, "/dev/full", "-k", folder / "ed25519.pem", check=1)
    assert "cannot write /dev/full" in done.stderr and "next:" in done.stderr


def test_a_missing_input(folder, tmp_path):
    done = make(folder, tmp_path / "out", source="missing.bin", check=1)
    assert "cannot read" in done.stderr and os.listdir(tmp_path) == []


def test_json_says_what_was_made(folder, tmp_path):
    out = tmp_path / "out.bin"
    words = ["sign", "-v", "1.2.3", "-e", "big", "--pad-header", "-S", SLOT, folder / "app.bin", out]
    made = ferry_json(*words)
    assert made["version"] == "1.2.3" or made["version"] == "1.2.3.0"
    assert made["size"] == out.stat().st_size and len(made["hash"]) == 64
    made = ferry_json(*words[:-2], "--vector-to-sign", "digest", *words[-2:])
    assert made["vector"] == "digest" and made["size"] == out.stat().st_size == 32
    assert FERRY.exists()
