"""Goal of these tests: instances that share a Redis buy each cell once; and whatever becomes of that Redis, or stands in it,
each of them goes on as if it were alone, and is back in step by itself."""
import concurrent.futures
import signal
import threading
import time

import pytest

from harness import EDGE, Masthead, address_of, at_place, is_office, readers, request, wait_until
from redis_server import Redis, StandIn

MUMBAI, DELHI, NEW_YORK = "192.0.2.1", "192.0.2.17", "198.51.100.1"
KEY = "masthead:1:simulated:"
MUMBAI_KEY = KEY + "19.1,72.9"
LOCK = KEY + "lock:19.1,72.9"
LEASE = "7s"  # more than a lock holds for: weather.timeout and a second
AWAY = "70s"  # more than a server that fails is left alone for


@pytest.fixture
def redis(tmp_path):
    process = Redis(tmp_path)
    yield process
    process.stop()


@pytest.fixture
def stand_in():
    made = []

    def make(answer):
        made.append(StandIn(answer))
        return made[-1]

    yield make
    for each in made:
        each.stop()


@pytest.fixture
def fleet(start):
    """Starts instances that share a server: fleet(server, 3, **settings)."""

    def start_some(server, count=1, **settings):
        settings = {key.replace("__", "."): value for key, value in settings.items()}
        return [start(settings={"fleet.url": server.url, "fleet.timeout": "500ms", "weather.wait": "2s", **settings})
                for _ in range(count)]

    return start_some


def outcomes(service):
    """Round trips for cells and those that failed, by how they ended."""
    prefix = 'masthead_fleet_requests_total{outcome="'
    return {name.removeprefix(prefix)[:-2]: int(value) for name, value in service.metrics().items()
            if name.startswith(prefix) and value and "drawn" not in name}


def expect(service, outcome, count=1):
    return wait_until(lambda: outcomes(service).get(outcome, 0) >= count, what=f"{outcome} among {outcomes(service)}")


def advance(step, sim, *services):
    sim.advance(step)
    for service in services:
        assert request(service.ops, f"/dev/clock?advance={step}", "POST").status == 200


def visit(service, address=MUMBAI):
    return service.visit(address).json


# --- One purchase for all ---

def test_what_one_has_bought_the_others_have(fleet, redis, sim):
    services = fleet(redis, 3)
    bought = visit(services[0])
    expect(services[0], "given")
    for service in services[1:]:
        shared = visit(service)
        for key in ("text", "cell", "fetched_at", "provider", "credits"):
            assert shared[key] == bought[key], key
        assert shared["state"] == "fresh" and outcomes(service) == {"hit": 1}
    assert sim.count()["requests"] == 1
    assert outcomes(services[0]) == {"miss": 1, "taken": 1, "given": 1}, "three round trips"
    first, second, third = (request(service.ops, "/status.json").json["fleet"] for service in services)
    assert (first["given"], first["hits"], second["given"], second["hits"]) == (1, 0, 0, 1)
    assert third["instances"] == 3 and 1 <= first["leased"] <= 3 and first["answered"] and not first["failure"]


def test_an_instance_that_joins_buys_nothing_that_is_known(fleet, redis, sim):
    places = [address_of(reader) for reader in readers() if not is_office(reader)]
    first, = fleet(redis)
    before = {place: visit(first, place) for place in places}
    first.landed()
    bought = sim.count()["requests"]
    assert bought > 20
    wait_until(lambda: len(redis.cells()) == bought, what="all cells to be shared")
    second, = fleet(redis)
    for place, known in before.items():
        joined = visit(second, place)
        assert (joined["state"], joined["text"]) == (known["state"], known["text"])
    assert sim.count()["requests"] == bought
    sizes = [redis.call("MEMORY", "USAGE", key) for key in redis.cells()]
    assert max(sizes) <= 400, sizes


