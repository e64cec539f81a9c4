"""The data of the pages about a job and about one of its rows."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from salesforce_emulator.api.endpoint import org_of
from salesforce_emulator.api.job_json import job_body
from salesforce_emulator.errors import not_found
from salesforce_emulator.jobs.files import JobFiles
from salesforce_emulator.jobs.job import Job
from salesforce_emulator.jobs.results import ResultKind, result_of
from salesforce_emulator.jobs.states import UNFINISHED, State
from salesforce_emulator.ui.results import ResultPage, error_groups_of, position_of, rows_of


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a job.

    Attributes:
        job: the job.
        upload_bytes: size of the job's upload in bytes.
    """

    job: Job
    upload_bytes: int

    @property
    def is_working(self) -> bool:
        """Whether the job is being processed, or waits to be."""
        return self.job.state in UNFINISHED

    @property
    def successful(self) -> int:
        """The number of rows that were saved."""
        return self.job.processed - self.job.failed

    @property
    def percent(self) -> int:
        """The percentage of the upload that has been read; 100 only if the job is complete."""
        if self.job.state is State.JOB_COMPLETE:
            return 100
        rows = self.upload_bytes - self.job.header_bytes
        return min(99, 100 * (self.job.read_bytes - self.job.header_bytes) // rows) if rows > 0 else 0

    @property
    def rows(self) -> int | None:
        """The number of rows in the upload: exact for a complete job, else an estimate; None before a row is read."""
        if self.job.state is State.JOB_COMPLETE:
            return self.job.processed
        read = self.job.read_bytes - self.job.header_bytes
        if read <= 0:
            return None
        estimate = self.job.records_read * (self.upload_bytes - self.job.header_bytes) // read
        return max(self.job.processed, round(estimate, 2 - len(str(estimate))))

    @property
    def announcement(self) -> str:
        """The state in words for screen readers; the words change with every ten percent only."""
        share = f", {self.percent // 10 * 10} percent" if self.job.state is State.IN_PROGRESS else ""
        return f"{self.job.operation} of {self.job.object} is {self.job.state}{share}"


def progress_of(job: Job, files: JobFiles) -> Progress:
    """Return the progress of a job; without an upload, its size is 0 bytes."""
    size = 0
    with suppress(FileNotFoundError):
        size = files.upload(job.id).stat().st_size
    return Progress(job, size)


def show_job(request: Request) -> Mapping[str, Any]:
    """Return one job: its progress, the errors of its rows in groups, and a page of its rows."""
    org = org_of(request)
    job = org.jobs.get(request.path_params["job_id"])
    query = request.query_params
    kind = _kind(query["rows"]) if "rows" in query else _default_kind(job)
    start = position_of(query["from"]) if "from" in query else None
    page = rows_of(job, org.jobs.files, kind, start)
    return {
        "job": job,
        "progress": progress_of(job, org.jobs.files),
        "fields": job_body(job),
        "error_groups": error_groups_of(job, org.jobs.files),
        "kind": kind,
        "kinds": list(ResultKind),
        "page": page,
        "from_start": start is None,
        "unprocessed": _unprocessed_count(
            job, org.jobs.files, page if kind is ResultKind.UNPROCESSED and start is None else None
        ),
    }


def _unprocessed_count(job: Job, files: JobFiles, first_page: ResultPage | None) -> int | None:
    """Return the number of unprocessed rows if it is known without reading them all: none, or all are on the first page."""
    if not result_of(job, files, ResultKind.UNPROCESSED).has_rows:
        return 0
    has_all = first_page is not None and first_page.next is None and not first_page.unreadable
    return len(first_page.rows) if first_page is not None and has_all else None


def show_row(request: Request) -> Mapping[str, Any]:
    """Return one row of a job with its whole cells."""
    org = org_of(request)
    job = org.jobs.get(request.path_params["job_id"])
    kind = _kind(request.path_params["kind"])
    page = rows_of(job, org.jobs.files, kind, position_of(request.path_params["position"]), 1)
    if not page.rows:
        raise not_found()
    return {"job": job, "kind": kind, "columns": page.columns, "row": page.rows[0], "next": page.next}


def _kind(text: str) -> ResultKind:
    try:
        return ResultKind(text)
    except ValueError:
        raise not_found() from None


def _default_kind(job: Job) -> ResultKind:
    if job.failed:
        return ResultKind.FAILED
    return ResultKind.SUCCESSFUL if job.processed else ResultKind.UNPROCESSED
