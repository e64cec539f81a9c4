"""What every resource shares: callers, versions, methods, paths, compression."""

import gzip
from collections.abc import Iterator

import httpx2
import pytest
from inline_snapshot import snapshot

from tests.emulator.caller import INGEST, Caller, seen


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


def test_a_bad_token_is_told_in_the_platforms_order(org: Caller) -> None:
    answer = org.http.get(INGEST, headers={"Authorization": "Bearer x"})
    assert answer.text == snapshot('[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]')


@pytest.mark.parametrize(
    ("version", "status"),
    [("v41.0", 200), ("v67.0", 200), ("v40.0", 404), ("v30.0", 410), ("v21.0", 410), ("v20.0", 404), ("v68.0", 404), ("v63", 404)],
)
def test_only_versions_that_exist_answer(org: Caller, version: str, status: int) -> None:
    assert org.http.get(f"/services/data/{version}/jobs/ingest").status_code == status


@pytest.mark.parametrize("path", ["/nowhere", "/services/data/v63.0/nowhere", f"{INGEST}/750/successes", f"{INGEST}/x"])
def test_what_is_not_there_is_not_found(org: Caller, path: str) -> None:
    answer = org.http.get(path)
    assert answer.status_code == 404
    assert answer.json() == [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]


def test_a_wrong_method_is_told_the_right_ones(org: Caller) -> None:
    answer = org.http.put(f"{INGEST}/{org.create()}")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, PATCH, DELETE, HEAD")
    assert seen(answer) == snapshot("""\
[
  {
    "message": "HTTP Method 'PUT' not allowed. Allowed are GET,PATCH,DELETE,HEAD",
    "errorCode": "METHOD_NOT_ALLOWED"
  }
]\
""")


def test_slashes_may_trail_and_double(org: Caller) -> None:
    job_id = org.create()
    assert org.http.get(f"/services/data/v63.0//jobs/ingest//{job_id}/").json()["id"] == job_id
    created = org.http.post("/services/data/v63.0/jobs/ingest//", json={"object": "Account", "operation": "insert"})
    assert created.status_code == 200


def test_ids_of_15_characters_do_and_foreign_suffixes_do_not(org: Caller) -> None:
    job_id = org.create()
    assert org.get(job_id[:15])["id"] == job_id
    assert org.http.get(f"{INGEST}/{job_id[:15]}AAA").status_code == 404


def test_head_answers_as_get_without_a_body(org: Caller) -> None:
    job = org.load("Name\nAcme\n")
    for path in (f"{INGEST}/{job['id']}", f"{INGEST}/{job['id']}/successfulResults"):
        answer = org.http.head(path)
        assert (answer.status_code, answer.content) == (200, b"")


def test_every_call_is_told_the_count_of_calls_but_not_the_one_for_versions(org: Caller) -> None:
    for answer in (org.http.get(INGEST), org.http.get("/services/data/v63.0/nowhere")):
        assert answer.headers["Sforce-Limit-Info"].startswith("api-usage=")
    assert "Sforce-Limit-Info" not in org.http.get("/services/data/").headers


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


def test_compressed_requests_are_read(org: Caller) -> None:
    body = gzip.compress(b'{"object": "Account", "operation": "insert"}')
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert org.http.post(INGEST, content=body, headers=headers).json()["state"] == "Open"
    for broken in (b"not gzip", body[:-9]):
        answer = org.http.post(INGEST, content=broken, headers=headers)
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "CLIENTINPUTERROR")


def test_other_media_types_are_refused(org: Caller) -> None:
    answer = org.http.post(INGEST, content=b"{}", headers={"Content-Type": "text/xml"})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    upload = org.http.put(f"{INGEST}/{org.create()}/batches", content=b"{}", headers={"Content-Type": "text/plain"})
    assert upload.status_code == 415


def test_a_caller_refused_in_mid_upload_still_gets_the_answer(org: Caller) -> None:
    """Without reading on, the connection would be reset and the 401 lost."""

    def body() -> Iterator[bytes]:
        for _ in range(200):
            yield b"x" * 65536

    headers = {"Authorization": "Bearer expired", "Content-Type": "text/csv"}
    with httpx2.Client(base_url=org.http.base_url) as fresh:
        answer = fresh.put(f"{INGEST}/{org.create()}/batches", content=body(), headers=headers)
    assert answer.status_code == 401
