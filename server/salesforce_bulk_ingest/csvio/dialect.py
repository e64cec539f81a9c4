"""The dialect of a CSV file: its delimiter and its line ending, as the first record shows them."""

from dataclasses import dataclass
from typing import get_args

from salesforce_bulk_ingest.salesforce.models import DELIMITERS, LINE_ENDINGS, Delimiter, LineEnding


@dataclass(frozen=True, slots=True)
class Dialect:
    """The delimiter and the line ending of a CSV file.

    Attributes:
        delimiter: the delimiter, under its name in a job's `columnDelimiter`.
        line_ending: the line ending, under its name in a job's `lineEnding`.
    """

    delimiter: Delimiter = "COMMA"
    line_ending: LineEnding = "LF"

    @property
    def mark(self) -> str:
        """The character between cells."""
        return DELIMITERS[self.delimiter]

    @property
    def newline(self) -> str:
        """The characters at the end of a line."""
        return LINE_ENDINGS[self.line_ending]


def dialect_of(header: bytes, delimiter: Delimiter | None = None, line_ending: LineEnding | None = None) -> Dialect:
    """Return the dialect of a file, as its first record shows it.

    Args:
        header: the first record with its line end.
        delimiter: the delimiter of the job. It is returned where the header contains it, or contains no delimiter at all.
        line_ending: the line ending of the job. It is returned where the header is the whole file and has no line end.
    """
    counts = delimiter_counts(header)
    most = max(counts, key=lambda name: counts[name])
    if delimiter is None or (counts[most] and not counts[delimiter]):
        delimiter = most if counts[most] else "COMMA"
    if header.endswith(b"\n") or line_ending is None:
        line_ending = "CRLF" if header.endswith(b"\r\n") else "LF"
    return Dialect(delimiter, line_ending)


def delimiter_counts(header: bytes) -> dict[Delimiter, int]:
    """Return how often each delimiter stands in a header."""
    # Only text outside quotes is counted: a quoted name may hold a delimiter.
    bare = b"".join(header.split(b'"')[::2])
    return {name: bare.count(DELIMITERS[name].encode()) for name in get_args(Delimiter)}
