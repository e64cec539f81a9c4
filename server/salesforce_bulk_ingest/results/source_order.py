"""Writing a result in source order: each row with its line and all columns of the source."""

import json
from array import array
from collections.abc import Callable, Iterator, Sequence

from salesforce_bulk_ingest.cache.file_cache import NewFile
from salesforce_bulk_ingest.cache.upload_archive import ArchivedUpload
from salesforce_bulk_ingest.csvio.writer import csv_bytes
from salesforce_bulk_ingest.results.result_file import ResultFile, Row
from salesforce_bulk_ingest.results.row_matching import MatchedRow, RowMatcher
from salesforce_bulk_ingest.results.source_ordered_result import SourceOrderedResult
from salesforce_bulk_ingest.results.upload_matching import matched_rows

LINE_COLUMN = "sf__Line"


def write_source_order(
    result: ResultFile,
    upload: ArchivedUpload,
    key: str | None,
    file: NewFile,
    check_cancelled: Callable[[], None] = lambda: None,
) -> SourceOrderedResult:
    """Write a result in source order into a new file of the cache.

    Args:
        result: a result of a job.
        upload: the upload of the same job.
        key: field that identifies rows; None if there is none.
        file: the new file.
        check_cancelled: called from time to time; what it raises ends the work.

    Raises:
        OSError: the result or the upload can't be read, or the file can't be written.
        DamagedUpload: the upload is not as it was written.
        Unreadable, EndlessRecord: the result is no CSV.
    """
    origin = upload.origin
    header = [LINE_COLUMN, *result.names[: result.outcome_count], *origin.source_columns]
    matched, unsure_outcomes = array("Q"), array("Q")
    with matched_rows(result, upload, key, file.folder, check_cancelled) as matcher:
        file.file.write(csv_bytes([header], origin.source_dialect))
        for rows in _source_rows(upload, matcher):
            file.file.write(csv_bytes([row for row, _ in rows], origin.source_dialect))
            matched.extend(match.result_row for _, match in rows)
            unsure_outcomes.extend(match.result_row for _, match in rows if match.is_outcome_unsure)
        unmatched, ambiguous = array("Q", matcher.unmatched()), array("Q", matcher.ambiguous())
        for row in _returned_rows(result, upload, sorted([*unmatched, *ambiguous])):
            file.file.write(csv_bytes([row], origin.source_dialect))
        ordered = SourceOrderedResult(
            made_from=(result.sha256, origin.sha256),
            path=file.path,
            matched=matched,
            unsure_outcomes=unsure_outcomes,
            unmatched=unmatched,
            ambiguous=ambiguous,
            ambiguous_lines=tuple(matcher.ambiguous_lines()),
        )
    file.finish(ordered.label())
    return ordered


def _source_rows(upload: ArchivedUpload, matcher: RowMatcher) -> Iterator[list[tuple[Row, MatchedRow]]]:
    """Return the matched rows with the cells of the source, in the order of the source, block by block."""
    matches = matcher.matched()
    match: MatchedRow | None = next(matches, None)
    for block in upload.blocks():
        rows: list[tuple[Row, MatchedRow]] = []
        while match is not None and match.uploaded_row < block.first_row + block.row_count:
            cells = block.source.rows[match.uploaded_row - block.first_row]
            line = "" if match.line is None or match.is_outcome_unsure else str(match.line)
            rows.append(((line, *json.loads(match.outcome), *cells), match))
            match = next(matches, None)
        yield rows
        if match is None:
            return


def _returned_rows(result: ResultFile, upload: ArchivedUpload, numbers: Sequence[int]) -> Iterator[Row]:
    """Return rows of the result without a line, under the columns of the source."""
    if not numbers:
        return
    indexes = _result_indexes(result, upload)
    for row in result.rows(numbers):
        cells = [row[index] if index is not None and index < len(row) else "" for index in indexes]
        yield ("", *row[: result.outcome_count], *cells)


def _result_indexes(result: ResultFile, upload: ArchivedUpload) -> list[int | None]:
    """Return, for each column of the source, the index of the column of the result; None for a column not uploaded."""
    source_columns, mapping = upload.origin.source_columns, upload.origin.mapping
    uploaded_names = dict(enumerate(source_columns))
    if mapping is not None:
        uploaded_names = {column.index: column.name for column in mapping.columns if column.index is not None}
    by_name = {name.lower(): index for index, name in enumerate(result.upload_names, result.outcome_count)}
    return [by_name.get(uploaded_names.get(index, "").lower()) for index in range(len(source_columns))]
