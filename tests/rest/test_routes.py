"""`/v1` on real sockets: what goes up, what comes down, and what a broken connection looks like at the other end."""

import gzip
import json
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import anyio.abc
import anyio.lowlevel
import httpx2
import pytest
from simple_salesforce.bulk2 import SFBulk2Handler
from starlette.types import Receive, Scope, Send

from salesforce_bulk_ingest.salesforce.auth import MissingCredentials
from salesforce_emulator import ACCESS_TOKEN, EmulatorConfig, create_app
from tests.support.asgi_server import running
from tests.support.plain_http import blocking_http, plain_http
from tests.support.wire import (
    JOB_ID,
    TOKEN,
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

SECONDS = 10
MOUNTS = ["/v1", "/services/data/v62.0"]
JOB = f"/v1/jobs/ingest/{JOB_ID}"
JSON = {"Content-Type": "application/json; charset=UTF-8"}
CSV = 'Name,Phone\n"Ångström, ""&"" Sons",+46 8 123\n"two\nlines",\n,no name\n'.encode()
NOT_FOUND = [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]


@dataclass
class Wired:
    """A recording upstream, and a caller of the gateway before it."""

    upstream: Upstream
    url: str
    caller: httpx2.Client

    @property
    def last(self) -> Seen:
        """The only request that went up."""
        (only,) = self.upstream.seen
        return only


@pytest.fixture(scope="module")
def served_once() -> Iterator[Wired]:
    upstream = Upstream()
    with running(upstream) as upstream_url, running(gateway_to(upstream_url)) as url, _caller(url) as caller:
        yield Wired(upstream, url, caller)


@pytest.fixture
def wired(served_once: Wired) -> Wired:
    served_once.upstream.reset()
    return served_once


@dataclass
class Org:
    """The embedded org, spoken to directly and through the gateway."""

    direct: httpx2.Client
    caller: httpx2.Client
    url: str

    def finished(self, job: str) -> dict[str, Any]:
        """The job in its last state."""
        while True:
            body: dict[str, Any] = self.caller.get(job).json()
            if body["state"] in ("JobComplete", "Failed"):
                return body


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Org]:
    folder: Path = tmp_path_factory.mktemp("org")
    token = {"Authorization": f"Bearer {ACCESS_TOKEN}"}
    with (
        running(create_app(EmulatorConfig(data_dir=folder))) as org_url,
        running(gateway_to(org_url, token=ACCESS_TOKEN)) as url,
        blocking_http(base_url=f"{org_url}/services/data/v63.0", headers=token) as direct,
        _caller(url) as caller,
    ):
        yield Org(direct, caller, url)


def _caller(url: str) -> httpx2.Client:
    caller = blocking_http(base_url=url, timeout=SECONDS)
    del caller.headers["Accept-Encoding"]
    return caller


# The nine operations


@pytest.mark.parametrize("mount", MOUNTS)
def test_a_csv_goes_through_all_nine_routes_and_comes_back_as_the_org_wrote_it(org: Org, mount: str) -> None:
    jobs = f"{mount}/jobs/ingest"
    created = org.caller.post(jobs, json={"object": "Account", "operation": "insert"})
    assert created.status_code == 200
    job = f"{jobs}/{created.json()['id']}"
    assert created.json()["apiVersion"] == (63.0 if mount == "/v1" else 62.0)

    uploaded = org.caller.put(f"{job}/batches", content=CSV, headers={"Content-Type": "text/csv"})
    assert (uploaded.status_code, uploaded.content) == (201, b"")
    closed = org.caller.patch(job, json={"state": "UploadComplete"})
    assert (closed.status_code, closed.json()["state"]) == (200, "UploadComplete")
    done = org.finished(job)
    assert (done["state"], done["numberRecordsProcessed"], done["numberRecordsFailed"]) == ("JobComplete", 3, 1)

    for result in ("successfulResults", "failedResults", "unprocessedrecords"):
        through, direct = org.caller.get(f"{job}/{result}"), org.direct.get(f"/jobs/ingest/{done['id']}/{result}")
        assert through.content == direct.content
        assert through.headers["Content-Type"] == direct.headers["Content-Type"] == "text/csv; charset=UTF-8"
    assert "Ångström".encode() in org.caller.get(f"{job}/successfulResults").content
    assert done["id"] in {listed["id"] for listed in org.caller.get(jobs).json()["records"]}

    deleted = org.caller.delete(job)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert (org.caller.get(job).status_code, org.caller.get(job).json()) == (404, NOT_FOUND)


