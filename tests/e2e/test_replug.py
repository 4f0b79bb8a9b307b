# SPDX-License-Identifier: Apache-2.0
"""A cable that is pulled in the middle and put back, and one that is not."""
import re
import subprocess
import time

import pytest

import lab

BAUD = 460800  # slow enough to be in the middle


def begin(device, *command):
    process = subprocess.Popen([lab.FERRY, "-v", "-v", "-d", f"{device.uri}?baud={BAUD}", *map(str, command)],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return process


def in_the_middle(process, chunks=20):
    """Read what the command says until so many packets were sent."""
    seen = []
    while len([line for line in seen if line.startswith("-> ")]) < chunks:
        line = process.stderr.readline()
        assert line, "".join(seen)
        seen.append(line)


@pytest.mark.parametrize("command", [("image", "upload"), ("update",)])
def test_pulled_and_put_back(tmp_path, bench, command):
    device = lab.Device(tmp_path / "device", bench, baud=BAUD)
    with device:
        device.wait_for(r"app 1\.0\.0 started")
        process = begin(device, *command, bench.images["v2"])
        try:
            in_the_middle(process)
            device.kill()
            time.sleep(0.3)
            device.start()
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
        assert process.returncode == 0, out + err[-3000:]
        assert "waiting up to 30 s" in err and "going on" in err
        if command == ("update",):
            assert device.running()["version"] == "2.0.0"
        else:
            listed = lab.ferry_json("image", "list", device=device.uri)["images"]
            assert [image["version"] for image in listed] == ["1.0.0", "2.0.0"]
            assert re.fullmatch("[0-9a-f]{64}", listed[1]["hash"])
