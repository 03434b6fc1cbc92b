#!/usr/bin/env python3
"""The soak: readers come all the time while something goes wrong again and again, the same things in the same order at every run
of a seed. Prints how many of them were answered, and how memory grew in the second half; exit 1 if one was not, or if a long
run grew by more than 10 KB a minute."""
import argparse
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from harness import EDGE, SANITIZED, VISITORS, Masthead, Simulator, at_place, readers, request

READERS = 4           # at a time
PAUSE_S = 0.02        # of each, between two requests
PLACES = 3000         # in which they are, three times as many as the cache holds
LONG_S = 600          # a shorter run says nothing about memory
SLOPE_KB = 10         # a minute; a sanitizer keeps what is freed, and nothing is said of that
UPSTREAM = ("hang", "reset", "partial", "drip", "huge", "429", "203", "400", "401", "404", "500", "503", "retry-after", "gzip-bomb",
            "redirect", "html", "empty", "garbage", "truncated", "stream-error", "deep", "nulls", "nan", "cold", "old", "unordered",
            "uneven", "wrong-units", "wrong-types", "no-hourly", "slow")
STEPS = ("1m", "20m", "3h", "26h", "-1h", "-5m")


class Soak:
    def __init__(self, folder, seed):
        self.random, self.folder = random.Random(seed), folder
        self.database = folder / "visitors.mmdb"
        shutil.copy(VISITORS, self.database)
        self.state = folder / "state"
        self.state.mkdir()
        self.mounts = subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0
        prefix = ["unshare", "-m", "sh", "-ec", f'mount --make-rprivate /; mount -t tmpfs -o size=8m none {self.state}; exec "$@"',
                  "sh"] if self.mounts else []
        self.simulator = Simulator()
        self.service = Masthead(self.state, simulator=self.simulator, prefix=prefix, settings={
            "geoip.databases": str(self.database), "geoip.watch": "1s", "geoip.headers": ",".join(EDGE), "cache.capacity": "1000",
            "cache.snapshot_every": "1s", "weather.providers": "open-meteo, met-norway", "weather.contact": "soak@example.org",
            "weather.met_norway_url": self.simulator.url, "weather.open_meteo_budget": "6000/m 100000/h", "weather.timeout": "500ms",
            "weather.refresh": "10m"})
        self.addresses = [row[family] for row in readers() for family in ("ipv4", "ipv6") if row[family]]
        self.faults = {name.removeprefix("fault_"): getattr(self, name) for name in sorted(dir(self)) if name.startswith("fault_")}
        if not self.mounts:
            del self.faults["full_disk"]
        self.answers, self.failures, self.resident = 0, [], []
        self.lock, self.ended = threading.Lock(), threading.Event()

    # What goes wrong

    def fault_upstream(self):
        kind = self.random.choice(UPSTREAM)
        self.simulator.fault(kind, "600" if kind == "slow" else None)
        return kind

    def fault_reload(self):
        self.service.signal(1)
        return "SIGHUP"

    def fault_database(self):
        """Replaced by the same one, by half of it, or by something else."""
        kind = self.random.choice(("whole", "half", "text", "gone"))
        whole, fresh = VISITORS.read_bytes(), self.folder / "fresh.mmdb"
        if kind == "gone":
            self.database.unlink(missing_ok=True)
        else:
            fresh.write_bytes({"whole": whole, "half": whole[:len(whole) // 2], "text": b"no database\n"}[kind])
            os.rename(fresh, self.database)
        return kind

    def fault_clock(self):
        step = self.random.choice(STEPS)
        self.service.advance(step)
        return step

    def fault_full_disk(self):
        try:
            with open(self.inside() / "filler", "wb", buffering=0) as filler:
                while True:
                    filler.write(b"x" * 65536)
        except OSError:
            return "full"

    def inside(self):
        return pathlib.Path(f"/proc/{self.service.child.pid}/root{self.state}")

    def mend(self):
        self.simulator.fault("none")
        if self.mounts:
            (self.inside() / "filler").unlink(missing_ok=True)
        if not self.database.exists():
            shutil.copy(VISITORS, self.database)

    # Who comes meanwhile

    def visit(self, rng):
        if rng.random() < 0.3:
            headers = {"X-Forwarded-For": rng.choice(self.addresses)}
        else:
            place = random.Random(rng.randrange(PLACES))
            headers = at_place(round(place.uniform(-60, 70), 2), round(place.uniform(-179, 179), 2))
        try:
            answer = request(self.service.public, "/widget", headers=headers, timeout=10)
            wrong = None if answer.status == 200 and answer.body else f"status {answer.status}"
        except OSError as error:
            wrong = repr(error)
        with self.lock:
            self.answers += 1
            if wrong:
                self.failures.append(wrong)

    def read(self, seed):
        rng = random.Random(seed)
        while not self.ended.is_set():
            self.visit(rng)
            self.ended.wait(PAUSE_S)

    def sample(self):
        text = pathlib.Path(f"/proc/{self.service.child.pid}/status").read_text()
        kilobytes = int(next(line for line in text.splitlines() if line.startswith("VmRSS:")).split()[1])
        self.resident.append((time.monotonic(), kilobytes))

    # All of it

    def run(self, seconds, every):
        began = due = time.monotonic()
        threads = [threading.Thread(target=self.read, args=(i,)) for i in range(READERS)]
        for thread in threads:
            thread.start()
        try:
            while time.monotonic() < began + seconds and self.service.child.poll() is None:
                if time.monotonic() >= due:
                    due += every
                    if self.random.random() < 0.3:
                        self.mend()
                    name = self.random.choice(sorted(self.faults))
                    print(f"{time.monotonic() - began:7.0f} s  {name}: {self.faults[name]()}", flush=True)
                self.sample()
                self.ended.wait(min(1, every))
        finally:
            self.ended.set()
            for thread in threads:
                thread.join()

    def slope(self):
        """Of resident memory in the second half, in KB a minute."""
        second = self.resident[len(self.resident) // 2:]
        times, sizes = zip(*second)
        return statistics.linear_regression(times, sizes).slope * 60 if len(second) > 1 else 0.0

    def end(self):
        self.mend()
        status = self.service.stop(60)
        self.simulator.stop()
        return status


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1800)
    parser.add_argument("--every", type=float, default=20, help="seconds between two faults")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        soak = Soak(pathlib.Path(folder), arguments.seed)
        if not soak.mounts:
            print("left out: a full disk, which needs a mount")
        soak.run(arguments.seconds, arguments.every)
        status = soak.end()
    slope, answered = soak.slope(), soak.answers - len(soak.failures)
    print(f"availability {100 * answered / soak.answers:.3f} %: {answered} of {soak.answers} answers of /widget")
    print(f"memory {soak.resident[-1][1]} KB, slope {slope:+.1f} KB a minute in the second half")
    for failure in sorted(set(soak.failures)):
        print(f"{soak.failures.count(failure)} times {failure}")
    if status != 0:
        print(f"the service ended with {status}:", *soak.service.lines[-40:], sep="\n")
    return 1 if soak.failures or status != 0 or (arguments.seconds >= LONG_S and not SANITIZED and slope > SLOPE_KB) else 0


if __name__ == "__main__":
    sys.exit(main())
