"""The part of the ledger by which rows that went into a job before are known again: a sketch of the rows of each upload.

An index has the number of each row of each sketch, so that of the earlier uploads only those are read that share rows.
"""

import hashlib
import json
import sqlite3
from array import array
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from salesforce_bulk_ingest.loading.row_sketch import KnownRows, RowSketch

MOST_COMPARED = 100
"""The most earlier uploads that one upload is compared with: those that have the most of its rows."""

MOST_FORGOTTEN = 100
"""The most records that are removed at once because of their age."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS recorded_loads (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    org TEXT NOT NULL,
    job_id TEXT NOT NULL,
    operation TEXT NOT NULL,
    columns TEXT NOT NULL,
    recorded REAL NOT NULL,
    sketch BLOB NOT NULL,
    UNIQUE (org, job_id)
);
CREATE INDEX IF NOT EXISTS loads_by_time ON recorded_loads (recorded);
CREATE TABLE IF NOT EXISTS loads_by_row (
    row INTEGER NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (row, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS undone_inserts (
    org TEXT NOT NULL,
    job_id TEXT NOT NULL,
    by_job TEXT NOT NULL,
    rows INTEGER NOT NULL,
    PRIMARY KEY (org, job_id, by_job)
);
CREATE INDEX IF NOT EXISTS undone_inserts_by_job ON undone_inserts (org, by_job);
"""

_WITH_ROWS = """
SELECT load.job_id, load.sketch
FROM (
    SELECT by_row.number AS number, COUNT(*) AS shared
    FROM json_each(:rows) AS wanted CROSS JOIN loads_by_row AS by_row ON by_row.row = wanted.value
    WHERE by_row.number > :after
    GROUP BY by_row.number
) AS found JOIN recorded_loads AS load ON load.number = found.number
WHERE load.org = :org AND load.columns = :columns AND load.recorded > :since
    AND load.operation IN (SELECT value FROM json_each(:operations))
    AND load.job_id NOT IN (SELECT value FROM json_each(:ignored))
ORDER BY found.shared DESC, found.number DESC
LIMIT :most
"""

_SAME_WORK: Mapping[str, tuple[str, ...]] = {
    "insert": ("insert", "upsert"),
    "upsert": ("insert", "upsert"),
    "delete": ("delete", "hardDelete"),
    "hardDelete": ("delete", "hardDelete"),
}
"""The operations of earlier jobs whose rows an operation would load a second time; of any other operation, itself."""


@dataclass(frozen=True, slots=True)
class LoadRecord:
    """The rows of one upload.

    Attributes:
        operation: the operation of the job.
        columns: a text that is equal for rows of the same object with the same columns, which alone are compared.
        sketch: the sketch of the rows.
    """

    operation: str
    columns: str
    sketch: RowSketch


@dataclass(frozen=True, slots=True)
class EarlierLoad:
    """An upload that has some of the rows of another.

    Attributes:
        job_id: the id of the job, of 15 characters.
        sketch: the sketch of the rows of the upload.
        known: how many of the rows of the other upload it has.
    """

    job_id: str
    sketch: RowSketch
    known: KnownRows


def earlier_loads(
    db: sqlite3.Connection, org: str, load: LoadRecord, *, after: int, since: float, ignored_jobs: Collection[str]
) -> Iterator[EarlierLoad]:
    """Yield the uploads with rows of the load, the one with the most first, recorded after another one and since a time."""
    values = {
        "rows": json.dumps(_rows_of(load)),
        "org": org,
        "columns": load.columns,
        "operations": json.dumps(_SAME_WORK.get(load.operation, (load.operation,))),
        "after": after,
        "since": since,
        "ignored": json.dumps([job_id[:15] for job_id in ignored_jobs]),
        "most": MOST_COMPARED,
    }
    for job_id, stored in db.execute(_WITH_ROWS, values):
        sketch = _sketch_of(stored)
        known = load.sketch.known_in([sketch])
        if known.count:
            yield EarlierLoad(job_id, sketch, known)


def last_number(db: sqlite3.Connection) -> int:
    """Return the number of the upload that was recorded last; uploads that are recorded later have greater numbers."""
    number: int = db.execute("SELECT COALESCE(MAX(number), 0) FROM recorded_loads").fetchone()[0]
    return number


