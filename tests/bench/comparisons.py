"""Measure the comparison of rows with the records of an org: beside the bare queries for these, and in a large dry run."""

import csv
import json
import math
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import anyio
import httpx2
from mcp import Client
from pydantic import SecretStr

from salesforce_bulk_ingest.comparison.changes import Fate
from salesforce_bulk_ingest.comparison.compared_columns import row_columns
from salesforce_bulk_ingest.comparison.org_comparison import MORE_CALLS, ROWS_OF_A_CALL, OrgComparer, OrgComparison
from salesforce_bulk_ingest.comparison.record_reader import QUERIES_AT_ONCE, RecordReader
from salesforce_bulk_ingest.loading.row_sample import RowSample
from salesforce_bulk_ingest.salesforce.client import SalesforceClient, query_of
from salesforce_bulk_ingest.salesforce.credentials import Credentials, FixedCredentials
from salesforce_bulk_ingest.salesforce.models import QueryPage, SObjectDescribe
from salesforce_bulk_ingest.salesforce.transport import open_http
from salesforce_bulk_ingest.validation.columns import columns_of
from salesforce_bulk_ingest.validation.destination import LoadTarget
from salesforce_emulator import ACCESS_TOKEN
from tests.bench.caller import HEADERS, Caller
from tests.bench.processes import PeakMemory, emulator, tools
from tests.support.orgs import call

ROUNDS = 5
MOST_TIMES = 4.0
MOST_MEMORY_RISE = 48 << 20
ROUNDS_OF_A_LARGE_FILE = 3
MOST_SECONDS_MORE = 5.0
QUERY = "/services/data/v63.0/query"
INGEST = "/services/data/v63.0/jobs/ingest"
UPSERT = {"object": "Account", "operation": "upsert", "externalIdFieldName": "External_Id__c"}
HEADER = (
    "External_Id__c", "Name", "Phone", "Website", "BillingCity", "BillingStreet", "Industry", "AnnualRevenue",
    "NumberOfEmployees", "Description",
)  # fmt: skip


def rows_of(count: int) -> list[list[str]]:
    """Accounts of ten fields; in each tenth the phone is another than that of the org."""
    return [
        [
            f"E-{n:08}", f"Account {n:08}", f"+1 555 {n:07}", f"https://a{n}.example", "Springfield", f"{n % 999} Main Street",
            ("Agriculture", "Energy", "Retail")[n % 3], f"{n % 5_000}.50", str(n % 10_000), f"Row {n} of many rows",
        ]
        for n in range(count)
    ]  # fmt: skip


