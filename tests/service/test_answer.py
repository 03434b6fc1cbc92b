"""Goal of these tests: what a reader and a page are answered, in every form and state of an answer."""
import gzip
import html.parser
import re

import pytest

from harness import CITY_V4, address_of, is_office, readers, request, unix, wait_until

MUMBAI = "192.0.2.1"
NBSP, MINUS = "\u00a0", "\u2212"


class Fragment(html.parser.HTMLParser):
    """The fragment as a browser would see it: the attributes of its root, and the text of each class."""

    def __init__(self, source):
        super().__init__()
        self.root, self.texts, self.tags, self._open = None, {}, [], []
        self.feed(source)
        assert not self._open, f"left open: {self._open}"

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if self.root is None:
            self.root = attributes
        self._open.append(attributes.get("class", tag))
        self.tags.append(tag)

    def handle_endtag(self, tag):
        self._open.pop()

    def handle_data(self, data):
        if self._open:
            self.texts[self._open[-1]] = self.texts.get(self._open[-1], "") + data


def test_a_reader_in_mumbai_gets_mumbai_and_the_temperature(masthead, sim):
    json = masthead.settled(MUMBAI)
    expected = sim.synthetic_weather(19.1, 72.9, 0)  # the shape; the value is compared below, at the answer's own time
    assert set(expected) >= {"celsius", "code", "is_day"}
    assert json["place"] == {"name": "Mumbai", "region": "Maharashtra", "country": "IN", "source": "geoip",
                             "verdict": "city", "reason": None, "confidence": "confirmed", "id": 1275339}
    assert json["state"] == "fresh" and json["cell"] == "19.1,72.9" and json["provider"] == "open-meteo"
    assert json["timezone"] == "Asia/Kolkata" and json["utc_offset_s"] == 19800 and json["simulated"] is True
    celsius = json["temperature"]["celsius"]
    rounded = int(abs(celsius) + 0.5) * (1 if celsius >= 0 else -1)
    degrees = f"{rounded}{NBSP}°C".replace("-", MINUS)
    feels = json["temperature"].pop("feels_text")
    assert json["temperature"] == {"celsius": celsius, "value": rounded, "unit": "C", "text": degrees}
    assert re.fullmatch(f"Feels like {MINUS}?[0-9]+°", feels)
    assert json["lang"] == "en" and json["text"] == f"Mumbai {degrees}"
    assert masthead.visit(MUMBAI, "/widget.txt").text == json["text"] + "\n"

    answer = masthead.visit(MUMBAI, "/widget")
    assert answer.status == 200 and answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.text.count("\n") == 1 and "style=" not in answer.text and "<script" not in answer.text
    fragment = Fragment(answer.text)
    assert fragment.root["class"] == "masthead-weather" and fragment.root["data-state"] == "fresh"
    assert fragment.root["data-source"] == "geoip" and fragment.root["lang"] == "en"
    assert fragment.root["data-confidence"] == "confirmed"
    assert "data-simulated" in fragment.root and "data-age" not in fragment.root
    assert fragment.texts["masthead-place"] == "Mumbai"
    assert f'<data class="masthead-temp" value="{celsius}">' in answer.text


def test_the_number_is_the_simulators_weather_at_now(masthead, sim):
    for address, latitude, longitude in [(MUMBAI, 19.1, 72.9), ("198.51.100.1", 40.7, -74.0)]:
        for step in ("0s", "37m", "5h", "13h"):
            masthead.advance(step)
            json = masthead.settled(address)
            now = request(masthead.ops, "/dev/clock?advance=0s", "POST").text.strip()
            expected = sim.synthetic_weather(latitude, longitude, unix(now))
            assert json["temperature"]["celsius"] == pytest.approx(expected["celsius"], abs=0.45), (address, step)


