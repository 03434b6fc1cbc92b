"""The loader's wishes, one by one: the date, the icon and the condition, what may be remembered, the answer in two halves, and
the name under which the script may be kept for ever."""

import base64
import hashlib
import json
import re
import urllib.request
from urllib.parse import parse_qs, urlsplit

import pytest

from newspaper import drop, hold, say
from test_loader import ANSWER, NO_RECORD, PLACEHOLDER, SCRIPT, STYLE, TARGETS, TODAY, answer_once_fresh, page, show

RAIN = {"code": 63, "text": "Rain <b>", "is_day": True}
PARTS = """<masthead-weather><span class="masthead-place">Fetching location...</span>
  <span class="masthead-icon" aria-hidden="true"></span> <span class="masthead-temp">-- °C</span>
  <span class="masthead-condition"></span></masthead-weather>"""


@pytest.fixture
def mumbai(site, browser):
    answer_once_fresh(site)
    browser.open(site.page("/empty", page("", head="")))
    browser.js("localStorage.clear(); sessionStorage.clear()")
    return site


# The date


@pytest.mark.parametrize("zone, lang", [
    ("Asia/Kolkata", "en-IN"), ("Pacific/Kiritimati", "hi"), ("Pacific/Pago_Pago", "en"), ("America/New_York", "ar"),
])
def test_the_date_is_the_places(site, browser, zone, lang):
    site.fault = say({**ANSWER, "timezone": zone})
    body = f'<masthead-weather data-date>{PLACEHOLDER}</masthead-weather><p id="line"></p>'
    body += '<i data-masthead data-date data-date-target="#line"></i>'
    browser.open(site.page("/", page(body, lang=lang)))
    browser.until("probe.updates.length == 2", "not every widget was told")
    there = """const digits = Intl.NumberFormat(arguments[0]).resolvedOptions().numberingSystem;
        const locale = `${arguments[0].slice(0, 2)}-IN-u-nu-${digits}`;
        return new Date().toLocaleDateString(locale, { dateStyle: 'full', timeZone: arguments[1] })"""
    assert browser.text(".masthead-date") == browser.text("#line") == browser.js(there, lang, zone)


@pytest.mark.parametrize("lang, country, shown", [
    ("en-US", "IN", "Sunday 29 November 2026"), ("en_US", "IN", "Sunday 29 November 2026"),
    ("en-GB", "US", "Sunday, November 29, 2026"), ("mr", "GB", "रविवार, २९ नोव्हेंबर, २०२६"),
    ("hi", "IN", "रविवार, 29 नवंबर 2026"), ("ar", "EG", "الأحد، 29 نوفمبر 2026"),
    ("pa", "IN", None), ("de", None, "Sonntag, 29. November 2026"), ("en-US", None, "Sunday, November 29, 2026"),
])
def test_the_date_is_in_the_pages_language_as_the_place_writes_it(site, browser, lang, country, shown):
    site.fault = say({**ANSWER, "timezone": "Asia/Kolkata", "place": {**ANSWER["place"], "country": country}})
    clock = "const Now = Date; Date = class extends Now { constructor(...at) { super(...(at.length ? at : ['2026-11-29T06:00:00Z'])); } };"
    site.page("/clock.js", clock, content_type="text/javascript")
    body = f"<masthead-weather data-date>{PLACEHOLDER}</masthead-weather>"
    show(site, browser, body, lang=lang, head='<script src="/clock.js"></script>' + SCRIPT)
    if not shown:  # a browser may have no names of months in it
        assert " M11" not in browser.text(".masthead-date")
        return
    assert browser.text(".masthead-date").replace(",", "") == shown.replace(",", "")  # which CLDR's editions differ in
    assert browser.attribute(".masthead-date", "lang") == lang.replace("_", "-")


# The language


@pytest.mark.parametrize("lang, marked", [("bn-BD", "bn"), ("hi_IN", "hi"), ("de", "en"), ("ta-LK", "ta")])
@pytest.mark.parametrize("mode", ["", 'data-mode="split"'])
def test_words_are_marked_with_the_language_they_are_in(site, browser, mode, lang, marked):
    body = f'<masthead-weather {mode} data-query="at=2026-01-31T09:30:00Z&scenario=mumbai,fresh">{PARTS[18:]}'
    show(site, browser, body, lang=lang)
    expected = site.fetch(f"/widget.json?at=2026-01-31T09:30:00Z&scenario=mumbai,fresh&lang={lang}")
    assert f'"lang":"{marked}"' in expected
    for part in ("place", "temp", "condition"):
        assert browser.attribute(f".masthead-{part}", "lang") == marked
        assert browser.text(f".masthead-{part}") in expected


