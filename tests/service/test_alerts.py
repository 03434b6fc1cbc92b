"""Goal of these tests: each shipped alert fires in its incident, and only it, and ends with what the runbook says to do; on an
ordinary evening none fires. An incident is scripted on the running service, with the simulator's faults and the moved clock,
minute by minute; what /metrics said is then played back to Prometheus' own rule tester."""
import concurrent.futures
import datetime
import re
import socket
import shutil
import subprocess

import pytest
import yaml

from harness import ROOT, VISITORS, Masthead, Simulator, request, wait_until, whole_earth

pytestmark = pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")

RULES = ROOT / "data" / "ops" / "alerts.yml"
INDIA = [f"192.0.2.{last}" for last in range(1, 250, 16)]
WORLD = [f"198.51.100.{last}" for last in range(1, 250, 16)]
MORNING = "2026-01-31T08:00:05Z"
SNAPSHOT_LAG_S = 1200  # snapshots keep real time; a minute here passes in a moment
SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})?$")
FIRING = 'group by (alertname) (ALERTS{alertstate="firing"})'
EVER_FIRED = 'group by (alertname) (count_over_time(ALERTS{alertstate="firing"}[1d]))'


class Recording:
    """A service in its own small world, whose metrics are scraped once a minute of its clock."""

    processes = []

    def __init__(self, folder, at=MORNING, earth=False, **settings):
        self.folder = folder
        folder.mkdir()
        (folder / "city.mmdb").write_bytes(VISITORS.read_bytes().replace(b"Masthead-Visitors", b"MastheadXVisitors"))  # this one ages
        self.config = folder / "widget.conf"
        self.config.write_text("")
        self.sim = Simulator("--at", at)
        self.processes.append(self.sim)
        self.settings = {"geoip.databases": str(folder / "city.mmdb"), "cache.snapshot_every": "1s"}
        if earth:
            self.settings.update({**whole_earth(self.sim), "earth.metar_every": "20m"})
        self.start(at, **settings)
        self.began_s = datetime.datetime.fromisoformat(at).timestamp()
        self.watch_snapshots = True
        self.scrapes = [self.service.metrics()]

    def start(self, at, **settings):
        self.settings.update({key.replace("__", "."): value for key, value in settings.items()})
        self.service = Masthead(self.folder / "state", self.sim, config=self.config, settings={"dev.at": at, **self.settings})
        self.processes.append(self.service)

    def restart(self, **settings):
        assert self.service.stop() == 0
        now = datetime.datetime.fromtimestamp(self.began_s + 60 * (len(self.scrapes) - 1), datetime.timezone.utc)
        self.start(now.strftime("%Y-%m-%dT%H:%M:%SZ"), **settings)

    def earth(self):
        """What the status page says of the whole earth: its run, and the airports."""
        report = request(self.service.ops, "/status.json").json
        return report["earth"], report["airports"]

    def earth_loaded(self):
        self.service.wait_line("weather of the whole earth loaded")
        wait_until(lambda: self.earth()[1]["used"] > 0, what="the airports")

    def airports_read(self, _minute=None):
        """Waits for the reports that are due, unless none are fetched; their thread looks at the clock once a second of real time."""
        def done():
            report = request(self.service.ops, "/status.json").json
            return report["earth"]["stopped"] or report["airports"]["next"] > report["service"]["now"]
        wait_until(done, what="the airports")

    def visit(self, *addresses):
        for address in addresses:
            self.service.visit(address)

    def minutes(self, count, *addresses, each=None):
        """Lets minutes pass; in each the readers come, and `each` happens."""
        for minute in range(count):
            self.service.advance("1m")
            if each:
                each(minute)
            self.visit(*addresses)
            self.service.landed()
            self.scrapes.append(self.scrape())

    def scrape(self):
        """What is scraped at this minute, once the snapshot is as fresh as it would be if real time had passed too."""
        now_s = self.began_s + 60 * len(self.scrapes)

        def recent():
            metrics = self.service.metrics()
            written_s = metrics["masthead_snapshot_last_success_timestamp_seconds"]
            return metrics if not self.watch_snapshots or now_s - written_s < SNAPSHOT_LAG_S else None
        return wait_until(recent, what="a snapshot")

    def series(self):
        """Series for the rule tester, whose clock begins at 0, and with it everything that is a time."""
        names = set(re.findall(r"\b(?:masthead|process)_\w+", RULES.read_text()))

        def value_of(scrape, key, name):
            value = scrape.get(key)
            if name == "process_start_time_seconds":
                return "0"
            if value is None:
                return "_"
            return repr(value - self.began_s if "timestamp" in name and value > 0 else value)
        listed = []
        for key in sorted(set().union(*self.scrapes)):
            name, labels = SAMPLE.match(key).groups()
            if name in names:
                own = ",".join(filter(None, [labels, 'job="masthead",instance="a"']))
                listed.append({"series": f"{name}{{{own}}}",
                               "values": " ".join(value_of(scrape, key, name) for scrape in self.scrapes)})
        return listed

    def stop(self):
        assert self.service.stop() == 0, self.service.log()
        assert self.sim.stop() == 0


