# SPDX-License-Identifier: Apache-2.0
"""ferry doctor: each way in which nothing answers has its cause, its remedy and its exit code; and
nothing is changed on the device."""
import json
import subprocess
import sys

import pytest

import pretend
from lab import Bench, Device, ferry
from test_streams import tcp

STAGES = ["port", "permission", "free", "bytes", "answer", "framing", "baud", "server", "buffers",
          "lines", "turnaround", "speed", "slots", "file"]


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return Bench(tmp_path_factory.mktemp("bench"))


@pytest.fixture(scope="module")
def device(tmp_path_factory, bench):
    with Device(tmp_path_factory.mktemp("device"), bench) as running:
        running.running()
        yield running


def doctor(uri, *args, exit=0):
    """The result, and the stages by name."""
    result = json.loads(ferry("--json", "doctor", *args, device=uri, check=exit).stdout)
    assert result["exit"] == exit
    return result, {row["stage"]: row for row in result["stages"]}


def silent(uri, stage="answer", exit=4):
    """The stage that fails first; each failure has what, why and next."""
    result, stages = doctor(uri, exit=exit)
    assert result["failed"] == stage
    for row in result["stages"]:
        if row["status"] in ("failed", "warning"):
            assert row["fact"] and row["why"] and row["next"], row
    assert result["error"]["what"] == stages[stage]["fact"] and result["error"]["next"]
    return result, stages


# ---- Devices that are well ---------------------------------------------------------------------


def test_a_healthy_serial_device(bench, device):
    before = device.log()
    result, stages = doctor(device.uri, bench.images["v2"])
    assert list(stages) == STAGES and result["failed"] == "" and result["warnings"] == 0
    assert {row["status"] for row in result["stages"]} == {"ok", "skipped"}
    assert (result["server"], result["smp_version"], result["buf_size"], result["buf_count"]) == \
        ("ferry", 2, 2048, 4)
    assert 1 in result["groups"] and result["turnaround_ms"] >= 0 and result["upload"]["seconds"] > 0
    assert "it fits" in stages["file"]["fact"] and "pseudo terminal" in stages["port"]["fact"]
    assert result["upload"]["size"] == bench.images["v2"].stat().st_size
    for word in ("erased", "reset", "upload"):
        assert device.log().count(word) == before.count(word), "the doctor has changed something"


def test_a_healthy_raw_device(device):
    result, stages = doctor(device.raw_uri)
    assert result["failed"] == "" and "bare packets" in stages["answer"]["fact"]


@pytest.mark.parametrize("wire", ["udp_uri", "udp6_uri"])
def test_a_healthy_udp_device(device, wire):
    result, stages = doctor(getattr(device, wire))
    assert list(stages) == ["name", "route", *(s for s in STAGES[4:] if s not in ("framing", "baud"))]
    assert result["failed"] == "" and "MTU" in stages["route"]["fact"]
    assert ("IPv6" if wire == "udp6_uri" else "IPv4") in stages["route"]["fact"]


def test_a_device_behind_a_stream(device):
    with tcp(device.link) as (uri, _):
        _, stages = doctor(uri)
        assert list(stages)[:2] == ["connect", "answer"] and "baud" not in stages
        result, stages = silent(uri + "?framing=raw")
        assert "console's frames" in stages["framing"]["fact"]
        assert result["error"]["next"] == f"-d '{uri}?framing=console'"
    _, stages = silent(uri, stage="connect", exit=3)
    assert "cannot connect" in stages["connect"]["fact"]
    silent("unix:/nowhere/socket", stage="connect", exit=3)


def test_text_for_people(device):
    done = ferry("doctor", device=device.uri, check=0)
    assert "ok       answer" in done.stdout and done.stdout.endswith("all well\n")
    assert "skipped  framing, baud  not in question" in done.stdout and done.stderr == ""


def test_one_buffer_limits_an_upload_and_its_time_is_told(tmp_path, bench):
    with Device(tmp_path, bench, baud=115200, latency=5, buf_size=512, buf_count=1) as slow:
        slow.running()
        result, stages = doctor(slow.uri)
    assert result["upload"]["limit"] == "buffers" and (result["buf_size"], result["buf_count"]) == (512, 1)
    assert "limited by the device's one buffer of 512 bytes; 4 of 2048 would give" in stages["speed"]["fact"]
    assert result["upload"]["requests"] == 547  # 480 bytes each
    assert 31 < result["upload"]["best_seconds"] < 33 < result["upload"]["seconds"]


