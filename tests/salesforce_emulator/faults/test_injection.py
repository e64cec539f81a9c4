"""Faults that requests meet: answers, delays and broken connections."""

import socket
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest
from inline_snapshot import snapshot
from starlette.types import Receive, Scope, Send

from salesforce_emulator import ACCESS_TOKEN, EmulatorConfig, create_app
from salesforce_emulator.config import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN
from tests.salesforce_emulator.api.logins import refresh
from tests.salesforce_emulator.behaviours import assumed, doc, own, seen
from tests.salesforce_emulator.caller import DEADLINE_SECONDS, INGEST, JOURNAL, Caller, calling
from tests.salesforce_emulator.faults.observations import ROWS, entries, last, statuses, until_fired
from tests.support.asgi_server import running


@seen("captures of a real org")
def test_a_session_can_expire_in_mid_job(org: Caller) -> None:
    job_id = org.create()
    org.go_wrong({"on": "upload", "fault": "expired-session", "times": 1})
    answer = org.http.put(f"{INGEST}/{job_id}/batches", content=b"Name\nAcme\n", headers={"Content-Type": "text/csv"})
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Token")
    assert answer.text == snapshot('[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]')
    org.upload(job_id, b"Name\nAcme\n")
    assert org.patch(job_id, "UploadComplete").status_code == 200
    assert org.until(job_id)["numberRecordsProcessed"] == 1


@seen("texts that clients take for no reason to refresh: jsforce, http-api.ts")
@pytest.mark.parametrize(
    "message", ["This session is not valid for use with the REST API", "Connected app is not attached to Agent"]
)
def test_a_session_can_be_refused_with_another_text(org: Caller, message: str) -> None:
    org.go_wrong({"on": "status", "fault": "expired-session", "message": message})
    answer = org.http.get(f"{INGEST}/{'7' * 15}")
    assert (answer.status_code, answer.json()) == (401, [{"message": message, "errorCode": "INVALID_SESSION_ID"}])


ANSWERS: list[dict[str, Any]] = [
    {"fault": "request-limit"},
    {"fault": "no-route"},
    {"fault": "too-many-requests", "retryAfter": 7},
    {"fault": "too-many-requests", "retryAfter": None},
    {"fault": "unavailable"},
    {"fault": "server-error"},
    {"fault": "error-page"},
    {"fault": "error-page", "status": 500},
    {"fault": "answer", "status": 406},
    {"fault": "answer", "status": 400, "errorCode": "TXN_SECURITY_METERING_ERROR", "message": "It took too long"},
]


@doc("REST API guide, Status Codes and Error Responses")
@seen("503 SERVER_UNAVAILABLE, 420, 429 and 406 as clients meet them")
@assumed("the bodies of 420, 429 and 500, and that Retry-After is sent")
def test_each_refusal_has_its_own_shape(org: Caller) -> None:
    shapes = []
    for rule in ANSWERS:
        org.go_wrong({"on": "any", **rule})
        answer = org.http.get(INGEST)
        headers = [answer.headers.get("Content-Type"), answer.headers.get("Retry-After")]
        shapes.append((answer.status_code, *headers, answer.text.splitlines()[-1] if answer.text else ""))
    assert shapes == snapshot(
        [
            (
                403,
                "application/json;charset=UTF-8",
                None,
                '[{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]',
            ),
            (
                420,
                "text/html; charset=utf-8",
                None,
                "<html><head><title>Setting things up</title></head><body><h1>Setting things up</h1></body></html>",
            ),
            (
                429,
                "application/json;charset=UTF-8",
                "7",
                '[{"message":"Too many requests, try again later","errorCode":"TOO_MANY_REQUESTS"}]',
            ),
            (
                429,
                "application/json;charset=UTF-8",
                None,
                '[{"message":"Too many requests, try again later","errorCode":"TOO_MANY_REQUESTS"}]',
            ),
            (
                503,
                "application/json;charset=UTF-8",
                "1",
                '[{"message":"Service temporarily unavailable","errorCode":"SERVER_UNAVAILABLE"}]',
            ),
            (
                500,
                "application/json;charset=UTF-8",
                None,
                '[{"message":"An unexpected error occurred","errorCode":"UNKNOWN_EXCEPTION"}]',
            ),
            (
                502,
                "text/html; charset=utf-8",
                None,
                "<html><head><title>This page is not available</title></head><body><h1>This page is not available</h1></body></html>",
            ),
            (
                500,
                "text/html; charset=utf-8",
                None,
                "<html><head><title>This page is not available</title></head><body><h1>This page is not available</h1></body></html>",
            ),
            (406, None, None, ""),
            (
                400,
                "application/json;charset=UTF-8",
                None,
                '[{"message":"It took too long","errorCode":"TXN_SECURITY_METERING_ERROR"}]',
            ),
        ]
    )


