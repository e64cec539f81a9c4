"""The resources of ingest jobs (Bulk API 2.0 guide, Reference)."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from .. import errors
from ..jobs.states import Event, State
from ..jobs.store import Job, JobFiles, is_finished
from ..processing.processor import result_headers
from .creating import job_request
from .edge import (
    Resource,
    body_of,
    check_media_type,
    json_answer,
    json_of,
    org_of,
    parse_object,
    version_of,
)
from .wire import changed_body, created_body, job_body, listed_body

MAX_MULTIPART_CHARACTERS = 100_000  # Bulk API 2.0 guide, Create a Job
MAX_MULTIPART_BYTES = 4 * MAX_MULTIPART_CHARACTERS + 100_000  # with the job itself and the framing
READ_BYTES = 1 << 16
CSV_TYPE = "text/csv; charset=UTF-8"


async def create(request: Request) -> Response:
    """Create a job; with a multipart body, upload and close it in the same call."""
    if request.headers.get("Content-Type", "").lower().startswith("multipart/form-data"):
        return await _create_with_data(request)
    wanted = job_request(await json_of(request), version_of(request), org_of(request).schema)
    job = await run_in_threadpool(org_of(request).jobs.create, wanted)
    return json_answer(request, created_body(job))


async def _create_with_data(request: Request) -> Response:
    org = org_of(request)
    spec, data = await _parts(request)
    wanted = job_request(parse_object(spec), version_of(request), org.schema)
    if len(data.decode("utf-8", "replace")) > MAX_MULTIPART_CHARACTERS:
        raise errors.too_large(MAX_MULTIPART_CHARACTERS, "characters")

    def create_and_close() -> Job:
        job = org.jobs.create(wanted)
        part = org.jobs.files.incoming(uuid4().hex)
        part.write_bytes(data)
        org.jobs.uploaded(job.id, part)
        return org.jobs.close(job.id)

    job = await run_in_threadpool(create_and_close)
    org.worker.submit(job.id)
    return json_answer(request, created_body(job))


async def _parts(request: Request) -> tuple[bytes, bytes]:
    """The two parts of a multipart body, `job` and `content`, in whatever order."""
    stream = body_of(request, MAX_MULTIPART_BYTES)
    try:
        form = await MultiPartParser(request.headers, stream, max_files=2, max_fields=2).parse()  # type: ignore[arg-type]
    except (MultiPartException, KeyError, UnicodeError) as error:
        raise errors.invalid_job(f"The multipart body can't be read: {error}") from None
    try:
        return await _bytes(form.get("job")), await _bytes(form.get("content"))
    finally:
        await form.close()


async def _bytes(part: UploadFile | str | None) -> bytes:
    if part is None:
        # assumed: code and text
        raise errors.invalid_job("A multipart body needs a part named job and a part named content")
    return await part.read() if isinstance(part, UploadFile) else part.encode()


async def upload(request: Request) -> Response:
    """Take the data of a job; it is not looked at before the job is closed (seen)."""
    org = org_of(request)
    job = await run_in_threadpool(org.jobs.check, request.path_params["job_id"], Event.UPLOAD)
    check_media_type(request, "text/csv")
    part = org.jobs.files.incoming(uuid4().hex)
    limit = org.config.limits.upload_bytes // 4 * 3  # the limit is meant after base64, which makes 4 bytes of 3
    try:
        await _save(body_of(request, limit), part)
        await run_in_threadpool(org.jobs.uploaded, job.id, part)
    finally:
        part.unlink(missing_ok=True)
    return Response(status_code=201)


async def _save(chunks: AsyncIterator[bytes], path: Path) -> None:
    async with await anyio.open_file(path, "wb") as file:
        async for chunk in chunks:
            await file.write(chunk)


async def change(request: Request) -> Response:
    """Close or abort a job; the answer is the short one."""
    org = org_of(request)
    body = await json_of(request)
    steps = {State.UPLOAD_COMPLETE: org.jobs.close, State.ABORTED: org.jobs.abort}
    state = body.get("state")
    if state not in list(steps):
        # assumed: code and text; other keys in the body are ignored
        raise errors.invalid_job(f"State {state!r} can't be asked for. Use UploadComplete or Aborted")
    job = await run_in_threadpool(steps[state], request.path_params["job_id"])
    if job.state is State.UPLOAD_COMPLETE:
        org.worker.submit(job.id)
    return json_answer(request, changed_body(job))


async def show(request: Request) -> Response:
    """All that is known of a job."""
    job = await run_in_threadpool(org_of(request).jobs.get, request.path_params["job_id"])
    return json_answer(request, job_body(job))


async def delete(request: Request) -> Response:
    """Forget a job with its data and results."""
    await run_in_threadpool(org_of(request).jobs.delete, request.path_params["job_id"])
    return Response(status_code=204)


async def list_jobs(request: Request) -> Response:
    """A page of at most 1000 jobs. All are V2Ingest without PK chunking, so any other filter finds none."""
    query = request.query_params
    if query.get("jobType", "V2Ingest") != "V2Ingest" or query.get("isPkChunkingEnabled", "").lower() == "true":
        return json_answer(request, {"done": True, "records": [], "nextRecordsUrl": None})
    before = _position(query["queryLocator"]) if "queryLocator" in query else None
    jobs, next_before = await run_in_threadpool(org_of(request).jobs.newest, before)
    next_url = f"/services/data/v{version_of(request)}/jobs/ingest?queryLocator=01gEm0000000001-{next_before}"
    return json_answer(
        request,
        {
            "done": next_before is None,
            "records": [listed_body(job) for job in jobs],
            "nextRecordsUrl": next_url if next_before is not None else None,
        },
    )


def _position(locator: str) -> int:
    match = re.fullmatch(r"01g[0-9A-Za-z]+-([0-9]{1,18})", locator)
    if match is None:
        raise errors.ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator", platform=True)
    return int(match[1])


async def results(request: Request) -> Response:
    """One of the three result files, streamed without a length (documented as chunked)."""
    sources = {
        "successfulresults": _successes,
        "failedresults": _failures,
        "unprocessedrecords": _unprocessed,
    }
    source = sources.get(request.path_params["segment"].lower())
    if source is None:
        raise errors.not_found()
    org = org_of(request)
    job = await run_in_threadpool(org.jobs.get, request.path_params["job_id"])
    if not is_finished(job):
        # assumed: documented only as available after the end. An error can't be mistaken for "no failures", and no
        # client asks before it has seen a terminal state.
        raise errors.ApiError(400, "INVALIDJOBSTATE", f"Results of a job in state {job.state} are not available")
    body = source(job, org.jobs.files) if request.method != "HEAD" else iter(())
    return StreamingResponse(body, media_type=CSV_TYPE)


def _successes(job: Job, files: JobFiles) -> Iterator[bytes]:
    if not job.success_bytes:
        return iter([result_headers(job, [])[0]])
    return _slice(files.successes(job.id), 0, job.success_bytes)


def _failures(job: Job, files: JobFiles) -> Iterator[bytes]:
    if not job.failure_bytes:
        return iter([result_headers(job, [])[1]])
    return _slice(files.failures(job.id), 0, job.failure_bytes)


def _unprocessed(job: Job, files: JobFiles) -> Iterator[bytes]:
    """The header and the rows that were not reached, byte for byte as they came (assumed; a client parses leniently)."""
    if not job.uploads:
        return
    end = files.upload(job.id).stat().st_size
    yield from _slice(files.upload(job.id), 0, job.header_bytes)
    yield from _slice(files.upload(job.id), job.read_bytes, end)


def _slice(path: Path, start: int, end: int) -> Iterator[bytes]:
    # A job that is deleted meanwhile ends the answer early; its caller deleted it.
    with suppress(FileNotFoundError), path.open("rb") as file:
        file.seek(start)
        while start < end and (chunk := file.read(min(READ_BYTES, end - start))):
            start += len(chunk)
            yield chunk


BASE = "/services/data/v{version}/jobs/ingest"

ROUTES = [
    Route(BASE, Resource(GET=list_jobs, POST=create)),
    Route(f"{BASE}/{{job_id}}", Resource(GET=show, PATCH=change, DELETE=delete)),
    Route(f"{BASE}/{{job_id}}/batches", Resource(PUT=upload)),
    Route(f"{BASE}/{{job_id}}/{{segment}}", Resource(GET=results)),
]
