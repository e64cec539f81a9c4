"""Proposals of fields for the columns of a file whose header has other names. Nothing applies a proposal unasked."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from salesforce_bulk_ingest.base.text import LONGEST_NAME_SHOWN, as_name, quoted
from salesforce_bulk_ingest.salesforce.models import ID_FIELD, FieldDescribe, SObjectDescribe
from salesforce_bulk_ingest.validation.columns import FieldColumn, UnknownColumn, columns_of, plain
from salesforce_bulk_ingest.validation.destination import DELETES

SAME_IN_REPORTS = (("zippostalcode", "postalcode"), ("stateprovince", "state"), ("zipcode", "postalcode"))
"""Pairs of spellings of the same word: in reports and labels, and in the names of fields."""

RECORD_ID = ("recordid", "casesafeid", "18digitid")
"""The names of the column of record ids in reports and exports, as `plain` spells them."""


def propose(describe: SObjectDescribe, operation: str, header: Sequence[str]) -> Mapping[str, str | None]:
    """Return the field that is proposed for each column whose name is not a field; None leaves the column out.

    A column is left out if rows would fail with it: a column beside the ids of a delete, or a column that means a field
    which the operation can't fill. A column has no proposal if it may mean two fields, or a field that another column
    fills.

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
    """Return the names of the fields that no column fills yet, each with its label where the label says more.

    Fields that a new record needs come first. The result is empty for a delete, which fills no field.

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
    label = f" ({quoted(field.label, LONGEST_NAME_SHOWN)})" if says_more else ""
    return f"{as_name(field.name)}{label}"


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
    """An index of the fields of an object by all names that a report or a spreadsheet may have for them."""

    def __init__(self, describe: SObjectDescribe) -> None:
        self._object = plain(describe.label)
        self._by_name: dict[str, set[str]] = {}
        self._by_other_name: dict[str, set[str]] = {}
        self._fields = {field.name: field for field in describe.fields}
        for field in describe.fields:
            for spelling in _names(field):
                self._by_name.setdefault(spelling, set()).add(field.name)
            for spelling in self._other_names(field):
                self._by_other_name.setdefault(spelling, set()).add(field.name)

    def of(self, name: str) -> FieldDescribe | None:
        """Return the field that a name means; None if the name means no field, or may mean several fields."""
        spelling = _as_in_reports(plain(name))
        fields = self._by_name.get(spelling) or self._by_other_name.get(spelling) or set()
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
    """Yield the spellings of a field's name and label.

    The label of a lookup is left out unless the label ends in ID: otherwise, a report shows names of records there, not ids.
    """
    yield _as_in_reports(plain(field.name))
    label = _as_in_reports(plain(field.label))
    if label and (not field.reference_to or label.endswith("id")):
        yield label


def _as_in_reports(spelling: str) -> str:
    for other, own in SAME_IN_REPORTS:
        spelling = spelling.replace(other, own)
    return spelling
