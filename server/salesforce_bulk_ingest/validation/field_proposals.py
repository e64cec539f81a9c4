"""Proposals of fields for the columns of a file whose header has other names. Nothing applies a proposal unasked."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence, Set

from salesforce_bulk_ingest.base.text import LONGEST_NAME_SHOWN, as_name, quoted
from salesforce_bulk_ingest.salesforce.models import ID_FIELD, FieldDescribe, SObjectDescribe
from salesforce_bulk_ingest.validation.columns import FieldColumn, UnknownColumn, columns_of
from salesforce_bulk_ingest.validation.destination import DELETES, Destination
from salesforce_bulk_ingest.validation.id_columns import IdColumns
from salesforce_bulk_ingest.validation.meanings import Meanings, has_parts_of_names, keys_of
from salesforce_bulk_ingest.validation.synonyms import plain

LAST_NAME = "LastName"

NUMBERS_OF_RECORDS = frozenset({"AccountNumber", "ProductCode"})
"""Fields for the numbers by which other systems know records: a column of these may hold the key of an upsert instead."""


class FieldProposals:
    """The fields that are proposed for the columns of one upload.

    Args:
        destination: the job; without a describe of its object nothing but columns of the same name is known.
        header: the names of the uploaded columns.
        id_columns: what the cells of columns of ids are; None while no row was read.

    Attributes:
        of_ids: the indexes of the columns that may hold record ids, and the field that each may be for.
    """

    def __init__(self, destination: Destination, header: Sequence[str], id_columns: IdColumns | None = None) -> None:
        describe, key = destination.describe, destination.external_id_field
        self._describe = describe
        self._parents = destination.parents
        self._operation = destination.operation or ""
        self._header = header
        self._meant: dict[int, str] = {}
        self._id_columns = id_columns
        self._key = None if describe is None or key is None else describe.field(key)
        self._takes_ids = destination.load_target is not None and destination.load_target.key == ID_FIELD
        self.of_ids: dict[int, FieldDescribe] = {}
        self._columns: Sequence[FieldColumn | UnknownColumn] = ()
        if describe is not None:
            self._find_meanings(describe, destination.parents)
            self._find_columns(describe)
            for settle in (self._settle_lookups, self._settle_keys, self._settle_names, self._settle_numbers):
                settle(describe)
                self._find_columns(describe)

    def _find_meanings(self, describe: SObjectDescribe, parents: Mapping[str, SObjectDescribe]) -> None:
        columns = columns_of(self._header, describe, {})
        for index, each in enumerate(columns):
            if isinstance(each, FieldColumn) and each.field.name == ID_FIELD and not self._takes_ids:
                self.of_ids[index] = each.field
        unknown = {index: column for index, column in enumerate(columns) if isinstance(column, UnknownColumn)}
        if not unknown:
            return
        meanings = Meanings(describe, parents)
        for index, column in unknown.items():
            meant = meanings.of(column.name)
            if len(meant) == 1:
                self._meant[index] = meant[0].name
            by_ids = [each for each in meant or meanings.of_ids(column.name) if each.is_of_ids]
            if len(by_ids) == 1:
                self.of_ids[index] = by_ids[0].field

    def _find_columns(self, describe: SObjectDescribe) -> None:
        names = [self._meant.get(index, name) for index, name in enumerate(self._header)]
        self._columns = columns_of(names, describe, {})

    @property
    def _claimed(self) -> Set[str]:
        """The names of the fields that a column is, or means."""
        return {column.field.name for column in self._columns if isinstance(column, FieldColumn)}

    def _settle_lookups(self, describe: SObjectDescribe) -> None:
        """Go by the cells of columns of ids: names of records, and ids of another system, become no lookup."""
        cells = self._id_columns
        if cells is None:
            return
        for index, field in self.of_ids.items():
            is_refused_id = describe.field(self._header[index]) is not None
            if index in cells.with_ids or is_refused_id:
                self._meant[index] = field.name
            elif index in cells.with_others:
                self._meant.pop(index, None)

    def _settle_keys(self, describe: SObjectDescribe) -> None:
        """Take the ids of another system for the external id, where there is one column of these and one such field."""
        cells = self._id_columns
        if cells is None or self._operation not in ("insert", "upsert"):
            return
        claimed = self._claimed
        keys = [key for key in keys_of(describe) if self._can_fill(key) and key.name not in claimed]
        others = [
            index for index, field in self.of_ids.items() if field.name == ID_FIELD and index in cells.with_others
        ]
        if len(others) == len(keys) == 1 and cells.fits(others[0], keys[0]):
            self._meant[others[0]] = keys[0].name

    def _settle_names(self, describe: SObjectDescribe) -> None:
        """Find what a column of names is for that Salesforce makes of first and last names, where none has last names.

        A column Name beside first names has last names. Any other may have whole names, which only the user can split; only
        an update goes without them.
        """
        claimed = self._claimed
        if LAST_NAME in claimed or not has_parts_of_names(describe):
            return
        for index, column in enumerate(self._columns):
            if not isinstance(column, FieldColumn) or column.field.name != "Name":
                continue
            if "FirstName" in claimed and plain(self._header[index]) == "name":
                self._meant[index] = LAST_NAME
            elif self._operation != "update":
                self._meant.pop(index, None)

    def _settle_numbers(self, describe: SObjectDescribe) -> None:
        """Leave columns of numbers of records to the user where no column has the key: one of them is likely to be it."""
        if self._key is not None and self._key.name not in self._claimed:
            self._meant = {index: name for index, name in self._meant.items() if name not in NUMBERS_OF_RECORDS}

    @property
    def doubled(self) -> Mapping[str, Sequence[int]]:
        """The indexes of the columns that are, or mean, the same field, by its name; those that have its name come first."""
        groups: dict[str, list[int]] = defaultdict(list)
        for index in range(len(self._header)):
            name = self._name_of(index)
            if name.strip():
                groups[name.lower()].append(index)
        doubled = [sorted(indexes, key=self._meant.__contains__) for indexes in groups.values() if len(indexes) > 1]
        return {self._name_of(indexes[0]): indexes for indexes in doubled}

    @property
    def second(self) -> Set[int]:
        """The indexes of the columns of another name that mean a field which a column or a constant has by its own name."""
        return {index for first, *others in self.doubled.values() if first not in self._meant for index in others}

    @property
    def unnamed(self) -> Sequence[int]:
        """The indexes of the columns without a name."""
        return [index for index, name in enumerate(self._header) if not name.strip()]

    def fields(self, left_out: Sequence[int] = ()) -> Mapping[int, str | None]:
        """Return the field that is proposed for each column whose name is not a field; None leaves the column out.

        A column is left out if rows would fail with it: a column beside the ids of a delete, or a column that means a
        field which the operation can't fill. A column has no proposal if it may mean two fields, or a field that another
        column fills.

        Args:
            left_out: the indexes of columns that are to be left out.
        """
        kept = [column for index, column in enumerate(self._columns) if index not in left_out]
        claims = Counter(column.field.name for column in kept if isinstance(column, FieldColumn))
        proposed: dict[int, str | None] = dict.fromkeys(left_out)
        for index, name in self._meant.items():
            column = self._columns[index]
            if index not in proposed and isinstance(column, FieldColumn) and claims[column.field.name] == 1:
                proposed[index] = name if self._can_fill(column.field) else None
        return self._ids_alone(proposed) if self._operation in DELETES and self._columns else proposed

    def choices(self, proposed: Mapping[int, str | None]) -> tuple[str, ...]:
        """Return the names of the fields that no column fills yet, each with its label where the label says more.

        The key, fields that a new record needs, and keys of parents come first. The result is empty for a delete, which
        fills no field.

        Args:
            proposed: the fields that are proposed.
        """
        if self._describe is None or self._operation in DELETES:
            return ()
        known = [
            column for index, column in enumerate(self._columns) if index not in self._meant or proposed.get(index)
        ]
        taken = {column.field.name for column in known if isinstance(column, FieldColumn)}
        fields = self._describe.fields
        free = [field for field in fields if field.name not in taken and self._can_fill(field)]
        needed = [field for field in free if field == self._key or field.is_required]
        parents = {**self._parents, self._describe.name: self._describe}
        by_keys = [
            _with_label(meant.name, key)
            for meant, key in Meanings(self._describe, parents).keys_of_parents
            if meant.field.name not in taken and self._can_fill(meant.field)
        ]
        return (
            *(_with_label(field.name, field) for field in sorted(needed, key=lambda field: field != self._key)),
            *by_keys,
            *(_with_label(field.name, field) for field in free if field not in needed),
        )

    def unknown(self, proposed: Mapping[int, str | None]) -> Sequence[int]:
        """Return the indexes of the columns that are no fields and have no proposal."""
        unknown = {index for index, column in enumerate(self._columns) if isinstance(column, UnknownColumn)}
        return sorted((unknown | self._meant.keys()) - proposed.keys())

    def _name_of(self, index: int) -> str:
        column = self._columns[index] if self._columns else None
        if not isinstance(column, FieldColumn):
            return self._header[index]
        return column.name if column.parent_field else column.field.name

    def _can_fill(self, field: FieldDescribe) -> bool:
        if field.name == ID_FIELD:
            return self._takes_ids
        if self._operation == "insert":
            return field.createable
        if self._operation == "update":
            return field.updateable
        return field.createable or field.updateable or field.finds_records

    def _ids_alone(self, proposed: Mapping[int, str | None]) -> Mapping[int, str | None]:
        ids = [
            index
            for index, column in enumerate(self._columns)
            if isinstance(column, FieldColumn)
            and (column.field.name, column.parent_field) == (ID_FIELD, None)
            and proposed.get(index, ID_FIELD)
        ]
        if len(ids) != 1:
            return {}
        others: dict[int, str | None] = {index: None for index in range(len(self._header)) if index not in ids}
        return others | {index: ID_FIELD for index in ids if index in self._meant}


def _with_label(name: str, field: FieldDescribe) -> str:
    says_more = plain(field.label) not in (plain(field.name), plain(field.name.removesuffix("__c")))
    label = f" ({quoted(field.label, LONGEST_NAME_SHOWN)})" if says_more else ""
    return f"{as_name(name)}{label}"
