"""The page that describes `/v1`, in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.clients.orgs import serving_product
from tests.window.conftest import NARROW, WIDE
from tests.window.test_in_chromium import CONTRAST, complaints_of


@pytest.fixture(scope="module")
def docs_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving_product(tmp_path_factory.mktemp("product")) as product:
        yield f"{product.rest_url}/docs"


@pytest.fixture(params=[NARROW, WIDE], ids=["narrow", "wide"])
def docs(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    with browser.new_context(viewport=request.param) as fresh:
        yield fresh.new_page()


def test_it_fits_the_screen_and_the_browser_finds_nothing_wrong(docs: Page, docs_url: str) -> None:
    complaints = complaints_of(docs)
    asked: list[str] = []
    docs.on("request", lambda request: asked.append(request.url))
    docs.goto(docs_url)
    assert docs.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert docs.evaluate("getComputedStyle(document.querySelector('header')).position") == "sticky"
    assert [url for url in asked if not url.startswith("data:")] == [docs_url]
    assert complaints == []


def test_an_error_that_is_followed_opens(docs: Page, docs_url: str) -> None:
    docs.goto(docs_url)
    docs.locator("#create-ingest-job .refusals a", has_text="403").click()
    expect(docs.get_by_text("The operator does not allow it")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_its_text_stands_out_from_its_ground(browser: Browser, docs_url: str, scheme: str) -> None:
    with browser.new_context(color_scheme=scheme) as seen:
        page = seen.new_page()
        page.goto(docs_url)
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        assert page.evaluate(CONTRAST) == []
