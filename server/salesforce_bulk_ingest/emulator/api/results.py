"""The three result files of a job: what is in each, and how one is answered."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from .. import errors
from ..jobs.files import JobFiles
from ..jobs.store import Job, is_finished
from ..processing.processor import result_headers
from .edge import org_of

READ_BYTES = 1 << 16
CSV_TYPE = "text/csv; charset=UTF-8"


@dataclass(frozen=True, slots=True)
class Result:
    """The body of a result: what it begins with, then parts of a file, each from one byte to another."""

    has_rows: bool
    head: bytes
    path: Path
    parts: tuple[tuple[int, int], ...]

    def stream(self) -> Iterator[bytes]:
        """The body, piece by piece; it ends early if the job is deleted meanwhile, as its caller wished."""
        if self.head:
            yield self.head
        with suppress(FileNotFoundError):
            for start, end in self.parts:
                yield from _slice(self.path, start, end)


def _slice(path: Path, start: int, end: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while start < end and (chunk := file.read(min(READ_BYTES, end - start))):
            start += len(chunk)
            yield chunk


def _successes(job: Job, files: JobFiles) -> Result:
    # assumed: before the names of the data are read, the header is that of Salesforce's own columns
    head = b"" if job.success_bytes else result_headers(job, [])[0]
    return Result(job.processed > job.failed, head, files.successes(job.id), ((0, job.success_bytes),))


def _failures(job: Job, files: JobFiles) -> Result:
    head = b"" if job.failure_bytes else result_headers(job, [])[1]
    return Result(job.failed > 0, head, files.failures(job.id), ((0, job.failure_bytes),))


def _unprocessed(job: Job, files: JobFiles) -> Result:
    """The header and the rows that were not reached, byte for byte as they came (assumed; a client parses leniently)."""
    path = files.upload(job.id)
    size = path.stat().st_size if job.uploads and path.exists() else 0
    return Result(size > job.read_bytes, b"", path, ((0, job.header_bytes), (job.read_bytes, size)))


RESULTS = {
    "successfulresults": _successes,
    "failedresults": _failures,
    "unprocessedrecords": _unprocessed,
}


async def results(request: Request) -> Response:
    """One of the three result files, streamed without a length (documented as chunked)."""
    find = RESULTS.get(request.path_params["segment"].lower())
    if find is None:
        raise errors.not_found()
    org = org_of(request)
    job = await run_in_threadpool(org.jobs.get, request.path_params["job_id"])
    assumptions = org.config.assumptions
    if not is_finished(job) and assumptions.early_results == "refused":
        # assumed: documented only as available after the end. An error can't be mistaken for "no failures", and no
        # client asks before it has seen a terminal state.
        raise errors.ApiError(400, "INVALIDJOBSTATE", f"Results of a job in state {job.state} are not available")
    result = await run_in_threadpool(find, job, org.jobs.files)
    if not result.has_rows and assumptions.empty_results == "no-content":
        return Response(status_code=204)
    is_blank = request.method == "HEAD" or (not result.has_rows and assumptions.empty_results == "blank")
    return StreamingResponse(iter(()) if is_blank else result.stream(), media_type=CSV_TYPE)