@pytest.mark.parametrize("answer", [{**ANSWER, "timezone": None}, {**ANSWER, "timezone": "Mars/Olympus"}, None])
def test_without_a_zone_the_date_is_the_browsers_or_none(site, browser, answer):
    site.fault = say(answer) if answer else drop
    browser.open(site.page("/", page(f"<masthead-weather data-date>{PLACEHOLDER}</masthead-weather>")))
    state = browser.settled("masthead-weather")
    assert state == ("fresh" if answer else "unavailable")
    here = browser.js(f"return new Date().toLocaleDateString('{'en-IN' if answer else 'en'}', {{ dateStyle: 'full' }})")
    assert browser.text(".masthead-date") in (here, "")


@pytest.mark.parametrize("lang", ["", "x", "english!"])
def test_a_language_that_no_browser_knows_still_has_a_date(site, browser, lang):
    site.fault = say({**ANSWER, "timezone": "Pacific/Kiritimati"})
    show(site, browser, f"<masthead-weather data-date>{PLACEHOLDER}</masthead-weather>", lang=lang)
    there = "return new Date().toLocaleDateString([], { dateStyle: 'full', timeZone: 'Pacific/Kiritimati' })"
    assert browser.text(".masthead-date") == browser.js(there)


# Icon and condition


@pytest.mark.parametrize("weather, code, words", [
    (RAIN, "63", "Rain <b>"),
    ({**RAIN, "is_day": False}, "63n", "Rain <b>"),
    ({**RAIN, "is_day": None}, "63", "Rain <b>"),
    ({"code": None, "text": None, "is_day": None}, "", ""),
    (None, "", ""),
])
def test_icon_and_condition_are_the_weathers(site, browser, weather, code, words):
    site.fault = say({**ANSWER, "weather": weather})
    show(site, browser, PARTS, head=SCRIPT + STYLE)
    assert browser.attribute("masthead-weather", "data-weather") == code
    assert browser.text(".masthead-condition") == words
    assert browser.text(".masthead-icon") == ""


def test_every_code_has_its_picture_and_no_code_has_none(site, browser):
    pictures = re.findall(r"translate\(0 (\d+)\)", site.fetch("/masthead.icons.svg"))
    codes = {"0": 0, "1n": 1, "2": 2, "2n": 3, "3": 4, "3n": 4, "4": 13, "5n": 13, "6": 13, "45": 5, "48n": 5, "51": 6, "57": 6, "61": 7, "65n": 7, "66": 8,
             "67": 8, "69": 8, "71": 9, "77": 9, "80": 10, "82n": 11, "84": 8, "83n": 8, "86": 9, "85n": 9, "95": 12, "99n": 12,
             "": -1, "undefined": -1}
    icons = "".join(f'<p data-weather="{code}"><i class="masthead-icon"></i></p>' for code in codes)
    browser.open(site.page("/", page(icons, head=STYLE)))
    browser.until("document.readyState == 'complete'", "the page does not end")
    rows = browser.js("""return [...document.querySelectorAll('i')].map((icon) => {
        const { maskPosition, inlineSize } = getComputedStyle(icon);
        return Math.round(-parseFloat(maskPosition.split(' ')[1]) / parseFloat(inlineSize)); })""")
    assert rows == list(codes.values())
    assert max(rows) == len(pictures) - 1
    # The browser fetches a mask when it first draws it, which may be after the page's own end.
    browser.until("performance.getEntriesByType('resource').some((entry) => new URL(entry.name).pathname == '/masthead.icons.svg')",
                  "the sprite is not fetched")


def test_the_servers_fragment_shows_them_when_asked(mumbai, browser):
    fragment = mumbai.fetch("/widget?show=icon,condition")
    assert re.search(r'data-weather="\d+n?"', fragment) and 'class="masthead-icon" aria-hidden="true"' in fragment
    answer = json.loads(mumbai.fetch("/widget.json"))
    assert f'<span class="masthead-condition">{answer["weather"]["text"]}</span>' in fragment
    plain = mumbai.fetch("/widget")
    assert "icon" not in plain and "condition" not in plain and "data-weather" not in plain


# What may be remembered


