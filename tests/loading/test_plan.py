"""Plans: what is said of a source before it goes out, how it is cut, and the bytes that then go out."""

import gzip
import hashlib
import io
import tracemalloc
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from salesforce_bulk_ingest.base.errors import InvalidArgument, SourceChanged
from salesforce_bulk_ingest.base.findings import Finding
from salesforce_bulk_ingest.csvio.blocks import BLOCK_BYTES
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.loading.mapping import ColumnMapping
from salesforce_bulk_ingest.loading.part_content import part_content
from salesforce_bulk_ingest.loading.plan import Plan
from salesforce_bulk_ingest.loading.sources import Cell, Records, RowSource, cell_text
from salesforce_bulk_ingest.salesforce.models import Job
from salesforce_bulk_ingest.validation.destination import Destination
from tests.loading.making import (
    Bytes,
    Quoting,
    csv_bytes,
    dialects,
    file_of,
    plan_of,
    quotings,
    read_rows,
    tables,
    text,
    uploading,
)
from tests.validation.describing import CONTACT

UNCHANGED = ColumnMapping()
COMMA_LF = Destination(delimiter="COMMA", line_ending="LF")


def _sent(planned: Plan) -> list[bytes]:
    return [b"".join(part_content(planned, part.number)) for part in planned.parts]


def _findings(content: bytes, destination: Destination = COMMA_LF, shape: ColumnMapping = UNCHANGED) -> list[str]:
    return list(map(_shown, plan_of(Bytes(content), shape, destination).findings))


def _shown(finding: Finding) -> str:
    where = f" {finding.column}" if finding.column is not None else ""
    lines = f" at {', '.join(map(str, finding.lines))}" if finding.lines else ""
    return f"{finding.level}{where}{lines} ({finding.count}): {finding.what} {finding.do}"


# Cutting.


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
    sent = _sent(planned)
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
@given(tables(), dialects, quotings, st.integers(0, 60))
def test_parts_of_shaped_rows_joined_are_the_shaped_rows(
    table: list[list[str]], dialect: Dialect, quoting: Quoting, room: int
) -> None:
    source = Bytes(csv_bytes(table, dialect, quoting))
    shape = ColumnMapping(constants={"Constant__c": "1"})
    job = Destination(delimiter=dialect.delimiter)
    whole = plan_of(source, shape, job)
    (at_once,) = _sent(whole)
    header, *rows = [csv_bytes([[*row, "1"]], dialect, 0) for row in table]
    header = csv_bytes([[*table[0], "Constant__c"]], dialect, 0)
    assert header + b"".join(rows) == at_once
    cut = plan_of(source, shape, replace(job, limit=len(header) + max(room, 1, *map(len, rows))))
    assert header + b"".join(part.removeprefix(header) for part in _sent(cut)) == at_once
    assert cut.sha256 == whole.sha256 == hashlib.sha256(at_once).hexdigest()


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


@pytest.mark.parametrize(
    "shape", [UNCHANGED, ColumnMapping(constants={"Constant__c": "1"})], ids=["unchanged", "shaped"]
)
def test_a_part_costs_the_reading_of_that_part(shape: ColumnMapping) -> None:
    rows = b"".join(b'%d,"two\nlines, ""%d"""\n' % (number, number) for number in range(80_000))
    source = _Counted(b"Name,Description\n" + rows)
    destination = Destination(limit=500_000)
    cut = plan_of(source, shape, destination)
    (whole,) = _sent(plan_of(source, shape, replace(destination, limit=100_000_000)))
    header = whole[: whole.index(b"\n") + 1]
    parts = []
    for part in cut.parts:
        source.streams.clear()
        parts.append(b"".join(part_content(cut, part.number)))
        (stream,) = source.streams
        assert stream.count < 500_000 + 3 * BLOCK_BYTES
    assert len(parts) >= 5
    assert header + b"".join(part.removeprefix(header) for part in parts) == whole


