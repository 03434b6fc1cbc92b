"""The playground, as the developer who has just started the service sees it."""

import contextlib
import json
import re
import shutil
import subprocess
import urllib.request
from urllib.parse import parse_qs, urlsplit

import pytest
from selenium.webdriver.common.keys import Keys

from axe import violations
from harness import ROOT, address_of, is_office
from newspaper import say
from test_loader import ANSWER

MAX_RADIUS_KM = 100  # geoip.max_radius as shipped
WEIGHT_LIMIT_BYTES = 70_000  # of text that is ours, uncompressed
MODULES = ["playground", "controls", "dom", "explain", "previews", "reader_map"]
SHEETS = ["pages", "playground", "readers"]
FILES = ["/", "/masthead.js", "/masthead.css", *(f"/dev/{name}.css" for name in SHEETS), *(f"/dev/{name}.js" for name in MODULES)]


def should_have_weather(reader):
    """Whether the reader's record may be believed: see "place.verdict" in data/README.md."""
    if not reader["city"] or not reader["latitude"] or "anycast" in reader["flags"].split(","):
        return False
    latitude, longitude = float(reader["latitude"]), float(reader["longitude"])
    in_range = abs(latitude) <= 90 and abs(longitude) <= 180 and (latitude, longitude) != (0, 0)
    return not is_office(reader) and in_range and float(reader["radius"] or 0) <= MAX_RADIUS_KM


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
    yield browser
    assert complaints(browser) == []


@pytest.fixture
def open_at(masthead, browser):
    """Opens the playground as an address with a hash says; returns the browser."""
    def open_one(fragment):
        browser.open("about:blank")  # else only the hash would change
        browser.open(f"{masthead.public}/#{fragment}")
        # Filled by the script when the controls are, where #url has an address from the start.
        browser.until("document.querySelector('#page-url').textContent", "the controls are not ready")
        return browser
    yield open_one
    assert complaints(browser) == []


def switch(browser, **fields):
    """Sets the controls, as a person would."""
    for name, value in fields.items():
        browser.js(
            """const control = document.querySelector(`#controls [name=${arguments[0]}]`);
            control.value = arguments[1];
            control.dispatchEvent(new Event('change', { bubbles: true }));""",
            name,
            value,
        )


def asked(browser):
    """The parameters of the composed address."""
    url = urlsplit(browser.js("return document.querySelector('#url').textContent"))
    assert url.path == "/widget.json"
    return {name: values[0] for name, values in parse_qs(url.query).items()}


@contextlib.contextmanager
def phone(browser):
    size = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        yield
    finally:
        browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


READERS_SAY = {"Reykjavik": "Reykjavík", "Frankfurt am Main": "Frankfurt"}  # the gazetteer's word for it


def test_every_reader_who_should_have_a_temperature_has_one(playground, readers):
    shown = playground.js(
        """return Object.fromEntries([...document.querySelectorAll('#rows tr[data-ip]')].map((row) =>
            [row.dataset.ip, [row.querySelector('.reads').textContent, row.querySelector('.state').dataset.state]]))"""
    )
    for reader in readers:
        reads, state = shown[address_of(reader)]
        if should_have_weather(reader):
            assert state == "fresh", reader
            bare = reader["city"].split(" (")[0]
            name = READERS_SAY.get(bare, bare)
            assert reads.startswith(name) and reads.endswith("°C"), reads
        else:
            assert (reads, state) == ("nothing", "unknown"), reader


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
    pressed = "return [...document.querySelectorAll('[aria-pressed=true]')].map((button) => button.className)"
    assert sorted(playground.js(pressed)) == ["pin west", "reader"]


def test_units_and_language_change_every_row(playground, readers):
    delhi = next(reader for reader in readers if reader["city"] == "Delhi")
    switch(playground, units="f", lang="hi")
    reads = f"document.querySelector('{row(delhi['ipv4'])} .reads').textContent"
    hindi = dict(name.split("=") for name in delhi["names"].split("|"))["hi"]
    translated = f"{reads}.startsWith({json.dumps(hindi)}) && {reads}.endsWith('°F')"
    playground.until(translated, "Delhi keeps its English name or its degrees Celsius")


