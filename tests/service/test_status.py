"""Goal of these tests: one look at /status says what readers see, what is wrong if anything, and what the service does next; and it says
so while everything else is stuck. Nothing from outside stands unescaped in it, no secret stands in it at all."""
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import xml.etree.ElementTree as ElementTree

import pytest

from harness import EDGE, ROOT, SANITIZED, VISITORS, at_place, request, unix, wait_until, whole_earth
from html_validator import validate_html

MUMBAI = "192.0.2.1"
NO_RECORD = "203.0.113.241"
PROMPT_S = 2 if SANITIZED else 0.25  # 50 ms on a machine of its own


def status(service):
    answer = request(service.ops, "/status.json")
    assert answer.status == 200 and answer.headers["Content-Type"] == "application/json"
    return answer.json


def page(service, query=""):
    answer = request(service.ops, "/status" + query)
    assert answer.status == 200 and answer.headers["Content-Type"] == "text/html; charset=utf-8"
    return answer


def readers(addresses, service, times=1):
    for _ in range(times):
        for address in addresses:
            service.visit(address)


def upstream(report, name="open-meteo"):
    return next(row for row in report["upstreams"] if row["provider"] == name)


def test_all_well(masthead):
    masthead.settled(MUMBAI)
    masthead.advance("6m")
    readers([MUMBAI] * 9 + [NO_RECORD], masthead)
    report = status(masthead)
    assert report["level"] == "well"
    assert (report["verdict"], report["cause"], report["next"]) == ("All is well", None, None)
    assert report["readers"] == "Fresh for 90\u00a0% of readers in the last 5 minutes, without a known place for 10\u00a0%"
    assert report["last_hour"]["fresh"][-1] == 9 and report["last_hour"]["unknown"][-1] == 1
    assert sum(n or 0 for n in report["last_day"]["fresh"]) >= 10
    assert report["service"]["cells"] == report["service"]["cells_fresh"] == 1
    assert [cell["cell"] for cell in report["hottest_cells"]] == ["19.1,72.9"]
    assert report["hottest_cells"][0]["asks"] >= 9 and report["oldest_cells"][0]["state"] == "fresh"
    assert upstream(report)["last_success"] and upstream(report)["failing_since"] is None
    assert report["databases"][0]["type"] == "Masthead-Visitors-City" and report["databases"][0]["radii"]


def test_an_outage_is_told_from_its_begin_to_its_end(start, sim):
    """Readers are fresh from curves while it lasts; the page says since when it fails, until when the curves last and when
    the next try is; and that it is over."""
    service = start(settings={"weather.refresh": "1h"})
    service.settled(MUMBAI)
    sim.fault("500")
    service.advance("2h")
    readers([MUMBAI], service)
    failing = wait_until(lambda: status(service)["level"] == "degraded" and status(service), what="the outage on the page")
    row = upstream(failing)
    assert row["failure"] == "its own error, status 5xx" and row["failing_since"] == row["last_failure"]
    since = row["failing_since"][11:16]
    assert (failing["verdict"], failing["cause"]) == (f"open-meteo failing since {since} UTC", "its own error, status 5xx")
    assert re.search(r"^its curves serve until \d\d:\d\d UTC (tomorrow|on \d+ \w+), (asked again .+|being asked again)$", failing["next"]), failing["next"]
    assert failing["service"]["curves_until"] > failing["service"]["now"]

    for _ in range(6):  # as often as it takes to open the breaker
        service.advance("20m")
        readers([MUMBAI, "192.0.2.17", "192.0.2.33"], service)
    opened = wait_until(lambda: upstream(status(service))["breaker_open"] and status(service), what="an open breaker")
    assert upstream(opened)["next_try"] > opened["service"]["now"]
    assert f"asked again at {upstream(opened)['next_try'][11:16]} UTC" in opened["next"]
    assert sum(n or 0 for n in opened["last_hour"]["upstream_failed"]) > 0

    sim.fault("none")
    service.advance("20m")
    wait_until(lambda: readers([MUMBAI], service) or status(service)["level"] == "well", what="the end of the outage")


