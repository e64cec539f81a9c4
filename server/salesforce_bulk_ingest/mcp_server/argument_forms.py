"""The forms in which clients send arguments: read by the input schema, before the models of the arguments check them.

A client may send null, or an empty text, for what it leaves out, nested values and numbers as text, and one value where a
list belongs. Any other text stays as it is where the schema takes texts: a CSV `null` is a CSV.
"""

import json
from collections.abc import Mapping
from typing import Any


def as_declared(value: object, schema: Mapping[str, Any]) -> object:
    """Return a value in the form that its schema declares; one that fits no form comes back for the models to refuse.

    Args:
        value: the value as the client sent it; it is not changed.
        schema: the schema of the value, with no references (see `portable_schema.portable`).
    """
    types = _types(schema)
    if isinstance(value, str) and not _takes_any_text(schema):
        value = _read(value)
    if "array" in types and value is not None and not isinstance(value, list):
        value = [value]
    if isinstance(value, list) and "array" in types:
        return [as_declared(item, schema.get("items", {})) for item in value]
    if isinstance(value, dict) and "object" in types:
        return _members(value, schema)
    return value


def _members(given: dict[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of an object without the optional ones that are null or an empty text."""
    listed, others = schema.get("properties", {}), schema.get("additionalProperties") or {}
    if not listed and _takes_any_text(others):
        return given  # cells, of which there may be many
    optional = listed.keys() - set(schema.get("required", ()))
    members = {name: as_declared(value, listed.get(name, others)) for name, value in given.items()}
    return {name: value for name, value in members.items() if name not in optional or value not in (None, "")}


def _types(schema: Mapping[str, Any]) -> list[str]:
    types = schema.get("type", [])
    return types if isinstance(types, list) else [types]


def _takes_any_text(schema: Mapping[str, Any]) -> bool:
    return not _types(schema) or ("string" in _types(schema) and "enum" not in schema)


def _read(text: str) -> object:
    """Return the list, the object or the null that a text stands for, else the text: models read numbers themselves."""
    if not text.strip():
        return None
    try:
        value = json.loads(text)
        json.dumps(value, ensure_ascii=False).encode()  # an escape may be half a character, which no CSV can hold
    except (ValueError, RecursionError):
        return text
    return value if value is None or isinstance(value, list | dict) else text
