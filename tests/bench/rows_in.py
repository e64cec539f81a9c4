"""Measure the preflight of rows beside a bare csv.reader, and the memory that the preflight and an upload take."""

import csv
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import anyio
from mcp import Client

from salesforce_bulk_ingest.loading.mapping import ColumnMapping
from salesforce_bulk_ingest.loading.plan import Plan
from salesforce_bulk_ingest.salesforce.models import FieldDescribe, PicklistValue, SObjectDescribe
from salesforce_bulk_ingest.validation.destination import Destination
from salesforce_emulator import ACCESS_TOKEN
from tests.bench.caller import Caller
from tests.bench.processes import PeakMemory, emulator, tools
from tests.bench.transfers import write_csv as write_accounts
from tests.bench.turns import Rounds
from tests.loading.making import plan_of, uploading
from tests.support.orgs import call

MB, MIB = 1_000_000, 1 << 20
ROUNDS = 5
MOST_TIMES: Final = {
    False: (("as it is", "csv.reader", 2.0), ("with a mapping", "csv.reader", 3.0)),
    True: (("as it is", "csv.reader", 2.0), ("with a mapping", "reader and writer", 1.1)),
}
"""By whether the cells are quoted: the most CPU time of each pass, in times of what the csv module takes alone."""
MOST_MEMORY_RISE = 48 * MIB
SKETCH_ROUNDS = 9
MOST_SKETCH_SHARE = 0.15
"""The most that sketches of the rows may add to the CPU time of the preflight."""

INGEST = "/services/data/v63.0/jobs/ingest"
INSERT = {"object": "Account", "operation": "insert"}

INDUSTRIES = ("Agriculture", "Energy", "Retail")
HEADER = (
    "Ext__c", "Name", "Phone", "Website", "BillingCity", "BillingStreet", "Industry", "AnnualRevenue", "Founded__c",
    "Description",
)  # fmt: skip
"""The header of the measured file: ten columns, of which six have cells that are checked against the describe."""

MAPPING: Final = ColumnMapping(
    columns={"Description": None}, constants={"Phone": ""}, values={"Industry": {"Oil": "Energy"}}
)


def write_csv(path: Path, size: int, *, quoted: bool) -> None:
    """Write a CSV file of accounts of just under `size` bytes, with all cells quoted or only those that need quotes."""
    row = 0
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL, lineterminator="\n")
        writer.writerow(HEADER)
        while out.tell() < size - MB // 5:
            writer.writerows(_account(number) for number in range(row, row + 1_000))
            row += 1_000


def _account(number: int) -> tuple[str, ...]:
    return (
        f"E-{number:09}",
        f"Account {number:08}",
        f"+1 555 {number:07}",
        f"https://a{number}.example",
        "Springfield",
        f"{number % 999} Main Street",
        INDUSTRIES[number % len(INDUSTRIES)],
        f"{number % 5_000}.50",
        f"20{number % 26:02}-0{1 + number % 9}-11",
        f"Row {number} of many rows",
    )


def describe() -> SObjectDescribe:
    """The describe of Account, with the fields of the measured file only."""
    picklist = tuple(PicklistValue(value=value, active=True) for value in INDUSTRIES)
    types = {"AnnualRevenue": "currency", "Founded__c": "date", "Industry": "picklist", "Description": "textarea"}
    fields = [
        FieldDescribe(
            name=name,
            label=name,
            type=types.get(name, "string"),
            length=32_000 if name == "Description" else 255,
            createable=True,
            updateable=True,
            external_id=name == "Ext__c",
            restricted_picklist=name == "Industry",
            picklist_values=picklist if name == "Industry" else (),
        )
        for name in HEADER
    ]
    return SObjectDescribe(name="Account", label="Account", createable=True, updateable=True, fields=tuple(fields))


def read_bare(path: Path) -> None:
    """Read the cells of all rows and do nothing with them, to compare with."""
    with path.open(newline="", encoding="utf-8") as file:
        for _ in csv.reader(file):
            pass


