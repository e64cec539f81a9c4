"""The mask of a result's rows: what of them an answer shows where the operator hides fields.

Rows are masked before anything is made of them, so that neither pages nor error groups can show a hidden cell. In files,
which retries read, they stay as Salesforce gave them.
"""

import html
import re
from collections.abc import Callable, Iterable, Sequence

from salesforce_bulk_ingest.base.hidden_fields import HiddenFields, mask
from salesforce_bulk_ingest.results.fingerprints import place_of_value
from salesforce_bulk_ingest.results.result_file import outcome_count, without_mark
from salesforce_bulk_ingest.results.row_errors import ERROR_COLUMN, split_row_error

_SHORTEST_PART = 6
"""The number of characters below which a cell may well be a part of another word, and is looked for as a word alone."""

_OUTCOME = re.compile(r"([A-Za-z0-9]{15}([A-Za-z0-9]{3})?|true|false)?")
"""An id, or whether a record was created; either may be missing."""

_ERROR = re.compile(r'[^"\r\n]*--')
"""An error that is whole, and without a quote in which further cells could be."""


class RowMask:
    """Masks the rows of one result; it is true if some of its columns are hidden.

    The outcome columns are shown: ids, and errors, in which the hidden cells of their row are masked, too.

    Args:
        names: the names of the columns of the result.
        hidden: the fields that are hidden, of the object of the job.

    Attributes:
        hidden_names: the names of the hidden columns.
    """

    def __init__(self, names: Sequence[str], hidden: HiddenFields) -> None:
        self._width = len(names)
        self._hidden = hidden
        self._columns = frozenset(map(str.lower, names))
        self._outcome_count = outcome_count(names)
        uploaded = range(self._outcome_count, len(names))
        self._indexes = frozenset(index for index in uploaded if hidden.hides(names[index]))
        outcome = [without_mark(name) for name in names[: self._outcome_count]]
        self._error_index = outcome.index(ERROR_COLUMN) if ERROR_COLUMN in outcome else None
        self.hidden_names = tuple(names[index] for index in sorted(self._indexes))

    def __bool__(self) -> bool:
        return bool(self._indexes)

    def rows(self, rows: Sequence[Sequence[str]]) -> Sequence[Sequence[str]]:
        """Return the rows as an answer may show them."""
        return list(map(self.row, rows)) if self else rows

    def row(self, cells: Sequence[str]) -> Sequence[str]:
        """Return a row as an answer may show it."""
        if not self:
            return cells
        indexes = self._indexes if len(cells) == self._width else self._doubtful(cells)
        masked = [mask(cell) if index in indexes else cell for index, cell in enumerate(cells)]
        if self._error_index is not None and self._error_index < len(cells) and self._error_index not in indexes:
            secrets = [cells[index] for index in indexes]
            masked[self._error_index] = self._masked_error(cells[self._error_index], secrets)
        return masked

    def _doubtful(self, cells: Sequence[str]) -> frozenset[int]:
        """Return which cells of a row with too many or too few may be those of a hidden column, or hold several.

        A record that is cut within a quote is a single cell, or the rest of the row is in one of its first ones.
        """
        outcome = enumerate(cells[: self._outcome_count])
        forms = ((index, cell, _ERROR if index == self._error_index else _OUTCOME) for index, cell in outcome)
        odd = [index for index, cell, form in forms if not form.fullmatch(cell)]
        return frozenset((*odd, *range(self._outcome_count, len(cells))))

    def _masked_error(self, error: str, secrets: Iterable[str]) -> str:
        """Return an `sf__Error` without the hidden cells of its row, and without a value of a hidden field that it names."""
        forms = _forms(secrets)
        code, message, fields = split_row_error(error)
        names_hidden = self._hidden.hides(f"{fields} {message}")
        place = (names_hidden and place_of_value(message)) or slice(len(message), len(message))
        before, value, after = message[: place.start], message[place], message[place.stop :]
        names = {form for form in forms if form.lower() not in self._columns}
        code, fields = (_masked(text, names, _within_names) for text in (code, fields))
        before, after = (_masked(text, forms, _within_text) for text in (before, after))
        return f"{code}{before}{mask(value)}{after}{fields}"


def _forms(secrets: Iterable[str]) -> frozenset[str]:
    """Return the forms that cells may have in a message: trimmed, on one line, in lower case, escaped for HTML."""
    cells = set(filter(None, map(_on_one_line, secrets)))
    texts = cells | set(map(str.lower, cells))
    escaped = set(map(html.escape, texts))
    return frozenset(texts | escaped | {text.replace("&#x27;", "&#39;") for text in escaped})


def _masked(text: str, forms: Iterable[str], pattern_of: Callable[[str], str]) -> str:
    """Return a text with a mask in place of each form of a cell, in any case."""
    line = _on_one_line(text)
    lowered = line.lower()
    found = sorted((form for form in forms if form in line or form in lowered), key=lambda form: (-len(form), form))
    if not found:
        return text
    return re.sub("|".join(map(pattern_of, found)), lambda occurrence: mask(occurrence[0]), text, flags=re.IGNORECASE)


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def _escaped(form: str) -> str:
    return r"\s+".join(map(re.escape, form.split(" ")))


def _within_text(form: str) -> str:
    """Return the regular expression for a cell in a message: a short one is no part of a longer word or number."""
    return _escaped(form) if len(form) >= _SHORTEST_PART else _apart(form)


def _within_names(form: str) -> str:
    """Return the regular expression for a cell in a code or among fields: a word alone is no part of a name there."""
    return rf"(?<!\w){form}(?!\w)" if re.fullmatch("[A-Za-z_]+", form) else _within_text(form)


def _apart(form: str) -> str:
    """Return the regular expression for a text that is no part of a longer word or number."""
    before, after = map(_kind_of, (form[0], form[-1]))
    return (f"(?<!{before})" if before else "") + _escaped(form) + (f"(?!{after})" if after else "")


def _kind_of(character: str) -> str:
    """Return the class of characters that make one word or number with this one; empty where none does."""
    return next((kind for kind in ("[0-9]", "[A-Za-z_]") if re.fullmatch(kind, character)), "")
