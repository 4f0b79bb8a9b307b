# SPDX-License-Identifier: Apache-2.0
"""`ferry raw` and `ferry decode`: packets as JSON."""
import json
import struct
import subprocess

import cbor2
import pytest

import lab
import smp


@pytest.fixture(scope="module")
def device(tmp_path_factory, bench):
    """One device for questions that change nothing."""
    with lab.Device(tmp_path_factory.mktemp("packets") / "device", bench) as d:
        d.wait_for(r"app 1\.0\.0 started")
        yield d


def raw(device, *args, code=0, text=None):
    done = subprocess.run([lab.FERRY, "-d", device.udp_uri, *map(str, args)], input=text,
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def test_raw_reads_by_number_and_by_name(device):
    by_number = raw(device, "raw", 0, 6)
    assert json.loads(by_number.stdout) == {"buf_size": 2048, "buf_count": 4}
    for group, command in (("os", "params"), ("OS", "6"), ("default", "0x6"), ("0", "params")):
        assert raw(device, "raw", group, command).stdout == by_number.stdout
    assert raw(device, "--json", "raw", "os", "params", "--read").stdout == by_number.stdout


def test_raw_writes_what_the_argument_or_standard_input_has(device):
    for args, text in (((json.dumps({"d": "hällo"}),), None), (("-",), '{"d":\n"hällo"}\n')):
        done = raw(device, "raw", "os", "echo", "--write", *args, text=text)
        assert json.loads(done.stdout) == {"r": "hällo"}


def test_raw_sends_numbers_and_bytes_as_they_are(device):
    """A byte string where the device wants text is refused, and so is a number above its type."""
    assert json.loads(raw(device, "raw", "os", "echo", "{\"d\": \"h'41'\"}", code=5).stdout)["rc"] == 3
    assert json.loads(raw(device, "raw", "-w", "os", "reset", '{"boot_mode": 18446744073709551615}',
                          code=5).stdout)["rc"] == 3


def test_raw_shows_a_refusal_and_says_it(device):
    done = raw(device, "raw", "stat", "show", '{"name": "nothing"}', code=5)
    assert json.loads(done.stdout) == {"err": {"group": 2, "rc": 3}}
    assert "cannot read stat/show: the device refused: stat 3 INVALID_STAT_NAME" in done.stderr
    done = raw(device, "--json", "raw", 0, 99, code=5)
    told = json.loads(done.stdout)
    assert told["answer"]["rc"] == 8 and told["error"]["exit"] == 5
    assert "rc 8 ENOTSUP" in told["error"]["what"]


@pytest.mark.parametrize("args, says", [
    (("os", "echo", "{'d': 1}"), "no JSON, near character 3: d': 1}"),
    (("os", "echo", '{"d": '), "it ends at character 7"),
    (("os", "echo", ""), "it ends at character 1"),
    (("os", "echo", "[1]"), "a command's arguments are a map"),
    (("os", "echo", '{"a":1,"a":2}'), "a key comes twice"),
    (("os", "echo", '{"a":"h\'abc\'"}'), "no pairs of hexadecimal digits"),
    (("os", "echo", '{"a":18446744073709551616}'), "cannot send this JSON"),
    (("oss", "echo"), "there is no group 'oss'"),
    (("os", "ping"), "group os has no command 'ping'"),
    (("os", "256"), "group os has no command '256'"),
    (("65536", "0"), "there is no group '65536'"),
    (("os",), "raw needs a GROUP"),
    (("os", "echo", "{}", "{}"), "at most one map"),
    (("os", "echo", json.dumps({"d": "x" * 4000})), "more than a packet takes here"),
    (("os", "echo", json.dumps({"d": "x" * 70000})), "cannot send this JSON"),
])
def test_raw_refuses_what_cannot_be_sent(device, args, says):
    done = raw(device, "raw", *args, code=2)
    assert says in done.stderr and done.stdout == ""
    assert json.loads(raw(device, "--json", "raw", *args, code=2).stdout)["error"]["exit"] == 2


# ---- decode ----------------------------------------------------------------------------------

VECTORS = json.loads((lab.ROOT / "tests/data/smp-vectors.json").read_text())
GOOD = [v for v in VECTORS if v["kind"] == "ok"]


def packet_of(vector):
    return bytes.fromhex(vector["header_hex"] + vector["payload_hex"])


def frames_of(vector):
    return b"".join(map(bytes.fromhex, vector["serial_lines_hex"]))


def decode(data, *args, code=0):
    """The lines of JSON, the summary apart; with the error object of code 6 left out."""
    done = subprocess.run([lab.FERRY, "--json", "decode", *args, "-"], input=data,
                          capture_output=True, timeout=60)
    assert done.returncode == code, done.stdout.decode() + done.stderr.decode()
    lines = [json.loads(line) for line in done.stdout.decode().splitlines()]
    if code != 0:
        assert lines.pop()["error"]["exit"] == code
    return lines[:-1], lines[-1]["summary"] if lines else None


def expect_vectors(found):
    packets = [line for line in found if "op" in line]
    assert len(packets) == len(GOOD)
    for line, vector in zip(packets, GOOD):
        assert (line["op"].replace("-", "_"), line["version"] - 1, line.get("flags", 0), line["group"],
                line["seq"], line["id"]) == (vector["op_name"], vector["version"], vector["flags"],
                                             vector["group"], vector["seq"], vector["id"]), vector
        assert line["length"] == len(vector["payload_hex"]) // 2
        if line["length"]:
            content = cbor2.loads(bytes.fromhex(vector["payload_hex"]))
            assert line["payload"] == json.loads(json.dumps(content, default=lambda b: f"h'{b.hex()}'"))


def dump(command, data):
    return subprocess.run(command, input=data, capture_output=True, check=True).stdout


def xxd(data):
    return b"".join(b"%08x: %-40s %s\n" % (at, data[at:at + 16].hex(" ", 2).encode(),
                                           bytes(c if 32 <= c < 127 else 46 for c in data[at:at + 16]))
                    for at in range(0, len(data), 16))


BARE = b"".join(map(packet_of, GOOD))
CONSOLE = b"[boot] v1\r\nuart:~$ " + b"log\n".join(map(frames_of, GOOD)) + b"the end"
LINES = b"\n".join(packet_of(v).hex().encode() for v in GOOD)

FORMS = {
    "console": CONSOLE,
    "console of both cuts": b"".join(
        bytes.fromhex("".join(v.get("serial_lines_cut124_hex", v["serial_lines_hex"]))) for v in GOOD),
    "bare": BARE,
    "hex a line": LINES,
    "hex in one": BARE.hex().encode(),
    "hex with blanks": BARE.hex(" ").upper().encode(),
    "hex wrapped": "\n".join(BARE.hex()[at:at + 60] for at in range(0, 2 * len(BARE), 60)).encode(),
    "a C array": ("{" + ", ".join(f"0x{b:02x}" for b in BARE) + "};").encode(),
    "hex of the console": CONSOLE.hex(" ").encode(),
    "xxd": xxd(BARE),
    "od": dump(["od", "-tx1"], BARE),
    "od with hex offsets": dump(["od", "-Ax", "-tx1"], BARE),
    "od without *": dump(["od", "-v", "-Ax", "-tx1", "-w8"], BARE),
}


@pytest.mark.parametrize("form", FORMS)
def test_decode_finds_every_vector_in_every_form(form):
    found, summary = decode(FORMS[form])
    expect_vectors(found)
    assert summary["damaged"] == 0 and summary["packets"] == len(GOOD)
    assert summary["form"] == ("bare" if form == "bare" else "console" if form.startswith("console") else "hex")


def test_decode_shows_text_between_frames():
    found, summary = decode(CONSOLE)
    text = "".join(line["text"] for line in found if "text" in line)
    assert text == "[boot] v1\r\nuart:~$ " + "log\n" * (len(GOOD) - 1) + "the end"
    assert summary["text_bytes"] == len(text)
    assert [line["byte"] for line in found][:3] == [0, 11, 19]


def framed(data):
    return smp.ConsoleTalk.framed(data)


A, B = smp.packet(smp.WRITE, 0, 0, {"d": "a" * 200}, seq=1), smp.packet(smp.READ, 0, 6, seq=2)


@pytest.mark.parametrize("data, at, says", [
    (framed(A).replace(b"YWFh", b"YWFi", 1), 0, "bad CRC: 0x"),
    (framed(A).replace(b"YWFh", b"YW[h", 1), 0, "0x5b is no base64, "),
    (framed(A).replace(b"YWFh", b"YWF", 1), 0, "123 characters are no base64"),
    (framed(A).split(b"\x04\x14")[0], 0, "it is cut off: the length word announces"),
    (b"x\n" + framed(A)[framed(A).index(b"\x04\x14"):], 2, "the beginning of this packet is missing"),
    (b"\x06\x09" + b"A" * 200 + b"\n", 0, "a line of 200 characters; 124 are the most"),
    (b"\x06\x09AAAAAAAA\n", 0, "the length word is 0, which leaves no packet"),
    (framed(A)[:140], 0, "11 characters are no base64"),
    (framed(A)[:141], 0, "it is cut off"),
])
def test_decode_says_what_is_wrong_with_a_frame_and_where(data, at, says):
    """And goes on behind it."""
    found, summary = decode(b"one\n" + data + framed(B), code=6)
    damage = [line for line in found if "problem" in line]
    assert [line["byte"] for line in damage] == [at + 4] and says in damage[0]["problem"], damage
    assert [line["seq"] for line in found if "op" in line] == [2]
    assert (summary["packets"], summary["damaged"]) == (1, 1)


@pytest.mark.parametrize("data, says", [
    (smp.packet(4, 0, 6), "operation 4 is none (0 to 3)"),
    (smp.packet(smp.READ, 0, 6, length=7), "the header announces 7 bytes of payload, 1 are there"),
    (smp.packet(smp.READ, 0, 6, version=2), "SMP version 3 is none (1 or 2)"),
    (smp.packet(smp.READ, 0, 6, b"\xa1\x61"), "the payload is no CBOR: the input ends too early"),
    (smp.packet(smp.READ, 0, 6, b"\x01"), "the payload is no map"),
    (b"\x0b\x00\x00", "3 bytes are no header, which has 8"),
])
def test_decode_says_what_is_wrong_with_a_packet(data, says):
    found, _ = decode(framed(data), code=6)
    assert [line["problem"] for line in found] == [says]
    assert found[0]["hex"] == data.hex()


def test_decode_finds_the_next_bare_packet_behind_rubbish():
    found, summary = decode(A + b"\xff\x00\x01" * 9 + B, code=6)
    assert [line.get("seq") for line in found] == [1, None, 2]
    assert found[1]["byte"] == len(A) and found[1]["problem"] == "27 bytes that are no packet"


def test_decode_finds_a_damaged_line_of_hex():
    found, _ = decode("\n".join([A.hex(), B.hex()[:-2], "# a note", "", A.hex()]).encode(), code=6)
    assert [line["line"] for line in found] == [1, 2, 3, 5]
    assert "announces 1 bytes of payload, 0 are there" in found[1]["problem"]
    assert found[2]["text"] == "# a note"


@pytest.mark.parametrize("data", [b"", b"hello\nworld\n", b"\0" * 999, bytes(range(256)), b"beef\n"])
def test_decode_says_when_there_is_no_packet(data):
    assert decode(data, code=6) == ([], None)


def test_a_star_of_a_dump_stands_for_64_kib_at_most():
    """It once made 32 MiB, and as many packets, of these lines."""
    star = b"00000000: 0900 0061 0000 0402 bf65 7461 736b\n*\n%08x: 00\n"
    found, summary = decode(star % 0x10000, code=6)
    assert summary["packets"] + summary["damaged"] > 1
    found, summary = decode(star % 0x2000100, code=6)
    assert len(found) < 5 and "*" in [line.get("text") for line in found]


def test_decode_of_a_user_group_without_cbor():
    found, _ = decode(framed(smp.packet(smp.WRITE, 77, 1, b"\xff\xfe\x00")))
    assert found[0]["payload_hex"] == "fffe00" and "problem" not in found[0]


def test_decode_is_readable():
    """Names, refusals in words, long byte strings shortened; nothing that moves the cursor."""
    data = framed(smp.packet(smp.WRITE, 1, 1, {"off": 0, "data": bytes(300)}, seq=7)) + \
        framed(smp.packet(3, 1, 0, {"err": {"group": 1, "rc": 8}}, seq=8)) + b"\x1b[1;31mred\x1b[0m\x07\n"
    done = subprocess.run([lab.FERRY, "decode"], input=data, capture_output=True, timeout=60)
    out = done.stdout.decode().splitlines()
    assert out[0].startswith('byte 0      write image/upload #7 {"off":0,"data":"h\'000000') and "… (300 bytes)" in out[0]
    assert "write-rsp image/state #8" in out[1] and "= HASH_NOT_FOUND: " in out[1]
    assert out[2].endswith("| red.") and out[3] == "console: 2 packets, 0 damaged, 16 bytes of text"
    whole = subprocess.run([lab.FERRY, "decode", "--whole"], input=data, capture_output=True, timeout=60)
    assert b"00" * 300 in whole.stdout


# ---- captures of the network -----------------------------------------------------------------

def datagram(source, target, payload, fragment=0):
    udp = struct.pack(">HHHH", source, target, 8 + len(payload), 0) + payload
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, fragment, 64, 17, 0,
                       bytes([192, 0, 2, 1]), bytes([192, 0, 2, 9])) + udp


