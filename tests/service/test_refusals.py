"""Goal of these tests: a database that answers less than the one that serves does not replace it. Readers keep their city, and the log,
the status page and a metric say why, with both figures and the type of the file; what answers about as much is taken. What a
walk through a database finds is kept, so that the next start does not walk again."""
import functools
import json
import shutil
import signal
import struct

import pytest

from harness import SANITIZED, Masthead, command, request, wait_until
from small_databases import LONDON, MUMBAI, PUNE, asn, flat, nested, write_database, write_endless

READER = "20.0.0.1"
CITIES = 32
RELOAD_OK = 'masthead_geoip_last_reload_successful{database="city.mmdb"}'


def networks(count, first=20):
    """So many networks of 65,536 addresses, in blocks of their own."""
    return [f"{first + i}.0.0.0/16" for i in range(count)]


def cities(count, more=None):
    return {**{network: flat(*MUMBAI) for network in networks(count)}, **(more or {})}


def damaged(path, change):
    content = path.read_bytes()
    changed = change(content)
    assert changed != content
    path.write_bytes(changed)
    return path


def double(number):
    """A double with its control byte, as in a database."""
    return b"\x68" + struct.pack(">d", number)


def broken_double(content):
    """A double of four bytes, as in MaxMind's file of bad data."""
    return content.replace(double(MUMBAI[2]), b"\x64" + double(MUMBAI[2])[1:])


def broken_pointer(content):
    """A pointer past the end in place of a number."""
    return content.replace(double(MUMBAI[2]), b"\x38\x7f\xff\xff\xff" + double(MUMBAI[2])[5:])


def broken_tree(content):
    """The second node's records lead out of the file."""
    return content[:6] + b"\xff\xff\xfe" * 2 + content[12:]


def looping_tree(content):
    """The second node's records lead to the first."""
    return content[:6] + b"\0" * 6 + content[12:]


