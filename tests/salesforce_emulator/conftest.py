import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.salesforce_emulator.caller import Caller, an_org

# `make test` tries the properties on the same few examples in every run, so that a failure is repeatable.
EXAMPLES = settings(
    derandomize=os.environ.get("HYPOTHESIS_PROFILE") is None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """One org that the tests of a module share; a test looks only at its own jobs and records."""
    with an_org(tmp_path_factory.mktemp("org")) as caller:
        yield caller
