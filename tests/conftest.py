"""Fixtures that every part shares."""

import gc
from collections.abc import Iterator

import pytest
import stamina

from tests.orgs import emulator


def pytest_collection_finish() -> None:
    """Take what stays for the whole run out of each later search for garbage: it is most of what is there."""
    gc.freeze()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True, scope="session")
def _no_pauses_between_tries() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield


@pytest.fixture(scope="session")
def org_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An embedded org that all tests of a run share: they make their own jobs in it."""
    with emulator(tmp_path_factory.mktemp("org")) as url:
        yield url
