"""Rows of earlier jobs on their way into another one: brought here first, and each sent again once."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import anyio.to_thread

from salesforce_bulk_ingest.base.errors import InvalidArgument, NoRecord, SentAgain
from salesforce_bulk_ingest.base.findings import Finding
from salesforce_bulk_ingest.cache.ledger import EarlierRetry, Ledger, RetriedRows
from salesforce_bulk_ingest.loading.sources import RowSource, UploadFile
from salesforce_bulk_ingest.loading.upload_roots import RootedFile
from salesforce_bulk_ingest.operations.fetching import ResultFetcher
from salesforce_bulk_ingest.operations.planning import LoadRequest
from salesforce_bulk_ingest.results.retry_rows import KINDS, RetryFile, RetryOrigin, RetryRequest, bits_of
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.errors import NotFound
from salesforce_bulk_ingest.salesforce.job_ids import checked_job_id
from salesforce_bulk_ingest.salesforce.models import Job
from salesforce_bulk_ingest.salesforce.org import Org
from salesforce_bulk_ingest.validation.destination import Destination

logger = logging.getLogger(__name__)

NO_SPOOL = (
    "This server keeps no results (no_spool), so rows of jobs can't be sent again from it: the operator can change that, or "
    "give the rows as csv."
)

GO_AGAIN = "They go a second time, as again says."


@dataclass(frozen=True, slots=True)
class Brought:
    """Rows that are here.

    Attributes:
        rows: that a plan can be made of.
        taken: where they are from, if from earlier jobs.
        again: whether it does not matter that some were sent again before.
    """

    rows: LoadRequest[RowSource]
    taken: tuple[RetryOrigin, ...] = ()
    again: bool = False


@dataclass(frozen=True, slots=True)
class Cleared:
    """Rows that may be sent.

    Attributes:
        taken: where they are from.
        unloaded: jobs that some of them went into, of which none was loaded.
        again: as in `Brought`.
        notes: what there is to know about them.
    """

    taken: tuple[RetriedRows, ...]
    unloaded: frozenset[str]
    again: bool
    notes: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class StillComing:
    """Rows that are on their way here.

    Attributes:
        done_bytes: how far they are.
    """

    done_bytes: int


class Retries:
    """Sends rows of earlier jobs again.

    Args:
        client: of the org.
        spool: brings the rows; None where nothing is kept.
        ledger: remembers which went where.
    """

    def __init__(self, client: SalesforceClient, spool: ResultFetcher | None, ledger: Ledger) -> None:
        self._client = client
        self._spool = spool
        self._ledger = ledger

    async def bring(
        self,
        org: Org,
        rows: LoadRequest[RowSource | RetryRequest],
        destination: Destination,
        seconds: Callable[[], float],
    ) -> Brought | StillComing:
        """The rows, if they are here within the time.

        Args:
            org: of the jobs.
            rows: as a caller hands them in.
            destination: where they are to go.
            seconds: to wait, asked for once it is to be.

        Raises:
            InvalidArgument: there are no such rows.
        """
        source = rows.source
        if not isinstance(source, RetryRequest):
            return Brought(rows.of(source))
        if self._spool is None:
            raise InvalidArgument(NO_SPOOL)
        jobs = await self._ended(source.jobs)
        pending = self._spool.rows_again(org, jobs, replace(source, again=False), destination)
        try:
            brought = await pending.wait(seconds())
        except OSError as error:
            raise InvalidArgument(
                f"The rows can't be kept on this machine, from which they would go: {error}"
            ) from error
        return StillComing(pending.done_bytes) if brought is None else _brought(rows, source, brought)

    async def check(self, org: Org, brought: Brought, rows: range, to_job: str | None = None) -> Cleared:
        """Look whether rows may be sent.

        Args:
            org: of the jobs.
            brought: the rows.
            rows: which of them are to go.
            to_job: where they are to go, if that is known.

        Raises:
            SentAgain: some of them went into another job.
            NoRecord: that can't be told.
        """
        taken = await anyio.to_thread.run_sync(_taken, brought.taken, rows)
        if not taken:
            return Cleared((), frozenset(), brought.again)
        try:
            before = await self._ledger.taken_before(org.host, taken, _ids(to_job))
            unloaded = await self._unloaded(org, before, {job.from_job[:15] for job in taken})
        except NoRecord as error:
            if not brought.again:
                raise
            return Cleared(taken, frozenset(), brought.again, (Finding("warning", f"{error}", GO_AGAIN),))
        elsewhere = [went for went in before if went.to_job not in unloaded]
        if not elsewhere:
            return Cleared(taken, unloaded, brought.again)
        told = await self._told(elsewhere)
        if not brought.again:
            raise _sent_again(told)
        return Cleared(taken, unloaded, brought.again, (Finding("warning", told, GO_AGAIN),))

    async def take(self, org: Org, cleared: Cleared, to_job: str) -> None:
        """Remember where the rows go, before they do.

        Args:
            org: of the jobs.
            cleared: the rows.
            to_job: where they go.

        Raises:
            SentAgain: some of them went into another job meanwhile.
            NoRecord: that can't be told.
        """
        if not cleared.taken:
            return
        ignored = None if cleared.again else cleared.unloaded | _ids(to_job)
        replaced = dict.fromkeys(cleared.unloaded, (KINDS["failed"], KINDS["unprocessed"]))
        try:
            before = await self._ledger.take(org.host, cleared.taken, to_job, ignored=ignored, replaced=replaced)
        except NoRecord as error:
            if not cleared.again:
                raise
            logger.warning("rows go into job %s a second time without a record: %s", to_job, error)
        else:
            if before:
                raise _sent_again(await self._told(before))

    async def _unloaded(self, org: Org, before: Sequence[EarlierRetry], wanted: set[str]) -> frozenset[str]:
        """Of the jobs that rows went into, and on from there, those that loaded none and whose rows no other has.

        Args:
            org: of the jobs.
            before: where rows went.
            wanted: jobs whose rows are to go: one that is among them would give the same rows a second time.
        """
        unloaded = frozenset[str]()
        for went in before:
            chain = await self._chain(org, went.to_job)
            if not chain & wanted and all([await self._loaded_none(job) for job in sorted(chain)]):
                unloaded |= chain
        return unloaded

    async def _chain(self, org: Org, job_id: str) -> frozenset[str]:
        """A job and all that its rows went into."""
        chain, left = set[str](), [job_id]
        while left:
            chain.add(job := left.pop())
            left += await self._ledger.taken_from(org.host, job) - chain
        return frozenset(chain)

    async def _loaded_none(self, job_id: str) -> bool:
        """Whether the job has ended without having tried any of its rows."""
        job = await self._found(job_id)
        return job is not None and job.state in ("Aborted", "Failed") and job.number_records_processed == 0

    async def _found(self, job_id: str) -> Job | None:
        try:
            return await self._client.get_job(job_id)
        except NotFound:
            return None

    async def _told(self, before: Sequence[EarlierRetry]) -> str:
        told = [
            f"{went.count:,} of job {went.from_job} into job {went.to_job}{_as_it_is(await self._found(went.to_job))}"
            for went in before[:3]
        ]
        more = f" and {len(before) - 3} jobs more" if len(before) > 3 else ""
        return f"Some of these rows were sent again before: {', '.join(told)}{more}."

    async def _ended(self, job_ids: Sequence[str]) -> list[Job]:
        """The jobs, each once."""
        by_id = dict.fromkeys(checked_job_id(job_id)[:15] for job_id in job_ids)
        jobs = [await self._client.get_job(job_id) for job_id in by_id]
        for job in jobs:
            if not job.is_terminal:
                raise InvalidArgument(
                    f"Job {job.id} is {job.state}: which of its rows fail is known only when it has ended. Wait for it with "
                    "get-ingest-job-status."
                )
        return jobs


def _sent_again(told: str) -> SentAgain:
    return SentAgain(f"{told} Nothing was sent now.")


def _as_it_is(job: Job | None) -> str:
    """What to know of a job that rows went into."""
    if job is None:
        return " (which is gone)"
    if job.state == "Open":
        return " (which is Open, so none are loaded yet: upload them there and close it, or abort it and call again)"
    return "" if job.is_terminal else f" (which is {job.state}: wait for it)"


def _ids(job_id: str | None) -> frozenset[str]:
    return frozenset() if job_id is None else frozenset([job_id[:15]])


def _taken(taken: Sequence[RetryOrigin], rows: range) -> tuple[RetriedRows, ...]:
    found, start = list[RetriedRows](), 0
    for some in taken:
        numbers = some.numbers[max(rows.start - start, 0) : max(rows.stop - start, 0)]
        if numbers:
            found.append(RetriedRows(some.from_job, some.result, some.sha256, bits_of(numbers)))
        start += len(some.numbers)
    return tuple(found)


def _brought(rows: LoadRequest[RowSource | RetryRequest], wanted: RetryRequest, again: RetryFile) -> Brought:
    path = again.path.resolve()
    source: RowSource = UploadFile(RootedFile(path.parent, (path.name,)))
    # Ids of new records go into another operation, and harm nothing there a second time.
    taken = () if "created" in wanted.which else again.taken
    return Brought(rows.of(source, again.notes), taken, wanted.again)
