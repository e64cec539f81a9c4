"""The resources of the three results of a job: successful, failed and unprocessed records."""

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from salesforce_emulator import errors
from salesforce_emulator.api.endpoint import org_of
from salesforce_emulator.config import Assumptions
from salesforce_emulator.jobs.job import Job, is_finished
from salesforce_emulator.jobs.results import ResultKind, ResultRange, result_of
from salesforce_emulator.processing.result_files import header_line

READ_BYTES = 1 << 16
CSV_TYPE = "text/csv; charset=UTF-8"

RESULTS = {
    "successfulresults": ResultKind.SUCCESSFUL,
    "failedresults": ResultKind.FAILED,
    "unprocessedrecords": ResultKind.UNPROCESSED,
}
"""The kind of result by the path segment in lower case."""


async def results(request: Request) -> Response:
    """Return a result as CSV, streamed without a Content-Length (documented as chunked)."""
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
    if is_blank:
        return StreamingResponse(iter(()), media_type=CSV_TYPE)
    return await run_in_threadpool(_streamed, job, kind, result, assumptions)


def _streamed(job: Job, kind: ResultKind, result: ResultRange, assumptions: Assumptions) -> Response:
    """Return the streamed result. The file is opened at once, so that the stream is whole even if the job is deleted."""
    if not result.end:
        # assumed: before the header of the data is read, only Salesforce's own columns are in the header
        header = [] if kind is ResultKind.UNPROCESSED else [header_line(job, kind, [], assumptions)]
        return StreamingResponse(iter(header), media_type=CSV_TYPE)
    try:
        file = result.path.open("rb")
    except FileNotFoundError:
        raise errors.not_found() from None
    return _FileSlices(file, (0, result.header_bytes), (result.start, result.end))


class _FileSlices(StreamingResponse):
    """A response that streams slices of a file, and closes the file even if the caller disconnects before the end.

    Args:
        file: open file.
        slices: start and end of each slice, in bytes.
    """

    def __init__(self, file: BinaryIO, *slices: tuple[int, int]) -> None:
        super().__init__(self._read(slices), media_type=CSV_TYPE)
        self._file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._file:
            await super().__call__(scope, receive, send)

    def _read(self, slices: Iterable[tuple[int, int]]) -> Iterator[bytes]:
        for start, end in slices:
            self._file.seek(start)
            while start < end and (chunk := self._file.read(min(READ_BYTES, end - start))):
                start += len(chunk)
                yield chunk
