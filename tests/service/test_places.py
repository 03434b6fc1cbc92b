"""Goal of these tests: the name that a reader would say, the reader's own choice, and the halves of an answer apart; and
databases that change under the service's feet."""
import concurrent.futures
import json
import os
import random
import shutil
import signal
import subprocess
import threading
import time

import pytest

from harness import BUILD, ROOT, VISITORS, command, readers, wait_until

MUMBAI, NO_RECORD = "192.0.2.1", "203.0.113.241"
MUMBAI_ID, NEW_YORK_ID = 1275339, 5128581


def settled(service, path):
    return wait_until(lambda: (a := service.get(path)).json["state"] != "place" and a, what="a number")


def test_the_label_is_the_city_that_readers_would_say(service):
    suburb = next(reader for reader in readers() if "(" in reader["city"] and reader["city"].startswith("Mumbai"))
    place = service.visit(suburb["ipv4"]).json["place"]
    assert place["name"] == "Mumbai" and place["id"] == MUMBAI_ID and place["region"] == "Maharashtra"


def test_a_choice_is_answered_for_everybody_alike(service):
    answer = settled(service, f"/widget.json?place={MUMBAI_ID}")
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert answer.json["place"] == {"name": "Mumbai", "region": "Maharashtra", "country": "IN", "source": "reader", "verdict": "city",
                                    "reason": None, "confidence": "confirmed", "id": MUMBAI_ID}
    assert {"text": "City names by GeoNames", "url": "https://www.geonames.org/"} in answer.json["credits"]
    for reader in (MUMBAI, "198.51.100.1", "unknown"):
        again = service.visit(reader, f"/widget.json?place={MUMBAI_ID}").json
        assert again["place"] == answer.json["place"] and again["temperature"] == answer.json["temperature"]
    assert 'data-source="reader"' in service.get(f"/widget?place={MUMBAI_ID}").text
    assert service.get(f"/widget.txt?place={MUMBAI_ID}&lang=hi").text.startswith("मुंबई ")
    assert settled(service, f"/widget.json?place={NEW_YORK_ID}&units=auto").json["temperature"]["unit"] == "F"


def test_an_unknown_choice_does_not_count(service):
    answer = service.visit(MUMBAI, "/widget.json?place=999999999")
    assert answer.json["place"]["source"] == "geoip" and answer.headers["X-Masthead-Ignored"] == "place; not known"
    assert answer.headers["Cache-Control"].startswith("private")


def test_the_search_for_a_place(service):
    answer = service.get("/places.json?q=mum")
    assert answer.headers["Cache-Control"] == "public, max-age=86400"
    places = answer.json["places"]
    assert set(places[0]) == {"id", "name", "region", "country", "latitude", "longitude", "population"}
    assert places[0]["id"] == MUMBAI_ID and len(places) <= 10
    assert service.get("/places.json?q=Bombay").json["places"][0]["id"] == MUMBAI_ID
    assert service.get("/places.json?q=mumbai&lang=hi").json["places"][0]["name"] == "मुंबई"
    assert service.get("/places.json?q=s%C3%A3o%20p").json == service.get("/places.json?q=SAO+P").json
    assert service.get("/places.json?q=lon&country=US").json["places"][0]["country"] == "US"
    largest = service.get("/places.json?country=IN&lang=hi").json["places"]
    assert largest[0]["name"] == "मुंबई" and [place["country"] for place in largest] == ["IN"] * 10
    for nothing in ("", "?q=", "?country=ZZ", "?q=%20&country=IN", "?q=%00", "?q=%ff%fe", "?q=" + "x" * 4000, "?q=<script>"):
        assert service.get("/places.json" + nothing).json == {"places": []}, nothing


def test_search_results_tell_namesakes_apart(service):
    found = service.get("/places.json?q=springfield&country=US").json["places"]
    regions = [place["region"] for place in found if place["name"] == "Springfield"]
    assert len(regions) == len(set(regions)) > 3 and "Illinois" in regions
    for query in ("springfield,%20il", "springfield,%20Illinois", "springfield+il"):
        assert [place["region"] for place in service.get(f"/places.json?q={query}").json["places"]] == ["Illinois"], query
    for query, name in (("muenster", "Münster"), ("laquila", "L'Aquila"), ("hague", "The Hague"), ("mumbai,in", "Mumbai")):
        assert service.get(f"/places.json?q={query}").json["places"][0]["name"] == name
    tokyo_suburb = service.get("/places.json?q=komae").json["places"][0]
    assert tokyo_suburb["population"] is None, "missing, not none"


