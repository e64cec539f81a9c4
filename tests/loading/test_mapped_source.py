"""A source as it goes out: unchanged, or with the same cells in the dialect of the job."""

import tracemalloc
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from salesforce_bulk_ingest.base.errors import InvalidArgument
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.loading.mapped_source import open_upload_source
from salesforce_bulk_ingest.loading.mapping import ColumnMapping
from salesforce_bulk_ingest.loading.plan import make_plan
from salesforce_bulk_ingest.loading.row_filter import LeaveOut
from salesforce_bulk_ingest.loading.sources import Cell, Records, cell_text
from salesforce_bulk_ingest.salesforce.models import Job
from salesforce_bulk_ingest.validation.destination import Destination
from tests.loading.making import (
    UNCHANGED,
    Bytes,
    Quoting,
    csv_bytes,
    dialects,
    findings_of,
    plan_of,
    quotings,
    read_rows,
    sent_parts,
    tables,
    text,
    uploading,
)
from tests.validation.describing import CONTACT


@settings(deadline=None)
@given(tables(), dialects, dialects, quotings, st.data())
def test_mapped_rows_have_the_cells_of_the_source_in_the_dialect_of_the_job(
    table: list[list[str]], found: Dialect, job: Dialect, quoting: Quoting, data: st.DataObject
) -> None:
    header, *rows = table
    keep = data.draw(st.lists(st.sampled_from(range(len(header))), min_size=1, unique=True).map(sorted))
    new_names = {header[index]: f"F{index}__c" for index in keep}
    columns: dict[str, str | None] = {name: new_names.get(name) for name in header}
    mapping = ColumnMapping(columns=columns, constants={"Source__c": "file"}, values={f"F{keep[0]}__c": {"a": "b"}})
    # A header with none of the job's delimiters is read in the file's own.
    source = Bytes(csv_bytes([[f"H{n}" for n in range(len(header))]], found, quoting) + csv_bytes(rows, found, quoting))
    mapping = ColumnMapping(
        columns={f"H{index}": columns[name] for index, name in enumerate(header)},
        constants=mapping.constants,
        values=mapping.values,
    )
    # One column has no delimiter to be read off.
    delimiter = found.delimiter if len(header) == 1 else job.delimiter
    job = Dialect(delimiter, job.line_ending)
    planned = plan_of(source, mapping, Destination(delimiter=job.delimiter, line_ending=job.line_ending))
    (sent,) = sent_parts(planned)
    expected = [[row[index] for index in keep] for row in rows]
    expected = [[{"a": "b"}.get(row[0], row[0]), *row[1:], "file"] for row in expected]
    assert read_rows(sent, job) == [[f"F{index}__c" for index in keep] + ["Source__c"], *expected]
    assert sent.endswith(job.newline.encode())
    assert planned.rows == len(rows)


@settings(deadline=None)
@given(
    st.lists(
        st.dictionaries(text, st.one_of(st.none(), st.booleans(), st.integers(), text), min_size=1, max_size=4),
        min_size=1,
        max_size=6,
    ),
    dialects,
)
def test_records_come_out_of_a_csv_reader_with_the_same_cells(records: list[dict[str, Cell]], job: Dialect) -> None:
    destination = Destination(delimiter=job.delimiter, line_ending=job.line_ending)
    (sent,) = sent_parts(plan_of(Records(records), UNCHANGED, destination, preflight=False))
    names = list(dict.fromkeys(name for record in records for name in record))
    cells = [[cell_text(record[name]) if name in record else "" for name in names] for record in records]
    assert read_rows(sent, job) == [names, *cells]
    mapped = plan_of(Records(records), ColumnMapping(only=tuple(names)), destination, preflight=False)
    assert read_rows(b"".join(sent_parts(mapped)), job) == [names, *cells]


def test_what_is_not_asked_for_is_not_changed() -> None:
    content = b'Name;"x\n"\nA\xff;\n\n;"q"\n\n'
    for preflight in (True, False):
        assert sent_parts(plan_of(Bytes(content), UNCHANGED, Destination(), preflight=preflight)) == [content]


def test_bytes_that_are_not_utf_8_survive_a_mapping() -> None:
    planned = plan_of(Bytes(b"Name,Phone\nM\xfcller,1\n"), ColumnMapping(only=("Name",)), Destination())
    assert sent_parts(planned) == [b"Name\nM\xfcller\n"]


