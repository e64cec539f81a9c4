"""Matching the rows of a result file with the rows of an archived upload."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from salesforce_bulk_ingest.cache.upload_archive import ArchivedBlock, ArchivedUpload
from salesforce_bulk_ingest.csvio.cells import ParsedBlock
from salesforce_bulk_ingest.results.compared_columns import CandidateFilter, Column, ComparedColumns, compared_columns
from salesforce_bulk_ingest.results.result_file import ID_COLUMN, ResultFile
from salesforce_bulk_ingest.results.row_matching import RowMatcher, UploadedRow, row_matcher_in
from salesforce_bulk_ingest.salesforce.models import ID_FIELD


def key_field(operation: str | None, external_id_field: str | None) -> str | None:
    """Return the field by which an operation identifies rows, or None if it has none."""
    if operation == "upsert":
        return external_id_field
    return None if operation == "insert" else ID_FIELD


@contextmanager
def matched_rows(
    result: ResultFile, upload: ArchivedUpload, key: str | None, folder: Path, check_cancelled: Callable[[], None]
) -> Iterator[RowMatcher]:
    """Match all rows of a result with the rows of the upload of the same job.

    Args:
        result: the result.
        upload: the upload.
        key: field that identifies rows; None if there is none.
        folder: folder for a temporary file.
        check_cancelled: called for each block; what it raises ends the work.
    """
    header = upload.uploaded_header()
    uploaded, returned = compared_columns(header, result.upload_names, _blank_columns(result, key), key)
    candidate_filter = CandidateFilter(uploaded, returned)
    with row_matcher_in(folder) as matcher:
        for first_row, result_block in result.blocks():
            check_cancelled()
            columns = _returned_columns(result, result_block, key)
            candidate_filter.add_result_columns(columns)
            matcher.add_returned(first_row, _outcomes(result, result_block), columns, returned)
        for block in upload.blocks():
            check_cancelled()
            _add_candidates(matcher, block, block.uploaded_columns(len(header)), uploaded, candidate_filter)
        matcher.match()
        yield matcher


def _add_candidates(
    matcher: RowMatcher,
    block: ArchivedBlock,
    columns: Sequence[Column],
    compared: ComparedColumns,
    candidate_filter: CandidateFilter,
) -> None:
    candidates = candidate_filter.candidates(columns)
    if not candidates:
        return
    lines, source, uploaded = block.lines, block.source.rows, block.uploaded.rows
    rows = [
        UploadedRow(block.first_row + row, lines[row], hash(tuple(source[row])), hash(tuple(uploaded[row])))
        for row in candidates
    ]
    matcher.add_uploaded(rows, [[column[row] for row in candidates] for column in columns], compared)


def _outcomes(result: ResultFile, block: ParsedBlock) -> Sequence[str]:
    """Return the outcome cells of each row, as JSON."""
    columns = [block.column(index) for index in range(result.outcome_count)]
    return list(map(json.dumps, zip(*columns, strict=True))) if columns else ["[]"] * len(block)


def _returned_columns(result: ResultFile, block: ParsedBlock, key: str | None) -> Sequence[Column]:
    """Return the cells of the upload as Salesforce gave them back, by column."""
    columns = [block.column(index) for index in range(result.outcome_count, len(result.names))]
    if key == ID_FIELD:
        # Salesforce may give an id back in sf__Id alone (seen where the header differs in case from the field).
        ids = result.outcome_cells(block, ID_COLUMN)
        for index, name in enumerate(result.upload_names):
            if name.lower() == ID_FIELD.lower():
                columns[index] = [cell or known for cell, known in zip(columns[index], ids, strict=True)]
    return columns


def _blank_columns(result: ResultFile, key: str | None) -> frozenset[int]:
    """Return the indexes of the columns of the upload in which all cells of the result are blank."""
    blank = set(range(len(result.upload_names)))
    for _, block in result.blocks():
        columns = _returned_columns(result, block, key)
        blank -= {index for index in blank if any(columns[index])}
    return frozenset(blank)
