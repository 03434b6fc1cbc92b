"""Goal of these tests: with NOAA's model and the airports' reports alone every reader on earth sees a number, at once, the right
one, and for two days after every upstream has gone; and no fault of either source ever becomes a wrong number. Point forecasts,
where there are some, refine that.

The clock stands still unless a test moves it."""
import re
import signal
import struct
import urllib.parse

import pytest

import grib
from harness import EDGE, SANITIZED, address_of, at_place, readers, request, unix, wait_until

NOW = "2026-06-01T05:00:00Z"
RUN = "2026-06-01T00:00:00Z"
FIELDS = 49 + 17
REQUESTS = 49 + 49 + 3 * 17 + 1  # of a load: indexes, temperatures, parts of the sky, the ground's height
SEA = (15.0, 70.0)  # a point of the grid, far from any airport
MUMBAI = (19.1, 72.9)
LOADED = "whole earth loaded"

pytestmark = pytest.mark.skipif(not grib.PROGRAM.exists(), reason="masthead-grib is not built: libg2c-dev is missing")


@pytest.fixture
def world(start, sim):
    """Starts services that have the earth's weather alone, from two mirrors: world({settings}) -> Masthead."""
    def begin(settings=None, at=NOW, **options):
        sim.control(f"clock?at={at}")
        return start(settings={
            "earth.grid": "gfs", "earth.gfs_urls": f"{sim.url}/mirror1, {sim.url}/mirror2", "weather.providers": "",
            "earth.metar_url": sim.url + "/data/cache/metars.cache.csv.gz", "geoip.headers": ", ".join(EDGE), "dev.at": at,
            **(settings or {})}, **options)

    return begin


def loads(service):
    return sum(LOADED in line for line in service.lines)


def loaded(service, times=1):
    wait_until(lambda: loads(service) >= times, 60 if SANITIZED else 20, f"load {times} in {service.log()}")


def fault(sim, kind, **query):
    answer = request(sim.url, "/sim/fault?" + urllib.parse.urlencode({"kind": kind, **query}), "POST")
    assert answer.status == 200, answer.body


def asked(sim, *apis):
    """Requests that the simulator got, of these of its services, from all mirrors."""
    return sum(count for name, count in sim.count()["by_api"].items() if not apis or name.rpartition("/")[2] in apis)


def gfs_requests(sim):
    return asked(sim, "gfs-index", "gfs-data")


def metric(service, name):
    return service.metrics()["masthead_earth_" + name]


def failed(service, source="gfs"):
    return metric(service, f'requests_total{{source="{source}",outcome="failed"}}')


def cell(service, latitude, longitude):
    """What is told of a cell; its centre is the place."""
    return service.get(f"/weather.json?cell={latitude:.1f},{longitude:.1f}")


def there(service, latitude=SEA[0], longitude=SEA[1]):
    return service.get("/widget.json", at_place(latitude, longitude)).json


def number(answer):
    return answer["temperature"]["celsius"]


def within(sim, answer, when, kelvin=0.11, place=SEA):
    truth = sim.synthetic_weather(*place, when)["celsius"]
    return number(answer) is not None and abs(number(answer) - truth) < kelvin


def settle(service):
    """Waits until nothing more is asked for at once: the counts stand still while the clock does."""
    def counts():
        return {name: value for name, value in service.metrics().items() if name.startswith("masthead_earth_requests")}

    def still():
        before = counts()
        return all(counts() == before for _ in range(30)) and service.simulator.count()["open"] == 0
    wait_until(still, 30, "an end of the requests")


# --- Everybody has a number ---

