"""A result as a person wants to read it: in the order of the source, with all columns of that and the line of each row."""

import json
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import BaseModel, NonNegativeInt

from salesforce_bulk_ingest.cache.file_cache import CachedFile, NewFile
from salesforce_bulk_ingest.cache.upload_archive import ArchivedBlock, ArchivedUpload
from salesforce_bulk_ingest.csvio.blocks import blocks
from salesforce_bulk_ingest.csvio.cells import ParsedBlock, parse_block
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.csvio.header import read_header
from salesforce_bulk_ingest.csvio.writer import csv_bytes
from salesforce_bulk_ingest.results.row_errors import ERROR_COLUMN
from salesforce_bulk_ingest.results.row_matching import (
    CandidateFilter,
    ComparedColumns,
    MatchedRow,
    RowMatcher,
    UploadedRow,
    compared_columns,
    row_matcher_in,
)
from salesforce_bulk_ingest.salesforce.models import ID_FIELD, ResultKind

LINE_COLUMN = "sf__Line"

ID_COLUMN = "sf__Id"
CREATED_COLUMN = "sf__Created"
TOLD_COLUMNS = frozenset({ID_COLUMN, ERROR_COLUMN, CREATED_COLUMN})
"""Of a result, before those of the upload; failed rows of jobs of API versions before 53 have no id."""

Row = Sequence[str]


class _Label(BaseModel):
    """What stands before the numbers of rows."""

    of: tuple[str, str]
    tied: NonNegativeInt
    mixed: NonNegativeInt
    untied: NonNegativeInt
    unsure_lines: tuple[NonNegativeInt, ...]


@dataclass(frozen=True, slots=True)
class SourceOrder:
    """The rows of a result, each with the row of the source that it was made of.

    Attributes:
        of: sha256 of the result and of what was sent.
        path: of a CSV: line, what Salesforce says of the row, columns of the source. Rows that could not be tied to one of
            the source come last, without a line and with the cells that Salesforce gave back. Those that may be one of
            several which went out alike, and differ in what did not, have no line either.
        tied: for each of the others, rows of the result before it.
        mixed: of those, the ones whose error may be another's of them; their lines are not told either.
        untied: rows of the result that are like no row of the upload.
        unsure: those that may be one of several, which differ.
        unsure_lines: a few lines of the source that they may be of.
    """

    of: tuple[str, str]
    path: Path
    tied: "array[int]"
    mixed: "array[int]"
    untied: "array[int]"
    unsure: "array[int]"
    unsure_lines: tuple[int, ...]

    def label(self) -> bytes:
        """What `read` takes."""
        told = _Label(
            of=self.of,
            tied=len(self.tied),
            mixed=len(self.mixed),
            untied=len(self.untied),
            unsure_lines=self.unsure_lines,
        )
        arrays = (self.tied, self.mixed, self.untied, self.unsure)
        return told.model_dump_json().encode() + b"\n" + b"".join(numbers.tobytes() for numbers in arrays)

    @classmethod
    def read(cls, shelved: CachedFile) -> Self:
        """Some that were stored.

        Raises:
            ValueError: they are none, or another program's.
        """
        told, _, numbers = shelved.label.partition(b"\n")
        label, rows = _Label.model_validate_json(told), array("Q")
        rows.frombytes(numbers)
        tied, rows = rows[: label.tied], rows[label.tied :]
        mixed, rows = rows[: label.mixed], rows[label.mixed :]
        untied, unsure = rows[: label.untied], rows[label.untied :]
        return cls(label.of, shelved.path, tied, mixed, untied, unsure, label.unsure_lines)


