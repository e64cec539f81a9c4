"""The three results of a job, as ranges of bytes in its files."""

from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from salesforce_emulator.jobs.files import JobFiles
from salesforce_emulator.jobs.job import Job


class ResultKind(StrEnum):
    """A result of a job; the order is that of the org's web pages."""

    FAILED = "failed"
    SUCCESSFUL = "successful"
    UNPROCESSED = "unprocessed"


@dataclass(frozen=True, slots=True)
class ResultRange:
    """The bytes of a result in a file: a header, and rows that need not follow the header at once.

    Attributes:
        path: the path of the file, which is missing if nothing was written to it yet, or the job has been deleted.
        header_bytes: the length of the header at the start of the file; 0 if the range of the rows includes the header.
        start: the position of the first byte of the rows.
        end: the position after the last byte of the rows.
        has_rows: whether the result has rows.
    """

    path: Path
    header_bytes: int
    start: int
    end: int
    has_rows: bool


def result_of(job: Job, files: JobFiles, kind: ResultKind) -> ResultRange:
    """Return the range of a result of the job."""
    match kind:
        case ResultKind.SUCCESSFUL:
            return ResultRange(files.successful(job.id), 0, 0, job.successful_bytes, job.processed > job.failed)
        case ResultKind.FAILED:
            return ResultRange(files.failed(job.id), 0, 0, job.failed_bytes, job.failed > 0)
        case ResultKind.UNPROCESSED:
            # The rows that were not processed, byte for byte as they were sent (assumed; clients parse them leniently).
            path = files.upload(job.id)
            size = _size_of(path) if job.uploads else 0
            return ResultRange(path, job.header_bytes, job.read_bytes, size, size > job.read_bytes)


def _size_of(path: Path) -> int:
    with suppress(FileNotFoundError):
        return path.stat().st_size
    return 0
