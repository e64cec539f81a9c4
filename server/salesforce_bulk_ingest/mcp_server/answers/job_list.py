"""The answer about many jobs: the newest of a page of the org's list, and how many are in which state."""

from typing import Self

from pydantic import Field
from pydantic.alias_generators import to_camel

from salesforce_bulk_ingest.base.text import as_name, counted, cut, quoted
from salesforce_bulk_ingest.csvio.writer import format_record
from salesforce_bulk_ingest.mcp_server.answers.answer import LONGEST_NAME, Answer, PartListedAsObject
from salesforce_bulk_ingest.mcp_server.answers.job import bounded
from salesforce_bulk_ingest.mcp_server.answers.next_call import CREATE, ROWS, call, status_call
from salesforce_bulk_ingest.operations.jobs import JobListing

MOST_STATES = 20


class JobLine(PartListedAsObject):
    """A job in a list, with some of the fields of a job."""

    id: str
    state: str
    object: str | None = None
    operation: str | None = None
    job_type: str | None = None
    created_date: str | None = None
    created_by_id: str | None = None
    number_records_processed: int | None = None
    number_records_failed: int | None = None


class JobListAnswer(Answer):
    """The newest jobs of one page."""

    jobs: tuple[JobLine, ...] = Field(description="By createdDate, newest first, at most 25")
    states: dict[str, int] = Field(description="Jobs by state, of the whole page")
    query_locator: str | None = Field(description="For the next page; null on the last")
    org: str

    @classmethod
    def of(cls, listing: JobListing) -> Self:
        """Return the answer about a listing."""
        states = [(cut(state, LONGEST_NAME), count) for state, count in sorted(listing.states.items())[:MOST_STATES]]
        return cls(
            jobs=tuple(JobLine.model_validate(bounded(job).model_dump(), extra="ignore") for job in listing.newest),
            states=dict(states),
            query_locator=listing.query_locator,
            org=str(listing.org),
            summary=_summary(listing, states),
            next=f"{status_call('<id>')} tells of a job in full."
            if listing.on_page
            else f"{call(CREATE, body={'object': '<object>', 'operation': '<operation>'}, data=ROWS)} begins a load.",
        )

    def text(self) -> str:
        lines = [format_record([to_camel(name) for name in JobLine.model_fields])]
        lines += [format_record(["" if value is None else str(value) for _, value in job]) for job in self.jobs]
        return f"{super().text()}\n\n{''.join(lines)}"


def _summary(listing: JobListing, states: list[tuple[str, int]]) -> str:
    if listing.on_page:
        by_state = ", ".join(f"{count} {as_name(state)}" for state, count in states)
        jobs = f"{counted(listing.on_page, 'job')} on this page of {listing.org} ({by_state})"
        yours = f" Yours have createdById {listing.user_id}." if listing.user_id else ""
        summary = f"{jobs}; the {len(listing.newest)} newest by createdDate shown, the newest first.{yours}"
    else:
        summary = f"There are no jobs to list in {listing.org}."
    return f"{summary} Next page: queryLocator {quoted(listing.query_locator)}." if listing.query_locator else summary