def test_an_open_job_can_be_aborted(org: Org) -> None:
    created = org.caller.post("/v1/jobs/ingest", json={"object": "Account", "operation": "insert"}).json()
    aborted = org.caller.patch(f"/v1/jobs/ingest/{created['id']}", json={"state": "Aborted"})
    assert (aborted.status_code, aborted.json()["state"]) == (200, "Aborted")


def test_the_link_to_the_next_page_of_jobs_works_at_the_gateway(wired: Wired) -> None:
    """Salesforce gives `nextRecordsUrl` as a path; a client resolves it against the host that it knows."""
    wired.caller.get("/services/data/v63.0/jobs/ingest?queryLocator=01gXX0000003abcYAA-1000")
    assert wired.last.path == "/services/data/v63.0/jobs/ingest"
    assert wired.last.query == "queryLocator=01gXX0000003abcYAA-1000"


def test_a_multipart_create_goes_up_byte_for_byte(wired: Wired) -> None:
    body = (
        b'--zz7\r\nContent-Type: application/json\r\nContent-Disposition: form-data; name="job"\r\n\r\n{}\r\n'
        b'--zz7\r\nContent-Type: text/csv\r\nContent-Disposition: form-data; name="content"; filename="content"\r\n\r\n'
        b"Name\r\nAcme\r\n--zz7--\r\n"
    )
    content_type = "multipart/form-data; boundary=zz7"
    wired.caller.post("/v1/jobs/ingest", content=body, headers={"Content-Type": content_type})
    assert (wired.last.body, wired.last.values("content-type")) == (body, [content_type])


def test_simple_salesforce_inserts_and_reads_results_unchanged(org: Org) -> None:
    """As its users write it; its token is not the org's and does not matter."""
    bulk = SFBulk2Handler("any token", f"{org.url}/v1/jobs/")
    try:
        records = [{"Name": "Ångström & Sons", "Phone": "1"}, {"Name": "", "Phone": "2"}]
        (job,) = bulk.Account.insert(records=records, wait=0)
        assert (job["numberRecordsTotal"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (2, 2, 1)
        results = bulk.Account.get_all_ingest_records(str(job["job_id"]))
    finally:
        bulk.session.close()
    ((success,), (failure,), unprocessed) = results.values()
    assert (success["Name"], success["sf__Created"]) == ("Ångström & Sons", "true")
    assert (failure["Phone"], failure["sf__Error"][:22]) == ("2", "REQUIRED_FIELD_MISSING")
    assert unprocessed == []


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


def test_a_change_of_state_that_is_too_large_to_be_one_is_refused(wired: Wired) -> None:
    response = wired.caller.patch(JOB, content=b" " * 1_000_001)
    assert (response.status_code, response.json()[0]["errorCode"]) == (413, "REQUEST_ENTITY_TOO_LARGE")
    assert wired.upstream.seen == []


# Paths and methods


@pytest.mark.parametrize("mount", MOUNTS)
@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/jobs/ingest", {"GET", "HEAD", "POST"}),
        ("DELETE", "/jobs/ingest/", {"GET", "HEAD", "POST"}),
        ("POST", f"/jobs/ingest/{JOB_ID}", {"GET", "HEAD", "PATCH", "DELETE"}),
        ("OPTIONS", f"/jobs/ingest/{JOB_ID}/", {"GET", "HEAD", "PATCH", "DELETE"}),
        ("GET", f"/jobs/ingest/{JOB_ID}/batches", {"PUT"}),
        ("HEAD", f"/jobs/ingest/{JOB_ID}/batches", {"PUT"}),
        ("POST", f"/jobs/ingest/{JOB_ID}/batches", {"PUT"}),
        ("PUT", f"/jobs/ingest/{JOB_ID}/failedResults", {"GET", "HEAD"}),
        ("DELETE", f"/jobs/ingest/{JOB_ID}/unprocessedRECORDS/", {"GET", "HEAD"}),
        ("BREW", f"/jobs/ingest/{JOB_ID}", {"GET", "HEAD", "PATCH", "DELETE"}),
    ],
)
def test_a_wrong_method_is_told_every_right_one(
    wired: Wired, mount: str, method: str, path: str, allowed: set[str]
) -> None:
    response = wired.caller.request(method, f"{mount}{path}")
    assert response.status_code == 405
    assert set(response.headers["Allow"].split(", ")) == allowed
    if method != "HEAD":
        assert response.json()[0]["errorCode"] == "METHOD_NOT_ALLOWED"
        assert response.json()[0]["message"].endswith(f"Allowed are {response.headers['Allow']}")
    assert wired.upstream.seen == []


