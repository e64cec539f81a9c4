"""Tools with closed, portable schemas, made from functions."""

from collections.abc import Callable
from typing import Any

from mcp_types import ToolAnnotations

from salesforce_bulk_ingest.mcp_server.tool_errors import ActionableTool


def closed_tool(
    fn: Callable[..., Any], *, name: str, title: str, read_only: bool, destructive: bool, idempotent: bool
) -> ActionableTool:
    """Return a tool made from a function, with its docstring as description and its return model as output schema.

    Args:
        fn: the function; it takes the tool's arguments and returns `Annotated[CallToolResult, Model]`.
        name: the name that clients call the tool by.
        title: the name that hosts show.
        read_only: whether the tool changes nothing.
        destructive: whether the tool removes something that can't be restored.
        idempotent: whether a repeat of the call changes nothing more.
    """
    function = getattr(fn, "__func__", fn)
    if function not in _DECLARED:
        hints = ToolAnnotations(
            title=title,
            read_only_hint=read_only,
            destructive_hint=destructive,
            idempotent_hint=idempotent,
            open_world_hint=True,
        )
        _DECLARED[function] = _declared(fn, name, title, hints).model_copy(update={"fn": function})
    return _DECLARED[function].model_copy(update={"fn": fn})


_DECLARED: dict[Callable[..., Any], ActionableTool] = {}
"""A cache of tools by function: the schemas of a tool take 6 ms, and a process, as a test run, may open many servers."""


def _declared(fn: Callable[..., Any], name: str, title: str, hints: ToolAnnotations) -> ActionableTool:
    description = " ".join((fn.__doc__ or "").split())
    tool = ActionableTool.from_function(fn, name=name, title=title, description=description, annotations=hints)
    assert isinstance(tool, ActionableTool)  # from_function's type hint names the base class only
    model = tool.fn_metadata.arg_model
    # By default, the SDK drops unknown arguments silently.
    model.model_config["extra"] = "forbid"
    model.model_rebuild(force=True)
    tool.declared = portable(model.model_json_schema(by_alias=True))
    tool.parameters = listed(tool.declared)
    if tool.fn_metadata.output_schema is not None:
        tool.fn_metadata.output_schema = portable(tool.fn_metadata.output_schema)
    return tool


LISTED_AS = "listedAs"
"""The key, in the schema of an argument, of the shorter schema that the list of tools has in its place."""


def listed(schema: Any) -> Any:
    """Return the schema as the list of tools has it: what another tool's schema says in full is short."""
    if isinstance(schema, list):
        return [listed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return schema[LISTED_AS] if LISTED_AS in schema else {name: listed(value) for name, value in schema.items()}


_BOUNDS_OF_TEXT = ("minLength", "maxLength", "minItems", "maxItems")
"""Bounds that no model needs to make a call: a description names the one that counts, and a refusal names each."""


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
        dropped = {"title", "$defs", "const", *_BOUNDS_OF_TEXT}
        if node.get("default", 0) in (None, {}, []):
            dropped.add("default")
        return {
            key: simplified(value, is_properties=key == "properties") if key != "examples" else value
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
