# SPDX-License-Identifier: Apache-2.0
"""`--trace` and `ferry replay`, `--text`, `-vv` and `ferry monitor`."""
import glob
import json
import os
import pty
import re
import signal
import subprocess
import termios
import time

import pytest

import lab
import smp


def replay(path, code=0):
    """The lines of JSON and the summary."""
    done = lab.ferry("--json", "replay", path, check=code)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    if code != 0:
        assert lines.pop()["error"]["exit"] == code
    return lines[:-1], lines[-1]["summary"]


@pytest.fixture(scope="module")
def quiet(tmp_path_factory, bench):
    """One device for questions that change nothing."""
    with lab.Device(tmp_path_factory.mktemp("traces") / "device", bench) as d:
        d.wait_for(r"app 1\.0\.0 started")
        yield d


def test_the_trace_of_an_update_over_a_bad_line(tmp_path, bench):
    """What was lost, damaged and sent again is in it, and the text of the boot between."""
    trace, text = tmp_path / "update.trace", tmp_path / "console.txt"
    with lab.Device(tmp_path / "device", bench, loss=3, corrupt=2) as device:
        device.wait_for(r"app 1\.0\.0 started")
        lab.ferry("--trace", trace, "--text", text, "update", bench.images["v2"], device=device.uri,
                  check=0, timeout=300)
    lines, summary = replay(trace)
    packets = [line for line in lines if line["dir"] in ("tx", "rx")]
    assert summary["requests"] + summary["retransmitted"] == sum(p["dir"] == "tx" for p in packets)
    assert summary["answers"] + summary["stale"] == sum(p["dir"] == "rx" for p in packets)
    assert summary["requests"] == summary["answers"] + summary["unanswered"]
    assert summary["retransmitted"] == sum(p.get("tries", 1) > 1 for p in packets if p["dir"] == "tx") > 0
    assert 0 < summary["rtt_min_ms"] <= summary["rtt_mean_ms"] <= summary["rtt_max_ms"]
    uploaded = [p for p in packets if p["dir"] == "tx" and p.get("command") == "upload"]
    assert {p["payload"]["off"] for p in uploaded} >= {0}
    assert lines[0]["ferry_trace"] == 1 and "update" in lines[0]["command"]
    assert [line["dir"] for line in lines[1:2] + lines[-2:]] == ["open", "close", "end"]
    assert lines[1]["uri"] == device.uri and lines[-1]["exit"] == 0
    told = "".join(line["text"] for line in lines if line["dir"] == "text")
    assert "app 2.0.0 started" in told and "app 2.0.0 started" in text.read_text()
    readable = lab.ferry("replay", trace, check=0).stdout
    assert "AGAIN, try 2" in readable and " | app 2.0.0 started" in readable
    assert f"{summary['requests']} requests, {summary['retransmitted']} sent again" in readable
    decoded = lab.ferry("--json", "decode", trace, check=0).stdout.splitlines()
    assert json.loads(decoded[-1])["summary"]["packets"] == len(packets)


def test_a_trace_has_what_the_user_was_told(tmp_path, quiet):
    trace = tmp_path / "refused.trace"
    lab.ferry("--trace", trace, "raw", "stat", "show", '{"name":"nothing"}', device=quiet.udp_uri, check=5)
    lines, summary = replay(trace)
    assert summary["refused"] == 1
    assert [line["refused"]["name"] for line in lines if "refused" in line] == ["INVALID_STAT_NAME"]
    assert [line for line in lines if line["dir"] == "say"][0]["text"].startswith("cannot read stat/show")
    assert lines[-1] == {"t": lines[-1]["t"], "dir": "end", "exit": 5}
    lab.ferry("--trace", trace, "params", device="serial:/dev/no-such-port", check=3)
    lines, _ = replay(trace)
    assert [line["dir"] for line in lines] == ["begin", "open", "say", "end"]


