"""Goal of these tests: when one weather API fails, the next one answers in the same flight, correctly and with its own
credit; each is asked in the way its owner wants; and a key shows up nowhere."""
import json
import re
import time

import pytest

from harness import KEY, SANITIZED, Simulator, request, unix, wait_until

MUMBAI = "192.0.2.1"
CONTACT = "ops@example.org"
AT = "2026-01-31T07:10:00Z"  # an hour and ten minutes after the simulator's MET Norway last changed its document


@pytest.fixture
def second():
    """Another simulator, which has not the faults of the first."""
    process = Simulator()
    yield process
    assert process.stop() == 0, process.log()


@pytest.fixture
def frozen():
    """One whose clock stands still until it is moved."""
    process = Simulator("--at", AT)
    yield process
    assert process.stop() == 0, process.log()


def settings(*providers, url=None, key_file=None, **more):
    values = {"weather.providers": ",".join(providers), "weather.wait": "2s"}
    if "met-norway" in providers:
        values |= {"weather.met_norway_url": url, "weather.contact": CONTACT}
    if "openweathermap" in providers:
        values |= {"weather.openweathermap_url": url, "weather.openweathermap_key_file": key_file}
    return values | {"weather." + key: value for key, value in more.items()}


def ask_until_counted(service, provider, outcome, what):
    """Visits until one more request has ended so, and landed."""
    before = service.requests(provider).get(outcome, 0)
    wait_until(lambda: (service.visit(MUMBAI), service.requests(provider).get(outcome, 0) > before)[1],
               what=f"{what}: {outcome}, have {service.requests(provider)}")
    service.landed()


def test_met_norway_answers_in_the_flight_in_which_open_meteo_fails(start, sim, second):
    sim.fault("500")
    service = start(settings=settings("open-meteo", "met-norway", url=second.url))
    seen = service.visit(MUMBAI).json
    assert seen["state"] == "fresh" and seen["provider"] == "met-norway"
    assert seen["credits"][0]["url"] == "https://www.met.no/" and "MET Norway" in seen["credits"][0]["text"]
    assert "MET Norway" in service.visit(MUMBAI, "/widget").text
    expected = second.synthetic_weather(19.1, 72.9, time.time())
    assert abs(seen["temperature"]["celsius"] - expected["celsius"]) < 0.3
    assert seen["weather"]["code"] is not None and seen["weather"]["is_day"] in (True, False)
    assert service.requests("open-meteo") == {"http_5xx": 1} and service.requests("met-norway") == {"ok": 1}


def test_openweathermap_answers_when_both_others_fail(start, sim, second, key_file):
    sim.fault("429")
    values = settings("open-meteo", "met-norway", "openweathermap", url=second.url, key_file=key_file)
    service = start(settings=values | {"weather.met_norway_url": sim.url})
    seen = service.visit(MUMBAI).json
    assert seen["state"] == "fresh" and seen["provider"] == "openweathermap"
    assert seen["credits"][0]["url"] == "https://openweathermap.org/"
    assert seen["utc_offset_s"] == 19800
    truth = second.synthetic_weather(19.1, 72.9, time.time())
    assert abs(seen["temperature"]["celsius"] - truth["celsius"]) < 0.6
    assert service.requests("openweathermap") == {"ok": 2}, "the measurement and the forecast"
    assert service.requests("met-norway") == {"http_429": 1}


def test_met_norway_is_told_who_asks_and_gets_four_decimals(start, second):
    service = start(settings=settings("met-norway", url=second.url, cell="0.015625"))
    seen = service.visit(MUMBAI).json
    assert seen["state"] == "fresh", service.log()
    last = second.count()["last"]
    assert re.fullmatch(rf"masthead/\S+ {CONTACT}", last["user_agent"])
    assert re.fullmatch(r"lat=-?\d+\.\d{1,4}&lon=-?\d+\.\d{1,4}", last["query"])
    assert len(seen["cell"].split(",")[0].split(".")[1]) > 4, "the cell's own name has more"


def test_its_expires_is_honoured_and_then_the_document_asked_for_only_if_changed(start, frozen):
    service = start(simulator=frozen, settings={"dev.at": AT} | settings("met-norway", url=frozen.url, refresh="10m"))
    first = service.settled(MUMBAI)
    assert unix(first["refresh_at"]) - unix(AT) in range(1795, 1806), "Expires, half an hour away"
    service.advance("20m")
    for _ in range(5):
        assert service.visit(MUMBAI).json["fetched_at"] == first["fetched_at"]
    assert frozen.count()["requests"] == 1
    service.advance("20m")
    again = wait_until(lambda: (a := service.visit(MUMBAI).json)["fetched_at"] != first["fetched_at"] and a,
                       what="the refresh")
    assert frozen.count()["by_status"] == {"200": 1, "304": 1}
    assert again["state"] == "fresh" and again["age_s"] == 0
    assert unix(again["refresh_at"]) - unix(AT) in range(2400 + 1795, 2400 + 1806), "its times are new"
    truth = frozen.synthetic_weather(19.1, 72.9, unix(AT) + 2400)
    assert abs(again["temperature"]["celsius"] - truth["celsius"]) < 0.3
    service.advance("5h")  # past the next model run
    wait_until(lambda: (service.visit(MUMBAI), frozen.count()["by_status"].get("200") == 2)[1], what="a new document")


