# SPDX-License-Identifier: Apache-2.0
"""ferry fs: files to a device and back, compared by their hash; what is refused, and what breaks."""
import hashlib
import json
import os
import random
import subprocess
import time
import zlib

import pytest

import lab

LAYOUT = {"files": True}
BAUD = 460800  # slow enough to be in the middle


def made(bench, folder, **options):
    return lab.Device(folder / "device", bench, layout=lab.layout("swap-move", server=LAYOUT), **options)


@pytest.fixture(scope="module")
def shared(bench, tmp_path_factory):
    """One device for the tests that leave nothing behind but their own files."""
    with made(bench, tmp_path_factory.mktemp("fs")) as device:
        device.wait_for(r"app 1\.0\.0 started")
        yield device


@pytest.fixture
def fs(shared):
    def run(*args, check=0, **more):
        return lab.ferry("fs", *args, device=shared.uri, check=check, **more)
    run.device = shared
    run.folder = shared.folder / "files" / "lfs1"
    return run


def content(size, seed=1):
    return random.Random(seed).randbytes(size)


def source(tmp_path, size, seed=1):
    path = tmp_path / f"source-{size}"
    path.write_bytes(content(size, seed))
    return path


def test_a_short_file_has_no_speed_of_zero(fs, tmp_path):
    """It said: 0.0 s, 0.00 KiB/s."""
    for size in (20, 3000):
        said = fs("upload", source(tmp_path, size), f"/lfs1/short-{size}").stderr
        assert f"{size} bytes" in said and " 0.00 KiB/s" not in said and "in 0.0 s" not in said, said


# ---- Both ways ------------------------------------------------------------------------------------

@pytest.mark.parametrize("size", [0, 1, 255, 1998, 4096, 70000, 100 * 1024])
def test_there_and_back(fs, tmp_path, size):
    sent = source(tmp_path, size)
    shown = fs("upload", sent, "/lfs1/a.bin").stdout
    assert f"uploaded: /lfs1/a.bin, {size} bytes" in shown
    assert (fs.folder / "a.bin").read_bytes() == content(size)
    if size > 0:
        assert f"sha256: {hashlib.sha256(content(size)).hexdigest()}, as the device computes it" in shown
    back = tmp_path / "back"
    assert f"{size} bytes" in fs("download", "/lfs1/a.bin", back).stdout
    assert back.read_bytes() == content(size)
    (fs.folder / "a.bin").unlink()


@pytest.mark.parametrize("wire", ["udp_uri", "raw_uri"])
def test_other_wires(fs, tmp_path, wire):
    uri = getattr(fs.device, wire)
    sent, back = source(tmp_path, 20000), tmp_path / "back"
    lab.ferry("fs", "upload", sent, "/lfs1/w.bin", device=uri, check=0)
    lab.ferry("fs", "download", "/lfs1/w.bin", back, device=uri, check=0)
    assert back.read_bytes() == sent.read_bytes() == (fs.folder / "w.bin").read_bytes()


def test_json(fs, tmp_path):
    sent, data = source(tmp_path, 5000), content(5000)
    digest = hashlib.sha256(data).hexdigest()
    up = json.loads(fs("upload", "--json", sent, "/lfs1/j.bin").stdout)
    assert up.pop("seconds") >= 0 and up.pop("bytes_per_second") >= 0
    assert up == {"name": "/lfs1/j.bin", "file": str(sent), "type": "sha256", "len": 5000, "output": digest,
                  "verified": True, "already_there": False, "resumed_at": 0}
    again = json.loads(fs("upload", "--json", sent, "/lfs1/j.bin").stdout)
    assert again["already_there"] and again["verified"]
    down = json.loads(fs("download", "--json", "/lfs1/j.bin", tmp_path / "back").stdout)
    assert down["len"] == 5000 and down["output"] == digest and down["verified"]
    assert json.loads(fs("stat", "--json", "/lfs1/j.bin").stdout) == {"name": "/lfs1/j.bin", "len": 5000}
    assert json.loads(fs("hash", "--json", "/lfs1/j.bin").stdout) == {
        "name": "/lfs1/j.bin", "type": "crc32", "len": 5000, "output": zlib.crc32(data)}
    part = fs("hash", "--json", "/lfs1/j.bin", "--type", "sha256", "--offset", "100", "--length", "50")
    assert json.loads(part.stdout) == {"name": "/lfs1/j.bin", "type": "sha256", "off": 100, "len": 50,
                                       "output": hashlib.sha256(data[100:150]).hexdigest()}
    assert json.loads(fs("types", "--json").stdout) == {
        "types": {"crc32": {"format": 0, "size": 4}, "sha256": {"format": 1, "size": 32}}}
    assert json.loads(fs("close", "--json").stdout) == {"closed": True}
    missing = json.loads(fs("stat", "--json", "/lfs1/none", check=5).stdout)
    assert "FILE_NOT_FOUND" in missing["error"]["what"]


