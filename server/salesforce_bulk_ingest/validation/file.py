"""Checks of rows that need nothing but the file.

By the reference of the API, only a few mistakes fail a whole job. Mistakes of this kind are errors, and so are mistakes that
would lose values although no row fails. All other mistakes cost single rows and are warnings.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice

from salesforce_bulk_ingest.base.findings import LINES_KEPT, LINES_SHOWN, FindingKind, Findings, Unreadable
from salesforce_bulk_ingest.base.hidden_fields import MASK, MASK_START
from salesforce_bulk_ingest.base.text import quoted
from salesforce_bulk_ingest.csvio.cells import ParsedBlock
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.csvio.encodings import UTF_8, Reading, likely_readings
from salesforce_bulk_ingest.csvio.header import UTF_8_BOM
from salesforce_bulk_ingest.csvio.records import Block, EndlessRecord
from salesforce_bulk_ingest.salesforce.models import LineEnding

MAX_HEADER_CHARACTERS = 32_000
MAX_COLUMNS = 5_000
MAX_CELL_CHARACTERS = 131_072
MAX_RECORD_CHARACTERS = 400_000
"""Limits: Bulk API 2.0 limits and allocations; of the header: guide, Prepare CSV Files. A longer cell or row
fails the job, not the row: seen in forcedotcom/wsc, CSVReader, Salesforce's own reader."""

SHORTEN = "Shorten them, or set null in columns to leave the column out."
QUOTES = "A value has a quote in it without being quoted as a whole, or text beside its quotes: the job fails."
QUOTE_THEM = 'Write the value in quotes, and each quote in it twice: "5"" pipe".'

OTHER_ENDING: Mapping[LineEnding, LineEnding] = {"LF": "CRLF", "CRLF": "LF"}

_WRONG_END: Mapping[LineEnding, re.Pattern[str]] = {"LF": re.compile("\r"), "CRLF": re.compile("(?<!\r)\n|\r(?!\n)")}

MASKED = "Cells have the text that an answer shows in place of hidden cells, and would be loaded with it."
UNDECODED = "Bytes are not UTF-8: their characters would be lost, and no row would fail for it."
SAVE_AS_UTF_8 = "Save the file in UTF-8."
NAME_ITS_ENCODING = "Name the encoding that the file is in, or mend these rows."
MISREAD = "Cells look like UTF-8 that was read as windows-1252 and saved again"
MISREAD_HERE = "Cells look like UTF-8 that is read in this encoding"
LEAVE_ENCODING_OUT = "Leave encoding out, and look whether the cells are right then."
TAKE_FROM_FIRST_SOURCE = "Take the rows from their first source, or name the right cells in values, if they are few."
_CONTROLS = re.compile("[\u0080-\u009f]")
"""Control characters that ISO-8859 has where the encodings of Windows have letters and the sign of the euro."""
_MISREAD_LETTERS = re.compile(
    "[\u00c2-\u00f4][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u2026\u2030\u2039\u203a\u20ac\u2122]+"
)

MOST_UNDECODED = 1 << 16
"""The maximum number of bytes of lines that are not UTF-8 from which the encoding of a file is guessed."""

TAKE_FROM_SOURCE = "Send these rows again with rowsOf, or take them from their source."


