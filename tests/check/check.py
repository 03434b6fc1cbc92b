#!/usr/bin/env python3
"""Checks what a compiler does not: format, lint, direction of includes, one owner for each foreign library, length of
functions and files, comments that name what is gone, agreement of the option and metric tables with widget.conf and the
documents, of the version and the targets with them. Prints every complaint; exit 1 if there is any."""
import os
import pathlib
import re
import subprocess
import sys

import comments

ROOT = pathlib.Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
BUILD = ROOT / os.environ.get("BUILD", "build")  # as make has it

# A file includes files of its own room, or of rooms on floors below. A room inside a room, such as "weather/cell", is
# a room where it has a row, and then only the rooms beside it and around it include its files.
FLOORS = {
    "base": 0,
    "synthetic": 1, "visitor": 1, "grib": 1,
    "transfer": 2, "place": 2,
    "weather/cell": 3, "weather/fleet": 3.2, "weather/point": 3.3, "weather/earth": 3.3, "weather": 3.9,
    "widget": 4,
    "http": 5,
    "site": 6,
    "ops": 7,
    "config": 8, "demo": 8.2, "lookup": 8.2, "service": 8.5,
    "main": 9,
}
# The simulator is a house of its own, which shares the ground floor and what the synthetic weather is.
ALSO = {"sim": {"sim", "base", "synthetic", "grib"}}

GENERATED = {"web/digests.h", "widget/languages.h"}  # by the Makefile

# A library's header is included by these files and rooms only.
OWNERS = {
    "civetweb.h": {*(f"src/http/{name}.c" for name in ("listener", "answer", "request", "guard")), "src/sim/wire.c"},
    "curl/curl.h": {"src/transfer/transfer.c"},
    "libpsl.h": {"src/transfer/transfer.c"},
    "jansson.h": {"src/weather/point"},
    "grib2.h": {"src/grib/grib.c"},
    "hiredis/hiredis.h": {"src/weather/fleet/redis.c"},
    "maxminddb.h": {"src/place/mmdb.c"},
    "utf8proc.h": {"src/place/fold.c"},
    "zlib.h": {"src/weather/cell/snapshot.c", "src/weather/earth/planes.c", "src/weather/earth/inflate.c",
               "src/weather/fleet/value.c",
               "src/sim/faults.c"},
}

CLANG_FORMAT = "14"  # whose idea of .clang-format the tree follows; each major version has its own

TOP = {"src", "data", "tests", "Makefile", "widget.conf", "README.md", "LICENSE"}

REFERENCE = ROOT / "data" / "ops" / "README.md"  # describes options and metrics
README_MAX_BYTES = 10000
FUNCTION_LINES = 20  # of nine functions in ten
FILE_LINES = 450
CODE = (".c", ".h", ".js", ".py", ".sh", ".pl", ".css", ".html", ".svg", ".conf", ".vcl", ".awk", ".php", ".yml", ".yaml",
        ".service", ".timer", ".json", ".8", ".md", "Makefile", "run")

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
    scripts = [*(ROOT / "data").rglob("*.sh"), *(ROOT / "data" / "debian").glob("p*[tm]"), *(ROOT / "tests").glob("*.sh"), ROOT / ".ci" / "run"]
    run("shellcheck", *sorted(str(path) for path in scripts))
    jobs = f"-j{os.cpu_count() or 1}"
    for compiler in ("gcc", "clang"):
        run("make", "-s", jobs, "all", "measures", f"CC={compiler}", f"BUILD={BUILD}/check-{compiler}", "CFLAGS=-O2 -Werror")


def room_of(path):
    """The room of a file or an include: "weather" of weather/cell/cell.c, or "weather/cell" if that has a row."""
    parts = pathlib.PurePath(path).with_suffix("").parts
    nested = "/".join(parts[:2])
    return nested if nested in FLOORS else parts[0]


def may_include(room, target):
    if room in ALSO:
        return target in ALSO[room]
    if "/" in target and target.split("/")[0] != room.split("/")[0]:
        return False
    return target == room or (target in FLOORS and FLOORS[target] < FLOORS[room])


