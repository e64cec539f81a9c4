"""Sources of rows: what they are as CSV, and what is refused before anything is read of it."""

import gzip
import os
import tracemalloc
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from salesforce_bulk_ingest.base.errors import InvalidArgument, TooLarge
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.loading.mapping import ColumnMapping
from salesforce_bulk_ingest.loading.sources import MAX_TEXT_BYTES, Cell, CsvText, Records, RowSource
from salesforce_bulk_ingest.validation.destination import Destination
from tests.loading.making import file_of, plan_of, uploading

COMMA_LF = Dialect()


def _read(source: RowSource, dialect: Dialect = COMMA_LF) -> bytes:
    with source.open(dialect) as file:
        return file.read()


def test_records_as_they_go_up() -> None:
    records: list[dict[str, Cell]] = [
        {"Name": 'Say "hi", Ann', "Active__c": True},
        {"Name": "two\nlines", "Amount": 1.5, "Phone": None},
        {},
    ]
    assert _read(Records(records), Dialect("SEMICOLON", "CRLF")).decode() == snapshot(
        '"Name";"Active__c";"Amount";"Phone"\r\n"Say ""hi"", Ann";"true";"";""\r\n"two\nlines";"";"1.5";"#N/A"\r\n"";"";"";""\r\n'
    )


def test_text_goes_up_as_it_is() -> None:
    given_text = '\ufeffName;"x\r\ny"\rZ,\nAnn\n\n'
    assert _read(CsvText(given_text)) == given_text.encode()


@pytest.mark.parametrize(
    ("csv_text", "rows"),
    [
        ("Name\nAnn", 1),
        ("Name\nAnn\n\nBob\n", 2),
        ("Name\r\nAnn\r\n", 1),
        ('Name\n"two\nlines"\n', 1),
        ("Name\nvertical\x0btab and\u2028separator\n", 1),
        (f"Name\n{'x' * 200_000}\nAnn", 2),
    ],
)
def test_rows_are_counted_as_salesforce_cuts_them(csv_text: str, rows: int) -> None:
    assert plan_of(CsvText(csv_text), ColumnMapping(), Destination()).rows == rows


@pytest.mark.parametrize("empty", ["", " \n\r\n"])
def test_no_text_is_refused(empty: str) -> None:
    with pytest.raises(InvalidArgument) as raised:
        _read(CsvText(empty))
    assert str(raised.value) == snapshot(
        "csv is empty: give a header row with field names, then one row for each record."
    )


@pytest.mark.parametrize("empty", [[], [{}], [{}, {}]])
def test_records_without_fields_are_refused(empty: list[dict[str, Cell]]) -> None:
    with pytest.raises(InvalidArgument) as raised:
        _read(Records(empty))
    assert str(raised.value) == snapshot(
        "records has no fields: give one object for each record, with field names as keys."
    )


@pytest.mark.parametrize("source", [CsvText("Name\nA\ud83d"), Records([{"Name": "A\ud83d"}])])
def test_half_a_character_is_refused(source: RowSource) -> None:
    with pytest.raises(InvalidArgument) as raised:
        _read(source)
    assert str(raised.value) == snapshot(
        'The rows hold "\\ud83d", half of a character, which can\'t be sent: remove or replace it.'
    )


def test_the_limit_is_in_bytes_and_holds_for_both_sources_in_a_call() -> None:
    fits = "N\n" + "é" * (MAX_TEXT_BYTES // 2 - 1)
    assert len(_read(CsvText(fits))) == MAX_TEXT_BYTES
    with pytest.raises(TooLarge) as raised:
        _read(CsvText(fits + "x"))
    assert str(raised.value) == snapshot(
        "These rows are over 4,000,000 bytes, the most that a tool call takes. Nothing was sent."
    )
    with pytest.raises(TooLarge):
        _read(Records([{"Name": fits}]))


def test_a_header_alone_is_refused_since_a_file_name_looks_the_same() -> None:
    for given_text in ("Name,Phone\n", "/home/ada/accounts.csv"):
        with pytest.raises(InvalidArgument, match="not a file's name"):
            _read(CsvText(given_text))


def test_records_that_would_fill_memory_with_empty_cells_are_refused_on_the_way() -> None:
    """Columns times records: 20,000 objects of one key each are 400 million cells."""
    records: list[dict[str, Cell]] = [{f"Field_{number}__c": 1} for number in range(20_000)]
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            _read(Records(records))
        assert tracemalloc.get_traced_memory()[1] < 64 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_a_file_is_unpacked_by_what_is_in_it_and_not_by_its_name(tmp_path: Path) -> None:
    rows = b"Name\nAcme\n"
    assert _read(uploading(file_of(tmp_path, gzip.compress(rows), "rows.csv"))) == rows
    assert _read(uploading(file_of(tmp_path, rows, "rows.csv.gz"))) == rows
    assert _read(uploading(file_of(tmp_path, b"", "empty.csv"))) == b""


def test_a_file_has_another_version_once_it_is_written_again(tmp_path: Path) -> None:
    source = uploading(path := file_of(tmp_path, b"Name\nAcme\n"))
    before = source.version()
    assert source.version() == before
    path.write_bytes(b"Name\nAcme\nOther\n")
    assert source.version() != before
    before, written = source.version(), path.stat()
    path.write_bytes(b"Name\nAcme\nAnother"[:15] + b"\n")
    os.utime(path, ns=(written.st_atime_ns, written.st_mtime_ns))
    assert path.stat().st_size == written.st_size and source.version() != before
