"""The forwarding of a request to Salesforce (the upstream) and of its response: bytes and end-to-end headers, both ways.

Rows are streamed in constant memory. The upstream's status is known before the first byte is sent to the caller; a later
error breaks the connection, so that half a body never looks complete.
"""

import logging
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Self

import anyio
import httpx2
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from salesforce_bulk_ingest.operations.confirmation import Consent
from salesforce_bulk_ingest.operations.gateway import Gateway
from salesforce_bulk_ingest.salesforce.call import Call
from salesforce_bulk_ingest.salesforce.transport import reason_of

logger = logging.getLogger(__name__)

# RFC 9110, 7.6.1: fields for one connection only.
HOP_BY_HOP = frozenset(
    {
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade",
    }
)  # fmt: skip
CONFIRM = "bulk-ingest-confirm"
"""The header with the sentence that confirms a close."""

NOT_SENT_UP = HOP_BY_HOP | {"authorization", "cookie", "expect", "host", CONFIRM}
NOT_SENT_DOWN = HOP_BY_HOP | {"set-cookie"}


async def pass_on(gateway: Gateway, request: Request, call: Call, job_id: str | None = None) -> Response:
    """Forward a request with its query, headers and API version, and return the upstream's response.

    Args:
        gateway: makes the call, if the policy allows the call.
        request: the caller's request.
        call: the method, path and body to forward.
        job_id: the id of the job in the path; None if the path names no job.

    Raises:
        IngestError: the gateway refused the call.
        SalesforceError: the upstream gave no response.
    """
    # HEAD is forwarded as GET, whose body is dropped: not every resource of Salesforce supports HEAD.
    head_only = call.method == "HEAD"
    call = replace(
        call,
        method="GET" if head_only else call.method,
        query=request.scope["query_string"].decode("latin-1"),
        headers=headers_up(request),
        api_version=request.path_params.get("version"),
    )
    return await UpstreamResponse.open(gateway, call, job_id, _consent(request), head_only=head_only)


class UpstreamResponse(Response):
    """The upstream's response, forwarded to the caller while it arrives."""

    def __init__(self, held: AsyncExitStack, upstream: httpx2.Response, *, head_only: bool) -> None:
        self.status_code = upstream.status_code
        self.background = None
        self._held = held
        self._upstream = upstream
        self._head_only = head_only

    @classmethod
    async def open(cls, gateway: Gateway, call: Call, job_id: str | None, consent: Consent, *, head_only: bool) -> Self:
        """Make the call and wait for the status of the response; an error before the status is raised as usual."""
        async with AsyncExitStack() as stack:
            upstream = await stack.enter_async_context(gateway.forward(call, job_id, consent))
            return cls(stack.pop_all(), upstream, head_only=head_only)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._held:
            headers = _end_to_end(self._upstream.headers.raw, NOT_SENT_DOWN)
            await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
            if self._head_only or await self._send_body(receive, send):
                await send({"type": "http.response.body", "body": b""})

    async def _send_body(self, receive: Receive, send: Send) -> bool:
        """Send the body to the caller, and return whether the body is complete.

        The body is incomplete if the caller disconnects, which ends the upstream's response, too, or if the upstream
        breaks off. The response to the caller then lacks its end, and the server closes the connection.
        """
        is_whole = False
        async with anyio.create_task_group() as tasks:

            async def cancel_on_disconnect() -> None:
                while (await receive())["type"] != "http.disconnect":
                    pass
                tasks.cancel_scope.cancel()

            tasks.start_soon(cancel_on_disconnect)
            try:
                async for chunk in self._upstream.aiter_raw():
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                is_whole = True
            except httpx2.RequestError as error:
                path = self._upstream.request.url.path
                logger.warning("%s broke off: %s", path, reason_of(error))
            tasks.cancel_scope.cancel()
        return is_whole


def _consent(request: Request) -> Consent:
    """Return the sentence that the request repeats; callers send other letters than ASCII as UTF-8."""
    given = request.headers.get(CONFIRM, "").encode("latin-1")
    return Consent(given.decode(errors="replace"))


def headers_up(request: Request) -> list[tuple[str, str]]:
    """Return the caller's headers that are forwarded to Salesforce."""
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in
               _end_to_end(request.headers.raw, NOT_SENT_UP)]  # fmt: skip
    if "transfer-encoding" in request.headers:
        # Transfer-Encoding overrides Content-Length (RFC 9112, 6.3), and a wrong length could make a part of the body look
        # like the whole body.
        headers = [(name, value) for name, value in headers if name != "content-length"]
    if "accept-encoding" not in {name for name, _ in headers}:
        headers.append(("accept-encoding", "identity"))
    return headers


def _end_to_end(headers: Iterable[tuple[bytes, bytes]], dropped: frozenset[str]) -> list[tuple[bytes, bytes]]:
    """Return the end-to-end headers: without `dropped`, and without the headers that Connection names as hop-by-hop."""
    lowered = [(name.lower(), value) for name, value in headers]
    named = b",".join(value for name, value in lowered if name == b"connection").decode("latin-1").lower()
    hop_by_hop = dropped | {name.strip() for name in named.split(",")}
    return [(name, value) for name, value in lowered if name.decode("latin-1") not in hop_by_hop]