@pytest.mark.parametrize("mount", MOUNTS)
@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("/jobs/ingest/", "/jobs/ingest"),
        ("/jobs/ingest//", "/jobs/ingest"),  # the Data Loader creates with this one
        ("//jobs///ingest", "/jobs/ingest"),
        (f"/jobs/ingest/{JOB_ID}/", f"/jobs/ingest/{JOB_ID}"),
        (f"/jobs/ingest/{JOB_ID[:15]}", f"/jobs/ingest/{JOB_ID[:15]}"),
        (f"/jobs/ingest/{JOB_ID}/successfulResults/", f"/jobs/ingest/{JOB_ID}/successfulResults"),
        (f"/jobs/ingest/{JOB_ID}/successfulresults", f"/jobs/ingest/{JOB_ID}/successfulResults"),
        (f"/jobs/ingest/{JOB_ID}/FAILEDRESULTS", f"/jobs/ingest/{JOB_ID}/failedResults"),
        (f"/jobs/ingest/{JOB_ID}/unprocessedRecords", f"/jobs/ingest/{JOB_ID}/unprocessedrecords"),
        (f"/jobs/ingest//{JOB_ID}//failedresults//", f"/jobs/ingest/{JOB_ID}/failedResults"),
    ],
)
def test_slashes_and_case_are_taken_as_salesforce_takes_them(wired: Wired, mount: str, given: str, sent: str) -> None:
    response = wired.caller.get(f"{mount}{given}")
    assert (response.status_code, response.history) == (200, [])
    version = "63.0" if mount == "/v1" else "62.0"
    assert wired.last.path == f"/services/data/v{version}{sent}"


@pytest.mark.parametrize("path", ["/v1/jobs/ingest", JOB, f"{JOB}/failedResults/", f"{JOB}/UNPROCESSEDRECORDS"])
@pytest.mark.parametrize("headers", [[("content-length", "9")], []], ids=["length", "chunked"])
def test_head_is_the_head_of_the_answer_to_get(wired: Wired, path: str, headers: Headers) -> None:
    wired.upstream.reset(GET=Answer(200, [*headers, ("sforce-limit-info", "api-usage=1/2")], b"Id\n001\n00"))
    raw = exchanged(wired.url, request_bytes("HEAD", path))
    head, _, body = raw.partition(b"\r\n\r\n")
    assert (status_of(raw), body) == (200, b"")
    assert b"sforce-limit-info: api-usage=1/2" in head
    assert wired.last.method == "GET"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PATCH", "DELETE", "PUT"])
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/v1/",
        "/v2/jobs/ingest",
        "/V1/jobs/ingest",
        "/v1/jobs",
        "/v1/jobs/query",
        "/v1/jobs/ingest/../../sobjects",
        f"{JOB}/batches/1",
        f"{JOB}/results",
        "/services/data",
        "/services/data/v62.0",
        "/services/data/v62.0/query",
        "/services/data/v62/jobs/ingest",
        "/services/data/v6%EF%BC%92.0/jobs/ingest",
        "/services/data/v62.0%3Fx/jobs/ingest",
        "/services/data/v../jobs/ingest",
        "/services/data/v62.0%2F..%2Fv62.0/query",
        "//evil.example/v1/jobs/ingest",
    ],
)
def test_an_unknown_path_is_not_found_and_goes_nowhere(wired: Wired, method: str, path: str) -> None:
    raw = exchanged(wired.url, request_bytes(method, path))
    head, _, body = raw.partition(b"\r\n\r\n")
    assert (status_of(raw), b"location" in head.lower()) == (404, False)
    assert body == b"" if method == "HEAD" else json.loads(body) == NOT_FOUND
    assert wired.upstream.seen == []


