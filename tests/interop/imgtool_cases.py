# SPDX-License-Identifier: Apache-2.0
"""Seeded random command lines of `imgtool sign`, the files they name, and images compared."""
import random
import struct

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils

SIGN_TYPES = ["rsa-2048", "rsa-3072", "ecdsa-p256", "ecdsa-p384", "ed25519"]
ENCRYPT_TYPES = ["rsa-2048", "ecdsa-p256", "x25519"]
# By key: the digests it takes, the one of `--sha auto` first.
DIGESTS = {None: ["256", "384", "512"], "rsa-2048": ["256"], "rsa-3072": ["256"],
           "ecdsa-p256": ["256"], "ecdsa-p384": ["384"], "ed25519": ["256", "512"]}
# By key: whom imgtool encrypts for when it signs with it. It refuses other pairs.
PARTNERS = {None: ENCRYPT_TYPES, "ed25519": ENCRYPT_TYPES, "ecdsa-p384": [],
            "ecdsa-p256": ["ecdsa-p256"], "rsa-2048": ["rsa-2048"], "rsa-3072": ["rsa-2048"]}


class Case:
    """One command line, `options` without the input and output; and what is known of it."""

    def __init__(self, number):
        self.number = number
        self.options = []
        self.key = None        # the signer's type
        self.sha = "256"       # bits of the digest
        self.pure = False
        self.vector = None     # "payload", "digest"
        self.outside = False   # the signature is made by someone else
        self.encrypt = None    # type of the device's key
        self.clear = False
        self.big = False
        self.pad_sig = False
        self.signature_out = False
        self.compressed = False  # as far as it gets smaller
        self.hex_out = False
        self.wrong = None      # why both must refuse it
        self.source = None

    def add(self, *words):
        self.options.append([str(word) for word in words])

    def words(self):
        return [word for part in self.options for word in part]

    @property
    def deterministic(self):
        """Whether there is nothing random in what it makes."""
        made = self.vector is not None or self.outside or self.key in (None, "ed25519")
        return made and (self.encrypt is None or self.vector is not None)


def spelled(rng, number):
    """A number in one of the ways of Python's int(text, 0)."""
    digits = f"{number:_}"
    return rng.choice([str(number), hex(number), f"0X{number:x}", oct(number), bin(number), digits,
                       f"0x{number:_x}"])


def version(rng):
    parts = [rng.choice([0, 1, 9, 200, 255]), rng.randrange(256), rng.choice([0, 7, 65535]),
             rng.choice([0, 5, 4294967295])]
    count = rng.randint(1, 4)
    text = ".".join(map(str, parts[:min(count, 3)]))
    return text + (f"+{parts[3]}" if count == 4 else "")


def claims(rng, case, files):
    """What the image says of itself."""
    if rng.random() < 0.4:
        case.add("-s", rng.choice(["auto", "AUTO", spelled(rng, rng.randrange(1 << 32))]))
    if rng.random() < 0.3:
        pairs = [f"({rng.randrange(256)},{rng.choice(['', ' '])}{version(rng)})"
                 for _ in range(rng.randint(1, 4))]
        case.add("-d", rng.choice([",", ", ", " ", ""]).join(pairs))
    if rng.random() < 0.25:
        case.add("--boot-record", rng.choice(["", "SPE", "NSPE", "CoFM", "123456789012", "größer größe"]))
    vendor = rng.random() < 0.3
    if vendor:
        case.add("--vid", rng.choice(["example.com", "12345678-1234-5678-1234-567812345678",
                                      "abcdefabcdefabcdefabcdefABCDEF01"]))
    if rng.random() < 0.3:
        case.add("--cid", rng.choice(["my board", "x"] if vendor else ["f" * 32]))
    tags = rng.sample(range(0xa0, 0xfffe), 5)
    for tag in tags[:rng.choice([0, 0, 0, 1, 3])]:
        value = rng.choice(["text", "", "0x", "0x00ff", "0xABCDEF", "0Xabc", "größer"])
        case.add("--custom-tlv", spelled(rng, tag), value)
    for tag in tags[3:3 + rng.choice([0, 0, 1, 2])]:
        case.add("--custom-tlv-file", hex(tag), files.blob(rng.choice([0, 1, 50, 700])))


