# SPDX-License-Identifier: Apache-2.0
"""The commands of SMP's groups, each as people and as programs see it, and as a device refuses it."""
import json
import re
import time

import pytest

import lab
from lab import ferry


@pytest.fixture(scope="module")
def device(tmp_path_factory, bench):
    """One device for what changes nothing that another test looks at."""
    layout = lab.layout("swap-move", server={"shell": True})
    with lab.Device(tmp_path_factory.mktemp("groups") / "device", bench, layout=layout) as d:
        d.wait_for(r"app 1\.0\.0")
        yield d


@pytest.fixture
def ask(device):
    """What a command prints; with JSON, the object."""
    def run(*words, code=0):
        return ferry(*words, device=device.udp_uri, check=code)

    def run_json(*words, code=0):
        return json.loads(ferry("--json", *words, device=device.udp_uri, check=code).stdout)
    run.json = run_json
    return run


def refused(done, what):
    """It says what was refused, with the code's name, and that is all."""
    assert done.stdout == "" and what in done.stderr and done.stderr.startswith("ferry: cannot ")
    assert "  next: " in done.stderr
    return True


# ---- os ------------------------------------------------------------------------------------------


def test_taskstat(ask):
    lines = ask("taskstat").stdout.splitlines()
    assert lines[0].split() == ["task", "pri", "tid", "runtime", "csw", "stksz", "stkuse",
                                "last_checkin", "next_checkin"]
    assert lines[1].split()[:3] == ["main", "0", "0"] and len(lines[1].split()) == 9
    task = ask.json("taskstat")["tasks"]["main"]
    assert task["prio"] == 0 and task["stksiz"] > task["stkuse"] > 0
    assert ask("taskstat", "x", code=2).stderr.startswith("ferry: wrong number of arguments")


def test_mpstat(ask):
    lines = ask("mpstat").stdout.splitlines()
    assert lines[0].split() == ["name", "blksz", "cnt", "free", "min"]
    assert lines[1].split()[0] == "0"
    assert ask.json("mpstat")["0"]["nblks"] == int(lines[1].split()[2])


# ---- statistics ------------------------------------------------------------------------------------


def test_stat(ask):
    assert "stat groups:\n    smp\n" in ask("stat", "list").stdout
    assert "udp" in ask.json("stat", "list")["stat_list"]
    text = ask("stat", "smp").stdout
    assert re.match(r"stat group: smp\n +\d+ requests\n", text)
    got = ask.json("stat", "smp")
    assert got["name"] == "smp" and got["fields"]["requests"] > 0
    assert refused(ask("stat", "nothing", code=5), "INVALID_STAT_NAME")
    assert ask("stat", code=2).stderr.startswith("ferry: ")


def test_stat_all(ask):
    names = ask.json("stat", "list")["stat_list"]
    assert list(ask.json("stat", "all")["stats"]) == names
    assert re.findall(r"^stat group: (\w+)$", ask("stat", "all").stdout, re.M) == names


# ---- settings -------------------------------------------------------------------------------------


def test_settings_read(ask):
    assert ask("settings", "read", "id/name").stdout == \
        "Value: ferry-device\nhex: 66657272792d646576696365\n"
    assert ask("settings", "read", "id/serial").stdout == "hex: 78563412\nu32: 305419896\n"
    assert ask.json("settings", "read", "id/serial") == {"name": "id/serial", "val": "78563412"}
    assert ask.json("settings", "read", "id/name", "--max-size", "5")["text"] == "ferry"
    assert refused(ask("settings", "read", "id/none", code=5), "KEY_NOT_FOUND")
    assert refused(ask("settings", "read", "id/pin", code=5), "READ_NOT_SUPPORTED")
    assert ask("settings", "read", "id/name", "--max-size", "0", code=2)


def test_a_longer_value_than_is_given_is_told(ask):
    done = ask("settings", "read", "id/name", "--max-size", "4000")
    assert "the device gives 32 bytes of a value at most" in done.stderr
    assert ask.json("settings", "read", "id/name", "--max-size", "4000")["max_size"] == 32


