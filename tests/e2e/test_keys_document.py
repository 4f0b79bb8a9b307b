# SPDX-License-Identifier: Apache-2.0
"""The commands of docs/KEYS.md, run as they are printed, with OpenSSL as the HSM."""
import os
import re
import subprocess

import pytest

import lab
from lab import ferry, ferry_json

TEXT = (lab.ROOT / "docs/KEYS.md").read_text()
TYPES = ["ecdsa-p256", "ecdsa-p384", "rsa-2048", "rsa-3072", "ed25519"]


def block(beginning):
    """The shell block that has a line."""
    return next(b for b in re.findall(r"```sh\n(.*?)```", TEXT, re.S) if beginning in b)


def tlvs(image):
    return [(t["name"], t["data"]) for t in ferry_json("inspect", image)["tlvs"]]


def run(script, folder, check=True):
    path = f"{lab.BUILD}:{os.environ['PATH']}"
    done = subprocess.run(["bash", "-e", "-c", script], cwd=folder, env={**os.environ, "PATH": path},
                          capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
    assert not check or done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def hsm(tmp_path_factory):
    """A key of each type; `product.pub`, `app.bin` and what the page makes are in a folder a type."""
    folder = tmp_path_factory.mktemp("hsm")
    for kind in TYPES:
        (folder / kind).mkdir()
        ferry("keygen", "-t", kind, "-k", folder / kind / "hsm.pem", check=0)
        ferry("pubkey", "-k", folder / kind / "hsm.pem", "-e", "der", "-o", folder / kind / "product.pub", check=0)
        (folder / kind / "app.bin").write_bytes(bytes(i * 13 & 0xff for i in range(3000)))
    return folder


def openssl_signs(kind):
    """The command of the table's row."""
    head = re.search(r"`(openssl pkeyutl .*?) …`", TEXT).group(1)
    rows = re.findall(r"^\| (`[a-z0-9`, -]+) \| [^|]* \| ([^|]*) \|", TEXT, re.M)
    more = next(cell for names, cell in rows if f"`{kind}`" in names)
    return head.replace("KEY", "hsm.pem") + " " + " ".join(re.findall(r"`(.*?)`", more))


@pytest.mark.parametrize("kind", TYPES)
def test_an_hsm_signs_through_files(hsm, kind):
    folder = hsm / kind
    script = block("--vector-to-sign digest")
    assert len(re.findall("^# ... the HSM", script, re.M)) == 1
    run(re.sub(r"^# \.\.\. the HSM.*$", openssl_signs(kind), script, flags=re.M), folder)
    signed = (folder / "app.signed.bin").read_bytes()
    assert signed[512:3512] == (folder / "app.bin").read_bytes()
    # What ferry signs itself differs by the signature alone; Ed25519's does not differ.
    options = re.search(r'OPTIONS="(.*?) --fix-sig-pubkey', script).group(1).split()
    ferry("sign", *options, "-k", folder / "hsm.pem", folder / "app.bin", folder / "own.bin", check=0)
    own, made = (tlvs(folder / name) for name in ("own.bin", "app.signed.bin"))
    assert own[:-1] == made[:-1] and own[-1][0] == made[-1][0] and len(own) == 3
    assert kind != "ed25519" or (folder / "own.bin").read_bytes() == signed


@pytest.mark.parametrize("kind", TYPES)
def test_a_signature_of_something_else_is_refused(hsm, kind, tmp_path):
    """A digest hashed once more, the mistake that is made most often, and one of another image."""
    folder = hsm / kind
    script = block("--vector-to-sign digest")
    wrong = openssl_signs(kind).replace("-in digest.bin", "-in wrong.bin")
    size = 48 if kind == "ecdsa-p384" else 32
    again = f"openssl dgst -sha{size * 8} -binary -out wrong.bin digest.bin && {wrong}"
    done = run(re.sub(r"^# \.\.\. the HSM.*$", f"rm -f app.signed.bin; {again}", script, flags=re.M), folder,
               check=False)
    assert done.returncode == 6 and "is not the key's" in done.stderr and not (folder / "app.signed.bin").exists()


@pytest.mark.parametrize("kind", TYPES)
def test_an_hsm_that_hashes_itself(hsm, kind):
    script = block("--vector-to-sign digest").replace("--vector-to-sign digest app.bin digest.bin",
                                                      "--vector-to-sign payload app.bin payload.bin")
    how = re.search(r"`(openssl dgst .*?)`", TEXT).group(1).replace("KEY", "hsm.pem")
    if kind == "ecdsa-p384":
        how = how.replace("sha256", "sha384")
    if kind.startswith("rsa"):
        how = how.replace("-sign", "-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 -sign")
    if kind == "ed25519":
        script = script.replace('product.pub"', 'product.pub --pure"')
        how = "openssl pkeyutl -sign -inkey hsm.pem -rawin -in payload.bin -out signature.bin"
    run(re.sub(r"^# \.\.\. the HSM.*$", how, script, flags=re.M), hsm / kind)


def test_the_first_commands(tmp_path):
    code, shown = lab.typed(["/bin/bash", "-e", "-c", f"cd {tmp_path}; PATH={lab.BUILD}:$PATH\n" +
                             block("-k product.pem -p")], "secret", "secret", "secret", "secret")
    assert code == 0 and re.search(r"^[0-9a-f]{64}\r$", shown, re.M), shown
    assert "BEGIN PUBLIC" in (tmp_path / "product.pub").read_text()


def test_arrays_have_the_names_that_the_page_says(tmp_path):
    for name, kind in (("product", "ecdsa-p256"), ("next", "ecdsa-p256"), ("decrypt", "x25519")):
        ferry("keygen", "-t", kind, "-k", tmp_path / f"{name}.pem", check=0)
    rows = re.findall(r"^\| [^|]* \| `(ferry [^|]*)` \| `(\w+)", TEXT, re.M)
    assert len(rows) == 5
    for command, symbol in rows:
        run(command, tmp_path)
        made = tmp_path / command.split()[-1]
        assert re.search(rf"\b{symbol}\b", made.read_text()), command
