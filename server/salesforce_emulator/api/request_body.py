"""Reads request bodies: decompresses them, enforces a size limit, and parses forms and JSON."""

import json
import zlib
from collections.abc import AsyncIterator
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request

from salesforce_emulator import errors

MAX_JSON_BYTES = 1_000_000  # assumed; real JSON bodies are far smaller
MAX_FORM_BYTES = 100_000  # own

Form = dict[str, str]

_inflater = partial(zlib.decompressobj, wbits=zlib.MAX_WBITS | 32)  # 32: detect gzip or zlib by the header


async def body_chunks(request: Request, limit: int) -> AsyncIterator[bytes]:
    """Yield the body in chunks, decompressed according to Content-Encoding (REST API guide, Using Compression).

    Raises:
        ApiError: the body has more than `limit` bytes when decompressed (413), an unknown Content-Encoding (415), or is not
            compressed as Content-Encoding says (400).
        ClientDisconnect: the caller closed the connection before the end of the body.
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
    # The body is decompressed in pieces of 64 KiB at most, so that a small body can't fill the memory.
    inflater = _inflater()
    try:
        async for chunk in chunks:
            while chunk:
                if inflater.eof:  # a gzip body may have any number of members (RFC 1952)
                    inflater = _inflater()
                yield inflater.decompress(chunk, 1 << 16)
                chunk = inflater.unused_data or inflater.unconsumed_tail
        yield inflater.flush()
    except zlib.error:
        raise errors.broken_compression() from None
    if not inflater.eof:
        raise errors.broken_compression()


async def form_parameters(request: Request) -> Form:
    """Return the parameters in query and body of a request; of two with one name, the last one counts.

    Raises:
        ApiError: the body can't be read, for a reason that `body_chunks` names.
    """
    body = b"".join([chunk async for chunk in body_chunks(request, MAX_FORM_BYTES)])
    return dict(request.query_params) | dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


async def json_body(request: Request) -> dict[str, Any]:
    """Return the JSON object in the body.

    Raises:
        ApiError: the body has another media type (415), or is not a JSON object (400).
    """
    check_media_type(request, "application/json")
    return parse_object(b"".join([chunk async for chunk in body_chunks(request, MAX_JSON_BYTES)]))


def check_media_type(request: Request, expected: str) -> None:
    """Refuse a body of another media type; assumed: a body without a Content-Type is accepted.

    Raises:
        ApiError: content-Type names another media type than the expected one (415).
    """
    given = request.headers.get("Content-Type", expected)
    if given.partition(";")[0].strip().lower() != expected:
        raise errors.unsupported_media_type(given, expected)


def parse_object(text: bytes) -> dict[str, Any]:
    """Parse a text that must be a JSON object.

    Raises:
        ApiError: the text is not a JSON object (400).
    """
    try:
        value = json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise errors.json_parser_error(f"The request body is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise errors.json_parser_error("The request body is not a JSON object")
    return value
