"""Measure the embedded org: rows per second, and its response times and memory during a big job."""

import csv
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from statistics import median, quantiles

from tests.bench.caller import Caller
from tests.bench.processes import PeakMemory, emulator

MIB = 1 << 20
ROUNDS = 3
POLL_SECONDS = 0.02
CHUNK = 200

ROWS_PER_SECOND = 20_000
MOST_MILLISECONDS = 100
MOST_MEMORY_RISE = 200 * MIB
MOST_SECONDS_OF_A_SMALL_JOB = 5

SCHEMA = """
objects:
  Reading__c:
    label: Reading
    fields:
      Serial__c: {label: Serial, type: string, length: 40, required: true}
      Kind__c: {label: Kind, type: picklist, restricted: true, picklist: [Water, Heat, Power]}
      Phone__c: {label: Phone, type: phone}
      Email__c: {label: Email, type: email}
      Site__c: {label: Site, type: url}
      Level__c: {label: Level, type: double, precision: 18, scale: 4}
      Count__c: {label: Count, type: double, precision: 8, scale: 0}
      Price__c: {label: Price, type: currency, precision: 18, scale: 2}
      Day__c: {label: Day, type: date}
      Taken__c: {label: Taken, type: datetime}
      Valid__c: {label: Valid, type: boolean}
      Key__c: {label: Key, type: string, length: 40, externalId: true, unique: true}
    rules:
      - {name: Not_negative, when: Price__c < 0, message: A price can't be negative., field: Price__c}
"""
COLUMNS = ["Serial__c", "Kind__c", "Phone__c", "Email__c", "Site__c", "Level__c", "Count__c", "Price__c", "Day__c"]
COLUMNS += ["Taken__c", "Valid__c", "Key__c"]
BIG_UPLOADS = ("--limit", "upload_bytes=300000000")  # 1,000,000 rows exceed the default limit
# One row in a hundred has one of these bad cells, in turn: the index of the column, and the cell.
BAD_CELLS = [(0, ""), (1, "Gas"), (3, "nobody"), (6, "many"), (7, "-1"), (8, "yesterday")]


def rows(first: int, count: int) -> Iterator[list[str]]:
    """Rows of twelve typed cells, one in a hundred of them bad."""
    for n in range(first, first + count):
        row = [
            f"S{n:09}",
            ("Water", "Heat", "Power")[n % 3],
            f"+1 555 {n % 10_000_000:07}",
            f"meter{n}@example.com",
            f"https://example.com/{n}",
            f"{n % 1000}.25",
            str(n % 90_000),
            f"{n % 5000}.99",
            f"2025-{n % 12 + 1:02}-{n % 28 + 1:02}",
            f"2025-{n % 12 + 1:02}-{n % 28 + 1:02}T08:30:{n % 60:02}Z",
            ("true", "false")[n % 2],
            f"K{n:09}",
        ]
        if n % 100 == 99:
            place, cell = BAD_CELLS[n // 100 % len(BAD_CELLS)]
            row[place] = cell
        yield row


def write_csv(file: Path, first: int, count: int) -> None:
    """Write a CSV file of `count` rows, whose keys begin at `first`."""
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows(first, count))


