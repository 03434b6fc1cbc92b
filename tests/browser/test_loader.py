"""The loader in a browser: what a reader sees where the page held a placeholder, whatever the service does."""

import gzip
import json
import threading
import time
from urllib.parse import parse_qs, urlsplit

import pytest

from newspaper import drop, hang, hold, say

PLACEHOLDER = "Fetching location... -- °C"
SCRIPT = '<script async data-cfasync="false" src="/masthead.js"></script>'
STYLE = '<link rel="stylesheet" href="/masthead.css">'
TODAY = '<span id="city">Fetching location...</span> <span id="temp">-- °C</span>'
TARGETS = 'data-place-target="#city" data-temp-target="#temp"'
TARGETED = f'<script async src="/masthead.js" {TARGETS}></script>'
NO_NUMBER = "--\u00a0°C"
NO_RECORD = "203.0.113.241"  # see the head of data/visitors.tsv

ANSWER = {
    "state": "fresh",
    "text": "Mumbai 31\u00a0°C",
    "place": {"name": "Mumbai", "region": "Maharashtra", "country": "IN", "source": "geoip", "verdict": "city"},
    "temperature": {"celsius": 31.2, "value": 31, "unit": "C", "text": "31\u00a0°C"},
    "simulated": False,
    "credits": [],
}


def page(body, head=SCRIPT, lang="en"):
    return (
        f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>A paper</title>{head}</head>'
        f"<body><header>{body}</header></body></html>"
    )


def show(site, browser, body, state="fresh", widget="masthead-weather", **more):
    """Opens a page with this body, and waits until the widget in it is in this state."""
    browser.open(site.page("/", page(body, **more)))
    assert browser.settled(widget) == state


def answer_once_fresh(site, path="/widget.json"):
    """The service's answer for the site's visitor, when the cell has its curve: a cold one answers `place` first."""
    deadline = time.monotonic() + 15
    while True:
        answer = json.loads(site.fetch(path))
        if answer["state"] == "fresh":
            return answer
        assert time.monotonic() < deadline, f"no fresh answer for {site.visitor}: {answer}"
        threading.Event().wait(0.05)


@pytest.fixture
def mumbai(site):
    """A site whose visitor is in Mumbai, with the weather there known."""
    answer_once_fresh(site)
    return site


# What a reader sees


def test_two_elements_of_todays_page_are_filled(mumbai, browser):
    show(mumbai, browser, TODAY, head=TARGETED, widget="#temp")
    shown = f"{browser.text('#city')} {browser.text('#temp')}"
    assert shown == browser.js("return probe.updates[0].text")
    assert browser.text("#city") == "Mumbai"
    assert browser.js("return document.querySelectorAll('header *').length") == 2


@pytest.mark.parametrize("element", ["<masthead-weather>{}</masthead-weather>", "<p data-masthead>{}</p>"])
def test_an_element_with_a_placeholder_is_filled(mumbai, browser, element):
    browser.open(mumbai.page("/", page(element.format(PLACEHOLDER))))
    widget = "masthead-weather, [data-masthead]"
    assert browser.settled(widget) == "fresh"
    detail = browser.js("return probe.updates[0]")
    assert browser.text(widget) == detail["text"]
    assert browser.text(".masthead-place") == "Mumbai"
    assert float(browser.attribute("data.masthead-temp", "value")) == detail["temperature"]["celsius"]
    assert browser.attribute(widget, "data-source") == "geoip"
    assert (browser.attribute(widget, "data-simulated") is not None) == detail["simulated"]
    assert browser.attribute(".masthead-place", "lang") == browser.attribute(".masthead-temp", "lang") == "en"
    assert browser.attribute(widget, "title") is None


def test_children_that_the_page_brings_are_kept(mumbai, browser):
    children = '<em class="masthead-place">Fetching location...</em>, <b class="masthead-temp">-- °C</b>'
    show(mumbai, browser, f"<masthead-weather>{children}</masthead-weather>")
    assert browser.text("em") == "Mumbai"
    assert browser.text("b").endswith("°C")
    assert browser.text("masthead-weather").startswith("Mumbai, ")


