"""Goal of these tests: the command, its configuration, its signals; nothing begun is lost, bad input gets one clear line."""
import concurrent.futures
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import threading
import urllib.parse

import pytest

from harness import ROOT, VISITORS, Masthead, command, request, until_closed, wait_until

MUMBAI = "192.0.2.1"


def test_version_help_and_usage():
    assert command("--version").stdout.startswith("masthead ")
    helped = command("--help")
    assert helped.returncode == 0 and "usage:" in helped.stdout and not helped.stderr
    for arguments in (["--nonsense"], ["lookup", "--tables"], ["snippet"], ["snippet", "1.1.1.1", "2.2.2.2"], ["--config"],
                      ["--check-config", "--print-config"]):
        bad = command(*arguments)
        assert bad.returncode == 2 and "usage:" in bad.stderr and not bad.stdout, arguments
    assert "--nonsense: not expected here" in command("--nonsense").stderr
    for arguments in (["--set=cache.capacity=50", "--config=/dev/null"], ["--set", "cache.capacity=50", "--config", "/dev/null"]):
        assert "\ncapacity = 50\n" in command("--print-config", *arguments).stdout
    assert command("--print-config", "--configure=/dev/null").returncode == 2


@pytest.mark.parametrize("text, said", [
    ("[cache]\ncapcity = 5\n", ':2: [cache] unknown key "capcity" (did you mean "capacity"?)'),
    ("[cach]\ncapacity = 50\n", ":1: [cach] unknown section (did you mean \"cache\"?)"),
    ("[weather]\nwait = 250\n", ":2: [weather] wait = \"250\": not a duration: a whole number with the unit ms, s, m, h or d"),
    ("[weather]\nrefresh = 30min\n", "not a duration: a whole number with the unit ms, s, m, h or d"),
    ("[widget]\nlang = xx\n", "these have: en hi bn ta te mr gu kn ml pa ur ar"),
    ("[widget]\nlang = en # english\n", "; a comment needs a line of its own"),
    ("[server]\nhosts = http://www.example.com\n", "no scheme, port, path or wildcard"),
    ("[weather]\nwait = 1h\n", "out of range"),
    ("[server]\nlisten = [::1]:8080\n", "IPv6 listen addresses are not supported"),
    ("[server]\nlisten = localhost\n", "not an IPv4 address and port"),
    ("[server]\nlisten = 127.0.0.1:99999\n", "the port must be 0 to 65535"),
    ("[cache]\ncapacity = 50\ncapacity = 60\n", ":3: [cache] capacity given twice"),
    ("[dev]\nenabled = true\n", "must be yes or no"),
    ("[visitor]\ntrusted_proxies = 10.0.0.1/8\n", "not a network"),
    ("[widget]\nunits = kelvin\n", "must be one of: c f auto"),
    ("[weather]\nopen_meteo_url = http://api.example.com\n", "plain http:// is for loopback only"),
    ("[weather]\nproviders = open-meteo, yahoo\n", "must be a list of: open-meteo"),
    ("nonsense\n", ":1: neither [section] nor key = value"),
    ("[log]\nlevel = " + "x" * 2000 + "\n", ":2: line too long"),
    ("[geoip]\nhome = Mumbai\n", "must be name, country code, latitude, longitude"),
    ("[dev]\nat = 1970-01-01T00:00:00Z\n", ":2: [dev] at = \"1970-01-01T00:00:00Z\": must be after 1970-01-01T00:00:00Z"),
    ("[weather]\nrefresh = 2d\nkeep = 1h\n", "keep is shorter than refresh"),
])
def test_a_bad_configuration_is_one_clear_line_and_exit_2(tmp_path, text, said):
    path = tmp_path / "widget.conf"
    path.write_text(text)
    for mode in ("--check-config", "--print-config"):
        bad = command(mode, "--config", str(path))
        assert bad.returncode == 2 and said in bad.stderr, bad.stderr
        assert len(bad.stderr.splitlines()) == 1, bad.stderr
    assert bad.stderr.startswith((str(path), "configuration:"))


def test_every_error_is_said_at_once(tmp_path):
    path = tmp_path / "widget.conf"
    path.write_text("[cache]\ncapcity = 5\n[weather]\nwait = 1\n[dev]\nenabled = 1\n")
    lines = command("--check-config", "--config", str(path)).stderr.splitlines()
    assert [line.removeprefix(f"{path}:").split(":")[0] for line in lines] == ["2", "4", "6"]


