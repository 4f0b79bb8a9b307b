# SPDX-License-Identifier: Apache-2.0
"""`ferry` over DTLS against OpenSSL's own server: keys of both kinds, what must be refused, and a bad path."""
import json
import time

import pytest

import dtls
import lab
from dtls import PSK
from relay import DOWN, UP, Relay

SUITES = ["ECDHE-PSK-CHACHA20-POLY1305", "PSK-AES128-GCM-SHA256", "PSK-AES128-CCM", "PSK-AES128-CCM8",
          "PSK-AES256-GCM-SHA384"]
CERT_SUITES = ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-CCM8", "ECDHE-ECDSA-CHACHA20-POLY1305"]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return dtls.Certificates(tmp_path_factory.mktemp("certificates"))


def echo(uri, keys, *words, check=None):
    return dtls.ferry(*words, "echo", "hello", uri=uri, keys=keys, check=check)


def refused(uri, keys, exit=4, *words):
    """What ferry says of a device that it has no session with; no key is in it."""
    done = echo(uri, keys, "--json", "-v", "-v", *words, check=exit)
    assert PSK not in done.stdout + done.stderr
    return json.loads(done.stdout)["error"]


# ---- Sessions ----------------------------------------------------------------------------------

@pytest.mark.parametrize("suite", SUITES)
def test_psk(suite):
    with dtls.psk_server("-cipher", suite) as server:
        assert echo(server.uri, dtls.psk_environment(), check=0).stdout == "hello\n"


@pytest.mark.parametrize("suite", CERT_SUITES)
def test_certificates(certificates, suite):
    cert, key = certificates.signed("server-" + suite)
    own, own_key = certificates.signed("client-" + suite)
    keys = {"FERRY_DTLS_CA": certificates.ca, "FERRY_DTLS_CERT": own, "FERRY_DTLS_KEY": own_key}
    with dtls.Server("-cert", cert, "-key", key, "-CAfile", certificates.ca, "-Verify", 1, "-verify_return_error",
                     "-cipher", suite) as server:
        assert echo(server.uri, keys, check=0).stdout == "hello\n"


def test_a_psk_in_a_file_of_its_owner(tmp_path):
    path = tmp_path / "psk"
    path.write_text(PSK + "\n")
    keys = {"FERRY_DTLS_PSK_IDENTITY": dtls.IDENTITY, "FERRY_DTLS_PSK_FILE": path}
    with dtls.psk_server() as server:
        path.chmod(0o640)
        error = refused(server.uri, keys, 3)
        assert "can be read or written by others" in error["what"] and error["next"] == "chmod 600 it"
        path.chmod(0o600)
        assert echo(server.uri, keys, check=0).stdout == "hello\n"


