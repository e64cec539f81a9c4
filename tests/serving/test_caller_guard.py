"""Every route of both ports is guarded: who shows no good token reaches nothing, and who may only read changes nothing."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx2
import pytest
from inline_snapshot import snapshot
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.server.auth.provider import AccessToken, TokenVerifier
from starlette.types import Receive, Scope, Send

from salesforce_bulk_ingest.app.ports import Addresses
from salesforce_bulk_ingest.serving.bearer_tokens import Scopes
from salesforce_bulk_ingest.serving.caller_guard import CallerGuard, Sleep, in_envelope, writes_by_method
from salesforce_bulk_ingest.serving.door import Door
from salesforce_bulk_ingest.serving.named_tokens import NamedTokens, TokenFile
from tests.support.callers import INITIALIZE, MCP_HEADERS, Served, bearer, every_route, serving, token_in
from tests.support.canary import TOKEN
from tests.support.issuer import Issuer, access_token, private_key
from tests.support.orgs import ERAS, UNKNOWN_JOB, Era, call, paths_in
from tests.support.plain_http import plain_http
from tests.support.wire import Answer, Upstream, exchanged, pass_lifespan, served, start, status_of

READING_TOOLS = [
    "list-all-ingest-jobs",
    "get-ingest-job-status",
    "get-failed-results-ingest-job",
    "get-successful-results-ingest-job",
    "get-unprocessed-records-ingest-job",
]
ACCOUNTS = {"object": "Account", "operation": "insert"}


@asynccontextmanager
async def client_of(addresses: Addresses, token: str, era: Era = "auto") -> AsyncIterator[Client]:
    async with plain_http(headers=bearer(token), timeout=60) as http:
        async with Client(streamable_http_client(addresses.mcp_url, http_client=http), mode=era) as client:
            yield client


@dataclass(frozen=True)
class World:
    """Both ports, guarded by named tokens and by an issuer, and a token of each kind."""

    addresses: Addresses
    folder: Path
    issuer_url: str
    writer: str
    reader: str


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    issuer = Issuer()
    writer, reader = token_in(tmp_path, "ann"), token_in(tmp_path, "bob", "read")
    async with served(issuer) as url:
        issuer.begin(url)
        async with serving(tmp_path, oauth_issuer=url, public_url="https://bulk.example") as addresses:
            yield World(addresses, tmp_path, url, writer, reader)


async def ask(http: httpx2.AsyncClient, route: Served, addresses: Addresses, **options: Any) -> httpx2.Response:
    options = {"content": b"{}", **options}
    return await http.request(route.method, route.url(addresses), **options)


async def test_no_route_answers_who_shows_no_good_token(world: World, org_url: str) -> None:
    forged = access_token(world.issuer_url, key=private_key("ES256", 5))
    foreign = access_token(world.issuer_url, aud="https://other.example")
    expired = access_token(world.issuer_url, exp=-3600)
    bound = access_token(world.issuer_url, cnf={"jkt": "x"})
    nothing = access_token(world.issuer_url, scope="openid")
    cases: list[tuple[dict[str, Any], int]] = [
        ({}, 401),
        *(
            ({"headers": bearer(token)}, 401)
            for token in ("x", "sbi_x", world.writer[:-1], forged, foreign, expired, bound)
        ),
        ({"headers": {"Authorization": f"Basic {world.writer}"}}, 401),
        ({"headers": {"Cookie": f"access_token={world.writer}"}}, 401),
        ({"headers": {"X-Authorization": f"Bearer {world.writer}"}}, 401),
        ({"params": {"access_token": world.writer}}, 400),
        ({"headers": [("Authorization", f"Bearer {token}") for token in (world.writer, world.reader)]}, 400),
        ({"headers": {**bearer(world.writer), "Sforce-Call-Options": f"client={world.writer}"}}, 400),
        ({"headers": {**bearer(world.writer), "Cookie": f"sid={world.writer}"}}, 400),
        ({"headers": bearer(nothing)}, 403),
    ]
    routes = await every_route(org_url)
    assert {(route.of_mcp, route.path) for route in routes} >= {(True, "/mcp"), (False, "/v1/jobs/ingest")}
    async with plain_http() as http:
        for route in routes:
            for options, status in cases:
                answer = await ask(http, route, world.addresses, **options)
                assert answer.status_code == status, (route, options)
                challenge = answer.headers.get("www-authenticate", "")
                assert challenge.startswith("Bearer ") == (status in (401, 403)), (route, options)


async def test_no_route_that_writes_is_open_to_who_may_only_read(world: World, org_url: str) -> None:
    reader = access_token(world.issuer_url, scope="bulk:read")
    writing = [
        route for route in await every_route(org_url) if not route.of_mcp and route.method not in ("GET", "HEAD")
    ]
    assert {route.method for route in writing} == {"POST", "PUT", "PATCH", "DELETE"}
    async with plain_http() as http:
        for route in writing:
            for token in (world.reader, reader):
                answer = await ask(http, route, world.addresses, headers=bearer(token))
                assert answer.status_code == 403 and answer.json()[0]["errorCode"] == "INSUFFICIENT_ACCESS"
                assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
                assert 'scope="bulk:write"' in answer.headers["www-authenticate"]


async def test_a_reader_can_not_ask_salesforce_for_another_method(world: World) -> None:
    """Salesforce takes a method in the query, too (REST API guide, HTTP Headers and method override)."""
    async with plain_http(headers=bearer(world.reader)) as http:
        for query in ("_HttpMethod=DELETE", "a=b&_httpmethod=PATCH", "%5FHttpMethod=DELETE"):
            answer = await http.get(f"{world.addresses.rest_url}/jobs/ingest/{UNKNOWN_JOB}?{query}")
            assert answer.status_code == 403


async def test_requests_of_one_connection_are_judged_one_by_one(world: World) -> None:
    head = "GET /v1/jobs/ingest HTTP/1.1\r\nHost: localhost\r\n"
    both = f"{head}Authorization: Bearer {world.writer}\r\n\r\n{head}Connection: close\r\n\r\n"
    answers = await anyio.to_thread.run_sync(exchanged, world.addresses.rest_url, both.encode())
    assert (answers.count(b"HTTP/1.1 200 "), answers.count(b"HTTP/1.1 401 ")) == (1, 1)


async def test_a_write_of_who_may_only_read_is_a_line_of_the_audit_log(tmp_path: Path) -> None:
    reader, log = token_in(tmp_path, "bob", "read"), tmp_path / "writes.jsonl"
    async with serving(tmp_path, audit=str(log)) as addresses, plain_http(headers=bearer(reader)) as http:
        assert (await http.delete(f"{addresses.rest_url}/jobs/ingest/{UNKNOWN_JOB}")).status_code == 403
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "create-ingest-job"}}
        assert (await http.post(addresses.mcp_url, json=message, headers=MCP_HEADERS)).status_code == 403
        assert (await http.get(f"{addresses.rest_url}/jobs/ingest")).status_code == 200
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(line["caller"], line["action"], line["outcome"]) for line in lines] == [("bob", "write", "refused")] * 2


SPELLINGS = [
    "/", "/nothing", "//v1/jobs/ingest", "/v1//jobs/ingest/", "/V1/jobs/ingest", "/%76%31/jobs/ingest",
    "/health/live/", "/health/live/../../v1/jobs/ingest", "//health/live", "/health/live/..%2f..%2fv1/jobs/ingest",
    "/health/live;/v1/jobs/ingest", "/health%2flive/x", "/HEALTH/LIVE", "/health/live%00", "/health",
    "/.well-known/oauth-protected-resource/", "/.well-known/oauth-protected-resource/../../v1/jobs/ingest",
    "/.well-known/openid-configuration", "/services/data/v63.0/jobs/ingest", "/services/data/v1/jobs/ingest",
    "/services/data", "/mcp/", "//mcp", "/mcp/../health/live", "http://127.0.0.1/health/live", "http://127.0.0.1/v1",
    "*", "/health/live?/../v1",
]  # fmt: skip


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "CONNECT", "get", "PROPFIND"])
async def test_no_other_spelling_of_a_path_and_no_method_gets_past_the_guard(method: str, world: World) -> None:
    for url in (world.addresses.mcp_url, world.addresses.rest_url):
        for path in SPELLINGS[:-1]:
            head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            answer = await anyio.to_thread.run_sync(exchanged, url, head.encode())
            assert status_of(answer) == 401, (method, path)


async def test_the_open_paths_answer_everybody_and_reach_no_application(world: World) -> None:
    async with plain_http() as http:
        for url in (world.addresses.mcp_url.removesuffix("/mcp"), world.addresses.rest_url.removesuffix("/v1")):
            assert (await http.get(f"{url}/health/live")).json() == {"status": "live"}
            assert (await http.get(f"{url}/health/live?/../v1")).json() == {"status": "live"}
            assert (await http.get(f"{url}/health/ready")).json() == {"status": "ready"}
            metadata = await http.get(f"{url}/.well-known/oauth-protected-resource/mcp")
            assert metadata.status_code == 200 and metadata.json()["authorization_servers"] == [world.issuer_url]


async def test_a_websocket_is_no_way_in(world: World) -> None:
    upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==\r\n"
    for url in (world.addresses.mcp_url, world.addresses.rest_url):
        head = f"GET /v1/jobs/ingest HTTP/1.1\r\nHost: localhost\r\n{upgrade}\r\n"
        async with await anyio.connect_tcp("127.0.0.1", int(url.split(":")[2].split("/")[0])) as stream:
            await stream.send(head.encode())
            assert status_of(await stream.receive()) == 401


@pytest.mark.parametrize("era", ERAS)
async def test_a_writer_loads_and_a_reader_sees_five_tools_and_writes_nothing(era: Era, world: World) -> None:
    addresses = world.addresses
    async with client_of(addresses, world.writer, era) as client:
        assert len((await client.list_tools()).tools) == 9
        assert "Order of a load" in str(client.instructions)
        job = await call(client, "create-ingest-job", body=ACCOUNTS)
    async with client_of(addresses, world.reader, era) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == READING_TOOLS
        assert "read-only" in str(client.instructions)
        assert (await call(client, "get-ingest-job-status", jobId=job["id"]))["state"] == "Open"
    async with plain_http(headers=bearer(world.reader)) as http:
        assert (await http.get(f"{addresses.rest_url}/jobs/ingest/{job['id']}")).json()["state"] == "Open"


async def test_the_list_of_tools_is_cached_for_its_caller_alone(world: World) -> None:
    async with client_of(world.addresses, world.writer) as client:
        assert (await client.list_tools()).cache_scope == "private"


def called(tool: str, **arguments: Any) -> dict[str, Any]:
    parameters = {"name": tool, "arguments": arguments}
    return {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": parameters}


async def test_a_reader_who_calls_a_writing_tool_is_told_the_scope_that_it_takes(world: World) -> None:
    async with plain_http(headers={**MCP_HEADERS, **bearer(world.reader)}) as http:
        answer = await http.post(world.addresses.mcp_url, json=called("create-ingest-job", body=ACCOUNTS))
        assert answer.status_code == 403
        assert answer.json() == snapshot(
            {"error": "insufficient_scope", "error_description": "The token allows to read, not to write."}
        )
        assert answer.headers["www-authenticate"] == snapshot(
            'Bearer error="insufficient_scope", error_description="The token allows to read, not to write.", resource_metadata="https://bulk.example/.well-known/oauth-protected-resource/mcp", scope="bulk:write"'
        )
        twice = json.dumps(called("create-ingest-job", body=ACCOUNTS)).replace(
            '"name"', '"name": "list-all-ingest-jobs", "name"'
        )
        assert (await http.post(world.addresses.mcp_url, content=twice)).status_code == 400


async def test_a_session_belongs_to_who_began_it(world: World) -> None:
    ann_elsewhere = access_token(world.issuer_url, sub="ann")
    async with plain_http(headers=MCP_HEADERS) as http:
        begun = await http.post(world.addresses.mcp_url, json=INITIALIZE, headers=bearer(world.writer))
        session = {"Mcp-Session-Id": begun.headers["mcp-session-id"]}
        message = called("list-all-ingest-jobs")
        ping = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        for token, status in ((world.reader, 404), (ann_elsewhere, 404), (world.writer, 202)):
            answer = await http.post(world.addresses.mcp_url, json=ping, headers={**session, **bearer(token)})
            assert answer.status_code == status
        assert (await http.post(world.addresses.mcp_url, json=message, headers=session)).status_code == 401
        for method in ("GET", "DELETE"):
            answer = await http.request(method, world.addresses.mcp_url, headers={**session, **bearer(world.reader)})
            assert answer.status_code == 404
        assert (
            await http.post(world.addresses.mcp_url, json=message, headers={**session, **bearer(world.writer)})
        ).status_code == 200


async def test_each_request_of_a_session_counts_by_its_own_token(world: World) -> None:
    """The same person may show a token with fewer rights later."""
    writes, reads = (access_token(world.issuer_url, scope=scope) for scope in ("bulk:write", "bulk:read"))
    listing = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
    async with plain_http(headers=MCP_HEADERS) as http:
        begun = await http.post(world.addresses.mcp_url, json=INITIALIZE, headers=bearer(writes))
        session = {"Mcp-Session-Id": begun.headers["mcp-session-id"]}
        ping = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        await http.post(world.addresses.mcp_url, json=ping, headers={**session, **bearer(writes)})
        for token, tools, status in ((writes, 9, 200), (reads, 5, 403), (writes, 9, 200)):
            headers = {**session, **bearer(token)}
            listed = await http.post(world.addresses.mcp_url, json=listing, headers=headers)
            assert listed.text.count('"inputSchema"') == tools
            made = await http.post(
                world.addresses.mcp_url, json=called("create-ingest-job", body=ACCOUNTS), headers=headers
            )
            assert made.status_code == status


async def test_a_token_that_is_revoked_ends_at_once_on_both_ports(world: World) -> None:
    async with client_of(world.addresses, world.writer, "legacy") as client, plain_http() as http:
        await call(client, "list-all-ingest-jobs")
        TokenFile(paths_in(world.folder).token_file).revoke("ann")
        url = f"{world.addresses.rest_url}/jobs/ingest"
        assert (await http.get(url, headers=bearer(world.writer))).status_code == 401
        answer = await http.post(
            world.addresses.mcp_url,
            json=called("list-all-ingest-jobs"),
            headers={**MCP_HEADERS, **bearer(world.writer)},
        )
        assert answer.status_code == 401


@dataclass
class OpenStream:
    """An application whose response goes on until its caller has left, or it is told to end."""

    told_to_end: anyio.Event = field(default_factory=anyio.Event)
    left: anyio.Event = field(default_factory=anyio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await pass_lifespan(receive, send)
        await start(send, 200, [])
        await send({"type": "http.response.body", "body": b"begun", "more_body": True})
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._note_leaving, receive)
            await self.told_to_end.wait()
            tasks.cancel_scope.cancel()
        await send({"type": "http.response.body", "body": b" and ended"})

    async def _note_leaving(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.left.set()
        self.told_to_end.set()


@asynccontextmanager
async def guarded_stream(stream: OpenStream, verifier: TokenVerifier, sleep: Sleep) -> AsyncIterator[str]:
    async def note_refusal() -> None:
        raise AssertionError("nothing was written")

    guard = CallerGuard(stream, Door(verifier), writes_by_method, in_envelope, note_refusal, sleep=sleep)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await (stream if scope["type"] == "lifespan" else guard)(scope, receive, send)

    async with served(app) as url:
        yield url


async def test_a_response_that_is_open_is_cut_off_once_its_token_is_revoked(tmp_path: Path) -> None:
    token, file, stream = token_in(tmp_path, "ann"), TokenFile(paths_in(tmp_path).token_file), OpenStream()
    asked, pauses = anyio.create_memory_object_stream[float](5)

    async def sleep(seconds: float) -> None:
        assert seconds == 5  # as SECURITY.md and docs/callers.md say
        looked.set()
        await pauses.receive()

    looked = anyio.Event()
    with anyio.fail_after(10), asked, pauses:
        async with guarded_stream(stream, NamedTokens(file, Scopes()), sleep) as url, plain_http() as http:
            async with http.stream("GET", url, headers=bearer(token)) as answer:
                chunks = answer.aiter_raw()
                assert await anext(chunks) == b"begun"
                await looked.wait()
                looked = anyio.Event()
                await asked.send(1)
                await looked.wait()
                assert not stream.left.is_set()
                file.revoke("ann")
                await asked.send(1)
                with pytest.raises(httpx2.TransportError):
                    await anext(chunks)
            await stream.left.wait()


async def test_what_a_token_with_an_end_of_its_own_began_comes_to_its_end() -> None:
    """Issuers give tokens for minutes, and a result may take longer."""

    class Issued(TokenVerifier):
        async def verify_token(self, token: str) -> AccessToken | None:
            return AccessToken(token="", client_id="ann", scopes=["bulk:read"], expires_at=1)

    async def sleep(seconds: float) -> None:
        raise AssertionError("the token was looked at again")

    stream = OpenStream()
    async with guarded_stream(stream, Issued(), sleep) as url, plain_http() as http:
        async with http.stream("GET", url, headers=bearer("a.b.c")) as answer:
            stream.told_to_end.set()
            assert await answer.aread() == b"begun and ended"


async def test_a_file_of_tokens_that_becomes_unusable_lets_nobody_in_and_the_log_says_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    token = token_in(tmp_path, "ann")
    async with serving(tmp_path) as addresses, plain_http(headers=bearer(token)) as http:
        assert (await http.get(f"{addresses.rest_url}/jobs/ingest")).status_code == 200
        paths_in(tmp_path).token_file.write_text("{")
        answer = await http.get(f"{addresses.rest_url}/jobs/ingest")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
        assert answer.json() == snapshot(
            [
                {
                    "errorCode": "SERVER_UNAVAILABLE",
                    "message": "This server can't tell just now whether a token is good: try again later.",
                }
            ]
        )
        assert (await http.post(addresses.mcp_url, json=INITIALIZE)).status_code == 503
    assert "is damaged" in caplog.text and token not in caplog.text


async def test_an_issuer_that_does_not_answer_is_no_reason_to_ask_for_another_token(tmp_path: Path) -> None:
    issuer = Issuer()
    async with served(issuer) as url:
        settings: dict[str, Any] = {"oauth_issuer": url, "public_url": "https://bulk.example"}
        async with serving(tmp_path, **settings) as addresses, plain_http(headers=bearer(access_token(url))) as http:
            answer = await http.get(f"{addresses.rest_url}/jobs/ingest")
            assert answer.status_code == 503 and url not in answer.text


async def test_a_refusal_of_v1_has_salesforces_form_and_a_code_on_which_no_client_logs_in_anew(tmp_path: Path) -> None:
    token_in(tmp_path, "ann")
    async with serving(tmp_path) as addresses, plain_http() as http:
        answer = await http.get(f"{addresses.rest_url}/jobs/ingest")
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert answer.json() == snapshot(
            [
                {
                    "errorCode": "INVALID_AUTH_HEADER",
                    "message": "This server takes calls with a bearer token in the Authorization header.",
                }
            ]
        )
        answer = await http.get(f"{addresses.rest_url}/jobs/ingest", headers=bearer("sbi_x"))
        assert answer.headers["www-authenticate"] == snapshot(
            'Bearer error="invalid_token", error_description="The token is not good here, or not any more."'
        )


async def test_no_token_of_a_caller_goes_to_salesforce(tmp_path: Path, org_url: str) -> None:
    """What Salesforce gets of a request are its end-to-end headers, its query and its body."""
    token = token_in(tmp_path, "ann")
    job = json.dumps({"id": UNKNOWN_JOB, "state": "Open", "operation": "insert", "object": "Account"}).encode()
    upstream = Upstream({"GET": Answer(200, [("content-type", "application/json")], job)})
    async with served(upstream) as url:
        chosen: dict[str, Any] = {"emulator": False, "instance_url": url, "access_token": TOKEN}
        async with serving(tmp_path, **chosen) as addresses, plain_http(headers=bearer(token)) as http:
            headers, body = {"Sforce-Call-Options": "client=x"}, b'{"state": "Aborted"}'
            for route in await every_route(org_url):
                await ask(http, route, addresses, headers=headers, content=body)
            async with client_of(addresses, token) as client:
                await client.call_tool("get-ingest-job-status", {"jobId": UNKNOWN_JOB})
    assert {seen.method for seen in upstream.seen} == {"GET", "POST", "PUT", "PATCH", "DELETE"}
    assert ["client=x"] in [seen.values("sforce-call-options") for seen in upstream.seen]
    assert {tuple(seen.values("authorization")) for seen in upstream.seen} == {(f"Bearer {TOKEN}",)}
    assert token not in repr(upstream.seen)


async def test_without_tokens_on_this_machine_anyone_calls_as_before(tmp_path: Path) -> None:
    async with serving(tmp_path) as addresses, plain_http() as http:
        for headers in ({}, bearer("any token")):
            assert (await http.get(f"{addresses.rest_url}/jobs/ingest", headers=headers)).status_code == 200
        async with Client(addresses.mcp_url) as client:
            assert (await client.list_tools()).cache_scope == "public"
