"""An advisory local record of what went into which job, and which rows of earlier jobs did.

It tells a repeated upload from a second one. Any server can serve any job without it: a missing or broken file only
means that Salesforce itself has to refuse the repeat. Only rows of earlier jobs don't go out without it, since nobody else
would refuse those a second time.
"""

import logging
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import anyio.to_thread

from salesforce_bulk_ingest.base.errors import NoRecord

logger = logging.getLogger(__name__)

T = TypeVar("T")
UploadRecordState = Literal["sending", "sent"]

ALL_ROWS = b""
"""In place of a bit for each, however many they are."""

BUSY_SECONDS = 1
"""How long another process may hold the file before this one goes on without it."""

NEEDED_BUSY_SECONDS = 10
"""The same, where this one can't go on without it."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS uploads (
    org TEXT NOT NULL,
    job_id TEXT NOT NULL,
    state TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (org, job_id)
);
CREATE TABLE IF NOT EXISTS rows_sent_again (
    org TEXT NOT NULL,
    from_job TEXT NOT NULL,
    result TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    to_job TEXT NOT NULL,
    rows BLOB NOT NULL,
    PRIMARY KEY (org, from_job, result, sha256, to_job)
)
"""


@dataclass(frozen=True, slots=True)
class UploadRecord:
    """One upload: what was sent, and whether Salesforce acknowledged it."""

    state: UploadRecordState
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class RetriedRows:
    """Rows of one result of one job that go into another job.

    Attributes:
        from_job: whose rows they are.
        result: which of its results has them.
        sha256: of that: no order is promised, so that the same rows may have other places in it another time.
        rows: a bit for each row of that, the first one's being 1.
    """

    from_job: str
    result: str
    sha256: str
    rows: int


@dataclass(frozen=True, slots=True)
class EarlierRetry:
    """Rows that went into a job before.

    Attributes:
        from_job: whose rows they are.
        to_job: where they went.
        count: how many of those that are wanted now; of rows that have other places by now, at most.
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

    async def find(self, org: str, job_id: str) -> UploadRecord | None:
        """What is known of the job's upload."""

        return await self._run(lambda db: _selected(db, org, job_id), None)

    async def claim(self, org: str, job_id: str, upload: UploadRecord) -> UploadRecord | None:
        """Remember the upload unless there is one, in one step, also against other processes.

        Returns:
            The one that was there before; None if this one is now.
        """

        def insert(db: sqlite3.Connection) -> UploadRecord | None:
            values = (org, job_id[:15], upload.state, upload.sha256, upload.bytes)
            if db.execute("INSERT OR IGNORE INTO uploads VALUES (?, ?, ?, ?, ?)", values).rowcount:
                return None
            return _selected(db, org, job_id)

        return await self._run(insert, None)

    async def record(self, org: str, job_id: str, upload: UploadRecord) -> None:
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

    async def release(self, org: str, job_id: str) -> None:
        """Drop what is known of an upload to the job: Salesforce took nothing of it."""

        def delete(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM uploads WHERE org = ? AND job_id = ?", (org, job_id[:15]))
            db.execute("DELETE FROM rows_sent_again WHERE org = ? AND to_job = ?", (org, job_id[:15]))

        await self._run(delete, None)

    async def taken_before(
        self, org: str, taken: Sequence[RetriedRows], ignored: Collection[str]
    ) -> tuple[EarlierRetry, ...]:
        """Which of the rows went into other jobs, but for those jobs that are ignored.

        Raises:
            NoRecord: that can't be told.
        """
        return await self._needed(lambda db: tuple(_taken_before(db, org, taken, ignored)))

    async def taken_from(self, org: str, job_id: str) -> frozenset[str]:
        """The jobs that rows of a job went into.

        Raises:
            NoRecord: that can't be told.
        """
        found = await self._needed(lambda db: tuple(_taken_from(db, org, [job_id], ())))
        return frozenset(taken.to_job for taken in found)

    async def take(
        self,
        org: str,
        taken: Sequence[RetriedRows],
        to_job: str,
        *,
        ignored: Collection[str] | None,
        replaced: Mapping[str, Sequence[str]],
    ) -> tuple[EarlierRetry, ...]:
        """Remember that rows go into a job, unless some went elsewhere, in one step, also against other processes.

        Args:
            org: of both jobs.
            taken: the rows.
            to_job: where they go.
            ignored: jobs that do not count; None for all.
            replaced: jobs that have such rows and never loaded them, with the results that give them back: from now
                on, all of these are taken.

        Returns:
            Those that went elsewhere; none if these are remembered now.

        Raises:
            NoRecord: that can't be told.
        """

        def insert(db: sqlite3.Connection) -> tuple[EarlierRetry, ...]:
            db.execute("BEGIN IMMEDIATE")
            before: tuple[EarlierRetry, ...] = ()
            if ignored is not None:
                gone_on = _taken_from(db, org, replaced, ignored)
                before = (*_taken_before(db, org, taken, ignored), *gone_on)
            if not before:
                rows = [(org, t.from_job[:15], t.result, t.sha256, to_job[:15], _as_bytes(t.rows)) for t in taken]
                rows += [
                    (org, job[:15], result, "", to_job[:15], ALL_ROWS)
                    for job, results in replaced.items()
                    for result in results
                ]
                db.executemany("INSERT OR REPLACE INTO rows_sent_again VALUES (?, ?, ?, ?, ?, ?)", rows)
            return before

        return await self._needed(insert)

    async def _run(self, action: Callable[[sqlite3.Connection], T], without: T) -> T:
        try:
            return await anyio.to_thread.run_sync(self._with_db, action, BUSY_SECONDS)
        except (OSError, sqlite3.Error) as error:
            logger.warning("the record of uploads at %s can't be used: %s", self._path, error)
            return without

    async def _needed(self, action: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return await anyio.to_thread.run_sync(self._with_db, action, NEEDED_BUSY_SECONDS)
        except (OSError, sqlite3.Error) as error:
            logger.warning("the record of rows sent again at %s can't be used: %s", self._path, error)
            raise NoRecord(
                f"This server's record of rows sent again can't be used ({error}), so these may have been sent before."
            ) from error

    def _with_db(self, action: Callable[[sqlite3.Connection], T], busy_seconds: float) -> T:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._path, timeout=busy_seconds)) as db, db:
            db.executescript(SCHEMA)
            return action(db)


