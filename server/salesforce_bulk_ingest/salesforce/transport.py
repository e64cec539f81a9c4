"""HTTP to Salesforce: the connection pool, time limits, access tokens, and failures as `SalesforceError`."""

import ssl
import zlib
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Self
from urllib.parse import quote

import anyio
import anyio.lowlevel
import httpx2
from pydantic import TypeAdapter, ValidationError

from salesforce_bulk_ingest.base.shortage import shortage
from salesforce_bulk_ingest.base.storage import cause_of
from salesforce_bulk_ingest.base.text import as_name, quoted
from salesforce_bulk_ingest.salesforce.call import Call
from salesforce_bulk_ingest.salesforce.credentials import Credentials, CredentialSource
from salesforce_bulk_ingest.salesforce.errors import (
    LocalShortage,
    Rejected,
    SalesforceError,
    SessionRefused,
    TimedOut,
    UnexpectedAnswer,
    Unreachable,
    rejected,
)

LONGEST_PAUSE_SECONDS = 86_400.0
"""The longest pause that is believed: limits of an org are by the day."""
JSON_CALL_SECONDS = 40
"""The most seconds of an ordinary call, all its tries included: fewer than the 45 s that a tool call may take."""

TIMEOUT = httpx2.Timeout(connect=10, write=30, read=30, pool=10)
TRANSFER_TIMEOUT = httpx2.Timeout(connect=10, write=60, read=300, pool=10)
"""The time limits of calls that carry rows: Salesforce may take minutes to acknowledge 100 MB, and a slow reader is not a
fault."""


QUERY_CHARACTERS = "%-._~!$&'()*+,;=:@/?[]|^`{}\\"
"""The characters that stay as they are in a query; any other, such as a lone # or a byte over 0x7F, is escaped."""


def open_http(*, trust_env: bool, transport: httpx2.AsyncBaseTransport | None = None) -> httpx2.AsyncClient:
    """Open the connection pool; the caller closes it.

    Args:
        trust_env: whether proxy settings of the environment apply; they must not for an org on this machine.
        transport: sends the requests, in place of the pool's own transport.
    """
    # Cookies that Salesforce sets for one caller must not be sent with the calls of another.
    no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    http = httpx2.AsyncClient(
        verify=True if trust_env else _certificates(),
        transport=transport,
        timeout=TIMEOUT,
        trust_env=trust_env,
        follow_redirects=False,
        cookies=no_cookies,
    )
    # The gateway sends the caller's headers alone; a default such as "Accept-Encoding: gzip" would change the answer.
    http.headers.clear()
    return http


@cache
def _certificates() -> ssl.SSLContext:
    """Load the CA certificates of this machine, whatever the environment names: once, since loading takes 20 ms."""
    return httpx2.create_ssl_context(trust_env=False)


class Transport:
    """Sends calls to one org, with its access token.

    Args:
        http: the connection pool.
        source: gives the credentials.
        api_version: the API version of calls that name none, such as `63.0`.
    """

    def __init__(self, http: httpx2.AsyncClient, source: CredentialSource, api_version: str) -> None:
        self._http = http
        self._source = source
        self._api_version = api_version

    async def credentials(self) -> Credentials:
        """Return the current credentials.

        Raises:
            NoCredentials: no org is configured, or the login failed.
        """
        return await self._source.credentials()

    @property
    def can_renew(self) -> bool:
        """Whether there may be another token once Salesforce has refused this one."""
        return self._source.can_renew

    @asynccontextmanager
    async def open(self, call: Call) -> AsyncIterator[httpx2.Response]:
        """Send a call and yield the answer with its body unread, whatever its status.

        A session that has ended is renewed, and the call sent once more, where the login can give another token and the
        call's body can be sent again.

        Raises:
            NoCredentials: there is nothing to log in with, or the login is refused.
            Unreachable: no answer came.
        """
        credentials = await self._source.credentials(for_stream=call.is_streamed)
        async with sent(self._http, self._request(call, credentials), credentials) as response:
            if response.status_code != 401:
                yield response
                return
            refusal = await _Refusal.read(response)
        renewed = await self._source.renew(credentials) if await refusal.may_be_expiry() else None
        if renewed is None or not call.can_be_repeated:
            yield refusal.as_answer()
            return
        async with sent(self._http, self._request(call, renewed), renewed) as response:
            yield response

    async def renew(self, refused: Credentials) -> Credentials | None:
        """Return credentials in place of those that Salesforce refused; see `CredentialSource.renew`."""
        return await self._source.renew(refused)

    def _request(self, call: Call, credentials: Credentials) -> httpx2.Request:
        path = f"/services/data/v{call.api_version or self._api_version}{call.resource}{call.path}"
        target = f"{path}?{quote(call.query, safe=QUERY_CHARACTERS, encoding='latin-1')}" if call.query else path
        with mapped_errors(credentials):
            return self._http.build_request(
                call.method,
                # The query is not parsed and written again, which would change its bytes.
                httpx2.URL(credentials.instance_url).copy_with(raw_path=target.encode("ascii")),
                headers=authorized(credentials, call.headers),
                content=call.content,
                timeout=TRANSFER_TIMEOUT if call.carries_rows else TIMEOUT,
            )