def test_headers_keep_one_readers_city_from_another(masthead):
    masthead.settled(MUMBAI)
    for path in ("/widget", "/widget.json", "/widget.txt"):
        headers = masthead.visit(MUMBAI, path).headers
        assert re.fullmatch(r"private, max-age=(\d+)", headers["Cache-Control"]), headers["Cache-Control"]
        assert headers["Cache-Control"] == "private, max-age=300"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert re.fullmatch(r"masthead; hit; ttl=\d+", headers["Cache-Status"])
        assert "Set-Cookie" not in headers and "ETag" not in headers


def test_caching_never_goes_past_the_refresh(start):
    service = start(settings={"weather.refresh": "100s"})
    service.settled(MUMBAI)
    service.advance("60s")
    age = int(service.visit(MUMBAI).headers["Cache-Control"].removeprefix("private, max-age="))
    assert 25 <= age <= 50, "100 s give or take a tenth, less the 60 s that have passed"


def test_faked_readers_are_not_stored(masthead):
    answer = masthead.get(f"/widget.json?ip={MUMBAI}")
    assert answer.headers["Cache-Control"] == "no-store" and answer.json["place"]["name"] == "Mumbai"


@pytest.mark.parametrize("reader", readers(), ids=address_of)
def test_every_fake_reader_is_answered_alike_by_both_addresses(service, reader):
    four = wait_until(lambda: settled_or_hopeless(service, address_of(reader)), what="an answer")
    six = service.get(f"/widget.json?ip={reader['ipv6']}").json
    assert four["place"] == six["place"] and four["cell"] == six["cell"]
    plausible = is_plausible(reader)
    assert (four["state"] in ("fresh", "stale")) == plausible, four
    if plausible:
        assert four["place"]["name"] and four["temperature"]["value"] is not None
        assert four["place"]["country"] == reader["country"]
        assert "(" not in four["place"]["name"][1:]
    else:
        assert four["state"] == "unknown" and four["place"]["name"] is None and four["text"] == ""
        assert four["place"]["verdict"] == "too-vague"


def is_plausible(reader):
    try:
        latitude, longitude = float(reader["latitude"]), float(reader["longitude"])
    except ValueError:
        return False
    return (reader["city"] not in ("", '""') and abs(latitude) <= 90 and abs(longitude) <= 180 and (latitude, longitude) != (0, 0)
            and float(reader["radius"] or 0) <= 100 and "anycast" not in reader["flags"] and not is_office(reader))


def settled_or_hopeless(service, address):
    json = service.get(f"/widget.json?ip={address}").json
    return json if json["state"] != "place" else None


def test_a_private_reader_gets_an_empty_answer(masthead):
    answer = masthead.get("/widget")
    fragment = Fragment(answer.text)
    assert answer.status == 200 and answer.headers["Cache-Control"] == "private, max-age=60"
    assert fragment.root["data-state"] == "unknown" and fragment.texts.get("masthead-place", "") == ""
    json = masthead.get("/widget.json").json
    assert json["state"] == "unknown" and json["place"]["verdict"] == "private" and json["cell"] is None
    assert masthead.get("/widget.txt").text == "\n"


def test_the_site_has_a_text_for_readers_without_a_city(start):
    text = "Weather & more <b>"
    service = start(settings={"widget.unknown": text})
    for reader in ("203.0.113.241", "10.1.2.3"):
        answer = service.visit(reader, "/widget").text
        assert Fragment(answer).texts["masthead-place"] == text and "<b>" not in answer
        assert service.visit(reader, "/widget.txt").text == "\n"
        assert service.visit(reader, "/widget.json").json["text"] == ""
    assert text not in Fragment(service.visit(MUMBAI, "/widget").text).texts["masthead-place"]


def test_home_is_shown_where_the_place_is_unknown(start):
    service = start(settings={"geoip.home": "Pune, IN, 18.52, 73.86"})
    json = wait_until(lambda: settled_or_hopeless(service, "10.1.2.3"), what="a number")
    assert json["place"]["name"] == "Pune" and json["place"]["source"] == "home"
    assert json["place"]["verdict"] == "private" and json["state"] == "fresh"
    assert 'data-source="home"' in service.visit("10.1.2.3", "/widget").text


