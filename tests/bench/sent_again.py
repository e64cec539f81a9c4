"""Measure rows that are sent again: what keeping an upload costs, tying a result to it, and making the rows to send."""

import csv
import tempfile
from functools import partial
from pathlib import Path

from salesforce_bulk_ingest.cache.job_files import JobFiles, JobKey
from salesforce_bulk_ingest.cache.upload_archive import RecordedContent
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.loading.mapping import ColumnMapping
from salesforce_bulk_ingest.loading.part_content import PartContent, part_content
from salesforce_bulk_ingest.results.retry_rows import JobResult, RetryRequest, write_retry_file
from salesforce_bulk_ingest.results.source_order import ResultFile, SourceOrder, write_source_order
from salesforce_bulk_ingest.salesforce.models import Job
from salesforce_bulk_ingest.validation.destination import Destination
from tests.bench.results import ERRORS, in_turn, seconds
from tests.bench.rows_in import MB, MIB, memory_rise, write_csv
from tests.loading.making import plan_of, uploading

ROUNDS = 3
FAILED = 10
"""One row in so many."""
MOST_MEMORY_RISE = 48 * MIB

JOB = Job(id="750000000000001AAA", state="JobComplete")
KEY = JobKey.of("acme.my.salesforce.com", JOB)


def write_result(source: Path, result: Path) -> int:
    """The failed rows of a source, in another order; how many they are."""
    with source.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    failed = rows[::FAILED][::-1]
    with result.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow(["sf__Id", "sf__Error", *header])
        writer.writerows(["", ERRORS[number % len(ERRORS)], *row] for number, row in enumerate(failed))
    return len(failed)


def send(content: PartContent) -> None:
    """An upload that nobody keeps, as far as this machine works for it."""
    for _ in content:
        pass


def keep(path: Path, content: PartContent) -> None:
    """The same, kept on the way."""
    recorder = _store(path).recorder(KEY, content)
    assert recorder is not None
    for _ in RecordedContent(content, recorder):
        pass


def tie(path: Path) -> SourceOrder:
    """The result tied to what was sent."""
    store = _store(path)
    kept = store.upload(KEY)
    assert kept is not None
    with store.files.writing("result.source.csv") as draft:
        return write_source_order(_told(path), kept, None, draft)


def again(path: Path, tied: SourceOrder) -> None:
    """All failed rows as they were sent."""
    store = _store(path)
    job = JobResult(JOB.id, _told(path), store.upload(KEY), tied)
    with store.files.writing("again.csv") as draft:
        made = write_retry_file(RetryRequest((JOB.id,), ("failed",)), [job], Destination(), draft)
    assert sum(len(taken.numbers) for taken in made.taken) == len(tied.tied)


def tie_and_send_again(path: Path) -> None:
    """Both, for a look at the memory that they take."""
    again(path, tie(path))


def run(*, quick: bool) -> bool:
    """Run it all; whether the requirement on memory is met."""
    size = 20 if quick else 100
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        path = Path(folder) / "source.csv"
        write_csv(path, size * MB, quoted=False)
        content = _content(path)
        failed = write_result(path, _result(path))
        print(f"Rows again: {size} MB, {content.rows:,} rows, of which {failed:,} failed; one process.\n")
        sent, kept = in_turn(ROUNDS, partial(send, content), partial(keep, path, content))
        size_kept = _store(path).files.find(f"{KEY.folder}/upload.csv.gz")
        assert size_kept is not None
        print(
            f"  an upload read in {sent:.2f} s, and kept in {kept:.2f} s, as {size_kept.path.stat().st_size / MB:.0f} MB"
        )
        tied = tie(path)
        print(
            f"  tied to its rows in {seconds(lambda: tie(path)):.2f} s, made in {seconds(lambda: again(path, tied)):.2f} s"
        )
        rise = memory_rise(path, "tie_and_send_again", "tests.bench.sent_again")
        print(f"  memory rises by {rise / MIB:.1f} MiB", flush=True)
    is_met = rise < MOST_MEMORY_RISE and len(tied.tied) == failed
    print(f"{'pass' if is_met else 'FAIL'}  every row is tied, and memory rises by less than 48 MiB")
    return is_met


def _content(path: Path) -> PartContent:
    return part_content(plan_of(uploading(path), ColumnMapping(), Destination(limit=1_000 * MB)), 1)


def _store(path: Path) -> JobFiles:
    return JobFiles(path.parent / "spool", most_bytes=10_000 * MB, most_seconds=3_600)


def _result(path: Path) -> Path:
    return path.with_name("failed.csv")


def _told(path: Path) -> ResultFile:
    return ResultFile.of(_result(path), Dialect(), "failedResults", "")
