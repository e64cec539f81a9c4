"""The results of the checks in an answer: findings, proposed columns and known fields, as many as fit."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self, TypeVar

from pydantic import Field

from salesforce_bulk_ingest.base.findings import Finding
from salesforce_bulk_ingest.base.text import as_json, as_name, cut
from salesforce_bulk_ingest.loading.plan import Plan
from salesforce_bulk_ingest.mcp_server.answers.answer import AnswerPart, counted
from salesforce_bulk_ingest.mcp_server.answers.next_call import CORRECTED_ROWS, GivenCall

T = TypeVar("T")

ITS_FIELD = "<its field, or null>"
"""The gap for the field of a column for which nothing is proposed."""

MOST_FINDINGS = 20
ROOM_FOR_FINDINGS = 12_000
ROOM_FOR_COLUMNS = 9_000
ROOM_FOR_GAPS = 1_000
ROOM_FOR_FORMATS = 1_500
ROOM_FOR_FIELDS = 3_000
"""The maximum numbers of characters of JSON, together less than the 8,000 tokens of an answer at four characters a token."""

LONGEST_SENTENCE = 700
LONGEST_COLUMN = 80


class FindingAnswer(AnswerPart):
    """Something that is, or may be, wrong with the rows."""

    level: str
    what: str
    do: str
    column: str | None = None
    lines: tuple[int, ...] = Field((), description="The first; 1 is the header")
    count: int

    @classmethod
    def of(cls, finding: Finding) -> Self:
        """Return the finding, with its texts cut to their maximum lengths."""
        return cls(
            level=finding.level,
            what=cut(finding.what, LONGEST_SENTENCE),
            do=cut(finding.do, LONGEST_SENTENCE),
            column=None if finding.column is None else cut(finding.column, LONGEST_COLUMN),
            lines=finding.lines,
            count=finding.count,
        )

    def __str__(self) -> str:
        column = f", column {as_name(self.column)}" if self.column else ""
        lines = f", line {', '.join(map(str, self.lines))}" if self.lines else ""
        times = f" ({self.count:,} times)" if self.count > max(len(self.lines), 1) else ""
        return f"- {self.level}{column}{lines}{times}: {self.what} {self.do}"


def found_in(plan: Plan) -> dict[str, Any]:
    """Return the results of the checks in a plan, under the names of the fields of `LoadAnswer`."""
    columns, findings = _proposal(plan), _findings(plan)
    return {
        "encoding": plan.encoding and plan.encoding.name,
        "columns": columns or None,
        "other_columns": len(plan.proposal) - len(columns) or None,
        "formats": _formats(plan) or None,
        "fields": tuple(_fitting(plan.fields, len, ROOM_FOR_FIELDS)) or None,
        "findings": findings,
        "other_findings": len(plan.findings) - len(findings) or None,
    }


def verdict(plan: Plan) -> str:
    """Return the numbers of errors and warnings in words."""
    errors = sum(finding.level == "error" for finding in plan.findings)
    warnings = len(plan.findings) - errors
    counts = [counted(count, level) for count, level in ((errors, "error"), (warnings, "warning")) if count]
    return " and ".join(counts) or "nothing is wrong"


def next_for_unsent(plan: Plan, given: GivenCall) -> str:
    """Return what to do with rows that can't be sent as they are: they have errors, or are more than a job takes."""
    proposed, does = _proposed_changes(plan), list[str]()
    errors = [finding for finding in plan.findings if finding.level == "error"]
    of_job = [finding for finding in errors if finding.job and given.makes_a_job]
    if plan.not_rows:
        given = given.leaving_out({"notRows": True})
        does.append("leaves out what is no row")
    if of_job:
        job = {name: value for finding in of_job for name, value in finding.job.items()}
        given = given.with_job(job)
        does.append(f"makes the job with {' and '.join(map(' '.join, job.items()))}")
    if plan.title_lines:
        return f"{given.leaving_out({'lines': plan.title_lines}).again()} begins with the header, if the user agrees."
    if plan.has_errors and plan.unsettled:
        settled = {**proposed, "columns": {**proposed.get("columns", {}), **_gaps(plan)}}
        return (
            f"{given.with_changes(settled).again()} leaves columns out or names their fields, once that is settled with the "
            "user; or correct the rows."
        )
    if plan.has_errors and proposed:
        *others, last = proposed
        names = f"{', '.join(others)} and {last}" if others else last
        taking = given.with_changes(proposed).again()
        return f"{taking} takes the proposed {names}, once the user agrees; or correct the rows."
    if errors and len(errors) == len(plan.not_rows) + len(of_job):
        return f"{given.again()} {' and '.join(does)}, if the user agrees."
    if plan.has_errors:
        return (
            f"{given.with_rows(CORRECTED_ROWS).again()} takes the rows, once they or their mapping (columns, set, values, "
            "formats, only, leaveOut) are corrected."
        )
    first = given.again({"part": 1, "sha256": plan.sha256}, without=("dryRun",))
    return (
        f"{first} sends part 1 of {len(plan.parts)}; close its job, then do the same for each further part in a job of its "
        "own. One part fails or succeeds without the others."
    )


def call_that_sends(plan: Plan, given: GivenCall) -> str:
    """Return the call that sends the rows that a dry run has checked, and refuses others."""
    return given.again({"sha256": plan.sha256}, without=("dryRun",))


def next_for_formats(plan: Plan, given: GivenCall) -> str:
    """Return what to do with rows of which cells are likely to be written in foreign formats."""
    proposed = given.with_changes({"formats": _formats(plan)}).again()
    as_they_are = call_that_sends(plan, given)
    return f"{proposed} takes the proposed formats, once the user agrees; {as_they_are} sends the rows as they are."


def _findings(plan: Plan) -> tuple[FindingAnswer, ...]:
    answers = map(FindingAnswer.of, plan.findings[:MOST_FINDINGS])
    return tuple(_fitting(answers, lambda answer: len(answer.model_dump_json()), ROOM_FOR_FINDINGS))


def _proposed_changes(plan: Plan) -> dict[str, Any]:
    """Return what is proposed for the rows, under the names of the arguments."""
    encoding = plan.encoding and plan.encoding.name
    changes = {"encoding": encoding, "columns": _proposal(plan), "formats": _formats(plan)}
    return {name: change for name, change in changes.items() if change}


def _proposal(plan: Plan) -> dict[str, str | None]:
    return dict(_fitting(plan.proposal.items(), lambda entry: len(as_json(entry)), ROOM_FOR_COLUMNS))


def _gaps(plan: Plan) -> dict[str, str]:
    """Return a gap for the field of each unsettled column."""
    gaps = ((address, ITS_FIELD) for address in plan.unsettled)
    return dict(_fitting(gaps, lambda entry: len(as_json(entry)), ROOM_FOR_GAPS))


def _formats(plan: Plan) -> dict[str, str]:
    return dict(_fitting(plan.formats.items(), lambda entry: len(as_json(entry)), ROOM_FOR_FORMATS))


def _fitting(items: Iterable[T], size_of: Callable[[T], int], room: int) -> Iterator[T]:
    """Yield the first items, as many as fit into the room."""
    for item in items:
        room -= size_of(item)
        if room < 0:
            return
        yield item