def test_a_file_that_does_not_fit_or_is_none(bench, device, tmp_path):
    result, stages = doctor(device.uri, "/etc/passwd", exit=6)
    assert result["failed"] == "file" and stages["file"]["next"]
    result, stages = doctor(device.uri, bench.images["v1"])
    assert "runs on the device already" in stages["file"]["fact"]


def test_slots_in_trouble_are_a_warning(tmp_path, bench):
    with Device(tmp_path, bench) as troubled:
        troubled.running()
        ferry("image", "upload", bench.images["v2"], device=troubled.uri, check=0)
        ferry("image", "test", bench.hash_of("v2"), device=troubled.uri, check=0)
        result, stages = doctor(troubled.uri)
        assert stages["slots"]["status"] == "warning" and "waits for a reset" in stages["slots"]["fact"]
        assert "ferry reset" in stages["slots"]["next"] and result["warnings"] == 1
        ferry("reset", device=troubled.uri, check=0)
        troubled.wait_for("2.0.0.*started|started.*2.0.0|version 2")
        assert troubled.running()["version"] == "2.0.0"
        _, stages = doctor(troubled.uri)
        assert "runs unconfirmed" in stages["slots"]["fact"] and "confirm" in stages["slots"]["next"]


def test_ferrys_recovery_is_named(tmp_path, bench):
    with Device(tmp_path, bench, button=True) as held:
        held.wait_for("recovery")
        result, stages = doctor(held.uri)
    assert result["server"] == "ferry-recovery" and result["recovery"] == "button"
    assert stages["server"]["status"] == "warning" and "ferry reset" in stages["server"]["next"]


# ---- Other servers -----------------------------------------------------------------------------


@pytest.mark.parametrize("server,options,kind,version", [
    (pretend.mcuboot, {}, "mcuboot-recovery", 2),
    (pretend.mynewt, {"only": 0}, "mynewt", 1),
    (pretend.old, {"only": 0}, "old", 1),
    (pretend.old, {}, "old", 2),
])
def test_other_servers_are_told_apart(server, options, kind, version):
    with pretend.Pretender(server, **options) as other:
        result, stages = doctor(other.uri)
        assert (result["server"], result["smp_version"]) == (kind, version)
        assert all((op, group, id) not in other.seen for op, group, id in
                   ((2, 0, 5), (2, 1, 0), (2, 1, 1), (2, 1, 5))), "the doctor has changed something"


@pytest.mark.parametrize("quirks,server,version", [
    ("no-params", "ferry", 2), ("mute-params", "ferry", 2), ("v1-only", "ferry", 1), ("too-new", "ferry", 1),
    ("echo", "ferry", 2), ("dup-answer", "ferry", 2), ("stale", "ferry", 2), ("missing-hash", "ferry", 2),
    ("unknown-keys", "ferry", 2), ("one-buffer", "ferry", 2)])
def test_quirks_of_other_servers_are_no_failures(tmp_path, bench, quirks, server, version):
    with Device(tmp_path, bench, foreign=quirks) as other:
        other.wait_for("started")
        result, stages = doctor(other.uri)
        assert (result["server"], result["smp_version"], result["failed"]) == (server, version, "")
        if "params" in quirks:
            assert "2044 bytes were echoed" in stages["buffers"]["fact"] and "buf_size" not in result


def test_lost_answers_are_a_warning(tmp_path, bench):
    with Device(tmp_path, bench, foreign="lose-answer=3") as lossy:
        lossy.wait_for("started")
        result, stages = doctor(lossy.uri)
        assert stages["turnaround"]["status"] == "warning" and "were answered" in stages["turnaround"]["fact"]
        assert result["upload"]["seconds"] > 0


def test_buffers_are_found_by_growing_where_they_are_not_told():
    with pretend.Pretender(pretend.old, buffer=300) as other:
        _, stages = doctor(other.uri)
        assert "packets of 252 bytes were echoed" in stages["buffers"]["fact"]


