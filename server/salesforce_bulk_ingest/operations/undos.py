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

CREATING = frozenset(operation for operation, ways in UNDONE_BY.items() if "created" in ways)
"""The operations whose jobs create records, whose ids undo that."""

GIVEN_BACK_BY: Mapping[str, str] = {
    operation: ways["before"] for operation, ways in UNDONE_BY.items() if "before" in ways
}
"""The operations whose jobs write to records that are there, so that these have a before-image; and the operation of the job
that gives it back."""

GIVING_BACK = frozenset(GIVEN_BACK_BY.values())

_UPDATING = UNDONE_BY["update"]["before"]
"""The operation that gives the same records back what they held: deleted records are inserted as others."""


@dataclass(frozen=True, slots=True)
class UndoJob:
    """A job that was given the records of another job: those that it created, to delete them; those that it deleted, to
    insert them again; or those that it changed, to give them back what they held.

    Attributes:
        job: the job, as it is now.
        rows: the number of these records.
        undos: the jobs that undid this job in turn, or may still.
        has_lost_undos: whether jobs that were to undo this job are gone, so that it is not known what they did.
    """

    job: Job
    rows: int
    undos: tuple["UndoJob", ...] = ()
    has_lost_undos: bool = False

    @property
    def undone(self) -> int:
        """The most of these records that the job can have undone: it may have been given those of other jobs, too."""
        return min(self.rows, self.job.number_records_loaded)

    @property
    def is_undone(self) -> bool:
        """Whether all that the job did is undone for sure."""
        return is_undone(self.job, self.undos)

    @property
    def undid_all(self) -> bool:
        """Whether the job has undone each of these records for sure, and none was brought back, or may be still."""
        succeeded = self.job.state == "JobComplete" and not self.job.number_records_failed
        return succeeded and not self.has_lost_undos and not is_being_undone(self.undos)

    @property
    def is_redone(self) -> bool:
        """Whether some of what the job undid is done again, by jobs that have ended."""
        return is_being_undone(undo for undo in self.undos if undo.job.is_terminal)

    @property
    def stands(self) -> bool:
        """Whether the job has ended, and what it undid is still undone."""
        return self.job.is_terminal and not self.is_redone

    @property
    def excludes_others(self) -> bool:
        """Whether no other job can undo the same: deleted records come back as others, updated ones as they were."""
        return self.job.operation != _UPDATING or not self.is_redone


def is_undone(job: Job, undos: Iterable[UndoJob]) -> bool:
    """Return whether all that a job did is undone for sure.

    Args:
        job: the job.
        undos: the jobs that undid it, or may still.
    """
    return job.is_terminal and sum(undo.rows for undo in undos if undo.undid_all) >= job.number_records_loaded


def is_being_undone(undos: Iterable[UndoJob]) -> bool:
    """Return whether some of what a job did is undone, or may be still, by those of its undos that are not undone."""
    return any(not undo.is_undone for undo in undos)


def by_operation(undos: Iterable[UndoJob], operations: Set[str]) -> tuple[UndoJob, ...]:
    """Return the undos by these operations: `DELETES` undo what was created, `GIVING_BACK` what was updated or deleted."""
    return tuple(undo for undo in undos if undo.job.operation in operations)


def standing_updates(undos: Iterable[UndoJob]) -> list[UndoJob]:
    """Return those of the undos that gave records back what they held, and stand."""
    return [undo for undo in by_operation(undos, {_UPDATING}) if undo.stands]


def standing_update(undos: Iterable[UndoJob]) -> UndoJob | None:
    """Return the last of `standing_updates`; None if there is none."""
    standing = standing_updates(undos)
    return standing[-1] if standing else None


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

    async def of(self, job_id: str) -> tuple[UndoJob, ...]:
        """Return the jobs that undid a job, or may still, with those that undid these in turn; not those that are gone."""
        return (await self._of(job_id, frozenset()))[0]

    async def _of(self, job_id: str, above: frozenset[str]) -> tuple[tuple[UndoJob, ...], bool]:
        """Return the jobs that undid a job, or may still, and whether some of those that were to are gone.

        Args:
            job_id: the id of the job that was undone.
            above: the ids, of 15 characters, of the jobs that this job undid, directly or in turn.
        """
        # A job gets its rows once those that it undoes have ended, so none is above itself; but the record may be of two
        # orgs with the same ids, such as a seeded one that began anew.
        above |= {job_id[:15]}
        given = await self._ledger.undos_of(self._org.key, job_id)
        jobs = {by_job: await self._jobs.find(by_job) for by_job in given if by_job not in above}
        undos = [
            UndoJob(job, given[by_job], *await self._of(by_job, above))
            for by_job, job in jobs.items()
            if job is not None and _may_undo(job)
        ]
        return tuple(undos), None in jobs.values()