def an_ordinary_evening(folder):
    """Refreshes, a few cold cells, a short fault of the upstream, a reload, midnight: nothing to be woken for."""
    world = Recording(folder, at="2026-01-31T22:30:05Z", earth=True)
    world.earth_loaded()

    def each(minute):
        world.airports_read()
        if minute % 10 == 3:
            world.visit(WORLD[minute // 10])
        if minute in (60, 64):
            world.sim.fault("500" if minute == 60 else "none")
        if minute == 90:
            world.service.reload()
    world.minutes(160, *INDIA, each=each)
    return world


def readers_without_number(folder):
    """A crowd arrives in places that nobody has asked for before, and the API answers hardly anything."""
    world = Recording(folder)
    world.minutes(8, *INDIA)
    world.sim.fault("500")
    world.minutes(15, *INDIA, *WORLD)
    world.sim.fault("none")
    world.minutes(20, *INDIA, *WORLD)
    return world


def readers_with_stale_number(folder):
    """When the forecasts are due, one request in many gets through."""
    world = Recording(folder, weather__refresh="20m")
    world.minutes(8, *INDIA)

    def each(minute):
        if minute % 5 == 0:
            world.sim.fault("none")
            world.service.visit(WORLD[minute // 5])
            world.sim.fault("500")
    world.minutes(35, *INDIA, each=each)
    world.sim.fault("none")
    world.minutes(20, *INDIA)
    return world


def upstream_silent(folder):
    """The API is down; the forecasts that are there serve nearly everybody."""
    world = Recording(folder)
    world.minutes(5, *INDIA)
    world.sim.fault("reset")
    world.minutes(45, *INDIA, WORLD[0])
    world.sim.fault("none")
    world.minutes(10, *INDIA, WORLD[0])
    return world


def budget_running_out(folder):
    """The morning spends what the day has."""
    world = Recording(folder, weather__open_meteo_budget="120/d", weather__refresh="10m")
    world.minutes(35, *INDIA, *WORLD)
    world.restart(weather__open_meteo_budget="10000/d")
    world.minutes(10, *INDIA, *WORLD)
    return world


def database_old(folder):
    """Nobody has fetched a new database for seven weeks."""
    world = Recording(folder, at="2026-02-20T08:00:05Z")
    world.minutes(15, *INDIA)
    path = world.folder / "city.mmdb"
    path.write_bytes(built(path.read_bytes(), "2026-01-20T00:00:00Z"))
    world.service.reload()
    world.minutes(3, *INDIA)
    return world


def built(database, when):
    """The database with another time of build."""
    head, rest = database.rsplit(b"build_epoch\x04\x02", 1)
    return head + b"build_epoch\x04\x02" + int(datetime.datetime.fromisoformat(when).timestamp()).to_bytes(4, "big") + rest[4:]


def reload_failed(folder):
    """A slip in the configuration, and a hangup."""
    world = Recording(folder)
    world.minutes(5, *INDIA)
    world.config.write_text("[geoip]\nhome = nowhere\n")
    world.service.reload("reload refused")
    world.minutes(5, *INDIA)
    world.config.write_text("[geoip]\nhome = Pune, IN, 18.52, 73.86\n")
    world.service.reload()
    world.minutes(2, *INDIA)
    return world


def snapshot_failing(folder):
    """Something is in the way of the file."""
    world = Recording(folder)
    world.minutes(5, *INDIA)
    world.watch_snapshots = False
    (world.folder / "state" / "cache.snapshot.new").mkdir()
    world.service.wait_line("cannot write the cache snapshot")
    world.minutes(40, *INDIA)
    (world.folder / "state" / "cache.snapshot.new").rmdir()
    world.watch_snapshots = True
    world.minutes(2, *INDIA)
    return world


def threads_running_out(folder):
    """Connections that ask nothing, and stay."""
    world = Recording(folder, server__threads="16", server__request_timeout="60s")
    world.minutes(5, *INDIA)
    held = [socket.create_connection(world.service.address()) for _ in range(14)]
    world.minutes(10, *INDIA)
    for connection in held:
        connection.close()
    world.minutes(2, *INDIA)
    return world


def visitors_not_recognised(folder):
    """A proxy is set up anew, and no longer says who the reader is."""
    world = Recording(folder)
    world.minutes(5, *INDIA)
    world.minutes(15, *INDIA[:4], each=lambda minute: [world.service.get("/widget.json") for _ in range(12)])
    world.minutes(15, *INDIA)
    return world


def earth_stale(folder):
    """Every mirror of the model is down for a morning."""
    world = Recording(folder, at="2026-01-31T09:30:05Z", earth=True)
    world.earth_loaded()
    for path in ("gfs-index", "gfs-data"):
        world.sim.control(f"fault?kind=503&path={path}")
    world.minutes(190, *INDIA[:2], each=world.airports_read)
    world.sim.fault("none")
    world.minutes(6, *INDIA[:2])
    wait_until(lambda: world.earth()[0]["run"] == "2026-01-31T06:00:00Z" and not world.earth()[0]["loading"], 30, what="the next run")
    world.minutes(2, *INDIA[:2], each=world.airports_read)
    return world


def earth_fields_missing(folder):
    """No mirror has one of the hours."""
    world = Recording(folder, earth=True, earth__metar="no")
    world.sim.control("fault?kind=404&path=/gfs.20260131/00/atmos/gfs.t00z.pgrb2.0p25.f020")
    wait_until(lambda: world.earth()[0]["run"] and world.earth()[0]["fields_missing"], 30, what="a run with a gap")
    world.minutes(45, *INDIA[:2])
    world.sim.fault("none")
    world.minutes(60, *INDIA[:2])
    wait_until(lambda: world.earth()[0]["fields_missing"] == 0, 30, what="the hour")
    world.minutes(2, *INDIA[:2])
    return world


def earth_stations_lost(folder):
    """The airports' file cannot be had, and the reports of the last one grow old."""
    world = Recording(folder, at="2026-01-31T05:20:05Z", earth=True)
    world.earth_loaded()
    world.minutes(2, *INDIA[:2])
    world.sim.control("fault?kind=503&path=metar")
    world.minutes(95, *INDIA[:2])
    wait_until(lambda: world.earth()[1]["used"] == 0, what="old reports")
    world.minutes(33, *INDIA[:2])
    world.sim.fault("none")
    world.minutes(2, *INDIA[:2])
    wait_until(lambda: world.earth()[1]["used"] > 0, what="the airports")
    world.minutes(2, *INDIA[:2])
    return world


def earth_stopped(folder):
    """In the place of the airports' file there is one that never ends, once a minute."""
    world = Recording(folder, at="2026-01-31T22:45:05Z", earth=True, earth__metar_every="1m")
    world.sim.control("fault?kind=huge&path=metar")
    world.service.wait_line("weather of the whole earth loaded")
    while not world.earth()[0]["stopped"]:
        world.minutes(1, *INDIA[:2], each=world.airports_read)
        assert len(world.scrapes) < 70
    world.minutes(2, *INDIA[:2])
    world.sim.fault("none")
    world.minutes(78 - len(world.scrapes), *INDIA[:2])
    wait_until(lambda: not world.earth()[0]["stopped"], what="tomorrow")
    world.minutes(2, *INDIA[:2])
    return world


INCIDENTS = {
    None: an_ordinary_evening,
    "MastheadEarthStopped": earth_stopped,  # takes longest, and so begins first
    "MastheadReadersWithoutNumber": readers_without_number,
    "MastheadReadersWithStaleNumber": readers_with_stale_number,
    "MastheadUpstreamSilent": upstream_silent,
    "MastheadBudgetRunningOut": budget_running_out,
    "MastheadDatabaseOld": database_old,
    "MastheadReloadFailed": reload_failed,
    "MastheadSnapshotFailing": snapshot_failing,
    "MastheadThreadsRunningOut": threads_running_out,
    "MastheadVisitorsNotRecognised": visitors_not_recognised,
    "MastheadEarthStale": earth_stale,
    "MastheadEarthFieldsMissing": earth_fields_missing,
    "MastheadEarthStationsLost": earth_stations_lost,
}


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """All incidents, four at a time: most of each is waiting."""
    folder = tmp_path_factory.mktemp("incidents")

    def record(alert):
        world = INCIDENTS[alert](folder / str(alert))
        world.stop()
        return world
    try:
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            return dict(zip(INCIDENTS, pool.map(record, INCIDENTS)))
    finally:
        for process in Recording.processes:
            if process.child.poll() is None:  # an incident that went otherwise
                process.child.kill()


def promtool(*arguments):
    return subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, timeout=60)


def test_the_rules_and_their_cases_are_good():
    checked = promtool("check", "rules", "--lint=all", "--lint-fatal", RULES)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    cases = promtool("test", "rules", RULES.with_name("alerts.test.yml"))
    assert cases.returncode == 0, cases.stdout + cases.stderr


def test_every_alert_has_an_incident_and_a_line_in_the_runbook():
    alerts = {rule["alert"] for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]}
    assert alerts == set(INCIDENTS) - {None}
    runbook = (ROOT / "data" / "ops" / "README.md").read_text(encoding="utf-8")
    assert all(f"`{alert}`" in runbook for alert in alerts)


def test_every_metric_of_the_rules_is_the_services(recordings):
    named = set(re.findall(r"\b(?:masthead|process)_\w+", RULES.read_text()))
    said = {SAMPLE.match(key).group(1) for world in recordings.values() for scrape in world.scrapes for key in scrape}
    assert named <= said


@pytest.mark.parametrize("alert", INCIDENTS, ids=str)
def test_in_its_incident_it_fires_nothing_else_does_and_it_ends(recordings, alert):
    world = recordings[alert]
    end = f"{len(world.scrapes) - 1}m"
    case = {"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [{
        "interval": "1m", "input_series": world.series(),
        "promql_expr_test": [
            {"expr": EVER_FIRED, "eval_time": end,
             "exp_samples": [{"labels": f'{{alertname="{alert}"}}', "value": 1}] if alert else []},
            {"expr": FIRING, "eval_time": end, "exp_samples": []}]}]}
    path = world.folder / "incident.yml"
    path.write_text(yaml.safe_dump(case, width=10**9))
    tested = promtool("test", "rules", path)
    assert tested.returncode == 0, tested.stdout + tested.stderr
