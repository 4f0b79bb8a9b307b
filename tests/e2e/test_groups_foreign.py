# SPDX-License-Identifier: Apache-2.0
"""The commands of SMP's groups against servers that are not Ferry's: Mynewt's, older ones, and such
as say yes and do nothing."""
import json

import cbor2
import pytest

from foreign import READ, WRITE, Foreign
from lab import ferry

HASH, OTHER = bytes(range(32)), bytes(range(1, 33))
OS, IMAGE, STAT, SETTINGS, LOG, CRASH, RUN, SHELL, ENUM, BASIC = 0, 1, 2, 3, 4, 5, 7, 9, 10, 63


def ask(table, *words, code=0):
    """What `ferry` prints, and what it asked."""
    with Foreign(table) as server:
        done = ferry("--timeout", "1", *words, device=server.uri, check=code)
    return done, server.asked


def ask_json(table, *words, code=0):
    return json.loads(ask(table, "--json", *words, code=code)[0].stdout)


# ---- Images: what was done is looked at ------------------------------------------------------------


def slot(number, hash, **flags):
    return {"slot": number, "version": f"{number + 1}.0.0", "hash": hash, "bootable": True, **flags}


RUNS = slot(0, HASH, active=True, confirmed=True)
IDLE = {"images": [RUNS, slot(1, OTHER)]}
TESTED = {"images": [RUNS, slot(1, OTHER, pending=True)]}
FOR_GOOD = {"images": [RUNS, slot(1, OTHER, pending=True, permanent=True)]}
ON_TRIAL = {"images": [slot(0, OTHER, active=True), slot(1, HASH, confirmed=True)]}


def images(before, after):
    return {(READ, IMAGE, 0): before, (WRITE, IMAGE, 0): after}


@pytest.mark.parametrize("words,before,after", [
    (["test", OTHER.hex()], IDLE, TESTED),
    (["test", OTHER.hex(), "--confirm", "true"], IDLE, FOR_GOOD),
    (["confirm", OTHER.hex()[:8]], IDLE, FOR_GOOD),
    (["confirm"], ON_TRIAL, {"images": [slot(0, OTHER, active=True, confirmed=True)]}),
    (["confirm", HASH.hex()], ON_TRIAL, ON_TRIAL),  # where the device is going back to: as it is
    (["state-write", OTHER.hex()], IDLE, TESTED),
    (["state-write", "--hash", OTHER.hex(), "--confirm"], IDLE, FOR_GOOD),
    (["confirm"], {"images": [slot(0, OTHER)]}, {"images": [slot(0, OTHER, pending=True, permanent=True)]}),
], ids=str)
def test_a_state_that_is_as_wished(words, before, after):
    done, asked = ask(images(before, after), "image", *words)
    assert done.stdout.startswith("Images:\n image=0 slot=0\n    version: 1.0.0\n")
    op, _, _, request = asked[-1]
    assert op == WRITE and request["confirm"] is (words[0] == "confirm" or "--confirm" in words)


@pytest.mark.parametrize("words,before,after", [
    (["test", OTHER.hex()], IDLE, IDLE),
    (["test", OTHER.hex()], IDLE, {"images": [RUNS]}),
    (["confirm", OTHER.hex()], IDLE, TESTED),
    (["confirm"], ON_TRIAL, {"images": [slot(0, OTHER, active=True)]}),
    (["state-write", OTHER.hex()], IDLE, IDLE),
], ids=str)
def test_a_device_that_says_yes_and_does_nothing(words, before, after):
    done, _ = ask(images(before, after), "image", *words, code=5)
    assert done.stderr.startswith("ferry: the device said yes and did not do it\n") and not done.stdout
    assert ask_json(images(before, after), "image", *words, code=5)["error"]["exit"] == 5


def lossy(states, loses):
    """A device that does not answer the first confirms; after each the next of the states is listed."""
    confirms = []

    def write(_):
        confirms.append(1)
        return None if len(confirms) <= loses else {"images": [slot(0, OTHER, active=True, confirmed=True)]}

    return {(READ, IMAGE, 0): lambda _: states[min(len(confirms), len(states) - 1)], (WRITE, IMAGE, 0): write}, confirms


