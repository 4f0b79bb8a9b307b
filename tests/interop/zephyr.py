# SPDX-License-Identifier: Apache-2.0
"""Other people's SMP servers: Zephyr 4.4.0 built for this machine (native_sim, 32-bit programs), and
Zephyr with MCUboot in QEMU, as smpclient's source distribution has them (setup-peers servers). Each
runs in a folder of its own; those with UDP in a network of their own as well, since they listen at
port 1337 of every address. Each is ended by its id, and ends by itself after LIFE seconds."""
import json
import os
import pathlib
import re
import socket
import subprocess
import time

import pytest

import lab

SERVERS = lab.ROOT / "build" / "interop" / "servers"
LIFE = 300


class Column:
    """What a server has built in: as its manifest says, unless it is told otherwise below."""

    def __init__(self, name, buf_size, groups, buf_count=4):
        self.name, self.buf_size, self.buf_count = name, buf_size, buf_count
        self.groups = groups.split()


SOME, ALL = "os stat enum", "os stat settings fs shell enum zbasic"
COLUMNS = {column.name: column for column in (
    Column("native_sim.serial", 384, ALL),
    Column("native_sim.serial_bigrx", 384, ALL),
    Column("native_sim.serial_raw", 384, "os stat settings shell enum"),  # no zbasic, as the manifest has it
    Column("native_sim.shell", 384, SOME),
    Column("native_sim.udp", 2048, ALL, buf_count=2),
    Column("native_sim.udp6", 2048, SOME, buf_count=2),
    Column("native_sim.serial_fs", 1024, "os stat fs enum"),
    Column("native_sim.serial_noparams", 384, SOME),
    Column("native_sim.serial_buf96", 96, SOME),
    Column("native_sim.serial_buf256", 256, SOME),
    Column("native_sim.serial_buf2048", 2048, SOME),
    Column("native_sim.serial_line512", 2048, SOME),
    Column("qemu_cortex_m0.serial", 384, "os image stat enum"),
    Column("mps2_an385.serial_recovery", 384, ALL + " image"),
    Column("mps2_an385.serial_recovery_raw", 384, "os image"),  # as far as is tried
)}


def manifest():
    """What there is, by name: the entries of the release's manifest whose programs are here."""
    path = SERVERS / "manifest.json"
    entries = json.loads(path.read_text()) if path.exists() else []
    return {f"{e['target']}.{e['config']}": e for e in entries if (SERVERS / e["artifact"]).exists()}


def need(name):
    """Skip the test when the servers are not there; fail it with FERRY_NEED_PEERS, when they must be."""
    if name in manifest():
        return
    noted = SERVERS.parent / "servers.missing"
    why = noted.read_text().strip() if noted.exists() else "tests/interop/setup-peers servers tells why"
    (pytest.fail if os.environ.get("FERRY_NEED_PEERS") else pytest.skip)(f"Zephyr's servers are not here: {why}")


class Server:
    """One server, started. `ferry` speaks to it."""

    def __init__(self, name, folder):
        self.entry, self.folder = manifest()[name], pathlib.Path(folder)
        self.column = COLUMNS[name]
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log_path = self.folder / "server.log"
        self.uri = None
        self.process = None

    def log(self):
        return self.log_path.read_bytes().decode(errors="replace")

    def wait_for(self, pattern, timeout=20):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if match := re.search(pattern, self.log()):
                return match
            assert self.process.poll() is None, f"the server ended:\n{self.log()}"
            time.sleep(0.02)
        raise AssertionError(f"no {pattern!r} in {timeout} s in:\n{self.log()}")

    def spawn(self, command):
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)

    def start(self):
        """Returns itself, and nothing runs when it fails."""
        try:
            self.start_kind()
        except BaseException:
            self.stop()
            raise
        return self

    def start_kind(self):
        if self.entry["qemu_cmd"]:
            self.start_qemu()
        elif self.entry["transport"] == "udp":
            self.start_udp()
        else:
            self.spawn([SERVERS / self.entry["artifact"], f"-stop_at={LIFE}"])
            tty = self.wait_for(r"connected to pseudotty: (\S+)").group(1)
            self.uri = ("raw:" if self.entry["transport"] == "serial_raw" else "serial:") + tty

    def start_udp(self):
        """In a network that has nothing but a loopback."""
        self.spawn(["unshare", "--map-root-user", "--net", "sh", "-c",
                    f"ip link set lo up && exec {SERVERS / self.entry['artifact']} -stop_at={LIFE}"])
        self.uri = "udp:[::1]" if self.entry["ip_family"] == "ipv6" else "udp:127.0.0.1"
        self.wait_for("smp_udp: Started")

    def start_qemu(self):
        """QEMU keeps the last byte of a frame from a pseudo terminal: its serial port is a socket. It
        waits for who listens first."""
        for path in SERVERS.iterdir():
            (self.folder / path.name).symlink_to(path)
        path = self.folder / "con"
        command = re.sub(r"socket,id=con,[^ ]*",
                         f"socket,id=con,path={path},server=on,wait=on",
                         self.entry["qemu_cmd"]).split()
        self.spawn(["timeout", str(LIFE), *command])
        with socket.socket(socket.AF_UNIX) as listener:
            end = time.monotonic() + 20
            while listener.connect_ex(str(path)) != 0:
                assert time.monotonic() < end and self.process.poll() is None, self.log()
                time.sleep(0.02)
            listener.settimeout(20)
            heard = b""
            while "microbit" in self.entry["qemu_cmd"] and b"Booting Zephyr" not in heard:
                heard += listener.recv(4096)  # unread it stalls; so does its UART when sent to before
        bare = self.entry["transport"] == "serial_raw"
        self.uri = f"unix:{path}?framing=raw" if bare else f"unix:{path}"
        self.answers()

    def ferry(self, *args, check=None, timeout=60):
        """Run `ferry` against it, in its network."""
        command = [str(lab.FERRY), "-d", self.uri, *map(str, args)]
        if self.entry["transport"] == "udp":
            command[:0] = ["nsenter", "--preserve-credentials", "--user", "--net",
                           f"--target={self.process.pid}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout,
                              stdin=subprocess.DEVNULL)
        if check is not None:
            assert done.returncode == check, f"{args}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def answers(self, timeout=30):
        """Wait until it answers."""
        end = time.monotonic() + timeout
        while self.ferry("echo", "x").returncode != 0:
            assert time.monotonic() < end, self.log()
            time.sleep(0.1)

    def restarted(self):
        """It was told to reset: native_sim ends, or starts again; QEMU starts again."""
        if self.entry["qemu_cmd"]:
            self.answers()
            return
        end = time.monotonic() + 10
        while self.process.poll() is None and self.log().count("*** Booting Zephyr") < 2:
            assert time.monotonic() < end, self.log()
            time.sleep(0.05)

    def wait_for_recovery(self):
        """Wait until MCUboot answers in place of the application: it reports one buffer."""
        end = time.monotonic() + 30
        while True:
            done = self.ferry("--json", "params")
            if done.returncode == 0 and json.loads(done.stdout)["buf_count"] == 1:
                return
            assert time.monotonic() < end, done.stdout + done.stderr
            time.sleep(0.1)

    def json(self, *args, timeout=60):
        return json.loads(self.ferry("--json", *args, check=0, timeout=timeout).stdout)

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(timeout=5)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
