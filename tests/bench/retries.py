"""Measure retried rows: archiving an upload, putting a result in source order, and writing the rows to retry."""

import csv
import tempfile
from functools import partial
from pathlib import Path

from salesforce_bulk_ingest.cache.job_files import JobFiles, JobKey
from salesforce_bulk_ingest.cache.upload_archive import ArchivedUpload
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.loading.mapping import ColumnMapping
from salesforce_bulk_ingest.loading.parts import PartContent
from salesforce_bulk_ingest.results.result_file import ResultFile
from salesforce_bulk_ingest.results.retry_request import RetryRequest
from salesforce_bulk_ingest.results.retry_writer import JobResult, write_retry_file
from salesforce_bulk_ingest.results.source_order import SourceOrderedResult, write_source_order
from salesforce_bulk_ingest.salesforce.models import Job
from salesforce_bulk_ingest.validation.destination import Destination
from tests.bench.results import ERRORS, in_turn, seconds
from tests.bench.rows_in import MB, MIB, memory_rise, write_csv
from tests.loading.making import plan_of, uploading

ROUNDS = 3
FAILED = 10
"""The distance between two failed rows: every tenth row has failed."""
MOST_MEMORY_RISE = 48 * MIB

JOB = Job(id="750000000000001AAA", state="JobComplete")
KEY = JobKey.of("acme.my.salesforce.com", JOB)


def write_result(source: Path, result: Path) -> int:
    """Write the failed rows of a source, in another order; return their number."""
    with source.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    failed = rows[::FAILED][::-1]
    with result.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow(["sf__Id", "sf__Error", *header])
        writer.writerows(["", ERRORS[number % len(ERRORS)], *row] for number, row in enumerate(failed))
    return len(failed)


def send(content: PartContent) -> None:
    """Read an upload as sending reads it, without archiving it."""
    for _ in content:
        pass


def archive(path: Path, content: PartContent) -> None:
    """Read an upload as sending reads it, and archive it."""
    for _ in _files(path).archived(KEY, content):
        pass


def put_in_source_order(path: Path) -> SourceOrderedResult:
    """Put the result in source order."""
    with _files(path).files.new_file("result.source.csv") as file:
        return write_source_order(_result_file(path), _upload(path), None, file)


def retry(path: Path, source_order: SourceOrderedResult) -> None:
    """Write all failed rows as they were uploaded."""
    job = JobResult(JOB.id, _result_file(path), _upload(path), source_order)
    with _files(path).files.new_file("again.csv") as file:
        made = write_retry_file(RetryRequest((JOB.id,), ("failed",)), [job], Destination(), file)
    assert sum(len(origin.row_numbers) for origin in made.origins) == len(source_order.matched)


def put_in_source_order_and_retry(path: Path) -> None:
    """Put the result in source order and write the rows to retry, to measure the memory."""
    retry(path, put_in_source_order(path))


def run(*, quick: bool) -> bool:
    """Run all measurements; return whether the requirement on memory is met."""
    size = 20 if quick else 100
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        path = Path(folder) / "source.csv"
        write_csv(path, size * MB, quoted=False)
        content = _content(path)
        failed = write_result(path, _result(path))
        print(f"Rows again: {size} MB, {content.rows:,} rows, of which {failed:,} failed; one process.\n")
        sent, archived = in_turn(ROUNDS, partial(send, content), partial(archive, path, content))
        print(
            f"  an upload read in {sent:.2f} s, and kept in {archived:.2f} s, "
            f"as {_upload(path).path.stat().st_size / MB:.0f} MB"
        )
        source_order = put_in_source_order(path)
        ordering, retrying = seconds(lambda: put_in_source_order(path)), seconds(lambda: retry(path, source_order))
        print(f"  matched with its rows in {ordering:.2f} s, made in {retrying:.2f} s")
        rise = memory_rise(path, "put_in_source_order_and_retry", "tests.bench.retries")
        print(f"  memory rises by {rise / MIB:.1f} MiB", flush=True)
    is_met = rise < MOST_MEMORY_RISE and len(source_order.matched) == failed
    print(f"{'pass' if is_met else 'FAIL'}  every row is matched, and memory rises by less than 48 MiB")
    return is_met


def _content(path: Path) -> PartContent:
    return plan_of(uploading(path), ColumnMapping(), Destination(limit=1_000 * MB)).content_of(1)


def _files(path: Path) -> JobFiles:
    return JobFiles(path.parent / "spool", most_bytes=10_000 * MB, most_seconds=3_600)


def _upload(path: Path) -> ArchivedUpload:
    upload = _files(path).find_upload(KEY)
    assert upload is not None
    return upload


def _result(path: Path) -> Path:
    return path.with_name("failed.csv")


def _result_file(path: Path) -> ResultFile:
    return ResultFile.open(_result(path), Dialect(), "failedResults", "")
