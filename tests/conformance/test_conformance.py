"""What the protocol requires of a server: `serve` as it is, and our stack with the fixtures that the scenarios name."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.fixtures import FixtureServer
from tests.conformance.suite import REVISIONS, Baseline, Outcome, conformance
from tests.support.callers import serving
from tests.support.commands import SERVE_EMBEDDED, fresh_environ, started

SERVE, WITH_FIXTURES = Baseline.named("serve"), Baseline.named("with_fixtures")

# The scenarios of 2025-11-25 have parts that 2026-07-28 has deprecated, and the SDK says so at each use.
pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")


@pytest.fixture
def served_url(tmp_path: Path) -> Iterator[str]:
    with started(fresh_environ(tmp_path), *SERVE_EMBEDDED) as server:
        yield server.url("MCP")


async def test_serve_fails_only_where_a_scenario_needs_what_it_does_not_have(served_url: str, tmp_path: Path) -> None:
    outcomes = [await conformance(served_url, revision, SERVE, tmp_path) for revision in REVISIONS]
    assert_as_expected(outcomes, SERVE)


async def test_our_stack_with_the_fixtures_fails_only_what_the_sdk_does_not_have(tmp_path: Path) -> None:
    async with serving(tmp_path, kind=FixtureServer) as addresses:
        outcomes = [await conformance(addresses.mcp_url, revision, WITH_FIXTURES, tmp_path) for revision in REVISIONS]
    assert_as_expected(outcomes, WITH_FIXTURES)


def assert_as_expected(outcomes: list[Outcome], baseline: Baseline) -> None:
    """Hold the outcomes and the file to each other: nothing else fails, and nothing in the file passes or is not run."""
    for outcome in outcomes:
        assert outcome.as_expected, outcome.report
    assert set().union(*(outcome.expected for outcome in outcomes)) == set(baseline.required)
    assert set().union(*(outcome.not_scored for outcome in outcomes)) == set(baseline.not_scored)


@pytest.mark.parametrize("baseline", [SERVE, WITH_FIXTURES], ids=lambda baseline: baseline.file.stem)
def test_each_expected_failure_has_its_reason_beside_it(baseline: Baseline) -> None:
    reasons = re.findall(r"^  - (\S+)  # \w.+\.$", baseline.text, re.MULTILINE)
    assert reasons == [*baseline.required, *baseline.not_scored]
