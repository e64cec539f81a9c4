"""Measure downloaded results: caching one, any page of it, and all pages beside a bare CSV reader."""

import csv
import json
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median

from salesforce_bulk_ingest.cache.job_files import JobFiles, ResultKey
from salesforce_bulk_ingest.results.downloads import DownloadedResult, find_download, new_download
from salesforce_bulk_ingest.results.page_size import default_page_size, requested_page_size
from salesforce_bulk_ingest.results.pages import Page, PageRequest, page_of
from salesforce_bulk_ingest.salesforce.models import Job, ResultKind
from tests.bench.rows_in import MB, MIB, memory_rise

ROUNDS_OF_PAGES, ROUNDS_OF_ALL = 500, 3
ROWS = 1_000
"""The number of rows of a page, for the measurement of all pages."""
CHUNK_BYTES = 1 << 16
MOST_MEMORY_RISE = 48 * MIB
MOST_BETWEEN_PAGES = 1.2
MOST_OVER_BARE = 1.5

HEADER = ("sf__Id", "sf__Error", "Name", "BillingCity", "BillingStreet", "Phone", "Industry", "AccountNumber")
ERRORS = (
    "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --",
    "UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record:--",
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST:bad value for restricted picklist field: Oil:Industry --",
)


def write_result(path: Path, size: int) -> int:
    """Write failed rows of just under `size` bytes, quoted as Salesforce quotes them; return their number."""
    row = 0
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow(HEADER)
        while out.tell() < size - MB // 5:
            writer.writerows(_failed(number) for number in range(row, row + 1_000))
            row += 1_000
    return row


def _failed(number: int) -> tuple[str, ...]:
    error = ERRORS[number % len(ERRORS)]
    return (
        "",
        error,
        f"Account {number:08}",
        "Springfield",
        f"{number % 999} Main Street",
        "+1 555",
        "Oil",
        f"{number}",
    )


def keep(path: Path, kind: ResultKind = "failedResults") -> DownloadedResult:
    """Write the result into the cache as a download does."""
    files = _files(path)
    with new_download(files, _key(kind), ",") as writer, path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            writer.add(chunk)
        return writer.finish(None)


def page_through(path: Path) -> None:
    """Read all pages of the cached result, and write each as JSON like an answer."""
    offset: int | None = 0
    while offset is not None:
        page = _page(path, PageRequest(offset), limit=ROWS)
        json.dumps(page.rows)
        offset = page.next_offset


def keep_and_page_through(path: Path) -> None:
    """Cache the result and read all its pages, to measure the memory."""
    keep(path)
    page_through(path)


def page_bare(path: Path) -> None:
    """Read the file once with the csv module and write the same pages as JSON, to compare with."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        next(rows)
        while page := list(islice(rows, ROWS)):
            json.dumps(page)


def run(*, quick: bool) -> bool:
    """Run all measurements; return whether the requirements on time and memory are met."""
    size = 20 if quick else 100
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        path = Path(folder) / "result.csv"
        rows = write_result(path, size * MB)
        print(f"Results out: {size} MB, {rows:,} rows, each once in a store and then in pages; one process.\n")
        print(f"  kept in {seconds(lambda: keep(path)):.2f} s with causes, ", end="")
        print(f"{seconds(lambda: keep(path, 'successfulResults')):.2f} s without")
        pages = in_turn(ROUNDS_OF_PAGES, *[partial(_page, path, PageRequest(at)) for at in (0, rows // 2, rows - 50)])
        print(f"  a page of 50 rows in {', '.join(f'{page * 1000:.2f}' for page in pages)} ms: first, middle, last")
        bare, through = in_turn(ROUNDS_OF_ALL, partial(page_bare, path), partial(page_through, path))
        print(f"  all pages of {ROWS:,} rows in {through:.2f} s, a bare reader {bare:.2f} s, {through / bare:.1f} x")
        rise = memory_rise(path, "keep_and_page_through", "tests.bench.results")
        print(f"  memory rises by {rise / MIB:.1f} MiB", flush=True)
    met = {
        f"pages within {MOST_BETWEEN_PAGES} times of each other": max(pages) <= MOST_BETWEEN_PAGES * min(pages),
        f"all pages within {MOST_OVER_BARE} times of a bare reader": through <= MOST_OVER_BARE * bare,
        "memory rises by less than 48 MiB": rise < MOST_MEMORY_RISE,
    }
    for what, holds in met.items():
        print(f"{'pass' if holds else 'FAIL'}  {what}")
    return all(met.values())


def _files(path: Path) -> JobFiles:
    return JobFiles(path.with_suffix(".spool"), most_bytes=10_000 * MB, most_seconds=3_600)


def _key(kind: ResultKind) -> ResultKey:
    return ResultKey.of("acme.my.salesforce.com", Job(id="750000000000001AAA", state="JobComplete"), kind)


def _page(path: Path, request: PageRequest, limit: int | None = None) -> Page:
    result = find_download(_files(path), _key("failedResults"))
    assert result is not None
    page_size = default_page_size() if limit is None else requested_page_size(limit)
    return page_of(result, ",", request, page_size, lambda: True)


def in_turn(rounds: int, *actions: Callable[[], object]) -> list[float]:
    """Return the median seconds of each action. The actions take turns, so that other load on the machine slows all of them."""
    times = [[seconds(action) for action in actions] for _ in range(rounds)]
    return [median(of_action) for of_action in zip(*times, strict=True)]


def seconds(action: Callable[[], object]) -> float:
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin
