"""CSV that is written: what a reader gets back is what was written."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salesforce_bulk_ingest.csvio.cells import ParsedBlock, parse_block, parse_record
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.csvio.records import RecordSplitter
from salesforce_bulk_ingest.csvio.writer import block_bytes, csv_bytes, format_record, format_records
from salesforce_bulk_ingest.salesforce.models import DELIMITERS
from tests.csvio.awkward import cells
from tests.loading import making
from tests.loading.making import Quoting, dialects, quotings, tables


@settings(deadline=None)
@given(cells)
def test_a_line_that_we_write_is_read_back_by_us_and_by_others(row: list[str]) -> None:
    line = format_record(row)
    assert line.endswith("\n")
    assert parse_record(line.encode(), ",") == tuple(row)
    assert list(csv.reader(io.StringIO(line, newline=""))) == [row]


@settings(deadline=None)
@given(st.lists(cells, max_size=8), st.sampled_from(sorted(DELIMITERS.values())), st.sampled_from(["\n", "\r\n"]))
def test_rows_written_by_a_csv_writer_come_back_one_record_each(
    rows: list[list[str]], delimiter: str, end: str
) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(rows)
    splitter = RecordSplitter()
    records = splitter.feed(out.getvalue().encode()) + splitter.flush()
    assert [parse_record(record, delimiter) for record in records] == [tuple(row) for row in rows]


@given(tables(), dialects)
def test_rows_are_written_in_a_dialect_as_the_csv_module_writes_them(table: list[list[str]], dialect: Dialect) -> None:
    assert csv_bytes(table, dialect) == making.csv_bytes(table, dialect, csv.QUOTE_MINIMAL)


@settings(deadline=None, max_examples=4 * settings().max_examples)
@given(tables(), dialects, dialects, quotings)
def test_a_block_is_written_as_its_rows_are(
    table: list[list[str]], found: Dialect, dialect: Dialect, quoting: Quoting
) -> None:
    block = parse_block(making.csv_bytes(table, found, quoting).decode(), found, len(table[0]))
    columns = ParsedBlock(len(table[0]), block.find_lines, columns=list(zip(*table, strict=True)))
    written = csv_bytes(table, dialect)
    assert block_bytes(block, dialect) == block_bytes(columns, dialect) == written


@given(st.lists(st.lists(st.text('a,"\n\r;', max_size=3), min_size=1, max_size=3), max_size=4), dialects)
def test_rows_of_different_widths_are_written_with_all_their_cells(rows: list[list[str]], dialect: Dialect) -> None:
    assert block_bytes(ParsedBlock(2, lambda: (), rows=rows), dialect) == csv_bytes(rows, dialect)


@pytest.mark.parametrize(
    ("cell", "written"),
    [("a", "a"), ("a,b", '"a,b"'), ('a"b', '"a""b"'), ("a\rb", '"a\rb"'), ("a\nb", '"a\nb"'), ("a;b", "a;b")],
)
def test_a_cell_is_quoted_only_where_it_must_be(cell: str, written: str) -> None:
    assert format_record([cell, "x"]) == f"{written},x\n"
    assert format_records([[cell, "x"]], newline="\r\n") == f"{written},x\r\n"


def test_bytes_that_are_not_utf_8_are_written_as_they_were_read() -> None:
    assert csv_bytes([[b"M\xfcller".decode(errors="surrogateescape")]], Dialect()) == b"M\xfcller\n"


def test_no_rows_are_no_text() -> None:
    assert format_records([]) == ""
