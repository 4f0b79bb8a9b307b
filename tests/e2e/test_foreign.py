# SPDX-License-Identifier: Apache-2.0
"""Foreign servers, played by `ferry-device --foreign`: whatever the quirk, the update completes and
the file is right, or the failure has a name. C1 to C41: docs/INTEROP.md."""
import time

import pytest

import lab

FAST = ["--timeout", "1"]


@pytest.fixture(scope="session")
def bench(tmp_path_factory):
    return lab.Bench(tmp_path_factory.mktemp("bench"))


@pytest.fixture
def foreign(tmp_path, bench):
    """Makes a device with quirks."""
    made = []

    def make(quirks, **options):
        device = lab.Device(tmp_path / f"device{len(made)}", bench, foreign=quirks,
                            **options).start()
        device.wait_for(r"app \d\.0\.0 started|recovery \(")
        made.append(device)
        return device
    yield make
    for device in made:
        device.stop()


def uri(device, wire):
    return {"serial": device.uri, "raw": device.raw_uri, "udp": device.udp_uri}[wire]


def check_updated(device, bench):
    """The new image runs, confirmed, and its bytes in the flash are those of the file."""
    device.stop()
    image = bench.images["v2"].read_bytes()
    assert any(image in flash for flash in device.flash().values())
    device.options.pop("foreign")
    device.start()
    running = device.running()
    assert running["hash"] == bench.hash_of("v2") and running["confirmed"]


# ---- Quirks that an update does not mind --------------------------------------------------------

# Those that the device's log says to have done something; the others are forms of what it sends.
ACTIVE = set("""no-params mute-params v1-only too-new v1-body off-wrong off-back off-restart chop restart-at-0
ignore-first busy slow-erase slow-last lose-last lose-answer dup-answer reorder stale reset-unanswered""".split())

ON_ANY_WIRE = {  # quirks: options of the device
    "no-params": {}, "v1-body": {}, "always-rc": {}, "no-rc-ok": {},
    "v1-body,always-rc,definite": {}, "one-buffer": {}, "off-wrong": {}, "off-back": {},
    "off-restart": {}, "chop": {}, "chop=64": {}, "restart-at-0": {}, "busy": {},
    "slow-last=1500": {}, "lose-last": {}, "definite": {}, "unknown-keys": {}, "no-match": {},
    "lose-answer=5": {}, "dup-answer": {}, "reorder=3": {}, "stale": {}, "reset-unanswered": {},
    "too-new": {}, "ignore-first": {}, "slow-erase=1500": {},
}


@pytest.mark.parametrize("quirks", ON_ANY_WIRE)
def test_update_over_udp(quirks, foreign, bench):
    device = foreign(quirks, **ON_ANY_WIRE[quirks])
    lab.ferry(*FAST, "update", bench.images["v2"], device=device.udp_uri, check=0)
    assert "erased again" not in device.log() and "without len" not in device.log()
    if quirks.split("=")[0] in ACTIVE:
        assert f"foreign: {quirks.split('=')[0]}" in device.log()
    check_updated(device, bench)


ON_THE_CONSOLE = ["mute-params", "v1-only", "echo", "crlf", "len-without-crc", "text-before", "text-between",
                  "text-inside=40", "echo,crlf,text-before,text-between"]


@pytest.mark.parametrize("quirks", ON_THE_CONSOLE)
def test_update_over_a_console(quirks, foreign, bench):
    device = foreign(quirks)
    lab.ferry(*FAST, "update", bench.images["v2"], device=device.uri, check=0)
    check_updated(device, bench)


@pytest.mark.parametrize("quirks", ["no-params", "always-rc,definite,unknown-keys", "off-restart,dup-answer",
                                    "v1-body,one-buffer"])
def test_update_over_bare_packets(quirks, foreign, bench):
    device = foreign(quirks)
    lab.ferry("update", bench.images["v2"], device=device.raw_uri, check=0)
    check_updated(device, bench)


# ---- Failures with a name ----------------------------------------------------------------------

def upload(device, bench, wire="udp"):
    return lab.ferry(*FAST, "image", "upload", bench.images["v2"], device=uri(device, wire))


@pytest.mark.parametrize("quirk,code,words", [
    ("off-beyond", 5, "asks for data beyond the file"),
    ("off-stuck", 4, "asks for the same offset again and again"),
    ("error-without-off=1", 5, "rc 1 EUNKNOWN"),
    ("error-without-off=4711", 5, "4711"),
    ("match-false", 6, "holds something else than was sent"),
])
def test_upload_fails_with_a_name(quirk, code, words, foreign, bench):
    """C1, C3, C4, C10, C20: never an endless loop, never a success."""
    device = foreign(quirk)
    done = upload(device, bench)
    assert done.returncode == code and words in done.stderr, done.stderr
    assert "begun anew after an error" not in device.log()


