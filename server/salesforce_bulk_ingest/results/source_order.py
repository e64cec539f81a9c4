"""Writing a result in source order: each row with its line and all columns of the source."""

from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import repeat
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt

from salesforce_bulk_ingest.cache.file_cache import CachedFile, NewFile
from salesforce_bulk_ingest.cache.file_use import FileUse
from salesforce_bulk_ingest.cache.upload_archive import ArchivedBlock, ArchivedUpload
from salesforce_bulk_ingest.csvio.cells import ParsedBlock
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.csvio.records import BLOCK_BYTES
from salesforce_bulk_ingest.csvio.writer import block_bytes, block_records, csv_bytes
from salesforce_bulk_ingest.results.compared_columns import (
    CandidateFilter,
    ColumnCells,
    ComparedColumns,
    compared_columns,
    numbered_names,
)
from salesforce_bulk_ingest.results.result_file import ID_COLUMN, ResultFile, Row
from salesforce_bulk_ingest.results.row_errors import ERROR_COLUMN, ErrorFilter
from salesforce_bulk_ingest.results.row_matching import MatchedRow, RowMatcher, UploadedRow, row_matcher_in
from salesforce_bulk_ingest.salesforce.models import ID_FIELD


class _Label(BaseModel):
    """The JSON before the row numbers; the aliases are the stored keys, which earlier versions chose."""

    model_config = ConfigDict(validate_by_name=True, serialize_by_alias=True)

    made_from: tuple[str, str] = Field(alias="of")
    matched: NonNegativeInt = Field(alias="tied")
    unsure_outcomes: NonNegativeInt = Field(alias="mixed")
    unmatched: NonNegativeInt = Field(alias="untied")
    ambiguous: NonNegativeInt
    ambiguous_lines: tuple[NonNegativeInt, ...] = Field(alias="unsure_lines")


@dataclass(frozen=True, slots=True)
class SourceOrderedResult:
    """A result in source order.

    The CSV has the line of the source, the outcome columns of the result, and the columns of the source. The matched rows
    come first, in the order of the source. The other rows follow without a line, and with the cells that Salesforce gave
    back. A matched row has no line either where several lines that differ were uploaded alike.

    Each array has numbers of rows of the result, the first row being row 0.

    Attributes:
        made_from: SHA-256 of the result, and of the upload.
        path: path of the CSV.
        matched: the matched rows, in the order of the CSV.
        unsure_outcomes: the matched rows whose outcome may belong to another matched row; the CSV has no lines for them.
        unmatched: the rows that are like no row of the upload.
        ambiguous: the rows that may be one of several rows of the upload, which differ.
        lines: not numbers of rows, but the line of the source of each row of the result, 0 where it is not known.
        ambiguous_lines: the first few lines of the source that ambiguous rows may be of.
    """

    made_from: tuple[str, str]
    path: Path
    matched: "array[int]"
    unsure_outcomes: "array[int]"
    unmatched: "array[int]"
    ambiguous: "array[int]"
    lines: "array[int]"
    ambiguous_lines: tuple[int, ...]
    use: FileUse | None = field(default=None, compare=False, repr=False)

    def label(self) -> bytes:
        """Return the label that `read` takes."""
        label = _Label(
            made_from=self.made_from,
            matched=len(self.matched),
            unsure_outcomes=len(self.unsure_outcomes),
            unmatched=len(self.unmatched),
            ambiguous=len(self.ambiguous),
            ambiguous_lines=self.ambiguous_lines,
        )
        arrays = (self.matched, self.unsure_outcomes, self.unmatched, self.ambiguous, self.lines)
        return label.model_dump_json().encode() + b"\n" + b"".join(numbers.tobytes() for numbers in arrays)

    @classmethod
    def read(cls, file: CachedFile) -> Self:
        """Read a result in source order from the cache.

        Raises:
            ValueError: the label is not that of a result in source order, or another version of this program wrote it.
        """
        stored, _, stored_numbers = file.label.partition(b"\n")
        label, numbers = _Label.model_validate_json(stored), array("Q")
        numbers.frombytes(stored_numbers)
        matched, numbers = numbers[: label.matched], numbers[label.matched :]
        unsure_outcomes, numbers = numbers[: label.unsure_outcomes], numbers[label.unsure_outcomes :]
        unmatched, numbers = numbers[: label.unmatched], numbers[label.unmatched :]
        ambiguous, lines = numbers[: label.ambiguous], numbers[label.ambiguous :]
        return cls(
            label.made_from,
            file.path,
            matched,
            unsure_outcomes,
            unmatched,
            ambiguous,
            lines,
            label.ambiguous_lines,
            file.use,
        )

    def line_of(self, row: int) -> int | None:
        """Return the line of the source on which a row of the result begins; None where it is not known."""
        return self.lines[row] or None if row < len(self.lines) else None


