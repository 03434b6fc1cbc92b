"""What a page may ask for beside the temperature: the day's range, rain, how it feels, the next hours, a link. Nothing of it is there
unless asked."""

import json
import re

import pytest
from selenium.webdriver.common.keys import Keys

from axe import violations
from newspaper import drop, say
from test_choice import DIALOG, press
from test_invitation import POLICY
from test_loader import ANSWER, PLACEHOLDER, SCRIPT, STYLE, TARGETED, TARGETS, TODAY, answer_once_fresh, page, show

HOURS = [{"at": f"2026-01-31T{hour:02}:00:00Z", "celsius": celsius, "code": code, "is_day": hour < 13, "rain_probability": rain}
         for hour, celsius, code, rain in ((10, 31.0, 2, 0), (11, 30.5, 61, 60), (12, -0.4, 3, None), (13, None, None, None),
                                           (14, -3.5, 71, 20))]
FULL = {**ANSWER, "lang": "en", "timezone": "Asia/Kolkata", "place": {**ANSWER["place"], "id": 1275339},
        "temperature": {**ANSWER["temperature"], "feels_text": "Feels like 34°"}, "feels_like": 34.0,
        "today": {"high": 33.6, "low": 25.2, "text": "34° / 25°"},
        "rain": {"starts_at": "2026-01-31T11:30:00Z", "probability": 60, "text": "Rain from 17:00"}, "hours": HOURS}
NEW = {"range": "34° / 25°", "rain": "Rain from 17:00", "feels": "Feels like 34°", "hours": "5 hours"}
ALL = "range,rain,feels,hours"


def parts(browser, *names):
    return {name: browser.text(f".masthead-{name}") for name in names or NEW}


def widget(attributes="", inside=PLACEHOLDER):
    return f"<masthead-weather {attributes}>{inside}</masthead-weather>"


# What is asked for is there, and nothing else


def test_nothing_of_it_is_there_unless_asked(site, browser):
    site.fault = say(FULL)
    show(site, browser, widget())
    assert browser.text("masthead-weather") == ANSWER["text"]
    assert parts(browser) == dict.fromkeys(NEW)
    assert browser.js("return document.querySelector('header a')") is None


@pytest.mark.parametrize("asked, names", [(ALL, NEW), ("rain", ["rain"]), ("hours, range", ["range", "hours"]), ("", []),
                                          ("rains,feel,script", [])])
def test_what_is_asked_for_is_added(site, browser, asked, names):
    site.fault = say(FULL)
    show(site, browser, widget(f'data-show="{asked}"'), head=SCRIPT + STYLE)
    assert parts(browser) == {name: NEW[name] if name in names else None for name in NEW}
    assert browser.js("return document.querySelectorAll('header [class^=masthead]').length") == 2 + len(names)
    assert len(site.asked) == 1


def test_what_the_page_has_already_is_filled_where_it_stands(site, browser):
    site.fault = say(FULL)
    inside = '<b class="masthead-rain"></b> <span class="masthead-place"></span> <i class="masthead-range"></i> <b class="masthead-temp"></b>'
    show(site, browser, widget('data-show="range"', inside))
    assert browser.text("masthead-weather") == "Rain from 17:00 Mumbai 34° / 25° 31\u00a0°C"


def test_beside_two_elements_of_the_page_it_has_elements_too(site, browser):
    site.fault = say(FULL)
    more = "".join(f' <i id="{name}"></i>' for name in NEW)
    targets = " ".join(f'data-{name}-target="#{name}"' for name in NEW)
    show(site, browser, TODAY + more, head=TARGETED.replace(TARGETS, f"{TARGETS} {targets}"), widget="#city")
    assert {name: browser.text(f"#{name}") for name in NEW} == NEW
    assert browser.attribute("#hours", "role") == "button"


@pytest.mark.parametrize("mode", ["", 'data-mode="split"'])
@pytest.mark.parametrize("lang", ["en", "ta"])
def test_the_services_own_answer_is_shown(site, browser, lang, mode):
    answer = answer_once_fresh(site, f"/widget.json?lang={lang}")
    show(site, browser, widget(f'data-show="{ALL}" {mode}'), head=SCRIPT + STYLE, lang=lang)
    shown = parts(browser)
    hours = browser.js("return (12).toLocaleString(arguments[0], { style: 'unit', unit: 'hour', unitDisplay: 'long' })", lang)
    assert shown == {"range": answer["today"]["text"], "rain": (answer["rain"] or {"text": ""})["text"],
                     "feels": answer["temperature"]["feels_text"], "hours": hours}
    open_hours(browser)
    assert len(rows(browser)) == len(answer["hours"]) == 12


