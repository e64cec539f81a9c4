"""The fields whose cells reach no answer, and the masks that stand in answers for these cells."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

from salesforce_bulk_ingest.base.name_patterns import denied_fields, written_field

MASK_START = "[hidden, "
MASK = re.compile(rf"{re.escape(MASK_START)}[0-9,]+ characters?\]")
"""What stands for a hidden cell; no field of Salesforce's has such a text by itself."""

_WORD = re.compile(r"[\w.:]+")


def mask(cell: str) -> str:
    """Return what stands for a hidden cell: its length alone. An empty cell stays empty."""
    count = len(cell)
    return f"{MASK_START}{count:,} character{'' if count == 1 else 's'}]" if cell else ""


@dataclass(frozen=True, slots=True)
class HiddenFields:
    """The fields that the operator hides, named by patterns in which `*` and `?` stand for any characters.

    Case and namespaces are ignored. What can't be known is taken for hidden: a pattern with an object holds for each object
    where the object of the rows is not known, and for the field at the end of a relationship column, whose object is not
    known.

    Attributes:
        patterns: names of fields, such as `*SSN*`, or of fields of certain objects, such as `Contact.*Email*`.
        object_name: the object that the columns belong to; None where it is not known.
    """

    patterns: tuple[str, ...] = ()
    object_name: str | None = None

    def __bool__(self) -> bool:
        return bool(self.patterns)

    def on(self, object_name: str | None) -> Self:
        """Return the hidden fields for columns of an object."""
        return replace(self, object_name=object_name)

    def hides(self, column: str) -> bool:
        """Return whether the cells of a column are hidden.

        A column is named as a field or through a relationship; that of a source has any name, and may be a whole header that
        was read with the wrong delimiter. One hidden name in it hides its cells.
        """
        return bool(self.patterns) and any(
            self._is_hidden(name, is_of_object=is_of_object) for name, is_of_object in _names_in(column)
        )

    def _is_hidden(self, name: str, *, is_of_object: bool) -> bool:
        return bool(denied_fields(self.patterns, self.object_name if is_of_object else None, [name]))


NOTHING_HIDDEN = HiddenFields()


def _names_in(column: str) -> Iterator[tuple[str, bool]]:
    """Yield the names of fields that a column may stand for, each with whether it is a field of the column's own object."""
    for word in _WORD.findall(column):
        yield written_field(word), True
        parts = re.split("[.:]", word)
        if len(parts) > 1:
            yield from ((part, False) for part in parts)
