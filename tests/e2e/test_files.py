# SPDX-License-Identifier: Apache-2.0
"""The offline commands: keygen, pubkey, sign, verify, inspect."""
import json
import stat

import pytest

from lab import ferry, ferry_json, sign

KEY_TYPES = ["rsa-2048", "rsa-3072", "ecdsa-p256", "ecdsa-p384", "ed25519"]


@pytest.fixture(scope="module", params=KEY_TYPES)
def made(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    key, raw, image = folder / "key.pem", folder / "app.bin", folder / "app.signed.bin"
    ferry("keygen", "-t", request.param, "-o", key, check=0)
    raw.write_bytes(bytes(i * 7 & 0xff for i in range(5000)))
    sign(key, "1.2.3+4", raw, image)
    return folder, request.param


def test_key_is_private_and_kept(made):
    folder, kind = made
    key = folder / "key.pem"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = key.read_bytes()
    again = ferry("keygen", "-t", kind, "-o", key, check=1)
    assert "exists already" in again.stderr and "next:" in again.stderr
    assert key.read_bytes() == before


def test_signed_image_verifies_with_private_and_public_key(made):
    folder, kind = made
    ferry("pubkey", "-k", folder / "key.pem", "-o", folder / "pub.pem", check=0)
    for key in ("key.pem", "pub.pem"):
        result = ferry_json("verify", "-k", folder / key, folder / "app.signed.bin")
        assert result["version"] == "1.2.3.4" and result["signature"] == kind
    assert "not checked" in ferry("verify", folder / "app.signed.bin", check=0).stdout


def test_inspect_names_everything(made):
    folder, kind = made
    result = ferry_json("inspect", folder / "app.signed.bin")
    names = [t["name"] for t in result["tlvs"]]
    signature = {"rsa-2048": "RSA2048_PSS", "rsa-3072": "RSA3072_PSS", "ed25519": "ED25519"}
    assert names == ["SHA384" if kind == "ecdsa-p384" else "SHA256", "KEYHASH",
                     signature.get(kind, "ECDSA_SIG")]
    assert result["header_size"] == 512 and result["image_size"] == 5000
    assert result["digest"] == "good" and "trailer" not in result


@pytest.mark.parametrize("option,image_ok", [("--pad", "unset"), ("--confirm", "set")])
def test_padded_image_fills_its_slot_and_shows_its_trailer(made, option, image_ok):
    folder, _ = made
    out = folder / "padded.bin"
    sign(folder / "key.pem", "1.2.3", folder / "app.bin", out, option)
    assert out.stat().st_size == 0x40000
    trailer = ferry_json("inspect", out)["trailer"]
    assert trailer["magic"] == "good" and trailer["image_ok"] == image_ok


@pytest.mark.parametrize("option,flag", [("--load-addr", "RAM_LOAD"), ("--rom-fixed", "ROM_FIXED")])
def test_address_the_image_is_linked_to(made, option, flag):
    folder, _ = made
    out = folder / "linked.bin"
    sign(folder / "key.pem", "1.2.3", folder / "app.bin", out, option, "0x20001000")
    result = ferry_json("inspect", out)
    assert result["load_addr"] == 0x20001000 and result["flags"] == [flag]
    ferry("verify", "-k", folder / "key.pem", out, check=0)
    done = sign(folder / "key.pem", "1.2.3", folder / "app.bin", out, "-L", "0", "-F", "0", check=2)
    assert "exclude each other" in done.stderr and "next:" in done.stderr


MAGIC = bytes.fromhex("77c295f360d2ef7f3552500f2cb67980")


def dump(folder, up, request=False, image_ok=False, copy_done=False):
    """The dump of a slot of 64 sectors, its image at a sector boundary."""
    image = (folder / "app.signed.bin").read_bytes()
    flag = {False: bytes([0xff]) * 8, True: bytes([1]) + bytes([0xff]) * 7}
    tail = flag[copy_done] + flag[image_ok] + (MAGIC if request else bytes([0xff]) * 16)
    head = bytes([0xff]) * up + image
    out = folder / "slot.bin"
    out.write_bytes(head + bytes([0xff]) * (0x40000 - len(head) - len(tail)) + tail)
    return out


@pytest.mark.parametrize("strategy,up,place", [
    ("swap-move", 0, "where uploads are"), ("overwrite", 0, "where uploads are"),
    ("direct-xip", 0, "where uploads are"),
    ("swap-move", 4096, "where this strategy keeps no image"),
    ("swap-shift", 0, "where uploads are"),
    ("swap-shift", 4096, "where the old image is kept for the way back"),
    ("swap-offset", 4096, "where uploads are"),
    ("swap-offset", 0, "where the old image is kept for the way back"),
])
def test_inspect_knows_where_strategies_keep_images(made, strategy, up, place):
    folder, _ = made
    result = ferry_json("inspect", "--strategy", strategy, dump(folder, up))
    assert result["image_at"] == up and result["place"] == place
    assert result["version"] == "1.2.3.4" and result["digest"] == "good"
    assert [len(t["data"]) // 2 for t in result["tlvs"]][0] in (32, 48)
    assert "trailer" not in result


def test_inspect_finds_an_image_one_sector_up(made):
    folder, _ = made
    for sector in (256, 512, 4096, 131072):
        found = ferry_json("inspect", dump(folder, sector))
        assert found["image_at"] == sector and "swap-offset" in found["place"]
    assert ferry_json("inspect", "--sector", 3072, dump(folder, 3072))["image_at"] == 3072
    ferry("inspect", dump(folder, 3072), check=6)  # no sector has that size unless told
    ferry("inspect", "--sector", 4096, dump(folder, 8192), check=6)
    assert "image_at" not in ferry_json("inspect", dump(folder, 0))
    ferry("verify", dump(folder, 4096), check=6)  # a file to send begins with its header


@pytest.mark.parametrize("strategy,up,flags,key,words", [
    ("swap-move", 0, {}, "as_secondary", "installs it for a test"),
    ("swap-move", 0, {"image_ok": True}, "as_secondary", "installs it for good"),
    ("swap-move", 0, {"copy_done": True}, "as_primary", "takes the old image back"),
    ("swap-move", 0, {"copy_done": True, "image_ok": True}, "as_primary", "changes nothing"),
    ("overwrite", 0, {"copy_done": True}, "as_primary", "changes nothing"),
    ("swap-offset", 4096, {"copy_done": True}, "as_secondary", "takes the old image back"),
    ("swap-shift", 0, {}, "as_secondary", "installs it for a test"),
    ("swap-shift", 4096, {"image_ok": True}, "as_secondary", "a revert was begun"),
    ("direct-xip-revert", 0, {}, "next_boot", "asked for as a test"),
    ("direct-xip-revert", 0, {"copy_done": True}, "next_boot", "takes the old one"),
    ("direct-xip-revert", 0, {"image_ok": True}, "next_boot", "confirmed"),
    ("direct-xip", 0, {}, "next_boot", "does not count"),
])
def test_inspect_says_what_the_next_boot_does(made, strategy, up, flags, key, words):
    folder, _ = made
    trailer = ferry_json("inspect", "--strategy", strategy,
                         dump(folder, up, request=True, **flags))["trailer"]
    assert words in trailer[key]


def test_inspect_names_the_strategies_it_knows(made):
    folder, _ = made
    done = ferry("inspect", "--strategy", "swap", folder / "app.signed.bin", check=2)
    assert "swap-shift" in done.stderr and "single-slot" in done.stderr
    for sector in ("0", "x", "-1"):
        ferry("inspect", "--sector", sector, folder / "app.signed.bin", check=2)


def test_wrong_key_is_refused(made, tmp_path):
    folder, kind = made
    for other_kind in KEY_TYPES:
        other = tmp_path / f"{other_kind}.pem"
        ferry("keygen", "-t", other_kind, "-o", other, check=0)
        done = ferry("verify", "-k", other, folder / "app.signed.bin", check=6)
        assert "no key here matches" in done.stderr and "next:" in done.stderr


def test_damage_is_refused_by_name(made, tmp_path):
    folder, _ = made
    good = (folder / "app.signed.bin").read_bytes()
    bad = tmp_path / "bad.bin"
    cases = {
        "digest does not match": good[:600] + bytes([good[600] ^ 1]) + good[601:],
        "header magic is wrong": b"\x7fELF" + good[4:],
        "sizes in the image header": good[:3000],
    }
    for text, data in cases.items():
        bad.write_bytes(data)
        done = ferry("verify", "-k", folder / "key.pem", bad, check=6)
        assert text in done.stderr, done.stderr
        assert "next:" in done.stderr
    assert "cut short" in done.stderr
    bad.write_bytes(b"")
    ferry("verify", bad, check=6)


def test_every_truncation_is_refused(made, tmp_path):
    folder, _ = made
    good = (folder / "app.signed.bin").read_bytes()
    bad = tmp_path / "cut.bin"
    lengths = list(range(0, 33, 8)) + [511, 512, 5511, 5512] + list(range(5513, len(good), 9))
    for n in lengths:
        bad.write_bytes(good[:n])
        ferry("verify", "-k", folder / "key.pem", bad, check=6)
    assert len(lengths) > 15


def test_unsigned_image_is_named(made, tmp_path):
    folder, _ = made
    out = tmp_path / "unsigned.bin"
    done = ferry("sign", "-v", "1.0.0", "-H", "32", "--pad-header", "-S", "0x40000",
                 folder / "app.bin", out, check=0)
    assert "not signed" in done.stderr
    assert "not signed" in ferry("verify", "-k", folder / "key.pem", out, check=6).stderr


def test_too_large_for_its_slot_is_refused(made, tmp_path):
    folder, _ = made
    raw = tmp_path / "large.bin"
    raw.write_bytes(bytes(0x40000 - 2000))
    done = sign(folder / "key.pem", "1.0.0", raw, tmp_path / "o.bin", check=6)
    assert "too large" in done.stderr and "trailer" in done.stderr
    assert not (tmp_path / "o.bin").exists()


def test_usage_errors_say_what_to_do(made, tmp_path):
    folder, _ = made
    key, raw = folder / "key.pem", folder / "app.bin"
    for args in (["sign", raw, "o"], ["sign", "-k", key, "-v", "1.2.3.4.5", "-S", "1000", raw, "o"],
                 ["sign", "-k", key, "-v", "1.2.3", "-S", "0x40000", "--align", "3", raw, "o"],
                 ["sign", "-k", key, "-v", "300.0.0", "-S", "0x40000", raw, "o"],
                 ["keygen", "-t", "rsa-9", "-o", tmp_path / "x"], ["frobnicate"],
                 ["verify"], ["inspect", "--nonsense", raw]):
        done = ferry(*args, check=2)
        assert "next:" in done.stderr or "usage:" in done.stderr, done.stderr


def test_errors_are_json_too(tmp_path):
    done = ferry("--json", "verify", tmp_path / "none.bin", check=1)
    error = json.loads(done.stdout)["error"]
    assert error["exit"] == 1 and "none.bin" in error["what"] and error["next"]


def test_sign_refuses_an_image_twice(made, tmp_path):
    folder, _ = made
    done = sign(folder / "key.pem", "1.0.0", folder / "app.signed.bin", tmp_path / "o", check=6)
    assert "already" in done.stderr
