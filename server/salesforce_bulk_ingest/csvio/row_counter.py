"""The counting of the records of a stream as it passes, without holding any of them."""


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
        self._opening = (cell_end + b'"', b'\n"')
        self._closing = (b'"' + cell_end, b'"\n', b'"\r')
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
        pieces = chunk.split(b'"')
        outside = b'"'.join(pieces[self.is_in_quotes :: 2])
        self.is_in_quotes ^= len(pieces) % 2 == 0
        return outside + b'"' if self.is_in_quotes else outside

    def _check(self, outside: bytes) -> None:
        """Note what readers of CSV disagree about; each two neighbouring bytes are seen together once."""
        text = self._last + outside
        self._last = text[-1:]
        if b"\r" in text and text.count(b"\r", 0, -1) != text.count(b"\r\n"):
            self.is_certain = False
        if b'"' not in text:
            return
        while b'""' in text:  # a quote that is written twice ends and begins a text in quotes
            text = text.replace(b'""', b'"')
        if text.count(b'"', 1) != sum(map(text.count, self._opening)):
            self.is_certain = False
        if text.count(b'"', 0, -1) != sum(map(text.count, self._closing)):
            self.is_certain = False

    def _count(self, outside: bytes) -> None:
        lines = outside.split(b"\n")
        blank = sum(map(_is_blank, lines)) if b"\r" in outside else lines.count(b"")
        goes_on = self._is_in_record and not _is_blank(lines[0])
        self.count += len(lines) - blank - goes_on
        self._is_in_record = not _is_blank(lines[-1]) or (self._is_in_record and len(lines) == 1)


def _is_blank(line: bytes) -> bool:
    return not line.strip(b"\r")
