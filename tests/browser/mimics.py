"""Headers as newspapers have them, to be looked at: a WordPress theme, a broadsheet with a top bar, a Bootstrap navbar. Each page holds one of
them in every language, read in a city where that language is at home; `hero` has three in three languages, for the README."""

# The name of the paper, its sections, the placeholder, and the reader, of data/visitors.tsv.
LANGUAGES = {
    "en": ("The Daily Masthead", "India Sport Opinion", "Fetching location...", "192.0.2.1"),
    "hi": ("दैनिक शीर्षक", "देश खेल विचार", "स्थान खोजा जा रहा है...", "192.0.2.17"),
    "bn": ("দৈনিক শিরোনাম", "দেশ খেলা মতামত", "অবস্থান খোঁজা হচ্ছে...", "192.0.2.65"),
    "ta": ("தினத் தலைப்பு", "இந்தியா விளையாட்டு கருத்து", "இருப்பிடம் தேடப்படுகிறது...", "192.0.2.49"),
    "te": ("దిన శీర్షిక", "భారత్ క్రీడలు అభిప్రాయం", "స్థానం కోసం వెతుకుతోంది...", "192.0.2.81"),
    "mr": ("दैनिक मथळा", "देश खेळ मत", "स्थान शोधत आहे...", "192.0.2.97"),
    "gu": ("દૈનિક મથાળું", "દેશ રમતગમત અભિપ્રાય", "સ્થાન શોધાઈ રહ્યું છે...", "192.0.2.241"),
    "kn": ("ದಿನದ ಶೀರ್ಷಿಕೆ", "ಭಾರತ ಕ್ರೀಡೆ ಅಭಿಪ್ರಾಯ", "ಸ್ಥಳವನ್ನು ಹುಡುಕಲಾಗುತ್ತಿದೆ...", "192.0.2.33"),
    "ml": ("ദിന തലക്കെട്ട്", "ഇന്ത്യ കായികം അഭിപ്രായം", "സ്ഥാനം കണ്ടെത്തുന്നു...", "192.0.2.161"),
    "pa": ("ਰੋਜ਼ਾਨਾ ਸਿਰਲੇਖ", "ਦੇਸ਼ ਖੇਡਾਂ ਵਿਚਾਰ", "ਟਿਕਾਣਾ ਲੱਭਿਆ ਜਾ ਰਿਹਾ ਹੈ...", "192.0.2.145"),
    "ur": ("روزنامہ سرخی", "ملک کھیل رائے", "مقام تلاش کیا جا رہا ہے...", "192.0.2.129"),
    "ar": ("الترويسة اليومية", "الهند رياضة رأي", "جارٍ تحديد الموقع...", "198.51.100.49"),
}

SITES = {
    "wordpress": """<div class="theme"><div class="branding"><p class="title">{title}</p><p class="where masthead-weather">
        <span id="city-{lang}" class="masthead-place">{wait}</span> <span id="temp-{lang}" class="masthead-temp">-- °C</span></p>
        <span hidden data-query="ip={ip}" data-place-target="#city-{lang}" data-temp-target="#temp-{lang}"></span></div>
        <ul class="menu">{items}</ul></div>""",
    "broadsheet": """<div class="sheet"><div class="bar"><masthead-weather data-query="ip={ip}"><span class="masthead-icon" aria-hidden="true"></span>
        <span class="masthead-place">{wait}</span> <span class="masthead-temp">-- °C</span> <span class="masthead-condition"></span></masthead-weather>
        <ul class="menu">{items}</ul></div><p class="title">{title}</p></div>""",
    "navbar": """<div class="navbar"><a class="brand" href="/">{title}</a><ul class="menu">{items}</ul><div class="text">
        <masthead-weather data-query="ip={ip}"><span class="masthead-place">{wait}</span> <span class="masthead-icon" aria-hidden="true"></span>
        <span class="masthead-temp">-- °C</span></masthead-weather></div></div>""",
}
HERO = (("wordpress", "hi"), ("broadsheet", "ta"), ("navbar", "en"))

STYLE = """* { box-sizing: border-box } body { margin: 0; background: #e9e9e6; color: #1c1c1c; font: 16px/1.5 "Noto Sans", sans-serif }
main { display: grid; gap: 1rem; padding: 1rem } p, ul { margin: 0; padding: 0 } a { color: inherit; text-decoration: none }
.menu { display: flex; gap: 1.25rem; list-style: none } .title { font-family: "Noto Serif", serif; font-weight: 700; line-height: 1.4 }
.theme { background: #fff; padding: 1.25rem 1.5rem 0 } .branding { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: end; gap: .5rem 1rem }
.theme .title { font-size: 2.25rem } .where { text-align: end; font-size: 1.125rem; color: #444 } .theme .menu { margin: .75rem -1.5rem 0; padding: .6rem 1.5rem; background: #b3261e; color: #fff }
.sheet { background: #10151f; color: #f0ede6; text-align: center } .bar { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; text-align: start; gap: .25rem 1rem; padding: .4rem 1.5rem;
  border-bottom: 1px solid #39445a; font-size: .875rem; color: #ffd479 } .bar .menu { color: #a9b4c8 } .sheet .title { padding: .6rem 1rem .8rem; font-size: 2.75rem; font-weight: 400 }
.navbar { display: flex; flex-wrap: wrap; align-items: center; gap: .25rem 1.5rem; padding: .75rem 1.5rem; background: #0d4f8b; color: #fff } .brand { font-size: 1.25rem; font-weight: 700 }
.navbar .menu { color: #cfe2f3 } .navbar .text { flex: 1; min-width: 0; text-align: end }
@media (max-width: 600px) { .theme .title, .sheet .title { font-size: 1.75rem } .where { text-align: start } .navbar .text { flex-basis: 100%; text-align: start } }"""


def header(kind, lang):
    title, sections, wait, ip = LANGUAGES[lang]
    items = "".join(f"<li>{section}</li>" for section in sections.split())
    direction = "rtl" if lang in ("ur", "ar") else "ltr"
    body = SITES[kind].format(title=title, items=items, wait=wait, ip=ip, lang=lang)
    return f'<header lang="{lang}" dir="{direction}">{body}</header>'


def put(site):
    """Puts the pages /wordpress, /broadsheet, /navbar and /hero on a Newspaper whose visitor may be anyone."""
    site.page("/site.css", STYLE, content_type="text/css")
    pages = {kind: [(kind, lang) for lang in LANGUAGES] for kind in SITES}
    for name, headers in {**pages, "hero": HERO}.items():
        site.page(f"/{name}", f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{name}</title>
            <meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/masthead.css"><link rel="stylesheet" href="/site.css">
            <script async src="/masthead.js"></script></head><body><main>{"".join(header(*one) for one in headers)}</main></body></html>""")