def test_details_show_fragment_json_and_headers_as_text(playground, readers):
    reader = next(reader for reader in readers if "<" in reader["city"])
    button = row(reader["ipv4"]) + " [aria-expanded]"
    playground.js("document.querySelector(arguments[0]).click()", button)
    panel = playground.attribute(button, "aria-controls")
    playground.until(f"document.querySelectorAll('#{panel} pre').length >= 3", "the details stay empty")
    texts = f"[...document.querySelectorAll('#{panel} pre')].map((pre) => pre.textContent)"
    _, headers, html, answer, why = playground.js(f"return {texts}")
    assert json.loads(why)["name"] == reader["city"] and "<" in why
    assert html.startswith('<span class="masthead-weather"') and "&lt;" in html
    assert json.loads(answer)["place"]["name"] == reader["city"]
    assert "cache-control: no-store" in headers
    assert playground.attribute(button, "aria-expanded") == "true"
    assert playground.js("return document.querySelectorAll('#rows b, #rows script').length") == 0
    playground.js("document.querySelector(arguments[0]).click()", button)
    assert playground.js(f"return document.querySelector('#{panel}')") is None


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


@pytest.mark.parametrize("fragment", [
    "ip=192.0.2.1&colours=light", "scenario=rtl-name,stale&lang=ar&style=sans&colours=dark",
    "scenario=country-only,cold&lang=hi&style=dark&colours=light", "scenario=hostile-name,cold&style=dark&colours=dark"])
def test_the_page_is_accessible(open_at, fragment):
    browser = open_at(fragment)
    browser.until("document.querySelectorAll('#behind pre').length == 5", "no evidence")
    waiting = "document.querySelector('.state[data-state=asking], masthead-weather:not([data-state])')"
    browser.until(f"document.querySelector('#rows [data-ip]') && !{waiting}", "a reader still waits", seconds=60)
    assert violations(browser) == []


def test_every_reader_is_on_the_map_or_beside_it(playground, readers):
    """Buttons, named by what the reader is shown, over the place of the record: of India on a map of its own, which shows the part
    of the world's that is outlined there."""
    shares = """const { x, y, width, height } = document.querySelector(arguments[0]).getBoundingClientRect();
        const share = ({ left, top, right, bottom }) => [left - x, right - x, top - y, bottom - y].map((n, i) => n / (i < 2 ? width : height));
        return [...document.querySelectorAll(arguments[1])].map((node) => [node.ariaLabel, ...share(node.getBoundingClientRect())])"""

    def pins_on(place, west, north, wide, high):
        return [(label, west + (left + right) / 2 * wide, north - (top + bottom) / 2 * high)
                for label, left, right, top, bottom in playground.js(shares, place, f"{place} button")]

    india = pins_on("#india", 66, 38, 33, 33)
    pins = pins_on("#map", -180, 78, 360, 135) + india
    assert {"Mumbai", "Delhi", "Leh", "Kochi", "Guwahati"} < {label.split(":")[0] for label, *_ in india}
    (_, left, right, top, bottom), = playground.js(shares, "#india", "#india img")
    assert [round(n, 2) for n in (66 + left * 33, 66 + right * 33, 38 - top * 33, 38 - bottom * 33)] == [-180, 180, 78, -57]
    beside = playground.js("return [...document.querySelectorAll('#nowhere button')].map((chip) => chip.ariaLabel)")
    assert len(pins) + len(beside) == len(readers)
    assert "Nagpur: nothing, unknown" in beside
    for name, north, east in [("Tokyo", 35.7, 139.7), ("New York", 40.7, -74), ("Sydney", -33.9, 151.2),
                              ("Mumbai", 19.1, 72.9), ("Guwahati", 26.1, 91.7)]:
        label, across, up = next(pin for pin in pins if pin[0].startswith(name + ":"))
        assert label.startswith(f"{name}: {name} ") and label.endswith("°C, fresh")
        assert abs(across - east) < 1 and abs(up - north) < 1
    assert playground.js("return document.querySelector('#map img').naturalWidth > 0"), "the map was not drawn"