def test_readers_without_a_number_are_told_with_the_cause_and_the_next_step(start, sim):
    """The share leads: then who fails, since when, and what comes next; first of a budget, then of an outage past `keep`."""
    spent = start(settings={"weather.open_meteo_budget": "2/d", "weather.wait": "0ms"})
    spent.settled("192.0.2.1")
    cells = [f"192.0.2.{last}" for last in range(17, 250, 16)]
    readers(cells, spent, times=3)
    report = wait_until(lambda: (report := status(spent))["level"] == "bad" and report["service"]["cells_in_flight"] == 0 and report,
                        what="a spent budget")
    assert re.search(r"^No temperature for \d+\u00a0% of readers$", report["verdict"]), report["verdict"]
    assert report["cause"] == "open-meteo has spent its 2 requests for the day"
    assert report["next"].endswith("new budget at 00:00 UTC tomorrow")
    assert re.search(r"^Fresh for [\d.]+\u00a0% of readers in the last 5 minutes, without a number for [\d.]+\u00a0%$", report["readers"])

    down = start(settings={"weather.keep": "4h", "weather.refresh": "1h"})
    down.settled(MUMBAI)
    sim.fault("500")
    down.advance("5h")
    readers([MUMBAI], down, times=25)
    report = wait_until(lambda: upstream(report := status(down))["failing_since"] and report["service"]["next_retry"] and report,
                        what="the outage on the page")
    assert report["level"] == "bad"
    assert report["verdict"] == "No temperature for 100\u00a0% of readers"
    assert report["cause"] == f"open-meteo failing since {upstream(report)['failing_since'][11:16]} UTC: its own error, status 5xx"
    assert report["next"] == f"asked again at {report['service']['next_retry'][11:16]} UTC"


def test_all_is_not_well_while_no_reader_has_a_number(start, sim):
    sim.fault("hang")
    service = start(settings={"weather.wait": "0ms"})
    readers(["192.0.2.1", "192.0.2.17", "192.0.2.33"], service)
    report = status(service)
    assert report["level"] == "degraded" and report["service"]["cells_in_flight"] == 3
    assert report["verdict"] == "No temperature for 100\u00a0% of readers"
    assert (report["cause"], report["next"]) == ("Their weather is being fetched (cells under way: 3)", None)


def test_readers_at_no_known_place_are_told(masthead):
    """Readers without a record, that is: none at all is known of them. Addresses that are nobody's say nothing of the databases."""
    readers([NO_RECORD], masthead, times=30)
    assert status(masthead)["level"] == "well"
    readers(["8.8.8.8"], masthead, times=31)
    report = status(masthead)
    assert report["level"] == "bad"
    assert report["verdict"] == "Most readers are at no known place"
    assert report["next"] == "check geoip.databases and visitor.trusted_proxies"
    assert report["readers"] == "Fresh for 0\u00a0% of readers in the last 5 minutes, without a known place for 100\u00a0%"


def test_readers_of_split_pages_are_seen(masthead):
    cell = masthead.settled(MUMBAI)["cell"]
    masthead.advance("6m")
    for _ in range(30):
        masthead.visit(MUMBAI, "/where.json")
        masthead.get(f"/weather.json?cell={cell}")
    report = status(masthead)
    assert (report["verdict"], report["readers"]) == ("All is well", "Fresh for 100\u00a0% of readers in the last 5 minutes")
    assert report["last_hour"]["fresh"][-1] == 30


def test_the_series_of_a_provider_appear_with_its_first_attempt(start, sim):
    sim.fault("500")
    service = start()
    assert not any('provider="open-meteo"' in name for name in service.metrics())
    readers([MUMBAI], service)
    metrics = wait_until(lambda: (metrics := service.metrics())["masthead_upstream_inflight"] == 0 and metrics, what="the failure")
    assert metrics['masthead_upstream_last_success_timestamp_seconds{provider="open-meteo"}'] == 0
    assert metrics['masthead_upstream_requests_total{provider="open-meteo",outcome="http_5xx"}'] == 1


