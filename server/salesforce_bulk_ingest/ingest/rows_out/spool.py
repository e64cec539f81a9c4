"""Results fetched once: in the background, for all callers and processes that ask."""

import logging
from dataclasses import dataclass, field

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup
from filelock import FileLock, Timeout

from salesforce_bulk_ingest.ingest.org import Org
from salesforce_bulk_ingest.ingest.rows_out.store import ResultKey, Store, StoredResult
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.models import Job, ResultKind

logger = logging.getLogger(__name__)

LOCK_SECONDS = 0.2
"""Between two looks whether another process is done with the download."""


@dataclass(slots=True)
class Fetch:
    """A result on its way here.

    Attributes:
        fetched_bytes: how far it is; 0 while another process fetches it.
    """

    fetched_bytes: int = 0
    _result: StoredResult | None = None
    _error: Exception | None = None
    _done: anyio.Event = field(default_factory=anyio.Event)

    async def wait(self, seconds: float) -> StoredResult | None:
        """The result, if it is here within the time.

        Raises:
            Exception: whatever ended the download.
        """
        with anyio.move_on_after(seconds):
            await self._done.wait()
        if self._error is not None:
            raise self._error
        return self._result


class Spool:
    """Brings results of jobs that have ended into a store.

    Args:
        client: of the org.
        store: where they are kept.
        tasks: runs the downloads; cancelled with the server.
    """

    def __init__(self, client: SalesforceClient, store: Store, tasks: TaskGroup) -> None:
        self._client = client
        self._store = store
        self._tasks = tasks
        self._fetches: dict[ResultKey, Fetch] = {}

    def fetch(self, org: Org, job: Job, kind: ResultKind) -> Fetch:
        """The result, here or on its way; callers at the same time share one download."""
        key = ResultKey.of(org.host, job, kind)
        fetch = self._fetches.get(key)
        if fetch is None:
            fetch = self._fetches[key] = Fetch()
            self._tasks.start_soon(self._run, key, job, fetch)
        return fetch

    async def forget(self, org: Org, job_id: str) -> None:
        """The job is gone."""
        try:
            await anyio.to_thread.run_sync(self._store.forget, org.host, job_id)
        except OSError as error:
            logger.warning("results of job %s can't be removed: %s", job_id, error)

    async def _run(self, key: ResultKey, job: Job, fetch: Fetch) -> None:
        try:
            fetch._result = await self._found(key) or await self._fetched(key, job, fetch)
        except Exception as error:
            fetch._error = error
        finally:
            del self._fetches[key]
            fetch._done.set()

    async def _found(self, key: ResultKey) -> StoredResult | None:
        return await anyio.to_thread.run_sync(self._store.find, key)

    async def _fetched(self, key: ResultKey, job: Job, fetch: Fetch) -> StoredResult:
        lock = await anyio.to_thread.run_sync(self._store.lock, key)
        await _acquire(lock)
        try:
            # Whoever held the lock before may have brought it.
            return await self._found(key) or await self._download(key, job, fetch)
        finally:
            lock.release()

    async def _download(self, key: ResultKey, job: Job, fetch: Fetch) -> StoredResult:
        with self._store.writing(key, job.delimiter) as writing:
            async with self._client.results(job.id, key.kind) as chunks:
                async for chunk in chunks:
                    await anyio.to_thread.run_sync(writing.add, chunk)
                    fetch.fetched_bytes += len(chunk)
            return await anyio.to_thread.run_sync(writing.finish)


async def _acquire(lock: FileLock) -> None:
    while True:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            await anyio.sleep(LOCK_SECONDS)
        else:
            return
