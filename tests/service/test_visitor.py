"""Goal of these tests: nobody but a trusted proxy says who the reader is, and no request hides in another."""
import email
import re

import pytest

from harness import raw, request

MUMBAI, LONDON = "192.0.2.1", "198.51.100.17"


def verdict(service, *lines):
    """The place that the given header lines lead to, as (name or None, verdict)."""
    head = "".join(f"{line}\r\n" for line in lines)
    data = raw(service.public, f"GET /widget.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{head}\r\n".encode())
    assert data.startswith(b"HTTP/1.1 200 "), data
    import json
    place = json.loads(data.split(b"\r\n\r\n", 1)[1])["place"]
    return place["name"], place["verdict"]


FOUND = ("Mumbai", "city")
UNREADABLE = (None, "unreadable")


@pytest.mark.parametrize("lines, expected", [
    ([], (None, "private")),
    ([f"X-Forwarded-For: {MUMBAI}"], FOUND),
    ([f"x-forwarded-for: {MUMBAI}"], FOUND),
    ([f"X-Forwarded-For: {LONDON}, {MUMBAI}"], FOUND),
    ([f"X-Forwarded-For: {LONDON}", f"X-Forwarded-For: {MUMBAI}"], FOUND),
    ([f"X-Forwarded-For: {LONDON}, {MUMBAI}, 127.0.0.5"], FOUND),
    ([f"X-Forwarded-For: {MUMBAI}:51234"], FOUND),
    ([f"X-Forwarded-For: ::ffff:{MUMBAI}"], FOUND),
    ([f"X-Forwarded-For: {LONDON}, unknown"], UNREADABLE),
    (["X-Forwarded-For: 192.0.2.001"], UNREADABLE),
    ([f"X-Forwarded-For: {MUMBAI} {LONDON}"], UNREADABLE),
    (["X-Forwarded-For: "], (None, "private")),
    (["X-Forwarded-For: 0.0.0.0"], (None, "reserved")),
    (["X-Forwarded-For: 10.9.8.7"], (None, "private")),
    ([f"X-Real-IP: {MUMBAI}"], (None, "private")),
    ([f"Forwarded: for={MUMBAI}"], (None, "private")),
])
def test_the_forwarding_header(service, lines, expected):
    assert verdict(service, *lines) == expected


@pytest.mark.parametrize("header, value, expected", [
    ("Forwarded", f"for={LONDON}, for={MUMBAI};by=127.0.0.1", FOUND),
    ("Forwarded", "for=unknown", UNREADABLE),
    ("X-Real-IP", MUMBAI, FOUND),
    ("X-Real-IP", f"{LONDON}, {MUMBAI}", UNREADABLE),
    ("CF-Connecting-IP", MUMBAI, FOUND),
])
def test_other_headers_when_configured(start, header, value, expected):
    service = start(settings={"visitor.header": header})
    assert verdict(service, f"{header}: {value}") == expected
    assert verdict(service, f"X-Forwarded-For: {LONDON}") == (None, "private")


def test_an_untrusted_peer_is_believed_about_nothing(start):
    service = start(settings={"visitor.trusted_proxies": "10.0.0.0/8"})
    assert verdict(service, f"X-Forwarded-For: {MUMBAI}") == (None, "private")


FAKES = {"ip": MUMBAI, "scenario": "mumbai,upstream-down-6h", "at": "2026-01-31T23:30:00Z"}
PATHS = ["/widget", "/widget.json", "/widget.txt", "/where.json"]


def escaped(text):
    return "".join(f"%{byte:02x}" for byte in text.encode())


