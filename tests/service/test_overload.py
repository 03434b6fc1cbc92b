"""Goal of these tests: whoever holds connections starves neither readers nor operators nor the watchdog."""
import os
import socket
import statistics
import threading
import time
import urllib.parse

import pytest

from attackers import PIPELINED, attack
from harness import SANITIZED, request, until_closed, wait_until
from test_manager import Manager

THREADS = int(os.environ.get("THREADS", 16))
SECONDS = float(os.environ.get("SECONDS", 2))
WATCHDOG_S = 1.0
SLACK = 4 if SANITIZED else 1
STRANGERS = [f"127.0.0.{last}" for last in range(2, 6)]
PROXY = ["127.0.0.9"]
SETTINGS = {"server.threads": str(THREADS), "server.request_timeout": "1s", "server.keep_alive": "60s",
            "visitor.trusted_proxies": PROXY[0]}


class Watch:
    """Asks as a reader with a connection of his own each time, and as an operator; hears the watchdog."""

    def __init__(self, service, manager):
        self.service, self.manager = service, manager
        self.reader_s, self.ops_s, self.beats = [], [], []

    def _ask(self, base, path, into, until):
        while time.monotonic() < until:
            begun = time.monotonic()
            try:
                good = request(base, path, timeout=2).status == 200
            except OSError:
                good = False
            into.append(time.monotonic() - begun if good else 99)
            threading.Event().wait(0.01)

    def _hear(self, until):
        while time.monotonic() < until:
            if "WATCHDOG" in self.manager.hear():
                self.beats.append(time.monotonic())

    def during(self, seconds):
        until = time.monotonic() + seconds
        jobs = [threading.Thread(target=self._ask, args=(self.service.public, "/widget.json", self.reader_s, until)),
                threading.Thread(target=self._ask, args=(self.service.ops, "/healthz", self.ops_s, until)),
                threading.Thread(target=self._hear, args=(until,))]
        for job in jobs:
            job.start()
        for job in jobs:
            job.join()

    def verdict(self, name, share):
        """Prints what was seen, and holds it to the bounds."""
        within = sum(taken <= 1 for taken in self.reader_s) / len(self.reader_s)
        gap = max(after - before for before, after in zip(self.beats, self.beats[1:]))
        hundredths = statistics.quantiles(self.ops_s, n=100)
        print(f"\n{name}: {within:.1%} of {len(self.reader_s)} readers within 1 s, "
              f"median {statistics.median(self.reader_s) * 1000:.1f} ms, slowest {max(self.reader_s) * 1000:.0f} ms; "
              f"ops 99th percentile {hundredths[98] * 1000:.1f} ms of {len(self.ops_s)}; longest without a beat {gap:.2f} s")
        assert within >= share and gap < 1.2 * WATCHDOG_S * SLACK and hundredths[89] < 0.1 * SLACK


@pytest.fixture
def watched(start, tmp_path):
    manager = Manager(str(tmp_path / "notify"))
    manager.name = str(tmp_path / "notify")

    def make(**settings):
        service = start(settings={**SETTINGS, **settings},
                        env={"NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": str(int(WATCHDOG_S * 1e6))})
        return service, Watch(service, manager)
    yield make
    manager.socket.close()


@pytest.mark.parametrize("kind, sources, share", [
    ("busy", PROXY, 0.99),
    ("busy", STRANGERS, 0.99),
    ("slow head", STRANGERS, 0.95),
    ("idle", STRANGERS, 0.95),
    ("slowly reads", STRANGERS, 0.95),
    ("never reads", STRANGERS, 0.95),
])
def test_readers_operators_and_the_watchdog_during(watched, kind, sources, share):
    """Twice as many of them as there are threads. The bounds on time are for a busy machine: a beat is due twice in an
    interval, and of a hundred answers to operators it may be late for ten."""
    service, watch = watched()
    with attack(kind, service.address(), sources, 2 * THREADS):
        watch.during(SECONDS)
    watch.verdict(f"{kind} from {len(sources)}", share)
    assert service.get("/widget.json").status == 200


@pytest.mark.parametrize("kind", ["slow head", "idle"])
def test_from_more_peers_too_where_they_ask_nothing(watched, kind):
    """Nobody is refused then, and who has been silent for half a second goes."""
    service, watch = watched()
    with attack(kind, service.address(), [f"127.0.1.{last}" for last in range(1, 2 * THREADS)], 2 * THREADS):
        watch.during(SECONDS)
    watch.verdict(f"{kind} from many", 0.5)


