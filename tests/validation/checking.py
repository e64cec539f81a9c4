"""The findings of the checks against a describe, for tests."""

from collections.abc import Mapping, Sequence, Set

from salesforce_bulk_ingest.base.findings import LINES_SHOWN, Finding, Findings
from salesforce_bulk_ingest.csvio.cells import ParsedBlock
from salesforce_bulk_ingest.salesforce.models import SObjectDescribe
from salesforce_bulk_ingest.validation.destination import NO_PARENTS, LoadTarget, Match
from salesforce_bulk_ingest.validation.fields import FieldChecks
from tests.validation.describing import ACCOUNT, CONTACT, field, sobject

PROJECT = sobject("Project__c", field("Code__c", externalId=True), field("Name"))


PARENTS = {"Account": ACCOUNT, "Project__c": PROJECT, "Contact": CONTACT}


def found(
    describe: SObjectDescribe,
    operation: str,
    header: Sequence[str],
    *blocks: Sequence[list[str]],
    key: str | None = None,
    parents: Mapping[str, SObjectDescribe] = NO_PARENTS,
    hidden: Set[str] = frozenset(),
    match: Match | None = None,
) -> list[Finding]:
    """The findings about a header and about rows in blocks; the first row is on line 2."""
    findings = Findings()
    checks = FieldChecks(LoadTarget.of(describe, operation, key, match), header, findings, parents, hidden)
    checks.check_header(1)
    line = 2
    for rows in blocks:
        lines = range(line, line + len(rows))
        checks.check(ParsedBlock(len(header), lambda lines=lines: lines, rows=list(rows)))  # type: ignore[misc]
        line += len(rows)
    checks.finish()
    return list(findings.sorted())


def as_lines(findings: Sequence[Finding]) -> list[str]:
    """The findings, each on one line."""
    return [
        f"{each.level} {each.column}: {each.what} | {each.do} {each.lines[:LINES_SHOWN]} x{each.count}"
        for each in findings
    ]
