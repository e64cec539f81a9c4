"""The states of a job, and the transitions between them (Bulk API 2.0 guide, Job States)."""

from enum import StrEnum

from salesforce_emulator.errors import ApiError


class State(StrEnum):
    """A state of a job, as clients see it."""

    OPEN = "Open"
    UPLOAD_COMPLETE = "UploadComplete"
    IN_PROGRESS = "InProgress"
    JOB_COMPLETE = "JobComplete"
    FAILED = "Failed"
    ABORTED = "Aborted"


class Event(StrEnum):
    """An event that moves a job: a request (the first four), or a step of processing (the others)."""

    UPLOAD = "upload"
    CLOSE = "close"
    ABORT = "abort"
    DELETE = "delete"
    START = "start"
    COMPLETE = "complete"
    FAIL = "fail"


TERMINAL = frozenset({State.JOB_COMPLETE, State.FAILED, State.ABORTED})
UNFINISHED = frozenset({State.UPLOAD_COMPLETE, State.IN_PROGRESS})
"""The states of jobs that wait for processing or are being processed."""

TRANSITIONS: dict[Event, dict[State, State | None]] = {
    Event.UPLOAD: {State.OPEN: State.OPEN},
    Event.CLOSE: {State.OPEN: State.UPLOAD_COMPLETE},
    Event.ABORT: dict.fromkeys([State.OPEN, State.UPLOAD_COMPLETE, State.IN_PROGRESS], State.ABORTED),
    Event.DELETE: dict.fromkeys([State.UPLOAD_COMPLETE, *TERMINAL]),  # no state follows: the job is gone
    Event.START: dict.fromkeys(UNFINISHED, State.IN_PROGRESS),  # from InProgress: adopted from a process that died
    Event.COMPLETE: {State.IN_PROGRESS: State.JOB_COMPLETE},
    Event.FAIL: dict.fromkeys([State.OPEN, *UNFINISHED], State.FAILED),  # from Open: the job was open for too long
}
"""The next state by event and present state; None where the event deletes the job."""

REFUSALS = {
    # assumed: no source shows the error of a PUT to a closed job
    Event.UPLOAD: ("INVALIDJOBSTATE", "Uploading data to already Completed Job not allowed"),
    # both seen for completed jobs; assumed: for jobs that are closed and not complete
    Event.CLOSE: ("INVALIDJOBSTATE", "Closing already Completed Job not allowed"),
    Event.ABORT: ("INVALIDJOBSTATE", "Aborting already Completed Job not allowed"),
    # documented for query jobs; assumed for ingest
    Event.DELETE: ("API_ERROR", "Error encountered when deleting the job because the job is not terminated"),
}


def next_state(event: Event, state: State) -> State | None:
    """Return the state that follows the event; None if the event deletes the job.

    Raises:
        ApiError: the state does not allow the request (400).
        ValueError: the state does not allow the step of processing.
    """
    if state in TRANSITIONS[event]:
        return TRANSITIONS[event][state]
    if event in REFUSALS:
        raise ApiError(400, *REFUSALS[event])
    raise ValueError(f"a job that is {state} cannot {event}")
