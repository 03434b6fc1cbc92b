"""Goal of these tests: the whole earth at a quarter of a degree, as NOAA has it, is loaded in bounded time, memory and disk; a reader
of a cell that nobody has asked for waits no longer than others do; and readers notice nothing of a load. It takes the simulator a
minute to pack such a run, so these are for `make soak`, or MASTHEAD_LONG=1. Each prints what it measured."""
import http.client
import pathlib
import random
import re
import statistics
import threading
import time

import pytest

import grib
from harness import EDGE, LONG, SANITIZED, Masthead, Simulator, at_place, request, wait_until, whole_earth

pytestmark = [pytest.mark.skipif(not grib.PROGRAM.exists(), reason="masthead-grib is not built: libg2c-dev is missing"),
              pytest.mark.skipif(not LONG or SANITIZED, reason="takes minutes, and judges time and memory")]

NOW = "2026-06-01T05:00:00Z"
LATER = "2026-06-01T11:00:00Z"  # six hours: the next run is there
FILE_BYTES = 120_000_000
OTHER_BYTES = 64_000_000  # memory that is no map of a file
PACK_S = 600              # as long as the simulator may pack a run and a service load it
LOAD_S = 120              # as long as a service may load a run that is packed


def pack(begin, at=NOW):
    """Has the simulator pack the run of an instant, so that its work is in no figure."""
    service, _ = begin(2, at)
    wait_until(lambda: loads(service) == 1, PACK_S, "a run that is packed")
    service.stop()


class Files:
    """What the folder of a service holds at most, and its own memory, while a condition does not hold yet."""

    def __init__(self, service, folder):
        self.service, self.folder = service, folder
        self.most_files = self.most_bytes = self.most_own = 0

    def watch(self, condition):
        sizes = []
        for path in self.folder.glob("earth.grid*"):
            try:
                sizes.append(path.stat().st_size)
            except FileNotFoundError:
                pass
        status = pathlib.Path(f"/proc/{self.service.child.pid}/status").read_text()
        self.most_files = max(self.most_files, len(sizes))
        self.most_bytes = max([self.most_bytes, *sizes])
        self.most_own = max(self.most_own, 1024 * int(re.search(r"RssAnon:\s+(\d+)", status).group(1)))
        return condition()


@pytest.fixture(scope="module")
def full_sim():
    process = Simulator("--gfs-grid", "0.25", "--at", NOW)
    yield process
    assert process.stop() == 0


@pytest.fixture(scope="module")
def begin(full_sim, tmp_path_factory):
    """Starts services that read the simulator's mirror of that number: begin(mirror) -> service, its folder."""
    services = []

    def one(mirror, at=NOW, state=None):
        state = state or tmp_path_factory.mktemp("whole")
        services.append(Masthead(state, full_sim, {**whole_earth(full_sim, [f"/mirror{mirror}"]), "weather.providers": "",
                                                   "geoip.headers": ", ".join(EDGE), "dev.at": at, "log.access": "yes"}))
        return services[-1], state

    yield one
    for service in services:
        assert service.stop() == 0


def loads(service):
    return sum("whole earth loaded" in line for line in service.lines)


def airports(service):
    return request(service.ops, "/status.json").json["airports"]


def until_loaded(service):
    """Whether a run was loaded since this was called; looks at each line of the log once, so that a client can ask it all the time."""
    unread = len(service.lines)

    def done(_):
        nonlocal unread
        lines = service.lines[unread:]
        unread += len(lines)
        return any("whole earth loaded" in line for line in lines)
    return done


def taken_us(service, headers, stop):
    """Asks for these readers in turn on one connection until stop(asked) is true; what the service says that each took."""
    connection = http.client.HTTPConnection(*service.address(), timeout=20)
    first, asked = len(service.lines), 0
    while not stop(asked):
        connection.request("GET", "/widget.json", headers=headers[asked % len(headers)])
        assert b'"fresh"' in connection.getresponse().read()
        asked += 1
    connection.close()

    def told():
        found = [re.search(r"endpoint=widget.json .*us=(\d+)", line) for line in service.lines[first:]]
        return [int(match.group(1)) for match in found if match]
    return wait_until(lambda: len(t := told()) == asked and t, what="the log's lines")


