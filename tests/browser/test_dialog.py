"""The dialog itself: what stands in it at first, where its focus is, what it looks like on a phone and on pages without our style."""

import json

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from axe import violations
from newspaper import drop, say
from test_choice import DIALOG, PLACE, WIDGET, city, mumbai, open_choice, press, search  # noqa: F401
from test_invitation import POSITION, STATUS
from test_loader import ANSWER, SCRIPT, STYLE, page

FOCUS = "const el = document.activeElement; return el.querySelector('span')?.textContent ?? el.localName"


def names(browser):
    return browser.js(f"return [...document.querySelectorAll('{DIALOG} li span')].map((el) => el.textContent)")


@pytest.fixture
def held(mumbai):  # noqa: F811
    """held(text): the search answers this text, and not before the test sets `released`."""
    def hold(text):
        mumbai.released.clear()
        mumbai.faults["/places.json"] = lambda handler: (mumbai.released.wait(60), say(text)(handler))
    return hold


# At first


def test_at_first_there_are_eight_large_cities_of_the_readers_country(mumbai, browser):  # noqa: F811
    browser.open(mumbai.page("/", page(WIDGET, head=SCRIPT + STYLE)))
    open_choice(browser)
    browser.until(f"document.querySelector('{DIALOG} li')", "there are none")
    found = json.loads(mumbai.fetch("/places.json?country=IN"))["places"]
    assert names(browser) == [place["name"] for place in found[:8]] and names(browser)[:2] == ["Mumbai", "Delhi"]
    assert browser.text(STATUS) == "", "nobody has asked for them"
    assert search(browser, "leh")[0] == "Leh"
    press(browser, f"{DIALOG} input", Keys.CONTROL, "a")
    press(browser, f"{DIALOG} input", Keys.DELETE)
    browser.until(f"document.querySelectorAll('{DIALOG} li').length == 8", "they do not come back")
    press(browser, f"{DIALOG} input", Keys.ARROW_DOWN)
    assert browser.js(FOCUS) == "Mumbai"


def test_a_reader_of_no_known_country_has_none_at_first(mumbai, browser):  # noqa: F811
    mumbai.fault = say({**ANSWER, "place": {**ANSWER["place"], "country": None}})
    browser.open(mumbai.page("/", page(WIDGET)))
    open_choice(browser)
    assert search(browser, "delhi")[0] == "Delhi"
    assert "country=&" in browser.js("return performance.getEntriesByType('resource').map(({ name }) => name + '&').join()")
    assert not browser.js("return performance.getEntriesByType('resource').some(({ name }) => /places.json(?!.*q=)/.test(name))")


# What is typed, what is listed, and the focus


def test_two_presses_of_enter_choose_however_fast_they_come(mumbai, browser, held):  # noqa: F811
    browser.open(mumbai.page("/", page(WIDGET)))
    open_choice(browser)
    assert search(browser, "mum")[0] == "Mumbai"
    press(browser, f"{DIALOG} input", Keys.CONTROL, "a")
    held({"places": [city("Chennai", 1264527)]})
    press(browser, f"{DIALOG} input", "chennai", Keys.ENTER, Keys.ENTER)
    assert browser.js(FOCUS) == "input" and names(browser)[0] == "Mumbai", "the search is over before it is held"
    assert browser.js("return localStorage['masthead-weather']") is None
    mumbai.released.set()
    browser.until(f"!document.querySelector('{DIALOG}')", "the second press is lost")
    assert browser.js("return localStorage['masthead-weather']") == "1264527"


@pytest.mark.parametrize("move", [Keys.ARROW_DOWN, Keys.TAB])
def test_a_list_of_what_was_typed_before_cannot_be_chosen_from(mumbai, browser, held, move):  # noqa: F811
    browser.open(mumbai.page("/", page(WIDGET)))
    open_choice(browser)
    search(browser, "mum")
    held({"places": [city("Chennai")]})
    press(browser, f"{DIALOG} input", "x", move)
    assert browser.js("return document.activeElement.closest('li')") is None
    mumbai.released.set()
    browser.until(f"document.querySelector('{DIALOG} li span').textContent == 'Chennai'", "the new list does not come")


@pytest.mark.parametrize("reply", [json.dumps({"places": [city("Pune")]}), json.dumps({"places": []}), "busy"])
def test_the_focus_is_not_lost_with_the_list_that_had_it(mumbai, browser, reply):  # noqa: F811
    browser.open(mumbai.page("/", page(WIDGET)))
    open_choice(browser)
    search(browser, "mum")
    press(browser, f"{DIALOG} input", Keys.ARROW_DOWN)
    assert browser.js(FOCUS) == "Mumbai"
    mumbai.page("/places.json", reply, content_type="application/json")
    browser.js(f"const field = document.querySelector('{DIALOG} input'); field.value = 'p'; field.dispatchEvent(new Event('input'))")
    browser.until(f"document.querySelector('{DIALOG} li span')?.textContent != 'Mumbai'", "the old list stays")
    assert browser.js(FOCUS) == "input"


def test_while_the_search_goes_on_it_is_said(mumbai, browser, held):  # noqa: F811
    browser.open(mumbai.page("/", page(WIDGET, lang="hi")))
    open_choice(browser)
    held({"places": [city("Pune")]})
    press(browser, f"{DIALOG} input", "p")
    browser.until(f"document.querySelector('{STATUS}').textContent == 'खोजा जा रहा है…'", "it is not said")
    mumbai.released.set()
    browser.until(f"document.querySelector('{STATUS}').textContent.startsWith('मिले शहर')", "the result is not said")


# How it looks


def resize(browser, width, height):
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


