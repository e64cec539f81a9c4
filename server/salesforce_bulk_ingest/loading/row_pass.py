"""One pass over all rows of a source before any of them goes out."""

from collections.abc import Callable
from typing import BinaryIO

from salesforce_bulk_ingest.base.errors import InvalidArgument, TooLarge
from salesforce_bulk_ingest.base.findings import Findings
from salesforce_bulk_ingest.csvio.records import EndlessRecord
from salesforce_bulk_ingest.loading.mapped_source import MappedSource
from salesforce_bulk_ingest.loading.parts import PartCutter
from salesforce_bulk_ingest.loading.sources import read_errors
from salesforce_bulk_ingest.validation.file import endless
from salesforce_bulk_ingest.validation.preflight import PreflightChecks

MOST_SOURCE_BYTES = 100_000_000_000
"""More than an org takes in a day. A .gz file that unpacks to more was made to fill the disk."""

Progress = Callable[[int], None]
"""Called with the number of bytes of the source that are read; an exception that it raises ends the pass."""


class RowPass:
    """Reads all rows of a source, counts, checks and cuts them.

    Args:
        file: the source; it stands at the first row.
        source: the source as it goes out.
        limit: the most bytes of one upload.
        progress: called after each block.

    Attributes:
        rows: the number of rows that are read.
        cutter: cuts the rows that are read into parts.
    """

    def __init__(self, file: BinaryIO, source: MappedSource, limit: int, progress: Progress) -> None:
        self._file = file
        self._source = source
        self._limit = limit
        self._progress = progress
        self.rows = 0
        self.cutter = PartCutter(source.output_header, limit, source.first_row)

    def read(self) -> None:
        """Read the rows, whatever is wrong with them.

        Raises:
            Unreadable: a record has no end.
            InvalidArgument: a row is too long for an upload, or the source can't be read.
        """
        with read_errors():
            self._read_blocks(None, None)

    def read_checked(self, checks: PreflightChecks, findings: Findings) -> None:
        """Read and check the header and the rows.

        Args:
            checks: the checks of the rows.
            findings: takes rows that are too long for an upload.

        Raises:
            Unreadable: a record has no end.
            InvalidArgument: the source can't be read.
        """
        with read_errors():
            checks.check_header(self._source.output_header)
            self._read_blocks(checks, findings)
            checks.finish(self.rows)

    def _read_blocks(self, checks: PreflightChecks | None, findings: Findings | None) -> None:
        try:
            for block in self._source.read_blocks(self._file):
                if checks is not None:
                    checks.check_source(block.source_text, block.source_rows, block.position.block_line)
                    checks.check_outgoing(block.output_rows, block.output_bytes)
                self.rows += len(block.output_rows)
                for row in self.cutter.add(block.output_bytes, len(block.output_rows), block.position):
                    self._refuse_long_row(block.output_rows.line_of(row), findings)
                self._progress(_bytes_read(self._file))
        except EndlessRecord as error:
            raise endless(error, self._source.header.dialect) from None

    def _refuse_long_row(self, line: int, findings: Findings | None) -> None:
        what, do = f"A row and the header are more than the {self._limit:,} bytes of an upload.", "Shorten it."
        if findings is None:
            raise InvalidArgument(f"Line {line}: {what} {do}")
        findings.add("row size", "error", what, do, line=line)


def _bytes_read(file: BinaryIO) -> int:
    position = file.tell()
    if position > MOST_SOURCE_BYTES:
        raise TooLarge(f"The file has more than {MOST_SOURCE_BYTES:,} bytes: split it.")
    return position
