"""What the operator refuses stays refused through `/v1`, whatever a caller does with HTTP and JSON.

The org behind the guarded gateway is the embedded one, and what counts is what happened there: no record may go.
"""

import gzip
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import httpx2
import pytest
from starlette.types import Receive, Scope, Send

from salesforce_bulk_ingest.operations.policy import Policy
from salesforce_emulator import ACCESS_TOKEN, EmulatorConfig, create_app
from tests.support.asgi_server import running
from tests.support.plain_http import blocking_http, plain_http
from tests.support.wire import (
    JOB_ID,
    Answer,
    Upstream,
    exchanged,
    gateway_before,
    gateway_to,
    pass_lifespan,
    read_body,
    request_bytes,
    start,
    status_of,
)

JOBS = "/v1/jobs/ingest"
JOB = f"{JOBS}/{JOB_ID}"

JSON_TYPE = "Content-Type: application/json"
MULTIPART_TYPE = "Content-Type: multipart/form-data; boundary=b"
REFUSED = (403, "INSUFFICIENT_ACCESS")
MOST_LOOKS = 1_000


@dataclass
class Guarded:
    """One org, and two ways to it."""

    direct: httpx2.Client
    guarded: httpx2.Client
    url: str
    open_job: str | None = None

    def job(self, operation: str = "delete") -> str:
        """The id of a job with one record to delete, made by somebody who may."""
        rows = f"Id\n{self._record()}\n" if operation == "delete" else "Name\nAcme\n"
        body = {"object": "Account", "operation": operation}
        job_id: str = self.direct.post("/jobs/ingest", json=body).json()["id"]
        assert self.direct.put(f"/jobs/ingest/{job_id}/batches", content=rows).status_code == 201
        return job_id

    def state(self, job_id: str) -> str:
        """As the org has it."""
        state: str = self.direct.get(f"/jobs/ingest/{job_id}").json()["state"]
        return state

    def jobs(self) -> list[tuple[str, str]]:
        """Operation and state of every job."""
        return [(job["operation"], job["state"]) for job in self.direct.get("/jobs/ingest").json()["records"]]

    def load_a_record(self) -> None:
        """Load a record that jobs can delete."""
        job_id = self.job("insert")
        self.direct.patch(f"/jobs/ingest/{job_id}", json={"state": "UploadComplete"})
        for _ in range(MOST_LOOKS):
            if self.state(job_id) == "JobComplete":
                return
        pytest.fail("the record was not loaded")

    def _record(self) -> str:
        query = {"q": "SELECT Id FROM Account LIMIT 1"}
        record: str = self.direct.get("/query", params=query).json()["records"][0]["Id"]
        return record


@pytest.fixture(scope="module")
def served_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    token = {"Authorization": f"Bearer {ACCESS_TOKEN}"}
    with (
        running(create_app(EmulatorConfig(data_dir=tmp_path_factory.mktemp("org")))) as org_url,
        running(gateway_to(org_url, Policy(), token=ACCESS_TOKEN)) as url,
        blocking_http(base_url=f"{org_url}/services/data/v63.0", headers=token) as direct,
        blocking_http(base_url=url) as guarded,
    ):
        made = Guarded(direct, guarded, url)
        made.load_a_record()
        yield made


@pytest.fixture
def org(served_once: Guarded) -> Iterator[Guarded]:
    """The org; whatever a test does, nothing is deleted through the guarded gateway."""
    yield served_once
    done = {"UploadComplete", "InProgress", "JobComplete", "Failed"}
    assert not [job for job in served_once.jobs() if job[0] in ("delete", "hardDelete") and job[1] in done]


@pytest.fixture(scope="module")
def recording() -> Iterator[tuple[Upstream, httpx2.Client, str]]:
    upstream = Upstream()
    with running(upstream) as upstream_url, running(gateway_to(upstream_url, Policy())) as url:
        with blocking_http(base_url=url) as caller:
            yield upstream, caller, url


def code(response: httpx2.Response) -> tuple[int, str]:
    """Status and error code."""
    return response.status_code, response.json()[0]["errorCode"]


def multipart(*parts: tuple[str, bytes], newline: bytes = b"\r\n", boundary: bytes = b"b") -> bytes:
    """A multipart body of named parts."""
    body = b""
    for name, content in parts:
        head = b'--%b\nContent-Disposition: form-data; name="%b"\n\n' % (boundary, name.encode())
        body += head.replace(b"\n", newline) + content + newline
    return body + b"--%b--" % boundary + newline


def spec(operation: str) -> bytes:
    """A create request."""
    return json.dumps({"object": "Account", "operation": operation}).encode()


def looked_up(operation: str) -> bytes:
    """The answer about the job with this operation."""
    return json.dumps({"id": JOB_ID, "state": "Open", "operation": operation}).encode()


INSERT, DELETE = spec("insert"), spec("delete")
ROWS = ("content", b"Id\n001000000000001AAA\n")


# Read-only