@pytest.mark.parametrize("ended", [True, False])
def test_the_dialect_is_that_of_the_data_where_the_job_does_not_say(ended: bool) -> None:
    content = b'"a,b,c";Phone\r\n1;2' + b"\r\n" * ended
    assert plan_of(Bytes(content), UNCHANGED, Destination()).dialect == Dialect("SEMICOLON", "CRLF")


def test_a_file_of_one_column_is_in_the_dialect_of_the_job() -> None:
    job = Job(id="750000000000001AAA", state="Open", column_delimiter="PIPE", operation="delete")
    planned = plan_of(Bytes(b"Id\n001000000000001AAA\n"), UNCHANGED, Destination.of_job(job))
    assert (planned.dialect, planned.findings) == (Dialect("PIPE", "LF"), ())


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(lambda: b",".join(b"N%d" % number for number in range(850_000)), id="names"),
        pytest.param(lambda: b"a," * 20_000, id="letters"),
        pytest.param(lambda: b"x" * 9_000_000, id="one"),
    ],
)
def test_a_header_that_is_none_costs_little_memory_and_one_finding(header: Callable[[], bytes]) -> None:
    source = Bytes(header() + b"\nAnn\n")
    tracemalloc.start()
    try:
        planned = plan_of(source, UNCHANGED, Destination("upsert", "Ext__c", describe=CONTACT))
        kept, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (len(planned.findings), planned.has_errors, planned.parts) == (1, True, ())
    assert kept < 1_000_000 and most < 64_000_000


def test_a_header_that_is_too_long_is_not_said_to_have_an_open_quote() -> None:
    assert findings_of(b"x" * 9_000_000 + b"\nAnn\n") == snapshot(
        [
            "error at 1 (1): The header goes on for more than 1,000,000 bytes. Look whether this is CSV with field names in its first line; if so, take columns out of the file."
        ]
    )


def test_a_file_that_is_gone_or_none_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(InvalidArgument):
            plan_of(uploading(path), UNCHANGED, Destination())


def test_a_source_is_opened_and_its_header_read_once_for_a_plan() -> None:
    source = _Opened(b"Name,Phone\nAnn,1\n")
    with open_upload_source(source, ColumnMapping(columns={"Phone": None}), Destination()) as upload:
        assert upload.mapped_source.output_names == ("Name",)
        (file,) = source.files
        assert file.tell() == upload.mapped_source.header.size
        assert make_plan(upload, Destination()).rows == 1
    assert [file.closed for file in source.files] == [True]


def test_a_source_without_a_header_says_why_and_has_no_columns() -> None:
    with open_upload_source(Bytes(b"\n\n"), UNCHANGED, Destination()) as upload:
        assert upload.unreadable is not None and upload.unreadable.what == "The first line is blank."
        assert upload.mapped_source.output_names == ()


def test_a_source_is_closed_where_a_mapping_does_not_fit_it() -> None:
    source = _Opened(b"Name\nAnn\n")
    with pytest.raises(InvalidArgument):
        open_upload_source(source, ColumnMapping(only=("Phone",)), Destination())
    assert [file.closed for file in source.files] == [True]


class _Opened(Bytes):
    """A source that keeps the files that were opened."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.files: list[BinaryIO] = []

    def open(self, dialect: Dialect) -> BinaryIO:
        self.files.append(super().open(dialect))
        return self.files[-1]


@pytest.mark.parametrize("columns", [{}, {"Name": "LastName"}])
def test_rows_are_found_again_by_their_lines_in_any_block(columns: dict[str, str | None]) -> None:
    rows = [[f"Name {number}", "two\nlines" if number % 3 == 0 else "one line"] for number in range(40_000)]
    starts = list(accumulate([2, *(1 + row[1].count("\n") for row in rows)]))
    mapping = ColumnMapping(columns=columns, leave_out=LeaveOut(cells={"LastName" if columns else "Name": ("Name 7",)}))
    planned = plan_of(Bytes(csv_bytes([["Name", "Site"], *rows])), mapping, Destination(), profiled=True)
    assert len(planned.blocks_at) > 2
    wanted = (0, 6, 8, 15_000, 39_999)
    lines = [starts[number] for number in wanted]
    found = planned.mapped_source.rows_on([*lines, starts[7], starts[0] + 1, 1, 10**6], planned.blocks_at)
    assert {line: list(row) for line, row in found.items()} == {starts[number]: rows[number] for number in wanted}
