"""Where the rows of an upload are once its job has ended: each is in one of three results, or in none of them.

Rows of batches beyond the org's daily allocation are in no result (Bulk API 2.0 guide, usage notes of each result).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from salesforce_bulk_ingest.base.text import counted
from salesforce_bulk_ingest.results.completeness import Completeness
from salesforce_bulk_ingest.salesforce.models import Job, ResultKind

_BEYOND_BATCHES = "ApiBatchItems"
"""A part of the errorMessage of a job that ran into the daily allocation of batches."""


def has_rows_in_no_result(job: Job) -> bool:
    """Return whether the job's errorMessage says that some of its rows are in no result."""
    return _BEYOND_BATCHES in (job.error_message or "")


@dataclass(frozen=True, slots=True)
class RowCounts:
    """The number of rows that were sent to a job, and where they are.

    Attributes:
        sent: number of rows that were sent.
        successful: number of rows that succeeded.
        failed: number of rows that failed.
        unprocessed: number of rows that Salesforce gives back as not processed.
        in_no_result: number of the other rows, which Salesforce does not tell of.
    """

    sent: int
    successful: int
    failed: int
    unprocessed: int
    in_no_result: int

    @classmethod
    def by_counters(cls, job: Job, sent: int) -> Self | None:
        """Return the counts of a job whose counters account for every row; None where its results have to be counted."""
        processed, failed = job.number_records_processed, job.number_records_failed or 0
        if job.state != "JobComplete" or processed != sent or not 0 <= failed <= sent:
            return None
        return cls(sent, sent - failed, failed, 0, 0)

    @classmethod
    def by_results(cls, sent: int, results: Mapping[ResultKind, Completeness]) -> Self:
        """Return the counts of a job whose three results are whole.

        Where the rows that Salesforce gave are fewer than were sent, its counters are believed if they are higher: a row
        that the job counts as successful must not pass for one that is not in the org.
        """
        given = {kind: result.rows for kind, result in results.items()}
        if sum(given.values()) < sent:
            counted = {kind: max(rows, results[kind].counted or 0) for kind, rows in given.items()}
            given = {**counted, "unprocessedrecords": given["unprocessedrecords"]}
        successful, failed = given["successfulResults"], given["failedResults"]
        unprocessed = given["unprocessedrecords"]
        return cls(sent, successful, failed, unprocessed, max(sent - successful - failed - unprocessed, 0))

    def __str__(self) -> str:
        """Say where the rows are, in words that follow the name of the job."""
        return (
            f"of {counted(self.sent, 'row')} sent, {self.successful:,} succeeded, {self.failed:,} failed, "
            f"{self.unprocessed:,} not processed, {self.in_no_result:,} in no result"
        )


@dataclass(frozen=True, slots=True)
class RowAccounting:
    """What is known about the rows that were sent to a job that has ended.

    Attributes:
        sent: number of rows that were sent.
        counts: where the rows are; None where that is not known yet.
    """

    sent: int
    counts: RowCounts | None
