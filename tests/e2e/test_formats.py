# SPDX-License-Identifier: Apache-2.0
"""Inputs and outputs of the image tool: raw binary, Intel HEX and ELF by content, pipes, and bad
input, of which nothing is lost and nothing is left."""
import json
import os
import random
import shutil
import struct
import subprocess

import pytest

import lab
from lab import ferry, ferry_json

DATA = random.Random(1).randbytes(70000)
UICR = 0x10001000


def record(kind, address, data=b""):
    body = bytes([len(data), address >> 8, address & 0xff, kind]) + data
    return ":" + (body + bytes([-sum(body) & 0xff])).hex().upper()


END = record(1, 0)


def hex_of(pieces, width=16, linear=True):
    """The records of {address: bytes}, without the end record."""
    lines = []
    for address, data in pieces.items():
        while data:
            low = address & 0xffff
            n = min(width, len(data), 0x10000 - low)
            lines += [record(4, 0, struct.pack(">H", address >> 16)) if linear else
                      record(2, 0, struct.pack(">H", (address & ~0xffff) >> 4)),
                      record(0, low, data[:n])]
            address, data = address + n, data[n:]
    return lines


def elf_of(pieces, wide, big):
    """An executable with {address: bytes} as its segments."""
    e, head, entry = ">" if big else "<", 64 if wide else 52, 56 if wide else 32
    offset = head + entry * len(pieces)
    out = b"\x7fELF" + bytes([1 + wide, 1 + big, 1]) + bytes(9)
    out += struct.pack(e + ("HHIQQQI6H" if wide else "HHIIIII6H"), 2, 40, 1, 0, head, 0, 0, head, entry,
                       len(pieces), 0, 0, 0)
    for address, data in pieces.items():
        out += struct.pack(e + "IIQQQQQQ", 1, 5, offset, 7, address, len(data), len(data), 4) if wide \
            else struct.pack(e + "8I", 1, offset, 7, address, len(data), len(data), 5, 4)
        offset += len(data)
    return out + b"".join(pieces.values())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("formats")
    ferry("keygen", "-t", "ed25519", "-o", folder / "key.pem", check=0)
    (folder / "app.bin").write_bytes(DATA)
    return folder


def words(folder, *extra):
    return ["sign", "-k", folder / "key.pem", "-v", "1.2.3", "-H", "512", "--pad-header", "-S",
            "0x20000", "--align", "8", *extra]


@pytest.fixture(scope="module")
def expected(folder):
    ferry(*words(folder), folder / "app.bin", folder / "app.img", check=0)
    return (folder / "app.img").read_bytes()


# ---- What is read ------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [0x8000, 0xfff7])
@pytest.mark.parametrize("name", ["plain", "crlf", "cr", "lower", "long", "backwards", "segments"])
def test_hex_is_the_firmware(folder, expected, name, address):
    lines = hex_of({address: DATA}, width=255 if name == "long" else 16, linear=name != "segments")
    if name == "backwards":
        pairs = [lines[i:i + 2] for i in range(0, len(lines), 2)]
        lines = [line for pair in reversed(pairs) for line in pair]
    end = {"crlf": "\r\n", "cr": "\r"}.get(name, "\n")
    text = end.join([*lines, record(5, 0, b"\0\0\x80\1"), END, ""])
    source, out = folder / f"{name}.what", folder / "out.img"
    source.write_text(text.lower() if name == "lower" else text, newline="")
    done = ferry(*words(folder), source, out, check=0)
    assert out.read_bytes() == expected
    assert f"firmware: Intel HEX, 0x{address:x}-0x{address + len(DATA) - 1:x}" in done.stdout


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("big", [False, True])
def test_elf_is_the_firmware(folder, expected, wide, big):
    source, out = folder / "app", folder / "out.img"
    source.write_bytes(elf_of({0x8000 + 1000: DATA[1000:], 0x8000: DATA[:1000]}, wide, big))
    assert "firmware: ELF, 0x8000-0x1916f" in ferry(*words(folder), source, out, check=0).stdout
    assert out.read_bytes() == expected


def test_gaps_have_the_erased_value(folder):
    out = folder / "out.img"
    for erased in (0xff, 0):
        for source in ("\n".join([*hex_of({0x100: b"AB", 0x104: b"CD"}), END]).encode(),
                       elf_of({0x100: b"AB", 0x104: b"CD"}, False, False)):
            (folder / "gap").write_bytes(source)
            ferry(*words(folder, "-R", hex(erased)), folder / "gap", out, check=0)
            assert out.read_bytes()[512:518] == b"AB" + bytes([erased] * 2) + b"CD"


