"""The answer about one job: its state and counters, what was done to it, and the call to make next."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Self

from pydantic import ConfigDict, Field, PrivateAttr

from salesforce_bulk_ingest.base.text import as_name, counted, cut, quoted, without_hidden
from salesforce_bulk_ingest.mcp_server.answers.answer import LONGEST_NAME, Answer, job_uri
from salesforce_bulk_ingest.mcp_server.answers.failed_job import next_after_failure
from salesforce_bulk_ingest.mcp_server.answers.job_rows import JobRowsAnswer, next_part, rows_of_job
from salesforce_bulk_ingest.mcp_server.answers.next_call import (
    ROWS,
    close_call,
    new_job_call,
    result_call,
    rows_of,
    status_call,
    upload_call,
    wait_call,
)
from salesforce_bulk_ingest.mcp_server.answers.operation_words import loaded, loads, records, stays
from salesforce_bulk_ingest.mcp_server.answers.retry_call import not_yet_sent, retried_call, retried_sentence
from salesforce_bulk_ingest.mcp_server.answers.row_counts import RowCountsAnswer, rows_in_no_result, rows_sentence
from salesforce_bulk_ingest.mcp_server.answers.undo import look_at_undo, name_of_undo, undo_of
from salesforce_bulk_ingest.mcp_server.portable_schema import NOT_LISTED
from salesforce_bulk_ingest.operations.jobs import JobStatus, close_in_words
from salesforce_bulk_ingest.operations.state_change import TargetState
from salesforce_bulk_ingest.operations.undos import CREATING
from salesforce_bulk_ingest.operations.upload_once import UploadState
from salesforce_bulk_ingest.results.pages import RetriedInJob
from salesforce_bulk_ingest.results.row_counts import RowAccounting
from salesforce_bulk_ingest.salesforce.models import Job

LONGEST_MESSAGE = 1_000
"""The maximum number of characters of a job's errorMessage in an answer."""


_DETAILS = (
    "contentUrl", "contentType", "apiVersion", "jobType", "concurrencyMode", "systemModstamp", "retries",
    "totalProcessingTime", "apiActiveProcessingTime", "apexProcessingTime",
)  # fmt: skip
"""What no next step depends on: answers have it, and the list of tools, which each model pays for, does not name it."""


def _leave_details_out_of_list(schema: dict[str, Any]) -> None:
    for name in _DETAILS:
        schema["properties"][name] |= NOT_LISTED


class JobAnswer(Answer, Job):
    """One job, under Salesforce's own field names."""

    model_config = ConfigDict(json_schema_extra=_leave_details_out_of_list)

    org: str
    changed: bool | None = Field(None, description="False: nothing was left to do")
    load: JobRowsAnswer | None = None
    row_counts: RowCountsAnswer | None = None
    undo: str | None = None
    resource_uri: str
    _undo_label: str = PrivateAttr("Undo")

    @classmethod
    def of(cls, status: JobStatus, *, summary: str = "") -> Self:
        """Return the answer about a job.

        Args:
            status: the job as it is now.
            summary: a sentence about what was just done to the job, to stand before its description.
        """
        job, org = status.job, status.org
        shown = bounded(job).model_copy(update={"content_url": None})
        answer = cls(
            **shown.model_dump(),
            org=str(org),
            changed=status.changed,
            load=JobRowsAnswer.of_load(job, status.load),
            row_counts=RowCountsAnswer.of(status.accounting, status.created, updates=job.operation == "upsert"),
            undo=undo_of(status),
            resource_uri=job_uri(job.id),
            summary=f"{summary} {describe(status)}".strip(),
            next=next_step(status),
        )
        answer._undo_label = name_of_undo(status).capitalize()
        return answer

    def text(self) -> str:
        return super().text() if self.undo is None else f"{super().text()}\n{self._undo_label}: {self.undo}"

    @classmethod
    def of_change(cls, status: JobStatus, state: TargetState) -> Self:
        """Return the answer about a job that was to be closed (state UploadComplete) or aborted (Aborted)."""
        job = status.job
        # Beside the next step of the load, an undo would look like another, and that of a part undoes no whole load; the
        # status has it then, too.
        part = None if status.load is None else status.load.part
        goes_on = bool(job.number_records_failed) or (part is not None and part.of > 1)
        return cls.of(
            replace(status, deletes=None, gives_back=None) if goes_on else status,
            summary=state_change_summary(job, state, changed=bool(status.changed)) + _undoable(status),
        )


def bounded(job: Job) -> Job:
    """Return the job as data for a structure: its texts without hidden characters, and cut to their maximum lengths."""
    texts = {name: without_hidden(value) for name, value in job if isinstance(value, str)}
    longest = {"error_message": LONGEST_MESSAGE}
    return job.model_copy(update={name: cut(value, longest.get(name, LONGEST_NAME)) for name, value in texts.items()})


def kind_of(job: Job) -> str:
    """Return the operation and the object of a job."""
    return f"{as_name(job.operation or '?')} {as_name(job.object or '?')}"


def describe(status: JobStatus) -> str:
    """Return the job's state and counters, what its rows are and where, in sentences."""
    job = status.job
    what = f"Job {job.id} ({kind_of(job)}) in {status.org} is {as_name(job.state)}"
    if job.number_records_processed is not None:
        what += f": {counted(job.number_records_processed, 'row')} processed{_failed_rows(job)}"
    what += f".{rows_of_job(job, status.load)}{rows_sentence(status.accounting)}{_new_records(status)}"
    what += retried_sentence(status.retried)
    return f"{what} Error: {quoted(job.error_message, LONGEST_MESSAGE)}" if job.error_message else what


