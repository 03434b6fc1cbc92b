"""Goal of these tests: an operator's browser shows the status page whole and without complaint: without JavaScript too, on a phone too, in
light and dark, to whoever reads it with other means than eyes."""
import pytest

from axe import violations
from harness import request, wait_until, whole_earth

MUMBAI = "192.0.2.1"
SIZES = {"wide": 1280, "phone": 360}


def status(service):
    return request(service.ops, "/status.json").json


@pytest.fixture
def degraded(masthead, sim):
    """A service whose weather API has been failing for an hour."""
    masthead.settled(MUMBAI)
    sim.fault("500")
    masthead.advance("3h")
    for _ in range(20):
        masthead.visit(MUMBAI)
    return masthead


@pytest.fixture
def resized(browser):
    def resize(width, scheme="light"):
        browser.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride", {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    yield resize
    browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_it_is_whole_and_draws_no_complaint(degraded, browser):
    browser.open(degraded.ops + "/status")
    title = browser.js("return document.title")
    assert title == browser.text("h1") and 0 < len(title) <= 60
    for landmark, count in {"header": 1, "main": 1, "nav": 1, "h1": 1, "figure svg": 9, ".map": 1}.items():
        assert browser.js("return document.querySelectorAll(arguments[0]).length", landmark) == count, landmark
    assert browser.js("return [...document.querySelectorAll('main section')].every((part) => part.querySelector('h2'))")
    colour = browser.js("return getComputedStyle(document.querySelector('.dot.fresh')).stroke")
    assert colour.startswith("rgb(")  # the style came, and from here
    assert [entry for entry in browser.driver.get_log("browser")] == []
    assert browser.js("return probe.errors") == []


@pytest.fixture
def numberless(start, sim):
    """A service that has had a number for nobody: most ask in the last minutes of an outage that is older than its curves."""
    service = start(settings={"weather.keep": "4h", "weather.refresh": "1h"})
    service.settled(MUMBAI)
    sim.fault("500")
    service.advance("5h")
    for _ in range(25):
        service.visit(MUMBAI)
    wait_until(lambda: (status(service)["cause"] or "").startswith("open-meteo"), what="the outage")
    return service


@pytest.mark.parametrize("size", SIZES)
def test_the_worst_fact_leads_and_its_cause_and_the_next_step_follow(numberless, browser, resized, size):
    resized(SIZES[size])
    browser.open(numberless.ops + "/status?refresh=no")
    report = status(numberless)
    assert browser.text("h1") == browser.js("return document.title") == "No temperature for 100\u00a0% of readers"
    lines = browser.js("return [...document.querySelectorAll('header > p b')].map((label) => [label.textContent, label.parentNode.textContent,"
                       " label.getBoundingClientRect().top])")
    assert [line[0] for line in lines] == ["Cause", "Next", "Readers"]
    assert lines[0][1] == "Cause " + report["cause"] and lines[0][1].endswith(": its own error, status 5xx")
    assert lines[1][1] == "Next " + report["next"] and lines[1][1].startswith("Next asked again at ")
    tops = [line[2] for line in lines]
    assert tops == sorted(set(tops)), "not on lines of their own"


def test_one_plot_is_large_and_the_time_before_the_start_is_hatched(degraded, browser, resized):
    """Hatched is the share of each plot's time in which the process did not run, and the page says so."""
    resized(SIZES["wide"])
    browser.open(degraded.ops + "/status?refresh=no")
    plots = browser.js("""return [...document.querySelectorAll('figure')].map((figure) => [figure.querySelector('b').textContent,
        figure.querySelector('i').textContent, figure.getBoundingClientRect().width, figure.querySelector('rect').getBBox().width / 480,
        figure.querySelector('rect').getAttribute('fill'), figure.querySelector('.key.before')?.textContent ?? '',
        figure.querySelector('svg').ariaLabel])""")
    assert [plot[:2] for plot in plots[:2]] == [["Readers", "Last hour"], ["Readers", "Last day"]]
    assert plots[0][2] > 1000 and all(plot[2] < plots[0][2] / 2 for plot in plots[1:])
    for _, span, _, hatched, fill, words, label in plots:
        ran_h = 3  # and a moment before
        assert hatched == pytest.approx(0 if span == "Last hour" else 1 - ran_h / 24, abs=0.02)
        assert fill == "url(#before)" and browser.js("return document.querySelector('pattern#before path') != null")
        assert words.startswith("not running before ") == (span == "Last day") and words in label


def test_it_is_read_without_javascript(degraded, browser):
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.open(degraded.ops + "/status")
        text = browser.driver.find_element("css selector", "body").text
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    for words in ("readers in the last 5 minutes", "What readers saw", "cells are not readers", "open-meteo", "Configuration in force"):
        assert words in text


@pytest.fixture
def worldwide(start, sim):
    """A service that asks for no point forecasts and knows the whole earth's weather."""
    service = start(settings={"weather.providers": "", **whole_earth(sim)})
    service.wait_line("weather of the whole earth loaded")
    service.settled(MUMBAI)
    wait_until(lambda: service.metrics()["masthead_earth_stations"] > 0, what="the airports")
    return service


def test_the_earth_has_its_colours(worldwide, browser, resized):
    """Each class of temperature is lighter than the one before, on the map as in the legend, in light and dark."""
    for scheme in ("light", "dark"):
        resized(SIZES["wide"], scheme)
        browser.open(worldwide.ops + "/status?refresh=no")
        fills = browser.js("return [...document.querySelectorAll('.map path[class^=t]')].map((path) => getComputedStyle(path).fill)")
        keys = browser.js("return [...document.querySelectorAll('.scale span')].map((key) => getComputedStyle(key, '::before').backgroundColor)")
        lightness = [float(fill.removeprefix("oklch(").split()[0]) for fill in fills]
        assert fills == keys and len(fills) == 16
        steps = [after - before for before, after in zip(lightness, lightness[1:])]
        assert min(steps) > 0.03 and max(steps) - min(steps) < 0.001, lightness
        assert browser.js("return getComputedStyle(document.querySelector('.earth .dot.fresh use')).stroke").startswith("rgb(")


@pytest.mark.parametrize("size, scheme", [("wide", "dark"), ("phone", "light")])
@pytest.mark.parametrize("service", ["degraded", "worldwide"])
def test_it_fits_and_is_accessible(request, service, browser, resized, size, scheme):
    service = request.getfixturevalue(service)
    resized(SIZES[size], scheme)
    browser.open(service.ops + "/status?refresh=no")
    assert browser.js("return document.documentElement.scrollWidth") == SIZES[size]
    assert violations(browser) == []
    assert browser.js("return getComputedStyle(document.body).colorScheme") == "light dark"
