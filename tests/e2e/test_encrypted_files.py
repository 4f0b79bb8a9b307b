# SPDX-License-Identifier: Apache-2.0
"""The offline commands with encrypted images: what is said, and what is refused."""
import pytest

from lab import ferry, ferry_json, sign

PAYLOAD = bytes(i * 7 & 0xff for i in range(5001))

# scheme: type of key
SCHEMES = {"ecies-p256": "ecdsa-p256", "ecies-x25519": "x25519", "rsa-2048-oaep": "rsa-2048", "aes-kw": "kw"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Keys to sign and to encrypt with, and those of another device."""
    made = tmp_path_factory.mktemp("encrypted")
    (made / "app.bin").write_bytes(PAYLOAD)
    ferry("keygen", "-t", "ed25519", "-o", made / "sign.pem", check=0)
    for name in ("device", "other"):
        for kind in ("ecdsa-p256", "x25519", "rsa-2048"):
            ferry("keygen", "-t", kind, "-o", made / f"{name}-{kind}.key", check=0)
            ferry("pubkey", "-k", made / f"{name}-{kind}.key", "-o", made / f"{name}-{kind}.pub", check=0)
        for end in ("key", "pub"):
            (made / f"{name}-kw.{end}").write_bytes(bytes(i ^ len(name) for i in range(16)))
    return made


def encrypt(folder, scheme, out, *extra, check=0):
    return sign(folder / "sign.pem", "1.2.3", folder / "app.bin", out, "-E",
                folder / f"device-{SCHEMES[scheme]}.pub", *extra, check=check)


@pytest.mark.parametrize("bits", [128, 256])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_encrypted_image_and_its_keys(folder, tmp_path, scheme, bits):
    out, kind = tmp_path / "image.bin", SCHEMES[scheme]
    done = encrypt(folder, scheme, out, "--encrypt-keylen", bits)
    assert f"encryption {scheme}" in done.stdout
    assert all(PAYLOAD[at:at + 32] not in out.read_bytes() for at in range(0, 4096, 256))
    good = ferry_json("verify", "-k", folder / "sign.pem", "-E", folder / f"device-{kind}.key", out)
    assert good["payload"] == "decrypted" and good["signature"] == "ed25519"
    # Without the key: which scheme, what was checked, what to do.
    sealed = ferry("verify", "-k", folder / "sign.pem", out, check=6).stderr
    assert f"AES-{bits}, {scheme}" in sealed and "TLVs are good" in sealed and "-E KEY" in sealed
    assert "signature good for the digest it states" in sealed
    # Another device's key.
    other = ferry("verify", "-E", folder / f"other-{kind}.key", out, check=6).stderr
    assert "does not decrypt" in other and scheme in other and "next:" in other


@pytest.mark.parametrize("kind,options,good", [
    ("ed25519", ["--sha", "512"], "good for"), ("ecdsa-p384", [], "good for"), ("rsa-2048", [], "good for"),
    ("rsa-3072", ["--public-key-format", "full"], "good for"), ("ed25519", ["--pure"], "not checked: it is of")])
def test_what_can_be_seen_of_a_signature_without_the_plaintext(folder, tmp_path, kind, options, good):
    key, other, out = tmp_path / "key.pem", tmp_path / "other.pem", tmp_path / "image.bin"
    ferry("keygen", "-t", kind, "-o", key, check=0)
    ferry("keygen", "-t", kind, "-o", other, check=0)
    sign(key, "1.2.3", folder / "app.bin", out, "-E", folder / "device-x25519.pub", *options)
    said = {k: ferry("verify", *(["-k", k] if k else []), out, check=6).stderr for k in (key, other, None)}
    assert f"signature {good}" in said[key] and "give -k KEY" in said[None]
    assert "NOT by this key" in said[other] or "--pure" in options
    # Nothing is sent that another key signed; no device is asked.
    refused = ferry("-d", "serial:/nowhere", "update", "-k", other, out)
    assert refused.returncode == (3 if "--pure" in options else 6), refused.stderr
    assert ferry("-d", "serial:/nowhere", "update", "-k", key, out).returncode == 3


def test_every_image_has_a_key_of_its_own(folder, tmp_path):
    for out in ("a.bin", "b.bin"):
        encrypt(folder, "ecies-x25519", tmp_path / out)
    a, b = ((tmp_path / name).read_bytes()[512:512 + 4096] for name in ("a.bin", "b.bin"))
    assert a != b and sum(x == y for x, y in zip(a, b)) < 64


def test_inspect_says_how_it_is_encrypted(folder, tmp_path):
    out = tmp_path / "image.bin"
    encrypt(folder, "ecies-p256", out, "--encrypt-keylen", "256")
    sealed = ferry_json("inspect", out)
    assert sealed["flags"] == ["ENCRYPTED_AES256"] and sealed["image_size"] == 5008
    assert sealed["encryption"] == "AES-256, ecies-p256" and sealed["payload"] == "encrypted"
    assert "not checked" in sealed["digest"]
    assert [t["name"] for t in sealed["tlvs"]] == ["SHA256", "KEYHASH", "ED25519", "ENC_EC256"]
    opened = ferry_json("inspect", "-E", folder / "device-ecdsa-p256.key", out)
    assert opened["payload"] == "decrypted" and opened["digest"] == "good"


def test_damage_is_seen_through_the_encryption(folder, tmp_path):
    out = tmp_path / "image.bin"
    encrypt(folder, "ecies-x25519", out)
    data = bytearray(out.read_bytes())
    for at, exit_word in ((600, "digest"), (len(data) - 1, "does not decrypt"), (len(data) - 40, "does not")):
        damaged = bytearray(data)
        damaged[at] ^= 4
        out.write_bytes(damaged)
        said = ferry("verify", "-k", folder / "sign.pem", "-E", folder / "device-x25519.key", out, check=6)
        assert exit_word in said.stderr


def test_in_the_clear(folder, tmp_path):
    out = tmp_path / "image.bin"
    encrypt(folder, "ecies-x25519", out, "--clear")
    assert PAYLOAD in out.read_bytes()
    assert "in the clear" in ferry("verify", "-k", folder / "sign.pem", out, check=0).stdout
    assert ferry_json("inspect", out)["payload"] == "clear"


@pytest.mark.parametrize("words,said", [
    (["-E", "device-x25519.pub", "--encrypt-keylen", "192"], "128 or 256"),
    (["-E", "device-x25519.pub", "--hmac-sha", "384"], "auto, 256 or 512"),
    (["-E", "device-ecdsa-p256.pub", "--hmac-sha", "512"], "x25519"),
])
def test_wrong_options(folder, tmp_path, words, said):
    words = [folder / w if w.endswith(".pub") else w for w in words]
    done = ferry("sign", "-v", "1.0.0", "--pad-header", "-S", "0x8000", *words, folder / "app.bin",
                 tmp_path / "o.bin", check=2)
    assert said in done.stderr and not (tmp_path / "o.bin").exists()


@pytest.mark.parametrize("words", [["-c"], ["--hmac-sha", "512"], ["--save-enctlv"]])
def test_how_to_encrypt_for_nobody_is_warned_of(folder, tmp_path, words):
    """imgtool ignores them without a word; builds have them in lists that they share."""
    done = ferry("sign", "-v", "1.0.0", "--pad-header", "-S", "0x8000", *words, folder / "app.bin",
                 tmp_path / "o.bin", check=0)
    assert "-E KEY" in done.stderr and "not encrypted" in done.stderr
    assert "encryption none" in done.stdout


@pytest.mark.parametrize("kind", ["rsa-3072", "ecdsa-p384", "ed25519"])
def test_types_images_are_not_encrypted_for(folder, tmp_path, kind):
    ferry("keygen", "-t", kind, "-o", tmp_path / "key.pem", check=0)
    done = ferry("sign", "-v", "1.0.0", "--pad-header", "-S", "0x8000", "-E", tmp_path / "key.pem",
                 folder / "app.bin", tmp_path / "o.bin", check=1)
    assert "not encrypted for" in done.stderr and "x25519" in done.stderr


@pytest.mark.parametrize("name,said", [("app.bin", "no encryption key"),
                                       ("missing.pem", "cannot read")])
def test_files_that_are_no_encryption_keys(folder, tmp_path, name, said):
    done = ferry("sign", "-v", "1.0.0", "--pad-header", "-S", "0x8000", "-E", folder / name,
                 folder / "app.bin", tmp_path / "o.bin", check=1)
    assert said in done.stderr and "next:" in done.stderr


def test_public_keys_do_not_decrypt(folder, tmp_path):
    out = tmp_path / "image.bin"
    encrypt(folder, "ecies-x25519", out)
    done = ferry("verify", "-E", folder / "device-x25519.pub", out, check=1)
    assert "is a public key" in done.stderr


def test_x25519_keys_sign_nothing(folder, tmp_path):
    done = sign(folder / "device-x25519.key", "1.0.0", folder / "app.bin", tmp_path / "o.bin", check=1)
    assert "signs nothing" in done.stderr and "-E" in done.stderr