def test_default_file_environment_and_set_in_this_order(tmp_path):
    path = tmp_path / "widget.conf"

    def effective(*arguments, env=None):
        printed = command("--print-config", "--config", str(path), *arguments, env=env)
        assert printed.returncode == 0, printed.stderr
        return next(line for line in printed.stdout.splitlines() if line.startswith("capacity = "))

    path.write_text("")
    assert effective() == "capacity = 100000"
    path.write_text("[cache]\ncapacity = 200\n")
    assert effective() == "capacity = 200"
    assert effective(env={"MASTHEAD__CACHE__CAPACITY": "300"}) == "capacity = 300"
    assert effective("--set", "cache.capacity=400", env={"MASTHEAD__CACHE__CAPACITY": "300"}) == "capacity = 400"
    assert effective(env={"MASTHEAD_CACHE_CAPACITY": "300"}) == "capacity = 200", "single underscores are not ours"
    unknown = command("--print-config", "--config", str(path), env={"MASTHEAD__CACHE__SIZE": "3"})
    assert unknown.returncode == 2 and "MASTHEAD__CACHE__SIZE" in unknown.stderr


def test_what_is_printed_can_be_read_back(tmp_path):
    first = command("--print-config", "--config", str(ROOT / "widget.conf"), "--set", "cache.capacity=123")
    path = tmp_path / "printed.conf"
    path.write_text(first.stdout)
    second = command("--print-config", "--config", str(path))
    assert second.returncode == 0, second.stderr

    def values(text):
        return [line for line in text.splitlines() if not line.startswith("#")]
    assert values(first.stdout) == values(second.stdout) and "capacity = 123" in values(second.stdout)


def test_check_config_fails_without_the_databases(tmp_path):
    good = command("--check-config", "--set", f"geoip.databases={VISITORS}", "--set", f"server.state={tmp_path}")
    bad = command("--check-config", "--set", "geoip.databases=/nowhere.mmdb", "--set", f"server.state={tmp_path}")
    assert good.returncode == 0, good.stderr
    assert bad.returncode == 2 and "/nowhere.mmdb" in bad.stderr


def test_check_config_fails_without_the_key(tmp_path):
    common = ["--check-config", "--set", f"geoip.databases={VISITORS}", "--set", f"server.state={tmp_path}"]
    bad = command(*common, "--set", "weather.open_meteo_key_file=/nowhere.key")
    assert bad.returncode == 2 and "/nowhere.key" in bad.stderr


def test_a_free_host_on_a_public_site_is_warned_about(tmp_path):
    common = ["--check-config", "--set", f"geoip.databases={VISITORS}", "--set", f"server.state={tmp_path}"]
    assert "non-commercial" in command(*common).stderr
    assert "non-commercial" not in command(*common, "--set", "dev.enabled=yes").stderr


@pytest.mark.parametrize("setting, warned", [
    ("visitor.trusted_proxies=0.0.0.0/0", "as wide as the internet"),
    ("visitor.trusted_proxies=127.0.0.0/8,::/0", "as wide as the internet"),
    ("visitor.trusted_proxies=0.0.0.0/1,128.0.0.0/1", "as wide as the internet"),
    ("visitor.trusted_proxies=10.0.0.0/8,fd00::/16", None),
    ("weather.contact=me", "an e-mail address or a URL"),
    ("weather.contact=you@example.org", None),
    ("weather.contact=https://example.org/about", None),
])
def test_what_works_but_hardly_can_be_meant_is_warned_about(tmp_path, setting, warned):
    common = ["--check-config", "--set", f"geoip.databases={VISITORS}", "--set", f"server.state={tmp_path}"]
    done = command(*common, "--set", "weather.open_meteo_url=https://weather.example",
                   "--set", "weather.providers=open-meteo", "--set", setting)
    assert done.returncode == 0
    assert ("level=warn" in done.stderr) == bool(warned) and (warned or "") in done.stderr


@pytest.mark.parametrize("name, address", [("--check-config", []), ("--print-config", []), ("lookup", [MUMBAI]), ("snippet", [MUMBAI])])
def test_what_is_done_at_once_writes_nothing(tmp_path, sim, name, address):
    def listing():
        return {path: path.stat().st_mtime_ns for path in [tmp_path, *tmp_path.rglob("*")]}

    def run(state):
        done = command(name, "--set", f"server.state={state}", "--set", f"geoip.databases={VISITORS}", "--set",
                       "weather.providers=open-meteo", "--set", f"weather.open_meteo_url={sim.url}", *address)
        assert done.returncode == 0 and "takes no copy" not in done.stderr, done.stderr

    before = listing()
    run(tmp_path / "absent")
    run("/proc/nowhere")
    assert listing() == before
    state = tmp_path / "state"
    state.mkdir()
    (state / "cache.snapshot").write_text("a running service's")
    (state / "budgets").write_text("a running service's")
    before = listing()
    run(state)
    assert listing() == before


