# SPDX-License-Identifier: Apache-2.0
"""`ferry` over Bluetooth LE: the whole update through the virtual air (tests/air), which plays BlueZ
for both ends. Its intervals are short here: bench/ble.py is about time."""
import re
import signal
import subprocess
from xml.etree import ElementTree

import pytest

import air
import lab
import unlock
from lab import ferry

QUICK = {"interval_us": 1000, "slot_us": 100, "packets": 10, "adv_ms": 20, "connect_ms": 5, "queue": 24}


@pytest.fixture
def radio(tmp_path, request):
    """An air; what a test is parametrized with goes to it."""
    with air.Air(tmp_path / "air", **{**QUICK, **getattr(request, "param", {})}) as started:
        yield started


class Device(lab.Device):
    """A virtual device on the air, called "ferry"; its permission is open where nothing else is said."""

    def __init__(self, folder, bench, radio, **options):
        super().__init__(folder, bench, env=radio.env, **{"ble": "ferry", "ble_permission": "open", **options})
        self.radio = radio

    @property
    def ble_uri(self):
        return "ble:ferry"

    def ferry(self, *args, env=None, **options):
        return ferry(*args, device=self.ble_uri, env={**self.radio.env, **(env or {})}, **options)


@pytest.fixture
def on_air(tmp_path, bench, radio):
    """Start a device with v1 in it."""
    started = []

    def start(**options):
        device = Device(tmp_path / "device", bench, radio, **options).start()
        started.append(device)
        device.wait_for(r"app 1\.0\.0 started")
        radio.wait_for(r"^advertises: ferry ")
        return device

    yield start
    for device in started:
        device.stop()


def updated(device, bench, **options):
    """The whole update; the device runs what it was sent, and keeps it. Returns what ferry said."""
    done = device.ferry("update", bench.images["v2"], check=0, **options)
    running = lab.ferry_json("image", "list", device=device.uri)["images"][0]
    assert running["hash"] == bench.hash_of("v2") and running["confirmed"] and running["active"]
    return done


# ---- The whole update ---------------------------------------------------------------------------

@pytest.mark.parametrize("radio", [
    {"mtu": 23, "packets": 20}, {"mtu": 65}, {"mtu": 247}, {"mtu": 498}, {"mtu": 247, "no_acquire": 1},
    {"mtu": 65, "no_acquire": 1}], indirect=True, ids=lambda p: "-".join(f"{k}{v}" for k, v in p.items()))
def test_the_whole_update(radio, on_air, bench):
    updated(on_air(), bench)
    assert radio.log().count("\nconnected:") >= 2  # the device was reset in between


@pytest.mark.parametrize("radio", [{"mtu": 247}, {"mtu": 247, "no_acquire": 1}], indirect=True,
                         ids=["descriptors", "calls"])
def test_a_device_that_takes_values_by_calls(radio, on_air, bench):
    """It cannot end a link over which nothing came: over a reset that stays, and the service goes."""
    updated(on_air(ble_io="plain"), bench)
    assert "by a descriptor" not in radio.log()


def test_a_connection_of_another_adapter_is_no_second_central(radio, on_air):
    """The device is a connected one, too, to the central's adapter on the same machine."""
    on_air().ferry("image", "list", check=0)
    assert "takes values by a descriptor" in radio.log()


@pytest.mark.parametrize("radio", [{"mtu": 65}, {"mtu": 247}, {"mtu": 498}], indirect=True,
                         ids=["65", "247", "498"])
def test_a_device_without_reassembly(radio, on_air, bench):
    device = on_air(ble_whole=True)
    updated(device, bench)
    assert "a packet in one fragment of" in device.ferry("params", "--explain", check=0).stdout


@pytest.mark.parametrize("radio", [{"mtu": 23}, {"mtu": 247, "no_acquire": 1}], indirect=True,
                         ids=["23", "not-told"])
def test_without_reassembly_an_att_mtu_of_23_is_too_small(radio, on_air):
    done = on_air(ble_whole=True).ferry("image", "list", check=5)
    assert "does not put fragments together" in done.stderr and "next:" in done.stderr


