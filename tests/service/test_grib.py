"""masthead-grib unpacks what GFS packs as ecCodes does, and whatever else it is given it refuses in one line or dies alone."""
import math
import pathlib
import random
import subprocess

import pytest

import grib

REAL = pathlib.Path(__file__).parent / "gfs-2t-2p5deg.grib2"
PACKINGS = {0: "grid_simple", 2: "grid_complex", 3: "grid_complex_spatial_differencing", 40: "grid_jpeg", 41: "grid_png"}
NEAR = 0.01  # of a kelvin


def packed(facts, values, path):
    """A message in any packing. What the service reads and masthead-grib does not write, JPEG 2000, comes from ecCodes."""
    if facts["packing"] == 40:
        path.write_bytes(grib.encode(facts | {"packing": 0}, values))
        changed = path.with_suffix(".jpeg")
        subprocess.run(["grib_set", "-r", "-s", "packingType=grid_jpeg", path, changed], check=True)
        changed.replace(path)
    else:
        path.write_bytes(grib.encode(facts, values))
    return path.read_bytes()


def warmth(facts):
    """A smooth field of temperatures in kelvin."""
    return [273.15 + 30 * math.cos(math.radians(2 * (90 - 180 * row / (facts["rows"] - 1)))) + 7 * math.sin(column / 9)
            for row in range(facts["rows"]) for column in range(facts["columns"])]


def test_the_real_message_of_ncep():
    """A forecast of 2011: NCEP's own packing, a work of the US government, in the public domain."""
    facts, values = grib.decode(REAL.read_bytes())
    assert facts == grib.field(run_s=1294660800, hours=120)
    assert abs(values[0] - 241.03) < 0.001  # at the pole
    assert grib.same(values, grib.judged(REAL), NEAR)


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("gaps", (False, True))
def test_each_packing_is_read_as_eccodes_reads_it(packing, gaps, tmp_path):
    facts = grib.field(packing=packing)
    values = warmth(facts)
    if gaps:
        for i in (*range(700, 1100), 5, len(values) - 1, *range(2000, 2100, 2)):
            values[i] = math.nan
    path = tmp_path / "message"
    read, ours = grib.decode(packed(facts, values, path))
    assert read == facts | {"missing": sum(map(math.isnan, values))}
    assert grib.same(ours, values, NEAR)
    assert grib.same(ours, grib.judged(path), NEAR)
    said = subprocess.run(["grib_get", "-p", "packingType,discipline,parameterCategory,parameterNumber,level,forecastTime,dataDate",
                           path], capture_output=True, text=True, check=True).stdout.split()
    assert said == [PACKINGS[packing], "0", "0", "0", "2", "6", "20260601"]


@pytest.mark.parametrize("packing", PACKINGS)
def test_a_field_that_is_the_same_everywhere(packing, tmp_path):
    facts = grib.field(packing=packing, category=1, number=193, surface=1, surface_value=0, decimals=0)
    path = tmp_path / "message"
    for value in (0.0, 1.0):
        read, ours = grib.decode(packed(facts, [value] * (facts["columns"] * facts["rows"]), path))
        assert read == facts
        assert set(ours) == {value}
        assert set(grib.judged(path)) == {value}


def test_the_whole_quarter_degree_grid(tmp_path):
    facts = grib.field(spacing_udeg=250_000)
    values = warmth(facts)
    path = tmp_path / "message"
    path.write_bytes(grib.encode(facts, values))
    read, ours = grib.decode(path.read_bytes())
    assert read == facts
    assert grib.same(ours, values, NEAR)
    assert grib.same(ours, grib.judged(path), NEAR)


def octets(message, *changes):
    """The message with octets changed from a place on that is found by the section's number, counted as WMO does."""
    changed = bytearray(message)
    for section, octet, new in changes:
        at = 16 if section else 0
        while section and changed[at + 4] != section:
            at += int.from_bytes(changed[at:at + 4], "big")
        changed[at + octet - 1:at + octet - 1 + len(new)] = new
    return bytes(changed)


