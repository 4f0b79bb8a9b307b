# SPDX-License-Identifier: Apache-2.0
"""Keys for DTLS, and OpenSSL's own server with an SMP server behind it."""
import os
import pathlib
import socket
import struct
import subprocess
import threading
import time

import cbor2

import lab
import smp

IDENTITY = "station-7"
PSK = "00112233445566778899aabbccddeeff"
OTHER_PSK = "ff112233445566778899aabbccddeeff"
SECONDS = 20


def openssl(*words, **more):
    return subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, timeout=SECONDS, **more)


class Certificates:
    """A CA, and what it signs, as files in a folder."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.ca, self.ca_key = self._self_signed("ca", "CA:TRUE")

    def _key(self, name):
        path = self.folder / f"{name}.key.pem"
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path)
        path.chmod(0o600)
        return path

    def _self_signed(self, name, constraint="CA:FALSE"):
        key, cert = self._key(name), self.folder / f"{name}.cert.pem"
        openssl("req", "-x509", "-new", "-key", key, "-out", cert, "-subj", f"/CN={name}", "-days", 2,
                "-addext", f"basicConstraints=critical,{constraint}", "-addext", "subjectAltName=IP:127.0.0.1")
        return cert, key

    def self_signed(self, name):
        return self._self_signed(name)

    def signed(self, name, days=2, alt="IP:127.0.0.1"):
        """(certificate, key); days below 0: it has expired."""
        key, request, cert = self._key(name), self.folder / f"{name}.csr", self.folder / f"{name}.cert.pem"
        extra = self.folder / f"{name}.ext"
        extra.write_text(f"subjectAltName={alt}\n")
        openssl("req", "-new", "-key", key, "-subj", f"/CN={name}", "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.ca_key, "-CAcreateserial",
                "-days", days, "-extfile", extra, "-out", cert)
        return cert, key


def psk_environment(psk=PSK, identity=IDENTITY):
    return {"FERRY_DTLS_PSK_IDENTITY": identity, "FERRY_DTLS_PSK": psk}


def ferry(*words, uri, keys, check=None):
    """`ferry` with these keys and no others in its environment; an empty one is none."""
    none = {f"FERRY_DTLS_{name}": "" for name in ("PSK_IDENTITY", "PSK", "PSK_FILE", "CA", "CERT", "KEY", "NAME")}
    return lab.ferry(*words, device=uri, check=check, env={**none, **{k: str(v) for k, v in keys.items()}})


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """`openssl s_server` over DTLS 1.2; what comes out of it is answered by answers(op, group, id, map):
    a map, or None for silence."""

    def __init__(self, *words, answers=None):
        self.port = free_port()
        self.answers = answers or (lambda op, group, id, request: {"r": request["d"]} if (group, id) == (0, 0)
                                   else {"rc": 8})
        self.process = subprocess.Popen(
            ["openssl", "s_server", "-dtls1_2", "-accept", f"127.0.0.1:{self.port}", "-quiet", "-nbio",
             *map(str, words)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
        self.errors = b""
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.listener = threading.Thread(target=self._listen, daemon=True)

    @property
    def uri(self):
        return f"dtls:127.0.0.1:{self.port}"

    def __enter__(self):
        self.thread.start()
        self.listener.start()
        end = time.monotonic() + SECONDS
        while f"{self.port:04X} 00000000" not in pathlib.Path("/proc/net/udp").read_text():
            assert self.process.poll() is None and time.monotonic() < end, self.errors
            time.sleep(0.01)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(SECONDS)
        self.thread.join(SECONDS)
        self.listener.join(SECONDS)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()

    def _listen(self):
        while (more := os.read(self.process.stderr.fileno(), 65536)):
            self.errors += more

    def _serve(self):
        """Requests are packets one behind the other; a write is a record."""
        waiting = b""
        while (more := os.read(self.process.stdout.fileno(), 65536)):
            waiting += more
            while len(waiting) >= 8 and len(waiting) >= 8 + (length := struct.unpack(">H", waiting[2:4])[0]):
                first, _, _, group, seq, id = struct.unpack(">BBHHBB", waiting[:8])
                request, waiting = cbor2.loads(waiting[8:8 + length]), waiting[8 + length:]
                answer = self.answers(first & 7, group, id, request)
                if answer is not None:
                    os.write(self.process.stdin.fileno(),
                             smp.packet((first & 7) + 1, group, id, answer, version=first >> 3, seq=seq))


def psk_server(*words, psk=PSK, identity=IDENTITY, **more):
    return Server("-nocert", "-psk", psk, "-psk_identity", identity, *words, **more)
