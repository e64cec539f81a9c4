"""The transport: sessions are renewed once, bodies are read in small pieces, and every failure is one of our errors."""

import errno
import gzip
import inspect
import json
import socket
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
import httpx2
import pytest
from pydantic import SecretStr
from starlette.types import Receive, Scope, Send

from salesforce_bulk_ingest.salesforce.call import Call
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.credentials import Credentials, FixedCredentials
from salesforce_bulk_ingest.salesforce.errors import (
    LimitReached,
    LocalShortage,
    Rejected,
    SalesforceError,
    SessionExpired,
    SessionRefused,
    TimedOut,
    UnexpectedAnswer,
    Unreachable,
)
from salesforce_bulk_ingest.salesforce.transport import CHUNK_BYTES, MOST_JSON_BYTES, open_http
from tests.salesforce.calls import (
    ALL,
    CSV_TYPE,
    SESSION_EXPIRED,
    Failing,
    Method,
    _read_failed_results,
    _rows,
    chunks,
)
from tests.salesforce.upstream import (
    JOB,
    JOB_ID,
    Answer,
    TwoLogins,
    Upstream,
    client_of,
    fixed,
    served,
)
from tests.support.canary import TOKEN
from tests.support.wire import pass_lifespan, read_body, start
from tests.support.wire import served as served_here


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ALL.values(), ids=ALL)
async def test_a_redirect_is_never_followed(method: Method, status: int) -> None:
    elsewhere = Upstream([Answer.of(JOB)])
    with served(elsewhere) as other:
        upstream = Upstream([Answer(status, b"", [("Location", f"{other}/services/data/v63.0/jobs/ingest")])])
        with served(upstream) as url:
            async with client_of(fixed(url)) as client:
                with pytest.raises(UnexpectedAnswer, match="redirect"):
                    await method(client)
    assert len(upstream.seen) == 1
    assert elsewhere.seen == []


@pytest.mark.parametrize("method", ALL.values(), ids=ALL)
async def test_where_nobody_listens_nothing_was_sent(method: Method) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    async with client_of(fixed(f"http://127.0.0.1:{port}")) as client:
        with pytest.raises(Unreachable) as raised:
            await method(client)
    assert raised.value.nothing_sent
    assert (raised.value.status, type(raised.value)) == (502, Unreachable)
    assert str(raised.value).startswith(f"127.0.0.1:{port} could not be reached: ")


HTTPX_ERRORS = {
    name: kind
    for name, kind in vars(httpx2).items()
    if inspect.isclass(kind) and issubclass(kind, Exception) and kind is not httpx2.HTTPError
}


NOT_OF_THE_WAY = {
    "HTTPStatusError": "only raise_for_status raises it",
    "CookieConflict": "only reading a cookie raises it",
    "StreamError": "a mistake in our code",
    "StreamConsumed": "a mistake in our code",
    "StreamClosed": "a mistake in our code",
    "ResponseNotRead": "a mistake in our code",
    "RequestNotRead": "a mistake in our code",
}


ORG = "https://acme.my.salesforce.com"
NOTHING_SENT = {"ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol"}


TIMED_OUT = {"TimeoutException", "ReadTimeout", "WriteTimeout"}


@pytest.mark.parametrize("name", sorted(HTTPX_ERRORS.keys() - NOT_OF_THE_WAY.keys()))
async def test_every_error_of_the_way_there_is_one_of_ours(name: str) -> None:
    way = Failing(HTTPX_ERRORS[name](f"broken by {TOKEN}" if name == "LocalProtocolError" else "broken"))
    async with httpx2.AsyncClient(transport=way) as http:
        client = SalesforceClient(http, fixed("https://acme.my.salesforce.com"), "63.0")
        for method in ALL.values():
            with pytest.raises(Unreachable) as raised:
                await method(client)
            assert TOKEN not in str(raised.value)
            assert raised.value.nothing_sent == (name in NOTHING_SENT)
            assert isinstance(raised.value, TimedOut) == (name in TIMED_OUT)


