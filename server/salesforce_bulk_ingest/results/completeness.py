"""Whether a result is whole: the rows that Salesforce gave, beside the rows that its job counts."""

from dataclasses import dataclass, replace
from typing import Self

from salesforce_bulk_ingest.base.text import counted
from salesforce_bulk_ingest.csvio.cells import parse_record
from salesforce_bulk_ingest.salesforce.models import Job, ResultKind


@dataclass(frozen=True, slots=True)
class Completeness:
    """What speaks for or against a result being whole.

    Attributes:
        rows: number of rows that Salesforce gave.
        counted: number of rows that the job counts, at most, for this result; None where nothing counts them.
        has_header: whether there was a header; an answer without one may mean that the result is not ready yet (seen in
            #886 of OpenFn/adaptors).
        is_cut: whether the result ends within a row.
        is_confirmed: whether Salesforce gave the same bytes a second time, so that they are all that it has.
    """

    rows: int
    counted: int | None = None
    has_header: bool = True
    is_cut: bool = False
    is_confirmed: bool = False

    @property
    def is_short(self) -> bool:
        """Whether there must be, or may well be, more than Salesforce gave."""
        if self.is_cut or (self.counted is not None and self.rows < self.counted):
            return True
        return not self.has_header and self.counted is None

    @property
    def is_whole(self) -> bool:
        """Whether the result can be taken for all that Salesforce has."""
        return self.is_confirmed or not self.is_short

    @property
    def is_confirmable(self) -> bool:
        """Whether the same bytes a second time would confirm the result: no answer at all never stands for rows."""
        return self.has_header or not self.counted

    @property
    def differs(self) -> bool:
        """Whether Salesforce gave other rows than the job counts."""
        return self.is_short or (self.counted is not None and self.rows != self.counted)

    def by_counters(self, counted: int | None) -> Self:
        """Return the same beside the number of rows that the job counts now; None changes nothing."""
        return self if counted is None else replace(self, counted=counted)

    def __str__(self) -> str:
        """Say how many rows Salesforce gave, and of how many, in words that follow "Salesforce gave"."""
        given = counted(self.rows, "row") if self.has_header else "nothing, not even a header"
        if self.counted is not None and self.counted != self.rows:
            given += f", where by the counters of the job there are {self.counted:,}"
        cut = "; the last row was cut off" if self.is_confirmed else "; the last row is cut off"
        return f"{given}{cut}" if self.is_cut else given


def counted_rows(job: Job, kind: ResultKind, sent: int | None) -> int | None:
    """Return how many rows a job that has ended counts for one of its results; None where nothing counts them.

    Counters may leave out a failed batch (seen in forcedotcom's Data Loader), so a result may have more rows. For a job
    that failed or was aborted, the numbers of successful and of unprocessed rows are the most that are possible.

    Args:
        job: the job.
        kind: kind of the result.
        sent: number of rows that were sent to the job; None where it is not known.
    """
    if not job.is_terminal:
        return None
    if kind == "unprocessedrecords":
        if job.state == "JobComplete":
            return 0
        processed = job.number_records_processed
        return None if sent is None or processed is None else max(sent - processed, 0)
    if job.number_records_processed is None:
        return None
    failed = job.number_records_failed or 0
    return failed if kind == "failedResults" else max(job.number_records_processed - failed, 0)


def ends_within_row(last: bytes, header: bytes, delimiter: str, kind: ResultKind) -> bool:
    """Return whether the last record of a result is only a part of one.

    Args:
        last: the last record that is not blank, with its line end; the header where there is no row.
        header: the first record.
        delimiter: delimiter of the result.
        kind: kind of the result.
    """
    if last.count(b'"') % 2 or len(parse_record(last, delimiter)) < len(parse_record(header, delimiter)):
        return True
    # Every cell of the other results is in quotes (Bulk API 2.0 guide, quick start, step 5), so a cut leaves one open.
    return kind == "unprocessedrecords" and bool(last) and not last.endswith(b"\n")
