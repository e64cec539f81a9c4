"""The sentences of the answers: what happened, and the call to make next."""

import json

from salesforce_bulk_ingest.base.text import cut
from salesforce_bulk_ingest.mcp_server.answers.errors import after_failure, has_rows_in_no_result
from salesforce_bulk_ingest.operations.limits import CALL_SECONDS
from salesforce_bulk_ingest.operations.upload_once import UploadState
from salesforce_bulk_ingest.results.pages import Page
from salesforce_bulk_ingest.salesforce.models import Job, ResultKind
from salesforce_bulk_ingest.salesforce.org import Org

RESULT_NAMES: dict[ResultKind, str] = {
    "failedResults": "failed-results",
    "successfulResults": "successful-results",
    "unprocessedrecords": "unprocessed-records",
}


def job_uri(job_id: str) -> str:
    """Address of a job as a resource."""
    return f"salesforce-bulk://jobs/{job_id}"


def result_uri(job_id: str, kind: ResultKind) -> str:
    """Address of a result as a resource."""
    return f"{job_uri(job_id)}/{RESULT_NAMES[kind]}"


def state_change_summary(state: str, *, changed: bool) -> str:
    """What a close or an abort did."""
    if state == "Aborted":
        return "Aborted the job." if changed else "The job was already aborted; nothing changed."
    return "Closed the job for processing." if changed else "The job was already closed; nothing changed."


def rows(count: int) -> str:
    """A number of rows."""
    return "1 row" if count == 1 else f"{count:,} rows"


def describe(job: Job, org: Org) -> str:
    """The job in a sentence."""
    what = f"Job {job.id} ({job.operation or '?'} {job.object or '?'}) in {org} is {job.state}"
    if job.number_records_processed is not None:
        what += f": {rows(job.number_records_processed)} processed{_failed(job)}"
    return f"{what}. Error: {job.error_message}" if job.error_message else f"{what}."


def _failed(job: Job) -> str:
    if not job.number_records_processed:
        return ""
    if not job.number_records_failed:
        return ", none failed"
    return ", and it failed" if job.number_records_processed == 1 else f", {job.number_records_failed:,} of them failed"


_CLOSE = "close-abort-ingest-job with state UploadComplete"

_OPEN: dict[UploadState, str] = {
    "unknown": f"Call upload-data-ingest-job with jobId {{id}}, once; then {_CLOSE}.",
    "taken": f"It has its rows: call {_CLOSE} and jobId {{id}} to load them.",
    "under way": "Its rows are still on their way: upload-data-ingest-job with jobId {id} and the same data joins an upload "
    f"of a tool; then {_CLOSE}.",
    "unclear": "It may or may not have its rows: abort it with close-abort-ingest-job (nothing is loaded then), and create "
    "a new job.",
}


def next_step(job: Job, upload: UploadState = "unknown") -> str:
    """What to do with a job in this state, as far as its upload is known."""
    if job.state == "Open":
        return _OPEN[upload].format(id=job.id)
    if not job.is_terminal:
        return f"{_waiting(job)} until the job is done."
    if job.state == "Failed":
        advice = after_failure(job)
        if job.number_records_processed and not has_rows_in_no_result(job):
            advice += " Rows already processed stay; get-unprocessed-records-ingest-job gives the rest."
        return advice
    if job.state == "Aborted":
        return "Rows saved before the abort stay; get-unprocessed-records-ingest-job gives the rest."
    if job.number_records_failed:
        return f"Call get-failed-results-ingest-job with jobId {job.id} to see why rows failed."
    if not job.number_records_processed:
        return "No row was loaded: the job was closed without data. Create a new job, upload, then close it."
    return f"Every row succeeded; get-successful-results-ingest-job with jobId {job.id} gives the record ids."


def total_rows(job: Job, kind: ResultKind, page: Page) -> int | None:
    """Rows in the whole result: as counted, else from the counters where they mean that."""
    counted = _counted(job).get(kind)
    if _lacks_rows(job, kind, page):
        return None
    if page.total is not None or job.state != "JobComplete":
        return page.total
    # Counters can leave rows out (seen where a whole batch failed): then the total is not known.
    return counted if counted is not None and counted >= page.offset + len(page.rows) else None


def _lacks_rows(job: Job, kind: ResultKind, page: Page) -> bool:
    """Whether there are no rows where some have to be, or nothing at all where there is a header at least."""
    if page.rows or page.next_offset is not None:
        return False
    if not page.columns and kind == "unprocessedrecords" and job.state in ("Failed", "Aborted"):
        return True
    return page.request.errors.is_empty and _counted(job).get(kind, 0) > page.offset and not page.total


