"""The part of the ledger that says of which load a job's rows are: the source, the part, and the call that goes on."""

import json
import re
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

MOST_CHARACTERS = 2_000
"""The most characters of the arguments that are kept of one load."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS load_parts (
    org TEXT NOT NULL,
    job_id TEXT NOT NULL,
    source TEXT NOT NULL,
    arguments TEXT NOT NULL,
    part INTEGER NOT NULL,
    parts INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (org, job_id)
);
CREATE INDEX IF NOT EXISTS load_parts_by_rows ON load_parts (sha256, part);
CREATE TABLE IF NOT EXISTS let_through (
    org TEXT NOT NULL,
    job_id TEXT NOT NULL,
    recipe TEXT,
    created_by TEXT NOT NULL,
    PRIMARY KEY (org, job_id)
);
"""
"""What lets rows through where others are refused has a table of its own: arguments are for people, and long ones are left
out."""

_INSERT = """
INSERT INTO load_parts VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (org, job_id) DO UPDATE SET source = excluded.source, arguments = excluded.arguments,
    part = excluded.part, parts = excluded.parts, rows = excluded.rows, sha256 = excluded.sha256
"""
"""A record that takes the place of another keeps its place among the jobs."""

_NEXT_JOB = """
SELECT next.job_id
FROM load_parts AS this JOIN load_parts AS next
    ON (next.org, next.sha256, next.parts, next.part) = (this.org, this.sha256, this.parts, this.part + 1)
WHERE this.org = ? AND this.job_id = ? AND (
    next.rowid > this.rowid
    OR NOT EXISTS (
        SELECT 1 FROM load_parts AS other
        WHERE (other.org, other.sha256, other.parts, other.part) = (this.org, this.sha256, this.parts, this.part)
            AND other.rowid < next.rowid
    )
)
ORDER BY next.rowid DESC
"""
"""Jobs come in the order in which they got their rows. A job that was there before this one follows another with the same
part, if there is one: the rows are loaded a second time."""


_OTHER_JOBS = """
SELECT other.part, other.job_id
FROM load_parts AS this JOIN load_parts AS other
    ON (other.org, other.sha256, other.parts) = (this.org, this.sha256, this.parts) AND other.part != this.part
WHERE this.org = ? AND this.job_id = ?
ORDER BY other.rowid < this.rowid, other.rowid
"""
"""Of rows that were loaded a second time, the jobs of that time stand last: the newest of those before this one."""


_JOBS_AS_SOURCE = re.compile(r"job [0-9A-Za-z]{15,18}(?: and \d+ more)?")


def jobs_as_source(job_ids: Sequence[str]) -> str:
    """Return the name, for people, of jobs whose rows are sent again."""
    more = f" and {len(job_ids) - 1} more" if len(job_ids) > 1 else ""
    return f"job {job_ids[0][:18]}{more}"


def names_jobs(source: str) -> bool:
    """Return whether the name of a source is that of jobs, as `jobs_as_source` writes it."""
    return _JOBS_AS_SOURCE.fullmatch(source) is not None


@dataclass(frozen=True, slots=True)
class LoadOrigin:
    """Where the rows of a load come from.

    Attributes:
        source: the name of the source, such as that of a file; empty for rows that came as text.
        arguments: the arguments of the call that gives the same rows again, as JSON values; none of them is a cell.
        recipe: the name of the recipe by which they were loaded; None for rows without one.
        created_by: the ids of the jobs that created the records whose ids the rows are, and nothing else; none for other
            rows.
    """

    source: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    recipe: str | None = None
    created_by: tuple[str, ...] = ()

    @classmethod
    def of(cls, source: str, arguments: Mapping[str, Any]) -> Self:
        """Return the origin of the rows that a call with these arguments gives."""
        data = arguments.get("data")
        given = data if isinstance(data, dict) else {}
        return cls(source, arguments, given.get("recipe"), _creators_of(given))


def _creators_of(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the ids of the jobs of which rows have the ids of created records, and nothing else; none for other rows."""
    rows = data.get("rowsOf")
    changes = [name for name, value in data.items() if value and name not in ("rowsOf", "leaveOut")]
    if not isinstance(rows, dict) or changes or rows.get("which") != ["created"]:
        return ()
    jobs = rows.get("jobs")
    return tuple(map(str, jobs)) if isinstance(jobs, list) else ()


@dataclass(frozen=True, slots=True)
class LoadPart:
    """What the rows of a job are of the rows of its load.

    Attributes:
        origin: where the rows come from.
        number: the number of the part that the job has, from 1.
        of: the number of parts, each of which has a job.
        rows: the number of rows of all parts.
        sha256: the SHA-256 of the rows of all parts.
    """

    origin: LoadOrigin
    number: int
    of: int
    rows: int
    sha256: str


def insert_part(db: sqlite3.Connection, org: str, job_id: str, part: LoadPart) -> None:
    """Record the part that a job gets, in place of an earlier record; arguments that are too long are left out."""
    origin = part.origin
    arguments = json.dumps(origin.arguments)
    kept = arguments if len(arguments) <= MOST_CHARACTERS else "{}"
    values = (org, job_id[:15], origin.source, kept, part.number, part.of, part.rows, part.sha256)
    db.execute(_INSERT, values)
    rights = (org, job_id[:15], origin.recipe, json.dumps(origin.created_by))
    db.execute("INSERT OR REPLACE INTO let_through VALUES (?, ?, ?, ?)", rights)


def part_of(db: sqlite3.Connection, org: str, job_id: str) -> LoadPart | None:
    """Return the part that a job got, or None if none is recorded, or the record is damaged."""
    query = (
        "SELECT source, arguments, recipe, created_by, part, parts, rows, sha256"
        " FROM load_parts LEFT JOIN let_through USING (org, job_id) WHERE org = ? AND job_id = ?"
    )
    found = db.execute(query, (org, job_id[:15])).fetchone()
    if found is None:
        return None
    source, stored, recipe, creators, number, of, rows, sha256 = found
    try:
        arguments, created_by = json.loads(stored), json.loads(creators or "[]")
    except ValueError:
        return None
    if not isinstance(arguments, dict) or not isinstance(created_by, list):
        return None
    return LoadPart(LoadOrigin(source, arguments, recipe, tuple(map(str, created_by))), number, of, rows, sha256)


def next_job(db: sqlite3.Connection, org: str, job_id: str) -> str | None:
    """Return the id, of 15 characters, of the job that got the part after that of a job last; None if none did."""
    found = db.execute(_NEXT_JOB, (org, job_id[:15])).fetchone()
    return None if found is None else str(found[0])


def other_jobs(db: sqlite3.Connection, org: str, job_id: str) -> dict[int, str]:
    """Return the ids, of 15 characters, of the jobs that got the other parts of a job's load, by the number of the part."""
    return {int(part): str(job) for part, job in db.execute(_OTHER_JOBS, (org, job_id[:15]))}


def delete_part(db: sqlite3.Connection, org: str, job_id: str) -> None:
    """Remove the record of the part that a job got, if there is one."""
    for table in ("load_parts", "let_through"):
        db.execute(f"DELETE FROM {table} WHERE org = ? AND job_id = ?", (org, job_id[:15]))
