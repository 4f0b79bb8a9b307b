# SPDX-License-Identifier: Apache-2.0
"""`ferry-device --dtls`, as a modem does it: sessions and no datagrams reach the program, and nothing
that has no key. Against `ferry`, and against OpenSSL's own client. [docs/DEVICE.md, "DTLS"]"""
import contextlib
import os
import re
import socket
import subprocess
import time

import pytest

import dtls
import lab
import smp
import unlock
from relay import DOWN, UP, Relay
from smp import READ, WRITE, rc

HEADERS = 28  # of IPv4 and UDP
FACTORY = "0f" * 16


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return dtls.Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def psks(tmp_path_factory):
    """A station that may do what everybody may, and the factory."""
    path = tmp_path_factory.mktemp("keys") / "psks"
    path.write_text(f"# who may\n{dtls.IDENTITY}:{dtls.PSK}\n\nfactory:{FACTORY}\n")
    path.chmod(0o600)
    return path


@pytest.fixture(scope="module")
def owner(tmp_path_factory):
    return unlock.make_key(tmp_path_factory.mktemp("keys") / "owner.pem")


def device_of(tmp_path, bench, *, layout=None, **options):
    return lab.Device(tmp_path / "device", bench, layout=layout, dtls=0, **options)


@pytest.fixture
def device(tmp_path, bench, psks):
    with device_of(tmp_path, bench, dtls_psk=psks) as device:
        device.wait_for(r"app 1\.0\.0")
        yield device
        for key in (dtls.PSK, FACTORY):
            assert key not in device.log()


def echo(device, keys=None, check=0, port=None):
    keys = dtls.psk_environment() if keys is None else keys
    return dtls.ferry("echo", "hello", uri=f"dtls:127.0.0.1:{port or device.udp_port}", keys=keys, check=check)