def _counted(job: Job) -> dict[ResultKind, int]:
    """Rows in a result, as the job counts them."""
    if job.number_records_processed is None:
        return {}
    failed = job.number_records_failed or 0
    return {"failedResults": failed, "successfulResults": job.number_records_processed - failed}


def page_summary(job: Job, kind: ResultKind, page: Page, total: int | None) -> str:
    """Which rows these are, or why there are none."""
    name = RESULT_NAMES[kind].replace("-", " ")
    if page.fetched_bytes is not None:
        return (
            f"The {name} of job {job.id}, which is {job.state}, are still on their way here, {page.fetched_bytes:,} bytes "
            "so far; that goes on by itself."
        )
    if page.is_cut_off:
        return (
            f"Time ran out before the row at offset {page.offset} of the {name} of job {job.id}, which is {job.state}, "
            "came in."
        )
    if _lacks_rows(job, kind, page):
        counted = _counted(job).get(kind)
        gave = f"no rows for the {name} of job {job.id}, which is {job.state}, although it counts {counted} of them"
        if counted is None:
            gave = f"nothing for the {name} of job {job.id}, which is {job.state}, not even a header"
        return f"Salesforce gave {gave}. Call again later; this is no sign that there are none."
    if not page.rows:
        past_end = f" from offset {page.offset} on" if page.offset else ""
        such = "" if page.request.errors.is_empty else "such "
        return f"No {such}rows{past_end} in the {name} of job {job.id}, which is {job.state}."
    # A count, and the argument to pass: a row's number could begin at 0 or at 1.
    of = f" of {total:,}" if total is not None else ""
    such = "" if page.request.errors.is_empty else " that were asked for"
    shown = f"{rows(len(page.rows))}{of}{such}, from offset {page.offset} on,"
    summary = f"{shown} in the {name} of job {job.id}, which is {job.state}."
    if kind == "failedResults" and page.total is None:
        summary += f" Time ran out: the causes stand for the first {rows(page.rows_read)}."
    return summary


def page_next(job: Job, kind: ResultKind, page: Page) -> str:
    """What to do after this page."""
    if page.is_cut_off:
        return "Call again with the same arguments."
    if _lacks_rows(job, kind, page):
        return "Call again later with the same arguments."
    if kind == "failedResults" and page.error_groups and page.total is not None and job.is_terminal:
        more = f" More rows, if they are needed: offset {page.next_offset}." if page.next_offset is not None else ""
        return f"{_again(job, page)}{more}"
    if page.next_offset is not None:
        return f"Call again with offset {page.next_offset} for more rows."
    if not job.is_terminal:
        return f"The job is not done. {_waiting(job)}."
    if job.state == "Failed" and kind == "failedResults":
        return f"{after_failure(job)} get-unprocessed-records-ingest-job gives the rows that were never tried."
    if kind == "unprocessedrecords" and page.rows:
        rows_of = f"create-ingest-job with data {_rows_of(job, which='unprocessed')}" if page.path else "in a new job"
        return f"Load these rows, once what stopped this job is out of the way: {rows_of}."
    return f"That is all. get-ingest-job-status with jobId {job.id} has the counters."


def _again(job: Job, page: Page) -> str:
    """How failed rows get in after all."""
    are_retryable = all(cause.is_retryable for cause in page.error_groups)
    if page.path is None:  # nothing is kept here that could be sent again
        do = "Load these rows again, unchanged," if are_retryable else "Correct the rows by their causes and load them"
        return f"{do} in a new job; never load the whole file again."
    if are_retryable:
        return (
            f"Send these rows again, as they were sent: create-ingest-job with data {_rows_of(job, which='failed')}. Never "
            "load the whole file again."
        )
    code = cut(page.error_groups[0].code, 100)
    return (
        f"Send them again by cause, as they were sent or corrected with values or set: create-ingest-job with data "
        f"{_rows_of(job, code=code)}. Never load the whole file again."
    )


def _rows_of(job: Job, *, which: str | None = None, code: str | None = None) -> str:
    chosen: dict[str, object] = {"jobs": [job.id]}
    if which is not None:
        chosen["which"] = [which]
    if code is not None:
        chosen["where"] = {"statusCode": code}
    return json.dumps({"rowsOf": chosen}, ensure_ascii=True)


def _waiting(job: Job) -> str:
    return f"Call get-ingest-job-status with jobId {job.id} and waitSeconds {CALL_SECONDS}"
