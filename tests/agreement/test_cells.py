"""The table of cells, on both sides: what the embedded org does with each cell, and what preflight says of it."""

from tests.agreement.cells import CASES, TAKEN, UNSETTLED
from tests.agreement.judging import Org, Refusal, verdict_in


def test_the_org_does_what_the_table_says(org: Org) -> None:
    wrong = []
    for case, outcome in org.outcomes(CASES).items():
        is_taken = case.verdict is TAKEN or (case.verdict is UNSETTLED and org.takes_unsettled)
        stored = org.sent(case.stored) if isinstance(case.stored, str) else case.stored
        if isinstance(outcome, Refusal) is is_taken or (is_taken and outcome != stored):
            wrong.append((case.field, case.cell, case.verdict, case.stored, outcome))
    assert wrong == [], "\n".join(map(str, wrong))


def test_preflight_says_what_the_table_says(org: Org) -> None:
    wrong = []
    for case in CASES:
        findings = org.findings(case.field, [case.cell])
        expected = case.verdict if case.is_seen_by_describe else TAKEN
        if verdict_in(findings) is not expected:
            wrong.append((case.field, case.cell, case.verdict, [finding.what for finding in findings]))
    assert wrong == [], "\n".join(map(str, wrong))
