"""The jobs of the org: what is known of each, and the transactions that move it through its states."""

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from .. import ids
from ..clock import rest_time
from ..config import USER_ID
from ..errors import ApiError, invalid_job, not_found
from ..storage.database import Database
from ..storage.records import next_serials
from .states import TERMINAL, WAITING, Event, State, after

JOB_PREFIX = "750"
PAGE_SIZE = 1000

TABLE = """
CREATE TABLE IF NOT EXISTS job (
  serial INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  operation TEXT NOT NULL,
  object TEXT NOT NULL,
  external_id_field TEXT,
  assignment_rule_id TEXT,
  api_version TEXT NOT NULL,
  line_ending TEXT NOT NULL,
  column_delimiter TEXT NOT NULL,
  created_by_id TEXT NOT NULL,
  created_date TEXT NOT NULL,
  system_modstamp TEXT NOT NULL,
  state TEXT NOT NULL,
  uploads INTEGER NOT NULL DEFAULT 0,
  error_message TEXT,
  worker TEXT,
  closed_at REAL NOT NULL DEFAULT 0,
  processed INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  header_bytes INTEGER NOT NULL DEFAULT 0,
  read_bytes INTEGER NOT NULL DEFAULT 0,
  success_bytes INTEGER NOT NULL DEFAULT 0,
  failure_bytes INTEGER NOT NULL DEFAULT 0,
  active_ms INTEGER NOT NULL DEFAULT 0,
  total_ms INTEGER NOT NULL DEFAULT 0
)
"""


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
        header_bytes, read_bytes: where in the upload its data begins, and where the next record to process begins.
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
    header_bytes: int
    read_bytes: int
    success_bytes: int
    failure_bytes: int
    active_ms: int
    total_ms: int


def _job(row: sqlite3.Row) -> Job:
    return Job(**dict(row) | {"state": State(row["state"])})


