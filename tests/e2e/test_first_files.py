# SPDX-License-Identifier: Apache-2.0
"""`ferry b0`: the bytes it makes, read by hand from docs/spec/nsib-format.md and checked by openssl."""
import hashlib
import struct
import subprocess

import pytest

import lab

ADDRESS = 0x9000


def fw_info(size=0, version=0, address=0, boot=0, valid=0x9102ffff, low=0x3402):
    return struct.pack("<9I", 0x281ee6de, 0x8fcebb4c, low, 60, size, version, address, boot,
                       valid) + bytes(16) + struct.pack("<2I", 0, 0)


def firmware(length=2000, at=0x200, **fields):
    data = bytearray((i * 7 + 3) & 0xff for i in range(length))
    data[at:at + 60] = fw_info(**fields)
    return bytes(data)


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("b0keys")
    for name in ("one", "two"):
        lab.ferry("keygen", "-t", "ecdsa-p256", "-o", folder / f"{name}.pem", check=0)
        (folder / f"{name}.pub").write_text(
            lab.ferry("pubkey", "-k", folder / f"{name}.pem", check=0).stdout)
    lab.ferry("keygen", "-t", "ed25519", "-o", folder / "ed.pem", check=0)
    return folder


def raw_key(pem):
    der = subprocess.run(["openssl", "pkey", "-pubin", "-in", pem, "-outform", "DER"], check=True,
                         capture_output=True).stdout
    return der[-64:]


def der_signature(raw):
    def integer(number):
        body = number.lstrip(b"\0") or b"\0"
        body = (b"\0" if body[0] & 0x80 else b"") + body
        return b"\x02" + bytes([len(body)]) + body
    both = integer(raw[:32]) + integer(raw[32:])
    return b"\x30" + bytes([len(both)]) + both


def check_signature(tmp_path, pub, digest, raw):
    (tmp_path / "digest").write_bytes(digest)
    (tmp_path / "sig").write_bytes(der_signature(raw))
    return subprocess.run(["openssl", "dgst", "-sha256", "-verify", pub, "-signature",
                           tmp_path / "sig", tmp_path / "digest"], capture_output=True).returncode


@pytest.mark.parametrize("at", [0, 0x200, 0x400, 0x800, 0x1000])
def test_what_is_signed_is_as_published(tmp_path, keys, at):
    source, out = tmp_path / "in.bin", tmp_path / "out.bin"
    data = firmware(0x1100 + 2, at)
    source.write_bytes(data)
    lab.ferry("b0", "sign", "-k", keys / "one.pem", "-v", 7, "-a", hex(ADDRESS), source, out, check=0)
    made = out.read_bytes()
    size = len(data) + 2  # whole words
    assert len(made) == size + 176
    assert made[at:at + 60] == fw_info(size, 7, ADDRESS, ADDRESS)
    assert made[:at] == data[:at] and made[at + 60:len(data)] == data[at + 60:]
    magic = struct.pack("<4I", 0x281ee6de, 0x86518483, 78850, ADDRESS)
    assert made[size:size + 16] == magic
    assert made[size + 16:size + 48] == hashlib.sha256(made[:size]).digest()
    assert made[size + 48:size + 112] == raw_key(keys / "one.pub")
    signature = made[size + 112:]
    assert check_signature(tmp_path, keys / "one.pub", made[size + 16:size + 48], signature) == 0
    assert check_signature(tmp_path, keys / "two.pub", made[size + 16:size + 48], signature) != 0
    seen = lab.ferry_json("b0", "inspect", "-k", keys / "one.pem", out)
    assert seen["signature"] == "good" and seen["fw_info"] == at and seen["version"] == 7
    assert seen["validation_info"] == size
    lab.ferry("b0", "inspect", "-k", keys / "two.pem", out, check=6)
    assert "brings along" in lab.ferry("b0", "inspect", out, check=0).stdout
    out.write_bytes(made[:100] + bytes([made[100] ^ 1]) + made[101:])
    lab.ferry("b0", "inspect", out, check=6)