@asynccontextmanager
async def sent(
    http: httpx2.AsyncClient, request: httpx2.Request, credentials: Credentials
) -> AsyncIterator[httpx2.Response]:
    """Send a request and yield the answer with its body unread, whatever its status.

    Raises:
        Unreachable: no answer came.
    """
    with mapped_errors(credentials):
        response = await http.send(request, stream=True)
    try:
        yield response
    finally:
        # The close is finished under cancellation, too: a connection that is half closed would stay in the pool.
        with anyio.CancelScope(shield=True):
            await response.aclose()


def authorized(credentials: Credentials, headers: Sequence[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Return the headers with the access token."""
    authorization = ("Authorization", f"Bearer {credentials.access_token.get_secret_value()}")
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in (*headers, authorization)]


@contextmanager
def deadline(seconds: float = JSON_CALL_SECONDS) -> Iterator[None]:
    """Limit the time of an ordinary call.

    Raises:
        TimedOut: the block took longer.
    """
    try:
        with anyio.fail_after(seconds):
            yield
    except TimeoutError as error:
        raise TimedOut(f"Salesforce did not answer within {seconds:g} s.") from error


@contextmanager
def mapped_errors(credentials: Credentials | None) -> Iterator[None]:
    """Raise a `SalesforceError` in place of every error of the HTTP client within the block."""
    try:
        yield
    except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol) as error:
        raise _not_reached(_named(credentials), error) from error
    except (httpx2.TimeoutException, TimeoutError) as error:
        raise TimedOut(f"{_named(credentials)} did not answer in time.") from error
    except zlib.error:
        raise Unreachable(f"The answer of {_named(credentials)} is compressed, and broken.") from None
    except (httpx2.RequestError, httpx2.InvalidURL) as error:
        raise Unreachable(f"The connection to {_named(credentials)} broke: {reason_of(error)}.") from error


def _named(credentials: Credentials | None) -> str:
    """Return the name of the other side, as a part of a sentence."""
    return "Salesforce" if credentials is None else httpx2.URL(credentials.instance_url).netloc.decode()


def _not_reached(where: str, error: Exception) -> Unreachable:
    """Return the error for a request of which nothing was sent."""
    if short := shortage(error):
        cause = cause_of(short)
        return LocalShortage(f"Nothing was sent to {where}: {cause.reason}. {cause.remedy}")
    return Unreachable(f"{where} could not be reached: {reason_of(error)}.", nothing_sent=True)


def reason_of(error: Exception) -> str:
    """Return why an exchange failed, for a message or the log."""
    # The HTTP library quotes the faulty line of a request or an answer, and that line may hold the token or a row.
    if isinstance(error, httpx2.LocalProtocolError):
        return "the request can't be written as HTTP"
    if isinstance(error, httpx2.RemoteProtocolError):
        return "what came back is not HTTP, or not all of it"
    if short := shortage(error):
        return f"{short.strerror} in this server"
    if isinstance(error, httpx2.ProxyError):
        return f"the proxy answered {quoted(str(error))}"
    return str(error) or type(error).__name__


CHUNK_BYTES = 1 << 16
GZIP = zlib.MAX_WBITS | 16
MOST_JSON_BYTES = 16_000_000
"""The most bytes of a JSON body: a page of 1,000 jobs has about half a megabyte, the describe of an object with hundreds of
picklists a few."""
MOST_ERROR_BYTES = 100_000
LONGEST_MESSAGE = 500
"""The maximum number of characters of a message of Salesforce in our sentences."""

SHORTEST_SECRET = 8
"""The fewest characters of a secret that is masked in messages: a shorter text may occur inside other words."""
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
            if inflater.eof:  # a gzip body may have several members in a row (RFC 1952, 2.2)
                inflater = zlib.decompressobj(wbits=GZIP)
            begun = True
            yield inflater.decompress(chunk, CHUNK_BYTES)
            chunk = inflater.unconsumed_tail or inflater.unused_data
    if begun and not inflater.eof:
        raise Unreachable("The connection broke in the middle of a compressed answer.")


async def body_of(response: httpx2.Response, most_bytes: int = MOST_JSON_BYTES) -> bytes:
    """Read the whole body of an answer that has to be small.

    Raises:
        UnexpectedAnswer: the body has more than `most_bytes` bytes.
    """
    body = bytearray()
    async for chunk in decoded(response):
        body += chunk
        if len(body) > most_bytes:
            raise UnexpectedAnswer(f"The answer is longer than {most_bytes:,} bytes.")
    return bytes(body)


class _Body(httpx2.AsyncByteStream):
    """A body that has arrived, to be read as if it arrived now."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._body


@dataclass(frozen=True, slots=True)
class _Refusal:
    """A refusal of a session whose body is in memory: it is looked at, and may be passed on.

    Attributes:
        answer: the answer, whose body has been read.
        body: the body as it arrived; None where it is broken, or longer than any of the API's refusals.
    """

    answer: httpx2.Response
    body: bytes | None

    @classmethod
    async def read(cls, answer: httpx2.Response) -> Self:
        """Read the refusal; its status is enough where its body breaks off."""
        body = bytearray()
        try:
            async for chunk in answer.aiter_raw():
                body += chunk
                if len(body) > MOST_ERROR_BYTES:
                    return cls(answer, None)
        except httpx2.RequestError:
            return cls(answer, None)
        return cls(answer, bytes(body))

    async def may_be_expiry(self) -> bool:
        """Return whether another token may be accepted."""
        try:
            await raise_for_status(self.as_answer())
        except SessionRefused:
            return False
        except SalesforceError:
            pass
        return True

    def as_answer(self) -> httpx2.Response:
        """Return the answer with its body unread."""
        headers = self.answer.headers.copy()
        if self.body is None:
            for name in ("Content-Length", "Content-Encoding", "Transfer-Encoding"):
                headers.pop(name, None)
        stream = _Body(self.body or b"")
        return httpx2.Response(self.answer.status_code, headers=headers, stream=stream, request=self.answer.request)


def check_no_redirect(response: httpx2.Response) -> None:
    """Raise UnexpectedAnswer for a redirect: it is never followed, since the token would go with it."""
    if response.is_redirect:
        raise UnexpectedAnswer(
            "Salesforce answered with a redirect, which is never followed with a token: check the instance "
            "(the My Domain name, such as acme.my)."
        )


async def raise_for_status(response: httpx2.Response) -> None:
    """Raise the error for an answer that is no success.

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
        body = b""  # the status has arrived, and is enough for the error
    raise refused(response, body)


def refused(response: httpx2.Response, body: bytes, secrets: Collection[str] = ()) -> Rejected:
    """Return the error for a refusal with this body, whose code and message are the text of others.

    Args:
        response: the answer.
        body: its body.
        secrets: what else of the request, beside its access token, is masked where the message quotes it.
    """
    token = response.request.headers.get("Authorization", "").removeprefix("Bearer ")
    status, retry_after = response.status_code, _retry_after(response)
    told = _told(body)
    if told is None:
        code = "SERVER_UNAVAILABLE" if status >= 500 else "UNKNOWN_EXCEPTION"
        return rejected(status, code, f"Salesforce answered with status {status} and no explanation.", retry_after)
    code, message = (_without_secrets(text, (token, *secrets)) for text in told)
    return rejected(status, as_name(code), quoted(message, LONGEST_MESSAGE), retry_after)


def _without_secrets(message: str, secrets: Iterable[str]) -> str:
    """Return the message with secrets masked, in case it quotes the request."""
    for secret in secrets:
        if len(secret) >= SHORTEST_SECRET:
            message = message.replace(secret, "***")
    return message


def _told(body: bytes) -> tuple[str, str] | None:
    """Return `errorCode` and `message` of an error body, an array or a bare object (seen); None for any other body."""
    try:
        first = _ERRORS.validate_json(body)
    except ValidationError:
        return None
    if isinstance(first, list):
        first = first[0] if first else {}
    code = first.get("errorCode") or first.get("error") or "UNKNOWN_EXCEPTION"
    return str(code), str(first.get("message") or first.get("error_description") or code)


def _retry_after(response: httpx2.Response) -> float | None:
    """Return the seconds that the answer asks to wait: Retry-After has a number of them, or a date (RFC 9110, 10.2.3)."""
    value = response.headers.get("Retry-After", "")
    if value.isascii() and value.isdigit():
        return min(float(value), LONGEST_PAUSE_SECONDS)
    until = _date(value)
    if until is None:
        return None
    seconds = (until - (answered_at(response) or datetime.now(UTC))).total_seconds()
    return min(max(seconds, 0.0), LONGEST_PAUSE_SECONDS)


def answered_at(response: httpx2.Response) -> datetime | None:
    """Return the time of an answer by the clock of the other side, in whole seconds; None where the answer has no Date."""
    return _date(response.headers.get("Date", ""))


def _date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    if not 1970 <= date.year <= 9000:  # no clock's time, and at the ends of the calendar nothing can be added
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
