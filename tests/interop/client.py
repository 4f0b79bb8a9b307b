# SPDX-License-Identifier: Apache-2.0
"""What the clients of clients.py have in common: the device, what it is to be made for, and how it
is seen that it did what it was asked."""
import contextlib
import os
import subprocess

import lab

READ, WRITE = 0, 2
PEERS = lab.ROOT / "build" / "interop"
SMPMGR, PYTHON = PEERS / "venv" / "bin" / "smpmgr", PEERS / "venv" / "bin" / "python"
MCUMGRCTL, MCUMGR = PEERS / "bin" / "mcumgrctl", PEERS / "bin" / "mcumgr"
MOMENT = "2031-02-03T04:05:06"
BLOB = bytes(range(256)) * 11 + b"end"  # of a file: several chunks on every wire
TEXT = "grüße " + "0123456789" * 10  # two lines of the console


def fresh(**options):
    """The command changes the device: it gets one of its own, made with these options."""
    def mark(method):
        method.fresh = options
        return method
    return mark


def defect(why):
    """The client is wrong here, and the method shows how; its cell has a footnote."""
    def mark(method):
        method.defect = why
        return method
    return mark


def run(program, *args, check=True, timeout=120):
    done = subprocess.run([program, *map(str, args)], capture_output=True, text=True, timeout=timeout,
                          stdin=subprocess.DEVNULL, env={**os.environ, "COLUMNS": "1000"})
    if check:
        assert done.returncode == 0, f"{program} {args}\n{done.stdout}\n{done.stderr}"
    return done


class Client:
    """One client at one wire of one device. What a device is made for stands in `fresh`:
    trial: the second image runs, on trial; second: it is in the secondary."""
    wires = ("serial", "udp")
    there = True  # it is installed
    tool = None  # what setup-peers calls it
    may_be_missing = False  # also with FERRY_NEED_PEERS

    def __init__(self, device, wire, bench, truth):
        self.device, self.wire, self.bench, self.truth = device, wire, bench, truth

    @property
    def link(self):
        return os.path.realpath(self.device.raw_link if self.wire == "raw" else self.device.link)

    def tell(self, op, group, id, payload={}):
        """What the device says to somebody who can be trusted."""
        return self.truth.ask(op, group, id, payload).map

    def images(self):
        return self.tell(READ, 1, 0)["images"]

    def second(self):
        [image] = [i for i in self.images() if i["slot"] == 1]
        return image

    # What was asked of the device, and whether it did it: for every client alike.
    def proves_test(self):
        assert (self.second()["pending"], self.second()["permanent"]) == (True, False)

    def proves_install(self):
        assert (self.second()["pending"], self.second()["permanent"]) == (True, True)

    def proves_confirm(self):
        [running] = [i for i in self.images() if i["active"]]
        assert running["version"] == "2.0.0" and running["confirmed"]

    def proves_upload(self):
        assert self.second()["hash"].hex() == self.bench.hash_of("v2")

    def proves_erase(self):
        assert [i["slot"] for i in self.images()] == [0]

    def proves_update(self):
        self.device.wait_for(r"app 2\.0\.0", timeout=60)

    def proves_restart(self):
        self.device.wait_for(r"(?s)app 1\.0\.0.*app 1\.0\.0", timeout=30)

    def proves_recovery(self):
        self.device.wait_for(r"recovery \(boot-mode\)")

    def proves_date(self):
        assert self.tell(READ, 0, 4)["datetime"].startswith(MOMENT[:-2])

    # ---- Settings: the example's id/name is at first "ferry-device" --------------------------------

    def setting(self):
        return self.tell(READ, 3, 0, {"name": "id/name"})["val"]

    def set(self, value, save=False):
        assert self.tell(WRITE, 3, 0, {"name": "id/name", "val": value}) == {}
        assert not save or self.tell(WRITE, 3, 3) == {}

    def proves_save(self):
        """What was written and saved just now is what a load brings back."""
        self.set(b"not saved")
        assert self.tell(READ, 3, 3) == {} and self.setting() == b"pump"

    @contextlib.contextmanager
    def committed(self):
        """What is inside commits the level below which the log keeps nothing."""
        def entries():
            assert self.tell(WRITE, 1, 5, {"slot": 1}) == {}  # is noted
            return len(self.tell(READ, 4, 0, {"log_name": "device"})["logs"][0]["entries"])
        before = entries()
        assert self.tell(WRITE, 3, 0, {"name": "log/level", "val": b"\3"}) == {}
        assert entries() == before + 1
        yield
        assert entries() == before + 1

    # ---- Files -------------------------------------------------------------------------------------

    @property
    def files(self):
        return self.device.folder / "files"

    def blob(self, name="blob.bin"):
        """A file on the device."""
        (self.files / name).write_bytes(BLOB)
        return name

    @contextlib.contextmanager
    def closed(self):
        """What is inside closes the file of an upload under way: until then the device writes to the
        file that it opened, though its name is gone."""
        def chunk(off, **more):
            return self.tell(WRITE, 8, 0, {"off": off, "name": "open.bin", "data": b"x", **more})
        assert chunk(0, len=100) == {"off": 1}
        (self.files / "open.bin").unlink()
        assert chunk(1) == {"off": 2}
        yield
        assert chunk(2)["err"] == {"group": 8, "rc": 11}

    # ---- Numbers that move -------------------------------------------------------------------------

    @contextlib.contextmanager
    def counters(self, name):
        """A dict to be filled with what the client shows of a set of counters: it is between what
        was told before and after."""
        before, shown = self.tell(READ, 2, 0, {"name": name})["fields"], {}
        yield shown
        after = self.tell(READ, 2, 0, {"name": name})["fields"]
        assert sorted(shown) == sorted(before)
        assert all(before[field] <= shown[field] <= after[field] for field in shown), (before, shown, after)

    def sets(self):
        return self.tell(READ, 2, 1)["stat_list"]
