"""The mapping of a source's columns for an upload: columns renamed or left out, constants, replaced values, formats."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from salesforce_bulk_ingest.base.errors import LEFT_OUT, InvalidArgument, OutOfBounds, RefusedByPolicy
from salesforce_bulk_ingest.base.hidden_fields import HiddenFields
from salesforce_bulk_ingest.base.text import as_json, quoted_names
from salesforce_bulk_ingest.csvio.cells import ParsedBlock
from salesforce_bulk_ingest.csvio.column_addresses import ColumnAddresses
from salesforce_bulk_ingest.loading.cell_reader import MOST_REMEMBERED, CellReader
from salesforce_bulk_ingest.loading.column_names import ColumnNames, unknown_address
from salesforce_bulk_ingest.loading.header_bounds import HeaderBounds
from salesforce_bulk_ingest.loading.row_filter import NOTHING, LeaveOut
from salesforce_bulk_ingest.validation.formats import format_of
from salesforce_bulk_ingest.validation.misfits import Misfit

MOST_REMEMBERED_OF_ALL = 4 * MOST_REMEMBERED
"""The maximum number of different cells of all columns whose readings are remembered, however many columns have formats."""


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """The changes to columns and cells that a caller asks for; an empty mapping changes nothing.

    Attributes:
        columns: addresses of columns in the source (see `ColumnAddresses`) to the name of the field, or the names of the
            fields, that each fills; None leaves the column out. A column that is not named here keeps its name.
        constants: names of fields to the cell that every row gets.
        values: names of fields to the replacements of their cells, old cell to new cell.
        only: the names of the fields to keep; an empty tuple keeps all fields.
        formats: names of fields to the formats in which their cells are read, after they were replaced.
        leave_out: the rows to leave out.
        headers: the headers that the source may have; None for any.
    """

    columns: Mapping[str, str | Sequence[str] | None] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    formats: Mapping[str, str] = field(default_factory=dict)
    leave_out: LeaveOut = NOTHING
    headers: HeaderBounds | None = None

    @property
    def changes_rows(self) -> bool:
        """Whether the rows go otherwise than the source has them, as far as it is known by now which are left out."""
        cells = self.constants or self.values or self.formats
        return bool(self.columns or cells or self.only) or self.leave_out.leaves_rows_out

    def of_columns_alone(self) -> Self:
        """Return the mapping without what it says of cells, under whatever name."""
        leave_out = replace(self.leave_out, cells={})
        return replace(self, values={}, only=(), formats={}, leave_out=leave_out)

    def with_proposal(self, columns: Mapping[str, str | None], formats: Mapping[str, str]) -> Self:
        """Return the mapping with fields of more columns, and their formats; itself it says nothing of cells."""
        return replace(self, columns={**self.columns, **columns}, formats=formats)

    def bounded_by(self, headers: HeaderBounds) -> Self:
        """Return the mapping for sources that have these headers alone."""
        return replace(self, headers=headers)

    def fitted_to(self, header: Sequence[str]) -> Self:
        """Return the mapping without what is about columns that this source lacks, where it may lack them.

        Raises:
            OutOfBounds: the source may not have this header.
        """
        missing = self.headers.missing(self.columns, header) if self.headers else frozenset[str]()
        if not missing:
            return self
        columns = {address: names for address, names in self.columns.items() if address not in missing}
        filled = {name for names in columns.values() for name in ((names,) if isinstance(names, str) else names or ())}
        there = filled | self.constants.keys() | set(header) - columns.keys()
        only = tuple(name for name in self.only if name in there)
        if self.only and not only:  # none would stand for all
            raise OutOfBounds([f"it fills none of {quoted_names(self.only)} (only)"])
        return replace(
            self,
            columns=columns,
            values={name: cells for name, cells in self.values.items() if name in there},
            only=only,
            formats={name: text for name, text in self.formats.items() if name in there},
        )


@dataclass(frozen=True, slots=True)
class MappedColumn:
    """One uploaded column.

    Attributes:
        name: the name of the column in the header.
        index: the index of the column in the source; None for a constant.
        constant: the cell that every row gets, if there is no index.
        values: the replacements of cells, old cell to new cell.
        reader: reads the cells in a format; None if they go as they are.
    """

    name: str
    index: int | None = None
    constant: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    reader: CellReader | None = None

    def cells(self, block: ParsedBlock) -> Sequence[str]:
        """Return the cell of this column for each row of a block of the source."""
        if self.index is None:
            return [self.constant] * len(block)
        cells = self._replaced(block.column(self.index))
        return cells if self.reader is None else self.reader.read(cells)

    def misfits(self, block: ParsedBlock) -> Iterator[Misfit]:
        """Yield each cell of this column in a block of the source that does not fit the format."""
        if self.index is not None and self.reader is not None and self.reader.has_misfits:
            cells = self._replaced(block.column(self.index))
            wrong = set(filter(self.reader.is_misfit, set(cells)))
            for row, cell in enumerate(cells):
                if cell in wrong:
                    yield Misfit(self.reader.format, cell, block.line_of(row))

    def _replaced(self, cells: Sequence[str]) -> Sequence[str]:
        return [self.values.get(cell, cell) for cell in cells] if self.values else cells


@dataclass(frozen=True, slots=True)
class AppliedMapping:
    """A column mapping applied to the header of one source.

    Attributes:
        columns: the uploaded columns, in their order.
        width: the number of columns of the source.
    """

    columns: tuple[MappedColumn, ...]
    width: int

    @classmethod
    def of_all(cls, names: Sequence[str]) -> Self:
        """Return the mapping of a source with these columns that changes none of them."""
        return cls(tuple(MappedColumn(name, index) for index, name in enumerate(names)), len(names))

    @property
    def header(self) -> tuple[str, ...]:
        """The names of the uploaded columns."""
        return tuple(column.name for column in self.columns)

    @property
    def formats(self) -> Mapping[str, str]:
        """The formats in which columns are read, by their names."""
        return {column.name: column.reader.format.text for column in self.columns if column.reader is not None}

    def apply(self, block: ParsedBlock) -> ParsedBlock:
        """Return the rows to upload for the rows of a block of the source, one for each."""
        columns = [column.cells(block) for column in self.columns]
        width = len(columns)
        if not block.is_ragged:
            return ParsedBlock(width, block.find_lines, columns=columns)
        # Cells beyond the header are uploaded, too: without them, a row that Salesforce refuses would become a wrong
        # row that Salesforce loads.
        pairs = zip(zip(*columns, strict=True), block.rows, strict=True)
        return ParsedBlock(width, block.find_lines, rows=[[*mapped, *row[self.width :]] for mapped, row in pairs])

    def misfits(self, block: ParsedBlock) -> Iterator[tuple[str, Misfit]]:
        """Yield the name of each column and each of its cells that is uploaded as it is, since it does not fit the format.

        Args:
            block: the rows of a block of the source that are uploaded.
        """
        for column in self.columns:
            for misfit in column.misfits(block):
                yield column.name, misfit


def apply_mapping(mapping: ColumnMapping, header: Sequence[str]) -> AppliedMapping:
    """Apply a mapping to the header of a source.

    Raises:
        InvalidArgument: the mapping names a column that the source lacks, leaves no column, or gives two columns the same
            name.
    """
    addresses = ColumnAddresses(header)
    renamed = _renamed(mapping.columns, addresses, header)
    _check_constants(mapping)
    remembered = min(MOST_REMEMBERED, MOST_REMEMBERED_OF_ALL // max(len(mapping.formats), 1))
    readers = {name: CellReader(format_of(text), remembered) for name, text in mapping.formats.items()}
    constant = {name.lower() for name in mapping.constants}  # Salesforce knows fields in any case
    columns = [
        MappedColumn(new_name, index, values=mapping.values.get(new_name, {}), reader=readers.get(new_name))
        for index, name in enumerate(header)
        for new_name in renamed.get(index, (name,))
        if new_name.lower() not in constant
    ]
    columns += [MappedColumn(name, constant=cell) for name, cell in mapping.constants.items()]
    names = ColumnNames(addresses, renamed, header, [column.name for column in columns])
    names.check("values", mapping.values)
    names.check("formats", mapping.formats)
    names.check("only", mapping.only)
    if mapping.only:
        columns = [column for column in columns if column.name in mapping.only]
    _check_columns(columns, renamed, addresses)
    return AppliedMapping(tuple(columns), len(header))


def check_hidden(mapping: AppliedMapping, header: Sequence[str], hidden: HiddenFields) -> None:
    """Raise RefusedByPolicy where cells that are hidden in the source, or in a field, would be shown in another field."""
    are_hidden = [index for index, name in enumerate(header) if hidden.hides(name)]
    are_hidden += [column.index for column in mapping.columns if column.index is not None and hidden.hides(column.name)]
    for column in mapping.columns:
        if column.index in are_hidden and not hidden.hides(column.name):
            name, field_name = quoted_names([header[column.index]]), quoted_names([column.name])
            raise RefusedByPolicy(
                f"The operator hides the cells of {name} (hide_fields), so they can't go into {field_name}, which is not "
                "hidden."
            )


def _renamed(
    columns: Mapping[str, str | Sequence[str] | None], addresses: ColumnAddresses, header: Sequence[str]
) -> Mapping[int, Sequence[str]]:
    """Return the fields that each column fills which the mapping names, by its index.

    A name that repeats stands for the one column of this name that no other address stands for.
    """
    found = {address: addresses.find(address) for address in columns}
    for address, indexes in found.items():
        if not indexes:
            raise unknown_address(address, columns, addresses, header)
    renamed: dict[int, Sequence[str]] = {}
    for address in sorted(found, key=lambda address: len(found[address])):
        free = [index for index in found[address] if index not in renamed]
        if len(free) != 1:
            raise InvalidArgument(_not_one(address, free or found[address], addresses), ("columns",))
        names = columns[address]
        renamed[free[0]] = (names,) if isinstance(names, str) else tuple(dict.fromkeys(names or ()))
    return renamed


def _not_one(address: str, indexes: Sequence[int], addresses: ColumnAddresses) -> str:
    """Return what is wrong with an address of several columns, or of a column that another address stands for."""
    places = [addresses.of(index) for index in indexes]
    if len(places) == 1:
        return f"columns names the column {quoted_names(places)} twice: once is enough."
    such = as_json({places[-1]: None})
    return (
        f"columns names {quoted_names([address])}, and {len(places):,} columns have this name: name each by its place, "
        f"{quoted_names(places)}, such as {such} to leave that one out."
    )


def _check_constants(mapping: ColumnMapping) -> None:
    constant = dict[str, str]()
    for name in mapping.constants:
        other = constant.setdefault(name.lower(), name)
        if other != name:
            raise InvalidArgument(f"set names {quoted_names([other, name])}, which are one field: keep one.", ("set",))
    for name in mapping.values:
        if name.lower() in constant:
            raise InvalidArgument(
                f"set gives every row the same {quoted_names([name])}, so values has nothing to replace there: leave it out "
                "of values, or out of set to replace what the column holds.",
                ("values",),
            )
    for name in mapping.formats:
        if name.lower() in constant:
            told = f"set gives every row the same {quoted_names([name])}: leave it out of formats."
            raise InvalidArgument(told, ("formats", name) if len(mapping.formats) > 1 else ("formats",), LEFT_OUT)


def _check_columns(
    columns: Sequence[MappedColumn], renamed: Mapping[int, Sequence[str]], addresses: ColumnAddresses
) -> None:
    if not columns:
        raise InvalidArgument("The mapping leaves no column: name at least one to keep.")
    seen = dict[str, MappedColumn]()
    for column in columns:
        other = seen.setdefault(column.name, column)
        indexes = [each.index for each in (other, column) if each.index is not None]
        # Columns that have the same name in the source are a finding, which knows their cells.
        if other is not column and not renamed.keys().isdisjoint(indexes):
            sources = [addresses.of(index) for index in indexes]
            both = " and ".join(quoted_names([source]) for source in sources)
            raise InvalidArgument(
                f"{both} both become {quoted_names([column.name])}: set one of them to null in columns.",
                ("columns",),
            )
