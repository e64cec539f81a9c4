"""How jobs age: those that are left open end, and those that are kept for long enough are forgotten."""

import sqlite3
from datetime import datetime, timedelta

from salesforce_emulator.clock import from_rest_time, rest_time
from salesforce_emulator.config import EmulatorConfig
from salesforce_emulator.jobs.files import JobFiles
from salesforce_emulator.jobs.job import Job, from_row, move
from salesforce_emulator.jobs.states import Event, State
from salesforce_emulator.storage.database import Database

LONG_DAYS = 36_500.0  # what is longer than a century, or infinite, is more than dates can be reckoned with

OUTLIVED = "system_modstamp <= ?"
LEFT_OPEN = f"state = '{State.OPEN}' AND system_modstamp <= ?"  # an open job has not moved since it was made
ANYTHING_DUE = f"SELECT EXISTS (SELECT 1 FROM job WHERE {LEFT_OPEN}) OR EXISTS (SELECT 1 FROM job WHERE {OUTLIVED})"


class Expiry:
    """Ends and forgets jobs when their time has come."""

    def __init__(self, database: Database, files: JobFiles, config: EmulatorConfig) -> None:
        self._database = database
        self._files = files
        self._clock = config.clock
        self._open_time = timedelta(hours=min(config.limits.open_hours, 24 * LONG_DAYS))
        self._kept_time = timedelta(days=min(config.limits.retention_days, LONG_DAYS))
        self._expired_jobs = config.assumptions.expired_jobs

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
            self._files.remove(job_id)

    def _anything_due(self, now: datetime) -> bool:
        """Asked with every request, so it is one look into the index."""
        with self._database.reading() as connection:
            times = (rest_time(now - self._open_time), rest_time(now - self._kept_time))
            due: int = connection.execute(ANYTHING_DUE, times).fetchone()[0]
        return bool(due)

    def _left_open(self, connection: sqlite3.Connection, now: datetime) -> list[Job]:
        rows = connection.execute(f"SELECT * FROM job WHERE {LEFT_OPEN}", (rest_time(now - self._open_time),))
        return [from_row(row) for row in rows]

    def _end_open(self, connection: sqlite3.Connection, job: Job) -> None:
        moment = from_rest_time(job.created_date) + self._open_time
        move(connection, job, Event.ABORT if self._expired_jobs == "aborted" else Event.FAIL, moment)
        if self._expired_jobs == "failed":
            message = f"Timeout : The job was open for more than {self._open_time / timedelta(hours=1):g} hours"
            connection.execute("UPDATE job SET error_message = ? WHERE id = ?", (message, job.id))

    def _outlived(self, connection: sqlite3.Connection, now: datetime) -> list[str]:
        """The jobs that ended, or were left behind unfinished, too long ago (Bulk API limits: both are cleaned up)."""
        rows = connection.execute(f"SELECT id FROM job WHERE {OUTLIVED}", (rest_time(now - self._kept_time),))
        return [row["id"] for row in rows]
