"""Goal of these tests: whoever needs NOAA's GFS without NOAA gets files and indexes of its form, from as many mirrors as wanted,
which say what the synthetic weather is, at the times at which they would be there; and each of their faults when asked for.
What the service's own rules say to them is held by tests/unit/test_gfs_file.c."""
import math
import pathlib
import re
import shutil
import subprocess
import urllib.parse

import pytest

import grib
from harness import BUILD, Simulator, request, unix

NOW = "2026-06-01T05:00:00Z"
RUN = "2026-06-01T00:00:00Z"
TEMPERATURE, RATE, FREEZING, COVER, HEIGHT = (
    "TMP:2 m above ground", "PRATE:surface", "CFRZR:surface", "TCDC:entire atmosphere", "HGT:surface")
FIELDS = (TEMPERATURE, RATE, FREEZING, COVER, HEIGHT)

pytestmark = pytest.mark.skipif(not grib.PROGRAM.exists(), reason="masthead-grib is not built: libg2c-dev is missing")


@pytest.fixture(scope="module")
def started():
    process = Simulator("--at", NOW)
    yield process
    assert process.stop() == 0, process.log()


@pytest.fixture
def gfs(started):
    started.reset()
    return started


def path_of(hour, run=RUN, mirror=0):
    day, of_day = run[:10].replace("-", ""), run[11:13]
    return f"{f'/mirror{mirror}' if mirror else ''}/gfs.{day}/{of_day}/atmos/gfs.t{of_day}z.pgrb2.0p25.f{hour:03}"


def get(sim, path, part=None, **headers):
    if part:
        headers["Range"] = "bytes=" + part
    return request(sim.url, path, headers=headers)


def index_of(sim, hour, run=RUN):
    """The lines of an index, as (offset, run, name and level, forecast)."""
    lines = get(sim, path_of(hour, run) + ".idx").text.splitlines()
    found = [re.fullmatch(r"(\d+):(\d+):d=(\d{10}):([^:]+:[^:]+):([^:]+):", line) for line in lines]
    assert [int(match[1]) for match in found] == list(range(1, len(lines) + 1))
    return [(int(match[2]), match[3], match[4], match[5]) for match in found]


def range_of(sim, hour, name, run=RUN):
    """Where the record of an instant lies, as a range."""
    index = index_of(sim, hour, run)
    forecast = f"{hour} hour fcst" if hour else "anl"
    (at,) = [i for i, line in enumerate(index) if line[2:] == (name, forecast)]
    return f"{index[at][0]}-{index[at + 1][0] - 1}"


def message_of(sim, hour, name, run=RUN):
    answer = get(sim, path_of(hour, run), range_of(sim, hour, name, run))
    assert answer.status == 206
    return answer.body


def add_fault(sim, **query):
    answer = request(sim.url, "/sim/fault?" + urllib.parse.urlencode(query), "POST")
    assert answer.status == 200, answer.body


def test_an_index_has_the_form_and_the_oddities_of_a_real_one(gfs):
    index = index_of(gfs, 6)
    offsets = [line[0] for line in index]
    assert offsets[0] == 0 and offsets == sorted(set(offsets)) and {line[1] for line in index} == {"2026060100"}
    told = [f"{name}:{forecast}" for _, _, name, forecast in index]
    order = [told.index(f"{name}:6 hour fcst") for name in (HEIGHT, TEMPERATURE, "APTMP:2 m above ground", RATE, FREEZING, COVER)]
    assert order == sorted(order), "as in a real one"
    for name in (RATE, "CRAIN:surface", "CSNOW:surface", FREEZING, "CICEP:surface", COVER):
        assert {f"{name}:6 hour fcst", f"{name}:0-6 hour ave fcst"} <= set(told)
    assert len([line for line in told if line.startswith("TMP:")]) > 4 and told.count("APCP:surface:0-6 hour acc fcst") == 2
    assert {"PRATE:surface:18-24 hour ave fcst", "APCP:surface:0-1 day acc fcst"} <= {
        f"{name}:{forecast}" for _, _, name, forecast in index_of(gfs, 24)}
    analysis = index_of(gfs, 0)
    assert {line[3] for line in analysis} == {"anl"} and set(FIELDS) <= {line[2] for line in analysis}


