"""A page out of a result that streams by and is kept nowhere: of a job that goes on, or where there is no spool."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import anyio.lowlevel

from salesforce_bulk_ingest.csvio.cells import parse_record
from salesforce_bulk_ingest.csvio.records import RecordSplitter
from salesforce_bulk_ingest.results.error_groups import ErrorGrouper
from salesforce_bulk_ingest.results.page_size import PageSize
from salesforce_bulk_ingest.results.pages import Page, PageBuilder, PageRequest
from salesforce_bulk_ingest.results.row_errors import ERROR_COLUMN


@dataclass(slots=True)
class StreamedPage:
    """Collects one page, and the causes of all rows.

    Args:
        delimiter: between the cells of the result.
        wanted: what is shown.
        budget: what fits on the page.
        whole: keep counting, and collecting causes, after the page is full.
    """

    delimiter: str
    wanted: PageRequest
    budget: PageSize
    whole: bool
    _builder: PageBuilder | None = None
    _counter: ErrorGrouper | None = None
    _read: int = 0
    _full: bool = False
    _ended: bool = False

    async def read(self, chunks: AsyncIterator[bytes]) -> None:
        """Read until there is nothing more to learn. What was read so far survives a cancellation.

        Raises:
            InvalidArgument: the result has no such column.
        """
        splitter = RecordSplitter()
        async for chunk in chunks:
            for record in splitter.feed(chunk):
                self._take(record)
            if self._full and not self.whole:
                return
            await anyio.lowlevel.checkpoint()
        for record in splitter.flush():
            self._take(record)
        self._ended = True

    def page(self) -> Page:
        """What was collected."""
        builder = self._builder or PageBuilder(b"", self.delimiter, self.wanted, self.budget)
        page = builder.page(ended=self._ended and not self._full, total=self._read if self._ended else None)
        return replace(page, causes=self._counter.causes() if self._counter else (), rows_read=self._read)

    def _take(self, record: bytes) -> None:
        if self._builder is None:
            self._builder = PageBuilder(record, self.delimiter, self.wanted, self.budget)
            self._counter = ErrorGrouper(self._builder.names) if ERROR_COLUMN in self._builder.names else None
            return
        row, self._read = self._read, self._read + 1
        if self._counter is None and (self._full or (row < self.wanted.offset and self.wanted.every_row)):
            self._builder.passed = min(row + 1, self.wanted.offset)
            return
        cells = parse_record(record, self.delimiter)
        if not self._full:
            self._full = not self._builder.take(record, cells)
        if self._counter:
            self._counter.add(cells, row)
