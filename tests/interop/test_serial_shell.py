# SPDX-License-Identifier: Apache-2.0
"""smpmgr on a console that is a shell too, while somebody types there."""
import os
import random
import subprocess
import sys
import threading
import tty

import lab

SMPMGR = os.path.join(os.path.dirname(sys.executable), "smpmgr")
TRIES = 3  # a key that falls into a frame spoils it, and smpmgr does not send a frame again


def smpmgr(device, *words):
    for _ in range(TRIES):
        done = subprocess.run([SMPMGR, "--port", os.path.realpath(device.link), *map(str, words)],
                              capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
        if done.returncode == 0:
            return done.stdout
    raise AssertionError(done.stdout + done.stderr)


def test_smpmgr_while_somebody_types(tmp_path, bench):
    layout = lab.layout("swap-move", server={"serial_shell": True})
    with lab.Device(tmp_path / "device", bench, layout=layout) as device:
        device.wait_for(r"app 1\.0\.0 started")
        keys = os.open(device.link, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(keys)
        done = threading.Event()

        def type_on():
            choose = random.Random(1)
            while not done.wait(choose.uniform(0, 0.05)):
                os.write(keys, choose.choice([b"version\r", b"v", b"\x15", b"help\r"]))

        typist = threading.Thread(target=type_on)
        typist.start()
        try:
            assert "hello" in smpmgr(device, "os", "echo", "hello")
            smpmgr(device, "image", "upload", bench.images["v2"])
            assert bench.hash_of("v2") in smpmgr(device, "image", "state-read").lower()
        finally:
            done.set()
            typist.join()
            os.close(keys)
        assert "\napp 1.0.0\n" in device.log()