@pytest.mark.parametrize("radio", [{"empty": 1}], indirect=True, ids=["empty"])
def test_an_empty_value_is_not_the_end_of_a_link(radio, on_air, bench):
    device = on_air()
    device.ferry("image", "upload", bench.images["v2"], check=0)
    assert len(re.findall(r"^connected:", radio.log(), re.M)) == 1
    assert radio.log().count("takes values by a descriptor") == 1


# ---- Lost connections ---------------------------------------------------------------------------

@pytest.mark.parametrize("radio", [
    {"loss_bytes": 50000, "seed": seed, "no_acquire": seed % 2} for seed in (1, 2, 3, 4)], indirect=True,
    ids=lambda p: f"seed{p['seed']}")
def test_the_link_is_lost_at_random(radio, on_air, bench):
    updated(on_air(), bench)
    assert re.search(r"^disconnected: .*: lost;", radio.log(), re.M)


def broken_at(device, bench, radio, *words):
    """An update whose link is dropped when one of these is said for the first time. Returns all of it."""
    process = subprocess.Popen([lab.FERRY, "-d", device.ble_uri, "update", bench.images["v2"]], text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env=device.env)
    said = ""
    for line in process.stderr:
        said += line
        for word in words:
            if line.startswith(word) and f"\n{word}" not in said[:-len(line)]:
                radio.command("drop")
    out = process.stdout.read()
    process.stdout.close()
    assert process.wait(timeout=60) == 0, said + out
    assert radio.log().count("dropped") >= 1
    return said


def test_the_link_is_lost_in_the_middle(radio, on_air, bench):
    device = on_air()
    radio.set(interval_us=4000, packets=4)
    assert "it is back, going on" in broken_at(device, bench, radio, "upload: 50 %")


STEPS = ("hello", "mode", "list", "space", "upload ", "check", "test", "away", "return", "confirm", "prove")


@pytest.mark.parametrize("io", ["acquire", "plain"])
def test_the_link_is_lost_at_every_step(radio, on_air, bench, io):
    """… but for the reset, which may be done or not."""
    device = on_air(ble_io=io)
    said = broken_at(device, bench, radio, *STEPS)
    assert all(f"\n{step}" in said for step in STEPS)
    running = lab.ferry_json("image", "list", device=device.uri)["images"][0]
    assert running["hash"] == bench.hash_of("v2") and running["confirmed"]


def test_an_upload_alone_goes_on_over_the_new_link(radio, on_air, bench):
    device = on_air()
    radio.set(loss_bytes=40000)
    device.ferry("image", "upload", bench.images["v2"], check=0)
    assert bench.hash_of("v2") in device.ferry("image", "list", check=0).stdout


def test_a_lost_link_is_told(radio, on_air):
    device = on_air()
    device.process.send_signal(signal.SIGSTOP)  # it does not answer
    process = subprocess.Popen([lab.FERRY, "-d", device.ble_uri, "image", "list"], text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env=device.env)
    radio.wait_for("ferry is asked for a descriptor")  # the first request is there
    radio.command("drop")
    device.process.send_signal(signal.SIGCONT)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 4 and "the radio link to ble:ferry was lost" in said and "come nearer" in said


@pytest.mark.parametrize("radio", [{"passkey": 123456, "interval_us": 10000, "packets": 2}], indirect=True, ids=[""])
@pytest.mark.parametrize("command", [("image", "upload"), ("update",)], ids=lambda words: words[-1])
def test_why_a_lost_link_does_not_come_back(radio, on_air, bench, command):
    """It was told to come nearer. What time does not mend is not waited for, 30 s or 60: it was paired all along."""
    device = on_air()
    process = subprocess.Popen([lab.FERRY, "-d", device.ble_uri, *command, bench.images["v2"]], text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env=device.env)
    while "upload" not in process.stderr.readline():
        assert process.poll() is None
    device.kill()
    device.start(ble_permission="authenticated")
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 4 and "the radio link to ble:ferry was lost" in said
    assert "why:  the device is not paired, and wants a passkey" in said and "FERRY_BLE_PASSKEY" in said
    assert len(re.findall("^pairing: ", radio.log(), re.M)) == 1


