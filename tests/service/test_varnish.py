"""Goal of these tests: the Varnish recipe of data/embed works as it stands there, whatever becomes of the service, and
shows no reader another reader's city."""
import re
import time

import pytest

from proxies import (COOKIES, ERRORS, FAULTS, FRAGMENT, HALF, LONDON, MUMBAI, SLACK_S, WAIT_S, cities_in, cities_in_turn,
                  faulty, free_port, recipe)

INCLUDE = '<header><esi:include src="/widget"/></header>'
AWAY = re.search(r'beresp.body = {"(.*)"}', recipe("varnish-esi.vcl")).group(1)
BOUND_S = 1.5  # what the recipe's two timeouts make together


@pytest.fixture(scope="module")
def site(shared_edges):
    """A site whose pages may be kept for ten minutes."""
    public = {"Cache_Control": "public, max-age=600", "Expires": "Sat, 31 Jan 2099 09:00:00 GMT"}
    return shared_edges.pages().put("/", INCLUDE, **public).put("/style.css", INCLUDE, Content_Type="text/css", **public)


@pytest.fixture(scope="module")
def varnish(shared_edges, service, site):
    return shared_edges.varnish(recipe("varnish-esi.vcl", service.public, site.url))


def test_an_assembled_page_is_its_readers_own(service, varnish):
    service.settled(MUMBAI)
    page = varnish.connect(MUMBAI).get("/")
    assert page.text.startswith('<header><span class="masthead-weather" data-state="fresh"')
    assert cities_in(page.text) == ["Mumbai"]
    assert page.headers.get_all("Cache-Control") == ["private, no-cache"]
    assert not {"ETag", "Last-Modified", "Expires", "Age"} & set(page.headers)
    forged = varnish.connect(MUMBAI).get("/", {"X-Forwarded-For": LONDON, **COOKIES})
    assert cities_in(forged.text) == ["Mumbai"], "what the reader claims is overwritten, and cookies are the site's"
    assert cities_in(varnish.connect("2001:db8:10::1").get("/").text) == ["Mumbai"]


def test_the_page_is_kept_and_the_fragment_is_not(varnish, site):
    varnish.connect(MUMBAI).get("/")
    site.asked.clear()
    assert cities_in_turn(varnish) == ["Mumbai", "London"] * 2
    assert site.asked == [], "one page serves all readers"
    style = varnish.connect(MUMBAI).get("/style.css")
    assert style.text == INCLUDE and style.headers["Cache-Control"] == "public, max-age=600"
    assert style.headers["ETag"]


def test_no_304_revives_another_readers_page(varnish):
    """A browser that kept a page from before the include, or from another reader, is given the page anew."""
    reader = varnish.connect(LONDON)
    later = "Fri, 31 Jan 2098 09:00:00 GMT"
    for condition in ({"If-None-Match": '"one"'}, {"If-None-Match": "*"}, {"If-Modified-Since": later}):
        page = reader.get("/", condition)
        assert (page.status, cities_in(page.text)) == (200, ["London"]), condition


def test_the_answer_to_a_form_is_assembled_too(varnish):
    page = varnish.connect(MUMBAI).get("/", method="POST", body="name=value")
    assert (page.status, cities_in(page.text)) == (200, ["Mumbai"])
    assert page.headers["Cache-Control"] == "private, no-cache"


def test_the_script_works_through_it(varnish):
    script = varnish.connect(MUMBAI).get("/masthead.js")
    assert varnish.connect(LONDON).get(script.headers["Content-Location"]).body == script.body
    for address, city in ((MUMBAI, "Mumbai"), (LONDON, "London")):
        forged = {"X-Forwarded-For": "192.0.2.33", **COOKIES}
        answer = varnish.connect(address).get("/widget.json", forged)
        assert answer.json["place"]["name"] == city and answer.headers["Cache-Control"].startswith("private")
    assert varnish.connect(MUMBAI).get("/healthz").text == "no such page", "what is not the widget's is the site's"


def test_a_cache_in_front_keeps_no_assembled_page(shared_edges, varnish):
    """That such a cache can fail is shown where nginx assembles."""
    assert cities_in_turn(shared_edges.varnish_cache(varnish)) == ["Mumbai", "London"] * 2


def test_without_the_service_the_placeholder_is_pasted_once_and_in_time(shared_edges, site):
    port = free_port()
    varnish = shared_edges.varnish(recipe("varnish-esi.vcl", f"http://127.0.0.1:{port}", site.url))
    for fault, waits in {HALF: True, **FAULTS}.items():
        with faulty(fault, port):
            before = time.monotonic()
            page = varnish.connect(MUMBAI).get("/")
            took = time.monotonic() - before
            assert took < BOUND_S + SLACK_S and (took > WAIT_S or not waits), fault
        assert page.status == 200 and page.text == f"<header>{AWAY}</header>", fault
        assert page.headers["Cache-Control"] == "private, no-cache"
    fragment = varnish.connect(MUMBAI).get("/widget")
    assert (fragment.status, fragment.text) == (200, AWAY) and fragment.headers["Content-Type"].startswith("text/html")
    assert varnish.connect(MUMBAI).get("/widget.json").status == 503, "the script is told that there is no answer"


def test_no_error_page_is_pasted_and_a_slow_answer_is(shared_edges, site):
    service = shared_edges.pages()
    reader = shared_edges.varnish(recipe("varnish-esi.vcl", service.url, site.url)).connect(MUMBAI)
    for status in ERRORS:
        service.put("/widget", "<h1>an error page</h1>", status=status)
        page = reader.get("/")
        assert page.status == 200 and page.text == f"<header>{AWAY}</header>", status
    service.put("/widget", FRAGMENT, delay_s=0.3)
    service.asked.clear()
    for _ in range(2):
        assert reader.get("/", {"X-Forwarded-For": LONDON}).text == f"<header>{FRAGMENT}</header>"
    told = [headers["X-Forwarded-For"] for _, headers in service.asked]
    assert told == [MUMBAI, MUMBAI], "asked for each reader anew, even without a word about caching, and not as they claim"


def test_in_split_mode_each_cell_is_asked_for_once(service, varnish):
    """A page's script asks for its reader's cell, then for the cell's weather: that is one for all readers there."""
    readers = [varnish.connect(address) for address in (MUMBAI, LONDON) * 20]
    for address in (MUMBAI, LONDON):
        service.settled(address)

    def asked():
        return sum(value for series, value in service.metrics().items() if "weather.json" in series and "requests_total" in series)

    before = asked()
    for reader in readers:
        where = reader.get("/where.json")
        assert "no-store" in where.headers["Cache-Control"] or "private" in where.headers["Cache-Control"]
        weather = reader.get(f"/weather.json?cell={where.json['cell']}")
        assert weather.json["state"] == "fresh"
    assert asked() - before == 2, "40 readers in two cells"