@pytest.mark.parametrize("words,stored", [
    (["log/level", "0x03"], "03"),
    (["log/level", "--hex", "04"], "04"),
    (["log/level", "--type", "u8", "2"], "02"),
    (["log/level", "--type", "bool", "true"], "01"),
    (["id/name", "hello"], b"hello".hex()),
    (["id/name", "--type", "text", "0x"], b"0x".hex()),
    (["id/name", "--int", "--", "-2"], "feffffff"),
    (["id/name", "--type", "i16", "0x7fff"], "ff7f"),
    (["id/name", "--type", "u64", "18446744073709551615"], "ff" * 8),
    (["id/name", ""], ""),
])
def test_settings_write(ask, words, stored):
    assert ask.json("settings", "write", *words) == {"written": True}
    assert ask.json("settings", "read", words[0])["val"] == stored


def test_settings_from_a_file(ask, tmp_path):
    (tmp_path / "value").write_bytes(b"\0\1\2")
    assert ask("settings", "write", "id/name", f"@{tmp_path}/value").stdout == "written\n"
    assert ask("settings", "read", "id/name").stdout == "hex: 000102\n"
    assert ask("settings", "write", "id/name", f"@{tmp_path}/nothing", code=1)


@pytest.mark.parametrize("words", [
    ["--hex", "123"], ["0xzz"], ["--type", "u8", "256"], ["--type", "i8", "128"],
    ["--type", "u16", "--", "-1"], ["--type", "float", "1"], ["--type", "bool", "maybe"], []])
def test_a_value_that_is_none(ask, words):
    assert ask("settings", "write", "id/name", *words, code=2).stderr.startswith("ferry: ")


def test_settings_kept_and_dropped(ask):
    ask("settings", "write", "id/name", "kept")
    assert ask.json("settings", "save") == {"saved": True}
    ask("settings", "write", "id/name", "lost")
    assert ask("settings", "load").stdout == "loaded\n"
    assert ask.json("settings", "read", "id/name")["text"] == "kept"
    assert ask("settings", "save", "id/name").stdout == "saved\n"
    assert ask("settings", "commit").stdout == "committed\n"
    assert ask("settings", "delete", "id/name").stdout == "deleted\n"
    assert ask.json("settings", "read", "id/name")["text"] == "ferry-device"
    assert refused(ask("settings", "delete", "id/none", code=5), "KEY_NOT_FOUND")
    assert refused(ask("settings", "write", "id/serial", "0x01020304", code=5),
                   "WRITE_NOT_SUPPORTED")


def test_config_is_mcumgrs_word(ask):
    ask("config", "id/name", "by config")
    assert ask("config", "id/name").stdout.startswith("Value: by config\n")
    assert ask("config", "save").stdout == "saved\n"
    assert ask("config", "a", "b", "c", code=2)


def test_storage_erase(ask):
    ask("settings", "write", "id/name", "gone")
    ask("settings", "save")
    assert ask("storage", "erase").stdout == "erased\n"
    assert ask.json("storage", "erase") == {"erased": True, "answered": True}
    ask("settings", "load")
    assert ask.json("settings", "read", "id/name")["text"] == "ferry-device"


# ---- log -------------------------------------------------------------------------------------------


def test_log(ask):
    assert ask("log", "list").stdout == "available logs:\n    device\n"
    assert ask.json("log", "list") == {"log_list": ["device"]}
    assert "    app (64)\n" in ask("log", "module_list").stdout
    assert ask.json("log", "level_list")["level_map"]["CRITICAL"] == 4
    text = ask("log", "show").stdout
    assert text.startswith("Name: device\nType: memory\n   [index] ")
    assert re.search(r"\n +0 +\d+us \| +64 +info +str app 1\.0\.0 started", text)
    assert refused(ask("log", "show", "other", code=5), "ENOENT")
    assert ask("log", "show", "device", "first", code=2)


def test_log_is_read_to_its_end(ask):
    """Also what does not fit one answer."""
    for _ in range(70):
        ask("image", "erase", "--slot", "1")
    log, = ask.json("log", "show")["logs"]
    numbers = [entry["index"] for entry in log["entries"]]
    assert len(numbers) > 60 and numbers == list(range(numbers[0], numbers[-1] + 1))
    assert ask("log", "show", "device").stdout.count("\n") == len(numbers) + 3
    assert [e["index"] for e in ask.json("log", "show", "device", "last")["logs"][0]["entries"]] == \
        numbers[-1:]
    assert [e["index"] for e in
            ask.json("log", "show", "device", str(numbers[-2]))["logs"][0]["entries"]] == numbers[-2:]
    newest = str(log["entries"][-1]["ts"])
    assert not [e for log in ask.json("log", "show", "device", "0", newest)["logs"]
                for e in log["entries"]]
    assert ask("log", "clear", "device").stdout == "cleared\n"
    assert ask("log", "show").stdout == "(no log entries retrieved)\n"


# ---- shell -----------------------------------------------------------------------------------------


def test_shell(ask):
    assert ask("shell", "exec", "version").stdout == "app 1.0.0\n"
    assert ask.json("shell", "exec", "version") == {"o": "app 1.0.0\n", "ret": 0}
    assert ask("shell", "exec", "echo", "-x", "--json", "-d").stdout == "-x --json -d\n"
    assert ask("shell", "exec", "echo one  two").stdout == "one  two\n"
    assert ask("shell", "exec", code=2)


def test_a_shell_command_that_fails_is_exit_code_5(ask):
    done = ask("shell", "exec", "nothing", code=5)
    assert "the command returned -8: there is no such command" in done.stderr
    got = ask.json("shell", "exec", "nothing", code=5)
    assert got["ret"] == -8 and got["error"]["exit"] == 5 and "o" in got


def test_shell_output_moves_no_cursor(ask):
    assert ask("shell", "exec", "echo", "a\x1b[31mred\x07").stdout == "ared.\n"
    assert ask("shell", "exec", "--raw", "echo", "a\x1b[31mred\x07").stdout == "a\x1b[31mred\x07\n"


# ---- enumeration -----------------------------------------------------------------------------------


def test_enum(ask):
    count = ask.json("enum", "count")["count"]
    groups = ask.json("enum", "list")["groups"]
    assert len(groups) == count and {0, 1, 2, 3, 4, 9, 10, 63} <= set(groups)
    assert ask("enum", "count").stdout == f"{count} groups\n"
    assert "    0 os\n    1 image\n" in ask("enum", "list").stdout
    assert ask("enum", "group", "1").stdout == "1 image\n"
    assert ask("enum", "group", str(count - 1)).stdout.endswith(", the last\n")
    assert refused(ask("enum", "group", "99", code=5), "INDEX_TOO_LARGE")
    assert ask("enum", "details", "9", "0").stdout == \
        "    0 os mgmt, 9 handlers\n    9 shell mgmt, 1 handler\n"
    assert [g["group"] for g in ask.json("enum", "details")["groups"]] == groups
    assert ask("enum", "details", "x", code=2)


# ---- What this device has not ----------------------------------------------------------------------


@pytest.mark.parametrize("words", [["crash", "div0"], ["run", "list"], ["run", "test"],
                                   ["run", "test", "all", "token"]], ids=" ".join)
def test_mynewts_are_refused(ask, words):
    assert refused(ask(*words, code=5), "ENOTSUP")
    assert ask.json(*words, code=5)["error"]["exit"] == 5


def test_a_device_without_the_group(tmp_path, bench):
    with lab.Device(tmp_path / "device", bench) as d:
        d.wait_for(r"app 1\.0\.0")
        assert refused(ferry("shell", "exec", "help", device=d.udp_uri, check=5), "ENOTSUP")