# ---- Pairing --------------------------------------------------------------------------------------

SECURE = {"ble_permission": "authenticated"}


@pytest.mark.parametrize("radio", [{"passkey": 123456}], indirect=True, ids=["passkey"])
def test_a_device_that_wants_to_be_paired(radio, on_air, bench):
    device = on_air(**SECURE)
    updated(device, bench, env={"FERRY_BLE_PASSKEY": "123456"})
    assert re.search(r"^pairing: .*: done$", radio.log(), re.M)
    device.ferry("image", "list", check=0)  # it knows us now


@pytest.mark.parametrize("radio", [{"passkey": 123456}], indirect=True, ids=["passkey"])
def test_the_bond_outlives_resets_after_a_power_cut(radio, on_air):
    device = on_air(**SECURE)
    device.ferry("echo", "hi", check=0, env={"FERRY_BLE_PASSKEY": "123456"})
    device.kill()
    device.start()
    radio.wait_for("^advertises: ferry ", 2)
    device.ferry("echo", "hi", check=0)
    device.ferry("reset", check=0)
    radio.wait_for("^advertises: ferry ", 3)
    device.ferry("echo", "hi", check=0)


@pytest.mark.parametrize("radio", [{"passkey": 123456, "deaf_agent": 1},
                                   {"passkey": 123456, "deaf_agent": 1, "no_acquire": 1}], indirect=True,
                         ids=["descriptors", "calls"])
def test_bluez_has_tried_to_pair_in_vain(radio, on_air):
    """By an agent that is not ours: then ours is asked."""
    device = on_air(**SECURE)
    device.ferry("image", "list", check=0, env={"FERRY_BLE_PASSKEY": "123456"})
    assert re.search(r"^disconnected: .*: lost;", radio.log(), re.M)
    device.ferry("image", "list", check=0)


@pytest.mark.parametrize("radio", [{"passkey": 123456}], indirect=True, ids=["passkey"])
def test_the_wrong_passkey(radio, on_air):
    done = on_air(**SECURE).ferry("image", "list", check=3, env={"FERRY_BLE_PASSKEY": "123457"})
    assert "not paired" in done.stderr and "passkey" in done.stderr and "next:" in done.stderr


@pytest.mark.parametrize("radio", [{"passkey": 123456}], indirect=True, ids=["passkey"])
def test_nobody_knows_the_passkey(radio, on_air):
    done = on_air(**SECURE).ferry("image", "list", check=3)
    assert "not paired, and wants a passkey" in done.stderr and "FERRY_BLE_PASSKEY" in done.stderr


@pytest.mark.parametrize("radio", [{"passkey": 123456, "refuse_pairing": 1}], indirect=True, ids=["refused"])
def test_pairing_is_refused(radio, on_air):
    done = on_air(**SECURE).ferry("image", "list", check=3, env={"FERRY_BLE_PASSKEY": "123456"})
    assert "not paired, and pairing failed" in done.stderr and "next:" in done.stderr


def test_a_device_that_cannot_show_a_passkey(radio, on_air):
    """Both can pair, but nothing is proved by it: not enough for a service that wants proof."""
    done = on_air(**SECURE).ferry("image", "list", check=3)
    assert "the device is paired, and wants more" in done.stderr
    address = re.search(r"^advertises: ferry (\S+)$", radio.log(), re.M).group(1)
    assert f"bluetoothctl remove {address}\n" in done.stderr


def test_encryption_alone_needs_no_passkey(radio, on_air):
    on_air(ble_permission="encrypted").ferry("image", "list", check=0)


def paired(radio):
    return len(re.findall(r"^pairing: .*: done$", radio.log(), re.M))


UNPROVEN = "paired without a passkey"


def test_who_gives_a_passkey_is_asked_for_it(radio, on_air):
    """A device that pairs without one may be somebody between; no bond is left of it."""
    device = on_air(ble_permission="encrypted")
    done = device.ferry("image", "list", check=3, env={"FERRY_BLE_PASSKEY": "123456"})
    assert UNPROVEN in done.stderr and "next: leave passkey" in done.stderr and paired(radio) == 1
    device.ferry("image", "list", check=0)
    assert paired(radio) == 2


