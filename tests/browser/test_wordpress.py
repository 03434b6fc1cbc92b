"""Goal of these tests: the plugin for WordPress does what data/embed/README.md says, on a real WordPress behind a real web server: an
editor puts the widget in, each reader sees the own city in a classic and in a block theme, and nothing that anybody writes is
obeyed."""
import json
import re
import urllib.parse

import pytest
from selenium.webdriver.common.by import By

from harness import request
from proxies import LONDON, MUMBAI, recipe
from wordpress import BLOCK_THEME, CLASSIC_THEME, PASSWORD

HEADER = {"place_target": "#city", "temp_target": "#temp"}
LINE = {"line": "1"}
ECHO = '<!--# echo var="http_cookie" -->'
SECRET = '<!--#include virtual="/wp-login.php" -->'
KEPT = """fastcgi_cache_path {folder} keys_zone=pages:1m;
    fastcgi_cache pages; fastcgi_cache_valid 200 10m; fastcgi_cache_key $request_uri; add_header X-Cache $upstream_cache_status always;"""


@pytest.fixture(autouse=True)
def defaults(wordpress):
    """Each test begins with the plugin as it is when it has just been activated."""
    wordpress.php("delete_option('masthead');")


@pytest.fixture
def blog(wordpress, masthead, edges):
    """Makes WordPress behind nginx with the recipe for the script."""
    def start(ours=recipe("nginx-loader.conf", masthead.public), also="", site=None):
        return edges.nginx(f"server {{ listen 80; {also} {ours} {site or wordpress.block()} }}")
    return start


@pytest.fixture
def post(wordpress):
    """Publishes a post, as `author` (who may not write HTML unfiltered) unless told otherwise; returns its path. It ends with the test."""
    made = []

    def publish(content, title="A post", user="author", **fields):
        values = {"post_content": content, "post_title": title, "post_status": "publish", **fields}
        made.append(wordpress.php(f"""wp_set_current_user(get_user_by('login', '{user}')->ID); kses_init();
            echo json_encode(wp_insert_post(wp_slash(json_decode({quoted(values)}, true))));"""))
        return f"/?p={made[-1]}"

    publish.made = made
    yield publish
    for number in made:
        wordpress.php(f"wp_delete_post({number}, true);")


@pytest.fixture
def log_in(browser, blog):
    """Logs a user in, by the form; returns the server."""
    def start(user):
        served = blog()
        browser.open(served.url + "/wp-login.php")
        browser.until("document.activeElement.id == 'user_login'", "the form is not ready")
        browser.js("document.querySelector('#user_login').value = arguments[0]; document.querySelector('#user_pass').value = arguments[1];",
                   user, PASSWORD)
        browser.driver.find_element(By.ID, "wp-submit").click()
        browser.until("document.querySelector('#wpadminbar')", f"{user} is not let in")
        return served

    yield start
    browser.driver.delete_all_cookies()
    browser.driver.get("about:blank")
    browser.driver.get_log("browser")  # what WordPress's own pages say is not ours


@pytest.fixture
def fallback(browser):
    """Keeps the pages' own fallback in the test's hand; returns what lets it come."""
    script = """const then = setTimeout; window.kept = [];
        window.setTimeout = (job, ms, ...rest) => (ms == 10000 ? kept.push(job) : then(job, ms, ...rest));"""
    number = browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})["identifier"]
    yield lambda: browser.js("return kept.splice(0).map((job) => job()).length")
    browser.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", {"identifier": number})


def quoted(value):
    """A value as PHP's own string of JSON."""
    return "'" + json.dumps(value).replace("\\", "\\\\").replace("'", "\\'") + "'"


def page_of(served, path="/", headers=None):
    return served.connect(MUMBAI).get(path, headers)


# What a reader sees


@pytest.mark.parametrize("theme, settings, place", [
    (CLASSIC_THEME, HEADER, "#city"), (CLASSIC_THEME, LINE, ".masthead-line .masthead-place"), (BLOCK_THEME, LINE, ".masthead-line .masthead-place")])