class FileChecks:
    """The checks of rows as the source has them: encoding, quotes, widths and line ends.

    Args:
        width: the number of columns of the header.
        dialect: the dialect of the source.
        written_ending: the line ending of the rows as they are uploaded.
        findings: collects what is wrong.
        rewritten: whether the rows are written anew for the upload, which corrects their line ends.
        encoding: the encoding that the source is read in; None for a source that can't be read in another.
        shows_words: whether findings show words of the source.

    Attributes:
        likely_encodings: the encodings that the source is likely to be in, if it is not UTF-8, the likeliest first; known
            after `finish`.
    """

    def __init__(
        self,
        width: int,
        dialect: Dialect,
        written_ending: LineEnding,
        findings: Findings,
        *,
        rewritten: bool,
        encoding: str | None = None,
        shows_words: bool = True,
    ) -> None:
        self._width = width
        self._dialect = dialect
        self._written_ending = written_ending
        self._findings = findings
        self._rewritten = rewritten
        self._encoding = encoding
        self._shows_words = shows_words
        self._undecoded = _WrongLines(has_undecoded)
        self._controls = _WrongLines(_has_controls, encoding or UTF_8)
        self.likely_encodings: Sequence[str] = ()

    def check_byte_order_marks(self, bom: bytes) -> None:
        """Report the byte order marks before the header."""
        marks = len(bom) // len(UTF_8_BOM)
        if marks:
            several = f"{marks} byte order marks, which are" if marks > 1 else "a byte order mark, which is"
            self._findings.add("bom", "warning", f"It begins with {several} left out.",
                               "Nothing is to be done; sent, it would be a part of the first name.", line=1)  # fmt: skip

    def check_header(self, record: bytes, line: int) -> None:
        """Check the header as the source has it.

        Args:
            record: the header record.
            line: the line of the source on which it begins.
        """
        text = record.decode(errors="surrogateescape")
        self._check_encoding(text, line)
        self._check_quotes(text, line)
        self._check_line_ends(text, line)

    def check(self, text: str, block: ParsedBlock, first_line: int) -> None:
        """Check the rows of one block.

        Args:
            text: the text of the block.
            block: the rows of the block.
            first_line: the line of the source on which the block begins.
        """
        self._check_encoding(text, first_line)
        if '"' in text and not block.is_split:
            self._check_quotes(text, first_line)
        if not block.is_line_by_line:
            self._check_line_ends(text, first_line)
        if block.is_ragged:
            self._check_widths(block)

    def finish(self) -> None:
        """Add the findings about lines in another encoding; called after the last block of rows."""
        for found, explain in ((self._undecoded, undecoded), (self._controls, misread_as_controls)):
            if found.count:
                sample = bytes(found.sample)
                what, do, self.likely_encodings = explain(sample, self._encoding, shows_words=self._shows_words)
                self._findings.add_several("encoding", "error", what, do, found.lines, found.count)

    def _check_encoding(self, text: str, first_line: int) -> None:
        if has_undecoded(text):
            self._undecoded.add(text, first_line)
        elif self._encoding not in (None, UTF_8) and _has_controls(text):
            self._controls.add(text, first_line)

    def _check_quotes(self, text: str, first_line: int) -> None:
        for position in _badly_quoted(text, self._dialect.mark):
            line = first_line + text.count("\n", 0, position)
            self._findings.add("quotes", "error", QUOTES, QUOTE_THEM, line=line)

    def _check_widths(self, block: ParsedBlock) -> None:
        width, add = self._width, self._findings.add
        for number, cells in enumerate(map(len, block.rows)):
            if cells > width:
                add("wide", "warning", f"Rows have more cells than the header's {width:,}: Salesforce refuses them.",
                    "Quote values that hold the delimiter.", line=block.line_of(number), fails="these rows")  # fmt: skip
            elif cells < width:
                add("narrow", "warning", f"Rows have fewer cells than the header's {width:,}.",
                    "Look whether a cell is missing in the middle.", line=block.line_of(number))  # fmt: skip

    def _check_line_ends(self, text: str, first_line: int) -> None:
        if self._dialect.line_ending == self._written_ending and _ends_right(text, self._written_ending):
            return
        between_quotes = text.split('"')
        wrong = _WRONG_END[self._dialect.line_ending]
        # All wrong line ends are counted in one call, since every line of a file may end wrongly.
        count = len(wrong.findall('"'.join(between_quotes[::2])))
        found = _lines_outside(wrong, between_quotes, first_line) if count else ()
        self._add_line_ends(list(islice(found, min(count, LINES_KEPT))), count)
        self._add_breaks_in_cells(_records_with(_WRONG_END[self._written_ending], between_quotes, first_line))

    def _add_breaks_in_cells(self, lines: Sequence[int]) -> None:
        if lines:
            other = OTHER_ENDING[self._written_ending]
            what = (
                "Values hold line breaks of another kind than the rows end in, for which some orgs fail the whole job."
            )
            do = (
                f"If the job fails with LineEnding is invalid, load the rows in a job with lineEnding {other}: they are "
                "then written anew, and end as the breaks in their values do."
            )
            self._findings.add_several("breaks in cells", "warning", what, do, lines, len(lines))

    def _add_line_ends(self, lines: Sequence[int], count: int) -> None:
        if not self._rewritten:
            other = OTHER_ENDING[self._dialect.line_ending]
            what = f"Lines end in more than one way, the first in {self._dialect.line_ending}: the job fails."
            do = f"End all lines in one way, or make a job with lineEnding {other}: the rows are then written anew."
            self._findings.add_several("line ends", "error", what, do, lines, count, job={"lineEnding": other})