def test_every_reader_sees_a_number_with_all_point_forecasts_out_of_reach(world, sim):
    service = world({"geoip.headers": None})
    loaded(service)
    assert "no point forecasts" in service.log()
    for reader in readers():
        answer = service.visit(address_of(reader)).json
        if answer["place"] is None or not answer["cell"]:
            continue
        assert answer["state"] == "fresh" and answer["provider"] in ("gfs", "gfs+metar") and number(answer) is not None, answer
        assert any("NOAA" in credit["text"] for credit in answer["credits"])
    assert gfs_requests(sim) == REQUESTS and asked(sim, "metar") == 1 and asked(sim) == REQUESTS + 1
    assert metric(service, "fields_missing") == 0 and metric(service, "run_timestamp_seconds") == unix(RUN)
    assert 100 < metric(service, "stations") < 1000 and metric(service, "error_kelvin") < 1


def test_a_number_is_there_within_seconds_while_the_rest_still_comes(world, sim):
    fault(sim, "hang", path=FILE + "020.idx")
    service = world()
    first = wait_until(lambda: (a := there(service))["state"] == "fresh" and a, 20, "the first number")
    assert within(sim, first, unix(NOW)) and loads(service) == 0


def test_the_weather_is_the_synthetic_one(world, sim):
    service = world()
    loaded(service)
    for latitude, longitude in (SEA, (0.0, -150.0), (-40.0, 90.0), (60.0, -30.0), (10.0, 177.5)):
        assert within(sim, cell(service, latitude, longitude).json, unix(NOW), place=(latitude, longitude))
    for hour in range(1, 9):  # between the hours, too
        service.advance("67m")
        assert within(sim, there(service), unix(NOW) + hour * 67 * 60, 0.3)


@pytest.mark.parametrize("where", ["90.0,0.0", "-90.0,0.0", "0.0,180.0", "0.0,-180.0", "-0.1,-0.1", "71.3,-156.8", "-54.8,-68.3"])
def test_any_cell_on_earth_is_answered_and_none_is_kept(shared_world, where):
    latitude, longitude = map(float, where.split(","))
    answer = cell(shared_world, latitude, longitude)
    if answer.status == 400:  # one name for each cell: that of the other side of a meridian or a pole is none
        pytest.skip(f"{where} is not how that cell is called")
    assert answer.json["state"] == "fresh" and number(answer.json) is not None
    assert shared_world.metrics()["masthead_cache_entries"] == 0


@pytest.fixture(scope="module")
def shared_world(tmp_path_factory, simulator):
    from harness import Masthead
    simulator.reset()
    simulator.control(f"clock?at={NOW}")
    process = Masthead(tmp_path_factory.mktemp("state"), simulator, {
        "earth.grid": "gfs", "earth.gfs_urls": simulator.url, "weather.providers": "", "dev.at": NOW,
        "earth.metar_url": simulator.url + "/data/cache/metars.cache.csv.gz"})
    loaded(process)
    yield process
    assert process.stop() == 0, process.log()


# --- Runs follow one another ---

def test_the_next_run_takes_the_place_of_the_old_one(world, sim, tmp_path):
    service = world()
    loaded(service)
    service.advance("6h")
    loaded(service, 2)
    assert metric(service, "run_timestamp_seconds") == unix(RUN) + 6 * 3600
    answer = there(service)
    assert answer["state"] == "fresh" and within(sim, answer, unix(NOW) + 6 * 3600)
    assert gfs_requests(sim) == 2 * REQUESTS - 1, "the ground's height does not change"
    files = sorted(path.name for path in (tmp_path / "state0").glob("earth.grid*"))
    assert files == ["earth.grid"]


def test_a_run_that_is_not_there_yet_is_asked_for_every_five_minutes(world, sim):
    service = world(at="2026-06-01T04:05:00Z")  # its last hour comes at 04:14
    loaded(service)
    assert metric(service, "run_timestamp_seconds") == unix(RUN) - 6 * 3600
    settle(service)
    before = gfs_requests(sim)
    for more in (1, 2):
        service.advance("5m")
        wait_until(lambda: gfs_requests(sim) >= before + more, what="a look")
    settle(service)
    assert gfs_requests(sim) == before + 2
    service.advance("5m")
    loaded(service, 2)
    assert metric(service, "run_timestamp_seconds") == unix(RUN)


