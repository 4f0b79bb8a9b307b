# SPDX-License-Identifier: Apache-2.0
"""Policies on the virtual device: every rule's refusal as `ferry why` tells it, what the confirm
raises, and what the bootloader measured."""
import struct

import pytest

from lab import FIRMWARE, Device, ferry, ferry_json, layout, sign

TLV_BOOT_RECORD = 0x60


def image(bench, folder, version, *extra, program="app-v1"):
    """A signed image; returns its file."""
    out = folder / f"{version}{''.join(extra)}.bin".replace("/", "_")
    sign(bench.key, version, FIRMWARE / f"{program}.elf", out, *extra)
    return out


def device_with(bench, folder, running, **policy):
    bench.images["under test"] = running
    return Device(folder / "device", bench, image="under test",
                  layout=layout("swap-move", policy=policy))


def install(device, bench, file, *, permanent=False):
    """Upload, ask for it, and reset."""
    device_hash = ferry_json("verify", "-k", bench.key, file)["hash"]
    ferry("image", "upload", file, device=device.uri, check=0)
    ferry("image", "confirm" if permanent else "test", device_hash, device=device.uri, check=0)
    ferry("reset", device=device.uri, check=0)


RULES = {
    "version": (
        {"no_downgrade": True}, ("2.0.0",), ("1.9.9",),
        "version 1.9.9 was refused by the bootloader",
        "the version is not newer: it is 1.9.9, and 2.0.0 runs",
        "raise the version or allow downgrades"),
    "build": (
        {"no_downgrade": True, "compare_build": True}, ("1.0.0+2",), ("1.0.0+1",),
        "version 1.0.0.1 was refused by the bootloader",
        "the version is not newer: it is 1.0.0.1, and 1.0.0.2 runs",
        "raise the version or allow downgrades"),
    "counter": (
        {"security_counter": True}, ("1.0.0", "-s", "5"), ("2.0.0", "-s", "4"),
        "version 2.0.0 was refused by the bootloader",
        "the security counter is below the device's: the image has 4, the device demands 5 or more",
        "sign with a higher counter"),
    "no counter": (
        {"security_counter": True}, ("1.0.0", "-s", "5"), ("2.0.0",),
        "version 2.0.0 was refused by the bootloader",
        "the security counter is below the device's: the image has 0, the device demands 5 or more",
        "sign with a higher counter"),
    "vendor": (
        {"vendor_id": "example.com"}, ("1.0.0", "--vid", "example.com"),
        ("2.0.0", "--vid", "example.org"),
        "version 2.0.0 was refused by the bootloader",
        "the image is another vendor's",
        "give the image of this product"),
    "class": (
        {"vendor_id": "example.com", "class_id": "lamp"},
        ("1.0.0", "--vid", "example.com", "--cid", "lamp"),
        ("2.0.0", "--vid", "example.com", "--cid", "lock"),
        "version 2.0.0 was refused by the bootloader",
        "the image is for another class of device",
        "give the image of this product"),
    "address": (
        {}, ("1.0.0",), ("2.0.0", "--rom-fixed", "0x70000"),
        "version 2.0.0 was refused by the bootloader",
        "the image is linked for another address",
        "give the one built for this slot"),
}


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_its_reason(bench, tmp_path, rule):
    policy, running, asked, what, why, remedy = RULES[rule]
    old = image(bench, tmp_path, *running)
    new = image(bench, tmp_path, *asked, program="app-v2")
    with device_with(bench, tmp_path, old, **policy) as device:
        install(device, bench, new)
        device.wait_for(r"slot refused: ")
        assert device.running()["version"] == running[0].replace("+", ".")
        lines = ferry("why", device=device.uri, check=0).stdout.splitlines()
        assert lines[:3] == [what, f"  why:  {why}", f"  next: {remedy}"]
        told = ferry_json("why", device=device.uri)
        assert told["action"] == "refused" and told["what"] == what and told["why"] == why
        # What fits is taken as before.
        higher = [word if word != "4" else "5" for word in asked[1:]] if rule == "counter" else \
            running[1:]
        good = image(bench, tmp_path, "3.0.0", *higher, program="app-v2")
        install(device, bench, good)
        device.wait_for(r"upgraded for a test to 3\.0\.0")
        assert device.running()["version"] == "3.0.0"


