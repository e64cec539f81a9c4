"""An advisory local record of what went into which job, and which rows of earlier jobs did.

It tells a repeated upload from a second one. Any server can serve any job without it: a missing or broken file only
means that Salesforce itself has to refuse the repeat.
"""

import logging
import sqlite3
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import anyio.to_thread

logger = logging.getLogger(__name__)

T = TypeVar("T")
UploadState = Literal["sending", "sent"]

ALL_ROWS = b""
"""In place of a bit for each, however many they are."""

BUSY_SECONDS = 1
"""How long another process may hold the file before this one goes on without it."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS uploads (
    org TEXT NOT NULL,
    job_id TEXT NOT NULL,
    state TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (org, job_id)
);
CREATE TABLE IF NOT EXISTS rows_again (
    org TEXT NOT NULL,
    from_job TEXT NOT NULL,
    result TEXT NOT NULL,
    to_job TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    part INTEGER NOT NULL,
    rows BLOB NOT NULL,
    PRIMARY KEY (org, from_job, result, to_job)
)
"""


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload: what was sent, and whether Salesforce acknowledged it."""

    state: UploadState
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class RowsTaken:
    """Rows of one result of one job that go into another job.

    Attributes:
        from_job: whose rows they are.
        result: which of its results has them.
        rows: a bit for each row of that, the first one's being 1.
    """

    from_job: str
    result: str
    rows: int


@dataclass(frozen=True, slots=True)
class PartOf:
    """Which upload rows go out with: its parts have no row in common.

    Attributes:
        sha256: of all rows.
        part: of them, from 1.
    """

    sha256: str
    part: int


@dataclass(frozen=True, slots=True)
class TakenBefore:
    """Rows that went into a job before.

    Attributes:
        from_job: whose rows they are.
        to_job: where they went.
        count: how many of those that are wanted now.
    """

    from_job: str
    to_job: str
    count: int


class Ledger:
    """Uploads by org and job.

    Args:
        path: the SQLite file; its folder is made on first use.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    async def find(self, org: str, job_id: str) -> Upload | None:
        """What is known of the job's upload."""

        return await self._run(lambda db: _selected(db, org, job_id), None)

    async def claim(self, org: str, job_id: str, upload: Upload) -> Upload | None:
        """Remember the upload unless there is one, in one step, also against other processes.

        Returns:
            The one that was there before; None if this one is now.
        """

        def insert(db: sqlite3.Connection) -> Upload | None:
            values = (org, job_id[:15], upload.state, upload.sha256, upload.bytes)
            if db.execute("INSERT OR IGNORE INTO uploads VALUES (?, ?, ?, ?, ?)", values).rowcount:
                return None
            return _selected(db, org, job_id)

        return await self._run(insert, None)

    async def record(self, org: str, job_id: str, upload: Upload) -> None:
        """Remember or replace the job's upload."""

        def insert(db: sqlite3.Connection) -> None:
            values = (org, job_id[:15], upload.state, upload.sha256, upload.bytes)
            db.execute("INSERT OR REPLACE INTO uploads VALUES (?, ?, ?, ?, ?)", values)

        await self._run(insert, None)

    async def forget(self, org: str, job_id: str) -> None:
        """Drop what is known: the job is gone, or took nothing."""

        def delete(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM uploads WHERE org = ? AND job_id = ?", (org, job_id[:15]))

        await self._run(delete, None)

    async def taken_before(
        self, org: str, taken: Sequence[RowsTaken], upload: PartOf, ignored: Container[str]
    ) -> tuple[TakenBefore, ...]:
        """Which of the rows went into other jobs, but for those jobs that are ignored."""
        return await self._run(lambda db: tuple(_taken_before(db, org, taken, upload, ignored)), ())

    async def take(
        self,
        org: str,
        taken: Sequence[RowsTaken],
        upload: PartOf,
        to_job: str,
        *,
        ignored: Container[str] | None,
        replaced: Mapping[str, Sequence[str]],
    ) -> tuple[TakenBefore, ...]:
        """Remember that rows go into a job, unless some went elsewhere, in one step, also against other processes.

        Args:
            org: of both jobs.
            taken: the rows.
            upload: that they go out with.
            to_job: where they go.
            ignored: jobs that do not count; None for all.
            replaced: jobs that have such rows and never loaded them, with the results that give them back: from now
                on, all of these are taken.

        Returns:
            Those that went elsewhere; none if these are remembered now.
        """

        def insert(db: sqlite3.Connection) -> tuple[TakenBefore, ...]:
            db.execute("BEGIN IMMEDIATE")
            before = () if ignored is None else tuple(_taken_before(db, org, taken, upload, ignored))
            if not before:
                rows = [
                    (org, t.from_job[:15], t.result, to_job[:15], upload.sha256, upload.part, _as_bytes(t.rows))
                    for t in taken
                ]
                rows += [
                    (org, job[:15], result, to_job[:15], upload.sha256, upload.part, ALL_ROWS)
                    for job, results in replaced.items()
                    for result in results
                ]
                db.executemany("INSERT OR REPLACE INTO rows_again VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            return before

        return await self._run(insert, ())

    async def _run(self, action: Callable[[sqlite3.Connection], T], without: T) -> T:
        def connected() -> T:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._path, timeout=BUSY_SECONDS)) as db, db:
                db.executescript(SCHEMA)
                return action(db)

        try:
            return await anyio.to_thread.run_sync(connected)
        except (OSError, sqlite3.Error) as error:
            logger.warning("the record of uploads at %s can't be used: %s", self._path, error)
            return without


def _selected(db: sqlite3.Connection, org: str, job_id: str) -> Upload | None:
    query = "SELECT state, sha256, bytes FROM uploads WHERE org = ? AND job_id = ?"
    row = db.execute(query, (org, job_id[:15])).fetchone()
    return Upload(*row) if row else None


def _taken_before(
    db: sqlite3.Connection, org: str, taken: Sequence[RowsTaken], upload: PartOf, ignored: Container[str]
) -> Iterator[TakenBefore]:
    query = "SELECT to_job, sha256, part, rows FROM rows_again WHERE org = ? AND from_job = ? AND result = ?"
    for wanted in taken:
        for to_job, sha256, part, rows in db.execute(query, (org, wanted.from_job[:15], wanted.result)).fetchall():
            is_other_part = sha256 == upload.sha256 and part != upload.part
            common = wanted.rows if rows == ALL_ROWS else wanted.rows & int.from_bytes(rows, "little")
            if common and not is_other_part and to_job not in ignored:
                yield TakenBefore(wanted.from_job, to_job, common.bit_count())


def _as_bytes(rows: int) -> bytes:
    return rows.to_bytes(-(-rows.bit_length() // 8), "little")
