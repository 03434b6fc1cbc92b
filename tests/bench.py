#!/usr/bin/env python3
"""What an answer costs beside what others answer with, what readers feel while something else is going on, and how the service
grows: `make bench`. Everything is on loopback and bounded: under ten minutes. Processes take turns round by round, so that what
else the machine does meets all of them; medians of the rounds are printed. SHORT=1: a few seconds on the bundled readers, to see
that it works."""
import argparse
import contextlib
import itertools
import json
import os
import pathlib
import platform
import random
import shutil
import signal
import statistics
import subprocess
import tempfile
import threading
import time

from harness import (BUILD, CITY_V4, EDGE, ROOT, VISITORS, Masthead, Process, Simulator, at_place, children, processor_s, readers,
                     request, wait_until, whole_earth)
from proxies import Edge, free_port

LUA = ROOT / "tests" / "measure" / "readers.lua"
SEED = 17
READERS, READERS_SHORT = 2000, 8
CONNECTIONS = (2, 16, 64, 200)
THREADS = "512"  # once three quarters of its threads are held, the service ends connections with each answer
OURS, BARE, STATIC, GEOIP2 = "masthead", "civetweb, a constant", "nginx, a file of 220 bytes", "nginx, GeoIP2 and proxy_cache"
MANY_CELLS = 10000
GENEROUS = "1000000/m 10000000/h 100000000/d"  # of requests to the simulator


