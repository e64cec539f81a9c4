"""Chunks of records that are saved together."""

import io
from pathlib import Path

from salesforce_emulator.config import Assumptions
from salesforce_emulator.processing.chunks import Chunk, next_chunk
from salesforce_emulator.processing.csv_reader import CsvReader
from tests.salesforce_emulator.behaviours import assumed, doc, own
from tests.salesforce_emulator.caller import an_org


@assumed("that counters move in smaller steps then, since nobody could hold 200 rows of 400,000 characters at once")
def test_rows_that_are_too_wide_for_a_chunk_of_200_are_saved_in_smaller_ones(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        org.hold_jobs(after=1)
        job_id = org.submit("Name,Description\n" + f"A,{'x' * 30_000}\n" * 140)
        org.until_some_are_processed(job_id)
        assert org.get(job_id)["numberRecordsProcessed"] < 140
        org.go_right()
        assert org.until(job_id)["numberRecordsProcessed"] == 140


def chunks(rows: int, batch_records: int) -> list[Chunk]:
    """The chunks of an upload of so many rows."""
    upload = io.BytesIO(b"Name\n" + b"A\n" * rows)
    reader = CsvReader(upload, delimiter="COMMA", line_ending="LF", assumptions=Assumptions())
    reader.header()
    found: list[Chunk] = []
    while chunk := next_chunk(reader, sum(len(chunk.records) for chunk in found), batch_records):
        found.append(chunk)
    return found


@doc("BG/Understanding Bulk API 2.0: batches of 10,000; Apex developer guide: triggers run for chunks of 200")
def test_a_chunk_has_at_most_200_records_and_ends_with_its_batch() -> None:
    found = chunks(rows=900, batch_records=500)
    assert [len(chunk.records) for chunk in found] == [200, 200, 100, 200, 200]
    assert [chunk.begins_batch for chunk in found] == [True, False, False, True, False]


@own
def test_a_chunk_knows_where_each_of_its_records_ends() -> None:
    [chunk] = chunks(rows=3, batch_records=500)
    assert chunk.ends == [7, 9, 11]
    assert chunks(rows=0, batch_records=500) == []
