"""The bytes of `/v1` on real sockets: what goes up, what comes down, and what a broken connection looks like at the other end."""

import gzip
import json
import socket
import struct
from collections.abc import AsyncIterator

import anyio
import anyio.abc
import anyio.lowlevel
import httpx2
import pytest
from starlette.types import Receive, Scope, Send

from tests.rest.wired import SECONDS, Wired
from tests.support.canary import TOKEN
from tests.support.plain_http import plain_http
from tests.support.wire import (
    JOB_ID,
    Answer,
    Headers,
    Seen,
    Upstream,
    connected,
    exchanged,
    gateway_before,
    gateway_to,
    pass_lifespan,
    read_body,
    request_bytes,
    seen,
    served,
    served_raw,
    start,
    status_of,
)

JOB = f"/v1/jobs/ingest/{JOB_ID}"
CSV = 'Name,Phone\n"Ångström, ""&"" Sons",+46 8 123\n"two\nlines",\n,no name\n'.encode()
NOT_FOUND = [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]


def test_a_multipart_create_goes_up_byte_for_byte(wired: Wired) -> None:
    body = (
        b'--zz7\r\nContent-Type: application/json\r\nContent-Disposition: form-data; name="job"\r\n\r\n{}\r\n'
        b'--zz7\r\nContent-Type: text/csv\r\nContent-Disposition: form-data; name="content"; filename="content"\r\n\r\n'
        b"Name\r\nAcme\r\n--zz7--\r\n"
    )
    content_type = "multipart/form-data; boundary=zz7"
    wired.caller.post("/v1/jobs/ingest", content=body, headers={"Content-Type": content_type})
    assert (wired.last.body, wired.last.values("content-type")) == (body, [content_type])


# Headers and bodies


async def test_status_headers_and_body_come_down_unchanged() -> None:
    headers = [
        ("content-type", "application/json;charset=UTF-8"),
        ("sforce-limit-info", "api-usage=18/15000"),
        ("sforce-limit-info", "per-app-api-usage=1/250"),
        ("retry-after", "120"),
        ("x-request-id", "a8f1"),
        ("date", "Tue, 04 Mar 2025 09:15:27 GMT"),
        ("server", "sfdcedge"),
        ("content-length", "71"),
    ]
    body = b'[{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT"'
    upstream = Upstream({"GET": Answer(403, headers, body)})
    async with gateway_before(upstream) as url, plain_http() as caller:
        response = await caller.get(f"{url}{JOB}")
    assert (response.status_code, response.content) == (403, body)
    assert [(name.decode(), value.decode()) for name, value in response.headers.raw] == headers


@pytest.mark.parametrize(
    "answer",
    [
        Answer(401, [("content-type", "application/json")], b'{"message":"Session expired or invalid"}'),  # no array
        Answer(404, [("content-type", "application/json")], json.dumps(NOT_FOUND).encode()),
        Answer(500, [], b""),
        Answer(503, [("content-type", "text/html")], b"<html><body>Down for maintenance</body></html>"),
        Answer(302, [("location", "https://login.salesforce.com/")], b""),
        Answer(420, [("content-type", "text/plain")], "Überlast".encode("latin-1")),
    ],
    ids=lambda answer: str(answer.status),
)
@pytest.mark.parametrize(("method", "path"), [("GET", f"{JOB}/failedResults"), ("PUT", f"{JOB}/batches"), ("GET", JOB)])
def test_a_refusal_is_passed_on_whatever_its_form(wired: Wired, method: str, path: str, answer: Answer) -> None:
    wired.upstream.reset(**{method: answer})
    response = wired.caller.request(method, path, content=b"Name\nAcme\n" if method == "PUT" else None)
    assert (response.status_code, response.content) == (answer.status, answer.body)
    assert [response.headers[name] for name, _ in answer.headers] == [value for _, value in answer.headers]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(
            401, [("content-type", "application/json"), ("x-request-id", "a8")], b'[{"errorCode":"INVALID_SESSION_ID"}]'
        ),
        Answer(404, [("sforce-limit-info", "api-usage=1/2")], json.dumps(NOT_FOUND).encode()),
        Answer(503, [("content-type", "text/html"), ("retry-after", "7")], b"<html>Down for maintenance</html>"),
    ],
    ids=lambda answer: str(answer.status),
)
def test_a_refusal_to_show_the_job_is_the_answer_to_a_change_of_its_state(wired: Wired, answer: Answer) -> None:
    """The job is looked up before it is closed; what the caller sees is Salesforce's own refusal."""
    wired.upstream.reset(GET=answer)
    response = wired.caller.patch(JOB, json={"state": "UploadComplete"})
    assert (response.status_code, response.content) == (answer.status, answer.body)
    assert [response.headers[name] for name, _ in answer.headers] == [value for _, value in answer.headers]
    assert [request.method for request in wired.upstream.seen] == ["GET"]


