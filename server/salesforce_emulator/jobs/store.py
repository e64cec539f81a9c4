"""The jobs of the org, for the requests of callers and for the org's web pages."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from salesforce_emulator import ids
from salesforce_emulator.config import USER_ID, EmulatorConfig
from salesforce_emulator.errors import ApiError, invalid_job
from salesforce_emulator.jobs.expiry import Expiry
from salesforce_emulator.jobs.files import JobFiles
from salesforce_emulator.jobs.job import Job, JobRequest, find, from_row, job_time, move
from salesforce_emulator.jobs.states import Event, State, next_state
from salesforce_emulator.storage.database import Database
from salesforce_emulator.storage.records import next_serials

PAGE_SIZE = 1000
"""The number of jobs on a page of the list of all jobs."""


class JobStore:
    """Creates, finds, moves and deletes jobs; expired jobs are ended or deleted before a job is looked up.

    Args:
        database: the database of the org.
        files: the files of the jobs.
        expiry: the expiry of the jobs.
        config: the settings of the org, of which the store uses the clock and the assumption about second uploads.
        worker: the name of this process.

    Attributes:
        files: the files of the jobs.
    """

    def __init__(
        self, database: Database, files: JobFiles, expiry: Expiry, config: EmulatorConfig, worker: str
    ) -> None:
        self._database = database
        self._clock = config.clock
        self._second_upload = config.assumptions.second_upload
        self._expiry = expiry
        self._worker = worker
        self.files = files

    def create(self, request: JobRequest) -> Job:
        """Create a job in state Open."""
        with self._database.writing() as connection:
            return self._insert(connection, request)

    def create_closed(self, request: JobRequest, part: Path) -> Job:
        """Create a job with its data and queue it for processing, in one transaction.

        Args:
            request: the properties of the job.
            part: the path of the data, which is moved to the files of the job.
        """
        with self._database.writing() as connection:
            job = self._insert(connection, request)
            self._add_upload(connection, job, part)
            return self._close(connection, job)

    def _insert(self, connection: sqlite3.Connection, request: JobRequest) -> Job:
        now = job_time(self._clock())
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
        return find(connection, columns["id"])

    def get(self, job_id: str) -> Job:
        """Return the job with this id of 15 or 18 characters.

        Raises:
            ApiError: there is no such job (404).
        """
        self._expiry.expire()
        with self._database.reading() as connection:
            return find(connection, job_id)

    def newest(self, before: int | None, size: int = PAGE_SIZE) -> tuple[list[Job], int | None]:
        """Return a page of jobs, newest first (assumed: the order is documented as indeterminate).

        Args:
            before: the serial number that the page begins below, as an earlier call returned it; None for the first
                page.
            size: the largest number of jobs of the page.

        Returns:
            The page, and the `before` of the next page if there is one.
        """
        self._expiry.expire()
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT * FROM job WHERE serial < ? ORDER BY serial DESC LIMIT ?",
                (before if before is not None else 2**62, size + 1),
            ).fetchall()
        page = [from_row(row) for row in rows[:size]]
        return page, page[-1].serial if len(rows) > size else None

    def by_state(self) -> dict[State, int]:
        """Return the number of jobs in each state; states without jobs are left out."""
        self._expiry.expire()
        with self._database.reading() as connection:
            rows = connection.execute("SELECT state, COUNT(*) AS jobs FROM job GROUP BY state").fetchall()
        return {State(row["state"]): row["jobs"] for row in rows}

    def check_upload(self, job_id: str) -> Job:
        """Return the job, after a check that data may be uploaded for it.

        Raises:
            ApiError: there is no such job (404), or the job accepts no data or no further upload (400).
        """
        job = self.get(job_id)
        self._check_upload(job)
        return job

    def _check_upload(self, job: Job) -> None:
        next_state(Event.UPLOAD, job.state)
        if job.uploads and self._second_upload == "at-once":
            raise _several_uploads("multiple", job.id)

    def add_upload(self, job_id: str, part: Path) -> None:
        """Move a finished upload to the files of the job; only the first upload is the job's data.

        Raises:
            ApiError: the job was closed, aborted or deleted during the upload.
        """
        with self._changed_job(job_id) as (connection, job):
            self._check_upload(job)
            self._add_upload(connection, job, part)

    def _add_upload(self, connection: sqlite3.Connection, job: Job, part: Path) -> None:
        if not job.uploads:
            part.replace(self.files.upload(job.id))
        connection.execute("UPDATE job SET uploads = uploads + 1 WHERE id = ?", (job.id,))

    def close(self, job_id: str) -> Job:
        """Queue the job for processing; a job without any upload has no rows (assumed).

        Raises:
            ApiError: there is no such job (404), or it is in another state or has several uploads (400).
        """
        with self._changed_job(job_id) as (connection, job):
            next_state(Event.CLOSE, job.state)
            if job.uploads > 1:
                raise _several_uploads("multipe", job.id)
            return self._close(connection, job)

    def _close(self, connection: sqlite3.Connection, job: Job) -> Job:
        settings = (self._worker, self._clock().timestamp(), job.id)
        connection.execute("UPDATE job SET worker = ?, closed_at = ? WHERE id = ?", settings)
        return move(connection, job, Event.CLOSE, self._clock())

    def abort(self, job_id: str) -> Job:
        """Stop the job; the records that it has saved stay saved.

        Raises:
            ApiError: there is no such job (404), or its state does not allow the request (400).
        """
        with self._changed_job(job_id) as (connection, job):
            return move(connection, job, Event.ABORT, self._clock())

    def delete(self, job_id: str) -> None:
        """Delete the job and its files.

        Raises:
            ApiError: there is no such job (404), or its state does not allow the request (400).
        """
        with self._changed_job(job_id) as (connection, job):
            next_state(Event.DELETE, job.state)
            connection.execute("DELETE FROM job WHERE id = ?", (job.id,))
        self.files.remove(job.id)

    def is_known(self, job_id: str) -> bool:
        """Return whether there is a job with this id of 18 characters."""
        with self._database.reading() as connection:
            return connection.execute("SELECT 1 FROM job WHERE id = ?", (job_id,)).fetchone() is not None

    @contextmanager
    def _changed_job(self, job_id: str) -> Iterator[tuple[sqlite3.Connection, Job]]:
        self._expiry.expire()
        with self._database.writing() as connection:
            yield connection, find(connection, job_id)


def _several_uploads(multiple: str, job_id: str) -> ApiError:
    """Return the error of a job with several uploads.

    Seen at v43 on closing, misspelling included; only the first words are known of the error of a PUT.

    Args:
        multiple: the word "multiple", as the request's error spells it.
        job_id: the id of the job.
    """
    return invalid_job(
        f"Found {multiple} contents for job: <{job_id[:15]}>, please 'Close' / 'Abort' / 'Delete' the current Job then"
        " create a new Job and make sure you only do 'PUT' once on a given Job."
    )
