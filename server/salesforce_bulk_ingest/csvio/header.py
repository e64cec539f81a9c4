"""The header of a CSV source, and the refusal of files whose first bytes show that they are not CSV in UTF-8."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, get_args

from salesforce_bulk_ingest.base.findings import Unreadable
from salesforce_bulk_ingest.csvio.cells import parse_rows
from salesforce_bulk_ingest.csvio.dialect import Dialect, dialect_of
from salesforce_bulk_ingest.csvio.encodings import reading_of, utf_16_or_32
from salesforce_bulk_ingest.csvio.file_kind import kind_of
from salesforce_bulk_ingest.csvio.records import EndlessRecord, first_record, is_blank
from salesforce_bulk_ingest.salesforce.models import DELIMITERS, Delimiter, LineEnding

UTF_8_BOM = b"\xef\xbb\xbf"

MOST_HEADER_BYTES = 1_000_000
BEGINNING_BYTES = 1_000
"""The number of bytes in which a file that is no CSV in UTF-8 shows what it is."""

MOST_HEADER_COLUMNS = 16_384
"""The maximum number of columns of a source, which is that of a spreadsheet: more than Salesforce takes, since a mapping can
leave columns out. A wider header is refused, since every name costs memory and time."""

TOO_LONG = f"The header goes on for more than {MOST_HEADER_BYTES:,} bytes."
NO_HEADER = "Look whether this is CSV with field names in its first line; if so, take columns out of the file."

_SEP = re.compile(rb"""(?i)"?sep="?(?P<mark>\\t|[^\r\n"]?)[",;\t| ]*[\r\n]*""")
"""The line that names the delimiter for Excel, with or without quotes, with delimiters where the file was saved again."""

_BLANK = re.compile(rb'(?:\s|"\s*"(?!"))*(?:(?P<mark>[,;|^`])(?:(?P=mark)|\s|"\s*"(?!"))*)?')
"""A record of blank names alone, with any one delimiter; two quotes within quotes are the name of a quote."""

SAVE_AS_UTF_8 = "Save it as CSV in UTF-8."


@dataclass(frozen=True, slots=True)
class LinesBefore:
    """The lines before a header.

    Attributes:
        data: the bytes of these lines.
        left_out: the lines that the caller leaves out, where a record begins, blank lines among them.
        has_sep: whether the first line names the delimiter for spreadsheets (`sep=;`) and is not among those left out.
        blank: the other lines, which have no text beside delimiters.
    """

    data: bytes = b""
    left_out: tuple[int, ...] = ()
    has_sep: bool = False
    blank: tuple[int, ...] = ()

    @property
    def header_line(self) -> int:
        """The line of the source on which the header begins."""
        return self.data.count(b"\n") + 1


NO_LINES = LinesBefore()


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a source.

    Attributes:
        bom: the bytes of all byte order marks at the begin of the source; empty if there is none.
        record: the bytes of the header record, with its line end.
        names: the names of the columns.
        dialect: the dialect of the source.
        lines_before: the lines between byte order mark and header.
    """

    bom: bytes
    record: bytes
    names: tuple[str, ...]
    dialect: Dialect
    lines_before: LinesBefore = NO_LINES

    @property
    def size(self) -> int:
        """The number of bytes before the first row."""
        return len(self.bom) + len(self.lines_before.data) + len(self.record)

    @property
    def lines(self) -> int:
        """The number of lines before the first row."""
        return self.line - 1 + self.record.count(b"\n")

    @property
    def line(self) -> int:
        """The line of the source on which the header begins."""
        return self.lines_before.header_line


def read_header(
    file: BinaryIO,
    delimiter: Delimiter | None,
    line_ending: LineEnding | None,
    is_left_out: Callable[[int], bool] = lambda line: False,
    *,
    is_first: bool = True,
) -> Header:
    """Read the header of a source; the file then stands at the first row.

    Args:
        file: the open file of the source, at its start.
        delimiter: the delimiter of the job, see `dialect_of`.
        line_ending: the line ending of the job, see `dialect_of`.
        is_left_out: returns whether the record that begins on a line is left out, so that it can't be the header.
        is_first: whether the first record that is not left out is the header, whatever it holds; if not, lines without
            names are passed over: the one that names the delimiter for spreadsheets, and blank ones.

    Raises:
        Unreadable: the source is not CSV with a header in its first line, or the header is too long or too wide.
    """
    start = _read_record(file)
    _check_kind(start)
    record = start
    while record.startswith(UTF_8_BOM):
        record = record.removeprefix(UTF_8_BOM)
    bom = start[: len(start) - len(record)]
    sep = None if is_first else _SEP.fullmatch(record)
    before, record = _pass_lines(file, record, is_left_out, has_sep=sep is not None, passes_blank=not is_first)
    _check_header(record, before)
    dialect = dialect_of(record, _delimiter_of(sep) or delimiter, line_ending)
    names = parse_rows(record.decode(errors="surrogateescape"), dialect.mark)[0]
    if len(names) > MOST_HEADER_COLUMNS:
        what = f"The header has {len(names):,} columns, more than {MOST_HEADER_COLUMNS:,}."
        raise Unreadable(what, NO_HEADER, before.header_line)
    return Header(bom, record, tuple(names), dialect, before)


def _pass_lines(
    file: BinaryIO, record: bytes, is_left_out: Callable[[int], bool], *, has_sep: bool, passes_blank: bool
) -> tuple[LinesBefore, bytes]:
    """Read on to the header; return the lines before it, and the header record, which is empty if there is none.

    Args:
        file: the file, which stands after the first record.
        record: the first record.
        is_left_out: see `read_header`.
        has_sep: whether the first record names the delimiter for spreadsheets.
        passes_blank: whether records of blank names are passed over.
    """
    passed, left_out, blank = bytearray(), list[int](), list[int]()
    line = 1
    while record and len(passed) <= MOST_HEADER_BYTES:
        if is_left_out(line):
            left_out.append(line)
        elif passes_blank and _BLANK.fullmatch(record):
            blank.append(line)
        elif not (has_sep and line == 1):
            break
        passed += record
        line += record.count(b"\n")
        record = _read_record(file, line)
    if not passed:
        return NO_LINES, record
    return LinesBefore(bytes(passed), tuple(left_out), has_sep and 1 not in left_out, tuple(blank)), record


def names_delimiter(record: bytes) -> bool:
    """Return whether a record names the delimiter for spreadsheets (`sep=;`)."""
    return _SEP.fullmatch(record) is not None


def _delimiter_of(sep: re.Match[bytes] | None) -> Delimiter | None:
    mark = "" if sep is None else sep["mark"].decode("latin-1").replace("\\t", "\t")
    return next((name for name in get_args(Delimiter) if DELIMITERS[name] == mark), None)


def _read_record(file: BinaryIO, line: int = 1) -> bytes:
    try:
        return first_record(file, MOST_HEADER_BYTES)
    except EndlessRecord as error:
        _check_kind(error.start)
        _check_line_ends(error.start, line)
        if error.start.count(b'"') % 2 == 0:
            raise Unreadable(TOO_LONG, NO_HEADER, line) from None
        raise Unreadable("The header has no end: a quote in it is never closed.", "Close it.", line) from None


def _check_kind(start: bytes) -> None:
    kind = kind_of(start)
    if kind is not None:
        raise Unreadable(kind.what, kind.do)
    beginning = start[:BEGINNING_BYTES]
    if encoding := utf_16_or_32(beginning):
        do = f"Give encoding {reading_of(beginning, encoding)}, or save it as CSV in UTF-8."
        raise Unreadable(f"It is in {encoding.upper()}, not UTF-8.", do, encodings=(encoding,))
    if b"\0" in beginning:
        raise Unreadable("It holds NUL characters, as binary files do.", SAVE_AS_UTF_8)


def _check_header(record: bytes, before: LinesBefore) -> None:
    if before.left_out and (not record or len(before.data) > MOST_HEADER_BYTES):
        raise Unreadable("No line is left for a header.", "Leave fewer lines out in leaveOut.", 1)
    if not record and not before.blank:
        raise Unreadable("It is empty.", "Give a header row with field names, then one row for each record.", 1)
    if before.left_out and is_blank(record):
        what = "The first line that is not left out is blank."
        raise Unreadable(what, "Leave it out, too, in leaveOut.", before.header_line)
    if not record or is_blank(record):
        raise Unreadable("The first line is blank.", "Begin with the header row.", 1)
    _check_line_ends(record, before.header_line)


def _check_line_ends(record: bytes, line: int) -> None:
    if b"\r" in b"".join(record.removesuffix(b"\n").removesuffix(b"\r").split(b'"')[::2]):
        raise Unreadable(
            "Lines end in a carriage return alone, which Salesforce does not take.",
            "Save it with lines that end in LF or CRLF.",
            line,
        )
