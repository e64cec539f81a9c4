"""What pages show of jobs."""

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
from salesforce_emulator.ui.results import ResultPage, causes_of, place_of, rows_of


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is.

    Attributes:
        job: the job.
        upload_bytes: how much data it has.
    """

    job: Job
    upload_bytes: int

    @property
    def working(self) -> bool:
        """Whether rows are being processed, or soon will be."""
        return self.job.state in UNFINISHED

    @property
    def successful(self) -> int:
        """Rows that were saved."""
        return self.job.processed - self.job.failed

    @property
    def percent(self) -> int:
        """How much of the data has been read; 100 only for a job that is complete."""
        if self.job.state is State.JOB_COMPLETE:
            return 100
        rows = self.upload_bytes - self.job.header_bytes
        return min(99, 100 * (self.job.read_bytes - self.job.header_bytes) // rows) if rows > 0 else 0

    @property
    def rows(self) -> int | None:
        """How many rows there are: counted when all were processed, else estimated to two digits from those read."""
        if self.job.state is State.JOB_COMPLETE:
            return self.job.processed
        read = self.job.read_bytes - self.job.header_bytes
        if read <= 0:
            return None
        estimate = self.job.records_read * (self.upload_bytes - self.job.header_bytes) // read
        return max(self.job.processed, round(estimate, 2 - len(str(estimate))))

    @property
    def news(self) -> str:
        """The state in words that change rarely enough to be read out."""
        share = f", {self.percent // 10 * 10} percent" if self.job.state is State.IN_PROGRESS else ""
        return f"{self.job.operation} of {self.job.object} is {self.job.state}{share}"


def progress_of(job: Job, files: JobFiles) -> Progress:
    """How far the job is, by what its upload holds."""
    size = 0
    with suppress(FileNotFoundError):
        size = files.upload(job.id).stat().st_size
    return Progress(job, size)


def show_job(request: Request) -> Mapping[str, Any]:
    """One job: how it stands, why rows failed, and a page of its rows."""
    org = org_of(request)
    job = org.jobs.get(request.path_params["job_id"])
    query = request.query_params
    kind = _kind(query["rows"]) if "rows" in query else _most_telling(job)
    place = place_of(query["from"]) if "from" in query else None
    page = rows_of(job, org.jobs.files, kind, place)
    return {
        "job": job,
        "progress": progress_of(job, org.jobs.files),
        "fields": job_body(job),
        "causes": causes_of(job, org.jobs.files),
        "kind": kind,
        "kinds": list(ResultKind),
        "page": page,
        "from_start": place is None,
        "unprocessed": _unprocessed(
            job, org.jobs.files, page if kind is ResultKind.UNPROCESSED and place is None else None
        ),
    }


def _unprocessed(job: Job, files: JobFiles, first_page: ResultPage | None) -> int | None:
    """How many rows were not reached, where nobody has to read them to know: none, or all on the first page of them."""
    if not result_of(job, files, ResultKind.UNPROCESSED).has_rows:
        return 0
    whole = first_page is not None and first_page.next is None and not first_page.unreadable
    return len(first_page.rows) if first_page is not None and whole else None


def show_row(request: Request) -> Mapping[str, Any]:
    """One row of a job with its whole cells."""
    org = org_of(request)
    job = org.jobs.get(request.path_params["job_id"])
    kind = _kind(request.path_params["kind"])
    page = rows_of(job, org.jobs.files, kind, place_of(request.path_params["place"]), 1)
    if not page.rows:
        raise not_found()
    return {"job": job, "kind": kind, "columns": page.columns, "row": page.rows[0], "next": page.next}


def _kind(text: str) -> ResultKind:
    try:
        return ResultKind(text)
    except ValueError:
        raise not_found() from None


def _most_telling(job: Job) -> ResultKind:
    if job.failed:
        return ResultKind.FAILED
    return ResultKind.SUCCESSFUL if job.processed else ResultKind.UNPROCESSED
