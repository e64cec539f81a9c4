"""The ledger: a local record of which upload with which rows went into which job, and which rows of earlier jobs it retried.

The ledger tells a repeated upload from a second one. It is advisory: any server can serve any job without it, and a missing
or broken file only means that Salesforce itself has to refuse the repeat. Only retried rows need it, since Salesforce would
load them twice. So a ledger that is not the one that the cached files belong to, or an older copy of it, is not taken for a
whole record: it is whole only for jobs that are made later (`whole_since`).
"""

import json
import logging
import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeVar

import anyio

from salesforce_bulk_ingest.base.errors import NoRecord, StorageFailure
from salesforce_bulk_ingest.base.storage import FileError, storage_failure
from salesforce_bulk_ingest.base.threads import run_in_thread
from salesforce_bulk_ingest.cache import load_parts, load_records, looks, retried_rows
from salesforce_bulk_ingest.cache.ledger_mark import LedgerMark, LedgerMarkFile
from salesforce_bulk_ingest.cache.load_parts import LoadPart
from salesforce_bulk_ingest.cache.load_records import EarlierLoad, LoadRecord
from salesforce_bulk_ingest.cache.retried_rows import EarlierRetry, RetriedRows, SentRows
from salesforce_bulk_ingest.loading.by_record import LeftOutLines
from salesforce_bulk_ingest.salesforce.job_ids import is_job_id
from salesforce_bulk_ingest.salesforce.models import Job
from salesforce_bulk_ingest.salesforce.org import Org

logger = logging.getLogger(__name__)

T = TypeVar("T")
UploadRecordState = Literal["sending", "sent"]

BUSY_SECONDS = 1
"""How long another process may hold the file before this process goes on without the ledger."""

NEEDED_BUSY_SECONDS = 10
"""How long another process may hold the file where this process can't go on without the ledger."""

TURN_SECONDS = 10
"""How long a call waits for this process's other calls, which may wait for another process."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS uploads (
    org TEXT NOT NULL,
    job_id TEXT NOT NULL,
    state TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (org, job_id)
);
CREATE TABLE IF NOT EXISTS uploaded_rows (
    org TEXT NOT NULL,
    job_id TEXT NOT NULL,
    rows INTEGER NOT NULL,
    columns TEXT NOT NULL,
    PRIMARY KEY (org, job_id)
);
CREATE TABLE IF NOT EXISTS ended_jobs (
    org TEXT NOT NULL,
    job_id TEXT NOT NULL,
    state TEXT NOT NULL,
    processed INTEGER,
    PRIMARY KEY (org, job_id)
);
CREATE TABLE IF NOT EXISTS organizations (
    host TEXT NOT NULL,
    organization TEXT NOT NULL,
    PRIMARY KEY (host, organization)
)
"""

VERSION = 6
"""The version of the tables, by which they are known to be there."""

IDENTITY = """
CREATE TABLE IF NOT EXISTS identity (
    row INTEGER PRIMARY KEY CHECK (row = 1),
    id TEXT NOT NULL,
    retries INTEGER NOT NULL,
    whole_since REAL NOT NULL
)
"""
"""The table that tells this ledger from another, and from an older copy of itself by the number of retries recorded."""

COLUMNS_BY_TABLE = {
    "uploads": "job_id, state, sha256, bytes",
    "uploaded_rows": "job_id, rows, columns",
    "rows_sent_again": "from_job, result, sha256, to_job, rows",
    "ended_jobs": "job_id, state, processed",
    "undone_inserts": "job_id, by_job, rows",
    "load_parts": "job_id, source, arguments, part, parts, rows, sha256",
    "let_through": "job_id, recipe, created_by",
    "looks": "job_id, rows, unmatched, unchanged",
}
"""The columns beside `org` of each table that is kept by org."""


