"""Goal of these tests: whoever needs a weather API that fails in one way, for one API, one region or one request in three,
adds that fault in one line, gets exactly that at every run, and is told so when the rule makes no sense."""
import gzip
import subprocess
import urllib.parse

import pytest

from harness import BUILD, Simulator, request

OPEN_METEO = "/v1/forecast?timeformat=unixtime&hourly=temperature_2m&latitude={}&longitude={}"
MET_NORWAY = "/weatherapi/locationforecast/2.0/compact?lat={}&lon={}"
MEASURED = "/data/2.5/weather?appid=k&lat={}&lon={}"
FORECAST = "/data/2.5/forecast?appid=k&lat={}&lon={}"
MUMBAI, NEW_YORK, FIJI, SAMOA = (19.1, 72.9), (40.7, -74), (-18.1, 178.4), (-13.8, -171.8)


def add_fault(sim, **query):
    return request(sim.url, "/sim/fault?" + urllib.parse.urlencode(query), "POST")


def ask(sim, path=OPEN_METEO, place=MUMBAI):
    """The status of one forecast."""
    return request(sim.url, path.format(*place), headers={"User-Agent": "a test"}).status


def faults(sim):
    return sim.control("fault", "GET").json["faults"]


def test_a_fault_may_be_one_apis_or_one_paths(sim):
    add_fault(sim, kind="500", path="met-norway")
    add_fault(sim, kind="503", path="/data/2.5/forecast")
    assert [ask(sim, path) for path in (OPEN_METEO, MET_NORWAY, MEASURED, FORECAST)] == [200, 500, 200, 503]
    add_fault(sim, kind="404", path="openweathermap")
    assert [ask(sim, path) for path in (OPEN_METEO, MET_NORWAY, MEASURED, FORECAST)] == [200, 500, 404, 503]


def test_a_fault_may_be_a_regions(sim):
    add_fault(sim, kind="500", box="8,68,36,98")
    add_fault(sim, kind="503", box="-25,170,-10,-170")  # across the 180th meridian
    assert [ask(sim, place=place) for place in (MUMBAI, NEW_YORK, FIJI, SAMOA)] == [500, 200, 503, 503]
    assert ask(sim, MET_NORWAY) == 500, "whichever API is asked"
    assert ask(sim, place=(100, 0)) == 400, "what lies nowhere lies in no box"


def test_a_share_hits_the_same_requests_at_every_run(sim):
    def run(**query):
        sim.reset()
        add_fault(sim, kind="500", share="0.3", **query)
        return [ask(sim) for _ in range(100)]

    first = run()
    assert 15 <= first.count(500) <= 45 and first.count(500) + first.count(200) == 100
    assert run() == first == run(seed=1)
    assert run(seed=7) != first


def test_what_one_fault_lets_go_may_be_anothers(sim):
    add_fault(sim, kind="500", share="0.5")
    add_fault(sim, kind="503", share="0.5", seed="2")
    add_fault(sim, kind="404")
    seen = [ask(sim) for _ in range(60)]
    assert all(5 <= seen.count(status) for status in (500, 503, 404)) and 200 not in seen
    one, two, rest = faults(sim)
    assert (one["kind"], one["fitting"], one["struck"]) == ("500", 60, seen.count(500))
    assert (two["kind"], two["fitting"], two["struck"]) == ("503", 60 - seen.count(500), seen.count(503))
    assert (rest["kind"], rest["fitting"], rest["struck"]) == ("404", seen.count(404), seen.count(404))


def test_the_fault_for_all_never_hides_a_narrower_one(sim):
    add_fault(sim, kind="500")
    add_fault(sim, kind="none", box="8,68,36,98")  # an exception
    assert [ask(sim, place=place) for place in (MUMBAI, NEW_YORK)] == [200, 500]
    add_fault(sim, kind="503")  # takes the place of the first
    assert [ask(sim, place=place) for place in (MUMBAI, NEW_YORK)] == [200, 503]
    add_fault(sim, kind="none")  # for all: the end of all
    assert faults(sim) == [] and ask(sim, place=NEW_YORK) == 200


def test_a_fault_ends_after_as_many_requests_as_asked(sim):
    answer = add_fault(sim, kind="429", value="daily", path="open-meteo", times=2).json
    assert answer["faults"] == [{"kind": "429", "value": "daily", "path": "open-meteo", "mirror": None, "box": None,
                                 "share": 1, "seed": 1, "times": 2, "until": None, "fitting": 0, "struck": 0}]
    assert [ask(sim) for _ in range(3)] == [429, 429, 200]
    (spent,) = faults(sim)
    assert (spent["times"], spent["struck"]) == (0, 2)


