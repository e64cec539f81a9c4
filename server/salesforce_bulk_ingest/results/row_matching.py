"""Which row of an upload a row of a result is.

Salesforce numbers no rows and keeps no order. What it says of a row is tied to what was sent by the key of the operation
where that is unique, and else by all cells that both have. Values are compared as far as they survive: numbers, dates and
booleans are typed again (Bulk API 2.0 guide, quick start, step 3), and a column whose cells are blank in all of a result
is left out, since that may be so because its header differs in case from the field (known issue a028c00000gAyI4AAK).
"""

import re
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import NamedTuple

from salesforce_bulk_ingest.salesforce.models import NULL_CELL

Cells = Sequence[str]

LINES_SHOWN = 5

SCHEMA = """
CREATE TABLE sent (
    row INTEGER PRIMARY KEY, line INTEGER, source INTEGER, whole INTEGER, cells INTEGER, key INTEGER
);
CREATE TABLE told (row INTEGER PRIMARY KEY, said TEXT, says INTEGER, cells INTEGER, key INTEGER);
CREATE TABLE tied (told INTEGER PRIMARY KEY, sent INTEGER UNIQUE, sureness INTEGER, is_exact INTEGER);
"""

UNSURE, MIXED, SURE = 0, 1, 2

# The n-th of the rows that a result has of a kind is the n-th that was sent. Which one it is does not matter where all that
# were sent are the same, or where all of them came back and the same is said of all. Where all came back and more is said,
# they are the rows that came back, but what is said of each is not known.
TIE = f"""
INSERT INTO tied
SELECT told.row, sent.row,
    CASE
        WHEN sent.alike OR (told.many = sent.many AND told.alike) THEN {SURE}
        WHEN told.many = sent.many THEN {MIXED}
        ELSE {UNSURE}
    END AS sureness,
    sent.is_one OR (told.many = sent.many AND told.alike)
FROM (
    SELECT row, {{hash}} AS hash, ROW_NUMBER() OVER (PARTITION BY {{hash}} ORDER BY row) AS n,
        COUNT(*) OVER (PARTITION BY {{hash}}) AS many,
        MIN(says) OVER (PARTITION BY {{hash}}) = MAX(says) OVER (PARTITION BY {{hash}}) AS alike
    FROM told WHERE row NOT IN (SELECT told FROM tied)
) AS told
JOIN (
    SELECT row, {{hash}} AS hash, ROW_NUMBER() OVER (PARTITION BY {{hash}} ORDER BY row) AS n,
        COUNT(*) OVER (PARTITION BY {{hash}}) AS many,
        MIN(whole) OVER (PARTITION BY {{hash}}) = MAX(whole) OVER (PARTITION BY {{hash}}) AS alike,
        MIN(source) OVER (PARTITION BY {{hash}}) = MAX(source) OVER (PARTITION BY {{hash}}) AS is_one
    FROM sent WHERE row NOT IN (SELECT sent FROM tied) AND {{hash}} IN (SELECT {{hash}} FROM told)
) AS sent
ON told.hash = sent.hash AND told.n = sent.n
WHERE sureness >= {{least}}
"""

TIED = f"""
SELECT sent.row, CASE WHEN is_exact THEN sent.line END, told.row, told.said, sureness = {MIXED}
FROM tied JOIN told ON told.row = tied.told JOIN sent ON sent.row = tied.sent
WHERE sureness > {UNSURE} ORDER BY sent.row
"""

UNSURE_LINES = f"""
SELECT line FROM sent WHERE cells IN (
    SELECT told.cells FROM tied JOIN told ON told.row = tied.told WHERE sureness < {SURE}
) ORDER BY line LIMIT ?
"""


class UploadedRow(NamedTuple):
    """A row of an upload.

    Attributes:
        row: rows before it.
        line: of the source, on which it begins.
        source: hash of the row of the source that it was made of.
        whole: hash of all its cells, however many.
    """

    row: int
    line: int
    source: int
    whole: int


@dataclass(frozen=True, slots=True)
class MatchedRow:
    """A row of a result, and the row of the upload that it is.

    Attributes:
        sent: rows of the upload before it.
        line: of the source, on which it begins; None where several lines that differ went out alike, and it is one of them.
        told: rows of the result before it.
        said: what is said of it.
        is_mixed: whether that may be said of another row instead, which came back, too.
    """

    sent: int
    line: int | None
    told: int
    said: str
    is_mixed: bool = False


