"""The fields that a column of another name may be for: by name, label, word, or key of a parent."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from salesforce_bulk_ingest.salesforce.models import ID_FIELD, FieldDescribe, SObjectDescribe
from salesforce_bulk_ingest.validation.synonyms import plain, words_for_fields

SAME_IN_REPORTS = (("zippostalcode", "postalcode"), ("stateprovince", "state"), ("zipcode", "postalcode"))
"""Pairs of spellings of the same word: in reports and labels, and in the names of fields."""

RECORD_ID = ("recordid", "casesafeid", "18digitid")
"""The names of the column of record ids in reports and exports, as `plain` spells them."""

ANY_KEY = ("externalid", "extid", "externalkey", "foreignkey", "key")
"""The names of any external id in the headers of other systems, as `plain` spells them (assumed)."""

COMPOUND_TYPES = ("address", "location")
"""The types of fields that are made of others, and that no row can fill (REST API guide, Compound Fields)."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """A field that a column may be for.

    Attributes:
        name: the name of the column in the upload, if it is for this field; `Account.Ext__c` for a key of a parent.
        field: the field, or the lookup that leads to the parent.
    """

    name: str
    field: FieldDescribe

    @property
    def is_of_ids(self) -> bool:
        """Whether the column would hold record ids."""
        return self.field.type in ("id", "reference") and self.name == self.field.name


@dataclass(frozen=True, slots=True)
class Parent:
    """An object that a lookup leads to.

    Attributes:
        name: the name of the object.
        lookup: the lookup.
        words: the spellings by which a header may begin that is about the parent.
    """

    name: str
    lookup: FieldDescribe
    words: tuple[str, ...]

    def by(self, key: FieldDescribe) -> str:
        """Return the name of the column that finds the parent by a key.

        It says to which object a lookup of several leads (Bulk API 2.0 guide, Relationship Fields in a Header Row).
        """
        kind = f"{self.name}:" if self.lookup.is_polymorphic else ""
        return f"{kind}{self.lookup.relationship_name}.{key.name}"


class Meanings:
    """An index of the fields of an object by all names that a report, a spreadsheet or another system may have for them.

    Args:
        describe: the describe of the object.
        parents: describes of the objects that lookups lead to, by name, as far as these describes are known.
    """

    def __init__(self, describe: SObjectDescribe, parents: Mapping[str, SObjectDescribe]) -> None:
        self._object = plain(describe.label)
        self._parents = parents
        self._fields = {field.name: field for field in describe.fields}
        self._lookups = [
            parent for field in describe.fields if _leads_to_records(field) for parent in _parents_of(field)
        ]
        self._by_target: dict[str, dict[str, None]] = defaultdict(dict)
        self._by_ids: dict[str, dict[str, None]] = defaultdict(dict)
        self._by_name: dict[str, dict[str, None]] = defaultdict(dict)
        self._by_other_name: dict[str, dict[str, None]] = defaultdict(dict)
        for field in describe.fields:
            meant = street_of(field) if field.type in COMPOUND_TYPES else field.name
            if meant not in self._fields:
                continue
            for spelling in _names(field):
                self._by_name[spelling][meant] = None
            for spelling in self._other_names(field):
                self._by_other_name[spelling][meant] = None
        for parent in self._lookups:
            if parent.lookup.is_polymorphic:
                self._by_target[f"{plain(_without_suffix(parent.name))}id"][parent.lookup.name] = None
            for word in _words_of(parent.lookup):
                self._by_ids[word][parent.lookup.name] = self._by_ids[self._object + word][parent.lookup.name] = None
        self._by_word = words_for_fields(describe.name)

    @property
    def parents(self) -> Sequence["Parent"]:
        """The objects that lookups lead to, first those that rows need, then those that are the only one of a lookup."""
        return sorted(self._lookups, key=lambda parent: (not parent.lookup.is_required, parent.lookup.is_polymorphic))

    @property
    def keys_of_parents(self) -> Sequence[tuple[Meaning, FieldDescribe]]:
        """The columns that find parents by their keys, each with the key, as far as the parents are described."""
        return [
            (Meaning(parent.by(key), parent.lookup), key)
            for parent in self.parents
            if parent.name in self._parents
            for key in keys_of(self._parents[parent.name])
        ]

    def of(self, name: str) -> tuple[Meaning, ...]:
        """Return what a name may mean: nothing, one field, or several fields if it is not clear which."""
        spelling = _as_in_reports(plain(name))
        found = self._by_name.get(spelling) or self._by_other_name.get(spelling) or self._of_word(spelling)
        if not any(_is_fillable(self._fields[field]) or field == ID_FIELD for field in found or ()):
            found = self._by_target.get(spelling) or found  # a task's AccountId is the account of what it is about
        if found:
            return tuple(Meaning(field, self._fields[field]) for field in found)
        return tuple(dict.fromkeys(self._keys_of_parents(spelling)))

    def of_ids(self, name: str) -> tuple[Meaning, ...]:
        """Return what a name may mean if the cells are record ids: a report has names of records under it, an export ids."""
        fields = self._by_ids.get(_as_in_reports(plain(name)), ())
        return tuple(Meaning(field, self._fields[field]) for field in fields)

    def parents_of(self, name: str) -> Iterator["Parent"]:
        """Yield the parents that a name is about, such as that in AccountId for "Account ERP Id"."""
        for parent, _ in self._about_parents(_as_in_reports(plain(name))):
            yield parent

    def _other_names(self, field: FieldDescribe) -> Iterator[str]:
        if field.name == ID_FIELD:
            yield from RECORD_ID
            yield f"{self._object}id"
            return
        if field.reference_to:
            yield f"{plain(field.label)}id"
        else:
            yield _as_in_reports(plain(field.name.removesuffix("__c")))
        for spelling in _names(field):
            yield self._object + spelling

    def _of_word(self, spelling: str) -> Sequence[str]:
        return self._meant_by(spelling) or self._meant_by(spelling.removeprefix(self._object))

    def _meant_by(self, word: str) -> Sequence[str]:
        firsts = (next(filter(self._has_fillable, names), None) for names in self._by_word.get(word, ()))
        return [name for name in firsts if name is not None]

    def _has_fillable(self, name: str) -> bool:
        return name in self._fields and _is_fillable(self._fields[name])

    def _keys_of_parents(self, spelling: str) -> Iterator[Meaning]:
        for parent, rest in self._about_parents(spelling):
            described = self._parents.get(parent.name)
            for key in keys_of(described) if described else ():
                if rest in (*ANY_KEY, *_names(key), plain(key.name.removesuffix("__c"))):
                    yield Meaning(parent.by(key), parent.lookup)

    def _about_parents(self, spelling: str) -> Iterator[tuple["Parent", str]]:
        """Yield the parents that a spelling names with something of theirs, and the spelling of that."""
        for parent in self._lookups:
            for word in parent.words:
                rest = spelling.removeprefix(word) if spelling.startswith(word) else spelling.removesuffix(f"of{word}")
                if rest and rest != spelling:
                    yield parent, rest


def street_of(compound: FieldDescribe) -> str:
    """Return the name that the street of an address has; a column of whole addresses is for it, if for any field."""
    if compound.name.endswith("__c"):
        return f"{compound.name.removesuffix('__c')}__Street__s"
    return f"{compound.name.removesuffix('Address')}Street"


def has_parts_of_names(describe: SObjectDescribe) -> bool:
    """Return whether Salesforce makes the names of an object's records of first and last names, as those of persons."""
    name, last_name = describe.field("Name"), describe.field("LastName")
    return bool(name and last_name and _is_fillable(last_name) and not name.createable)


