"""What happens to every request before and after its resource: its path, its body, and what its answer tells."""

import re
from typing import cast

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from salesforce_emulator.org import Org
from salesforce_emulator.storage.usage import Allocation


class TolerantPaths:
    """Reads `//` as `/` and drops a trailing slash, as Salesforce does (Data Loader relies on both)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "path": re.sub("/+", "/", scope["path"]).rstrip("/") or "/"}
        await self._app(scope, receive, send)


class LimitInfo:
    """Tells on the answers of the REST API how many requests were made (REST API guide, Limit Info Header).

    Only requests of callers who are let in are counted (assumed).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Documented: on every call but that for the versions, which is /services/data itself.
        if scope["type"] != "http" or not scope["path"].startswith("/services/data/"):
            return await self._app(scope, receive, send)
        usage = cast(Org, scope["state"]["org"]).usage

        async def send_with_usage(message: Message) -> None:
            if message["type"] == "http.response.start":
                value = f"api-usage={usage.requests()}/{usage.max[Allocation.REQUESTS]}".encode()
                message["headers"] = [*message.get("headers", []), (b"sforce-limit-info", value)]
            await send(message)

        await self._app(scope, receive, send_with_usage)


class WholeBodies:
    """Reads what is left of a request before it is answered, up to a limit.

    A caller that is refused in the middle of its upload, for its token say, would otherwise find its connection
    reset and never see the answer.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        ended = False

        async def watched_receive() -> Message:
            nonlocal ended
            message = await receive()
            ended = message["type"] != "http.request" or not message.get("more_body", False)
            return message

        async def send_after_body(message: Message) -> None:
            if message["type"] == "http.response.start":
                left = self._limit
                while not ended and left > 0:
                    left -= len((await watched_receive()).get("body", b""))
            await send(message)

        await self._app(scope, watched_receive, send_after_body)
