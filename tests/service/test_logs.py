"""Goal of these tests: the log tells an operator what to act on, an access line tells what was answered, and neither holds
anything of a reader that was not asked for, nor anything of a request that could pass for a line of its own."""
import json
import os
import re

import pytest

from harness import BUILD, KEY, VISITORS, raw, wait_until

MUMBAI, MUMBAI6 = "192.0.2.1", "2001:db8:10::1"


def fields(line):
    """A logfmt line as a dictionary; every byte of it must belong to a field."""
    found = re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|[^\s"]*)(?: |$)', line)
    assert " ".join(f"{key}={value}" for key, value in found) == line, line
    return {key: value.strip('"') for key, value in found}


def answered(service, count):
    """The first `count` access lines, once they are there."""
    def lines():
        return [line for line in service.lines if "answered" in line]
    return wait_until(lambda: lines()[:count] if len(lines()) >= count else None, what=f"{count} access lines")


def test_without_being_asked_nothing_is_said_of_answers(start):
    service = start()
    service.settled(MUMBAI)
    assert service.stop() == 0
    assert "answered" not in service.log() and MUMBAI not in service.log()


def test_a_line_for_each_answer(start):
    service = start(settings={"log.access": "yes", "geoip.home": "Pune, IN, 18.52, 73.86", "log.level": "error", "weather.wait": "2s"})
    for path, method in (("/widget.json", "GET"), ("/widget.txt", "HEAD"), ("/masthead.js", "GET"), ("/nowhere", "GET"),
                         ("/weather.json", "GET"), ("/widget", "POST")):
        service.visit(MUMBAI, path, method=method)
    service.get("/where.json", headers={"X-Forwarded-For": "10.0.0.1"})
    rows = [fields(line) for line in answered(service, 7)]
    assert [(row["method"], row["endpoint"], row["status"]) for row in rows] == [
        ("GET", "widget.json", "200"), ("HEAD", "widget.txt", "200"), ("GET", "assets", "200"), ("GET", "other", "404"),
        ("GET", "weather.json", "400"), ("POST", "widget", "405"), ("GET", "where.json", "200")]
    assert [(row.get("state"), row.get("source")) for row in rows] == [
        ("fresh", "geoip"), ("fresh", "geoip"), (None, None), (None, None), (None, None), (None, None),
        ("place", "home")]
    assert all(0 <= int(row["us"]) < 10_000_000 and row["level"] == "info" and "visitor" not in row for row in rows)


@pytest.mark.parametrize("kept, v4, v6", [("none", None, None), ("network", "192.0.2.0/24", "2001:db8:10::/48"),
                                          ("full", MUMBAI, MUMBAI6)])
def test_a_reader_is_left_out_cut_or_whole(start, kept, v4, v6):
    service = start(settings={"log.access": "yes", "log.visitor": kept})
    service.visit(MUMBAI)
    service.visit(MUMBAI6)
    service.visit("garbage")
    service.get("/masthead.js", headers={"X-Forwarded-For": MUMBAI})
    rows = [fields(line) for line in answered(service, 4)]
    assert [row.get("visitor") for row in rows] == [v4, v6, None, None]
    if kept != "full":
        assert MUMBAI + " " not in service.log() + " " and MUMBAI6 not in service.log()


def test_a_hangup_turns_access_lines_on_and_off(start, tmp_path):
    path = tmp_path / "widget.conf"
    path.write_text("[log]\n")
    service = start(config=path)
    service.visit(MUMBAI)
    path.write_text("[log]\naccess = yes\nvisitor = network\nformat = json\n")
    service.reload('"msg":"reloaded"')
    service.visit(MUMBAI)
    row = json.loads(answered(service, 1)[0])
    assert row["endpoint"] == "widget.json" and row["visitor"] == "192.0.2.0/24" and isinstance(row["us"], int)
    path.write_text("[log]\n")
    service.reload()
    service.visit(MUMBAI)
    assert service.stop() == 0
    assert len([line for line in service.lines if "answered" in line]) == 1


def test_nothing_from_outside_is_unescaped(start):
    service = start(settings={"log.access": "yes", "log.visitor": "full", "log.level": "debug"})
    for head in (b"GET /widget\x1b[31m HTTP/1.1\r\nHost: x\r\n", b"EVIL\x07 / HTTP/1.1\r\nHost: x\r\n",
                 b"GET /widget?lang=a%0alevel%3derror HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 1.1.1.1 level=error\r\n",
                 b"level=error\" msg=forged / HTTP/1.1\r\nHost: x\r\n", b"\x00\xff\xfe\r\n", b"GET\tx\r\n"):
        raw(service.public, head + b"Connection: close\r\n\r\n")
    service.visit(MUMBAI)
    answered(service, 2)
    assert service.stop() == 0
    for line in service.lines:
        assert line.isprintable(), repr(line)
        assert fields(line).get("level") != "error" and fields(line)["time"], line


def test_a_secret_is_in_no_line(start, key_file, sim):
    service = start(settings={"weather.open_meteo_key_file": key_file, "log.level": "debug", "log.access": "yes",
                              "weather.proxy": "http://user:hush@127.0.0.1:9"})
    service.visit(MUMBAI)
    wait_until(lambda: "weather not fetched" in service.log(), what="the failure")
    service.reload("reloaded")
    assert service.stop() == 0
    assert KEY not in service.log() and "hush" not in service.log()


def test_what_repeats_is_said_once_a_minute(start, sim):
    service = start(settings={"weather.timeout": "1s"})
    sim.fault("500")
    for i in range(5):
        service.visit(f"192.0.2.{1 + 16 * i}")
        service.advance("3m")
    wait_until(lambda: "provider left alone" in service.log(), what="the breaker")
    assert service.log().count("weather not fetched") == 1


def test_faults_of_a_reload_are_events_like_others(start, tmp_path):
    path = tmp_path / "widget.conf"
    path.write_text("[log]\nformat = json\n")
    service = start(config=path, settings={"log.format": None}, wait=False)
    service.wait_line('"msg":"ready"')
    path.write_text("[log]\nformat = json\nlevel = \x1b[31mloud\n[geoip]\nhome = \"nowhere\"\n")
    service.reload("reload refused")
    assert service.stop() == 0
    rows = [json.loads(line) for line in service.lines]
    faults = [row["fault"] for row in rows if row["level"] == "error" and "fault" in row]
    assert len(faults) == 2 and "[log] level" in faults[0] and "[geoip] home" in faults[1]


def test_priorities_go_to_the_journal(tmp_path, sim):
    """As systemd starts it: standard error is a socket whose device and inode JOURNAL_STREAM names."""
    import socket
    import subprocess
    ours, theirs = socket.socketpair()
    status = os.fstat(theirs.fileno())
    child = subprocess.Popen([str(BUILD / "masthead"), "--set", "server.listen=127.0.0.1:0", "--set", "server.ops_listen=127.0.0.1:0", "--set", "earth.grid=no",
                              "--set", f"server.state={tmp_path}", "--set", f"geoip.databases={VISITORS},/nowhere.mmdb",
                              "--set", f"weather.open_meteo_url={sim.url}"], stderr=theirs,
                             env={**os.environ, "JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"})
    theirs.close()
    lines = []
    with ours.makefile(encoding="utf-8") as journal:
        for line in journal:
            lines.append(line)
            if "msg=ready" in line:
                child.terminate()
    assert child.wait(20) == 0
    ours.close()
    assert all(re.match(r"<[3467]>time=", line) for line in lines), lines
    assert any(line.startswith("<4>") and "not loaded" in line for line in lines)
    assert any(line.startswith("<6>") and "msg=ready" in line for line in lines)
