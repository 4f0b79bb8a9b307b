# SPDX-License-Identifier: Apache-2.0
"""Every wire of the device at once: console, bare packets, UDP over IPv4 and IPv6."""
import socket
import subprocess

import pytest

import lab
import smp
from smp import READ, WRITE


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6: ::1 cannot be bound")
WIRES = ["uri", "raw_uri", "udp_uri", pytest.param("udp6_uri", marks=needs_ipv6)]


@pytest.fixture
def device(device):
    device.wait_for(r"app 1\.0\.0 started")
    return device


@pytest.mark.parametrize("wire", WIRES)
def test_questions(device, wire):
    uri = getattr(device, wire)
    assert lab.ferry("echo", "hello", device=uri, check=0).stdout.strip() == "hello"
    assert lab.ferry_json("params", device=uri)["buf_size"] == 2048
    assert lab.ferry_json("image", "list", device=uri)["images"][0]["version"] == "1.0.0"


@pytest.mark.parametrize("wire", WIRES)
def test_update(device, bench, wire):
    lab.ferry("update", bench.images["v2"], device=getattr(device, wire), check=0)
    assert device.running()["version"] == "2.0.0"


def test_upload_over_raw_uses_the_whole_buffer(device, bench):
    """No framing shares the buffer: packets are as large as the device says."""
    done = lab.ferry("-v", "-v", "image", "upload", bench.images["v2"], device=device.raw_uri, check=0)
    sent = [line for line in done.stderr.splitlines() if line.startswith("-> ")]
    assert max(len(line[3:]) // 2 for line in sent) in range(2041, 2049)


@needs_ipv6
def test_answers_go_where_the_request_came_from(device):
    """Clients of both families at once, as many as the device has buffers."""
    talks = [smp.Talk(device.udp_port, host) for host in ("127.0.0.1", "::1") * 2]
    for turn in range(5):
        for number, talk in enumerate(talks):
            talk.send(smp.packet(WRITE, 0, 0, {"d": f"{turn} {number}"}, seq=number))
        for number, talk in enumerate(talks):
            answer = talk.receive()
            assert (answer.seq, answer.map) == (number, {"r": f"{turn} {number}"})
    for talk in talks:
        talk.close()


@needs_ipv6
def test_more_clients_than_the_device_remembers(device):
    """Each gets its own answers, the first ones too when they come back."""
    talks = [smp.Talk(device.udp_port, ("127.0.0.1", "::1")[n % 2]) for n in range(100)]
    for turn in range(2):
        for number, talk in enumerate(talks):
            assert talk.ask(WRITE, 0, 0, {"d": f"{turn} {number}"}).map == {"r": f"{turn} {number}"}
    for talk in talks:
        assert talk.is_silent(0.001)
        talk.close()


def test_upload_over_raw_that_loses_packets(tmp_path, bench):
    """What got no answer is sent again once the line was silent for longer than the device waits."""
    with lab.Device(tmp_path / "device", bench, loss=2) as device:
        device.wait_for(r"app 1\.0\.0 started")
        lab.ferry("image", "upload", bench.images["v2"], device=device.raw_uri, check=0, timeout=300)
        images = lab.ferry_json("image", "list", device=device.raw_uri)["images"]
        assert [image["version"] for image in images] == ["1.0.0", "2.0.0"]


def test_a_bare_packet_with_an_impossible_header(device):
    """Passed over until the line was silent; then the device hears again."""
    with smp.RawTalk(device.raw_link) as talk:
        talk.send(b"\x04" + smp.packet(READ, 0, 6))
        assert talk.is_silent()
        assert talk.ask(READ, 0, 6).map["buf_size"] == 2048


def test_half_a_bare_packet(device):
    with smp.RawTalk(device.raw_link) as talk:
        talk.send(smp.packet(WRITE, 0, 0, {"d": "lost"})[:-1])
        assert talk.is_silent(3.2)
        assert talk.ask(WRITE, 0, 0, {"d": "kept"}).map == {"r": "kept"}


def test_bare_packets_back_to_back(device):
    """The queue of four takes three, and more once they are answered."""
    with smp.RawTalk(device.raw_link) as talk:
        talk.send(b"".join(smp.packet(WRITE, 0, 0, {"d": str(n)}, seq=n) for n in range(3)))
        assert [talk.receive().map["r"] for _ in range(3)] == ["0", "1", "2"]


def test_changed_bytes_of_bare_packets(tmp_path, bench):
    """Nothing notices them: answers may be to another question. What can be promised is that the
    device lives, and that silence finds the next packet."""
    device = lab.Device(tmp_path / "device", bench, raw_corrupt=30)
    with device, smp.RawTalk(device.raw_link, timeout=0.5) as talk:
        device.wait_for(r"app 1\.0\.0 started")
        right = wrong = spoilt = 0
        for n in range(40):
            text = f"{n} " + "x" * 300
            talk.send(smp.packet(WRITE, 0, 0, {"d": text}, seq=n))
            try:
                got = talk.receive()
                right, wrong = right + (got.map == {"r": text}), wrong + (got.map != {"r": text})
            except Exception:  # nothing came, or nothing that can be read
                spoilt += 1
                talk.drain(3.2)
        assert right > 10 and wrong > 0 and right + wrong + spoilt == 40
        device.stop()
        device.start(raw_corrupt=0)
        assert lab.ferry("echo", "hello", device=device.raw_uri, check=0).stdout == "hello\n"


def test_a_link_that_is_a_file(tmp_path, bench):
    d = lab.Device(tmp_path / "device", bench)
    (tmp_path / "precious").write_text("keep me")
    done = subprocess.run([lab.FERRY_DEVICE, "--dir", d.folder, "--raw", tmp_path / "precious"],
                          capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)
    assert done.returncode == 1 and "--raw" in done.stderr and "this is no link" in done.stderr
    assert (tmp_path / "precious").read_text() == "keep me"


def test_a_port_that_is_taken(tmp_path, bench):
    d = lab.Device(tmp_path / "device", bench)
    for host in ["127.0.0.1"] + ["::1"] * has_ipv6():
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as taken:
            taken.bind((host, 0))
            port = taken.getsockname()[1]
            done = subprocess.run([lab.FERRY_DEVICE, "--dir", d.folder, "--udp", str(port)],
                                  capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)
            assert done.returncode == 1 and f"--udp {port}" in done.stderr


@pytest.mark.parametrize("uri,word", [("raw:", "raw:/dev/ttyACM0"), ("raw:/nowhere", "No such file"),
                                      ("foo:x", "raw:PATH"), ("tcp:x", "tcp:HOST:PORT"), ("raw:/dev/null", "no serial port"),
                                      ("raw:/dev/null?speed=1", "baud=NUMBER")])
def test_bad_uris(uri, word):
    done = lab.ferry("echo", "x", device=uri)
    assert done.returncode in (2, 3) and word in done.stderr