def test_forty_hours_after_the_last_answer_everybody_still_sees_a_number_and_past_the_last_hour_nobody(world, sim):
    service = world()
    loaded(service)
    sim.fault("reset")
    cold = [(-33.9, 151.2), (51.5, -0.1), (64.1, -21.9), (40.7, -74.0)]
    for hours in range(0, 40, 4):
        service.advance("4h")
        for latitude, longitude in (SEA, *cold):
            answer = there(service, latitude, longitude)
            assert number(answer) is not None and answer["state"] in ("fresh", "stale")
            assert answer["state"] == ("fresh" if 5 + hours + 4 < 12 else "stale"), "its run is 12 hours old"
    assert within(sim, there(service), unix(NOW) + 40 * 3600, 0.5)
    service.advance("6h")
    assert number(there(service)) is not None
    service.advance("61m")
    gone = there(service)
    assert gone["state"] == "place" and gone["temperature"]["value"] is None and gone["provider"] is None


# --- Restarts ---

def test_a_restart_reads_the_file_on_disk_and_asks_for_nothing_of_it(world, sim, start, tmp_path):
    service = world()
    loaded(service)
    first = there(service)
    assert service.stop() == 0
    sim.control("reset")
    again = world({"server.state": str(tmp_path / "state0")})
    answer = there(again)
    assert answer["state"] == "fresh" and number(answer) == pytest.approx(number(first), abs=0.11)
    wait_until(lambda: asked(sim, "metar") == 1, what="the airports' reports")
    settle(again)
    assert gfs_requests(sim) == 0


def test_a_load_that_was_killed_goes_on_field_by_field(world, sim, tmp_path):
    fault(sim, "hang", path=FILE + "030.idx")
    fault(sim, "hang", path=FILE + "031.idx")
    service = world()
    service.wait_line("fields=33 of=66")
    service.signal(signal.SIGKILL)
    service.child.wait(10)
    sim.reset()
    again = world({"server.state": str(tmp_path / "state0")})
    loaded(again)
    # Of the first 33 fields only what is needed to learn the grid is asked for again.
    assert gfs_requests(sim) < 90, gfs_requests(sim)
    assert within(sim, there(again), unix(NOW)) and metric(again, "fields_missing") == 0


def test_a_damaged_file_is_not_read_but_fetched_anew(world, sim, tmp_path):
    service = world()
    loaded(service)
    assert service.stop() == 0
    path = tmp_path / "state0" / "earth.grid"
    path.write_bytes(path.read_bytes()[:-5000])
    again = world({"server.state": str(tmp_path / "state0")})
    loaded(again)
    assert "weather of the whole earth not read" in again.log() and within(sim, there(again), unix(NOW))


def test_another_worlds_file_is_not_read(world, sim, tmp_path):
    service = world()
    loaded(service)
    assert service.stop() == 0
    again = world({"server.state": str(tmp_path / "state0"), "dev.simulated": "no"})
    again.wait_line("it is simulated weather")
    again.stop()


# --- The airports' reports ---

def test_reports_that_have_not_changed_are_not_sent_again(world, sim):
    service = world()
    loaded(service)
    fetched = there(service, *MUMBAI)["fetched_at"]
    service.advance("10m")
    wait_until(lambda: asked(sim, "metar") == 2, what="the next")
    wait_until(lambda: there(service, *MUMBAI)["fetched_at"] != fetched, what="a new state")
    fault(sim, "503", path="metar")
    stations = metric(service, "stations")
    service.advance("10m")
    wait_until(lambda: failed(service, "metar") == 1, what="a failure")
    assert metric(service, "stations") == stations, "what was there stays"
    service.advance("60s")
    wait_until(lambda: failed(service, "metar") == 2, what="another try a minute later")
    service.advance("2h")
    wait_until(lambda: metric(service, "stations") == 0, what="reports that are too old")
    assert within(sim, there(service), unix(NOW) + 2 * 3600 + 21 * 60) and there(service)["provider"] == "gfs"


