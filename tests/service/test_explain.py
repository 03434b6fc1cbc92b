"""Goal of these tests: whoever asks why gets the whole decision, and by asking changes nothing."""
import ipaddress
import json
import re
import urllib.parse

import pytest

from harness import VISITORS, address_of, command, readers, request, wait_until, whole_earth

EVENING = "2026-03-01T12:20:00Z"
MUMBAI, LONDON, NEW_YORK = "192.0.2.1", "198.51.100.17", "198.51.100.1"
PLACE_KEYS = ["address", "judged_as", "class", "range", "verdict", "reason", "reason_code", "confidence", "asn", "label",
              "source", "name", "region", "country", "latitude", "longitude", "timezone", "database", "matched", "record",
              "witnesses"]


@pytest.fixture
def earth_alone(start, sim):
    """A service without point forecasts that knows the whole earth's weather."""
    sim.control("clock?at=" + EVENING)
    service = start(settings={"dev.at": EVENING, "weather.providers": "", **whole_earth(sim)})
    service.wait_line("weather of the whole earth loaded")
    wait_until(lambda: service.metrics()["masthead_earth_stations"] > 0, what="the airports")
    return service


def explain(service, headers=None, **query):
    answer = request(service.ops, "/explain?" + urllib.parse.urlencode(query), headers=headers)
    assert answer.status == 200 and answer.headers["Cache-Control"] == "no-store", answer.body
    return answer.json


def hops(client):
    return [hop["address"] for hop in client["accepted"]]


@pytest.mark.parametrize("query, accepted, refused, because, address", [
    ({"ip": LONDON}, [LONDON], [], None, LONDON),
    ({"ip": "::ffff:198.51.100.17"}, [LONDON], [], None, LONDON),
    ({"ip": LONDON, "header": MUMBAI}, [LONDON], [MUMBAI], "the peer is not a trusted proxy", LONDON),
    ({"header": MUMBAI}, ["127.0.0.1", MUMBAI], [], None, MUMBAI),
    ({"ip": "127.0.0.9", "header": MUMBAI}, ["127.0.0.9", MUMBAI], [], None, MUMBAI),
    ({"header": f"a, {LONDON} , {MUMBAI}, 127.0.0.5"}, ["127.0.0.1", "127.0.0.5", MUMBAI], ["a", LONDON], "anyone may have written", MUMBAI),
    ({"header": "127.0.0.5, 127.0.0.6"}, ["127.0.0.1", "127.0.0.6", "127.0.0.5"], [], None, "127.0.0.5"),
    ({"header": f"{LONDON}, nobody"}, ["127.0.0.1"], [LONDON, "nobody"], "not an address", None),
    ({"header": ""}, ["127.0.0.1"], [], None, "127.0.0.1"),
    ({"header": ", ".join([MUMBAI] * 40)}, ["127.0.0.1"], [", ".join([MUMBAI] * 40)], "too long", None),
    ({"header": "x" * 3000}, ["127.0.0.1"], ["x" * 3000], "too long", None),
    ({"header": '"><script>'}, ["127.0.0.1"], ['"><script>'], "not an address", None),
])
def test_which_hop_is_the_reader(service, query, accepted, refused, because, address):
    whole = explain(service, **query)
    client = whole["client"]
    assert (hops(client), client["refused"], client["address"]) == (accepted, refused, address)
    assert client["header"] == "X-Forwarded-For" and client["received"] == ([query["header"]] if "header" in query else [])
    assert because in client["refused_because"] if because else client["refused_because"] is None
    assert whole["address"] == address and (address or whole["verdict"] == "unreadable")


def test_the_request_itself(service):
    plain = explain(service)
    assert hops(plain["client"]) == ["127.0.0.1"] and plain["range"] == "loopback" and plain["weather"] is None
    through = explain(service, headers={"X-Forwarded-For": f"{LONDON}, {MUMBAI}"})
    assert hops(through["client"]) == ["127.0.0.1", MUMBAI] and through["client"]["refused"] == [LONDON]
    assert through["client"]["received"] == [f"{LONDON}, {MUMBAI}"]