def test_a_lost_confirm_is_sent_again_to_what_runs():
    table, confirms = lossy([{"images": [slot(0, OTHER, active=True)]}], 2)
    done, _ = ask(table, "--timeout", "0.2", "image", "confirm", OTHER.hex())
    assert len(confirms) == 3 and "flags: active confirmed" in done.stdout


def test_a_lost_confirm_that_was_done_is_not_sent_again():
    table, confirms = lossy([{"images": [slot(0, OTHER, active=True)]},
                             {"images": [slot(0, OTHER, active=True, confirmed=True)]}], 9)
    ask(table, "--timeout", "0.2", "image", "confirm", OTHER.hex())
    assert len(confirms) == 1


def test_a_confirm_is_not_sent_twice_to_what_crashed():
    """The trial image crashed, and the old one answers: it would install for good what crashed."""
    table, confirms = lossy([{"images": [slot(0, OTHER, active=True)]}, {"images": [RUNS, slot(1, OTHER)]}], 9)
    done, _ = ask(table, "--timeout", "0.2", "image", "confirm", OTHER.hex(), code=4)
    assert len(confirms) == 1 and "not sent twice" in done.stderr and "next:" in done.stderr


def test_an_answer_without_the_list_is_asked_for():
    """Old Mynewt servers answer a state write with their success alone."""
    after = iter([IDLE, TESTED, TESTED])
    table = {(READ, IMAGE, 0): lambda _: next(after), (WRITE, IMAGE, 0): {"rc": 0}}
    done, _ = ask(table, "image", "test", OTHER.hex())
    assert "    flags: pending\n" in done.stdout


def test_the_list_is_as_the_go_client_prints_it():
    bare = {"slot": 1, "version": "2.0.0"}  # MCUboot without hashes and states
    done, _ = ask(images({"images": [RUNS, bare], "splitStatus": 0}, None), "image", "list")
    assert done.stdout == f"""Images:
 image=0 slot=0
    version: 1.0.0
    bootable: true
    flags: active confirmed
    hash: {HASH.hex()}
 image=0 slot=1
    version: 2.0.0
    bootable: false
    flags: 
    hash: Unavailable
Split status: N/A (0)
"""


def test_an_unconfirmed_image_is_told():
    done, _ = ask(images(ON_TRIAL, None), "image", "list")
    assert "\n    RUNNING BUT UNCONFIRMED: " in done.stdout


def test_erase_by_slot():
    for words, request in ((["erase"], {}), (["erase", "3"], {"slot": 3}),
                           (["erase", "--slot", "2"], {"slot": 2})):
        done, asked = ask({(WRITE, IMAGE, 5): {"rc": 0}}, "image", *words)
        assert done.stdout == "erased\n" and asked == [(WRITE, IMAGE, 5, request)]
    ask({}, "image", "erase", "x", code=2)
    ask({}, "image", "erase", "1", "2", code=2)


# ---- Core files --------------------------------------------------------------------------------------

CORE = bytes(range(256)) * 5


def piece(request):
    off = request["off"]
    answer = {"rc": 0, "off": off, "data": CORE[off:off + 500]}
    return {**answer, "len": len(CORE)} if off == 0 else answer


def test_core_files(tmp_path):
    out = tmp_path / "core"
    assert ask({(READ, IMAGE, 3): {"rc": 0}}, "image", "corelist")[0].stdout == "Corefile present\n"
    assert ask({(READ, IMAGE, 3): {"rc": 5}}, "image", "corelist")[0].stdout == "No corefiles\n"
    assert ask_json({(READ, IMAGE, 3): {"rc": 5}}, "image", "corelist") == {"core": False}
    assert ask({(WRITE, IMAGE, 4): {"rc": 0}}, "image", "coreerase")[0].stdout == "erased\n"
    got = ask_json({(READ, IMAGE, 4): piece}, "image", "coredownload", str(out))
    assert got == {"file": str(out), "len": len(CORE)} and out.read_bytes() == CORE
    ask({(READ, IMAGE, 4): piece}, "image", "coredownload", "--offset", "500", "-n", "600", str(out))
    assert out.read_bytes() == CORE[500:1100]
    text = {(READ, IMAGE, 4): {"off": 0, "len": 4, "data": b"text"}}
    done, _ = ask(text, "image", "coredownload", "-")
    assert done.stdout == "text" and done.stderr == "-: 4 bytes\n"