def _selected(db: sqlite3.Connection, org: str, job_id: str) -> UploadRecord | None:
    query = "SELECT state, sha256, bytes FROM uploads WHERE org = ? AND job_id = ?"
    row = db.execute(query, (org, job_id[:15])).fetchone()
    return UploadRecord(*row) if row else None


def _taken_before(
    db: sqlite3.Connection, org: str, taken: Sequence[RetriedRows], ignored: Collection[str]
) -> Iterator[EarlierRetry]:
    query = "SELECT to_job, sha256, rows FROM rows_sent_again WHERE org = ? AND from_job = ? AND result = ?"
    for wanted in taken:
        for to_job, sha256, rows in db.execute(query, (org, wanted.from_job[:15], wanted.result)).fetchall():
            common = wanted.rows
            if sha256 == wanted.sha256:
                common &= int.from_bytes(rows, "little")
            if common and to_job not in ignored:
                yield EarlierRetry(wanted.from_job, to_job, common.bit_count())


def _taken_from(
    db: sqlite3.Connection, org: str, from_jobs: Iterable[str], ignored: Collection[str]
) -> Iterator[EarlierRetry]:
    """Rows of these jobs themselves; those that went out as rows of the job before are noted there."""
    query = "SELECT to_job, rows FROM rows_sent_again WHERE org = ? AND from_job = ? AND rows != ?"
    for from_job in from_jobs:
        for to_job, rows in db.execute(query, (org, from_job[:15], ALL_ROWS)).fetchall():
            if to_job not in ignored:
                yield EarlierRetry(from_job, to_job, int.from_bytes(rows, "little").bit_count())


def _as_bytes(rows: int) -> bytes:
    return rows.to_bytes(-(-rows.bit_length() // 8), "little")