@dataclass(frozen=True, slots=True)
class UploadRecord:
    """One upload to a job.

    Attributes:
        state: `sent` once Salesforce has acknowledged the upload.
        sha256: SHA-256 of the bytes on the wire.
        bytes: number of bytes on the wire.
        rows: number of rows, without the header; None where they were not counted.
        columns: names of the columns; None where the rows were not counted.
        part: what the rows are of the rows of their load; None where that is not known.
    """

    state: UploadRecordState
    sha256: str
    bytes: int
    rows: int | None = None
    columns: tuple[str, ...] | None = None
    part: LoadPart | None = None


class Ledger:
    """The ledger in one SQLite file.

    Args:
        path: path of the file; its folder is made on first use.
        cache: folder of the cached files that belong to the ledger, or None.
        now: the clock, in seconds since 1970.
    """

    def __init__(self, path: Path, cache: Path | None = None, now: Callable[[], float] = time.time) -> None:
        self._path = path
        self._mark_file = LedgerMarkFile(cache)
        self._now = now
        self._turn = anyio.Lock(fast_acquire=True)
        self._hosts: dict[str, str] = {}
        """The host of each organization whose records by host are still to be found under the organization."""

    async def settle(self, org: Org) -> Org:
        """Make the records under the org's host ones of its organization, once and for all, with the next use of the file.

        Where the login does not tell the organization, it is the one organization that another login told at this host.
        """
        if org.organization_id is not None:
            self._hosts[org.key] = org.host
            return org
        if not _is_there(self._path):
            return org
        none: tuple[str, ...] = ()
        known = await self._run(lambda db: _organizations_at(db, org.host), none)
        return replace(org, organization_id=known[0]) if len(known) == 1 else org

    async def open(self) -> None:
        """Make the file if it is missing, before anything is cached: cached files without a ledger mean that it was lost."""
        await self._run(lambda db: None, None)

    async def whole_since(self) -> float:
        """Return the time, in seconds since 1970, before which rows may have been retried without a record; 0 if none were.

        Raises:
            NoRecord: the ledger can't be read.
        """
        return await self._run_needed(lambda db: _identity(db)[1])

    async def record_end(self, org: str, job: Job) -> None:
        """Record how a job has ended, before it is deleted."""

        def insert(db: sqlite3.Connection) -> None:
            values = (org, job.id[:15], job.state, job.number_records_processed)
            db.execute("INSERT OR REPLACE INTO ended_jobs VALUES (?, ?, ?, ?)", values)

        await self._run(insert, None)

    async def ended_job(self, org: str, job_id: str) -> Job | None:
        """Return what is recorded of a job that was deleted, or None."""

        def select(db: sqlite3.Connection) -> Job | None:
            if not is_job_id(job_id):  # an earlier version of this program stored what came as an id
                return None
            query = "SELECT state, processed FROM ended_jobs WHERE org = ? AND job_id = ?"
            row = db.execute(query, (org, job_id[:15])).fetchone()
            return Job(id=job_id, state=row[0], number_records_processed=row[1]) if row else None

        return await self._run(select, None)

    async def find(self, org: str, job_id: str) -> UploadRecord | None:
        """Return the record of the job's upload, or None if there is none."""

        return await self._run(lambda db: _select_upload(db, org, job_id), None, looks_only=True)

    async def claim(self, org: str, job_id: str, upload: UploadRecord) -> UploadRecord | None:
        """Record the upload unless the job has one, in one transaction across processes.

        Returns:
            The record that was there before, or None if this upload is recorded now.

        Raises:
            NoRecord: the ledger can't be written.
        """

        def insert(db: sqlite3.Connection) -> UploadRecord | None:
            values = (org, job_id[:15], upload.state, upload.sha256, upload.bytes)
            if db.execute("INSERT OR IGNORE INTO uploads VALUES (?, ?, ?, ?, ?)", values).rowcount:
                _replace_uploaded_rows(db, org, job_id, upload)
                return None
            return _select_upload(db, org, job_id)

        return await self._run_needed(insert, BUSY_SECONDS)

    async def record(self, org: str, job_id: str, upload: UploadRecord) -> None:
        """Record the upload in place of any record that the job has."""

        def insert(db: sqlite3.Connection) -> None:
            values = (org, job_id[:15], upload.state, upload.sha256, upload.bytes)
            db.execute("INSERT OR REPLACE INTO uploads VALUES (?, ?, ?, ?, ?)", values)
            _replace_uploaded_rows(db, org, job_id, upload)

        await self._run(insert, None)

    async def forget(self, org: str, job_id: str) -> None:
        """Remove the record of the job's upload; the rows that it retried stay recorded."""

        await self._run(lambda db: _delete_upload(db, org, job_id), None)

    async def release(self, org: str, job_id: str) -> None:
        """Remove the record of an upload of which Salesforce took nothing, and of the rows that it would have retried."""

        def delete(db: sqlite3.Connection) -> None:
            _delete_upload(db, org, job_id)
            retried_rows.delete_retry(db, org, job_id)
            load_records.delete_load(db, org, job_id)
            db.execute("DELETE FROM undone_inserts WHERE org = ? AND by_job = ?", (org, job_id[:15]))

        await self._run(delete, None)

    async def earlier_retries(
        self, org: str, rows: Sequence[RetriedRows], ignored_jobs: Collection[str]
    ) -> tuple[EarlierRetry, ...]:
        """Return which of the rows were retried before, in jobs that are not ignored.

        Raises:
            NoRecord: the ledger can't be read.
        """
        return await self._run_needed(lambda db: tuple(retried_rows.earlier_retries(db, org, rows, ignored_jobs)))

    async def sent_rows(self, org: str, jobs: Collection[str]) -> tuple[SentRows, ...]:
        """Return which rows of some jobs were retried before.

        Raises:
            NoRecord: the ledger can't be read.
        """
        return await self._run_needed(lambda db: tuple(retried_rows.sent_rows(db, org, jobs)))

    async def jobs_retrying(self, org: str, job_id: str) -> frozenset[str]:
        """Return the ids of the jobs that retried rows of a job.

        Raises:
            NoRecord: the ledger can't be read.
        """
        retries = await self._run_needed(lambda db: tuple(retried_rows.retries_of_jobs(db, org, [job_id], ())))
        return frozenset(retry.to_job for retry in retries)

    async def with_retried_jobs(self, org: str, jobs: Collection[str]) -> frozenset[str]:
        """Return the ids of jobs, with those of the jobs whose rows they retried, directly or in turn.

        Raises:
            NoRecord: the ledger can't be read.
        """
        return await self._run_needed(lambda db: retried_rows.with_retried_jobs(db, org, jobs))

    async def record_retry(
        self,
        org: str,
        rows: Sequence[RetriedRows],
        to_job: str,
        *,
        ignored_jobs: Collection[str] | None,
        replaced_jobs: Mapping[str, Sequence[str]],
    ) -> tuple[EarlierRetry, ...]:
        """Record that a job retries rows unless other jobs did, in one transaction across processes.

        Args:
            org: key of the org of all jobs.
            rows: the rows.
            to_job: id of the job that retries them.
            ignored_jobs: ids of jobs whose earlier retries do not count; None if no earlier retry counts.
            replaced_jobs: for the id of each job that retried the same rows and loaded none of them, the kinds of its
                results that give them back. All rows of these results count as retried from now on.

        Returns:
            The earlier retries, or none if the rows are recorded now.

        Raises:
            NoRecord: the ledger can't be read or written.
        """

        def insert(db: sqlite3.Connection) -> tuple[EarlierRetry, ...]:
            db.execute("BEGIN IMMEDIATE")
            earlier: tuple[EarlierRetry, ...] = ()
            if ignored_jobs is not None:
                retried_on = retried_rows.retries_of_jobs(db, org, replaced_jobs, ignored_jobs)
                earlier = (*retried_rows.earlier_retries(db, org, rows, ignored_jobs), *retried_on)
            if not earlier:
                retried_rows.insert_retry(db, org, rows, to_job, replaced_jobs)
                db.execute("UPDATE identity SET retries = retries + 1")
            return earlier

        return await self._run_needed(insert)

    async def earlier_loads(
        self, org: str, load: LoadRecord, *, since: float, ignored_jobs: Collection[str]
    ) -> tuple[int, tuple[EarlierLoad, ...]]:
        """Compare rows with the uploads that were recorded since a time, to jobs that are not ignored.

        Returns:
            The number of the last upload that is recorded, and the uploads that have some of the rows.

        Raises:
            NoRecord: the ledger can't be read.
        """

        def select(db: sqlite3.Connection) -> tuple[int, tuple[EarlierLoad, ...]]:
            # First the last: an upload that is recorded after it is compared when these rows are recorded.
            last = load_records.last_number(db)
            found = load_records.earlier_loads(db, org, load, after=0, since=since, ignored_jobs=ignored_jobs)
            return last, tuple(found)

        return await self._run_needed(select)

    async def record_load(
        self,
        org: str,
        job_id: str,
        load: LoadRecord,
        *,
        now: float,
        since: float,
        after: int | None = 0,
        ignored_jobs: Collection[str] = (),
    ) -> EarlierLoad | None:
        """Record the rows of an upload unless another job has at least half of them, in one transaction across processes.

        Args:
            org: key of the org.
            job_id: id of the job that gets the rows.
            load: the rows.
            now: the time, in seconds since 1970.
            since: the time from which on earlier uploads count; records before it are removed.
            after: the number of the upload after which others count; None if none counts.
            ignored_jobs: ids of jobs that do not count.

        Returns:
            The upload that has the rows, or None if the rows are recorded now.

        Raises:
            NoRecord: the ledger can't be read or written.
        """

        def insert(db: sqlite3.Connection) -> EarlierLoad | None:
            db.execute("BEGIN IMMEDIATE")
            if after is not None:
                for earlier in load_records.earlier_loads(
                    db, org, load, after=after, since=since, ignored_jobs=ignored_jobs
                ):
                    if earlier.known.are_half:
                        return earlier
            load_records.delete_old_loads(db, since)
            load_records.insert_load(db, org, job_id, load, now)
            return None

        return await self._run_needed(insert)

    async def next_job(self, org: str, job_id: str) -> str | None:
        """Return the id, of 15 characters, of the job that got the part after that of a job; None if none is known."""
        return await self._run(lambda db: load_parts.next_job(db, org, job_id), None, looks_only=True)

    async def jobs_of_other_parts(self, org: str, job_id: str) -> dict[int, str]:
        """Return the ids, of 15 characters, of the jobs with the other parts of a job's load, by the number of the part."""
        return await self._run(lambda db: load_parts.other_jobs(db, org, job_id), {}, looks_only=True)

    async def record_look(self, org: str, job_id: str, rows: str, found: LeftOutLines) -> None:
        """Record which rows a look at the org left out of a job; see `looks.insert_look`."""
        await self._run(lambda db: looks.insert_look(db, org, job_id, rows, found), None)

    async def look_of(self, org: str, job_id: str, rows: str) -> LeftOutLines | None:
        """Return which of these rows a look at the org left out of a job; None if the job is not known to have them."""
        return await self._run(lambda db: looks.look_of(db, org, job_id, rows), None, looks_only=True)

    async def record_undo(self, org: str, by_job: str, rows: Mapping[str, int]) -> None:
        """Record that a job undoes other jobs: so many records of each of these."""
        await self._run(lambda db: load_records.insert_undo(db, org, by_job, rows), None)

    async def undos_of(self, org: str, job_id: str) -> Mapping[str, int]:
        """Return the ids of the jobs that undo a job, each with the number of the records that it was given."""
        none: Mapping[str, int] = {}
        return await self._run(lambda db: load_records.undos_of(db, org, job_id), none, looks_only=True)

    async def jobs_undone_by(self, org: str, by_job: str) -> Mapping[str, int]:
        """Return the ids, of 15 characters, of the jobs that a job undoes, each with the number of its records."""
        none: Mapping[str, int] = {}
        return await self._run(lambda db: load_records.jobs_undone_by(db, org, by_job), none, looks_only=True)

    async def _run(self, action: Callable[[sqlite3.Connection], T], default: T, *, looks_only: bool = False) -> T:
        """Run an action on the file; return the default where the file can't be used."""
        try:
            if looks_only:  # readers do not keep each other out
                found = await run_in_thread(self._look, action)
                if found is not None:
                    return found[0]
            return await self._in_turn(action, BUSY_SECONDS)
        except FileError as error:
            logger.warning("%s", self._failure(error))
            return default

    async def _run_needed(
        self, action: Callable[[sqlite3.Connection], T], busy_seconds: float = NEEDED_BUSY_SECONDS
    ) -> T:
        """Run an action on the file; raise NoRecord where the file can't be used."""
        try:
            return await self._in_turn(action, busy_seconds)
        except FileError as error:
            failure = self._failure(error)
            logger.warning("%s", failure)
            raise NoRecord(
                f"{failure.what} So these rows may have been sent before. {failure.remedy}", str(failure)
            ) from error

    def _failure(self, error: Exception) -> StorageFailure:
        return storage_failure("This server's record of rows sent can't be used", error, self._path)

    async def _in_turn(self, action: Callable[[sqlite3.Connection], T], busy_seconds: float) -> T:
        """Run an action after those of this process's other calls: SQLite gives no turns, so that some of many starve."""
        has_turn = False
        with anyio.move_on_after(TURN_SECONDS):
            await self._turn.acquire()
            has_turn = True
        try:
            return await run_in_thread(self._with_db, action, busy_seconds)
        finally:
            if has_turn:
                self._turn.release()

    def _look(self, action: Callable[[sqlite3.Connection], T]) -> tuple[T] | None:
        """Return what an action that only reads finds; None where the file has to be prepared first, in turn."""
        with closing(self._connect(BUSY_SECONDS)) as db:
            return (action(db),) if not self._hosts and _has_all_tables(db) else None

    def _connect(self, busy_seconds: float) -> sqlite3.Connection:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return sqlite3.connect(self._path, timeout=busy_seconds)

    def _with_db(self, action: Callable[[sqlite3.Connection], T], busy_seconds: float) -> T:
        with closing(self._connect(busy_seconds)) as db:
            self._prepare(db)
            with db:
                result = action(db)
            self._mark_file.write(_identity(db)[0])
            return result

    def _prepare(self, db: sqlite3.Connection) -> None:
        """Make the tables that are missing, and find records by host under their organization."""
        self._identify(db)
        if not _has_all_tables(db):
            # In one transaction: outside of one, each of the tables would wait for the disk.
            db.executescript(
                f"BEGIN IMMEDIATE; {load_records.SCHEMA}{load_parts.SCHEMA}{looks.SCHEMA}{retried_rows.SCHEMA}{SCHEMA};"
                f"PRAGMA user_version = {VERSION}; COMMIT"
            )
        for organization, host in list(self._hosts.items()):
            with db:
                _adopt(db, organization, host)
            self._hosts.pop(organization, None)

    def _identify(self, db: sqlite3.Connection) -> None:
        """Note in a ledger that is not that of the cached files, or an older copy of it, that it is whole from now on."""
        known = self._mark_file.read()  # before the ledger, which another process may take further at any time
        is_new = False
        if not _has_table(db, "identity"):
            db.execute("BEGIN IMMEDIATE")  # another process may be doing the same
            is_new = not _has_table(db, "uploads")
            db.execute(IDENTITY)
            db.execute("INSERT OR IGNORE INTO identity VALUES (1, ?, 0, 0)", (secrets.token_hex(8),))
            db.commit()
        mark = _identity(db)[0]
        if known is None:
            # A version without marks may have cached the files, but its ledger would have tables.
            was_lost = is_new and self._mark_file.has_cached_files()
        else:
            was_lost = known.ledger_id != mark.ledger_id or known.retries > mark.retries
        if was_lost:
            logger.warning(
                "the record at %s is not the one that the cached files belong to: that one was lost", self._path
            )
            with db:
                db.execute("UPDATE identity SET whole_since = ?", (self._now(),))


