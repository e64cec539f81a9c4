"""The fields whose cells reach no answer, and the masks that stand in answers for these cells."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Self

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

    Case is ignored everywhere. What can't be known is taken for hidden: a pattern with an object holds for each object where
    the object of the rows is not known, and for the field at the end of a relationship column, whose object is not known.

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
            self._is_hidden(name, is_of_object=is_of_object) for name, is_of_object in _names_in(column.lower())
        )

    def _is_hidden(self, name: str, *, is_of_object: bool) -> bool:
        for pattern in self.patterns:
            object_pattern, _, field_pattern = pattern.lower().rpartition(".")
            is_about = not object_pattern or not is_of_object or self.object_name is None
            if fnmatchcase(name, field_pattern) and (
                is_about or fnmatchcase((self.object_name or "").lower(), object_pattern)
            ):
                return True
        return False


NOTHING_HIDDEN = HiddenFields()


def _names_in(column: str) -> Iterator[tuple[str, bool]]:
    """Yield the names of fields that a column may stand for, each with whether it is a field of the column's own object."""
    for word in _WORD.findall(column):
        *relationship, key = re.split("[.:]", word)
        if not relationship:
            yield word, True
            continue
        lookup = relationship[-1]
        yield f"{lookup[:-1]}c" if lookup.endswith("__r") else f"{lookup}id", True
        for part in (*relationship, key):
            yield part, False
