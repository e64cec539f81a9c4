"""The part of the ledger by which rows that went into a job before are known again: a sketch of the rows of each upload."""

import sqlite3
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from salesforce_bulk_ingest.loading.row_sketch import KnownRows, RowSketch

SCHEMA = """
CREATE TABLE IF NOT EXISTS loads (
    org TEXT NOT NULL,
    job_id TEXT NOT NULL,
    operation TEXT NOT NULL,
    columns TEXT NOT NULL,
    sketch BLOB NOT NULL,
    recorded REAL NOT NULL,
    PRIMARY KEY (org, job_id)
);
CREATE TABLE IF NOT EXISTS undone_inserts (
    org TEXT NOT NULL,
    job_id TEXT NOT NULL,
    by_job TEXT NOT NULL,
    rows INTEGER NOT NULL,
    PRIMARY KEY (org, job_id, by_job)
);
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
    db: sqlite3.Connection, org: str, load: LoadRecord, since: float, ignored_jobs: Collection[str]
) -> Iterator[EarlierLoad]:
    """Yield the uploads with rows of the load that were recorded since a time, one after the other."""
    operations = _SAME_WORK.get(load.operation, (load.operation,))
    query = "SELECT job_id, operation, sketch FROM loads WHERE org = ? AND columns = ? AND recorded > ?"
    for job_id, operation, stored in db.execute(query, (org, load.columns, since)):
        if operation not in operations or job_id in ignored_jobs:
            continue
        try:
            sketch = RowSketch.from_bytes(stored)
        except ValueError:  # another version of this program stored it
            continue
        yield EarlierLoad(job_id, sketch, load.sketch.known_in([sketch]))


def insert_load(db: sqlite3.Connection, org: str, job_id: str, load: LoadRecord, now: float) -> None:
    """Record the rows of the upload to a job."""
    values = (org, job_id[:15], load.operation, load.columns, load.sketch.to_bytes(), now)
    db.execute("INSERT OR REPLACE INTO loads VALUES (?, ?, ?, ?, ?, ?)", values)


def insert_undo(db: sqlite3.Connection, org: str, by_job: str, rows: Mapping[str, int]) -> None:
    """Record that a job deletes records which other jobs created: so many of each of these jobs."""
    values = [(org, job_id[:15], by_job[:15], count) for job_id, count in rows.items()]
    db.executemany("INSERT OR REPLACE INTO undone_inserts VALUES (?, ?, ?, ?)", values)


def undos_of(db: sqlite3.Connection, org: str, job_id: str) -> dict[str, int]:
    """Return the ids of the jobs that delete records which the job created, each with their number."""
    query = "SELECT by_job, rows FROM undone_inserts WHERE org = ? AND job_id = ?"
    return dict(db.execute(query, (org, job_id[:15])).fetchall())
