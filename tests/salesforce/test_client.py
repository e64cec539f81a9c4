"""The client against an upstream that answers whatever a test wants, over a real socket."""

import gzip
import json
import logging
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import replace

import anyio
import httpx2
import pytest
import stamina
from inline_snapshot import snapshot
from stamina.instrumentation import RetryDetails, set_on_retry_hooks
from starlette.types import Receive, Scope, Send

from salesforce_bulk_ingest.base.errors import InvalidJobId
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
from salesforce_bulk_ingest.salesforce.org import Org
from salesforce_bulk_ingest.salesforce.transport import MOST_JSON_BYTES, open_http
from salesforce_emulator import ACCESS_TOKEN
from tests.salesforce.calls import (
    ALL,
    CSV_TYPE,
    OTHERS,
    READS,
    SESSION_EXPIRED,
    WRITES,
    Failing,
    Method,
    _read_failed_results,
)
from tests.salesforce.upstream import (
    JOB,
    JOB_ID,
    Answer,
    Seen,
    TwoLogins,
    Upstream,
    client_of,
    fixed,
    raw_upstream,
    served,
)
from tests.support.canary import TOKEN
from tests.support.wire import served as served_here

ASKED_AT_LOGIN = ["/services/oauth2/userinfo", "/services/data/v63.0/query"]
TOLD = Answer.of({"organization_id": "00D000000000001EAA", "preferred_username": "ann@example.com"})
ACCOUNT = {"name": "Account", "label": "Account", "fields": []}


