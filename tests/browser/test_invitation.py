"""The invitation: a reader whose city is not known is not shown a guess, but asked for the city, in the page's language; and may
let the browser say where they are, on a press of a button and never before."""

import json

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

import chromium
from axe import violations
from newspaper import drop, say
from test_accessible import PAGE
from test_choice import DELHI, DIALOG, PLACE, WIDGET, city, mumbai, open_choice, press, search, stored  # noqa: F401
from test_loader import (ANSWER, NO_RECORD, PLACEHOLDER, SCRIPT, STYLE, TARGETED, TARGETS, TODAY, answer_once_fresh, page,
                         show)
from test_looks import WIDGETS, header, shift_by_answer

MUMBAI = 1275339  # GeoNames
COUNTRY_ONLY = "203.0.113.1"  # a reader whose record names a country and no city
POLICY = {"Content-Security-Policy": "default-src 'self'; require-trusted-types-for 'script'"}
INVITED = {"en": "Choose your city", "hi": "अपना शहर चुनें", "bn": "আপনার শহর বেছে নিন", "ta": "நகரைத் தேர்வுசெய்க",
           "te": "మీ నగరాన్ని ఎంచుకోండి", "mr": "आपले शहर निवडा", "gu": "તમારું શહેર પસંદ કરો", "kn": "ನಿಮ್ಮ ನಗರವನ್ನು ಆಯ್ಕೆ ಮಾಡಿ",
           "ml": "നഗരം തിരഞ്ഞെടുക്കൂ", "pa": "ਆਪਣਾ ਸ਼ਹਿਰ ਚੁਣੋ", "ur": "اپنا شہر منتخب کریں", "ar": "اختر مدينتك"}
STATUS = f"{DIALOG} [role=status]"
POSITION = f"{DIALOG} .masthead-position"

UNKNOWN = {**ANSWER, "state": "unknown", "text": "",
           "place": {"name": None, "region": None, "country": "IN", "source": "none", "verdict": "too-vague"},
           "temperature": {"celsius": None, "value": None, "unit": "C", "text": None}}
HOME = {**ANSWER, "place": {**ANSWER["place"], "source": "home", "verdict": "not-found"}}


@pytest.fixture
def nowhere(mumbai):  # noqa: F811
    """A site whose visitor's city is not known; the weather in Mumbai and Delhi is."""
    answer_once_fresh(mumbai, f"/widget.json?place={MUMBAI}")
    mumbai.visitor = COUNTRY_ONLY
    return mumbai


def invited(browser, widget="masthead-weather"):
    assert browser.settled(widget) == "unknown"
    return browser.text(f"{widget} {PLACE}")


def is_button(browser, selector):
    node = "const el = document.querySelector(arguments[0]); return [el.getAttribute('role'), el.getAttribute('tabindex')]"
    return browser.js(node, selector) == ["button", "0"]


def scripts(browser):
    names = browser.js("return performance.getEntriesByType('resource').map((entry) => new URL(entry.name).pathname)")
    return [name for name in names if name.endswith(".js")]


# The invitation


@pytest.mark.parametrize("lang, words", [*INVITED.items(), ("hi-IN", INVITED["hi"]), ("hi_IN", INVITED["hi"]), ("xx", INVITED["en"])])
def test_a_reader_without_a_city_is_invited_in_the_pages_language(nowhere, browser, lang, words):
    browser.open(nowhere.page("/", page(WIDGET, lang=lang)))
    assert invited(browser) == words
    assert is_button(browser, PLACE)
    assert browser.text(".masthead-temp").strip() == ""
    open_choice(browser)


@pytest.mark.parametrize("lang", INVITED)
@pytest.mark.parametrize("answer", [UNKNOWN, HOME], ids=["unknown", "home"])
def test_it_is_accessible(site, browser, answer, lang):
    site.fault = say(answer)
    browser.open(site.page("/", PAGE.replace('lang="en"', f'lang="{lang}" dir="{"rtl" if lang in ("ar", "ur") else "ltr"}"')))
    browser.until("document.querySelector('[role=button]')", "nobody is invited")
    assert violations(browser) == []
    open_choice(browser)
    assert violations(browser) == []