def spellings():
    """Every trick that we could think of, as queries."""
    for name, value in FAKES.items():
        plain = f"{name}={value}"
        yield from (plain, f"{plain}&{plain}", f"{plain};{plain}", f"&&{plain}&", f"units=c&{plain}", f"{plain}#x", f"{plain}%00",
                    f"{escaped(name)}={value}", f"{name}={escaped(value)}", f"{escaped(name)}={escaped(value)}",
                    f"%25{escaped(name)[1:]}={value}", f"{name.upper()}={value}", f"{name.capitalize()}={value}", f"{name}[]={value}",
                    f"{name}[0]={value}", f"+{plain}", f"%20{plain}", f"{name}%20={value}", f"?{plain}", f"x?{plain}", f"{name}=&{plain}",
                    f"{name}=,{value}", f"{name}={value},", f"{name}%3d{value}", f"q={plain}", f"{name}={name}={value}", f"header={value}")
    yield "&".join(f"{name}={value}" for name, value in FAKES.items())
    yield f"ip=::ffff:{MUMBAI}"
    yield f"ip=[{MUMBAI}]"
    yield "ip=2001:db8:10::1"
    yield "ip=127.0.0.1&ip=" + MUMBAI


# How a proxy on this machine reports a reader in London, whatever that reader sends along.
REPORTS = [
    {"X-Forwarded-For": LONDON},
    {"X-Forwarded-For": f"127.0.0.1, {LONDON}"},
    {"X-Forwarded-For": f"{MUMBAI}, 127.0.0.1, {LONDON}", "X-Real-IP": "127.0.0.1", "Forwarded": "for=127.0.0.1"},
    {"x-forwarded-for": f"{LONDON}, 127.0.0.1", "Host": "localhost", "Ip": MUMBAI, "At": FAKES["at"], "Scenario": FAKES["scenario"]},
    {"X-Forwarded-For": LONDON, "X-Masthead-Ip": MUMBAI, "X-Masthead-Visitor": "faked", "X-Masthead-Scenario": FAKES["scenario"],
     "X-Client-IP": "127.0.0.1", "True-Client-IP": "127.0.0.1", "CF-Connecting-IP": "127.0.0.1", "Host": "127.0.0.1",
     "X-Original-URL": f"/widget.json?ip={MUMBAI}", "X-Rewrite-URL": f"/widget.json?ip={MUMBAI}",
     "X-HTTP-Method-Override": "GET", "Cookie": f"ip={MUMBAI}", "Referer": f"http://127.0.0.1/?ip={MUMBAI}"},
]


def test_readers_through_the_local_proxy_fake_nothing_by_any_spelling(start, sim):
    """Number: 0 faked answers. The clock stands still, so that an answer that is not London's own differs in some byte."""
    service = start(settings={"dev.at": "2026-03-01T12:00:00Z"})
    sim.control("clock?at=2026-03-01T12:00:00Z")
    service.settled(LONDON)
    own = {path: service.get(path, headers=REPORTS[0]) for path in PATHS}
    before, asked, tried = service.metrics(), 0, list(spellings())
    assert len(tried) > 80 and len(set(tried)) == len(tried)
    for path in PATHS:
        for query in tried:
            for report in REPORTS:
                answer = service.get(f"{path}?{query}", headers=report)
                assert answer.body == own[path].body, (path, query, report)
                assert answer.status == 200 and "masthead-visitor" not in str(answer.headers).lower(), (path, query, report)
                assert "scenario: " not in str(answer.headers).lower(), "nor a scenario"
                assert answer.headers["Cache-Control"] == own[path].headers["Cache-Control"]
                assert answer.headers["X-Masthead-Ignored"], (path, query, report)
                asked += 1
    counted = sum(value for name, value in service.metrics().items() if "ignored_parameters" in name) - \
        sum(value for name, value in before.items() if "ignored_parameters" in name)
    assert counted >= asked, "each is counted"
    assert service.metrics()['masthead_place_lookups_total{verdict="city"}'] >= asked


@pytest.mark.parametrize("path", ["/widget.json", "/widget", "/where.json"])
def test_readers_of_other_networks_and_unreadable_ones_fake_nothing(start, path):
    """dev.from decides, also for peers that are no proxies at all."""
    service = start(settings={"dev.from": "10.0.0.0/8", "visitor.trusted_proxies": "192.168.0.0/16"})
    for name, value in FAKES.items():
        answer = service.get(f"{path}?{name}={value}", headers={"X-Forwarded-For": "10.0.0.1"})
        assert answer.headers["X-Masthead-Ignored"] == f"{name}; client not in dev.from" and "Mumbai" not in answer.text