@doc("Bulk API 2.0 guide, quick start: X-PrettyPrint")
def test_a_fault_is_told_indented_to_those_who_ask_for_it(org: Caller) -> None:
    org.go_wrong({"on": "list", "fault": "server-error"})
    assert org.http.get(INGEST, headers={"X-PrettyPrint": "1"}).text == snapshot("""\
[
  {
    "message" : "An unexpected error occurred",
    "errorCode" : "UNKNOWN_EXCEPTION"
  }
]\
""")


@own
def test_a_refused_request_has_no_effect(org: Caller) -> None:
    job_id = org.create()
    org.go_wrong({"on": "abort", "fault": "unavailable"})
    assert org.patch(job_id, "Aborted").status_code == 503
    assert org.get(job_id)["state"] == "Open"
    assert org.patch(job_id, "UploadComplete").status_code == 200


@own
def test_a_refused_upload_is_read_to_its_end_so_that_the_answer_arrives(org: Caller) -> None:
    job_id = org.create()
    org.go_wrong({"on": "upload", "fault": "unavailable"})
    url, headers = f"{INGEST}/{job_id}/batches", {"Content-Type": "text/csv"}
    assert org.http.put(url, content=(b"x" * 65536 for _ in range(200)), headers=headers).status_code == 503
    assert last(org)["bytesIn"] == 200 * 65536


