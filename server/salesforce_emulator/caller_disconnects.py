"""Notices that a caller has closed its connection, so that work for it can stop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from threading import Event

from starlette.types import Receive


@asynccontextmanager
async def watch_for_disconnect(receive: Receive) -> AsyncIterator[Event]:
    """Yield an event that is set once the caller has closed its connection; any thread may check it.

    Args:
        receive: the ASGI receive function of a request whose body has been read, or is not needed.
    """
    gone = Event()
    watch = asyncio.create_task(_set_on_disconnect(receive, gone))
    try:
        yield gone
    finally:
        watch.cancel()


async def _set_on_disconnect(receive: Receive, gone: Event) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    gone.set()
