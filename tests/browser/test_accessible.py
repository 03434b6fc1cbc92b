"""Goal of these tests: the widget brings no fault of accessibility to a page that had none, in whatever state it is."""
import pytest

from axe import violations
from newspaper import drop, hang, say

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<title>The Daily Example</title>
<link rel="stylesheet" href="/masthead.css"><script async src="/masthead.js"></script>
</head>
<body>
<header><masthead-weather>Fetching location... -- °C</masthead-weather></header>
<main><h1>The Daily Example</h1><p>News.</p></main>
<footer><p>Data: <small data-masthead-credits></small></p></footer>
</body>
</html>"""


def in_state(state, celsius=31.2):
    """An answer of the service in a state."""
    number = state in ("fresh", "stale")
    named = state != "unknown"
    return say({
        "state": state, "text": "Mumbai 31\u00a0°C" if number else "",
        "place": {"name": "Mumbai" if named else None, "source": "geoip" if named else "none", "verdict": "city"},
        "temperature": {"celsius": celsius if number else None, "value": round(celsius) if number else None, "unit": "C",
                        "text": f"{round(celsius) if number else '--'}\u00a0°C"},
        "simulated": False, "credits": [{"text": "Weather data by Open-Meteo.com", "url": "https://open-meteo.com/"}],
    })


STATES = {"waiting": hang, "fresh": in_state("fresh"), "stale": in_state("stale"), "place": in_state("place"),
          "unknown": in_state("unknown"), "unavailable": drop}


@pytest.fixture(params=["light", "dark"])
def scheme(request, browser):
    """The colours that the reader prefers."""
    for value in (request.param, ""):
        preference = {"name": "prefers-color-scheme", "value": value}
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [preference]})
        if value:
            yield value


def test_the_widget_is_accessible_in_every_state(site, browser, scheme):
    url = site.page("/", PAGE)
    for state, fault in STATES.items():
        site.fault = fault
        browser.open(url)
        if state == "waiting":
            browser.until("!!customElements.get('masthead-weather')", "the script has not come")
            assert browser.text("masthead-weather") == "Fetching location... -- °C"
        else:
            assert browser.settled("masthead-weather") == state
        assert violations(browser) == [], state


def test_the_servers_fragment_is_accessible(site, browser):
    """As it is pasted in where there is no script, with its credits."""
    page = PAGE.replace('<script async src="/masthead.js"></script>', "")
    for fragment in (site.fetch("/widget"), site.fetch("/widget?lang=hi")):
        browser.open(site.page("/", page.replace("Fetching location... -- °C", fragment)))
        assert "</small>" in fragment or 'data-state="place"' in fragment
        assert violations(browser) == []


def test_what_is_not_accessible_is_complained_about(site, browser):
    """The control: it shows that the tests here can fail."""
    browser.open(site.page("/", "<!doctype html><title>A paper</title><img src='/favicon.ico'><main>News</main>"))
    found = violations(browser)
    assert any(line.startswith("image-alt:") for line in found) and any(line.startswith("html-has-lang:") for line in found)
