"""One job from its upload to its records and result files, chunk by chunk.

A chunk is saved in one transaction with the counters, the place in the upload and the valid length of each result
file. Whatever a killed process had written beyond those lengths is cut off when the next one goes on.
"""

import logging
import random
import sqlite3
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from salesforce_emulator.clock import rest_time
from salesforce_emulator.config import EmulatorConfig
from salesforce_emulator.errors import JobFailure
from salesforce_emulator.faults.active import Faults, GivenUp, JobHeld
from salesforce_emulator.jobs.job import Job
from salesforce_emulator.jobs.queue import JobQueue
from salesforce_emulator.jobs.results import Kind
from salesforce_emulator.processing.batches import Chunk, next_chunk
from salesforce_emulator.processing.csv_reader import CsvReader, Record
from salesforce_emulator.processing.operations import Loader
from salesforce_emulator.processing.pace import Pace
from salesforce_emulator.processing.result_files import append, header_line, opened
from salesforce_emulator.processing.rows import Columns, Row
from salesforce_emulator.schema.model import Schema
from salesforce_emulator.storage.database import Database
from salesforce_emulator.storage.usage import Allocation, Usage

NOW = 0.0
RETRY_SECONDS = 1.0

Turns = Generator[float, None, None]
"""The turns of a job, each named by the earliest time of the monotonic clock at which the next may come."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Work:
    """What is at hand while the rows of a job are saved; `job` is what was known of it after the last of them."""

    job: Job
    columns: Columns
    loader: Loader
    pace: Pace


class Processor:
    """Takes one job from its upload to its results, chunk by chunk."""

    def __init__(
        self,
        database: Database,
        jobs: JobQueue,
        usage: Usage,
        schema: Schema,
        config: EmulatorConfig,
        faults: Faults,
    ) -> None:
        self._database = database
        self._jobs = jobs
        self._usage = usage
        self._schema = schema
        self._config = config
        self._faults = faults

    def process(self, job_id: str) -> Turns:
        """Process a job to its end; it yields between chunks, and may be closed there for another process to go on."""
        try:
            job = self._jobs.start(job_id)
            if job is not None:
                yield from self._work(job)
                self._jobs.finish(job_id)
        except JobHeld:
            pass  # the job is submitted again when the plan of faults changes
        except GivenUp as failure:
            self._jobs.finish(job_id, str(failure), retries=failure.retries)
        except JobFailure as failure:
            self._jobs.finish(job_id, str(failure))
        except Exception as error:
            yield from self._give_up(job_id, error)

    def _give_up(self, job_id: str, error: Exception) -> Turns:
        """Fail the job; where not even that can be noted, for a full disk say, once it can."""
        told = False
        while True:
            try:
                if self._jobs.finish(job_id, f"InternalServerError : {type(error).__name__}"):
                    log.error("Job %s failed for a reason that is not in its data", job_id, exc_info=error)
                return
            except Exception:
                if not told:
                    log.exception("Job %s could not be set to Failed; it will be tried again until it can", job_id)
                told = True
            yield time.monotonic() + RETRY_SECONDS

    def _work(self, job: Job) -> Turns:
        if not job.uploads:
            return
        with self._reading(job) as reader:
            header, header_bytes = reader.header(), reader.offset
        if header is None:
            return
        if not job.header_bytes:
            begun = self._begin(job, header, header_bytes)
            if begun is None:
                return
            job = begun
        sobject = self._schema[job.object]
        columns = Columns(
            self._schema,
            sobject,
            job.operation,
            header,
            api_version=job.api_version,
            assumptions=self._config.assumptions,
        )
        key, started = job.external_id_field, self._config.clock()
        loader = Loader(self._schema, sobject, job.operation, key, columns, self._faults, started)
        if job.read_bytes == job.header_bytes:
            yield from self._check(job, len(header))
        yield from self._load(job, columns, loader)

    @contextmanager
    def _reading(self, job: Job, offset: int = 0, width: int = 0) -> Iterator[CsvReader]:
        """The upload from this byte on, for no longer than a turn: there may be more jobs than files can be open."""
        with self._jobs.files.upload(job.id).open("rb") as file:
            file.seek(offset)
            yield CsvReader(
                file,
                delimiter=job.column_delimiter,
                line_ending=job.line_ending,
                width=width,
                assumptions=self._config.assumptions,
            )

    def _check(self, job: Job, width: int) -> Turns:
        """Read all of the upload before any of it is saved: one that is not CSV fails with no row evaluated (seen)."""
        offset, more = job.header_bytes, True
        while more:
            with self._reading(job, offset, width) as reader:
                more = reader.check()
                offset = reader.offset
            yield NOW

    def _begin(self, job: Job, header: Record, header_bytes: int) -> Job | None:
        """Write the headers of the result files, and note where the data begins; None if the job is gone meanwhile."""
        successful, failed = header_line(job, Kind.SUCCESSFUL, header), header_line(job, Kind.FAILED, header)
        with self._database.writing() as connection:
            if not self._jobs.is_ours(connection, job.id):
                return None
            self._jobs.files.successful(job.id).write_bytes(successful)
            self._jobs.files.failed(job.id).write_bytes(failed)
            return self._jobs.begin(connection, job.id, header_bytes, len(successful), len(failed))

    def _load(self, job: Job, columns: Columns, loader: Loader) -> Turns:
        work = Work(job, columns, loader, Pace(self._config.rows_per_second))
        while chunk := self._next_chunk(work.job):
            yield work.pace.due_after(len(chunk.records))
            self._faults.before_chunk(job.id)
            if not self._save(work, chunk):
                return

    def _next_chunk(self, job: Job) -> Chunk | None:
        with self._reading(job, job.read_bytes) as reader:
            return next_chunk(reader, job.records_read, self._config.limits.batch_records)

    def _save(self, work: Work, chunk: Chunk) -> bool:
        """Save a chunk of rows; False if the job is not ours any more.

        Raises:
            JobFailure: a daily allocation is used up; what was left of it is saved.
        """
        began = time.perf_counter()
        rows = work.columns.read(chunk.records)
        with self._database.writing() as connection:
            if not self._jobs.is_ours(connection, work.job.id):
                return False
            granted, refusal = self._allocate(connection, work.job, chunk)
            if granted:
                self._save_rows(connection, work, rows[:granted], chunk.ends[granted - 1], began)
        if refusal:
            raise refusal
        return True

    def _allocate(self, connection: sqlite3.Connection, job: Job, chunk: Chunk) -> tuple[int, JobFailure | None]:
        """How many records of the chunk may be saved, and why it is not all of them."""
        if chunk.begins_batch and not self._usage.take(connection, Allocation.BATCHES, 1):
            self._jobs.drop_rest(connection, job.id)  # documented: records of such batches are in none of the results
            # assumed: that the job fails; the text was seen in Bulk API 1.0
            return 0, JobFailure("ExceededQuota", "ApiBatchItems Limit exceeded.")
        wanted = len(chunk.records)
        granted = self._usage.take(connection, Allocation.RECORDS, wanted)
        if granted < wanted:  # documented: the job fails, and the rest is not processed; assumed: code and text
            limit = self._usage.max[Allocation.RECORDS]
            return granted, JobFailure("ExceededQuota", f"The limit of {limit} records in 24 hours is exceeded")
        return granted, None

    def _save_rows(
        self, connection: sqlite3.Connection, work: Work, rows: list[Row], read_bytes: int, began: float
    ) -> None:
        work.loader.save(connection, rows, rest_time(self._config.clock()))
        self._order(work.job).shuffle(rows)  # documented: results need not be in the order of the upload
        failed = [row for row in rows if row.error]
        successful = [row for row in rows if not row.error]
        with opened(self._jobs.files, work.job) as (successful_file, failed_file):
            successful_bytes = append(successful_file, work.job, successful, work.columns.printed(successful))
            failed_bytes = append(failed_file, work.job, failed, work.columns.printed_failed(failed))
        seconds = max(time.perf_counter() - began, work.pace.seconds(len(rows)))
        self._jobs.advance(
            connection,
            work.job.id,
            processed=len(rows),
            failed=len(failed),
            records_read=len(rows),
            read_bytes=read_bytes,
            successful_bytes=successful_bytes,
            failed_bytes=failed_bytes,
            active_ms=round(seconds * 1000),
        )
        work.job = replace(
            work.job,
            records_read=work.job.records_read + len(rows),
            read_bytes=read_bytes,
            successful_bytes=successful_bytes,
            failed_bytes=failed_bytes,
        )

    def _order(self, job: Job) -> random.Random:
        """What puts the results of a chunk in order; with a seed, the same wherever the work on the job was cut."""
        seed = self._config.seed
        return random.Random(None if seed is None else f"{seed} {job.id} {job.read_bytes}")
