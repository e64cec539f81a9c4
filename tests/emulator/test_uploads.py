"""How data gets in: streamed, once, whole or not at all."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from salesforce_bulk_ingest.emulator import ACCESS_TOKEN, Limits
from tests.emulator.caller import INGEST, Caller, an_org


def test_a_body_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        job_id = org.create()
        url = org.http.base_url
        with socket.create_connection((url.host, url.port or 80)) as connection:
            connection.sendall(
                f"PUT {INGEST}/{job_id}/batches HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ACCESS_TOKEN}\r\n"
                "Content-Type: text/csv\r\nContent-Length: 1000\r\n\r\nName\nhalf".encode()
            )
            deadline = time.monotonic() + 10
            while not list(tmp_path.glob("jobs/*.part")):
                assert time.monotonic() < deadline
        while list(tmp_path.glob("jobs/*")):
            assert time.monotonic() < deadline
        org.upload(job_id, b"Name\nwhole\n")
        org.patch(job_id, "UploadComplete")
        assert [row["Name"] for row in org.succeeded(org.until(job_id))] == ["whole"]


def test_chunked_uploads_without_a_length_are_taken(org: Caller) -> None:
    def body() -> Iterator[bytes]:
        yield b"Name\nchu"
        yield b"nked\n"

    job_id = org.create()
    headers = {"Content-Type": "text/csv; charset=UTF-8"}
    assert org.http.put(f"{INGEST}/{job_id}/batches", content=body(), headers=headers).status_code == 201
    org.patch(job_id, "UploadComplete")
    assert [row["Name"] for row in org.succeeded(org.until(job_id))] == ["chunked"]


@pytest.mark.parametrize(("size", "status"), [(300, 201), (301, 413)])
def test_the_limit_of_an_upload_is_meant_after_base64(tmp_path: Path, size: int, status: int) -> None:
    with an_org(tmp_path, limits=Limits(upload_bytes=400)) as org:
        url = f"{INGEST}/{org.create()}/batches"
        answer = org.http.put(url, content=b"x" * size, headers={"Content-Type": "text/csv"})
        assert answer.status_code == status


def test_an_upload_for_a_job_that_is_not_there_is_not_found(org: Caller) -> None:
    url = f"{INGEST}/750000000000001AAA/batches"
    answer: httpx2.Response = org.http.put(url, content=b"Name\n", headers={"Content-Type": "text/csv"})
    assert answer.status_code == 404
