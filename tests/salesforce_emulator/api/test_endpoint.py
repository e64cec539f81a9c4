"""What every resource shares: callers, versions, methods, ids."""

import socket

import pytest

from salesforce_emulator import ACCESS_TOKEN
from tests.salesforce_emulator.behaviours import assumed, doc, seen
from tests.salesforce_emulator.caller import INGEST, Caller


@seen("a captured 401 (heroku-applink) and client reports")
@assumed("that no header at all is told the same, and WWW-Authenticate for another scheme")
@pytest.mark.parametrize(
    ("header", "status", "code"),
    [
        ("Bearer nonsense", 401, "INVALID_SESSION_ID"),
        ("Bearer n\xf6n", 401, "INVALID_SESSION_ID"),
        ("", 401, "INVALID_SESSION_ID"),
        ("Basic dXNlcjpwYXNz", 401, "INVALID_AUTH_HEADER"),
    ],
)
def test_callers_without_the_token_are_turned_away(org: Caller, header: str, status: int, code: str) -> None:
    answer = org.http.get(INGEST, headers={b"Authorization": header.encode("latin-1")})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (status, code)
    assert answer.headers["WWW-Authenticate"] == "Token"


@doc("Bulk API 2.0 guide: ingest jobs from API 41.0 on")
def test_every_version_from_41_to_67_answers(org: Caller) -> None:
    for number in range(41, 68):
        assert org.http.get(f"/services/data/v{number}.0/jobs/ingest/{org.create()}").status_code == 200


@doc("Bulk API guide, API End-of-Life: 21.0 to 30.0 are retired")
@assumed("code and text")
@pytest.mark.parametrize("version", ["v21.0", "v30.0"])
def test_retired_versions_are_gone(org: Caller, version: str) -> None:
    answer = org.http.get(f"/services/data/{version}/jobs/ingest")
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (410, "UNSUPPORTED_API_VERSION")


@doc("Bulk API 2.0 guide, Errors: a version that is not there; ingest jobs from API 41.0 on")
@pytest.mark.parametrize("version", ["v31.0", "v40.0", "v68.0", "v63", "63.0", "v63.1", "vlatest"])
def test_versions_without_ingest_jobs_are_not_found(org: Caller, version: str) -> None:
    assert org.http.get(f"/services/data/{version}/jobs/ingest").json()[0]["errorCode"] == "NOT_FOUND"


@doc("Bulk API 2.0 guide, Errors")
@pytest.mark.parametrize("path", ["/nowhere", "/services/data/v63.0/nowhere", f"{INGEST}/750/successes", f"{INGEST}/x"])
def test_what_is_not_there_is_not_found(org: Caller, path: str) -> None:
    answer = org.http.get(path)
    assert answer.status_code == 404
    assert answer.json() == [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]


@doc("REST API guide, Status Codes and Error Responses")
@assumed("the order of the methods, and the header Allow")
@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "", "GET, POST, HEAD"),
        ("PUT", "/{id}", "GET, PATCH, DELETE, HEAD"),
        ("GET", "/{id}/batches", "PUT"),
        ("POST", "/{id}/failedResults", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(org: Caller, method: str, path: str, allowed: str) -> None:
    answer = org.http.request(method, INGEST + path.format(id=org.create()))
    assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)
    message = f"HTTP Method '{method}' not allowed. Allowed are {allowed.replace(', ', ',')}"
    assert answer.json() == [{"message": message, "errorCode": "METHOD_NOT_ALLOWED"}]


@doc("REST API guide, Status Codes and Error Responses: 16,384 bytes of URI")
@assumed("code and text")
def test_a_uri_that_is_too_long_is_refused(org: Caller) -> None:
    answer = org.http.get(INGEST, params={"x": "y" * 16_384})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (414, "URI_TOO_LONG")


@doc("REST API guide, Status Codes and Error Responses: 16,384 bytes of URI and headers")
@assumed("code and text")
def test_headers_that_are_too_long_are_refused(org: Caller) -> None:
    answer = org.http.get(INGEST, headers={"X-Long": "y" * 16_384})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (431, "REQUEST_HEADER_FIELDS_TOO_LARGE")


@doc("Bulk API 2.0 guide, Headers: Sforce-Call-Options, Sforce-Line-Ending")
@assumed("that Sforce-Line-Ending is not read; its page speaks of lineEnding only")
def test_headers_for_the_log_and_of_bulk_api_1_0_change_nothing(org: Caller) -> None:
    headers = {"Sforce-Call-Options": "client=loader, defaultNamespace=x", "Sforce-Line-Ending": "CRLF"}
    answer = org.http.post(INGEST, json={"object": "Account", "operation": "insert"}, headers=headers)
    assert answer.json()["lineEnding"] == "LF"


@seen("a comment on ids in results (salesforcecli/plugin-data)")
def test_ids_of_15_and_18_characters_name_the_same_job_in_every_path(org: Caller) -> None:
    job_id = org.create()
    org.upload(job_id[:15], b"Name\nA\n")
    assert org.patch(job_id[:15], "UploadComplete").json()["id"] == job_id
    assert org.until(job_id[:15])["id"] == job_id
    assert org.http.get(f"{INGEST}/{job_id[:15]}/successfulResults").status_code == 200
    assert org.http.delete(f"{INGEST}/{job_id[:15]}").status_code == 204


@assumed("ids are case-sensitive, and the suffix tells their case")
def test_an_id_with_a_foreign_suffix_names_no_job(org: Caller) -> None:
    assert org.http.get(f"{INGEST}/{org.create()[:15]}AAA").status_code == 404


@doc("REST API guide, HTTP methods")
@assumed("that results answer it, too")
def test_head_answers_as_get_without_a_body(org: Caller) -> None:
    job = org.load("Name\nAcme\n")
    for path in (f"{INGEST}/{job['id']}", f"{INGEST}/{job['id']}/successfulResults"):
        with socket.create_connection((org.http.base_url.host, org.http.base_url.port or 0)) as wire:
            head = f"HEAD {path} HTTP/1.1\r\nHost: org\r\nAuthorization: Bearer {ACCESS_TOKEN}\r\n"
            wire.sendall(f"{head}Connection: close\r\n\r\n".encode())
            answer = wire.makefile("rb").read()  # to the end of the connection: a client of HTTP would drop a body
        assert answer.startswith(b"HTTP/1.1 200")
        assert answer.partition(b"\r\n\r\n")[2] == b""