def test_headers_of_one_connection_and_secrets_do_not_go_up(wired: Wired) -> None:
    raw = request_bytes(
        "GET",
        JOB,
        "Authorization: Bearer CALLERS.TOKEN",
        "Cookie: sid=1",
        "Proxy-Authorization: Basic eA==",
        "Proxy-Connection: keep-alive",
        "Keep-Alive: timeout=5",
        "TE: trailers",
        "Upgrade: h2c",
        "X-Mine: drop",
        "Connection: X-Mine, keep-alive",
        "X-PrettyPrint: 1",
        "Sforce-Call-Options: client=loader",
        "X-Twice: 1",
        "X-Twice: 2",
    )
    assert status_of(exchanged(wired.url, raw)) == 200
    upstream_host = wired.last.values("host")
    assert upstream_host != ["127.0.0.1"]
    assert sorted(wired.last.headers) == sorted(
        [
            ("x-prettyprint", "1"),
            ("sforce-call-options", "client=loader"),
            ("x-twice", "1"),
            ("x-twice", "2"),
            ("accept-encoding", "identity"),
            ("authorization", f"Bearer {TOKEN}"),
            ("host", upstream_host[0]),
        ]
    )


async def test_headers_of_one_connection_and_cookies_do_not_come_down() -> None:
    headers = [
        ("set-cookie", "BrowserId=abc; domain=.salesforce.com"),
        ("connection", "x-hop"),
        ("x-hop", "1"),
        ("keep-alive", "timeout=5"),
        ("proxy-authenticate", "Basic"),
        ("upgrade", "h2c"),
        ("trailer", "x-checksum"),
        ("x-end", "1"),
        ("content-length", "2"),
    ]
    upstream = Upstream({"GET": Answer(200, headers, b"{}")})
    async with gateway_before(upstream) as url, plain_http() as caller:
        response = await caller.get(f"{url}{JOB}")
        await caller.get(f"{url}{JOB}")
    assert response.headers.multi_items() == [("x-end", "1"), ("content-length", "2")]
    assert [request.values("cookie") for request in upstream.seen] == [[], []]


@pytest.mark.parametrize("given", ["gzip", "gzip;q=0.5, br", "*"])
def test_the_callers_accept_encoding_goes_up(wired: Wired, given: str) -> None:
    wired.caller.get(f"{JOB}/failedResults", headers={"Accept-Encoding": given})
    assert wired.last.values("accept-encoding") == [given]


def test_no_compression_is_asked_for_where_the_caller_asks_for_none(wired: Wired) -> None:
    wired.caller.get(f"{JOB}/failedResults")
    exchanged(wired.url, request_bytes("GET", JOB, "Connection: accept-encoding", "Accept-Encoding: gzip"))
    assert [request.values("accept-encoding") for request in wired.upstream.seen] == [["identity"], ["identity"]]


def test_a_compressed_result_comes_down_as_it_is(wired: Wired) -> None:
    packed = gzip.compress(CSV)
    wired.upstream.reset(GET=Answer(200, [("content-encoding", "gzip"), ("content-type", "text/csv")], packed))
    with wired.caller.stream("GET", f"{JOB}/failedResults", headers={"Accept-Encoding": "gzip"}) as response:
        assert response.headers["Content-Encoding"] == "gzip"
        assert b"".join(response.iter_raw()) == packed