# ---- os, what changes something ---------------------------------------------------------------------


def test_echo_and_console_echo(ask):
    assert ask("echo", "a", "b").stdout == "a b\n" == ask("os", "echo", "a b").stdout
    assert ask.json("echo", "a") == {"r": "a"}
    assert ask("console-echo", "off").stdout == "switched\n"
    assert ask.json("console-echo", "on") == {"switched": True}
    assert ask("console-echo", "maybe", code=2)


def test_datetime(ask):
    now = time.time()
    set_to = ask.json("datetime", "now")["datetime"]
    told = ask.json("datetime")["datetime"]
    assert set_to[:10] == time.strftime("%Y-%m-%d", time.gmtime(now)) or now % 86400 > 86390
    assert told[:16] >= set_to[:16]
    assert ask("datetime", "2016-03-02T22:44:00.101+05:30").stdout == "set to 2016-03-02T17:14:00.101\n"
    assert ask("datetime").stdout.startswith("Datetime(RFC 3339 format): 2016-03-02T17:14:0")
    assert ask("os", "get-datetime").stdout.startswith("Datetime(RFC 3339 format): 2016-")
    assert ask("datetime", "2016-02-29 22:44:00-0800").stdout == "set to 2016-03-01T06:44:00\n"
    assert not ask("os", "set-datetime").stdout.startswith("set to 2016")


@pytest.mark.parametrize("value", ["yesterday", "2016-02-30T22:44:00", "2016-02-28T24:00:00",
                                   "2016-02-28T22:44", "2016-02-28T22:44:00 CET",
                                   "2016-02-28T22:44:00+25:00", "", "12016-02-28T22:44:00"])
def test_a_date_that_is_none(ask, value):
    assert "VALUE is now, or a date" in ask("datetime", value, code=2).stderr


def test_bootloader(ask):
    assert ask("bootloader").stdout == "bootloader: MCUboot\n"
    assert ask("bootloader", "mode").stdout == "mode: 3 (swap with move)\n"
    assert ask.json("bootloader", "mode") == {"mode": 3}
    assert refused(ask("bootloader", "nothing", code=5), "QUERY_YIELDS_NO_ANSWER")


def test_params_explained(ask):
    assert ask("params").stdout == "buf_size: 2048\nbuf_count: 4\n"
    text = ask("params", "--explain").stdout
    assert "The wire is UDP over IPv4." in text and "An image of 256 KiB takes " in text
    got = ask.json("params", "--explain")
    assert got["explain"]["window"] == 3 and 1300 < got["explain"]["chunk"] < got["explain"]["packet_max"]
    assert "explain" not in ask.json("params")
    assert ask("params", "x", code=2)


def test_params_explained_on_a_serial_line(device):
    text = ferry("params", "--explain", device=device.uri, check=0).stdout
    assert "The wire is a serial console that carries 11520 bytes a second" in text
    assert "the largest packet is 2044 bytes" in text and "takes 131 requests, about 3" in text


def test_image_commands_have_other_clients_words(ask, bench):
    listed = ask("image", "list").stdout
    for words in ("image state-read", "image get-state", "list"):
        assert ask(*words.split()).stdout == listed
    assert ask("image", "slot-info").stdout == ask("image", "slots").stdout
    ask("upload", "-e", "-w", "2", "-n", "0", "-u", bench.images["v2"])
    hash = bench.hash_of("v2")
    assert refused(ask("image", "test", bench.hash_of("v1"), code=5), "IMAGE_SETTING_TEST_TO_ACTIVE")
    assert "flags: pending\n" in ask("image", "state-write", hash).stdout
    assert refused(ask("image", "set-state", "--hash", hash, "--confirm", code=5), "ALREADY_PENDING")
    assert ask("erase", "1").stdout == "erased\n"
    assert "NO_FREE_SLOT" in ask("image", "erase", "0", code=5).stderr
