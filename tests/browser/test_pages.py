"""Pages as they are found: headers that are there twice, frameworks that draw late and anew, other scripts that write into the
same elements, listeners of the page's own."""

import json

import pytest
from selenium.webdriver.common.keys import Keys

from axe import violations
from newspaper import say
from test_choice import DIALOG, PLACE, mumbai, press, search  # noqa: F401
from test_loader import ANSWER, NO_NUMBER, PLACEHOLDER, SCRIPT, STYLE, TARGETED, TARGETS, TODAY, page, show

WIDGET = f"<masthead-weather>{PLACEHOLDER}</masthead-weather>"
TEMPERATURE = ANSWER["temperature"]["text"]
SHOWN = ["Mumbai", TEMPERATURE]
CARRIER = f"<span hidden {TARGETS}></span>"


def filled(browser, selector, texts, why="it is not filled"):
    """Waits until all elements that match have these texts, in the order of the page."""
    texts_now = f"JSON.stringify([...document.querySelectorAll({json.dumps(selector)})].map((el) => el.textContent))"
    browser.until(f"{texts_now} == {json.dumps(json.dumps(texts, ensure_ascii=False, separators=(',', ':')))}", why)


# What the page has twice, late, or anew


def test_a_header_that_is_there_twice_is_filled_twice(site, browser):
    """As themes have it: one for phones, hidden, comes first, with the same ids."""
    site.fault = say(ANSWER)
    body = f'<div hidden>{TODAY}</div><div>{TODAY}</div>'
    show(site, browser, body, head=TARGETED, widget="div:last-child > #city")
    filled(browser, "#city, #temp", SHOWN * 2)
    assert browser.js("return [...document.querySelectorAll('#city')].map((el) => el.role)") == ["button", "button"]
    assert len(site.asked) == 1 and len(browser.js("return probe.updates")) == 1


LATE = {
    "two elements": (CARRIER, TODAY, "#city, #temp"),
    "two elements, by the script's tag": ("", TODAY, "#city, #temp"),
    "any element": ("", f"<p data-masthead>{PLACEHOLDER}</p>", "p .masthead-place, p .masthead-temp"),
    "ours": ("", WIDGET, ".masthead-place, .masthead-temp"),
    "a carrier": (TODAY, CARRIER, "#city, #temp"),
}


@pytest.mark.parametrize("there, late, selector", LATE.values(), ids=LATE.keys())
def test_what_comes_late_and_again_is_filled(site, browser, there, late, selector):
    """As a page that hydrates, or whose views come and go, adds it."""
    site.fault = say(ANSWER)
    head = TARGETED if not there and "#city" in selector else SCRIPT
    browser.open(site.page("/", page(f'{there}<div id="view"></div>', head=head)))
    browser.until("document.readyState == 'complete' && !!customElements.get('masthead-weather')", "the loader did not run")
    browser.painted()
    for _ in range(3):
        browser.js("document.querySelector('#view').innerHTML = arguments[0]", late)
        filled(browser, selector, SHOWN)
        browser.js("document.querySelector('#view').innerHTML = ''")
    assert len(site.asked) == 1, "a view that comes again asks again"


def test_one_of_two_elements_may_come_later_than_the_other(site, browser):
    site.fault = say(ANSWER)
    show(site, browser, f'<i id="city"></i><b></b>{CARRIER}', widget="#city")
    browser.js("document.querySelector('b').id = 'temp'; document.querySelector('b').textContent = '-- °C'")
    filled(browser, "#city, #temp", SHOWN)


def test_a_page_that_stands_still_costs_nothing(site, browser):
    count = """window.pending = 0; const short = setTimeout; setTimeout = (job, ms, ...rest) =>
        ms >= 15000 ? short(job, ms) : short(() => { pending -= 1; job() }, ms, pending += 1);"""
    site.page("/count.js", count, content_type="text/javascript")
    site.fault = say(ANSWER)
    show(site, browser, WIDGET + TODAY, head='<script src="/count.js"></script>' + TARGETED, widget="#temp")
    for _ in range(2):
        browser.until("document.readyState == 'complete' && !pending", "the loader goes on looking")
        browser.js("document.body.append('more')")
        browser.until("pending", "the loader does not look at what is added")


# Other scripts


@pytest.mark.parametrize("overwrite", ["el.textContent = 'Location unavailable'", "el.firstChild.data = 'Location unavailable'"])
@pytest.mark.parametrize("head, body, selector", [(TARGETED, TODAY, "#city"), (SCRIPT, WIDGET, "masthead-weather .masthead-place")])
def test_another_scripts_text_is_replaced_once_and_there_is_no_quarrel(site, browser, head, body, selector, overwrite):
    site.fault = say(ANSWER)
    show(site, browser, body + "<p></p>", head=head, widget=selector)
    other = f"const el = document.querySelector('{selector}'); {overwrite}"
    browser.js(other)
    filled(browser, selector, ["Mumbai"], "our text is lost")
    browser.js(other + "; document.querySelector('p').dataset.masthead = ''; document.body.append('more')")
    filled(browser, "p .masthead-place", ["Mumbai"], "the other elements are not filled any more")
    assert browser.text(selector) == "Location unavailable"
    browser.until("probe.timers.length", "the loader has given up")
    site.fault = say({**ANSWER, "place": {**ANSWER["place"], "name": "Pune"}})
    browser.wake()
    filled(browser, selector, ["Pune"], "the next answer is not shown")


def test_an_element_that_another_script_has_emptied_is_filled_once_more(site, browser):
    site.fault = say(ANSWER)
    show(site, browser, WIDGET + "<p></p>")
    other = "document.querySelector('masthead-weather').textContent = 'Location unavailable'"
    browser.js(other)
    filled(browser, "masthead-weather", [" ".join(SHOWN)], "our text is lost")
    browser.js(other + "; document.querySelector('p').dataset.masthead = ''; document.body.append('more')")
    filled(browser, "p .masthead-place", ["Mumbai"])
    assert browser.text("masthead-weather") == "Location unavailable"


def test_what_others_have_added_to_every_object_is_not_written_out(site, browser):
    site.page("/polluted.js", "Object.prototype.polluted = 'yes'; Array.prototype.extra = () => 1", content_type="text/javascript")
    site.fault = say(ANSWER)
    show(site, browser, WIDGET + TODAY, head='<script src="/polluted.js"></script>' + TARGETED + STYLE, widget="#temp")
    assert browser.text("masthead-weather") == " ".join(SHOWN)
    names = browser.js("return [...document.querySelectorAll('header *')].flatMap((el) => el.getAttributeNames())")
    assert not any("polluted" in name or "extra" in name for name in names)
    assert "polluted" not in site.asked[0]


# Listeners


@pytest.mark.parametrize("head, body, place", [(TARGETED, TODAY, "#city"), (SCRIPT, WIDGET, "masthead-weather .masthead-place")])
def test_the_pages_own_listeners_stay(site, browser, head, body, place):
    site.fault = say(ANSWER)
    own = body.replace('id="city"', 'id="city" class="own"')
    site.page("/own.js", """window.pressed = []; const own = (el) => { el.onclick = () => pressed.push('click');
        el.onkeydown = ({ key }) => pressed.push(key) };
        addEventListener('DOMContentLoaded', () => document.querySelectorAll('.own').forEach(own))""", content_type="text/javascript")
    show(site, browser, own, head='<script src="/own.js"></script>' + head, widget=place)
    browser.js(f"own(document.querySelector('{place}'))")
    browser.until("probe.timers.length", "the loader has given up")
    browser.wake()  # what is done at every answer
    browser.until("probe.updates.length == 2", "no second answer")
    browser.driver.find_element("css selector", place).click()
    browser.until(f"document.querySelector('{DIALOG}')", "a click does not open it")
    assert browser.js("return document.querySelectorAll('dialog').length") == 1
    press(browser, f"{DIALOG} input", Keys.ESCAPE)
    press(browser, place, "x", Keys.ENTER)
    browser.until(f"document.querySelector('{DIALOG}')", "a key does not open it")
    assert browser.js("return pressed") == ["click", "x", "Enter"]


LATER = {"en": "Try again later", "hi": "बाद में फिर कोशिश करें", "ta": "பின்னர் மீண்டும் முயலுங்கள்", "ur": "بعد میں دوبارہ کوشش کریں"}


@pytest.mark.parametrize("lang, words", LATER.items())
def test_when_the_script_behind_a_press_does_not_come_it_is_said(mumbai, browser, lang, words):  # noqa: F811
    mumbai.page("/masthead.choice.js", "<h1>We are working on it</h1>", content_type="text/javascript")
    browser.open(mumbai.page("/", page(f"<main><h1>Paper</h1>{WIDGET}</main>", head=SCRIPT + STYLE, lang=lang)))
    assert browser.settled("masthead-weather") == "fresh"
    for leave in [lambda: press(browser, "dialog", Keys.ESCAPE), lambda: browser.js("document.querySelector('dialog').click()")]:
        press(browser, PLACE, Keys.ENTER)
        browser.until(f"document.querySelector('{DIALOG}')", "nothing is said")
        assert browser.text(DIALOG) == browser.attribute(DIALOG, "aria-label") == words
        assert browser.attribute(DIALOG, "lang") == lang
        assert browser.js("return document.activeElement.localName") == "dialog", "a screen reader does not say it"
        assert violations(browser) == []
        leave()
        browser.until("!document.querySelector('dialog')", "it does not close")
        assert browser.js("return document.activeElement.className") == "masthead-place"


# Sleep


@pytest.mark.parametrize("event", ["document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))",
                                   "dispatchEvent(new Event('focus'))"])
def test_a_tab_that_wakes_asks_at_once_if_it_is_time(site, browser, event):
    """A machine that sleeps does not count down: the timer would ring minutes late."""
    site.fault = say(ANSWER, headers={"Cache-Control": "no-store, max-age=300"})
    show(site, browser, WIDGET)
    browser.until("probe.timers.length", "the loader has given up")
    browser.js(f"{event}; const now = Date.now; Date.now = () => now() + 299000; {event}")
    browser.painted()
    assert len(site.asked) == 1, "it asks before it is time"
    browser.js(f"const now = Date.now; Date.now = () => now() + 2000; {event}; {event}")
    browser.until("probe.updates.length == 2", "it does not ask")
    assert len(site.asked) == 2


# Lines


BLOCKS = '<div id="city">Fetching location...</div><div id="temp">-- °C</div><p>News</p>'


@pytest.mark.parametrize("fallback", ["", 'data-fallback="Weather"'])
def test_two_blocks_keep_their_lines_through_an_outage(site, browser, fallback):
    site.fault = lambda handler: (site.released.wait(60), say("busy", status=503)(handler))
    head = f'<script async src="/masthead.js" {TARGETS} {fallback}></script>'
    browser.open(site.page("/", page(BLOCKS, head=head)))
    browser.until("!!customElements.get('masthead-weather')", "the loader did not run")
    browser.painted()
    site.released.set()
    assert browser.settled("#temp") == "unavailable"
    browser.painted()
    assert browser.text("#temp").strip() == ("" if fallback else NO_NUMBER)
    assert browser.js("return probe.shift") == 0
