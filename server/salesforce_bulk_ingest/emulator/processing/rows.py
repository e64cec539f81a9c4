"""The rows of an upload: which fields their columns are, what their cells mean, and how results print them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ..errors import JobFailure, RowError
from ..schema.model import Field, Schema, SObject, Stored
from .values import NULL, Cell, Value, parser, show

ID_ONLY = ("delete", "hardDelete")


@dataclass(slots=True)
class Row:
    """One row on its way: its cells, what they mean, and what became of it."""

    cells: list[str]
    values: list[Value] = field(default_factory=list)
    id: str = ""
    created: bool = False
    error: RowError | None = None

    def require(self, check: Callable[["Row"], None]) -> bool:
        """Whether the check lets the row pass; if not, the row has failed."""
        try:
            check(self)
        except RowError as error:
            self.error = error
        return self.error is None


class Columns:
    """The columns of one upload, resolved once and then applied to every row.

    Raises:
        JobFailure: a name is no field (only the first is told, as seen), is there twice, or is not for this operation.
    """

    def __init__(self, schema: Schema, sobject: SObject, operation: str, header: Sequence[str]) -> None:
        self.fields = _resolve(sobject, operation, header)
        self._places = {column.name: place for place, column in enumerate(self.fields)}
        self._parsers = [str if column.name == "Id" else parser(column, schema) for column in self.fields]
        self._printers = [(place, print_) for place, column in enumerate(self.fields) if (print_ := show(column))]

    def place(self, name: str) -> int | None:
        """Where the column of this field is."""
        return self._places.get(name)

    def value(self, row: Row, name: str) -> Value:
        """What the row holds in this field; EMPTY, too, if there is no such column."""
        place = self._places.get(name)
        return Cell.EMPTY if place is None else row.values[place]

    def stored(self, row: Row, name: str) -> Stored:
        """What the row would store in this field, with nothing as null."""
        value = self.value(row, name)
        return None if isinstance(value, Cell) else value

    def read(self, cells: list[str]) -> Row:
        """A row, its cells understood or the row already failed.

        Missing cells count as empty (assumed); cells beyond the header fail the row (seen: only those rows fail).
        """
        width = len(self.fields)
        row = Row(cells if len(cells) == width else (cells + [""] * width)[:width])
        if len(cells) > width:
            # assumed: code and text
            row.error = RowError("INVALID_FIELD", f"The row has {len(cells)} values but the header has {width}")
        else:
            row.require(self._understand)
        return row

    def _understand(self, row: Row) -> None:
        values = row.values
        for parse, cell in zip(self._parsers, row.cells, strict=True):
            if not cell:
                values.append(Cell.EMPTY)
            elif cell == NULL:
                values.append(None)
            else:
                values.append(parse(cell))

    def printed(self, row: Row) -> list[str]:
        """The cells of the row as result files hold them: typed again where all of them were understood."""
        if len(row.values) < len(row.cells):
            return row.cells
        cells = row.cells.copy()
        for place, print_ in self._printers:
            value = row.values[place]
            if value is not None and value is not Cell.EMPTY:
                cells[place] = print_(value)
        return cells


def _resolve(sobject: SObject, operation: str, header: Sequence[str]) -> list[Field]:
    if operation in ID_ONLY and [name.lower() for name in header] != ["id"]:
        raise JobFailure("InvalidBatch", f"The '{operation}' batch must contain only ids.")
    columns: list[Field] = []
    for name in header:
        column = sobject.field(name)  # a dotted name would be resolved here; relationship columns are not known yet
        if column is None:
            raise JobFailure("InvalidBatch", f"Field name not found : {name}")
        if column in columns:  # assumed: no source shows what a repeated column does
            raise JobFailure("InvalidBatch", f"Duplicate field name : {name}")
        columns.append(column)
    return columns