class RowMatcher:
    """Finds them in constant memory: add all of both sides, then ask.

    Args:
        db: an empty database.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.executescript(SCHEMA)
        db.execute("BEGIN")  # each row would be a transaction of its own

    def add_sent(self, chosen: Sequence["UploadedRow"], columns: Sequence[Cells], compared: "ComparedColumns") -> None:
        """Some rows of the upload.

        Args:
            chosen: the rows.
            columns: their cells.
            compared: which of those are compared.
        """
        cells, keys = compared.cells_of(columns), compared.keys_of(columns)
        rows = ((*row, *plain) for row, *plain in zip(chosen, cells, keys, strict=True))
        self._db.executemany("INSERT INTO sent VALUES (?, ?, ?, ?, ?, ?)", rows)

    def add_told(self, first: int, said: Cells, columns: Sequence[Cells], compared: "ComparedColumns") -> None:
        """Some rows of the result.

        Args:
            first: rows before them.
            said: what is said of each.
            columns: their cells.
            compared: which of those are compared.
        """
        cells, keys = compared.cells_of(columns), compared.keys_of(columns)
        rows = range(first, first + len(said))
        says = map(hash, said)
        self._db.executemany("INSERT INTO told VALUES (?, ?, ?, ?, ?)", zip(rows, said, says, cells, keys, strict=True))

    def tie(self) -> None:
        """After all rows of both."""
        for column in ("cells", "key"):
            self._db.execute(f"CREATE INDEX told_{column} ON told ({column})")
        for least in (SURE, MIXED, UNSURE):
            for column in ("cells", "key"):
                self._db.execute(TIE.format(hash=column, least=least))
            if not self.untied():
                return

    def tied(self) -> Iterator[MatchedRow]:
        """The rows of the result that are certain rows of the upload, or certain ones together, in the order of that."""
        for sent, line, told, said, is_mixed in self._db.execute(TIED):
            yield MatchedRow(sent, line, told, said, bool(is_mixed))

    def unsure(self) -> list[int]:
        """The rows of the result that may be one of several rows of the upload, which differ."""
        return [row for (row,) in self._db.execute(f"SELECT told FROM tied WHERE sureness = {UNSURE} ORDER BY told")]

    def unsure_lines(self) -> list[int]:
        """The first lines of the source that such rows may be of."""
        return [line for (line,) in self._db.execute(UNSURE_LINES, (LINES_SHOWN,))]

    def untied(self) -> list[int]:
        """The rows of the result that are like no row of the upload."""
        query = "SELECT row FROM told WHERE row NOT IN (SELECT told FROM tied) ORDER BY row"
        return [row for (row,) in self._db.execute(query)]


@contextmanager
def row_matcher_in(folder: Path) -> Iterator[RowMatcher]:
    """Ties in a file that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="ties-", dir=folder) as temporary:
        db = sqlite3.connect(Path(temporary) / "ties.sqlite3", isolation_level=None, check_same_thread=False)
        try:
            # Nobody else reads it, and a half one is of no use.
            db.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -8000;")
            yield RowMatcher(db)
        finally:
            db.close()


@dataclass(frozen=True, slots=True)
class ComparedColumns:
    """What is compared of the rows of one side.

    Attributes:
        places: of the columns that are compared, those of both sides in the same order.
        key: place of the column whose cells tell rows apart; None for none.
    """

    places: tuple[int, ...]
    key: int | None

    def cells_of(self, columns: Sequence[Cells]) -> Iterator[int]:
        """For each row, what its cells make: the same for all where none are compared."""
        if not self.places:
            return iter([0] * len(columns[0]))
        return map(hash, zip(*(_plain_column(columns[place]) for place in self.places), strict=True))

    def keys_of(self, columns: Sequence[Cells]) -> Iterator[int | None]:
        """For each row, what its key makes; None without one."""
        if self.key is None:
            return iter([None] * len(columns[0]))
        return (hash(plain_key(cell)) if cell else None for cell in columns[self.key])


