"""The resources of the three results of a job."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from .. import errors
from ..jobs.job import Job, is_finished
from ..jobs.results import Kind, Result, result_of
from ..processing.resultfiles import header_line
from .edge import org_of

READ_BYTES = 1 << 16
CSV_TYPE = "text/csv; charset=UTF-8"


RESULTS = {
    "successfulresults": Kind.SUCCESSFUL,
    "failedresults": Kind.FAILED,
    "unprocessedrecords": Kind.UNPROCESSED,
}


async def results(request: Request) -> Response:
    """One of the three result files, streamed without a length (documented as chunked)."""
    kind = RESULTS.get(request.path_params["segment"].lower())
    if kind is None:
        raise errors.not_found()
    org = org_of(request)
    job = await run_in_threadpool(org.jobs.get, request.path_params["job_id"])
    assumptions = org.config.assumptions
    if not is_finished(job) and assumptions.early_results == "refused":
        raise errors.results_not_available(job.state)
    result = await run_in_threadpool(result_of, job, org.jobs.files, kind)
    if not result.has_rows and assumptions.empty_results == "no-content":
        return Response(status_code=204)
    is_blank = request.method == "HEAD" or (not result.has_rows and assumptions.empty_results == "blank")
    body = iter(()) if is_blank else _body(job, kind, result)
    return StreamingResponse(body, media_type=CSV_TYPE)


def _body(job: Job, kind: Kind, result: Result) -> Iterator[bytes]:
    """The result, piece by piece; it ends early if the job is deleted meanwhile, as its caller wished."""
    if not result.end and kind is not Kind.UNPROCESSED:
        # assumed: before the names of the data are read, the header is that of Salesforce's own columns
        yield header_line(job, kind, [])
    with suppress(FileNotFoundError):
        for start, end in ((0, result.header_bytes), (result.start, result.end)):
            yield from _slice(result.path, start, end)


def _slice(path: Path, start: int, end: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while start < end and (chunk := file.read(min(READ_BYTES, end - start))):
            start += len(chunk)
            yield chunk