@dataclass(slots=True)
class _WrongLines:
    """The lines of a source that show that it is in another encoding.

    Attributes:
        is_wrong: returns whether a line shows it.
        encoding: the encoding that gives the bytes of the source back.
        count: the number of these lines.
        lines: the first of them, by their numbers.
        sample: the bytes of the first of them.
    """

    is_wrong: Callable[[str], bool]
    encoding: str = UTF_8
    count: int = 0
    lines: list[int] = field(default_factory=list)
    sample: bytearray = field(default_factory=bytearray)

    def add(self, text: str, first_line: int) -> None:
        """Add the wrong lines of a text."""
        for number, line in enumerate(text.split("\n"), first_line):
            if line.isascii() or not self.is_wrong(line):
                continue
            self.count += 1
            if len(self.lines) < LINES_KEPT:
                self.lines.append(number)
            if len(self.sample) < MOST_UNDECODED:
                self.sample += f"{line}\n".encode(self.encoding, errors="surrogateescape")[:MOST_UNDECODED]


class OutgoingChecks:
    """The checks of rows as they are uploaded: the lengths of the header, of cells and of rows, and texts that are no data.

    Args:
        header: the names of the uploaded columns.
        findings: collects what is wrong.
        header_line: the line of the source on which the header is.
        is_decoded: whether the source is read in another encoding than UTF-8.
        shows_words: whether findings show words of the source.
    """

    def __init__(
        self,
        header: Sequence[str],
        findings: Findings,
        header_line: int,
        *,
        is_decoded: bool = False,
        shows_words: bool = True,
    ) -> None:
        self._header = header
        self._findings = findings
        self._header_line = header_line
        self._misread, self._do_misread = (
            (MISREAD_HERE, LEAVE_ENCODING_OUT) if is_decoded else (MISREAD, TAKE_FROM_FIRST_SOURCE)
        )
        self._shows_words = shows_words

    def check_header(self, record: bytes) -> None:
        """Check the header as it is uploaded."""
        characters = len(record.decode(errors="surrogateescape").rstrip("\r\n"))
        if characters > MAX_HEADER_CHARACTERS:
            self._error(
                "long header",
                f"The header has {characters:,} characters, and Salesforce takes {MAX_HEADER_CHARACTERS:,}.",
            )
        if len(self._header) > MAX_COLUMNS:
            self._error(
                "many columns", f"There are {len(self._header):,} columns, and Salesforce takes {MAX_COLUMNS:,}."
            )

    def check(self, block: ParsedBlock, data: bytes, longest: int) -> None:
        """Check the rows of one block.

        Args:
            block: the rows of the block.
            data: the bytes of these rows.
            longest: see `longest_row`.
        """
        if _may_be_no_data(data):
            for number, row in enumerate(block.rows):
                self._check_text("\n".join(row), block.line_of(number))
        if longest <= MAX_CELL_CHARACTERS:
            return
        for number, row in enumerate(block.rows):
            characters = sum(map(len, row))
            if characters > MAX_CELL_CHARACTERS:
                self._check_row(row, characters, block.line_of(number))

    def _check_text(self, text: str, line: int) -> None:
        """Check the cells of one row, which are lines of the text."""
        if "\0" in text:
            what, do = "Values hold NUL characters, which are no text.", "Remove them."
            self._findings.add("nul", "warning", what, do, line=line)
        if MASK.search(text):
            self._findings.add("mask", "error", MASKED, TAKE_FROM_SOURCE, line=line)
        words = _MISREAD_LETTERS.findall(text)
        word, right = next(((word, right) for word in words if (right := _as_meant(word))), ("", None))
        if right:
            such = f", such as {quoted(word)} for {quoted(right)}" if self._shows_words else ""
            self._findings.add("misread", "warning", f"{self._misread}{such}.", self._do_misread, line=line)

    def _check_row(self, row: Sequence[str], characters: int, line: int) -> None:
        if characters > MAX_RECORD_CHARACTERS:
            what = (
                f"Rows have over {MAX_RECORD_CHARACTERS:,} characters, the most that Salesforce takes: the job fails."
            )
            self._findings.add("long row", "error", what, "Shorten cells, or leave columns out.", line=line)
        for name, cell in zip(self._header, row, strict=False):
            if len(cell) > MAX_CELL_CHARACTERS:
                what = f"Cells have over {MAX_CELL_CHARACTERS:,} characters, the most that Salesforce takes: the job fails."
                self._findings.add("long cell", "error", what, SHORTEN, column=name, line=line)

    def _error(self, kind: FindingKind, what: str) -> None:
        self._findings.add(
            kind, "error", what, "Leave columns out: name those to keep in only.", line=self._header_line
        )