def test_a_row_that_does_not_fit_a_part_is_an_error_with_its_line() -> None:
    content = b"Name\na\n" + b"b" * 50 + b"\nc\n"
    destination = Destination(limit=40)
    assert _findings(content, destination) == snapshot(
        ["error at 3 (1): A row and the header are more than the 40 bytes of an upload. Shorten it."]
    )
    with pytest.raises(InvalidArgument) as raised:
        plan_of(Bytes(content), UNCHANGED, destination, preflight=False)
    assert str(raised.value) == snapshot(
        "Line 3: A row and the header are more than the 40 bytes of an upload. Shorten it."
    )


# The shape.


@settings(deadline=None)
@given(tables(), dialects, dialects, quotings, st.data())
def test_shaped_rows_have_the_cells_of_the_source_in_the_dialect_of_the_job(
    table: list[list[str]], found: Dialect, job: Dialect, quoting: Quoting, data: st.DataObject
) -> None:
    header, *rows = table
    keep = data.draw(st.lists(st.sampled_from(range(len(header))), min_size=1, unique=True).map(sorted))
    new_names = {header[place]: f"F{place}__c" for place in keep}
    columns: dict[str, str | None] = {name: new_names.get(name) for name in header}
    shape = ColumnMapping(columns=columns, constants={"Source__c": "file"}, values={f"F{keep[0]}__c": {"a": "b"}})
    # A header with none of the job's delimiters is read in the file's own.
    source = Bytes(csv_bytes([[f"H{n}" for n in range(len(header))]], found, quoting) + csv_bytes(rows, found, quoting))
    shape = ColumnMapping(
        columns={f"H{place}": columns[name] for place, name in enumerate(header)},
        constants=shape.constants,
        values=shape.values,
    )
    # One column has no delimiter to be read off.
    delimiter = found.delimiter if len(header) == 1 else job.delimiter
    job = Dialect(delimiter, job.line_ending)
    planned = plan_of(source, shape, Destination(delimiter=job.delimiter, line_ending=job.line_ending))
    (sent,) = _sent(planned)
    expected = [[row[place] for place in keep] for row in rows]
    expected = [[{"a": "b"}.get(row[0], row[0]), *row[1:], "file"] for row in expected]
    assert read_rows(sent, job) == [[f"F{place}__c" for place in keep] + ["Source__c"], *expected]
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
    (sent,) = _sent(plan_of(Records(records), UNCHANGED, destination, preflight=False))
    names = list(dict.fromkeys(name for record in records for name in record))
    cells = [[cell_text(record[name]) if name in record else "" for name in names] for record in records]
    assert read_rows(sent, job) == [names, *cells]
    shaped = plan_of(Records(records), ColumnMapping(only=tuple(names)), destination, preflight=False)
    assert read_rows(b"".join(_sent(shaped)), job) == [names, *cells]


def test_what_is_not_asked_for_is_not_changed() -> None:
    content = b'Name;"x\n"\nA\xff;\n\n;"q"\n\n'
    for preflight in (True, False):
        assert _sent(plan_of(Bytes(content), UNCHANGED, Destination(), preflight=preflight)) == [content]


def test_bytes_that_are_not_utf_8_survive_a_shape() -> None:
    planned = plan_of(Bytes(b"Name,Phone\nM\xfcller,1\n"), ColumnMapping(only=("Name",)), Destination())
    assert _sent(planned) == [b"Name\nM\xfcller\n"]


def test_a_row_that_is_too_wide_stays_too_wide_and_one_that_is_narrow_is_filled() -> None:
    planned = plan_of(Bytes(b"A,B,C\n1,2,3,4\n1\n"), ColumnMapping(columns={"B": None}), Destination())
    assert _sent(planned) == [b"A,C\n1,3,4\n1,\n"]


