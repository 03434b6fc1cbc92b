"""Takes the pictures that the README shows, of a service that runs in developer mode.

    screenshots.py --public http://127.0.0.1:8080 --out data/pictures

Writes masthead.png (the header before and after) and playground.png (the top of the front page), both in light colours.
"""

import argparse
import base64
import tempfile
from pathlib import Path

import chromium

SCALE = 2  # device pixels for one of the page
WIDTH, HEIGHT = 1000, 1240
MARGIN = 6
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
    parser.add_argument("--public", required=True, help="base URL of the service's public listener")
    parser.add_argument("--out", required=True, type=Path, help="folder for the pictures")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as profile:
        driver = chromium.start(profile, f"--window-size={WIDTH},{HEIGHT}")
        try:
            light = [{"name": "prefers-color-scheme", "value": "light"}]
            driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": light})
            browser = chromium.Browser(driver)
            browser.open(options.public.rstrip("/") + "/")
            browser.until(READY, "the playground is not complete", seconds=60)
            take(browser, options.out / "masthead.png", box_of(browser, "#pair"), scale=SCALE)
            take(browser, options.out / "playground.png", (0, 0, WIDTH, HEIGHT), scale=1)
        finally:
            driver.quit()


if __name__ == "__main__":
    main()
