"""The Bulk API 2.0 ingest endpoints, and what is asked before a load, as methods over one pooled HTTP client.

Statuses, paths and bodies: Bulk API 2.0 and Bulk API Developer Guide, one page for each endpoint.
"""

import zlib
from collections.abc import AsyncIterable, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeVar
from urllib.parse import quote

import anyio
import anyio.lowlevel
import httpx2
import stamina
from pydantic import BaseModel, TypeAdapter, ValidationError

from salesforce_bulk_ingest.salesforce.auth import Credentials, CredentialSource
from salesforce_bulk_ingest.salesforce.call import Call
from salesforce_bulk_ingest.salesforce.errors import (
    Rejected,
    TimedOut,
    UnexpectedAnswer,
    Unreachable,
    rejected,
)
from salesforce_bulk_ingest.salesforce.models import Identity, Job, JobList, ResultKind, SObjectDescribe

JSON_CALL_SECONDS = 40
"""An ordinary call, all its tries included, ends within this time: under the 45 s that a tool call may take."""

TIMEOUT = httpx2.Timeout(connect=10, write=30, read=30, pool=10)
TRANSFER_TIMEOUT = httpx2.Timeout(connect=10, write=60, read=300, pool=10)
"""For rows: Salesforce may take minutes to acknowledge 100 MB, and a slow reader is not a fault."""

QUERY_CHARACTERS = "%-._~!$&'()*+,;=:@/?[]|^`{}\\"
"""What may stand in a query as it is; anything else, such as a lone # or a byte over 0x7F, is escaped."""

CHUNK_BYTES = 1 << 16
GZIP = zlib.MAX_WBITS | 16
MOST_JSON_BYTES = 16_000_000
"""A page of 1,000 jobs is about half a megabyte; the describe of an object with hundreds of picklists, a few."""

MOST_ERROR_BYTES = 100_000
SHORTEST_SECRET = 8
"""Characters: anything shorter is no token, and would be found inside of other words."""

READ_ATTEMPTS = 3
RETRIED_STATUSES = frozenset({420, 429, 500, 502, 503, 504})

ModelT = TypeVar("ModelT", bound=BaseModel)


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


