"""The columns of an upload and of a result that are compared to match their rows."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import partial
from operator import eq

from salesforce_bulk_ingest.salesforce.models import NULL_CELL
from salesforce_bulk_ingest.validation.cells import NUMBER
from salesforce_bulk_ingest.validation.key_forms import KeyForm, any_form, forms_of, key_form_by_name
from salesforce_bulk_ingest.validation.record_ids import LONG, SHORT, in_its_case

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:?\d\d)", re.ASCII)
_BOOLEANS = {"true": "1", "false": "0"}


def canonical_cell(cell: str) -> str:
    """Return the canonical form of a cell, in which a cell as it was sent and as Salesforce gives it back are equal."""
    cell = cell.strip()
    if not cell or cell == NULL_CELL:
        return ""
    first = cell[0]
    if first.isdigit() or first in "+-.":
        return _canonical_number(cell)
    if _is_long_id(cell):
        return canonical_cell(cell[:SHORT])
    return _BOOLEANS.get(cell.lower(), cell)


_BEGINNINGS = frozenset("0123456789+-.#tTfF")
"""The first characters of numbers, times, NULL_CELL and booleans."""


def canonical_cells(cells: Sequence[str]) -> Iterator[str]:
    """Return the canonical forms of the cells of a column."""
    # Cells repeat, so each different cell is converted once; most are their own canonical form, which is seen in less time.
    different = set(cells)
    changed = [cell for cell in different if (cell[:1] in _BEGINNINGS or len(cell) == LONG) and " " not in cell]
    if not all(map(eq, different, map(str.strip, different))):
        changed += [cell for cell in different if cell != cell.strip()]
    forms = dict(zip(changed, map(canonical_cell, changed), strict=True))
    return map(forms.get, cells, cells) if forms else iter(cells)


def _is_long_id(cell: str) -> bool:
    """Return whether the cell is an id whose last three characters encode the case of the other fifteen."""
    return len(cell) == LONG and in_its_case(cell) == cell


def _canonical_number(cell: str) -> str:
    """Return the canonical form of a cell that begins like a number: the cell may be a number, a time or an id."""
    if NUMBER.fullmatch(cell):
        try:
            number = Decimal(cell)
        except InvalidOperation:
            return cell
        return str(number.normalize()) if number else "0"
    if _is_long_id(cell):
        return canonical_cell(cell[:SHORT])
    if _TIME.fullmatch(cell):
        try:
            return datetime.fromisoformat(cell).astimezone(UTC).isoformat()
        except (ValueError, OverflowError):
            return cell
    return cell


def numbered_names(names: Sequence[str]) -> Sequence[tuple[str, int]]:
    """Return each name in lower case with the number of columns of the same name before it: names may repeat."""
    seen = Counter[str]()
    numbered = []
    for name in map(str.lower, names):
        numbered.append((name, seen[name]))
        seen[name] += 1
    return numbered


ColumnCells = Sequence[str]
"""The cells of one column, a cell for each row."""


@dataclass(frozen=True, slots=True)
class ComparedColumns:
    """The columns of an upload, or of a result, that are compared.

    Attributes:
        indexes: indexes of the columns, in the same order for the upload and the result.
        key_index: index of the column whose cells identify rows; None if there is none.
        key_form: the function that gives all spellings of a key the same form; see `validation/key_forms.py`.
    """

    indexes: tuple[int, ...]
    key_index: int | None
    key_form: KeyForm = any_form

    def cell_hashes(self, columns: Sequence[ColumnCells]) -> Iterator[int]:
        """Return the hash of the compared cells of each row; 0 where no column is compared."""
        if not self.indexes:
            return iter([0] * len(columns[0]))
        return map(hash, zip(*(canonical_cells(columns[index]) for index in self.indexes), strict=True))

    def key_hashes(self, columns: Sequence[ColumnCells]) -> Iterator[int | None]:
        """Return the hash of the key of each row; None for a row without a key."""
        if self.key_index is None:
            return iter([None] * len(columns[0]))
        keys = forms_of(self.key_form, columns[self.key_index])
        return (hash(key) if key else None for key in keys)


def compared_columns(
    uploaded: Sequence[str], returned: Sequence[str], blank: frozenset[int], key: str | None
) -> tuple[ComparedColumns, ComparedColumns]:
    """Return which columns of an upload, and which of a result, are compared: the columns that both have, by name.

    A column whose cells are blank in all of a result is not compared: the cells may be blank because the header differs in
    case from the field (known issue a028c00000gAyI4AAK).

    Args:
        uploaded: names of the columns of the upload.
        returned: names of the columns of the result.
        blank: indexes of the columns of the result in which all cells are blank.
        key: name of the field that identifies rows; None if there is none.
    """
    by_name = {name: index for index, name in enumerate(numbered_names(uploaded))}
    pairs = [
        (by_name[name], index)
        for index, name in enumerate(numbered_names(returned))
        if name in by_name and index not in blank
    ]
    keys = [pair for pair in pairs if key and uploaded[pair[0]].lower() == key.lower()]
    uploaded_key, returned_key = keys[0] if keys else (None, None)
    form = key_form_by_name(key or "")
    return (
        ComparedColumns(tuple(pair[0] for pair in pairs), uploaded_key, form),
        ComparedColumns(tuple(pair[1] for pair in pairs), returned_key, form),
    )


def _in_one_case(cells: ColumnCells) -> Iterator[str]:
    """Return the canonical forms of cells, of which a picklist may have changed the case."""
    return map(str.lower, canonical_cells(cells))


class CandidateFilter:
    """Finds the rows of an upload that may be in a result, by the cells of one column: where few rows failed, few may be.

    Args:
        uploaded: the compared columns of the upload.
        returned: the compared columns of the result.
    """

    MOST_CELLS = 200_000
    """How many different cells of the result are remembered; where there are more, every row is a candidate."""

    def __init__(self, uploaded: ComparedColumns, returned: ComparedColumns) -> None:
        self._pairs = list(zip(uploaded.indexes, returned.indexes, strict=True))
        self._forms: Callable[[ColumnCells], Iterator[str]] = _in_one_case
        if uploaded.key_index is not None and returned.key_index is not None:
            self._pairs = [(uploaded.key_index, returned.key_index)]
            self._forms = partial(forms_of, uploaded.key_form)
        self._hashes: set[int] | None = set()

    def add_result_columns(self, columns: Sequence[ColumnCells]) -> None:
        """Remember some rows of the result, given by column."""
        if len(self._pairs) > 1:
            # The column with the most different cells leaves the fewest candidates.
            self._pairs = [max(self._pairs, key=lambda pair: len(set(columns[pair[1]])))]
        if self._hashes is not None and self._pairs:
            self._hashes.update(map(hash, self._forms(list(set(columns[self._pairs[0][1]])))))
            if len(self._hashes) > self.MOST_CELLS:
                self._hashes = None

    def candidates(self, column: Callable[[int], ColumnCells]) -> Sequence[int]:
        """Return the indexes of the candidates among some rows of the upload.

        Args:
            column: returns the cells of these rows in a column, given its index in the upload.
        """
        if self._hashes is None or not self._pairs:
            return range(len(column(0)))
        hashes = map(hash, self._forms(column(self._pairs[0][0])))
        return [row for row, number in enumerate(hashes) if number in self._hashes]
