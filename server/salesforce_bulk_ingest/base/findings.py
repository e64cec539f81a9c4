"""Findings of the checks: one for each kind of mistake and column, with the lines where it first occurs."""

from collections import Counter
from dataclasses import dataclass
from typing import Literal

LINES_SHOWN = 5
MOST_KEPT = 500
"""The number of findings of each level that are kept: a plan holds them for as long as its upload may be asked for."""

Level = Literal["error", "warning"]
"""An error fails the whole job (see the API reference's job-level errors), loads nothing or loses values unseen; a warning
costs single rows, or may be meant."""


@dataclass(slots=True)
class Finding:
    """One kind of mistake.

    Attributes:
        level: whether it fails the whole job.
        what: what is wrong, a sentence.
        do: what to do about it, a sentence.
        column: the name of the column, if one column is at fault.
        lines: the first few lines of the source on which it occurs; the header is on line 1.
        count: the number of times that it occurs; of rows, if there are lines.
    """

    level: Level
    what: str
    do: str
    column: str | None = None
    lines: tuple[int, ...] = ()
    count: int = 0


class Findings:
    """Collects findings. Another mistake of a known kind is only counted, and so are kinds after the first many."""

    def __init__(self) -> None:
        self._by_kind: dict[tuple[str, str | None], Finding] = {}
        self._kept: Counter[Level] = Counter()
        self._others: dict[Level, Finding] = {}

    def add(
        self,
        kind: str,
        level: Level,
        what: str,
        do: str,
        *,
        column: str | None = None,
        line: int | None = None,
        count: int = 1,
    ) -> None:
        """Add mistakes of one kind.

        Args:
            kind: the kind; mistakes of one kind in one column are one finding.
            level: see `Finding`.
            what: see `Finding`.
            do: see `Finding`.
            column: see `Finding`.
            line: the line of the first of them.
            count: the number of mistakes; 0 adds nothing.
        """
        if not count:
            return
        finding = self._by_kind.get((kind, column)) or self._new(kind, Finding(level, what, do, column))
        finding.count += count
        if finding is self._others.get(level):
            return
        if line is not None and len(finding.lines) < LINES_SHOWN:
            finding.lines += (line,)

    def sorted(self) -> tuple[Finding, ...]:
        """Return the findings, errors first, and each level in the order in which they were found."""
        found = (*self._by_kind.values(), *self._others.values())
        return tuple(sorted(found, key=lambda finding: finding.level != "error"))

    def _new(self, kind: str, finding: Finding) -> Finding:
        level = finding.level
        if self._kept[level] == MOST_KEPT:
            what = f"There are more {level}s than the {MOST_KEPT:,} that are told, in other columns or of other kinds."
            return self._others.setdefault(level, Finding(level, what, "Mend those first, then check again."))
        self._kept[level] += 1
        self._by_kind[kind, finding.column] = finding
        return finding


class Unreadable(Exception):
    """A source is no CSV, or stops being CSV, so that it can't be checked any further.

    Args:
        what: what is wrong, a sentence.
        do: what to do about it, a sentence.
        line: the line of the source, if one is at fault.
    """

    def __init__(self, what: str, do: str, line: int | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.do = do
        self.line = line
