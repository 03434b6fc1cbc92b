"""Goal of these tests: no request hides in another one and no line that a proxy wrote is lost, whatever the framing, direct and
behind the web servers that stand in front."""
import concurrent.futures
import contextlib
import os
import random
import re
import socket
import urllib.parse

import pytest

from harness import Masthead, readers, until_closed
from vectors import LONDON, MUMBAI, vectors

VECTORS = vectors()
AT_ONCE = 8
TAGGED = int(os.environ.get("TAGGED", 100_000))
EACH = 40  # vectors between two looks at what another reader is answered

# One connection to the service, which all share: an answer too many would be the next reader's.
NGINX = """
    upstream service {{ server {address}; keepalive 1; }}
    server {{
        listen 80; client_header_timeout 1s; client_body_timeout 1s; keepalive_timeout 1s;
        location / {{
            proxy_pass http://service; proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_set_header X-Forwarded-For $remote_addr; proxy_next_upstream off;
        }}
    }}"""
HAPROXY = """
frontend readers
    bind :80
    option forwardfor
    default_backend service
backend service
    http-reuse always
    server one {address} pool-max-conn 1
"""
VARNISH = """
    vcl 4.1;
    backend service {{ .host = "127.0.0.1"; .port = "{port}"; }}
    sub vcl_recv {{ set req.http.X-Forwarded-For = client.ip; }}"""


@pytest.fixture(scope="module")
def quick(tmp_path_factory, simulator):
    """A service that waits for nobody for long."""
    simulator.reset()
    service = Masthead(tmp_path_factory.mktemp("framing"), simulator,
                       {"server.request_timeout": "500ms", "server.keep_alive": "500ms", "server.threads": "16"})
    yield service
    assert service.stop() == 0, service.log()


def exchange(url, data, greeting=""):
    """All that comes back for these bytes; the client then says no more."""
    parts = urllib.parse.urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=15) as connection:
        with contextlib.suppress(OSError):  # a server that answers early may end the connection
            connection.sendall(greeting.encode() + data)
            connection.shutdown(socket.SHUT_WR)
        return until_closed(connection)


def answers_in(received):
    return len(re.findall(rb"HTTP/1\.[01] \d\d\d ", received))


def test_there_are_as_many_as_promised():
    assert len(VECTORS) >= 700


def test_none_is_answered_twice_and_none_loses_a_line(quick):
    """And each that is answered says how."""
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        received = dict(zip(VECTORS, pool.map(lambda data: exchange(quick.public, data), VECTORS.values())))
    twice = [name for name, reply in received.items() if answers_in(reply) > 1]
    lost = [name for name, reply in received.items() if b" 200 OK" in reply and b"Mumbai" not in reply]
    hidden = [name for name, reply in received.items() if b"London" in reply]
    silent = [name for name, reply in received.items() if not reply]
    passed = sum(b" 200 OK" in reply for reply in received.values())
    print(f"\n{len(received)} vectors: {passed} passed, {len(silent)} ended without an answer, {len(twice)} answered twice")
    assert not twice and not lost and not hidden, (twice, lost, hidden)
    assert len(silent) < 20, silent


def test_bytes_of_an_earlier_connection_are_nobodys(quick):
    """Each thread has read a request with a reader's address before; blank lines then make civetweb look for one."""
    earlier = f"GET /widget.json HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {LONDON}\r\n\r\n".encode()
    for _ in range(4):
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            assert all(b"London" in reply for reply in pool.map(lambda _: exchange(quick.public, earlier), range(16)))
            for cut in (b"\r\n\r\n", b"\r\n\r\nGET /widget.json HTTP/1.1\r\n", b"\r\n\r\n" + earlier[:40], b"\n\n", b"\r\n" * 10):
                replies = list(pool.map(lambda _: exchange(quick.public, cut), range(16)))
                assert not any(b"London" in reply or b" 200 " in reply for reply in replies), cut
                assert all(answers_in(reply) <= 1 for reply in replies), cut


def test_every_request_on_a_shared_connection_gets_its_own_answer(quick):
    """Pipelined on connections that come and go, each request with another reader's address."""
    def question(address):
        return f"GET /widget.json HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {address}\r\n\r\n".encode()

    def named_in(received):
        return re.findall(rb'"place":\{"name":(null|"[^"]*")', received)
    cities = {row["ipv4"]: named_in(exchange(quick.public, question(row["ipv4"])))[0] for row in readers() if row["ipv4"]}

    def converse(seed):
        chance, wrong, asked = random.Random(seed), 0, 0
        while asked < TAGGED // AT_ONCE:
            addresses = chance.choices(list(cities), k=chance.randint(1, 60))
            named = named_in(exchange(quick.public, b"".join(map(question, addresses))))
            wrong += named != [cities[address] for address in addresses[:len(named)]] or not named
            asked += len(named)
        return wrong, asked
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        wrong, asked = map(sum, zip(*pool.map(converse, range(AT_ONCE))))
    print(f"\n{asked} tagged requests: {wrong} wrong")
    assert wrong == 0 and asked >= TAGGED


def in_front(edge, quick, greeting=""):
    """Sends each vector through the edge, and asks as another reader in between."""
    items = list(VECTORS.items())
    for first in range(0, len(items), EACH):
        batch = dict(items[first:first + EACH])
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            received = list(pool.map(lambda data: exchange(edge.url, data, greeting), batch.values()))
            spoofed = [name for name, reply in zip(batch, received) if b"London" in reply]
            assert not spoofed
        for _ in range(3):
            victim = edge.connect(MUMBAI)
            answer = victim.get("/widget.json")
            assert answer.status == 200 and answer.json["place"]["name"] == "Mumbai", list(batch)
            victim.close()


def test_behind_nginx_no_reader_gets_the_answer_to_another_request(shared_edges, quick):
    in_front(shared_edges.nginx(NGINX.format(address=urllib.parse.urlsplit(quick.public).netloc)), quick)


def test_behind_varnish_no_reader_gets_the_answer_to_another_request(shared_edges, quick):
    varnish = shared_edges.varnish(VARNISH.format(port=urllib.parse.urlsplit(quick.public).port))
    in_front(varnish, quick, f"PROXY TCP4 {MUMBAI} {MUMBAI} 40000 80\r\n")


def test_behind_haproxy_no_reader_gets_the_answer_to_another_request(shared_edges, quick):
    address = urllib.parse.urlsplit(quick.public).netloc
    haproxy = shared_edges.haproxy(HAPROXY.format(address=address))
    in_front(haproxy, quick, f"PROXY TCP4 {MUMBAI} {MUMBAI} 40000 80\r\n")