# What comes in the place of a good database, by name: how it is written, and what is said of it.
CANDIDATES = {
    "an ASN database": (lambda path: write_database(path, {n: asn(55836) for n in networks(CITIES)}, "GeoLite2-ASN"),
                        ["a city for 0 % of IPv4 addresses", "the present one for 0.0488 %", "its type is GeoLite2-ASN"]),
    "a country database": (lambda path: write_database(path, {n: {"country_code": "IN"} for n in networks(CITIES)}, "DBIP-Country-Lite"),
                           ["a city for 0 %", "its type is DBIP-Country-Lite"]),
    "cities without coordinates": (lambda path: write_database(path, {n: {"city": "Mumbai"} for n in networks(CITIES)}), ["a city for 0 %"]),
    "less than half": (lambda path: write_database(path, cities(CITIES // 2 - 1)),
                       ["a city for 0.0229 %", "the present one for 0.0488 %", "its type is DBIP-City-Lite"]),
    "one family of two": (lambda path: write_database(path, {"2400::/32": flat(*MUMBAI)}), ["a city for 0 % of IPv4 addresses"]),
    "a double of four bytes": (lambda path: damaged(write_database(path, cities(CITIES)), broken_double),
                               ["a record cannot be decoded", "its type is DBIP-City-Lite"]),
    "a pointer past the end": (lambda path: damaged(write_database(path, cities(CITIES)), broken_pointer), ["a record cannot be decoded"]),
    "a tree that leads out of the file": (lambda path: damaged(write_database(path, cities(CITIES)), broken_tree),
                                          ["its search tree is damaged", "its type is DBIP-City-Lite"]),
    "a tree that leads back": (lambda path: damaged(write_database(path, cities(CITIES)), looping_tree), ["its search tree is damaged"]),
    "a hostile type": (lambda path: write_database(path, {n: asn(1) for n in networks(CITIES)}, "a\"b\\<xmp>\x1b[31m\n" + "x" * 200),
                       ["a city for 0 %"]),
}


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A database of 32 networks with a city: 0.0488 % of all addresses."""
    return write_database(tmp_path_factory.mktemp("good") / "good.mmdb", cities(CITIES))


@pytest.fixture(scope="module")
def served(tmp_path_factory, simulator, good):
    """A service that looks at its database every second, and the database's path."""
    folder = tmp_path_factory.mktemp("served")
    shutil.copy(good, folder / "city.mmdb")
    simulator.reset()
    service = Masthead(folder / "state", simulator, settings={"geoip.databases": str(folder / "city.mmdb"), "geoip.watch": "1s"})
    yield service, folder / "city.mmdb"
    assert service.stop() == 0, service.log()


@pytest.fixture(scope="module")
def candidate(tmp_path_factory):
    """The path of a candidate by its name; each is written once."""
    folder = tmp_path_factory.mktemp("candidates")
    return functools.cache(lambda name: CANDIDATES[name][0](folder / f"{list(CANDIDATES).index(name)}.mmdb"))


def put(path, source):
    """Puts a copy in the place of a file, at once."""
    shutil.copy(source, path.with_suffix(".new"))
    path.with_suffix(".new").rename(path)


def database_row(service):
    return request(service.ops, "/status.json").json["databases"][0]


@pytest.mark.parametrize("by", ["watch", "SIGHUP"])
@pytest.mark.parametrize("name", CANDIDATES)
def test_what_answers_less_does_not_replace(served, good, candidate, name, by):
    service, path = served
    said = CANDIDATES[name][1]
    put(path, good)
    service.signal(signal.SIGHUP)
    wait_until(lambda: service.metrics()[RELOAD_OK] == 1, what="the good one")
    seen = len(service.lines)
    put(path, candidate(name))
    if by == "SIGHUP":
        service.signal(signal.SIGHUP)
    wait_until(lambda: service.metrics()[RELOAD_OK] == 0, what="the refusal")
    wait_until(lambda: any("not replaced" in line for line in service.lines[seen:]), what="the line")
    refusal = next(line for line in service.lines[seen:] if "database not loaded" in line)
    row = database_row(service)
    for words in said:
        assert words in refusal and words in row["refusal"], (words, refusal, row)
    assert row["loaded"] and not row["reload_ok"] and row["type"] == "DBIP-City-Lite"
    status = request(service.ops, "/status.json").json
    assert status["verdict"] == "A city database was not replaced" and row["refusal"][:60] in status["cause"]
    place = service.visit(READER).json["place"]
    assert (place["name"], place["confidence"]) == ("Mumbai", "claimed") and service.ready()
    assert "\x1b" not in refusal and "<xmp>" not in request(service.ops, "/status").text


@pytest.mark.parametrize("write", [
    lambda path: write_database(path, cities(CITIES // 2)),
    lambda path: write_database(path, {network: nested(*MUMBAI, radius_km=20) for network in networks(CITIES)}, "GeoLite2-City"),
    lambda path: write_database(path, cities(CITIES, {"2400::/32": flat(*PUNE)})),
], ids=["half of it", "another vendor's", "more of it"])
def test_what_answers_about_as_much_is_taken(served, good, tmp_path, write):
    service, path = served
    put(path, good)
    service.signal(signal.SIGHUP)
    wait_until(lambda: service.metrics()[RELOAD_OK] == 1, what="the good one")
    replaced = sum("databases replaced" in line for line in service.lines)
    put(path, write(tmp_path / "candidate.mmdb"))
    wait_until(lambda: sum("databases replaced" in line for line in service.lines) > replaced, what="the swap")
    assert service.metrics()[RELOAD_OK] == 1 and database_row(service)["refusal"] in (None, "")
    assert service.visit(READER).json["place"]["name"] == "Mumbai"


def test_a_reload_is_all_or_nothing(start, good, tmp_path):
    """Of two databases and one of numbers, one that is refused keeps all three as they were."""
    one, two, numbers = (tmp_path / name for name in ("one.mmdb", "two.mmdb", "asn.mmdb"))
    shutil.copy(good, one)
    write_database(two, {network: nested(*PUNE, radius_km=20) for network in networks(CITIES)}, "GeoLite2-City")
    write_database(numbers, {"21.0.0.0/16": asn(55836)}, "GeoLite2-ASN")
    service = start(settings={"geoip.databases": f"{one},{two}", "geoip.asn": str(numbers)})
    before = service.visit(READER).json["place"]
    assert (before["name"], before["confidence"]) == ("Pune", "confirmed")
    write_database(one, cities(CITIES, {"2400::/32": flat(*LONDON)}))
    for path, bad in ((two, good.read_bytes()[:1000]), (numbers, good.read_bytes())):
        whole = path.read_bytes()
        path.write_bytes(bad)
        seen = len(service.lines)
        service.signal(signal.SIGHUP)
        wait_until(lambda: any("reload refused" in line for line in service.lines[seen:]), what="the refusal")
        report = {row["file"]: row["reload_ok"] for row in request(service.ops, "/status.json").json["databases"]}
        assert report == {"one.mmdb": True, "two.mmdb": path != two, "asn.mmdb": path != numbers}
        assert service.visit(READER).json["place"] == before and service.visit("2400::1").json["place"]["verdict"] == "not-found"
        assert service.ready()
        path.write_bytes(whole)
    service.reload()
    assert service.visit("2400::1").json["place"]["name"] == "London"


@pytest.mark.parametrize("listed, said, kind", [
    ("databases", "no place at all", "GeoLite2-ASN"), ("asn", "no autonomous systems", "DBIP-City-Lite"),
])
def test_at_start_a_database_of_the_wrong_type_is_a_warning(start, good, tmp_path, listed, said, kind):
    """It runs, other databases are asked, and what it is not does no harm."""
    numbers = write_database(tmp_path / "asn.mmdb", {network: asn(55836) for network in networks(2)}, "GeoLite2-ASN")
    settings = {"databases": {"geoip.databases": f"{numbers},{good}"}, "asn": {"geoip.databases": str(good), "geoip.asn": str(good)}}
    service = start(settings=settings[listed])
    line = next(line for line in service.lines if said in line)
    assert "level=warn" in line and f"type={kind}" in line
    assert service.ready() and verdict_of(service, READER) == ("city", "Mumbai", "claimed")


def verdict_of(service, address):
    place = service.visit(address).json["place"]
    return place["verdict"], place["name"], place["confidence"]


def test_a_list_of_nothing_but_numbers_runs(start, tmp_path):
    numbers = write_database(tmp_path / "asn.mmdb", {network: asn(55836) for network in networks(2)}, "GeoLite2-ASN")
    service = start(settings={"geoip.databases": str(numbers), "geoip.asn": ""})
    assert any("no place at all" in line for line in service.lines)
    assert verdict_of(service, READER) == ("too-vague", None, None) and service.ready()
    service.reload()  # what it was before is no reason to refuse it


def test_a_record_without_end_does_not_fill_memory_at_the_start(start, tmp_path):
    """Only a process under limits decodes records in full, and at a start there is none."""
    service = start(settings={"geoip.databases": str(write_endless(tmp_path / "endless.mmdb"))},
                    prefix=() if SANITIZED else ("prlimit", "--as=4000000000"))
    assert any("no place at all" in line and "type=Endless" in line for line in service.lines)
    assert verdict_of(service, "11.0.0.1") == ("too-vague", None, None) and service.ready()
    assert SANITIZED or service.metrics()["process_resident_memory_bytes"] < 200e6


# --- The survey is kept ---

def kept(state):
    return {path.name: (path.stat().st_mtime_ns, path.stat().st_ino, path.read_bytes()) for path in state.glob("*.survey")}


def test_the_survey_is_kept_and_a_second_start_does_not_walk(city_databases, tmp_path, sim):
    state = tmp_path / "state"
    settings = {"geoip.databases": city_databases}
    one = Masthead(state, sim, settings=settings)
    first = kept(state)
    assert len(first) == 2 and one.stop() == 0
    assert sum(len(content) for *_, content in first.values()) < 1_000_000
    two = Masthead(state, sim, settings=settings)
    assert kept(state) == first, "neither written nor made again"
    jio = two.visit("2405:200:1::1").json["place"]
    assert (jio["verdict"], jio["reason"], jio["country"]) == ("too-vague", "office", "IN")
    assert two.stop() == 0
    for name, (*_, content) in first.items():  # what is damaged is made again, the same
        (state / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    three = Masthead(state, sim, settings=settings)
    assert {name: content for name, (*_, content) in kept(state).items()} == {name: content for name, (*_, content) in first.items()}
    assert three.stop() == 0


@pytest.mark.parametrize("after_a_start", [False, True])
def test_lookup_reads_what_is_kept_and_writes_nothing(city_databases, tmp_path, sim, after_a_start):
    state = tmp_path / "state"
    state.mkdir()
    if after_a_start:
        assert Masthead(state, sim, settings={"geoip.databases": city_databases}).stop() == 0
    before = {path.name: path.stat().st_mtime_ns for path in state.iterdir()}
    done = command("lookup", "--set", f"server.state={state}", "--set", f"geoip.databases={city_databases}", "2405:200:1::1", "49.36.1.1")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert rows[0]["reason_code"] == "office" and rows[0]["record"]["city"].startswith("Navi Mumbai")
    assert {path.name: path.stat().st_mtime_ns for path in state.iterdir()} == before
