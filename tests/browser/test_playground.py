"""The playground, as the developer who has just started the service sees it."""

import json
import urllib.request

import pytest

MAX_RADIUS_KM = 100  # geoip.max_radius as shipped
WEIGHT_LIMIT_BYTES = 40_000
FILES = ["/", "/dev/playground.css", "/dev/playground.js", "/masthead.js", "/masthead.css"]


def should_have_weather(reader):
    """Whether the reader's record may be believed: see "place.verdict" in the README."""
    if not reader["city"] or not reader["latitude"] or "anycast" in reader["flags"].split(","):
        return False
    latitude, longitude = float(reader["latitude"]), float(reader["longitude"])
    in_range = abs(latitude) <= 90 and abs(longitude) <= 180 and (latitude, longitude) != (0, 0)
    return in_range and float(reader["radius"] or 0) <= MAX_RADIUS_KM


def row(address):
    return f'#rows tr[data-ip="{address}"]'


def complaints(browser):
    """Also requests that failed, except for the browser's own wish for an icon."""
    logged = [entry["message"] for entry in browser.driver.get_log("browser")]
    return [message for message in logged if "/favicon.ico" not in message] + browser.js("return probe.errors")


@pytest.fixture
def playground(masthead, browser, readers):
    """The page, once every reader is answered about."""
    browser.open(masthead.public + "/")
    browser.until(f"document.querySelectorAll('#rows tr[data-ip]').length == {len(readers)}", "rows are missing")
    waiting = "document.querySelector('.state:is([data-state=asking], [data-state=place])')"
    browser.until(f"!{waiting}", "a reader still waits for the weather", seconds=60)
    return browser


READERS_SAY = {"Reykjavik": "Reykjavík", "Frankfurt am Main": "Frankfurt"}  # the gazetteer's word for it


def test_every_reader_who_should_have_a_temperature_has_one(playground, readers):
    shown = playground.js(
        """return Object.fromEntries([...document.querySelectorAll('#rows tr[data-ip]')].map((row) =>
            [row.dataset.ip, [row.querySelector('.reads').textContent, row.querySelector('.state').dataset.state]]))"""
    )
    for reader in readers:
        reads, state = shown[reader["ipv4"]]
        if should_have_weather(reader):
            assert state == "fresh", reader
            bare = reader["city"].split(" (")[0]
            name = READERS_SAY.get(bare, bare)
            assert reads.startswith(name) and reads.endswith("°C"), reads
        else:
            assert (reads, state) == ("nothing", "unknown"), reader
    assert complaints(playground) == []


def test_the_front_page_is_read_from_mumbai_first(playground):
    assert playground.settled(".dateline masthead-weather") == "fresh"
    assert playground.text(".dateline .masthead-place") == "Mumbai"
    assert playground.settled("#city") == "fresh"
    assert playground.text("#city") == "Mumbai"
    assert playground.text(".pair figure:first-child .weather") == "Fetching location... -- °C"


def test_simulated_weather_is_said_to_be(playground):
    answer = playground.js("return probe.updates[0]")
    assert playground.js("return document.querySelector('#simulated').hidden") == (not answer["simulated"])
    assert playground.js("return document.querySelector('.notices').innerText.includes('must not be public')")


def test_choosing_a_reader_makes_the_page_theirs(playground, readers):
    tokyo = next(reader for reader in readers if reader["city"] == "Tokyo")
    playground.js("document.querySelector(arguments[0]).click()", row(tokyo["ipv4"]) + " .reader")
    for place in [".dateline .masthead-place", "#city"]:
        playground.until(f"document.querySelector({json.dumps(place)}).textContent == 'Tokyo'", f"{place} is not Tokyo")
    playground.until("document.querySelector('#edition').textContent == 'Tokyo edition'", "the edition is another's")
    assert playground.attribute(row(tokyo["ipv4"]) + " .reader", "aria-pressed") == "true"
    assert playground.js("return document.querySelectorAll('[aria-pressed=true]').length") == 1
    assert complaints(playground) == []