def test_unreadable_headers_fake_nothing(service):
    for name, value in FAKES.items():
        answer = service.get(f"/widget.json?{name}={value}", headers={"X-Forwarded-For": "unknown"})
        assert answer.headers["X-Masthead-Ignored"] == f"{name}; client not in dev.from"
        assert answer.json["place"]["verdict"] == "unreadable"


def test_a_colleague_in_dev_from_may_fake_through_the_proxy(start):
    service = start(settings={"dev.from": "10.0.0.0/8"})
    colleague = {"X-Forwarded-For": "10.1.2.3"}
    assert service.get("/widget.json?scenario=tokyo", headers=colleague).json["place"]["name"] == "Tokyo"
    assert service.get("/widget.json?scenario=tokyo").headers["X-Masthead-Ignored"] == "scenario; client not in dev.from"


def test_no_faking_outside_developer_mode(start):
    service = start(settings={"dev.enabled": "no", "dev.simulated": "no"})
    assert service.metrics()["masthead_dev_mode"] == 0 and "developer mode" not in service.log()
    for name, value in FAKES.items():
        answer = service.get(f"/widget.json?{name}={value}")
        assert answer.json["place"]["name"] is None
        assert answer.headers["X-Masthead-Ignored"] == f"{name}; not in developer mode"


def test_developer_mode_shows_and_warns_of_silent_proxies(service):
    assert service.metrics()["masthead_dev_mode"] == 1
    assert re.search(r'level=warn msg="developer mode: .*proxy on this machine that sends no forwarding header', service.log())


FILLER = "".join(f"X-Filler-{i}: {i}\r\n" for i in range(64))
SECOND = "GET /widget.txt HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize("name, data, status", [
    ("body", "GET /widget HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", 400),
    ("body that is a request", f"GET /widget HTTP/1.1\r\nHost: x\r\nContent-Length: {len(SECOND)}\r\n\r\n{SECOND}", 400),
    ("two lengths", "GET /widget HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n", 400),
    ("odd length", "GET /widget HTTP/1.1\r\nHost: x\r\nContent-Length: +0\r\n\r\n", 400),
    ("chunked", f"GET /widget HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{SECOND}", 400),
    ("chunked with length",
     "GET /widget HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("upgrade", "GET /widget HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", 200),
    ("upgrade to HTTP/2", "GET /widget HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
     "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n", 200),
    ("upgrade to anything", "GET /widget HTTP/1.1\r\nHost: x\r\nUpgrade: TLS/1.0\r\n\r\n", 200),
    ("absolute form", "GET http://x/widget HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    ("absolute form, no path", "GET http://x HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    ("asterisk", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    ("blank lines", f"\r\n\r\n{SECOND}", 400),
    ("space before a colon", "GET /widget HTTP/1.1\r\nHost: x\r\nX-Forwarded-For : 192.0.2.1\r\n\r\n", 400),
    ("no host", "GET /widget HTTP/1.1\r\n\r\n", 400),
    ("two hosts", "GET /widget HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400),
    ("too many headers", f"GET /widget HTTP/1.1\r\nHost: x\r\n{FILLER}X-Forwarded-For: 192.0.2.1\r\n\r\n", 431),
    ("folded line", "GET /widget HTTP/1.1\r\nHost: x\r\nA: b\r\n folded\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n", 400),
    ("line without name", "GET /widget HTTP/1.1\r\nHost: x\r\n: b\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n", 400),
    ("tab in value", "GET /widget HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.1\t\r\n\r\n", 400),
    ("post with body", f"POST /widget HTTP/1.1\r\nHost: x\r\nContent-Length: {len(SECOND)}\r\n\r\n{SECOND}", 405),
])
def test_the_guard_answers_once_and_closes(service, name, data, status):
    received = raw(service.public, data.encode())
    assert received.startswith(f"HTTP/1.1 {status} ".encode()), (name, received)
    assert received.count(b"HTTP/1.1 ") == 1, (name, received)
    assert b"Connection: close" in received


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "PROPFIND"])
def test_any_other_method_is_told_what_is_allowed(service, method):
    for origin, path, status, allowed in ((service.public, "/widget", 405, "GET, HEAD"), (service.ops, "/metrics", 405, "GET, HEAD"),
                                          (service.ops, "/dev/clock?advance=0s", 405, "POST"), (service.public, "/nope", 404, None)):
        if (method, allowed) == ("POST", "POST"):
            continue
        for body in (None, b"x=1"):
            answer = request(origin, path, method, body=body)
            assert answer.headers["Allow"] == (allowed if status == 405 else None)
            assert answer.status == (status if status == 405 or not body else 400)