def test_the_map_is_used_by_keyboard(playground):
    pin = "[...document.querySelectorAll('#map button')].find((pin) => pin.ariaLabel.startsWith('Cairo:'))"
    playground.js(f"{pin}.focus()")
    playground.driver.switch_to.active_element.send_keys(" ")
    playground.until("document.querySelector('.dateline .masthead-place')?.textContent == 'Cairo'", "Cairo was not chosen")
    assert playground.js(f"return {pin}.ariaPressed") == "true"
    assert asked(playground) == {"ip": "198.51.100.129"}
    assert playground.js(f"return getComputedStyle({pin}.firstChild).display") == "block", "its label is not seen"


def test_the_switches_compose_the_address_and_the_page_follows(open_at):
    browser = open_at("")
    assert asked(browser) == {"ip": "192.0.2.1"}
    switch(browser, reader="leh-below-zero", fault="upstream-down-6h", units="f")
    assert asked(browser) == {"scenario": "leh-below-zero,upstream-down-6h", "units": "f"}
    assert browser.settled(".dateline masthead-weather") == "stale"
    assert browser.text(".dateline .masthead-temp").endswith("\u00a0°F")
    browser.until("document.querySelector('#date').textContent == 'Friday, January 16, 2026'", "the date is today's")
    switch(browser, at="2026-01-31T23:30", reader="", lang="hi")
    expected = {"ip": "192.0.2.1", "scenario": "upstream-down-6h", "at": "2026-01-31T23:30:00Z", "lang": "hi", "units": "f"}
    assert asked(browser) == expected
    browser.until("document.querySelector('#date').textContent == 'Sunday, February 1, 2026'", "Mumbai's date is another")
    page = urlsplit(browser.js("return location.href"))
    assert parse_qs(page.fragment) == {name: [value] for name, value in expected.items()}
    assert browser.text("#page-url") == page.geturl()


def test_an_address_restores_the_page(open_at):
    fragment = "scenario=new-york,upstream-down-6h&at=2026-01-31T03:00:00Z&lang=hi&units=f&style=dark&colours=dark"
    browser = open_at(fragment)
    values = "return Object.fromEntries(new FormData(document.querySelector('#controls')))"
    assert browser.js(values) == {"reader": "new-york", "ip": "", "fault": "upstream-down-6h", "at": "2026-01-31T03:00",
                                  "lang": "hi", "units": "f", "style": "dark", "colours": "dark"}
    assert urlsplit(browser.js("return location.href")).fragment == fragment
    assert browser.settled(".dateline masthead-weather") == "stale"
    assert browser.text(".dateline .masthead-place") == "न्यूयॉर्क"
    assert browser.attribute("#masthead", "data-style") == "dark"
    assert browser.js("return getComputedStyle(document.body).backgroundColor") == "rgb(22, 21, 19)"
    browser.js("location.hash = 'ip=198.51.100.65'")
    browser.until("document.querySelector('.dateline .masthead-place')?.textContent == 'Tokyo'", "the new hash is not read")
    assert asked(browser) == {"ip": "198.51.100.65"}


def test_a_hostile_address_changes_nothing_but_the_question(open_at):
    browser = open_at("ip=%3Cscript%3Ealert(1)%3C/script%3E&scenario=nobody,nothing&lang=%22&style=x&colours=url(x)&at=soon")
    assert asked(browser) == {"ip": "<script>alert(1)</script>"}
    assert browser.js("return document.documentElement.dataset.colours") == ""
    assert browser.settled(".dateline masthead-weather")
    browser.until("document.querySelectorAll('#behind pre').length == 5", "no evidence")
    assert [message for message in complaints(browser) if "/dev/explain?ip=" not in message] == []  # which refuses it, in words


def test_a_place_on_the_page_is_no_state(open_at):
    browser = open_at("scenario=tokyo")
    browser.js("document.querySelector('.skip').click()")
    browser.until("location.hash == '#scenario=tokyo' && scrollY > 0", "the skip link went nowhere, or the state is lost")
    assert asked(browser) == {"scenario": "tokyo"}


def test_the_explanation_follows_the_controls(open_at):
    browser = open_at("scenario=hostile-name,cold")
    texts = "[...document.querySelectorAll('#behind pre')].map((pre) => pre.textContent)"
    browser.until(f"{texts}.length == 5", "no evidence")
    shell, headers, html, answer, why = browser.js(f"return {texts}")
    assert "&lt;b&gt;" in html and "scenario=hostile-name,cold" in shell and json.loads(answer)["state"] == "place"
    assert "x-masthead-scenario: hostile-name,cold" in headers
    assert json.loads(why)["verdict"] == "city"
    switch(browser, reader="unreadable")
    browser.until(f"{texts}[4]?.includes('unreadable')", "the explanation is another reader's")
    assert browser.js("return document.querySelector('#behind b, #behind script')") is None