def test_words_for_people(fs):
    (fs.folder / "w.txt").write_bytes(b"hello")
    assert fs("stat", "/lfs1/w.txt").stdout == "/lfs1/w.txt: 5 bytes\n"
    assert fs("hash", "/lfs1/w.txt").stdout == f"crc32: {zlib.crc32(b'hello'):08x}\nof 5 bytes\n"
    assert fs("types").stdout == "crc32: 4 bytes, a number\nsha256: 32 bytes\n"
    assert fs("close").stdout == "closed\n"


@pytest.mark.parametrize("words", ["fs {}", "file {}", "fs-{}"])
def test_other_clients_words(fs, tmp_path, words):
    """smpmgr's, mcumgrctl's and mcumgr-client's."""
    sent, back = source(tmp_path, 300), tmp_path / "back"
    device = fs.device.uri
    lab.ferry(*words.format("upload").split(), sent, "/lfs1/o", device=device, check=0)
    lab.ferry(*words.format("download").split(), "/lfs1/o", back, device=device, check=0)
    assert back.read_bytes() == sent.read_bytes()
    for other in ("fs status", "file read-size"):
        assert "300 bytes" in lab.ferry(*other.split(), "/lfs1/o", device=device, check=0).stdout
    for other in ("fs checksum", "file get-hash"):
        assert "sha256: " in lab.ferry(*other.split(), "/lfs1/o", "sha256", device=device, check=0).stdout
    for other in ("fs supported-checksums", "file get-supported-hash-types"):
        assert "crc32" in lab.ferry(*other.split(), device=device, check=0).stdout


# ---- Where files go -------------------------------------------------------------------------------

def test_streams(fs, tmp_path):
    (fs.folder / "s.bin").write_bytes(content(3000))
    command = [lab.FERRY, "-d", fs.device.uri, "fs"]
    done = subprocess.run([*command, "download", "/lfs1/s.bin", "-"], capture_output=True, timeout=60,
                          stdin=subprocess.DEVNULL, check=True)
    assert done.stdout == content(3000) and b"downloaded" in done.stderr
    done = subprocess.run([command[0], "--json", *command[1:], "download", "/lfs1/s.bin", "-"], capture_output=True, timeout=60,
                          stdin=subprocess.DEVNULL, check=True)
    assert done.stdout == content(3000) and json.loads(done.stderr)["len"] == 3000
    subprocess.run([*command, "upload", "-", "/lfs1/t.bin"], input=content(2500, 2), timeout=60, check=True,
                   capture_output=True)
    assert (fs.folder / "t.bin").read_bytes() == content(2500, 2)


def test_names(fs, tmp_path):
    """A folder takes the file under its own name, on either side; without one it comes here."""
    sent = source(tmp_path, 100)
    fs("upload", sent, "/lfs1/")
    assert (fs.folder / "source-100").read_bytes() == content(100)
    (tmp_path / "into").mkdir()
    fs("download", "/lfs1/source-100", tmp_path / "into")
    assert (tmp_path / "into/source-100").read_bytes() == content(100)
    done = subprocess.run([lab.FERRY, "-d", fs.device.uri, "fs", "download", "/lfs1/source-100"],
                          cwd=tmp_path / "into", timeout=60, stdin=subprocess.DEVNULL, capture_output=True)
    assert done.returncode == 0
    assert "what to call" in fs("download", "/lfs1/", check=2).stderr


