"""Goal of these tests: the next hours, the range of the day, rain and how it feels are the simulator's weather, for each source as
far as that knows them; what is not known or no longer kept is null in JSON and is not there in the fragment."""
import re
import time

import pytest

import grib
from harness import EDGE, KEY, at_place, request, unix, wait_until

MUMBAI, CELL = "192.0.2.1", (19.1, 72.9)
DAY, HOUR = 86400, 3600
EXTRAS = "/widget?show=range,rain,feels"


def now_of(service):
    return unix(request(service.ops, "/dev/clock?advance=0s", "POST").text.strip())


def hours_of(answer):
    return [unix(hour["at"]) for hour in answer["hours"]]


def next_hours(now, count=12):
    return [now - now % HOUR + HOUR * (i + 1) for i in range(count)]


def texts(fragment):
    return dict(re.findall(r'<span class="masthead-(feels|range|rain)">([^<]*)</span>', fragment))


def day_of(at, offset=19800):
    """The full hours of the day that it is where local time has that offset, all the day."""
    begin = (at + offset) // DAY * DAY - offset
    return range(-(-begin // HOUR) * HOUR, begin + DAY, HOUR)


def truth_of(sim, at, cell=CELL):
    return sim.synthetic_weather(*cell, at)


def rain_of(sim, now, cell=CELL):
    """The first hour of this one and the next twelve in which something is likely to fall; None: there is none."""
    for at in [now - now % HOUR, *next_hours(now)]:
        if truth_of(sim, at, cell)["rain_probability"] >= 50:
            return at
    return None


def dry_and_wet(sim, begin, cell=CELL):
    """Instants of which one has no rain for twelve hours, the next has rain in some, and the last has it now."""
    hours = [begin + HOUR * i for i in range(24 * 60)]
    likely = [truth_of(sim, at, cell)["rain_probability"] >= 50 for at in hours]
    dry = next(i for i in range(len(hours)) if not any(likely[i:i + 13]))
    wet = likely.index(True, dry)
    return hours[dry], hours[wet - 5], hours[wet]


# --- A forecast of a place ---

def test_what_is_to_come_is_the_simulators_weather_at_any_time_of_the_day(masthead, sim):
    for step in ("0s", "7h", "9h", "6h"):
        masthead.advance(step)
        answer = masthead.settled(MUMBAI)
        now = now_of(masthead)
        assert hours_of(answer) == next_hours(now)
        for hour, at in zip(answer["hours"], hours_of(answer)):
            truth = truth_of(sim, at)
            assert hour["celsius"] == pytest.approx(truth["celsius"], abs=0.06)
            assert (hour["code"], hour["is_day"]) == (truth["code"], truth["is_day"])
            assert hour["rain_probability"] == truth["rain_probability"]
        assert answer["feels_like"] == pytest.approx(truth_of(sim, now)["feels_like"], abs=0.3)
        day = [truth_of(sim, at)["celsius"] for at in day_of(now)]
        assert len(day) == 24
        assert answer["today"]["high"] == pytest.approx(max(day), abs=0.06)
        assert answer["today"]["low"] == pytest.approx(min(day), abs=0.06)
        rain = rain_of(sim, now)
        assert (answer["rain"] and unix(answer["rain"]["starts_at"])) == rain
    assert masthead.requests() == {"ok": sim.count()["requests"]}, "one request for all of it"


def test_both_halves_and_the_fragment_tell_the_same(service):
    scenario = "scenario=mumbai&at=2026-07-10T06:20:00Z"
    whole = service.get("/widget.json?" + scenario).json
    half = service.get("/weather.json?cell=19.1,72.9&" + scenario).json
    ahead = ("feels_like", "today", "rain", "hours", "temperature")
    assert [whole[key] for key in ahead] == [half[key] for key in ahead] and len(whole["hours"]) == 12
    assert not set(ahead) & set(service.get("/where.json?" + scenario).json)
    shown = texts(service.get(EXTRAS + "&" + scenario).text)
    assert shown["range"] == whole["today"]["text"] and shown["feels"] == whole["temperature"]["feels_text"]
    assert shown.get("rain") == (whole["rain"] and whole["rain"]["text"])


def test_rain_is_told_in_the_places_time_and_the_pages_language(service, sim):
    dry, soon, now = dry_and_wet(sim, unix("2026-07-01T00:00:00Z"))

    def at(instant, more=""):
        when = f"scenario=mumbai&at={instant_of(instant + 60)}{more}"
        answer, fragment = service.get("/widget.json?" + when).json, service.get(EXTRAS + "&" + when).text
        assert texts(fragment).get("rain") == (answer["rain"] and answer["rain"]["text"])
        return answer["rain"]

    assert at(dry) is None
    starts = soon + 5 * HOUR
    clock = instant_of(starts + 19800)[11:16]
    assert at(soon) == {"starts_at": instant_of(starts), "text": f"Rain from {clock}",
                        "probability": truth_of(sim, starts)["rain_probability"]}
    assert at(soon, "&lang=hi")["text"] == f"{clock} से बारिश"
    assert at(soon, "&lang=mr")["text"] == clock.translate(str.maketrans("0123456789", "०१२३४५६७८९")) + " पासून पाऊस"
    falling = at(now)
    assert falling["starts_at"] == instant_of(now) and falling["text"] == words_of(service, now + 60)


def words_of(service, at):
    return service.get(f"/widget.json?scenario=mumbai&at={instant_of(at)}").json["weather"]["text"]


def instant_of(at):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


@pytest.mark.parametrize("at, hours, first", [
    ("2026-03-08T14:00:00Z", 23, "2026-03-08T05:00:00Z"),
    ("2026-07-01T14:00:00Z", 24, "2026-07-01T04:00:00Z"),
    ("2026-11-01T14:00:00Z", 25, "2026-11-01T04:00:00Z"),
    ("2026-11-02T04:59:59Z", 25, "2026-11-01T04:00:00Z"),
])
def test_a_day_is_as_long_as_its_clocks_make_it(service, sim, at, hours, first):
    day = [truth_of(sim, unix(first) + HOUR * i, (40.7, -74.0))["celsius"] for i in range(hours)]
    today = service.get(f"/widget.json?scenario=new-york&at={at}").json["today"]
    assert today["high"] == pytest.approx(max(day), abs=0.06) and today["low"] == pytest.approx(min(day), abs=0.06)


def test_degrees_in_words_are_in_the_unit_and_the_digits_asked_for(service):
    def at(query):
        answer = service.get(f"/widget.json?scenario=leh-below-zero{query}").json
        return answer["today"], answer["temperature"]["feels_text"]

    celsius, feels = at("")
    assert celsius["high"] < 0 and re.fullmatch("\u2212[0-9]+° / \u2212[0-9]+°", celsius["text"])
    assert re.fullmatch("Feels like \u2212[0-9]+°", feels)
    fahrenheit, _ = at("&units=f")
    assert (fahrenheit["high"], fahrenheit["low"]) == (celsius["high"], celsius["low"])
    shown = [int(part.rstrip("°").replace("\u2212", "-")) for part in fahrenheit["text"].split(" / ")]
    assert shown == [pytest.approx(celsius[end] * 9 / 5 + 32, abs=0.51) for end in ("high", "low")]
    bengali, feels = at("&lang=bn")
    assert re.fullmatch("\u2212[০-৯]+° / \u2212[০-৯]+°", bengali["text"]) and feels.startswith("অনুভূত হচ্ছে \u2212")


def test_nothing_of_it_is_there_unless_asked(service):
    plain = service.get("/widget?scenario=mumbai").text
    asked = service.get(EXTRAS + "&scenario=mumbai").text
    assert "feels" not in plain and len(plain.encode()) <= 400
    assert re.sub(r' <span class="masthead-(feels|range|rain)">[^<]*</span>', "", asked) == plain


# --- What is not known, and what is no longer kept ---

@pytest.mark.parametrize("fault, state", [("cold", "place"), ("cold-down", "place"), ("upstream-down-3d", "place")])
def test_without_a_number_all_of_it_is_null(service, fault, state):
    answer = service.get(f"/widget.json?scenario=mumbai,{fault}").json
    assert answer["state"] == state and answer["temperature"]["feels_text"] is None
    assert [answer[key] for key in ("feels_like", "today", "rain", "hours")] == [None] * 4
    assert texts(service.get(f"{EXTRAS}&scenario=mumbai,{fault}").text) == {}


def test_an_aged_curve_tells_what_it_still_knows_and_its_age(service):
    answer = service.get("/widget.json?scenario=mumbai,upstream-down-6h").json
    assert answer["state"] == "stale" and answer["age_s"] == 6 * HOUR
    assert answer["today"] and len(answer["hours"]) == 12 and answer["feels_like"] is not None
    fragment = service.get(EXTRAS + "&scenario=mumbai,upstream-down-6h").text
    assert f'data-age="{6 * HOUR}"' in fragment and set(texts(fragment)) >= {"range", "feels"}


def test_hours_that_are_not_kept_are_not_shown(start, sim):
    service = start(settings={"weather.keep": "6h", "weather.refresh": "1h", "weather.timeout": "1s"})
    fetched = unix(service.settled(MUMBAI)["fetched_at"])
    sim.fault("500")
    for hours in range(1, 6):
        service.advance("1h")
        answer = service.visit(MUMBAI).json
        assert answer["state"] in ("fresh", "stale") and unix(answer["fetched_at"]) == fetched
        now = now_of(service)
        assert hours_of(answer) == [at for at in next_hours(now) if at < fetched + 6 * HOUR], hours
        last = max(day_of(now))
        assert (answer["today"] is None) == (last >= fetched + 6 * HOUR)
    service.advance("90m")
    assert service.visit(MUMBAI).json["hours"] is None


def test_met_norway_knows_neither_how_it_feels_nor_what_is_likely(start, sim):
    service = start(settings={"weather.providers": "met-norway", "weather.met_norway_url": sim.url, "weather.contact": "me@example.org"})
    answer = service.settled(MUMBAI)
    assert answer["feels_like"] is None and answer["today"] is None and len(answer["hours"]) == 12
    assert {hour["rain_probability"] for hour in answer["hours"]} == {None}
    rain = rain_of(sim, now_of(service))
    if rain is None or rain > now_of(service):  # else what falls now is told by its code
        assert (answer["rain"] and unix(answer["rain"]["starts_at"])) == rain


def test_openweathermap_tells_three_hours_at_once(start, sim, key_file):
    service = start(settings={"weather.providers": "openweathermap", "weather.openweathermap_url": sim.url,
                              "weather.openweathermap_key_file": key_file})
    answer = service.settled(MUMBAI)
    assert answer["feels_like"] == pytest.approx(truth_of(sim, now_of(service))["feels_like"], abs=0.8)
    step = 3 * HOUR
    for hour, at in list(zip(answer["hours"], hours_of(answer)))[4:]:  # beyond the forecast that is too near the measurement
        three = [truth_of(sim, at - at % step + HOUR * i)["rain_probability"] for i in range(3)]
        assert hour["rain_probability"] == max(three)
    assert KEY not in service.log()


@pytest.mark.skipif(not grib.PROGRAM.exists(), reason="masthead-grib is not built: libg2c-dev is missing")
def test_the_whole_earth_tells_rain_by_what_falls(start, sim):
    """From the model alone: what falls has a code, and no probability; the night before is not held."""
    at = "2026-06-01T05:00:00Z"
    now = unix(at)
    points = [(latitude, longitude) for latitude in (-30.0, -20.0, 20.0, 30.0) for longitude in range(-170, 180, 10)]
    cell = next(point for point in points if rain_of(sim, now, point) in next_hours(now)[2:8])
    sim.control(f"clock?at={at}")
    service = start(settings={"earth.grid": "gfs", "earth.gfs_urls": sim.url + "/mirror1", "weather.providers": "",
                              "earth.metar_url": sim.url + "/data/cache/metars.cache.csv.gz",
                              "geoip.headers": ", ".join(EDGE), "dev.at": at})
    wait_until(lambda: "whole earth loaded" in service.log(), 20, "the model")
    answer = service.get("/widget.json", at_place(*cell)).json
    assert answer["provider"] in ("gfs", "gfs+metar") and answer["today"] is None
    assert answer["feels_like"] is None and answer["temperature"]["feels_text"] is None
    assert hours_of(answer) == next_hours(now)
    assert {hour["rain_probability"] for hour in answer["hours"]} == {None}
    falls = [at for at, hour in zip(hours_of(answer), answer["hours"]) if hour["code"] >= 50]
    assert falls and answer["weather"]["code"] < 50
    assert (answer["rain"]["starts_at"], answer["rain"]["probability"]) == (instant_of(falls[0]), None)
    assert texts(service.get(EXTRAS, at_place(*cell)).text) == {"rain": answer["rain"]["text"]}
    assert answer["rain"]["text"].startswith(("Rain from ", "Snow from "))
    offset = answer["utc_offset_s"]
    for _ in range(6):
        before = service.log().count("whole earth loaded")
        service.advance("6h")
        wait_until(lambda: service.log().count("whole earth loaded") > before, 20, "the next run")
        answer = service.get("/widget.json", at_place(*cell)).json
    day = [truth_of(sim, at, cell)["celsius"] for at in day_of(now_of(service), offset)]
    assert answer["today"]["high"] == pytest.approx(max(day), abs=0.5), "of hours that earlier runs had, too"
    assert answer["today"]["low"] == pytest.approx(min(day), abs=0.5)