def test_a_hostile_name_is_text(service):
    hostile = [reader for reader in readers() if "<" in reader["city"]]
    assert hostile, "the table of readers has one with markup"
    for reader in hostile:
        wait_until(lambda: settled_or_hopeless(service, address_of(reader)), what="an answer")
        source = service.get(f"/widget?ip={reader['ipv4']}").text
        fragment = Fragment(source)
        assert fragment.texts["masthead-place"] == reader["city"]
        assert set(fragment.tags) <= {"span", "data", "small", "a"}
        assert "<" not in service.get(f"/widget.json?ip={reader['ipv4']}").text


def test_units_and_language(service):
    new_york = "198.51.100.1"
    celsius = wait_until(lambda: settled_or_hopeless(service, new_york), what="an answer")["temperature"]["celsius"]
    fahrenheit = service.get(f"/widget.json?ip={new_york}&units=auto").json["temperature"]
    assert fahrenheit["unit"] == "F" and abs(fahrenheit["value"] - (celsius * 9 / 5 + 32)) <= 0.6
    assert service.get(f"/widget.json?ip={MUMBAI}&units=auto").json["temperature"]["unit"] == "C"
    wait_until(lambda: settled_or_hopeless(service, MUMBAI), what="an answer")
    hindi = service.get(f"/widget.json?ip={MUMBAI}&lang=hi-IN").json
    assert hindi["place"]["name"] == "मुंबई" and not hindi["weather"]["text"].isascii()
    assert 'lang="hi"' in service.get(f"/widget?ip={MUMBAI}&lang=hi-Deva-IN").text


@pytest.mark.parametrize("query, said", [
    ("lang=xx", "lang; not known"),
    ("units=k", "units; not c, f or auto"),
    ("units=f&units=c", "units; given twice"),
    ("show=icon,sunset", "show; a word is not icon, condition, feels, range or rain"),
    ("evil=%0d%0aX-Evil:1", "parameter; not known"),
    ("IP=192.0.2.1", "parameter; not known"),
    ("place=42", "place; not known"),
    ("place=Mumbai", "place; not an id"),
    ("cell=19.1,72.9", "cell; not known"),
    ("at=23:30", "at; not an instant such as 2026-01-31T09:30:00Z"),
    ("lang=%00", "lang; not known"),
    ("ip=192.0.2.999", "ip; not an address"),
])
def test_what_does_not_count_is_named_in_our_words(service, query, said):
    answer = service.get(f"/widget.json?{query}")
    assert answer.status == 200 and answer.headers["X-Masthead-Ignored"] == said
    assert "X-Evil" not in answer.headers


@pytest.mark.parametrize("show, shown", [
    ("", []),
    ("icon", ["icon"]),
    ("condition", ["condition"]),
    ("rain,range,feels", ["feels", "range"]),
    ("icon,condition", ["condition", "icon"]),
    ("%20condition%20,%20icon", ["condition", "icon"]),
    ("icon,junk", ["icon"]),
    ("condition%20icon%20icons", ["condition", "icon"]),
    ("junk,range", ["range"]),
    ("ran,ranges,,", []),
])
def test_each_word_of_what_to_show_counts_by_itself(service, show, shown):
    answer = service.get(f"/widget?scenario=mumbai&show={show}")  # where no rain is likely
    assert sorted(set(re.findall("masthead-(icon|condition|feels|range|rain)", answer.text))) == shown
    known = {"", "icon", "condition", "feels", "range", "rain"} >= set(re.split("%20|,", show))
    assert answer.headers["X-Masthead-Ignored"] == (None if known else "show; a word is not icon, condition, feels, range or rain")


