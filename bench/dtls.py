#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What DTLS costs: `ferry echo` to a virtual device, over UDP, over DTLS with a PSK and with certificates at
both ends, in turn. Datagrams and bytes of each way are counted on the path between;
times are ratios to plain UDP in the same run, medians of many. Nothing fails but what does not work."""
import contextlib
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "e2e"))
import dtls  # noqa: E402
import lab  # noqa: E402
from relay import DOWN, UP, Relay  # noqa: E402

TURNS = 30
HANDSHAKE = (20, 22)  # records: change cipher spec, handshake


def ferry(uri, keys, *words):
    begin = time.perf_counter()
    subprocess.run([lab.FERRY, "-d", uri, *words], check=True, timeout=60, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **keys})
    return time.perf_counter() - begin


def ways(folder, bench, stack):
    """Name: (scheme, keys, device)."""
    certificates = dtls.Certificates(folder)
    cert, key = certificates.signed("device")
    own, own_key = certificates.signed("station")
    psk = folder / "psk"
    psk.write_text(f"{dtls.IDENTITY}:{dtls.PSK}\n")
    psk.chmod(0o600)
    kinds = {
        "UDP": ("udp", {}, {}),
        "DTLS, PSK": ("dtls", dtls.psk_environment(), {"dtls": 0, "dtls_psk": psk}),
        "DTLS, certificates": ("dtls", {"FERRY_DTLS_CA": str(certificates.ca), "FERRY_DTLS_CERT": str(own),
                                        "FERRY_DTLS_KEY": str(own_key)},
                               {"dtls": 0, "dtls_cert": cert, "dtls_key": key, "dtls_ca": certificates.ca}),
    }
    for number, (name, (scheme, keys, options)) in enumerate(kinds.items()):
        device = stack.enter_context(lab.Device(folder / str(number), bench, **options))
        device.wait_for(r"app 1\.0\.0 started")
        yield name, scheme, keys, device


def counted(scheme, keys, device):
    """(datagrams, bytes) of each way: of the handshake, and of all of an echo."""
    with Relay(device.udp_port) as relay:
        ferry(f"{scheme}:127.0.0.1:{relay.port}", keys, "echo", "hello")
        sums = []
        for way in (UP, DOWN):
            passed = relay.passed[way]
            hand = [d for d in passed if scheme == "dtls" and d[0] in HANDSHAKE]
            sums += [len(hand), sum(map(len, hand)), len(passed), sum(map(len, passed))]
        return sums


def main():
    with contextlib.ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "bench").mkdir()
        bench = lab.Bench(folder / "bench")
        all_ways = list(ways(folder, bench, stack))
        echoes = {name: [] for name, *_ in all_ways}
        for _ in range(TURNS):
            for name, scheme, keys, device in all_ways:
                echoes[name].append(ferry(f"{scheme}:127.0.0.1:{device.udp_port}", keys, "echo", "hello"))
        print(f"{'datagrams and bytes':20} {'of the handshake':>33} {'of the whole command':>33}   time")
        print(f"{'':20} {'to the device':>16} {'to ferry':>16} {'to the device':>16} {'to ferry':>16}  x UDP")
        for name, scheme, keys, device in all_ways:
            up_n, up_b, up_all_n, up_all_b, down_n, down_b, down_all_n, down_all_b = counted(scheme, keys, device)
            ratio = statistics.median(echoes[name]) / statistics.median(echoes["UDP"])
            print(f"{name:20} {up_n:9} {up_b:6} {down_n:9} {down_b:6} {up_all_n:9} {up_all_b:6} {down_all_n:9} {down_all_b:6}"
                  f"  {ratio:5.2f}")


if __name__ == "__main__":
    main()
