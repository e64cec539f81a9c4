"""A headless Chromium, and an org whose web pages it opens."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.salesforce_emulator.caller import Caller, an_org

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NARROW, WIDE = {"width": 400, "height": 800}, {"width": 1400, "height": 900}


def pytest_configure() -> None:
    """Stop before the first test if Chromium is missing."""
    if CHROMIUM is None:
        raise pytest.UsageError("Chromium is needed: apt-get install chromium, or CHROMIUM=/path/to/it")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for the module: as long as it runs, no test of another module could run an event loop of its own."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def org(tmp_path: Path) -> Iterator[Caller]:
    with an_org(tmp_path) as caller:
        yield caller


@pytest.fixture
def context(browser: Browser, org: Caller) -> Iterator[BrowserContext]:
    """A fresh profile, at the org's address."""
    fresh = browser.new_context(base_url=str(org.http.base_url), viewport=WIDE)
    yield fresh
    fresh.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def still(browser: Browser, org: Caller) -> Iterator[Page]:
    """A page of a browser in which scripts are off."""
    fresh = browser.new_context(base_url=str(org.http.base_url), viewport=WIDE, java_script_enabled=False)
    yield fresh.new_page()
    fresh.close()