@pytest.mark.parametrize("point, name", [
    ("19.1,72.9", "Mumbai"), ("22.624,88.421", "Kolkata"), ("51.5,-.1", "London"), ("-16.9,180", "Labasa"), ("-16.9,-180.0", "Labasa"),
    ("-16.9,-179.99", "Labasa"), ("90,0", None), ("-90,-180", None), ("35,-40", None),
])
def test_the_nearest_city(service, point, name):
    answer = service.get(f"/places.json?near={point}")
    assert answer.status == 200 and answer.headers["Cache-Control"] == "public, max-age=86400"
    assert [place["name"] for place in answer.json["places"]] == ([name] if name else [])
    if name:
        assert answer.json["places"][0] in service.get(f"/places.json?q={name}").json["places"]


def test_the_nearest_city_goes_before_a_query_and_speaks_the_language(service):
    answer = service.get("/places.json?near=19.1,72.9&q=london&lang=hi")
    assert answer.json["places"][0]["name"] == "मुंबई" and answer.headers["X-Masthead-Ignored"] == "q; near goes before it"


@pytest.mark.parametrize("point", ["", "19.1", "19.1,", ",72.9", "19.1,72.9,1", "91,0", "0,180.1", "nan,nan", "0x10,0", "1e1,0", "a,b",
                                   "19.1;72.9", "19.1,%20%0072", "1" * 4000 + ",1", "inf,0", "%ff,%fe"])
def test_a_malformed_point_is_refused_in_json(service, point):
    answer = service.get(f"/places.json?near={point}")
    assert answer.status == 400 and set(answer.json) == {"error"} and answer.headers["Content-Type"] == "application/json"


BERLIN_ID = 2950159
SUMMER_TIME = [("2026-03-29T00:59:59Z", 3600), ("2026-03-29T01:00:00Z", 7200), ("2026-10-25T00:59:59Z", 7200),
               ("2026-10-25T01:00:00Z", 3600)]


@pytest.mark.parametrize("at, offset_s", SUMMER_TIME)
def test_the_offset_is_right_across_a_change_of_summer_time(service, at, offset_s):
    for path in (f"/widget.json?place={BERLIN_ID}", f"/where.json?place={BERLIN_ID}", f"/weather.json?place={BERLIN_ID}",
                 "/weather.json?cell=52.5,13.4"):
        answer = service.get(f"{path}&at={at}").json
        assert (answer["timezone"], answer["utc_offset_s"]) == ("Europe/Berlin", offset_s), path


def test_the_zone_is_the_places_before_its_weather_is_there(start, sim):
    sim.fault("500")
    service = start(settings={"dev.at": "2026-03-29T00:30:00Z", "geoip.home": "Chatham, NZ, -43.95, -176.55",
                              "weather.wait": "0ms"})
    berlin = f"/widget.json?place={BERLIN_ID}"
    for advance, offset_s in (("1s", 3600), ("1h", 7200)):
        service.advance(advance)
        answer = service.get(berlin).json
        assert (answer["state"], answer["timezone"], answer["utc_offset_s"]) == ("place", "Europe/Berlin", offset_s)
    at_home = service.visit(NO_RECORD).json
    assert at_home["place"]["source"] == "home" and (at_home["timezone"], at_home["utc_offset_s"]) == ("Pacific/Chatham", 49500)
    nobody = start().visit(NO_RECORD).json
    assert nobody["state"] == "unknown" and nobody["timezone"] is None and nobody["utc_offset_s"] is None
    assert service.visit(NO_RECORD, "/where.json").json["utc_offset_s"] == 49500