def test_a_service_that_explains_nothing_is_said_to(open_at):
    browser = open_at("scenario=tokyo")
    browser.js("const real = fetch; window.fetch = (path, ...rest) => path.startsWith('/dev/explain') ?"
               " Promise.resolve(new Response('no such page', { status: 404 })) : real(path, ...rest)")
    switch(browser, units="f")
    browser.until("document.querySelector('#behind [aria-label=Why] pre')?.textContent.includes('explains nothing here (HTTP 404)')",
                  "no word about the missing explanation")


def test_the_addresses_are_copied_or_selected(open_at):
    """Whether a page may write to the clipboard is the browser's affair."""
    browser = open_at("scenario=tokyo,stale&style=sans")
    for place in ("#url", "#page-url"):
        button = f"document.querySelector('[data-copies=\"{place}\"]')"
        browser.js(f"{button}.click()")
        word = browser.until(f"['Copied', 'Selected'].find((word) => {button}.textContent == word)", "nothing happened")
        if word == "Selected":
            assert browser.js("return getSelection().toString().trim()") == browser.text(place)
    assert browser.text("#page-url").endswith("/#scenario=tokyo,stale&style=sans")


def test_the_script_is_offered_under_its_lasting_name(masthead, open_at):
    browser = open_at("")
    loader = masthead.get("/masthead.js").headers
    line = browser.until("document.querySelector('#pinned').textContent", "no line was made")
    assert f'src="{loader["Content-Location"]}"' in line and f'integrity="{loader["X-Masthead-Integrity"]}"' in line
    assert not browser.js("return document.querySelector('#pinned').closest('[hidden]')")


LANGUAGES = "en hi bn ta te mr gu kn ml pa ur ar".split()


def test_three_mastheads_in_every_language(open_at):
    browser = open_at("scenario=mumbai,upstream-down-6h&units=c")
    browser.until("document.querySelectorAll('.wall masthead-weather[data-state=stale]').length == 36", "some still wait")
    papers = browser.js(
        """return [...document.querySelectorAll('.wall .paper')].map((paper) => [paper.dataset.style, paper.lang,
            getComputedStyle(paper).direction, paper.querySelector('.masthead-place').textContent,
            paper.querySelector('masthead-weather').lang, paper.querySelector('.date').textContent])"""
    )
    expected = [(style, lang) for style in ("serif", "sans", "dark") for lang in LANGUAGES]
    assert [(style, lang) for style, lang, *_ in papers] == expected
    for _, lang, direction, place, own, date in papers:
        assert direction == ("rtl" if lang in ("ar", "ur") else "ltr") and own == lang
        assert (place == "Mumbai") == (lang == "en")
        if lang in ("en", "hi", "ar"):
            assert {"en": "January", "hi": "जनवरी", "ar": "يناير"}[lang] in date
    assert len({place for *_, place, _, _ in papers}) == len(LANGUAGES) - 1  # Hindi and Marathi write it alike


def test_a_reader_without_a_city_is_invited_in_every_masthead_and_may_choose(open_at):
    browser = open_at("scenario=country-only,fresh")
    invited = "[...document.querySelectorAll('masthead-weather .masthead-place')].filter((place) => place.role == 'button')"
    browser.until(f"{invited}.length == 39", "not every masthead invites")
    assert browser.text(".dateline .masthead-place") == browser.text("#city") == "Choose your city"
    words = {browser.text(f".wall [lang={lang}] .masthead-place") for lang in ("en", "hi", "ar")}
    assert words == {"Choose your city", "अपना शहर चुनें", "اختر مدينتك"}
    assert browser.js("return document.querySelector('#chosen').hidden")
    browser.js(f"{invited}[0].focus()")
    browser.driver.switch_to.active_element.send_keys(Keys.ENTER)
    browser.until("document.activeElement.matches('dialog input')", "the dialog does not open")
    browser.driver.switch_to.active_element.send_keys("mumbai", Keys.ENTER)
    browser.until("document.activeElement.closest('dialog li')", "Mumbai is not found")
    browser.driver.switch_to.active_element.send_keys(Keys.ENTER)
    browser.until("document.querySelectorAll('masthead-weather[data-source=reader]').length == 39", "the choice does not count")
    browser.until("!document.querySelector('#chosen').hidden", "the page does not say that a choice counts")
    browser.js("localStorage.clear()")


