"""`/v1`: the nine operations over HTTP, in Salesforce's own form.

A gateway: bytes and end-to-end headers both ways. Rows stream through in constant memory. The upstream's status is known
before the first byte goes down; whatever breaks later breaks the connection, so that half a body never looks whole.
"""

import logging
import re
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Self

import anyio
import httpx2
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from salesforce_bulk_ingest.base.errors import IngestError, TooLarge
from salesforce_bulk_ingest.operations.gateway import Gateway
from salesforce_bulk_ingest.salesforce.call import Call
from salesforce_bulk_ingest.salesforce.errors import SalesforceError
from salesforce_bulk_ingest.salesforce.job_ids import checked_job_id
from salesforce_bulk_ingest.serving.error_envelope import error_response

logger = logging.getLogger(__name__)

MOST_BODY_BYTES = 1_000_000
"""Bodies that the policy has to read: a create request (multipart: 100,000 characters) or a change of state."""

RESULTS = ("failedResults", "successfulResults", "unprocessedrecords")
API_VERSION = re.compile(r"[0-9]{2}\.[0-9]")

# RFC 9110, 7.6.1: fields for one connection only.
HOP_BY_HOP = frozenset(
    {
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade",
    }
)  # fmt: skip
NOT_SENT_UP = HOP_BY_HOP | {"authorization", "cookie", "expect", "host"}
NOT_SENT_DOWN = HOP_BY_HOP | {"set-cookie"}


def build_rest(gateway: Gateway) -> Starlette:
    """The REST application: the same routes under `/v1` and under Salesforce's own `/services/data/v{NN.N}`."""
    ingest = RestRoutes(gateway).routes()
    app = Starlette(
        routes=[
            Mount("/v1", routes=ingest),
            Mount("/services/data/v{version}", routes=ingest, middleware=[Middleware(KnownVersion)]),
        ],
        middleware=[Middleware(TolerantPaths)],
        exception_handlers={
            HTTPException: _on_http_exception,
            SalesforceError: _on_refusal,
            IngestError: _on_refusal,
            ClientDisconnect: _on_caller_gone,
            Exception: _on_crash,
        },
    )
    # No path here ends in a slash, so a redirect to one would never arrive.
    app.router.redirect_slashes = False
    return app


class RestRoutes:
    """One method for each path, each of which makes one upstream call."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def routes(self) -> list[Route]:
        """One route for each path, so that a 405 lists every method of it."""
        return [
            Route("/jobs/ingest", self.jobs, methods=["GET", "POST"]),
            Route("/jobs/ingest/{jobid}", self.job, methods=["GET", "PATCH", "DELETE"]),
            Route("/jobs/ingest/{jobid}/batches", self.batches, methods=["PUT"]),
            *(Route(f"/jobs/ingest/{{jobid}}/{result}", self.result, methods=["GET"]) for result in RESULTS),
        ]

    async def jobs(self, request: Request) -> Response:
        """List jobs, or create one."""
        return await self._pass_on(request, Call(request.method, content=await _small_body(request)))

    async def job(self, request: Request) -> Response:
        """Read, close, abort or delete a job."""
        job_id = _job_id(request)
        call = Call(request.method, f"/{job_id}", content=await _small_body(request))
        return await self._pass_on(request, call, job_id)

    async def batches(self, request: Request) -> Response:
        """Upload rows, streamed: a caller that leaves in the middle breaks the upstream's request too."""
        job_id = _job_id(request)
        call = Call(request.method, f"/{job_id}/batches", content=request.stream(), carries_rows=True)
        return await self._pass_on(request, call, job_id)

    async def result(self, request: Request) -> Response:
        """Download result rows, streamed."""
        job_id = _job_id(request)
        result = request.scope["path"].rpartition("/")[2]
        call = Call(request.method, f"/{job_id}/{result}", content=await _small_body(request), carries_rows=True)
        return await self._pass_on(request, call, job_id)

    async def _pass_on(self, request: Request, call: Call, job_id: str | None = None) -> Response:
        # A HEAD is answered from the head of the GET: not every upstream resource knows the method.
        head_only = call.method == "HEAD"
        call = replace(
            call,
            method="GET" if head_only else call.method,
            query=request.scope["query_string"].decode("latin-1"),
            headers=_headers_up(request),
            api_version=request.path_params.get("version"),
        )
        return await UpstreamResponse.open(self._gateway, call, job_id, head_only=head_only)


