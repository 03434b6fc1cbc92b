"""The reader's own choice: who sees the wrong city can put it right, with the keyboard or a screen reader as well, and what
they chose stays in their browser."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from selenium.webdriver.common.keys import Keys

from axe import violations
from newspaper import drop, say
from test_loader import ANSWER, NO_RECORD, PLACEHOLDER, SCRIPT, STYLE, TARGETED, TODAY, answer_once_fresh, page, show

WIDGET = f"<masthead-weather>{PLACEHOLDER}</masthead-weather>"
PLACE = ".masthead-place"
DIALOG = "dialog[open]"
DELHI = 1273294  # GeoNames


def city(name, id=1, country="IN", region=None):
    return {"id": id, "name": name, "region": region, "country": country, "latitude": 1, "longitude": 1, "population": 1}


def press(browser, selector, *keys):
    """Types into the element as a reader does."""
    browser.driver.find_element("css selector", selector).send_keys(*keys)


def open_choice(browser):
    browser.settled("[data-state]")
    press(browser, PLACE, Keys.ENTER)
    browser.until(f"document.querySelector('{DIALOG}')", "the choice does not open")


def search(browser, query):
    press(browser, f"{DIALOG} input", query)
    browser.until(f"document.querySelector('{DIALOG} [role=status]').textContent", "the search says nothing")
    return browser.js(f"return [...document.querySelectorAll('{DIALOG} li span')].map((el) => el.textContent)")


def choose(browser, name):
    """From the pressed place to the chosen city's answer."""
    open_choice(browser)
    press(browser, f"{DIALOG} input", name)
    browser.until(f"document.querySelector('{DIALOG} li')?.textContent.startsWith({json.dumps(name)})", "no such city")
    press(browser, f"{DIALOG} input", Keys.ARROW_DOWN, Keys.NULL)
    browser.driver.switch_to.active_element.send_keys(Keys.ENTER)
    browser.until(f"document.querySelector('{PLACE}').textContent == {json.dumps(name)}", f"the header is not {name}'s")


def stored(browser):
    return browser.js("return [{ ...localStorage }, { ...sessionStorage }, document.cookie]")


@pytest.fixture
def mumbai(site, browser):
    """A site whose visitor is in Mumbai, with the weather there and in Delhi known, and a browser that has chosen nothing."""
    answer_once_fresh(site)
    answer_once_fresh(site, f"/widget.json?place={DELHI}")
    browser.open(site.page("/empty", page("", head="")))
    browser.js("localStorage.clear(); sessionStorage.clear()")
    return site


def test_a_reader_chooses_a_city_with_the_keyboard_and_keeps_it(mumbai, browser):
    url = mumbai.page("/", page(WIDGET, head=SCRIPT + STYLE))
    browser.open(url)
    assert browser.settled("masthead-weather") == "fresh"
    assert stored(browser) == [{}, {}, ""]
    assert not any("choice" in name for name in loaded(browser)), "the choice is loaded before anyone wants it"
    choose(browser, "Delhi")
    browser.until(f"!document.querySelector('{DIALOG}')", "the dialog stays")
    assert browser.js("return document.activeElement.className") == "masthead-place"
    assert stored(browser) == [{"masthead-weather": str(DELHI)}, {}, ""]
    assert browser.attribute("masthead-weather", "data-source") == "reader"
    browser.open(url)
    browser.until(f"document.querySelector('{PLACE}')?.textContent == 'Delhi'", "the choice is forgotten")
    asked = [parse_qs(urlsplit(path).query).get("place") for path in mumbai.asked]
    assert asked == [None, [str(DELHI)]], "what is anybody's, the browser keeps for the second view"


def loaded(browser):
    return browser.js("return performance.getEntriesByType('resource').map((entry) => entry.name)")


def test_the_readers_own_location_can_count_again(mumbai, browser):
    browser.open(mumbai.page("/", page(WIDGET)))
    open_choice(browser)
    again = f"[...document.querySelectorAll('{DIALOG} button')].find((el) => el.textContent.includes('location'))"
    assert browser.js(f"return {again}.hidden"), "offered to a reader who has chosen nothing"
    press(browser, f"{DIALOG} input", Keys.ESCAPE)
    choose(browser, "Delhi")
    open_choice(browser)
    browser.js(f"{again}.click()")
    browser.until(f"document.querySelector('{PLACE}').textContent == 'Mumbai'", "the choice still counts")
    assert browser.attribute("masthead-weather", "data-source") == "geoip"
    assert stored(browser) == [{}, {}, ""]


def test_escape_and_the_button_close_it_and_change_nothing(mumbai, browser):
    browser.open(mumbai.page("/", page(WIDGET)))
    for close in [Keys.ESCAPE, None]:
        open_choice(browser)
        if close:
            press(browser, f"{DIALOG} input", close)
        else:
            browser.js(f"[...document.querySelectorAll('{DIALOG} button')].pop().click()")
        browser.until(f"!document.querySelector('{DIALOG}')", "it does not close")
        assert browser.js("return document.activeElement.className") == "masthead-place"
    assert browser.text(PLACE) == "Mumbai" and stored(browser) == [{}, {}, ""]
    assert len(mumbai.asked) == 1