def test_a_hostile_name_is_text(site, browser, readers):
    reader = next(reader for reader in readers if "<" in reader["city"])
    site.visitor = reader["ipv4"]
    answer_once_fresh(site)
    browser.open(site.page("/", page(f"<masthead-weather>{PLACEHOLDER}</masthead-weather>{TODAY}", head=TARGETED)))
    browser.settled("masthead-weather")
    browser.settled("#city")
    assert browser.text(".masthead-place") == reader["city"]
    assert browser.text("#city") == reader["city"]
    names = browser.js("return [...document.querySelectorAll('header *')].map((el) => el.localName).sort()")
    assert names == ["data", "masthead-weather", "span", "span", "span"]


def test_below_zero_has_a_minus_sign(site, browser):
    site.fault = say({**ANSWER, "temperature": {"celsius": -5.4, "value": -5, "unit": "C", "text": "\u22125\u00a0°C"}})
    browser.open(site.page("/", page("<masthead-weather></masthead-weather>")))
    browser.settled("masthead-weather")
    assert browser.text("masthead-weather") == "Mumbai \u22125\u00a0°C"
    assert browser.attribute("data", "value") == "-5.4"


def test_a_place_without_weather_is_named_and_asked_about_again(mumbai, browser):
    nothing = {"celsius": None, "value": None, "unit": "C", "text": NO_NUMBER}
    caching = {"Cache-Control": "no-store, max-age=45"}  # time does not pass here: a kept answer would not age
    mumbai.fault = say({**ANSWER, "state": "place", "temperature": nothing}, headers=caching)
    show(mumbai, browser, "<masthead-weather></masthead-weather>", state="place")
    assert browser.text("masthead-weather") == f"Mumbai {NO_NUMBER}"
    mumbai.fault = None
    assert browser.wake() == [45000]
    browser.until("document.querySelector('[data-state=fresh]')", "the second answer was not shown")
    assert browser.text("masthead-weather") == browser.js("return probe.updates[1].text")


def test_an_unknown_place_leaves_nothing_or_the_fallback(site, browser):
    site.visitor = NO_RECORD
    bare = f'<masthead-weather id="bare" data-invite="off">{PLACEHOLDER}</masthead-weather>'
    widgets = bare + f'<p data-masthead data-invite="off" data-fallback="Weather">{PLACEHOLDER}</p>'
    show(site, browser, widgets, state="unknown", widget="#bare")
    assert browser.settled("p") == "unknown"
    assert browser.text("#bare").strip() == ""
    assert browser.text("p").strip() == "Weather"


# When the service does not answer

OUTAGES = {
    "connection dropped": drop,
    "no answer": hang,
    "503 with an answer": say(ANSWER, status=503),
    "502 from the proxy": say("bad gateway", status=502, content_type="text/plain"),
    "HTML": say("<!doctype html><h1>We are working on it</h1>", content_type="text/html"),
    "half an answer": say(json.dumps(ANSWER)[:80]),
}


@pytest.mark.parametrize("outage", OUTAGES.values(), ids=OUTAGES.keys())
def test_an_outage_ends_the_fetching(site, browser, outage):
    site.fault = outage
    body = (
        f'{TODAY}<masthead-weather id="bare">{PLACEHOLDER}</masthead-weather>'
        f'<masthead-weather id="named" data-fallback="Weather">{PLACEHOLDER}</masthead-weather>'
        f'<p id="plain" data-masthead>{PLACEHOLDER}</p>'
        '<i id="a">Fetching location...</i> <i id="b">-- °C</i>'
        '<i data-place-target="#a" data-temp-target="#b" data-fallback="Weather"></i>'
    )
    browser.open(site.page("/", page(body, head=TARGETED)))
    for widget in ["#city", "#temp", "#bare", "#named", "#plain", "#a"]:
        assert browser.settled(widget) == "unavailable"
    assert (browser.text("#city").strip(), browser.text("#temp")) == ("", NO_NUMBER)
    assert browser.text("#bare").strip() == NO_NUMBER
    assert browser.text("#plain").strip() == NO_NUMBER
    assert browser.text("#named").strip() == "Weather"
    assert (browser.text("#a"), browser.text("#b").strip()) == ("Weather", "")
    assert "Fetching" not in browser.text("header")
    assert browser.js("return probe.updates") == []