def test_constants_and_only_choose_and_replace_columns() -> None:
    shape = ColumnMapping(constants={"B": "x", "D": "y"}, only=("D", "A", "B"))
    assert _sent(plan_of(Bytes(b"A,B,C\n1,2,3\n"), shape, Destination())) == [b"A,B,D\n1,x,y\n"]


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (
            ColumnMapping(columns={"Nmae": "Name"}),
            snapshot("columns names 'Nmae', which is not a column here. Did you mean 'Name'?"),
        ),
        (
            ColumnMapping(columns={"Zzz": None}),
            snapshot('columns names \'Zzz\', which is not a column here. There are: "Name", "Phone".'),
        ),
        (
            ColumnMapping(values={"Name": {"a": "b"}}, columns={"Name": "LastName"}),
            snapshot("values names 'Name', which is not a column here. Did you mean 'LastName'?"),
        ),
        (
            ColumnMapping(columns={"Name": None, "Phone": None}),
            snapshot("The shape leaves no column: name at least one to keep."),
        ),
        (
            ColumnMapping(columns={"Name": "Phone"}),
            snapshot("'Name' and 'Phone' both become 'Phone': set one of them to null in columns."),
        ),
        (
            ColumnMapping(constants={"Phone": "1"}, values={"Phone": {"1": "2"}}),
            snapshot(
                "set gives every row the same 'Phone', so values has nothing to replace there: leave it out of values, or out of set to replace what the column holds."
            ),
        ),
        (
            ColumnMapping(only=("Fax",)),
            snapshot('only names \'Fax\', which is not a column here. There are: "Name", "Phone".'),
        ),
    ],
)
def test_a_shape_that_does_not_fit_is_refused(shape: ColumnMapping, message: str) -> None:
    with pytest.raises(InvalidArgument) as raised:
        plan_of(Bytes(b"Name,Phone\nAnn,1\n"), shape, Destination())
    assert str(raised.value) == message


def test_long_names_are_cut_in_what_is_said_of_a_shape() -> None:
    long = b"N" * 400_000
    for shape in (
        ColumnMapping(only=("N" * 400_000,)),
        ColumnMapping(columns={"N" * 400_000 + "1": "N" * 400_000 + "2"}),
    ):
        with pytest.raises(InvalidArgument) as raised:
            plan_of(Bytes(long + b"1," + long + b"2\nAnn,1\n"), shape, Destination())
        assert len(str(raised.value)) < 400


# What create leaves out is filled in from the data.


@pytest.mark.parametrize("ended", [True, False])
def test_the_dialect_is_that_of_the_data_where_the_job_does_not_say(ended: bool) -> None:
    content = b'"a,b,c";Phone\r\n1;2' + b"\r\n" * ended
    assert plan_of(Bytes(content), UNCHANGED, Destination()).dialect == Dialect("SEMICOLON", "CRLF")


def test_a_file_of_one_column_is_in_the_dialect_of_the_job() -> None:
    job = Job(id="750000000000001AAA", state="Open", column_delimiter="PIPE", operation="delete")
    planned = plan_of(Bytes(b"Id\n001000000000001AAA\n"), UNCHANGED, Destination.of_job(job))
    assert (planned.dialect, planned.findings) == (Dialect("PIPE", "LF"), ())


# Findings.


def test_rows_in_order_have_no_findings() -> None:
    assert _findings(b'Id,Name\n001000000000001AAA,"Ann ""A"""\n001000000000002AAA,"=1+1\n"\n') == []


