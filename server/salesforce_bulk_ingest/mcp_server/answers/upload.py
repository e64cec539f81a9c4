"""What the tools answer about rows on their way in: what was found, what went, and what to do next."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self, TypedDict, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from salesforce_bulk_ingest.base.findings import Finding
from salesforce_bulk_ingest.base.text import cut
from salesforce_bulk_ingest.loading.plan import Plan
from salesforce_bulk_ingest.mcp_server.answers.answer import Answer, as_one_line, bounded, unlisted
from salesforce_bulk_ingest.mcp_server.answers.wording import job_uri, next_step, rows
from salesforce_bulk_ingest.operations.errors import RowsRefused
from salesforce_bulk_ingest.operations.load import UploadOutcome
from salesforce_bulk_ingest.salesforce.models import Job
from salesforce_bulk_ingest.salesforce.org import Org

T = TypeVar("T")

MOST_FINDINGS = 20
ROOM_FOR_FINDINGS = 12_000
ROOM_FOR_COLUMNS = 11_000
ROOM_FOR_FIELDS = 3_000
"""Characters of JSON; together less than the 8,000 tokens of an answer, of which each is four."""

LONGEST_SENTENCE = 400
LONGEST_COLUMN = 80
LONGEST_PROPOSED = 255
"""A header that is longer and means a field was made to; cut, it would name no column."""


class FindingAnswer(BaseModel):
    """Something that is, or may be, wrong with the rows."""

    level: str = Field(description="error: the job would fail, or values be lost; warning: some rows may")
    what: str
    do: str
    column: str | None = None
    lines: tuple[int, ...] = Field((), description="The first few; the header is line 1")
    count: int

    @classmethod
    def of(cls, finding: Finding) -> Self:
        """The finding, cut to what an answer has room for."""
        return cls(
            level=finding.level,
            what=cut(finding.what, LONGEST_SENTENCE),
            do=cut(finding.do, LONGEST_SENTENCE),
            column=None if finding.column is None else cut(finding.column, LONGEST_COLUMN),
            lines=finding.lines,
            count=finding.count,
        )

    def __str__(self) -> str:
        column = f", column {self.column}" if self.column else ""
        lines = f", line {', '.join(map(str, self.lines))}" if self.lines else ""
        times = f" ({self.count:,} times)" if self.count > max(len(self.lines), 1) else ""
        # Names of columns are anybody's words: with line breaks in them, they could pass for ours.
        return " ".join(f"- {self.level}{column}{lines}{times}: {self.what} {self.do}".split())


class LoadAnswer(Answer):
    """What rows are, and what was found in them."""

    status: str | None = Field(
        None, description="uploaded, already uploaded (nothing sent), in progress, checked (dryRun) or checking"
    )
    rows: int | None = None
    bytes: int | None = None
    bytes_done: int | None = Field(None, description="While it goes on: how far it is")
    sha256: str | None = Field(None, description="Of all rows as they go out")
    part: int | None = None
    of: int | None = Field(None, description="Parts, each for a job of its own")
    findings: tuple[FindingAnswer, ...] | None = Field(None, description="Empty: nothing is wrong")
    other_findings: int | None = None
    columns: dict[str, str | None] | None = Field(
        None, description="Proposal for `columns`; nothing applies it unasked"
    )
    other_columns: int | None = None
    fields: tuple[str, ...] | None = Field(None, description="To name unknown columns for; label in brackets")

    def text(self) -> str:
        lines = [super().text()]
        if self.sha256:
            lines.append(f"sha256: {self.sha256}")
        return "\n".join(
            [*lines, *_details(self.columns, self.other_columns, self.fields, self.findings or (), self.other_findings)]
        )


class UploadAnswer(LoadAnswer):
    """What became of an upload."""

    model_config = ConfigDict(json_schema_extra=unlisted("otherFindings", "fields"))

    job_id: str
    state: str
    org: str

    @classmethod
    def of_outcome(cls, outcome: UploadOutcome) -> Self:
        """The outcome with what it means."""
        job = outcome.job
        assert job is not None
        return cls(
            job_id=job.id,
            state=job.state,
            org=str(outcome.org),
            summary=_summary(outcome),
            next=_next(outcome),
            **_rows_of(outcome),
        )

    def text(self) -> str:
        return f"{super().text()}\nState: {self.state}."


class CreateAnswer(LoadAnswer):
    """A job under Salesforce's own field names, and its rows where some came with it."""

    model_config = ConfigDict(
        json_schema_extra=unlisted(
            *("externalIdFieldName", "assignmentRuleId", "concurrencyMode", "contentType", "apiVersion"),
            *("createdById", "createdDate", "systemModstamp", "otherFindings", "otherColumns", "fields"),
        )
    )

    id: str | None = Field(None, description="None where no job was made")
    state: str | None = None
    object: str | None = None
    operation: str | None = None
    external_id_field_name: str | None = None
    assignment_rule_id: str | None = None
    column_delimiter: str | None = None
    line_ending: str | None = None
    concurrency_mode: str | None = None
    content_type: str | None = None
    api_version: float | None = None
    created_by_id: str | None = None
    created_date: str | None = None
    system_modstamp: str | None = None
    org: str
    resource_uri: str | None = None

    @classmethod
    def of_job(cls, job: Job, org: Org) -> Self:
        """A job without rows."""
        summary = (
            f"Created job {job.id} ({job.operation} {job.object}) in {org}; it is {job.state} and has no rows yet."
        )
        return cls(summary=summary, next=next_step(job), org=str(org), **_job_of(job))

    @classmethod
    def of_outcome(cls, outcome: UploadOutcome) -> Self:
        """A job with its rows; or rows that were only checked."""
        job = _job_of(outcome.job) if outcome.job is not None else {}
        created = "Created the job. " if outcome.job is not None else "No job was made. "
        return cls(
            summary=f"{created}{_summary(outcome)}",
            next=_next(outcome),
            org=str(outcome.org),
            **job,
            **_rows_of(outcome),
        )