NO_ANSWERS = [
    None,
    [],
    "fresh",
    31,
    {},
    {**ANSWER, "state": "sunny"},
    {**ANSWER, "state": None},
    {**ANSWER, "place": None},
    {**ANSWER, "place": {"name": None}},
    {**ANSWER, "place": {"name": {"en": "Mumbai"}}},
    {**ANSWER, "place": {"name": "  "}},
    {**ANSWER, "temperature": None},
    *({**ANSWER, "temperature": {**ANSWER["temperature"], **wrong}} for wrong in (
        {"celsius": None, "value": None}, {"celsius": "31"}, {"value": "hot"}, {"text": "31 kelvin"}, {"text": None})),
]


def test_what_is_no_answer_is_an_outage(site, browser):
    for number, wrong in enumerate(NO_ANSWERS):
        site.page(f"/{number}.json", json.dumps(wrong), content_type="application/json")
    widgets = [f'<p data-masthead data-endpoint="/{number}.json"></p>' for number in range(len(NO_ANSWERS))]
    browser.open(site.page("/", page("".join(widgets))))
    browser.until("![...document.querySelectorAll('p')].some((p) => !p.dataset.state)", "a widget still waits")
    states = browser.js("return [...document.querySelectorAll('p')].map((p) => p.dataset.state)")
    assert states == ["unavailable"] * len(NO_ANSWERS)


def test_after_an_outage_the_value_comes_and_through_the_next_it_stays(site, browser):
    site.fault = busy = say("busy", status=503)
    show(site, browser, "<masthead-weather></masthead-weather>", state="unavailable")
    site.fault = say(ANSWER)
    delays = browser.wake()
    browser.until("document.querySelector('[data-state=fresh]')", "the service is back, the value is not")
    site.fault = busy
    for _ in range(4):
        browser.until("probe.timers.length", "the loader has given up")
        delays += browser.wake()
    browser.until("probe.timers.length", "the loader has given up")
    assert browser.text("masthead-weather") == ANSWER["text"]
    assert len(browser.js("return probe.updates")) == 1
    assert len(site.asked) == 6
    assert delays == [15000, 15000, 15000, 30000, 45000], "after failures ever more seldom, after a success as at first"


def test_while_the_service_answers_the_wait_is_what_it_says(site, browser):
    site.fault = say(ANSWER, headers={"Cache-Control": "no-store, max-age=300"})
    browser.open(site.page("/", page("<masthead-weather></masthead-weather>")))
    delays = []
    for _ in range(3):
        browser.until("probe.timers.length", "the loader has given up")
        delays += browser.wake()
    assert delays == [300000] * 3


def test_a_number_that_could_not_be_refreshed_is_stale_and_tells_its_age(site, browser):
    good = say({**ANSWER, "age_s": 840})
    site.fault = good
    widgets = f"<masthead-weather></masthead-weather>{TODAY}"
    browser.open(site.page("/", page(widgets, head=TARGETED)))
    browser.until("probe.updates.length == 2 && probe.timers.length", "not every widget was told")
    assert browser.attribute("masthead-weather", "data-age") is None
    browser.js("const now = Date.now; Date.now = () => now() + 600000")
    site.fault = say("busy", status=503)
    browser.wake()
    browser.until("document.querySelectorAll('[data-state=stale]').length == 6", "it is still called fresh")
    for widget in ["masthead-weather", "#temp"]:
        assert 840 + 600 <= int(browser.attribute(widget, "data-age")) < 840 + 700
    assert browser.text("masthead-weather") == ANSWER["text"]
    site.fault = good
    browser.until("probe.timers.length", "the loader has given up")
    browser.wake()
    browser.until("document.querySelector('masthead-weather').dataset.state == 'fresh'", "it is stale for ever")
    assert browser.attribute("masthead-weather", "data-age") is None