def test_each_reader_sees_the_own_city_on_a_page_that_a_cache_keeps(wordpress, masthead, edges, read_by, theme, settings, place):
    for address in (MUMBAI, LONDON):
        masthead.settled(address)
    wordpress.theme(theme)
    wordpress.settings(credits="1", **settings)
    zone, rest = KEPT.format(folder=edges.folder / "pages").split("\n", 1)
    cached = edges.nginx(f"{zone} server {{ listen 80; {rest} {recipe('nginx-loader.conf', masthead.public)} {wordpress.block()} }}")
    for address, city in ((MUMBAI, "Mumbai"), (LONDON, "London")):
        browser = read_by(cached.url, address)
        browser.until(f"/^(Mumbai|London)$/.test(document.querySelector('{place}')?.textContent)", "nobody fills the page")
        assert browser.text(place) == city and "°C" in browser.text(place.replace("place", "temp").replace("city", "temp"))
        browser.until("document.querySelector('small[data-masthead-credits] a')", "no credits")
        browser.painted()
        assert browser.js("return probe.shift") == 0 or place == "#city"  # the theme's own elements have no room of ours
        assert len(browser.js("return performance.getEntriesByType('resource').filter(({ name }) => name.includes('/widget.json'))")) == 1
    kept = page_of(cached)
    assert kept.headers["X-Cache"] == "HIT" and "Mumbai" not in kept.text and "London" not in kept.text


@pytest.mark.parametrize("theme", [CLASSIC_THEME, BLOCK_THEME])
def test_scripts_and_style_stand_as_optimisers_leave_them(wordpress, blog, theme):
    wordpress.theme(theme)
    text = page_of(blog()).text
    (script,) = re.findall(r"<script[^>]*/masthead\.js[^>]*>", text)
    assert ' async data-cfasync="false" data-no-optimize="1" src=' in script and re.search(r"/masthead\.js[\"']", script)
    assert len(re.findall(r"<link[^>]*/masthead\.css[\"'][^>]*>", text)) == 1
    assert "<masthead-weather" not in text and "data-place-target" not in text.replace("[data-place-target]", ""), "nothing unless asked"


def test_a_folder_of_its_own_and_a_fallback(wordpress, masthead, blog, read_by):
    masthead.settled(MUMBAI)
    wordpress.theme(BLOCK_THEME)
    wordpress.settings(prefix="/weather/", units="f", fallback='"Weather" <b>', **LINE)
    served = blog(recipe("nginx-prefix.conf", masthead.public))
    browser = read_by(served.url, MUMBAI)
    assert browser.settled("masthead-weather") == "fresh"
    assert browser.text(".masthead-place") == "Mumbai" and "°F" in browser.text(".masthead-temp")
    assert browser.attribute("masthead-weather", "data-fallback") == '"Weather"', "markup is taken off where it is stored"


def test_a_shortcode_may_show_more_and_lead_somewhere(wordpress, masthead, blog, browser, post, read_by):
    wordpress.settings(show="icon, nonsense", href="javascript:alert(1)")
    path = post('[masthead_weather][masthead_weather show="range,hours,onclick" href="/weather/{id}"]')
    served = blog()
    found = re.findall("<masthead-weather([^>]*)>", page_of(served, path).text)
    assert found == [' data-show="icon"', ' data-show="range,hours" data-href="/weather/{id}"']
    masthead.settled(MUMBAI)
    read_by(served.url + path, MUMBAI)
    browser.until("document.querySelectorAll('masthead-weather .masthead-temp')[1]?.querySelector('a[href$=\"/weather/1275339\"]')", "no link")
    assert browser.js("return document.querySelectorAll('.masthead-range').length") == 1


@pytest.mark.parametrize("settings, place, shown", [
    ({**HEADER, "fallback": "Weather"}, "#city", "Weather"), (HEADER, "#city", ""),
    ({**LINE, "fallback": "Weather"}, "masthead-weather", "Weather"), (LINE, "masthead-weather", "-- °C")])
def test_where_the_script_does_not_come_the_placeholder_ends(wordpress, blog, browser, fallback, settings, place, shown):
    """As when the service is away and no cache holds the script."""
    wordpress.theme(CLASSIC_THEME)
    wordpress.settings(**settings)
    browser.open(blog("location ~ ^/(masthead|widget) { return 503; }").url)
    before = browser.text(place)
    assert fallback() == 1
    assert browser.text(place) == shown and (before != shown or shown == "-- °C")


def test_the_fallback_leaves_alone_what_is_filled(wordpress, masthead, blog, read_by, fallback):
    masthead.settled(MUMBAI)
    wordpress.theme(CLASSIC_THEME)
    wordpress.settings(fallback="Weather", **HEADER)
    browser = read_by(blog().url, MUMBAI)
    browser.until("document.querySelector('#city').textContent == 'Mumbai'", "nobody fills the page")
    assert fallback() == 1
    assert browser.text("#city") == "Mumbai"


