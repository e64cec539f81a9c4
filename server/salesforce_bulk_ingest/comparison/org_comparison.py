"""The comparison of rows with the org before they go: what would be new, changed and lost, and what looks like a mistake."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from salesforce_bulk_ingest.base.findings import LINES_KEPT, Finding
from salesforce_bulk_ingest.base.hidden_fields import MASK, mask
from salesforce_bulk_ingest.base.text import as_json, as_name, counted, quoted_names
from salesforce_bulk_ingest.base.threads import run_in_thread
from salesforce_bulk_ingest.comparison.changes import (
    Fate,
    FieldChange,
    RecordExample,
    SideBySide,
    examples_of,
    side_by_side,
)
from salesforce_bulk_ingest.comparison.compared_columns import (
    ComparedColumn,
    FoundBy,
    ParentColumn,
    RowColumns,
)
from salesforce_bulk_ingest.comparison.mistakes import (
    ELSEWHERE,
    LEAST_ROWS,
    Mistake,
    are_most,
    findings_of,
    have,
    mistakes_in,
    several_records,
    unknown_keys,
)
from salesforce_bulk_ingest.comparison.record_reader import JsonRecord, KeyField, RecordReader, RecordsFound
from salesforce_bulk_ingest.loading.row_sample import RowSample
from salesforce_bulk_ingest.salesforce.models import ID_FIELD
from salesforce_bulk_ingest.validation.cells import BLANK_CELLS
from salesforce_bulk_ingest.validation.destination import LoadTarget
from salesforce_bulk_ingest.validation.key_forms import trimmed
from salesforce_bulk_ingest.validation.record_ids import prefix_of

ROWS_OF_A_CALL, MORE_CALLS = 500, 5
"""A comparison makes at most one call to the org for so many rows, and so many more."""

_NAMES = ("Name", "Subject", "CaseNumber")
"""The fields by which people know records; hardly an object has two."""

OTHERS_THERE = "They would make new records beside those that the org has, under other keys than these."
GONE = f"These rows fail: {ELSEWHERE}"
LEAVE_OUT = "Leave these rows out with leaveOut, or correct their keys."


@dataclass(frozen=True, slots=True)
class ThereAlready:
    """New rows that have what a record of the org has already.

    Attributes:
        columns: the names of the columns that were compared.
        rows: the number of such rows.
        is_unique: whether only one record can have the value, so that these rows fail.
        records: the ids of the first such records.
        lines: the lines of these rows; none where they are not known.
    """

    columns: tuple[str, ...]
    rows: int
    is_unique: bool
    records: tuple[str, ...]
    lines: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class MissingParents:
    """Rows that name parents which the org has not.

    Attributes:
        column: the name of the column.
        sobject: the object of the parents.
        rows: the number of such rows.
        keys: the first keys of such parents; masked if they are hidden.
        lines: the lines of these rows; none where they are not known.
    """

    column: str
    sobject: str
    rows: int
    keys: tuple[str, ...]
    lines: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OrgComparison:
    """Rows compared with the org.

    Attributes:
        target: the object and operation of the rows.
        rows: the number of compared rows.
        total: the number of all rows, of which the compared ones are an even sample if they are fewer.
        fates: the number of rows of each fate; empty for new rows, which were only looked for.
        fields: what the rows change in each field.
        examples: the first few records that they change, before and after.
        there: what of the rows is there already.
        parents: the parents that are not there.
        unseen: sentences about what could not be seen.
        looked_for: what was looked for of rows that name no records: the names of columns.
        parents_were_sought: whether parents were looked for.
        other_parents: the names of the columns with parents that were not looked for.
        sees_all_cells: whether all columns of rows that name records were compared with these.
        mistakes: what looks like a mistake, the worst first.
        asides: what is told of rows that fail, though a usual load has some.
        api_calls: the number of calls to the org.
    """

    target: LoadTarget
    rows: int
    total: int
    fates: Counter[Fate] = field(default_factory=Counter)
    fields: tuple[FieldChange, ...] = ()
    examples: tuple[RecordExample, ...] = ()
    there: tuple[ThereAlready, ...] = ()
    parents: tuple[MissingParents, ...] = ()
    unseen: tuple[str, ...] = ()
    looked_for: tuple[str, ...] = ()
    parents_were_sought: bool = False
    other_parents: tuple[str, ...] = ()
    sees_all_cells: bool = False
    mistakes: tuple[Mistake, ...] = ()
    asides: tuple[Mistake, ...] = ()
    api_calls: int = 0

    @property
    def is_of_records(self) -> bool:
        """Whether the rows were compared with the records that they name: new rows were only looked for."""
        return bool(self.fates)

    @property
    def with_record(self) -> int:
        """The number of rows that name one record."""
        return self.fates[Fate.CHANGED] + self.fates[Fate.EQUAL]

    def rows_of(self, fate: Fate) -> tuple[int, int]:
        """Return the fewest and the most of all rows that can have this fate, as far as their records were seen."""
        unseen = self.total - self.fates.total() + self.fates[Fate.UNSEEN]
        if fate is Fate.CHANGED and not self.sees_all_cells:
            unseen += self.fates[Fate.EQUAL]
        return self.fates[fate], self.fates[fate] + unseen

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What looks like a mistake, and what is told aside, as warnings."""
        return findings_of((*self.mistakes, *self.asides))

    def findings_with(self, checked: Sequence[Finding]) -> tuple[Finding, ...]:
        """Return the findings of the checks with what looks like a mistake: a cleared column stands once, with its lines.

        What new records need is no matter where every record was found.
        """
        clearing = {each.column: each for each in checked if each.kind == "clearing cells"}
        seen = [
            replace(each, lines=cells.lines, rows=cells.rows)
            if each.kind == "cleared field" and (cells := clearing.pop(each.column, None)) is not None
            else each
            for each in self.findings
        ]
        makes_none = self.is_of_records and self.rows_of(Fate.NEW) == (0, 0)
        others = (
            each
            for each in checked
            if (each.kind != "clearing cells" or each.column in clearing)
            and not (each.kind == "required" and makes_none)
        )
        return (*others, *seen)


