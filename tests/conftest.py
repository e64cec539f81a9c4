"""Fixtures that every part shares."""

import gc
from collections.abc import Iterator

import pytest
import stamina
from hypothesis import settings

from tests.support.orgs import emulator
from tests.support.watched_org import WatchedOrg, watched_org

# A deadline measures how busy the machine is. Profiles of single rooms are made from this one.
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")


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


@pytest.fixture(scope="session")
def _shared_watched_org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WatchedOrg]:
    with watched_org(tmp_path_factory.mktemp("watched")) as org:
        yield org


@pytest.fixture
def org(_shared_watched_org: WatchedOrg) -> Iterator[WatchedOrg]:
    """An org that has been asked nothing yet, and in which nothing goes wrong."""
    _shared_watched_org.forget()
    yield _shared_watched_org
    _shared_watched_org.gate.open()
    _shared_watched_org.go_right()
