# SPDX-License-Identifier: Apache-2.0
"""`ferry` and `ferry-device` over DTLS: a session that was forgotten, and a station among whose devices are others.
Whole updates are in test_dtls_device.py."""
import json
import os
import signal
import subprocess
import threading
import time

import pytest

import dtls
import lab
from relay import DOWN, UP, Relay

KEYS = dtls.psk_environment()


@pytest.fixture
def device(tmp_path, bench):
    psk = tmp_path / "psk"
    psk.write_text(f"{dtls.IDENTITY}:{dtls.PSK}\n")
    psk.chmod(0o600)
    with lab.Device(tmp_path / "device", bench, dtls=0, dtls_psk=psk) as device:
        device.wait_for(r"app 1\.0\.0 started")
        yield device


def running(uri):
    listed = dtls.ferry("--json", "image", "list", uri=uri, keys=KEYS, check=0)
    return next(image for image in json.loads(listed.stdout)["images"] if image["active"])


def test_a_session_that_the_device_forgot_is_begun_anew(device, bench):
    """The power goes and comes back in the middle of an upload, and nobody says so: the modem has no session."""
    back = threading.Event()

    def drops(way, number, data):
        return (way == UP and number >= 12 and not back.is_set()) or (way == DOWN and data[0] == 21)

    with Relay(device.udp_port, drops=drops) as relay:
        process = subprocess.Popen(
            [lab.FERRY, "-r", "8", "-d", f"dtls:127.0.0.1:{relay.port}", "image", "upload", bench.images["v2"]],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **KEYS})
        while len(relay.passed[UP]) <= 12:
            assert process.poll() is None
            time.sleep(0.01)
        device.process.send_signal(signal.SIGKILL)
        device.process.wait(10)
        device.start(dtls=device.udp_port)
        back.set()
        out, said = process.communicate(timeout=100)
        assert process.returncode == 0, out + said
    assert "2.0.0" in dtls.ferry("image", "list", uri=device.dtls_uri, keys=KEYS, check=0).stdout


def test_a_station_tells_who_has_other_keys_at_once_and_updates_the_rest(device, bench, tmp_path, monkeypatch):
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    cert, key = dtls.Certificates(tmp_path).signed("other")
    with dtls.Server("-cert", cert, "-key", key) as other:
        done = lab.ferry("--json", "station", "-k", bench.key, "--retries", "0", "-d", device.dtls_uri, "-d", other.uri,
                         bench.images["v2"])
    assert done.returncode == 8, done.stdout + done.stderr
    assert "no cipher suite in common" in done.stdout
    assert running(device.dtls_uri)["version"] == "2.0.0"
