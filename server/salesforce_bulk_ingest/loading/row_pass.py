"""One pass over all rows of a source, for the plan of their upload: they are counted, checked and cut into parts."""

from collections.abc import Callable, Mapping, Set
from functools import partial
from typing import BinaryIO

from salesforce_bulk_ingest.base.errors import InvalidArgument, TooLarge
from salesforce_bulk_ingest.base.findings import LINES_SHOWN
from salesforce_bulk_ingest.csvio.encodings import UTF_8
from salesforce_bulk_ingest.csvio.header import LinesBefore
from salesforce_bulk_ingest.csvio.records import EndlessRecord
from salesforce_bulk_ingest.loading.mapped_source import MappedBlock, MappedSource, RowPosition
from salesforce_bulk_ingest.loading.parts import PartCutter
from salesforce_bulk_ingest.loading.row_filter import CountedLines, LeftOut
from salesforce_bulk_ingest.loading.row_sample import RowSampler
from salesforce_bulk_ingest.loading.row_sketch import RowSketcher
from salesforce_bulk_ingest.loading.sources import encoding_of, read_errors
from salesforce_bulk_ingest.validation.column_profiles import FirstRows, RowsTally
from salesforce_bulk_ingest.validation.file import endless, has_undecoded, undecoded
from salesforce_bulk_ingest.validation.not_rows import Kind
from salesforce_bulk_ingest.validation.preflight import PreflightChecks

MOST_SOURCE_BYTES = 100_000_000_000
"""The maximum size of a source: more than an org takes in a day. A .gz file that holds more was made to fill the disk."""

Progress = Callable[[int], None]
"""A function that is called with the number of bytes of the source read so far; its exceptions end the reading."""