def slot(rng, case):
    """Where it is to stand."""
    align = rng.choice([1, 2, 4, 8, 16, 32])
    if rng.random() < 0.7:
        case.add("--align", align)
    else:
        align = 1
    if rng.random() < 0.3:
        case.add("--max-align", rng.choice([a for a in (8, 16, 32) if a >= align]))
    if rng.random() < 0.3:
        case.add("-M", rng.choice([1, 16, 128, 200]))
    if rng.random() < 0.3:
        case.add("-R", rng.choice(["0", "0xff"]))
    if rng.random() < 0.25:
        case.add("--overwrite-only")
    for option in rng.choice([[], [], ["--pad"], ["--test"], ["--confirm"], ["--pad", "--confirm"],
                              ["--test", "--confirm"]]):
        case.add(option)
    case.add("-S", spelled(rng, rng.choice([0x10000, 0x18000, 0x1f000, 77776])))
    if rng.random() < 0.3:
        case.add(*rng.choice([("-L", spelled(rng, 0x20000000)), ("-F", spelled(rng, 0x8010000))]))
    if rng.random() < 0.15:
        case.add("--non-bootable")
    if rng.random() < 0.2:
        case.big = rng.random() < 0.7
        case.add(rng.choice(["-e", "--endian"]), "big" if case.big else "little")


def signer(rng, case, files):
    """Who signs it, and how."""
    case.key = rng.choice([None, *SIGN_TYPES, "ed25519", "ed25519"])
    case.sha = DIGESTS[case.key][0]
    case.pure = case.key == "ed25519" and rng.random() < 0.4
    case.outside = case.key is not None and rng.random() < 0.25
    if case.pure:
        case.add("--pure")
        case.sha = "512"
    elif rng.random() < 0.4:
        case.sha = rng.choice(DIGESTS[case.key])
        case.add("--sha", case.sha)
    elif rng.random() < 0.2:
        case.add("--sha", "auto")
    if case.key is not None:
        key = files.key(case.key)
        if case.outside:  # imgtool wants the private key of a pure signature
            case.add("--fix-sig-pubkey", key if case.pure else files.public(case.key))
            case.add("--fix-sig", files.signature(case.number))
        else:
            case.add("-k", key)
        if rng.random() < 0.3:
            case.add("--public-key-format", rng.choice(["hash", "full"]))
    if not case.outside and rng.random() < 0.15:
        case.vector = rng.choice(["payload"] if case.pure else ["payload", "digest"])
        case.add("--vector-to-sign", case.vector)
    if rng.random() < 0.3:
        case.pad_sig = (case.key or "").startswith("ecdsa") and not case.outside
        case.add("--pad-sig")
    case.signature_out = case.key is not None and case.vector is None and rng.random() < 0.25


def encryption(rng, case, files):
    partners = PARTNERS[case.key]
    if not partners or rng.random() < 0.65:
        return
    case.encrypt = rng.choice(partners)
    case.add("-E", files.encrypt_public(case.encrypt))
    if rng.random() < 0.6:
        case.add("--encrypt-keylen", rng.choice(["128", "256"]))
    if rng.random() < 0.4:
        case.add("--hmac-sha", rng.choice(["auto", "256"] if case.encrypt == "ecdsa-p256"
                                          else ["auto", "256", "512"]))
    if rng.random() < 0.25:
        case.clear = True
        case.add(rng.choice(["-c", "--clear"]))
    if rng.random() < 0.3:
        case.add("--save-enctlv")