class Client:
    """`openssl s_client`, and SMP in it."""

    def __init__(self, port, *words):
        self.process = subprocess.Popen(
            ["openssl", "s_client", "-dtls1_2", "-connect", f"127.0.0.1:{port}", "-quiet", *map(str, words)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(dtls.SECONDS)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()

    def ask(self, op, group, id, payload):
        self.process.stdin.write(smp.packet(op, group, id, payload))
        data = os.read(self.process.stdout.fileno(), 65536)
        return smp.read_answer(data) if data else None

    def is_refused(self):
        """It ends without a word of the device's."""
        return self.ask(WRITE, 0, 0, {"d": "hello"}) is None


def psk_client(device, psk=dtls.PSK, identity=dtls.IDENTITY):
    return Client(device.udp_port, "-psk", psk, "-psk_identity", identity)


# ---- ferry -------------------------------------------------------------------------------------

def test_a_whole_update_with_loss(tmp_path, bench, psks):
    """5 % of the datagrams of either way are lost, those of handshakes as well; the reset ends the session."""
    with device_of(tmp_path, bench, dtls_psk=psks, loss=5) as device:
        dtls.ferry("-t", "0.5", "-r", "10", "update", "-k", bench.key, bench.images["v2"], uri=device.dtls_uri,
                   keys=dtls.psk_environment(), check=0)
        running = lab.ferry_json("-r", "10", "image", "list", device=device.uri)["images"][0]
        assert (running["version"], running["confirmed"]) == ("2.0.0", True)


def test_certificates_of_both(tmp_path, bench, certificates):
    cert, key = certificates.signed("device")
    own, own_key = certificates.signed("station-1")
    keys = {"FERRY_DTLS_CA": certificates.ca, "FERRY_DTLS_CERT": own, "FERRY_DTLS_KEY": own_key}
    with device_of(tmp_path, bench, dtls_cert=cert, dtls_key=key, dtls_ca=certificates.ca) as device:
        device.wait_for(r"app 1\.0\.0")
        assert echo(device, keys).stdout == "hello\n"
        device.wait_for(r'session 1 is open: "cert:station-1", ECDHE-ECDSA')
        with Client(device.udp_port, "-cert", own, "-key", own_key, "-CAfile", certificates.ca,
                    "-verify_return_error") as client:
            assert client.ask(WRITE, 0, 0, {"d": "hi"}).map == {"r": "hi"}
        assert "demands a certificate" in echo(device, {"FERRY_DTLS_CA": certificates.ca}, 4).stderr
        with Client(device.udp_port) as client:
            assert client.is_refused()
        stranger, stranger_key = certificates.self_signed("stranger")
        keys |= {"FERRY_DTLS_CERT": stranger, "FERRY_DTLS_KEY": stranger_key}
        assert "does not trust" in echo(device, keys, 4).stderr
        expired, expired_key = certificates.signed("late", days=-1)
        keys |= {"FERRY_DTLS_CERT": expired, "FERRY_DTLS_KEY": expired_key}
        assert "our certificate has expired" in echo(device, keys, 4).stderr


@pytest.mark.parametrize("kind, here, there", [
    ("expired", "the peer's certificate has expired", "the peer says that our certificate has expired"),
    ("self-signed", "the peer's certificate is self-signed", "the peer does not trust who signed our certificate")])
def test_a_device_that_nobody_may_trust(tmp_path, bench, certificates, kind, here, there):
    cert, key = certificates.signed(kind, days=-1) if kind == "expired" else certificates.self_signed(kind)
    with device_of(tmp_path, bench, dtls_cert=cert, dtls_key=key) as device:
        device.wait_for(r"app 1\.0\.0")
        warning = rf"DTLS: the certificate {re.escape(str(cert))} has expired on \d{{4}}-\d\d-\d\d; renew it"
        assert bool(re.search(warning, device.log())) == (kind == "expired")
        assert here in echo(device, {"FERRY_DTLS_CA": certificates.ca}, 4).stderr
        device.wait_for("DTLS: a handshake failed: " + there)


def test_wrong_keys_are_named(device):
    done = echo(device, dtls.psk_environment(psk=dtls.OTHER_PSK), 4)
    assert "different keys for this PSK identity" in done.stderr or "another key" in done.stderr, done.stderr
    device.wait_for("DTLS: a handshake failed: the two ends have different keys for this PSK identity")
    done = echo(device, dtls.psk_environment(identity="nobody"), 4)
    assert "does not know this PSK identity" in done.stderr, done.stderr
    device.wait_for("DTLS: a handshake failed: the peer's PSK identity is not known here")
    with psk_client(device, psk=dtls.OTHER_PSK) as client:
        assert client.is_refused()
    assert echo(device).stdout == "hello\n"


# ---- Who may what ------------------------------------------------------------------------------

def test_the_gate_knows_who_is_there(tmp_path, bench, psks, owner):
    layout = unlock.layout(owner, shell=True, peers=[{"identity": "psk:factory", "level": "service"},
                                         {"identity": "psk:somebody else", "level": "update"}])
    with device_of(tmp_path, bench, layout=layout, dtls_psk=psks) as device:
        device.wait_for(r"app 1\.0\.0")
        with psk_client(device) as station, psk_client(device, FACTORY, "factory") as factory, \
                psk_client(device) as other:
            assert factory.ask(READ, 103, 0, {}).map == {"level": 2, "lowest": 2, "highest": 2, "left": 0}
            assert "buf_count" in factory.ask(READ, 0, 6, {}).map
            refused = factory.ask(WRITE, 9, 0, {"argv": ["help"]})  # nobody's, over a network
            assert refused.map == rc(11) and refused.reason == "never on this wire"
            locked = {"level": 0, "lowest": 0, "highest": 2, "left": 0}
            assert station.ask(READ, 103, 0, {}).map == locked
            assert station.ask(WRITE, 1, 5, {}).map == rc(11)
            challenge = station.ask(WRITE, 103, 1, {"key": unlock.public(owner)}).map
            request = unlock.request(owner, challenge, unlock.SERVICE, 600)
            assert station.ask(WRITE, 103, 2, request).map == {"level": 2, "left": 600}
            assert other.ask(READ, 103, 0, {}).map == locked
        assert dtls.ferry("access", uri=device.dtls_uri, keys=dtls.psk_environment(), check=0)
        for _ in range(6):  # what a session opened ends with it, and takes no place from the next one
            dtls.ferry("unlock", "-k", owner, uri=device.dtls_uri, keys=dtls.psk_environment(), check=0)


def test_a_command_unlocks_its_own_session(tmp_path, bench, psks, owner):
    """`ferry unlock` ended with its session, so that no other command could do what it permits."""
    with device_of(tmp_path, bench, layout=unlock.layout(owner), dtls_psk=psks) as device:
        device.wait_for(r"app 1\.0\.0")

        def ferry(*words, check):
            return dtls.ferry(*words, uri=device.dtls_uri, keys=dtls.psk_environment(), check=check)

        ferry("unlock", "-k", owner, check=0)
        said = ferry("image", "erase", check=5).stderr
        assert "the device is locked" in said and "give --unlock KEY" in said
        ferry("image", "erase", "--unlock", owner, check=0)
        ferry("--unlock", owner, "image", "upload", bench.images["v2"], check=0)
        assert "level:    service" in ferry("access", "--unlock", owner, check=0).stdout
        access = ferry("access", check=0).stdout
        assert "level:    locked" in access and "a command with --unlock KEY" in access
        stranger = unlock.make_key(tmp_path / "stranger.pem")
        assert "NO_KEY" in ferry("image", "erase", "--unlock", stranger, check=5).stderr
        ferry("image", "erase", "--unlock", dtls.__file__, check=1)


def test_a_certificate_is_not_a_key_of_its_name(tmp_path, bench, psks, owner, certificates):
    """Who signs certificates does not make the factory's, which is a key."""
    layout = unlock.layout(owner, peers=[{"identity": "psk:factory", "level": "service"},
                                         {"identity": "cert:line-4", "level": "update"}])
    cert, key = certificates.signed("device")
    with device_of(tmp_path, bench, layout=layout, dtls_psk=psks, dtls_cert=cert, dtls_key=key,
                   dtls_ca=certificates.ca) as device:
        device.wait_for(r"app 1\.0\.0")
        for name, lowest in (("factory", 0), ("psk:factory", 0), ("line-4", 1)):
            own, own_key = certificates.signed(name)
            with Client(device.udp_port, "-cert", own, "-key", own_key) as client:
                assert client.ask(READ, 103, 0, {}).map["lowest"] == lowest, name
        with Client(device.udp_port, "-psk", FACTORY, "-psk_identity", "factory", "-cipher", "PSK") as factory:
            assert factory.ask(READ, 103, 0, {}).map["lowest"] == 2


# ---- Nothing leaks, nothing is acted on ----------------------------------------------------------

def test_plain_packets_are_never_answered(device):
    request = smp.packet(WRITE, 0, 0, {"d": "hello"})
    with smp.Talk(device.udp_port) as talk, psk_client(device) as client:
        assert client.ask(WRITE, 0, 0, {"d": "x"}).map == {"r": "x"}
        for datagram in (request, b"", b"\x16\xfe\xfd" + request, b"\x17\xfe\xfd\0\x01" + bytes(40), bytes(2000)):
            talk.send(datagram)
        assert client.ask(WRITE, 0, 0, {"d": "y"}).map == {"r": "y"}  # they were before this one
        talk.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            talk.socket.recv(65536)
    assert received(device) == 2


def received(device):
    """Packets that came over DTLS to the program."""
    return lab.ferry_json("stat", "dtls", device=device.uri)["fields"]["received"]


def test_nothing_is_overheard_and_replayed_datagrams_do_nothing(device):
    with Relay(device.udp_port, doubling=100) as relay:
        echo(device, port=relay.port)
        every = relay.passed[UP] + relay.passed[DOWN]
        assert len(every) >= 10 and not any(b"hello" in data for data in every)
        before = received(device)
        relay.replay(relay.passed[UP])
        relay.replay(reversed(relay.passed[UP]))
        with psk_client(device) as client:
            client.ask(WRITE, 0, 0, {"d": "after them"})
            assert received(device) == before + 1


def hello_with_cookie(hello, answer):
    """A ClientHello, sent again with the cookie of a HelloVerifyRequest. RFC 6347 §4.2.1"""
    cookie = answer[13 + 12 + 2:]
    assert answer[0] == 22 and answer[13] == 3 and cookie[0] == len(cookie) - 1
    body = hello[13 + 12:]
    at = 2 + 32
    at += 1 + body[at]
    assert body[at] == 0
    body = body[:at] + cookie + body[at + 1:]
    length = len(body).to_bytes(3, "big")
    handshake = b"\x01" + length + b"\0\x01" + b"\0\0\0" + length + body
    return hello[:3] + b"\0\0" + b"\0\0\0\0\0\x01" + len(handshake).to_bytes(2, "big") + handshake


@pytest.fixture
def hello(device):
    """The first datagram of a client."""
    with Relay(device.udp_port) as relay:
        echo(device, port=relay.port)
        return relay.passed[UP][0]


def test_before_its_cookie_nobody_is_sent_more_than_he_sent(device, hello):
    with smp.Talk(device.udp_port) as talk:
        talk.send(hello)
        answer = talk.socket.recv(65536)
        assert len(answer) + HEADERS <= len(hello) + HEADERS
        for _ in range(50):  # no state: each time the same, and no second datagram
            talk.send(hello)
            assert len(talk.socket.recv(65536)) == len(answer)
        assert talk.is_silent(0.1)
    assert device.log().count("is open") == 1


def begin(stack, device, hello, source):
    """A peer that has shown its cookie, and the ServerHello it got: its random number."""
    talk = stack.enter_context(smp.Talk(device.udp_port, source=source))
    talk.send(hello)
    talk.send(hello_with_cookie(hello, talk.socket.recv(65536)))
    return talk, server_random(talk.socket.recv(65536))


def server_random(datagram):
    assert datagram[13] == 2
    return datagram[13 + 12 + 2:][:32]


def test_handshakes_begun_do_not_stop_a_good_peer(device, hello):
    """A hundred, each from a host of its own that has shown its cookie; a session that is open stays."""
    with psk_client(device) as client, contextlib.ExitStack() as stack:
        assert client.ask(WRITE, 0, 0, {"d": "before"}).map == {"r": "before"}
        for number in range(1, 101):
            begin(stack, device, hello, f"127.0.1.{number}")
        assert echo(device).stdout == "hello\n"
        assert client.ask(WRITE, 0, 0, {"d": "after"}).map == {"r": "after"}
    assert device.log().count("the oldest handshake of a host ends") >= 92


def test_a_host_pushes_out_no_handshake_of_another(device, hello):
    """Twenty from ports of one host: another's, which was first, goes on and is sent again."""
    with contextlib.ExitStack() as stack:
        slow, number = begin(stack, device, hello, "127.0.1.1")
        for _ in range(20):
            begin(stack, device, hello, "127.0.1.2")
        while (datagram := slow.socket.recv(65536))[13] != 2:
            pass  # the rest of the first flight
        assert server_random(datagram) == number
    assert device.log().count("the oldest handshake of a host ends") >= 13


def test_a_host_begins_so_many_handshakes_and_no_more(device, hello):
    """200 good cookies from one host are a rate of its own: 40 at once, and 20 a second."""
    with contextlib.ExitStack() as stack:
        began = time.monotonic()
        talks = [stack.enter_context(smp.Talk(device.udp_port, source="127.0.1.2")) for _ in range(200)]
        for talk in talks:
            talk.send(hello)
            talk.send(hello_with_cookie(hello, talk.socket.recv(65536)))
        begin(stack, device, hello, "127.0.1.1")  # it is another's that goes on
        most = 41 + 20 * (time.monotonic() - began)
        for talk in talks:
            talk.socket.setblocking(False)
        assert 40 <= sum(is_answered(talk) for talk in talks) <= most


def is_answered(talk):
    try:
        return talk.socket.recv(65536)[13] == 2
    except BlockingIOError:
        return False


def test_open_sessions_are_bounded(device):
    """The one heard the longest ago ends for one more."""
    with contextlib.ExitStack() as stack:
        clients = []
        for number in range(9):
            clients.append(stack.enter_context(psk_client(device)))
            assert clients[-1].ask(WRITE, 0, 0, {"d": str(number)}).map == {"r": str(number)}
            assert number == 8 or clients[0].ask(WRITE, 0, 0, {"d": "first"}).map == {"r": "first"}
        assert clients[1].is_refused()
        for number in (0, *range(2, 9)):
            assert clients[number].ask(WRITE, 0, 0, {"d": "still"}).map == {"r": "still"}
    assert echo(device).stdout == "hello\n"


def test_a_reset_ends_sessions_without_a_word(device):
    with psk_client(device) as client:
        assert client.ask(WRITE, 0, 0, {"d": "x"}).map == {"r": "x"}
        lab.ferry("reset", device=device.uri, check=0)
        device.wait_for(r"(?s)app 1\.0\.0.*app 1\.0\.0")
        client.process.stdin.write(smp.packet(WRITE, 0, 0, {"d": "nobody hears it"}))
        assert echo(device).stdout == "hello\n"
        assert client.process.poll() is None
    assert "session 1 ended" not in device.log()


# ---- Options -------------------------------------------------------------------------------------

def fails(*words):
    done = subprocess.run([lab.FERRY_DEVICE, *map(str, words)], capture_output=True, text=True, timeout=30)
    assert dtls.PSK not in done.stderr
    return done.returncode, done.stderr


@pytest.mark.parametrize("options, words", [
    (("--dtls", 0), "--dtls without keys: give --dtls-psk FILE, or --dtls-cert and --dtls-key"),
    (("--dtls-psk", "f"), "keys for DTLS without --dtls: give --dtls PORT as well"),
    (("--dtls", 0, "--dtls-psk", "f", "--udp", 0), "--udp with --dtls: who has no key would go in there"),
    (("--dtls", 0, "--dtls-cert", "f"), "--dtls-cert and --dtls-key go together"),
    (("--dtls", 0, "--dtls-psk", "f", "--dtls-ca", "f"), "--dtls-ca with them"),
])
def test_options_that_do_not_go_together(tmp_path, options, words):
    code, said = fails("--dir", tmp_path, *options)
    assert code == 2 and words in said


@pytest.mark.parametrize("text, words", [
    ("", "line 1: there is no key"),
    ("# nothing\n\n", "there is no key"),
    (f"{dtls.PSK}\n", "line 1: give IDENTITY:HEX"),
    (f":{dtls.PSK}\n", "line 1: give IDENTITY:HEX"),
    ("a" * 96 + f":{dtls.PSK}\n", "with an identity of 1 to 95 characters"),
    (f"a:{dtls.PSK}\nb:{dtls.PSK}0\n", "line 2: give the key in hexadecimal, 16 to 64 bytes"),
    (f"a:{dtls.PSK}zz", "line 1: give the key in hexadecimal"),
    (f"a:{dtls.PSK[:30]}", "16 to 64 bytes"),
    (f"a:{dtls.PSK * 5}", "16 to 64 bytes"),
    (f"a:{dtls.PSK}\na:{dtls.PSK}", "line 2: the identity has a key already"),
    ("".join(f"{n}:{dtls.PSK}\n" for n in range(17)), "line 17: there are more than 16 keys"),
    ("x" * 8193, "this is no file of keys"),
    (f"a:{dtls.PSK}\n\0", "this is no file of keys"),
])
def test_files_of_keys_that_are_none(tmp_path, text, words):
    path = tmp_path / "psks"
    path.write_text(text)
    path.chmod(0o600)
    code, said = fails("--dir", tmp_path / "d", "--dtls", 0, "--dtls-psk", path)
    assert code == 1 and words in said, said


def test_a_file_of_keys_is_its_owners(tmp_path):
    path = tmp_path / "psks"
    path.write_text(f"a:{dtls.PSK}\n")
    path.chmod(0o640)
    code, said = fails("--dir", tmp_path / "d", "--dtls", 0, "--dtls-psk", path)
    assert code == 1 and "chmod 600" in said
    code, said = fails("--dir", tmp_path / "d", "--dtls", 0, "--dtls-psk", tmp_path / "nowhere")
    assert code == 1 and "No such file" in said