def test_nothing_stands_in_feeds_embeds_and_amp(wordpress, blog, post):
    wordpress.theme(BLOCK_THEME)
    wordpress.settings(**HEADER, **LINE)
    path = post("[masthead_weather]<!-- wp:masthead/weather /-->")
    served = blog()
    assert page_of(served, path).text.count("<masthead-weather") == 3, "the control: shortcode, block and line"
    for other in ("/?feed=rss2", path + "&embed=true", path + "&amp=1"):
        answer = page_of(served, other)
        assert answer.status == 200 and not re.search(r"masthead-weather|masthead\.(js|css)|data-place-target", answer.text), other


# What is written


def test_an_editor_inserts_the_block(wordpress, masthead, blog, browser, log_in, post, read_by):
    """With the editor's own means, and a reader sees the own city."""
    masthead.settled(LONDON)
    wordpress.theme(BLOCK_THEME)
    served = log_in("editor")
    browser.open(served.url + "/wp-admin/post-new.php")
    browser.until("window.wp?.data?.select('core/block-editor')?.getInserterItems().some(({ id }) => id == 'masthead/weather')",
                  "the inserter does not offer the block", 60)
    post.made.append(browser.driver.execute_async_script("""
        const done = arguments[0], { dispatch, select } = wp.data;
        (async () => {
          dispatch('core/block-editor').insertBlocks(wp.blocks.createBlock('masthead/weather', { fontSize: 'large' }));
          dispatch('core/editor').editPost({ title: 'Weather', status: 'publish' });
          await dispatch('core/editor').savePost();
          done(select('core/editor').getCurrentPostId());
        })();"""))
    canvas = browser.js("return document.querySelector('iframe[name=editor-canvas]')")
    if canvas:
        browser.driver.switch_to.frame(canvas)
    browser.until("document.querySelector('[data-type=\"masthead/weather\"]')?.textContent.includes('-- °C')", "the editor shows no block")
    browser.driver.switch_to.default_content()
    saved = wordpress.php(f"echo json_encode(get_post({post.made[-1]})->post_content);")
    assert saved == '<!-- wp:masthead/weather {"fontSize":"large"} /-->'
    for theme in (BLOCK_THEME, CLASSIC_THEME):
        wordpress.theme(theme)
        browser = read_by(f"{served.url}/?p={post.made[-1]}", LONDON)
        browser.until("document.querySelector('.has-large-font-size .masthead-place')?.textContent == 'London'", f"no city in {theme}")


def test_who_may_not_write_html_unfiltered_may_write_the_element(wordpress, blog, post, read_by, masthead):
    masthead.settled(MUMBAI)
    wordpress.theme(CLASSIC_THEME)
    path = post('<p><masthead-weather data-units="f" onclick="alert(1)">One moment... -- °C</masthead-weather></p>'
                '<p><span data-masthead>One moment -- °C</span></p><masthead-other>x</masthead-other><script>alert(1)</script>')
    served = blog()
    text = page_of(served, path).text
    assert '<masthead-weather data-units="f">One moment... -- °C</masthead-weather>' in text, "dots and hyphens as they were"
    assert re.search(r"<span data-masthead(=\"\")?>One moment", text) and "masthead-other" not in text and "alert(1)</script>" not in text
    assert "onclick" not in text
    browser = read_by(served.url + path, MUMBAI)
    browser.until("[...document.querySelectorAll('article .masthead-place')].filter((el) => el.textContent == 'Mumbai').length == 2", "not filled")


