"""Fixtures of the tests about Salesforce's wire."""

from collections.abc import Iterator

import pytest

from tests.salesforce.upstream import stop_serving


@pytest.fixture(autouse=True, scope="session")
def _upstreams_stop() -> Iterator[None]:
    yield
    stop_serving()
