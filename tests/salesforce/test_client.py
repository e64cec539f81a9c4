"""The client against an upstream that answers whatever a test wants, over a real socket."""

import gzip
import inspect
import logging
import socket
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field

import anyio
import httpx2
import pytest
import stamina
from inline_snapshot import snapshot
from pydantic import SecretStr
from stamina.instrumentation import RetryDetails, set_on_retry_hooks

from salesforce_bulk_ingest.salesforce.auth import Credentials, FixedCredentials
from salesforce_bulk_ingest.salesforce.call import Call
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.errors import (
    LimitReached,
    NotFound,
    Rejected,
    SalesforceError,
    SessionExpired,
    TimedOut,
    Unavailable,
    UnexpectedAnswer,
    Unreachable,
    WrongState,
)
from salesforce_bulk_ingest.salesforce.transport import CHUNK_BYTES, MOST_JSON_BYTES
from tests.salesforce.upstream import JOB, JOB_ID, TOKEN, Answer, Seen, Upstream, client_of, fixed, raw_upstream, served

Method = Callable[[SalesforceClient], Awaitable[object]]
ACCOUNT = {"name": "Account", "label": "Account", "fields": []}
SESSION_EXPIRED = Answer.of([{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}], 401)


async def _rows() -> AsyncIterator[bytes]:
    yield b"Name\n"
    yield b"Ann\n"


async def _read_failed_results(client: SalesforceClient) -> bytes:
    async with client.results(JOB_ID, "failedResults") as chunks:
        return b"".join([chunk async for chunk in chunks])


READS: dict[str, Method] = {
    "get_job": lambda c: c.get_job(JOB_ID),
    "list_jobs": lambda c: c.list_jobs(),
    "describe": lambda c: c.describe("Account"),
}
WRITES: dict[str, Method] = {
    "create_job": lambda c: c.create_job({"object": "Account", "operation": "insert"}),
    "set_state": lambda c: c.set_state(JOB_ID, "UploadComplete"),
    "delete_job": lambda c: c.delete_job(JOB_ID),
    "upload": lambda c: c.upload(JOB_ID, b"Name\nAnn\n"),
    "upload of a stream": lambda c: c.upload(JOB_ID, _rows()),
}
OTHERS: dict[str, Method] = {"results": _read_failed_results, "identity": lambda c: c.identity()}
ALL = READS | WRITES | OTHERS


@dataclass
class TwoLogins:
    """A login as the CLI's: after a refusal it gives another token."""

    url: str
    tokens: list[str] = field(default_factory=lambda: ["stale", "fresh"])
    asked: int = 0

    async def credentials(self) -> Credentials:
        self.asked += 1
        return Credentials(self.url, SecretStr(self.tokens[0]))

    def discard(self, stale: Credentials) -> bool:
        if len(self.tokens) > 1:
            self.tokens.pop(0)
        return True


