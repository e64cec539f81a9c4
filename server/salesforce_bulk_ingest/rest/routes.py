"""The routes of `/v1`, and the HTTP errors for requests that this server refuses itself."""

import logging
from collections.abc import Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ExceptionHandler

from salesforce_bulk_ingest.base.errors import IngestError, TooLarge
from salesforce_bulk_ingest.base.text import cut
from salesforce_bulk_ingest.operations.confirmation import WithoutDialog
from salesforce_bulk_ingest.operations.errors import ConfirmationNeeded
from salesforce_bulk_ingest.operations.gateway import Gateway
from salesforce_bulk_ingest.rest.byte_gateway import CONFIRM, pass_on
from salesforce_bulk_ingest.rest.endpoints import BATCHES, JOB, JOBS, OPERATIONS, words_for_methods, words_for_unknown
from salesforce_bulk_ingest.rest.tolerant_paths import KnownVersion, TolerantPaths
from salesforce_bulk_ingest.salesforce.call import Call, StreamedBody
from salesforce_bulk_ingest.salesforce.errors import SalesforceError
from salesforce_bulk_ingest.salesforce.job_ids import checked_job_id
from salesforce_bulk_ingest.serving.endpoints import allowed_methods
from salesforce_bulk_ingest.serving.error_envelope import error_response

logger = logging.getLogger(__name__)

LONGEST_METHOD = 20
MOST_BODY_BYTES = 1_000_000
"""The maximum size of a body that the policy has to read: a create request (multipart: 100,000 characters) or a change of
state."""


def build_rest(gateway: Gateway) -> Starlette:
    """Build the REST application: the same routes under `/v1` and under Salesforce's own `/services/data/v{NN.N}`.

    Args:
        gateway: makes the upstream calls, under the policy.
    """
    ingest = RestRoutes(gateway).routes()
    app = Starlette(
        routes=[
            Mount("/v1", routes=ingest),
            Mount("/services/data/v{version}", routes=ingest, middleware=[Middleware(KnownVersion)]),
        ],
        middleware=[Middleware(TolerantPaths)],
        exception_handlers=ERROR_HANDLERS,
    )
    # No path here ends in a slash, so a redirect to one would never arrive.
    app.router.redirect_slashes = False
    return app


class RestRoutes:
    """The handlers of the paths; each request becomes one upstream call."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def routes(self) -> list[Route]:
        """Return one route for each path, so that a 405 lists every method of the path."""
        handlers = {JOBS: self.jobs, JOB: self.job, BATCHES: self.batches}
        return [
            Route(one.path.removeprefix("/v1"), handlers.get(one.path, self.result), methods=list(one.methods))
            for one in OPERATIONS
        ]

    async def jobs(self, request: Request) -> Response:
        """List jobs, or create a job."""
        return await pass_on(self._gateway, request, Call(request.method, content=await _small_body(request)))

    async def job(self, request: Request) -> Response:
        """Read, close, abort or delete a job."""
        job_id = _job_id(request)
        call = Call(request.method, f"/{job_id}", content=await _small_body(request))
        return await pass_on(self._gateway, request, call, job_id)

    async def batches(self, request: Request) -> Response:
        """Upload rows as a stream; a caller that disconnects in the middle breaks the request to Salesforce, too."""
        job_id = _job_id(request)
        call = Call(request.method, f"/{job_id}/batches", content=StreamedBody(request.stream()), carries_rows=True)
        return await pass_on(self._gateway, request, call, job_id)

    async def result(self, request: Request) -> Response:
        """Download the rows of a result as a stream."""
        job_id = _job_id(request)
        result = request.scope["path"].rpartition("/")[2]
        call = Call(request.method, f"/{job_id}/{result}", content=await _small_body(request), carries_rows=True)
        return await pass_on(self._gateway, request, call, job_id)


def _job_id(request: Request) -> str:
    given: str = request.path_params["jobid"]
    return checked_job_id(given)


async def _small_body(request: Request) -> bytes | None:
    """Return the whole body of the request; None if it is empty."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BODY_BYTES:
            raise TooLarge(f"This request takes a body of at most {MOST_BODY_BYTES:,} bytes; rows go to .../batches.")
    return bytes(body) or None


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path = request.scope["path"]
    # Below Salesforce's own paths, the answers are Salesforce's, too.
    is_ours = not path.startswith("/services/data")
    if error.status_code == 405:
        allowed = allowed_methods(error)
        message = f"HTTP Method '{cut(request.method, LONGEST_METHOD)}' not allowed. Allowed are {allowed}"
        words = words_for_methods(path) if is_ours else ""
        return error_response(405, "METHOD_NOT_ALLOWED", _with(message, words), {"Allow": allowed})
    message = "The requested resource does not exist"
    return error_response(error.status_code, "NOT_FOUND", _with(message, words_for_unknown(path) if is_ours else ""))


def _with(message: str, words: str) -> str:
    """Return Salesforce's message, followed by sentences of ours if there are any."""
    return f"{message}. {words}" if words else message


async def _on_refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, SalesforceError | IngestError)
    message = str(error)
    if isinstance(error, ConfirmationNeeded):
        message = f"{message} {_HOW_TO_CONFIRM[error.way].format(sentence=error.sentence, job_id=error.job_id)}"
    return error_response(error.status, error.code, message)


_HOW_TO_CONFIRM: Mapping[WithoutDialog, str] = {
    "sentence": (
        f"Once a person agrees, send the same request with the header {CONFIRM.title()}, whose value is this sentence: "
        "{sentence}"
    ),
    "operator": "The operator can approve it on this server's machine, with salesforce-bulk-ingest approve {job_id}.",
    "refuse": "The operator takes confirmations from dialogs of MCP clients alone.",
}


async def _on_caller_gone(request: Request, error: Exception) -> Response:
    logger.info("the caller left in the middle of %s %s", request.method, request.url.path)
    return Response(status_code=499)


async def _on_crash(request: Request, error: Exception) -> Response:
    return error_response(500, "UNKNOWN_EXCEPTION", "This server failed; its log has the details.")


ERROR_HANDLERS: Mapping[Any, ExceptionHandler] = {
    HTTPException: _on_http_exception,
    SalesforceError: _on_refusal,
    IngestError: _on_refusal,
    ClientDisconnect: _on_caller_gone,
    Exception: _on_crash,
}
"""What every application of this port answers to an error."""
