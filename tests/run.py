#!/usr/bin/env python3
"""Runs every test: unit tests (cmocka), then fuzz targets, service and browser tests (pytest). With --sanitizers a part of them
again, in builds under sanitizers. Ends with "N passed, N failed"."""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent

# What runs again under sanitizers, by the build's name: unit tests, of which "*" is all, and files of tests/service.
SANITIZED = {
    "asan": (["*"], ["weather", "fetching", "providers", "visitor", "restart", "memory"]),
    "tsan": (["cache_threads", "databases", "fetch", "listener", "metrics", "present", "quota", "record_cache", "snapshot"], ["fetching", "weather"]),
}


def units_of(build):
    return sorted(path for path in (build / "unit").glob("test_*") if path.suffix == "")


def run_unit(binary):
    """Runs one unit test program; counts its cases from cmocka's own lines."""
    done = subprocess.run([binary], capture_output=True, text=True, errors="replace", timeout=600,
                          env=dict(os.environ, CMOCKA_MESSAGE_OUTPUT="SUBUNIT"))
    passed = sum(line.startswith("success: ") for line in done.stdout.splitlines())
    failed = sum(line.startswith(("failure: ", "error: ")) for line in done.stdout.splitlines())
    skipped = sum(line.startswith("skip: ") for line in done.stdout.splitlines())
    if done.returncode != 0 or failed or not passed + skipped:
        sys.stdout.write(done.stdout + done.stderr)
        failed = max(failed, 1)
    print(f"{binary.name}: {passed} passed, {failed} failed", flush=True)
    return passed, failed, skipped


def run_pytest(paths, build):
    """Runs pytest over the folders; counts from its report."""
    with tempfile.NamedTemporaryFile(suffix=".xml") as report:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "--durations=5",
             f"--junitxml={report.name}", *paths],
            cwd=ROOT, env=dict(os.environ, MASTHEAD_BUILD=str(build), PYTHONDONTWRITEBYTECODE="1"))
        try:
            suite = ElementTree.parse(report.name).getroot().find("testsuite")
        except ElementTree.ParseError:
            return 0, 1, 0
    bad = int(suite.get("failures")) + int(suite.get("errors"))
    skipped = int(suite.get("skipped"))
    passed = int(suite.get("tests")) - bad - skipped
    return passed, max(bad, 0 if done.returncode == 0 else 1), skipped


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build")
    parser.add_argument("--sanitizers", action="store_true", help="a part again, in the builds asan and tsan below that one")
    parser.add_argument("tests", nargs="*", help="unit test names, tests/unit, or paths for pytest; all when none is given")
    arguments = parser.parse_args()
    build = (ROOT / arguments.build).resolve()

    totals = [0, 0, 0]

    def add(counts):
        for i, count in enumerate(counts):
            totals[i] += count

    paths = [name for name in arguments.tests if name.startswith("tests/") and name != "tests/unit"]
    for unit in units_of(build):
        if not arguments.tests or {unit.name, "tests/unit"} & set(arguments.tests):
            add(run_unit(unit))
    if paths or not arguments.tests:
        add(run_pytest(paths or ["tests/fuzz", "tests/service", "tests/browser"], build))
    for name, (unit_names, services) in SANITIZED.items() if arguments.sanitizers else ():
        print(f"{name}:", flush=True)
        for unit in units_of(build / name):
            if {"*", unit.name.removeprefix("test_")} & set(unit_names):
                add(run_unit(unit))
        add(run_pytest([f"tests/service/test_{service}.py" for service in services], build / name))

    print(f"{totals[0]} passed, {totals[1]} failed" + (f", {totals[2]} skipped" if totals[2] else ""))
    return 1 if totals[1] or not totals[0] else 0


if __name__ == "__main__":
    sys.exit(main())
