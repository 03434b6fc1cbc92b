"""Goal of these tests: a service manager knows at every moment how the service is, and running it is boring: signals in any
number, a disk that is full or read-only, few descriptors and little memory are states, not crashes."""
import concurrent.futures
import contextlib
import ctypes
import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import threading
import time

import pytest

from harness import SANITIZED, Masthead, cannot_mount, children, in_namespace, request, wait_until

MUMBAI = "192.0.2.1"
INDIA = [f"192.0.2.{last}" for last in range(1, 250, 16)]


class Manager:
    """The receiving end of sd_notify's protocol."""

    def __init__(self, name):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + name[1:] if name[0] == "@" else name)
        self.socket.settimeout(20)

    def hear(self):
        return dict(line.split("=", 1) for line in self.socket.recv(4096).decode().splitlines())


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path):
    name = f"@masthead-test-{os.getpid()}" if request.param == "abstract" else str(tmp_path / "notify")
    manager = Manager(name)
    manager.name = name
    yield manager
    manager.socket.close()


def test_a_life_as_the_manager_hears_it(start, manager, tmp_path):
    config = tmp_path / "widget.conf"
    config.write_text("")
    service = start(config=config, env={"NOTIFY_SOCKET": manager.name})
    ready = manager.hear()
    assert ready == {"READY": "1", "STATUS": "serving"}
    for text, status in (("", "serving"), ("nonsense\n", "reload refused, serving as before")):
        config.write_text(text)
        before_us = time.monotonic_ns() // 1000
        service.signal(signal.SIGHUP)
        reloading = manager.hear()
        assert reloading["RELOADING"] == "1" and int(reloading["MONOTONIC_USEC"]) >= before_us - 1000
        assert manager.hear() == {"READY": "1", "STATUS": status}
    service.signal(signal.SIGTERM)
    stopping = manager.hear()
    assert stopping["STOPPING"] == "1" and int(stopping["EXTEND_TIMEOUT_USEC"]) > 5_000_000
    assert service.child.wait(20) == 0


