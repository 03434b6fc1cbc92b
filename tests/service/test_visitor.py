"""Goal of these tests: nobody but a trusted proxy says who the reader is, and no request hides in another."""
import pytest

from harness import raw, request

MUMBAI, LONDON = "192.0.2.1", "198.51.100.17"


@pytest.fixture(scope="module")
def service(tmp_path_factory, simulator):
    from harness import Masthead
    simulator.reset()
    process = Masthead(tmp_path_factory.mktemp("state"), simulator)
    yield process
    assert process.stop() == 0


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


@pytest.mark.parametrize("query", ["ip=192.0.2.1", "ip=192.0.2.1&ip=192.0.2.1", "%69p=192.0.2.1", "ip=%31%39%32.0.2.1",
                                   "IP=192.0.2.1", "ip[]=192.0.2.1", "ip=192.0.2.1;ip=192.0.2.1"])
def test_a_reader_through_the_local_proxy_fakes_nothing(service, query):
    for header in ("X-Forwarded-For", "x-forwarded-for"):
        answer = request(service.public, f"/widget.json?{query}", headers={header: LONDON, "ip": MUMBAI,
                                                                            "X-Masthead-Ip": MUMBAI})
        assert answer.json["place"]["name"] == "London" and answer.status == 200
        assert "ip; client not in dev.from" in answer.headers["X-Masthead-Ignored"] or "not known" in \
            answer.headers["X-Masthead-Ignored"]
        assert answer.headers["Cache-Control"].startswith("private")


def test_no_faking_outside_developer_mode(start):
    service = start(settings={"dev.enabled": "no", "dev.simulated": "no"})
    answer = service.get(f"/widget.json?ip={MUMBAI}")
    assert answer.json["place"]["name"] is None
    assert answer.headers["X-Masthead-Ignored"] == "ip; not in developer mode"


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
    ("upgrade", "GET /widget HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", 400),
    ("no host", "GET /widget HTTP/1.1\r\n\r\n", 400),
    ("two hosts", "GET /widget HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400),
    ("too many headers", f"GET /widget HTTP/1.1\r\nHost: x\r\n{FILLER}X-Forwarded-For: 192.0.2.1\r\n\r\n", 431),
    ("folded line", "GET /widget HTTP/1.1\r\nHost: x\r\nA: b\r\n folded\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n", 400),
    ("line without name", "GET /widget HTTP/1.1\r\nHost: x\r\n: b\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n", 400),
    ("tab in value", "GET /widget HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.1\t\r\n\r\n", 400),
    ("post", "POST /widget HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 405),
    ("delete", "DELETE /widget HTTP/1.1\r\nHost: x\r\n\r\n", 405),
])
def test_the_guard_refuses_and_closes(service, name, data, status):
    received = raw(service.public, data.encode())
    assert received.startswith(f"HTTP/1.1 {status} ".encode()), (name, received)
    if name not in ("post",):
        assert received.count(b"HTTP/1.1 ") == 1, (name, received)
        assert b"Connection: close" in received
    if status == 405:
        assert b"Allow: GET, HEAD" in received


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


@pytest.mark.parametrize("path", ["/widget/", "//widget", "/Widget", "/widget%00", "/widget%2ejson", "/../widget",
                                  "/dev/../widget", "/widget.html", "/masthead.js/", "/" + "a" * 4000])
def test_paths_match_exactly(service, path):
    assert request(service.public, path).status == 404