def test_stale_says_its_age(start, sim):
    service = start(settings={"weather.refresh": "10m", "weather.timeout": "1s"})
    service.settled(MUMBAI)
    sim.fault("500")
    service.advance("20m")
    stale = wait_until(lambda: (a := service.visit(MUMBAI).json)["state"] == "stale" and a, what="stale")
    assert 1200 <= stale["age_s"] <= 1230 and stale["temperature"]["value"] is not None
    answer = service.visit(MUMBAI, "/widget")
    assert 'data-state="stale"' in answer.text and re.search(r'data-age="12\d\d"', answer.text)
    assert answer.headers["Cache-Control"] == "private, max-age=60"
    assert answer.headers["Cache-Status"].startswith("masthead; fwd=stale")


def test_cross_origin_reading_is_for_listed_origins(start):
    service = start(settings={"widget.origins": "https://news.example", "dev.enabled": "no", "dev.simulated": "no"})
    listed = service.get("/widget.json", headers={"Origin": "https://news.example"}).headers
    other = service.get("/widget.json", headers={"Origin": "https://evil.example"}).headers
    assert listed["Access-Control-Allow-Origin"] == "https://news.example" and listed["Vary"] == "Origin"
    assert "Access-Control-Allow-Origin" not in other and other["Vary"] == "Origin"
    assert service.get("/widget.json", method="OPTIONS", headers={"Origin": "https://news.example"}).status == 204


def test_without_origins_there_is_no_cross_origin_reading(start):
    service = start(settings={"dev.enabled": "no", "dev.simulated": "no"})
    headers = service.get("/widget.json", headers={"Origin": "http://localhost:3000"}).headers
    assert "Access-Control-Allow-Origin" not in headers
    assert service.get("/widget.json", method="OPTIONS").status == 405


def test_loader_and_style_are_public_and_hashed_names_last(masthead):
    for path in ("/masthead.js", "/masthead.css"):
        answer = masthead.get(path)
        assert answer.status == 200 and answer.headers["Cache-Control"] == "public, max-age=3600"
        hashed = masthead.get(answer.headers["Content-Location"])
        assert hashed.headers["Cache-Control"] == "public, max-age=31536000, immutable" and hashed.body == answer.body


def test_a_page_that_a_cache_kept_over_an_upgrade_gets_the_present_file(masthead):
    for stem, ending in (("masthead", "js"), ("masthead.choice", "js"), ("masthead", "css"), ("masthead.icons", "svg")):
        present = masthead.get(f"/{stem}.{ending}")
        older = masthead.get(f"/{stem}.0123456789abcdef.{ending}")
        assert (older.status, older.body) == (200, present.body) and older.headers["Cache-Control"] == "public, max-age=300"
        assert older.headers["Content-Location"] == present.headers["Content-Location"]
    for hash in ("0123456789abcde", "0123456789abcdef0", "0123456789ABCDEF", "0123456789abcdeg", "", "min", "0123456789abcdef.js"):
        assert masthead.get(f"/masthead.{hash}.js").status == 404, hash
    assert masthead.get("/status.0123456789abcdef.css").status == 404


@pytest.mark.parametrize("path", ["/masthead.js", "/masthead.css", "/masthead.dialog.css", "/masthead.choice.js", "/masthead.hours.js",
                                  "/masthead.split.js", "/masthead.icons.svg"])
def test_what_a_page_loads_is_compressed_for_who_takes_it_so(masthead, path):
    plain = masthead.get(path)
    small = masthead.get(path, headers={"Accept-Encoding": "gzip, deflate, br"})
    assert gzip.decompress(small.body) == plain.body and len(small.body) < 0.7 * len(plain.body)
    assert (small.headers["Content-Encoding"], plain.headers["Content-Encoding"]) == ("gzip", None)
    for answer in (plain, small):
        assert [name.strip() for name in answer.headers["Vary"].split(",")] == ["Accept-Encoding", "Origin"]
        assert answer.headers["X-Masthead-Integrity"] == plain.headers["X-Masthead-Integrity"]
    tags = [answer.headers["ETag"] for answer in (plain, small)]
    assert tags[0] != tags[1] and all(re.fullmatch('"[0-9a-f]{16}(-gzip)?"', tag) for tag in tags)
    for i, accepted in enumerate(("identity", "gzip")):
        for held in (tags[i], f'"other", W/{tags[i]}'):
            again = masthead.get(path, headers={"Accept-Encoding": accepted, "If-None-Match": held})
            assert (again.status, again.body, again.headers["Content-Length"]) == (304, b"", None)
            assert again.headers["ETag"] == tags[i] and "Accept-Encoding" in again.headers["Vary"]
        other = masthead.get(path, headers={"Accept-Encoding": accepted, "If-None-Match": tags[1 - i]})
        assert other.status == 200 and other.body, "another representation is another state"


