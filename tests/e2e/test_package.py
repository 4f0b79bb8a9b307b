# SPDX-License-Identifier: Apache-2.0
"""The core in somebody else's project: by CMake, by pkg-config, and as a folder of sources."""
import os
import pathlib
import re
import subprocess

import pytest

from lab import BUILD, ROOT

BARE = ["-mcpu=cortex-m0plus", "-mthumb", "-isystem", str(ROOT / "port/freestanding")]
HEADERS = sorted((ROOT / "include/ferry").glob("*.h"))


def run(*command, env=None, cwd=None):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          timeout=300, stdin=subprocess.DEVNULL, cwd=cwd, env={**os.environ, **(env or {})})
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    """Ferry, installed."""
    folder = tmp_path_factory.mktemp("installed")
    run("cmake", "--install", BUILD, "--prefix", folder)
    return folder


@pytest.fixture
def project(tmp_path):
    """A program of somebody's: the README's server."""
    (tmp_path / "main.c").write_text((ROOT / "examples/server.c").read_text())
    return tmp_path


LISTS = """cmake_minimum_required(VERSION 3.20)
project(mine LANGUAGES C)
find_package(ferry REQUIRED)
"""


def build(project, prefix, *options):
    run("cmake", "-S", project, "-B", project / "build", f"-DCMAKE_PREFIX_PATH={prefix}", *options)
    run("cmake", "--build", project / "build")


def test_the_installed_library_by_cmake(project, prefix):
    (project / "CMakeLists.txt").write_text(
        LISTS + "add_executable(mine main.c)\ntarget_link_libraries(mine PRIVATE ferry::core)\n")
    build(project, prefix)
    assert "hello" in run(project / "build/mine")


def test_the_installed_sources_by_cmake(project, prefix):
    (project / "CMakeLists.txt").write_text(
        LISTS + "ferry_add_core(core)\nadd_executable(mine main.c)\n"
        "target_link_libraries(mine PRIVATE core)\n")
    build(project, prefix)
    assert "hello" in run(project / "build/mine")


def test_the_installed_sources_for_a_chip(project, prefix):
    """The example of docs/PORTING.md, by a compiler that has no C library; there is no ferry::core."""
    for name in ("uart_server.c", "uart_port.h"):
        (project / name).write_text((ROOT / "examples" / name).read_text())
    (project / "CMakeLists.txt").write_text(
        LISTS + "if(TARGET ferry::core)\n  message(FATAL_ERROR \"of another machine\")\nendif()\n"
        "ferry_add_core(core NO_C_LIBRARY)\nferry_add_conformance(conformance core)\n"
        "add_library(mine OBJECT uart_server.c)\n"
        "target_link_libraries(mine PRIVATE core)\n")
    (project / "arm.cmake").write_text(
        "set(CMAKE_SYSTEM_NAME Generic)\nset(CMAKE_C_COMPILER arm-none-eabi-gcc)\n"
        "set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)\n"
        "set(CMAKE_C_FLAGS_INIT \"-mcpu=cortex-m0plus -mthumb -Os\")\n")
    build(project, prefix, "-DCMAKE_TOOLCHAIN_FILE=arm.cmake")
    symbols = run("arm-none-eabi-nm", project / "build/libcore.a")
    assert " T ferry_server_handle" in symbols
    symbols = run("arm-none-eabi-nm", project / "build/libconformance.a")
    assert " T ferry_conformance_flash" in symbols


def test_the_installed_crypto_for_chips(project, prefix):
    """The gate, which verifies; the third-party files are those of the tree."""
    share = prefix / "share/ferry"
    assert os.access(share / "scripts/fetch-deps", os.X_OK) and (share / "deps.lock").exists()
    (project / "main.c").write_text((ROOT / "examples/gate.c").read_text())
    (project / "CMakeLists.txt").write_text(
        LISTS + "ferry_add_core(core)\ninclude(${FERRY_CORE_ROOT}/cmake/chip-crypto.cmake)\n"
        "ferry_add_chip_crypto()\nadd_executable(mine main.c)\n"
        "target_link_libraries(mine PRIVATE core ferry_crypto_chip)\n")
    done = subprocess.run(["cmake", "-S", project, "-B", project / "without", f"-DCMAKE_PREFIX_PATH={prefix}"],
                          capture_output=True, text=True)
    assert done.returncode != 0 and "scripts/fetch-deps" in done.stderr
    build(project, prefix, f"-DFERRY_CHIP_THIRD_PARTY={ROOT}/third_party")
    assert run(project / "build/mine") == "a reset over UDP: rc 11\n"


