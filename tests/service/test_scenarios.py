"""Goal of these tests: one scenario URL is one answer, the right one, for ever, whatever else is asked meanwhile; and what it answers is
what the service would really answer in that plight."""
import datetime
import re
import urllib.parse
import zoneinfo
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import ROOT, Masthead, address_of, is_office, readers, request, unix

DEFAULT_AT = "2026-01-31T09:30:00Z"
REFRESH_S = 7200

# What each fault promises: state, age in seconds, Cache-Status. None: no number.
FAULTS = {
    "fresh": ("fresh", 0, "hit; ttl=7200"),
    "stale": ("stale", 3 * 3600, "fwd=stale; ttl=-3600"),
    "upstream-down-6h": ("stale", 6 * 3600, "fwd=stale; ttl=-14400"),
    "quota-gone": ("stale", 12 * 3600, "fwd=stale; ttl=-36000"),
    "upstream-down-3d": ("place", None, "fwd=miss; detail=backing-off"),
    "cold": ("place", None, "fwd=miss"),
    "cold-down": ("place", None, "fwd=miss; detail=backing-off"),
}
HOPELESS = {"country-only": "too-vague", "office": "too-vague", "wide-radius": "too-vague", "anycast": "too-vague", "no-record": "reserved",
            "private": "private", "unreadable": "unreadable"}


