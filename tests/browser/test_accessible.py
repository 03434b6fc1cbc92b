"""Goal of these tests: the widget brings no fault of accessibility to a page that had none, in whatever state it is."""
from axe import violations


def test_what_is_not_accessible_is_complained_about(site, browser):
    """The control: it shows that the tests here can fail."""
    browser.open(site.page("/", "<!doctype html><title>A paper</title><img src='/favicon.ico'><main>News</main>"))
    found = violations(browser)
    assert any(line.startswith("image-alt:") for line in found) and any(line.startswith("html-has-lang:") for line in found)
