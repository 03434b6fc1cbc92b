"""Goal of these tests: a city is shown only on evidence. Every source is asked; those that agree confirm each other, those that
contradict each other show nothing; whoever asks is told who said what, and operators how many readers are how sure of theirs."""
import json
import signal

import pytest

from harness import ROOT, VISITORS, command, request, wait_until
from small_databases import LONAVALA, LONDON, MUMBAI, PUNE, THANE, asn, flat, nested, write_database

READER, NETWORK = "11.0.0.1", "11.0.0.0/24"
MUMBAI_ID = 1275339
EDGE_NAMES = ("X-City", "X-Country", "X-Latitude", "X-Longitude")
JIO = 55836  # of data/carriers.tsv
NOT_LISTED = 64500


def lookup(tmp_path, databases, address=READER, **settings):
    """What the command says of an address, by databases given as paths."""
    values = {"server.state": tmp_path / "state", "geoip.databases": ",".join(map(str, databases)), **settings}
    done = command("lookup", *[word for name, value in values.items() for word in ("--set", f"{name}={value}")], address)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def database(tmp_path):
    """Writes a database: database(name, rows, kind) -> its path."""
    return lambda name, rows, *kind: write_database(tmp_path / f"{name}.mmdb", rows, *kind)


def verdict(row):
    return row["verdict"], row["reason_code"], row["confidence"], row["name"]


CONFIRMED, CLAIMED = ("city", None, "confirmed", "Mumbai"), ("city", None, "claimed", "Mumbai")
CONFLICT, UNCONFIRMED = ("too-vague", "conflict", None, None), ("too-vague", "unconfirmed", None, None)
BLANK = nested("", "IN", 22, 79)
COUNTRY = {"country_code": "IN"}
FIRST, STRICT = {"geoip.conflict": "first"}, {"geoip.believe": "confirmed"}
OTHER_NETWORKS = {"12.0.0.0/24": nested(*LONDON)}  # a database that has no record of the reader


# What each database of a list has for the reader, and what is believed: whose record decides, and of how many that have one.
COMBINATIONS = [
    ([flat(*MUMBAI)], {}, CLAIMED, 0, 1),
    ([flat(*MUMBAI), None], {}, CLAIMED, 0, 1),
    ([None, flat(*MUMBAI)], {}, CLAIMED, 0, 1),
    ([flat(*MUMBAI), nested(*THANE)], {}, CONFIRMED, 0, 2),
    ([flat(*MUMBAI), nested(*LONAVALA)], {}, CLAIMED, 0, 2),
    ([flat(*MUMBAI), nested(*PUNE)], {}, CONFLICT, 0, 2),
    ([flat(*MUMBAI), nested(*LONAVALA)], {"geoip.max_radius": "60 km"}, CONFLICT, 0, 2),
    ([flat(*MUMBAI), nested(*PUNE)], {"geoip.max_radius": "130 km"}, CLAIMED, 0, 2),
    ([flat(*MUMBAI), nested(*THANE)], {"geoip.max_radius": "1 km"}, CONFIRMED, 0, 2),
    ([flat(*MUMBAI), BLANK], {}, CLAIMED, 0, 2),
    ([BLANK, flat(*MUMBAI)], {}, CLAIMED, 1, 2),
    ([COUNTRY, flat(*MUMBAI)], {}, CLAIMED, 1, 2),
    ([COUNTRY, BLANK, flat(*MUMBAI), nested(*THANE)], {}, CONFIRMED, 2, 4),
    ([flat(*MUMBAI), nested(*PUNE)], FIRST, CLAIMED, 0, 2),
    ([flat(*MUMBAI), nested(*PUNE)], {**FIRST, **STRICT}, UNCONFIRMED, 0, 2),
    ([flat(*MUMBAI)], STRICT, UNCONFIRMED, 0, 1),
    ([flat(*MUMBAI), nested(*LONAVALA)], STRICT, UNCONFIRMED, 0, 2),
    ([flat(*MUMBAI), nested(*THANE)], STRICT, CONFIRMED, 0, 2),
    ([nested(*MUMBAI, radius_km=20)], STRICT, CONFIRMED, 0, 1),
    ([flat(*LONDON), nested(*MUMBAI, radius_km=20)], {}, CONFIRMED, 1, 2),
    ([flat(*MUMBAI), nested(*LONDON, radius_km=500)], {}, CLAIMED, 0, 2),
    ([nested(*MUMBAI, radius_km=500)], {}, ("too-vague", "radius", None, None), 0, 1),
    ([BLANK, nested(*MUMBAI, radius_km=500)], {}, ("too-vague", "radius", None, None), 1, 2),
    ([BLANK, COUNTRY], {}, ("too-vague", "no-city", None, None), 0, 2),
    ([flat(*MUMBAI, is_anycast=1), BLANK], {}, ("too-vague", "anycast", None, None), 0, 2),
]