def test_each_record_is_one_message(gfs):
    offsets = [line[0] for line in index_of(gfs, 6)]
    file = get(gfs, path_of(6)).body
    for first, end in zip(offsets, offsets[1:] + [len(file)]):
        message = file[first:end]
        assert message.startswith(b"GRIB") and message.endswith(b"7777") and int.from_bytes(message[8:16], "big") == len(message)


def judged_points(message, path):
    """(latitude, longitude, value) of each point as ecCodes has them."""
    path.write_bytes(message)
    lines = subprocess.run(["grib_get_data", "-F", "%.6f", path], capture_output=True, text=True, check=True).stdout.splitlines()
    return [tuple(map(float, line.split())) for line in lines[1:]]


def truth_at(sim, latitude, longitude, valid_s):
    return sim.synthetic_weather(latitude, longitude - 360 if longitude > 180 else longitude, valid_s)


@pytest.mark.parametrize("hour", (0, 6, 49))
def test_the_fields_are_the_synthetic_weather(gfs, hour, tmp_path):
    valid_s = unix(RUN) + 3600 * hour
    points = {name: judged_points(message_of(gfs, hour, name), tmp_path / "message") for name in FIELDS}
    said = subprocess.run(["grib_get", "-p", "packingType,dataDate,dataTime,forecastTime,Ni,Nj", tmp_path / "message"],
                          capture_output=True, text=True, check=True).stdout.split()
    assert said == ["grid_complex_spatial_differencing", "20260601", "0", str(hour), "144", "73"]
    assert {value for _, _, value in points[HEIGHT]} == {0}
    for i in range(0, len(points[TEMPERATURE]), 401):
        latitude, longitude, kelvin = points[TEMPERATURE][i]
        truth = truth_at(gfs, latitude, longitude, valid_s)
        assert abs(kelvin - 273.15 - truth["celsius"]) < 0.01
        wet = points[RATE][i][2] * 3600 > 0.1
        assert wet == (truth["code"] > 48) and points[FREEZING][i][2] == (truth["code"] in (56, 57, 66, 67))
        cover = points[COVER][i][2]
        assert cover > 38 if wet else (cover > 13) + (cover > 38) + (cover > 86) == min(truth["code"], 3)


def test_a_quarter_of_a_degree(tmp_path):
    sim = Simulator("--at", NOW, "--gfs-grid", "0.25")
    try:
        facts, values = grib.decode(message_of(sim, 6, TEMPERATURE))
        assert facts == grib.field(spacing_udeg=250_000)
        for row, column in ((0, 0), (360, 0), (283, 291), (197, 1144), (720, 1439)):
            truth = truth_at(sim, 90 - row / 4, column / 4, unix(RUN) + 6 * 3600)
            assert abs(values[row * 1440 + column] - 273.15 - truth["celsius"]) < 0.01
    finally:
        assert sim.stop() == 0, sim.log()


@pytest.mark.parametrize("given", ("0", "0.2", "7", "-2.5", "nan", "x", "120"))
def test_a_grid_that_is_none(given):
    done = subprocess.run([BUILD / "masthead-sim", "--gfs-grid", given], capture_output=True, text=True, timeout=10)
    assert done.returncode == 2 and done.stderr.startswith(f"masthead-sim: --gfs-grid {given}: ")


def test_parts_of_a_file(gfs):
    whole = get(gfs, path_of(6))
    length = len(whole.body)
    assert whole.status == 200 and int(whole.headers["Content-Length"]) == length
    for part, first, end in (("0-99", 0, 100), (f"{length - 10}-", length - 10, length), (f"100-{length + 5}", 100, length),
                             ("-7", length - 7, length), (f"-{length * 2}", 0, length)):
        answer = get(gfs, path_of(6), part)
        assert (answer.status, answer.body) == (206, whole.body[first:end]), part
        assert answer.headers["Content-Range"] == f"bytes {first}-{end - 1}/{length}"
    for part in (f"{length}-", f"{length + 7}-{length + 9}", "-0"):
        answer = get(gfs, path_of(6), part)
        assert answer.status == 416 and b"<Code>InvalidRange</Code>" in answer.body
        assert answer.headers["Content-Range"] == f"bytes */{length}"
    for part in ("9-3", "x", "1-2,4-5", "-", ""):
        assert get(gfs, path_of(6), Range="bytes=" + part).status == 200, "as if none were given"