def test_a_firmware_that_says_all_of_itself_keeps_it(tmp_path, keys):
    source, out = tmp_path / "in.bin", tmp_path / "out.bin"
    source.write_bytes(firmware(2000, size=2000, version=3, address=0x8000, boot=0x8200))
    lab.ferry("b0", "sign", "-k", keys / "one.pem", source, out, check=0)
    assert out.read_bytes()[0x200:0x23c] == fw_info(2000, 3, 0x8000, 0x8200)
    # The boot address moves with the address.
    lab.ferry("b0", "sign", "-k", keys / "one.pem", "-a", "0x9000", source, out, check=0)
    assert out.read_bytes()[0x200:0x23c] == fw_info(2000, 3, 0x9000, 0x9200)


def test_a_firmware_without_fw_info_gets_one_in_front(tmp_path, keys):
    source, out = tmp_path / "in.bin", tmp_path / "out.bin"
    source.write_bytes(bytes(range(256)) * 4)
    lab.ferry("b0", "sign", "-k", keys / "one.pem", "-v", 1, "-a", hex(ADDRESS), "--pad", source,
              out, check=0)
    made = out.read_bytes()
    assert made[:0x200] == bytes(0x200) and made[0x400:0x800] == source.read_bytes()
    assert made[0x200:0x23c] == fw_info(0x800, 1, ADDRESS, ADDRESS + 0x400)
    assert lab.ferry_json("b0", "inspect", "-k", keys / "one.pub", out)["signature"] == "good"


@pytest.mark.parametrize("data, options, words, code", [
    (bytes(1000), ["-v", 1, "-a", 4096], "has no fw_info", 6),
    (firmware(), ["-a", 4096], "no version that a first stage can count", 2),
    (firmware(), ["-v", 1], "does not say for which address", 2),
    (firmware(size=1996, version=1, address=4096), [], "its fw_info says 1996", 6),
    (firmware(size=2004, version=1, address=4096), [], "its fw_info says 2004", 6),
    (firmware(), ["-v", 32768, "-a", 4096], "--version 32768 is not possible", 2),
    (firmware(), ["-v", 1, "-a", 4096, "-w", "nrf53"], "has no fw_info of nrf53", 6),
    (firmware(), ["-v", 1, "-a", 4096, "-w", "nrf99"], "unknown hardware", 2),
])
def test_what_cannot_be_signed_is_told(tmp_path, keys, data, options, words, code):
    source, out = tmp_path / "in.bin", tmp_path / "out.bin"
    source.write_bytes(data)
    done = lab.ferry("b0", "sign", "-k", keys / "one.pem", *options, source, out, check=code)
    assert words in done.stderr and "next:" in done.stderr
    assert not out.exists()


def test_only_p256_signs(tmp_path, keys):
    source = tmp_path / "in.bin"
    source.write_bytes(firmware())
    done = lab.ferry("b0", "sign", "-k", keys / "ed.pem", "-v", 1, "-a", 4096, source,
                     tmp_path / "out", check=1)
    assert "ecdsa-p256" in done.stderr
    lab.ferry("b0", "sign", "-k", keys / "one.pub", "-v", 1, "-a", 4096, source, tmp_path / "out",
              check=1)


def test_provision_data_are_as_nordics_tool_makes_them(tmp_path, keys):
    out = tmp_path / "provision.bin"
    lab.ferry("b0", "provision", "-k", keys / "one.pem", "-k", keys / "two.pub", "--s0-addr", "0x9000",
              "--s1-addr", "0x12000", "--counter-slots", 10, out, check=0)
    expected = b"\xff" * 40 + struct.pack("<3I", 0x9000, 0x12000, 2)
    for i, name in enumerate(("one", "two")):
        expected += struct.pack("<I", 0x50FAFFFF | i << 24)
        expected += hashlib.sha256(raw_key(keys / f"{name}.pub")).digest()[:16]
    expected += struct.pack("<4H", 1, 1, 1, 10) + b"\xff" * 20
    assert out.read_bytes() == expected
    lab.ferry("b0", "provision", "-k", keys / "one.pem", "--s0-addr", 1, out, check=2)
    done = lab.ferry("b0", "provision", "-k", keys / "one.pem", "--s0-addr", 1, "--s1-addr", 2,
                     "--counter-slots", 3, out, check=2)
    assert "even number" in done.stderr