@pytest.fixture
def phone(browser):
    resize(browser, 360, 640)
    yield browser
    browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def box(browser, selector):
    return browser.js("const { left, top, right, bottom } = document.querySelector(arguments[0]).getBoundingClientRect();"
                      "return [left, top, right, bottom]", f"{DIALOG} {selector}")


VIEWPORT = '<meta name="viewport" content="width=device-width">'


@pytest.mark.parametrize("style", [STYLE, ""], ids=["with our style", "without"])
@pytest.mark.parametrize("lang", ["en", "ta", "ml", "ur"])
def test_on_a_phone_with_its_keyboard_two_rows_are_in_sight(mumbai, phone, lang, style):  # noqa: F811
    """Also where the reader has chosen before, and there is one button more."""
    phone.open(mumbai.page("/", page(WIDGET, head=SCRIPT + style + VIEWPORT, lang=lang)))
    phone.js("localStorage['masthead-weather'] = '1275339'")
    open_choice(phone)
    phone.until(f"document.querySelector('{DIALOG} li')", "there is no list")
    assert violations(phone) == []
    resize(phone, 360, 340)
    phone.until(f"document.querySelector('{DIALOG}').getBoundingClientRect().bottom <= 341", "it reaches under the keyboard")
    end = box(phone, ".masthead-list")[3]
    rows = phone.js(f"return [...document.querySelectorAll('{DIALOG} li')].map((row) => row.getBoundingClientRect().bottom)")
    assert sum(row <= end for row in rows) >= 2
    assert phone.js(f"return document.querySelector('{DIALOG}').scrollHeight <= document.querySelector('{DIALOG}').clientHeight")
    left, top, right, bottom = box(phone, ".masthead-close")
    assert (right < 180 if lang == "ur" else left > 180) and top < 44, "it is not at the top"


@pytest.mark.parametrize("style", [STYLE, ""], ids=["with our style", "without"])
def test_what_is_pressed_is_large_enough_and_the_first_is_the_position(mumbai, browser, style):  # noqa: F811
    browser.open(mumbai.page("/", page(WIDGET, head=SCRIPT + style)))
    open_choice(browser)
    browser.until(f"document.querySelector('{DIALOG} li')", "there is no list")
    heights = browser.js(f"return [...document.querySelectorAll('{DIALOG} :is(button, input):not([hidden])')]"
                         ".map((el) => el.getBoundingClientRect().height)")
    assert min(heights) >= 44 and len(heights) == 11
    assert box(browser, ".masthead-position")[3] <= box(browser, "input")[1] <= box(browser, "li")[1]


def test_only_the_list_scrolls(mumbai, browser):  # noqa: F811
    resize(browser, 1000, 400)
    browser.open(mumbai.page("/", page(WIDGET, head=SCRIPT + STYLE)))
    open_choice(browser)
    browser.until(f"document.querySelector('{DIALOG} li')", "there is no list")
    scrolling = browser.js(f"return [...document.querySelectorAll('{DIALOG}, {DIALOG} *')]"
                           ".filter((el) => el.clientHeight && el.scrollHeight > el.clientHeight + 1 && getComputedStyle(el).overflowY != 'visible')"
                           ".map((el) => el.className)")
    browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert scrolling == ["masthead-list"]


def test_the_backdrop_closes_it_and_what_is_in_it_does_not(mumbai, browser):  # noqa: F811
    browser.open(mumbai.page("/", page(WIDGET, head=SCRIPT + STYLE)))
    open_choice(browser)
    browser.driver.find_element("css selector", f"{DIALOG} h2").click()
    browser.painted()
    assert browser.js(f"return !!document.querySelector('{DIALOG}')")
    actions = ActionChains(browser.driver)
    actions.w3c_actions.pointer_action.move_to_location(500, 5).click()
    actions.perform()
    browser.until(f"!document.querySelector('{DIALOG}')", "the backdrop does not close it")
    assert browser.js("return document.activeElement.className") == "masthead-place"


def test_its_style_comes_with_it_before_the_pages_own(mumbai, browser):  # noqa: F811
    mumbai.page("/page.css", ".masthead-dialog { inline-size: 300px }", content_type="text/css")
    browser.open(mumbai.page("/", page(WIDGET, head=SCRIPT + '<link rel="stylesheet" href="/page.css">')))
    before = browser.settled("masthead-weather") and browser.js("return document.querySelector('masthead-weather').offsetWidth")
    open_choice(browser)
    style = "const { display, width } = getComputedStyle(document.querySelector(arguments[0])); return [display, width]"
    assert browser.js(style, DIALOG) == ["flex", "300px"]
    assert browser.js("return document.querySelector('masthead-weather').offsetWidth") == before, "the widget gets a style unasked"


@pytest.mark.parametrize("fault", [drop, lambda handler: handler.server.released.wait(60)], ids=["missing", "hanging"])
def test_it_opens_without_its_style_too(mumbai, browser, fault):  # noqa: F811
    mumbai.faults["/masthead.dialog.css"] = fault
    browser.open(mumbai.page("/", page(WIDGET)))
    open_choice(browser)
    assert search(browser, "delhi")[0] == "Delhi"


def test_the_place_looks_pressable_where_nothing_hovers(mumbai, browser):  # noqa: F811
    browser.open(mumbai.page("/", page(WIDGET, head=SCRIPT + STYLE)))
    browser.settled("masthead-weather")
    assert browser.js("return matchMedia('(hover: none)').matches"), "this browser has no mouse"
    assert browser.js(f"return getComputedStyle(document.querySelector('{PLACE}')).textDecorationLine") == "underline"