@pytest.mark.skipif(shutil.which("arm-none-eabi-gcc") is None, reason="needs scripts/setup arm")
def test_a_linked_program_is_what_objcopy_makes_of_it(folder):
    """Linked 512 bytes behind the flash's begin: GNU ld puts the ELF's headers into the segment."""
    (folder / "f.c").write_text("int data[40] = {1, 2, 3}; int zero[99]; const char text[] = \"hello\";\n"
                                "int main(void) { zero[1] = data[2]; return text[data[0]]; }\n")
    (folder / "f.ld").write_text("SECTIONS { .text 0x08000200 : { *(.text*) *(.rodata*) }\n"
                                 ".data 0x20000000 : AT(LOADADDR(.text) + SIZEOF(.text)) { *(.data*) }\n"
                                 ".bss : { *(.bss*) } }\n")
    subprocess.run(["arm-none-eabi-gcc", "-mcpu=cortex-m0", "-mthumb", "-nostdlib", "-Wl,-emain", "-T",
                    folder / "f.ld", folder / "f.c", "-o", folder / "f.elf"], check=True)
    made = {}
    for form in ("elf", "binary", "ihex"):
        source = folder / f"f.{form}"
        if form != "elf":
            subprocess.run(["arm-none-eabi-objcopy", "-O", form, folder / "f.elf", source], check=True)
        ferry(*words(folder), source, folder / "f.img", check=0)
        made[form] = (folder / "f.img").read_bytes()
    assert made["elf"] == made["binary"] == made["ihex"]
    ferry(*words(folder), folder / "f.elf", folder / "f.hex", check=0)
    assert (folder / "f.hex").read_text().startswith(":020000040800F2\n:10000000")


def test_a_file_can_be_taken_as_it_is(folder):
    text = "\n".join([*hex_of({0x8000: b"AB"}), END, ""])
    (folder / "as").write_text(text)
    ferry(*words(folder, "--input-format", "bin"), folder / "as", folder / "out.img", check=0)
    assert (folder / "out.img").read_bytes()[512:512 + len(text)] == text.encode()
    done = ferry(*words(folder, "--input-format", "hex"), folder / "app.bin", folder / "o", check=6)
    assert "is no usable Intel HEX file" in done.stderr and "line 1" in done.stderr
    done = ferry(*words(folder, "--input-format", "elf"), folder / "app.bin", folder / "o", check=6)
    assert "magic of ELF" in done.stderr
    done = ferry(*words(folder, "--input-format", "srec"), folder / "app.bin", folder / "o", check=2)
    assert "give auto, bin, hex or elf" in done.stderr


# ---- Regions far apart -------------------------------------------------------------------------


@pytest.fixture
def merged(folder):
    """A firmware and, far away, a word of configuration, as nRF builds make them."""
    source = folder / "merged.hex"
    source.write_text("\n".join([*hex_of({0x8000: DATA, UICR: b"\1\2\3\4"}), END, ""]))
    return source


def test_regions_far_apart_are_named(folder, merged):
    done = ferry(*words(folder), merged, folder / "no.img", check=6)
    assert "0x8000-0x1916f, 0x10001000-0x10001003" in done.stderr
    assert "--range FIRST-LAST" in done.stderr and not (folder / "no.img").exists()


@pytest.mark.parametrize("value", ["0x8000-0x1916f", "0-0xfffffff", "32768-0x10000fff"])
def test_a_range_chooses(folder, merged, expected, value):
    done = ferry(*words(folder, "--range", value), merged, folder / "out.img", check=0)
    assert (folder / "out.img").read_bytes() == expected
    assert "left out 0x10001000-0x10001003, outside of --range" in done.stderr


def test_a_range_may_cut_into_data(folder, merged):
    done = ferry(*words(folder, "--range", "0x8010-0x801f"), merged, folder / "out.img", check=0)
    assert (folder / "out.img").read_bytes()[512:528] == DATA[16:32]
    assert "left out 0x8000-0x800f, 0x8020-0x1916f, 0x10001000-0x10001003" in done.stderr


def test_an_image_in_a_merged_hex(folder):
    """A bootloader, a signed firmware and configuration, as for a factory's programmer."""
    ferry(*words(folder, "-x", "0x10000"), folder / "app.bin", folder / "app.hex", check=0)
    app = (folder / "app.hex").read_text().split()[:-1]
    merged = folder / "factory.hex"
    merged.write_text("\n".join([*hex_of({0: DATA[:4000]}), *app, *hex_of({UICR: b"\1\2\3\4"}), END]))
    for command in (["verify", "-k", folder / "key.pem"], ["inspect"]):
        done = ferry(*command, merged, check=6)
        assert "0x0-0xf9f, 0x10000-0x" in done.stderr and "--range" in done.stderr
        done = ferry(*command, "--range", "0x10000-0xfffff", merged, check=0)
        assert "left out 0x0-0xf9f, 0x10001000-0x10001003" in done.stderr and "1.2.3" in done.stdout
        ferry(*command, "--range", "x", merged, check=2)