def datagram6(source, target, payload):
    udp = struct.pack(">HHHH", source, target, 8 + len(payload), 0) + payload
    return struct.pack(">IHBB16s16s", 6 << 28, len(udp), 17, 64, b"\xfe\x80" + bytes(13) + b"\x01",
                       b"\xfe\x80" + bytes(13) + b"\x09") + udp


FRAMES = [
    (1, bytes(12) + b"\x08\x00" + datagram(50000, 1337, A)),
    (1, bytes(12) + b"\x81\x00\x00\x07\x08\x00" + datagram(1337, 50000, B)),
    (1, bytes(12) + b"\x08\x00" + datagram(50000, 53, A)),
    (1, bytes(12) + b"\x86\xdd" + datagram6(50000, 1337, A + B)),
    (1, bytes(12) + b"\x08\x06" + bytes(28)),
]


def pcap(frames, order="<", magic=0xa1b2c3d4, link=1, cut=None):
    return struct.pack(order + "IHHIIII", magic, 2, 4, 0, 0, 65535, link) + b"".join(
        struct.pack(order + "IIII", 1700000000, 250000, len(frame[:cut]), len(frame)) + frame[:cut]
        for frame in frames)


def pcapng(frames, order="<"):
    def block(kind, body):
        body += bytes(-len(body) % 4)
        return struct.pack(order + "II", kind, 12 + len(body)) + body + struct.pack(order + "I", 12 + len(body))
    out = block(0x0a0d0d0a, struct.pack(order + "IHHq", 0x1a2b3c4d, 1, 0, -1))
    out += block(1, struct.pack(order + "HHIHHB3xI", 1, 0, 65535, 9, 1, 9, 0))
    stamp = 1700000000250000000
    for frame in frames:
        out += block(6, struct.pack(order + "IIIII", 0, stamp >> 32, stamp & 0xffffffff, len(frame), len(frame)) + frame)
    return out


