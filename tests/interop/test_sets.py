# SPDX-License-Identifier: Apache-2.0
"""Images that change as one, by other people's tools: signed by imgtool with dependencies on each
other, uploaded and marked one by one by smpmgr, which knows nothing of sets."""
import json

import lab
from conftest import peer

DATA_SIZE = 0x20000


def imgtool(bench, version, source, out, size, needs):
    peer("imgtool", "sign", "-k", bench.key, "-v", version, "-H", "0x200", "--pad-header", "-S",
         hex(size), "--align", "8", "-d", needs, source, out)
    return out


def images(bench, folder, version, program):
    """Program and data of a version, each of which needs the other one."""
    raw = folder / f"{version}.raw"
    raw.write_bytes(version.encode() * 3000)
    return (imgtool(bench, version, lab.FIRMWARE / f"{program}.elf", folder / f"{version}.app",
                    lab.SLOT_SIZE, f"(1, {version})"),
            imgtool(bench, version, raw, folder / f"{version}.data", DATA_SIZE, f"(0, {version})"))


def layout():
    text = json.loads(lab.layout("swap-shift"))
    text["areas"] += [{"name": f"data{i}", "device": "internal",
                       "offset": hex(0xb0000 + i * DATA_SIZE), "size": DATA_SIZE} for i in (0, 1)]
    text["images"].append({"primary": "data0", "secondary": "data1", "strategy": "swap-move"})
    text["set"] = True
    return json.dumps(text)


def running(device):
    listed = lab.ferry_json("image", "list", device=device.uri)["images"]
    return {i["image"]: (i["version"], i["confirmed"]) for i in listed if i["active"]}


def test_a_set_by_smpmgr_and_imgtool(tmp_path, bench):
    old = images(bench, tmp_path, "1.0.0", "app-v1")
    new = images(bench, tmp_path, "2.0.0", "app-v2")
    bench.images["old"] = old[0]
    with lab.Device(tmp_path / "device", bench, image="old", layout=layout(),
                    flash=[f"data0={old[1]}"]) as device:
        device.wait_for(r"app 1\.0\.0")
        where = ["--port", str(device.link), "--timeout", "10"]
        hashes = [lab.ferry_json("verify", "-k", bench.key, file)["hash"] for file in new]
        # The program alone: what it depends on is not there.
        peer("smpmgr", *where, "image", "upload", new[0])
        peer("smpmgr", *where, "image", "state-write", hashes[0])
        peer("smpmgr", *where, "os", "reset")
        device.wait_for(r"image 1 in version 2\.0\.0 or newer(.*\n)*.*app 1\.0\.0 started")
        assert running(device) == {0: ("1.0.0", True), 1: ("1.0.0", True)}
        # Both: one reset, one confirm.
        peer("smpmgr", *where, "image", "upload", "--slot", "1", new[1])
        for each in hashes:
            peer("smpmgr", *where, "image", "state-write", each)
        peer("smpmgr", *where, "os", "reset")
        device.wait_for(r"app 2\.0\.0 started")
        assert running(device) == {0: ("2.0.0", False), 1: ("2.0.0", False)}
        peer("smpmgr", *where, "image", "state-write", "--confirm")
        assert running(device) == {0: ("2.0.0", True), 1: ("2.0.0", True)}