@dataclass(frozen=True, slots=True)
class ResultFile:
    """A result, as rows that something is said of.

    Attributes:
        path: of its CSV.
        dialect: that it is written in.
        kind: which result it is.
        names: of all columns.
        told: columns before those of the upload.
        sha256: of its bytes.
    """

    path: Path
    dialect: Dialect
    kind: ResultKind
    names: tuple[str, ...]
    told: int
    sha256: str = ""

    @classmethod
    def of(cls, path: Path, dialect: Dialect, kind: ResultKind, sha256: str) -> Self:
        """That of a job whose rows are in this dialect.

        Raises:
            OSError: it can't be read.
            Unreadable: it is no CSV.
        """
        with path.open("rb") as file:
            head = read_header(file, dialect.delimiter, dialect.line_ending)
        told = 0
        while kind != "unprocessedrecords" and told < len(head.names) and head.names[told] in TOLD_COLUMNS:
            told += 1
        return cls(path, head.dialect, kind, head.names, told, sha256)

    def said(self, batch: ParsedBlock, column: str) -> Sequence[str]:
        """The cells of one of the columns before those of the upload; blank without it."""
        place = self.place(column)
        return [""] * len(batch) if place is None else batch.column(place)

    def place(self, column: str) -> int | None:
        """Of one of the columns before those of the upload."""
        told = self.names[: self.told]
        return told.index(column) if column in told else None

    def batches(self) -> Iterator[tuple[int, ParsedBlock]]:
        """Its rows, each batch with the rows before it.

        Raises:
            OSError: it can't be read.
            Unreadable, EndlessRecord: it is no CSV.
        """
        with self.path.open("rb") as file:
            read_header(file, self.dialect.delimiter, self.dialect.line_ending)
            first = 0
            for block in blocks(file):
                text = block.data.decode(errors="surrogateescape")
                batch = parse_block(text, self.dialect, len(self.names))
                yield first, batch
                first += len(batch)

    def rows(self, chosen: Sequence[int]) -> Iterator[Row]:
        """Some of them, by the rows before each, which ascend."""
        left = iter(chosen)
        wanted = next(left, None)
        for first, batch in self.batches():
            while wanted is not None and wanted < first + len(batch):
                yield batch.rows[wanted - first]
                wanted = next(left, None)
            if wanted is None:
                return


def key_of(operation: str | None, external_id_field: str | None) -> str | None:
    """The field that tells rows apart; None for none."""
    if operation == "upsert":
        return external_id_field
    return None if operation == "insert" else ID_FIELD


def write_source_order(
    result: ResultFile, kept: ArchivedUpload, key: str | None, draft: NewFile, go_on: Callable[[], None] = lambda: None
) -> SourceOrder:
    """Tie the rows of a result to those of the upload, and write them in its order.

    Args:
        result: of a job.
        kept: what was sent to it.
        key: field that tells rows apart; None for none.
        draft: takes the file.
        go_on: called from time to time; what it raises ends this.

    Raises:
        OSError: one of them can't be read, or the file not be written.
        DamagedUpload: what is kept is not whole.
        Unreadable, EndlessRecord: the result is no CSV.
    """
    with _tied(result, kept, key, draft.folder, go_on) as ties:
        tied, mixed = array("Q"), array("Q")
        untied, unsure = array("Q", ties.untied()), array("Q", ties.unsure())
        source, _ = kept.columns()
        header = [LINE_COLUMN, *result.names[: result.told], *source]
        draft.file.write(csv_bytes([header], kept.origin.read_as))
        for rows in _joined(kept, ties, tied, mixed):
            draft.file.write(csv_bytes(rows, kept.origin.read_as))
        for row in _as_told(result, kept, sorted([*untied, *unsure])):
            draft.file.write(csv_bytes([row], kept.origin.read_as))
        of = (result.sha256, kept.origin.sha256)
        made = SourceOrder(of, draft.path, tied, mixed, untied, unsure, tuple(ties.unsure_lines()))
    draft.finish(made.label())
    return made


