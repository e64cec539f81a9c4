"""Blocks of whole records, whatever their size."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salesforce_bulk_ingest.csvio.blocks import (
    BLOCK_BYTES,
    LONGEST_RECORD_BYTES,
    EndlessRecord,
    blocks,
    first_record,
    is_blank,
    last_record_end,
    records,
)
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.csvio.header import MOST_HEADER_BYTES
from salesforce_bulk_ingest.csvio.records import RecordSplitter
from tests.loading.making import Quoting, csv_bytes, dialects, quotings, tables

contents = st.builds(csv_bytes, tables(), dialects, quotings)


@settings(deadline=None)
@given(contents, st.integers(1, 40))
def test_blocks_joined_are_the_file_and_each_ends_with_a_record(content: bytes, size: int) -> None:
    splitter = RecordSplitter()
    whole = splitter.feed(content) + splitter.flush()
    line, cut = 1, []
    for block in blocks(io.BytesIO(content), size=size):
        assert block.first_line == line
        line += block.data.count(b"\n")
        cut += [record for record in records(block.data) if not is_blank(record)]
    assert cut == whole


@settings(deadline=None)
@given(contents, st.integers(0, 100))
def test_the_last_record_end_is_the_last_place_to_cut(content: bytes, size: int) -> None:
    ends = [0]
    for record in records(content):
        ends.append(ends[-1] + len(record))
    piece = content[:size]
    assert last_record_end(piece) == max(end for end in ends if end <= len(piece))
    # The same is found from within a record, where the quotes before that are known.
    known = max(end for end in ends if end <= len(piece) // 2)
    following = min((end for end in ends if end > known), default=known)
    within = known + (following - known) // 2
    found = last_record_end(piece[within:], content.count(b'"', known, within))
    assert not found or found + within == last_record_end(piece)


@settings(deadline=None)
@given(tables(), dialects, quotings)
def test_the_first_record_is_the_header_with_its_line_breaks(
    table: list[list[str]], dialect: Dialect, quoting: Quoting
) -> None:
    content = csv_bytes(table, dialect, quoting)
    file = io.BytesIO(content)
    assert first_record(file, MOST_HEADER_BYTES) == csv_bytes(table[:1], dialect, quoting)
    assert file.read() == csv_bytes(table[1:], dialect, quoting)


@pytest.mark.parametrize("content", [b'a,b\nc,"d\ne,f\n', b'a,b\nc,"d\n' + b"e,f\n" * (LONGEST_RECORD_BYTES // 2)])
def test_a_quote_that_is_never_closed_ends_the_reading_soon(content: bytes) -> None:
    file = io.BytesIO(content)
    with pytest.raises(EndlessRecord) as raised:
        list(blocks(file))
    assert raised.value.first_line == 1 or raised.value.start.startswith(b'c,"d')
    assert file.tell() <= LONGEST_RECORD_BYTES + (1 << 20)


class Counting(io.BytesIO):
    """Counts what is asked of it."""

    reads = 0

    def read(self, size: int | None = -1) -> bytes:
        self.reads += 1
        return super().read(size)


def test_a_long_record_can_be_ended_between_any_two_readings() -> None:
    file = Counting(b'"' + b"\n" * LONGEST_RECORD_BYTES)
    told: list[tuple[bytes, int]] = []
    with pytest.raises(EndlessRecord):
        told.extend((block.data, file.reads) for block in blocks(file))
    assert len(told) >= LONGEST_RECORD_BYTES // BLOCK_BYTES - 1
    assert set(told) == {(b"", number + 1) for number in range(len(told))}


@pytest.mark.parametrize("content", [b'"a,b\n', b"a" * (MOST_HEADER_BYTES + 1), b'"' + b"\n" * MOST_HEADER_BYTES])
def test_a_header_without_an_end_is_not_read_whole(content: bytes) -> None:
    file = io.BytesIO(content + b"b" * MOST_HEADER_BYTES)
    with pytest.raises(EndlessRecord):
        first_record(file, MOST_HEADER_BYTES)
    assert file.tell() <= MOST_HEADER_BYTES + 5


def test_an_empty_file_has_no_first_record() -> None:
    assert first_record(io.BytesIO(b""), MOST_HEADER_BYTES) == b""
