"""Judges the page in a browser as axe-core does, with all its rules for accessibility."""
from npm import packaged

ASK = """
const done = arguments[arguments.length - 1];
axe.run(document, { resultTypes: ['violations'] }).then((found) => done(found.violations), (error) => done(String(error)));
"""


def violations(browser):
    """What is wrong with the page as it stands, a readable line for each rule; none when nothing is. Runs by the driver,
    so that it works under any policy of the page."""
    if not browser.js("return 'axe' in window"):
        browser.js(packaged("axe-core/axe.min.js").read_text(encoding="utf-8"))
    found = browser.driver.execute_async_script(ASK)
    assert isinstance(found, list), found
    return [f'{rule["id"]}: {rule["help"]}: ' + ", ".join(node["html"] for node in rule["nodes"]) for rule in found]