@pytest.mark.parametrize(
    ("content", "findings"),
    [
        (b"\xef\xbb\xbfName\nAnn\n", snapshot(['warning at 1 (1): It begins with a byte order mark, which is left out. Nothing is to be done; sent, it would be a part of the first name.'])),
        ("Name\nÄnn\n".encode("utf-16"), snapshot(['error (1): It is in UTF-16, not UTF-8. Save it as CSV in UTF-8.'])),
        ("Name\nÄnn\n".encode("utf-16-le"), snapshot(['error (1): It holds NUL characters, as UTF-16 and binary files do. Save it as CSV in UTF-8.'])),
        (b"Name\nM\xfcller\nx\nJos\xe9\n", snapshot(['error at 2, 4 (2): Bytes are not UTF-8: their characters would be lost, and no row would fail for it. Save the file in UTF-8.'])),
        (b"N\xe4me\nx\n", snapshot(['error at 1 (1): The header is not UTF-8, so its names are unknown fields. Save the file in UTF-8.'])),
        (b"PK\x03\x04\x14\x00\x06\x00", snapshot(['error (1): It is an Excel workbook or a zip file, not CSV. Save it as CSV in UTF-8.'])),
        (b"", snapshot(['error at 1 (1): It is empty. Give a header row with field names, then one row for each record.'])),
        (b"\nName\nAnn\n", snapshot(['error at 1 (1): The first line is blank. Begin with the header row.'])),
        (b"Name,Phone\n", snapshot(['error (1): There is a header and no row. Add a row for each record.'])),
        (b"Name,Phone", snapshot(['error (1): There is a header and no row. Add a row for each record.'])),
        (b"Name,Phone\rAnn,1\rBob,2\r", snapshot(['error at 1 (1): Lines end in a carriage return alone, which Salesforce does not take. Save it with lines that end in LF or CRLF.'])),
        (b"Name,Phone\nAnn,1\r\nBob,2\n", snapshot(['error at 2 (1): Lines end in more than one way, the first in LF: the job fails. End all lines in one way.'])),
        (b"Name,Phone\nAnn,1\rBob,2\n", snapshot(['error at 2 (1): Lines end in more than one way, the first in LF: the job fails. End all lines in one way.', "warning at 2 (1): Rows have more cells than the header's 2: Salesforce refuses them. Quote values that hold the delimiter."])),
        (b'Name,Phone\nAnn,"1\r\n2"\nBob,2\n', snapshot(["warning at 2 (1): Values hold line breaks of another kind than the file's, for which some orgs fail the whole job. If the job fails with LineEnding is invalid, write one kind throughout."])),
        (b"Name;Phone\r\nAnn;1\r\n", snapshot(["error at 1 (1): It is written with columnDelimiter SEMICOLON, and the job's is COMMA: the job fails. Make a job with columnDelimiter SEMICOLON, or ask for a shape, such as only: rows are then written anew.", "error at 1 (1): It is written with lineEnding CRLF, and the job's is LF: the job fails. Make a job with lineEnding CRLF, or ask for a shape, such as only: rows are then written anew."])),
        (b'Name,Size\nPipe,5" long\nRod,"6"" long"\n', snapshot(['error at 2 (1): A quote is opened in this row and not closed, or not doubled: the job fails. Write the value in quotes, and each quote in it twice: "5"" pipe".'])),
        (b'Name,Size\nPipe,5" long\nRod,6" long\n', snapshot(['error at 2, 3 (2): A value has a quote in it without being quoted as a whole, or text beside its quotes: the job fails. Write the value in quotes, and each quote in it twice: "5"" pipe".'])),
        (b'Name,Size\nPipe,"5"\nRod,"6\nBar,7\n', snapshot(['error at 3 (1): A quote is opened in this row and not closed, or not doubled: the job fails. Write the value in quotes, and each quote in it twice: "5"" pipe".'])),
        (b'Name,Size\n"a", "b"\n', snapshot(['error at 2 (1): A value has a quote in it without being quoted as a whole, or text beside its quotes: the job fails. Write the value in quotes, and each quote in it twice: "5"" pipe".'])),
        (b'"Name\nAnn\n', snapshot(['error at 1 (1): The header has no end: a quote in it is never closed. Close it.'])),
        (b"Name,Phone\nAnn\n\nBob,1,2\n,,\n", snapshot(["warning at 2 (1): Rows have fewer cells than the header's 2. Look whether a cell is missing in the middle.", "warning at 4, 5 (2): Rows have more cells than the header's 2: Salesforce refuses them. Quote values that hold the delimiter."])),
        (b"Name,,name\nAnn,1,2\n", snapshot(['error at 1 (1): A column has no name, which fails the whole job. Name it, or set it to null in columns.', 'error name at 1 (1): 2 columns have this name, and only one can stand for a field. Rename or remove the others.'])),
        (b"Name\nA\0nn\n", snapshot(['warning at 2 (1): Values hold NUL characters, which are no text. Remove them.'])),
        (b"Name," + b"x" * 32_000 + b"\na,b\n", snapshot(['error at 1 (1): The header has 32,005 characters, and Salesforce takes 32,000. Leave columns out: name those to keep in only.'])),
        (b"," .join(b"F%d" % n for n in range(5_001)) + b"\n" + b"," * 5_000 + b"\n", snapshot(['error at 1 (1): There are 5,001 columns, and Salesforce takes 5,000. Leave columns out: name those to keep in only.'])),
        (b"Name,Text\na,b\nc," + b"x" * 131_073 + b"\n", snapshot(['error Text at 3 (1): Cells have over 131,072 characters, the most that Salesforce takes: the job fails. Shorten them.'])),
        (b"Name,Text\na,b\nc,\"" + b"xx\n" * 140_000 + b"\"\n", snapshot(['error at 3 (1): Rows have over 400,000 characters, the most that Salesforce takes: the job fails. Shorten cells, or leave columns out.', 'error Text at 3 (1): Cells have over 131,072 characters, the most that Salesforce takes: the job fails. Shorten them.'])),
    ],
    ids=lambda content: repr(content[:30]) if isinstance(content, bytes) else "",
)  # fmt: skip
def test_findings_say_where_and_what_to_do(content: bytes, findings: list[str]) -> None:
    assert _findings(content) == findings


