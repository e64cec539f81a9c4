"""ASGI middleware around all resources: path normalization, the limit info header, and reading bodies to their end."""

import re
from typing import cast

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from salesforce_emulator.org import Org
from salesforce_emulator.storage.usage import Allocation


class PathNormalization:
    """Treats `//` as `/` and removes a trailing slash, as Salesforce does (Data Loader relies on both)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "path": re.sub("/+", "/", scope["path"]).rstrip("/") or "/"}
        await self._app(scope, receive, send)


class LimitInfoHeader:
    """Adds Sforce-Limit-Info, the number of requests so far, to responses of the REST API (REST API guide).

    Assumed: requests with an invalid token are not counted.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Documented: every response but the list of versions, which is /services/data itself, has the header.
        if scope["type"] != "http" or not scope["path"].startswith("/services/data/"):
            return await self._app(scope, receive, send)
        usage = cast(Org, scope["state"]["org"]).usage

        async def send_with_usage(message: Message) -> None:
            if message["type"] == "http.response.start":
                value = f"api-usage={usage.requests()}/{usage.max[Allocation.REQUESTS]}".encode()
                message["headers"] = [*message.get("headers", []), (b"sforce-limit-info", value)]
            await send(message)

        await self._app(scope, receive, send_with_usage)


class RequestDrain:
    """Reads the rest of the request body before the response is sent, up to a limit in bytes.

    Otherwise a caller whose upload is refused before its end, for example because of its token, would find its connection
    reset and never see the response.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        has_ended = False

        async def noting_receive() -> Message:
            nonlocal has_ended
            message = await receive()
            has_ended = message["type"] != "http.request" or not message.get("more_body", False)
            return message

        async def send_after_body(message: Message) -> None:
            if message["type"] == "http.response.start":
                left = self._limit
                while not has_ended and left > 0:
                    left -= len((await noting_receive()).get("body", b""))
            await send(message)

        await self._app(scope, noting_receive, send_after_body)
