"""Measure retried rows: archiving an upload, putting a result in source order, and writing the rows to retry."""

import tempfile
from functools import partial
from pathlib import Path

from salesforce_bulk_ingest.loading.parts import PartContent
from salesforce_bulk_ingest.results.retry_request import RetryRequest
from salesforce_bulk_ingest.results.retry_writer import JobResult, write_retry_file
from salesforce_bulk_ingest.results.source_order import SourceOrderedResult
from salesforce_bulk_ingest.validation.destination import Destination
from tests.bench.matched import (
    JOB,
    archive,
    archived_upload,
    files_beside,
    put_in_source_order,
    result_of,
    upload_content,
    write_failed_rows,
)
from tests.bench.rows_in import MB, MIB, memory_rise, write_csv
from tests.bench.turns import Rounds

ROUNDS = 3
MOST_MEMORY_RISE = 48 * MIB


def send(content: PartContent) -> None:
    """Read an upload as sending reads it, without archiving it."""
    for _ in content:
        pass


def retry(path: Path, source_order: SourceOrderedResult) -> None:
    """Write all failed rows as they were uploaded."""
    job = JobResult(JOB.id, result_of(path), archived_upload(path), source_order)
    with files_beside(path).files.new_file("again.csv") as file:
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
        content = upload_content(path)
        failed = write_failed_rows(path)
        print(f"Rows again: {size} MB, {content.rows:,} rows, of which {failed:,} failed; CPU time of one process.\n")
        reading = Rounds.of(ROUNDS, {"read": partial(send, content), "kept": partial(archive, path, content)})
        print(
            f"  an upload read in {reading.seconds('read'):.2f} s, and kept in {reading.seconds('kept'):.2f} s, "
            f"as {archived_upload(path).path.stat().st_size / MB:.0f} MB"
        )
        source_order = put_in_source_order(path)
        order, again = partial(put_in_source_order, path), partial(retry, path, source_order)
        making = Rounds.of(ROUNDS, {"matched": order, "made": again})
        print(f"  matched with its rows in {making.seconds('matched'):.2f} s, made in {making.seconds('made'):.2f} s")
        rise = memory_rise(path, "put_in_source_order_and_retry", "tests.bench.retries")
        print(f"  memory rises by {rise / MIB:.1f} MiB", flush=True)
    is_met = rise < MOST_MEMORY_RISE and len(source_order.matched) == failed
    print(f"{'pass' if is_met else 'FAIL'}  every row is matched, and memory rises by less than 48 MiB")
    return is_met