def test_a_reader_in_chennai_on_a_tamil_page_sees_the_day(site, browser):
    chennai = "/widget.json?lang=ta&place=1264527"
    answer = answer_once_fresh(site, chennai)
    show(site, browser, widget('data-show="range" data-query="place=1264527"'), lang="ta")
    assert browser.text(".masthead-place") == "சென்னை" and answer["today"]["high"] >= answer["today"]["low"]
    assert re.fullmatch(r"−?\d+° / −?\d+°", browser.text(".masthead-range")) and browser.text(".masthead-range") == answer["today"]["text"]


def test_a_fragment_that_has_them_is_left_and_one_that_has_grown_old_is_filled(site, browser):
    answer_once_fresh(site)
    fragment = site.fetch("/widget?show=range,feels").replace('data-state="fresh"', 'data-state="stale" data-age="9000"')
    assert 'class="masthead-range"' in fragment
    browser.open(site.page("/", page(widget('data-show="range,hours"', fragment), head=SCRIPT + STYLE)))
    browser.until("document.querySelector('.masthead-weather').dataset.state == 'fresh'", "it is not asked for")
    assert browser.js("return ['range', 'hours'].map((name) => document.querySelectorAll('.masthead-' + name).length)") == [1, 1]


ABSENT = {"nothing": {}, "null": {"today": None, "rain": None, "hours": None, "temperature": {**ANSWER["temperature"], "feels_text": None}},
          "none": {"hours": []}}
  


@pytest.mark.parametrize("absent", ABSENT.values(), ids=ABSENT.keys())
def test_what_the_answer_lacks_is_empty(site, browser, absent):
    site.fault = say({**ANSWER, **absent})
    show(site, browser, widget(f'data-show="{ALL}"'), head=SCRIPT + STYLE)
    assert {text or "" for text in parts(browser).values()} <= {""}
    assert browser.attribute(".masthead-hours", "role") is None


def test_during_an_outage_there_is_none_of_it(site, browser):
    site.fault = drop
    show(site, browser, widget(f'data-show="{ALL}" data-href="/weather/{{id}}"'), state="unavailable")
    assert set(parts(browser).values()) == {""}
    assert browser.js("return document.querySelector('header a')") is None


def test_with_the_style_nothing_moves(site, browser):
    site.fault = lambda handler: (site.released.wait(60), say(FULL)(handler))
    body = f'<b>News</b> {widget(f"""data-show="{ALL}" data-href="/weather/{{id}}" """)} <b>Search</b>'
    browser.open(site.page("/", page(body, head=SCRIPT + STYLE)))
    browser.until("!!customElements.get('masthead-weather')", "the loader did not run")
    browser.painted()
    site.released.set()
    assert browser.settled("masthead-weather") == "fresh"
    browser.painted()
    assert browser.js("return probe.shift") == 0


# The link


@pytest.mark.parametrize("href, leads", [
    ("/weather/{id}", "{url}/weather/1275339"), ("weather?id={id}", "{url}/weather?id=1275339"), ("/weather", "{url}/weather"),
    ("https://weather.example/{id}", "https://weather.example/1275339"), ("{url}/x", "{url}/x"),
    ("javascript:alert({id})", None), (" JavaScript:alert(1)//https://", None), ("data:text/html,x", None), ("blob:{url}/x", None),
    ("http://weather.example/{id}", None), ("//[", None), ("{url}.evil.example/", None), ("", None),
])
def test_the_temperature_leads_within_the_site_or_to_https(site, browser, href, leads):
    site.fault = say(FULL)
    href = href.replace("{url}", site.url)
    show(site, browser, widget(f'data-href="{href}"'))
    assert browser.text("masthead-weather") == ANSWER["text"]
    link = browser.js("return document.querySelector('header a')?.href")
    assert link == (leads and leads.replace("{url}", site.url))
    assert browser.attribute(".masthead-temp", "value") == "31.2"


def test_the_link_follows_the_place(site, browser):
    site.fault = say(FULL)
    show(site, browser, widget('data-href="/weather/{id}"'))
    for place, leads in (({"id": 7}, "/weather/7"), ({"id": None}, None)):
        site.fault = say({**FULL, "place": {**FULL["place"], **place}})
        told = browser.js("return probe.updates.length")
        browser.until("probe.timers.length", "the loader has given up")
        browser.wake()
        browser.until(f"probe.updates.length > {told}", "no further answer")
        assert browser.js("return document.querySelector('header a')?.pathname") == leads
        assert browser.text(".masthead-temp") == "31\u00a0°C"


