"""The MCP server of a program whose settings have a mistake: it tells it to whoever calls a tool or reads a resource.

A host shows nothing but "Connection closed" of a server that ends at its start.
"""

from collections.abc import Iterable
from typing import Any, NoReturn

from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ResourceError, ToolError
from mcp_types import InputRequiredResult, Resource
from pydantic import AnyUrl

from salesforce_bulk_ingest.base.errors import NotConfigured
from salesforce_bulk_ingest.mcp_server.answers.error import error_text
from salesforce_bulk_ingest.mcp_server.answers.next_call import GivenCall
from salesforce_bulk_ingest.mcp_server.server import IngestServer, ResourceList
from salesforce_bulk_ingest.mcp_server.tools import IngestTools
from salesforce_bulk_ingest.mcp_server.view.job_view import VIEW_URI
from salesforce_bulk_ingest.salesforce.org import ConfiguredOrg


class MisconfiguredServer(IngestServer):
    """The server with the same tools and resources, each of which answers with the mistake; the view stays as it is.

    Args:
        name: the name that the server gives to clients.
        tools: the tools, of which none is called.
        org: the org as far as it is known: none.
        resource_list: never called.
        mistake: what is wrong, as a sentence.
        options: further options of the SDK's server.
    """

    asks_org = False

    def __init__(
        self,
        name: str,
        tools: IngestTools,
        org: ConfiguredOrg,
        resource_list: ResourceList,
        *,
        mistake: str,
        **options: Any,
    ) -> None:
        super().__init__(name, tools, org, _no_resources, **{**options, "subscriptions": False})
        self._error = NotConfigured(mistake)

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[None, Any] | None = None
    ) -> NoReturn:
        raise ToolError(error_text(self._error, GivenCall(name, arguments))) from self._error

    async def read_resource(
        self, uri: AnyUrl | str, context: Context[None, Any] | None = None
    ) -> Iterable[ReadResourceContents] | InputRequiredResult:
        if str(uri) == VIEW_URI:  # the page shows the mistake, which the call of its tool is told
            return await super().read_resource(uri, context)
        raise ResourceError(error_text(self._error, GivenCall(str(uri), {}))) from self._error


async def _no_resources() -> list[Resource]:
    return []