def test_authenticated_is_not_less(radio, on_air):
    device = on_air(ble_permission="encrypted")
    assert UNPROVEN in ferry("image", "list", device="ble:ferry?security=authenticated", env=radio.env, check=3).stderr
    ferry("image", "list", device="ble:ferry?security=any&adapter=hci0", env=device.env, check=0)


@pytest.mark.parametrize("radio", [{"passkey": 123456}], indirect=True, ids=["passkey"])
@pytest.mark.parametrize("level", ["authenticated", "encrypted"])
def test_more_than_the_device_asks_for(radio, on_air, level):
    on_air()
    uri = f"ble:ferry?security={level}"
    assert "wants a passkey" in ferry("image", "list", device=uri, env=radio.env, check=3).stderr
    for _ in range(2):
        ferry("image", "list", device=uri, env={**radio.env, "FERRY_BLE_PASSKEY": "123456"}, check=0)
        assert paired(radio) == 1


def test_an_open_device_is_asked_for_no_passkey(radio, on_air):
    on_air().ferry("image", "list", check=0, env={"FERRY_BLE_PASSKEY": "123456"})
    assert paired(radio) == 0


@pytest.fixture
def two(tmp_path, radio, on_air, bench):
    """A paired device and its address; and that of an impostor: not paired, but with its name, and v2 in it."""
    device = on_air(**SECURE)
    device.ferry("image", "list", check=0, env={"FERRY_BLE_PASSKEY": "123456"})
    real = radio.wait_for(r"^advertises: ferry (\S+)$").group(1)
    with Device(tmp_path / "impostor", bench, radio, image="v2"):
        yield device, real, radio.wait_for(rf"^advertises: ferry (?!{real})(\S+)$").group(1)


PAIRED = [{"passkey": 123456, "give_up_ms": 100}]


