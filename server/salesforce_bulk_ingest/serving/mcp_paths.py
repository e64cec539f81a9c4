"""The paths of the MCP port: its endpoint, and words for those who ask for something else, or with a browser."""

import json

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from salesforce_bulk_ingest.serving.door import MCP_PATH, Door
from salesforce_bulk_ingest.serving.endpoints import Endpoint, allowed_methods, methods_in_words
from salesforce_bulk_ingest.serving.port_index import INDEX, Example, PortIndex, Product
from salesforce_bulk_ingest.serving.web_page import wants_page

MCP_ENDPOINTS = (Endpoint(MCP_PATH, {"POST": "takes the messages of MCP clients (streamable HTTP)"}),)
SERVER_KEY = "salesforce-bulk"
"""The key of this server in the entries of hosts."""

NO_CLIENT = f"{MCP_PATH} speaks to MCP clients, which send it their messages with POST."


def mcp_index(product: Product, rest_url: str, door: Door) -> PortIndex:
    """Return what `/` of the MCP port says.

    Args:
        product: the program.
        rest_url: the URL that shows `/v1`.
        door: how callers sign in.
    """
    url, entry = f"{{origin}}{MCP_PATH}", {"type": "http", "url": f"{{origin}}{MCP_PATH}"}
    headers: dict[str, object] = {}
    if door.takes_named_tokens:
        headers = {"headers": {"Authorization": "Bearer ${TOKEN}"}}
    option = ' --header "Authorization: Bearer $TOKEN"' if headers else ""
    return PortIndex(
        product,
        f"MCP clients, which connect to {MCP_PATH} (streamable HTTP)",
        MCP_ENDPOINTS,
        (
            Example("Claude Code", f"claude mcp add --transport http {SERVER_KEY} {url}{option}"),
            Example(
                "Other hosts, in their list of servers",
                json.dumps({"mcpServers": {SERVER_KEY: {**entry, **headers}}}, indent=2),
            ),
        ),
        {"The same operations for HTTP clients": rest_url},
    )


class McpPaths:
    """ASGI application: the MCP application with `/`, and with words where it has none.

    Args:
        app: the MCP application.
        index: what `/` says.
    """

    def __init__(self, app: Starlette, index: PortIndex) -> None:
        self._app: ASGIApp = app
        self._index = index
        index.add_to(app)
        app.add_exception_handler(HTTPException, _on_http_exception)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _is_no_client(scope):
            await self._to_people(Request(scope))(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _to_people(self, request: Request) -> Response:
        if wants_page(request.headers):
            return self._index.page(request, 406, NO_CLIENT)
        return _error(406, "not_acceptable", f"{NO_CLIENT} GET {INDEX} says how to connect one.")


def _is_no_client(scope: Scope) -> bool:
    """Return whether a request reads the endpoint as no client does: these accept a stream of events (MCP, Transports)."""
    if scope["type"] != "http" or scope["path"] != MCP_PATH or scope["method"] not in ("GET", "HEAD"):
        return False
    headers = Headers(scope=scope)
    return "text/event-stream" not in headers.get("accept", "") and "mcp-session-id" not in headers


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    (endpoint,) = MCP_ENDPOINTS
    here = f"MCP clients connect to {endpoint.path}: {methods_in_words(endpoint)} GET {INDEX} names all addresses."
    if error.status_code == 405:
        allowed = allowed_methods(error)
        return _error(405, "method_not_allowed", f"Allowed here are {allowed}. {here}", {"Allow": allowed})
    return _error(error.status_code, "not_found", f"Nothing is served at this path. {here}")


def _error(status: int, code: str, description: str, headers: dict[str, str] | None = None) -> Response:
    """Return an error in the form of OAuth's, since clients look for its paths here and read the answer as that."""
    return JSONResponse({"error": code, "error_description": description}, status, headers)
