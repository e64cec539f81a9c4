"""The fields that the columns of a foreign file are likely to mean. This is a proposal: nothing applies it unasked."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from salesforce_bulk_ingest.salesforce.models import ID_FIELD, FieldDescribe, SObjectDescribe
from salesforce_bulk_ingest.validation.columns import FieldColumn, UnknownColumn, columns_of, plain
from salesforce_bulk_ingest.validation.destination import DELETES

SAME_IN_REPORTS = (("zippostalcode", "postalcode"), ("stateprovince", "state"), ("zipcode", "postalcode"))
"""Spellings in reports and labels, and how the names of fields spell the same words."""

RECORD_ID = ("recordid", "casesafeid", "18digitid")


def propose(describe: SObjectDescribe, operation: str, header: Sequence[str]) -> Mapping[str, str | None]:
    """Return the field that is proposed for each column without a field's name; None leaves the column out.

    A column is left out if that makes the load possible: beside the ids of a delete, and if it means a field that the
    operation can't fill. A column is not in the proposal if it may mean two fields, or a field that another column fills.

    Args:
        describe: the describe of the object.
        operation: the operation of the job.
        header: the names of the columns of the source.
    """
    counts = Counter(header)
    columns = columns_of(header, describe, {})
    unknown = [column.name for column in columns if isinstance(column, UnknownColumn) and counts[column.name] == 1]
    taken = {column.field.name for column in columns if isinstance(column, FieldColumn)}
    meanings = _Meanings(describe)
    meant = {name: field for name in unknown if (field := meanings.of(name)) and field.name not in taken}
    claims = Counter(field.name for field in meant.values())
    meant = {name: field for name, field in meant.items() if claims[field.name] == 1}
    if operation in DELETES:
        return _only_ids(header, meant, has_ids=ID_FIELD in taken)
    return {name: field.name if _can_fill(field, operation) else None for name, field in meant.items()}


def fillable(describe: SObjectDescribe, operation: str, header: Sequence[str]) -> tuple[str, ...]:
    """Return the fields that no column fills yet, with their label where it says more than the name.

    Fields that a new record needs come first. There are none for a delete, which fills no field.

    Args:
        describe: the describe of the object.
        operation: the operation of the job.
        header: the names of the columns.
    """
    if operation in DELETES:
        return ()
    taken = {column.field.name for column in columns_of(header, describe, {}) if isinstance(column, FieldColumn)}
    free = [field for field in describe.fields if field.name not in taken and _can_fill(field, operation)]
    return tuple(map(_with_label, sorted(free, key=lambda field: not field.is_required)))


def _with_label(field: FieldDescribe) -> str:
    says_more = plain(field.label) not in (plain(field.name), plain(field.name.removesuffix("__c")))
    return f"{field.name} ({field.label})" if says_more else field.name


def _only_ids(header: Sequence[str], meant: Mapping[str, FieldDescribe], *, has_ids: bool) -> dict[str, str | None]:
    ids = {name: field.name for name, field in meant.items() if field.name == ID_FIELD}
    if not has_ids and not ids:
        return {}
    return {name: ids.get(name) for name in header if name.lower() != ID_FIELD.lower()}


def _can_fill(field: FieldDescribe, operation: str) -> bool:
    if operation == "insert":
        return field.createable
    if operation == "update":
        return field.updateable or field.name == ID_FIELD
    return field.createable or field.updateable or field.finds_records


class _Meanings:
    """The fields of an object by all names that a report or a spreadsheet may have for them."""

    def __init__(self, describe: SObjectDescribe) -> None:
        self._object = plain(describe.label)
        self._called: dict[str, set[str]] = {}
        self._also_called: dict[str, set[str]] = {}
        self._fields = {field.name: field for field in describe.fields}
        for field in describe.fields:
            for spelling in _names(field):
                self._called.setdefault(spelling, set()).add(field.name)
            for spelling in self._other_names(field):
                self._also_called.setdefault(spelling, set()).add(field.name)

    def of(self, name: str) -> FieldDescribe | None:
        """Return the field that the name means; None if it means none, or may mean several."""
        spelling = _as_in_reports(plain(name))
        fields = self._called.get(spelling) or self._also_called.get(spelling) or set()
        return self._fields[next(iter(fields))] if len(fields) == 1 else None

    def _other_names(self, field: FieldDescribe) -> Iterator[str]:
        if field.name == ID_FIELD:
            yield from RECORD_ID
            yield f"{self._object}id"
            return
        if field.reference_to:
            yield f"{plain(field.label)}id"
        else:
            yield _as_in_reports(plain(field.name.removesuffix("__c")))
        for spelling in _names(field):
            yield self._object + spelling


def _names(field: FieldDescribe) -> Iterator[str]:
    """The name of a field, and its label. Below a lookup's label that does not end in ID, a report shows names, not ids."""
    yield _as_in_reports(plain(field.name))
    label = _as_in_reports(plain(field.label))
    if label and (not field.reference_to or label.endswith("id")):
        yield label


def _as_in_reports(spelling: str) -> str:
    for other, own in SAME_IN_REPORTS:
        spelling = spelling.replace(other, own)
    return spelling
