# SPDX-License-Identifier: Apache-2.0
"""What makes `ferry` pleasant to type: profiles, the ways other tools name a device, completion, manuals."""
import json
import os
import re
import subprocess

import pytest

import lab
from lab import ferry


@pytest.fixture
def home(tmp_path):
    """The environment of somebody with a home folder of their own."""
    return {"HOME": str(tmp_path), "XDG_CONFIG_HOME": ""}


# ---- Profiles --------------------------------------------------------------------------------------

def test_a_profile_names_a_device(home, device):
    assert "ferry -c acm0" in ferry("profile", "add", "acm0", device.uri, env=home, check=0).stdout
    assert ferry("-c", "acm0", "echo", "hello", env=home, check=0).stdout == "hello\n"
    assert ferry("echo", "hello", "--conn", "acm0", env=home, check=0).stdout == "hello\n"
    ferry("profile", "remove", "acm0", env=home, check=0)
    done = ferry("-c", "acm0", "echo", "hello", env=home, check=2)
    assert "no profile 'acm0'" in done.stderr and "profile list" in done.stderr


def test_profiles_of_mcumgr_are_read(home, device, tmp_path):
    """As `mcumgr conn add acm0 type=serial connstring=…` leaves them."""
    (tmp_path / ".mcumgr.cp.json").write_text(json.dumps([
        {"MyName": "acm0", "MyType": "serial", "MyConnString": f"dev={device.link},baud=115200,mtu=512"},
        {"MyName": "old", "MyType": "serial", "MyConnString": str(device.link)},
        {"MyName": "net", "MyType": "udp", "MyConnString": f"[::1]:{device.udp_port}"},
        {"MyName": "air", "MyType": "ble", "MyConnString": "peer_name=a pump"},
        {"MyName": "one", "MyType": "ble", "MyConnString": "ctlr_name=hci1,peer_id=0:1:2:3:4:5,own_addr_type=public"},
        {"MyName": "odd", "MyType": "oic_ble", "MyConnString": "peer_name=x"}]))
    for name in ("acm0", "old"):
        assert ferry("-c", name, "echo", "hello", env=home, check=0).stdout == "hello\n"
    listed = json.loads(ferry("--json", "profile", "list", env=home, check=0).stdout)["profiles"]
    assert [one["name"] for one in listed] == ["acm0", "old", "net", "air", "one"]
    assert listed[2]["device"] == f"udp:[::1]:{device.udp_port}"
    assert [one["device"] for one in listed[3:]] == ["ble:a pump", "ble:0:1:2:3:4:5?adapter=hci1"]
    ferry("profile", "add", "acm0", "udp:elsewhere", env=home, check=0)  # ours comes first
    listed = json.loads(ferry("--json", "profile", "list", env=home, check=0).stdout)["profiles"]
    assert listed[0]["device"] == "udp:elsewhere"
    ferry("profile", "remove", "old", env=home, check=2)  # is mcumgr's


def test_the_words_of_mcumgr_make_profiles(home):
    ferry("conn", "add", "acm0", "type=serial", "connstring=dev=/dev/ttyACM0,baud=9600", env=home, check=0)
    assert "serial:/dev/ttyACM0?baud=9600" in ferry("conn", "show", env=home, check=0).stdout
    ferry("conn", "delete", "acm0", env=home, check=0)


def test_a_timeout_is_remembered(home):
    ferry("profile", "add", "slow", "udp:127.0.0.1:1", "-t", "0.2", env=home, check=0)
    listed = json.loads(ferry("--json", "profile", "list", env=home, check=0).stdout)["profiles"]
    assert listed[0]["timeout"] == 0.2


@pytest.mark.parametrize("words, say", [
    (("add", "x"), "needs a NAME"), (("add", "x", "smp:y"), "cannot read the URI"),
    (("add", "x", "type=ble", "connstring=mtu=23"), "peer_name=NAME"), (("add", "x", "type=serial"), "connstring="),
    (("remove", "x"), "no profile"), (("list", "x"), "takes no argument")])
def test_wrong_words_are_told(home, words, say):
    assert say in ferry("profile", *words, env=home, check=2).stderr


def test_a_damaged_file_is_told_and_kept(home, tmp_path):
    path = tmp_path / ".config/ferry/profiles.json"
    path.parent.mkdir(parents=True)
    path.write_text("{")
    for command in (("-c", "x", "params"), ("profile", "list"), ("profile", "add", "x", "udp:y")):
        done = ferry(*command, env=home)
        assert done.returncode in (1, 2) and "profiles.json" in done.stderr
    assert path.read_text() == "{"


def test_a_damaged_file_of_mcumgr_leaves_ours(home, tmp_path, device):
    """One bad file of another tool took away all profiles."""
    ferry("profile", "add", "acm0", device.uri, env=home, check=0)
    (tmp_path / ".mcumgr.cp.json").write_text("{")
    for command in (("-c", "acm0", "echo", "hi"), ("profile", "list")):
        done = ferry(*command, env=home, check=0)
        assert "warning" in done.stderr and ".mcumgr.cp.json" in done.stderr and done.stdout


