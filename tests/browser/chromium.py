"""A headless Chromium, and what a test needs to say about the page in it."""

import json

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

FLAGS = """--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
    --disable-component-update --disable-sync --hide-scrollbars --window-size=1280,1000""".split()

INSECURE = "paper.example"  # a name for 127.0.0.1 that is no secure context under http, as 127.0.0.1 is

# Runs before each page's own scripts. Collects what the tests ask about, and keeps long timers (the loader's next
# question, at least 15 s away) in the test's hand, so that no test has to let time pass.
PROBE = """
window.probe = { shift: 0, errors: [], updates: [], timers: [] };
new PerformanceObserver((list) => list.getEntries().forEach((entry) => (probe.shift += entry.value)))
  .observe({ type: 'layout-shift', buffered: true });
document.addEventListener('securitypolicyviolation', (event) => probe.errors.push(event.violatedDirective));
addEventListener('error', (event) => probe.errors.push(String(event.message)));
addEventListener('unhandledrejection', (event) => probe.errors.push(String(event.reason)));
document.addEventListener('masthead:update', (event) => probe.updates.push(event.detail));
const realTimeout = window.setTimeout.bind(window);
window.setTimeout = (job, ms, ...rest) =>
  ms >= 15000 ? probe.timers.push({ job, ms }) : realTimeout(job, ms, ...rest);
"""


def start(profile, *flags):
    """A new Chromium whose profile is the folder `profile`. The caller quits it."""
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in [*FLAGS, f"--user-data-dir={profile}", *flags]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)


class Browser:
    """One tab of a driver that runs the probe in each page."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, url):
        self.driver.get(url)

    def js(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def until(self, condition, why, seconds=15):
        """The first truthy value of a JavaScript expression."""
        wait = WebDriverWait(self.driver, seconds, poll_frequency=0.05)
        return wait.until(lambda _: self.js(f"return {condition}"), why)

    def settled(self, selector):
        """The data-state of the element, once it has one."""
        return self.until(f"document.querySelector({json.dumps(selector)})?.dataset.state", f"{selector} still waits")

    def text(self, selector):
        return self.js("return document.querySelector(arguments[0])?.textContent", selector)

    def attribute(self, selector, name):
        return self.js("return document.querySelector(arguments[0]).getAttribute(arguments[1])", selector, name)

    def painted(self):
        """Waits until the page as it is now has been drawn, and measured for shifts."""
        self.driver.execute_async_script(
            "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)));"
        )

    def wake(self):
        """Lets the pending long timers fire; returns their delays in milliseconds."""
        return self.js("return probe.timers.splice(0).map(({ job, ms }) => (job(), ms))")

    def complaints(self):
        """New errors, warnings and policy violations of the page. Requests that failed are the browser's own remark
        (source `network`), not the page's."""
        logged = [entry["message"] for entry in self.driver.get_log("browser") if entry["source"] != "network"]
        return logged + self.js("return probe.errors.splice(0)")
