"""The reading of the cells of one column in a format, a whole column at a time."""

from collections.abc import Sequence

from salesforce_bulk_ingest.salesforce.models import NULL_CELL
from salesforce_bulk_ingest.validation.formats import Format

MOST_REMEMBERED = 50_000
"""The maximum number of different cells of a column whose readings are remembered: dates and booleans repeat, and amounts
often do. They take up to 8 MB."""


class CellReader:
    """Reads the cells of one column in a format. Blank cells, `#N/A` and cells that do not fit stay as they are.

    Args:
        format: see below.
        most_remembered: see below.

    Attributes:
        format: the format.
        most_remembered: the maximum number of different cells whose readings are remembered.
        has_misfits: whether any cell did not fit so far.
    """

    def __init__(self, format: Format, most_remembered: int = MOST_REMEMBERED) -> None:
        self.format = format
        self.most_remembered = most_remembered
        self.has_misfits = False
        self._readings = _Readings(self)

    def read(self, cells: Sequence[str]) -> list[str]:
        """Return what each cell says, in the form that Salesforce takes."""
        return list(map(self._readings.__getitem__, cells))

    def is_misfit(self, cell: str) -> bool:
        """Return whether a cell does not fit the format."""
        return self.reading_of(cell) is None

    def reading_of(self, cell: str) -> str | None:
        """Return what one cell says; None if it does not fit."""
        plain = cell.strip()
        if plain == NULL_CELL or not (plain or self.format.reads_blank):
            return cell
        return self.format.read(plain)


class _Readings(dict[str, str]):
    """The readings of cells that were read before; any other cell is read when it is looked up."""

    def __init__(self, reader: CellReader) -> None:
        self._reader = reader

    def __missing__(self, cell: str) -> str:
        reading = self._reader.reading_of(cell)
        if reading is None:
            self._reader.has_misfits = True
            reading = cell
        if len(self) >= self._reader.most_remembered:
            self.clear()
        self[cell] = reading
        return reading
