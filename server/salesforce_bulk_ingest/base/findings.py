"""What the checks found: one finding for each kind of mistake and column, with where it was first seen."""

from collections import Counter
from dataclasses import dataclass
from typing import Literal

LINES_SHOWN = 5
MOST_KEPT = 500
"""Of each level: a plan is kept, with all of them, for as long as its upload may be asked for."""

Level = Literal["error", "warning"]
"""An error fails the whole job (see the API reference's job-level errors), loads nothing or loses values unseen; a warning
costs single rows, or may be meant."""


@dataclass(slots=True)
class Finding:
    """One kind of mistake.

    Attributes:
        what: a sentence.
        do: what to do about it.
        column: the header, where one column is at fault.
        lines: of the source, the first few; the header is line 1.
        count: how often; rows, where lines are given.
    """

    level: Level
    what: str
    do: str
    column: str | None = None
    lines: tuple[int, ...] = ()
    count: int = 0


class Findings:
    """Collects findings; the same kind again only counts, and so do those after the first many."""

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
        """So many more of a kind, the first of them on this line."""
        if not count:
            return
        finding = self._by_kind.get((kind, column)) or self._new(kind, Finding(level, what, do, column))
        finding.count += count
        if finding is self._others.get(level):
            return
        if line is not None and len(finding.lines) < LINES_SHOWN:
            finding.lines += (line,)

    def sorted(self) -> tuple[Finding, ...]:
        """Errors first, each in the order in which they were found."""
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
    """A source that can't be taken for rows, so that nothing after this can be said of it.

    Args:
        what: a sentence.
        do: what to do about it.
        line: of the source.
    """

    def __init__(self, what: str, do: str, line: int | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.do = do
        self.line = line
