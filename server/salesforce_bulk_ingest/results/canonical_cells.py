"""Canonical forms of cells, equal for a cell as it was sent and as Salesforce gives it back.

Salesforce writes numbers, dates and booleans anew (Bulk API 2.0 guide, quick start, step 3), gives ids of 18 characters for
ids of 15, and an empty cell for `#N/A`.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from salesforce_bulk_ingest.salesforce.models import NULL_CELL

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:?\d\d)", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9]{15}[A-Z0-5]{3}", re.ASCII)
_ID_SUFFIX_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_BOOLEANS = {"true": "1", "false": "0"}


def canonical_cell(cell: str) -> str:
    """Return the canonical form of a cell."""
    cell = cell.strip()
    if not cell or cell == NULL_CELL:
        return ""
    first = cell[0]
    if first.isdigit() or first in "+-.":
        return _canonical_number(cell)
    if _is_long_id(cell):
        return canonical_cell(cell[:15])
    return _BOOLEANS.get(cell.lower(), cell)


def canonical_cells(cells: Sequence[str]) -> Iterator[str]:
    """Return the canonical forms of the cells of a column."""
    # Each different cell once: cells repeat.
    return map({cell: canonical_cell(cell) for cell in set(cells)}.__getitem__, cells)


def canonical_key(cell: str) -> str:
    """Return the canonical form of a key: Salesforce finds external ids in any case, but record ids differ in case."""
    cell = canonical_cell(cell)
    return cell if len(cell) == 15 else cell.lower()


def _is_long_id(cell: str) -> bool:
    """Return whether the cell is an id whose last three characters encode the case of the other fifteen."""
    if len(cell) != 18 or not _ID.fullmatch(cell):
        return False
    cases = (sum(1 << bit for bit in range(5) if cell[start + bit].isupper()) for start in (0, 5, 10))
    return cell[15:] == "".join(map(_ID_SUFFIX_CHARACTERS.__getitem__, cases))


def _canonical_number(cell: str) -> str:
    """Return the canonical form of a cell that begins like a number: of a number, a time or an id."""
    if _NUMBER.fullmatch(cell):
        try:
            number = Decimal(cell)
        except InvalidOperation:
            return cell
        return str(number.normalize()) if number else "0"
    if _is_long_id(cell):
        return canonical_cell(cell[:15])
    if _TIME.fullmatch(cell):
        try:
            return datetime.fromisoformat(cell).astimezone(UTC).isoformat()
        except (ValueError, OverflowError):
            return cell
    return cell