def test_there_is_no_link_in_a_link_and_no_button(site, browser):
    site.fault = say(FULL)
    show(site, browser, f"""<a href="/mine">{widget('data-href="/weather/{id}" data-show="hours"')}</a>""")
    assert browser.js("return [...document.querySelectorAll('header a')].map((a) => a.pathname)") == ["/mine"]
    assert browser.text(".masthead-hours") == "5 hours" and browser.js("return document.querySelector('header [role=button]')") is None


# The hours


def open_hours(browser):
    press(browser, ".masthead-hours", Keys.ENTER)
    browser.until(f"document.querySelector('{DIALOG}')", "the hours do not open")


def rows(browser):
    return [re.sub(r"\s+", " ", row).strip() for row in browser.js(
        f"return [...document.querySelectorAll('{DIALOG} li')].map((li) => li.textContent)")]


@pytest.mark.parametrize("answer, shown", [
    ({}, ["15:30 31°", "16:30 31° ☂\ufe0e 60%", "17:30 0°", "18:30 --°", "19:30 \u22124° ☂\ufe0e 20%"]),
    ({"timezone": "America/New_York", "temperature": {**FULL["temperature"], "unit": "F", "text": "88\u00a0°F"}},
     ["05:00 88°", "06:00 87° ☂\ufe0e 60%", "07:00 31°", "08:00 --°", "09:00 26° ☂\ufe0e 20%"]),
    ({"lang": "mr"}, ["१५:३० ३१°", "१६:३० ३१° ☂\ufe0e ६०%", "१७:३० ०°", "१८:३० --°", "१९:३० \u2212४° ☂\ufe0e २०%"]),
])
def test_the_hours_open_on_a_press_and_their_script_comes_then(site, browser, answer, shown):
    site.fault = say({**FULL, **answer})
    body = f"<main><h1>Paper</h1>{widget('data-show=hours')}</main>"
    browser.open(site.page("/", page(body, head=SCRIPT + STYLE), headers=POLICY))
    assert browser.settled("masthead-weather") == "fresh"
    assert "masthead.hours" not in str(browser.js("return performance.getEntriesByType('resource').map((entry) => entry.name)"))
    open_hours(browser)
    assert rows(browser) == shown
    assert browser.js(f"return document.querySelector('{DIALOG} time').dateTime") == HOURS[0]["at"]
    assert browser.js(f"return [...document.querySelectorAll('{DIALOG} .masthead-icon')].map((icon) => icon.dataset.weather)") == \
        ["2", "61", "3", "n", "71n"]
    assert violations(browser) == []
    press(browser, f"{DIALOG} ol", Keys.ESCAPE)
    browser.until("!document.querySelector('dialog')", "it does not close")
    assert browser.js("return document.activeElement.className") == "masthead-hours"


@pytest.mark.parametrize("lang, label, title", [("en", "5 hours", "Mumbai · 5 hours"), ("hi", "5 घंटे", "Mumbai · 5 घंटे"),
                                                ("ar", "5 ساعات", "Mumbai · 5 ساعات")])
def test_the_label_needs_no_words_of_ours(site, browser, lang, label, title):
    site.fault = say({**FULL, "lang": lang})
    show(site, browser, widget('data-show="hours"'), lang=lang)
    assert browser.text(".masthead-hours") == label
    open_hours(browser)
    assert browser.text(f"{DIALOG} h2") == title
    assert browser.attribute(f"{DIALOG} .masthead-close", "aria-label")


@pytest.mark.parametrize("zone", [None, "Mars/Olympus"])
def test_a_zone_that_nobody_knows_is_the_browsers(site, browser, zone):
    site.fault = say({**FULL, "timezone": zone})
    show(site, browser, widget('data-show="hours"'))
    open_hours(browser)
    assert len(rows(browser)) == len(HOURS)


def test_when_the_script_of_the_hours_does_not_come_it_is_said(site, browser):
    site.page("/masthead.hours.js", "<h1>We are working on it</h1>", content_type="text/javascript")
    site.fault = say({**FULL, "later": "बाद में फिर कोशिश करें", "lang": "hi"})
    show(site, browser, widget('data-show="hours"'), lang="hi")
    open_hours(browser)
    assert browser.text(DIALOG) == "बाद में फिर कोशिश करें"
