"""Rows that stream through `/v1` are counted, and known again by the tools."""

import gzip
import hashlib
import zlib
from itertools import count, pairwise

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesforce_bulk_ingest.cache.ledger import UploadRecord
from salesforce_bulk_ingest.csvio.records import count_rows
from salesforce_bulk_ingest.operations.upload_meter import UploadMeter
from salesforce_bulk_ingest.operations.upload_once import UNCOUNTED
from salesforce_bulk_ingest.salesforce.models import Delimiter
from salesforce_bulk_ingest.salesforce.transport import CHUNK_BYTES
from tests.loading.making import csv_bytes, dialects, quotings, tables
from tests.support.orgs import both_surfaces, call, refusal

GZIPPED = ("Content-Encoding", "gzip")
INSERT = {"object": "Account", "operation": "insert"}


def in_pieces(content: bytes, cuts: list[int]) -> list[bytes]:
    return [content[start:end] for start, end in pairwise([0, *sorted(cuts), max(len(content), 2_000)])]


def metered(chunks: list[bytes], *headers: tuple[str, str], delimiter: Delimiter | None = None) -> UploadMeter:
    """A meter past which all the chunks went."""
    meter = UploadMeter(headers, delimiter)

    async def pass_by() -> None:
        for chunk in chunks:
            await meter.add(chunk)
        meter.end()

    anyio.run(pass_by)
    return meter


cuts = st.lists(st.integers(0, 2_000), max_size=8)


@given(st.data())
def test_rows_bytes_columns_and_digest_are_counted_in_whatever_pieces_they_come(data: st.DataObject) -> None:
    dialect, table = data.draw(dialects), data.draw(tables())
    table[0] = ["Name", *(f"F{number}__c" for number in range(1, len(table[0])))]
    content = data.draw(st.builds(csv_bytes, st.just(table), st.just(dialect), quotings))
    digest = hashlib.sha256(content).hexdigest()
    counted = UploadRecord("sent", digest, len(content), count_rows(content) - 1, tuple(table[0]))
    delimiter = data.draw(st.sampled_from([None, dialect.delimiter]))
    assert metered(in_pieces(content, data.draw(cuts)), delimiter=delimiter).record() == counted
    middle = len(content) // 2
    packed = gzip.compress(content[:middle]) + gzip.compress(content[middle:])
    assert metered(in_pieces(packed, data.draw(cuts)), GZIPPED).record() == counted


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ([("content-encoding", "br")], b"Name\nAcme\n"),
        ([("content-encoding", "gzip, gzip")], gzip.compress(gzip.compress(b"Name\nAcme\n", mtime=0), mtime=0)),
        ([("content-encoding", "gzip"), ("content-encoding", "br")], gzip.compress(b"Name\nAcme\n", mtime=0)),
        ([("content-type", "text/csv; charset=UTF-16")], b"Name\nAcme\n"),
        ([("content-type", "text/csv; Charset = 'cp037'")], b"Name\nAcme\n"),
        ([GZIPPED], b"Name\nAcme\n"),
        ([GZIPPED], gzip.compress(b"Name\nAcme\n", mtime=0)[:-9]),
        ([GZIPPED], gzip.compress(b"Name\nAcme\n", mtime=0) + b"more"),
        ([GZIPPED], zlib.compress(b"Name\nAcme\n")),
        ([], b""),
        ([], b"\nName\nAcme\n"),
        ([], "Name\nAcme\n".encode("utf-16")),
        ([], b'Name\n"Acme\n'),
        ([], b'Name\n5" pipe\n6" pipe\n'),
        ([], b"Name" + b"x" * 2_000_000),
    ],
    ids=count(),
)
def test_what_can_not_be_counted_is_recorded_as_unknown(headers: list[tuple[str, str]], body: bytes) -> None:
    meter = metered(in_pieces(body, []), *headers)
    assert meter.record() == UNCOUNTED
    assert meter.uncounted is not None and meter.uncounted.endswith(".")


def test_an_upload_that_is_not_seen_to_its_end_is_not_recorded_as_counted() -> None:
    meter = UploadMeter([])
    anyio.run(meter.add, b"Name\nAcme\n")
    assert (meter.rows, meter.record()) == (1, UNCOUNTED)


@pytest.mark.parametrize("coding", ["", "identity", "gzip", "GZIP", "x-gzip", " identity , gzip "])
def test_the_usual_codings_are_counted(coding: str) -> None:
    content = b"Name\nAcme\n"
    body = gzip.compress(content) if "gzip" in coding.lower() else content
    meter = metered([body], ("Content-Encoding", coding), ("Content-Type", "text/csv; charset=UTF-8"))
    assert (meter.rows, meter.bytes, meter.uncounted) == (1, len(content), None)


async def test_other_tasks_run_while_a_bomb_is_counted() -> None:
    bomb = gzip.compress(b"Name\n" + b"\0" * 100 * CHUNK_BYTES)
    meter, turns = UploadMeter([GZIPPED]), 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(count_turns)
        await meter.add(bomb)
        tasks.cancel_scope.cancel()
    assert meter.bytes > 99 * CHUNK_BYTES
    assert turns > 99


@pytest.mark.parametrize("compressed", [False, True])
async def test_a_tool_knows_rows_again_that_went_through_v1(org_url: str, compressed: bool) -> None:
    csv = 'Name,Phone\n"Acme\nLtd",1\nBeta,2\n'
    body = gzip.compress(csv.encode()) if compressed else csv.encode()
    headers = {"Content-Type": "text/csv", **({"Content-Encoding": "gzip"} if compressed else {})}
    async with both_surfaces(org_url) as (client, rest):
        job_id = (await call(client, "create-ingest-job", body=INSERT))["id"]
        assert (await rest.put(f"/{job_id}/batches", content=body, headers=headers)).status_code == 201
        again = await call(client, "upload-data-ingest-job", jobId=job_id, body={"csv": csv})
        assert again["status"] == "already uploaded"
        other = await refusal(client, "upload-data-ingest-job", jobId=job_id, body={"csv": "Name\nGamma\n"})
        assert "already has other rows" in other