@pytest.fixture(scope="module")
def combined(tmp_path_factory):
    """Databases that hold each combination in a network of its own, 11.0.2N.0/24, so that equal neighbours are not made one."""
    folder = tmp_path_factory.mktemp("combined")
    columns = zip(*[(records + [None] * 4)[:4] for records, *_ in COMBINATIONS])
    return [write_database(folder / f"of{i}.mmdb", {f"11.0.{2 * n}.0/24": record for n, record in enumerate(column) if record})
            for i, column in enumerate(columns)]


@pytest.mark.parametrize("n", range(len(COMBINATIONS)))
def test_what_databases_say_together(combined, tmp_path, n):
    records, settings, expected, decides, count = COMBINATIONS[n]
    paths = combined[:len(records)]
    row = lookup(tmp_path, paths, f"11.0.{2 * n}.1", **settings)
    assert verdict(row) == expected, row
    said = [(path, record) for path, record in zip(paths, records) if record]
    assert [witness["database"] for witness in row["witnesses"]] == [str(path) for path, _ in said] and len(said) == count
    assert row["database"] == str(said[decides][0]) and row["record"] == row["witnesses"][decides]["record"]
    assert row["matched"] == f"11.0.{2 * n}.0/24" and row["reason"] and row["country"] == "IN"


def test_nobody_but_a_missing_database(database, tmp_path):
    one = database("one", OTHER_NETWORKS)
    assert lookup(tmp_path, [one])["verdict"] == "not-found"
    absent = lookup(tmp_path, [one, tmp_path / "absent.mmdb"])
    assert absent["verdict"] == "no-database" and absent["witnesses"] == [] and absent["reason_code"] is None
    city = database("city", {NETWORK: flat(*MUMBAI)})
    assert verdict(lookup(tmp_path, [tmp_path / "absent.mmdb", city])) == CLAIMED


@pytest.mark.parametrize("network, address, office", [
    ("11.0.0.0/12", "11.0.0.1", True), ("11.0.0.0/14", "11.1.2.3", True), ("11.0.0.0/16", "11.0.0.1", False),
    ("2400::/28", "2400::1", True), ("2400::/30", "2400::1", True), ("2400::/32", "2400::1", False),
])
def test_an_office_is_not_where_readers_are(database, tmp_path, network, address, office):
    """The same record of a smaller network is a city. An office says nothing against another, and confirms none."""
    first = database("first", {network: flat(*MUMBAI)})
    row = lookup(tmp_path, [first], address)
    assert verdict(row) == (("too-vague", "office", None, None) if office else CLAIMED)
    assert row["record"]["city"] == "Mumbai" and row["witnesses"][0]["reason_code"] == ("office" if office else None)
    assert ("office" in row["reason"]) == office
    for other in (LONDON, MUMBAI):
        second = database("second", {address + ("/24" if "." in address else "/64"): nested(*other)})
        both = verdict(lookup(tmp_path, [first, second], address))
        assert not office or both == ("city", None, "claimed", other[0])


def test_a_network_of_all_ipv4_is_an_office(database, tmp_path):
    """Its record is no city of anybody's, and the network is told in the reader's family. (One that names a country fails by the
    well-known networks.)"""
    row = lookup(tmp_path, [database("all", {"::/8": {"city": "Mumbai", "latitude": 19.076, "longitude": 72.8777}})])
    assert verdict(row) == ("too-vague", "office", None, None) and row["matched"] == "0.0.0.0/0"


def test_the_same_database_under_two_names_is_one_witness(database, tmp_path):
    one = database("one", {NETWORK: flat(*MUMBAI)})
    two = tmp_path / "two.mmdb"
    two.write_bytes(one.read_bytes())
    row = lookup(tmp_path, [one, two], **STRICT)
    assert verdict(row) == UNCONFIRMED and len(row["witnesses"]) == 1


def test_a_second_database_of_another_countrys_edition(database, tmp_path):
    """A database of German networks says nothing of an Indian reader, and where it has a record it is a witness like any other."""
    india = database("india", {NETWORK: flat(*MUMBAI), "12.0.0.0/24": flat(*LONDON)})
    germany = database("germany", {"12.0.0.0/24": nested("Berlin", "DE", 52.52, 13.405)})
    assert verdict(lookup(tmp_path, [india, germany])) == CLAIMED
    row = lookup(tmp_path, [india, germany], "12.0.0.1")
    assert verdict(row) == CONFLICT and row["country"] == "GB"


