"""Answers of Salesforce: bodies decompressed and bounded, refusals as errors."""

import zlib
from collections.abc import AsyncIterator
from typing import Any

import anyio.lowlevel
import httpx2
from pydantic import TypeAdapter, ValidationError

from salesforce_bulk_ingest.salesforce.errors import Rejected, UnexpectedAnswer, Unreachable, rejected
from salesforce_bulk_ingest.salesforce.transport import mapped_errors

CHUNK_BYTES = 1 << 16
GZIP = zlib.MAX_WBITS | 16
MOST_JSON_BYTES = 16_000_000
"""The most bytes of a JSON body: a page of 1,000 jobs has about half a megabyte, the describe of an object with hundreds of
picklists a few."""
MOST_ERROR_BYTES = 100_000
SHORTEST_SECRET = 8
"""The fewest characters of a token: a shorter text would be found inside of other words."""
_ERRORS = TypeAdapter(list[dict[str, Any]] | dict[str, Any])


async def decoded(response: httpx2.Response) -> AsyncIterator[bytes]:
    """Read a body in chunks of at most 64 KiB, decompressed in the same small steps.

    httpx2 decompresses what it reads at once, and 64 KiB of gzip can stand for 64 MiB.

    Raises:
        UnexpectedAnswer: the body is compressed in a way that was not asked for.
        Unreachable: the connection broke, or the compressed data is damaged.
    """
    encoding = response.headers.get("Content-Encoding", "identity").lower()
    if encoding not in ("identity", "gzip"):
        raise UnexpectedAnswer("The answer is compressed in a way that was not asked for.")
    with mapped_errors(None):
        async for chunk in response.aiter_raw() if encoding == "identity" else _inflated(response.aiter_raw()):
            yield chunk
            await anyio.lowlevel.checkpoint()


async def _inflated(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    inflater = zlib.decompressobj(wbits=GZIP)
    begun = False
    async for chunk in chunks:
        while chunk:
            if inflater.eof:  # a body may be several members, one after the other (RFC 1952, 2.2)
                inflater = zlib.decompressobj(wbits=GZIP)
            begun = True
            yield inflater.decompress(chunk, CHUNK_BYTES)
            chunk = inflater.unconsumed_tail or inflater.unused_data
    if begun and not inflater.eof:
        raise Unreachable("The connection broke in the middle of a compressed answer.")


async def body_of(response: httpx2.Response, most_bytes: int = MOST_JSON_BYTES) -> bytes:
    """Read the whole body of an answer that has to be small.

    Raises:
        UnexpectedAnswer: the body has more bytes than that.
    """
    body = bytearray()
    async for chunk in decoded(response):
        body += chunk
        if len(body) > most_bytes:
            raise UnexpectedAnswer(f"The answer is longer than {most_bytes:,} bytes.")
    return bytes(body)


def check_no_redirect(response: httpx2.Response) -> None:
    """Raise UnexpectedAnswer for a redirect: it is never followed, since the token would go with it."""
    if response.is_redirect:
        raise UnexpectedAnswer(
            "Salesforce answered with a redirect, which is never followed with a token: check the instance "
            "(the My Domain name, such as acme.my)."
        )


async def raise_for_status(response: httpx2.Response) -> None:
    """Raise the error that stands for a refusal.

    Raises:
        Rejected: the API's own refusal, or a bare error status of something on the way.
        UnexpectedAnswer: a redirect; it is never followed, since the token would go with it.
    """
    if response.is_success:
        return
    check_no_redirect(response)
    try:
        body = await body_of(response, MOST_ERROR_BYTES)
    except (UnexpectedAnswer, Unreachable):
        body = b""  # the refusal itself has arrived: its status stands
    raise refused(response, body)


def refused(response: httpx2.Response, body: bytes) -> Rejected:
    """Return the error for a refusal with this body."""
    code, message = _refusal(response.status_code, body)
    code, message = _without_token(code, response), _without_token(message, response)
    return rejected(response.status_code, code, message, _retry_after(response))


def _without_token(message: str, response: httpx2.Response) -> str:
    """Return the message with the access token masked, in case it quotes the request."""
    token = response.request.headers.get("Authorization", "").removeprefix("Bearer ")
    return message.replace(token, "***") if len(token) >= SHORTEST_SECRET else message


def _refusal(status: int, body: bytes) -> tuple[str, str]:
    """Return `errorCode` and `message` of an error body: an array, a bare object (seen), or a page that is neither."""
    try:
        first = _ERRORS.validate_json(body)
    except ValidationError:
        code = "SERVER_UNAVAILABLE" if status >= 500 else "UNKNOWN_EXCEPTION"
        return code, f"Salesforce answered with status {status} and no explanation."
    if isinstance(first, list):
        first = first[0] if first else {}
    code = first.get("errorCode") or first.get("error") or "UNKNOWN_EXCEPTION"
    return str(code), str(first.get("message") or first.get("error_description") or code)


def _retry_after(response: httpx2.Response) -> float | None:
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isascii() and value.isdigit() else None
