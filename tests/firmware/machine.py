# SPDX-License-Identifier: Apache-2.0
"""Chips in QEMU: a micro:bit (nRF51) and an AST1030 evaluation board. Flash is a file that outlives
the process; power_off() is SIGKILL. Every QEMU is ended by its process id, dies with the test that
started it, and has a limit of processor time, so that none is left behind."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import warnings

import tools
import wires

LIMIT = 60  # seconds for what takes a tenth of one on a quiet machine
MONITOR_LIMIT = 15  # seconds for QEMU's monitor to answer, which takes 0.05
STARTS = 3
CPU_LIMIT = 900  # seconds of processor time a QEMU may take in its life
CUT = -signal.SIGKILL  # the exit code of a machine whose power was cut


class Machine:
    """What both boards have in common. A board says its flash and the arguments that make it.

    folder: of the flash file and the logs, for this machine alone.
    peer: a machine whose UART this one's link leads to; it may be off, the link is dialled again."""

    FLASH_SIZE = 0
    WINDOWS = ()  # what the plugin counts: stores to these addresses
    CUT_WAIT_MS = 0

    def __init__(self, folder, peer=None, name=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.name = name or self.folder.name
        self.peer = peer
        self.process = None
        self.monitor = None
        self.pressed = False
        self.events = []  # QEMU's own, by name, since the power came on
        self.sockets = pathlib.Path(tempfile.mkdtemp(prefix="ferry-"))  # names of sockets must be short
        self.flash = self.folder / "flash.bin"
        self.messages = wires.Log(self.folder / "qemu.log")
        self.logs = {"console": wires.Log(self.folder / "console.log")}
        self.console = self.logs["console"]
        if not self.flash.exists():
            self.erase()

    # ---- Flash, as a programmer sees it: the chip is off --------------------------------------------

    def erase(self):
        self.flash.write_bytes(b"\xff" * self.FLASH_SIZE)

    def program(self, offset, data):
        """Put a file's content, or bytes, at an offset."""
        data = data if isinstance(data, bytes) else pathlib.Path(data).read_bytes()
        assert not self.running() and offset + len(data) <= self.FLASH_SIZE
        with open(self.flash, "r+b") as file:
            file.seek(offset)
            file.write(data)

    def read(self, offset=0, size=None):
        with open(self.flash, "rb") as file:
            file.seek(offset)
            return file.read(-1 if size is None else size)

    # ---- Power --------------------------------------------------------------------------------------

    def power_on(self, cut=None, trace=None, icount=None):
        """Start it.

        cut: the plugin counts flash operations, and kills the machine right after that one; 0: never.
             One that is to die so, perhaps at once, has neither reset() nor button().
        trace: a file for each operation counted, needs cut.
        icount: N, an instruction takes 2^N ns of the chip's time and nothing depends on this computer."""
        assert not self.running()
        for log in (*self.logs.values(), self.messages):
            log.begin()
        self.operations_file.unlink(missing_ok=True)
        self.events.clear()
        command = ["setpriv", "--pdeathsig", "KILL", "prlimit", f"--cpu={CPU_LIMIT}", "qemu-system-arm",
                   "-display", "none", "-nodefaults", *self.board(), *self.uarts()]
        if cut is not None:
            command += ["-plugin", self.plugin(cut, trace)]
        if icount is not None:
            command += ["-icount", f"shift={icount}"]
        if cut:
            self.begin(command)
        else:
            self.begin_with_monitor([*command, *self.control(), "-S", "-qmp",
                                     f"unix:{self.sockets}/qmp,server=on,wait=off"])
        return self

    def begin(self, command):
        with open(self.messages.path, "ab") as messages:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=messages,
                                            stderr=messages, env={**os.environ, **self.environment()})

    def begin_with_monitor(self, command):
        """One start in a thousand QEMU 7.2 greets and never answers. The processor stands still until it has
        answered, so nothing is lost by another start, which is told."""
        for _ in range(STARTS):
            self.begin(command)
            try:
                self.open_monitor()
                return
            except TimeoutError:
                warnings.warn(f"{self.name}: QEMU's monitor did not answer in {MONITOR_LIMIT} s: started again")
                self.power_off()
        raise TimeoutError(f"{self.name}: QEMU's monitor did not answer in {STARTS} starts\n{self.told()}")

    def open_monitor(self):
        """Once it answers, the UARTs are there, too, and the processor begins."""
        try:
            stream = wires.connect(self.sockets / "qmp", self.must_run, MONITOR_LIMIT)
            self.monitor = stream.makefile("rwb", buffering=0)
            self.monitor.readline()  # the greeting
            self.qmp("qmp_capabilities")
            self.qmp("cont")
            stream.settimeout(LIMIT)
        except ConnectionError:
            self.process.wait(LIMIT)
            self.must_run()

    def power_off(self):
        """Pull the plug."""
        if self.running():
            self.process.kill()
        self.forget()

    def shut_down(self):
        """End QEMU, which writes down what the plugin counted."""
        self.process.terminate()
        self.process.wait(LIMIT)
        self.forget()

    def forget(self):
        if self.process is not None:
            self.process.wait(LIMIT)
            self.process = None
        if self.monitor is not None:
            self.monitor.close()
            self.monitor = None

    def wait_for_cut(self, timeout=LIMIT):
        """Wait until the plugin has cut the power."""
        code = self.process.wait(timeout)
        assert code == CUT, f"QEMU ended with {code} instead of the cut\n{self.told()}"
        self.forget()

    def close(self):
        self.power_off()
        shutil.rmtree(self.sockets, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def running(self):
        return self.process is not None and self.process.poll() is None

    def must_run(self):
        assert self.running(), f"{self.name}: QEMU ended\n{self.told()}"

    # ---- Wires --------------------------------------------------------------------------------------

    @property
    def serial(self):
        """The socket of the console's UART: one program at a time."""
        return self.sockets / "serial"

    @property
    def uri(self):
        """For `ferry -d`."""
        return f"unix:{self.serial}"

    def line(self):
        return wires.Line(self.serial, LIMIT)

    def pty(self):
        return wires.Pty(self.serial)

    def wait_for(self, pattern, timeout=LIMIT, log=None):
        """Wait until the console (or another log) says it, behind what was last waited for. Returns
        the match and its groups."""
        log = log or self.console
        end = time.monotonic() + timeout
        while True:
            alive = self.running()  # asked first: what was said before it ended counts
            found = log.find(pattern)
            if found:
                return found
            assert alive, f"{self.name} ended without {pattern!r}\n{self.told()}"
            assert time.monotonic() < end, f"{self.name}: no {pattern!r} in {timeout} s\n{self.told()}"
            time.sleep(0.003)

    def told(self):
        """All that is known of it, for a person who looks for a fault. Frames of SMP are left out."""
        parts = {**{name: log.words() for name, log in self.logs.items()}, "qemu": self.messages.text()}
        return "\n".join(f"-- {self.name}: {name} --\n{text[-4000:]}" for name, text in parts.items() if text)

    def listening(self, name, socket):
        """A UART that programs connect to. It is logged whether or not somebody does."""
        return self.chardev(name, f"path={socket},server=on,wait=off")

    def dialling(self, name, peer):
        return self.chardev(name, f"path={peer.serial},reconnect=1")

    def chardev(self, name, where):
        log = self.logs.setdefault(name, wires.Log(self.folder / f"{name}.log"))
        return ["-chardev", f"socket,id={name},{where},logfile={log.path},logappend=on",
                "-serial", f"chardev:{name}"]

    # ---- Hands --------------------------------------------------------------------------------------

    def qmp(self, command, **arguments):
        """One command to QEMU's monitor; what happened until then is in `events`."""
        self.monitor.write(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        while True:
            line = self.monitor.readline()
            if not line:
                raise ConnectionResetError("QEMU's monitor is gone")
            answer = json.loads(line)
            self.events += [answer["event"]] if "event" in answer else []
            if "return" in answer or "error" in answer:
                assert "return" in answer, f"{command} {arguments}: {answer}\n{self.told()}"
                return answer["return"]

    def reset(self):
        """The reset pin: RAM stays, as with a reset by software. A reset lets go of the button in QEMU; here
        the processor stands still until it is where the hand holds it."""
        self.qmp("stop")
        resets = self.events.count("RESET")  # one of the chip's own may have been told just now
        self.qmp("system_reset")
        while self.events.count("RESET") == resets:
            self.qmp("query-status")
        if self.pressed:
            self.button(True)
        self.qmp("cont")

    # ---- The plugin's counts ------------------------------------------------------------------------

    @property
    def operations_file(self):
        return self.folder / "operations"

    def plugin(self, cut, trace):
        words = [str(tools.plugin()), f"out={self.operations_file}", f"cut={cut}", f"wait={self.CUT_WAIT_MS}"]
        words += [f"trace={trace}"] if trace else []
        return ",".join(words + [f"op={window}" for window in self.WINDOWS])

    def operations(self):
        """What the plugin counted up to the cut or shut_down(): (flash operations, instructions)."""
        words = dict(word.split("=", 1) for word in self.operations_file.read_text().split()[1:])
        return int(words["ops"]), int(words["insns"])

    # ---- What a board says --------------------------------------------------------------------------

    def board(self):
        raise NotImplementedError

    def uarts(self):
        raise NotImplementedError

    def control(self):
        return []

    def environment(self):
        return {}


class Microbit(Machine):
    """nRF51822: Cortex-M0, 256 KiB of flash in pages of 1 KiB, 16 KiB of RAM, one UART. It starts from
    what is in its flash, and keeps nothing else over power_off().

    With a peer the UART is the link to it; then what the firmware says by semihosting is the console.
    flash_size, ram_size: another member of the family."""

    BUTTON_A = 17
    ERASE_PAGE = "4001e508-4001e50c"  # NVMC.ERASEPAGE

    def __init__(self, folder, peer=None, name=None, flash_size=0x40000, ram_size=0x4000):
        self.FLASH_SIZE, self.ram_size = flash_size, ram_size
        self.WINDOWS = (f"0-{flash_size:x}", self.ERASE_PAGE)
        super().__init__(folder, peer, name)

    def board(self):
        return ["-M", "microbit", "-global", f"nrf51-soc.flash-size={self.FLASH_SIZE}",
                "-global", f"nrf51-soc.sram-size={self.ram_size}"]

    def environment(self):
        return {"LD_PRELOAD": str(tools.preload()), "NVSHIM_FILE": str(self.flash),
                "NVSHIM_SIZE": hex(self.FLASH_SIZE)}

    def uarts(self):
        if self.peer is None:
            return self.listening("console", self.serial)
        return [*self.dialling("link", self.peer), "-chardev", f"file,id=console,path={self.console.path},append=on",
                "-semihosting-config", "enable=on,target=native,chardev=console"]

    def control(self):
        """Inputs of GPIO can be driven over the protocol of QEMU's own tests alone."""
        return ["-qtest", f"unix:{self.sockets}/qtest,server=on,wait=off", "-qtest-log", "/dev/null",
                "-accel", "tcg"]

    def button(self, pressed):
        """Button A, which pulls its pin down."""
        self.pressed = pressed
        with wires.connect(self.sockets / "qtest", self.must_run, LIMIT) as stream:
            stream.sendall(f"set_irq_in /machine/nrf51 unnamed-gpio-in {self.BUTTON_A} {int(not pressed)}\n".encode())
            answer = stream.recv(100)
        assert answer.startswith(b"OK"), answer


class Ast1030(Machine):
    """AST1030: Cortex-M4, 768 KiB of SRAM, 4 MiB of SPI flash in sectors of 4 KiB, a watchdog. What the
    boot ROM would load is `program` (ELF), which QEMU puts into SRAM at every reset.

    The console is UART5; UART1 is the link to a peer, or listens at `serial1`."""

    FLASH_SIZE = 0x400000
    WINDOWS = ("7e620010-7e620014",)  # chip select of the flash: an operation ends when it rises
    CUT_WAIT_MS = 50  # QEMU writes the file from another thread

    def __init__(self, folder, program, peer=None, name=None):
        super().__init__(folder, peer, name)
        self.program_file = program

    @property
    def serial1(self):
        return self.sockets / "serial1"

    def board(self):
        return ["-M", "ast1030-evb", "-kernel", str(self.program_file),
                "-drive", f"if=mtd,index=0,format=raw,file={self.flash}"]

    def uarts(self):
        second = self.listening("uart1", self.serial1) if self.peer is None else self.dialling("link", self.peer)
        return [*self.listening("console", self.serial), *second]

    def button(self, pressed):
        """GPIO A0."""
        self.pressed = pressed
        self.qmp("qom-set", path="/machine/soc/gpio", property="gpioA0", value=pressed)