def test_long_requests_that_are_lost():
    def boasts(op, group, id, request, version):
        if (group, id) == (0, 6):
            return {"buf_size": 1024, "buf_count": 4}
        return pretend.old(op, group, id, request, version)

    with pretend.Pretender(boasts, buffer=600) as other:
        _, stages = silent(other.uri, stage="lines")
        assert "a request of 1020 bytes gets no answer, one of 510 does" in stages["lines"]["fact"]


# ---- Nothing answers ---------------------------------------------------------------------------


def test_there_is_no_such_port(tmp_path):
    _, stages = silent(tmp_path / "ttyACM0", stage="port", exit=3)
    assert "there is no" in stages["port"]["fact"] and stages["answer"]["status"] == "skipped"
    (tmp_path / "gone").symlink_to(tmp_path / "nothing")
    _, stages = silent(tmp_path / "gone", stage="port", exit=3)
    assert "leads to nothing" in stages["port"]["fact"]


@pytest.mark.parametrize("path", ["/dev/null", "/etc/passwd", "/tmp"])
def test_it_is_no_serial_port(path):
    _, stages = silent(f"serial:{path}", stage="port", exit=3)
    assert "is no serial port" in stages["port"]["fact"]


def test_a_rate_that_does_not_exist():
    with pretend.Pretender() as off:
        _, stages = silent(off.uri + "?baud=12345", stage="free", exit=3)
        assert "12345 baud" in stages["free"]["fact"] and "usual ones" in stages["free"]["why"]
        done = ferry("image", "list", device=off.uri + "?baud=12345", check=2)
        assert "baud rate 12345 is none the system knows; 115200" in done.stderr


def test_another_program_has_the_port():
    hold = ("import fcntl,sys;f=open(sys.argv[1],'rb+',buffering=0);fcntl.flock(f,fcntl.LOCK_EX);"
            "print('held',flush=True);sys.stdin.read()")
    with pretend.Pretender() as off:
        holder = subprocess.Popen([sys.executable, "-c", hold, off.path], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE)
        try:
            assert holder.stdout.readline() == b"held\n"
            _, stages = silent(off.uri, stage="free", exit=3)
            assert f"PID {holder.pid} (python" in stages["free"]["fact"]
            assert stages["free"]["next"].startswith("close")
        finally:
            holder.stdin.close()
            holder.wait(timeout=10)


