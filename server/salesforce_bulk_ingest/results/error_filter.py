"""Choosing failed rows by their error."""

from dataclasses import dataclass

from salesforce_bulk_ingest.results.row_errors import parse_row_error


@dataclass(frozen=True, slots=True)
class ErrorFilter:
    """Chooses failed rows by status code and field; an empty filter chooses every row.

    Attributes:
        code: status code of the error; None for any.
        field: API name of a field that the error names, in any case; None for any.
    """

    code: str | None = None
    field: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the filter chooses every row, whatever its error."""
        return self.code is None and self.field is None

    def matches(self, error: str) -> bool:
        """Return whether the filter chooses a row with this `sf__Error`."""
        if self.is_empty:
            return True
        parsed = parse_row_error(error)
        names = {name.lower() for name in parsed.fields}
        return self.code in (None, parsed.code) and (self.field is None or self.field.lower() in names)