def key_field(operation: str | None, external_id_field: str | None) -> str | None:
    """Return the field by which an operation identifies rows, or None if it has none."""
    if operation == "upsert":
        return external_id_field
    return None if operation == "insert" else ID_FIELD


@contextmanager
def rows_matched_with(
    results: Sequence[ResultFile],
    upload: ArchivedUpload,
    key: str | None,
    folder: Path,
    check_cancelled: Callable[[], None],
    *,
    with_blank: bool = False,
    with_source: bool = False,
) -> Iterator[RowMatcher]:
    """Match all rows of some results with the rows of the upload of the same job.

    Args:
        results: the results, which have the same columns; their rows are numbered on from one to the next.
        upload: the upload.
        key: field that identifies rows; None if there is none.
        folder: folder for a temporary file.
        check_cancelled: called for each block; what it raises ends the work.
        with_blank: whether to compare columns, too, that are blank in all of a result.
        with_source: whether the matched rows have the row of the source, which is in the temporary file meanwhile:
            to read it from the upload again would take longer.
    """
    header, dialect = upload.uploaded_header(), upload.origin.source_dialect
    names = results[0].upload_names if results else ()
    orders = [_order(result, names) for result in results]
    blank = frozenset[int]()
    if not with_blank:
        blank = blank.union(*map(_blank_columns, results, orders, repeat(key)))
    uploaded, returned = compared_columns(header, names, blank, key)
    candidate_filter = CandidateFilter(uploaded, returned)
    with row_matcher_in(folder) as matcher:
        rows_before = 0
        for result, order in zip(results, orders, strict=True):
            rows = 0
            for first_row, result_block in result.blocks():
                check_cancelled()
                columns = _returned_columns(result, result_block, order, key)
                candidate_filter.add_result_columns(columns)
                matcher.add_returned(
                    rows_before + first_row, _outcomes(result, result_block, dialect), columns, returned
                )
                rows = first_row + len(result_block)
            rows_before += rows
        for block in upload.blocks():
            check_cancelled()
            candidates = candidate_filter.candidates(block.uploaded_column)
            if candidates:
                _add_candidates(matcher, block, candidates, uploaded, dialect if with_source else None)
        matcher.match()
        yield matcher


def _add_candidates(
    matcher: RowMatcher,
    block: ArchivedBlock,
    candidates: Sequence[int],
    compared: ComparedColumns,
    source_dialect: Dialect | None,
) -> None:
    """Add some rows of a block; with a dialect, also the rows of the source in it."""
    source = block.source.select(candidates)
    uploaded = source if block.uploaded is block.source else block.uploaded.select(candidates)
    numbers = [block.first_row + row for row in candidates]
    source_hashes = _row_hashes(source)
    row_hashes = source_hashes if uploaded is source else _row_hashes(uploaded)
    rows = list(map(UploadedRow, numbers, source.lines, source_hashes, row_hashes))
    matcher.add_uploaded(rows, uploaded.columns, compared)
    if source_dialect is not None:
        matcher.add_sources(numbers, _records(source, source_dialect))


def _row_hashes(block: ParsedBlock) -> list[int]:
    return list(map(hash, map(tuple, block.rows)))


def _outcomes(result: ResultFile, block: ParsedBlock, dialect: Dialect) -> Sequence[bytes]:
    """Return the outcome cells of each row, as CSV."""
    columns = [block.column(index) for index in range(result.outcome_count)]
    if not columns:
        return [b""] * len(block)
    return _records(ParsedBlock(len(columns), lambda: (), columns=columns), dialect)


def _records(block: ParsedBlock, dialect: Dialect) -> Sequence[bytes]:
    """Return the rows of a block as CSV, each without its line end."""
    return [record.encode(errors="surrogateescape") for record in block_records(block, dialect.mark)]


def _order(result: ResultFile, names: Sequence[str]) -> Sequence[int]:
    """Return the indexes of the columns with these names, in any case."""
    by_name = {name: index for index, name in enumerate(numbered_names(result.upload_names), result.outcome_count)}
    return [by_name[name] for name in numbered_names(names)]


