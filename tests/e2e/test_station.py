# SPDX-License-Identifier: Apache-2.0
"""ferry station: many devices at once. [docs/STATION.md]"""
import functools
import json
import os
import pathlib
import pty
import select
import signal
import subprocess
import time

import pytest

import lab


def station(bench, *words, image="v2", check, json_lines=True, env=None, key=True):
    """Run it. Returns the records by device and the summary, or what it printed."""
    command = ["--json"] if json_lines else []
    signed = ["-k", bench.key] if key else []
    done = lab.ferry(*command, "station", *signed, *words, bench.images[image], check=check, env=env)
    if not json_lines:
        return done
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    summary = lines.pop()["summary"]
    assert len(lines) == summary["devices"]
    return {line["device"]: line for line in lines}, summary


def devices_of(*words, env=None):
    """What a list stands for."""
    listed = lab.ferry_json("station", "--list", *words)
    return [(device["device"], device["name"]) for device in listed["devices"]]


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    """Keys and images that the other devices do not know."""
    return lab.Bench(tmp_path_factory.mktemp("stranger"))


def small_layout():
    layout = json.loads(lab.layout("swap-move"))
    for area in layout["areas"]:
        if area["name"] in ("primary", "secondary"):
            area["size"] = "160K"
    return json.dumps(layout)


def start(folder, names, bench, **options):
    devices = {name: lab.Device(folder / name, bench, **options) for name in names}
    for device in devices.values():
        device.start()
    return devices


def stop(devices):
    for device in devices.values():
        if device.process is not None:
            device.process.send_signal(signal.SIGCONT)
        device.stop()


def test_eight_devices_of_which_three_cannot(tmp_path, bench, stranger):
    """One with another key, one that hangs, one too small: five are updated, three are named."""
    good = start(tmp_path, [f"good{i}" for i in range(5)], bench)
    bad = start(tmp_path, ["hangs"], bench)
    bad |= start(tmp_path, ["key"], stranger)
    big = bench.folder / "v2-large.bin"
    lab.sign(bench.key, "2.0.0", padded(tmp_path, bench), big)
    bench.images["large"] = big
    bad |= start(tmp_path, ["small"], bench, layout=small_layout())
    try:
        bad["hangs"].process.send_signal(signal.SIGSTOP)
        uris = [d.uri if i % 2 else d.udp_uri for i, d in enumerate([*good.values(), *bad.values()])]
        names = dict(zip([*good, *bad], uris))
        records, summary = station(bench, "-d", ",".join(uris), "--timeout", 1, "--retries", 0,
                                   "--record", tmp_path / "log.jsonl", image="large", check=8)
        wanted = lab.ferry_json("verify", "-k", bench.key, big)["hash"]
        for name in good:
            record = records[names[name]]
            assert record["ok"] and record["verdict"] == "updated" and record["exit"] == 0, record
            assert (record["old_version"], record["version"]) == ("1.0.0", "2.0.0")
            assert record["hash"] == wanted and record["active"] and record["confirmed"]
            assert record["bytes"] == big.stat().st_size and record["tries"] == 1
            assert good[name].running()["hash"] == wanted
        key, hangs, small = (records[names[name]] for name in ("key", "hangs", "small"))
        assert (key["exit"], hangs["exit"], small["exit"]) == (6, 4, 6)
        assert "refused by the bootloader" in key["what"] and "key" in key["why"]
        assert hangs["what"].startswith("no answer from ") and hangs["step"] == "hello"
        assert "too large" in small["what"] and small["next"]
        assert not any(record["ok"] for record in (key, hangs, small))
        assert summary["updated"] == 5 and summary["failed"] == 3 and summary["exit"] == 8
        logged = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
        assert {line["device"]: line for line in logged[:-1]} == records

        # A second run has nothing to do for those that have it.
        records, summary = station(bench, "-d", ",".join(uris[:5]), image="large", check=0)
        assert {record["verdict"] for record in records.values()} == {"already"}
        assert {record["bytes"] for record in records.values()} == {0}
    finally:
        stop(good | bad)


