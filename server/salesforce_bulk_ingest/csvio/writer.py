"""The writing of rows as CSV, with quotes only where they are needed."""

import csv
from collections.abc import Iterable, Sequence

from salesforce_bulk_ingest.csvio.dialect import Dialect


def format_records(rows: Iterable[Sequence[str]], delimiter: str = ",", newline: str = "\n") -> str:
    """Return the rows as CSV text, each row with its line end."""
    lines = _Lines()
    # The csv module quotes the characters of its line end, and a cell with a lone carriage return has to be quoted.
    csv.writer(lines, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    if newline == "\r\n":
        return "".join(lines)
    return "".join([line[:-2] + newline for line in lines])


def format_record(cells: Sequence[str], delimiter: str = ",") -> str:
    """Return one row as a line of CSV that ends in a line feed."""
    return format_records([cells], delimiter)


def csv_bytes(rows: Iterable[Sequence[str]], dialect: Dialect) -> bytes:
    """Return the rows as CSV in a dialect; source bytes that were not UTF-8 come out unchanged (surrogateescape)."""
    return format_records(rows, dialect.mark, dialect.newline).encode(errors="surrogateescape")


class _Lines(list[str]):
    """A list of lines, with the method `write` that a csv writer needs."""

    write = list[str].append