def test_a_damaged_file_has_one_exit_code(home, tmp_path):
    path = tmp_path / ".config/ferry/profiles.json"
    path.parent.mkdir(parents=True)
    path.write_text("{")
    for command in (("-c", "x", "params"), ("params", "-c", "x"), ("profile", "list")):
        assert ferry(*command, env=home).returncode == 1, command


def test_a_relative_port_is_stored_whole(home):
    ferry("profile", "add", "rel", "t1", env=home, check=0)
    ferry("profile", "add", "rel2", "serial:t1?baud=9600", env=home, check=0)
    shown = ferry("profile", "list", env=home, check=0).stdout
    assert f" {os.getcwd()}/t1\n" in shown and f" serial:{os.getcwd()}/t1?baud=9600\n" in shown


def test_profile_commands_say_what_they_did(home):
    assert "no profile yet" in ferry("profile", "list", env=home, check=0).stdout
    ferry("profile", "add", "a", "udp:x", env=home, check=0)
    assert ferry("profile", "remove", "a", env=home, check=0).stdout == "a is forgotten\n"


def test_a_profile_of_another_type_is_told(home, tmp_path):
    """It was told that there is no such profile."""
    (tmp_path / ".mcumgr.cp.json").write_text(
        json.dumps([{"MyName": "air", "MyType": "oic_ble", "MyConnString": "peer_name=x"}]))
    assert "types are serial, udp and ble" in ferry("-c", "air", "echo", "hi", env=home, check=2).stderr


def test_the_options_of_others(home, device):
    options = ("--conntype", "serial", "--connstring", f"dev={device.link},baud=115200,mtu=512", "-t", "10", "-r", "5")
    assert ferry(*options, "echo", "hello", env=home, check=0).stdout == "hello\n"
    assert ferry("--port", device.link, "echo", "hello", env=home, check=0).stdout == "hello\n"
    assert ferry("--ip", f"127.0.0.1:{device.udp_port}", "echo", "hello", env=home, check=0).stdout == "hello\n"
    assert "peer_name=NAME" in ferry("--conntype", "ble", "--connstring", "x", "params", env=home, check=2).stderr
    assert "-> " in ferry("-l", "debug", "echo", "x", device=device.uri, check=0).stderr
    assert "1 to 255" in ferry("-r", "0", "params", check=2).stderr


def test_tries_are_counted(home):
    """A silent port gets a request as often as it is told, and not once more."""
    with subprocess.Popen([lab.FERRY, "-v", "-v", "-d", "udp:127.0.0.1:9", "-t", "0.1", "-r", "2", "image", "list"],
                          stderr=subprocess.PIPE, text=True) as process:
        _, err = process.communicate(timeout=30)
    assert process.returncode == 4 and 2 <= err.count("os/params") <= 4  # two versions, two tries each


# ---- Completion ------------------------------------------------------------------------------------

def complete(*words, env=None):
    return ferry("complete", "--", *words, env=env, check=0).stdout.split()


def test_commands_are_completed():
    assert {"update", "image", "sign", "key"} <= set(complete(""))
    assert complete("ima") == ["image"]
    assert set(complete("image", "")) >= {"list", "upload", "test", "confirm", "erase"}
    assert complete("image", "up") == ["upload"]
    assert complete("image", "upload", "") == []  # a file: the shell's matter
    assert complete("-d", "udp:x", "--json", "ima") == ["image"]
    assert "complete" not in complete("comp")


def test_options_are_completed():
    assert complete("update", "--no-d") == ["--no-downgrade"]
    assert complete("image", "upload", "--im") == ["--image"]
    assert complete("getpub", "--enc") == ["--encoding"]
    assert "--json" in complete("echo", "--")
    assert complete("update", "--key", "") == []  # a file again
    assert complete("--devi") == ["--device"]


def test_values_are_completed(home):
    ferry("profile", "add", "acm0", "udp:x", env=home, check=0)
    assert complete("-c", "a", env=home) == ["acm0"]
    assert complete("--device", "ud") == ["udp:"]


def bash(words):
    script = ('source <(ferry completion bash); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ferry; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", script, "bash", "ferry", *words], capture_output=True, text=True, timeout=30,
                          env={**os.environ, "PATH": f"{lab.BUILD}:{os.environ['PATH']}"})
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_bash_completes():
    assert bash(["image", "up"]) == ["upload"]
    assert "list" in bash(["image", ""])
    assert bash(["update", "--no-d"]) == ["--no-downgrade"]


def test_an_unknown_shell_is_told():
    assert "bash, zsh or fish" in ferry("completion", "csh", check=2).stderr


# ---- Manuals, and the text they come from ------------------------------------------------------------