def padded(folder, bench):
    """The second program, larger than a slot of 160 KiB takes."""
    elf = folder / "large.elf"
    elf.write_bytes((lab.FIRMWARE / "app-v2.elf").read_bytes())
    size = elf.stat().st_size
    with open(elf, "ab") as file:
        file.write(bytes(max(0, 170 * 1024 - size)))
    return elf


def test_a_line_for_each_device(tmp_path, bench):
    """Without a terminal: one when it begins, one when it ends, and the totals."""
    devices = start(tmp_path, ["a", "b"], bench)
    try:
        (tmp_path / "list").write_text(f"# rack\n{devices['a'].uri}  pump 7\n\n{devices['b'].udp_uri}\n")
        done = station(bench, "-d", f"@{tmp_path / 'list'}", json_lines=False, check=0)
        assert "pump 7: begins\n" in done.stderr
        assert "pump 7: updated, 1.0.0 -> 2.0.0, " in done.stdout
        assert f"{devices['b'].udp_uri}: updated, 1.0.0 -> 2.0.0, " in done.stdout
        assert "2 devices: 2 updated, 0 already up to date, 0 failed, 0 cancelled" in done.stdout
    finally:
        stop(devices)


def test_what_fails_is_said_again_at_the_end(bench):
    done = station(bench, "-d", "/dev/ferry-nowhere", "-d", "/dev/ferry-neither", "--retries", 0,
                   json_lines=False, check=3)
    assert "/dev/ferry-nowhere: FAILED (3)" in done.stdout
    assert done.stderr.count("    next: ") == 2


def test_all_that_fail_alike_have_that_exit_code(bench):
    records, summary = station(bench, "-d", "udp:127.0.0.1:9,udp:127.0.0.1:19", "--timeout", 0.2,
                               "--retries", 0, check=4)
    assert {record["exit"] for record in records.values()} == {4} and summary["exit"] == 4


def test_a_device_that_comes_late_has_another_try(tmp_path, bench):
    """The port is not there yet when the station begins."""
    device = lab.Device(tmp_path / "late", bench)
    command = [lab.FERRY, "--json", "station", "-d", device.uri, "--retries", "20",
               bench.images["v2"]]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        try:
            time.sleep(0.5)
            device.start()
            out, _ = run.communicate(timeout=120)
        finally:
            device.stop()
            run.kill()
    record = json.loads(out.splitlines()[0])
    assert run.returncode == 0 and record["verdict"] == "updated" and record["tries"] > 1


def test_a_limit_for_each_device(tmp_path, bench):
    devices = start(tmp_path, ["a"], bench, baud=9600)
    try:
        records, _ = station(bench, "-d", devices["a"].uri, "--limit", 8, check=4)
        record = records[devices["a"].uri]
        assert "not done within the 8 s of --limit" in record["what"] and record["tries"] == 1
        assert record["step"] == "upload" and "% were sent" in record["why"]
    finally:
        stop(devices)


def test_an_interrupt_leaves_nothing_untold(tmp_path, bench):
    """Ctrl-C: nothing new is begun, and each device's state is said."""
    devices = start(tmp_path, ["a", "b"], bench, baud=9600)
    command = [lab.FERRY, "--json", "station", "--jobs", "1", "-d", devices["a"].uri, "-d",
               devices["b"].uri, bench.images["v2"]]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        try:
            time.sleep(3)
            run.send_signal(signal.SIGINT)
            out, _ = run.communicate(timeout=30)
        finally:
            run.kill()
            stop(devices)
    first, second, summary = (json.loads(line) for line in out.splitlines())
    assert first["verdict"] == second["verdict"] == "cancelled" and run.returncode == 130
    assert first["exit"] == second["exit"] == 130
    assert first["what"].startswith("cancelled in step upload at ") and "untouched" in first["next"]
    assert second["what"] == "cancelled before it was begun" and second["tries"] == 0
    assert summary["summary"]["cancelled"] == 2