class CandidateFilter:
    """Tells which rows of an upload may be in a result, by one column: most are not, where few rows failed.

    Args:
        sent: what is compared of the rows of the upload.
        told: what is compared of those of the result.
    """

    MOST = 200_000
    """Different cells of the result that are remembered; where there are more, any row is likely."""

    def __init__(self, sent: ComparedColumns, told: ComparedColumns) -> None:
        self._pairs = list(zip(sent.places, told.places, strict=True))
        if sent.key is not None and told.key is not None:
            self._pairs = [(sent.key, told.key)]
        self._seen: set[int] | None = set()

    def look(self, columns: Sequence[Cells]) -> None:
        """At some rows of the result."""
        if len(self._pairs) > 1:
            self._pairs = [max(self._pairs, key=lambda pair: len(set(columns[pair[1]])))]
        if self._seen is not None and self._pairs:
            self._seen.update(map(hash, map(plain_key, set(columns[self._pairs[0][1]]))))
            if len(self._seen) > self.MOST:
                self._seen = None

    def rows(self, columns: Sequence[Cells]) -> Sequence[int]:
        """Places of the likely ones among some rows of the upload."""
        if self._seen is None or not self._pairs:
            return range(len(columns[0]))
        hashes = map(hash, map(plain_key, columns[self._pairs[0][0]]))
        return [row for row, number in enumerate(hashes) if number in self._seen]


_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:?\d\d)", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9]{15}[A-Z0-5]{3}", re.ASCII)
_ID_ENDS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_BOOLEANS = {"true": "1", "false": "0"}


def plain(cell: str) -> str:
    """What is left of a cell however it is typed."""
    cell = cell.strip()
    if not cell or cell == NULL_CELL:
        return ""
    first = cell[0]
    if first.isdigit() or first in "+-.":
        return _plain_number(cell)
    if _is_long_id(cell):
        return plain(cell[:15])
    return _BOOLEANS.get(cell.lower(), cell)


def _plain_column(cells: Cells) -> Iterator[str]:
    # Each once: cells repeat.
    return map({cell: plain(cell) for cell in set(cells)}.__getitem__, cells)


def plain_key(cell: str) -> str:
    """What is left of a key: Salesforce finds records by it in any case, but ids differ in case."""
    cell = plain(cell)
    return cell if len(cell) == 15 else cell.lower()


def _is_long_id(cell: str) -> bool:
    """Whether it is an id whose last three characters tell the case of the others."""
    if len(cell) != 18 or not _ID.fullmatch(cell):
        return False
    cases = (sum(1 << place for place in range(5) if cell[start + place].isupper()) for start in (0, 5, 10))
    return cell[15:] == "".join(map(_ID_ENDS.__getitem__, cases))


def _plain_number(cell: str) -> str:
    if _NUMBER.fullmatch(cell):
        try:
            number = Decimal(cell)
        except InvalidOperation:
            return cell
        return str(number.normalize()) if number else "0"
    if _is_long_id(cell):
        return plain(cell[:15])
    if _TIME.fullmatch(cell):
        try:
            return datetime.fromisoformat(cell).astimezone(UTC).isoformat()
        except (ValueError, OverflowError):
            return cell
    return cell


def compared_columns(
    sent: Sequence[str], told: Sequence[str], blank: frozenset[int], key: str | None
) -> tuple[ComparedColumns, ComparedColumns]:
    """What is compared of the rows of an upload, and of those of a result.

    Args:
        sent: columns of the upload.
        told: columns of the result.
        blank: places of the columns of the result in which all cells are blank.
        key: name of the field that tells rows apart; None for none.
    """
    by_name: Mapping[str, int] = {name.lower(): place for place, name in enumerate(sent)}
    pairs = [(by_name[name.lower()], place) for place, name in enumerate(told) if name.lower() in by_name]
    cells = [(mine, theirs) for mine, theirs in pairs if theirs not in blank]
    keys = [(mine, theirs) for mine, theirs in cells if key and sent[mine].lower() == key.lower()]
    mine, theirs = keys[0] if keys else (None, None)
    return ComparedColumns(tuple(pair[0] for pair in cells), mine), ComparedColumns(
        tuple(pair[1] for pair in cells), theirs
    )
