"""The writes of a job's processing: records, result files and progress, saved chunk by chunk.

A chunk is saved in one transaction with the job's counters, its position in the upload and the valid length of each
result file. The next process that works on the job cuts off whatever a killed process had written beyond these lengths.
"""

import random
import sqlite3
import time
from dataclasses import dataclass, replace

from salesforce_emulator.clock import rest_time
from salesforce_emulator.config import EmulatorConfig
from salesforce_emulator.errors import JobFailure
from salesforce_emulator.jobs.job import Job
from salesforce_emulator.jobs.queue import JobQueue
from salesforce_emulator.jobs.results import ResultKind
from salesforce_emulator.processing.chunks import Chunk
from salesforce_emulator.processing.csv_reader import Record
from salesforce_emulator.processing.operations import Loader
from salesforce_emulator.processing.pace import Pace
from salesforce_emulator.processing.result_files import append_rows, header_line, open_result_files
from salesforce_emulator.processing.rows import Row, RowFormat
from salesforce_emulator.storage.database import Database
from salesforce_emulator.storage.usage import Allocation, Usage


@dataclass(slots=True)
class JobRun:
    """The state of a job's processing in this process.

    Attributes:
        job: the job after the last chunk that was saved.
        row_format: reads and prints the rows of the job.
        loader: does the job's operation.
        pace: the pace at which the job's rows are saved.
    """

    job: Job
    row_format: RowFormat
    loader: Loader
    pace: Pace


class JobWriter:
    """Saves the chunks of jobs, and charges them to the daily allocations.

    Args:
        database: the database of the org.
        queue: the queue of the jobs.
        usage: the use of the daily allocations.
        config: the settings of the org.
    """

    def __init__(self, database: Database, queue: JobQueue, usage: Usage, config: EmulatorConfig) -> None:
        self._database = database
        self._queue = queue
        self._usage = usage
        self._config = config

    def write_headers(self, job: Job, header: Record, header_bytes: int) -> Job | None:
        """Write the headers of the result files, and record where the data of the upload begins.

        Args:
            job: the job.
            header: the header of the upload.
            header_bytes: the length of the header in the upload.

        Returns:
            The changed job; None if it is no longer this process's job.
        """
        successful, failed = (
            header_line(job, kind, header, self._config.assumptions)
            for kind in (ResultKind.SUCCESSFUL, ResultKind.FAILED)
        )
        with self._database.writing() as connection:
            if not self._queue.is_ours(connection, job.id):
                return None
            self._queue.files.successful(job.id).write_bytes(successful)
            self._queue.files.failed(job.id).write_bytes(failed)
            return self._queue.note_headers(connection, job.id, header_bytes, len(successful), len(failed))

    def save(self, run: JobRun, chunk: Chunk) -> bool:
        """Save a chunk of records, and return True; return False if the job is no longer this process's.

        Raises:
            JobFailure: a daily allocation is used up; the records that it still allowed are saved.
        """
        began = time.perf_counter()
        rows = run.row_format.read(chunk.records)
        with self._database.writing() as connection:
            if not self._queue.is_ours(connection, run.job.id):
                return False
            granted, failure = self._allocate(connection, run.job, chunk)
            if granted:
                self._save_rows(connection, run, rows[:granted], chunk.ends[granted - 1], began)
        if failure:
            raise failure
        return True

    def _allocate(self, connection: sqlite3.Connection, job: Job, chunk: Chunk) -> tuple[int, JobFailure | None]:
        """Return how many records of the chunk may be saved, and the failure of the job if not all of them may."""
        if chunk.begins_batch and not self._usage.take(connection, Allocation.BATCHES, 1):
            self._queue.skip_rest(connection, job.id)  # documented: records of such batches are in none of the results
            # assumed: that the job fails; the text was seen in Bulk API 1.0
            return 0, JobFailure("ExceededQuota", "ApiBatchItems Limit exceeded.")
        wanted = len(chunk.records)
        granted = self._usage.take(connection, Allocation.RECORDS, wanted)
        if granted < wanted:  # documented: the job fails, and the rest is not processed; assumed: code and text
            limit = self._usage.max[Allocation.RECORDS]
            return granted, JobFailure("ExceededQuota", f"The limit of {limit} records in 24 hours is exceeded")
        return granted, None

    def _save_rows(
        self, connection: sqlite3.Connection, run: JobRun, rows: list[Row], read_bytes: int, began: float
    ) -> None:
        run.loader.save(connection, rows, rest_time(self._config.clock()))
        self._order_of_results(run.job).shuffle(rows)  # documented: results need not be in the order of the upload
        failed = [row for row in rows if row.error]
        successful = [row for row in rows if not row.error]
        cells, failed_cells = run.row_format.printed(successful), run.row_format.printed_failed(failed)
        assumptions = self._config.assumptions
        with open_result_files(self._queue.files, run.job) as (successful_file, failed_file):
            successful_bytes = append_rows(successful_file, run.job, successful, cells, assumptions)
            failed_bytes = append_rows(failed_file, run.job, failed, failed_cells, assumptions)
        seconds = max(time.perf_counter() - began, run.pace.seconds(len(rows)))
        self._queue.advance(
            connection,
            run.job.id,
            processed=len(rows),
            failed=len(failed),
            records_read=len(rows),
            read_bytes=read_bytes,
            successful_bytes=successful_bytes,
            failed_bytes=failed_bytes,
            active_ms=round(seconds * 1000),
        )
        run.job = replace(
            run.job,
            records_read=run.job.records_read + len(rows),
            read_bytes=read_bytes,
            successful_bytes=successful_bytes,
            failed_bytes=failed_bytes,
        )

    def _order_of_results(self, job: Job) -> random.Random:
        """Return the random generator for a chunk's results; a seed makes the order independent of interruptions."""
        seed = self._config.seed
        return random.Random(None if seed is None else f"{seed} {job.id} {job.read_bytes}")