class RowPass:
    """One pass over all rows of a source, in which they are counted, checked and cut into parts.

    Args:
        file: the open file of the source; it stands at the first row.
        source: the source with its mapping.
        limit: the maximum number of bytes of one upload.
        progress: called after each block, see `Progress`.
        sketched: whether the parts get sketches of their rows.
        profiled: whether what is in the columns is counted.
        sampled: the maximum number of rows that are sampled; 0 for none.

    Attributes:
        sampler: the sampler of the rows.
        first_rows: the first rows.
        tally: the tally of the columns; None if they are not counted.
        rows: the number of rows read so far, without those that are left out.
        left_out: which rows are left out so far.
        cutter: the cutter of these rows into parts.
        blocks_at: the positions of the blocks.
    """

    def __init__(
        self,
        file: BinaryIO,
        source: MappedSource,
        limit: int,
        progress: Progress,
        *,
        sketched: bool,
        profiled: bool,
        sampled: int = 0,
    ) -> None:
        self._file = file
        self._source = source
        self.sampler = RowSampler(len(source.output_names), sampled, has_lines=source.source.has_lines)
        self.first_rows = FirstRows(len(source.output_names))
        self.tally = RowsTally(len(source.output_names), source.unused_columns) if profiled else None
        self._limit = limit
        self._progress = progress
        self.rows = 0
        self._last_row: int | None = None
        self.blocks_at: list[RowPosition] = []
        self.left_out = LeftOut()
        new_sketcher = partial(RowSketcher, source.output_dialect.mark) if sketched else None
        self.cutter = PartCutter(source.output_header, limit, source.first_row, new_sketcher)

    def read(self) -> None:
        """Read the rows without checking them.

        Raises:
            Unreadable: a record has no end.
            InvalidArgument: a row is too long for an upload, the source can't be read, or not in its encoding.
        """
        with read_errors():
            self._refuse_undecoded(
                self._source.header.record.decode(errors="surrogateescape"), self._source.header.line
            )
            self._read_blocks(None)

    def read_checked(self, checks: PreflightChecks) -> None:
        """Read and check the header and the rows.

        Args:
            checks: the checks of the rows.

        Raises:
            Unreadable: a record has no end.
            InvalidArgument: the source can't be read.
        """
        with read_errors():
            checks.check_header(self._source.output_header)
            self._read_blocks(checks)
            by_record = self._source.row_filter.by_record
            checks.finish(self.rows, are_left_out=bool(self.left_out), may_be_none=by_record.leaves_rows_out)

    def _read_blocks(self, checks: PreflightChecks | None) -> None:
        used = self._pass_lines_before(checks)
        try:
            for block in self._source.read_blocks(self._file, finds_not_rows=checks is not None):
                if checks is not None:
                    self._check(block, checks)
                else:
                    self._refuse_undecoded(block.source_text, block.position.block_line)
                self.first_rows.add(block.output_rows)
                if self.tally is not None:
                    self.tally.add(block.output_rows, block.source_rows)
                self.blocks_at.append(block.position)
                self.sampler.add(block.output_rows)
                used |= block.used_ranges
                self.left_out += block.left_out
                self.rows += len(block.output_rows)
                if self._source.row_filter.lines and len(block.all_rows):
                    self._last_row = block.all_rows.lines[-1]
                for row in self.cutter.add(block.output, len(block.output_rows), block.position):
                    self._refuse_long_row(block.output_rows.line_of(row), checks)
                self._progress(_bytes_read(self._file))
        except EndlessRecord as error:
            raise endless(error, self._source.header.dialect) from None
        self._check_lines(used)

    def _check(self, block: MappedBlock, checks: PreflightChecks) -> None:
        checks.add_not_rows(block.not_rows)
        # What is no row is told once: it has no cells that could be wrong.
        block = block.without_not_rows()
        checks.check_source(block.source_text, block.source_rows, block.position.block_line)
        checks.check_title(block.source_rows, block.all_rows, block.all_text, block.position.block_line)
        checks.check_outgoing(block.output_rows, block.output)
        for column, misfit in self._source.misfits(block):
            checks.add_misfit(column, misfit)

    def _pass_lines_before(self, checks: PreflightChecks | None) -> set[str]:
        """Count what is left out before the header, and return the ranges of lines by which it is."""
        before, row_filter = self._source.header.lines_before, self._source.row_filter
        not_rows = not_rows_of(before)
        if checks is not None and row_filter.not_rows is None:
            checks.add_not_rows(not_rows)
        else:
            self.left_out += LeftOut(not_rows=CountedLines.on(sorted(not_rows)))
        self.left_out += LeftOut(lines=CountedLines.on(before.left_out))
        return {name for line in before.left_out for name in row_filter.lines.find(line)}

    def _check_lines(self, used: Set[str]) -> None:
        """Raise InvalidArgument where no row begins on lines that are named."""
        lines = self._source.row_filter.lines
        if unused := lines.without_rows(used):
            shown = ", ".join(unused[:LINES_SHOWN])
            where = f"the header is on line {self._source.header.line}"
            if self._last_row is not None:
                where += f", and the last row on line {self._last_row}"
            what = f"leaveOut names lines {shown}, on which no row begins: {where}."
            raise InvalidArgument(what, ("leaveOut", "lines"))

    def _refuse_undecoded(self, text: str, first_line: int) -> None:
        """Raise InvalidArgument where bytes stand for nothing in the encoding of the source, which is not UTF-8."""
        encoding = encoding_of(self._source.source)
        if encoding not in (None, UTF_8) and has_undecoded(text):
            lines = enumerate(text.split("\n"), first_line)
            line = next(number for number, line in lines if has_undecoded(line))
            what, do, _ = undecoded(b"", encoding, shows_words=False)
            raise InvalidArgument(f"Line {line}: {what} {do}", ("encoding",))

    def _refuse_long_row(self, line: int, checks: PreflightChecks | None) -> None:
        what, do = f"A row and the header are more than the {self._limit:,} bytes of an upload.", "Shorten it."
        if checks is None:
            raise InvalidArgument(f"Line {line}: {what} {do}")
        checks.add_long_row(line, what, do)


def not_rows_of(before: LinesBefore) -> Mapping[int, Kind]:
    """Return the lines before a header that are not left out, with the kind of each."""
    blank: dict[int, Kind] = dict.fromkeys(before.blank, "blank line")
    return {1: "sep", **blank} if before.has_sep else blank


def _bytes_read(file: BinaryIO) -> int:
    position = file.tell()
    if position > MOST_SOURCE_BYTES:
        raise TooLarge(f"The file has more than {MOST_SOURCE_BYTES:,} bytes: split it.")
    return position
