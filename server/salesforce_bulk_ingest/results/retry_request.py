"""The request to retry rows of earlier jobs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from salesforce_bulk_ingest.cache.retried_rows import SentRows
from salesforce_bulk_ingest.loading.row_filter import ALL_LINES, LinesOut
from salesforce_bulk_ingest.results.row_errors import ErrorFilter
from salesforce_bulk_ingest.salesforce.models import ResultKind

Which = Literal["failed", "unprocessed", "missing", "created", "before"]

MISSING = "missing"
"""Rows that were sent and are in no result."""

KINDS: Mapping[Which, ResultKind] = {
    "failed": "failedResults",
    "unprocessed": "unprocessedrecords",
    "created": "successfulResults",
}
"""The result that has the rows of each kind; missing rows and those of a before-image have none."""

NOT_LOADED = (KINDS["failed"], KINDS["unprocessed"], MISSING)
"""The kinds of results that have the rows of a job that are not in the org; `MISSING` for those that are in none."""

BEFORE = "before"
"""What records held before a job updated or deleted them."""

DELETED = "deleted"
"""The rows of `before` that insert deleted records again, as the ledger has them: each goes once."""

UNDONE_BY: Mapping[str, Mapping[Which, str]] = {
    "insert": {"created": "delete"},
    "update": {"before": "update"},
    "upsert": {"created": "delete", "before": "update"},
    "delete": {"before": "insert"},
    "hardDelete": {"before": "insert"},
}
"""By the operation of a job: the kinds of rows that undo what it did, and the operation of the job that takes each."""

MOST_JOBS = 100


@dataclass(frozen=True, slots=True)
class RetryRequest:
    """A request to put rows of earlier jobs into a new one.

    Attributes:
        jobs: ids of the earlier jobs.
        which: kinds of rows; `missing` are those that are in no result, and `created` gives only the ids of the records
            that the jobs created, `before` what records held before a job updated or deleted them.
        where: filter of the failed rows; rows of the other kinds have no error to filter by.
        again: whether to retry rows that were retried before.
        skip_sent: whether to leave out rows that were retried before.
        skipped: the rows to leave out; empty until they are known.
        left_out: the lines of the source of the jobs whose rows are left out, too.
        looks: for `before`, whether the rows are what records held where nothing is left to undo: to look at, not to send.
    """

    jobs: tuple[str, ...]
    which: tuple[Which, ...]
    where: ErrorFilter = field(default_factory=ErrorFilter)
    again: bool = False
    skip_sent: bool = False
    skipped: tuple[SentRows, ...] = ()
    left_out: LinesOut = ALL_LINES
    looks: bool = False