def test_the_watchdog_hears_whoever_holds_the_threads(start, manager, sim):
    """Silent connections on all threads are no reason to end a process, and one request that takes long is none."""
    service = start(env={"NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "100000"},
                    settings={"server.threads": "4", "server.request_timeout": "1s", "weather.wait": "2s"})
    assert manager.hear()["READY"] == "1"
    sim.fault("hang")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waits = pool.submit(service.visit, MUMBAI)
        wait_until(lambda: service.metrics()['masthead_http_threads{state="busy"}'] == 1, what="the reader to wait")
        holding = [socket.create_connection(service.address()) for _ in range(3 + 64 + 20)]
        beats = []
        while not waits.done():
            assert manager.hear() == {"WATCHDOG": "1"}
            beats.append(time.monotonic())
        assert request(service.ops, "/healthz").status == 200
    assert len(beats) > 10 and max(later - sooner for sooner, later in zip(beats, beats[1:])) < 1.2
    assert "the watchdog is not told" not in service.log()
    for connection in holding:
        connection.close()


def ptrace(call, thread):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(ctypes.c_long(call), ctypes.c_long(thread), None, None) != 0:
        pytest.skip(f"this machine traces no thread: {os.strerror(ctypes.get_errno())}")


@contextlib.contextmanager
def stopped_thread(pid, name):
    """Stops one thread of a process, as if it were stuck for good."""
    seize, interrupt, detach, any_thread = 0x4206, 0x4207, 17, 0x40000000
    thread = next(int(task.name) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()
                  if (task / "comm").read_text().strip() == name)
    ptrace(seize, thread)
    ptrace(interrupt, thread)
    os.waitpid(thread, any_thread)
    yield
    ptrace(detach, thread)


@pytest.mark.skipif(SANITIZED, reason="a sanitizer traces, too")
def test_the_watchdog_hears_a_fetch_thread_that_is_stuck(start, manager):
    service = start(env={"NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "200000"})
    assert manager.hear()["READY"] == "1" and manager.hear() == {"WATCHDOG": "1"}
    with stopped_thread(service.child.pid, "fetch"):
        wait_until(lambda: "the fetch thread is stuck" in service.log(), limit_s=20, what="the watchdog to be kept waiting")
        assert request(service.ops, "/healthz").status == 200
    while manager.socket.recv(4096):  # those from before; then the beat comes back
        if select.select([manager.socket], [], [], 0)[0] == []:
            break
    assert manager.hear() == {"WATCHDOG": "1"}


def test_a_thousand_hangups_leave_no_trace(start):
    service = start()
    service.settled(MUMBAI)
    service.reload()
    before = service.metrics()
    for _ in range(1000):
        service.signal(signal.SIGHUP)
        assert _ % 50 or service.visit(MUMBAI).json["state"] == "fresh"
    wait_until(lambda: service.log().count("msg=reloaded") > 2, what="reloads")

    def settled():
        after = service.metrics()
        return after["process_open_fds"] <= before["process_open_fds"] + 2 and after
    after = wait_until(settled, what="descriptors to be given back")
    assert after["masthead_config_last_reload_successful"] == 1
    assert after["process_resident_memory_bytes"] < before["process_resident_memory_bytes"] + 4e6


def test_an_end_does_not_wait_for_an_examination(start):
    service = start()

    def stop_one():
        """Stops the child that validates a database, so that the validation would last until its limit of 15 s."""
        service.signal(signal.SIGHUP)
        for pid in children(service.child.pid):
            try:
                if b"--examine-database" not in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
                    continue  # not yet a process of its own
                os.kill(pid, signal.SIGSTOP)
                return "T" == pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
            except (ProcessLookupError, FileNotFoundError):
                pass
        return False
    wait_until(stop_one, what="a validation to be stopped")
    begun = time.monotonic()
    service.signal(signal.SIGTERM)
    assert service.child.wait(20) == 0
    assert time.monotonic() - begun < 10, "well below the limit"
    assert "msg=stopped" in service.log()


needs_mounts = pytest.mark.skipif(cannot_mount(), reason="mounting in a namespace needs root")


@needs_mounts
def test_a_read_only_file_system_but_the_state_folder(start, tmp_path):
    state = tmp_path / "state0"
    state.mkdir()
    service = start(prefix=in_namespace("mount -o remount,bind,ro /", f"mount --bind {state} {state}",
                                        f"mount -o remount,bind,rw {state}"),
                    settings={"cache.snapshot_every": "1s"})
    assert service.ready() and service.settled(MUMBAI)["state"] == "fresh"
    service.reload()
    wait_until(lambda: service.metrics()["masthead_snapshot_last_success_timestamp_seconds"] > 0, what="a snapshot")
    assert service.stop() == 0
    assert (state / "cache.snapshot").exists() and (state / "budgets").exists()
    assert "Read-only" not in service.log()


@needs_mounts
def test_a_state_folder_that_cannot_be_written(start, tmp_path):
    """Nothing outlives the process then, which the log says; readers notice nothing."""
    (tmp_path / "state0").mkdir()
    service = start(prefix=in_namespace("mount -o remount,bind,ro /"), settings={"cache.snapshot_every": "1s"})
    assert service.settled(MUMBAI)["state"] == "fresh" and service.ready()
    service.wait_line("state folder takes no copy of a database.*state0.*Read-only file system")
    service.wait_line("cannot write the cache snapshot.*Read-only file system")
    assert service.metrics()["masthead_snapshot_last_success_timestamp_seconds"] == 0
    assert service.stop() == 0


@needs_mounts
def test_a_full_disk_is_a_state_and_passes(start, tmp_path):
    state = tmp_path / "state0"
    state.mkdir()
    service = start(prefix=in_namespace(f"mount -t tmpfs -o size=1m none {state}"),
                    settings={"cache.snapshot_every": "1s"})
    assert service.settled(MUMBAI)["state"] == "fresh"
    inside = pathlib.Path(f"/proc/{service.child.pid}/root{state}")
    with open(inside / "filler", "wb", buffering=0) as filler, pytest.raises(OSError):
        while True:
            filler.write(b"x" * 4096)
    service.wait_line("cannot write the cache snapshot.*No space left")
    for address in INDIA:
        service.settled(address)
    service.reload("state folder takes no copy of a database.*No space left")
    service.wait_line("msg=reloaded")
    assert service.ready() and service.visit(MUMBAI).json["state"] == "fresh"
    (inside / "filler").unlink()
    wait_until(lambda: (inside / "cache.snapshot").exists() and (inside / "cache.snapshot").stat().st_size > 0,
               what="a whole snapshot")
    assert service.stop() == 0


def test_too_few_descriptors_are_refused_at_the_start(tmp_path):
    service = Masthead(tmp_path, settings={"server.threads": "16"}, prefix=["prlimit", "--nofile=500:500"], wait=False)
    assert service.child.wait(20) == 1
    service.wait_line("too few descriptors.*allowed=500 needed=528")
    assert "msg=ready" not in service.log()


def test_descriptors_that_just_suffice_do_suffice(start):
    """More connections than threads and queue hold: none is opened that there is no descriptor for, and nothing spins."""
    service = start(settings={"server.threads": "16"}, prefix=["prlimit", "--nofile=528:528"])
    service.settled(MUMBAI)
    crowd = [socket.create_connection(service.address()) for _ in range(200)]
    wait_until(lambda: service.metrics()['masthead_http_threads{state="idle"}'] == 0, what="all threads to be busy")
    before = service.metrics()
    threading.Event().wait(1)  # the processor time of a second
    after = service.metrics()
    assert after["process_cpu_seconds_total"] - before["process_cpu_seconds_total"] < 0.3
    assert after["process_open_fds"] < after["process_max_fds"] == 528
    for connection in crowd:
        connection.close()
    assert service.settled(MUMBAI)["state"] == "fresh"


@pytest.mark.skipif(SANITIZED, reason="sanitizers take memory of their own")
def test_it_lives_in_64_megabytes(start):
    """With the bundled database, as many threads as by default, each of which has answered, scrapes and reloads."""
    service = start(settings={"server.threads": "256", "dev.enabled": "no", "server.request_timeout": "30s"})
    for path in ("/widget", "/widget.json", "/places.json?q=mum", "/masthead.js"):
        readers = [socket.create_connection(service.address()) for _ in range(250)]
        wait_until(lambda: service.metrics()['masthead_http_threads{state="busy"}'] == 250, what="a thread for each")
        for connection in readers:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: {MUMBAI}\r\n\r\n".encode())
        for connection in readers:
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
            connection.close()
    for _ in range(20):
        service.signal(signal.SIGHUP)
        service.metrics()
    service.wait_line("msg=reloaded")
    status = pathlib.Path(f"/proc/{service.child.pid}/status").read_text()
    most_kib = int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1))
    assert most_kib < 64 * 1024