# ---- What is refused --------------------------------------------------------------------------------

@pytest.mark.parametrize("args, code, said", [
    (("download", "/lfs1/none", "-"), 5, "fs 3 FILE_NOT_FOUND"),
    (("download", "/lfs1", "-"), 5, "fs 4"),
    (("download", "/../x", "-"), 5, "fs 2"),
    (("hash", "/lfs1/none"), 5, "fs 3 FILE_NOT_FOUND"),
    (("hash", "/lfs1/here", "md5"), 5, "fs 13"),
    (("hash", "/lfs1/here", "--offset", "99999"), 5, "fs 12"),
    (("hash", "/lfs1/here", "--length", "0"), 2, "above 0"),
    (("hash", "/lfs1/here", "--offset", "x"), 2, "--offset takes a number"),
    (("stat", "/lfs1/none"), 5, "fs 3 FILE_NOT_FOUND"),
    (("stat", "x" * 65), 5, "rc 3"),
    (("stat",), 2, "usage: ferry fs stat NAME"),
    (("download",), 2, "usage: ferry fs download NAME"),
    (("download", "/lfs1/here", "/none/x"), 1, "cannot write /none/x"),
    (("download", "/lfs1/here", "/dev/full"), 1, "No space left"),
    (("upload", "/none", "/lfs1/x"), 1, "cannot read /none"),
    (("upload", "/dev/null", "/none/x"), 5, "fs 14"),
    (("upload", "/dev/null"), 2, "usage: ferry fs upload"),
    (("upload", "-", "/lfs1/"), 2, "usage: ferry fs upload"),
])
def test_refusals(fs, args, code, said):
    (fs.folder / "here").write_bytes(b"content")
    done = fs(*args, check=code)
    assert said in done.stderr and "next: " in done.stderr or code == 2
    assert said in done.stderr, done.stderr
    assert done.stdout == ""


def test_a_failed_download_leaves_what_was_there(fs, tmp_path):
    kept = tmp_path / "kept"
    kept.write_bytes(b"old")
    fs("download", "/lfs1/none", kept, check=5)
    assert kept.read_bytes() == b"old" and os.listdir(tmp_path) == ["kept"]


def test_off(bench, tmp_path):
    """A device without the group."""
    with lab.Device(tmp_path / "device", bench) as device:
        device.wait_for(r"app 1\.0\.0 started")
        assert "rc 8 ENOTSUP" in lab.ferry("fs", "stat", "/lfs1/a", device=device.uri, check=5).stderr


# ---- Interrupted --------------------------------------------------------------------------------------

def test_goes_on_where_it_was(fs, tmp_path):
    sent = source(tmp_path, 50000)
    (fs.folder / "part").write_bytes(content(50000)[:30500])
    done = fs("upload", sent, "/lfs1/part")
    assert "continuing at 61 %: the device has the first 30500 bytes" in done.stderr
    assert (fs.folder / "part").read_bytes() == content(50000)
    (fs.folder / "part").write_bytes(content(50000)[:30500])
    assert json.loads(fs("upload", "--json", sent, "/lfs1/part").stdout)["resumed_at"] == 30500
    (fs.folder / "part").write_bytes(content(50000)[:30500])
    assert "continuing" not in fs("upload", "--restart", sent, "/lfs1/part").stderr
    assert (fs.folder / "part").read_bytes() == content(50000)


@pytest.mark.parametrize("there", [b"x" * 30500, content(50000) + b"more", content(50000)[:-1] + b"x"],
                         ids=["shorter", "longer", "as long"])
def test_another_file_is_replaced(fs, tmp_path, there):
    (fs.folder / "other").write_bytes(there)
    done = fs("upload", source(tmp_path, 50000), "/lfs1/other")
    assert "continuing" not in done.stderr and "already" not in done.stdout
    assert (fs.folder / "other").read_bytes() == content(50000)


