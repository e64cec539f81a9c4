"""The standard objects, as the data files in the folder `objects` describe them."""

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from salesforce_emulator.schema.compounds import with_compounds
from salesforce_emulator.schema.field_types import FIELD_TYPES
from salesforce_emulator.schema.model import Field, Schema, SObject


def make_field(data: Mapping[str, Any]) -> Field:
    """Return the field that a data file or schema file describes; a missing property has the default of the field's type."""
    lists = {key: tuple(data[key]) for key in ("picklist", "referenceTo") if key in data}
    defaults = {"length": FIELD_TYPES[data["type"]].length, "nillable": data["type"] != "boolean"}
    return Field(**defaults | dict(data) | lists)


@lru_cache(maxsize=1)
def common_fields() -> tuple[Field, ...]:
    """Return the fields that every object has."""
    return tuple(map(make_field, _read(_objects() / "common.json")["fields"]))


@lru_cache(maxsize=1)
def standard_schema() -> Schema:
    """Return the standard objects, which are read once."""
    files = sorted(
        (file for file in _objects().iterdir() if file.name.endswith(".json") and file.name != "common.json"),
        key=lambda file: file.name,
    )
    return Schema([_standard_object(_read(file)) for file in files])


def _standard_object(data: dict[str, Any]) -> SObject:
    id_, *others = common_fields()
    own_id = replace(id_, label=f"{data['label']} ID")
    return SObject(**data | {"fields": (own_id, *others, *with_compounds(map(make_field, data["fields"])))})


def _objects() -> Traversable:
    return resources.files(__package__) / "objects"


def _read(file: Traversable) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return data
