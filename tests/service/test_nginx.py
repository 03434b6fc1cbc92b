"""Goal of these tests: the nginx recipes of data/embed work as they stand there, whatever becomes of the service, and
show no reader another reader's city."""
import re
import time

import pytest

from harness import ROOT
from proxies import (CARELESS, COOKIES, ERRORS, FAULTS, FRAGMENT, LONDON, MUMBAI, RECIPES, SLACK_S, WAIT_S, cities_in,
                  cities_in_turn, faulty, free_port, recipe)

INCLUDE = '<header><!--# include virtual="/widget" --></header>'
AWAY = re.search(r"return 200 '(.*)'", recipe("nginx-ssi.conf")).group(1)
BOUND_S = 1.5  # what the recipe's two timeouts make together


def assembled(edges, service, page=INCLUDE, **headers):
    """nginx with the include recipe, in front of a site whose page is `page`."""
    site = edges.pages().put("/", page, **{"Cache_Control": "public, max-age=600", **headers})
    return edges.nginx(recipe("nginx-ssi.conf", service, site.url))


# For the script


def handed_on(edges, service, also=""):
    """nginx with the recipe for the script in its server block."""
    return edges.nginx(f'server {{ listen 80; {also} {recipe("nginx-loader.conf", service)} }}')


def test_the_script_recipe_passes_readers_on(masthead, edges):
    reader = handed_on(edges, masthead.public).connect(MUMBAI)
    assert reader.get("/widget.json").json["place"]["name"] == "Mumbai"
    forged = reader.get("/widget.json", {"X-Forwarded-For": LONDON, "Forwarded": f"for={LONDON}"})
    assert forged.json["place"]["name"] == "Mumbai", "what the reader claims is overwritten"
    faking = reader.get("/widget.json?ip=198.51.100.17&scenario=tokyo&at=2026-01-31T09:30:00Z")
    assert faking.json["place"]["name"] == "Mumbai" and faking.headers["X-Masthead-Ignored"].count("client not in dev.from") == 3
    long = reader.get("/widget.json", COOKIES)
    assert long.status == 200, "a site's cookies are not the service's"
    script = reader.get("/masthead.js")
    assert script.headers["Cache-Control"] == "public, max-age=3600"
    assert reader.get(script.headers["Content-Location"]).body == script.body
    assert [reader.get(path).status for path in ("/metrics", "/dev/explain", "/healthz", "/widgets")] == [404] * 4


@pytest.mark.parametrize("name", ["data/embed/nginx-loader.conf", "data/ops/nginx.conf", "data/ops/nginx-cloudflare.conf"])
def test_a_page_of_the_site_about_its_masthead_is_left_alone(name):
    """A newspaper has one: /masthead says who makes it."""
    text = (ROOT / name).read_text(encoding="utf-8")
    ours = re.compile(re.search(r"location ~ (\S+) ", text).group(1))
    for path in ("/masthead", "/masthead/", "/masthead-and-staff", "/mastheads.html", "/masthead.", "/masthead.JS"):
        assert not ours.search(path), path
    for path in ("/masthead.js", "/masthead.0123456789abcdef.js", "/masthead.choice.js", "/masthead.icons.svg", "/widget.txt"):
        assert ours.search(path), path


USUAL = "location ~* \\.(js|css)$ { root /nowhere; }"


def test_beside_a_sites_location_for_its_scripts(masthead, edges):
    """nginx takes the first pattern that fits, and a name with ^~ before any pattern."""
    def served(block, path):
        return edges.nginx(f"server {{ listen 80; {block} }}").connect(MUMBAI).get(path)
    ours, folder = recipe("nginx-loader.conf", masthead.public), recipe("nginx-prefix.conf", masthead.public)
    assert served(ours + USUAL, "/masthead.js").status == 200
    assert served(USUAL + ours, "/masthead.js").status == 404, "the control, and why the recipe says where it goes"
    assert served(USUAL + folder, "/weather/masthead.js").status == 200
    answer = served(USUAL + folder, "/weather/widget.json?lang=hi")
    assert answer.json["place"]["name"] == "मुंबई" and answer.headers["Content-Language"] == "hi"


def test_the_script_is_compressed_on_the_wire(masthead, edges):
    reader = handed_on(edges, masthead.public).connect(MUMBAI)
    small, plain = (reader.get("/masthead.js", {"Accept-Encoding": accepted}) for accepted in ("gzip, br", "identity"))
    assert small.headers["Content-Encoding"] == "gzip" and len(small.body) <= 3072 < len(plain.body)
    assert "Accept-Encoding" in small.headers["Vary"] and "Accept-Encoding" in plain.headers["Vary"]
    assert reader.get("/masthead.js", {"Accept-Encoding": "gzip", "If-None-Match": small.headers["ETag"]}).status == 304


