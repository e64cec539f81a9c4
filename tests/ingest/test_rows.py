"""Rows on their way in."""

import csv
import io
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from salesforce_bulk_ingest.ingest.csv_records import RecordSplitter
from salesforce_bulk_ingest.ingest.errors import InvalidArgument, TooLarge
from salesforce_bulk_ingest.ingest.rows import MAX_TEXT_BYTES, Cell, CsvText, Records
from salesforce_bulk_ingest.salesforce.models import DELIMITERS, LINE_ENDINGS, Job
from tests.ingest.test_csv_records import text

jobs = st.builds(
    Job,
    id=st.just("750000000000001AAA"),
    state=st.just("Open"),
    column_delimiter=st.sampled_from([None, *DELIMITERS]),
    line_ending=st.sampled_from([None, *LINE_ENDINGS]),
)
JOB = Job(id="750000000000001AAA", state="Open")
values = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), text)


def _as_cell(value: Cell) -> str:
    match value:
        case None:
            return "#N/A"
        case bool():
            return str(value).lower()
    return str(value)


@settings(deadline=None)
@given(st.lists(st.dictionaries(text, values, min_size=1, max_size=4), min_size=1, max_size=6), jobs)
def test_records_come_out_of_a_csv_reader_with_the_same_cells(records: list[dict[str, Cell]], job: Job) -> None:
    source = Records(records)
    content = source.encode(job)
    header, *rows = csv.reader(io.StringIO(content.decode(), newline=""), delimiter=job.delimiter)
    assert header == list(dict.fromkeys(name for record in records for name in record))
    assert rows == [[_as_cell(record[name]) if name in record else "" for name in header] for record in records]
    assert source.count_rows(job) == len(records)
    assert content.endswith(b"\r\n") == (job.line_ending == "CRLF")


@settings(deadline=None)
@given(st.lists(st.dictionaries(text, values, min_size=1, max_size=3), min_size=1, max_size=6), jobs)
def test_records_are_cut_into_the_same_records_again(records: list[dict[str, Cell]], job: Job) -> None:
    content = Records(records).encode(job)
    splitter = RecordSplitter()
    assert len(splitter.feed(content) + splitter.flush()) == len(records) + 1
    assert CsvText(content.decode()).count_rows(job) == len(records)


def test_records_as_they_go_up() -> None:
    records: list[dict[str, Cell]] = [
        {"Name": 'Say "hi", Ann', "Active__c": True},
        {"Name": "two\nlines", "Amount": 1.5, "Phone": None},
        {},
    ]
    semicolons = Job(id="750000000000001AAA", state="Open", column_delimiter="SEMICOLON", line_ending="CRLF")
    assert Records(records).encode(semicolons).decode() == snapshot(
        '"Name";"Active__c";"Amount";"Phone"\r\n"Say ""hi"", Ann";"true";"";""\r\n"two\nlines";"";"1.5";"#N/A"\r\n"";"";"";""\r\n'
    )


def test_text_goes_up_as_it_is() -> None:
    given_text = '\ufeffName;"x\r\ny"\rZ,\nAnn\n\n'
    assert CsvText(given_text).encode(JOB) == given_text.encode()


@pytest.mark.parametrize(
    ("csv_text", "rows"),
    [
        ("Name\nAnn", 1),
        ("Name\nAnn\n\nBob\n", 2),
        ("Name\r\nAnn\r\n", 1),
        ('Name\n"two\nlines"\n', 1),
        ("Name\nvertical\x0btab and\u2028separator\n", 1),
        ("Name", 0),
        (f"Name\n{'x' * 200_000}\nAnn", 2),
    ],
)
def test_rows_are_counted_as_salesforce_cuts_them(csv_text: str, rows: int) -> None:
    assert CsvText(csv_text).count_rows(JOB) == rows


@pytest.mark.parametrize("empty", ["", " \n\r\n"])
def test_no_text_is_refused(empty: str) -> None:
    with pytest.raises(InvalidArgument) as raised:
        CsvText(empty).encode(JOB)
    assert str(raised.value) == snapshot(
        "body.csv is empty: give a header row with field names, then one row for each record."
    )


@pytest.mark.parametrize("empty", [[], [{}], [{}, {}]])
def test_records_without_fields_are_refused(empty: list[dict[str, Cell]]) -> None:
    with pytest.raises(InvalidArgument) as raised:
        Records(empty).encode(JOB)
    assert str(raised.value) == snapshot(
        "body.records has no fields: give one object for each record, with field names as keys."
    )


@pytest.mark.parametrize("source", [CsvText("Name\nA\ud83d"), Records([{"Name": "A\ud83d"}])])
def test_half_a_character_is_refused(source: CsvText | Records) -> None:
    with pytest.raises(InvalidArgument) as raised:
        source.encode(JOB)
    assert str(raised.value) == snapshot(
        "The rows hold '\\ud83d', half of a character, which can't be sent: remove or replace it."
    )


def test_the_limit_is_in_bytes_and_holds_for_both_sources() -> None:
    fits = "N\n" + "é" * (MAX_TEXT_BYTES // 2 - 1)
    assert len(CsvText(fits).encode(JOB)) == MAX_TEXT_BYTES
    with pytest.raises(TooLarge) as raised:
        CsvText(fits + "x").encode(JOB)
    assert str(raised.value) == snapshot(
        "These rows are over 4,000,000 bytes, the most that a tool call takes. Nothing was sent."
    )
    with pytest.raises(TooLarge):
        Records([{"Name": fits}]).encode(JOB)


def test_a_header_alone_is_refused_since_a_file_name_looks_the_same() -> None:
    for given_text in ("Name,Phone\n", "/home/ada/accounts.csv"):
        with pytest.raises(InvalidArgument, match="not a file's name"):
            CsvText(given_text).encode(JOB)


def test_records_that_would_fill_memory_with_empty_cells_are_refused_on_the_way() -> None:
    """Columns times records: 20,000 objects of one key each are 400 million cells."""
    records: list[dict[str, Cell]] = [{f"Field_{number}__c": 1} for number in range(20_000)]
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            Records(records).encode(JOB)
        assert tracemalloc.get_traced_memory()[1] < 64 * 1024 * 1024
    finally:
        tracemalloc.stop()