def test_a_spent_budget_is_told_with_its_end(start):
    service = start(settings={"weather.open_meteo_budget": "2/d"})
    readers(["192.0.2.1", "192.0.2.17", "192.0.2.33", "192.0.2.49"], service)
    report = wait_until(lambda: status(service)["level"] == "degraded" and status(service), what="a spent budget")
    (window,) = report["budgets"]
    assert (window["provider"], window["window"], window["remaining"], window["limit"]) == ("open-meteo", "day", 0, 2)
    assert report["verdict"] == "open-meteo has spent its 2 requests for the day"
    assert report["next"].endswith("new budget at 00:00 UTC tomorrow") and window["reset"].endswith("T00:00:00Z")
    assert report["last_day"]["budget_percent"][-1] == 0


def test_an_old_database_is_told(start, tmp_path):
    """The bundled database never ages, so that a copy under another vendor's name has to."""
    old = tmp_path / "city.mmdb"
    old.write_bytes(VISITORS.read_bytes().replace(b"Masthead-Visitors-City", b"MastheadXVisitors-City"))
    service = start(settings={"geoip.databases": str(old)})
    report = status(service)
    assert re.search(r"^A city database is \d+ days old$", report["verdict"]) and report["cause"].startswith("city.mmdb ")
    assert status(service)["databases"][0]["old"] and service.metrics()['masthead_geoip_old{database="city.mmdb"}'] == 1


def test_the_bundled_readers_are_never_old_under_whatever_name(start, tmp_path):
    shutil.copy(VISITORS, tmp_path / "city.mmdb")
    service = start(settings={"geoip.databases": f"{tmp_path}/city.mmdb", "dev.at": "2031-01-31T12:00:00Z"})
    assert not status(service)["databases"][0]["old"] and service.metrics()['masthead_geoip_old{database="city.mmdb"}'] == 0


def test_what_cannot_be_written_is_a_state_on_the_page(start, tmp_path):
    (tmp_path / "file").write_text("")
    service = start(settings={"cache.snapshot": f"{tmp_path}/file/snapshot", "cache.snapshot_every": "1s"})
    report = wait_until(lambda: status(service)["level"] == "degraded" and status(service), what="the failed snapshot")
    assert (report["verdict"], report["cause"]) == ("The snapshot cannot be written", "Not a directory")
    assert report["service"]["snapshot_error"] == "Not a directory" and report["service"]["snapshot_at"] is None
    assert service.visit(MUMBAI).status == 200


def test_a_refused_reload_is_told(start, tmp_path):
    database = tmp_path / "city.mmdb"
    shutil.copy(VISITORS, database)
    service = start(settings={"geoip.databases": str(database)})
    database.write_bytes(b"not a database")
    service.signal(signal.SIGHUP)
    report = wait_until(lambda: status(service)["level"] == "degraded" and status(service), what="the refused reload")
    assert report["verdict"] == "A city database was not replaced" and report["cause"].startswith("city.mmdb: ")
    assert not report["databases"][0]["reload_ok"] and not report["service"]["config_reload_ok"]


def test_a_database_that_was_away_is_healed_but_the_reload_is_not(start, tmp_path):
    """Whatever else the refused configuration said is still not in force, and the page says what it takes."""
    database, aside = tmp_path / "city.mmdb", tmp_path / "aside"
    shutil.copy(VISITORS, database)
    service = start(settings={"geoip.databases": str(database), "geoip.watch": "1s"})
    database.rename(aside)
    service.signal(signal.SIGHUP)
    away = wait_until(lambda: status(service)["level"] == "degraded" and status(service), what="the refused reload")
    assert away["verdict"] == "A city database was not replaced" and "new" not in away["cause"]
    aside.rename(database)
    back = wait_until(lambda: (report := status(service))["databases"][0]["reload_ok"] and report, what="the database")
    assert back["verdict"] == "The last reload was refused"
    assert back["cause"] == "a city database or the file of vague networks could not be loaded, see the log"
    assert back["next"] == "the old configuration is in force until a SIGHUP succeeds"
    service.signal(signal.SIGHUP)
    wait_until(lambda: status(service)["level"] == "well", what="the reload")


def test_a_proxy_that_is_not_configured_is_told(masthead):
    readers(["10.1.2.3"], masthead, times=30)
    report = status(masthead)
    assert report["level"] == "bad" and "visitor.trusted_proxies" in report["cause"]