def test_the_state_names_the_fault_for_all(sim):
    answer = add_fault(sim, kind="slow", value="5", times=2).json
    assert (answer["fault"], answer["value"], answer["times"]) == ("slow", "5", 2)
    ask(sim), ask(sim)
    state = sim.control("fault", "GET").json
    assert (state["fault"], state["value"], state["times"]) == ("none", "", 0)


@pytest.mark.parametrize("query, word", [
    ("", "no such fault"),
    ("kind=sulk", "no such fault"),
    ("kind=500&value=3", "takes no value"),
    ("kind=slow&value=soon", "milliseconds"),
    ("kind=500&times=-1", "times"),
    ("kind=500&times=1e3", "times"),
    ("kind=500&path=yahoo", "met-norway"),
    ("kind=500&path=" + "x" * 100, "met-norway"),
    ("kind=500&box=1,2,3", "box"),
    ("kind=500&box=36,68,8,98", "box"),
    ("kind=500&box=8,68,36,nan", "box"),
    ("kind=500&box=8,68,36,98,1", "box"),
    ("kind=500&box=", "box"),
    ("kind=500&share=0", "share"),
    ("kind=500&share=1.1", "share"),
    ("kind=500&share=nan", "share"),
    ("kind=500&share=", "share"),
    ("kind=500&share=0.5&seed=4294967296", "seed"),
    ("kind=500&shre=0.5", "say kind"),
])
def test_a_fault_that_makes_no_sense_is_refused_and_changes_nothing(sim, query, word):
    add_fault(sim, kind="503")
    answer = request(sim.url, "/sim/fault?" + query, "POST")
    assert answer.status == 400 and word in answer.json["reason"]
    assert [fault["kind"] for fault in faults(sim)] == ["503"]


def test_the_list_has_an_end(sim):
    for seed in range(16):
        assert add_fault(sim, kind="500", share="0.5", seed=seed).status == 200
    assert add_fault(sim, kind="500", share="0.5", seed=3).status == 200, "in the place of the one before"
    answer = add_fault(sim, kind="500", share="0.5", seed=16)
    assert answer.status == 400 and "16" in answer.json["reason"]
    assert len(faults(sim)) == 16


def test_the_command_line_adds_the_same():
    process = Simulator("--fault", "429=daily&path=open-meteo&times=1", "--fault", "500&share=0.3&seed=7", "--fault",
                        "hang&box=8,68,36,98&path=met-norway", "--fault", "slow=1")
    try:
        kept = [(fault["kind"], fault["value"], fault["path"], fault["share"]) for fault in faults(process)]
        assert kept == [("429", "daily", "open-meteo", 1), ("500", "", None, 0.3), ("hang", "", "met-norway", 1),
                        ("slow", "1", None, 1)]
        assert ask(process) == 429
        process.reset()
        assert faults(process) == []
    finally:
        assert process.stop() == 0, process.log()


@pytest.mark.parametrize("given", ["sulk", "slow=soon", "500&box=1", "500&shre=1", "", "x" * 600])
def test_a_command_line_that_makes_no_sense_is_bad_usage(given):
    done = subprocess.run([BUILD / "masthead-sim", "--fault", given], capture_output=True, text=True, timeout=10)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("masthead-sim: --fault ") and done.stderr.count("\n") == 1


def test_the_manual_is_whole_and_served_too(sim):
    manual = subprocess.run([BUILD / "masthead-sim", "--help"], capture_output=True, text=True, check=True).stdout
    assert request(sim.url, "/").text == manual
    for word in ("--listen", "/v1/forecast", "/sim/count", "box=S,W,N,E", "share=", "  no-hourly ", "kind=none'\n"):
        assert word in manual, word
    assert max(map(len, manual.splitlines())) <= 100


METARS = "/data/cache/metars.cache.csv.gz"


def test_the_metars_are_a_packed_file_whatever_the_client_accepts(sim):
    for accepts in ("gzip", "identity"):
        answer = request(sim.url, METARS, headers={"Accept-Encoding": accepts})
        assert answer.headers["Content-Type"] == "application/x-gzip" and "Content-Encoding" not in answer.headers
        lines = gzip.decompress(answer.body).decode("latin-1").splitlines()
        assert lines[0].startswith("raw_text,station_id,") and len(lines) > 600
    assert sim.count()["cells"] == {}


