"""The names of objects and fields in the policy, with `*` and `?` for any characters, held against the names of callers.

Salesforce takes names in any case, and a name of the org's own namespace with the namespace or without.
"""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

_NAMESPACED = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)*__(.+__.+|[a-z]{4,})")
"""A name with a namespace, in lower case: before another suffix such as __c, or before a name of Salesforce's own."""


def is_allowed_by(patterns: Iterable[str], name: str) -> bool:
    """Return whether the name matches a pattern exactly: a namespace that the pattern lacks makes another name."""
    return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)


def is_denied_by(patterns: Iterable[str], name: str) -> bool:
    """Return whether the name matches a pattern, with its namespace or without."""
    return any(_may_match(pattern, name) for pattern in patterns)


def denied_fields(patterns: Iterable[str], sobject: str | None, fields: Iterable[str]) -> list[str]:
    """Return the fields that match a pattern, `Field` or `Object.Field`.

    Args:
        patterns: the patterns.
        sobject: the object of the fields; None for one that is not known, which may be any.
        fields: the names of the fields.
    """
    rules = [pattern.rpartition(".")[::2] for pattern in patterns]
    of_object = [field for of, field in rules if not of or sobject is None or _may_match(of, sobject)]
    return [field for field in fields if is_denied_by(of_object, field)]


def written_field(column: str) -> str:
    """Return the name of the field that a column writes.

    A column such as `Owner.Email`, `Type:Owner.Email` or `Plan__r.Key__c` fills the lookup field of its relationship (Bulk
    API 2.0 guide, Relationship Fields in a Header Row).
    """
    name = column.strip()
    relationship, dot, _ = name.rpartition(":")[2].partition(".")
    if not dot:
        return name
    custom = relationship[:-3] + "__c" if relationship.lower().endswith("__r") else None
    return custom or f"{relationship}Id"


def _may_match(pattern: str, name: str) -> bool:
    names = _with_and_without_namespace(name)
    return any(fnmatchcase(one, form) for form in _with_and_without_namespace(pattern) for one in names)


def _with_and_without_namespace(name: str) -> set[str]:
    lowered = name.strip().lower()
    namespaced = _NAMESPACED.fullmatch(lowered)
    return {lowered, namespaced[1]} if namespaced else {lowered}