def _write(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    with path.open("w", newline="") as out:
        csv.writer(out, lineterminator="\n").writerows([HEADER, *rows])
    return path


def _load(org: Caller, file: Path) -> None:
    job = org.json("POST", body=UPSERT)["id"]
    org.upload(job, file)
    org.json("PATCH", f"/{job}", {"state": "UploadComplete"})
    while (state := org.json("GET", f"/{job}")["state"]) != "JobComplete":
        if state == "Failed":
            raise RuntimeError("the rows were not loaded")
        time.sleep(0.1)


class _Recording(SalesforceClient):
    """Records the queries that a comparison makes."""

    def __init__(self, http: httpx2.AsyncClient, port: int) -> None:
        url = f"http://127.0.0.1:{port}"
        super().__init__(http, FixedCredentials(Credentials(url, SecretStr(ACCESS_TOKEN))), "63.0")
        self.queries = list[str]()

    async def query(self, soql: str) -> QueryPage:
        self.queries.append(soql)
        return await super().query(soql)


async def _bare(http: httpx2.AsyncClient, port: int, queries: Sequence[str]) -> None:
    """Ask the same queries, as many at once, and read their JSON."""
    waiting = list(queries)

    async def ask() -> None:
        while waiting:
            answer = await http.get(f"http://127.0.0.1:{port}{QUERY}?{query_of(waiting.pop())}", headers=HEADERS)
            json.loads(answer.content)

    async with anyio.create_task_group() as tasks:
        for _ in range(QUERIES_AT_ONCE):
            tasks.start_soon(ask)


async def _compare(client: SalesforceClient, describe: SObjectDescribe, sample: RowSample) -> OrgComparison:
    target = LoadTarget.of(describe, "upsert", "External_Id__c")
    columns = row_columns(columns_of(HEADER, describe, {}), target, {}, frozenset())
    reader = RecordReader(client, len(sample) // ROWS_OF_A_CALL + MORE_CALLS, math.inf)
    return await OrgComparer(reader, sample, columns, target, hides=lambda name: False).compare()


async def _seconds(work: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began


async def _times(port: int, sample: RowSample) -> bool:
    """Compare and ask in turn; print how long both take, and return whether the comparison is fast enough."""
    async with open_http(trust_env=False) as http:
        client = _Recording(http, port)
        describe = await client.describe("Account")
        found = await _compare(client, describe, sample)
        if found.fates != {Fate.CHANGED: len(sample) // 10, Fate.EQUAL: len(sample) - len(sample) // 10}:
            raise RuntimeError(f"not what the org has: {found.fates}")
        queries = tuple(client.queries)
        rounds = [
            (
                await _seconds(lambda: _bare(http, port, queries)),
                await _seconds(lambda: _compare(client, describe, sample)),
            )
            for _ in range(ROUNDS)
        ]
    bare, compared = (median(each) for each in zip(*rounds, strict=True))
    ratio = median(ours / least for least, ours in rounds)
    print(f"  {len(queries)} bare queries  {bare:6.2f} s\n  comparison       {compared:6.2f} s")
    print(
        f"{'pass' if ratio <= MOST_TIMES else 'FAIL'}  {ratio:.2f} x the bare queries, at most {MOST_TIMES}", flush=True
    )
    return ratio <= MOST_TIMES and found.api_calls <= len(sample) / ROWS_OF_A_CALL + MORE_CALLS


async def _checked(client: Client, file: Path, **options: object) -> dict[str, Any]:
    """Check a file whose plan is not kept, and return the answer."""
    await anyio.Path(file).touch()
    given = {"body": UPSERT, "data": {"file": str(file)}, "dryRun": True, **options}
    while (answer := await call(client, "create-ingest-job", **given))["status"] == "checking":
        pass
    return answer


async def _sampled(url: str, file: Path, memory: PeakMemory) -> bool:
    """Print what the comparison of a sample adds to the dry run of a large file, in time and in memory beyond idle.

    Returns:
        Whether both are little enough.
    """
    async with Client(url) as client:
        await client.list_tools()
        idle = memory.now()
        with memory.watched():
            answer = await _checked(client, file)
        rounds = [
            (
                await _seconds(lambda: _checked(client, file, compare=[])),
                await _seconds(lambda: _checked(client, file)),
            )
            for _ in range(ROUNDS_OF_A_LARGE_FILE)
        ]
    rise, more = memory.peak - idle, median(ours - alone for alone, ours in rounds)
    checked = median(alone for alone, _ in rounds)
    told = f"{answer['comparison']['compared']:,} of {answer['rows']:,} rows"
    size = f"{(await anyio.Path(file).stat()).st_size / 1e6:.0f} MB"
    is_small, is_fast = rise <= MOST_MEMORY_RISE, more <= MOST_SECONDS_MORE
    print(
        f"{'pass' if is_small else 'FAIL'}  {rise / 2**20:.0f} MiB for a dry run that compares {told}, at most 48 MiB"
    )
    print(
        f"{'pass' if is_fast else 'FAIL'}  {more:.2f} s more for that than the {checked:.2f} s of the check of {size} alone, at "
        f"most {MOST_SECONDS_MORE:.0f} s"
    )
    return is_small and is_fast


def run(*, quick: bool) -> bool:
    """Run the measurements; return whether the requirements on time and memory are met."""
    count = 2_000 if quick else 10_000
    print(f"{count:,} rows of {len(HEADER)} fields compared with the records of an org:", flush=True)
    rows = rows_of(count)
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        folder = Path(temporary)
        large = _write(folder / "large.csv", rows_of(80 * count))
        with emulator(folder) as (org_port, _), tools(folder, org_port) as (port, pid):
            _load(Caller(org_port, INGEST), _write(folder / "rows.csv", rows))
            for row in rows[::10]:
                row[2] = f"{row[2]}-0"
            sample = RowSample(tuple(zip(*rows, strict=True)), range(count), count)
            is_fast = anyio.run(_times, org_port, sample)
            is_sampled = anyio.run(_sampled, f"http://127.0.0.1:{port}/mcp", large, PeakMemory(pid))
    return is_fast and is_sampled