def refusal(error: RowsRefused) -> str:
    """The refusal with what was found, for a model that gets the text alone."""
    return "\n".join([str(error), *_details(**_told(error.plan))])


def after_refusal(plan: Plan) -> str:
    """What to do with rows that were not sent."""
    if plan.has_errors and plan.fields:
        return (
            "Settle with the user which field each unknown column is, or null to leave it out, and call again with that "
            "in columns; or correct the rows."
        )
    if plan.has_errors and plan.proposal:
        return "Check the proposed columns with the user, then call again with them in columns; or correct the rows."
    if plan.has_errors:
        return (
            "Correct the rows, or their mapping (columns, set, values, only), and call again; "
            'preflight "off" skips the checks.'
        )
    return _parts_advice(plan)


def _job_of(job: Job) -> dict[str, Any]:
    known = bounded(job).model_dump(include=set(CreateAnswer.model_fields) & set(Job.model_fields))
    return {**known, "resource_uri": job_uri(job.id)}


def _rows_of(outcome: UploadOutcome) -> dict[str, Any]:
    goes_on = outcome.status in ("checking", "in progress")
    told = {"status": outcome.status, "bytes_done": outcome.done_bytes if goes_on else None}
    plan = outcome.plan
    if plan is None:
        return told
    size = len(plan.parts)
    part = plan.parts[outcome.part - 1] if outcome.part <= size and outcome.status != "checked" else None
    return told | {
        "rows": part.rows if part else plan.rows,
        "bytes": part.size if part else plan.size,
        "sha256": plan.sha256,
        "part": part.number if part and size > 1 else None,
        "of": size if size > 1 else None,
        **_told(plan),
    }


class _Told(TypedDict):
    """What an answer has room for, and how much is left out."""

    columns: dict[str, str | None] | None
    other_columns: int | None
    fields: tuple[str, ...] | None
    findings: tuple[FindingAnswer, ...]
    other_findings: int | None


def _told(plan: Plan) -> _Told:
    columns, findings = _proposal(plan), _findings(plan)
    return {
        "columns": columns or None,
        "other_columns": len(plan.proposal) - len(columns) or None,
        "fields": tuple(_fitting(map(_sized, plan.fields), len, ROOM_FOR_FIELDS)) or None,
        "findings": findings,
        "other_findings": len(plan.findings) - len(findings) or None,
    }


def _findings(plan: Plan) -> tuple[FindingAnswer, ...]:
    answers = map(FindingAnswer.of, plan.findings[:MOST_FINDINGS])
    return tuple(_fitting(answers, lambda answer: len(answer.model_dump_json()), ROOM_FOR_FINDINGS))


