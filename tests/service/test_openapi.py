"""data/openapi.json describes every path of both listeners, every state and every refusal: what the service answers is held against
it, and an answer that it does not describe fails. So do the answers in all other tests (description.py)."""
import copy
import re
import urllib.parse

import pytest

from description import DOCUMENT, Undescribed, check, hold, resolve
from harness import ROOT, VISITORS, Masthead, Simulator, request, whole_earth

jsonschema = pytest.importorskip("jsonschema", reason="python3-jsonschema is not installed")

SOURCE = ROOT / "src"
AT = "2026-01-31T08:00:05Z"


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    simulator = Simulator("--at", AT)
    settings = {"dev.at": AT, "widget.origins": "https://news.example", **whole_earth(simulator)}
    masthead = Masthead(tmp_path_factory.mktemp("openapi") / "state", simulator, settings=settings)
    masthead.wait_line("weather of the whole earth loaded")
    yield masthead
    assert masthead.stop() == 0 and simulator.stop() == 0


@pytest.fixture(scope="module")
def scenarios(service):
    return hold("/dev/scenarios.json", service.get("/dev/scenarios.json"))


def names(scenarios, kind):
    return [row["name"] for row in scenarios[kind]]


# --- The document ---


def every(node):
    yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from every(child)


def test_its_schemas_are_schemas_and_its_references_lead_somewhere():
    assert DOCUMENT["openapi"].startswith("3.1.")
    for node in every(DOCUMENT):
        if isinstance(node, dict) and "$ref" in node:
            assert resolve(node)
        if isinstance(node, dict) and isinstance(node.get("schema"), dict):
            jsonschema.Draft202012Validator.check_schema(node["schema"])
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_it_has_every_path_of_both_listeners_and_no_other():
    def routes(file):
        table = (SOURCE / file).read_text()
        return set(re.findall(r'^    \{"(/[^"]*)"', table[table.index("_routes[]"):], re.M))

    assets = (SOURCE / "site" / "assets.c").read_text()
    hashed = {path + extension for path, extension in re.findall(r'X\(\w+, "(/masthead[a-z.]*)", "(\.\w+)"', assets)}
    own = {path for path in re.findall(r'X\(\w+, "(/[^"]*)", [A-Z]', assets)} - {"/", "/openapi.json"}  # parts of our own pages
    of_both = routes("site/public.c") | routes("ops/ops.c")
    assert set(DOCUMENT["paths"]) == (of_both - {"/masthead.*", "/dev/*"} - own) | hashed


def test_its_version_is_the_programs(service):
    assert DOCUMENT["info"]["version"] == request(service.ops, "/status.json").json["service"]["version"]


def test_each_example_is_what_its_scenario_gives(service):
    count = 0
    for path, item in DOCUMENT["paths"].items():
        for media in resolve(item.get("get", {}).get("responses", {}).get("200", {})).get("content", {}).values():
            for name, example in media.get("examples", {}).items():
                answer = service.get(f"{path}?scenario={name}" + ("&cell=19.1,72.9" if path == "/weather.json" else ""))
                assert hold(path, answer) == example["value"], (path, name)
                count += 1
    assert count > 10


# --- The answers ---


def test_every_reader_in_every_state_is_described(service, scenarios):
    seen = {path: set() for path in ("/widget.json", "/where.json", "/widget", "/widget.txt")}
    for reader in names(scenarios, "readers"):
        for fault in names(scenarios, "faults"):
            for path, states in seen.items():
                body = hold(path, service.get(f"{path}?scenario={reader},{fault}&lang=hi&units=auto"))
                states.add(body["state"] if isinstance(body, dict) else bool(body.strip()))
    assert seen["/widget.json"] == set(resolve(DOCUMENT["components"]["schemas"]["State"])["enum"])
    assert seen["/where.json"] == {"place", "unknown"} and seen["/widget.txt"] == {True, False}


def test_the_weather_of_a_cell_in_every_state_is_described(service, scenarios):
    states = {hold("/weather.json", service.get(f"/weather.json?cell=19.1,72.9&scenario={fault}"))["state"]
              for fault in names(scenarios, "faults")}
    assert states == set(DOCUMENT["components"]["schemas"]["Weather"]["properties"]["state"]["enum"])
    assert hold("/weather.json", service.get("/weather.json?place=1275339"))["cell"] == "19.1,72.9"


def test_without_a_scenario_too(service, start):
    """Readers by proxy, the reader's choice, a home; with the model's weather, with a forecast, and with neither."""
    home = start(settings={"geoip.home": "Mumbai, IN, 19.08, 72.88"})
    failing = start(settings={"weather.open_meteo_url": "http://127.0.0.1:1", "weather.timeout": "100ms"})
    found = set()
    for masthead in (service, home, failing):
        for address in ("192.0.2.1", "198.51.100.1", "203.0.113.1", "10.0.0.1", "8.8.8.8", "2001:db8:10::1", "nobody"):
            for path in ("/widget", "/widget.json", "/widget.txt", "/where.json", "/widget.json?place=1275339&lang=ta", "/widget.json?nonsense=1"):
                body = hold(path, masthead.get(path, headers={"X-Forwarded-For": address}))
                found.add(body["place"]["source"] if isinstance(body, dict) else "text")
    assert found == {"geoip", "reader", "home", "none", "text"}