@pytest.mark.parametrize("radio", PAIRED, indirect=True, ids=["paired"])
def test_an_impostor_does_not_go_on_for_a_paired_device(radio, two, bench):
    """It is heard while the real one is reset; its image would be the right one, and confirmed."""
    device, real, other = two
    connections = len(re.findall("^connected: ", radio.log(), re.M))
    update = subprocess.Popen([lab.FERRY, "-d", device.ble_uri, "update", bench.images["v2"]], text=True,
                              env=device.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
    radio.wait_for("^connected: ", connections + 1)
    radio.command(f"hide {real} 600")  # from its reset on, for longer than a search takes
    said, _ = update.communicate(timeout=60)
    assert f"connected: {other}" not in radio.log() and update.returncode == 0, said
    assert device.running()["hash"] == bench.hash_of("v2")


@pytest.mark.parametrize("radio", PAIRED, indirect=True, ids=["paired"])
def test_of_two_with_one_name_it_is_the_paired_one(radio, two):
    """Though the other one is heard first."""
    device, real, other = two
    radio.command(f"hide {real} 25")
    assert "1.0.0" in device.ferry("image", "list", check=0).stdout
    assert f"connected: {other}" not in radio.log()


# ---- What goes wrong --------------------------------------------------------------------------------

def test_what_a_link_unlocked_ends_with_it(tmp_path, radio, bench):
    """It takes no place from those that come after it, either: there are four."""
    key = unlock.make_key(tmp_path / "owner.pem")
    with Device(tmp_path / "device", bench, radio, layout=unlock.layout(key)) as device:
        device.wait_for(r"app 1\.0\.0 started")
        radio.wait_for(r"^advertises: ferry ")
        for _ in range(5):
            device.ferry("unlock", "-k", key, check=0)
        said = device.ferry("unlock", "-k", key, check=0).stderr
        assert "ends with its link" in said and "ferry image erase --unlock" in said
        said = device.ferry("image", "erase").stderr
        assert "level locked" in said and "next: what is unlocked" in said and "give --unlock KEY" in said
        device.ferry("image", "erase", "--unlock", key, check=0)
        assert "NO_KEY" in device.ferry("image", "erase", "--unlock",
                                        unlock.make_key(tmp_path / "stranger.pem"), check=5).stderr


def test_the_adapter_is_not_powered(radio, on_air):
    device = on_air()
    radio.command("power off")
    done = device.ferry("image", "list", check=3)
    assert "hci0 is not powered" in done.stderr and "bluetoothctl power on" in done.stderr
    radio.command("power on")
    device.ferry("image", "list", check=0)


@pytest.mark.parametrize("radio", [{"no_service": 1}], indirect=True, ids=["bare"])
def test_no_such_service(radio, on_air):
    done = on_air().ferry("image", "list", check=3)
    assert "no SMP service" in done.stderr and "next:" in done.stderr


@pytest.mark.parametrize("radio", [{"refuse_notify": 1}, {"refuse_notify": 1, "no_acquire": 1}], indirect=True,
                         ids=["descriptors", "calls"])
def test_notifications_are_refused(radio, on_air):
    done = on_air().ferry("image", "list", check=3)
    assert "refuses notifications" in done.stderr and "next:" in done.stderr


@pytest.mark.parametrize("radio", [{"connect_ms": 1500}], indirect=True, ids=["slow"])
def test_a_slow_connection(radio, on_air):
    on_air().ferry("image", "list", check=0)


def test_no_bluetooth_at_all(tmp_path):
    done = ferry("image", "list", device="ble:ferry", check=3,
                 env={"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={tmp_path}/none"})
    assert "no system bus" in done.stderr and f"may use unix:path={tmp_path}/none" in done.stderr


# ---- Scan -----------------------------------------------------------------------------------------------

def test_scan_lists_it(radio, on_air):
    device = on_air()
    address = re.search(r"^advertises: ferry (\S+)$", radio.log(), re.M).group(1)
    shown = ferry("scan", env=radio.env, check=0).stdout
    assert "ferry" in shown and address in shown and "dBm" in shown
    ferry("image", "list", device=f"ble:{address}", env=radio.env, check=0)
    assert device.ferry("echo", "hello", check=0).stdout.strip() == "hello"


# ---- The air itself -----------------------------------------------------------------------------------

def asked(radio, path, method):
    done = subprocess.run(["dbus-send", f"--bus={radio.env['DBUS_SYSTEM_BUS_ADDRESS']}", "--print-reply=literal",
                           "--dest=org.bluez", path, method], capture_output=True, text=True, timeout=20,
                          stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    return done.stdout


def members(interface):
    """Methods with their signatures, properties with their types."""
    for method in interface.iter("method"):
        arguments = [(argument.get("direction", "in"), argument.get("type")) for argument in method.iter("arg")]
        yield (method.get("name"), *("".join(kind for way, kind in arguments if way == wanted)
                                     for wanted in ("in", "out")))
    for found in interface.iter("property"):
        yield found.get("name"), found.get("type")


def test_all_that_the_air_has_bluetoothd_has(radio, on_air):
    """… as bluetoothd described itself, in tests/data/bluez-5.66."""
    on_air().ferry("image", "list", check=0)
    objects = asked(radio, "/", "org.freedesktop.DBus.ObjectManager.GetManagedObjects")
    seen = {}
    for path in sorted(set(re.findall(r"/org/bluez[/\w]*", objects))):
        described = asked(radio, path, "org.freedesktop.DBus.Introspectable.Introspect")
        for interface in ElementTree.fromstring(described.strip()).iter("interface"):
            if interface.get("name").startswith("org.bluez."):
                seen[interface.get("name")] = set(members(interface))
    assert {"Adapter1", "Device1", "GattService1", "GattCharacteristic1", "GattManager1", "AgentManager1",
            "LEAdvertisingManager1"} == {name.removeprefix("org.bluez.") for name in seen}
    for name, found in seen.items():
        real = set(members(ElementTree.parse(lab.ROOT / f"tests/data/bluez-5.66/{name}.xml")))
        assert found <= real, (name, found - real)
