"""The writing of rows as CSV, with quotes only where they are needed."""

import csv
from collections.abc import Iterable, Sequence

from salesforce_bulk_ingest.csvio.cells import ParsedBlock
from salesforce_bulk_ingest.csvio.dialect import Dialect


def format_records(rows: Iterable[Sequence[str]], delimiter: str = ",", newline: str = "\n") -> str:
    """Return the rows as CSV text, each row with its line end."""
    return newline.join((*_records(rows, delimiter), ""))


def format_record(cells: Sequence[str], delimiter: str = ",") -> str:
    """Return one row as a line of CSV that ends in a line feed."""
    return format_records([cells], delimiter)


def csv_bytes(rows: Iterable[Sequence[str]], dialect: Dialect) -> bytes:
    """Return the rows as CSV in a dialect; source bytes that were not UTF-8 come out unchanged (surrogateescape)."""
    return format_records(rows, dialect.mark, dialect.newline).encode(errors="surrogateescape")


def block_bytes(block: ParsedBlock, dialect: Dialect) -> bytes:
    """Return the bytes that `csv_bytes` returns for the rows of a block, in a fraction of the time."""
    return dialect.newline.join((*block_records(block, dialect.mark), "")).encode(errors="surrogateescape")


def block_records(block: ParsedBlock, mark: str) -> Iterable[str]:
    """Return the rows of a block as CSV, each without its line end.

    Most columns have no cell that needs quotes, which is seen for a whole column at once. Then their cells only have to be
    joined, where the csv module would look at each character.
    """
    if block.is_ragged or len(block.columns) == 1:  # a blank cell needs quotes where it is the only one of its row
        return _records(block.rows, mark)
    return map(mark.join, zip(*(_with_quotes(cells, mark) for cells in block.columns), strict=True))


def _records(rows: Iterable[Sequence[str]], delimiter: str) -> list[str]:
    """Return the rows as CSV, each without its line end."""
    lines = _Lines()
    # The csv module quotes the characters of its line end, and a cell with a lone carriage return has to be quoted.
    csv.writer(lines, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return [line[:-2] for line in lines]


def _with_quotes(cells: Sequence[str], mark: str) -> Sequence[str]:
    """Return the cells of a column, with quotes around those that need quotes."""
    if not _needs_quotes("".join(cells), mark):
        return cells
    return ['"' + cell.replace('"', '""') + '"' if _needs_quotes(cell, mark) else cell for cell in cells]


def _needs_quotes(text: str, mark: str) -> bool:
    return mark in text or '"' in text or "\n" in text or "\r" in text


class _Lines(list[str]):
    """A list of lines, with the method `write` that a csv writer needs."""

    write = list[str].append