def test_a_zone_that_the_record_invents_is_not_believed(start, tmp_path):
    source = tmp_path / "zones.pl"
    source.write_text("""
        use strict; use MaxMind::DB::Writer::Tree;
        my $tree = MaxMind::DB::Writer::Tree->new(ip_version => 6, record_size => 24, database_type => 'Test-City',
            languages => ['en'], description => { en => 'zones' }, remove_reserved_networks => 0,
            map_key_type_callback => sub { { latitude => 'double', longitude => 'double', location => 'map', city => 'map',
                names => 'map', country => 'map' }->{$_[0]} // 'utf8_string' });
        my @zones = ('../../etc/passwd', '/etc/localtime', 'Mars/Olympus', 'Asia/Dubai', '');
        $tree->insert_network("8.8.$_.0/24", { city => { names => { en => 'Mumbai' } }, country => { iso_code => 'IN' },
            location => { latitude => 19.07, longitude => 72.88, time_zone => $zones[$_] } }) for 0 .. $#zones;
        open my $out, '>:raw', $ARGV[0] or die; $tree->write_tree($out);
    """)
    subprocess.run(["perl", str(source), str(tmp_path / "zones.mmdb")], check=True)
    service = start(settings={"geoip.databases": str(tmp_path / "zones.mmdb")})
    for third, (zone, offset_s) in enumerate([("Asia/Kolkata", 19800)] * 3 + [("Asia/Dubai", 14400), ("Asia/Kolkata", 19800)]):
        answer = service.visit(f"8.8.{third}.1").json
        assert (answer["timezone"], answer["utc_offset_s"]) == (zone, offset_s), third


def test_where_and_weather_apart(start, sim):
    service = start()
    cold = service.get("/weather.json?cell=19.1,72.9")
    assert cold.json["state"] == "place" and cold.headers["Cache-Control"] == "public, max-age=15"
    assert sim.count()["requests"] == 0, "a cell that nobody has asked for as a reader costs nothing"
    where = service.visit(MUMBAI, "/where.json")
    assert where.headers["Cache-Control"].startswith("private") and set(where.json) == {"state", "lang", "later", "place", "cell", "unit",
                                                                                         "timezone", "utc_offset_s", "credits"}
    assert where.json["cell"] == "19.1,72.9" and where.json["place"]["name"] == "Mumbai"
    weather = settled(service, "/weather.json?cell=19.1,72.9")
    assert weather.json["state"] == "fresh" and "place" not in weather.json
    assert weather.headers["Cache-Control"] == "public, max-age=300" and sim.count()["requests"] == 1
    assert service.visit(MUMBAI).json["temperature"] == weather.json["temperature"]
    assert settled(service, f"/weather.json?place={NEW_YORK_ID}&units=auto").json["temperature"]["unit"] == "F"


@pytest.mark.parametrize("query, status", [
    ("", 400), ("?cell=", 400), ("?cell=19.10,72.9", 400), ("?cell=19.15,72.9", 400), ("?cell=91.0,0.0", 400),
    ("?cell=nan,nan", 400), ("?cell=0x10,0", 400), ("?cell=19.1", 400), ("?cell=19.1,72.9,1", 400),
    ("?cell=19.1,180.0", 400), ("?cell=-0.0,0.0", 400), ("?place=999999999", 404), ("?place=x", 400),
])
def test_malformed_cells_are_refused_in_json(service, query, status):
    answer = service.get("/weather.json" + query)
    assert answer.status == status and set(answer.json) == {"error"}
    assert answer.headers["Content-Type"] == "application/json"


def test_a_visit_counts_once_whole_or_in_halves(service):
    service.settled(MUMBAI)
    settled(service, f"/widget.json?place={NEW_YORK_ID}")
    cells = [service.visit(MUMBAI, "/where.json").json["cell"], service.get(f"/where.json?place={NEW_YORK_ID}").json["cell"]]
    before = service.metrics()

    def risen():
        after = service.metrics()
        return {name: after[name] - before[name] for name in after if "masthead_widgets_total" in name and after[name] > before[name]}
    fresh, chosen = (f'masthead_widgets_total{{state="fresh",source="{source}"}}' for source in ("geoip", "reader"))
    for cell in cells:
        service.get(f"/weather.json?cell={cell}")
    assert risen() == {}
    service.visit(MUMBAI)
    service.visit(MUMBAI, "/where.json")
    assert risen() == {fresh: 2}
    for path in ("/widget.json", "/where.json", "/weather.json"):
        service.get(f"{path}?place={NEW_YORK_ID}")
    service.visit(NO_RECORD, "/where.json")
    assert risen() == {fresh: 2, chosen: 3, 'masthead_widgets_total{state="unknown",source="none"}': 1}