def test_another_program_listens_too():
    with pretend.Pretender() as off:
        listener = subprocess.Popen([sys.executable, "-c", "import sys;f=open(sys.argv[1],'rb+',buffering=0);"
                                     "print('open',flush=True);sys.stdin.read()", off.path],
                                    stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            assert listener.stdout.readline() == b"open\n"
            _, stages = silent(off.uri)
            assert stages["free"]["status"] == "warning"
            assert f"PID {listener.pid} (python" in stages["answer"]["fact"]
        finally:
            listener.stdin.close()
            listener.wait(timeout=10)


def test_the_device_is_off():
    with pretend.Pretender() as off:
        _, stages = silent(off.uri)
        assert "nothing at all was received" in stages["answer"]["fact"]
        assert "cable" in stages["answer"]["next"] and "rate" in stages["baud"]["fact"]


def test_nobody_listens_on_a_udp_port():
    _, stages = silent("udp:127.0.0.1:9")
    assert "nobody listens" in stages["answer"]["fact"]
    _, stages = silent("udp:host.invalid", stage="name", exit=3)
    assert "leads to no address" in stages["name"]["fact"]


def sent(uri, *options):
    """How many requests a command without an answer sends, and what it says meanwhile."""
    done = ferry("-vv", *options, "echo", "x", device=uri, check=4)
    lines = done.stderr.splitlines()
    return sum(line.startswith("-> ") for line in lines), done.stderr


def test_a_refused_port_is_given_up_after_two_tries():
    """It took 12.5 s though the host had said at once that nobody listens."""
    tries, said = sent("udp:127.0.0.1:9", "--timeout", "0.3")
    assert tries == 2 and "nobody listens" in said


def test_a_wait_is_not_silent():
    """12.5 s went by without a word."""
    with pretend.Pretender() as off:
        tries, said = sent(off.uri, "--timeout", "0.2")
        assert tries == 5
        assert said.count(f"ferry: no answer yet from {off.uri}; trying again\n") == 1
        assert "no answer yet" not in sent(off.uri, "--timeout", "0.2", "--json")[1]


@pytest.mark.parametrize("raw", [False, True])
def test_a_line_that_echoes(raw):
    """It was told as another program that talks, or a rate at which SMP answers."""
    with pretend.Pretender(raw=raw, echo=True) as joined:
        done = ferry("--timeout", "0.2", "echo", "x", device=joined.uri, check=4)
        assert "what is sent comes back" in done.stderr and "TX and RX are joined" in done.stderr
        assert "another program" not in done.stderr
        result, stages = silent(joined.uri)
        assert "what is sent comes back" in stages["answer"]["fact"]
        assert "TX and RX are joined" in result["error"]["why"]
        assert {stages[name]["status"] for name in ("framing", "baud")} == {"skipped"}


@pytest.mark.parametrize("text,why", [
    (b"[00:00:01] <inf> main: hello\r\n", "does not serve SMP here"),
    (b"uart:~$ ", "shell"),
    (b"E: Unable to find bootable image\r\n", "no image on the device may run"),
    (b"*** >>> ZEPHYR FATAL ERROR 4\r\n", "crashed"),
])
def test_only_text_comes(text, why):
    with pretend.Pretender(chatter=text) as talker:
        _, stages = silent(talker.uri)
        assert "only console text" in stages["answer"]["fact"] and "of text" in stages["bytes"]["fact"]
        assert why in stages["answer"]["why"]


def test_only_noise_comes():
    with pretend.Pretender(chatter=bytes(range(128, 256))) as noisy:
        _, stages = silent(noisy.uri)
        assert stages["bytes"]["status"] == "warning" and "neither text nor SMP" in stages["bytes"]["fact"]
        assert "no text" in stages["answer"]["fact"] and "rate" in stages["answer"]["why"]


def test_bare_packets_where_frames_were_asked_for(device):
    result, stages = silent(f"serial:{device.raw_link}")
    assert "bare packets" in stages["framing"]["fact"] and stages["server"]["status"] == "ok"
    assert result["error"]["next"] == f"-d 'raw:{device.raw_link}?baud=115200'"


def test_frames_where_bare_packets_were_asked_for(device):
    result, stages = silent(f"raw:{device.link}")
    assert "console's frames" in stages["framing"]["fact"]
    assert result["error"]["next"] == f"-d 'serial:{device.link}?baud=115200'"


def test_other_commands_say_the_same_and_name_the_doctor():
    with pretend.Pretender(chatter=b"uart:~$ ") as talker:
        done = ferry("--timeout", "0.5", "image", "list", device=talker.uri, check=4)
        assert "a shell answers on this console" in done.stderr and "ferry doctor" in done.stderr
    done = ferry("--timeout", "0.5", "image", "list", device="udp:127.0.0.1:9", check=4)
    assert "nobody listens" in done.stderr


def test_the_ports_that_are_there_are_named(tmp_path):
    usb = tmp_path / "sys" / "usb" / "1-1"
    (usb / "1-1:1.0").mkdir(parents=True)
    for name, text in (("idVendor", "2fe3"), ("idProduct", "0100"), ("manufacturer", "ZEPHYR"),
                       ("product", "USB-DEV"), ("serial", "86FE")):
        (usb / name).write_text(text + "\n")
    port = tmp_path / "sys" / "class" / "tty" / "ttyACM0"
    port.mkdir(parents=True)
    (port / "device").symlink_to(usb / "1-1:1.0")
    done = ferry("doctor", device=tmp_path / "ttyACM1", check=3, env={"FERRY_ROOT": str(tmp_path)})
    assert "the serial ports are: /dev/ttyACM0 (ZEPHYR USB-DEV (2fe3:0100), serial number 86FE)" in done.stdout
    port.joinpath("device").unlink()
    port.rmdir()
    done = ferry("doctor", check=2, env={"FERRY_ROOT": str(tmp_path)})
    assert "no USB serial port and no UART" in done.stderr and "give -d URI" in done.stderr


def test_usage():
    done = ferry("doctor", check=2)
    assert "which device?" in done.stderr and "next:" in done.stderr
    assert "serial port" in done.stderr  # those that are there, or that there are none
    assert "one FILE at most" in ferry("doctor", "a", "b", device="udp:127.0.0.1", check=2).stderr
    assert "cannot read the URI" in ferry("doctor", device="serial:", check=2).stderr
