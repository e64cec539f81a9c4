"""The queue of jobs that wait for processing or are being processed, for the process that works on them."""

import sqlite3
from collections.abc import Callable

from salesforce_emulator.config import EmulatorConfig
from salesforce_emulator.jobs.files import JobFiles
from salesforce_emulator.jobs.job import Job, find, move
from salesforce_emulator.jobs.states import UNFINISHED, Event
from salesforce_emulator.storage.database import Database


class JobQueue:
    """Starts jobs, records their progress, ends them, and adopts the jobs of processes that died.

    A method with a connection among its arguments takes part in the caller's transaction; every other method makes a
    transaction of its own.

    Args:
        database: the database of the org.
        files: the files of the jobs.
        config: the settings of the org, of which the queue uses the clock.
        worker: the name of this process.

    Attributes:
        files: the files of the jobs.
    """

    def __init__(self, database: Database, files: JobFiles, config: EmulatorConfig, worker: str) -> None:
        self._database = database
        self._clock = config.clock
        self._worker = worker
        self.files = files

    def start(self, job_id: str) -> Job | None:
        """Move the job to InProgress and return it; None if it was aborted or deleted, or is another process's job."""
        with self._database.writing() as connection:
            if not self.is_ours(connection, job_id):
                return None
            return move(connection, find(connection, job_id), Event.START, self._clock())

    def is_ours(self, connection: sqlite3.Connection, job_id: str) -> bool:
        """Return whether the job is still unfinished, and belongs to this process."""
        row = connection.execute("SELECT state, worker FROM job WHERE id = ?", (job_id,)).fetchone()
        return row is not None and row["state"] in UNFINISHED and row["worker"] == self._worker

    def note_headers(
        self, connection: sqlite3.Connection, job_id: str, header_bytes: int, successful_bytes: int, failed_bytes: int
    ) -> Job:
        """Record the lengths of the headers of the upload and of both result files."""
        connection.execute(
            "UPDATE job SET header_bytes = ?1, read_bytes = ?1, successful_bytes = ?2, failed_bytes = ?3 WHERE id = ?4",
            (header_bytes, successful_bytes, failed_bytes, job_id),
        )
        return find(connection, job_id)

    def advance(self, connection: sqlite3.Connection, job_id: str, **progress: int) -> None:
        """Record the progress that a chunk of records makes, within the transaction that saves its records.

        Args:
            connection: a connection with the transaction.
            job_id: the id of the job.
            progress: the numbers `processed`, `failed`, `records_read` and `active_ms` of the chunk, which are added;
                and the positions `read_bytes`, `successful_bytes` and `failed_bytes` after the chunk.
        """
        connection.execute(
            "UPDATE job SET processed = processed + :processed, failed = failed + :failed,"
            " records_read = records_read + :records_read, active_ms = active_ms + :active_ms,"
            " read_bytes = :read_bytes, successful_bytes = :successful_bytes, failed_bytes = :failed_bytes WHERE id = :id",
            progress | {"id": job_id},
        )

    def skip_rest(self, connection: sqlite3.Connection, job_id: str) -> None:
        """Mark the whole upload as read, so that the records not read yet appear in none of the results."""
        size = self.files.upload(job_id).stat().st_size
        connection.execute("UPDATE job SET read_bytes = ? WHERE id = ?", (size, job_id))

    def finish(self, job_id: str, error_message: str | None = None, *, retries: int = 0) -> bool:
        """End the job as JobComplete, or as Failed with a message; return False if it is no longer this process's job."""
        with self._database.writing() as connection:
            if not self.is_ours(connection, job_id):
                return False
            job = find(connection, job_id)
            if job.uploads and not error_message:
                self.skip_rest(connection, job_id)  # only blank lines are left
            total = max(round((self._clock().timestamp() - job.closed_at) * 1000), job.active_ms)
            settings = (error_message, total, retries, job_id)
            connection.execute("UPDATE job SET error_message = ?, total_ms = ?, retries = ? WHERE id = ?", settings)
            move(connection, job, Event.FAIL if error_message else Event.COMPLETE, self._clock())
            return True

    def adopt(self, has_ended: Callable[[str], bool]) -> list[str]:
        """Take over the unfinished jobs of processes that have ended, and return their ids in the order of closing."""
        with self._database.reading() as connection:
            if not self._orphans(connection, has_ended):
                return []
        with self._database.writing() as connection:
            orphans = self._orphans(connection, has_ended)
            connection.executemany("UPDATE job SET worker = ? WHERE id = ?", [(self._worker, id_) for id_ in orphans])
        return orphans

    def _orphans(self, connection: sqlite3.Connection, has_ended: Callable[[str], bool]) -> list[str]:
        marks = ", ".join("?" * len(UNFINISHED))
        statement = f"SELECT id, worker FROM job WHERE state IN ({marks}) AND worker != ? ORDER BY closed_at, serial"
        rows = connection.execute(statement, (*UNFINISHED, self._worker)).fetchall()
        return [row["id"] for row in rows if has_ended(row["worker"])]
