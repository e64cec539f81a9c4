"""The resources of ingest jobs (Bulk API 2.0 guide, Reference)."""

import re
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from salesforce_emulator import errors, ids
from salesforce_emulator.api.bodies import body_of, check_media_type, json_of, parse_object
from salesforce_emulator.api.create_job import job_request
from salesforce_emulator.api.endpoint import Resource, org_of, version_of
from salesforce_emulator.api.job_json import changed_body, created_body, job_body, listed_body
from salesforce_emulator.api.results import results
from salesforce_emulator.faults.journal import exchange_of
from salesforce_emulator.jobs.job import Job, JobRequest
from salesforce_emulator.jobs.states import State
from salesforce_emulator.responses import json_answer

MAX_MULTIPART_CHARACTERS = 100_000  # Bulk API 2.0 guide, Create a Job
MAX_MULTIPART_BYTES = 4 * MAX_MULTIPART_CHARACTERS + 100_000  # with the job itself and the framing
FILTERS = ("jobType", "isPkChunkingEnabled")
LOCATOR = ids.to_18("01gEm0000000001")


async def create(request: Request) -> Response:
    """Create a job; with a multipart body, upload and close it in the same call."""
    if request.headers.get("Content-Type", "").lower().startswith("multipart/form-data"):
        return await _create_with_data(request)
    wanted = _wanted(request, await json_of(request))
    return _created(request, await run_in_threadpool(org_of(request).jobs.create, wanted))


def _created(request: Request, job: Job) -> Response:
    exchange_of(request.scope).job_id = job.id  # for the journal: the path could not name it yet
    return json_answer(request, created_body(job))


def _wanted(request: Request, body: dict[str, Any]) -> JobRequest:
    org = org_of(request)
    return job_request(body, version_of(request), org.schema, hard_delete=org.config.hard_delete)


async def _create_with_data(request: Request) -> Response:
    org = org_of(request)
    spec, data = await _parts(request)
    wanted = _wanted(request, parse_object(spec))
    if len(data.decode("utf-8", "replace")) > MAX_MULTIPART_CHARACTERS:
        raise errors.too_large(MAX_MULTIPART_CHARACTERS, "characters")

    def create_and_close() -> Job:
        with org.jobs.files.incoming() as part:
            part.write_bytes(data)
            return org.create_closed_job(wanted, part)

    return _created(request, await run_in_threadpool(create_and_close))


async def _parts(request: Request) -> tuple[bytes, bytes]:
    """The two parts of a multipart body, `job` and `content`; documented in this order, taken in any (assumed)."""
    try:
        form = await _WholeParts(request.headers, body_of(request, MAX_MULTIPART_BYTES)).parse()
    except (MultiPartException, KeyError, UnicodeError) as error:
        raise errors.invalid_job(f"The multipart body can't be read: {error}") from None
    try:
        return await _bytes(form.get("job")), await _bytes(form.get("content"))
    finally:
        await form.close()


class _WholeParts(MultiPartParser):
    """Refuses a body without its closing boundary, of which the parser would leave a part's file open (assumed)."""

    def __init__(self, headers: Headers, stream: AsyncIterator[bytes]) -> None:
        super().__init__(headers, self._to_the_end(stream), max_files=2, max_fields=2)
        self._ended = False

    def on_end(self) -> None:
        """The closing boundary has come."""
        self._ended = True

    async def _to_the_end(self, stream: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        async for chunk in stream:
            yield chunk
        if not self._ended:
            raise MultiPartException("Its closing boundary is missing.")


async def _bytes(part: UploadFile | str | None) -> bytes:
    if part is None:
        # assumed: code and text
        raise errors.invalid_job("A multipart body needs a part named job and a part named content")
    return await part.read() if isinstance(part, UploadFile) else part.encode()


async def upload(request: Request) -> Response:
    """Take the data of a job; it is not looked at before the job is closed (seen)."""
    org = org_of(request)
    job = await run_in_threadpool(org.jobs.check_upload, request.path_params["job_id"])
    check_media_type(request, "text/csv")
    encoding = request.headers.get("Content-Encoding", "identity")
    if encoding.lower() != "identity" and org.config.assumptions.compressed_uploads == "refused":
        raise errors.unsupported_encoding(encoding)
    limit = org.config.limits.upload_bytes // 4 * 3  # the limit is meant after base64, which makes 4 bytes of 3
    with org.jobs.files.incoming() as part:
        await _save(body_of(request, limit), part)
        await run_in_threadpool(org.jobs.add_upload, job.id, part)
    return Response(status_code=201)


async def _save(chunks: AsyncIterator[bytes], path: Path) -> None:
    async with await anyio.open_file(path, "wb") as file:
        async for chunk in chunks:
            await file.write(chunk)


async def change(request: Request) -> Response:
    """Close or abort a job; the answer is the short one."""
    org = org_of(request)
    body = await json_of(request)
    steps = {State.UPLOAD_COMPLETE: org.close_job, State.ABORTED: org.jobs.abort}
    state = body.get("state")
    if state not in list(steps):
        # assumed: code and text; other keys in the body are ignored
        raise errors.invalid_job(f"State {state!r} can't be asked for. Use UploadComplete or Aborted")
    job = await run_in_threadpool(steps[state], request.path_params["job_id"])
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
    body = {
        "done": next_before is None,
        "records": [listed_body(job) for job in jobs],
        "nextRecordsUrl": None if next_before is None else _next_url(request, next_before),
    }
    return json_answer(request, body)


def _next_url(request: Request, before: int) -> str:
    kept = {name: request.query_params[name] for name in FILTERS if name in request.query_params}
    query = urlencode(kept | {"queryLocator": f"{LOCATOR}-{before}"})
    return f"/services/data/v{version_of(request)}/jobs/ingest?{query}"


def _position(locator: str) -> int:
    match = re.fullmatch(r"01g[0-9A-Za-z]+-([0-9]{1,18})", locator)
    if match is None:
        raise errors.invalid_query_locator()
    return int(match[1])


BASE = "/services/data/v{version}/jobs/ingest"

ROUTES = [
    Route(BASE, Resource(GET=list_jobs, POST=create)),
    Route(f"{BASE}/{{job_id}}", Resource(GET=show, PATCH=change, DELETE=delete)),
    Route(f"{BASE}/{{job_id}}/batches", Resource(PUT=upload)),
    Route(f"{BASE}/{{job_id}}/{{segment}}", Resource(GET=results)),
]
