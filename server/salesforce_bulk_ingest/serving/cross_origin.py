"""Answers to pages of the origins that the operator listed (CORS)."""

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from salesforce_bulk_ingest.serving.host_guard import is_one_of

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
EXPOSED = (
    *("Mcp-Session-Id", "WWW-Authenticate", "Retry-After"),
    *("Location", "Sforce-Locator", "Sforce-NumberOfRecords", "Sforce-Limit-Info"),
)
"""The headers of responses that pages need, beside those that browsers show them anyway."""


class ListedOrigins(CORSMiddleware):
    """ASGI middleware that lets pages of the listed origins read answers, and answers what browsers ask before (preflights).

    A preflight has no credentials, so it is answered before the guard. Which headers a request may have is not limited, as
    the applications judge them; cookies are never taken.

    Args:
        app: the application.
        origins: the origins, with or without a port.
    """

    def __init__(self, app: ASGIApp, origins: tuple[str, ...]) -> None:
        super().__init__(app, allow_methods=METHODS, allow_headers=["*"], expose_headers=EXPOSED)
        self._origins = origins

    def is_allowed_origin(self, origin: str) -> bool:
        """Return whether the operator listed the origin."""
        return is_one_of(origin, self._origins)
