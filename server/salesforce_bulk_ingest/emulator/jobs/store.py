"""The jobs of the org: what is known of each, and the transactions that move it through its states."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import get_type_hints

from .. import ids
from ..clock import from_rest_time, rest_time
from ..config import USER_ID, EmulatorConfig
from ..errors import ApiError, invalid_job, not_found
from ..storage.database import Database, create_table
from ..storage.records import next_serials
from .files import JobFiles
from .states import TERMINAL, WAITING, Event, State, after

PAGE_SIZE = 1000
LONG_DAYS = 36_500.0  # what is longer than a century, or infinite, is more than dates can be reckoned with

OUTLIVED = "system_modstamp <= ?"
LEFT_OPEN = f"state = '{State.OPEN}' AND system_modstamp <= ?"  # an open job has not moved since it was made
ANYTHING_DUE = f"SELECT EXISTS (SELECT 1 FROM job WHERE {LEFT_OPEN}) OR EXISTS (SELECT 1 FROM job WHERE {OUTLIVED})"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequest:
    """What a caller asks for when creating a job, checked and in canonical spelling."""

    operation: str
    object: str
    external_id_field: str | None
    assignment_rule_id: str | None
    api_version: str
    line_ending: str
    column_delimiter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Job(JobRequest):
    """One row of the table.

    Attributes:
        uploads: finished PUTs; a job with more than one can't be closed.
        worker: the process whose turn it is to work on the job.
        closed_at: when processing was asked for, in seconds since 1970.
        processed, failed: records whose results are on disk.
        retries: how often a batch was tried again.
        header_bytes, read_bytes: where in the upload its data begins, and where the next record to process begins.
        records_read: how many records lie between the two.
        success_bytes, failure_bytes: how much of each result file is valid; what follows was never committed.
        active_ms, total_ms: time spent in processing, and from close to end as far as it has ended.
    """

    serial: int
    id: str
    created_by_id: str
    created_date: str
    system_modstamp: str
    state: State
    uploads: int
    error_message: str | None
    worker: str | None
    closed_at: float
    processed: int
    failed: int
    retries: int
    header_bytes: int
    records_read: int
    read_bytes: int
    success_bytes: int
    failure_bytes: int
    active_ms: int
    total_ms: int


DECLARATIONS = {
    str: "TEXT NOT NULL",
    str | None: "TEXT",
    State: "TEXT NOT NULL",
    int: "INTEGER NOT NULL DEFAULT 0",
    float: "REAL NOT NULL DEFAULT 0",
}
COLUMNS = {name: DECLARATIONS[held] for name, held in get_type_hints(Job).items()}
COLUMNS |= {"serial": "INTEGER PRIMARY KEY", "id": "TEXT NOT NULL UNIQUE"}


def create_tables(connection: sqlite3.Connection) -> None:
    """Make the table of jobs, or what an older version of it lacks."""
    create_table(connection, "job", COLUMNS)
    connection.execute("CREATE INDEX IF NOT EXISTS job_age ON job (state, system_modstamp)")
    connection.execute("CREATE INDEX IF NOT EXISTS job_last_change ON job (system_modstamp)")


def _job(row: sqlite3.Row) -> Job:
    return Job(**{name: row[name] for name in COLUMNS} | {"state": State(row["state"])})


class JobStore:
    """Creates, finds, moves and forgets jobs.

    A method that is given a connection takes part in the caller's transaction; every other makes one of its own.

    Args:
        database: of the org.
        files: where the data of the jobs lies.
        config: the clock, and how long jobs may stay open and are kept.
        worker: the name of this process.
    """

    def __init__(self, database: Database, files: JobFiles, config: EmulatorConfig, worker: str) -> None:
        self._database = database
        self._clock = config.clock
        self._open_time = timedelta(hours=min(config.limits.open_hours, 24 * LONG_DAYS))
        self._kept_time = timedelta(days=min(config.limits.retention_days, LONG_DAYS))
        self._second_upload = config.assumptions.second_upload
        self._expired_jobs = config.assumptions.expired_jobs
        self._worker = worker
        self.files = files

    def create(self, request: JobRequest) -> Job:
        """A new job in state Open."""
        with self._database.writing() as connection:
            return self._insert(connection, request)

    def create_closed(self, request: JobRequest, part: Path) -> Job:
        """A new job with its data, queued for processing; all of it is done, or nothing."""
        with self._database.writing() as connection:
            job = self._insert(connection, request)
            self._take_over(connection, job, part)
            return self._close(connection, job)

    def _insert(self, connection: sqlite3.Connection, request: JobRequest) -> Job:
        now = self._now()
        serial = next_serials(connection, ids.JOB_PREFIX, 1)
        columns = {name: getattr(request, name) for name in JobRequest.__slots__} | {
            "id": ids.make(ids.JOB_PREFIX, serial),
            "created_by_id": USER_ID,
            "created_date": now,
            "system_modstamp": now,
            "state": State.OPEN,
        }
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        connection.execute(f"INSERT INTO job ({names}) VALUES ({marks})", list(columns.values()))
        return self._find(connection, columns["id"])

    def get(self, job_id: str) -> Job:
        """The job with this id of 15 or 18 characters.

        Raises:
            ApiError: there is none (404).
        """
        self.expire()
        with self._database.reading() as connection:
            return self._find(connection, job_id)

    def newest(self, before: int | None, size: int = PAGE_SIZE) -> tuple[list[Job], int | None]:
        """A page of jobs, newest first (assumed: the order is documented as indeterminate).

        Args:
            before: the running number that the page ends above, as an earlier page handed it out.
            size: how many jobs a page holds.

        Returns:
            The page, and the `before` of the next one if there is more.
        """
        self.expire()
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT * FROM job WHERE serial < ? ORDER BY serial DESC LIMIT ?",
                (before if before is not None else 2**62, size + 1),
            ).fetchall()
        page = [_job(row) for row in rows[:size]]
        return page, page[-1].serial if len(rows) > size else None

    def by_state(self) -> dict[State, int]:
        """How many jobs are in each state; states without any are left out."""
        self.expire()
        with self._database.reading() as connection:
            rows = connection.execute("SELECT state, COUNT(*) AS jobs FROM job GROUP BY state").fetchall()
        return {State(row["state"]): row["jobs"] for row in rows}

    def check_upload(self, job_id: str) -> Job:
        """The job, if data may be uploaded for it.

        Raises:
            ApiError: there is no such job (404), or it takes no data, or no more (400).
        """
        job = self.get(job_id)
        self._check_upload(job)
        return job

    def _check_upload(self, job: Job) -> None:
        after(Event.UPLOAD, job.state)
        if job.uploads and self._second_upload == "at-once":
            raise _several_uploads("multiple", job.id)

    def uploaded(self, job_id: str, part: Path) -> None:
        """Take over a finished upload; the first counts as the job's data.

        Raises:
            ApiError: meanwhile the job was closed, aborted or deleted.
        """
        with self._changing(job_id) as (connection, job):
            self._check_upload(job)
            self._take_over(connection, job, part)

    def _take_over(self, connection: sqlite3.Connection, job: Job, part: Path) -> None:
        if not job.uploads:
            part.replace(self.files.upload(job.id))
        connection.execute("UPDATE job SET uploads = uploads + 1 WHERE id = ?", (job.id,))

    def close(self, job_id: str) -> Job:
        """Queue the job for processing; one without any upload has no rows (assumed).

        Raises:
            ApiError: no such job (404), wrong state or several uploads (400).
        """
        with self._changing(job_id) as (connection, job):
            after(Event.CLOSE, job.state)
            if job.uploads > 1:
                raise _several_uploads("multipe", job.id)
            return self._close(connection, job)

    def _close(self, connection: sqlite3.Connection, job: Job) -> Job:
        settings = (self._worker, self._clock().timestamp(), job.id)
        connection.execute("UPDATE job SET worker = ?, closed_at = ? WHERE id = ?", settings)
        return self._move(connection, job, Event.CLOSE)

    def abort(self, job_id: str) -> Job:
        """Stop the job; what is saved stays saved.

        Raises:
            ApiError: no such job (404) or wrong state (400).
        """
        with self._changing(job_id) as (connection, job):
            return self._move(connection, job, Event.ABORT)

    def delete(self, job_id: str) -> None:
        """Forget the job and its files.

        Raises:
            ApiError: no such job (404) or wrong state (400).
        """
        with self._changing(job_id) as (connection, job):
            after(Event.DELETE, job.state)
            connection.execute("DELETE FROM job WHERE id = ?", (job.id,))
        self.files.remove(job.id)

    def expire(self) -> None:
        """End the jobs that were open for too long, and forget those that have been kept for long enough.

        Nothing waits for the moment: whoever asks for jobs comes here first, and the worker every now and then.
        """
        now = self._clock()
        if not self._anything_due(now):
            return
        with self._database.writing() as connection:
            for job in self._left_open(connection, now):
                self._end_open(connection, job)
            forgotten = self._outlived(connection, now)
            connection.executemany("DELETE FROM job WHERE id = ?", [(job_id,) for job_id in forgotten])
        for job_id in forgotten:
            self.files.remove(job_id)

    def _anything_due(self, now: datetime) -> bool:
        """Asked with every request, so it is one look into the index."""
        with self._database.reading() as connection:
            times = (rest_time(now - self._open_time), rest_time(now - self._kept_time))
            due: int = connection.execute(ANYTHING_DUE, times).fetchone()[0]
        return bool(due)

    def _left_open(self, connection: sqlite3.Connection, now: datetime) -> list[Job]:
        rows = connection.execute(f"SELECT * FROM job WHERE {LEFT_OPEN}", (rest_time(now - self._open_time),))
        return [_job(row) for row in rows]

    def _end_open(self, connection: sqlite3.Connection, job: Job) -> None:
        moment = rest_time(from_rest_time(job.created_date) + self._open_time)
        self._move(connection, job, Event.ABORT if self._expired_jobs == "aborted" else Event.FAIL, moment)
        if self._expired_jobs == "failed":
            message = f"Timeout : The job was open for more than {self._open_time / timedelta(hours=1):g} hours"
            connection.execute("UPDATE job SET error_message = ? WHERE id = ?", (message, job.id))

    def _outlived(self, connection: sqlite3.Connection, now: datetime) -> list[str]:
        """The jobs that ended, or were left behind unfinished, too long ago (Bulk API limits: both are cleaned up)."""
        rows = connection.execute(f"SELECT id FROM job WHERE {OUTLIVED}", (rest_time(now - self._kept_time),))
        return [row["id"] for row in rows]

    # What follows is for the worker.

    def start(self, job_id: str) -> Job | None:
        """Begin or take up processing; None if the job was aborted or deleted, or another process has it."""
        with self._database.writing() as connection:
            if not self.is_ours(connection, job_id):
                return None
            return self._move(connection, self._find(connection, job_id), Event.START)

    def is_ours(self, connection: sqlite3.Connection, job_id: str) -> bool:
        """Whether this process is still to work on the job."""
        row = connection.execute("SELECT state, worker FROM job WHERE id = ?", (job_id,)).fetchone()
        return row is not None and row["state"] in WAITING and row["worker"] == self._worker

    def begin(
        self, connection: sqlite3.Connection, job_id: str, header_bytes: int, success_bytes: int, failure_bytes: int
    ) -> Job:
        """Note where the data of the upload begins and that the result files hold their headers."""
        connection.execute(
            "UPDATE job SET header_bytes = ?1, read_bytes = ?1, success_bytes = ?2, failure_bytes = ?3 WHERE id = ?4",
            (header_bytes, success_bytes, failure_bytes, job_id),
        )
        return self._find(connection, job_id)

    def advance(self, connection: sqlite3.Connection, job_id: str, **progress: int) -> None:
        """Add a chunk to the counters and move the marks in the files, within the transaction that saves its records.

        Args:
            connection: the transaction.
            job_id: the job.
            progress: `processed`, `failed`, `records_read` and `active_ms` of the chunk; `read_bytes`, `success_bytes`
                and `failure_bytes` as they are after it.
        """
        connection.execute(
            "UPDATE job SET processed = processed + :processed, failed = failed + :failed,"
            " records_read = records_read + :records_read, active_ms = active_ms + :active_ms,"
            " read_bytes = :read_bytes, success_bytes = :success_bytes, failure_bytes = :failure_bytes WHERE id = :id",
            progress | {"id": job_id},
        )

    def drop_rest(self, connection: sqlite3.Connection, job_id: str) -> None:
        """Let what was not read yet appear in no result."""
        size = self.files.upload(job_id).stat().st_size
        connection.execute("UPDATE job SET read_bytes = ? WHERE id = ?", (size, job_id))

    def finish(self, job_id: str, error_message: str | None = None, *, retries: int = 0) -> bool:
        """End the job as JobComplete, or as Failed with a message; False for a job that is no longer ours to end."""
        with self._database.writing() as connection:
            if not self.is_ours(connection, job_id):
                return False
            job = self._find(connection, job_id)
            if job.uploads and not error_message:
                self.drop_rest(connection, job_id)  # blank lines at most
            total = max(round((self._clock().timestamp() - job.closed_at) * 1000), job.active_ms)
            settings = (error_message, total, retries, job_id)
            connection.execute("UPDATE job SET error_message = ?, total_ms = ?, retries = ? WHERE id = ?", settings)
            self._move(connection, job, Event.FAIL if error_message else Event.COMPLETE)
            return True

    def adopt(self, is_gone: Callable[[str], bool]) -> list[str]:
        """Take over the unfinished jobs of processes that are gone, and name them, oldest first."""
        with self._database.reading() as connection:
            if not self._orphans(connection, is_gone):
                return []
        with self._database.writing() as connection:
            orphans = self._orphans(connection, is_gone)
            connection.executemany("UPDATE job SET worker = ? WHERE id = ?", [(self._worker, id_) for id_ in orphans])
        return orphans

    def _orphans(self, connection: sqlite3.Connection, is_gone: Callable[[str], bool]) -> list[str]:
        statement = (
            f"SELECT id, worker FROM job WHERE state IN ({_marks(len(WAITING))}) AND worker != ? ORDER BY serial"
        )
        rows = connection.execute(statement, (*WAITING, self._worker)).fetchall()
        return [row["id"] for row in rows if is_gone(row["worker"])]

    def is_known(self, job_id: str) -> bool:
        """Whether there is a job of this id."""
        with self._database.reading() as connection:
            return connection.execute("SELECT 1 FROM job WHERE id = ?", (job_id,)).fetchone() is not None

    @contextmanager
    def _changing(self, job_id: str) -> Iterator[tuple[sqlite3.Connection, Job]]:
        self.expire()
        with self._database.writing() as connection:
            yield connection, self._find(connection, job_id)

    def _now(self) -> str:
        return rest_time(self._clock().replace(microsecond=0))  # milliseconds of job dates are always 000 (seen)

    def _find(self, connection: sqlite3.Connection, job_id: str) -> Job:
        row = connection.execute("SELECT * FROM job WHERE id = ?", (ids.normal(job_id),)).fetchone()
        if row is None:
            raise not_found()
        return _job(row)

    def _move(self, connection: sqlite3.Connection, job: Job, event: Event, moment: str | None = None) -> Job:
        settings = (after(event, job.state), moment or self._now(), job.id)
        connection.execute("UPDATE job SET state = ?, system_modstamp = ? WHERE id = ?", settings)
        return self._find(connection, job.id)


def is_finished(job: Job) -> bool:
    """Whether nothing will happen to the job any more."""
    return job.state in TERMINAL


def _several_uploads(multiple: str, job_id: str) -> ApiError:
    """Seen at v43 on closing, misspelling included; of the refusal of a PUT only the first words are known."""
    return invalid_job(
        f"Found {multiple} contents for job: <{job_id[:15]}>, please 'Close' / 'Abort' / 'Delete' the current Job then"
        " create a new Job and make sure you only do 'PUT' once on a given Job."
    )


def _marks(count: int) -> str:
    return ", ".join("?" * count)
