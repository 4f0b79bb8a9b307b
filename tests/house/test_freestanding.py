# SPDX-License-Identifier: Apache-2.0
"""core/ and the chips' crypto for a bare Cortex-M0: what it does not define itself is mem*, the compiler's own
arithmetic and the primitives that ferry/crypto.h and ferry/cipher.h name."""
import pathlib
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FLAGS = ["-mcpu=cortex-m0", "-mthumb", "-Os", "-std=c11", "-ffreestanding", "-nostdlib",
         "-fno-builtin", f"-I{ROOT}/include", f"-I{ROOT}", "-isystem", f"{ROOT}/port/freestanding"]
ALLOWED = re.compile(r"^(memcpy|memmove|memset|memcmp|__aeabi_\w+|__gnu_thumb1_case_\w+)$")


def port_symbols():
    text = "".join((ROOT / f"include/ferry/{name}.h").read_text() for name in ("crypto", "cipher"))
    return set(re.findall(r"\b(ferry_crypto_\w+)\(", text))


def undefined(objects):
    lines = subprocess.run(["arm-none-eabi-nm", *map(str, objects)], check=True,
                           capture_output=True, text=True).stdout.splitlines()
    defined, wanted = set(), set()
    for line in lines:
        parts = line.split()
        if len(parts) == 2 and parts[0] == "U":
            wanted.add(parts[1])
        elif len(parts) == 3:
            defined.add(parts[2])
    return wanted - defined


def build(sources, out):
    objects = []
    for source in sources:
        obj = out / (source.parent.name + "_" + source.stem + ".o")
        subprocess.run(["arm-none-eabi-gcc", *FLAGS, "-c", str(source), "-o", str(obj)],
                       check=True)
        objects.append(obj)
    return objects


def foreign(names):
    ports = port_symbols()
    return {n for n in names if not ALLOWED.match(n) and n not in ports}


def test_core_is_freestanding(tmp_path):
    sources = sorted((ROOT / "core").rglob("*.c"))
    assert len(sources) > 20
    objects = build(sources, tmp_path)
    assert not foreign(undefined(objects))


def test_core_has_no_writable_data(tmp_path):
    """No globals: every instance lives in memory its caller gives."""
    objects = build(sorted((ROOT / "core").rglob("*.c")), tmp_path)
    out = subprocess.run(["arm-none-eabi-size", *map(str, objects)], check=True,
                         capture_output=True, text=True).stdout.splitlines()[1:]
    writable = [line for line in out if line.split()[1] != "0" or line.split()[2] != "0"]
    assert not writable, "\n".join(writable)


def test_a_call_to_the_c_library_is_found(tmp_path):
    source = tmp_path / "bad.c"
    source.write_text("#include <stddef.h>\nsize_t strlen(const char *);\n"
                      "size_t f(const char *s);\nsize_t f(const char *s) { return strlen(s); }\n")
    assert foreign(undefined(build([source], tmp_path))) == {"strlen"}


@pytest.mark.parametrize("p256, sha256", [("small", "fast"), ("tiny", "small")])
def test_chip_crypto_is_freestanding(tmp_path, p256, sha256):
    """The chips' port with the libraries under it: no heap, no C library but mem*. Linked as a
    product does, so that only what the primitives reach counts."""
    third = ROOT / "third_party"
    flags = ["-w", "-ffunction-sections", "-fdata-sections", "-DBR_USE_URANDOM=0",
             "-DBR_USE_UNIX_TIME=0", "-DBLAKE2_NO_UNROLLING",
             '-DMBEDTLS_CONFIG_FILE="mbedtls_config.h"', f"-I{ROOT}/port/crypto-chip",
             *(f"-I{third}/{f}" for f in ("bearssl/inc", "bearssl/src", "mbedtls/include",
                                          "mbedtls/library", "monocypher", "microecc"))]
    sources = sorted([*(ROOT / "port/crypto-chip").glob("*.c"),
                      ROOT / f"port/crypto-chip/p256/{p256}.c", ROOT / f"port/crypto-chip/sha256/{sha256}.c",
                      *(c for name in ("bearssl", "mbedtls", "monocypher", "microecc")
                        for c in (third / name).rglob("*.c")),
                      ROOT / "core/base/secret.c"])

    def compile_one(source):
        obj = tmp_path / (source.parent.name + "_" + source.stem + ".o")
        subprocess.run(["arm-none-eabi-gcc", *FLAGS, *flags, "-c", source, "-o", obj], check=True)
        return obj
    with ThreadPoolExecutor() as pool:
        objects = list(pool.map(compile_one, sources))
    port = [o for o in objects if o.name.startswith(("crypto-chip_", "p256_", "sha256_"))]
    defined = subprocess.run(["arm-none-eabi-nm", "--defined-only", *port], check=True,
                             capture_output=True, text=True).stdout
    primitives = sorted(set(re.findall(r" T (ferry_crypto_\w+)", defined)) & port_symbols())
    assert {"ferry_crypto_sha512_final", "ferry_crypto_p384_verify", "ferry_crypto_rsa_pss_verify",
            "ferry_crypto_ed25519_verify_message"} <= set(primitives)
    mem = ("memcpy", "memmove", "memset", "memcmp")
    done = subprocess.run(["arm-none-eabi-gcc", *FLAGS, "-Wl,--gc-sections", "-Wl,-e,0",
                           *(f"-Wl,-u,{p}" for p in primitives),
                           *(f"-Wl,--defsym,{m}=0" for m in mem), *objects, "-lgcc", "-o",
                           tmp_path / "crypto.elf"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
