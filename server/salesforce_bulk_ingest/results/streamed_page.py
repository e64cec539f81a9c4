"""A page of a result that is read as a stream and not cached: its job has not ended, or the server caches nothing."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace

import anyio.lowlevel

from salesforce_bulk_ingest.base.hidden_fields import NOTHING_HIDDEN, HiddenFields
from salesforce_bulk_ingest.csvio.cells import parse_record
from salesforce_bulk_ingest.csvio.records import RecordSplitter
from salesforce_bulk_ingest.results.completeness import Completeness, ends_within_row
from salesforce_bulk_ingest.results.error_groups import ErrorGrouper
from salesforce_bulk_ingest.results.page_size import PageSize
from salesforce_bulk_ingest.results.pages import Page, PageBuilder, PageRequest, with_error_groups
from salesforce_bulk_ingest.results.row_errors import ERROR_COLUMN
from salesforce_bulk_ingest.salesforce.models import ResultKind


class StreamedPage:
    """Builds one page, and the error groups of all rows, from a stream of bytes.

    Args:
        delimiter: delimiter of the result.
        request: the rows and columns that the caller asks for.
        page_size: limits of the page.
        kind: kind of the result; failed rows are read to their end, for the error groups, after the page is full.
        hidden: the fields whose cells are masked, of the object of the job.
    """

    def __init__(
        self,
        delimiter: str,
        request: PageRequest,
        page_size: PageSize,
        kind: ResultKind,
        hidden: HiddenFields = NOTHING_HIDDEN,
    ) -> None:
        self._delimiter = delimiter
        self._kind = kind
        self._request = request
        self._page_size = page_size
        self._hidden = hidden
        self._header = self._last = b""
        self._builder: PageBuilder | None = None
        self._grouper: ErrorGrouper | None = None
        self._rows_read = 0
        self._is_full = False
        self._has_ended = False
        self._sha256 = hashlib.sha256()

    async def read(self, chunks: AsyncIterator[bytes]) -> None:
        """Read as much of the stream as page and error groups need; a cancellation leaves the rows that were read.

        Raises:
            InvalidArgument: the result lacks a column that the caller asks for.
        """
        splitter = RecordSplitter()
        async for chunk in chunks:
            self._sha256.update(chunk)
            for record in splitter.feed(chunk):
                self._add(record)
            if self._is_full and self._kind != "failedResults":
                return
            await anyio.lowlevel.checkpoint()
        for record in splitter.flush():
            self._add(record)
        self._has_ended = True

    @property
    def sha256(self) -> str:
        """The SHA-256 of the bytes that were read."""
        return self._sha256.hexdigest()

    def completeness(self, counted: int | None) -> Completeness | None:
        """Return what speaks for or against the result being whole; None if the stream was not read to its end.

        Args:
            counted: number of rows that the job counts, see `counted_rows`.
        """
        if not self._has_ended:
            return None
        is_cut = ends_within_row(self._last, self._header, self._delimiter, self._kind)
        return Completeness(self._rows_read, counted, has_header=bool(self._header), is_cut=is_cut)

    def page(self) -> Page:
        """Return the page."""
        builder = self._builder or PageBuilder(b"", self._delimiter, self._request, self._page_size)
        total = self._rows_read if self._has_ended else None
        page = builder.page(ended=self._has_ended and not self._is_full, total=total)
        return with_error_groups(
            replace(page, rows_read=self._rows_read), self._grouper.groups() if self._grouper else ()
        )

    def _add(self, record: bytes) -> None:
        self._last = record
        if self._builder is None:
            self._header = record
            self._builder = PageBuilder(record, self._delimiter, self._request, self._page_size, hidden=self._hidden)
            # Unprocessed rows are as they were uploaded, and may have a column of this name: those are no errors.
            has_errors = self._kind == "failedResults" and ERROR_COLUMN in self._builder.names
            self._grouper = ErrorGrouper(self._builder.names) if has_errors else None
            return
        row, self._rows_read = self._rows_read, self._rows_read + 1
        is_passed_over = row < self._request.offset and self._request.errors.is_empty
        if self._grouper is None and (self._is_full or is_passed_over):
            self._builder.pass_over(min(row + 1, self._request.offset))
            return
        cells = self._builder.mask.row(parse_record(record, self._delimiter))
        if not self._is_full:
            self._is_full = not self._builder.add(record, cells)
        if self._grouper:
            self._grouper.add(cells)
