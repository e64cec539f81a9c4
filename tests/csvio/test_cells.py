"""Cells of records: the same however they are parsed."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from salesforce_bulk_ingest.csvio import cells as reading
from salesforce_bulk_ingest.csvio.cells import (
    ParsedBlock,
    parse_block,
    parse_quoted_records,
    parse_record,
    parse_records,
    parse_rows,
)
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.csvio.records import RecordSplitter
from salesforce_bulk_ingest.salesforce.models import DELIMITERS
from tests.loading.making import Quoting, csv_bytes, dialects, quotings, read_rows, tables

LF, CRLF = Dialect(), Dialect(line_ending="CRLF")
malformed = st.text(st.sampled_from('a,"\n\r\0\1'), max_size=30)


@settings(deadline=None)
@given(tables(), dialects, quotings)
def test_a_block_has_the_cells_that_the_csv_module_reads(
    table: list[list[str]], dialect: Dialect, quoting: Quoting
) -> None:
    content = csv_bytes(table, dialect, quoting)
    width = len(table[0])
    block = parse_block(content.decode(), dialect, width)
    assert [list(block.row(index)) for index in range(len(table))] == table
    assert list(map(list, block.rows)) == read_rows(content, dialect) == table
    assert len(block) == len(table)
    assert [list(block.column(index)) for index in range(width)] == list(map(list, zip(*table, strict=True)))
    assert not block.is_ragged


@settings(deadline=None)
@given(tables(), dialects, quotings, st.integers(1, 1000))
def test_the_line_of_a_row_is_where_its_text_begins(
    table: list[list[str]], dialect: Dialect, quoting: Quoting, first_line: int
) -> None:
    content = csv_bytes(table, dialect, quoting).decode()
    block = parse_block(content, dialect, len(table[0]), first_line)
    lines = [first_line + csv_bytes(table[:number], dialect, quoting).count(b"\n") for number in range(len(table))]
    assert [block.line_of(number) for number in range(len(block))] == lines


@settings(deadline=None)
@given(tables(), dialects, quotings, st.lists(st.integers(0, 20), min_size=9, max_size=9))
def test_blank_lines_are_no_rows_and_count_as_lines(
    table: list[list[str]], dialect: Dialect, quoting: Quoting, runs: list[int]
) -> None:
    text, lines = "", []
    for row, run in zip(table, runs, strict=False):
        text += dialect.newline * run
        lines.append(1 + text.count("\n"))
        text += csv_bytes([row], dialect, quoting).decode()
    block = parse_block(text + dialect.newline * 9, dialect, len(table[0]))
    assert list(map(list, block.rows)) == table
    assert list(block.lines) == lines


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_runs_of_blank_lines_leave_little_to_read(newline: str) -> None:
    run = newline * 100_000
    text = f'{run}a,"b{run}"{newline}{run}c,d{run}'
    assert len(reading._without_blank_lines(text, newline)) < len(run) + 20
    assert list(map(list, parse_block(text, LF if newline == "\n" else CRLF, 2).rows)) == [["a", f"b{run}"], ["c", "d"]]


@settings(deadline=None, max_examples=4 * settings().max_examples)
@given(malformed)
def test_splitting_is_done_only_where_it_reads_what_the_csv_module_reads(text: str) -> None:
    for dialect in (LF, CRLF):
        block = parse_block(text, dialect, 2)
        assert list(map(list, block.rows)) == parse_rows(text, ",")
        assert len(block.lines) == len(block)
        if block.is_line_by_line:
            ended = text.removesuffix(dialect.newline) + dialect.newline
            assert ended.count("\n") == ended.count(dialect.newline) == len(block)
            assert ended.count("\r") == (len(block) if dialect == CRLF else 0)


@settings(deadline=None, max_examples=4 * settings().max_examples)
@given(malformed.map(lambda text: text.replace("\r", "")))
def test_reading_patiently_is_reading_as_the_csv_module_does(text: str) -> None:
    patient = [row for _, row in reading._parse_patiently(text, ",")]
    assert patient == parse_rows(text, ",")


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a\rb,c\n", [["a\rb", "c"]]),
        ("a,b\r\nc,d", [["a", "b"], ["c", "d"]]),
        ('"a"b,c\n', [["ab", "c"]]),
        ("\n\na,b\n\r\n", [["a", "b"]]),
        ('"a\n', [["a\n"]]),
        (f"a,{'x' * 200_000}\n", [["a", "x" * 200_000]]),
        (f'a,"{"x" * 200_000}"""\n', [["a", "x" * 200_000 + '"']]),
        ("a,", [["a", ""]]),
        ("", []),
    ],
)
def test_text_that_the_csv_module_refuses_has_cells_too(text: str, rows: list[list[str]]) -> None:
    assert parse_rows(text, ",") == rows


