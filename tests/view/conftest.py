"""The product with its embedded org, and a chat in a headless Chromium in which its pages are shown."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.salesforce_emulator.caller import Caller, calling
from tests.support.commands import SERVE_EMBEDDED, fresh_environ, started
from tests.view.chat import Chat, serving_chat
from tests.window.conftest import browser, pytest_configure

__all__ = ["browser", "pytest_configure"]


@dataclass(frozen=True)
class World:
    """A chat at an address, and the org that its server loads into."""

    chat_url: str
    org: Caller


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    environ = fresh_environ(tmp_path_factory.mktemp("product"))
    with (
        started(environ, *SERVE_EMBEDDED, "--allow-preflight-off") as server,
        calling(server.url("org's URL")) as org,
        serving_chat(server.url("MCP")) as chat_url,
    ):
        yield World(chat_url, org)


@pytest.fixture(scope="module")
def profile(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context(viewport={"width": 720, "height": 1200}) as fresh:
        yield fresh


@pytest.fixture
def chat(profile: BrowserContext, world: World) -> Iterator[Chat]:
    page = profile.new_page()
    yield Chat(page, world.chat_url)
    page.close()
