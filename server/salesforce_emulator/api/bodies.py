"""The bodies of requests: decompressed, held to a limit and, where they are JSON, parsed."""

import json
import zlib
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from starlette.requests import Request

from salesforce_emulator import errors

MAX_JSON_BYTES = 1_000_000  # assumed: no body of JSON comes near this

_inflater = partial(zlib.decompressobj, wbits=zlib.MAX_WBITS | 32)  # 32: gzip or zlib, whichever the header shows


async def body_of(request: Request, limit: int) -> AsyncIterator[bytes]:
    """The body in chunks, decompressed when it says so (REST API guide, Using Compression).

    Raises:
        ApiError: more than `limit` bytes (413), a compression that is not known (415), or not what it claims to be (400).
        ClientDisconnect: the caller is gone before the end.
    """
    encoding = request.headers.get("Content-Encoding", "identity")
    match encoding.strip().lower():
        case "identity" | "":
            chunks: AsyncIterator[bytes] = request.stream()
        case "gzip" | "x-gzip" | "deflate":
            chunks = _inflated(request.stream())
        case _:
            raise errors.unsupported_encoding(encoding)
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise errors.too_large(limit, "bytes")
        yield chunk


async def _inflated(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    inflater = _inflater()
    try:
        async for chunk in chunks:
            while chunk:
                if inflater.eof:  # one member has ended: as many may follow as the caller likes (RFC 1952)
                    inflater = _inflater()
                yield inflater.decompress(chunk, 1 << 16)
                chunk = inflater.unused_data or inflater.unconsumed_tail
        yield inflater.flush()
    except zlib.error:
        raise errors.broken_compression() from None
    if not inflater.eof:
        raise errors.broken_compression()


async def json_of(request: Request) -> dict[str, Any]:
    """The JSON object in the body.

    Raises:
        ApiError: it is another media type (415) or not a JSON object (400).
    """
    check_media_type(request, "application/json")
    return parse_object(b"".join([chunk async for chunk in body_of(request, MAX_JSON_BYTES)]))


def check_media_type(request: Request, expected: str) -> None:
    """Refuse a body of another media type; one without a type passes (assumed)."""
    given = request.headers.get("Content-Type", expected)
    if given.partition(";")[0].strip().lower() != expected:
        raise errors.unsupported_media_type(given)


def parse_object(text: bytes) -> dict[str, Any]:
    """The JSON object that the text is.

    Raises:
        ApiError: it is not one (400).
    """
    try:
        value = json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise errors.json_parser_error(f"The request body is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise errors.json_parser_error("The request body is not a JSON object")
    return value
