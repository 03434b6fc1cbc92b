"""A real Redis on a free port, and a stand-in that does to its clients what a broken or hostile one does."""
import shutil
import socket
import socketserver
import threading

import pytest

from harness import Process
from proxies import free_port


class Redis(Process):
    """A redis-server that keeps nothing on disk; `port` is the one to come back on."""

    def __init__(self, folder, *options, port=None):
        if not shutil.which("redis-server"):
            pytest.skip("redis-server is not installed")
        self.port = port or free_port()
        super().__init__(["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", *options],
                         cwd=folder)
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.wait_line("Ready to accept connections")

    def call(self, *words):
        """The reply to one command: bytes, a number, None, a list, or ValueError for an error."""
        command = b"*%d\r\n" % len(words)
        for word in words:
            word = word if isinstance(word, bytes) else str(word).encode()
            command += b"$%d\r\n%s\r\n" % (len(word), word)
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection, connection.makefile("rb") as replies:
            connection.sendall(command)
            return read_reply(replies)

    def cells(self):
        """The keys under which curves stand."""
        return sorted(key.decode() for key in self.call("KEYS", "masthead:*") if b"lock:" not in key and b"budget:" not in key)


def read_reply(replies):
    line = replies.readline()
    kind, rest = line[:1], line[1:-2]
    if kind == b"-":
        raise ValueError(rest.decode())
    if kind == b":":
        return int(rest)
    if kind == b"+":
        return rest
    if kind == b"*":
        return [read_reply(replies) for _ in range(int(rest))]
    return None if rest == b"-1" else replies.read(int(rest) + 2)[:-2]


class StandIn:
    """A server that answers whatever it is sent with `answer(connection)`."""

    def __init__(self, answer):
        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                try:
                    while self.request.recv(65536):
                        answer(self.request)
                except OSError:
                    pass

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"redis://127.0.0.1:{self.server.server_address[1]}/0"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
