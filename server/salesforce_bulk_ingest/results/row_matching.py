"""Row matching: which row of an upload a row of a result is.

Salesforce numbers no rows and keeps no order. A row of a result is matched with a row of the upload by the key of the
operation where that is unique, and else by all cells that both have, in their canonical forms.
"""

import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from salesforce_bulk_ingest.base.storage import storage_failures
from salesforce_bulk_ingest.results.compared_columns import ColumnCells, ComparedColumns

LINES_SHOWN = 5

_SCHEMA = """
CREATE TABLE uploaded (
    row INTEGER PRIMARY KEY, line INTEGER, source_hash INTEGER, row_hash INTEGER, cells INTEGER, key INTEGER
);
CREATE TABLE returned (row INTEGER PRIMARY KEY, outcome BLOB, outcome_hash INTEGER, cells INTEGER, key INTEGER);
CREATE TABLE source (row INTEGER PRIMARY KEY, record BLOB);
CREATE TABLE matched (returned INTEGER PRIMARY KEY, uploaded INTEGER UNIQUE, certainty INTEGER, is_line_known INTEGER);
"""

# A row of the result may be one of several rows of the upload that differ.
_AMBIGUOUS = 0
# All of several alike rows came back, but it is not known which row has which outcome.
_OUTCOME_UNSURE = 1
_CERTAIN = 2

# Among rows with the same hash, the n-th of the result is matched with the n-th of the upload. The order makes no
# difference where the rows of the upload are equal, or where all of them came back with the same outcome.
_MATCH = f"""
INSERT INTO matched
SELECT returned.row, uploaded.row,
    CASE
        WHEN uploaded.are_equal OR (returned.count = uploaded.count AND returned.have_one_outcome) THEN {_CERTAIN}
        WHEN returned.count = uploaded.count THEN {_OUTCOME_UNSURE}
        ELSE {_AMBIGUOUS}
    END AS certainty,
    uploaded.have_one_source OR (returned.count = uploaded.count AND returned.have_one_outcome)
FROM (
    SELECT row, {{hash}} AS hash, ROW_NUMBER() OVER (PARTITION BY {{hash}} ORDER BY row) AS n,
        COUNT(*) OVER (PARTITION BY {{hash}}) AS count,
        MIN(outcome_hash) OVER (PARTITION BY {{hash}}) = MAX(outcome_hash) OVER (PARTITION BY {{hash}})
            AS have_one_outcome
    FROM returned WHERE row NOT IN (SELECT returned FROM matched)
) AS returned
JOIN (
    SELECT row, {{hash}} AS hash, ROW_NUMBER() OVER (PARTITION BY {{hash}} ORDER BY row) AS n,
        COUNT(*) OVER (PARTITION BY {{hash}}) AS count,
        MIN(row_hash) OVER (PARTITION BY {{hash}}) = MAX(row_hash) OVER (PARTITION BY {{hash}}) AS are_equal,
        MIN(source_hash) OVER (PARTITION BY {{hash}}) = MAX(source_hash) OVER (PARTITION BY {{hash}})
            AS have_one_source
    FROM uploaded
    WHERE row NOT IN (SELECT uploaded FROM matched) AND {{hash}} IN (SELECT {{hash}} FROM returned)
) AS uploaded
ON returned.hash = uploaded.hash AND returned.n = uploaded.n
WHERE certainty >= {{least}}
"""

# What _MATCH does where a hash is that of one row of the upload and of one row of the result, as nearly all are: these rows
# need no numbers among rows with the same hash, which take most of its time.
_MATCH_ALONE = f"""
INSERT INTO matched
SELECT returned.row, uploaded.row, {_CERTAIN}, TRUE
FROM (SELECT MIN(row) AS row, cells FROM returned GROUP BY cells HAVING COUNT(*) = 1) AS returned
JOIN (SELECT MIN(row) AS row, cells FROM uploaded GROUP BY cells HAVING COUNT(*) = 1) AS uploaded
ON returned.cells = uploaded.cells
"""

