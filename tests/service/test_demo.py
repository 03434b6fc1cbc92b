"""Goal of these tests: `masthead demo` is all that another project's browser tests need, and leaves nothing behind."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest

from harness import BUILD, ROOT, children, request, restore_interrupt, wait_until


def environment(tmp_path, path=BUILD):
    clean = {key: value for key, value in os.environ.items() if not key.startswith("MASTHEAD__")}
    return {**clean, "TMPDIR": str(tmp_path), "PATH": f"{path}:{os.environ['PATH']}"}


def runs(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def demo(tmp_path):
    """Starts a demo in an empty folder, demo(*arguments) -> (process, its line)."""
    started = []

    def start(*arguments, program=BUILD / "masthead"):
        folder = tmp_path / f"empty{len(started)}"
        folder.mkdir()
        begun = time.monotonic()
        process = subprocess.Popen([program, "demo", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder, text=True,
                                   env=environment(tmp_path), preexec_fn=restore_interrupt, stderr=subprocess.DEVNULL)
        started.append(process)
        where = json.loads(process.stdout.readline())
        where["took_s"] = time.monotonic() - begun
        return process, where

    yield start
    for process in started:
        process.stdin.close()
        assert process.wait(10) in (0, -signal.SIGKILL)
        assert process.stdout.read() == "", "one line and no more"


def text(where, query="", **headers):
    return request(where["public"], "/widget.txt" + query, headers={key.replace("_", "-"): value for key, value in headers.items()}).text.strip()


def test_ready_in_two_seconds_with_everything_in_it(demo):
    starts = [demo()[1] for _ in range(3)]
    where = min(starts, key=lambda start: start["took_s"])
    assert where["took_s"] < 2, "the promise, on a machine that may be busy with other tests"
    assert len({start["public"] for start in starts}) == 3, "side by side"
    for listener, path in (("public", "/healthz"), ("ops", "/readyz"), ("simulator", "/"), ("public", "/"), ("public", "/dev/scenarios.json")):
        assert request(where[listener], path).status == 200
    names = {reader["name"]: reader["address"] for reader in where["readers"]}
    assert names["tokyo"] == "198.51.100.65" and "unreadable" not in names and len(names) == 22
    wait_until(lambda: "--" not in text(where, X_Forwarded_For=names["tokyo"]), what="weather of the simulator")
    assert text(where, X_Forwarded_For=names["tokyo"]).startswith("Tokyo")
    assert text(where, "?scenario=new-york,stale").startswith("New York")
    assert request(where["simulator"], "/sim/count").json["requests"] > 0
    assert request(where["public"], "/widget.json", headers={"X-Forwarded-For": names["tokyo"]}).json["simulated"] is True


def test_a_scenario_for_all_that_name_none(demo):
    process, where = demo("--scenario", "upstream-down-6h,leh-below-zero")
    mine = request(where["public"], "/widget.json")
    assert (mine.json["place"]["name"], mine.json["state"], mine.json["age_s"]) == ("Leh", "stale", 21600)
    assert mine.headers["Cache-Control"] == "no-store"
    theirs = request(where["public"], "/widget.json", headers={"X-Forwarded-For": "198.51.100.17"})
    assert (theirs.json["place"]["name"], theirs.json["state"], theirs.json["age_s"]) == ("London", "stale", 21600)
    assert theirs.headers["X-Masthead-Scenario"] == "upstream-down-6h; at=2026-01-31T09:30:00Z"
    assert text(where, "?ip=198.51.100.17").startswith("London") and text(where, "?scenario=tokyo,cold") == "Tokyo --\u00a0°C"
    assert request(where["public"], "/widget.json?at=2026-06-01T00:00:00Z").json["fetched_at"] == "2026-05-31T18:00:00Z"
    assert request(where["simulator"], "/sim/count").json["requests"] == 0, "nobody was asked"


@pytest.mark.parametrize("how", ["end of input", signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_it_ends_whole(demo, tmp_path, how):
    process, where = demo()
    simulators = children(process.pid)
    assert len(simulators) == 1 and list(tmp_path.glob("masthead-demo.*"))
    if how == "end of input":
        process.stdin.close()
    else:
        process.send_signal(how)
    assert process.wait(10) == (-signal.SIGKILL if how == signal.SIGKILL else 0)
    wait_until(lambda: not runs(simulators[0]), what="the simulator's end")
    if how != signal.SIGKILL: # then nobody is left to clean up
        assert not list(tmp_path.glob("masthead-demo.*"))


def test_it_works_where_it_is_installed(demo, tmp_path):
    subprocess.run(["make", "-s", "install", f"BUILD={BUILD}", f"DESTDIR={tmp_path / 'root'}", "PREFIX=/usr"], cwd=ROOT, check=True)
    process, where = demo("--set", "widget.units=f", program=tmp_path / "root/usr/bin/masthead")
    assert text(where, "?scenario=mumbai").endswith("°F"), "settings of one's own go before the demo's"


@pytest.mark.parametrize("arguments, status, said", [
    (["--scenario", "atlantis"], 2, "atlantis: not a known reader or fault"),
    (["--scenario", "mumbai,tokyo"], 2, "mumbai,tokyo: names two of a kind"),
    (["--config", "widget.conf"], 2, "configuration of its own"),
    (["--scenario"], 2, "usage:"),
    (["somewhere"], 2, "usage:"),
    (["--set", "widget.unit=f"], 2, 'did you mean "units"?'),
    (["--set", "server.listen=192.0.2.1:1"], 1, "cannot listen"),
])
def test_what_is_wrong_is_said(tmp_path, arguments, status, said):
    done = subprocess.run([BUILD / "masthead", "demo", *arguments], env=environment(tmp_path), stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=10)
    assert (done.returncode, done.stdout) == (status, "") and said in done.stderr
    assert not list(tmp_path.glob("masthead-demo.*"))


def test_without_its_simulator_or_a_folder(tmp_path):
    shutil.copy(BUILD / "masthead", tmp_path)
    alone = subprocess.run([tmp_path / "masthead", "demo"], env=environment(tmp_path), capture_output=True, text=True, timeout=10)
    assert alone.returncode == 1 and "cannot start" in alone.stderr and not list(tmp_path.glob("masthead-demo.*"))
    homeless = subprocess.run([BUILD / "masthead", "demo"], env=environment(tmp_path / "nowhere"), capture_output=True, text=True, timeout=10)
    assert homeless.returncode == 1 and "cannot make a folder" in homeless.stderr


def test_it_ends_though_its_simulator_ignores_being_asked_to(demo, tmp_path):
    shutil.copy(BUILD / "masthead", tmp_path)
    simulator = tmp_path / "masthead-sim"
    simulator.write_text("#!/bin/sh\ntrap '' TERM\necho masthead-sim ready http://127.0.0.1:1\nexec tail -f /dev/null >/dev/null 2>&1\n")
    simulator.chmod(0o755)
    process, _ = demo(program=tmp_path / "masthead")
    stubborn = children(process.pid)
    try:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0 and not any(map(runs, stubborn))
    finally:
        for pid in filter(runs, stubborn):
            os.kill(pid, signal.SIGKILL)


def test_the_recipe_for_pytest_runs_as_it_stands(tmp_path):
    recipe = next(block for block in re.findall(r"```python\n(.*?)```", (ROOT / "tests" / "README.md").read_text(encoding="utf-8"), re.S)
                  if "demo" in block)
    (tmp_path / "test_recipe.py").write_text(recipe, encoding="utf-8")
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_recipe.py"], cwd=tmp_path, timeout=30,
                          env=environment(tmp_path), capture_output=True, text=True)
    assert done.returncode == 0 and "1 passed" in done.stdout, done.stdout + done.stderr


def test_the_recipe_for_scripts_runs_as_it_stands(tmp_path):
    start = re.search(r"`(mkfifo hold; [^`]+)`", (ROOT / "tests" / "README.md").read_text(encoding="utf-8")).group(1)
    script = f"set -e; {start}; until grep -q public where.json; do sleep 0.05; done; cat where.json; exec 3>&-; wait $!"
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, timeout=30, env=environment(tmp_path), capture_output=True, text=True)
    assert done.returncode == 0 and "public" in json.loads(done.stdout), done.stderr
