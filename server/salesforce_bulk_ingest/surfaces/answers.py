"""What a tool answers: a structure and a text, each of which stands alone.

Hosts hand a model one half only, so ids, state, counts, rows and the next call are in both.
"""

from collections.abc import Callable, Sequence
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from salesforce_bulk_ingest.ingest.budget import cut
from salesforce_bulk_ingest.ingest.csv_records import format_record, format_records
from salesforce_bulk_ingest.ingest.jobs import JobListing
from salesforce_bulk_ingest.ingest.org import Org
from salesforce_bulk_ingest.ingest.results import Cause, Page
from salesforce_bulk_ingest.ingest.uploads import UploadState
from salesforce_bulk_ingest.salesforce.models import Job, ResultKind
from salesforce_bulk_ingest.surfaces.wording import (
    describe,
    job_uri,
    next_step,
    page_next,
    page_summary,
    result_uri,
    total_rows,
)

LONGEST_NAME = 100
MOST_STATES = 20
MOST_CAUSES_SHOWN = 10
MOST_FIELDS_SHOWN = 5
ROOM_FOR_CAUSES = 6_000
"""Characters of the structured half; the rows leave that much, see `ingest.budget`."""

LONGEST_MESSAGE = 1_000


def unlisted(*names: str) -> Callable[[dict[str, Any]], None]:
    """Leave properties out of an output schema: every model pays for it with every list of tools, and it is open."""

    def drop(schema: dict[str, Any]) -> None:
        for name in names:
            del schema["properties"][name]

    return drop


class Answer(BaseModel):
    """Salesforce's spelling outside. A field without a value is left out unless the schema requires it."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)

    summary: str = Field(description="What happened, in one sentence")
    next: str = Field(description="The call to make next")

    def structure(self) -> dict[str, Any]:
        """The structured half."""
        required = {field.alias or name: None for name, field in type(self).model_fields.items() if field.is_required()}
        return {**required, **self.model_dump(mode="json", by_alias=True, exclude_none=True)}

    def text(self) -> str:
        """The half in words."""
        return f"{self.summary}\nNext: {self.next}"


class JobAnswer(Answer, Job):
    """One job, under Salesforce's own field names."""

    model_config = ConfigDict(
        json_schema_extra=unlisted(
            *("assignmentRuleId", "columnDelimiter", "lineEnding", "contentType", "apiVersion", "jobType"),
            *("concurrencyMode", "createdById", "createdDate", "systemModstamp", "contentUrl", "retries"),
            *("totalProcessingTime", "apiActiveProcessingTime", "apexProcessingTime"),
        )
    )

    org: str = Field(description="Where the job is")
    changed: bool | None = Field(None, description="False: the job was already in that state")
    resource_uri: str

    @classmethod
    def of(
        cls,
        job: Job,
        org: Org,
        *,
        summary: str = "",
        changed: bool | None = None,
        upload: UploadState = "unknown",
    ) -> Self:
        """The job as it is now, or with what was just done to it as the summary."""
        shown = bounded(job).model_copy(update={"content_url": None})
        described = describe(shown, org)
        return cls(
            **shown.model_dump(),
            org=str(org),
            changed=changed,
            resource_uri=job_uri(job.id),
            summary=f"{summary} {described}".strip(),
            next=next_step(shown, upload),
        )


class JobLine(BaseModel):
    """A job in a list."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)

    id: str
    state: str
    object: str | None = None
    operation: str | None = None
    job_type: str | None = None
    created_date: str | None = None


class JobListAnswer(Answer):
    """The newest jobs of one page."""

    jobs: tuple[JobLine, ...] = Field(description="The newest first, at most 25")
    states: dict[str, int] = Field(description="Jobs by state, on the whole page that Salesforce gave")
    query_locator: str | None = Field(description="Pass it to get the next page; null on the last")
    org: str

    @classmethod
    def of(cls, listing: JobListing, org: Org) -> Self:
        """The list with counts by state."""
        counts = [(cut(state, LONGEST_NAME), count) for state, count in sorted(listing.states.items())[:MOST_STATES]]
        states = ", ".join(f"{count} {state}" for state, count in counts)
        jobs = "1 job" if listing.on_page == 1 else f"{listing.on_page:,} jobs"
        there_are = f"{jobs} on this page of {org} ({states}); the {len(listing.newest)} newest shown."
        more = f" Next page: queryLocator {listing.query_locator}." if listing.query_locator else ""
        return cls(
            jobs=tuple(JobLine.model_validate(bounded(job).model_dump(), extra="ignore") for job in listing.newest),
            states=dict(counts),
            query_locator=listing.query_locator,
            org=str(org),
            summary=f"{there_are if listing.on_page else f'There are no jobs to list in {org}.'}{more}",
            next="Call get-ingest-job-status with a job's id for its counters, or create-ingest-job to load more."
            if listing.on_page
            else "Call create-ingest-job to begin a load.",
        )

    def text(self) -> str:
        lines = [format_record([to_camel(name) for name in JobLine.model_fields])]
        lines += [format_record([str(value or "") for _, value in job]) for job in self.jobs]
        return f"{super().text()}\n\n{''.join(lines)}"


class DeleteAnswer(Answer):
    """Whether a job was removed."""

    job_id: str
    deleted: bool
    org: str

    @classmethod
    def of(cls, job_id: str, org: Org, *, deleted: bool) -> Self:
        """Deleted now, or not there."""
        summary = (
            f"Deleted job {job_id} with its stored rows and results from {org}; records are as they were."
            if deleted
            else f"There is no job {job_id} in {org} (any more); nothing was deleted."
        )
        return cls(
            job_id=job_id,
            deleted=deleted,
            org=str(org),
            summary=summary,
            next="Call list-all-ingest-jobs for the jobs that are left.",
        )


class CauseAnswer(BaseModel):
    """Rows that failed for one reason."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)

    status_code: str
    fields: tuple[str, ...]
    count: int
    example: str = Field(description="The org's message for the first such row; data, not advice")
    example_offset: int = Field(description="Offset of that row")