@pytest.mark.parametrize("place, words", [
    ({"verdict": "too-vague", "reason": "office", "confidence": None}, ["too vague to name a city", "the record is the office of a network"]),
    ({"verdict": "too-vague", "reason": "no-city", "confidence": None}, ["too vague to name a city", "the record names no city"]),
    ({"verdict": "city", "reason": None, "confidence": "claimed"}, ["claimed"]),
    ({"verdict": "city", "reason": None, "confidence": "confirmed"}, ["confirmed"]),
    ({"verdict": "city"}, []),
    ({"verdict": "private"}, ["a private address"]),
    ({"verdict": "a-new-one"}, ["a-new-one"]),
])
def test_verdict_confidence_and_reason_are_said_in_words(site, browser, place, words):
    site.visitor = "127.0.0.1"  # who may be anyone in developer mode
    known = place["verdict"] == "city"
    answer = {**ANSWER, "place": {**ANSWER["place"], "name": "Mumbai" if known else None, **place}}
    site.fault = say(answer if known else {**answer, "state": "unknown"})
    browser.open(site.page("/", site.fetch("/")))
    said = "[...document.querySelectorAll('#rows tr[data-ip=\"192.0.2.1\"] td:nth-child(3) small')].map((el) => el.textContent)"
    state = "document.querySelector('#rows tr[data-ip=\"192.0.2.1\"] .state')?.dataset.state"
    browser.until(f"{state} == '{'fresh' if known else 'unknown'}'", "the row still waits")
    assert browser.js(f"return {said}") == words
    sentence = browser.until("document.querySelector('#judged').textContent", "nothing is said beside the masthead").split(" · ")
    if known:
        sure = {"claimed": ["claimed by one witness, confirmed by none"], None: [],
                "confirmed": ["confirmed by a second witness, a radius or the reader"]}[place.get("confidence")]
        assert sentence == ["the city is named", *sure, "a temperature of now"]
    else:
        assert sentence == [*words, "no temperature"]


@pytest.mark.parametrize("width", [1280, 360])
def test_what_is_steered_is_in_sight_of_the_steering(playground, readers, width):
    """From the first control to the last row, and it never hides what has the focus."""
    size = {"width": width, "height": 740, "deviceScaleFactor": 1, "mobile": False}
    playground.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        for place in ("#controls [name=units]", "#india button", row(address_of(readers[-1])) + " .reader"):
            playground.js("document.querySelector(arguments[0]).focus()", place)
            top, bottom = playground.js("const { top, bottom } = document.querySelector('#sight').getBoundingClientRect(); return [top, bottom]")
            focus = playground.js("const { top, bottom } = document.activeElement.getBoundingClientRect(); return [top, bottom]")
            assert -1 <= top and bottom <= 740 / 2, place
            assert bottom <= focus[0] + 1 and focus[1] <= 740, place
        tokyo = next(address_of(reader) for reader in readers if reader["city"] == "Tokyo")
        playground.js("document.querySelector(arguments[0]).click()", row(tokyo) + " .reader")
        playground.until("document.querySelector('#sight .masthead-place')?.textContent == 'Tokyo'", "the masthead is another's")
        switch(playground, style="dark", lang="hi")
        playground.until("document.querySelector('#sight masthead-weather').lang == 'hi'", "the masthead is in another language")
        assert playground.attribute("#sight .paper", "data-style") == "dark"
    finally:
        playground.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_each_chosen_option_is_explained(open_at):
    browser = open_at("scenario=leh-below-zero,quota-gone")
    notes = "return [...document.querySelectorAll('#notes span')].map((note) => note.textContent)"
    assert browser.js(notes)[:2] == ["Reader: a minus sign: a January night in Leh",
                                     "Fault: the day's budget ran out twelve hours ago: an aged value"]
    switch(browser, fault="cold", units="auto")
    said = browser.js(notes)
    assert any(note.startswith("Fault: the first reader of a cell") for note in said) and "Units: °F where the reader's country uses it" in said
    assert browser.attribute("#controls", "aria-describedby") == "notes"