def rewrite_bare(path: Path) -> None:
    """Read the cells of all rows and write them to nowhere, to compare a mapping with."""
    with path.open(newline="", encoding="utf-8") as file, Path(os.devnull).open("w", newline="") as nowhere:
        csv.writer(nowhere).writerows(csv.reader(file))


def check(path: Path) -> None:
    """Run the whole preflight: all checks, the digests, and the cutting into parts."""
    _plan(path, ColumnMapping())


def check_mapped(path: Path) -> None:
    """Run the whole preflight of rows that a mapping changes."""
    _plan(path, MAPPING)


def check_without_sketch(path: Path) -> None:
    """Run the whole preflight without the sketches by which rows that went before are known again."""
    _plan(path, ColumnMapping(), sketched=False)


def send(path: Path) -> None:
    """Run the preflight, then read all parts again as the upload does."""
    made = _plan(path, ColumnMapping())
    for part in made.parts:
        for _ in made.content_of(part.number):
            pass


def _plan(path: Path, mapping: ColumnMapping, *, sketched: bool = True) -> Plan:
    made = plan_of(uploading(path), mapping, Destination("upsert", "Ext__c", describe=describe()), sketched=sketched)
    if made.has_errors or not made.rows:
        raise RuntimeError(f"the file is not in order: {made.findings}")
    return made


def memory_rise(path: Path, what: str, module: str = __name__) -> int:
    """The bytes of memory that another process takes beyond idle while it calls the function `what` of a module with the file."""
    program = f"""
from {module} import Path, {what}
print("ready", flush=True), input()
{what}(Path({str(path)!r}))
print("done", flush=True), input()
"""
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        memory = PeakMemory(process.pid)
        _expect(process, "ready")
        idle = memory.now()
        with memory.watched():
            _go_on(process)
            _expect(process, "done")
        _go_on(process)
    return memory.peak - idle


READS: Final = {
    "csv.reader": read_bare, "reader and writer": rewrite_bare, "as it is": check, "with a mapping": check_mapped
}  # fmt: skip


def are_fast(rounds: Rounds, named: str, *, quoted: bool) -> bool:
    """Print the ratios to the csv module beside the most that they may be; return whether all are met."""
    met = [
        _meets(f"{named} {way}: {ratio:.2f} x {other}, at most {most}", ratio <= most)
        for way, other, most in MOST_TIMES[quoted]
        for ratio in [rounds.ratio(way, other)]
    ]
    return all(met)


def sketch_share(path: Path) -> float:
    """The share of CPU time that sketches add to the preflight."""
    ways = {"with": partial(check, path), "without": partial(check_without_sketch, path)}
    return Rounds.of(SKETCH_ROUNDS, ways).ratio("with", "without") - 1


@dataclass(frozen=True)
class Uploaded:
    """The uploads of one file to one embedded org by curl and by a tool: their seconds, and the server's memory beyond idle."""

    by_curl: float
    by_tool: float
    memory_rise: int


def uploads(folder: Path, path: Path) -> Uploaded:
    """Upload a file in two ways; the tool's seconds include the checks, the reading for the digest and the upload."""
    with emulator(folder) as (org_port, _), tools(folder, org_port) as (port, pid):
        org = Caller(org_port, INGEST)
        job_id: str = org.json("POST", body=INSERT)["id"]
        begin = time.perf_counter()
        subprocess.run(_curl(org_port, job_id, path), check=True, stdout=subprocess.DEVNULL)
        by_curl = time.perf_counter() - begin
        org.json("PATCH", f"/{job_id}", {"state": "Aborted"})
        by_tool, rise = anyio.run(_uploaded, f"http://127.0.0.1:{port}/mcp", path, PeakMemory(pid))
    return Uploaded(by_curl, by_tool, rise)


def _curl(org_port: int, job_id: str, path: Path) -> list[str]:
    url = f"http://127.0.0.1:{org_port}{INGEST}/{job_id}/batches"
    headers = ["-H", f"Authorization: Bearer {ACCESS_TOKEN}", "-H", "Content-Type: text/csv"]
    return ["curl", "-sSf", *headers, "-T", str(path), url]


