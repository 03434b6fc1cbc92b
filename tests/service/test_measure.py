"""Goal of these tests: whoever runs a target that measures gets its numbers, on the day when they are wanted."""
import os
import subprocess

import pytest

from harness import BUILD, ROOT

SANITIZE = {"asan": "address,undefined", "tsan": "thread"}.get(BUILD.name, "")


def make(*arguments):
    """What make says on standard output, in the build folder under test."""
    done = subprocess.run(["make", "-s", f"BUILD={os.path.relpath(BUILD, ROOT)}", f"SANITIZE={SANITIZE}", *arguments],
                          cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("target, words", [
    ("measure", ("lookup       median", "invented     0\n", "random addresses of India", "random addresses of the world")),
    ("bench-economy", ("ours, 2 h", "SIEVE", "LRU", "India keeps its promises\n")),
])
def test_a_short_run_prints_the_table(target, words):
    printed = make(target, "SHORT=1")
    for word in words:
        assert word in printed, printed


def test_a_missing_database_is_named():
    done = subprocess.run([BUILD / "measure" / "labels", "no.mmdb", "1"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "") and "no.mmdb" in done.stderr
