"""The before-image of a load: what the fields that a job writes held in the records that its rows name.

What a load cannot give back cell by cell has no image: a field that can't be read, or compared.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import Enum, auto

from pydantic import JsonValue

from salesforce_bulk_ingest.base.errors import InvalidArgument
from salesforce_bulk_ingest.base.text import quoted_names
from salesforce_bulk_ingest.comparison.cell_equality import Form
from salesforce_bulk_ingest.comparison.compared_columns import ComparedColumn, FoundBy, row_columns
from salesforce_bulk_ingest.comparison.record_reader import JsonRecord, KeyField, RecordsFound
from salesforce_bulk_ingest.salesforce.models import ID_FIELD, NULL_CELL, FieldDescribe, SObjectDescribe
from salesforce_bulk_ingest.validation.cells import BLANK_CELLS
from salesforce_bulk_ingest.validation.columns import FieldColumn, columns_of
from salesforce_bulk_ingest.validation.destination import LoadTarget
from salesforce_bulk_ingest.validation.key_forms import same_id, trimmed


class NoImage(Exception):
    """There can be no before-image of a load; the message says why, as the rest of a sentence."""


@dataclass(frozen=True, slots=True)
class WrittenField:
    """A field that a load writes.

    Attributes:
        field: the field, which is the lookup for a column that names a parent by its key.
        column: the column of the rows, as it is compared with a record.
    """

    field: FieldDescribe
    column: ComparedColumn

    def holds(self, record: JsonRecord, before: str) -> bool:
        """Return whether a record has what a cell of the image says, to the letter: an undo gives that back."""
        return cell_of(record.get(self.field.name)) == before

    def is_as_written(self, record: JsonRecord, forms: Set[Form]) -> bool:
        """Return whether a record has what the rows of the load wrote, given the forms of that."""
        return self.column.forms.of_value(self.column.value_in(record)) in forms


@dataclass(frozen=True, slots=True)
class WrittenFields:
    """What a load writes, by the header of its rows.

    Attributes:
        key: the column that names the records, and its field.
        fields: the fields that the rows write in records that are there.
    """

    key: FoundBy
    fields: tuple[WrittenField, ...]

    @classmethod
    def of(cls, header: Sequence[str], target: LoadTarget, parents: Mapping[str, SObjectDescribe]) -> "WrittenFields":
        """Return what rows under this header write.

        Raises:
            NoImage: a column is unknown, or no query tells whether a record has what its cells say.
        """
        columns = columns_of(header, target.describe, parents)
        found = row_columns(columns, target, parents, frozenset())
        known = {index: column for index, column in enumerate(columns) if isinstance(column, FieldColumn)}
        unseen = [*found.unseen, *(name for index, name in enumerate(header) if index not in known)]
        if unseen:
            raise NoImage(f"{quoted_names(unseen)} can't be read and compared")
        if found.key is None or not found.key[1].can_find:
            raise NoImage("no column of the rows finds their records")
        # An upsert writes its key, too, which may be spelled in another way than that of the record.
        columns_written = (found.key[0], *found.compared)
        fields = tuple(WrittenField(known[column.index].field, column) for column in columns_written)
        # What can't be updated, such as an id, stays as it is in the records that are there: rows that try fail.
        return cls(found.key, tuple(each for each in fields if each.field.updateable))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the fields in the image, each once."""
        return tuple(dict.fromkeys(each.field.name for each in self.fields))

    @property
    def paths(self) -> tuple[str, ...]:
        """What a query reads to learn whether records are still as the load left them."""
        return tuple(dict.fromkeys((self.key[1].name, *self.names, *(each.column.path for each in self.fields))))


def image_rows(written: WrittenFields, found: RecordsFound) -> Iterator[Sequence[str]]:
    """Yield the rows of an image: the id of each record that one key names, and what its fields hold."""
    for records in found.by_key.values():
        if len(records) == 1:  # a row that names several fails
            [record] = records
            yield (str(record.get(ID_FIELD)), *(cell_of(record.get(name)) for name in written.names))


