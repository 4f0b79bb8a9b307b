# SPDX-License-Identifier: Apache-2.0
"""Every command that takes files, given bad ones: missing, empty, cut off, too large, unreadable, of
another kind; outputs that cannot be written, or would replace an input; no standard output; killed
in the middle. It ends with a documented exit code and says what to do; no file is left behind, and
none is lost. The commands are those of `ferry --help`, so that none is forgotten."""
import os
import re
import signal
import subprocess
import time

import pytest

from lab import FERRY, ROOT, ferry
from test_first_files import firmware

NOWHERE = ["-d", "udp:127.0.0.1:9", "--timeout", "0.2"]

# How each command is called: words in capitals are files of the folder below, OUT what it writes.
CALLS = {
    "sign": "-k KEY -v 1.0.0 -S 0x40000 -H 512 --pad-header ELF OUT",
    "verify": "-k KEY IMAGE",
    "inspect": "-k KEY IMAGE",
    "dumpinfo": "-o OUT IMAGE",
    "keygen": "-t ed25519 -o OUT",
    "pubkey": "-k KEY -o OUT",
    "pubhash": "-k KEY -o OUT",
    "privkey": "-k ENCKEY -o OUT",
    "keyinfo": "-k KEY",
    "b0 sign": "-k KEY -v 2 -a 0x8000 B0 OUT",
    "b0 inspect": "-k KEY B0SIGNED",
    "b0 provision": "-k KEY --s0-addr 0x8000 --s1-addr 0x18000 OUT",
    "bundle create": "-k KEY OUT IMAGE",
    "bundle list": "BUNDLE",
    "bundle verify": "-k KEY BUNDLE",
    "bundle extract": "BUNDLE OUT",
    "layout": "LAYOUT --check IMAGE",
    "update": "-k KEY IMAGE",
    "image upload": "IMAGE",
    "key add": "KEY",
    "key revoke": "KEY",
    "unlock": "-k EDKEY",
    "decode": "TRACE",
    "replay": "TRACE",
    "version": "",
}
# What asks a device alone, and reads no file.
DEVICE_ONLY = {"image list", "image test", "image confirm", "image erase", "image slots", "why",
               "measured", "echo", "reset", "params", "info", "key list", "b0 slot",
               "access", "lock", "raw", "doctor", "monitor", "transport list", "transport status",
               "transport modes", "transport config", "transport connect", "transport disconnect", "fs stat", "fs hash", "fs types", "fs close", "datetime", "bootloader", "console-echo", "image state-write",
               "image corelist", "image coredownload", "image coreerase", "taskstat", "mpstat", "stat", "stat list", "stat all", "log show",
               "log clear", "log list", "log module_list", "log level_list", "enum count",
               "enum list", "enum group", "enum details", "settings read", "settings write",
               "settings delete", "settings commit", "settings load", "settings save", "config",
               "shell exec", "storage erase", "run list", "run test", "crash", "scan"}
# What has tests of its own for bad files.
ELSEWHERE = {"decode": "test_packets.py", "replay": "test_traces.py", "station": "test_station.py",
             "man": "test_tool.py", "profile add": "test_tool.py",
             "profile list": "test_tool.py", "profile remove": "test_tool.py", "fs upload": "test_fs.py", "fs download": "test_fs.py"}
# The device is not there: what is bad is found before it is asked.
WITH_DEVICE = {"update", "image upload", "key add", "key revoke", "unlock"}

BAD = ["missing", "empty", "folder", "unreadable", "cut", "garbage", "oversized"]
# What is not bad: any bytes may be a program.
GOOD = {("b0 sign", "B0", "cut"), ("sign", "ELF", "garbage")}


def files_of(name):
    """The words of a call that are files, what it writes left out."""
    return [word for word in CALLS[name].split() if word.isalnum() and word.isupper() and word != "OUT"]


def listed():
    """The commands of `ferry --help`: words up to the first argument, or the wide gap."""
    text = ferry("--help", check=0).stdout
    return re.findall(r"^  ([a-z][a-z0-9-]*(?: [a-z][a-z_-]*)?)(?= (?:[A-Z\[-]| ))", text, re.M)


