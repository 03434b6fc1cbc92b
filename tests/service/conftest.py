"""Fixtures of tests that share what they start: one for all tests of a file."""
import pytest

from proxies import Edges
from harness import Masthead


@pytest.fixture(scope="module")
def service(tmp_path_factory, simulator):
    """A service with the harness's settings."""
    simulator.reset()
    process = Masthead(tmp_path_factory.mktemp("state"), simulator)
    yield process
    assert process.stop() == 0, process.log()


@pytest.fixture(scope="module")
def shared_edges(tmp_path_factory):
    """Makes web servers in front of the service, as `edges` does for one test."""
    made = Edges(tmp_path_factory.mktemp("edges"))
    yield made
    made.stop()