def test_all_lines_that_end_wrong_are_counted_and_the_first_are_told() -> None:
    content = b"Name,Phone\r\n" + b"Ann,1\n" * 1_000 + b'Bob,"1\n2"\r\n' * 7
    assert _findings(content, Destination()) == snapshot(
        [
            "error at 2, 3, 4, 5, 6 (1000): Lines end in more than one way, the first in CRLF: the job fails. End all lines in one way.",
            "warning at 1002, 1004, 1006, 1008, 1010 (7): Values hold line breaks of another kind than the file's, for which some orgs fail the whole job. If the job fails with LineEnding is invalid, write one kind throughout.",
        ]
    )


@pytest.mark.parametrize(
    ("content", "destination", "findings"),
    [
        (
            b"id,Name\n001000000000001,a\n,b\n001000000000001AAA,c\n#N/A,d\n",
            Destination("update"),
            snapshot(['warning id at 3, 5 (2): Rows without id fail. Fill it in, or leave these rows out.', 'warning id at 4 (1): Rows have the id of an earlier row: the last may win, or they fail. Keep one row for each.']),
        ),
        (b"Ext__c,Name\nx,a\nX,b\n\"y\n\",c\nx,d\n", Destination("upsert", "Ext__c"), snapshot(['warning Ext__c at 3, 6 (2): Rows have the Ext__c of an earlier row: the last may win, or they fail. Keep one row for each.'])),
        (b"Id,Name\n,a\n,b\n", Destination("upsert", "Id"), snapshot([])),
        (b"Id,Name\nx,a\nx,b\n", Destination("insert"), snapshot([])),
        (b"Ext__c,Name\nx,a\nx,b\n", Destination("upsert", "Other__c"), snapshot([])),
    ],
)  # fmt: skip
def test_blank_and_repeated_keys_are_found_with_their_lines(
    content: bytes, destination: Destination, findings: list[str]
) -> None:
    assert _findings(content, destination) == findings


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(b",".join(b"N%d" % number for number in range(850_000)), id="names"),
        pytest.param(b"," * 20_000, id="commas"),
        pytest.param(b"x" * 9_000_000, id="one"),
    ],
)
def test_a_header_that_is_none_costs_little_memory_and_one_finding(header: bytes) -> None:
    source = Bytes(header + b"\nAnn\n")
    tracemalloc.start()
    try:
        planned = plan_of(source, UNCHANGED, Destination("upsert", "Ext__c", describe=CONTACT))
        kept, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (len(planned.findings), planned.has_errors, planned.parts) == (1, True, ())
    assert kept < 1_000_000 and most < 64_000_000


