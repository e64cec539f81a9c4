"""The header of a source: what it says, and which sources have none."""

import io

import pytest
from inline_snapshot import snapshot

from salesforce_bulk_ingest.base.findings import Unreadable
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.csvio.header import MOST_HEADER_BYTES, MOST_HEADER_COLUMNS, UTF_8_BOM, read_header


def test_a_header_has_names_a_dialect_and_the_size_of_what_is_before_the_rows() -> None:
    file = io.BytesIO(UTF_8_BOM * 2 + b'Name;"two\nlines"\r\nAnn;1\r\n')
    header = read_header(file, None, None)
    assert (header.names, header.dialect) == (("Name", "two\nlines"), Dialect("SEMICOLON", "CRLF"))
    assert (header.bom, header.record) == (UTF_8_BOM * 2, b'Name;"two\nlines"\r\n')
    assert header.size == file.tell()
    assert header.lines == 2
    assert file.read() == b"Ann;1\r\n"


def test_bytes_of_a_name_that_are_not_utf_8_are_kept() -> None:
    header = read_header(io.BytesIO(b"N\xe4me\n"), None, None)
    assert header.names[0].encode(errors="surrogateescape") == b"N\xe4me"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", snapshot("It is empty. Give a header row with field names, then one row for each record. line 1")),
        (b"\r\nName\n", snapshot("The first line is blank. Begin with the header row. line 1")),
        (
            b"Name\rAnn\r",
            snapshot(
                "Lines end in a carriage return alone, which Salesforce does not take. Save it with lines that end in LF or CRLF. line 1"
            ),
        ),
        (b"%PDF-1.7\n", snapshot("It is a PDF, not CSV. Export it as CSV in UTF-8. line None")),
        (
            b"N\0a\0\n",
            snapshot(
                'It is in UTF-16-LE, not UTF-8. Give encoding "utf-16-le", which reads "Na", or save it as CSV in UTF-8. line None'
            ),
        ),
        (
            # Cells may be hidden, and a header is not.
            "Name,Key\r\nAnn,1\r\n".encode("utf-16"),
            snapshot(
                'It is in UTF-16, not UTF-8. Give encoding "utf-16", which reads "Name", "Key", or save it as CSV in UTF-8. line None'
            ),
        ),
        (b'"Name\nAnn', snapshot("The header has no end: a quote in it is never closed. Close it. line 1")),
        (
            b"x" * (MOST_HEADER_BYTES + 1),
            snapshot(
                "The header goes on for more than 1,000,000 bytes. Look whether this is CSV with field names in its first line; if so, take columns out of the file. line 1"
            ),
        ),
        (
            b"," * MOST_HEADER_COLUMNS + b"\n",
            snapshot(
                "The header has 16,385 columns, more than 16,384. Look whether this is CSV with field names in its first line; if so, take columns out of the file. line 1"
            ),
        ),
    ],
    ids=lambda value: repr(value[:12]) if isinstance(value, bytes) else "",
)
def test_a_source_that_is_no_csv_is_unreadable_and_the_reason_says_what_to_do(content: bytes, complaint: str) -> None:
    with pytest.raises(Unreadable) as raised:
        read_header(io.BytesIO(content), None, None)
    assert f"{raised.value.what} {raised.value.do} line {raised.value.line}" == complaint


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"sep=;\n", snapshot("It is empty. Give a header row with field names, then one row for each record.")),
        (b"sep=;\n\n,,\n", snapshot("The first line is blank. Begin with the header row.")),
        (b"Report\nName\n", snapshot("No line is left for a header. Leave fewer lines out in leaveOut.")),
    ],
)
def test_a_source_of_lines_before_a_header_alone_says_which_they_are(content: bytes, complaint: str) -> None:
    is_left_out = (1, 2).__contains__ if b"Report" in content else ().__contains__
    with pytest.raises(Unreadable) as raised:
        read_header(io.BytesIO(content), None, None, is_left_out, is_first=False)
    assert f"{raised.value.what} {raised.value.do}" == complaint


def test_a_blank_line_below_lines_that_are_left_out_is_to_be_left_out_too() -> None:
    with pytest.raises(Unreadable) as raised:
        read_header(io.BytesIO(b"Report\n2026\n\nName\nAnn\n"), None, None, (1, 2).__contains__)
    assert (raised.value.what, raised.value.do, raised.value.line) == (
        "The first line that is not left out is blank.",
        "Leave it out, too, in leaveOut.",
        3,
    )


def test_a_header_below_other_lines_is_unreadable_on_its_own_line() -> None:
    for header in (
        b'Name,"Ann\n',
        b"Name\rAnn\r\n",
        b"," * MOST_HEADER_COLUMNS + b"Name\n",
        b"x" * (MOST_HEADER_BYTES + 1),
    ):
        with pytest.raises(Unreadable) as raised:
            read_header(io.BytesIO(b"sep=,\n\n" + header), None, None, is_first=False)
        assert raised.value.line == 3


@pytest.mark.parametrize(
    ("content", "names", "blank"),
    [
        (b'\n,,\n" ";""\nName,Phone\n', ("Name", "Phone"), (1, 2, 3)),
        (b'";",";;"\n1,2\n', (";", ";;"), ()),
    ],
)
def test_records_of_blank_names_before_a_header_are_passed_over(
    content: bytes, names: tuple[str, ...], blank: tuple[int, ...]
) -> None:
    header = read_header(io.BytesIO(content), None, None, is_first=False)
    assert (header.names, header.lines_before.blank) == (names, blank)