def test_what_breaks_the_metars_breaks_the_file_and_not_its_transfer(sim):
    whole = len(request(sim.url, METARS).body)
    add_fault(sim, kind="gzip-bomb", path="metar")
    answer = request(sim.url, METARS)
    assert len(gzip.decompress(answer.body)) == 64 << 20 and "Content-Encoding" not in answer.headers
    add_fault(sim, kind="truncated", path="metar")
    half = request(sim.url, METARS).body
    assert 0.4 * whole < len(half) < 0.6 * whole and half.startswith(b"\x1f\x8b")
    assert ask(sim) == 200, "other APIs are not touched"


def test_a_path_answers_to_its_own_methods(sim):
    for path, method, allowed in [("/sim/fault", "PUT", "GET, POST"), ("/sim/reset", "GET", "POST"),
                                  ("/v1/forecast", "POST", "GET")]:
        answer = request(sim.url, path, method)
        assert answer.status == 405 and answer.headers["Allow"] == allowed


@pytest.mark.parametrize("value, statuses, host", [
    (None, [301] * 4, "same"), ("1", [301, 200], "same"), ("2", [301, 301, 200], "same"),
    ("host", [301], "https://weather.example"), ("http", [301, 200], "http://weather.test:1"),
])
def test_a_redirect_leads_where_it_was_told_to(sim, value, statuses, host):
    sim.fault("redirect", value)
    path, seen = MET_NORWAY.format(*MUMBAI), []
    while len(seen) < len(statuses):
        answer = request(sim.url, path, headers={"User-Agent": "a test", "Host": "weather.test:1"})
        seen.append(answer.status)
        if answer.status == 301:
            before, found, path = answer.headers["Location"].partition("/weatherapi/")
            assert found and before == ("" if host == "same" else host)
            path = found + path
    assert seen == statuses
    assert value or path == MET_NORWAY.format(*MUMBAI), "without end, and ever the same"


def test_met_norways_replies_are_compressed_for_whoever_accepts_it(sim):
    def headers(**more):
        return {"User-Agent": "a test", **more}

    plain = request(sim.url, MET_NORWAY.format(*MUMBAI), headers=headers())
    packed = request(sim.url, MET_NORWAY.format(*MUMBAI), headers=headers(**{"Accept-Encoding": "deflate, gzip"}))
    assert plain.headers["Content-Encoding"] is None and packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body and len(packed.body) < len(plain.body) / 4
    other = request(sim.url, OPEN_METEO.format(*MUMBAI), headers=headers(**{"Accept-Encoding": "gzip"}))
    assert other.headers["Content-Encoding"] is None and other.json
    sim.fault("gzip-bomb")
    bomb = request(sim.url, MET_NORWAY.format(*MUMBAI), headers=headers())
    assert len(bomb.body) < 70000 and gzip.decompress(bomb.body) == b" " * 2**26


def test_each_api_tells_how_it_feels_and_what_is_likely_in_its_own_way(sim):
    extras = "&hourly=apparent_temperature,precipitation_probability&past_hours=24&forecast_hours=50&timeformat=unixtime"
    reply = request(sim.url, "/v1/forecast?latitude=19.1&longitude=72.9" + extras).json
    assert reply["hourly_units"] == {"time": "unixtime", "apparent_temperature": "°C", "precipitation_probability": "%"}
    hours = list(zip(*(reply["hourly"][name] for name in ("time", "apparent_temperature", "precipitation_probability"))))
    assert len(hours) == 74
    for at, feels, percent in hours[::7]:
        assert feels == pytest.approx(sim.synthetic_weather(*MUMBAI, at)["feels_like"], abs=0.06)
        assert percent == sim.synthetic_weather(*MUMBAI, at - 3600)["rain_probability"], "of the hour before"

    measured = request(sim.url, MEASURED.format(*MUMBAI) + "&units=metric").json
    assert measured["main"]["feels_like"] > measured["main"]["temp"] and "pop" not in measured
    for point in request(sim.url, FORECAST.format(*MUMBAI) + "&cnt=6").json["list"]:
        before = [sim.synthetic_weather(*MUMBAI, point["dt"] - 3600 * hours)["rain_probability"] for hours in (1, 2, 3)]
        assert point["pop"] == max(before) / 100 and point["main"]["feels_like"] > 273