def cell_of(value: JsonValue) -> str:
    """Return the cell that loads a value of a query again."""
    if value is None or value == "":
        return NULL_CELL
    if isinstance(value, bool):
        return str(value).lower()
    return f"{Decimal(repr(value)):f}" if isinstance(value, int | float) else str(value)


class RowsWritten:
    """What the rows of a load wrote, by the key of their records.

    Args:
        written: what the load writes.

    Attributes:
        written: the same.
    """

    def __init__(self, written: WrittenFields) -> None:
        self.written = written
        self._by_key = dict[str, list[set[Form]]]()

    def add(self, columns: Sequence[Sequence[str]]) -> None:
        """Add rows, by column."""
        key, key_field = self.written.key
        for row, cell in enumerate(trimmed(columns[key.index])):
            if cell in BLANK_CELLS:
                continue
            forms = self._by_key.setdefault(key_field.form(cell), [set() for _ in self.written.fields])
            for place, each in enumerate(self.written.fields):
                text = columns[each.column.index][row]
                if text:  # spaces alone say that there is no value
                    forms[place].add(each.column.forms.of_cell(text))

    def of(self, record: JsonRecord) -> Sequence[set[Form]] | None:
        """Return, for each field that the load writes, the forms of what its rows wrote; None for another key by now."""
        key = self.written.key[1]
        return self._by_key.get(key.form(str(record.get(key.name))))


class Standing(Enum):
    """How a record of an image stands now."""

    AS_WRITTEN = auto()
    AS_BEFORE = auto()
    CHANGED = auto()


@dataclass(slots=True)
class UndoRows:
    """The rows that give records back what they held.

    Attributes:
        names: the names of the columns after the id.
        rows: the number of each row in the image, and its cells; an empty cell stays as it is.
        changed: the ids of records that somebody changed since, or that are gone: these stay as they are.
        doubtful: the ids of records that another job wrote, too, and of which is not known what they held: these stay.
        unknown: the ids, of 15 characters, of records that the load wrote to and that are not in the image: they were not
            there when it was made.
        as_before: the number of records that hold already what they held.
    """

    names: tuple[str, ...]
    rows: list[tuple[int, Sequence[str]]] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    doubtful: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    as_before: int = 0


@dataclass(frozen=True, slots=True)
class JobChanges:
    """What a job changed in the records of its before-image.

    Attributes:
        job_id: the id of the job.
        wrote: what its rows wrote.
        image: the rows of the image.
        updated: the ids of the records that it wrote to, of 15 characters: the rows of the others in the image failed; None
            where that is not known.
    """

    job_id: str
    wrote: RowsWritten
    image: Sequence[Sequence[str]]
    updated: Set[str] | None

    def has_written(self, record_id: str) -> bool:
        """Return whether the job wrote to the record with this id, of 15 characters, as far as is known."""
        return self.updated is None or record_id in self.updated


def undo_in_turn(jobs: Iterable[Sequence[JobChanges]], found: RecordsFound) -> list[UndoRows]:
    """Return the rows that undo each of some jobs, as if each were undone once those before it are.

    Args:
        jobs: what the jobs changed, the newest job first; those whose order is not known are together.
        found: the records as they are now, by their ids.

    Raises:
        InvalidArgument: a lookup can't be told as it is once the jobs before are undone.
    """
    undone, given = list[UndoRows](), defaultdict[str, set[str]](set)
    for together in jobs:
        doubtful = _doubtful(together, found)
        for changes in together:
            _check_parents(changes, given)
            undo = undo_rows(changes, found, doubtful)
            found = _once_undone(found, undo, given)
            undone.append(undo)
    return undone


