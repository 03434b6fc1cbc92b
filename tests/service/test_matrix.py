"""Goal of these tests: whatever state a cell's curve is in, and whatever the upstream does, a reader is told what the
table says, at the price it says; for each provider."""
import json
import re

import pytest

from harness import Simulator, request, unix, wait_until

INDIA = [f"192.0.2.{last}" for last in range(1, 250, 16)]
READER, OTHER, NEWCOMER = INDIA[:3]
AT = "2026-01-31T06:20:00Z"
AT_S = unix(AT)
COST = {"open-meteo": 1, "met-norway": 1, "openweathermap": 2}  # requests that a curve takes

# A cell: what the first reader is shown; after an arrow, what the next one is shown once the fetch is over, where that
# differs; then what became of the request to the upstream. "°C": with a number, "--": without. Fetches end in an HTTP
# outcome, are "refused" by the budget before any request is made, or were not wanted (-).
TABLE = """
       | healthy      | failing                       | down                         | over budget
fresh  | fresh °C, -  | fresh °C, -                   | fresh °C, -                  | fresh °C, -
ageing | fresh °C, ok | fresh °C → stale °C, http_5xx | fresh °C → stale °C, connect | fresh °C → stale °C, refused
old    | fresh °C, ok | place --, http_5xx            | place --, connect            | place --, refused
none   | fresh °C, ok | place --, http_5xx            | place --, connect            | place --, refused
"""
AGES_S = {"fresh": 300, "ageing": 2 * 3600, "old": 7 * 3600, "none": 300}  # with refresh = 1h and keep = 6h


def cells():
    """The table's cells: (curve, upstream, shown first, shown then, fetch)."""
    head, *rows = ([field.strip() for field in line.split("|")] for line in TABLE.strip("\n").splitlines())
    for curve, *fields in rows:
        for upstream, field in zip(head[1:], fields, strict=True):
            shown, fetch = field.split(", ")
            first, _, then = shown.partition(" → ")
            yield pytest.param(curve, upstream, first, then or first, fetch, id=f"{curve}-{upstream}")


@pytest.fixture
def upstream():
    """A simulator of the test's own, that it may stop, with a clock that stands still until it is moved."""
    process = Simulator("--at", AT)
    yield process
    assert process.stop() == 0, process.log()


@pytest.fixture
def service_of(start, upstream, key_file):
    """service_of(provider, setting=value) -> a service with that provider only, whose clock stands still as well."""
    def start_one(provider, **more):
        values = {"providers": provider, f"{under(provider)}_url": upstream.url, "contact": "ops@example.org",
                  "openweathermap_key_file": key_file, "refresh": "1h", "keep": "6h", "wait": "2s"} | more
        weather = {f"weather.{name}": value for name, value in values.items()}
        return start(simulator=upstream, settings={"dev.at": AT} | weather)

    return start_one


@pytest.fixture
def brief(upstream, server):
    """The URL of an upstream whose curves have four points: the hour before the present one to two hours after it."""
    def answer(path, headers):
        reply = request(upstream.url, path)
        document = reply.json
        document |= {"hourly": {name: row[23:27] for name, row in document.get("hourly", {}).items()}}
        return reply.status, {}, json.dumps(document).encode()

    return server(answer)


def under(provider):
    return provider.replace("-", "_")


def stop(service, upstream):
    """Takes the upstream away: connections to it are refused."""
    assert upstream.stop() == 0, upstream.log()
    service.simulator = None  # whose clock moves no more


def shown(json):
    return f"{json['state']} {'--' if json['temperature']['value'] is None else '°C'}"


def age_shown(json, age_s):
    """The age that belongs to the state, when the curve before the fetch was `age_s` old."""
    return None if json["state"] == "place" else 0 if json["fetched_at"] != AT else age_s


