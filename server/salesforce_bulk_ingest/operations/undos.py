"""Undoing a job: the jobs of these tools that delete what it created, insert again what it deleted, or give back what it
changed."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import chain
from typing import Self

from salesforce_bulk_ingest.cache.ledger import Ledger
from salesforce_bulk_ingest.operations.job_reader import JobReader
from salesforce_bulk_ingest.results.retry_request import UNDONE_BY
from salesforce_bulk_ingest.results.undo_writer import jobs_in_words
from salesforce_bulk_ingest.salesforce.job_ids import long_job_id, shown_job_id
from salesforce_bulk_ingest.salesforce.models import Job
from salesforce_bulk_ingest.salesforce.org import Org
from salesforce_bulk_ingest.validation.destination import DELETES

GIVEN_BACK_BY: Mapping[str, str] = {
    operation: ways["before"] for operation, ways in UNDONE_BY.items() if "before" in ways
}
"""The operations whose jobs write to records that are there, so that these have a before-image; and the operation of the job
that gives it back."""

GIVING_BACK = frozenset(GIVEN_BACK_BY.values())

_UPDATES = frozenset({"update"})
"""Those of them that write to the same records: deleted records are inserted as others."""


@dataclass(frozen=True, slots=True)
class UndoJob:
    """A job that was given the records of another job: those that it created, to delete them; those that it deleted, to
    insert them again; or those that it changed, to give them back what they held.

    Attributes:
        job: the job, as it is now.
        rows: the number of these records.
        undos: the jobs that undid this job in turn, or may still.
    """

    job: Job
    rows: int
    undos: tuple["UndoJob", ...] = ()

    @property
    def undone(self) -> int:
        """The most of these records that the job can have undone: it may have been given those of other jobs, too."""
        return min(self.rows, self.job.number_records_loaded)

    @property
    def succeeded(self) -> bool:
        """Whether the job has undone each of them."""
        return self.job.state == "JobComplete" and not self.job.number_records_failed

    @property
    def stands(self) -> bool:
        """Whether the job has ended, and no job that stands has undone any of what it did."""
        return self.job.is_terminal and not any(undo.stands for undo in self.undos)

    @property
    def excludes_others(self) -> bool:
        """Whether no other job can undo the same: deleted records come back as others, updated ones as they were."""
        return self.job.operation not in _UPDATES or not any(undo.stands for undo in self.undos)


def is_undone(job: Job, undos: Iterable[UndoJob]) -> bool:
    """Return whether all that a job did is undone for sure: nothing of it was brought back, or may be still.

    Args:
        job: the job.
        undos: the jobs that undid it, or may still.
    """
    undone = sum(undo.rows for undo in undos if undo.succeeded and not is_being_undone(undo.undos))
    return job.is_terminal and undone >= job.number_records_loaded


def is_being_undone(undos: Iterable[UndoJob]) -> bool:
    """Return whether some of what a job did is undone, or may be still, by those of its undos that are not undone."""
    return any(not is_undone(undo.job, undo.undos) for undo in undos)


class Undos:
    """The undos of jobs, as this server's record and the org tell them to one call.

    Args:
        jobs: reads the jobs that undid others.
        ledger: the record of undos.
        org: the org.
    """

    def __init__(self, jobs: JobReader, ledger: Ledger, org: Org) -> None:
        self._jobs = jobs
        self._ledger = ledger
        self._org = org

    async def of(
        self, job_id: str, by: Set[str] = DELETES | GIVING_BACK, above: frozenset[str] = frozenset()
    ) -> tuple[UndoJob, ...]:
        """Return the jobs that undid a job, or may still, with those that undid these in turn.

        Of jobs that are gone, those are among them that undid an undo: what these brought back may be in the org.

        Args:
            job_id: the id of the job that was undone.
            by: the operations that undo it: `DELETES` what it created, `GIVING_BACK` what it updated or deleted.
            above: the ids, of 15 characters, of the jobs that this job undid, directly or in turn.
        """
        # A job gets its rows once those that it undoes have ended, so none is above itself; but the record may be of two
        # orgs with the same ids, such as a seeded one that began anew.
        above |= {job_id[:15]}
        undos = list[UndoJob]()
        for by_job, rows in (await self._ledger.undos_of(self._org.key, job_id)).items():
            job = None if by_job in above else await self._job(by_job, is_of_undo=len(above) > 1)
            if (
                job is not None
                and job.operation in {*by, None}
                and not (job.is_terminal and job.number_records_loaded <= 0)
            ):
                undos.append(UndoJob(job, rows, await self.of(by_job, above=above)))
        return tuple(undos)

    async def of_load(self, jobs: Iterable[Job], by: Set[str]) -> "LoadUndo":
        """Return the undo of the jobs of one load by these operations; see `of`."""
        return LoadUndo.of({job.id: await self.of(job.id, by) for job in jobs})

    async def given_back_by(self, job_id: str) -> UndoJob | None:
        """Return the last job that gave back what records held before a job, unless it was undone in turn; else None."""
        standing = [undo for undo in await self.of(job_id, _UPDATES) if undo.stands]
        return standing[-1] if standing else None

    async def _job(self, job_id: str, *, is_of_undo: bool) -> Job | None:
        return await self._jobs.find(job_id) or (Job(id=job_id, state="Unknown") if is_of_undo else None)


@dataclass(frozen=True, slots=True)
class LoadUndo:
    """The undo of the jobs of one load, of one kind.

    Attributes:
        jobs: the ids of the jobs that can be undone, or were.
        left: the ids of those of them that no job undid, or may still.
        undone_by: the last job that undid some of them, or may still, with all of their records that it was given; None if
            none did.
    """

    jobs: tuple[str, ...]
    left: tuple[str, ...]
    undone_by: UndoJob | None = None

    @classmethod
    def of(cls, undos: Mapping[str, Sequence[UndoJob]]) -> Self:
        """Return the undo of jobs, given the undos of each by its id."""
        counted = {job_id: [undo for undo in of_job if undo.excludes_others] for job_id, of_job in undos.items()}
        left = tuple(job_id for job_id, of_job in counted.items() if not of_job)
        by_id = defaultdict[str, list[UndoJob]](list)
        for undo in chain.from_iterable(counted.values()):
            by_id[undo.job.id].append(undo)
        if not by_id:
            return cls(tuple(undos), left)
        last = by_id[max(by_id)]
        return cls(tuple(undos), left, replace(last[0], rows=sum(undo.rows for undo in last)))


@dataclass(frozen=True, slots=True)
class Deed:
    """What a job does to earlier ones: it undoes them, or it redoes them, since it undoes jobs that undid them.

    Attributes:
        redoes: whether it redoes them.
        jobs: their ids.
    """

    redoes: bool
    jobs: tuple[str, ...]

    def __str__(self) -> str:
        return f"{'redoes' if self.redoes else 'undoes'} {jobs_in_words(self.jobs)}"


async def deed_of(ledger: Ledger, org: Org, job_id: str, below: frozenset[str] = frozenset()) -> Deed | None:
    """Return what a job does to those that it undoes, as far as the ledger knows; None if it undoes none.

    Args:
        ledger: the record of undos.
        org: the org.
        job_id: the id of the job.
        below: the ids, of 15 characters, of the jobs that undid this one, directly or in turn.
    """
    undone = await ledger.jobs_undone_by(org.key, job_id)
    return await deed_of_undo(ledger, org, undone, below | {job_id[:15]}) if undone else None


async def deed_of_undo(ledger: Ledger, org: Org, undone: Iterable[str], below: frozenset[str] = frozenset()) -> Deed:
    """Return what a job does to earlier ones that undoes these; see `deed_of`."""
    jobs = [job_id for job_id in undone if job_id[:15] not in below]
    before = [await deed_of(ledger, org, job_id, below) for job_id in jobs]
    known = [deed for deed in before if deed is not None]
    if len(known) < len(before) or len({deed.redoes for deed in known}) != 1:
        return Deed(False, tuple(shown_job_id(long_job_id(job_id)) for job_id in jobs))
    of_loads = chain.from_iterable(deed.jobs for deed in known)
    return Deed(not known[0].redoes, tuple(dict.fromkeys(of_loads)))