@pytest.mark.parametrize("kind", ("other-order", "status-lines", "nowhere", "stuck", "nulls", "nan", "old"))
def test_odd_reports_do_no_harm(world, sim, kind):
    fault(sim, kind, path="metar")
    service = world()
    loaded(service)
    for latitude, longitude in (SEA, MUMBAI, (51.5, -0.1), (0.3, 0.3)):
        answer = there(service, latitude, longitude)
        assert within(sim, answer, unix(NOW), 1.1, (latitude, longitude)), (kind, answer)


@pytest.mark.parametrize("kind", ("gzip-bomb", "huge", "garbage", "empty", "html", "no-hourly", "500", "reset", "truncated"))
def test_reports_that_are_none_are_told_and_the_model_stands_alone(world, sim, kind):
    fault(sim, kind, path="metar")
    service = world()
    loaded(service)
    wait_until(lambda: failed(service, "metar") == 3, what="three tries")
    assert "airports' reports not read" in service.log()
    answer = there(service)
    assert answer["provider"] == "gfs" and within(sim, answer, unix(NOW))


def test_the_first_reports_are_asked_for_again_at_once(world, sim):
    fault(sim, "503", path="metar", times=2)
    service = world()
    loaded(service)
    wait_until(lambda: metric(service, "stations") > 100, what="reports, while the clock stands still")
    assert failed(service, "metar") == 2


def test_reports_that_nobody_renews_grow_old(world, sim):
    service = world({"earth.metar_every": "6h"})
    loaded(service)
    assert there(service, *MUMBAI)["provider"] == "gfs+metar"
    service.advance("95m")
    wait_until(lambda: metric(service, "stations") == 0, what="reports that are too old")
    assert there(service, *MUMBAI)["provider"] == "gfs" and asked(sim, "metar") == 1


def test_reports_that_contradict_a_run_that_earlier_ones_agreed_with_are_not_believed(world, sim):
    service = world()
    loaded(service)
    assert there(service, *MUMBAI)["provider"] == "gfs+metar"
    fault(sim, "warm", path="metar")
    service.advance("10m")
    service.wait_line("reports not believed.*differ from the model")
    wait_until(lambda: metric(service, "stations") == 0, what="a state without them")
    answer = there(service, *MUMBAI)
    assert answer["provider"] == "gfs" and within(sim, answer, unix(NOW) + 600, 1.1, MUMBAI)
    assert metric(service, "run_timestamp_seconds") == unix(RUN)
    sim.fault("none")
    service.advance("10m")
    wait_until(lambda: metric(service, "stations") > 100, what="reports that agree again")


def test_by_leave_one_out_airports_correct_the_model_and_everybody_may_read_by_how_much(world, sim):
    """At the positions and heights of real airports (data/airports.tsv), whose truth is the synthetic weather; reports are whole degrees."""
    service = world()
    loaded(service)
    for _ in range(4):
        settle(service)
        airports = request(service.ops, "/status.json").json["airports"]
        assert airports["judged_by"] > 100 and 0.2 < airports["error_kelvin"] < airports["model_error_kelvin"], airports
        assert airports["error_kelvin"] == round(metric(service, "error_kelvin"), 2)
        before = reports(service)
        service.advance("1h")
        wait_until(lambda: reports(service) > before, what="the next reports")


def test_haze_is_told_where_airports_tell_it(world, sim):
    fault(sim, "haze", path="metar")
    service = world()
    loaded(service)
    assert there(service, *MUMBAI)["weather"]["text"] == "Haze"


# --- Faults of the model's files ---