def test_nothing_is_remembered_unless_the_page_says_so(mumbai, browser):
    body = f"<masthead-weather data-remember>{PLACEHOLDER}</masthead-weather>"
    url = mumbai.page("/", page(body))
    browser.open(url)
    assert browser.settled("masthead-weather") == "fresh"
    kept = browser.js("return { ...sessionStorage }")
    assert [json.loads(value)[1]["place"]["name"] for value in kept.values()] == ["Mumbai"]
    mumbai.fault = drop
    browser.open(url)
    assert browser.settled("masthead-weather") == "fresh", "what is remembered is not shown"
    browser.until("probe.timers.length", "what is remembered never ends")
    assert len(mumbai.asked) == 1


def test_any_element_may_say_that_the_answer_is_remembered(mumbai, browser):
    browser.open(mumbai.page("/", page(f"<masthead-weather></masthead-weather><p data-masthead data-remember>{PLACEHOLDER}</p>")))
    browser.until("sessionStorage.length", "nothing is remembered")
    assert len(mumbai.asked) == 1


def test_what_is_remembered_grows_old(mumbai, browser):
    mumbai.fault = say({**ANSWER, "age_s": 60}, headers={"Cache-Control": "no-store, max-age=300"})
    url = mumbai.page("/", page(f"<masthead-weather data-remember>{PLACEHOLDER}</masthead-weather>"))
    browser.open(url)
    browser.until("sessionStorage.length", "nothing is remembered")
    browser.js("""for (const key in { ...sessionStorage }) {
        const [since, ...rest] = JSON.parse(sessionStorage[key]);
        sessionStorage[key] = JSON.stringify([since - 100000, ...rest]); }""")
    mumbai.fault = drop
    browser.open(url)
    assert browser.settled("masthead-weather") == "fresh"
    assert 150000 < browser.wake()[0] <= 200000
    browser.until("document.querySelector('[data-state=stale]')", "it is still called fresh")
    assert 160 <= int(browser.attribute("masthead-weather", "data-age")) < 200


@pytest.mark.parametrize("kept", ["", "null", "[]", "{", '[9e15,{"state":"fresh"}]', '[9e15,null]', "[1,{}]", '["x",7]'])
def test_what_is_remembered_is_not_believed(mumbai, browser, kept):
    url = mumbai.page("/", page(f"<masthead-weather data-remember>{PLACEHOLDER}</masthead-weather>"))
    browser.open(mumbai.page("/empty", page("", head="")))
    browser.js("sessionStorage.setItem(location.origin + '/widget.json?lang=en', arguments[0])", kept)
    browser.open(url)
    assert browser.settled("masthead-weather") == "fresh"
    assert browser.text(".masthead-place") == "Mumbai"


# Two halves: where (the reader's), weather (anybody's)


def test_the_answer_comes_in_two_halves(mumbai, browser):
    body = f'<masthead-weather data-mode="split" data-units="f">{PLACEHOLDER}</masthead-weather>'
    browser.open(mumbai.page("/", page(body)))
    browser.until("probe.updates.length", "no answer")
    whole = json.loads(mumbai.fetch("/widget.json?units=f"))
    assert browser.text("masthead-weather") == whole["text"]
    halves = [entry for entry in browser.js("return performance.getEntriesByType('resource').map((entry) => entry.name)")
              if ".json" in entry]
    assert [urlsplit(url).path for url in halves] == ["/where.json", "/weather.json"]
    assert parse_qs(urlsplit(halves[1]).query)["cell"] == [whole["cell"]]
    assert mumbai.asked == [], "the whole was asked for as well"
    detail = browser.js("return probe.updates[0]")
    assert set(detail) == set(whole)
    for name in ("state", "text", "place", "temperature", "weather", "cell", "timezone", "provider", "credits"):
        assert detail[name] == whole[name]


def test_half_an_answer_is_better_than_none(mumbai, browser):
    mumbai.page("/weather.json", "busy", content_type="text/plain")
    body = f'<masthead-weather data-mode="split">{PLACEHOLDER}</masthead-weather>'
    show(mumbai, browser, body, state="place")
    assert browser.text("masthead-weather") == "Mumbai --\u00a0°C"
    browser.until("probe.timers.length", "the loader has given up")
    assert browser.wake() == [15000], "the other half is asked for as late as where the reader is"
    (detail,) = browser.js("return probe.updates")
    assert set(detail) == set(json.loads(mumbai.fetch("/widget.json"))) and detail["text"] == "Mumbai --\u00a0°C"