def test_a_header_that_is_too_long_is_not_said_to_have_an_open_quote() -> None:
    assert _findings(b"x" * 9_000_000 + b"\nAnn\n") == snapshot(
        [
            "error at 1 (1): The header goes on for more than 1,000,000 bytes. Look whether this is CSV with field names in its first line; if so, take columns out of the file."
        ]
    )


def test_a_wide_source_can_be_cut_down_to_what_salesforce_takes() -> None:
    wide = b",".join(b"A question that was asked, as a form writes it, %d" % number for number in range(6_000))
    assert len(_findings(wide.replace(b", ", b" ") + b"\n" + b"," * 5_999 + b"\n")) == 2
    shape = ColumnMapping(columns={"A question that was asked as a form writes it 7": "Name"}, only=("Name",))
    assert _findings(wide.replace(b", ", b" ") + b"\n" + b"," * 5_999 + b"\n", shape=shape) == []


def test_findings_after_the_first_many_are_counted_and_not_kept() -> None:
    header = b",".join(b"N%d" % number for number in range(1_000))
    planned = plan_of(Bytes(header + b"\n" + b"," * 999 + b"\n"), UNCHANGED, Destination("insert", describe=CONTACT))
    assert len(planned.findings) < 600
    assert [_shown(finding) for finding in planned.findings if "that are told" in finding.what] == snapshot(
        [
            "error (500): There are more errors than the 500 that are told, in other columns or of other kinds. Mend those first, then check again."
        ]
    )


def test_several_byte_order_marks_are_all_left_out() -> None:
    planned = plan_of(Bytes(b"\xef\xbb\xbf" * 3 + b"Name\nAnn\n"), UNCHANGED, COMMA_LF)
    assert (_sent(planned), list(map(_shown, planned.findings))) == snapshot(
        (
            [b"Name\nAnn\n"],
            [
                "warning at 1 (1): It begins with 3 byte order marks, which are left out. Nothing is to be done; sent, it would be a part of the first name."
            ],
        )
    )


def test_findings_of_shaped_rows_have_the_lines_of_the_source() -> None:
    content = b'Number;Text\r\n1;"a\r\nb"\r\n1;c\r\n'
    destination = Destination("upsert", "Ext__c", delimiter="COMMA", line_ending="LF")
    assert _findings(content, destination, ColumnMapping(columns={"Number": "Ext__c"})) == snapshot(
        [
            "warning Ext__c at 4 (1): Rows have the Ext__c of an earlier row: the last may win, or they fail. Keep one row for each."
        ]
    )


# Without a preflight.


@pytest.mark.parametrize(
    "content",
    [b"\xef\xbb\xbfName\nAnn\n", b'Name\n"Ann\n', "Name\nÄ\n".encode("utf-16"), b"Name\rAnn\r", b"Name", b"\n\n"],
)
def test_without_a_preflight_anything_goes_out_as_it_is(content: bytes) -> None:
    planned = plan_of(Bytes(content), UNCHANGED, Destination(), preflight=False)
    assert (_sent(planned), planned.findings) == ([content], ())
    assert planned.sha256 == hashlib.sha256(content).hexdigest()


def test_without_a_preflight_what_is_no_csv_is_neither_cut_nor_shaped() -> None:
    for shape, limit in ((UNCHANGED, 8), (ColumnMapping(only=("Name",)), 100)):
        with pytest.raises(InvalidArgument):
            plan_of(Bytes(b'Name\n"Ann\n'), shape, Destination(limit=limit), preflight=False)


# Files.


def test_a_gz_file_is_planned_and_sent_as_what_is_in_it(tmp_path: Path) -> None:
    content = b"Name\n" + b"".join(b"Account %d\n" % number for number in range(1000))
    packed = uploading(file_of(tmp_path, gzip.compress(content), "rows.csv.gz"))
    bare = uploading(file_of(tmp_path, content))
    small = Destination(limit=5_000)
    assert _sent(plan_of(packed, UNCHANGED, small)) == _sent(plan_of(bare, UNCHANGED, small))