def test_a_304_that_nobody_asked_for_is_no_weather(start, sim, second):
    """A curve of another provider must not be confirmed by this one."""
    service = start(settings=settings("open-meteo", "met-norway", url=second.url, refresh="10m"))
    assert service.settled(MUMBAI)["provider"] == "open-meteo"
    sim.fault("500")
    service.advance("20m")
    second.advance("20m")
    wait_until(lambda: service.visit(MUMBAI).json["provider"] == "met-norway", what="the other provider")
    assert second.count()["by_status"] == {"200": 1}


def test_without_a_contact_met_norway_is_skipped_with_a_warning(start, sim):
    service = start(settings={"weather.providers": "open-meteo,met-norway", "weather.met_norway_url": sim.url})
    assert re.search(r"level=warn .*provider=met-norway", service.log()) and "weather.contact" in service.log()
    sim.fault("500")
    assert service.visit(MUMBAI).json["state"] == "place"
    wait_until(lambda: service.requests("open-meteo"), what="the failure")
    assert service.requests("met-norway") == {}


def test_without_a_key_openweathermap_is_skipped_with_a_warning(start, sim):
    service = start(settings={"weather.providers": "open-meteo,openweathermap", "weather.openweathermap_url": sim.url})
    assert re.search(r"level=warn .*provider=openweathermap", service.log())
    assert service.settled(MUMBAI)["provider"] == "open-meteo"


def test_with_nothing_else_to_ask_it_does_not_start(start):
    service = start(settings={"weather.providers": "met-norway,openweathermap"}, wait=False)
    assert service.child.wait(20) == 1
    assert "no usable weather provider" in service.log()


def test_the_key_is_in_no_log_and_no_answer(start, sim, key_file):
    values = settings("openweathermap", url=sim.url, key_file=key_file, refresh="10m", timeout="500ms")
    service = start(settings=values | {"log.level": "debug"})
    service.settled(MUMBAI)
    count = sim.count()
    assert count["keyed"] == 2 and f"appid={KEY}" in count["last"]["query"]
    for fault, outcome in (("401", "http_4xx"), ("redirect", "http_3xx"), ("html", "parse"), ("hang", "timeout"),
                           ("reset", "transfer")):
        sim.fault(fault)
        service.advance("15m")
        ask_until_counted(service, "openweathermap", outcome, fault)
    assert "API key required" in service.log(), "the API's own words are logged"
    assert KEY not in service.log() + service.visit(MUMBAI).text + str(service.metrics())


FAULTS = [
    ("html", "parse"), ("empty", "parse"), ("garbage", "parse"), ("truncated", "parse"), ("no-hourly", "parse"),
    ("wrong-types", "parse"), ("nan", "parse"), ("deep", "too_large"), ("cold", "implausible"),
    ("old", "implausible"), ("unordered", "implausible"), ("403", "http_4xx"), ("503", "http_5xx"),
]


@pytest.mark.parametrize("provider", ["met-norway", "openweathermap"])
def test_junk_is_counted_by_kind_and_the_last_good_curve_kept(start, sim, key_file, provider):
    service = start(settings=settings(provider, url=sim.url, key_file=key_file, refresh="10m", timeout="5s"))
    good = service.settled(MUMBAI)
    for fault, outcome in FAULTS:
        if provider == "openweathermap" and fault in ("nan", "unordered"):
            continue  # which leave its measurement whole, see below
        service.advance("45m")
        sim.fault(fault)
        ask_until_counted(service, provider, outcome, fault)
    seen = service.visit(MUMBAI).json
    assert seen["state"] == "stale" and seen["fetched_at"] == good["fetched_at"]
    sim.fault("none")
    service.advance("45m")
    wait_until(lambda: service.visit(MUMBAI).json["state"] == "fresh", what="recovery")


@pytest.mark.parametrize("fault, outcome", [("nan", "parse"), ("unordered", "implausible")])
def test_a_measurement_without_its_forecast_is_not_enough(start, sim, key_file, fault, outcome):
    service = start(settings=settings("openweathermap", url=sim.url, key_file=key_file))
    sim.fault(fault)
    assert service.visit(MUMBAI).json["state"] == "place"
    assert wait_until(lambda: len(found := service.requests("openweathermap")) == 2 and found, what="both") == {
        "ok": 1, outcome: 1}