def test_every_error_left_out_of_the_map_exists() -> None:
    assert NOT_OF_THE_WAY.keys() <= HTTPX_ERRORS.keys()


NOW = "Sat, 28 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("", None),
        ("soon", None),
        ("\xb2", None),
        ("-1", None),
        ("Sat, 28 Nov 2026 12:02:00 GMT", 120.0),
        ("Sat, 28 Nov 2026 12:02:00", 120.0),
        ("Saturday, 28-Nov-26 12:02:00 GMT", 120.0),
        ("Sat, 28 Nov 2026 11:00:00 GMT", 0.0),
        ("Sat, 99 Nov 2026 12:02:00 GMT", None),
        ("9" * 400, 86_400.0),
        ("Sat, 28 Nov 2099 12:02:00 GMT", 86_400.0),
    ],
)
async def test_a_limit_tells_when_to_come_back_if_it_does(header: str, seconds: float | None) -> None:
    """A date counts from the time of the answer, by the clock of the org."""
    headers = [(b"Retry-After", header.encode("latin-1")), (b"Date", NOW.encode())]
    response = httpx2.Response(429, headers=headers, content=chunks())
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(lambda request: response)) as http:
        with pytest.raises(LimitReached) as raised:
            await SalesforceClient(http, fixed(ORG), "63.0").upload(JOB_ID, b"Name\n")
    assert raised.value.retry_after_seconds == seconds


async def test_a_date_to_come_back_counts_from_now_where_the_answer_has_none() -> None:
    long_ago = httpx2.Response(429, headers={"Retry-After": "Sat, 28 Nov 2020 12:00:00 GMT"}, content=chunks())
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(lambda request: long_ago)) as http:
        with pytest.raises(LimitReached) as raised:
            await SalesforceClient(http, fixed(ORG), "63.0").upload(JOB_ID, b"Name\n")
    assert raised.value.retry_after_seconds == 0


async def test_a_refused_session_is_renewed_once_and_the_same_bytes_go_up_again() -> None:
    upstream = Upstream([SESSION_EXPIRED, Answer(201)])
    with served(upstream) as url:
        login = TwoLogins(url)
        async with client_of(login) as client:
            await client.upload(JOB_ID, b"Name\nAnn\n")
    assert [(seen.headers["authorization"], seen.body) for seen in upstream.seen] == [
        ("Bearer stale", b"Name\nAnn\n"),
        ("Bearer fresh", b"Name\nAnn\n"),
    ]


async def test_a_session_that_is_refused_twice_is_expired() -> None:
    upstream = Upstream([SESSION_EXPIRED])
    with served(upstream) as url:
        login = TwoLogins(url)
        async with client_of(login) as client:
            with pytest.raises(SessionExpired):
                await client.get_job(JOB_ID)
    assert (len(upstream.seen), login.renewals) == (2, 1)


async def test_a_stream_is_not_sent_again_but_the_next_call_has_a_new_session() -> None:
    upstream = Upstream([SESSION_EXPIRED, Answer.of(JOB)])
    with served(upstream) as url:
        async with client_of(TwoLogins(url)) as client:
            with pytest.raises(SessionExpired):
                await client.upload(JOB_ID, _rows())
            await client.get_job(JOB_ID)
    assert [seen.headers["authorization"] for seen in upstream.seen] == ["Bearer stale", "Bearer fresh"]


NO_EXPIRY = [
    Answer.of([{"message": text, "errorCode": "INVALID_SESSION_ID"}], 401)
    for text in ("This session is not valid for use with the REST API", "Connected app is not attached to Agent")
] + [Answer.of([{"message": "INVALID_HEADER_TYPE", "errorCode": "INVALID_AUTH_HEADER"}], 401)]


@pytest.mark.parametrize("refusal", NO_EXPIRY, ids=["no REST session", "not attached", "header"])
async def test_a_refusal_that_another_token_would_get_too_renews_nothing(refusal: Answer) -> None:
    upstream = Upstream([refusal])
    with served(upstream) as url:
        login = TwoLogins(url)
        async with client_of(login) as client:
            with pytest.raises(SessionRefused):
                await client.get_job(JOB_ID)
    assert (len(upstream.seen), login.renewals) == (1, 0)