@pytest.mark.parametrize("spoil", [lambda data: data[:-20], lambda data: data[:40] + b"\0\0\0\0" + data[44:]])
def test_a_broken_gz_file_is_refused(tmp_path: Path, spoil: object) -> None:
    data = gzip.compress(b"".join(b"Account %d\n" % number for number in range(1000)))
    with pytest.raises(InvalidArgument, match=r"The \.gz file is damaged or cut off"):
        plan_of(uploading(file_of(tmp_path, spoil(data))), UNCHANGED, Destination())  # type: ignore[operator]


def test_a_file_that_is_gone_or_none_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(InvalidArgument):
            plan_of(uploading(path), UNCHANGED, Destination())


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


@pytest.mark.parametrize("shape", [UNCHANGED, ColumnMapping(constants={"Type": "x"})])
@pytest.mark.parametrize("how", ["a cell", "shorter", "longer", "no CSV", "gone"])
def test_an_upload_of_a_file_that_has_changed_is_broken_off_before_its_end(
    tmp_path: Path, shape: ColumnMapping, how: str
) -> None:
    path = file_of(tmp_path, b"Name\n" + b"".join(b"Account %d\n" % number for number in range(1000)))
    planned = plan_of(uploading(path), shape, Destination())
    _change(path, how)
    sent = 0
    with pytest.raises(SourceChanged):
        for chunk in part_content(planned, 1):
            sent += len(chunk)
    assert sent < planned.size


@pytest.mark.parametrize("preflight", [True, False])
def test_a_file_that_grows_while_it_is_checked_is_refused(tmp_path: Path, preflight: bool) -> None:
    """The last row that was read may be half of one, which nothing shows."""
    path = file_of(tmp_path, b"Name\n" + b"".join(b"Account %d\n" % number for number in range(1000)))

    size = path.stat().st_size

    def append(read_bytes: int) -> None:
        if path.stat().st_size == size:
            with path.open("ab") as file:
                file.write(b"Acc")

    with pytest.raises(SourceChanged, match="while they were checked"):
        plan_of(uploading(path), UNCHANGED, Destination(), preflight=preflight, progress=append)


@pytest.mark.parametrize("shape", [UNCHANGED, ColumnMapping(constants={"Type": "x"}, values={"Name": {"Ann": "Bob"}})])
def test_memory_does_not_grow_with_the_source(tmp_path: Path, shape: ColumnMapping) -> None:
    path = tmp_path / "rows.csv.gz"
    with gzip.open(path, "wb", compresslevel=1) as out:
        for number in range(26):  # more keys than are held in memory
            out.write(b"Ext__c,Name\n" if not number else b"")
            out.write(b"".join(b"%d,Ann\n" % row for row in range(number * 10_000, number * 10_000 + 10_000)))
    tracemalloc.start()
    try:
        planned = plan_of(uploading(path), shape, Destination("upsert", "Ext__c"))
        for _ in part_content(planned, 1):
            pass
        assert tracemalloc.get_traced_memory()[1] < 32 * 1024 * 1024
    finally:
        tracemalloc.stop()
    assert planned.rows == 260_000


def test_progress_is_told_and_can_end_the_pass() -> None:
    class Cancelled(Exception):
        pass

    told = []

    def progress(read_bytes: int) -> None:
        told.append(read_bytes)
        raise Cancelled

    source: RowSource = Bytes(b"Name\nAnn\n")
    with pytest.raises(Cancelled):
        plan_of(source, UNCHANGED, Destination(), progress=progress)
    assert told == [9]


def test_there_are_only_the_parts_that_were_planned() -> None:
    planned = plan_of(Bytes(b"Name\nAnn\n"), UNCHANGED, Destination())
    for number in (0, 2):
        with pytest.raises(InvalidArgument):
            part_content(planned, number)