def test_wrong_ranges(folder, merged):
    done = ferry(*words(folder, "--range", "0-0x7fff"), merged, folder / "no.img", check=6)
    assert "has nothing from 0x0 to 0x7fff: its data are at 0x8000-0x1916f" in done.stderr
    done = ferry(*words(folder, "--range", "0-1"), folder / "app.bin", folder / "no.img", check=2)
    assert "raw binary" in done.stderr
    for value in ("", "-", "5", "9-5", "0x8000-", "-5", "a-b", "0-0x100000000", "1-2-3", "x" * 99):
        done = ferry(*words(folder, f"--range={value}"), merged, folder / "no.img", check=2)
        assert "give the first and the last address" in done.stderr
    assert not (folder / "no.img").exists()


# ---- What is written ---------------------------------------------------------------------------


def test_hex_by_name_or_option(folder, expected):
    ferry(*words(folder, "-x", "0x8000"), folder / "app.bin", folder / "a.HEX", check=0)
    ferry(*words(folder, "-x", "0x8000", "--output-format", "hex"), folder / "app.bin", folder / "a.img",
          check=0)
    text = (folder / "a.HEX").read_text()
    assert text == (folder / "a.img").read_text()
    lines = hex_of({0x8000: expected})  # with a base before each record
    assert text.split() == [line for i, line in enumerate(lines)
                            if i % 2 or i == 0 or line != lines[i - 2]] + [END]
    ferry(*words(folder, "--output-format", "bin"), folder / "app.bin", folder / "b.hex", check=0)
    assert (folder / "b.hex").read_bytes() == expected


def test_hex_needs_an_address(folder):
    done = ferry(*words(folder), folder / "app.bin", folder / "no.hex", check=2)
    assert "--hex-addr" in done.stderr
    done = ferry(*words(folder, "-x", "0xfffffff0"), folder / "app.bin", folder / "no.hex", check=2)
    assert "beyond 32 bits" in done.stderr
    done = ferry(*words(folder, "--output-format", "elf"), folder / "app.bin", folder / "no.hex", check=2)
    assert "give bin or hex" in done.stderr
    assert not (folder / "no.hex").exists()


@pytest.mark.parametrize("option", ["--pad", "--confirm"])
def test_a_padded_hex_is_the_slot(folder, option):
    """It has the image and the trailer, and is read as the whole slot."""
    ferry(*words(folder, option), folder / "app.bin", folder / "slot.bin", check=0)
    ferry(*words(folder, option, "-x", "0x8000"), folder / "app.bin", folder / "slot.hex", check=0)
    assert len((folder / "slot.hex").read_text()) < 3 * len(DATA)
    shown = [ferry_json("inspect", folder / f"slot.{form}") for form in ("bin", "hex")]
    for each in shown:
        del each["file"]
    assert shown[0] == shown[1] and shown[0]["trailer"]["magic"] == "good"


def test_the_same_input_gives_the_same_output(folder, expected, tmp_path):
    """Whatever the files are called, wherever they are, whenever it is."""
    for name in ("key.pem", "app.bin"):
        (tmp_path / f"other-{name}").write_bytes((folder / name).read_bytes())
    command = [*words(folder, "-x", "0x8000", "-s", "auto", "--boot-record", "App", "--vid", "example.org")]
    made = set()
    for key, source, out, env in (
            (folder / "key.pem", folder / "app.bin", folder / "d.hex", {"TZ": "Asia/Tokyo"}),
            (tmp_path / "other-key.pem", tmp_path / "other-app.bin", tmp_path / "e.hex",
             {"LC_ALL": "C.UTF-8", "SOURCE_DATE_EPOCH": "1", "HOME": "/nonexistent"})):
        command[2] = key
        ferry(*command, source, out, check=0, env=env)
        made.add(out.read_bytes())
    assert len(made) == 1


# ---- Pipes -------------------------------------------------------------------------------------


def piped(*args, data=b"", **streams):
    options = {"stdout": subprocess.PIPE, "input": data, **streams}
    return subprocess.run([lab.FERRY, *map(str, args)], stderr=subprocess.PIPE, timeout=60, **options)