def test_a_tab_that_nobody_looks_at_does_not_ask(site, browser):
    site.fault = say(ANSWER)
    show(site, browser, "<masthead-weather></masthead-weather>")
    hidden = "Object.defineProperty(document, 'hidden', { configurable: true, get: () => arguments[0] });"
    browser.js(hidden, True)
    assert browser.wake() == [15000]
    assert len(site.asked) == 1
    browser.js(hidden + "document.dispatchEvent(new Event('visibilitychange'))", False)
    browser.until("probe.updates.length == 2", "the tab is looked at again and does not ask")
    assert len(site.asked) == 2


# While the page is still coming

# Asks for the rest of the page when something has been filled, or when there was time enough for that: a second at most.
PACE = """let turns = 0;
const turn = () => document.querySelector('[data-state]') || turns > 20 ? fetch('/rest') : setTimeout(turn, 25, turns += !!customElements.get('masthead-weather'));
addEventListener('masthead:update', () => { window.during ??= document.readyState });
turn();"""
ASYNC = SCRIPT + '<script src="/pace.js"></script>'
BLOCKING = '<script src="/masthead.js"></script><script src="/pace.js"></script>'


def open_in_two(site, browser, begin, rest, head=ASYNC):
    site.page("/pace.js", PACE, content_type="text/javascript")
    browser.open(site.page_in_two("/", page("|", head=head).split("|")[0] + begin, f"{rest}</header><p>News</p></body></html>"))


@pytest.mark.parametrize("head", [ASYNC, BLOCKING], ids=["async", "blocking"])
@pytest.mark.parametrize("begin, rest", [("<masthead-weather>", "</masthead-weather>"), ("<p data-masthead>", "</p>"),
                                         ("<masthead-weather>Fetching", "</masthead-weather>")])
def test_an_element_is_filled_when_all_of_it_has_come(mumbai, browser, begin, rest, head):
    open_in_two(mumbai, browser, begin, PLACEHOLDER + rest, head)
    widget = "masthead-weather, [data-masthead]"
    assert browser.settled(widget) == "fresh"
    assert browser.text(widget) == browser.js("return probe.updates[0].text")
    assert len(mumbai.asked) == 1


def test_elements_that_the_page_already_has_are_filled_when_all_of_them_has_come(mumbai, browser):
    open_in_two(mumbai, browser, *TODAY.split("Fetching"), head=ASYNC.replace("async", f"async {TARGETS}"))
    assert browser.settled("#temp") == "fresh"
    assert f"{browser.text('#city')} {browser.text('#temp')}" == browser.js("return probe.updates[0].text")


@pytest.mark.parametrize("head", [ASYNC, BLOCKING], ids=["async", "blocking"])
@pytest.mark.parametrize("where", ["<masthead-weather>|", "<masthead-weather>half|", "<p data-masthead>|"])
def test_a_fresh_fragment_that_comes_later_is_not_fetched_again(mumbai, browser, where, head):
    fragment = mumbai.fetch("/widget").strip()
    begin, rest = where.replace("half", fragment[:-7]), fragment[-7:] if "half" in where else fragment
    tag = "p" if "<p" in where else "masthead-weather"
    open_in_two(mumbai, browser, begin.rstrip("|"), f"{rest}</{tag}>", head)
    browser.until("document.querySelector('.masthead-place').role == 'button'", "it cannot be corrected")
    assert mumbai.asked == []
    assert browser.text(".masthead-place") == "Mumbai"


@pytest.mark.parametrize("head", [ASYNC, BLOCKING], ids=["async", "blocking"])
@pytest.mark.parametrize("widget", ["<masthead-weather>{}</masthead-weather>", "<p data-masthead>{}</p>"])
def test_what_has_come_does_not_wait_for_the_rest_of_the_page(mumbai, browser, widget, head):
    open_in_two(mumbai, browser, widget.format(PLACEHOLDER) + "<b>", "Search</b>", head)
    assert browser.settled("masthead-weather, [data-masthead]") == "fresh"
    assert browser.js("return during") == "loading"
    assert len(browser.js("return probe.updates")) == 1