def test_units_and_language_change_every_row(playground, readers):
    delhi = next(reader for reader in readers if reader["city"] == "Delhi")
    for name, value in {"units": "f", "lang": "hi"}.items():
        playground.js(
            """const control = document.querySelector(`[name=${arguments[0]}]`);
            control.value = arguments[1];
            control.dispatchEvent(new Event('change'));""",
            name,
            value,
        )
    reads = f"document.querySelector('{row(delhi['ipv4'])} .reads').textContent"
    hindi = dict(name.split("=") for name in delhi["names"].split("|"))["hi"]
    translated = f"{reads}.startsWith({json.dumps(hindi)}) && {reads}.endsWith('°F')"
    playground.until(translated, "Delhi keeps its English name or its degrees Celsius")
    assert complaints(playground) == []


def test_details_show_fragment_json_and_headers_as_text(playground, readers):
    reader = next(reader for reader in readers if "<" in reader["city"])
    button = row(reader["ipv4"]) + " [aria-expanded]"
    playground.js("document.querySelector(arguments[0]).click()", button)
    panel = playground.attribute(button, "aria-controls")
    playground.until(f"document.querySelectorAll('#{panel} pre').length >= 3", "the details stay empty")
    texts = f"[...document.querySelectorAll('#{panel} pre')].map((pre) => pre.textContent)"
    html, headers, _, answer = playground.js(f"return {texts}")
    assert html.startswith('<span class="masthead-weather"') and "&lt;" in html
    assert json.loads(answer)["place"]["name"] == reader["city"]
    assert "cache-control: no-store" in headers
    assert playground.attribute(button, "aria-expanded") == "true"
    assert playground.js("return document.querySelectorAll('#rows b, #rows script').length") == 0
    playground.js("document.querySelector(arguments[0]).click()", button)
    assert playground.js(f"return document.querySelector('#{panel}')") is None
    assert complaints(playground) == []


def test_any_address_can_be_asked_about(playground, readers):
    for address, name in [("203.0.113.241", "Someone somewhere"), (readers[0]["ipv6"], readers[0]["city"])]:
        playground.js(
            """document.querySelector('[name=ip]').value = arguments[0];
            document.querySelector('#controls').requestSubmit();""",
            address,
        )
        assert playground.text(".reader[aria-pressed=true]") == name
    unknown = row("203.0.113.241") + " .state"
    playground.until(f"document.querySelector('{unknown}').dataset.state == 'unknown'", "the stranger still waits")


def test_the_page_is_accessible_in_outline(playground):
    """Landmarks, one heading of the first rank, a name for every control, headers for every row."""
    for landmark in ["header", "main", "footer", "h1", "table caption"]:
        assert playground.js("return document.querySelectorAll(arguments[0]).length", landmark) == 1
    rows = "[...document.querySelectorAll('#rows tr[data-ip]')]"
    assert playground.js(f"return {rows}.every((row) => row.querySelector('th[scope=row]'))")
    nameless = "[...document.querySelectorAll('button, a')].filter((el) => !el.textContent.trim() && !el.ariaLabel)"
    assert playground.js(f"return {nameless}.length") == 0
    assert playground.js("return [...document.querySelectorAll('select, input')].every((el) => el.labels.length)")


def test_it_fits_a_phone(playground):
    playground.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}
    )
    try:
        assert playground.js("return document.documentElement.scrollWidth") == 360
    finally:
        playground.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_playground_is_light_and_allows_no_inline_script(masthead):
    weight = 0
    for path in FILES:
        with urllib.request.urlopen(masthead.public + path, timeout=10) as reply:
            weight += len(reply.read())
            if path == "/":
                assert "default-src 'self'" in reply.headers["Content-Security-Policy"]
    assert weight < WEIGHT_LIMIT_BYTES
