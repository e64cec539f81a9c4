"""Callers that leave before their answer."""

import asyncio

from starlette.types import Message

from salesforce_emulator.caller_disconnects import watch_for_disconnect
from tests.salesforce_emulator.behaviours import own


@own
def test_a_caller_that_leaves_is_noticed_once_it_has_left() -> None:
    async def watched() -> list[bool]:
        messages = asyncio.Queue[Message]()
        async with watch_for_disconnect(messages.get) as gone:
            seen = [gone.is_set()]
            messages.put_nowait({"type": "http.request", "body": b"", "more_body": False})
            await asyncio.sleep(0)
            seen.append(gone.is_set())
            messages.put_nowait({"type": "http.disconnect"})
            await asyncio.to_thread(gone.wait, 30)
            return [*seen, gone.is_set()]

    assert asyncio.run(watched()) == [False, False, True]


@own
def test_a_caller_that_stays_is_not_watched_after_its_answer() -> None:
    async def answered() -> int:
        async with watch_for_disconnect(asyncio.Queue[Message]().get):
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        return len(asyncio.all_tasks())

    assert asyncio.run(answered()) == 1