REFUSALS = [("/weather.json", 400), ("/weather.json?cell=here", 400), ("/weather.json?place=1", 404), ("/places.json?near=x", 400),
            ("/dev/explain?ip=nobody", 400)]


@pytest.mark.parametrize("path, status", REFUSALS)
def test_refusals_are_described(service, path, status):
    answer = service.get(path)
    assert answer.status == status
    hold(path, answer)


def test_every_other_path_and_every_method_is_described(service):
    for path, item in DOCUMENT["paths"].items():
        base = service.ops if "servers" in item else service.public
        if "get" in item and path != "/weather.json":
            answer = request(base, path)
            assert answer.status == 200
            hold(path, answer)
        method = "get" if "get" in item else "post"
        hold(path, request(base, path, method="DELETE"), method)
    hold("/healthz", request(service.ops, "/healthz"))
    hold("/places.json", service.get("/places.json?q=mum&country=IN&lang=hi"))
    hold("/places.json", service.get("/places.json?near=19.1,72.9"))
    hold("/explain", request(service.ops, "/explain?header=192.0.2.1,%20198.51.100.1"))
    hold("/explain", request(service.ops, "/explain?ip=8.8.8.8"))
    assert request(service.ops, "/status.json").json["earth"]
    for query, status in (("advance=1s", 200), ("advance=soon", 400)):
        answer = request(service.ops, f"/dev/clock?{query}", method="POST")
        assert answer.status == status
        hold("/dev/clock", answer, "post")


def test_a_file_under_its_own_name_and_one_that_is_unchanged(service):
    answer = service.get("/masthead.js")
    unchanged = service.get("/masthead.js", headers={"If-None-Match": answer.headers["ETag"]})
    assert unchanged.status == 304 and not unchanged.body and not hold("/masthead.js", unchanged)


def test_outside_developer_mode_and_while_not_ready(start, tmp_path):
    service = start(settings={"dev.enabled": "no", "dev.simulated": "no", "geoip.databases": f"{VISITORS}, {tmp_path}/absent.mmdb"})
    for path, item in DOCUMENT["paths"].items():
        developers = path.startswith(("/dev/", "/openapi")) or path == "/"
        method = "get" if "get" in item else "post"
        base = service.ops if "servers" in item else service.public
        answer = request(base, path, method=method.upper())
        assert (answer.status == 404) == developers, path
        hold(path, answer, method)
    assert request(service.ops, "/readyz").status == 503


# --- The parameters ---


def test_it_has_every_parameter_of_the_query():
    table = re.search(r"parameter_names\[\] = \{(.*?)\}", (SOURCE / "site" / "visit.c").read_text(), re.S).group(1)
    assert set(DOCUMENT["components"]["parameters"]) == set(re.findall(r'"(\w+)"', table)) - {"parameter"}


def test_each_parameters_example_counts_where_it_stands(service):
    for path, item in DOCUMENT["paths"].items():
        for parameter in map(resolve, item.get("get", {}).get("parameters", ())):
            check(parameter["schema"], parameter["example"])
            base = service.ops if "servers" in item else service.public
            query = urllib.parse.urlencode({parameter["name"]: parameter["example"], **({"cell": "19.1,72.9"} if path == "/weather.json" else {})})
            answer = request(base, f"{path}?{query}")
            assert answer.status == 200 and "X-Masthead-Ignored" not in answer.headers, (path, parameter["name"], answer.text)


@pytest.mark.parametrize("name, value", [("units", "k"), ("place", 0), ("place", 10000000000), ("show", "sun"), ("show", "icon;rain"),
                                         ("lang", "x y"), ("scenario", "Mumbai!")])
def test_what_is_out_of_a_parameters_range_is_ignored(service, name, value):
    with pytest.raises(Undescribed):
        check(resolve(DOCUMENT["components"]["parameters"][name])["schema"], value)
    answer = service.get("/widget.json?" + urllib.parse.urlencode({name: value}))
    hold("/widget.json", answer)
    assert answer.headers["X-Masthead-Ignored"].startswith(f"{name}; ")


# --- What it does not describe ---


class Forged:
    def __init__(self, answer, change=lambda body: None, status=200, headers=None):
        self.json = copy.deepcopy(answer.json)
        change(self.json)
        self.status, self.headers = status, {**answer.headers, **(headers or {})}


FORGERIES = {
    "a member more": {"change": lambda body: body.update(humidity=1)},
    "a member less": {"change": lambda body: body.pop("rain")},
    "a state of its own": {"change": lambda body: body.update(state="sunny")},
    "fresh without a number": {"change": lambda body: body["temperature"].update(celsius=None)},
    "a number while unknown": {"change": lambda body: body.update(state="unknown")},
    "another verdict": {"change": lambda body: body["place"].update(verdict="maybe")},
    "a time as a number": {"change": lambda body: body.update(fetched_at=1769846405)},
    "an hour too hot to be true": {"change": lambda body: body["hours"][0].update(rain_probability=101)},
    "another status": {"status": 418},
    "another type": {"headers": {"Content-Type": "text/json"}},
    "another header": {"headers": {"X-Masthead-Mood": "good"}},
    "public for a year": {"headers": {"Cache-Control": "public, max-age=1y"}},
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_what_it_does_not_describe_fails(service, forgery):
    answer = service.get("/widget.json?scenario=mumbai")
    hold("/widget.json", Forged(answer))
    with pytest.raises(Undescribed):
        hold("/widget.json", Forged(answer, **FORGERIES[forgery]))
