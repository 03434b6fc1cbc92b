"""Goal of this test: another weather API is one file, one row and its options, and no other file of src/ is touched."""
import os
import shutil
import subprocess

from harness import ROOT, request, wait_until

ROW = '    ROW(WINDY, windy, "windy")                  \\\n'
OPTIONS = '''    {"weather", "windy_url", "https://api.windy.example", URL(weather.provider[PROVIDER_WINDY].url),
     .help = "Base of Windy's API"},
    {"weather", "windy_budget", "", BUDGET(weather.provider[PROVIDER_WINDY].budget), .help = "Most requests to it"},
'''


def insert(path, before, text):
    """Puts a text before the first line that begins so."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if line.startswith(before))
    path.write_text("".join([*lines[:at], text, *lines[at:]]), encoding="utf-8")


def test_another_provider_is_one_file_one_row_and_its_options(start, server, tmp_path, monkeypatch):
    for name in ("src", "data"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("geoip", "pictures"))
    shutil.copy(ROOT / "Makefile", tmp_path)
    point = tmp_path / "src" / "weather" / "point"
    shutil.copy(ROOT / "tests" / "service" / "windy.c", point)
    insert(point / "upstream.h", "    ROW(OPEN_METEO", ROW)
    insert(tmp_path / "src" / "config" / "table.c", '    {"weather", "contact"', OPTIONS)
    kept = {path.relative_to(tmp_path) for path in (tmp_path / "src").rglob("*") if path.is_file()}
    assert len(kept) == len([path for path in (ROOT / "src").rglob("*") if path.is_file()]) + 1
    environment = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL", "BUILD", "SANITIZE")}
    done = subprocess.run(["make", "-s", f"-j{os.cpu_count()}", "CFLAGS=-O0", "build/masthead"], cwd=tmp_path, env=environment,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr

    paths = []

    def answer(path, headers):
        paths.append(path)
        return 200, {}, b"31.2\n"

    monkeypatch.setattr("harness.BUILD", tmp_path / "build")
    service = start(simulator=None, settings={"weather.providers": "windy", "weather.windy_url": server(answer),
                                              "weather.windy_budget": "100/d"})
    seen = service.settled("192.0.2.1")
    assert seen["temperature"]["celsius"] == 31.2 and seen["provider"] == "windy"
    assert seen["credits"][0]["url"] == "https://windy.example/"
    assert paths == ["/now/19.1000/72.9000"]
    metrics = service.metrics()
    assert metrics['masthead_upstream_requests_total{provider="windy",outcome="ok"}'] == 1
    assert metrics['masthead_upstream_budget_remaining{provider="windy",window="day"}'] == 99
    row = request(service.ops, "/status.json").json["upstreams"][0]
    assert row["provider"] == "windy" and row["last_success"] is not None
    wait_until(lambda: service.metrics()["masthead_cache_entries"] == 1, what="the cell")
