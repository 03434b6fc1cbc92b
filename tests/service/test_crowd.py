"""Goal of these tests: of ten thousand readers who come through a cache all at once, none is shown another one's city."""
import html
import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from proxies import CARELESS, cities_in, recipe
from harness import readers

VISITS = 10_000
AT_ONCE = 6
NO_RECORD = "203.0.113.241"
LOADER, ASSEMBLED = recipe("loader.html"), '<header><esi:include src="/widget"/></header>'

# Every answer that says it may be kept is kept.
NGINX = """
    server {{
        listen 80; proxy_cache cache;
        location / {{ proxy_pass {site}; }}
        location /widget {{ proxy_pass {service}; proxy_set_header X-Forwarded-For $remote_addr; {careless} }}
    }}"""
VARNISH = """
    vcl 4.1;
    backend service {{ .host = "127.0.0.1"; .port = "{port}"; }}
    sub vcl_recv {{ set req.http.X-Forwarded-For = client.ip; }}"""


def shown(answer):
    """The city that an answer names, "" for none: of a fragment, of a page with one, or of the JSON."""
    if answer.headers["Content-Type"].startswith("application/json"):
        return answer.json["place"]["name"] or ""
    (city,) = cities_in(answer.text)
    return html.unescape(city)


@pytest.fixture(scope="module")
def own_city(service):
    """Every fixture reader's address with the city that the service itself names there."""
    addresses = [row[family] for row in readers() for family in ("ipv4", "ipv6") if row[family]] + [NO_RECORD]
    cities = {address: shown(service.visit(address)) for address in addresses}
    assert len(cities) > 90 and len(set(cities.values())) > 30
    return cities


@pytest.fixture(scope="module")
def site(shared_edges):
    public = {"Cache_Control": "public, max-age=600"}
    return shared_edges.pages().put("/", ASSEMBLED, **public).put("/loader.html", LOADER, **public)


def wrong_cities(edge, paths, own_city):
    """How many of the visits were shown a city that is not the reader's. Each reader keeps a connection; those who read at
    once come in an order of chance, the same in every run."""
    crowds = [list(own_city)[first::AT_ONCE] for first in range(AT_ONCE)]

    def read(crowd):
        chance = random.Random(crowd[0])
        connections = {address: edge.connect(address) for address in crowd}
        wrong = 0
        for _ in range(VISITS // AT_ONCE + 1):
            address = chance.choice(crowd)
            answer = connections[address].get(chance.choice(paths))
            assert answer.status == 200
            wrong += shown(answer) != own_city[address]
        return wrong

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return sum(pool.map(read, crowds))


def test_through_nginx(shared_edges, service, site, own_city):
    nginx = shared_edges.nginx(NGINX.format(site=site.url, service=service.public, careless=""))
    assert wrong_cities(nginx, ["/widget.json", "/widget"], own_city) == 0
    pages = {nginx.connect(address).get("/loader.html").text for address in own_city}
    assert pages == {LOADER} and len([path for path, _ in site.asked if path == "/loader.html"]) == 1, "one page for all"


def test_through_varnish(shared_edges, service, own_city):
    """Without a word about private pages: Varnish does as the answers say."""
    varnish = shared_edges.varnish(VARNISH.format(port=service.public.rsplit(":", 1)[1]))
    assert wrong_cities(varnish, ["/widget.json", "/widget"], own_city) == 0


def test_through_varnish_that_assembles(shared_edges, service, site, own_city):
    varnish = shared_edges.varnish(recipe("varnish-esi.vcl", service.public, site.url))
    assert wrong_cities(varnish, ["/", "/widget", "/widget.json"], own_city) == 0
    assert len([path for path, _ in site.asked if path == "/"]) == 1, "one page for all, with each reader's own fragment"


def test_a_careless_cache_is_found_out(shared_edges, service, site, own_city):
    """The control: it shows that the tests above can fail."""
    nginx = shared_edges.nginx(NGINX.format(site=site.url, service=service.public, careless=CARELESS))
    assert wrong_cities(nginx, ["/widget.json", "/widget"], own_city) > VISITS / 2
