"""The style: a box of one size whatever stands in it, in the page's own font and colours, in any direction, and on paper."""

import pytest

from newspaper import drop, say
from test_loader import ANSWER, PLACEHOLDER, SCRIPT, STYLE, TARGETS, boxes, page

LONGEST = "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tem-77"  # as long as a database's longest
NAMES = {
    "short": "Po",
    "longest": LONGEST,
    "Hindi": "तिरुवनंतपुरम",
    "Arabic": "رأس الخيمة الجديدة",
    "ten kilobytes": "n" * 10000,
    "markup": "</script><script>alert(1)</script><b onclick=alert(1)>\"'",
    "controls": "\u202e\u2066evil\u202c\u2069\u200f",
}
ALL_PARTS = """<masthead-weather data-date><span class="masthead-place">Fetching location...</span>
  <span class="masthead-icon" aria-hidden="true"></span> <span class="masthead-temp">-- °C</span>
  <span class="masthead-condition"></span> <span class="masthead-date"></span></masthead-weather>"""
WIDGETS = {
    "element": f"<masthead-weather>{PLACEHOLDER}</masthead-weather>",
    "all parts": ALL_PARTS,
    "today's two": '<span class="masthead-weather"><span id="city" class="masthead-place">Fetching location...</span> '
                   '<span id="temp" class="masthead-temp">-- °C</span></span>',
}


def named(name):
    return {**ANSWER, "place": {**ANSWER["place"], "name": name}, "timezone": "Asia/Kolkata",
            "weather": {"code": 96, "text": "Thunderstorm with heavy hail", "is_day": False}}


def header(widget, direction="ltr"):
    head = (f'<script async src="/masthead.js" {TARGETS}></script>' if "id=" in widget else SCRIPT) + STYLE
    return page(f'<b>News</b> {widget} <b>Search</b>', head=head).replace("<header>", f'<header dir="{direction}">')


def late(site, answer):
    """A fault: the answer comes when the test sets `released`."""
    def answer_late(handler):
        site.released.wait(60)
        say(answer)(handler)
    return answer_late


def shift_by_answer(site, browser):
    """Lets the answer to an open page come, which moves no box; returns the shift that the browser saw."""
    browser.until("!!customElements.get('masthead-weather')", "the loader did not run")
    browser.painted()
    before = boxes(browser)
    site.released.set()
    browser.until("probe.updates.length", "no answer")
    browser.painted()
    assert boxes(browser) == before
    return browser.js("return probe.shift")


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
@pytest.mark.parametrize("widget", WIDGETS)
@pytest.mark.parametrize("name", NAMES)
def test_nothing_moves(site, browser, widget, name, direction):
    url = site.page("/", header(WIDGETS[widget], direction))
    site.fault = late(site, named(NAMES[name]))
    browser.open(url)
    assert shift_by_answer(site, browser) == 0
    place, temp = ("#city", "#temp") if "today" in widget else (".masthead-place", ".masthead-temp")
    assert browser.text(place) == NAMES[name], "what is clipped is still whole for a screen reader"
    assert browser.text(temp) == "31\u00a0°C"
    inside = """const box = document.querySelector('masthead-weather, .masthead-weather').getBoundingClientRect();
        const temp = document.querySelector(arguments[0]).getBoundingClientRect();
        return temp.width > 0 && temp.left >= box.left - 1 && temp.right <= box.right + 1"""
    assert browser.js(inside, temp), "the temperature gives way to the name"
    assert browser.js("return document.querySelectorAll('header script, header b[onclick]').length") == 0


# The parts that are cut: by a box of their own or by the widget's.
CUT = """const box = document.querySelector('masthead-weather').getBoundingClientRect();
    const out = ({ left, right }) => left < box.left - 1 || right > box.right + 1;
    return [...document.querySelectorAll('masthead-weather > span, masthead-weather > data')]
        .filter((el) => el.scrollWidth > el.clientWidth || out(el.getBoundingClientRect())).map((el) => el.className)"""
README_PARTS = """<masthead-weather data-date>
  <span class="masthead-place">Fetching location...</span> <span class="masthead-icon" aria-hidden="true"></span>
  <span class="masthead-temp">-- °C</span> <span class="masthead-condition"></span>
</masthead-weather>"""


@pytest.mark.parametrize("place", ["Mumbai", "Thiruvananthapuram"])
@pytest.mark.parametrize("widget", [README_PARTS, f"<masthead-weather data-date>{PLACEHOLDER}</masthead-weather>"], ids=["all", "date"])
@pytest.mark.parametrize("lang", ["en", "hi", "ta", "ml", "ar"])
def test_all_parts_are_readable_beside_each_other(site, browser, widget, lang, place):
    answer = {**named(place), "weather": {"code": 2, "text": "Partly cloudy", "is_day": True}}
    site.fault = late(site, answer)
    browser.open(site.page("/", header(widget).replace('lang="en"', f'lang="{lang}"')))
    browser.until("!!customElements.get('masthead-weather')", "the loader did not run")
    browser.painted()
    before = boxes(browser)
    site.released.set()
    browser.settled("masthead-weather")
    browser.painted()
    assert boxes(browser) == before and browser.js("return probe.shift") == 0
    assert browser.js(CUT) == [], "what is cut cannot be read"
    gaps = browser.js("""const line = [...document.querySelectorAll('masthead-weather > :not(.masthead-date)')].map((el) => el.getBoundingClientRect())
        .sort((a, b) => a.left - b.left);
        return line.slice(1).map((box, i) => box.left - line[i].right)""")
    assert min(gaps) >= 2, "two parts touch"
    bottoms = browser.js("return ['masthead-weather', '.masthead-date'].map((name) => document.querySelector(name).getBoundingClientRect().bottom)")
    assert bottoms[1] <= bottoms[0] + 1, "the date hangs out"
    level = "return ['.masthead-icon', '.masthead-date'].map((name) => document.querySelector(name)?.getBoundingClientRect())"
    icon, date = browser.js(level)
    assert not icon or icon["bottom"] <= date["top"] + 1, "the icon lies on the date"


