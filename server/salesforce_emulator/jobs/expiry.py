"""The expiry of jobs: jobs that stay open for too long end, and old jobs are deleted."""

import sqlite3
from datetime import datetime, timedelta

from salesforce_emulator.clock import from_rest_time, rest_time
from salesforce_emulator.config import EmulatorConfig
from salesforce_emulator.jobs.files import JobFiles
from salesforce_emulator.jobs.job import Job, from_row, move
from salesforce_emulator.jobs.states import Event, State
from salesforce_emulator.storage.database import Database

MAX_DAYS = 36_500.0
"""The most days that expiry computes with: a date can't be moved by infinity, or by much more than a century."""

RETENTION_OVER = "system_modstamp <= ?"
OPEN_TOO_LONG = f"state = '{State.OPEN}' AND system_modstamp <= ?"  # an open job was last modified when it was created
ANY_EXPIRED = (
    f"SELECT EXISTS (SELECT 1 FROM job WHERE {OPEN_TOO_LONG}) OR EXISTS (SELECT 1 FROM job WHERE {RETENTION_OVER})"
)


class Expiry:
    """Ends the jobs that stay open for too long, and deletes the jobs whose retention time is over."""

    def __init__(self, database: Database, files: JobFiles, config: EmulatorConfig) -> None:
        self._database = database
        self._files = files
        self._clock = config.clock
        self._open_time = timedelta(hours=min(config.limits.open_hours, 24 * MAX_DAYS))
        self._retention_time = timedelta(days=min(config.limits.retention_days, MAX_DAYS))
        self._expired_jobs = config.assumptions.expired_jobs

    def expire(self) -> None:
        """End the jobs that were open for too long, and delete the jobs whose retention time is over.

        No timer does this: each query for jobs calls this method first, and the worker calls it every second.
        """
        now = self._clock()
        if not self._any_expired(now):
            return
        with self._database.writing() as connection:
            for job in self._jobs_open_too_long(connection, now):
                self._end(connection, job)
            deleted = self._ids_of_old_jobs(connection, now)
            connection.executemany("DELETE FROM job WHERE id = ?", [(job_id,) for job_id in deleted])
        for job_id in deleted:
            self._files.remove(job_id)

    def _any_expired(self, now: datetime) -> bool:
        """Return whether any job has expired; every request asks, so the statement reads indexes alone."""
        with self._database.reading() as connection:
            times = (rest_time(now - self._open_time), rest_time(now - self._retention_time))
            expired: int = connection.execute(ANY_EXPIRED, times).fetchone()[0]
        return bool(expired)

    def _jobs_open_too_long(self, connection: sqlite3.Connection, now: datetime) -> list[Job]:
        rows = connection.execute(f"SELECT * FROM job WHERE {OPEN_TOO_LONG}", (rest_time(now - self._open_time),))
        return [from_row(row) for row in rows]

    def _end(self, connection: sqlite3.Connection, job: Job) -> None:
        moment = from_rest_time(job.created_date) + self._open_time
        move(connection, job, Event.ABORT if self._expired_jobs == "aborted" else Event.FAIL, moment)
        if self._expired_jobs == "failed":
            message = f"Timeout : The job was open for more than {self._open_time / timedelta(hours=1):g} hours"
            connection.execute("UPDATE job SET error_message = ? WHERE id = ?", (message, job.id))

    def _ids_of_old_jobs(self, connection: sqlite3.Connection, now: datetime) -> list[str]:
        """Return the ids of jobs that last changed too long ago, ended or not (Bulk API limits: both are cleaned up)."""
        rows = connection.execute(
            f"SELECT id FROM job WHERE {RETENTION_OVER}", (rest_time(now - self._retention_time),)
        )
        return [row["id"] for row in rows]