def test_credits_find_a_box_that_comes_after_the_answer(mumbai, browser):
    open_in_two(mumbai, browser, f"<masthead-weather>{PLACEHOLDER}</masthead-weather><b>", "</b><small data-masthead-credits></small>")
    assert browser.js("return during") == "loading"
    browser.until("document.querySelector('small a')", "the credits are nowhere")


# The page around it


def crowded_header(head):
    """A header whose other elements stand in the way of anything that grows."""
    return page(f"<b>News</b> <masthead-weather>{PLACEHOLDER}</masthead-weather> <b>Search</b>", head=head)


def boxes(browser):
    elements = "[...document.querySelectorAll('header > *')]"
    return browser.js(f"return {elements}.map((el) => JSON.stringify(el.getBoundingClientRect()))")


def reader_with(readers, which):
    return {
        "a short name": lambda: next(reader for reader in readers if reader["city"] == "Pune"),
        "the longest name": lambda: max(readers, key=lambda reader: len(reader["city"])),
        "a name from right to left": lambda: next(reader for reader in readers if "רמון" in reader["city"]),
        "no place": lambda: {"ipv4": NO_RECORD},
    }[which]()["ipv4"]


@pytest.mark.parametrize("which", ["a short name", "the longest name", "a name from right to left", "no place"])
def test_with_the_style_nothing_moves(site, browser, readers, which):
    site.visitor = reader_with(readers, which)
    if which != "no place":
        answer_once_fresh(site)
    site.fault = hold
    browser.open(site.page("/", crowded_header(SCRIPT + STYLE)))
    browser.painted()
    before = boxes(browser)
    site.released.set()
    browser.settled("masthead-weather")
    browser.painted()
    assert boxes(browser) == before
    assert browser.js("return probe.shift") == 0
    right = "return document.querySelector(arguments[0]).getBoundingClientRect().right"
    assert browser.js(right, ".masthead-temp") <= browser.js(right, "masthead-weather"), "the temperature does not fit"


def test_without_the_style_the_page_moves(mumbai, browser):
    """The control: it shows that the test above can fail."""
    mumbai.fault = hold
    browser.open(mumbai.page("/", crowded_header(SCRIPT)))
    browser.painted()
    mumbai.released.set()
    browser.settled("masthead-weather")
    browser.painted()
    assert browser.js("return probe.shift") > 0


def test_a_strict_policy_is_kept(mumbai, browser):
    policy = {"Content-Security-Policy": "default-src 'self'; require-trusted-types-for 'script'"}
    widgets = f"{TODAY}<masthead-weather>{PLACEHOLDER}</masthead-weather><p data-masthead>{PLACEHOLDER}</p>"
    body = widgets + "<small data-masthead-credits></small>"
    browser.open(mumbai.page("/", page(body, head=TARGETED + STYLE), headers=policy))
    for widget in ["#city", "masthead-weather", "p"]:
        assert browser.settled(widget) == "fresh"
    assert browser.complaints() == []
    control = "try { document.createElement('p').innerHTML = 'x'; return 'allowed' } catch { return 'refused' }"
    assert browser.js(control) == "refused", "the browser does not enforce the policy"
    assert browser.complaints() != []


def test_several_widgets_share_one_question(mumbai, browser):
    widgets = "<masthead-weather></masthead-weather>" * 3 + "<p data-masthead></p>" + TODAY
    browser.open(mumbai.page("/", page(widgets, head=TARGETED)))
    browser.until("probe.updates.length == 5", "not every widget was told")
    assert browser.js("return document.querySelectorAll(':is(masthead-weather, p)[data-state=fresh]').length") == 4
    assert len(mumbai.asked) == 1


