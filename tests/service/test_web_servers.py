"""Goal of these tests: the recipes for Apache, Caddy and HAProxy hand on what the script needs, with the reader's own address, and nothing
else."""
import time
import urllib.parse

import pytest

from harness import Answer
from proxies import COOKIES, LONDON, MUMBAI, SLACK_S, Connection, faulty, free_port, recipe

RECIPES = {"apache": ("apache.conf", {}), "caddy": ("Caddyfile", {}), "haproxy": ("haproxy.cfg", {"proxied": False})}
OURS = ("/widget", "/widget.json?lang=hi", "/widget.txt", "/where.json", "/weather.json?cell=19.1,72.9", "/places.json?q=mum",
        "/masthead.js", "/masthead.0123456789abcdef.js", "/masthead.icons.svg")
THEIRS = ("/masthead", "/masthead-2024", "/masthead/", "/widgets", "/x/widget", "/metrics", "/dev/explain", "/healthz", "/widget.json.bak")


@pytest.fixture(params=RECIPES)
def handed_on(request, edges):
    """Makes the server with its recipe in front of a service at a URL."""
    name, options = RECIPES[request.param]
    return lambda url: getattr(edges, request.param)(recipe(name, url), **options)


def test_the_services_paths_are_handed_on_and_no_page_of_the_site(handed_on, edges):
    service = edges.pages()
    for path in OURS + THEIRS:
        service.put(urllib.parse.urlsplit(path).path, "from the service")
    reader = handed_on(service.url).connect(MUMBAI)
    assert [path for path in OURS + THEIRS if reader.get(path).text == "from the service"] == list(OURS)
    assert [path for path, _ in service.asked] == list(OURS)


def test_the_service_hears_the_readers_own_address(handed_on, edges):
    """Whatever the reader claims; here the reader is another address of this machine."""
    service = edges.pages().put("/widget.json", "{}")
    reader = Connection(handed_on(service.url).url)
    reader.close()
    reader.http.source_address = ("127.0.0.2", 0)
    reader.http.request("GET", "/widget.json", headers={"X-Forwarded-For": LONDON, **COOKIES})
    assert Answer(reader.http.getresponse()).status == 200
    ((_, headers),) = service.asked
    headers = {name.lower(): value for name, value in headers.items()}
    assert headers["x-forwarded-for"] == "127.0.0.2" and "cookie" not in headers
    assert headers["host"].startswith("127.0.0.1")


def test_a_reader_behind_a_cdn_that_names_them(masthead, edges):
    """By mod_remoteip, or before HAProxy's backend."""
    haproxy = recipe("haproxy.cfg", masthead.public).replace("acl masthead", "http-request set-src hdr(CF-Connecting-IP) if { src 127.0.0.1 }\n    acl masthead")
    assert "http-request set-src hdr(CF-Connecting-IP)" in recipe("haproxy.cfg")
    for reader in edges.haproxy(haproxy, proxied=False).connect(None), edges.haproxy(haproxy).connect(LONDON):
        named = reader.get("/widget.json", {"CF-Connecting-IP": MUMBAI, "X-Forwarded-For": LONDON}).json["place"]["name"]
        assert named == ("London" if "PROXY" in reader.greeting else "Mumbai")
    reader = edges.apache(recipe("apache.conf", masthead.public)).connect(MUMBAI)
    assert reader.get("/widget.json", {"X-Forwarded-For": LONDON}).json["place"]["name"] == "Mumbai"
    assert reader.get("/masthead.js", {"Accept-Encoding": "gzip"}).headers["Content-Encoding"] == "gzip"


def test_caddy_believes_the_cdn_that_is_named_to_it_and_nobody_else(start, edges):
    """It hands the CDN's chain on, in which the service, to whom the CDN is named too, finds the reader."""
    service = start(settings={"visitor.trusted_proxies": "127.0.0.0/8"})
    for trusted, name in (("127.0.0.1", "Mumbai"), ("198.51.100.0/24", None)):
        site = recipe("Caddyfile", service.public).replace("header_up -Cookie", f"header_up -Cookie\n\t\ttrusted_proxies {trusted}")
        reader = edges.caddy(site).connect(f"{LONDON}, {MUMBAI}")  # the first of them is what the reader claims
        assert reader.get("/widget.json").json["place"]["name"] == name


def test_a_service_that_hangs_holds_nobody_for_long(handed_on):
    port = free_port()
    reader = handed_on(f"http://127.0.0.1:{port}").connect(MUMBAI)
    with faulty("hanging", port):
        before = time.monotonic()
        assert reader.get("/widget.json").status in (502, 503, 504)
        assert time.monotonic() - before < 3 + SLACK_S