async def test_a_read_only_server_refuses_every_change_and_asks_nobody() -> None:
    upstream = Upstream()
    async with gateway_before(upstream, Policy(read_only=True)) as url, plain_http() as caller:
        for mount in ("/v1", "/services/data/v62.0"):
            jobs = f"{url}{mount}/jobs/ingest"
            for method, path in [
                ("POST", ""),
                ("PATCH", f"/{JOB_ID}"),
                ("DELETE", f"/{JOB_ID}"),
                ("PUT", f"/{JOB_ID}/batches"),
            ]:
                response = await caller.request(method, f"{jobs}{path}", json={"state": "Aborted"})
                assert code(response) == REFUSED
                assert "read-only" in response.json()[0]["message"]
        assert upstream.seen == []
        for method in ("GET", "HEAD"):
            for path in ("", f"/{JOB_ID}", f"/{JOB_ID}/failedResults"):
                assert (await caller.request(method, f"{url}{JOBS}{path}")).status_code == 200


# Create


@pytest.mark.parametrize("operation", ["delete", "hardDelete", "DELETE", "Delete", "harddelete", "HARDDELETE"])
@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=UTF-8", "Application/JSON"])
def test_a_job_that_removes_records_is_not_created(org: Guarded, operation: str, content_type: str) -> None:
    response = org.guarded.post(JOBS, content=spec(operation), headers={"Content-Type": content_type})
    assert code(response) == REFUSED
    assert "--allow-operation" in response.json()[0]["message"]


@pytest.mark.parametrize("operation", ["delete", "hardDelete", "DELETE"])
@pytest.mark.parametrize("newline", [b"\r\n", b"\n"])
def test_it_is_not_created_with_its_rows_either(org: Guarded, operation: str, newline: bytes) -> None:
    body = multipart(("job", spec(operation)), ROWS, newline=newline)
    raw = exchanged(org.url, request_bytes("POST", JOBS, MULTIPART_TYPE, body=body))
    assert status_of(raw) == 403
    assert b"--allow-operation" in raw


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data; boundary=b",
        'multipart/form-data; boundary="b"',
        "Multipart/Form-Data; Boundary=b",
        "multipart/form-data;boundary=b",
    ],
)
@pytest.mark.parametrize("order", [1, -1], ids=["job first", "job last"])
def test_an_insert_with_its_rows_is_created(org: Guarded, content_type: str, order: int) -> None:
    body = multipart(*[("job", INSERT), ("content", b"Name\nAcme\n")][::order])
    response = org.guarded.post(JOBS, content=body, headers={"Content-Type": content_type})
    assert (response.status_code, response.json()["state"]) == (200, "UploadComplete")


def test_what_python_clients_make_of_a_multipart_create_is_created(org: Guarded) -> None:
    files = {
        "job": (None, INSERT, "application/json"),
        "content": ("content", b"Name\nAcme\n", "text/csv"),
    }
    response = org.guarded.post(JOBS, files=files)
    assert (response.status_code, response.json()["state"]) == (200, "UploadComplete")


def disposition(*parameters: str) -> bytes:
    """The header of a part."""
    return f"Content-Disposition: form-data; {'; '.join(parameters)}\r\n".encode()


JOB_NAME, CONTENT_NAME = 'name="job"', 'name="content"'