def test_todays_two_elements_invite_too(nowhere, browser):
    show(nowhere, browser, TODAY, head=TARGETED, state="unknown", widget="#city")
    assert browser.text("#city") == INVITED["en"] and is_button(browser, "#city")
    browser.driver.find_element("css selector", "#city").click()
    browser.until(f"document.querySelector('{DIALOG}')", "a click does not open it")


def test_the_page_has_words_of_its_own(nowhere, browser):
    browser.open(nowhere.page("/", page(f'<masthead-weather data-invite="Where are you? <b>">{PLACEHOLDER}</masthead-weather>')))
    assert invited(browser) == "Where are you? <b>"
    assert is_button(browser, PLACE)


@pytest.mark.parametrize("how", ['data-invite="off"', 'data-choice="off"'])
@pytest.mark.parametrize("fallback, shown", [("", ""), ('data-fallback="Weather"', "Weather")])
def test_it_can_be_kept_quiet_and_then_the_fallback_stands_there(nowhere, browser, how, fallback, shown):
    browser.open(nowhere.page("/", page(f"<masthead-weather {how} {fallback}>{PLACEHOLDER}</masthead-weather>")))
    assert invited(browser).strip() == shown
    assert is_button(browser, PLACE) == (shown != "" and "choice" not in how), "the fallback is pressed as a city is"
    assert scripts(browser) == ["/masthead.js"], "what is not wanted is not loaded"


def test_the_invitation_goes_before_the_fallback_and_an_outage_does_not_invite(nowhere, browser):
    body = f'<masthead-weather data-fallback="Weather">{PLACEHOLDER}</masthead-weather>'
    browser.open(nowhere.page("/", page(body)))
    assert invited(browser) == INVITED["en"]
    nowhere.fault = drop
    browser.open(nowhere.page("/", page(body.replace("<masthead-weather", '<masthead-weather data-units="f"'))))
    assert browser.settled("masthead-weather") == "unavailable"
    assert browser.text(PLACE) == "Weather"


@pytest.mark.parametrize("around", ['<a href="/weather">{}</a>', "<button>{}</button>", '<a href="/weather"><b>{}</b></a>'])
@pytest.mark.parametrize("answer", [UNKNOWN, HOME], ids=["unknown", "home"])
def test_inside_a_link_or_a_button_there_is_no_other(site, browser, around, answer):
    site.fault = say(answer)
    widget = f'<masthead-weather data-fallback="Weather">{PLACEHOLDER}</masthead-weather>'
    show(site, browser, around.format(widget) + around.format(TODAY), head=TARGETED, state=answer["state"])
    assert browser.settled("#city") == answer["state"]
    assert browser.text(PLACE) == (answer["place"]["name"] or "Weather")
    assert browser.js("return document.querySelectorAll('[role=button], [tabindex], .masthead-invite').length") == 0


def test_when_the_script_behind_it_does_not_come_nothing_dead_is_offered(nowhere, browser):
    nowhere.page("/masthead.choice.js", "<h1>We are working on it</h1>", content_type="text/javascript")
    body = f'<p data-masthead>{PLACEHOLDER}</p><masthead-weather data-fallback="Weather">{PLACEHOLDER}</masthead-weather>'
    browser.open(nowhere.page("/", page(body)))
    assert invited(browser) == "Weather"
    assert invited(browser, "p").strip() == "" and not is_button(browser, f"p {PLACE}")


def test_a_script_that_hangs_does_not_leave_the_placeholder_for_ever(nowhere, browser):
    nowhere.page_in_two("/masthead.choice.js", "", "")
    browser.open(nowhere.page("/", page(f'<masthead-weather data-fallback="Weather">{PLACEHOLDER}</masthead-weather>')))
    assert invited(browser) == "Weather"


@pytest.mark.parametrize("text", ["", "Weather &lt;b&gt;"])
def test_the_servers_text_for_an_unknown_place_becomes_the_invitation(nowhere, browser, text):
    fragment = nowhere.fetch("/widget")
    assert '<span class="masthead-place"></span>' in fragment
    fragment = fragment.replace('class="masthead-place">', f'class="masthead-place">{text}')
    browser.open(nowhere.page("/", page(f"<masthead-weather>{fragment}</masthead-weather>")))
    assert invited(browser) == INVITED["en"]
    assert is_button(browser, PLACE)
    assert len(nowhere.asked) == 1


