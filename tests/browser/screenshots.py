"""Takes pictures of a service of its own with the bundled readers and the simulator, in a real browser.

    screenshots.py --readme data/pictures --sheets build/screenshots [NAME]...

README pictures go to the one folder, all others, to be looked at, to the other; with names, only the jobs of these names.
A job is a row of JOBS; the pictures of the status page are status_pictures.py's.
"""

import argparse
import base64
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import chromium

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import status_pictures  # noqa: E402
from harness import Masthead, Simulator  # noqa: E402

INSTANT = "2026-01-31T08:30:00Z"  # the same pictures at every run
MARGIN = 6
WIDTH, HEIGHT = 1000, 1240
PHONE = 360

FILLED = """document.querySelector('#city').dataset.state == 'fresh' &&
    document.querySelector('.dateline masthead-weather').dataset.state == 'fresh' &&
    document.querySelector('#rows [data-ip]') &&
    !document.querySelector('.state:is([data-state=asking], [data-state=place])')"""
ANSWERED = "!document.querySelector('.wall masthead-weather:not([data-state])') && document.querySelector('.wall *')"
WAITING = "document.querySelectorAll('.wall masthead-weather').length == 36 && document.querySelector('#date').textContent"


class Job(NamedTuple):
    """A picture: what to open, when it is ready, and what of it to take."""

    name: str
    path: str
    ready: str  # a JavaScript expression
    take: str = ""  # a selector; "": what is seen first
    schemes: tuple = ("light", "dark")  # more than one: the name ends with it
    widths: tuple = (WIDTH,)  # likewise
    scale: float = 1
    lost: tuple = ()  # requests that fail: patterns of URLs
    readme: bool = False  # for the README: kept with the project


STATES = {"fresh": "fresh", "stale": "upstream-down-6h", "place": "cold"}  # and the scenario's fault
WALL = {"take": "#mastheads", "widths": (1200, PHONE)}

JOBS = [
    Job("masthead", "/", FILLED, "#pair", schemes=("light",), scale=2, readme=True),
    Job("playground", "/", FILLED, schemes=("light",), readme=True),
    Job("playground", "/#scenario=new-york,upstream-down-6h&units=f", FILLED.replace("'fresh'", "'stale'"), "body",
        widths=(1200, PHONE)),
    *(Job(f"mastheads-{state}", f"/#scenario=mumbai,{fault}", ANSWERED, **WALL) for state, fault in STATES.items()),
    Job("mastheads-longest", "/#scenario=long-name,fresh", ANSWERED, **WALL),
    Job("mastheads-unknown", "/#scenario=no-record,fresh", ANSWERED, **WALL),
    Job("mastheads-unavailable", "/", ANSWERED, lost=("*/widget.json*",), **WALL),
    Job("mastheads-waiting", "/", WAITING, lost=("*/masthead.js",), **WALL),
]


def box_of(browser, selector):
    """Where an element stands on the page, with a margin: x, y, width, height in CSS pixels."""
    x, y, width, height = browser.js(
        "const { x, y, width, height } = document.querySelector(arguments[0]).getBoundingClientRect();"
        "return [x + scrollX, y + scrollY, width, height]",
        selector,
    )
    return x - MARGIN, y - MARGIN, width + 2 * MARGIN, height + 2 * MARGIN


def take(browser, path, box, scale):
    clip = {**dict(zip(("x", "y", "width", "height"), box)), "scale": scale}
    arguments = {"format": "png", "clip": clip, "captureBeyondViewport": True, "optimizeForSpeed": False}
    path.write_bytes(base64.b64decode(browser.driver.execute_cdp_cmd("Page.captureScreenshot", arguments)["data"]))
    print(f"{path}: {path.stat().st_size} bytes")


def photograph(browser, public, job, scheme, width, path):
    command = browser.driver.execute_cdp_cmd
    size = {"width": width, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": width == PHONE}
    command("Emulation.setDeviceMetricsOverride", size)
    command("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    command("Network.setBlockedURLs", {"urls": list(job.lost)})
    browser.open("about:blank")  # else only the hash would change
    browser.open(public + job.path)
    browser.until(job.ready, f"{job.name} is not complete", seconds=60)
    browser.painted()
    take(browser, path, box_of(browser, job.take) if job.take else (0, 0, width, HEIGHT), job.scale)


def run(driver, public, jobs, options):
    browser = chromium.Browser(driver)
    driver.execute_cdp_cmd("Network.enable", {})
    for job in jobs:
        folder = options.readme if job.readme else options.sheets
        folder.mkdir(parents=True, exist_ok=True)
        for scheme in job.schemes:
            for width in job.widths:
                marks = [job.name, *([scheme] if len(job.schemes) > 1 else []),
                         *([str(width)] if len(job.widths) > 1 else [])]
                photograph(browser, public, job, scheme, width, folder / ("-".join(marks) + ".png"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--readme", required=True, type=Path, help="folder for the README's pictures")
    parser.add_argument("--sheets", required=True, type=Path, help="folder for the others")
    parser.add_argument("names", nargs="*", metavar="NAME", help="of the jobs to do; all")
    options = parser.parse_args()
    jobs = [job for job in JOBS if not options.names or job.name in options.names]
    simulator = Simulator("--at", INSTANT)
    with tempfile.TemporaryDirectory() as folder:
        service = Masthead(folder, simulator, settings={"dev.at": INSTANT})
        driver = chromium.start(f"{folder}/profile", f"--window-size={WIDTH},{HEIGHT}")
        try:
            run(driver, service.public, jobs, options)
        finally:
            driver.quit()
            service.stop()
            simulator.stop()
    status_pictures.take_all(take, options.readme / "status.png", options.sheets)


if __name__ == "__main__":
    main()
