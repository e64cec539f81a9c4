"""Sessions of seconds, and many callers on both surfaces: no call fails for its session, and each token is renewed once."""

import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import httpx2
import pytest
from mcp import Client
from starlette.types import ASGIApp, Receive, Scope, Send

from salesforce_bulk_ingest.app.ports import Addresses
from salesforce_bulk_ingest.app.ports import running as both_ports
from salesforce_bulk_ingest.base.clock import Clock
from salesforce_bulk_ingest.settings import Settings
from salesforce_emulator import EmulatorConfig, create_app
from salesforce_emulator.config import CLIENT_ID, CLIENT_SECRET
from tests.salesforce.upstream import JOB, JOB_ID, Answer, TwoLogins, Upstream
from tests.salesforce.upstream import served as upstream_served
from tests.support.asgi_server import running
from tests.support.orgs import ERAS, call, paths_in
from tests.support.plain_http import plain_http
from tests.support.wire import gateway_to
from tests.support.wire import served as served_here

TOKEN_SECONDS = 5
EARLY_SECONDS = 1.0
"""How much earlier a token may be renewed: before a stream, whose bytes pass only once."""

CALLERS = 20
PER_CALL = timedelta(seconds=0.05)
"""How far the clock goes with each call, so that a token ends within some hundred calls, at any of them."""

ROW = b"%07d," + b"d" * 90 + b"\n"
ROWS_OF_A_CHUNK = 160
INSERT = {"object": "Account", "operation": "insert"}


@dataclass
class AheadOfTime:
    """The clock of the org and the server: real time, and what the test lets pass beside it."""

    ahead: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def of_this_machine(self) -> Clock:
        """The same clock, as the server has it."""
        return Clock(lambda: self().timestamp(), lambda: time.monotonic() + self.ahead.total_seconds())


@dataclass
class LoginTimes:
    """The org, with the tokens that were used, and the times of its clock at which it was asked for one."""

    org: ASGIApp
    clock: Callable[[], datetime]
    at: list[datetime] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self._note(scope)
        await self.org(scope, receive, send)

    def _note(self, scope: Scope) -> None:
        if scope["path"] == "/services/oauth2/token":
            self.at.append(self.clock())
            return
        token = dict(scope["headers"]).get(b"authorization", b"").decode()
        if token not in self.tokens:
            self.tokens.append(token)

    def assert_each_token_was_used(self) -> None:
        """Two renewals of one token would leave the first new token to nobody."""
        assert len(self.tokens) == len(self.at)

    def assert_no_more_tokens_than_ended(self) -> None:
        """By the time that has passed: when a single token was asked for depends on how busy the machine was."""
        seconds = (self.at[-1] - self.at[0]).total_seconds()
        assert 2 < len(self.at) <= seconds / (TOKEN_SECONDS - EARLY_SECONDS) + 2


def rows(size: int) -> Iterator[bytes]:
    """The header, and rows in chunks such as a caller sends them: a million chunks would take longer than what is tested."""
    yield b"Name,Description\n"
    count = size // len(ROW % 0)
    for first in range(0, count, ROWS_OF_A_CHUNK):
        yield b"".join(ROW % number for number in range(first, min(first + ROWS_OF_A_CHUNK, count)))


@asynccontextmanager
async def served(folder: Path, clock: AheadOfTime) -> AsyncIterator[tuple[Addresses, LoginTimes]]:
    """The server on both ports, logged in to an org whose tokens last for seconds."""
    org = LoginTimes(
        create_app(EmulatorConfig(data_dir=folder / "org", token_seconds=TOKEN_SECONDS, clock=clock)), clock
    )
    with running(org) as url:
        settings = Settings(
            instance_url=url,
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            mcp_port=0,
            rest_port=0,
            upload_roots=(folder,),
            allow_preflight_off=True,
        )
        async with both_ports(settings, paths_in(folder), clock=clock.of_this_machine()) as addresses:
            yield addresses, org