@contextmanager
def _tied(
    result: ResultFile, kept: ArchivedUpload, key: str | None, folder: Path, go_on: Callable[[], None]
) -> Iterator[RowMatcher]:
    _, sent = kept.columns()
    names, told = result.names, result.told
    mine, theirs = compared_columns(sent, names[told:], _blank_columns(result, key), key)
    likely = CandidateFilter(mine, theirs)
    with row_matcher_in(folder) as ties:
        for first, batch in result.batches():
            go_on()
            said = [batch.column(place) for place in range(told)]
            columns = _columns(result, batch, key)
            likely.look(columns)
            ties.add_told(first, _as_one(said, len(batch)), columns, theirs)
        for rows in kept.rows():
            go_on()
            _add_likely(ties, rows, rows.sent_columns(len(sent)), mine, likely)
        ties.tie()
        yield ties


def _add_likely(
    ties: RowMatcher,
    rows: ArchivedBlock,
    columns: Sequence[Sequence[str]],
    mine: ComparedColumns,
    likely: CandidateFilter,
) -> None:
    chosen = likely.rows(columns)
    if chosen:
        lines = rows.lines
        cells = [[column[row] for row in chosen] for column in columns]
        given, sent = rows.given.rows, rows.sent.rows
        hashes = ((hash(tuple(given[row])), hash(tuple(sent[row]))) for row in chosen)
        found = [UploadedRow(rows.first + row, lines[row], *both) for row, both in zip(chosen, hashes, strict=True)]
        ties.add_sent(found, cells, mine)


def _as_one(said: Sequence[Sequence[str]], many: int) -> Sequence[str]:
    """What is said of each row, as one text."""
    return list(map(json.dumps, zip(*said, strict=True))) if said else ["[]"] * many


def _columns(result: ResultFile, batch: ParsedBlock, key: str | None) -> Sequence[Sequence[str]]:
    """The cells of the upload as Salesforce gave them back, by column."""
    columns = [batch.column(place) for place in range(result.told, len(result.names))]
    if key == ID_FIELD:
        # Salesforce may give an id back beside the row only (seen where the header is not in the field's case).
        ids = result.said(batch, ID_COLUMN)
        for place, name in enumerate(result.names[result.told :]):
            if name.lower() == ID_FIELD.lower():
                columns[place] = [cell or known for cell, known in zip(columns[place], ids, strict=True)]
    return columns


def _blank_columns(result: ResultFile, key: str | None) -> frozenset[int]:
    """Places of the columns in which all cells are blank."""
    blank = set(range(len(result.names) - result.told))
    for _, batch in result.batches():
        columns = _columns(result, batch, key)
        blank -= {place for place in blank if any(columns[place])}
    return frozenset(blank)


def _joined(kept: ArchivedUpload, ties: RowMatcher, tied: "array[int]", mixed: "array[int]") -> Iterator[Sequence[Row]]:
    """The rows of the source that the result has; `tied` is told which of that each is, `mixed` which may be another."""
    found = ties.tied()
    next_one: MatchedRow | None = next(found, None)
    for rows in kept.rows():
        joined: list[Row] = []
        while next_one is not None and next_one.sent < rows.first + rows.many:
            given = rows.given.rows[next_one.sent - rows.first]
            line = "" if next_one.line is None or next_one.is_mixed else str(next_one.line)
            joined.append((line, *json.loads(next_one.said), *given))
            tied.append(next_one.told)
            if next_one.is_mixed:
                mixed.append(next_one.told)
            next_one = next(found, None)
        yield joined
        if next_one is None:
            return


def _as_told(result: ResultFile, kept: ArchivedUpload, chosen: Sequence[int]) -> Iterator[Row]:
    """Rows that could not be tied, under the columns of the source."""
    if not chosen:
        return
    source, _ = kept.columns()
    shaped = kept.origin.shaped
    sent_as = dict(enumerate(source))
    if shaped is not None:
        sent_as = {column.index: column.name for column in shaped.columns if column.index is not None}
    told = {name.lower(): place for place, name in enumerate(result.names) if place >= result.told}
    places = [told.get(sent_as.get(place, "").lower()) for place in range(len(source))]
    for row in result.rows(chosen):
        cells = [row[place] if place is not None and place < len(row) else "" for place in places]
        yield ("", *row[: result.told], *cells)