def floor(file: Path, folder: Path) -> float:
    """The seconds of the least work of an org: read the CSV, store the rows as text, write them to a result."""
    started = time.perf_counter()
    connection = sqlite3.connect(folder / "floor.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"CREATE TABLE IF NOT EXISTS row (serial INTEGER PRIMARY KEY, {', '.join(COLUMNS)})")
    insert = f"INSERT INTO row ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
    with (
        file.open(encoding="utf-8", newline="") as source,
        (folder / "floor.csv").open("w", encoding="utf-8", newline="") as out,
    ):
        reader, writer = csv.reader(source), csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
        next(reader)
        while chunk := list(islice(reader, CHUNK)):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(insert, chunk)
            connection.execute("COMMIT")
            writer.writerows(chunk)
    connection.close()
    return time.perf_counter() - started


class Bench:
    """The jobs and files of one run."""

    def __init__(self, org: Caller, folder: Path) -> None:
        self._org = org
        self._folder = folder
        self._next = 0

    def write(self, count: int, name: str = "rows.csv") -> Path:
        """Write a file of rows that no earlier job has loaded; return its path."""
        write_csv(file := self._folder / name, self._next, count)
        self._next += count
        return file

    def submit(self, file: Path) -> str:
        """Create a job, upload the file and close the job; return the id of the job."""
        job_id: str = self._org.json("POST", body={"object": "Reading__c", "operation": "insert"})["id"]
        self._org.upload(job_id, file)
        self._org.json("PATCH", f"/{job_id}", {"state": "UploadComplete"})
        return job_id

    def wait(self, job_id: str, each: Callable[[float], None] | None = None) -> float:
        """Poll until the job is complete; return the seconds since the call. `each` receives the seconds of every poll."""
        started = time.perf_counter()
        while True:
            asked = time.perf_counter()
            job = self._org.json("GET", f"/{job_id}")
            if each is not None:
                each(time.perf_counter() - asked)
            if job["state"] == "JobComplete":
                return time.perf_counter() - started
            if job["state"] not in ("UploadComplete", "InProgress"):
                raise RuntimeError(f"the job is {job['state']}: {job.get('errorMessage')}")
            time.sleep(POLL_SECONDS)

    def is_waiting(self, job_id: str) -> bool:
        """Whether the job has not ended."""
        return bool(self._org.json("GET", f"/{job_id}")["state"] != "JobComplete")


def throughput(bench: Bench, folder: Path, count: int) -> bool:
    """Print the rows per second from the close of a job to its end, beside the floor; return whether they meet the requirement."""
    ours, least = [], []
    for _ in range(ROUNDS):
        file = bench.write(count)
        least.append(floor(file, folder))
        ours.append(bench.wait(bench.submit(file)))
    speed, most = count / median(ours), count / median(least)
    print(f"{count:,} rows of 12 typed columns, 1 % bad, with a validation rule; medians of {ROUNDS}:")
    print(f"  {speed:,.0f} rows/s; the floor (CSV in, SQLite, CSV out, nothing checked) is {most:,.0f} rows/s,", end="")
    print(f" {most / speed:.1f} x")
    return _verdict(speed >= ROWS_PER_SECOND, f"{ROWS_PER_SECOND:,} rows a second")


def meanwhile(bench: Bench, memory: PeakMemory, idle: int, count: int) -> bool:
    """Print response times, memory and the time of a small job during a big one; return whether all meet the requirements."""
    small, big_file = bench.write(10, "small.csv"), bench.write(count)
    answers: list[float] = []
    with memory.watched():
        big = bench.submit(big_file)
        small_seconds = bench.wait(bench.submit(small))
        overlapped = bench.is_waiting(big)
        seconds = bench.wait(big, answers.append)
    p99 = quantiles(answers, n=100)[98] * 1000
    rise = memory.peak - idle
    print(f"\nWhile {count:,} rows are processed ({seconds:.0f} s, {len(answers)} times GET job):")
    print(f"  GET job {median(answers) * 1000:.1f} ms median, {p99:.1f} ms p99, {max(answers) * 1000:.1f} ms at most")
    print(f"  memory {rise / MIB:.1f} MiB over the {idle / MIB:.1f} MiB when idle")
    print(f"  a job of 10 rows, closed meanwhile, is done after {small_seconds:.2f} s")
    met = [
        _verdict(p99 < MOST_MILLISECONDS, f"GET job under {MOST_MILLISECONDS} ms at p99"),
        _verdict(rise < MOST_MEMORY_RISE, f"memory rises by less than {MOST_MEMORY_RISE // MIB} MiB"),
        _verdict(
            overlapped and small_seconds < MOST_SECONDS_OF_A_SMALL_JOB,
            f"a small job is done within {MOST_SECONDS_OF_A_SMALL_JOB} s while the big one goes on",
        ),
    ]
    return all(met)


def _verdict(met: bool, requirement: str) -> bool:
    print(f"{'pass' if met else 'FAIL'}  {requirement}", flush=True)
    return met


def run(*, quick: bool) -> bool:
    """Run all measurements; return whether every requirement is met."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        (schema := folder / "schema.yaml").write_text(SCHEMA)
        port, pid = stack.enter_context(emulator(folder, "--schema", str(schema), *BIG_UPLOADS))
        bench = Bench(Caller(port, "/services/data/v63.0/jobs/ingest"), folder)
        bench.wait(bench.submit(bench.write(10)))
        memory = PeakMemory(pid)
        idle = memory.now()
        print("\nThe embedded org: caller and org share this machine.\n", flush=True)
        fast = throughput(bench, folder, 40_000 if quick else 200_000)
        return meanwhile(bench, memory, idle, 200_000 if quick else 1_000_000) and fast