def _may_be_no_data(data: bytes) -> bool:
    """Return whether rows have what a text that is no data begins with."""
    # To look for one byte, the rarest, takes a tenth of the time of several.
    found = (b"[" in data and MASK_START.encode() in data) or b"\0" in data
    return (
        found
        or (b"\x83" in data and "\u00c3".encode() in data)
        or (b"\x82" in data and "\u00e2\u20ac".encode() in data)
        or (b"\x80" in data and "\u00e2\u0080".encode() in data)
    )


def undecoded(sample: bytes, encoding: str | None, *, shows_words: bool) -> tuple[str, str, Sequence[str]]:
    """Return what is wrong with bytes that are not UTF-8, what to do, and the encodings that they are likely to be in.

    Args:
        sample: lines of the source with such bytes.
        encoding: the encoding that the source is read in; None for a source that can't be read in another.
        shows_words: whether to show words of the source.
    """
    if encoding is None:
        return UNDECODED, SAVE_AS_UTF_8, ()
    if encoding != UTF_8:
        what = f"Bytes stand for no character in {quoted(encoding)}: they would be lost."
        return what, NAME_ITS_ENCODING, ()
    do, likely = _likely(sample, SAVE_AS_UTF_8, shows_words=shows_words)
    return UNDECODED, do, likely


def misread_as_controls(sample: bytes, encoding: str | None, *, shows_words: bool) -> tuple[str, str, Sequence[str]]:
    """Return what is wrong with bytes that an encoding reads as control characters, what to do, and the likely encodings.

    Args:
        sample: lines of the source with such bytes.
        encoding: the encoding that the source is read in.
        shows_words: see `undecoded`.
    """
    named = quoted(encoding or UTF_8)
    what = f"Bytes are control characters in {named}: the letters and signs that are meant would be lost."
    do, likely = _likely(sample, NAME_ITS_ENCODING, shows_words=shows_words)
    return what, do, likely


def _likely(sample: bytes, if_none: str, *, shows_words: bool) -> tuple[str, Sequence[str]]:
    readings = likely_readings(sample)
    if not readings:
        return if_none, ()
    told = ", or ".join(str(reading if shows_words else Reading(reading.encoding)) for reading in readings)
    return f"Give encoding {told}. Look whether that is right, or save the file in UTF-8.", [
        each.encoding for each in readings
    ]


def _has_controls(text: str) -> bool:
    return _CONTROLS.search(text) is not None


