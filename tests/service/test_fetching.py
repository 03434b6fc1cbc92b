"""Goal of these tests: what is to be fetched is asked for in the right order, paid once, judged as a whole curve, and what is
wrong with one cell is not held against the provider."""
import concurrent.futures

import pytest

from harness import EDGE, at_place, request, wait_until

MUMBAI = "192.0.2.1"


def anywhere(**settings):
    """Settings of a service that is told by a proxy where its readers are."""
    return {"geoip.headers": ", ".join(EDGE), **{"weather." + key: value for key, value in settings.items()}}


def visit(service, latitude, longitude):
    return service.get("/widget.json", at_place(latitude, longitude)).json


def upstream(service, provider):
    rows = request(service.ops, "/status.json").json["upstreams"]
    return next(row for row in rows if row["provider"] == provider)


def cities(service, letters):
    return [city["id"] for letter in letters for city in service.get(f"/places.json?q={letter}").json["places"]]


def test_a_provider_of_two_requests_has_failed_when_its_second_has(start, sim, key_file):
    """It was told as a success at each first request, so that its breaker never opened and no alert could fire."""
    sim.control("fault?kind=500&path=/data/2.5/forecast")
    service = start(settings=anywhere(providers="openweathermap", openweathermap_url=sim.url, openweathermap_key_file=key_file,
                                      openweathermap_budget="1000/d", wait="2s", parallel="1"))
    for i in range(20):
        assert visit(service, 10 + i / 2, 75)["state"] == "place"
    service.landed()
    assert sim.count()["requests"] == 10, "five curves, two requests each"
    row = upstream(service, "openweathermap")
    assert row["breaker_open"] and row["last_success"] is None and row["failing_since"] is not None
    metrics = service.metrics()
    assert metrics['masthead_upstream_breaker_open{provider="openweathermap"}'] == 1
    assert metrics['masthead_upstream_last_success_timestamp_seconds{provider="openweathermap"}'] == 0
    assert metrics['masthead_upstream_budget_remaining{provider="openweathermap",window="day"}'] == 990


def test_what_a_first_request_did_not_need_is_not_charged(start, sim, key_file):
    sim.control("fault?kind=500&path=/data/2.5/weather")
    service = start(settings=anywhere(providers="openweathermap", openweathermap_url=sim.url, openweathermap_key_file=key_file,
                                      openweathermap_budget="1000/d", wait="2s", parallel="1"))
    for i in range(5):
        visit(service, 10 + i / 2, 75)
    service.landed()
    assert sim.count()["requests"] == 5
    assert service.metrics()['masthead_upstream_budget_remaining{provider="openweathermap",window="day"}'] == 995


@pytest.mark.parametrize("kind, outcome", [("400", "http_4xx_cell"), ("404", "http_4xx_cell"), ("cold", "implausible")])
def test_cells_that_are_wrong_rest_alone_until_ten_in_a_row_are(start, sim, kind, outcome):
    sim.control(f"fault?kind={kind}&box=-60,0,-40,40")
    service = start(settings=anywhere(wait="2s"))
    for i in range(9):
        assert visit(service, -50 - i, 20)["state"] == "place"
    assert visit(service, 19.1, 72.9)["state"] == "fresh", "the provider is asked for other cells"
    for i in range(9):
        visit(service, -50 - i, 30)
    assert visit(service, 28.6, 77.2)["state"] == "fresh", "which broke the row"
    assert service.requests() == {outcome: 18, "ok": 2}
    assert not upstream(service, "open-meteo")["breaker_open"]
    for i in range(10):
        visit(service, -50 - i, 10)
    service.landed()
    assert upstream(service, "open-meteo")["breaker_open"]
    before = sim.count()["requests"]
    assert visit(service, 13.1, 80.3)["state"] == "place" and sim.count()["requests"] == before


@pytest.mark.parametrize("kind, outcome", [("401", "http_4xx"), ("403", "http_4xx"), ("500", "http_5xx"), ("html", "parse")])
def test_five_failures_of_the_provider_open_its_breaker(start, sim, kind, outcome):
    sim.fault(kind)
    service = start(settings=anywhere(wait="2s"))
    for i in range(12):
        visit(service, 10 + i, 75)
    service.landed()
    assert service.requests() == {outcome: 5} and upstream(service, "open-meteo")["breaker_open"]