def test_a_pipe_through_sign_and_verify(folder, expected):
    done = piped(*words(folder), "-", "-", data=DATA)
    assert done.returncode == 0 and done.stdout == expected
    assert b"version 1.2.3" in done.stderr
    checked = piped("verify", "-k", folder / "key.pem", "-", data=done.stdout)
    assert checked.returncode == 0 and b"digest good, signature good" in checked.stdout
    assert piped("inspect", "-", data=done.stdout).returncode == 0


def test_hex_through_a_pipe(folder, expected):
    text = "\n".join([*hex_of({0x8000: DATA}), END]).encode()
    done = piped(*words(folder, "--output-format", "hex"), "-", "-", data=text)
    assert done.returncode == 0 and done.stdout.startswith(b":020000040000FA\n:107E0000")
    again = piped("verify", "-k", folder / "key.pem", "-", data=done.stdout)
    assert again.returncode == 0, again.stderr


def test_nothing_mixes_with_the_image(folder, expected):
    done = piped("--json", *words(folder), "-", "-", data=DATA)
    assert done.stdout == expected
    assert json.loads(done.stderr)["version"] == "1.2.3"
    done = piped("--json", *words(folder), folder / "missing", "-")
    assert done.returncode == 1 and done.stdout == b""
    assert b'"what":' in done.stderr and b"No such file" in done.stderr


@pytest.mark.parametrize("source", ["app.bin", "-"])
def test_full_and_closed_outputs(folder, source, expected):
    data = DATA if source == "-" else b""
    source = source if source == "-" else folder / source
    with open("/dev/full", "wb") as full:
        for out in ("-", "/dev/full"):
            done = piped(*words(folder), source, out, data=data, stdout=full)
            assert done.returncode == 1 and b"No space left" in done.stderr and b"next:" in done.stderr
    done = piped(*words(folder), source, "-", data=data, stdout=None, preexec_fn=lambda: os.close(1))
    assert done.returncode == 1 and b"cannot write standard output" in done.stderr
    # A file that was asked for is not written over by the words.
    out = folder / "closed.img"
    done = piped(*words(folder), source, out, data=data, stdout=None, preexec_fn=lambda: os.close(1))
    assert done.returncode == 1 and out.read_bytes() == expected


def test_a_closed_input(folder):
    done = subprocess.run([lab.FERRY, *map(str, words(folder)), "-", folder / "no.img"], timeout=60,
                          stderr=subprocess.PIPE, preexec_fn=lambda: os.close(0))
    assert done.returncode == 1 and b"cannot read standard input" in done.stderr
    assert not (folder / "no.img").exists()


# ---- Bad input ---------------------------------------------------------------------------------

GOOD = [*hex_of({0x8000: DATA[:64]}), END]
BAD = {
    "empty": (b"", 6, "the input is empty"),
    "no-end": ("\n".join(GOOD[:-1]).encode(), 6, "ends behind line 8 without an end record"),
    "cut": ("\n".join(GOOD).encode()[:120], 6, "line 4"),
    "checksum": ("\n".join(GOOD).replace(GOOD[1], GOOD[1][:-2] + "00").encode(), 6,
                 "line 2: the checksum is 0x00, and 0x"),
    "digits": ("\n".join([GOOD[0], GOOD[1] + "0", END]).encode(), 6, "line 2 has an odd number"),
    "length": ("\n".join([GOOD[0], GOOD[1] + "00", END]).encode(), 6, "line 2 says that it has 16"),
    "overlap": ("\n".join([*GOOD[:2], *GOOD]).encode(), 6,
                "line 2 and line 4 both have data for address 0x8000"),
    "behind": ("\n".join([*GOOD, GOOD[0]]).encode(), 6, "line 10 stands behind the end record"),
    "no-data": (END.encode(), 6, "has no data"),
    "elf-cut": (elf_of({0: DATA[:99]}, False, False)[:-1], 6, "segment 0 reaches out of the file"),
    "elf-head": (b"\x7fELF\1\1", 6, "first 16 bytes"),
    "elf-overlap": (elf_of({0: DATA[:99], 98: b"x"}, True, False), 6, "both have data for address 0x62"),
    "elf-object": (elf_of({}, False, True), 6, "link it"),
    "large": ("\n".join([*hex_of({0x8000: bytes(0x1f800)}), END]).encode(), 6, "too large"),
    "large-with-gap": ("\n".join([*hex_of({0x8000: bytes(0x1fff0), 0x28000: bytes(64)}), END]).encode(), 6,
                       "too large"),
    "signed": (b"\x3d\xb8\xf3\x96" + bytes(600), 6, "an MCUboot image already"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_leaves_nothing(folder, tmp_path, name):
    data, code, said = BAD[name]
    source, out, old = tmp_path / "in", tmp_path / "out.bin", tmp_path / "old.bin"
    source.write_bytes(data)
    old.write_bytes(b"old")
    for path in (out, old):
        done = ferry(*words(folder), source, path, check=code)
        assert said in done.stderr and "next:" in done.stderr, done.stderr
        assert "ferry: " in done.stderr and done.stdout == ""
    assert old.read_bytes() == b"old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in", "old.bin"]
    done = piped(*words(folder), "-", "-", data=data)
    assert done.returncode == code and done.stdout == b"" and said.encode() in done.stderr


def test_what_cannot_be_read(folder, tmp_path):
    for source, said in ((tmp_path, "Is a directory"), (tmp_path / "none", "No such file"),
                         ("/dev/zero", "too large")):
        done = ferry(*words(folder), source, tmp_path / "out", check=1)
        assert said in done.stderr and "next:" in done.stderr
    done = ferry(*words(folder), folder / "app.bin", tmp_path / "none" / "out", check=1)
    assert "No such file" in done.stderr
    done = ferry(*words(folder), folder / "app.bin", tmp_path, check=1)
    assert "directory" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [["verify"], ["inspect"]])