def check_includes():
    for path in sources():
        name = str(path.relative_to(ROOT))
        room = room_of(path.relative_to(SRC))
        for included in re.findall(r'^#include "([^"]+)"', path.read_text(), re.M):
            if included in GENERATED:
                continue
            if not (SRC / included).exists():
                complain(f"{name}: includes {included}, which is not there")
            elif not may_include(room, room_of(included)):
                complain(f"{name}: includes {included}, which is not on a floor below")
        for library in re.findall(r"^#include <([^>]+)>", path.read_text(), re.M):
            if library in OWNERS and not any(f"{name}/".startswith(f"{owner}/") for owner in OWNERS[library]):
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

    text = REFERENCE.read_text(encoding="utf-8")
    metrics = [name for path in sources() for name in
               re.findall(r'(?:COUNTER|GAUGE|HISTOGRAM)\(\s*"(masthead_\w+)"', path.read_text())]
    for name in [f"`{key}`" for key in re.findall(r"^(\w+) =", printed, re.M)] + metrics:
        if name not in text:
            complain(f"{REFERENCE.relative_to(ROOT)}: does not name {name}")


def check_version():
    version = re.search(r"^VERSION := (\S+)", (ROOT / "Makefile").read_text(), re.M).group(1)
    changes = ROOT / "data" / "CHANGES.md"
    heading = re.search(r"^#+ (.*)", changes.read_text(encoding="utf-8"), re.M)
    if not heading or heading.group(1) != version:
        complain(f"data/CHANGES.md: does not begin with {version}, as the Makefile has it")
    for path in ("masthead.php", "readme.txt"):  # which WordPress reads as they are
        if not re.search(rf"^(?: \* Version|Stable tag): {re.escape(version)}$", (ROOT / "data/embed/wordpress" / path).read_text(), re.M):
            complain(f"data/embed/wordpress/{path}: is not of version {version}, as the Makefile has it")
    if (ROOT / "README.md").stat().st_size > README_MAX_BYTES:
        complain(f"README.md: more than {README_MAX_BYTES} bytes")


def check_targets():
    """Each target that a document or `make help` names is one."""
    rules = re.findall(r"^([a-z][\w -]*):(?!=)", (ROOT / "Makefile").read_text(), re.M)
    targets = {target for rule in rules for target in rule.split()}
    for path, text in tracked((".md", "Makefile")).items():
        for shown in re.findall(r"`[^`\n]+`|^#: .*$|(?s:^```.*?^```)", text, re.M):
            for named in re.findall(r"(?:^|[`\n:;&(]) *(?:sudo )?make ((?:[a-z][a-z0-9-]*\b(?!=) ?)+)", shown):
                for missing in set(named.split()) - targets:
                    complain(f"{path}: names `make {missing}`, which is no target")


def tracked(endings=("",)):
    """The text of the files that git tracks and that are there, by path."""
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.splitlines()
    return {pathlib.Path(name): (ROOT / name).read_text(encoding="utf-8", errors="replace") for name in names
            if name.endswith(endings) and (ROOT / name).exists()}


def check_tree():
    for path in tracked():
        name, top = str(path), path.parts[0]
        if not top.startswith(".") and top not in TOP:
            complain(f"{name}: not one of the agreed folders at the top")
        if path.name.startswith("util."):
            complain(f"{name}: a helper without a home means that a noun is missing")


def check_comments():
    for path, name in comments.gone(tracked(CODE)):
        complain(f"{path}: speaks of {name}, which is gone")


def functions(path):
    """(lines of the body, name) of each function, in the form that clang-format gives it."""
    name, begin = "", None
    for number, line in enumerate(path.read_text().splitlines()):
        if line == "{":
            begin = number
        elif line == "}" and begin is not None:
            yield number - begin - 1, f"{name} in {path.relative_to(ROOT)}"
            begin = None
        elif match := re.match(r"\w.*?(\w+)\(", line):
            name = match.group(1)


def check_lengths():
    lengths = sorted(one for path in sources() for one in functions(path))
    usual = lengths[len(lengths) * 9 // 10][0]
    print(f"    {len(lengths)} functions, nine in ten have at most {usual} lines; the longest: {lengths[-1][0]},"
          f" {lengths[-1][1]}")
    if usual > FUNCTION_LINES:
        complain(f"src: one function in ten has more than {FUNCTION_LINES} lines")
    for path in sources():
        count = len(path.read_text().splitlines())
        if count > FILE_LINES:
            complain(f"{path.relative_to(ROOT)}: {count} lines, more than {FILE_LINES}")


def main():
    for check in (check_tree, check_includes, check_lengths, check_comments, check_version, check_targets,
                  check_documents, check_format, check_lint):
        print(f"  {check.__name__.replace('_', ' ')}", flush=True)
        check()
    print("checks passed" if not complaints else f"{len(complaints)} complaints")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