def test_it_works_by_mouse_too_and_in_two_elements_of_todays_page(mumbai, browser):
    show(mumbai, browser, TODAY, head=TARGETED, widget="#city")
    assert browser.attribute("#city", "role") == "button" and browser.attribute("#city", "tabindex") == "0"
    browser.driver.find_element("css selector", "#city").click()
    browser.until(f"document.querySelector('{DIALOG}')", "a click does not open it")
    browser.driver.switch_to.active_element.send_keys("delhi")
    browser.until(f"document.querySelector('{DIALOG} li button')?.textContent.startsWith('Delhi')", "nothing is found")
    browser.driver.find_element("css selector", f"{DIALOG} li button").click()
    browser.until("document.querySelector('#city').textContent == 'Delhi'", "the choice does not count")


@pytest.mark.parametrize("press_it", ["place.click()", "place.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter' }))"])
def test_however_often_it_is_pressed_one_dialog_opens(mumbai, browser, press_it):
    browser.open(mumbai.page("/", page(WIDGET)))
    browser.settled("masthead-weather")
    for _ in range(2):  # the script is there already the second time
        browser.js(f"const place = document.querySelector('{PLACE}'); for (let i = 0; i < 3; i++) {press_it}")
        browser.until(f"document.querySelector('{DIALOG}')", "it does not open")
        browser.painted()
        assert browser.js("return document.querySelectorAll('dialog').length") == 1
        press(browser, f"{DIALOG} input", Keys.ESCAPE)
        browser.until("!document.querySelector('dialog')", "it does not close")


def test_after_a_choice_and_back_the_page_is_told_of_each(mumbai, browser):
    browser.open(mumbai.page("/", page(WIDGET)))
    choose(browser, "Delhi")
    open_choice(browser)
    browser.js(f"[...document.querySelectorAll('{DIALOG} button')].find((el) => el.textContent.includes('location')).click()")
    browser.until("probe.updates.length == 3", "the page is not told")
    assert browser.js("return probe.updates.map((answer) => answer.place.name)") == ["Mumbai", "Delhi", "Mumbai"]


def test_one_attribute_turns_it_off(mumbai, browser):
    body = f'<masthead-weather data-choice="off">{PLACEHOLDER}</masthead-weather>'
    url = mumbai.page("/", page(body))
    browser.open(url)
    assert browser.settled("masthead-weather") == "fresh"
    assert browser.attribute(PLACE, "role") is None and browser.attribute(PLACE, "tabindex") is None
    browser.js("localStorage.setItem('masthead-weather', arguments[0])", str(DELHI))
    browser.open(url)
    assert browser.settled("masthead-weather") == "fresh"
    assert browser.text(PLACE) == "Mumbai", "a choice made elsewhere counts where there is none to make"


def test_a_fragment_from_the_server_can_be_corrected_and_is_fetched_only_then(mumbai, browser):
    fragment = mumbai.fetch("/widget")
    url = mumbai.page("/", page(f"<masthead-weather>{fragment}</masthead-weather>"))
    browser.open(url)
    browser.until(f"document.querySelector('{PLACE}').role == 'button'", "it cannot be corrected")
    assert mumbai.asked == []
    choose(browser, "Delhi")
    assert len(mumbai.asked) == 1
    browser.open(url)
    browser.until(f"document.querySelector('{PLACE}').textContent == 'Delhi'", "the server's place hides the choice")
    assert browser.js("return document.querySelectorAll('.masthead-temp').length") == 1


@pytest.mark.parametrize("policy", ["default-src 'self'; require-trusted-types-for 'script'",
                                    "default-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'"])
def test_the_strictest_policy_is_kept(mumbai, browser, policy):
    headers = {"Content-Security-Policy": policy}
    browser.open(mumbai.page("/", page(WIDGET, head=SCRIPT + STYLE), headers=headers))
    choose(browser, "Delhi")


def test_a_browser_that_keeps_nothing_still_lets_choose(mumbai, browser):
    blocked = """Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError') } })"""
    mumbai.page("/blocked.js", blocked, content_type="text/javascript")
    browser.open(mumbai.page("/", page(WIDGET, head='<script src="/blocked.js"></script>' + SCRIPT)))
    choose(browser, "Delhi")
    assert browser.attribute("masthead-weather", "data-source") == "reader"


@pytest.mark.parametrize("places, said", [
    ([], "No city of that name is known"),
    ([city("Mumbai")], "Cities found: 1"),
    ([city("Pune"), city("Mumbai", 2)], "Cities found: 2"),
])
def test_what_is_found_is_said(mumbai, browser, places, said):
    mumbai.page("/places.json", json.dumps({"places": places}), content_type="application/json")
    browser.open(mumbai.page("/", page(WIDGET)))
    open_choice(browser)
    assert search(browser, "x") == [place["name"] for place in places]
    assert browser.text(f"{DIALOG} [role=status]") == said