TRICKS: dict[str, tuple[list[str], bytes]] = {
    "two job parts, the last deletes": ([MULTIPART_TYPE], multipart(("job", INSERT), ("job", DELETE), ROWS)),
    "two job parts, the first deletes": ([MULTIPART_TYPE], multipart(("job", DELETE), ("job", INSERT), ROWS)),
    "a key given twice": (
        [MULTIPART_TYPE],
        multipart(("job", b'{"object":"Account","operation":"insert","operation":"delete"}'), ROWS),
    ),
    "a key given twice, once in other letters": (
        [MULTIPART_TYPE],
        multipart(("job", b'{"object":"Account","operation":"insert","Operation":"delete"}'), ROWS),
    ),
    "a key given twice, once escaped": (
        [MULTIPART_TYPE],
        multipart(("job", b'{"object":"Account","operation":"insert","\\u006fperation":"delete"}'), ROWS),
    ),
    "an escaped value": (
        [MULTIPART_TYPE],
        multipart(("job", b'{"object":"Account","operation":"d\\u0065lete"}'), ROWS),
    ),
    "space around the value": (
        [MULTIPART_TYPE],
        multipart(("job", b'{"object":"Account","operation":" delete"}'), ROWS),
    ),
    "not JSON for us": ([MULTIPART_TYPE], multipart(("job", b"{'object':'Account','operation':'delete'}"), ROWS)),
    "a comment": ([MULTIPART_TYPE], multipart(("job", b'{"operation":/**/"delete","object":"Account"}'), ROWS)),
    "UTF-16": ([MULTIPART_TYPE], multipart(("job", DELETE.decode().encode("utf-16")), ROWS)),
    "no operation": ([MULTIPART_TYPE], multipart(("job", b'{"object":"Account"}'), ROWS)),
    "no job part": ([MULTIPART_TYPE], multipart(ROWS)),
    "a compressed body": ([MULTIPART_TYPE, "Content-Encoding: gzip"], gzip.compress(multipart(("job", DELETE), ROWS))),
    "a body that says it is compressed": ([MULTIPART_TYPE, "Content-Encoding: gzip"], multipart(("job", INSERT), ROWS)),
    "JSON type first, multipart type second": ([JSON_TYPE, MULTIPART_TYPE], multipart(("job", DELETE), ROWS)),
    "multipart type first, JSON type second": ([MULTIPART_TYPE, JSON_TYPE], multipart(("job", DELETE), ROWS)),
    "both types in one header": (
        ["Content-Type: application/json, multipart/form-data; boundary=b"],
        multipart(("job", DELETE), ROWS),
    ),
    "a multipart type behind a parameter of JSON": (
        ["Content-Type: application/json; multipart/form-data; boundary=b"],
        multipart(("job", DELETE), ROWS),
    ),
    "two boundaries, the last counts": (
        [f"{MULTIPART_TYPE}; boundary=c"],
        multipart(("job", INSERT), ROWS) + multipart(("job", DELETE), ROWS, boundary=b"c"),
    ),
    "two boundaries, the first counts": (
        ["Content-Type: multipart/form-data; boundary=c; boundary=b"],
        multipart(("job", INSERT), ROWS) + multipart(("job", DELETE), ROWS, boundary=b"c"),
    ),
    "an extended boundary": (
        ["Content-Type: multipart/form-data; boundary*=us-ascii''b; boundary=c"],
        multipart(("job", DELETE), ROWS, boundary=b"c"),
    ),
    "a boundary in pieces": (
        ["Content-Type: multipart/form-data; boundary=c; boundary*0=b"],
        multipart(("job", DELETE), ROWS, boundary=b"c"),
    ),
    "a boundary that begins another": (
        [MULTIPART_TYPE],
        multipart(("job", INSERT), ("content", b"Id\r\n--bb\r\n" + disposition(JOB_NAME) + b"\r\n" + DELETE)),
    ),
    "an end that only a lenient parser sees": (
        [MULTIPART_TYPE],
        b"--b\r\n"
        + disposition(CONTENT_NAME)
        + b"\r\nId\r\n001000000000001AAA\n--b\n"
        + disposition(JOB_NAME).replace(b"\r", b"")
        + b"\n"
        + INSERT
        + b"\n--b--\n\r\n--b\r\n"
        + disposition(JOB_NAME)
        + b"\r\n"
        + DELETE
        + b"\r\n--b--\r\n",
    ),
    "something after the end": (
        [MULTIPART_TYPE],
        multipart(("job", INSERT), ROWS) + multipart(("job", DELETE), ROWS),
    ),
    "something before the beginning": (
        [MULTIPART_TYPE],
        b"--b--\r\n" + multipart(("job", DELETE), ROWS),
    ),
    "a boundary with space behind it": (
        [MULTIPART_TYPE],
        multipart(("job", INSERT), ROWS).replace(
            b"--b--", b"--b \r\n" + disposition(JOB_NAME) + b"\r\n" + DELETE + b"\r\n--b--"
        ),
    ),
    "a part with two names": (
        [MULTIPART_TYPE],
        multipart(("job", INSERT), ROWS).replace(
            b"--b--", b"--b\r\n" + disposition(CONTENT_NAME, JOB_NAME) + b"\r\n" + DELETE + b"\r\n--b--"
        ),
    ),
    "a part with two dispositions": (
        [MULTIPART_TYPE],
        multipart(("job", INSERT), ROWS).replace(
            b"--b--",
            b"--b\r\n" + disposition(CONTENT_NAME) + disposition(JOB_NAME) + b"\r\n" + DELETE + b"\r\n--b--",
        ),
    ),
    "a part with an extended name": (
        [MULTIPART_TYPE],
        multipart(("job", INSERT), ROWS).replace(
            b"--b--", b"--b\r\n" + disposition("name*=utf-8''job") + b"\r\n" + DELETE + b"\r\n--b--"
        ),
    ),
    "a part with a bare name": (
        [MULTIPART_TYPE],
        multipart(("job", INSERT), ROWS).replace(b'name="content"', b"name=job"),
    ),
    "a name in other letters": (
        [MULTIPART_TYPE],
        multipart(("job", INSERT), ROWS).replace(b'name="content"', b'NAME="Job"'),
    ),
    "a part in another transfer encoding": (
        [MULTIPART_TYPE],
        multipart(("job", b'{"object":"Account","operation":"delete","=22,=22operation":"insert"}'), ROWS).replace(
            b"\r\n\r\n{", b"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{"
        ),
    ),
    "a folded header": (
        [MULTIPART_TYPE],
        multipart(("job", INSERT), ROWS).replace(b'; name="content"', b';\r\n name="job"'),
    ),
    "headers that end early for some": (
        [MULTIPART_TYPE],
        multipart(("job", INSERT), ROWS).replace(
            b'name="job"\r\n\r\n', b'name="job"\r\nX: \n\n' + DELETE + b"\r\n\r\n"
        ),
    ),
    "a part in a part": (
        [MULTIPART_TYPE],
        multipart(("job", INSERT), ROWS).replace(
            b'name="content"\r\n', b'name="content"\r\nContent-Type: multipart/mixed; boundary=c\r\n'
        ),
    ),
    "another kind of multipart": (["Content-Type: multipart/mixed; boundary=b"], multipart(("job", DELETE), ROWS)),
    "no boundary at all": (["Content-Type: multipart/form-data"], multipart(("job", DELETE), ROWS)),
    "an empty boundary": (
        ["Content-Type: multipart/form-data; boundary="],
        multipart(("job", DELETE), ROWS, boundary=b""),
    ),
    "a type that two readers fold differently": (
        ["Content-Type: application/json\r\n multipart/form-data; boundary=b"],
        multipart(("job", DELETE), ROWS),
    ),
}


