"""How a CSV is written: its delimiter and line ending, read off its first record."""

from dataclasses import dataclass
from typing import get_args

from salesforce_bulk_ingest.salesforce.models import DELIMITERS, LINE_ENDINGS, Delimiter, LineEnding


@dataclass(frozen=True, slots=True)
class Dialect:
    """Delimiter and line ending, under the names that a job gives them."""

    delimiter: Delimiter = "COMMA"
    line_ending: LineEnding = "LF"

    @property
    def mark(self) -> str:
        """The delimiter itself."""
        return DELIMITERS[self.delimiter]

    @property
    def newline(self) -> str:
        """The line ending itself."""
        return LINE_ENDINGS[self.line_ending]


def dialect_of(header: bytes, delimiter: Delimiter | None = None, line_ending: LineEnding | None = None) -> Dialect:
    """The dialect of a file that has this first record, with its line end.

    Args:
        header: the record.
        delimiter: what the job says. It holds where the header has it, and where there is one column.
        line_ending: what the job says. It holds where the header is the whole file and has no line end.
    """
    # Outside quotes: a quoted name may hold a delimiter.
    bare = b"".join(header.split(b'"')[::2])
    counts = {name: bare.count(DELIMITERS[name].encode()) for name in get_args(Delimiter)}
    most = max(counts, key=lambda name: counts[name])
    if delimiter is None or (counts[most] and not counts[delimiter]):
        delimiter = most if counts[most] else "COMMA"
    if header.endswith(b"\n") or line_ending is None:
        line_ending = "CRLF" if header.endswith(b"\r\n") else "LF"
    return Dialect(delimiter, line_ending)
