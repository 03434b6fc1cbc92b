"""The status page in four conditions, each of a service that has lived through it: readers from all over for most of a day, and then what
went wrong. `make screenshots` writes them to build/screenshots/, and one of them for the documents."""
import http.client
import random
import re
import tempfile
from pathlib import Path

import chromium
from harness import VISITORS, Masthead, Simulator, request, whole_earth

INSTANT = "2026-07-14T16:30:00Z"
SIZES = {"wide": 1280, "phone": 360}
DOCUMENTED = "earth"  # its page down to the end of the map, at this width
DOCUMENTED_WIDTH = 1000
FAILING = r"^open-meteo failing since \d\d:\d\d UTC$"
# What the page says, and the settings that it takes. Facts that depend on the day of the run are no part of it.
CONDITIONS = {
    "well": (r"^All is well$", {}),
    "earth": (FAILING, {"weather.refresh": "1h"}),
    "down": (r"^No temperature for \d+\u00a0% of readers$", {"weather.keep": "3h", "weather.refresh": "1h"}),
    "budget": (r"^open-meteo: \d+ of the day's 45 requests left$", {"weather.open_meteo_budget": "45/d", "weather.refresh": "30m"}),
    "old": (r"^A city database is \d+ days old$", {}),
}


class Crowd:
    """Readers of the bundled table, a few places much more often than most; the same at every run."""

    def __init__(self, service, addresses):
        self.service, self.addresses, self.chance = service, addresses, random.Random(7)
        self.connection = http.client.HTTPConnection(service.public.removeprefix("http://"))

    def visit(self, count):
        for _ in range(count):
            address = self.addresses[min(int(self.chance.expovariate(0.05)), len(self.addresses) - 1)]
            self.connection.request("GET", "/widget.json", headers={"X-Forwarded-For": address})
            self.connection.getresponse().read()

    def live(self, steps, step, few, many):
        """So many steps of time with some readers in each."""
        for _ in range(steps):
            self.service.advance(step)
            self.visit(self.chance.randint(few, many))
            self.service.landed()


def bring_about(name, service, simulator, addresses):
    crowd = Crowd(service, addresses)
    if name == "earth":
        service.wait_line("weather of the whole earth loaded")
    crowd.visit(100)
    crowd.live(16 if name == "earth" else 66, "15m", 60, 120)  # before the next run of the model is due
    if name in ("earth", "down"):
        simulator.control("fault?kind=500&path=open-meteo")
    if name == "down":
        crowd.live(10, "15m", 60, 120)
    crowd.live(70, "1m", 5, 15)


def status(service):
    return request(service.ops, "/status.json").json


def settings_of(name, folder, simulator):
    settings = {"dev.at": INSTANT, "server.keep_alive": "60s", **CONDITIONS[name][1]}
    if name == "earth":
        settings.update(whole_earth(simulator))
    if name == "old":  # the bundled database never ages, but another vendor's would
        old = Path(folder) / "city.mmdb"
        old.write_bytes(VISITORS.read_bytes().replace(b"Masthead-Visitors-City", b"MastheadXVisitors-City"))
        settings["geoip.databases"] = str(old)
    return settings


def open_as(browser, url, width, scheme):
    command = browser.driver.execute_cdp_cmd
    command("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    command("Emulation.setDeviceMetricsOverride", {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False})
    browser.open(url + "/status?refresh=no")


def photograph(browser, service, take, readme, out, name):
    for size, width in SIZES.items():
        for scheme in ("light", "dark"):
            open_as(browser, service.ops, width, scheme)
            height = browser.js("return document.documentElement.scrollHeight")
            take(browser, out / f"status-{name}-{size}-{scheme}.png", (0, 0, width, height), 1)
    if name == DOCUMENTED:
        open_as(browser, service.ops, DOCUMENTED_WIDTH, "light")
        end = browser.js("return document.querySelector('.world').getBoundingClientRect().bottom")
        take(browser, readme, (0, 0, DOCUMENTED_WIDTH, end + 8), 1)


def take_all(take, readme, out):
    """`take` writes one picture; `readme` is where the documents' goes, `out` the folder for all others."""
    addresses = [line.split("\t")[0] for line in VISITORS.with_suffix(".tsv").read_text("utf-8").splitlines() if line[:1].isdigit()]
    for name, (verdict, _) in CONDITIONS.items():
        simulator = Simulator("--at", INSTANT)
        with tempfile.TemporaryDirectory() as folder:
            service = Masthead(folder, simulator, settings=settings_of(name, folder, simulator))
            driver = chromium.start(f"{folder}/profile")
            try:
                bring_about(name, service, simulator, addresses)
                said = status(service)["verdict"]
                assert re.search(verdict, said), said
                print(f"{name}: {said}")
                photograph(chromium.Browser(driver), service, take, readme, out, name)
            finally:
                driver.quit()
                service.stop()
                simulator.stop()
