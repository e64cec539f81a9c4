"""What deleted records held, and the rows that insert them again.

They come back as new records, with ids of their own. What Salesforce deleted with them, such as children, is in no image.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Self

from salesforce_bulk_ingest.base.text import as_name, quoted_names
from salesforce_bulk_ingest.comparison.before_image import NoImage, cell_of
from salesforce_bulk_ingest.comparison.cell_equality import UNSEEN_TYPES
from salesforce_bulk_ingest.comparison.record_reader import JsonRecord
from salesforce_bulk_ingest.salesforce.models import ID_FIELD, IS_PERSON, FieldDescribe, SObjectDescribe
from salesforce_bulk_ingest.validation.key_forms import same_id

NAME = "Name"


@dataclass(frozen=True, slots=True)
class InsertableFields:
    """The fields that a new record takes, by whether a query gives what they held.

    Attributes:
        fields: the fields that a query gives.
        unread: the names of the fields that it does not give.
        of_persons: the names of the fields that only accounts of persons take; None where the object has no such accounts.
    """

    fields: tuple[FieldDescribe, ...]
    unread: tuple[str, ...] = ()
    of_persons: frozenset[str] | None = None

    @classmethod
    def of(cls, describe: SObjectDescribe) -> Self:
        """Return the fields that a new record of an object takes.

        Raises:
            NoImage: no record of the object can be made from what a query gives.
        """
        if not describe.createable:
            raise NoImage(f"this user can't create records of {as_name(describe.name)}")
        # An address or a location is the sum of fields that are taken one by one.
        taken = [each for each in describe.fields if each.createable and not _is_sum(describe, each)]
        of_persons = _of_persons(describe) if describe.has_persons else None
        return cls(tuple(taken), (), of_persons).without([each.name for each in taken if each.type in UNSEEN_TYPES])

    def without(self, names: Collection[str]) -> Self:
        """Return the fields without some that a query does not give.

        Raises:
            NoImage: a new record needs one of them, or none tells which fields it takes.
        """
        if IS_PERSON in names:
            raise NoImage(f"{IS_PERSON} can't be read, by which an account has the fields of a person or not")
        needed = [each.name for each in self.fields if each.name in names and each.is_required]
        if needed:
            raise NoImage(f"{quoted_names(needed)} can't be read, and a new record needs it")
        left = tuple(each for each in self.fields if each.name not in names)
        return replace(self, fields=left, unread=tuple(dict.fromkeys((*self.unread, *names))))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the fields that a query gives."""
        return tuple(each.name for each in self.fields)

    @property
    def paths(self) -> tuple[str, ...]:
        """What a query reads of each record."""
        return self.names if self.of_persons is None else (IS_PERSON, *self.names)

    def row_of(self, record: JsonRecord) -> tuple[str, ...]:
        """Return the row of an image: the id of a record, and the cells that a new record is made of."""
        refused = self._refused_for(record)
        cells = ("" if each.name in refused else _cell_of_new(each, record) for each in self.fields)
        return (str(record.get(ID_FIELD)), *cells)

    def _refused_for(self, record: JsonRecord) -> Set[str]:
        """Return the names of the fields that a new record of this kind does not take: an account is a person's or not."""
        if self.of_persons is None:
            return frozenset()
        return {NAME} if record.get(IS_PERSON) is True else self.of_persons


def _is_sum(describe: SObjectDescribe, field: FieldDescribe) -> bool:
    return field.type in UNSEEN_TYPES and bool(describe.parts_of(field))


def _of_persons(describe: SObjectDescribe) -> frozenset[str]:
    """Return the names of the fields of accounts that are those of persons (Object Reference, Person Account)."""
    name = describe.field(NAME)
    parts = () if name is None else describe.parts_of(name)
    others = (each for each in describe.fields if each.name.endswith("__pc") or each.name.startswith("Person"))
    return frozenset(each.name for each in (*parts, *others))


def _cell_of_new(field: FieldDescribe, record: JsonRecord) -> str:
    """Return the cell that gives a new record what a field held; an empty one for no value, unless it has a default."""
    value = record.get(field.name)
    is_said = field.defaulted_on_create or not (value is None or value == "")
    return cell_of(value) if is_said else ""


@dataclass(slots=True)
class RowsBack:
    """The rows of an image that insert records again; what is left out of them is counted.

    Attributes:
        names: the names of the columns of the image after the id.
        deleted: the ids of the records that the job deleted; None where that is not known: those that are not there count.
        there: the ids of those that are in the org.
        lookups: the indexes of the columns of lookups, after the id, that may be left blank.
        gone: the ids in these columns whose records the org has no more.
        given: the ids of the records that go back, of all jobs that are undone together: one that was restored and deleted
            once more goes back once.
        not_deleted: the ids of the records that the job did not delete.
        there_again: the ids of the deleted records that somebody has restored.
        blanked: the number of cells that are left blank, by the name of the column.
    """

    names: tuple[str, ...]
    deleted: Set[str] | None
    there: Set[str]
    lookups: Collection[int]
    gone: Set[str]
    given: set[str]
    not_deleted: list[str] = field(default_factory=list)
    there_again: list[str] = field(default_factory=list)
    blanked: Counter[str] = field(default_factory=Counter)

    def of(self, image: Iterable[Sequence[str]]) -> Iterator[tuple[int, list[str]]]:
        """Yield the number of each row of an image that goes back, and its cells without the id."""
        for number, (record_id, *cells) in enumerate(image):
            known = same_id(record_id)
            if self.deleted is not None and known not in self.deleted:
                self.not_deleted.append(record_id)
            elif known in self.there:
                self.there_again.append(record_id)
            elif known not in self.given:
                self.given.add(known)
                for index in self.lookups:
                    if same_id(cells[index]) in self.gone:
                        cells[index] = ""
                        self.blanked[self.names[index]] += 1
                yield number, cells