_MATCHED = f"""
SELECT uploaded.row, CASE WHEN is_line_known THEN uploaded.line END, returned.row, returned.outcome,
    certainty = {_OUTCOME_UNSURE}, source.record
FROM matched JOIN returned ON returned.row = matched.returned JOIN uploaded ON uploaded.row = matched.uploaded
LEFT JOIN source ON source.row = matched.uploaded
WHERE certainty > {_AMBIGUOUS} ORDER BY uploaded.row
"""

_AMBIGUOUS_LINES = f"""
SELECT line FROM uploaded WHERE cells IN (
    SELECT returned.cells FROM matched JOIN returned ON returned.row = matched.returned WHERE certainty < {_CERTAIN}
) ORDER BY line LIMIT ?
"""

# All rows of the upload with the same cells, or the same key, are matched with other rows of the result.
_IS_SURPLUS = "(cells IN (SELECT cells FROM uploaded) OR COALESCE(key IN (SELECT key FROM uploaded), FALSE))"

_MAY_BE_AMBIGUOUS = f"""
WHERE row NOT IN (SELECT uploaded FROM matched WHERE certainty > {_AMBIGUOUS}) AND (
    cells IN (SELECT cells FROM returned WHERE row IN (SELECT returned FROM matched WHERE certainty = {_AMBIGUOUS}))
    OR key IN (SELECT key FROM returned WHERE row IN (SELECT returned FROM matched WHERE certainty = {_AMBIGUOUS}))
)
"""


class UploadedRow(NamedTuple):
    """A row of an upload.

    Attributes:
        row: number of rows before this one in the upload.
        line: line of the source on which the row begins.
        source_hash: hash of the row of the source that the row was made from.
        row_hash: hash of all cells of the row.
    """

    row: int
    line: int
    source_hash: int
    row_hash: int


class MatchedRow(NamedTuple):
    """A row of a result with the row of the upload that it is.

    Attributes:
        uploaded_row: number of rows before this one in the upload.
        line: line of the source on which the row begins; None where the row may be one of several lines, which differ but
            were uploaded alike.
        result_row: number of rows before this one in the result.
        outcome: the outcome cells of the row, as CSV.
        is_outcome_unsure: whether the outcome may belong to another row of the result.
        source: the row of the source that the row was made from, as CSV; None where the matcher was not told.
    """

    uploaded_row: int
    line: int | None
    result_row: int
    outcome: bytes
    is_outcome_unsure: bool = False
    source: bytes | None = None


