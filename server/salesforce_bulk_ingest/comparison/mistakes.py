"""What looks like a mistake in the changes that rows would make: each has a clause for a sentence, and a finding."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from salesforce_bulk_ingest.base.findings import Fails, Finding, FindingKind, Findings
from salesforce_bulk_ingest.base.text import as_json, as_name, counted
from salesforce_bulk_ingest.comparison.cell_equality import Form
from salesforce_bulk_ingest.comparison.changes import Fate, FieldChange, SideBySide, is_changed
from salesforce_bulk_ingest.salesforce.models import NULL_CELL

LEAST_ROWS = 10
"""The number of rows from which on a share of them says something."""

NEARLY_ALL = 0.9
CLEARED_SHARE = 0.01
"""The shares of records from which on a field that changes, or is cleared, looks like a mistake."""

MISPLACED_SHARE = 0.5
"""The share of changed cells from which on values that another row, or another field, has look misplaced."""

ELSEWHERE = "their records are gone, or are those of another org."
"""Why most keys may be those of no record, as the rest of a sentence."""

CHECK_FILE = "Have the user check that the file is of this object, this org and this time."
IF_MEANT = "Show the user the records before and after; go on only if that is meant."


LEAST_DISTINCT = 3
"""The number of different values from which on a value that is found elsewhere is hardly there by chance."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """What looks like a mistake.

    Attributes:
        kind: the kind of mistake.
        clause: what is wrong, as a clause.
        why: why it looks like a mistake, a sentence.
        do: what to do, a sentence.
        count: the number of rows.
        columns: the names of the columns at fault.
        fails: the rows that are known to fail for it.
        lines: the lines of these rows, or of the first; none where they are not known.
    """

    kind: FindingKind
    clause: str
    why: str
    do: str
    count: int
    columns: tuple[str, ...] = ()
    fails: Fails | None = None
    lines: tuple[int, ...] = ()

    def report(self, findings: Findings) -> None:
        """Add the mistake to the findings."""
        what = f"{self.clause[0].upper()}{self.clause[1:]}. {self.why}"
        column = self.columns[0] if len(self.columns) == 1 else None
        findings.add_several(
            self.kind, "warning", what, self.do, self.lines, self.count, column=column, of=self.clause, fails=self.fails
        )


def mistakes_in(sides: SideBySide) -> tuple[Mistake, ...]:
    """Return what looks like a mistake in the changes of rows, the worst first."""
    misplaced = (*_shifted(sides), *_misplaced(sides))
    explained = {name for mistake in misplaced for name in mistake.columns}
    changes, with_record = sides.changes(), sides.with_record
    cleared = [_cleared(change, with_record) for change in changes if change.cleared > CLEARED_SHARE * with_record]
    changed = [
        _changed(change, with_record)
        for change in changes
        if with_record >= LEAST_ROWS
        and change.changed >= NEARLY_ALL * with_record
        and change.column.name not in explained
    ]
    return (*misplaced, *cleared, *changed)


def are_most(unknown: int, known: int) -> bool:
    """Return whether so many of the rows that were looked for have keys of no record that it looks like a mistake."""
    return 2 * unknown > known


def unknown_keys(unknown: int, known: int, column: str, why: str, fails: Fails | None = None) -> Mistake:
    """Return the mistake that most keys are those of no record.

    Args:
        unknown: the number of rows with such keys.
        known: the number of rows whose keys were looked for.
        column: the name of the column of the keys.
        why: what becomes of these rows, a sentence.
        fails: the rows that are known to fail for it.
    """
    clause = f"{unknown:,} of {counted(known, 'row')} {have(unknown)} a key in {as_name(column)} that no record has"
    return Mistake("unknown keys", clause, why, CHECK_FILE, unknown, (column,), fails)


def several_records(rows: int, column: str) -> tuple[Mistake, ...]:
    """Return the mistake that keys are those of several records, if it is one.

    Args:
        rows: the number of rows with such keys.
        column: the name of the column of the keys.
    """
    if not rows:
        return ()
    clause = f"{counted(rows, 'row')} {have(rows)} a key in {as_name(column)} that several records have"
    why = "An upsert does not choose one of them, so these rows fail."
    do = "Have the user give each record a key of its own, or leave these rows out."
    return (Mistake("several records", clause, why, do, rows, (column,), "these rows"),)


def findings_of(mistakes: Iterable[Mistake]) -> tuple[Finding, ...]:
    """Return what looks like a mistake as warnings."""
    findings = Findings()
    for mistake in mistakes:
        mistake.report(findings)
    return findings.sorted()


def have(rows: int) -> str:
    """Return the verb for what so many rows have."""
    return "has" if rows == 1 else "have"


def _shifted(sides: SideBySide) -> Iterator[Mistake]:
    """Yield fields of which a record's value now stands in the next row, or in the one before."""
    for column, after, before in zip(sides.columns, sides.after, sides.before, strict=True):
        for step, neighbour in ((1, "next"), (-1, "previous")):
            rows = _shifted_by(step, sides.sample.numbers, after, before)
            if rows:
                count = len(rows)
                name = as_name(column.name)
                yield Mistake(
                    "shifted column",
                    f"{name} would get another record's value in {count:,} of {sides.with_record:,} records, whose own "
                    f"value stands in the {neighbour} row",
                    "So the column looks shifted by one row against the keys.",
                    "Have the user correct the file, then check it again.",
                    count,
                    (column.name,),
                    lines=sides.sample.lines_of(rows),
                )
                break