@pytest.mark.parametrize("changes, says", [
    ([(0, 1, b"BIRG")], "begin with GRIB"),
    ([(0, 8, b"\1")], "another edition"),
    ([(0, 9, b"\0\0\0\0\0\0\0\x20")], "as long as it says"),
    ([(1, 1, b"\xff\xff\xff\xff")], "sections do not fit"),
    ([(1, 5, b"\2")], "a section is missing"),
    ([(4, 5, b"\3")], "more than one field"),
    ([(1, 15, b"\x0d")], "reference time"),
    ([(3, 13, b"\0\x1e")], "latitudes and longitudes"),
    ([(3, 7, b"\xff\xff\xff\xff"), (3, 31, b"\0\0\xff\xff\0\1\0\1")], "too large"),
    ([(3, 31, b"\x7f\xff\xff\xff\x7f\xff\xff\xff")], "too large"),
    ([(3, 64, b"\0\0\0\0"), (3, 68, b"\0\0\0\0")], "around the whole earth"),
    ([(3, 51, b"\x0a\xba\x95\0")], "begin at the north pole"),  # 180 degrees
    ([(3, 72, b"\x40")], "begin at the north pole"),
    ([(4, 8, b"\0\x08")], "one instant"),  # an average
    ([(4, 18, b"\0")], "in hours"),
    ([(4, 19, b"\x7f\xff\xff\xff")], "in hours"),
    ([(4, 24, b"\2")], "no whole number"),
    ([(5, 10, b"\0\x2a")], "packing is not known"),  # CCSDS
    ([(5, 10, b"\0\2")], "not of its length"),
    ([(5, 6, b"\0\xff\xff\xff")], "larger than its grid"),
    ([(5, 32, b"\0\xff\xff\xff")], "larger than its grid"),
    ([(5, 48, b"\3")], "differences are none"),
    ([(6, 6, b"\0")], "bitmap"),
])
def test_what_is_no_such_field_is_refused_in_one_line(changes, says):
    done = grib.run("--decode", octets(REAL.read_bytes(), *changes))
    assert done.returncode == 1 and done.stdout == b""
    assert done.stderr.count(b"masthead-grib: ") == 1 and says in done.stderr.decode()


def test_what_is_cut_or_too_long():
    message = REAL.read_bytes()
    for given in (b"", b"GRIB", message[:-1], message[:100], message + b"x", message * 200):
        done = grib.run("--decode", given)
        assert done.returncode == 1 and done.stdout == b"" and done.stderr.count(b"masthead-grib: ") == 1


@pytest.mark.parametrize("packing", PACKINGS)
def test_damaged_messages_end_the_program_alone_and_soon(packing, tmp_path):
    """Whatever g2c makes of them: a refusal, a crash, or a whole field."""
    generator = random.Random(packing)
    facts = grib.field(packing=packing, spacing_udeg=10_000_000)
    message = packed(facts, warmth(facts), tmp_path / "message")
    for _ in range(60):
        damaged = bytearray(message)
        for _ in range(generator.choice((1, 1, 4))):
            damaged[generator.randrange(120, len(damaged) - 4)] = generator.randrange(256)
        done = grib.run("--decode", bytes(damaged))
        if done.returncode == 0:
            assert len(grib.read_field(done.stdout)[1]) == facts["columns"] * facts["rows"]
        else:
            assert done.returncode == 1 or done.returncode < 0 or b"Sanitizer" in done.stderr


@pytest.mark.parametrize("changes", [{"columns": 145}, {"spacing_udeg": 0}, {"packing": 42}, {"packing": 40}, {"decimals": 7}, {"rows": 0}])
def test_what_is_no_field_is_not_packed(changes):
    done = grib.run("--encode", grib.field_bytes(grib.field() | changes, [280.0] * (144 * 73)))
    assert done.returncode == 1 and done.stdout == b"" and b"no field" in done.stderr
    done = grib.run("--encode", grib.field_bytes(grib.field(), [280.0] * 7))
    assert done.returncode == 1 and b"no field" in done.stderr


def test_its_usage():
    done = subprocess.run([grib.PROGRAM], capture_output=True)
    assert done.returncode == 2 and done.stderr.startswith(b"usage: masthead-grib")
