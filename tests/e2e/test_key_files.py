# SPDX-License-Identifier: Apache-2.0
"""Key files: made, read in every form OpenSSL writes, protected by passwords, and given out in the
forms that bootloaders take. OpenSSL's own command is the other side."""
import hashlib
import os
import re
import subprocess

import pytest

import lab
from lab import FERRY, ferry, ferry_json

TYPES = ["rsa-2048", "rsa-3072", "ecdsa-p256", "ecdsa-p384", "ed25519", "x25519"]
CURVES = {"ecdsa-p256": "prime256v1", "ecdsa-p384": "secp384r1"}
PASSWORD = "pass word §"
ENV = {"FERRY_KEY_PASSWORD": PASSWORD}


def openssl(*args, check=True, **options):
    done = subprocess.run(["openssl", *map(str, args)], capture_output=True, timeout=60,
                          stdin=subprocess.DEVNULL, **options)
    assert not check or done.returncode == 0, f"{args}\n{done.stderr.decode()}"
    return done.stdout


def read(*args, env=None):
    """Standard output as bytes."""
    done = subprocess.run([FERRY, *map(str, args)], capture_output=True, timeout=60,
                          stdin=subprocess.DEVNULL, env={**os.environ, **(env or {})})
    assert done.returncode == 0, f"{args}\n{done.stderr.decode()}"
    return done.stdout


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """A private key of each type, TYPE.pem; what OpenSSL says its public half is, TYPE.pub; a file
    with the password."""
    folder = tmp_path_factory.mktemp("keys")
    for kind in TYPES:
        ferry("keygen", "-t", kind, "-k", folder / f"{kind}.pem", check=0)
        openssl("pkey", "-in", folder / f"{kind}.pem", "-pubout", "-outform", "DER",
                "-out", folder / f"{kind}.pub")
    (folder / "password").write_text(PASSWORD + "\nnot this line\n")
    return folder


# ---- Making ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("form", ["pem", "der"])
@pytest.mark.parametrize("password", [False, True])
def test_openssl_reads_what_is_made(tmp_path, kind, form, password):
    path = tmp_path / "key"
    old = os.umask(0)
    try:
        ferry("keygen", "-t", kind, "-o", path, "-e", form, *(["-p"] if password else []),
              check=0, env=ENV)
    finally:
        os.umask(old)
    assert path.stat().st_mode & 0o777 == 0o600 and os.listdir(tmp_path) == ["key"]
    head = path.read_bytes()[:40]
    assert head.startswith(b"\x30" if form == "der" else b"-----BEGIN ENCRYPTED" if password
                           else b"-----BEGIN PRIVATE")
    public = openssl("pkey", "-in", path, "-inform", form, "-pubout", "-outform", "DER",
                     *(["-passin", f"pass:{PASSWORD}"] if password else []))
    assert read("pubkey", "-k", path, "-e", "der", env=ENV) == public
    if password:
        parts = openssl("asn1parse", "-in", path, "-inform", form).decode()
        for part in ("PBES2", "PBKDF2", "hmacWithSHA256", "aes-256-cbc", f"INTEGER           :{600000:06X}"):
            assert part in parts


def test_an_existing_key_is_kept(keys, tmp_path):
    path = tmp_path / "key.pem"
    path.write_text("mine")
    done = ferry("keygen", "-t", "ed25519", "-k", path, check=1)
    assert "exists already" in done.stderr and path.read_text() == "mine"
    ferry("keygen", "-t", "ed25519", "-k", path, "--force", check=0)
    ferry("keyinfo", "-k", path, "--require", "private", check=0)


def test_a_key_goes_through_a_pipe():
    made = subprocess.run([FERRY, "keygen", "-t", "ed25519", "-o", "-"], capture_output=True, timeout=60)
    assert made.returncode == 0 and made.stdout.startswith(b"-----BEGIN PRIVATE KEY")
    assert b"key hash" in made.stderr
    shown = subprocess.run([FERRY, "pubkey", "-k", "-"], input=made.stdout, capture_output=True, timeout=60)
    assert shown.returncode == 0 and shown.stdout.startswith(b"-----BEGIN PUBLIC KEY")


# ---- Reading -----------------------------------------------------------------------------------