def test_a_length_of_zero_is_no_body_and_head_has_none(service):
    received = raw(service.public, b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 200 ")
    head = raw(service.public, b"HEAD /widget HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ") and head.endswith(b"\r\n\r\n") and b"Content-Length: " in head


def test_connections_are_kept_where_wanted(service):
    two = raw(service.public, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n"
                              b"Connection: close\r\n\r\n")
    assert two.count(b"HTTP/1.1 200 OK") == 2
    one = raw(service.public, b"GET /healthz HTTP/1.0\r\n\r\n")
    assert one.count(b"HTTP/1.1 200 OK") == 1


def test_every_answer_says_that_it_may_load_nothing_and_tell_nobody(service):
    """Whatever it is: a reader's, a file, an error of ours, one of civetweb's, one without a route; on both listeners."""
    answers = [request(origin, path, method).headers for method in ("GET", "HEAD", "POST", "OPTIONS") for origin, path in (
        (service.public, "/widget"), (service.public, "/widget.json"), (service.public, "/masthead.js"), (service.public, "/"),
        (service.public, "/healthz"), (service.public, "/nowhere"), (service.ops, "/status"), (service.ops, "/metrics"),
        (service.ops, "/status/icon.svg"), (service.ops, "/explain?ip=8.8.8.8"), (service.ops, "/nowhere"))]
    for line in (b"GET http://x/widget HTTP/1.1", b"OPTIONS * HTTP/1.1", b"GET /widget HTTP/2.0", b"GET widget HTTP/1.1", b"nonsense"):
        for origin in (service.public, service.ops):
            head = raw(origin, line + b"\r\nHost: x\r\n\r\n").split(b"\r\n\r\n")[0].split(b"\r\n", 1)[1]
            answers.append(email.message_from_bytes(head))
    for headers in answers:
        assert re.match(r"default-src '(none|self)'; frame-ancestors 'none'$", headers["Content-Security-Policy"]), headers
        assert headers.get_all("Referrer-Policy") == ["no-referrer"] and headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("headers, status", [
    ({}, 200),
    ({"Sec-Fetch-Site": "same-origin", "Origin": "{own}"}, 200),
    ({"Sec-Fetch-Site": "none"}, 200),
    ({"Origin": "{own}"}, 200),
    ({"Origin": "http://evil.example"}, 403),
    ({"Origin": "null"}, 403),
    ({"Origin": "{own}.evil.example"}, 403),
    ({"Sec-Fetch-Site": "cross-site"}, 403),
    ({"Sec-Fetch-Site": "same-site", "Origin": "{own}"}, 403),
])
def test_no_other_sites_page_moves_the_clock(service, headers, status):
    own = {name: value.format(own=service.ops) for name, value in headers.items()}
    assert request(service.ops, "/dev/clock?advance=0s", "POST", own).status == status


@pytest.mark.parametrize("path", ["/widget/", "//widget", "/Widget", "/widget%00", "/widget%2ejson", "/../widget",
                                  "/dev/../widget", "/widget.html", "/masthead.js/", "/" + "a" * 4000])
def test_paths_match_exactly(service, path):
    assert request(service.public, path).status == 404
