"""The columns of rows as they are compared with records: the form of their cells, and where a record has the value."""

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from pydantic import JsonValue

from salesforce_bulk_ingest.comparison.cell_equality import UNSEEN_TYPES, ValueForms, value_forms
from salesforce_bulk_ingest.comparison.record_reader import JsonRecord, KeyField
from salesforce_bulk_ingest.salesforce.models import ID_FIELD, FieldDescribe, SObjectDescribe
from salesforce_bulk_ingest.validation.columns import FieldColumn, UnknownColumn
from salesforce_bulk_ingest.validation.destination import LoadTarget
from salesforce_bulk_ingest.validation.key_forms import key_form
from salesforce_bulk_ingest.validation.record_ids import in_its_case

NO_PREFIXES: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ComparedColumn:
    """A column that is compared with records.

    Attributes:
        index: the index of the column in the rows.
        name: the name of the column in the upload.
        path: the name of the field in a query, such as `Phone`, or `Account.Ext__c` for the key of a parent.
        forms: the forms of its cells and of the values of records.
        is_hidden: whether no answer shows its cells.
    """

    index: int
    name: str
    path: str
    forms: ValueForms
    is_hidden: bool = False

    def value_in(self, record: JsonRecord) -> JsonValue:
        """Return the value that a record has for the column; None for no value."""
        value: JsonValue = dict(record)
        for name in self.path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        return value


FoundBy = tuple[ComparedColumn, KeyField]
"""A column by whose cells records are found, and its field."""


@dataclass(frozen=True, slots=True)
class ParentColumn:
    """A column whose cells name parent records.

    Attributes:
        index: the index of the column in the rows.
        name: the name of the column in the upload.
        key: the field of the parents that the cells are keys in.
        is_hidden: whether no answer shows its cells.
        prefix: what the ids of these parents begin with, where the column has ids of several objects; None where it has not.
    """

    index: int
    name: str
    key: KeyField
    is_hidden: bool = False
    prefix: str | None = None

    def cells_of(self, cells: Sequence[str]) -> Sequence[str]:
        """Return those of the cells, without spaces around them, that name parents of this object."""
        return cells if self.prefix is None else [cell for cell in cells if prefix_of(cell) == self.prefix]


@dataclass(frozen=True, slots=True)
class RowColumns:
    """The columns of rows, by what can be looked for in the org.

    Attributes:
        key: the column that names the records of the rows, and its field; None if the rows are new records, or have no such
            column.
        compared: the columns that are compared with these records.
        unique: the columns whose values only one record has, or that are external ids, each with its field.
        parents: the columns that name parents; one with ids of several objects stands there for each of these.
        other_parents: the names of the columns that name parents which can't be looked for.
        unseen: the names of the columns that can't be compared.
    """

    key: FoundBy | None
    compared: tuple[ComparedColumn, ...]
    unique: tuple[FoundBy, ...]
    parents: tuple[ParentColumn, ...]
    other_parents: tuple[str, ...]
    unseen: tuple[str, ...]


def row_columns(
    columns: Sequence[FieldColumn | UnknownColumn],
    target: LoadTarget,
    parents: Mapping[str, SObjectDescribe],
    hidden: Set[int],
    prefixes: Mapping[str, str] = NO_PREFIXES,
) -> RowColumns:
    """Return the columns of rows, by what can be looked for in the org.

    Args:
        columns: the columns of the upload.
        target: the object and operation.
        parents: describes of the objects that relationship columns lead to, by name.
        hidden: the indexes of the columns whose cells no answer shows.
        prefixes: what the ids of objects begin with, by the name of the object, as far as it is known.
    """
    known = [(index, column) for index, column in enumerate(columns) if isinstance(column, FieldColumn)]
    key: FoundBy | None = None
    compared, unseen, unique = list[ComparedColumn](), list[str](), list[FoundBy]()
    for index, column in known:
        made = _compared(index, column, parents, is_hidden=index in hidden)
        of_field = KeyField(target.describe.name, column.field.name, column.field)
        if made is None:
            unseen.append(column.name)
        elif target.is_key(column):
            key = made, of_field
        else:
            compared.append(made)
            if column.parent_field is None and (column.field.unique or column.field.external_id):
                unique.append((made, of_field))
    of_parents = {
        index: [
            ParentColumn(index, column.name, key, index in hidden, prefix)
            for key, prefix in _keys_of_parents(column, parents, prefixes)
        ]
        for index, column in known
        if column.field.type == "reference"
    }
    looked_for = tuple(column for of_column in of_parents.values() for column in of_column)
    others = tuple(columns[index].name for index, of_column in of_parents.items() if not of_column)
    return RowColumns(key, tuple(compared), tuple(unique), looked_for, others, tuple(unseen))


def _compared(
    index: int, column: FieldColumn, parents: Mapping[str, SObjectDescribe], *, is_hidden: bool
) -> ComparedColumn | None:
    field = column.field
    if column.parent_field is None:
        is_seen = field.type not in UNSEEN_TYPES
        return ComparedColumn(index, column.name, field.name, value_forms(field), is_hidden) if is_seen else None
    of_parent = _field_of_parent(column, parents)
    if of_parent is None or field.relationship_name is None or field.is_polymorphic:
        return None
    path, form = f"{field.relationship_name}.{of_parent[1].name}", key_form(of_parent[1])
    return ComparedColumn(index, column.name, path, ValueForms(form, _of_text(form)), is_hidden)


def _of_text(form: Callable[[str], str]) -> Callable[[object], str]:
    return lambda value: form(str(value))


def prefix_of(cell: str) -> str | None:
    """Return the first three characters of an id, which tell its object; None if the cell is no id."""
    record_id = in_its_case(cell)
    return None if record_id is None else record_id[:3]


def _keys_of_parents(
    column: FieldColumn, parents: Mapping[str, SObjectDescribe], prefixes: Mapping[str, str]
) -> Iterator[tuple[KeyField, str | None]]:
    """Yield the fields that a column has keys in, each with what the keys begin with, see `ParentColumn`."""
    if column.parent_field is not None:
        named = _field_of_parent(column, parents)
        if named is not None:
            yield KeyField(named[0], named[1].name, named[1]), None
        return
    for sobject in column.field.reference_to:
        key = KeyField(sobject, ID_FIELD, None)
        if not column.field.is_polymorphic:
            yield key, None
        elif sobject in prefixes:
            yield key, prefixes[sobject]


def _field_of_parent(column: FieldColumn, parents: Mapping[str, SObjectDescribe]) -> tuple[str, FieldDescribe] | None:
    """Return the object and the field by which a column names parents; None if the describe of the object is not known."""
    sobject, _, name = (column.parent_field or "").rpartition(".")
    field = parents[sobject].field(name) if sobject in parents else None
    return None if field is None else (sobject, field)