@pytest.mark.parametrize(("headers", "body"), TRICKS.values(), ids=TRICKS)
def test_a_create_that_two_parsers_could_read_differently_does_not_go_up(
    recording: tuple[Upstream, httpx2.Client, str], org: Guarded, headers: list[str], body: bytes
) -> None:
    """It would be filled and closed in one go, so there is no later check."""
    upstream, _, url = recording
    upstream.reset()
    assert status_of(exchanged(url, request_bytes("POST", JOBS, *headers, body=body))) == 403
    assert upstream.seen == []
    before = [operation for operation, _ in org.jobs()]  # their states may change at any time
    exchanged(org.url, request_bytes("POST", JOBS, *headers, body=body))
    assert [operation for operation, _ in org.jobs()] == before


@pytest.mark.parametrize(
    "body",
    [
        b'{"object":"Account","operation":"delete",}',
        DELETE.decode().encode("utf-16"),
        gzip.compress(DELETE, mtime=0),
        b"",
    ],
)
def test_an_unreadable_create_without_rows_goes_up_since_its_close_is_looked_up(
    recording: tuple[Upstream, httpx2.Client, str], body: bytes
) -> None:
    """A gateway does not judge JSON. At worst it makes a job that stays open."""
    upstream, caller, _ = recording
    upstream.reset(POST=Answer(400))
    assert caller.post(JOBS, content=body, headers={"Content-Type": "application/json"}).status_code == 400
    assert [request.body for request in upstream.seen] == [body]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b'{"object":"Account","operation":"insert","operation":"delete"}', {}),
        (b'{"object":"Account","operation":"delete","Operation":"insert"}', {}),
        (gzip.compress(DELETE, mtime=0), {"Content-Encoding": "gzip"}),
    ],
)
def test_a_create_that_can_be_read_in_two_ways_is_refused(
    recording: tuple[Upstream, httpx2.Client, str], body: bytes, headers: dict[str, str]
) -> None:
    upstream, caller, _ = recording
    upstream.reset(POST=Answer(200))
    answer = caller.post(JOBS, content=body, headers={"Content-Type": "application/json", **headers})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (403, "INSUFFICIENT_ACCESS")
    assert upstream.seen == []


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "application/xml", "text/plain"])
def test_a_wrong_content_type_is_for_salesforce_to_refuse(
    recording: tuple[Upstream, httpx2.Client, str], content_type: str
) -> None:
    """`curl -d` without a header sends the first."""
    upstream, caller, _ = recording
    upstream.reset(POST=Answer(415))
    assert caller.post(JOBS, content=INSERT, headers={"Content-Type": content_type}).status_code == 415
    refused = caller.post(JOBS, content=DELETE, headers={"Content-Type": content_type})
    assert code(refused) == REFUSED


# Close


def test_a_delete_job_made_elsewhere_is_not_closed_but_may_be_aborted(org: Guarded) -> None:
    job_id = org.job()
    assert code(org.guarded.patch(f"{JOBS}/{job_id}", json={"state": "UploadComplete"})) == REFUSED
    assert org.state(job_id) == "Open"
    assert org.guarded.patch(f"{JOBS}/{job_id}", json={"state": "Aborted"}).json()["state"] == "Aborted"


def test_an_insert_job_made_elsewhere_is_closed(org: Guarded) -> None:
    job_id = org.job("insert")
    closed = org.guarded.patch(f"{JOBS}/{job_id}", json={"state": "UploadComplete"})
    assert (closed.status_code, closed.json()["state"]) == (200, "UploadComplete")


def test_a_delete_job_may_be_removed(org: Guarded) -> None:
    """That takes no records away. An open job is not removed, which is for Salesforce to say."""
    job_id = org.job()
    org.guarded.patch(f"{JOBS}/{job_id}", json={"state": "Aborted"})
    assert org.guarded.delete(f"{JOBS}/{job_id}").status_code == 204


