"""Fetching of results: one download for all who ask, and none that looks whole and is not."""

import gzip
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.abc import TaskGroup
from inline_snapshot import snapshot
from mcp import Client
from mcp_types import ReadResourceResult, TextResourceContents
from starlette.responses import Response

from salesforce_bulk_ingest.base.shared_task import SharedTasks
from salesforce_bulk_ingest.cache.job_files import JobFiles, ResultKey
from salesforce_bulk_ingest.cache.ledger import Ledger
from salesforce_bulk_ingest.operations.fetching import ResultFetcher
from salesforce_bulk_ingest.results.downloads import find_download
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.errors import Unreachable
from salesforce_bulk_ingest.salesforce.models import Job, ResultKind
from salesforce_bulk_ingest.salesforce.org import Org
from tests.support.next_call import next_call
from tests.support.orgs import ERAS, Era, agent, agent_over, call, loaded, refusal, text_of
from tests.support.result_org import OneJob
from tests.support.watched_org import WatchedOrg
from tests.support.wire import JOB_ID

JOB = Job(id="750000000000001AAA", state="JobComplete")
ACME = Org("acme.my.salesforce.com", "production")
CHUNKS = (b'"sf__Id","sf__Error"\n', b'"","A:b:--"\n"","', b'C:d:--"\n')
BOUND = 10
NOWHERE = Path("/dev/null/no ledger")


class Results(SalesforceClient):
    """Gives the same result to each who asks, once it is let, and counts them."""

    def __init__(self) -> None:
        self.asked = 0
        self.let = anyio.Event()
        self.breaks_off = False

    @asynccontextmanager
    async def results(self, job_id: str, kind: ResultKind) -> AsyncIterator[AsyncIterator[bytes]]:
        self.asked += 1
        yield self._chunks()

    async def _chunks(self) -> AsyncIterator[bytes]:
        yield CHUNKS[0]
        await self.let.wait()
        yield CHUNKS[1]
        if self.breaks_off:
            raise Unreachable("The connection broke off.")
        yield CHUNKS[2]


def fetcher_of(client: Results, store: JobFiles, tasks: TaskGroup) -> ResultFetcher:
    return ResultFetcher(client, store, Ledger(NOWHERE), SharedTasks(tasks))


@pytest.fixture
def store(tmp_path: Path) -> JobFiles:
    return JobFiles(tmp_path / "results", most_bytes=10_000, most_seconds=100)


async def test_all_who_ask_at_once_share_a_download_and_those_who_ask_later_need_none(store: JobFiles) -> None:
    client = Results()
    async with anyio.create_task_group() as tasks:
        fetcher = fetcher_of(client, store, tasks)
        first, second = (fetcher.fetch(ACME, JOB, "failedResults") for _ in range(2))
        assert not await first.wait(0)
        client.let.set()
        assert await second.wait(BOUND) and await first.wait(BOUND)
        result = second.result
        assert result == first.result
        assert (list(result.records(0)), first.done_bytes) == (
            [b'"","A:b:--"\n', b'"","C:d:--"\n'],
            sum(map(len, CHUNKS)),
        )
        for later in (fetcher, fetcher_of(client, store, tasks)):
            with anyio.fail_after(BOUND):
                assert await later.fetch(ACME, JOB, "failedResults").finished() == result
    assert client.asked == 1


async def test_a_call_that_ends_leaves_the_download_to_the_next(store: JobFiles) -> None:
    client = Results()
    async with anyio.create_task_group() as tasks:
        fetcher = fetcher_of(client, store, tasks)
        fetch = fetcher.fetch(ACME, JOB, "failedResults")
        with anyio.CancelScope() as call:
            call.cancel()
            await fetch.wait(BOUND)
        client.let.set()
        assert await fetcher.fetch(ACME, JOB, "failedResults").wait(BOUND)
    assert client.asked == 1


