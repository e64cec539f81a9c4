"""Caches, clocks and archived uploads for tests."""

from pathlib import Path

from salesforce_bulk_ingest.cache.job_files import JobFiles, JobKey, ResultKey
from salesforce_bulk_ingest.cache.upload_archive import ArchivedUpload
from salesforce_bulk_ingest.loading.mapping import ColumnMapping
from salesforce_bulk_ingest.loading.parts import PartContent
from salesforce_bulk_ingest.salesforce.models import Job
from salesforce_bulk_ingest.validation.destination import Destination
from tests.loading.making import Bytes, plan_of

ORG = "acme.my.salesforce.com"
JOB = Job(id="750000000000001AAA", state="JobComplete", system_modstamp="2026-01-01T00:00:00.000+0000")
JOB_KEY = JobKey.of(ORG, JOB)
FAILED = ResultKey.of(ORG, JOB, "failedResults")


class Clock:
    """A clock that the test moves forward."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def job_files(folder: Path, *, keeps_uploads: bool = True, most_bytes: int = 1_000_000) -> JobFiles:
    return JobFiles(folder / "spool", most_bytes=most_bytes, most_seconds=100, keeps_uploads=keeps_uploads)


def content_of(
    source: bytes, mapping: ColumnMapping | None = None, *, limit: int = 1_000_000, part: int = 1
) -> PartContent:
    """The content of an upload of a source, or of a part of it."""
    plan = plan_of(Bytes(source), mapping or ColumnMapping(), Destination(limit=limit), preflight=False)
    return plan.content_of(part)


def archived(folder: Path, content: PartContent) -> ArchivedUpload:
    """The archived copy of an upload that has been sent."""
    files = job_files(folder)
    for _ in files.archived(JOB_KEY, content):
        pass
    upload = files.find_upload(JOB_KEY)
    assert upload is not None
    return upload


def files_in(folder: Path) -> list[str]:
    """The names of all files below a folder."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file())
