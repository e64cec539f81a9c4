"""The rows of an upload: what their cells mean, and how results print them.

Cells are understood and printed a column at a time, each by one function that knows the column's type: this is where
the time of a job goes.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from salesforce_emulator.config import Assumptions
from salesforce_emulator.errors import RowError
from salesforce_emulator.processing.csv_reader import UNESCAPED_QUOTE, Misquoted, Record
from salesforce_emulator.processing.headers import HeaderReader
from salesforce_emulator.processing.values import Cell, Value, cells_of, key_reader, reader
from salesforce_emulator.schema.model import Schema, SObject, Stored


@dataclass(slots=True)
class Row:
    """One row on its way: its cells, what they mean once they are understood, and what became of it.

    Attributes:
        holds_lock: whether it has locked its record; it then does until its chunk is saved.
    """

    cells: list[str]
    values: tuple[Value, ...] = ()
    id: str = ""
    created: bool = False
    holds_lock: bool = False
    error: RowError | None = None

    def require(self, check: Callable[["Row"], None]) -> bool:
        """Whether the check lets the row pass; if not, the row has failed."""
        try:
            check(self)
        except RowError as error:
            self.error = error.with_traceback(None)
        return self.error is None

    def take_back(self) -> None:
        """Be as before the row was saved, but for what it has failed of."""
        if self.created:
            self.id, self.created = "", False


class Columns:
    """The columns of one upload, and the place of each field's value in `Row.values`.

    A lookup that relationship columns fill has its place behind those of the columns, for there may be several such
    columns, and one of the plain id beside them.

    Attributes:
        columns: in the order of the header.
        written: the fields that rows write, each with its place; never the Id.
        blanked: the places of cells that failedResults leaves blank.

    Raises:
        JobFailure: as `HeaderReader.columns`.
    """

    def __init__(
        self,
        schema: Schema,
        sobject: SObject,
        operation: str,
        header: Sequence[str],
        *,
        api_version: str,
        assumptions: Assumptions,
    ) -> None:
        columns = HeaderReader(schema, sobject, api_version).columns(operation, header)
        self.columns = columns
        self._places = {column.field.name: place for place, column in enumerate(columns)}
        by_relationship = dict.fromkeys(column.field.name for column in columns if column.key)
        self._places |= {name: place for place, name in enumerate(by_relationship, len(columns))}
        self.written = {name: place for name, place in self._places.items() if name != "Id"}
        self.blanked = [
            place
            for place, column in enumerate(columns)
            if assumptions.differing_header_case == "blanked" and not column.key and column.name != column.field.name
        ]
        self._readers = [
            key_reader(column.key.field) if column.key else reader(column.field, schema) for column in columns
        ]
        self._printers = [
            (place, cells)
            for place, column in enumerate(columns)
            if not column.key and (cells := cells_of(column.field))
        ]

    def place(self, name: str) -> int | None:
        """Where the value of this field is."""
        return self._places.get(name)

    def value(self, row: Row, name: str) -> Value:
        """What the row holds in this field; EMPTY, too, if there is no such column."""
        place = self._places.get(name)
        return Cell.EMPTY if place is None else row.values[place]

    def stored(self, row: Row, name: str) -> Stored:
        """What the row would store in this field, with nothing as null."""
        value = self.value(row, name)
        return None if isinstance(value, Cell) else value

    def read(self, records: Sequence[Record]) -> list[Row]:
        """Rows, each with its cells understood or already failed."""
        rows = [self._row(record) for record in records]
        whole = [row for row in rows if row.error is None]
        cells = zip(*(row.cells for row in whole), strict=True)
        columns = [read(column) for read, column in zip(self._readers, cells, strict=False)]
        for column in columns:
            _fail(whole, column)
        for row, values in zip(whole, zip(*columns, strict=True), strict=False):
            if row.error is None:
                row.values = values
        return rows

    def _row(self, record: Record) -> Row:
        """A row whose cells are as many as the columns.

        Missing cells count as empty (assumed); cells beyond the header fail the row (seen: only those rows fail).
        """
        width = len(self.columns)
        row = Row(record if len(record) == width else (record + [""] * width)[:width])
        if isinstance(record, Misquoted):  # documented: an error of this row; assumed: code and text
            row.error = RowError("INVALID_FIELD", f"Failed to parse CSV. {UNESCAPED_QUOTE}")
        elif len(record) > width:  # assumed: code and text
            row.error = RowError("INVALID_FIELD", f"The row has {len(record)} values but the header has {width}")
        return row

    def printed(self, rows: Sequence[Row]) -> Iterator[tuple[str, ...]]:
        """The cells of succeeded rows as results hold them: typed again."""
        columns = list(zip(*(row.cells for row in rows), strict=True))
        for place, cells in self._printers if columns else ():
            columns[place] = tuple(cells([row.values[place] for row in rows]))
        return zip(*columns, strict=True)

    def printed_failed(self, rows: Sequence[Row]) -> Iterator[tuple[str, ...]]:
        """The cells of failed rows as results hold them: typed again where all cells of the row were understood."""
        for row in rows:
            cells = next(self.printed([row])) if row.values else tuple(row.cells)
            yield (
                tuple("" if place in self.blanked else cell for place, cell in enumerate(cells))
                if self.blanked
                else cells
            )


def _fail(rows: Sequence[Row], column: Sequence[Value | RowError]) -> None:
    """Fail the rows whose cell of this column can't be understood, unless one before it could not be."""
    if RowError in map(type, column):
        for row, value in zip(rows, column, strict=True):
            if isinstance(value, RowError) and row.error is None:
                row.error = value