def test_no_command_is_forgotten():
    names = listed()
    assert len(names) > 30 and len(names) == len(set(names))
    for name in names:
        assert re.match(f"usage: ferry {name}[ \n]", ferry(*name.split(), "--help", check=0).stdout)
    assert set(names) == set(CALLS) | DEVICE_ONLY | set(ELSEWHERE)
    assert all((ROOT / "tests/e2e" / test).exists() for test in ELSEWHERE.values())


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("good")
    ferry("keygen", "-t", "ecdsa-p256", "-o", folder / "KEY", check=0)
    ferry("keygen", "-t", "x25519", "-o", folder / "ENCKEY", check=0)
    ferry("keygen", "-t", "ed25519", "-o", folder / "EDKEY", check=0)
    (folder / "ELF").write_bytes((ROOT / "build/firmware/app-v1.elf").read_bytes())
    (folder / "BIN").write_bytes(bytes(i * 7 & 0xff for i in range(5000)))
    ferry("sign", "-k", folder / "KEY", "-v", "1.0.0", "-S", "0x40000", "-H", "512", "--pad-header",
          folder / "BIN", folder / "IMAGE", check=0)
    (folder / "B0").write_bytes(firmware())
    ferry("b0", "sign", "-k", folder / "KEY", "-v", "2", "-a", "0x8000", folder / "B0",
          folder / "B0SIGNED", check=0)
    ferry("bundle", "create", folder / "BUNDLE", folder / "IMAGE", check=0)
    (folder / "TRACE").write_text('{"ferry_trace":1,"t":0,"dir":"begin"}\n'
                                  '{"t":1.5,"dir":"tx","hex":"080000010000a106a0"}\n')
    (folder / "LAYOUT").write_bytes((ROOT / "device/layout.json").read_bytes())
    return folder


@pytest.fixture
def folder(files, tmp_path):
    for path in files.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def state(folder):
    """Every file of it and what is in it, but the oversized, whose size does."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.stat().st_size < 1 << 25
            else path.stat().st_size
            for path in folder.rglob("*") if path.is_file() and path.resolve().is_relative_to(folder)}


def call(name, folder, **replaced):
    """Run a command in the folder; replaced: other words for its files."""
    device = NOWHERE if name in WITH_DEVICE else []
    words = [str(replaced.get(word, word)) for word in CALLS[name].split()]
    return subprocess.run([FERRY, *device, *name.split(), *words], cwd=folder, capture_output=True,
                          text=True, errors="replace", timeout=60, stdin=subprocess.DEVNULL,
                          env={k: v for k, v in os.environ.items() if k != "FERRY_DEVICE"})


def refused(done, codes=(1, 2, 6)):
    assert done.returncode in codes, (done.returncode, done.stdout, done.stderr)
    assert "ferry: " in done.stderr and "  next: " in done.stderr, done.stderr
    assert "Sanitizer" not in done.stderr
    return done.stderr


def inputs():
    for name in CALLS:
        for word in files_of(name):
            for bad in BAD:
                if (name, word, bad) not in GOOD:
                    yield name, word, bad


def spoil(path, bad):
    data = path.read_bytes()
    path.unlink()
    if bad == "folder":
        path.mkdir()
    elif bad == "unreadable":  # for root, too
        path.symlink_to("/proc/self/mem")
    elif bad == "oversized":
        with open(path, "wb") as file:
            file.truncate((64 << 20) + 1)
    elif bad != "missing":
        path.write_bytes({"empty": b"", "cut": data[:len(data) // 2],
                          "garbage": bytes(i * i * 31 + i * 7 & 0xff for i in range(3000))}[bad])


def test_the_calls_are_right(folder):
    """Without this the others would prove nothing."""
    for name in CALLS:
        if name not in WITH_DEVICE:
            out = folder / f"out {name}"
            if name == "bundle extract":
                out.mkdir()
            done = call(name, folder, OUT=out)
            assert done.returncode == 0, (name, done.stderr)
            assert out.exists() == (name in WRITERS)


@pytest.mark.parametrize("name, word, bad", inputs())
def test_a_bad_file_is_refused(folder, name, word, bad):
    spoil(folder / word, bad)
    before = state(folder)
    refused(call(name, folder))
    assert state(folder) == before


WRITERS = [name for name, words in CALLS.items() if "OUT" in words.split()]
PLACES = {"no-folder": "no/such/folder/out", "folder": "taken", "full": "/dev/full",
          "proc": "/proc/out", "long": "x" * 5000}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", WRITERS)
def test_an_output_that_cannot_be_written(folder, name, place):
    where = PLACES[place]
    if name == "bundle extract" and where == "taken":
        (folder / "taken").write_bytes(b"a file where a folder is to be")
    else:
        (folder / "taken").mkdir()
        (folder / "taken/kept").write_bytes(b"kept")
    before = state(folder)
    refused(call(name, folder, OUT=where))
    assert state(folder) == before


@pytest.mark.skipif(os.getuid() == 0, reason="root writes into every folder")
@pytest.mark.parametrize("name", WRITERS)
def test_a_folder_that_cannot_be_written(folder, name):
    (folder / "shut").mkdir(mode=0o555)
    before = state(folder)
    refused(call(name, folder, OUT="shut/out"))
    assert state(folder) == before


@pytest.mark.parametrize("name, word", [(n, w) for n in WRITERS for w in files_of(n)])
def test_an_output_that_is_an_input(folder, name, word):
    """A key, an image, a bundle is never written over. What is signed may be signed in place."""
    before = state(folder)
    done = call(name, folder, OUT=word)
    if (name, word) in {("sign", "ELF"), ("b0 sign", "B0")}:
        assert done.returncode == 0
        before[word] = state(folder)[word]
        ferry(*{"sign": ["verify"], "b0 sign": ["b0", "inspect"]}[name], "-k", folder / "KEY",
              folder / word, check=0)
    else:
        refused(done)
    assert state(folder) == before


def test_a_key_is_not_replaced_by_its_other_name(folder):
    (folder / "link").hardlink_to(folder / "KEY")
    (folder / "soft").symlink_to("KEY")
    before = state(folder)
    for name in ("link", "soft", "./KEY"):
        assert "would be lost" in refused(call("pubkey", folder, OUT=name))
    assert state(folder) == before


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("out", ["full", "closed"])
def test_what_cannot_be_said_is_no_success(folder, name, out):
    """Standard output on a full disk, or closed: the exit code is not 0 where words were lost."""
    words = " ".join(f"'{word}'" for word in CALLS[name].split()) \
        if name not in WITH_DEVICE else "--help"
    for made in ("OUT", "out2"):
        if name == "bundle extract":
            (folder / made).mkdir()
    redirect = {"full": ">/dev/full", "closed": ">&-"}[out]
    done = subprocess.run(["sh", "-c", f"'{FERRY}' {name} {words} {redirect}"], cwd=folder,
                          capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    said = call(name, folder, OUT="out2").stdout if name not in WITH_DEVICE else "help"
    assert done.returncode >= 0
    if said:
        assert done.returncode == 1 and "ferry: " in done.stderr, (done.returncode, done.stderr)
    else:
        assert done.returncode == 0


@pytest.mark.parametrize("existed", [True, False])
def test_a_killed_command_leaves_the_old_file_or_none(tmp_path, files, existed):
    """Killed at many moments of signing 60 MiB: what has a name is whole, always, where the file
    system has files without one; else what has the output's name."""
    try:
        os.close(os.open(tmp_path, os.O_TMPFILE | os.O_WRONLY))
        nameless = True
    except OSError:
        nameless = False
    source, out = tmp_path / "large.bin", tmp_path / "out.bin"
    with open(source, "wb") as file:
        file.write(b"begin")
        file.truncate(60 << 20)
    words = [FERRY, "sign", "-k", files / "EDKEY", "-v", "1.0.0", "-S", "0x4000000", "-H", "512",
             "--pad-header", source, out]
    begin = time.monotonic()
    subprocess.run(words, check=True, capture_output=True, timeout=60)
    whole, seconds = out.stat().st_size, time.monotonic() - begin
    killed = 0
    for i in range(12):
        out.unlink(missing_ok=True)
        if existed:
            out.write_bytes(b"old")
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(seconds * (i + 1) / 12)
        process.send_signal(signal.SIGKILL)
        killed += process.wait(timeout=60) == -signal.SIGKILL
        if out.exists():
            assert out.stat().st_size in (whole, *([3] if existed else []))
        # Killed between getting a name and taking the other's place: whole as well.
        for left in tmp_path.glob("out.bin.*.tmp"):
            assert left.stat().st_size == whole or not nameless
            left.unlink()
        assert {p.name for p in tmp_path.iterdir()} <= {"large.bin", "out.bin"}
    assert killed > 0