def test_an_unknown_refusal_is_one(foreign, bench):
    """C20: no unknown code becomes success."""
    device = foreign("unknown-rc", image="v1")
    assert upload(device, bench).returncode == 0
    done = lab.ferry(*FAST, "image", "test", bench.hash_of("v2"), device=device.udp_uri, check=5)
    assert "4711" in done.stderr


def test_an_image_that_is_there_is_not_sent(foreign, bench):
    """C5: the first answer says that all is there."""
    device = foreign("first-off-len")
    done = upload(device, bench)
    assert done.returncode == 0, done.stderr


def test_images_without_a_hash_are_listed(foreign, bench):
    """C25."""
    device = foreign("missing-hash")
    listed = lab.ferry_json("image", "list", device=device.udp_uri)["images"]
    assert [(i["slot"], i.get("hash", ""), i["pending"]) for i in listed] == [(0, "", False)]


def test_bad_quirks_are_named(tmp_path, bench):
    for quirks, words in (("no-param", 'no quirk "no-param"'), ("stale=2", "it takes no number"),
                          ("busy=0", "from 1 to 65535"), ("busy=", "from 1 to 65535"), (",", 'no quirk ""')):
        device = lab.Device(tmp_path / "device", bench) if not (tmp_path / "device").exists() else device
        done = lab.subprocess.run([lab.FERRY_DEVICE, "--dir", device.folder, "--foreign", quirks],
                                  capture_output=True, text=True, timeout=10)
        assert done.returncode == 2 and words in done.stderr, done.stderr


# ---- MCUboot ---------------------------------------------------------------------------------------

def test_mcuboots_recovery_is_updated(foreign, bench):
    """C6, C8 to C10, C15, C18, C21, C41 together."""
    device = foreign("mcuboot")
    lab.ferry("reset", "--recovery", device=device.uri, check=0)
    device.wait_for(r"recovery \(boot-mode\)")
    listed = lab.ferry(*FAST, "image", "list", device=device.uri, check=0)
    assert "MCUboot's serial recovery" in listed.stderr
    assert lab.ferry_json("params", device=device.uri)["buf_count"] == 1
    lab.ferry(*FAST, "update", bench.images["v2"], device=device.uri, check=0)
    for quirk in ("v1-body", "recovery-only", "restart-at-0"):
        assert f"foreign: {quirk}" in device.log()
    assert "a packet was lost" not in device.log()
    assert device.running()["hash"] == bench.hash_of("v2")


def test_the_first_frame_reaches_a_shell(foreign):
    """Zephyr's shell loses a frame behind a line feed that comes with it: none is sent."""
    device = foreign("shell-burst")
    done = lab.ferry("-vv", "params", device=device.uri, check=0)
    assert done.stderr.count("-> 08000001") == done.stderr.count("<- 0900"), done.stderr


def test_lines_are_paced_where_they_are_lost(foreign, bench):
    """C34: a small driver's two line buffers, and a pseudo terminal that is faster than the line."""
    device = foreign("two-lines=1")
    lab.ferry(*FAST, "update", bench.images["v2"], device=f"{device.uri}?baud=921600", check=0)
    check_updated(device, bench)


# ---- Files and shell -------------------------------------------------------------------------------

WITH_FILES = lab.layout("swap-move", server={"files": True, "shell": True})


@pytest.mark.parametrize("quirks", ["file-off-wrong", "lose-answer=5", "dup-answer,stale", "always-rc,definite",
                                    "unknown-keys", "v1-only,v1-body", "one-buffer", "reorder=2"])
def test_files_go_both_ways(quirks, foreign, tmp_path):
    """C23, C24: a file is what was sent, whatever the server's manners."""
    device = foreign(quirks, layout=WITH_FILES)
    data = bytes(range(256)) * 60 + b"end"
    (tmp_path / "sent").write_bytes(data)
    lab.ferry(*FAST, "fs", "upload", tmp_path / "sent", "/lfs1/blob", device=device.udp_uri, check=0)
    assert (device.folder / "files/lfs1/blob").read_bytes() == data
    lab.ferry(*FAST, "fs", "download", "/lfs1/blob", tmp_path / "got", device=device.udp_uri, check=0)
    assert (tmp_path / "got").read_bytes() == data
    if quirks == "file-off-wrong":
        assert "foreign: file-off-wrong" in device.log()


@pytest.mark.parametrize("quirks", ["shell-rc", "always-rc,definite,unknown-keys"])
def test_a_shell_of_an_old_server(quirks, foreign):
    """C23: the command's own status is rc where others say ret."""
    device = foreign(quirks, layout=WITH_FILES)
    done = lab.ferry("shell", "exec", "echo", "one two", device=device.udp_uri, check=0)
    assert "one two" in done.stdout
    assert lab.ferry("shell", "exec", "nosuch", device=device.udp_uri).returncode == 5