class SalesforceClient:
    """Calls one org.

    Args:
        http: the connection pool.
        source: where the credentials come from.
        api_version: such as `63.0`.
    """

    def __init__(self, http: httpx2.AsyncClient, source: CredentialSource, api_version: str) -> None:
        self._http = http
        self._source = source
        self.api_version = api_version

    async def instance_url(self) -> str:
        """The origin of the org.

        Raises:
            NoCredentials: no org is configured, or the login failed.
        """
        return (await self._source.credentials()).instance_url

    async def create_job(self, body: Mapping[str, object]) -> Job:
        """Make a job in state Open. Never repeated by itself: a second try could leave a second job."""
        return await self._json(Job, Call("POST", headers=_JSON_HEADERS, content=_dump(body)))

    async def get_job(self, job_id: str, *, api_version: str | None = None) -> Job:
        """The job's state and counters.

        Raises:
            NotFound: no such job, or not any more.
        """
        return await self._read(Job, Call("GET", f"/{job_id}", headers=_ACCEPT_JSON, api_version=api_version))

    async def list_jobs(self, query: str = "") -> JobList:
        """One page of the org's jobs.

        Args:
            query: raw query string with `isPkChunkingEnabled`, `jobType` and `queryLocator`.
        """
        return await self._read(JobList, Call("GET", query=query, headers=_ACCEPT_JSON))

    async def set_state(self, job_id: str, state: str) -> Job:
        """Close (`UploadComplete`) or abort (`Aborted`) the job.

        Raises:
            WrongState: the job is past that.
        """
        return await self._json(
            Job, Call("PATCH", f"/{job_id}", headers=_JSON_HEADERS, content=_dump({"state": state}))
        )

    async def delete_job(self, job_id: str) -> None:
        """Remove the job and its stored data from the org; records stay as they are."""
        with deadline():
            async with self.open(Call("DELETE", f"/{job_id}")) as response:
                await _raise_for_status(response)
                if response.status_code != 204:
                    raise UnexpectedAnswer(f"The delete was answered with status {response.status_code}, not 204.")

    async def upload(self, job_id: str, content: bytes | AsyncIterable[bytes], size: int | None = None) -> None:
        """Send the job's rows. Salesforce takes them once, so this is never repeated by itself.

        Args:
            job_id: an open job that has none yet.
            content: the rows; sent a second time after a refused session, if it can be read a second time.
            size: bytes in all, where the content does not say.
        """
        headers = [("Content-Type", "text/csv; charset=UTF-8")]
        if size is not None:
            headers.append(("Content-Length", str(size)))
        call = Call("PUT", f"/{job_id}/batches", headers=headers, content=content, carries_rows=True)
        async with self.open(call) as response:
            await _raise_for_status(response)
            if response.status_code != 201:
                raise UnexpectedAnswer(f"The upload was answered with status {response.status_code}, not 201.")

    @asynccontextmanager
    async def results(self, job_id: str, kind: ResultKind) -> AsyncIterator[AsyncIterator[bytes]]:
        """The rows of one result, decompressed, in chunks; no chunk at all where Salesforce has nothing (204)."""
        headers = [("Accept", "text/csv"), ("Accept-Encoding", "gzip")]
        call = Call("GET", f"/{job_id}/{kind}", headers=headers, carries_rows=True)
        async with self.open(call) as response:
            await _raise_for_status(response)
            if response.status_code not in (200, 204) or (response.status_code == 200 and not _is_csv(response)):
                raise UnexpectedAnswer("The result is not CSV: is the instance right, and not in maintenance?")
            yield decoded(response)

    async def describe(self, sobject: str) -> SObjectDescribe:
        """What the user may do with an object and its fields (REST API guide, sObject Describe).

        Args:
            sobject: API name of the object, in any case.

        Raises:
            NotFound: there is no such object, or the user may not see it.
        """
        headers = [*_ACCEPT_JSON, ("Accept-Encoding", "gzip")]
        call = Call("GET", f"/{quote(sobject, safe='')}/describe", headers=headers, resource="/sobjects")
        return await self._read(SObjectDescribe, call)

    async def identity(self) -> Identity:
        """Whose token this is.

        Raises:
            SessionExpired: it is not valid (the page answers 403 with the text `Bad_OAuth_Token`, seen in public code).
        """
        credentials = await self._source.credentials()
        url, headers = f"{credentials.instance_url}/services/oauth2/userinfo", _authorized(credentials, _ACCEPT_JSON)
        with deadline(), _mapped_errors(credentials):
            async with self._http.stream("GET", url, headers=headers) as response:
                body = await body_of(response)
        if response.status_code == 401 or body.strip() == b"Bad_OAuth_Token":
            raise rejected(401, "INVALID_SESSION_ID", "Session expired or invalid")
        _check_no_redirect(response)
        if not response.is_success:
            raise _refused(response, body)
        return _parsed(Identity, body)

    @asynccontextmanager
    async def open(self, call: Call) -> AsyncIterator[httpx2.Response]:
        """Send a call and hand over the answer with its body unread, whatever its status.

        A refused session is renewed once where the login can give another token and the body is still there.

        Raises:
            NoCredentials: there is nothing to log in with.
            Unreachable: no answer came.
        """
        credentials = await self._source.credentials()
        async with self._sent(call, credentials) as response:
            if response.status_code != 401 or not self._source.discard(credentials) or not call.can_be_repeated:
                yield response
                return
        renewed = await self._source.credentials()
        async with self._sent(call, renewed) as response:
            yield response

    @asynccontextmanager
    async def _sent(self, call: Call, credentials: Credentials) -> AsyncIterator[httpx2.Response]:
        with _mapped_errors(credentials):
            response = await self._http.send(self._request(call, credentials), stream=True)
        try:
            yield response
        finally:
            # Run to its end under cancellation too: a connection that is half closed would stay in the pool.
            with anyio.CancelScope(shield=True):
                await response.aclose()

    def _request(self, call: Call, credentials: Credentials) -> httpx2.Request:
        path = f"/services/data/v{call.api_version or self.api_version}{call.resource}{call.path}"
        target = f"{path}?{quote(call.query, safe=QUERY_CHARACTERS, encoding='latin-1')}" if call.query else path
        return self._http.build_request(
            call.method,
            # Not parsed into parameters and back: that would be another query.
            httpx2.URL(credentials.instance_url).copy_with(raw_path=target.encode("ascii")),
            headers=_authorized(credentials, call.headers),
            content=call.content,
            timeout=TRANSFER_TIMEOUT if call.carries_rows else TIMEOUT,
        )

    async def _read(self, model: type[ModelT], call: Call) -> ModelT:
        with deadline():
            async for attempt in stamina.retry_context(on=_worth_another_try, attempts=READ_ATTEMPTS, timeout=20):
                with attempt:
                    return await self._json(model, call)
        raise AssertionError("retry_context ends with a result or an exception")

    async def _json(self, model: type[ModelT], call: Call) -> ModelT:
        return _parsed(model, await self._body(call))

    async def _body(self, call: Call) -> bytes:
        with deadline():
            async with self.open(call) as response:
                await _raise_for_status(response)
                return await body_of(response)