def test_holes_in_the_forecast_are_bridged(start, sim):
    sim.fault("nulls")
    service = start(settings=settings("met-norway", url=sim.url))
    assert service.settled(MUMBAI)["state"] == "fresh"


def test_an_error_page_is_logged_by_its_title(start, sim):
    service = start(settings=settings("met-norway", url=sim.url))
    sim.fault("400")
    service.visit(MUMBAI)
    service.wait_line(r'provider=met-norway outcome=http_4xx_cell status=400 detail="Data corrupted')


def test_a_key_that_the_api_repeats_is_not_logged(start, server, key_file):
    url = server(lambda path, headers: (401, {}, json.dumps({"cod": 401, "message": f"no access: {path}"}).encode()))
    service = start(settings=settings("openweathermap", url=url, key_file=key_file))
    service.visit(MUMBAI)
    service.wait_line("provider=openweathermap outcome=http_4xx status=401")
    assert KEY not in service.log()


@pytest.mark.parametrize("modified, again", [
    ("Sat, 31 Jan 2026 06:00:00 GMT", True), ("Saturday, 31-Jan-26 06:00:00 GMT", False),
    ("Sat, 31 Jan 2026 06:00:00 UTC", False), ("Mon, 31 Jan 2026 06:00:00 GMT", False), ("", False), ("0", False),
])
def test_the_condition_is_the_very_text_that_was_received_or_none(start, sim, server, modified, again):
    conditions = []

    def answer(path, headers):
        conditions.append(headers["If-Modified-Since"])
        body = request(sim.url, path, headers={"User-Agent": headers["User-Agent"]}).body
        return 200, {"Last-Modified": modified}, body

    service = start(settings=settings("met-norway", url=server(answer), refresh="10m"))
    service.settled(MUMBAI)
    service.advance("20m")
    wait_until(lambda: (service.visit(MUMBAI), len(conditions) == 2)[1], what="the refresh")
    assert conditions == [None, modified if again else None]


@pytest.mark.parametrize("expires, seconds_most", [("Fri, 01 Jan 2100 00:00:00 GMT", 86400), ("never", 660), ("0", 660)])
def test_an_expires_that_cannot_be_meant_does_not_stop_the_refreshes(start, sim, server, expires, seconds_most):
    def answer(path, headers):
        return 200, {"Expires": expires}, request(sim.url, path, headers={"User-Agent": headers["User-Agent"]}).body

    service = start(settings=settings("met-norway", url=server(answer), refresh="10m"))
    seen = service.settled(MUMBAI)
    assert 500 < unix(seen["refresh_at"]) - unix(seen["fetched_at"]) <= seconds_most + 5


def test_a_version_that_is_going_to_end_is_used_and_reported(start, sim):
    sim.fault("203")
    service = start(settings=settings("met-norway", url=sim.url))
    assert service.settled(MUMBAI)["state"] == "fresh"
    service.wait_line(r"level=warn .*203.*provider=met-norway")
    assert service.requests("met-norway") == {"ok": 1}


def test_met_norway_is_asked_for_gzip_and_read(start, sim, server):
    """Its terms want both; the reply is what the simulator sends, which compresses for whoever accepts it."""
    encodings = []

    def answer(path, headers):
        asked = {name: headers[name] for name in ("User-Agent", "Accept-Encoding")}
        reply = request(sim.url, path, headers=asked)
        encodings.append((headers["Accept-Encoding"], reply.headers["Content-Encoding"]))
        return 200, {"Content-Encoding": reply.headers["Content-Encoding"]}, reply.body

    service = start(settings=settings("met-norway", url=server(answer)))
    assert service.settled(MUMBAI)["provider"] == "met-norway"
    assert encodings == [("gzip", "gzip")] and service.requests("met-norway") == {"ok": 1}


def test_a_small_reply_that_unpacks_to_much_is_too_large(start, sim):
    sim.fault("gzip-bomb")
    service = start(settings=settings("met-norway", url=sim.url))
    service.visit(MUMBAI)
    wait_until(lambda: service.requests("met-norway") == {"too_large": 1}, what="the refusal")
    memory = service.metrics()["process_resident_memory_bytes"]
    assert SANITIZED or memory < 64 << 20


@pytest.mark.parametrize("value, outcome, sent", [("1", "ok", 2), ("2", "ok", 3), ("loop", "http_3xx", 3), ("host", "http_3xx", 1)])
def test_redirects_are_followed_twice_at_most_and_to_the_same_site(start, sim, value, outcome, sent):
    sim.fault("redirect", value)
    service = start(settings=settings("met-norway", url=sim.url, met_norway_budget="100/d"))
    service.visit(MUMBAI)
    wait_until(lambda: service.requests("met-norway") == {outcome: 1}, what=f"{outcome}, have {service.requests('met-norway')}")
    service.landed()
    assert sim.count()["requests"] == sent
    assert service.metrics()['masthead_upstream_budget_remaining{provider="met-norway",window="day"}'] == 100 - sent