@pytest.mark.parametrize(
    ("answer", "kind", "code", "message"),
    [
        pytest.param(
            Answer.of([{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}], 404),
            NotFound, "NOT_FOUND", "The requested resource does not exist", id="404",
        ),
        pytest.param(SESSION_EXPIRED, SessionExpired, "INVALID_SESSION_ID", "Session expired or invalid", id="401"),
        pytest.param(
            Answer.of({"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}, 401),
            SessionExpired, "INVALID_SESSION_ID", "Session expired or invalid", id="401 as a bare object",
        ),
        pytest.param(
            Answer.of([{"errorCode": "INVALIDJOBSTATE", "message": "Closing already Completed Job not allowed"}], 400),
            WrongState, "INVALIDJOBSTATE", "Closing already Completed Job not allowed", id="wrong state",
        ),
        pytest.param(
            Answer.of([{"errorCode": "INVALIDJOB", "message": "Found multipe contents for job: <750>"}], 400),
            Rejected, "INVALIDJOB", "Found multipe contents for job: <750>", id="second upload",
        ),
        pytest.param(
            Answer.of([{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}], 403),
            LimitReached, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", id="daily limit",
        ),
        pytest.param(
            Answer(429), LimitReached, "UNKNOWN_EXCEPTION",
            "Salesforce answered with status 429 and no explanation.", id="429 without a body",
        ),
        pytest.param(
            Answer(420, b"<html>setting things up</html>"), LimitReached, "UNKNOWN_EXCEPTION",
            "Salesforce answered with status 420 and no explanation.", id="420 with a page",
        ),
        pytest.param(
            Answer.of([{"errorCode": "FEATURENOTENABLED", "message": "no"}], 400), Rejected, "FEATURENOTENABLED", "no",
            id="another code",
        ),
        pytest.param(
            Answer.of({"error": "invalid_grant", "error_description": "expired access/refresh token"}, 400),
            Rejected, "invalid_grant", "expired access/refresh token", id="OAuth's form",
        ),
        pytest.param(Answer.of({"error": "invalid_grant"}, 400), Rejected, "invalid_grant", "invalid_grant",
                     id="OAuth without a description"),
        pytest.param(
            Answer.of([], 400), Rejected, "UNKNOWN_EXCEPTION", "UNKNOWN_EXCEPTION", id="an empty array",
        ),
        pytest.param(
            Answer(503, b"<html>Down for maintenance</html>"), Unavailable, "SERVER_UNAVAILABLE",
            "Salesforce answered with status 503 and no explanation.", id="503 with a page",
        ),
        pytest.param(
            Answer(406), Rejected, "UNKNOWN_EXCEPTION", "Salesforce answered with status 406 and no explanation.",
            id="406, transient and empty",
        ),
        pytest.param(
            Answer(200, b"<html>Log in</html>", [("Content-Type", "text/html")]), UnexpectedAnswer,
            "SERVER_UNAVAILABLE",
            "The answer is not one of the Salesforce API: is the instance right, and not in maintenance?",
            id="a page with status 200",
        ),
        pytest.param(
            Answer.of({"unknown": 1}), UnexpectedAnswer, "SERVER_UNAVAILABLE",
            "The answer is not one of the Salesforce API: is the instance right, and not in maintenance?",
            id="JSON that is no job",
        ),
    ],
)  # fmt: skip
async def test_a_refusal_becomes_the_error_that_its_status_and_code_stand_for(
    answer: Answer, kind: type[SalesforceError], code: str, message: str
) -> None:
    with served(Upstream([answer])) as url:
        async with client_of(fixed(url)) as client:
            with pytest.raises(SalesforceError) as raised:
                await client.create_job({"object": "Account"}) if answer.status == 200 else await client.get_job(JOB_ID)
    assert (type(raised.value), raised.value.code, str(raised.value)) == (kind, code, message)
    if isinstance(raised.value, Rejected):
        assert raised.value.status == answer.status


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


@pytest.mark.parametrize("status", [420, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("method", READS.values(), ids=READS)
async def test_a_read_is_tried_again_where_a_second_try_may_pass(method: Method, status: int) -> None:
    upstream = Upstream([Answer(status), Answer(status), Answer.of({**JOB, **ACCOUNT, "records": []})])
    with served(upstream) as url:
        async with client_of(fixed(url)) as client:
            await method(client)
    assert upstream.methods == ["GET", "GET", "GET"]


async def test_a_read_is_given_up_after_three_tries() -> None:
    upstream = Upstream([Answer(503)])
    with served(upstream) as url:
        async with client_of(fixed(url)) as client:
            with pytest.raises(Rejected):
                await client.get_job(JOB_ID)
    assert len(upstream.seen) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409])
async def test_a_read_that_was_refused_for_good_is_not_tried_again(status: int) -> None:
    upstream = Upstream([Answer(status)])
    with served(upstream) as url:
        async with client_of(fixed(url)) as client:
            with pytest.raises(Rejected):
                await client.get_job(JOB_ID)
    assert len(upstream.seen) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize("method", WRITES.values(), ids=WRITES)
async def test_a_write_is_never_tried_again(method: Method, status: int) -> None:
    upstream = Upstream([Answer(status)])
    with served(upstream) as url:
        async with client_of(fixed(url)) as client:
            with pytest.raises(Rejected):
                await method(client)
    assert len(upstream.seen) == 1


HEAD_WITHOUT_BODY = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"


@pytest.mark.parametrize(
    ("method", "tries"),
    [
        *((pytest.param(method, 3, id=name)) for name, method in READS.items()),
        *((pytest.param(WRITES[name], 1, id=name)) for name in ("create_job", "set_state", "delete_job")),
        pytest.param(OTHERS["results"], 1, id="results"),
        pytest.param(OTHERS["identity"], 1, id="identity"),
    ],
)
@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 2", HEAD_WITHOUT_BODY], ids=["nothing", "half a head", "half a body"]
)
async def test_an_answer_that_breaks_off_means_unreachable_and_only_reads_are_tried_again(
    answer: bytes, method: Method, tries: int
) -> None:
    retries: list[RetryDetails] = []
    set_on_retry_hooks([lambda details: retries.append(details)])
    try:
        async with raw_upstream(answer) as url, client_of(fixed(url)) as client:
            with pytest.raises(SalesforceError) as raised:
                await method(client)
    finally:
        set_on_retry_hooks(None)
    # Its head says 200 and JSON already, which is no answer to these two.
    no_answer = answer == HEAD_WITHOUT_BODY and method in (OTHERS["results"], ALL["delete_job"])
    assert type(raised.value) is (UnexpectedAnswer if no_answer else Unreachable)
    assert isinstance(raised.value, UnexpectedAnswer) or not raised.value.nothing_sent
    assert len(retries) == tries - 1


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


class Failing(httpx2.AsyncBaseTransport):
    """A way to the upstream that ends in an error."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.tries = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.tries += 1
        raise self.error


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


async def test_a_read_that_timed_out_is_not_tried_again() -> None:
    way = Failing(httpx2.ReadTimeout("slow"))
    async with httpx2.AsyncClient(transport=way) as http:
        with pytest.raises(TimedOut) as raised:
            await SalesforceClient(http, fixed("https://acme.my.salesforce.com"), "63.0").get_job(JOB_ID)
    assert (way.tries, raised.value.status) == (1, 504)


async def test_the_answer_says_how_long_to_wait_before_the_next_try() -> None:
    waits: list[float] = []
    set_on_retry_hooks([lambda details: waits.append(details.wait_for)])
    upstream = Upstream([Answer(503, b"", [("Retry-After", "0")]), Answer.of(JOB)])
    try:
        # Without this header the shortest pause is above zero.
        with stamina.set_testing(False), served(upstream) as url:
            async with client_of(fixed(url)) as client:
                await client.get_job(JOB_ID)
    finally:
        set_on_retry_hooks(None)
    assert waits == [0.0]


@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), ("", None), ("soon", None), ("\xb2", None), ("-1", None)])
async def test_a_limit_tells_when_to_come_back_if_it_does(header: str, seconds: float | None) -> None:
    with served(Upstream([Answer(429, b"", [("Retry-After", header)])])) as url:
        async with client_of(fixed(url)) as client:
            with pytest.raises(LimitReached) as raised:
                await client.set_state(JOB_ID, "UploadComplete")
    assert raised.value.retry_after_seconds == seconds


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
    assert (len(upstream.seen), login.asked) == (2, 2)


async def test_a_stream_is_not_sent_again_but_the_next_call_has_a_new_session() -> None:
    upstream = Upstream([SESSION_EXPIRED, Answer.of(JOB)])
    with served(upstream) as url:
        async with client_of(TwoLogins(url)) as client:
            with pytest.raises(SessionExpired):
                await client.upload(JOB_ID, _rows())
            await client.get_job(JOB_ID)
    assert [seen.headers["authorization"] for seen in upstream.seen] == ["Bearer stale", "Bearer fresh"]


async def test_a_token_from_the_settings_is_tried_once() -> None:
    upstream = Upstream([SESSION_EXPIRED])
    with served(upstream) as url:
        async with client_of(fixed(url)) as client:
            with pytest.raises(SessionExpired):
                await client.get_job(JOB_ID)
    assert len(upstream.seen) == 1


CSV_TYPE = ("Content-Type", "text/csv")


@pytest.mark.parametrize(
    ("answer", "rows"),
    [
        pytest.param(Answer(204), b"", id="no content"),
        pytest.param(Answer(200, b"", [CSV_TYPE]), b"", id="an empty body"),
        pytest.param(Answer(200, b'"sf__Id"\n', [CSV_TYPE]), b'"sf__Id"\n', id="the header alone"),
        pytest.param(
            Answer(200, gzip.compress(b'"sf__Id"\n"001"\n'), [CSV_TYPE, ("Content-Encoding", "gzip")]),
            b'"sf__Id"\n"001"\n', id="gzip",
        ),
    ],
)  # fmt: skip
async def test_results_come_as_they_are_meant(answer: Answer, rows: bytes) -> None:
    upstream = Upstream([answer])
    with served(upstream) as url:
        async with client_of(fixed(url)) as client:
            assert await _read_failed_results(client) == rows
    assert upstream.seen[0].headers["accept-encoding"] == "gzip"


async def test_results_that_are_not_gzip_although_they_say_so_are_an_unreachable_upstream() -> None:
    with served(Upstream([Answer(200, b"plain", [CSV_TYPE, ("Content-Encoding", "gzip")])])) as url:
        async with client_of(fixed(url)) as client:
            with pytest.raises(Unreachable):
                await _read_failed_results(client)


async def test_each_method_makes_the_call_that_the_guide_shows() -> None:
    upstream = Upstream([Answer.of({**JOB, "records": [], "organization_id": "00D", "preferred_username": "u"})])
    with served(upstream) as url:
        async with client_of(fixed(url)) as client:
            for method in ALL.values():
                with suppress(UnexpectedAnswer):  # one answer for all is not the right one for each
                    await method(client)
            await client.list_jobs("jobType=V2Ingest")
            await client.get_job(JOB_ID, api_version="62.0")

    def shown(seen: Seen) -> str:
        names = ("content-type", "accept", "accept-encoding", "user-agent", "transfer-encoding")
        headers = {name: seen.headers[name] for name in names if name in seen.headers}
        return f"{seen.method} {seen.path} {headers} {seen.body.decode()}"

    assert {seen.headers["authorization"] for seen in upstream.seen} == {f"Bearer {TOKEN}"}
    assert [shown(seen) for seen in upstream.seen] == snapshot(
        [
            "GET /services/data/v63.0/jobs/ingest/750000000000001AAA {'accept': 'application/json'} ",
            "GET /services/data/v63.0/jobs/ingest {'accept': 'application/json'} ",
            "GET /services/data/v63.0/sobjects/Account/describe {'accept': 'application/json', 'accept-encoding': 'gzip'} ",
            "POST /services/data/v63.0/jobs/ingest {'content-type': 'application/json; charset=UTF-8', 'accept': 'application/json'} {\"object\":\"Account\",\"operation\":\"insert\"}",
            "PATCH /services/data/v63.0/jobs/ingest/750000000000001AAA {'content-type': 'application/json; charset=UTF-8', 'accept': 'application/json'} {\"state\":\"UploadComplete\"}",
            "DELETE /services/data/v63.0/jobs/ingest/750000000000001AAA {} ",
            """\
PUT /services/data/v63.0/jobs/ingest/750000000000001AAA/batches {'content-type': 'text/csv; charset=UTF-8'} Name
Ann
""",
            """\
PUT /services/data/v63.0/jobs/ingest/750000000000001AAA/batches {'content-type': 'text/csv; charset=UTF-8', 'transfer-encoding': 'chunked'} Name
Ann
""",
            "GET /services/data/v63.0/jobs/ingest/750000000000001AAA/failedResults {'accept': 'text/csv', 'accept-encoding': 'gzip'} ",
            "GET /services/oauth2/userinfo {'accept': 'application/json'} ",
            "GET /services/data/v63.0/jobs/ingest?jobType=V2Ingest {'accept': 'application/json'} ",
            "GET /services/data/v62.0/jobs/ingest/750000000000001AAA {'accept': 'application/json'} ",
        ]
    )


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


async def test_an_upload_whose_source_breaks_never_looks_whole_to_the_upstream() -> None:
    ended = anyio.Event()
    heard: list[bytes] = []

    async def listen(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            with anyio.fail_after(5):
                heard.extend([chunk async for chunk in stream])
        ended.set()

    async def breaking() -> AsyncIterator[bytes]:
        yield b"Name\n"
        raise OSError("the file is gone")

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, listen)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        async with client_of(fixed(f"http://127.0.0.1:{port}")) as client:
            with pytest.raises(OSError, match="the file is gone"):
                await client.upload(JOB_ID, breaking())
        with anyio.fail_after(5):
            await ended.wait()
        tasks.cancel_scope.cancel()
    assert not b"".join(heard).endswith(b"0\r\n\r\n")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(Answer(403, b"Bad_OAuth_Token"), SessionExpired, id="403 in plain text"),
        pytest.param(SESSION_EXPIRED, SessionExpired, id="401"),
        pytest.param(Answer.of([{"errorCode": "API_DISABLED_FOR_ORG", "message": "no"}], 403), Rejected, id="no API"),
        pytest.param(Answer.of({"sub": "x"}), UnexpectedAnswer, id="another shape"),
    ],
)
async def test_whose_token_it_is_may_be_refused(answer: Answer, error: type[SalesforceError]) -> None:
    with served(Upstream([answer])) as url:
        async with client_of(fixed(url)) as client:
            with pytest.raises(SalesforceError) as raised:
                await client.identity()
    assert type(raised.value) is error


async def test_the_token_is_in_no_repr_no_log_record_and_no_error_however_a_call_ends(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    said: list[str] = []
    async with AsyncExitStack() as stack:
        urls = [await stack.enter_async_context(raw_upstream(answer)) for answer in (b"", b"junk\r\n\r\n")]
        urls.append("http://127.0.0.1:1")
        answers = [Answer.of(JOB), SESSION_EXPIRED, Answer(302, b"", [("Location", "https://elsewhere")])]
        answers += [Answer(500), Answer(200, b"<html>")]
        urls += [stack.enter_context(served(Upstream([answer]))) for answer in answers]
        for url in urls:
            source = fixed(url)
            async with client_of(source) as client:
                said += [repr(source), str(source.current), repr(client), repr(vars(client))]
                for method in ALL.values():
                    try:
                        await method(client)
                    except SalesforceError as error:
                        chain: BaseException | None = error
                        while chain is not None:
                            said += [str(chain), repr(chain)]
                            chain = chain.__cause__ or chain.__context__
    said += [f"{record.getMessage()} {record.args} {record.exc_info}" for record in caplog.records]
    assert len(caplog.records) > 100
    assert [text for text in said if TOKEN in text or "SECRET" in text] == []


async def test_a_compressed_result_is_taken_in_small_pieces_however_much_it_stands_for() -> None:
    bomb = gzip.compress(b"\n" * 50_000_000)
    headers = [("Content-Type", "text/csv"), ("Content-Encoding", "gzip")]
    with served(Upstream([Answer(200, bomb, headers)])) as url:
        async with client_of(fixed(url)) as client, client.results(JOB_ID, "failedResults") as chunks:
            sizes = [len(chunk) async for chunk in chunks]
    assert sum(sizes) == 50_000_000 and max(sizes) <= CHUNK_BYTES


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


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        (ALL["upload"], Answer(200, b"<html>", [("Content-Type", "text/html")])),
        (ALL["delete_job"], Answer(200, b"<html>", [("Content-Type", "text/html")])),
        (OTHERS["results"], Answer(200, b"<html>", [("Content-Type", "text/html")])),
        (OTHERS["results"], Answer(200, b"x", [("Content-Type", "text/csv"), ("Content-Encoding", "br")])),
    ],
    ids=["upload", "delete", "results", "a compression nobody asked for"],
)
async def test_a_page_with_a_good_status_is_no_success(method: Method, answer: Answer) -> None:
    with served(Upstream([answer])) as url:
        async with client_of(fixed(url)) as client:
            with pytest.raises(UnexpectedAnswer):
                await method(client)


async def test_a_refusal_that_quotes_the_request_does_not_quote_the_token() -> None:
    answer = Answer.of([{"errorCode": "API_ERROR", "message": f"You sent Bearer {TOKEN}"}], 400)
    with served(Upstream([answer])) as url:
        async with client_of(fixed(url)) as client:
            with pytest.raises(Rejected, match=r"You sent Bearer \*\*\*$"):
                await client.get_job(JOB_ID)


async def test_a_word_that_is_too_short_for_a_token_stays_in_the_message() -> None:
    answer = Answer.of([{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}], 401)
    with served(Upstream([answer])) as url:
        async with client_of(FixedCredentials(Credentials(url, SecretStr("x")))) as client:
            with pytest.raises(SessionExpired, match=r"^Session expired or invalid$"):
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
