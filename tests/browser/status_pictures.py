"""The status page in four conditions, each of a service that has lived through it: readers from all over for most of a day, and then what
went wrong. `make screenshots` writes them to build/screenshots/, and the first look at one of them for the README."""
import http.client
import random
import re
import tempfile
from pathlib import Path

import chromium
from harness import VISITORS, Masthead, Simulator, request

INSTANT = "2026-07-14T16:30:00Z"
SIZES = {"wide": 1280, "phone": 400}
README_SIZE = (1000, 516)
WELL = r"^Fresh for 9\d(\.\d)?\u00a0% of readers in the last 5 minutes, without a known place for \d(\.\d)?\u00a0%; "
DEGRADED = r"^Fresh for \d+(\.\d)?\u00a0% of readers in the last 5 minutes, stale for \d+(\.\d)?\u00a0%, .*; "
CONDITIONS = {
    "well": (WELL + r"all is well\.$", {}),
    "down": (DEGRADED + r"open-meteo failing since 09:\d\d UTC \(its own error, status 5xx\), serving its curves until "
             r"\d\d:\d\d UTC .*, next try 10:\d\d UTC\.$", {}),
    "budget": (DEGRADED + r"open-meteo has \d+ of 45 requests left for the day and keeps them for new cells, serving its curves until \d\d:\d\d UTC .*, "
               r"new budget at 00:00 UTC tomorrow\.$", {"weather.open_meteo_budget": "45/d", "weather.refresh": "30m"}),
    "old": (WELL + r"the city database city\.mmdb is \d+ days old: make geoip fetches a new one\.$", {}),
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
    crowd.visit(100)
    crowd.live(66, "15m", 60, 120)
    if name == "down":
        simulator.fault("500")
    crowd.live(70, "1m", 5, 15)


def settings_of(name, folder):
    settings = {"dev.at": INSTANT, "server.keep_alive": "60s", **CONDITIONS[name][1]}
    if name == "old":  # the bundled database never ages, but another vendor's would
        old = Path(folder) / "city.mmdb"
        old.write_bytes(VISITORS.read_bytes().replace(b"Masthead-Visitors-City", b"MastheadXVisitors-City"))
        settings["geoip.databases"] = str(old)
    return settings


def photograph(driver, url, take, out, name):
    browser = chromium.Browser(driver)
    for size, width in SIZES.items():
        for scheme in ("light", "dark"):
            features = [{"name": "prefers-color-scheme", "value": scheme}]
            driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
            driver.execute_cdp_cmd(
                "Emulation.setDeviceMetricsOverride", {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
            )
            browser.open(url)
            height = browser.js("return document.documentElement.scrollHeight")
            take(browser, out / f"status-{name}-{size}-{scheme}.png", (0, 0, width, height), scale=1)
    return browser


def take_all(take, readme, out):
    """`take` writes one picture; `readme` is where the README's goes, `out` the folder for all others."""
    out.mkdir(parents=True, exist_ok=True)
    addresses = [line.split("\t")[0] for line in VISITORS.with_suffix(".tsv").read_text("utf-8").splitlines() if line[:1].isdigit()]
    for name, (verdict, _) in CONDITIONS.items():
        simulator = Simulator("--at", INSTANT)
        with tempfile.TemporaryDirectory() as folder:
            service = Masthead(folder, simulator, settings=settings_of(name, folder))
            driver = chromium.start(f"{folder}/profile")
            try:
                bring_about(name, service, simulator, addresses)
                said = request(service.ops, "/status.json").json["verdict"]
                assert re.search(verdict, said), said
                print(f"{name}: {said}")
                browser = photograph(driver, service.ops + "/status?refresh=no", take, out, name)
                assert browser.text("h1") == said
                if name == "down":
                    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "light"}]})
                    driver.execute_cdp_cmd(
                        "Emulation.setDeviceMetricsOverride",
                        {"width": README_SIZE[0], "height": README_SIZE[1], "deviceScaleFactor": 1, "mobile": False},
                    )
                    browser.open(service.ops + "/status?refresh=no")
                    take(browser, readme, (0, 0, *README_SIZE), scale=1)
            finally:
                driver.quit()
                service.stop()
                simulator.stop()