@dataclass
class Callers:
    """Callers of one server, each of whom loads once, and goes on until it is time to end."""

    addresses: Addresses
    clock: AheadOfTime
    is_over: Callable[[], bool]
    loads: int = 0
    a_stream_has_passed_its_middle: anyio.Event = field(default_factory=anyio.Event)

    async def agent(self, number: int) -> None:
        async with Client(self.addresses.mcp_url, mode=ERAS[number % 2]) as client:
            while True:
                names = {"csv": f"Name\nAgent {number} {self.loads} {time.monotonic_ns()}\n"}
                job = await call(client, "create-ingest-job", body=INSERT, data=names)
                self._time_passes()
                await call(client, "close-abort-ingest-job", jobId=job["id"], body={"state": "UploadComplete"})
                self._time_passes()
                await call(client, "get-ingest-job-status", jobId=job["id"])
                self._time_passes()
                await call(client, "list-all-ingest-jobs")
                self.loads += 1
                if self.is_over():
                    break

    async def rest(self, number: int) -> None:
        async with plain_http(timeout=60) as http:
            while True:
                await self.load_through_rest(http, self._few_rows(number))
                self.loads += 1
                if self.is_over():
                    break

    async def load_through_rest(self, http: httpx2.AsyncClient, content: AsyncIterator[bytes]) -> None:
        url = f"{self.addresses.rest_url}/jobs/ingest"
        made = (await http.post(url, json=INSERT)).raise_for_status().json()
        self._time_passes()
        job = f"{url}/{made['id']}"
        (await http.put(f"{job}/batches", content=content, headers={"Content-Type": "text/csv"})).raise_for_status()
        self._time_passes()
        (await http.patch(job, json={"state": "UploadComplete"})).raise_for_status()
        self._time_passes()
        (await http.get(job)).raise_for_status()

    async def large_through_rest(self, size: int) -> None:
        """A stream in whose middle the token ends."""

        async def stream() -> AsyncIterator[bytes]:
            sent = 0
            for chunk in rows(size):
                was_before_the_middle, sent = sent < size // 2, sent + len(chunk)
                if was_before_the_middle and sent >= size // 2:
                    self.clock.ahead += timedelta(seconds=TOKEN_SECONDS + 1)
                    self.a_stream_has_passed_its_middle.set()
                yield chunk

        async with plain_http(timeout=600) as http:
            await self.load_through_rest(http, stream())

    async def large_through_the_tools(self, file: Path) -> None:
        """A file that goes up once a token has ended."""
        async with Client(self.addresses.mcp_url) as client:
            job = await call(client, "create-ingest-job", body=INSERT)
            uploading = {"jobId": job["id"], "body": {"file": str(file)}, "preflight": "off"}
            # A token that ends between the look at it and a long stream ends that stream, as docs/rest.md says of `/v1`.
            # Two that end at once would refuse a call twice, which no session of Salesforce does.
            await self.a_stream_has_passed_its_middle.wait()
            while (await call(client, "upload-data-ingest-job", **uploading))["status"] in ("checking", "in progress"):
                self._time_passes()
            self.clock.ahead += timedelta(seconds=TOKEN_SECONDS + 1)
            await call(client, "close-abort-ingest-job", jobId=job["id"], body={"state": "UploadComplete"})

    async def _few_rows(self, number: int) -> AsyncIterator[bytes]:
        yield b"Name\n"
        yield b"Caller %d\n" % number

    def _time_passes(self) -> None:
        self.clock.ahead += PER_CALL


async def work(folder: Path, *, seconds: float, large_bytes: int) -> tuple[Callers, LoginTimes]:
    """Let the callers work for a time, with two large uploads beside them."""
    file = folder / "large.csv"
    with file.open("wb") as out:
        out.writelines(rows(large_bytes))
    clock, end = AheadOfTime(), time.monotonic() + seconds
    async with served(folder, clock) as (addresses, org):
        callers = Callers(addresses, clock, lambda: time.monotonic() >= end)
        async with plain_http() as http:  # the first token ends before a stream is begun
            for _ in range(2):
                (await http.get(f"{addresses.rest_url}/jobs/ingest")).raise_for_status()
                clock.ahead += timedelta(seconds=TOKEN_SECONDS)
        async with anyio.create_task_group() as tasks:
            for number in range(CALLERS):
                tasks.start_soon(callers.agent if number % 2 else callers.rest, number)
            tasks.start_soon(callers.large_through_rest, large_bytes)
            tasks.start_soon(callers.large_through_the_tools, file)
    return callers, org


@pytest.mark.parametrize(
    ("seconds", "large_bytes"),
    [
        (0, 500_000),
        pytest.param(120, 99_000_000, marks=[pytest.mark.slow, pytest.mark.timeout(900)]),
    ],
)
async def test_no_call_fails_for_its_session_and_each_token_is_renewed_once(
    seconds: int, large_bytes: int, tmp_path: Path
) -> None:
    callers, org = await work(tmp_path, seconds=seconds, large_bytes=large_bytes)
    assert callers.loads >= CALLERS
    org.assert_each_token_was_used()
    org.assert_no_more_tokens_than_ended()


REFUSED = Answer.of([{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}], 401)


@pytest.mark.parametrize(("rows", "status"), [(b"Name\nAnn\n", 201), (b"Name\n" + b"Ann\n" * 100_000, 401)])
async def test_rows_whose_session_ends_as_they_arrive_go_again_if_all_that_left_is_held(
    rows: bytes, status: int
) -> None:
    """The job was looked at before, as for every upload, and the session had not ended then."""
    upstream = Upstream([Answer.of(JOB), Answer(404), REFUSED, Answer(201)])
    with upstream_served(upstream) as upstream_url:
        gateway = gateway_to(upstream_url, source=TwoLogins(upstream_url))
        async with served_here(gateway) as url, plain_http() as caller:
            answer = await caller.put(f"{url}/v1/jobs/ingest/{JOB_ID}/batches", content=rows)
    puts = [seen for seen in upstream.seen if seen.method == "PUT"]
    assert answer.status_code == status
    assert {put.body for put in puts} == {rows}
    tokens = ["Bearer stale", "Bearer fresh"]
    assert [put.headers["authorization"] for put in puts] == (tokens if status == 201 else tokens[:1])


async def test_a_session_that_has_ended_is_renewed_before_the_first_byte_of_an_upload_leaves() -> None:
    upstream = Upstream([REFUSED, Answer.of(JOB), Answer(404), Answer(201)])
    with upstream_served(upstream) as upstream_url:
        gateway = gateway_to(upstream_url, source=TwoLogins(upstream_url))
        async with served_here(gateway) as url, plain_http() as caller:
            answer = await caller.put(f"{url}/v1/jobs/ingest/{JOB_ID}/batches", content=b"Name\n" + b"Ann\n" * 100_000)
    assert answer.status_code == 201
    assert [(seen.method, seen.headers["authorization"]) for seen in upstream.seen if "userinfo" not in seen.path] == [
        ("GET", "Bearer stale"),
        ("GET", "Bearer fresh"),
        ("PUT", "Bearer fresh"),
    ]
