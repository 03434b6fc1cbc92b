"""Goal of these tests: the recipes of data/embed, tried as a newcomer would: pasted into a plain page, into a page that a
cache keeps, and into a page that the server assembles. Each reader sees the own city in a real browser."""
import shutil
import subprocess

import pytest

from proxies import LONDON, MUMBAI, RECIPES, cities_in, recipe
from html_validator import validate_html
from newspaper import say
from npm import packaged

WORDPRESS = """<?php
function esc_attr($text) { return htmlspecialchars($text, ENT_QUOTES); }
function get_bloginfo($what) { return 'en-US'; }
?><!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>A blog</title></head><body><header><?php
include $argv[1];
?></header></body></html>"""
KEPT = "proxy_cache cache; add_header X-Cache $upstream_cache_status always;"


@pytest.fixture
def read_by(browser):
    """Opens a page as the reader at an address, whom a CDN in front would name."""
    driver = browser.driver
    driver.execute_cdp_cmd("Network.enable", {})

    def read(url, address):
        driver.execute_cdp_cmd("Network.setExtraHTTPHeaders", {"headers": {"X-Test-Reader": address}})
        driver.execute_cdp_cmd("Network.clearBrowserCache", {})
        browser.open(url)
        return browser

    yield read
    driver.execute_cdp_cmd("Network.setExtraHTTPHeaders", {"headers": {}})
    driver.execute_cdp_cmd("Network.disable", {})


def test_a_plain_page(site, browser):
    browser.open(site.page("/", recipe("loader.html")))
    assert browser.settled("masthead-weather") in ("fresh", "place")
    assert browser.text(".masthead-place") == "Mumbai"


@pytest.mark.parametrize("name", ["loader.html", "htmx.html"])
def test_the_pages_are_valid(name):
    assert validate_html(recipe(name)) == []


def test_a_blog_behind_a_page_cache(masthead, edges, read_by):
    """The blog makes its page once; the cache gives it to everybody; the script fills in each reader's city."""
    if not shutil.which("php"):
        pytest.skip("php is not installed")
    page = subprocess.run(["php", "-r", WORDPRESS.removeprefix("<?php"), "--", str(RECIPES / "wordpress.php")],
                          capture_output=True, text=True, check=True).stdout
    blog = edges.pages().put("/", page, Cache_Control="public, max-age=600")
    cached = edges.nginx(f"""server {{
        listen 80; {recipe("nginx-loader.conf", masthead.public)} location / {{ proxy_pass {blog.url}; {KEPT} }}
    }}""")
    for address, city in ((MUMBAI, "Mumbai"), (LONDON, "London"), (MUMBAI, "Mumbai")):
        browser = read_by(cached.url, address)
        browser.until("document.querySelector('.masthead-place')", "the script did not fill the page")
        assert browser.text(".masthead-place") == city
    assert cached.connect(MUMBAI).get("/").headers["X-Cache"] == "HIT" and cities_in(page) == []
    assert [path for path, _ in blog.asked].count("/") == 1


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
