"""`masthead lookup` tells the places of addresses, of a few or of a log's millions: each with its own result at once, as JSON
lines or as a table on a terminal, and what is no address is said without losing the others."""
import json
import os
import pty
import random
import resource
import subprocess

import pytest
from harness import BUILD, ROOT, VISITORS, command

MUMBAI = "192.0.2.1"


@pytest.fixture
def options(tmp_path):
    return ["--config", "/dev/null", "--set", f"geoip.databases={VISITORS}", "--set", f"server.state={tmp_path}"]


def rows(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_it_says_place_verdict_and_why(options):
    done = command("lookup", *options, MUMBAI, "10.0.0.1", "203.0.113.1", "8.8.8.8", "2001:db8::1")
    assert done.returncode == 0, done.stderr
    mumbai, private, vague, absent, _ = rows(done)
    assert mumbai["verdict"] == "city" and mumbai["name"] == "Mumbai" and mumbai["matched"] == "192.0.2.0/28"
    assert mumbai["database"] == str(VISITORS) and mumbai["record"]["city"] == "Mumbai"
    assert private["verdict"] == "private" and private["record"] is None
    assert vague["verdict"] == "too-vague" and vague["reason"]
    assert absent["verdict"] == "not-found"
    assert json.loads(command("lookup", *options, "--pretty", MUMBAI).stdout)["name"] == "Mumbai"


def test_without_words_it_reads_standard_input(options):
    words = command("lookup", *options, MUMBAI, "2001:db8::1", "10.0.0.1")
    lines = command("lookup", *options, input=f"{MUMBAI}\r\n\n  2001:db8::1\t\n10.0.0.1")
    assert lines.returncode == 0 and lines.stdout == words.stdout and lines.stdout.count("\n") == 3
    assert command("lookup", *options, input="").returncode == 0


def test_what_is_no_address_is_said_and_the_others_are_answered(options):
    hostile = ["mumbai", "192.0.2.1:80", "1.2.3", "\x1b[2J", "<script>", "9" * 20000, f"{MUMBAI}{' ' * 9000}x"]
    done = command("lookup", *options, input="\n".join([MUMBAI, *hostile, MUMBAI]) + "\n")
    first, *errors, last = rows(done)
    assert done.returncode == 2 and "7 of 9 are no IP addresses" in done.stderr
    assert first == last and first["name"] == "Mumbai"
    assert [error["line"] for error in errors] == [2, 3, 4, 5, 6, 7, 8]
    assert all(error["error"] == "not an IP address" and said.startswith(error["address"])
               for error, said in zip(errors, hostile))
    assert max(map(len, done.stdout.splitlines())) < 1500

    words = command("lookup", *options, "mumbai", MUMBAI)
    assert words.returncode == 2 and rows(words)[0] == {"address": "mumbai", "line": None, "error": "not an IP address"}
    assert rows(words)[1]["name"] == "Mumbai"


def test_bytes_that_are_no_text_are_one_line_too(options):
    done = subprocess.run([BUILD / "masthead", "lookup", *options], input=b"\xff\xfe\n\x00\n192.0.2.1\x00\n192.0.2.1\n",
                          capture_output=True, timeout=60)
    assert [json.loads(line).get("name") for line in done.stdout.splitlines()] == [None, None, None, "Mumbai"]


def test_an_answer_comes_before_the_next_question(options):
    """So that a program may hold it open and ask one address after the other."""
    with subprocess.Popen([BUILD / "masthead", "lookup", *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, bufsize=0) as process:
        for address in (MUMBAI, "nobody", "10.0.0.1"):
            process.stdin.write(f"{address}\n".encode())
            assert json.loads(process.stdout.readline())["address"] == address
        process.stdin.close()
        assert process.wait(10) == 2


def on_terminal(*arguments, text=""):
    """What a terminal of its own shows."""
    ours, theirs = pty.openpty()
    with subprocess.Popen([BUILD / "masthead", "lookup", *arguments], stdin=subprocess.PIPE, stdout=theirs,
                          stderr=subprocess.DEVNULL) as process:
        os.close(theirs)
        process.stdin.write(text.encode())
        process.stdin.close()
        shown = b""
        try:
            while read := os.read(ours, 4096):
                shown += read
        except OSError:  # its other end is closed
            pass
    os.close(ours)
    return shown.decode().replace("\r\n", "\n")


def test_a_terminal_shows_a_table_unless_asked(options):
    header, *lines = on_terminal(*options, text=f"{MUMBAI}\nx\x1b[2Jx\n203.0.113.1\n2001:db8::1\n10.0.0.1\n").splitlines()
    assert header.split() == ["ADDRESS", "VERDICT", "WHY", "PLACE"]
    assert lines[0].split(maxsplit=4) == [MUMBAI, "city", "confirmed", "IN", "Mumbai, Maharashtra"]
    assert lines[1].split(maxsplit=2)[1:] == ["error", "not an IP address"] and "\x1b" not in lines[1]
    assert lines[2].split()[:3] == ["203.0.113.1", "too-vague", json.loads(command("lookup", *options, "203.0.113.1").stdout)["reason_code"]]
    assert lines[4].split() == ["10.0.0.1", "private"]
    assert {line.index(word) for line, word in zip([header, *lines], ["PLACE", "Mumbai", "not an"])} == {header.index("PLACE")}
    assert json.loads(on_terminal(*options, "--json", MUMBAI))["name"] == "Mumbai"


def test_failing_input_and_output_are_failures(options):
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([BUILD / "masthead", "lookup", *options, MUMBAI], stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 1 and b"lookup: No space left" in done.stderr
    done = command("lookup", *options, stdin=os.open(ROOT, os.O_RDONLY))
    assert done.returncode == 1 and "lookup: Is a directory" in done.stderr
    endless = subprocess.Popen(["yes", MUMBAI], stdout=subprocess.PIPE)
    with subprocess.Popen([BUILD / "masthead", "lookup", *options], stdin=endless.stdout, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(10) == 1 and b"Broken pipe" in process.stderr.read()
    endless.stdout.close()
    endless.wait(10)


def cpu_s(options, text):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert command("lookup", *options, input=text).stdout.count("\n") == text.count("\n")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_a_log_takes_no_long_time(options, city_databases):
    """Addresses from everywhere, each another: the least that its memory of records can help. The bound is a third of what a
    quiet machine does, since this one may be busy or the program built to be examined."""
    choice = random.Random(1)
    text = "".join(f"{choice.randrange(1, 224)}.{choice.randrange(256)}.{choice.randrange(256)}.{choice.randrange(256)}\n"
                   for _ in range(100000))
    options = [*options, "--set", f"geoip.databases=" + city_databases.split(",")[0]]
    assert cpu_s(options, text) - cpu_s(options, "192.0.2.1\n") < 3