def test_a_refresh_is_bought_once(fleet, redis, sim):
    services = fleet(redis, 3, weather__refresh="1h")
    for service in services:
        visit(service)
        wait_until(redis.cells, what="the cell")
    for round_ in range(2, 5):
        advance("70m", sim, *services)
        for service in services:
            before = visit(service)["fetched_at"]
            wait_until(lambda: visit(service)["fetched_at"] > before, what="the refresh")
            service.landed()
            expect(services[0], "given", round_)
        assert sim.count()["requests"] == round_


def test_of_those_that_ask_at_the_same_time_one_buys(fleet, redis, sim):
    services = fleet(redis, 3, weather__wait="0s")
    sim.fault("slow", 1500)
    assert visit(services[0])["state"] == "place"
    expect(services[0], "taken")
    for service in services[1:]:
        assert visit(service)["state"] == "place"
        expect(service, "locked")
        assert visit(service)["state"] == "place", "nobody polls"
        assert outcomes(service) == {"miss": 1, "locked": 1}
    expect(services[0], "given")
    advance(LEASE, sim, *services)
    for service in services[1:]:
        assert service.settled(MUMBAI)["text"] == services[0].settled(MUMBAI)["text"]
    assert sim.count()["requests"] == 1


def test_a_number_that_is_due_is_shown_while_another_refreshes_it(fleet, redis, sim):
    first, second = fleet(redis, 2, weather__refresh="1h")
    visit(first)
    expect(first, "given")
    visit(second)
    advance("70m", sim, first, second)
    redis.call("SET", LOCK, "another's", "PX", 60000)
    assert visit(second)["state"] == "fresh"
    expect(second, "locked")
    again = visit(second)
    assert (again["state"], again["age_s"] // 60) == ("fresh", 70)
    redis.call("DEL", LOCK)
    advance(LEASE, sim, first, second)
    visit(second)
    wait_until(lambda: visit(second)["age_s"] < 60, what="the refresh, by itself")


def test_a_dead_holder_delays_nobody_longer_than_its_lease(fleet, redis, sim):
    first, second = fleet(redis, 2, weather__wait="0s", weather__timeout="500ms")
    sim.fault("hang", times=1)
    visit(first)
    expect(first, "taken")
    first.signal(signal.SIGKILL)
    first.child.wait(20)
    visit(second)
    expect(second, "locked")
    wait_until(lambda: not redis.call("EXISTS", LOCK), what="the lease to end")
    advance("3s", sim, second)
    assert second.settled(MUMBAI)["state"] == "fresh"


def test_a_lock_is_released_by_its_holder_only(fleet, redis, sim):
    service, = fleet(redis, weather__wait="0s")
    sim.fault("slow", 1000)
    visit(service)
    expect(service, "taken")
    assert 0 < redis.call("PTTL", LOCK) <= 6000 and len(redis.call("GET", LOCK)) == 16
    redis.call("SET", LOCK, "another's", "PX", 60000)
    expect(service, "given")
    assert redis.call("GET", LOCK) == b"another's"
    visit(service, DELHI)
    expect(service, "given", 2)
    assert redis.call("KEYS", "*lock*") == [LOCK.encode()]


def test_what_could_not_be_fetched_is_left_to_others(fleet, redis, sim):
    first, second = fleet(redis, 2)
    sim.fault("500", times=1)
    assert visit(first)["state"] == "place"
    expect(first, "released")
    assert not redis.call("EXISTS", LOCK)
    assert visit(second)["state"] == "fresh"


def test_simulated_and_real_weather_do_not_meet(fleet, redis):
    simulated, = fleet(redis)
    visit(simulated)
    expect(simulated, "given")
    real, = fleet(redis, dev__simulated="no")
    visit(real)
    expect(real, "given")
    assert outcomes(real) == {"miss": 1, "taken": 1, "given": 1}
    assert redis.cells() == ["masthead:1:19.1,72.9", MUMBAI_KEY]


def test_alone_nothing_of_it_runs(start, redis):
    service = start()
    visit(service)
    assert outcomes(service) == {} and request(service.ops, "/status.json").json["fleet"] is None and b"connected_clients:1\r" in redis.call("INFO", "clients")


# --- What stands there ---

def flip(value, at):
    return value[:at] + bytes([value[at] ^ 1]) + value[at + 1:]


POISON = {
    "cut off": ("damaged", lambda value, other: value[:-1]),
    "a byte": ("damaged", lambda value, other: b"\x01"),
    "longer": ("damaged", lambda value, other: value + b"\0"),
    "oversized": ("damaged", lambda value, other: value + bytes(1 << 20)),
    "of zeroes": ("version", lambda value, other: bytes(len(value))),
    "of the next version": ("version", lambda value, other: b"\x02" + value[1:]),
    "wrong checksum": ("damaged", lambda value, other: flip(value, len(value) - 1)),
    "a wrong bit": ("damaged", lambda value, other: flip(value, 20)),
    "of another cell": ("swapped", lambda value, other: other),
    "text": ("version", lambda value, other: b"<html>"),
    "nothing": ("miss", lambda value, other: b""),
}


@pytest.mark.parametrize("what", POISON)
def test_a_value_that_is_no_curve_of_the_cell_is_passed_over(fleet, redis, what):
    outcome, poison = POISON[what]
    first, second = fleet(redis, 2)
    for place in (MUMBAI, DELHI):
        visit(first, place)
    expect(first, "given", 2)
    good = redis.call("GET", MUMBAI_KEY)
    redis.call("SET", MUMBAI_KEY, poison(good, redis.call("GET", next(key for key in redis.cells() if key != MUMBAI_KEY))), "PX", 3600000)
    answer = visit(second)
    assert answer["state"] == "fresh" and answer["text"].startswith("Mumbai"), second.log()
    expect(second, "given")
    assert outcomes(second) == {outcome: 1, "taken": 1, "given": 1}
    if outcome != "miss":
        second.wait_line("of no use.* detail=masthead:1:simulated:19.1,72.9")
    assert redis.call("GET", MUMBAI_KEY)[1:9] == good[1:9], "and a good one is put over it"


def test_a_key_of_another_type_is_passed_over(fleet, redis):
    redis.call("RPUSH", MUMBAI_KEY, "x")
    service, = fleet(redis)
    assert visit(service)["state"] == "fresh"
    expect(service, "given")
    assert outcomes(service) == {"refused": 1, "given": 1} and redis.call("TYPE", MUMBAI_KEY) == b"string"


# --- What answers there ---

def drip(connection):
    for byte in b"$2000\r\n" + b"x" * 2000:
        connection.sendall(bytes([byte]))
        threading.Event().wait(0.005)  # often enough for a limit on each read


def flood(connection):
    while True:
        connection.sendall(b"$1000000000\r\n" + b"x" * 65536)


HOSTILE = {
    "errors": ("unreachable", lambda c: c.sendall(b"-ERR no\r\n")),
    "nothing": ("unreachable", lambda c: None),
    "the end": ("unreachable", lambda c: c.close()),
    "drip": ("unreachable", drip),
    "a flood": ("unreachable", flood),
    "HTTP": ("unreachable", lambda c: c.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")),
    "nothing, after a good begin": ("timeout", None),
    "the end, after a good begin": ("broken", lambda c: c.close()),
    "drip, after a good begin": ("timeout", drip),
    "a flood, after a good begin": ("malformed", flood),
    "HTTP, after a good begin": ("malformed", lambda c: c.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")),
    "loading": ("refused", lambda c: c.sendall(b"-LOADING wait\r\n")),
    "nested": ("malformed", lambda c: c.sendall(b"*1\r\n" * 1000)),
    "an array without end": ("malformed", lambda c: c.sendall(b"*2147483647\r\n")),
    "a number": ("malformed", lambda c: c.sendall(b":7\r\n")),
    "a negative length": ("malformed", lambda c: c.sendall(b"$-7\r\n")),
    "RESP3": ("malformed", lambda c: c.sendall(b"%1\r\n+a\r\n+b\r\n")),
    "too long": ("malformed", lambda c: c.sendall(b"$4097\r\n" + b"x" * 4097 + b"\r\n")),
    "more than was asked for": ("malformed", lambda c: c.sendall(b"$-1\r\n" * 9)),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_whatever_answers_the_service_goes_on(fleet, stand_in, what):
    outcome, answer = HOSTILE[what]
    greeted = threading.Event()

    def greet_first(connection):
        if outcome == "unreachable" or greeted.is_set():
            if answer:
                answer(connection)
        else:
            greeted.set()
            connection.sendall(b"+OK\r\n")

    service, = fleet(stand_in(greet_first), fleet__timeout="100ms")
    began = time.monotonic()
    assert visit(service)["state"] == "fresh", service.log()
    assert time.monotonic() - began < 2, "a round trip has one limit as a whole"
    expect(service, outcome)
    for place in (DELHI, NEW_YORK):
        assert visit(service, place)["state"] == "fresh"
    expect(service, "left_alone")
    service.wait_line("of no use")
    assert service.log().count("of no use") <= 3


def test_a_password_is_given_and_a_wrong_one_does_no_harm(fleet, tmp_path, key_file):
    redis = Redis(tmp_path, "--requirepass", "sesame1234")
    wrong = tmp_path / "wrong"
    wrong.write_text("sesame\n")
    right, = fleet(redis, fleet__password_file=key_file)
    assert visit(right)["state"] == "fresh"
    expect(right, "given")
    for settings in ({"fleet__password_file": wrong}, {}):
        other, = fleet(redis, **settings)
        assert visit(other)["state"] == "fresh"
        expect(other, "unreachable")
        assert "sesame" not in other.log()
    redis.stop()


# --- What becomes of it ---

def test_away_and_back(fleet, redis, sim, tmp_path):
    first, second = fleet(redis, 2)
    visit(first)
    expect(first, "given")
    redis.signal(signal.SIGKILL)
    redis.child.wait(20)
    for place in (MUMBAI, DELHI, NEW_YORK):
        for service in (first, second):
            assert visit(service, place)["state"] == "fresh"
    expect(second, "left_alone")
    assert "Redis is of no use" in request(second.ops, "/status").text
    bought = sim.count()["requests"]
    assert bought == 6
    again = Redis(tmp_path, port=redis.port)
    advance(AWAY, sim, first, second)
    tokyo = next(address_of(reader) for reader in readers() if "Tokyo" in reader.values())
    assert visit(first, tokyo)["state"] == "fresh"
    expect(first, "given", 2)
    assert visit(second, tokyo)["state"] == "fresh"
    assert sim.count()["requests"] == bought + 1, "they share again"
    assert "Redis is of no use" not in request(second.ops, "/status").text
    again.stop()


def test_full(fleet, redis):
    first, second = fleet(redis, 2)
    visit(first)
    expect(first, "given")
    redis.call("CONFIG", "SET", "maxmemory", 1)
    for place in (MUMBAI, DELHI):
        assert visit(second, place)["state"] == "fresh"
    expect(second, "refused", 2)
    assert outcomes(second)["hit"] == 1, "what is there is read"
    redis.call("CONFIG", "SET", "maxmemory", 0)
    assert visit(second, NEW_YORK)["state"] == "fresh"
    expect(second, "given")


def test_wiped_or_evicting(fleet, redis, sim):
    first, second = fleet(redis, 2)
    visit(first)
    expect(first, "given")
    redis.call("FLUSHALL")
    assert visit(second)["state"] == "fresh"
    expect(second, "given")
    assert visit(first)["state"] == "fresh" and sim.count()["requests"] == 2


def test_killed_again_and_again_under_load(fleet, redis, sim, tmp_path):
    """No reader notices, and the budgets hold: each cell is bought once by each instance at most, and once an hour."""
    services = fleet(redis, 3, fleet__timeout="20ms", weather__wait="250ms")
    places = [address_of(reader) for reader in readers() if not is_office(reader)]
    places = [place for place in places if visit(services[0], place)["state"] == "fresh"]
    for service in services[1:]:
        for place in places:
            visit(service, place)
    ended, failed = threading.Event(), []

    def read(service):
        answers = 0
        while not ended.is_set():
            for place in places:
                answer = service.visit(place)
                answers += 1
                if answer.status != 200 or answer.json["state"] not in ("fresh", "stale"):
                    failed.append(answer.json)
        return answers

    with concurrent.futures.ThreadPoolExecutor() as pool:
        loads = [pool.submit(read, service) for service in services]
        for _ in range(20):
            redis.signal(signal.SIGKILL)
            redis.child.wait(20)
            advance("20m", sim, *services)
            redis = Redis(tmp_path, port=redis.port)
        ended.set()
        assert sum(load.result() for load in loads) > 1000
    redis.stop()
    assert not failed, failed[:3]


# --- One budget ---

def anywhere(**settings):
    return {"geoip__headers": ", ".join(EDGE), "weather__parallel": 8, **settings}


def ask_everywhere(services, count, first=0):
    """Each cell is asked for on one of the instances in turn; returns once all flights have landed."""
    for i in range(first, first + count):
        services[i % len(services)].get("/widget.json", at_place(i // 100 / 2 - 40, i % 100 / 2, "Somewhere"))
    for service in services:
        service.landed()


def left(service, window="day"):
    return service.metrics()[f'masthead_upstream_budget_remaining{{provider="open-meteo",window="{window}"}}']


def test_one_budget_for_all(fleet, redis, sim):
    """It is spent to the last request but for the reserve, wherever readers ask, and never beyond."""
    services = fleet(redis, 3, **anywhere(weather__open_meteo_budget="100/d", fleet__instances=3))
    ask_everywhere(services, 200)
    assert 90 <= sim.count()["requests"] <= 100
    joins, = fleet(redis, **anywhere(weather__open_meteo_budget="100/d", fleet__instances=4))
    ask_everywhere([joins], 20, 200)
    assert sim.count()["requests"] <= 100
    assert sum(int(count) for key in redis.call("KEYS", "*budget*:86400:*") for count in redis.call("HVALS", key)) <= 100


def test_without_redis_each_spends_its_part_of_the_rest(fleet, redis, sim, tmp_path):
    services = fleet(redis, 3, **anywhere(weather__open_meteo_budget="150/d", fleet__instances=3))
    ask_everywhere(services, 30)
    assert sim.count()["requests"] == 30
    redis.signal(signal.SIGKILL)
    redis.child.wait(20)
    ask_everywhere(services[:1], 150, 1000)
    alone = sim.count()["requests"] - 30
    assert 20 <= alone <= 50, "a third of 120, and what it held"
    ask_everywhere(services, 300, 2000)
    assert 120 <= sim.count()["requests"] <= 150


def test_on_return_the_larger_count_stands(fleet, redis, sim, tmp_path):
    """A Redis that comes back empty is told again what has been spent."""
    services = fleet(redis, 2, **anywhere(weather__open_meteo_budget="100/d", fleet__instances=2))
    ask_everywhere(services, 40)
    redis.signal(signal.SIGKILL)
    redis.child.wait(20)
    again = Redis(tmp_path, port=redis.port)
    ask_everywhere(services, 300, 1000)
    assert 85 <= sim.count()["requests"] <= 100
    again.stop()


def test_a_restart_spends_nothing_twice_in_the_fleet(fleet, start, redis, sim, tmp_path):
    settings = {"fleet.url": redis.url, "geoip.headers": ", ".join(EDGE), "weather.open_meteo_budget": "60/d", "weather.wait": "2s",
                "weather.parallel": "8", "cache.snapshot": ""}
    for life in range(4):
        service = Masthead(tmp_path / "one", sim, settings=settings)
        ask_everywhere([service], 10, 100 * life)
        assert service.stop() == 0
    assert sim.count()["requests"] == 40, "an instance keeps its number, and so its count"
