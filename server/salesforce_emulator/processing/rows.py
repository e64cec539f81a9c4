"""The rows of an upload: the values of their cells, and their cells in the results.

Cells are read and printed column by column, each column by one function for the type of its field: this is where most
of a job's time goes.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from salesforce_emulator.config import Assumptions
from salesforce_emulator.errors import RowError
from salesforce_emulator.jobs.job import JobRequest
from salesforce_emulator.processing.csv_reader import UNESCAPED_QUOTE, MisquotedRecord, Record
from salesforce_emulator.processing.headers import HeaderReader
from salesforce_emulator.processing.values import (
    EMPTY,
    CellValue,
    ColumnRules,
    Empty,
    cell_printer,
    cell_reader,
    parent_key_reader,
)
from salesforce_emulator.schema.model import Schema, StoredValue


@dataclass(slots=True)
class Row:
    """A row in processing.

    Attributes:
        cells: the cells of the row, one for each column of the header.
        values: the values of the cells, followed by the ids of parents that relationship columns name; empty for a row
            whose cells could not be read.
        id: the id of the row's record; empty while it has none.
        created: whether the row has created its record.
        holds_lock: whether the row has locked its record; the lock lasts until the chunk is saved.
        error: the error that the row has failed with.
    """

    cells: list[str]
    values: tuple[CellValue, ...] = ()
    id: str = ""
    created: bool = False
    holds_lock: bool = False
    error: RowError | None = None

    def passes(self, check: Callable[["Row"], None]) -> bool:
        """Run a check that raises RowError, note its error, and return whether the row has none."""
        try:
            check(self)
        except RowError as error:
            self.error = error.with_traceback(None)
        return self.error is None

    def undo_creation(self) -> None:
        """Forget the record that the row had created, since the record was rolled back."""
        if self.created:
            self.id, self.created = "", False


class RowFormat:
    """The format of one upload's rows: which field each column holds, and the index of each field's value.

    A lookup that relationship columns give has an index after those of the columns, since several relationship columns
    and a column of the plain id can give the same lookup.

    Attributes:
        columns: the columns in the order of the header.
        written: the index of the value by field name, for the fields that rows write; never for the Id.
        blanked: the indexes of the columns that failedResults leaves blank.

    Raises:
        JobFailure: as `HeaderReader.columns`.
    """

    def __init__(self, schema: Schema, job: JobRequest, header: Sequence[str], assumptions: Assumptions) -> None:
        columns = HeaderReader(schema, schema[job.object], job.api_version).columns(job.operation, header)
        self.columns = columns
        self._indexes = {column.field.name: index for index, column in enumerate(columns)}
        by_relationship = dict.fromkeys(column.field.name for column in columns if column.parent_key)
        self._indexes |= {name: index for index, name in enumerate(by_relationship, len(columns))}
        self.written = {name: index for name, index in self._indexes.items() if name != "Id"}
        blanks_differing_case = assumptions.differing_header_case == "blanked"
        self.blanked = [
            index
            for index, column in enumerate(columns)
            if blanks_differing_case and not column.parent_key and column.name != column.field.name
        ]
        self._readers = [
            parent_key_reader(column.parent_key.field, rules)
            if column.parent_key
            else cell_reader(column.field, schema, rules)
            for column, rules in ((column, ColumnRules(index, assumptions)) for index, column in enumerate(columns))
        ]
        self._printers = [
            (index, printer)
            for index, column in enumerate(columns)
            if not column.parent_key and (printer := cell_printer(column.field))
        ]

    def index_of(self, name: str) -> int | None:
        """Return the index of this field's value in `Row.values`; None if no column gives the field."""
        return self._indexes.get(name)

    def value(self, row: Row, name: str) -> CellValue:
        """Return the value of the row in this field; EMPTY if no column gives the field."""
        index = self._indexes.get(name)
        return EMPTY if index is None else row.values[index]

    def stored_value(self, row: Row, name: str) -> StoredValue:
        """Return the value that the row would store in this field; None for an empty cell."""
        value = self.value(row, name)
        return None if isinstance(value, Empty) else value

    def read(self, records: Sequence[Record]) -> list[Row]:
        """Return a row for each record, with the values of its cells or with an error."""
        rows = [self._row(record) for record in records]
        whole = [row for row in rows if row.error is None]
        cells = zip(*(row.cells for row in whole), strict=True)
        columns = [read(column) for read, column in zip(self._readers, cells, strict=False)]
        for column in columns:
            _note_errors(whole, column)
        for row, values in zip(whole, zip(*columns, strict=True), strict=False):
            if row.error is None:
                row.values = values
        return rows

    def _row(self, record: Record) -> Row:
        """Return the row of a record, with as many cells as there are columns.

        Missing cells count as empty (assumed); cells beyond the header fail the row (seen: only those rows fail).
        """
        width = len(self.columns)
        row = Row(record if len(record) == width else (record + [""] * width)[:width])
        if isinstance(record, MisquotedRecord):  # documented: an error of this row; assumed: code and text
            row.error = RowError("INVALID_FIELD", f"Failed to parse CSV. {UNESCAPED_QUOTE}")
        elif len(record) > width:  # assumed: code and text
            row.error = RowError("INVALID_FIELD", f"The row has {len(record)} values but the header has {width}")
        return row

    def printed(self, rows: Sequence[Row]) -> Iterator[tuple[str, ...]]:
        """Return the cells of succeeded rows for the results, printed from their values."""
        columns = list(zip(*(row.cells for row in rows), strict=True))
        for index, print_column in self._printers if columns else ():
            columns[index] = tuple(print_column([row.values[index] for row in rows]))
        return zip(*columns, strict=True)

    def printed_failed(self, rows: Sequence[Row]) -> Iterator[tuple[str, ...]]:
        """Yield the cells of failed rows for the results, printed from their values where all cells could be read."""
        for row in rows:
            cells = next(self.printed([row])) if row.values else tuple(row.cells)
            yield (
                tuple("" if index in self.blanked else cell for index, cell in enumerate(cells))
                if self.blanked
                else cells
            )


def _note_errors(rows: Sequence[Row], column: Sequence[CellValue | RowError]) -> None:
    """Fail the rows whose cell of this column could not be read, unless an earlier column has failed them."""
    if RowError in map(type, column):
        for row, value in zip(rows, column, strict=True):
            if isinstance(value, RowError) and row.error is None:
                row.error = value