@pytest.mark.parametrize("reply", ["<h1>We are working on it</h1>", "", "null", '{"places":', '{"places":null}'])
def test_a_search_that_fails_says_so(mumbai, browser, reply):
    mumbai.page("/places.json", reply, content_type="application/json")
    browser.open(mumbai.page("/", page(WIDGET)))
    open_choice(browser)
    search(browser, "del")
    assert browser.text(f"{DIALOG} [role=status]") == "The search does not answer; try again later"


def test_hostile_names_are_text(mumbai, browser):
    names = ["<img src=x onerror=alert(1)>", "</script><script>alert(1)</script>", "\u202eevil", '"><b>', "n" * 10000]
    places = [city(name, id) for id, name in enumerate(names, 1)]
    mumbai.page("/places.json", json.dumps({"places": places}), content_type="application/json")
    browser.open(mumbai.page("/", page(WIDGET, head=SCRIPT + STYLE)))
    open_choice(browser)
    assert search(browser, "x") == names
    tags = browser.js(f"return [...new Set([...document.querySelectorAll('{DIALOG} li *')].map((el) => el.localName))].sort()")
    assert tags == ["button", "small", "span"]
    assert browser.js(f"return document.querySelector('{DIALOG}').scrollWidth <= innerWidth"), "a long name breaks the dialog"


def test_whoever_has_no_place_can_name_one(mumbai, browser):
    mumbai.visitor = NO_RECORD
    browser.open(mumbai.page("/", page(f'<p data-masthead data-invite="off" data-fallback="Your city">{PLACEHOLDER}</p>'
                                       f'<p data-masthead id="bare" data-invite="off">{PLACEHOLDER}</p>')))
    assert browser.settled("p") == browser.settled("#bare") == "unknown"
    assert browser.attribute("#bare .masthead-place", "role") is None, "a button without a name"
    choose(browser, "Delhi")
    assert browser.text("#bare .masthead-place") == "Delhi"


def test_during_an_outage_the_name_remains_and_the_search_is_honest(mumbai, browser):
    mumbai.fault = drop
    show(mumbai, browser, f'<p data-masthead data-fallback="Weather">{PLACEHOLDER}</p>', state="unavailable", widget="p")
    mumbai.page("/places.json", "busy", content_type="text/plain")
    open_choice(browser)
    search(browser, "del")
    assert "does not answer" in browser.text(f"{DIALOG} [role=status]")


def test_it_is_found_under_any_prefix(mumbai, browser):
    mumbai.page("/a/b/widget.json", json.dumps(ANSWER), content_type="application/json")
    mumbai.page("/a/b/masthead.choice.js", mumbai.fetch("/masthead.choice.js"), content_type="text/javascript")
    mumbai.page("/a/b/places.json", json.dumps({"places": [city("Pune")]}), content_type="application/json")
    browser.open(mumbai.page("/", page('<masthead-weather data-endpoint="/a/b/widget.json"></masthead-weather>')))
    open_choice(browser)
    assert search(browser, "p") == ["Pune"]


@pytest.mark.parametrize("lang, title, direction", [
    ("en-IN", "Weather for your city", "ltr"),
    ("hi", "आपके शहर का मौसम", "ltr"),
    ("bn-BD", "আপনার শহরের আবহাওয়া", "ltr"),
    ("ta", "உங்கள் நகரத்தின் வானிலை", "ltr"),
    ("te", "మీ నగరంలో వాతావరణం", "ltr"),
    ("mr_IN", "आपल्या शहरातील हवामान", "ltr"),
    ("gu", "તમારા શહેરનું હવામાન", "ltr"),
    ("kn", "ನಿಮ್ಮ ನಗರದ ಹವಾಮಾನ", "ltr"),
    ("ml", "നിങ്ങളുടെ നഗരത്തിലെ കാലാവസ്ഥ", "ltr"),
    ("pa", "ਤੁਹਾਡੇ ਸ਼ਹਿਰ ਦਾ ਮੌਸਮ", "ltr"),
    ("ur", "آپ کے شہر کا موسم", "rtl"),
    ("ar", "الطقس في مدينتك", "rtl"),
    ("xx", "Weather for your city", "ltr"),
])
def test_it_speaks_the_pages_language_and_is_accessible(mumbai, browser, lang, title, direction):
    browser.open(mumbai.page("/", page(f"<main><h1>Paper</h1>{WIDGET}</main>", head=SCRIPT + STYLE, lang=lang)))
    open_choice(browser)
    search(browser, "new")
    assert browser.text(f"{DIALOG} h2") == title
    assert browser.attribute(DIALOG, "dir") == direction
    assert violations(browser) == []


def test_the_credits_are_there_too(mumbai, browser):
    credits = [{"text": "Weather <b>", "url": "https://weather.example/"}, {"text": "Evil", "url": "javascript:alert(1)"}]
    mumbai.fault = say({**ANSWER, "credits": credits})
    browser.open(mumbai.page("/", page(WIDGET)))
    open_choice(browser)
    links = browser.js(f"return [...document.querySelectorAll('{DIALOG} a')].map((a) => [a.textContent, a.href])")
    assert links == [["Weather <b>", "https://weather.example/"]]
