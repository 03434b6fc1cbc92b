"""Goal of these tests: an operator's browser shows the status page whole and without complaint: without JavaScript too, on a phone too, in
light and dark, to whoever reads it with other means than eyes."""
import pytest

from axe import violations
from harness import wait_until, whole_earth

MUMBAI = "192.0.2.1"
SIZES = {"wide": 1280, "phone": 400}


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
    assert browser.js("return document.title").endswith(".") and browser.text("h1") == browser.js("return document.title")
    for landmark, count in {"header": 1, "main": 1, "nav": 1, "h1": 1, "figure svg": 10, ".map": 1}.items():
        assert browser.js("return document.querySelectorAll(arguments[0]).length", landmark) == count, landmark
    assert browser.js("return [...document.querySelectorAll('main section')].every((part) => part.querySelector('h2'))")
    colour = browser.js("return getComputedStyle(document.querySelector('.dot.fresh')).stroke")
    assert colour.startswith("rgb(")  # the style came, and from here
    assert [entry for entry in browser.driver.get_log("browser")] == []
    assert browser.js("return probe.errors") == []


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