@pytest.mark.parametrize("provider", COST)
@pytest.mark.parametrize("curve, column, first, then, fetch", cells())
def test_the_table(service_of, upstream, provider, curve, column, first, then, fetch):
    budget = f"{COST[provider]}/m" if column == "over budget" else None
    service = service_of(provider, **{f"{under(provider)}_budget": budget})
    assert service.settled(READER)["fetched_at"] == AT
    service.advance(f"{AGES_S[curve]}s")
    service.settled(OTHER)  # and with it, this minute's budget is spent
    before = service.requests(provider)
    assert before == {"ok": 2 * COST[provider]} and "budget spent" not in service.log()
    if column == "failing":
        upstream.fault("500")
    elif column == "down":
        stop(service, upstream)
    reader = NEWCOMER if curve == "none" else READER

    def became():
        made = {outcome: count - before.get(outcome, 0) for outcome, count in service.requests(provider).items()}
        spent = {"refused": 1} if "budget spent" in service.log() else {}
        return {outcome: count for outcome, count in made.items() if count} | spent

    wanted = {} if fetch == "-" else {fetch: COST[provider] if fetch == "ok" else 1}
    answer = service.visit(reader).json
    assert shown(answer) == first and answer["age_s"] == age_shown(answer, AGES_S[curve])
    wait_until(lambda: became() == wanted, what=f"{wanted}, have {became()}")
    answer = wait_until(lambda: shown(a := service.visit(reader).json) == then and a, what=then)
    service.landed()
    for _ in range(3):
        answer = service.visit(reader).json
        assert shown(answer) == then and answer["age_s"] == age_shown(answer, AGES_S[curve])
        assert answer["state"] == "place" or (answer["fetched_at"] != AT) == (fetch == "ok")
    assert became() == wanted, "the others cost nothing"


def test_a_curve_past_its_last_point_is_old_however_young(service_of, upstream, brief):
    service = service_of("open-meteo", open_meteo_url=brief, refresh="4h")
    service.settled(READER)
    upstream.fault("500")
    service.advance("95m")
    assert shown(service.visit(READER).json) == "fresh °C" and service.requests("open-meteo") == {"ok": 1}
    service.advance("10m")
    assert shown(service.visit(READER).json) == "place --"
    assert service.requests("open-meteo") == {"ok": 1, "http_5xx": 1}
    upstream.fault("none")
    service.advance("11m")  # past any back-off
    assert shown(service.visit(READER).json) == "fresh °C"


@pytest.mark.parametrize("provider", COST)
def test_down_for_six_hours_after_a_warm_hour_every_answer_has_its_number(service_of, upstream, sim, provider):
    service = service_of(provider, keep="48h")
    for _ in range(4):
        for reader in INDIA[:8]:
            service.settled(reader)
        service.advance("20m")
    stop(service, upstream)
    wrong, last = [], []
    for half_hour in range(1, 13):
        service.advance("30m")
        last = [service.visit(reader).json for reader in INDIA[:8]]
        for answer in last:
            latitude, longitude = map(float, answer["cell"].split(","))
            expected_c = sim.synthetic_weather(latitude, longitude, AT_S + 80 * 60 + half_hour * 1800)["celsius"]
            shown_c = answer["temperature"]["celsius"]
            if shown_c is None or abs(shown_c - expected_c) > 0.45:
                wrong.append((half_hour, answer["cell"], shown_c, expected_c))
    assert wrong == []
    assert len({answer["cell"] for answer in last}) == 8 and {answer["state"] for answer in last} == {"stale"}


@pytest.mark.parametrize("there, back", [("1h", "-1h"), ("-1h", "1h"), ("365d", "-365d"), ("-365d", "365d")])
def test_a_jump_of_the_clock_costs_at_most_a_fetch_a_cell_and_no_age_is_negative(service_of, upstream, there, back):
    service = service_of("open-meteo")
    for reader in INDIA:
        service.settled(reader)
    warm = upstream.count()["requests"]
    for jumps, step in enumerate((there, back), start=1):
        service.advance(step)
        for reader in INDIA * 3:
            answer = service.visit(reader)
            assert 0 <= (answer.json["age_s"] or 0) <= 3600
            assert 0 <= int(re.search(r"max-age=(-?\d+)", answer.headers["Cache-Control"])[1]) <= 300
            assert answer.json["temperature"]["value"] is not None
        assert upstream.count()["requests"] <= warm * (1 + jumps)