# --- Autonomous systems ---

SHAPES = [  # of the record of a number, and the number
    (asn(JIO), JIO), ({"asn": f"AS{JIO}", "country": "India", "country_code": "IN"}, JIO), ({"asn": str(JIO)}, JIO),
    (asn(NOT_LISTED), NOT_LISTED), ({"asn": f"AS{NOT_LISTED}"}, NOT_LISTED), ({"asn": "AS"}, None), ({"asn": "AS99999999999"}, None),
    ({"asn": "ASx"}, None), ({"asn": ""}, None), (asn(0), None), ({"autonomous_system_number": {"a": "b"}}, None),
]


@pytest.fixture(scope="module")
def numbered(tmp_path_factory):
    """A database of numbers in every shape, 11.0.N.0/24, and three of cities for all of them: a claim, one near by, a radius."""
    folder = tmp_path_factory.mktemp("numbered")
    numbers = write_database(folder / "asn.mmdb", {f"11.0.{n}.0/24": record for n, (record, _) in enumerate(SHAPES)}, "GeoLite2-ASN")
    return numbers, *[write_database(folder / f"{i}.mmdb", {"11.0.0.0/16": record})
                      for i, record in enumerate([flat(*MUMBAI), nested(*THANE), nested(*MUMBAI, radius_km=10)])]


@pytest.mark.parametrize("n", range(len(SHAPES)))
def test_a_carriers_city_is_believed_only_if_confirmed(numbered, tmp_path, n):
    numbers, one, near, radius = numbered
    asked = {"address": f"11.0.{n}.1", "geoip.asn": numbers}
    row = lookup(tmp_path, [one], **asked)
    assert row["asn"] == SHAPES[n][1]
    assert verdict(row) == (("too-vague", "listed", None, None) if row["asn"] == JIO else CLAIMED)
    assert [witness["database"] for witness in row["witnesses"]] == [str(one)]
    assert verdict(lookup(tmp_path, [one, near], **asked)) == CONFIRMED
    assert verdict(lookup(tmp_path, [radius], **asked)) == CONFIRMED


def test_numbers_of_ones_own_beside_the_carriers(database, tmp_path):
    one = database("one", {NETWORK: flat(*MUMBAI), "12.0.0.0/24": flat(*MUMBAI), "13.0.0.0/24": flat(*MUMBAI)})
    numbers = database("asn", {NETWORK: asn(NOT_LISTED), "12.0.0.0/24": asn(JIO), "13.0.0.0/24": asn(4294967295)}, "DBIP-ASN-Lite")
    settings = {"geoip.asn": numbers, "geoip.vague_asn": f"AS{NOT_LISTED}, 4294967295"}
    for address in ("11.0.0.1", "12.0.0.1", "13.0.0.1"):
        assert lookup(tmp_path, [one], address, **settings)["reason_code"] == "listed"
    for wrong in ("0", "AS", "x", "-1", "1.5", "4294967296", "AS55836 AS1"):
        done = command("--check-config", "--set", f"geoip.vague_asn={wrong}", "--set", f"geoip.databases={one}")
        assert done.returncode == 2 and "vague_asn" in done.stderr, wrong


def test_every_carrier_of_the_table_is_listed(database, tmp_path):
    table = [line.split("\t") for line in (ROOT / "data" / "carriers.tsv").read_text("utf-8").splitlines() if line[0] != "#"]
    networks = {f"11.{i}.0.0/24": int(row[0]) for i, row in enumerate(table)}
    one = database("one", {network: flat(*MUMBAI) for network in networks})
    numbers = database("asn", {network: asn(number) for network, number in networks.items()}, "GeoLite2-ASN")
    done = command("lookup", "--set", f"server.state={tmp_path}", "--set", f"geoip.databases={one}", "--set", f"geoip.asn={numbers}",
                   *[f"11.{i}.0.1" for i in range(len(table))])
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["asn"] for row in rows] == list(networks.values()) and len(rows) > 30
    assert {row["reason_code"] for row in rows} == {"listed"}


# --- What a trusted proxy says ---

