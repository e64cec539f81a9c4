"""The MCP server on the services, for both transports."""

from collections.abc import Callable
from functools import partial

from mcp.server.caching import CacheHint
from mcp.server.request_state import RequestStateSecurity
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import SecretStr
from starlette.applications import Starlette

from salesforce_bulk_ingest import __version__
from salesforce_bulk_ingest.app.services import Services
from salesforce_bulk_ingest.mcp_server.completions import add_completions
from salesforce_bulk_ingest.mcp_server.recipes import Recipes
from salesforce_bulk_ingest.mcp_server.resources import add_resources, listed_resources
from salesforce_bulk_ingest.mcp_server.server import IngestServer
from salesforce_bulk_ingest.mcp_server.subscriptions import JobSubscriptions
from salesforce_bulk_ingest.mcp_server.tools import IngestTools

SERVER_NAME = "salesforce-bulk-ingest-jobs"
MAX_MCP_BODY_BYTES = 32 * 1024 * 1024
"""The most bytes of an MCP message: more than the 4 MB of rows that a tool call may carry, however they are escaped."""

TOOL_LIST_TTL_MS = 300_000

ServerKind = Callable[..., IngestServer]
"""A class of MCP servers, which takes what `IngestServer` takes."""


def build_mcp(
    services: Services, rest_url: str | None, kind: ServerKind = IngestServer, *, differs_by_caller: bool = False
) -> IngestServer:
    """Return the MCP server with its tools and resources.

    Args:
        services: the services.
        rest_url: the URL of `/v1`; None if it is not served.
        kind: the server's class.
        differs_by_caller: whether there may be callers who may only read, whose list of tools is shorter.
    """
    recipes = Recipes(services.recipes)
    subscriptions = JobSubscriptions(services.operations.jobs)
    server = kind(
        SERVER_NAME,
        IngestTools(services.operations, services.roots, services.save_roots, rest_url, recipes),
        services.org,
        partial(listed_resources, services.operations.suggestions, recipes),
        version=__version__,
        # The list depends on the operator's settings and the caller alone, so it lasts as long as the process.
        cache_hints={
            "tools/list": CacheHint(ttl_ms=TOOL_LIST_TTL_MS, scope="private" if differs_by_caller else "public")
        },
        log_level="WARNING",
        request_state_security=_question_key(services.shared_key),
        subscriptions=subscriptions.bus,
    )
    if server.asks_org:
        server.middleware.append(subscriptions)
        add_completions(server, services.operations.suggestions, recipes)
    add_resources(server, services.operations, recipes)
    return server


def _question_key(shared: SecretStr | None) -> RequestStateSecurity | None:
    """Return what guards the questions that the answer of a call asks; None for a key of this process alone."""
    return None if shared is None else RequestStateSecurity(keys=[shared.get_secret_value()])


def streamable_http(server: IngestServer) -> Starlette:
    """Return the ASGI application that serves this MCP server over streamable HTTP."""
    # `HostGuard` checks the calls of every port; the SDK's own guard judges some hosts and origins differently.
    unguarded = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    return server.streamable_http_app(max_request_body_size=MAX_MCP_BODY_BYTES, transport_security=unguarded)
