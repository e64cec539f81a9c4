"""Whatever goes wrong, each row of an upload is in exactly one result: it succeeded, it failed, or it was not processed."""

import csv
import io
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

import anyio
import pytest
from mcp import Client

from salesforce_emulator import EmulatorConfig, create_app
from salesforce_emulator.config import Limits
from salesforce_emulator.faults.plan import RULE_CLASSES, Reset
from tests.salesforce_emulator.caller import FAULTS, calling
from tests.salesforce_emulator.clocks import Clock
from tests.support.asgi_server import running
from tests.support.orgs import agent, text_of
from tests.support.watched_org import WatchedOrg

Rule = Mapping[str, object]
Row = tuple[str, ...]
Answer = dict[str, Any]
DONE = {"JobComplete", "Failed", "Aborted"}
TRIES = 20
DEADLINE_SECONDS = 30
PAGE_ROWS = 150
COLUMNS = ("AccountNumber", "Name", "Description", "Sic", "Site")
AWKWARD = (
    "two\nlines",
    "two\r\nlines",
    'a "quoted" word, and ""',
    ",",
    "before\u2028after\u2029\x85end",
    "",
    "000123",
    "😀 é字",
    '"\r\n",\n',
    "NULL",
    " both sides ",
)
WITHOUT_A_NAME = 9
"""One row in so many has none, and fails by itself."""


def source_rows() -> list[Row]:
    """450 rows, which a job saves in three chunks; the first cell of each is no other's."""
    return [
        (
            f"{number:07}",
            "" if number % WITHOUT_A_NAME == 0 else f"Name {AWKWARD[number % 11]}.",
            AWKWARD[number % 11],
            f"00{number % 7}",
            AWKWARD[number % 10],
        )
        for number in range(450)
    ]


ROWS = source_rows()