def _shifted_by(step: int, numbers: Sequence[int], after: Sequence[Form], before: Sequence[Form]) -> Sequence[int]:
    """Return the rows whose records' values stand in the row beside; none if these are few of those that change."""
    changed, shifted, values = 0, list[int](), set[Form]()
    for row, old in enumerate(before):
        if old is None or not is_changed(old, after[row]):
            continue
        changed += 1
        beside = row + step
        if 0 <= beside < len(numbers) and numbers[beside] == numbers[row] + step and after[beside] == old:
            shifted.append(row)
            values.add(old)
    is_most = changed >= LEAST_ROWS and len(shifted) >= MISPLACED_SHARE * changed
    return shifted if is_most and len(values) >= LEAST_DISTINCT else ()


def _misplaced(sides: SideBySide) -> Iterator[Mistake]:
    """Yield fields that get what the records have in another field: two that are swapped, or one."""
    moves = _Moves.of(sides)
    told = set[int]()
    for to, of in moves.likely():
        if to in told:
            continue
        names = tuple(sides.columns[index].name for index in (to, of))
        count, (first, second) = len(moves.rows[to, of]), map(as_name, names)
        records = f"{count:,} of {sides.with_record:,} records"
        if (of, to) in moves.likely():
            told |= {to, of}
            yield Mistake(
                "misplaced column",
                f"{first} and {second} would change places in {records}",
                "Each would get what the other has now, so the two columns look swapped.",
                "Name the right field of each in columns, then check again.",
                count,
                names,
            )
        else:
            yield Mistake(
                "misplaced column",
                f"{first} would get what {second} has now in {records}",
                "So the column looks like that of the other field.",
                "Name its right field in columns, then check again.",
                count,
                names[:1],
            )


@dataclass(frozen=True, slots=True)
class _Moves:
    """Values that would go from one field of a record to another.

    Attributes:
        changed: the number of cells that change, by the index of their column.
        rows: the values that go so, one for each row, by the indexes of the columns to which and from which they go.
    """

    changed: Counter[int]
    rows: Mapping[tuple[int, int], Sequence[str]]

    @classmethod
    def of(cls, sides: SideBySide) -> Self:
        """Return the moves in the changes of rows; one of two values of a switch may be anywhere by chance."""
        columns = [index for index, column in enumerate(sides.columns) if column.forms.of_nothing is None]
        changed, rows = Counter[int](), defaultdict[tuple[int, int], list[str]](list)
        for row, fate in enumerate(sides.fates):
            if fate is not Fate.CHANGED:
                continue
            of_row = [index for index in columns if is_changed(sides.before[index][row], sides.after[index][row])]
            changed.update(of_row)
            places = {str(sides.before[index][row]).lower(): index for index in of_row}
            for index in of_row:
                after = sides.after[index][row]
                of = places.get(str(after).lower(), index)
                if after is not None and of != index:
                    rows[index, of].append(str(after))
        return cls(changed, rows)

    def likely(self) -> Sequence[tuple[int, int]]:
        """Return the pairs of columns whose values hardly go so by chance."""
        return [
            (to, of)
            for (to, of), values in self.rows.items()
            if len(values) >= max(LEAST_ROWS, MISPLACED_SHARE * self.changed[to])
            and len({*values, *self.rows.get((of, to), ())}) >= LEAST_DISTINCT
        ]


def _cleared(change: FieldChange, with_record: int) -> Mistake:
    emptied = as_json({change.column.name: {NULL_CELL: ""}})
    return Mistake(
        "cleared field",
        f"{as_name(change.column.name)} would be cleared in {change.cleared:,} of {with_record:,} records",
        "Their values would be lost.",
        f"{IF_MEANT} Else leave the column out with null in columns, or empty these cells with values: {emptied}.",
        change.cleared,
        (change.column.name,),
    )


def _changed(change: FieldChange, with_record: int) -> Mistake:
    return Mistake(
        "changed field",
        f"{as_name(change.column.name)} would change in {change.changed:,} of {with_record:,} records",
        "A load seldom changes nearly all values of a field, so the column may be another one.",
        IF_MEANT,
        change.changed,
        (change.column.name,),
    )