@pytest.mark.parametrize(
    ("answer", "kind", "code", "message"),
    [
        pytest.param(
            Answer.of([{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}], 404),
            NotFound, "NOT_FOUND", '"The requested resource does not exist"', id="404",
        ),
        pytest.param(SESSION_EXPIRED, SessionExpired, "INVALID_SESSION_ID", '"Session expired or invalid"', id="401"),
        pytest.param(
            Answer.of({"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}, 401),
            SessionExpired, "INVALID_SESSION_ID", '"Session expired or invalid"', id="401 as a bare object",
        ),
        pytest.param(
            Answer.of([{"errorCode": "INVALIDJOBSTATE", "message": "Closing already Completed Job not allowed"}], 400),
            WrongState, "INVALIDJOBSTATE", '"Closing already Completed Job not allowed"', id="wrong state",
        ),
        pytest.param(
            Answer.of([{"errorCode": "INVALIDJOB", "message": "Found multipe contents for job: <750>"}], 400),
            Rejected, "INVALIDJOB", '"Found multipe contents for job: <750>"', id="second upload",
        ),
        pytest.param(
            Answer.of([{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}], 403),
            LimitReached, "REQUEST_LIMIT_EXCEEDED", '"TotalRequests Limit exceeded."', id="daily limit",
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
            Answer.of([{"errorCode": "FEATURENOTENABLED", "message": "no"}], 400), Rejected, "FEATURENOTENABLED",
            '"no"', id="another code",
        ),
        pytest.param(
            Answer.of({"error": "invalid_grant", "error_description": "expired access/refresh token"}, 400),
            Rejected, "invalid_grant", '"expired access/refresh token"', id="OAuth's form",
        ),
        pytest.param(Answer.of({"error": "invalid_grant"}, 400), Rejected, "invalid_grant", '"invalid_grant"',
                     id="OAuth without a description"),
        pytest.param(
            Answer.of([], 400), Rejected, "UNKNOWN_EXCEPTION", '"UNKNOWN_EXCEPTION"', id="an empty array",
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


HEAD_WITHOUT_BODY = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"


@pytest.mark.parametrize(
    ("method", "tries"),
    [
        *((pytest.param(method, 3, id=name)) for name, method in READS.items()),
        *((pytest.param(WRITES[name], 1, id=name)) for name in ("create_job", "set_state")),
        pytest.param(WRITES["delete_job"], 3, id="delete_job"),
        pytest.param(OTHERS["results"], 3, id="results"),
        pytest.param(OTHERS["identity"], 3, id="identity"),
    ],
)
@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 2", HEAD_WITHOUT_BODY], ids=["nothing", "half a head", "half a body"]
)
async def test_an_answer_that_breaks_off_means_unreachable_and_only_reads_and_deletes_are_tried_again(
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
    assert len(retries) == (0 if no_answer else tries - 1)


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
        pytest.param(
            Answer.of([{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "no"}], 403), LimitReached, id="limit"
        ),
        pytest.param(Answer(429), LimitReached, id="429"),
        pytest.param(Answer(420), LimitReached, id="420"),
        pytest.param(Answer(503), Unavailable, id="503"),
        pytest.param(Answer(302, b"", [("Location", "https://elsewhere")]), UnexpectedAnswer, id="a redirect"),
        pytest.param(Answer(200, b"<html>in maintenance"), UnexpectedAnswer, id="a page"),
    ],
)
async def test_an_org_that_can_not_be_told_just_now_fails_the_call_and_is_asked_for_again(
    answer: Answer, error: type[SalesforceError]
) -> None:
    upstream = Upstream([answer])
    with served(upstream) as url:
        async with client_of(fixed(url)) as client:
            for method in (client.identity, client.org):
                with pytest.raises(SalesforceError) as raised:
                    await method()
                assert type(raised.value) is error
            upstream.answers = [TOLD]
            assert (await client.org()).key == "00D000000000001"


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Answer(403), id="403"),
        pytest.param(Answer(404, b"<html>"), id="404"),
        pytest.param(Answer.of([{"errorCode": "API_DISABLED_FOR_ORG", "message": "no"}], 403), id="no API"),
        pytest.param(Answer.of({"sub": "x"}), id="no organization"),
    ],
)
async def test_an_org_that_tells_a_login_no_organization_goes_by_its_host_and_that_is_logged_once(
    answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    upstream = Upstream([answer])
    with served(upstream) as url:
        async with client_of(fixed(url)) as client:
            orgs = {await client.org() for _ in range(3)}
            assert [(org.organization_id, org.key) for org in orgs] == [(None, url.removeprefix("http://"))]
    assert [seen.path.partition("?")[0] for seen in upstream.seen] == ASKED_AT_LOGIN
    assert caplog.text.count("does not tell this login its organization") == 1


async def test_the_organization_is_asked_for_once_however_many_calls_need_it_at_first() -> None:
    upstream = Upstream([TOLD])
    with served(upstream) as url:
        async with client_of(fixed(url)) as client, anyio.create_task_group() as tasks:
            for method in (client.org, client.identity) * 5:
                tasks.start_soon(method)
        assert [seen.path.partition("?")[0] for seen in upstream.seen] == ASKED_AT_LOGIN


async def test_what_does_not_name_the_org_does_not_wait_for_its_name() -> None:
    upstream = Upstream([TOLD])
    with served(upstream) as url:
        async with client_of(fixed(url)) as client:
            assert (await client.organization()).key == "00D000000000001"
        assert [seen.path for seen in upstream.seen] == ASKED_AT_LOGIN[:1]


async def test_a_first_call_that_is_given_up_leaves_the_question_to_the_next() -> None:
    upstream, asked = Upstream([TOLD]), anyio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not asked.is_set():
            asked.set()
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        await upstream(scope, receive, send)

    async with served_here(slow) as url, client_of(fixed(url)) as client:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.org)
            await asked.wait()
            tasks.cancel_scope.cancel()
        assert (await client.org()).key == "00D000000000001"


async def test_a_refused_session_is_renewed_before_the_organization_is_told() -> None:
    for refusal in (Answer(403, b"Bad_OAuth_Token"), SESSION_EXPIRED):
        upstream = Upstream([refusal, TOLD])
        with served(upstream) as url:
            async with client_of(TwoLogins(url)) as client:
                assert (await client.org()).key == "00D000000000001"
        assert [seen.headers["authorization"] for seen in upstream.seen] == [
            "Bearer stale",
            "Bearer fresh",
            "Bearer fresh",
        ]


