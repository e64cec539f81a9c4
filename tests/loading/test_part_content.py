"""The content of a part: the bytes that were planned, or no whole upload."""

import io
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest

from salesforce_bulk_ingest.base.errors import InvalidArgument, SourceChanged
from salesforce_bulk_ingest.csvio.blocks import BLOCK_BYTES
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.loading.mapping import ColumnMapping
from salesforce_bulk_ingest.loading.part_content import part_content
from salesforce_bulk_ingest.validation.destination import Destination
from tests.loading.making import UNCHANGED, Bytes, file_of, plan_of, sent_parts, uploading


class _Counting(io.BytesIO):
    """Counts the bytes that are read."""

    count = 0

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self.count += len(data)
        return data


class _Counted(Bytes):
    """A source that keeps its streams."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.streams: list[_Counting] = []

    def open(self, dialect: Dialect) -> BinaryIO:
        self.streams.append(_Counting(self.content))
        return self.streams[-1]


@pytest.mark.parametrize(
    "mapping", [UNCHANGED, ColumnMapping(constants={"Constant__c": "1"})], ids=["unchanged", "mapped"]
)
def test_a_part_costs_the_reading_of_that_part(mapping: ColumnMapping) -> None:
    rows = b"".join(b'%d,"two\nlines, ""%d"""\n' % (number, number) for number in range(80_000))
    source = _Counted(b"Name,Description\n" + rows)
    destination = Destination(limit=500_000)
    cut = plan_of(source, mapping, destination)
    (whole,) = sent_parts(plan_of(source, mapping, replace(destination, limit=100_000_000)))
    header = whole[: whole.index(b"\n") + 1]
    parts = []
    for part in cut.parts:
        source.streams.clear()
        parts.append(b"".join(part_content(cut, part.number)))
        (stream,) = source.streams
        assert stream.count < 500_000 + 3 * BLOCK_BYTES
    assert len(parts) >= 5
    assert header + b"".join(part.removeprefix(header) for part in parts) == whole


def _change(path: Path, how: str) -> None:
    content = path.read_bytes()
    match how:
        case "a cell":
            path.write_bytes(content.replace(b"Account 900", b"Account 9OO"))
        case "shorter":
            path.write_bytes(content[:-100])
        case "no CSV":
            path.write_bytes(content[:-100] + b'"')
        case "longer":
            path.write_bytes(content + b"Account 1000\nAcc")
        case "gone":
            path.unlink()


@pytest.mark.parametrize("mapping", [UNCHANGED, ColumnMapping(constants={"Type": "x"})])
@pytest.mark.parametrize("how", ["a cell", "shorter", "longer", "no CSV", "gone"])
def test_an_upload_of_a_file_that_has_changed_is_broken_off_before_its_end(
    tmp_path: Path, mapping: ColumnMapping, how: str
) -> None:
    path = file_of(tmp_path, b"Name\n" + b"".join(b"Account %d\n" % number for number in range(1000)))
    planned = plan_of(uploading(path), mapping, Destination())
    _change(path, how)
    sent = 0
    with pytest.raises(SourceChanged):
        for chunk in part_content(planned, 1):
            sent += len(chunk)
    assert sent < planned.size


def test_there_are_only_the_parts_that_were_planned() -> None:
    planned = plan_of(Bytes(b"Name\nAnn\n"), UNCHANGED, Destination())
    for number in (0, 2):
        with pytest.raises(InvalidArgument):
            part_content(planned, number)
