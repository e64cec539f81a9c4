"""The orgs that the tests of agreement ask."""

from collections.abc import Iterator

import pytest

from tests.agreement.judging import Org, opened


@pytest.fixture(scope="session", params=["refused", "taken"])
def org(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Org]:
    """An org that refuses what no source settles, and one that takes it."""
    yield from opened(request.param, tmp_path_factory.mktemp("org"))