def test_a_fallbacks_small_budget_does_not_ration_what_anyone_may_name(start, sim):
    service = start(settings=anywhere(providers="open-meteo,met-norway", open_meteo_budget="600/m", met_norway_url=sim.url,
                                      met_norway_budget="10/d", contact="ops@example.org", wait="2s"))
    states = [service.get(f"/weather.json?place={city}").json["state"] for city in cities(service, "abc")]
    assert len(states) > 20 and set(states) == {"fresh"}
    assert service.requests("met-norway") == {}


def test_each_provider_has_its_own_share_for_what_anyone_may_name(start, sim):
    sim.control("clock?at=2026-01-31T12:00:10Z")
    service = start(settings={**anywhere(providers="open-meteo,met-norway", open_meteo_budget="30/m", met_norway_url=sim.url,
                                         met_norway_budget="40/m", contact="ops@example.org", wait="2s"),
                              "dev.at": "2026-01-31T12:00:10Z"})
    answers = [service.get(f"/weather.json?place={city}").json for city in cities(service, "abc")]
    assert len({answer["cell"] for answer in answers if answer["state"] == "fresh"}) == 7 < len(answers)
    assert service.requests() == {"ok": 3} and service.requests("met-norway") == {"ok": 4}
    assert visit(service, -33.9, 151.2)["state"] == "fresh", "what is left is for readers"


def test_what_is_not_asked_is_not_charged(start, sim):
    """A full cache takes no place that anyone may name; asking for it all the same cost the share of those that are there."""
    sim.control("clock?at=2026-01-31T12:00:10Z")
    service = start(settings={**anywhere(open_meteo_budget="200/d", wait="2s", refresh="10m"), "cache.capacity": "16",
                              "dev.at": "2026-01-31T12:00:10Z"})
    chosen = cities(service, "a")[0]
    assert service.get(f"/weather.json?place={chosen}").json["state"] == "fresh"
    for i in range(15):
        assert visit(service, 10 + i, 75)["state"] == "fresh"
    for city in cities(service, "bcdef"):
        service.get(f"/weather.json?place={city}")
    service.advance("15m")
    before = sim.count()["requests"]
    assert service.get(f"/weather.json?place={chosen}").json["state"] == "fresh"
    wait_until(lambda: sim.count()["requests"] == before + 1, what="the refresh of the place that is there")


def test_a_visitor_overtakes_those_who_named_his_city_before_him(start, sim):
    service = start(settings=anywhere(wait="0ms"))
    named = cities(service, "bcdef")
    sim.fault("slow", 60)
    for city in named:
        service.get(f"/weather.json?place={city}")
    last = service.get(f"/weather.json?place={named[-1]}").json
    assert last["state"] == "place" and sim.count()["requests"] < 10
    latitude, longitude = last["cell"].split(",")
    before = sim.count()["requests"]
    wait_until(lambda: visit(service, latitude, longitude)["state"] == "fresh", what="the visitor's number")
    assert sim.count()["requests"] - before <= 4, "not behind the others, of whom there are more"
    assert len(named) > 40


def test_a_refresh_that_has_no_turn_is_stale_after_twice_the_refresh(start, sim):
    service = start(settings=anywhere(refresh="10m", timeout="60s", wait="0ms"))
    wait_until(lambda: visit(service, 19.1, 72.9)["state"] == "fresh", what="a number")
    sim.fault("hang")
    visit(service, 10, 75)
    wait_until(lambda: sim.count()["open"] == 1, what="the one request that there may be")
    service.advance("15m")
    assert visit(service, 19.1, 72.9)["state"] == "fresh", "due, and listed"
    service.advance("19m")
    assert visit(service, 19.1, 72.9)["state"] == "fresh"
    service.advance("2m")
    late = visit(service, 19.1, 72.9)
    assert late["state"] == "stale" and late["temperature"]["value"] is not None
    assert sim.count()["open"] == 1, "nothing has failed"


def test_many_readers_of_many_cells_share_one_request_each(start, sim):
    service = start(settings={**anywhere(wait="2s", parallel="8"), "server.threads": "128"})
    sim.fault("slow", 100)
    spots = [(10 + i % 10, 70 + i // 10) for i in range(40)] * 5
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        list(pool.map(lambda spot: visit(service, *spot), spots))
    service.landed()
    assert sim.count()["requests"] == 40 and set(sim.count()["cells"].values()) == {1}
