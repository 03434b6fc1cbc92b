"""Takes pictures of a service of its own with the bundled readers and the simulator, in a real browser.

    screenshots.py --readme data/pictures --sheets build/screenshots [NAME]...

README pictures go to the one folder, as small as 256 colours make them; all others, to be looked at, to the other; with names, only
the jobs of these names. A job is a row of JOBS; the pictures of the status page are status_pictures.py's ("status").
"""

import argparse
import base64
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import chromium

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import mimics  # noqa: E402
import status_pictures  # noqa: E402
from harness import Masthead, Simulator  # noqa: E402
from newspaper import Newspaper  # noqa: E402

INSTANT = "2026-01-31T08:30:00Z"  # the same pictures at every run
MARGIN = 6
WIDTH, HEIGHT = 1000, 1240
PHONE = 360

FILLED = """document.querySelector('.dateline masthead-weather')?.dataset.state == 'fresh' &&
    document.querySelector('#rows [data-ip]') && document.querySelector('#behind pre') &&
    !document.querySelector('.state:is([data-state=asking], [data-state=place])')"""
ANSWERED = "!document.querySelector('.wall masthead-weather:not([data-state])') && document.querySelector('.wall *')"
STALE = FILLED.replace("'fresh'", "'stale'")
EVERYWHERE = """document.readyState == 'complete' &&
    [...document.querySelectorAll('.masthead-temp')].every((temp) => temp.dataset.state == 'fresh')"""
WAITING = "document.querySelectorAll('.wall masthead-weather').length == 36 && document.querySelector('#date').textContent"


class Job(NamedTuple):
    """A picture: what to open, when it is ready, and what of it to take."""

    name: str
    path: str  # of the playground, or of a page of mimics.py
    ready: str  # a JavaScript expression
    take: str  # a selector
    schemes: tuple = ("light", "dark")  # more than one: the name ends with it
    widths: tuple = (WIDTH,)  # likewise
    lost: tuple = ()  # requests that fail: patterns of URLs
    scale: float = 1
    most: int = 0  # pixels of its height; 0: all
    first: str = ""  # JavaScript to run once it is ready
    readme: bool = False  # for the README: kept with the project


STATES = {"fresh": "fresh", "stale": "upstream-down-6h", "place": "cold"}  # and the scenario's fault
WALL = {"take": "#mastheads", "widths": (1200, PHONE)}

JOBS = [
    Job("masthead", "/hero", EVERYWHERE, "main", schemes=("light",), widths=(900,), scale=2, readme=True),
    *(Job(f"site-{name}", f"/{name}", EVERYWHERE, "main", schemes=("light",), widths=(1200, PHONE)) for name in mimics.SITES),
    Job("playground", "/#scenario=leh-below-zero,upstream-down-6h", STALE, "[aria-labelledby=readers]", schemes=("light",), most=935,
        first="document.querySelector('#behind').open = false", readme=True),
    Job("playground", "/#scenario=new-york,upstream-down-6h&units=f", STALE, "body",
        widths=(1200, PHONE)),
    *(Job(f"mastheads-{state}", f"/#scenario=mumbai,{fault}", ANSWERED, **WALL) for state, fault in STATES.items()),
    Job("mastheads-longest", "/#scenario=long-name,fresh", ANSWERED, **WALL),
    Job("mastheads-unknown", "/#scenario=no-record,fresh", ANSWERED, **WALL),
    Job("mastheads-unavailable", "/", ANSWERED, lost=("*/widget.json*",), **WALL),
    Job("mastheads-waiting", "/", WAITING, lost=("*/masthead.js",), **WALL),
]


def box_of(browser, selector):
    """Where an element stands on the page, with what there is of a margin: x, y, width, height in CSS pixels."""
    return browser.js(
        """const { left, top, right, bottom } = document.querySelector(arguments[0]).getBoundingClientRect(), margin = arguments[1];
        const [x, y] = [Math.max(left + scrollX - margin, 0), Math.max(top + scrollY - margin, 0)];
        return [x, y, Math.min(right + scrollX + margin, innerWidth) - x, bottom + scrollY + margin - y]""",
        selector,
        MARGIN,
    )


def shrink(path):
    """Keeps 256 colours of a picture."""
    subprocess.run(["pngquant", "--force", "--strip", "--speed=1", "--output", path, path], check=True)


def take(browser, path, box, scale):
    clip = {**dict(zip(("x", "y", "width", "height"), box)), "scale": scale}
    arguments = {"format": "png", "clip": clip, "captureBeyondViewport": True, "optimizeForSpeed": False}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(base64.b64decode(browser.driver.execute_cdp_cmd("Page.captureScreenshot", arguments)["data"]))
    print(f"{path}: {path.stat().st_size} bytes")


def photograph(browser, urls, job, scheme, width, path):
    command = browser.driver.execute_cdp_cmd
    size = {"width": width, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": width == PHONE}
    command("Emulation.setDeviceMetricsOverride", size)
    command("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    command("Network.setBlockedURLs", {"urls": list(job.lost)})
    browser.open("about:blank")  # else only the hash would change
    browser.open(urls[job.path.split("#")[0] != "/"] + job.path)
    browser.until(job.ready, f"{job.name} is not complete", seconds=60)
    browser.js(job.first)
    browser.painted()
    x, y, wide, high = box_of(browser, job.take)
    take(browser, path, (x, y, wide, min(high, job.most or high)), job.scale)
    if job.readme:
        shrink(path)


def run(driver, urls, jobs, options):
    browser = chromium.Browser(driver)
    driver.execute_cdp_cmd("Network.enable", {})
    for job in jobs:
        folder = options.readme if job.readme else options.sheets
        for scheme in job.schemes:
            for width in job.widths:
                marks = [job.name, *([scheme] if len(job.schemes) > 1 else []),
                         *([str(width)] if len(job.widths) > 1 else [])]
                photograph(browser, urls, job, scheme, width, folder / ("-".join(marks) + ".png"))


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
        site = Newspaper(service.public, visitor="127.0.0.1")
        mimics.put(site)
        driver = chromium.start(f"{folder}/profile", f"--window-size={WIDTH},{HEIGHT}")
        try:
            run(driver, (service.public, site.url), jobs, options)
        finally:
            driver.quit()
            site.close()
            service.stop()
            simulator.stop()
    if "status" in options.names or not options.names:
        status_pictures.take_all(take, options.readme / "status.png", options.sheets)
        shrink(options.readme / "status.png")


if __name__ == "__main__":
    main()