class RowMatcher:
    """Matches the rows of a result with the rows of an upload, in constant memory.

    Add all rows of both, then call `match`, then ask for the matched, the ambiguous and the unmatched rows.

    Args:
        db: an empty database.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.executescript(_SCHEMA)
        db.execute("BEGIN")  # else each row would be a transaction of its own

    def add_uploaded(
        self, rows: Sequence[UploadedRow], columns: Sequence[ColumnCells], compared: ComparedColumns
    ) -> None:
        """Add rows of the upload.

        Args:
            rows: the rows.
            columns: cells of the rows by column.
            compared: the compared columns of the upload.
        """
        cells, keys = compared.cell_hashes(columns), compared.key_hashes(columns)
        values = ((*row, *hashes) for row, *hashes in zip(rows, cells, keys, strict=True))
        self._db.executemany("INSERT INTO uploaded VALUES (?, ?, ?, ?, ?, ?)", values)

    def add_sources(self, rows: Iterable[int], records: Iterable[bytes]) -> None:
        """Add the rows of the source that rows of the upload were made from.

        Args:
            rows: number of rows before each in the upload.
            records: each row of the source, as CSV without its line end.
        """
        self._db.executemany("INSERT INTO source VALUES (?, ?)", zip(rows, records, strict=True))

    def add_returned(
        self, first_row: int, outcomes: Sequence[bytes], columns: Sequence[ColumnCells], compared: ComparedColumns
    ) -> None:
        """Add consecutive rows of the result.

        Args:
            first_row: number of rows before these in the result.
            outcomes: the outcome cells of each row, as CSV.
            columns: cells of the rows by column.
            compared: the compared columns of the result.
        """
        cells, keys = compared.cell_hashes(columns), compared.key_hashes(columns)
        rows = range(first_row, first_row + len(outcomes))
        values = zip(rows, outcomes, map(hash, outcomes), cells, keys, strict=True)
        self._db.executemany("INSERT INTO returned VALUES (?, ?, ?, ?, ?)", values)

    def match(self) -> None:
        """Match the rows, after all rows of both were added: the most certain matches first."""
        self._db.execute(_MATCH_ALONE)
        if not self._left_over("TRUE"):
            return
        for column in ("cells", "key"):
            self._db.execute(f"CREATE INDEX returned_{column} ON returned ({column})")
        for least in (_CERTAIN, _OUTCOME_UNSURE, _AMBIGUOUS):
            for column in ("cells", "key"):
                self._db.execute(_MATCH.format(hash=column, least=least))
            if not self._left_over("TRUE"):
                return

    def matched(self) -> Iterator[MatchedRow]:
        """Return the rows of the result that are certainly in the upload, in the order of the upload."""
        for uploaded_row, line, result_row, outcome, is_outcome_unsure, source in self._db.execute(_MATCHED):
            yield MatchedRow(uploaded_row, line, result_row, outcome, is_outcome_unsure == 1, source)

    def ambiguous(self) -> list[int]:
        """Return the numbers of the rows of the result that may be one of several rows of the upload, which differ."""
        query = f"SELECT returned FROM matched WHERE certainty = {_AMBIGUOUS} ORDER BY returned"
        return [row for (row,) in self._db.execute(query)]

    def ambiguous_lines(self) -> list[int]:
        """Return the first few lines of the source that ambiguous rows, or rows with an unsure outcome, may be of."""
        return [line for (line,) in self._db.execute(_AMBIGUOUS_LINES, (LINES_SHOWN,))]

    def uploaded_rows_found(self) -> Iterator[int]:
        """Return the numbers of the rows of the upload that are certainly in the result, in ascending order."""
        query = f"SELECT uploaded FROM matched WHERE certainty > {_AMBIGUOUS} ORDER BY uploaded"
        return (row for (row,) in self._db.execute(query))

    def ambiguous_uploaded_rows(self) -> Iterator[int]:
        """Return the numbers of the rows of the upload that may be an ambiguous row of the result, in ascending order."""
        return (row for (row,) in self._db.execute(f"SELECT row FROM uploaded {_MAY_BE_AMBIGUOUS} ORDER BY row"))

    def lines_of_ambiguous_rows(self) -> list[int]:
        """Return the first few lines of the source that ambiguous rows of the result may be of."""
        query = f"SELECT line FROM uploaded {_MAY_BE_AMBIGUOUS} ORDER BY line LIMIT ?"
        return [line for (line,) in self._db.execute(query, (LINES_SHOWN,))]

    def unmatched(self) -> list[int]:
        """Return the numbers of the rows of the result that are like no row of the upload."""
        return self._left_over(f"NOT {_IS_SURPLUS}")

    def surplus(self) -> list[int]:
        """Return the numbers of the rows of the result that came more often than they were sent."""
        return self._left_over(_IS_SURPLUS)

    def _left_over(self, condition: str) -> list[int]:
        query = f"""
            SELECT row FROM returned WHERE row NOT IN (SELECT returned FROM matched) AND {condition} ORDER BY row
        """
        return [row for (row,) in self._db.execute(query)]


@contextmanager
def row_matcher_in(folder: Path) -> Iterator[RowMatcher]:
    """Make a row matcher whose database is a temporary file in a folder.

    Raises:
        StorageFailure: the database can't be used, for example on a full disk.
    """
    with (
        storage_failures("Rows of a result can't be matched with those that were sent", folder),
        tempfile.TemporaryDirectory(prefix="row-matching-", dir=folder) as temporary,
    ):
        db = sqlite3.connect(Path(temporary) / "rows.sqlite3", isolation_level=None, check_same_thread=False)
        try:
            # No other process reads the file, and nobody needs it after a crash, so it need not be safe on disk.
            db.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -8000;")
            yield RowMatcher(db)
        finally:
            db.close()
