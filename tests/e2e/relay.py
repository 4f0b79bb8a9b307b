# SPDX-License-Identifier: Apache-2.0
"""A path for UDP between a client and a server, in this process: it loses, doubles and replays datagrams,
by a seed, and keeps all that passed."""
import random
import select
import socket
import threading

UP, DOWN = "up", "down"  # to the server, to the client


class Relay:
    """Clients send to .port of .host; each is a client of its own at the server.

    loss, doubling: percent of the datagrams of both ways. drops(way, number, data): whether the number-th
    datagram of a way, from 0, is lost as well."""

    def __init__(self, port, host="127.0.0.1", loss=0, doubling=0, seed=1, drops=None):
        self.server = (host, port)
        self.loss, self.doubling, self.drops = loss, doubling, drops
        self.luck = random.Random(seed)
        self.passed = {UP: [], DOWN: []}  # what was sent, what is lost among it
        self.front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.front.bind((host, 0))
        self.host, self.port = self.front.getsockname()
        self.backs = {}  # by the client's address, in the order they came
        self.lock = threading.Lock()
        self.wake, self.woken = socket.socketpair()
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.wake.send(b"end")
        self.thread.join(10)
        for one in [self.front, self.wake, self.woken, *self.backs.values()]:
            one.close()
        assert not self.thread.is_alive()

    def sizes(self, way):
        return [len(data) for data in self.passed[way]]

    def replay(self, datagrams, way=UP):
        """Send datagrams once more, as from the client that came last, or to it."""
        with self.lock:
            client, back = list(self.backs.items())[-1]
        for data in datagrams:
            if way == UP:
                back.send(data)
            else:
                self.front.sendto(data, client)

    def _is_lost(self, way, data):
        number = len(self.passed[way])
        self.passed[way].append(data)
        return (self.drops is not None and self.drops(way, number, data)) or \
            self.luck.random() * 100 < self.loss

    def _carry(self, way, data, send):
        if self._is_lost(way, data):
            return
        for _ in range(2 if self.luck.random() * 100 < self.doubling else 1):
            try:
                send(data)
            except ConnectionRefusedError:
                pass  # nobody listens (yet): lost

    def _back_of(self, client):
        if client not in self.backs:
            back = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            back.connect(self.server)
            with self.lock:
                self.backs[client] = back
        return self.backs[client]

    def _serve(self):
        while True:
            ways = {back: client for client, back in self.backs.items()}
            ready, _, _ = select.select([self.woken, self.front, *ways], [], [])
            if self.woken in ready:
                return
            for one in ready:
                try:
                    data, sender = one.recvfrom(65536)
                except ConnectionRefusedError:
                    continue
                if one is self.front:
                    self._carry(UP, data, self._back_of(sender).send)
                else:
                    self._carry(DOWN, data, lambda d, to=ways[one]: self.front.sendto(d, to))
