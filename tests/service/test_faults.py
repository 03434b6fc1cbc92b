"""Goal of these tests: whatever can go wrong is tried, scaled in time and number, never in kind. MATRIX says which test holds which row;
those that are not elsewhere are in this file. `make soak` runs the long forms."""
import concurrent.futures
import contextlib
import os
import re
import socket
import ssl
import subprocess
import threading
import time

import pytest

from harness import BUILD, EDGE, LONG, ROOT, SANITIZED, at_place, cannot_mount, in_namespace, request, wait_until

READER = "192.0.2.1"

MATRIX = """
load below, at twice and five times the capacity, and back | test_faults.py:a_burst_passes test_overload.py:readers_operators_and_the_watchdog_during
many clients of one cold cell                              | test_weather.py:250_readers_of_one_cold_cell_cost_one_request
many cells that are due together                           | test_faults.py:cells_that_are_due_together_cost_one_request_each test_fetching.py:many_readers_of_many_cells_share_one_request_each
no budget for an hour, over a restart                      | test_faults.py:without_a_budget_nothing_is_asked_for_an_hour test_budget.py:what_was_spent_outlives_the_process test_budget.py:a_refresh_that_the_budget_refuses_makes_stale_and_the_number_stays
each age of a curve with each state of each upstream       | test_matrix.py:the_table
upstream refuses, hangs, drips, breaks, redirects          | test_weather.py:junk_is_counted_by_kind_logged_once_and_the_last_good_curve_kept test_fetch.c:each_kind_of_answer_has_its_outcome test_fetch.c:silence_ends_at_the_timeout test_fetch.c:nobody_there_is_a_failed_connection
upstream's certificate is not to be trusted                | test_faults.py:a_certificate_that_is_not_to_be_trusted_is_no_weather test_faults.py:a_certificate_is_judged_by_its_signature_host_and_date
name servers know no such name, or are silent              | test_faults.py:a_name_that_is_not_found_holds_nobody
breaker opens, one probe when half open                    | test_quota.c:a_failing_provider_is_left_alone_then_asked_once test_budget.py:a_failing_provider_is_suspended_and_probed
429 and 503 with any Retry-After                           | test_budget.py:retry_after_is_obeyed test_budget.py:retry_after_as_a_date_is_obeyed_to_a_day test_quota.c:a_wish_to_be_left_alone_is_obeyed_to_a_day
hostile bodies                                             | test_providers.py:junk_is_counted_by_kind_and_the_last_good_curve_kept test_providers.py:a_small_reply_that_unpacks_to_much_is_too_large test_fuzz.py:a_target_stands_its_corpus_and_more
the fetch thread is stuck                                  | test_manager.py:the_watchdog_hears_a_fetch_thread_that_is_stuck
clocks that jump                                           | test_matrix.py:a_jump_of_the_clock_costs_at_most_a_fetch_a_cell_and_no_age_is_negative test_quota.c:steps_of_the_wall_clock_neither_give_nor_take
killed while it writes                                     | test_snapshot.c:a_kill_at_any_moment_leaves_a_whole_one test_quota.c:a_hundred_kills_lose_little test_restart.py:a_kill_after_a_written_snapshot_is_warm
snapshot cut or changed at any byte                        | test_snapshot_damage.c:damage_at_any_byte_costs_at_most_what_it_hits
disk full, read-only, not to be written                    | test_manager.py:a_full_disk_is_a_state_and_passes test_manager.py:a_read_only_file_system_but_the_state_folder test_manager.py:a_state_folder_that_cannot_be_written test_snapshot.c:a_full_disk_leaves_the_old_one test_faults.py:a_disk_with_errors_is_a_state_and_passes
database replaced again and again under load               | test_places.py:replacing_the_database_under_load_fails_nobody test_databases.c:lookups_go_on_while_databases_are_replaced
database cut, corrupted, crafted, a pipe, gone             | test_databases.c:a_file_cut_anywhere_is_refused_or_harmless test_databases.c:a_corrupted_file_is_refused_or_harmless test_databases.c:what_is_no_database_is_refused test_places.py:a_known_crasher_is_refused_by_the_validation test_lifecycle.py:truncating_the_file_in_place_harms_nobody
hangups by the thousand, and bad configurations            | test_manager.py:a_thousand_hangups_leave_no_trace test_lifecycle.py:reload_of_the_configuration_is_all_or_nothing
an end under load                                          | test_lifecycle.py:no_request_is_lost_at_the_end test_lifecycle.py:the_drain_pause_is_seen_by_readyz_and_can_be_cut_short
few descriptors                                            | test_manager.py:too_few_descriptors_are_refused_at_the_start test_manager.py:descriptors_that_just_suffice_do_suffice
little memory, and none                                    | test_manager.py:it_lives_in_64_megabytes test_memory.py:it_starts_or_says_why_not test_memory.py:every_path_answers test_memory.py:a_fetch_succeeds_or_the_next_does test_memory.c:databases
slow heads, idle and slow readers                          | test_overload.py:readers_operators_and_the_watchdog_during test_overload.py:who_never_reads_is_gone_within_two_timeouts
requests within requests, direct and behind proxies        | test_framing.py:none_is_answered_twice_and_none_loses_a_line test_framing.py:behind_nginx_no_reader_gets_the_answer_to_another_request test_framing.py:behind_haproxy_no_reader_gets_the_answer_to_another_request
forwarding headers                                         | test_client.c:x_forwarded_for test_client.c:forwarded test_client.c:what_strangers_wrote_never_counts test_visitor.py:the_forwarding_header
hostile names of cities                                    | test_answer.py:a_hostile_name_is_text test_markup.py:the_fragment_is_valid_in_every_state
two visitors behind one cache                              | test_crowd.py:through_nginx test_crowd.py:through_varnish
the fleet's Redis away, killed, full, wiped, nonsense      | test_fleet.py:away_and_back test_fleet.py:killed_again_and_again_under_load test_fleet.py:full test_fleet.py:wiped_or_evicting test_fleet.py:whatever_answers_the_service_goes_on test_fleet.py:a_value_that_is_no_curve_of_the_cell_is_passed_over
a budget that instances share, without Redis and again     | test_fleet.py:without_redis_each_spends_its_part_of_the_rest test_fleet.py:on_return_the_larger_count_stands
instances that restart or die, one after the other         | test_fleet_restart.py:a_rolling_restart test_fleet_restart.py:each_part_fails_in_turn test_fleet.py:a_dead_holder_delays_nobody_longer_than_its_lease
everything in turn, for long                               | test_soak.py:readers_are_answered_while_things_go_wrong
metrics, units and the binary as checkers want them        | test_lifecycle.py:metrics_pass_promtool test_ops_files.py:units_verify_and_are_shut test_faults.py:the_program_is_hardened
"""


