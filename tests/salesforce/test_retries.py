"""What follows each failure of each call: every cell of the table is tried on the embedded org."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
import stamina
from stamina.instrumentation import RetryDetails, set_on_retry_hooks

from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.errors import LimitReached, NoCredentials, NotFound, SalesforceError, rejected
from salesforce_bulk_ingest.salesforce.retries import RETRIES, Action, Failure, Operation, failure_of, may_have_happened
from salesforce_emulator import ACCESS_TOKEN
from tests.salesforce.calls import READS, Method, chunks
from tests.salesforce.upstream import JOB, JOB_ID, Answer, Upstream, client_of, fixed, served
from tests.support.watched_org import WatchedOrg

ARCHITECTURE = Path(__file__).parent.parent.parent / "docs" / "architecture.md"

# A fault of the embedded org, or what is met on the way to it.
FAULTS: dict[str, tuple[Failure, dict[str, Any] | Exception | bytes]] = {
    "no connection": (Failure.NOT_SENT, httpx2.ConnectError("refused")),
    "no connection in time": (Failure.NOT_SENT, httpx2.ConnectTimeout("slow")),
    "420": (Failure.SLOW_DOWN, {"fault": "no-route"}),
    "429": (Failure.SLOW_DOWN, {"fault": "too-many-requests", "retryAfter": 0}),
    "the day's requests are used up": (Failure.LIMIT, {"fault": "request-limit"}),
    "a refusal": (Failure.REFUSED, {"fault": "answer", "status": 400, "errorCode": "API_ERROR", "message": "No."}),
    "a refusal without a word": (Failure.REFUSED, {"fault": "answer", "status": 403}),
    "a connection reset before the request": (Failure.BROKEN, {"fault": "reset", "when": "before"}),
    "a connection reset after the request": (Failure.BROKEN, {"fault": "reset", "when": "after"}),
    "no answer in time": (Failure.TIMED_OUT, httpx2.ReadTimeout("slow")),
    "a login page": (Failure.NOT_THE_API, b"<html>Log in</html>"),
    "500": (Failure.OUT_OF_ORDER, {"fault": "server-error"}),
    "502 with a page": (Failure.OUT_OF_ORDER, {"fault": "error-page", "status": 502}),
    "503": (Failure.OUT_OF_ORDER, {"fault": "unavailable", "retryAfter": 0}),
    "401": (Failure.SESSION, {"fault": "expired-session"}),
}
JOURNALED = {
    Operation.READ: "status",
    Operation.RESULT: "failedResults",
    Operation.CREATE: "create",
    Operation.UPLOAD: "upload",
    Operation.CHANGE: "close",
    Operation.DELETE: "delete",
}


class Way(httpx2.AsyncHTTPTransport):
    """The way to the org, on which the next request may meet something else than the org."""

    def __init__(self) -> None:
        super().__init__()
        self.met: Exception | bytes | None = None
        self.requests = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.requests += 1
        met, self.met = self.met, None
        if isinstance(met, Exception):
            raise met
        if met is not None:
            return httpx2.Response(200, headers={"Content-Type": "text/html"}, content=chunks(met))
        return await super().handle_async_request(request)


async def _result(client: SalesforceClient, job_id: str) -> None:
    async with client.results(job_id, "failedResults") as rows:
        async for _ in rows:
            pass


async def _attempted(operation: Operation, client: SalesforceClient, job_id: str) -> None:
    match operation:
        case Operation.READ:
            await client.get_job(job_id)
        case Operation.RESULT:
            await _result(client, job_id)
        case Operation.CREATE:
            await client.create_job({"object": "Account", "operation": "insert"})
        case Operation.UPLOAD:
            await client.upload(job_id, b"Name\nAcme\n")
        case Operation.CHANGE:
            await client.set_state(job_id, "UploadComplete")
        case Operation.DELETE:
            await client.delete_job(job_id)


async def _job_for(operation: Operation, client: SalesforceClient) -> str:
    job = await client.create_job({"object": "Account", "operation": "insert"})
    if operation in (Operation.RESULT, Operation.DELETE):
        await client.set_state(job.id, "Aborted")
    return job.id


@asynccontextmanager
async def client_on(way: Way, org: WatchedOrg) -> AsyncIterator[SalesforceClient]:
    async with httpx2.AsyncClient(transport=way) as http:
        http.headers.clear()
        yield SalesforceClient(http, fixed(org.url, ACCESS_TOKEN), "63.0")


def test_every_kind_of_failure_has_a_fault() -> None:
    assert {failure for failure, _ in FAULTS.values()} == set(Failure) == set(RETRIES)
    assert set(JOURNALED) == set(Operation)


@pytest.mark.parametrize("operation", Operation)
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_call_is_repeated_only_where_the_table_says_so(
    fault: str, operation: Operation, org: WatchedOrg
) -> None:
    failure, met = FAULTS[fault]
    way = Way()
    async with client_on(way, org) as client:
        job_id = await _job_for(operation, client)
        if isinstance(met, dict):
            org.go_wrong({"on": JOURNALED[operation], "times": 1, **met})
        else:
            way.met = met
        way.requests = 0
        raised: SalesforceError | None = None
        try:
            await _attempted(operation, client, job_id)
        except SalesforceError as error:
            raised = error
    if RETRIES[failure][operation] is Action.AGAIN:
        assert (raised, way.requests) == (None, 2)
    else:
        assert raised is not None and failure_of(raised) is failure
        assert way.requests == 1


@pytest.mark.parametrize("operation", Operation)
async def test_a_call_is_given_up_after_three_attempts(operation: Operation, org: WatchedOrg) -> None:
    class Closed(Way):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            self.requests += 1
            raise httpx2.ConnectError("refused")

    way = Closed()
    async with client_on(way, org) as client:
        with pytest.raises(SalesforceError):
            await _attempted(operation, client, JOB_ID)
    assert way.requests == 3


def test_rows_are_sent_again_only_where_none_left_and_a_create_only_where_nothing_was_done() -> None:
    assert [failure for failure in Failure if RETRIES[failure][Operation.UPLOAD] is Action.AGAIN] == [Failure.NOT_SENT]
    unknown = {Failure.BROKEN, Failure.TIMED_OUT, Failure.NOT_THE_API, Failure.OUT_OF_ORDER}
    assert {failure for failure in Failure if RETRIES[failure][Operation.CREATE] is Action.SEARCH} == unknown
    assert {failure for failure in Failure if RETRIES[failure][Operation.CHANGE] is Action.LOOK} == unknown


@pytest.mark.parametrize(
    ("error", "failure", "may_be_done"),
    [
        (NoCredentials("none"), Failure.REFUSED, False),
        (rejected(503, "REQUEST_LIMIT_EXCEEDED", "no"), Failure.OUT_OF_ORDER, True),
        (rejected(403, "REQUEST_LIMIT_EXCEEDED", "no"), Failure.LIMIT, False),
        (rejected(404, "NOT_FOUND", "no"), Failure.REFUSED, False),
    ],
)
def test_a_status_of_500_and_above_leaves_it_open_whether_the_call_took_effect(
    error: SalesforceError, failure: Failure, may_be_done: bool
) -> None:
    assert (failure_of(error), may_have_happened(error)) == (failure, may_be_done)


async def test_a_delete_that_finds_no_job_after_a_lost_answer_has_deleted_it(org: WatchedOrg) -> None:
    async with client_on(Way(), org) as client:
        job_id = await _job_for(Operation.DELETE, client)
        org.go_wrong({"on": "delete", "fault": "reset", "when": "after", "times": 1})
        await client.delete_job(job_id)
        org.go_wrong({"on": "delete", "fault": "too-many-requests", "retryAfter": 0, "times": 1})
        with pytest.raises(NotFound):  # the first attempt did nothing, so another call had deleted the job
            await client.delete_job(job_id)


@pytest.mark.parametrize("method", READS.values(), ids=READS)
@pytest.mark.parametrize("seconds", [1, 25])
async def test_the_wait_that_is_asked_for_is_obeyed_where_the_call_has_the_time(seconds: int, method: Method) -> None:
    waits: list[float] = []
    upstream = Upstream([Answer(503, b"", [("Retry-After", str(seconds))]), Answer.of(JOB)])
    with anyio.CancelScope() as scope:

        def give_up(details: RetryDetails) -> None:
            waits.append(details.wait_for)
            scope.cancel()  # nobody has to wait in a test

        set_on_retry_hooks([give_up])
        try:
            with stamina.set_testing(False), served(upstream) as url:
                async with client_of(fixed(url)) as client:
                    await method(client)
        finally:
            set_on_retry_hooks(None)
    assert (waits, len(upstream.seen)) == ([seconds], 1)


@pytest.mark.parametrize(("asked", "call_seconds"), [("120", 45), ("8", 5), ("40", 600)])
async def test_a_wait_beyond_the_end_of_the_call_is_told_and_not_begun(asked: str, call_seconds: float) -> None:
    upstream = Upstream([Answer(429, b"", [("Retry-After", asked)]), Answer.of(JOB)])
    with served(upstream) as url:
        async with client_of(fixed(url)) as client:
            with anyio.fail_after(call_seconds), pytest.raises(LimitReached) as raised:
                await client.get_job(JOB_ID)
    assert (len(upstream.seen), raised.value.retry_after_seconds) == (1, float(asked))


def _shown() -> str:
    """The table as Markdown."""
    head = ["failure", *Operation]
    rows = [[failure, *(RETRIES[failure][operation] for operation in Operation)] for failure in Failure]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def test_the_table_of_the_guide_is_that_of_the_code() -> None:
    text = ARCHITECTURE.read_text(encoding="utf-8")
    assert (
        text.partition("<!-- retries: held to the code by a test -->\n")[2].partition("\n<!-- end -->")[0] == _shown()
    )
