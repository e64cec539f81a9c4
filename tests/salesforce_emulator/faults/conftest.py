from collections.abc import Iterator

import pytest

from tests.salesforce_emulator.caller import JOURNAL, Caller


@pytest.fixture
def org(org: Caller) -> Iterator[Caller]:
    """The shared org with an empty journal, in which no fault is in force before the test, nor after it."""
    org.http.delete(JOURNAL)
    yield org
    org.go_right()