def test_in_a_narrow_box_the_words_are_cut_before_the_place(site, browser):
    site.fault = say(named("Mumbai"))
    site.page("/page.css", "masthead-weather { --masthead-inline-size: 12em }", content_type="text/css")
    browser.open(site.page("/", header(README_PARTS).replace("</head>", '<link rel="stylesheet" href="/page.css"></head>')))
    assert browser.settled("masthead-weather") == "fresh"
    assert browser.js(CUT) == ["masthead-condition"]


MASTHEADS = {"serif": "place temp", "sans": "place icon temp", "dark": "icon place temp condition"}  # as on the playground


def masthead(style, lang):
    texts = {"place": "Fetching location...", "temp": "-- °C"}
    parts = " ".join(f'<span class="masthead-{part}">{texts.get(part, "")}</span>' for part in MASTHEADS[style].split())
    return (f'<div class="sheet"><div class="paper" data-style="{style}" lang="{lang}" dir="{"rtl" if lang == "ar" else "ltr"}">'
            f'<p class="title">News</p><div class="dateline"><span class="date">Today</span> '
            f'<masthead-weather lang="{lang}">{parts}</masthead-weather> <span class="edition">Edition</span></div></div></div>')


@pytest.mark.parametrize("name", ["short", "longest", "Hindi", "Arabic"])
def test_nothing_moves_in_the_three_mastheads_of_the_playground(site, browser, name):
    wall = "".join(masthead(style, lang) for style in MASTHEADS for lang in ("en", "hi", "ar"))
    head = SCRIPT + STYLE + "".join(f'<link rel="stylesheet" href="/dev/{name}.css">' for name in ("pages", "playground"))
    site.fault = late(site, named(NAMES[name]))
    browser.open(site.page("/", page(f'<div class="wall">{wall}</div>', head=head)))
    browser.until("!!customElements.get('masthead-weather')", "the loader did not run")
    browser.painted()
    where = """return [...document.querySelectorAll('.paper, .title, .date, .edition, masthead-weather')]
        .map((el) => JSON.stringify(el.getBoundingClientRect()))"""
    before = browser.js(where)
    site.released.set()
    browser.until("probe.updates.length == 9", "not every masthead was told")
    browser.painted()
    assert browser.js(where) == before
    assert browser.js("return probe.shift") == 0


def test_font_and_colours_are_the_pages(site, browser):
    site.fault = say(named("Mumbai"))
    site.page("/page.css", ".page { font: italic 21px serif; color: rgb(12, 34, 56) }", content_type="text/css")
    body = header(ALL_PARTS).replace("<header", '<header class="page"')
    browser.open(site.page("/", body.replace("</head>", '<link rel="stylesheet" href="/page.css"></head>')))
    assert browser.settled("masthead-weather") == "fresh"
    styles = browser.js("""return ['place', 'temp', 'condition', 'date'].map((name) => {
        const style = getComputedStyle(document.querySelector('.masthead-' + name));
        return [style.fontFamily, style.fontStyle, style.fontSize, style.color].join(); })""")
    assert set(styles) == {"serif,italic,21px,rgb(12, 34, 56)"}
    icon = "const style = getComputedStyle(document.querySelector('.masthead-icon')); return [style.backgroundColor, Math.round(parseFloat(style.width))]"
    assert browser.js(icon) == ["rgb(12, 34, 56)", 25]
    assert "tabular-nums" in browser.js("return getComputedStyle(document.querySelector('.masthead-temp')).fontVariantNumeric")


def test_with_forced_colours_the_icon_is_still_drawn(site, browser):
    """Where a browser takes backgrounds away, a mask would have nothing to cut from."""
    site.fault = say(named("Mumbai"))
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "forced-colors", "value": "active"}]})
    try:
        browser.open(site.page("/", header(ALL_PARTS)))
        assert browser.settled("masthead-weather") == "fresh"
        colours = """const probe = document.body.appendChild(document.createElement('i'));
            const colour = (name) => { probe.style.color = name; return getComputedStyle(probe).color };
            return [getComputedStyle(document.querySelector('.masthead-icon')).backgroundColor, colour('CanvasText'), colour('Canvas')]"""
        icon, text, ground = browser.js(colours)
        assert icon == text != ground
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@pytest.mark.parametrize("fault, visible", [(say(named("Mumbai")), "visible"), (drop, "hidden")])
def test_paper_shows_an_answer_or_nothing(site, browser, fault, visible):
    site.fault = fault
    browser.open(site.page("/", header(WIDGETS["element"])))
    browser.settled("masthead-weather")
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert browser.js("return getComputedStyle(document.querySelector('masthead-weather')).visibility") == visible
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