def test_a_profile_names_the_keys(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = tmp_path / "psk"
    path.write_text(PSK)
    path.chmod(0o600)
    with dtls.psk_server() as server:
        added = lab.ferry("profile", "add", "line-4", server.uri, "--psk-identity", dtls.IDENTITY, "--psk-file", path,
                          check=0)
        assert lab.ferry("-c", "line-4", "echo", "hello", check=0).stdout == "hello\n"
        listed = lab.ferry("--json", "profile", "list", check=0)
        [profile] = json.loads(listed.stdout)["profiles"]
        assert profile["dtls"] == {"psk-identity": dtls.IDENTITY, "psk-file": str(path)}
        stored = (tmp_path / "ferry" / "profiles.json").read_text()
        doctor = lab.ferry("-c", "line-4", "doctor", "-v", "-v")
        assert "over DTLS" in doctor.stdout
        for text in (added.stdout, listed.stdout, stored, doctor.stdout, doctor.stderr):
            assert PSK not in text


def test_a_profile_without_half_of_its_keys(tmp_path, monkeypatch):
    """Refused when it is added; one that was written by hand is told its own options, not variables."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for given, missing in (("psk-identity", "psk-file"), ("psk-file", "psk-identity"), ("cert", "key")):
        said = lab.ferry("profile", "add", "half", "dtls:127.0.0.1", f"--{given}", "/dev/null", check=2).stderr
        assert f"--{given} is given, and --{missing}, which it needs, is not" in said
    (tmp_path / "ferry").mkdir()
    (tmp_path / "ferry" / "profiles.json").write_text(
        json.dumps({"half": {"device": "dtls:127.0.0.1", "dtls": {"psk-identity": "x"}}}))
    said = lab.ferry("-c", "half", "echo", "hello", check=3).stderr
    assert "the profile's PSK needs both" in said and "--psk-file" in said and "FERRY_DTLS" not in said


def test_a_trace_has_packets_and_no_keys(tmp_path):
    with dtls.psk_server() as server:
        dtls.ferry("--trace", tmp_path / "trace", "echo", "hello", uri=server.uri, keys=dtls.psk_environment(), check=0)
    trace = (tmp_path / "trace").read_text()
    assert "hello".encode().hex() in trace and PSK not in trace


def test_an_ip_address_or_a_name_is_asked_of_the_certificate(certificates):
    cert, key = certificates.signed("named", alt="DNS:device-9.example")
    keys = {"FERRY_DTLS_CA": certificates.ca}
    with dtls.Server("-cert", cert, "-key", key) as server:
        error = refused(server.uri, keys)
        assert error["why"] == "the peer's certificate is for another name than 127.0.0.1"
        assert "FERRY_DTLS_NAME, or profile add --name" in error["next"]
        assert echo(server.uri, {**keys, "FERRY_DTLS_NAME": "device-9.example"}, check=0).stdout == "hello\n"
        assert echo(server.uri, {**keys, "FERRY_DTLS_NAME": "*"}, check=0).stdout == "hello\n"


# ---- What must be refused ----------------------------------------------------------------------

def test_a_wrong_psk_is_named_though_the_server_says_nothing():
    with dtls.psk_server(psk=dtls.OTHER_PSK) as server:
        error = refused(server.uri, dtls.psk_environment(), 4, "-t", "0.5")
        assert "different keys" in error["why"]
        assert error["what"].startswith(("no DTLS session with", "no answer from"))


def test_an_expired_certificate(certificates):
    cert, key = certificates.signed("expired", days=-1)
    with dtls.Server("-cert", cert, "-key", key) as server:
        error = refused(server.uri, {"FERRY_DTLS_CA": certificates.ca})
        assert error["why"] == "the peer's certificate has expired"
        assert error["what"] == f"no DTLS session with {server.uri}"


def test_a_self_signed_certificate(certificates):
    cert, key = certificates.self_signed("lonely")
    with dtls.Server("-cert", cert, "-key", key) as server:
        error = refused(server.uri, {"FERRY_DTLS_CA": certificates.ca})
        assert "self-signed" in error["why"]
        assert echo(server.uri, {"FERRY_DTLS_CA": cert}, check=0).stdout == "hello\n"


def test_a_server_that_demands_a_certificate(certificates):
    cert, key = certificates.signed("demanding")
    own, own_key = certificates.self_signed("stranger")
    keys = {"FERRY_DTLS_CA": certificates.ca}
    with dtls.Server("-cert", cert, "-key", key, "-CAfile", certificates.ca, "-Verify", 1,
                     "-verify_return_error") as server:
        error = refused(server.uri, keys)
        assert error["why"] == "the peer demands a certificate" and "FERRY_DTLS_CERT" in error["next"]
        keys |= {"FERRY_DTLS_CERT": own, "FERRY_DTLS_KEY": own_key}
        assert "does not trust" in refused(server.uri, keys)["why"]


def test_keys_of_another_kind(certificates):
    with dtls.psk_server() as server:
        error = refused(server.uri, {"FERRY_DTLS_CA": certificates.ca})
        assert "no cipher suite" in error["why"]


@pytest.mark.parametrize("keys, words", [
    ({}, "needs a PSK, or the CA"),
    ({"FERRY_DTLS_PSK_IDENTITY": "a"}, "needs its key: FERRY_DTLS_PSK_FILE"),
    ({"FERRY_DTLS_PSK": PSK}, "needs its identity"),
    ({"FERRY_DTLS_PSK_IDENTITY": "a", "FERRY_DTLS_PSK": PSK[:-1]}, "hexadecimal digits"),
    ({"FERRY_DTLS_PSK_IDENTITY": "a", "FERRY_DTLS_PSK": "zz" + PSK}, "hexadecimal digits"),
    ({"FERRY_DTLS_PSK_IDENTITY": "a", "FERRY_DTLS_PSK": PSK * 5}, "hexadecimal digits"),
    ({"FERRY_DTLS_PSK_IDENTITY": "a", "FERRY_DTLS_PSK": PSK[:30]}, "hexadecimal digits"),
    ({"FERRY_DTLS_PSK_IDENTITY": "a", "FERRY_DTLS_PSK": PSK, "FERRY_DTLS_PSK_FILE": "b"}, "give one"),
    ({"FERRY_DTLS_CA": "/nowhere/ca.pem"}, "No such file"),
    ({"FERRY_DTLS_CA": "/dev/null"}, "no certificate in PEM"),
    ({"FERRY_DTLS_PSK_IDENTITY": "a", "FERRY_DTLS_PSK": PSK, "FERRY_DTLS_CERT": "c"}, "its key"),
])
def test_keys_that_cannot_be(keys, words):
    error = refused("dtls:127.0.0.1:1", keys, 3)
    assert words in error["what"] and "FERRY_DTLS_PSK_FILE" in error["next"]


def test_nobody_there():
    error = refused(f"dtls:127.0.0.1:{dtls.free_port()}", dtls.psk_environment())
    assert "nobody listens" in error["what"] and "SMP over DTLS" in error["next"]


@pytest.mark.parametrize("uri", ["dtls:", "dtls:[::1", "dtls:[]", "dtls:[::1]x", "dtls:[::1]:", "dtls:h:99999",
                                 "dtls:h:1x", "dtls:h?x=1"])
def test_what_is_no_uri_is_told_before_keys(uri):
    assert refused(uri, {}, 2)["what"] == f"cannot read the URI '{uri}'"


def test_a_server_that_is_silent():
    with Relay(dtls.free_port(), drops=lambda way, number, data: True) as relay:
        error = refused(f"dtls:127.0.0.1:{relay.port}", dtls.psk_environment(), 4, "-t", "0.3")
        assert error["why"] == "the peer does not answer the handshake"


# ---- A bad path --------------------------------------------------------------------------------

class Uploads:
    """As much of the image group as an upload needs; it keeps what it was sent."""

    def __init__(self):
        self.data, self.asked = b"", 0

    def __call__(self, op, group, id, request):
        self.asked += 1
        if (op, group, id) != (2, 1, 1):
            return {"rc": 8}
        if request["off"] == len(self.data):
            self.data += request["data"]
        return {"off": len(self.data)}


@pytest.mark.parametrize("seed", range(2))
def test_loss_is_survived(bench, seed):
    uploads = Uploads()
    with dtls.psk_server(answers=uploads) as server, Relay(server.port, loss=5, doubling=5, seed=seed) as relay:
        dtls.ferry("-t", "0.5", "-r", "10", "image", "upload", bench.images["v2"],
                   uri=f"dtls:127.0.0.1:{relay.port}", keys=dtls.psk_environment(), check=0)
    assert uploads.data == bench.images["v2"].read_bytes()


def test_a_slow_device_keeps_its_session():
    """It is silent for longer than after which a forgotten session is taken for possible."""
    asked = []

    def answers(op, group, id, request):
        asked.append((group, id))
        if asked.count((0, 0)) == 1 and (group, id) == (0, 0):
            time.sleep(1.6)  # the device is busy for so long
        return {"r": request["d"]} if (group, id) == (0, 0) else {"rc": 8}

    with dtls.psk_server(answers=answers) as server, Relay(server.port) as relay:
        assert echo(f"dtls:127.0.0.1:{relay.port}", dtls.psk_environment(), "-t", "0.6", check=0).stdout == "hello\n"
        assert len([data for data in relay.passed[DOWN] if data[0] == 22 and data[13] == 2]) == 1  # a server's hello


def test_the_first_of_each_flight_is_lost():
    """The client's first hello, and the server's answer to it."""
    with dtls.psk_server() as server, Relay(server.port, drops=lambda way, number, data: number == 0) as relay:
        assert echo(f"dtls:127.0.0.1:{relay.port}", dtls.psk_environment(), check=0).stdout == "hello\n"


def test_nothing_is_overheard_and_doubled_datagrams_are_taken_once(bench):
    uploads = Uploads()
    with dtls.psk_server(answers=uploads) as server, Relay(server.port, doubling=100) as relay:
        dtls.ferry("image", "upload", bench.images["v2"], uri=f"dtls:127.0.0.1:{relay.port}",
                   keys=dtls.psk_environment(), check=0)
        image = bench.images["v2"].read_bytes()
        assert uploads.data == image
        assert image[512:544] not in b"".join(relay.passed[UP] + relay.passed[DOWN])
        packets = [data for data in relay.passed[UP] if data[0] == 23]  # records of application data
        assert uploads.asked == len(packets)