async def _uploaded(url: str, path: Path, memory: PeakMemory) -> tuple[float, int]:
    async with Client(url) as client:
        await client.list_tools()
        idle = memory.now()
        with memory.watched():
            job = await call(client, "create-ingest-job", body=INSERT)
            upload = {"jobId": job["id"], "body": {"file": str(path)}}
            begin = time.perf_counter()
            while (await call(client, "upload-data-ingest-job", **upload))["status"] in {"checking", "in progress"}:
                pass
            taken = time.perf_counter() - begin
        await call(client, "close-abort-ingest-job", jobId=job["id"], body={"state": "Aborted"})
    return taken, memory.peak - idle


def run(*, quick: bool) -> bool:
    """Run all measurements; return whether the requirements on time and memory are met."""
    size, large = (20, 100) if quick else (100, 1_000)
    print(
        f"Rows in: the pass over {size} MB of ten columns before they go, with all checks against a describe of them,"
    )
    print(
        f"cut and digested; CPU time, medians of {ROUNDS} rounds in turn, in one process; memory of another, over idle.\n"
    )
    print("".join(f"{column:>18}" for column in ("", *READS, "memory rise")))
    passed = True
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        path = Path(folder) / "accounts.csv"
        for quoted in (False, True):
            write_csv(path, size * MB, quoted=quoted)
            rounds = Rounds.of(ROUNDS, {way: partial(read, path) for way, read in READS.items()})
            named = _named(size, quoted)
            rise = max(memory_rise(path, what) for what in ("send", "check_mapped"))
            cells = [named, *(_speed(rounds.seconds(way), size) for way in READS), f"{rise / MIB:.1f} MiB"]
            print("".join(f"{cell:>18}" for cell in cells), flush=True)
            passed &= are_fast(rounds, named, quoted=quoted)
            passed &= _meets(_memory(named), rise < MOST_MEMORY_RISE)
            share = sketch_share(path)
            print(f"{'sketches of the rows':>24}{share:>12.1%} of the preflight's CPU time")
            passed &= _meets(f"{named}: sketches add at most {MOST_SKETCH_SHARE:.0%}", share <= MOST_SKETCH_SHARE)
        write_csv(path, large * MB, quoted=False)
        rise = memory_rise(path, "send")
        print(f"{_named(large, False):>24}{rise / MIB:>80.1f} MiB")
        passed &= _meets(_memory(_named(large, False)), rise < MOST_MEMORY_RISE)
        write_accounts(path, size * MB)
        sent = uploads(Path(folder), path)
        print(f"{'through the tool':>24}{sent.memory_rise / MIB:>80.1f} MiB")
        print(f"Uploaded by curl in {sent.by_curl:.2f} s; checked and uploaded by the tool in {sent.by_tool:.2f} s.")
        rise = sent.memory_rise
        passed &= _meets(_memory(f"{size} MB checked and uploaded through the tool"), rise < MOST_MEMORY_RISE)
    return passed


def _expect(process: subprocess.Popen[str], line: str) -> None:
    if process.stdout is None or process.stdout.readline() != f"{line}\n":
        raise RuntimeError("the file could not be read")


def _go_on(process: subprocess.Popen[str]) -> None:
    if process.stdin is not None:
        print(file=process.stdin, flush=True)


def _named(size: int, quoted: bool) -> str:
    return f"{size:,} MB {'quoted' if quoted else 'unquoted'}"


def _memory(what: str) -> str:
    return f"{what}: memory rises by less than {MOST_MEMORY_RISE // MIB} MiB"


def _speed(taken: float, size: int) -> str:
    return f"{taken:.2f} s {size / taken:.0f} MB/s"


def _meets(requirement: str, met: bool) -> bool:
    print(f"{'pass' if met else 'FAIL'}  {requirement}")
    return met
