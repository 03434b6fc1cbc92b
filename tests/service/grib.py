"""Fields and GRIB2 messages for tests: packs and unpacks with build/masthead-grib, and asks ecCodes for its opinion."""
import array
import math
import struct
import subprocess

from harness import BUILD

PROGRAM = BUILD / "masthead-grib"
HEADER = struct.Struct("=QqiIHHBBBBiBbHII")
MAGIC = 0x0A6C666873616D31
NAMES = ("run_s", "hours", "spacing_udeg", "columns", "rows", "discipline", "category", "number", "surface", "surface_value",
         "packing", "decimals", "reserved", "missing", "reserved2")
RUN_S = 1780272000  # 2026-06-01T00:00:00Z


def field(spacing_udeg=2_500_000, **changes):
    """Of 2 m temperature, as GFS has it."""
    known = dict(run_s=RUN_S, hours=6, spacing_udeg=spacing_udeg, columns=360_000_000 // spacing_udeg,
                 rows=180_000_000 // spacing_udeg + 1, discipline=0, category=0, number=0, surface=103, surface_value=2,
                 packing=3, decimals=2, reserved=0, missing=0, reserved2=0)
    return known | changes


def field_bytes(facts, values):
    return HEADER.pack(MAGIC, *(facts[name] for name in NAMES)) + array.array("f", values).tobytes()


def read_field(output):
    facts = dict(zip(NAMES, HEADER.unpack_from(output)[1:]))
    return facts, array.array("f", output[HEADER.size:])


def run(command, given):
    return subprocess.run([PROGRAM, command], input=given, capture_output=True, timeout=60)


def encode(facts, values):
    done = run("--encode", field_bytes(facts, values))
    assert done.returncode == 0, done.stderr
    return done.stdout


def decode(message):
    done = run("--decode", message)
    assert done.returncode == 0, done.stderr
    return read_field(done.stdout)


def judged(path):
    """The values of a message as ecCodes unpacks them; NaN where there is none."""
    text = subprocess.run(["grib_get_data", "-F", "%.6f", "-m", "nan", str(path)], capture_output=True, text=True, check=True)
    return [float(line.rsplit(None, 1)[1]) for line in text.stdout.splitlines() if not line.startswith("Lat")]


def same(ours, theirs, within):
    """Whether both have the same gaps, and elsewhere values that differ by less."""
    return len(ours) == len(theirs) and all(
        math.isnan(a) == math.isnan(b) and not abs(a - b) >= within for a, b in zip(ours, theirs))