def test_a_compressed_upload_goes_up_as_it_is(wired: Wired) -> None:
    packed = gzip.compress(CSV)
    wired.caller.put(f"{JOB}/batches", content=packed, headers={"Content-Type": "text/csv", "Content-Encoding": "gzip"})
    assert (wired.last.body, wired.last.values("content-encoding")) == (packed, ["gzip"])


def test_an_upload_with_a_length_keeps_its_length(wired: Wired) -> None:
    wired.caller.put(f"{JOB}/batches", content=CSV)
    assert (wired.last.values("content-length"), wired.last.values("transfer-encoding")) == ([str(len(CSV))], [])
    assert wired.last.body == CSV


def test_an_upload_in_chunks_stays_in_chunks(wired: Wired) -> None:
    wired.caller.put(f"{JOB}/batches", content=iter([CSV[:7], CSV[7:]]))
    assert (wired.last.values("content-length"), wired.last.values("transfer-encoding")) == ([], ["chunked"])
    assert wired.last.body == CSV


def test_an_upload_of_nothing_stays_nothing(wired: Wired) -> None:
    raw = exchanged(wired.url, request_bytes("PUT", f"{JOB}/batches"))
    assert status_of(raw) == 200
    assert (wired.last.body, wired.last.whole) == (b"", True)


def test_a_caller_that_waits_for_a_go_ahead_gets_it(wired: Wired) -> None:
    """curl sends `Expect: 100-continue` with larger bodies."""
    raw = exchanged(wired.url, request_bytes("PUT", f"{JOB}/batches", "Expect: 100-continue", body=CSV))
    assert b"HTTP/1.1 200" in raw
    assert (wired.last.body, wired.last.values("expect")) == (CSV, [])


def test_the_query_string_goes_up_as_it_is(wired: Wired) -> None:
    query = "isPkChunkingEnabled=false&jobType=V2Ingest&queryLocator=01g%2Bx+y%20z&extra=a%2Fb,c:d&empty="
    exchanged(wired.url, request_bytes("GET", f"/v1/jobs/ingest?{query}"))
    assert wired.last.query == query


def test_a_body_where_none_is_expected_does_no_harm(wired: Wired) -> None:
    for path in ("/v1/jobs/ingest", JOB, f"{JOB}/failedResults"):
        wired.upstream.reset()
        raw = exchanged(wired.url, request_bytes("GET", path, body=b"{}"))
        assert (status_of(raw), wired.last.method) == (200, "GET")


@pytest.mark.parametrize("path", ["/v1/jobs/ingest", JOB, f"{JOB}/failedResults/", f"{JOB}/UNPROCESSEDRECORDS"])
@pytest.mark.parametrize("headers", [[("content-length", "9")], []], ids=["length", "chunked"])
def test_head_is_the_head_of_the_answer_to_get(wired: Wired, path: str, headers: Headers) -> None:
    wired.upstream.reset(GET=Answer(200, [*headers, ("sforce-limit-info", "api-usage=1/2")], b"Id\n001\n00"))
    raw = exchanged(wired.url, request_bytes("HEAD", path))
    head, _, body = raw.partition(b"\r\n\r\n")
    assert (status_of(raw), body) == (200, b"")
    assert b"sforce-limit-info: api-usage=1/2" in head
    assert wired.last.method == "GET"


# Uploads stream


class Taking:
    """An upstream that tells of each piece of an upload as it comes, and of how the upload ended."""

    def __init__(self) -> None:
        self.first_bytes = anyio.Event()
        self.ended = anyio.Event()
        self.whole = False
        self.body = bytearray()
        self.request: Seen | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await pass_lifespan(receive, send)
        self.request = seen(scope, b"", whole=False)
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                break
            self.body += message["body"]
            more = message.get("more_body", False)
            self.first_bytes.set()
        self.whole = not more
        self.ended.set()
        if self.whole:
            await start(send, 201, [("content-length", "0")])
            await send({"type": "http.response.body", "body": b""})


