# SPDX-License-Identifier: Apache-2.0
"""A server that is not Ferry's, played on UDP: what it answers is a table."""
import socket
import struct
import threading

import cbor2

READ, WRITE = 0, 2


class Foreign:
    """Answers (op, group, command) with a map, bytes of CBOR as they are, or what a function of the
    request's map makes of it; None: no answer. What is not in the table is rc 8, as everywhere.
    asked keeps (op, group, command, map) of all requests but os/6."""

    def __init__(self, table, params=True):
        self.table = dict(table)
        if params:
            self.table[READ, 0, 6] = {"buf_size": 1024, "buf_count": 4}
        self.asked = []
        self.ended = False
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.05)
        self.uri = f"udp:127.0.0.1:{self.socket.getsockname()[1]}"
        self.thread = threading.Thread(target=self.serve)

    def answer(self, op, group, command, request):
        found = self.table.get((op, group, command), {"rc": 8})
        found = found(request) if callable(found) else found
        return found if found is None or isinstance(found, bytes) else cbor2.dumps(found)

    def serve(self):
        while not self.ended:
            try:
                packet, peer = self.socket.recvfrom(65536)
            except TimeoutError:
                continue
            first, _, _, group, seq, command = struct.unpack(">BBHHBB", packet[:8])
            request = cbor2.loads(packet[8:])
            if (group, command) != (0, 6):
                self.asked.append((first & 7, group, command, request))
            payload = self.answer(first & 7, group, command, request)
            if payload is not None:
                self.socket.sendto(struct.pack(">BBHHBB", first + 1, 0, len(payload), group, seq,
                                               command) + payload, peer)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended = True
        self.thread.join(timeout=10)
        self.socket.close()