CLOSE, ABORT = b'{"state":"UploadComplete"}', b'{"state":"Aborted"}'

CLOSES: dict[str, tuple[str, str, list[str], bytes]] = {
    "plainly": ("PATCH", "", [JSON_TYPE], CLOSE),
    "without a type": ("PATCH", "", [], CLOSE),
    "as another type": ("PATCH", "", ["Content-Type: application/xml"], CLOSE),
    "compressed": ("PATCH", "", [JSON_TYPE, "Content-Encoding: gzip"], gzip.compress(CLOSE)),
    "compressed, with an end of ours": (
        "PATCH",
        "",
        [JSON_TYPE, "Content-Encoding: gzip"],
        gzip.compress(CLOSE) + ABORT,
    ),
    "deflated": ("PATCH", "", [JSON_TYPE, "Content-Encoding: deflate"], CLOSE),
    "a key given twice": ("PATCH", "", [JSON_TYPE], b'{"state":"Aborted","state":"UploadComplete"}'),
    "a key given twice, the other way round": (
        "PATCH",
        "",
        [JSON_TYPE],
        b'{"state":"UploadComplete","state":"Aborted"}',
    ),
    "a key in other letters": ("PATCH", "", [JSON_TYPE], b'{"state":"Aborted","State":"UploadComplete"}'),
    "a key escaped": ("PATCH", "", [JSON_TYPE], b'{"state":"Aborted","st\\u0061te":"UploadComplete"}'),
    "a second object": ("PATCH", "", [JSON_TYPE], CLOSE + ABORT),
    "a first object": ("PATCH", "", [JSON_TYPE], ABORT + CLOSE),
    "a byte order mark": ("PATCH", "", [JSON_TYPE], b"\xef\xbb\xbf" + CLOSE),
    "UTF-16": ("PATCH", "", [JSON_TYPE], CLOSE.decode().encode("utf-16")),
    "UTF-32 without a mark": ("PATCH", "", [JSON_TYPE], CLOSE.decode().encode("utf-32-be")),
    "an upper-case state": ("PATCH", "", [JSON_TYPE], b'{"state":"UPLOADCOMPLETE"}'),
    "a state with space": ("PATCH", "", [JSON_TYPE], b'{"state":"UploadComplete "}'),
    "an array": ("PATCH", "", [JSON_TYPE], b'[{"state":"UploadComplete"}]'),
    "other fields": ("PATCH", "", [JSON_TYPE], b'{"state":"UploadComplete","operation":"insert"}'),
    "an empty body": ("PATCH", "", [JSON_TYPE], b""),
    "a query": ("PATCH", "?state=Aborted", [JSON_TYPE], CLOSE),
    "a slash at the end": ("PATCH", "/", [JSON_TYPE], CLOSE),
    "an encoded slash at the end": ("PATCH", "%2F", [JSON_TYPE], CLOSE),
    "a dot at the end": ("PATCH", "/.", [JSON_TYPE], CLOSE),
    "two dots in the path": ("PATCH", "/batches/..", [JSON_TYPE], CLOSE),
    "two encoded dots in the path": ("PATCH", "/batches/%2e%2e", [JSON_TYPE], CLOSE),
    "a path parameter": ("PATCH", ";x=1", [JSON_TYPE], CLOSE),
    "an encoded question mark": ("PATCH", "%3Fx", [JSON_TYPE], CLOSE),
    "an encoded line": ("PATCH", "%0d%0a", [JSON_TYPE], CLOSE),
    "a zero byte": ("PATCH", "%00", [JSON_TYPE], CLOSE),
    "a method in lower case": ("patch", "", [JSON_TYPE], CLOSE),
    "POST": ("POST", "", [JSON_TYPE], CLOSE),
    "PUT": ("PUT", "", [JSON_TYPE], CLOSE),
    "PUT to the batches": ("PUT", "/batches", [JSON_TYPE], CLOSE),
    "GET with a body": ("GET", "", [JSON_TYPE], CLOSE),
    "HEAD with a body": ("HEAD", "", [JSON_TYPE], CLOSE),
    "POST that a parameter makes a PATCH": ("POST", "?_HttpMethod=PATCH", [JSON_TYPE], CLOSE),
    "GET that a parameter makes a PATCH": ("GET", "?_HttpMethod=PATCH", [JSON_TYPE], CLOSE),
    "DELETE that a parameter makes a PATCH": ("DELETE", "?_HttpMethod=PATCH", [JSON_TYPE], CLOSE),
    "DELETE that an encoded parameter makes a PATCH": ("DELETE", "?a=b&%5fhttpmethod=PATCH", [JSON_TYPE], CLOSE),
    "DELETE that a header makes a PATCH": ("DELETE", "", [JSON_TYPE, "X-HTTP-Method-Override: PATCH"], CLOSE),
    "GET that a header makes a PATCH": ("GET", "", [JSON_TYPE, "X-HTTP-Method: PATCH"], CLOSE),
    "GET that another header makes a PATCH": ("GET", "", [JSON_TYPE, "X-Method-Override: PATCH"], CLOSE),
    "chunks": (
        "PATCH",
        "",
        [JSON_TYPE, "Transfer-Encoding: chunked"],
        b"",
    ),
}