def _is_there(path: Path) -> bool:
    """Return whether there is a file; unlike `Path.exists`, false also where that can't be found out."""
    return os.path.exists(path)


def _has_all_tables(db: sqlite3.Connection) -> bool:
    version: tuple[int] = db.execute("PRAGMA user_version").fetchone()
    return version == (VERSION,)


def _has_table(db: sqlite3.Connection, name: str) -> bool:
    return db.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (name,)).fetchone() is not None


def _identity(db: sqlite3.Connection) -> tuple[LedgerMark, float]:
    """Return the mark of the ledger, and since when it is whole."""
    ledger_id, retries, whole_since = db.execute("SELECT id, retries, whole_since FROM identity").fetchone()
    return LedgerMark(ledger_id, retries), whole_since


def _adopt(db: sqlite3.Connection, organization: str, host: str) -> None:
    """Copy the records under a host to its organization, once.

    They stay under the host as well: on this machine, a port may have been that of another org before.
    """
    if not db.execute("INSERT OR IGNORE INTO organizations VALUES (?, ?)", (host, organization)).rowcount:
        return
    for table, columns in COLUMNS_BY_TABLE.items():
        db.execute(
            f"INSERT OR IGNORE INTO {table} (org, {columns}) SELECT ?, {columns} FROM {table} WHERE org = ?",
            (organization, host),
        )
    load_records.adopt_loads(db, host, organization)


