"""The forms in which clients send arguments: read by the input schema, before the models of the arguments check them.

A client may send null for what it leaves out, or an empty text where text is taken; nested values and numbers as text; and
one value where a list belongs. Any other text stays as it is where the schema takes texts: a CSV `null` is a CSV; a list in
text is the list where the schema takes both. Elsewhere blank text stands for nothing and is refused: the switch or the bound
that was meant would be off.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any


class RepeatedName(Exception):
    """An object in a text of JSON has two values under one name, of which one would be lost.

    Args:
        name: the name.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def as_declared(value: object, schema: Mapping[str, Any]) -> object:
    """Return a value in the form that its schema declares; one that fits no form comes back for the models to refuse.

    Args:
        value: the value as the client sent it; it is not changed.
        schema: the schema of the value, with no references (see `portable_schema.portable`).

    Raises:
        RepeatedName: a text of JSON gives a name twice.
    """
    types = _types(schema)
    if isinstance(value, str) and not _takes_any_text(schema):
        value = _read(value)
    elif isinstance(value, str) and "array" in types and isinstance(read := _read(value), list):
        value = read
    if types == ["array"] and _is_item(value, schema.get("items", {})):
        value = [value]
    if isinstance(value, list) and "array" in types:
        return [as_declared(item, schema.get("items", {})) for item in value]
    if isinstance(value, dict) and "object" in types:
        return _members(value, schema)
    return value


def _is_item(value: object, items: Mapping[str, Any]) -> bool:
    """Return whether a value belongs into a list; one that could never be an item is no list of one either."""
    kind = "string" if isinstance(value, str) else "object" if isinstance(value, dict) else ""
    return value != "" and kind in _types(items)


def _members(given: dict[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of an object without the optional ones that the client leaves out."""
    listed, others = schema.get("properties", {}), schema.get("additionalProperties") or {}
    if not listed and _takes_any_text(others) and "array" not in _types(others):
        return given  # cells, of which there may be many
    optional = listed.keys() - set(schema.get("required", ()))
    members = {name: as_declared(value, listed.get(name, others)) for name, value in given.items()}
    return {
        name: value for name, value in members.items() if name not in optional or not _is_left_out(value, listed[name])
    }


def _is_left_out(value: object, schema: Mapping[str, Any]) -> bool:
    return value is None or (value == "" and "string" in _types(schema) and "minLength" not in schema)


def _types(schema: Mapping[str, Any]) -> list[str]:
    types = schema.get("type", [])
    return types if isinstance(types, list) else [types]


def _takes_any_text(schema: Mapping[str, Any]) -> bool:
    return not _types(schema) or ("string" in _types(schema) and not {"enum", "minLength"} & schema.keys())


def _read(text: str) -> object:
    """Return the list or the object that a text stands for, else the text: models read numbers themselves.

    Blank text and `null` are one empty text, since the SDK would read `null` as nothing, which is no mistake.
    """
    if not text.strip():
        return ""
    try:
        value = json.loads(text, object_pairs_hook=_members_once)
        json.dumps(value, ensure_ascii=False).encode()  # an escape may be half a character, which no CSV can hold
    except (ValueError, RecursionError):
        return text
    if value is None:
        return ""
    return value if isinstance(value, list | dict) else text


def _members_once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise RepeatedName(Counter(name for name, _ in pairs).most_common(1)[0][0])
    return members
