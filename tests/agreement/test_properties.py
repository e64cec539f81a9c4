"""Cells that are nearly those of the table: what preflight passes the org takes, and what the org takes preflight passes."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.agreement.cells import CASES, PARENT, REFUSED, TAKEN, Case
from tests.agreement.judging import Org, Refusal, verdict_in

EDITS = [
    "",
    " ",
    "\t",
    "\n",
    "\u00a0",
    "0",
    "1",
    "9",
    "+",
    "-",
    ".",
    ",",
    ";",
    ":",
    "T",
    "Z",
    "e",
    "E",
    "a",
    "X",
    "@",
    "%",
    "#",
]
EDITS += ["00", "000", "31", "29", "+01:00", "\u00e9", "\U0001f600", "\u0665"]


@st.composite
def near_cases(draw: st.DrawFn) -> Case:
    """A case of the table with a cell that is edited in up to two places, or in another case."""
    case = draw(st.sampled_from(CASES))
    cell = draw(st.sampled_from([case.cell, case.cell.upper(), case.cell.lower(), case.cell.title()]))[:300]
    for _ in range(draw(st.integers(0, 2))):
        start = draw(st.integers(0, len(cell)))
        cell = cell[:start] + draw(st.sampled_from(EDITS)) + cell[start + draw(st.integers(0, 2)) :]
    return Case(case.field, cell, case.verdict, None, "assumed", "")


def is_about_another_record(case: Case, outcome: object) -> bool:
    """Whether the org has refused an id for the record that it names, or does not name, which no describe tells."""
    return case.field == PARENT and isinstance(outcome, Refusal)


@pytest.mark.slow
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases=st.lists(near_cases(), min_size=80, max_size=80))
def test_what_preflight_passes_the_org_takes_and_the_other_way_round(org: Org, cases: list[Case]) -> None:
    different = []
    for case, outcome in org.outcomes(cases).items():
        said = verdict_in(org.findings(case.field, [case.cell]))
        is_taken = said is TAKEN or (said is not REFUSED and org.takes_unsettled)
        if isinstance(outcome, Refusal) is is_taken and not (is_taken and is_about_another_record(case, outcome)):
            different.append((case.field, case.cell, said, outcome))
    assert different == []


@pytest.mark.slow
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases=st.lists(near_cases(), min_size=80, max_size=80))
def test_a_column_is_judged_as_its_cells_are(org: Org, cases: list[Case]) -> None:
    for field in {case.field for case in cases}:
        cells = [case.cell for case in cases if case.field == field]
        one_by_one = sum(finding.count for cell in cells for finding in org.findings(field, [cell]))
        assert sum(finding.count for finding in org.findings(field, cells)) == one_by_one, (field, cells)
