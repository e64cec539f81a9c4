"""The jobs that are to be processed, as the process that works on them moves them along."""

import sqlite3
from collections.abc import Callable

from salesforce_emulator.config import EmulatorConfig
from salesforce_emulator.jobs.files import JobFiles
from salesforce_emulator.jobs.job import Job, find, move
from salesforce_emulator.jobs.states import WAITING, Event
from salesforce_emulator.storage.database import Database


class JobQueue:
    """Begins jobs, notes how far they are, ends them, and takes them over from processes that died.

    A method that is given a connection takes part in the caller's transaction; every other makes one of its own.

    Args:
        database: of the org.
        files: where the data of the jobs lies.
        config: the clock.
        worker: the name of this process.
    """

    def __init__(self, database: Database, files: JobFiles, config: EmulatorConfig, worker: str) -> None:
        self._database = database
        self._clock = config.clock
        self._worker = worker
        self.files = files

    def start(self, job_id: str) -> Job | None:
        """Begin or take up processing; None if the job was aborted or deleted, or another process has it."""
        with self._database.writing() as connection:
            if not self.is_ours(connection, job_id):
                return None
            return move(connection, find(connection, job_id), Event.START, self._clock())

    def is_ours(self, connection: sqlite3.Connection, job_id: str) -> bool:
        """Whether this process is still to work on the job."""
        row = connection.execute("SELECT state, worker FROM job WHERE id = ?", (job_id,)).fetchone()
        return row is not None and row["state"] in WAITING and row["worker"] == self._worker

    def begin(
        self, connection: sqlite3.Connection, job_id: str, header_bytes: int, successful_bytes: int, failed_bytes: int
    ) -> Job:
        """Note where the data of the upload begins and that the result files hold their headers."""
        connection.execute(
            "UPDATE job SET header_bytes = ?1, read_bytes = ?1, successful_bytes = ?2, failed_bytes = ?3 WHERE id = ?4",
            (header_bytes, successful_bytes, failed_bytes, job_id),
        )
        return find(connection, job_id)

    def advance(self, connection: sqlite3.Connection, job_id: str, **progress: int) -> None:
        """Add a chunk to the counters and move the marks in the files, within the transaction that saves its records.

        Args:
            connection: the transaction.
            job_id: the job.
            progress: `processed`, `failed`, `records_read` and `active_ms` of the chunk; `read_bytes`, `successful_bytes`
                and `failed_bytes` as they are after it.
        """
        connection.execute(
            "UPDATE job SET processed = processed + :processed, failed = failed + :failed,"
            " records_read = records_read + :records_read, active_ms = active_ms + :active_ms,"
            " read_bytes = :read_bytes, successful_bytes = :successful_bytes, failed_bytes = :failed_bytes WHERE id = :id",
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
            job = find(connection, job_id)
            if job.uploads and not error_message:
                self.drop_rest(connection, job_id)  # blank lines at most
            total = max(round((self._clock().timestamp() - job.closed_at) * 1000), job.active_ms)
            settings = (error_message, total, retries, job_id)
            connection.execute("UPDATE job SET error_message = ?, total_ms = ?, retries = ? WHERE id = ?", settings)
            move(connection, job, Event.FAIL if error_message else Event.COMPLETE, self._clock())
            return True

    def adopt(self, is_gone: Callable[[str], bool]) -> list[str]:
        """Take over the unfinished jobs of processes that are gone, and name them, first closed first."""
        with self._database.reading() as connection:
            if not self._orphans(connection, is_gone):
                return []
        with self._database.writing() as connection:
            orphans = self._orphans(connection, is_gone)
            connection.executemany("UPDATE job SET worker = ? WHERE id = ?", [(self._worker, id_) for id_ in orphans])
        return orphans

    def _orphans(self, connection: sqlite3.Connection, is_gone: Callable[[str], bool]) -> list[str]:
        marks = ", ".join("?" * len(WAITING))
        statement = f"SELECT id, worker FROM job WHERE state IN ({marks}) AND worker != ? ORDER BY closed_at, serial"
        rows = connection.execute(statement, (*WAITING, self._worker)).fetchall()
        return [row["id"] for row in rows if is_gone(row["worker"])]
