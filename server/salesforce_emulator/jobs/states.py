"""The life of a job, as one table (Bulk API 2.0 guide, Job States)."""

from enum import StrEnum

from salesforce_emulator.errors import ApiError


class State(StrEnum):
    """The states that clients see."""

    OPEN = "Open"
    UPLOAD_COMPLETE = "UploadComplete"
    IN_PROGRESS = "InProgress"
    JOB_COMPLETE = "JobComplete"
    FAILED = "Failed"
    ABORTED = "Aborted"


class Event(StrEnum):
    """What can happen to a job: the first four by request, the others in processing."""

    UPLOAD = "upload"
    CLOSE = "close"
    ABORT = "abort"
    DELETE = "delete"
    START = "start"
    COMPLETE = "complete"
    FAIL = "fail"


TERMINAL = frozenset({State.JOB_COMPLETE, State.FAILED, State.ABORTED})
WAITING = frozenset({State.UPLOAD_COMPLETE, State.IN_PROGRESS})  # work is still to be done

TRANSITIONS: dict[Event, dict[State, State | None]] = {
    Event.UPLOAD: {State.OPEN: State.OPEN},
    Event.CLOSE: {State.OPEN: State.UPLOAD_COMPLETE},
    Event.ABORT: dict.fromkeys([State.OPEN, State.UPLOAD_COMPLETE, State.IN_PROGRESS], State.ABORTED),
    Event.DELETE: dict.fromkeys([State.UPLOAD_COMPLETE, *TERMINAL]),  # to nothing: the job is gone
    Event.START: dict.fromkeys(WAITING, State.IN_PROGRESS),  # from InProgress: taken over from a process that died
    Event.COMPLETE: {State.IN_PROGRESS: State.JOB_COMPLETE},
    Event.FAIL: dict.fromkeys([State.OPEN, *WAITING], State.FAILED),  # from Open: one that was open for too long
}

REFUSALS = {
    # assumed: no source shows what a PUT to a closed job is told
    Event.UPLOAD: ("INVALIDJOBSTATE", "Uploading data to already Completed Job not allowed"),
    # seen of completed jobs, both; assumed: of jobs that are closed and not complete
    Event.CLOSE: ("INVALIDJOBSTATE", "Closing already Completed Job not allowed"),
    Event.ABORT: ("INVALIDJOBSTATE", "Aborting already Completed Job not allowed"),
    # documented for query jobs; assumed for ingest
    Event.DELETE: ("API_ERROR", "Error encountered when deleting the job because the job is not terminated"),
}


def after(event: Event, state: State) -> State | None:
    """The state that follows; None if the job is then gone.

    Raises:
        ApiError: a request that the state does not allow (400).
        ValueError: a step of processing that the state does not allow.
    """
    if state in TRANSITIONS[event]:
        return TRANSITIONS[event][state]
    if event in REFUSALS:
        raise ApiError(400, *REFUSALS[event])
    raise ValueError(f"a job that is {state} cannot {event}")
