"""The log of requests: a line for each, without what is in it."""

import logging
import re
import time
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger(__name__)

METHOD = re.compile(r"[A-Z]{1,16}")
SHOWN = re.compile(r"[A-Za-z0-9._~-]{0,40}")
"""A part of a path that is shown: a name or an id; whatever else, or longer, may be a token in the wrong place."""


class RequestLog:
    """ASGI middleware that logs each request when its answer has ended: method, path, status and time.

    Queries, headers and bodies are left out, since they may have tokens or rows.

    Args:
        app: the application.
        name: the name of the port.
        now: the clock, in seconds.
    """

    def __init__(self, app: ASGIApp, name: str, now: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._name = name
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, begun = "no answer", self._now()

        async def noting_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, noting_status)
        finally:
            milliseconds = round((self._now() - begun) * 1000)
            logger.info("%s %s: %s, %d ms", self._name, _shown(scope), status, milliseconds)


def _shown(scope: Scope) -> str:
    method = scope["method"] if METHOD.fullmatch(scope["method"]) else "***"
    path = "/".join(part if SHOWN.fullmatch(part) else "***" for part in scope["path"].split("/"))
    return f"{method} {path}{'?...' if scope['query_string'] else ''}"
