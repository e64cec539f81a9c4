"""The routes of `/v1`: the nine operations, paths and methods that there are not, and an upstream that gives no answer."""

import json
import socket
from collections.abc import Iterator
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

from salesforce_bulk_ingest.rest.endpoints import words_for_methods
from salesforce_bulk_ingest.salesforce.credentials import MissingCredentials
from salesforce_emulator import ACCESS_TOKEN, EmulatorConfig, create_app
from tests.rest.wired import Wired, caller_of
from tests.support.asgi_server import running
from tests.support.plain_http import blocking_http, plain_http
from tests.support.wire import (
    JOB_ID,
    exchanged,
    gateway_to,
    pass_lifespan,
    read_body,
    request_bytes,
    served,
    served_raw,
    status_of,
)

MOUNTS = ["/v1", "/services/data/v62.0"]
JOB = f"/v1/jobs/ingest/{JOB_ID}"
JSON = {"Content-Type": "application/json; charset=UTF-8"}
CSV = 'Name,Phone\n"Ångström, ""&"" Sons",+46 8 123\n"two\nlines",\n,no name\n'.encode()
NOT_FOUND = [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]


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
        caller_of(url) as caller,
    ):
        yield Org(direct, caller, url)


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
        allowed_in_words = f"Allowed are {response.headers['Allow']}"
        words = words_for_methods(urlsplit(str(response.url)).path.rstrip("/")) if mount == "/v1" else ""
        assert response.json()[0]["message"].endswith(f"{allowed_in_words}. {words}" if words else allowed_in_words)
    assert wired.upstream.seen == []


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
    if method == "HEAD":
        assert body == b""
    elif path.startswith("/services/data"):
        assert json.loads(body) == NOT_FOUND
    else:
        (error,) = json.loads(body)
        assert error["errorCode"] == "NOT_FOUND" and error["message"].startswith(NOT_FOUND[0]["message"])
        assert error["message"].endswith("GET / says what is here.")
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