def test_several_elements_share_one_question(nowhere, browser):
    browser.open(nowhere.page("/", page(WIDGET * 3 + '<p data-masthead data-invite="off"></p>')))
    assert invited(browser) == INVITED["en"] and invited(browser, "p").strip() == ""
    assert len(nowhere.asked) == 1 and sorted(scripts(browser)) == ["/masthead.choice.js", "/masthead.js"]


def test_paper_does_not_invite(nowhere, browser):
    show(nowhere, browser, WIDGET, head=SCRIPT + STYLE, state="unknown")
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert browser.js(f"return getComputedStyle(document.querySelector('{PLACE}')).visibility") == "hidden"
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


# The site's home


def test_a_home_keeps_the_invitation(nowhere, browser):
    nowhere.fault = say(HOME)
    show(nowhere, browser, WIDGET, head=SCRIPT + STYLE)
    assert browser.text("masthead-weather") == "Mumbai 31\u00a0°C Choose your city"
    assert is_button(browser, PLACE) and is_button(browser, ".masthead-invite")
    nowhere.fault = None
    press(browser, ".masthead-invite", Keys.ENTER)
    browser.until(f"document.querySelector('{DIALOG}')", "it does not open")
    press(browser, f"{DIALOG} input", "delhi", Keys.ENTER)
    browser.until("document.activeElement.closest('li')", "nothing is found")
    browser.driver.switch_to.active_element.send_keys(Keys.ENTER)
    browser.until(f"document.querySelector('{PLACE}').textContent == 'Delhi'", "the choice does not count")
    assert browser.text(".masthead-invite") == "" and not is_button(browser, ".masthead-invite")
    assert browser.js("return document.activeElement.className") == "masthead-place"


def test_two_elements_of_a_home_invite_by_a_third_or_a_tip(site, browser):
    site.fault = say(HOME)
    third = f'{TODAY}<i id="choose"></i>'
    show(site, browser, third, head=TARGETED.replace(TARGETS, f'{TARGETS} data-invite-target="#choose"'), widget="#city")
    assert browser.text("#choose") == INVITED["en"] and is_button(browser, "#choose")
    show(site, browser, TODAY, head=TARGETED, widget="#city")
    assert browser.text("#city") == "Mumbai" and browser.attribute("#city", "title") == INVITED["en"]
    assert browser.js("return document.querySelectorAll('header *').length") == 2


def test_a_fragment_of_a_home_is_not_fetched_again_to_invite(start, site, browser):
    service = start(settings={"geoip.home": "Pune, IN, 18.52, 73.86"})
    site.service, site.visitor = service.public, NO_RECORD
    answer_once_fresh(site)
    browser.open(site.page("/", page(f'<masthead-weather lang="hi">{site.fetch("/widget")}</masthead-weather>')))
    browser.until("document.querySelector('.masthead-invite')?.role == 'button'", "the fragment does not invite")
    assert browser.text(".masthead-invite") == INVITED["hi"] and browser.text(PLACE) == "Pune"
    assert site.asked == []


def test_a_home_can_be_quiet(site, browser):
    site.fault = say(HOME)
    show(site, browser, f'<masthead-weather data-invite="off">{PLACEHOLDER}</masthead-weather>')
    assert browser.text("masthead-weather") == ANSWER["text"]
    assert browser.js("return document.querySelector('.masthead-invite')") is None


# Nothing moves


BLOCKS = '<div id="city">Fetching location...</div><div id="temp">-- °C</div>'


def shift_of(site, browser, body, answer):
    site.fault = lambda handler: (site.released.wait(60), say(answer)(handler))
    site.released.clear()
    browser.open(site.page("/", body))
    return shift_by_answer(site, browser)