@pytest.mark.parametrize(
    "refusal",
    [
        Answer(401),
        Answer(401, b"<html>"),
        Answer(401, b"x" * 200_000),
        Answer(401, b"no gzip", [("Content-Encoding", "gzip")]),
        Answer(401, b"half", [("Content-Length", "100")]),
    ],
    ids=["empty", "a page", "long", "no gzip", "cut off"],
)
async def test_a_401_without_the_words_of_the_api_is_enough_to_renew(refusal: Answer) -> None:
    with served(Upstream([refusal, Answer.of(JOB)])) as url:
        async with client_of(TwoLogins(url)) as client:
            assert (await client.get_job(JOB_ID)).id == JOB_ID


async def test_a_token_from_the_settings_is_tried_once() -> None:
    upstream = Upstream([SESSION_EXPIRED])
    with served(upstream) as url:
        async with client_of(fixed(url)) as client:
            with pytest.raises(SessionExpired):
                await client.get_job(JOB_ID)
    assert len(upstream.seen) == 1


async def test_results_that_are_not_gzip_although_they_say_so_are_an_unreachable_upstream() -> None:
    with served(Upstream([Answer(200, b"plain", [CSV_TYPE, ("Content-Encoding", "gzip")])])) as url:
        async with client_of(fixed(url)) as client:
            with pytest.raises(Unreachable):
                await _read_failed_results(client)


async def test_cookies_of_one_answer_do_not_go_out_with_the_next_call() -> None:
    upstream = Upstream([Answer.of(JOB, set_cookie="BrowserId=x; path=/")])
    with served(upstream) as url:
        async with client_of(fixed(url)) as client:
            await client.get_job(JOB_ID)
            await client.get_job(JOB_ID)
    assert all("cookie" not in seen.headers for seen in upstream.seen)


async def test_a_proxy_of_the_environment_is_not_asked_where_it_must_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with served(Upstream([Answer.of(JOB)])) as url:
        async with client_of(fixed(url)) as client:
            assert (await client.get_job(JOB_ID)).state == "Open"


async def test_an_answer_is_open_with_its_body_unread_whatever_its_status() -> None:
    with served(Upstream([Answer(418, b"short and stout")])) as url:
        async with client_of(fixed(url)) as client, client.open(Call("GET", f"/{JOB_ID}")) as response:
            assert (response.status_code, response.is_stream_consumed) == (418, False)
            assert await response.aread() == b"short and stout"


async def test_a_compressed_result_is_taken_in_small_pieces_however_much_it_stands_for() -> None:
    bomb = gzip.compress(b"\n" * 50_000_000)
    headers = [("Content-Type", "text/csv"), ("Content-Encoding", "gzip")]
    with served(Upstream([Answer(200, bomb, headers)])) as url:
        async with client_of(fixed(url)) as client, client.results(JOB_ID, "failedResults") as chunks:
            sizes = [len(chunk) async for chunk in chunks]
    assert sum(sizes) == 50_000_000 and max(sizes) <= CHUNK_BYTES


@pytest.mark.slow
@pytest.mark.parametrize("status", [200, 400])
async def test_json_that_stands_for_gigabytes_is_not_read_to_its_end(status: int) -> None:
    bomb = gzip.compress(b" " * 200_000_000)
    headers = [("Content-Type", "application/json"), ("Content-Encoding", "gzip")]
    with served(Upstream([Answer(status, bomb, headers)])) as url:
        async with client_of(fixed(url)) as client:
            tracemalloc.start()
            try:
                with pytest.raises(SalesforceError):
                    await client.get_job(JOB_ID)
                assert tracemalloc.get_traced_memory()[1] < 3 * MOST_JSON_BYTES
            finally:
                tracemalloc.stop()


