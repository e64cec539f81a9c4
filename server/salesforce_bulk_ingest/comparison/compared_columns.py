"""The columns of rows as they are compared with records: the form of their cells, and where a record has the value."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from pydantic import JsonValue

from salesforce_bulk_ingest.comparison.cell_equality import UNSEEN_TYPES, ValueForms, value_forms
from salesforce_bulk_ingest.comparison.record_reader import JsonRecord, KeyField
from salesforce_bulk_ingest.salesforce.models import ID_FIELD, FieldDescribe, SObjectDescribe
from salesforce_bulk_ingest.validation.columns import FieldColumn, UnknownColumn
from salesforce_bulk_ingest.validation.destination import LoadTarget
from salesforce_bulk_ingest.validation.key_forms import key_form, trimmed
from salesforce_bulk_ingest.validation.record_ids import prefix_of

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
        keys: the field of the parents that the cells are keys in, by None; where the column has ids of several objects, the
            field of each object, by what its ids begin with.
        is_hidden: whether no answer shows its cells.
    """

    index: int
    name: str
    keys: Mapping[str | None, KeyField]
    is_hidden: bool = False

    def by_prefix(self, cells: Sequence[str]) -> Mapping[str | None, Sequence[str]]:
        """Return the cells, without spaces around them, by what `keys` has them by; a cell that is no id by None."""
        if None in self.keys:
            return {None: trimmed(cells)}
        grouped = defaultdict[str | None, list[str]](list)
        for cell in trimmed(cells):
            grouped[prefix_of(cell)].append(cell)
        return grouped


@dataclass(frozen=True, slots=True)
class RowColumns:
    """The columns of rows, by what can be looked for in the org.

    Attributes:
        key: the column that names the records of the rows, and its field; None if the rows are new records, or have no such
            column.
        compared: the columns that are compared with these records.
        unique: the columns whose values only one record has, or that are external ids, each with its field.
        parents: the columns that name parents which can be looked for.
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
    of_parents = [
        ParentColumn(index, column.name, _keys_of_parents(column, parents, prefixes), index in hidden)
        for index, column in known
        if column.field.type == "reference"
    ]
    looked_for = tuple(column for column in of_parents if column.keys)
    others = tuple(column.name for column in of_parents if not column.keys)
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


def _keys_of_parents(
    column: FieldColumn, parents: Mapping[str, SObjectDescribe], prefixes: Mapping[str, str]
) -> Mapping[str | None, KeyField]:
    """Return the fields that a column has keys in, see `ParentColumn`; none if nothing is known of its parents."""
    if column.parent_field is not None:
        named = _field_of_parent(column, parents)
        return {} if named is None else {None: KeyField(named[0], named[1].name, named[1])}
    ids = [KeyField(sobject, ID_FIELD, None) for sobject in column.field.reference_to]
    if column.has_ids_of_several:
        return {prefixes[key.sobject]: key for key in ids if key.sobject in prefixes}
    return {None: ids[0]} if ids else {}


def _field_of_parent(column: FieldColumn, parents: Mapping[str, SObjectDescribe]) -> tuple[str, FieldDescribe] | None:
    """Return the object and the field by which a column names parents; None if the describe of the object is not known."""
    sobject, _, name = (column.parent_field or "").rpartition(".")
    field = parents[sobject].field(name) if sobject in parents else None
    return None if field is None else (sobject, field)