def hundredth(us):
    return statistics.quantiles(us, n=100)[98]


def test_a_run_is_loaded_in_bounded_time_memory_and_disk(full_sim, begin):
    pack(begin)
    begun = time.monotonic()
    service, folder = begin(1)
    seen = Files(service, folder)
    wait_until(lambda: seen.watch(lambda: loads(service) == 1), LOAD_S, "the first run")
    taken_s = time.monotonic() - begun
    service.advance("6h")
    wait_until(lambda: seen.watch(lambda: loads(service) == 2), PACK_S, "the next run, which is packed meanwhile")
    print(f"\nwhole after {taken_s:.1f} s; {seen.most_files} files of {seen.most_bytes / 1e6:.1f} MB at most; "
          f"{seen.most_own / 1e6:.1f} MB of memory beside them")
    assert seen.most_files == 2 and seen.most_bytes <= FILE_BYTES and seen.most_own <= OTHER_BYTES
    assert [path.name for path in folder.glob("earth.grid*")] == ["earth.grid"]
    assert service.metrics()["masthead_earth_fields_missing"] == 0
    wait_until(lambda: airports(service)["judged_by"] > 100, what="the airports")
    error, model_error = (airports(service)[name] for name in ("error_kelvin", "model_error_kelvin"))
    print(f"leave-one-out: {error:.2f} K, the model alone {model_error:.2f} K")
    assert error < model_error + 0.05, "so fine a grid is the truth, but for the rounding of reports: airports can do no good, and no harm"


def test_a_cold_cell_takes_at_most_100_us_more_than_a_warm_one(full_sim, begin):
    service, _ = begin(1, LATER)
    wait_until(lambda: loads(service) == 1 and service.metrics()["masthead_earth_stations"] > 0, PACK_S, "the run")
    chance = random.Random(1)
    places = [at_place(round(chance.uniform(-89, 89), 1), round(chance.uniform(-179, 179), 1)) for _ in range(2000)]
    cold, warm = (taken_us(service, places, lambda asked: asked == len(places)) for _ in range(2))
    print(f"\ncold: median {statistics.median(cold)} us, 99th percentile {hundredth(cold):.0f} us; "
          f"warm: {statistics.median(warm)} us, {hundredth(warm):.0f} us")
    assert statistics.median(cold) <= statistics.median(warm) + 100


def test_readers_notice_nothing_of_a_load(full_sim, begin):
    """On few processors a load takes time from everybody, whoever makes it: so a neighbour's load is the measure of one's own."""
    full_sim.control(f"clock?at={NOW}")
    service, _ = begin(1)
    wait_until(lambda: loads(service) == 1, PACK_S, "the first run")
    places = [at_place(latitude, longitude) for latitude in range(-60, 61, 10) for longitude in range(-175, 180, 15)]
    full_sim.control("fault?kind=503&mirror=1&path=gfs-index")
    service.advance("6h")
    taken_us(service, places, lambda asked: asked == len(places))
    pack(begin, LATER)
    quiet = taken_us(service, places, lambda asked: asked == 20000)
    neighbour, _ = begin(2, LATER)
    beside = taken_us(service, places, until_loaded(neighbour))
    neighbour.stop()
    full_sim.control("fault?kind=none")
    service.advance("10m")
    own = taken_us(service, places, until_loaded(service))
    for name, us in (("quiet", quiet), ("a neighbour loads", beside), ("it loads itself", own)):
        print(f"\n{name}: {len(us)} readers, median {statistics.median(us)} us, 99th percentile {hundredth(us):.0f} us, slowest {max(us)} us")
    assert hundredth(own) <= 1.5 * hundredth(beside) + 100