def test_a_core_file_at_another_offset_is_not_taken(tmp_path):
    table = {(READ, IMAGE, 4): {"rc": 0, "off": 7, "data": b"x"}}
    ask(table, "image", "coredownload", str(tmp_path / "core"), code=4)
    assert not (tmp_path / "core").exists()


# ---- Mynewt -------------------------------------------------------------------------------------------


def test_crash_and_run():
    done, asked = ask({(WRITE, CRASH, 0): {"rc": 0}}, "crash", "div0")
    assert done.stdout == "crashing\n" and asked[0][3] == {"t": "div0"}
    assert ask_json({(WRITE, CRASH, 0): None}, "crash", "wdog") == {"crash": "wdog", "answered": False}
    done, asked = ask({(WRITE, RUN, 0): {"rc": 0}}, "run", "test")
    assert done.stdout == "started\n" and asked[0][3] == {"testname": "all", "token": ""}
    _, asked = ask({(WRITE, RUN, 0): {"rc": 0}}, "run", "test", "one", "two")
    assert asked[0][3] == {"testname": "one", "token": "two"}
    table = {(READ, RUN, 1): {"rc": 0, "run_list": ["a", "b\x1b[2J"]}}
    assert ask(table, "run", "list")[0].stdout == "available tests:\n    a\n    b.[2J\n"
    assert ask_json(table, "run", "list") == {"run_list": ["a", "b\x1b[2J"]}


def test_mynewts_pools():
    pools = {"rc": 0, "mpools": {"msys_1": {"blksiz": 292, "nblks": 12, "nfree": 9, "min": 7}}}
    done, _ = ask({(READ, OS, 3): pools}, "mpstat")
    assert done.stdout.splitlines()[1].split() == ["msys_1", "292", "12", "9", "7"]
    assert ask_json({(READ, OS, 3): pools}, "mpstat") == {"mpools": pools["mpools"]}


def test_tasks_of_one_name_and_without_stacks():
    """Zephyr writes the key of a name twice; what a server does not tell is a dash."""
    twice = b"\xa1\x65tasks\xa2" + b"\x61a" + cbor2.dumps({"prio": -1, "tid": 0}) + \
        b"\x61a" + cbor2.dumps({"prio": 14, "tid": 1, "state": 4})
    lines = ask({(READ, OS, 2): twice}, "taskstat")[0].stdout.splitlines()
    assert lines[1].split() == ["a", "-1", "0", "-", "-", "-", "-", "-", "-"]
    assert lines[2].split()[:3] == ["a", "14", "1"]


def test_counters_are_exact():
    most = {"rc": 0, "name": "n", "group": "sys", "fields": {"all": 2**64 - 1, "more": 2**53 + 1}}
    done, asked = ask({(READ, STAT, 0): most}, "stat", "n")
    assert "\n18446744073709551615 all\n9007199254740993 more\n" in done.stdout
    assert ask_json({(READ, STAT, 0): most}, "stat", "n")["fields"] == most["fields"]
    assert asked == [(READ, STAT, 0, {"name": "n"})]


def test_settings_of_mynewt():
    _, asked = ask({(WRITE, SETTINGS, 0): {"rc": 0}}, "settings", "write", "--as-text", "a", "0x1")
    assert asked[0][3] == {"name": "a", "val": "0x1"}
    assert ask({(READ, SETTINGS, 0): {"rc": 0, "val": "on"}}, "config", "a")[0].stdout == \
        "Value: on\nhex: 6f6e\nu16: 28271\n"
    _, asked = ask({(WRITE, SETTINGS, 0): {}}, "settings-write", "a", "0102")
    assert asked[0][3] == {"name": "a", "val": b"\1\2"}  # mcumgr-client's word takes hexadecimal


def test_a_delete_whose_answer_was_lost_is_done():
    """Sent again, the key is gone."""
    answers = iter([None, {"err": {"group": 3, "rc": 3}}])
    done, asked = ask({(WRITE, SETTINGS, 1): lambda _: next(answers)}, "settings", "delete", "a")
    assert done.stdout == "deleted\n" and len(asked) == 2