def test_the_service_is_told_no_more_than_it_needs_and_nothing_is_kept(edges):
    """Even where the site keeps everything that it hands on."""
    service = edges.pages().put("/widget.json", "{}", Content_Type="application/json")
    reader = handed_on(edges, service.url, "proxy_cache cache; " + CARELESS).connect(MUMBAI)
    for _ in range(2):
        reader.get("/widget.json", {"X-Forwarded-For": LONDON, **COOKIES})
    first, second = (headers for _, headers in service.asked)
    assert first == second and "Cookie" not in first
    assert (first["X-Forwarded-For"], first["Host"]) == (MUMBAI, "127.0.0.1")


def test_a_service_that_hangs_holds_nobody_for_long(edges):
    port = free_port()
    reader = handed_on(edges, f"http://127.0.0.1:{port}").connect(MUMBAI)
    for fault in ("hanging", "hanging, queue full"):
        with faulty(fault, port):
            before = time.monotonic()
            assert reader.get("/widget.json").status == 504
            assert time.monotonic() - before < 2 + SLACK_S, fault


def test_the_readme_quotes_the_recipes():
    """A newcomer pastes what data/embed/README.md says; what is tested is the file."""
    readme = (RECIPES / "README.md").read_text(encoding="utf-8")
    blocks = [block for _, block in re.findall(r"```(nginx|html)\n(.*?)```", readme, re.S)]
    assert recipe("nginx-loader.conf") in blocks
    lines = next(block for block in blocks if "<masthead-weather>" in block).split("\n")
    assert all(line in recipe("loader.html") for line in lines)
    for path in sorted(RECIPES.iterdir()):
        assert path.name == "README.md" or f"({path.name}{'/' if path.is_dir() else ''})" in readme, path.name


# Pages with an include


def test_an_assembled_page_is_its_readers_own(masthead, edges):
    masthead.settled(MUMBAI)
    nginx = assembled(edges, masthead.public, Expires="Sat, 31 Jan 2099 09:00:00 GMT")
    page = nginx.connect(MUMBAI).get("/", {"Accept-Encoding": "gzip"})
    assert page.text.startswith('<header><span class="masthead-weather" data-state="fresh"')
    assert cities_in(page.text) == ["Mumbai"]
    assert page.headers.get_all("Cache-Control") == ["private, no-cache"]
    assert not {"ETag", "Last-Modified", "Expires", "Age"} & set(page.headers)
    forged = nginx.connect(MUMBAI).get("/", {"X-Forwarded-For": LONDON})
    assert cities_in(forged.text) == ["Mumbai"], "what the reader claims is overwritten"
    assert cities_in(nginx.connect(LONDON).get("/").text) == ["London"]