def has_undecoded(text: str) -> bool:
    """Return whether a text has bytes that are not UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def longest_row(block: Block, rows: ParsedBlock) -> int:
    """Return an upper bound for the number of bytes of the cells of a row, and so of their characters.

    Args:
        block: the bytes of the rows as they are uploaded.
        rows: the rows.
    """
    lines = block.plain_lines if rows.is_line_by_line else block.lines
    has_lines_alone = len(lines) - (not lines[-1]) == len(rows)
    return max(map(len, lines)) if has_lines_alone else len(block.data)


def endless(error: EndlessRecord, dialect: Dialect) -> Unreadable:
    """Return the error about a record without an end, with the line of the first record that is badly quoted."""
    text = error.start.decode(errors="surrogateescape")
    position = next(_badly_quoted(text, dialect.mark), 0)
    line = error.first_line + text.count("\n", 0, position)
    if text.count('"') % 2 == 0:
        return Unreadable("A row goes on for megabytes without an end.", "Look whether this is CSV.", line)
    return Unreadable("A quote is opened in this row and not closed, or not doubled: the job fails.", QUOTE_THEM, line)


def _ends_right(text: str, ending: LineEnding) -> bool:
    """Return whether all line ends in the text, also those in cells, are of this kind."""
    if ending == "LF":
        return "\r" not in text
    return text.count("\n") == text.count("\r\n") == text.count("\r")


def _as_meant(word: str) -> str | None:
    """Return what the bytes of a text in windows-1252 are in UTF-8; None if they are none.

    Control characters stand for their own bytes: readers of ISO-8859-1 make them of many bytes, browsers of five.
    """
    try:
        return b"".join(each.encode("latin-1" if _has_controls(each) else "windows-1252") for each in word).decode()
    except UnicodeError:
        return None


def _lines_outside(pattern: re.Pattern[str], between_quotes: Sequence[str], first_line: int) -> Iterator[int]:
    """Yield the line of each match outside quotes; see `_pieces`."""
    for piece, first_of_piece, _ in islice(_pieces(between_quotes, first_line), 0, None, 2):
        line, seen = first_of_piece, 0
        for match in pattern.finditer(piece):
            line += piece.count("\n", seen, match.start())
            seen = match.start()
            yield line


def _records_with(pattern: re.Pattern[str], between_quotes: Sequence[str], first_line: int) -> Sequence[int]:
    """Return the first line of each record that has a match inside quotes; see `_pieces`."""
    if pattern.search('"'.join(between_quotes[1::2])) is None:  # one call for most texts
        return ()
    inside = islice(_pieces(between_quotes, first_line), 1, None, 2)
    return list(dict.fromkeys(record_line for piece, _, record_line in inside if pattern.search(piece)))


def _pieces(between_quotes: Sequence[str], first_line: int) -> Iterator[tuple[str, int, int]]:
    """Yield each piece of a text, the line on which it begins, and the line of the record in which it begins.

    Args:
        between_quotes: a text of whole records, split at its quotes: every second piece is inside quotes.
        first_line: the line on which the text begins.
    """
    line = record_line = first_line
    for index, piece in enumerate(between_quotes):
        yield piece, line, record_line
        breaks = piece.count("\n")
        line += breaks
        if breaks and not index % 2:
            record_line = line


def _badly_quoted(text: str, mark: str) -> Iterator[int]:
    """Yield the positions of the first few records that are badly quoted."""
    well_quoted = _well_quoted(mark)
    position = 0
    for _ in range(LINES_SHOWN):
        found = well_quoted.match(text, position)
        position = found.end() if found else position
        if position >= len(text):
            return
        yield position
        position = text.find("\n", position) + 1
        if not position:
            return


@lru_cache
def _well_quoted(mark: str) -> re.Pattern[str]:
    # A carriage return outside quotes is accepted here, since the check of line ends reports it.
    delimiter = re.escape(mark)
    # No possessive group: in Python 3.11.0 to 3.11.4 it matches what it must not (CPython issues 100061 and 106052).
    cell = rf'(?:"[^"]*+(?:""[^"]*+)*"\r?|[^"\n{delimiter}]*+)'
    return re.compile(rf"(?:{cell}(?:{delimiter}{cell})*\n)*(?:{cell}(?:{delimiter}{cell})*\Z)?")
