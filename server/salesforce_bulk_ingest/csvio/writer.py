"""Rows written as CSV, quoted only where they must be."""

import csv
from collections.abc import Iterable, Sequence

from salesforce_bulk_ingest.csvio.dialect import Dialect


def format_records(rows: Iterable[Sequence[str]], delimiter: str = ",", newline: str = "\n") -> str:
    """Return the rows as lines of CSV, each with its line end."""
    lines = _Lines()
    # The csv module quotes the characters of its line end, and a lone carriage return must not go out bare.
    csv.writer(lines, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    if newline == "\r\n":
        return "".join(lines)
    return "".join([line[:-2] + newline for line in lines])


def format_record(cells: Sequence[str], delimiter: str = ",") -> str:
    """Return one row as a line of CSV that ends in a line feed."""
    return format_records([cells], delimiter)


def csv_bytes(rows: Iterable[Sequence[str]], dialect: Dialect) -> bytes:
    """Return the rows as CSV in this dialect; bytes of a source that are not UTF-8 go out as they came in."""
    return format_records(rows, dialect.mark, dialect.newline).encode(errors="surrogateescape")


class _Lines(list[str]):
    """The lines that a csv writer writes."""

    write = list[str].append
