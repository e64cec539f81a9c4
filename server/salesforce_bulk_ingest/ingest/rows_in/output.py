"""What goes out of a source: its very bytes where nothing is changed, rows written anew where a shape is asked for."""

import csv
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from salesforce_bulk_ingest.ingest.rows_in.batch import Batch, parse
from salesforce_bulk_ingest.ingest.rows_in.blocks import BLOCK_BYTES, blocks
from salesforce_bulk_ingest.ingest.rows_in.dialect import Dialect
from salesforce_bulk_ingest.ingest.rows_in.head import Head
from salesforce_bulk_ingest.ingest.rows_in.parts import Place
from salesforce_bulk_ingest.ingest.rows_in.shape import Shaped
from salesforce_bulk_ingest.ingest.rows_in.sources import RowSource, opened


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows of one block, before and after the shape.

    Attributes:
        text: of the source.
        start: bytes of the source between its header and that.
        first_line: of the source.
        given: the rows that the source has.
        sent: the rows that go out, one for each.
        data: those as bytes.
    """

    text: str
    start: int
    first_line: int
    given: Batch
    sent: Batch
    data: bytes


@dataclass(frozen=True, slots=True)
class Output:
    """A source as it goes out.

    Attributes:
        source: the rows.
        head: of the source.
        shaped: what is changed; None for nothing, and then the bytes are those of the source.
        dialect: that of the job.
    """

    source: RowSource
    head: Head
    shaped: Shaped | None
    dialect: Dialect

    @property
    def names(self) -> Sequence[str]:
        """The columns that go out."""
        return self.head.names if self.shaped is None else self.shaped.header

    @property
    def header(self) -> bytes:
        """The record that begins each part, with its line end."""
        return self.head.record if self.shaped is None else written([self.shaped.header], self.dialect)

    def pieces(self, file: BinaryIO) -> Iterator[Piece]:
        """The rows, of a source that stands at its first one.

        Raises:
            EndlessRecord: what follows is no CSV.
        """
        width, start = len(self.head.names), 0
        for block in blocks(file, 1 + self.head.lines):
            # Bytes that are not UTF-8 go out as they came.
            text = block.data.decode(errors="surrogateescape")
            given = parse(text, self.head.dialect, width, block.first_line)
            sent, data = given, block.data
            if self.shaped is not None:
                sent = self.shaped.apply(given)
                data = written(sent.rows, self.dialect)
            yield Piece(text, start, block.first_line, given, sent, data)
            start += len(block.data)

    def rows_from(self, start: Place) -> Iterator[bytes]:
        """The bytes that go out from some row on, read anew from the source.

        Raises:
            InvalidArgument: it can't be read any more.
            EndlessRecord: it is no CSV any more.
        """
        with opened(self.source, self.dialect) as file:
            file.seek(self.head.size + start.source)
            if self.shaped is None:
                file.seek(start.skipped, os.SEEK_CUR)
                yield from iter(lambda: file.read(BLOCK_BYTES), b"")
                return
            skipped = start.skipped
            for piece in self.pieces(file):
                if skipped < len(piece.data):
                    yield piece.data[skipped:]
                skipped = max(skipped - len(piece.data), 0)


def written(rows: Iterable[Sequence[str]], dialect: Dialect) -> bytes:
    """Rows as CSV, quoted only where they must be."""
    out = io.StringIO(newline="")
    # The writer quotes the characters of its line end, and a lone carriage return must not go out bare either.
    csv.writer(_Lines(out, dialect.newline), delimiter=dialect.mark, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode(errors="surrogateescape")


class _Lines:
    """Ends each line in its own way."""

    def __init__(self, out: io.StringIO, newline: str) -> None:
        self._out = out
        self._newline = newline

    def write(self, line: str) -> int:
        """One record, as the writer ends it."""
        return self._out.write(line[:-2] + self._newline)
