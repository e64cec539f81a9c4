"""A parsed result CSV: first columns in which Salesforce reports the outcome of a row, then the columns of the upload."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Self

from salesforce_bulk_ingest.cache.file_use import FileUse
from salesforce_bulk_ingest.csvio.cells import ParsedBlock, parse_block
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.csvio.header import read_header
from salesforce_bulk_ingest.csvio.records import blocks
from salesforce_bulk_ingest.results.row_errors import ERROR_COLUMN
from salesforce_bulk_ingest.salesforce.errors import UnexpectedAnswer
from salesforce_bulk_ingest.salesforce.models import ResultKind

ID_COLUMN = "sf__Id"
CREATED_COLUMN = "sf__Created"
OUTCOME_COLUMNS = frozenset({ID_COLUMN, ERROR_COLUMN, CREATED_COLUMN})
"""Names of the outcome columns; failed rows of jobs of API versions before 53 have no id."""

FIRST_COLUMNS = frozenset({ID_COLUMN, ERROR_COLUMN})
"""The possible first columns of failed and successful rows."""

Row = Sequence[str]
"""The cells of one row."""


@dataclass(frozen=True, slots=True)
class ResultFile:
    """A result CSV that is parsed block by block.

    Attributes:
        path: path of the CSV.
        dialect: dialect of the CSV.
        kind: kind of the result.
        names: names of all columns.
        outcome_count: number of outcome columns, which come first.
        sha256: SHA-256 of the CSV.
        use: keeps the file in the cache.
    """

    path: Path
    dialect: Dialect
    kind: ResultKind
    names: tuple[str, ...]
    outcome_count: int
    sha256: str = ""
    use: FileUse | None = field(default=None, compare=False, repr=False)

    @classmethod
    def open(cls, path: Path, dialect: Dialect, kind: ResultKind, sha256: str, use: FileUse | None = None) -> Self:
        """Return a result CSV in this dialect, with its header read.

        Raises:
            OSError: the file can't be read.
            Unreadable: the file is no CSV.
        """
        with path.open("rb") as file:
            header = read_header(file, dialect.delimiter, dialect.line_ending)
        count = 0 if kind == "unprocessedrecords" else outcome_count(header.names)
        return cls(path, header.dialect, kind, header.names, count, sha256, use)

    @property
    def upload_names(self) -> tuple[str, ...]:
        """The names of the columns of the upload."""
        return self.names[self.outcome_count :]

    def outcome_index(self, column: str) -> int | None:
        """Return the index of an outcome column, or None if the result lacks it."""
        names = self.names[: self.outcome_count]
        return names.index(column) if column in names else None

    def outcome_cells(self, block: ParsedBlock, column: str) -> Sequence[str]:
        """Return the cells of an outcome column, or empty cells if the result lacks it."""
        index = self.outcome_index(column)
        return [""] * len(block) if index is None else block.column(index)

    def blocks(self) -> Iterator[tuple[int, ParsedBlock]]:
        """Return the rows in blocks, each with the number of rows before it.

        Raises:
            OSError: the file can't be read.
            Unreadable, EndlessRecord: the file is no CSV.
        """
        with self.path.open("rb") as file:
            read_header(file, self.dialect.delimiter, self.dialect.line_ending)
            first_row = 0
            for block in blocks(file):
                text = block.data.decode(errors="surrogateescape")
                parsed = parse_block(text, self.dialect, len(self.names))
                yield first_row, parsed
                first_row += len(parsed)

    def rows(self, numbers: Sequence[int]) -> Iterator[Row]:
        """Return the rows with these numbers, which ascend; the first row is row 0."""
        left = iter(numbers)
        number = next(left, None)
        for first_row, block in self.blocks():
            while number is not None and number < first_row + len(block):
                yield block.rows[number - first_row]
                number = next(left, None)
            if number is None:
                return


def outcome_count(names: Sequence[str]) -> int:
    """Return the number of outcome columns among the columns of a result."""
    return sum(1 for _ in takewhile(OUTCOME_COLUMNS.__contains__, map(without_mark, names)))


def without_mark(column: str) -> str:
    """Return the name of a column without a byte order mark."""
    return column.lstrip("\ufeff")


def check_first_column(kind: ResultKind, column: str) -> None:
    """Raise UnexpectedAnswer where the first column of a result of failed or successful rows is no outcome column."""
    if kind != "unprocessedrecords" and without_mark(column) not in FIRST_COLUMNS:
        raise UnexpectedAnswer(
            f"The result does not begin with {ID_COLUMN} or {ERROR_COLUMN}, so it is not one of Salesforce's."
        )