async def test_the_upstream_has_the_first_rows_before_the_caller_sends_the_last() -> None:
    upstream = Taking()

    async def rows() -> AsyncIterator[bytes]:
        yield b"Name\n"
        await upstream.first_bytes.wait()
        yield b"Acme\n"

    async with gateway_before(upstream) as url, plain_http() as caller:
        with anyio.fail_after(SECONDS):
            response = await caller.put(f"{url}{JOB}/batches", content=rows())
    assert (response.status_code, bytes(upstream.body), upstream.whole) == (201, b"Name\nAcme\n", True)


LEAVING = {
    "with a length": ("Content-Length: 1000", b"Name\nAcme\n"),
    "in chunks": ("Transfer-Encoding: chunked", b"a\r\nName\nAcme\n\r\n"),
    "in mid-chunk": ("Transfer-Encoding: chunked", b"ff\r\nName\nAcme\n"),
    "before the last chunk": ("Transfer-Encoding: chunked", b"a\r\nName\nAcme\n\r\n0\r\n"),
    "one byte short": ("Content-Length: 11", b"Name\nAcme\n"),
}


@pytest.mark.parametrize(("framing", "sent"), LEAVING.values(), ids=LEAVING)
@pytest.mark.parametrize("way", ["close", "reset", "half-close"])
async def test_a_caller_that_leaves_in_mid_upload_breaks_the_upload(framing: str, sent: bytes, way: str) -> None:
    upstream = Taking()
    head = f"PUT {JOB}/batches HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n\r\n".encode()
    with anyio.fail_after(SECONDS):
        async with gateway_before(upstream) as url, connected(url) as connection:
            await connection.send(head + sent)
            await upstream.first_bytes.wait()
            await leave(connection, way)
            await upstream.ended.wait()
    assert (bytes(upstream.body), upstream.whole) == (b"Name\nAcme\n", False)


async def test_an_upload_with_broken_framing_breaks_the_upload() -> None:
    upstream = Taking()
    head = f"PUT {JOB}/batches HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    with anyio.fail_after(SECONDS):
        async with gateway_before(upstream) as url, connected(url) as connection:
            await connection.send(head + b"5\r\nName\n\r\n")
            await upstream.first_bytes.wait()
            await connection.send(b"no size\r\nAcme\n")
            await upstream.ended.wait()
    assert (bytes(upstream.body), upstream.whole) == (b"Name\n", False)


