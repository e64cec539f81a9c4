"""Which fields the columns of a foreign file are likely to mean. Only a proposal: nothing applies it unasked."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from salesforce_bulk_ingest.salesforce.models import ID_FIELD, FieldDescribe, SObjectDescribe
from salesforce_bulk_ingest.validation.columns import FieldColumn, UnknownColumn, columns_of, plain
from salesforce_bulk_ingest.validation.header import DELETES

SAME_IN_REPORTS = (("zippostalcode", "postalcode"), ("stateprovince", "state"), ("zipcode", "postalcode"))
"""Spellings of reports and labels for what the fields' names call otherwise."""

RECORD_ID = ("recordid", "casesafeid", "18digitid")


def propose(describe: SObjectDescribe, operation: str, header: Sequence[str]) -> Mapping[str, str | None]:
    """Source header to field, for the columns that are no field's name already; None leaves a column out.

    A column is left out where that is what makes the load possible: beside the ids of a delete, and where it means a
    field that the operation can't fill. What may mean two fields, or a field that another column is already, is not
    in the proposal.
    """
    counts = Counter(header)
    columns = columns_of(header, describe, {})
    unknown = [column.header for column in columns if isinstance(column, UnknownColumn) and counts[column.header] == 1]
    taken = {column.field.name for column in columns if isinstance(column, FieldColumn)}
    meanings = _Meanings(describe)
    meant = {name: field for name in unknown if (field := meanings.of(name)) and field.name not in taken}
    claims = Counter(field.name for field in meant.values())
    meant = {name: field for name, field in meant.items() if claims[field.name] == 1}
    if operation in DELETES:
        return _only_ids(header, meant, has_ids=ID_FIELD in taken)
    return {name: field.name if _can_fill(field, operation) else None for name, field in meant.items()}


def fillable(describe: SObjectDescribe, operation: str, header: Sequence[str]) -> tuple[str, ...]:
    """Fields that no column of the header is yet, those that a new record needs first; with the label where it says more.

    None for a delete, which fills none.
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
    """The fields of an object by all that a report or a spreadsheet may call them."""

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
        """The one field that the name can mean."""
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
    """Its name and label. A report shows names, not ids, below the label of a lookup that does not end in ID."""
    yield _as_in_reports(plain(field.name))
    label = _as_in_reports(plain(field.label))
    if label and (not field.reference_to or label.endswith("id")):
        yield label


def _as_in_reports(spelling: str) -> str:
    for other, own in SAME_IN_REPORTS:
        spelling = spelling.replace(other, own)
    return spelling
