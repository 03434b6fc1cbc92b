"""Fixtures: the bundled readers, one Chromium for all tests, and for each test a fresh newspaper and an empty tab."""

import csv
from pathlib import Path

import pytest

import chromium
from newspaper import Newspaper

VISITORS = Path(__file__).parents[2] / "data" / "visitors.tsv"
MUMBAI = "192.0.2.1"


@pytest.fixture(scope="session")
def readers():
    """The rows of data/visitors.tsv, as dictionaries; `""` there is a name of zero length."""
    lines = [line for line in VISITORS.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    return [{key: "" if value == '""' else value or "" for key, value in row.items()} for row in rows]


@pytest.fixture
def site(masthead):
    newspaper = Newspaper(masthead.public, visitor=MUMBAI)
    yield newspaper
    newspaper.close()


@pytest.fixture(scope="session")
def driver(tmp_path_factory):
    driver = chromium.start(tmp_path_factory.mktemp("chromium"))
    driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": chromium.PROBE})
    yield driver
    driver.quit()


@pytest.fixture
def browser(driver):
    driver.get("about:blank")
    driver.get_log("browser")  # what an earlier page complained about is not this test's
    return chromium.Browser(driver)