def test_units_language_and_query_are_asked_for(site, browser, readers):
    new_york = next(reader for reader in readers if reader["city"] == "New York")
    site.visitor = "127.0.0.1"  # who may be anyone in developer mode
    answer_once_fresh(site, f"/widget.json?ip={new_york['ipv4']}")
    widget = f'<masthead-weather data-units="f" lang="es" data-query="ip={new_york["ipv4"]}"></masthead-weather>'
    show(site, browser, widget)
    asked = parse_qs(urlsplit(site.asked[0]).query)
    assert asked == {"ip": [new_york["ipv4"]], "units": ["f"], "lang": ["es"]}
    assert browser.text(".masthead-temp").endswith("\u00a0°F")


def test_the_endpoint_is_the_pages_choice(site, browser):
    site.page("/a/b/weather.json", json.dumps(ANSWER), content_type="application/json")
    show(site, browser, '<masthead-weather data-endpoint="/a/b/weather.json"></masthead-weather>')
    assert site.asked == []


@pytest.mark.parametrize("how", ["async", "defer", 'type="module"', ""])
def test_the_script_may_be_loaded_in_any_way(mumbai, browser, how):
    head = f'<script {how} src="/masthead.js" {TARGETS}></script>'
    show(mumbai, browser, f"{TODAY}<masthead-weather>{PLACEHOLDER}</masthead-weather>", head=head, widget="#city")
    assert browser.settled("masthead-weather") == "fresh"


def test_script_and_elements_may_come_late_and_the_script_twice(mumbai, browser):
    browser.open(mumbai.page("/", page(f"<masthead-weather>{PLACEHOLDER}</masthead-weather>", head="")))
    insert = """
        for (const src of ['/masthead.js', '/masthead.js?again'])
          document.head.append(Object.assign(document.createElement('script'), { src }));"""
    browser.js(insert)
    assert browser.settled("masthead-weather") == "fresh"
    browser.js("document.body.append(Object.assign(document.createElement('masthead-weather'), { id: 'late' }))")
    assert browser.settled("#late") == "fresh"
    assert browser.text("#late") == browser.text("masthead-weather")
    assert len(mumbai.asked) == 1


def test_an_element_that_has_left_writes_nothing(mumbai, browser):
    """As when a page puts another reader's widget in the place of one that is still waiting."""
    mumbai.fault = hold
    old = f'<masthead-weather id="old" {TARGETS}></masthead-weather>'
    body = old + TODAY + '<masthead-weather id="other"></masthead-weather>'
    browser.open(mumbai.page("/", page(body)))
    browser.until("!!customElements.get('masthead-weather')", "the loader did not run")
    browser.js("document.querySelector('#old').remove()")
    mumbai.released.set()
    assert browser.settled("#other") == "fresh"
    assert browser.text("#city") == "Fetching location..."


def test_the_update_is_announced_once_to_the_page(mumbai, browser):
    show(mumbai, browser, "<masthead-weather></masthead-weather>")
    browser.until("document.readyState == 'complete'", "the page does not end")
    (detail,) = browser.js("return probe.updates")
    assert detail["place"]["name"] == "Mumbai"
    assert set(detail) >= {"state", "text", "place", "temperature", "weather", "cell", "credits", "simulated"}


def test_a_fresh_fragment_from_the_server_is_not_fetched_again(mumbai, browser):
    fragment = mumbai.fetch("/widget")
    assert 'data-state="fresh"' in fragment
    body = f'<masthead-weather id="served">{fragment}</masthead-weather><p data-masthead data-units="f"></p>'
    show(mumbai, browser, body, widget="p")
    assert [parse_qs(urlsplit(path).query).get("units") for path in mumbai.asked] == [["f"]]
    assert browser.text("#served .masthead-place") == "Mumbai"


@pytest.mark.parametrize("fault, state", [(None, "fresh"), (say("busy", status=503), "stale")])
def test_a_stale_fragment_from_the_server_stays_until_there_is_better(mumbai, browser, fault, state):
    fragment = mumbai.fetch("/widget").replace('data-state="fresh"', 'data-state="stale" data-age="9000"')
    mumbai.fault = fault
    browser.open(mumbai.page("/", page(f"<masthead-weather>{fragment}</masthead-weather>")))
    browser.until("probe.timers.length", "the loader did not ask")
    assert browser.attribute(".masthead-weather", "data-state") == state
    assert (browser.attribute(".masthead-weather", "data-age") is None) == (state == "fresh")
    assert browser.text(".masthead-place") == "Mumbai"
    assert browser.js("return document.querySelectorAll('.masthead-temp').length") == 1