def test_place_weather_and_providers(service, sim):
    cold = explain(service, ip="192.0.2.33")
    assert list(cold) == ["client", *PLACE_KEYS, "weather", "earth", "upstreams"] and cold["earth"] is None
    assert (cold["class"], cold["verdict"], cold["matched"]) == ("documentation", "city", "192.0.2.32/28")
    assert cold["record"]["city"] == "Bengaluru" and cold["database"] == str(VISITORS)
    assert "spellings" in cold["label"] and cold["confidence"] == "confirmed" and "confirms it" in cold["reason"]
    assert (cold["weather"]["cell"], cold["weather"]["cache"], cold["weather"]["celsius"]) == ("13.0,77.6", "miss", None)
    assert cold["weather"]["next_try_at"], "the next visit fetches it"

    answer = service.settled("192.0.2.33")
    warm = explain(service, ip="192.0.2.33")["weather"]
    assert (warm["cache"], warm["state"], warm["celsius"]) == ("hit", "fresh", answer["temperature"]["celsius"])
    assert (warm["fetched_at"], warm["refresh_at"]) == (answer["fetched_at"], answer["refresh_at"])
    assert warm["provider"] == "open-meteo" and warm["next_try_at"] is None and warm["in_flight"] is False
    upstream = explain(service, ip="192.0.2.33")["upstreams"][0]
    assert upstream["name"] == "open-meteo" and upstream["breaker_open"] is False and upstream["last_success_at"]
    assert [budget["window"] for budget in upstream["budgets"]] == ["minute", "hour", "day"]
    assert all(budget["remaining"] < budget["limit"] and budget["reset_at"] for budget in upstream["budgets"][1:])


@pytest.mark.parametrize("address, judged, kind, span, verdict, name", [
    (f"64:ff9b::{MUMBAI}", MUMBAI, "documentation", "documentation", "city", "Mumbai"),
    ("64:ff9b::10.0.0.1", "10.0.0.1", "private", "private", "private", None),
    ("64:ff9b::127.0.0.1", "127.0.0.1", "private", "loopback", "private", None),
    ("64:ff9b:1::192.0.2.1", None, "private", "local-use NAT64", "private", None),
    (f"::{MUMBAI}", None, "reserved", "IPv4-compatible", "reserved", None),
])
def test_an_ipv4_address_inside_an_ipv6_one(service, address, judged, kind, span, verdict, name):
    """Behind NAT64 the reader is where the IPv4 address inside is, and explain says by which address it judged."""
    whole = explain(service, ip=address)
    assert ipaddress.ip_address(whole["address"]) == ipaddress.ip_address(address) and whole["judged_as"] == judged
    assert (whole["class"], whole["range"], whole["verdict"], whole["name"]) == (kind, span, verdict, name)
    assert whole["matched"] == ("192.0.2.0/28" if name else None)
    assert service.visit(address).json["place"]["verdict"] == verdict


def test_nat64_is_nobodys_loopback(service):
    """Who may fake and which proxies are trusted: an address inside another counts for neither."""
    behind = {"X-Forwarded-For": "64:ff9b::127.0.0.1"}
    answer = service.get(f"/widget.json?ip={MUMBAI}", headers=behind)
    assert answer.headers["X-Masthead-Ignored"] == "ip; client not in dev.from"
    client = explain(service, header=f"{MUMBAI}, 64:ff9b::127.0.0.1")["client"]
    assert client["address"] == "64:ff9b::7f00:1" and client["refused"] == [MUMBAI]


