"""The header of a CSV source, and the refusal of files whose first bytes show that they are not CSV in UTF-8."""

from dataclasses import dataclass
from typing import BinaryIO

from salesforce_bulk_ingest.base.findings import Unreadable
from salesforce_bulk_ingest.csvio.cells import parse_rows
from salesforce_bulk_ingest.csvio.dialect import Dialect, dialect_of
from salesforce_bulk_ingest.csvio.encodings import reading_of, utf_16_or_32
from salesforce_bulk_ingest.csvio.records import EndlessRecord, first_record, is_blank
from salesforce_bulk_ingest.salesforce.models import Delimiter, LineEnding

UTF_8_BOM = b"\xef\xbb\xbf"

MOST_HEADER_BYTES = 1_000_000
BEGINNING_BYTES = 1_000
"""The number of bytes in which a file that is no CSV in UTF-8 shows what it is."""

MOST_HEADER_COLUMNS = 16_384
"""The maximum number of columns of a source, which is that of a spreadsheet: more than Salesforce takes, since a mapping can
leave columns out. A wider header is refused, since every name costs memory and time."""

TOO_LONG = f"The header goes on for more than {MOST_HEADER_BYTES:,} bytes."
NO_HEADER = "Look whether this is CSV with field names in its first line; if so, take columns out of the file."

SAVE_AS_UTF_8 = "Save it as CSV in UTF-8."

_OTHER_FILES: tuple[tuple[bytes, str, str], ...] = (
    (b"PK\x03\x04", "It is an Excel workbook or a zip file, not CSV.", SAVE_AS_UTF_8),
    (b"\xd0\xcf\x11\xe0", "It is an Excel workbook, not CSV.", SAVE_AS_UTF_8),
    (b"%PDF", "It is a PDF, not CSV.", SAVE_AS_UTF_8),
)


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a source.

    Attributes:
        bom: the bytes of all byte order marks before the header; empty if there is none.
        record: the bytes of the first record after the byte order marks, with its line end.
        names: the names of the columns.
        dialect: the dialect of the source.
    """

    bom: bytes
    record: bytes
    names: tuple[str, ...]
    dialect: Dialect

    @property
    def size(self) -> int:
        """The number of bytes before the first row."""
        return len(self.bom) + len(self.record)

    @property
    def lines(self) -> int:
        """The number of lines before the first row."""
        return self.record.count(b"\n")


def read_header(file: BinaryIO, delimiter: Delimiter | None, line_ending: LineEnding | None) -> Header:
    """Read the header of a source; the file then stands at the first row.

    Args:
        file: the open file of the source, at its start.
        delimiter: the delimiter of the job, see `dialect_of`.
        line_ending: the line ending of the job, see `dialect_of`.

    Raises:
        Unreadable: the source is not CSV with a header in its first line, or the header is too long or too wide.
    """
    try:
        start = first_record(file, MOST_HEADER_BYTES)
    except EndlessRecord as error:
        _check_kind(error.start)
        _check_line_ends(error.start)
        if error.start.count(b'"') % 2 == 0:
            raise Unreadable(TOO_LONG, NO_HEADER, 1) from None
        raise Unreadable("The header has no end: a quote in it is never closed.", "Close it.", 1) from None
    _check_kind(start)
    record = start
    while record.startswith(UTF_8_BOM):
        record = record.removeprefix(UTF_8_BOM)
    bom = start[: len(start) - len(record)]
    _check_header(record)
    dialect = dialect_of(record, delimiter, line_ending)
    names = parse_rows(record.decode(errors="surrogateescape"), dialect.mark)[0]
    if len(names) > MOST_HEADER_COLUMNS:
        raise Unreadable(f"The header has {len(names):,} columns, more than {MOST_HEADER_COLUMNS:,}.", NO_HEADER, 1)
    return Header(bom, record, tuple(names), dialect)


def _check_kind(start: bytes) -> None:
    for magic, what, do in _OTHER_FILES:
        if start.startswith(magic):
            raise Unreadable(what, do)
    beginning = start[:BEGINNING_BYTES]
    if encoding := utf_16_or_32(beginning):
        do = f"Give encoding {reading_of(beginning, encoding)}, or save it as CSV in UTF-8."
        raise Unreadable(f"It is in {encoding.upper()}, not UTF-8.", do, encoding=encoding)
    if b"\0" in beginning:
        raise Unreadable("It holds NUL characters, as binary files do.", SAVE_AS_UTF_8)


def _check_header(record: bytes) -> None:
    if not record:
        raise Unreadable("It is empty.", "Give a header row with field names, then one row for each record.", 1)
    if is_blank(record):
        raise Unreadable("The first line is blank.", "Begin with the header row.", 1)
    _check_line_ends(record)


def _check_line_ends(record: bytes) -> None:
    if b"\r" in b"".join(record.removesuffix(b"\n").removesuffix(b"\r").split(b'"')[::2]):
        raise Unreadable(
            "Lines end in a carriage return alone, which Salesforce does not take.",
            "Save it with lines that end in LF or CRLF.",
            1,
        )
