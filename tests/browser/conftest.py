"""Fixtures: the bundled readers, one Chromium for all tests, and for each test a fresh newspaper and an empty tab."""

import pytest

import chromium
import harness
from newspaper import Newspaper
from wordpress import WordPress, needs

MUMBAI = "192.0.2.1"


@pytest.fixture(scope="session")
def readers():
    """The rows of data/visitors.tsv, as dictionaries; `""` there is a name of zero length."""
    return [{key: "" if value == '""' else value or "" for key, value in row.items()} for row in harness.readers()]


@pytest.fixture
def site(masthead):
    newspaper = Newspaper(masthead.public, visitor=MUMBAI)
    yield newspaper
    newspaper.close()


@pytest.fixture(scope="session")
def driver(tmp_path_factory):
    driver = chromium.start(tmp_path_factory.mktemp("chromium"), f"--host-resolver-rules=MAP {chromium.INSECURE} 127.0.0.1")
    driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": chromium.PROBE})
    yield driver
    driver.quit()


@pytest.fixture
def browser(driver):
    """An empty tab of a browser that remembers nothing: a free port may be that of an earlier test's site, whose answers it would
    still hold. At the end of a test its page has complained of nothing."""
    driver.get("about:blank")
    driver.execute_cdp_cmd("Network.clearBrowserCache", {})
    driver.execute_cdp_cmd("Storage.clearDataForOrigin", {"origin": "*", "storageTypes": "all"})
    driver.get_log("browser")  # what an earlier page complained about is not this test's
    tab = chromium.Browser(driver)
    yield tab
    assert tab.complaints() == []


@pytest.fixture
def read_by(browser):
    """Opens a page as the reader at an address, whom a CDN in front would name."""
    driver = browser.driver
    driver.execute_cdp_cmd("Network.enable", {})

    def read(url, address):
        driver.execute_cdp_cmd("Network.setExtraHTTPHeaders", {"headers": {"X-Test-Reader": address}})
        driver.execute_cdp_cmd("Network.clearBrowserCache", {})
        browser.open(url)
        return browser

    yield read
    driver.execute_cdp_cmd("Network.setExtraHTTPHeaders", {"headers": {}})
    driver.execute_cdp_cmd("Network.disable", {})


@pytest.fixture(scope="session")
def wordpress(tmp_path_factory):
    """A real WordPress with the plugin; see wordpress.py."""
    needs("mariadbd", "mariadb-install-db", "php-fpm[0-9]*", "nginx")
    site = WordPress(tmp_path_factory.mktemp("wordpress"))
    yield site
    site.stop()
    assert site.complaints() == []