def test_a_reader_that_goes_away_leaves_no_device_unfinished(tmp_path):
    """`ferry station … | head -1`"""
    with lab.Fleet(tmp_path, 30) as fleet:
        with run_station(None, "-d", fleet.uris, "--jobs", 3, fleet.images["v2"]) as run:
            assert json.loads(run.stdout.readline())["ok"]
            run.stdout.close()
            said = run.stderr.read()
            assert run.wait(timeout=60) == 1
        assert "cannot write the output" in said
        assert fleet.end() == ({"2.0.0": 30}, 30)


def test_a_slot_that_is_taken(tmp_path):
    """Another image waits for a reset, and the device keeps it: the words of update."""
    with lab.Fleet(tmp_path, 3) as fleet:
        lab.ferry("update", "--test-only", fleet.images["v3"], device=fleet.uri(1), check=0)
        done = lab.ferry("--json", "station", "-d", fleet.uris, fleet.images["v2"], check=8)
        records = {r["device"]: r for r in map(json.loads, done.stdout.splitlines()[:-1])}
        taken = records.pop(fleet.uri(1))
        assert taken["exit"] == 5 and taken["what"] == "version 3.0.0 waits in slot 1 for the next reset"
        assert "ferry reset" in taken["next"]
        assert all(record["verdict"] == "updated" for record in records.values())


def test_serial_number_from_a_setting(tmp_path, bench):
    devices = start(tmp_path, ["a"], bench)
    try:
        uri = devices["a"].uri
        records, _ = station(bench, "-d", uri, "--serial-setting", "id/name", check=0)
        assert records[uri]["serial_number"] == "ferry-device"
        records, _ = station(bench, "-d", uri, "--serial-setting", "no/such", check=0)
        assert records[uri]["serial_number"] == "" and records[uri]["verdict"] == "already"
    finally:
        stop(devices)


def test_a_terminal_shows_what_runs(tmp_path, bench):
    devices = start(tmp_path, ["a", "b"], bench, baud=115200)
    shown = b""
    try:
        child, terminal = pty.fork()
        if child == 0:
            os.environ["TERM"] = "xterm"
            os.execv(lab.FERRY, ["ferry", "station", "-d", devices["a"].uri, "-d",
                                 devices["b"].udp_uri, str(bench.images["v2"])])
        end = time.monotonic() + 120
        while time.monotonic() < end:
            if select.select([terminal], [], [], 1)[0]:
                try:
                    data = os.read(terminal, 65536)
                except OSError:
                    data = b""
                if not data:
                    break
                shown += data
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, shown.decode()
        os.close(terminal)
    finally:
        stop(devices)
    text = shown.decode()
    assert "upload" in text and "[#" in text and " %" in text
    assert "of 2 done, 0 failed, " in text and "\x1b[2K" in text
    assert text.count("updated, 1.0.0 -> 2.0.0") == 2
    assert ": begins" not in text


@pytest.mark.parametrize("jobs", [7, 120])
def test_a_fleet_with_silent_ones(tmp_path, jobs):
    """120 devices in one process, three of which hear nothing: few at once, and all."""
    with lab.Fleet(tmp_path, 120, silent=(0, 50, 119)) as fleet:
        done = lab.ferry("--json", "station", "-k", fleet.key, "-d", fleet.uris, "--jobs", jobs,
                         "--timeout", 0.3, "--retries", 0, fleet.images["v2"], check=8)
        *records, summary = (json.loads(line) for line in done.stdout.splitlines())
        failed = {record["device"] for record in records if not record["ok"]}
        assert failed == {fleet.uri(0), fleet.uri(50), fleet.uri(119)}
        assert summary["summary"]["updated"] == 117
        assert fleet.end() == ({"1.0.0": 3, "2.0.0": 117}, 117)