# What is told of each; none: it is no fault.
FAULTS = {
    "stale-index": "7777|GRIB|length|message", "short-index": "cut short", "past-end": "too long|status 416", "twins": "twice", "early": None,
    "whole-file": "whole file", "cut-message": "7777", "wrong-grid": None, "wrong-param": "another parameter",
    "wrong-hour": "another hour", "wrong-run": "another run", "many-gaps": "too many", "huge-grid": "too large",
    "503": "503", "truncated": "not as many|cut short", "gzip-bomb": "", "garbage": "", "empty": "", "reset": "",
}
FILE = "/gfs.20260601/00/atmos/gfs.t00z.pgrb2.0p25.f"
ONE_FILE = (FILE + "003", FILE + "003.idx")
HARMLESS = ("gaps", "simple", "complex", "png")


@pytest.mark.parametrize("kind", FAULTS)
def test_a_mirror_with_a_fault_is_left_for_the_other(world, sim, kind):
    for path in ONE_FILE if kind == "wrong-grid" else ("gfs-index", "gfs-data"):
        fault(sim, kind, mirror=1, path=path)
    service = world()
    loaded(service)
    assert metric(service, "fields_missing") == 0
    assert metric(service, "run_timestamp_seconds") in (unix(RUN), unix(RUN) - 6 * 3600)
    for latitude, longitude in (SEA, (0.0, -150.0), (60.0, -30.0)):
        assert within(sim, there(service, latitude, longitude), unix(NOW), 0.16, (latitude, longitude))
    if FAULTS[kind] is not None:
        assert failed(service) >= 1 and re.search(FAULTS[kind], service.log()), service.log()
    assert gfs_requests(sim) <= 3 * REQUESTS


ALWAYS = [kind for kind in FAULTS if kind not in ("wrong-grid", "early")]  # a grid is none if all say so; early is no failure


@pytest.mark.parametrize("kinds", (ALWAYS[::2], ALWAYS[1::2]), ids=("some", "others"))
def test_with_a_fault_on_all_mirrors_the_old_run_goes_on(world, sim, kinds):
    """A round of all mirrors for each kind; an hour of the forecast is given up after twelve."""
    service = world()
    loaded(service)
    since = 6 * 3600
    service.advance("6h")
    for kind in kinds:
        sim.fault("none")
        fault(sim, kind, path="gfs-index")
        fault(sim, kind, path="gfs-data")
        before = failed(service)
        since += 660
        service.advance("11m")
        wait_until(lambda: failed(service) >= before + 2, 15, f"failures by {kind}")
        settle(service)
        assert within(sim, there(service), unix(NOW) + since, 0.3), kind
    assert loads(service) == 1 and metric(service, "run_timestamp_seconds") == unix(RUN)
    sim.fault("none")
    service.advance("11m")
    loaded(service, 2)
    assert metric(service, "fields_missing") == 0


@pytest.mark.parametrize("kind", HARMLESS)
def test_other_packings_and_a_few_gaps_are_read(world, sim, kind):
    sim.fault(kind)
    service = world()
    loaded(service)
    assert failed(service) == 0 and metric(service, "fields_missing") == 0
    for latitude, longitude in (SEA, (0.0, -150.0), (60.0, -30.0)):
        assert within(sim, there(service, latitude, longitude), unix(NOW), 0.4 if kind == "gaps" else 0.16, (latitude, longitude))


def test_an_hour_of_503_delays_a_load(world, sim):
    sim.control(f"clock?at={NOW}")
    fault(sim, "503", path="gfs-data", **{"for": "1h"})
    service = world()
    wait_until(lambda: failed(service) >= 4, what="failures")
    for _ in range(13):
        before = gfs_requests(sim)
        service.advance("11m")
        wait_until(lambda: gfs_requests(sim) > before or loads(service), what="another try")
        settle(service)
    assert within(sim, there(service), unix(NOW) + 143 * 60, 0.16) and metric(service, "fields_missing") == 0


def test_a_drip_is_given_up(world, sim):
    fault(sim, "drip", mirror=1, path="gfs-data", times=1)
    service = world()
    wait_until(lambda: number(there(service)) is not None, 40, "a number")
    assert within(sim, there(service), unix(NOW))