def _organizations_at(db: sqlite3.Connection, host: str) -> tuple[str, ...]:
    rows = db.execute("SELECT organization FROM organizations WHERE host = ?", (host,)).fetchall()
    return tuple(organization for (organization,) in rows)


def _select_upload(db: sqlite3.Connection, org: str, job_id: str) -> UploadRecord | None:
    query = (
        "SELECT state, sha256, bytes, rows, columns FROM uploads LEFT JOIN uploaded_rows USING (org, job_id)"
        " WHERE org = ? AND job_id = ?"
    )
    row = db.execute(query, (org, job_id[:15])).fetchone()
    if row is None:
        return None
    state, sha256, size, rows, cell = row
    columns = _names_in(cell)
    part = load_parts.part_of(db, org, job_id)
    return UploadRecord(state, sha256, size, None if columns is None else rows, columns, part)


def _names_in(cell: str | None) -> tuple[str, ...] | None:
    """Return the names in a cell of JSON, or None where there is none, or the cell is damaged."""
    try:
        names = json.loads(cell or "null")
    except ValueError:
        return None
    is_whole = isinstance(names, list) and all(isinstance(name, str) for name in names)
    return tuple(names) if is_whole else None


def _replace_uploaded_rows(db: sqlite3.Connection, org: str, job_id: str, upload: UploadRecord) -> None:
    db.execute("DELETE FROM uploaded_rows WHERE org = ? AND job_id = ?", (org, job_id[:15]))
    if upload.rows is not None and upload.columns is not None:
        values = (org, job_id[:15], upload.rows, json.dumps(upload.columns))
        db.execute("INSERT INTO uploaded_rows VALUES (?, ?, ?, ?)", values)
    if upload.part is None:
        load_parts.delete_part(db, org, job_id)
    else:
        load_parts.insert_part(db, org, job_id, upload.part)


def _delete_upload(db: sqlite3.Connection, org: str, job_id: str) -> None:
    looks.delete_look(db, org, job_id)
    for table in ("uploads", "uploaded_rows"):
        db.execute(f"DELETE FROM {table} WHERE org = ? AND job_id = ?", (org, job_id[:15]))
    load_parts.delete_part(db, org, job_id)