@pytest.mark.parametrize(
    "mount",
    [
        "/v1",
        "/services/data/v63.0",
        *(pytest.param(f"/services/data/{version}", marks=pytest.mark.slow) for version in ("v41.0", "v67.0")),
    ],
)
@pytest.mark.parametrize(("method", "suffix", "headers", "body"), CLOSES.values(), ids=CLOSES)
def test_no_trick_closes_a_delete_job(
    org: Guarded, open_delete_job: str, mount: str, method: str, suffix: str, headers: list[str], body: bytes
) -> None:
    raw = request_bytes(method, f"{mount}/jobs/ingest/{open_delete_job}{suffix}", *headers, body=body)
    if "Transfer-Encoding: chunked" in headers:
        raw += b"%x\r\n%b\r\n0\r\n\r\n" % (len(CLOSE), CLOSE)
    exchanged(org.url, raw)
    assert org.state(open_delete_job) in {"Open", "Aborted"}


@pytest.fixture
def open_delete_job(org: Guarded) -> str:
    """One job for as many tests as leave it open."""
    if org.open_job is None or org.state(org.open_job) != "Open":
        org.open_job = org.job()
    return org.open_job


def test_an_id_of_15_characters_is_no_way_round(org: Guarded) -> None:
    job_id = org.job()
    assert code(org.guarded.patch(f"{JOBS}/{job_id[:15]}", json={"state": "UploadComplete"})) == REFUSED
    assert org.state(job_id) == "Open"


def test_a_request_behind_another_on_the_same_connection_is_held_to_the_same_rules(org: Guarded) -> None:
    job_id = org.job()
    first = f"GET {JOBS} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    raw = exchanged(org.url, first + request_bytes("PATCH", f"{JOBS}/{job_id}", JSON_TYPE, body=CLOSE))
    assert b"INSUFFICIENT_ACCESS" in raw
    assert org.state(job_id) == "Open"


@pytest.mark.parametrize(
    "framing",
    [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Content-Length: 5\r\nContent-Length: 6",
        "Transfer-Encoding: xchunked\r\nContent-Length: 5",
        "Transfer-Encoding: chunked, identity",
        "Content-Length: +5",
        "Content-Length : 5",
    ],
)
@pytest.mark.parametrize("target", ["PUT {job}/batches", "POST /v1/jobs/ingest", "GET {job}"])
def test_no_request_is_smuggled_in_the_body_of_another(
    org: Guarded, open_delete_job: str, framing: str, target: str
) -> None:
    line = target.format(job=f"{JOBS}/{open_delete_job}")
    inner = (
        f"PATCH /services/data/v63.0/jobs/ingest/{open_delete_job} HTTP/1.1\r\nHost: localhost\r\n{JSON_TYPE}\r\n"
        f"Authorization: Bearer {ACCESS_TOKEN}\r\nContent-Length: {len(CLOSE)}\r\n\r\n"
    ).encode() + CLOSE
    head = f"{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{framing}\r\n\r\n".encode()
    exchanged(org.url, head + b"0\r\n\r\n" + inner)
    assert org.state(open_delete_job) == "Open"


async def test_a_job_whose_operation_salesforce_does_not_say_is_not_closed() -> None:
    for shown in (
        b"{}",
        b"<html>maintenance</html>",
        b'{"operation":null}',
        b'{"operation":"insert","operation":"delete"}',
        b'{"operation":"insert"}',
        b'{"id":"750000000000009AAA","operation":"insert"}',
    ):
        upstream = Upstream({"GET": Answer(200, [], shown)})
        async with gateway_before(upstream, Policy()) as url, plain_http() as caller:
            response = await caller.patch(f"{url}{JOB}", json={"state": "UploadComplete"})
        assert code(response) == (502, "SERVER_UNAVAILABLE")
        assert [request.method for request in upstream.seen] == ["GET"]


@pytest.mark.parametrize("query", ["_HttpMethod=PATCH", "a=b&_httpmethod=PATCH", "%5FHttpM%65thod=PATCH"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "PATCH"])
def test_a_method_for_the_upstream_alone_does_not_go_up(
    recording: tuple[Upstream, httpx2.Client, str], method: str, query: str
) -> None:
    """Salesforce documents `_HttpMethod` for callers that can't send PATCH (REST API guide)."""
    upstream, _, url = recording
    upstream.reset(GET=Answer(200, [], INSERT))
    assert status_of(exchanged(url, request_bytes(method, f"{JOB}?{query}", JSON_TYPE, body=CLOSE))) == 403
    for header in ("X-HTTP-Method-Override", "x-http-method", "X-Method-Override"):
        raw = request_bytes(method, JOB, JSON_TYPE, f"{header}: PATCH", body=CLOSE)
        assert status_of(exchanged(url, raw)) == 403
    assert upstream.seen == []


