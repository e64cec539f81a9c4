"""An org whose results come altered, as from an upstream that is wrong: short, cut, long or late."""

from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

Alteration = Callable[[bytes], bytes]


def first_rows(count: int) -> Alteration:
    """Only the header and the first rows, in good order."""
    return lambda content: b"".join(content.splitlines(keepends=True)[: count + 1])


def cut_in_a_row(content: bytes) -> bytes:
    """All rows but a part of the last, after a whole cell of it."""
    return content.rstrip(b"\n").rpartition(b",")[0]


def cut_in_a_cell(content: bytes) -> bytes:
    """All rows but the end of the last cell."""
    return content[:-3]


def last_row_twice(content: bytes) -> bytes:
    """All rows, and the last one a second time."""
    return content + content.splitlines(keepends=True)[-1]


def unaltered(content: bytes) -> bytes:
    """All rows."""
    return content


@dataclass
class AlteredResults:
    """An application whose results are altered: each download by the next of these functions, and finally by the last.

    Attributes:
        app: the org.
        alterations: the functions, by the last part of the path.
        downloads: how often each result was downloaded.
    """

    app: ASGIApp
    alterations: dict[str, list[Alteration]] = field(default_factory=dict)
    downloads: dict[str, int] = field(default_factory=dict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = scope["path"].rpartition("/")[2] if scope["type"] == "http" else ""
        alterations = self.alterations.get(name)
        if not alterations:
            await self.app(scope, receive, send)
            return
        count = self.downloads.get(name, 0)
        self.downloads[name] = count + 1
        scope = {**scope, "headers": [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]}
        await self.app(scope, receive, _altering(send, alterations[min(count, len(alterations) - 1)]))


def _altering(send: Send, alter: Alteration) -> Send:
    start: Message = {}
    body = bytearray()

    async def altered(message: Message) -> None:
        nonlocal start
        if message["type"] == "http.response.start":
            start = {
                **message,
                "headers": [pair for pair in message["headers"] if pair[0].lower() != b"content-length"],
            }
            return
        body.extend(message.get("body", b""))
        if not message.get("more_body", False):
            await send(start)
            await send({"type": "http.response.body", "body": alter(bytes(body))})

    return altered
