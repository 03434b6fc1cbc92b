"""Goal of these tests: what several instances can have of an nginx between them and the weather API, without a Redis: each cell is
asked for once, whoever asks when; an error is nobody else's."""
import concurrent.futures
import re

import pytest

from harness import EDGE, ROOT, at_place, request
from proxies import Nginx

INSTANCES, CELLS = 3, 40


@pytest.fixture
def egress(tmp_path, sim):
    """nginx with the recipe as it stands in its file, but for ports, paths and TLS."""
    text = (ROOT / "data" / "ops" / "nginx-egress.conf").read_text(encoding="utf-8")
    text = re.sub(r"proxy_ssl\w+ [^;]*;", "", text)
    for written, here in (("listen 127.0.0.1:8090;", "listen 80;"), ("https://api.open-meteo.com", sim.url),
                          ("/var/cache/nginx/masthead", str(tmp_path / "kept"))):
        assert written in text
        text = text.replace(written, here)
    server = Nginx(tmp_path, text, readers="")
    yield server
    assert server.stop() == 0


@pytest.fixture
def instances(start, egress):
    return [start(settings={"weather.open_meteo_url": egress.url, "geoip.headers": ", ".join(EDGE), "weather.parallel": "8",
                            "weather.wait": "2s"}) for _ in range(INSTANCES)]


def visit(service, cell):
    return service.get("/widget.json", at_place(10 + cell // 10, 70 + cell % 10)).json


def test_each_cell_is_asked_for_once(instances, sim):
    sim.fault("slow", 50)  # so that the instances' requests for a cell meet
    with concurrent.futures.ThreadPoolExecutor(INSTANCES) as pool:
        for cell in range(CELLS):
            texts = {answer["text"] for answer in pool.map(lambda service: visit(service, cell), instances)}
            assert len(texts) == 1 and "°C" in texts.pop()
    asked = sum(sum(service.requests().values()) for service in instances)
    assert (asked, sim.count()["requests"]) == (INSTANCES * CELLS, CELLS)


def test_an_error_is_not_kept(instances, sim):
    sim.fault("500", times=1)
    assert visit(instances[0], 0)["state"] == "place"
    assert visit(instances[1], 0)["state"] == "fresh"


def test_what_the_instances_ask_is_kept(egress, instances, sim):
    visit(instances[0], 0)
    query = sim.count()["last"]["query"]
    answer = request(egress.url, "/v1/forecast?" + query)
    assert answer.headers["X-Cache"] == "HIT" and "hourly" in answer.json
    other = query.replace("latitude=10", "latitude=11")
    assert other != query and request(egress.url, "/v1/forecast?" + other).headers["X-Cache"] == "MISS"