# What both refuse: a name and options that are added, or replace one.
WRONG = [
    ("version", ["-v", "256.0.0"]), ("version", ["-v", "1.2.65536"]), ("version", ["-v", "1.02.0"]),
    ("version", ["-v", "a.b"]), ("vendor TLV", ["--custom-tlv", "0x9f", "x"]),
    ("vendor TLV", ["--custom-tlv", "0x10", "x"]), ("hex", ["--custom-tlv", "0xa0", "0x123"]),
    ("twice", ["--custom-tlv", "0xb0", "x", "--custom-tlv-file", "0xb0", "/dev/null"]),
    ("file", ["--custom-tlv-file", "0xa0", "/nonexistent"]), ("counter", ["-s", "-1"]),
    ("counter", ["-s", "0x100000000"]), ("counter", ["-s", "soon"]), ("octal", ["-H", "0400"]),
    ("header", ["-H", "31"]), ("header", ["-H", "0x10000"]), ("slot", ["-S", "4000"]),
    ("align", ["--align", "3"]), ("align", ["--max-align", "64"]), ("erased", ["-R", "7"]),
    ("dependency", ["-d", "1,1.0.0"]), ("dependency", ["-d", "(256,1.0.0)"]),
    ("dependency", ["-d", "(1,1.256.0)"]), ("role", ["--boot-record", "1234567890123"]), ("role", ["--boot-record", "größer größer"]),
    ("endian", ["-e", "middle"]), ("vector", ["--vector-to-sign", "image"]),
    ("key", ["-k", "/nonexistent"]), ("encryption", ["-E", "/nonexistent"]),
    ("both addresses", ["-L", "0x1000", "-F", "0x2000"]), ("sha", ["--sha", "1"]),
    ("signature's key", ["--fix-sig", "/dev/null"]), ("class", ["--cid", "a name alone"]),
]


def compression(rng, case):
    """Not with signatures made outside, of which a compressed image has two; nor with ECDSA, unless
    its signatures, one of which is hashed, are of one size."""
    sized = case.key != "ecdsa-p384" and (case.key != "ecdsa-p256" or case.pad_sig)
    if case.outside or case.vector is not None or not sized or rng.random() < 0.6:
        return
    case.compressed = True
    case.add("--compression", rng.choice(["lzma2", "lzma2armthumb"]))
    case.options = [part for part in case.options if part != ["--non-bootable"]]


def hex_output(rng, case, from_hex):
    """In a HEX file what is not random is compared as text."""
    if not case.deterministic or case.vector is not None or rng.random() < 0.6:
        return
    if case.compressed and ["--test"] in case.options:
        return
    case.hex_out = True
    if not from_hex or rng.random() < 0.5:
        case.add(rng.choice(["-x", "--hex-addr"]), spelled(rng, rng.choice([0, 0x8000, 0x800fff0])))


def make_case(rng, number, files):
    case = Case(number)
    signer(rng, case, files)
    case.add("-v", version(rng))
    header = rng.choice([32, 48, 36, 64, 512, 0x400])
    gap = 0 if rng.random() < 0.6 else header
    case.add("-H", spelled(rng, header))
    if gap == 0:
        case.add("--pad-header")
    slot(rng, case)
    claims(rng, case, files)
    encryption(rng, case, files)
    compression(rng, case)
    from_hex = rng.random() < 0.2
    # Encrypted and not compressed after all: see "encrypted, and not smaller" of the differences.
    smaller = case.compressed and (case.encrypt is not None or rng.random() < 0.8)
    sizes = [1, 15, 16, 333, 5000, 20001]
    if case.pure:  # no image that might be a digest
        sizes = sizes[3:]
    if smaller and case.encrypt:
        sizes = sizes[-2:]
    case.source = files.firmware(rng.choice(sizes), gap, smaller,
                                 rng.choice([0, 0x10000, 0x8004000]) if from_hex else None)
    hex_output(rng, case, from_hex)
    if case.signature_out:
        case.add("--sig-out", files.OUT)
    return case