def test_every_row_is_held():
    for row in MATRIX.strip().splitlines():
        name, tests = row.split(" | ")
        for file, test in (each.split(":") for each in tests.split()):
            path = next((ROOT / "tests").glob(f"*/{file}"))
            assert re.search(rf"^(def test_|[A-Z_]+\(){test}\b", path.read_text(), re.M), (name, each)


def crowd(ask, threads, seconds):
    """What threads are answered that ask without a pause: statuses, "lost" for connections that were ended."""
    until = time.monotonic() + seconds
    answers = []

    def go_on(_):
        while time.monotonic() < until:
            try:
                answers.append(ask().status)
            except OSError:
                answers.append("lost")

    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        list(pool.map(go_on, range(threads)))
    return answers


def test_a_burst_passes(start):
    """Two and five times as many clients as threads, then a few: nothing of the burst is left."""
    service = start(settings={"server.threads": "16"})
    service.settled(READER)
    for threads in (10, 32, 80):
        answers = crowd(lambda: service.visit(READER, "/widget", timeout=5), threads, 30 if LONG else 2)
        assert set(answers) <= {200, 503, "lost"} and answers.count(200) > 0.9 * len(answers), (threads, len(answers))
        began = time.monotonic()
        took = []
        while len(took) < 50:
            before = time.monotonic()
            assert service.visit(READER, "/widget").status == 200
            took.append(time.monotonic() - before)
        assert sorted(took)[48] < (1 if SANITIZED else 0.25) and time.monotonic() - began < 5, threads
    wait_until(lambda: service.metrics()['masthead_http_threads{state="busy"}'] == 0, what="every thread to be given back")


