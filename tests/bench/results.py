"""Measure downloaded results beside the csv module: keeping one, matching its rows, and reading its pages."""

import csv
import json
import tempfile
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path

from salesforce_bulk_ingest.cache.job_files import JobFiles, ResultKey
from salesforce_bulk_ingest.results.downloads import DownloadedResult, find_download, new_download
from salesforce_bulk_ingest.results.page_size import default_page_size, requested_page_size
from salesforce_bulk_ingest.results.pages import Page, PageRequest, page_of
from salesforce_bulk_ingest.salesforce.models import ResultKind
from tests.bench.matched import (
    ERRORS,
    JOB,
    archive,
    files_beside,
    put_in_source_order,
    upload_content,
    write_failed_rows,
)
from tests.bench.rows_in import MB, MIB, memory_rise, read_bare, write_csv
from tests.bench.turns import Rounds

ROUNDS_OF_PAGES, ROUNDS_OF_ALL = 500, 7
ROWS = 1_000
"""The number of rows of a page, for the measurement of all pages."""
BARE = "bare reader"
CHUNK_BYTES = 1 << 16
MOST_MEMORY_RISE = 48 * MIB
MOST_BETWEEN_PAGES = 1.2
MOST_OVER_BARE = 1.5
MOST_KEPT = 4.0
MOST_MATCHED = 5.0
"""The most CPU time in times of what `csv.reader` takes for the result that is kept, or for the source of the matched rows."""

HEADER = ("sf__Id", "sf__Error", "Name", "BillingCity", "BillingStreet", "Phone", "Industry", "AccountNumber")

Failed = Callable[[int], tuple[str, ...]]
"""A function from the number of a failed row to its cells."""


def failed(number: int) -> tuple[str, ...]:
    """A row with one of a few errors."""
    error = ERRORS[number % len(ERRORS)]
    street = f"{number % 999} Main Street"
    return ("", error, f"Account {number:08}", "Springfield", street, "+1 555", "Oil", f"{number}")


def failed_by_its_cells(number: int) -> tuple[str, ...]:
    """A row with an error that quotes a cell, or a record, and so is like none before."""
    errors = (
        f"STRING_TOO_LONG:Account Name: data value too large: Account {number:08} (max length=10):Name --",
        f"DUPLICATE_VALUE:duplicate value found: AccountNumber duplicates value on record with id: 0015g{number:010}:--",
        f"FIELD_CUSTOM_VALIDATION_EXCEPTION:Account {number:08} needs a longer phone number:Phone --",
    )
    return ("", errors[number % len(errors)], *failed(number)[2:])


def failed_with_lines(number: int) -> tuple[str, ...]:
    """A row with several lines in a cell."""
    cells = failed(number)
    return (*cells[:4], f"{cells[4]}\nSecond floor\nRoom 9", *cells[5:])


def write_result(path: Path, size: int, row_of: Failed = failed) -> int:
    """Write failed rows of just under `size` bytes, quoted as Salesforce quotes them; return their number."""
    row = 0
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow(HEADER)
        while out.tell() < size - MB // 5:
            writer.writerows(map(row_of, range(row, row + 1_000)))
            row += 1_000
    return row


def keep(path: Path, kind: ResultKind = "failedResults") -> DownloadedResult:
    """Write the result into the cache as a download does."""
    with new_download(files_beside(path), _key(kind), ",") as writer, path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            writer.add(chunk)
        return writer.finish(None)


def page_through(path: Path) -> None:
    """Read all pages of the cached result, and write each as JSON like an answer."""
    files = files_beside(path)
    offset: int | None = 0
    while offset is not None:
        page = _page(files, PageRequest(offset), limit=ROWS)
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
        print(f"Results out: {size} MB each; CPU time in one process, medians of rounds in turn and of their ratios;")
        print("memory of another.\n")
        met = {
            **_kept(Path(folder) / "failed.csv", size * MB, "with causes", failed),
            **_paged(Path(folder) / "failed.csv", "all pages"),
            **_kept(Path(folder) / "quoting.csv", size * MB, "with causes that each quote a cell or an id", failed_by_its_cells),
            **_kept(Path(folder) / "lines.csv", size * MB, "with causes and several lines in a cell", failed_with_lines),
            **_paged(Path(folder) / "lines.csv", "all pages of rows with several lines in a cell"),
            **_matched(Path(folder) / "source.csv", size * MB),
        }  # fmt: skip
    for what, holds in met.items():
        print(f"{'pass' if holds else 'FAIL'}  {what}")
    return all(met.values())


