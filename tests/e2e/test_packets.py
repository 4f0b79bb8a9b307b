# SPDX-License-Identifier: Apache-2.0
"""`ferry raw`: any command of any group, as JSON."""
import json
import subprocess

import pytest

import lab


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
