# SPDX-License-Identifier: Apache-2.0
"""Inside the virtual machine: does what the host asks, a line of JSON each way over a virtio port."""
import base64
import glob
import json
import os
import pathlib
import subprocess
import time

LOGS = pathlib.Path("/run/log")
PROCESSES = {}


def run(argv, timeout, env=None, text=""):
    try:
        done = subprocess.run(argv, env={**os.environ, **(env or {})}, input=text.encode(), capture_output=True,
                              timeout=timeout)
    except subprocess.TimeoutExpired as late:
        return {"code": -1, "out": (late.stdout or b"").decode(errors="replace"),
                "err": (late.stderr or b"").decode(errors="replace") + f"\nended after {timeout} s"}
    except OSError as error:
        return {"code": -1, "out": "", "err": str(error)}
    return {"code": done.returncode, "out": done.stdout.decode(errors="replace"),
            "err": done.stderr.decode(errors="replace")}


def start(name, argv, env=None):
    with open(LOGS / name, "wb") as log:
        PROCESSES[name] = subprocess.Popen(argv, env={**os.environ, **(env or {})}, stdin=subprocess.PIPE, stdout=log,
                                           stderr=log)
    return {}


def tell(name, text):
    PROCESSES[name].stdin.write(text.encode())
    PROCESSES[name].stdin.flush()
    return {}


def stop(name):
    process = PROCESSES.pop(name)
    process.terminate()
    try:
        return {"code": process.wait(5)}
    except subprocess.TimeoutExpired:
        process.kill()
        return {"code": process.wait()}


def log(name):
    return {"text": (LOGS / name).read_text(errors="replace")}


def wait(timeout, name=None, text=None, count=1, path=None):
    """Until the process has said the text so many times, or until the path is there."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if log(name)["text"].count(text) >= count if name else os.path.exists(path):
            return {"there": True}
        time.sleep(0.05)
    return {"there": False}


def write(path, data, mode=0o644):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(base64.b64decode(data))
    path.chmod(mode)
    return {}


DOES = {does.__name__: does for does in (run, start, tell, stop, log, wait, write)}


def main():
    LOGS.mkdir(parents=True)
    with open(glob.glob("/dev/vport*")[0], "r+b", buffering=0) as port:
        port.write(b'{"ready": true}\n')
        rest = b""
        while True:
            while b"\n" not in rest:
                rest += port.read(65536)
            line, _, rest = rest.partition(b"\n")
            request = json.loads(line)
            if request["do"] == "end":
                return
            does = DOES[request.pop("do")]
            try:
                answer = does(**request)
            except Exception as error:  # the host is told, and goes on
                answer = {"error": repr(error)}
            answer = json.dumps(answer).encode() + b"\n"
            while answer:
                answer = answer[port.write(answer):]


main()
