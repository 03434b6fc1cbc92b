"""Goal of these tests: a fleet behind the nginx of data/ops is restarted, upgraded and broken piece by piece, and no reader sees
a placeholder meanwhile."""
import concurrent.futures
import re
import signal
import sys
import threading

import pytest

from fleet import Fleet
from harness import ROOT, Process, address_of, is_office, readers, request, wait_until
from redis_server import Redis


@pytest.fixture
def fleet(tmp_path):
    made = Fleet(tmp_path, **{"weather.wait": "1500ms", "fleet.timeout": "500ms"})  # a busy machine, too
    yield made
    made.stop()


class Crowd:
    """Readers who come all the time; `failed` are the answers without a number."""

    def __init__(self, edge, readers_at_a_time=4):
        self.edge, self.ended, self.answers, self.failed = edge, threading.Event(), 0, []
        self.places = [address_of(reader) for reader in readers() if not is_office(reader)]
        self.places = [place for place in self.places if wait_until(lambda: self.known(place), what="an answer") == "number"]
        self.pool = concurrent.futures.ThreadPoolExecutor()
        self.loads = [self.pool.submit(self.read) for _ in range(readers_at_a_time)]

    def ask(self, place):
        return self.edge.connect(place).get("/widget.json").json

    def known(self, place):
        answer = self.ask(place)
        return "number" if answer["state"] == "fresh" else "none" if answer["state"] == "unknown" else None

    def read(self):
        while not self.ended.is_set():
            for place in self.places:
                try:
                    answer = self.ask(place)
                except (OSError, ValueError) as error:
                    answer = {"state": repr(error)}
                self.answers += 1
                if answer["state"] not in ("fresh", "stale"):
                    self.failed.append((place, answer))

    def grow(self, count=300):
        """Waits until so many more have come."""
        wait_until(lambda before=self.answers: self.answers >= before + count, 60, f"{count} more readers")

    def leave(self):
        self.ended.set()
        for load in self.loads:
            load.result()
        assert not self.failed, (len(self.failed), self.answers, self.failed[:3])


def wait_asked(service):
    """Waits until nginx asks an instance that it has missed: within fail_timeout."""
    wait_until(lambda: sum(value for name, value in service.metrics().items() if name.startswith("masthead_widgets_total")),
               what="readers")


def test_a_rolling_restart(fleet):
    """One waits for the other until it is asked again. Without snapshots, so that what each knows at once is the fleet's."""
    fleet.settings["cache.snapshot"] = ""
    crowd = Crowd(fleet.edge)
    bought = fleet.simulator.count()["requests"]
    for i in range(3):
        fleet.restart(i)
        wait_asked(fleet.services[i])
        crowd.grow()
    crowd.leave()
    assert fleet.simulator.count()["requests"] == bought == len(fleet.redis.cells()), "nothing was bought twice"


def test_each_part_fails_in_turn(fleet, tmp_path):
    crowd = Crowd(fleet.edge)
    for i in range(3):
        fleet.services[i].signal(signal.SIGKILL)
        fleet.services[i].child.wait(20)
        crowd.grow()
        fleet.start(i)
        wait_asked(fleet.services[i])
    fleet.redis.signal(signal.SIGKILL)
    fleet.redis.child.wait(20)
    crowd.grow()
    fleet.redis = Redis(tmp_path, port=fleet.redis.port)
    crowd.grow()
    fleet.simulator.stop()
    crowd.grow()
    crowd.leave()


def test_one_command_starts_it_and_says_what_to_look_at():
    command = Process([sys.executable, str(ROOT / "tests" / "fleet.py")])
    edge = command.wait_line(r"readers +(http://\S+?)/widget.txt").group(1)
    command.wait_line("Ctrl-C ends all")
    for service in re.findall(r"(http://\S+)/status", command.log()):
        assert request(service, "/status.json").json["fleet"]["failing"] is False
    assert wait_until(lambda: "°C" in request(edge, "/widget.txt?ip=192.0.2.1").text, what="a number")
    pids = [int(pid) for pid in re.search(r"instances are ([\d, ]+)", command.log()).group(1).split(", ")]
    assert len(pids) == 3
    command.signal(signal.SIGINT)
    assert command.child.wait(30) == 0, command.log()
    with pytest.raises(OSError):
        request(edge, "/")