def test_the_forms_of_the_answer_are_tabs(open_at):
    """By mouse and by arrow keys; the tab that is open stays so when the question changes."""
    browser = open_at("scenario=tokyo")
    browser.until("document.querySelectorAll('#behind [role=tab]').length == 4", "no tabs")
    state = """return [...document.querySelectorAll('#behind [role=tab]')].map((tab) => [tab.textContent, tab.ariaSelected, tab.tabIndex])
        .concat([[...document.querySelectorAll('#behind [role=tabpanel]')].filter((panel) => !panel.hidden).map((panel) => panel.ariaLabel)])"""

    def of(name):
        return [[tab, str(tab == name).lower(), 0 if tab == name else -1] for tab in ("curl", "HTML", "JSON", "Why")] + [[name]]

    assert browser.js(state) == of("curl")
    assert browser.text("#behind pre").startswith("curl -i 'http://127.0.0.1:")
    browser.js("document.querySelector('#behind [role=tab]').focus()")
    for key, name in ((Keys.ARROW_LEFT, "Why"), (Keys.ARROW_RIGHT, "curl"), (Keys.ARROW_RIGHT, "HTML")):
        browser.driver.switch_to.active_element.send_keys(key)
        assert browser.js(state) == of(name) and browser.js("return document.activeElement.textContent") == name
    browser.js("document.querySelectorAll('#behind [role=tab]')[2].click()")
    switch(browser, units="f")
    browser.until("document.querySelector('#behind [aria-label=JSON] pre')?.textContent.includes('°F')", "the question is the old one")
    assert browser.js(state) == of("JSON")


def test_the_number_stands_to_the_left_of_its_unit_in_arabic_too(open_at):
    browser = open_at("scenario=leh-below-zero,fresh&units=c")
    browser.until("document.querySelectorAll('.wall masthead-weather[data-state=fresh]').length == 36", "some still wait")
    order = browser.js(
        """return [...document.querySelectorAll('.wall [lang=ar] .masthead-temp')].map((temp) => {
          const range = new Range(), text = temp.firstChild;
          return [text.data, ...[0, 1, text.length - 1].map((i) => {
            range.setStart(text, i);
            range.setEnd(text, i + 1);
            return range.getBoundingClientRect().left;
          })];
        })"""
    )
    assert len(order) == 3
    for text, minus, digit, unit in order:
        assert text.startswith("\u2212") and text.endswith("C") and minus < digit < unit, order


def test_the_dark_masthead_is_dark_on_a_light_page_and_the_others_follow(open_at):
    browser = open_at("ip=192.0.2.1&colours=light")
    light = "return [...document.querySelectorAll('.wall .paper:lang(en)')].map((paper) => getComputedStyle(paper).color)"
    ink, again, pale = browser.js(light)
    assert ink == again != pale
    switch(browser, colours="dark")
    assert browser.js(light) == [pale] * 3


def test_it_fits_a_phone(open_at):
    """In each masthead and language, with the longest name, which is cut; and what a masthead holds stays in it. The words for the
    weather are cut by the widget's own box."""
    browser = open_at("scenario=long-name")
    outside = """return [...document.querySelectorAll('.paper *:not(.masthead-condition)')].map((node) => [node, node.getBoundingClientRect()])
        .filter(([, { left, right, width }]) => width && (right > 361 || left < -1)).map(([node]) => node.outerHTML)"""
    with phone(browser):
        for style in ("", "sans", "dark"):
            for lang in ("en", "hi", "ar"):
                switch(browser, style=style, lang=lang)
                browser.until("document.querySelectorAll('masthead-weather[data-state=fresh]').length == 39", "some wait")
                assert browser.js("return document.documentElement.scrollWidth") == 360, (style, lang)
                assert browser.js(outside) == [], (style, lang)
        browser.until("document.querySelectorAll('#behind pre').length == 5", "no evidence")
        assert browser.js("return document.documentElement.scrollWidth") == 360
        scrolls = "({ scrollWidth, clientWidth }) => scrollWidth > clientWidth && clientWidth < 360"
        assert browser.js(f"return [...document.querySelectorAll('.recipes pre')].some({scrolls})"), "no snippet scrolls in its box"