# ---- Logs ---------------------------------------------------------------------------------------------


def entry(index, **more):
    return {"type": "str", "ts": index * 10, "level": 1, "index": index, "module": 0,
            "msg": f"entry {index}".encode(), **more}


def paged(request):
    """Two entries an answer."""
    entries = [entry(i) for i in range(7) if i >= request.get("index", 0)]
    if request["ts"] == -1:
        entries = entries[-1:]
    return {"rc": 0, "next_index": 7, "logs": [{"name": "log", "type": 1, "entries": entries[:2]}]}


def test_a_log_is_asked_for_until_nothing_comes():
    done, asked = ask({(READ, LOG, 0): paged}, "log", "show", "log")
    assert done.stdout.count("entry ") == 7 and done.stdout.count("Name: log\n") == 1
    assert [request["index"] for *_, request in asked] == [0, 2, 4, 6, 7]
    assert len(ask_json({(READ, LOG, 0): paged}, "log", "show")["logs"][0]["entries"]) == 7
    done, asked = ask({(READ, LOG, 0): paged}, "log", "show", "log", "last")
    assert done.stdout.count("entry ") == 1 and len(asked) == 1


def test_a_log_that_does_not_lead_on_ends():
    same = {"rc": 0, "logs": [{"name": "log", "type": 1, "entries": [entry(0)]}]}
    done, asked = ask({(READ, LOG, 0): same}, "log", "show")
    assert len(asked) == 2 and done.stdout.count("entry 0") == 2


def test_kinds_of_entries():
    chunks = b"\x5f\x41a\x42bc\xff"  # newt's msg of indefinite length
    log = {"rc": 0, "logs": [{"name": "log", "type": 2, "entries": [
        entry(0, type="cbor", msg=cbor2.dumps({"v": 1})), entry(1, type="bin", msg=b"ab"),
        entry(2, msg=b"\xff\x00"), entry(3, type="cbor", msg=b"\xff"), entry(4, msg=b"\x1b[2J\n"),
        entry(5, msg="CHUNKS", imghash=b"\1\2\3\4")]}]}
    payload = cbor2.dumps(log).replace(cbor2.dumps("CHUNKS"), chunks)
    empty = {"rc": 0, "logs": []}

    def table():
        pages = iter([payload, empty])
        return {(READ, LOG, 0): lambda _: next(pages)}

    entries = ask_json(table(), "log", "show")["logs"][0]["entries"]
    assert [e["msg"] for e in entries] == [{"v": 1}, "h'6162'", "h'ff00'", "h'ff'", "h'1b5b324a0a'",
                                           "abc"]
    assert entries[5]["imghash"] == "01020304"
    lines = ask(table(), "log", "show")[0].stdout.splitlines()
    assert lines[1] == "Type: storage" and lines[3].endswith('cbor {"v":1}')


# ---- Shell --------------------------------------------------------------------------------------------


def test_older_servers_send_the_result_as_rc():
    done, asked = ask({(WRITE, SHELL, 0): {"o": "out", "rc": 0}}, "shell", "exec", "a", "-b")
    assert done.stdout == "out\n" and asked[0][3] == {"argv": ["a", "-b"]}
    done, _ = ask({(WRITE, SHELL, 0): {"o": "out", "rc": 3}}, "shell", "a", code=5)
    assert done.stdout == "out\n" and "the command returned 3" in done.stderr
    assert ask_json({(WRITE, SHELL, 0): {"o": "", "rc": 2}}, "shell", "a", code=5)["ret"] == 2


def test_a_shell_command_is_not_sent_twice():
    done, asked = ask({(WRITE, SHELL, 0): None}, "shell", "exec", "reboot", code=4)
    assert len(asked) == 1 and "no answer" in done.stderr


# ---- Storage, enumeration -------------------------------------------------------------------------------


def test_a_device_that_erases_without_an_answer_and_is_back():
    table = {(WRITE, BASIC, 0): None}
    done, asked = ask(table, "storage", "erase")
    assert done.stdout.startswith("erased, by the looks of it") and len(asked) == 1
    assert ask_json(table, "storage", "erase") == {"erased": True, "answered": False}