@pytest.mark.parametrize("edge, records, settings, expected", [
    (MUMBAI, [], {}, CLAIMED),
    (MUMBAI, [flat(*LONDON)], {}, CLAIMED),
    (MUMBAI, [flat(*THANE)], {}, CONFIRMED),
    (MUMBAI, [nested(*LONDON, radius_km=20)], {}, CONFLICT),
    (MUMBAI, [nested(*LONDON, radius_km=20)], FIRST, CLAIMED),
    (MUMBAI, [nested(*THANE, radius_km=20)], {}, CONFIRMED),
    (MUMBAI, [flat(*LONDON), nested(*LONDON)], {}, CLAIMED),
    (MUMBAI, [], STRICT, UNCONFIRMED),
    (("", "IN", "", ""), [flat(*MUMBAI)], {}, CLAIMED),
    (("Mumbai", "IN", "nan", "72.9"), [flat(*MUMBAI)], {}, CLAIMED),
])
def test_headers_are_evidence_of_their_own(start, database, edge, records, settings, expected):
    paths = [database(f"of{i}", {NETWORK: record}) for i, record in enumerate(records)] or [VISITORS]
    service = start(settings={"geoip.headers": ", ".join(EDGE_NAMES), "geoip.databases": ",".join(map(str, paths)), **settings})
    headers = {**dict(zip(EDGE_NAMES, map(str, edge))), "X-Forwarded-For": READER}
    place = service.get("/widget.json", headers=headers).json["place"]
    assert (place["verdict"], place["reason"], place["confidence"], place["name"]) == expected
    told = request(service.ops, "/explain", headers=headers).json
    assert verdict(told) == expected and told["witnesses"][0]["database"] == "headers"
    assert len(told["witnesses"]) == 1 + len(records)


# --- Hostile witnesses ---

def test_hostile_second_witnesses(shapes, database, tmp_path):
    """Whatever the second one holds, the first stands or nothing does, and what is told is clean JSON."""
    networks = {f"13.0.{i}.0/24": flat(*MUMBAI) for i in range(52)}
    first = database("first", networks)
    for order in ([first, shapes / "hostile.mmdb"], [shapes / "hostile.mmdb", first]):
        done = command("lookup", "--set", f"server.state={tmp_path}", "--set", f"geoip.databases={order[0]},{order[1]}",
                       *[f"13.0.{i}.1" for i in range(52)])
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        assert done.returncode == 0 and len(rows) == 52
        for i, row in enumerate(rows):
            assert row["verdict"] == "city" and row["latitude"] == pytest.approx(19.076, abs=0.001), (i, row)
            assert not any(ord(letter) < 32 for witness in row["witnesses"] for letter in witness["record"]["city"] or "")
            radius = [witness["record"]["radius_km"] for witness in row["witnesses"]]
            assert all(each is None or each >= 0 for each in radius)


# --- Told to readers, pages and operators ---

EVERY_KIND = {"11.0.0.1": (None, "confirmed"), "11.0.1.1": (None, "claimed"), "11.0.2.1": ("conflict", None),
              "11.0.3.1": ("no-city", None), "11.0.4.1": ("listed", None), "20.0.0.1": ("office", None)}


@pytest.fixture(scope="module")
def every_kind(tmp_path_factory):
    """Settings: two databases and one of numbers, with readers of every kind."""
    folder = tmp_path_factory.mktemp("every_kind")
    first = write_database(folder / "dbip-city.mmdb", {
        "11.0.0.0/24": flat(*MUMBAI), "11.0.1.0/24": flat(*MUMBAI), "11.0.2.0/24": flat(*MUMBAI), "11.0.3.0/24": flat("", "IN", 22, 79),
        "11.0.4.0/24": flat(*MUMBAI), "20.0.0.0/12": flat(*LONDON)})
    second = write_database(folder / "geolite2-city.mmdb", {"11.0.0.0/24": nested(*THANE), "11.0.2.0/24": nested(*LONDON)}, "GeoLite2-City")
    numbers = write_database(folder / "asn.mmdb", {"11.0.4.0/24": asn(JIO)}, "GeoLite2-ASN")
    return {"geoip.databases": f"{first},{second}", "geoip.asn": str(numbers)}


def test_readers_pages_and_the_curious_are_told_the_same(start, every_kind, tmp_path):
    service = start(settings=every_kind)
    looked_up = command("lookup", "--set", f"server.state={tmp_path}", *[
        word for name, value in every_kind.items() for word in ("--set", f"{name}={value}")], *EVERY_KIND)
    for row, (address, (reason, confidence)) in zip(looked_up.stdout.splitlines(), EVERY_KIND.items(), strict=True):
        answer = service.visit(address).json["place"]
        assert (answer["reason"], answer["confidence"]) == (reason, confidence) and answer["verdict"] == ("too-vague" if reason else "city")
        fragment = service.visit(address, "/widget").text
        assert (f'data-confidence="{confidence}"' in fragment) == (confidence is not None)
        assert ("data-confidence" in fragment) == (confidence is not None)
        told = request(service.ops, f"/explain?ip={address}").json
        assert (told["reason_code"], told["confidence"]) == (reason, confidence) and len(told["reason"]) > 20
        assert all(set(witness) == {"database", "reason_code", "record"} for witness in told["witnesses"])
        assert json.loads(row) == {key: value for key, value in told.items() if key not in ("client", "weather", "earth", "upstreams")}


