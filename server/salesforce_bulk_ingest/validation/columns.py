"""The meaning of an upload's columns: fields of the object, or of its parents through a relationship.

Forms of a header: Bulk API 2.0 guide, Relationship Fields in a Header Row. That Salesforce fails the whole
job for a wrong header was seen in public code.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property, partial

from salesforce_bulk_ingest.base.text import NAMES_SHOWN, as_name, quoted_names
from salesforce_bulk_ingest.salesforce.models import FieldDescribe, SObjectDescribe
from salesforce_bulk_ingest.validation.meanings import Meanings, Parent, has_parts_of_names, keys_of
from salesforce_bulk_ingest.validation.synonyms import plain

LIKENESS = 0.8
"""The similarity, from 0 to 1, from which on an unknown name may be a known name that is badly spelled: more than that of
"Surname" and "Name"."""

MOST_HINTS = 3

OF_USERS = ("User", "Group")
"""Objects whose records no file has keys of its own for."""

OF_WHOLE_NAMES = (
    "Salesforce makes Name of FirstName and LastName: split whole names into columns for these, or set LastName for it in "
    "columns, which takes whole names as last names; null there loses them."
)
SET_OR_LEAVE_OUT = "Set the field in columns, or null there to leave the column out."


@dataclass(frozen=True, slots=True)
class FieldColumn:
    """A column that Salesforce understands.

    Attributes:
        name: the name of the column in the upload.
        field: the field of the object that the column fills; for a relationship, the lookup field.
        parent_field: the field by which the parent record is found, such as `Account.Ext__c`; None without relationship.
    """

    name: str
    field: FieldDescribe
    parent_field: str | None = None

    @property
    def has_ids_of_several(self) -> bool:
        """Whether the column takes record ids of several objects."""
        return self.field.is_polymorphic and self.parent_field is None


@dataclass(frozen=True, slots=True)
class UnknownColumn:
    """A column that Salesforce does not understand.

    Attributes:
        name: the name of the column in the upload.
        what: what is wrong with the column, a sentence.
        advise: returns what to do about it, a sentence; that takes a search where a field of another name may be meant.
    """

    name: str
    what: str
    advise: Callable[[], str]


@dataclass(frozen=True, slots=True)
class _Path:
    """The parts of a column name `Type:Relationship.Field`; the type is empty if the name has none."""

    type: str
    relationship: str
    field: str


def columns_of(
    header: Sequence[str], describe: SObjectDescribe, parents: Mapping[str, SObjectDescribe]
) -> tuple[FieldColumn | UnknownColumn, ...]:
    """Return the meaning of each column, or what is wrong with the column.

    Args:
        header: the names of the uploaded columns.
        describe: the describe of the object.
        parents: describes of the objects that relationships lead to, by name, as far as these describes are known.
    """
    names = FieldNames(describe, parents)
    return tuple(_column(name, names, parents) for name in header)


def parents_of(header: Sequence[str], describe: SObjectDescribe) -> tuple[str, ...]:
    """Return the names of the objects whose fields the header names through relationships."""
    paths = [_path(name) for name in header if "." in name and describe.field(name) is None]
    found = [_parent(path, lookup) for path in paths if (lookup := describe.lookup(path.relationship))]
    return tuple(dict.fromkeys(parent for parent in found if parent is not None))


def likely_parents_of(header: Sequence[str], describe: SObjectDescribe) -> tuple[str, ...]:
    """Return the names of the objects whose keys a header may name in words, such as "Account ERP Id"."""
    unknown = _unknown_names(header, describe)
    if not unknown:
        return ()
    meanings = Meanings(describe, {})
    without_meaning = [name for name in unknown if not meanings.of(name)]
    return tuple(dict.fromkeys(parent.name for name in without_meaning for parent in meanings.parents_of(name)))


def possible_parents_of(header: Sequence[str], describe: SObjectDescribe) -> tuple[str, ...]:
    """Return the names of the objects whose keys a column may hold of which nothing is known, those that rows need first."""
    unknown = _unknown_names(header, describe)
    if not unknown:
        return ()
    meanings = Meanings(describe, {})
    is_any = any(not meanings.of(name) and not any(meanings.parents_of(name)) for name in unknown)
    return tuple(dict.fromkeys(parent.name for parent in meanings.parents if is_any and parent.name not in OF_USERS))


def _unknown_names(header: Sequence[str], describe: SObjectDescribe) -> Sequence[str]:
    return [name for name in header if "." not in name and describe.field(name) is None]


class FieldNames:
    """An index of the fields of an object by name and label, to find the fields that an unknown name may mean.

    Args:
        describe: the describe of the object.
        parents: describes of the objects that lookups lead to, see `Meanings`.
    """

    MOST_LOOKED_UP = 20
    """The maximum number of unknown names to search for: the search is slow, and a file with more unknown columns is a file
    of another object."""

    def __init__(self, describe: SObjectDescribe, parents: Mapping[str, SObjectDescribe]) -> None:
        self.describe = describe
        self._parents = parents
        self._of_parents: dict[str, FieldNames] = {}
        self._looked_up = 0

    @cached_property
    def _by_spelling(self) -> Mapping[str, str]:
        fields = self.describe.fields
        return {
            **{plain(field.label): field.name for field in reversed(fields)},
            **{plain(field.name.removesuffix("__c")): field.name for field in fields},
            **{plain(field.name): field.name for field in fields},
        }

    @cached_property
    def _meanings(self) -> Meanings:
        return Meanings(self.describe, self._parents)

    def of_parent(self, parent: SObjectDescribe) -> "FieldNames":
        """Return the index of the fields of a parent, which many columns may name."""
        return self._of_parents.setdefault(parent.name, FieldNames(parent, {}))

    def near(self, name: str) -> tuple[str, ...]:
        """Return the names of up to three fields that are spelled like an unknown name, the likeliest first."""
        self._looked_up += 1
        if self._looked_up > self.MOST_LOOKED_UP:
            return ()
        close = get_close_matches(plain(name), self._by_spelling, 3, LIKENESS)
        return tuple(dict.fromkeys(self._by_spelling[spelling] for spelling in close))

    def meant(self, name: str) -> tuple[str, ...]:
        """Return the names of up to three fields that an unknown name is likely to stand for, the likeliest first.

        Fields that the name means in words go before those that are spelled like it.
        """
        return self._in_words(name) or self.near(name)

    def hint(self, name: str) -> str:
        """Return the advice about an unknown column of this name."""
        meant = self._in_words(name)
        if meant == ("Name",) and has_parts_of_names(self.describe):
            return OF_WHOLE_NAMES
        if not meant:
            about = next((parent for parent in self._meanings.parents_of(name) if parent.name in self._parents), None)
            if about is not None:
                return _by_keys(about, self._parents[about.name])
            meant = self.near(name)
        return f"{did_you_mean(meant)} {SET_OR_LEAVE_OUT}" if meant else SET_OR_LEAVE_OUT

    def _in_words(self, name: str) -> tuple[str, ...]:
        meanings = self._meanings.of(name) or self._meanings.of_ids(name)
        return tuple(meaning.name for meaning in meanings[:MOST_HINTS])


def did_you_mean(names: Sequence[str]) -> str:
    """Return the question whether one of these fields is meant."""
    return f"Did you mean {' or '.join(map(as_name, names))}?"


def _by_keys(about: Parent, parent: SObjectDescribe) -> str:
    """Return the advice about a column that says something about a parent which is no key of it."""
    named = _any_of([about.lookup.name, *map(about.by, keys_of(parent))])
    return f"Rows say which {as_name(parent.name)} they belong to by its id or external id: {named}. {SET_OR_LEAVE_OUT}"


def _column(name: str, names: FieldNames, parents: Mapping[str, SObjectDescribe]) -> FieldColumn | UnknownColumn:
    field = names.describe.field(name)
    if field is not None:
        return FieldColumn(name, field)
    if not name.strip():
        return UnknownColumn(name, "A column has no name, which fails the whole job.", lambda: SET_OR_LEAVE_OUT)
    if "." not in name:
        return UnknownColumn(name, _no_field(names.describe, name), partial(names.hint, name))
    return _relationship(name, _path(name), names, parents)


def _relationship(
    name: str, path: _Path, names: FieldNames, parents: Mapping[str, SObjectDescribe]
) -> FieldColumn | UnknownColumn:
    describe = names.describe
    lookup = describe.lookup(path.relationship)
    if lookup is None:
        missing = f"relationship {quoted_names([path.relationship])}"
        what = f"{as_name(describe.name)} has no {missing}, which fails the whole job."
        return UnknownColumn(name, what, partial(_meant_relationship, path, names))
    if "." in path.field:
        what = "A column can go through one relationship, not several; this fails the whole job."
        return UnknownColumn(name, what, lambda: f"Name a field of {_any_of(lookup.reference_to)} itself in columns.")
    parent = _parent(path, lookup)
    if lookup.is_polymorphic and parent is None:
        leads = f"{as_name(path.relationship)} leads to {_any_of(lookup.reference_to)}"
        what = f"{leads}, and a column that does not say to which fails the whole job."
        own_name = as_name(f"{lookup.reference_to[0]}:{path.relationship}.{path.field}")
        return UnknownColumn(name, what, lambda: f"Name it {own_name} in columns, say.")
    if path.type and not lookup.is_polymorphic:
        what = (
            f"{as_name(path.relationship)} leads to one object only, and naming it in the column fails the whole job."
        )
        return UnknownColumn(name, what, lambda: f"Name it {as_name(f'{path.relationship}.{path.field}')} in columns.")
    return _through(name, path, lookup, names, parents.get(parent or ""))


def _through(
    name: str, path: _Path, lookup: FieldDescribe, names: FieldNames, parent: SObjectDescribe | None
) -> FieldColumn | UnknownColumn:
    if parent is None:
        return FieldColumn(name, lookup, path.field)
    field = parent.field(path.field)
    if field is None:
        return UnknownColumn(name, _no_field(parent, path.field), partial(names.of_parent(parent).hint, path.field))
    if not field.finds_records:
        usable = [field.name for field in parent.fields if field.finds_records]
        of_parent = f"of {as_name(parent.name)}"
        what = f"{as_name(field.name)} is neither an external id nor a lookup field {of_parent}, which fails the whole job."
        return UnknownColumn(name, what, lambda: f"Use {_any_of(usable)} {of_parent} in columns.")
    return FieldColumn(name, lookup, f"{parent.name}.{field.name}")


def _path(name: str) -> _Path:
    object_type, _, path = name.rpartition(":")
    relationship, _, field = path.partition(".")
    return _Path(object_type, relationship, field)


def _parent(path: _Path, lookup: FieldDescribe) -> str | None:
    """Return the name of the object that a path leads to; None if this is not clear, or if the lookup can't lead there."""
    if not lookup.is_polymorphic:
        return next(iter(lookup.reference_to), None)
    return next((name for name in lookup.reference_to if name.lower() == path.type.lower()), None)


def _no_field(describe: SObjectDescribe, name: str) -> str:
    return f"{as_name(describe.name)} has no field {quoted_names([name])} that this user can see, which fails the whole job."


def _meant_relationship(path: _Path, names: FieldNames) -> str:
    describe = names.describe
    if describe.lookup(path.type):  # type and relationship were mixed up
        return f"Name it {as_name(f'{path.type}.{path.field}')} in columns."
    near = map(describe.field, (path.relationship, *names.near(path.relationship)))
    for lookup in near:
        if lookup is not None and lookup.relationship_name:
            return f"{did_you_mean([f'{lookup.relationship_name}.{path.field}'])} {SET_OR_LEAVE_OUT}"
    return SET_OR_LEAVE_OUT


def _any_of(names: Sequence[str]) -> str:
    return " or ".join(map(as_name, names[:NAMES_SHOWN])) or "another field"
