"""What a load would change: rows beside the records that they name, cell by cell, with counts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import islice

from pydantic import JsonValue

from salesforce_bulk_ingest.base.findings import LINES_KEPT
from salesforce_bulk_ingest.base.hidden_fields import mask
from salesforce_bulk_ingest.comparison.cell_equality import Form
from salesforce_bulk_ingest.comparison.compared_columns import ComparedColumn, FoundBy
from salesforce_bulk_ingest.comparison.record_reader import JsonRecord, KeyField, RecordsFound
from salesforce_bulk_ingest.loading.row_sample import RowSample
from salesforce_bulk_ingest.salesforce.models import ID_FIELD
from salesforce_bulk_ingest.validation.cells import BLANK_CELLS
from salesforce_bulk_ingest.validation.key_forms import trimmed


class Fate(Enum):
    """What becomes of a row."""

    NEW = auto()
    CHANGED = auto()
    EQUAL = auto()
    NO_RECORD = auto()
    SEVERAL_RECORDS = auto()
    UNSEEN = auto()


class Nothing(Enum):
    """What stands in place of a form: the cell is empty, so says nothing, or the row has no single record."""

    SAID = auto()
    THERE = auto()


@dataclass(frozen=True, slots=True)
class FieldChange:
    """What rows change in one field.

    Attributes:
        column: the column of the field.
        changed: the number of rows that put another value in place of one.
        filled: the number of rows that put a value where there is none.
        cleared: the number of rows that take a value away.
    """

    column: ComparedColumn
    changed: int = 0
    filled: int = 0
    cleared: int = 0

    @property
    def cells(self) -> int:
        """The number of cells that are not as they were."""
        return self.changed + self.filled + self.cleared


@dataclass(frozen=True, slots=True)
class RecordExample:
    """A record, before and after; hidden values are masked.

    Attributes:
        key: the key of the row.
        name: the name of the record; empty if it is not known.
        cells: the value before and the cell after, by the name of the column.
    """

    key: str
    name: str
    cells: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Rows beside the records that they name.

    Attributes:
        columns: the compared columns.
        sample: the rows.
        fates: what becomes of each row.
        after: for each column, the form of the cell of each row, or `Nothing.SAID`.
        before: for each column, the form of the value in the record of each row, or `Nothing.THERE`.
    """

    columns: Sequence[ComparedColumn]
    sample: RowSample
    fates: Sequence[Fate]
    after: Sequence[Sequence[Form]]
    before: Sequence[Sequence[Form]]

    @property
    def counts(self) -> Counter[Fate]:
        """The number of rows of each fate."""
        return Counter(self.fates)

    @property
    def with_record(self) -> int:
        """The number of rows that name one record."""
        counts = self.counts
        return counts[Fate.CHANGED] + counts[Fate.EQUAL]

    def changes(self) -> tuple[FieldChange, ...]:
        """Return what rows change in each field, the most changed first, without fields that stay as they are."""
        made = (
            self._change(column, after, before)
            for column, after, before in zip(self.columns, self.after, self.before, strict=True)
        )
        return tuple(sorted((change for change in made if change.cells), key=lambda change: -change.cells))

    def _change(self, column: ComparedColumn, after: Sequence[Form], before: Sequence[Form]) -> FieldChange:
        counts = Counter[str]()
        for new, old in zip(after, before, strict=True):
            if is_changed(old, new):
                counts["cleared" if new is None else "filled" if old is None else "changed"] += 1
        return FieldChange(column, counts["changed"], counts["filled"], counts["cleared"])


def is_changed(before: Form, after: Form) -> bool:
    """Return whether a cell changes its record."""
    return before is not Nothing.THERE and after is not Nothing.SAID and before != after