async def test_an_early_refusal_reaches_a_caller_that_has_not_sent_everything() -> None:
    """A job that is past its upload can be refused before 100 MB have gone up."""

    async def refusing(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await pass_lifespan(receive, send)
        await start(send, 400, [("content-length", "2")])
        await send({"type": "http.response.body", "body": b"[]"})

    async def rows() -> AsyncIterator[bytes]:
        for _ in range(400):
            yield b"x" * 65_536

    async with gateway_before(refusing) as url, plain_http() as caller:
        with anyio.fail_after(SECONDS):
            response = await caller.put(f"{url}{JOB}/batches", content=rows())
    assert (response.status_code, response.content) == (400, b"[]")


# Downloads stream


async def test_the_caller_has_the_first_rows_before_the_upstream_sends_the_last() -> None:
    got_first = anyio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await pass_lifespan(receive, send)
        await start(send, 200, [("content-type", "text/csv")])
        await send({"type": "http.response.body", "body": b"Id\n", "more_body": True})
        await got_first.wait()
        await send({"type": "http.response.body", "body": b"001\n"})

    async with gateway_before(slow) as url, plain_http() as caller:
        with anyio.fail_after(SECONDS):
            async with caller.stream("GET", f"{url}{JOB}/failedResults") as response:
                chunks = response.aiter_raw()
                assert await anext(chunks) == b"Id\n"
                got_first.set()
                assert [chunk async for chunk in chunks] == [b"001\n"]


@pytest.mark.parametrize("reading", [True, False], ids=["a reader", "a caller that reads nothing"])
async def test_an_endless_result_stops_when_the_caller_leaves(reading: bool) -> None:
    stopped = anyio.Event()
    sent = 0

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal sent
        if scope["type"] == "lifespan":
            return await pass_lifespan(receive, send)
        await start(send, 200, [("content-type", "text/csv")])
        async with anyio.create_task_group() as tasks:

            async def watch() -> None:
                while (await receive())["type"] != "http.disconnect":
                    pass
                tasks.cancel_scope.cancel()

            tasks.start_soon(watch)
            while True:
                await send({"type": "http.response.body", "body": b"x" * 65_536, "more_body": True})
                sent += 65_536
                await anyio.lowlevel.checkpoint()
        stopped.set()

    with anyio.fail_after(SECONDS):
        async with gateway_before(endless) as url:
            async with connected(url) as connection:
                await connection.send(request_bytes("GET", f"{JOB}/failedResults"))
                if reading:
                    for _ in range(5):
                        await connection.receive()
                else:
                    # Not one byte is read, so everything on the way fills up and the upstream stands still.
                    still = -1
                    while still != sent or not sent:
                        still = sent
                        await anyio.wait_all_tasks_blocked()
            await stopped.wait()


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"Id\n001\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"7\r\nId\n001\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"7\r\nId\n001\n\r\nno size\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n", b"7\r\nId\n001\n\r\n"),
    ],
    ids=["length", "chunked", "broken framing", "compressed"],
)
async def test_a_result_that_breaks_off_never_looks_whole(head: bytes, body: bytes) -> None:
    async with served_raw(head + body) as upstream_url, served(gateway_to(upstream_url)) as url:
        async with plain_http() as caller:
            got = b""
            with anyio.fail_after(SECONDS), pytest.raises(httpx2.RemoteProtocolError):
                async with caller.stream("GET", f"{url}{JOB}/failedResults") as response:
                    assert response.status_code == 200
                    async for chunk in response.aiter_raw():
                        got += chunk
    assert got == b"Id\n001\n"


async def leave(connection: anyio.abc.SocketStream, way: str) -> None:
    """End a connection in one of the ways in which callers end it."""
    raw = connection.extra(anyio.abc.SocketAttribute.raw_socket)
    if way == "half-close":
        await connection.send_eof()
        return
    if way == "reset":
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    await connection.aclose()


# What only some parsers would read as one message


async def test_chunks_with_a_length_beside_them_never_go_up_as_less_than_all() -> None:
    """The length of the first chunk alone: an upstream that believed it would take a part for the whole."""
    uploads: list[tuple[bytes, bool]] = []

    async def upstream(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await pass_lifespan(receive, send)
        uploads.append(await read_body(receive))
        await start(send, 201, [])
        await send({"type": "http.response.body", "body": b""})

    async with gateway_before(upstream) as url, connected(url) as caller:
        head = f"PUT {JOB}/batches HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/csv\r\n"
        await caller.send(f"{head}Transfer-Encoding: chunked\r\nContent-Length: 8\r\n\r\n".encode())
        for chunk in (b"Name\nA1\n", b"A2\nA3\n"):
            await caller.send(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
        await caller.send(b"0\r\n\r\n")
        with anyio.fail_after(SECONDS):
            answer = await caller.receive()
    assert status_of(answer) == 201
    assert uploads == [(b"Name\nA1\nA2\nA3\n", True)]


def test_headers_beyond_ascii_go_up_byte_for_byte(wired: Wired) -> None:
    raw = request_bytes("GET", JOB, "X-Who: Jos\xe9")
    assert status_of(exchanged(wired.url, raw)) == 200
    assert wired.last.values("x-who") == ["Jos\xe9"]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [("a=1&b=%20x", "a=1&b=%20x"), ("a=1#frag", "a=1%23frag"), ("a=[b]|{c}", "a=[b]|{c}")],
)
def test_a_query_goes_up_as_it_is_but_for_what_no_query_may_hold(wired: Wired, sent: str, expected: str) -> None:
    assert status_of(exchanged(wired.url, request_bytes("GET", f"/v1/jobs/ingest?{sent}"))) == 200
    assert wired.last.query == expected
