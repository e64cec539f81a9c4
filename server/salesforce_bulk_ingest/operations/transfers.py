"""Uploads in flight. They belong to the server: a call that ends only stops waiting for its upload."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from dataclasses import dataclass, field
from typing import Protocol

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from salesforce_bulk_ingest.salesforce.errors import Unreachable

logger = logging.getLogger(__name__)


class Content(Protocol):
    """The bytes of an upload, which can be read as often as asked; reading may block."""

    @property
    def size(self) -> int:
        """Bytes in all."""
        ...

    @property
    def sha256(self) -> str:
        """Of all of them."""
        ...

    def __iter__(self) -> Generator[bytes, None, None]:
        """The bytes in chunks, from the start."""
        ...


@dataclass(slots=True)
class Transfer:
    """One upload under way; iterating it sends its content, and may be done again after a refused session."""

    content: Content = field(repr=False)
    sent_bytes: int = 0
    _done: anyio.Event = field(default_factory=anyio.Event)
    _error: Exception | None = None

    @property
    def sha256(self) -> str:
        """Of the content."""
        return self.content.sha256

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.sent_bytes = 0
        chunks = iter(self.content)
        try:
            while chunk := await anyio.to_thread.run_sync(next, chunks, b""):
                yield chunk
                self.sent_bytes += len(chunk)
        finally:
            chunks.close()

    async def wait(self, seconds: float) -> bool:
        """Whether it finished within the time.

        Raises:
            Exception: whatever ended the upload.
        """
        with anyio.move_on_after(seconds):
            await self._done.wait()
        if self._error is not None:
            raise self._error
        return self._done.is_set()


class Transfers:
    """The uploads that this process is sending, by job.

    Args:
        tasks: runs them; cancelled with the server, which breaks a PUT off and never ends it as if whole.
    """

    def __init__(self, tasks: TaskGroup) -> None:
        self._tasks = tasks
        self._active: dict[str, Transfer] = {}

    def get(self, job_id: str) -> Transfer | None:
        """The job's upload, if one is under way here."""
        return self._active.get(job_id[:15])

    def start(self, job_id: str, transfer: Transfer, send: Callable[[Transfer], Awaitable[None]]) -> None:
        """Begin an upload in the background."""
        self._active[job_id[:15]] = transfer
        self._tasks.start_soon(self._run, job_id[:15], transfer, send)

    async def _run(self, key: str, transfer: Transfer, send: Callable[[Transfer], Awaitable[None]]) -> None:
        try:
            await send(transfer)
        except Exception as error:
            logger.warning("the upload to job %s failed: %s", key, error)
            transfer._error = error
        except anyio.get_cancelled_exc_class():
            transfer._error = Unreachable("This server was stopped in the middle of the upload.")
            raise
        finally:
            del self._active[key]
            transfer._done.set()
