"""Callers that leave before their answer: what is still being done for them need not be ended."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from threading import Event

from starlette.types import Receive


@asynccontextmanager
async def watched(receive: Receive) -> AsyncIterator[Event]:
    """An event that is set once the caller has left; any thread may look at it.

    Args:
        receive: of a request whose body has been read, or is not wanted.
    """
    gone = Event()
    watch = asyncio.create_task(_departure(receive, gone))
    try:
        yield gone
    finally:
        watch.cancel()


async def _departure(receive: Receive, gone: Event) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    gone.set()
