"""How data gets in: streamed, once, whole or not at all."""

import gzip
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from salesforce_emulator import Assumptions, Limits
from tests.salesforce_emulator.behaviours import assumed, doc, own, seen
from tests.salesforce_emulator.caller import DEADLINE_SECONDS, INGEST, REST, Caller, an_org, half_an_upload
from tests.salesforce_emulator.clocks import Clock


@own
def test_a_body_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        job_id = org.create()
        with half_an_upload(org, job_id, tmp_path):
            pass
        deadline = time.monotonic() + DEADLINE_SECONDS
        while list(tmp_path.glob("jobs/*")):
            assert time.monotonic() < deadline
        org.upload(job_id, b"Name\nwhole\n")
        org.patch(job_id, "UploadComplete")
        assert [row["Name"] for row in org.succeeded(org.until(job_id))] == ["whole"]


def closed(org: Caller, job_id: str, clock: Clock) -> None:
    org.patch(job_id, "UploadComplete")
    org.until(job_id, "JobComplete")


def aborted(org: Caller, job_id: str, clock: Clock) -> None:
    org.patch(job_id, "Aborted")


def expired(org: Caller, job_id: str, clock: Clock) -> None:
    clock.forward(hours=24)


@assumed("no source shows what a PUT to a closed job is told, at its end as at its start")
@pytest.mark.parametrize("ends", [closed, aborted, expired])
def test_a_job_that_ends_during_an_upload_does_not_take_the_data(
    tmp_path: Path, ends: Callable[[Caller, str, Clock], None]
) -> None:
    clock = Clock()
    with an_org(tmp_path, clock=clock) as org:
        job_id = org.create()
        with half_an_upload(org, job_id, tmp_path) as wire:
            ends(org, job_id, clock)
            wire.sendall(REST)
            assert wire.recv(12) == b"HTTP/1.1 400"
        assert org.result(org.get(job_id), "unprocessedrecords") == ""
        assert list(tmp_path.glob("jobs/*")) == []


@own
def test_a_job_that_is_deleted_during_an_upload_is_not_found_at_its_end(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        job_id = org.create()
        with half_an_upload(org, job_id, tmp_path) as wire:
            org.patch(job_id, "Aborted")
            org.http.delete(f"{INGEST}/{job_id}")
            wire.sendall(REST)
            assert wire.recv(12) == b"HTTP/1.1 404"
        assert list(tmp_path.glob("jobs/*")) == []


@own
def test_chunked_uploads_without_a_length_are_taken(org: Caller) -> None:
    def body() -> Iterator[bytes]:
        yield b"Name\nchu"
        yield b"nked\n"

    job_id = org.create()
    headers = {"Content-Type": "text/csv; charset=UTF-8"}
    assert org.http.put(f"{INGEST}/{job_id}/batches", content=body(), headers=headers).status_code == 201
    org.patch(job_id, "UploadComplete")
    assert [row["Name"] for row in org.succeeded(org.until(job_id))] == ["chunked"]


@doc("Bulk API 2.0 guide, Upload Job Data: 150 MB after base64")
@assumed("status, code and text; of gzip, that the limit is meant unpacked")
@pytest.mark.parametrize(("size", "status"), [(300, 201), (301, 413)])
def test_the_limit_of_an_upload_is_meant_after_base64(tmp_path: Path, size: int, status: int) -> None:
    with an_org(tmp_path, limits=Limits(upload_bytes=400)) as org:
        url = f"{INGEST}/{org.create()}/batches"
        answer = org.http.put(url, content=b"x" * size, headers={"Content-Type": "text/csv"})
        assert answer.status_code == status


@doc("Bulk API 2.0 guide, Errors")
def test_an_upload_for_a_job_that_is_not_there_is_not_found(org: Caller) -> None:
    url = f"{INGEST}/750000000000001AAA/batches"
    answer: httpx2.Response = org.http.put(url, content=b"Name\n", headers={"Content-Type": "text/csv"})
    assert answer.status_code == 404


def packed(org: Caller, job_id: str, data: bytes, encoding: str = "gzip") -> httpx2.Response:
    headers = {"Content-Type": "text/csv", "Content-Encoding": encoding}
    return org.http.put(f"{INGEST}/{job_id}/batches", content=data, headers=headers)


@doc("REST API guide, Using Compression: any request")
@assumed("documented for REST, not for uploads; clients send them uncompressed", switch="compressed_uploads")
def test_a_compressed_upload_is_unpacked(org: Caller) -> None:
    job_id = org.create()
    assert packed(org, job_id, gzip.compress(b"Name\nA\n")).status_code == 201
    org.patch(job_id, "UploadComplete")
    assert [row["Name"] for row in org.succeeded(org.until(job_id))] == ["A"]


@assumed("status, code and text", switch="compressed_uploads")
def test_a_compressed_upload_can_be_refused(tmp_path: Path) -> None:
    with an_org(tmp_path, assumptions=Assumptions(compressed_uploads="refused")) as org:
        job_id = org.create()
        answer = packed(org, job_id, gzip.compress(b"Name\nA\n"))
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
        org.upload(job_id, b"Name\nA\n")


@seen("a job whose header was no field: the upload was taken, the job failed later")
def test_an_upload_is_not_looked_into(org: Caller) -> None:
    job_id = org.create()
    org.upload(job_id, b'"\xff\x00 garbage')
    org.patch(job_id, "UploadComplete")
    assert org.until(job_id)["state"] == "Failed"
