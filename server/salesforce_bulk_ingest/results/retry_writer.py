"""Writing the rows of earlier jobs that are to be retried, as they were uploaded.

Rows of an upload that is not archived are written as Salesforce gave them back.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import BinaryIO, TypeVar

from salesforce_bulk_ingest.base.errors import InvalidArgument, NoMatchingRows, NoRowLeft, NoSuchRows
from salesforce_bulk_ingest.base.findings import Finding
from salesforce_bulk_ingest.base.hidden_fields import NOTHING_HIDDEN, HiddenFields
from salesforce_bulk_ingest.base.text import LONGEST_NAME_SHOWN, counted, quoted
from salesforce_bulk_ingest.cache.file_cache import NewFile
from salesforce_bulk_ingest.cache.upload_archive import ArchivedUpload
from salesforce_bulk_ingest.csvio.cells import ParsedBlock
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.csvio.writer import csv_bytes
from salesforce_bulk_ingest.results.completeness import Completeness
from salesforce_bulk_ingest.results.missing_rows import ReturnedUpload, find_missing_rows
from salesforce_bulk_ingest.results.result_file import CREATED_COLUMN, ID_COLUMN, ResultFile, Row
from salesforce_bulk_ingest.results.retry_file import RetryFile, RetryOrigin
from salesforce_bulk_ingest.results.retry_request import MISSING, RetryRequest, Which
from salesforce_bulk_ingest.results.returned_cells import ReturnedCells
from salesforce_bulk_ingest.results.row_errors import ERROR_COLUMN, ErrorFilter
from salesforce_bulk_ingest.results.source_order import SourceOrderedResult
from salesforce_bulk_ingest.salesforce.job_ids import shown_job_id
from salesforce_bulk_ingest.salesforce.models import ID_FIELD, ResultKind
from salesforce_bulk_ingest.validation.destination import Destination
from salesforce_bulk_ingest.validation.named_rows import NAME_FIELDS

ROWS_AT_ONCE = 1_000
RECORDS_SHOWN = 3

_T = TypeVar("_T")
NumberedRow = tuple[int, Row]
"""The number of a row in its result, and the cells to write."""


@dataclass(frozen=True, slots=True)
class JobResult:
    """A result of which rows are to be retried.

    Attributes:
        job_id: id of the job.
        result: the result.
        upload: the upload of the job, if it is archived.
        source_order: the result in source order, if the upload is archived.
        completeness: the rows that Salesforce gave, beside those that the job counts.
        hidden: the fields whose cells no finding shows.
        lines: the line of the source on which each row of the result begins, 0 where it is not known; none where rows are
            not left out by lines.
    """

    job_id: str
    result: ResultFile
    upload: ArchivedUpload | None = None
    source_order: SourceOrderedResult | None = None
    completeness: Completeness | None = None
    hidden: HiddenFields = NOTHING_HIDDEN
    lines: Sequence[int] = ()

    def notes(self) -> list[Finding]:
        """Return a warning where Salesforce gave other rows than the job counts."""
        if self.completeness is None or not self.completeness.differs:
            return []
        return [differing(self.job_id, self.result.kind, self.completeness)]


def differing(job_id: str, kind: ResultKind, completeness: Completeness) -> Finding:
    """Return the warning that Salesforce gave other rows of a result than the job counts."""
    what = f"Salesforce gave {completeness}, in the {kind} of job {job_id}."
    return Finding("warning", what, "Find out from the source which rows are meant.")


def write_retry_file(
    request: RetryRequest,
    sources: Sequence[JobResult | ReturnedUpload],
    destination: Destination,
    file: NewFile,
    check_cancelled: Callable[[], None] = lambda: None,
    *,
    notes: Sequence[Finding] = (),
) -> RetryFile:
    """Write rows of several jobs into a new file of the cache, under one header.

    Args:
        request: the choice of the rows to write.
        sources: the results, and the uploads of which rows are in no result.
        destination: the job that the rows are meant for.
        file: the new file.
        check_cancelled: called from time to time; what it raises ends the work.
        notes: findings about rows of the jobs that do not go.

    Raises:
        InvalidArgument: there are no rows to write, or the results have different columns.
        OSError: a file can't be read or written.
        DamagedUpload: an upload is not as it was written.
    """
    writer = RetryWriter(file.file, destination, request, check_cancelled)
    origins, found = list[RetryOrigin](), list(notes)
    for source in sources:
        if isinstance(source, ReturnedUpload):
            origin, new_notes = _write_missing_rows(source, file.folder, writer, check_cancelled)
        else:
            origin, new_notes = _write_rows(source, request.where, writer)
        found += [*source.notes(), *new_notes, *writer.left_out_notes(source.job_id)]
        if origin.row_numbers:
            origins.append(origin)
    if not origins:
        raise _no_rows(request, found, writer.skipped_into)
    return RetryFile.finish(file, origins, found)


class RetryWriter:
    """Writes rows of several results into one CSV, in the dialect of the destination.

    Args:
        file: the file.
        destination: the job that the rows are meant for.
        request: the request, which says what is left out.
        check_cancelled: called from time to time; what it raises ends the work.

    Attributes:
        skipped_into: the ids of the jobs into which rows went before that are skipped.
    """

    def __init__(
        self,
        file: BinaryIO,
        destination: Destination,
        request: RetryRequest,
        check_cancelled: Callable[[], None],
    ) -> None:
        self._skipped = request.skipped
        self._skipped_counts = Counter[str]()
        self._lines_left_out = request.left_out
        self._on_lines = 0
        self._without_line = 0
        self.skipped_into: list[str] = []
        self._file = file
        self._destination = destination
        self._check_cancelled = check_cancelled
        self._first: tuple[str, Sequence[str]] | None = None
        self._dialect = destination.dialect()

    def unsent(self, job_id: str, kind: str, sha256: str, rows: Iterable[NumberedRow]) -> Iterator[NumberedRow]:
        """Return those rows of a result that are not to be skipped, and count the others.

        Args:
            job_id: id of the job.
            kind: kind of the result.
            sha256: SHA-256 of the result.
            rows: the rows.
        """
        skipped = [sent for sent in self._skipped if (sent.from_job, sent.result) == (job_id[:15], kind)]
        for number, row in rows:
            before = next((sent for sent in skipped if sent.may_have(sha256, number)), None)
            if before is None:
                yield number, row
            else:
                self._skipped_counts[before.to_job] += 1

    def on_kept_lines(self, rows: Iterable[NumberedRow], lines: Sequence[int]) -> Iterator[NumberedRow]:
        """Return those rows of a result that are on no line to leave out, and count the others.

        A row whose line is not known is none of them: it may be one to leave out.

        Args:
            rows: the rows.
            lines: the line of the source on which each row of the result begins, 0 where it is not known.
        """
        if not self._lines_left_out:
            yield from rows
            return
        for number, row in rows:
            line = lines[number] if number < len(lines) else 0
            if not line:
                self._without_line += 1
            elif line in self._lines_left_out:
                self._on_lines += 1
            else:
                yield number, row

    def left_out_notes(self, job_id: str) -> list[Finding]:
        """Return the warnings about rows of a job that are left out, and begin to count anew."""
        counts, self._skipped_counts = self._skipped_counts, Counter[str]()
        self.skipped_into += counts
        on_lines, without_line, self._on_lines, self._without_line = self._on_lines, self._without_line, 0, 0
        skipped = [_skipped_rows(job_id, to_job, count) for to_job, count in counts.items()]
        return [*skipped, *_on_lines(job_id, on_lines, without_line)]

    def write(self, job_id: str, dialect: Dialect, header: Sequence[str], rows: Iterable[NumberedRow]) -> "array[int]":
        """Write rows of a job, and return their numbers.

        Args:
            job_id: id of the job.
            dialect: dialect in which the job has its rows.
            header: names of the columns.
            rows: the rows.

        Raises:
            InvalidArgument: rows with another header were written before.
        """
        row_numbers = array("Q")
        for chunk in _chunks(rows):
            self._check_cancelled()
            self._check_header(job_id, dialect, header)
            self._file.write(csv_bytes([row for _, row in chunk], self._dialect))
            row_numbers.extend(number for number, _ in chunk)
        return row_numbers

    def _check_header(self, job_id: str, dialect: Dialect, header: Sequence[str]) -> None:
        if self._first is None:
            self._first = job_id, header
            self._write_header(dialect, header)
        first_job, first_header = self._first
        if tuple(header) != tuple(first_header):
            raise InvalidArgument(
                f"The rows of job {job_id} have other columns than those of {first_job}: name jobs with the "
                "same columns, and send the others again by themselves."
            )

    def _write_header(self, dialect: Dialect, header: Sequence[str]) -> None:
        self._dialect = self._destination.dialect(dialect)
        if len(header) == 1 and self._destination.delimiter is None:
            # A reader takes a header without delimiters for a header with commas.
            self._dialect = replace(self._dialect, delimiter="COMMA")
        self._file.write(csv_bytes([header], self._dialect))


def _write_rows(job: JobResult, where: ErrorFilter, writer: RetryWriter) -> tuple[RetryOrigin, list[Finding]]:
    """Write the rows of one result; return their numbers in it, and findings about them."""
    notes: list[Finding] = []
    if job.result.kind == "successfulResults":
        created = writer.on_kept_lines(_created_ids(job.result), job.lines)
        row_numbers = writer.write(job.job_id, job.result.dialect, (ID_FIELD,), created)
    elif job.upload is not None and job.source_order is not None:
        row_numbers, notes = _write_uploaded_rows(job, job.upload, job.source_order, where, writer)
    else:
        row_numbers, notes = _write_returned_rows(job, where, writer)
    return RetryOrigin(job.job_id, job.result.kind, job.result.sha256, row_numbers), notes


# Rows that are in no result


def _write_missing_rows(
    returned: ReturnedUpload, folder: Path, writer: RetryWriter, check_cancelled: Callable[[], None]
) -> tuple[RetryOrigin, list[Finding]]:
    """Write the rows of an upload that are in no result; return their numbers in the upload, and findings about others."""
    row_numbers, notes = find_missing_rows(returned, folder, check_cancelled)
    upload = returned.upload
    lines = array("Q", upload.lines() if returned.needs_lines else ())
    rows = writer.on_kept_lines(_rows_with(upload, row_numbers), lines)
    rows = writer.unsent(returned.job_id, MISSING, upload.origin.sha256, rows)
    row_numbers = writer.write(returned.job_id, upload.origin.upload_dialect, upload.uploaded_header(), rows)
    return RetryOrigin(returned.job_id, MISSING, upload.origin.sha256, row_numbers), notes


def _rows_with(upload: ArchivedUpload, row_numbers: Sequence[int]) -> Iterator[NumberedRow]:
    """Return the rows of an upload with these numbers, which ascend."""
    left = iter(row_numbers)
    number = next(left, None)
    for block in upload.blocks():
        while number is not None and number < block.first_row + block.row_count:
            yield number, block.uploaded.rows[number - block.first_row]
            number = next(left, None)
        if number is None:
            return


# Ids of created records


def _created_ids(result: ResultFile) -> Iterator[NumberedRow]:
    for first_row, block in result.blocks():
        ids, created = result.outcome_cells(block, ID_COLUMN), result.outcome_cells(block, CREATED_COLUMN)
        for number, (record_id, is_created) in enumerate(zip(ids, created, strict=True), first_row):
            if is_created == "true":
                yield number, (record_id,)


def created_records(results: Mapping[str, JobResult], file: RetryFile, rows: Sequence[int]) -> list[Finding]:
    """Return findings that name the first records whose ids go, since a row of ids alone tells nobody which they are.

    Args:
        results: the successful rows of each job that created some, by its id.
        file: the file of the ids.
        rows: the numbers of those rows of the file that go, from 0, in their order.
    """
    return [
        _created_by(results[origin.from_job], [origin.row_numbers[index] for index in of_origin])
        for origin, of_origin in file.by_origin(rows)
        if of_origin and origin.from_job in results
    ]


def _created_by(job: JobResult, rows: Sequence[int]) -> Finding:
    first = list(_named_records(job.result, rows[:RECORDS_SHOWN], job.hidden))
    more = f" and {len(rows) - len(first):,} more" if len(rows) > len(first) else ""
    of_records = "a record" if len(rows) == 1 else f"{len(rows):,} records"
    what = f"The rows are the ids of {of_records} that job {job.job_id} created: {', '.join(first)}{more}."
    return Finding("warning", what, "Make sure with the user that these are meant.")


def _named_records(result: ResultFile, rows: Sequence[int], hidden: HiddenFields) -> Iterator[str]:
    """Yield the ids of records, each with its name where the rows have a column of names that is shown."""
    names = [name.lower() for name in result.upload_names]
    naming = next((names.index(name) for name in NAME_FIELDS if name in names and not hidden.hides(name)), None)
    id_index = result.outcome_index(ID_COLUMN) or 0
    for row in result.rows(rows):
        name = "" if naming is None else row[result.outcome_count + naming]
        shown = row[id_index] if row[id_index].isalnum() else quoted(row[id_index])
        yield f"{quoted(name, LONGEST_NAME_SHOWN)} ({shown})" if name else shown


# Rows as Salesforce gave them back


def _write_returned_rows(job: JobResult, where: ErrorFilter, writer: RetryWriter) -> tuple["array[int]", list[Finding]]:
    cells, header = ReturnedCells(), job.result.upload_names
    rows = _noted(_unsent(job, _returned_rows(job.result, where), writer), cells)
    row_numbers = writer.write(job.job_id, job.result.dialect, header, rows)
    # Salesforce gives unprocessed rows back as they were sent.
    if not job.result.outcome_count or not cells.row_count:
        return row_numbers, []
    what = (
        f"What was sent to job {job.job_id} is not kept here (it did not go through these tools, or is gone), so its rows "
        "go out as Salesforce gave them back: it writes numbers and times anew, and may leave cells blank."
    )
    return row_numbers, [cells.finding(what, header)]


def _returned_rows(result: ResultFile, where: ErrorFilter) -> Iterator[NumberedRow]:
    for first_row, block in result.blocks():
        errors = result.outcome_cells(block, ERROR_COLUMN)
        for number, (row, error) in enumerate(zip(block.rows, errors, strict=True), first_row):
            if not result.outcome_count or where.matches(error):
                yield number, row[result.outcome_count :]


# Failed rows as they were uploaded


def _write_uploaded_rows(
    job: JobResult, upload: ArchivedUpload, source_order: SourceOrderedResult, where: ErrorFilter, writer: RetryWriter
) -> tuple["array[int]", list[Finding]]:
    """Write matched rows as they were uploaded and unmatched rows as they came back; leave ambiguous rows out."""
    header, cells = upload.uploaded_header(), ReturnedCells()
    # Where every row is retried, it makes no difference which row has which outcome.
    unsure = frozenset[int]() if where.is_empty else frozenset(source_order.unsure_outcomes)
    dialect = job.result.dialect
    matched = _uploaded_rows(job.result, upload, source_order, where, unsure)
    row_numbers = writer.write(job.job_id, dialect, header, _unsent(job, matched, writer))
    returned = _unsent(job, _chosen_rows(job.result, source_order.unmatched, where), writer)
    unmatched = _under_header(header, job.result, returned)
    row_numbers += writer.write(job.job_id, dialect, header, _noted(unmatched, cells))
    left_out = sum(1 for _ in _chosen_rows(job.result, sorted(unsure.union(source_order.ambiguous)), where))
    notes = list[Finding]()
    if cells.row_count:
        what = (
            f"As Salesforce gave them back go {cells.row_count:,} of the failed rows of job {job.job_id}, since they are "
            "like none that was sent."
        )
        notes.append(cells.finding(what, header))
    if left_out:
        notes.append(_left_out(job.job_id, left_out, source_order.ambiguous_lines))
    return row_numbers, notes


def _uploaded_rows(
    result: ResultFile,
    upload: ArchivedUpload,
    source_order: SourceOrderedResult,
    where: ErrorFilter,
    omitted: frozenset[int],
) -> Iterator[NumberedRow]:
    """Return the chosen matched rows as they were uploaded, made again from the rows of the source."""
    mapping, width = upload.origin.mapping, len(upload.origin.source_columns)
    for chunk in _chunks(_source_rows(result, upload, source_order, where, omitted)):
        source = ParsedBlock(width, lambda: (), rows=[list(row) for _, row in chunk])
        uploaded = source if mapping is None else mapping.apply(source)
        yield from zip((number for number, _ in chunk), uploaded.rows, strict=True)


def _source_rows(
    result: ResultFile,
    upload: ArchivedUpload,
    source_order: SourceOrderedResult,
    where: ErrorFilter,
    omitted: frozenset[int],
) -> Iterator[NumberedRow]:
    """Return the chosen matched rows as they are in the source."""
    outcome_count = 1 + result.outcome_count  # the line comes first
    error_index = 1 + (result.outcome_index(ERROR_COLUMN) or 0)
    names = ("",) * (outcome_count + len(upload.origin.source_columns))
    ordered = ResultFile(source_order.path, upload.origin.source_dialect, result.kind, names, outcome_count)
    for first_row, block in ordered.blocks():
        numbers = source_order.matched[first_row : first_row + len(block)]
        for number, row in zip(numbers, block.rows, strict=False):  # the rows after the matched ones have no source
            if number not in omitted and where.matches(row[error_index]):
                yield number, row[outcome_count:]


def _chosen_rows(result: ResultFile, row_numbers: Sequence[int], where: ErrorFilter) -> Iterator[NumberedRow]:
    """Return the chosen rows of the result among the rows with these ascending numbers, with all their cells."""
    error_index = result.outcome_index(ERROR_COLUMN) or 0
    for number, row in zip(row_numbers, result.rows(row_numbers), strict=True):
        if where.matches(row[error_index]):
            yield number, row


def _under_header(header: Sequence[str], result: ResultFile, rows: Iterable[NumberedRow]) -> Iterator[NumberedRow]:
    """Return rows of the result with their cells in the order of a header."""
    by_name = {name.lower(): index for index, name in enumerate(result.upload_names, result.outcome_count)}
    indexes = [by_name.get(name.lower()) for name in header]
    for number, row in rows:
        yield number, [row[index] if index is not None and index < len(row) else "" for index in indexes]


def _left_out(job_id: str, count: int, lines: tuple[int, ...]) -> Finding:
    what = (
        f"Left out of job {job_id}: {count:,} of its failed rows, which may be any of several rows that were sent and that "
        "differ only where Salesforce gives nothing back or writes anew."
    )
    do = "Find out which of these lines of its source failed, and send them by themselves."
    return Finding("warning", what, do, lines=lines, count=count)


def _on_lines(job_id: str, on_lines: int, without_line: int) -> Iterator[Finding]:
    """Yield the warnings about rows of a job that are left out by their lines, or since theirs are not known."""
    if on_lines:
        what = f"Left out: {counted(on_lines, 'row')} of job {job_id}, by the lines of its source."
        yield Finding("warning", what, "That is what leaveOut asks for.")
    if without_line:
        what = (
            f"Left out: {counted(without_line, 'row')} of job {job_id} of which the line in its source is not certain."
        )
        do = "Name rows by their cells in place of lines, if some of these are meant to go."
        yield Finding("warning", what, do)


def _skipped_rows(job_id: str, to_job: str, count: int) -> Finding:
    """Return the warning that rows of a job are left out, since they went into another job before."""
    what = f"Skipped {counted(count, 'row')} of job {job_id} that went into job {shown_job_id(to_job)} before."
    return Finding("warning", what, "See in that job what became of them.", count=count)


# Helpers


def _no_rows(request: RetryRequest, notes: Sequence[Finding], skipped_into: Sequence[str]) -> InvalidArgument:
    if notes:  # about rows that were left out
        texts = (" ".join([note.what, *_lines_of(note), note.do]) for note in notes)
        message = " ".join(["No row is left to send again.", *texts])
        at_fault = ("leaveOut", "lines") if request.left_out else ()
        return NoRowLeft(message, skipped_into[0]) if skipped_into else InvalidArgument(message, at_fault)
    if request.where.is_empty:
        return NoSuchRows(_none_of(request.which), request.jobs[0])
    return NoMatchingRows("No failed row of these jobs matches where, so there is nothing to send again.", ("rowsOf",))


def _none_of(which: Sequence[Which]) -> str:
    if "created" in which:
        return "These jobs created no records, so there are no ids of new records to send."
    *others, last = which
    kinds = f"{', '.join(others)} or {last}" if others else last
    return f"These jobs have no {kinds} rows, so there is nothing to send again."


def _lines_of(note: Finding) -> list[str]:
    return [f"Lines {', '.join(map(str, note.lines))}:"] if note.lines else []


def _unsent(job: JobResult, rows: Iterable[NumberedRow], writer: RetryWriter) -> Iterator[NumberedRow]:
    kept = writer.on_kept_lines(rows, job.lines)
    return writer.unsent(job.job_id, job.result.kind, job.result.sha256, kept)


def _noted(rows: Iterable[NumberedRow], cells: ReturnedCells) -> Iterator[NumberedRow]:
    """Pass rows on, and note the cells of each."""
    for number, row in rows:
        cells.add(row)
        yield number, row


def _chunks(items: Iterable[_T]) -> Iterator[list[_T]]:
    left = iter(items)
    while chunk := list(islice(left, ROWS_AT_ONCE)):
        yield chunk