def _doubtful(together: Sequence[JobChanges], found: RecordsFound) -> set[str]:
    """Return the ids, of 15 characters, of records that get other values back in another order of these jobs.

    Where a field holds at the turn of each of two jobs what that job wrote, one image is what the other job wrote: so the
    other image is what the field held before both, whichever came first. A field that does not may have been given back by
    someone, or the order is another; of three jobs, more than one order can explain what they say.

    Raises:
        InvalidArgument: as of `undo_in_turn`.
    """
    if len(together) == 1:
        return set()
    as_written, given = defaultdict[tuple[str, str], list[bool]](list), defaultdict[str, set[str]](set)
    for changes in together:
        _check_parents(changes, given)
        for place, told in _as_written(changes, found):
            as_written[place].append(told)
        found = _once_undone(found, undo_rows(changes, found), given)
    return {
        record_id for (record_id, _), told in as_written.items() if len(told) > 2 or (len(told) > 1 and not all(told))
    }


def _as_written(changes: JobChanges, found: RecordsFound) -> Iterator[tuple[tuple[str, str], bool]]:
    """Yield each field that a job wrote, by record (id of 15 characters) and name, and whether it is as written still."""
    for record_id in filter(changes.has_written, (same_id(record_id) for record_id, *_ in changes.image)):
        for record in found.by_key.get(record_id, ()):
            wrote_here = changes.wrote.of(record)
            if wrote_here is None:  # the record has another key by now
                continue
            for each, forms in zip(changes.wrote.written.fields, wrote_here, strict=True):
                if forms:
                    yield (record_id, each.field.name), each.is_as_written(record, forms)


def rows_together(undone: Sequence[UndoRows]) -> tuple[tuple[str, ...], list[list[tuple[int, Sequence[str]]]]]:
    """Return the rows that undo all of some jobs, under one header: each record once, with what it held before the oldest.

    Args:
        undone: the rows that undo each job, the newest first, as `undo_in_turn` returns them.

    Returns:
        The names of the columns in which a row says something; and for each job, the rows of records that no newer one has,
        each with its number in the image of the job.
    """
    given, numbers = dict[str, dict[str, str]](), list[dict[str, int]]()
    for undo in undone:
        own = dict[str, int]()
        for number, (record_id, *cells) in undo.rows:
            if record_id not in given:
                own[record_id], given[record_id] = number, {ID_FIELD: record_id}
            given[record_id].update({name: cell for name, cell in zip(undo.names, cells, strict=True) if cell})
        numbers.append(own)
    used = set[str]().union(*given.values())
    # A column in which no row gives anything back would only make the job larger.
    names = tuple(dict.fromkeys((ID_FIELD, *(name for undo in undone for name in undo.names if name in used))))
    return names, [
        [(number, [given[record_id].get(name, "") for name in names]) for record_id, number in own.items()]
        for own in numbers
    ]


def _check_parents(changes: JobChanges, given: Mapping[str, Set[str]]) -> None:
    """Raise InvalidArgument where a lookup that the rows wrote by a key gets back an id, of which no key is known."""
    records = {same_id(record_id) for record_id, *_ in changes.image}
    for each in changes.wrote.written.fields:
        if each.column.path != each.field.name and records & given.get(each.field.name, set()):
            raise InvalidArgument(
                f"Job {changes.job_id} wrote {each.field.name} by keys of its parents, and a newer one of these jobs wrote "
                f"it in the same records: undo the newer jobs first, then job {changes.job_id} by a call of its own."
            )


def _once_undone(found: RecordsFound, undo: UndoRows, given: defaultdict[str, set[str]]) -> RecordsFound:
    """Return the records as they are once rows that undo a job are loaded, and add the ids of their records, by field."""
    by_key = dict(found.by_key)
    for _, (record_id, *cells) in undo.rows:
        known = same_id(record_id)
        said = {name: cell for name, cell in zip(undo.names, cells, strict=True) if cell}
        for name in said:
            given[name].add(known)
        values = {name: None if cell == NULL_CELL else cell for name, cell in said.items()}
        by_key[known] = [{**by_key[known][0], **values}]
    return replace(found, by_key=by_key)


