"""Findings of the checks: one finding for each kind of mistake in each column, with the first lines that have it."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Literal

LINES_SHOWN = 5
LINES_KEPT = 200
"""The numbers of lines of a finding that an answer shows unasked, and that it can show."""
MOST_KEPT = 500
"""The most findings of each level: a plan holds them in memory for as long as the plan is kept."""

FindingKind = Literal[
    "bom", "encoding", "nul", "mask", "misread", "quotes", "wide", "narrow", "breaks in cells", "line ends",  # the file
    "doubtful delimiter", "title", "no header", "not rows", "unreadable", "no rows", "row size", "long row", "long cell",
    "long header", "many columns", "unknown column", "doubled", "unnamed", "unnamed and blank", "doubled lookup",  # columns
    "read-only", "required", "external id", "no key", "only id", "permission", "object", "describe",
    "blank key", "repeated key", "repeated value", "unchecked keys", "placeholders", "clearing cells",  # cells
    "misfit error", "misfit warning", "blank", "picklist", "too long", "out of range", "may fail",
    "not a number", "not a date", "not a time", "not a time of day", "not a boolean", "not an email", "not an id",
    "no ids", "points",
    "unknown keys", "several records", "shifted column", "misplaced column", "cleared field", "changed field",  # the org
    "no parent", "there already",
]  # fmt: skip
"""The kinds of mistakes that a check of rows finds. A test has advice on each that it follows."""

SAME_JOB: Mapping[str, str] = {}

Level = Literal["error", "warning"]
"""The severity of a finding. An error fails the whole job (see the API reference's job-level errors), loads nothing or loses
values unseen; a warning fails single rows, or may be intended."""


Fails = Literal["these rows", "every row", "other rows"]
"""The rows that are known to fail for a mistake: those that are counted, all of the job, or others that are not counted."""


@dataclass(frozen=True, slots=True)
class NamedRow:
    """A row that a finding is about.

    Attributes:
        name: the key of the row, or its name; empty if it has none that is shown.
        cell: the cell at fault; None if no single column is at fault.
    """

    name: str
    cell: str | None


@dataclass(slots=True)
class Finding:
    """One kind of mistake.

    Attributes:
        level: the severity of the mistake.
        what: a sentence about the mistake.
        do: a sentence about its correction.
        column: the name of the column, if one column is at fault.
        lines: the first few lines of the source on which the mistake occurs; the header is on line 1.
        count: the number of times that the mistake occurs; of rows, if there are lines.
        job: the attributes of a job in which the rows would not have the mistake; empty if the job is not at fault.
        fails: the rows that are known to fail for it; None if none is.
        rows: the rows on the first lines, if they were looked for; None for a line on which none begins.
        cells: the different cells at fault where others in their place correct the mistake, and none of them where they are
            many, long or hidden; None where no other cells would.
        kind: the kind of mistake; None where no check found it, or where it stands for mistakes of several kinds.
    """

    level: Level
    what: str
    do: str
    column: str | None = None
    lines: tuple[int, ...] = ()
    count: int = 0
    job: Mapping[str, str] = field(default_factory=dict)
    fails: Fails | None = None
    rows: tuple[NamedRow | None, ...] = ()
    cells: tuple[str, ...] | None = None
    kind: FindingKind | None = field(default=None, compare=False)


def errors_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings, errors first, and else in their order."""
    return tuple(sorted(findings, key=lambda finding: finding.level != "error"))


class Findings:
    """Collects findings. Further mistakes of one kind in one column are only counted, and so are kinds beyond the limit."""

    def __init__(self) -> None:
        self._by_kind: dict[tuple[FindingKind, str, str | None], Finding] = {}
        self._kept: Counter[Level] = Counter()
        self._others: dict[Level, Finding] = {}

    def add(
        self,
        kind: FindingKind,
        level: Level,
        what: str,
        do: str,
        *,
        column: str | None = None,
        line: int | None = None,
        of: str = "",
        job: Mapping[str, str] = SAME_JOB,
        fails: Fails | None = None,
    ) -> None:
        """Add a mistake.

        Args:
            kind: the kind; mistakes of one kind in one column are one finding.
            level: see `Finding`.
            what: see `Finding`.
            do: see `Finding`.
            column: see `Finding`.
            line: the line of the mistake, if it is on one.
            of: what the kind is of, where mistakes of one kind are several findings without a column.
            job: see `Finding`.
            fails: see `Finding`.
        """
        lines = () if line is None else (line,)
        self.add_several(kind, level, what, do, lines, 1, column=column, of=of, job=job, fails=fails)

    def add_several(
        self,
        kind: FindingKind,
        level: Level,
        what: str,
        do: str,
        lines: Sequence[int],
        count: int,
        *,
        column: str | None = None,
        of: str = "",
        job: Mapping[str, str] = SAME_JOB,
        fails: Fails | None = None,
        cells: tuple[str, ...] | None = None,
    ) -> None:
        """Add mistakes of one kind in one column.

        Args:
            kind: see `add`.
            level: see `Finding`.
            what: see `Finding`.
            do: see `Finding`.
            lines: the lines of the mistakes, or of the first of them.
            count: the number of mistakes; 0 adds nothing.
            column: see `Finding`.
            of: see `add`.
            job: see `Finding`.
            fails: see `Finding`.
            cells: see `Finding`.
        """
        if not count:
            return
        key = kind, of, column
        new = Finding(level, what, do, column, job=job, fails=fails, cells=cells, kind=kind)
        finding = self._by_kind.get(key) or self._new(key, new)
        finding.count += count
        if finding is not self._others.get(level) and len(finding.lines) < LINES_KEPT:
            # Two columns of one name may have the same mistake on one line.
            first = dict.fromkeys((*finding.lines, *lines[:LINES_KEPT]))
            finding.lines = tuple(first)[:LINES_KEPT]

    def join(self, kind: FindingKind, columns: Collection[str], what: str, do: str) -> None:
        """Put one finding in place of those of a kind in several columns, each of which is one mistake on the same line."""
        keys = [key for key in self._by_kind if key[0] == kind and key[2] in columns]
        if len(keys) < 2:
            return
        first = self._by_kind[keys[0]]
        joined = Finding(first.level, what, do, lines=first.lines, count=len(keys), fails=first.fails, kind=kind)
        self._by_kind = {
            (kind, "", None) if key == keys[0] else key: joined if key == keys[0] else finding
            for key, finding in self._by_kind.items()
            if key == keys[0] or key not in keys
        }

    def drop(self, kinds: Set[FindingKind]) -> None:
        """Drop the findings of some kinds, which say nothing beside another one."""
        dropped = [key for key in self._by_kind if key[0] in kinds]
        for key in dropped:
            self._kept[self._by_kind.pop(key).level] -= 1

    def of_kind(self, kind: FindingKind) -> tuple[Finding, ...]:
        """Return the findings of one kind."""
        return tuple(finding for (other, _, _), finding in self._by_kind.items() if other == kind)

    @property
    def have_errors(self) -> bool:
        """Whether one of them is an error."""
        return self._kept["error"] > 0

    def sorted(self) -> tuple[Finding, ...]:
        """Return the findings, errors first, and each level in the order in which they were found."""
        return errors_first((*self._by_kind.values(), *self._others.values()))

    def _new(self, key: tuple[FindingKind, str, str | None], finding: Finding) -> Finding:
        level = finding.level
        if self._kept[level] == MOST_KEPT:
            what = f"There are more {level}s than the {MOST_KEPT:,} that are told, in other columns or of other kinds."
            others = Finding(level, what, "Mend those first, then check again.", fails="other rows")
            return self._others.setdefault(level, others)
        self._kept[level] += 1
        self._by_kind[key] = finding
        return finding


class Unreadable(Exception):
    """A source is no CSV, or stops being CSV, so that it can't be checked any further.

    Args:
        what: a sentence about what is wrong.
        do: a sentence about its correction.
        line: the line of the source, if a single line is at fault.
        encodings: the encodings, the likeliest first, that the source is likely to be in, if it would be CSV if read so.
    """

    def __init__(self, what: str, do: str, line: int | None = None, encodings: Sequence[str] = ()) -> None:
        super().__init__(what)
        self.what = what
        self.do = do
        self.line = line
        self.encodings = encodings
