"""Subscriptions: whoever listens to the address of a job, or of one of its results, hears when that changes.

Salesforce is asked only for jobs that somebody listens to, and once for all who do. All this is in the protocol of
2026-07-28 alone (`subscriptions/listen`). In that of 2025-11-25 (`resources/subscribe`) it is not advertised: by the public
face of the SDK's `MCPServer`, it can't be served, and nobody is told that a client is gone and the org need not be asked.
"""

import logging
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from weakref import WeakValueDictionary

import anyio
from mcp import MCPError
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.subscriptions import InMemorySubscriptionBus, ResourceUpdated
from mcp_types import SubscriptionsListenRequestParams
from pydantic import ValidationError

from salesforce_bulk_ingest.base.errors import IngestError
from salesforce_bulk_ingest.mcp_server.answers.answer import RESULT_NAMES, job_uri
from salesforce_bulk_ingest.operations.jobs import JobOperations
from salesforce_bulk_ingest.operations.watching import JobWatch
from salesforce_bulk_ingest.salesforce.errors import SalesforceError
from salesforce_bulk_ingest.salesforce.job_ids import is_job_id
from salesforce_bulk_ingest.salesforce.models import Job

logger = logging.getLogger(__name__)

MOST_JOBS = 100
"""The most jobs that are watched at once: each costs requests of the org for as long as somebody listens."""

MOST_URIS_OF_JOB = 20
"""The most addresses of one job that one listener hears of: each is a message whenever the job changes."""

_RESULT = "|".join(RESULT_NAMES.values())
_WATCHABLE = re.compile(rf"{re.escape(job_uri(''))}(?P<job>[^/?]+)(?P<result>/({_RESULT})(\?.*)?)?", re.DOTALL)


@dataclass(slots=True, eq=False, weakref_slot=True)
class _WatchedJob:
    """A job that somebody listens to.

    Attributes:
        watch: reads the job.
        turn: held by the one listener for all of them whose task reads the job; the next goes on when that one leaves.
        uris: the addresses that are listened to, with the number of listeners.
        is_over: whether there is nothing to read any more: the job has ended or can't be read, which its listeners heard.
    """

    watch: JobWatch
    turn: anyio.Lock = field(default_factory=anyio.Lock)
    uris: Counter[str] = field(default_factory=Counter)
    is_over: bool = False

    def updated(self, *, is_over: bool) -> list[str]:
        """Return the addresses whose contents are others now: those of results only when the job is over."""
        return [uri for uri in self.uris if is_over or not _is_result(uri)]


class JobSubscriptions:
    """Middleware of the SDK that watches the jobs of each listener for as long as it listens.

    Args:
        jobs: reads the jobs.

    Attributes:
        bus: takes the news to the listeners.
    """

    def __init__(self, jobs: JobOperations) -> None:
        self.bus = InMemorySubscriptionBus()
        self._jobs = jobs
        # By job id of 15 characters. Tasks that serve listeners keep the jobs here.
        self._watched: WeakValueDictionary[str, _WatchedJob] = WeakValueDictionary()

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        if ctx.method == "subscriptions/listen":
            return await self._listen(ctx, call_next)
        result = await call_next(ctx)
        return _without_list_changes(result) if ctx.method == "server/discover" else result

    async def _listen(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        try:
            asked = SubscriptionsListenRequestParams.model_validate(ctx.params or {}, by_name=False).notifications
        except ValidationError:
            return await call_next(ctx)  # which refuses it
        watched = self._watched_jobs(asked.resource_subscriptions or ())
        # The SDK acknowledges what it is handed: only what will be heard of.
        uris = [uri for uris in watched.values() for uri in uris]
        heard = replace(ctx, params={**(ctx.params or {}), "notifications": {"resourceSubscriptions": uris}})
        result: HandlerResult = None
        refusal: MCPError | None = None
        async with anyio.create_task_group() as tasks:
            for job, of_job in watched.items():
                tasks.start_soon(self._watch, job, of_job)
            try:
                result = await call_next(heard)
            except MCPError as error:  # the task group would wrap it
                refusal = error
            tasks.cancel_scope.cancel()
        if refusal is not None:
            raise refusal
        return result

    def _watched_jobs(self, uris: Iterable[str]) -> dict[_WatchedJob, list[str]]:
        """Return the jobs to watch for a listener, each with its first addresses; those of nothing to watch are left out."""
        watched: dict[_WatchedJob, list[str]] = {}
        for uri in dict.fromkeys(uris):
            found = _WATCHABLE.fullmatch(uri)
            job = self._watched_job(found["job"]) if found and is_job_id(found["job"]) else None
            if job is not None and len(watched.setdefault(job, [])) < MOST_URIS_OF_JOB:
                watched[job].append(uri)
        return watched

    def _watched_job(self, job_id: str) -> _WatchedJob | None:
        """Return the job that is watched under this id from now on; None where too many are watched already."""
        job = self._watched.get(job_id[:15])
        if job is not None and job.is_over:
            job = None  # who comes now is told anew
        if job is None and sum(not one.is_over for one in self._watched.values()) < MOST_JOBS:
            job = self._watched[job_id[:15]] = _WatchedJob(self._jobs.watch(job_id))
        return job

    async def _watch(self, job: _WatchedJob, uris: list[str]) -> None:
        job.uris.update(uris)
        try:
            async with job.turn:
                await self._run(job)
        finally:
            job.uris -= Counter(uris)

    async def _run(self, job: _WatchedJob) -> None:
        if job.is_over:
            return

        async def tell(read: Job) -> None:
            await self._publish(job.updated(is_over=read.is_terminal))

        try:
            await job.watch.run(tell)
            job.is_over = True
            return
        except (SalesforceError, IngestError) as error:
            logger.info("a job that somebody listens to can't be read: %s", error)
        except Exception as error:
            # The task group would end all that the listener hears of other jobs.
            logger.error("the watch of a job failed: %s", type(error).__name__)
        job.is_over = True
        # Whoever reads the resource now is told why.
        await self._publish(job.updated(is_over=True))

    async def _publish(self, uris: Iterable[str]) -> None:
        for uri in uris:
            await self.bus.publish(ResourceUpdated(uri))


def _is_result(uri: str) -> bool:
    found = _WATCHABLE.fullmatch(uri)
    return found is not None and found["result"] is not None


def _without_list_changes(result: HandlerResult) -> HandlerResult:
    """Return what the server tells of itself without `listChanged`, which the SDK declares: no list is watched."""
    if not isinstance(result, dict) or not isinstance(result.get("capabilities"), Mapping):
        return result
    told = {
        name: {**capability, "listChanged": False} if "listChanged" in capability else capability
        for name, capability in result["capabilities"].items()
    }
    return {**result, "capabilities": told}