def gone_within(address, limit_s):
    """Seconds until a client that pipelines and never reads has lost its connection."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        client.settimeout(limit_s)
        client.connect(address)
        begun = time.monotonic()
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            while time.monotonic() < begun + limit_s:
                client.sendall(PIPELINED)
        return time.monotonic() - begun


@pytest.mark.parametrize("listener", ["public", "ops"])
def test_who_never_reads_is_gone_within_two_timeouts(start, listener):
    """Whatever he has pipelined: a write that falls short ends the connection."""
    service = start(settings={**SETTINGS, "server.threads": "4"})
    parts = urllib.parse.urlsplit(getattr(service, listener))
    address = (parts.hostname, parts.port)
    gone = [threading.Thread(target=lambda: times.append(gone_within(address, 20))) for _ in range(4)]
    times = []
    for thread in gone:
        thread.start()
    for thread in gone:
        thread.join()
    print(f"\n{listener}: gone after {max(times):.2f} s")
    assert len(times) == 4 and max(times) < 2 * 1 + 0.5 * SLACK
    wait_until(lambda: service.metrics()['masthead_http_threads{state="busy"}'] == 0, limit_s=2, what="free threads")


def test_who_reads_slowly_has_one_deadline_for_an_answer(start):
    """He takes a byte of an answer every now and then, and so is never idle for as long as the timeout; no answer is read in time."""
    service = start(settings={**SETTINGS, "server.threads": "4"})
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        client.connect(service.address())
        client.setblocking(False)
        begun, left = time.monotonic(), PIPELINED * 4

        def ended():
            nonlocal left
            try:
                left = left[client.send(left):]
            except BlockingIOError:
                pass
            except OSError:
                return True
            try:
                return client.recv(1) == b""
            except BlockingIOError:
                return False
            except OSError:
                return True
        wait_until(ended, limit_s=20, what="the end")
    taken = time.monotonic() - begun
    print(f"\nended after {taken:.2f} s")
    wait_until(lambda: service.metrics()['masthead_http_threads{state="busy"}'] == 0, limit_s=2, what="free threads")


def test_connections_are_not_kept_once_three_quarters_are_held(start):
    service = start(settings={**SETTINGS, "server.threads": "8", "visitor.trusted_proxies": "127.0.0.0/8"})
    kept = [connection.sock is not None for connection in service.hold(5)]
    held = service.hold(5)
    assert all(kept)
    answer = service.get("/widget.json")
    assert answer.headers["Connection"] == "close"
    held.clear()


def test_the_idle_go_when_a_new_connection_needs_a_thread(start):
    service = start(settings={"server.threads": "8", "server.request_timeout": "60s", "server.keep_alive": "5m"})
    idle = [socket.create_connection(service.address(), timeout=10) for _ in range(8)]
    wait_until(lambda: service.metrics()['masthead_http_threads{state="idle"}'] == 0, what="all threads to be held")
    begun = time.monotonic()
    assert service.get("/widget.json", timeout=10).status == 200
    taken = time.monotonic() - begun
    print(f"\nanswered after {taken:.2f} s")
    assert taken < 3
    assert idle[0].recv(100) == b"", "the first of them"
    for connection in idle[1:]:
        connection.settimeout(0.05)
        with pytest.raises(TimeoutError):
            connection.recv(1)


def test_a_stranger_holds_an_eighth_of_the_threads(start):
    """Once a quarter is held. A trusted proxy holds as many as it likes."""
    service = start(settings={**SETTINGS, "server.threads": "16", "server.request_timeout": "60s"})

    def hold(source, count):
        """How many of the connections are still open after a moment's silence."""
        made = [socket.create_connection(service.address(), timeout=0.3, source_address=(source, 0)) for _ in range(count)]
        open_now = []
        for connection in made:
            try:
                assert connection.recv(1) == b""
            except ConnectionResetError:
                pass
            except TimeoutError:
                open_now.append(connection)
        return open_now
    first = hold("127.0.0.2", 8)
    second = hold("127.0.0.3", 8)
    proxy = hold(PROXY[0], 6)
    assert (len(first), len(second), len(proxy)) == (4, 2, 6)
    service.wait_line("connection refused.*its share")
    for connection in [*first, *second, *proxy]:
        connection.close()


def test_eight_monitors_leave_the_ninth_its_answer(masthead):
    """Monitors that ask to keep their connections, and some that ask nothing yet."""
    parts = urllib.parse.urlsplit(masthead.ops)
    monitors = [socket.create_connection((parts.hostname, parts.port), timeout=5) for _ in range(8)]
    times = []
    for _ in range(5):
        for connection in monitors[:4]:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n")
            assert b"\r\nConnection: close\r\n" in until_closed(connection)
        begun = time.monotonic()
        assert request(masthead.ops, "/healthz").status == 200
        times.append(time.monotonic() - begun)
        monitors[:4] = [socket.create_connection((parts.hostname, parts.port), timeout=5) for _ in range(4)]
    print(f"\nthe ninth: {sorted(times)[2] * 1000:.1f} ms")
    assert sorted(times)[2] < 0.05
    for connection in monitors:
        connection.close()
