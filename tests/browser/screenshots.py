"""Takes the pictures that the README shows, of a service of its own with the bundled readers and the simulator.

    screenshots.py --out data/pictures

Writes masthead.png (the header before and after), playground.png (the top of the front page) and status.png (of the status page, see
status_pictures.py), in light colours.
"""

import argparse
import base64
import sys
import tempfile
from pathlib import Path

import chromium

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import status_pictures  # noqa: E402
from harness import BUILD, Masthead, Simulator  # noqa: E402

SCALE = 2  # device pixels for one of the page
WIDTH, HEIGHT = 1000, 1240
MARGIN = 6
INSTANT = "2026-01-31T08:30:00Z"  # the same pictures at every run
READY = """document.querySelector('#city').dataset.state == 'fresh' &&
    document.querySelector('.dateline masthead-weather').dataset.state == 'fresh' &&
    document.querySelector('#rows [data-ip]') &&
    !document.querySelector('.state:is([data-state=asking], [data-state=place])')"""


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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, type=Path, help="folder for the pictures")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    simulator = Simulator("--at", INSTANT)
    with tempfile.TemporaryDirectory() as folder:
        service = Masthead(folder, simulator, settings={"dev.at": INSTANT})
        driver = chromium.start(f"{folder}/profile", f"--window-size={WIDTH},{HEIGHT}")
        try:
            photograph(driver, service.public, options.out)
        finally:
            driver.quit()
            service.stop()
            simulator.stop()
    status_pictures.take_all(take, options.out / "status.png", BUILD / "screenshots")


def photograph(driver, public, out):
    light = [{"name": "prefers-color-scheme", "value": "light"}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": light})
    browser = chromium.Browser(driver)
    browser.open(public + "/")
    browser.until(READY, "the playground is not complete", seconds=60)
    take(browser, out / "masthead.png", box_of(browser, "#pair"), scale=SCALE)
    take(browser, out / "playground.png", (0, 0, WIDTH, HEIGHT), scale=1)


if __name__ == "__main__":
    main()
