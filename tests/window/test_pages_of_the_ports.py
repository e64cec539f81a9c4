"""What browsers see of the product's own ports."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, expect
from starlette.applications import Starlette

from salesforce_bulk_ingest.rest.endpoints import rest_index
from salesforce_bulk_ingest.serving.door import Door
from salesforce_bulk_ingest.serving.mcp_paths import McpPaths, mcp_index
from salesforce_bulk_ingest.serving.port_index import Product
from salesforce_bulk_ingest.serving.sign_in_page import SignInPage
from tests.serving.test_door import Verifies
from tests.support.asgi_server import running
from tests.window.conftest import NARROW, WIDE
from tests.window.test_in_chromium import CONTRAST, complaints_of

PRODUCT = Product("name", "Salesforce bulk ingest", "1.2.3", "Loads rows. " * 10)
REST_URL = "http://a-name-that-is-as-long-as-names-of-machines-get.example:8080/v1/jobs/ingest"


@pytest.fixture
def urls() -> Iterator[list[str]]:
    """One page of each kind."""
    rest, guarded = Starlette(), Starlette()
    rest_index(PRODUCT, "http://127.0.0.1:9090/mcp", Door()).add_to(rest)
    mcp = McpPaths(Starlette(), mcp_index(PRODUCT, REST_URL, Door(Verifies())))
    signed_in = SignInPage(guarded, Door(Verifies(), issuer="https://login.example/realms/data"), PRODUCT.title)
    with ExitStack() as stack:
        rest_url, mcp_url, guarded_url = (stack.enter_context(running(app)) for app in (rest, mcp, signed_in))
        yield [f"{rest_url}/", f"{mcp_url}/", f"{mcp_url}/mcp", f"{guarded_url}/"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [NARROW, WIDE], ids=["narrow", "wide"])
def test_every_page_fits_the_screen_and_stands_out_from_its_ground(
    browser: Browser, urls: list[str], scheme: str, viewport: dict[str, int]
) -> None:
    with browser.new_context(color_scheme=scheme, viewport=viewport) as seen:
        page = seen.new_page()
        complaints = complaints_of(page)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        for url in urls:
            page.goto(url)
            expect(page.locator("h1")).to_contain_text("Salesforce bulk ingest")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), url
            assert page.evaluate(CONTRAST) == []
            assert page.evaluate("getComputedStyle(document.body).maxWidth") == "832px"  # the policy lets our style in
        # The page at /mcp and the one for strangers are answers of the kind 4xx, which the browser notes.
        assert [text for text in complaints if "the server responded with a status of 40" not in text] == []
        assert [url for url in asked if not url.startswith("data:")] == urls