async def test_a_refusal_that_quotes_the_request_does_not_quote_the_token() -> None:
    answer = Answer.of([{"errorCode": "API_ERROR", "message": f"You sent Bearer {TOKEN}"}], 400)
    with served(Upstream([answer])) as url:
        async with client_of(fixed(url)) as client:
            with pytest.raises(Rejected, match=r"You sent Bearer \*\*\*\"$"):
                await client.get_job(JOB_ID)


async def test_a_word_that_is_too_short_for_a_token_stays_in_the_message() -> None:
    answer = Answer.of([{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}], 401)
    with served(Upstream([answer])) as url:
        async with client_of(FixedCredentials(Credentials(url, SecretStr("x")))) as client:
            with pytest.raises(SessionExpired, match=r'^"Session expired or invalid"$'):
                await client.get_job(JOB_ID)


async def test_a_result_of_several_gzip_members_is_all_of_them() -> None:
    body = gzip.compress(b"Name\nAnn\n") + gzip.compress(b"Bob\n") + gzip.compress(b"")
    headers = [("Content-Type", "text/csv"), ("Content-Encoding", "gzip")]
    with served(Upstream([Answer(200, body, headers)])) as url:
        async with client_of(fixed(url)) as client, client.results(JOB_ID, "failedResults") as chunks:
            assert b"".join([chunk async for chunk in chunks]) == b"Name\nAnn\nBob\n"


async def test_a_refusal_whose_body_is_broken_keeps_its_status() -> None:
    answer = Answer(400, b"this is no gzip", [("Content-Type", "application/json"), ("Content-Encoding", "gzip")])
    with served(Upstream([answer])) as url:
        async with client_of(fixed(url)) as client:
            with pytest.raises(Rejected, match="status 400 and no explanation"):
                await client.set_state(JOB_ID, "Aborted")


# Compressed answers that end too early

GZIP = ("Content-Encoding", "gzip")
ROWS = b"".join(b'"","A:b:--","Row %05d"\n' % number for number in range(2_000))


@pytest.mark.parametrize("kept", [1, 9, 10, 200, -9, -1], ids=lambda kept: f"{kept} bytes")
async def test_a_compressed_result_that_was_cut_is_no_whole_one(kept: int) -> None:
    with served(Upstream([Answer(200, gzip.compress(ROWS)[:kept], [CSV_TYPE, GZIP])])) as url:
        async with client_of(fixed(url)) as client:
            with pytest.raises(Unreachable):
                await _read_failed_results(client)


async def test_a_second_gzip_member_that_was_cut_is_missed_too() -> None:
    body = gzip.compress(ROWS) + gzip.compress(ROWS)[:-5]
    with served(Upstream([Answer(200, body, [CSV_TYPE, GZIP])])) as url:
        async with client_of(fixed(url)) as client:
            with pytest.raises(Unreachable):
                await _read_failed_results(client)


async def test_a_compressed_result_without_a_byte_is_an_empty_one() -> None:
    with served(Upstream([Answer(200, b"", [CSV_TYPE, GZIP])])) as url:
        async with client_of(fixed(url)) as client:
            assert await _read_failed_results(client) == b""


async def test_a_read_whose_compressed_answer_was_cut_is_tried_again() -> None:
    body, headers = gzip.compress(json.dumps(JOB).encode()), [("Content-Type", "application/json"), GZIP]
    upstream = Upstream([Answer(200, body[:-3], headers), Answer(200, body, headers)])
    with served(upstream) as url:
        async with client_of(fixed(url)) as client:
            assert (await client.get_job(JOB_ID)).state == "Open"
    assert len(upstream.seen) == 2


# Time limits


