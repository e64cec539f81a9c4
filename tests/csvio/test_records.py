"""CSV by record: the same records however the bytes come in, the same cells whatever is in them."""

import csv
import io
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from salesforce_bulk_ingest.csvio.records import (
    LONGEST_RECORD_BYTES,
    RecordSplitter,
    format_record,
    parse_record,
    parse_records,
)
from salesforce_bulk_ingest.salesforce.models import DELIMITERS

AWKWARD = "\r\n\x0b\x0c\x1c\x85\u2028\u2029\x00\"'`^,|;\t #N/A é字😀"
text = st.text(st.one_of(st.sampled_from(AWKWARD), st.characters(exclude_categories=["Cs"])), max_size=12)
cells = st.lists(text, min_size=1, max_size=5)


def _records(pieces: list[bytes]) -> list[bytes]:
    splitter = RecordSplitter()
    return [record for piece in pieces for record in splitter.feed(piece)] + splitter.flush()


@settings(deadline=None)
@given(st.binary(max_size=200) | text.map(str.encode), st.lists(st.integers(0, 200), max_size=10))
def test_the_pieces_in_which_bytes_come_make_no_difference(content: bytes, cuts: list[int]) -> None:
    places = [0, *sorted(cuts), max(len(content), 200)]
    assert _records([content[start:end] for start, end in pairwise(places)]) == _records([content])


@settings(deadline=None)
@given(st.lists(cells, max_size=8), st.sampled_from(sorted(DELIMITERS.values())), st.sampled_from(["\n", "\r\n"]))
def test_rows_written_by_a_csv_writer_come_back_one_record_each(
    rows: list[list[str]], delimiter: str, end: str
) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(rows)
    records = _records([out.getvalue().encode()])
    assert [parse_record(record, delimiter) for record in records] == [tuple(row) for row in rows]


@settings(deadline=None)
@given(cells)
def test_a_line_that_we_write_is_read_back_by_us_and_by_others(row: list[str]) -> None:
    line = format_record(row)
    assert line.endswith("\n")
    assert parse_record(line.encode(), ",") == tuple(row)
    assert list(csv.reader(io.StringIO(line, newline=""))) == [row]


@settings(deadline=None)
@given(st.binary(max_size=100), st.sampled_from(sorted(DELIMITERS.values())))
def test_no_record_is_too_malformed_to_be_shown(content: bytes, delimiter: str) -> None:
    assert all(parse_record(record, delimiter) for record in _records([content]))


@settings(deadline=None)
@given(
    st.lists(st.text('ab,"\r\n\u2028é').map(str.encode) | st.binary(max_size=20), max_size=8).map(b"\n".join),
    st.sampled_from(sorted(DELIMITERS.values())),
)
@example(b'a"b,"c\nd",e"f\n', ",")
@example(b'a,b\n"c"d,e\n', ",")
@example(b'a,b\n"c', ",")
def test_records_have_the_same_cells_together_and_one_by_one(content: bytes, delimiter: str) -> None:
    records = _records([content])
    assert parse_records(records, delimiter) == [parse_record(record, delimiter) for record in records]


@pytest.mark.parametrize(
    ("record", "shown"),
    [
        (b'a,"b', ('a,"b',)),
        (b'"a"b,c\n', ('"a"b,c',)),
        (b"a\rb,c\n", ("a\rb,c",)),
        (b"\xff,b\r\n", ("\ufffd", "b")),
        ("a\u2028b,c\x0bd\n".encode(), ("a\u2028b", "c\x0bd")),
        (b'a,"b\r\nc"\n', ("a", "b\r\nc")),
        (b"a,\n", ("a", "")),
    ],
)
def test_a_malformed_record_is_one_cell_with_its_text_and_others_are_not(record: bytes, shown: tuple[str, ...]) -> None:
    assert parse_record(record, ",") == shown


@pytest.mark.parametrize(
    ("content", "records"),
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
def test_a_record_ends_at_a_line_feed_outside_quotes(content: bytes, records: list[bytes]) -> None:
    assert _records([content]) == records


def test_after_an_unbalanced_quote_lines_are_taken_singly_again() -> None:
    line = b"x" * 1023 + b"\n"
    endless = b'"open\n' + line * (LONGEST_RECORD_BYTES // 1024 + 1) + b"a,b\nc,d\n"
    assert _records([endless])[-2:] == [b"a,b\n", b"c,d\n"]
