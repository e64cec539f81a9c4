"""Tools with closed, portable schemas and errors that a model can act on."""

from collections.abc import Callable
from typing import Any

import anyio
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from mcp.server.mcpserver.tools import Tool
from mcp_types import ToolAnnotations
from pydantic import Field, ValidationError
from pydantic_core import ErrorDetails

from salesforce_bulk_ingest.base.errors import IngestError
from salesforce_bulk_ingest.mcp_server.answers.errors import after_error, shown
from salesforce_bulk_ingest.operations.errors import FilledJobFailed
from salesforce_bulk_ingest.operations.limits import CALL_SECONDS
from salesforce_bulk_ingest.salesforce.errors import SalesforceError


class ActionableTool(Tool):
    """A tool whose every failure says what is wrong and what to do next.

    The SDK's own texts quote rejected values, which may be customer data, and keep a crash's reason to themselves.
    """

    longest_call_seconds: float = Field(CALL_SECONDS, exclude=True)

    async def run(self, arguments: dict[str, Any], context: Context[Any, Any], convert_result: bool = False) -> Any:
        try:
            with anyio.fail_after(self.longest_call_seconds):
                return await super().run(arguments, context, convert_result)
        except TimeoutError:
            raise ToolError(
                f"{self.name} did not finish within {self.longest_call_seconds:.0f} s and stopped waiting. "
                f"{self._before_a_repeat()}."
            ) from None
        except UnexpectedToolError as error:
            # Logged with its traceback by the SDK; the model gets no inside view.
            raise UnexpectedToolError(
                f"{self.name} failed inside this server; its log has the details. {self._before_a_repeat()}, and tell "
                "the user."
            ) from error.__cause__
        except ToolError as error:
            if isinstance(error.__cause__, ValidationError):
                raise ToolError(self._rejected(error.__cause__)) from error.__cause__
            raise ToolError(str(error.__cause__ or error)) from error.__cause__

    def _before_a_repeat(self) -> str:
        if "jobId" in self.parameters["properties"]:
            return "Look at the job with get-ingest-job-status before repeating a change"
        return "Look with list-all-ingest-jobs whether a job was made before repeating a change"

    def _rejected(self, error: ValidationError) -> str:
        complaints = [
            f"- {'.'.join(map(str, detail['loc'])) or 'arguments'}: {self._misplaced(detail) or _complaint(detail)}"
            for detail in error.errors(include_url=False, include_input=False)[:10]
        ]
        first = f"Nothing was done: {self.name} can't take these arguments."
        return "\n".join([first, *complaints, "Next: correct them and call again."])

    def _misplaced(self, detail: ErrorDetails) -> str | None:
        """Where an argument belongs that stands beside the body instead of in it."""
        body = self.parameters["properties"].get("body", {}).get("properties", {})
        if detail["type"] != "extra_forbidden" or len(detail["loc"]) != 1 or not body:
            return None
        name = detail["loc"][0]
        if name == "data":
            return "there is no such argument here: put csv, records, file or rowsOf under body"
        return "this belongs under body" if name in body else None


def _complaint(detail: ErrorDetails) -> str:
    """What is wrong with an argument, without its value."""
    in_our_words = {
        "missing": "this is required",
        "extra_forbidden": "there is no such argument here",
        "model_type": "expected an object",
        "dict_type": "expected an object",
        "list_type": "expected an array",
    }
    return in_our_words.get(detail["type"]) or detail["msg"].removeprefix("Value error, ")


def closed_tool(
    fn: Callable[..., Any], *, name: str, title: str, read_only: bool, destructive: bool, idempotent: bool
) -> ActionableTool:
    """Make a tool of a function: its docstring is the description, its return model the output schema.

    Args:
        fn: takes the arguments, returns `Annotated[CallToolResult, Model]`.
        name: as clients call it.
        title: as hosts show it.
        read_only: changes nothing.
        destructive: removes something that can't be had back.
        idempotent: a repeat changes nothing more.
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
"""The tools by function, with their schemas: they take 6 ms a tool, and a process may open many servers, as tests do."""


def _declared(fn: Callable[..., Any], name: str, title: str, hints: ToolAnnotations) -> ActionableTool:
    description = " ".join((fn.__doc__ or "").split())
    tool = ActionableTool.from_function(fn, name=name, title=title, description=description, annotations=hints)
    assert isinstance(tool, ActionableTool)  # from_function makes what it is called on, but does not say so
    model = tool.fn_metadata.arg_model
    # Unset, the SDK drops unknown arguments without a word.
    model.model_config["extra"] = "forbid"
    model.model_rebuild(force=True)
    tool.parameters = portable(model.model_json_schema(by_alias=True))
    if tool.fn_metadata.output_schema is not None:
        tool.fn_metadata.output_schema = portable(tool.fn_metadata.output_schema)
    return tool


def tool_error(error: SalesforceError | IngestError) -> ToolError:
    """The error as a model reads it: code, what happened, what to do."""
    return ToolError(f"{shown(error)}\nNext: {after_error(error)}")


def filled_job_failed(error: FilledJobFailed) -> ToolError:
    """A job that was made and did not get its rows, or may not have, as a model reads it."""
    if not error.is_empty:
        return ToolError(
            f"Created job {error.job_id}, but it may or may not have its rows. {shown(error.error)}\n"
            f"Next: Abort job {error.job_id} with close-abort-ingest-job (nothing is loaded then), then create again with "
            "the same data."
        )
    return ToolError(
        f"Created job {error.job_id}, but its rows did not get there. {tool_error(error.error)}\n"
        f"Then call upload-data-ingest-job with jobId {error.job_id} and the same data, or abort the job; don't create "
        "another."
    )


def portable(schema: dict[str, Any]) -> dict[str, Any]:
    """The same schema without references, titles and null alternatives, which hosts read differently and models pay for."""
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
        is_nothing = node.get("default", 0) in (None, {}, [])
        dropped = {"title", "$defs", "default"} if is_nothing else {"title", "$defs"}
        return {
            key: simplified(value, is_properties=key == "properties") if key != "examples" else value
            for key, value in node.items()
            if key not in dropped
        }

    simple: dict[str, Any] = simplified(schema)
    return simple


def _without_null(node: dict[str, Any]) -> dict[str, Any]:
    """An optional value's one real form; where null itself is data, beside the type."""
    forms = [form for form in node.get("anyOf", ()) if form != {"type": "null"}]
    if len(forms) == len(node.get("anyOf", ())) or len(forms) != 1:
        return node
    rest = {key: value for key, value in node.items() if key != "anyOf"}
    if "default" not in node and "type" in forms[0]:
        return {**forms[0], "type": [forms[0]["type"], "null"], **rest}
    return {**forms[0], **rest}