def wrk(url, file, connections, seconds, path="/widget"):
    """Drives a server with the readers of a file; what readers.lua found."""
    threads = min(2, connections)
    done = subprocess.run(["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "-s", LUA, url, "--", file, path],
                          capture_output=True, text=True, timeout=seconds + 60, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["requests"] > 0 and found["errors"] == 0, f"{url}: {found}"
    return found


def write_readers(path, lines):
    path.write_text("".join("\t".join(f"{name}: {value}" for name, value in headers.items()) + "\n" for headers in lines))
    return path


def table(head, rows):
    """Lines of a Markdown table."""
    return ["| " + " | ".join(map(str, row)) + " |" for row in (head, ["---"] * len(head), *rows)]


# --- Beside others ---


def addresses(short):
    """Addresses at random, the same at every run."""
    if short:
        return (row["ipv4"] for row in readers() if row["ipv4"])
    draw = random.Random(SEED)
    return (f"{draw.randrange(1, 224)}.{draw.randrange(256)}.{draw.randrange(256)}.{draw.randrange(256)}" for _ in range(20 * READERS))


def readers_of(service, count, pool):
    """The first that have weather."""
    fresh = (address for address in pool if service.visit(address).json["state"] == "fresh")
    return [{"X-Forwarded-For": address} for address in itertools.islice(fresh, count)]


def geoip2(database):
    """The directive of nginx' module, for either family of schemas."""
    nested = b"subdivisions" in database.read_bytes()[-(64 << 20):]
    city, country = ("city names en", "country iso_code") if nested else ("city", "country_code")
    return (f"geoip2 {database} {{ $geoip2_city source=$http_x_forwarded_for {city};"
            f" $geoip2_country source=$http_x_forwarded_for {country}; }}")


class Nginx(Edge):
    """nginx with a worker for each processor, and one location."""

    def __init__(self, folder, location, more=""):
        folder.mkdir()
        port = free_port()
        (folder / "nginx.conf").write_text(f"""
            {"user root;" if os.geteuid() == 0 else ""} daemon off; worker_processes auto; pid {folder}/pid; error_log stderr;
            {"load_module /usr/lib/nginx/modules/ngx_http_geoip2_module.so;" if more else ""}
            events {{ worker_connections 1024; }}
            http {{
                access_log off; default_type text/html; keepalive_requests 1000000000; proxy_temp_path {folder}/proxy;
                client_body_temp_path {folder}/body; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
                proxy_cache_path {folder}/cache keys_zone=cache:10m; {more}
                server {{ listen 127.0.0.1:{port}; location / {{ {location} }} }}
            }}""", encoding="utf-8")
        super().__init__(["/usr/sbin/nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"], port)

    def pids(self):
        """The workers; who fills the cache from disk ends soon."""
        return [pid for pid in children(self.child.pid) if b"worker process" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()]


@contextlib.contextmanager
def stopped(process):
    try:
        yield process
    finally:
        process.stop()


class Rival:
    """A server of the comparison: where it is, and which processes work for it."""

    def __init__(self, name, url, pids):
        self.name, self.url, self.pids, self.rounds = name, url, pids, {}

    def drive(self, file, connections, seconds):
        before = processor_s(*self.pids)
        found = wrk(self.url, file, connections, seconds)
        self.rounds.setdefault(connections, []).append(
            (found["requests"] / found["us"] * 1e6, (processor_s(*self.pids) - before) / found["requests"] * 1e6))

    def median(self, connections):
        """Answers a second, and microseconds of processor time for one."""
        return [statistics.median(column) for column in zip(*self.rounds[connections])]


def rivals(stack, folder, database, short):
    """Starts all; returns them with the file of readers."""
    simulator = stack.enter_context(stopped(Simulator()))
    service = stack.enter_context(stopped(Masthead(folder / "state", simulator, {
        "geoip.databases": str(database), "server.threads": THREADS, "weather.wait": "2s", "dev.enabled": "no", "widget.credits": "page",
        "weather.open_meteo_budget": GENEROUS})))
    file = write_readers(folder / "readers", readers_of(service, READERS_SHORT if short else READERS, addresses(short)))
    bare = stack.enter_context(stopped(Process([str(BUILD / "measure" / "bare"), THREADS])))
    (folder / "widget").write_text("x" * 219 + "\n")
    cached = (f'proxy_pass {service.public}; proxy_cache cache; proxy_cache_key "$geoip2_city|$geoip2_country";'
              " proxy_set_header X-Forwarded-For $http_x_forwarded_for; proxy_ignore_headers Cache-Control; proxy_cache_valid 200 1h;")
    static = stack.enter_context(stopped(Nginx(folder / "static", f"root {folder};")))
    geo = stack.enter_context(stopped(Nginx(folder / "geo", cached, geoip2(database))))
    bare_url = bare.wait_line(r"bare ready (\S+)").group(1)
    return [Rival(OURS, service.public, [service.child.pid]), Rival(BARE, bare_url, [bare.child.pid]),
            Rival(STATIC, static.url, static.pids()), Rival(GEOIP2, geo.url, geo.pids())], file


def plot(servers):
    """Processor time for one answer as bars."""
    widest = max(server.median(c)[1] for server in servers for c in server.rounds)
    for connections in servers[0].rounds:
        yield f"{connections} connections"
        for server in servers:
            us = server.median(connections)[1]
            yield f"  {server.name:30} {'█' * round(40 * us / widest)} {us:.1f} µs"


def contention(server, file, folder, seconds):
    """How often a thread had to wait for a lock that another one held, or wake one that did, for 1,000 answers: the kernel hears of
    no other lock. Being traced makes both slower."""
    counts = folder / "futex"
    with stopped(Process(["strace", "-f", "-c", "-e", "trace=futex", "-o", str(counts), "-p", str(server.pids[0])])) as tracer:
        tracer.wait_line("attached")
        answered = wrk(server.url, file, 16, seconds)["requests"]
    calls = [int(line.split()[3]) for line in counts.read_text().splitlines() if line.endswith(" futex")]
    return f"Calls for contended locks at 16 connections, for 1,000 answers of {server.name}: {1000 * sum(calls) / answered:.2f}"


def beside_others(folder, database, rounds, seconds, short):
    """The same readers at all servers in turn."""
    with contextlib.ExitStack() as stack:
        servers, file = rivals(stack, folder, database, short)
        for server in servers:
            wrk(server.url, file, 2, 1)  # caches fill
        for connections in CONNECTIONS[:2] if short else CONNECTIONS:
            for _ in range(rounds):
                for server in servers:
                    server.drive(file, connections, seconds)
        contended = contention(servers[0], file, folder, seconds)
    rows = []
    for connections in servers[0].rounds:
        ours, *others = (server.median(connections) for server in servers)
        rows.append([connections, *(f"{us:.1f}" for _, us in (ours, *others)), *(f"{ours[0] / rate:.2f}" for rate, _ in others)])
    yield from table(["connections", "ours, µs", "civetweb", "nginx, file", "nginx, GeoIP2", "throughput / civetweb", "/ file", "/ GeoIP2"], rows)
    yield ""
    yield from ("```", *plot(servers), "```", contended)


# --- While something else goes on: each yields while it does ---


@contextlib.contextmanager
def hanging(service):
    service.simulator.fault("hang")
    service.advance("3h")
    yield
    service.simulator.reset()


@contextlib.contextmanager
def all_due(service):
    service.advance("3h")
    yield


@contextlib.contextmanager
def run_loading(service):
    service.advance("6h")
    yield
    wait_until(lambda: service.metrics()["masthead_earth_fields_missing"] == 0, 120, "the run's fields")


def each_second(what):
    """Does something each second, on a thread of its own."""
    @contextlib.contextmanager
    def doing(service):
        over = threading.Event()

        def do():
            while not over.is_set():
                what(service)
                over.wait(1)
        thread = threading.Thread(target=do)
        thread.start()
        yield
        over.set()
        thread.join()
    return doing


def replace_database(service):
    fresh = service.database.with_suffix(".fresh")
    shutil.copy(service.database, fresh)
    os.rename(fresh, service.database)
    service.signal(signal.SIGHUP)


STRESSES = {
    "the weather API hangs": hanging,
    "all cells are due": all_due,
    "a snapshot is written each second": each_second(lambda service: service.advance("61s")),
    "the database is replaced each second": each_second(replace_database),
    "/metrics is read each second": each_second(lambda service: request(service.ops, "/metrics")),
}


def everywhere(count):
    """Readers in that many cells, whose place a trusted proxy tells."""
    side = int(count ** 0.5) + 1
    return [at_place(round(-60 + 120 * (i // side) / side, 2), round(-179 + 358 * (i % side) / side, 2)) for i in range(count)]


@contextlib.contextmanager
def serving(folder, name, settings, database=VISITORS, arguments=()):
    """A service behind a trusted proxy that tells places, with simulated weather."""
    with stopped(Simulator(*arguments)) as simulator:
        os.setpriority(os.PRIO_PROCESS, simulator.child.pid, 19)  # the weather API is not on this machine
        own = folder / (name + database.suffix)
        shutil.copy(database, own)
        with stopped(Masthead(folder / name, simulator, {
                "geoip.databases": str(own), "geoip.headers": ",".join(EDGE), "weather.open_meteo_budget": GENEROUS, "weather.parallel": "8",
                "cache.capacity": "200000", **settings(simulator)})) as service:
            service.database = own
            yield service


def idle(service):
    """Whether no request to a weather API is under way."""
    return service.metrics().get("masthead_upstream_inflight", 0) == 0


def fill(service, file, cells):
    """Has all cells asked for, and waits until each has weather."""
    def filled():
        wrk(service.public, file, 16, 2)
        return service.metrics()["masthead_cache_entries"] >= cells and idle(service)
    wait_until(filled, 120, f"{cells} cells")


def feel(service, file, stress, rounds, seconds):
    """A row: medians of quiet rounds, of those beside the stress, and their ratio."""
    quiet, beside = [], []
    for _ in range(rounds):
        quiet.append(wrk(service.public, file, 2, seconds))
        with stress(service):
            beside.append(wrk(service.public, file, 2, seconds))
        wait_until(lambda: idle(service), 60, "the weather API")
    medians = [[statistics.median(found[name] for found in phase) for name in ("p50", "p99", "p999")] for phase in (quiet, beside)]
    return [*(" / ".join(f"{us:.0f}" for us in phase) for phase in medians), f"{medians[1][1] / medians[0][1]:.2f}"]


def under_stress(folder, database, rounds, seconds, short):
    cells = 10 if short else MANY_CELLS
    file = write_readers(folder / "everywhere", everywhere(cells))
    rows = []
    with serving(folder, "points", lambda _: {}, database) as service:
        fill(service, file, cells)
        rows += [[name, *feel(service, file, stress, rounds, seconds)] for name, stress in STRESSES.items()]
    with serving(folder, "grid", lambda simulator: {"weather.providers": "", **whole_earth(simulator)}) as service:
        with run_loading(service):
            fill(service, file, cells)
        rows.append(["a run of the grid loads", *feel(service, file, run_loading, rounds, seconds)])
    yield from table(["meanwhile", "quiet: p50 / p99 / p99.9, µs", "meanwhile", "p99 / quiet"], rows)


# --- Growth ---


def resident_mb(service):
    pages = int(pathlib.Path(f"/proc/{service.child.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def growing(folder, database, rounds, seconds, short):
    """Cells, threads, and a start with all that is kept. The grid gives every cell weather at once."""
    def settings(simulator, **more):
        return {"weather.providers": "", **whole_earth(simulator), **{name.replace("_", "."): value for name, value in more.items()}}

    def measured(service, name, connections):
        rates = [wrk(service.public, file, connections, seconds)["requests"] / seconds for _ in range(rounds)]
        return [name, f"{statistics.median(rates):.0f}", f"{resident_mb(service):.0f}"]

    rows, starts = [], []
    for cells in (10, 20) if short else (1000, 10000, 100000):
        file = write_readers(folder / f"of-{cells}", everywhere(cells))
        with serving(folder, f"cells-{cells}", settings, database) as service:
            with run_loading(service):
                fill(service, file, cells)
            rows.append(measured(service, f"{cells} cells", 16))
            service.stop()
            starts.append([f"{cells} cells", *start(service)])
    for threads in (4, 16) if short else (4, 16, 64, 256):
        file = write_readers(folder / "few", everywhere(10))
        with serving(folder, f"threads-{threads}", lambda simulator: settings(simulator, server_threads=str(threads)), database) as service:
            with run_loading(service):
                fill(service, file, 10)
            rows.append(measured(service, f"{threads} threads", min(threads // 2, 64)))
    yield from table(["", "answers a second", "resident, MB"], rows)
    yield ""
    yield from table(["a start with grid, database and", "first answer, ms", "first with a number, ms"], starts)


def start(service):
    """Starts a service again that was stopped; how long a reader waits, in ms."""
    begun = time.monotonic()
    again = Process(service.child.args)
    url = "http://" + again.wait_line(r"msg=ready public=(\S+)").group(1)
    request(url, "/widget", headers=at_place(-60, -179))
    first_ms = 1000 * (time.monotonic() - begun)
    wait_until(lambda: request(url, "/widget.json", headers=at_place(-60, -179)).json["state"] == "fresh", 30, "a number")
    number_ms = 1000 * (time.monotonic() - begun)
    again.stop()
    return [f"{first_ms:.0f}", f"{number_ms:.0f}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("parts", nargs="*", choices=["others", "stress", "growth", []], help="all, unless some are named")
    options = parser.parse_args()
    database = VISITORS if options.short else CITY_V4
    rounds, seconds = (1, 1) if options.short else (5, 2)
    parts = {"others": beside_others, "stress": under_stress, "growth": growing}
    assert database.exists(), "no city database: make geoip"
    versions = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}, ", "nginx-light", "libcivetweb1", "wrk"],
                              capture_output=True, text=True, check=True).stdout.rstrip(", ")
    print(f"{os.cpu_count()} processors, {platform.machine()}, Linux {platform.release()}; {versions}; {database.name}\n")
    with tempfile.TemporaryDirectory() as name:
        for part, run in parts.items():
            if not options.parts or part in options.parts:
                folder = pathlib.Path(name) / part
                folder.mkdir()
                print("\n".join(run(folder, database, rounds, seconds, options.short)) + "\n", flush=True)


if __name__ == "__main__":
    main()