def instant(unix_s):
    return datetime.datetime.fromtimestamp(unix_s, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def has_city(reader):
    """Whether a reader may be told a city: our own reading of the rules in data/README.md."""
    def number(name, least, most):
        return reader[name] != "" and least <= float(reader[name]) <= most
    return bool(reader["city"].strip('"')) and number("latitude", -90, 90) and number("longitude", -180, 180) and \
        (float(reader["latitude"]), float(reader["longitude"])) != (0, 0) and (reader["radius"] == "" or number("radius", 0, 100)) and \
        "anycast" not in reader["flags"] and not is_office(reader)


class SyntheticWeather:
    """What the weather really is, from the simulator, by the hour and to a tenth, as a forecast has it."""

    def __init__(self, simulator):
        self.simulator, self.known = simulator, {}

    def at(self, cell, unix_s):
        latitude, longitude = cell.split(",")
        key = (cell, unix_s)
        if key not in self.known:
            self.known[key] = self.simulator.synthetic_weather(latitude, longitude, unix_s)
        return self.known[key]

    def celsius(self, cell, unix_s):
        hour = unix_s - unix_s % 3600
        before, after = (round(self.at(cell, hour + step)["celsius"], 1) for step in (0, 3600))
        return before + (after - before) * (unix_s % 3600) / 3600


def check(answer, fault, at, weather):
    """That an answer with a place is what the fault promises at that instant."""
    state, age, cache_status = FAULTS[fault]
    body, now = answer.json, unix(at)
    assert answer.headers["Cache-Control"] == "no-store" and answer.headers["X-Masthead-Visitor"] == "faked"
    assert answer.headers["X-Masthead-Scenario"].endswith(f"{fault}; at={at}")
    assert answer.headers["Cache-Status"] == "masthead; " + cache_status
    assert (body["state"], body["age_s"], body["simulated"]) == (state, age, True)
    if age is None:
        assert body["temperature"]["celsius"] is None and body["text"] == body["place"]["name"] + " --\u00a0°C"
        return
    assert (body["fetched_at"], body["refresh_at"]) == (instant(now - age), instant(now - age + REFRESH_S))
    exact = weather.celsius(body["cell"], now)
    assert abs(body["temperature"]["celsius"] - exact) <= 0.0501, (body, exact)
    hour = weather.at(body["cell"], now - now % 3600)
    assert (body["weather"]["code"], body["weather"]["is_day"]) == (hour["code"], hour["is_day"])
    known = min(now, unix("9998-12-31T00:00:00Z"))  # the next year has instants that Python cannot tell in local time
    local = datetime.datetime.fromtimestamp(known, zoneinfo.ZoneInfo(body["timezone"]))
    assert body["utc_offset_s"] == local.utcoffset().total_seconds()


@pytest.fixture(scope="module")
def service(tmp_path_factory, simulator):
    simulator.reset()
    process = Masthead(tmp_path_factory.mktemp("state"), simulator, settings={"dev.simulated": "no"})
    yield process
    assert process.stop() == 0


def ask(service, **query):
    return service.get("/widget.json?" + urllib.parse.urlencode(query, safe=","))


def footprint(service, sim):
    """All that scenarios must not change."""
    unchanged = ("masthead_cache_", "masthead_upstream_", "masthead_widgets_total")
    return {name: value for name, value in service.metrics().items()
            if name.startswith(unchanged)}, sim.count()["requests"]


def test_every_reader_under_every_fault_while_others_read(service, sim):
    rows = readers()
    weather = SyntheticWeather(sim)
    places = {address_of(reader): ask(service, ip=address_of(reader)).json["place"] for reader in rows}
    normal = service.settled("192.0.2.1")
    for reader in rows:
        if has_city(reader):
            service.settled(address_of(reader))
    before = footprint(service, sim)

    def one(reader, fault):
        answer = ask(service, ip=address_of(reader), scenario=fault)
        assert answer.json["place"] == places[address_of(reader)], "the same place as without a scenario"
        if has_city(reader):
            check(answer, fault, DEFAULT_AT, weather)
        else:
            assert (answer.json["state"], answer.json["text"]) == ("unknown", "")
            assert answer.json["place"]["verdict"] in ("too-vague", "not-found"), reader
        return answer.body

    table = [(reader, fault) for fault in FAULTS for reader in rows]
    assert len(table) == 49 * 7
    with ThreadPoolExecutor(4) as pool:
        first = list(pool.map(lambda row: one(*row), table))
        again = list(pool.map(lambda row: one(*row), reversed(table)))
    assert first == again[::-1], "byte for byte, in whatever order"
    assert footprint(service, sim) == before
    after = service.visit("192.0.2.1").json
    assert (after["fetched_at"], after["state"], after["simulated"]) == (normal["fetched_at"], "fresh", False)


def test_every_named_reader_under_every_fault(service, sim):
    table = service.get("/dev/scenarios.json").json
    assert table["default_at"] == DEFAULT_AT and [fault["name"] for fault in table["faults"]] == list(FAULTS)
    weather = SyntheticWeather(sim)
    known = {reader[family] for reader in readers() for family in ("ipv4", "ipv6")}
    for reader in table["readers"]:
        name, at = reader["name"], reader["at"] or DEFAULT_AT
        assert reader["note"] and (reader["address"] in known or name in ("no-record", "private", "unreadable"))
        for fault in FAULTS:
            answer = ask(service, scenario=f"{name},{fault}")
            assert answer.body == ask(service, scenario=f"{fault},{name}").body, "in either order"
            assert answer.headers["X-Masthead-Scenario"] == f"{name},{fault}; at={at}"
            if name in HOPELESS:
                assert (answer.json["state"], answer.json["place"]["verdict"]) == ("unknown", HOPELESS[name])
            else:
                check(answer, fault, at, weather)


@pytest.mark.parametrize("query, text", [
    ("scenario=leh-below-zero", r"Leh −\d+ °C"),
    ("scenario=reykjavik-minus-zero", r"Reykjav.k 0 °C"),
    ("scenario=powai", r"Mumbai \d+ °C"),
    ("scenario=new-york&units=auto", r"New York \d+ °F"),
    ("scenario=rtl-name", r"מצפה רמון \d+ °C"),
    ("scenario=hostile-name", r'<b>Bold & "Quoted"</b> \d+ °C'),
    ("scenario=cold-down,tokyo", r"Tokyo -- °C"),
    ("scenario=anycast", r""),
])
def test_names_keep_their_promise(service, query, text):
    assert re.fullmatch(text, service.get("/widget.txt?" + query).text.rstrip("\n").replace("\u00a0", " "))


def test_new_york_at_night_in_january_six_hours_into_an_outage(service, sim):
    """The question of tests/README.md, by its URL."""
    recipe = re.search(r"http://127.0.0.1:8080(/\S*new-york\S*)'", (ROOT / "tests" / "README.md").read_text(encoding="utf-8"))
    answer = service.get(recipe.group(1))
    assert answer.json["place"]["name"] == "New York" and answer.json["weather"]["is_day"] is False
    assert answer.json["state"] == "stale" and answer.json["age_s"] == 6 * 3600
    assert answer.json["fetched_at"].startswith("2026-01-")


@pytest.mark.parametrize("query, at, name, fault", [
    ({"at": "2026-07-01T00:15:00Z", "ip": "198.51.100.17"}, "2026-07-01T00:15:00Z", "London", "fresh"),
    ({"at": "1970-01-01T00:00:00Z", "scenario": "leh-below-zero"}, "1970-01-01T00:00:00Z", "Leh", "fresh"),
    ({"at": "9999-12-31T22:30:00Z", "scenario": "stale,tokyo"}, "9999-12-31T22:30:00Z", "Tokyo", "stale"),
    ({"scenario": "stale", "place": "1275339"}, DEFAULT_AT, "Mumbai", "stale"),
    ({"scenario": "leh-below-zero,stale", "ip": "198.51.100.17"}, DEFAULT_AT, "London", "stale"),
    ({"ip": "198.51.100.17", "scenario": "stale,leh-below-zero"}, DEFAULT_AT, "London", "stale"),
])
def test_instants_and_what_goes_before_what(service, sim, query, at, name, fault):
    answer = ask(service, **query)
    assert answer.json["place"]["name"] == name
    check(answer, fault, at, SyntheticWeather(sim))
    both = "ip" in query and "leh" in query.get("scenario", "")
    assert answer.headers["X-Masthead-Ignored"] == ("scenario; its reader gives way to the address given" if both else None)


@pytest.mark.parametrize("query, said", [
    ("scenario=", "scenario; not a known reader or fault (see /dev/scenarios.json)"),
    ("scenario=mumbai,", "scenario; not a known reader or fault (see /dev/scenarios.json)"),
    ("scenario=Mumbai", "scenario; not a known reader or fault (see /dev/scenarios.json)"),
    ("scenario=mumb", "scenario; not a known reader or fault (see /dev/scenarios.json)"),
    ("scenario=mumbai,<script>", "scenario; not a known reader or fault (see /dev/scenarios.json)"),
    ("scenario=mumbai,delhi", "scenario; names two of a kind"),
    ("scenario=stale,stale", "scenario; names two of a kind"),
    ("at=2026-01-31", "at; not an instant such as 2026-01-31T09:30:00Z"),
    ("at=2026-02-30T00:00:00Z", "at; not an instant such as 2026-01-31T09:30:00Z"),
    ("at=1969-12-31T23:59:59Z", "at; not an instant such as 2026-01-31T09:30:00Z"),
    ("at=2026-01-31T09:30:00+05:30", "at; not an instant such as 2026-01-31T09:30:00Z"),
])
def test_what_is_no_scenario_is_ignored_and_said(service, query, said):
    answer = service.get("/widget.json?" + query)
    assert answer.headers["X-Masthead-Ignored"] == said
    assert answer.headers["X-Masthead-Visitor"] is None and answer.json["place"]["verdict"] == "private"
    assert answer.status == 200


def test_an_answer_fits_whatever_is_wrong_with_the_question(start):
    origin = "https://" + "n" * 110 + ".example"
    service = start(settings={"widget.origins": origin})
    wrong = "&".join(["scenario=reykjavik-minus-zero,upstream-down-3d"] * 30 + ["x=1"] * 30 + ["at="] * 30)
    answer = service.get("/widget.json?lang=hi&" + wrong, headers={"Origin": origin})
    assert answer.status == 200 and answer.headers["Access-Control-Allow-Origin"] == origin
    assert len(answer.headers["X-Masthead-Ignored"]) > 450 and answer.headers["X-Masthead-Scenario"].startswith("reykjavik-minus-zero,")


def test_scenarios_on_every_form_of_the_answer(service):
    query = "scenario=mumbai,upstream-down-6h"
    text = service.get("/widget.txt?" + query).text.strip()
    assert service.get("/widget.json?" + query).json["text"] == text
    fragment = service.get("/widget?" + query).text
    assert 'data-state="stale" data-source="geoip" data-age="21600" data-simulated' in fragment
    where = service.get("/where.json?" + query).json
    assert (where["cell"], where["place"]["name"]) == ("19.1,72.9", "Mumbai")
    weather = service.get(f"/weather.json?cell={where['cell']}&scenario=upstream-down-6h")
    assert weather.headers["Cache-Control"] == "no-store" and "Mumbai " + weather.json["text"] == text


def test_the_clock_of_the_service_has_no_say(start, sim):
    sim.control("clock?at=2030-06-01T12:00:00Z")
    frozen = start(settings={"dev.at": "2030-06-01T12:00:00Z"})
    moved = start()
    request(moved.ops, "/dev/clock?advance=100h", "POST")
    query = "/widget.json?scenario=delhi,stale"
    assert frozen.get(query).body == moved.get(query).body
    assert frozen.visit("10.0.0.1").json["state"] == "unknown"
    assert frozen.settled("192.0.2.1")["fetched_at"] == "2030-06-01T12:00:00Z", "where no scenario is asked for, dev.at counts"


def test_other_lives_of_a_curve_are_told_truly(start):
    """A refresh of a day: six hours into an outage nothing was due yet, but what failed since says so; keep of five hours: it is over."""
    assert ask(start(settings={"weather.keep": "5h"}), scenario="delhi,upstream-down-6h").json["state"] == "place"
    longer = ask(start(settings={"weather.refresh": "1d"}), scenario="delhi,upstream-down-6h").json
    assert (longer["state"], longer["refresh_at"]) == ("stale", "2026-02-01T03:30:00Z")
