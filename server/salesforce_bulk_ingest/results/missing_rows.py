"""Finding the rows of an upload that are in no result of its job, so that they can be sent again."""

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import merge
from pathlib import Path

from salesforce_bulk_ingest.base.findings import Finding
from salesforce_bulk_ingest.cache.upload_archive import ArchivedUpload
from salesforce_bulk_ingest.results.result_file import ResultFile
from salesforce_bulk_ingest.results.row_counts import RowCounts
from salesforce_bulk_ingest.results.source_order import rows_matched_with

_LOAD_BY_HAND = "Find out in the org which rows of the source are there, and send the others by themselves."


@dataclass(frozen=True, slots=True)
class ReturnedUpload:
    """An upload with all results of its job, of which the rows that are in no result are wanted.

    Attributes:
        job_id: id of the job.
        upload: the upload.
        results: the results that have rows; each has the columns of the upload.
        key: field that identifies rows; None if there is none.
        counts: where the rows of the upload are.
        needs_lines: whether rows are left out by their lines.
    """

    job_id: str
    upload: ArchivedUpload
    results: tuple[ResultFile, ...]
    key: str | None
    counts: RowCounts | None = None
    needs_lines: bool = False

    def notes(self) -> list[Finding]:
        """Return a warning with the number of rows in each result, and in none."""
        if self.counts is None:
            return []
        return [Finding("warning", f"Job {self.job_id}: {self.counts}.", "Check that these are the rows you mean.")]


def find_missing_rows(
    returned: ReturnedUpload, folder: Path, check_cancelled: Callable[[], None] = lambda: None
) -> tuple["array[int]", list[Finding]]:
    """Find the rows of an upload that are in none of its results: only rows of which that is certain.

    Args:
        returned: the upload with its results.
        folder: folder for a temporary file.
        check_cancelled: called for each block; what it raises ends the work.

    Returns:
        The numbers of the rows in the upload, the first row being row 0, and findings about rows that may be missing but
        can't be told from others.

    Raises:
        OSError: a file can't be read or written.
        DamagedUpload: the upload is not as it was written.
        Unreadable, EndlessRecord: a result is no CSV.
    """
    upload, job_id = returned.upload, returned.job_id
    # Cells that are blank in a whole result are compared first: most were sent so, as the names of rows that failed for it.
    for with_blank in (True, False):
        with rows_matched_with(
            returned.results, upload, returned.key, folder, check_cancelled, with_blank=with_blank
        ) as matcher:
            unlike, ambiguous = len(matcher.unmatched()) + len(matcher.surplus()), len(matcher.ambiguous())
            if not unlike:
                candidates = array("Q", matcher.ambiguous_uploaded_rows())
                found = merge(matcher.uploaded_rows_found(), candidates)
                missing = array("Q", _others(upload.origin.rows, found))
                lines = tuple(matcher.lines_of_ambiguous_rows())
                uncertain = len(candidates) - ambiguous
                return missing, [_ambiguous(job_id, uncertain, lines)] if uncertain else []
    return array("Q"), [_unlike_all(job_id, unlike)]


def _others(count: int, numbers: Iterator[int]) -> Iterator[int]:
    """Return the numbers below `count` that are not among these numbers, which ascend."""
    left_out = next(numbers, None)
    for number in range(count):
        if number == left_out:
            left_out = next(numbers, None)
        else:
            yield number


def beyond_counters(job_id: str, count: int) -> Finding:
    """Return the finding that rows are in no result, but that the job counts more rows than its results have."""
    what = (
        f"{count:,} rows of job {job_id} are in no result, but the job counts more rows than its results have: a row that "
        "is in no result may be in the org, so none of them go."
    )
    return Finding("warning", what, _LOAD_BY_HAND, count=count)


def not_kept(job_id: str) -> Finding:
    """Return the finding that rows are in no result, but that the upload is not archived."""
    what = f"Rows of job {job_id} are in no result, and what was sent is not kept here, so these rows don't go."
    return Finding("warning", what, "Compare the source with the successful and failed rows, and load what is missing.")


def _unlike_all(job_id: str, count: int) -> Finding:
    what = (
        f"Rows of job {job_id} are in no result, but which ones is not certain: {count:,} rows of its results are like none "
        "that was sent."
    )
    return Finding("warning", what, _LOAD_BY_HAND, count=count)


def _ambiguous(job_id: str, count: int, lines: tuple[int, ...]) -> Finding:
    what = (
        f"Left out of job {job_id}: {count:,} rows that are in no result, which may be any of several rows that were sent "
        "and that differ only where Salesforce gives nothing back or writes anew."
    )
    return Finding("warning", what, "Find out which of these lines are not in the org.", lines=lines, count=count)
