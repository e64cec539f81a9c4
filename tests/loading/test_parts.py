"""Parts: where rows are cut, and what a part holds."""

import hashlib
import io
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from salesforce_bulk_ingest.base.errors import InvalidArgument, SourceChanged
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.csvio.records import BLOCK_BYTES
from salesforce_bulk_ingest.loading.mapping import ColumnMapping
from salesforce_bulk_ingest.validation.destination import Destination
from tests.loading.making import (
    UNCHANGED,
    Bytes,
    Quoting,
    csv_bytes,
    dialects,
    file_of,
    findings_of,
    plan_of,
    quotings,
    sent_parts,
    tables,
    uploading,
)


@settings(deadline=None)
@given(tables(), dialects, quotings, st.integers(1, 60), st.booleans())
def test_parts_joined_are_the_source_and_none_is_over_the_limit(
    table: list[list[str]], dialect: Dialect, quoting: Quoting, room: int, ended: bool
) -> None:
    content = csv_bytes(table, dialect, quoting)
    header = csv_bytes(table[:1], dialect, quoting)
    if not ended and len(table) > 1 and table[-1][-1]:
        content = content.removesuffix(dialect.newline.encode())
    rows = [csv_bytes([row], dialect, quoting) for row in table[1:]]
    limit = len(header) + max(room, 1, *map(len, rows))
    planned = plan_of(Bytes(content), UNCHANGED, Destination(delimiter=dialect.delimiter, limit=limit))
    sent = sent_parts(planned)
    assert header + b"".join(part.removeprefix(header) for part in sent) == content
    assert all(part.startswith(header) and len(part) <= limit for part in sent)
    assert [(len(part), hashlib.sha256(part).hexdigest()) for part in sent] == [
        (part.size, part.sha256) for part in planned.parts
    ]
    assert (planned.rows, planned.size) == (len(table) - 1, len(content))
    assert planned.sha256 == hashlib.sha256(content).hexdigest()
    assert sum(part.rows for part in planned.parts) == planned.rows
    for part, following in pairwise(sent):
        first = next(iter(_records(following.removeprefix(header), rows)))
        assert len(part) + len(first) > limit, "another row would have fitted"


def _records(content: bytes, rows: list[bytes]) -> list[bytes]:
    return [row for row in rows if content.startswith(row)] or [content]


@settings(deadline=None)
@example([['"', " "], ["", "a"]], Dialect(), 1, 0)
@example([[";", ","], ["", "a"]], Dialect("BACKQUOTE"), 0, 0)
@given(tables(), dialects, quotings, st.integers(0, 60))
def test_parts_of_mapped_rows_joined_are_the_mapped_rows(
    table: list[list[str]], dialect: Dialect, quoting: Quoting, room: int
) -> None:
    source = Bytes(csv_bytes(table, dialect, quoting))
    mapping = ColumnMapping(constants={"Constant__c": "1"})
    job = Destination(delimiter=dialect.delimiter)
    whole = plan_of(source, mapping, job)
    (at_once,) = sent_parts(whole)
    header, *rows = [csv_bytes([[*row, "1"]], dialect, 0) for row in table]
    header = csv_bytes([[*table[0], "Constant__c"]], dialect, 0)
    assert header + b"".join(rows) == at_once
    cut = plan_of(source, mapping, replace(job, limit=len(header) + max(room, 1, *map(len, rows))))
    assert header + b"".join(part.removeprefix(header) for part in sent_parts(cut)) == at_once
    assert cut.sha256 == whole.sha256 == hashlib.sha256(at_once).hexdigest()


def test_a_row_that_does_not_fit_a_part_is_an_error_with_its_line() -> None:
    content = b"Name\na\n" + b"b" * 50 + b"\nc\n"
    destination = Destination(limit=40)
    assert findings_of(content, destination) == snapshot(
        ["error at 3 (1): A row and the header are more than the 40 bytes of an upload. Shorten it."]
    )
    with pytest.raises(InvalidArgument) as raised:
        plan_of(Bytes(content), UNCHANGED, destination, preflight=False)
    assert str(raised.value) == snapshot(
        "Line 3: A row and the header are more than the 40 bytes of an upload. Shorten it."
    )


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


@pytest.mark.slow
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
        parts.append(b"".join(cut.content_of(part.number)))
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
        for chunk in planned.content_of(1):
            sent += len(chunk)
    assert sent < planned.size


def test_an_upload_of_a_file_that_is_removed_while_it_is_sent_is_broken_off_before_its_end(tmp_path: Path) -> None:
    path = file_of(tmp_path, b"Name\n" + b"Account\n" * (3 * BLOCK_BYTES // 8))
    planned = plan_of(uploading(path), UNCHANGED, Destination())
    chunks = iter(planned.content_of(1))
    sent = len(next(chunks))
    path.unlink()
    with pytest.raises(SourceChanged):
        for chunk in chunks:
            sent += len(chunk)
    assert 0 < sent < planned.size


def test_there_are_only_the_parts_that_were_planned() -> None:
    planned = plan_of(Bytes(b"Name\nAnn\n"), UNCHANGED, Destination())
    for number in (0, 2):
        with pytest.raises(InvalidArgument):
            planned.content_of(number)