class OrgComparer:
    """Compares rows with the records of an org.

    Args:
        reader: reads the records.
        sample: the rows.
        columns: the columns of the rows.
        target: the object and operation of the rows.
        hides: returns whether the values of a field are hidden.
        asked: the columns that are compared, instead of all; by them all new rows are looked for, beside by unique values.
        gives_back: whether the rows are what records held before, so that what they change is meant.
    """

    def __init__(
        self,
        reader: RecordReader,
        sample: RowSample,
        columns: RowColumns,
        target: LoadTarget,
        *,
        hides: Callable[[str], bool],
        asked: Sequence[FoundBy] = (),
        gives_back: bool = False,
    ) -> None:
        self._reader = reader
        self._sample = sample
        self._columns = columns
        self._target = target
        self._name = next((name for name in _NAMES if target.describe.field(name) and not hides(name)), None)
        self._asked = asked
        self._gives_back = gives_back
        self._unseen = [f"{as_name(name)} can't be compared." for name in columns.unseen]

    async def compare(self) -> OrgComparison:
        """Return the rows compared with the org."""
        key = self._columns.key
        return await (self._compare_new() if key is None else self._compare_named(*key))

    async def _compare_named(self, column: ComparedColumn, key: KeyField) -> OrgComparison:
        """Compare rows that name records."""
        target, sample = self._target, self._sample
        asked = tuple(column for column, _ in self._asked)
        compared = () if target.deletes else asked or self._columns.compared
        fields = [*(each.path for each in compared), *([self._name] if self._name else [])]
        found = await self._reader.find(key, sample.columns[column.index], fields)
        self._tell_unseen(found, f"records by {as_name(column.name)}")
        pair, makes_new = (column, key), target.operation == "upsert"
        sides = await run_in_thread(lambda: side_by_side(sample, pair, compared, found, makes_new=makes_new))
        parents = await self._missing_parents()
        orphans, few_orphans = _by_share(parents, len(sample))
        unknown = await self._unknown_keys(sides, pair, found)
        mistakes = [
            *unknown,
            *(() if self._gives_back else await run_in_thread(mistakes_in, sides)),
            *several_records(sides.counts[Fate.SEVERAL_RECORDS], column.name),
            *orphans,
        ]
        return OrgComparison(
            target=target,
            rows=len(sample),
            total=sample.total,
            fates=sides.counts,
            fields=sides.changes(),
            examples=examples_of(sides, sample, pair, found, self._name, with_equal=self._gives_back),
            parents=parents,
            parents_were_sought=bool(self._columns.parents) and not target.deletes,
            other_parents=() if target.deletes else self._columns.other_parents,
            sees_all_cells=len(sides.columns) == len(self._columns.compared) and not self._columns.unseen,
            unseen=tuple(self._unseen),
            mistakes=tuple(mistakes),
            asides=(*(() if unknown else _without_record(sides, column.name)), *few_orphans),
            api_calls=self._reader.calls,
        )

    async def _compare_new(self) -> OrgComparison:
        """Look for what new rows have in the records that are there."""
        looked_for: list[Sequence[FoundBy]] = [(pair,) for pair in self._columns.unique]
        if self._asked:
            looked_for.append(self._asked)
        there = [await self._there(pairs) for pairs in looked_for]
        parents = await self._missing_parents()
        orphans, few_orphans = _by_share(parents, len(self._sample))
        found = tuple(each for each in there if each.rows)
        return OrgComparison(
            target=self._target,
            rows=len(self._sample),
            total=self._sample.total,
            there=found,
            parents=parents,
            parents_were_sought=bool(self._columns.parents),
            other_parents=self._columns.other_parents,
            looked_for=tuple(dict.fromkeys(column.name for pairs in looked_for for column, _ in pairs)),
            unseen=tuple(self._unseen),
            mistakes=(*(_there_already(each, len(self._sample)) for each in found), *orphans),
            asides=few_orphans,
            api_calls=self._reader.calls,
        )

    async def _there(self, pairs: Sequence[FoundBy]) -> ThereAlready:
        """Look for the rows of which all these columns are those of one record."""
        names = tuple(column.name for column, _ in pairs)
        finding = next(((column, key) for column, key in pairs if key.can_find), None)
        if finding is None:
            self._tell(f"Records can't be found by {quoted_names(names)}.")
            return ThereAlready(names, 0, False, ())
        column, key = finding
        others = [other for other, _ in pairs if other is not column]
        found = await self._reader.find(key, self._sample.columns[column.index], [other.path for other in others])
        self._tell_unseen(found, f"records by {', '.join(map(as_name, names))}")
        others = [other for other in others if other.path not in found.unseen]
        ids = [_record_like(row, column, key, others, self._sample, found) for row in range(len(self._sample))]
        there = {row: record_id for row, record_id in enumerate(ids) if record_id is not None}
        is_unique = len(pairs) == 1 and key.describe is not None and key.describe.unique
        records = tuple(dict.fromkeys(there.values()))[:LINES_KEPT]
        return ThereAlready(names, len(there), is_unique, records, self._sample.lines_of(there))

    async def _missing_parents(self) -> tuple[MissingParents, ...]:
        if self._target.deletes:
            return ()
        missing = [each for column in self._columns.parents for each in await self._missing_in(column)]
        return tuple(each for each in missing if each.rows)

    async def _missing_in(self, column: ParentColumn) -> Sequence[MissingParents]:
        """Look for the parents in one column, of each object for itself."""
        by_prefix = await run_in_thread(column.by_prefix, self._sample.columns[column.index])
        others = sorted(prefix for prefix in by_prefix if prefix is not None and prefix not in column.keys)
        if others:
            which = "" if column.is_hidden else f", {quoted_names(others)},"
            self._tell(f"Ids of other objects in {as_name(column.name)}{which} were not looked for.")
        named = [(key, by_prefix[prefix]) for prefix, key in column.keys.items() if prefix in by_prefix]
        return [await self._missing_of(column, key, cells) for key, cells in named]

    async def _missing_of(self, column: ParentColumn, key: KeyField, cells: Sequence[str]) -> MissingParents:
        """Look for the parents of one object that cells of a column name."""
        found = await self._reader.find(key, cells)
        self._tell_unseen(found, f"the parents in {as_name(column.name)}")
        missing = found.asked - found.by_key.keys() - self._keys_of_rows(key)
        keys = [cell for cell in cells if cell not in BLANK_CELLS and key.form(cell) in missing]
        shown = tuple(dict.fromkeys(map(mask, keys) if column.is_hidden else keys))[:LINES_KEPT]
        if not keys:
            return MissingParents(column.name, key.sobject, 0, ())
        of_keys = set(keys)
        rows = [row for row, cell in enumerate(trimmed(self._sample.columns[column.index])) if cell in of_keys]
        return MissingParents(column.name, key.sobject, len(keys), shown, self._sample.lines_of(rows))

    def _keys_of_rows(self, parent: KeyField) -> set[str]:
        """Return the keys of the rows themselves where these may be each other's parents."""
        if self._columns.key is None or self._columns.key[1] != parent:
            return set()
        column, key = self._columns.key
        return {key.form(cell) for cell in trimmed(self._sample.columns[column.index])}

    async def _unknown_keys(self, sides: SideBySide, key: FoundBy, found: RecordsFound) -> list[Mistake]:
        """Return the mistake that most keys are those of no record."""
        unknown = sides.counts[Fate.NO_RECORD] + sides.counts[Fate.NEW]
        known = len(sides.fates) - sides.counts[Fate.UNSEEN]
        if not are_most(unknown, known):
            return []
        if sides.counts[Fate.NO_RECORD]:
            why = await run_in_thread(self._of_another_object, key) or GONE
            return [unknown_keys(unknown, known, key[0].name, why, "these rows")]
        if known < LEAST_ROWS or not (found.by_key or await self._reader.has_any(key[1])):
            return []
        return [unknown_keys(unknown, known, key[0].name, OTHERS_THERE)]

    def _of_another_object(self, key: FoundBy) -> str:
        """Return the sentence that most ids are those of another object; empty if they are not."""
        prefix = self._target.describe.key_prefix
        cells = [cell for cell in trimmed(self._sample.columns[key[0].index]) if cell not in BLANK_CELLS]
        if key[1].name != ID_FIELD or prefix is None or not cells:
            return ""
        most, count = Counter(map(prefix_of, cells)).most_common(1)[0]
        if most in (None, prefix) or 2 * count <= len(cells):
            return ""
        return f"Most ids begin with {as_name(most)}, and those of {as_name(self._target.describe.name)} with {prefix}."

    def _tell(self, unseen: str) -> None:
        """Tell once what could not be seen, which may be so of the parents of several objects."""
        if unseen not in self._unseen:
            self._unseen.append(unseen)

    def _tell_unseen(self, found: RecordsFound, what: str) -> None:
        if found.unseen:
            self._tell(f"This user can't read {quoted_names(found.unseen)}.")
        if found.failure is not None:
            self._tell(f"Not all {what} could be looked for. {found.failure}")


