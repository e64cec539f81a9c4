"""Fixtures of the surfaces' tests."""

from collections.abc import Iterator

import pytest

from tests.surfaces.watching import WatchedOrg, watched_org


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
