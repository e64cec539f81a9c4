"""The three results of a job: which bytes of which of its files hold each."""

from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from salesforce_emulator.jobs.files import JobFiles
from salesforce_emulator.jobs.job import Job


class Kind(StrEnum):
    """The three results, in the order that people ask for them."""

    FAILED = "failed"
    SUCCESSFUL = "successful"
    UNPROCESSED = "unprocessed"


@dataclass(frozen=True, slots=True)
class Result:
    """Where a result is: a header, and rows, which need not follow it at once.

    Attributes:
        path: the file; it is missing if nothing was written to it yet, or the job has been deleted.
        header_bytes: how long the header is, at the start of the file; 0 where `start` is before it.
        start, end: where the rows begin and end, in bytes.
        has_rows: whether there are any.
    """

    path: Path
    header_bytes: int
    start: int
    end: int
    has_rows: bool


def result_of(job: Job, files: JobFiles, kind: Kind) -> Result:
    """Where this result of the job is."""
    match kind:
        case Kind.SUCCESSFUL:
            return Result(files.successful(job.id), 0, 0, job.successful_bytes, job.processed > job.failed)
        case Kind.FAILED:
            return Result(files.failed(job.id), 0, 0, job.failed_bytes, job.failed > 0)
        case Kind.UNPROCESSED:
            # The rows that were not reached, byte for byte as they came (assumed; a client parses leniently).
            path = files.upload(job.id)
            size = _size_of(path) if job.uploads else 0
            return Result(path, job.header_bytes, job.read_bytes, size, size > job.read_bytes)


def _size_of(path: Path) -> int:
    with suppress(FileNotFoundError):
        return path.stat().st_size
    return 0
