"""Fetching of results: one download for all who ask, and none that looks whole and is not."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from anyio.abc import TaskGroup

from salesforce_bulk_ingest.base.shared_task import SharedTasks
from salesforce_bulk_ingest.cache.job_files import JobFiles, ResultKey
from salesforce_bulk_ingest.cache.ledger import Ledger
from salesforce_bulk_ingest.operations.fetching import ResultFetcher
from salesforce_bulk_ingest.results.downloads import find_download
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.errors import Unreachable
from salesforce_bulk_ingest.salesforce.models import Job, ResultKind
from salesforce_bulk_ingest.salesforce.org import Org

JOB = Job(id="750000000000001AAA", state="JobComplete")
ACME = Org("acme.my.salesforce.com", "production")
CHUNKS = (b'"sf__Id","sf__Error"\n', b'"","A:b:--"\n"","', b'C:d:--"\n')
BOUND = 10
NOWHERE = Path("no ledger")


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
