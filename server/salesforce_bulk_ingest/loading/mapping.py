"""The shape of an upload: which columns of a source go where, what is constant, which values are replaced."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from salesforce_bulk_ingest.base.errors import InvalidArgument
from salesforce_bulk_ingest.csvio.cells import ParsedBlock
from salesforce_bulk_ingest.validation.columns import LONGEST_NAME_SHOWN, shown

COLUMNS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """What a caller wants changed on the way; an empty one changes nothing.

    Attributes:
        columns: source header to field; None leaves the column out. Columns that are not named keep their header.
        constants: field to the cell that every row gets.
        values: field to what is replaced in it, old cell to new.
        only: the fields to keep; empty keeps all.
    """

    columns: Mapping[str, str | None] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    only: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.columns or self.constants or self.values or self.only)


@dataclass(frozen=True, slots=True)
class MappedColumn:
    """One column that goes out.

    Attributes:
        name: in the header.
        place: of the source's column; None for a constant.
        constant: the cell of every row.
        values: what is replaced, old cell to new.
    """

    name: str
    place: int | None = None
    constant: str = ""
    values: Mapping[str, str] = field(default_factory=dict)

    def cells(self, batch: ParsedBlock) -> Sequence[str]:
        """Its cell in each of these rows."""
        if self.place is None:
            return [self.constant] * len(batch)
        cells = batch.column(self.place)
        return [self.values.get(cell, cell) for cell in cells] if self.values else cells


@dataclass(frozen=True, slots=True)
class AppliedMapping:
    """A shape, applied to one header.

    Attributes:
        columns: that go out.
        width: of the source's header.
    """

    columns: tuple[MappedColumn, ...]
    width: int

    @property
    def header(self) -> tuple[str, ...]:
        """Of what goes out."""
        return tuple(column.name for column in self.columns)

    def apply(self, batch: ParsedBlock) -> ParsedBlock:
        """Rows of the source as they go out, one for each."""
        columns = [column.cells(batch) for column in self.columns]
        width = len(columns)
        if not batch.is_ragged:
            return ParsedBlock(width, batch.find_lines, columns=columns)
        # Cells beyond the header stay beyond it: dropped, they would turn a row that Salesforce refuses into a wrong one.
        shaped = zip(zip(*columns, strict=True), batch.rows, strict=True)
        return ParsedBlock(width, batch.find_lines, rows=[[*row, *given[self.width :]] for row, given in shaped])


def apply_mapping(shape: ColumnMapping, header: Sequence[str]) -> AppliedMapping:
    """The shape for a source with this header.

    Raises:
        InvalidArgument: it names a column that is not there, leaves none, or makes one twice.
    """
    _check_names("columns", shape.columns, header)
    _check_constants(shape)
    renamed = [(place, shape.columns.get(name, name)) for place, name in enumerate(header)]
    columns = [
        MappedColumn(name, place, values=shape.values.get(name, {}))
        for place, name in renamed
        if name is not None and name not in shape.constants
    ]
    columns += [MappedColumn(name, constant=cell) for name, cell in shape.constants.items()]
    names = [column.name for column in columns]
    _check_names("values", shape.values, names)
    _check_names("only", shape.only, names)
    if shape.only:
        columns = [column for column in columns if column.name in shape.only]
    _check_columns(columns, header)
    return AppliedMapping(tuple(columns), len(header))


def _check_names(argument: str, names: Mapping[str, object] | Sequence[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            near = get_close_matches(name[:LONGEST_NAME_SHOWN], [other[:LONGEST_NAME_SHOWN] for other in known], 1)
            hint = f"Did you mean {_shown(near[0])}?" if near else f"There are: {shown(known, COLUMNS_SHOWN)}."
            raise InvalidArgument(f"{argument} names {_shown(name)}, which is not a column here. {hint}")


def _check_constants(shape: ColumnMapping) -> None:
    for name in shape.values:
        if name in shape.constants:
            raise InvalidArgument(
                f"set gives every row the same {_shown(name)}, so values has nothing to replace there: leave it out of "
                "values, or out of set to replace what the column holds."
            )


def _shown(name: str) -> str:
    return repr(name if len(name) <= LONGEST_NAME_SHOWN else f"{name[:LONGEST_NAME_SHOWN]}…")


def _check_columns(columns: Sequence[MappedColumn], header: Sequence[str]) -> None:
    if not columns:
        raise InvalidArgument("The shape leaves no column: name at least one to keep.")
    seen = dict[str, MappedColumn]()
    for column in columns:
        other = seen.setdefault(column.name, column)
        if other is not column and other.place is not None and column.place is not None:
            made_of = f"{_shown(header[other.place])} and {_shown(header[column.place])}"
            raise InvalidArgument(f"{made_of} both become {_shown(column.name)}: set one of them to null in columns.")