def test_the_free_host_and_missing_radii_are_warned_about(start, tmp_path):
    """Nobody asks this service, so that it asks nobody."""
    free = {"dev.enabled": "no", "dev.simulated": "no", "weather.open_meteo_url": "https://api.open-meteo.com"}
    without = tmp_path / "city.mmdb"
    without.write_bytes(VISITORS.read_bytes().replace(b"radius", b"rodius"))
    service = start(settings={**free, "geoip.databases": str(without)})
    notes = {finding["fact"]: finding["next"] for finding in status(service)["findings"] if finding["level"] == "note"}
    assert any("non-commercial" in note for note in notes) and notes["No city database has radii"] == "geoip.max_radius has no effect"
    assert not any("Developer mode" in note for note in notes)


def test_draining_is_told(start):
    service = start(settings={"server.drain": "60s"})
    service.signal(signal.SIGTERM)
    report = wait_until(lambda: status(service)["service"]["draining"] and status(service), what="the drain")
    assert report["verdict"].startswith("Draining: ") and not report["service"]["ready"]
    service.signal(signal.SIGTERM)  # cuts the pause short


def test_nothing_from_outside_is_markup_and_no_secret_is_shown(start, tmp_path):
    hostile = tmp_path / "<img src=x onerror=alert(1)>&'\".mmdb"
    shutil.copy(VISITORS, hostile)
    service = start(settings={"geoip.databases": str(hostile), "weather.proxy": "http://user:hunter2@127.0.0.1:1"})
    readers(["203.0.113.17", "203.0.113.33", "203.0.113.49", "203.0.113.65", "203.0.113.81"], service)
    text = page(service).text
    assert "<img" not in text and "&lt;img src=x onerror=alert(1)&gt;&amp;&#39;&quot;.mmdb" in text
    settings = {row["key"]: row for row in status(service)["configuration"]}
    assert settings["geoip.databases"]["value"] == str(hostile)
    assert settings["geoip.databases"]["origin"] == "--set geoip.databases"
    assert settings["weather.proxy"]["value"] == "(set, and secret)"
    assert "hunter2" not in text + str(settings)


def test_the_page_is_valid_and_holds_the_same_facts_as_the_json(masthead):
    masthead.settled(MUMBAI)
    answer, report = page(masthead), status(masthead)
    assert validate_html(answer.text) == []
    assert answer.headers["Refresh"] and "Refresh" not in page(masthead, "?refresh=no").headers
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert not re.search(r"style=|<script|<style| on\w+=", answer.text)
    title, heading = (re.search(f"<{tag}>(.*?)</{tag}>", answer.text, re.S).group(1) for tag in ("title", "h1"))
    assert title == heading == report["verdict"]
    for key, rows in report.items():
        if isinstance(rows, list) and key != "findings":
            assert f'<h2 id="{key}">' in answer.text, key
            for row in rows:
                assert str(next(iter(row.values()))) in answer.text
    for path, kind in {"/status.css": "text/css", "/status/pages.css": "text/css", "/status/map.svg": "image/svg+xml",
                       "/status/icon.svg": "image/svg+xml"}.items():
        asset = request(masthead.ops, path)
        assert asset.status == 200 and asset.headers["Content-Type"].startswith(kind)


@pytest.mark.parametrize("path", ["/status", "/status.json", "/status.css", "/metrics", "/healthz", "/readyz"])
def test_other_methods_and_huge_queries_are_refused(masthead, path):
    for method in ("POST", "DELETE", "OPTIONS"):
        assert request(masthead.ops, path, method).status == 405
    assert request(masthead.ops, path + "?" + "x" * 3000).status == 200
    assert request(masthead.ops, path + "?" + "x" * 20000).status in (400, 413, 414, 431)
    host = request(masthead.ops, path, headers={"Host": "evil.example"}).status
    assert host == (403 if path.startswith("/status") else 200)
    assert request(masthead.ops, path, "HEAD").body == b""


def test_the_history_follows_the_clock(masthead):
    masthead.settled(MUMBAI)
    readers([MUMBAI], masthead, times=5)
    masthead.advance("30m")
    readers([MUMBAI], masthead, times=3)
    hour = status(masthead)["last_hour"]
    assert hour["fresh"][-1] == 3 and sum(n or 0 for n in hour["fresh"]) in (8, 9)  # the first visit may have had no number
    assert hour["fresh"][0] is None and hour["fresh"][-20] == 0
    masthead.advance("2h")
    assert status(masthead)["readers"] == "No readers in the last 5 minutes, 0 in the last hour"
    assert sum(n or 0 for n in status(masthead)["last_day"]["fresh"]) in (8, 9)


