"""Forms of values: a cell of the rows and a value of the org are equal if, and only if, they have the same form.

A form is what Salesforce would store of a cell, by the type of the field, so that a load of equal cells changes nothing.
What it stores is written down with its sources in `tests/agreement/cells.py`.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation

from salesforce_bulk_ingest.salesforce.models import NULL_CELL, FieldDescribe
from salesforce_bulk_ingest.validation.cells import LIMITS_OF_WHOLE_NUMBERS, NUMBER, NUMBER_TYPES, SPACES
from salesforce_bulk_ingest.validation.key_forms import same_id
from salesforce_bulk_ingest.validation.record_ids import in_its_case

UNSEEN_TYPES = frozenset({"encryptedstring", "base64", "address", "location"})
"""The types of fields whose values a query does not give, or not as they were loaded (Object reference, Field Types)."""

Form = Hashable
"""What Salesforce stores; None for no value."""

_ROUNDING = Context(prec=400, rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class ValueForms:
    """The forms of the values of a field.

    Attributes:
        of_text: returns the form of a cell without spaces around it, which is neither empty nor `#N/A`.
        of_json: returns the form of a value of the org, which is not null.
        of_nothing: the form of no value; a switch is off then.
    """

    of_text: Callable[[str], Form]
    of_json: Callable[[object], Form]
    of_nothing: Form = None

    def of_cell(self, cell: str) -> Form:
        """Return the form of a cell that is not empty: an empty cell says nothing."""
        text = "" if cell == NULL_CELL else cell.strip(SPACES)
        return self.of_text(text) if text else self.of_nothing

    def of_value(self, value: object) -> Form:
        """Return the form of a value of the org."""
        return self.of_nothing if value is None or value == "" else self.of_json(value)


def value_forms(field: FieldDescribe) -> ValueForms:
    """Return the forms of the values of a field."""
    if field.type in NUMBER_TYPES or field.type in LIMITS_OF_WHOLE_NUMBERS:
        of_number = _number_forms(field)
        return ValueForms(of_number, lambda value: of_number(str(value)))
    if field.type == "boolean":
        return ValueForms(_boolean, lambda value: _boolean(str(value)), of_nothing=False)
    of_text = _TEXT_FORMS.get(field.type, _line_breaks_alike)
    if field.restricted_picklist:
        of_text = _in_any_case(of_text)
    return ValueForms(of_text, lambda value: of_text(str(value)))


def _number_forms(field: FieldDescribe) -> Callable[[str], Form]:
    """Return the form of a number: its value as the field shows it, since the API keeps more decimals (Help 000387302)."""
    step = Decimal(1).scaleb(-field.scale)

    def of_number(text: str) -> Form:
        if not NUMBER.fullmatch(text):
            return text
        number = Decimal(repr(float(text)))
        try:
            return number.quantize(step, context=_ROUNDING) + 0
        except InvalidOperation:  # infinite, or too large to have decimals
            return number

    return of_number


def _boolean(text: str) -> Form:
    return {"true": True, "1": True, "false": False, "0": False}.get(text.lower(), text)


def _id(text: str) -> Form:
    return same_id(in_its_case(text) or text)


def _day(text: str) -> Form:
    return text[:10]


def _moment(text: str) -> Form:
    """Return the form of a time: its instant, to the second, since a query gives no fractions of custom fields (seen)."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    in_utc = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    try:
        return in_utc.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        return text


def _time_of_day(text: str) -> Form:
    clock, _, fraction = text.removesuffix("Z").partition(".")
    return clock, fraction[:3].rstrip("0")


def _selected(text: str) -> Form:
    return frozenset(each for part in text.split(";") if (each := part.strip(SPACES))) or None


def _line_breaks_alike(text: str) -> Form:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _in_any_case(of_text: Callable[[str], Form]) -> Callable[[str], Form]:
    return lambda text: of_text(text.lower())


_TEXT_FORMS: dict[str, Callable[[str], Form]] = {
    "id": _id,
    "reference": _id,
    "date": _day,
    "datetime": _moment,
    "time": _time_of_day,
    "email": str.lower,
    "multipicklist": _selected,
}
