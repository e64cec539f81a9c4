"""The Host and Origin checks of every port: MCP, REST and the embedded org.

A web page in a browser can send requests to this machine. A foreign Origin header shows this, or a foreign Host header where
the name of the page's site resolves to this machine (DNS rebinding). The MCP SDK's own check is switched off in `app`,
because the SDK interprets some hosts and origins differently.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from salesforce_bulk_ingest.base.loopback import LOOPBACK_HOSTS, in_url
from salesforce_bulk_ingest.serving.error_envelope import error_response

PORT = re.compile(r":[0-9]{1,5}\Z")
LOCAL_HOSTS = tuple(map(in_url, sorted(LOOPBACK_HOSTS)))


@dataclass(frozen=True, slots=True)
class AllowedCallers:
    """The callers that a port answers.

    Attributes:
        hosts: names, with or without a port, under which the server may be addressed.
        origins: origins of pages that may call, with or without a port.
    """

    hosts: tuple[str, ...] = LOCAL_HOSTS
    origins: tuple[str, ...] = tuple(f"http://{host}" for host in LOCAL_HOSTS)

    @classmethod
    def local_and(cls, hosts: Iterable[str] = (), origins: Iterable[str] = ()) -> "AllowedCallers":
        """Return callers that use this machine's own names or the operator's additions, each with any port."""
        return cls((*LOCAL_HOSTS, *hosts), (*(f"http://{host}" for host in LOCAL_HOSTS), *origins))

    def allow_host(self, host: str) -> bool:
        """Return whether the Host header names this server."""
        return is_one_of(host, self.hosts)

    def allow_origin(self, origin: str) -> bool:
        """Return whether the page that sends this Origin header may call."""
        return is_one_of(origin, self.origins)


def is_one_of(given: str, allowed: Iterable[str]) -> bool:
    """Return whether a name, with or without its port, is in the list; the case of names is ignored (RFC 9110, 4.2.3)."""
    names = {name.lower() for name in allowed}
    return given.lower() in names or PORT.sub("", given.lower()) in names


class HostGuard:
    """ASGI middleware that answers 421 to a foreign Host and 403 to a foreign Origin.

    Args:
        app: the application.
        allowed: who is answered.
        for_pages: exact paths whose answers pages of every origin may read.
    """

    def __init__(self, app: ASGIApp, allowed: AllowedCallers, for_pages: Collection[str] = ()) -> None:
        self._app = app
        self._allowed = allowed
        self._for_pages = for_pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            if not self._allowed.allow_host(headers.get("host", "")):
                refusal = error_response(
                    421, "INVALID_HOST", "This server does not go by that name; see --allowed-host."
                )
                return await refusal(scope, receive, send)
            origins = [] if scope["path"] in self._for_pages else headers.getlist("origin")
            if not all(self._allowed.allow_origin(origin) for origin in origins):
                refusal = error_response(
                    403, "INVALID_ORIGIN", "Pages of that origin may not call; see --allowed-origin."
                )
                return await refusal(scope, receive, send)
        return await self._app(scope, receive, send)
