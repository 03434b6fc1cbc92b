"""Goal of these tests: what the service writes is valid HTML and small, for every reader and in every state."""
from urllib.parse import quote

import pytest

from harness import EDGE, at_place, readers, request, wait_until
from html_validator import validate_html

MUMBAI = "192.0.2.1"
NO_RECORD = "203.0.113.241"


@pytest.mark.parametrize("credits", ["inline", "no"])
def test_the_fragment_is_valid_in_every_state(start, sim, credits):
    service = start(settings={"widget.credits": credits, "widget.unknown": "Weather <i>", "cache.snapshot": ""})
    fragments = {}

    def keep(address, state):
        fragments[state] = service.visit(address, "/widget").text
        assert f'data-state="{state}"' in fragments[state]
        assert ("<a href=" in fragments[state]) == (credits == "inline" and state in ("fresh", "stale"))

    keep(NO_RECORD, "unknown")
    sim.fault("500")
    keep(MUMBAI, "place")
    sim.fault("none")
    service.advance("1h")
    service.settled(MUMBAI)
    keep(MUMBAI, "fresh")
    sim.fault("500")
    service.advance("3h")
    wait_until(lambda: 'data-state="stale"' in service.visit(MUMBAI, "/widget").text, what="a refresh that failed")
    keep(MUMBAI, "stale")
    assert validate_html("".join(fragments.values())) == []


def test_what_is_not_valid_is_complained_about():
    """The control: it shows that the tests here can fail."""
    complaints = " ".join(validate_html('<i id="a"></i><i id="a"></i><span class="a" class="b"></span><p><b></p>'))
    assert all(rule in complaints for rule in ("no-dup-id:", "no-dup-attr:", "close-order:"))


def test_the_playground_is_valid(masthead):
    assert validate_html(request(masthead.public, "/").text) == []


def test_the_fragment_is_small(start, sim):
    """For the longest name of all readers here, and for one that is as long as a name can be: an edge in front may send
    any. The state with the most to say is `stale`."""
    service = start(settings={"widget.credits": "no", "geoip.headers": ", ".join(EDGE)})
    addresses = [row["ipv4"] or row["ipv6"] for row in readers()]
    invented = [at_place(-45.0, -170.0, quote(name)) for name in ("a" * 127, "ह" * 42)]

    def fragments():
        for address in addresses:
            for language in ("en", "hi"):
                yield service.visit(address, f"/widget?lang={language}").text
        for headers in invented:
            yield service.get("/widget", headers=headers).text

    def longest():
        return max(fragments(), key=lambda fragment: len(fragment.encode()))

    longest()
    sim.fault("500")
    service.advance("5h")
    wait_until(lambda: 'data-state="stale"' in longest() and "a" * 127 in longest(), what="the longest of all")
    assert 300 < len(longest().encode()) <= 400
