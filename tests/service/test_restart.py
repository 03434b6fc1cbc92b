"""Goal of these tests: a restart, wanted or not, costs readers nothing: cells that were known are known, whatever became of
the process; and what is kept of them holds nothing of the readers."""
import signal
import struct

import pytest

from harness import Masthead, wait_until

MUMBAI, DELHI, NEW_YORK = "192.0.2.1", "192.0.2.17", "198.51.100.1"
HEADER_BYTES = 25
WRITTEN = "masthead_snapshot_last_success_timestamp_seconds"


@pytest.fixture
def live(tmp_path, sim):
    """Starts one life of the service after the other, in one state folder."""
    lives = []

    def begin(**settings):
        lives.append(Masthead(tmp_path / "state", sim, settings={key.replace("__", "."): value
                                                                 for key, value in settings.items()}))
        return lives[-1]

    yield begin
    for service in lives:
        service.stop()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "cache.snapshot"


def records(service):
    """What became of the records that were read at the start."""
    metrics = service.metrics()
    return [metrics[f'masthead_snapshot_records_total{{result="{name}"}}'] for name in ("restored", "left_out", "damaged")]


def check_warm(service, sim, before):
    """The very first request for the cell is a hit, and nothing is fetched."""
    sim.reset()
    answer = service.visit(before["address"])
    assert answer.headers["Cache-Status"].startswith("masthead; hit"), service.log()
    for key in ("state", "text", "cell", "fetched_at", "timezone", "utc_offset_s", "provider", "credits", "place"):
        assert answer.json[key] == before[key], key
    assert answer.json["state"] == "fresh" and 0 <= answer.json["age_s"] < 600
    assert sim.count()["requests"] == 0


def settle(service, *addresses):
    return [{**service.settled(address), "address": address} for address in addresses]


def test_a_restart_is_warm(live, sim, path):
    first = live()
    known = settle(first, MUMBAI, NEW_YORK)
    assert first.stop() == 0 and path.exists()
    second = live()
    assert records(second) == [2, 0, 0]
    assert second.metrics()["masthead_cache_entries"] == 2
    for before in known:
        check_warm(second, sim, before)
    second.wait_line(r"cache snapshot read.* restored=2 left_out=0 damaged=0")


def test_a_kill_after_a_written_snapshot_is_warm(live, sim, path):
    first = live(cache__snapshot_every="1s")
    known = settle(first, MUMBAI)
    at_least = first.metrics()[WRITTEN]
    wait_until(lambda: first.metrics()[WRITTEN] > at_least + 1, what="a snapshot that was begun after the fetch")
    first.signal(signal.SIGKILL)
    first.child.wait(20)
    check_warm(live(), sim, known[0])


def test_it_is_written_while_the_service_runs(live, path):
    service = live(cache__snapshot_every="1s")
    assert service.metrics()[WRITTEN] == 0
    written = wait_until(lambda: service.metrics()[WRITTEN], what="the first snapshot")
    assert path.exists()
    wait_until(lambda: service.metrics()[WRITTEN] > written, what="the next one")


def test_a_due_refresh_is_made_up_after_the_restart(live, sim):
    first = live(weather__refresh="1h")
    before = settle(first, MUMBAI)[0]
    assert first.stop() == 0
    second = live(weather__refresh="10s", weather__keep="2d")
    second.advance("1m")
    answer = second.visit(MUMBAI)
    assert "hit" in answer.headers["Cache-Status"] and answer.json["fetched_at"] == before["fetched_at"]
    wait_until(lambda: second.visit(MUMBAI).json["fetched_at"] != before["fetched_at"], what="the refresh")


def test_what_is_older_than_keep_is_not_shown(live, sim):
    first = live()
    settle(first, MUMBAI)
    assert first.stop() == 0
    later = live(dev__at="2035-01-01T00:00:00Z")
    assert records(later) == [0, 1, 0]
    assert later.visit(MUMBAI).headers["Cache-Status"] == "masthead; fwd=miss"