def keys_of(describe: SObjectDescribe) -> Sequence[FieldDescribe]:
    """Return the external ids of an object."""
    return [field for field in describe.fields if field.external_id]


def _leads_to_records(field: FieldDescribe) -> bool:
    return bool(field.relationship_name and field.reference_to) and _is_fillable(field)


def _parents_of(lookup: FieldDescribe) -> Iterator[Parent]:
    """Yield what a lookup leads to; one of several objects is named by itself, since the relationship does not say which."""
    for name in lookup.reference_to:
        words = (plain(_without_suffix(name)),) if lookup.is_polymorphic else _words_of(lookup)
        yield Parent(name, lookup, words)


def _without_suffix(name: str) -> str:
    return name.removesuffix("__c")


def _is_fillable(field: FieldDescribe) -> bool:
    return field.createable or field.updateable


def _words_of(lookup: FieldDescribe) -> tuple[str, ...]:
    """Return the spellings of a lookup itself, and of the object that it leads to, if it is one."""
    names = [plain((lookup.relationship_name or "").removesuffix("__r")), plain(lookup.label).removesuffix("id")]
    if not lookup.is_polymorphic:
        names.append(plain(_without_suffix(lookup.reference_to[0])))
    return tuple(dict.fromkeys(filter(None, names)))


def _names(field: FieldDescribe) -> Iterator[str]:
    """Yield the spellings of a field's name and label.

    The label of a lookup is left out unless the label ends in ID: otherwise, a report shows names of records there, not ids.
    """
    yield _as_in_reports(plain(field.name))
    label = _as_in_reports(plain(field.label))
    if label and (not field.reference_to or label.endswith("id")):
        yield label


def _as_in_reports(spelling: str) -> str:
    for other, own in SAME_IN_REPORTS:
        spelling = spelling.replace(other, own)
    return spelling
