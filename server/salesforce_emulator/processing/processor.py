"""The processing of a job: from its upload to its records and results, chunk by chunk."""

import logging
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager

from salesforce_emulator.config import EmulatorConfig
from salesforce_emulator.errors import JobFailure
from salesforce_emulator.faults.active_plan import ActivePlan, JobFailedByPlan, JobHeld
from salesforce_emulator.jobs.job import Job
from salesforce_emulator.jobs.queue import JobQueue
from salesforce_emulator.processing.chunks import Chunk, next_chunk
from salesforce_emulator.processing.csv_reader import CsvReader, Record
from salesforce_emulator.processing.job_writer import JobRun, JobWriter
from salesforce_emulator.processing.operations import Loader
from salesforce_emulator.processing.pace import Pace
from salesforce_emulator.processing.rows import RowFormat
from salesforce_emulator.schema.model import Schema

AT_ONCE = 0.0
"""The earliest time of a turn that need not wait."""

RETRY_SECONDS = 1.0
"""The time between two attempts to end a job whose failure can't be saved."""

Turns = Generator[float, None, None]
"""The turns of a job, as a generator of the earliest time of each next turn, in seconds of the monotonic clock."""

log = logging.getLogger(__name__)


class Processor:
    """Processes jobs from their uploads to their results.

    Args:
        queue: the queue of the jobs.
        writer: saves the chunks of the jobs.
        schema: the objects of the org.
        config: the settings of the org.
        faults: the faults in force.
    """

    def __init__(
        self, queue: JobQueue, writer: JobWriter, schema: Schema, config: EmulatorConfig, faults: ActivePlan
    ) -> None:
        self._queue = queue
        self._writer = writer
        self._schema = schema
        self._config = config
        self._faults = faults

    def process(self, job_id: str) -> Turns:
        """Process a job to its end, with a turn for each chunk.

        The generator can be closed between two turns; another process can then go on with the job.
        """
        try:
            job = self._queue.start(job_id)
            if job is not None:
                yield from self._process(job)
                self._queue.finish(job_id)
        except JobHeld:
            pass  # the job is submitted again when the plan of faults changes
        except JobFailedByPlan as failure:
            self._queue.finish(job_id, str(failure), retries=failure.retries)
        except JobFailure as failure:
            self._queue.finish(job_id, str(failure))
        except Exception as error:
            yield from self._fail(job_id, error)

    def _fail(self, job_id: str, error: Exception) -> Turns:
        """End the job as Failed; if the failure can't be saved, as on a full disk, try again until it can."""
        logged = False
        while True:
            try:
                if self._queue.finish(job_id, f"InternalServerError : {type(error).__name__}"):
                    log.error("Job %s failed for a reason that is not in its data", job_id, exc_info=error)
                return
            except Exception:
                if not logged:
                    log.exception("Job %s could not be set to Failed; it will be tried again until it can", job_id)
                logged = True
            yield time.monotonic() + RETRY_SECONDS

    def _process(self, job: Job) -> Turns:
        if not job.uploads:
            return
        with self._open_upload(job) as reader:
            header, header_bytes = reader.header(), reader.offset
        if header is None:
            return
        if not job.header_bytes:
            begun = self._writer.write_headers(job, header, header_bytes)
            if begun is None:
                return
            job = begun
        run = self._run(job, header)
        if job.read_bytes == job.header_bytes:
            yield from self._check(job, len(header))
        yield from self._load(run)

    def _run(self, job: Job, header: Record) -> JobRun:
        row_format = RowFormat(self._schema, job, header, self._config.assumptions)
        loader = Loader(self._schema, job, row_format, self._faults, self._config.clock())
        return JobRun(job, row_format, loader, Pace(self._config.rows_per_second))

    @contextmanager
    def _open_upload(self, job: Job, offset: int = 0, width: int = 0) -> Iterator[CsvReader]:
        """Open the upload at this byte, for one turn: there may be more jobs than files can be open."""
        with self._queue.files.upload(job.id).open("rb") as file:
            file.seek(offset)
            yield CsvReader(
                file,
                delimiter=job.column_delimiter,
                line_ending=job.line_ending,
                width=width,
                assumptions=self._config.assumptions,
            )

    def _check(self, job: Job, width: int) -> Turns:
        """Read the whole upload before a row is saved: a job whose data is not CSV fails without any (seen)."""
        offset, more = job.header_bytes, True
        while more:
            with self._open_upload(job, offset, width) as reader:
                more = reader.check()
                offset = reader.offset
            yield AT_ONCE

    def _load(self, run: JobRun) -> Turns:
        while chunk := self._next_chunk(run.job):
            yield run.pace.due_after(len(chunk.records))
            self._faults.raise_chunk_fault(run.job.id)
            if not self._writer.save(run, chunk):
                return

    def _next_chunk(self, job: Job) -> Chunk | None:
        with self._open_upload(job, job.read_bytes) as reader:
            return next_chunk(reader, job.records_read, self._config.limits.batch_records)