def test_a_temperature_of_the_whole_earth_is_told_with_all_its_parts(earth_alone):
    """The parts of the stations add up to the correction, and that and the model's value to what the reader is shown."""
    by_source = {}
    for reader in readers():
        answer = earth_alone.visit(address_of(reader)).json
        if answer["place"]["verdict"] != "city":
            continue
        whole = explain(earth_alone, ip=address_of(reader))
        earth = whole["earth"]
        assert whole["upstreams"] == [] and whole["weather"]["provider"] == answer["provider"]
        assert abs(earth["model_celsius"] + earth["correction_kelvin"] - answer["temperature"]["celsius"]) < 0.08
        assert abs(earth["celsius"] - answer["temperature"]["celsius"]) < 0.08
        parts = [station["part_kelvin"] for station in earth["stations"]] + [earth["others_kelvin"]]
        assert abs(sum(parts) - earth["correction_kelvin"]) < 0.001
        assert (earth["run"], earth["ground_m"]) == ("2026-03-01T06:00:00Z", 0)
        distances = [station["distance_km"] for station in earth["stations"]]
        assert distances == sorted(distances) and all(0 <= distance < 75 for distance in distances)
        for station in earth["stations"]:
            assert re.fullmatch(r"[A-Z0-9]{4}", station["id"]) and "2026-03-01T11:00:00Z" < station["observed_at"] <= EVENING
            assert abs(station["part_kelvin"]) <= abs(station["weight"] * station["difference_kelvin"]) + 0.001
            assert station["condition"] is None or 0 <= station["condition"] <= 99
        assert sum(station["weight"] for station in earth["stations"]) < 1
        by_source[answer["provider"]] = earth
    assert by_source["gfs"]["stations"] == [] and by_source["gfs"]["correction_kelvin"] == 0
    assert by_source["gfs+metar"]["stations"] and by_source["gfs+metar"]["height_m"] is not None


def test_an_outage_is_told_with_its_next_try(start, sim):
    service = start(settings={"weather.timeout": "1s"})
    service.settled(MUMBAI)
    sim.fault("500")
    service.advance("3h")
    wait_until(lambda: service.visit(MUMBAI).json["state"] == "stale", what="stale")
    stale = explain(service, ip=MUMBAI)
    assert (stale["weather"]["cache"], stale["weather"]["state"]) == ("stale", "stale") and stale["weather"]["age_s"] >= 10800
    assert stale["weather"]["next_try_at"] > stale["weather"]["refresh_at"]
    assert stale["upstreams"][0]["last_failure"]


def test_places_that_others_found(start):
    service = start(settings={"geoip.headers": "X-City, X-Country, X-Lat, X-Lon"})
    edge = explain(service, headers={"X-City": "Pune", "X-Country": "IN", "X-Lat": "18.52", "X-Lon": "73.86", "X-Forwarded-For": "1.2.3.4"})
    assert (edge["verdict"], edge["name"], edge["record"]["city"], edge["database"]) == ("city", "Pune", "Pune", None)
    chosen = explain(service, ip=LONDON, place="1275339", lang="hi")
    assert (chosen["name"], chosen["source"], chosen["reason"]) == ("मुंबई", "reader", "the reader chose this city")


@pytest.mark.parametrize("query, said", [
    ("ip=here", "ip; not an address"),
    ("ip=", "ip; not an address"),
    ("ip=1.2.3.4&ip=1.2.3.4", "ip; given twice"),
    ("header=%0d%0aX:", "header; longer than any header, or not one"),
    ("header=" + "1" * 5000, "header; longer than any header, or not one"),
    ("iq=1.2.3.4", "parameter; not known"),
    ("scenario=mumbai&ip=1.2.3.4", "scenario; its reader gives way to the address given"),
])
def test_what_cannot_be_explained_is_said(service, query, said):
    answer = request(service.ops, "/explain?" + query)
    assert (answer.status, answer.json, answer.headers["Cache-Control"]) == (400, {"error": said}, "no-store")


def test_for_developers_and_nobody_else(start, service):
    answer = service.get("/dev/explain?scenario=new-york,upstream-down-6h")
    assert answer.status == 200 and answer.headers["Cache-Control"] == "no-store"
    assert (answer.json["name"], answer.json["weather"]["cache"], answer.json["weather"]["age_s"]) == ("New York", "imagined", 21600)
    assert answer.json["weather"]["celsius"] == service.get("/widget.json?scenario=new-york,upstream-down-6h").json["temperature"]["celsius"]
    assert service.get("/dev/explain?scenario=unreadable").json["verdict"] == "unreadable"
    assert service.get(f"/dev/explain?ip={MUMBAI}&at=2026-01-01T00:00:00Z").json["weather"]["fetched_at"] == "2026-01-01T00:00:00Z"
    for headers in ({"X-Forwarded-For": LONDON}, {"X-Forwarded-For": "nobody"}):
        assert service.get(f"/dev/explain?ip={MUMBAI}", headers=headers).json == {"error": "client not in dev.from"}
    public = start(settings={"dev.enabled": "no", "dev.simulated": "no"})
    assert public.get("/dev/explain").status == 404 and explain(public, ip=MUMBAI)["name"] == "Mumbai"
    assert request(public.ops, "/explain?at=2026-01-01T00:00:00Z").json == {"error": "at; not in developer mode"}


