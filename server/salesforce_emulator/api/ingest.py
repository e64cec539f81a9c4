"""The resources of ingest jobs: create, upload, close or abort, show, list, delete (Bulk API 2.0 guide, Reference)."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from salesforce_emulator import errors, ids
from salesforce_emulator.api import multipart
from salesforce_emulator.api.create_job import job_request
from salesforce_emulator.api.endpoint import Resource, org_of, version_of
from salesforce_emulator.api.job_json import changed_body, created_body, job_body, listed_body
from salesforce_emulator.api.request_body import body_chunks, check_media_type, json_body, parse_object
from salesforce_emulator.api.results import results
from salesforce_emulator.faults.journal import journal_entry_of
from salesforce_emulator.jobs.job import Job, JobRequest
from salesforce_emulator.jobs.states import State
from salesforce_emulator.responses import json_response

LIST_FILTERS = ("jobType", "isPkChunkingEnabled")
LOCATOR_ID = ids.to_18("01gEm0000000001")


async def create(request: Request) -> Response:
    """Create a job; a multipart body also holds the data, and the job is then closed at once."""
    if multipart.is_multipart(request):
        return await _create_with_data(request)
    new_job = _job_request(request, await json_body(request))
    return _created(request, await run_in_threadpool(org_of(request).jobs.create, new_job))


def _created(request: Request, job: Job) -> Response:
    journal_entry_of(request.scope).job_id = job.id  # the path of a creation does not name the job
    return json_response(request, created_body(job))


def _job_request(request: Request, body: dict[str, Any]) -> JobRequest:
    org = org_of(request)
    return job_request(body, version_of(request), org.schema, org.config)


async def _create_with_data(request: Request) -> Response:
    org = org_of(request)
    job_part, data = await multipart.job_and_content(request)
    new_job = _job_request(request, parse_object(job_part))
    multipart.check_characters(data)

    def create_and_close() -> Job:
        with org.jobs.files.incoming() as part:
            part.write_bytes(data)
            return org.create_closed_job(new_job, part)

    return _created(request, await run_in_threadpool(create_and_close))


async def upload(request: Request) -> Response:
    """Store the data of a job; it is not parsed before the job is closed (seen)."""
    org = org_of(request)
    job = await run_in_threadpool(org.jobs.check_upload, request.path_params["job_id"])
    check_media_type(request, "text/csv")
    encoding = request.headers.get("Content-Encoding", "identity")
    if encoding.lower() != "identity" and org.config.assumptions.compressed_uploads == "refused":
        raise errors.unsupported_encoding(encoding)
    limit = org.config.limits.upload_bytes // 4 * 3  # the limit applies after base64, which turns 3 bytes into 4
    with org.jobs.files.incoming() as part:
        await _save(body_chunks(request, limit), part)
        await run_in_threadpool(org.jobs.add_upload, job.id, part)
    return Response(status_code=201)


async def _save(chunks: AsyncIterator[bytes], path: Path) -> None:
    async with await anyio.open_file(path, "wb") as file:
        async for chunk in chunks:
            await file.write(chunk)


async def change(request: Request) -> Response:
    """Close or abort a job, and return its short JSON."""
    org = org_of(request)
    body = await json_body(request)
    transitions = {State.UPLOAD_COMPLETE: org.close_job, State.ABORTED: org.jobs.abort}
    state = body.get("state")
    if state not in list(transitions):
        # assumed: code and text; other keys in the body are ignored
        what = f"State {state!r} can't be asked for. Use" if state else "The change has no state: set state to"
        raise errors.invalid_job(f"{what} UploadComplete or Aborted")
    job = await run_in_threadpool(transitions[state], request.path_params["job_id"])
    return json_response(request, changed_body(job))


async def show(request: Request) -> Response:
    """Return the full JSON of a job."""
    job = await run_in_threadpool(org_of(request).jobs.get, request.path_params["job_id"])
    return json_response(request, job_body(job))


async def delete(request: Request) -> Response:
    """Delete a job with its data and results."""
    await run_in_threadpool(org_of(request).jobs.delete, request.path_params["job_id"])
    return Response(status_code=204)


async def list_jobs(request: Request) -> Response:
    """Return a page of at most 1000 jobs.

    Every job is V2Ingest without PK chunking, so a filter for anything else finds none.
    """
    query = request.query_params
    if query.get("jobType", "V2Ingest") != "V2Ingest" or query.get("isPkChunkingEnabled", "").lower() == "true":
        return json_response(request, {"done": True, "records": [], "nextRecordsUrl": None})
    before = _serial_of(query["queryLocator"]) if "queryLocator" in query else None
    jobs, next_before = await run_in_threadpool(org_of(request).jobs.newest, before)
    body = {
        "done": next_before is None,
        "records": [listed_body(job) for job in jobs],
        "nextRecordsUrl": None if next_before is None else _next_url(request, next_before),
    }
    return json_response(request, body)


def _next_url(request: Request, before: int) -> str:
    filters = {name: request.query_params[name] for name in LIST_FILTERS if name in request.query_params}
    query = urlencode(filters | {"queryLocator": f"{LOCATOR_ID}-{before}"})
    return f"/services/data/v{version_of(request)}/jobs/ingest?{query}"


def _serial_of(locator: str) -> int:
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