def test_what_the_installed_documents_name_is_installed(prefix):
    """Links, and the files that PORTING.md names beside them."""
    doc = next(prefix.rglob("docs/PORTING.md")).parent
    for name in ("PORTING.md", "SERVER.md"):
        text = (doc / name).read_text()
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
            assert "://" in target or (doc / target).exists(), f"{name}: {target}"
    named = re.findall(r"`((?:examples|firmware|port|scripts|cmake)/[\w/.-]+)`", (doc / "PORTING.md").read_text())
    assert len(named) > 5
    for target in named:
        assert (doc.parent / target).exists() or (prefix / "share/ferry" / target).exists(), target


def test_the_installed_library_from_c_plus_plus(tmp_path, prefix):
    (tmp_path / "main.cpp").write_text(
        'extern "C" {\n#include "ferry/error.h"\n#include "ferry/group_image.h"\n}\n#include <cstdio>\n'
        "int main() { ferry_server server;\n  ferry_server_config config = {};\n"
        "  return std::puts(ferry_error_text(ferry_server_init(&server, &config))) < 0; }\n")
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.20)\nproject(mine LANGUAGES CXX)\nfind_package(ferry REQUIRED)\n"
        "add_executable(mine main.cpp)\ntarget_link_libraries(mine PRIVATE ferry::core)\n")
    build(tmp_path, prefix)
    assert run(tmp_path / "build/mine").strip()


def test_a_wrong_argument_is_an_error(project, prefix):
    (project / "CMakeLists.txt").write_text(LISTS + "ferry_add_core(core NO_LIBC)\n")
    done = subprocess.run(["cmake", "-S", project, "-B", project / "build", f"-DCMAKE_PREFIX_PATH={prefix}"],
                          capture_output=True, text=True)
    assert done.returncode != 0 and "unknown argument NO_LIBC" in done.stderr


def test_the_installed_library_by_pkg_config(project, prefix):
    env = {"PKG_CONFIG_PATH": str(prefix / "lib/pkgconfig")}
    flags = run("pkg-config", "--cflags", "--libs", "ferry-core", env=env).split()
    run("cc", project / "main.c", *flags, "-o", project / "mine")
    assert "hello" in run(project / "mine")
    sources = run("pkg-config", "--variable=sources", "ferry-core", env=env).strip()
    assert (pathlib.Path(sources) / "server/server.c").exists()


@pytest.mark.parametrize("compiler", [["gcc"], ["clang"], ["arm-none-eabi-gcc", *BARE]], ids=lambda c: c[0])
def test_a_folder_of_sources(compiler, tmp_path):
    """Nothing is generated, nothing is defined, and there is no warning."""
    run(*compiler, "-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", f"-I{ROOT}/include", f"-I{ROOT}",
        *sorted((ROOT / "core").glob("*/*.c")), cwd=tmp_path)
    run("sh", "-c", '"$@" -std=c11 -c "$0"/core/server/*.c -I"$0"/include -I"$0"', ROOT, *compiler, cwd=tmp_path)
    assert (tmp_path / "server.o").exists()


@pytest.mark.parametrize("compiler", [["gcc", "-std=c11"], ["clang", "-std=c11"], ["g++", "-std=c++11"],
                                      ["clang++", "-std=c++11"], ["g++", "-std=c++20"]], ids="_".join)
def test_each_header_alone(compiler, tmp_path):
    kind = "c++" if "++" in compiler[0] else "c"
    lone = []
    for header in HEADERS:
        lone.append(tmp_path / f"{header.stem}.c")
        lone[-1].write_text(f'#include "ferry/{header.name}"\n')
    assert len(lone) > 30
    run(*compiler, "-Wall", "-Wextra", "-Werror", "-fsyntax-only", f"-I{ROOT}/include", "-x", kind, *lone)
