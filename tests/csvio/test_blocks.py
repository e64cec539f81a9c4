"""Blocks of whole records, whatever their size."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salesforce_bulk_ingest.csvio.blocks import BLOCK_BYTES, blocks
from salesforce_bulk_ingest.csvio.records import LONGEST_RECORD_BYTES, EndlessRecord, RecordSplitter, is_blank, records
from tests.loading.making import csv_bytes, dialects, quotings, tables

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
    empty: list[tuple[bytes, int]] = []
    with pytest.raises(EndlessRecord):
        empty.extend((block.data, file.reads) for block in blocks(file))
    assert len(empty) >= LONGEST_RECORD_BYTES // BLOCK_BYTES - 1
    assert set(empty) == {(b"", number + 1) for number in range(len(empty))}