def test_a_number_stays_while_the_weathers_half_is_away(mumbai, browser):
    show(mumbai, browser, f'<masthead-weather data-mode="split">{PLACEHOLDER}</masthead-weather>')
    shown = browser.text("masthead-weather")
    mumbai.page("/weather.json", "busy", content_type="text/plain")
    browser.until("probe.timers.length", "the loader has given up")
    browser.driver.execute_cdp_cmd("Network.clearBrowserCache", {})
    browser.wake()
    browser.until("document.querySelector('[data-state=stale]')", "it is still called fresh")
    assert browser.text("masthead-weather") == shown
    browser.until("probe.timers.length", "the loader has given up")
    assert browser.wake() == [15000]


def test_where_nobody_is_known_no_weather_is_asked(mumbai, browser):
    mumbai.visitor = NO_RECORD
    show(mumbai, browser, f'<masthead-weather data-mode="split">{PLACEHOLDER}</masthead-weather>', state="unknown")
    assert not browser.js("return performance.getEntriesByType('resource').some((entry) => entry.name.includes('weather.json'))")
    (detail,) = browser.js("return probe.updates")
    assert {**detail, "simulated": True} == json.loads(mumbai.fetch("/widget.json")), "but whether it is simulated, where nothing is"


# Names and integrity


@pytest.mark.parametrize("path", ["/masthead.js", "/masthead.css", "/masthead.dialog.css", "/masthead.choice.js", "/masthead.hours.js",
                                  "/masthead.split.js", "/masthead.icons.svg"])
def test_each_file_says_the_name_under_which_it_may_be_kept_for_ever(site, path):
    with urllib.request.urlopen(site.service + path, timeout=10) as reply:
        body, headers = reply.read(), reply.headers
    digest = hashlib.sha384(body).digest()
    assert headers["X-Masthead-Integrity"] == "sha384-" + base64.b64encode(digest).decode()
    assert headers["Cache-Control"] == "public, max-age=3600"
    stem, ending = path.rsplit(".", 1)
    assert headers["Content-Location"] == f"{stem}.{digest.hex()[:16]}.{ending}"
    with urllib.request.urlopen(site.service + headers["Content-Location"], timeout=10) as reply:
        assert reply.read() == body
        assert reply.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_the_hashed_script_passes_its_integrity_check(mumbai, browser):
    with urllib.request.urlopen(mumbai.service + "/masthead.js", timeout=10) as reply:
        name, integrity = reply.headers["Content-Location"], reply.headers["X-Masthead-Integrity"]
    script = f'<script async src="{name}" integrity="{integrity}"></script>'
    show(mumbai, browser, "<masthead-weather></masthead-weather>", head=script)
    wrong = f'<script src="{name}" integrity="{integrity[:-4]}AAAA"></script>'
    browser.open(mumbai.page("/wrong", page("<masthead-weather></masthead-weather>", head=wrong)))
    assert browser.js("return customElements.get('masthead-weather')") is None, "the control: integrity is enforced"
    assert browser.complaints() != []


# Optimisers that keep scripts back


@pytest.mark.parametrize("body, target", [(TODAY, "#temp"), (f"<masthead-weather>{PLACEHOLDER}</masthead-weather>", "masthead-weather")])
def test_the_script_may_be_kept_back_and_be_another_element_when_it_runs(mumbai, browser, body, target):
    """As Cloudflare's Rocket Loader and WP Rocket do: the page's own script element never runs; after `load`, or the
    reader's first move, its text or address is put into a new one, and no document.currentScript tells where from."""
    kept_back = f'<script type="rocketlazyloadscript" data-rocket-src="/masthead.js" {TARGETS}></script>'
    browser.open(mumbai.page("/", page(body, head=kept_back)))
    browser.until("document.readyState == 'complete'", "the page does not end")
    browser.js("""fetch('/masthead.js').then((reply) => reply.text()).then((text) => new Function(text)());""")
    assert browser.settled(target) == "fresh"
    assert len(mumbai.asked) == 1


def test_a_late_answer_is_put_into_what_is_there_then(mumbai, browser):
    """As when a framework draws the header anew while the question is under way."""
    mumbai.fault = hold
    browser.open(mumbai.page("/", page(f'<div id="header"><masthead-weather>{PLACEHOLDER}</masthead-weather></div>')))
    browser.until("!!customElements.get('masthead-weather')", "the loader did not run")
    browser.js("""document.querySelector('#header').replaceChildren(
        Object.assign(document.createElement('masthead-weather'), { textContent: 'Fetching location... -- °C' }))""")
    mumbai.released.set()
    assert browser.settled("masthead-weather") == "fresh"
    assert browser.text(".masthead-place") == "Mumbai"
    assert len(mumbai.asked) == 1
