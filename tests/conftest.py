"""Fixtures of the service and browser tests: a simulator for the session, services that end with their test."""
import pytest

import description
from proxies import Edges
from harness import CITY_V4, CITY_V6, Masthead, Simulator


@pytest.fixture(autouse=True)
def described():
    """What the service answered in a test is as data/openapi.json says."""
    Masthead.answers.clear()
    yield
    for path, answer, method in Masthead.answers:
        description.hold_described(path, answer, method)


@pytest.fixture(scope="session")
def simulator():
    process = Simulator()
    yield process
    assert process.stop() == 0, process.log()


@pytest.fixture
def sim(simulator):
    """The session's simulator, without faults and with its counts at zero."""
    simulator.reset()
    yield simulator
    simulator.reset()


@pytest.fixture
def start(tmp_path, sim):
    """Starts services which end with the test; start(settings={...}, simulator=...) -> Masthead."""
    started = []

    def start_one(**options):
        options.setdefault("simulator", sim)
        service = Masthead(tmp_path / f"state{len(started)}", **options)
        started.append(service)
        return service

    yield start_one
    for service in started:
        if service.child.poll() is None:
            assert service.stop() == 0, service.log()


@pytest.fixture
def masthead(start):
    return start()


@pytest.fixture(scope="session")
def city_databases():
    """The downloaded city database, by `make geoip`."""
    if not (CITY_V4.exists() and CITY_V6.exists()):
        pytest.skip("the city database is not here: run `make geoip` to test with it")
    return f"{CITY_V4},{CITY_V6}"


@pytest.fixture
def edges(tmp_path):
    """Makes web servers in front of the service, which end with the test."""
    made = Edges(tmp_path)
    yield made
    made.stop()