# ---- Values -----------------------------------------------------------------------------


@pytest.mark.parametrize("options, words", [
    (["-v", "256.0.0"], "version"),
    (["-v", "1.2.65536"], "version"),
    (["-v", "1.2.3+4294967296"], "version"),
    (["-v", "one"], "version"),
    (["--custom-tlv", "0x9f", "text"], "0xa0"),
    (["--custom-tlv", "0x50", "text"], "0xa0"),
    (["--custom-tlv", "0x10000", "text"], "0xa0"),
    (["-H", "8"], "header"),
    (["--align", "3"], "align"),
    (["-S", "1T"], "slot"),
    (["-k", "ENCKEY"], "signs nothing"),
    (["-E", "LAYOUT"], "LAYOUT"),
])
def test_a_bad_value_is_refused(folder, options, words):
    before = state(folder)
    done = subprocess.run([FERRY, "sign", "-k", "KEY", "-v", "1.0.0", "-S", "0x40000", "-H", "512",
                           "--pad-header", *options, "BIN", "OUT"], cwd=folder, capture_output=True,
                          text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert words in refused(done)
    assert state(folder) == before


def test_overlapping_hex_is_refused(folder):
    (folder / "HEX").write_text(":0400000001020304F2\n:0400020005060708E0\n:00000001FF\n")
    before = state(folder)
    assert "both have data" in refused(call("sign", folder, ELF="HEX"))
    assert state(folder) == before


def test_a_wrong_password_is_refused(folder):
    ferry("keygen", "-t", "ed25519", "-p", "-o", folder / "SEALED", check=0,
          env={"FERRY_KEY_PASSWORD": "right"})
    before = state(folder)
    (folder / "wrong").write_text("wrong\n")
    for name in ("sign", "verify", "pubkey", "bundle create"):
        done = subprocess.run([FERRY, "--password-file", "wrong", *name.split(),
                               *CALLS[name].replace("KEY", "SEALED").split()], cwd=folder,
                              capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
        assert "password" in refused(done)
    (folder / "wrong").unlink()
    assert state(folder) == before