def test_a_trace_of_a_client_that_was_killed(tmp_path, bench):
    """All that happened before is in the file."""
    trace = tmp_path / "killed.trace"
    device = lab.Device(tmp_path / "device", bench, baud=115200)
    with device:
        device.wait_for(r"app 1\.0\.0 started")
        client = subprocess.Popen([lab.FERRY, "-d", device.uri, "--trace", trace, "image", "upload",
                                   bench.images["v2"]], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            end = time.monotonic() + 30
            while not trace.exists() or trace.read_text().count("\n") < 12:
                assert time.monotonic() < end and client.poll() is None
                time.sleep(0.01)
        finally:
            client.kill()
            client.wait(timeout=10)
    lines, summary = replay(trace)
    assert summary["requests"] > 3 and len(lines) >= 12


def test_the_trace_of_several_devices(tmp_path, bench):
    """Each connection has its number, and its answers are not taken for another's."""
    trace = tmp_path / "station.trace"
    devices = [lab.Device(tmp_path / name, bench) for name in "ab"]
    with devices[0], devices[1]:
        for device in devices:
            device.wait_for(r"app 1\.0\.0 started")
        lab.ferry("--trace", trace, "station", "-d", devices[0].uri, "-d", devices[1].uri,
                  bench.images["v2"], check=0)
    lines, summary = replay(trace)
    opened = {line.get("n", 1): line["uri"] for line in lines if line["dir"] == "open"}
    assert set(opened.values()) == {device.uri for device in devices} and set(opened) >= {1, 2}
    sent = [line.get("n", 1) for line in lines if line["dir"] == "tx"]
    assert min(sent.count(1), sent.count(2)) > 10
    assert summary["stale"] == 0 and summary["answers"] == summary["requests"] - summary["unanswered"]
    assert " [2] -> " in lab.ferry("replay", trace, check=0).stdout


def test_a_trace_that_is_cut_off_or_damaged(tmp_path, quiet):
    trace = tmp_path / "x.trace"
    lab.ferry("--trace", trace, "params", device=quiet.udp_uri, check=0)
    whole = trace.read_text().splitlines()
    trace.write_text("\n".join([whole[0], "", whole[1], "{rubbish", '{"t":1,"dir":"tx","hex":"0"}',
                                '{"t":2,"dir":"rx","hex":"08"}', whole[-1][:9]]))
    lines, summary = replay(trace, code=6)
    assert [line["line"] for line in lines if "line" in line] == [4, 5, 7]
    assert "no header" in [line["problem"] for line in lines if line.get("dir") == "rx"][0]
    assert summary["stale"] == 1


def test_what_is_no_trace_is_not_replayed_and_not_written_over(tmp_path, bench, quiet):
    image = tmp_path / "image.bin"
    image.write_bytes(bench.images["v1"].read_bytes())
    assert "is no trace of ferry's" in lab.ferry("replay", image, check=6).stderr
    assert "not written over" in lab.ferry("--trace", image, "params", device=quiet.udp_uri, check=2).stderr
    assert image.read_bytes() == bench.images["v1"].read_bytes()
    lab.ferry("replay", tmp_path / "missing", check=1)
    lab.ferry("replay", check=2)
    old = tmp_path / "old.trace"
    for _ in range(2):
        lab.ferry("--trace", old, "params", device=quiet.udp_uri, check=0)
    assert replay(old)[1]["requests"] == 2
    assert old.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("option", ["--trace", "--text"])
def test_a_record_that_cannot_be_written(tmp_path, quiet, option):
    done = lab.ferry(option, tmp_path / "no" / "such", "params", device=quiet.udp_uri, check=1)
    assert "No such file or directory" in done.stderr
    assert "write to a file" in lab.ferry(option, "-", "params", device=quiet.udp_uri, check=2).stderr


def test_a_trace_on_a_full_disk_does_not_stop_the_command(quiet):
    done = lab.ferry("--trace", "/dev/full", "params", device=quiet.udp_uri, check=0)
    assert done.stderr.count("going on without it") == 1 and "buf_size" in done.stdout


def test_vv_shows_bytes_and_what_they_say(quiet):
    lines = lab.ferry("-vv", "echo", "hi", device=quiet.udp_uri, check=0).stderr.splitlines()
    sent = [line for line in lines if line.startswith("-> 0a")]
    assert len(sent) == 1 and sent[0].endswith('write os/echo #%d {"d":"hi"}' % bytes.fromhex(sent[0].split()[1])[6])
    shown = subprocess.run([lab.FERRY, "--json", "decode"], input="\n".join(lines), text=True,
                           capture_output=True, timeout=30)
    found = [json.loads(line) for line in shown.stdout.splitlines()]
    assert [line["dir"] for line in found[:-1]] == ["tx", "rx"] * 2 and found[-1]["summary"]["damaged"] == 0


# ---- monitor -----------------------------------------------------------------------------------

def monitor(device, *args):
    return subprocess.Popen([lab.FERRY, "-d", device.uri, *args], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def end(process, number=signal.SIGINT):
    process.send_signal(number)
    try:
        return process.communicate(timeout=10)
    finally:
        process.kill()
        process.wait(timeout=10)


def restart(device):
    """What the next boot prints comes now."""
    with smp.Talk(device.udp_port) as talk:
        talk.ask(smp.WRITE, 0, 5)


def has_port(link, process):
    deadline = time.monotonic() + 10
    port = os.path.realpath(link)
    while time.monotonic() < deadline:
        if port in map(os.path.realpath, glob.glob(f"/proc/{process.pid}/fd/*")):
            return
        time.sleep(0.01)
    raise AssertionError("monitor did not open the port")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_monitor_shows_text_until_it_is_interrupted(device, number):
    device.wait_for(r"app 1\.0\.0 started")
    process = monitor(device, "monitor", "-t")
    has_port(device.link, process)
    restart(device)
    seen = process.stdout.readline()
    while "app 1.0.0 started" not in seen:
        seen += process.stdout.readline()
    out, err = end(process, number)
    assert process.returncode == 0, err
    assert all(re.match(r"\d\d:\d\d:\d\d\.\d{3} .", line) for line in seen.splitlines())


def test_monitor_waits_for_a_text(device):
    device.wait_for(r"app 1\.0\.0 started")
    process = monitor(device, "--json", "monitor", "--until", "1.0.0 sta", "--for", "20")
    has_port(device.link, process)
    restart(device)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert json.loads(out.splitlines()[-1])["text"].startswith("app 1.0.0 sta")
    done = lab.ferry("monitor", "--until", "no such text", "--for", "0.2", device=device.uri, check=4)
    assert "'no such text' did not come" in done.stderr


def test_monitor_leaves_frames_out_or_shows_them(tmp_path, bench):
    """A device that talks while a program asks it: here the test plays the device."""
    master, slave = pty.openpty()
    termios.tcsetattr(slave, termios.TCSANOW, raw_mode(slave))
    path = os.ttyname(slave)
    try:
        for option, packets in (((), 0), (("--packets",), 1)):
            process = subprocess.Popen([lab.FERRY, "-d", path, "monitor", *option, "--until", "uart:~$ ",
                                        "--for", "20"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, text=True)
            has_port(path, process)
            os.write(master, b"\x1b[32mgreen\x1b[0m\x07 \xc3\xa4\r\n" + smp.ConsoleTalk.framed(
                smp.packet(3, 0, 0, {"r": "hi"}, seq=9)) + b"uart:~$ ")
            out, err = process.communicate(timeout=30)
            assert process.returncode == 0, err
            lines = out.splitlines()
            assert lines[0] == "green. ä" and lines[-1] == "uart:~$ "
            assert lines[1:-1] == ['<- write-rsp os/echo #9 {"r":"hi"}'] * packets
    finally:
        os.close(master)
        os.close(slave)


def raw_mode(fd):
    mode = termios.tcgetattr(fd)
    mode[0] = mode[1] = mode[3] = 0
    return mode


def test_monitor_needs_a_console(quiet):
    assert "packets only, no text" in lab.ferry("monitor", device=quiet.udp_uri, check=2).stderr
    assert "packets only" in lab.ferry("monitor", device=quiet.raw_uri, check=2).stderr
    for wrong in (("--for", "0"), ("--for", "x"), ("--until", ""), ("--until", "x" * 201), ("more",)):
        lab.ferry("monitor", *wrong, device=quiet.uri, check=2)
    lab.ferry("monitor", device="serial:/dev/no-such-port", check=3)
