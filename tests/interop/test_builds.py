# SPDX-License-Identifier: Apache-2.0
"""The calls of imgtool that other people's builds make, word for word as their CMake files put them
together, through scripts/imgtool.py: with Ferry and with imgtool the same files.

Signed with Ed25519, whose signatures are not random. What is encrypted differs by its content key:
its size, and its payload once decrypted, are compared instead."""
import json
import subprocess
import sys

import pytest

from conftest import PEERS, ROOT
from lab import ferry, ferry_json

SHIM = ROOT / "scripts" / "imgtool.py"
ADDRESS, HEADER = 0xc000, 0x200


def hex_file(data, address):
    """Intel HEX as objcopy writes it."""
    def record(kind, offset, body):
        line = bytes([len(body), offset >> 8, offset & 0xff, kind]) + body
        return f":{(line + bytes([-sum(line) & 0xff])).hex().upper()}\n"

    text, page = "", None
    for at in range(0, len(data), 16):
        where = address + at
        if where >> 16 != page:
            page = where >> 16
            text += record(4, 0, page.to_bytes(2, "big"))
        text += record(0, where & 0xffff, data[at:at + 16])
    return text + record(1, 0, b"")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Zephyr's build folder after the link: the program as .bin and .hex, with room for the header
    in front; and, as the nRF Connect SDK has it with its partition manager, without."""
    out = tmp_path_factory.mktemp("zephyr")
    program = bytes(i * i * 7 + i & 0xff for i in range(70001))
    for name, data, address in (("zephyr", bytes(HEADER) + program, ADDRESS),
                                ("ncs", program, ADDRESS + HEADER)):
        (out / f"{name}.bin").write_bytes(data)
        (out / f"{name}.hex").write_text(hex_file(data, address))
    for kind in ("ed25519", "x25519"):
        ferry("keygen", "-t", kind, "-o", out / f"{kind}.pem", check=0)
    return out


def zephyr(variant):
    """cmake/mcuboot.cmake of Zephyr 4: (options, what of the rest is called with)."""
    base = ["--version", "1.2.3+4", "--header-size", "0x200", "--slot-size", "0x32000"]
    args = ["--key", "ed25519.pem"]
    if variant == "overwrite-only":
        args = ["--overwrite-only", "--align", "1", *args]
    elif variant == "ram-load":
        args = ["--align", "1", "--load-addr", "0x20000000", *args, "--hex-addr", "0xc000"]
    elif variant == "write-block-32":
        args = ["--align", "32", "--max-align", "32", *args]
    else:
        args = ["--align", "4", *args]
    return base + args


def ncs(variant):
    """cmake/sysbuild/image_signing.cmake of sdk-nrf."""
    base = ["--version", "0.0.0+0", "--align", "4", "--slot-size", "0x32000", "--pad-header",
            "--header-size", "0x200"]
    if variant == "direct-xip":
        base += ["--rom-fixed", "0xc000"]
    args = ["-k", "ed25519.pem"]
    if variant == "downgrade-prevention":
        args += ["--security-counter", "7"]
    elif variant == "pure":
        args += ["--pure"]
    elif variant == "sha512":
        args += ["--sha", "512"]
    elif variant == "compressed":
        args += ["--compression", "lzma2armthumb"]
    elif variant == "names":
        args += ["--vid", "nordicsemi.no", "--cid", "nrf54l15_app"]
    return base + args


CALLS = [("zephyr", v, zephyr(v)) for v in ("swap", "overwrite-only", "ram-load", "write-block-32")]
CALLS += [("ncs", v, ncs(v)) for v in ("swap", "direct-xip", "downgrade-prevention", "pure",
                                       "sha512", "compressed", "names")]
OUTPUTS = {"signed": [], "confirmed": ["--pad", "--confirm"],
           "encrypted": ["--encrypt", "x25519.pem"],
           "clear": ["--encrypt", "x25519.pem", "--clear"],
           "encrypted-256": ["--encrypt-keylen", "256", "--encrypt", "x25519.pem"]}


def name(call, output):
    return f"{call[0]}-{call[1]}-{output}"


def digest(path):
    """What an image states of its payload in the clear."""
    tlvs = ferry_json("inspect", path)["tlvs"]
    return tuple(tlv["data"] for tlv in tlvs if tlv["name"].startswith("SHA"))


@pytest.fixture(scope="module")
def theirs(folder):
    """All the calls by imgtool, in a few processes."""
    (folder / "imgtool").mkdir()
    jobs = [["imgtool", "sign", *call[2], *more, f"{call[0]}.{form}",
             f"imgtool/{name(call, output)}.{form}"]
            for call in CALLS for output, more in OUTPUTS.items() for form in ("bin", "hex")]
    done = subprocess.run([PEERS / "venv/bin/python", ROOT / "tests/interop/batch.py"],
                          input=json.dumps(jobs), capture_output=True, text=True, cwd=folder,
                          timeout=300, check=True)
    failed = [(job, told) for job, told in zip(jobs, json.loads(done.stdout)) if told[0] != 0]
    assert not failed, failed
    return folder / "imgtool"


@pytest.mark.parametrize("form", ["bin", "hex"])
@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("call", CALLS, ids=lambda c: f"{c[0]}-{c[1]}")
def test_the_same_file(folder, theirs, call, output, form):
    ours = folder / f"{name(call, output)}.{form}"
    done = subprocess.run([sys.executable, SHIM, "sign", *call[2], *OUTPUTS[output],
                           f"{call[0]}.{form}", ours.name], cwd=folder, capture_output=True,
                          text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    other = theirs / ours.name
    if output in ("signed", "confirmed"):
        assert ours.read_bytes() == other.read_bytes()
        return
    # ENC_X25519 and the flag are there; --clear leaves the payload readable.
    assert ours.stat().st_size == other.stat().st_size
    for path in (ours, other):
        told = ferry_json("verify", "-k", folder / "ed25519.pem", "-E", folder / "x25519.pem", path)
        assert told["version"] in ("1.2.3.4", "0.0.0")
    assert len({digest(path) for path in (ours, other)}) == 1