async def test_another_login_may_open_another_org() -> None:
    """As where an alias of the Salesforce CLI is given to another org while the server runs."""
    other = Answer.of({"organization_id": "00D000000000002AAA"})
    unnamed = Answer(403)
    upstream = Upstream([TOLD, unnamed, Answer(401), Answer.of({"records": []}), other, unnamed])
    with served(upstream) as url:
        async with client_of(TwoLogins(url)) as client:
            first = await client.org()
            await client.list_jobs()
            assert [first.key, (await client.org()).key] == ["00D000000000001", "00D000000000002"]


async def test_the_records_are_settled_once_before_anyone_gets_the_org() -> None:
    settled: list[Org] = []

    async def settle(org: Org) -> Org:
        settled.append(org)
        return replace(org, organization_id="00D000000000009")

    with served(Upstream([Answer(404)])) as url:
        async with open_http(trust_env=False) as http:
            client = SalesforceClient(http, fixed(url), "63.0", settle=settle)
            assert {(await client.org()).key, (await client.org()).key} == {"00D000000000009"}
    assert len(settled) == 1


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


@pytest.mark.parametrize("method", [READS["get_job"], WRITES["set_state"]], ids=["get_job", "set_state"])
async def test_an_answer_about_another_job_is_none_about_this_one(method: Method) -> None:
    with served(Upstream([Answer.of(JOB | {"id": "750000000000009AAA"})])) as url:
        async with client_of(fixed(url)) as client:
            with pytest.raises(
                UnexpectedAnswer,
                match=r"^Asked for job 750000000000001AAA, Salesforce answered about job 750000000000009AAA\.$",
            ):
                await method(client)


NO_IDS = [
    "../../../../pwn",
    "",
    "750",
    "001000000000001AAA",
    "750000000000001AAA/x",
    "750000000000001\r\n",
    "x" * 5_000,
]


@pytest.mark.parametrize("no_id", NO_IDS)
@pytest.mark.parametrize(
    ("asked", "method", "answer"),
    [
        ("job 750000000000001AAA", READS["get_job"], lambda no_id: JOB | {"id": no_id}),
        ("job 750000000000001AAA", WRITES["set_state"], lambda no_id: JOB | {"id": no_id}),
        ("a new job", WRITES["create_job"], lambda no_id: JOB | {"id": no_id}),
        ("the list of jobs", READS["list_jobs"], lambda no_id: {"records": [JOB, JOB | {"id": no_id}]}),
        ("the user of the access token", OTHERS["identity"], lambda no_id: {"organization_id": no_id}),
        ("the user of the access token", OTHERS["identity"], lambda no_id: {"user_id": no_id}),
    ],
    ids=["get_job", "set_state", "create_job", "list_jobs", "organization", "user"],
)
async def test_what_is_no_id_is_told_in_one_line_with_what_was_asked_for(
    asked: str, method: Method, answer: Callable[[str], object], no_id: str
) -> None:
    with served(Upstream([Answer.of(answer(no_id))])) as url:
        async with client_of(fixed(url)) as client:
            with pytest.raises(UnexpectedAnswer) as raised:
                await method(client)
    told = str(raised.value)
    assert told.startswith(f'Asked for {asked}, Salesforce answered about "') and ", which is not the id of a" in told
    assert told.isprintable() and len(told) < 250


@pytest.mark.parametrize(
    ("name", "arguments"), [("get_job", []), ("delete_job", []), ("upload", [b"x"]), ("set_state", ["Aborted"])]
)
async def test_no_request_goes_out_for_what_is_no_id(name: str, arguments: list[object]) -> None:
    upstream = Upstream([Answer.of(JOB)])
    with served(upstream) as url:
        async with client_of(fixed(url)) as client:
            with pytest.raises(InvalidJobId):
                await getattr(client, name)("../query?q=SELECT", *arguments)
    assert upstream.seen == []


@pytest.mark.parametrize(
    ("answered", "told"),
    [
        (
            {"object": "Contact"},
            'Asked for a new job with the object Account, Salesforce answered about one with "Contact".',
        ),
        (
            {"operation": "delete"},
            'Asked for a new job with the operation insert, Salesforce answered about one with "delete".',
        ),
        (
            {"state": "JobComplete"},
            'Asked for a new job with the state Open, Salesforce answered about one with "JobComplete".',
        ),
    ],
)
async def test_a_create_is_not_answered_by_a_job_of_another_kind(answered: dict[str, str], told: str) -> None:
    with served(Upstream([Answer.of(JOB | answered)])) as url:
        async with client_of(fixed(url)) as client:
            with pytest.raises(UnexpectedAnswer, match=f"^{re.escape(told)}$"):
                await client.create_job({"object": "Account", "operation": "insert"})