class JobFiles:
    """Where the upload and the results of each job lie."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(exist_ok=True)

    def upload(self, job_id: str) -> Path:
        """The data as it came."""
        return self._folder / f"{job_id}.csv"

    def successes(self, job_id: str) -> Path:
        """The body of successfulResults."""
        return self._folder / f"{job_id}.successes.csv"

    def failures(self, job_id: str) -> Path:
        """The body of failedResults."""
        return self._folder / f"{job_id}.failures.csv"

    def incoming(self, token: str) -> Path:
        """An upload that has not ended yet."""
        return self._folder / f"{token}.part"

    def remove(self, job_id: str) -> None:
        """Remove all files of a job."""
        for path in (self.upload(job_id), self.successes(job_id), self.failures(job_id)):
            path.unlink(missing_ok=True)


class JobStore:
    """Creates, finds and moves jobs; every method is one transaction."""

    def __init__(self, database: Database, files: JobFiles, clock: Callable[[], datetime], worker: str) -> None:
        self._database = database
        self._clock = clock
        self._worker = worker
        self.files = files

    def create(self, request: JobRequest) -> Job:
        """A new job in state Open."""
        now = self._now()
        with self._database.writing() as connection:
            serial = next_serials(connection, JOB_PREFIX, 1)
            columns = {name: getattr(request, name) for name in JobRequest.__slots__} | {
                "id": ids.make(JOB_PREFIX, serial),
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
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT * FROM job WHERE serial < ? ORDER BY serial DESC LIMIT ?",
                (before if before is not None else 2**62, size + 1),
            ).fetchall()
        page = [_job(row) for row in rows[:size]]
        return page, page[-1].serial if len(rows) > size else None

    def by_state(self) -> dict[State, int]:
        """How many jobs are in each state; states without any are left out."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT state, COUNT(*) AS jobs FROM job GROUP BY state").fetchall()
        return {State(row["state"]): row["jobs"] for row in rows}

    def check(self, job_id: str, event: Event) -> Job:
        """The job, if a request may do this to it.

        Raises:
            ApiError: there is no such job (404), or its state does not allow this (400).
        """
        job = self.get(job_id)
        after(event, job.state)
        return job

    def uploaded(self, job_id: str, part: Path) -> None:
        """Take over a finished upload.

        The first counts as the job's data; one more is accepted but keeps the job from being closed (seen at v43).

        Raises:
            ApiError: meanwhile the job was closed, aborted or deleted.
        """
        with self._database.writing() as connection:
            job = self._find(connection, job_id)
            after(Event.UPLOAD, job.state)
            if not job.uploads:
                part.replace(self.files.upload(job.id))
            connection.execute("UPDATE job SET uploads = uploads + 1 WHERE id = ?", (job.id,))

    def close(self, job_id: str) -> Job:
        """Queue the job for processing; one without any upload has no rows (assumed).

        Raises:
            ApiError: no such job (404), wrong state or several uploads (400).
        """
        with self._database.writing() as connection:
            job = self._find(connection, job_id)
            after(Event.CLOSE, job.state)
            if job.uploads > 1:
                raise _several_uploads(job.id)
            settings = (self._worker, self._clock().timestamp(), job.id)
            connection.execute("UPDATE job SET worker = ?, closed_at = ? WHERE id = ?", settings)
            return self._move(connection, job, Event.CLOSE)

    def abort(self, job_id: str) -> Job:
        """Stop the job; what is saved stays saved.

        Raises:
            ApiError: no such job (404) or wrong state (400).
        """
        with self._database.writing() as connection:
            return self._move(connection, self._find(connection, job_id), Event.ABORT)

    def delete(self, job_id: str) -> None:
        """Forget the job and its files.

        Raises:
            ApiError: no such job (404) or wrong state (400).
        """
        with self._database.writing() as connection:
            job = self._find(connection, job_id)
            after(Event.DELETE, job.state)
            connection.execute("DELETE FROM job WHERE id = ?", (job.id,))
        self.files.remove(job.id)

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
            progress: `processed`, `failed` and `active_ms` of the chunk; `read_bytes`, `success_bytes` and
                `failure_bytes` as they are after it.
        """
        connection.execute(
            "UPDATE job SET processed = processed + :processed, failed = failed + :failed,"
            " active_ms = active_ms + :active_ms, read_bytes = :read_bytes,"
            " success_bytes = :success_bytes, failure_bytes = :failure_bytes WHERE id = :id",
            progress | {"id": job_id},
        )

    def finish(self, job_id: str, error_message: str | None = None) -> bool:
        """End the job as JobComplete, or as Failed with a message; False for a job that is no longer ours to end."""
        with self._database.writing() as connection:
            if not self.is_ours(connection, job_id):
                return False
            job = self._find(connection, job_id)
            total = max(round((self._clock().timestamp() - job.closed_at) * 1000), job.active_ms)
            settings = (error_message, total, job_id)
            connection.execute("UPDATE job SET error_message = ?, total_ms = ? WHERE id = ?", settings)
            self._move(connection, job, Event.FAIL if error_message else Event.COMPLETE)
            return True

    def adopt(self, is_gone: Callable[[str], bool]) -> Iterable[str]:
        """Take over the unfinished jobs of processes that are gone, and name them, oldest first."""
        with self._database.writing() as connection:
            marks = ", ".join("?" * len(WAITING))
            waiting = connection.execute(
                f"SELECT id, worker FROM job WHERE state IN ({marks}) ORDER BY serial", list(WAITING)
            ).fetchall()
            orphans = [row["id"] for row in waiting if is_gone(row["worker"])]
            connection.executemany("UPDATE job SET worker = ? WHERE id = ?", [(self._worker, id_) for id_ in orphans])
        return orphans

    def _now(self) -> str:
        return rest_time(self._clock().replace(microsecond=0))  # milliseconds of job dates are always 000 (seen)

    def _find(self, connection: sqlite3.Connection, job_id: str) -> Job:
        row = connection.execute("SELECT * FROM job WHERE id = ?", (ids.normal(job_id),)).fetchone()
        if row is None:
            raise not_found()
        return _job(row)

    def _move(self, connection: sqlite3.Connection, job: Job, event: Event) -> Job:
        settings = (after(event, job.state), self._now(), job.id)
        connection.execute("UPDATE job SET state = ?, system_modstamp = ? WHERE id = ?", settings)
        return self._find(connection, job.id)


def is_finished(job: Job) -> bool:
    """Whether nothing will happen to the job any more."""
    return job.state in TERMINAL


def _several_uploads(job_id: str) -> ApiError:
    """Seen at v43, misspelling included."""
    return invalid_job(
        f"Found multipe contents for job: <{job_id[:15]}>, please 'Close' / 'Abort' / 'Delete' the current Job then"
        " create a new Job and make sure you only do 'PUT' once on a given Job."
    )