def test_a_damaged_file_gives_what_is_good_and_counts_the_rest(live, sim, path):
    first = live()
    known = settle(first, MUMBAI, DELHI, NEW_YORK)
    assert first.stop() == 0
    whole = bytearray(path.read_bytes())
    size = (len(whole) - HEADER_BYTES) // 3
    whole[HEADER_BYTES + size + 100] ^= 0xff
    path.write_bytes(whole)
    second = live()
    assert records(second) == [2, 0, 1]
    second.wait_line(r"level=warn.*cache snapshot read.* restored=2 left_out=0 damaged=1")
    statuses = [second.visit(before["address"]).headers["Cache-Status"] for before in known]
    assert sorted(status.split(";")[1].strip() for status in statuses) == ["fwd=miss", "hit", "hit"]
    for before in known:
        assert second.settled(before["address"])["text"] == before["text"]


@pytest.mark.parametrize("kind, said", [
    ("foreign", "not a snapshot"), ("empty", "not a snapshot"), ("version", "damaged"), ("link", "a symbolic link"),
    ("folder", "not a regular file"), ("cut", "damaged")])
def test_what_is_no_snapshot_is_one_clear_line_and_the_service_goes_on(live, path, tmp_path, kind, said):
    first = live()
    settle(first, MUMBAI)
    assert first.stop() == 0
    whole = path.read_bytes()
    path.unlink()
    precious = tmp_path / "precious"
    precious.write_text("precious")
    if kind == "link":
        path.symlink_to(precious)
    elif kind == "folder":
        path.mkdir()
    else:
        path.write_bytes({"foreign": b"no snapshot\n" * 99, "empty": b"", "cut": whole[:-1],
                          "version": whole[:8] + struct.pack("<I", 77) + whole[12:]}[kind])
    second = live()
    assert len([line for line in second.lines if "level=warn" in line and "snapshot" in line and said in line]) == 1
    assert second.ready() and second.settled(MUMBAI)["state"] == "fresh"
    assert second.stop() == 0
    assert precious.read_text() == "precious"
    assert records(live()) == [1, 0, 0], "and the next restart is warm"


def test_a_folder_that_cannot_be_written_is_logged_and_harmless(live, tmp_path):
    (tmp_path / "file").write_text("")
    service = live(cache__snapshot=str(tmp_path / "file" / "cache.snapshot"), cache__snapshot_every="1s")
    service.wait_line(r"level=warn.*cannot write the cache snapshot.*Not a directory")
    assert service.settled(MUMBAI)["state"] == "fresh" and service.ready()
    assert service.metrics()[WRITTEN] == 0 and service.stop() == 0


def test_without_a_snapshot_nothing_is_written(live, tmp_path):
    service = live(cache__snapshot="", cache__snapshot_every="1s")
    settle(service, MUMBAI)
    assert WRITTEN not in service.metrics()
    assert service.stop() == 0
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["budgets"]


def test_simulated_weather_does_not_outlive_the_simulator(live, sim):
    first = live(dev__simulated="yes")
    settle(first, MUMBAI)
    assert first.stop() == 0
    second = live(dev__simulated="no")
    second.wait_line("cache snapshot not read.*of simulated weather")
    assert second.visit(MUMBAI).headers["Cache-Status"] == "masthead; fwd=miss"


def test_it_holds_no_reader(live, path):
    service = live()
    known = settle(service, MUMBAI, DELHI, NEW_YORK)
    assert service.stop() == 0
    held = path.read_bytes().lower()
    for before in known:
        octets = [int(part) for part in before["address"].split(".")]
        place = before["place"]
        assert bytes(octets) not in held and bytes(reversed(octets)) not in held
        for words in (before["address"], place["name"], place["region"]):
            assert words and words.lower().encode() not in held, words
