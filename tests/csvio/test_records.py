"""Records of CSV in bytes: the same records however the bytes come in."""

import io
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.csvio.header import MOST_HEADER_BYTES
from salesforce_bulk_ingest.csvio.records import (
    BLOCK_BYTES,
    LONGEST_RECORD_BYTES,
    Block,
    EndlessRecord,
    RecordSplitter,
    after_rows,
    blocks,
    count_rows,
    first_record,
    is_blank,
    last_record_end,
    records,
)
from tests.csvio.awkward import text
from tests.loading.making import Quoting, csv_bytes, dialects, quotings, tables

CHUNK = 1 << 16
contents = st.builds(csv_bytes, tables(), dialects, quotings)


def _split(pieces: list[bytes]) -> list[bytes]:
    splitter = RecordSplitter()
    return [record for piece in pieces for record in splitter.feed(piece)] + splitter.flush()


@settings(deadline=None)
@given(st.binary(max_size=200) | text.map(str.encode), st.lists(st.integers(0, 200), max_size=10))
def test_the_pieces_in_which_bytes_come_make_no_difference(content: bytes, cuts: list[int]) -> None:
    positions = [0, *sorted(cuts), max(len(content), 200)]
    assert _split([content[start:end] for start, end in pairwise(positions)]) == _split([content])


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", []),
        (b"\n\r\n\n", []),
        (b"a\nb", [b"a\n", b"b"]),
        (b"a\r\n\r\nb\r\n", [b"a\r\n", b"b\r\n"]),
        (b'"a\n\nb",c\nd\n', [b'"a\n\nb",c\n', b"d\n"]),
        (b'"a""\n",c\nd\n', [b'"a""\n",c\n', b"d\n"]),
        (b'""\n', [b'""\n']),
    ],
)
def test_a_record_ends_at_a_line_feed_outside_quotes(content: bytes, expected: list[bytes]) -> None:
    assert _split([content]) == expected


def _in_chunks(content: bytes) -> list[bytes]:
    return _split([content[start : start + CHUNK] for start in range(0, len(content), CHUNK)])


def test_after_an_unbalanced_quote_lines_are_taken_singly_again() -> None:
    line = b"x" * 1023 + b"\n"
    endless = b'"open\n' + line * (LONGEST_RECORD_BYTES // 1024 + 1) + b"a,b\nc,d\n"
    for found in (_split([endless]), _in_chunks(endless)):
        assert found[-2:] == [b"a,b\n", b"c,d\n"]
        assert b"".join(found) == endless
        assert LONGEST_RECORD_BYTES < len(found[0]) <= LONGEST_RECORD_BYTES + len(line)


def test_a_line_without_an_end_is_cut_where_it_is_longer_than_a_record() -> None:
    content = b'"' + b"x" * (3 * LONGEST_RECORD_BYTES) + b"\n" + b"a,b\n"
    found = _in_chunks(content)
    assert b"".join(found) == content
    assert max(map(len, found)) <= LONGEST_RECORD_BYTES + CHUNK
    assert found[-1] == b"a,b\n"


def test_quotes_without_a_line_end_are_read_as_fast_as_other_bytes() -> None:
    assert last_record_end(b'"' * 20_000_000) == 0


@given(st.binary(max_size=200) | text.map(str.encode), st.lists(st.integers(0, 200), max_size=10))
def test_with_blank_lines_no_byte_is_left_out(content: bytes, cuts: list[int]) -> None:
    splitter = RecordSplitter(keep_blank=True)
    positions = [0, *sorted(cuts), max(len(content), 200)]
    found = [record for start, end in pairwise(positions) for record in splitter.feed(content[start:end])]
    assert b"".join(found + splitter.flush()) == content == b"".join(records(content))


@given(contents, st.integers(0, 9))
def test_rows_are_counted_and_left_out_from_the_start(content: bytes, count: int) -> None:
    rows = [record for record in records(content) if not is_blank(record)]
    assert count_rows(content) == len(rows)
    left = [record for record in records(after_rows(content, count)) if not is_blank(record)]
    assert left == rows[count:]


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


@pytest.mark.slow
@pytest.mark.parametrize("content", [b'"a,b\n', b"a" * (MOST_HEADER_BYTES + 1), b'"' + b"\n" * MOST_HEADER_BYTES])
def test_a_header_without_an_end_is_not_read_whole(content: bytes) -> None:
    file = io.BytesIO(content + b"b" * MOST_HEADER_BYTES)
    with pytest.raises(EndlessRecord):
        first_record(file, MOST_HEADER_BYTES)
    assert file.tell() <= MOST_HEADER_BYTES + 5


@pytest.mark.parametrize("header", [b"ab,cd\n", b'"a\nb"\n', b"ab,cde"])
def test_the_first_record_may_have_as_many_bytes_as_are_allowed_and_no_more(header: bytes) -> None:
    assert first_record(io.BytesIO(header), 6) == header
    with pytest.raises(EndlessRecord):
        first_record(io.BytesIO(header), 5)


def test_an_empty_file_has_no_first_record() -> None:
    assert first_record(io.BytesIO(b""), MOST_HEADER_BYTES) == b""


contents = st.builds(csv_bytes, tables(), dialects, quotings)


@settings(deadline=None)
@given(contents, st.integers(1, 40))
def test_blocks_joined_are_the_file_and_each_ends_with_a_record(content: bytes, size: int) -> None:
    splitter = RecordSplitter()
    whole = splitter.feed(content) + splitter.flush()
    line, cut = 1, []
    for block in blocks(io.BytesIO(content), size=size):
        assert (block.first_line, block.quotes) == (line, block.data.count(b'"'))
        line += block.data.count(b"\n")
        cut += [record for record in records(block.data) if not is_blank(record)]
    assert cut == whole


@pytest.mark.parametrize(
    ("data", "plain"),
    [(b"a,b\nc,d\n", b"a,b\nc,d\n"), (b'"a","b"\n"c","d"\n', b"a,b\nc,d\n"), (b"a,b\r\nc,d\r\n", b"a,b\nc,d\n")],
)
def test_plain_lines_are_the_same_whatever_the_writer_put_around_cells_and_lines(data: bytes, plain: bytes) -> None:
    assert Block(data).plain_lines == Block(plain).lines == plain.split(b"\n")


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
