"""Clients that hold on to connections, each kind in a process of its own so that it does not slow the test that measures."""
import contextlib
import multiprocessing
import selectors
import socket
import time

QUESTION = b"GET /masthead.js HTTP/1.1\r\nHost: localhost\r\n\r\n"
PIPELINED = QUESTION * 1500
STEP_S = 0.05   # between two bytes of the slow ones
AGAIN_S = 0.1  # until a connection that has ended is made again


class Client:
    """One connection, made again whenever it ends. `kind` says what it does when it can read, and at each step."""

    def __init__(self, kind, address, source, selector):
        self.kind, self.address, self.source, self.selector = kind, address, source, selector
        self.socket, self.again_at, self.left = None, 0, b""

    def connect(self):
        self.socket = socket.socket()
        if "read" in self.kind:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        self.socket.setblocking(False)
        self.socket.bind((self.source, 0))
        self.socket.connect_ex(self.address)
        self.left = {"busy": QUESTION, "idle": b"", "slow head": b""}.get(self.kind, PIPELINED)
        self.selector.register(self.socket, selectors.EVENT_READ if self.kind != "never reads" else selectors.EVENT_WRITE, self)
        self.step()

    def close(self):
        if self.socket:
            self.selector.unregister(self.socket)
            self.socket.close()
            self.socket, self.again_at = None, time.monotonic() + AGAIN_S

    def send(self, data):
        try:
            return self.socket.send(data)
        except BlockingIOError:
            return 0
        except OSError as error:
            if error.errno not in (107, 115):  # not connected yet
                self.close()
            return 0

    def step(self):
        if self.socket is None:
            if time.monotonic() >= self.again_at:
                self.connect()
        elif self.kind == "slow head":
            self.send(b"G" if not self.left else b"x")
            self.left = b"begun"
        elif self.left or self.kind == "never reads":
            self.left = self.left or QUESTION
            self.left = self.left[self.send(self.left):]

    def readable(self):
        try:
            data = self.socket.recv(1 if self.kind == "slowly reads" else 65536) if self.kind != "never reads" else b"x"
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            if self.kind == "busy":
                self.connect()
        elif self.kind == "busy" and self.socket:
            self.left = QUESTION
            self.step()


def run(kind, address, sources, count):
    selector = selectors.DefaultSelector()
    clients = [Client(kind, address, sources[i % len(sources)], selector) for i in range(count)]
    step_at = 0
    while True:
        if time.monotonic() >= step_at:
            step_at = time.monotonic() + STEP_S
            for client in clients:
                client.step()
            if kind == "slowly reads":
                for client in clients:
                    if client.socket:
                        client.readable()
        if kind in ("slowly reads", "never reads"):
            time.sleep(max(0, step_at - time.monotonic()))
            continue
        for key, _ in selector.select(max(0, step_at - time.monotonic())):
            key.data.readable()


@contextlib.contextmanager
def attack(kind, address, sources, count):
    """`count` clients of this kind for as long as the block lasts, from these addresses in turn."""
    process = multiprocessing.get_context("fork").Process(target=run, args=(kind, address, sources, count), daemon=True)
    process.start()
    try:
        yield
        assert process.is_alive()
    finally:
        process.terminate()
        process.join()
