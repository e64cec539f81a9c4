"""Measure results on their way out: kept once, then any page of them, and all pages beside a bare reader."""

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
from salesforce_bulk_ingest.results.downloads import DownloadedResult, find_download, writing_download
from salesforce_bulk_ingest.results.page_size import default_page_size, requested_page_size
from salesforce_bulk_ingest.results.pages import Page, PageRequest, page_of
from salesforce_bulk_ingest.salesforce.models import Job, ResultKind
from tests.bench.rows_in import MB, MIB, memory_rise

ROUNDS_OF_PAGES, ROUNDS_OF_ALL = 500, 3
ROWS = 1_000
"""Of a page, where all are read."""
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
    """Failed rows of just under so many bytes, quoted as Salesforce quotes them; how many they are."""
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
    """The result as a download brings it into a store."""
    store = _store(path)
    with writing_download(store, _key(kind), ",") as writing, path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            writing.add(chunk)
        return writing.finish()


def page_through(path: Path) -> None:
    """All pages of the result that is kept, each written as an answer is."""
    offset: int | None = 0
    while offset is not None:
        page = _page(path, PageRequest(offset), limit=ROWS)
        json.dumps(page.rows)
        offset = page.next_offset


def keep_and_page_through(path: Path) -> None:
    """Both, for a look at the memory that they take."""
    keep(path)
    page_through(path)


def page_bare(path: Path) -> None:
    """What there is to compare with: one pass over the file, its rows in the same pages, each written, and no more."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        next(rows)
        while page := list(islice(rows, ROWS)):
            json.dumps(page)


def run(*, quick: bool) -> bool:
    """Run it all; whether the requirements on time and memory are met."""
    size = 20 if quick else 100
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        path = Path(folder) / "result.csv"
        rows = write_result(path, size * MB)
        print(f"Results out: {size} MB, {rows:,} rows, each once in a store and then in pages; one process.\n")
        print(f"  kept in {seconds(lambda: keep(path)):.2f} s with causes, ", end="")
        print(f"{seconds(lambda: keep(path, 'successfulResults')):.2f} s without")
        pages = in_turn(ROUNDS_OF_PAGES, *[partial(_page, path, PageRequest(at)) for at in (0, rows // 2, rows - 50)])
        print(f"  a page of 50 rows in {', '.join(f'{taken * 1000:.2f}' for taken in pages)} ms: first, middle, last")
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


def _store(path: Path) -> JobFiles:
    return JobFiles(path.with_suffix(".spool"), most_bytes=10_000 * MB, most_seconds=3_600)


def _key(kind: ResultKind) -> ResultKey:
    return ResultKey.of("acme.my.salesforce.com", Job(id="750000000000001AAA", state="JobComplete"), kind)


def _page(path: Path, wanted: PageRequest, limit: int | None = None) -> Page:
    result = find_download(_store(path), _key("failedResults"))
    assert result is not None
    budget = default_page_size() if limit is None else requested_page_size(limit)
    return page_of(result, ",", wanted, budget, lambda: True)


def in_turn(rounds: int, *actions: Callable[[], object]) -> list[float]:
    """The median seconds of each; they take turns, so that whatever else the machine does is in the way of all."""
    taken = [[seconds(action) for action in actions] for _ in range(rounds)]
    return [median(of_one) for of_one in zip(*taken, strict=True)]


def seconds(action: Callable[[], object]) -> float:
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin
