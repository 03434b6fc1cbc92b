"""Goal of these tests: whoever runs one of the rarer targets gets what its line in `make help` says, on the day when it is
wanted. Long ones run in a short form."""
import json
import os
import shlex
import subprocess

import pytest

from harness import BUILD, ROOT, SANITIZED
from npm import FOLDER

SANITIZE = {"asan": "address,undefined", "tsan": "thread"}.get(BUILD.name, "")


def make(*arguments, build=os.path.relpath(BUILD, ROOT)):
    """What make says on standard output; it knows nothing of a make that runs the tests."""
    env = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "TESTS")}
    done = subprocess.run(["make", "-s", f"BUILD={build}", f"SANITIZE={SANITIZE}", *arguments], cwd=ROOT, env=env,
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("target, words", [
    ("measure", ("lookup       median", "invented     0\n", "random addresses of India", "random addresses of the world", "| World, IPv6 networks |")),
    ("bench", ("civetweb, a constant", "a run of the grid loads", "answers a second", "first with a number")),
    ("bench-economy", ("ours, 2 h", "SIEVE", "LRU", "India keeps its promises\n")),
])
def test_a_short_measurement_prints_its_table(target, words):
    printed = make(target, "SHORT=1")
    for word in words:
        assert word in printed, printed


def test_a_missing_database_is_named():
    done = subprocess.run([BUILD / "measure" / "labels", "no.mmdb", "1"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "") and "no.mmdb" in done.stderr


def test_compile_commands_are_complete_and_compile(tmp_path):
    make("compile-commands", build=tmp_path)
    commands = {entry["file"]: entry for entry in json.loads((tmp_path / "compile_commands.json").read_text())}
    sources = {str(path.relative_to(ROOT)) for path in (ROOT / "src").rglob("*.c")}
    assert sources <= set(commands) and "tests/unit/test_text.c" in commands
    entry = commands["src/base/text.c"]
    (tmp_path / "obj" / "base").mkdir(parents=True)
    subprocess.run(entry["command"], shell=True, cwd=entry["directory"], check=True)


def test_sanitizers_see_a_signed_overflow_and_end_the_program(tmp_path):
    make("compile-commands", "SANITIZE=address,undefined", build=tmp_path)
    commands = {entry["file"]: entry["command"] for entry in json.loads((tmp_path / "compile_commands.json").read_text())}
    (tmp_path / "sum.c").write_text("#include <stdio.h>\nint main(int count, char **words)\n{\n    (void)words;\n"
                                    "    return printf(\"%d\", 2147483647 + count) < 0;\n}\n")
    flags = [word for word in shlex.split(commands["src/base/text.c"])[1:]
             if word.startswith("-") and word not in ("-c", "-o", "-MMD", "-MP")]
    subprocess.run(["gcc", *flags, "-pie", "-o", tmp_path / "sum", tmp_path / "sum.c"], check=True)
    done = subprocess.run([tmp_path / "sum"], capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and "signed integer overflow" in done.stderr and done.stdout == ""


def test_format_gives_a_file_the_projects_form(tmp_path):
    text = (ROOT / "src" / "base" / "notify.c").read_text()
    (tmp_path / "notify.c").write_text(text.replace("    ", "\t\t").replace(" = ", "="))
    make("format", f"FILES={tmp_path / 'notify.c'}")
    assert (tmp_path / "notify.c").read_text() == text


@pytest.mark.skipif(SANITIZED or BUILD.name == "coverage", reason="a build of its own that is the same in every build")
def test_coverage_tells_rooms_apart(tmp_path):
    printed = make("coverage", "TESTS=test_words", f"NPM={FOLDER}", build=tmp_path)
    shares = {room: float(share) for share, room in (line.split(" %  ") for line in printed.splitlines() if " %  " in line)}
    assert 0 < shares["(all)"] < shares["widget"] < 100 and shares["sim"] == 0, printed
    make("clean", build=tmp_path)
    assert not tmp_path.exists()
