from collections.abc import Iterator

import pytest

from tests.emulator.caller import Caller, an_org


@pytest.fixture(scope="session")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """One org for all tests that can share it; each looks only at its own jobs and records."""
    with an_org(tmp_path_factory.mktemp("org")) as caller:
        yield caller