# Bounds of rows, bytes and fields


class Receiving:
    """An upstream that tells of an insert into Account, and takes uploads; it notes each, and whether it was whole."""

    def __init__(self, **job: str) -> None:
        self.uploads: list[tuple[bytes, bool]] = []
        self._job = {"id": JOB_ID, "state": "Open", "operation": "insert", "object": "Account", **job}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await pass_lifespan(receive, send)
        body, whole = await read_body(receive)
        if scope["method"] == "PUT":
            self.uploads.append((body, whole))
        answered = b"" if scope["method"] == "PUT" else json.dumps(self._job).encode()
        await start(send, 201 if scope["method"] == "PUT" else 200, [])
        await send({"type": "http.response.body", "body": answered})


def many(rows: int) -> bytes:
    return b"Name\n" + b"Account 0000001\n" * rows


BEYOND: dict[str, tuple[Policy, dict[str, str], bytes, str]] = {
    "rows": (Policy(most_rows=2), {}, many(3), "more rows"),
    "rows, the last without an end": (Policy(most_rows=2), {}, b"Name\na\nb\nc", "more rows"),
    "many rows": (Policy(most_rows=100_000), {}, many(400_000), "more rows"),
    "bytes": (Policy(most_bytes=10), {}, many(1), "more bytes"),
    "compressed rows": (Policy(most_rows=2), {"Content-Encoding": "gzip"}, gzip.compress(many(3)), "more rows"),
    "rows of a second member": (
        Policy(most_rows=2), {"Content-Encoding": "gzip"}, gzip.compress(many(2)) + gzip.compress(b"more\n"), "more rows"
    ),
    "a bomb": (
        Policy(most_bytes=1_000_000), {"Content-Encoding": "gzip"}, gzip.compress(b"Name\n" + b"0" * 50_000_000), "more bytes"
    ),
    "a field": (Policy(denied_fields=("OwnerId",)), {}, b"Name,OWNERID\na,b\n", "--deny-field"),
    "a quoted field": (Policy(denied_fields=("OwnerId",)), {}, b'Name,"OwnerId"\na,b\n', "--deny-field"),
    "a field after a byte order mark": (Policy(denied_fields=("OwnerId",)), {}, b"\xef\xbb\xbfOwnerId\na\n", "--deny-field"),
    "a field by its relationship": (Policy(denied_fields=("*.Own*",)), {}, b"Name,Owner.Email\na,b\n", "--deny-field"),
    "another compression": (Policy(most_rows=2), {"Content-Encoding": "br"}, many(1), "in another way than with gzip"),
    "no gzip": (Policy(most_rows=2), {"Content-Encoding": "gzip"}, many(1), "can't be decompressed"),
    "gzip that is cut off": (Policy(most_rows=2), {"Content-Encoding": "gzip"}, gzip.compress(many(1))[:-1], "cut off"),
    "something after gzip": (Policy(most_rows=2), {"Content-Encoding": "gzip"}, gzip.compress(many(1)) + b"more", "decompressed"),
    "another character set": (Policy(most_rows=2), {"Content-Type": "text/csv; charset=utf-16"}, many(1), "character set"),
    "a quote without an end": (Policy(most_rows=2), {}, b'Name\n"a\nb\nc\nd\n', "never closed"),
    "quotes that hide rows from some readers": (Policy(most_rows=2), {}, b'Name\n5" a\nb\nc" d\n', "disagree"),
    "carriage returns that end lines for some": (Policy(most_rows=2), {}, b"Name\na\rb\rc\n", "disagree"),
    "no header": (Policy(most_bytes=2_000_000), {}, b"\na\n", "header"),
    "nothing": (Policy(most_bytes=2_000_000), {}, b"", "header"),
}  # fmt: skip


@pytest.mark.parametrize(("policy", "headers", "body", "reason"), BEYOND.values(), ids=BEYOND)
@pytest.mark.parametrize("chunked", [False, True], ids=["with a length", "in chunks"])
async def test_an_upload_beyond_the_bounds_breaks_off_and_the_caller_hears_why(
    policy: Policy, headers: dict[str, str], body: bytes, reason: str, chunked: bool
) -> None:
    upstream = Receiving()

    async def chunks() -> AsyncIterator[bytes]:
        for position in range(0, len(body), 50_000):
            yield body[position : position + 50_000]

    async with gateway_before(upstream, policy) as url, plain_http() as caller:
        content = chunks() if chunked else body
        answer = await caller.put(
            f"{url}{JOB}/batches", content=content, headers={"Content-Type": "text/csv", **headers}
        )
    assert code(answer) == REFUSED
    assert reason in answer.json()[0]["message"]
    assert not any(whole for body, whole in upstream.uploads if body)