def test_snippet_prints_the_fragment(tmp_path, sim):
    done = command("snippet", "--set", f"geoip.databases={VISITORS}", "--set", f"server.state={tmp_path}", "--set",
                   f"weather.open_meteo_url={sim.url}", "--set", "weather.providers=open-meteo", MUMBAI)
    assert done.returncode == 0 and 'data-state="fresh"' in done.stdout and "Mumbai" in done.stdout, done.stderr


def test_a_port_that_is_taken_is_one_clear_line_and_exit_1(tmp_path, start):
    taken = start().public.removeprefix("http://")
    second = Masthead(tmp_path / "second", settings={"server.listen": taken}, wait=False)
    assert second.child.wait(20) == 1 and second.stop() == 1, "and its log is read to the end"
    lines = [line for line in second.lines if "level=error" in line]
    assert len(lines) == 1 and "cannot listen" in lines[0] and taken in lines[0], second.log()


def test_without_a_database_it_serves_and_says_so(start):
    service = start(settings={"geoip.databases": "/nowhere/city.mmdb"})
    answer = service.visit(MUMBAI)
    assert answer.status == 200 and answer.json["place"]["verdict"] == "no-database"
    assert not service.ready() and request(service.ops, "/healthz").status == 200
    assert 'file=/nowhere/city.mmdb error="No such file or directory"' in service.log()


