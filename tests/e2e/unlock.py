# SPDX-License-Identifier: Apache-2.0
"""Another client's view of unlocking: the message of docs/SERVER.md, signed by OpenSSL's command."""
import struct
import subprocess
import tempfile

import lab

LOCKED, UPDATE, SERVICE = range(3)


def layout(key, lock="locked", **server):
    """A device that knows the key."""
    return lab.layout("swap-move", server={"lock": lock, "unlock_key": str(key), **server})


def make_key(path):
    lab.ferry("keygen", "-t", "ed25519", "-o", path, check=0)
    return path


def public(key):
    return subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-outform", "DER"], check=True,
                          capture_output=True).stdout[-32:]


def message(challenge, level, seconds):
    return (b"ferry-unlock-v1\0" + struct.pack(">B", len(challenge["id"])) + challenge["id"] +
            struct.pack(">BBI", challenge["transport"], level, seconds) + challenge["nonce"])


def sign(key, text):
    with tempfile.NamedTemporaryFile() as file:
        file.write(text)
        file.flush()
        return subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", key, "-in",
                               file.name], check=True, capture_output=True).stdout


def request(key, challenge, level, seconds):
    """The payload of an unlock."""
    return {"key": public(key), "level": level, "seconds": seconds,
            "sig": sign(key, message(challenge, level, seconds))}
