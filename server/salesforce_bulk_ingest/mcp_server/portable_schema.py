"""JSON schemas as the list of tools has them: portable, and no longer than a model needs."""

from typing import Any

LISTED_AS = "listedAs"
"""The key, in a schema, of the shorter schema that the list of tools has in its place; it has the type of the schema where
it names none. None is that of a property that the list leaves out."""

NOT_LISTED = {LISTED_AS: None}

_BOUNDS_OF_TEXT = ("minLength", "maxLength", "pattern", "minItems", "maxItems")
"""Bounds that no model needs to make a call: a description names the one that counts, and a refusal names each."""


def listed(schema: Any, *, is_properties: bool = False) -> Any:
    """Return the schema as the list of tools has it: what it need not say in full there is short, or left out."""
    if isinstance(schema, list):
        return [listed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if LISTED_AS in schema:
        short = schema[LISTED_AS]
        return short if short is None or "type" in short else short | _type_of(schema)
    if is_properties:
        return {name: listed(value) for name, value in schema.items() if not _is_left_out(value)}
    return {
        key: listed(value, is_properties=key == "properties")
        for key, value in schema.items()
        if key not in _BOUNDS_OF_TEXT
    }


def _type_of(schema: dict[str, Any]) -> dict[str, Any]:
    """Return what a schema says of the type of a value, and of the items of a list."""
    items = {"items": _type_of(schema["items"])} if "items" in schema else {}
    return {**items, "type": schema["type"]} if "type" in schema else items


def _is_left_out(schema: Any) -> bool:
    return isinstance(schema, dict) and schema.get(LISTED_AS, ...) is None


def portable(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema without references, titles and null alternatives: hosts read these differently, and models pay."""
    definitions = schema.get("$defs", {})

    def simplified(node: Any, *, is_properties: bool = False) -> Any:
        if isinstance(node, list):
            return [simplified(item) for item in node]
        if not isinstance(node, dict):
            return node
        if is_properties:
            return {name: simplified(value) for name, value in node.items()}
        node = _without_null(node)
        if "$ref" in node:
            node = {**definitions[node["$ref"].rsplit("/", 1)[1]], **{k: v for k, v in node.items() if k != "$ref"}}
        if "const" in node:
            # Some dialects have no constants, but every one has a choice of one.
            node = {**node, "enum": [node["const"]]}
        dropped = {"title", "$defs", "const"}
        if node.get("default", 0) in (None, {}, []):
            dropped.add("default")
        return {
            key: simplified(value, is_properties=key == "properties")
            for key, value in node.items()
            if key not in dropped
        }

    simple: dict[str, Any] = simplified(schema)
    return simple


def _without_null(node: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an optional value without the alternative null; where null is data, null is one of the types."""
    forms = [form for form in node.get("anyOf", ()) if form != {"type": "null"}]
    if len(forms) == len(node.get("anyOf", ())) or len(forms) != 1:
        return node
    rest = {key: value for key, value in node.items() if key != "anyOf"}
    if "default" not in node and "type" in forms[0]:
        return {**forms[0], "type": [forms[0]["type"], "null"], **rest}
    return {**forms[0], **rest}