def test_the_command_line_tells_the_same_as_far_as_it_can(service):
    printed = command("lookup", "--pretty", "--set", f"geoip.databases={VISITORS}", MUMBAI)
    assert printed.returncode == 0, printed.stderr
    offline, online = json.loads(printed.stdout), explain(service, ip=MUMBAI)
    assert list(offline) == list(online)
    assert {key: offline[key] for key in PLACE_KEYS} == {key: online[key] for key in PLACE_KEYS}
    assert offline["client"] is None and offline["weather"] is None and offline["earth"] is None and offline["upstreams"] is None


def quiet_metrics(service):
    """All that asking could have changed: without HTTP's own counts and the process's."""
    return {name: value for name, value in service.metrics().items() if not name.startswith(("masthead_http_", "process_"))}


def test_asking_changes_no_count_and_asks_nobody(start, sim):
    service = start(settings={"dev.at": "2026-03-01T12:00:00Z"})
    sim.control("clock?at=2026-03-01T12:00:00Z")
    service.settled(MUMBAI)
    service.landed()
    before, asked = quiet_metrics(service), sim.count()
    for query in ({"ip": MUMBAI}, {"ip": LONDON}, {"ip": "8.8.8.8"}, {"header": f"1.2.3.4, {NEW_YORK}"}, {"header": "nobody"}, {},
                  {"ip": LONDON, "place": "1275339"}):
        explain(service, **query)
        assert service.get("/dev/explain?" + urllib.parse.urlencode(query)).status == 200
    assert service.get("/dev/explain?scenario=tokyo,cold").status == 200
    assert quiet_metrics(service) == before and sim.count() == asked
    assert explain(service, ip=LONDON)["weather"]["cache"] == "miss", "still nobody has asked for that cell"


def test_asking_spares_no_cell_from_eviction(start, sim):
    """Two services with room for 16 cells see the same readers; one is asked about a cell all the time. The same cells survive."""
    def survivors(asked_about):
        service = start(settings={"cache.capacity": "16", "weather.wait": "2s"})
        for i in range(40):
            service.visit(f"192.0.2.{1 + 16 * (i % 14)}" if i % 3 else f"198.51.100.{1 + 16 * (i % 16)}")
            if asked_about:
                explain(service, ip=asked_about)
        every = [f"192.0.2.{1 + 16 * i}" for i in range(14)] + [f"198.51.100.{1 + 16 * i}" for i in range(16)]
        return [ip for ip in every if explain(service, ip=ip)["weather"]["cache"] == "hit"]

    unasked = survivors(None)
    evicted = next(ip for ip in [f"192.0.2.{1 + 16 * i}" for i in range(14)] if ip not in unasked)
    assert survivors(evicted) == unasked and len(unasked) in (15, 16)


@pytest.mark.parametrize("listener, path", [("public", "/"), ("public", "/dev/explain"), ("public", "/dev/scenarios.json"),
                                            ("public", "/dev/visitors.tsv"), ("ops", "/explain"), ("ops", "/dev/clock?advance=0s")])
def test_pages_for_people_answer_to_known_names_only(start, listener, path):
    service = start(settings={"server.hosts": "news.test"})
    method = "POST" if "clock" in path else "GET"
    for host, status in (("127.0.0.1", 200), ("localhost:8080", 200), ("LOCALHOST", 200), ("[::1]:1", 200), ("news.test", 200),
                         ("evil.test", 403), ("localhost.evil.test", 403), ("127.0.0.1.evil.test", 403), ("[evil]", 403), ("", 403)):
        assert request(getattr(service, listener), path, method, {"Host": host}).status == status, host