def _record_like(
    row: int,
    column: ComparedColumn,
    key: KeyField,
    others: Sequence[ComparedColumn],
    sample: RowSample,
    found: RecordsFound,
) -> str | None:
    """Return the id of a record that has what a row has; None if there is none."""
    cell = trimmed([sample.columns[column.index][row]])[0]
    if cell in BLANK_CELLS:
        return None
    alike = (
        record
        for record in found.by_key.get(key.form(cell), ())
        if all(_is_alike(other, sample.columns[other.index][row], record) for other in others)
    )
    return next((str(record.get(ID_FIELD)) for record in alike), None)


def _is_alike(column: ComparedColumn, cell: str, record: JsonRecord) -> bool:
    return column.forms.of_cell(cell) == column.forms.of_value(column.value_in(record))


def _without_record(sides: SideBySide, column: str) -> tuple[Mistake, ...]:
    """Return what is told of rows that name no record, and fail for it; empty where none does."""
    rows = [row for row, fate in enumerate(sides.fates) if fate is Fate.NO_RECORD]
    if not rows:
        return ()
    clause = f"{counted(len(rows), 'row')} {have(len(rows))} a key in {as_name(column)} that no record has"
    return (
        Mistake(
            "unknown keys", clause, GONE, LEAVE_OUT, len(rows), (column,), "these rows", sides.sample.lines_of(rows)
        ),
    )


