"""The fields of answers, held to the output schemas: a field that its schema does not list is an error here."""

from collections.abc import Iterator, Mapping
from typing import Any


def unlisted_fields(answer: Any, schema: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """The paths of all fields that the schema does not list, as if each object allowed no others.

    An object whose schema says what all its members are has names that are data; one that takes any members says nothing of
    what is in them.
    """
    if isinstance(answer, list):
        for item in answer:
            yield from unlisted_fields(item, schema.get("items", {}), f"{path}[]")
    if isinstance(answer, dict):
        listed, others = schema.get("properties", {}), schema.get("additionalProperties")
        for name, value in answer.items():
            of_field = listed.get(name, others)
            if of_field == {}:
                continue
            if isinstance(of_field, dict):
                yield from unlisted_fields(value, of_field, f"{path}.{name}")
            else:
                yield f"{path}.{name}"