@pytest.mark.parametrize(
    "text", ["a,b\nc,d\n", '"a","b"\n"c","d"\n', 'a,b\nc,"d"\nc\n'], ids=["split", "quoted", "rows"]
)
def test_a_block_knows_whether_one_of_some_cells_is_in_it(text: str) -> None:
    block = parse_block(text, LF, 2)
    columns = ParsedBlock(2, lambda: (), columns=[block.column(0), block.column(1)])
    for each in (block, columns):
        assert each.has_any(frozenset(["x", "d"])) and not each.has_any(frozenset(["x", "ab"]))


def test_a_row_that_is_too_narrow_has_empty_cells_in_its_last_columns() -> None:
    block = parse_block("a,b\nc\nd,e,f\n", LF, 2)
    assert block.is_ragged
    assert list(block.column(1)) == ["b", "", "e"]


@pytest.mark.parametrize("text", ["a,b\nc,d\n", '"a","b"\n"c","d"\n', '"a,","b\n"\n"c",""\n'])
def test_text_of_the_two_usual_forms_is_split(text: str) -> None:
    assert parse_block(text, LF, 2).is_split
    if "b\n" not in text.replace("b\nc", ""):
        assert parse_block(text.replace("\n", "\r\n"), CRLF, 2).is_split


@pytest.mark.parametrize("dialect", [LF, CRLF], ids=["LF", "CRLF"])
@pytest.mark.parametrize(
    ("text", "is_line_by_line"),
    [
        ("a,b\nc,d\n", True),
        ("a,b\nc,d", True),
        ('"a","b"\n"c","d"\n', True),
        ('"a","b\n"\n"c","d"\n', False),
        ('"a","b\r"\n"c","d"\n', False),
        ("a,b\n\nc,d\n", False),
        ('a,"b"\nc,d\n', False),
    ],
)
def test_a_block_knows_whether_its_text_is_line_by_line(text: str, dialect: Dialect, is_line_by_line: bool) -> None:
    assert parse_block(text.replace("\n", dialect.newline), dialect, 2).is_line_by_line == is_line_by_line


# Single records.


def _records(content: bytes) -> list[bytes]:
    splitter = RecordSplitter()
    return splitter.feed(content) + splitter.flush()


@settings(deadline=None)
@given(
    st.integers(1, 3).flatmap(
        lambda width: st.lists(st.tuples(*[st.text('a,;"\n\r\0é', max_size=4)] * width), min_size=1, max_size=5)
    ),
    st.sampled_from(["\n", "\r\n"]),
)
def test_records_in_which_each_cell_is_quoted_have_the_cells_that_were_written(
    rows: list[tuple[str, ...]], newline: str
) -> None:
    texts = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) + newline for row in rows]
    assert parse_records([text.encode() for text in texts], ",") == rows


PIECES = [
    b'"a","b"\n',
    b'"a\nb",""\n',
    b'"a"\n',
    b'"a","b"\r\n',
    b'"a""b","c"\n',
    b"\n",
    b'"a\n',
    b'b"\n',
    b'"a","\0"\n',
    b"a\n",
]


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join) | st.text('",\n\r\0é', max_size=12).map(str.encode))
@example(b'"a","b"\n"c\nd","e"\n')
def test_records_that_are_split_together_are_those_that_are_found_one_by_one(content: bytes) -> None:
    records = _records(content)
    found = parse_quoted_records(content, len(records), ",")
    assert found is None or found == [parse_record(record, ",") for record in records]


@settings(deadline=None)
@given(st.binary(max_size=100), st.sampled_from(sorted(DELIMITERS.values())))
def test_no_record_is_too_malformed_to_be_shown(content: bytes, delimiter: str) -> None:
    assert all(parse_record(record, delimiter) for record in _records(content))


@settings(deadline=None)
@given(
    st.lists(st.text('ab,"\r\n\u2028é').map(str.encode) | st.binary(max_size=20), max_size=8).map(b"\n".join),
    st.sampled_from(sorted(DELIMITERS.values())),
)
@example(b'a"b,"c\nd",e"f\n', ",")
@example(b'a,b\n"c"d,e\n', ",")
@example(b'a,b\n"c', ",")
def test_records_have_the_same_cells_together_and_one_by_one(content: bytes, delimiter: str) -> None:
    records = _records(content)
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