@pytest.fixture
def earth_alone(start, sim):
    """A service that asks for no point forecasts and knows the whole earth's weather; every third airport's sensor is stuck at 55 °C."""
    sim.control("clock?at=2026-03-01T12:20:00Z")
    sim.control("fault?kind=stuck&path=metar")
    service = start(settings={"dev.at": "2026-03-01T12:20:00Z", "weather.providers": "", **whole_earth(sim)})
    service.wait_line("weather of the whole earth loaded")
    wait_until(lambda: service.metrics()["masthead_earth_stations"] > 0, what="the airports")
    return service


def test_the_whole_earth_is_on_the_page(earth_alone):
    """Facts, map, and nothing of point forecasts, which nobody asks for."""
    service = earth_alone
    readers([MUMBAI] * 30, service)
    report, answer = status(service), page(service)
    assert (report["verdict"], report["readers"]) == ("All is well", "Fresh for 100\u00a0% of readers in the last 5 minutes")
    assert [finding["level"] for finding in report["findings"]] == ["note"] * 2, "developer mode, simulated weather"
    earth, airports = report["earth"], report["airports"]
    assert (earth["run"], earth["age"], earth["next"]) == ("2026-03-01T06:00:00Z", "2026-03-01T06:00:00Z", "2026-03-01T16:20:00Z")
    assert (earth["fields_missing"], earth["ground"], earth["stopped"], earth["failure"]) == (0, True, False, "")
    assert (earth["until"], earth["loading"], earth["loading_fields"]) == ("2026-03-03T10:00:00Z", None, 0)
    assert earth["bytes_today"] == sum(number for name, number in service.metrics().items() if "earth_received_bytes" in name) > 0
    assert airports["used"] == service.metrics()["masthead_earth_stations"] and airports["off"] > 50
    assert airports["error_kelvin"] == round(service.metrics()["masthead_earth_error_kelvin"], 2) and airports["judged_by"] > 10
    assert airports["model_error_kelvin"] > 0 and airports["next"] > report["service"]["now"] >= airports["read"]
    assert validate_html(answer.text) == []
    assert "No point forecasts are asked." in answer.text and "Requests to weather APIs" not in answer.text
    for words in ("The whole earth", "Airports", f"used {airports['used']}", f"too far off {airports['off']}"):
        assert words in answer.text