@pytest.mark.parametrize("capture", [
    pcap([f for _, f in FRAMES]), pcap([f for _, f in FRAMES], ">"),
    pcap([f for _, f in FRAMES], magic=0xa1b23c4d), pcapng([f for _, f in FRAMES]),
    pcapng([f for _, f in FRAMES], ">"), pcap([bytes(16) + f[f.index(b"\x45\0" if b"\x45\0" in f else b"\x60"):]
                                              for _, f in FRAMES[:4]], link=113)])
def test_decode_reads_captures_of_the_network(capture):
    found, summary = decode(capture)
    assert [(line["record"], line["seq"], line["dir"]) for line in found] == \
        [(1, 1, "tx"), (2, 2, "rx"), (4, 1, "tx"), (4, 2, "tx")]
    assert (found[0]["from"], found[0]["to"]) == ("192.0.2.1:50000", "192.0.2.9:1337")
    assert found[2]["to"] == "[fe80::9]:1337"
    assert 1700000000 <= found[0]["time"] < 1700000000.3
    assert summary == {"form": "pcap", "packets": 4, "damaged": 0, "text_bytes": 0}


def test_decode_says_what_is_missing_in_a_capture_of_the_network():
    found, _ = decode(pcap([FRAMES[0][1]], cut=80), code=6)
    assert "only a part of this datagram" in found[0]["problem"]
    found, _ = decode(pcap([bytes(12) + b"\x08\x00" + datagram(1337, 5, A, fragment=0x2000)]), code=6)
    assert "it is a fragment" in found[0]["problem"]
    found, _ = decode(pcap([FRAMES[0][1]])[:-1], code=6)
    assert found[0]["problem"] == "the capture ends inside a record"
    found, _ = decode(A, "--pcap", code=6)
    assert found[0]["problem"] == "this is neither pcap nor pcapng"
    found, _ = decode(pcap([FRAMES[2][1]]), "--port", "53")
    assert found[0]["seq"] == 1