def test_damaged_signed_hex(folder, command, tmp_path):
    ferry(*words(folder, "-x", "0x8000"), folder / "app.bin", tmp_path / "a.hex", check=0)
    lines = (tmp_path / "a.hex").read_text().split("\n")
    lines[70] = lines[70][:-1] + ("0" if lines[70][-1] != "0" else "1")
    (tmp_path / "a.hex").write_text("\n".join(lines))
    done = ferry(*command, tmp_path / "a.hex", check=6)
    assert "line 71: the checksum is" in done.stderr
    (tmp_path / "far.hex").write_text("\n".join([*hex_of({0: b"x", UICR: b"y"}), END]))
    done = ferry(*command, tmp_path / "far.hex", check=6)
    assert "too far apart" in done.stderr and "0x10001000" in done.stderr
    ferry("update", "-d", "/dev/null", tmp_path / "far.hex", check=6)


def test_standard_input_is_read_once(folder, tmp_path):
    done = piped("sign", "-k", "-", "-v", "1.2.3", "--pad-header", "-S", "0x20000", "-", tmp_path / "out",
                 data=(folder / "key.pem").read_bytes())
    assert done.returncode == 2 and b"- is named twice" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_bootloaders_for_a_first_stage(folder, tmp_path):
    ferry("keygen", "-t", "ecdsa-p256", "-o", tmp_path / "b0.pem", check=0)
    common = ["b0", "sign", "-k", tmp_path / "b0.pem", "-v", "1", "-a", "0x20200"]
    (tmp_path / "s0.hex").write_text("\n".join([*hex_of({0x20600: DATA[:4000]}), END]))
    ferry(*common, "--pad", tmp_path / "s0.hex", tmp_path / "out.hex", check=0)
    text = (tmp_path / "out.hex").read_text()
    assert text.startswith(":020000040002F8\n:10020000")
    shown = ferry_json("b0", "inspect", "-k", tmp_path / "b0.pem", tmp_path / "out.hex")
    assert shown["signature"] == "good" and shown["address"] == 0x20200
    done = piped(*common, "--pad", "-", "-", data=DATA[:4000])
    assert done.returncode == 0 and b"version 1 for address 0x20200" in done.stderr
    (tmp_path / "out.bin").write_bytes(done.stdout)
    ferry("b0", "inspect", "-k", tmp_path / "b0.pem", tmp_path / "out.bin", check=0)
    (tmp_path / "s1.hex").write_text("\n".join([*hex_of({0x50200: done.stdout[:0x400 + 4000]}), END]))
    done = ferry(*common, tmp_path / "s1.hex", tmp_path / "no.hex", check=6)
    assert "stands at 0x50200, and is to be signed for 0x20200" in done.stderr
    assert not (tmp_path / "no.hex").exists()


# ---- A device ----------------------------------------------------------------------------------


def test_a_signed_hex_updates_a_device(device, bench, tmp_path):
    image = tmp_path / "v2.hex"
    lab.sign(bench.key, "2.0.0", lab.FIRMWARE / "app-v2.elf", image, "-x", "0x8000")
    ferry("image", "upload", image, device=device.uri, check=0)
    done = ferry("update", "-k", bench.key, image, device=device.uri, check=0)
    assert "2.0.0" in done.stdout
    assert ferry_json("image", "list", device=device.uri)["images"][0]["version"] == "2.0.0"