def make_wrong(rng, number, files, name, words):
    """A good case made wrong."""
    case = Case(number)
    case.wrong = name
    case.source = files.firmware(5000, 0)
    case.add("--pad-header")
    if name != "key" and name != "signature's key" and rng.random() < 0.8:
        case.add("-k", files.key(rng.choice(SIGN_TYPES)))
    good = {"-v": "1.2.3", "-H": "0x200", "-S": "0x10000"}
    for option, value in good.items():
        if option != words[0]:
            case.add(option, value)
    case.add(*words)
    return case


def cases(seed, count, files):
    rng = random.Random(seed)
    made = [make_case(rng, number, files) for number in range(count)]
    for name, words in WRONG:
        made.append(make_wrong(rng, len(made), files, name, words))
    for kind in SIGN_TYPES:
        for sha in {"256", "384", "512"} - set(DIGESTS[kind]):
            case = make_wrong(rng, len(made), files, "signature's key", ["--sha", sha])
            case.add("-k", files.key(kind))
            made.append(case)
    for case in made:
        rng.shuffle(case.options)
    return made


# ---- Signatures made outside -------------------------------------------------------------


def public_pem(key_pem):
    key = serialization.load_pem_private_key(key_pem, None).public_key()
    return key.public_bytes(serialization.Encoding.PEM,
                            serialization.PublicFormat.SubjectPublicKeyInfo)


def sign_outside(key_pem, message, pure):
    """As an HSM signs: it gets the digest, or for a pure signature the message."""
    key = serialization.load_pem_private_key(key_pem, None)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        kind = hashes.SHA256() if key.key_size == 256 else hashes.SHA384()
        return key.sign(message, ec.ECDSA(utils.Prehashed(kind)))
    if hasattr(key, "key_size"):
        return key.sign(message, padding.PSS(padding.MGF1(hashes.SHA256()), 32),
                        utils.Prehashed(hashes.SHA256()))
    return key.sign(message)


# ---- Images ------------------------------------------------------------------------------

SIGNATURES = {0x20, 0x22, 0x23}
WRAPPED = {0x30, 0x32, 0x33, 0x34}
DIGEST_TLVS = {0x10, 0x11, 0x12}


class Image:
    """An image taken apart: all that is not random in it, to be compared."""

    def __init__(self, data, big):
        self.order = order = ">" if big else "<"
        head = struct.unpack_from(order + "IIHHIIBBHI", data, 0)
        header_size, protected_size, size = head[2:5]
        at = header_size + size + protected_size
        magic, total = struct.unpack_from(order + "HH", data, at)
        assert head[0] == 0x96f3b83d and magic == 0x6907
        self.head = data[:header_size]
        self.payload = data[header_size:header_size + size]
        self.protected = data[header_size + size:at]
        self.tlvs = []
        self.size = at + total
        at += 4
        while at < self.size:
            kind, _, size = struct.unpack_from(order + "BBH", data, at)
            self.tlvs.append((kind, data[at + 4:at + 4 + size]))
            at += 4 + size
        self.tail = data[self.size:]
        self.whole = len(data)

    def fixed(self, lengths, payload, digest):
        """Without the values of what is random; lengths: with the signatures' lengths; payload:
        with it; digest: with it, and with all that it covers."""
        random_ones = SIGNATURES | WRAPPED | (set() if digest else DIGEST_TLVS)
        tlvs = [(kind, value if kind not in random_ones
                 else len(value) if lengths or kind != 0x22 else None) for kind, value in self.tlvs]
        protected = self.protected if digest else self.without_signature(self.protected)
        return self.head, protected, tlvs, self.payload if payload else len(self.payload)

    def without_signature(self, area):
        """A protected area without the value of DECOMP_SIGNATURE."""
        found, at = [], 4
        while at < len(area):
            kind, _, size = struct.unpack_from(self.order + "BBH", area, at)
            found.append((area[at:at + 4], area[at + 4:at + 4 + size] if kind != 0x72 else None))
            at += 4 + size
        return found
