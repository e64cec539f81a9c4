"""The metadata by which clients find out where to get a token (RFC 9728)."""

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from salesforce_bulk_ingest.serving.door import MCP_PATH, METADATA, Door

METADATA_PATHS = (METADATA, f"{METADATA}{MCP_PATH}")


class ResourceMetadata:
    """ASGI application that answers with the metadata of the resource whose path follows the well-known one.

    Its answers are public, so a page of any site may read them.
    """

    def __init__(self, door: Door, title: str) -> None:
        self._door = door
        self._title = title

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scopes = self._door.scopes
        metadata = {
            "resource": f"{self._door.public_url}{scope['path'].removeprefix(METADATA)}",
            "resource_name": self._title,
            "authorization_servers": [self._door.issuer],
            "scopes_supported": [scopes.read, scopes.write],
            "bearer_methods_supported": ["header"],
        }
        headers = {
            "Access-Control-Allow-Origin": "*",
            # Some clients send MCP-Protocol-Version here, too, for which browsers ask before.
            "Access-Control-Allow-Headers": "*",
            "Cache-Control": "public, max-age=3600",
        }
        await JSONResponse(metadata, headers=headers)(scope, receive, send)