def side_by_side(
    sample: RowSample,
    key: FoundBy,
    columns: Sequence[ComparedColumn],
    found: RecordsFound,
    *,
    makes_new: bool,
) -> SideBySide:
    """Return rows beside the records that were found for them.

    Args:
        sample: the rows.
        key: the column that names the records, and its field.
        columns: the columns to compare; those that could not be read are left out.
        found: the records.
        makes_new: whether a row without a record makes a new one, as in an upsert.
    """
    columns = [column for column in columns if column.path not in found.unseen]
    records = list[JsonRecord | None]()
    fates = list[Fate]()
    for cell in trimmed(sample.columns[key[0].index]):
        fate, record = _record_of(cell, key[1], found, makes_new=makes_new)
        fates.append(fate)
        records.append(record)
    after = [_after(column, sample.columns[column.index]) for column in columns]
    before = [_before(column, records) for column in columns]
    for new, old in zip(after, before, strict=True):
        for row in range(len(fates)):
            if fates[row] is Fate.EQUAL and is_changed(old[row], new[row]):
                fates[row] = Fate.CHANGED
    return SideBySide(columns, sample, fates, after, before)


def examples_of(
    sides: SideBySide,
    sample: RowSample,
    key: FoundBy,
    found: RecordsFound,
    name: str | None,
    *,
    with_equal: bool = False,
) -> tuple[RecordExample, ...]:
    """Return the first few records that rows change, before and after; if there is nothing to compare, the records.

    Args:
        sides: the rows beside their records.
        sample: the rows.
        key: the column that names the records, and its field.
        found: the records.
        name: the field with the names of the records, if they may be shown.
        with_equal: whether records that are equal to their rows follow, with all that the rows say.
    """
    fates = [Fate.CHANGED] if sides.columns else []
    if with_equal or not fates:
        fates.append(Fate.EQUAL)
    rows = (row for fate in fates for row, of_row in enumerate(sides.fates) if of_row is fate)
    return tuple(_example(sides, sample, key, found, name, row) for row in islice(rows, LINES_KEPT))


def _example(
    sides: SideBySide,
    sample: RowSample,
    key: FoundBy,
    found: RecordsFound,
    name: str | None,
    row: int,
) -> RecordExample:
    cell = trimmed([sample.columns[key[0].index][row]])[0]
    [record] = found.by_key[key[1].form(cell)]
    is_equal, cells = sides.fates[row] is Fate.EQUAL, dict[str, tuple[str, str]]()
    for column, after, before in zip(sides.columns, sides.after, sides.before, strict=True):
        if after[row] is not Nothing.SAID if is_equal else is_changed(before[row], after[row]):
            old = text_of(column.value_in(record))
            # The cell of an equal row may be spelled in another way.
            cells[column.name] = _shown(column, old, old if is_equal else sample.columns[column.index][row])
    named = record.get(name) if name else None
    return RecordExample(mask(cell) if key[0].is_hidden else cell, text_of(named), cells)


def _shown(column: ComparedColumn, old: str, new: str) -> tuple[str, str]:
    return (mask(old), mask(new)) if column.is_hidden else (old, new)


def text_of(value: JsonValue) -> str:
    """Return a value of a record as a cell has it."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _record_of(cell: str, key: KeyField, found: RecordsFound, *, makes_new: bool) -> tuple[Fate, JsonRecord | None]:
    """Return what becomes of a row by the key in its cell, as far as its record tells it, and the record."""
    if cell in BLANK_CELLS:
        return (Fate.NEW if makes_new and key.name == ID_FIELD else Fate.NO_RECORD), None
    form = key.form(cell)
    records = found.by_key.get(form, ())
    if len(records) == 1:
        return Fate.EQUAL, records[0]
    if records:
        return Fate.SEVERAL_RECORDS, None
    if form not in found.asked:
        return Fate.UNSEEN, None
    # An upsert makes no record for an id: there is none that it could have.
    return (Fate.NEW if makes_new and key.name != ID_FIELD else Fate.NO_RECORD), None


def _after(column: ComparedColumn, cells: Sequence[str]) -> Sequence[Form]:
    of_cell = column.forms.of_cell
    return [of_cell(cell) if cell else Nothing.SAID for cell in cells]


def _before(column: ComparedColumn, records: Sequence[JsonRecord | None]) -> Sequence[Form]:
    of_value = column.forms.of_value
    return [Nothing.THERE if record is None else of_value(column.value_in(record)) for record in records]