def convert(*args):
    """A form made by `openssl ARGS -in KEY -out OUT`."""
    return lambda kind, key, out: openssl(*args, "-in", key, "-out", out)


def curve(*args):
    return lambda kind, key, out: openssl("ec", *args, "-in", key, "-out", out)


def with_parameters(kind, key, out):
    """As `openssl ecparam -genkey` writes it."""
    out.write_bytes(openssl("ecparam", "-name", CURVES[kind]) + openssl("ec", "-in", key))


def with_text(kind, key, out):
    out.write_bytes(b"Bag Attributes\n    friendlyName: signer\n" + key.read_bytes() + b"the end\n")


def with_cr(kind, key, out):
    out.write_bytes(key.read_bytes().replace(b"\n", b"\r\n"))


def public_first(kind, key, out):
    out.write_bytes(openssl("pkey", "-in", key, "-pubout") + key.read_bytes())


SEAL = ("-passout", f"pass:{PASSWORD}")
# form: (which types have it, how it is made, private, has a password)
FORMS = {
    "pkcs8": (TYPES, convert("pkey"), True, False),
    "pkcs8-der": (TYPES, convert("pkey", "-outform", "DER"), True, False),
    "text-around": (TYPES, with_text, True, False),
    "crlf": (TYPES, with_cr, True, False),
    "public-first": (TYPES, public_first, True, False),
    "pkcs8-aes": (TYPES, convert("pkey", "-aes256", *SEAL), True, True),
    "pkcs8-aes-der": (TYPES, convert("pkcs8", "-topk8", "-v2", "aes-128-cbc", "-outform", "DER", *SEAL),
                      True, True),
    "pkcs8-scrypt": (["ed25519"], convert("pkcs8", "-topk8", "-scrypt", *SEAL), True, True),
    "pkcs8-3des": (["rsa-2048"], convert("pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES", *SEAL), True, True),
    "traditional": (TYPES[:4], convert("pkey", "-traditional"), True, False),
    "traditional-der": (TYPES[:4], convert("pkey", "-traditional", "-outform", "DER"), True, False),
    "traditional-aes": (TYPES[:4], convert("pkey", "-traditional", "-aes256", *SEAL), True, True),
    "traditional-3des": (TYPES[:1], convert("pkey", "-traditional", "-des3", *SEAL), True, True),
    "traditional-3des": (TYPES[2:3], convert("pkey", "-traditional", "-des3", *SEAL), True, True),
    "traditional-camellia": (TYPES[2:3], convert("pkey", "-traditional", "-camellia256", *SEAL), True, True),
    "traditional-aria": (TYPES[2:3], convert("pkey", "-traditional", "-aria192", *SEAL), True, True),
    "pkcs8-camellia": (TYPES[2:3], convert("pkcs8", "-topk8", "-v2", "camellia128", *SEAL), True, True),
    "ec-parameters": (TYPES[2:4], with_parameters, True, False),
    "ec-explicit": (TYPES[2:4], curve("-param_enc", "explicit"), True, False),
    "ec-compressed": (TYPES[2:4], curve("-conv_form", "compressed"), True, False),
    "ec-no-public": (TYPES[2:4], curve("-no_public"), True, False),
    "ec-no-public-der": (TYPES[2:4], curve("-no_public", "-outform", "DER"), True, False),
    "spki": (TYPES, convert("pkey", "-pubout"), False, False),
    "spki-der": (TYPES, convert("pkey", "-pubout", "-outform", "DER"), False, False),
    "spki-compressed": (TYPES[2:4], curve("-conv_form", "compressed", "-pubout"), False, False),
    "spki-explicit": (TYPES[2:4], curve("-param_enc", "explicit", "-pubout", "-outform", "DER"), False, False),
    "pkcs1-public": (TYPES[:2], convert("rsa", "-RSAPublicKey_out"), False, False),
    "pkcs1-public-der": (TYPES[:2], convert("rsa", "-RSAPublicKey_out", "-outform", "DER"), False, False),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read_by_its_content(keys, tmp_path, form):
    """And what comes out does not depend on it."""
    kinds, make, private, sealed = FORMS[form]
    for kind in kinds:
        path = tmp_path / f"{kind}.any"
        make(kind, keys / f"{kind}.pem", path)
        env = ENV if sealed else None
        assert read("pubkey", "-k", path, "-e", "der", env=env) == (keys / f"{kind}.pub").read_bytes()
        assert read("pubhash", "-k", path, env=env) == read("pubhash", "-k", keys / f"{kind}.pem")
        info = subprocess.run([FERRY, "--json", "keyinfo", "-k", path], capture_output=True, timeout=60,
                              text=True, env={**os.environ, **ENV})
        assert f'"type":\t"{kind}"' in info.stdout
        assert f'"kind":\t"{"private" if private else "public"}"' in info.stdout
        assert f'"encrypted":\t{"true" if sealed else "false"}' in info.stdout
        if private:
            assert read("privkey", "-k", path, "-e", "raw", env=env) == read(
                "privkey", "-k", keys / f"{kind}.pem", "-e", "raw")


def test_keys_of_unknown_types_are_named(keys, tmp_path):
    path = tmp_path / "key"
    for words, *args in (("EC, curve secp256k1", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"),
                         ("RSA, 1024 bits", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"),
                         ("RSA, 2048 bits, exponent not 65537", "RSA", "-pkeyopt", "rsa_keygen_pubexp:3"),
                         ("ED448", "ED448")):
        openssl("genpkey", "-algorithm", *args, "-out", path)
        done = ferry("pubkey", "-k", path, check=1)
        assert f"a type Ferry does not use: {words}\n" in done.stderr and "ecdsa-p256" in done.stderr
    done = ferry("pubkey", "-k", lab.ROOT / "tests/data/enc-rsa2048-minimal.der", check=1)
    assert "DSA, or the minimal form of an RSA key" in done.stderr  # both are six numbers
    (tmp_path / "app").write_bytes(bytes(100))
    sign = ["sign", "-v", "1", "-S", "0x10000", "-H", "32", "--pad-header", tmp_path / "app", tmp_path / "out"]
    done = ferry(*sign, "-k", keys / "ed25519.pem", "-E", keys / "rsa-3072.pem", check=1)
    assert "rsa-3072" in done.stderr and "x25519" in done.stderr
    done = ferry(*sign, "-k", keys / "x25519.pem", check=1)
    assert "is an x25519 key, which signs nothing" in done.stderr
    assert not (tmp_path / "out").exists()


def test_what_is_no_key_is_said_so(keys, tmp_path):
    path = tmp_path / "key"
    pem = (keys / "ecdsa-p256.pem").read_bytes()
    der = (keys / "ecdsa-p256.pub").read_bytes()
    cases = [(b"", "neither PEM nor"), (bytes(300), "neither PEM nor"), (os.urandom(64 << 10), "neither"),
             (b"hello\n", "neither"), (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "damaged"),
             (b"-----BEGIN PRIVATE KEY-----\n", "damaged")]
    cases += [(pem[:n], "damaged") for n in range(30, pem.index(b"-----END"), 7)]
    cases += [(der[:n], "neither") for n in range(1, len(der), 6)]
    for content, why in cases:
        path.write_bytes(content)
        done = ferry("pubkey", "-k", path, check=1)
        assert f"there is no key in {path}" in done.stderr and why in done.stderr and not done.stdout
    openssl("req", "-x509", "-key", keys / "ecdsa-p256.pem", "-subj", "/CN=x", "-out", path)
    assert "of something else" in ferry("pubkey", "-k", path, check=1).stderr
    for missing in (tmp_path / "none", tmp_path):
        assert "cannot read" in ferry("pubkey", "-k", missing, check=1).stderr


def test_a_damaged_private_half_signs_nothing(keys, tmp_path):
    """A bit of it that flipped leaves a file that is well-formed: only use shows it."""
    for kind in ("ecdsa-p256", "ecdsa-p384"):
        openssl("ec", "-in", keys / f"{kind}.pem", "-outform", "DER", "-out", tmp_path / "key")
        der = bytearray((tmp_path / "key").read_bytes())
        der[20] ^= 4
        (tmp_path / "key").write_bytes(der)
        done = ferry("pubkey", "-k", tmp_path / "key", check=1)
        assert "its halves do not belong together" in done.stderr and not done.stdout
    openssl("pkey", "-in", keys / "rsa-2048.pem", "-traditional", "-outform", "DER", "-out", tmp_path / "key")
    der = bytearray((tmp_path / "key").read_bytes())
    assert len(der) > 1180
    (tmp_path / "app").write_bytes(bytes(1000))
    for at in (300, 1180):  # in d, which is not used beside the others; in them
        (tmp_path / "key").write_bytes(der[:at] + bytes([der[at] ^ 4]) + der[at + 1:])
        out = tmp_path / "out"
        done = lab.sign(tmp_path / "key", "1.0.0", tmp_path / "app", out, check=None)
        if done.returncode == 0:
            ferry("verify", "-k", keys / "rsa-2048.pem", out, check=0)
            out.unlink()
        else:
            assert done.returncode == 1 and "cannot sign" in done.stderr and not out.exists()


# ---- Passwords ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sealed(keys):
    for kind in ("ed25519", "x25519"):
        openssl("pkey", "-in", keys / f"{kind}.pem", "-aes256", *SEAL, "-out", keys / f"{kind}.sealed")
    return keys / "ed25519.sealed"


def test_a_password_comes_from_a_file_or_the_environment(keys, sealed, tmp_path):
    expected = read("pubkey", "-k", keys / "ed25519.pem")
    file = tmp_path / "password"
    for content in (PASSWORD, PASSWORD + "\n", PASSWORD + "\r\n", PASSWORD + "\nmore\n"):
        file.write_bytes(content.encode())
        assert read("pubkey", "-k", sealed, "--password-file", file) == expected
    assert read("--password-file", file, "pubkey", "-k", sealed,
                env={"FERRY_KEY_PASSWORD": "wrong"}) == expected  # the file counts
    assert read("pubkey", "-k", sealed, env=ENV) == expected
    piped = subprocess.run([FERRY, "pubkey", "-k", sealed, "--password-file", "-"], timeout=60,
                           input=PASSWORD.encode(), capture_output=True)
    assert piped.stdout == expected


def test_wrong_and_missing_passwords_are_told_apart(sealed, tmp_path):
    file = tmp_path / "password"
    cases = [(b"wrong", 1, "does not open the key"), (PASSWORD.encode() + b" ", 1, "does not open"),
             (b"", 2, "is empty"), (b"\n" + PASSWORD.encode(), 2, "is empty"), (b"x" * 1024, 2, "too long"),
             (b"x" * 1023, 1, "does not open")]
    for content, code, words in cases:
        file.write_bytes(content)
        done = ferry("pubkey", "-k", sealed, "--password-file", file, check=code)
        assert words in done.stderr and "next:" in done.stderr and not done.stdout
    done = ferry("pubkey", "-k", sealed, "--password-file", tmp_path / "none", check=1)
    assert "cannot read" in done.stderr
    assert "does not open" in ferry("pubkey", "-k", sealed, check=1, env={"FERRY_KEY_PASSWORD": "no"}).stderr
    traditional = tmp_path / "old.pem"
    ferry("keygen", "-t", "rsa-2048", "-o", tmp_path / "rsa.pem", check=0)
    openssl("pkey", "-in", tmp_path / "rsa.pem", "-traditional", "-aes256", *SEAL, "-out", traditional)
    assert "does not open" in ferry("pubkey", "-k", traditional, check=1,
                                    env={"FERRY_KEY_PASSWORD": "no"}).stderr


def without_terminal(*args):
    done = subprocess.run([FERRY, *map(str, args)], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, start_new_session=True)
    return done.returncode, done.stderr


def test_without_a_terminal_nothing_is_asked(sealed, tmp_path):
    code, said = without_terminal("pubkey", "-k", sealed)
    assert code == 2 and "is encrypted, and there is no password" in said and "--password-file" in said
    code, said = without_terminal("keygen", "-p", "-t", "ed25519", "-k", tmp_path / "new")
    assert code == 2 and "FERRY_KEY_PASSWORD" in said and not (tmp_path / "new").exists()


def test_a_password_is_asked_for_on_the_terminal(keys, sealed, tmp_path):
    public = read("pubkey", "-k", keys / "ed25519.pem").decode()
    code, shown = lab.typed([FERRY, "pubkey", "-k", sealed], PASSWORD)
    assert code == 0 and public in shown.replace("\r", "") and PASSWORD not in shown
    code, shown = lab.typed([FERRY, "pubkey", "-k", sealed], "wrong")
    assert code == 1 and "does not open" in shown
    new = tmp_path / "new.pem"
    code, shown = lab.typed([FERRY, "keygen", "-p", "-t", "ed25519", "-k", new], "first", "second")
    assert code == 1 and "same password twice" in shown and not new.exists()
    code, shown = lab.typed([FERRY, "keygen", "-p", "-t", "ed25519", "-k", new], "")
    assert code == 1 and not new.exists()
    code, shown = lab.typed([FERRY, "keygen", "-p", "-t", "ed25519", "-k", new], "first", "first")
    assert code == 0 and "first" not in shown
    openssl("pkey", "-in", new, "-passin", "pass:first", "-noout")
    # keyinfo stands in builds: it never asks.
    code, shown = lab.typed([FERRY, "keyinfo", "-k", new])
    assert code == 2 and "asks nothing" in shown


def test_a_named_password_is_used_for_a_new_key(keys, tmp_path):
    """--password-file means -p; the environment, which may be there for another key, does not."""
    ferry("keygen", "-t", "ed25519", "-k", tmp_path / "a", "--password-file", keys / "password", check=0)
    assert "ENCRYPTED" in (tmp_path / "a").read_text()
    ferry("keygen", "-t", "ed25519", "-k", tmp_path / "b", check=0, env=ENV)
    assert "ENCRYPTED" not in (tmp_path / "b").read_text()


def test_encrypted_keys_sign_and_decrypt(keys, sealed, tmp_path):
    (tmp_path / "app").write_bytes(bytes(range(256)) * 4)
    out = tmp_path / "out"
    lab.sign(sealed, "1.0.0", tmp_path / "app", out, "--password-file", keys / "password",
             "-E", keys / "x25519.sealed")
    ferry("verify", "-k", keys / "ed25519.pem", "-E", keys / "x25519.pem", out, check=0)
    ferry("verify", "-k", sealed, "-E", keys / "x25519.sealed", out, check=0, env=ENV)
    done = ferry("verify", "-k", sealed, "-E", keys / "x25519.sealed", out, check=1,
                 env={"FERRY_KEY_PASSWORD": "wrong"})
    assert "does not open" in done.stderr


def test_der_keys_sign_encrypt_and_verify(keys, tmp_path):
    (tmp_path / "app").write_bytes(bytes(range(256)) * 4)
    for name in ("ecdsa-p256", "x25519"):
        openssl("pkey", "-in", keys / f"{name}.pem", "-outform", "DER", "-out", tmp_path / name)
    out = tmp_path / "out"
    lab.sign(tmp_path / "ecdsa-p256", "1.0.0", tmp_path / "app", out, "-E", keys / "x25519.pub")
    ferry("verify", "-k", keys / "ecdsa-p256.pub", "-E", tmp_path / "x25519", out, check=0)


# ---- Giving out --------------------------------------------------------------------------------

ARRAY = re.compile(r"/\* Autogenerated by ferry, do not edit\. \*/\n"
                   r"const unsigned char (\w+)\[\] = \{\n((?:    (?:0x[0-9a-f]{2},[ \n])+)+)\};\n"
                   r"const unsigned int (\w+)_len = (\d+);\n")


def array(text):
    name, body, again, length = ARRAY.fullmatch(text.decode()).groups()
    data = bytes.fromhex("".join(re.findall("0x(..)", body)))
    assert name == again and len(data) == int(length)
    return name, data


SYMBOLS = dict(zip(TYPES, ["rsa", "rsa", "ecdsa", "ecdsap384", "ed25519", "x25519"]))


@pytest.mark.parametrize("kind", TYPES)
def test_the_public_half_in_every_form(keys, kind):
    key = keys / f"{kind}.pem"
    spki = (keys / f"{kind}.pub").read_bytes()
    embedded = openssl("rsa", "-in", key, "-RSAPublicKey_out", "-outform", "DER") if "rsa" in kind else spki
    assert read("pubkey", "-k", key, "-e", "der") == spki
    assert read("pubkey", "-k", key) == read("getpub", "-k", key, "-e", "pem") == openssl("pkey", "-in", key, "-pubout")
    assert read("pubkey", "-k", key, "-e", "raw") == embedded
    assert array(read("getpub", "-k", key)) == (f"{SYMBOLS[kind]}_pub_key", embedded)
    assert read("pubkey", "-l", "c", "-k", key) == read("pubkey", "-e", "lang-c", "-k", key) == read("getpub", "-k", key)
    name, data = array(read("getpub", "-k", key, "--name-suffix", "_2"))
    assert (name, data) == (f"{SYMBOLS[kind]}_pub_key_2", embedded)
    rust = read("pubkey", "-l", "rust", "-k", key, "--name-suffix", "_b").decode()
    assert f"static {SYMBOLS[kind].upper()}_PUB_KEY_B: &[u8] = &[\n" in rust and rust.endswith("];\n")
    assert bytes.fromhex("".join(re.findall("0x(..)", rust))) == embedded
    digest = hashlib.sha256(embedded).digest()
    assert read("pubhash", "-k", key).decode() == digest.hex() + "\n"
    assert read("pubhash", "-k", key, "-e", "raw") == digest
    assert array(read("getpubhash", "-k", key)) == (f"{SYMBOLS[kind]}_pub_key_hash", digest)


@pytest.mark.parametrize("kind", TYPES)
def test_the_private_half_in_every_form(keys, tmp_path, kind):
    """OpenSSL reads all of them but minimal RSA, whose five numbers are held against the whole key."""
    key, rsa, curve = keys / f"{kind}.pem", "rsa" in kind, kind in CURVES
    sizes = {}
    for form in ("openssl", "pkcs8"):
        for minimal in (False, True):
            args = ["privkey", "-k", key, "-f", form, "-e", "raw", *(["--minimal"] if minimal else [])]
            if (form == "openssl" and not rsa and not curve) or (form == "pkcs8" and rsa and minimal):
                assert "next: use -f" in ferry(*args, check=2).stderr
                continue
            data = read(*args)
            sizes[form, minimal] = len(data)
            assert array(read(*args[:5], "-e", "lang-c", *args[7:])) == ("enc_priv_key", data)
            if minimal and rsa:
                whole = read("privkey", "-k", key, "-e", "raw")
                assert whole[:2] == data[:2] == b"\x30\x82" and whole[4:].startswith(data[4:])
                continue
            (tmp_path / "der").write_bytes(data)
            assert openssl("pkey", "-in", tmp_path / "der", "-inform", "DER", "-pubout", "-outform",
                           "DER") == (keys / f"{kind}.pub").read_bytes()
    default = "openssl" if rsa else "pkcs8"
    assert len(read("getpriv", "-k", key, "-e", "raw")) == sizes[default, False]
    assert all(sizes[f, True] < sizes[f, False] for f, m in sizes if m and (rsa or curve))
    ferry("privkey", "-k", key, "-o", tmp_path / "out", check=0)
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o600
    ferry("pubkey", "-k", key, "-o", tmp_path / "public", check=0)
    assert "is a public key" in ferry("privkey", "-k", tmp_path / "public", check=1).stderr


@pytest.mark.parametrize("whole,minimal", [("enc-ec256-sec1", "enc-ec256-minimal"),
                                           ("enc-rsa2048-pkcs8", "enc-rsa2048-minimal")])
def test_minimal_forms_are_those_that_bootloaders_decrypt_with(whole, minimal):
    """tests/data has what imgtool's getpriv gave; test_encrypted.c decrypts with it."""
    data = lab.ROOT / "tests/data"
    assert read("privkey", "-k", data / f"{whole}.der", "--minimal",
                "-e", "raw") == (data / f"{minimal}.der").read_bytes()


def test_arrays_compile(keys, tmp_path):
    """Two keys beside each other, by their suffixes."""
    source = tmp_path / "keys.c"
    source.write_bytes(read("getpub", "-k", keys / "ecdsa-p256.pem") +
                       read("getpub", "-k", keys / "ecdsa-p256.pem", "--name-suffix", "_next") +
                       read("getpubhash", "-k", keys / "rsa-3072.pem") + read("getpriv", "-k", keys / "x25519.pem"))
    subprocess.run(["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-c", source, "-o", tmp_path / "keys.o"],
                   check=True, timeout=60)


def test_keyinfo_gates_a_build(keys, tmp_path):
    private, public = keys / "ecdsa-p256.pem", tmp_path / "public"
    ferry("pubkey", "-k", private, "-o", public, check=0)
    for path, kind, other in ((private, "private", "public"), (public, "public", "private")):
        assert ferry("keyinfo", "-k", path, check=0).stdout == f"{kind}\n"
        assert ferry("keyinfo", "-k", path, "--require", kind, check=0).stdout == f"{kind}\n"
        done = ferry("keyinfo", "-k", path, "--require", other, check=1)
        assert done.stdout == f"{kind}\n" and f"a {other} one is required" in done.stderr
    said = ferry("keyinfo", "-v", "-k", private, check=0).stdout
    assert "type: ecdsa-p256\n" in said and "encrypted: no\n" in said and "development key: no\n" in said
    assert ferry_json("keyinfo", "-k", public)["keyhash"] == read("pubhash", "-k", private).decode().strip()
    assert not ferry_json("keyinfo", "-k", public)["development"]


def test_keyinfo_knows_published_keys(tmp_path):
    text = (lab.ROOT / "tests/data/development-keys.txt").read_text()
    for pem in re.findall(r"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----\n", text, re.S)[:3]:
        (tmp_path / "key").write_text(pem)
        assert ferry_json("keyinfo", "-k", tmp_path / "key")["development"]


@pytest.mark.parametrize("args,words", [
    (["keygen", "-t", "dsa", "-k", "new"], "rsa-2048"),
    (["keygen", "-k", "new"], "usage"),
    (["keygen", "-t", "ed25519", "-k", "new", "-e", "raw"], "pem, der"),
    (["keygen", "-t", "ed25519", "-k", "new", "--password", "secret"], "usage"),
    (["pubkey"], "usage"),
    (["pubkey", "-k", "KEY", "-e", "lang-go"], "lang-rust"),
    (["pubkey", "-k", "KEY", "-l", "go"], "c, rust"),
    (["pubkey", "-k", "KEY", "-l", "pem"], "c, rust"),
    (["pubkey", "-k", "KEY", "-l", "c", "-e", "pem"], "usage"),
    (["pubkey", "-k", "KEY", "-e", "pem", "--name-suffix", "_2"], "lang-c"),
    (["pubkey", "-k", "KEY", "--name-suffix", "_2"], "lang-c"),
    (["getpub", "-k", "KEY", "--name-suffix", "a b"], "letters"),
    (["getpub", "-k", "KEY", "--name-suffix", "x" * 65], "64"),
    (["pubhash", "-k", "KEY", "-e", "pem"], "hex"),
    (["getpubhash", "-k", "KEY", "-e", "raw", "--name-suffix", "x"], "lang-c"),
    (["privkey", "-k", "KEY", "-f", "ssh"], "pkcs8"),
    (["privkey", "-k", "KEY", "-e", "pem"], "raw"),
    (["keyinfo", "-k", "KEY", "--require", "both"], "private, public"),
    (["keyinfo", "-k", "KEY", "extra"], "usage"),
])
def test_wrong_words_say_what_there_is(keys, tmp_path, args, words):
    args = [str(keys / "ed25519.pem") if a == "KEY" else str(tmp_path / "new") if a == "new" else a for a in args]
    done = ferry(*args, check=2)
    assert done.stderr.startswith("ferry: ") and words in done.stderr and "next:" in done.stderr
    assert not done.stdout and not os.listdir(tmp_path)


def test_output_that_fails_is_said_and_leaves_nothing(keys, tmp_path):
    key = keys / "ed25519.pem"
    for command in (["pubkey", "-k", key], ["pubhash", "-k", key], ["privkey", "-k", key],
                    ["keygen", "-t", "ed25519", "--force"]):
        done = ferry(*command, "-o", "/dev/full", check=1)
        assert "cannot write /dev/full" in done.stderr
        ferry(*command, "-o", tmp_path / "no" / "folder", check=1)
    with open("/dev/full", "w") as full:
        for command in ("pubkey", "pubhash", "privkey", "keyinfo"):
            done = subprocess.run([FERRY, command, "-k", key], stdout=full, stderr=subprocess.PIPE,
                                  text=True, timeout=60)
            assert done.returncode == 1 and "cannot write" in done.stderr and "output" in done.stderr
    assert not os.listdir(tmp_path)