@pytest.mark.parametrize("lang", INVITED)
@pytest.mark.parametrize("answer", [UNKNOWN, HOME], ids=["unknown", "home"])
def test_nothing_moves(site, browser, answer, lang):
    for widget in WIDGETS.values():
        body = header(widget, "rtl" if lang in ("ar", "ur") else "ltr").replace('lang="en"', f'lang="{lang}"')
        assert shift_of(site, browser, body, answer) == 0
        if "id=" not in widget and answer == UNKNOWN:
            cut = "const el = document.querySelector(arguments[0]); return el.scrollWidth > el.clientWidth"
            assert not browser.js(cut, PLACE), "the invitation cannot be read"


@pytest.mark.parametrize("choice", ["", 'data-invite="off"'])
def test_two_blocks_of_the_page_keep_their_lines_without_our_style(site, browser, choice):
    head = f'<script async src="/masthead.js" {TARGETS} {choice}></script>'
    assert shift_of(site, browser, page(f"{BLOCKS}<p>News</p>", head=head), UNKNOWN) == 0


# The dialog by keyboard


def test_a_reader_types_a_city_and_chooses_it_with_two_key_presses_and_keeps_it(nowhere, browser):
    url = nowhere.page("/", page(WIDGET, head=SCRIPT + STYLE), headers=POLICY)
    browser.open(url)
    invited(browser)
    ActionChains(browser.driver).send_keys(Keys.TAB, Keys.ENTER).perform()
    browser.until(f"document.activeElement.matches('{DIALOG} input')", "the field has no focus")
    ActionChains(browser.driver).send_keys("delhi", Keys.ENTER).perform()  # at once: Enter waits for the search
    browser.until("document.activeElement.closest('li')", "nothing is found")
    ActionChains(browser.driver).send_keys(Keys.ENTER).perform()
    browser.until(f"document.querySelector('{PLACE}').textContent == 'Delhi'", "the choice does not count")
    assert browser.js("return document.activeElement.className") == "masthead-place"
    assert stored(browser)[0] == {"masthead-weather": str(DELHI)}
    browser.open(url)
    browser.until(f"document.querySelector('{PLACE}')?.textContent == 'Delhi'", "the choice is forgotten")


def test_enter_chooses_of_what_is_typed_last(nowhere, browser):
    browser.open(nowhere.page("/", page(WIDGET)))
    open_choice(browser)
    assert search(browser, "mumbai")[0] == "Mumbai"
    press(browser, f"{DIALOG} input", Keys.CONTROL, "a")
    press(browser, f"{DIALOG} input", "delhi", Keys.ENTER)
    browser.until("document.activeElement.closest('li')", "nothing is found")
    assert browser.js("return document.activeElement.firstChild.textContent") == "Delhi"


def test_a_search_that_fails_leaves_no_older_list(nowhere, browser):
    browser.open(nowhere.page("/", page(WIDGET)))
    open_choice(browser)
    assert search(browser, "mumbai")
    nowhere.page("/places.json", "busy", content_type="text/plain")
    press(browser, f"{DIALOG} input", "x")
    browser.until(f"document.querySelector('{STATUS}').textContent.includes('does not answer')", "the failure is not said")
    assert browser.js(f"return document.querySelectorAll('{DIALOG} li').length") == 0


def test_cities_of_one_name_are_told_apart_by_their_regions(nowhere, browser):
    places = [city("Hyderabad", 1, "IN", "Telangana"), city("Hyderabad", 2, "PK", "Sindh"), city("Hyderabad", 3, "IN")]
    nowhere.page("/places.json", json.dumps({"places": places}), content_type="application/json")
    browser.open(nowhere.page("/", page(WIDGET)))
    open_choice(browser)
    search(browser, "hyd")
    rows = browser.js(f"return [...document.querySelectorAll('{DIALOG} li')].map((li) => li.textContent)")
    assert rows == ["Hyderabad Telangana, India", "Hyderabad Sindh, Pakistan", "Hyderabad India"]


# The reader's position


