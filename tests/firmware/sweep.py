#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The power of the nRF51 fails right after each flash operation of a whole upgrade, and of a whole
revert: it must start again, finish, and have nothing left to do.

    tests/firmware/sweep.py [--all] [--stride N] [--jobs N] [--bootloader NAME] [--flow upgrade|revert] [--cut N]

Every erase is tried, every word of the records (marks, journal, trailers), and of each page that is
copied the first word, the last, and one in N. After an erase the page is also left half erased, and
after a word of the records also half programmed: the flash file is edited before the chip starts
again. Needs what `make firmware` builds. A fault prints the line that repeats it."""
import argparse
import concurrent.futures
import dataclasses
import os
import pathlib
import random
import sys
import tempfile
import threading
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import lab  # noqa: E402
import machine  # noqa: E402
import tools  # noqa: E402

PAGE = 1024
COPY = 32  # words of one page, written upwards without a gap: more than any record has
FURTHER = {"1.0.0": 3 * PAGE, "2.0.0": 5 * PAGE}  # data behind the firmware, which is nearly the same in both


@dataclasses.dataclass
class Flow:
    """What a boot of a bootloader has to do, and the version that runs when it is done."""
    bootloader: str
    name: str
    flash: bytes
    version: str
    image: bytes


@dataclasses.dataclass(frozen=True)
class Operation:
    """Number, from 1 on; the address, None for an erase; and whether it copies an image."""
    number: int
    address: int = None
    copies: bool = False


@dataclasses.dataclass
class Result:
    flow: Flow
    operations: int
    cuts: int = 0
    half_erased: int = 0
    half_programmed: int = 0
    bricks: list = dataclasses.field(default_factory=list)
    unfinished: list = dataclasses.field(default_factory=list)

    def __str__(self):
        return (f"{self.flow.bootloader}, {self.flow.name}: {self.operations} operations, {self.cuts} cuts, {self.half_erased} more with a page half "
                f"erased, {self.half_programmed} with a word half programmed: {len(self.bricks)} bricks, "
                f"{len(self.unfinished)} unfinished")

    def good(self):
        """Trying nothing proves nothing."""
        return self.cuts > 0 and self.half_erased > 0 and not self.bricks and not self.unfinished


# ---- The flows ------------------------------------------------------------------------------------

def chip(folder, name="chip"):
    return machine.Microbit(pathlib.Path(folder) / name, name=name, flash_size=tools.Layout("nrf51").flash_size)


def image_of(folder, version):
    """The example firmware with data of its own behind it, so that the versions differ in many pages."""
    name = f"app-v{version[0]}"
    signed = tools.firmware("nrf51", f"{name}.signed.bin")
    header = lab.ferry_json("inspect", signed)["header_size"]
    program, image = pathlib.Path(folder) / f"{name}.bin", pathlib.Path(folder) / f"{name}.signed.bin"
    program.write_bytes(tools.firmware("nrf51", f"{name}.bin").read_bytes()
                        + random.Random(version).randbytes(FURTHER[version]))
    lab.ferry("sign", "-k", tools.CHIPS / "key.pem", "-v", version, "--layout", tools.Layout("nrf51").path,
              "-H", header, "--pad-header", "--input-format", "bin", program, image, check=0)
    return image


def prepare(folder, bootloader="bootloader"):
    """Both flows, as a device comes to them: the real command uploads and asks for the installation,
    for good (upgrade) or as a test that is then not confirmed (revert)."""
    layout = tools.Layout("nrf51")
    v1, v2 = image_of(folder, "1.0.0"), image_of(folder, "2.0.0")
    with chip(folder, "prepared") as one:
        one.program(0, tools.firmware("nrf51", f"{bootloader}.bin"))
        one.program(layout.offset("primary"), v1)
        one.power_on()
        one.wait_for(r"app: 1\.0\.0\s")
        lab.ferry("image", "upload", v2, device=one.uri, check=0)
        image, = [i["hash"] for i in lab.ferry_json("image", "list", device=one.uri)["images"] if i["slot"] == 1]
        one.power_off()
        uploaded = one.read()
        flashes = {}
        for how in ("confirm", "test"):
            one.program(0, uploaded)
            one.power_on()
            one.wait_for(r"app: 1\.0\.0\s")
            lab.ferry("image", how, image, device=one.uri, check=0)
            one.power_off()
            flashes[how] = one.read()
        one.power_on()  # the test begins
        one.wait_for(r"app: 2\.0\.0\s")
        one.power_off()
        return [Flow(bootloader, "upgrade", flashes["confirm"], "2.0.0", v2.read_bytes()),
                Flow(bootloader, "revert", one.read(), "1.0.0", v1.read_bytes())]


def operations_of(one, flow):
    """Every flash operation of the flow, lived to its end."""
    trace = one.folder / "trace"
    one.program(0, flow.flash)
    one.power_on(cut=0, trace=trace)
    one.wait_for(f"app: {flow.version}\\s".replace(".", r"\."))
    one.shut_down()
    seen = [line.split() for line in trace.read_text().splitlines()]
    addresses = [int(address, 16) if window == "0" else None for window, address in seen]
    return [Operation(index + 1, address, is_copy(addresses, index)) for index, address in enumerate(addresses)]


def run_of(addresses, index):
    """The words written upwards without a gap, within a page, that this one is among: (first, behind)."""
    def follows(i):
        return (0 < i < len(addresses) and None not in (addresses[i], addresses[i - 1])
                and addresses[i] == addresses[i - 1] + 4 and addresses[i] % PAGE != 0)
    first, behind = index, index + 1
    while follows(first):
        first -= 1
    while follows(behind):
        behind += 1
    return first, behind


def is_copy(addresses, index):
    first, behind = run_of(addresses, index)
    return addresses[index] is not None and behind - first >= COPY


def chosen(operations, stride):
    """Those to be cut after: all, but of what copies an image the first and last of a page and one in
    stride."""
    for before, this, after in zip([None, *operations], operations, [*operations[1:], None]):
        inside = this.copies and before is not None and before.copies and after is not None and after.copies \
            and this.address % PAGE not in (0, PAGE - 4)
        if not inside or this.number % stride == 0:
            yield this


def neighbours(operations):
    """The operations in groups of successive numbers, of 16 at most, which is work for one thread."""
    group = []
    for operation in operations:
        if group and (operation.number != group[-1].number + 1 or len(group) == 16):
            yield group
            group = []
        group.append(operation)
    if group:
        yield group


# ---- A cut, and what comes after ------------------------------------------------------------------

def cut_after(one, flow, number):
    """The flash as the cut leaves it."""
    one.program(0, flow.flash)
    one.power_on(cut=number)
    one.wait_for_cut()
    assert one.operations()[0] == number
    return one.read()


def half_erased(before, after, seed):
    """One erase lies between the two: some bits of its page are erased, some are not. None when the
    page was blank already."""
    pages = [at for at in range(0, len(after), PAGE) if before[at:at + PAGE] != after[at:at + PAGE]]
    if not pages:
        return None
    at, = pages
    old = int.from_bytes(before[at:at + PAGE], "little")
    page = old | random.Random(seed).getrandbits(8 * PAGE)
    return after[:at] + page.to_bytes(PAGE, "little") + after[at + PAGE:]


def half_programmed(before, after, address, seed):
    """One word was written between the two: some of its bits are not programmed. None when none was
    to be."""
    old, new = (int.from_bytes(flash[address:address + 4], "little") for flash in (before, after))
    if old == new:
        return None
    word = new | (old & random.Random(seed).getrandbits(32))
    return after[:address] + word.to_bytes(4, "little") + after[address + 4:]


def life_after(one, flow, flash, primary, timeout):
    """Start with this flash. Returns None when all is well, or (kind of fault, words)."""
    one.program(0, flash)
    one.power_on()
    try:
        for start in ("the start", "a reset more"):
            said, version = one.wait_for(r"app: (\S+)|boot: recovery", timeout)
            if version is None:
                return "brick", f"no image runs after {start}: {said}"
            if version != flow.version:
                return "unfinished", f"{version} runs after {start}"
            if start == "the start":
                left = one.read()
                one.reset()
        if one.read() != left:
            return "unfinished", "one reset more still wrote to the flash"
        if left[primary:primary + len(flow.image)] != flow.image:
            return "brick", f"{version} runs, and is not whole"
        return None
    except AssertionError as silence:
        return "brick", str(silence)
    finally:
        one.power_off()


class Sweep:
    """One flow. damage: what happens to the flash between cut and start, for a seeded defect."""

    def __init__(self, flow, folder, stride=64, jobs=2, damage=None, timeout=machine.LIMIT):
        self.flow, self.folder, self.stride, self.jobs = flow, folder, stride, jobs
        self.damage, self.timeout = damage or (lambda flash: flash), timeout
        self.primary = tools.Layout("nrf51").offset("primary")
        self.machines, self.here, self.lock = [], threading.local(), threading.Lock()
        self.result = None

    def machine(self):
        """This thread's own."""
        if not hasattr(self.here, "machine"):
            with self.lock:
                self.here.machine = chip(self.folder, f"{self.flow.name}{len(self.machines)}")
                self.machines.append(self.here.machine)
        return self.here.machine

    def live(self, flash, number, how):
        """One life after a cut, counted by how."""
        fault = life_after(self.machine(), self.flow, self.damage(flash), self.primary, self.timeout)
        with self.lock:
            setattr(self.result, how, getattr(self.result, how) + 1)
            if fault:
                kind, words = fault
                faults = self.result.bricks if kind == "brick" else self.result.unfinished
                faults.append(f"{kind}: {words}\n  next: tests/firmware/sweep.py --bootloader {self.flow.bootloader}"
                              f" --flow {self.flow.name} --cut {number} ({how})")

    def cut(self, operation, before):
        """After the operation, and within it; but words of a copy are many, and copied again. before: the
        flash as it was without the operation, or None. Returns the flash with it."""
        number = operation.number
        after = cut_after(self.machine(), self.flow, number)
        self.live(after, number, "cuts")
        if operation.copies:
            return after
        if before is None:
            before = cut_after(self.machine(), self.flow, number - 1) if number > 1 else self.flow.flash
        if operation.address is None:
            flash, how = half_erased(before, after, number), "half_erased"
        else:
            flash, how = half_programmed(before, after, operation.address, number), "half_programmed"
        if flash is not None:
            self.live(flash, number, how)
        return after

    def cut_neighbours(self, operations):
        """Those that follow each other: what one leaves is what the next one begins with."""
        flash = None
        for operation in operations:
            if len(self.result.bricks) + len(self.result.unfinished) < 3:
                flash = self.cut(operation, flash)

    def run(self, only=None):
        """All that is to be cut, or one operation by its number. Ends early after three faults."""
        try:
            operations = operations_of(self.machine(), self.flow)
            self.result = Result(self.flow, len(operations))
            cuts = [*chosen(operations, self.stride)] if only is None else [operations[only - 1]]
            with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
                for done in [pool.submit(self.cut_neighbours, group) for group in neighbours(cuts)]:
                    done.result()
            return self.result
        finally:
            for one in self.machines:
                one.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="every word of a copy, too")
    parser.add_argument("--stride", type=int, default=32, help="one in N of the words of a copy (default 32)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="machines at once")
    parser.add_argument("--bootloader", default="bootloader", metavar="NAME",
                        help="of build/chips/nrf51 (default bootloader; also bootloader-move)")
    parser.add_argument("--flow", choices=["upgrade", "revert"], help="one alone")
    parser.add_argument("--cut", type=int, metavar="N", help="after operation N alone")
    options = parser.parse_args()
    tools.build()
    good = True
    with tempfile.TemporaryDirectory(prefix="ferry-") as folder:
        for flow in prepare(folder, options.bootloader):
            if options.flow in (None, flow.name):
                begin = time.monotonic()
                result = Sweep(flow, folder, 1 if options.all else options.stride, options.jobs).run(options.cut)
                print(f"{result} ({time.monotonic() - begin:.0f} s)")
                print(*result.bricks, *result.unfinished, sep="\n", end="")
                good = good and not result.bricks and not result.unfinished and result.cuts > 0
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
