# SPDX-License-Identifier: Apache-2.0
"""Signing as a part of a build: ferry_sign() for CMake in the example project, what is installed,
and the Python file that stands where a build wants imgtool's."""
import os
import shutil
import subprocess
import sys

import pytest

from lab import BUILD, FERRY, ROOT, SLOT_SIZE, ferry, ferry_json

SHIM = ROOT / "scripts" / "imgtool.py"
EXAMPLE = ROOT / "examples" / "signing"


def run(*command, env=None, check=0, cwd=None):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          timeout=120, stdin=subprocess.DEVNULL, cwd=cwd,
                          env={**os.environ, **(env or {})})
    if check is not None:
        assert done.returncode == check, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    for name in ("one", "two"):
        ferry("keygen", "-t", "ed25519", "-o", folder / f"{name}.pem", check=0)
    return folder


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    """Ferry, installed."""
    folder = tmp_path_factory.mktemp("installed")
    run("cmake", "--install", BUILD, "--prefix", folder)
    return folder


# ---- CMake ------------------------------------------------------------------------------


class Project:
    """The example, as somebody's project."""

    def __init__(self, folder, key):
        self.source, self.build = folder / "source", folder / "build"
        shutil.copytree(EXAMPLE, self.source)
        self.lists = self.source / "CMakeLists.txt"
        self.key = folder / "key.pem"
        shutil.copy(key, self.key)
        self.replace("${CMAKE_CURRENT_SOURCE_DIR}/../../cmake", str(ROOT / "cmake"))

    def replace(self, old, new):
        text = self.lists.read_text()
        assert old in text
        self.lists.write_text(text.replace(old, new))

    def configure(self, *options, check=0):
        return run("cmake", "-S", self.source, "-B", self.build, "-G", "Ninja",
                   "-DCMAKE_TOOLCHAIN_FILE=arm.cmake", f"-DSIGNING_KEY={self.key}", *options,
                   check=check)

    def make(self, check=0):
        """How many images were signed."""
        return run("cmake", "--build", self.build, check=check).stdout.count("Signing ")

    def image(self, form="bin"):
        return self.build / f"blink.signed.{form}"


@pytest.fixture
def project(tmp_path, keys):
    return Project(tmp_path, keys / "one.pem")


def payload(project):
    """The program as the linker placed it, by another tool than ours."""
    out = project.build / "blink.raw"
    run("arm-none-eabi-objcopy", "-O", "binary", project.build / "blink", out)
    return out.read_bytes()


def test_the_example_is_signed(project):
    project.configure()
    assert project.make() == 2
    for form in ("bin", "hex"):
        result = ferry_json("verify", "-k", project.key, project.image(form))
        assert result["version"] == "1.2.3"
    image = project.image().read_bytes()
    assert image[512:512 + len(payload(project))] == payload(project)
    raw = project.build / "hex.bin"
    run("arm-none-eabi-objcopy", "-I", "ihex", "-O", "binary", project.image("hex"), raw)
    assert raw.read_bytes() == image
    first = project.image("hex").read_text().splitlines()
    assert first[0].startswith(":10800000") or first[1].startswith(":10800000"), first[:2]


def test_only_what_changed_is_signed_again(project, keys):
    project.configure()
    assert project.make() == 2
    assert project.make() == 0
    (project.source / "main.c").write_text((project.source / "main.c").read_text()
                                           .replace("rounds++", "rounds += 2"))
    assert project.make() == 2
    shutil.copyfile(keys / "two.pem", project.key)
    assert project.make() == 2
    ferry_json("verify", "-k", keys / "two.pem", project.image())
    project.replace("VERSION 1.2.3", "VERSION 1.2.4")
    assert project.make() == 2
    assert ferry_json("verify", "-k", project.key, project.image())["version"] == "1.2.4"
    assert project.make() == 0


def test_a_refused_image_fails_the_build(project):
    project.replace("SLOT_SIZE 0x10000", "SLOT_SIZE 0x400")
    project.configure()
    project.make(check=1)
    assert not project.image().exists() and not project.image("hex").exists()


def test_an_installed_ferry_is_found(project, prefix):
    project.replace(f" HINTS {ROOT / 'cmake'}", " 0.1")
    project.configure(f"-DCMAKE_PREFIX_PATH={prefix}")
    assert project.make() == 2
    cache = (project.build / "CMakeCache.txt").read_text()
    assert f"FERRY_EXECUTABLE:FILEPATH={prefix}/bin/ferry" in cache


