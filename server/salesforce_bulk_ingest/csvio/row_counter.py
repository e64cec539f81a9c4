"""The counting of the records of a stream as it passes, without holding any of them."""

import re

_JOINT = b"\0"
"""What stands, while quotes are counted, for the end of one value in quotes and the begin of the next."""

_LONE_RETURN = re.compile(rb"\r[^\n]")


class RowCounter:
    """A counter of the records of a stream, without blank lines: `add` each chunk, in pieces of any size.

    Args:
        mark: the character between cells.

    Attributes:
        count: the number of records so far; the last one may still go on.
        is_in_quotes: whether a quote is open.
        is_certain: whether every reader finds the same records. It is false after a quote within an unquoted value, text
            beside the quotes of a value, or a carriage return alone: some readers end a record where others do not.
    """

    def __init__(self, mark: str) -> None:
        cell_end = mark.encode()
        self._between_values = b'"%b"' % cell_end
        self._text_before_quote = re.compile(rb'"(?<=[^%b\n"]")' % re.escape(cell_end))
        self._text_after_quote = re.compile(rb'"[^%b\n\r"]' % re.escape(cell_end))
        self._last = b"\n"
        self._is_in_record = False
        self.count = 0
        self.is_in_quotes = False
        self.is_certain = True

    def add(self, chunk: bytes) -> None:
        """Count the records of the next chunk."""
        outside = self._outside_quotes(chunk)
        if outside:
            self._check(outside)
            self._count(outside)

    def _outside_quotes(self, chunk: bytes) -> bytes:
        """Return the chunk with a single quote in place of each text in quotes."""
        if b'"' not in chunk:
            return b"" if self.is_in_quotes else chunk
        # Most quotes end one value and begin the next. Without these pairs there is a fraction of the work, and readers
        # disagree about the rest as before. Outside quotes, such a pair has opened a text instead, and has to stay.
        pieces = chunk.replace(self._between_values, _JOINT).split(b'"')
        outside = b'"'.join(pieces[self.is_in_quotes :: 2])
        if _JOINT in outside:
            outside = b'"'.join(chunk.split(b'"')[self.is_in_quotes :: 2])
        self.is_in_quotes ^= len(pieces) % 2 == 0
        return outside + b'"' if self.is_in_quotes else outside

    def _check(self, outside: bytes) -> None:
        """Note what readers of CSV disagree about; each two neighbouring bytes are seen together once."""
        text = self._last + outside
        self._last = text[-1:]
        if b"\r" in text and _LONE_RETURN.search(text):
            self.is_certain = False
        if b'"' in text and (self._text_before_quote.search(text) or self._text_after_quote.search(text)):
            self.is_certain = False

    def _count(self, outside: bytes) -> None:
        lines = outside.replace(b"\r", b"").split(b"\n")
        goes_on = self._is_in_record and lines[0] != b""
        self.count += len(lines) - lines.count(b"") - goes_on
        self._is_in_record = lines[-1] != b"" or (self._is_in_record and len(lines) == 1)