# Browsers of the loader's age: the oldest whose syntax it is in, and what they have none of.
SYNTAX = "chrome91,firefox79,safari14"
YOUNGER_CSS = ["light-dark(", "@container", "cqi", ":has(", "&", "color-mix(", "@layer", "aspect-ratio", "inset:", "oklch("]
YOUNGER_APIS = """
delete Map.groupBy; delete Object.groupBy; delete AbortSignal.timeout; delete AbortSignal.any; delete Promise.any;
delete Intl.DisplayNames; delete window.structuredClone; delete crypto.randomUUID; delete Array.fromAsync; delete Promise.withResolvers;
for (const type of [Array, String, Int8Array]) for (const name of ['at', 'findLast', 'findLastIndex', 'toSorted', 'toReversed', 'toSpliced', 'with'])
  delete type.prototype[name];
for (const name of Object.getOwnPropertyNames(Element.prototype)) if (/^(aria|role|checkVisibility|setHTML)/.test(name)) delete Element.prototype[name];
for (const name of ['popover', 'showPopover', 'inert']) delete HTMLElement.prototype[name];
"""


@pytest.mark.skipif(not shutil.which("esbuild"), reason="esbuild is not installed")
@pytest.mark.parametrize("name", ["masthead", *MODULES])
def test_its_syntax_is_no_younger_than_the_loaders(name):
    """What esbuild has nothing to rewrite in for an old browser, that one can read."""
    def built(target):
        return subprocess.run(["esbuild", f"--target={target}", ROOT / "src" / "web" / f"{name}.js"], capture_output=True, check=True).stdout
    assert built(SYNTAX) == built("esnext")


@pytest.mark.parametrize("name", SHEETS)
def test_its_style_is_no_younger_than_the_loader(name):
    sheet = re.sub(r"/\*.*?\*/", "", (ROOT / "src" / "web" / f"{name}.css").read_text("utf-8"), flags=re.S)
    assert [feature for feature in YOUNGER_CSS if feature in sheet] == []


def test_it_works_in_a_browser_of_the_loaders_age(masthead, browser, readers):
    """One that has nothing of what came later."""
    old = browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": YOUNGER_APIS})["identifier"]
    try:
        browser.open(masthead.public + "/#scenario=country-only,cold")
        browser.until("document.querySelector('#page-url').textContent", "the controls are not ready")
        assert browser.js("return [Map.groupBy, Intl.DisplayNames, Element.prototype.ariaLabel].every((api) => api === undefined)")
        browser.until(f"document.querySelectorAll('.state:not([data-state=asking])').length == {len(readers)}", "rows are missing", seconds=60)
        browser.until("document.querySelectorAll('#behind [role=tab]').length == 4", "no tabs")
        assert browser.js("return document.querySelectorAll('#map button[aria-label], #india button[aria-label]').length") > 20
        assert browser.js("return document.querySelectorAll('button[aria-expanded=false][aria-controls]').length") == len(readers)
        assert complaints(browser) == []
    finally:
        browser.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", {"identifier": old})


def test_the_playground_is_light_and_allows_no_inline_script(masthead):
    weight = 0
    for path in FILES:
        with urllib.request.urlopen(masthead.public + path, timeout=10) as reply:
            weight += len(reply.read())
            if path == "/":
                assert "default-src 'self'" in reply.headers["Content-Security-Policy"]
    assert weight < WEIGHT_LIMIT_BYTES


def test_with_forced_colours_a_full_dot_is_full(playground):
    """Where a browser takes backgrounds away, readers with a number would look like those without."""
    playground.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "forced-colors", "value": "active"}]})
    try:
        full, hollow, ground = playground.js("""
            const ground = (selector) => getComputedStyle(document.querySelector(selector), '::before').backgroundColor;
            const probe = document.body.appendChild(document.createElement('i'));
            probe.style.color = 'Canvas';
            return [ground('.pin[data-state=fresh]'), ground('.pin[data-state=unknown], .pin[data-state=none]'), getComputedStyle(probe).color]""")
        assert full != hollow == ground
    finally:
        playground.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