def _kept(path: Path, size: int, named: str, row_of: Failed) -> dict[str, bool]:
    """Keep a result; return whether that takes no more time and memory than required."""
    rows = write_result(path, size, row_of)
    with_causes, without = partial(keep, path), partial(keep, path, "successfulResults")
    rounds = Rounds.of(ROUNDS_OF_ALL, {BARE: partial(read_bare, path), "with": with_causes, "without": without})
    rise = memory_rise(path, "keep_and_page_through", "tests.bench.results")
    print(f"  {rows:,} rows, csv.reader {rounds.seconds(BARE):.2f} s: kept {named} {_times(rounds, 'with')}", end="")
    print(f", without {_times(rounds, 'without')}; memory {rise / MIB:.1f} MiB", flush=True)
    return {
        f"kept {named} within {MOST_KEPT:.0f} times of csv.reader": rounds.ratio("with", BARE) <= MOST_KEPT,
        f"{_memory(f'kept {named}')}": rise < MOST_MEMORY_RISE,
    }


def _paged(path: Path, named: str) -> dict[str, bool]:
    """Read pages of the kept result; return whether that takes no more time than required."""
    files, rows = files_beside(path), keep(path).index.rows
    places = (0, rows // 2, rows - 50)
    of_pages = Rounds.of(ROUNDS_OF_PAGES, {f"{at}": partial(_page, files, PageRequest(at)) for at in places})
    pages = list(map(of_pages.seconds, of_pages.taken))
    print(f"  a page of 50 rows in {', '.join(f'{page * 1000:.2f}' for page in pages)} ms: first, middle, last")
    rounds = Rounds.of(ROUNDS_OF_ALL, {BARE: partial(page_bare, path), "pages": partial(page_through, path)})
    print(
        f"  {named} of {ROWS:,} rows: {_times(rounds, 'pages')}, a bare reader {rounds.seconds(BARE):.2f} s", flush=True
    )
    return {
        f"{named} within {MOST_OVER_BARE} times of a bare reader": rounds.ratio("pages", BARE) <= MOST_OVER_BARE,
        f"{named} within {MOST_BETWEEN_PAGES} times of each other": max(pages) <= MOST_BETWEEN_PAGES * min(pages),
    }


def _matched(path: Path, size: int) -> dict[str, bool]:
    """Match the failed rows of a source; return whether that takes no more time and memory than required."""
    write_csv(path, size, quoted=False)
    content, count = upload_content(path), write_failed_rows(path)
    archive(path, content)
    matched = partial(put_in_source_order, path)
    rounds = Rounds.of(ROUNDS_OF_ALL, {BARE: partial(read_bare, path), "matched": matched})
    rise = memory_rise(path, "put_in_source_order", "tests.bench.matched")
    print(f"  {content.rows:,} rows, csv.reader {rounds.seconds(BARE):.2f} s: {count:,} failed rows matched ", end="")
    print(f"with them {_times(rounds, 'matched')}; memory {rise / MIB:.1f} MiB", flush=True)
    return {
        f"rows matched within {MOST_MATCHED:.0f} times of csv.reader": rounds.ratio("matched", BARE) <= MOST_MATCHED,
        _memory("rows matched"): rise < MOST_MEMORY_RISE,
    }


def _times(rounds: Rounds, way: str) -> str:
    return f"{rounds.seconds(way):.2f} s ({rounds.ratio(way, BARE):.2f} x)"


def _memory(what: str) -> str:
    return f"{what}: memory rises by less than {MOST_MEMORY_RISE // MIB} MiB"


def _key(kind: ResultKind) -> ResultKey:
    return ResultKey.of("acme.my.salesforce.com", JOB, kind)


def _page(files: JobFiles, request: PageRequest, limit: int | None = None) -> Page:
    result = find_download(files, _key("failedResults"))
    assert result is not None
    page_size = default_page_size() if limit is None else requested_page_size(limit)
    return page_of(result, ",", request, page_size, lambda: True)
