#!/usr/bin/env python3
"""Runs fuzz targets, two at a time or as many as there are processors, and prints what each has done. An input that breaks
something is kept in the build folder, in found/, and named; exit 1. Inputs that reach something new are kept in work/."""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

CORPUS = pathlib.Path(__file__).resolve().parent / "corpus"
LONGEST = {"mmdb": 257, "snapshot": 600, "dates": 64}  # bytes of an input; MAX for the others
MAX = 1024             # short ones are faster, and reach every branch


def command(build, name, *limits):
    return [build / "target" / name, f"-max_len={LONGEST.get(name, MAX)}", "-timeout=20", "-rss_limit_mb=1024",
            "-print_final_stats=1", *limits]


def targets(build):
    return sorted(path.name for path in (build / "target").iterdir() if path.suffix == "")


def fuzz(build, name, seconds):
    work, found = build / "work" / name, build / "found"
    for folder in (work, found):
        folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run([*command(build, name, f"-max_total_time={seconds}", f"-artifact_prefix={found}/{name}-"),
                           work, CORPUS / name], stderr=subprocess.PIPE, text=True, errors="replace")
    said = done.stderr

    def number(pattern):
        return int((re.findall(pattern, said) or [0])[-1])

    print(f"{name:15} {number(r'number_of_executed_units: ([0-9]+)'):12,} executions, {number(r'cov: ([0-9]+)'):6,} edges"
          f"{'' if done.returncode == 0 else '  FAILED'}", flush=True)
    if done.returncode != 0:
        print(said[-6000:])
    return done.returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("targets", nargs="*", help="all when none is given")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        fine = list(pool.map(lambda name: fuzz(build, name, arguments.seconds), arguments.targets or targets(build)))
    return 0 if all(fine) else 1


if __name__ == "__main__":
    sys.exit(main())