def test_strangers_spend_next_to_nothing_and_evict_nobody(start, sim):
    service = start(settings={"cache.capacity": "16", "weather.wait": "0ms"})
    readers = [f"192.0.2.{last}" for last in range(1, 17 * 16, 16) if last < 250]
    for reader in readers:
        service.settled(reader)
    cities = service.get("/places.json?q=s").json["places"] + service.get("/places.json?q=b").json["places"]
    for city in cities:
        service.get(f"/widget.json?place={city['id']}")
        service.get(f"/weather.json?place={city['id']}")
    metrics = service.metrics()
    assert metrics["masthead_cache_evictions_total"] == 0 and metrics["masthead_cache_entries"] == 16
    assert all(service.visit(reader).json["state"] == "fresh" for reader in readers)


@pytest.mark.parametrize("budget, most", [("600/m 5000/h 10000/d", 60), ("20/m", 2), ("100/m 30/h", 3)])
def test_choices_spend_a_tenth_of_a_budget_refreshes_included(start, sim, budget, most):
    sim.control("clock?at=2026-01-31T12:00:10Z")
    service = start(settings={"weather.wait": "0ms", "dev.at": "2026-01-31T12:00:10Z", "weather.open_meteo_budget": budget})
    ids = [city["id"] for letter in "abcdefghijklmnop" for city in
           service.get(f"/places.json?q={letter}").json["places"]]

    def walk(expected):
        """Names every place; returns the cells that have a number. All fetches but `expected` are refused."""
        before = sim.count()["requests"]
        answers = [service.get(f"/weather.json?place={city}").json for city in ids]
        wait_until(lambda: sim.count()["requests"] - before >= expected and service.metrics()["masthead_upstream_inflight"] == 0,
                   what="the fetches")
        assert sim.count()["requests"] - before == expected
        return {answer["cell"] for answer in answers if answer["temperature"]["value"] is not None}

    walk(most)
    wait_until(lambda: service.metrics()["masthead_cache_entries"] == most, what="the end of those that are refused")
    assert most < len(ids)
    cells = walk(0)
    assert len(cells) == most
    for _ in range(2):  # every cell is due, a new minute and a new hour have begun
        service.advance("3h")
        assert walk(most) >= cells, "a curve is read whether or not it may be refreshed"
    states = {service.get(f"/weather.json?cell={cell}").json["state"] for cell in cells}
    assert states <= {"fresh", "stale"}


def test_where_does_not_wait_for_the_weather_of_a_chosen_place(start, sim):
    sim.fault("hang")
    service = start(settings={"weather.wait": "2s"})
    begun = time.monotonic()
    assert service.get(f"/where.json?place={NEW_YORK_ID}").json["place"]["name"] == "New York"
    assert time.monotonic() - begun < 1
    wait_until(lambda: sim.count()["open"] == 1, what="the fetch that it starts")


def lookup(tmp_path, *addresses, databases):
    done = command("lookup", "--set", f"server.state={tmp_path}", "--set", f"geoip.databases={databases}", *addresses)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("file, address", [
    ("flat-ipv4.mmdb", "11.0.0.1"), ("flat-ipv6.mmdb", "2600:11::1"), ("ipinfo.mmdb", "12.0.0.1"),
    ("ipinfo-old.mmdb", "12.1.0.1"),
])
def test_every_vendors_shape_is_read(shapes, tmp_path, file, address):
    row = lookup(tmp_path, address, databases=shapes / file)[0]
    assert row["verdict"] == "city" and row["name"] == "Mumbai" and row["country"] == "IN", row
    assert row["record"]["latitude"] == pytest.approx(19.07, abs=0.1)