def test_unconfirmed_where_that_is_wanted(tmp_path):
    """The next reset takes it back, on every device."""
    with lab.Fleet(tmp_path, 20) as fleet:
        done = lab.ferry("--json", "station", "-d", fleet.uris, "--no-confirm", fleet.images["v2"],
                         check=0)
        records = [json.loads(line) for line in done.stdout.splitlines()[:-1]]
        assert all(record["active"] and not record["confirmed"] for record in records)
        assert fleet.end() == ({"1.0.0": 20}, 20)


def test_a_check_of_each_device(tmp_path, bench):
    """A command between test and confirm, which uses the device; where it fails the device goes back."""
    devices = start(tmp_path, ["a", "b"], bench)
    (tmp_path / "list").write_text(f"{devices['a'].uri} good\n{devices['b'].udp_uri} bad\n")
    command = (f'{lab.FERRY} -d "$FERRY_DEVICE" echo "$FERRY_NAME" >>{tmp_path}/said && '
               'test "$FERRY_NAME$FERRY_VERSION$FERRY_SERIAL_NUMBER" = good2.0.0ferry-device')
    try:
        records, summary = station(bench, "-d", f"@{tmp_path / 'list'}", "--check", command,
                                   "--serial-setting", "id/name", check=8)
        good, bad = (records[uri] for uri in (devices["a"].uri, devices["b"].udp_uri))
        assert good["verdict"] == "updated" and good["confirmed"]
        assert bad["exit"] == 7 and "the check failed (exit code 1)" in bad["what"]
        assert "went back to version 1.0.0" in bad["what"] and bad["next"]
        assert sorted((tmp_path / "said").read_text().split()) == ["bad", "good"]
        assert [devices[name].running()["version"] for name in "ab"] == ["2.0.0", "1.0.0"]
    finally:
        stop(devices)


def test_checks_run_beside_each_other(tmp_path):
    """Twenty that sleep take no longer than one; one that takes too long is ended."""
    with lab.Fleet(tmp_path, 20) as fleet:
        command = f'test "$FERRY_DEVICE" = {fleet.uri(3)} && exec sleep 100; sleep 2'
        begin = time.monotonic()
        done = lab.ferry("--json", "station", "-d", fleet.uris, "--check", command, "--check-timeout", 4,
                         fleet.images["v2"], check=8)
        assert time.monotonic() - begin < 30
        records = {r["device"]: r for r in map(json.loads, done.stdout.splitlines()[:-1])}
        late = records.pop(fleet.uri(3))
        assert late["exit"] == 7 and "not done after 4 s" in late["what"]
        assert all(record["confirmed"] for record in records.values())
        assert fleet.end() == ({"2.0.0": 19, "1.0.0": 1}, 21)


def test_for_good_without_a_test(tmp_path):
    with lab.Fleet(tmp_path, 5) as fleet:
        lab.ferry("station", "-d", fleet.uris, "--confirm", "always", fleet.images["v2"], check=0)
        assert fleet.end() == ({"2.0.0": 5}, 5)


# ---- Several images ---------------------------------------------------------------------------------

DATA_SIZE = 0x20000


def set_layout():
    """A program and its data, which change as one."""
    layout = json.loads(lab.layout("swap-shift", set=True))
    layout["areas"] += [{"name": f"data{i}", "device": "internal",
                         "offset": hex(0xb0000 + i * DATA_SIZE), "size": DATA_SIZE} for i in (0, 1)]
    layout["images"].append({"primary": "data0", "secondary": "data1", "strategy": "swap-shift"})
    return json.dumps(layout)


@pytest.fixture(scope="module")
def data(tmp_path_factory, bench):
    folder, made = tmp_path_factory.mktemp("data"), {}
    for version in "1.0.0", "2.0.0", "3.0.0":
        made[version] = folder / f"{version}.bin"
        (folder / "raw").write_bytes(version.encode() * 4000)
        lab.ferry("sign", "-k", bench.key, "-v", version, "-H", "512", "--pad-header", "-S",
                  hex(DATA_SIZE), "--align", "8", folder / "raw", made[version], check=0)
    return made