def _proposal(plan: Plan) -> dict[str, str | None]:
    entries = (entry for entry in plan.proposal.items() if len(entry[0]) <= LONGEST_PROPOSED)
    return dict(_fitting(entries, lambda entry: len(as_one_line(entry)), ROOM_FOR_COLUMNS))


def _sized(name: str) -> str:
    return cut(" ".join(name.split()), LONGEST_COLUMN)


def _fitting(items: Iterable[T], size_of: Callable[[T], int], room: int) -> Iterator[T]:
    """The first of them that there is room for."""
    for item in items:
        room -= size_of(item)
        if room < 0:
            return
        yield item


def _details(
    columns: dict[str, str | None] | None,
    other_columns: int | None,
    fields: tuple[str, ...] | None,
    findings: tuple[FindingAnswer, ...],
    other_findings: int | None,
) -> Iterator[str]:
    """The lines that tell them."""
    if columns:
        more = f" and {other_columns:,} more, told once these are settled" if other_columns else ""
        yield f"Proposed columns: {as_one_line(columns)}{more}"
    if fields:
        yield f"Fields that columns may be named for: {', '.join(fields)}"
    yield from map(str, findings)
    if other_findings:
        yield f"- and {other_findings:,} more, not listed"


def _summary(outcome: UploadOutcome) -> str:
    plan, job, org = outcome.plan, outcome.job, outcome.org
    if plan is None:
        return (
            f"Still checking the rows, {outcome.done_bytes:,} bytes so far; nothing is sent yet. It goes on by itself."
        )
    if outcome.status == "checked":
        parts = f" in {len(plan.parts)} parts, a job for each" if len(plan.parts) > 1 else ""
        return f"Checked {rows(plan.rows)}, {plan.size:,} bytes{parts}: {_verdict(plan)}. Nothing was sent to {org}."
    assert job is not None
    part = plan.parts[outcome.part - 1]
    of = f" (part {part.number} of {len(plan.parts)})" if len(plan.parts) > 1 else ""
    size = f"{rows(part.rows)}, {part.size:,} bytes{of},"
    warnings = f" {_verdict(plan).capitalize()}." if plan.findings else ""
    return {
        "uploaded": f"Uploaded {size} to job {job.id} in {org}; nothing is loaded until the job is closed.",
        "already uploaded": f"Job {job.id} in {org} already has these {size.removesuffix(',')}; nothing was sent.",
        "in progress": f"Still uploading {size} to job {job.id} in {org}, {outcome.done_bytes:,} so far; it goes on "
        "by itself.",
    }[outcome.status] + warnings


def _verdict(plan: Plan) -> str:
    errors = sum(finding.level == "error" for finding in plan.findings)
    warnings = len(plan.findings) - errors
    told = [_number(errors, "error")] if errors else []
    told += [_number(warnings, "warning")] if warnings else []
    return " and ".join(told) or "nothing is wrong"


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _next(outcome: UploadOutcome) -> str:
    plan, job = outcome.plan, outcome.job
    if plan is None:
        return "Make the same call again; it joins this check."
    if outcome.status == "checked":
        if plan.has_errors or len(plan.parts) > 1:
            return after_refusal(plan)
        return "Make the same call without dryRun to send the rows."
    assert job is not None
    if outcome.status == "in progress":
        return (
            f"Call upload-data-ingest-job with jobId {job.id} and the same data; it joins this upload and sends "
            "nothing twice."
        )
    if job.state == "Open":
        after = _after_part(outcome)
        return f"Call close-abort-ingest-job with jobId {job.id} and state UploadComplete to load them{after}."
    return next_step(job)


def _after_part(outcome: UploadOutcome) -> str:
    plan = outcome.plan
    if plan is None or outcome.part >= len(plan.parts):
        return ""
    return (
        f"; then create-ingest-job with the same data, part {outcome.part + 1} of {len(plan.parts)} and the same sha256, "
        "for the next job"
    )


def _parts_advice(plan: Plan) -> str:
    return (
        f"For each part n from 1 to {len(plan.parts)}: call create-ingest-job with the same data, part n and sha256 "
        f"{plan.sha256}, then close that job. One part fails or succeeds without the others."
    )