def test_a_country_is_never_a_city(shapes, tmp_path, city_addresses=200):
    chance = random.Random(1)
    addresses = [".".join(str(chance.randrange(1, 224)) for _ in range(4)) for _ in range(city_addresses)]
    for row in lookup(tmp_path, *addresses, databases=shapes / "country.mmdb"):
        assert row["name"] is None and row["verdict"] != "city"


def test_replacing_the_database_under_load_fails_nobody(start, tmp_path):
    path = tmp_path / "city.mmdb"
    shutil.copy(VISITORS, path)
    service = start(settings={"geoip.databases": str(path), "server.threads": "16"})
    service.settled(MUMBAI)
    stop = threading.Event()

    def ask():
        count = 0
        while not stop.is_set():
            answer = service.visit(MUMBAI)
            assert answer.status == 200 and answer.json["place"]["name"] == "Mumbai"
            count += 1
        return count

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        asking = [pool.submit(ask) for _ in range(2)]
        before = service.metrics()["process_open_fds"]
        for turn in range(20):
            (tmp_path / "new").write_bytes(VISITORS.read_bytes())
            (tmp_path / "new").rename(path)
            replaced = sum("databases replaced" in line for line in service.lines)
            service.signal(signal.SIGHUP)
            wait_until(lambda: sum("databases replaced" in line for line in service.lines) > replaced, what="the swap")
            if turn % 4 == 0:
                os.truncate(path, 1000)
                service.signal(signal.SIGHUP)
        stop.set()
        assert all(future.result() > 20 for future in asking)
    wait_until(lambda: service.metrics()["process_open_fds"] <= before + 2, what="descriptors to be given back")
    assert service.visit(MUMBAI).json["place"]["name"] == "Mumbai"


