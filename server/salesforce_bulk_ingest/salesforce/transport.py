"""HTTP to Salesforce: the connection pool, time limits, decompression, and every failure as one of our errors."""

import zlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import anyio
import anyio.lowlevel
import httpx2
from pydantic import TypeAdapter, ValidationError

from salesforce_bulk_ingest.salesforce.auth import Credentials
from salesforce_bulk_ingest.salesforce.errors import Rejected, TimedOut, UnexpectedAnswer, Unreachable, rejected

JSON_CALL_SECONDS = 40
"""An ordinary call, all its tries included, ends within this time: under the 45 s that a tool call may take."""

TIMEOUT = httpx2.Timeout(connect=10, write=30, read=30, pool=10)
TRANSFER_TIMEOUT = httpx2.Timeout(connect=10, write=60, read=300, pool=10)
"""For rows: Salesforce may take minutes to acknowledge 100 MB, and a slow reader is not a fault."""


CHUNK_BYTES = 1 << 16
GZIP = zlib.MAX_WBITS | 16
MOST_JSON_BYTES = 16_000_000
"""A page of 1,000 jobs is about half a megabyte; the describe of an object with hundreds of picklists, a few."""

MOST_ERROR_BYTES = 100_000
SHORTEST_SECRET = 8
"""Characters: anything shorter is no token, and would be found inside of other words."""

_ERRORS = TypeAdapter(list[dict[str, Any]] | dict[str, Any])


def open_http(*, trust_env: bool) -> httpx2.AsyncClient:
    """The one connection pool; the caller closes it.

    Args:
        trust_env: whether proxy settings of the environment apply; they must not for an org on this machine.
    """
    # One caller's cookies are not the next one's.
    no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    http = httpx2.AsyncClient(timeout=TIMEOUT, trust_env=trust_env, follow_redirects=False, cookies=no_cookies)
    # A gateway passes on the caller's headers; defaults such as "Accept-Encoding: gzip" would be additions of ours.
    http.headers.clear()
    return http


def authorized(credentials: Credentials, headers: Sequence[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    authorization = ("Authorization", f"Bearer {credentials.access_token.get_secret_value()}")
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in (*headers, authorization)]


async def decoded(response: httpx2.Response) -> AsyncIterator[bytes]:
    """The body in chunks of at most 64 KiB, decompressed in the same small steps.

    httpx2 decompresses what it reads at once, and 64 KiB of gzip can stand for 64 MiB.

    Raises:
        UnexpectedAnswer: a compression that was not asked for.
        Unreachable: the connection broke, or what it is compressed with.
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
    """The whole body of an answer that has to be small.

    Raises:
        UnexpectedAnswer: it is not.
    """
    body = bytearray()
    async for chunk in decoded(response):
        body += chunk
        if len(body) > most_bytes:
            raise UnexpectedAnswer(f"The answer is longer than {most_bytes:,} bytes.")
    return bytes(body)


@contextmanager
def deadline() -> Iterator[None]:
    """Ends what an ordinary call is made of in time.

    Raises:
        TimedOut: it took longer.
    """
    try:
        with anyio.fail_after(JSON_CALL_SECONDS):
            yield
    except TimeoutError as error:
        raise TimedOut(f"Salesforce did not answer within {JSON_CALL_SECONDS} s.") from error


@contextmanager
def mapped_errors(credentials: Credentials | None) -> Iterator[None]:
    """Every failure of the transport as one of ours."""
    where = httpx2.URL(credentials.instance_url).netloc.decode() if credentials else "Salesforce"
    try:
        yield
    except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol) as error:
        raise Unreachable(f"{where} could not be reached: {_reason(error)}.", nothing_sent=True) from error
    except (httpx2.TimeoutException, TimeoutError) as error:
        raise TimedOut(f"{where} did not answer in time.") from error
    except zlib.error:
        raise Unreachable(f"The answer of {where} is compressed, and broken.") from None
    except (httpx2.RequestError, httpx2.InvalidURL) as error:
        raise Unreachable(f"The connection to {where} broke: {_reason(error)}.") from error


def _reason(error: Exception) -> str:
    # What breaks the rules of HTTP is quoted in the message, and it may hold the token, on either side.
    if isinstance(error, httpx2.LocalProtocolError):
        return "the request can't be written as HTTP"
    if isinstance(error, httpx2.RemoteProtocolError):
        return "what came back is not HTTP, or not all of it"
    return str(error) or type(error).__name__


def check_no_redirect(response: httpx2.Response) -> None:
    if response.is_redirect:
        raise UnexpectedAnswer(
            "Salesforce answered with a redirect, which is never followed with a token: check the instance "
            "(the My Domain name, such as acme.my)."
        )


async def raise_for_status(response: httpx2.Response) -> None:
    """Turn a refusal into the error that stands for it.

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
    code, message = _refusal(response.status_code, body)
    code, message = _without_token(code, response), _without_token(message, response)
    return rejected(response.status_code, code, message, _retry_after(response))


def _without_token(message: str, response: httpx2.Response) -> str:
    """The message, should it quote the request."""
    token = response.request.headers.get("Authorization", "").removeprefix("Bearer ")
    return message.replace(token, "***") if len(token) >= SHORTEST_SECRET else message


def _refusal(status: int, body: bytes) -> tuple[str, str]:
    """`errorCode` and `message` of an error body: an array, a bare object (seen), or a page that is neither."""
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