# --- A model that is not this earth's ---

def test_a_shifted_run_is_refused_because_the_airports_contradict_it(world, sim, tmp_path):
    service = world()
    loaded(service)
    fault(sim, "shifted")
    service.advance("6h")
    service.wait_line("airports' reports differ")
    assert loads(service) == 1 and metric(service, "run_timestamp_seconds") == unix(RUN)
    assert within(sim, there(service), unix(NOW) + 6 * 3600, 0.3)
    assert service.stop() == 0
    again = world({"server.state": str(tmp_path / "state0")}, at="2026-06-01T11:00:00Z")
    assert within(sim, there(again), unix(NOW) + 6 * 3600, 0.3), "after a restart neither"


def test_a_first_run_that_is_shifted_shows_nothing(world, sim):
    fault(sim, "shifted")
    fault(sim, "slow", value=300, path="metar")
    service = world()
    service.wait_line("airports' reports differ")
    assert number(there(service)) is None
    settle(service)
    assert number(there(service)) is None and loads(service) == 0


@pytest.mark.parametrize("mirrors", ((1,), (1, 2)))
def test_the_first_reports_unseat_a_run_that_they_contradict(world, sim, tmp_path, mirrors):
    def shift():
        for mirror in mirrors:
            fault(sim, "shifted", mirror=mirror)
    shift()
    fault(sim, "503", path="metar")
    service = world()
    loaded(service)
    settle(service)
    assert not within(sim, there(service), unix(NOW), 0.5), "there was nobody to tell"
    sim.fault("none")
    shift()
    service.advance("60s")
    service.wait_line("given up.*differ from the model")
    if len(mirrors) == 1:
        loaded(service, 2)
        assert within(sim, there(service), unix(NOW) + 60, 0.16)
    else:
        service.wait_line("not read.*differ from the model")
        assert number(there(service)) is None and not (tmp_path / "state0" / "earth.grid").exists()
        assert metric(service, "run_timestamp_seconds") == 0 and metric(service, "fields_missing") == FIELDS


def test_a_run_that_is_shifted_on_one_mirror_is_fetched_from_the_other(world, sim):
    fault(sim, "shifted", mirror=1)
    service = world()
    service.wait_line("fields=66 of=66")
    settle(service)
    assert number(there(service)) is None
    service.advance("30m")
    loaded(service)
    assert within(sim, there(service), unix(NOW) + 1800, 0.16)


def test_a_run_that_is_refused_costs_two_downloads(world, sim):
    fault(sim, "shifted")
    service = world()
    for times in range(1, 5):
        wait_until(lambda: sum("fields=66 of=66" in line for line in service.lines) >= times, 20, "a whole load")
        settle(service)
        before = gfs_requests(sim)
        service.advance("31m")
        wait_until(lambda: gfs_requests(sim) > before, what="another look")
    assert gfs_requests(sim) < 2 * REQUESTS + 60, gfs_requests(sim)
    assert sum("reports differ" in line for line in service.lines) < 12, "it is not read for each field"


# --- Point forecasts refine ---

def refined(world, **settings):
    service = world({"weather.providers": "open-meteo", "weather.refresh": "1h", **settings})
    loaded(service)
    return service


def test_a_cold_cell_is_answered_at_once_from_the_grid_and_then_by_a_point_forecast(world, sim):
    service = refined(world)
    fault(sim, "slow", value=300, path="open-meteo")
    first = service.get("/widget.json", at_place(*SEA))
    assert first.json["state"] == "fresh" and first.json["provider"] == "gfs" and "hit" in first.headers["Cache-Status"]
    then = wait_until(lambda: (a := there(service))["provider"] == "open-meteo" and a, what="the point forecast")
    assert then["state"] == "fresh" and within(sim, then, unix(NOW))
    assert asked(sim, "open-meteo") == 1