def test_the_map_shows_temperatures_stations_and_cells(earth_alone, sim):
    """Each rectangle of four units of the view box has the class of the temperature in its middle, and is drawn once."""
    earth_alone.visit(MUMBAI)
    text = page(earth_alone).text
    svg = text[text.index('<svg class="map earth"'):]
    svg = ElementTree.fromstring(svg[:svg.index("</svg>") + 6])
    paths = {path.get("class"): path.get("d") for path in svg.iter("path") if path.get("class")}
    shown = {}
    for number in range(16):
        for x, y, width, height, back in re.findall(r"M(\d+) (\d+)h(\d+)v(\d+)H(\d+)z", paths[f"t{number}"]):
            assert height == "4" and back == x
            for column in range(int(x) // 4, (int(x) + int(width)) // 4):
                assert (column, int(y) // 4) not in shown
                shown[column, int(y) // 4] = number
    assert len(shown) == 120 * 45
    for column, row in ((0, 0), (60, 20), (86, 19), (119, 44), (30, 10), (100, 40)):
        latitude, longitude = 78 - 3 * (row + 0.5), -180 + 3 * (column + 0.5)
        celsius = sim.synthetic_weather(latitude, longitude, unix("2026-03-01T12:20:00Z"))["celsius"]
        assert abs(celsius - (-32.5 + 5 * shown[column, row])) < 2.5 + 1.5, (latitude, longitude)
    airports = status(earth_alone)["airports"]
    assert airports["used"] / 2 < paths["station"].count("z") <= airports["used"]
    assert airports["off"] / 2 < paths["station off"].count("l") <= airports["off"] * 2
    assert svg.find("g[@class='dot fresh']/path").get("d").count("z") == 1
    label = svg.get("aria-label")
    coldest, hottest = map(int, re.fullmatch(rf"World map of 1 cells and {airports['used']} airports, over temperatures of "
                                             r"(-?\d+) to (-?\d+) °C", label).groups())
    assert -60 < coldest < 0 and 25 < hottest < 50
    assert len(text[text.index('<svg class="map'):].partition("</svg>")[0]) < 60_000


def test_without_the_whole_earth_the_page_says_nothing_of_it(masthead):
    report, text = status(masthead), page(masthead).text
    assert report["earth"] is None and report["airports"] is None
    assert "whole earth" not in text and "scale" not in text and 'class="map"' in text


def findings(service):
    """Each in one line: the fact, its cause, what comes next."""
    return ["; ".join(part for part in (finding["fact"], finding["cause"], finding["next"]) if part)
            for finding in status(service)["findings"] if finding["level"] != "note"]


def test_mirrors_that_fail_are_told_until_the_model_ends(earth_alone, sim):
    """First that the next run is late, then that the numbers are stale, and until when they last; then that there are none."""
    service = earth_alone
    for path in ("gfs-index", "gfs-data"):
        sim.control(f"fault?kind=503&path={path}")
    service.advance("270m")  # the run of 12 h should have come at 16:20, and may be late
    wait_until(lambda: "status 503" in status(service)["earth"]["failure"], what="a failure")
    assert not any("model" in text for text in findings(service))
    service.advance("1h")
    service.visit(MUMBAI)
    assert any(re.match("A run of the whole earth's model is late; .+; its numbers last until 10:00 UTC on 3 Mar, ", text)
               for text in findings(service)), findings(service)
    service.advance("1h")
    assert service.visit(MUMBAI).json["state"] == "stale"
    assert any(re.match("The whole earth's model is stale: of 06:00 UTC; .+; its numbers last until 10:00 UTC on 3 Mar, ", text)
               for text in findings(service)), findings(service)
    service.advance("2d")
    assert service.visit(MUMBAI).json["state"] == "place"
    ended = status(service)
    assert ended["level"] == "bad" and ended["verdict"].startswith("The whole earth's model ended at 10:00 UTC")
    assert 'class="map"' in page(service).text, "no temperature, no colours"


def test_airports_that_cannot_be_read_are_told(earth_alone, sim):
    sim.control("fault?kind=503&path=metar")
    service = earth_alone
    service.advance("31m")
    wait_until(lambda: status(service)["airports"]["failure"], what="a failure")
    assert "The airports' reports are of 12:20 UTC; status 503; read again at 12:52 UTC" in findings(service)
    service.advance("1h")
    wait_until(lambda: status(service)["airports"]["old"], what="old reports")
    report = status(service)["airports"]
    assert report["used"] == 0 and report["error_kelvin"] is None
    assert any(text.startswith("Only 0 of ") and f"{report['old']} reports are too old" in text for text in findings(service))


def descriptors(service):
    return len(os.listdir(f"/proc/{service.child.pid}/fd"))


def memory_kb(service):
    with open(f"/proc/{service.child.pid}/status", encoding="utf-8") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def scrape(service, path, times):
    """So many requests over one connection; returns how long each took, in order."""
    connection = http.client.HTTPConnection(service.ops.removeprefix("http://"), timeout=20)
    taken = []
    for _ in range(times):
        begun = time.monotonic()
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.status == 200 and len(answer.read()) == int(answer.headers["Content-Length"])
        taken.append(time.monotonic() - begun)
    connection.close()
    return sorted(taken)


def test_ten_thousand_scrapes_leave_nothing_behind(masthead):
    masthead.settled(MUMBAI)
    for path, times in (("/metrics", 200), ("/status", 100), ("/status.json", 100)):
        scrape(masthead, path, times)  # each thread has then touched what it will touch
    before = memory_kb(masthead), descriptors(masthead)
    for path, times in (("/metrics", 8000), ("/status", 1000), ("/status.json", 1000)):
        scrape(masthead, path, times)
    assert SANITIZED or memory_kb(masthead) - before[0] < 3000  # a sanitizer holds back what was freed
    assert descriptors(masthead) <= before[1] + 1


def test_operators_are_answered_while_readers_are_not(start, sim):
    """Idle connections hold every thread of the public listener, and the weather API hangs."""
    service = start(settings={"server.threads": "8", "server.keep_alive": "60s", "server.request_timeout": "60s"})
    sim.fault("hang")
    readers([MUMBAI], service)
    idle = [*service.hold(8), *(socket.create_connection(service.address()) for _ in range(8))]
    wait_until(lambda: status(service)["service"]["threads_busy"] == 8, what="no free thread")
    for path in ("/healthz", "/metrics", "/status"):
        taken = scrape(service, path, 200)
        print(f"{path}: median {taken[100] * 1000:.1f} ms, 99th percentile {taken[198] * 1000:.1f} ms")
        assert taken[198] < PROMPT_S, path
    assert status(service)["verdict"] == "8 of 8 threads are held by open connections"
    for connection in idle:
        connection.close()


def test_every_cell_counts(start):
    """More cells than one look into the cache takes; a proxy says where their readers are."""
    service = start(settings={"geoip.headers": ", ".join(EDGE), "weather.open_meteo_budget": "1/d",
                              "weather.wait": "0ms"})
    cells = [(latitude, longitude) for latitude in range(-50, 70, 4) for longitude in range(-180, 180, 12)]
    for latitude, longitude in cells:
        service.get("/where.json", headers=at_place(latitude, longitude))
    report = status(service)["service"]
    assert report["cells"] == len(cells) == report["cells_fresh"] + report["cells_stale"] + report["cells_none"]
    dots = re.search(r'<g class="dot none"><path id="\w+" d="([^"]*)"', page(service).text).group(1)
    assert dots.count("z") >= len(cells) - 1


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
def test_metrics_of_a_service_that_has_seen_everything_pass_promtool(start, sim, tmp_path):
    """Traffic, a failing upstream, an open breaker, a reload, a refused reload; two databases of one name."""
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        shutil.copy(VISITORS, tmp_path / folder / "city.mmdb")
    service = start(settings={"geoip.databases": f"{tmp_path}/a/city.mmdb,{tmp_path}/b/city.mmdb"})
    service.settled(MUMBAI)
    service.reload()
    (tmp_path / "a" / "city.mmdb").write_bytes(b"gone bad")
    service.reload("reload refused")
    sim.fault("500")
    for _ in range(6):
        service.advance("3h")
        readers([MUMBAI, "192.0.2.17", NO_RECORD, "10.0.0.1"], service)
        service.get("/weather.json?cell=nonsense")
        request(service.ops, "/nowhere")
    checked = subprocess.run(["promtool", "check", "metrics"], input=request(service.ops, "/metrics").body, capture_output=True)
    assert checked.returncode == 0 and not checked.stdout and not checked.stderr, checked


def test_every_metric_of_the_contract_is_there(start, sim, readme_metrics):
    service = start(settings={**whole_earth(sim), "fleet.url": "redis://127.0.0.1:1/0"})
    service.settled(MUMBAI)
    service.landed()
    wait_until(lambda: "masthead_earth_error_kelvin" in service.metrics(), what="the airports")
    text = request(service.ops, "/metrics").text
    for name in readme_metrics:
        assert f"# TYPE {name} " in text, name


@pytest.fixture
def readme_metrics():
    """The names in the table of metrics in data/ops/README.md."""
    return sorted(set(re.findall(r"`(masthead_\w+)`", (ROOT / "data" / "ops" / "README.md").read_text(encoding="utf-8"))))


def test_the_world_map_is_small_and_whole(masthead, start):
    """Pages draw on top of a map of dots that needs no tiles: one path of under 64 KB, in developer mode only on the public listener."""
    answer = masthead.get("/dev/map.svg")
    assert answer.status == 200 and answer.headers["Content-Type"] == "image/svg+xml"
    assert len(answer.body) < 64_000
    svg = ElementTree.fromstring(answer.text)
    (path,) = svg
    assert svg.get("viewBox") == "0 0 480 180"
    assert 5000 < path.get("d").count("z") < 10000
    assert start(settings={"dev.enabled": "no"}).get("/dev/map.svg").status == 404
