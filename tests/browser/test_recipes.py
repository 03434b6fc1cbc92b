"""Goal of these tests: the recipes of data/embed, tried as a newcomer would: pasted into a plain page, and into a page
that the server assembles. Each reader sees the own city in a real browser."""
import pytest

from proxies import LONDON, MUMBAI, recipe
from html_validator import validate_html
from newspaper import say
from npm import packaged


def test_a_plain_page(site, browser):
    browser.open(site.page("/", recipe("loader.html")))
    assert browser.settled("masthead-weather") in ("fresh", "place")
    assert browser.text(".masthead-place") == "Mumbai"


@pytest.mark.parametrize("name", ["loader.html", "htmx.html"])
def test_the_pages_are_valid(name):
    assert validate_html(recipe(name)) == []


def test_an_assembled_page_with_the_script(masthead, edges, read_by):
    """The include within the script's element: the script asks only where the server had nothing fresh."""
    for address in (MUMBAI, LONDON):
        masthead.settled(address)
    page = recipe("loader.html").replace("Fetching location... -- °C", '<!--# include virtual="/widget" -->')
    blog = edges.pages().put("/", page)

    def assembles(service):
        server = recipe("nginx-ssi.conf", service, blog.url)
        return edges.nginx(server.replace("location / {", recipe("nginx-loader.conf", masthead.public) + "location / {"))

    served = assembles(masthead.public)
    for address, city in ((MUMBAI, "Mumbai"), (LONDON, "London")):
        browser = read_by(served.url, address)
        assert browser.text(".masthead-place") == city
        browser.until("!!customElements.get('masthead-weather')", "the script has not come")
        browser.painted()
        asked = browser.js("return performance.getEntriesByType('resource').map((entry) => new URL(entry.name).pathname)")
        assert "/widget.json" not in asked

    with edges.pages() as away:
        browser = read_by(assembles(away.url).url, LONDON)
        browser.until("document.querySelector('.masthead-place')", "the script did not fill the page")
        assert browser.text("masthead-weather").startswith("London")


@pytest.mark.parametrize("version", ["htmx.org", "htmx-2"])
def test_htmx(site, browser, version):
    script = packaged(f"{version}/dist/htmx.min.js").read_text(encoding="utf-8")
    site.page("/htmx.min.js", script, content_type="text/javascript")
    url = site.page("/", recipe("htmx.html"))
    browser.open(url)
    browser.until("document.querySelector('header .masthead-place')", "htmx did not fill the page")
    assert browser.text(".masthead-place") == "Mumbai" and browser.complaints() == []
    for status in (404, 502):
        site.fault = say("<h1>an error page</h1>", status=status, content_type="text/html")
        site.asked.clear()
        browser.driver.execute_cdp_cmd("Network.clearBrowserCache", {})
        browser.open(url)
        browser.until("document.querySelector('header [hx-get]') && !document.querySelector('.htmx-request')", "htmx waits")
        browser.painted()
        assert site.asked and browser.text("header").strip() == "-- °C", status
        browser.complaints()  # htmx speaks of what it was answered