async def test_two_servers_on_one_folder_download_a_result_once(store: JobFiles) -> None:
    client = Results()
    async with anyio.create_task_group() as tasks:
        fetches = [fetcher_of(client, store, tasks).fetch(ACME, JOB, "failedResults") for _ in range(3)]
        assert not await fetches[0].wait(0)
        client.let.set()
        assert [await fetch.wait(BOUND) for fetch in fetches] == [True] * 3
        assert [fetch.result for fetch in fetches] == [fetches[0].result] * 3
    assert client.asked == 1


HOLD = """
import sys
from filelock import FileLock
with FileLock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


async def test_a_download_waits_for_the_one_of_another_process_and_goes_on_when_that_is_killed(store: JobFiles) -> None:
    client = Results()
    client.let.set()
    lock = store.files.lock(ResultKey.of(ACME.host, JOB, "failedResults").name)
    command = [sys.executable, "-c", HOLD, lock.lock_file]
    async with await anyio.open_process(command) as other:
        assert other.stdout is not None
        assert await other.stdout.receive(1) == b"h"
        async with anyio.create_task_group() as tasks:
            fetch = fetcher_of(client, store, tasks).fetch(ACME, JOB, "failedResults")
            assert not await fetch.wait(0.3) and client.asked == 0
            other.kill()
            assert await fetch.wait(BOUND)


async def test_a_download_that_breaks_off_is_told_to_all_and_tried_anew_by_the_next(store: JobFiles) -> None:
    client = Results()
    client.breaks_off = True
    client.let.set()
    async with anyio.create_task_group() as tasks:
        fetcher = fetcher_of(client, store, tasks)
        fetches = [fetcher.fetch(ACME, JOB, "failedResults") for _ in range(2)]
        for fetch in fetches:
            with pytest.raises(Unreachable):
                await fetch.wait(BOUND)
        client.breaks_off = False
        assert await fetcher.fetch(ACME, JOB, "failedResults").wait(BOUND)
    assert client.asked == 2


async def test_a_server_that_stops_breaks_its_download_off(store: JobFiles) -> None:
    client = Results()
    async with anyio.create_task_group() as tasks:
        fetch = fetcher_of(client, store, tasks).fetch(ACME, JOB, "failedResults")
        assert not await fetch.wait(0)
        tasks.cancel_scope.cancel()
    assert find_download(store, ResultKey.of(ACME.host, JOB, "failedResults")) is None


async def test_a_job_that_is_forgotten_is_downloaded_anew(store: JobFiles) -> None:
    client = Results()
    client.let.set()
    async with anyio.create_task_group() as tasks:
        fetcher = fetcher_of(client, store, tasks)
        await fetcher.fetch(ACME, JOB, "failedResults").wait(BOUND)
        await fetcher.forget(ACME, JOB.id)
        await fetcher.fetch(ACME, JOB, "failedResults").wait(BOUND)
    assert client.asked == 2


ROWS = "Name,BillingCity\n" + "".join(f'"Row {n:03}","City, ""{n}"""\n' for n in range(300))


def results_of(org: WatchedOrg) -> list[str]:
    """The calls for results since the last look."""
    return [name for name in org.recorder.calls if re.search(r"(?i)results|records", name)]


def content_of(path: str) -> bytes | None:
    """What the file holds; None where there is none."""
    return Path(path).read_bytes() if Path(path).exists() else None


async def csv_of(client: Client, uri: str) -> str:
    read: ReadResourceResult = await client.read_resource(uri)
    (content,) = read.contents
    assert isinstance(content, TextResourceContents)
    return content.text


