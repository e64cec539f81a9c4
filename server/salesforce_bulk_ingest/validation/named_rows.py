"""The names of rows in answers: the key of a row, or else its name, and in findings the cell at fault."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from salesforce_bulk_ingest.base.findings import Finding, NamedRow
from salesforce_bulk_ingest.base.hidden_fields import mask
from salesforce_bulk_ingest.base.text import cut
from salesforce_bulk_ingest.validation.cell_tally import LONGEST_VALUE_SHOWN
from salesforce_bulk_ingest.validation.column_profiles import ProfiledColumn

NAME_FIELDS = ("name", "lastname", "subject")
"""The fields, in lower case, by which people know records, the best first."""


def with_rows(
    findings: Sequence[Finding],
    lines: int,
    rows: Mapping[int, Sequence[str]],
    names: Sequence[str],
    columns: Sequence[ProfiledColumn],
) -> Iterator[Finding]:
    """Yield findings with the rows on their first lines.

    One that no check made stays as it is: its lines may be those of another source, such as that of a job that is retried.

    Args:
        findings: the findings.
        lines: the maximum number of lines of each.
        rows: the rows as they are uploaded, by line.
        names: the names of the uploaded columns.
        columns: the uploaded columns.
    """
    naming = _naming_columns(columns)
    for finding in findings:
        if finding.kind is None:
            yield finding
            continue
        at_fault = names.index(finding.column) if finding.column in names else None
        found = [rows.get(line) for line in finding.lines[:lines]]
        named = tuple(None if row is None else _named(row, at_fault, naming, columns) for row in found)
        yield replace(finding, rows=named if any(named) else ())


def names_of(rows: Mapping[int, Sequence[str]], columns: Sequence[ProfiledColumn]) -> Mapping[int, str]:
    """Return the names of rows, by line; empty for a row that has none.

    Args:
        rows: the rows as they are uploaded, by line.
        columns: the uploaded columns.
    """
    naming = _naming_columns(columns)
    return {line: _name(row, naming) for line, row in rows.items()}


def _name(row: Sequence[str], naming: Sequence[int]) -> str:
    """Return the first cell of a row that is not blank in one of these columns, cut to its maximum length."""
    return cut(next((row[index] for index in naming if row[index:] and row[index].strip()), ""), LONGEST_VALUE_SHOWN)


def _named(
    row: Sequence[str], at_fault: int | None, naming: Sequence[int], columns: Sequence[ProfiledColumn]
) -> NamedRow:
    """Return the name of a row in a column that is not at fault, and the cell that is."""
    cell = None if at_fault is None else row[at_fault] if at_fault < len(row) else ""
    if at_fault is not None and cell and columns[at_fault].is_hidden:
        cell = mask(cell)
    name = _name(row, [index for index in naming if index != at_fault])
    return NamedRow(name, None if cell is None else cut(cell, LONGEST_VALUE_SHOWN))


def _naming_columns(columns: Sequence[ProfiledColumn]) -> Sequence[int]:
    """Return the indexes of the columns by which a row is named, the best first, also where the best one is at fault.

    They are those of the key, of names, of an external id, and the first two others.
    """
    shown = [index for index, column in enumerate(columns) if not column.is_hidden]
    ranks = {index: _rank(columns[index]) for index in shown}
    others = [index for index in shown if ranks[index] == _LAST]
    return [*sorted((index for index in shown if ranks[index] < _LAST), key=ranks.__getitem__), *others[:2]]


_LAST = len(NAME_FIELDS) + 2


def _rank(column: ProfiledColumn) -> int:
    if column.is_key:
        return 0
    meant = (column.fills or column.proposed or "").lower()
    if meant in NAME_FIELDS:
        return 1 + NAME_FIELDS.index(meant)
    return len(NAME_FIELDS) + 1 if column.field is not None and column.field.external_id else _LAST
