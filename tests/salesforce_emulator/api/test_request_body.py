"""The bodies of requests: compression, limits, media types, JSON."""

import gzip

import httpx2
import pytest

from tests.salesforce_emulator.behaviours import assumed, doc, own
from tests.salesforce_emulator.caller import INGEST, Caller


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


@assumed("text and position")
@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"object": NaN}'])
def test_what_is_not_json_is_a_parser_error(org: Caller, text: bytes) -> None:
    answer = org.http.post(INGEST, content=text, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")


def packed(org: Caller, job_id: str, data: bytes, encoding: str = "gzip") -> httpx2.Response:
    headers = {"Content-Type": "text/csv", "Content-Encoding": encoding}
    return org.http.put(f"{INGEST}/{job_id}/batches", content=data, headers=headers)


@own
@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZIP"])
def test_a_compressed_upload_is_unpacked_to_its_last_member(org: Caller, encoding: str) -> None:
    job_id = org.create()
    members = [gzip.compress(data) for data in (b"Name\nA\n", b"B\n", b"", b"C\n")]
    assert packed(org, job_id, b"".join(members), encoding).status_code == 201
    org.patch(job_id, "UploadComplete")
    assert sorted(row["Name"] for row in org.succeeded(org.until(job_id))) == ["A", "B", "C"]


@assumed("status, code and text")
@pytest.mark.parametrize(
    "rest", [b"junk", b"\x1f\x8b\x08", gzip.compress(b"B\n")[:-1]], ids=["junk", "a beginning", "half a member"]
)
def test_a_compressed_upload_with_something_else_at_its_end_is_refused(org: Caller, rest: bytes) -> None:
    job_id = org.create()
    answer = packed(org, job_id, gzip.compress(b"Name\nA\n") + rest)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "CLIENTINPUTERROR")
    org.upload(job_id, b"Name\nA\n")


@doc("REST API guide, Using Compression: gzip and deflate")
@assumed("status, code and text")
@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, identity"])
def test_a_compression_that_is_not_known_is_refused(org: Caller, encoding: str) -> None:
    job_id = org.create()
    answer = packed(org, job_id, gzip.compress(b"Name\nA\n"), encoding)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    org.upload(job_id, b"Name\nA\n")