def _by_share(parents: Iterable[MissingParents], rows: int) -> tuple[tuple[Mistake, ...], tuple[Mistake, ...]]:
    """Return what is told of missing parents, first where most of so many rows name them, which looks like a mistake."""
    most, few = list[Mistake](), list[Mistake]()
    for missing in parents:
        (most if are_most(missing.rows, rows) else few).append(_no_parent(missing))
    return tuple(most), tuple(few)


def _no_parent(missing: MissingParents) -> Mistake:
    name = "names" if missing.rows == 1 else "name"
    shown = [key for key in missing.keys if not MASK.fullmatch(key)]
    such = f", such as {as_json({'cells': {missing.column: shown}})}" if shown else ""
    return Mistake(
        "no parent",
        f"{counted(missing.rows, 'row')} {name} a record of {as_name(missing.sobject)} in {as_name(missing.column)} that is "
        "not there",
        f"They fail, since there is no {quoted_names(missing.keys)}.",
        f"Load the parents first, correct these cells with values, or leave the rows out with leaveOut{such}.",
        missing.rows,
        (missing.column,),
        "these rows",
        missing.lines,
    )


def _there_already(there: ThereAlready, rows: int) -> Mistake:
    names = " and ".join(map(as_name, there.columns))
    return Mistake(
        "there already",
        f"{there.rows:,} of {counted(rows, 'new row')} {have(there.rows)} the {names} of a record that is there already",
        "They fail, since no two records may have it." if there.is_unique else "They would be there twice.",
        "Leave these rows out with leaveOut, or upsert by an external id to change the records.",
        there.rows,
        there.columns,
        "these rows" if there.is_unique else None,
        there.lines,
    )
