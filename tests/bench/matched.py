"""An archived upload and the failed rows of its job, whose rows are matched: what two parts of the measurements have in common."""

import csv
from pathlib import Path

from salesforce_bulk_ingest.cache.job_files import JobFiles, JobKey
from salesforce_bulk_ingest.cache.upload_archive import ArchivedUpload
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.loading.mapping import ColumnMapping
from salesforce_bulk_ingest.loading.parts import PartContent
from salesforce_bulk_ingest.results.result_file import ResultFile
from salesforce_bulk_ingest.results.source_order import SourceOrderedResult, write_source_order
from salesforce_bulk_ingest.salesforce.models import Job
from salesforce_bulk_ingest.validation.destination import Destination
from tests.bench.rows_in import MB
from tests.loading.making import plan_of, uploading

FAILED = 10
"""The distance between two failed rows: every tenth row has failed."""

ERRORS = (
    "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --",
    "UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record:--",
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST:bad value for restricted picklist field: Oil:Industry --",
)

JOB = Job(id="750000000000001AAA", state="JobComplete")
KEY = JobKey.of("acme.my.salesforce.com", JOB)


def write_failed_rows(source: Path) -> int:
    """Write the result with the failed rows of a source, in another order; return their number."""
    with source.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    failed = rows[::FAILED][::-1]
    with _result(source).open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow(["sf__Id", "sf__Error", *header])
        writer.writerows(["", ERRORS[number % len(ERRORS)], *row] for number, row in enumerate(failed))
    return len(failed)


def upload_content(source: Path) -> PartContent:
    """Return what is uploaded of a source."""
    return plan_of(uploading(source), ColumnMapping(), Destination(limit=1_000 * MB)).content_of(1)


def archive(source: Path, content: PartContent) -> None:
    """Read an upload as sending reads it, and archive it."""
    for _ in files_beside(source).archived(KEY, content):
        pass


def put_in_source_order(source: Path) -> SourceOrderedResult:
    """Match the rows of the result with those of the upload, and write them in source order."""
    with files_beside(source).files.new_file("result.source.csv") as file:
        return write_source_order(result_of(source), archived_upload(source), None, file)


def result_of(source: Path) -> ResultFile:
    return ResultFile.open(_result(source), Dialect(), "failedResults", "")


def archived_upload(source: Path) -> ArchivedUpload:
    upload = files_beside(source).find_upload(KEY)
    assert upload is not None
    return upload


def files_beside(source: Path) -> JobFiles:
    return JobFiles(source.with_suffix(".spool"), most_bytes=10_000 * MB, most_seconds=3_600)


def _result(source: Path) -> Path:
    return source.with_name("failed.csv")