def _returned_columns(
    result: ResultFile, block: ParsedBlock, order: Sequence[int], key: str | None
) -> Sequence[ColumnCells]:
    """Return the cells of the upload as Salesforce gave them back, by column, in this order of the result's columns."""
    columns = [block.column(index) for index in order]
    if key == ID_FIELD and result.kind != "unprocessedrecords":
        # Salesforce may give an id back in sf__Id alone (seen where the header differs in case from the field).
        ids = result.outcome_cells(block, ID_COLUMN)
        for place, index in enumerate(order):
            if result.names[index].lower() == ID_FIELD.lower():
                columns[place] = [cell or known for cell, known in zip(columns[place], ids, strict=True)]
    return columns


def _blank_columns(result: ResultFile, order: Sequence[int], key: str | None) -> frozenset[int]:
    """Return the places, in this order of columns, of the columns in which all cells of the result are blank."""
    blank = set(range(len(order)))
    for _, block in result.blocks():
        if not blank:
            break
        columns = _returned_columns(result, block, order, key)
        blank -= {index for index in blank if any(columns[index])}
    return frozenset(blank)


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
    matched, unsure_outcomes, lines = array("Q"), array("Q"), array("Q")
    with rows_matched_with([result], upload, key, file.folder, check_cancelled, with_source=True) as matcher:
        file.file.write(csv_bytes([header], origin.source_dialect))
        for match in matcher.matched():
            line = _line_of(match)
            file.file.write(_source_record(match, line, origin.source_dialect))
            matched.append(match.result_row)
            if match.is_outcome_unsure:
                unsure_outcomes.append(match.result_row)
            lines.extend([0] * (match.result_row + 1 - len(lines)))
            lines[match.result_row] = line or 0
        unmatched, ambiguous = (
            array("Q", matcher.unmatched()),
            array("Q", sorted([*matcher.ambiguous(), *matcher.surplus()])),
        )
        for row in _returned_rows(result, upload, sorted([*unmatched, *ambiguous])):
            file.file.write(csv_bytes([row], origin.source_dialect))
        ordered = SourceOrderedResult(
            made_from=(result.sha256, origin.sha256),
            path=file.path,
            matched=matched,
            unsure_outcomes=unsure_outcomes,
            unmatched=unmatched,
            ambiguous=ambiguous,
            lines=lines,
            ambiguous_lines=tuple(matcher.ambiguous_lines()),
        )
    return replace(ordered, use=file.finish(ordered.label()).use)


def source_ordered_bytes(path: Path, dialect: Dialect, errors: ErrorFilter) -> Iterator[bytes]:
    """Yield a result in source order, in pieces, with those rows alone whose errors are chosen.

    Args:
        path: path of the whole result in source order.
        dialect: the dialect of the source.
        errors: chooses rows of a result that has errors.

    Raises:
        OSError: the file can't be read.
    """
    if errors.is_empty:
        with path.open("rb") as file:
            yield from iter(lambda: file.read(BLOCK_BYTES), b"")
        return
    ordered = ResultFile.open(path, dialect, "unprocessedrecords", "")  # its outcomes come after the line
    error_index = ordered.names.index(ERROR_COLUMN)
    yield csv_bytes([ordered.names], dialect)
    for _, block in ordered.blocks():
        chosen = [row for row, error in enumerate(block.column(error_index)) if errors.matches(error)]
        yield block_bytes(block.select(chosen), dialect)


def _source_record(match: MatchedRow, line: int | None, dialect: Dialect) -> bytes:
    """Return a matched row as CSV: the line, the outcome, and the cells of the source."""
    outcome = [match.outcome] if match.outcome else []  # unprocessed rows have none
    cells = (str(line or "").encode(), *outcome, match.source or b"")
    return dialect.mark.encode().join(cells) + dialect.newline.encode()


def _line_of(match: MatchedRow) -> int | None:
    """Return the line of a matched row; None where its line, or its outcome, may be that of another row."""
    return None if match.is_outcome_unsure else match.line


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
    uploaded = list(enumerate(numbered_names(upload.uploaded_header())))
    if mapping is not None:
        # Of several fields that a column fills, the first stands for all.
        uploaded = [
            (column.index, name)
            for column, (_, name) in reversed(list(zip(mapping.columns, uploaded, strict=True)))
            if column.index is not None
        ]
    uploaded_names = dict(uploaded)
    by_name = {name: index for index, name in enumerate(numbered_names(result.upload_names), result.outcome_count)}
    return [by_name.get(uploaded_names.get(index, ("", 0))) for index in range(len(source_columns))]