def begin(device, *command):
    return subprocess.Popen([lab.FERRY, "-vv", "-d", f"{device.uri}?baud={BAUD}", "fs", *map(str, command)],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def in_the_middle(process, packets=25):
    seen = []
    while len([line for line in seen if line.startswith("-> ")]) < packets:
        line = process.stderr.readline()
        assert line, "".join(seen)
        seen.append(line)


@pytest.mark.parametrize("way", ["upload", "download"])
def test_the_power_goes_and_comes_back(bench, tmp_path, way):
    sent, back = source(tmp_path, 200000), tmp_path / "back"
    with made(bench, tmp_path, baud=BAUD) as device:
        device.wait_for(r"app 1\.0\.0 started")
        there = device.folder / "files/lfs1/p"
        if way == "download":
            there.write_bytes(sent.read_bytes())
        process = begin(device, way, *((sent, "/lfs1/p") if way == "upload" else ("/lfs1/p", back)))
        try:
            in_the_middle(process)
            device.kill()
            time.sleep(0.3)
            device.start()
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
        assert process.returncode == 0, out + err[-2000:]
        assert (there if way == "upload" else back).read_bytes() == sent.read_bytes()


def test_the_command_is_killed(bench, tmp_path):
    """The next one goes on."""
    sent = source(tmp_path, 200000)
    with made(bench, tmp_path, baud=BAUD) as device:
        device.wait_for(r"app 1\.0\.0 started")
        process = begin(device, "upload", sent, "/lfs1/p")
        in_the_middle(process)
        process.kill()
        process.communicate(timeout=10)
        done = lab.ferry("fs", "upload", sent, "/lfs1/p", device=f"{device.uri}?baud={BAUD}", check=0)
        assert "continuing at " in done.stderr
        assert (device.folder / "files/lfs1/p").read_bytes() == sent.read_bytes()


@pytest.mark.parametrize("options", [dict(loss=5, corrupt=2), dict(loss=5, corrupt=2, buf_count=1),
                                     dict(loss=5, buf_count=8, buf_size=512)])
def test_a_bad_line(bench, tmp_path, options):
    sent, back = source(tmp_path, 100 * 1024), tmp_path / "back"
    with made(bench, tmp_path, **options) as device:
        device.wait_for(r"app 1\.0\.0 started")
        lab.ferry("fs", "upload", sent, "/lfs1/b", device=device.uri, check=0)
        lab.ferry("fs", "download", "/lfs1/b", back, device=device.uri, check=0)
        assert (device.folder / "files/lfs1/b").read_bytes() == sent.read_bytes() == back.read_bytes()


QUIRKS = ["no-params", "v1-only", "too-new", "v1-body", "file-off-wrong", "file-off-wrong,v1-body", "always-rc",
          "no-rc-ok,definite,unknown-keys", "one-buffer", "lose-answer=7", "dup-answer,stale,echo", "reorder=5",
          "text-before,text-inside=200", "crlf,len-without-crc", "exact-length"]


@pytest.mark.parametrize("quirk", QUIRKS)
def test_foreign_servers(bench, tmp_path, quirk):
    """What other people's servers do differently, between ferry and the file system."""
    sent, back = source(tmp_path, 40000), tmp_path / "back"
    with made(bench, tmp_path, foreign=quirk) as device:
        device.wait_for(r"app 1\.0\.0 started")
        up = lab.ferry_json("fs", "upload", sent, "/lfs1/q", device=device.uri)
        down = lab.ferry_json("fs", "download", "/lfs1/q", back, device=device.uri)
        assert up["verified"] and down["verified"]
        assert (device.folder / "files/lfs1/q").read_bytes() == sent.read_bytes() == back.read_bytes()


def test_a_device_without_os_6_gets_larger_packets_by_echo(bench, tmp_path):
    sent = source(tmp_path, 40000)
    with made(bench, tmp_path, foreign="no-params") as device:
        device.wait_for(r"app 1\.0\.0 started")
        done = lab.ferry("-vv", "fs", "upload", sent, "/lfs1/q", device=device.uri, check=0)
        assert max(len(line) // 2 for line in done.stderr.splitlines() if line.startswith("-> ")) > 1000