@pytest.mark.parametrize(
    "job_id",
    [
        "750",
        "001000000000001AAA",  # a record
        JOB_ID[:14],
        JOB_ID[:16],
        f"{JOB_ID}A",
        "..",
        ".",
        "%2e%2e",
        "%2E%2E%2f%2E%2E",
        f"{JOB_ID}%00",
        f"{JOB_ID}%0A",
        f"{JOB_ID}%3Fx=1",
        f"{JOB_ID}%23",
        f"{JOB_ID};a=b",
        f"{JOB_ID}%20",
        f"%20{JOB_ID}",
        f"{JOB_ID[:-1]}%EF%BC%A1",  # a full-width A
        "%25%37%35%30000000000001AAA",
    ],
)
def test_what_is_no_job_id_is_not_found_and_goes_nowhere(wired: Wired, job_id: str) -> None:
    for method, suffix in [
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("PUT", "/batches"),
        ("GET", "/failedResults"),
    ]:
        raw = exchanged(wired.url, request_bytes(method, f"/v1/jobs/ingest/{job_id}{suffix}"))
        assert status_of(raw) == 404, (method, suffix)
        assert json.loads(raw.partition(b"\r\n\r\n")[2])[0]["errorCode"] == "NOT_FOUND"
    raw = exchanged(wired.url, request_bytes("HEAD", f"/v1/jobs/ingest/{job_id}"))
    assert (status_of(raw), raw.partition(b"\r\n\r\n")[2]) == (404, b"")
    assert wired.upstream.seen == []


def test_an_id_that_is_missing_is_not_found_and_goes_nowhere(wired: Wired) -> None:
    for method, path in [("GET", "//failedResults"), ("PATCH", "//%20"), ("DELETE", "/%20/"), ("PUT", "/%20/batches")]:
        response = wired.caller.request(method, f"/v1/jobs/ingest{path}")
        assert (response.status_code, response.json()[0]["errorCode"]) == (404, "NOT_FOUND")
    assert wired.caller.put("/v1/jobs/ingest//batches", content=CSV).status_code == 405
    assert wired.upstream.seen == []


# No answer from upstream


async def test_without_credentials_every_call_says_what_to_set() -> None:
    async with served(gateway_to("http://127.0.0.1:9", source=MissingCredentials("Set SALESFORCE_INSTANCE."))) as url:
        async with plain_http() as caller:
            for method, path in [("GET", "/v1/jobs/ingest"), ("PATCH", JOB), ("PUT", f"{JOB}/batches")]:
                response = await caller.request(method, f"{url}{path}", content=b"{}")
                assert response.status_code == 503
                assert response.json() == [{"errorCode": "SERVER_UNAVAILABLE", "message": "Set SALESFORCE_INSTANCE."}]


async def test_an_instance_that_can_not_be_reached_is_a_bad_gateway(unused_url: str) -> None:
    async with served(gateway_to(unused_url)) as url, plain_http() as caller:
        for method, path in [("GET", JOB), ("POST", "/v1/jobs/ingest"), ("PUT", f"{JOB}/batches")]:
            response = await caller.request(method, f"{url}{path}", content=b"{}")
            assert (response.status_code, response.json()[0]["errorCode"]) == (502, "SERVER_UNAVAILABLE")
            assert f"{urlsplit(unused_url).netloc} could not be reached" in response.json()[0]["message"]


@pytest.fixture
def unused_url() -> Iterator[str]:
    """An address that nobody listens on: bound, so that nobody else takes it, but not listening."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


async def test_an_upstream_that_never_answers_is_a_gateway_time_out() -> None:
    over = anyio.Event()

    async def silent(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await pass_lifespan(receive, send)
        await read_body(receive)
        await over.wait()

    async with served(silent) as silent_url, served(gateway_to(silent_url, read_seconds=0.05)) as url:
        async with plain_http() as caller:
            for method, path in [("GET", JOB), ("PATCH", JOB), ("PUT", f"{JOB}/batches")]:
                response = await caller.request(method, f"{url}{path}", content=b"{}")
                assert (response.status_code, response.json()[0]["errorCode"]) == (504, "SERVER_UNAVAILABLE")
        over.set()


async def test_an_upstream_that_hangs_up_without_an_answer_is_a_bad_gateway() -> None:
    async with served_raw(b"") as upstream_url, served(gateway_to(upstream_url)) as url:
        async with plain_http() as caller:
            response = await caller.get(f"{url}{JOB}")
    assert (response.status_code, response.json()[0]["errorCode"]) == (502, "SERVER_UNAVAILABLE")


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
            if self.body:
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