@pytest.mark.parametrize("fragment", ['<span class="masthead-weather" data-state="unavailable">-- °C</span>', NO_RECORD])
def test_a_fragment_that_names_no_place_is_a_placeholder(site, browser, fragment):
    if fragment == NO_RECORD:
        site.visitor = NO_RECORD
        fragment = site.fetch("/widget")
        assert 'data-state="unknown"' in fragment
    site.fault = drop
    bare = f'<p data-masthead data-units="f">{fragment}</p>'
    browser.open(site.page("/", page(f'{bare}<masthead-weather data-fallback="Weather">{fragment}</masthead-weather>')))
    assert browser.settled("masthead-weather") == browser.settled("p") == "unavailable"
    assert browser.text("masthead-weather").strip() == "Weather"
    assert browser.text("p").strip() == NO_NUMBER


def test_the_pages_own_elements_stay_what_they_are(mumbai, browser):
    mumbai.fault = hold
    browser.open(mumbai.page("/", page(TODAY, head=TARGETED)))
    browser.until("!!customElements.get('masthead-weather')", "the loader did not run")
    browser.js("""window.held = ['city', 'temp'].map((id) => document.getElementById(id));
        held.forEach((el) => el.addEventListener('pointerenter', () => { window.entered = el.id }));""")
    mumbai.released.set()
    assert browser.settled("#temp") == "fresh"
    assert browser.js("return held.every((el) => el.isConnected)")
    browser.js("document.querySelector('#city').dispatchEvent(new Event('pointerenter'))")
    assert browser.js("return window.entered") == "city"


def test_one_element_in_disorder_does_not_stop_the_others(mumbai, browser):
    wrong = """<masthead-weather data-endpoint="http://[bad"></masthead-weather><p data-masthead data-endpoint="http://[bad"></p>
        <i data-place-target="#["></i><p data-masthead data-temp-target="]"></p>"""
    fragment = mumbai.fetch("/widget")
    wrong += f'<p data-masthead data-place-target="#[">{fragment}</p>'
    browser.open(mumbai.page("/", page(f'{wrong}<b data-masthead></b><masthead-weather id="good"></masthead-weather>')))
    assert browser.settled("b") == browser.settled("#good") == "fresh"


def test_credits_are_links_to_the_web_only(site, browser):
    credits = [
        {"text": "<b>Weather</b>", "url": "https://weather.example/"},
        {"text": "Script", "url": "javascript:alert(1)"},
        {"text": "Data", "url": "data:text/html,x"},
        {"text": "Places", "url": "http://places.example/"},
    ]
    site.fault = say({**ANSWER, "credits": credits})
    browser.open(site.page("/", page("<masthead-weather></masthead-weather><small data-masthead-credits></small>")))
    browser.settled("masthead-weather")
    links = browser.js("return [...document.querySelectorAll('small a')].map((a) => [a.textContent, a.href])")
    assert links == [
        ["<b>Weather</b>", "https://weather.example/"],
        ["Places", "http://places.example/"],
    ]
    assert browser.js("return document.querySelector('small b')") is None


def test_nobody_else_hears_of_the_visit(mumbai, browser):
    browser.open(mumbai.page("/", page("<masthead-weather></masthead-weather>", head=SCRIPT + STYLE)))
    browser.settled("masthead-weather")
    hosts = browser.js("return performance.getEntriesByType('resource').map((entry) => new URL(entry.name).origin)")
    assert set(hosts) == {mumbai.url}
    assert browser.js("return document.cookie + localStorage.length + sessionStorage.length") == "00"


def test_the_loader_is_small(site):
    assert len(gzip.compress(site.fetch("/masthead.js").encode(), 9)) <= 3072
