"""Goal of these tests: whichever allocation of the service fails, alone or with the two that follow, at the start or while it runs, it
goes on and is right, or says what is wrong: it never crashes or hangs. A library that is loaded before the program makes them fail;
more in a row crash civetweb's reading of its options, which takes no notice. In the short form a part of all allocations fails."""
import mmap
import re

import pytest

from harness import BUILD, EDGE, LONG, Masthead, at_place, command, request, wait_until

pytestmark = pytest.mark.skipif(BUILD.name == "tsan", reason="the thread sanitizer wants its own allocator in front")

READER = "192.0.2.1"
STEPS = 40  # of the short form


class Memory:
    """What tests/failing_memory.h shares with the program."""

    def __init__(self, path):
        path.write_bytes(bytes(24))
        with open(path, "r+b") as file:
            self.shared = memoryview(mmap.mmap(file.fileno(), 24)).cast("q")
        self.env = {"LD_PRELOAD": str(BUILD / "failing_memory.so"), "FAILING_MEMORY": str(path), "ASAN_OPTIONS": "verify_asan_link_order=0",
                    "LSAN_OPTIONS": "detect_leaks=0"}

    def fail(self, first, count=1):
        """The allocation of that number from now on, and those after it; 0: none."""
        self.shared[0] = 0
        self.shared[1], self.shared[2] = count, 0
        self.shared[0] = first

    def asked(self):
        return self.shared[2]

    def of(self, act):
        """How many allocations something makes."""
        self.fail(0)
        act()
        return self.asked()


@pytest.fixture
def memory(tmp_path):
    return Memory(tmp_path / "memory")


@pytest.fixture
def running(start, memory):
    return start(env=memory.env, settings={"geoip.headers": ",".join(EDGE), "server.threads": "16"})


def each_of(count):
    return range(1, count + 3, 1 if LONG else max(1, count // STEPS))


@pytest.mark.parametrize("count", [1, 3])
def test_it_starts_or_says_why_not(memory, sim, tmp_path, count):
    def begin(name, first, wait):
        memory.fail(first, count)
        return Masthead(tmp_path / name, simulator=sim, env=memory.env, wait=wait)

    whole = begin("whole", 0, wait=True)
    all_of_them = memory.asked()
    assert whole.stop() == 0 and all_of_them > 1000
    for first in each_of(all_of_them):
        service = begin(f"state{first}", first, wait=False)
        wait_until(lambda: service.child.poll() is not None or "msg=ready" in service.log(), 30, f"a start or an end, from {first} on")
        ready = re.search(r"msg=ready public=(\S+)", service.log())
        if ready:
            service.public = f"http://{ready.group(1)}"
            assert service.visit(READER).status in (200, 503), first
            memory.fail(0)
            assert service.visit(READER).status == 200, first
            assert service.stop() == 0, (first, service.log())
        else:
            status = service.child.wait(10)
            assert status == 1 or (status == 2 and "emory" in service.log()), (first, status, service.log())
            assert "level=error" in service.lines[-1] or "emory" in service.lines[-1], (first, service.log())


@pytest.mark.parametrize("words", [("--check-config",), ("lookup", READER), ("--print-config",)])
def test_what_is_done_at_once_is_right_or_says_why_not(memory, tmp_path, words):
    options = ["--set", "geoip.databases=data/visitors.mmdb", "--set", f"server.state={tmp_path}"]
    said = []
    count = memory.of(lambda: said.append(command(*words[:1], *options, *words[1:], env=memory.env)))
    assert said[0].returncode == 0 and count > 0
    for first in each_of(count):
        memory.fail(first)
        done = command(*words[:1], *options, *words[1:], env=memory.env)
        memory.fail(0)
        assert done.returncode in (0, 1, 2), (first, done)
        assert done.returncode == 0 or done.stderr, first


@pytest.mark.parametrize("listener, path", [("public", "/widget"), ("public", "/widget.json"), ("public", "/places.json?q=mumbai"),
                                            ("ops", f"/explain?ip={READER}"), ("ops", "/status"), ("ops", "/status.json"),
                                            ("ops", "/metrics"), ("ops", "/readyz")])
def test_every_path_answers(running, memory, listener, path):
    running.settled(READER)

    def ask():
        return request(getattr(running, listener), path, headers={"X-Forwarded-For": READER})

    expected = ask()
    assert expected.status == 200
    for first in range(1, memory.of(ask) + 3):
        memory.fail(first)
        assert ask().status in (200, 503), first
        memory.fail(0)
        again = ask()
        assert again.status == 200 and len(again.body) > 0.9 * len(expected.body), first


def test_a_metric_that_cannot_be_read_is_left_out(running, memory):
    for first in range(1, memory.of(running.metrics) + 1):
        memory.fail(first)
        answer = request(running.ops, "/metrics")
        memory.fail(0)
        assert not re.search(r"^process_\w+ (-|nan|0$)", answer.text, re.M | re.I) or answer.status == 503, first


def test_a_reload_is_done_or_refused(running, memory):
    def reload():
        before = len(running.lines)
        running.signal(1)
        wait_until(lambda: any(re.search("msg=reloaded|reload refused", line) for line in running.lines[before:]), 30, "a reload")

    for first in each_of(memory.of(reload)):
        memory.fail(first)
        reload()
        memory.fail(0)
        assert running.visit(READER, "/widget").status == 200, first
    reload()
    assert "msg=reloaded" in running.lines[-1] and "Mumbai" in running.visit(READER, "/widget.txt").text


def test_a_fetch_succeeds_or_the_next_does(running, memory):
    cells = iter((latitude / 2, longitude / 2) for latitude in range(-100, 100) for longitude in range(-300, 300, 2))

    def visit(cell):
        return running.get("/widget.json", headers=at_place(*cell))

    def has_number(cell):
        answer = visit(cell)
        if answer.json["state"] in ("fresh", "stale"):
            return True
        running.advance("2m")  # past what is waited after a failure
        return False

    for first in each_of(memory.of(lambda: wait_until(lambda: has_number(cell)) if (cell := next(cells)) else None)):
        memory.fail(first)
        cell = next(cells)
        assert visit(cell).status in (200, 503), first
        # What fails may be an allocation of this question's.
        wait_until(lambda: re.search("^masthead_upstream_inflight 0$", request(running.ops, "/metrics").text, re.M), what="the flights to land")
        memory.fail(0)
        wait_until(lambda: has_number(cell), 20, f"a number after the failure of {first}")
