"""Tools made from functions: closed, and the same for every server of a process."""

from typing import Annotated

from mcp_types import CallToolResult

from salesforce_bulk_ingest.mcp_server.answers.deleted_job import DeletedJobAnswer
from salesforce_bulk_ingest.mcp_server.tool_schema import closed_tool


class Tools:
    """Two servers have two of these."""

    async def delete(self, jobId: str) -> Annotated[CallToolResult, DeletedJobAnswer]:
        """Delete
        a job."""
        raise NotImplementedError


def test_a_tool_is_closed_and_has_its_docstring_and_hints() -> None:
    one, other = Tools(), Tools()
    first, second = (
        closed_tool(tools.delete, name="delete", title="Delete", read_only=False, destructive=True, idempotent=True)
        for tools in (one, other)
    )
    assert (first.parameters["additionalProperties"], first.description) == (False, "Delete a job.")
    assert first.annotations is not None and first.annotations.destructive_hint
    assert (first.fn, second.fn, first.parameters) == (one.delete, other.delete, second.parameters)