def test_files_are_assembled_too_and_only_pages_are_touched(masthead, edges, tmp_path):
    """The other way that the recipe names: pages that lie on the disk. A style keeps its caching, by either way."""
    for name, text in (("index.html", INCLUDE), ("style.css", INCLUDE)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    site = edges.pages().put("/", INCLUDE)
    site.put("/style.css", INCLUDE, Content_Type="text/css", Cache_Control="public, max-age=60")
    block = recipe("nginx-ssi.conf", masthead.public, site.url)
    proxy, root = re.search(r"(proxy_pass \S+;) +# your site; or, for files: (root \S+;)", block).groups()
    from_files = edges.nginx(block.replace(proxy, root.replace("/var/www/html", str(tmp_path)))).connect(LONDON)
    from_site = edges.nginx(block).connect(LONDON)
    for reader, kept in ((from_files, None), (from_site, "public, max-age=60")):
        page, style = reader.get("/"), reader.get("/style.css")
        assert cities_in(page.text) == ["London"] and page.headers.get_all("Cache-Control") == ["private, no-cache"]
        assert not {"ETag", "Last-Modified"} & set(page.headers)
        assert style.text == INCLUDE and style.headers["ETag"] and style.headers["Cache-Control"] == kept
        assert reader.get("/style.css", {"If-None-Match": style.headers["ETag"]}).status == 304
    assert site.asked[0][1]["Host"] == "127.0.0.1", "the site is told its own name"


def test_the_answer_to_a_form_is_assembled_too(masthead, edges):
    """The service is asked by GET and without the form: it refuses requests with a body."""
    page = assembled(edges, masthead.public).connect(MUMBAI).get("/", COOKIES, "POST", "name=value")
    assert (page.status, cities_in(page.text)) == (200, ["Mumbai"])


def test_without_the_service_the_placeholder_is_pasted_once_and_in_time(edges):
    """Twice on the page, so that one include has to wait for another: neither may be pasted twice."""
    port = free_port()
    nginx = assembled(edges, f"http://127.0.0.1:{port}", page=INCLUDE * 2)
    for fault, waits in FAULTS.items():
        with faulty(fault, port):
            before = time.monotonic()
            page = nginx.connect(MUMBAI).get("/")
            took = time.monotonic() - before
            assert took < BOUND_S + SLACK_S and (took > WAIT_S or not waits), fault
        assert page.status == 200 and page.text == f"<header>{AWAY}</header>" * 2, fault
        assert page.headers["Cache-Control"] == "private, no-cache"


def test_no_error_page_is_pasted(edges):
    service = edges.pages()
    reader = assembled(edges, service.url, page=INCLUDE * 2).connect(MUMBAI)
    for status in ERRORS:
        service.put("/widget", "<h1>an error page</h1>", status=status)
        page = reader.get("/")
        assert page.status == 200 and page.text == f"<header>{AWAY}</header>" * 2, status


def test_a_slow_answer_within_the_bound_is_pasted(edges):
    slow = edges.pages().put("/widget", FRAGMENT, delay_s=0.3)
    assert assembled(edges, slow.url, page=INCLUDE * 2).connect(MUMBAI).get("/").text == f"<header>{FRAGMENT}</header>" * 2


def test_nginx_itself_may_keep_the_page(masthead, edges):
    """It keeps what the site sent, and assembles that for each reader."""
    site = edges.pages().put("/", INCLUDE)
    block = recipe("nginx-ssi.conf", masthead.public, site.url)
    nginx = edges.nginx(block.replace("listen 80;", "listen 80; proxy_cache cache; " + CARELESS))
    assert cities_in_turn(nginx) == ["Mumbai", "London"] * 2
    assert len(site.asked) == 1


# What visitors write


HOSTILE = ('<!--# echo var="http_cookie" -->', '<!--# include virtual="/secret" -->', '<!--#include virtual="/widget/../secret"-->',
           '<!--# include virtual="/widget?$http_cookie" -->', '<!--# set var="x" value="y" -->', '<!--# config errmsg="x" -->',
           '<!--# if expr="$http_cookie = /a/" -->yes<!--# endif -->', '<!--<!--# echo var="http_cookie" -->')


def test_what_a_visitor_writes_is_no_directive(masthead, edges):
    """And the page's own is obeyed all the same, before and behind it."""
    site = edges.pages().put("/secret", "a secret page")
    nginx = edges.nginx(recipe("nginx-ssi.conf", masthead.public, site.url)).connect(MUMBAI)
    for comment in HOSTILE:
        site.put("/", f"{INCLUDE}<p>{comment}</p>{INCLUDE}", Content_Type="text/html")
        page = nginx.get("/", {"Cookie": "a=precious"})
        assert cities_in(page.text) == ["Mumbai"] * 2, page.text
        assert "<p>" + comment.replace("<!--#", "&lt;!--#") + "</p>" in page.text
    assert [path for path, _ in site.asked] == ["/"] * len(HOSTILE)


@pytest.mark.parametrize("path", ["/wp-admin", "/wp-admin/post.php", "/wp-login.php"])
def test_editors_pages_are_not_assembled(masthead, edges, path):
    site = edges.pages().put(path, INCLUDE + HOSTILE[0])
    page = edges.nginx(recipe("nginx-ssi.conf", masthead.public, site.url)).connect(MUMBAI).get(path)
    assert page.text == INCLUDE + HOSTILE[0]


# A cache in front of assembled pages

@pytest.mark.parametrize("cache", ["nginx_cache", "varnish_cache"])
def test_a_cache_in_front_keeps_no_assembled_page(masthead, edges, cache):
    assert cities_in_turn(getattr(edges, cache)(assembled(edges, masthead.public))) == ["Mumbai", "London"] * 2


def test_a_cache_that_ignores_private_shows_readers_each_others_city(masthead, edges):
    """The control, and why data/embed/README.md recommends only the script where pages are cached at an edge."""
    assert cities_in_turn(edges.careless_cache(assembled(edges, masthead.public))) == ["Mumbai"] * 4