def commands():
    """Every command as the manual lists it, and its options."""
    page = ferry("man", check=0).stdout.split(".SH COMMANDS")[1].split(".SH OPTIONS")[0]
    return [name.replace("\\-", "-") for name in re.findall(r"^\.TP\n\.B (.+)$", page, re.M)]


def test_every_command_has_a_page(tmp_path):
    ferry("man", "--all", tmp_path, check=0)
    pages = {path.name for path in tmp_path.iterdir()}
    assert "ferry.1" in pages
    names = commands()
    assert len(names) > 40 and "image upload" in names
    assert pages - {"ferry.1"} == {f"ferry-{name.replace(' ', '-')}.1" for name in names}
    for path in tmp_path.iterdir():
        text = path.read_text()
        assert text.startswith(f".TH {path.stem} 1 ") and ".SH NAME" in text and ".SH SYNOPSIS" in text
        assert len(re.search(r"\.SH NAME\n(.+)\n\.SH", text).group(1)) < 130, path
    assert "no such command" in ferry("man", "image", "fly", check=2).stderr
    assert "make the folder" in ferry("man", "--all", tmp_path / "none", check=1).stderr


def test_options_in_the_help_are_taken():
    """Each option that a command's help names is one that it knows, with a value or without as said."""
    seen = 0
    for name in commands():
        page = ferry("man", *name.split(), check=0).stdout
        section = page.split(".SH OPTIONS\n")[1].split(".SH SEE")[0] if ".SH OPTIONS" in page else ""
        for names in re.findall(r"^\.TP\n\.B (.+)$", section, re.M):
            for option, value in re.findall(r"(-{1,2}[\w-]+)(?:[ =]([^-\s,]\S*))?", names.replace("\\-", "-")):
                if option == "-v":
                    continue
                has_value = value or re.search(r" [^-\s,]\S*$", names)
                done = ferry(*name.split(), option, *(["1"] if has_value else []), "--help")
                assert not re.search("unknown option|needs a value", done.stderr), (name, option)
                seen += 1
    assert seen > 60


def test_the_beginning_of_a_command_shows_how_it_goes_on():
    shown = ferry("fs", "--help", check=0).stdout
    assert "fs download" in shown and "fs upload" in shown and "image" not in shown
    done = ferry("image", check=2)
    assert "image list" in done.stderr and "beginning of a command" in done.stderr
    assert "unknown command 'fly'" in ferry("fly", check=2).stderr


@pytest.mark.parametrize("words", [
    ("--bogus", "image", "list"), ("image", "list", "--bogus"), ("image", "list", "-Z"), ("update", "--check"),
    ("-d",), ("-t", "x", "image", "list"), ("-c", "nope", "image", "list"), ()])
def test_what_is_wrong_with_an_option_is_an_object_too(home, words):
    """Whether --json stands before it or behind."""
    for line in (("--json", *words), (*words, "--json")):
        if line[-2:-1] == ("-d",) or line[-2:-1] == ("--check",):
            continue  # --json is the value then
        done = ferry(*line, env=home, check=2)
        error = json.loads(done.stdout)["error"]
        assert error["exit"] == 2 and error["what"] and error["next"]
        assert done.stderr.startswith("ferry: ") and "  next: " in done.stderr and "  --help" not in done.stderr


@pytest.mark.parametrize("command", ["why", "measured"])
def test_an_image_that_is_not_there(device, command):
    """why had nothing to tell of image 3 of 1, and measured another command's remedy."""
    done = ferry(command, "--image", "3", device=device.uri, check=5)
    assert "the device has no image 3" in done.stderr and "image list" in done.stderr


def test_a_group_has_one_name(device):
    """102 was `user`, `trust mgmt`, `102` and `trust`."""
    listed = ferry("enum", "list", device=device.uri, check=0).stdout.split()
    assert listed[-4:] == ["63", "basic", "102", "trust"]
    result = json.loads(ferry("--json", "doctor", device=device.uri, check=0).stdout)
    assert "basic, trust" in {row["stage"]: row["fact"] for row in result["stages"]}["server"]
    for name in listed[1::2]:
        assert "no group" not in ferry("raw", name, "0", device=device.uri).stderr


def test_an_echo_that_is_too_long_says_what_fits(device):
    """It said that an element does not fit the buffer, and to give a larger one."""
    done = ferry("echo", "x" * 3000, device=device.uri, check=2)
    most = int(re.search(r"a text of (\d+) bytes at most", done.stderr)[1])
    assert ferry("echo", "x" * most, device=device.uri, check=0).stdout == "x" * most + "\n"
    ferry("echo", "x" * (most + 1), device=device.uri, check=2)


def test_a_usage_has_single_blanks():
    assert "usage: ferry why (and" in ferry("why", "x", check=2).stderr


def test_standard_input_is_named():
    assert "no SMP packet in standard input" in ferry("decode", check=6).stderr