def csv_of(rows: list[Row]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([COLUMNS, *rows])
    return text.getvalue()


@dataclass(frozen=True)
class Results:
    """All rows of the three results of a job, with the cells that were uploaded."""

    job: Answer
    succeeded: list[Row]
    failed: list[Row]
    unprocessed: list[Row]

    @property
    def split(self) -> tuple[int, int, int]:
        return len(self.succeeded), len(self.failed), len(self.unprocessed)

    @property
    def every(self) -> Counter[Row]:
        return Counter([*self.succeeded, *self.failed, *self.unprocessed])


@dataclass
class Persistent:
    """Calls tools as a model does that has to get there: again after an error, and with a new job for an unclear one.

    Attributes:
        client: of the nine tools.
        after_error: what happens between an error and the next try.
        errors: that were met.
    """

    client: Client
    after_error: Callable[[], object] = lambda: None
    errors: int = 0

    async def said(self, tool: str, **arguments: Any) -> tuple[bool, Answer, str]:
        result = await self.client.call_tool(tool, arguments)
        if result.is_error:
            self.errors += 1
            self.after_error()
        return not result.is_error, result.structured_content or {}, text_of(result)

    async def told(self, tool: str, **arguments: Any) -> Answer:
        """The answer of a call that is made again until it succeeds."""
        tries = 0
        while True:
            succeeded, answer, text = await self.said(tool, **arguments)
            if succeeded:
                return answer
            tries += 1
            assert tries < TRIES, text

    async def filled(self, rows: list[Row]) -> str:
        """The id of a job that has the rows, after as many jobs as it took."""
        tries = 0
        while True:
            job = await self.told("create-ingest-job", body={"object": "Account", "operation": "insert"})
            if await self._has_taken(job["id"], rows):
                return str(job["id"])
            await self.told("close-abort-ingest-job", jobId=job["id"], body={"state": "Aborted"})
            tries += 1
            assert tries < TRIES, "no job took the rows"

    async def _has_taken(self, job_id: str, rows: list[Row]) -> bool:
        tries = 0
        while True:
            upload = {"jobId": job_id, "body": {"csv": csv_of(rows)}, "loadAgain": True}
            succeeded, answer, text = await self.said("upload-data-ingest-job", **upload)
            if succeeded and answer["status"] != "in progress":
                return True
            if "may or may not have its rows" in text:
                return False
            tries += 1
            assert tries < TRIES, text

    async def closed(self, job_id: str) -> None:
        """Close the job; a job that an earlier try closed, whose answer got lost, may have ended by now."""
        await self.told("close-abort-ingest-job", jobId=job_id, body={"state": "UploadComplete"})

    async def status_when(self, job_id: str, is_so: Callable[[Answer], bool]) -> Answer:
        with anyio.fail_after(DEADLINE_SECONDS):
            while not is_so(job := await self.told("get-ingest-job-status", jobId=job_id)):
                pass
        return job

    async def results(self, job_id: str) -> Results:
        """All pages of all results of a job, once it is done."""
        job = await self.status_when(job_id, lambda job: job["state"] in DONE)
        return Results(
            job,
            await self.rows("get-successful-results-ingest-job", job_id),
            await self.rows("get-failed-results-ingest-job", job_id),
            await self.rows("get-unprocessed-records-ingest-job", job_id),
        )

    async def rows(self, tool: str, job_id: str) -> list[Row]:
        rows: list[Row] = []
        offset: int | None = 0
        while offset is not None:
            page = await self._page(tool, jobId=job_id, offset=offset, limit=PAGE_ROWS)
            places = [page["columns"].index(name) for name in COLUMNS] if page["rows"] else []
            rows += [tuple(row[place] for place in places) for row in page["rows"]]
            offset = page["nextOffset"]
        return rows

    async def _page(self, tool: str, **arguments: Any) -> Answer:
        tries = 0
        while True:
            page = await self.told(tool, **arguments)
            if "is not kept" not in page["summary"] and "the same call" not in page["next"]:
                return page
            tries += 1
            assert tries < TRIES, page["summary"]


@dataclass(frozen=True)
class Case:
    """What goes wrong, and what becomes of the 450 rows.

    Attributes:
        rules: of the plan of faults.
        split: rows that succeed, that fail, and that are never tried.
        state: in which the job ends.
        held: what is done with a job that goes no further.
        acts: false where no load can meet the fault.
    """

    rules: tuple[Rule, ...]
    split: tuple[int, int, int]
    state: str = "Failed"
    held: Literal["go on", "abort"] | None = None
    acts: bool = True


MIDWAY: Rule = {"fault": "too-many-lock-failures", "after": 2}
WHOLE, CUT = (400, 50, 0), (355, 45, 50)
"""Of a job that gets to its end, and of one that fails before its third chunk."""
COUNTED = {"successfulResults": 1, "failedResults": 1}
"""Results of which the job says how many rows they have."""
UNCOUNTED = {"unprocessedrecords": 1}
EVERYTHING = {"create": 1, "upload": 1, "close": 1, "status": 3, **COUNTED, **UNCOUNTED}
"""What a load asks for, and how often that goes wrong: a status is read three times before a tool tells of it."""


def meeting(fault: str, calls: Mapping[str, int] = EVERYTHING, **parameters: object) -> Case:
    """The fault on each of the calls, with rows in all three results."""
    rules = [{"on": call, "fault": fault, "times": times, **parameters} for call, times in calls.items()]
    return Case((*rules, MIDWAY), CUT)


CASES = {
    "a session that is gone": meeting("expired-session"),
    "no requests left": meeting("request-limit"),
    "an org that the edge can't find": meeting("no-route"),
    "too many requests": meeting("too-many-requests", retryAfter=0),
    "an org that is not available": meeting("unavailable", retryAfter=None),
    "an error of the server": meeting("server-error"),
    "a page instead of an answer": meeting("error-page", status=502),
    "a refusal": meeting("answer", status=400, errorCode="API_ERROR", message="No."),
    "a refusal without a word": meeting("answer", status=403),
    "a login that is refused": Case(({"on": "token", "fault": "refused-login"}, MIDWAY), CUT, acts=False),
    "requests that wait": meeting("latency", seconds=0.01),
    "answers that trickle": meeting("slow-body", bytesPerSecond=10_000_000),
    "a connection reset before the body": meeting("reset", when="before"),
    "a connection reset in mid-body": meeting("reset", when="during", bytes=20),
    "a connection reset after the request": meeting("reset", when="after"),
    "a connection reset in mid-download": meeting("reset", when="download", bytes=2_000),
    "rows that are locked": Case(({"fault": "locked-rows", "every": 4},), (300, 150, 0), "JobComplete"),
    "too many locks before the first row": Case(({"fault": "too-many-lock-failures"},), (0, 0, 450)),
    "too many locks midway": Case((MIDWAY,), CUT),
    "too many retries midway": Case(({"fault": "retries-exhausted", "after": 1},), (177, 23, 250)),
    "a job that is stuck and goes on": Case(({"fault": "stuck-job", "after": 1},), WHOLE, "JobComplete", "go on"),
    "a job that is stuck and aborted": Case(({"fault": "stuck-job", "after": 1},), (177, 23, 250), "Aborted", "abort"),
}
EMPTY = {
    "counted results as an empty answer": meeting("blank-results", COUNTED),
    "counted results as no content": meeting("no-content", COUNTED),
    "unprocessed records as an empty answer": meeting("blank-results", UNCOUNTED),
    "unprocessed records as no content": meeting("no-content", UNCOUNTED),
}
"""Answers that tell of no rows although there are some."""


def test_every_fault_has_a_case() -> None:
    rules = [rule for case in (CASES | EMPTY).values() for rule in case.rules]
    assert {rule["fault"] for rule in rules} == set(RULE_CLASSES)
    assert {rule["when"] for rule in rules if "when" in rule} == set(get_args(Reset.model_fields["when"].annotation))


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """As everywhere; for a client of the whole module."""
    return "asyncio"


@pytest.fixture(scope="module")
async def client(_shared_watched_org: WatchedOrg) -> AsyncIterator[Client]:
    """One for all loads: to make it takes longer than to load."""
    async with agent(_shared_watched_org.url) as connected:
        yield connected


@pytest.mark.parametrize("name", CASES)
async def test_every_row_is_in_one_result_whatever_goes_wrong(name: str, org: WatchedOrg, client: Client) -> None:
    await holds(CASES[name], org, client)


@pytest.mark.parametrize("name", EMPTY)
async def test_every_row_is_in_one_result_though_that_came_empty_once(
    name: str, org: WatchedOrg, client: Client
) -> None:
    await holds(EMPTY[name], org, client)


async def holds(case: Case, org: WatchedOrg, client: Client) -> None:
    """The rows are where the case says, and each of them once."""
    org.go_wrong(*case.rules)
    caller = Persistent(client)
    job_id = await caller.filled(ROWS)
    await caller.closed(job_id)
    if case.held:
        # The first chunk is counted a moment before the fault holds the second.
        await caller.status_when(job_id, lambda job: job.get("numberRecordsProcessed") == 200 and went_wrong(org))
    if case.held == "go on":
        org.go_right()
    elif case.held == "abort":
        await caller.told("close-abort-ingest-job", jobId=job_id, body={"state": "Aborted"})
    results = await caller.results(job_id)
    succeeded, failed, _ = case.split
    assert (results.job["state"], results.split) == (case.state, case.split)
    assert (results.job["numberRecordsProcessed"], results.job["numberRecordsFailed"]) == (succeeded + failed, failed)
    assert results.every == Counter(ROWS)
    assert went_wrong(org) == case.acts


def went_wrong(org: WatchedOrg) -> bool:
    """Whether every rule of the plan has acted."""
    with calling(org.url) as caller:
        rules: list[dict[str, Any]] = caller.http.get(FAULTS).json()["rules"]
    return all(rule["fired"] for rule in rules)


@asynccontextmanager
async def limited(folder: Path, **limits: int) -> AsyncIterator[Persistent]:
    """A caller of an org of its own, for whom a day passes after each error."""
    clock = Clock()
    config = EmulatorConfig(data_dir=folder, clock=clock, limits=Limits(**limits, open_hours=10_000))
    with running(create_app(config)) as url:
        async with agent(url) as client:
            yield Persistent(client, after_error=lambda: clock.forward(hours=24))


async def loaded_by(caller: Persistent, rows: list[Row] = ROWS) -> Results:
    job_id = await caller.filled(rows)
    await caller.closed(job_id)
    return await caller.results(job_id)


def test_the_limits_of_a_day_are_those_that_have_a_test_here() -> None:
    daily = {limit.name for limit in fields(Limits) if limit.name.startswith("daily_")}
    assert daily == {"daily_requests", "daily_records", "daily_batches"}


async def test_every_row_is_in_one_result_where_the_days_requests_run_out(tmp_path: Path) -> None:
    async with limited(tmp_path, daily_requests=7) as caller:
        results = await loaded_by(caller)
    assert caller.errors
    assert (results.split, results.every) == (WHOLE, Counter(ROWS))


async def test_every_row_is_in_one_result_where_the_days_records_run_out(tmp_path: Path) -> None:
    async with limited(tmp_path, daily_records=250) as caller:
        results = await loaded_by(caller)
    assert (results.job["state"], results.split, results.every) == ("Failed", (222, 28, 200), Counter(ROWS))


async def test_rows_of_batches_beyond_those_of_the_day_are_in_no_result(tmp_path: Path) -> None:
    async with limited(tmp_path, daily_batches=2, batch_records=150) as caller:
        results = await loaded_by(caller)
    assert (results.job["state"], results.split, results.every) == ("Failed", (266, 34, 0), Counter(ROWS[:300]))
    assert results.job["errorMessage"] == "ExceededQuota : ApiBatchItems Limit exceeded."


async def test_nobody_is_sent_to_the_unprocessed_records_for_rows_that_are_in_no_result(tmp_path: Path) -> None:
    async with limited(tmp_path, daily_batches=1, batch_records=1) as caller:
        job = (await loaded_by(caller, ROWS[:3])).job
    assert "Load the unprocessed rows" not in job["next"]
    assert "get-unprocessed-records-ingest-job gives the rest" not in job["next"]


async def test_a_job_beyond_the_days_records_is_not_said_to_lack_batches(tmp_path: Path) -> None:
    async with limited(tmp_path, daily_records=1) as caller:
        job = (await loaded_by(caller, ROWS[:3])).job
    assert "daily batches are used up" not in job["next"]
