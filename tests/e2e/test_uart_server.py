# SPDX-License-Identifier: Apache-2.0
"""examples/uart_server.c, the server in 80 lines, and uart_small.c: with a computer for a chip, `ferry`
talks to them."""
import os
import pty
import random
import subprocess
import tty

import pytest

import lab
from lab import ferry, ferry_json

SLOT_SIZE = 0x20000  # of examples/uart_host.c
EXAMPLES = ["uart_server", "uart_small"]


@pytest.fixture(params=EXAMPLES)
def serial(request):
    """The name of a terminal at whose other end the example is, and the example."""
    server, line = pty.openpty()
    tty.setraw(line)
    program = subprocess.Popen([lab.BUILD / f"examples/example_{request.param}"], stdin=server, stdout=server)
    yield os.ttyname(line), program
    program.kill()
    program.wait()
    os.close(server)
    os.close(line)


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    folder = tmp_path_factory.mktemp("uart")
    (folder / "app.bin").write_bytes(random.Random(1).randbytes(9001))
    ferry("keygen", "-t", "ecdsa-p256", "-o", folder / "key.pem", check=0)
    ferry("sign", "-k", folder / "key.pem", "-v", "1.2.3", "-H", "512", "--pad-header", "-S", hex(SLOT_SIZE),
          "--align", "8", folder / "app.bin", folder / "app.signed.bin", check=0)
    return folder / "app.signed.bin"


def test_list_upload_test_erase_reset(serial, image):
    tty_name, program = serial
    assert ferry("echo", "hello", device=tty_name, check=0).stdout.strip() == "hello"
    assert ferry_json("image", "list", device=tty_name)["images"] == []
    ferry("image", "upload", image, device=tty_name, check=0)
    one, = ferry_json("image", "list", device=tty_name)["images"]
    assert (one["slot"], one["version"], one["pending"]) == (1, "1.2.3", False)
    ferry("image", "test", one["hash"], device=tty_name, check=0)
    one, = ferry_json("image", "list", device=tty_name)["images"]
    assert one["pending"]
    ferry("image", "erase", device=tty_name, check=0)
    assert ferry_json("image", "list", device=tty_name)["images"] == []
    ferry("reset", device=tty_name, check=0)
    assert program.wait(timeout=30) == 0


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_links_for_a_cortex_m0(tmp_path, name):
    """With nothing of a C library but the four functions of core/, and what uart_port.h names."""
    flags = ["-mcpu=cortex-m0plus", "-mthumb", "-Os", "-std=c11", "-ffreestanding", "-ffunction-sections",
             "-fdata-sections", f"-I{lab.ROOT}/include", f"-I{lab.ROOT}", "-isystem", f"{lab.ROOT}/port/freestanding",
             "-Wall", "-Wextra", "-Werror"]
    sources = [lab.ROOT / f"examples/{name}.c",
               *(s for f in ("base", "cbor", "flash", "smp", "image", "store", "server")
                 for s in sorted((lab.ROOT / "core" / f).glob("*.c")))]
    objects = []
    for source in sources:
        objects.append(tmp_path / f"{source.parent.name}_{source.stem}.o")
        subprocess.run(["arm-none-eabi-gcc", *flags, "-c", source, "-o", objects[-1]], check=True)
    brings = ["memcpy", "memmove", "memset", "memcmp", "port_primary", "port_secondary", "port_uart_get",
              "port_uart_put", "port_reset"]
    done = subprocess.run(["arm-none-eabi-gcc", *flags, "-nostdlib", "-Wl,--gc-sections", "-Wl,-e,main",
                           *(f"-Wl,--defsym,{name}=0" for name in brings), *objects, "-lgcc", "-o",
                           tmp_path / "uart_server.elf"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