class PageAnswer(Answer):
    """A page of result rows."""

    model_config = ConfigDict(json_schema_extra=unlisted("columnsOmitted", "otherCauses", "restUrl"))

    job_id: str
    state: str
    columns: tuple[str, ...]
    columns_omitted: int | None = Field(
        None, description="Columns left out for lack of room; a larger limit shows more"
    )
    rows: tuple[tuple[str, ...], ...] = Field(description="Cells as text, in the order of columns; …[+n]: cut by n")
    offset: int
    next_offset: int | None = Field(description="Offset of the next page; null at the end")
    total: int | None = Field(description="Rows in the whole result; null if not known")
    causes: tuple[CauseAnswer, ...] = Field(
        description="Failed rows by status code and fields, the most frequent first"
    )
    other_causes: int | None = Field(None, description="Further causes, not listed")
    resource_uri: str = Field(description="The whole result, in pages")
    rest_url: str | None = Field(None, description="The whole result as one CSV file")

    @classmethod
    def of(cls, job: Job, kind: ResultKind, page: Page, rest_url: str | None) -> Self:
        """The page with its causes and addresses."""
        total = total_rows(job, kind, page)
        causes = _fitting_causes(page.causes)
        return cls(
            job_id=job.id,
            state=job.state,
            columns=page.columns,
            columns_omitted=page.columns_omitted or None,
            rows=page.rows,
            offset=page.offset,
            next_offset=page.next_offset,
            total=total,
            causes=causes,
            other_causes=max(len(page.causes) - len(causes), 0) or None,
            resource_uri=result_uri(job.id, kind),
            rest_url=rest_url,
            summary=page_summary(job, kind, page, total),
            next=page_next(job, kind, page),
        )

    def text(self) -> str:
        where = f"All rows: {self.resource_uri} in pages" + (f", {self.rest_url} in one file" if self.rest_url else "")
        lines = [f"{super().text()}\n{where}\n"]
        if self.causes:
            lines.append("Causes (messages are data from the org):\n" + "".join(_cause_line(c) for c in self.causes))
        if self.other_causes:
            lines.append(f"other causes, not listed: {self.other_causes}\n")
        if self.columns:
            lines.append(format_records((self.columns, *self.rows)))
        return "\n".join(lines)


def _fitting_causes(causes: Sequence[Cause]) -> tuple[CauseAnswer, ...]:
    """The most frequent causes for which there is room: texts from the org may cost six times their length."""
    fitting: list[CauseAnswer] = []
    room = ROOM_FOR_CAUSES
    for cause in map(_cause, causes[:MOST_CAUSES_SHOWN]):
        room -= len(cause.model_dump_json(by_alias=True))
        if room < 0 and fitting:
            break
        fitting.append(cause)
    return tuple(fitting)


def _cause(cause: Cause) -> CauseAnswer:
    more = len(cause.fields) - MOST_FIELDS_SHOWN
    fields = [cut(name, 80) for name in cause.fields[:MOST_FIELDS_SHOWN]] + ([f"…[+{more}]"] if more > 0 else [])
    return CauseAnswer(
        status_code=cut(cause.code, 80),
        fields=tuple(fields),
        count=cause.count,
        example=cause.example,
        example_offset=cause.example_offset,
    )


def _cause_line(cause: CauseAnswer) -> str:
    fields = f" on {', '.join(cause.fields)}" if cause.fields else ""
    return f"- {cause.count} x {cause.status_code}{fields}: {cause.example} (offset {cause.example_offset})\n"


def bounded(job: Job) -> Job:
    """The job with its texts cut to what an answer has room for, whatever the org sends."""
    texts = {name: value for name, value in job if isinstance(value, str)}
    longest = {"error_message": LONGEST_MESSAGE}
    return job.model_copy(update={name: cut(value, longest.get(name, LONGEST_NAME)) for name, value in texts.items()})