def versions(device):
    device.running()
    listed = lab.ferry_json("image", "list", device=device.uri)["images"]
    return {image["image"]: (image["version"], image["confirmed"]) for image in listed if image["active"]}


def test_several_images_of_several_devices(tmp_path, bench, data):
    """Both images are started by one reset, confirmed at the end, and taken back together."""
    devices = start(tmp_path, ["a", "b"], bench, layout=set_layout(), flash=[f"data0={data['1.0.0']}"])
    uris = f"{devices['a'].uri},{devices['b'].udp_uri}"
    try:
        done = lab.ferry("--json", "station", "-d", uris, "-k", bench.key, f"0={bench.images['v2']}",
                         f"1={data['2.0.0']}", check=0)
        for record in map(json.loads, done.stdout.splitlines()[:-1]):
            assert record["verdict"] == "updated" and record["old_version"] == "1.0.0"
            assert [(i["image"], i["version"], i["active"], i["confirmed"]) for i in record["images"]] == \
                [(0, "2.0.0", True, True), (1, "2.0.0", True, True)]
            assert record["bytes"] == bench.images["v2"].stat().st_size + data["2.0.0"].stat().st_size
        for device in devices.values():
            assert versions(device) == {0: ("2.0.0", True), 1: ("2.0.0", True)}
            assert device.log().count("starting 2.0.0") == 1  # one reset for both

        bundle = tmp_path / "set.zip"
        lab.ferry("bundle", "create", "-k", bench.key, bundle, f"0={bench.images['v2']}",
                  f"1={data['2.0.0']}", check=0)
        done = lab.ferry("--json", "station", "-d", uris, bundle, check=0)
        assert [json.loads(line)["verdict"] for line in done.stdout.splitlines()[:-1]] == 2 * ["already"]

        # The program crashes: with it the data go back.
        done = lab.ferry("--json", "station", "-d", uris, f"0={bench.images['v3']}",
                         f"1={data['3.0.0']}", check=7)
        assert all("REVERTED" in json.loads(line)["what"] for line in done.stdout.splitlines()[:-1])
        for device in devices.values():
            assert versions(device) == {0: ("2.0.0", True), 1: ("2.0.0", True)}
    finally:
        stop(devices)


def test_files_that_each_device_would_be_asked_for(tmp_path, bench):
    done = lab.ferry("station", "-d", "x", bench.images["v1"], bench.images["v2"], check=2)
    assert "to be asked of each device" in done.stderr


# ---- USB: in a /sys and a /dev of the test's ---------------------------------------------------------


class Usb:
    """Ports as Linux shows them; behind each is a virtual device."""

    def __init__(self, root):
        self.root = root
        self.env = {"FERRY_ROOT": str(root)}
        (root / "dev").mkdir(parents=True)

    def plug(self, device, tty, serial=None, vendor="2fe3"):
        folder = self.root / "sys/devices" / f"{serial or tty}-{time.monotonic_ns()}"
        (folder / "if0").mkdir(parents=True)
        (folder / "idVendor").write_text(vendor + "\n")
        (folder / "idProduct").write_text("0100\n")
        if serial is not None:
            (folder / "serial").write_text(serial + "\n")
        (folder / "if0" / "bInterfaceNumber").write_text("00\n")
        port = self.root / "sys/class/tty" / tty
        port.mkdir(parents=True)
        (port / "device").symlink_to(folder / "if0")
        (self.root / "dev" / tty).symlink_to(device.link)

    def unplug(self, tty):
        (self.root / "dev" / tty).unlink()
        port = self.root / "sys/class/tty" / tty
        (port / "device").unlink()
        port.rmdir()

    def uri(self, tty):
        return f"serial:{self.root}/dev/{tty}"