@pytest.mark.parametrize("theme", [CLASSIC_THEME, BLOCK_THEME])
@pytest.mark.parametrize("disarmed_by", ["plugin", "recipes"])
def test_no_directive_of_a_visitors_is_obeyed(wordpress, masthead, edges, blog, post, theme, disarmed_by):
    """In comments, names, titles and content, by the plugin where SSI is simply on, and by either recipe without the plugin. What the
    theme says itself is obeyed."""
    wordpress.theme(theme)
    path = post(f"<p>{ECHO}{SECRET} content</p>", f"{ECHO} title", "chief", comment_status="open")
    served = blog()
    for author, text in (("Reader", f"{ECHO} {SECRET} comment"), (f"{ECHO} name", "another comment")):
        form = urllib.parse.urlencode({"comment_post_ID": post.made[-1], "author": author, "comment": text, "email": "reader@example.org"})
        sent = served.connect(MUMBAI)
        sent.http.request("POST", "/wp-comments-post.php", form, {"Content-Type": "application/x-www-form-urlencoded"})
        answer = sent.http.getresponse()
        assert answer.status == 302, answer.read()
    kept = wordpress.php(f"echo json_encode(wp_list_pluck(get_comments(array('post_id' => {post.made[-1]})), 'comment_content'));")
    assert any("<!--#" in text for text in kept), "the control: WordPress keeps what a visitor wrote"

    ssi = wordpress.block().replace("fastcgi_pass", "ssi on; fastcgi_pass").replace(
        "root ", 'fastcgi_param HTTP_ACCEPT_ENCODING ""; root ')
    php = recipe("nginx-ssi-php.conf", masthead.public).replace("/var/www/html", str(wordpress.root)).replace(
        "unix:/run/php/php-fpm.sock", wordpress.fpm)
    switch = "" if disarmed_by == "plugin" else "de"
    wordpress.php(f"require_once ABSPATH . 'wp-admin/includes/plugin.php'; {switch}activate_plugin{'s' if switch else ''}('masthead/masthead.php');")
    try:
        doors = [blog(site=ssi)] if disarmed_by == "plugin" else [edges.nginx(php), edges.nginx(recipe("nginx-ssi.conf", masthead.public, served.url))]
        for door in doors:
            for where in (path, "/", "/?feed=rss2", "/?s=" + urllib.parse.quote(ECHO)):
                answer = page_of(door, where, {"Cookie": "precious=sesame"})
                assert answer.status == 200 and "sesame" not in answer.text and "user_login" not in answer.text, where
            assert "content" in page_of(door, path).text and "another comment" in page_of(door, path).text
        if disarmed_by == "recipes":
            open_door = page_of(blog(site=ssi), path, {"Cookie": "precious=sesame"})
            assert "sesame" in open_door.text, "the control: without plugin and recipe it is obeyed"
    finally:
        wordpress.php("require_once ABSPATH . 'wp-admin/includes/plugin.php'; activate_plugin('masthead/masthead.php');")


def test_only_directives_become_text(wordpress):
    written = [ECHO, SECRET, '<!--<!--# echo var="http_cookie" -->', '<esi:include src="/secret"/>', '<!--esi <ESI:include src="/secret"/>-->',
               "</esi:remove>", "1 < 2 <!-- more --> <!-- wp:paragraph --> <em>yes</em> <!---# --> <esibank>", None]
    disarmed = wordpress.php(f"echo json_encode(array_map('masthead_disarm', json_decode({quoted(written)})));")
    assert not any(re.search("<!--#|<!--esi|</?esi:", text, re.I) for text in disarmed[:-1])
    assert [text.replace("&lt;", "<") for text in disarmed[:-1]] == written[:-1] and disarmed[-2:] == written[-2:]


def test_the_include_of_a_theme_is_obeyed_where_php_answers(wordpress, masthead, edges):
    """And in no page for editors."""
    masthead.settled(MUMBAI)
    wordpress.theme(CLASSIC_THEME)
    index = wordpress.root / "wp-content" / "themes" / CLASSIC_THEME / "index.php"
    before = index.read_text(encoding="utf-8")
    include = '<!--# include virtual="/widget" -->'
    index.write_text(before.replace("<header>", f"<header>{include}"), encoding="utf-8")
    (wordpress.root / "wp-admin" / "include.php").write_text(include, encoding="utf-8")
    try:
        served = edges.nginx(recipe("nginx-ssi-php.conf", masthead.public).replace("/var/www/html", str(wordpress.root)).replace(
            "unix:/run/php/php-fpm.sock", wordpress.fpm))
        page = page_of(served)
        assert '<span class="masthead-place">Mumbai</span>' in page.text and page.headers.get_all("Cache-Control") == ["private, no-cache"]
        assert page_of(served, "/wp-admin/include.php").text == include
    finally:
        index.write_text(before, encoding="utf-8")


# What an administrator does


