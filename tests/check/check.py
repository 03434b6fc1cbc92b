#!/usr/bin/env python3
"""Checks what a compiler does not: format, lint, direction of includes, one owner for each foreign library, agreement of
the option and metric tables with widget.conf and README. Prints every complaint; exit 1 if there is any."""
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
BUILD = ROOT / os.environ.get("BUILD", "build")  # as make has it

# A file includes files of its own room, or of rooms on floors below.
FLOORS = {"base": 0, "synthetic": 1, "visitor": 1, "transfer": 2, "place": 2, "weather": 3,
          "widget": 4, "http": 5, "site": 6, "ops": 7, "config": 8, "demo": 8.2, "service": 8.5, "main": 9}
# The simulator is a house of its own, which shares the ground floor and what the synthetic weather is.
ALSO = {"sim": {"sim", "base", "synthetic"}}


def room_of(path):
    """The room of a file or an include, such as "weather/point" of weather/point/quota.c."""
    parts = pathlib.PurePath(path).with_suffix("").parts
    nested = "/".join(parts[:2])
    return nested if nested in FLOORS else parts[0]


GENERATED = {"web/digests.h"}  # by the Makefile

OWNERS = {
    "civetweb.h": {"src/http/server.c", "src/http/request.c", "src/http/guard.c", "src/sim/wire.c"},
    "curl/curl.h": {"src/weather/point/fetch.c"},
    "jansson.h": {f"src/weather/point/{name}.c" for name in ("open_meteo", "met_norway", "openweathermap", "reply")},
    "maxminddb.h": {"src/place/mmdb.c"},
    "ini.h": {"src/config/config.c"},
    "zlib.h": {"src/weather/cell/snapshot_format.c"},
}

CLANG_FORMAT = "14"  # whose idea of .clang-format the tree follows; each major version has its own

TOP = {"src", "data", "tests", "Makefile", "widget.conf", "README.md", "LICENSE"}

complaints = []


def complain(text):
    complaints.append(text)
    print(text)


def run(*command):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        complain(f"{' '.join(command[:3])}: failed")
        print(done.stdout[-4000:] + done.stderr[-4000:])
    return done


def sources():
    return sorted(path for path in SRC.rglob("*.[ch]"))


def check_format():
    version = re.search(r"version (\d+)", run("clang-format", "--version").stdout)
    if not version or version.group(1) != CLANG_FORMAT:
        print(f"    left out: the tree is formatted by clang-format {CLANG_FORMAT}, here is {version and version.group(1)}")
        return
    files = [str(path) for path in sources() + sorted((ROOT / "tests").rglob("*.[ch]"))]
    run("clang-format", "--dry-run", "-Werror", *files)


def check_lint():
    run("cppcheck", "--quiet", "--std=c11", "--error-exitcode=1", "--enable=warning,portability", "-Isrc", f"-I{BUILD}",
        '-DMASTHEAD_WEB="web/"', "--inline-suppr", "--suppress=missingIncludeSystem",
        "--suppress=normalCheckLevelMaxBranches", '-DMASTHEAD_VERSION="x"', "src")
    scripts = [*(ROOT / "data").rglob("*.sh"), *(ROOT / "tests").glob("*.sh"), ROOT / ".ci" / "run"]
    run("shellcheck", *sorted(str(path) for path in scripts))
    jobs = f"-j{os.cpu_count() or 1}"
    for compiler in ("gcc", "clang"):
        run("make", "-s", jobs, "all", f"CC={compiler}", f"BUILD=build/check-{compiler}", "CFLAGS=-O2 -Werror")


def check_includes():
    for path in sources():
        name = str(path.relative_to(ROOT))
        room = room_of(path.relative_to(SRC))
        for included in re.findall(r'^#include "([^"]+)"', path.read_text(), re.M):
            target = room_of(included)
            if included in GENERATED:
                continue
            if not (SRC / included).exists():
                complain(f"{name}: includes {included}, which is not there")
            elif room in ALSO:
                if target not in ALSO[room]:
                    complain(f"{name}: includes {included} from another house")
            elif target != room and not (target in FLOORS and FLOORS[target] < FLOORS[room]):
                complain(f"{name}: includes {included}, which is not on a floor below")
        for library in re.findall(r"^#include <([^>]+)>", path.read_text(), re.M):
            if library in OWNERS and name not in OWNERS[library]:
                complain(f"{name}: includes <{library}>, which belongs to {', '.join(sorted(OWNERS[library]))}")
        if re.search(r'#include "config/', path.read_text()) and room not in ("config", "demo", "service", "main"):
            complain(f"{name}: only main.c, service.c and demo.c see the configuration")


def settings(text):
    """The lines of a configuration that count, and the comments before them."""
    return [line.rstrip() for line in text.splitlines() if line.strip() and not line.startswith("# from ")]


def check_documents():
    printed = subprocess.run([BUILD / "masthead", "--print-config", "--config", "/dev/null"],
                             capture_output=True, text=True, check=True,
                             env={"PATH": os.environ["PATH"]}).stdout
    shipped = (ROOT / "widget.conf").read_text(encoding="utf-8")
    body = shipped[shipped.index("[server]"):]
    if settings(body) != settings(printed):
        complain("widget.conf: differs from the option table (build/masthead --print-config --config /dev/null)")
        ours, theirs = settings(body), settings(printed)
        for line in ours:
            if line not in theirs:
                print(f"  only in widget.conf: {line}")
        for line in theirs:
            if line not in ours:
                print(f"  only in the table:   {line}")

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for key in re.findall(r"^(\w+) =", printed, re.M):
        if f"`{key}`" not in readme:
            complain(f"README.md: does not explain the option `{key}`")
    for path in sources():
        for metric in re.findall(r'(?:COUNTER|GAUGE|HISTOGRAM)\(\s*"(masthead_\w+)"', path.read_text()):
            if metric not in readme:
                complain(f"README.md: does not name the metric {metric}")


def check_tree():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.splitlines()
    for name in tracked:
        top = name.split("/")[0]
        if not top.startswith(".") and top not in TOP:
            complain(f"{name}: not one of the agreed folders at the top")
        if pathlib.Path(name).name.startswith("util."):
            complain(f"{name}: a helper without a home means that a noun is missing")


def main():
    for check in (check_tree, check_includes, check_documents, check_format, check_lint):
        print(f"  {check.__name__.replace('_', ' ')}", flush=True)
        check()
    print("checks passed" if not complaints else f"{len(complaints)} complaints")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