def undo_rows(changes: JobChanges, found: RecordsFound, doubtful: Set[str] = frozenset()) -> UndoRows:
    """Return the rows that give the records of an image back what they held.

    Args:
        changes: what the job changed.
        found: the records as they are now, by their ids.
        doubtful: the ids, of 15 characters, of records of which is not known what they held.
    """
    wrote = changes.wrote
    written = wrote.written
    undo, kept = UndoRows(written.names), set[str]()
    for number, (record_id, *before) in enumerate(changes.image):
        key = same_id(record_id)
        kept.add(key)
        if not changes.has_written(key):
            continue
        if key in doubtful:
            undo.doubtful.append(record_id)
            continue
        records = found.by_key.get(key, ())
        cells = dict(zip(written.names, before, strict=True))
        standing, names = _standing(cells, wrote, records[0]) if records else (Standing.CHANGED, set())
        if standing is Standing.CHANGED:
            undo.changed.append(record_id)
        elif standing is Standing.AS_BEFORE:
            undo.as_before += 1
        else:
            undo.rows.append((number, (record_id, *(cells[name] if name in names else "" for name in written.names))))
    undo.unknown = sorted((changes.updated or set()) - kept)
    return undo


def held_before(changes: JobChanges, found: RecordsFound, undo: UndoRows) -> UndoRows:
    """Return rows of all records that a job wrote to, however these stand now: what the fields that it wrote held before.

    Args:
        changes: what the job changed.
        found: the records as they are now, by their ids.
        undo: the rows that undo the job, of which none are left.
    """
    written = changes.wrote.written
    doubtful = set(map(same_id, undo.doubtful))
    held = UndoRows(written.names, doubtful=undo.doubtful, unknown=undo.unknown)
    for number, (record_id, *before) in enumerate(changes.image):
        key = same_id(record_id)
        if changes.has_written(key) and key not in doubtful:
            names = _names_written(changes.wrote, next(iter(found.by_key.get(key, ())), None))
            cells = (cell if name in names else "" for name, cell in zip(written.names, before, strict=True))
            held.rows.append((number, (record_id, *cells)))
    return held


def holds(names: Sequence[str], row: Sequence[str], found: RecordsFound) -> bool:
    """Return whether a record holds what a row says: its id, and a cell for each of these names; an empty cell is none."""
    record_id, *cells = row
    return any(
        all(not cell or cell_of(record.get(name)) == cell for name, cell in zip(names, cells, strict=True))
        for record in found.by_key.get(same_id(record_id), ())
    )


def _names_written(wrote: RowsWritten, record: JsonRecord | None) -> Set[str]:
    """Return the names of the fields that the row of a record wrote; of all that rows wrote where its row is not known."""
    forms = None if record is None else wrote.of(record)
    if forms is None:
        return frozenset(wrote.written.names)
    return {each.field.name for each, of_field in zip(wrote.written.fields, forms, strict=True) if of_field}


def _standing(cells: Mapping[str, str], wrote: RowsWritten, record: JsonRecord) -> tuple[Standing, set[str]]:
    """Return how a record stands, and the names of the fields that differ from the image."""
    differing, wrote_here = set[str](), wrote.of(record)
    if wrote_here is None:
        return Standing.CHANGED, set()
    for each, forms in zip(wrote.written.fields, wrote_here, strict=True):
        if not forms or each.holds(record, cells[each.field.name]):
            continue
        if not each.is_as_written(record, forms):
            return Standing.CHANGED, set()
        differing.add(each.field.name)
    return (Standing.AS_WRITTEN if differing else Standing.AS_BEFORE), differing


def id_key(sobject: str) -> KeyField:
    """Return the id of an object as the key of its records."""
    return KeyField(sobject, ID_FIELD, None)