def test_the_heads_are_those_of_a_bucket(gfs):
    for path in (path_of(49), path_of(49) + ".idx"):
        answer = get(gfs, path)
        assert answer.headers["Last-Modified"] == "Mon, 01 Jun 2026 04:15:00 GMT" and answer.headers["Accept-Ranges"] == "bytes"
        assert get(gfs, path, **{"If-Modified-Since": answer.headers["Last-Modified"]}).status == 304


def test_a_file_is_there_from_its_instant_on_for_ten_days(gfs):
    def there(hour, run=RUN):
        answers = [get(gfs, path_of(hour, run) + end) for end in ("", ".idx")]
        assert answers[0].status == answers[1].status and answers[0].status in (200, 404)
        assert answers[0].status == 200 or b"<Code>NoSuchKey</Code>" in answers[0].body
        return answers[0].status == 200

    gfs.control("clock?at=2026-06-01T03:29:59Z")
    assert not there(0)
    gfs.advance("1s")
    assert there(0) and not there(1)
    gfs.control("clock?at=2026-06-01T04:14:59Z")
    assert there(48) and not there(49)
    gfs.advance("1s")
    assert there(49) and not there(50)
    assert there(120, "2026-05-31T18:00:00Z") and not there(121, "2026-05-31T18:00:00Z")
    assert not there(0, "2026-05-31T17:00:00Z") and not there(0, "2026-06-01T06:00:00Z")
    gfs.control("clock?at=2026-06-11T03:29:59Z")
    assert there(0)
    gfs.advance("1s")
    assert not there(0) and there(49)


def test_without_the_packer_there_is_no_file(tmp_path):
    alone = pathlib.Path(shutil.copy(BUILD / "masthead-sim", tmp_path))
    sim = Simulator("--at", NOW, program=alone)
    try:
        assert get(sim, path_of(6) + ".idx").status == get(sim, path_of(6)).status == 404
        assert "masthead-grib" in request(sim.url, "/").text
    finally:
        assert sim.stop() == 0, sim.log()


def test_mirrors_are_counted_apart_and_fail_apart(gfs):
    add_fault(gfs, kind="503", mirror=1, path="gfs-data")
    add_fault(gfs, kind="404", mirror=2)
    paths = [path_of(6, mirror=mirror) + end for mirror in (0, 1, 2, 3) for end in ("", ".idx")]
    assert [get(gfs, path).status for path in paths] == [200, 200, 503, 200, 404, 404, 200, 200]
    get(gfs, "/data/cache/metars.cache.csv.gz"), get(gfs, "/mirror2/data/cache/metars.cache.csv.gz")
    assert get(gfs, "/data/2.5/weather").status == get(gfs, "/data/2.5/forecast").status == 401
    assert gfs.count()["by_api"] == {
        "openweathermap": 2, "metar": 1, "mirror2/metar": 1,
        **{f"{mirror}{api}": 1 for mirror in ("", "mirror1/", "mirror2/", "mirror3/") for api in ("gfs-index", "gfs-data")}}
    assert get(gfs, "/mirror0" + path_of(6)).status == get(gfs, "/mirror10" + path_of(6)).status == 404


def test_a_fault_may_be_one_files(gfs):
    add_fault(gfs, kind="503", path=path_of(6))
    assert [get(gfs, path).status for path in (path_of(6), path_of(6) + ".idx", path_of(7), path_of(6, mirror=1))] == [
        503, 200, 200, 503]


def test_a_fault_may_last_for_an_hour(gfs):
    add_fault(gfs, kind="503", path="gfs-data", **{"for": "1h"})
    answer = get(gfs, path_of(6), "0-9")
    assert answer.status == 503 and b"<Code>SlowDown</Code>" in answer.body
    gfs.advance("59m")
    assert get(gfs, path_of(6), "0-9").status == 503
    assert gfs.control("fault", "GET").json["faults"][0]["until"] == "2026-06-01T06:00:00Z"
    gfs.advance("1m")
    assert get(gfs, path_of(6), "0-9").status == 206


@pytest.mark.parametrize("query", ("for=soon", "for=0s", "for=-1h", "mirror=10", "mirror=x", "path=/mirror1/v1/forecast"))
def test_a_rule_that_makes_no_sense_is_refused(gfs, query):
    answer = request(gfs.url, "/sim/fault?kind=503&" + query, "POST")
    assert answer.status == 400 and query.partition("=")[0] in answer.json["reason"]