@pytest.mark.parametrize("damage, said", [
    ("known networks", "well-known networks into the wrong country"),
    ("half", "not loaded"),
    ("text", "not loaded"),
])
def test_a_candidate_that_is_wrong_does_not_replace_one_that_serves(start, tmp_path, shapes, damage, said):
    path = tmp_path / "city.mmdb"
    shutil.copy(VISITORS, path)
    service = start(settings={"geoip.databases": str(path)})
    whole = VISITORS.read_bytes()
    if damage == "known networks":
        source = tmp_path / "wrong.pl"
        source.write_text("""
            use strict; use MaxMind::DB::Writer::Tree;
            my $tree = MaxMind::DB::Writer::Tree->new(ip_version => 6, record_size => 24, database_type => 'Wrong-City',
                languages => ['en'], description => { en => 'all of it in one country' }, remove_reserved_networks => 0,
                map_key_type_callback => sub { 'utf8_string' });
            $tree->insert_network($_, { country_code => 'FR' }) for '128.0.0.0/1', '2001::/16';
            open my $out, '>:raw', $ARGV[0] or die; $tree->write_tree($out);
        """)
        subprocess.run(["perl", str(source), str(tmp_path / "new")], check=True)
    else:
        (tmp_path / "new").write_bytes(whole[:len(whole) // 2] if damage == "half" else b"no database\n" * 1000)
    (tmp_path / "new").rename(path)
    service.reload("reload refused, nothing changed")
    assert said in service.log()
    assert service.visit(MUMBAI).json["place"]["name"] == "Mumbai" and service.ready()
    assert service.metrics()['masthead_geoip_last_reload_successful{database="city.mmdb"}'] == 0


def test_a_known_crasher_is_refused_by_the_validation(tmp_path):
    for size in (0, 10, 1000, 5000):
        path = tmp_path / f"cut{size}.mmdb"
        path.write_bytes(VISITORS.read_bytes()[:size])
        done = command("--examine-database", path)
        assert done.returncode == 1 and done.stdout
    survey = tmp_path / "survey"  # which a sound one is written to, as descriptor 4
    done = subprocess.run(["sh", "-c", f'exec "$@" 4>{survey}', "sh", BUILD / "masthead", "--examine-database", VISITORS],
                          capture_output=True, check=False)
    assert done.returncode == 0 and not done.stdout and survey.stat().st_size > 0
    done = command("--examine-database", VISITORS)
    assert done.returncode == 1 and "survey cannot be written" in done.stdout


EDGES = {
    "Cloudflare": ("CF-IPCity", "CF-IPCountry", "CF-IPLatitude", "CF-IPLongitude"),
    "CloudFront": ("CloudFront-Viewer-City", "CloudFront-Viewer-Country", "CloudFront-Viewer-Latitude", "CloudFront-Viewer-Longitude"),
    "Vercel": ("X-Vercel-IP-City", "X-Vercel-IP-Country", "X-Vercel-IP-Latitude", "X-Vercel-IP-Longitude"),
}


@pytest.mark.parametrize("vendor", EDGES)
def test_each_vendor_is_configured_as_the_document_says(start, vendor):
    names = EDGES[vendor]
    document = " ".join((ROOT / "data" / "ops" / "README.md").read_text(encoding="utf-8").split())
    assert "`headers = " + ", ".join(names) + "`" in document
    service = start(settings={"geoip.headers": ", ".join(names), "geoip.databases": "/nowhere.mmdb"})
    for city, name in (("S%C3%A3o%20Paulo", "São Paulo"), ("São Paulo".encode(), "São Paulo"), ("%FF", None), ("%00", None)):
        sent = {**dict(zip(names, (city, "BR", "-23.55", "-46.63"))), "X-Forwarded-For": "8.8.8.8"}
        place = service.get("/widget.json", headers={key.lower(): value for key, value in sent.items()}).json["place"]
        assert place["name"] == name and place["country"] == "BR", (city, place)


EDGE = {"CF-IPCity": "Mumbai", "CF-IPCountry": "IN", "CF-IPLatitude": "19.07", "CF-IPLongitude": "72.88"}


def test_a_proxy_that_knows_the_place_is_believed_like_a_record(start):
    service = start(settings={"geoip.headers": ", ".join(EDGE), "geoip.databases": "/nowhere.mmdb"})
    place = service.get("/widget.json", headers={**EDGE, "X-Forwarded-For": "8.8.8.8"}).json["place"]
    assert place["name"] == "Mumbai" and place["source"] == "geoip" and place["id"] == MUMBAI_ID
    paulo = {**EDGE, "CF-IPCountry": "BR", "CF-IPLatitude": "-23.55", "CF-IPLongitude": "-46.63"}
    for city in ("S%C3%A3o%20Paulo", "S%c3%a3o Paulo"):
        assert service.get("/widget.json", headers={**paulo, "CF-IPCity": city}).json["place"]["name"] == "São Paulo", city
    for name, value in [("CF-IPCity", ""), ("CF-IPLatitude", "nan"), ("CF-IPLongitude", "181"), ("CF-IPCity", "%00")]:
        vague = service.get("/widget.json", headers={**EDGE, name: value}).json["place"]
        assert vague["verdict"] == "too-vague" and vague["name"] is None and vague["country"] == "IN", (name, value)
    assert service.visit("8.8.8.8").json["place"]["verdict"] == "no-database"


def test_from_anybody_else_such_headers_say_nothing(start):
    service = start(settings={"geoip.headers": ", ".join(EDGE), "visitor.trusted_proxies": "10.0.0.0/8"})
    assert service.get("/widget.json", headers=EDGE).json["place"]["verdict"] == "private"
    plain = start()
    assert plain.get("/widget.json", headers=EDGE).json["place"]["verdict"] == "private"


def test_networks_listed_as_vague_are_not_believed(start, tmp_path):
    listed = tmp_path / "vague.txt"
    listed.write_text("# carriers\n192.0.2.0/28  # the first reader's\n\n2001:db8:ffff::/48\n")
    service = start(settings={"geoip.vague": str(listed)})
    assert service.visit(MUMBAI).json["place"]["verdict"] == "too-vague"
    assert service.visit("192.0.2.17").json["place"]["verdict"] == "city"


def test_a_bad_list_of_vague_networks_is_an_error_with_its_line(tmp_path):
    listed = tmp_path / "vague.txt"
    listed.write_text("10.0.0.0/8\n10.0.0.1/8\n")
    done = command("--check-config", "--set", f"geoip.vague={listed}", "--set", f"geoip.databases={VISITORS}", "--set",
                   f"server.state={tmp_path}")
    assert done.returncode == 2 and "line=2" in done.stderr
