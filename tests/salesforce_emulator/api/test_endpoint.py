"""What every resource shares: callers, versions, methods, paths, compression."""

import gzip
import socket
from collections.abc import Iterator

import httpx2
import pytest
from inline_snapshot import snapshot

from salesforce_emulator import ACCESS_TOKEN
from tests.salesforce_emulator.behaviours import assumed, doc, own, seen
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


@seen("platform errors print their message first, those of the Bulk API their code; the text of a wrong scheme")
@assumed("that a method, a media type and a body that are refused are told so by the platform")
def test_refusals_of_the_platform_tell_their_message_first_and_those_of_the_bulk_api_their_code(org: Caller) -> None:
    refusals = [
        org.http.get(INGEST, headers={"Authorization": "Bearer x"}),
        org.http.get(INGEST, headers={"Authorization": "Basic dXNlcjpwYXNz"}),
        org.http.delete(INGEST),
        org.http.post(INGEST, content=b"{}", headers={"Content-Type": "text/xml"}),
        org.http.post(INGEST, json=[]),
        org.http.post(INGEST, json={"object": "Nope", "operation": "insert"}),
        org.http.get(f"{INGEST}/x"),
    ]
    assert [answer.text for answer in refusals] == snapshot(
        [
            '[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]',
            '[{"message":"INVALID_HEADER_TYPE","errorCode":"INVALID_AUTH_HEADER"}]',
            '[{"message":"HTTP Method \'DELETE\' not allowed. Allowed are GET,POST,HEAD","errorCode":"METHOD_NOT_ALLOWED"}]',
            '[{"message":"Content-Type header specified in HTTP request is not supported: text/xml","errorCode":"UNSUPPORTED_MEDIA_TYPE"}]',
            '[{"message":"The request body is not a JSON object","errorCode":"JSON_PARSER_ERROR"}]',
            '[{"errorCode":"INVALIDENTITY","message":"Entity \'Nope\' is not supported by the Bulk API."}]',
            '[{"errorCode":"NOT_FOUND","message":"The requested resource does not exist"}]',
        ]
    )


@seen("a client's fixture (heroku-applink)")
def test_refusals_are_json_in_utf_8(org: Caller) -> None:
    for answer in (org.http.get(f"{INGEST}/x"), org.http.get(INGEST, headers={"Authorization": "Bearer x"})):
        assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"


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


@doc("Bulk API 2.0 guide, quick start: X-PrettyPrint")
def test_errors_are_indented_for_those_who_ask_for_it(org: Caller) -> None:
    answer = org.http.get(f"{INGEST}/x", headers={"X-PrettyPrint": "1"})
    assert answer.text == snapshot("""\
[
  {
    "errorCode" : "NOT_FOUND",
    "message" : "The requested resource does not exist"
  }
]\
""")


@doc("Bulk API 2.0 guide, quick start: trailing slashes")
@seen("Data Loader posts to /jobs/ingest//")
def test_slashes_may_trail_and_double(org: Caller) -> None:
    job_id = org.create()
    assert org.http.get(f"/services/data/v63.0//jobs/ingest//{job_id}/").json()["id"] == job_id
    created = org.http.post("/services/data/v63.0/jobs/ingest//", json={"object": "Account", "operation": "insert"})
    assert created.status_code == 200


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


@doc("REST API guide, Limit Info Header")
def test_every_call_is_told_the_count_of_calls_but_not_the_one_for_versions(org: Caller) -> None:
    for answer in (org.http.get(INGEST), org.http.get("/services/data/v63.0/nowhere")):
        assert answer.headers["Sforce-Limit-Info"].startswith("api-usage=")
    assert "Sforce-Limit-Info" not in org.http.get("/services/data/").headers


@doc("Bulk API 2.0 guide, Use Compression for Responses")
def test_answers_are_compressed_for_those_who_ask_for_gzip(org: Caller) -> None:
    job = org.load("Name\n" + "Acme\n" * 1000)
    url = f"{INGEST}/{job['id']}/successfulResults"
    plain = org.http.get(url, headers={"Accept-Encoding": "identity"})
    packed = org.http.get(url, headers={"Accept-Encoding": "gzip, deflate"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.text == plain.text
    assert "Content-Length" not in plain.headers | packed.headers
    assert plain.headers["Content-Type"] == "text/csv; charset=UTF-8"


@doc("REST API guide, Using Compression")
@assumed("what a body is told that is not what it claims")
def test_compressed_requests_are_read(org: Caller) -> None:
    body = gzip.compress(b'{"object": "Account", "operation": "insert"}')
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert org.http.post(INGEST, content=body, headers=headers).json()["state"] == "Open"
    for broken in (b"not gzip", body[:-9]):
        answer = org.http.post(INGEST, content=broken, headers=headers)
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "CLIENTINPUTERROR")


@doc("REST API guide, Status Codes and Error Responses")
@assumed("code and text")
def test_other_media_types_are_refused(org: Caller) -> None:
    answer = org.http.post(INGEST, content=b"{}", headers={"Content-Type": "text/xml"})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    upload = org.http.put(f"{INGEST}/{org.create()}/batches", content=b"{}", headers={"Content-Type": "text/plain"})
    assert upload.status_code == 415


@assumed("clients write the character set after the type, and in any case")
@pytest.mark.parametrize("media_type", ["application/json; charset=UTF-8", "Application/JSON;charset=utf-8"])
def test_a_media_type_may_name_its_character_set(org: Caller, media_type: str) -> None:
    headers, body = {"Content-Type": media_type}, b'{"object": "Account", "operation": "insert"}'
    created = org.http.post(INGEST, content=body, headers=headers)
    assert created.status_code == 200
    url = f"{INGEST}/{created.json()['id']}"
    assert org.http.patch(url, content=b'{"state": "Aborted"}', headers=headers).status_code == 200


@own
def test_a_caller_refused_in_mid_upload_still_gets_the_answer(org: Caller) -> None:
    """Without reading on, the connection would be reset and the 401 lost."""

    def body() -> Iterator[bytes]:
        for _ in range(200):
            yield b"x" * 65536

    headers = {"Authorization": "Bearer expired", "Content-Type": "text/csv"}
    with httpx2.Client(base_url=org.http.base_url) as fresh:
        answer = fresh.put(f"{INGEST}/{org.create()}/batches", content=body(), headers=headers)
    assert answer.status_code == 401