async def test_any_number_of_pages_through_tools_and_resources_cost_one_download(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        job = await loaded(client, ROWS)
        org.forget()
        first = await call(client, "get-successful-results-ingest-job", jobId=job)
        assert (len(first["rows"]), first["total"], first["nextOffset"]) == (50, 300, 50)
        last = await call(client, "get-successful-results-ingest-job", jobId=job, offset=299)
        assert (len(last["rows"]), last["nextOffset"]) == (1, None)
        assert (content_of(first["file"]) or b"").count(b"\n") == 301
        assert first["file"] in text_of(await client.call_tool("get-successful-results-ingest-job", {"jobId": job}))
        await csv_of(client, f"salesforce-bulk://jobs/{job}/successful-results?offset=100")
        assert len(results_of(org)) == 1


async def test_a_deleted_job_takes_its_results_along(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        job = await loaded(client, ROWS)
        path = (await call(client, "get-successful-results-ingest-job", jobId=job))["file"]
        assert content_of(path)
        await call(client, "delete-ingest-job", jobId=job)
        assert content_of(path) is None


async def test_without_a_cache_each_page_is_a_download_and_pages_are_the_same(org: WatchedOrg) -> None:
    async with agent(org.url) as client, agent(org.url, no_spool=True) as other:
        job = await loaded(client, ROWS)
        kept = await call(client, "get-successful-results-ingest-job", jobId=job, offset=250)
        org.forget()
        page = await call(other, "get-successful-results-ingest-job", jobId=job, offset=250)
        assert page.get("file") is None
        assert page["rows"] == kept["rows"] and (page["total"], page["nextOffset"]) == (300, None)
        await call(other, "get-successful-results-ingest-job", jobId=job, offset=250)
        assert len(results_of(org)) == 2


async def test_a_folder_that_can_not_be_used_costs_nobody_a_page(org: WatchedOrg, tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("in the way")
    async with agent(org.url, folder=tmp_path) as client:
        job = await loaded(client, ROWS)
        page = await call(client, "get-successful-results-ingest-job", jobId=job)
        assert (len(page["rows"]), page.get("file")) == (50, None)


@pytest.mark.slow
@pytest.mark.parametrize("era", ERAS)
async def test_a_result_without_end_is_neither_kept_nor_sent_again_and_its_pages_are_still_given(
    era: Era, tmp_path: Path
) -> None:
    rows = gzip.compress(b"sf__Id,sf__Created,Name\n" + b'001,true,"a longer name"\n' * 1_000_000, 1)
    result = Response(rows, media_type="text/csv", headers={"Content-Encoding": "gzip"})
    org = OneJob({"successfulResults": [result]}, {"object": "Account", "operation": "insert"})
    async with agent_over(org, era=era, folder=tmp_path, spool_max_bytes=1_000) as client:
        for offset in (0, 400_000):
            page = await call(client, "get-successful-results-ingest-job", jobId=JOB_ID, offset=offset, limit=1)
            assert (len(page["rows"]), page.get("file")) == (1, None)
        assert org.asked["successfulResults"] == 3  # the second page is streamed at once
        text = await refusal(client, "create-ingest-job", **retry_of(JOB_ID, "created", operation="delete"))
    assert text == snapshot("""\
SERVER_UNAVAILABLE: The successfulResults of job 750000000000001AAA have more than 10,000,000 bytes, which is all that this server keeps of a result. Raise --spool-max-bytes where there is room on the disk, or get the result from /v1.
Next: create-ingest-job {"body": {"object": "Account", "operation": "delete"}, "data": {"rowsOf": {"jobs": ["750000000000001AAA"], "which": ["created"]}}, "preflight": "off"} is the same call, for when the user has mended that: nothing is wrong with its arguments.\
""")
    assert not files_named(tmp_path, "*.csv", "*.part")


async def test_pages_of_a_resource_joined_are_the_result_byte_for_byte(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        job = await loaded(client, ROWS)
        path = (await call(client, "get-successful-results-ingest-job", jobId=job))["file"]
        uri, offset = f"salesforce-bulk://jobs/{job}/successful-results", 0
        header, joined = "", ""
        while True:
            page = await csv_of(client, f"{uri}?offset={offset}&limit=37")
            header, _, some = page.partition("\n")
            if not some:
                break
            joined += some
            offset += some.count("\n")
        assert f"{header}\n{joined}".encode() == content_of(path)
        chosen = await csv_of(client, f"{uri}?limit=1&columns=BillingCity,Name")
        assert re.fullmatch(r'BillingCity,Name\n"City, ""\d+""",Row \d+\n', chosen)


# Results that come empty while their rows are fetched for a retry

NOTHING = ["no-content", "blank-results"]
INSERT = {"object": "Account", "operation": "insert"}
THREE_OF_FIVE_FAIL = "Name,NumberOfEmployees\nA,1\nB,many\n,3\nD,4\nE,five\n"


async def aborted_midway(client: Client, org: WatchedOrg, rows: str) -> str:
    """The id of a job that was aborted after its first 200 rows."""
    org.go_wrong({"fault": "stuck-job", "after": 1})
    job = (await call(client, "create-ingest-job", body=INSERT, data={"csv": rows}, preflight="off"))["id"]
    await call(client, "close-abort-ingest-job", jobId=job, body={"state": "UploadComplete"})
    while not (await call(client, "get-ingest-job-status", jobId=job)).get("numberRecordsProcessed"):
        pass
    await call(client, "close-abort-ingest-job", jobId=job, body={"state": "Aborted"}, waitSeconds=30)
    org.go_right()
    return str(job)


def retry_of(job: str, *which: str, operation: str = "insert") -> dict[str, Any]:
    data = {"rowsOf": {"jobs": [job], "which": list(which)}}
    return {"body": {"object": "Account", "operation": operation}, "data": data, "preflight": "off"}


async def sends_nothing_until_it_comes(
    client: Client, org: WatchedOrg, result: str, fault: str, retry: dict[str, Any], rows: int
) -> None:
    """The retry is refused while the result comes empty; afterwards the same call sends all rows."""
    org.go_wrong({"on": result, "fault": fault})
    org.forget()
    text = await refusal(client, "create-ingest-job", **retry)
    assert "fetches the result anew" in text
    assert org.changes == []
    org.go_right()
    assert (await call(client, "create-ingest-job", **retry))["rows"] == rows


@pytest.mark.parametrize("fault", NOTHING)
@pytest.mark.parametrize("which", [("failed",), ("failed", "unprocessed")])
async def test_failed_rows_that_the_job_counts_are_waited_for(
    fault: str, which: tuple[str, ...], org: WatchedOrg
) -> None:
    async with agent(org.url) as client:
        job = await loaded(client, THREE_OF_FIVE_FAIL, preflight="off")
        await sends_nothing_until_it_comes(client, org, "failedResults", fault, retry_of(job, *which), 3)


@pytest.mark.parametrize("fault", NOTHING)
async def test_ids_of_new_records_that_the_job_counts_are_waited_for(fault: str, org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        job = await loaded(client, THREE_OF_FIVE_FAIL, preflight="off")
        undo = retry_of(job, "created", operation="delete")
        await sends_nothing_until_it_comes(client, org, "successfulResults", fault, undo, 2)


@pytest.mark.parametrize("fault", NOTHING)
@pytest.mark.parametrize("which", [("unprocessed",), ("failed", "unprocessed")])
async def test_unprocessed_rows_of_a_job_that_did_not_complete_are_waited_for(
    fault: str, which: tuple[str, ...], org: WatchedOrg
) -> None:
    rows = "Name\n" + "".join(f"Row {number}\n" for number in range(250))
    async with agent(org.url) as client:
        job = await aborted_midway(client, org, rows)
    async with agent(org.url) as client:  # which has not seen the results
        await sends_nothing_until_it_comes(client, org, "unprocessedrecords", fault, retry_of(job, *which), 50)


@pytest.mark.parametrize("fault", NOTHING)
async def test_a_result_whose_rows_the_job_counts_as_none_may_come_empty(fault: str, org: WatchedOrg) -> None:
    rows = "Name\n" + "".join(f"Row {number}\n" for number in range(250))
    async with agent(org.url) as client:
        aborted = await aborted_midway(client, org, rows)
        done = await loaded(client, THREE_OF_FIVE_FAIL, preflight="off")
        org.go_wrong({"on": "failedResults", "fault": fault})
        assert (await call(client, "create-ingest-job", **retry_of(aborted, "failed", "unprocessed")))["rows"] == 50
        org.go_wrong({"on": "unprocessedrecords", "fault": fault})
        assert (await call(client, "create-ingest-job", **retry_of(done, "failed", "unprocessed")))["rows"] == 3


@pytest.mark.parametrize("fault", NOTHING)
async def test_a_job_without_rows_of_these_kinds_says_so_though_its_results_come_empty(
    fault: str, org: WatchedOrg
) -> None:
    async with agent(org.url) as client:
        good, bad = await loaded(client, "Name\nA\n"), await loaded(client, "Name,Site\n,x\n", preflight="off")
        unread = await loaded(client, "Name,No_Field__c\nA,x\n", preflight="off")
        org.go_wrong(
            *({"on": on, "fault": fault} for on in ("failedResults", "successfulResults", "unprocessedrecords"))
        )
        org.forget()
        for job, which, operation, told in (
            (good, ("failed", "unprocessed"), "insert", "These jobs have no failed or unprocessed rows"),
            (good, ("failed",), "insert", "These jobs have no failed rows"),
            (bad, ("created",), "delete", "These jobs created no records"),
            (unread, ("created",), "delete", "These jobs created no records"),
        ):
            assert told in await refusal(client, "create-ingest-job", **retry_of(job, *which, operation=operation))
    assert org.changes == []


@pytest.mark.parametrize(
    ("which", "operation"), [("failed", "insert"), ("unprocessed", "insert"), ("created", "delete")]
)
async def test_a_job_that_counts_nothing_is_not_taken_for_one_without_rows(which: str, operation: str) -> None:
    results = ("successfulResults", "failedResults", "unprocessedrecords")
    without_counters = {"state": "Aborted", "numberRecordsProcessed": None}
    async with agent_over(OneJob({kind: [Response(status_code=204)] for kind in results}, without_counters)) as client:
        retry = retry_of(JOB_ID, which, operation=operation)
        assert "none of its rows are sent again yet" in await refusal(client, "create-ingest-job", **retry, dryRun=True)


# Files that are made of results, and can't be


def files_named(folder: Path, *names: str) -> list[Path]:
    """The files with these names below a folder."""
    return [file for name in names for file in folder.rglob(name)]


def put_in_the_way_of(path: Path) -> None:
    """Make a folder where a file should go."""
    path.mkdir()


async def test_a_page_is_given_without_the_file_in_source_order_where_that_can_not_be_written(
    org: WatchedOrg, tmp_path: Path
) -> None:
    async with agent(org.url, folder=tmp_path, rest_url="http://127.0.0.1:8080/v1") as client:
        job = await loaded(client, THREE_OF_FIVE_FAIL, preflight="off")
        await call(client, "get-failed-results-ingest-job", jobId=job)
    [result] = files_named(tmp_path, "failedResults.csv")
    [source_order] = files_named(tmp_path, "*-failed-rows.csv")  # made for the lines of the rows
    source_order.unlink()
    put_in_the_way_of(source_order)
    async with agent(org.url, folder=tmp_path) as client:
        page = await call(client, "get-failed-results-ingest-job", jobId=job)
        assert (len(page["rows"]), page.get("file"), page.get("sourceFile")) == (3, str(result), None)
        org.forget()
        text = await refusal(client, "create-ingest-job", **retry_of(job, "failed"))
        assert text.startswith("SERVER_UNAVAILABLE: What Salesforce gives can't be kept (")
        assert (
            "): a folder is in the place of a file. Name a file, or move the folder away.\nNext: create-ingest-job {"
            in text
        )
        assert org.changes == []


async def test_files_that_another_version_made_are_made_anew(org: WatchedOrg, tmp_path: Path) -> None:
    async with agent(org.url, folder=tmp_path) as client:
        job = await loaded(client, THREE_OF_FIVE_FAIL, preflight="off")
        page = await call(client, "get-failed-results-ingest-job", jobId=job)
        tried = await call(client, "create-ingest-job", **retry_of(job, "failed"), dryRun=True)
        made = files_named(tmp_path, "*-failed-rows.csv", "rows.csv")
        contents = [file.read_bytes() for file in made]
        for file in made:
            file.write_bytes(b"other")
            file.with_name(f"{file.name}.label").write_bytes(b'5\n{"version": 0}')
    async with agent(org.url, folder=tmp_path) as client:
        again = await call(client, "get-failed-results-ingest-job", jobId=job)
        retried = await call(client, "create-ingest-job", **retry_of(job, "failed"), dryRun=True)
    assert (again["sourceFile"], retried["sha256"]) == (page["sourceFile"], tried["sha256"])
    assert [file.read_bytes() for file in made] == contents


async def test_a_job_is_deleted_although_a_file_of_it_can_not_be_removed(
    org: WatchedOrg, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with agent(org.url, folder=tmp_path) as client:
        job = await loaded(client, THREE_OF_FIVE_FAIL, preflight="off")
        await call(client, "create-ingest-job", **retry_of(job, "failed"), dryRun=True)
        [label] = files_named(tmp_path, "rows.csv.label")
        label.unlink()
        label.symlink_to(label)
        deleted = await call(client, "delete-ingest-job", jobId=job)
        again = await call(client, "delete-ingest-job", jobId=job)
    assert (deleted["deleted"], again["deleted"]) == (True, False)
    assert f"what is kept of job {job} can't be removed" in caplog.text


async def test_a_result_in_source_order_of_other_rows_is_made_anew(org: WatchedOrg, tmp_path: Path) -> None:
    """A label names the result and the upload that the file was made from."""
    async with agent(org.url, folder=tmp_path) as client:
        jobs = [await loaded(client, rows, preflight="off") for rows in (THREE_OF_FIVE_FAIL, "Name,Site\n,x\n")]
        files = [(await call(client, "get-failed-results-ingest-job", jobId=job))["sourceFile"] for job in jobs]
        mine, others = map(Path, files)
        content = mine.read_bytes()
        for end in ("", ".label"):
            mine.with_name(mine.name + end).write_bytes(others.with_name(others.name + end).read_bytes())
        await call(client, "get-failed-results-ingest-job", jobId=jobs[0])
    assert mine.read_bytes() == content


async def test_a_job_that_was_aborted_since_its_rows_may_not_have_arrived_leads_to_a_new_one(org: WatchedOrg) -> None:
    org.go_wrong({"on": "upload", "fault": "server-error", "times": 1})
    body, data = {"object": "Account", "operation": "insert"}, {"csv": "Name\nNever arrived\n"}
    async with agent(org.url) as client:
        told = await refusal(client, "create-ingest-job", body=body, data=data)
        assert "may or may not have its rows" in told
        job_id = re.findall(r"750\w{15}", told)[0]
        aborted = await call(client, "close-abort-ingest-job", jobId=job_id, body={"state": "Aborted"})
        assert "rowCounts" not in aborted
        page = await call(client, "get-unprocessed-records-ingest-job", jobId=job_id)
        tool, arguments = next_call(page["next"])
    assert (tool, arguments["body"]) == ("create-ingest-job", body)


UPSERT = {"object": "Account", "operation": "upsert", "numberRecordsProcessed": 2, "numberRecordsFailed": 0}


@pytest.mark.parametrize(
    ("result", "told"),
    [
        ("sf__Id,sf__Created,Name\n001A,true,A\n001B,false,B\n", True),
        ("sf__Id,Name\n001A,A\n001B,B\n", False),
        ("sf__Id,sf__Created,Na\0me\n001A,true,A\n001B,true,B\n", False),
        ("sf__Id,sf__Created,Name\n001A,true,A\n", False),
    ],
    ids=["whole", "without the column", "under a header that can't be read", "short of a row"],
)
async def test_new_records_of_an_upsert_are_counted_where_its_result_says_which_they_are(
    result: str, told: bool
) -> None:
    org = OneJob({"successfulResults": [Response(result, media_type="text/csv")]}, UPSERT)
    async with agent_over(org) as client:
        job = await call(client, "get-ingest-job-status", jobId=JOB_ID)
    assert ("New records: 1, updated: 1." in job["summary"]) == told
    assert ("New records" in job["summary"]) == told