def test_the_settings_are_an_administrators(wordpress, browser, log_in):
    wordpress.theme(CLASSIC_THEME)
    served = log_in("chief")
    path = "/wp-admin/options-general.php?page=masthead"

    def save(**values):
        browser.open(served.url + path)
        for name, value in values.items():
            browser.js("document.querySelector(`[name='masthead[${arguments[0]}]']`).value = arguments[1]", name, value)
        browser.driver.find_element(By.ID, "submit").click()
        browser.until("document.querySelector('#setting-error-settings_updated,.notice-error,.settings-error')", "nothing was saved")

    save(place_target='.top > [data-x="1"]', temp_target='"><script>alert(1)</script>', units="auto", prefix="/weather/", fallback="a & b",
         show="rain, all, hours", href="javascript:alert(1)")
    assert browser.js("return document.querySelector('#masthead-place_target').value") == '.top > [data-x="1"]'
    stored = wordpress.php("echo json_encode(masthead_settings());")
    assert stored == {"place_target": '.top > [data-x="1"]', "temp_target": '">', "units": "auto", "prefix": "/weather", "fallback": "a & b",
                      "show": "rain,hours", "href": "", "line": "", "credits": "1"}
    assert """data-place-target=".top &gt; [data-x=&quot;1&quot;]" data-temp-target="&quot;&gt;" """ in page_of(served).text
    save(prefix="//evil.example/x", units="auto", href="/weather/{id}")
    assert "A prefix is a path" in browser.text("body")
    assert wordpress.php("echo json_encode(masthead_settings());")["prefix"] == ""
    assert wordpress.php("echo json_encode(masthead_settings());")["href"] == "/weather/{id}"

    cookies = "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in browser.driver.get_cookies())
    form = urllib.parse.urlencode({"option_page": "masthead", "action": "update", "masthead[fallback]": "forged"})
    forged = request(served.url, "/wp-admin/options.php", "POST", {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded"}, body=form)
    assert forged.status == 403 and wordpress.php("echo json_encode(masthead_settings());")["fallback"] == "a & b"


def test_an_editor_may_not_change_the_settings(browser, log_in):
    served = log_in("editor")
    browser.open(served.url + "/wp-admin/options-general.php?page=masthead")
    assert browser.js("return document.querySelector('form[action=\"options.php\"]')") is None


def test_site_health_asks_the_service_and_the_guide_has_a_text(wordpress, masthead, blog):
    ask = "echo json_encode(apply_filters('site_status_tests', array('direct' => array()))['direct']['masthead']['test']());"
    there, away = blog(), blog("location = /widget.json { return 502; }")
    host = urllib.parse.urlsplit(there.url).netloc
    good = wordpress.php(ask, host)
    assert good["status"] == "good" and f"{there.url}/widget.json" in good["description"]
    bad = wordpress.php(ask, urllib.parse.urlsplit(away.url).netloc)
    assert bad["status"] == "recommended" and "502" in bad["description"]
    wordpress.settings(prefix="/nowhere")
    assert wordpress.php(ask, host)["status"] == "recommended", "a page of the site's own is no answer of the service"
    policies = wordpress.php("""require_once ABSPATH . 'wp-admin/includes/admin.php'; set_current_screen('privacy-policy-guide'); do_action('admin_init');
        echo json_encode(WP_Privacy_Policy_Content::get_suggested_policy_text());""")
    (ours,) = [policy for policy in policies if policy["plugin_name"] == "Masthead"]
    assert "sets no cookie" in ours["policy_text"]


def test_behind_apache_and_caddy_too(wordpress, masthead, edges):
    """Each asks php-fpm by its own means, and has its recipe: the page, and what the script asks."""
    wordpress.theme(CLASSIC_THEME)
    wordpress.settings(**HEADER)
    apache = edges.apache(recipe("apache.conf", masthead.public) + f'\nProxyPassMatch "^/$" "fcgi://{wordpress.fpm}{wordpress.root}/index.php"')
    caddy = edges.caddy(recipe("Caddyfile", masthead.public) + f"\nroot * {wordpress.root}\nphp_fastcgi {wordpress.fpm}\nfile_server")
    for served in (apache, caddy):
        page = page_of(served)
        assert page.status == 200 and 'data-place-target="#city"' in page.text
        assert page_of(served, "/masthead.js").headers["Content-Type"].startswith("text/javascript")
        assert page_of(served, "/widget.json").json["place"]["name"] == ("Mumbai" if served is apache else None)


def test_nothing_is_left_behind(wordpress):
    wordpress.settings(**HEADER)
    wordpress.php("""define('WP_UNINSTALL_PLUGIN', 'masthead/masthead.php'); masthead_uninstall();""")
    assert wordpress.php("echo json_encode(get_option('masthead'));") is False
