# SPDX-License-Identifier: Apache-2.0
"""libferry-client in somebody's program, and its engine in a plain main loop."""
import base64
import ctypes
import os
import re
import select
import subprocess
import termios
import threading
import tty

import pytest

import lab
from lab import BUILD, ROOT


def run(*command, env=None):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          timeout=120, stdin=subprocess.DEVNULL, env={**os.environ, **(env or {})})
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    """Ferry, installed."""
    folder = tmp_path_factory.mktemp("installed")
    run("cmake", "--install", BUILD, "--prefix", folder)
    return folder


@pytest.fixture
def device(device):
    device.wait_for(r"app 1\.0\.0 started")
    return device


def update_device(program, uri, image, env=None):
    return subprocess.run([program, uri, image], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, env={**os.environ, **(env or {})})


def test_update_in_forty_lines(device, bench):
    done = update_device(BUILD / "examples/example_update_device", device.uri, bench.images["v2"])
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("version 2.0.0 runs and is confirmed\n")
    assert device.running()["confirmed"]
    assert len((ROOT / "examples/update_device.c").read_text().splitlines()) <= 40


def test_failures_have_words(device, bench, tmp_path):
    program = BUILD / "examples/example_update_device"
    broken = tmp_path / "broken.bin"
    image = bytearray(bench.images["v2"].read_bytes())
    image[5000] ^= 1
    broken.write_bytes(image)
    done = update_device(program, device.uri, broken)
    assert done.returncode == 1 and "digest does not match" in done.stderr and "next:" in done.stderr
    broken.write_bytes(b"no image" * 100)
    assert "magic" in update_device(program, device.uri, broken).stderr
    done = update_device(program, f"{device.folder}/none", bench.images["v2"])
    assert done.returncode == 1 and "No such file" in done.stderr
    assert device.running()["version"] == "1.0.0"


@pytest.mark.parametrize("static", [False, True])
def test_installed_by_pkg_config(device, bench, prefix, tmp_path, static):
    flags = run("pkg-config", "--cflags", "--libs", *(["--static"] if static else []), "ferry-client",
                env={"PKG_CONFIG_PATH": str(prefix / "lib/pkgconfig")}).split()
    if static:
        flags = [str(prefix / "lib/libferry-client.a") if flag == "-lferry-client" else flag for flag in flags]
    program = tmp_path / "mine"
    run("cc", ROOT / "examples/update_device.c", *flags, "-o", program)
    done = update_device(program, device.uri, bench.images["v2"], {"LD_LIBRARY_PATH": str(prefix / "lib")})
    assert done.returncode == 0, done.stderr


def test_installed_by_cmake(prefix, tmp_path):
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.20)\nproject(mine LANGUAGES C)\nfind_package(ferry REQUIRED)\n"
        f"add_executable(mine {ROOT}/examples/update_device.c)\ntarget_link_libraries(mine PRIVATE ferry::client)\n")
    run("cmake", "-S", tmp_path, "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "--build", tmp_path / "build")
    done = subprocess.run([tmp_path / "build/mine"], capture_output=True, text=True, timeout=10)
    assert done.returncode == 2 and "usage" in done.stderr


def test_only_ferry_names_are_exported():
    names = [line.split()[-1] for line in run("nm", "-D", "--defined-only", BUILD / "libferry-client.so").splitlines()]
    assert len(names) > 100 and all(name.startswith("ferry_") for name in names)
    assert "ferry_device_update" in names and "ferry_upload_next" in names and "ferry_server_handle" not in names


class Firmware(ctypes.Structure):
    """struct ferry_device_firmware"""
    EVENT = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.POINTER(ctypes.c_int))
    _fields_ = [("image", ctypes.c_uint32), ("no_downgrade", ctypes.c_bool), ("test_only", ctypes.c_bool),
                ("no_confirm", ctypes.c_bool), ("upload_event", ctypes.c_void_p), ("update_event", EVENT),
                ("context", ctypes.c_void_p)]


class Bytes(ctypes.Structure):
    """struct ferry_bytes"""
    _fields_ = [("data", ctypes.c_char_p), ("len", ctypes.c_size_t)]


def test_an_update_that_waits_for_its_wire_can_be_given_up(device, bench):
    """The port goes in the middle of the upload; while it is looked for the caller is asked."""
    library = ctypes.CDLL(str(BUILD / "libferry-client.so"))
    progress, reconnect, cancelled = 1, 3, -39
    connection, kinds = ctypes.c_void_p(), []

    def event(_, kind):
        kinds.append(kind[0])
        if kind[0] == progress and device.process is not None:
            device.kill()
        return kinds.count(reconnect) < 2

    firmware = Firmware(update_event=Firmware.EVENT(event))
    image = bench.images["v2"].read_bytes()
    assert library.ferry_device_open(ctypes.byref(connection), device.uri.encode(), None) == 0
    library.ferry_device_update.argtypes = [ctypes.c_void_p, Bytes, ctypes.POINTER(Firmware), ctypes.c_void_p,
                                            ctypes.c_void_p]
    error = library.ferry_device_update(connection, Bytes(image, len(image)), ctypes.byref(firmware), None, None)
    library.ferry_connection_close(connection)
    assert error == cancelled and kinds.count(reconnect) == 2 and progress in kinds


def relay_until_reset(line, wires):
    """Bytes between a client and a device, as long as the client asks for no reset; that one still gets there.
    Returns, when the client has gone, whether it did."""
    to_client, from_client = wires
    seen, silent = b"", False
    while True:
        ready = select.select([line, from_client], [], [])[0]
        if line in ready and not silent:
            os.write(to_client, os.read(line, 4096))
        elif line in ready:
            os.read(line, 4096)
        if from_client in ready:
            data = os.read(from_client, 4096)
            if not data:
                return silent
            seen = (seen + data)[-4096:]
            frames = [base64.b64decode(text + b"==") for text in re.findall(rb"\x06\x09([A-Za-z0-9+/]+)=*\n", seen)]
            silent = silent or any(frame[2:3] == b"\x0a" and frame[6:8] == b"\0\0" and frame[9:10] == b"\x05"
                                   for frame in frames)
            os.write(line, data)


def test_the_engine_takes_a_reset_without_an_answer_for_one(device, bench):
    line = os.open(device.link, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(line)
    termios.tcflush(line, termios.TCIOFLUSH)
    with subprocess.Popen([BUILD / "examples/example_uart_client"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env={**os.environ, "FERRY_IMAGE": str(bench.images["v2"])}) as chip:
        timer = threading.Timer(60, chip.kill)
        timer.start()
        asked = relay_until_reset(line, (chip.stdin.fileno(), chip.stdout.fileno()))
        timer.cancel()
    os.close(line)
    assert asked and chip.returncode == 0
    device.wait_for(r"app 2\.0\.0 started")
    assert device.running()["version"] == "2.0.0"


def test_the_engine_in_a_main_loop(device, bench):
    """A chip as client: its UART is the device's line."""
    line = os.open(device.link, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(line)
    termios.tcflush(line, termios.TCIOFLUSH)
    try:
        done = subprocess.run([BUILD / "examples/example_uart_client"], stdin=line, stdout=line, stderr=subprocess.PIPE,
                              text=True, timeout=60, env={**os.environ, "FERRY_IMAGE": str(bench.images["v2"])})
    finally:
        os.close(line)
    assert done.returncode == 0, done.stderr
    device.wait_for(r"app 2\.0\.0 started")
    assert device.running()["version"] == "2.0.0"
