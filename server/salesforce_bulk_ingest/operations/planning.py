"""Plans of uploads, made in the background: a call that ends only stops waiting for its plan."""

import hashlib
import math
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

import anyio
import anyio.from_thread
import anyio.to_thread
from anyio.abc import TaskGroup

from salesforce_bulk_ingest.base.errors import SourceChanged
from salesforce_bulk_ingest.base.findings import Finding, Findings
from salesforce_bulk_ingest.loading.mapping import ColumnMapping
from salesforce_bulk_ingest.loading.plan import Plan, header_of, make_plan
from salesforce_bulk_ingest.loading.sources import RowSource
from salesforce_bulk_ingest.operations.describes import DescribeCache
from salesforce_bulk_ingest.salesforce.models import Job
from salesforce_bulk_ingest.validation.destination import Destination

MOST_KEPT = 4
"""Finished plans: of files, so that the second part of one is not checked again, and those that nobody has seen yet."""


Source = TypeVar("Source", covariant=True)
Other = TypeVar("Other")


@dataclass(frozen=True, slots=True)
class LoadRequest(Generic[Source]):
    """Rows as a caller hands them in.

    Attributes:
        source: where they come from.
        shape: what is changed on the way.
        preflight: whether they are checked before they go.
        part: which part of them, from 1; None is all of them.
        sha256: of all of them, as an earlier answer gave it; None is not compared.
        notes: what is known about them beforehand.
    """

    source: Source
    shape: ColumnMapping = field(default_factory=ColumnMapping)
    preflight: bool = True
    part: int | None = None
    sha256: str | None = None
    notes: tuple[Finding, ...] = ()

    def of(self, source: Other, notes: tuple[Finding, ...] = ()) -> "LoadRequest[Other]":
        """The same of another source."""
        return LoadRequest(source, self.shape, self.preflight, self.part, self.sha256, notes)


@dataclass(slots=True)
class Planning:
    """A plan on its way.

    Attributes:
        read_bytes: how far it is.
        plan: once it is made.
        until: how long it holds, on the clock of `DescribeCache`.
        is_kept: for every equal call until then, not for one.
        awaited: calls that wait for it.
    """

    read_bytes: int = 0
    plan: Plan | None = None
    until: float = math.inf
    is_kept: bool = False
    awaited: int = 0
    _done: anyio.Event = field(default_factory=anyio.Event)
    _error: Exception | None = None

    async def wait(self, seconds: float) -> Plan | None:
        """The plan, if it is made within the time.

        Raises:
            Exception: whatever ended it.
        """
        self.awaited += 1
        try:
            with anyio.move_on_after(seconds):
                await self._done.wait()
        finally:
            self.awaited -= 1
        if self._error is not None:
            raise self._error
        return self.plan


class Planner:
    """Makes plans, one for equal calls.

    Args:
        describes: what the org says of its objects.
        tasks: runs them; cancelled with the server.
        limit: bytes of one upload.
    """

    def __init__(self, describes: DescribeCache, tasks: TaskGroup, limit: int) -> None:
        self._describes = describes
        self._tasks = tasks
        self._limit = limit
        self._plannings: OrderedDict[str, Planning] = OrderedDict()

    async def planning(
        self, rows: LoadRequest[RowSource], object_name: str | None, destination: Destination
    ) -> Planning:
        """The plan of these rows for this job: on its way, or made already.

        Raises:
            InvalidArgument: the source can't be opened.
        """
        destination = replace(destination, limit=self._limit)
        version, key = await anyio.to_thread.run_sync(_version_and_key, rows, object_name, destination)
        planning = self._known(key)
        if planning is None:
            planning = self._plannings[key] = Planning()
            self._tasks.start_soon(self._make, key, planning, rows, version, object_name, destination)
        return planning

    async def keep_for(self, planning: Planning, rows: LoadRequest[RowSource], job: Job) -> None:
        """Keep a plan for calls with the same rows that name the job, now that it is made as the plan says."""
        if planning.is_kept and planning.plan is not None:
            destination = replace(Destination.of_job(job), limit=self._limit)
            key = await anyio.to_thread.run_sync(_key, rows, planning.plan.version, job.object, destination)
            if self._known(key) is None:
                self._plannings[key] = planning
                self._keep_few()

    def _known(self, key: str) -> Planning | None:
        """A plan that is on its way or still holds; one that is kept for one call goes with it."""
        planning = self._plannings.get(key)
        if planning is None or planning.plan is None:
            return planning
        holds = self._describes.clock() < planning.until
        if not holds or not planning.is_kept:
            del self._plannings[key]
        return planning if holds else None

    async def _make(
        self,
        key: str,
        planning: Planning,
        rows: LoadRequest[RowSource],
        version: object,
        object_name: str | None,
        destination: Destination,
    ) -> None:
        def progress(read_bytes: int) -> None:
            anyio.from_thread.check_cancelled()
            planning.read_bytes = read_bytes

        # Text is quickly read again, and would be kept in memory.
        planning.is_kept = rows.source.is_costly
        try:
            findings = Findings()
            if rows.preflight and object_name is not None:
                header = await anyio.to_thread.run_sync(header_of, rows.source, rows.shape, destination)
                described = await self._describes.of_upload(object_name, header)
                described.report(findings, None if destination.is_made else object_name)
                planning.until = described.until
                planning.is_kept &= not described.failures
                destination = replace(destination, describe=described.sobject, parents=described.parents)
            made = await anyio.to_thread.run_sync(
                lambda: make_plan(rows.source, rows.shape, destination, preflight=rows.preflight, progress=progress)
            )
            if made.version != version:
                raise SourceChanged("The rows were changed before they were checked.")
            planning.plan = replace(made, findings=(*made.findings, *findings.sorted(), *rows.notes))
        except Exception as error:
            planning._error = error
        finally:
            self._settle(key, planning)
            planning._done.set()

    def _settle(self, key: str, planning: Planning) -> None:
        """Keep what was costly to make, and what nobody waits for now: the same call will come for it."""
        if planning.plan is None or (planning.awaited and not planning.is_kept):
            del self._plannings[key]
        self._keep_few()

    def _keep_few(self) -> None:
        finished = [kept for kept, other in self._plannings.items() if other.plan is not None]
        for kept in finished[:-MOST_KEPT]:
            del self._plannings[kept]


def _key(rows: LoadRequest[RowSource], version: object, object_name: str | None, destination: Destination) -> str:
    told: Mapping[str, object] = {
        "source": (type(rows.source).__name__, version),
        "shape": rows.shape,
        "preflight": rows.preflight,
        "job": (object_name, destination),
    }
    return hashlib.sha256(repr(told).encode("utf-8", "surrogatepass")).hexdigest()


def _version_and_key(
    rows: LoadRequest[RowSource], object_name: str | None, destination: Destination
) -> tuple[object, str]:
    version = rows.source.version()
    return version, _key(rows, version, object_name, destination)
