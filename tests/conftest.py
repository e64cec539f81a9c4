"""Fixtures that every part shares."""

from collections.abc import Iterator

import pytest
import stamina


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True, scope="session")
def _no_pauses_between_tries() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield
