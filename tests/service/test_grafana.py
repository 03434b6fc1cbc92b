"""Each panel of the shipped dashboard has something to show, and what it shows is what happened: an hour of a running service
with the whole earth's weather and a failing API is played into Debian's Prometheus, which is asked each query as Grafana asks."""
import json
import re
import shutil
import subprocess
import urllib.parse

import pytest

from harness import ROOT, Process, request
from test_alerts import INDIA, SAMPLE, WORLD, Recording

pytestmark = pytest.mark.skipif(not shutil.which("prometheus"), reason="prometheus is not installed")

DASHBOARD = json.loads((ROOT / "data" / "ops" / "grafana.json").read_text(encoding="utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUERIES = [(panel["title"], target) for panel in PANELS for target in panel["targets"]]
MINUTES = 60
NO_CITY = {"203.0.113.1": "no-city", "203.0.113.17": None, "10.0.0.1": "private", "8.8.8.8": "not-found"}


def as_grafana_asks(expression):
    return expression.replace("$instance", "(a)").replace("$__rate_interval", "5m").replace("$__range", "30m")


class Prometheus(Process):
    """Debian's, with samples of a time that is past."""

    def __init__(self, folder, recording):
        lines = []
        for key in sorted(set().union(*recording.scrapes)):
            name, labels = SAMPLE.match(key).groups()
            labels = ",".join(filter(None, [labels, 'job="masthead",instance="a"']))
            lines += [f"{name}{{{labels}}} {scrape[key]!r} {recording.began_s + 60 * minute:.0f}"
                      for minute, scrape in enumerate(recording.scrapes) if key in scrape]
        (folder / "samples").write_text("\n".join([*lines, "# EOF", ""]))
        subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", folder / "samples", folder / "data"], check=True,
                       capture_output=True, timeout=120)
        (folder / "prometheus.yml").write_text("scrape_configs: []\n")
        super().__init__(["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                          "--storage.tsdb.retention.time=100y", "--web.listen-address=127.0.0.1:0"])
        self.url = "http://" + re.search(r"address=(\S+)", self.wait_line('msg="Listening on".*').group()).group(1)
        self.wait_line("Server is ready")
        self.now_s = recording.began_s + 60 * (len(recording.scrapes) - 1)

    def ask(self, expression):
        query = urllib.parse.urlencode({"query": as_grafana_asks(expression), "time": self.now_s})
        answer = request(self.url, f"/api/v1/query?{query}").json
        assert answer["status"] == "success", (expression, answer)
        return [(series["metric"], float(series["value"][1])) for series in answer["data"]["result"]]


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("grafana")

    def each(minute):
        world.airports_read()
        if minute == MINUTES - 20:
            world.sim.control("fault?kind=500&path=open-meteo")
        world.visit(*NO_CITY, WORLD[minute % len(WORLD)])
    try:
        world = Recording(folder / "world", earth=True, weather__refresh="10m")
        world.earth_loaded()
        world.minutes(MINUTES, *INDIA, each=each)
        world.stop()
        server = Prometheus(folder, world)
        Recording.processes.append(server)
        yield server
    finally:
        for process in Recording.processes:
            process.child.kill()


@pytest.mark.parametrize("title, target", QUERIES, ids=[f"{title} {target['refId']}" for title, target in QUERIES])
def test_each_query_has_an_answer_that_its_legend_names(prometheus, title, target):
    found = prometheus.ask(target["expr"])
    assert found and all(value == value for _, value in found), title  # NaN is unlike itself
    for labels, _ in found:
        assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) == set(labels), title


def test_what_readers_saw_is_told(prometheus):
    def shown(title, index=0):
        [panel] = [panel for panel in PANELS if panel["title"] == title]
        return {tuple(labels[name] for name in sorted(labels)): value for labels, value in prometheus.ask(panel["targets"][index]["expr"])}

    shares = [shown(title)[()] for title in ("Fresh number", "Stale number", "A city without a number", "No city")]
    assert sum(shares) == pytest.approx(1)
    readers = len(INDIA) + 1 + len(NO_CITY)
    assert sum(shown("What readers see").values()) == pytest.approx(readers / 60, rel=0.01)
    reasons, verdicts = shown("No city, by reason"), shown("No city, by reason", 1)
    assert sum([*reasons.values(), *verdicts.values()]) == pytest.approx(shares[3] * readers / 60, rel=0.05)
    assert reasons[("no-city",)] > 0 and verdicts[("private",)] == pytest.approx(1 / 60, rel=0.01)
    assert shown("Weather APIs: answers")[("http_5xx", "open-meteo")] > 0
    assert shown("Airports that correct it")[()] > 100 and 0 < shown("Age of the model's run")[()] < 12 * 3600


def test_each_panel_is_in_its_row_and_asks_the_chosen_instances():
    rows = [panel["title"] for panel in DASHBOARD["panels"] if panel["type"] == "row"]
    assert rows == ["Readers", "Sources", "Budgets", "Grid and airports", "Latency", "Saturation"]
    places = [(panel["gridPos"]["y"], panel["gridPos"]["x"]) for panel in DASHBOARD["panels"]]
    assert places == sorted(places) and len(set(places)) == len(places)
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    for title, target in QUERIES:
        expression = target["expr"]
        assert len(re.findall(r"\b(?:masthead|process)_\w+", expression)) == expression.count('instance=~"$instance"'), title
