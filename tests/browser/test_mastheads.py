"""The style in headers as sites have them: a WordPress theme, a broadsheet's top bar, a Bootstrap navbar; on phone, tablet and desk,
aligned in every way, in every language. One page holds the header once for each language and alignment."""

import json

import pytest

from axe import violations
from newspaper import say
from test_loader import ANSWER, PLACEHOLDER, SCRIPT, STYLE

NAMES = {"en": "Thiruvananthapuram", "hi": "तिरुवनंतपुरम", "bn": "তিরুবনন্তপুরম", "ta": "திருவனந்தபுரம்", "te": "తిరువనంతపురం",
         "mr": "तिरुवनंतपुरम", "gu": "તિરુવનંતપુરમ", "kn": "ತಿರುವನಂತಪುರ", "ml": "തിരുവനന്തപുരം", "pa": "ਤਿਰੂਵਨੰਤਪੁਰਮ",
         "ur": "ترواننت پورم", "ar": "تيروفانانثابورام"}
ALIGNMENTS = ("start", "center", "end")

ELEMENT = f'<masthead-weather data-endpoint="/{{lang}}.json">{PLACEHOLDER}</masthead-weather>'
TWO = ('<span class="masthead-weather"><span id="city-{id}" class="masthead-place">Fetching location...</span> '
       '<span id="temp-{id}" class="masthead-temp">-- °C</span></span>'
       '<span hidden data-place-target="#city-{id}" data-temp-target="#temp-{id}" data-endpoint="/{lang}.json"></span>')
PARTS = ('<masthead-weather data-endpoint="/{lang}.json"><span class="masthead-icon" aria-hidden="true"></span> '
         '<span class="masthead-place">Fetching location...</span> <span class="masthead-temp">-- °C</span></masthead-weather>')

HEADERS = {
    "theme": '<div class="theme"><p class="title">The Daily Example</p><p class="line">{element}</p><p>News since 1901</p></div>',
    "broadsheet": '<div class="broadsheet"><span>29 November</span> <div class="line">{parts}</div> <a href="/news">Subscribe</a></div>',
    "navbar": '<div class="navbar"><a href="/">Example</a><ul><li class="line">{two}</li><li><a href="/sport">Sport</a></li></ul></div>',
}

CSS = """body { margin: 0; font: 16px/1.5 sans-serif } p, ul { margin: 0; padding: 0 }
.start { text-align: start } .center { text-align: center } .end { text-align: end }
.theme { padding: 1em; border-bottom: 1px solid } .title { font: bold 2em serif }
.broadsheet { display: flex; flex-wrap: wrap; gap: 0 1em; padding: 0.25em 0.5em; font-size: 14px }
.broadsheet > .line { flex: 1; min-width: 0 }
.navbar { display: flex; flex-wrap: wrap; align-items: center; gap: 0.5em; padding: 0.5em 1em }
.navbar ul { display: flex; flex: 1; list-style: none } .navbar li { padding: 0 0.5em } .navbar .line { flex: 1; min-width: 0 }"""

# The boxes of what stands in the headers, the widget's too; and how far the text in it stands from both ends of its line.
WHERE = """return [...document.querySelectorAll('header, header > div > *, header a, masthead-weather, .masthead-weather')]
    .map((el) => JSON.stringify(el.getBoundingClientRect()))"""
ENDS = """return [...document.querySelectorAll('header')].map((header) => {
    const box = header.querySelector('.line').getBoundingClientRect();
    const style = getComputedStyle(header.querySelector('.line'));
    const texts = [...header.querySelectorAll('.masthead-icon, .masthead-place, .masthead-temp')].map((el) => el.getBoundingClientRect());
    const left = Math.min(...texts.map((text) => text.left)), right = Math.max(...texts.map((text) => text.right));
    return [left - box.left - parseFloat(style.paddingLeft), box.right - right - parseFloat(style.paddingRight)]; })"""


def wall(layout):
    headers = []
    for lang in NAMES:
        for alignment in ALIGNMENTS:
            id = f"{lang}-{alignment}"
            holes = {name: html.format(id=id, lang=lang) for name, html in (("element", ELEMENT), ("two", TWO), ("parts", PARTS))}
            direction = "rtl" if lang in ("ur", "ar") else "ltr"
            headers.append(f'<header lang="{lang}" dir="{direction}" class="{alignment}">{HEADERS[layout].format(**holes)}</header>')
    return (f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Mastheads</title>'
            f'<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/page.css">{STYLE}<script src="/patient.js"></script>{SCRIPT}</head>'
            f'<body><main><h1>Mastheads</h1>{"".join(headers)}</main></body></html>')


@pytest.fixture(params=[360, 768, 1280])
def width(request, browser):
    """The page's, which is so high that all of it is seen: only what is seen counts as a shift."""
    size = {"width": request.param, "height": 9000, "deviceScaleFactor": 1, "mobile": request.param < 1280}
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    yield request.param
    browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


ANSWERS = {"named": {}, "unknown": {"state": "unknown", "text": "", "place": {"name": None, "country": "IN", "source": "none"},
                                    "temperature": {"celsius": None, "value": None, "unit": "C", "text": None}}}


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("layout", HEADERS)
def test_nothing_moves_and_the_text_stands_where_the_page_has_it(site, browser, width, layout, answer):
    def answers(handler):
        site.released.wait(60)
        lang = handler.path.split("?")[0][1:-5]
        name = {"place": {**ANSWER["place"], "name": NAMES[lang]}}
        say({**ANSWER, "lang": lang, "weather": {"code": 61, "text": "Rain", "is_day": True}, **name, **ANSWERS[answer]})(handler)

    site.faults = {f"/{lang}.json": answers for lang in NAMES}
    site.page("/page.css", CSS, content_type="text/css")
    site.page("/patient.js", "AbortSignal.timeout = undefined", content_type="text/javascript")  # more questions than connections
    policy = {"Content-Security-Policy": "default-src 'self'; require-trusted-types-for 'script'"}
    browser.open(site.page("/", wall(layout), headers=policy))
    browser.until("!!customElements.get('masthead-weather')", "the loader did not run")
    browser.painted()
    before = browser.js(WHERE)
    site.released.set()
    browser.until(f"probe.updates.length == {len(NAMES) * len(ALIGNMENTS)}", "not every masthead was told")
    browser.painted()
    assert browser.js(WHERE) == before and browser.js("return probe.shift") == 0
    assert browser.js("return document.scrollingElement.scrollWidth") <= width, "it overflows"
    for (left, right), (lang, alignment) in zip(browser.js(ENDS), [(lang, alignment) for lang in NAMES for alignment in ALIGNMENTS]):
        start, end = (right, left) if lang in ("ur", "ar") else (left, right)
        assert min(start, end) > -1, f"{lang} {alignment}: it hangs out"
        if answer == "named":
            offset = {"start": start, "center": (start - end) / 2, "end": end}[alignment]
            assert abs(offset) <= 1.5, f"{lang} {alignment}: it stands {offset} px off"
    if width == 360:
        assert violations(browser) == []