@pytest.fixture
def positioned(nowhere, browser):
    """positioned(setting, latitude, longitude): what the browser would say of the position, if asked; none where there is no
    latitude. Where the service cannot look for a city by position, the site plays its answer."""
    command = browser.driver.execute_cdp_cmd

    def position(setting="granted", latitude=None, longitude=None):
        command("Browser.setPermission", {"permission": {"name": "geolocation"}, "setting": setting, "origin": nowhere.url})
        place = {} if latitude is None else {"latitude": latitude, "longitude": longitude, "accuracy": 30}
        command("Emulation.setGeolocationOverride", place)

    found = json.loads(nowhere.fetch("/places.json?near=19.1,72.9"))
    if not found["places"]:
        nowhere.near = say({"places": [city("Mumbai", MUMBAI), city("Delhi", DELHI)]})
    yield position
    command("Emulation.clearGeolocationOverride", {})
    command("Browser.resetPermissions", {})


def ask_position(browser, widget=PLACE):
    open_choice(browser)
    press(browser, POSITION, Keys.ENTER)


def said(browser, *words):
    """Waits until the live region says the last of the words."""
    browser.until(f"document.querySelector('{STATUS}')?.textContent == {json.dumps(words[-1])}", f"it does not say {words[-1]}")


SPY = """window.positions = 0;
const ask = navigator.geolocation.getCurrentPosition.bind(navigator.geolocation);
navigator.geolocation.getCurrentPosition = (...all) => { positions += 1; ask(...all); };"""


def test_the_position_is_used_on_a_press_only_and_only_its_square_is_told(nowhere, browser, positioned):
    positioned("granted", 19.07283, 72.88261)
    nowhere.page("/spy.js", SPY, content_type="text/javascript")
    url = nowhere.page("/", page(WIDGET, head='<script src="/spy.js"></script>' + SCRIPT + STYLE), headers=POLICY)
    browser.open(url)
    browser.js("document.cookie = 'session=1'")
    invited(browser)
    open_choice(browser)
    search(browser, "mum")
    assert browser.js("return positions") == 0 and nowhere.sought == []
    buttons = browser.js(f"return [...document.querySelectorAll('{DIALOG} :is(button, input)')].map((el) => el.className)")
    assert buttons[0] == "masthead-position" and browser.text(POSITION) == "Use my position"
    press(browser, POSITION, Keys.ENTER)
    browser.until(f"document.querySelector('{PLACE}').textContent == 'Mumbai'", "the position does not count")
    ((path, headers),) = nowhere.sought
    assert path == "/places.json?near=19.1,72.9"
    assert not {"cookie", "referer", "authorization"} & {name.lower() for name in headers}
    assert browser.js("return positions") == 1
    assert stored(browser)[:2] == [{"masthead-weather": str(MUMBAI)}, {}]
    assert browser.attribute("masthead-weather", "data-source") == "reader"
    assert browser.js("return document.activeElement.className") == "masthead-place"
    browser.js("document.cookie = 'session=; max-age=0'")
    browser.open(url)
    browser.until(f"document.querySelector('{PLACE}')?.textContent == 'Mumbai'", "the choice is forgotten")
    assert len(nowhere.sought) == 1


@pytest.mark.parametrize("latitude, longitude, square", [
    (19, 73, "19.0,73.0"), (-0.04, -0.01, "0.0,0.0"), (-33.8688, 151.2093, "-33.9,151.2"), (90, 179.99, "90.0,180.0"),
    (28.65, -180, "28.7,-180.0"),
])
def test_every_position_has_one_decimal(nowhere, browser, positioned, latitude, longitude, square):
    positioned("granted", latitude, longitude)
    nowhere.near = say({"places": []})
    browser.open(nowhere.page("/", page(WIDGET)))
    ask_position(browser)
    said(browser, "No city is known near your position")
    assert [path for path, _ in nowhere.sought] == [f"/places.json?near={square}"]