@doc("OAuth 2.0 Authorization Errors")
@assumed("the error inactive_user")
def test_a_login_can_be_refused(org: Caller) -> None:
    form = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    org.go_wrong(
        {"fault": "refused-login", "times": 1}, {"fault": "refused-login", "error": "inactive_user", "times": 1}
    )
    answers = [org.http.post("/services/oauth2/token", data=form) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [400, 400, 200]
    assert answers[0].json() == {"error": "invalid_grant", "error_description": "expired access/refresh token"}
    assert answers[1].json()["error"] == "inactive_user"


@doc("Simultaneous Token Requests Are Blocked During the Refresh Token Flow: an error that passes")
def test_a_refresh_can_be_refused_as_one_of_two_at_once(org: Caller) -> None:
    org.go_wrong(
        {"fault": "refused-login", "description": "token request is already being processed", "times": 1},
    )
    answers = [refresh(org, REFRESH_TOKEN) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [400, 200]
    assert answers[0].json() == {
        "error": "invalid_grant",
        "error_description": "token request is already being processed",
    }


@seen("blank and 204 results as reported to client libraries")
@pytest.mark.parametrize(("fault", "status"), [("blank-results", 200), ("no-content", 204)])
def test_results_can_come_without_even_a_header(org: Caller, fault: str, status: int) -> None:
    job = org.load("Name\nAcme\n")
    org.go_wrong({"on": "any", "fault": fault})
    for segment in ("successfulResults", "failedResults", "unprocessedrecords"):
        answer = org.http.get(f"{INGEST}/{job['id']}/{segment}")
        assert (answer.status_code, answer.content) == (status, b"")
    assert org.get(job["id"])["state"] == "JobComplete"


@own
def test_latency_holds_up_the_request_that_it_hits(org: Caller) -> None:
    org.go_wrong({"on": "list", "fault": "latency", "seconds": 1, "times": 1})
    with socket.create_connection((org.http.base_url.host, org.http.base_url.port or 0)) as wire:
        wire.sendall(f"GET {INGEST} HTTP/1.1\r\nHost: org\r\nAuthorization: Bearer {ACCESS_TOKEN}\r\n\r\n".encode())
        until_fired(org)
        assert statuses(org, 1) == [200]
        assert wire.recv(12) == b"HTTP/1.1 200"
    overtaking, late = org.http.get(JOURNAL).json()["requests"][-2:]  # in the order in which they ended
    assert [entry["faults"] for entry in (overtaking, late)] == [[], ["latency"]]


@own
def test_a_slow_body_comes_piece_by_piece_and_whole(org: Caller) -> None:
    job = org.load(ROWS)
    url = f"{INGEST}/{job['id']}/successfulResults"
    whole = org.http.get(url, headers={"Accept-Encoding": "identity"}).content
    org.go_wrong({"on": "successfulResults", "fault": "slow-body", "bytesPerSecond": len(whole) * 2})
    with org.http.stream("GET", url, headers={"Accept-Encoding": "identity"}) as answer:
        pieces = list(answer.iter_raw())
    assert b"".join(pieces) == whole
    assert max(map(len, pieces)) < len(whole) // 2
    assert org.http.get(url, headers={"Accept-Encoding": "gzip"}).content == whole


@own
def test_faults_that_do_not_answer_add_up(org: Caller) -> None:
    org.go_wrong(
        {"on": "list", "fault": "latency", "seconds": 0.05},
        {"on": "list", "fault": "slow-body", "bytesPerSecond": 10000},
        {"on": "list", "fault": "unavailable"},
    )
    assert statuses(org, 1) == [503]
    assert last(org)["faults"] == ["latency", "slow-body", "unavailable"]


@own
def test_a_slow_body_ends_when_nobody_waits_for_it_any_more(org: Caller) -> None:
    org.go_wrong({"on": "versions", "fault": "slow-body", "bytesPerSecond": 40})  # of some thousands
    url = org.http.base_url
    with socket.create_connection((url.host, url.port or 0)) as wire:
        wire.sendall(b"GET /services/data HTTP/1.1\r\nHost: org\r\n\r\n")
        assert wire.recv(12) == b"HTTP/1.1 200"
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not entries(org):
        assert time.monotonic() < deadline
    assert (last(org)["operation"], last(org)["ended"]) == ("versions", "caller left")


@own
@pytest.mark.parametrize("when", ["before", "during", "after"])
def test_a_reset_is_one_on_the_wire(org: Caller, when: str) -> None:
    org.go_wrong({"on": "list", "fault": "reset", "when": when})
    with socket.create_connection((org.http.base_url.host, org.http.base_url.port or 0)) as wire:
        wire.sendall(f"GET {INGEST} HTTP/1.1\r\nHost: org\r\nAuthorization: Bearer {ACCESS_TOKEN}\r\n\r\n".encode())
        with pytest.raises(ConnectionResetError):
            wire.recv(1)


@own
def test_an_answer_on_purpose_is_lost_like_any_other(org: Caller) -> None:
    org.go_wrong({"on": "list", "fault": "reset", "when": "after"}, {"on": "list", "fault": "unavailable"})
    with pytest.raises(httpx2.TransportError):
        org.http.get(INGEST)
    assert (last(org)["ended"], last(org)["faults"]) == ("reset", ["reset", "unavailable"])


@own
@pytest.mark.parametrize(("method", "operation"), [("PUT", "upload"), ("DELETE", "delete"), ("HEAD", "status")])
def test_an_answer_without_a_body_is_broken_off_before_its_headers(org: Caller, method: str, operation: str) -> None:
    job_id = org.create()
    if method == "DELETE":
        org.patch(job_id, "Aborted")
    org.go_wrong({"on": operation, "fault": "reset", "when": "download"})
    path = f"{INGEST}/{job_id}/batches" if method == "PUT" else f"{INGEST}/{job_id}"
    with pytest.raises(httpx2.TransportError):
        org.http.request(method, path, headers={"Content-Type": "text/csv"})
    entry = last(org)
    assert (entry["operation"], entry["status"], entry["ended"]) == (operation, None, "reset")


def put(org: Caller, job_id: str, size: int = 1_000_000) -> httpx2.Response:
    body = b"Name\n" + b"x" * 100 + b"\n" * size
    return org.http.put(f"{INGEST}/{job_id}/batches", content=body, headers={"Content-Type": "text/csv"})


@own
@pytest.mark.parametrize("size", [10, 1_000_000])
@pytest.mark.parametrize("when", [{"when": "before"}, {"when": "during"}, {"when": "during", "bytes": 50_000}])
def test_data_whose_upload_was_reset_before_its_end_was_not_taken(org: Caller, when: dict[str, Any], size: int) -> None:
    job_id = org.create()
    org.go_wrong({"on": "upload", "fault": "reset", "times": 1, **when})
    with pytest.raises(httpx2.TransportError):
        put(org, job_id, size)
    entry = last(org)
    assert (entry["status"], entry["ended"], entry["faults"]) == (None, "reset", ["reset"])
    assert entry["bytesIn"] <= 105 + size
    org.upload(job_id, b"Name\nAcme\n")
    assert org.patch(job_id, "UploadComplete").status_code == 200
    assert org.until(job_id)["numberRecordsProcessed"] == 1


@own
def test_data_whose_upload_was_reset_after_its_end_was_taken(org: Caller) -> None:
    job_id = org.create()
    org.go_wrong({"on": "upload", "fault": "reset", "when": "after"})
    body = b"Name\nAcme\nAjax\n"
    with pytest.raises(httpx2.NetworkError):
        org.http.put(f"{INGEST}/{job_id}/batches", content=body, headers={"Content-Type": "text/csv"})
    entry = last(org)
    assert (entry["status"], entry["ended"], entry["bytesIn"]) == (None, "reset", len(body))
    assert org.patch(job_id, "UploadComplete").status_code == 200
    assert org.until(job_id)["numberRecordsProcessed"] == 2


@own
def test_a_create_whose_answer_is_lost_leaves_an_open_job(org: Caller) -> None:
    before = {job["id"] for job in org.http.get(INGEST).json()["records"]}
    org.go_wrong({"on": "create", "fault": "reset", "when": "after", "times": 1})
    with pytest.raises(httpx2.NetworkError):
        org.create()
    (stray,) = [job for job in org.http.get(INGEST).json()["records"] if job["id"] not in before]
    assert stray["state"] == "Open"


@own
@pytest.mark.parametrize(
    ("encoding", "missing"),
    [("identity", 0), ("gzip", 1)],  # an answer of no known length lacks its end at least, a packed one its last byte
)
@pytest.mark.parametrize("size", [0, 1000, 10**9])
def test_a_download_can_break_off_after_so_many_bytes_and_is_never_whole(
    org: Caller, size: int, encoding: str, missing: int
) -> None:
    job = org.load(ROWS)
    url, headers = f"{INGEST}/{job['id']}/successfulResults", {"Accept-Encoding": encoding}
    with org.http.stream("GET", url, headers=headers) as answer:
        whole = b"".join(answer.iter_raw())
    org.go_wrong({"on": "successfulResults", "fault": "reset", "when": "download", "bytes": size})
    got = b""
    with pytest.raises(httpx2.NetworkError), org.http.stream("GET", url, headers=headers) as answer:
        for chunk in answer.iter_raw():
            got += chunk
    assert whole.startswith(got)
    assert len(got) == min(size, len(whole) - missing)
    entry = last(org)
    assert (entry["status"], entry["ended"], entry["bytesOut"]) == (200, "reset", len(got))


@own
def test_an_answer_of_known_length_breaks_off_before_its_last_byte(org: Caller) -> None:
    job_id = org.create()
    org.go_wrong({"on": "status", "fault": "reset", "when": "download", "bytes": 10**6})
    with pytest.raises(httpx2.NetworkError):
        org.http.get(f"{INGEST}/{job_id}")


@own
def test_a_server_that_can_not_reset_a_connection_closes_it_in_mid_answer(tmp_path: Path) -> None:
    org_app = create_app(EmulatorConfig(data_dir=tmp_path))

    async def without_extensions(scope: Scope, receive: Receive, send: Send) -> None:
        await org_app({**scope, "extensions": {}} if scope["type"] == "http" else scope, receive, send)

    with running(without_extensions) as url, calling(url) as org:
        job_id = org.create()
        for when in ("before", "during", "after", "download"):
            org.go_wrong({"on": "status", "fault": "reset", "when": when, "bytes": 1, "times": 1})
            with pytest.raises(httpx2.RemoteProtocolError):
                org.http.get(f"{INGEST}/{job_id}")
            assert last(org)["ended"] == "reset"
        assert org.get(job_id)["state"] == "Open"