class UpstreamResponse(Response):
    """The upstream's answer, passed on while it comes in."""

    def __init__(self, held: AsyncExitStack, upstream: httpx2.Response, *, head_only: bool) -> None:
        self.status_code = upstream.status_code
        self.background = None
        self._held = held
        self._upstream = upstream
        self._head_only = head_only

    @classmethod
    async def open(cls, gateway: Gateway, call: Call, job_id: str | None, *, head_only: bool) -> Self:
        """Make the call and wait for its status; whatever fails before that is an ordinary error."""
        async with AsyncExitStack() as stack:
            upstream = await stack.enter_async_context(gateway.forward(call, job_id))
            return cls(stack.pop_all(), upstream, head_only=head_only)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._held:
            headers = _end_to_end(self._upstream.headers.raw, NOT_SENT_DOWN)
            await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
            if self._head_only or await self._passed_on(receive, send):
                await send({"type": "http.response.body", "body": b""})

    async def _passed_on(self, receive: Receive, send: Send) -> bool:
        """Whether the whole body went down.

        It did not where the caller left, and then the upstream is dropped too, nor where the upstream broke off: the
        answer is left without its end, and the server closes the connection.
        """
        whole = False
        async with anyio.create_task_group() as tasks:

            async def leave_with_the_caller() -> None:
                while (await receive())["type"] != "http.disconnect":
                    pass
                tasks.cancel_scope.cancel()

            tasks.start_soon(leave_with_the_caller)
            try:
                async for chunk in self._upstream.aiter_raw():
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                whole = True
            except httpx2.RequestError as error:
                path = self._upstream.request.url.path
                logger.warning("%s broke off: %s", path, str(error) or type(error).__name__)
            tasks.cancel_scope.cancel()
        return whole


class TolerantPaths:
    """Accepts what Salesforce accepts, without a redirect: a slash at the end, doubled slashes, a result in any case."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = re.sub("/+", "/", scope["path"]).rstrip("/")
            parent, _, last = path.rpartition("/")
            result = next((name for name in RESULTS if name.lower() == last.lower()), last)
            path = f"{parent}/{result}"
            scope = {**scope, "path": path, "raw_path": path.encode()}
        await self._app(scope, receive, send)


class KnownVersion:
    """Finds nothing under what can't be an API version."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not API_VERSION.fullmatch(scope["path_params"]["version"]):
            raise HTTPException(404)
        await self._app(scope, receive, send)


def _job_id(request: Request) -> str:
    given: str = request.path_params["jobid"]
    return checked_job_id(given)


async def _small_body(request: Request) -> bytes | None:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BODY_BYTES:
            raise TooLarge(f"This request takes a body of at most {MOST_BODY_BYTES:,} bytes; rows go to .../batches.")
    return bytes(body) or None


def _headers_up(request: Request) -> list[tuple[str, str]]:
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in
               _end_to_end(request.headers.raw, NOT_SENT_UP)]  # fmt: skip
    if "transfer-encoding" in request.headers:
        # Chunks overrule a length (RFC 9112, 6.3); passed on, it could make the first of them look like the whole.
        headers = [(name, value) for name, value in headers if name != "content-length"]
    if "accept-encoding" not in {name for name, _ in headers}:
        headers.append(("accept-encoding", "identity"))
    return headers


def _end_to_end(headers: Iterable[tuple[bytes, bytes]], dropped: frozenset[str]) -> list[tuple[bytes, bytes]]:
    """The headers that are for the other end, without those that the Connection header claims for this hop."""
    kept = [(name.lower(), value) for name, value in headers]
    named = b",".join(value for name, value in kept if name == b"connection").decode("latin-1").lower()
    not_ours = dropped | {name.strip() for name in named.split(",")}
    return [(name, value) for name, value in kept if name.decode("latin-1") not in not_ours]


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        allowed = ", ".join(sorted((error.headers or {}).get("Allow", "").split(", ")))
        message = f"HTTP Method '{request.method}' not allowed. Allowed are {allowed}"
        return error_response(405, "METHOD_NOT_ALLOWED", message, {"Allow": allowed})
    return error_response(error.status_code, "NOT_FOUND", "The requested resource does not exist")


async def _on_refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, SalesforceError | IngestError)
    return error_response(error.status, error.code, str(error))


async def _on_caller_gone(request: Request, error: Exception) -> Response:
    logger.info("the caller left in the middle of %s %s", request.method, request.url.path)
    return Response(status_code=499)


async def _on_crash(request: Request, error: Exception) -> Response:
    return error_response(500, "UNKNOWN_EXCEPTION", "This server failed; its log has the details.")
