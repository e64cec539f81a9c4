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
        self._lookups = [(field, _words_of(field)) for field in describe.fields if _leads_to_one(field)]
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
        self._by_word = self._words(describe)

    def of(self, name: str) -> tuple[Meaning, ...]:
        """Return what a name may mean: nothing, one field, or several fields if it is not clear which."""
        spelling = _as_in_reports(plain(name))
        found = self._by_name.get(spelling) or self._by_other_name.get(spelling) or self._of_word(spelling)
        if found:
            return tuple(Meaning(field, self._fields[field]) for field in found)
        return tuple(dict.fromkeys(self._keys_of_parents(spelling)))

    def parents_of(self, name: str) -> Iterator[FieldDescribe]:
        """Yield the lookups whose parent a name is about, such as that of Account for "Account ERP Id"."""
        for lookup, _ in self._about_parents(_as_in_reports(plain(name))):
            yield lookup

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

    def _words(self, describe: SObjectDescribe) -> Mapping[str, tuple[str, ...]]:
        words: dict[str, tuple[str, ...]] = {}
        for word, names in words_for_fields(describe.name):
            fillable = [name for name in names if name in self._fields and _is_fillable(self._fields[name])]
            words[word] = (*words.get(word, ()), *fillable[:1])
        return words

    def _of_word(self, spelling: str) -> tuple[str, ...]:
        return self._by_word.get(spelling) or self._by_word.get(spelling.removeprefix(self._object), ())

    def _keys_of_parents(self, spelling: str) -> Iterator[Meaning]:
        for lookup, rest in self._about_parents(spelling):
            parent = self._parents.get(lookup.reference_to[0])
            for key in keys_of(parent) if parent else ():
                if rest in (*ANY_KEY, *_names(key), plain(key.name.removesuffix("__c"))):
                    yield Meaning(f"{lookup.relationship_name}.{key.name}", lookup)

    def _about_parents(self, spelling: str) -> Iterator[tuple[FieldDescribe, str]]:
        """Yield the lookups that a spelling names with something of the parent, and the spelling of that."""
        for lookup, words in self._lookups:
            for word in words:
                rest = spelling.removeprefix(word) if spelling.startswith(word) else spelling.removesuffix(f"of{word}")
                if rest and rest != spelling:
                    yield lookup, rest


def street_of(compound: FieldDescribe) -> str:
    """Return the name that the street of an address has; a column of whole addresses is for it, if for any field."""
    if compound.name.endswith("__c"):
        return f"{compound.name.removesuffix('__c')}__Street__s"
    return f"{compound.name.removesuffix('Address')}Street"


def keys_of(describe: SObjectDescribe) -> Sequence[FieldDescribe]:
    """Return the external ids of an object."""
    return [field for field in describe.fields if field.external_id]


def _leads_to_one(field: FieldDescribe) -> bool:
    return bool(field.relationship_name) and len(field.reference_to) == 1 and _is_fillable(field)


def _is_fillable(field: FieldDescribe) -> bool:
    return field.createable or field.updateable


def _words_of(lookup: FieldDescribe) -> tuple[str, ...]:
    """Return the spellings by which a header may begin that is about the parent of a lookup."""
    names = (
        plain((lookup.relationship_name or "").removesuffix("__r")),
        plain(lookup.label).removesuffix("id"),
        plain(lookup.reference_to[0].removesuffix("__c")),
    )
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
