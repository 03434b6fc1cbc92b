"""Goal of these tests: a budget is never exceeded, a failing provider is left alone, and what a provider asks for is
obeyed; readers keep their numbers meanwhile."""
import pytest

from harness import Masthead, wait_until

INDIA = [f"192.0.2.{last}" for last in range(1, 250, 16)]
WORLD = [f"198.51.100.{last}" for last in range(1, 250, 16)]
MUMBAI, DELHI = INDIA[:2]
MORNING = "2026-01-31T08:00:05Z"  # far from the end of any window


def in_the_morning(sim, settings):
    """Settings with the clocks of service and simulator stopped at one instant."""
    sim.control("clock?at=" + MORNING)
    return {"dev.at": MORNING, **settings}


def visit_all(service, addresses):
    states = [service.visit(address).json["state"] for address in addresses]
    service.landed()
    return states


def test_a_budget_is_never_exceeded(start, sim):
    service = start(settings=in_the_morning(sim, {"weather.open_meteo_budget": "10/m 15/h", "weather.wait": "2s"}))
    visit_all(service, INDIA + WORLD)
    assert sim.count()["requests"] == 10
    service.advance("11m")  # past any back-off
    visit_all(service, INDIA + WORLD)
    assert sim.count()["requests"] == 15, "the hour's"
    metrics = service.metrics()
    assert metrics['masthead_upstream_budget_limit{provider="open-meteo",window="hour"}'] == 15
    assert metrics['masthead_upstream_budget_remaining{provider="open-meteo",window="hour"}'] == 0
    assert sum("budget spent" in line for line in service.lines) == 1
    service.advance("1h")
    visit_all(service, INDIA + WORLD)
    assert sim.count()["requests"] == 25


def test_a_refresh_that_the_budget_refuses_makes_stale_and_the_number_stays(start, sim):
    service = start(settings=in_the_morning(sim, {"weather.open_meteo_budget": "10/d", "weather.refresh": "10m"}))
    for address in INDIA[:9]:
        service.settled(address)
    service.advance("2h")
    json = wait_until(lambda: (a := service.visit(MUMBAI).json)["state"] == "stale" and a, what="stale")
    assert json["temperature"]["value"] is not None
    service.settled(INDIA[9])  # the last tenth is for a cell without a number
    assert sim.count()["requests"] == 10
    assert service.metrics()["masthead_refresh_stretch_ratio"] > 1


@pytest.mark.parametrize("kill", [False, True])
def test_what_was_spent_outlives_the_process(tmp_path, sim, kill):
    settings = in_the_morning(sim, {"weather.open_meteo_budget": "30/d", "weather.wait": "2s", "cache.snapshot": ""})
    first = Masthead(tmp_path, sim, settings)
    visit_all(first, INDIA[:8])
    if kill:
        first.child.kill()
        first.child.wait(10)
    else:
        assert first.stop() == 0
    second = Masthead(tmp_path, sim, settings)
    visit_all(second, INDIA + WORLD)
    made = sim.count()["requests"]
    assert second.stop() == 0
    assert made == 30 if not kill else 10 <= made <= 30, "after a kill the lease counts as spent"


def test_a_failing_provider_is_suspended_and_probed(start, sim):
    service = start()
    sim.fault("500")
    visit_all(service, INDIA)
    assert sim.count()["requests"] == 5, "five failures in a row open the breaker"
    assert service.metrics()['masthead_upstream_breaker_open{provider="open-meteo"}'] == 1
    service.advance("11m")
    visit_all(service, INDIA)
    assert sim.count()["requests"] == 6, "one probe"
    sim.fault("none")
    service.advance("11m")
    wait_until(lambda: (service.visit(MUMBAI), service.metrics()[
        'masthead_upstream_breaker_open{provider="open-meteo"}'] == 0)[1], what="the breaker to close")


@pytest.mark.parametrize("kind, least, most", [("minutely", "0s", "66s"), ("hourly", "1s", "3606s"),
                                               ("daily", "1s", "86406s"), ("concurrent", "0s", "6s")])
def test_the_four_kinds_of_429_are_told_apart(start, sim, kind, least, most):
    service = start(settings={"dev.at": "2026-01-31T12:30:30Z"})
    sim.control("clock?at=2026-01-31T12:30:30Z")
    sim.fault("429", kind, times=1)
    service.visit(MUMBAI)
    service.landed()
    assert sim.count()["requests"] == 1
    service.visit(DELHI)
    service.landed()
    assert sim.count()["requests"] == 1, "nothing is asked until the time has come"
    rest = {"minutely": 30, "hourly": 29 * 60 + 30, "daily": 11 * 3600 + 29 * 60 + 30, "concurrent": 0}[kind]
    if rest > 1:
        service.advance(f"{rest - 1}s")
        service.visit(INDIA[2])
        service.landed()
        assert sim.count()["requests"] == 1
    service.advance("8s")
    service.visit(INDIA[3])
    service.landed()
    assert sim.count()["requests"] == 2


@pytest.mark.parametrize("seconds", [90, 3600])
def test_retry_after_is_obeyed(start, sim, seconds):
    service = start(settings=in_the_morning(sim, {}))
    sim.fault("retry-after", seconds, times=1)
    visit_all(service, [MUMBAI])
    service.advance(f"{seconds - 1}s")
    visit_all(service, [DELHI])
    assert sim.count()["requests"] == 1, "not a second early"
    service.advance("1s")
    visit_all(service, [INDIA[2]])
    assert sim.count()["requests"] == 2


def test_retry_after_as_a_date_is_obeyed_to_a_day(start, sim):
    service = start()
    sim.fault("retry-after", "Thu, 31 Dec 2099 23:59:59 GMT", times=1)
    visit_all(service, [MUMBAI])
    service.advance("23h")
    visit_all(service, [DELHI])
    assert sim.count()["requests"] == 1
    service.advance("61m")
    visit_all(service, [INDIA[2]])
    assert sim.count()["requests"] == 2


def test_the_next_reset_is_told(start, sim):
    service = start(settings=in_the_morning(sim, {}))
    service.settled(MUMBAI)
    name = 'masthead_upstream_budget_reset_timestamp_seconds{provider="open-meteo",window="hour"}'
    assert service.metrics()[name] == 1769850000, "2026-01-31T09:00:00Z"