def _new_records(status: JobStatus) -> str:
    """Return a sentence about what an insert or upsert created and updated, after a space; empty for another job."""
    job = status.job
    if job.operation not in CREATING or not job.is_terminal or job.number_records_loaded <= 0:
        return ""
    if status.created is None:
        return " sf__Created of the successful rows tells which records are new."
    if job.operation == "insert":
        return f" New records: {status.created:,}."
    return f" New records: {status.created:,}, updated: {job.number_records_loaded - status.created:,}."


def state_change_summary(job: Job, state: TargetState, *, changed: bool) -> str:
    """Return a sentence about what a close or an abort did.

    Args:
        job: the job as it is now.
        state: the state that it was to get.
        changed: whether the call changed it.
    """
    if state == "Aborted":
        return "Aborted the job." if changed else "The job was already aborted; nothing changed."
    if job.state == "Failed" and not changed:
        return "The job had ended already, so there was nothing to close; nothing changed."
    return "Closed the job." if changed else "The job was already closed; nothing changed."


def _undoable(status: JobStatus) -> str:
    """Return the sentence of a close that says what it undoes, and whether it can be undone, after a space.

    It is empty where that is not told.
    """
    if status.undoable is None or not status.changed:
        return ""
    return f" It {close_in_words(status.undoes, status.undoable)}."


def next_step(status: JobStatus) -> str:
    """Return the advice what to do with a job: an open one by its upload, an ended one by its rows and the parts left."""
    job, accounting, load, retried = status.job, status.accounting, status.load, status.retried
    if job.state == "Open":
        return _next_while_open(job, status.upload)
    if not job.is_terminal:
        return f"{wait_call(job.id)} waits until the job is done."
    part = next_part(job, load)
    then = f" Then {part}" if part else ""
    if retried is not None and retried.are_all:
        return f"{retried_call(retried)}{then}"
    if job.state == "Failed":
        return next_after_failure(job, accounting, retried)
    if job.state == "Aborted":
        return _next_after_abort(job, accounting, retried)
    if job.number_records_failed:
        return f"{result_call('failedResults', job.id)} shows why rows failed.{then}"
    if rows_in_no_result(accounting):
        rest = rows_of(job.id, **not_yet_sent(retried))
        return f"{new_job_call(job, rest)} {loads(job, 'the rows that are in no result')}."
    if job.number_records_processed is None:
        return (
            f"{result_call('successfulResults', job.id)} gives the rows that are in the org, and "
            "get-failed-results-ingest-job those that failed: Salesforce gave no counters."
        )
    if not job.number_records_processed:
        return f"{new_job_call(job, ROWS)} {loads(job, 'rows')}: this job was closed without any."
    ids = f"{result_call('successfulResults', job.id)} gives the ids of the {records(job)}"
    look = look_at_undo(status)
    if not part and look is not None:
        return f"{look} shows what the records hold now beside what they held before, if wanted: nothing is left to do."
    if not part:
        return f"{ids}, if wanted: nothing is left to do."
    # Rows that came as text are those of whoever sent them, and this may be another caller, with others.
    is_for_anybody = load is not None and load.part is not None and bool(load.part.origin.source)
    return part if is_for_anybody else f"{ids}: every row succeeded. Then {part}"


def _next_after_abort(job: Job, accounting: RowAccounting | None, retried: RetriedInJob | None) -> str:
    """Return what to do after an abort: the call that loads the rest, where the rest is known."""
    counts = None if accounting is None else accounting.counts
    if counts is None:
        return f"{result_call('unprocessedrecords', job.id)} gives the rows that were not {loaded(job)}. {stays(job)}"
    left = counts.unprocessed + counts.in_no_result
    if not left:
        return f"{result_call('failedResults' if counts.failed else 'successfulResults', job.id)}: no row was left."
    # Failed rows would fail again: they have causes, and an answer of their own.
    only: Mapping[str, object] = {"which": ["unprocessed", "missing"]} if counts.failed else {}
    rest = new_job_call(job, rows_of(job.id, **only, **not_yet_sent(retried)))
    why = f" {result_call('failedResults', job.id)} shows why {counts.failed:,} failed." if counts.failed else ""
    rows = f"the {counted(left, 'row')} left"
    rows = rows if retried is None else f"those of {rows} that were not sent yet"
    return f"{rest} {loads(job, rows)}, if that is still meant.{why}"


def _next_while_open(job: Job, upload: UploadState) -> str:
    if upload == "taken":
        return f"{close_call(job.id)} {loads(job, 'its rows')}, which it has."
    if upload == "under way":
        return (
            f"{upload_call(job.id)} joins the upload of its rows, which are still on their way, if a tool sent them; then "
            "close the job."
        )
    if upload == "unclear":
        return (
            f"{status_call(job.id)} looks again in some minutes: it may or may not have its rows, whose upload may still be "
            "under way in another server, and an abort would end it there. Only if it stays so, abort this job with "
            f"close-abort-ingest-job (nothing is {loaded(job)} then) and create a new one."
        )
    return f"{upload_call(job.id, ROWS)} gives it its rows, once; then {close_call(job.id)} {loads(job)}."


def _failed_rows(job: Job) -> str:
    if not job.number_records_processed:
        return ""
    if not job.number_records_failed:
        return ", none failed"
    return ", and it failed" if job.number_records_processed == 1 else f", {job.number_records_failed:,} of them failed"
