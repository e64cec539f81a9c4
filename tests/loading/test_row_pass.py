"""The pass over all rows: its progress, its memory, and what ends it."""

import gzip
import tracemalloc
from pathlib import Path

import pytest

from salesforce_bulk_ingest.base.errors import InvalidArgument
from salesforce_bulk_ingest.loading.mapping import ColumnMapping
from salesforce_bulk_ingest.loading.part_content import part_content
from salesforce_bulk_ingest.loading.sources import RowSource
from salesforce_bulk_ingest.validation.destination import Destination
from tests.loading.making import (
    UNCHANGED,
    Bytes,
    file_of,
    plan_of,
    uploading,
)


@pytest.mark.parametrize("spoil", [lambda data: data[:-20], lambda data: data[:40] + b"\0\0\0\0" + data[44:]])
def test_a_broken_gz_file_is_refused(tmp_path: Path, spoil: object) -> None:
    data = gzip.compress(b"".join(b"Account %d\n" % number for number in range(1000)))
    with pytest.raises(InvalidArgument, match=r"The \.gz file is damaged or cut off"):
        plan_of(uploading(file_of(tmp_path, spoil(data))), UNCHANGED, Destination())  # type: ignore[operator]


@pytest.mark.parametrize(
    "mapping", [UNCHANGED, ColumnMapping(constants={"Type": "x"}, values={"Name": {"Ann": "Bob"}})]
)
def test_memory_does_not_grow_with_the_source(tmp_path: Path, mapping: ColumnMapping) -> None:
    path = tmp_path / "rows.csv.gz"
    with gzip.open(path, "wb", compresslevel=1) as out:
        for number in range(26):  # more keys than are held in memory
            out.write(b"Ext__c,Name\n" if not number else b"")
            out.write(b"".join(b"%d,Ann\n" % row for row in range(number * 10_000, number * 10_000 + 10_000)))
    tracemalloc.start()
    try:
        planned = plan_of(uploading(path), mapping, Destination("upsert", "Ext__c"))
        for _ in part_content(planned, 1):
            pass
        assert tracemalloc.get_traced_memory()[1] < 32 * 1024 * 1024
    finally:
        tracemalloc.stop()
    assert planned.rows == 260_000


def test_progress_is_reported_and_can_end_the_pass() -> None:
    class Cancelled(Exception):
        pass

    reported = []

    def progress(read_bytes: int) -> None:
        reported.append(read_bytes)
        raise Cancelled

    source: RowSource = Bytes(b"Name\nAnn\n")
    with pytest.raises(Cancelled):
        plan_of(source, UNCHANGED, Destination(), progress=progress)
    assert reported == [9]
