"""The forms of keys: two cells name the same record if, and only if, their keys have the same form.

All that compares keys does it by these forms: the checks of an upload for repeated keys, and the matching of the rows of a
result, and so of a retry, with the rows that were sent.

Spaces at either end are no part of a key (seen in forcedotcom/dataloader, pull request 1453, which says that full-width ones
are; assumed: that these are the characters that Java's `trim` takes away). A custom field ignores case only if it is unique
and set to do so (Apex developer guide, Upserting Records). Assumed: that other keys ignore it, that emails do, which are
stored in lower case (Salesforce Help 000384328), and that of a letter the simple lower case counts.
"""

from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter

from salesforce_bulk_ingest.salesforce.models import ID_FIELD, FieldDescribe
from salesforce_bulk_ingest.validation.cells import BLANK_CELLS, NUMBER, NUMBER_TYPES, SPACES

KeyForm = Callable[[str], str]
"""A function that gives all spellings of a record's key, without spaces around it, the same form."""

same_id: KeyForm = itemgetter(slice(15))
"""The form of a record id: its first 15 characters. The other three only encode the case of these."""

same_text: KeyForm = str.lower
"""The form of a key in a field that ignores case."""

exact_text: KeyForm = str
"""The form of a key in a field that tells cases apart."""


def same_number(key: str) -> str:
    """Return the form of a number: its value as a double (guide, Prepare CSV Files), however it is written."""
    return repr(float(key) + 0.0) if NUMBER.fullmatch(key) else key


def any_form(key: str) -> str:
    """Return the form of a key in an unknown field: what one kind of field takes for equal is equal.

    Two keys of the same form may still name two records; two of different forms never name one.
    """
    return same_number(key.lower())


def key_form(field: FieldDescribe | None) -> KeyForm:
    """Return the form of the keys in a field; None is a field that is not known."""
    if field is None:
        return any_form
    if field.type == "id":
        return same_id
    if field.type in NUMBER_TYPES:
        return same_number
    is_exact = field.case_sensitive or (field.external_id and not field.unique and field.type != "email")
    return exact_text if is_exact else same_text


def key_form_by_name(name: str) -> KeyForm:
    """Return the form of the keys in a field of which nothing but the name is known."""
    return same_id if name.lower() == ID_FIELD.lower() else any_form


def forms_of(form: KeyForm, cells: Sequence[str]) -> Iterator[str]:
    """Yield the form of the key in each cell; an empty text for a cell without a key."""
    return ("" if key in BLANK_CELLS else form(key) for key in trimmed(cells))


def trimmed(cells: Sequence[str]) -> Sequence[str]:
    """Return each cell without the spaces that are no part of a key."""
    column = "".join(cells)
    if (
        " " not in column and column.isprintable()
    ):  # hardly any key has a space, and all others of SPACES are not printed
        return cells
    return [cell.strip(SPACES) for cell in cells]