def run_station(usb, *words):
    return subprocess.Popen([lab.FERRY, "--json", "station", *map(str, words)], text=True,
                            env={**os.environ, **(usb.env if usb else {})}, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_devices_by_vid_and_pid(tmp_path, bench):
    """Their serial numbers are in the records; the other maker's device is left alone."""
    devices = start(tmp_path, ["a", "b", "c"], bench)
    usb = Usb(tmp_path / "root")
    for tty, serial, vendor, name in (("ttyACM0", "A1", "2fe3", "a"), ("ttyACM1", "B2", "2fe3", "b"),
                                      ("ttyUSB0", "C3", "0403", "c")):
        usb.plug(devices[name], tty, serial, vendor)
    try:
        records, summary = station(bench, "-d", "usb:2fe3:*", env=usb.env, check=0)
        assert {(uri, record["serial_number"]) for uri, record in records.items()} == \
            {(usb.uri("ttyACM0"), "A1"), (usb.uri("ttyACM1"), "B2")}
        assert summary["updated"] == 2
        records, _ = station(bench, "-d", "usb:*:*:C3", env=usb.env, check=0)
        assert [record["serial_number"] for record in records.values()] == ["C3"]
    finally:
        stop(devices)


def test_devices_that_come_back_under_each_others_names(tmp_path, bench):
    """Reset together, two devices change places: each is met again by its serial number."""
    devices = start(tmp_path, ["a", "b"], bench, baud=230400)
    usb = Usb(tmp_path / "root")
    usb.plug(devices["a"], "ttyACM0", "A1")
    usb.plug(devices["b"], "ttyACM1", "B2")
    try:
        with run_station(usb, "-d", "usb:2fe3:0100", bench.images["v2"]) as run:
            time.sleep(2)  # both are being uploaded to, and have their ports open
            for tty in ("ttyACM0", "ttyACM1"):
                usb.unplug(tty)
            usb.plug(devices["a"], "ttyACM1", "A1")
            usb.plug(devices["b"], "ttyACM5", "B2")
            out, err = run.communicate(timeout=120)
        assert run.returncode == 0, out + err
        records = [json.loads(line) for line in out.splitlines()[:-1]]
        assert {(r["serial_number"], r["verdict"]) for r in records} == {("A1", "updated"), ("B2", "updated")}
        for device in devices.values():
            assert device.running()["version"] == "2.0.0"
    finally:
        stop(devices)


def test_a_line_where_devices_come_and_go(tmp_path, bench):
    """--wait: each device once, by its number; without one whatever is plugged in at a name is new."""
    devices = start(tmp_path, ["a", "b", "c", "d"], bench)
    usb = Usb(tmp_path / "root")
    record = tmp_path / "line.jsonl"

    def done(count):
        end = time.monotonic() + 60
        while not record.exists() or len(record.read_text().splitlines()) < count:
            assert time.monotonic() < end and run.poll() is None
            time.sleep(0.05)

    try:
        with run_station(usb, "-d", f"{usb.root}/dev/ttyACM*", "--wait", "--count", 4, "--record",
                         record, bench.images["v2"]) as run:
            time.sleep(0.5)
            usb.plug(devices["a"], "ttyACM0", "A1")
            done(1)
            usb.unplug("ttyACM0")
            usb.plug(devices["b"], "ttyACM0", "B2")  # another one at the same place
            usb.plug(devices["a"], "ttyACM1", "A1")  # the same one at another place
            done(2)
            usb.plug(devices["c"], "ttyACM2")
            done(3)
            usb.unplug("ttyACM2")
            time.sleep(2.5)  # it is seen that it went
            usb.plug(devices["d"], "ttyACM2")
            out, err = run.communicate(timeout=120)
        assert run.returncode == 0, out + err
        records = [json.loads(line) for line in out.splitlines()[:-1]]
        assert [(r["serial_number"], r["verdict"]) for r in records] == \
            [("A1", "updated"), ("B2", "updated"), ("", "updated"), ("", "updated")]
    finally:
        stop(devices)


def test_an_idle_line_ends_with_what_it_did(tmp_path, bench):
    devices = start(tmp_path, ["a"], bench)
    record = tmp_path / "line.jsonl"
    usb = Usb(tmp_path / "root")
    try:
        with run_station(usb, "-d", devices["a"].uri, "-d", "/dev/ferry-later", "--wait", "--record",
                         record, bench.images["v2"]) as run:
            end = time.monotonic() + 60
            while not record.exists() or not record.read_text().endswith("\n"):
                assert time.monotonic() < end
                time.sleep(0.05)
            run.send_signal(signal.SIGINT)
            out, _ = run.communicate(timeout=30)
        assert run.returncode == 0
        assert json.loads(out.splitlines()[-1])["summary"]["devices"] == 1
    finally:
        stop(devices)


# ---- Which devices ----------------------------------------------------------------------------------


def test_ranges_of_addresses_and_ports():
    assert [uri for uri, _ in devices_of("-d", "udp:10.0.0.9-11")] == \
        ["udp:10.0.0.9", "udp:10.0.0.10", "udp:10.0.0.11"]
    assert [uri for uri, _ in devices_of("-d", "udp:10.0.0.254-10.0.1.1:1338")] == \
        ["udp:10.0.0.254:1338", "udp:10.0.0.255:1338", "udp:10.0.1.0:1338", "udp:10.0.1.1:1338"]
    network = devices_of("-d", "udp:10.0.0.77/24")
    assert len(network) == 254 and network[0][0] == "udp:10.0.0.1" and network[-1][0] == "udp:10.0.0.254"
    assert len(devices_of("-d", "udp:10.0.0.0/30")) == 2 and len(devices_of("-d", "udp:10.0.0.0/31")) == 2
    assert len(devices_of("-d", "udp:127.0.0.1:20000-20999")) == 1000
    assert devices_of("-d", "udp:[::1]:5000-5001") == [("udp:[::1]:5000",) * 2, ("udp:[::1]:5001",) * 2]
    assert devices_of("-d", "udp:pump-7.example") == [("udp:pump-7.example",) * 2]
    assert len(devices_of("-d", "udp:10.0.0.1-3:5000-5001", "--devices", "udp:10.9.9.9, tcp:h:1")) == 8


def test_ports_by_pattern(tmp_path, request):
    for name in ("ttyA0", "ttyA1", "ttyB0"):
        terminal, port = pty.openpty()
        (tmp_path / name).symlink_to(os.ttyname(port))
        os.close(port)
        request.addfinalizer(functools.partial(os.close, terminal))
    (tmp_path / "link").symlink_to("ttyA1")
    assert [uri for uri, _ in devices_of("-d", f"{tmp_path}/ttyA*")] == \
        [f"{tmp_path}/ttyA0", f"{tmp_path}/ttyA1"]
    assert [uri for uri, _ in devices_of("-d", f"serial:{tmp_path}/tty?0?baud=9600")] == \
        [f"serial:{tmp_path}/ttyA0?baud=9600", f"serial:{tmp_path}/ttyB0?baud=9600"]
    done = lab.ferry("--json", "station", "--list", "-d", f"{tmp_path}/tty*,{tmp_path}/link",
                     "-d", f"raw:{tmp_path}/ttyA0", check=0)
    assert len(json.loads(done.stdout)["devices"]) == 3
    assert "2 devices are named twice; each is updated once" in done.stderr


def test_a_file_of_devices_with_names(tmp_path):
    (tmp_path / "list").write_text("# all\r\n\r\nudp:10.0.0.1  the first one\r\nudp:10.0.0.2-3\n/dev/ttyX\tlast")
    assert devices_of("-d", f"@{tmp_path}/list") == [
        ("udp:10.0.0.1", "the first one"), ("udp:10.0.0.2",) * 2, ("udp:10.0.0.3",) * 2,
        ("/dev/ttyX", "last")]


@pytest.mark.parametrize("words, code, said", [
    ([], 2, "which devices?"),
    (["-d", "udp:10.0.0.9-3"], 2, "no range of addresses"),
    (["-d", "udp:10.0.0.0/33"], 2, "no range of addresses"),
    (["-d", "udp:10.0.0.1:0"], 2, "no port"),
    (["-d", "udp:10.0.0.1:9-3"], 2, "no port"),
    (["-d", "udp:10.0.0.1:70000"], 2, "no port"),
    (["-d", "udp:"], 2, "no host"),
    (["-d", "udp:[::1"], 2, "cannot read the URI 'udp:[::1'"),
    (["-d", "dtls:[::1"], 2, "cannot read the URI 'dtls:[::1'"),
    (["-d", "ble:"], 2, "cannot read the URI 'ble:'"),
    (["-d", "udp:10.0.0.0/8"], 2, "16777214 devices, and a station serves 4096"),
    (["-d", "udp:10.0.0.0/20:1-2"], 2, "more than 4096 devices"),
    (["-d", "usb:2fe3"], 2, "cannot read 'usb:2fe3'"),
    (["-d", "usb:ffff:ffff:none"], 3, "no device is there"),
    (["-d", "/dev/ferry-none*"], 3, "no device is there"),
    (["-d", "@/dev/ferry-none"], 1, "cannot read /dev/ferry-none"),
    (["-d", "x", "--jobs", "0"], 2, "--jobs takes"),
    (["-d", "x", "--retries", "many"], 2, "--retries takes"),
    (["-d", "x", "--limit", "-1"], 2, "--limit takes"),
    (["-d", "x", "--count", "3"], 2, "--count goes with --wait"),
    (["-d", "x", "--confirm", "later"], 2, "--confirm takes"),
    (["-d", "x", "--confirm", "always", "--check", "true"], 2, "--check stands between"),
])
def test_lists_that_cannot_be(words, code, said):
    done = lab.ferry("--json", "station", "--list", *words, check=code)
    assert said in json.loads(done.stdout)["error"]["what"], done.stdout
    assert json.loads(done.stdout)["error"]["next"]


def test_a_name_for_several_devices_is_refused(tmp_path):
    (tmp_path / "list").write_text("udp:10.0.0.1-2 both\n")
    done = lab.ferry("station", "--list", "-d", f"@{tmp_path}/list", check=2)
    assert "line 1: 2 devices have one name" in done.stderr


def test_files_that_cannot_be_sent(tmp_path, bench, stranger):
    """Before anybody is asked: the port is not opened."""
    for words, image, code in ((["-k", stranger.key], bench.images["v2"], 6),
                               ([], pathlib.Path("/dev/null"), 6), ([], tmp_path / "none", 1)):
        done = lab.ferry("station", "-d", "/dev/ferry-none", *words, image, check=code)
        assert "ferry-none" not in done.stderr
    assert "give one FILE" in lab.ferry("station", "-d", "x", check=2).stderr
    done = lab.ferry("station", "-d", "x", "--record", tmp_path, bench.images["v2"], check=1)
    assert "cannot open" in done.stderr


def test_device_of_the_environment(tmp_path, bench):
    assert lab.ferry_json("-d", "udp:10.0.0.1", "station", "--list", "-d", "udp:10.0.0.2")["devices"][1][
        "device"] == "udp:10.0.0.1"
    done = lab.ferry("--json", "station", "--list", env={"FERRY_DEVICE": "udp:10.0.0.1-2"}, check=0)
    assert len(json.loads(done.stdout)["devices"]) == 2
    done = lab.ferry("--json", "station", "--list", "-d", "udp:10.0.0.3",
                     env={"FERRY_DEVICE": "udp:10.0.0.1-2"}, check=0)
    assert [d["device"] for d in json.loads(done.stdout)["devices"]] == ["udp:10.0.0.3"]


def test_a_pattern_takes_no_files(tmp_path, bench):
    """A file that fitted the pattern was taken for a port, and failed."""
    (tmp_path / "st-notes").write_text("x")
    done = lab.ferry("station", "-d", f"{tmp_path}/st*", bench.images["v2"], check=3)
    assert "no device is there that fits" in done.stderr