def test_cells_that_are_due_together_cost_one_request_each(start, sim):
    count = 10000 if LONG else 150
    service = start(settings={"geoip.headers": ",".join(EDGE), "weather.parallel": "8", "weather.refresh": "1h",
                              "weather.open_meteo_budget": "60000/m"})
    spots = [(-60 + i // 100, -50 + i % 100) for i in range(count)]

    def visit(spot):
        before = time.monotonic()
        answer = service.get("/widget.json", headers=at_place(*spot)).json
        return answer["state"], time.monotonic() - before

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        wait_until(lambda: {state for state, _ in pool.map(visit, spots)} == {"fresh"}, 120, "every cell to have its curve")
        service.landed()
        sim.control("reset")
        service.advance("2h")
        sim.fault("slow", 20)
        due = list(pool.map(visit, spots))
        assert {state for state, _ in due} <= {"fresh", "stale"}
        assert sorted(took for _, took in due)[int(count * 0.99)] < (2 if SANITIZED else 0.5)
        wait_until(lambda: {state for state, _ in pool.map(visit, spots)} == {"fresh"}, 120, "every cell to be refreshed")
    service.landed()
    assert sim.count()["requests"] == count and set(sim.count()["cells"].values()) == {1}


def test_without_a_budget_nothing_is_asked_for_an_hour(start, sim):
    service = start(settings={"weather.open_meteo_budget": "1/d", "weather.refresh": "10m", "geoip.headers": ",".join(EDGE)})
    service.settled(READER)
    for _ in range(12):
        service.advance("5m")
        assert service.visit(READER).json["state"] in ("fresh", "stale")
        assert service.get("/widget.json", headers=at_place(10, 10)).json["state"] == "place"
    assert sim.count()["requests"] == 1


def certify(folder, name, host, days=1, authority=None):
    """Makes a key and a certificate of that name in the folder, signed by another one there or by itself."""
    def openssl(*words):
        subprocess.run(["openssl", *map(str, words)], cwd=folder, check=True, capture_output=True)

    signer = ("-CA", f"{authority}.crt", "-CAkey", f"{authority}.key") if authority else ("-signkey", f"{name}.key")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={host}", "-addext",
            f"subjectAltName=DNS:{host}", "-addext", f"basicConstraints=critical,CA:{'FALSE' if authority else 'TRUE'}")
    openssl("x509", "-req", "-in", f"{name}.csr", "-copy_extensions", "copy", "-days", days, "-out", f"{name}.crt", *signer)


@contextlib.contextmanager
def https_server(folder, name):
    """The port of a server with that certificate, and what it was asked."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{name}.crt", folder / f"{name}.key")
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        def serve():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with contextlib.suppress(OSError), connection, context.wrap_socket(connection, server_side=True) as secured:
                        asked.append(secured.recv(4096))
        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1], asked
        server.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def untrusted(tmp_path):
    """The port of a server whose certificate nobody has signed."""
    certify(tmp_path, "own", "localhost")
    with https_server(tmp_path, "own") as server:
        yield server


@pytest.mark.skipif(cannot_mount(), reason="mounting in a namespace needs root")
@pytest.mark.parametrize("host, days, believed", [("localhost", 1, True), ("other.example", 1, False), ("localhost", -1, False)],
                         ids=["right", "another host's", "expired"])
def test_a_certificate_is_judged_by_its_signature_host_and_date(start, tmp_path, host, days, believed):
    """An authority that the machine trusts has signed it: only the right one is asked for weather."""
    certify(tmp_path, "authority", "authority.example")
    certify(tmp_path, "server", host, days, "authority")
    trust = f"mount --bind {tmp_path}/authority.crt /etc/ssl/certs/ca-certificates.crt"
    with https_server(tmp_path, "server") as (port, asked):
        service = start(settings={"weather.open_meteo_url": f"https://localhost:{port}"}, prefix=in_namespace(trust))
        assert service.visit(READER).json["state"] == "place"
        wait_until(lambda: sum(service.requests().values()), what="the fetch to have ended")
        assert any(asked) == believed and ("connect" in service.requests()) != believed


def test_a_certificate_that_is_not_to_be_trusted_is_no_weather(start, untrusted):
    port, asked = untrusted
    service = start(settings={"weather.open_meteo_url": f"https://localhost:{port}"})
    assert service.visit(READER).json["state"] == "place"
    wait_until(lambda: service.requests().get("connect"), what="the connection to be given up")
    assert not any(asked), "nothing is asked before the certificate is believed"


@contextlib.contextmanager
def name_server(answers):
    """The address of a name server that knows no name, or says nothing."""
    address = f"127.0.{os.getpid() % 250}.53"
    ended = threading.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((address, 53))
        server.settimeout(0.05)

        def serve():
            while not ended.is_set():
                with contextlib.suppress(TimeoutError):
                    question, client = server.recvfrom(512)
                    if answers:
                        server.sendto(question[:2] + b"\x81\x83" + question[4:], client)
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield address
        finally:
            ended.set()
            thread.join()


@pytest.mark.skipif(cannot_mount(), reason="name servers are of root, and so is mounting in a namespace")
@pytest.mark.parametrize("answers, outcome", [(True, "connect"), (False, "timeout")])
def test_a_name_that_is_not_found_holds_nobody(start, tmp_path, answers, outcome):
    prefix = in_namespace(f"mount --bind {tmp_path}/resolv.conf /etc/resolv.conf")
    (tmp_path / "resolv.conf").write_text("")
    if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("nothing may be mounted here")
    with name_server(answers) as address:
        (tmp_path / "resolv.conf").write_text(f"nameserver {address}\n")
        service = start(settings={"weather.open_meteo_url": "https://weather.invalid", "weather.timeout": "500ms", "weather.wait": "200ms"},
                        prefix=prefix)
        before = time.monotonic()
        assert service.visit(READER).json["state"] == "place" and time.monotonic() - before < 2
        wait_until(lambda: service.requests().get(outcome), 5, f"the outcome {outcome}")
        before = time.monotonic()
        assert request(service.ops, "/healthz").status == 200 and time.monotonic() - before < 1
        assert service.stop() == 0 and time.monotonic() - before < 5


def test_a_disk_with_errors_is_a_state_and_passes(start, tmp_path):
    """Nothing gets onto it for a while: readers notice nothing, the log and /status say it, and then it is made up for."""
    bad = tmp_path / "bad"
    service = start(settings={"cache.snapshot_every": "1s"}, env={
        "LD_PRELOAD": str(BUILD / "failing_disk.so"), "FAILING_DISK": str(bad), "ASAN_OPTIONS": "verify_asan_link_order=0"})
    service.settled(READER)
    bad.touch()
    service.wait_line("cannot write the cache snapshot.*Input/output error")
    assert service.visit(READER).json["state"] == "fresh" and service.ready()
    report = request(service.ops, "/status.json").json
    assert (report["verdict"], report["cause"]) == ("The snapshot cannot be written", "Input/output error")
    written_s = service.metrics()["masthead_snapshot_last_success_timestamp_seconds"]
    bad.unlink()
    wait_until(lambda: service.metrics()["masthead_snapshot_last_success_timestamp_seconds"] > written_s, what="a snapshot")
    assert service.stop() == 0


@pytest.mark.skipif(SANITIZED or BUILD.name == "coverage", reason="another build")
@pytest.mark.parametrize("name", ["masthead", "masthead-sim"])
def test_the_program_is_hardened(name):
    facts = subprocess.run(["readelf", "--wide", "--file-header", "--segments", "--dynamic", "--dyn-syms", BUILD / name], capture_output=True,
                           text=True, check=True).stdout
    assert "Type:                              DYN" in facts  # at any address
    assert re.search(r"GNU_RELRO", facts) and re.search(r"FLAGS_1.*NOW.*PIE", facts) and "BIND_NOW" in facts
    assert re.search(r"GNU_STACK\s+\S+ \S+ \S+ \S+ \S+ RW ", facts)  # not to be executed
    assert "__stack_chk_fail" in facts and re.search(r"__\w+_chk\b", facts) and "RPATH" not in facts and "RUNPATH" not in facts
