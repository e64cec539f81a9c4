"""One job from its upload to its records and result files, chunk by chunk.

A chunk is saved in one transaction with the counters, the place in the upload and the valid length of each result
file. Whatever a killed process had written beyond those lengths is cut off when the next one goes on.
"""

import logging
import random
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from ..clock import rest_time
from ..errors import JobFailure
from ..jobs.store import Job, JobStore
from ..schema.model import Schema
from ..storage.database import Database
from .csvfile import CsvReader, Record, data_lines, header_line
from .operations import Loader
from .rows import Columns, Row

CHUNK = 200  # records saved and counted together: the documented trigger chunk, seen in the counters of real jobs

Turns = Generator[None, None, None]

log = logging.getLogger(__name__)


class Processor:
    """Takes one job from its upload to its results, chunk by chunk."""

    def __init__(
        self, database: Database, jobs: JobStore, schema: Schema, clock: Callable[[], datetime], seed: int | None
    ) -> None:
        self._database = database
        self._jobs = jobs
        self._schema = schema
        self._clock = clock
        self._seed = seed

    def process(self, job_id: str) -> Turns:
        """Process a job to its end; yields after each chunk, and may be closed there for another process to go on."""
        try:
            job = self._jobs.start(job_id)
            if job is not None:
                yield from self._work(job)
                self._jobs.finish(job_id)
        except JobFailure as failure:
            self._jobs.finish(job_id, str(failure))
        except Exception as error:
            self._give_up(job_id, error)

    def _give_up(self, job_id: str, error: Exception) -> None:
        try:
            if self._jobs.finish(job_id, f"InternalServerError : {type(error).__name__}"):
                log.error("Job %s failed for a reason that is not in its data", job_id, exc_info=error)
        except Exception:  # not even that: the disk is full, say; the other jobs must still get their turn
            log.exception("Job %s could not be set to Failed", job_id)

    def _work(self, job: Job) -> Turns:
        if not job.uploads:
            return
        with self._jobs.files.upload(job.id).open("rb") as file:
            reader = _reader(job, file)
            header = reader.header()
            if header is None:
                return
            if not job.header_bytes:
                begun = self._begin(job, header, reader.offset)
                if begun is None:
                    return
                job = begun
            sobject = self._schema[job.object]
            columns = Columns(self._schema, sobject, job.operation, header)
            loader = Loader(self._schema, sobject, job.operation, job.external_id_field, columns)
            if job.read_bytes == job.header_bytes:
                # Seen: a file that is not CSV fails with no row evaluated. So all of it is read before any is saved.
                yield from reader.check(CHUNK)
            file.seek(job.read_bytes)
            yield from self._load(job, columns, loader, file)

    def _begin(self, job: Job, header: Record, header_bytes: int) -> Job | None:
        """Write the headers of the result files, and note where the data begins; None if the job is gone meanwhile."""
        successes, failures = result_headers(job, header)
        with self._database.writing() as connection:
            if not self._jobs.is_ours(connection, job.id):
                return None
            self._jobs.files.successes(job.id).write_bytes(successes)
            self._jobs.files.failures(job.id).write_bytes(failures)
            return self._jobs.begin(connection, job.id, header_bytes, len(successes), len(failures))

    def _load(self, job: Job, columns: Columns, loader: Loader, file: BinaryIO) -> Turns:
        reader = _reader(job, file)
        shuffle = random.Random(None if self._seed is None else f"{self._seed} {job.id} {job.read_bytes}").shuffle
        with _results(self._jobs, job) as (successes, failures):
            for records in reader.chunks(CHUNK):
                began = time.perf_counter()
                rows = [columns.read(record) for record in records]
                with self._database.writing() as connection:
                    if not self._jobs.is_ours(connection, job.id):
                        return
                    loader.save(connection, rows, rest_time(self._clock()))
                    shuffle(rows)  # documented: results need not be in the order of the upload
                    failed = [row for row in rows if row.error]
                    self._jobs.advance(
                        connection,
                        job.id,
                        processed=len(rows),
                        failed=len(failed),
                        read_bytes=reader.offset,
                        success_bytes=_append(successes, job, columns, [row for row in rows if not row.error]),
                        failure_bytes=_append(failures, job, columns, failed),
                        active_ms=round((time.perf_counter() - began) * 1000),
                    )
                yield


def result_headers(job: Job, header: Record) -> tuple[bytes, bytes]:
    """The first lines of successfulResults and failedResults."""
    form = {"delimiter": job.column_delimiter, "line_ending": job.line_ending}
    return header_line(["sf__Id", "sf__Created"], header, **form), header_line(["sf__Id", "sf__Error"], header, **form)


def _reader(job: Job, file: BinaryIO) -> CsvReader:
    return CsvReader(file, delimiter=job.column_delimiter, line_ending=job.line_ending)


@contextmanager
def _results(jobs: JobStore, job: Job) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    with ExitStack() as stack:

        def cut(path: Path, size: int) -> BinaryIO:
            file = stack.enter_context(path.open("r+b"))
            file.truncate(size)
            file.seek(size)
            return file

        yield (
            cut(jobs.files.successes(job.id), job.success_bytes),
            cut(jobs.files.failures(job.id), job.failure_bytes),
        )


def _append(file: BinaryIO, job: Job, columns: Columns, rows: list[Row]) -> int:
    """Write rows to a result file, and return its length in bytes."""
    records = [[row.id, _outcome(row), *columns.printed(row)] for row in rows]
    file.write(data_lines(records, delimiter=job.column_delimiter, line_ending=job.line_ending))
    file.flush()
    return file.tell()


def _outcome(row: Row) -> str:
    if row.error:
        return str(row.error)
    return "true" if row.created else "false"