@pytest.mark.parametrize("lang, refused, lost, none, failed", [
    ("en", "This page may not know your position; search for your city", "Your position could not be found; search for your city",
     "No city is known near your position", "The search does not answer; try again later"),
    ("hi", "इस पेज को आपका स्थान जानने की अनुमति नहीं है; अपना शहर खोजें", "आपका स्थान पता नहीं चल सका; अपना शहर खोजें",
     "आपके स्थान के पास कोई शहर नहीं मिला", "खोज का उत्तर नहीं मिला; थोड़ी देर बाद फिर कोशिश करें"),
    ("ar", "لا يُسمح لهذه الصفحة بمعرفة موقعك؛ ابحث عن مدينتك", "تعذّر تحديد موقعك؛ ابحث عن مدينتك",
     "لا توجد مدينة معروفة بالقرب من موقعك", "البحث لا يجيب؛ حاول مرة أخرى لاحقًا"),
])
def test_whatever_goes_wrong_is_said_and_the_search_goes_on(nowhere, browser, positioned, lang, refused, lost, none, failed):
    browser.open(nowhere.page("/", page(WIDGET, head=SCRIPT + STYLE, lang=lang)))
    open_choice(browser)
    positioned("denied", 19.07, 72.88)
    press(browser, POSITION, " ")
    said(browser, refused)
    assert violations(browser) == []
    positioned("granted")
    press(browser, POSITION, Keys.ENTER)
    said(browser, lost)
    assert nowhere.sought == []
    positioned("granted", 19.07, 72.88)
    for answer, words in ((say({"places": []}), none), (say("busy", status=503), failed), (drop, failed)):
        nowhere.near = answer
        press(browser, POSITION, Keys.ENTER)
        said(browser, words)
    press(browser, f"{DIALOG} input", "delhi", Keys.ENTER)
    browser.until("document.activeElement.closest('li')", "the search is not usable any more")
    assert browser.text(STATUS) not in (refused, lost, none, failed)


def test_a_policy_that_forbids_positions_is_told_as_a_refusal(nowhere, browser, positioned):
    positioned("granted", 19.07, 72.88)
    browser.open(nowhere.page("/", page(WIDGET), headers={"Permissions-Policy": "geolocation=()"}))
    ask_position(browser)
    said(browser, "This page may not know your position; search for your city")
    assert nowhere.sought == []
    assert all("ermissions" in line for line in browser.complaints())


LEFT = f"document.querySelector('{DIALOG} input')?.value != ''"


@pytest.mark.parametrize("leave", ["d", Keys.ESCAPE])
def test_a_position_that_comes_late_chooses_nothing(nowhere, browser, positioned, leave):
    """The reader searches meanwhile, or has closed the dialog."""
    positioned("granted", 19.07, 72.88)
    late = "navigator.geolocation.getCurrentPosition = (found) => { window.arrive = found; };"
    nowhere.page("/late.js", late, content_type="text/javascript")
    browser.open(nowhere.page("/", page(WIDGET, head='<script src="/late.js"></script>' + SCRIPT)))
    ask_position(browser)
    said(browser, "Finding your position…")
    press(browser, f"{DIALOG} input", leave)
    browser.until(LEFT, "the key does nothing")
    browser.js("arrive({ coords: { latitude: 19.07, longitude: 72.88 } })")
    browser.painted()
    assert nowhere.sought == [] and stored(browser)[0] == {}


def test_arrow_keys_reach_the_button(nowhere, browser):
    browser.open(nowhere.page("/", page(WIDGET)))
    open_choice(browser)
    press(browser, f"{DIALOG} input", Keys.ARROW_UP)
    assert browser.js("return document.activeElement.className") == "masthead-position"
    press(browser, POSITION, Keys.ARROW_DOWN)
    assert browser.js("return document.activeElement.localName") == "input"


def test_where_the_page_is_not_secure_there_is_no_such_button(nowhere, browser):
    url = nowhere.page("/", page(WIDGET)).replace("127.0.0.1", chromium.INSECURE)
    browser.open(url)
    assert browser.js("return isSecureContext") is False
    assert invited(browser) == INVITED["en"]
    open_choice(browser)
    assert browser.js(f"return document.querySelector('{POSITION}')") is None
    assert search(browser, "delhi")[0] == "Delhi"


def test_where_the_browser_knows_no_positions_there_is_no_such_button(nowhere, browser):
    none = "Object.defineProperty(Navigator.prototype, 'geolocation', { get: () => undefined })"
    nowhere.page("/none.js", none, content_type="text/javascript")
    browser.open(nowhere.page("/", page(WIDGET, head='<script src="/none.js"></script>' + SCRIPT)))
    open_choice(browser)
    assert browser.js(f"return document.querySelector('{POSITION}')") is None