def _may_undo(job: Job) -> bool:
    """Return whether a job that was given the records of another undid something, or may still."""
    return job.operation in DELETES | GIVING_BACK and (not job.is_terminal or job.number_records_loaded > 0)


@dataclass(frozen=True, slots=True)
class LoadUndo:
    """The undo of the jobs of one load, of one kind.

    Attributes:
        jobs: the ids of the jobs that can be undone, or were.
        left: the ids of those of them that no job undid, or may still.
        undone_by: the last job that undid some of them, or may still, with all of their records that it was given; None if
            none did.
        has_earlier: whether other jobs undid some of them before that, or may still.
    """

    jobs: tuple[str, ...]
    left: tuple[str, ...]
    undone_by: UndoJob | None = None
    has_earlier: bool = False

    @classmethod
    def of(cls, jobs: Iterable[Job], undos: Mapping[str, Sequence[UndoJob]], by: Set[str]) -> Self:
        """Return the undo of jobs.

        Args:
            jobs: the jobs.
            undos: the undos of each by its id.
            by: the operations that undo what is meant; see `by_operation`.
        """
        counted = {job.id: [undo for undo in by_operation(undos[job.id], by) if undo.excludes_others] for job in jobs}
        left = tuple(job_id for job_id, of_job in counted.items() if not of_job)
        by_id = defaultdict[str, list[UndoJob]](list)
        for undo in chain.from_iterable(counted.values()):
            by_id[undo.job.id].append(undo)
        if not by_id:
            return cls(tuple(counted), left)
        last = by_id[max(by_id)]
        undone_by = replace(last[0], rows=sum(undo.rows for undo in last))
        return cls(tuple(counted), left, undone_by, has_earlier=len(by_id) > 1)


@dataclass(frozen=True, slots=True)
class DoneUndo:
    """The undo of jobs of which nothing is left to do, and how their records are now.

    Attributes:
        jobs: the ids of the jobs.
        by: the number of records to which each job gave back what they held, by its id; none of a job that was undone.
        records: the number of records that the jobs changed, but for those that the call leaves out.
        differing: the ids of those that do not hold now what they held before the jobs.
    """

    jobs: tuple[str, ...]
    by: Mapping[str, int]
    records: int
    differing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UndoOrRedo:
    """What a job does to earlier ones: it undoes them, or it redoes them, since it undoes jobs that undid them.

    Attributes:
        is_redo: whether it redoes them.
        jobs: their ids.
        part: for some of the records of one job, how many it is given, and of how many; None for all, or where that is not
            known.
    """

    is_redo: bool
    jobs: tuple[str, ...]
    part: tuple[int, int] | None = None

    def __str__(self) -> str:
        part = "" if self.part is None else f" for {self.part[0]:,} of {self.part[1]:,} records"
        return f"{'redoes' if self.is_redo else 'undoes'} {jobs_in_words(self.jobs)}{part}"

    @property
    def reverse(self) -> Self:
        """What the undo of the job does to them."""
        return replace(self, is_redo=not self.is_redo)


async def undo_or_redo_by(
    ledger: Ledger, org: Org, job_id: str, below: frozenset[str] = frozenset()
) -> UndoOrRedo | None:
    """Return what a job does to those that it undoes, as far as the ledger knows; None if it undoes none.

    Args:
        ledger: the record of undos.
        org: the org.
        job_id: the id of the job.
        below: the ids, of 15 characters, of the jobs that undid this one, directly or in turn.
    """
    undone = await ledger.jobs_undone_by(org.key, job_id)
    return await undo_or_redo_of(ledger, org, undone, below | {job_id[:15]}) if undone else None


async def undo_or_redo_of(
    ledger: Ledger, org: Org, undone: Iterable[str], below: frozenset[str] = frozenset()
) -> UndoOrRedo:
    """Return what a job does to earlier ones that undoes these; see `undo_or_redo_by`."""
    jobs = [job_id for job_id in undone if job_id[:15] not in below]
    before = [await undo_or_redo_by(ledger, org, job_id, below) for job_id in jobs]
    known = [each for each in before if each is not None]
    if len(known) < len(before) or len({each.is_redo for each in known}) != 1:
        return UndoOrRedo(False, tuple(shown_job_id(long_job_id(job_id)) for job_id in jobs))
    of_loads = chain.from_iterable(each.jobs for each in known)
    return UndoOrRedo(not known[0].is_redo, tuple(dict.fromkeys(of_loads)))