_BODY = TypeAdapter(dict[str, object])
_ERRORS = TypeAdapter(list[dict[str, Any]] | dict[str, Any])
_ACCEPT_JSON = [("Accept", "application/json")]
_JSON_HEADERS = [*_ACCEPT_JSON, ("Content-Type", "application/json; charset=UTF-8")]


def _dump(body: Mapping[str, object]) -> bytes:
    return _BODY.dump_json(dict(body))


def _authorized(credentials: Credentials, headers: Sequence[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    authorization = ("Authorization", f"Bearer {credentials.access_token.get_secret_value()}")
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in (*headers, authorization)]


def _parsed(model: type[ModelT], body: bytes) -> ModelT:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise UnexpectedAnswer(
            "The answer is not one of the Salesforce API: is the instance right, and not in maintenance?"
        ) from error


def _worth_another_try(error: Exception) -> bool | float:
    """Which failed reads may pass on a second try, and after how many seconds."""
    if isinstance(error, Rejected) and error.status in RETRIED_STATUSES:
        return True if error.retry_after_seconds is None else min(error.retry_after_seconds, 10.0)
    return isinstance(error, Unreachable) and not isinstance(error, TimedOut)


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
    with _mapped_errors(None):
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


def _is_csv(response: httpx2.Response) -> bool:
    given: str = response.headers.get("Content-Type", "text/csv")
    return given.partition(";")[0].strip().lower() == "text/csv"


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
def _mapped_errors(credentials: Credentials | None) -> Iterator[None]:
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


def _check_no_redirect(response: httpx2.Response) -> None:
    if response.is_redirect:
        raise UnexpectedAnswer(
            "Salesforce answered with a redirect, which is never followed with a token: check the instance "
            "(the My Domain name, such as acme.my)."
        )


async def _raise_for_status(response: httpx2.Response) -> None:
    """Turn a refusal into the error that stands for it.

    Raises:
        Rejected: the API's own refusal, or a bare error status of something on the way.
        UnexpectedAnswer: a redirect; it is never followed, since the token would go with it.
    """
    if response.is_success:
        return
    _check_no_redirect(response)
    try:
        body = await body_of(response, MOST_ERROR_BYTES)
    except (UnexpectedAnswer, Unreachable):
        body = b""  # the refusal itself has arrived: its status stands
    raise _refused(response, body)


def _refused(response: httpx2.Response, body: bytes) -> Rejected:
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
