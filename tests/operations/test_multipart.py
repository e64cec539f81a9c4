"""The parser of a multipart create: its two parts, or nothing where another parser could find another one.

What the gateway does with it, tricks included, is in test_gateway.py.
"""

import pytest

from salesforce_bulk_ingest.operations.multipart import JobWithRows, job_with_rows

TYPE = "multipart/form-data; boundary=b"
JOB = b'Content-Disposition: form-data; name="job"\r\nContent-Type: application/json\r\n\r\n{}'
CONTENT = (
    b'Content-Disposition: form-data; name="content"; filename="content"\r\nContent-Type: text/csv\r\n\r\nName\r\nAcme'
)


def body(*parts: bytes) -> bytes:
    return b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"


@pytest.mark.parametrize("parts", [(JOB, CONTENT), (CONTENT, JOB)])
@pytest.mark.parametrize("content_type", [TYPE, 'multipart/form-data; boundary="b"', f"{TYPE}; charset=utf-8"])
def test_the_parts_are_found_in_either_order(parts: tuple[bytes, bytes], content_type: str) -> None:
    assert job_with_rows(content_type, body(*parts)) == JobWithRows(b"{}", b"Name\r\nAcme")


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        ("application/json", body(JOB, CONTENT)),
        (f"{TYPE}; boundary=c", body(JOB, CONTENT)),
        (TYPE, b"before" + body(JOB, CONTENT)),
        (TYPE, body(JOB, CONTENT) + b"after"),
        (TYPE, body(JOB)),
        (TYPE, body(JOB, JOB)),
        (TYPE, body(JOB, CONTENT, CONTENT)),
        (TYPE, body(JOB.replace(b"application/json", b"multipart/mixed"), CONTENT)),
        (TYPE, body(JOB.replace(b'name="job"', b'name="job"; name="other"'), CONTENT)),
        (TYPE, body(JOB.replace(b"\r\n\r\n", b"\r\n"), CONTENT)),
    ],
)
def test_what_can_be_read_in_two_ways_is_not_read(content_type: str, content: bytes) -> None:
    assert job_with_rows(content_type, content) is None
