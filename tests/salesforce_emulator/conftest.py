import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.salesforce_emulator.caller import Caller, an_org

# The suite tries the properties on the same few examples in every run, so that a failure is repeatable; `make fuzz` looks for
# new examples for some minutes.
_UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
settings.register_profile("bounded", _UNHURRIED, max_examples=30, derandomize=True)
settings.register_profile("fuzz", _UNHURRIED, max_examples=1000, print_blob=True)
EXAMPLES = settings.get_profile(os.environ.get("HYPOTHESIS_PROFILE", "bounded"))


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """One org that the tests of a module share; a test looks only at its own jobs and records."""
    with an_org(tmp_path_factory.mktemp("org")) as caller:
        yield caller