def measured(device, *args):
    return ferry_json("measured", *args, device=device.uri)


def test_the_confirm_raises_what_is_demanded(bench, tmp_path):
    old = image(bench, tmp_path, "1.0.0", "-s", "5")
    new = image(bench, tmp_path, "2.0.0", "-s", "6", program="app-v2")
    policy = {"no_downgrade": True, "security_counter": True}
    with device_with(bench, tmp_path, old, **policy) as device:
        device.running()
        assert (measured(device)["demanded"], measured(device)["least"]) == (5, "1.0.0")
        # A trial that is not confirmed goes back to the lower counter.
        install(device, bench, new)
        device.wait_for(r"upgraded for a test to 2\.0\.0")
        assert device.running()["version"] == "2.0.0"
        assert (measured(device)["counter"], measured(device)["demanded"]) == (6, 5)
        ferry("reset", device=device.uri, check=0)
        device.wait_for(r"reverted to 1\.0\.0")
        assert device.running()["version"] == "1.0.0"
        assert measured(device)["demanded"] == 5
        # The confirm raises at once.
        install(device, bench, new)
        device.wait_for(r"(?s)reverted to 1\.0\.0.*upgraded for a test to 2\.0\.0")
        device.running()
        ferry("image", "confirm", device=device.uri, check=0)
        assert (measured(device)["demanded"], measured(device)["least"]) == (6, "2.0.0")
        text = ferry("measured", device=device.uri, check=0).stdout
        assert "the device demands: counter 6 or more" in text
        assert "the device demands: version 2.0.0 or newer" in text
    # Somebody with a debugger puts the old image back: it does not run.
    device.reflash("primary", old)
    device.start()
    device.wait_for(r"nothing may run: the version is not newer")
    device.stop()


def record_of(file):
    """The payload of the protected TLV BOOT_RECORD of an image."""
    raw = file.read_bytes()
    header_size, protected_size, payload_size = struct.unpack_from("<HHI", raw, 8)
    at = header_size + payload_size
    magic, total = struct.unpack_from("<HH", raw, at)
    assert magic == 0x6908 and total == protected_size
    end = at + total
    at += 4
    while at < end:
        kind, length = struct.unpack_from("<HH", raw, at)
        if kind == TLV_BOOT_RECORD:
            return raw[at + 4:at + 4 + length]
        at += 4 + length
    raise AssertionError("no boot record")


def test_what_the_bootloader_measured(bench, tmp_path):
    file = image(bench, tmp_path, "1.2.3", "-s", "7", "--boot-record", "SPE")
    digest = bytes.fromhex(ferry_json("verify", "-k", bench.key, file)["hash"])
    with device_with(bench, tmp_path, file) as device:
        device.running()
        found = measured(device)
        assert found["record"] == (record_of(file)[:-32] + digest).hex()
        assert (found["mode"], found["mode_name"]) == (3, "swap-move")
        assert (found["signature"], found["slot"], found["counter"]) == (2, 0, 7)
        assert found["max_image"] == 256 * 1024 - 4096 - 4096
        text = ferry("measured", device=device.uri, check=0).stdout
        assert f"bootloader {found['version']}: swap-move, ECDSA, " in text
        assert f"boot record: {found['record']}" in text
        # There is no second image, and every bootloader is asked the same.
        done = ferry("measured", "-n", "1", device=device.uri)
        assert done.returncode != 0 and "next:" in done.stderr


def test_an_image_without_a_record(bench, tmp_path):
    with device_with(bench, tmp_path, bench.images["v1"]) as device:
        device.running()
        found = measured(device)
        assert "record" not in found and "counter" not in found and found["mode"] == 3
