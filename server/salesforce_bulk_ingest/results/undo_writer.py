"""Writing the rows that undo jobs, made of the before-images of these: each job's rows in turn, under one header."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from salesforce_bulk_ingest.base.errors import InvalidArgument, NoRowLeft, NothingToUndo
from salesforce_bulk_ingest.base.findings import Finding
from salesforce_bulk_ingest.base.text import counted, listed
from salesforce_bulk_ingest.cache.file_cache import CachedFile, NewFile
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.results.retry_file import RetryFile, RetryOrigin
from salesforce_bulk_ingest.results.retry_request import RetryRequest
from salesforce_bulk_ingest.results.retry_writer import NumberedRow, RetryWriter
from salesforce_bulk_ingest.validation.destination import Destination

NAMED = 3
"""The number of records, and of jobs, that a finding names."""

_DIALECT = Dialect()


@dataclass(frozen=True, slots=True)
class JobToUndo:
    """A job to undo, with the rows that do it.

    Attributes:
        job_id: the id of the job.
        kind: the kind of the rows, as the ledger has it: `BEFORE` or `DELETED`.
        sha256: the SHA-256 of the rows of the job.
        rows: the rows, each with its number in the image.
        notes: returns the findings about what they leave as it is, once they were read.
        shared: the numbers, from 0, of the rows of all jobs that undo the job beside these: those of newer jobs, for records
            that both changed.
        lines: the line of the source of the job for each row of the image, 0 where it is not known; none where no lines are
            asked for.
    """

    job_id: str
    kind: str
    sha256: str
    rows: Iterable[NumberedRow]
    notes: Callable[[], Sequence[Finding]]
    shared: Sequence[int] = ()
    lines: Sequence[int] = ()


def read_image(image: CachedFile) -> Iterator[list[str]]:
    """Yield the rows of a before-image, without its header.

    Raises:
        OSError: the image can't be read.
    """
    with image.path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        next(rows, None)
        yield from rows


def write_undo(
    file: NewFile,
    undos: Sequence[JobToUndo],
    header: Sequence[str],
    request: RetryRequest,
    destination: Destination,
    in_words: Callable[[str, str], str],
    check_cancelled: Callable[[], None] = lambda: None,
) -> RetryFile:
    """Write the rows that undo jobs into a new file of the cache.

    Args:
        file: the new file.
        undos: the rows of each job, the newest job first.
        header: the names of their columns.
        request: the request, which says what is left out.
        destination: the job that the rows are for.
        in_words: returns a sentence about what the rows do, given their number and the jobs in words.
        check_cancelled: called from time to time; what it raises ends the work.

    Raises:
        NothingToUndo: there are no rows to write.
        InvalidArgument: there are none beside those on lines to leave out.
        NoRowLeft: all of them went before.
        OSError: an image can't be read, or the file can't be written.
    """
    writer = RetryWriter(file.file, destination, request, check_cancelled)
    origins, notes = list[RetryOrigin](), list[Finding]()
    for undo in undos:
        rows = writer.unsent(undo.job_id, undo.kind, undo.sha256, writer.on_kept_lines(undo.rows, undo.lines))
        origin = RetryOrigin(undo.job_id, undo.kind, undo.sha256, writer.write(undo.job_id, _DIALECT, header, rows))
        notes += [*undo.notes(), *writer.left_out_notes(undo.job_id)]
        if origin.row_numbers:
            origins.append(origin)
    if not origins:
        message = " ".join(["There is nothing to undo.", *(note.what for note in notes)])
        if writer.skipped_into:
            raise NoRowLeft(message, writer.skipped_into[0])
        if request.left_out:
            raise InvalidArgument(message, ("leaveOut", "lines"))
        raise NothingToUndo(message)
    of_jobs = jobs_in_words([undo.job_id for undo in undos])

    def effects(rows: Sequence[int]) -> Sequence[Finding]:
        what = in_words(counted(len(rows), "record"), of_jobs)
        return [Finding("warning", what, "Make sure with the user that this is meant.")] if rows else []

    return RetryFile.finish(file, origins, notes, {undo.job_id: undo.shared for undo in undos if undo.shared}, effects)


def jobs_in_words(job_ids: Sequence[str]) -> str:
    """Return jobs as a part of a sentence: `job 750...`, or the first of several."""
    return f"{'job' if len(job_ids) == 1 else 'jobs'} {listed(job_ids, NAMED)}"


def left_out(records: Sequence[str], why: str, do: str) -> Iterator[Finding]:
    """Yield the finding that records with these ids are left out; none for no records."""
    if records:
        what = f"Left out: {counted(len(records), 'record')} {why}: {listed(records, NAMED)}."
        yield Finding("warning", what, do, count=len(records))