def test_every_witness_is_credited(start, every_kind):
    service = start(settings=every_kind)
    said = {address: {credit["text"] for credit in service.visit(address).json["credits"]} for address in EVERY_KIND}
    dbip, maxmind = "IP Geolocation by DB-IP", "GeoLite2 data by MaxMind"
    assert {dbip, maxmind} <= said["11.0.0.1"]
    assert dbip in said["11.0.1.1"] and maxmind not in said["11.0.1.1"]
    assert said["11.0.2.1"] == set(), "nothing is shown of either"


def test_operators_see_shares_and_withheld_cities_are_no_failure(start, every_kind):
    service = start(settings=every_kind)
    visits = {"11.0.0.1": 3, "11.0.1.1": 2, "11.0.2.1": 5, "11.0.3.1": 7, "11.0.4.1": 11, "20.0.0.1": 22}
    for address, times in visits.items():
        for _ in range(times):
            service.visit(address)
    for _ in range(4):
        service.get(f"/widget.json?place={MUMBAI_ID}")
    metrics = service.metrics()
    for address, (reason, confidence) in EVERY_KIND.items():
        assert metrics[f'masthead_places_total{{confidence="{confidence or "none"}",reason="{reason or "none"}"}}'] == visits[address]
    wait_until(lambda: service.metrics()["masthead_upstream_inflight"] == 0, what="the fetches")
    report = request(service.ops, "/status.json").json
    rows = {row["place"]: row for row in report["places"]}
    assert {name: row["last_hour"] for name, row in rows.items() if row["last_hour"]} == {
        "confirmed": 3, "claimed": 2, "conflict": 5, "no_city": 7, "listed": 11, "office": 22, "own_choice": 4}
    assert rows["office"]["last_hour_share"] == pytest.approx(22 / 54, abs=0.005)
    assert sum(row["last_day_share"] for row in report["places"]) == pytest.approx(1, abs=0.03)
    assert report["level"] == "well", report["verdict"]
    notes = [finding for finding in report["findings"] if "invited" in (finding["next"] or "")]
    assert [note["level"] for note in notes] == ["note"] and "90\u00a0%" in notes[0]["fact"] and "office" in notes[0]["cause"]
    page = request(service.ops, "/status").text
    assert "the operator&#39;s office" in page or "the operator's office" in page


def test_what_is_believed_changes_with_a_reload(start, every_kind, tmp_path):
    file = tmp_path / "widget.conf"

    def place(address, **keys):
        file.write_text("[geoip]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items()))
        replaced = sum("msg=reloaded" in line for line in service.lines)
        service.signal(signal.SIGHUP)
        wait_until(lambda: sum("msg=reloaded" in line for line in service.lines) > replaced, what="the reload")
        told = service.visit(address).json["place"]
        return told["name"], told["reason"], told["confidence"]

    file.write_text("")
    service = start(settings=every_kind, config=file)
    assert place("11.0.2.1") == (None, "conflict", None)
    assert place("11.0.2.1", conflict="first") == ("Mumbai", None, "claimed")
    assert place("11.0.2.1", conflict="first", believe="confirmed") == (None, "unconfirmed", None)
    assert place("11.0.1.1", believe="confirmed") == (None, "unconfirmed", None)
    assert place("11.0.1.1", vague_asn="AS1") == ("Mumbai", None, "claimed")
    assert place("11.0.0.1", believe="confirmed") == ("Mumbai", None, "confirmed")


def test_a_reader_s_choice_is_confirmed(service):
    place = service.get(f"/widget.json?place={MUMBAI_ID}").json["place"]
    assert (place["reason"], place["confidence"], place["source"]) == (None, "confirmed", "reader")
    assert 'data-confidence="confirmed"' in service.get(f"/widget?place={MUMBAI_ID}").text


def test_home_is_shown_without_confidence_and_with_the_reason(start, database):
    path = database("one", {"20.0.0.0/12": flat(*LONDON)})
    service = start(settings={"geoip.databases": str(path), "geoip.home": "Pune, IN, 18.52, 73.86"})
    place = service.visit("20.0.0.1").json["place"]
    assert (place["source"], place["name"], place["reason"], place["confidence"]) == ("home", "Pune", "office", None)
    assert "data-confidence" not in service.visit("20.0.0.1", "/widget").text