def test_a_client_says_which_codings_it_takes(masthead):
    for accepted in ("gzip", "GZIP", "br;q=1, gzip;q=0.2", "*", "gzip ; Q=0.001", "identity;q=0.5,*;q=0.1", "*;q=0, gzip", ",,gzip,"):
        assert masthead.get("/masthead.js", headers={"Accept-Encoding": accepted}).headers["Content-Encoding"] == "gzip", accepted
    for accepted in ("identity", "", "br", "gzip;q=0", "gzip; q=0.000", "gzip;q=0, *", "*;q=0", "gzipped", "gz", "x;gzip", "gzip;q=0 "):
        answer = masthead.get("/masthead.js", headers={"Accept-Encoding": accepted})
        assert answer.status == 200 and answer.headers["Content-Encoding"] is None, accepted


def test_developer_pages_are_for_developer_mode_and_known_hosts(start):
    developer, public = start(), start(settings={"dev.enabled": "no", "dev.simulated": "no"})
    assert developer.get("/").status == 200 and public.get("/").status == 404
    assert developer.get("/dev/visitors.tsv").status == 200 and public.get("/dev/visitors.tsv").status == 404
    assert developer.get("/", headers={"Host": "evil.example"}).status == 403
    assert developer.get("/widget", headers={"Host": "evil.example"}).status == 200
    assert request(public.ops, "/dev/clock?advance=1h", "POST").status == 404
    assert request(developer.ops, "/dev/clock?advance=1h", "POST", {"Host": "evil.example"}).status == 403
    faked = developer.get(f"/widget.json?ip={MUMBAI}", headers={"Host": "evil.example"})
    assert faked.headers["X-Masthead-Ignored"] == "ip; host not in server.hosts"


@pytest.mark.parametrize("credits", ["inline", "page", "no"])
def test_where_the_site_shows_the_credits_itself_no_answer_does(start, credits):
    service = start(settings={"widget.credits": credits})
    answers = [service.settled(MUMBAI), service.visit(MUMBAI, "/where.json").json, service.get("/weather.json?cell=19.1,72.9").json]
    assert answers[2]["state"] == "fresh"
    owed = [[credit["text"] for credit in answer["credits"]] for answer in answers]
    weather, place = ["Weather data by Open-Meteo.com"], owed[1]
    assert owed == ([[], [], []] if credits == "no" else [weather + place, place, weather])


def test_real_addresses_with_the_downloaded_database(start, city_databases):
    service = start(settings={"geoip.databases": city_databases})
    json = service.settled("103.21.58.66")
    assert json["place"]["name"] == "Mumbai" and json["place"]["country"] == "IN"
    assert json["temperature"]["value"] is not None
    assert {"text": "IP Geolocation by DB-IP", "url": "https://db-ip.com"} in json["credits"]
    six = service.settled("2001:630:212::1")
    assert six["place"]["verdict"] == "city" and six["place"]["country"] == "GB" and six["place"]["confidence"] == "claimed"
    jio = service.visit("2405:200:1::1").json  # whose readers the database puts into the head office
    assert jio["state"] == "unknown" and jio["place"]["reason"] == "office" and jio["place"]["country"] == "IN"
    assert CITY_V4.name in str(service.metrics())