def test_a_point_forecast_is_used_until_it_is_two_refreshes_overdue_and_then_the_grid(world, sim):
    service = refined(world)
    there(service)
    wait_until(lambda: there(service)["provider"] == "open-meteo", what="the point forecast")
    fault(sim, "500", path="open-meteo")
    service.advance("170m")  # due after 54 to 66 minutes
    assert there(service)["provider"] == "open-meteo"
    service.advance("20m")
    answer = there(service)
    assert answer["provider"] == "gfs" and answer["state"] == "fresh" and within(sim, answer, unix(NOW) + 190 * 60, 0.3)


def test_with_no_budget_left_nobody_is_without_a_number(world, sim):
    service = refined(world, **{"weather.open_meteo_budget": "2/d"})
    for column in range(40):
        answer = there(service, SEA[0], SEA[1] + column / 10)
        assert answer["state"] == "fresh" and answer["provider"] in ("gfs", "gfs+metar") and number(answer) is not None
    service.landed()
    for column in range(40):
        assert there(service, SEA[0], SEA[1] + column / 10)["state"] == "fresh"
    service.landed()
    assert asked(sim, "open-meteo") <= 2


# --- What it costs ---

def test_without_a_run_all_fields_are_missing(world, sim):
    fault(sim, "hang", path="gfs-index")
    service = world()
    assert metric(service, "fields_missing") == FIELDS and earth_status(service)["fields_missing"] == FIELDS


def earth_status(service):
    return request(service.ops, "/status.json").json["earth"]


def test_the_bytes_of_a_day_outlive_a_restart(world, sim, tmp_path):
    service = world()
    loaded(service)
    settle(service)
    before = earth_status(service)["bytes_today"]
    assert service.stop() == 0
    again = world({"server.state": str(tmp_path / "state0")})
    after = wait_until(lambda: (b := earth_status(again)["bytes_today"]) > before and b, what="the airports' reports")
    assert after < before + 100_000
    again.signal(signal.SIGKILL)
    again.child.wait(10)
    killed = world({"server.state": str(tmp_path / "state0")})
    assert after <= earth_status(killed)["bytes_today"] < after + 4_100_000, "what it may have had"


def test_after_500_mb_nothing_more_is_fetched_that_day(world, sim, tmp_path):
    state = tmp_path / "full"
    state.mkdir()
    (state / "earth.bytes").write_bytes(struct.pack("=qq", unix(NOW) // 86400, 500_000_000 - 100_000))
    service = world({"server.state": str(state)})
    wait_until(lambda: metric(service, "stopped") == 1, what="the end of the day's bytes")
    settle(service)
    count = asked(sim)
    assert 1 < count < REQUESTS and 500_000_000 <= earth_status(service)["bytes_today"] < 500_100_000
    service.advance("10m")
    settle(service)
    assert asked(sim) == count and "more bytes today than it may" in service.log()
    service.advance("19h")
    loaded(service)
    assert metric(service, "stopped") == 0 and metric(service, "fields_missing") == 0


def reports(service):
    return metric(service, 'requests_total{source="metar",outcome="ok"}')


def test_a_world_day_takes_at_most_800_requests(world, sim):
    """Of readers everywhere: four runs, a report each ten minutes, and looks for a run that is due."""
    service = world()
    loaded(service)
    for step in range(1, 24 * 6 + 1):
        before = reports(service)
        service.advance("10m")
        wait_until(lambda: reports(service) > before, what="the airports' reports")
        assert number(there(service, (step * 37) % 170 - 84.5, (step * 101) % 358 - 178.5)) is not None
    loaded(service, 5)
    settle(service)
    by_source = {source: asked(sim, *apis) for source, apis in {"gfs": ("gfs-index", "gfs-data"), "metar": ("metar",)}.items()}
    print(by_source)
    assert by_source["metar"] == 145 and by_source["gfs"] - REQUESTS + by_source["metar"] - 1 <= 800, by_source