@dataclass
class Slow:
    """An org that reads requests, and answers none of them to its end before it is let go.

    Attributes:
        begins: whether it begins to answer at once.
        seen: the methods of the requests.
        may_go: set when the answers may end.
    """

    begins: bool = False
    seen: list[str] = field(default_factory=list)
    may_go: anyio.Event = field(default_factory=anyio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await pass_lifespan(receive, send)
        await read_body(receive)
        self.seen.append(scope["method"])
        if not self.begins:
            await self.may_go.wait()
        status = {"PUT": 201, "DELETE": 204}.get(scope["method"], 200)
        await start(send, status, [] if status == 204 else [("Content-Type", "text/csv")])
        if self.begins:
            await send({"type": "http.response.body", "body": b"{", "more_body": True})
            await self.may_go.wait()
        await send({"type": "http.response.body"})


@asynccontextmanager
async def hurried_client_of(org: Slow) -> AsyncIterator[SalesforceClient]:
    """A client that gives its calls without rows a moment; the org is let go at the end."""
    async with served_here(org) as url, open_http(trust_env=False) as http:
        yield SalesforceClient(http, fixed(url), "63.0", call_seconds=0.1)
        org.may_go.set()


WITHOUT_ROWS = {name: method for name, method in ALL.items() if name not in ("results", "upload", "upload of a stream")}


@pytest.mark.parametrize("method", WITHOUT_ROWS.values(), ids=WITHOUT_ROWS)
async def test_a_call_that_is_not_answered_in_its_time_has_timed_out_and_is_not_repeated(method: Method) -> None:
    org = Slow()
    async with hurried_client_of(org) as client:
        with pytest.raises(TimedOut, match=r"^Salesforce did not answer within 0\.1 s\.$") as raised:
            await method(client)
    assert (raised.value.status, raised.value.nothing_sent, len(org.seen)) == (504, False, 1)


@pytest.mark.parametrize("name", sorted(WITHOUT_ROWS.keys() - {"delete_job"}))
async def test_an_answer_that_does_not_end_in_its_time_has_timed_out(name: str) -> None:
    org = Slow(begins=True)
    async with hurried_client_of(org) as client:
        with pytest.raises(TimedOut):
            await WITHOUT_ROWS[name](client)
    assert len(org.seen) == 1


@pytest.mark.parametrize(
    ("name", "begins"), [("upload", False), ("upload of a stream", False), ("results", False), ("results", True)]
)
async def test_rows_may_take_longer_than_a_call_without_rows(name: str, begins: bool) -> None:
    org, ended = Slow(begins), list[str]()
    async with hurried_client_of(org) as client, anyio.create_task_group() as tasks:

        async def transfer() -> None:
            await ALL[name](client)
            ended.append("rows")

        tasks.start_soon(transfer)
        with pytest.raises(TimedOut):
            await client.get_job(JOB_ID)
        ended.append("call")
        org.may_go.set()
    assert ended == ["call", "rows"]


@pytest.mark.parametrize("name", ALL)
async def test_a_call_that_carries_rows_waits_longer_for_the_network(name: str) -> None:
    way = Failing(httpx2.ReadTimeout("too slow"))
    async with httpx2.AsyncClient(transport=way) as http:
        with pytest.raises(TimedOut):
            await ALL[name](SalesforceClient(http, fixed("http://127.0.0.1"), "63.0"))
    request = way.requests[0]  # a delete is repeated
    seconds = request.extensions["timeout"]
    assert (seconds["read"] > 60) == (name not in WITHOUT_ROWS)
    assert 0 < seconds["connect"] < 30


async def test_a_connection_that_lacks_a_descriptor_is_told_as_this() -> None:
    broken = httpx2.ConnectError("All connection attempts failed")
    broken.__cause__ = OSError(errno.EMFILE, "Too many open files")
    async with httpx2.AsyncClient(transport=Failing(broken)) as http:
        with pytest.raises(Unreachable) as raised:
            await SalesforceClient(http, fixed(ORG), "63.0").get_job(JOB_ID)
    assert (type(raised.value), raised.value.status, raised.value.nothing_sent) == (LocalShortage, 503, True)
    assert str(raised.value) == (
        "Nothing was sent to acme.my.salesforce.com: this server has too many files open. Make fewer calls at once, or raise "
        "the limit of open files (ulimit -n)."
    )