@pytest.mark.parametrize("packed", [False, True])
async def test_an_upload_within_the_bounds_goes_up_byte_for_byte(packed: bool) -> None:
    upstream, rows = Receiving(columnDelimiter="PIPE"), b"Name|Phone\r\n" + b'"A|\r\nB"|1\r\n' * 20_000
    body = gzip.compress(rows) if packed else rows
    policy = Policy(most_rows=20_000, most_bytes=len(rows), denied_fields=("OwnerId",))
    headers = {"Content-Type": "text/csv", **({"Content-Encoding": "gzip"} if packed else {})}
    async with gateway_before(upstream, policy) as url, plain_http() as caller:
        assert (await caller.put(f"{url}{JOB}/batches", content=body, headers=headers)).status_code == 201
    assert upstream.uploads == [(body, True)]


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ({"object": "User"}, 403),
        ({"object": "acme__user"}, 403),
        ({"object": ""}, 502),
        ({"operation": "delete"}, 403),
        ({"operation": ""}, 502),
        ({"id": "750000000000009AAA"}, 502),
    ],
)
async def test_no_row_goes_to_a_job_that_salesforce_tells_to_be_another_than_is_allowed(
    told: dict[str, str], status: int
) -> None:
    upstream = Receiving(**told)
    async with gateway_before(upstream, Policy(denied_objects=("User",))) as url, plain_http() as caller:
        assert (await caller.put(f"{url}{JOB}/batches", content=many(1))).status_code == status
        assert (await caller.patch(f"{url}{JOB}", json={"state": "UploadComplete"})).status_code == status
    assert upstream.uploads == []


@pytest.mark.parametrize(
    ("policy", "job", "rows"),
    [
        (Policy(denied_objects=("Account",)), INSERT, b"Name\na\n"),
        (Policy(denied_objects=("Account",)), b'{"object":"acme__Account","operation":"insert"}', b"Name\na\n"),
        (Policy(denied_objects=("Account",)), b'{"object":" Account","operation":"insert"}', b"Name\na\n"),
        (Policy(allowed_objects=("Contact",)), INSERT, b"Name\na\n"),
        (Policy(denied_operations=frozenset({"insert"})), INSERT, b"Name\na\n"),
        (Policy(most_rows=1), INSERT, b"Name\na\nb"),
        (Policy(most_bytes=5), INSERT, b"Name\na\n"),
        (Policy(denied_fields=("Name",)), INSERT, b"Name\na\n"),
        (Policy(denied_fields=("Phone",)), INSERT[:-1] + b',"columnDelimiter":"PIPE"}', b"Name|phone\na|1\n"),
        (Policy(denied_fields=("Name",)), INSERT[:-1] + b',"externalIdFieldName":"Name"}', b"Name\na\n"),
        (Policy(most_rows=5), INSERT, b""),
        (Policy(most_rows=5), INSERT, b'Name\n"a\n'),
    ],
)
async def test_a_create_with_its_rows_is_judged_by_its_body(policy: Policy, job: bytes, rows: bytes) -> None:
    upstream, body = Receiving(), multipart(("job", job), ("content", rows))
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    async with gateway_before(upstream, policy) as url, plain_http() as caller:
        assert code(await caller.post(f"{url}{JOBS}", content=body, headers=headers)) == REFUSED
    async with gateway_before(upstream, Policy(most_rows=5)) as url, plain_http() as caller:
        fine = multipart(("job", INSERT), ("content", b"Name\na\n"))
        assert (await caller.post(f"{url}{JOBS}", content=fine, headers=headers)).status_code == 200


# Allowed


def test_an_operation_that_is_allowed_by_name_goes_through_and_the_other_does_not(org: Guarded) -> None:
    policy = Policy(allowed_operations=frozenset({"hardDelete"}))
    upstream = Upstream({"POST": Answer(200), "GET": Answer(200, [], looked_up("hardDelete"))})
    with running(upstream) as upstream_url, running(gateway_to(upstream_url, policy)) as url:
        with blocking_http(base_url=url) as caller:
            assert (
                caller.post(JOBS, content=spec("hardDelete"), headers={"Content-Type": "application/json"}).status_code
                == 200
            )
            assert code(caller.post(JOBS, content=DELETE, headers={"Content-Type": "application/json"})) == REFUSED
            assert caller.patch(JOB, json={"state": "UploadComplete"}).status_code == 200
            upstream.answers["GET"] = Answer(200, [], looked_up("delete"))
            assert code(caller.patch(JOB, json={"state": "UploadComplete"})) == REFUSED


def test_where_everything_is_allowed_any_create_goes_up_as_it_is() -> None:
    upstream = Upstream()
    with running(upstream) as upstream_url, running(gateway_to(upstream_url)) as url:
        for headers, body in TRICKS.values():
            assert status_of(exchanged(url, request_bytes("POST", JOBS, *headers, body=body))) == 200
            assert upstream.seen[-1].body == body
    assert len(upstream.seen) == len(TRICKS)
