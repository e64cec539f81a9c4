"""Tools with closed, portable schemas, made from functions."""

from collections.abc import Callable
from typing import Any

from mcp_types import ToolAnnotations

from salesforce_bulk_ingest.mcp_server.portable_schema import listed, portable
from salesforce_bulk_ingest.mcp_server.tool_errors import ActionableTool


def closed_tool(
    fn: Callable[..., Any],
    *,
    name: str,
    title: str,
    read_only: bool,
    destructive: bool,
    idempotent: bool,
    view: str | None = None,
    required: tuple[str, ...] = (),
) -> ActionableTool:
    """Return a tool made from a function, with its docstring as description and its return model as output schema.

    Args:
        fn: the function; it takes the tool's arguments and returns `Annotated[CallToolResult, Model]`.
        name: the name that clients call the tool by.
        title: the name that hosts show.
        read_only: whether the tool changes nothing.
        destructive: whether the tool removes something that can't be restored.
        idempotent: whether a repeat of the call changes nothing more.
        view: the address of the page that hosts may show beside the tool's answers; None if there is none.
        required: arguments that the list of tools names as required, although the tool itself says when they are.
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
        meta = None if view is None else {"ui": {"resourceUri": view}}
        declared = _declared(fn, name, title, hints)
        if required:
            declared.parameters["required"] = [*required, *declared.parameters.get("required", ())]
        _DECLARED[function] = declared.model_copy(update={"fn": function, "meta": meta})
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
        tool.fn_metadata.output_schema = listed(portable(tool.fn_metadata.output_schema))
    return tool
