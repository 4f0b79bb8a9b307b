# SPDX-License-Identifier: Apache-2.0
"""core/ for a bare Cortex-M0: what it does not define itself is mem*, the compiler's own
arithmetic and the primitives that ferry/crypto.h and ferry/cipher.h name."""
import pathlib
import re
import subprocess

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
