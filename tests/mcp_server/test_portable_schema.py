"""Schemas as the list of tools has them: without references, null alternatives and bounds of texts, and short."""

from typing import Any

from pydantic import BaseModel, Field

from salesforce_bulk_ingest.mcp_server.portable_schema import LISTED_AS, NOT_LISTED, listed, portable


class Inner(BaseModel):
    """An object below."""

    name: str | None = None


class Outer(BaseModel):
    """An object."""

    inner: Inner
    count: int | None = Field(None, ge=1, description="How many")
    labels: dict[str, str | None] = {}


def keys_of(node: Any) -> set[str]:
    if isinstance(node, list):
        return set().union(*map(keys_of, node))
    return set(node).union(*map(keys_of, node.values())) if isinstance(node, dict) else set()


def test_a_portable_schema_has_no_references_titles_and_null_alternatives() -> None:
    schema = portable(Outer.model_json_schema())
    assert not {"$ref", "$defs", "title", "anyOf"} & keys_of(schema)
    assert schema["properties"]["count"] == {"type": "integer", "minimum": 1, "description": "How many"}
    assert schema["properties"]["inner"]["properties"]["name"] == {"type": "string"}
    assert schema["properties"]["labels"]["additionalProperties"] == {"type": ["string", "null"]}


def test_a_single_value_is_a_choice_of_one() -> None:
    node = {"properties": {"const": {"const": "CSV", "type": "string", "default": "CSV"}}}
    assert portable(node)["properties"] == {"const": {"enum": ["CSV"], "type": "string", "default": "CSV"}}
    assert node["properties"]["const"]["const"] == "CSV"


def test_bounds_of_texts_and_lists_are_not_listed_and_those_of_numbers_stay() -> None:
    node = {"type": "array", "maxItems": 3, "minItems": 1, "items": {"type": "string", "minLength": 1, "pattern": "a"}}
    assert listed(portable(node)) == {"type": "array", "items": {"type": "string"}}
    number = {"type": "integer", "minimum": 1, "maximum": 9}
    assert listed(portable(number)) == number


def test_a_property_may_have_the_name_of_a_bound() -> None:
    schema = {"type": "object", "properties": {"pattern": {"type": "string", "pattern": "a"}}}
    assert listed(portable(schema)) == {"type": "object", "properties": {"pattern": {"type": "string"}}}


def test_the_list_of_tools_has_the_short_schema_of_what_another_tool_says_in_full() -> None:
    full = {"type": "object", "properties": {"again": {"type": "boolean"}}, LISTED_AS: {"type": "object"}}
    schema = {"type": "object", "properties": {"rows": full, "more": [full, 1]}}
    assert listed(schema) == {
        "type": "object",
        "properties": {"rows": {"type": "object"}, "more": [{"type": "object"}, 1]},
    }


def test_a_short_schema_that_names_no_type_has_that_of_the_full_one() -> None:
    row = {"type": "object", "additionalProperties": {"type": "string"}}
    full = {"type": "array", "minItems": 1, "items": row, LISTED_AS: {"description": "As in create"}}
    assert listed(full) == {"type": "array", "items": {"type": "object"}, "description": "As in create"}


def test_the_list_of_tools_leaves_a_property_out_that_says_so() -> None:
    class Detailed(BaseModel):
        state: str
        detail: str | None = Field(None, json_schema_extra=dict(NOT_LISTED))

    assert listed(portable(Detailed.model_json_schema()))["properties"] == {"state": {"type": "string"}}
