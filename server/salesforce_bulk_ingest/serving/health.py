"""Whether a server lives, and whether it is ready: its org can be called."""

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from salesforce_bulk_ingest.base.shared_task import SharedTask, SharedTasks

if TYPE_CHECKING:
    from salesforce_bulk_ingest.serving.door import Door

logger = logging.getLogger(__name__)

LIVE = "/health/live"
READY = "/health/ready"
ANSWER_SECONDS = 5
KEPT_SECONDS = 10

NO_ANSWER = "The org has not answered yet."

Question = Callable[[], Awaitable[str | None]]
"""Asks whether the server is ready, and returns why it is not, as a sentence, or None if it is."""


class Readiness:
    """Whether the server is ready. The answer is kept for 10 s, and the question is asked once at a time.

    Args:
        ask: asks the question.
        tasks: runs the question, which outlives the requests that wait for its answer.
        monotonic: returns the time in seconds.
    """

    def __init__(self, ask: Question, tasks: SharedTasks, monotonic: Callable[[], float]) -> None:
        self._ask = ask
        self._tasks = tasks
        self._monotonic = monotonic
        self._answer: tuple[float, str | None] | None = None

    async def reason(self) -> str | None:
        """Return why the server is not ready, or None if it is; after 5 s without an answer, it is not."""
        if self._answer is not None and self._monotonic() - self._answer[0] < KEPT_SECONDS:
            return self._answer[1]
        task = self._tasks.start(self, self._asked)
        return task.result if await task.wait(ANSWER_SECONDS) else NO_ANSWER

    async def _asked(self, task: SharedTask[str | None]) -> str | None:
        try:
            reason = await self._ask()
        except Exception:  # a server that can't even ask is not ready
            logger.exception("whether the org can be called was not found out")
            reason = "This server failed; its log has the details."
        self._answer = self._monotonic(), reason
        return reason


async def live(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer that the server lives."""
    await _answer(200, {"status": "live"})(scope, receive, send)


class Ready:
    """ASGI application that answers whether the server is ready, and tells those whom the door knows why it is not."""

    def __init__(self, readiness: Readiness, door: "Door") -> None:
        self._readiness = readiness
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reason = await self._readiness.reason()
        if reason is None:
            response = _answer(200, {"status": "ready"})
        else:
            told = {"reason": reason} if await self._door.knows(scope) else {}
            response = _answer(503, {"status": "not ready", **told})
        await response(scope, receive, send)


def _answer(status: int, body: dict[str, str]) -> Response:
    # Whatever the method is: nothing can be changed here.
    return JSONResponse(body, status, {"Cache-Control": "no-store"})
