"""Rows of earlier jobs on their way into another one: brought here first, and each sent again once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from salesforce_bulk_ingest.ingest.errors import InvalidArgument, SentAgain
from salesforce_bulk_ingest.ingest.job_ids import checked_job_id
from salesforce_bulk_ingest.ingest.ledger import Ledger, PartOf, RowsTaken, TakenBefore
from salesforce_bulk_ingest.ingest.org import Org
from salesforce_bulk_ingest.ingest.planning import Rows
from salesforce_bulk_ingest.ingest.rows_in.destination import Destination
from salesforce_bulk_ingest.ingest.rows_in.roots import RootedFile
from salesforce_bulk_ingest.ingest.rows_in.sources import RowSource, UploadFile
from salesforce_bulk_ingest.ingest.rows_out.rows_again import KINDS, RowsAgain, RowsOf
from salesforce_bulk_ingest.ingest.rows_out.spool import Spool
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.errors import NotFound
from salesforce_bulk_ingest.salesforce.models import Job

NO_SPOOL = (
    "This server keeps no results (no_spool), so rows of jobs can't be sent again from it: the operator can change that, or "
    "give the rows as csv."
)


@dataclass(frozen=True, slots=True)
class Brought:
    """Rows that are here.

    Attributes:
        rows: that a plan can be made of.
        taken: where they are from, if from earlier jobs.
        again: whether it does not matter that some were sent again before.
    """

    rows: Rows[RowSource]
    taken: tuple[RowsTaken, ...] = ()
    again: bool = False


@dataclass(frozen=True, slots=True)
class StillComing:
    """Rows that are on their way here.

    Attributes:
        done_bytes: how far they are.
    """

    done_bytes: int


class Resending:
    """Sends rows of earlier jobs again.

    Args:
        client: of the org.
        spool: brings the rows; None where nothing is kept.
        ledger: remembers which went where.
    """

    def __init__(self, client: SalesforceClient, spool: Spool | None, ledger: Ledger) -> None:
        self._client = client
        self._spool = spool
        self._ledger = ledger

    async def bring(
        self, org: Org, rows: Rows[RowSource | RowsOf], destination: Destination, seconds: Callable[[], float]
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
        if not isinstance(source, RowsOf):
            return Brought(rows.of(source))
        if self._spool is None:
            raise InvalidArgument(NO_SPOOL)
        jobs = await self._ended(source.jobs)
        found = Destination.of_job(jobs[0]).dialect()
        pending = self._spool.rows_again(org, jobs, replace(source, again=False), destination.dialect(found))
        try:
            brought = await pending.wait(seconds())
        except OSError as error:
            raise InvalidArgument(
                f"The rows can't be kept on this machine, from which they would go: {error}"
            ) from error
        return StillComing(pending.done_bytes) if brought is None else _brought(rows, source, brought)

    async def check(self, org: Org, brought: Brought, upload: PartOf, to_job: str | None = None) -> frozenset[str]:
        """Look whether rows may be sent.

        Args:
            org: of the jobs.
            brought: the rows.
            upload: that they are to go out with.
            to_job: where they are to go, if that is known.

        Returns:
            Jobs that some of the rows went into, of which none was loaded.

        Raises:
            SentAgain: some of them went into another job.
        """
        ignored = frozenset[str]() if to_job is None else frozenset([to_job[:15]])
        before = await self._ledger.taken_before(org.host, brought.taken, upload, ignored)
        # A job that is among those whose rows are wanted would give the same rows a second time.
        elsewhere = {taken.to_job for taken in before} - {taken.from_job[:15] for taken in brought.taken}
        unloaded = frozenset([job for job in elsewhere if await self._loaded_none(job)])
        if not brought.again:
            _refuse([taken for taken in before if taken.to_job not in unloaded])
        return unloaded

    async def take(self, org: Org, brought: Brought, upload: PartOf, to_job: str, unloaded: frozenset[str]) -> None:
        """Remember where the rows go, before they do.

        Args:
            org: of the jobs.
            brought: the rows.
            upload: that they go out with.
            to_job: where they go.
            unloaded: what `check` returned.

        Raises:
            SentAgain: some of them went into another job meanwhile.
        """
        if brought.taken:
            ignored = None if brought.again else unloaded | {to_job[:15]}
            replaced = dict.fromkeys(unloaded, (KINDS["failed"], KINDS["unprocessed"]))
            _refuse(
                await self._ledger.take(org.host, brought.taken, upload, to_job, ignored=ignored, replaced=replaced)
            )

    async def _loaded_none(self, job_id: str) -> bool:
        """Whether the job has ended without having tried any of its rows."""
        try:
            job = await self._client.get_job(job_id)
        except NotFound:
            return False
        return job.state in ("Aborted", "Failed") and job.number_records_processed == 0

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


def _refuse(before: Sequence[TakenBefore]) -> None:
    if before:
        told = ", ".join(f"{taken.count:,} of job {taken.from_job} into job {taken.to_job}" for taken in before[:3])
        more = f" and {len(before) - 3} jobs more" if len(before) > 3 else ""
        raise SentAgain(f"Some of these rows were sent again before: {told}{more}. Nothing was sent now.")


def _brought(rows: Rows[RowSource | RowsOf], wanted: RowsOf, again: RowsAgain) -> Brought:
    path = again.path.resolve()
    source: RowSource = UploadFile(RootedFile(path.parent, (path.name,)))
    # Ids of new records go into another operation, and harm nothing there a second time.
    taken = () if "created" in wanted.which else again.taken
    return Brought(rows.of(source, again.notes), taken, wanted.again)
