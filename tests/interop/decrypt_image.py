# SPDX-License-Identifier: Apache-2.0
"""Decrypts an MCUboot image with pyca/cryptography alone: a second reading of the format, run by the
peers' Python. The output is the image as it was signed: its flag and its TLVs stay.

    decrypt_image.py KEY IN OUT     KEY: private key, PEM, or the 16 or 32 bytes of an AES key"""
import hmac
import pathlib
import struct
import sys

from cryptography.hazmat.primitives import hashes, keywrap, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, x25519
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def ctr(key, data):
    encryptor = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def open_ecies(shared, sealed, algorithm, name):
    mac, key = sealed[:algorithm.digest_size], sealed[algorithm.digest_size:]
    derived = HKDF(algorithm, len(key) + len(mac), None, b"MCUBoot_ECIES_v1").derive(shared)
    assert hmac.digest(derived[len(key):], key, name) == mac, "the MAC is wrong"
    return ctr(derived[:len(key)], key)


def unwrap(secret, kind, wrapped):
    if kind == 0x31:
        return keywrap.aes_key_unwrap(secret, wrapped)
    private = serialization.load_pem_private_key(secret, None)
    if kind == 0x30:
        return private.decrypt(wrapped, padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None))
    if kind == 0x32:
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), wrapped[:65])
        return open_ecies(private.exchange(ec.ECDH(), point), wrapped[65:], hashes.SHA256(), "sha256")
    shared = private.exchange(x25519.X25519PublicKey.from_public_bytes(wrapped[:32]))
    algorithm, name = (hashes.SHA256(), "sha256") if kind == 0x33 else (hashes.SHA512(), "sha512")
    return open_ecies(shared, wrapped[32:], algorithm, name)


def tlvs(image, at):
    magic, total = struct.unpack_from("<HH", image, at)
    assert magic == 0x6907
    end, at = at + total, at + 4
    while at < end:
        kind, size = struct.unpack_from("<HH", image, at)
        yield kind, image[at + 4:at + 4 + size]
        at += 4 + size


def main(key_path, source, out):
    image = pathlib.Path(source).read_bytes()
    header, protected, size, flags = struct.unpack_from("<HHII", image, 8)
    found = [t for t in tlvs(image, header + size + protected) if 0x30 <= t[0] <= 0x34]
    assert len(found) == 1 and (header + size) % 16 == 0
    key = unwrap(pathlib.Path(key_path).read_bytes(), *found[0])
    assert {4: 16, 8: 32}[flags & 12] == len(key)
    payload = ctr(key, image[header:header + size])
    pathlib.Path(out).write_bytes(image[:header] + payload + image[header + size:])


if __name__ == "__main__":
    main(*sys.argv[1:])