@pytest.mark.parametrize("old, new, words", [
    ("KEY ${SIGNING_KEY}", "", "needs KEY"),
    ("SLOT_SIZE 0x10000", "", "needs SLOT_SIZE or LAYOUT"),
    ("TARGET blink", "TARGET blonk", "needs TARGET"),
    ("FORMATS bin hex", "FORMATS elf", "makes bin and hex, not elf"),
    ("ALIGN 4", "ALIGNED 4", "does not know ALIGNED;4"),
    ("project(blink VERSION 1.2.3", "project(blink", "needs VERSION"),
])
def test_a_wrong_call_is_told(project, old, new, words):
    project.replace(old, new)
    told = project.configure(check=1).stderr
    assert "ferry_sign() " in told and words in " ".join(told.split())


def test_every_word_of_ferry_sign(project, keys):
    """Two keys, unsigned with a layout, and options as they are."""
    more = "add_executable({0} main.c)\ntarget_link_options({0} PRIVATE -nostdlib -T ${{CMAKE_CURRENT_SOURCE_DIR}}/flash.ld)\n"
    text = project.lists.read_text() + more.format("both") + more.format("none")
    text += f"""ferry_sign(TARGET both KEY {keys}/one.pem {keys}/two.pem SLOT_SIZE 64K VERSION 4.5.6+7
                HEADER_SIZE 1024 OUTPUT out/both OPTIONS --confirm)
        ferry_sign(TARGET none UNSIGNED SLOT_SIZE 0x8000 LINKED_HEADER HEADER_SIZE 32)
        get_target_property(where both FERRY_SIGNED_BIN)
        message(STATUS "is in ${{where}}")\n""".replace("64K", "65536")
    project.lists.write_text(text)
    (project.build / "out").mkdir(parents=True)
    assert f"is in {project.build}/out/both.bin" in project.configure().stdout
    # LINKED_HEADER is a promise about the program: this one breaks it, and is told.
    assert "none" in run("cmake", "--build", project.build, "--target", "none_signed", check=1).stdout
    run("cmake", "--build", project.build, "--target", "both_signed")
    for key in ("one", "two"):
        result = ferry_json("verify", "-k", keys / f"{key}.pem", project.build / "out/both.bin")
        assert result["version"] == "4.5.6.7"
    assert (project.build / "out/both.bin").stat().st_size == 65536


def test_the_layout_says_slot_and_alignment(project):
    """It is made again when the layout is newer; one that is no layout fails the build."""
    layout = project.source / "layout.json"
    layout.write_text((ROOT / "device" / "layout.json").read_text())
    project.replace("SLOT_SIZE 0x10000 ALIGN 4", "LAYOUT layout.json IMAGE 0 OPTIONS --pad")
    project.configure()
    assert project.make() == 2
    assert project.image().stat().st_size == SLOT_SIZE
    assert project.make() == 0
    layout.write_text("{}")
    project.make(check=1)
    layout.write_text((ROOT / "device" / "layout.json").read_text())
    assert project.make() == 2


# ---- Where a build wants imgtool ---------------------------------------------------------


def test_what_is_installed(prefix):
    there = {str(path.relative_to(prefix)) for path in prefix.rglob("*") if path.is_file()}
    assert there >= {"bin/ferry", "bin/ferry-device", "share/ferry/imgtool.py",
                     "lib/cmake/ferry/FerrySign.cmake", "lib/cmake/ferry/ferry-config.cmake",
                     "share/doc/ferry/README.md", "share/doc/ferry/LICENSE",
                     "share/doc/ferry/docs/SIGNING.md"}


def test_the_python_file_runs_ferry(prefix, tmp_path):
    for call in ([SHIM], [sys.executable, SHIM], [prefix / "share/ferry/imgtool.py"]):
        assert run(*call, "--version").stdout.startswith("ferry ")
    link = tmp_path / "imgtool"
    link.symlink_to(SHIM)
    assert run(link, "--version").stdout.startswith("ferry ")
    assert run(SHIM, "sign", check=2).stderr.startswith("ferry: ")


def test_which_ferry_it_runs(tmp_path):
    """The one that is named; where none is built or installed beside it, that of PATH."""
    alone = tmp_path / "imgtool.py"
    shutil.copy(SHIM, alone)
    told = run(sys.executable, alone, "--version", env={"PATH": str(tmp_path)}, check=1).stderr
    assert "cannot run ferry" in told and "  next: " in told
    assert run(sys.executable, alone, "--version",
               env={"PATH": str(FERRY.parent)}).stdout.startswith("ferry ")
    told = run(SHIM, "--version", env={"FERRY_PROGRAM": "/nowhere/ferry"}, check=1).stderr
    assert "cannot run /nowhere/ferry" in told


def test_ferry_by_the_name_of_imgtool(tmp_path):
    link = tmp_path / "imgtool"
    link.symlink_to(FERRY)
    assert run(link, "sign", check=2).stderr.startswith("ferry: ")
