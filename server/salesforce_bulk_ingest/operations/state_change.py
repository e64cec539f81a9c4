"""Closing or aborting a job: once, and told as it is where another call was faster or the answer is lost."""

from collections.abc import Callable
from typing import Literal

import anyio

from salesforce_bulk_ingest.base.text import as_name
from salesforce_bulk_ingest.operations.errors import ChangeUnanswered
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.errors import NotFound, SalesforceError, WrongState
from salesforce_bulk_ingest.salesforce.models import Job
from salesforce_bulk_ingest.salesforce.retries import Action, Operation, action_after

TargetState = Literal["UploadComplete", "Aborted"]

_REACHED: dict[TargetState, frozenset[str]] = {
    # A job fails only after its close, or after it was open for too long: there is nothing left to close.
    "UploadComplete": frozenset({"UploadComplete", "InProgress", "JobComplete", "Failed"}),
    "Aborted": frozenset({"Aborted"}),
}


def is_reached(job: Job, state: TargetState) -> bool:
    """Return whether a close (state UploadComplete) or an abort (Aborted) of the job has nothing left to do."""
    return job.state in _REACHED[state]


async def is_open_still(client: SalesforceClient, job: Job) -> bool:
    """Return whether a job, as it is now, has been neither closed nor aborted."""
    now = await client.get_job(job.id)
    return not (now.is_terminal or is_reached(now, "UploadComplete"))


async def change_state(
    client: SalesforceClient, job: Job, state: TargetState, seconds_left: Callable[[], float]
) -> tuple[Job, bool]:
    """Close or abort a job, and send that a second time if the answer is lost and the job shows no effect.

    Args:
        client: the client of the org.
        job: the job, as it was just read.
        state: UploadComplete or Aborted.
        seconds_left: returns the seconds that the current call may still take.

    Returns:
        The job, and whether this call changed it.

    Raises:
        WrongState: the job has ended in another way.
        NotFound: the job is gone.
        ChangeUnanswered: the answer is lost, and it is not known whether the change took effect.
    """
    if job.is_terminal:
        raise _ended(job, state)
    try:
        return _changed(job, await client.set_state(job.id, state)), True
    except WrongState as error:
        return await _after_refusal(client, job, state, error), False  # another call was faster
    except NotFound:
        raise _gone(job) from None
    except SalesforceError as error:
        if action_after(Operation.CHANGE, error) is not Action.LOOK:
            raise
        lost = error
    try:
        with anyio.fail_after(seconds_left()):
            return await _look_and_change(client, job, state, lost), True
    except TimeoutError:
        raise ChangeUnanswered(job.id, state, lost) from None


async def _look_and_change(client: SalesforceClient, job: Job, state: TargetState, lost: SalesforceError) -> Job:
    """Return the job once it is changed by a call whose answer was lost, or by a second one."""
    now = await _read_after(client, job, state, lost)
    if is_reached(now, state):
        return now
    if now.is_terminal:
        raise _ended(now, state)
    try:
        return _changed(now, await client.set_state(job.id, state))
    except WrongState as error:
        return await _after_refusal(client, job, state, error)  # the first call took effect in the meantime
    except NotFound:
        raise _gone(job) from None
    except SalesforceError as error:
        now = await _read_after(client, job, state, error)
        if not is_reached(now, state):
            raise ChangeUnanswered(job.id, state, error, now.state) from error
        return now


async def _read_after(client: SalesforceClient, job: Job, state: TargetState, lost: SalesforceError) -> Job:
    try:
        return await client.get_job(job.id)
    except NotFound:
        raise _gone(job) from None
    except SalesforceError as error:
        raise ChangeUnanswered(job.id, state, lost) from error


async def _after_refusal(client: SalesforceClient, job: Job, state: TargetState, error: WrongState) -> Job:
    """Return the job, if its state is the reason why a change was refused, and is what the change was to bring about."""
    try:
        now = await client.get_job(job.id)
    except NotFound:
        raise _gone(job) from None
    if is_reached(now, state):
        return now
    raise (_ended(now, state) if now.is_terminal else error)


def _changed(job: Job, answer: Job) -> Job:
    return job.model_copy(update=answer.model_dump(exclude_unset=True))


def _ended(job: Job, state: TargetState) -> WrongState:
    reason = (
        "The job is Aborted and can't be closed: rows that it has not loaded stay out of the org."
        if state == "UploadComplete"
        else f"The job is {as_name(job.state)}: it ended before it was aborted, and rows that it loaded stay in the org."
    )
    return WrongState(400, "INVALIDJOBSTATE", reason)


def _gone(job: Job) -> NotFound:
    return NotFound(
        404,
        "NOT_FOUND",
        f"The job was {as_name(job.state)} a moment ago and is gone: another caller has ended and deleted it. Its rows may "
        "be loaded or not, and no job tells that any more: look for their records before they are loaded again.",
    )