def insert_load(db: sqlite3.Connection, org: str, job_id: str, load: LoadRecord, now: float) -> None:
    """Record the rows of the upload to a job, in place of an earlier record."""
    delete_load(db, org, job_id)
    values = (org, job_id[:15], load.operation, load.columns, now, load.sketch.to_bytes())
    command = "INSERT INTO recorded_loads (org, job_id, operation, columns, recorded, sketch) VALUES (?, ?, ?, ?, ?, ?)"
    number = db.execute(command, values).lastrowid
    db.executemany("INSERT OR IGNORE INTO loads_by_row VALUES (?, ?)", [(row, number) for row in _rows_of(load)])


def delete_load(db: sqlite3.Connection, org: str, job_id: str) -> None:
    """Remove the record of the upload to a job, if there is one."""
    query = "SELECT number, operation, columns, sketch FROM recorded_loads WHERE org = ? AND job_id = ?"
    for number, operation, columns, stored in db.execute(query, (org, job_id[:15])).fetchall():
        load = LoadRecord(operation, columns, _sketch_of(stored))
        rows = [(row, number) for row in _rows_of(load)]
        db.executemany("DELETE FROM loads_by_row WHERE row = ? AND number = ?", rows)
        db.execute("DELETE FROM recorded_loads WHERE number = ?", (number,))


def delete_old_loads(db: sqlite3.Connection, until: float) -> None:
    """Remove records of uploads up to a time, the oldest first; what is left is removed by later calls."""
    query = "SELECT org, job_id FROM recorded_loads WHERE recorded <= ? ORDER BY recorded LIMIT ?"
    for org, job_id in db.execute(query, (until, MOST_FORGOTTEN)).fetchall():
        delete_load(db, org, job_id)


def adopt_loads(db: sqlite3.Connection, org: str, new_org: str) -> None:
    """Copy the records of an org to another that has none of these jobs."""
    query = """
        SELECT job_id, operation, columns, sketch, recorded FROM recorded_loads AS load WHERE org = ?
        AND NOT EXISTS (SELECT 1 FROM recorded_loads WHERE org = ? AND job_id = load.job_id)
    """
    for job_id, operation, columns, stored, recorded in db.execute(query, (org, new_org)).fetchall():
        insert_load(db, new_org, job_id, LoadRecord(operation, columns, _sketch_of(stored)), recorded)


def _sketch_of(stored: bytes) -> RowSketch:
    """Return a stored sketch, which is empty if another version of this program stored it."""
    try:
        return RowSketch.from_bytes(stored)
    except ValueError:
        return RowSketch()


def _rows_of(load: LoadRecord) -> list[int]:
    """Return a number for each different row of the sketch, which is equal for equal rows with the same columns."""
    of_columns = int.from_bytes(hashlib.sha256(load.columns.encode()).digest()[:8])
    return array("q", array("Q", [of_row ^ of_columns for of_row in load.sketch.hashes]).tobytes()).tolist()


def insert_undo(db: sqlite3.Connection, org: str, by_job: str, rows: Mapping[str, int]) -> None:
    """Record that a job undoes other jobs: so many records of each of these."""
    values = [(org, job_id[:15], by_job[:15], count) for job_id, count in rows.items()]
    db.executemany("INSERT OR REPLACE INTO undone_inserts VALUES (?, ?, ?, ?)", values)


def undos_of(db: sqlite3.Connection, org: str, job_id: str) -> dict[str, int]:
    """Return the ids of the jobs that undo a job, each with the number of the records that it was given."""
    query = "SELECT by_job, rows FROM undone_inserts WHERE org = ? AND job_id = ? ORDER BY by_job"
    return dict(db.execute(query, (org, job_id[:15])).fetchall())


def jobs_undone_by(db: sqlite3.Connection, org: str, by_job: str) -> dict[str, int]:
    """Return the ids, of 15 characters, of the jobs that a job undoes, each with the number of its records."""
    query = "SELECT job_id, rows FROM undone_inserts WHERE org = ? AND by_job = ? ORDER BY job_id"
    return dict(db.execute(query, (org, by_job[:15])).fetchall())
