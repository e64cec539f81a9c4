"""Fixtures that every part shares."""

from collections.abc import Iterator

import pytest
import stamina

from tests.orgs import emulator


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