async def test_a_job_may_name_its_object_in_another_case_or_with_the_namespace_of_the_org() -> None:
    for name in ("invoice__c", "acme__Invoice__c"):
        with served(Upstream([Answer.of(JOB | {"object": name})])) as url:
            async with client_of(fixed(url)) as client:
                assert (await client.create_job({"object": "Invoice__c", "operation": "insert"})).object == name


async def test_a_describe_is_not_answered_by_that_of_another_object() -> None:
    other = {"name": "Contact\nNext: ", "label": "Contact", "fields": []}
    with served(Upstream([Answer.of(other)])) as url:
        async with client_of(fixed(url)) as client:
            with pytest.raises(UnexpectedAnswer) as raised:
                await client.describe("Account")
    assert str(raised.value) == ('Asked for the describe of Account, Salesforce answered about "Contact\\nNext: ".')


NOT_FOUND = Answer.of([{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}], 404)


async def test_a_describe_may_come_compressed_and_be_several_megabytes() -> None:
    values = [{"value": f"Value {number}", "active": True, "label": "x" * 40} for number in range(50_000)]
    field = {"name": "Area__c", "label": "Area", "type": "picklist", "picklistValues": values}
    body = json.dumps({"name": "Account", "label": "Account", "fields": [field]}).encode()
    headers = [("Content-Type", "application/json"), ("Content-Encoding", "gzip")]
    with served(Upstream([Answer(200, gzip.compress(body), headers)])) as url:
        async with client_of(fixed(url)) as client:
            described = await client.describe("Account")
    assert 4_000_000 < len(body) < MOST_JSON_BYTES
    assert len(described.fields[0].picklist_values) == 50_000


async def test_a_describe_without_end_is_not_read_to_its_end() -> None:
    headers = [("Content-Type", "application/json"), ("Content-Encoding", "gzip")]
    with served(Upstream([Answer(200, gzip.compress(b" " * (MOST_JSON_BYTES + 1)), headers)])) as url:
        async with client_of(fixed(url)) as client:
            with pytest.raises(UnexpectedAnswer, match="longer than"):
                await client.describe("Account")


async def test_an_object_that_is_not_there_is_not_found_after_one_try() -> None:
    upstream = Upstream([NOT_FOUND])
    with served(upstream) as url:
        async with client_of(fixed(url)) as client:
            with pytest.raises(NotFound):
                await client.describe("Acount")
    assert len(upstream.seen) == 1


async def test_a_name_stays_one_segment_of_the_path() -> None:
    upstream = Upstream([NOT_FOUND])
    with served(upstream) as url:
        async with client_of(fixed(url)) as client:
            with pytest.raises(NotFound):
                await client.describe("a/../limits?x")
    assert upstream.seen[0].raw_path == b"/services/data/v63.0/sobjects/a%2F..%2Flimits%3Fx/describe"


async def test_the_embedded_org_lists_its_objects(org_url: str) -> None:
    async with client_of(fixed(org_url, ACCESS_TOKEN)) as client:
        loadable = {each.name: each.is_loadable for each in await client.objects()}
    assert loadable["Account"] and not all(loadable.values())


async def test_the_embedded_org_describes_its_objects(org_url: str) -> None:
    async with client_of(fixed(org_url, ACCESS_TOKEN)) as client:
        described = await client.describe("account")
    name, owner = described.field("NAME"), described.lookup("owner")
    assert (described.name, described.key_prefix, described.deletable) == ("Account", "001", True)
    assert name is not None and (name.is_required, name.finds_records, name.length) == (True, False, 255)
    assert owner is not None and (owner.name, owner.reference_to) == ("OwnerId", ("User",))
    rating = described.field("Rating")
    assert rating is not None and "Hot" in [value.value for value in rating.picklist_values if value.active]