TRANSPORT = 11


@pytest.mark.parametrize("words,key,request_map,answer,shown", [
    ("list", (READ, 6), {}, {"transports": [{"id": 0, "name": "serial"}, {"id": 64}]},
     "id: 0, name: serial\nid: 64\n"),
    ("status", (READ, 2), {}, {"supported": 3, "active": 1, "bridged": True},
     "supported: 3, active: 1, bridged: true\n"),
    ("modes 2", (READ, 7), {"transport": 2}, {"modes": [{"id": 0, "incoming": False}]},
     "id: 0, incoming: false\n"),
    ("config 2 1", (READ, 8), {"transport": 2, "mode": 1}, {"configs": [{"name": "address", "type": 3}]},
     "name: address, type: 3\n"),
    ("connect 2 1 address=AA:BB address_type=1 le_coded=true", (WRITE, 0),
     {"transport": 2, "mode": 1, "address": "AA:BB", "address_type": 1, "le_coded": True}, {},
     "connected\n"),
    ("connect 4", (WRITE, 0), {"transport": 4}, {}, "connected\n"),
    ("disconnect 4", (WRITE, 1), {"transport": 4}, {}, "disconnected\n"),
    ("disconnect all", (WRITE, 1), {"all": True}, {}, "disconnected\n"),
])
def test_transports(words, key, request_map, answer, shown):
    op, command = key
    done, asked = ask({(op, TRANSPORT, command): answer}, "transport", *words.split())
    assert done.stdout == shown and asked == [(op, TRANSPORT, command, request_map)]
    assert isinstance(ask_json({(op, TRANSPORT, command): answer}, "transport", *words.split()), dict)
    assert "ENOTSUP" in ask({}, "transport", *words.split(), code=5)[0].stderr


@pytest.mark.parametrize("words", ["modes x", "modes all", "config 1", "config 1 x", "connect 1 =a",
                                   "connect 1 2 3", "disconnect", "list 1"])
def test_transports_that_are_none(words):
    assert ask({}, "transport", *words.split(), code=2)[0].stderr.startswith("ferry: ")


def test_details_without_names():
    table = {(READ, ENUM, 3): {"groups": [{"group": 0}, {"group": 300, "handlers": 2, "new": 1}]}}
    assert ask(table, "enum", "details")[0].stdout == "    0 os\n  300 (an application's own), 2 handlers\n"


@pytest.mark.parametrize("words", [
    ["taskstat"], ["mpstat"], ["stat", "list"], ["stat", "n"], ["stat", "all"], ["log", "show"],
    ["log", "list"], ["log", "module_list"], ["log", "level_list"], ["enum", "count"],
    ["enum", "list"], ["enum", "group"], ["enum", "details"], ["settings", "read", "a"],
    ["shell", "exec", "a"], ["run", "list"], ["datetime"], ["image", "slots"], ["image", "list"],
    ["params"], ["info"], ["echo", "a"], ["bootloader"]], ids=" ".join)
def test_an_answer_of_another_kind(words):
    """What cannot be read is told, and is no success."""
    every = {(op, group, command): b"\x83\x01\x02\x03" for op in (0, 2) for group in (0, 1, 2, 3, 4, 7, 9, 10)
             for command in range(10)}
    with Foreign(every, params=words != ["params"]) as server:
        done = ferry("--timeout", "1", *words, device=server.uri, check=4)
    assert done.stderr.startswith("ferry: ") and "  next: " in done.stderr


def test_statistics_that_the_device_refuses_do_not_hide_the_others():
    """Zephyr: a group that does not fit its buffer is rc 7."""
    def read(request):
        return {"rc": 7} if request["name"] == "large" else {"name": request["name"], "fields": {"n": 5}}
    table = {(READ, STAT, 1): {"stat_list": ["first", "large", "last"]}, (READ, STAT, 0): read}
    done, _ = ask(table, "stat", "all", code=5)
    assert "stat group: first" in done.stdout and "stat group: last" in done.stdout
    assert ask_json(table, "stat", "all", code=5) == {"stats": {"first": {"n": 5}, "last": {"n": 5}},
                                                      "refused": ["large"]}