@pytest.mark.parametrize("kind", ["empty", "text", "truncated", "folder", "fifo"])
def test_an_unreadable_database_is_no_database(start, tmp_path, kind):
    path = tmp_path / "bad.mmdb"
    whole = VISITORS.read_bytes()
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.write_bytes({"empty": b"", "text": b"no database\n" * 99, "truncated": whole[:len(whole) // 2]}[kind])
    service = start(settings={"geoip.databases": str(path)})
    assert service.visit(MUMBAI).json["place"]["verdict"] == "no-database" and not service.ready()


def test_ready_and_the_ops_pages(masthead):
    assert masthead.ready() and request(masthead.ops, "/healthz").text == "ok\n"
    assert masthead.get("/healthz").text == "ok\n"
    assert request(masthead.ops, "/healthz", headers={"Host": "anything.example"}).status == 200
    assert request(masthead.ops, "/metrics", "POST").status == 405
    assert request(masthead.ops, "/nowhere").status == 404
    head = request(masthead.ops, "/metrics", "HEAD")
    assert head.status == 200 and head.body == b"" and int(head.headers["Content-Length"]) > 1000


def test_counters_agree_with_requests_to_the_last_one(start):
    service = start(settings={"server.threads": "8"})
    service.settled(MUMBAI)
    before = service.metrics()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for answer in pool.map(lambda i: service.visit(MUMBAI), range(400)):
            assert answer.status == 200
    after = service.metrics()

    def rise(name):
        return after[name] - before.get(name, 0)
    assert rise('masthead_http_requests_total{endpoint="widget.json",code="200"}') == 400
    assert rise('masthead_widgets_total{state="fresh",source="geoip"}') == 400
    assert rise('masthead_place_lookups_total{verdict="city"}') == 400
    assert rise('masthead_cache_lookups_total{result="hit"}') == 400
    assert rise("masthead_http_request_duration_seconds_count") == 400


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
def test_metrics_pass_promtool(masthead):
    masthead.settled(MUMBAI)
    masthead.get("/widget.json?nonsense=1")
    text = request(masthead.ops, "/metrics").body
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True)
    assert checked.returncode == 0 and not checked.stdout and not checked.stderr, checked


def test_no_address_and_no_city_in_metrics_or_log(masthead):
    masthead.settled(MUMBAI)
    for text in (request(masthead.ops, "/metrics").text, masthead.log()):
        assert MUMBAI not in text and "Mumbai" not in text


def test_hangup_reloads_databases(start, tmp_path):
    path = tmp_path / "city.mmdb"
    service = start(settings={"geoip.databases": str(path)})
    assert not service.ready()
    shutil.copy(VISITORS, path)
    service.signal(signal.SIGHUP)
    wait_until(service.ready, what="the reload")
    assert service.visit(MUMBAI).json["place"]["name"] == "Mumbai"
    path.write_bytes(b"broken")
    service.reload("reload refused, nothing changed")
    assert service.visit(MUMBAI).json["place"]["name"] == "Mumbai" and service.ready()
    metrics = service.metrics()
    assert metrics["masthead_config_last_reload_successful"] == 0
    assert metrics['masthead_geoip_last_reload_successful{database="city.mmdb"}'] == 0


def test_a_changed_file_is_noticed(start, tmp_path):
    path = tmp_path / "city.mmdb"
    service = start(settings={"geoip.databases": str(path), "geoip.watch": "1s"})
    assert not service.ready()
    shutil.copy(VISITORS, tmp_path / "new")
    (tmp_path / "new").rename(path)
    wait_until(service.ready, what="the watch")


def test_truncating_the_file_in_place_harms_nobody(start, tmp_path):
    path = tmp_path / "city.mmdb"
    shutil.copy(VISITORS, path)
    service = start(settings={"geoip.databases": str(path)})
    path.write_bytes(b"")
    assert service.visit(MUMBAI).json["place"]["name"] == "Mumbai"


def test_reload_of_the_configuration_is_all_or_nothing(start, tmp_path):
    path = tmp_path / "widget.conf"
    settings = {"geoip.databases": None}
    path.write_text(f"[geoip]\ndatabases = {VISITORS}\n")
    service = start(config=path, settings=settings)
    path.write_text(f"[geoip]\ndatabases = {VISITORS}\nhome = Pune, IN, 18.52, 73.86\n[cache]\ncapacity = 77\n")
    service.reload(r"\[cache\] capacity: only a restart can change this")
    service.wait_line("reload refused, nothing changed")
    assert service.get("/widget.json").json["place"]["name"] is None
    # The same written in another way is no change.
    path.write_text(f"[geoip]\ndatabases = {VISITORS}\nhome = Pune, IN, 18.52, 73.86\n[weather]\nkeep = 2d\n")
    service.signal(signal.SIGHUP)
    wait_until(lambda: service.get("/widget.json").json["place"]["name"] == "Pune", what="the reload")
    path.write_text("[geoip]\nhome = nowhere\n")
    service.reload(r"widget.conf:2: \[geoip\] home")
    assert service.get("/widget.json").json["place"]["name"] == "Pune"


def test_hangup_reads_the_file_of_the_start_and_no_other(start, tmp_path):
    path = tmp_path / "widget.conf"
    home = "[geoip]\nhome = {}, IN, 18.52, 73.86\n"
    here = ("env", "-C", str(tmp_path))

    def shown(service):
        return service.get("/widget.json").json["place"]["name"]

    without = start(prefix=here)
    path.write_text(home.format("Pune"))
    without.reload()
    assert shown(without) is None, "one that came later is not looked for"

    service = start(prefix=here)
    assert shown(service) == "Pune"
    path.unlink()
    service.reload(r"widget\.conf: No such file")
    service.wait_line("reload refused, nothing changed")
    assert shown(service) == "Pune"
    path.write_text(home.format("Poona"))
    service.signal(signal.SIGHUP)
    wait_until(lambda: shown(service) == "Poona", what="the reload")


def test_hangups_in_any_number_are_harmless(start):
    service = start()
    stop = threading.Event()

    def ask():
        answers = 0
        while not stop.is_set():
            assert service.visit(MUMBAI).status == 200
            answers += 1
        return answers

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        asking = [pool.submit(ask) for _ in range(2)]
        before = service.metrics()["process_open_fds"]
        for _ in range(200):
            service.signal(signal.SIGHUP)
        wait_until(lambda: sum("msg=reloaded" in line for line in service.lines) >= 1, what="a reload")
        stop.set()
        assert all(future.result() > 0 for future in asking)
    wait_until(lambda: service.metrics()["process_open_fds"] <= before + 2, what="descriptors to be given back")


def test_the_drain_pause_is_seen_by_readyz_and_can_be_cut_short(start):
    service = start(settings={"server.drain": "600s"})
    service.signal(signal.SIGTERM)
    wait_until(lambda: not service.ready(), what="readyz to turn")
    assert service.visit(MUMBAI).status == 200, "still serving during the pause"
    service.signal(signal.SIGTERM)
    assert service.child.wait(20) == 0


def test_hangups_do_not_make_the_drain_pause_longer(start):
    service = start(settings={"server.drain": "1s"})
    service.signal(signal.SIGTERM)
    wait_until(lambda: not service.ready(), what="readyz to turn")

    def ended():
        service.signal(signal.SIGHUP)
        return service.child.poll() is not None
    wait_until(ended, limit_s=8, what="the end")
    assert service.child.returncode == 0


def hammer(base, lost, served):
    """Asks over kept-open connections until refused; a sent request without its whole answer is lost."""
    parts = urllib.parse.urlsplit(base)
    while True:
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
        try:
            connection.connect()
        except OSError:
            return
        try:
            while True:
                connection.request("GET", "/widget.json", headers={"X-Forwarded-For": MUMBAI})
                response = connection.getresponse()
                response.read()
                served.append(1)
                if response.headers.get("Connection") == "close":
                    break
        except (http.client.HTTPException, OSError) as error:
            lost.append(repr(error))
        finally:
            connection.close()


@pytest.mark.parametrize("threads, readers", [(64, 40), (4, 100)])
def test_no_request_is_lost_at_the_end(start, threads, readers):
    """With a thread for each connection; and with so few that civetweb's queue and the kernel's are in use."""
    service = start(settings={"server.threads": str(threads)})
    service.settled(MUMBAI)
    lost, served = [], []
    asking = [threading.Thread(target=hammer, args=(service.public, lost, served)) for _ in range(readers)]
    for thread in asking:
        thread.start()
    wait_until(lambda: len(served) > 400, what="load")
    service.signal(signal.SIGTERM)
    assert service.child.wait(20) == 0
    for thread in asking:
        thread.join(20)
    assert not lost, lost[:5]


def test_requests_that_wait_for_a_thread_are_answered_at_the_end(start):
    """Silent connections hold all threads; behind them civetweb's queue and the kernel's are in use."""
    service = start(settings={"server.threads": "4", "server.request_timeout": "60s"})
    idle = [socket.create_connection(service.address(), timeout=20) for _ in range(4)]
    waiting = []
    for _ in range(100):
        waiting.append(socket.create_connection(service.address(), timeout=20))
        waiting[-1].sendall(b"GET /widget.json HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n")
    service.signal(signal.SIGTERM)
    answers = [until_closed(connection) for connection in waiting]
    assert all(answer.startswith(b"HTTP/1.1 200 ") for answer in answers), answers
    assert service.child.wait(20) == 0
    for connection in idle:
        assert connection.recv(1) == b""


def test_draining_takes_no_processor_time(start, sim):
    service = start(settings={"weather.wait": "2s"})
    sim.fault("hang")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        asked = pool.submit(service.visit, MUMBAI)
        wait_until(lambda: service.metrics()['masthead_http_threads{state="busy"}'] == 1, what="the reader to wait")
        before_s = service.processor_s()
        service.signal(signal.SIGTERM)
        assert asked.result().json["state"] == "place"
    os.waitid(os.P_PID, service.child.pid, os.WEXITED | os.WNOWAIT)
    assert service.processor_s() - before_s < 0.7, "of about two seconds"
    assert service.child.wait(20) == 0


def test_waiting_readers_are_answered_at_the_end(start, sim):
    service = start(settings={"weather.wait": "1s", "server.threads": "64"})
    sim.fault("hang")
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        asked = [pool.submit(service.visit, MUMBAI) for _ in range(12)]
        wait_until(lambda: service.metrics()['masthead_http_threads{state="busy"}'] >= 12, what="readers to wait")
        service.signal(signal.SIGTERM)
        assert all(future.result().json["state"] == "place" for future in asked)
    assert service.child.wait(20) == 0


def test_it_starts_within_a_second(tmp_path, sim):
    import time
    begun = time.monotonic()
    service = Masthead(tmp_path, sim)
    assert service.visit(MUMBAI).status == 200
    took = time.monotonic() - begun
    assert service.stop() == 0
    assert took < 2, f"{took:.2f} s; a second, and as much again for a loaded machine"


def test_the_frozen_clock(start):
    service = start(settings={"dev.at": "2026-01-31T23:30:00Z"}, simulator=None)
    clock = request(service.ops, "/dev/clock?advance=0s", "POST").text.strip()
    assert clock == "2026-01-31T23:30:00Z"
    assert request(service.ops, "/dev/clock?advance=3h", "POST").text.strip() == "2026-02-01T02:30:00Z"
    for wrong in ("advance=3", "advance=", "", "advance=1y", "go=3h", "advance=99999999999d"):
        assert request(service.ops, "/dev/clock?" + wrong, "POST").status == 400


def test_nothing_outside_the_state_folder_is_written(start, tmp_path):
    before = {path for path in ROOT.rglob("*") if ".git" not in path.parts and "build" not in path.parts}
    service = start()
    service.settled(MUMBAI)
    assert service.stop() == 0
    after = {path for path in ROOT.rglob("*") if ".git" not in path.parts and "build" not in path.parts}
    assert {path for path in after - before if "__pycache__" not in path.parts and pathlib.Path(path).suffix != ".pyc"} \
        == set()