def test_faults_of_the_index(gfs):
    honest = get(gfs, path_of(6) + ".idx").text
    names = [line.split(":", 2)[2] for line in honest.splitlines()]

    def broken(kind):
        gfs.reset()
        add_fault(gfs, kind=kind)
        return get(gfs, path_of(6) + ".idx").text

    stale = broken("stale-index").splitlines()
    assert [line.split(":", 2)[2] for line in stale] == names
    assert all(a != b for a, b in zip(stale[1:], honest.splitlines()[1:])), "no offset is right"
    short = broken("short-index")
    assert honest.startswith(short) and not short.endswith("\n") and "PRATE" in short.splitlines()[-1]
    past = [int(line.split(":")[1]) for line in broken("past-end").splitlines() if TEMPERATURE in line]
    assert get(gfs, path_of(6), f"{past[0]}-{past[0] + 9}").status == 416
    twins = broken("twins")
    for name in FIELDS:
        assert twins.count(f":{name}:6 hour fcst:") == 2 and honest.count(f":{name}:6 hour fcst:") == 1


def test_a_file_that_is_listed_before_it_is_whole(gfs):
    whole = get(gfs, path_of(6)).body
    add_fault(gfs, kind="early")
    answer = get(gfs, path_of(6))
    assert answer.body == whole[:len(whole) // 2] and answer.headers["Last-Modified"] == "Mon, 01 Jun 2026 04:59:00 GMT"
    assert get(gfs, path_of(6), f"{len(whole) - 9}-").status == 416
    assert get(gfs, path_of(6) + ".idx").headers["Last-Modified"] == "Mon, 01 Jun 2026 04:59:00 GMT"


def test_faults_of_the_transfer(gfs):
    whole, part = get(gfs, path_of(6)).body, range_of(gfs, 6, TEMPERATURE)
    message = get(gfs, path_of(6), part).body
    add_fault(gfs, kind="whole-file")
    answer = get(gfs, path_of(6), part)
    assert (answer.status, answer.body) == (200, whole)
    add_fault(gfs, kind="truncated")
    answer = get(gfs, path_of(6), part)
    assert (answer.status, answer.body) == (206, message[:len(message) // 2])
    add_fault(gfs, kind="slow", value="20")
    assert get(gfs, path_of(6), part).body == message


def test_a_message_that_breaks_off(gfs):
    message = message_of(gfs, 6, TEMPERATURE)
    add_fault(gfs, kind="cut-message")
    cut = message_of(gfs, 6, TEMPERATURE)
    half = len(message) // 2
    assert cut == message[:half] + bytes(len(message) - half)


@pytest.mark.parametrize("kind, differs", [
    ("wrong-grid", {"spacing_udeg": 7_500_000, "columns": 48, "rows": 25}),
    ("wrong-param", {"number": 1}),
    ("wrong-hour", {"hours": 7}),
    ("wrong-run", {"run_s": grib.RUN_S - 6 * 3600}),
    ("gaps", {"missing": math.ceil((144 * 73 - 1) / 200)}),
    ("many-gaps", {"missing": math.ceil((144 * 73 - 1) / 3)}),
    ("simple", {"packing": 0}),
    ("complex", {"packing": 2}),
    ("png", {"packing": 41}),
])
def test_messages_of_something_else(gfs, kind, differs):
    facts, values = grib.decode(message_of(gfs, 6, TEMPERATURE))
    assert facts == grib.field()
    add_fault(gfs, kind=kind)
    changed, others = grib.decode(message_of(gfs, 6, TEMPERATURE))
    assert changed == facts | differs
    if kind != "wrong-grid":
        assert all(math.isnan(other) or abs(value - other) < 0.011 for value, other in zip(values, others))


def test_a_huge_grid_is_refused_by_who_unpacks_it(gfs):
    add_fault(gfs, kind="huge-grid")
    done = grib.run("--decode", message_of(gfs, 6, TEMPERATURE))
    assert done.returncode == 1 and b"too large" in done.stderr


def test_a_day_that_is_shifted(gfs):
    _, values = grib.decode(message_of(gfs, 6, TEMPERATURE))
    add_fault(gfs, kind="shifted", **{"for": "24h"})
    facts, shifted = grib.decode(message_of(gfs, 6, TEMPERATURE))
    assert facts == grib.field(), "and does not say so"
    turned = [values[i - i % 144 + (i + 72) % 144] for i in range(len(values))]
    assert grib.same(shifted, turned, 0.011)
    gfs.advance("24h")
    assert grib.decode(message_of(gfs, 6, TEMPERATURE))[1] == values
