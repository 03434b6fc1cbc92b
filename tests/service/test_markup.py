"""Goal of these tests: what the service writes is valid HTML and small, for every reader and in every state."""
import pytest

from harness import request, wait_until
from markup import validate_html

MUMBAI = "192.0.2.1"
NO_RECORD = "203.0.113.241"


@pytest.mark.parametrize("credits", ["inline", "no"])
def test_the_fragment_is_valid_in_every_state(start, sim, credits):
    service = start(settings={"widget.credits": credits, "cache.snapshot": ""})
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
    for state, fragment in fragments.items():
        assert validate_html(fragment) == [], state


def test_what_is_not_valid_is_complained_about():
    """The control: it shows that the tests here can fail."""
    assert any(complaint.startswith("no-dup-id:") for complaint in validate_html('<i id="a"></i><i id="a"></i>'))
    assert validate_html('<span class="a" class="b"></span>') and validate_html("<span><b></span>")


def test_the_playground_is_valid(masthead):
    assert validate_html(request(masthead.public, "/").text) == []
